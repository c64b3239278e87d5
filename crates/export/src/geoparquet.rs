//! GeoParquet 1.1: well-known binary in longitude and latitude (OGC:CRS84, the default of the standard), zstd, a box per
//! feature so that a reader can pass over what it does not need.
//!
//! Coordinates are those of GeoJSON, whole units of 1e-7 degrees. What describes the layer stands under the key `brasa`.

use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use brasa_model::{ColumnKind, Layer, Value};
use geo::{BoundingRect, Coord, Geometry, LineString, Polygon};
use parquet::basic::{Compression, LogicalType, Repetition, TimeUnit, Type as Physical, ZstdLevel};
use parquet::data_type::{ByteArray, ByteArrayType, DataType, DoubleType, Int64Type};
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::{ColumnPath, Type, TypePtr};
use serde_json::json;

use crate::geojson::Header;
use crate::lonlat::{self, PER_DEGREE};
use crate::{ExportError, sink};

/// The columns that are not the layer's.
const ID: &str = "fid";
const GEOMETRY: &str = "geom";
const BBOX: &str = "bbox";
const SIDES: [&str; 4] = ["xmin", "ymin", "xmax", "ymax"];

/// Features per row group: small enough that the boxes of row groups are worth something.
const ROWS: usize = 1 << 16;

/// Writes a layer.
pub(crate) fn write(layer: &Layer, path: &Path) -> std::result::Result<(), ExportError> {
    let geometries = lonlat::geometries(layer)?;
    sink::write(path, |out| {
        write_to(layer, &geometries, out).map_err(|error| match error {
            ParquetError::External(source) => match source.downcast::<io::Error>() {
                Ok(source) => *source,
                Err(source) => io::Error::other(source),
            },
            other => io::Error::other(other),
        })
    })
}

fn write_to(layer: &Layer, geometries: &[Option<Geometry<i32>>], out: impl Write + Send) -> Result<()> {
    let about = serde_json::to_string(&Header::new(layer, geometries)).unwrap_or_default();
    let properties = WriterProperties::builder()
        .set_created_by(format!("{} {}", layer.provenance.tool, layer.provenance.version))
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_column_dictionary_enabled(ColumnPath::from(GEOMETRY), false)
        .set_key_value_metadata(Some(vec![
            KeyValue::new("geo".to_owned(), geo_metadata(geometries).to_string()),
            KeyValue::new("brasa".to_owned(), about),
        ]))
        .build();
    let mut file = SerializedFileWriter::new(out, schema(layer)?, Arc::new(properties))?;
    for from in (0..layer.features.len()).step_by(ROWS) {
        let to = (from + ROWS).min(layer.features.len());
        let mut group = file.next_row_group()?;
        let features = &layer.features[from..to];
        let ids: Vec<i64> = features.iter().map(|feature| feature.id).collect();
        put::<Int64Type>(&mut group, &ids, None)?;
        for (at, column) in layer.columns.iter().enumerate() {
            let values = || features.iter().map(|feature| &feature.values[at]);
            match column.kind {
                ColumnKind::Integer => put_known::<Int64Type>(&mut group, values().map(integer))?,
                ColumnKind::Real => put_known::<DoubleType>(&mut group, values().map(real))?,
                ColumnKind::Text => put_known::<ByteArrayType>(&mut group, values().map(text))?,
                ColumnKind::Time => put_known::<Int64Type>(&mut group, values().map(microseconds))?,
            }
        }
        let geometries = &geometries[from..to];
        let boxes: Vec<_> = geometries
            .iter()
            .map(|geometry| geometry.as_ref().and_then(BoundingRect::bounding_rect))
            .collect();
        for side in [
            |rect: geo::Rect<i32>| rect.min().x,
            |rect: geo::Rect<i32>| rect.min().y,
            |rect: geo::Rect<i32>| rect.max().x,
            |rect: geo::Rect<i32>| rect.max().y,
        ] {
            put_known::<DoubleType>(&mut group, boxes.iter().map(|rect| rect.map(side).map(degrees)))?;
        }
        let binary = |geometry: &Option<Geometry<i32>>| {
            geometry.as_ref().map(|geometry| {
                let mut bytes = Vec::new();
                push_wkb(&mut bytes, geometry);
                ByteArray::from(bytes)
            })
        };
        put_known::<ByteArrayType>(&mut group, geometries.iter().map(binary))?;
        group.close()?;
    }
    file.close()?;
    Ok(())
}

