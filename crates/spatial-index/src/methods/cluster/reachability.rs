//! The reachability plot of OPTICS: density along an order in which neighbours follow one another.
//!
//! # Question
//! At which distances do the incidents fall into groups, and into how many?
//!
//! # Definition
//! The plot from which `optics` takes its clusters, defined there: over the number of incidents before it in the order, how far
//! an incident had to be reached for, and its core distance. A stack makes two steps, the first of its incidents and all others.
//! Each of 1000 equal stretches of steps keeps its highest and its lowest one; a plot of at most 2000 steps is whole.
//! A distance that is infinite is not known: that at which an order begins, and a core distance beyond `max-eps`.
//!
//! # Reference
//! Ankerst, Breunig, Kriegel & Sander 1999, doi:10.1145/304181.304187, section 3.
//!
//! # Agrees with
//! scikit-learn on discs of unlike density, rows given from the densest place (`tests/tests/optics.rs`).
//!
//! # Differs from
//! Tools that begin at the first row: the same valleys come in another order.
//!
//! # Units
//! Incidents (sums of weights, where there are weights); metres.
//!
//! # Cost
//! As `optics`.
//!
//! # Often misunderstood
//! A valley is a group, a peak is not a place: it is the way from one group to the next. Neighbours along the axis are not always
//! neighbours on the map. A line across the plot at some height cuts off the clusters of `dbscan` with that `eps`.

use std::num::NonZeroU32;

use brasa_model::{Curve, Incidents, Metres, Note, Provenance, Role, Series};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::cores::default_min_points;
use crate::ordering::{Step, ordering};
use crate::{About, AnalysisError, Sites, Watch};

/// What a reader of the catalogue learns.
pub const ABOUT: About = About {
    question: "At which distances do the incidents fall into groups, and into how many?",
    reference: "Ankerst, Breunig, Kriegel & Sander 1999, doi:10.1145/304181.304187",
    units: "m",
    cost: "near-linear in places",
};

/// Parameters of [`reachability`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct ReachabilityParams {
    /// Incidents, its own included, that a place must reach to be dense; more smooths more
    pub min_points: NonZeroU32,
    /// Distance beyond which nobody is reached; without it, there is none
    pub max_eps: Option<Metres>,
}

impl Default for ReachabilityParams {
    fn default() -> Self {
        Self { min_points: default_min_points(), max_eps: None }
    }
}

/// Stretches of which the highest and the lowest step are kept.
const STRETCHES: usize = 1000;

/// The reachability plot of `incidents`.
pub fn reachability(
    incidents: &Incidents,
    params: &ReachabilityParams,
    watch: &Watch,
) -> Result<Curve, AnalysisError> {
    if incidents.is_empty() {
        return Err(AnalysisError::NoIncidents);
    }
    let least = params.min_points;
    let limit = params.max_eps.map_or(f64::INFINITY, Metres::get);
    let steps = ordering(&Sites::new(incidents), f64::from(least.get()), limit, watch)?;
    let mut before = Vec::with_capacity(steps.len());
    let mut sum = 0.0;
    for step in &steps {
        before.push(sum);
        sum += step.weight;
    }
    let kept = extremes(&steps);
    let known = |value: f64| if value.is_finite() { value } else { f64::NAN };
    let column = |value: fn(&Step) -> f64| kept.iter().map(|&at| known(value(&steps[at]))).collect();
    let mut notes = Vec::new();
    if kept.len() < steps.len() {
        let text = format!("{} of {} steps are kept", kept.len(), steps.len());
        notes.push(
            Note::new("plot_thinned", text).reason("the highest and the lowest of each of 1000 stretches"),
        );
    }
    Ok(Curve {
        title: format!("Reachability by {least} points"),
        x: Series::new(
            "before",
            "Incidents before it in the order",
            "incidents",
            kept.iter().map(|&at| before[at]).collect(),
        ),
        y: vec![
            Series::new("reachability_m", "Reachability distance", "m", column(|step| step.reach)),
            Series::new("core_distance_m", "Core distance", "m", column(|step| step.core)).role(Role::Table),
        ],
        optimum: None,
        provenance: Provenance::new(
            "reachability",
            json!({ "min_points": least, "max_eps": params.max_eps }),
        ),
        notes,
    })
}

/// The steps to keep, in order: the highest and the lowest of each stretch, the first of equals.
fn extremes(steps: &[Step]) -> Vec<usize> {
    if steps.len() <= 2 * STRETCHES {
        return (0..steps.len()).collect();
    }
    let mut kept = Vec::with_capacity(2 * STRETCHES);
    for stretch in 0..STRETCHES {
        let range = stretch * steps.len() / STRETCHES..(stretch + 1) * steps.len() / STRETCHES;
        let (mut low, mut high) = (range.start, range.start);
        for at in range {
            if steps[at].reach < steps[low].reach {
                low = at;
            }
            if steps[at].reach > steps[high].reach {
                high = at;
            }
        }
        kept.push(low.min(high));
        if low != high {
            kept.push(low.max(high));
        }
    }
    kept
}
