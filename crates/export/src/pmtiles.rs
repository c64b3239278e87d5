//! PMTiles 3 with vector tiles (Mapbox Vector Tile 2.1): one file from which a web map takes what it shows, however many features
//! there are.
//!
//! Tiles are made for some zooms, from the one at which one tile holds everything to seven finer ones, 14 at most, where a unit is
//! about half a metre; a map enlarges beyond. At each zoom corners nobody would see are left out, and of the features smaller
//! than a pixel one stands for all that fall on it. Every feature is whole at the finest zoom.

use std::collections::{BTreeMap, HashSet};
use std::f64::consts::PI;
use std::io;
use std::path::Path;

use brasa_model::clip::{Axis, between};
use brasa_model::{ColumnKind, Feature, Layer, Value};
use geo::{
    BoundingRect, Coord, Geometry, LineString, MapCoords, MultiLineString, MultiPolygon, Polygon, Rect,
    Simplify,
};
use mvt::{GeomData, GeomEncoder, GeomType, Tile};
use pmtiles::{PmTilesWriter, PmtError, TileCoord, TileId, TileType};
use serde_json::json;

use crate::geojson::Header;
use crate::lonlat::{self, PER_DEGREE};
use crate::{ExportError, sink};

/// Units along the side of a tile.
const UNITS: f64 = 4096.0;
/// Units that a tile holds of its neighbours, so that edges and lines are drawn without seams.
const MARGIN: f64 = 64.0;
/// Units of a pixel, where a tile is 512 pixels wide.
const PIXEL: f64 = 8.0;
/// The finest zoom, and how many there are.
const FINEST: u8 = 14;
const ZOOMS: u8 = 7;

/// Writes a layer.
pub(crate) fn write(layer: &Layer, path: &Path) -> Result<(), ExportError> {
    let degrees = lonlat::geometries(layer)?;
    let header = serde_json::to_value(Header::new(layer, &degrees)).unwrap_or_default();
    let shapes: Vec<Option<Geometry<f64>>> =
        degrees.iter().map(|shape| shape.as_ref().map(|shape| shape.map_coords(mercator))).collect();
    let world = shapes.iter().flatten().filter_map(BoundingRect::bounding_rect).reduce(around_both);
    let (coarsest, finest) = zooms(world);
    let metadata = json!({
        "name": layer.title,
        "description": layer.description,
        "vector_layers": [{
            "id": layer.name,
            "description": layer.title,
            "minzoom": coarsest,
            "maxzoom": finest,
            "fields": layer.columns.iter().map(|column| (column.name.to_owned(), json!(kind(column.kind)))).collect::<serde_json::Map<_, _>>(),
        }],
        "brasa": header,
    });
    let corner = |at: Coord<f64>| (lon(at.x), lat(at.y));
    let (west, north) = world.map_or((-180.0, 85.0), |world| corner(world.min()));
    let (east, south) = world.map_or((180.0, -85.0), |world| corner(world.max()));
    sink::write(path, |out| {
        let mut archive = PmTilesWriter::new(TileType::Mvt)
            .min_zoom(coarsest)
            .max_zoom(finest)
            .bounds(west, south, east, north)
            .center(f64::midpoint(west, east), f64::midpoint(south, north))
            .center_zoom(coarsest)
            .metadata(metadata.to_string())
            .create(out)
            .map_err(as_the_system_says)?;
        for zoom in coarsest..=finest {
            for (id, held) in tiles(&shapes, zoom, zoom == finest) {
                let coord: TileCoord = TileId::new(id).map_err(io::Error::other)?.into();
                let bytes = encoded(layer, &held).map_err(io::Error::other)?;
                archive.add_tile(coord, &bytes).map_err(as_the_system_says)?;
            }
        }
        archive.finalize().map_err(as_the_system_says)
    })
}

/// The error of the system, where it is one: a full disk is told as such.
fn as_the_system_says(error: PmtError) -> io::Error {
    match error {
        PmtError::Reading(error) => error,
        error => io::Error::other(error),
    }
}

/// The coarsest and the finest zoom for what covers so much of the world.
fn zooms(world: Option<Rect<f64>>) -> (u8, u8) {
    let side = world.map_or(1.0, |world| world.width().max(world.height()));
    let coarsest = (0..FINEST).rev().find(|zoom| side * f64::from(1_u32 << zoom) <= 1.0).unwrap_or(0);
    (coarsest, (coarsest + ZOOMS).min(FINEST))
}

