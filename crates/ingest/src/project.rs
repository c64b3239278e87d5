//! In which system the coordinates come, and in which one brasa works.

use std::collections::{BTreeMap, HashMap};

use brasa_model::{Crs, CrsError, Note, Projector, SourceCrs};

use crate::IngestError;
use crate::columns::PlaceRole;
use crate::error::short;
use crate::hash::Quick;
use crate::records::StatedCrs;

/// The distinct places of a file in its own coordinates, and which row is on which.
#[derive(Debug, Clone, Default)]
pub(crate) struct Places {
    pub x: Vec<f64>,
    pub y: Vec<f64>,
    /// How many rows are on each.
    pub count: Vec<u32>,
    /// Per row, the place; `None` for a row without usable coordinates.
    pub of_row: Vec<Option<u32>>,
}

impl Places {
    /// Collects the distinct places of the rows.
    pub fn of_rows(coordinates: impl Iterator<Item = Option<(f64, f64)>>) -> Self {
        let mut places = Self::default();
        let mut seen: HashMap<(u64, u64), u32, Quick> = HashMap::default();
        for coordinate in coordinates {
            let place = coordinate.map(|(x, y)| {
                // Adding zero makes -0 and 0 one place.
                let key = ((x + 0.0).to_bits(), (y + 0.0).to_bits());
                let next = places.x.len() as u32;
                let at = *seen.entry(key).or_insert(next);
                if at == next {
                    places.x.push(x);
                    places.y.push(y);
                    places.count.push(0);
                }
                places.count[at as usize] += 1;
                at
            });
            places.of_row.push(place);
        }
        places
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

/// Per place, where it is; `None` outside the bounds of its system.
pub(crate) type Found = Vec<Option<(f64, f64)>>;

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
    pub fn lonlat(&self, places: &Places) -> Found {
        lonlat(&self.source, self.to_lonlat.as_ref(), places)
    }

    /// The places, which lie at `lonlat`, in the working system.
    pub fn bring(
        &mut self,
        name: &str,
        places: &Places,
        lonlat: &Found,
        crs: &Crs,
    ) -> Result<Found, IngestError> {
        let goal = match &self.goal {
            Some(goal) => goal,
            None => self.goal.insert(self.goal_at(crs).map_err(|error| no_path(name, &error))?),
        };
        Ok(match goal {
            Goal::There(back) => {
                let stays = |at: usize, lon: f64, lat: f64| {
                    let (x, y) = (places.x[at], places.y[at]);
                    // What does not come back from its longitude and latitude was never in this system.
                    let near = back.as_ref().and_then(|back| back.convert(lon, lat));
                    near.is_some_and(|(a, b)| (a - x).abs() < 10.0 && (b - y).abs() < 10.0).then_some((x, y))
                };
                let places = lonlat.iter().enumerate();
                places.map(|(at, place)| place.and_then(|(lon, lat)| stays(at, lon, lat))).collect()
            }
            Goal::Away(way) => {
                let there = way.convert_all(&places.x, &places.y);
                there.into_iter().zip(lonlat).map(|(place, lonlat)| lonlat.and(place)).collect()
            }
        })
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
    pub lonlat: &'a Found,
}

/// The one system for all files: that in which the coordinates come if it is in true metres (that of the most rows, where files
/// differ), else the UTM zone of the median place. There is none while not one place lies in the bounds of its system.
pub(crate) fn working_system(
    name: &str,
    files: &[Located<'_>],
    notes: &mut Vec<Note>,
) -> Result<Option<Crs>, IngestError> {
    let all =
        || files.iter().flat_map(|file| file.lonlat.iter().copied().zip(file.places.count.iter().copied()));
    let Some((lon, lat)) = median(&all()) else { return Ok(None) };
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
        all()
            .filter(|(place, _)| place.is_some_and(|(at, _)| wanted(at)))
            .map(|(_, count)| u64::from(count))
            .sum()
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

/// The places on WGS 84.
fn lonlat(source: &SourceCrs, way: Option<&Projector>, places: &Places) -> Found {
    let Some(way) = way else {
        return places.x.iter().zip(&places.y).map(|(&x, &y)| is_lonlat(x, y).then_some((x, y))).collect();
    };
    let there = way.convert_all(&places.x, &places.y);
    let sane = |(at, place): (usize, Option<(f64, f64)>)| {
        let inside = !source.is_geographic() || is_lonlat(places.x[at], places.y[at]);
        place.filter(|&(lon, lat)| inside && is_lonlat(lon, lat))
    };
    there.into_iter().enumerate().map(sane).collect()
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

/// The median longitude and latitude over all rows.
fn median(places: &(impl Iterator<Item = (Option<(f64, f64)>, u32)> + Clone)) -> Option<(f64, f64)> {
    let middle = |pick: fn((f64, f64)) -> f64| {
        let mut values: Vec<(f64, u32)> =
            places.clone().filter_map(|(place, count)| Some((pick(place?), count))).collect();
        values.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        let all: u64 = values.iter().map(|&(_, count)| u64::from(count)).sum();
        let mut before = 0;
        values.into_iter().find_map(|(value, count)| {
            before += u64::from(count);
            (before * 2 >= all).then_some(value)
        })
    };
    Some((middle(|place| place.0)?, middle(|place| place.1)?))
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

    fn places(list: &[(f64, f64)]) -> Places {
        Places::of_rows(list.iter().copied().map(Some))
    }

    fn run(list: &[(f64, f64)], given: Option<&str>) -> Result<(Crs, Found, Vec<String>), IngestError> {
        let places = places(list);
        let mut notes = Vec::new();
        let role = PlaceRole::Xy(0, 1);
        let source = source("f", &places, role, "swap", &StatedCrs::Nothing, given, &mut notes)?;
        let mut course = Course::new("f", source, &mut notes)?;
        let lonlat = course.lonlat(&places);
        let located = Located { source: &course.source, places: &places, lonlat: &lonlat };
        let crs = working_system("f", &[located], &mut notes)?.unwrap();
        let found = course.bring("f", &places, &lonlat, &crs)?;
        Ok((crs, found, notes.into_iter().map(|note| note.code).collect()))
    }

    fn code(result: Result<(Crs, Found, Vec<String>), IngestError>) -> &'static str {
        result.err().map_or("ok", |error| brasa_model::Diagnose::code(&error))
    }

    #[test]
    fn equal_places_are_one_place() {
        let places = places(&[(1.0, 2.0), (1.0, 2.0), (0.0, 5.0), (-0.0, 5.0)]);
        assert_eq!(places.count, [2, 2]);
        assert_eq!(places.of_row, [Some(0), Some(0), Some(1), Some(1)]);
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
