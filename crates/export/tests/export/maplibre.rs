//! The style for a web map: valid by its specification, and the same colours as the legend, in the words of the library itself.

use std::fs;
use std::path::Path;
use std::process::Command;

use brasa_export::style::{Legend, Rgb};
use brasa_export::{Companions, Format, Imprint, Lang, write_layer};
use brasa_model::{DrawnBy, Layer, Scale, Style, Tone, Value, Word};
use geo::{line_string, point};
use serde_json::{Value as Json, json};
use tempfile::tempdir;

use crate::fixtures::{HOSTILE, layer, layer_of};

fn style_of(layer: &Layer, path: &Path, format: Format) -> Json {
    let imprint = Imprint { lang: Lang::EN, attribution: "Police <b>of</b> Memphis" };
    Companions::of_layer(layer, format, imprint).write(path).unwrap();
    serde_json::from_slice(&fs::read(path.with_extension("style.json")).unwrap()).unwrap()
}

/// What the style specification's own program says of a style and of the features beside it.
#[expect(clippy::print_stdout, reason = "a skipped test must say so")]
fn judged(layer: &Layer) -> Option<Json> {
    let web = Path::new(env!("CARGO_MANIFEST_DIR")).join("web");
    let spec = web.join("node_modules/@maplibre/maplibre-gl-style-spec");
    if !spec.exists() || Command::new("node").arg("--version").output().is_err() {
        println!("skipped: node and what npm ci lays in web/ are not here");
        return None;
    }
    let dir = tempdir().unwrap();
    let path = dir.path().join("a.geojson");
    write_layer(layer, &path, Format::GeoJson).unwrap();
    style_of(layer, &path, Format::GeoJson);
    let output = Command::new("node")
        .arg(web.join("style.mjs"))
        .args([path.with_extension("style.json"), path])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

/// As the specification's program writes a colour.
fn rgba(colour: Option<Rgb>) -> String {
    let Rgb(red, green, blue) = colour.unwrap_or(Rgb(204, 204, 204));
    format!("rgba({red},{green},{blue},1)")
}

#[test]
fn a_style_names_its_file_alone_and_holds_the_legend() {
    let dir = tempdir().unwrap();
    let layer = layer();
    let style = style_of(&layer, &dir.path().join("mis puntos.geojson"), Format::GeoJson);
    assert_eq!(style["version"], 8);
    assert_eq!(
        style["sources"]["hotspots"],
        json!({
            "type": "geojson",
            "data": "mis puntos.geojson",
            "attribution": "Police &lt;b&gt;of&lt;/b&gt; Memphis"
        })
    );
    let legend = Legend::of(&layer, Lang::EN);
    let classes = style["metadata"]["brasa:legend"]["classes"].as_array().unwrap();
    let labels: Vec<_> = classes.iter().map(|class| class["label"].as_str().unwrap()).collect();
    assert_eq!(labels, legend.entries.iter().map(|entry| entry.label.as_str()).collect::<Vec<_>>());
    let kinds: Vec<_> = style["layers"].as_array().unwrap().iter().map(|layer| &layer["type"]).collect();
    assert_eq!(kinds, ["fill", "line"]);
    // The map opens on Memphis.
    assert!((style["center"][0].as_f64().unwrap() + 89.9).abs() < 0.2, "{style}");
    assert!((style["zoom"].as_f64().unwrap() - 13.0).abs() < 2.0, "{style}");

    let style = style_of(&layer, &dir.path().join("a.pmtiles"), Format::PmTiles);
    assert_eq!(style["sources"]["hotspots"]["url"], "pmtiles://a.pmtiles");
    assert!(style["layers"].as_array().unwrap().iter().all(|layer| layer["source-layer"] == "hotspots"));
    let beside: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!beside.contains(&"a.qml".into()), "QGIS takes no style from beside tiles: {beside:?}");
}

#[test]
fn every_feature_has_the_colour_of_its_class() {
    let words = || {
        HOSTILE
            .into_iter()
            .zip([Tone::High, Tone::Low, Tone::Quiet].into_iter().cycle())
            .take(6)
            .map(|(value, tone)| Word { value, title: value, tone })
            .collect()
    };
    let (x, y) = (231_000.0, 3_893_000.0);
    let points = layer_of((0..40).map(|at| point!(x: x + f64::from(at), y: y).into()).collect());
    let lines = layer_of(
        (0..9).map(|at| line_string![(x: x, y: y), (x: x + 9.0, y: y + f64::from(at))].into()).collect(),
    );
    let mut far = layer();
    for (at, feature) in far.features.iter_mut().enumerate() {
        feature.values[1] =
            [Value::Real(-3.5), Value::Real(0.0), Value::Null, Value::Integer(7)][at % 4].clone();
    }
    for shaped in [layer(), points, lines, far] {
        for style in [
            Style::number("intensity", Scale::Sequential),
            Style::number("intensity", Scale::Diverging).labelled("rank"),
            Style::number("rank", Scale::Upper),
            Style::word("why", words()),
            Style::of(DrawnBy::Alike),
        ] {
            let layer = Layer { style, ..shaped.clone() };
            let Some(told) = judged(&layer) else { return };
            assert_eq!(told["errors"], json!([]), "{:?}", layer.style);
            let legend = Legend::of(&layer, Lang::EN);
            let expected: Vec<String> = layer
                .features
                .iter()
                .map(|one| rgba(legend.entry_of(one).and_then(|class| legend.entries[class].fill)))
                .collect();
            assert_eq!(told["colours"][0], json!(expected), "{:?}", layer.style);
        }
    }
}

#[test]
fn edges_and_layers_without_features_are_valid_too() {
    for (layer, style) in [(layer(), Style::of(DrawnBy::Edge)), (layer_of(Vec::new()), layer().style)] {
        let Some(told) = judged(&Layer { style, ..layer }) else { return };
        assert_eq!(told["errors"], json!([]));
    }
}
