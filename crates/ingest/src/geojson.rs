//! GeoJSON: one FeatureCollection, one Feature, or one feature per line.
//!
//! The text is first cut into features without being interpreted, so that one broken feature is one broken row
//! and not the end of the file; each piece is then read by itself.

use std::borrow::Cow;
use std::collections::HashMap;
use std::rc::Rc;

use brasa_model::Note;
use geo::{MultiPolygon, Polygon};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::IngestError;
use crate::open::Source;
use crate::records::{Place, Record, Records, StatedCrs};

/// A GeoJSON file, cut into features.
pub(crate) struct GeoJson {
    bytes: Rc<[u8]>,
    features: Vec<Piece>,
    columns: Vec<String>,
    geometry: bool,
    crs: StatedCrs,
    notes: Vec<Note>,
}

/// Where one feature stands.
struct Piece {
    start: usize,
    end: usize,
    /// Its line in a file of one feature per line, else its number.
    line: u64,
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
}

impl GeoJson {
    /// Cuts the file into features and collects the names of their properties.
    pub fn open(source: &Source) -> Result<Self, IngestError> {
        let bytes = source.bytes()?;
        let unreadable = |why: String| IngestError::FormatUnreadable {
            name: source.name().to_owned(),
            format: "GeoJSON",
            why,
        };
        let Cut { features, crs } = cut(&bytes).map_err(&unreadable)?;
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
            return Err(IngestError::NoRows { name: source.name().to_owned() });
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
            let feature: geojson::Feature =
                serde_json::from_slice(text).map_err(|error| format!("feature {}: {error}", piece.line))?;
            if let Some(geometry) = feature.geometry {
                let geometry = geo::Geometry::<f64>::try_from(geometry)
                    .map_err(|error| format!("feature {}: {error}", piece.line))?;
                collect_polygons(geometry, &mut polygons);
            }
            features.push(MultiPolygon::new(polygons));
        }
        Ok(features)
    }
}

/// Takes the polygons out of any geometry.
pub(crate) fn collect_polygons(geometry: geo::Geometry<f64>, into: &mut Vec<Polygon<f64>>) {
    match geometry {
        geo::Geometry::Polygon(polygon) => into.push(polygon),
        geo::Geometry::MultiPolygon(polygons) => into.extend(polygons),
        geo::Geometry::GeometryCollection(parts) => {
            for part in parts {
                collect_polygons(part, into);
            }
        }
        _ => {}
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

struct Cut {
    features: Vec<Piece>,
    crs: Option<Value>,
}

/// Finds the features of a file without reading them.
fn cut(bytes: &[u8]) -> Result<Cut, String> {
    let mut cutter = Cutter { bytes, at: 0 };
    if bytes.starts_with(b"\xef\xbb\xbf") {
        cutter.at = 3;
    }
    cutter.space();
    let start = cutter.at;
    if cutter.peek() == Some(b'[') {
        return Err("it is a list, not a FeatureCollection".to_owned());
    }
    if cutter.peek() != Some(b'{') {
        return Err(format!("line {}: expected an object", cutter.line()));
    }
    let (mut features, mut crs, mut kind) = (None, None, None);
    cutter.members(|cutter, key| {
        if key == b"features" && cutter.peek() == Some(b'[') {
            let mut pieces = Vec::new();
            cutter.elements(|start, end| pieces.push(Piece { start, end, line: pieces.len() as u64 + 1 }))?;
            features = Some(pieces);
            return Ok(());
        }
        let start = cutter.at;
        cutter.value()?;
        match key {
            b"crs" => crs = serde_json::from_slice(&bytes[start..cutter.at]).ok(),
            b"type" => kind = serde_json::from_slice::<String>(&bytes[start..cutter.at]).ok(),
            _ => {}
        }
        Ok(())
    })?;
    if let Some(features) = features {
        return Ok(Cut { features, crs });
    }
    if kind.as_deref() != Some("Feature") {
        let kind = kind.unwrap_or_else(|| "an object".to_owned());
        return Err(format!("it is {kind}, not a FeatureCollection or a Feature"));
    }
    // A single feature, or the first of one per line.
    let first = Piece { start, end: cutter.at, line: cutter.line() };
    let mut features = vec![first];
    let lines = bytes[cutter.at..].split_inclusive(|&byte| byte == b'\n');
    for (line, rest) in (cutter.line()..).zip(lines) {
        let start = rest.as_ptr() as usize - bytes.as_ptr() as usize;
        if !rest.iter().all(|&byte| is_space(byte)) {
            let lead = rest.iter().take_while(|&&byte| is_space(byte)).count();
            features.push(Piece { start: start + lead, end: start + rest.len(), line });
        }
    }
    Ok(Cut { features, crs })
}

/// White space, and the record separator of GeoJSON text sequences.
const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x1e)
}

