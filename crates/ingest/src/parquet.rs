//! Parquet and GeoParquet (GeoParquet 1.1), row group by row group. The limits of other people's code are kept by [`guarded`].

use std::borrow::Cow;
use std::fs::File;

use brasa_model::Note;
use geo::MultiPolygon;
use parquet::basic::{ConvertedType, LogicalType, TimeUnit};
use parquet::data_type::Decimal;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::{Field, Row};
use parquet::schema::types::{Type, TypePtr};
use serde_json::Value;

use crate::IngestError;
use crate::date_text::{EPOCH, moment};
use crate::guard::guarded;
use crate::open::Source;
use crate::records::{MAX_COLUMNS, Place, Record, Records, StatedCrs};
use crate::shape::{self, EMPTY, Shape};

/// A Parquet file.
pub(crate) struct Parquet {
    source: Source,
    columns: Vec<String>,
    leaves: Vec<Leaf>,
    roots: Vec<TypePtr>,
    rows: i64,
    geometry: Option<Geometry>,
    crs: StatedCrs,
}

/// A value of a row.
struct Leaf {
    root: usize,
    /// The way to it in the structures of its root.
    way: Vec<String>,
    /// How many of its units are a second, and whether it is an instant, if it is a time.
    time: Option<(i64, bool)>,
}

/// The geometry column of GeoParquet.
struct Geometry {
    root: usize,
    /// Whether it is well-known binary; else a point is a structure of x and y.
    binary: bool,
}

impl Parquet {
    /// Reads the description at the end of the file.
    pub fn open(source: &Source) -> Result<Self, IngestError> {
        let unreadable = |why: String| unreadable(source, why);
        let reader = reader(source)?;
        let about = reader.metadata().file_metadata();
        let roots = about.schema_descr().root_schema().get_fields().to_vec();
        let stated = about.key_value_metadata().into_iter().flatten().find(|entry| entry.key == "geo");
        let stated: Option<Value> =
            stated.and_then(|entry| entry.value.as_deref()).and_then(|text| serde_json::from_str(text).ok());
        let (geometry, crs) = geometry(&roots, stated.as_ref()).map_err(&unreadable)?;
        let (mut columns, mut leaves) = (Vec::new(), Vec::new());
        for (root, kind) in roots.iter().enumerate() {
            if geometry.as_ref().is_none_or(|geometry| geometry.root != root) {
                collect(kind, root, &mut Vec::new(), &mut columns, &mut leaves);
            }
        }
        if columns.len() > MAX_COLUMNS {
            return Err(IngestError::TooLarge {
                name: source.name().to_owned(),
                what: format!("{} columns", columns.len()),
                limit: MAX_COLUMNS.to_string(),
            });
        }
        let rows = about.num_rows();
        if rows == 0 {
            return Err(IngestError::NoRows { name: source.name().to_owned() });
        }
        Ok(Self { source: source.clone(), columns, leaves, roots, rows, geometry, crs })
    }

    /// Hands the rows to `each`, with the wanted roots alone, until it answers `false`.
    fn rows(&self, roots: &[usize], each: &mut dyn FnMut(u64, &[&Field]) -> bool) -> Result<(), IngestError> {
        let failed = |why: String| unreadable(&self.source, why);
        let reader = reader(&self.source)?;
        // Without a column there are no rows to count.
        let roots = if roots.is_empty() { &[0] } else { roots };
        let fields = roots.iter().map(|&root| self.roots[root].clone()).collect();
        let wanted = Type::group_type_builder("schema").with_fields(fields).build();
        let wanted = wanted.map_err(|error| failed(error.to_string()))?;
        let mut rows = guarded(|| reader.get_row_iter(Some(wanted)).map_err(|error| error.to_string()))
            .map_err(&failed)?;
        let mut seen = 0_i64;
        while let Some(row) = guarded(|| rows.next().transpose().map_err(|error| error.to_string()))
            .map_err(|why| failed(format!("after row {seen}: {why}")))?
        {
            seen += 1;
            let fields: Vec<&Field> = row.get_column_iter().map(|(_, field)| field).collect();
            if !each(seen as u64, &fields) {
                return Ok(());
            }
        }
        if seen == self.rows {
            return Ok(());
        }
        Err(failed(format!("it states {} rows and holds {seen}", self.rows)))
    }

    /// The polygons of each row, if the file has a geometry column.
    pub fn polygons(&self) -> Result<Option<Vec<MultiPolygon<f64>>>, IngestError> {
        let Some(geometry) = &self.geometry else { return Ok(None) };
        let (mut features, mut broken) = (Vec::new(), None);
        self.rows(&[geometry.root], &mut |row, fields| {
            match fields.first().map(|field| geometry.shape(field)) {
                Some(Some(Shape::Polygons(polygons))) => features.push(polygons),
                Some(Some(_)) => features.push(MultiPolygon::new(Vec::new())),
                _ => broken = Some(row),
            }
            broken.is_none()
        })?;
        match broken {
            Some(row) => Err(unreadable(&self.source, format!("the geometry of row {row} is none"))),
            None => Ok(Some(features)),
        }
    }
}

