//! A row filled by one running polynomial.
//!
//! Along a row, a polynomial kernel is a polynomial in the position of the cell: for the quartic, with c = 1 − (Δy/h)²,
//! the place at a and the cell at s (both in bandwidths from a common origin), it is (c − (s − a)²)². So a place adds the
//! coefficients of its polynomial where its chord of the kernel begins and takes them away where it ends; one pass
//! along the row keeps the sum of all that are alive and evaluates it at each cell. The work is two updates per place and
//! row, however wide the kernel is in cells. This is the sweep line of SLAM (Chan et al., SIGMOD 2022,
//! doi:10.1145/3514221.3517823) with coefficients in place of lists.
//!
//! **Precision.** A polynomial about a far origin cancels catastrophically. So a row is cut into blocks of a few
//! bandwidths, each with its origin in its middle: a place whose chord crosses into the next block is added there anew, and
//! the sum begins at zero in every block. Measured against the direct sum at a million places: 2e-12 of the peak. The number of
//! living chords is counted along, exactly; where it is zero the sum is zero, not a residue.

use pulp::Simd;
use rayon::prelude::*;

use super::filing::{Filed, Row};

/// Rows that a thread takes at a time.
const ROWS: usize = 8;
/// Places whose chords are worked out together.
const BATCH: usize = 128;
/// The lane in which living chords are counted.
const ALIVE: usize = 7;

/// Up to seven coefficients, and the count of living chords.
#[derive(Clone, Copy, Default)]
#[repr(align(64))]
struct Lanes([f64; 8]);

/// A kernel that is a polynomial along a row.
pub(super) trait Polynomial: Sync {
    /// A block is at least this many bandwidths wide, and less than twice as many: the wider, the fewer chords cross
    /// into another block, and the more digits the powers of s cost.
    const BLOCK: f64;
    /// w · K as a polynomial in s, lowest power first. `e` is c − a².
    fn coefficients(weight: f64, a: f64, e: f64) -> [f64; 7];
}

/// 1.
pub(super) struct Uniform;
/// e + 2a s − s².
pub(super) struct Epanechnikov;
/// e² + 4ae s + (4a² − 2e) s² − 4a s³ + s⁴.
pub(super) struct Quartic;
/// e³ + 6ae² s + (12a²e − 3e²) s² + (8a³ − 12ae) s³ + (3e − 12a²) s⁴ + 6a s⁵ − s⁶.
pub(super) struct Triweight;

impl Polynomial for Uniform {
    const BLOCK: f64 = 32.0;

    #[inline(always)]
    fn coefficients(weight: f64, _: f64, _: f64) -> [f64; 7] {
        [weight, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]
    }
}

impl Polynomial for Epanechnikov {
    const BLOCK: f64 = 8.0;

    #[inline(always)]
    fn coefficients(weight: f64, a: f64, e: f64) -> [f64; 7] {
        [weight * e, weight * (2.0 * a), -weight, 0.0, 0.0, 0.0, 0.0]
    }
}

impl Polynomial for Quartic {
    const BLOCK: f64 = 4.0;

    #[inline(always)]
    fn coefficients(weight: f64, a: f64, e: f64) -> [f64; 7] {
        let a2 = a * a;
        [
            weight * (e * e),
            weight * (4.0 * a * e),
            weight * (4.0 * a2 - 2.0 * e),
            weight * (-4.0 * a),
            weight,
            0.0,
            0.0,
        ]
    }
}

impl Polynomial for Triweight {
    const BLOCK: f64 = 2.0;

    #[inline(always)]
    fn coefficients(weight: f64, a: f64, e: f64) -> [f64; 7] {
        let (a2, e2) = (a * a, e * e);
        [
            weight * (e2 * e),
            weight * (6.0 * a * e2),
            weight * (12.0 * a2 * e - 3.0 * e2),
            weight * (8.0 * a2 * a - 12.0 * a * e),
            weight * (3.0 * e - 12.0 * a2),
            weight * (6.0 * a),
            -weight,
        ]
    }
}

