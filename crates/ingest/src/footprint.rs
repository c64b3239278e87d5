//! The area around the incidents when nobody names a study area: everything within about R of an incident, gaps
//! closed and holes filled.
//!
//! It is computed on square cells of R/2, row by row as runs of cells, so that a country costs what its inhabited
//! part costs: dilate by R, close by R, fill the holes, trace the outline. After the filling no outline touches
//! itself, not even at a corner, so every polygon is valid and has no hole.

use geo::{Coord, LineString, MultiPolygon, Polygon};

/// Radii to choose from, in metres: round numbers that a reader remembers.
const RADII: [f64; 12] =
    [250.0, 300.0, 400.0, 500.0, 750.0, 1000.0, 1500.0, 2000.0, 2500.0, 3000.0, 4000.0, 5000.0];
/// The radius around a single place, which has no neighbour to take a measure from.
const LONELY: f64 = 500.0;
/// Sites whose nearest neighbour is looked up; more would change the quantile little.
const MEASURED: usize = 20_000;
/// Neighbours looked at per site in one direction of the sweep.
const REACH: usize = 20_000;

/// The radius for these distinct places: twice the distance within which 95 % of the places have their nearest
/// neighbour, rounded up, between 250 m and 5 km. So 19 of 20 neighbouring places end up in one piece of land.
pub(crate) fn radius(x: &[f64], y: &[f64]) -> f64 {
    let mut nearest = nearest_distances(x, y);
    if nearest.is_empty() {
        return LONELY;
    }
    nearest.sort_unstable_by(f64::total_cmp);
    let at = (nearest.len() * 95).div_ceil(100).saturating_sub(1);
    let wanted = 2.0 * nearest[at];
    RADII.into_iter().find(|&radius| radius >= wanted).unwrap_or(RADII[RADII.len() - 1])
}

/// Distances to the nearest other place, for evenly chosen places: a sweep along the wider axis.
fn nearest_distances(x: &[f64], y: &[f64]) -> Vec<f64> {
    let width = |values: &[f64]| {
        let (low, high) = crate::project::range(values.iter().copied());
        high - low
    };
    let (along, across) = if width(x) >= width(y) { (x, y) } else { (y, x) };
    let mut places: Vec<(f64, f64)> = along.iter().copied().zip(across.iter().copied()).collect();
    places.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    if places.len() < 2 {
        return Vec::new();
    }
    let step = places.len().div_ceil(MEASURED);
    (0..places.len())
        .step_by(step)
        .map(|at| {
            let here = places[at];
            let mut best = f64::INFINITY;
            let mut look = |other: &(f64, f64)| {
                let gap = (other.0 - here.0).abs();
                if gap < best {
                    best = best.min(gap.hypot(other.1 - here.1));
                }
                gap < best
            };
            for other in places[at + 1..].iter().take(REACH) {
                if !look(other) {
                    break;
                }
            }
            for other in places[..at].iter().rev().take(REACH) {
                if !look(other) {
                    break;
                }
            }
            best
        })
        .collect()
}

/// The polygons of the footprint. Every place lies well inside one of them.
pub(crate) fn footprint(x: &[f64], y: &[f64], radius: f64) -> MultiPolygon<f64> {
    let cell = radius / 2.0;
    let mut cells: Vec<(i64, i64)> =
        x.iter().zip(y).map(|(x, y)| ((y / cell).floor() as i64, (x / cell).floor() as i64)).collect();
    cells.sort_unstable();
    cells.dedup();
    let disc = disc(2.5);
    let land = Runs::of_cells(&cells).dilate(&disc);
    let mut land = land.dilate(&disc).erode(&disc);
    land.fill_holes();
    land.trace(cell)
}

/// For each row distance from 0, how many cells a disc reaches to either side.
fn disc(radius: f64) -> Vec<i64> {
    (0..=radius as i64).map(|row| (radius * radius - (row * row) as f64).sqrt() as i64).collect()
}

/// A set of cells: per row, runs from a first cell to one past the last, sorted and apart.
struct Runs {
    first_row: i64,
    rows: Vec<Vec<(i64, i64)>>,
}

impl Runs {
    /// From cells as (row, column), sorted.
    fn of_cells(cells: &[(i64, i64)]) -> Self {
        let first_row = cells.first().map_or(0, |cell| cell.0);
        let last_row = cells.last().map_or(first_row - 1, |cell| cell.0);
        let mut rows: Vec<Vec<(i64, i64)>> = vec![Vec::new(); (last_row - first_row + 1) as usize];
        for &(row, column) in cells {
            push(&mut rows[(row - first_row) as usize], (column, column + 1));
        }
        Self { first_row, rows }
    }