/// Walks over JSON by its brackets and strings alone.
struct Cutter<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Cutter<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn line(&self) -> u64 {
        self.bytes[..self.at].iter().filter(|&&byte| byte == b'\n').count() as u64 + 1
    }

    fn space(&mut self) {
        while self.peek().is_some_and(is_space) {
            self.at += 1;
        }
    }

    fn expect(&mut self, byte: u8) -> Result<(), String> {
        self.space();
        match self.peek() {
            Some(found) if found == byte => {
                self.at += 1;
                Ok(())
            }
            Some(found) => Err(format!(
                "line {}: expected \"{}\", found \"{}\"",
                self.line(),
                char::from(byte),
                char::from(found)
            )),
            None => Err(format!("the file ends at line {} in the middle of an object", self.line())),
        }
    }

    fn string(&mut self) -> Result<(), String> {
        self.expect(b'"')?;
        while let Some(byte) = self.peek() {
            self.at += 1;
            match byte {
                b'"' => return Ok(()),
                b'\\' => self.at += 1,
                _ => {}
            }
        }
        self.at = self.bytes.len();
        Err(format!("the file ends at line {} in the middle of a text", self.line()))
    }

    /// Steps over one value of any kind, without recursion.
    fn value(&mut self) -> Result<(), String> {
        self.space();
        let mut depth = 0_usize;
        loop {
            match self.peek() {
                Some(b'"') => self.string()?,
                Some(b'{' | b'[') => {
                    depth += 1;
                    self.at += 1;
                }
                Some(b'}' | b']') if depth > 0 => {
                    depth -= 1;
                    self.at += 1;
                }
                Some(b',' | b'}' | b']') if depth == 0 => return Ok(()),
                Some(_) => self.at += 1,
                None if depth == 0 => return Ok(()),
                None => {
                    return Err(format!("the file ends at line {} with {depth} brackets open", self.line()));
                }
            }
            // A closed bracket or a text ends a value; a number or a word ends before the next comma or bracket.
            let ended = matches!(self.bytes.get(self.at.wrapping_sub(1)), Some(b'}' | b']' | b'"'));
            if depth == 0 && ended {
                return Ok(());
            }
        }
    }

    /// Hands each member of the object here to `each`, which must step over its value.
    fn members(
        &mut self,
        mut each: impl FnMut(&mut Self, &[u8]) -> Result<(), String>,
    ) -> Result<(), String> {
        self.expect(b'{')?;
        self.space();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.space();
            let start = self.at + 1;
            self.string()?;
            let key = &self.bytes[start..self.at - 1];
            self.expect(b':')?;
            self.space();
            each(self, key)?;
            self.space();
            if self.peek() == Some(b',') {
                self.at += 1;
            } else {
                return self.expect(b'}');
            }
        }
    }

    /// Hands the extent of each element of the list here to `each`.
    fn elements(&mut self, mut each: impl FnMut(usize, usize)) -> Result<(), String> {
        self.expect(b'[')?;
        self.space();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.space();
            let start = self.at;
            self.value()?;
            each(start, self.at);
            self.space();
            if self.peek() == Some(b',') {
                self.at += 1;
            } else {
                return self.expect(b']');
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_collection_is_cut_into_its_features() {
        let text = br#"{"type":"FeatureCollection","crs":{"properties":{"name":"EPSG:32618"}},"features":[{"a":"}],\""}, {"b":[1,{"c":2}]}],"x":1}"#;
        let found = cut(text).unwrap();
        let pieces: Vec<&str> = found
            .features
            .iter()
            .map(|piece| std::str::from_utf8(&text[piece.start..piece.end]).unwrap())
            .collect();
        assert_eq!(pieces, [r#"{"a":"}],\""}"#, r#"{"b":[1,{"c":2}]}"#]);
        assert_eq!(stated_crs(found.crs).0, StatedCrs::Epsg(32_618));
    }

    #[test]
    fn one_feature_per_line_keeps_the_line_numbers() {
        let text = b"\x1e{\"type\":\"Feature\"}\n\n\x1e{\"type\":\"Feature\", \"x\":1}\nbroken\n";
        let found = cut(text).unwrap();
        let lines: Vec<u64> = found.features.iter().map(|piece| piece.line).collect();
        assert_eq!(lines, [1, 3, 4]);
        assert_eq!(&text[found.features[2].start..found.features[2].end], b"broken\n");
    }

    #[test]
    fn a_file_that_is_cut_short_says_where() {
        let error = cut(b"{\"type\":\"FeatureCollection\",\n\"features\":[{\"a\":1},{\"b\":").err().unwrap();
        assert!(error.contains("line 2"), "{error}");
        assert!(cut(b"[1,2]").is_err() && cut(b"{\"type\":\"Topology\"}").is_err() && cut(b"").is_err());
    }

    proptest::proptest! {
        #[test]
        fn cutting_never_panics(bytes: Vec<u8>, json in r#"[{}\[\]",:a1\\ \n]*"#) {
            let _ = cut(&bytes);
            let _ = cut(format!("{{{json}").as_bytes());
            let _ = cut(format!("{{\"features\":[{json}").as_bytes());
        }
    }
}
