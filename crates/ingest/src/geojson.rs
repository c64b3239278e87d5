//! GeoJSON: one FeatureCollection, one Feature, or one feature per line.
//!
//! Each feature is read by itself, so that a broken one is one broken row and not the end of the file.

use std::borrow::Cow;
use std::collections::HashMap;
use std::rc::Rc;

use brasa_model::Note;
use geo::{Coord, LineString, MultiPolygon, Polygon};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::IngestError;
use crate::cutter::Piece;
use crate::records::{Place, Record, Records, StatedCrs};
use crate::shape::Shape;

/// A GeoJSON file, cut into features.
pub(crate) struct GeoJson {
    bytes: Rc<[u8]>,
    features: Vec<Piece>,
    columns: Vec<String>,
    geometry: bool,
    crs: StatedCrs,
    notes: Vec<Note>,
}

#[derive(Deserialize)]
struct Feature {
    #[serde(default)]
    geometry: Option<Geometry>,
    #[serde(default)]
    properties: Option<Map<String, Value>>,
}

#[derive(Deserialize)]
struct Geometry {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    coordinates: Value,
    #[serde(default)]
    geometries: Vec<Self>,
}

impl GeoJson {
    /// Collects the names of the features' properties.
    pub fn new(
        name: &str,
        bytes: Rc<[u8]>,
        features: Vec<Piece>,
        crs: Option<Value>,
    ) -> Result<Self, IngestError> {
        let (crs, notes) = stated_crs(crs);
        let mut file = Self { bytes, features, columns: Vec::new(), geometry: false, crs, notes };
        let mut seen = HashMap::new();
        for piece in &file.features {
            let Ok(feature) = file.feature(piece) else { continue };
            file.geometry |= feature.geometry.is_some();
            for name in feature.properties.unwrap_or_default().keys() {
                if !seen.contains_key(name) {
                    seen.insert(name.clone(), seen.len());
                }
            }
        }
        let mut columns: Vec<(String, usize)> = seen.into_iter().collect();
        columns.sort_by_key(|(_, at)| *at);
        file.columns = columns.into_iter().map(|(name, _)| name).collect();
        if file.features.is_empty() {
            return Err(IngestError::NoRows { name: name.to_owned() });
        }
        Ok(file)
    }

    fn feature(&self, piece: &Piece) -> Result<Feature, serde_json::Error> {
        serde_json::from_slice(&self.bytes[piece.start..piece.end])
    }

    /// The polygons of each feature, in the file's own coordinates.
    pub fn polygons(&self) -> Result<Vec<MultiPolygon<f64>>, String> {
        let mut features = Vec::with_capacity(self.features.len());
        for piece in &self.features {
            let mut polygons = Vec::new();
            let text = &self.bytes[piece.start..piece.end];
            let at = |why: &dyn std::fmt::Display| format!("feature {}: {why}", piece.line);
            let feature: Feature = serde_json::from_slice(text).map_err(|error| at(&error))?;
            if let Some(geometry) = feature.geometry {
                geometry.polygons(&mut polygons).ok_or_else(|| at(&"a polygon without coordinates"))?;
            }
            features.push(MultiPolygon::new(polygons));
        }
        Ok(features)
    }
}

impl Records for GeoJson {
    fn columns(&self) -> &[String] {
        &self.columns
    }

    fn has_geometry(&self) -> bool {
        self.geometry
    }

    fn crs(&self) -> StatedCrs {
        self.crs.clone()
    }

