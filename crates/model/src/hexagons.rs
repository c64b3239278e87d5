//! Hexagonal cells, cut at a window, aligned so that two runs share them.

use std::ops::Range;

use geo::{Area, BooleanOps, Coord, LineString, LinesIter, MultiPolygon, Polygon};
use rayon::prelude::*;

use crate::clip::{Axis, between};
use crate::grid::GridError;
use crate::{Metres, Window};

/// The most places a lattice may have: 2²⁶ take about 1 GiB with their neighbours.
const MOST_HEXAGONS: f64 = 67_108_864.0;

/// The least part of a hexagon, or of a window that is smaller, that counts as some of it; rounding leaves less of nothing.
const SLIVER: f64 = 1e-6;

const SQRT_3: f64 = 1.732_050_807_568_877_2;

const OUTSIDE: u32 = u32::MAX;

/// Regular hexagons that stand on a corner, `across` metres from side to side, which is the distance between the centres of
/// neighbours. Centres lie in rows `across` · √3/2 apart, every other row moved east by half a hexagon; that of hexagon 0:0
/// is the origin (0, 0). Those that hold some of a window are its hexagons, cut at its border: together they are the
/// window. They are numbered row by row from the south-west.
#[derive(Debug, Clone, PartialEq)]
pub struct Hexagons {
    across: Metres,
    west: i64,
    south: i64,
    nx: usize,
    ny: usize,
    /// The number of the hexagon at each place of the lattice.
    number: Vec<u32>,
    /// The place of each hexagon.
    place: Vec<u32>,
    /// In m².
    area: Vec<f64>,
    /// What is left of those that are cut, ascending by number.
    cut: Vec<(u32, MultiPolygon<f64>)>,
}

/// What is known of a place of the lattice.
struct Found {
    column: usize,
    area: f64,
    cut: Option<MultiPolygon<f64>>,
}

impl Hexagons {
    /// The hexagons of a window.
    pub fn covering(window: &Window, across: Metres) -> Result<Self, GridError> {
        let (size, bounds) = (across.get(), window.bounds());
        let (high, radius) = (size * SQRT_3 / 2.0, size / SQRT_3);
        let (low, top) = (bounds.min(), bounds.max());
        // A hexagon to spare on all sides.
        let west = (low.x / size - 1.0).floor();
        let south = ((low.y - radius) / high).floor();
        let nx = (top.x / size + 1.0).ceil() - west;
        let ny = ((top.y + radius) / high).ceil() - south + 1.0;
        if nx * ny > MOST_HEXAGONS {
            let fits = Metres::new(size * (nx * ny / MOST_HEXAGONS).sqrt()).unwrap_or(across).round_up();
            return Err(GridError::TooManyHexagons { across, hexagons: nx * ny, fits });
        }
        let (west, south, nx, ny) = (west as i64, south as i64, nx as usize, ny as usize);
        let mut hexagons = Self {
            across,
            west,
            south,
            nx,
            ny,
            number: vec![OUTSIDE; nx * ny],
            place: Vec::new(),
            area: Vec::new(),
            cut: Vec::new(),
        };
        let crossed = hexagons.crossed(window);
        let mut strips = vec![MultiPolygon::new(Vec::new()); ny];
        hexagons.cut_into_strips(window.polygons(), 0..ny, &mut strips);
        let rows: Vec<Vec<Found>> = strips
            .par_iter()
            .zip(crossed.par_chunks(nx))
            .enumerate()
            .map(|(row, (strip, crossed))| hexagons.row(window, row, strip, crossed))
            .collect();
        for (row, found) in rows.into_iter().enumerate() {
            for Found { column, area, cut } in found {
                let number = hexagons.place.len() as u32;
                hexagons.number[row * nx + column] = number;
                hexagons.place.push((row * nx + column) as u32);
                hexagons.area.push(area);
                hexagons.cut.extend(cut.map(|cut| (number, cut)));
            }
        }
        Ok(hexagons)
    }

