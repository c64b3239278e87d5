//! Where services go: k sites among candidates, beside those there are.
//!
//! # Question
//! Where do posts, clinics or street lights go so that people have a short way, or so that most of them are near one?
//!
//! # Definition
//! `p-median`: the sum over demands of demand times the distance to its nearest site is least. `cover`: the demand within a
//! distance of some site is most. Existing sites stay and count; `count` are added.
//!
//! # Reference
//! Hakimi 1964, doi:10.1287/opre.12.3.450; ReVelle & Swain 1970, doi:10.1111/j.1538-4632.1970.tb00142.x; Church & ReVelle 1974,
//! doi:10.1007/BF01942293. That covering is a p-median problem with distances 0 and 1: Church & ReVelle 1976,
//! doi:10.1111/j.1538-4632.1976.tb00547.x.
//!
//! # Agrees with
//! The optima of `pmed1` and `pmed5` of the OR-Library (5819, 1355), and enumeration on random worlds.
//!
//! # Differs from
//! A solver: the search (many starts, interchange, kicks) finds the optimum as a rule and never proves it. [`Sited::bound`] says how far off
//! the answer can be at most.
//!
//! # Units
//! Distances in metres along whatever way the caller measures; demand in incidents, persons or harm; the total in demand times metres.
//!
//! # Cost
//! Candidates × demands per round of interchange; eight bytes of memory for each such pair.
//!
//! # Often misunderstood
//! The median serves the many: a remote hamlet may stay far from all. Covering does not care how far beyond the distance the others are.
//! More sites than demands places the rest anywhere. A law holds for the optimum and not for each run: one more site is never worse.

use std::num::NonZeroU32;

use brasa_model::Metres;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::PlanError;
use crate::costs::Costs;
use crate::settings::Objective;

/// Parameters of [`sites`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SitesParams {
    /// How many sites to add; what there is to build has no default
    pub count: NonZeroU32,
    /// What the sites are best for: the least sum of demand times distance, or the most demand within a distance; when absent, the latter if a distance is given
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub objective: Option<Objective>,
    /// Within how far of a site a demand is covered; cover needs it, p-median reports it
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<Metres>,
    /// How many times the search starts anew; the best of them is kept
    #[serde(default = "default_starts")]
    pub starts: NonZeroU32,
    /// Where chance begins; the same seed gives the same sites
    #[serde(default = "default_seed")]
    pub seed: u64,
}

const fn default_starts() -> NonZeroU32 {
    NonZeroU32::MIN.saturating_add(15)
}

const fn default_seed() -> u64 {
    1
}

impl SitesParams {
    /// So many sites, and the defaults.
    pub fn new(count: NonZeroU32) -> Self {
        Self { count, objective: None, within: None, starts: default_starts(), seed: default_seed() }
    }

    /// What the sites are best for, as far as it was left open.
    pub fn objective(&self) -> Objective {
        Objective::of(self.objective, self.within)
    }
}

/// What sites are chosen for and among.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SitesProblem<'a> {
    /// How much each demand counts.
    pub demand: &'a [f64],
    /// How many places may have a site.
    pub candidates: usize,
    /// Candidates that have one already.
    pub existing: &'a [u32],
}

/// Where sites are and what they serve.
#[derive(Debug, Clone, PartialEq)]
pub struct Sited {
    /// Candidates that get a site, in order; fewer than asked for where there are no more.
    pub chosen: Vec<u32>,
    /// For each demand the candidate of its nearest site, an existing one where two are as near; none where there is no way.
    pub site: Vec<Option<u32>>,
    /// For each demand the distance to it; infinite where there is no way.
    pub distance: Vec<f64>,
    /// The sum of demand times distance, over demands with a way.
    pub total: f64,
    /// The demand within the distance asked for, where one was.
    pub covered: Option<f64>,
    /// The demand without a way to any site.
    pub unreached: f64,
    /// For `p-median` no choice has a smaller sum of demand times distance; for `cover` none covers more. With demand without a
    /// way, a demand times a thousand times the longest way is part of it.
    pub bound: f64,
}

const PLAN: &str = "sites";

/// Chooses sites. `distance` says how far it is from a candidate to a demand, in metres; infinite where there is no way.
pub fn sites(
    problem: &SitesProblem<'_>,
    distance: impl Fn(usize, usize) -> f64 + Sync,
    params: &SitesParams,
) -> Result<Sited, PlanError> {
    let refused = |why: String| PlanError::Parameter { plan: PLAN, why };
    let demand = problem.demand;
    let within = params.within.map(Metres::get);
    let mut existing: Vec<u32> = Vec::new();
    for &place in problem.existing {
        if place as usize >= problem.candidates {
            return Err(refused(format!(
                "the existing site {place} is none of the {} candidates",
                problem.candidates
            )));
        }
        if !existing.contains(&place) {
            existing.push(place);
        }
    }
    let costs = Costs::new(PLAN, demand, problem.candidates, &distance, params.objective(), within)?;
    let more = (params.count.get() as usize).min(problem.candidates - existing.len());
    let chosen = if demand.is_empty() {
        Vec::new()
    } else {
        costs.choose(&existing, more, params.starts.get(), params.seed)
    };
    let open: Vec<u32> = existing.iter().chain(&chosen).copied().collect();
    let mut site = vec![None; demand.len()];
    let mut far = vec![f64::INFINITY; demand.len()];
    for &place in &open {
        for (at, (site, far)) in site.iter_mut().zip(&mut far).enumerate() {
            let way = distance(place as usize, at);
            if way < *far {
                (*site, *far) = (Some(place), way);
            }
        }
    }
    let sum = |counts: &dyn Fn(f64) -> f64| -> f64 {
        demand.iter().zip(&far).map(|(demand, &far)| demand * counts(far)).sum()
    };
    let bound = if open.is_empty() { 0.0 } else { costs.bound(&existing, more, costs.total(&open)) };
    Ok(Sited {
        total: sum(&|far| if far.is_finite() { far } else { 0.0 }),
        covered: within.map(|within| sum(&|far| f64::from(far <= within))),
        unreached: sum(&|far| f64::from(far.is_infinite())),
        bound: match params.objective() {
            Objective::Median => bound,
            Objective::Cover => demand.iter().sum::<f64>() - bound,
        },
        chosen,
        site,
        distance: far,
    })
}
