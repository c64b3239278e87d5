//! Tables of Arrow in and out of the functions that work in tiles. Nothing here is kept from one call to the next.

use std::num::NonZeroU32;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Decimal128Type, Float64Type, Int64Type};
use arrow_array::{
    Array, ArrayRef, BooleanArray, Decimal128Array, Float64Array, Int64Array, RecordBatch, UInt64Array,
};
use arrow_cast::cast;
use arrow_schema::{DataType, Field, Schema};
use arrow_select::concat::concat_batches;
use arrow_select::take::take_record_batch;
use brasa_model::Metres;
use brasa_spatial_index::AnalysisError;
use brasa_spatial_index::kernel_sums::Places;
use brasa_spatial_index::kernels::Kernel;
use brasa_spatial_index::tiles::Tiling;
use brasa_spatial_index::tiles::clusters::{self, TileRows, Told};
use brasa_spatial_index::tiles::sums::{self, CellSums, DECIMALS, Spread};
use pyo3::prelude::*;
use pyo3_arrow::PyTable;

use crate::call::{made, raised};

/// Digits of a decimal of 128 bits.
const DIGITS: u8 = 38;

/// What can go wrong: a table that is not as it should be, or what the analysis says.
enum Refused {
    Column(String),
    Analysis(AnalysisError),
}

impl From<AnalysisError> for Refused {
    fn from(error: AnalysisError) -> Self {
        Self::Analysis(error)
    }
}

impl Refused {
    fn raised(self, py: Python<'_>) -> PyErr {
        match self {
            Self::Column(text) => made(py, &text, "column_invalid", None),
            Self::Analysis(error) => raised(py, &error),
        }
    }
}

/// Works without the interpreter's lock and on one thread of its own: a worker shares its machine with others, and a pool of threads
/// that lives on would not outlive a fork.
fn alone<T: Send>(py: Python<'_>, work: impl FnOnce() -> Result<T, Refused> + Send) -> Result<T, PyErr> {
    let done = py.detach(|| match rayon::ThreadPoolBuilder::new().num_threads(1).build() {
        Ok(pool) => pool.install(work),
        Err(_) => work(),
    });
    done.map_err(|refused| refused.raised(py))
}

/// A table out of its columns.
fn table(py: Python<'_>, columns: Vec<(&str, ArrayRef)>) -> PyResult<Py<PyTable>> {
    let nullable = |name: &str| name == "cluster";
    let fields: Vec<Field> = columns
        .iter()
        .map(|(name, values)| Field::new(*name, values.data_type().clone(), nullable(name)))
        .collect();
    let schema = Arc::new(Schema::new(fields));
    let batch =
        RecordBatch::try_new(Arc::clone(&schema), columns.into_iter().map(|column| column.1).collect());
    let batch = batch.map_err(|error| made(py, &error.to_string(), "column_invalid", None))?;
    Py::new(py, PyTable::try_new(vec![batch], schema)?)
}

/// The rows of a table in one piece.
fn whole(data: PyTable) -> Result<RecordBatch, Refused> {
    let (batches, schema) = data.into_inner();
    concat_batches(&schema, &batches).map_err(|error| Refused::Column(error.to_string()))
}

/// A column as another type; `None` if there is no column of that name.
fn column(rows: &RecordBatch, name: &str, kind: &DataType) -> Result<Option<ArrayRef>, Refused> {
    let Some(values) = rows.column_by_name(name) else { return Ok(None) };
    let is_number = values.data_type().is_numeric() && !matches!(kind, DataType::Boolean);
    if !is_number && values.data_type() != kind {
        return Err(Refused::Column(format!("the column {name} is {}, not {kind}", values.data_type())));
    }
    let found = cast(values, kind).map_err(|error| Refused::Column(format!("the column {name}: {error}")))?;
    // A number that does not fit becomes nothing.
    if found.null_count() != values.null_count() {
        return Err(Refused::Column(format!("the column {name} holds a number that is no {kind}")));
    }
    Ok(Some(found))
}

