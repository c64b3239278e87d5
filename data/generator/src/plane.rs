//! Plane geometry in metres: just what the city needs.

/// A place in the city's own frame: metres east and north of its south-west corner.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// Metres east.
    pub x: f64,
    /// Metres north.
    pub y: f64,
}

impl Point {
    /// A place.
    pub const fn new(x: f64, y: f64) -> Self {
        Self { x, y }
    }

    /// The square of the distance to another place.
    pub fn distance2(self, other: Self) -> f64 {
        (self.x - other.x) * (self.x - other.x) + (self.y - other.y) * (self.y - other.y)
    }
}

/// Whether a place lies inside a ring (given without repeating its first vertex), by crossing number.
pub fn inside(ring: &[Point], p: Point) -> bool {
    let crossings = sides(ring)
        .filter(|(a, b)| (a.y <= p.y) != (b.y <= p.y) && p.x < a.x + (p.y - a.y) / (b.y - a.y) * (b.x - a.x));
    crossings.count() % 2 == 1
}

/// How far a place is from the outline of a ring.
pub fn distance_to_outline(ring: &[Point], p: Point) -> f64 {
    let nearest2 = sides(ring).map(|(a, b)| {
        let along = ((p.x - a.x) * (b.x - a.x) + (p.y - a.y) * (b.y - a.y)) / a.distance2(b);
        let t = along.clamp(0.0, 1.0);
        p.distance2(Point::new(a.x + t * (b.x - a.x), a.y + t * (b.y - a.y)))
    });
    libm::sqrt(nearest2.fold(f64::INFINITY, f64::min))
}

/// The area of a ring in m², positive when it runs counter-clockwise.
pub fn signed_area(ring: &[Point]) -> f64 {
    sides(ring).map(|(a, b)| a.x * b.y - b.x * a.y).sum::<f64>() / 2.0
}

fn sides(ring: &[Point]) -> impl Iterator<Item = (Point, Point)> {
    ring.iter().copied().zip(ring.iter().copied().cycle().skip(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notch_is_outside() {
        let notched = [(0., 0.), (10., 0.), (10., 10.), (5., 2.), (0., 10.)].map(|(x, y)| Point::new(x, y));
        assert!(inside(&notched, Point::new(1.0, 5.0)) && !inside(&notched, Point::new(5.0, 5.0)));
        assert_eq!(distance_to_outline(&notched, Point::new(5.0, -3.0)), 3.0);
        assert_eq!(signed_area(&notched), 60.0);
    }
}
