//! For every zone arrangements of its own.
//!
//! Sixteen are drawn side by side, so that the machine makes their random numbers and compares them all at once. One that
//! names a zone twice, or meets a number that would favour some zones, is drawn anew on its own, zone by zone: each choice
//! stays as likely as any other.

use rayon::prelude::*;

use super::{Permutations, Summed, Tails, seen, slack};
use crate::significance::permutation_p;
use crate::weights::Weights;
use crate::{AnalysisError, Watch};
use brasa_model::Chance;
use brasa_model::chance::LANES;

/// So many zones are one piece of parallel work.
const RUN: usize = 64;

/// So few named zones are told apart by looking at each.
const FEW: usize = 64;

/// The two-sided p of each zone.
pub(super) fn independent(
    values: &[f64],
    weights: &Weights,
    summed: Summed,
    how: Permutations,
    watch: &Watch,
) -> Result<Vec<f64>, AnalysisError> {
    let slack = slack(values, summed);
    let phase = watch.phase("zones", values.len() as u64);
    let arch = pulp::Arch::new();
    let one = |zone: usize| {
        let k = weights.count(zone);
        if k == 0 {
            return f64::NAN;
        }
        let draw = Draw {
            values,
            zone: zone as u32,
            k,
            summed,
            ends: seen(values, weights, summed, zone, slack),
            chance: Chance::new(how.seed, zone as u64),
            replicates: how.replicates,
        };
        let tails = if k <= FEW { arch.dispatch(draw) } else { draw.one_by_one() };
        permutation_p(tails.high, tails.low, how.replicates)
    };
    let run = |first: usize| {
        let zones = first..(first + RUN).min(values.len());
        phase.advance(zones.len() as u64)?;
        Ok(zones.map(one).collect())
    };
    let starts: Vec<usize> = (0..values.len()).step_by(RUN).collect();
    let runs: Vec<Vec<f64>> = starts.into_par_iter().map(run).collect::<Result<_, AnalysisError>>()?;
    Ok(runs.concat())
}

/// Draws `k` of the others for one zone, again and again.
struct Draw<'a> {
    values: &'a [f64],
    zone: u32,
    k: usize,
    summed: Summed,
    ends: (f64, f64),
    chance: Chance,
    replicates: u32,
}

impl pulp::WithSimd for Draw<'_> {
    type Output = Tails;

    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _: S) -> Tails {
        let own = self.value(self.zone);
        // Told apart here and not for each value.
        match self.summed {
            Summed::Values => self.side_by_side(|value| Summed::Values.of(value, own)),
            Summed::SquaredDifferences => {
                self.side_by_side(|value| Summed::SquaredDifferences.of(value, own))
            }
        }
    }
}

impl Draw<'_> {
    /// How many zones there are to draw from.
    const fn others(&self) -> u32 {
        self.values.len() as u32 - 1
    }

    #[inline(always)]
    fn value(&self, zone: u32) -> f64 {
        self.values.get(zone as usize).copied().unwrap_or_default()
    }

    #[inline(always)]
    fn side_by_side(mut self, of: impl Fn(f64) -> f64) -> Tails {
        let others = self.others();
        // Lemire 2019: with a remainder below this a number would favour some zones.
        let unfair = others.wrapping_neg() % others;
        let mut streams = self.chance.streams();
        let mut named = [[0; LANES]; FEW];
        let mut tails = Tails::default();
        for first in (0..self.replicates as usize).step_by(LANES) {
            let (mut sums, mut least, mut again) = ([0.0; LANES], [u32::MAX; LANES], [false; LANES]);
            for at in 0..self.k {
                let numbers = streams.row();
                let mut row = [0; LANES];
                for lane in 0..LANES {
                    let wide = u64::from(numbers[lane]) * u64::from(others);
                    least[lane] = least[lane].min(wide as u32);
                    let number = (wide >> 32) as u32;
                    // Any of the others: numbers from the zone's own on stand for the next.
                    row[lane] = number + u32::from(number >= self.zone);
                }
                for before in &named[..at] {
                    let twice = (0..LANES).fold(false, |twice, lane| twice | (before[lane] == row[lane]));
                    if twice {
                        mark(&mut again, before, &row);
                    }
                }
                named[at] = row;
                for lane in 0..LANES {
                    sums[lane] += of(self.value(row[lane]));
                }
            }
            let spoilt = |lane: usize| again[lane] | (least[lane] < unfair);
            if (0..LANES).fold(false, |any, lane| any | spoilt(lane)) {
                for lane in (0..LANES).filter(|&lane| spoilt(lane)) {
                    sums[lane] = self.anew(&of);
                }
            }
            let (below, above) = self.ends;
            let sums = &sums[..LANES.min(self.replicates as usize - first)];
            tails.high += sums.iter().map(|&sum| usize::from(sum >= below)).sum::<usize>();
            tails.low += sums.iter().map(|&sum| usize::from(sum <= above)).sum::<usize>();
        }
        tails
    }

    /// The sum of one arrangement of few zones.
    #[cold]
    #[inline(never)]
    fn anew(&mut self, of: &impl Fn(f64) -> f64) -> f64 {
        let (mut named, mut sum) = ([0; FEW], 0.0);
        for at in 0..self.k {
            named[at] = self.other();
            while named[..at].contains(&named[at]) {
                named[at] = self.other();
            }
            sum += of(self.value(named[at]));
        }
        sum
    }

    /// Any of the others.
    fn other(&mut self) -> u32 {
        let number = self.chance.below(u64::from(self.others())) as u32;
        number + u32::from(number >= self.zone)
    }

    /// For many neighbours: of each zone it is kept in which arrangement it was last named.
    fn one_by_one(mut self) -> Tails {
        let own = self.value(self.zone);
        let mut last = vec![0; self.values.len()];
        let mut tails = Tails::default();
        for arrangement in 1..=self.replicates {
            let (mut sum, mut missing) = (0.0, self.k);
            while missing > 0 {
                let zone = self.other();
                if last[zone as usize] != arrangement {
                    last[zone as usize] = arrangement;
                    sum += self.summed.of(self.value(zone), own);
                    missing -= 1;
                }
            }
            tails.count(sum, self.ends);
        }
        tails
    }
}

/// Which of two rows name the same zone.
#[cold]
#[inline(never)]
fn mark(again: &mut [bool; LANES], before: &[u32; LANES], row: &[u32; LANES]) {
    for lane in 0..LANES {
        again[lane] |= before[lane] == row[lane];
    }
}
