use std::path::Path;
use std::process::Command;

use brasa_export::{Format, Imprint, write_gpkg, write_layer, write_surface};
use serde_json::Value as Json;
use tempfile::tempdir;

use crate::fixtures::{crs, layer, layer_of, surface};

const PYTHON: &str = "/usr/bin/python3";

fn has_qgis() -> bool {
    let import =
        Command::new(PYTHON).args(["-c", "import qgis.core"]).env("QT_QPA_PLATFORM", "offscreen").output();
    import.is_ok_and(|done| done.status.success())
}

/// What QGIS says of each layer in these files.
fn open(files: &[&Path]) -> Vec<Json> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/open_in_qgis.py");
    let done = Command::new(PYTHON).arg(script).args(files).output().unwrap();
    let said = String::from_utf8(done.stdout).unwrap();
    assert!(done.status.success(), "{said}\n{}", String::from_utf8_lossy(&done.stderr));
    said.lines()
        .filter(|line| line.starts_with('{'))
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn qgis_opens_everything_and_leaves_nothing_behind() {
    if !has_qgis() {
        println!("skipped: no QGIS for {PYTHON}");
        return;
    }
    let dir = tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    let (hotspots, mut zones) = (layer(), layer_of(Vec::new()));
    zones.name = "zones".into();
    zones.title = "No zone at all".into();
    write_layer(&hotspots, &at("a.geojson"), Format::GeoJson).unwrap();
    write_layer(&hotspots, &at("a.geojsonl"), Format::GeoJsonSeq).unwrap();
    write_layer(&hotspots, &at("a.fgb"), Format::FlatGeobuf).unwrap();
    write_gpkg(&[&hotspots, &zones], Imprint::PLAIN, &at("a.gpkg")).unwrap();
    write_surface(&surface(600, 400), &crs(), &at("density.tif"), Format::GeoTiff).unwrap();

    let names = ["a.geojson", "a.geojsonl", "a.fgb", "a.gpkg", "density.tif"].map(at);
    let found = open(&names.each_ref().map(std::path::PathBuf::as_path));
    assert_eq!(found.len(), 6, "{found:#?}");
    for (report, crs) in found.iter().zip(["EPSG:4326", "EPSG:4326", "EPSG:32616"]) {
        assert_eq!((&report["crs"], &report["features"]), (&crs.into(), &9.into()), "{report}");
        assert_eq!(
            (&report["geometries"], &report["invalid_geometries"]),
            (&9.into(), &0.into()),
            "{report}"
        );
    }
    assert!(found[0]["layer"].as_str().unwrap().contains("hotspots"), "{}", found[0]);
    let titles: Vec<_> = found[3..5].iter().map(|report| report["title"].as_str().unwrap()).collect();
    assert_eq!(titles, [hotspots.title.as_str(), zones.title.as_str()]);
    assert_eq!(found[3]["abstract"], hotspots.description);
    assert_eq!(found[4]["geometry_type"], "MultiPolygon");
    let raster = &found[5];
    assert_eq!(raster["size"], serde_json::json!([600, 400]));
    assert_eq!((&raster["nodata"], &raster["crs"]), (&(-9999.0).into(), &"EPSG:32616".into()));
    assert_eq!(raster["band_name"], "Band 1: Incidents per km² per year");
}
