//! GeoJSON by RFC 7946: longitude and latitude on WGS 84, no `crs` member, at most seven decimals.
//!
//! Whatever describes the layer stands at the top as foreign members (`title`, `units`, `notes`, `provenance` …), so
//! a file that is mailed around still says what it is. One feature per line, for `grep` and `diff`.

use std::io::{self, Write};
use std::path::Path;

use brasa_model::{ColumnKind, Feature, Layer, Note, Provenance, Value};
use geo::{Coord, Geometry, LineString, Polygon};
use rayon::prelude::*;
use serde::Serialize;
use serde_json::Map;

use crate::lonlat;
use crate::{ExportError, sink};

/// Features put into text at once by one thread, and by all threads before the text is written.
const PER_THREAD: usize = 256;
const PER_BATCH: usize = 16_384;

/// Writes a layer as one feature collection.
pub(crate) fn write(layer: &Layer, path: &Path) -> Result<(), ExportError> {
    let geometries = lonlat::geometries(layer)?;
    let header = Header::new(layer, &geometries);
    sink::write(path, |out| {
        let mut head = serde_json::to_vec(&header)?;
        head.pop();
        head.extend_from_slice(b",\"features\":[\n");
        out.write_all(&head)?;
        write_features(layer, &geometries, ",", out)?;
        out.write_all(b"]}\n")
    })
}

/// Writes a layer as one feature per line and nothing else.
pub(crate) fn write_lines(layer: &Layer, path: &Path) -> Result<(), ExportError> {
    let geometries = lonlat::geometries(layer)?;
    sink::write(path, |out| write_features(layer, &geometries, "", out))
}

/// What stands before the features; in formats with room for one text, what describes the layer.
#[derive(Serialize)]
pub(crate) struct Header<'a> {
    r#type: &'static str,
    name: &'a str,
    title: &'a str,
    description: &'a str,
    generator: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    bbox: Option<[f64; 4]>,
    /// A half-open interval of local time, ISO 8601.
    #[serde(skip_serializing_if = "Option::is_none")]
    period: Option<String>,
    /// Column → title for people.
    titles: Map<String, serde_json::Value>,
    /// Column → unit, where it has one.
    units: Map<String, serde_json::Value>,
    notes: &'a [Note],
    provenance: &'a Provenance,
}

impl<'a> Header<'a> {
    pub(crate) fn new(layer: &'a Layer, geometries: &[Option<Geometry<i32>>]) -> Self {
        let columns = || layer.columns.iter();
        let provenance = &layer.provenance;
        Self {
            r#type: "FeatureCollection",
            name: &layer.name,
            title: &layer.title,
            description: &layer.description,
            generator: format!("{} {}", provenance.tool, provenance.version),
            bbox: lonlat::bounds(geometries),
            period: layer.period.map(|period| format!("{}/{}", period.start, period.end)),
            titles: columns().map(|column| (column.name.to_owned(), column.title.into())).collect(),
            units: columns()
                .filter(|column| !column.unit.is_empty())
                .map(|column| (column.name.to_owned(), column.unit.clone().into()))
                .collect(),
            notes: &layer.notes,
            provenance,
        }
    }
}

/// One line per feature; all but the last end in `separator`.
fn write_features(
    layer: &Layer,
    geometries: &[Option<Geometry<i32>>],
    separator: &str,
    out: &mut impl Write,
) -> io::Result<()> {
    let keys = keys(layer);
    let last = layer.features.len().saturating_sub(1);
    for (batch, features) in layer.features.chunks(PER_BATCH).enumerate() {
        let texts: Vec<Vec<u8>> = features
            .par_chunks(PER_THREAD)
            .enumerate()
            .map(|(chunk, features)| {
                let first = batch * PER_BATCH + chunk * PER_THREAD;
                let mut text = Vec::with_capacity(features.len() * 256);
                for (at, feature) in (first..).zip(features) {
                    push_feature(&mut text, layer, &keys, feature, geometries[at].as_ref());
                    if at < last {
                        text.extend_from_slice(separator.as_bytes());
                    }
                    text.push(b'\n');
                }
                text
            })
            .collect();
        for text in texts {
            out.write_all(&text)?;
        }
    }
    Ok(())
}

/// `"name":` per column, as it stands in every feature.
fn keys(layer: &Layer) -> Vec<Vec<u8>> {
    let key = |name: &str| {
        let mut key = Vec::new();
        push_json(&mut key, name);
        key.push(b':');
        key
    };
    layer.columns.iter().map(|column| key(column.name)).collect()
}

fn push_feature(
    text: &mut Vec<u8>,
    layer: &Layer,
    keys: &[Vec<u8>],
    feature: &Feature,
    geometry: Option<&Geometry<i32>>,
) {
    text.extend_from_slice(b"{\"type\":\"Feature\",\"id\":");
    push_json(text, &feature.id);
    text.extend_from_slice(b",\"properties\":{");
    for (at, ((value, column), key)) in feature.values.iter().zip(&layer.columns).zip(keys).enumerate() {
        if at > 0 {
            text.push(b',');
        }
        text.extend_from_slice(key);
        match value {
            Value::Null => text.extend_from_slice(b"null"),
            Value::Integer(value) if column.kind == ColumnKind::Real => push_json(text, &(*value as f64)),
            Value::Integer(value) => push_json(text, value),
            Value::Real(value) => push_json(text, value),
            Value::Text(value) => push_json(text, value),
            Value::Time(value) => push_json(text, &value.to_string()),
        }
    }
    text.extend_from_slice(b"},\"geometry\":");
    match geometry {
        None => text.extend_from_slice(b"null"),
        Some(geometry) => push_geometry(text, geometry),
    }
    text.push(b'}');
}

