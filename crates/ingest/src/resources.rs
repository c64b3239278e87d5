//! Short tables that a planner writes: named places, such as depots, clinics and candidate sites, and how much each kind of incident
//! harms. A row that cannot be used is refused with its line: whoever has ten rows can mend one.

use std::path::Path;

use brasa_model::{Crs, InputRecord};
use geo::Coord;

use crate::columns::number;
use crate::names::{ranked, unfold};
use crate::open::{must_be_a_file, open};
use crate::records::Records;
use crate::{IngestError, InputOptions, read, records};

/// A place with a name.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedPlace {
    /// What its file calls it.
    pub name: String,
    /// Where, in the metres of the working system.
    pub at: Coord<f64>,
}

/// What columns of names are called.
const NAMES: [&str; 10] =
    ["name", "nombre", "nome", "id", "site", "sitio", "depot", "estacion", "station", "codigo"];
const KINDS: [&str; 6] = ["kind", "tipo", "delito", "crime", "offense", "crimen"];
const HARMS: [&str; 7] = ["harm", "weight", "dano", "peso", "severity", "gravedad", "days"];

/// Reads named places: points of any format that incidents come in. They keep the order of the file.
pub fn read_places(
    path: &Path,
    role: &str,
    crs: &Crs,
) -> Result<(Vec<NamedPlace>, InputRecord), IngestError> {
    must_be_a_file(path)?;
    let found = read(&[path], &InputOptions { include_officer_initiated: true, ..InputOptions::default() })?;
    let file = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    if let Some(reject) = found.rejects.first() {
        let why = format!(
            "line {}: {} \"{}\": {}",
            reject.line,
            reject.column,
            reject.value,
            reject.reason.meaning()
        );
        return Err(IngestError::FormatUnreadable { name: file, format: "places", why });
    }
    let table = table(path)?;
    let names: Vec<(u64, String)> = match column(&*table, &NAMES) {
        None => Vec::new(),
        Some(column) => {
            let mut names = Vec::new();
            table.visit(&[column], &mut |record| {
                names.push((record.line, record.fields[0].trim().to_owned()));
                true
            })?;
            names
        }
    };
    let own = &found.incidents.crs;
    let (to_lonlat, from_lonlat) = (own.to_lonlat(), crs.from_lonlat());
    let (Ok(to_lonlat), Ok(from_lonlat)) = (to_lonlat, from_lonlat) else {
        return Err(IngestError::CrsUnsupported { name: file, crs: crs.code() });
    };
    let mut places = Vec::with_capacity(found.incidents.len());
    for (at, row) in found.incidents.row.iter().enumerate() {
        let (x, y) = (found.incidents.x[at], found.incidents.y[at]);
        let there = if own == crs {
            Some((x, y))
        } else {
            to_lonlat.convert(x, y).and_then(|(lon, lat)| from_lonlat.convert(lon, lat))
        };
        let Some(there) = there else {
            let why = format!("line {row}: it lies where {} does not reach", crs.code());
            return Err(IngestError::FormatUnreadable { name: file, format: "places", why });
        };
        let name = names.iter().find(|(line, _)| line == row).map(|(_, name)| name.clone());
        let name = name.filter(|name| !name.is_empty()).unwrap_or_else(|| format!("{}", at + 1));
        places.push(NamedPlace { name, at: there.into() });
    }
    let mut record = found.inputs.into_iter().next().ok_or(IngestError::NoRows { name: file })?;
    role.clone_into(&mut record.role);
    record.rows = None;
    record.kinds = None;
    record.sources = None;
    record.rejected_by_reason = None;
    record.crs_out = Some(crs.code());
    Ok((places, record))
}

/// How much an incident of each kind harms.
#[derive(Debug, Clone, PartialEq)]
pub struct HarmTable {
    /// Kinds without case, accents and separators, as exports spell one kind in several ways.
    harms: Vec<(String, f64)>,
    /// That of kinds which are not in the table.
    others: Option<f64>,
}

impl HarmTable {
    /// How many kinds it names.
    pub const fn len(&self) -> usize {
        self.harms.len()
    }

    /// Whether it names none.
    pub const fn is_empty(&self) -> bool {
        self.harms.is_empty()
    }

    /// How much an incident of a kind harms, if the table says so.
    pub fn of(&self, kind: &str) -> Option<f64> {
        let key = unfold(kind);
        self.harms.iter().find(|(known, _)| *known == key).map(|(_, harm)| *harm).or(self.others)
    }
}

/// Reads how much each kind harms: a table of kinds and numbers of 0 or more. The kind `*` stands for all that are not in it.
pub fn read_harm(path: &Path) -> Result<(HarmTable, InputRecord), IngestError> {
    must_be_a_file(path)?;
    let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let opened = open(path, name.clone(), None)?;
    let digest = opened.digest()?;
    let table = records(&opened, &InputOptions::default(), false)?;
    let unreadable = |why: String| IngestError::FormatUnreadable { name: name.clone(), format: "harm", why };
    let (Some(kind), Some(harm)) = (column(&*table, &KINDS), column(&*table, &HARMS)) else {
        let columns = table.columns().join(", ");
        return Err(unreadable(format!("it needs the columns kind and harm, and has {columns}")));
    };
    let mut found = HarmTable { harms: Vec::new(), others: None };
    let mut faulty = None;
    table.visit(&[kind, harm], &mut |record| {
        let (kind, text) = (record.fields[0].trim(), record.fields[1].trim());
        let Some(value) = number(text).filter(|value| *value >= 0.0) else {
            faulty = Some(format!("line {}: \"{text}\" is not a number of 0 or more", record.line));
            return false;
        };
        let key = unfold(kind);
        let is_new = if kind == "*" {
            found.others.replace(value).is_none()
        } else {
            let is_new = found.harms.iter().all(|(known, _)| *known != key);
            found.harms.push((key, value));
            is_new
        };
        if !is_new {
            faulty = Some(format!("line {}: {kind} is there twice", record.line));
        }
        is_new
    })?;
    if let Some(why) = faulty {
        return Err(unreadable(why));
    }
    if found.is_empty() && found.others.is_none() {
        return Err(IngestError::NoRows { name });
    }
    drop(table);
    let sha256 = digest.finish(&name)?;
    let record = InputRecord::of_file("harm", name, opened.bytes, sha256);
    Ok((found, record))
}

fn table(path: &Path) -> Result<Box<dyn Records>, IngestError> {
    let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let opened = open(path, name, None)?;
    records(&opened, &InputOptions::default(), false)
}

/// The column whose name fits best.
fn column(table: &dyn Records, names: &[&str]) -> Option<usize> {
    ranked(table.columns(), names).first().map(|(_, column)| *column)
}
