use std::fs;

use brasa_export::{Format, write_layer};
use brasa_model::{Blame, Diagnose, Layer, Value};
use geo::{Geometry, LineString, MultiPoint, MultiPolygon, Polygon, line_string, point, polygon};
use proptest::prelude::*;
use serde_json::Value as Json;
use tempfile::tempdir;

use crate::fixtures::{HOSTILE, crs, layer, layer_of, ring};

fn text_of(layer: &Layer, format: Format) -> String {
    let dir = tempdir().unwrap();
    let path = dir.path().join("a.geojson");
    write_layer(layer, &path, format).unwrap();
    fs::read_to_string(path).unwrap()
}

fn json_of(layer: &Layer) -> Json {
    serde_json::from_str(&text_of(layer, Format::GeoJson)).unwrap()
}

fn position(json: &Json) -> (f64, f64) {
    (json[0].as_f64().unwrap(), json[1].as_f64().unwrap())
}

fn ring_of(json: &Json) -> Vec<(f64, f64)> {
    json.as_array().unwrap().iter().map(position).collect()
}

/// Twice the signed area, seen from the first position.
fn turn(ring: &[(f64, f64)]) -> f64 {
    let (x, y) = ring[0];
    ring.windows(2).map(|p| (p[0].0 - x) * (p[1].1 - y) - (p[1].0 - x) * (p[0].1 - y)).sum()
}

fn assert_rfc_7946_polygon(rings: &Json) {
    for (at, ring) in rings.as_array().unwrap().iter().enumerate() {
        let ring = ring_of(ring);
        assert!(ring.len() >= 4 && ring.first() == ring.last(), "a ring is closed: {ring:?}");
        assert!(ring.windows(2).all(|pair| pair[0] != pair[1]), "no position is repeated: {ring:?}");
        assert!(ring.iter().all(|(lon, lat)| lon.abs() <= 180.0 && lat.abs() <= 90.0));
        assert_eq!(turn(&ring) > 0.0, at == 0, "outside counter-clockwise, holes clockwise: {ring:?}");
    }
}

#[test]
fn a_collection_says_what_it_is() {
    let json = json_of(&layer());
    assert_eq!(json["type"], "FeatureCollection");
    assert_eq!(json["name"], "hotspots");
    assert_eq!(json["title"], "Hotspots of \"robbery\"");
    assert_eq!(json["units"], serde_json::json!({"intensity": "incidents/km²/year"}));
    assert_eq!(json["titles"]["rank"], "Rank");
    assert_eq!(json["period"], "2018-01-01T00:00:00/2019-01-01T00:00:00");
    assert_eq!(json["notes"][0]["code"], "bandwidth_chosen");
    assert_eq!(json["provenance"]["parameters"]["bandwidth"], "500m");
    assert_eq!(json["generator"], format!("brasa {}", env!("CARGO_PKG_VERSION")));
    assert!(json.get("crs").is_none());
    let first = &json["features"][0];
    assert_eq!((&first["id"], &first["properties"]["rank"]), (&1.into(), &1.into()));
    assert_eq!(first["properties"]["intensity"].as_f64(), Some(0.1));
    assert!(json["features"][1]["properties"]["intensity"].is_null());
}

#[test]
fn the_box_is_the_box_of_the_positions() {
    let json = json_of(&layer());
    let mut all = Vec::new();
    for feature in json["features"].as_array().unwrap() {
        all.extend(ring_of(&feature["geometry"]["coordinates"][0]));
    }
    let fold =
        |pick: fn(&(f64, f64)) -> f64, best: fn(f64, f64) -> f64| all.iter().map(pick).reduce(best).unwrap();
    let expected =
        [fold(|p| p.0, f64::min), fold(|p| p.1, f64::min), fold(|p| p.0, f64::max), fold(|p| p.1, f64::max)];
    assert_eq!(json["bbox"], serde_json::json!(expected));
}

