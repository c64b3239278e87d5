//! In which system the coordinates come, and in which one brasa works.

use std::collections::BTreeMap;
use std::hash::BuildHasher as _;

use brasa_model::{Crs, CrsError, Note, Projector, SourceCrs};
use rayon::prelude::*;

use crate::IngestError;
use crate::columns::PlaceRole;
use crate::decide::{NOWHERE, keep};
use crate::error::short;
use crate::hash::Quick;
use crate::records::StatedCrs;

/// The places of a file in its own coordinates, and which row is on which. Rows on one place share it, but a place that comes
/// again after many others may be listed again: what is told of places goes by how many rows are on each.
#[derive(Debug, Clone, Default)]
pub(crate) struct Places {
    pub x: Vec<f64>,
    pub y: Vec<f64>,
    /// How many rows are on each.
    pub count: Vec<u32>,
    /// Per row, the place; [`NO_PLACE`] for a row without usable coordinates.
    of_row: Vec<u32>,
}

const NO_PLACE: u32 = u32::MAX;
/// The logarithm of the number of places that are remembered as met lately.
const LATELY: u32 = 16;

impl Places {
    /// Collects the places of the rows.
    pub fn of_rows(coordinates: impl ExactSizeIterator<Item = Option<(f64, f64)>>) -> Self {
        // Memory that is never written to is none.
        let room = coordinates.len();
        let (x, y, count) = (Vec::with_capacity(room), Vec::with_capacity(room), Vec::with_capacity(room));
        let mut places = Self { x, y, count, of_row: Vec::with_capacity(room) };
        let mut lately = vec![NO_PLACE; 1 << LATELY];
        for coordinate in coordinates {
            let Some((x, y)) = coordinate else {
                places.of_row.push(NO_PLACE);
                continue;
            };
            let key = key(x, y);
            let met = &mut lately[(Quick::default().hash_one(key) >> (64 - LATELY)) as usize];
            let at = *met as usize;
            if at >= places.x.len() || self::key(places.x[at], places.y[at]) != key {
                *met = places.x.len() as u32;
                places.x.push(x);
                places.y.push(y);
                places.count.push(0);
            }
            places.count[*met as usize] += 1;
            places.of_row.push(*met);
        }
        places
    }

    /// The place of a row with usable coordinates.
    pub fn of_row(&self, row: usize) -> Option<usize> {
        self.of_row.get(row).filter(|&&place| place != NO_PLACE).map(|&place| place as usize)
    }

    /// Forgets all but which row is on which place.
    pub fn forget_places(&mut self) {
        (self.x, self.y, self.count) = (Vec::new(), Vec::new(), Vec::new());
    }

    /// Leaves the rows for which `kept` holds, and counts them anew. Places without a row stay.
    pub fn keep_rows(&mut self, kept: &[bool]) {
        keep(&mut self.of_row, kept);
        self.count.fill(0);
        for row in 0..self.of_row.len() {
            if let Some(place) = self.of_row(row) {
                self.count[place] += 1;
            }
        }
    }

    /// The share of rows whose coordinates pass.
    fn share(&self, passes: impl Fn(f64, f64) -> bool) -> f64 {
        let (mut all, mut good) = (0_u64, 0_u64);
        for ((&x, &y), &count) in self.x.iter().zip(&self.y).zip(&self.count) {
            all += u64::from(count);
            good += if passes(x, y) { u64::from(count) } else { 0 };
        }
        if all == 0 { 0.0 } else { good as f64 / all as f64 }
    }
}

/// The same for the same place; adding zero makes -0 and 0 one.
pub(crate) fn key(x: f64, y: f64) -> (u64, u64) {
    ((x + 0.0).to_bits(), (y + 0.0).to_bits())
}

/// Systems made to draw the whole world: in metres by name, but lengths or areas are true nowhere but on a line.
const WORLD_MAPS: [u32; 8] = [3857, 3785, 3395, 3832, 4087, 4088, 6933, 8857];

