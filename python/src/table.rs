//! Columns of Python as a table that the engine reads. Arrow arrays are taken as they are; what is an object is asked for its text
//! when a column is read.

use std::borrow::Cow;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType,
    UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef, LargeBinaryArray, RecordBatch, make_array};
use arrow_buffer::NullBuffer;
use arrow_cast::display::{ArrayFormatter, FormatOptions};
use arrow_schema::{DataType, Field, TimeUnit};
use brasa_engine::memory::{self, Cell, Cells, Held, Spot, Spots};
use brasa_model::SourceCrs;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use pyo3_arrow::{PyArray, PyTable};

use crate::call::raised;

/// A table that the engine can read for as long as this object lives.
#[pyclass(frozen)]
pub struct Table(Held);

#[pymethods]
impl Table {
    /// A table of columns. `places` is two arrays of coordinates or one of well-known binary, or nothing where coordinates stand in
    /// columns. A column is its name and an array, or a function from a range of rows to their texts.
    #[new]
    fn new(
        py: Python<'_>,
        name: &str,
        rows: usize,
        crs: Option<&str>,
        places: Vec<PyArray>,
        columns: Vec<(String, Bound<'_, PyAny>)>,
    ) -> PyResult<Self> {
        let own = |(name, data): (String, Bound<'_, PyAny>)| {
            let column: Box<dyn Cells> = if data.is_callable() {
                Box::new(Texts { ask: data.unbind(), rows, head: OnceLock::new(), all: OnceLock::new() })
            } else {
                Box::new(Chunks::new(vec![data.extract::<PyArray>()?.into_inner().0]))
            };
            PyResult::Ok((name, column))
        };
        let columns = columns.into_iter().map(own).collect::<PyResult<Vec<_>>>()?;
        let places: Vec<Pieces> = places.into_iter().map(|array| vec![array.into_inner().0]).collect();
        Self::held(py, name, rows, crs, places, columns)
    }

    /// An Arrow table, or whatever speaks the C data interface of Arrow. Its geometry is the column that says so, or one of
    /// well-known binary that is called so; `code_of` turns the system that it states into a code.
    #[staticmethod]
    fn from_arrow(
        py: Python<'_>,
        name: &str,
        data: PyTable,
        crs: Option<String>,
        code_of: &Bound<'_, PyAny>,
    ) -> PyResult<Self> {
        let (batches, schema) = data.into_inner();
        let rows = batches.iter().map(RecordBatch::num_rows).sum();
        let chunks =
            |at: usize| -> Pieces { batches.iter().map(|batch| Arc::clone(batch.column(at))).collect() };
        let geometry = schema.fields().iter().position(|field| is_geometry(field));
        let crs = match geometry.and_then(|at| stated(schema.field(at))) {
            Some(stated) => code_of.call1((stated,))?.extract()?,
            None => crs,
        };
        if geometry.is_some() && crs.is_none() {
            return Err(PyErr::from_value(py.import("brasa._frames")?.getattr("no_crs")?.call1((name,))?));
        }
        let others = schema.fields().iter().enumerate().filter(|(at, _)| Some(*at) != geometry);
        let columns = others.map(|(at, field)| {
            let column: Box<dyn Cells> = Box::new(Chunks::new(chunks(at)));
            (field.name().clone(), column)
        });
        let mut places: Vec<Pieces> = Vec::new();
        if let Some(at) = geometry {
            if matches!(schema.field(at).data_type(), DataType::Struct(_)) {
                // Where there is no point there are no coordinates.
                for part in 0..2 {
                    let part = |point: &ArrayRef| with_nulls_of(point.as_struct().column(part), point);
                    places.push(chunks(at).iter().map(part).collect::<PyResult<_>>()?);
                }
            } else {
                places.push(chunks(at));
            }
        }
        Self::held(py, name, rows, crs.as_deref(), places, columns.collect())
    }

    /// Its path, for the engine.
    #[getter]
    fn path(&self) -> &Path {
        self.0.path()
    }
}

/// A column of Arrow, in the pieces it came in.
type Pieces = Vec<ArrayRef>;

/// Whether a column of Arrow holds shapes: a GeoArrow column of points or of well-known binary, or binary that is called geometry.
fn is_geometry(field: &Field) -> bool {
    let kind = field.data_type();
    let is_binary = matches!(kind, DataType::Binary | DataType::LargeBinary | DataType::BinaryView);
    match field.metadata().get(EXTENSION_NAME).map(String::as_str) {
        Some("geoarrow.wkb" | "ogc.wkb") => is_binary,
        Some("geoarrow.point") => {
            matches!(kind, DataType::FixedSizeList(_, 2))
                || matches!(kind, DataType::Struct(parts) if parts.len() >= 2)
        }
        _ => is_binary && ["geometry", "geom", "wkb_geometry", "wkb"].contains(&field.name().as_str()),
    }
}

/// What a GeoArrow column says about its reference system.
fn stated(field: &Field) -> Option<String> {
    let about: serde_json::Value = serde_json::from_str(field.metadata().get(EXTENSION_META)?).ok()?;
    match &about["crs"] {
        serde_json::Value::Null => None,
        serde_json::Value::String(text) => Some(text.clone()),
        object => Some(object.to_string()),
    }
}

const EXTENSION_NAME: &str = "ARROW:extension:name";
const EXTENSION_META: &str = "ARROW:extension:metadata";

/// Texts of bytes as an array of Arrow.
#[pyfunction]
#[expect(clippy::needless_pass_by_value, reason = "so it comes out of Python")]
pub fn binary(py: Python<'_>, values: Vec<Option<Bound<'_, PyBytes>>>) -> PyResult<Py<PyArray>> {
    let bytes = values.iter().map(|value| value.as_ref().map(PyBytesMethods::as_bytes));
    let array: LargeBinaryArray = bytes.collect();
    Py::new(py, PyArray::from_array_ref(Arc::new(array)))
}

/// Times in numbers as an array of Arrow: counted in `unit` from 1970, on the clocks of the place or, with a zone, in UTC.
#[pyfunction]
#[expect(clippy::needless_pass_by_value, reason = "so it comes out of Python")]
pub fn times(
    py: Python<'_>,
    values: PyArray,
    known: Vec<bool>,
    unit: &str,
    zone: Option<String>,
) -> PyResult<Py<PyArray>> {
    let unit = match unit {
        "s" => TimeUnit::Second,
        "ms" => TimeUnit::Millisecond,
        "us" => TimeUnit::Microsecond,
        _ => TimeUnit::Nanosecond,
    };
    let data = values.array().to_data().into_builder();
    let data = data.data_type(DataType::Timestamp(unit, zone.map(Into::into)));
    let data = data.nulls(Some(NullBuffer::from(known))).build();
    let array = data.map_err(|error| PyValueError::new_err(error.to_string()))?;
    Py::new(py, PyArray::from_array_ref(make_array(array)))
}

/// An array without the values that another has none of.
fn with_nulls_of(own: &ArrayRef, other: &ArrayRef) -> PyResult<ArrayRef> {
    let nulls = NullBuffer::union(own.nulls(), other.nulls());
    let data = own.to_data().into_builder().nulls(nulls).build();
    data.map(make_array).map_err(|error| PyValueError::new_err(error.to_string()))
}

impl Table {
    fn held(
        py: Python<'_>,
        name: &str,
        rows: usize,
        crs: Option<&str>,
        mut places: Vec<Pieces>,
        columns: Vec<(String, Box<dyn Cells>)>,
    ) -> PyResult<Self> {
        let crs = crs.map(SourceCrs::parse).transpose();
        let crs = crs.map_err(|error| raised(py, &brasa_engine::EngineError::from(error)))?;
        let spots: Option<Box<dyn Spots>> = match (places.pop(), places.pop()) {
            (None, _) => None,
            (Some(binary), None) => Some(Box::new(Binaries(Chunks::new(binary)))),
            (Some(y), Some(x)) => Some(Box::new(Points { x: Chunks::new(x), y: Chunks::new(y) })),
        };
        let table = memory::Table::new(rows, columns, spots, crs);
        Ok(Self(Held::new(Arc::new(table), name)))
    }
}

/// Such a column, row by row.
struct Chunks {
    chunks: Pieces,
    /// Where each begins, and where the last ends.
    starts: Vec<usize>,
}

impl Chunks {
    fn new(chunks: Pieces) -> Self {
        let mut starts = vec![0];
        for chunk in &chunks {
            starts.push(starts.last().copied().unwrap_or(0) + chunk.len());
        }
        Self { chunks, starts }
    }

