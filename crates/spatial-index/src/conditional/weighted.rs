//! Neighbours that count unequally: what is drawn is put to them in the order in which it was drawn.

use rayon::prelude::*;

use super::shared::drawn;
use super::{Draws, Permutations, Summed, Tails, seen, slack};
use crate::significance::permutation_p;
use crate::weights::Weights;
use crate::{AnalysisError, Watch};
use brasa_model::Chance;

/// So many zones are one piece of parallel work.
const RUN: usize = 64;

/// The two-sided p of each zone. There is no short way: each zone adds up each arrangement, whether it is shared or its own.
pub(super) fn weighted(
    values: &[f64],
    weights: &Weights,
    summed: Summed,
    how: Permutations,
    watch: &Watch,
) -> Result<Vec<f64>, AnalysisError> {
    let n = values.len();
    let slack = slack(values, summed);
    let width = (0..n).map(|zone| weights.count(zone)).max().unwrap_or(0) + 1;
    let shared = if how.draws == Draws::Shared { drawn(n, width, how) } else { Vec::new() };
    let phase = watch.phase("zones", n as u64);
    let one = |zone: usize, last: &mut [u32]| {
        let Some(weight) = weights.unequal(zone).filter(|weight| !weight.is_empty()) else { return f64::NAN };
        let most = weight.iter().copied().fold(0.0, f64::max);
        let ends = seen(values, weights, summed, zone, slack * most);
        let mut tails = Tails::default();
        let sum = |zones: &mut dyn Iterator<Item = usize>| -> f64 {
            weight.iter().zip(zones).map(|(weight, to)| weight * summed.of(values[to], values[zone])).sum()
        };
        if how.draws == Draws::Shared {
            for row in shared.chunks_exact(width) {
                let mut others = row.iter().map(|&to| to as usize).filter(|&to| to != zone);
                tails.count(sum(&mut others), ends);
            }
        } else {
            let mut chance = Chance::new(how.seed, zone as u64);
            last.fill(0);
            for arrangement in 1..=how.replicates {
                let mut others = std::iter::from_fn(|| {
                    loop {
                        let number = chance.below(n as u64 - 1) as usize;
                        let other = number + usize::from(number >= zone);
                        if last[other] != arrangement {
                            last[other] = arrangement;
                            return Some(other);
                        }
                    }
                });
                tails.count(sum(&mut others), ends);
            }
        }
        permutation_p(tails.high, tails.low, how.replicates)
    };
    let run = |first: usize| {
        let zones = first..(first + RUN).min(n);
        phase.advance(zones.len() as u64)?;
        // Of each zone it is kept in which arrangement it was last named.
        let mut last = vec![0; if how.draws == Draws::Shared { 0 } else { n }];
        Ok(zones.map(|zone| one(zone, &mut last)).collect())
    };
    let starts: Vec<usize> = (0..n).step_by(RUN).collect();
    let runs: Vec<Vec<f64>> = starts.into_par_iter().map(run).collect::<Result<_, AnalysisError>>()?;
    Ok(runs.concat())
}
