//! What a zone's neighbours would hold by chance, the zone itself held fixed: k of the other n − 1 values, each choice as
//! likely as any other.
//!
//! Moments are exact. Permutations are drawn in one of two ways. *Shared* draws: one set of drawn zones for all, of which a
//! zone with k neighbours takes the first k; only where it is itself among them does a spare stand in for it. The sums of
//! a number of neighbours are then sorted once, and a zone costs a binary search (the scheme of PySAL's esda, made faster).
//! *Independent* draws: every zone draws its own. Each p has the same law either way; shared draws make the errors of
//! p go together across zones. Where many zones have the same few neighbouring incidents, they then cross a level of p
//! together: the number of zones below it differs more from seed to seed, about the same mean.

mod independent;
mod shared;
mod weighted;

use serde::{Deserialize, Serialize};

use crate::weights::Weights;
use crate::{AnalysisError, Watch};
use brasa_model::as_word;

/// Whether all zones look at the same permutations.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Draws {
    /// One set for all zones.
    Shared,
    /// Each zone its own. The default: with shared ones a single rare arrangement lifts the p of all zones above the level of q
    /// together, and a map of many hot zones may be empty under the next seed.
    #[default]
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

/// The z-score of a weighted sum over some of `others` values whose sum and sum of squares are known, from the sum of the weights and that of
/// their squares (for k neighbours that count 1 each, both are k); NaN where nothing can vary.
pub fn score(sum: f64, (weight, square): (f64, f64), others: usize, (total, squares): (f64, f64)) -> f64 {
    let others = others as f64;
    let mean = total / others;
    let variance = (squares / others - mean * mean) * (others * square - weight * weight) / (others - 1.0);
    // A hair of what cancels is not a spread.
    if variance > 1e-12 * squares * square / others {
        (sum - weight * mean) / variance.sqrt()
    } else {
        f64::NAN
    }
}

/// The z-score of the sum over each zone's neighbours against k of the other values. NaN for a zone without neighbours,
/// or whose neighbours are all the others.
pub fn sum_scores(values: &[f64], weights: &Weights) -> Result<Vec<f64>, AnalysisError> {
    let z = centred(values)?;
    let squares: f64 = z.iter().map(|z| z * z).sum();
    let others = z.len() - 1;
    let one = |(zone, sum): (usize, &f64)| {
        // The others add up to what the zone lacks.
        score(*sum, weights.loads(zone), others, (-z[zone], squares - z[zone] * z[zone]))
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

impl Summed {
    /// What a neighbour's value adds to the sum of a zone with its own.
    fn of(self, value: f64, own: f64) -> f64 {
        match self {
            Self::Values => value,
            Self::SquaredDifferences => (value - own) * (value - own),
        }
    }
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
        _ if !weights.are_equal() => weighted::weighted(values, weights, summed, how, watch),
        Draws::Shared => shared::shared(values, weights, summed, how, watch),
        Draws::Independent => independent::independent(values, weights, summed, how, watch),
    }
}

/// Sums that differ by less are equal: the same values in another order must be a tie.
fn slack(values: &[f64], summed: Summed) -> f64 {
    let most = |of: fn(f64) -> f64| values.iter().fold(f64::NEG_INFINITY, |most, &value| most.max(of(value)));
    match summed {
        Summed::Values => 1e-11 * most(f64::abs),
        Summed::SquaredDifferences => {
            let range = most(|value| value) + most(|value| -value);
            1e-11 * range * range
        }
    }
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

/// A zone's own sum, each neighbour as much as it counts, widened by the slack to both sides.
fn seen(values: &[f64], weights: &Weights, summed: Summed, zone: usize, slack: f64) -> (f64, f64) {
    let sum: f64 = weights.row(zone).map(|(to, weight)| weight * summed.of(values[to], values[zone])).sum();
    (sum - slack, sum + slack)
}
