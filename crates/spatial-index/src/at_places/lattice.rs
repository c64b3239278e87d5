//! Sums of Gaussians at the places by way of a lattice: the work per place does not grow with σ.
//!
//! # How
//! As on a raster (see `kernel_sums/gaussian.rs`), each half of a Gaussian of variance σ² is one of σ²/2, with a lattice of
//! spacing b = σ/2.2 between them: on each axis
//!
//! exp(−(x−q)²/2σ²) ≈ b/√(2πv) · Σₖ exp(−(kb−x)²/σ²) · exp(−(kb−q)²/σ²),  v = σ²/4.
//!
//! Every place spreads its weight over 32 × 32 points and gathers from the same points, with the same weights.
//!
//! # Error
//! A density at a place must be right relative to itself, however low it is. So it is here: the k-th term is
//! exp(−(x−q)²/2σ²) · exp(−(kb−μ)²/2v), μ the middle of the two. Over all k these add up to the Gaussian but for a *relative*
//! 2 exp(−2π²v/b²)(1 + …) = 8.5e-11. Left out are those more than 16 b from x or from q: where x and q are at most 8 σ
//! apart, that is 16 b − 4 σ or more beyond μ, 6.5 deviations of the second factor, again relative. Both on both axes, it
//! is less than 6e-10: the test `the_bound_is_what_it_says`. All terms are positive. What a place sends to itself is known to the last bits,
//! Σₖ exp(−2(kb−x)²/σ²), and is taken out exactly.
//!
//! Two things are not relative. The definition is cut at 8 σ, the lattice is not: what lies beyond adds up to no more than
//! e⁻³² of all weight. And where a place's own weight is much more than all others bring, what is left of the difference is
//! rounding. [`Sums::is_trusted`] says of each sum whether neither can matter; the others are summed term by term.

use std::f64::consts::PI;

use pulp::Simd;
use rayon::prelude::*;

use super::REACH;
use crate::kernel_sums::Spread;
use crate::watch::Phase;
use crate::{AnalysisError, Sites};

/// Lattice points, on each axis, that a place spreads to.
pub(super) const POINTS: usize = 32;
/// σ/b: lattice points per standard deviation.
const PER_SIGMA: f64 = 2.2;
/// What lies beyond 8 σ may be so much of a sum over the others: with the lattice's own error it is off by less than 1e-9 of itself.
const BEYOND: f64 = 3e-10;
/// Lattice rows filled at a time by one thread; fixed, so that no bit depends on the number of threads.
const BAND: usize = 16;
/// Places that gather at a time.
const CHUNK: usize = 256;
/// The most points of a lattice: 256 MiB.
const MOST: f64 = 33_554_432.0;

/// Where the points lie, and what a place sends to them.
pub(super) struct Lattice {
    west: f64,
    south: f64,
    spacing: f64,
    nx: usize,
    ny: usize,
    spread: Spread<POINTS>,
}

impl Lattice {
    /// A lattice around these places; `None` if it had too many points.
    pub(super) fn around(sites: &Sites, sigma: f64) -> Option<Self> {
        let spacing = sigma / PER_SIGMA;
        let (west, east) = sites
            .x
            .iter()
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(west, east), &x| (west.min(x), east.max(x)));
        let (&south, &north) = (sites.y.first()?, sites.y.last()?);
        let points = |length: f64| (length / spacing).floor() + POINTS as f64;
        let (nx, ny) = (points(east - west), points(north - south));
        let spread = Spread::new(1.0 / (PER_SIGMA * PER_SIGMA));
        (nx * ny <= MOST).then_some(Self { west, south, spacing, nx: nx as usize, ny: ny as usize, spread })
    }

    /// How many points it has.
    pub(super) fn points(&self) -> f64 {
        self.nx as f64 * self.ny as f64
    }

    /// The factor of one axis, b/√(2πv).
    fn scale() -> f64 {
        2.0 / (PER_SIGMA * (2.0 * PI).sqrt())
    }

    /// The first point that a place spreads to on an axis that begins at `low`, and how far beyond the middle of its
    /// points it lies (0 to 1).
    #[inline(always)]
    fn start(&self, at: f64, low: f64) -> (usize, f64) {
        let at = (at - low) / self.spacing;
        (at as usize, at - at.floor())
    }

    /// Each place's weight spread over the points, row by row from the south.
    fn fill(&self, sites: &Sites, weight: &[f64], phase: &Phase) -> Result<Vec<f64>, AnalysisError> {
        let mut points = vec![0.0; self.nx * self.ny];
        points.par_chunks_mut(self.nx * BAND).enumerate().try_for_each(|(band, rows)| {
            phase.advance(0)?;
            pulp::Arch::new().dispatch(Fill { lattice: self, sites, weight, low: band * BAND, rows });
            Ok::<(), AnalysisError>(())
        })?;
        Ok(points)
    }

    /// Σ w exp(−d²/2σ²) at each place.
    pub(super) fn sums(&self, sites: &Sites, weight: &[f64], phase: &Phase) -> Result<Sums, AnalysisError> {
        let points = self.fill(sites, weight, phase)?;
        let mut others = vec![0.0; sites.len()];
        others.par_chunks_mut(CHUNK).enumerate().try_for_each(|(chunk, sums)| {
            phase.advance(0)?;
            let from = chunk * CHUNK;
            pulp::Arch::new().dispatch(Gather { lattice: self, points: &points, sites, weight, from, sums });
            Ok::<(), AnalysisError>(())
        })?;
        let beyond = libm::exp(-0.5 * REACH * REACH) * weight.iter().sum::<f64>();
        Ok(Sums { others, least: beyond / BEYOND })
    }
}

