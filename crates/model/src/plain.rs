//! Whether a polygon is valid beyond doubt, told quickly. Outlines of districts have tens of thousands of corners, and the
//! full check of `geo` compares every side with every other.

use geo::{Contains, GeoNum, Intersects, Kernel, Line, LineString, Orientation, Point, Polygon};

/// Whether no ring of a polygon crosses or touches itself or another, and each hole lies in the outline and in no other hole.
/// Then the polygon is valid; of any other the full check has to decide, and to say why.
pub fn is_plainly_valid(polygon: &Polygon<f64>) -> bool {
    let (exterior, holes) = (polygon.exterior(), polygon.interiors());
    // Of rings without a point in common one corner tells where all of a ring lies.
    let holds = |outline: &LineString<f64>, ring: &LineString<f64>| {
        let area = Polygon::new(outline.clone(), Vec::new());
        ring.0.first().is_some_and(|corner| area.contains(&Point(*corner)))
    };
    is_plain(exterior)
        && holes.iter().all(is_plain)
        && holes.iter().enumerate().all(|(at, hole)| {
            !hole.intersects(exterior)
                && holds(exterior, hole)
                && holes[..at]
                    .iter()
                    .all(|other| !hole.intersects(other) && !holds(other, hole) && !holds(hole, other))
        })
}

/// Whether a ring neither crosses nor touches itself.
fn is_plain(ring: &LineString<f64>) -> bool {
    let mut corners = ring.0.clone();
    corners.dedup();
    let closed = corners.len() >= 4 && corners.first() == corners.last();
    let finite = corners.iter().all(|corner| corner.x.is_finite() && corner.y.is_finite());
    if !(closed && finite) {
        return false;
    }
    let sides: Vec<Line<f64>> = corners.windows(2).map(|ends| Line::new(ends[0], ends[1])).collect();
    let count = sides.len();
    let west = |side: &Line<f64>| side.start.x.min(side.end.x);
    let mut order: Vec<usize> = (0..count).collect();
    order.sort_unstable_by(|&a, &b| west(&sides[a]).total_cmp(&west(&sides[b])).then(a.cmp(&b)));
    // From west to east a side can meet only those that begin before it ends.
    order.iter().enumerate().all(|(at, &here)| {
        let side = &sides[here];
        let east = side.start.x.max(side.end.x);
        let (south, north) = (side.start.y.min(side.end.y), side.start.y.max(side.end.y));
        order[at + 1..].iter().take_while(|&&other| west(&sides[other]) <= east).all(|&other| {
            let apart = sides[other].start.y.max(sides[other].end.y) < south
                || sides[other].start.y.min(sides[other].end.y) > north;
            apart
                || match (here + count - other) % count {
                    1 => turns(&sides[other], side),
                    last if last == count - 1 => turns(side, &sides[other]),
                    _ => !side.intersects(&sides[other]),
                }
        })
    })
}

/// Whether a side and the next share their corner alone: the next does not run back along it.
fn turns(side: &Line<f64>, next: &Line<f64>) -> bool {
    let (a, b, c) = (side.start, side.end, next.end);
    let straight = <f64 as GeoNum>::Ker::orient2d(a, b, c) == Orientation::Collinear;
    !straight || (b.x - a.x) * (c.x - b.x) + (b.y - a.y) * (c.y - b.y) > 0.0
}

#[cfg(test)]
mod tests {
    use geo::{Coord, LineString, Validation};
    use proptest::prelude::*;

    use super::*;

    fn polygon(corners: &[(f64, f64)]) -> Polygon<f64> {
        Polygon::new(LineString::from(corners.to_vec()), Vec::new())
    }

    #[test]
    fn a_ring_that_goes_round_is_plain_and_one_that_crosses_touches_or_turns_back_is_not() {
        assert!(is_plainly_valid(&polygon(&[(0.0, 0.0), (2.0, 0.0), (2.0, 1.0), (2.0, 2.0), (0.0, 2.0)])));
        for corners in [
            vec![],
            vec![(0.0, 0.0)],
            vec![(0.0, 0.0), (1.0, 0.0)],
            vec![(0.0, 0.0), (1.0, 0.0), (2.0, 0.0)],
            vec![(0.0, 0.0), (2.0, 2.0), (2.0, 0.0), (0.0, 2.0)],
            vec![(0.0, 0.0), (4.0, 0.0), (4.0, 4.0), (2.0, 0.0), (0.0, 4.0)],
            vec![(0.0, 0.0), (4.0, 0.0), (6.0, 0.0), (4.0, 0.0), (4.0, 4.0)],
            vec![(0.0, 0.0), (f64::NAN, 0.0), (4.0, 4.0)],
        ] {
            assert!(!is_plainly_valid(&polygon(&corners)), "{corners:?}");
        }
    }

    #[test]
    fn a_hole_is_plain_where_it_touches_nothing() {
        let square = |x: f64, side: f64| {
            LineString::from(vec![(x, x), (x + side, x), (x + side, x + side), (x, x + side), (x, x)])
        };
        let with = |holes: Vec<LineString<f64>>| is_plainly_valid(&Polygon::new(square(0.0, 10.0), holes));
        assert!(with(vec![square(1.0, 2.0), square(4.0, 2.0)]));
        for holes in [
            vec![square(0.0, 2.0)],
            vec![square(9.0, 2.0)],
            vec![square(20.0, 2.0)],
            vec![square(1.0, 5.0), square(2.0, 1.0)],
            vec![square(2.0, 1.0), square(1.0, 5.0)],
            vec![square(1.0, 2.0), square(3.0, 2.0)],
        ] {
            assert!(!with(holes.clone()), "{holes:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_plain_is_valid(corners in prop::collection::vec((0..6_i32, 0..6_i32), 0..9)) {
            let corners: Vec<(f64, f64)> = corners.iter().map(|&(x, y)| (f64::from(x), f64::from(y))).collect();
            let polygon = polygon(&corners);
            prop_assert!(!is_plainly_valid(&polygon) || polygon.is_valid(), "{corners:?}");
        }

        #[test]
        fn what_is_plain_with_holes_is_valid(
            holes in prop::collection::vec(prop::collection::vec((0..9_i32, 0..9_i32), 3..6), 0..3),
        ) {
            let ring = |corners: &[(i32, i32)]| {
                LineString::from(corners.iter().map(|&(x, y)| (f64::from(x), f64::from(y))).collect::<Vec<_>>())
            };
            let outline = ring(&[(1, 1), (8, 1), (8, 8), (1, 8)]);
            let polygon = Polygon::new(outline, holes.iter().map(|hole| ring(hole)).collect());
            prop_assert!(!is_plainly_valid(&polygon) || polygon.is_valid(), "{holes:?}");
        }

        #[test]
        fn a_star_is_plain_whatever_its_points(radii in prop::collection::vec(0.1..1.0_f64, 3..60)) {
            let count = radii.len() as f64;
            let corner = |(at, radius): (usize, &f64)| {
                let (sin, cos) = (at as f64 / count * std::f64::consts::TAU).sin_cos();
                Coord { x: radius * cos, y: radius * sin }
            };
            let ring: LineString<f64> = radii.iter().enumerate().map(corner).collect();
            prop_assert!(is_plainly_valid(&Polygon::new(ring, Vec::new())));
        }
    }
}
