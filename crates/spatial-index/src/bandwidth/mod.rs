//! Rules that choose how far a kernel reaches, each a function with its name from the literature.
//!
//! Every rule answers with σ, the standard deviation on one axis, in the unit of the coordinates; a kernel's own radius
//! follows from [`Kernel::radius_of_deviation`](crate::kernels::Kernel::radius_of_deviation). Closed forms
//! ([`scott`], [`silverman`], [`terrell_oversmooth`]) read the spread alone and believe in a city with one centre;
//! criteria ([`diggle`], [`ppl`], [`lscv`], [`cvl`]) try many σ and read the pattern.
//!
//! # Stacks
//! Geocoded data put many incidents on one coordinate. To leave one of them out of its own density while its neighbours
//! at distance zero stay in makes every criterion of the leave-one-out kind run off to σ → 0. Here a stack is one event of
//! its weight ([`Stacks::Together`]): the whole place is left out, and incidents at one place are no pair. Without
//! stacks nothing changes. [`Stacks::Apart`] is what tools compute that know incidents only; it is here for comparison.
//!
//! # The search
//! [`ppl`] and [`cvl`] try 16 values in geometric steps, from the least distance between two places to half the diameter
//! of the study area: spatstat's grid, so that the answers are the same numbers. Where that puts two values more
//! than √2 apart (real data: places centimetres apart in a city of 40 km), more values are tried, and 30 more
//! around the best, which then is known to 5 %. [`lscv`] always does the latter. A best value at the end of the range is no
//! optimum: [`Selection::limit`] says so, and so does a note.

mod campbell;
mod closed_forms;
mod least_squares;
mod likelihood;
mod mean_square;

use std::fmt;
use std::str::FromStr;

use brasa_model::{Note, Window};
use geo::{ConvexHull, Coord};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::at_places::least_distance;
use crate::watch::Phase;
use crate::{AnalysisError, Sites, Watch};
use brasa_model::as_text;

pub use crate::k_function::Stacks;
pub use campbell::cvl;
pub use closed_forms::{robust_spread, scott, scott_axes, silverman, terrell_oversmooth};
pub use least_squares::lscv;
pub use likelihood::ppl;
pub use mean_square::diggle;

/// A rule for the bandwidth, by the name it has in the literature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Rule {
    /// [`scott`].
    Scott,
    /// [`silverman`].
    Silverman,
    /// [`terrell_oversmooth`].
    TerrellOversmooth,
    /// [`diggle`].
    Diggle,
    /// [`ppl`].
    Ppl,
    /// [`lscv`].
    Lscv,
    /// [`cvl`].
    Cvl,
}

impl Rule {
    /// Every rule.
    pub const ALL: [Self; 7] = [
        Self::Scott,
        Self::Silverman,
        Self::TerrellOversmooth,
        Self::Diggle,
        Self::Ppl,
        Self::Lscv,
        Self::Cvl,
    ];

    /// Its word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Scott => "scott",
            Self::Silverman => "silverman",
            Self::TerrellOversmooth => "terrell-oversmooth",
            Self::Diggle => "diggle",
            Self::Ppl => "ppl",
            Self::Lscv => "lscv",
            Self::Cvl => "cvl",
        }
    }

    /// What it is, where it comes from, and what to expect of it: a sentence for a note.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Scott => {
                "Scott's rule (1992): the spread shrunk by n^(-1/6), as for one round city; it smooths a city with several centres more than a map of hotspots wants"
            }
            Self::Silverman => {
                "Silverman's rule (1986): Scott's with a spread that a few far places do not stretch; it still takes the city for one round cloud"
            }
            Self::TerrellOversmooth => {
                "Terrell's oversmoothing rule (1990): the widest that any pattern of this spread can want; what is still a peak under it is one"
            }
            Self::Diggle => {
                "least mean square error for a clustered pattern (Berman & Diggle 1989); it often follows small clusters closely"
            }
            Self::Ppl => {
                "each place is foretold best by the others (likelihood cross-validation, Loader 1999)"
            }
            Self::Lscv => {
                "least integrated square error, each place left out in turn (least squares cross-validation, Bowman 1984)"
            }
            Self::Cvl => {
                "the sum of 1/density over the incidents is the study area's own area (Cronie & van Lieshout 2018); it often smooths much"
            }
        }
    }

    /// The bandwidth that the rule chooses for these places in this window.
    ///
    /// # Errors
    /// [`AnalysisError::RuleFailed`] with the reason, when the places give the rule nothing to go by, or are more than
    /// [`MOST_SITES`] and the rule compares all of them.
    pub fn select(self, sites: &Sites, window: &Window, watch: &Watch) -> Result<Selection, AnalysisError> {
        match self {
            Self::Scott => scott(sites),
            Self::Silverman => silverman(sites),
            Self::TerrellOversmooth => terrell_oversmooth(sites),
            Self::Diggle => diggle(sites, window, Stacks::Together, watch),
            Self::Ppl => ppl(sites, window, Stacks::Together, watch),
            Self::Lscv => lscv(sites, window, watch),
            Self::Cvl => cvl(sites, window, watch),
        }
    }

    fn failed(self, why: impl Into<String>) -> AnalysisError {
        AnalysisError::RuleFailed { rule: self.word(), what: "bandwidth", why: why.into() }
    }
}

