//! Districts: zones put together so that each hangs together, carries a like load and lies around its middle.
//!
//! # Question
//! How are zones divided among so many districts?
//!
//! # Definition
//! Of all divisions in which each district hangs together and carries a load within `inequality` of the mean load, the one with the least sum over zones of
//! demand times the distance to the middle of their district; the middle is the zone for which that sum is least. For `cover` it is the demand
//! farther than `within` from the middle that is least. Found by annealing (Kirkpatrick, Gelatt & Vecchi 1983, doi:10.1126/science.220.4598.671) over moves of
//! a zone to the district beside it and swaps of two, from several starts, each ended by the best single moves and swaps until none
//! helps. A division is good, not proven best.
//!
//! # Reference
//! Hess et al. 1965, doi:10.1287/opre.13.6.998; for police beats Wheeler 2019, doi:10.1177/1098611118779173.
//!
//! # Units
//! Demand in incidents or harm, load in whatever is to be balanced, distances in metres.
//!
//! # Cost
//! Starts × moves, and zones² of memory.
//!
//! # Often misunderstood
//! Like loads of reported incidents are not like work: one incident takes ten minutes, another a night. A border that follows neither a river nor a
//! road, or that parts a neighbourhood, may be the best by number and wrong on the ground.

use std::num::NonZeroU32;

use brasa_model::{Chance, Metres};
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::costs::Costs;
use crate::graph::Walk;
use crate::settings::{Objective, Share};
use crate::{Graph, PlanError};
use division::Division;

mod division;

/// Parameters of [`districts`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct DistrictsParams {
    /// How many districts; what there is to staff has no default
    pub count: NonZeroU32,
    /// How far the load of a district may be from the mean load
    #[serde(default = "default_inequality")]
    pub inequality: Share,
    /// What districts are best for: the least sum of demand times distance to their middle, or the most demand within a distance of it; when absent, the latter if a distance is given
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub objective: Option<Objective>,
    /// Within how far of the middle a demand is covered
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<Metres>,
    /// How many times the search starts anew; the best of them is kept
    #[serde(default = "default_starts")]
    pub starts: NonZeroU32,
    /// Where chance begins; the same seed gives the same districts
    #[serde(default = "default_seed")]
    pub seed: u64,
}

fn default_inequality() -> Share {
    Share::new(0.1).unwrap_or_default()
}

const fn default_starts() -> NonZeroU32 {
    NonZeroU32::MIN.saturating_add(7)
}

const fn default_seed() -> u64 {
    1
}

impl DistrictsParams {
    /// So many districts, and the defaults.
    pub fn new(count: NonZeroU32) -> Self {
        Self {
            count,
            inequality: default_inequality(),
            objective: None,
            within: None,
            starts: default_starts(),
            seed: default_seed(),
        }
    }

    /// What districts are best for, as far as it was left open.
    pub fn objective(&self) -> Objective {
        Objective::of(self.objective, self.within)
    }
}

/// What is divided; the columns are of one length.
#[derive(Debug, Clone, Copy)]
pub struct DistrictsProblem<'a> {
    /// Which zones share a side.
    pub graph: &'a Graph,
    /// How much each zone counts in the objective.
    pub demand: &'a [f64],
    /// What is balanced.
    pub workload: &'a [f64],
}

/// Zones divided among districts.
#[derive(Debug, Clone, PartialEq)]
pub struct Districted {
    /// The district of each zone; districts are numbered in the order of their first zones.
    pub district: Vec<u32>,
    /// The zone in the middle of each district.
    pub centre: Vec<u32>,
    /// The load of each.
    pub load: Vec<f64>,
    /// The objective: the sum of demand times distance, or the demand that is not covered.
    pub cost: f64,
    /// No division has a smaller cost: that of as many sites, whatever they serve.
    pub bound: f64,
}

const PLAN: &str = "districts";
/// The costs from each zone to each are held in memory.
const MOST_ZONES: usize = 5000;

/// Divides zones. `distance` says how far it is from one zone to another, in metres.
///
/// # Errors
/// [`PlanError::Parameter`] for input that is not of one piece, [`PlanError::Infeasible`] where no division was found that keeps the rules, with
/// the inequality that one was found for.
pub fn districts(
    problem: &DistrictsProblem<'_>,
    distance: impl Fn(usize, usize) -> f64 + Sync,
    params: &DistrictsParams,
) -> Result<Districted, PlanError> {
    let refused = |why: String| PlanError::Parameter { plan: PLAN, why };
    let (zones, count) = (problem.graph.len(), params.count.get() as usize);
    if problem.demand.len() != zones || problem.workload.len() != zones {
        return Err(refused("demand, load and neighbours are not of the same zones".to_owned()));
    }
    if let Some(at) = problem.workload.iter().position(|load| !(load.is_finite() && *load >= 0.0)) {
        let load = problem.workload[at];
        return Err(refused(format!("the load of zone {at} is {load}; it must be finite and not negative")));
    }
    if count > zones {
        return Err(PlanError::Infeasible {
            plan: PLAN,
            constraint: format!("{count} districts of {zones} zones would leave some empty"),
            change: format!("ask for at most {zones} districts, or make zones smaller"),
        });
    }
    if zones > MOST_ZONES {
        return Err(refused(format!("{zones} zones are more than {MOST_ZONES}; larger zones make fewer")));
    }
    let parts = problem.graph.components();
    if parts.len() > count {
        let alone = parts.iter().filter(|part| part.len() == 1).count();
        return Err(PlanError::Infeasible {
            plan: PLAN,
            constraint: format!(
                "the zones fall into {} parts that do not touch ({alone} of them a single zone), and a district hangs together",
                parts.len()
            ),
            change: format!("ask for at least {} districts, or leave out the islands", parts.len()),
        });
    }
    let within = params.within.map(Metres::get);
    let costs = Costs::new(PLAN, problem.demand, zones, &distance, params.objective(), within)?;
    let rules = Rules::new(problem, &costs, count, params.inequality.get());
    let starts = u64::from(params.starts.get());
    let found: Vec<Division> = (0..starts)
        .into_par_iter()
        .map(|start| search(&rules, &parts, Chance::new(params.seed, start)))
        .collect();
    // The first of the best, so that no thread decides.
    let best = found.into_iter().reduce(|best, other| if other.rank() < best.rank() { other } else { best });
    let Some(best) = best else { return Err(refused("it takes at least one start".to_owned())) };
    if best.excess() > 0.0 {
        return Err(infeasible(&rules, &best, params.inequality));
    }
    let bound = costs.bound(&[], count, best.cost());
    Ok(told(&rules, &best, bound))
}

