//! The study area: the polygons of a file, or, announced, the area around the incidents.

use std::path::Path;

use brasa_model::{Crs, InputRecord, Note, SourceCrs, Window, WindowOrigin};
use geo::{Coord, LineString, MapCoords, MultiPolygon, Polygon};

use crate::error::extent;
use crate::footprint::{Groups, footprint, radius};
use crate::json::{self, Json};
use crate::one_column;
use crate::open::{Form, open};
use crate::project::range;
use crate::records::{Records, StatedCrs};
use crate::{IngestError, InputOptions, records};

/// The least gap, in metres, that can set a group of places apart.
const LEAST_GAP: f64 = 10_000.0;
/// The gap as a share of the main group's diagonal.
const GAP_SHARE: f64 = 0.1;
/// The share of the incidents below which what lies apart is set aside.
const HANDFUL: f64 = 0.01;

/// Places in the working system with the number of incidents on each.
pub(crate) struct Weighted<'a> {
    pub x: &'a [f64],
    pub y: &'a [f64],
    pub count: &'a [u32],
}

impl Weighted<'_> {
    fn incidents(&self) -> u64 {
        self.count.iter().map(|&count| u64::from(count)).sum()
    }
}

/// Polygons as they were read.
pub(crate) struct Polygons {
    /// Those of each feature.
    pub features: Vec<MultiPolygon<f64>>,
    /// The names of the wanted columns.
    pub columns: Vec<String>,
    /// What each feature has in them.
    pub fields: Vec<Vec<String>>,
    /// The file, on record.
    pub record: InputRecord,
}

/// Which columns are wanted beside polygons.
pub(crate) type Wanted<'a> = &'a dyn Fn(&dyn Records) -> Result<Vec<usize>, IngestError>;

/// Reads the polygons of a file and brings them to `crs`.
pub fn read_polygons(
    path: &Path,
    layer: Option<&str>,
    crs: &Crs,
) -> Result<(MultiPolygon<f64>, InputRecord), IngestError> {
    let polygons = read_features(path, layer, Some(crs), "study-area", &|_| Ok(Vec::new()))?;
    Ok((polygons.features.into_iter().flatten().collect(), polygons.record))
}

/// Reads the polygons of a file feature by feature, with the columns that are wanted, and brings them to `crs`, if it is known.
pub(crate) fn read_features(
    path: &Path,
    layer: Option<&str>,
    crs: Option<&Crs>,
    role: &str,
    wanted: Wanted<'_>,
) -> Result<Polygons, IngestError> {
    let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let opened = open(path, name.clone(), layer)?;
    let digest = opened.digest()?;
    #[cfg_attr(not(feature = "gdal"), expect(unused_mut, reason = "only GDAL brings systems without a code"))]
    let mut bridged: Option<String> = None;
    let (features, (columns, fields), stated) = match &opened.form {
        Form::Json(source) => match json::open(source)? {
            Json::Features(file) => {
                let features = file.polygons().map_err(|why| IngestError::FormatUnreadable {
                    name: name.clone(),
                    format: "GeoJSON",
                    why,
                })?;
                (features, fields(&file, wanted)?, file.crs())
            }
            Json::Objects(table) => in_a_column(&table, &name, wanted)?,
        },
        Form::Text(_) | Form::Sheets(_) => {
            in_a_column(&*records(&opened, &InputOptions::default(), false)?, &name, wanted)?
        }
        #[cfg(feature = "parquet")]
        Form::Parquet(source) => {
            let table = crate::parquet::Parquet::open(source)?;
            match table.polygons()? {
                Some(features) => (features, fields(&table, wanted)?, table.crs()),
                None => in_a_column(&table, &name, wanted)?,
            }
        }
        Form::Table(table, tally) => {
            let table = crate::memory::Reader::open(table, &name, tally)?;
            // The columns first: the shapes are what the record digests.
            let fields = fields(&table, wanted)?;
            match table.polygons()? {
                Some(features) => (features, fields, table.crs()),
                None => in_a_column(&table, &name, wanted)?,
            }
        }
        #[cfg(feature = "gdal")]
        Form::Other(place, format) => {
            let file = crate::drivers::Named { name: name.clone(), format };
            let area = crate::drivers::polygons(place, &file, opened.layer.as_deref())?;
            bridged = area.bridged;
            let table = crate::drivers::Gdal::open(place, &file, Some(&area.layer), None, false)?;
            (area.features, fields(&table, wanted)?, area.crs)
        }
        #[cfg(not(feature = "gdal"))]
        Form::Other(_, format) => {
            return Err(IngestError::FormatUnsupported { name, format: (*format).to_owned() });
        }
    };
    let all: MultiPolygon<f64> = features.iter().flat_map(|feature| feature.iter().cloned()).collect();
    if all.0.is_empty() {
        return Err(IngestError::NoPolygon { name, features: features.len() as u64 });
    }
    let source = polygon_crs(&name, &all, stated)?;
    let features = match crs {
        None => features.iter().map(cleaned).collect(),
        Some(crs) => features
            .iter()
            .map(|feature| projected(&name, feature, &source, crs))
            .collect::<Result<Vec<_>, IngestError>>()?,
    };
    let sha256 = digest.finish(&name)?;
    let record = InputRecord {
        crs_in: Some(bridged.unwrap_or_else(|| source.code())),
        crs_out: crs.map(Crs::code),
        ..InputRecord::of_file(role, name, opened.bytes, sha256)
    };
    Ok(Polygons { features, columns, fields, record })
}

