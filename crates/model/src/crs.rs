//! Reference systems: the one place that projects.
//!
//! Coordinates come in some [`SourceCrs`] (degrees, feet, metres) and are brought once to a [`Crs`]: a projected
//! system in metres, in which distances and areas mean what they say. Everything after ingest is in metres.

use std::fmt;

use proj_core::{CrsDef, Transform};
use rayon::prelude::*;

/// Why a reference system cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CrsError {
    /// The text names no system.
    #[error("\"{0}\" is not a reference system; write it as EPSG:32618")]
    Unreadable(String),
    /// The code is not in the built-in registry.
    #[error("reference system {0} is not in the built-in registry")]
    Unknown(String),
    /// The system is not projected in metres.
    #[error("{0} is not a projected system in metres")]
    NotMetric(String),
    /// There is no way between the two.
    #[error("no transformation from {from} to {to}: {why}")]
    NoPath {
        /// Source code.
        from: String,
        /// Target code.
        to: String,
        /// What the projection library says.
        why: String,
    },
}

/// The reference system in which coordinates arrive: degrees, feet or metres.
#[derive(Debug, Clone)]
pub struct SourceCrs {
    epsg: u32,
    name: String,
    metres_per_unit: Option<f64>,
}

impl SourceCrs {
    /// WGS 84 longitude and latitude.
    pub fn wgs84() -> Self {
        Self { epsg: 4326, name: "WGS 84".to_owned(), metres_per_unit: None }
    }

    /// From an EPSG code.
    pub fn from_epsg(epsg: u32) -> Result<Self, CrsError> {
        let unknown = || CrsError::Unknown(format!("EPSG:{epsg}"));
        let def = proj_core::lookup_epsg(epsg).ok_or_else(unknown)?;
        let metres_per_unit = match &def {
            CrsDef::Geographic(_) => None,
            CrsDef::Projected(projected) => Some(projected.linear_unit_to_meter()),
            _ => return Err(unknown()),
        };
        Ok(Self { epsg, name: def.name().to_owned(), metres_per_unit })
    }

    /// From what a user writes: `EPSG:32618`, `32618`, `WGS84`, `CRS84`, or an OGC URN of an EPSG code.
    pub fn parse(text: &str) -> Result<Self, CrsError> {
        let wanted = text.trim().to_ascii_uppercase();
        if matches!(wanted.as_str(), "WGS84" | "WGS 84" | "CRS84" | "OGC:CRS84") || wanted.ends_with(":CRS84")
        {
            return Ok(Self::wgs84());
        }
        let code = wanted.rsplit(':').next().unwrap_or(&wanted);
        let known_form =
            wanted == code || wanted.starts_with("EPSG:") || wanted.starts_with("URN:OGC:DEF:CRS:EPSG:");
        match code.parse() {
            Ok(epsg) if known_form => Self::from_epsg(epsg),
            _ => Err(CrsError::Unreadable(text.to_owned())),
        }
    }

    /// The EPSG code.
    pub const fn epsg(&self) -> u32 {
        self.epsg
    }

    /// The code as text, `EPSG:4326`.
    pub fn code(&self) -> String {
        format!("EPSG:{}", self.epsg)
    }

    /// Whether coordinates are longitude and latitude in degrees.
    pub const fn is_geographic(&self) -> bool {
        self.metres_per_unit.is_none()
    }

    /// This system as a working system, if it is projected in metres.
    pub fn as_metric(&self) -> Option<Crs> {
        (self.metres_per_unit == Some(1.0)).then(|| Crs { epsg: self.epsg, name: self.name.clone() })
    }

    /// The way from here to `target`.
    pub fn to(&self, target: &Crs) -> Result<Projector, CrsError> {
        Projector::between(self.epsg, target.epsg)
    }

    /// The way from here to WGS 84 longitude and latitude.
    pub fn to_lonlat(&self) -> Result<Projector, CrsError> {
        Projector::between(self.epsg, 4326)
    }
}

impl fmt::Display for SourceCrs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EPSG:{} ({})", self.epsg, self.name)
    }
}

/// The working system: projected, in metres.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crs {
    epsg: u32,
    name: String,
}

