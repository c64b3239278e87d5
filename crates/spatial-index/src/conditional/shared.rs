//! One set of arrangements for all zones.

use std::borrow::Cow;

use rayon::prelude::*;

use super::{Permutations, Summed, Tails, centred, seen, slack};
use crate::significance::permutation_p;
use crate::weights::Weights;
use crate::{AnalysisError, Watch};
use brasa_model::Chance;

/// The two-sided p of each zone.
pub(super) fn shared(
    values: &[f64],
    weights: &Weights,
    summed: Summed,
    how: Permutations,
    watch: &Watch,
) -> Result<Vec<f64>, AnalysisError> {
    let (n, replicates) = (values.len(), how.replicates as usize);
    let mut by_size: Vec<u32> = (0..n as u32).filter(|&zone| weights.count(zone as usize) > 0).collect();
    by_size.sort_by_key(|&zone| weights.count(zone as usize));
    let most = by_size.last().map_or(0, |&zone| weights.count(zone as usize));
    let width = most + 1;
    let drawn = drawn(n, width, how);
    // Where each zone was drawn: (replicate, position), in the order of replicates.
    let mut start = vec![0_usize; n + 1];
    drawn.iter().for_each(|&zone| start[zone as usize + 1] += 1);
    for zone in 0..n {
        start[zone + 1] += start[zone];
    }
    let mut free = start.clone();
    let mut of_zone = vec![(0_u32, 0_u32); drawn.len()];
    for (at, &zone) in drawn.iter().enumerate() {
        of_zone[free[zone as usize]] = ((at / width) as u32, (at % width) as u32);
        free[zone as usize] += 1;
    }

    let squared = summed == Summed::SquaredDifferences;
    // Around the mean, where squares are asked for, so that little cancels.
    let own: Cow<'_, [f64]> = if squared { centred(values)?.into() } else { values.into() };
    let slack = slack(&own, summed);
    let (mut sums, mut squares, mut taken) = (vec![0.0; replicates], vec![0.0; replicates], 0);
    let mut sorted = Vec::new();
    let mut p = vec![f64::NAN; n];
    let phase = watch.phase("zones", by_size.len() as u64);
    for zones in by_size.chunk_by(|&a, &b| weights.count(a as usize) == weights.count(b as usize)) {
        let k = weights.count(zones[0] as usize);
        for (replicate, row) in drawn.chunks_exact(width).enumerate() {
            for &zone in &row[taken..k] {
                sums[replicate] += own[zone as usize];
                squares[replicate] += own[zone as usize] * own[zone as usize];
            }
        }
        taken = k;
        sorted.clear();
        if !squared {
            sorted.extend_from_slice(&sums);
            sorted.sort_unstable_by(f64::total_cmp);
        }
        let one = |&zone: &u32| {
            let zone = zone as usize;
            let z = own[zone];
            let ends = seen(&own, weights, summed, zone, slack);
            let mut tails = Tails::default();
            // Σ (zⱼ − zᵢ)² from Σ zⱼ and Σ zⱼ².
            let differences = |sum: f64, squares: f64| squares - 2.0 * z * sum + k as f64 * z * z;
            if squared {
                for (&sum, &squares) in sums.iter().zip(&squares) {
                    tails.count(differences(sum, squares), ends);
                }
            } else {
                tails.high = replicates - sorted.partition_point(|&sum| sum < ends.0);
                tails.low = sorted.partition_point(|&sum| sum <= ends.1);
            }
            for &(replicate, position) in &of_zone[start[zone]..start[zone + 1]] {
                if (position as usize) < k {
                    let replicate = replicate as usize;
                    let spare = own[drawn[replicate * width + k] as usize];
                    let (sum, squares) = (sums[replicate], squares[replicate]);
                    if squared {
                        tails.uncount(differences(sum, squares), ends);
                        tails.count(differences(sum - z + spare, squares - z * z + spare * spare), ends);
                    } else {
                        tails.uncount(sum, ends);
                        tails.count(sum - z + spare, ends);
                    }
                }
            }
            permutation_p(tails.high, tails.low, how.replicates)
        };
        let found: Vec<f64> = zones.par_iter().with_min_len(256).map(one).collect();
        for (&zone, found) in zones.iter().zip(found) {
            p[zone as usize] = found;
        }
        phase.advance(zones.len() as u64)?;
    }
    Ok(p)
}

/// `width` different zones per replicate, replicate by replicate.
pub(super) fn drawn(n: usize, width: usize, how: Permutations) -> Vec<u32> {
    let mut drawn = vec![0; how.replicates as usize * width];
    drawn.par_chunks_mut(width * 64).enumerate().for_each(|(chunk, rows)| {
        let mut last = vec![0_u32; n];
        for (at, row) in rows.chunks_exact_mut(width).enumerate() {
            let mut chance = Chance::new(how.seed, (chunk * 64 + at) as u64);
            for slot in row {
                *slot = loop {
                    let zone = chance.below(n as u64) as usize;
                    if last[zone] != at as u32 + 1 {
                        last[zone] = at as u32 + 1;
                        break zone as u32;
                    }
                };
            }
        }
    });
    drawn
}