    fn row(&self, row: i64) -> &[(i64, i64)] {
        usize::try_from(row - self.first_row).ok().and_then(|at| self.rows.get(at)).map_or(&[], Vec::as_slice)
    }

    fn row_numbers(&self) -> std::ops::Range<i64> {
        self.first_row..self.first_row + self.rows.len() as i64
    }

    /// All cells that a disc around some cell covers.
    fn dilate(&self, disc: &[i64]) -> Self {
        let reach = disc.len() as i64 - 1;
        let numbers = self.row_numbers();
        let rows = (numbers.start - reach..numbers.end + reach).map(|row| {
            let mut wide: Vec<(i64, i64)> = (row - reach..=row + reach)
                .flat_map(|other| {
                    let more = disc[(other - row).unsigned_abs() as usize];
                    self.row(other).iter().map(move |&(from, to)| (from - more, to + more))
                })
                .collect();
            wide.sort_unstable();
            let mut merged = Vec::new();
            for run in wide {
                push(&mut merged, run);
            }
            merged
        });
        Self { first_row: numbers.start - reach, rows: rows.collect() }
    }

    /// All cells around which a disc stays inside.
    fn erode(&self, disc: &[i64]) -> Self {
        let reach = disc.len() as i64 - 1;
        let numbers = self.row_numbers();
        let rows = numbers.clone().map(|row| {
            let mut common: Option<Vec<(i64, i64)>> = None;
            for other in row - reach..=row + reach {
                let less = disc[(other - row).unsigned_abs() as usize];
                let shrunk = self
                    .row(other)
                    .iter()
                    .map(|&(from, to)| (from + less, to - less))
                    .filter(|run| run.0 < run.1);
                common = Some(match common {
                    None => shrunk.collect(),
                    Some(common) => intersect(&common, shrunk),
                });
            }
            common.unwrap_or_default()
        });
        Self { first_row: numbers.start, rows: rows.collect() }
    }

    /// Adds every gap that is not connected to the outside by the sides of cells.
    fn fill_holes(&mut self) {
        // Thing number 0 is the outside; as the least of its group it stays its representative.
        const OUTSIDE: usize = 0;
        // The gaps of a row: before its first run, between runs, after its last.
        let gaps = |row: &[(i64, i64)]| {
            let starts = std::iter::once(i64::MIN).chain(row.iter().map(|run| run.1));
            let ends = row.iter().map(|run| run.0).chain(std::iter::once(i64::MAX));
            starts.zip(ends).collect::<Vec<(i64, i64)>>()
        };
        let all: Vec<Vec<(i64, i64)>> = self.rows.iter().map(|row| gaps(row)).collect();
        let mut offsets = Vec::with_capacity(all.len());
        let mut total = 1;
        for row in &all {
            offsets.push(total);
            total += row.len();
        }
        let mut groups = Groups::new(total);
        for (at, row) in all.iter().enumerate() {
            groups.join(OUTSIDE, offsets[at]);
            groups.join(OUTSIDE, offsets[at] + row.len() - 1);
            if at == 0 || at + 1 == all.len() {
                for gap in 0..row.len() {
                    groups.join(OUTSIDE, offsets[at] + gap);
                }
            }
            let Some(above) = all.get(at + 1) else { continue };
            let (mut i, mut j) = (0, 0);
            while i < row.len() && j < above.len() {
                if row[i].0.max(above[j].0) < row[i].1.min(above[j].1) {
                    groups.join(offsets[at] + i, offsets[at + 1] + j);
                }
                if row[i].1 <= above[j].1 { i += 1 } else { j += 1 }
            }
        }
        for (at, row) in all.iter().enumerate() {
            let holes = (0..row.len()).filter(|gap| groups.root(offsets[at] + gap) != OUTSIDE);
            let mut runs: Vec<(i64, i64)> =
                holes.map(|gap| row[gap]).chain(self.rows[at].iter().copied()).collect();
            runs.sort_unstable();
            let mut merged = Vec::with_capacity(runs.len());
            for run in runs {
                push(&mut merged, run);
            }
            self.rows[at] = merged;
        }
    }