/// A column that must be there, in every row.
fn required(rows: &RecordBatch, name: &str, kind: &DataType) -> Result<ArrayRef, Refused> {
    let found = column(rows, name, kind)?
        .ok_or_else(|| Refused::Column(format!("the table has no column {name}")))?;
    if found.null_count() > 0 {
        return Err(Refused::Column(format!("the column {name} is empty in some rows")));
    }
    Ok(found)
}

fn reals(rows: &RecordBatch, name: &str) -> Result<Vec<f64>, Refused> {
    Ok(required(rows, name, &DataType::Float64)?.as_primitive::<Float64Type>().values().to_vec())
}

fn whole_numbers(rows: &RecordBatch, name: &str) -> Result<Vec<i64>, Refused> {
    let values = rows.column_by_name(name).map(|values| values.data_type().is_integer());
    if values == Some(false) {
        return Err(Refused::Column(format!("the column {name} does not hold whole numbers")));
    }
    Ok(required(rows, name, &DataType::Int64)?.as_primitive::<Int64Type>().values().to_vec())
}

fn truths(rows: &RecordBatch, name: &str) -> Result<Vec<bool>, Refused> {
    Ok(required(rows, name, &DataType::Boolean)?.as_boolean().values().iter().collect())
}

fn weights(rows: &RecordBatch, name: Option<&str>) -> Result<Option<Vec<f64>>, Refused> {
    name.map(|name| reals(rows, name)).transpose()
}

fn length(name: &'static str, text: &str) -> Result<Metres, Refused> {
    let refused =
        |error: brasa_model::UnitError| AnalysisError::Parameter { method: name, why: error.to_string() };
    text.parse().map_err(refused).map_err(Refused::Analysis)
}

fn tiling(tile: &str, halo: Option<&str>) -> Result<Tiling, Refused> {
    let halo = halo.map(|halo| length("halo", halo)).transpose()?;
    Ok(Tiling::new(length("tile", tile)?, halo)?)
}

fn spread(bandwidth: &str, cell: &str, kernel: &str) -> Result<Spread, Refused> {
    let refused = |why: String| AnalysisError::Parameter { method: "kernel", why };
    let kernel: Kernel = kernel.parse().map_err(refused)?;
    Ok(Spread::new(kernel, length("bandwidth", bandwidth)?, length("cell", cell)?)?)
}

/// The rows of a table, each for its own tile and for those in whose halo it lies.
#[pyfunction]
pub fn tile_explode(py: Python<'_>, data: PyTable, tile: &str, halo: Option<&str>) -> PyResult<Py<PyTable>> {
    let (rows, all) = alone(py, || {
        let rows = whole(data)?;
        for name in ["tile_x", "tile_y", "own"] {
            if rows.column_by_name(name).is_some() {
                return Err(Refused::Column(format!("the table has a column {name} already")));
            }
        }
        let (x, y) = (reals(&rows, "x")?, reals(&rows, "y")?);
        let all = tiling(tile, halo)?.explode(&x, &y)?;
        let numbered = if rows.column_by_name("row").is_some() {
            whole_numbers(&rows, "row")?;
            None
        } else {
            Some(Int64Array::from_iter_values(all.at.iter().map(|&at| at as i64)))
        };
        let at = UInt64Array::from_iter_values(all.at.iter().map(|&at| at as u64));
        let taken = take_record_batch(&rows, &at).map_err(|error| Refused::Column(error.to_string()))?;
        Ok(((taken, numbered), all))
    })?;
    let (taken, numbered) = rows;
    let mut fields: Vec<Arc<Field>> = taken.schema().fields().iter().cloned().collect();
    let mut columns = taken.columns().to_vec();
    let mut add = |name: &str, values: ArrayRef| {
        fields.push(Arc::new(Field::new(name, values.data_type().clone(), false)));
        columns.push(values);
    };
    if let Some(numbered) = numbered {
        add("row", Arc::new(numbered));
    }
    add("tile_x", Arc::new(Int64Array::from(all.tile_x)));
    add("tile_y", Arc::new(Int64Array::from(all.tile_y)));
    add("own", Arc::new(BooleanArray::from(all.own)));
    let schema = Arc::new(Schema::new_with_metadata(fields, taken.schema().metadata().clone()));
    let batch = RecordBatch::try_new(Arc::clone(&schema), columns);
    let batch = batch.map_err(|error| made(py, &error.to_string(), "column_invalid", None))?;
    Py::new(py, PyTable::try_new(vec![batch], schema)?)
}

