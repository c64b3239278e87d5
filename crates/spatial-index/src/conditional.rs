//! What a zone's neighbours would hold by chance, the zone itself held fixed: k of the other n − 1 values, each choice as
//! likely as any other.
//!
//! Moments are exact. Permutations are drawn in one of two ways. *Shared* draws: one set of drawn zones for all, of which a
//! zone with k neighbours takes the first k; only where it is itself among them does a spare stand in for it. The sums of
//! a number of neighbours are then sorted once, and a zone costs a binary search (the scheme of PySAL's esda, made faster).
//! *Independent* draws: every zone draws its own. Each p has the same law either way; shared draws make the errors of
//! p go together across zones, so that one unlucky draw touches all of them.

use std::borrow::Cow;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::chance::Chance;
use crate::significance::permutation_p;
use crate::weights::Weights;
use crate::written::as_word;
use crate::{AnalysisError, Watch};

/// Whether all zones look at the same permutations.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Draws {
    /// One set for all zones.
    #[default]
    Shared,
    /// Each zone its own.
    Independent,
}

as_word!(Draws, Shared = "shared", Independent = "independent");

/// How many permutations, drawn how, beginning where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Permutations {
    /// How many.
    pub replicates: u32,
    /// Whether zones share them.
    pub draws: Draws,
    /// Where chance begins.
    pub seed: u64,
}

/// The values around their mean: refused where all are equal.
pub fn centred(values: &[f64]) -> Result<Vec<f64>, AnalysisError> {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let centred: Vec<f64> = values.iter().map(|value| value - mean).collect();
    let squares: f64 = centred.iter().map(|z| z * z).sum();
    if values.iter().all(|&value| value == values[0]) || !(squares.is_finite() && squares > 0.0) {
        let count = values.first().copied().unwrap_or(0.0);
        return Err(AnalysisError::NoVariance { zones: values.len(), count });
    }
    Ok(centred)
}

/// The z-score of a sum over k of `others` values whose sum and sum of squares are known; NaN where nothing can vary.
pub fn score(sum: f64, k: usize, others: usize, (total, squares): (f64, f64)) -> f64 {
    let (k, others) = (k as f64, others as f64);
    let mean = total / others;
    let variance = (squares / others - mean * mean) * k * (others - k) / (others - 1.0);
    // A hair of what cancels is not a spread.
    if variance > 1e-12 * squares * k / others { (sum - k * mean) / variance.sqrt() } else { f64::NAN }
}

/// The z-score of the sum over each zone's neighbours against k of the other values. NaN for a zone without neighbours,
/// or whose neighbours are all the others.
pub fn sum_scores(values: &[f64], weights: &Weights) -> Result<Vec<f64>, AnalysisError> {
    let z = centred(values)?;
    let squares: f64 = z.iter().map(|z| z * z).sum();
    let others = z.len() - 1;
    let one = |(zone, sum): (usize, &f64)| {
        // The others add up to what the zone lacks.
        score(*sum, weights.count(zone), others, (-z[zone], squares - z[zone] * z[zone]))
    };
    Ok(weights.sums(&z).iter().enumerate().map(one).collect())
}

/// What is summed over the neighbours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Summed {
    /// Their values: Gi, Gi* and, zone by zone, local Moran order arrangements alike.
    Values,
    /// The squares of their differences from the zone's own value: local Geary.
    SquaredDifferences,
}

/// The two-sided permutation p of each zone; NaN for a zone without neighbours.
pub fn permutation_ps(
    values: &[f64],
    weights: &Weights,
    summed: Summed,
    how: Permutations,
    watch: &Watch,
) -> Result<Vec<f64>, AnalysisError> {
    match how.draws {
        Draws::Shared => shared(values, weights, summed, how, watch),
        Draws::Independent => independent(values, weights, summed, how, watch),
    }
}

/// Sums that differ by less are equal: the same values in another order must be a tie.
fn slack(values: &[f64]) -> f64 {
    1e-11 * values.iter().fold(0.0_f64, |most, value| most.max(value.abs()))
}

