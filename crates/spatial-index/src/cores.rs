//! Cores, the groups they form, and the places that border on them: the one definition behind every DBSCAN, in space and
//! in space and time.
//!
//! Places are filed under cells so small that any two places of one cell are neighbours (Gan & Tao 2015,
//! doi:10.1145/2723372.2737792): in space squares of side eps/√2, in time slices one second longer than the reach. A heavy
//! cell then makes cores without a distance, and cores are united cell by cell. Copies of the places lie in the order of
//! cells, so that a neighbourhood is a handful of contiguous runs.

use std::num::NonZeroU32;
use std::ops::Range;

use rayon::prelude::*;

use crate::groups::Groups;
use crate::sorting::sort;
use crate::{AnalysisError, Sites};

/// Five incidents make a core: the default of scikit-learn and R dbscan, and of every method here that asks for
/// `min-points`.
pub const fn default_min_points() -> NonZeroU32 {
    NonZeroU32::MIN.saturating_add(4)
}

/// What makes two places neighbours: at most `eps` metres apart and, where places have a third coordinate, at most `time` of
/// its whole seconds.
#[derive(Debug, Clone, Copy)]
pub struct Reach {
    /// Metres, greater than zero.
    pub eps: f64,
    /// Whole seconds.
    pub time: f64,
}

impl Reach {
    /// Whether two places are neighbours.
    fn joins<const D: usize>(&self, a: [f64; D], b: [f64; D]) -> bool {
        square(a, b) <= self.eps * self.eps && (D < 3 || (a[2] - b[2]).abs() <= self.time)
    }

    /// How far apart neighbours are, for comparing: the square of their distance, where each axis counts in its own reach.
    fn apart<const D: usize>(&self, a: [f64; D], b: [f64; D]) -> f64 {
        if D < 3 {
            return square(a, b);
        }
        let late = (a[2] - b[2]) / self.time;
        square(a, b) / (self.eps * self.eps) + late * late
    }
}

/// The square of the distance in space.
fn square<const D: usize>(a: [f64; D], b: [f64; D]) -> f64 {
    let (dx, dy) = (a[0] - b[0], a[1] - b[1]);
    dx * dx + dy * dy
}

/// Who is a core, and who belongs together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cores {
    /// Per place, whether it is a core.
    pub core: Vec<bool>,
    /// Per place, the group it belongs to; `None` for noise. The numbers name groups and mean nothing else.
    pub group: Vec<Option<u32>>,
}

/// The cores among `count` places and the groups they form. `place` tells x, y and perhaps time of a place, `weight` its
/// weight (not negative). A place is a core when the places in reach of it, itself included, weigh at least `least`, each weight
/// to nine decimals; cores in reach of one another are in one group; a place that is no core joins the nearest core in reach, the first of equals.
///
/// # Errors
/// [`AnalysisError::Parameter`] when the reach is finer than coordinates over such an extent can be.
pub fn cores<const D: usize>(
    count: usize,
    place: impl Fn(usize) -> [f64; D] + Sync,
    weight: impl Fn(usize) -> f64 + Sync,
    reach: Reach,
    least: f64,
) -> Result<Cores, AnalysisError> {
    let mut cells = Cells::new(count, place, reach)?;
    let weight: Vec<u64> = cells.members.iter().map(|&member| units(weight(member as usize))).collect();
    let is_core = cells.find_cores(&weight, units(least));
    drop(weight);
    let mut core = vec![false; count];
    for (&member, &is_core) in cells.members.iter().zip(&is_core) {
        core[member as usize] = is_core;
    }
    cells.bring_cores_forward(&is_core);
    let mut groups = cells.unite();
    let mut group = vec![None; count];
    for cell in 0..cells.len() {
        let root = groups.root(cell as u32);
        for at in cells.cores_of(cell) {
            group[cells.members[at] as usize] = Some(root);
        }
    }
    for (member, cell) in cells.borders() {
        group[member as usize] = Some(groups.root(cell));
    }
    Ok(Cores { core, group })
}

/// A weight in whole billionths: ten tenths are one, in whichever order they are added.
fn units(weight: f64) -> u64 {
    (weight * 1e9).round() as u64
}

/// The sum, or the largest number where it would be larger.
fn sum(weights: impl Iterator<Item = u64>) -> u64 {
    weights.fold(0, u64::saturating_add)
}