const fn kind(kind: ColumnKind) -> &'static str {
    match kind {
        ColumnKind::Integer | ColumnKind::Real => "Number",
        ColumnKind::Text | ColumnKind::Time => "String",
    }
}

/// From units of 1e-7 degrees to the square of web maps (spherical Mercator, EPSG:3857), 0 to 1 from west to east and from north
/// to south.
fn mercator(at: Coord<i32>) -> Coord<f64> {
    let (lon, lat) = (f64::from(at.x) / PER_DEGREE, f64::from(at.y) / PER_DEGREE);
    let y = lat.to_radians().tan().asinh() / PI;
    Coord { x: (lon + 180.0) / 360.0, y: ((1.0 - y) / 2.0).clamp(0.0, 1.0) }
}

fn lon(x: f64) -> f64 {
    x.mul_add(360.0, -180.0)
}

fn lat(y: f64) -> f64 {
    (PI * (1.0 - 2.0 * y)).sinh().atan().to_degrees()
}

fn around_both(a: Rect<f64>, b: Rect<f64>) -> Rect<f64> {
    let (low, high) = (a.min(), a.max());
    Rect::new((low.x.min(b.min().x), low.y.min(b.min().y)), (high.x.max(b.max().x), high.y.max(b.max().y)))
}

/// What a tile holds: the position of each feature and its part in the tile, in units of the tile.
type Held = Vec<(usize, Geometry<f64>)>;

/// The tiles of a zoom by their number in the archive.
fn tiles(shapes: &[Option<Geometry<f64>>], zoom: u8, is_finest: bool) -> BTreeMap<u64, Held> {
    let across = f64::from(1_u32 << zoom);
    let mut tiles: BTreeMap<u64, Held> = BTreeMap::new();
    let mut pixels = HashSet::new();
    for (at, shape) in shapes.iter().enumerate().filter_map(|(at, shape)| Some((at, shape.as_ref()?))) {
        // In units of the zoom.
        let scaled = shape.map_coords(|at| Coord { x: at.x * across * UNITS, y: at.y * across * UNITS });
        let Some(bounds) = scaled.bounding_rect() else { continue };
        let is_small = bounds.width().max(bounds.height()) < PIXEL;
        if is_small && !is_finest {
            let pixel = |value: f64| (value / PIXEL).floor() as i64;
            if !pixels.insert((pixel(bounds.center().x), pixel(bounds.center().y))) {
                continue;
            }
        }
        let simple = if is_finest || is_small { scaled } else { simpler(scaled) };
        let tile = |value: f64| (value / UNITS).floor().clamp(0.0, across - 1.0) as u32;
        for x in tile(bounds.min().x - MARGIN)..=tile(bounds.max().x + MARGIN) {
            for y in tile(bounds.min().y - MARGIN)..=tile(bounds.max().y + MARGIN) {
                let origin = Coord { x: f64::from(x) * UNITS, y: f64::from(y) * UNITS };
                let Some(part) = cut(&simple, origin) else { continue };
                let part = part.map_coords(|at| at - origin);
                let Ok(coord) = TileCoord::new(zoom, x, y) else { continue };
                tiles.entry(TileId::from(coord).value()).or_default().push((at, part));
            }
        }
    }
    tiles
}

/// A shape without corners closer to its outline than a unit.
fn simpler(shape: Geometry<f64>) -> Geometry<f64> {
    match shape {
        Geometry::LineString(line) => line.simplify(1.0).into(),
        Geometry::MultiLineString(lines) => lines.simplify(1.0).into(),
        Geometry::Polygon(polygon) => polygon.simplify(1.0).into(),
        Geometry::MultiPolygon(polygons) => polygons.simplify(1.0).into(),
        other => other,
    }
}