fn unreadable(source: &Source, why: String) -> IngestError {
    IngestError::FormatUnreadable { name: source.name().to_owned(), format: "Parquet", why }
}

fn reader(source: &Source) -> Result<Box<dyn FileReader>, IngestError> {
    let text = |error: parquet::errors::ParquetError| error.to_string();
    let opened = match source.file() {
        Some(path) => {
            let file = File::open(path).map_err(|error| source.failed(&error))?;
            guarded(|| Ok(Box::new(SerializedFileReader::new(file).map_err(text)?) as Box<dyn FileReader>))
        }
        None => {
            let bytes = bytes::Bytes::copy_from_slice(&source.bytes()?);
            guarded(|| Ok(Box::new(SerializedFileReader::new(bytes).map_err(text)?) as Box<dyn FileReader>))
        }
    };
    opened.map_err(|why| unreadable(source, why))
}

/// The geometry column that the file's own description names, and its system.
fn geometry(roots: &[TypePtr], stated: Option<&Value>) -> Result<(Option<Geometry>, StatedCrs), String> {
    let Some(stated) = stated else { return Ok((None, StatedCrs::Nothing)) };
    let name = stated.get("primary_column").and_then(Value::as_str).unwrap_or("geometry");
    let Some(root) = roots.iter().position(|kind| kind.name() == name) else {
        return Err(format!("its geometry column \"{name}\" is not there"));
    };
    let about = stated.pointer("/columns").and_then(|columns| columns.get(name));
    let encoding = about.and_then(|about| about.get("encoding")).and_then(Value::as_str).unwrap_or("WKB");
    let binary = encoding.eq_ignore_ascii_case("WKB");
    if !binary && encoding != "point" {
        return Err(format!("its geometry is encoded as \"{encoding}\"; save it as WKB"));
    }
    let crs = match about.and_then(|about| about.get("crs")) {
        // What is not stated is longitude and latitude; what is stated to be null is unknown.
        None => StatedCrs::ByFormat,
        Some(Value::Null) => StatedCrs::Nothing,
        Some(crs) => {
            let authority = crs.pointer("/id/authority").and_then(Value::as_str);
            let code = crs.pointer("/id/code").and_then(|code| match code {
                Value::String(text) => text.parse().ok(),
                other => other.as_u64(),
            });
            match (authority, code.and_then(|code| u32::try_from(code).ok())) {
                (Some("EPSG"), Some(code)) => StatedCrs::Epsg(code),
                (Some("OGC"), _) => StatedCrs::ByFormat,
                _ => StatedCrs::Other(
                    crs.get("name").and_then(Value::as_str).unwrap_or("without a name").to_owned(),
                ),
            }
        }
    };
    Ok((Some(Geometry { root, binary }), crs))
}

/// The values under a node of the schema: structures are taken apart, lists stay whole.
fn collect(
    kind: &Type,
    root: usize,
    way: &mut Vec<String>,
    columns: &mut Vec<String>,
    leaves: &mut Vec<Leaf>,
) {
    let whole = [ConvertedType::LIST, ConvertedType::MAP, ConvertedType::MAP_KEY_VALUE];
    let name = kind.name().to_owned();
    let inner = kind.is_group() && !whole.contains(&kind.get_basic_info().converted_type());
    if inner && columns.len() <= MAX_COLUMNS && way.len() < 32 {
        way.push(name);
        for field in kind.get_fields() {
            collect(field, root, way, columns, leaves);
        }
        way.pop();
        return;
    }
    let full: Vec<&str> = way.iter().map(String::as_str).chain([name.as_str()]).collect();
    columns.push(full.join("."));
    let path =
        if way.is_empty() { Vec::new() } else { full[1..].iter().map(|part| (*part).to_owned()).collect() };
    leaves.push(Leaf { root, way: path, time: time_of(kind) });
}

fn time_of(kind: &Type) -> Option<(i64, bool)> {
    match kind.get_basic_info().logical_type_ref() {
        Some(LogicalType::Timestamp(time)) => {
            let per_second = match time.unit {
                TimeUnit::MILLIS => 1_000,
                TimeUnit::MICROS => 1_000_000,
                TimeUnit::NANOS => 1_000_000_000,
            };
            Some((per_second, time.is_adjusted_to_u_t_c))
        }
        _ => None,
    }
}

impl Leaf {
    fn text(&self, root: &Field) -> String {
        let mut field = root;
        for part in &self.way {
            let Field::Group(row) = field else { return String::new() };
            let Some(inner) = member(row, part) else { return String::new() };
            field = inner;
        }
        match (field, self.time) {
            (Field::Long(value), Some((per_second, utc))) => moment(*value, per_second, utc),
            // What has no note on the zone is an instant by the older rules, and written by those who mean it.
            (Field::TimestampMillis(value), time) => moment(*value, 1_000, time.is_some_and(|time| time.1)),
            (Field::TimestampMicros(value), time) => {
                moment(*value, 1_000_000, time.is_some_and(|time| time.1))
            }
            (field, _) => text(field),
        }
    }
}