/// The cores among sites, by distance in space alone.
///
/// # Errors
/// As [`cores`].
pub fn cores_of_sites(sites: &Sites, eps: f64, min_points: NonZeroU32) -> Result<Cores, AnalysisError> {
    let place = |at: usize| [sites.x[at], sites.y[at]];
    let reach = Reach { eps, time: 0.0 };
    cores(sites.len(), place, |at| sites.weight[at], reach, f64::from(min_points.get()))
}

/// Places filed under cells. Cells are numbered line by line; a line is a row of squares within one slice of time.
struct Cells<const D: usize> {
    reach: Reach,
    /// The number of each line in use and its first cell, ascending; a last entry marks the end.
    lines: Vec<(i64, u32)>,
    /// How many lines apart the same rows of neighbouring slices are.
    stride: i64,
    /// Per cell in use, its column.
    columns: Vec<i64>,
    /// Per cell in use, its first place; a last entry marks the end.
    starts: Vec<u32>,
    /// Per cell in use, the end of its cores; its first place while none is known.
    core_ends: Vec<u32>,
    /// The coordinates of the places, cell by cell.
    at: Vec<[f64; D]>,
    /// Which place each of them is.
    members: Vec<u32>,
}

/// Cells two columns or rows apart can hold neighbours; cells three apart cannot.
const REACH: i64 = 2;

/// Lines and columns are numbered below 2 to this power.
const BITS: u32 = 48;

impl<const D: usize> Cells<D> {
    fn new(
        count: usize,
        place: impl Fn(usize) -> [f64; D] + Sync,
        reach: Reach,
    ) -> Result<Self, AnalysisError> {
        // Counted from the first place on each axis, so that the division keeps its precision at any origin.
        let (mut low, mut high) = ([f64::INFINITY; D], [f64::NEG_INFINITY; D]);
        for place in (0..count).map(&place) {
            for axis in 0..D {
                low[axis] = low[axis].min(place[axis]);
                high[axis] = high[axis].max(place[axis]);
            }
        }
        // A hair under eps/√2, so that two places of one cell are neighbours however they are rounded.
        let side = reach.eps / std::f64::consts::SQRT_2 * (1.0 - 1e-6);
        let along = |axis: usize, value: f64| {
            let step = if axis < 2 { side } else { reach.time + 1.0 };
            ((value - low[axis]) / step).floor()
        };
        let number = |axis: usize| if axis < D && count > 0 { along(axis, high[axis]) } else { 0.0 };
        let (columns, rows) = (number(0) + 1.0, number(1) + 1.0 + REACH as f64);
        if !(columns < (1_u64 << BITS) as f64 && (number(2) + 1.0) * rows < (1_u64 << BITS) as f64) {
            let extent = (high[0] - low[0]).max(high[1] - low[1]);
            let why = format!(
                "a neighbourhood of {} m is too small for places that lie {extent:.0} m apart{}; give a larger one",
                reach.eps,
                if D < 3 { "" } else { ", in so short a time" },
            );
            return Err(AnalysisError::Parameter { method: "--eps", why });
        }
        let stride = rows as i64;
        let key = |at: usize| {
            let place = place(at);
            let slice = if D < 3 { 0 } else { along(2, place[2]) as i64 };
            let (line, column) = (slice * stride + along(1, place[1]) as i64, along(0, place[0]) as i64);
            (line as u128) << (BITS + 32) | (column as u128) << 32 | at as u128
        };
        let mut keys: Vec<u128> = (0..count).into_par_iter().map(key).collect();
        sort(&mut keys);

        let (mut lines, mut columns, mut starts) = (Vec::new(), Vec::new(), Vec::new());
        let mut last = None;
        for (at, key) in keys.iter().enumerate() {
            let cell = key >> 32;
            if last != Some(cell) {
                let line = (cell >> BITS) as i64;
                if lines.last().is_none_or(|&(last, _)| last != line) {
                    lines.push((line, columns.len() as u32));
                }
                columns.push((cell & ((1 << BITS) - 1)) as i64);
                starts.push(at as u32);
                last = Some(cell);
            }
        }
        lines.push((i64::MAX, columns.len() as u32));
        let core_ends = starts.clone();
        starts.push(count as u32);
        let members: Vec<u32> = keys.iter().map(|&key| key as u32).collect();
        drop(keys);
        let at = members.par_iter().map(|&member| place(member as usize)).collect();
        Ok(Self { reach, lines, stride, columns, starts, core_ends, at, members })
    }

