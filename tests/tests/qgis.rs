//! The layers open in QGIS, in the right place, with the right names. Without QGIS this says "skipped".

use std::process::Command;

use brasa_tests::{brasa, root};
use serde_json::Value;

#[test]
fn the_demo_opens_in_qgis() {
    let there = Command::new("/usr/bin/python3").args(["-c", "import qgis.core"]).output();
    if !there.is_ok_and(|output| output.status.success()) {
        println!("skipped: QGIS for Python is not here");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("demo");
    assert_eq!(brasa(["demo", "-q", "-o", &out.display().to_string()]).code, 0);
    let results = out.join("hotspots");
    let files = ["hotspots.gpkg", "hotspots.geojson", "density.tif"];
    let output = Command::new("/usr/bin/python3")
        .arg(root().join("crates/export/tests/open_in_qgis.py"))
        .args(files.map(|name| results.join(name)))
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    let layers: Vec<Value> = text
        .lines()
        .filter(|line| line.starts_with('{'))
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let of = |file: &str| -> Vec<&Value> {
        layers
            .iter()
            .filter(|layer| layer["path"].as_str().is_some_and(|path| path.ends_with(file)))
            .collect()
    };
    for layer in &layers {
        assert_eq!(layer["valid"], true, "{layer}");
        assert_eq!(layer["invalid_geometries"].as_u64().unwrap_or(0), 0, "{layer}");
    }
    let package = of("hotspots.gpkg");
    assert_eq!(package.len(), 3, "hotspots, zones and the study area: {package:?}");
    for layer in &package {
        assert_eq!(layer["crs"], "EPSG:32717", "{layer}");
        assert!(layer["features"].as_u64().unwrap() > 0, "{layer}");
    }
    let geojson = of("hotspots.geojson");
    assert_eq!(geojson.len(), 1);
    assert!(["EPSG:4326", "OGC:CRS84"].contains(&geojson[0]["crs"].as_str().unwrap()), "{}", geojson[0]);
    let raster = of("density.tif");
    assert_eq!(raster.len(), 1);
    assert_eq!(raster[0]["crs"], "EPSG:32717");
}