impl FromStr for Rule {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|rule| rule.word() == text.trim())
            .ok_or_else(|| format!("\"{text}\" is not a rule: {}", Self::ALL.map(Self::word).join(", ")))
    }
}

as_text!(Rule, "RULE", "enum": Self::ALL.map(Self::word));

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// The end of the range at which a search stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// A smaller σ might be better.
    Least,
    /// A larger σ might be better.
    Most,
}

/// What a rule chose, and what it looked at.
#[derive(Debug, Clone, PartialEq)]
pub struct Selection {
    /// The rule.
    pub rule: Rule,
    /// The standard deviation on one axis.
    pub sigma: f64,
    /// The values that were tried, ascending; a closed form tries none.
    pub tried: Vec<f64>,
    /// The criterion at each; −∞ or ∞ where it is out of the question.
    pub criterion: Vec<f64>,
    /// Where among them the best is.
    pub best: Option<usize>,
    /// Set when the best lies at an end of the range: then it is the range that decided.
    pub limit: Option<Limit>,
}

/// How many steps of a criterion are kept in the provenance of a map.
const SAMPLED: usize = 64;

impl Selection {
    /// The answer of a closed form.
    fn closed(rule: Rule, sigma: f64) -> Result<Self, AnalysisError> {
        if sigma.is_finite() && sigma > 0.0 {
            Ok(Self { rule, sigma, tried: Vec::new(), criterion: Vec::new(), best: None, limit: None })
        } else {
            Err(rule.failed("all incidents are in one place"))
        }
    }

    /// The best of what was tried.
    fn of(rule: Rule, best: Best, tried: Vec<f64>, criterion: Vec<f64>) -> Result<Self, AnalysisError> {
        let at = best.of(&criterion).ok_or_else(|| {
            rule.failed("at every bandwidth tried some place has no other within the kernel's reach")
        })?;
        let limit = if at + 1 == tried.len() { Some(Limit::Most) } else { (at == 0).then_some(Limit::Least) };
        Ok(Self { rule, sigma: tried[at], tried, criterion, best: Some(at), limit })
    }

    /// The warning that the search ended at its limit.
    pub fn note(&self) -> Option<Note> {
        let limit = self.limit?;
        let (end, word) = match limit {
            Limit::Least => ("least", "smaller"),
            Limit::Most => ("largest", "larger"),
        };
        Some(
            Note::new(
                "bandwidth_at_limit",
                format!(
                    "{} found no optimum: its best is the {end} deviation it tried, {:.4} m",
                    self.rule, self.sigma
                ),
            )
            .value(self.sigma, "m")
            .reason(format!(
                "the criterion still improves towards {word} ones, as it does for a pattern that is even, or too small to tell; take another rule or a length"
            )),
        )
    }

    /// The rule, σ and the criterion, thinned out to some 64 steps: what the provenance of a map keeps.
    pub fn record(&self) -> Value {
        let stride = self.tried.len().div_ceil(SAMPLED).max(1);
        let kept: Vec<usize> =
            (0..self.tried.len()).filter(|&at| at % stride == 0 || Some(at) == self.best).collect();
        let pick = |values: &[f64]| -> Vec<Option<f64>> {
            kept.iter().map(|&at| values[at].is_finite().then_some(values[at])).collect()
        };
        json!({
            "rule": self.rule,
            "sigma_m": self.sigma,
            "at_limit": self.limit.is_some(),
            "tried_m": pick(&self.tried),
            "criterion": pick(&self.criterion),
        })
    }
}

/// Whether a criterion is to be small or large.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Best {
    Least,
    Most,
}

impl Best {
    /// The first of the best finite values.
    fn of(self, values: &[f64]) -> Option<usize> {
        let better = |value: f64, than: f64| match self {
            Self::Least => value < than,
            Self::Most => value > than,
        };
        let mut found: Option<usize> = None;
        for (at, &value) in values.iter().enumerate() {
            if value.is_finite() && found.is_none_or(|best| better(value, values[best])) {
                found = Some(at);
            }
        }
        found
    }
}

