use std::path::Path;
use std::process::Command;

use brasa_export::{Companions, Format, Imprint, Lang, apart, write_gpkg, write_layer, write_surface};
use brasa_model::{Layer, Style};
use serde_json::Value as Json;
use tempfile::tempdir;

use crate::fixtures::{HOSTILE, crs, layer, layer_of, ring, series, surface};

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

#[test]
fn a_style_and_a_record_are_taken_up_whatever_texts_stand_in_them() {
    if !has_qgis() {
        println!("skipped: no QGIS for {PYTHON}");
        return;
    }
    let dir = tempdir().unwrap();
    let imprint = |attribution| Imprint { lang: Lang::PT, attribution };
    let mut files = Vec::new();
    for (at, text) in HOSTILE.into_iter().chain(["a ]]> b", "<!-- & --> %1 [% 1/0 %]"]).enumerate() {
        let mut layer = layer();
        layer.title = text.into();
        layer.description = text.into();
        let path = dir.path().join(format!("{at}.geojson"));
        write_layer(&layer, &path, Format::GeoJson).unwrap();
        Companions::of_layer(&layer, Format::GeoJson, imprint(text)).write(&path).unwrap();
        files.push((path, text));
        let path = dir.path().join(format!("{at}.gpkg"));
        write_gpkg(&[&layer], imprint(text), &path).unwrap();
        files.push((path, text));
    }
    let paths: Vec<&Path> = files.iter().map(|(path, _)| path.as_path()).collect();
    let found = open(&paths);
    assert_eq!(found.len(), files.len());
    for (report, (_, text)) in found.iter().zip(&files) {
        let text = text.replace(|c: char| c < ' ' && !"\t\n\r".contains(c), "\u{FFFD}");
        assert_eq!(report["renderer"], "graduatedSymbol", "{report}");
        assert_eq!(report["attribute_exists"], true, "{report}");
        assert_eq!(report["labels"], "rank", "{report}");
        for said in [&report["title"], &report["abstract"], &report["licences"][0]] {
            // QGIS trims texts and unites line ends.
            let same = said.as_str().unwrap().replace('\r', "");
            assert_eq!(same.trim(), text.replace('\r', "").trim(), "{report}");
        }
    }
}

#[test]
fn rasters_and_layers_without_features_are_styled_too() {
    if !has_qgis() {
        println!("skipped: no QGIS for {PYTHON}");
        return;
    }
    let dir = tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    let (surface, series, none) = (surface(60, 40), series(30, 20), layer_of(Vec::new()));
    write_surface(&surface, &crs(), &at("a.tif"), Format::GeoTiff).unwrap();
    Companions::of_surface(&surface, &crs(), None, Imprint::PLAIN).write(&at("a.tif")).unwrap();
    brasa_export::write_series(&series, &crs(), &at("b.tif"), Format::GeoTiff).unwrap();
    Companions::of_series(&series, &crs(), Imprint::PLAIN).write(&at("b.tif")).unwrap();
    write_gpkg(&[&none], Imprint::PLAIN, &at("none.gpkg")).unwrap();
    // A surface of zeros has no classes at all.
    let mut flat = surface.clone();
    flat.values.mapv_inplace(|value| value * 0.0);
    write_surface(&flat, &crs(), &at("flat.tif"), Format::GeoTiff).unwrap();
    Companions::of_surface(&flat, &crs(), None, Imprint::PLAIN).write(&at("flat.tif")).unwrap();

    let names = ["a.tif", "b.tif", "none.gpkg", "flat.tif"].map(at);
    let found = open(&names.each_ref().map(std::path::PathBuf::as_path));
    for report in &found[..2] {
        assert_eq!((&report["renderer"], &report["blank"]), (&"singlebandpseudocolor".into(), &false.into()));
        let classes = report["classes"].as_array().unwrap();
        assert_eq!((&classes[0][3], &classes[1][3]), (&0.into(), &255.into()), "zero lets the ground show");
        assert!(!report["title"].as_str().unwrap().is_empty(), "{report}");
    }
    assert_eq!(
        (&found[2]["renderer"], &found[2]["attribute"]),
        (&"graduatedSymbol".into(), &"intensity".into())
    );
    assert_eq!(found[3]["valid"], true, "{}", found[3]);
}

#[test]
fn a_mixed_layer_is_one_layer_for_each_shape() {
    let mut mixed: Layer = layer_of(vec![
        geo::Geometry::Line(geo::Line::new((0.0, 0.0), (5.0, 5.0))),
        ring(0.0, 0.0, 10.0).into(),
        geo::point!(x: 1.0, y: 1.0).into(),
        ring(20.0, 0.0, 10.0).into(),
    ]);
    mixed.style = Style::of(brasa_model::DrawnBy::Edge);
    let parts = apart(&mixed);
    let names: Vec<_> = parts.iter().map(|part| (part.name.as_str(), part.features.len())).collect();
    assert_eq!(names, [("hotspots_areas", 2), ("hotspots_lines", 1), ("hotspots_points", 1)]);
    assert_eq!(apart(&parts[0])[0].name, "hotspots_areas");
    if !has_qgis() {
        println!("skipped: no QGIS for {PYTHON}");
        return;
    }
    let dir = tempdir().unwrap();
    let path = dir.path().join("a.gpkg");
    write_gpkg(&parts.iter().collect::<Vec<_>>(), Imprint::PLAIN, &path).unwrap();
    let found = open(&[&path]);
    assert_eq!(found.len(), 3);
    // A picture of one point alone has no extent.
    let drawn = |report: &&Json| report["geometry_type"] != "Point";
    assert!(found.iter().filter(drawn).all(|report| report["blank"] == false), "{found:#?}");
}