/// Fills every row; `None` if rounding took a cell below zero by more than `tolerance` of the peak. What it took below
/// zero by less is zero.
pub(super) fn fill<P: Polynomial>(filed: &Filed, h: f64, tolerance: f64) -> Option<Vec<f64>> {
    let (nx, ny) = (filed.nx, filed.ny);
    let mut values = vec![0.0; nx * ny];
    let arch = pulp::Arch::new();
    let strips = values.par_chunks_mut(nx * ROWS).enumerate().map_init(
        || Sweep::new::<P>(filed, h),
        |sweep, (strip, rows)| {
            for (at, cells) in rows.chunks_mut(nx).enumerate() {
                let row = strip * ROWS + at;
                arch.dispatch(Fill::<P> { sweep, filed, row, cells, kernel: std::marker::PhantomData });
            }
            let mut range = (0.0_f64, 0.0_f64);
            for cell in rows {
                range = (range.0.min(*cell), range.1.max(*cell));
                *cell = cell.max(0.0);
            }
            range
        },
    );
    let (lowest, peak) = strips.reduce(|| (0.0, 0.0), |a, b| (a.0.min(b.0), a.1.max(b.1)));
    (lowest >= -tolerance * peak).then_some(values)
}

/// One row to be filled by the widest vectors the processor has. The operations are the same on every processor, and so are
/// the bits: none is fused or reordered.
struct Fill<'a, P> {
    sweep: &'a mut Sweep,
    filed: &'a Filed,
    row: usize,
    cells: &'a mut [f64],
    kernel: std::marker::PhantomData<P>,
}

impl<P: Polynomial> pulp::WithSimd for Fill<'_, P> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        for places in self.filed.rows_around(self.row) {
            let mut from = 0;
            while from < places.x.len() {
                let to = (from + BATCH).min(places.x.len());
                let batch =
                    Row { x: &places.x[from..to], y: &places.y[from..to], weight: &places.weight[from..to] };
                self.sweep.chords(batch, self.row as f64);
                self.sweep.first_blocks::<P>(batch);
                self.sweep.scatter::<S, P>(simd, batch);
                from = to;
            }
        }
        self.sweep.run(self.cells);
    }
}

/// What a thread needs to fill rows.
struct Sweep {
    /// Bandwidths per cell along the row, and across rows.
    along: f64,
    across: f64,
    columns: f64,
    /// A block is 2^shift cells wide.
    shift: u32,
    /// What is added to the running sum at each cell.
    steps: Vec<Lanes>,
    /// 1, s … s⁶ of each cell of a block, and 0 for the lane that counts.
    powers: Vec<Lanes>,
    /// Of each place in the batch: c, the first cell of its chord, the first beyond it, its lanes in its first block.
    left_over: [f64; BATCH],
    first: [i32; BATCH],
    end: [i32; BATCH],
    lanes: Box<[Lanes; BATCH]>,
}

impl Sweep {
    fn new<P: Polynomial>(filed: &Filed, h: f64) -> Self {
        let along = filed.width / h;
        let mut shift = 2;
        while f64::from(1_u32 << shift) * along < P::BLOCK && shift < 30 {
            shift += 1;
        }
        let half = f64::from(1_u32 << (shift - 1));
        let powers = |at: u32| {
            let s = (f64::from(at) - half) * along;
            let (s2, s3) = (s * s, s * s * s);
            Lanes([1.0, s, s2, s3, s2 * s2, s2 * s3, s3 * s3, 0.0])
        };
        Self {
            along,
            across: filed.height / h,
            columns: filed.nx as f64,
            shift,
            steps: vec![Lanes::default(); filed.nx + 1],
            // A block may be wider than the row.
            powers: (0..1_u32 << shift).take(filed.nx).map(powers).collect(),
            left_over: [0.0; BATCH],
            first: [0; BATCH],
            end: [0; BATCH],
            lanes: Box::new([Lanes::default(); BATCH]),
        }
    }

    /// The chord of each place's kernel along the row: cells first..end.
    #[inline(always)]
    fn chords(&mut self, places: Row<'_>, row: f64) {
        // Adding this leaves a whole number in the low bits of the double: a conversion that vectorises.
        const WHOLE: f64 = 6_755_399_441_055_744.0;
        let cells = 1.0 / self.along;
        let n = places.x.len();
        let (left_over, first, end) = (&mut self.left_over[..n], &mut self.first[..n], &mut self.end[..n]);
        for at in 0..n {
            let up = (places.y[at] - row) * self.across;
            let c = 1.0 - up * up;
            let half = c.max(0.0).sqrt() * cells;
            // A kernel that does not reach the row has a chord of nothing.
            let half = if c >= 0.0 { half } else { -2.0 };
            left_over[at] = c;
            let from = (places.x[at] - half).ceil().max(0.0).min(self.columns);
            let to = ((places.x[at] + half).floor() + 1.0).max(0.0).min(self.columns);
            first[at] = (from + WHOLE).to_bits() as u32 as i32;
            end[at] = (to + WHOLE).to_bits() as u32 as i32;
        }
    }