/// The most places that rules compare with one another: a search takes minutes.
pub const MOST_SITES: usize = 1_000_000;

/// How many values are tried.
const STEPS: usize = 16;
/// Values tried on each side of the best, where the first ones lie too far apart.
const FINER: usize = 15;

/// Whether a search looks closer around the best.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Finer {
    /// Where 16 steps do not cover the range closely.
    WhenCoarse,
    /// Always.
    Always,
}

/// Enough places to compare, and not too many.
fn comparable(rule: Rule, sites: &Sites) -> Result<(), AnalysisError> {
    match sites.len() {
        0 | 1 if sites.count.iter().sum::<u32>() > 1 => Err(rule.failed("all incidents are in one place")),
        0 | 1 => Err(rule.failed("there are fewer than two incidents")),
        n if n > MOST_SITES => Err(rule.failed(format!(
            "{n} places are more than the {MOST_SITES} that it can compare in minutes; take scott, silverman or terrell-oversmooth, or fewer incidents (--only, --since)"
        ))),
        _ => Ok(()),
    }
}

/// The search over σ that [`ppl`], [`lscv`] and [`cvl`] share; see the module's page.
fn search(
    rule: Rule,
    sites: &Sites,
    window: &Window,
    best: Best,
    finer: Finer,
    watch: &Watch,
    criterion: impl Fn(f64, &Phase) -> Result<f64, AnalysisError>,
) -> Result<Selection, AnalysisError> {
    comparable(rule, sites)?;
    let most = diameter(window) / 2.0;
    let least = least_distance(sites).ok_or_else(|| rule.failed("there are fewer than two places"))?;
    if least >= most {
        return Err(rule.failed(format!(
            "the two nearest places are {least:.0} m apart, which is more than half the study area's diameter: there is no range to search"
        )));
    }
    let enough = (libm::log(most / least) / (0.5 * std::f64::consts::LN_2)).ceil() as usize + 1;
    let steps = enough.max(STEPS);
    let phase = watch.phase("bandwidths tried", (steps + 2 * FINER) as u64);
    let values_at = |tried: &[f64]| -> Result<Vec<f64>, AnalysisError> {
        let value =
            |&sigma: &f64| criterion(sigma, &phase).and_then(|value| phase.advance(1).map(|()| value));
        tried.iter().map(value).collect()
    };
    let mut tried = geometric(least, most, steps);
    let mut values = values_at(&tried)?;
    if let Some(at) = best.of(&values).filter(|_| finer == Finer::Always || steps > STEPS) {
        // From the right, so that positions to the left stay what they are.
        for left in [at, at.wrapping_sub(1)] {
            if left < steps && left + 1 < steps {
                let between = geometric(tried[left], tried[left + 1], FINER + 2);
                let between = &between[1..=FINER];
                let found = values_at(between)?;
                tried.splice(left + 1..left + 1, between.iter().copied());
                values.splice(left + 1..left + 1, found);
            }
        }
    }
    Selection::of(rule, best, tried, values)
}

/// The largest distance between two places of the window: between two corners of its convex hull.
fn diameter(window: &Window) -> f64 {
    let hull = window.polygons().convex_hull();
    let corners = &hull.exterior().0;
    let farthest = |(at, a): (usize, &Coord<f64>)| {
        let apart = |b: &Coord<f64>| (a.x - b.x) * (a.x - b.x) + (a.y - b.y) * (a.y - b.y);
        corners[at..].iter().map(apart).fold(0.0, f64::max)
    };
    corners.iter().enumerate().map(farthest).fold(0.0, f64::max).sqrt()
}

/// `steps` values from `low` to `high`, each the same times the one before.
fn geometric(low: f64, high: f64, steps: usize) -> Vec<f64> {
    let last = steps - 1;
    (0..steps)
        .map(|at| match at {
            0 => low,
            at if at == last => high,
            at => low * libm::pow(high / low, at as f64 / last as f64),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_read_by_its_word() {
        for rule in Rule::ALL {
            assert_eq!(rule.word().parse::<Rule>().unwrap(), rule);
        }
        assert!("bcv".parse::<Rule>().unwrap_err().contains("terrell-oversmooth"));
    }

    #[test]
    fn the_best_is_the_first_of_the_finite_ones() {
        let values = [f64::NEG_INFINITY, f64::NAN, 1.0, 2.0, 2.0, f64::INFINITY];
        assert_eq!((Best::Most.of(&values), Best::Least.of(&values)), (Some(3), Some(2)));
        assert_eq!(Best::Most.of(&[f64::NAN]), None);
    }
}
