//! Maps as pictures: what is on them, in which language, with what beneath, and what becomes of a basemap that is none.

use std::path::Path;

use brasa_tests::{Said, brasa, real, root};
use serde_json::Value;

fn text(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap()
}

/// The width and height that a PNG states.
fn pixels(path: &Path) -> (u32, u32) {
    let bytes = std::fs::read(path).unwrap();
    assert!(bytes.starts_with(b"\x89PNG\r\n\x1a\n"));
    let number = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
    (number(16), number(20))
}

#[test]
fn the_map_says_what_when_where_how_much_and_how_not_to_misread_it() {
    let dir = tempfile::tempdir().unwrap();
    let (city, data) = (dir.path().join("city"), root().join("data"));
    let flags = ["--lang", "es", "--title", "Ciudad <b>& más", "--attribution", "Datos: Policía, CC-BY 4.0"];
    let run = |out: &Path| {
        let files = [data.join("incidentes.csv"), data.join("city.geojson"), out.to_path_buf()]
            .map(|path| path.display().to_string());
        let base =
            ["hotspots", &files[0], "--study-area", &files[1], "-o", &files[2], "--replicates", "0", "-q"];
        assert_eq!(brasa(base.into_iter().chain(flags)).code, 3, "the sample has rows to set aside");
    };
    run(&city);
    let drawn = text(&city.join("map.svg"));
    for said in [
        "Ciudad &lt;b&gt;&amp; más",
        "2023-01-01 – 2024-12-31 · 6.448 incidentes · 109,4 km²",
        "Leyenda",
        "Densidad de incidentes",
        "Incidentes por mes",
        "Fuente: incidentes.csv",
        "EPSG:32717",
        "Datos: Policía, CC-BY 4.0",
        "nunca personas",
        " km</text>",
        ">N</text>",
    ] {
        assert!(drawn.contains(said), "{said}");
    }
    let geojson: Value = serde_json::from_str(&text(&city.join("hotspots.geojson"))).unwrap();
    for hotspot in geojson["features"].as_array().unwrap() {
        let rank = format!("text-anchor=\"middle\">{}</text>", hotspot["properties"]["rank"]);
        assert!(drawn.contains(&rank), "{rank}");
    }
    assert_eq!(pixels(&city.join("map.png")), (2246, 1588));
    let again = dir.path().join("again");
    run(&again);
    for name in ["map.svg", "map.png"] {
        assert_eq!(
            std::fs::read(city.join(name)).unwrap(),
            std::fs::read(again.join(name)).unwrap(),
            "{name}"
        );
    }
}

/// The sample city's hotspots, with that file beneath.
fn with_basemap(out: &Path, basemap: &Path) -> Said {
    let data = root().join("data");
    let paths =
        [data.join("incidentes.csv"), data.join("city.geojson"), basemap.to_path_buf(), out.to_path_buf()];
    let [incidents, area, basemap, out] = paths.map(|path| path.display().to_string());
    let cell = ["--replicates", "0", "--cell", "300m"];
    brasa(
        ["hotspots", &incidents, "--study-area", &area, "--basemap", &basemap, "-o", &out]
            .into_iter()
            .chain(cell),
    )
}

#[test]
fn a_basemap_is_drawn_beneath_and_put_on_record() {
    let dir = tempfile::tempdir().unwrap();
    let streets = dir.path().join("calles.geojson");
    // Across the sample city from west to east, a lake, and a street in another country.
    std::fs::write(
        &streets,
        r#"{"type":"FeatureCollection","features":[
        {"type":"Feature","properties":{},"geometry":{"type":"LineString","coordinates":[[-83.56,-12.0],[-83.5,-12.01],[-83.44,-12.0]]}},
        {"type":"Feature","properties":{},"geometry":{"type":"Polygon","coordinates":[[[-83.5,-12.0],[-83.49,-12.0],[-83.49,-11.99],[-83.5,-12.0]]]}},
        {"type":"Feature","properties":{},"geometry":{"type":"LineString","coordinates":[[-75.0,6.0],[-75.1,6.1]]}}]}"#,
    )
    .unwrap();
    let out = dir.path().join("out");
    let run = with_basemap(&out, &streets);
    assert_eq!(run.code, 3, "{}", run.err);
    let manifest: Value = serde_json::from_str(&text(&out.join("manifest.json"))).unwrap();
    let basemap =
        manifest["inputs"].as_array().unwrap().iter().find(|input| input["role"] == "basemap").unwrap();
    assert_eq!(basemap["name"], "calles.geojson");
    assert_eq!(basemap["sha256"].as_str().map(str::len), Some(64));
    let drawn = text(&out.join("map.svg"));
    assert_eq!(drawn.matches("stroke=\"#9aa0a6\"").count(), 1, "one street");
    assert_eq!(drawn.matches("fill=\"#9aa0a6\"").count(), 1, "one lake");
}

#[test]
fn what_is_no_basemap_of_this_place_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str, content: &str| {
        let path = dir.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    };
    let elsewhere = file(
        "elsewhere.geojson",
        r#"{"type":"FeatureCollection","features":[{"type":"Feature","properties":{},"geometry":{"type":"LineString","coordinates":[[2.0,48.0],[2.1,48.1]]}}]}"#,
    );
    for (basemap, code, said) in [
        (elsewhere, 65, "no line or area within the study area"),
        (file("text.geojson", "not a map"), 65, ""),
        (file("empty.geojson", ""), 65, ""),
        (dir.path().join("missing.gpkg"), 66, "missing.gpkg"),
        (dir.path().to_path_buf(), 66, ""),
    ] {
        let out = dir.path().join("out");
        let run = with_basemap(&out, &basemap);
        assert_eq!(run.code, code, "{}: {}", basemap.display(), run.err);
        assert!(run.err.contains(said), "{}", run.err);
        assert!(!out.exists(), "{}", basemap.display());
    }
}

#[test]
fn an_extract_of_openstreetmap_is_a_basemap() {
    let Some(extract) = real("osm/sample_town_streets.osm.pbf") else { return };
    let dir = tempfile::tempdir().unwrap();
    let incidents = dir.path().join("incidents.csv");
    let mut rows = "lon,lat\n".to_owned();
    for at in 0..400 {
        let (x, y) = (f64::from(at % 20) * 0.0005, f64::from(at / 20) * 0.0003);
        rows.push_str(&format!("{},{}\n", -1.613 + x, 54.967 + y));
    }
    std::fs::write(&incidents, rows).unwrap();
    let out = dir.path().join("out");
    let [incidents, extract, folder] = [&incidents, &extract, &out].map(|path| path.display().to_string());
    let run =
        brasa(["hotspots", &incidents, "--basemap", &extract, "-o", &folder, "--replicates", "0", "-q"]);
    assert_eq!(run.code, 0, "{}", run.err);
    assert!(text(&out.join("map.svg")).contains("stroke=\"#9aa0a6\""));
}