/// Least and greatest value.
pub(crate) fn range(values: impl Iterator<Item = f64>) -> (f64, f64) {
    values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)))
}

pub(crate) fn is_lonlat(x: f64, y: f64) -> bool {
    x.abs() <= 180.0 && y.abs() <= 90.0
}

/// Whether people live at this latitude: between the south of Chile and the north of Greenland, with a margin.
pub(crate) fn is_inhabited(lon: f64, lat: f64) -> bool {
    lon.abs() <= 180.0 && (-60.0..=84.0).contains(&lat)
}

/// The system of the coordinates: by flag, else by the file, else degrees if they can be.
pub(crate) fn source(
    name: &str,
    places: &Places,
    role: PlaceRole,
    remedy: &str,
    stated: &StatedCrs,
    given: Option<&str>,
    notes: &mut Vec<Note>,
) -> Result<SourceCrs, IngestError> {
    let (x, y) = (range(places.x.iter().copied()), range(places.y.iter().copied()));
    let unknown = || IngestError::CrsUnknown { name: name.to_owned(), x, y };
    let degrees = places.share(is_lonlat);
    let swapped = places.share(|x, y| !is_inhabited(x, y) && is_inhabited(y, x));
    let axes_swapped = || {
        let found =
            places.x.iter().zip(&places.y).find(|&(&x, &y)| !is_inhabited(x, y) && is_inhabited(y, x));
        IngestError::AxesSwapped {
            name: name.to_owned(),
            share: swapped * 100.0,
            example: found.map_or((0.0, 0.0), |(&x, &y)| (x, y)),
            remedy: remedy.to_owned(),
        }
    };
    let unsupported = |crs: String| IngestError::CrsUnsupported { name: name.to_owned(), crs };
    let crs = if let Some(text) = given {
        SourceCrs::parse(text).map_err(IngestError::CrsInvalid)?
    } else {
        // What the file states is about its geometry, not about columns beside it.
        match stated {
            StatedCrs::Epsg(epsg) if role == PlaceRole::Geometry => {
                SourceCrs::from_epsg(*epsg).map_err(|_| unsupported(format!("EPSG:{epsg}")))?
            }
            StatedCrs::Other(text) if role == PlaceRole::Geometry => return Err(unsupported(text.clone())),
            StatedCrs::ByFormat if role == PlaceRole::Geometry && degrees >= 0.5 => SourceCrs::wgs84(),
            _ if swapped > 0.5 => return Err(axes_swapped()),
            _ if degrees < 0.5 => return Err(unknown()),
            _ => {
                notes.push(
                    Note::new("crs_guessed", "coordinates are taken for longitude and latitude on WGS 84 (EPSG:4326)")
                        .value("EPSG:4326", "")
                        .reason(format!(
                            "{:.1} % of them lie within 180 and 90 degrees, and the file names no system; change it with --crs",
                            degrees * 100.0
                        )),
                );
                SourceCrs::wgs84()
            }
        }
    };
    if crs.is_geographic() {
        if swapped > 0.5 {
            return Err(axes_swapped());
        }
        if degrees < 0.1 {
            return Err(unknown());
        }
    } else if degrees >= 0.9 && x.1 - x.0 < 360.0 {
        return Err(IngestError::DegreesAsMetres { name: name.to_owned(), crs: crs.to_string(), x, y });
    }
    Ok(crs)
}

/// The way from the coordinates of a file to longitude and latitude, and on to the working system: chosen once, and held for
/// all its rows.
pub(crate) struct Course {
    pub source: SourceCrs,
    /// To longitude and latitude on WGS 84; `None` when the coordinates are such.
    to_lonlat: Option<Projector>,
    /// On to the working system, once that is known.
    goal: Option<Goal>,
}

enum Goal {
    /// The coordinates come in the working system; the way back from longitude and latitude, to check them.
    There(Option<Projector>),
    /// They are brought there.
    Away(Projector),
}

