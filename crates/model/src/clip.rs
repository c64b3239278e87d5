//! Polygons cut along the axes: little is left of a large outline where one small piece of it is looked at.

use geo::{Coord, LineString, MultiPolygon, Polygon, Rect};

/// Along which coordinate is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Axis {
    /// West to east.
    Easting,
    /// South to north.
    Northing,
}

impl Axis {
    const fn of(self, at: Coord<f64>) -> f64 {
        match self {
            Self::Easting => at.x,
            Self::Northing => at.y,
        }
    }

    const fn set(self, mut at: Coord<f64>, value: f64) -> Coord<f64> {
        match self {
            Self::Easting => at.x = value,
            Self::Northing => at.y = value,
        }
        at
    }
}

/// The part of polygons between two eastings or northings. Where it falls apart, its pieces hang together by sides that run along one another on
/// the cut: as an area that is no matter, and beyond the cut nobody is to look.
pub fn between(polygons: &MultiPolygon<f64>, axis: Axis, low: f64, high: f64) -> MultiPolygon<f64> {
    let ring = |ring: &LineString<f64>| {
        let above = half(&ring.0, axis, low, 1.0);
        LineString::new(half(&above, axis, high, -1.0))
    };
    let part = |polygon: &Polygon<f64>| {
        let exterior = ring(polygon.exterior());
        let holes = polygon.interiors().iter().map(ring).filter(|hole| !hole.0.is_empty());
        (!exterior.0.is_empty()).then(|| Polygon::new(exterior, holes.collect()))
    };
    polygons.iter().filter_map(part).collect()
}

/// What of polygons lies in a rectangle and around it, enough to be cut exactly by what lies in the rectangle.
pub fn around(polygons: &MultiPolygon<f64>, bounds: Rect<f64>) -> MultiPolygon<f64> {
    let (low, high) = (bounds.min(), bounds.max());
    let margin = 0.1 * bounds.width().max(bounds.height());
    let across = between(polygons, Axis::Northing, low.y - margin, high.y + margin);
    between(&across, Axis::Easting, low.x - margin, high.x + margin)
}

/// The part of a closed ring on one side of `at` (Sutherland & Hodgman 1974, doi:10.1145/360767.360802), closed.
fn half(ring: &[Coord<f64>], axis: Axis, at: f64, sign: f64) -> Vec<Coord<f64>> {
    let side = |corner: Coord<f64>| sign * (axis.of(corner) - at);
    let mut kept = Vec::new();
    for pair in ring.windows(2) {
        let (from, to) = (side(pair[0]), side(pair[1]));
        if from >= 0.0 {
            kept.push(pair[0]);
        }
        if (from >= 0.0) != (to >= 0.0) {
            kept.push(axis.set(pair[0] + (pair[1] - pair[0]) * (from / (from - to)), at));
        }
    }
    if kept.len() < 3 {
        return Vec::new();
    }
    kept.push(kept[0]);
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use geo::{Area, BooleanOps, polygon};

    #[test]
    fn what_is_around_a_rectangle_is_cut_as_the_whole_would_be() {
        let comb = polygon!(
            exterior: [(x: 0., y: 0.), (x: 90., y: 0.), (x: 90., y: 80.), (x: 70., y: 80.), (x: 70., y: 20.), (x: 50., y: 20.),
                       (x: 50., y: 80.), (x: 30., y: 80.), (x: 30., y: 20.), (x: 10., y: 20.), (x: 10., y: 80.), (x: 0., y: 80.)],
            interiors: [[(x: 55., y: 5.), (x: 65., y: 5.), (x: 65., y: 15.), (x: 55., y: 15.)]]
        );
        let comb = MultiPolygon::new(vec![comb]);
        for (x, y, size) in [
            (-10., -10., 30.),
            (5., 30., 60.),
            (45., 0., 30.),
            (60., 60., 5.),
            (75., 70., 4.),
            (200., 200., 5.),
        ] {
            let bounds = Rect::new((x, y), (x + size, y + size));
            let box_of = MultiPolygon::new(vec![bounds.to_polygon()]);
            let whole = box_of.intersection(&comb).unsigned_area();
            let near = box_of.intersection(&around(&comb, bounds)).unsigned_area();
            assert!((whole - near).abs() < 1e-5, "{x} {y}: {near} of {whole}");
        }
    }
}