/// What a division must keep, and what it costs.
struct Rules<'a> {
    graph: &'a Graph,
    load: &'a [f64],
    costs: &'a Costs,
    count: usize,
    mean: f64,
    /// The least and the most that a district may carry.
    least: f64,
    most: f64,
}

impl<'a> Rules<'a> {
    fn new(problem: &DistrictsProblem<'a>, costs: &'a Costs, count: usize, inequality: f64) -> Self {
        let load = problem.workload;
        let mean = load.iter().sum::<f64>() / count as f64;
        // A hair of rounding is no inequality.
        let slack = 1e-9 * mean;
        Self {
            graph: problem.graph,
            load,
            costs,
            count,
            mean,
            least: mean * (1.0 - inequality) - slack,
            most: mean * (1.0 + inequality) + slack,
        }
    }

    /// By how much a load breaks the rule, as a share of the mean.
    fn excess(&self, load: f64) -> f64 {
        if self.mean > 0.0 {
            ((load - self.most).max(0.0) + (self.least - load).max(0.0)) / self.mean
        } else {
            0.0
        }
    }
}

fn infeasible(rules: &Rules<'_>, best: &Division, asked: Share) -> PlanError {
    let apart = best.loads().iter().map(|load| (load - rules.mean).abs() / rules.mean).fold(0.0, f64::max);
    let heavy: Vec<usize> = (0..rules.load.len()).filter(|&zone| rules.load[zone] > rules.most).collect();
    // To the next whole percent that would do.
    let percent = (apart * 100.0 - 1e-9).ceil();
    let constraint = if heavy.is_empty() {
        format!(
            "no {} districts that hang together were found with loads within {:.1} % of the mean; the best are within {:.1} %",
            rules.count,
            asked.get() * 100.0,
            apart * 100.0
        )
    } else {
        format!("{} zones alone carry more than a district may ({:.1})", heavy.len(), rules.most)
    };
    PlanError::Infeasible {
        plan: PLAN,
        constraint,
        change: format!(
            "--inequality {percent}% would do; or ask for another number of districts, or smaller zones"
        ),
    }
}

fn told(rules: &Rules<'_>, division: &Division, bound: f64) -> Districted {
    let cost = division.cost();
    let mut number = vec![None; rules.count];
    let mut order = Vec::with_capacity(rules.count);
    let mut district = Vec::with_capacity(rules.load.len());
    for zone in 0..rules.load.len() {
        let old = division.of(zone) as usize;
        let new = *number[old].get_or_insert_with(|| {
            order.push(old);
            order.len() as u32 - 1
        });
        district.push(new);
    }
    let centre = order.iter().map(|&old| division.centre(old)).collect();
    let load = order.iter().map(|&old| division.loads()[old]).collect();
    Districted { district, centre, load, cost, bound: bound.min(cost) }
}

/// Moves that are tried in a start, per zone, and at most.
const MOVES: u64 = 3000;
const MOST_MOVES: u64 = 1_500_000;
/// Middles are looked for anew after so many moves that were made.
const RECENTRE: u32 = 40;
/// What a load that is off by the mean costs, in multiples of the cost of the first division: from the hot begin to the cold end.
const PRICE: (f64, f64) = (0.5, 20.0);
/// How hot it is at first and in the end, as shares of the cost of a district.
const HEAT: (f64, f64) = (0.05, 1e-5);

/// One start: a division grown around middles, annealed, and polished.
fn search(rules: &Rules<'_>, parts: &[Vec<u32>], mut chance: Chance) -> Division {
    let mut walk = Walk::new(rules.load.len());
    let mut now = Division::grown(rules, parts, &mut chance);
    let mut best = now.clone();
    if rules.count < 2 {
        return best;
    }
    let scale = now.cost().max(f64::MIN_POSITIVE);
    let moves = (MOVES * rules.load.len() as u64).min(MOST_MOVES);
    let mut made = 0;
    for step in 0..moves {
        let done = step as f64 / moves as f64;
        let heat = scale / rules.count as f64 * libm::pow(HEAT.1 / HEAT.0, done) * HEAT.0;
        let price = scale * libm::pow(PRICE.1 / PRICE.0, done) * PRICE.0;
        let Some(change) = now.draw(rules, &mut chance, &mut walk) else { continue };
        let worse = change.cost + price * change.excess;
        if worse > 0.0 && chance.share() >= libm::exp(-worse / heat) {
            continue;
        }
        if !now.make(rules, &change, &mut walk) {
            continue;
        }
        made += 1;
        if made % RECENTRE == 0 {
            now.recentre(rules);
        }
        if now.rank() < best.rank() {
            best.clone_from(&now);
        }
    }
    best.recentre(rules);
    best.polish(rules, &mut walk);
    best
}