    /// The piece that holds a row, and where; `None` for a value that is not there.
    fn find(&self, row: usize) -> Option<(&ArrayRef, usize)> {
        let piece = match &self.chunks[..] {
            [_] => 0,
            _ => self.starts.partition_point(|&start| start <= row).checked_sub(1)?,
        };
        let (chunk, at) = (self.chunks.get(piece)?, row - self.starts[piece]);
        (at < chunk.len() && !chunk.is_null(at)).then_some((chunk, at))
    }

    fn number(&self, row: usize) -> Option<f64> {
        let (chunk, at) = self.find(row)?;
        match chunk.data_type() {
            DataType::Float64 => Some(chunk.as_primitive::<Float64Type>().value(at)),
            _ => match cell(chunk, at) {
                Cell::Number(value) => Some(value),
                Cell::Whole(value) => Some(value as f64),
                _ => None,
            },
        }
    }
}

impl Cells for Chunks {
    fn cell(&self, row: usize) -> Cell<'_> {
        self.find(row).map_or(Cell::Nothing, |(chunk, at)| cell(chunk, at))
    }
}

fn cell(chunk: &dyn Array, at: usize) -> Cell<'_> {
    macro_rules! whole {
        ($kind:ty) => {
            Cell::Whole(i64::from(chunk.as_primitive::<$kind>().value(at)))
        };
    }
    macro_rules! moment {
        ($kind:ty, $per_second:expr, $zone:expr) => {
            Cell::Moment {
                value: chunk.as_primitive::<$kind>().value(at),
                per_second: $per_second,
                is_instant: $zone.is_some(),
            }
        };
    }
    match chunk.data_type() {
        DataType::Utf8 => Cell::Text(Cow::Borrowed(chunk.as_string::<i32>().value(at))),
        DataType::LargeUtf8 => Cell::Text(Cow::Borrowed(chunk.as_string::<i64>().value(at))),
        DataType::Utf8View => Cell::Text(Cow::Borrowed(chunk.as_string_view().value(at))),
        DataType::Float64 => Cell::Number(chunk.as_primitive::<Float64Type>().value(at)),
        DataType::Float32 => Cell::Number(f64::from(chunk.as_primitive::<Float32Type>().value(at))),
        DataType::Int64 => whole!(Int64Type),
        DataType::Int32 => whole!(Int32Type),
        DataType::Int16 => whole!(Int16Type),
        DataType::Int8 => whole!(Int8Type),
        DataType::UInt32 => whole!(UInt32Type),
        DataType::UInt16 => whole!(UInt16Type),
        DataType::UInt8 => whole!(UInt8Type),
        DataType::UInt64 => {
            let value = chunk.as_primitive::<UInt64Type>().value(at);
            i64::try_from(value).map_or_else(|_| Cell::Text(Cow::Owned(value.to_string())), Cell::Whole)
        }
        DataType::Timestamp(TimeUnit::Second, zone) => moment!(TimestampSecondType, 1, zone),
        DataType::Timestamp(TimeUnit::Millisecond, zone) => moment!(TimestampMillisecondType, 1_000, zone),
        DataType::Timestamp(TimeUnit::Microsecond, zone) => {
            moment!(TimestampMicrosecondType, 1_000_000, zone)
        }
        DataType::Timestamp(TimeUnit::Nanosecond, zone) => {
            moment!(TimestampNanosecondType, 1_000_000_000, zone)
        }
        DataType::Date32 => {
            let days = i64::from(chunk.as_primitive::<Date32Type>().value(at));
            let moment = Cell::Moment { value: days * 86_400, per_second: 1, is_instant: false }.to_text();
            // A day has no hour.
            Cell::Text(Cow::Owned(moment.split('T').next().unwrap_or_default().to_owned()))
        }
        DataType::Dictionary(..) => {
            let words = chunk.as_any_dictionary();
            match cell(words.keys(), at) {
                Cell::Whole(key) => match usize::try_from(key) {
                    Ok(key) if key < words.values().len() && !words.values().is_null(key) => {
                        cell(words.values(), key)
                    }
                    _ => Cell::Nothing,
                },
                _ => Cell::Nothing,
            }
        }
        _ => {
            let options = FormatOptions::default();
            let shown = ArrayFormatter::try_new(chunk, &options)
                .ok()
                .and_then(|shown| shown.value(at).try_to_string().ok());
            shown.map_or(Cell::Nothing, |shown| Cell::Text(Cow::Owned(shown)))
        }
    }
}