    /// The places of the lattice that a side of the window may cross.
    fn crossed(&self, window: &Window) -> Vec<bool> {
        let mut crossed = vec![false; self.nx * self.ny];
        let (size, radius) = (self.across.get(), self.radius());
        for line in window.polygons().lines_iter() {
            let (a, b) =
                if line.start.y <= line.end.y { (line.start, line.end) } else { (line.end, line.start) };
            for row in self.rows_between(a.y, b.y) {
                let middle = self.centre_at(0, row);
                let along = |y: f64| {
                    if a.y == b.y { a.x } else { a.x + (y.clamp(a.y, b.y) - a.y) / (b.y - a.y) * (b.x - a.x) }
                };
                let (from, to) = if a.y == b.y {
                    (a.x, b.x)
                } else {
                    (along(middle.y - radius), along(middle.y + radius))
                };
                // Columns whose hexagon comes that far, with a hair to spare.
                let first = ((from.min(to) - middle.x) / size - 0.501).ceil().max(0.0) as usize;
                let last = ((from.max(to) - middle.x) / size + 0.501).floor();
                for column in first..=(last.max(0.0) as usize).min(self.nx - 1) {
                    crossed[row * self.nx + column] = true;
                }
            }
        }
        crossed
    }

    /// The rows whose hexagons come between two northings.
    fn rows_between(&self, low: f64, high: f64) -> Range<usize> {
        let rows = |y: f64| y / (self.across.get() * SQRT_3 / 2.0) - self.south as f64;
        let reach = 2.0 / 3.0 + 0.001;
        let first = (rows(low) - reach).ceil().max(0.0) as usize;
        first..((rows(high) + reach).floor().max(0.0) as usize + 1).min(self.ny)
    }

    /// What of the polygons comes near each row.
    fn cut_into_strips(
        &self,
        polygons: &MultiPolygon<f64>,
        rows: Range<usize>,
        strips: &mut [MultiPolygon<f64>],
    ) {
        // With a margin, so that no hexagon has a side on the cut.
        let reach = 1.25 * self.radius();
        let (low, high) =
            (self.centre_at(0, rows.start).y - reach, self.centre_at(0, rows.end - 1).y + reach);
        let part = between(polygons, Axis::Northing, low, high);
        if let [strip] = strips {
            *strip = part;
            return;
        }
        let half = rows.len() / 2;
        let (south, north) = strips.split_at_mut(half);
        let middle = rows.start + half;
        rayon::join(
            || self.cut_into_strips(&part, rows.start..middle, south),
            || self.cut_into_strips(&part, middle..rows.end, north),
        );
    }

    /// The hexagons of a row.
    fn row(&self, window: &Window, row: usize, strip: &MultiPolygon<f64>, crossed: &[bool]) -> Vec<Found> {
        let whole = self.whole();
        let least = SLIVER * whole.min(window.area_km2() * 1e6);
        let crossings = window.crossings(self.centre_at(0, row).y);
        let mut passed = 0;
        let mut found = Vec::new();
        for (column, &crossed) in crossed.iter().enumerate() {
            let x = self.centre_at(column, row).x;
            while crossings.get(passed).is_some_and(|&crossing| crossing <= x) {
                passed += 1;
            }
            if crossed {
                let hexagon = self.around(column, row);
                let cut = MultiPolygon::new(vec![hexagon]).intersection(strip);
                let area = cut.unsigned_area();
                if area >= whole * (1.0 - SLIVER) {
                    found.push(Found { column, area: whole, cut: None });
                } else if area > least {
                    found.push(Found { column, area, cut: Some(cut) });
                }
            } else if passed % 2 == 1 {
                found.push(Found { column, area: whole, cut: None });
            }
        }
        found
    }

    /// The distance between opposite sides, and between the centres of neighbours.
    pub const fn across(&self) -> Metres {
        self.across
    }

    /// How many.
    pub const fn len(&self) -> usize {
        self.place.len()
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.place.is_empty()
    }

    /// The area of each inside the window, in m².
    pub fn areas(&self) -> &[f64] {
        &self.area
    }

    /// How many are cut by the border of the window.
    pub const fn cut(&self) -> usize {
        self.cut.len()
    }

    /// The column and the row of a hexagon, counted from that at the origin.
    pub fn name(&self, number: usize) -> (i64, i64) {
        let (column, row) = self.column_row(number);
        (self.west + column as i64, self.south + row as i64)
    }

    /// The centre of a hexagon, cut or not.
    pub fn centre(&self, number: usize) -> Coord<f64> {
        let (column, row) = self.column_row(number);
        self.centre_at(column, row)
    }

    /// What of a hexagon lies in the window.
    pub fn polygons(&self, number: usize) -> MultiPolygon<f64> {
        match self.cut.binary_search_by_key(&(number as u32), |(number, _)| *number) {
            Ok(at) => self.cut[at].1.clone(),
            Err(_) => {
                let (column, row) = self.column_row(number);
                MultiPolygon::new(vec![self.around(column, row)])
            }
        }
    }