#[test]
fn there_is_one_line_per_feature() {
    let text = text_of(&layer(), Format::GeoJson);
    assert_eq!(text.lines().count(), 11);
    let lines = text_of(&layer(), Format::GeoJsonSeq);
    assert_eq!(lines.lines().count(), 9);
    assert!(lines.lines().all(|line| serde_json::from_str::<Json>(line).unwrap()["type"] == "Feature"));
}

#[test]
fn many_features_keep_their_order() {
    let count = 40_000;
    let places = (0..count).map(|at| point!(x: 231_000.0 + f64::from(at), y: 3_893_000.0).into());
    let json = json_of(&layer_of(places.collect()));
    let features = json["features"].as_array().unwrap();
    assert_eq!(features.len(), count as usize);
    assert!(
        features
            .iter()
            .zip(1..)
            .all(|(feature, id)| feature["id"] == id && feature["properties"]["rank"] == id)
    );
}

#[test]
fn an_empty_layer_is_an_empty_collection() {
    let json = json_of(&layer_of(Vec::new()));
    assert_eq!(json["features"], serde_json::json!([]));
    assert!(json.get("bbox").is_none());
    assert_eq!(text_of(&layer_of(Vec::new()), Format::GeoJsonSeq), "");
}

#[test]
fn hostile_text_comes_back_as_it_was() {
    let json = json_of(&layer());
    for (at, text) in HOSTILE.iter().enumerate() {
        assert_eq!(json["features"][at]["properties"]["why"], *text);
    }
}

#[test]
fn a_number_that_is_none_is_null() {
    let mut layer = layer();
    layer.features[0].values[1] = Value::Real(f64::NAN);
    layer.features[2].values[1] = Value::Real(f64::NEG_INFINITY);
    layer.features[4].values[1] = Value::Integer(7);
    let json = json_of(&layer);
    assert!(json["features"][0]["properties"]["intensity"].is_null());
    assert!(json["features"][2]["properties"]["intensity"].is_null());
    assert!(json["features"][4]["properties"]["intensity"].is_f64(), "a column keeps its kind");
}

#[test]
fn every_kind_of_geometry_is_written() {
    let (x, y) = (231_000.0, 3_893_000.0);
    let line = line_string![(x: x, y: y), (x: x + 100.0, y: y), (x: x + 100.0, y: y)];
    let dot = point!(x: x, y: y);
    let json = json_of(&layer_of(vec![
        dot.into(),
        MultiPoint(vec![dot, dot]).into(),
        line.clone().into(),
        geo::MultiLineString(vec![line.clone(), line]).into(),
        ring(x, y, 100.0).into(),
        MultiPolygon(vec![ring(x, y, 100.0), ring(x + 200.0, y, 100.0)]).into(),
        Geometry::GeometryCollection(geo::GeometryCollection(vec![dot.into(), ring(x, y, 100.0).into()])),
        geo::Rect::new((x, y), (x + 50.0, y + 50.0)).into(),
        Geometry::MultiPolygon(MultiPolygon(Vec::new())),
    ]));
    let geometry = |at: usize| &json["features"][at]["geometry"];
    let kinds: Vec<_> = (0..8).map(|at| geometry(at)["type"].as_str().unwrap()).collect();
    assert_eq!(
        kinds,
        [
            "Point",
            "MultiPoint",
            "LineString",
            "MultiLineString",
            "Polygon",
            "MultiPolygon",
            "GeometryCollection",
            "Polygon"
        ]
    );
    assert_eq!(geometry(2)["coordinates"].as_array().unwrap().len(), 2, "equal neighbours are merged");
    assert!(geometry(8).is_null());
    assert_rfc_7946_polygon(&geometry(4)["coordinates"]);
    assert_rfc_7946_polygon(&geometry(7)["coordinates"]);
}