/// A number, a text or null; a number that is not finite is null.
fn push_json<T: Serialize + ?Sized>(text: &mut Vec<u8>, value: &T) {
    let written = serde_json::to_writer(text, value);
    debug_assert!(written.is_ok(), "numbers and texts always go into memory");
}

fn push_geometry(text: &mut Vec<u8>, geometry: &Geometry<i32>) {
    let mut member = |kind: &str, content: &str| {
        text.extend_from_slice(b"{\"type\":\"");
        text.extend_from_slice(kind.as_bytes());
        text.extend_from_slice(b"\",\"");
        text.extend_from_slice(content.as_bytes());
        text.extend_from_slice(b"\":");
    };
    match geometry {
        Geometry::Point(point) => {
            member("Point", "coordinates");
            push_position(text, point.0);
        }
        Geometry::MultiPoint(points) => {
            member("MultiPoint", "coordinates");
            push_list(text, &points.0, |text, point| push_position(text, point.0));
        }
        Geometry::LineString(line) => {
            member("LineString", "coordinates");
            push_path(text, line);
        }
        Geometry::MultiLineString(lines) => {
            member("MultiLineString", "coordinates");
            push_list(text, &lines.0, push_path);
        }
        Geometry::Polygon(polygon) => {
            member("Polygon", "coordinates");
            push_rings(text, polygon);
        }
        Geometry::MultiPolygon(polygons) => {
            member("MultiPolygon", "coordinates");
            push_list(text, &polygons.0, push_rings);
        }
        Geometry::GeometryCollection(collection) => {
            member("GeometryCollection", "geometries");
            push_list(text, &collection.0, push_geometry);
        }
        // `lonlat` makes none of these.
        Geometry::Line(line) => push_geometry(text, &LineString::new(vec![line.start, line.end]).into()),
        Geometry::Rect(rect) => push_geometry(text, &rect.to_polygon().into()),
        Geometry::Triangle(triangle) => push_geometry(text, &triangle.to_polygon().into()),
    }
    text.push(b'}');
}

fn push_list<T>(text: &mut Vec<u8>, items: &[T], mut push: impl FnMut(&mut Vec<u8>, &T)) {
    text.push(b'[');
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            text.push(b',');
        }
        push(text, item);
    }
    text.push(b']');
}

fn push_rings(text: &mut Vec<u8>, polygon: &Polygon<i32>) {
    text.push(b'[');
    push_path(text, polygon.exterior());
    for hole in polygon.interiors() {
        text.push(b',');
        push_path(text, hole);
    }
    text.push(b']');
}

fn push_path(text: &mut Vec<u8>, line: &LineString<i32>) {
    push_list(text, &line.0, |text, &position| push_position(text, position));
}

fn push_position(text: &mut Vec<u8>, position: Coord<i32>) {
    text.push(b'[');
    push_degrees(text, position.x);
    text.push(b',');
    push_degrees(text, position.y);
    text.push(b']');
}

/// Units of 1e-7 degrees as degrees, without trailing zeros.
pub(crate) fn push_degrees(text: &mut Vec<u8>, units: i32) {
    let (whole, rest) = (units.unsigned_abs() / 10_000_000, units.unsigned_abs() % 10_000_000);
    let mut digits = *b"-000.0000000";
    let mut put = |at: usize, number: u32| digits[at..at + 2].copy_from_slice(&PAIRS[number as usize % 100]);
    put(2, whole % 100);
    put(5, rest / 100_000);
    put(7, rest / 1000 % 100);
    put(9, rest / 10 % 100);
    digits[1] += (whole / 100) as u8;
    digits[11] += (rest % 10) as u8;
    let mut start = match whole {
        0..10 => 3,
        10..100 => 2,
        _ => 1,
    };
    if units < 0 {
        start -= 1;
        digits[start] = b'-';
    }
    let mut end = if rest == 0 { 4 } else { digits.len() };
    while rest > 0 && digits[end - 1] == b'0' {
        end -= 1;
    }
    text.extend_from_slice(&digits[start..end]);
}

/// `00` to `99`.
const PAIRS: [[u8; 2]; 100] = {
    let mut pairs = [[b'0'; 2]; 100];
    let mut at = 0;
    while at < 100 {
        pairs[at] = [b'0' + (at / 10) as u8, b'0' + (at % 10) as u8];
        at += 1;
    }
    pairs
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lonlat::PER_DEGREE;

    fn degrees(units: i32) -> String {
        let mut text = Vec::new();
        push_degrees(&mut text, units);
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn degrees_are_written_without_trailing_zeros() {
        for (units, text) in [
            (0, "0"),
            (1, "0.0000001"),
            (-1, "-0.0000001"),
            (-899_420_000, "-89.942"),
            (1_800_000_000, "180"),
            (-1_800_000_000, "-180"),
            (-1_799_999_999, "-179.9999999"),
            (351_490_100, "35.14901"),
        ] {
            assert_eq!(degrees(units), text);
        }
    }

    #[test]
    fn degrees_read_back_as_the_nearest_number() {
        for units in (-1_800_000_000..=1_800_000_000).step_by(7_654_321) {
            assert_eq!(degrees(units).parse::<f64>().unwrap(), f64::from(units) / PER_DEGREE);
        }
    }
}
