//! Where a budget goes: compact areas, each in one piece, that together catch the most.
//!
//! # Question
//! With so many square kilometres, kilometres of street or officer hours, which few areas hold the most incidents or harm?
//!
//! # Definition
//! Zones are chosen; the parts of the choice that hang together by shared sides are the areas, so that two areas never touch. The sum
//! over areas of vₖ (1 − w + w Cₖ) is greatest, with vₖ the value in the area, w the weight of compactness, and
//! Cₖ = Aₖ²/(2π Iₖ), Iₖ = Σ (aᵢ |cᵢ − c|² + aᵢ²/2π), its moment-of-inertia compactness: aᵢ and cᵢ are the area and the centroid of a zone,
//! which counts as a disc, c the centre of mass. C is 1 for a disc, 0.95 for a square, 0.19 for a strip of ten squares in a row. Rules: costs
//! add up to no more than the budget (to a part in a billion, for rounding); no more than K areas; each costs no more than a cap and no
//! less than a least; districts get their least shares of the value caught, or of the budget.
//!
//! # Reference
//! Compactness: Li, Goodchild & Church 2013, doi:10.1080/13658816.2012.752093. The problem is a maximum-weight connected subgraph
//! with a budget, as in Church & Murray 2009, ISBN 9780470191064; annealing: Kirkpatrick, Gelatt & Vecchi 1983,
//! doi:10.1126/science.220.4598.671.
//!
//! # Agrees with
//! Enumeration of all choices on random worlds of up to 16 zones (within 2 %, as a rule exactly).
//!
//! # Differs from
//! A solver: nothing is proved optimal. [`AreasPlan::bound`] says what no plan can exceed.
//!
//! # Units
//! Value in incidents or harm; cost in the unit of the budget; area in m², places in metres.
//!
//! # Cost
//! Some hundred moves per chosen zone and start; 100 000 zones take seconds.
//!
//! # Often misunderstood
//! Without compactness the best area of a given cost is a chain of the highest cells, which no patrol can hold; with w = 1 a strip counts
//! for almost nothing however many incidents it holds. What the areas caught in the data that drew them is more than what they will
//! catch next month: test a plan on later incidents. A larger budget never has a worse optimum; a search may by chance.
//! A least share of the budget for a district breaks that law: it then grows with the budget.

mod search;
mod state;

use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::num::NonZeroU32;

use self::state::{NONE, Rules, Shares, State, Sums, Zone};
use crate::{Budget, Graph, PlanError, Share};

/// Parameters of [`areas`]; what is in the unit of the budget is handed to it in [`AreasProblem`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct AreasParams {
    /// How much there is to share out: ground, street or officer hours; what there is has no default
    pub budget: Budget,
    /// The most areas
    #[serde(default = "default_areas")]
    pub areas: NonZeroU32,
    /// The most that one area may cost, in the unit of the budget
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_area: Option<Budget>,
    /// The least that one area must cost, in the unit of the budget
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_area: Option<Budget>,
    /// How much compactness counts: 0 not at all, 1 as much as what an area catches
    #[serde(default = "default_compactness")]
    pub compactness: Share,
    /// How many times the search starts anew; the best of them is kept
    #[serde(default = "default_starts")]
    pub starts: NonZeroU32,
    /// Where chance begins; the same seed gives the same areas
    #[serde(default = "default_seed")]
    pub seed: u64,
}

const fn default_areas() -> NonZeroU32 {
    NonZeroU32::MIN.saturating_add(9)
}

fn default_compactness() -> Share {
    Share::new(0.6).unwrap_or_default()
}

const fn default_starts() -> NonZeroU32 {
    NonZeroU32::MIN.saturating_add(7)
}

const fn default_seed() -> u64 {
    1
}

impl AreasParams {
    /// This budget, and the defaults.
    pub fn new(budget: Budget) -> Self {
        Self {
            budget,
            areas: default_areas(),
            max_area: None,
            min_area: None,
            compactness: default_compactness(),
            starts: default_starts(),
            seed: default_seed(),
        }
    }

    /// What is allowed, in the unit of the budget: the budget, the least and the most per area.
    fn amounts(&self) -> Result<(f64, f64, f64), PlanError> {
        let resource = self.budget.resource();
        let amount = |name: &str, given: Option<Budget>, absent: f64| match given {
            Some(given) if given.resource() != resource => {
                Err(refused(format!("{name} is {given}, but the budget is {}", self.budget)))
            }
            Some(given) => Ok(given.amount()),
            None => Ok(absent),
        };
        let least = amount("the least of an area", self.min_area, 0.0)?;
        let most = amount("the most of an area", self.max_area, f64::INFINITY)?;
        if least > most {
            return Err(refused(format!("an area must cost {least} at least and {most} at most")));
        }
        Ok((self.budget.amount(), least, most))
    }
}