    /// The outlines as polygons, counter-clockwise. At a corner where two cells touch, the outline stays with its
    /// own cell.
    fn trace(&self, cell: f64) -> MultiPolygon<f64> {
        let mut sides: Vec<Side> = Vec::new();
        let numbers = self.row_numbers();
        for row in numbers.start..=numbers.end {
            for &(from, to) in self.row(row) {
                sides.push(Side { start: (row + 1, from), end: (row, from) });
                sides.push(Side { start: (row, to), end: (row + 1, to) });
            }
            for (from, to) in only_in_first(self.row(row), self.row(row - 1)) {
                sides.push(Side { start: (row, from), end: (row, to) });
            }
            for (from, to) in only_in_first(self.row(row - 1), self.row(row)) {
                sides.push(Side { start: (row, to), end: (row, from) });
            }
        }
        sides.sort_unstable_by_key(|side| side.start);
        let mut walked = vec![false; sides.len()];
        let mut polygons = Vec::new();
        for first in 0..sides.len() {
            // A horizontal side begins at a corner, and every outline has one.
            if walked[first] || sides[first].start.0 != sides[first].end.0 {
                continue;
            }
            let mut corners: Vec<(i64, i64)> = Vec::new();
            let mut at = first;
            loop {
                walked[at] = true;
                let side = sides[at];
                let turns = corners.len() < 2 || {
                    let before = corners[corners.len() - 1];
                    heading(before, side.start) != heading(side.start, side.end)
                };
                if turns {
                    corners.push(side.start);
                }
                let from = sides.partition_point(|other| other.start < side.end);
                let left = turned_left(heading(side.start, side.end));
                let mut next = None;
                for other in from..sides.len() {
                    if sides[other].start != side.end {
                        break;
                    }
                    if !walked[other]
                        && (next.is_none() || heading(sides[other].start, sides[other].end) == left)
                    {
                        next = Some(other);
                    }
                }
                match next {
                    Some(next) => at = next,
                    None => break,
                }
            }
            let ring: Vec<Coord<f64>> = corners
                .iter()
                .map(|&(row, column)| Coord { x: column as f64 * cell, y: row as f64 * cell })
                .collect();
            polygons.push(Polygon::new(LineString::new(ring), Vec::new()));
        }
        MultiPolygon::new(polygons)
    }
}

/// One side of a cell or several in line, from corner to corner as (row, column), with the inside on its left.
#[derive(Debug, Clone, Copy)]
struct Side {
    start: (i64, i64),
    end: (i64, i64),
}

/// The direction as (rows, columns).
const fn heading(from: (i64, i64), to: (i64, i64)) -> (i64, i64) {
    ((to.0 - from.0).signum(), (to.1 - from.1).signum())
}

const fn turned_left(heading: (i64, i64)) -> (i64, i64) {
    (heading.1, -heading.0)
}

/// Adds a run that does not begin before the last one; runs that touch become one.
fn push(runs: &mut Vec<(i64, i64)>, run: (i64, i64)) {
    match runs.last_mut() {
        Some(last) if run.0 <= last.1 => last.1 = last.1.max(run.1),
        _ => runs.push(run),
    }
}

fn intersect(a: &[(i64, i64)], b: impl Iterator<Item = (i64, i64)>) -> Vec<(i64, i64)> {
    let mut common = Vec::new();
    let mut i = 0;
    for run in b {
        while i < a.len() && a[i].1 <= run.0 {
            i += 1;
        }
        let mut j = i;
        while j < a.len() && a[j].0 < run.1 {
            common.push((a[j].0.max(run.0), a[j].1.min(run.1)));
            j += 1;
        }
    }
    common
}

/// The parts of the runs of `a` that no run of `b` covers.
fn only_in_first(a: &[(i64, i64)], b: &[(i64, i64)]) -> Vec<(i64, i64)> {
    let mut rest = Vec::new();
    let mut j = 0;
    for &(mut from, to) in a {
        while j < b.len() && b[j].1 <= from {
            j += 1;
        }
        let mut k = j;
        while from < to {
            match b.get(k) {
                Some(&(cover, end)) if cover < to => {
                    if from < cover {
                        rest.push((from, cover));
                    }
                    from = from.max(end);
                    k += 1;
                }
                _ => {
                    rest.push((from, to));
                    break;
                }
            }
        }
    }
    rest
}

/// Which things belong together (union and find with halving paths).
pub(crate) struct Groups {
    parent: Vec<usize>,
}

impl Groups {
    /// So many things, each by itself.
    pub fn new(count: usize) -> Self {
        Self { parent: (0..count).collect() }
    }

    /// The representative of a thing: the least of its group.
    pub fn root(&mut self, mut at: usize) -> usize {
        while self.parent[at] != at {
            self.parent[at] = self.parent[self.parent[at]];
            at = self.parent[at];
        }
        at
    }