/// Per place, where it is; nowhere outside the bounds of its system.
#[derive(Debug, Clone, Default)]
pub(crate) struct Found(Vec<(f64, f64)>);

impl Found {
    /// Works out where each of so many places is, on all threads; the result does not depend on their number.
    fn new(places: usize, place: impl Fn(usize) -> Option<(f64, f64)> + Sync) -> Self {
        Self((0..places).into_par_iter().map(|at| place(at).unwrap_or(NOWHERE)).collect())
    }

    /// Where a place is.
    pub fn at(&self, place: usize) -> Option<(f64, f64)> {
        self.0.get(place).copied().filter(|(x, _)| !x.is_nan())
    }
}

/// The places of a file on WGS 84.
pub(crate) enum LonLat {
    /// They come as such.
    AsWritten,
    /// They were brought there.
    Brought(Found),
}

impl LonLat {
    /// Longitude and latitude of a place; none outside the bounds of its system.
    fn at(&self, places: &Places, place: usize) -> Option<(f64, f64)> {
        match self {
            Self::AsWritten => {
                Some((places.x[place], places.y[place])).filter(|&(lon, lat)| is_lonlat(lon, lat))
            }
            Self::Brought(found) => found.at(place),
        }
    }
}

fn no_path(name: &str, error: &CrsError) -> IngestError {
    IngestError::CrsUnsupported { name: name.to_owned(), crs: error.to_string() }
}

impl Course {
    /// The way to longitude and latitude, for a file in this system.
    pub fn new(name: &str, source: SourceCrs, notes: &mut Vec<Note>) -> Result<Self, IngestError> {
        let to_lonlat = if source.is_geographic() && source.epsg() == 4326 {
            None
        } else {
            let way = source.to_lonlat().map_err(|error| no_path(name, &error))?;
            announce_operation(&way, notes);
            Some(way)
        };
        Ok(Self { source, to_lonlat, goal: None })
    }

    /// The places on WGS 84.
    pub fn lonlat(&self, places: &Places) -> LonLat {
        let Some(way) = &self.to_lonlat else { return LonLat::AsWritten };
        LonLat::Brought(Found::new(places.x.len(), |at| {
            let (x, y) = (places.x[at], places.y[at]);
            let inside = !self.source.is_geographic() || is_lonlat(x, y);
            way.convert(x, y).filter(|&(lon, lat)| inside && is_lonlat(lon, lat))
        }))
    }

    /// The places, which lie at `lonlat`, in the working system.
    pub fn bring(
        &mut self,
        name: &str,
        places: &Places,
        lonlat: &LonLat,
        crs: &Crs,
    ) -> Result<Found, IngestError> {
        let goal = match &self.goal {
            Some(goal) => goal,
            None => self.goal.insert(self.goal_at(crs).map_err(|error| no_path(name, &error))?),
        };
        Ok(Found::new(places.x.len(), |at| {
            let (lon, lat) = lonlat.at(places, at)?;
            let (x, y) = (places.x[at], places.y[at]);
            match goal {
                Goal::There(back) => {
                    // What does not come back from its longitude and latitude was never in this system.
                    let near = back.as_ref().and_then(|back| back.convert(lon, lat));
                    near.is_some_and(|(a, b)| (a - x).abs() < 10.0 && (b - y).abs() < 10.0).then_some((x, y))
                }
                Goal::Away(way) => way.convert(x, y),
            }
        }))
    }

    fn goal_at(&self, crs: &Crs) -> Result<Goal, CrsError> {
        if crs.epsg() == self.source.epsg() {
            Ok(Goal::There(self.source.as_metric().map(|crs| crs.from_lonlat()).transpose()?))
        } else {
            Ok(Goal::Away(self.source.to(crs)?))
        }
    }
}

