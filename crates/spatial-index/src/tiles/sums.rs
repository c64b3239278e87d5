//! Kernel sums in whole numbers: a density that can be cut anywhere and added up in any order.
//!
//! # Definition
//! S(q) = Σᵢ ⌊10¹⁸ wᵢ K(dᵢ/h)⌋ at the centre q of each cell, cells at whole multiples of their side. A term depends on one
//! row and one cell and on nothing else, and whole numbers add up to the same however they are grouped: so the sum of the
//! tiles' sums is the sum of one run over all rows, to the last digit. Read with eighteen decimals it is a kernel sum.
//!
//! # Why not the bits of `kde`
//! [`kernel_sums`](crate::kernel_sums) adds floating-point numbers, whose sum depends on their order, and chooses its way
//! by how many places there are in all; in its sweep the rounding of a place is still there several bandwidths further
//! east. A tile could only repeat that if it saw a wide strip of its neighbours and were told what all of them hold. What
//! is wanted of a sum over tiles is that it does not depend on the tiles.
//!
//! # Agrees with
//! `kde` without edge correction to 1e-9 of the peak, which is what `kde` itself promises: this sum is the nearer one to
//! the definition, off by at most 1e-18 per row and the rounding of each term (2⁻⁵⁰ of it). Bit for bit with `kde` for the
//! uniform kernel and whole weights, where both count; save for a centre at the bandwidth's very end, which rounding may
//! put on either side.
//!
//! # Cost
//! Places × cells within the bandwidth. Rows at one place with one weight cost one place.

use brasa_model::Metres;

use super::{MOST, slack};
use crate::AnalysisError;
use crate::kernel_sums::Places;
use crate::kernels::Kernel;

/// Decimals of a sum.
pub const DECIMALS: i8 = 18;
/// Units in one.
const UNITS: f64 = 1e18;
/// Rows may weigh so much together that their sum stays below 10³⁸, as decimals of 128 bits do.
const HEAVIEST: f64 = 1e19;
const LARGEST: i128 = 10_i128.pow(38);
/// As many cells as a grid may have.
const MOST_CELLS: usize = 1 << 28;

/// Sums of cells, row by row from the south-west; only of cells where there is something.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CellSums {
    /// Per cell, its column: `floor(x / side)`.
    pub column: Vec<i64>,
    /// Per cell, its row: `floor(y / side)`.
    pub row: Vec<i64>,
    /// Per cell, Σ w K(d/h) at its centre in units of 10⁻¹⁸.
    pub sum: Vec<i128>,
}

/// How places spread, and over which cells.
#[derive(Debug, Clone, Copy)]
pub struct Spread {
    /// The side of a cell in metres.
    cell: f64,
    /// The bandwidth in metres.
    h: f64,
    kernel: Kernel,
}

/// Equal rows.
struct Stack {
    x: f64,
    y: f64,
    /// The weight of one of them, in units.
    weight: f64,
    count: i128,
}

impl Spread {
    /// This kernel with this bandwidth on cells of this side.
    ///
    /// # Errors
    /// [`AnalysisError::Parameter`] when a single place would reach more cells than a grid may have.
    pub fn new(kernel: Kernel, bandwidth: Metres, cell: Metres) -> Result<Self, AnalysisError> {
        let (h, side) = (bandwidth.get(), cell.get());
        let across = 2.0 * kernel.reach() * h / side;
        if across * across > MOST_CELLS as f64 {
            return Err(refused(format!(
                "one incident would reach {across:.0} × {across:.0} cells; give a larger cell or a smaller bandwidth"
            )));
        }
        Ok(Self { cell: side, h, kernel })
    }

    /// The x or y of the centre of a column or row, as [`brasa_model::Grid`] has it.
    pub fn centre(&self, at: i64) -> f64 {
        (at as f64 + 0.5) * self.cell
    }

    /// What a sum is as a density, in incidents per km².
    pub fn density(&self, sum: i128) -> f64 {
        (sum as f64 / UNITS) * (self.kernel.factor() / (self.h * self.h) * 1e6)
    }

    /// The sums of places, in any order.
    ///
    /// # Errors
    /// [`AnalysisError::Parameter`] when a place or a weight is not a number that can be used, when the weights are too
    /// large for sums of so many decimals, or when there are more cells than a grid may have.
    pub fn sums(&self, places: Places<'_>) -> Result<CellSums, AnalysisError> {
        let stacks = self.stacks(places)?;
        let reach = self.kernel.reach() * self.h;
        let farthest = stacks.iter().fold(0.0_f64, |most, stack| most.max(stack.x.abs()).max(stack.y.abs()));
        // A hair further, so that rounding leaves out no cell: which of them are in reach, the term decides.
        let reach = reach * (1.0 + 1e-9) + slack(farthest + reach + self.cell);
        let mut found = CellSums::default();
        let (mut from, mut to) = (0, 0);
        let (mut chords, mut run) = (Vec::new(), Vec::new());
        let mut row = i64::MIN;
        while from < stacks.len() {
            // The next row that is in reach of anything.
            row = row.max(((stacks[from].y - reach) / self.cell - 0.5).ceil() as i64);
            let y = self.centre(row);
            to += stacks[to..].partition_point(|stack| stack.y <= y + reach);
            chords.clear();
            for (stack, at) in stacks[from..to].iter().zip(from..) {
                let half = (reach * reach - (y - stack.y) * (y - stack.y)).max(0.0).sqrt();
                let first = ((stack.x - half) / self.cell - 0.5).ceil() as i64;
                let end = ((stack.x + half) / self.cell - 0.5).floor() as i64 + 1;
                if first < end {
                    chords.push((first, end, at));
                }
            }
            chords.sort_unstable();
            for connected in connected(&chords) {
                let (first, end) =
                    (connected[0].0, connected.iter().map(|chord| chord.1).max().unwrap_or_default());
                run.clear();
                run.resize(usize::try_from(end - first).unwrap_or_default(), 0_i128);
                for &(start, end, at) in connected {
                    let cells = &mut run[(start - first) as usize..(end - first) as usize];
                    self.add(&stacks[at], start, y, cells);
                }
                found.push_run(first, row, &run)?;
            }
            row += 1;
            from += stacks[from..].partition_point(|stack| stack.y < self.centre(row) - reach);
        }
        Ok(found)
    }

