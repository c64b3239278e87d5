//! Local join count: which zones that have it lie among zones that have it.
//!
//! # Question
//! Which zones with incidents lie among more zones with incidents than chance would put there?
//!
//! # Definition
//! xᵢ is 1 where a zone holds at least `at-least` incidents (their weights together), else 0. Jᵢ = xᵢ Σⱼ wᵢⱼ xⱼ with wᵢⱼ = 1 for each of the kᵢ
//! neighbours: how many of them are 1, if the zone itself is. Where the other n − 1 zones, n₁ − 1 of them 1, are arranged at random,
//! the number of ones among the neighbours follows the hypergeometric law. p = P(at least Jᵢ), one-sided and exact: what
//! conditional permutations estimate. z is Jᵢ against the mean and the variance of that law. Zones that are 0, and those without a neighbour that
//! is 1, have neither: of them nothing is asked. q adjusts for the others; a significant zone is `hh`.
//!
//! # Reference
//! Anselin & Li 2019, doi:10.1007/s10109-019-00299-x.
//!
//! # Agrees with
//! esda's `Join_Counts_Local`: counts exactly, p within the sampling error of 99,999 permutations; twice p with brasa's own
//! permutations of zeros and ones (`tests/joins.rs`).
//!
//! # Differs from
//! esda, which takes the smaller tail, so that a zone with remarkably few joins also has a small p there; here it is near 1.
//! The method has no permutations, because what they approach is known.
//!
//! # Units
//! Joins are a count of neighbours, z is in standard deviations.
//!
//! # Cost
//! Zones × neighbours.
//!
//! # Often misunderstood
//! How many incidents a zone holds beyond the threshold has no say: take it where "any at all" is the question, as with homicides or a
//! rare kind of theft. Where most zones are 1, or hardly any are, no number of joins is remarkable. p takes few values, so that many
//! zones share one.

use std::num::NonZeroU32;

use brasa_model::{Class, Incidents, LocalStats, Note, Series};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::conditional::{Summed, score};
use crate::significance::Correction;
use crate::weights::{Neighbours, Weights};
use crate::zones::{Local, ZoneParams, Zones, unweighted};
use crate::zoning::CountedIn;
use crate::{About, AnalysisError, Watch};

/// What a reader of the catalogue learns.
pub const ABOUT: About = About {
    question: "Which zones with incidents lie among more zones with incidents than chance would put there?",
    reference: "Anselin & Li 2019, doi:10.1007/s10109-019-00299-x",
    units: "joins (neighbours that have it too), standard deviations (z)",
    cost: "zones × neighbours",
};

/// Parameters of [`local_join_count`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct LocalJoinCountParams {
    /// What incidents are counted in.
    #[serde(flatten)]
    pub counted: CountedIn,
    /// Which zones count as neighbours: queen, rook, knn:K (the K nearest) or band:LENGTH (all centres within that distance)
    pub neighbours: Neighbours,
    /// So many incidents make a zone one that has it
    pub at_least: NonZeroU32,
    /// How p is adjusted for testing many zones: bh, by (whatever the dependence) or bonferroni
    pub correction: Correction,
}

impl Default for LocalJoinCountParams {
    fn default() -> Self {
        Self {
            counted: CountedIn::default(),
            neighbours: Neighbours::default(),
            at_least: NonZeroU32::MIN,
            correction: Correction::default(),
        }
    }
}

fn refused(why: String) -> AnalysisError {
    AnalysisError::Parameter { method: "local-join-count", why }
}

