//! The place of a row in one column of text: well-known text or binary, GeoJSON, or a pair of coordinates.

use std::borrow::Cow;
use std::collections::BTreeMap;

use brasa_model::{Note, Reason};
use geo::MultiPolygon;

use crate::angle::{self, Axis};
use crate::columns::{Sample, find, has_coordinates, number};
use crate::names::{PLACE, rank, words_of};
use crate::numbers::is_blank;
use crate::project::{is_inhabited, is_lonlat};
use crate::records::{Place, Record, Records, StatedCrs};
use crate::shape::{self, EMPTY, Shape, Stated};
use crate::{IngestError, InputOptions};

/// The share of the values that must be places for a column to hold them.
const MOST: f64 = 0.5;

const FLAG: &str = "--geometry";

/// Refuses a `--geometry` that none of the files has.
pub(crate) fn check<'a>(
    mut files: impl Iterator<Item = &'a [String]>,
    options: &InputOptions,
) -> Result<(), IngestError> {
    let Some(wanted) = options.geometry.as_deref() else { return Ok(()) };
    let Some(first) = files.next().map(|columns| find(columns, FLAG, wanted)) else { return Ok(()) };
    if first.is_err() && !files.any(|columns| find(columns, FLAG, wanted).is_ok()) {
        first?;
    }
    Ok(())
}

/// How a place is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Written {
    WellKnownText,
    WellKnownBinary,
    GeoJson,
    /// Two coordinates; whether the latitude comes first.
    Pair {
        latitude_first: bool,
    },
}

impl Written {
    const ALL: [Self; 4] =
        [Self::WellKnownText, Self::WellKnownBinary, Self::GeoJson, Self::Pair { latitude_first: true }];

    const fn name(self) -> &'static str {
        match self {
            Self::WellKnownText => "well-known text",
            Self::WellKnownBinary => "well-known binary in hexadecimal",
            Self::GeoJson => "GeoJSON",
            Self::Pair { latitude_first: true } => "a pair, the latitude first",
            Self::Pair { latitude_first: false } => "a pair, the longitude or x first",
        }
    }

    fn read(self, text: &str) -> Option<Stated> {
        match self {
            Self::WellKnownText => shape::from_text(text),
            Self::WellKnownBinary => shape::from_hex(text),
            Self::GeoJson => Some(Stated { srid: None, shape: crate::geojson::shape(text)? }),
            Self::Pair { latitude_first } => {
                let pair = Pair::read(text)?;
                let (x, y) = match pair.latitude_first {
                    Some(true) => (pair.second, pair.first),
                    None if latitude_first => (pair.second, pair.first),
                    _ => (pair.first, pair.second),
                };
                Some(Stated { srid: None, shape: Shape::Point(x, y) })
            }
        }
    }
}

/// A table whose places stand in one of its columns.
pub(crate) struct OneColumn {
    inner: Box<dyn Records>,
    column: usize,
    written: Written,
    srid: Option<u32>,
    notes: Vec<Note>,
}

/// Takes the place of each row from one column, if the user names it, or if there are no coordinates and one column holds
/// places; else leaves the table as it is. One of several files need not have the column that is named.
pub(crate) fn wrap(
    inner: Box<dyn Records>,
    name: &str,
    options: &InputOptions,
    several: bool,
) -> Result<Box<dyn Records>, IngestError> {
    if inner.has_geometry() && options.geometry.is_none() {
        return Ok(inner);
    }
    let sample = Sample::of(&*inner)?;
    let wanted = match options.geometry.as_deref().map(|wanted| find(inner.columns(), FLAG, wanted)) {
        Some(Err(error)) if !several => return Err(error),
        found => found.and_then(Result::ok),
    };
    if wanted.is_none() && inner.has_geometry() {
        return Ok(inner);
    }
    let said = [&options.lon, &options.lat, &options.x, &options.y].into_iter().any(Option::is_some);
    if wanted.is_none() && (said || has_coordinates(&*inner, &sample)) {
        return Ok(inner);
    }
    let candidates: Vec<usize> = wanted.map_or_else(|| (0..inner.columns().len()).collect(), |at| vec![at]);
    let found = best(inner.columns(), &sample, &candidates);
    match (found, wanted) {
        (Some((column, written)), _) => Ok(Box::new(OneColumn::new(inner, column, written, &sample))),
        (None, Some(column)) => Err(IngestError::FormatUnreadable {
            name: name.to_owned(),
            format: "a table with a place in one column",
            why: format!(
                "\"{}\" holds neither well-known text or binary, nor GeoJSON, nor pairs of coordinates",
                inner.columns()[column]
            ),
        }),
        (None, None) => Ok(inner),
    }
}