/// Polygons in a column of a table, and the wanted columns; that of the polygons says nothing else.
fn in_a_column(table: &dyn Records, name: &str, wanted: Wanted<'_>) -> Result<Read, IngestError> {
    let Some(found) = one_column::polygons(table)? else {
        return Err(IngestError::FormatUnreadable {
            name: name.to_owned(),
            format: "polygons",
            why: "it is a table without a column of polygons; they come as GeoJSON, GeoPackage, Shapefile or KML, or as WKT in a column"
                .to_owned(),
        });
    };
    let (columns, mut fields) = fields(table, wanted)?;
    let geometry = &table.columns()[found.column];
    for at in (0..columns.len()).filter(|&at| columns[at] == *geometry) {
        fields.iter_mut().for_each(|row| row[at].clear());
    }
    Ok((found.features, (columns, fields), found.crs))
}

/// The polygons of each feature; the wanted columns and what each feature has in them; the system.
type Read = (Vec<MultiPolygon<f64>>, (Vec<String>, Vec<Vec<String>>), StatedCrs);

/// The wanted columns, and what each feature has in them.
fn fields(records: &dyn Records, wanted: Wanted<'_>) -> Result<(Vec<String>, Vec<Vec<String>>), IngestError> {
    let wanted = wanted(records)?;
    let mut rows = Vec::new();
    if !wanted.is_empty() {
        records.visit(&wanted, &mut |record| {
            rows.push(record.fields.iter().map(|field| field.trim().to_owned()).collect());
            true
        })?;
    }
    Ok((wanted.iter().map(|&at| records.columns()[at].clone()).collect(), rows))
}

fn coords(polygons: &MultiPolygon<f64>) -> impl Iterator<Item = Coord<f64>> {
    geo::CoordsIter::coords_iter(polygons)
}

fn polygon_crs(
    name: &str,
    polygons: &MultiPolygon<f64>,
    stated: StatedCrs,
) -> Result<SourceCrs, IngestError> {
    let (x, y) = (range(coords(polygons).map(|at| at.x)), range(coords(polygons).map(|at| at.y)));
    let degrees = x.0 >= -180.0 && x.1 <= 180.0 && y.0 >= -90.0 && y.1 <= 90.0;
    match stated {
        StatedCrs::Epsg(epsg) => SourceCrs::from_epsg(epsg)
            .map_err(|_| IngestError::CrsUnsupported { name: name.to_owned(), crs: format!("EPSG:{epsg}") }),
        StatedCrs::Nothing | StatedCrs::ByFormat if degrees => Ok(SourceCrs::wgs84()),
        StatedCrs::Nothing | StatedCrs::ByFormat => {
            Err(IngestError::CrsUnknown { name: name.to_owned(), x, y })
        }
        StatedCrs::Other(crs) => Err(IngestError::CrsUnsupported { name: name.to_owned(), crs }),
    }
}

fn projected(
    name: &str,
    polygons: &MultiPolygon<f64>,
    source: &SourceCrs,
    crs: &Crs,
) -> Result<MultiPolygon<f64>, IngestError> {
    let way = source
        .to(crs)
        .map_err(|error| IngestError::CrsUnsupported { name: name.to_owned(), crs: error.to_string() })?;
    let polygons = polygons.try_map_coords(|at| match way.convert(at.x, at.y) {
        Some((x, y)) => Ok(Coord { x, y }),
        None => Err(IngestError::FormatUnreadable {
            name: name.to_owned(),
            format: "polygons",
            why: format!("the corner {}, {} lies outside the bounds of {crs}", at.x, at.y),
        }),
    })?;
    Ok(cleaned(&polygons))
}