fn member<'a>(row: &'a Row, name: &str) -> Option<&'a Field> {
    row.get_column_iter().find(|(key, _)| *key == name).map(|(_, field)| field)
}

fn text(field: &Field) -> String {
    match field {
        Field::Null => String::new(),
        Field::Str(text) => text.clone(),
        // Some writers do not say that their bytes are text.
        Field::Bytes(bytes) => match std::str::from_utf8(bytes.data()) {
            Ok(text) if !text.contains(char::is_control) => text.to_owned(),
            _ => bytes.data().iter().map(|byte| format!("{byte:02x}")).collect(),
        },
        Field::Float(value) => value.to_string(),
        Field::Double(value) => value.to_string(),
        Field::Date(days) => {
            let there = EPOCH.date().checked_add(jiff::SignedDuration::from_hours(i64::from(*days) * 24));
            there.map_or_else(|_| days.to_string(), |date| date.to_string())
        }
        Field::Decimal(value) => decimal(value),
        other => other.to_string(),
    }
}

/// A decimal number: the bytes of a whole number, and where its point is.
fn decimal(value: &Decimal) -> String {
    let bytes = value.data();
    let (Ok(scale), 1..=16) = (usize::try_from(value.scale()), bytes.len()) else { return String::new() };
    let start = if bytes[0] & 0x80 == 0 { 0_i128 } else { -1 };
    let whole = bytes.iter().fold(start, |sum, &byte| (sum << 8) | i128::from(byte));
    let digits = format!("{:0>width$}", whole.unsigned_abs(), width = scale.min(64) + 1);
    let (units, rest) = digits.split_at(digits.len() - scale.min(64));
    let sign = if whole < 0 { "-" } else { "" };
    if rest.is_empty() { format!("{sign}{units}") } else { format!("{sign}{units}.{rest}") }
}

impl Geometry {
    /// The shape of a row; `None` if it is not one.
    fn shape(&self, field: &Field) -> Option<Shape> {
        match field {
            Field::Null => Some(Shape::Other("none")),
            Field::Bytes(bytes) if self.binary => Some(shape::from_bytes(bytes.data())?.shape),
            Field::Group(row) if !self.binary => {
                let number = |name: &str| match member(row, name) {
                    Some(Field::Double(value)) => Some(*value),
                    _ => None,
                };
                match (number("x")?, number("y")?) {
                    (x, y) if x.is_nan() && y.is_nan() => Some(Shape::Other(EMPTY)),
                    (x, y) => Some(Shape::Point(x, y)),
                }
            }
            _ => None,
        }
    }

    fn place(&self, field: &Field) -> Place {
        match self.shape(field) {
            Some(Shape::Point(x, y)) => Place::Point(x, y),
            Some(Shape::Polygons(_)) => Place::NotPoint("polygon"),
            Some(Shape::Other(name)) => Place::NotPoint(name),
            None => Place::NotPoint("no geometry"),
        }
    }
}

impl Records for Parquet {
    fn columns(&self) -> &[String] {
        &self.columns
    }

    fn has_geometry(&self) -> bool {
        self.geometry.is_some()
    }

    fn crs(&self) -> StatedCrs {
        self.crs.clone()
    }

    fn visit(&self, wanted: &[usize], each: &mut dyn FnMut(&Record<'_>) -> bool) -> Result<(), IngestError> {
        let mut roots: Vec<usize> = wanted.iter().map(|&at| self.leaves[at].root).collect();
        roots.extend(self.geometry.iter().map(|geometry| geometry.root));
        roots.sort_unstable();
        roots.dedup();
        let position = |root: usize| roots.iter().position(|&other| other == root).unwrap_or_default();
        let leaves: Vec<(&Leaf, usize)> =
            wanted.iter().map(|&at| (&self.leaves[at], position(self.leaves[at].root))).collect();
        let geometry = self.geometry.as_ref().map(|geometry| (geometry, position(geometry.root)));
        self.rows(&roots, &mut |line, row| {
            let field = |&(leaf, at): &(&Leaf, usize)| {
                Cow::Owned(row.get(at).map_or_else(String::new, |field| leaf.text(field)))
            };
            let fields = leaves.iter().map(field).collect();
            let place = match geometry {
                Some((geometry, at)) => {
                    row.get(at).map_or(Place::NotPoint("none"), |field| geometry.place(field))
                }
                None => Place::InColumns,
            };
            each(&Record { line, fields, place, broken: None })
        })
    }

    fn notes(&self) -> Vec<Note> {
        Vec::new()
    }
}