/// Zones to choose among; the columns are of one length.
#[derive(Debug, Clone, Copy)]
pub struct AreasProblem<'a> {
    /// Which zones share a side.
    pub graph: &'a Graph,
    /// Incidents in each zone, or their harm; not negative.
    pub value: &'a [f64],
    /// What each zone costs, in the unit of the budget; greater than zero.
    pub cost: &'a [f64],
    /// Its area in m².
    pub area: &'a [f64],
    /// Its centroid in metres.
    pub centroid: &'a [(f64, f64)],
    /// What districts must get, if they must.
    pub fairness: Option<Fairness<'a>>,
}

/// A least share for each district.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fairness<'a> {
    /// The district of each zone, counted from 0; one beyond the list of shares has none to get.
    pub district: &'a [u32],
    /// The least share of each district, from 0 to 1; together at most 1.
    pub least: &'a [f64],
    /// Of what.
    pub of: ShareOf,
}

/// What districts get a share of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShareOf {
    /// The value in all areas.
    Value,
    /// The budget.
    Budget,
}

/// An area of a plan.
#[derive(Debug, Clone, PartialEq)]
pub struct Area {
    /// Its zones, in order; they hang together.
    pub zones: Vec<u32>,
    /// What it catches.
    pub value: f64,
    /// What it costs.
    pub cost: f64,
    /// Its area in m².
    pub square_metres: f64,
    /// A²/(2πI): 1 for a disc.
    pub compactness: f64,
}

/// Areas within a budget.
#[derive(Debug, Clone, PartialEq)]
pub struct AreasPlan {
    /// From the one that catches most to the one that catches least.
    pub areas: Vec<Area>,
    /// The area of each zone, by position in `areas`.
    pub area: Vec<Option<u32>>,
    /// Σ value (1 − w + w C).
    pub objective: f64,
    /// What all areas catch.
    pub value: f64,
    /// What they cost.
    pub cost: f64,
    /// What they catch, as a share of all value; none where there is no value.
    pub share: Option<f64>,
    /// What zones would catch that need not hang together: by value per cost until the next does not fit. What contiguity,
    /// compactness and the other rules cost is what they leave of it.
    pub scattered: f64,
    /// No plan catches more: the same, with the part of the next zone that fits (Dantzig 1957, doi:10.1287/opre.5.2.266).
    pub bound: f64,
}

const PLAN: &str = "areas";

fn refused(why: String) -> PlanError {
    PlanError::Parameter { plan: PLAN, why }
}

/// Chooses areas. Where no zone fits into the rules there is none.
pub fn areas(problem: &AreasProblem<'_>, params: &AreasParams) -> Result<AreasPlan, PlanError> {
    let (budget, least, most) = params.amounts()?;
    check(problem)?;
    let zones = problem.graph.len();
    let (scattered, bound) = scattered(problem, budget);
    let centre = problem.centroid.iter().fold((0.0, 0.0), |sum, at| (sum.0 + at.0, sum.1 + at.1));
    let centre = (centre.0 / zones as f64, centre.1 / zones as f64);
    let zone = |at: usize| Zone {
        value: problem.value[at],
        cost: problem.cost[at],
        area: problem.area[at],
        x: problem.centroid[at].0 - centre.0,
        y: problem.centroid[at].1 - centre.1,
    };
    let rules = Rules {
        graph: problem.graph,
        zones: (0..zones).map(zone).collect(),
        budget,
        // More areas than zones there cannot be.
        areas: (params.areas.get() as usize).min(zones),
        least,
        most,
        weight: params.compactness.get(),
        shares: problem.fairness.map(|fairness| Shares {
            district: fairness.district,
            least: fairness.least,
            of_budget: fairness.of == ShareOf::Budget,
            price: match fairness.of {
                ShareOf::Value => 4.0,
                ShareOf::Budget => 4.0 * bound / budget,
            },
        }),
    };
    let promise = search::promise(&rules);
    let mut order: Vec<u32> = (0..zones as u32).collect();
    order.sort_by(|&a, &b| promise[b as usize].total_cmp(&promise[a as usize]));
    let starts = params.starts.get();
    let moves = MOVES / starts as usize;
    let found = (0..u64::from(starts))
        .into_par_iter()
        .map(|run| search::search(&rules, &promise, &order, run, params.seed, moves))
        .collect::<Vec<_>>();
    // The first of the best, so that no thread decides.
    let best = found
        .into_iter()
        .reduce(|best, other| if (other.fair, other.score) > (best.fair, best.score) { other } else { best });
    let Some(best) = best else { return Err(refused("the search needs one start at least".to_owned())) };
    let mut state = State::new(&rules);
    for (zone, &area) in (0..).zip(&best.of) {
        if area != NONE {
            state.set(zone, area);
        }
    }
    state.tidy();
    if let (Some(fairness), false) = (problem.fairness, best.fair) {
        return Err(unfair(&fairness, &state, budget));
    }
    Ok(plan(problem, &rules, &state, scattered, bound))
}

/// Moves of all starts together.
const MOVES: usize = 2_400_000;