fn integer(value: &Value) -> Option<i64> {
    if let Value::Integer(value) = value { Some(*value) } else { None }
}

fn real(value: &Value) -> Option<f64> {
    match value {
        Value::Integer(value) => Some(*value as f64),
        Value::Real(value) => Some(*value).filter(|value| value.is_finite()),
        _ => None,
    }
}

fn text(value: &Value) -> Option<ByteArray> {
    if let Value::Text(value) = value { Some(ByteArray::from(value.as_str())) } else { None }
}

fn microseconds(value: &Value) -> Option<i64> {
    if let Value::Time(value) = value { value.0.checked_mul(1_000_000) } else { None }
}

fn degrees(units: i32) -> f64 {
    f64::from(units) / PER_DEGREE
}

/// Writes the next column, in which `None` is not known.
fn put_known<T: DataType>(
    group: &mut SerializedRowGroupWriter<'_, impl Write + Send>,
    values: impl Iterator<Item = Option<T::T>>,
) -> Result<()> {
    let mut levels = Vec::new();
    let mut known = Vec::new();
    for value in values {
        levels.push(i16::from(value.is_some()));
        known.extend(value);
    }
    put::<T>(group, &known, Some(&levels))
}

fn put<T: DataType>(
    group: &mut SerializedRowGroupWriter<'_, impl Write + Send>,
    values: &[T::T],
    levels: Option<&[i16]>,
) -> Result<()> {
    let Some(mut column) = group.next_column()? else {
        return Err(ParquetError::General("more columns than the schema has".to_owned()));
    };
    column.typed::<T>().write_batch(values, levels, None)?;
    column.close()
}

/// `fid`, the columns of the layer, `bbox`, `geom`.
fn schema(layer: &Layer) -> Result<TypePtr> {
    let column = |name: &str, kind: Physical, logical: Option<LogicalType>, repetition: Repetition| {
        let column = Type::primitive_type_builder(name, kind).with_repetition(repetition);
        column.with_logical_type(logical).build().map(Arc::new)
    };
    let mut fields = vec![column(ID, Physical::INT64, None, Repetition::REQUIRED)?];
    for found in &layer.columns {
        let (kind, logical) = match found.kind {
            ColumnKind::Integer => (Physical::INT64, None),
            ColumnKind::Real => (Physical::DOUBLE, None),
            ColumnKind::Text => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
            // On the clocks of the place, which no zone adjusts.
            ColumnKind::Time => (Physical::INT64, Some(LogicalType::timestamp(false, TimeUnit::MICROS))),
        };
        fields.push(column(found.name, kind, logical, Repetition::OPTIONAL)?);
    }
    let sides = SIDES.map(|side| column(side, Physical::DOUBLE, None, Repetition::REQUIRED));
    let sides = sides.into_iter().collect::<Result<Vec<_>>>()?;
    let bbox = Type::group_type_builder(BBOX).with_repetition(Repetition::OPTIONAL).with_fields(sides);
    fields.push(Arc::new(bbox.build()?));
    fields.push(column(GEOMETRY, Physical::BYTE_ARRAY, None, Repetition::OPTIONAL)?);
    Ok(Arc::new(Type::group_type_builder("schema").with_fields(fields).build()?))
}

