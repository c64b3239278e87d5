//! What lies across the 180th meridian.

use std::fs;

use brasa_export::{Format, write_layer};
use brasa_model::{Crs, Diagnose, Layer};
use geo::{Area, Geometry, LineString, MultiPolygon, Polygon, line_string, polygon};
use proptest::prelude::*;
use serde_json::Value as Json;
use tempfile::tempdir;

use crate::fixtures::{layer_of, ring};

/// The systems of places on the meridian: both neighbouring UTM zones, and Fiji's own.
const SYSTEMS: [u32; 3] = [32_760, 32_701, 3460];

fn json_of(layer: &Layer) -> Json {
    let dir = tempdir().unwrap();
    let path = dir.path().join("a.geojson");
    write_layer(layer, &path, Format::GeoJson).unwrap();
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// A layer around a place near the meridian.
fn near(epsg: u32, lon: f64, lat: f64, geometry: impl Fn(f64, f64) -> Geometry<f64>) -> Layer {
    let crs = Crs::from_epsg(epsg).unwrap();
    let (x, y) = crs.from_lonlat().unwrap().convert(lon, lat).unwrap();
    let mut layer = layer_of(vec![geometry(x, y)]);
    layer.crs = crs;
    layer
}

fn positions(json: &Json) -> Vec<(f64, f64)> {
    let pair = |at: &Json| (at[0].as_f64().unwrap(), at[1].as_f64().unwrap());
    json.as_array().unwrap().iter().map(pair).collect()
}

/// The polygons of a geometry; no edge may run round the world.
fn polygons(geometry: &Json) -> Vec<Polygon<f64>> {
    let coordinates = &geometry["coordinates"];
    let parts = if geometry["type"] == "Polygon" {
        vec![coordinates.clone()]
    } else {
        assert_eq!(geometry["type"], "MultiPolygon");
        coordinates.as_array().unwrap().clone()
    };
    let ring = |json: &Json| {
        let ring = positions(json);
        assert!(ring.windows(2).all(|pair| (pair[0].0 - pair[1].0).abs() < 180.0), "{ring:?}");
        assert!(ring.iter().all(|at| at.0.abs() <= 180.0), "{ring:?}");
        assert_eq!(ring.first(), ring.last());
        LineString::from(ring)
    };
    parts
        .iter()
        .map(|part| {
            let rings: Vec<_> = part.as_array().unwrap().iter().map(ring).collect();
            Polygon::new(rings[0].clone(), rings[1..].to_vec())
        })
        .collect()
}

#[test]
fn a_polygon_across_it_becomes_two_and_keeps_its_hole() {
    for epsg in SYSTEMS {
        let json = json_of(&near(epsg, 179.99, -17.0, |x, y| ring(x, y, 10_000.0).into()));
        let parts = polygons(&json["features"][0]["geometry"]);
        assert_eq!(parts.len(), 2, "{epsg}");
        let (east, west): (Vec<_>, Vec<_>) =
            parts.iter().partition(|part| part.exterior().0.iter().all(|at| at.x > 0.0));
        assert_eq!((east.len(), west.len()), (1, 1));
        assert!(west[0].exterior().0.iter().any(|at| at.x == -180.0));
        assert!(east[0].exterior().0.iter().any(|at| at.x == 180.0));
        // A ring of three quarters of a square of ten kilometres, in degrees; a hole on both sides may open to the border.
        let area: f64 = parts.iter().map(Area::unsigned_area).sum();
        let degree = 111.32_f64;
        let expected = 75.0 / (degree * degree * 17_f64.to_radians().cos());
        assert!((area / expected - 1.0).abs() < 0.02, "{epsg}: {area} {expected}");
        let bbox = positions(&serde_json::json!([[json["bbox"][0], 0], [json["bbox"][2], 0]]));
        assert!(bbox[0].0 > 179.9 && bbox[1].0 < -179.8, "west is greater than east: {bbox:?}");
    }
}

#[test]
fn a_line_across_it_becomes_two_that_meet_there() {
    let json = json_of(&near(32_760, 179.99, -17.0, |x, y| {
        line_string![(x: x, y: y), (x: x + 5_000.0, y: y + 2_000.0), (x: x + 9_000.0, y: y)].into()
    }));
    let geometry = &json["features"][0]["geometry"];
    assert_eq!(geometry["type"], "MultiLineString");
    let pieces: Vec<_> = geometry["coordinates"].as_array().unwrap().iter().map(positions).collect();
    assert_eq!(pieces.len(), 2);
    let (last, first) = (pieces[0].last().unwrap(), pieces[1].first().unwrap());
    assert_eq!((last.0, first.0, last.1), (180.0, -180.0, first.1));
    assert_eq!(pieces[0].len() + pieces[1].len(), 5);
}

#[test]
fn what_only_touches_it_stays_whole() {
    let crs = Crs::from_epsg(32_760).unwrap();
    let to = crs.from_lonlat().unwrap();
    let corners = [(179.9, -17.0), (180.0, -17.0), (180.0, -16.9), (179.9, -16.9)];
    let ring: Vec<(f64, f64)> = corners.iter().map(|at| to.convert(at.0, at.1).unwrap()).collect();
    let mut layer = layer_of(vec![Polygon::new(LineString::from(ring), Vec::new()).into()]);
    layer.crs = crs;
    let json = json_of(&layer);
    let parts = polygons(&json["features"][0]["geometry"]);
    assert!(parts.len() == 1 && parts[0].exterior().0.len() == 5, "{parts:?}");
}

#[test]
fn points_on_both_sides_have_a_narrow_box() {
    let json = json_of(&near(32_760, 179.95, -17.0, |x, y| {
        geo::MultiPoint::from(vec![(x, y), (x + 20_000.0, y)]).into()
    }));
    let bbox: Vec<f64> = json["bbox"].as_array().unwrap().iter().map(|at| at.as_f64().unwrap()).collect();
    assert!(bbox[0] > 179.9 && bbox[2] < -179.8 && bbox[1] <= bbox[3], "{bbox:?}");
}

#[test]
fn a_ring_round_a_pole_is_refused() {
    let layer = near(32_661, 0.0, 90.0, |x, y| {
        let r = 100_000.0;
        polygon![(x: x - r, y: y - r), (x: x + r, y: y - r), (x: x + r, y: y + r), (x: x - r, y: y + r)]
            .into()
    });
    let dir = tempdir().unwrap();
    let error = write_layer(&layer, &dir.path().join("a.geojson"), Format::GeoJson).unwrap_err();
    assert_eq!(error.code(), "coordinate_unprojectable");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Stars near the meridian: the pieces cover what the star covers, and turn as they should.
    #[test]
    fn nothing_is_lost_or_doubled(
        east in -20_000.0..20_000.0_f64,
        radii in prop::collection::vec(100.0..15_000.0_f64, 3..20),
        several in any::<bool>(),
    ) {
        let parts = radii.len() as f64;
        let star = |x: f64, y: f64| {
            let corner = |(at, radius): (usize, &f64)| {
                let angle = at as f64 / parts * std::f64::consts::TAU;
                (x + east + radius * angle.cos(), y + radius * angle.sin())
            };
            Polygon::new(LineString::from_iter(radii.iter().enumerate().map(corner)), Vec::new())
        };
        let layer = near(32_760, 180.0, -17.0, |x, y| {
            if several { MultiPolygon(vec![star(x, y)]).into() } else { star(x, y).into() }
        });
        let json = json_of(&layer);
        let pieces = polygons(&json["features"][0]["geometry"]);
        let way = layer.crs.to_lonlat().unwrap();
        // The same star with longitudes that go on past 180 degrees.
        let unrolled = |polygon: &Polygon<f64>| {
            let at = |at: &geo::Coord<f64>| {
                let (lon, lat) = way.convert(at.x, at.y).unwrap();
                (if lon < 0.0 { lon + 360.0 } else { lon }, lat)
            };
            Polygon::new(LineString::from_iter(polygon.exterior().0.iter().map(at)), Vec::new()).unsigned_area()
        };
        let expected = match &layer.features[0].geometry {
            Geometry::Polygon(polygon) => unrolled(polygon),
            Geometry::MultiPolygon(polygons) => unrolled(&polygons.0[0]),
            _ => unreachable!(),
        };
        let found: f64 = pieces.iter().map(Area::unsigned_area).sum();
        prop_assert!((found / expected - 1.0).abs() < 1e-3 , "{found} {expected}");
        prop_assert!(pieces.iter().all(|piece| piece.signed_area() > 0.0));
    }
}