/// The column that holds places, and how: geometry before pairs, then by the names, then the first.
fn best(columns: &[String], sample: &Sample, candidates: &[usize]) -> Option<(usize, Written)> {
    let mut order = candidates.to_vec();
    order.sort_by_key(|&at| rank(&columns[at], PLACE).unwrap_or(usize::MAX));
    Written::ALL.into_iter().find_map(|written| {
        let holds = |at: usize| {
            let named = candidates.len() == 1 || rank(&columns[at], PLACE).is_some();
            let reads = |text: &str| match written {
                Written::Pair { .. } => Pair::read(text).is_some_and(|pair| named || pair.is_exact()),
                _ => written.read(text).is_some(),
            };
            sample.share(at, reads).is_some_and(|share| share >= MOST)
        };
        let column = *order.iter().find(|&&at| holds(at))?;
        Some((
            column,
            match written {
                Written::Pair { .. } => {
                    Written::Pair { latitude_first: latitude_first(&columns[column], sample, column) }
                }
                other => other,
            },
        ))
    })
}

/// The order in which most pairs make sense, else that of the column's name, else the latitude first, as maps print it;
/// what are no degrees are x and y.
fn latitude_first(name: &str, sample: &Sample, column: usize) -> bool {
    let (mut as_written, mut swapped, mut degrees, mut all) = (0, 0, 0, 0);
    for pair in sample.values(column).filter_map(Pair::read) {
        let (a, b) = (pair.first, pair.second);
        all += 1;
        as_written += usize::from(is_lonlat(a, b) && is_inhabited(a, b));
        swapped += usize::from(is_lonlat(b, a) && is_inhabited(b, a));
        degrees += usize::from(is_lonlat(a, b) || is_lonlat(b, a));
    }
    if degrees * 2 < all || as_written != swapped {
        return degrees * 2 >= all && swapped > as_written;
    }
    let words = words_of(name).concat();
    let at = |part: &str| words.find(part).unwrap_or(usize::MAX);
    at("lon").min(at("lng")) >= at("lat")
}

impl OneColumn {
    fn new(inner: Box<dyn Records>, column: usize, written: Written, sample: &Sample) -> Self {
        let mut srids = BTreeMap::new();
        for read in sample.values(column).filter_map(|text| written.read(text)) {
            *srids.entry(read.srid).or_insert(0_usize) += 1;
        }
        // What most rows state.
        let srid = srids.into_iter().max_by_key(|&(_, count)| count).and_then(|(srid, _)| srid);
        let name = &inner.columns()[column];
        let example = sample.values(column).next().unwrap_or_default();
        let note =
            Note::new("place_in_one_column", format!("the places stand in \"{name}\" as {}", written.name()))
                .value(name.as_str(), "")
                .reason(format!(
                    "such as {}; name another with --geometry, or give two with --lon and --lat",
                    example.chars().take(60).collect::<String>()
                ));
        Self { inner, column, written, srid, notes: vec![note] }
    }

    fn place(&self, text: &str) -> Place {
        let column = || self.inner.columns()[self.column].clone();
        if is_blank(text) {
            return Place::Faulty { reason: Reason::CoordMissing, column: column(), value: String::new() };
        }
        match self.written.read(text) {
            // Without a code of its own a row is in the system of the others.
            Some(Stated { srid, shape }) if srid.is_none() || srid == self.srid => match shape {
                Shape::Point(x, y) => Place::Point(x, y),
                Shape::Polygons(_) => Place::NotPoint("polygon"),
                Shape::Other(name) => Place::NotPoint(name),
            },
            _ => {
                let value = text.trim().chars().take(200).collect();
                Place::Faulty { reason: Reason::CoordUnreadable, column: column(), value }
            }
        }
    }
}

impl Records for OneColumn {
    fn columns(&self) -> &[String] {
        self.inner.columns()
    }

    fn has_geometry(&self) -> bool {
        true
    }

    fn crs(&self) -> StatedCrs {
        self.srid.map_or(StatedCrs::Nothing, StatedCrs::Epsg)
    }