impl Crs {
    /// From an EPSG code of a projected system in metres.
    pub fn from_epsg(epsg: u32) -> Result<Self, CrsError> {
        SourceCrs::from_epsg(epsg)?.as_metric().ok_or_else(|| CrsError::NotMetric(format!("EPSG:{epsg}")))
    }

    /// The UTM zone on WGS 84 around a place.
    pub fn utm(lon: f64, lat: f64) -> Result<Self, CrsError> {
        let zone = (((lon + 180.0) / 6.0).floor() as i64).rem_euclid(60) as u32 + 1;
        Self::from_epsg(if lat < 0.0 { 32_700 } else { 32_600 } + zone)
    }

    /// The EPSG code.
    pub const fn epsg(&self) -> u32 {
        self.epsg
    }

    /// The code as text, `EPSG:32616`.
    pub fn code(&self) -> String {
        format!("EPSG:{}", self.epsg)
    }

    /// The way from here to WGS 84 longitude and latitude.
    pub fn to_lonlat(&self) -> Result<Projector, CrsError> {
        Projector::between(self.epsg, 4326)
    }

    /// The way from WGS 84 longitude and latitude to here.
    pub fn from_lonlat(&self) -> Result<Projector, CrsError> {
        Projector::between(4326, self.epsg)
    }
}

impl fmt::Display for Crs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EPSG:{} ({})", self.epsg, self.name)
    }
}

/// A way from one reference system to another.
pub struct Projector(Option<Transform>);

impl Projector {
    fn between(from: u32, to: u32) -> Result<Self, CrsError> {
        if from == to {
            return Ok(Self(None));
        }
        Transform::from_epsg(from, to).map(|transform| Self(Some(transform))).map_err(|error| {
            CrsError::NoPath {
                from: format!("EPSG:{from}"),
                to: format!("EPSG:{to}"),
                why: error.to_string(),
            }
        })
    }

    /// One place; `None` when it lies outside what the projection can represent.
    pub fn convert(&self, x: f64, y: f64) -> Option<(f64, f64)> {
        let (x, y) = match &self.0 {
            None => (x, y),
            Some(transform) => transform.convert((x, y)).ok()?,
        };
        (x.is_finite() && y.is_finite()).then_some((x, y))
    }

    /// Many places at once, on all threads; the result does not depend on their number.
    pub fn convert_all(&self, x: &[f64], y: &[f64]) -> Vec<Option<(f64, f64)>> {
        x.par_iter().zip(y).map(|(&x, &y)| self.convert(x, y)).collect()
    }

    /// The name of the datum operation on this way and its stated accuracy in metres, when there is one.
    pub fn operation(&self) -> Option<(String, Option<f64>)> {
        let operation = self.0.as_ref()?.selected_operation();
        Some((operation.name.clone(), operation.accuracy.map(|accuracy| accuracy.meters)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_system_is_read_in_the_forms_people_write() {
        for text in ["EPSG:32618", "epsg:32618", "32618", "urn:ogc:def:crs:EPSG::32618"] {
            assert_eq!(SourceCrs::parse(text).unwrap().epsg(), 32_618, "{text}");
        }
        assert!(SourceCrs::parse("WGS84").unwrap().is_geographic());
        assert!(matches!(SourceCrs::parse("EPSG:1"), Err(CrsError::Unknown(_))));
        assert!(matches!(SourceCrs::parse("my city"), Err(CrsError::Unreadable(_))));
        assert!(SourceCrs::parse("EPSG:2263").unwrap().as_metric().is_none(), "feet are not metres");
    }

    #[test]
    fn memphis_lands_where_proj_puts_it() {
        // First row of sfhotspot's memphis_robberies (MIT), projected by PROJ 9.
        let utm = Crs::utm(-89.942, 35.149).unwrap();
        assert_eq!(utm.epsg(), 32_616);
        let (x, y) = utm.from_lonlat().unwrap().convert(-89.942, 35.149).unwrap();
        assert!((x - 231_985.161661729).abs() < 1e-6 && (y - 3_893_530.25500926).abs() < 1e-6, "{x} {y}");
    }

    #[test]
    fn south_and_west_have_their_own_zones() {
        assert_eq!(Crs::utm(-46.6, -23.5).unwrap().epsg(), 32_723);
        assert_eq!(Crs::utm(180.0, 10.0).unwrap().epsg(), 32_601);
    }
}