/// Files repeat corners; a polygon with a corner twice in a row is the same polygon.
fn cleaned(polygons: &MultiPolygon<f64>) -> MultiPolygon<f64> {
    let ring = |ring: &LineString<f64>| {
        let mut corners = ring.0.clone();
        corners.dedup();
        LineString::new(corners)
    };
    let clean = |polygon: &Polygon<f64>| {
        Polygon::new(ring(polygon.exterior()), polygon.interiors().iter().map(ring).collect())
    };
    polygons.iter().map(clean).collect()
}

/// The window of a given file.
pub(crate) fn given(
    path: &Path,
    layer: Option<&str>,
    crs: &Crs,
    notes: &mut Vec<Note>,
) -> Result<(Window, InputRecord), IngestError> {
    let (polygons, record) = read_polygons(path, layer, crs)?;
    let name = record.name.clone();
    let window = Window::new(polygons, WindowOrigin::Given(name.clone()))
        .map_err(|why| IngestError::StudyAreaInvalid { name: name.clone(), why })?;
    let area = window.area_km2();
    notes.push(
        Note::new("study_area_given", format!("the study area is {name}, {area:.1} km²"))
            .value(area, "km²")
            .reason("named with --study-area, or with --zones alone"),
    );
    Ok((window, record))
}

/// The error of a study area that holds none of the incidents, which extend from `x.0` to `x.1` and from `y.0` to `y.1`.
pub(crate) fn misses(
    name: &str,
    window: &Window,
    crs: &Crs,
    incidents: u64,
    (x, y): ((f64, f64), (f64, f64)),
) -> IngestError {
    let (low, high) = (window.bounds().min(), window.bounds().max());
    let apart = |a: (f64, f64), b: (f64, f64)| (b.0 - a.1).max(a.0 - b.1).max(0.0);
    let distance = apart(x, (low.x, high.x)).hypot(apart(y, (low.y, high.y))) / 1000.0;
    let gap = if distance > 0.0 {
        format!("their extents are {distance:.1} km apart")
    } else {
        "their extents overlap, but no place is inside a polygon".to_owned()
    };
    let why = format!(
        "{gap}; in {crs} the incidents: {}, the study area: {}",
        extent(x, y),
        extent((low.x, high.x), (low.y, high.y))
    );
    IngestError::StudyAreaMisses { name: name.to_owned(), incidents, why }
}

/// The window around the places, and which of them are part of it: a handful far from the rest is left out.
pub(crate) fn automatic(
    places: &Weighted<'_>,
    notes: &mut Vec<Note>,
) -> Result<(Window, Vec<bool>), IngestError> {
    let inside = with_the_rest(places, notes);
    let kept = |values: &[f64]| -> Vec<f64> {
        values.iter().zip(&inside).filter(|(_, inside)| **inside).map(|(&value, _)| value).collect()
    };
    let (x, y) = (kept(places.x), kept(places.y));
    let radius = radius(&x, &y);
    let window = Window::of_disjoint(footprint(&x, &y, radius), WindowOrigin::Footprint(radius))
        .map_err(|why| IngestError::Internal(format!("the footprint is no study area: {why}")))?;
    let area = window.area_km2();
    let parts = window.polygons().0.len();
    let shape = if parts == 1 { "one piece".to_owned() } else { format!("{parts} pieces") };
    notes.push(
        Note::new(
            "study_area_chosen",
            format!(
                "no study area was given; brasa uses everything within about {radius} m of an incident, gaps closed \
                 and holes filled: {area:.1} km² in {shape}"
            ),
        )
        .value(area, "km²")
        .reason(format!(
            "{radius} m is twice the distance within which 95 % of the places have a neighbour, rounded up, between \
             250 m and 5 km; areas and rates depend on it, so give the real boundary with --study-area FILE if you have it"
        )),
    );
    Ok((window, inside))
}