/// The part of a shape in the tile that begins at `origin`, and a little around it.
fn cut(shape: &Geometry<f64>, origin: Coord<f64>) -> Option<Geometry<f64>> {
    let (low, high) = (-MARGIN, UNITS + MARGIN);
    let inside = |at: &Coord<f64>| {
        (low..=high).contains(&(at.x - origin.x)) && (low..=high).contains(&(at.y - origin.y))
    };
    let areas = |polygons: &MultiPolygon<f64>| {
        let wide = between(polygons, Axis::Easting, origin.x + low, origin.x + high);
        let part = between(&wide, Axis::Northing, origin.y + low, origin.y + high);
        (!part.0.is_empty()).then_some(Geometry::MultiPolygon(part))
    };
    match shape {
        Geometry::Polygon(polygon) => areas(&MultiPolygon::new(vec![polygon.clone()])),
        Geometry::MultiPolygon(polygons) => areas(polygons),
        Geometry::LineString(line) => some_lines(runs(line, origin)),
        Geometry::MultiLineString(lines) => {
            some_lines(lines.iter().flat_map(|line| runs(line, origin)).collect())
        }
        Geometry::Point(point) => inside(&point.0).then(|| shape.clone()),
        Geometry::MultiPoint(points) => {
            let held: Vec<_> = points.iter().filter(|point| inside(&point.0)).copied().collect();
            (!held.is_empty()).then(|| geo::MultiPoint::new(held).into())
        }
        // A tile holds one kind of geometry per feature: of a mixture the first that is there.
        Geometry::GeometryCollection(parts) => parts.iter().find_map(|part| cut(part, origin)),
        _ => None,
    }
}

fn some_lines(lines: Vec<LineString<f64>>) -> Option<Geometry<f64>> {
    (!lines.is_empty()).then(|| MultiLineString::new(lines).into())
}

/// The runs of a line whose pieces come near a tile. They are not cut at its border: what lies beyond is not drawn.
fn runs(line: &LineString<f64>, origin: Coord<f64>) -> Vec<LineString<f64>> {
    let near = |a: Coord<f64>, b: Coord<f64>| {
        let along =
            |a: f64, b: f64, origin: f64| a.min(b) <= origin + UNITS + MARGIN && a.max(b) >= origin - MARGIN;
        along(a.x, b.x, origin.x) && along(a.y, b.y, origin.y)
    };
    let pieces: Vec<bool> = line.0.windows(2).map(|pair| near(pair[0], pair[1])).collect();
    let mut runs = Vec::new();
    let mut at = 0;
    for chunk in pieces.chunk_by(|a, b| a == b) {
        if chunk[0] {
            runs.push(LineString::new(line.0[at..=at + chunk.len()].to_vec()));
        }
        at += chunk.len();
    }
    runs
}

/// The bytes of a tile.
fn encoded(layer: &Layer, held: &Held) -> Result<Vec<u8>, mvt::Error> {
    let mut tile = Tile::new(UNITS as u32);
    let mut made = tile.create_layer(&layer.name);
    for (at, shape) in held {
        let Some(geometry) = drawn(shape)? else { continue };
        let feature = &layer.features[*at];
        let mut row = made.into_feature(geometry);
        row.set_id(feature.id.unsigned_abs());
        tag(&mut row, layer, feature);
        made = row.into_layer();
    }
    if made.num_features() > 0 {
        tile.add_layer(made)?;
    }
    tile.to_bytes()
}

fn tag(row: &mut mvt::Feature, layer: &Layer, feature: &Feature) {
    for (value, column) in feature.values.iter().zip(&layer.columns) {
        match value {
            Value::Null => {}
            Value::Integer(value) if column.kind == ColumnKind::Real => {
                row.add_tag_double(column.name, *value as f64);
            }
            Value::Integer(value) => row.add_tag_int(column.name, *value),
            Value::Real(value) if value.is_finite() => row.add_tag_double(column.name, *value),
            Value::Real(_) => {}
            Value::Text(value) => row.add_tag_string(column.name, value),
            Value::Time(value) => row.add_tag_string(column.name, &value.to_string()),
        }
    }
}

/// A shape in the commands of a tile; none where nothing of it is left on whole units.
fn drawn(shape: &Geometry<f64>) -> Result<Option<GeomData>, mvt::Error> {
    let whole = |ring: &LineString<f64>| {
        let mut places: Vec<(i64, i64)> =
            ring.0.iter().map(|at| (at.x.round() as i64, at.y.round() as i64)).collect();
        places.dedup();
        places
    };
    let mut encoder = match shape {
        Geometry::Point(_) | Geometry::MultiPoint(_) => GeomEncoder::new(GeomType::Point),
        Geometry::MultiLineString(_) => GeomEncoder::new(GeomType::Linestring),
        _ => GeomEncoder::new(GeomType::Polygon),
    };
    let mut add = |places: &[(i64, i64)], complete: bool| -> Result<(), mvt::Error> {
        for (x, y) in places {
            encoder.add_point(*x as f64, *y as f64)?;
        }
        if complete { encoder.complete_geom() } else { Ok(()) }
    };
    let mut is_there = false;
    match shape {
        Geometry::Point(point) => {
            add(&whole(&LineString::new(vec![point.0])), false)?;
            is_there = true;
        }
        Geometry::MultiPoint(points) => {
            add(&whole(&points.iter().map(|point| point.0).collect()), false)?;
            is_there = true;
        }
        Geometry::MultiLineString(lines) => {
            for places in lines.iter().map(whole).filter(|places| places.len() > 1) {
                add(&places, true)?;
                is_there = true;
            }
        }
        Geometry::MultiPolygon(polygons) => {
            for polygon in polygons {
                let Some(exterior) = turned(whole(polygon.exterior()), true) else {
                    // What is smaller than a unit is drawn as one.
                    let Some(speck) = speck(polygon) else { continue };
                    add(&speck, true)?;
                    is_there = true;
                    continue;
                };
                add(&exterior, true)?;
                is_there = true;
                for hole in polygon.interiors().iter().filter_map(|hole| turned(whole(hole), false)) {
                    add(&hole, true)?;
                }
            }
        }
        _ => {}
    }
    if is_there { encoder.encode().map(Some) } else { Ok(None) }
}

