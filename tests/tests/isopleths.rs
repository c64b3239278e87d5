//! The laws of areas by density: nested, monotone, valid, and no smaller set of cells holds as much.

use brasa_model::{Isopleths, Metres, Surface};
use brasa_spatial_index::Watch;
use brasa_spatial_index::density::{DensityParams, of_sites};
use brasa_spatial_index::methods::density::isopleths::{IsoplethsParams, isopleths};
use brasa_spatial_index::{AnalysisError, Bandwidth, CellSize, Sites};
use brasa_tests::{brasa, incidents, root};
use geo::{Area, BooleanOps, Contains, Point, Validation};
use proptest::prelude::*;

fn params(levels: &str) -> IsoplethsParams {
    let density = DensityParams {
        bandwidth: Bandwidth::Length(Metres::new(300.0).unwrap()),
        cell: CellSize::Length(Metres::new(50.0).unwrap()),
        ..Default::default()
    };
    IsoplethsParams { density, levels: levels.parse().unwrap() }
}

fn world(places: &[(f64, f64)]) -> brasa_model::Incidents {
    let (x, y) = places.iter().copied().unzip();
    incidents(x, y, None, (0.0, 0.0, 2000.0, 1500.0))
}

fn both(incidents: &brasa_model::Incidents, levels: &str) -> (Surface, Isopleths) {
    let params = params(levels);
    let surface = of_sites(incidents, &Sites::new(incidents), &params.density, &Watch::NOBODY).unwrap();
    (surface, isopleths(incidents, &params, &Watch::NOBODY).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_densest_areas_are_nested_and_hold_what_was_asked(places in prop::collection::vec((0.0..2000.0_f64, 0.0..1500.0_f64), 1..80)) {
        let incidents = world(&places);
        let (surface, found) = both(&incidents, "mass:10%,50%,90%,99%");
        let values: Vec<f64> = surface.grid.cells().map(|cell| surface.value(cell)).collect();
        let total: f64 = values.iter().sum();
        prop_assert_eq!(found.levels.len(), 4);
        for (area, asked) in found.levels.iter().zip([0.99, 0.9, 0.5, 0.1]) {
            // By the definition: enough on the cells at or above the level, not enough on those above it.
            let at_or_above: f64 = values.iter().filter(|&&value| value >= area.level).sum();
            let above: f64 = values.iter().filter(|&&value| value > area.level).sum();
            prop_assert!(at_or_above >= asked * total * (1.0 - 1e-12) && above < asked * total * (1.0 + 1e-12));
            prop_assert!((area.share - at_or_above / total).abs() < 1e-12);
            for cell in surface.grid.cells() {
                let (column, row) = (cell % surface.grid.nx(), cell / surface.grid.nx());
                let centre = Point::new(surface.grid.centre_x(column), surface.grid.centre_y(row));
                prop_assert_eq!(area.polygons.contains(&centre), surface.value(cell) >= area.level);
            }
            for polygon in &area.polygons {
                prop_assert!(polygon.is_valid());
            }
            let inside = places.iter().filter(|&&(x, y)| area.polygons.contains(&Point::new(x, y))).count();
            prop_assert_eq!(area.incidents, inside as f64);
        }
        for pair in found.levels.windows(2) {
            let (wide, narrow) = (&pair[0], &pair[1]);
            prop_assert!(wide.level <= narrow.level && wide.share >= narrow.share);
            prop_assert!(wide.polygons.unsigned_area() >= narrow.polygons.unsigned_area());
            let outside = narrow.polygons.difference(&wide.polygons).unsigned_area();
            prop_assert!(outside < 1e-3, "{outside} m² of the narrow area lie outside of the wide one");
        }
    }

    #[test]
    fn without_ties_the_share_is_within_one_cell_of_what_was_asked(places in prop::collection::vec((0.0..2000.0_f64, 0.0..1500.0_f64), 3..60), asked in 1..99_u32) {
        let (surface, found) = both(&world(&places), &format!("mass:{asked}%"));
        let area = &found.levels[0];
        let total: f64 = surface.grid.cells().map(|cell| surface.value(cell)).sum();
        prop_assert!((area.share - f64::from(asked) / 100.0).abs() <= area.level / total * (1.0 + 1e-9));
    }
}

#[test]
fn levels_by_value_quantile_and_deviation_are_what_they_say() {
    let places: Vec<(f64, f64)> =
        (0..40).map(|at| (f64::from(at * 37 % 2000), f64::from(at * 91 % 1500))).collect();
    let incidents = world(&places);
    let (surface, by_value) = both(&incidents, "value:5,20,1e6");
    assert_eq!(by_value.levels.iter().map(|area| area.level).collect::<Vec<_>>(), [5.0, 20.0]);
    assert!(by_value.notes.iter().any(|note| note.code == "level_not_reached"));
    let values: Vec<f64> = surface.grid.cells().map(|cell| surface.value(cell)).collect();
    let n = values.len() as f64;
    let (_, by_quantile) = both(&incidents, "quantile:90%,95%");
    for (area, share) in by_quantile.levels.iter().zip([0.1, 0.05]) {
        let above = values.iter().filter(|&&value| value >= area.level).count() as f64;
        assert!((above - share * n).abs() <= 1.0, "{above} of {n}");
    }
    let (_, by_deviation) = both(&incidents, "sd:0,1");
    let mean = values.iter().sum::<f64>() / n;
    let deviation = (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / n).sqrt();
    for (area, wanted) in by_deviation.levels.iter().zip([mean, mean + deviation]) {
        assert!((area.level / wanted - 1.0).abs() < 1e-12);
    }
}

#[test]
fn nobody_one_and_all_in_one_place() {
    let none = world(&[]);
    assert_eq!(
        isopleths(&none, &params("mass:50%"), &Watch::NOBODY).unwrap_err(),
        AnalysisError::NoIncidents
    );
    for copies in [1, 1000] {
        let (_, found) = both(&world(&vec![(1010.0, 760.0); copies]), "mass:50%");
        let area = &found.levels[0];
        assert_eq!((area.incidents, area.polygons.0.len()), (copies as f64, 1));
        // The disc around one place that holds half of a quartic of radius h: 1 − (1 − u²)³ = 1/2.
        let u2 = 1.0 - 0.5_f64.cbrt();
        let disc = std::f64::consts::PI * u2 * 300.0 * 300.0;
        assert!(
            (area.polygons.unsigned_area() / disc - 1.0).abs() < 0.06,
            "{}",
            area.polygons.unsigned_area()
        );
    }
    // A kernel narrower than the cells, whose centre it misses.
    let mut narrow = params("mass:50%");
    narrow.density.bandwidth = Bandwidth::Length(Metres::new(1.0).unwrap());
    let error = isopleths(&world(&[(1000.0, 750.0)]), &narrow, &Watch::NOBODY).unwrap_err();
    assert!(error.to_string().contains("larger --bandwidth"), "{error}");
}

#[test]
fn areas_are_written_to_every_vector_format_and_no_raster() {
    let dir = tempfile::tempdir().unwrap();
    let sample = root().join("data/incidentes.csv").display().to_string();
    for ending in ["geojson", "geojsonl", "gpkg", "fgb", "csv"] {
        let out = dir.path().join(format!("areas.{ending}"));
        let said =
            brasa(["isopleths", &sample, "-o", &out.display().to_string(), "--cell", "100m", "--force"]);
        assert!([0, 3].contains(&said.code), "{ending}: {}", said.err);
        assert!(out.metadata().unwrap().len() > 100);
    }
    let geojson = std::fs::read_to_string(dir.path().join("areas.geojson")).unwrap();
    let geojson: serde_json::Value = serde_json::from_str(&geojson).unwrap();
    let features = geojson["features"].as_array().unwrap();
    let rules: Vec<&str> =
        features.iter().map(|feature| feature["properties"]["rule"].as_str().unwrap()).collect();
    assert_eq!(rules, ["mass:75%", "mass:50%", "mass:25%"]);
    for feature in features {
        assert_eq!(feature["geometry"]["type"], "MultiPolygon");
        for column in ["level", "share", "area_km2", "incidents"] {
            assert!(feature["properties"][column].as_f64().unwrap() > 0.0, "{column}");
        }
    }
    let raster = dir.path().join("areas.tif");
    let said = brasa(["isopleths", &sample, "-o", &raster.display().to_string()]);
    assert_eq!(said.code, 2);
    assert!(said.err.contains("a raster cannot hold") && !raster.exists(), "{}", said.err);
}