/// The kernel sums of a table's own rows.
#[pyfunction]
pub fn tile_kde(
    py: Python<'_>,
    data: PyTable,
    bandwidth: &str,
    cell: &str,
    kernel: &str,
    weight: Option<&str>,
) -> PyResult<Py<PyTable>> {
    let found = alone(py, || {
        let rows = whole(data)?;
        let spread = spread(bandwidth, cell, kernel)?;
        let (x, y, weight) = (reals(&rows, "x")?, reals(&rows, "y")?, weights(&rows, weight)?);
        // What lies in a halo is somebody else's.
        if rows.column_by_name("own").is_none() {
            return Ok(spread.sums(Places { x: &x, y: &y, weight: weight.as_deref() })?);
        }
        let own = truths(&rows, "own")?;
        let only = |values: Vec<f64>| -> Vec<f64> {
            values.into_iter().zip(&own).filter(|row| *row.1).map(|row| row.0).collect()
        };
        let (x, y, weight) = (only(x), only(y), weight.map(only));
        Ok(spread.sums(Places { x: &x, y: &y, weight: weight.as_deref() })?)
    })?;
    table(py, cells(py, found)?)
}

fn cells(py: Python<'_>, found: CellSums) -> PyResult<Vec<(&'static str, ArrayRef)>> {
    let sums = Decimal128Array::from(found.sum).with_precision_and_scale(DIGITS, DECIMALS);
    let sums = sums.map_err(|error| made(py, &error.to_string(), "column_invalid", None))?;
    Ok(vec![
        ("cell_x", Arc::new(Int64Array::from(found.column))),
        ("cell_y", Arc::new(Int64Array::from(found.row))),
        ("sum", Arc::new(sums)),
    ])
}

/// The sums of all tiles as one, and the density they are.
#[pyfunction]
pub fn merge_kde(
    py: Python<'_>,
    data: Vec<PyTable>,
    bandwidth: &str,
    cell: &str,
    kernel: &str,
) -> PyResult<Py<PyTable>> {
    let (spread, found) = alone(py, || {
        let spread = spread(bandwidth, cell, kernel)?;
        let part = |data: PyTable| {
            let rows = whole(data)?;
            let sums = required(&rows, "sum", &DataType::Decimal128(DIGITS, DECIMALS))?;
            Ok(CellSums {
                column: whole_numbers(&rows, "cell_x")?,
                row: whole_numbers(&rows, "cell_y")?,
                sum: sums.as_primitive::<Decimal128Type>().values().to_vec(),
            })
        };
        let parts = data.into_iter().map(part).collect::<Result<Vec<_>, Refused>>()?;
        Ok((spread, sums::merged(&parts)?))
    })?;
    let centres = |at: &[i64]| Float64Array::from_iter_values(at.iter().map(|&at| spread.centre(at)));
    let (x, y) = (centres(&found.column), centres(&found.row));
    let density = Float64Array::from_iter_values(found.sum.iter().map(|&sum| spread.density(sum)));
    let mut columns = cells(py, found)?;
    columns.extend([("x", Arc::new(x) as ArrayRef), ("y", Arc::new(y)), ("density", Arc::new(density))]);
    table(py, columns)
}

