//! The study area. Intensity, edge correction and expected counts mean nothing without it.

use geo::{Area, BoundingRect, Coord, LinesIter, MultiPolygon, Rect, Validation};

use crate::plain::is_plainly_valid;
use rayon::prelude::*;

use crate::Grid;

/// Why polygons cannot be a study area.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WindowError {
    /// No polygon, or polygons without area.
    #[error("the study area has no area")]
    NoArea,
    /// A polygon is broken.
    #[error("polygon {number} of the study area is invalid: {why}")]
    Invalid {
        /// Which polygon, from 1.
        number: usize,
        /// What is wrong with it.
        why: String,
    },
}

/// Where a window came from.
#[derive(Debug, Clone, PartialEq)]
pub enum WindowOrigin {
    /// The user named a file.
    Given(String),
    /// No study area was given: everything within this many metres of an incident, holes filled.
    Footprint(f64),
}

/// The study area: polygons in the working system, with their area.
///
/// The polygons do not overlap: what overlaps is dissolved first, so that nothing is counted twice. A place on
/// the outline belongs to the window on its left and bottom side only, so that neighbouring windows share none.
#[derive(Debug, Clone)]
pub struct Window {
    polygons: MultiPolygon<f64>,
    area_m2: f64,
    bounds: Rect<f64>,
    origin: WindowOrigin,
    edges: Edges,
}

impl Window {
    /// A window of these polygons, in metres.
    pub fn new(polygons: MultiPolygon<f64>, origin: WindowOrigin) -> Result<Self, WindowError> {
        for (at, polygon) in polygons.iter().enumerate() {
            if !is_plainly_valid(polygon)
                && let Err(why) = polygon.check_validation()
            {
                return Err(WindowError::Invalid { number: at + 1, why: why.to_string() });
            }
        }
        let dissolved = if polygons.0.len() > 1 { geo::unary_union(polygons.iter()) } else { polygons };
        Self::of_disjoint(dissolved, origin)
    }

    /// A window of polygons that are known to be valid and not to overlap.
    pub fn of_disjoint(polygons: MultiPolygon<f64>, origin: WindowOrigin) -> Result<Self, WindowError> {
        let area_m2 = polygons.unsigned_area();
        let bounds = polygons.bounding_rect().ok_or(WindowError::NoArea)?;
        if !(area_m2.is_finite() && area_m2 > 0.0) {
            return Err(WindowError::NoArea);
        }
        let edges = Edges::new(&polygons, bounds);
        Ok(Self { polygons, area_m2, bounds, origin, edges })
    }

    /// The polygons.
    pub const fn polygons(&self) -> &MultiPolygon<f64> {
        &self.polygons
    }

    /// The area in km².
    pub fn area_km2(&self) -> f64 {
        self.area_m2 / 1e6
    }

    /// The bounding rectangle.
    pub const fn bounds(&self) -> Rect<f64> {
        self.bounds
    }

    /// Where it came from.
    pub const fn origin(&self) -> &WindowOrigin {
        &self.origin
    }

    /// Whether a place lies in the window.
    pub fn contains(&self, x: f64, y: f64) -> bool {
        let rays = self.edges.at(y).iter().filter(|edge| edge.crossing(y).is_some_and(|at| x < at)).count();
        rays % 2 == 1
    }

    /// Where the horizontal at `y` enters and leaves the window, from the west: places between the first and the
    /// second, the third and the fourth, … lie inside.
    pub fn crossings(&self, y: f64) -> Vec<f64> {
        let mut crossings: Vec<f64> = self.edges.at(y).iter().filter_map(|edge| edge.crossing(y)).collect();
        crossings.sort_by(f64::total_cmp);
        crossings
    }

    /// Whether the window is an upright rectangle: its bounds and nothing else.
    pub fn is_rectangle(&self) -> bool {
        let [polygon] = self.polygons.0.as_slice() else { return false };
        let (low, high) = (self.bounds.min(), self.bounds.max());
        let corner = |at: &Coord<f64>| (at.x == low.x || at.x == high.x) && (at.y == low.y || at.y == high.y);
        polygon.interiors().is_empty()
            && polygon.exterior().0.len() == 5
            && polygon.exterior().0.iter().all(corner)
    }

    /// Which places lie in the window.
    pub fn contains_all(&self, x: &[f64], y: &[f64]) -> Vec<bool> {
        x.par_iter().zip(y).map(|(&x, &y)| self.contains(x, y)).collect()
    }

    /// Which cells of the grid have their centre in the window, row by row from the south-west.
    pub fn mask(&self, grid: &Grid) -> Vec<bool> {
        let mut mask = vec![false; grid.nx() * grid.ny()];
        mask.par_chunks_mut(grid.nx()).enumerate().for_each(|(row, cells)| {
            for pair in self.crossings(grid.centre_y(row)).chunks_exact(2) {
                let first = grid.first_centre_from(pair[0]);
                let end = grid.first_centre_from(pair[1]);
                cells[first..end.max(first)].fill(true);
            }
        });
        mask
    }
}