    const fn len(&self) -> usize {
        self.columns.len()
    }

    /// The places of a run of cells.
    fn places_of(&self, cells: Range<usize>) -> Range<usize> {
        self.starts[cells.start] as usize..self.starts[cells.end] as usize
    }

    /// The cores of a cell.
    fn cores_of(&self, cell: usize) -> Range<usize> {
        self.starts[cell] as usize..self.core_ends[cell] as usize
    }

    /// How many lines are in use.
    const fn lines(&self) -> usize {
        self.lines.len() - 1
    }

    /// The cells of the line at position `line`.
    fn cells_of(&self, line: usize) -> Range<usize> {
        self.lines[line].1 as usize..self.lines[line + 1].1 as usize
    }

    /// Shows `visit` each cell of a line with the runs of cells that can hold neighbours of its places, its own among them;
    /// with `onward`, only the runs from its own line on. The runs of a line move along with the cell: no search.
    fn walk(&self, line: usize, onward: bool, mut visit: impl FnMut(usize, &[Range<usize>])) {
        let own = self.lines[line].0;
        let slices = if D < 3 { 0 } else { 1 };
        let mut runs: Vec<Range<usize>> = Vec::new();
        let mut ends: Vec<usize> = Vec::new();
        for slice in -slices..=slices {
            let first = own + slice * self.stride - REACH;
            let mut near = self.lines.partition_point(|&(number, _)| number < first);
            while self.lines[near].0 <= first + 2 * REACH {
                if !onward || near >= line {
                    let cells = self.cells_of(near);
                    runs.push(cells.start..cells.start);
                    ends.push(cells.end);
                }
                near += 1;
            }
        }
        for cell in self.cells_of(line) {
            let column = self.columns[cell];
            for (run, &end) in runs.iter_mut().zip(&ends) {
                while run.end < end && self.columns[run.end] <= column + REACH {
                    run.end += 1;
                }
                while run.start < run.end && self.columns[run.start] < column - REACH {
                    run.start += 1;
                }
            }
            visit(cell, &runs);
        }
    }

    /// Per place, in the order of cells, whether it is a core.
    fn find_cores(&self, weight: &[u64], least: u64) -> Vec<bool> {
        let weigh = |places: Range<usize>| sum(weight[places].iter().copied());
        let of_line = |line: usize| {
            let mut found = vec![false; self.places_of(self.cells_of(line)).len()];
            let first = self.starts[self.cells_of(line).start] as usize;
            self.walk(line, false, |cell, runs| {
                let own = self.places_of(cell..cell + 1);
                let found = &mut found[own.start - first..own.end - first];
                // All places of a cell are neighbours: a heavy cell needs no distances.
                let own_weight = weigh(own.clone());
                if own_weight >= least {
                    found.fill(true);
                    return;
                }
                // Nor does one that lies too lonely.
                if sum(runs.iter().map(|run| weigh(self.places_of(run.clone())))) < least {
                    return;
                }
                for (found, at) in found.iter_mut().zip(own.clone()) {
                    let mut weight_near = own_weight;
                    *found = runs.iter().any(|run| {
                        let places = self.places_of(run.clone());
                        // The cell's own places are counted already.
                        let parts = if run.contains(&cell) {
                            [places.start..own.start, own.end..places.end]
                        } else {
                            [places, 0..0]
                        };
                        for part in parts {
                            weight_near = weight_near.saturating_add(self.weight_near(at, part, weight));
                        }
                        weight_near >= least
                    });
                }
            });
            found
        };
        let found: Vec<Vec<bool>> = (0..self.lines()).into_par_iter().map(of_line).collect();
        found.concat()
    }

    /// The weight of the neighbours of a place among others.
    fn weight_near(&self, at: usize, others: Range<usize>, weight: &[u64]) -> u64 {
        let here = self.at[at];
        let near = self.at[others.clone()].iter().zip(&weight[others]);
        sum(near.map(|(&other, &weight)| if self.reach.joins(here, other) { weight } else { 0 }))
    }

    /// Sorts the places of each cell so that its cores come first, else in their order.
    fn bring_cores_forward(&mut self, core: &[bool]) {
        let mut others = Vec::new();
        for cell in 0..self.len() {
            let places = self.places_of(cell..cell + 1);
            let mut end = places.start;
            others.clear();
            for from in places {
                if core[from] {
                    (self.at[end], self.members[end]) = (self.at[from], self.members[from]);
                    end += 1;
                } else {
                    others.push((self.at[from], self.members[from]));
                }
            }
            self.core_ends[cell] = end as u32;
            for (to, &(at, member)) in (end..).zip(&others) {
                (self.at[to], self.members[to]) = (at, member);
            }
        }
    }