/// What the standard asks for under the key `geo`. Without a `crs` it is OGC:CRS84.
fn geo_metadata(geometries: &[Option<Geometry<i32>>]) -> serde_json::Value {
    let mut kinds: Vec<&str> = geometries.iter().flatten().map(kind).collect();
    kinds.sort_unstable();
    kinds.dedup();
    let mut column = json!({
        "encoding": "WKB",
        "geometry_types": kinds,
        "orientation": "counterclockwise",
        "covering": {"bbox": {}},
    });
    for side in SIDES {
        column["covering"]["bbox"][side] = json!([BBOX, side]);
    }
    if let Some(bounds) = lonlat::bounds(geometries) {
        column["bbox"] = json!(bounds);
    }
    json!({"version": "1.1.0", "primary_column": GEOMETRY, "columns": {GEOMETRY: column}})
}

const fn kind(geometry: &Geometry<i32>) -> &'static str {
    match geometry {
        Geometry::Point(_) => "Point",
        Geometry::Line(_) | Geometry::LineString(_) => "LineString",
        Geometry::Polygon(_) | Geometry::Rect(_) | Geometry::Triangle(_) => "Polygon",
        Geometry::MultiPoint(_) => "MultiPoint",
        Geometry::MultiLineString(_) => "MultiLineString",
        Geometry::MultiPolygon(_) => "MultiPolygon",
        Geometry::GeometryCollection(_) => "GeometryCollection",
    }
}

/// Little-endian well-known binary (ISO).
fn push_wkb(bytes: &mut Vec<u8>, geometry: &Geometry<i32>) {
    match geometry {
        Geometry::Point(point) => push_point(bytes, point.0),
        Geometry::LineString(line) => push_line(bytes, line),
        Geometry::Polygon(polygon) => push_polygon(bytes, polygon),
        Geometry::MultiPoint(points) => {
            push_head(bytes, 4, points.0.len());
            points.iter().for_each(|point| push_point(bytes, point.0));
        }
        Geometry::MultiLineString(lines) => {
            push_head(bytes, 5, lines.0.len());
            lines.iter().for_each(|line| push_line(bytes, line));
        }
        Geometry::MultiPolygon(polygons) => {
            push_head(bytes, 6, polygons.0.len());
            polygons.iter().for_each(|polygon| push_polygon(bytes, polygon));
        }
        Geometry::GeometryCollection(parts) => {
            push_head(bytes, 7, parts.len());
            parts.iter().for_each(|part| push_wkb(bytes, part));
        }
        // `lonlat` makes none of these.
        Geometry::Line(line) => push_line(bytes, &LineString(vec![line.start, line.end])),
        Geometry::Rect(rect) => push_polygon(bytes, &rect.to_polygon()),
        Geometry::Triangle(triangle) => push_polygon(bytes, &triangle.to_polygon()),
    }
}

fn push_kind(bytes: &mut Vec<u8>, kind: u32) {
    bytes.push(1);
    bytes.extend_from_slice(&kind.to_le_bytes());
}

fn push_count(bytes: &mut Vec<u8>, count: usize) {
    bytes.extend_from_slice(&(count as u32).to_le_bytes());
}

fn push_head(bytes: &mut Vec<u8>, kind: u32, count: usize) {
    push_kind(bytes, kind);
    push_count(bytes, count);
}

fn push_position(bytes: &mut Vec<u8>, at: Coord<i32>) {
    bytes.extend_from_slice(&degrees(at.x).to_le_bytes());
    bytes.extend_from_slice(&degrees(at.y).to_le_bytes());
}

fn push_path(bytes: &mut Vec<u8>, line: &LineString<i32>) {
    push_count(bytes, line.0.len());
    line.0.iter().for_each(|&at| push_position(bytes, at));
}

fn push_point(bytes: &mut Vec<u8>, at: Coord<i32>) {
    push_kind(bytes, 1);
    push_position(bytes, at);
}

fn push_line(bytes: &mut Vec<u8>, line: &LineString<i32>) {
    push_kind(bytes, 2);
    push_path(bytes, line);
}

fn push_polygon(bytes: &mut Vec<u8>, polygon: &Polygon<i32>) {
    push_head(bytes, 3, 1 + polygon.interiors().len());
    push_path(bytes, polygon.exterior());
    polygon.interiors().iter().for_each(|hole| push_path(bytes, hole));
}