    /// Puts the groups of two things together.
    pub fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.root(a), self.root(b));
        self.parent[a.max(b)] = a.min(b);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use geo::{Contains, Point, Validation, Winding};

    fn check(x: &[f64], y: &[f64], radius: f64) -> MultiPolygon<f64> {
        let polygons = footprint(x, y, radius);
        assert!(polygons.is_valid(), "{polygons:?}");
        for polygon in &polygons {
            assert!(polygon.interiors().is_empty());
            assert!(polygon.exterior().is_ccw());
        }
        for (&x, &y) in x.iter().zip(y) {
            for (dx, dy) in [(0.0, 0.0), (radius, 0.0), (0.0, -radius), (-0.7 * radius, 0.0)] {
                assert!(polygons.contains(&Point::new(x + dx * 0.99, y + dy * 0.99)), "{x} {y} {dx} {dy}");
            }
        }
        polygons
    }

    #[test]
    fn degenerate_worlds_have_a_footprint() {
        assert_eq!(check(&[1000.0], &[-2000.0], 500.0).0.len(), 1);
        let line: Vec<f64> = (0..50).map(|at| f64::from(at) * 100.0).collect();
        assert_eq!(check(&line, &vec![0.0; 50], 250.0).0.len(), 1);
        assert_eq!(check(&vec![0.0; 50], &line, 250.0).0.len(), 1);
        assert_eq!(check(&[0.0, 1e6], &[0.0, 1e6], 5000.0).0.len(), 2);
        assert!(footprint(&[], &[], 500.0).0.is_empty());
        assert_eq!(radius(&[5.0], &[5.0]), LONELY);
        assert_eq!(radius(&[], &[]), LONELY);
    }

    #[test]
    fn a_ring_of_incidents_has_no_hole() {
        let angles: Vec<f64> = (0..200).map(|at| f64::from(at) * std::f64::consts::TAU / 200.0).collect();
        let x: Vec<f64> = angles.iter().map(|a| a.cos() * 10_000.0).collect();
        let y: Vec<f64> = angles.iter().map(|a| a.sin() * 10_000.0).collect();
        let polygons = check(&x, &y, 500.0);
        assert_eq!(polygons.0.len(), 1);
        assert!(polygons.contains(&Point::new(0.0, 0.0)), "the middle is filled");
    }

    #[test]
    fn cells_that_touch_at_a_corner_are_two_polygons() {
        let runs = Runs::of_cells(&[(0, 0), (0, 1), (1, 2), (2, 1)]);
        let polygons = runs.trace(10.0);
        assert_eq!(polygons.0.len(), 3);
        assert!(polygons.is_valid());
        let mut ring = Runs::of_cells(&[(0, 1), (1, 0), (1, 2), (2, 1)]);
        ring.fill_holes();
        assert_eq!(ring.trace(10.0).0.len(), 1, "the enclosed cell is filled and joins the four");
    }

    #[test]
    fn the_radius_follows_the_spacing_of_the_places() {
        let grid = |step: f64| {
            let at = |n: usize| (n as f64) * step;
            let places: Vec<(f64, f64)> = (0..900).map(|n| (at(n % 30), at(n / 30))).collect();
            let (x, y): (Vec<f64>, Vec<f64>) = places.into_iter().unzip();
            radius(&x, &y)
        };
        assert_eq!(grid(50.0), 250.0);
        assert_eq!(grid(500.0), 1000.0);
        assert_eq!(grid(1900.0), 4000.0);
        assert_eq!(grid(50_000.0), 5000.0);
    }

    proptest::proptest! {
        #[test]
        fn every_footprint_is_valid(places in proptest::collection::vec((-20_i32..20, -20_i32..20), 1..60)) {
            let x: Vec<f64> = places.iter().map(|place| f64::from(place.0) * 333.0).collect();
            let y: Vec<f64> = places.iter().map(|place| f64::from(place.1) * 333.0).collect();
            check(&x, &y, 250.0);
        }

        #[test]
        fn every_set_of_cells_is_traced_without_touching_itself(cells in proptest::collection::btree_set((0_i64..12, 0_i64..12), 1..90)) {
            let cells: Vec<(i64, i64)> = cells.into_iter().collect();
            let mut runs = Runs::of_cells(&cells);
            runs.fill_holes();
            let polygons = runs.trace(1.0);
            proptest::prop_assert!(polygons.is_valid(), "{:?}", polygons);
            let count: i64 = runs.rows.iter().flatten().map(|run| run.1 - run.0).sum();
            proptest::prop_assert!((geo::Area::unsigned_area(&polygons) - count as f64).abs() < 1e-9);
        }
    }
}