/// Two columns of coordinates.
struct Points {
    x: Chunks,
    y: Chunks,
}

impl Spots for Points {
    fn spot(&self, row: usize) -> Spot<'_> {
        match (self.x.number(row), self.y.number(row)) {
            (Some(x), Some(y)) => Spot::Point(x, y),
            _ => Spot::Nothing,
        }
    }
}

/// A column of well-known binary.
struct Binaries(Chunks);

impl Spots for Binaries {
    fn spot(&self, row: usize) -> Spot<'_> {
        let Some((chunk, at)) = self.0.find(row) else { return Spot::Nothing };
        match chunk.data_type() {
            DataType::Binary => Spot::Binary(chunk.as_binary::<i32>().value(at)),
            DataType::LargeBinary => Spot::Binary(chunk.as_binary::<i64>().value(at)),
            DataType::BinaryView => Spot::Binary(chunk.as_binary_view().value(at)),
            // Two numbers side by side.
            DataType::FixedSizeList(_, 2) => {
                let pair = chunk.as_fixed_size_list().value(at);
                match pair.as_primitive_opt::<Float64Type>() {
                    Some(pair) => Spot::Point(pair.value(0), pair.value(1)),
                    None => Spot::Nothing,
                }
            }
            _ => Spot::Nothing,
        }
    }
}

/// Rows that are asked for first: a guess looks at no more.
const HEAD: usize = 1000;

/// A column of Python objects, as texts: the first rows when somebody looks at it, all of them when somebody reads it.
struct Texts {
    ask: Py<PyAny>,
    rows: usize,
    head: OnceLock<Vec<Option<String>>>,
    all: OnceLock<Vec<Option<String>>>,
}

impl Texts {
    fn of(&self, rows: std::ops::Range<usize>) -> Vec<Option<String>> {
        let wanted = (rows.start, rows.end);
        let asked = Python::attach(|py| self.ask.bind(py).call1(wanted)?.extract());
        // The function turns anything into a text; what fails all the same is a value that says nothing.
        asked.unwrap_or_else(|_| vec![None; rows.len()])
    }
}

impl Cells for Texts {
    fn cell(&self, row: usize) -> Cell<'_> {
        let texts = if row < HEAD {
            self.head.get_or_init(|| self.of(0..self.rows.min(HEAD)))
        } else {
            self.all.get_or_init(|| self.of(0..self.rows))
        };
        match texts.get(row) {
            Some(Some(text)) => Cell::Text(Cow::Borrowed(text)),
            _ => Cell::Nothing,
        }
    }
}