    /// The lanes of a place about the middle of the block that begins at cell `block`.
    #[inline(always)]
    fn lanes_in<P: Polynomial>(along: f64, half: i32, block: i32, x: f64, c: f64, weight: f64) -> Lanes {
        let a = (x - f64::from(block + half)) * along;
        let [c0, c1, c2, c3, c4, c5, c6] = P::coefficients(weight, a, c - a * a);
        Lanes([c0, c1, c2, c3, c4, c5, c6, 1.0])
    }

    /// The lanes of each place in the block where its chord begins.
    #[inline(always)]
    fn first_blocks<P: Polynomial>(&mut self, places: Row<'_>) {
        let (half, n) = (1_i32 << (self.shift - 1), places.x.len());
        let (left_over, first, lanes) = (&self.left_over[..n], &self.first[..n], &mut self.lanes[..n]);
        for at in 0..n {
            let block = (first[at] >> self.shift) << self.shift;
            lanes[at] =
                Self::lanes_in::<P>(self.along, half, block, places.x[at], left_over[at], places.weight[at]);
        }
    }

    /// Adds each place where its chord begins in a block, and takes it away where it ends within one.
    #[inline(always)]
    fn scatter<S: Simd, P: Polynomial>(&mut self, simd: S, places: Row<'_>) {
        let half = 1_i32 << (self.shift - 1);
        for at in 0..places.x.len() {
            let (first, end) = (self.first[at], self.end[at]);
            if first >= end {
                continue;
            }
            let last_block = end >> self.shift;
            let mut block = first >> self.shift;
            let mut lanes = self.lanes[at];
            let mut from = first;
            loop {
                add(simd, &mut self.steps[from as usize], &lanes);
                if block == last_block {
                    subtract(simd, &mut self.steps[end as usize], &lanes);
                    break;
                }
                block += 1;
                from = block << self.shift;
                if from >= end {
                    // The chord ends with its block.
                    break;
                }
                lanes = Self::lanes_in::<P>(
                    self.along,
                    half,
                    from,
                    places.x[at],
                    self.left_over[at],
                    places.weight[at],
                );
            }
        }
    }

    /// Runs along the row, block by block, and leaves no step behind.
    #[inline(always)]
    fn run(&mut self, cells: &mut [f64]) {
        let block = 1_usize << self.shift;
        for (cells, steps) in cells.chunks_mut(block).zip(self.steps.chunks_mut(block)) {
            let mut sum = [0.0; 8];
            for ((cell, step), powers) in cells.iter_mut().zip(steps).zip(&self.powers) {
                for (lane, step) in sum.iter_mut().zip(&step.0) {
                    *lane += step;
                }
                step.0 = [0.0; 8];
                if sum[ALIVE] == 0.0 {
                    sum = [0.0; 8];
                }
                *cell = value(&sum, powers);
            }
        }
        if let Some(beyond) = self.steps.last_mut() {
            *beyond = Lanes::default();
        }
    }
}

/// The polynomial's value, given the powers of s: all products at once, then added in halves. Half as many operations as
/// Horner's rule on one cell at a time, whose coefficients first have to leave their vector.
#[inline(always)]
fn value(sum: &[f64; 8], powers: &Lanes) -> f64 {
    let mut p = [0.0; 8];
    for ((p, sum), power) in p.iter_mut().zip(sum).zip(&powers.0) {
        *p = sum * power;
    }
    let q = [p[0] + p[4], p[1] + p[5], p[2] + p[6], p[3] + p[7]];
    (q[0] + q[2]) + (q[1] + q[3])
}

#[inline(always)]
fn add<S: Simd>(simd: S, to: &mut Lanes, lanes: &Lanes) {
    let (to, _) = S::as_mut_simd_f64s(&mut to.0);
    let (lanes, _) = S::as_simd_f64s(&lanes.0);
    for (to, lanes) in to.iter_mut().zip(lanes) {
        *to = simd.add_f64s(*to, *lanes);
    }
}

#[inline(always)]
fn subtract<S: Simd>(simd: S, from: &mut Lanes, lanes: &Lanes) {
    let (from, _) = S::as_mut_simd_f64s(&mut from.0);
    let (lanes, _) = S::as_simd_f64s(&lanes.0);
    for (from, lanes) in from.iter_mut().zip(lanes) {
        *from = simd.sub_f64s(*from, *lanes);
    }
}