    fn visit(&self, wanted: &[usize], each: &mut dyn FnMut(&Record<'_>) -> bool) -> Result<(), IngestError> {
        for piece in &self.features {
            let record = match self.feature(piece) {
                Ok(feature) => {
                    let mut properties = feature.properties.unwrap_or_default();
                    let fields = wanted
                        .iter()
                        .map(|&at| {
                            Cow::Owned(properties.get_mut(&self.columns[at]).map_or_else(String::new, text))
                        })
                        .collect();
                    let place =
                        if self.geometry { place(feature.geometry.as_ref()) } else { Place::InColumns };
                    Record { line: piece.line, fields, place, broken: None }
                }
                Err(error) => Record {
                    line: piece.line,
                    fields: Vec::new(),
                    place: Place::InColumns,
                    broken: Some(error.to_string()),
                },
            };
            if !each(&record) {
                break;
            }
        }
        Ok(())
    }

    fn notes(&self) -> Vec<Note> {
        self.notes.clone()
    }
}

fn text(value: &mut Value) -> String {
    match value.take() {
        Value::Null => String::new(),
        Value::String(text) => text,
        other => other.to_string(),
    }
}

impl Geometry {
    /// Adds the polygons in it; `None` if one of them is none.
    fn polygons(&self, into: &mut Vec<Polygon<f64>>) -> Option<()> {
        match self.kind.as_str() {
            "Polygon" => into.extend(polygon(&self.coordinates)?),
            "MultiPolygon" => {
                for part in self.coordinates.as_array()? {
                    into.extend(polygon(part)?);
                }
            }
            "GeometryCollection" => {
                for part in &self.geometries {
                    part.polygons(into)?;
                }
            }
            _ => {}
        }
        Some(())
    }
}

/// `Some(None)` for an empty one.
fn polygon(rings: &Value) -> Option<Option<Polygon<f64>>> {
    let position = |at: &Value| Some(Coord { x: at.get(0)?.as_f64()?, y: at.get(1)?.as_f64()? });
    let ring = |ring: &Value| ring.as_array()?.iter().map(position).collect::<Option<LineString<f64>>>();
    let mut rings = rings.as_array()?.iter().map(ring);
    let Some(exterior) = rings.next() else { return Some(None) };
    Some(Some(Polygon::new(exterior?, rings.collect::<Option<_>>()?)))
}

/// A geometry that stands by itself in a text.
pub(crate) fn shape(text: &str) -> Option<Shape> {
    let text = text.trim();
    if !text.starts_with('{') {
        return None;
    }
    let geometry: Geometry = serde_json::from_str(text).ok()?;
    if geometry.coordinates.is_null() {
        return None;
    }
    match place(Some(&geometry)) {
        Place::Point(x, y) => Some(Shape::Point(x, y)),
        Place::NotPoint("polygon") => {
            let mut polygons = Vec::new();
            geometry.polygons(&mut polygons)?;
            Some(Shape::Polygons(MultiPolygon::new(polygons)))
        }
        Place::NotPoint(what) => Some(Shape::Other(what)),
        _ => None,
    }
}

fn place(geometry: Option<&Geometry>) -> Place {
    let Some(geometry) = geometry else { return Place::NotPoint("none") };
    let position = match geometry.kind.as_str() {
        "Point" => Some(&geometry.coordinates),
        "MultiPoint" => {
            geometry.coordinates.as_array().filter(|points| points.len() == 1).map(|points| &points[0])
        }
        "LineString" | "MultiLineString" => return Place::NotPoint("line"),
        "Polygon" | "MultiPolygon" => return Place::NotPoint("polygon"),
        _ => return Place::NotPoint("another geometry"),
    };
    let number = |at: usize| position?.get(at)?.as_f64();
    match (number(0), number(1)) {
        (Some(x), Some(y)) => Place::Point(x, y),
        _ => Place::NotPoint("a point without coordinates"),
    }
}

/// RFC 7946 knows WGS 84 only; older files name another system in a `crs` member, and it is honoured.
fn stated_crs(member: Option<Value>) -> (StatedCrs, Vec<Note>) {
    let Some(member) = member.filter(|member| !member.is_null()) else {
        return (StatedCrs::ByFormat, Vec::new());
    };
    let Some(name) = member.pointer("/properties/name").and_then(Value::as_str) else {
        return (StatedCrs::Other(member.to_string()), Vec::new());
    };
    match brasa_model::SourceCrs::parse(name) {
        Ok(crs) if crs.epsg() == 4326 => (StatedCrs::ByFormat, Vec::new()),
        Ok(crs) => {
            let note = Note::new("crs_member", format!("the file's \"crs\" member is honoured: {crs}"))
                .value(crs.code(), "")
                .reason("GeoJSON should be longitude and latitude on WGS 84 (RFC 7946), but this file says otherwise");
            (StatedCrs::Epsg(crs.epsg()), vec![note])
        }
        Err(_) => (StatedCrs::Other(name.to_owned()), Vec::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_geometry_may_stand_by_itself() {
        assert_eq!(
            shape(r#" {"type":"Point","coordinates":[-74.1,4.6,2600]}"#),
            Some(Shape::Point(-74.1, 4.6))
        );
        assert_eq!(shape(r#"{"type":"LineString","coordinates":[[1,2],[3,4]]}"#), Some(Shape::Other("line")));
        let square = shape(r#"{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,0]]]}"#);
        assert!(matches!(square, Some(Shape::Polygons(found)) if found.0.len() == 1));
        for text in [
            "",
            "[1,2]",
            "{}",
            r#"{"type":"Polygon","coordinates":[[[0]]]}"#,
            r#"{"type":"Polygon","coordinates":7}"#,
        ] {
            assert_eq!(shape(text), None, "{text}");
        }
    }
}