/// How many replicates are at least as high, and at least as low.
#[derive(Default, Clone, Copy)]
struct Tails {
    high: usize,
    low: usize,
}

impl Tails {
    fn count(&mut self, sum: f64, (below, above): (f64, f64)) {
        self.high += usize::from(sum >= below);
        self.low += usize::from(sum <= above);
    }

    fn uncount(&mut self, sum: f64, (below, above): (f64, f64)) {
        self.high -= usize::from(sum >= below);
        self.low -= usize::from(sum <= above);
    }
}

/// A zone's own sum, widened by the slack to both sides.
fn seen(values: &[f64], weights: &Weights, summed: Summed, zone: usize, slack: f64) -> (f64, f64) {
    let own = values[zone];
    let of = |value: f64| match summed {
        Summed::Values => value,
        Summed::SquaredDifferences => (value - own) * (value - own),
    };
    let sum: f64 = weights.of(zone).iter().map(|&to| of(values[to as usize])).sum();
    (sum - slack, sum + slack)
}

fn shared(
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
    let slack = if squared { slack(&own) * slack(&own) * 1e11 } else { slack(&own) };
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
fn drawn(n: usize, width: usize, how: Permutations) -> Vec<u32> {
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

fn independent(
    values: &[f64],
    weights: &Weights,
    summed: Summed,
    how: Permutations,
    watch: &Watch,
) -> Result<Vec<f64>, AnalysisError> {
    /// So many zones are one piece of parallel work.
    const RUN: usize = 64;
    /// So few drawn zones are told apart by looking at each.
    const FEW: usize = 24;
    let n = values.len();
    let own: Cow<'_, [f64]> = if summed == Summed::Values { values.into() } else { centred(values)?.into() };
    let slack = match summed {
        Summed::Values => slack(&own),
        Summed::SquaredDifferences => slack(&own) * slack(&own) * 1e11,
    };
    let phase = watch.phase("zones", n as u64);
    let run = |first: usize| {
        let zones = first..(first + RUN).min(n);
        let (mut last, mut stamp) = (Vec::new(), 0_u32);
        let mut few = [0_u32; FEW];
        let one = |zone: usize| {
            let (k, z) = (weights.count(zone), own[zone]);
            if k == 0 {
                return f64::NAN;
            }
            let ends = seen(&own, weights, summed, zone, slack);
            let mut chance = Chance::new(how.seed, zone as u64).numbers();
            // Any of the others: numbers from the zone's own on stand for the next.
            let mut other = || {
                let number = chance.below(n as u32 - 1);
                number + u32::from(number >= zone as u32)
            };
            let of = |drawn: u32| {
                let value = own[drawn as usize];
                if summed == Summed::Values { value } else { (value - z) * (value - z) }
            };
            let mut tails = Tails::default();
            for _ in 0..how.replicates {
                let mut sum = 0.0;
                if k <= FEW {
                    for at in 0..k {
                        few[at] = other();
                        while few[..at].contains(&few[at]) {
                            few[at] = other();
                        }
                        sum += of(few[at]);
                    }
                } else {
                    if last.is_empty() || stamp == u32::MAX {
                        last = vec![0; n];
                        stamp = 0;
                    }
                    stamp += 1;
                    let mut missing = k;
                    while missing > 0 {
                        let drawn = other();
                        if last[drawn as usize] != stamp {
                            last[drawn as usize] = stamp;
                            sum += of(drawn);
                            missing -= 1;
                        }
                    }
                }
                tails.count(sum, ends);
            }
            permutation_p(tails.high, tails.low, how.replicates)
        };
        let done = zones.len() as u64;
        let found: Vec<f64> = zones.map(one).collect();
        phase.advance(done)?;
        Ok(found)
    };
    let starts: Vec<usize> = (0..n).step_by(RUN).collect();
    let runs: Vec<Vec<f64>> = starts.into_par_iter().map(run).collect::<Result<_, AnalysisError>>()?;
    Ok(runs.concat())
}
