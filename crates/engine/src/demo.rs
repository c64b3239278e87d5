//! The sample city: a city that does not exist, with planted hotspots, and how many of them a run found.

use std::path::{Path, PathBuf};

use brasa_export::Staged;
use brasa_ingest::InputOptions;
use brasa_model::Crs;
use geo::{Area, BooleanOps, LineString, Polygon};
use serde_json::Value;

use crate::{Analysis, EngineError, Hotspot, HotspotsParams, MapOptions, Output, Pipeline};

/// The files of the sample city, as they lie in `data/`.
const FILES: [(&str, &str); 3] = [
    ("incidentes.csv", include_str!("../../../data/incidentes.csv")),
    ("city.geojson", include_str!("../../../data/city.geojson")),
    ("planted.geojson", include_str!("../../../data/planted.geojson")),
];

/// Writes the sample city's files into `dir` and gives the pipeline that analyses them into `dir/hotspots`.
pub fn lay_out(dir: &Path, force: bool) -> Result<Pipeline, EngineError> {
    let mut folder = Staged::folder(dir, force)?;
    for (name, text) in FILES {
        brasa_export::write_text(text, &folder.path(name)?)?;
    }
    folder.commit()?;
    Ok(Pipeline {
        files: vec![dir.join("incidentes.csv")],
        input: InputOptions { study_area: Some(dir.join("city.geojson")), ..InputOptions::default() },
        analysis: Analysis::Hotspots(HotspotsParams::default()),
        map: MapOptions::default(),
        output: Output { path: folder_of_results(dir), labels: None, force },
    })
}

fn folder_of_results(dir: &Path) -> PathBuf {
    dir.join("hotspots")
}

/// How a run did against what was planted.
#[derive(Debug, Clone, PartialEq)]
pub struct Score {
    /// Each planted hotspot: its name, and the share of its area that lies inside found hotspots.
    pub planted: Vec<(String, f64)>,
    /// Ranks of found hotspots that touch nothing planted.
    pub false_alarms: Vec<u32>,
}

/// A planted hotspot counts as found when at least this share of its area lies inside found ones.
pub const FOUND_FROM: f64 = 0.5;

impl Score {
    /// How many of the planted ones were found.
    pub fn found(&self) -> usize {
        self.planted.iter().filter(|(_, share)| *share >= FOUND_FROM).count()
    }
}

/// Compares hotspots with the planted ones.
pub fn score(hotspots: &[Hotspot], crs: &Crs) -> Result<Score, EngineError> {
    let planted = planted(crs)?;
    let outline = |hotspot: &Hotspot| hotspot.outline.clone();
    let shares = planted.iter().map(|(name, polygon)| {
        let covered: f64 =
            hotspots.iter().map(|hotspot| polygon.intersection(&outline(hotspot)).unsigned_area()).sum();
        (name.clone(), covered / polygon.unsigned_area())
    });
    let touches = |hotspot: &Hotspot| {
        planted.iter().any(|(_, polygon)| polygon.intersection(&outline(hotspot)).unsigned_area() > 0.0)
    };
    Ok(Score {
        planted: shares.collect(),
        false_alarms: hotspots
            .iter()
            .filter(|hotspot| !touches(hotspot))
            .map(|hotspot| hotspot.rank)
            .collect(),
    })
}

/// The planted polygons with their names, in the working system.
fn planted(crs: &Crs) -> Result<Vec<(String, Polygon<f64>)>, EngineError> {
    let broken =
        || EngineError::Pipeline { place: "planted.geojson".to_owned(), why: "is not as shipped".to_owned() };
    let collection: Value = serde_json::from_str(FILES[2].1).map_err(|_| broken())?;
    let project = crs.from_lonlat()?;
    let ring = |ring: &Value| -> Option<LineString<f64>> {
        let pair = |pair: &Value| project.convert(pair[0].as_f64()?, pair[1].as_f64()?);
        ring.as_array()?.iter().map(pair).collect::<Option<Vec<_>>>().map(LineString::from)
    };
    let feature = |feature: &Value| {
        let name = feature["properties"]["nombre"].as_str()?.to_owned();
        let rings = feature["geometry"]["coordinates"].as_array()?;
        let mut rings = rings.iter().map(ring).collect::<Option<Vec<_>>>()?.into_iter();
        Some((name, Polygon::new(rings.next()?, rings.collect())))
    };
    let features = collection["features"].as_array().ok_or_else(broken)?;
    features.iter().map(feature).collect::<Option<Vec<_>>>().ok_or_else(broken)
}