/// What one tile says of the clusters of its rows.
#[pyfunction]
pub fn tile_dbscan(
    py: Python<'_>,
    data: PyTable,
    tile: &str,
    halo: &str,
    eps: &str,
    min_points: u32,
    weight: Option<&str>,
) -> PyResult<Py<PyTable>> {
    let columns = alone(py, || {
        let rows = whole(data)?;
        let refused = |why: &str| AnalysisError::Parameter { method: "tile_dbscan", why: why.to_owned() };
        let least = NonZeroU32::new(min_points).ok_or_else(|| refused("min_points must be 1 or more"))?;
        let (tiling, eps) = (tiling(tile, Some(halo))?, length("eps", eps)?);
        let (x, y, weight) = (reals(&rows, "x")?, reals(&rows, "y")?, weights(&rows, weight)?);
        let (row, own) = (whole_numbers(&rows, "row")?, truths(&rows, "own")?);
        let (tile_x, tile_y) = (whole_numbers(&rows, "tile_x")?, whole_numbers(&rows, "tile_y")?);
        let mut tiles = tile_x.iter().copied().zip(tile_y.iter().copied());
        let tile = tiles.next().unwrap_or_default();
        if tiles.any(|other| other != tile) {
            return Err(
                refused("the table holds rows of several tiles; group it by tile_x and tile_y").into()
            );
        }
        let places = Places { x: &x, y: &y, weight: weight.as_deref() };
        let found = clusters::of_tile(TileRows { tile, places, own: &own }, &tiling, eps, least)?;
        let at = || found.at.iter().copied();
        let mut columns: Vec<(&str, ArrayRef)> = vec![
            ("tile_x", Arc::new(Int64Array::from_iter_values(at().map(|at| tile_x[at])))),
            ("tile_y", Arc::new(Int64Array::from_iter_values(at().map(|at| tile_y[at])))),
            ("row", Arc::new(Int64Array::from_iter_values(at().map(|at| row[at])))),
            ("x", Arc::new(Float64Array::from_iter_values(at().map(|at| x[at])))),
            ("y", Arc::new(Float64Array::from_iter_values(at().map(|at| y[at])))),
        ];
        if let Some(weight) = &weight {
            columns.push(("weight", Arc::new(Float64Array::from_iter_values(at().map(|at| weight[at])))));
        }
        columns.push(("own", Arc::new(at().map(|at| Some(own[at])).collect::<BooleanArray>())));
        columns.push(("core", Arc::new(BooleanArray::from(found.core))));
        columns.push(("cluster", Arc::new(numbers(&found.cluster))));
        Ok(columns)
    })?;
    table(py, columns)
}

fn numbers(clusters: &[Option<u32>]) -> Int64Array {
    clusters.iter().map(|cluster| cluster.map(i64::from)).collect()
}

/// The clusters of the whole, out of what its tiles said.
#[pyfunction]
pub fn merge_dbscan(py: Python<'_>, data: Vec<PyTable>) -> PyResult<Py<PyTable>> {
    let found = alone(py, || {
        let (mut tile_x, mut tile_y, mut row) = (Vec::new(), Vec::new(), Vec::new());
        let (mut x, mut y, mut weight) = (Vec::new(), Vec::new(), Vec::new());
        let (mut own, mut core, mut cluster) = (Vec::new(), Vec::new(), Vec::new());
        for data in data {
            let rows = whole(data)?;
            let clusters = column(&rows, "cluster", &DataType::Int64)?
                .ok_or_else(|| Refused::Column("the table has no column cluster".to_owned()))?;
            tile_x.extend(whole_numbers(&rows, "tile_x")?);
            tile_y.extend(whole_numbers(&rows, "tile_y")?);
            row.extend(whole_numbers(&rows, "row")?);
            x.extend(reals(&rows, "x")?);
            y.extend(reals(&rows, "y")?);
            let weighted = rows.column_by_name("weight").map(|_| "weight");
            weight.extend(weights(&rows, weighted)?.unwrap_or_else(|| vec![1.0; rows.num_rows()]));
            own.extend(truths(&rows, "own")?);
            core.extend(truths(&rows, "core")?);
            cluster.extend(clusters.as_primitive::<Int64Type>());
        }
        let places = Places { x: &x, y: &y, weight: Some(&weight) };
        let told = Told {
            tile_x: &tile_x,
            tile_y: &tile_y,
            row: &row,
            places,
            own: &own,
            core: &core,
            cluster: &cluster,
        };
        Ok(clusters::merged(told)?)
    })?;
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("row", Arc::new(Int64Array::from(found.row))),
        ("cluster", Arc::new(numbers(&found.cluster))),
        ("core", Arc::new(BooleanArray::from(found.core))),
    ];
    table(py, columns)
}