    /// The hexagons around one, ascending: six at most.
    pub fn around_it(&self, number: usize) -> impl Iterator<Item = u32> + '_ {
        let (column, row) = self.column_row(number);
        self.beside(column as i64, row as i64)
    }

    /// The hexagon of a place in the window.
    pub fn at(&self, x: f64, y: f64) -> Option<usize> {
        let (size, high) = (self.across.get(), self.across.get() * SQRT_3 / 2.0);
        let below = (y / high).floor() as i64 - self.south;
        let nearest = |row: i64| {
            let column = (x / size - self.shift(row) - self.west as f64).round() as i64;
            let centre = Coord {
                x: ((self.west + column) as f64 + self.shift(row)) * size,
                y: (self.south + row) as f64 * high,
            };
            ((x - centre.x) * (x - centre.x) + (y - centre.y) * (y - centre.y), column, row)
        };
        let (here, above) = (nearest(below), nearest(below + 1));
        let (_, column, row) = if above.0 < here.0 { above } else { here };
        // One of which only a sliver lies in the window is none: a place in it is counted next door.
        self.number_at(column, row).or_else(|| self.beside(column, row).next()).map(|number| number as usize)
    }

    fn number_at(&self, column: i64, row: i64) -> Option<u32> {
        let on_lattice = (0..self.nx as i64).contains(&column) && (0..self.ny as i64).contains(&row);
        let number = || self.number[row as usize * self.nx + column as usize];
        on_lattice.then(number).filter(|&number| number != OUTSIDE)
    }

    fn beside(&self, column: i64, row: i64) -> impl Iterator<Item = u32> + '_ {
        // In the rows above and below the one to the west is a column further west, unless this row is moved east.
        let west = column - i64::from(self.shift(row) == 0.0);
        let near = [(west, -1), (west + 1, -1), (column - 1, 0), (column + 1, 0), (west, 1), (west + 1, 1)];
        near.into_iter().filter_map(move |(column, up)| self.number_at(column, row + up))
    }

    fn column_row(&self, number: usize) -> (usize, usize) {
        let place = self.place[number] as usize;
        (place % self.nx, place / self.nx)
    }

    /// How far a row of the lattice is moved east, in hexagons.
    const fn shift(&self, row: i64) -> f64 {
        if (self.south + row).rem_euclid(2) == 1 { 0.5 } else { 0.0 }
    }

    fn centre_at(&self, column: usize, row: usize) -> Coord<f64> {
        let x = (self.west + column as i64) as f64 + self.shift(row as i64);
        let y = (self.south + row as i64) as f64;
        Coord { x: x * self.across.get(), y: y * self.across.get() * SQRT_3 / 2.0 }
    }

    /// From the centre to a corner.
    fn radius(&self) -> f64 {
        self.across.get() / SQRT_3
    }

    /// The area of a hexagon that is not cut, in m².
    fn whole(&self) -> f64 {
        self.across.get() * self.across.get() * SQRT_3 / 2.0
    }

    /// A whole hexagon. Corners lie on a lattice of their own, so that neighbours share them bit for bit.
    fn around(&self, column: usize, row: usize) -> Polygon<f64> {
        let x = 2 * (self.west + column as i64) + i64::from(self.shift(row as i64) > 0.0);
        let y = 3 * (self.south + row as i64);
        let corner = |(right, up): (i64, i64)| Coord {
            x: (x + right) as f64 * (self.across.get() / 2.0),
            y: (y + up) as f64 * (self.radius() / 2.0),
        };
        let ring = [(0, -2), (1, -1), (1, 1), (0, 2), (-1, 1), (-1, -1)].map(corner);
        Polygon::new(LineString::new(ring.to_vec()), Vec::new())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::WindowOrigin;
    use geo::{Intersects, polygon};

    fn metres(value: f64) -> Metres {
        Metres::new(value).unwrap()
    }

    /// A crescent with a hole and an island, far from the origin.
    fn window() -> Window {
        let crescent = polygon!(
            exterior: [(x: -350., y: 120.), (x: 900., y: -40.), (x: 1730., y: 610.), (x: 820., y: 1250.), (x: 40., y: 990.),
                       (x: 610., y: 960.), (x: 1020., y: 640.), (x: 720., y: 330.), (x: 110., y: 380.)],
            interiors: [[(x: 1200., y: 500.), (x: 1300., y: 520.), (x: 1280., y: 660.), (x: 1190., y: 640.)]]
        );
        let island =
            polygon![(x: -200., y: 700.), (x: -190., y: 700.), (x: -190., y: 790.), (x: -200., y: 790.)];
        Window::new(MultiPolygon::new(vec![crescent, island]), WindowOrigin::Given("crescent".into()))
            .unwrap()
    }

    #[test]
    fn hexagons_are_the_window_cut_into_pieces() {
        let window = window();
        for size in [7.0, 40.0, 93.0, 250.0, 1000.0, 50_000.0] {
            let hexagons = Hexagons::covering(&window, metres(size)).unwrap();
            let whole = window.area_km2() * 1e6;
            let all: f64 = hexagons.areas().iter().sum();
            assert!((all - whole).abs() < 2e-6 * whole + 1e-6 * hexagons.whole(), "{size}: {all} of {whole}");
            for number in 0..hexagons.len() {
                let polygons = hexagons.polygons(number);
                assert!(
                    (polygons.unsigned_area() - hexagons.areas()[number]).abs() < 1e-6 * hexagons.whole()
                );
            }
        }
    }

    #[test]
    fn a_hexagon_is_that_of_the_window_cut_by_it_alone() {
        let window = window();
        let hexagons = Hexagons::covering(&window, metres(93.0)).unwrap();
        let mut of_window = 0;
        for row in 0..hexagons.ny {
            for column in 0..hexagons.nx {
                let alone = hexagons.around(column, row).intersection(window.polygons()).unsigned_area();
                match hexagons.number_at(column as i64, row as i64) {
                    Some(number) => {
                        of_window += 1;
                        assert!((hexagons.areas()[number as usize] - alone).abs() < 0.01, "{column} {row}");
                    }
                    None => assert!(alone < 0.01, "{column} {row}: {alone}"),
                }
            }
        }
        assert_eq!(of_window, hexagons.len());
    }

    #[test]
    fn a_place_lies_in_its_hexagon_and_neighbours_are_those_that_touch() {
        let window = window();
        let hexagons = Hexagons::covering(&window, metres(93.0)).unwrap();
        for at in 0..2000_u32 {
            let part = |step: f64| (f64::from(at) * step) % 1.0;
            let (x, y) = (2100.0 * part(0.618_034) - 360.0, 1300.0 * part(0.754_878) - 45.0);
            if window.contains(x, y) {
                let number = hexagons.at(x, y).unwrap();
                let (column, row) = hexagons.column_row(number);
                assert!(hexagons.around(column, row).intersects(&Coord { x, y }), "{x} {y}");
            }
        }
        let outline = |number: usize| {
            let (column, row) = hexagons.column_row(number);
            hexagons.around(column, row)
        };
        for number in 0..hexagons.len() {
            let found: Vec<u32> = hexagons.around_it(number).collect();
            let touching = (0..hexagons.len()).filter(|&other| {
                other != number
                    && outline(number)
                        .exterior()
                        .0
                        .iter()
                        .any(|corner| outline(other).exterior().0.contains(corner))
            });
            assert_eq!(found, touching.map(|other| other as u32).collect::<Vec<_>>());
        }
    }

    #[test]
    fn two_windows_share_their_hexagons() {
        let square = |x: f64| polygon![(x: x, y: -500.), (x: x + 2000., y: -500.), (x: x + 2000., y: 900.), (x: x, y: 900.)];
        let of = |x: f64| {
            let window =
                Window::new(MultiPolygon::new(vec![square(x)]), WindowOrigin::Given("square".into()));
            Hexagons::covering(&window.unwrap(), metres(100.0)).unwrap()
        };
        let (a, b) = (of(-777.0), of(13.0));
        let name = |hexagons: &Hexagons, x: f64, y: f64| hexagons.name(hexagons.at(x, y).unwrap());
        assert_eq!(name(&a, 0.0, 0.0), (0, 0));
        // Half a hexagon east of the y axis, one row up.
        assert_eq!(name(&a, 49.0, 86.0), (0, 1));
        assert_eq!(name(&a, 457.0, -123.0), name(&b, 457.0, -123.0));
    }

    #[test]
    fn hexagons_that_do_not_fit_name_some_that_do() {
        let wide = polygon![(x: 0., y: 0.), (x: 1e6, y: 0.), (x: 1e6, y: 1e6), (x: 0., y: 1e6)];
        let wide = Window::new(MultiPolygon::new(vec![wide]), WindowOrigin::Given("wide".into())).unwrap();
        let Err(GridError::TooManyHexagons { fits, .. }) = Hexagons::covering(&wide, metres(1.0)) else {
            panic!("1e12 hexagons were made");
        };
        assert!(fits.get() > 100.0 && fits.get() < 200.0, "{fits}");
    }
}