    /// The groups of cells whose cores are in reach of one another.
    fn unite(&self) -> Groups {
        let mut groups = Groups::apart(self.len());
        for line in 0..self.lines() {
            self.walk(line, true, |cell, runs| {
                let own = self.cores_of(cell);
                if own.is_empty() {
                    return;
                }
                for other in runs.iter().cloned().flatten().filter(|&other| other > cell) {
                    let cores = self.cores_of(other);
                    if !cores.is_empty()
                        && groups.root(cell as u32) != groups.root(other as u32)
                        && self.touch(own.clone(), cores)
                    {
                        groups.unite(cell as u32, other as u32);
                    }
                }
            });
        }
        groups
    }

    /// Whether any place of one run is in reach of any of another.
    fn touch(&self, a: Range<usize>, b: Range<usize>) -> bool {
        let (a, b) = (&self.at[a], &self.at[b]);
        let any =
            |a: &[[f64; D]], b: &[[f64; D]]| a.iter().any(|&a| b.iter().any(|&b| self.reach.joins(a, b)));
        if a.len() * b.len() <= 1024 {
            return any(a, b);
        }
        // Large cells: only what is in reach of the other's box can be in reach of its places.
        let a = self.within_box(a, b);
        let b = self.within_box(b, &a);
        any(&a, &b)
    }

    /// The places among `places` that are in reach of the box around `others`.
    fn within_box(&self, places: &[[f64; D]], others: &[[f64; D]]) -> Vec<[f64; D]> {
        let Some(&first) = others.first() else { return Vec::new() };
        let (mut low, mut high) = (first, first);
        for other in others {
            for axis in 0..D {
                low[axis] = low[axis].min(other[axis]);
                high[axis] = high[axis].max(other[axis]);
            }
        }
        let nearest = |place: [f64; D]| std::array::from_fn(|axis| place[axis].clamp(low[axis], high[axis]));
        places.iter().copied().filter(|&place| self.reach.joins(place, nearest(place))).collect()
    }

    /// The places that are no cores but have one in reach, each with the cell of its nearest core.
    fn borders(&self) -> Vec<(u32, u32)> {
        let of_line = |line: usize| {
            let mut found = Vec::new();
            self.walk(line, false, |cell, runs| {
                let others = self.core_ends[cell] as usize..self.starts[cell + 1] as usize;
                for at in others {
                    let mut nearest = (f64::INFINITY, u32::MAX, 0);
                    for other in runs.iter().cloned().flatten() {
                        for core in self.cores_of(other) {
                            if self.reach.joins(self.at[at], self.at[core]) {
                                let apart = self.reach.apart(self.at[at], self.at[core]);
                                let candidate = (apart, self.members[core], other as u32);
                                if candidate < nearest {
                                    nearest = candidate;
                                }
                            }
                        }
                    }
                    if nearest.1 < u32::MAX {
                        found.push((self.members[at], nearest.2));
                    }
                }
            });
            found
        };
        let found: Vec<Vec<(u32, u32)>> = (0..self.lines()).into_par_iter().map(of_line).collect();
        found.concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_tenths_are_one_in_any_order() {
        // In doubles 0.7 + 0.2 + 0.1 is less than 0.1 + 0.2 + 0.7; in a row, each within reach of all.
        for weights in [[0.1, 0.2, 0.7], [0.7, 0.2, 0.1], [0.2, 0.1, 0.7]] {
            let found =
                cores(3, |at| [at as f64 * 0.9, 0.0], |at| weights[at], Reach { eps: 2.0, time: 0.0 }, 1.0);
            assert_eq!(found.unwrap().core, [true; 3], "{weights:?}");
        }
        let heavy = |weight: f64| {
            cores(
                4,
                |at| [at as f64 * 0.9, 0.0],
                |_| weight,
                Reach { eps: 3.0, time: 0.0 },
                f64::from(u32::MAX),
            )
        };
        assert_eq!(heavy(1e300).unwrap().core, [true; 4]);
        assert_eq!(heavy(1e9).unwrap().core, [false; 4]);
        assert_eq!(heavy(f64::from(u32::MAX) / 4.0).unwrap().core, [true; 4]);
    }
}