/// One side of a polygon.
#[derive(Debug, Clone, Copy)]
struct Edge {
    a: Coord<f64>,
    b: Coord<f64>,
}

impl Edge {
    /// Where the side crosses the horizontal at `y`; the lower end belongs to it, the upper end does not.
    fn crossing(&self, y: f64) -> Option<f64> {
        let (a, b) = (self.a, self.b);
        ((a.y <= y) != (b.y <= y)).then(|| a.x + (y - a.y) / (b.y - a.y) * (b.x - a.x))
    }
}

/// The sides, filed under each horizontal band they pass through: a query reads one band, not the polygon.
#[derive(Debug, Clone)]
struct Edges {
    south: f64,
    band: f64,
    starts: Vec<usize>,
    sides: Vec<Edge>,
}

impl Edges {
    fn new(polygons: &MultiPolygon<f64>, bounds: Rect<f64>) -> Self {
        let sides: Vec<Edge> = polygons
            .lines_iter()
            .filter(|line| line.start.y != line.end.y)
            .map(|line| Edge { a: line.start, b: line.end })
            .collect();
        let bands = (sides.len() / 4).clamp(1, 8192);
        let south = bounds.min().y;
        let band = bounds.height() / bands as f64;
        let mut table = Self { south, band, starts: vec![0; bands + 1], sides: Vec::new() };
        let span =
            |edge: &Edge| table.band_of(edge.a.y.min(edge.b.y))..=table.band_of(edge.a.y.max(edge.b.y));
        let mut counts = vec![0_usize; bands + 1];
        for edge in &sides {
            for at in span(edge) {
                counts[at + 1] += 1;
            }
        }
        for at in 0..bands {
            counts[at + 1] += counts[at];
        }
        let mut next = counts.clone();
        let mut filed = vec![Edge { a: Coord::zero(), b: Coord::zero() }; counts[bands]];
        for edge in &sides {
            for at in span(edge) {
                filed[next[at]] = *edge;
                next[at] += 1;
            }
        }
        table.starts = counts;
        table.sides = filed;
        table
    }

    fn band_of(&self, y: f64) -> usize {
        let bands = self.starts.len() - 1;
        (((y - self.south) / self.band) as usize).min(bands - 1)
    }

    fn at(&self, y: f64) -> &[Edge] {
        let band = self.band_of(y);
        &self.sides[self.starts[band]..self.starts[band + 1]]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Metres;
    use geo::polygon;

    fn ring_with_hole() -> Window {
        let outer = polygon!(
            exterior: [(x: 0., y: 0.), (x: 100., y: 0.), (x: 100., y: 100.), (x: 0., y: 100.)],
            interiors: [[(x: 40., y: 40.), (x: 40., y: 60.), (x: 60., y: 60.), (x: 60., y: 40.)]]
        );
        Window::new(MultiPolygon::new(vec![outer]), WindowOrigin::Given("ring".into())).unwrap()
    }

    #[test]
    fn a_hole_is_outside() {
        let window = ring_with_hole();
        assert!((window.area_km2() - 0.0096).abs() < 1e-12);
        assert!(window.contains(10.0, 10.0) && !window.contains(50.0, 50.0) && !window.contains(-1.0, 50.0));
        assert!(!window.contains(50.0, 1e9) && !window.contains(50.0, -1e9));
        assert!(
            window.contains(0.0, 0.0) && !window.contains(100.0, 50.0),
            "left and bottom sides belong to it"
        );
    }

    #[test]
    fn the_mask_says_what_contains_says_at_every_centre() {
        let window = ring_with_hole();
        let grid = Grid::covering(&window, Metres::new(7.0).unwrap()).unwrap();
        for row in 0..grid.ny() {
            for column in 0..grid.nx() {
                let inside = window.contains(grid.centre_x(column), grid.centre_y(row));
                assert_eq!(grid.is_inside(row * grid.nx() + column), inside, "{row} {column}");
            }
        }
    }

    #[test]
    fn overlapping_polygons_count_once() {
        let square =
            |x: f64| polygon![(x: x, y: 0.), (x: x + 10., y: 0.), (x: x + 10., y: 10.), (x: x, y: 10.)];
        let window =
            Window::new(MultiPolygon::new(vec![square(0.0), square(5.0)]), WindowOrigin::Given("two".into()))
                .unwrap();
        assert!((window.area_km2() - 150e-6).abs() < 1e-15);
        assert!(window.contains(7.0, 5.0));
    }

    #[test]
    fn a_line_is_no_window() {
        let line = polygon![(x: 0., y: 0.), (x: 10., y: 0.), (x: 20., y: 0.)];
        assert!(Window::new(MultiPolygon::new(vec![line]), WindowOrigin::Given("line".into())).is_err());
        assert_eq!(
            Window::new(MultiPolygon::new(vec![]), WindowOrigin::Given("none".into())).unwrap_err(),
            WindowError::NoArea
        );
    }
}