/// What the lattice found.
pub(super) struct Sums {
    /// Per place, the sum over all others.
    pub(super) others: Vec<f64>,
    least: f64,
}

impl Sums {
    /// Whether a sum over the others is right to 1e-9 of itself, next to a place's own weight.
    pub(super) fn is_trusted(&self, others: f64, own: f64) -> bool {
        others >= self.least && others >= own / 8.0
    }
}

/// Some rows of the lattice to be filled, by the widest vectors the processor has.
struct Fill<'a> {
    lattice: &'a Lattice,
    sites: &'a Sites,
    weight: &'a [f64],
    low: usize,
    rows: &'a mut [f64],
}

impl pulp::WithSimd for Fill<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { lattice, sites, weight, low, rows } = self;
        let high = low + rows.len() / lattice.nx;
        // Sites ascend in y, and so do the rows they start at.
        let start = |y: f64| lattice.start(y, lattice.south).0;
        let from = sites.y.partition_point(|&y| start(y) + POINTS <= low);
        let to = sites.y.partition_point(|&y| start(y) < high);
        let places = sites.x[from..to].iter().zip(&sites.y[from..to]).zip(&weight[from..to]);
        for ((&x, &y), &weight) in places {
            let (column, beyond) = lattice.start(x, lattice.west);
            let (row, above) = lattice.start(y, lattice.south);
            let along = lattice.spread.at(beyond, weight);
            let upward = lattice.spread.at(above, 1.0);
            for point in row.max(low)..(row + POINTS).min(high) {
                let share = upward[point - row];
                let line = &mut rows[(point - low) * lattice.nx + column..][..POINTS];
                for (value, along) in line.iter_mut().zip(&along) {
                    *value += share * along;
                }
            }
        }
    }
}

/// Some places to gather, by the widest vectors the processor has.
struct Gather<'a> {
    lattice: &'a Lattice,
    points: &'a [f64],
    sites: &'a Sites,
    weight: &'a [f64],
    from: usize,
    sums: &'a mut [f64],
}

impl pulp::WithSimd for Gather<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { lattice, points, sites, weight, from, sums } = self;
        let scale = Lattice::scale() * Lattice::scale();
        for (at, sum) in (from..).zip(sums) {
            let (column, beyond) = lattice.start(sites.x[at], lattice.west);
            let (row, above) = lattice.start(sites.y[at], lattice.south);
            let (along, upward) = (lattice.spread.at(beyond, 1.0), lattice.spread.at(above, 1.0));
            let mut columns = [0.0; POINTS];
            for (point, share) in upward.iter().enumerate() {
                let line = &points[(row + point) * lattice.nx + column..][..POINTS];
                for (value, point) in columns.iter_mut().zip(line) {
                    *value += share * point;
                }
            }
            let itself = weight[at] * dot(&along, &along) * dot(&upward, &upward);
            *sum = scale * (dot(&columns, &along) - itself);
        }
    }
}

/// Eight sums side by side.
#[inline(always)]
fn dot(a: &[f64; POINTS], b: &[f64; POINTS]) -> f64 {
    let mut sums = [0.0; 8];
    for (a, b) in a.chunks_exact(8).zip(b.chunks_exact(8)) {
        for lane in 0..8 {
            sums[lane] += a[lane] * b[lane];
        }
    }
    let [a, b, c, d, e, f, g, h] = sums;
    ((a + b) + (c + d)) + ((e + f) + (g + h))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bound_is_what_it_says() {
        // In units of σ: the second factor has the deviation 1/2.
        let (v, b) = (0.25, 1.0 / PER_SIGMA);
        let lattice = 2.0 * libm::exp(-2.0 * PI * PI * v / (b * b)) * 1.001;
        // From either end of the window; a sum over points beyond an end is its first term and less than the integral.
        let ends = |apart: f64| {
            let z = (POINTS as f64 / 2.0 * b - apart / 2.0) / v.sqrt();
            2.0 * (Lattice::scale() * libm::exp(-0.5 * z * z) + 0.5 * libm::erfc(z / 2.0_f64.sqrt()))
        };
        let axis = |apart: f64| lattice + ends(apart);
        // The further on one axis, the less on the other.
        let worst = (0..=800)
            .map(|at| {
                let apart = f64::from(at) / 100.0;
                (1.0 + axis(apart)) * (1.0 + axis((64.0 - apart * apart).sqrt())) - 1.0
            })
            .fold(0.0, f64::max);
        // The sums have a thousand terms, and what is left of them is at least an eighth of a place's own weight.
        let rounding = 8.0 * 1000.0 * f64::EPSILON;
        assert!(worst > 5e-10 && worst + rounding < 6e-10 && worst + rounding + BEYOND < 1e-9, "{worst}");
    }
}
