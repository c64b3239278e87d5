//! Is a cluster more than chance makes? The same clustering of worlds made by chance says what to expect.
//!
//! # Chance
//! Without a background the incidents are spread independently and evenly over the study area (complete spatial randomness),
//! holes left out; each keeps its weight and its time. With a background the cases are drawn anew, without replacement, from
//! cases and background together (random labelling, as in Cuzick & Edwards 1990): places, stacks and times stay what they are.
//!
//! # The statistic
//! The region of a cluster is the concave outline around its places, whatever is drawn. Chance expects in it the weight e: the total
//! weight C times the region's share of the study area, or of the background's weight. A cluster of weight c > e scores
//! Λ = c ln(c/e) + (C − c) ln((C − c)/(C − e)), the Poisson likelihood ratio of Kulldorff 1997
//! (doi:10.1080/03610929708831995), so that a small, sharp cluster and a wide, faint one are measured alike; else 0.
//! p = (M + 1)/(R + 1), where M of R worlds hold a cluster with at least that Λ (Dwass 1957; Barnard 1963). Whatever the
//! way of clustering, the strongest cluster of a world of chance has p ≤ α in at most a share α of such worlds, so p holds for all
//! clusters of a map together. A region that reaches over the border is not cut: e is then too large, alike in all worlds.
//!
//! # Often misunderstood
//! Chance alone puts no two incidents on one place, and no city is even: against evenness the whole centre is significant, and
//! so is each stack of geocodes. The background of what else is reported there is the question most people have.

use std::fmt;
use std::str::FromStr;

use brasa_model::{Excess, Incidents, Note, Window, WindowOrigin};
use geo::{Area, Coord, MultiPolygon, Polygon};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::clusters::{ClusterParams, Grouping};
use crate::selection::{Selection, kinds_there_are};
use crate::shape::concave;
use crate::{AnalysisError, Sites, Watch};
use brasa_model::Chance;
use brasa_model::as_text;

/// What chance draws the cases from, besides the cases themselves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Background {
    /// All incidents.
    All,
    /// These.
    These(Selection),
}

impl Background {
    fn of(&self, incidents: &Incidents) -> Result<Vec<Option<bool>>, AnalysisError> {
        match self {
            Self::All => Ok(vec![Some(true); incidents.len()]),
            Self::These(selection) => selection.of(incidents),
        }
    }
}

/// Where a cluster lies and what it weighs.
pub(crate) struct Region {
    /// Its concave outline.
    pub outline: Polygon<f64>,
    weight: f64,
}

impl Region {
    pub(crate) fn new(places: &[Coord<f64>], weight: f64, margin: f64) -> Self {
        Self { outline: concave(places, margin), weight }
    }
}

/// What chance would make of the incidents.
pub(crate) struct Null {
    /// The incidents that are clustered.
    pub cases: Incidents,
    /// Where each of them stands among all.
    pub positions: Vec<usize>,
    /// Cases and background together, in an order that does not depend on that of the rows.
    pool: Option<Pool>,
    /// The cases in such an order.
    ordered: Incidents,
    simulations: u32,
    seed: u64,
}

struct Pool {
    incidents: Incidents,
    sites: Sites,
}