/// The places of a file in its own system and on WGS 84.
pub(crate) struct Located<'a> {
    pub source: &'a SourceCrs,
    pub places: &'a Places,
    pub lonlat: &'a LonLat,
}

impl Located<'_> {
    /// Where each place is on WGS 84, and how many rows are on it.
    fn lonlat(&self) -> impl Iterator<Item = ((f64, f64), u32)> + '_ {
        let counts = self.places.count.iter().enumerate();
        counts.filter_map(|(at, &count)| Some((self.lonlat.at(self.places, at)?, count)))
    }
}

/// The one system for all files: that in which the coordinates come if it is in true metres (that of the most rows, where files
/// differ), else the UTM zone of the median place. There is none while not one place lies in the bounds of its system.
pub(crate) fn working_system(
    name: &str,
    files: &[Located<'_>],
    notes: &mut Vec<Note>,
) -> Result<Option<Crs>, IngestError> {
    let all = || files.iter().flat_map(Located::lonlat);
    let (lon, lat) =
        (median(all().map(|(at, rows)| (at.0, rows))), median(all().map(|(at, rows)| (at.1, rows))));
    let (Some(lon), Some(lat)) = (lon, lat) else { return Ok(None) };
    let mut metric: BTreeMap<u32, (u64, Crs)> = BTreeMap::new();
    for file in files {
        if let Some(crs) = file.source.as_metric() {
            let rows: u64 = file.places.count.iter().map(|&count| u64::from(count)).sum();
            metric.entry(crs.epsg()).or_insert((0, crs)).0 += rows;
        }
    }
    let mut metric: Vec<(u64, Crs)> = metric.into_values().collect();
    metric.sort_by_key(|(rows, _)| std::cmp::Reverse(*rows));
    let utm = Crs::utm(lon, lat).map_err(|error| no_path(name, &error))?;
    let off = |crs: &Crs| true_to_scale(crs, lon, lat) == Some(false) || WORLD_MAPS.contains(&crs.epsg());
    let (crs, reason) = match (metric.iter().find(|(_, crs)| !off(crs)), metric.first()) {
        (Some((_, crs)), _) if files.iter().all(|file| file.source.epsg() == crs.epsg()) => {
            (crs.clone(), "the coordinates come in it, and it is in metres".to_owned())
        }
        (Some((_, crs)), _) => (crs.clone(), "files come in it, and it is in metres".to_owned()),
        (None, Some((_, crs))) => {
            let reason = format!(
                "the UTM zone of the median place: a metre of {crs} is not a metre on the ground there"
            );
            (utm, reason)
        }
        (None, None) => (utm, format!("the UTM zone of the median place ({}, {})", short(lon), short(lat))),
    };
    // Not the extent: a handful of wild geocodes does not make a city wide.
    let rows = |wanted: &dyn Fn(f64) -> bool| -> u64 {
        all().filter(|((at, _), _)| wanted(*at)).map(|(_, count)| u64::from(count)).sum()
    };
    let (far, all_rows) = (rows(&|at| (at - lon).abs() > 6.0), rows(&|_| true));
    let wide = if files.iter().all(|file| file.source.epsg() == crs.epsg()) || far * 100 <= all_rows {
        ""
    } else {
        "; more than 1 % of the rows lie over 6 degrees of longitude from it, where lengths are off by more than 0.3 %"
    };
    notes.push(
        Note::new("crs_chosen", format!("the working system is {crs}"))
            .value(crs.code(), "")
            .reason(format!("{reason}{wide}")),
    );
    Ok(Some(crs))
}

/// Says when a change of datum is less exact than a metre.
pub(crate) fn announce_operation(way: &Projector, notes: &mut Vec<Note>) {
    if let Some((operation, Some(accuracy))) = way.operation()
        && accuracy > 1.0
    {
        notes.push(
            Note::new(
                "datum_operation",
                format!("the change of datum \"{operation}\" is exact to about {accuracy} m"),
            )
            .value(accuracy, "m")
            .reason("the two systems rest on different datums"),
        );
    }
}

/// The median of values that each count so many times: the least that half of all are not above.
fn median(values: impl Iterator<Item = (f64, u32)>) -> Option<f64> {
    let mut values: Vec<(f64, u32)> = values.collect();
    let weight = |part: &[(f64, u32)]| part.iter().map(|&(_, count)| u64::from(count)).sum::<u64>();
    let all = weight(&values);
    let (mut rest, mut before) = (values.as_mut_slice(), 0);
    // Only the half that holds it is looked at again.
    while rest.len() > 1 {
        let middle = rest.len() / 2;
        let (low, _, _) = rest.select_nth_unstable_by(middle, |a, b| a.0.total_cmp(&b.0));
        let below = before + weight(low);
        if below * 2 >= all {
            rest = &mut rest[..middle];
        } else {
            before = below;
            rest = &mut rest[middle..];
        }
    }
    rest.first().map(|&(value, _)| value)
}

/// Whether a kilometre of the system is a kilometre on the ground, within 2 %, east and north of a place.
/// National grids that span a country pass; a grid used far outside its country does not.
fn true_to_scale(crs: &Crs, lon: f64, lat: f64) -> Option<bool> {
    let (x, y) = crs.from_lonlat().ok()?.convert(lon, lat)?;
    let back = crs.to_lonlat().ok()?;
    let length = |to: (f64, f64)| {
        let (east, north) = ((to.0 - lon).to_radians() * lat.to_radians().cos(), (to.1 - lat).to_radians());
        6_371_008.8 * east.hypot(north)
    };
    let exact = |metres: f64| (metres / 1000.0 - 1.0).abs() < 0.02;
    Some(exact(length(back.convert(x + 1000.0, y)?)) && exact(length(back.convert(x, y + 1000.0)?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    type Whereabouts = Vec<Option<(f64, f64)>>;

    fn places(list: &[(f64, f64)]) -> Places {
        Places::of_rows(list.iter().copied().map(Some))
    }

    fn run(list: &[(f64, f64)], given: Option<&str>) -> Result<(Crs, Whereabouts, Vec<String>), IngestError> {
        let places = places(list);
        let mut notes = Vec::new();
        let role = PlaceRole::Xy(0, 1);
        let source = source("f", &places, role, "swap", &StatedCrs::Nothing, given, &mut notes)?;
        let mut course = Course::new("f", source, &mut notes)?;
        let lonlat = course.lonlat(&places);
        let located = Located { source: &course.source, places: &places, lonlat: &lonlat };
        let crs = working_system("f", &[located], &mut notes)?.unwrap();
        let found = course.bring("f", &places, &lonlat, &crs)?;
        let found = (0..places.x.len()).map(|at| found.at(at)).collect();
        Ok((crs, found, notes.into_iter().map(|note| note.code).collect()))
    }

    fn code(result: Result<(Crs, Whereabouts, Vec<String>), IngestError>) -> &'static str {
        result.err().map_or("ok", |error| brasa_model::Diagnose::code(&error))
    }

    #[test]
    fn equal_places_are_one_place() {
        let places = places(&[(1.0, 2.0), (1.0, 2.0), (0.0, 5.0), (-0.0, 5.0)]);
        assert_eq!(places.count, [2, 2]);
        assert_eq!(places.of_row, [0, 0, 1, 1]);
    }

    #[test]
    fn a_row_nowhere_has_no_place_and_rows_that_leave_are_not_counted() {
        let rows = [Some((1.0, 2.0)), None, Some((3.0, 4.0)), Some((1.0, 2.0))];
        let mut places = Places::of_rows(rows.into_iter());
        assert_eq!((places.of_row(1), places.of_row(3), places.of_row(4)), (None, Some(0), None));
        places.keep_rows(&[false, true, true, true]);
        assert_eq!((places.of_row.as_slice(), places.count.as_slice()), (&[NO_PLACE, 1, 0][..], &[1, 1][..]));
    }

    proptest::proptest! {
        #[test]
        fn however_often_a_place_is_listed_every_row_is_on_its_own(list in proptest::collection::vec((0_u8..200, 0_u8..200), 0..2000)) {
            let list: Vec<(f64, f64)> = list.into_iter().map(|(x, y)| (f64::from(x) / 7.0, f64::from(y) / 3.0)).collect();
            let places = places(&list);
            for (row, &place) in list.iter().enumerate() {
                let at = places.of_row(row).unwrap();
                proptest::prop_assert_eq!((places.x[at], places.y[at]), place);
            }
            proptest::prop_assert_eq!(places.count.iter().sum::<u32>() as usize, list.len());
        }

        #[test]
        fn the_median_is_that_of_the_values_written_out(values in proptest::collection::vec((-5_i8..5, 0_u32..4), 0..40)) {
            let mut all: Vec<f64> = values.iter().flat_map(|&(value, count)| vec![f64::from(value); count as usize]).collect();
            all.sort_by(f64::total_cmp);
            let found = median(values.iter().map(|&(value, count)| (f64::from(value), count)));
            if !all.is_empty() {
                proptest::prop_assert_eq!(found, Some(all[(all.len() - 1) / 2]));
            }
        }
    }

    #[test]
    fn degrees_are_guessed_and_brought_to_the_utm_zone() {
        let (crs, found, notes) = run(&[(-75.57, 6.25), (-75.61, 6.22), (200.0, 6.2)], None).unwrap();
        assert_eq!(crs.epsg(), 32_618);
        assert!(found[0].is_some() && found[2].is_none());
        assert_eq!(notes, ["crs_guessed", "crs_chosen"]);
    }

    #[test]
    fn metres_without_a_system_are_refused_and_kept_with_one() {
        let chicago = [(359_192.3, 570_510.9), (356_347.3, 576_182.6)];
        assert_eq!(code(run(&chicago, None)), "crs_unknown");
        let (crs, found, _) = run(&chicago, Some("EPSG:26971")).unwrap();
        assert_eq!(crs.epsg(), 26_971);
        assert_eq!(found[0], Some(chicago[0]));
    }

    #[test]
    fn confusions_are_refused_by_name() {
        assert_eq!(code(run(&[(19.43, -99.13), (19.4, -99.2)], None)), "axes_swapped");
        assert_eq!(
            code(run(&[(4.6, -74.1), (4.7, -74.0)], None)),
            "axes_swapped",
            "74 degrees south is Antarctica"
        );
        assert_eq!(code(run(&[(-75.5, 6.2)], Some("EPSG:32618"))), "degrees_as_metres");
        assert_eq!(code(run(&[(-75.5, 6.2)], Some("EPSG:99"))), "crs_invalid");
        assert_eq!(code(run(&[(434_000.0, 691_000.0)], Some("EPSG:4326"))), "crs_unknown");
    }

    #[test]
    fn web_mercator_is_no_working_system() {
        let (crs, _, _) =
            run(&[(-8_412_000.0, 697_000.0), (-11_035_000.0, 2_205_000.0)], Some("EPSG:3857")).unwrap();
        assert_ne!(crs.epsg(), 3857);
    }

    #[test]
    fn feet_become_metres() {
        let (crs, found, _) = run(&[(1_005_028.0, 234_516.0)], Some("EPSG:2263")).unwrap();
        assert_eq!(crs.epsg(), 32_618);
        let (x, y) = found[0].unwrap();
        let (lon, lat) = crs.to_lonlat().unwrap().convert(x, y).unwrap();
        // The same row of NYPD shootings states -73.924942326, 40.8103518630001.
        assert!((lon + 73.924_942).abs() < 1e-5 && (lat - 40.810_352).abs() < 1e-5, "{lon} {lat}");
    }
}