/// An open ring that turns as the tiles want it: exteriors clockwise on the screen, holes against it. None where it has no area.
fn turned(mut places: Vec<(i64, i64)>, is_exterior: bool) -> Option<Vec<(i64, i64)>> {
    let twice: i64 = places.windows(2).map(|pair| pair[0].0 * pair[1].1 - pair[1].0 * pair[0].1).sum();
    if twice == 0 {
        return None;
    }
    if (twice > 0) != is_exterior {
        places.reverse();
    }
    places.pop();
    Some(places)
}

/// A square of one unit where a polygon lies, if that is in the tile.
fn speck(polygon: &Polygon<f64>) -> Option<[(i64, i64); 4]> {
    let Coord { x, y } = polygon.bounding_rect()?.center();
    let (x, y) = (x.floor() as i64, y.floor() as i64);
    let inside = 0..UNITS as i64;
    (inside.contains(&x) && inside.contains(&y)).then_some([(x, y), (x + 1, y), (x + 1, y + 1), (x, y + 1)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use geo::polygon;

    #[test]
    fn the_square_of_web_maps_has_the_greenwich_equator_in_its_middle() {
        let at = |lon: f64, lat: f64| {
            mercator(Coord { x: (lon * PER_DEGREE) as i32, y: (lat * PER_DEGREE) as i32 })
        };
        assert_eq!(at(0.0, 0.0), Coord { x: 0.5, y: 0.5 });
        // The edge of web maps lies at 85.0511287798° (atan(sinh(π))).
        assert!(at(-180.0, 85.051_128_7).y.abs() < 1e-8);
        let there = at(-75.57, 6.25);
        assert!((lon(there.x) + 75.57).abs() < 2e-7 && (lat(there.y) - 6.25).abs() < 2e-7);
    }

    #[test]
    fn zooms_follow_the_extent() {
        let side = |part: f64| Some(Rect::new((0.0, 0.0), (part, part)));
        assert_eq!(zooms(None), (0, 7));
        assert_eq!(zooms(side(1.0)), (0, 7));
        assert_eq!(zooms(side(0.001)), (9, 14));
        assert_eq!(zooms(side(0.0)), (13, 14));
    }

    #[test]
    fn rings_turn_as_tiles_want_and_specks_stay_seen() {
        let clockwise = vec![(0, 0), (10, 0), (10, 10), (0, 10), (0, 0)];
        assert_eq!(turned(clockwise.clone(), true).unwrap(), [(0, 0), (10, 0), (10, 10), (0, 10)]);
        assert_eq!(turned(clockwise, false).unwrap(), [(0, 0), (0, 10), (10, 10), (10, 0)]);
        assert_eq!(turned(vec![(0, 0), (5, 5), (0, 0)], true), None);
        let small = polygon![(x: 5.1, y: 5.1), (x: 5.2, y: 5.1), (x: 5.2, y: 5.2)];
        assert!(drawn(&MultiPolygon::new(vec![small]).into()).unwrap().is_some());
    }

    #[test]
    fn a_line_that_leaves_and_returns_is_two() {
        let line = LineString::from(vec![(10.0, 10.0), (-9000.0, 10.0), (-9000.0, 90.0), (10.0, 90.0)]);
        assert_eq!(runs(&line, Coord { x: 0.0, y: 0.0 }).len(), 2);
        assert_eq!(runs(&line, Coord { x: 50_000.0, y: 0.0 }).len(), 0);
    }
}