/// Joins of the zones that hold enough incidents.
pub fn local_join_count(
    incidents: &Incidents,
    params: &LocalJoinCountParams,
    watch: &Watch,
) -> Result<LocalStats, AnalysisError> {
    unweighted("local-join-count", params.neighbours)?;
    if params.counted.population.is_some() {
        return Err(refused(
            "counts incidents and divides them by nothing: leave --population out".to_owned(),
        ));
    }
    let mut zones = Zones::of(incidents, &params.counted, params.neighbours)?;
    let least = f64::from(params.at_least.get());
    let has: Vec<bool> = zones.count.iter().map(|&count| count >= least).collect();
    let (with, all) = (has.iter().filter(|&&has| has).count(), has.len());
    if with == 0 || with == all {
        let how_many = if with == 0 { "not one" } else { "every one" };
        return Err(AnalysisError::TooFewZones {
            why: format!(
                "{how_many} of the {all} zones holds {} incidents or more, so that there is nothing to compare; --at-least sets another number",
                params.at_least
            ),
        });
    }
    zones.notes.push(
        Note::new(
            "zones_that_have_it",
            format!("{with} of {all} zones hold at least {} incidents", params.at_least),
        )
        .value(with, "zones")
        .reason("they are 1, the others 0; --at-least sets another number"),
    );
    let Joins { joins, z, p } = joins(&has, &zones.weights);
    let local = Local {
        method: "local-join-count",
        title: "Zones with incidents among such zones (local join count)",
        description: "How many neighbours of a zone with incidents have incidents too. hh: more than chance would put there, q at most 0.05. How many incidents there are beyond the threshold has no say.",
        self_included: false,
        series: vec![Series::new("joins", "Neighbours that have it too", "zones", joins)],
        z,
        summed: Summed::Values,
        p: Some((p, "one-sided (at least as many), hypergeometric law")),
        class: &|_| Class::HighHigh,
        verdicts: &[Class::HighHigh],
    };
    let judged = ZoneParams { correction: params.correction, ..ZoneParams::default() };
    let mut stats = zones.judged(local, &judged, watch)?;
    stats.provenance.parameters["at_least"] = json!(params.at_least);
    Ok(stats)
}

/// What [`joins`] finds in each zone.
pub struct Joins {
    /// Neighbours that are 1, of a zone that is; else 0.
    pub joins: Vec<f64>,
    /// Their z-score; NaN where nothing is asked.
    pub z: Vec<f64>,
    /// The chance of so many or more; NaN where nothing is asked.
    pub p: Vec<f64>,
}

/// Joins of given zones, each of which has it or not, with given neighbours.
pub fn joins(has: &[bool], weights: &Weights) -> Joins {
    let others = has.len().saturating_sub(1);
    let ones = has.iter().filter(|&&has| has).count().saturating_sub(1);
    let one = |zone: usize| {
        let count = weights.of(zone).iter().filter(|&&to| has[to as usize]).count();
        if !has[zone] || count == 0 {
            return (0.0, f64::NAN, f64::NAN);
        }
        // Of zeros and ones the squares are the same.
        let totals = (ones as f64, ones as f64);
        let z = score(count as f64, weights.loads(zone), others, totals);
        (count as f64, z, at_least(count, weights.count(zone), ones, others))
    };
    let mut found = Joins { joins: Vec::new(), z: Vec::new(), p: Vec::new() };
    for (joins, z, p) in (0..has.len()).map(one) {
        found.joins.push(joins);
        found.z.push(z);
        found.p.push(p);
    }
    found
}

/// The chance of at least `seen` ones among `drawn` of `all` of which `ones` are 1. Relative to the most likely number, so that no factorial
/// overflows.
fn at_least(seen: usize, drawn: usize, ones: usize, all: usize) -> f64 {
    let (least, most) = ((drawn + ones).saturating_sub(all), drawn.min(ones));
    let mode = ((drawn + 1) * (ones + 1) / (all + 2)).clamp(least, most);
    // P(h + 1)/P(h).
    let step = |h: usize| {
        ((drawn - h) as f64 * (ones - h) as f64) / ((h + 1) as f64 * (all + h + 1 - drawn - ones) as f64)
    };
    let (mut sum, mut tail) = (0.0, 0.0);
    let mut add = |h: usize, share: f64| {
        sum += share;
        tail += if h >= seen { share } else { 0.0 };
    };
    let mut share = 1.0;
    for h in mode..=most {
        add(h, share);
        share *= if h < most { step(h) } else { 0.0 };
    }
    share = 1.0;
    for h in (least..mode).rev() {
        share /= step(h);
        add(h, share);
    }
    tail / sum
}
