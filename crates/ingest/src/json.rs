//! JSON that is no GeoJSON: a list of objects, a list under a key, lists of values, or one object per line. Nested objects
//! become columns with dots in their names.

use std::borrow::Cow;
use std::collections::HashMap;
use std::rc::Rc;

use brasa_model::Note;
use serde_json::{Map, Value};

use crate::IngestError;
use crate::cutter::{Layout, Piece, Rows, cut};
use crate::geojson::GeoJson;
use crate::open::Source;
use crate::records::{MAX_COLUMNS, Place, Record, Records, StatedCrs};

/// A JSON file.
pub(crate) enum Json {
    Features(GeoJson),
    Objects(Objects),
}

/// Tells GeoJSON from other JSON, and opens it.
pub(crate) fn open(source: &Source) -> Result<Json, IngestError> {
    let bytes = source.bytes()?;
    let unreadable = |why: String| IngestError::FormatUnreadable {
        name: source.name().to_owned(),
        format: "JSON or GeoJSON",
        why,
    };
    match cut(&bytes).map_err(unreadable)? {
        Layout::Features { pieces, crs } => {
            Ok(Json::Features(GeoJson::new(source.name(), bytes, pieces, crs)?))
        }
        Layout::Rows(rows) => Ok(Json::Objects(Objects::new(source.name(), bytes, rows)?)),
    }
}

/// Rows of a JSON file.
pub(crate) struct Objects {
    bytes: Rc<[u8]>,
    pieces: Vec<Piece>,
    columns: Vec<String>,
    /// What the values of a list are called.
    names: Option<Vec<String>>,
    /// Whether rows are those of a service of Esri, with a geometry beside the attributes.
    esri: bool,
    crs: StatedCrs,
    notes: Vec<Note>,
}

impl Objects {
    fn new(name: &str, bytes: Rc<[u8]>, rows: Rows) -> Result<Self, IngestError> {
        let Rows { mut pieces, mut names, key, wkid } = rows;
        let first = pieces.first().and_then(|first| parse(&bytes, first).ok());
        let esri = first.as_ref().and_then(|first| first.get("attributes")).is_some_and(Value::is_object);
        // A list of lists begins with the names, if nobody else says them.
        if let (None, Some(header)) = (&names, first.as_ref().and_then(Value::as_array))
            && let Some(header) = header.iter().map(|name| name.as_str().map(str::to_owned)).collect()
        {
            names = Some(header);
            pieces.remove(0);
        }
        let notes = key.map(|key| {
            Note::new("rows_under_key", format!("the rows are the list under \"{key}\""))
                .value(key, "")
                .reason("it is the longest list of the file")
        });
        let crs = wkid.map_or(StatedCrs::Nothing, StatedCrs::Epsg);
        let notes = notes.into_iter().collect();
        let mut file = Self { bytes, pieces, columns: Vec::new(), names, esri, crs, notes };
        let mut seen = HashMap::new();
        for piece in &file.pieces {
            for (key, _) in file.row(piece).map(|(row, _)| row).unwrap_or_default() {
                if !seen.contains_key(&key) {
                    seen.insert(key, seen.len());
                }
            }
            if seen.len() > MAX_COLUMNS {
                return Err(IngestError::TooLarge {
                    name: name.to_owned(),
                    what: format!("more than {MAX_COLUMNS} different keys"),
                    limit: format!("{MAX_COLUMNS} columns"),
                });
            }
        }
        let mut columns: Vec<(String, usize)> = seen.into_iter().collect();
        columns.sort_by_key(|(_, at)| *at);
        file.columns = columns.into_iter().map(|(name, _)| name).collect();
        if file.pieces.is_empty() {
            return Err(IngestError::NoRows { name: name.to_owned() });
        }
        if file.columns.is_empty() {
            return Err(IngestError::FormatUnreadable {
                name: name.to_owned(),
                format: "JSON or GeoJSON",
                why: "it holds no object with a key".to_owned(),
            });
        }
        Ok(file)
    }

    /// The fields of a row by their names, and its place if the format has one.
    fn row(&self, piece: &Piece) -> Result<(Vec<(String, String)>, Place), String> {
        let mut fields = Vec::new();
        let mut place = Place::InColumns;
        match parse(&self.bytes, piece)? {
            Value::Object(mut object) if self.esri => {
                place = esri_place(object.get("geometry"));
                if let Some(Value::Object(attributes)) = object.remove("attributes") {
                    flatten(attributes, "", &mut fields);
                }
            }
            Value::Object(object) => flatten(object, "", &mut fields),
            Value::Array(values) => {
                if self.names.as_ref().is_some_and(|names| names.len() != values.len()) {
                    let wanted = self.names.as_ref().map_or(0, Vec::len);
                    return Err(format!("{} values where there are {wanted} names", values.len()));
                }
                for (at, value) in values.into_iter().enumerate() {
                    let name = self.names.as_ref().map(|names| names[at].clone());
                    fields.push((name.unwrap_or_else(|| format!("column{}", at + 1)), text(value)));
                }
            }
            _ => return Err("neither an object nor a list".to_owned()),
        }
        Ok((fields, place))
    }
}

fn parse(bytes: &[u8], piece: &Piece) -> Result<Value, String> {
    serde_json::from_slice(&bytes[piece.start..piece.end]).map_err(|error| error.to_string())
}

/// The members of an object, and those of the objects in it; a geometry stays whole.
fn flatten(object: Map<String, Value>, prefix: &str, into: &mut Vec<(String, String)>) {
    for (key, value) in object {
        let name = if prefix.is_empty() { key } else { format!("{prefix}.{key}") };
        match value {
            Value::Object(inner) if !(inner.contains_key("type") && inner.contains_key("coordinates")) => {
                flatten(inner, &name, into);
            }
            value => into.push((name, text(value))),
        }
    }
}

fn text(value: Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text,
        other => other.to_string(),
    }
}

fn esri_place(geometry: Option<&Value>) -> Place {
    let Some(geometry) = geometry.filter(|geometry| !geometry.is_null()) else {
        return Place::NotPoint("none");
    };
    let number = |key: &str| geometry.get(key).and_then(Value::as_f64);
    match (number("x"), number("y")) {
        (Some(x), Some(y)) => Place::Point(x, y),
        _ if geometry.get("rings").is_some() => Place::NotPoint("polygon"),
        _ if geometry.get("paths").is_some() => Place::NotPoint("line"),
        _ => Place::NotPoint("another geometry"),
    }
}

impl Records for Objects {
    fn columns(&self) -> &[String] {
        &self.columns
    }

    fn has_geometry(&self) -> bool {
        self.esri
    }

    fn crs(&self) -> StatedCrs {
        self.crs.clone()
    }

    fn visit(&self, wanted: &[usize], each: &mut dyn FnMut(&Record<'_>) -> bool) -> Result<(), IngestError> {
        for piece in &self.pieces {
            let record = match self.row(piece) {
                Ok((row, place)) => {
                    let mut row: HashMap<String, String> = row.into_iter().collect();
                    let mut field =
                        |&at: &usize| Cow::Owned(row.remove(&self.columns[at]).unwrap_or_default());
                    let fields = wanted.iter().map(&mut field).collect();
                    Record { line: piece.line, fields, place, broken: None }
                }
                Err(why) => Record {
                    line: piece.line,
                    fields: Vec::new(),
                    place: Place::InColumns,
                    broken: Some(why),
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
