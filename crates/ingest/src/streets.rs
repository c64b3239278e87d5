//! Streets to travel on: the lines of a file, with what it says of their direction and speed.

use std::path::Path;

use brasa_model::{Crs, InputRecord, Street};
use geo::{BoundingRect, Intersects, LineString, MapCoords, Rect};

use crate::IngestError;
use crate::basemap::way_from;
#[cfg(feature = "gdal")]
use crate::open::{Form, Place};
use crate::open::{Opened, must_be_a_file, open};
use crate::records::StatedCrs;

/// Lines of a layer, with the system they are in.
pub(crate) type Lines = (Vec<(LineString<f64>, Tags)>, StatedCrs);

/// What a file says of a street, in the words of OpenStreetMap; empty where it says nothing.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tags {
    pub highway: String,
    pub oneway: String,
    pub maxspeed: String,
    pub junction: String,
}

impl Tags {
    /// The columns, in the order of the fields.
    #[cfg(feature = "gdal")]
    pub const NAMES: [&'static str; 4] = ["highway", "oneway", "maxspeed", "junction"];

    /// Whether it may be driven forward, and backward (wiki.openstreetmap.org/wiki/Key:oneway).
    fn directions(&self) -> (bool, bool) {
        let implied =
            self.highway == "motorway" || self.junction == "roundabout" || self.junction == "circular";
        match self.oneway.trim().to_ascii_lowercase().as_str() {
            "yes" | "true" | "1" => (true, false),
            "-1" | "reverse" => (false, true),
            "no" | "false" | "0" => (true, true),
            _ => (true, !implied),
        }
    }

    /// `50`, `50 km/h` or `30 mph`.
    fn kmh(&self) -> Option<f64> {
        let text = self.maxspeed.trim();
        let digits =
            text.find(|letter: char| !letter.is_ascii_digit() && letter != '.').unwrap_or(text.len());
        let value: f64 = text.get(..digits)?.parse().ok()?;
        let factor = if text.ends_with("mph") { 1.609_344 } else { 1.0 };
        (1.0..=200.0).contains(&(value * factor)).then_some(value * factor)
    }
}

/// Streets that were read.
#[derive(Debug, Clone)]
pub struct Streets {
    /// The streets, in the order of the file.
    pub streets: Vec<Street>,
    /// The file, on record.
    pub record: InputRecord,
}

/// Reads the lines of a file that lie in `extent`, in the metres of `crs`: of an OpenStreetMap extract what may be driven on, of any
/// other vector file all lines. Columns `oneway`, `maxspeed`, `highway` and `junction` are understood as OpenStreetMap means them.
pub fn read_streets(path: &Path, extent: Rect<f64>, crs: &Crs) -> Result<Streets, IngestError> {
    must_be_a_file(path)?;
    let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let opened = open(path, name.clone(), None)?;
    let digest = opened.digest()?;
    let mut systems: Vec<String> = Vec::new();
    let mut streets = Vec::new();
    for (found, stated) in layers(&opened, path, extent, crs)? {
        let (way, system) = way_from(stated, &name, crs)?;
        systems.push(system);
        for (line, tags) in found {
            // A line with a corner that has no place in the working system lies far away.
            let there = line.try_map_coords(|at| way.convert(at.x, at.y).map(Into::into).ok_or(()));
            let Ok(line) = there else { continue };
            if line.0.len() > 1 && line.bounding_rect().is_some_and(|bounds| bounds.intersects(&extent)) {
                let (forward, backward) = tags.directions();
                streets.push(Street { line, forward, backward, limit_kmh: tags.kmh() });
            }
        }
    }
    if streets.is_empty() {
        let why = "it holds no street within the study area".to_owned();
        return Err(IngestError::FormatUnreadable { name, format: "streets", why });
    }
    systems.sort();
    systems.dedup();
    let sha256 = digest.finish(&name)?;
    let record = InputRecord {
        crs_in: Some(systems.join(", ")),
        crs_out: Some(crs.code()),
        ..InputRecord::of_file("streets", name, opened.bytes, sha256)
    };
    Ok(Streets { streets, record })
}

#[cfg(feature = "gdal")]
fn layers(opened: &Opened, path: &Path, extent: Rect<f64>, crs: &Crs) -> Result<Vec<Lines>, IngestError> {
    let (place, format) = match &opened.form {
        Form::Other(place, format) => (place.clone(), *format),
        _ => (Place { path: path.to_owned(), inside: Vec::new() }, "streets"),
    };
    let file = crate::drivers::Named { name: opened.name.clone(), format };
    crate::drivers::lines(&place, &file, crate::basemap::lonlat(extent, crs))
}

/// Refused: GDAL reads the formats of streets.
#[cfg(not(feature = "gdal"))]
fn layers(opened: &Opened, _: &Path, _: Rect<f64>, _: &Crs) -> Result<Vec<Lines>, IngestError> {
    Err(IngestError::FormatUnsupported { name: opened.name.clone(), format: "streets".to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directions_and_speeds_are_those_of_openstreetmap() {
        let tags = |highway: &str, oneway: &str, maxspeed: &str, junction: &str| Tags {
            highway: highway.to_owned(),
            oneway: oneway.to_owned(),
            maxspeed: maxspeed.to_owned(),
            junction: junction.to_owned(),
        };
        assert_eq!(tags("residential", "", "", "").directions(), (true, true));
        assert_eq!(tags("motorway", "", "", "").directions(), (true, false));
        assert_eq!(tags("motorway", "no", "", "").directions(), (true, true));
        assert_eq!(tags("residential", "-1", "", "").directions(), (false, true));
        assert_eq!(tags("tertiary", "", "", "roundabout").directions(), (true, false));
        assert_eq!(tags("", "YES", "", "").directions(), (true, false));
        let kmh = |text: &str| tags("", "", text, "").kmh();
        assert_eq!((kmh("50"), kmh("60 km/h"), kmh("30 mph")), (Some(50.0), Some(60.0), Some(48.28032)));
        assert_eq!(
            (kmh(""), kmh("none"), kmh("MX:urban"), kmh("0"), kmh("9999")),
            (None, None, None, None, None)
        );
    }
}
