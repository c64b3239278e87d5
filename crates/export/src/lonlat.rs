//! Geometries in longitude and latitude, as RFC 7946 wants them.
//!
//! Positions are whole numbers of 1e-7 degrees (about 1 cm), which is the precision the files state. Everything is
//! decided on these whole numbers: equal neighbours are merged, rings stay closed, exteriors run counter-clockwise
//! and holes clockwise. A part that rounds to nothing is left out; a geometry of which nothing is left is absent.

use brasa_model::{Feature, Layer, Projector};
use geo::{Coord, Geometry, LineString, MultiLineString, MultiPoint, MultiPolygon, Point, Polygon};
use rayon::prelude::*;

use crate::ExportError;

/// Whole units per degree.
pub(crate) const PER_DEGREE: f64 = 1e7;

const HALF_TURN: i64 = 1_800_000_000;

/// Every geometry of a layer in units of 1e-7 degrees, `None` where there is none. The first feature that cannot be
/// brought there is an error.
pub(crate) fn geometries(layer: &Layer) -> Result<Vec<Option<Geometry<i32>>>, ExportError> {
    let projector = layer.crs.to_lonlat()?;
    let converted: Vec<_> =
        layer.features.par_iter().map(|feature| one(layer, &projector, feature)).collect();
    converted.into_iter().collect()
}

/// One place of a feature in units of 1e-7 degrees.
pub(crate) fn place(
    layer: &Layer,
    projector: &Projector,
    feature: &Feature,
    at: Coord<f64>,
) -> Result<Coord<i32>, ExportError> {
    let way = Way(projector);
    way.position(at).map_err(|refusal| refusal.explain(layer, feature))
}

fn one(
    layer: &Layer,
    projector: &Projector,
    feature: &Feature,
) -> Result<Option<Geometry<i32>>, ExportError> {
    Way(projector).geometry(&feature.geometry).map_err(|refusal| refusal.explain(layer, feature))
}

/// A place that cannot be written, and why.
struct Refusal(Coord<f64>, &'static str);

impl Refusal {
    fn explain(self, layer: &Layer, feature: &Feature) -> ExportError {
        let Self(Coord { x, y }, why) = self;
        let (layer, crs) = (layer.name.clone(), layer.crs.to_string());
        ExportError::Unprojectable { layer, feature: feature.id, x, y, crs, why }
    }
}

struct Way<'a>(&'a Projector);

impl Way<'_> {
    fn position(&self, at: Coord<f64>) -> Result<Coord<i32>, Refusal> {
        let (lon, lat) = self.0.convert(at.x, at.y).ok_or(Refusal(at, "has no longitude and latitude"))?;
        if !(lon.abs() <= 180.0 && lat.abs() <= 90.0) {
            return Err(Refusal(at, "lies beyond 180 degrees of longitude or 90 of latitude"));
        }
        Ok(Coord { x: (lon * PER_DEGREE).round() as i32, y: (lat * PER_DEGREE).round() as i32 })
    }

    fn geometry(&self, geometry: &Geometry<f64>) -> Result<Option<Geometry<i32>>, Refusal> {
        Ok(match geometry {
            Geometry::Point(point) => Some(Point(self.position(point.0)?).into()),
            Geometry::Line(line) => self.line(&LineString::new(vec![line.start, line.end]))?.map(Into::into),
            Geometry::LineString(line) => self.line(line)?.map(Into::into),
            Geometry::Polygon(polygon) => self.polygon(polygon)?.map(Into::into),
            Geometry::Rect(rect) => self.polygon(&rect.to_polygon())?.map(Into::into),
            Geometry::Triangle(triangle) => self.polygon(&triangle.to_polygon())?.map(Into::into),
            Geometry::MultiPoint(points) => {
                let points = points.iter().map(|point| self.position(point.0).map(Point));
                some(points.collect::<Result<Vec<_>, _>>()?).map(|parts| MultiPoint(parts).into())
            }
            Geometry::MultiLineString(lines) => {
                let lines = lines.iter().filter_map(|line| self.line(line).transpose());
                some(lines.collect::<Result<Vec<_>, _>>()?).map(|parts| MultiLineString(parts).into())
            }
            Geometry::MultiPolygon(polygons) => {
                let polygons = polygons.iter().filter_map(|polygon| self.polygon(polygon).transpose());
                some(polygons.collect::<Result<Vec<_>, _>>()?).map(|parts| MultiPolygon(parts).into())
            }
            Geometry::GeometryCollection(collection) => {
                let parts = collection.iter().filter_map(|part| self.geometry(part).transpose());
                some(parts.collect::<Result<Vec<_>, _>>()?)
                    .map(|parts| Geometry::GeometryCollection(geo::GeometryCollection(parts)))
            }
        })
    }

    /// The positions along a line without equal neighbours.
    fn path(&self, line: &LineString<f64>) -> Result<Vec<Coord<i32>>, Refusal> {
        let mut path: Vec<Coord<i32>> = Vec::with_capacity(line.0.len());
        for &at in &line.0 {
            let position = self.position(at)?;
            match path.last() {
                Some(last) if *last == position => {}
                Some(last) if (i64::from(position.x) - i64::from(last.x)).abs() > HALF_TURN => {
                    return Err(Refusal(at, "is across the 180th meridian from its neighbour"));
                }
                _ => path.push(position),
            }
        }
        Ok(path)
    }

    fn line(&self, line: &LineString<f64>) -> Result<Option<LineString<i32>>, Refusal> {
        let path = self.path(line)?;
        Ok((path.len() > 1).then_some(LineString(path)))
    }

    fn polygon(&self, polygon: &Polygon<f64>) -> Result<Option<Polygon<i32>>, Refusal> {
        let Some(exterior) = self.ring(polygon.exterior(), Turn::CounterClockwise)? else { return Ok(None) };
        let holes =
            polygon.interiors().iter().filter_map(|hole| self.ring(hole, Turn::Clockwise).transpose());
        Ok(Some(Polygon::new(exterior, holes.collect::<Result<_, _>>()?)))
    }

    /// A closed ring that turns as asked; `None` if it encloses nothing once rounded.
    fn ring(&self, ring: &LineString<f64>, turn: Turn) -> Result<Option<LineString<i32>>, Refusal> {
        let mut path = self.path(ring)?;
        if path.first() != path.last() {
            path.extend(path.first().copied());
        }
        let area = doubled_area(&path);
        if area == 0 {
            return Ok(None);
        }
        if (area > 0) != (turn == Turn::CounterClockwise) {
            path.reverse();
        }
        Ok(Some(LineString(path)))
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Turn {
    CounterClockwise,
    Clockwise,
}

/// Twice the signed area of a closed path, exactly; positive when it turns counter-clockwise.
fn doubled_area(path: &[Coord<i32>]) -> i128 {
    let Some(origin) = path.first() else { return 0 };
    let from_origin = |at: &Coord<i32>| {
        let across = i64::from(at.x) - i64::from(origin.x);
        let up = i64::from(at.y) - i64::from(origin.y);
        (i128::from(across), i128::from(up))
    };
    path.windows(2)
        .map(|pair| {
            let ((ax, ay), (bx, by)) = (from_origin(&pair[0]), from_origin(&pair[1]));
            ax * by - bx * ay
        })
        .sum()
}

fn some<T>(parts: Vec<T>) -> Option<Vec<T>> {
    (!parts.is_empty()).then_some(parts)
}