impl Null {
    pub(crate) fn new(
        incidents: &Incidents,
        params: &ClusterParams,
    ) -> Result<(Self, Vec<Note>), AnalysisError> {
        let mut notes = Vec::new();
        let chosen = match &params.cases {
            Some(selection) => selection.of(incidents)?,
            None => vec![Some(true); incidents.len()],
        };
        let is_case = |at: usize| chosen[at] == Some(true);
        let positions: Vec<usize> = (0..incidents.len()).filter(|&at| is_case(at)).collect();
        let pool = match (&params.background, &params.cases) {
            (None, _) => None,
            (Some(_), None) => {
                return Err(AnalysisError::NothingSelected {
                    why: "a background has nothing to be compared with: no cases are chosen".to_owned(),
                    help: Some(
                        "--cases kind=HOMICIDE or the like says which incidents are clustered".to_owned(),
                    ),
                });
            }
            (Some(background), Some(_)) => {
                let others = background.of(incidents)?;
                let known = |at: &usize| chosen[*at].is_some();
                let pool: Vec<usize> = (0..incidents.len())
                    .filter(known)
                    .filter(|&at| is_case(at) || others[at] == Some(true))
                    .collect();
                if pool.len() == positions.len() {
                    return Err(AnalysisError::NothingSelected {
                        why: "the background holds nothing but the cases".to_owned(),
                        help: kinds_there_are(incidents),
                    });
                }
                let incidents = in_order(&incidents.only(&pool));
                Some(Pool { sites: Sites::new(&incidents), incidents })
            }
        };
        if let Some(selection) = &params.cases {
            if positions.is_empty() {
                return Err(AnalysisError::NothingSelected {
                    why: format!(
                        "no incident is a case: {} chooses none of {}",
                        String::from(selection.clone()),
                        incidents.len()
                    ),
                    help: kinds_there_are(incidents),
                });
            }
            let of = pool.as_ref().map_or(incidents.len(), |pool| pool.incidents.len());
            notes.push(
                Note::new(
                    "cases_clustered",
                    format!("{} cases of {of} incidents are clustered", positions.len()),
                )
                .value(json!([positions.len(), of]), "incidents"),
            );
            let unknown = chosen.iter().filter(|case| case.is_none()).count();
            if unknown > 0 {
                notes.push(
                    Note::new(
                        "no_time",
                        format!("{unknown} incidents without a known time are neither cases nor background"),
                    )
                    .value(unknown as u64, "incidents"),
                );
            }
        }
        let cases = if params.cases.is_some() { incidents.only(&positions) } else { incidents.clone() };
        let ordered =
            if params.simulations > 0 && pool.is_none() { in_order(&cases) } else { cases.only(&[]) };
        let (simulations, seed) = (params.simulations, params.seed);
        Ok((Self { cases, positions, pool, ordered, simulations, seed }, notes))
    }

    /// How each region compares with chance; what was done is noted.
    pub(crate) fn excess(
        &self,
        regions: &[Region],
        total: f64,
        group: &(impl Fn(&Incidents, &Watch) -> Result<Grouping, AnalysisError> + Sync),
        watch: &Watch,
        notes: &mut Vec<Note>,
    ) -> Result<Vec<Excess>, AnalysisError> {
        let scored: Vec<(f64, f64)> = regions.par_iter().map(|region| self.score(region, total)).collect();
        let phase = watch.phase("simulations", u64::from(self.simulations));
        let worlds: Vec<(f64, usize)> = (1..=u64::from(self.simulations))
            .into_par_iter()
            .map(|replicate| {
                let world = self.world(replicate);
                let found = group(&world, &Watch::NOBODY)?;
                let (total, regions) = (found.sites.total_weight(), found.regions());
                let strongest = regions.iter().map(|region| self.score(region, total).1).fold(0.0, f64::max);
                phase.advance(1)?;
                Ok((strongest, regions.len()))
            })
            .collect::<Result<_, AnalysisError>>()?;
        // Where nothing was found and no chance asked for, there is nothing to say.
        if !(regions.is_empty() && worlds.is_empty()) {
            notes.push(self.note(&worlds));
        }
        let p = |llr: f64| {
            let as_strong = worlds.iter().filter(|(strongest, _)| *strongest >= llr).count();
            (as_strong + 1) as f64 / (worlds.len() + 1) as f64
        };
        let told = |&(expected, llr): &(f64, f64)| Excess {
            expected,
            llr,
            p: (self.simulations > 0).then(|| p(llr)),
        };
        Ok(scored.iter().map(told).collect())
    }

    /// The weight that chance expects in a region, and how far its own weight is above it.
    fn score(&self, region: &Region, total: f64) -> (f64, f64) {
        let share = match &self.pool {
            None => region.outline.unsigned_area() / (self.cases.window.area_km2() * 1e6),
            Some(pool) => pool.share_within(&region.outline),
        };
        let expected = total * share.min(1.0);
        (expected, likelihood_ratio(region.weight, expected, total))
    }