    /// Equal rows together, from the south.
    fn stacks(&self, places: Places<'_>) -> Result<Vec<Stack>, AnalysisError> {
        let mut rows: Vec<(f64, f64, f64)> = Vec::with_capacity(places.x.len());
        let mut total = 0.0;
        for (at, (&x, &y)) in places.x.iter().zip(places.y).enumerate() {
            let weight = places.weight.map_or(1.0, |weight| weight[at]);
            if !(x.abs() < MOST * self.cell && y.abs() < MOST * self.cell) {
                return Err(refused(format!("row {at}: ({x}, {y}) is not a place in metres")));
            }
            if !(weight >= 0.0 && weight.is_finite()) {
                return Err(refused(format!(
                    "row {at}: {weight} is not a weight; one is finite and not negative"
                )));
            }
            total += weight;
            if weight > 0.0 {
                rows.push((y + 0.0, x + 0.0, weight));
            }
        }
        if total > HEAVIEST {
            return Err(refused(format!(
                "the weights add up to {total:e}; at most 1e19 can be added exactly"
            )));
        }
        let compare = |a: &(f64, f64, f64), b: &(f64, f64, f64)| {
            a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)).then(a.2.total_cmp(&b.2))
        };
        rows.sort_unstable_by(compare);
        let stack = |equal: &[(f64, f64, f64)]| {
            let (y, x, weight) = equal[0];
            Stack { x, y, weight: weight * UNITS, count: equal.len() as i128 }
        };
        Ok(rows.chunk_by(|a, b| a == b).map(stack).collect())
    }

    /// Adds a stack to cells of one row, from column `first`.
    fn add(&self, stack: &Stack, first: i64, y: f64, cells: &mut [i128]) {
        let (h2, reach2) = (self.h * self.h, self.kernel.reach() * self.kernel.reach());
        let up2 = (y - stack.y) * (y - stack.y);
        for (cell, column) in cells.iter_mut().zip(first..) {
            let right = self.centre(column) - stack.x;
            let u2 = (right * right + up2) / h2;
            if u2 <= reach2 {
                *cell += (stack.weight * self.kernel.value(u2)) as i128 * stack.count;
            }
        }
    }
}

impl CellSums {
    fn push_run(&mut self, first: i64, row: i64, run: &[i128]) -> Result<(), AnalysisError> {
        for (column, &sum) in (first..).zip(run).filter(|&(_, &sum)| sum > 0) {
            self.column.push(column);
            self.row.push(row);
            self.sum.push(sum);
        }
        if self.sum.len() > MOST_CELLS {
            return Err(refused(format!(
                "more than {MOST_CELLS} cells hold something; give a larger cell or smaller tiles"
            )));
        }
        Ok(())
    }
}

/// The sums of several parts, which may have cells in common, as one. Sums of sums can be merged again.
///
/// # Errors
/// [`AnalysisError::Parameter`] when a sum grows beyond 38 digits.
pub fn merged(parts: &[CellSums]) -> Result<CellSums, AnalysisError> {
    let cells = |part: &CellSums| -> Vec<(i64, i64, i128)> {
        part.row
            .iter()
            .zip(&part.column)
            .zip(&part.sum)
            .map(|((&row, &column), &sum)| (row, column, sum))
            .collect()
    };
    let mut all: Vec<(i64, i64, i128)> = parts.iter().flat_map(cells).collect();
    all.sort_unstable();
    let mut found = CellSums::default();
    for cell in all.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)) {
        let sum = cell.iter().try_fold(0_i128, |sum, cell| sum.checked_add(cell.2));
        let sum = sum.filter(|sum| (0..LARGEST).contains(sum)).ok_or_else(|| {
            refused(format!("the sum of cell ({}, {}) has more than 38 digits", cell[0].1, cell[0].0))
        })?;
        found.push_run(cell[0].1, cell[0].0, &[sum])?;
    }
    Ok(found)
}

/// Chords, sorted by where they begin, in the longest runs that hang together.
fn connected(mut chords: &[(i64, i64, usize)]) -> impl Iterator<Item = &[(i64, i64, usize)]> {
    std::iter::from_fn(move || {
        let mut end = chords.first()?.1;
        let count = chords.iter().take_while(|chord| {
            let connected = chord.0 <= end;
            end = end.max(chord.1);
            connected
        });
        let (run, rest) = chords.split_at(count.count());
        chords = rest;
        Some(run)
    })
}

const fn refused(why: String) -> AnalysisError {
    AnalysisError::Parameter { method: "tile_kde", why }
}

#[cfg(test)]
mod tests;