fn check(problem: &AreasProblem<'_>) -> Result<(), PlanError> {
    let zones = problem.graph.len();
    let columns = [
        ("values", problem.value.len()),
        ("costs", problem.cost.len()),
        ("areas", problem.area.len()),
        ("centroids", problem.centroid.len()),
        ("districts", problem.fairness.map_or(zones, |fairness| fairness.district.len())),
    ];
    if let Some((name, count)) = columns.into_iter().find(|(_, count)| *count != zones) {
        return Err(refused(format!("{zones} zones have {count} {name}")));
    }
    for at in 0..zones {
        let (value, cost, area) = (problem.value[at], problem.cost[at], problem.area[at]);
        let place = problem.centroid[at];
        if !(value.is_finite() && value >= 0.0) {
            return Err(refused(format!("the value of zone {at} is {value}; it must not be negative")));
        }
        if !(cost.is_finite() && cost > 0.0) {
            return Err(refused(format!("the cost of zone {at} is {cost}; it must be greater than 0")));
        }
        if !(area.is_finite() && area > 0.0) {
            return Err(refused(format!("the area of zone {at} is {area} m²; it must be greater than 0")));
        }
        if !(place.0.is_finite() && place.1.is_finite()) {
            return Err(refused(format!("zone {at} lies nowhere: its centroid is no place")));
        }
    }
    if let Some(fairness) = problem.fairness {
        if let Some(least) = fairness.least.iter().find(|least| !(0.0..=1.0).contains(*least)) {
            return Err(refused(format!("the least share of a district is {least}; it must be from 0 to 1")));
        }
        let sum: f64 = fairness.least.iter().sum();
        if sum > 1.0 + 1e-9 {
            return Err(refused(format!(
                "the least shares of the districts add up to {sum}; that is more than 1"
            )));
        }
    }
    Ok(())
}

/// What zones catch one by one, by value per cost: those that fit before the first that does not, and with the part of it that fits.
fn scattered(problem: &AreasProblem<'_>, budget: f64) -> (f64, f64) {
    let mut order: Vec<usize> = (0..problem.graph.len()).collect();
    let rate = |at: usize| problem.value[at] / problem.cost[at];
    order.sort_by(|&a, &b| rate(b).total_cmp(&rate(a)));
    let (mut value, mut spent) = (0.0, 0.0);
    let allowed = budget * (1.0 + 1e-9);
    for at in order {
        if spent + problem.cost[at] > allowed {
            return (value, value + rate(at) * (allowed - spent));
        }
        spent += problem.cost[at];
        value += problem.value[at];
    }
    (value, value)
}

/// Which district gets too little in the best plan found, and what would do.
fn unfair(fairness: &Fairness<'_>, state: &State<'_>, budget: f64) -> PlanError {
    let of = match fairness.of {
        ShareOf::Value => "the value caught",
        ShareOf::Budget => "the budget",
    };
    let whole = match fairness.of {
        ShareOf::Value => state.sums.iter().map(|sums| sums.value).sum::<f64>(),
        ShareOf::Budget => budget,
    };
    let shares = fairness.least.iter().zip(state.got()).zip(state.short());
    let short: Vec<String> = shares
        .enumerate()
        .filter(|(_, (_, short))| *short > 0.0)
        .map(|(district, ((least, got), _))| {
            let got = if whole > 0.0 { got / whole } else { 0.0 };
            format!(
                "district {district} gets {:.1} % of {of} where {:.1} % are asked for",
                100.0 * got,
                100.0 * least
            )
        })
        .collect();
    PlanError::Infeasible {
        plan: PLAN,
        constraint: short.join("; "),
        change: "ask for no more than these shares, for smaller or for more areas, or give a larger budget"
            .to_owned(),
    }
}

fn plan(
    problem: &AreasProblem<'_>,
    rules: &Rules<'_>,
    state: &State<'_>,
    scattered: f64,
    bound: f64,
) -> AreasPlan {
    let mut areas: Vec<Area> = Vec::new();
    for members in state.members.iter().filter(|members| !members.is_empty()) {
        let mut zones = members.clone();
        zones.sort_unstable();
        let mut sums = Sums::default();
        zones.iter().for_each(|&zone| sums.add(&rules.zones[zone as usize], 1.0));
        let compactness = sums.compactness();
        areas.push(Area { zones, value: sums.value, cost: sums.cost, square_metres: sums.area, compactness });
    }
    areas.sort_by(|a, b| b.value.total_cmp(&a.value).then_with(|| a.zones.cmp(&b.zones)));
    let mut area = vec![None; problem.graph.len()];
    for (at, known) in (0..).zip(&areas) {
        known.zones.iter().for_each(|&zone| area[zone as usize] = Some(at));
    }
    let value: f64 = areas.iter().map(|area| area.value).sum();
    let all: f64 = problem.value.iter().sum();
    let worth = |area: &Area| area.value * (1.0 - rules.weight + rules.weight * area.compactness);
    AreasPlan {
        objective: areas.iter().map(worth).sum(),
        value,
        cost: areas.iter().map(|area| area.cost).sum(),
        share: (all > 0.0).then(|| value / all),
        scattered,
        bound,
        areas,
        area,
    }
}