#[test]
fn what_rounds_to_nothing_is_left_out() {
    let (x, y) = (231_000.0, 3_893_000.0);
    let speck = |x: f64| polygon![(x: x, y: y), (x: x + 1e-3, y: y), (x: x + 1e-3, y: y + 1e-3)];
    let holed = Polygon::new(ring(x, y, 100.0).exterior().clone(), vec![speck(x + 50.0).exterior().clone()]);
    let json = json_of(&layer_of(vec![
        speck(x).into(),
        MultiPolygon(vec![speck(x), ring(x, y, 100.0)]).into(),
        holed.into(),
    ]));
    assert!(json["features"][0]["geometry"].is_null());
    assert_eq!(json["features"][1]["geometry"]["coordinates"].as_array().unwrap().len(), 1);
    assert_eq!(json["features"][2]["geometry"]["coordinates"].as_array().unwrap().len(), 1);
}

#[test]
fn a_place_without_longitude_is_an_error_that_names_it() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("a.geojson");
    for (x, y) in [(1e30, 0.0), (f64::NAN, 0.0), (231_000.0, f64::INFINITY)] {
        let mut layer = layer();
        layer.features[3].geometry = point!(x: x, y: y).into();
        layer.features[7].geometry = point!(x: x, y: y).into();
        let error = write_layer(&layer, &path, Format::GeoJson).unwrap_err();
        assert_eq!((error.code(), error.blame()), ("coordinate_unprojectable", Blame::Data));
        assert!(error.to_string().contains("feature 4 of layer hotspots"), "{error}");
        assert!(!path.exists());
    }
}

#[test]
fn a_layer_that_contradicts_itself_is_our_bug() {
    let dir = tempdir().unwrap();
    let broken: [fn(&mut Layer); 6] = [
        |layer| layer.features[1].values.truncate(1),
        |layer| layer.features[1].values[0] = Value::Text("one".into()),
        |layer| layer.features[1].id = 1,
        |layer| layer.columns[1].name = "rank",
        |layer| layer.columns[1].name = "fid",
        |layer| layer.name = "Hot spots".into(),
    ];
    for spoil in broken {
        let mut layer = layer();
        spoil(&mut layer);
        let error = write_layer(&layer, &dir.path().join("a.geojson"), Format::GeoJson).unwrap_err();
        assert_eq!((error.code(), error.blame()), ("answer_inconsistent", Blame::Bug));
    }
}

/// A star around a centre: valid whatever the radii, in either direction.
fn stars() -> impl Strategy<Value = Vec<Polygon<f64>>> {
    let star = (
        -30_000.0..30_000.0_f64,
        -30_000.0..30_000.0_f64,
        prop::collection::vec(0.01..2_000.0_f64, 3..24),
        any::<bool>(),
    )
        .prop_map(|(east, north, radii, backwards)| {
            let parts = radii.len() as f64;
            let (x, y) = (231_000.0 + east, 3_893_000.0 + north);
            let mut ring: Vec<(f64, f64)> = radii
                .iter()
                .enumerate()
                .map(|(at, radius)| (radius, at as f64 / parts * std::f64::consts::TAU))
                .map(|(radius, angle)| (x + radius * angle.cos(), y + radius * angle.sin()))
                .collect();
            if backwards {
                ring.reverse();
            }
            Polygon::new(LineString::from(ring), Vec::new())
        });
    prop::collection::vec(star, 0..12)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn the_laws_of_rfc_7946_hold(stars in stars()) {
        let layer = layer_of(stars.iter().cloned().map(Into::into).collect());
        let json = json_of(&layer);
        let projector = crs().to_lonlat().unwrap();
        for (feature, star) in json["features"].as_array().unwrap().iter().zip(&stars) {
            let geometry = &feature["geometry"];
            if geometry.is_null() {
                continue;
            }
            assert_rfc_7946_polygon(&geometry["coordinates"]);
            let written = ring_of(&geometry["coordinates"][0]);
            for vertex in &star.exterior().0 {
                let (lon, lat) = projector.convert(vertex.x, vertex.y).unwrap();
                let near = |at: &&(f64, f64)| (at.0 - lon).abs() <= 1e-7 && (at.1 - lat).abs() <= 1e-7;
                prop_assert!(written.iter().any(|at| near(&at)), "{lon} {lat} is lost");
            }
        }
    }
}