    /// The incidents as chance would have them.
    fn world(&self, replicate: u64) -> Incidents {
        let mut chance = Chance::new(self.seed, replicate);
        if let Some(pool) = &self.pool {
            let taken = chance.choose(self.cases.len(), pool.incidents.len());
            let taken: Vec<usize> = (0..taken.len()).filter(|&at| taken[at]).collect();
            return pool.incidents.only(&taken);
        }
        let mut world = self.ordered.clone();
        for at in 0..world.len() {
            (world.x[at], world.y[at]) = chance.place(&world.window);
        }
        world
    }

    fn note(&self, worlds: &[(f64, usize)]) -> Note {
        let against = match &self.pool {
            None => "evenly spread over the study area",
            Some(_) => "drawn anew from cases and background",
        };
        if worlds.is_empty() {
            return Note::new("significance_not_tested", "whether a cluster is more than chance was not tested")
                .reason(format!(
                    "--simulations 99 clusters 99 worlds of chance, with the incidents {against}, and gives each cluster its p"
                ));
        }
        let mut counts: Vec<usize> = worlds.iter().map(|(_, count)| *count).collect();
        counts.sort_unstable();
        let at = |share: usize| counts[(counts.len() * share / 40).min(counts.len() - 1)];
        let reason = match &self.pool {
            None => {
                "no city is even and chance stacks nothing: against this most centres are significant; --cases with --background all asks whether the cases gather more than all incidents do"
            }
            Some(_) => {
                "p holds for all clusters together: the strongest cluster of each world is what counts"
            }
        };
        Note::new(
            "significance_tested",
            format!(
                "p from {} worlds of chance with the incidents {against}; they hold {} to {} clusters (19 in 20 of them)",
                worlds.len(),
                at(1),
                at(39)
            ),
        )
        .value(worlds.len() as u64, "simulations")
        .reason(reason)
    }
}

impl Pool {
    /// The share of the pool's weight that lies in an outline.
    fn share_within(&self, outline: &Polygon<f64>) -> f64 {
        let Ok(area) =
            Window::of_disjoint(MultiPolygon::new(vec![outline.clone()]), WindowOrigin::Given(String::new()))
        else {
            return 0.0;
        };
        let (low, high) = (area.bounds().min(), area.bounds().max());
        let rows = self.sites.rows_within(f64::midpoint(low.y, high.y), (high.y - low.y) / 2.0);
        let (x, weight) = (&self.sites.x, &self.sites.weight);
        let inside = rows.filter(|&site| {
            (low.x..=high.x).contains(&x[site]) && area.contains(x[site], self.sites.y[site])
        });
        inside.map(|site| weight[site]).sum::<f64>() / self.sites.total_weight()
    }
}

/// Λ of a weight where another was expected, of so much in all; 0 where it is no more than expected.
fn likelihood_ratio(weight: f64, expected: f64, total: f64) -> f64 {
    if !(weight > expected && expected > 0.0) {
        return 0.0;
    }
    let rest = total - weight;
    let outside = if rest > 0.0 { rest * libm::log(rest / (total - expected)) } else { 0.0 };
    (weight * libm::log(weight / expected) + outside).max(0.0)
}

/// The incidents from south to north, then west to east, by weight and by time: chance takes them in this order, so that it does
/// not depend on that of the rows.
fn in_order(incidents: &Incidents) -> Incidents {
    let time = |at: usize| {
        incidents.times.as_ref().and_then(|times| times.intervals()[at]).map(|time| (time.start, time.end))
    };
    let mut order: Vec<usize> = (0..incidents.len()).collect();
    order.sort_by(|&a, &b| {
        let coordinate = |values: &[f64]| (values[a] + 0.0).total_cmp(&(values[b] + 0.0));
        coordinate(&incidents.y)
            .then(coordinate(&incidents.x))
            .then(incidents.weight_of(a).total_cmp(&incidents.weight_of(b)))
            .then(time(a).cmp(&time(b)))
    });
    incidents.only(&order)
}

impl FromStr for Background {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.trim() == "all" {
            return Ok(Self::All);
        }
        text.parse().map(Self::These).map_err(|why: String| format!("{why}, or all"))
    }
}

impl fmt::Display for Background {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all"),
            Self::These(selection) => selection.fmt(f),
        }
    }
}

as_text!(Background, "all|SELECTION", "examples": ["all", "kind=ROBBERY"]);