/// Which places belong to the main group or to one too large to leave out. Places are linked across gaps of up to
/// 10 km or a tenth of the main group's diagonal, whichever is more, measured on cells of a quarter of the gap.
fn with_the_rest(places: &Weighted<'_>, notes: &mut Vec<Note>) -> Vec<bool> {
    let all = places.incidents();
    let first = Linked::new(places, LEAST_GAP);
    let gap = LEAST_GAP.max(GAP_SHARE * first.diagonal_of_main(places));
    let linked = if gap > LEAST_GAP { Linked::new(places, gap) } else { first };
    let limit = all as f64 * HANDFUL;
    let small = |group: usize| group != linked.main && (linked.incidents[group] as f64) < limit;
    let apart: u64 =
        (0..linked.incidents.len()).filter(|&group| small(group)).map(|group| linked.incidents[group]).sum();
    if apart == 0 || apart as f64 >= limit {
        return vec![true; places.x.len()];
    }
    let share = apart as f64 / all as f64 * 100.0;
    notes.push(
        Note::new(
            "far_from_the_rest",
            format!(
                "{apart} incidents ({share:.2} %) lie about {:.0} km or more from all others and were set aside",
                gap / 1000.0
            ),
        )
        .value(apart, "incidents")
        .reason("such rows are mostly geocoding errors; to keep them, name a study area that holds them with --study-area FILE"),
    );
    linked.group_of_place.iter().map(|&group| !small(group)).collect()
}

/// Places linked to groups.
struct Linked {
    /// Per place, its group.
    group_of_place: Vec<usize>,
    /// Per group, how many incidents it holds.
    incidents: Vec<u64>,
    /// The group with the most.
    main: usize,
}

impl Linked {
    fn new(places: &Weighted<'_>, gap: f64) -> Self {
        let cell = gap / 4.0;
        let cell_of =
            |at: usize| ((places.x[at] / cell).floor() as i64, (places.y[at] / cell).floor() as i64);
        let mut cells: Vec<(i64, i64)> = (0..places.x.len()).map(cell_of).collect();
        cells.sort_unstable();
        cells.dedup();
        let mut groups = Groups::new(cells.len());
        for (at, &(x, y)) in cells.iter().enumerate() {
            // The half of the disc of four cells that comes later in the order of the list.
            for dx in 0..=4_i64 {
                for dy in -4..=4_i64 {
                    let later = dx > 0 || dy > 0;
                    if later
                        && dx * dx + dy * dy <= 16
                        && let Ok(other) = cells.binary_search(&(x + dx, y + dy))
                    {
                        groups.join(at, other);
                    }
                }
            }
        }
        let group_of_place: Vec<usize> = (0..places.x.len())
            .map(|at| cells.binary_search(&cell_of(at)).map_or(0, |found| groups.root(found)))
            .collect();
        let mut incidents = vec![0; cells.len()];
        for (&group, &count) in group_of_place.iter().zip(places.count) {
            incidents[group] += u64::from(count);
        }
        // The first of the largest: cells are sorted, so the order of rows plays no part.
        let main = (0..incidents.len()).rev().max_by_key(|&group| incidents[group]).unwrap_or(0);
        Self { group_of_place, incidents, main }
    }

    fn diagonal_of_main(&self, places: &Weighted<'_>) -> f64 {
        let members = || (0..places.x.len()).filter(|&at| self.group_of_place[at] == self.main);
        let (west, east) = range(members().map(|at| places.x[at]));
        let (south, north) = range(members().map(|at| places.y[at]));
        if east >= west { (east - west).hypot(north - south) } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handful_far_away_is_set_aside_and_a_second_city_is_not() {
        let grid: Vec<(f64, f64)> =
            (0..400).map(|at| (f64::from(at % 20) * 500.0, f64::from(at / 20) * 500.0)).collect();
        let run = |far: usize| {
            let mut places = grid.clone();
            places.extend((0..far).map(|at| (300_000.0 + at as f64 * 400.0, 5.0)));
            let (x, y): (Vec<f64>, Vec<f64>) = places.into_iter().unzip();
            let count = vec![1; x.len()];
            let mut notes = Vec::new();
            let (window, inside) = automatic(&Weighted { x: &x, y: &y, count: &count }, &mut notes).unwrap();
            for (at, inside) in inside.iter().enumerate() {
                assert_eq!(window.contains(x[at], y[at]), *inside);
            }
            let codes: Vec<String> = notes.into_iter().map(|note| note.code).collect();
            (inside.iter().filter(|inside| !**inside).count(), codes)
        };
        assert_eq!(run(3), (3, vec!["far_from_the_rest".to_owned(), "study_area_chosen".to_owned()]));
        assert_eq!(run(30), (0, vec!["study_area_chosen".to_owned()]));
        assert_eq!(run(0), (0, vec!["study_area_chosen".to_owned()]));
    }
}