    fn visit(&self, wanted: &[usize], each: &mut dyn FnMut(&Record<'_>) -> bool) -> Result<(), IngestError> {
        let all: Vec<usize> = wanted.iter().copied().chain([self.column]).collect();
        self.inner.visit(&all, &mut |record| {
            let place = record.fields.last().map_or(Place::NotPoint("none"), |text| self.place(text));
            let fields =
                record.fields.iter().take(wanted.len()).map(|field| Cow::Borrowed(&**field)).collect();
            each(&Record { line: record.line, fields, place, broken: record.broken.clone() })
        })
    }

    fn notes(&self) -> Vec<Note> {
        [self.inner.notes(), self.notes.clone()].concat()
    }
}

/// Polygons in a column of a table, per row.
pub(crate) struct Polygons {
    pub features: Vec<MultiPolygon<f64>>,
    pub crs: StatedCrs,
    pub column: usize,
}

/// The polygons of a table that has them in a column.
pub(crate) fn polygons(table: &dyn Records) -> Result<Option<Polygons>, IngestError> {
    let sample = Sample::of(table)?;
    let columns: Vec<usize> = (0..table.columns().len()).collect();
    let Some((column, written)) = best(table.columns(), &sample, &columns) else { return Ok(None) };
    let (mut features, mut srid, mut broken) = (Vec::new(), None, None);
    table.visit(&[column], &mut |record| {
        let text = record.fields.first().map_or("", |text| &**text);
        let read = if is_blank(text) {
            Some(Stated { srid: None, shape: Shape::Other(EMPTY) })
        } else {
            written.read(text).filter(|read| srid.is_none() || read.srid == srid)
        };
        match read {
            Some(read) => {
                srid = srid.or(read.srid);
                features.push(match read.shape {
                    Shape::Polygons(polygons) => polygons,
                    _ => MultiPolygon::new(Vec::new()),
                });
            }
            None => broken = Some(record.line),
        }
        broken.is_none()
    })?;
    match broken {
        Some(line) => Err(IngestError::FormatUnreadable {
            name: table.columns()[column].clone(),
            format: written.name(),
            why: format!("line {line} is none, or of another system than the lines before"),
        }),
        None => {
            Ok(Some(Polygons { features, crs: srid.map_or(StatedCrs::Nothing, StatedCrs::Epsg), column }))
        }
    }
}

/// Two coordinates in one text.
struct Pair {
    first: f64,
    second: f64,
    /// Whether the latitude comes first, where letters say so.
    latitude_first: Option<bool>,
}

impl Pair {
    /// Reads `(19.43, -99.13)`, `4,6; -74,1`, `19°25'42"N 99°07'58"W` and their like.
    fn read(text: &str) -> Option<Self> {
        let bare = text.trim();
        let bare = [('(', ')'), ('[', ']')]
            .into_iter()
            .find_map(|(open, close)| bare.strip_prefix(open)?.strip_suffix(close))
            .unwrap_or(bare);
        let cut = bare
            .split_once(';')
            .or_else(|| bare.split_once(", "))
            .or_else(|| bare.split_once(',').filter(|(_, rest)| !rest.contains(',')))
            .or_else(|| angle::cut(bare))
            .or_else(|| bare.split_once(char::is_whitespace));
        let (first, second) = cut?;
        let (first, second) = (first.trim().trim_end_matches(','), second.trim().trim_start_matches(','));
        let ((first, a), (second, b)) = (coordinate(first)?, coordinate(second)?);
        let latitude_first = match (a, b) {
            (None, None) => None,
            (Some(a), Some(b)) if a == b => return None,
            (Some(a), _) => Some(a == Axis::Lat),
            (None, Some(b)) => Some(b == Axis::Lon),
        };
        Some(Self { first, second, latitude_first })
    }

    /// Whether it can hardly be anything but a place: a number of thousands is no pair of fractions.
    fn is_exact(&self) -> bool {
        self.latitude_first.is_some() || (self.first.fract() != 0.0 && self.second.fract() != 0.0)
    }
}

fn coordinate(text: &str) -> Option<(f64, Option<Axis>)> {
    match angle::parse(text) {
        Some(angle) => Some((angle.degrees, angle.axis)),
        None => number(text).map(|value| (value, None)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_read() {
        for text in [
            "(4.6, -74.1)",
            "[4.6,-74.1]",
            "4.6 -74.1",
            "4,6; -74,1",
            "4,6, -74,1",
            "4.6\t-74.1",
            "4°36'N 74°06'O",
            "N 4 36.0, W 74 06.0",
            "4º36' Norte, 74º06' Oeste",
        ] {
            let pair = Pair::read(text).unwrap_or(Pair { first: 0.0, second: 0.0, latitude_first: None });
            assert!((pair.first - 4.6).abs() < 1e-9 && (pair.second + 74.1).abs() < 1e-9, "{text}");
        }
        for text in [
            "",
            "4.6",
            "4,6,-74,1",
            "(4.6, -74.1",
            "a, b",
            "Calle 26, Bogotá",
            "4°N 74°N",
            "2019-01-02 10:30",
        ] {
            assert!(Pair::read(text).is_none(), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_a_pair_or_not(any in ".*", close in r#"[-(\[]?[0-9.,;°'" NSEWOL]{0,24}[)\]]?"#) {
            let _ = (Pair::read(&any), Pair::read(&close));
        }
    }
}
