//! The nearest-neighbour index: are incidents nearer to one another than chance would have them?
//!
//! # Question
//! Are incidents nearer to one another than chance would have them?
//!
//! # Definition
//! For each order k up to `orders`: the mean distance from an incident to its k-th nearest other incident, and the distance that n
//! incidents spread evenly over the area A of the window expect, E = Γ(k+½) / ((k−1)! √π) · √(A/n), which is ½√(A/n) for the nearest. Their ratio
//! is below 1 where incidents gather, above 1 where they keep apart. z = (mean − E)/SE with SE = 0.26136/√(n²/A) for the nearest, as Clark
//! and Evans print it, and √((kA/(πn) − E²)/n) for further ones; p is two-sided under the normal law.
//!
//! For the nearest, two ratios that make up for the border: `donnelly` expects ½√(A/n) + (0.0514 + 0.0412/√n) P/n for a perimeter P and is known for
//! rectangles only; `cdf` takes the mean from the Kaplan-Meier estimate of the distribution, in which a distance beyond the border is known only to
//! be larger than that to the border.
//!
//! # Reference
//! Clark & Evans 1954, doi:10.2307/1931034; Thompson 1956, Ecology 37, 391-394, for the orders; Donnelly 1978, in Hodder (ed.), Simulation studies in
//! archaeology; Baddeley & Gill 1997, doi:10.1214/aos/1034276629, for the distribution.
//!
//! # Agrees with
//! spatstat's `clarkevans` and `nndist` on redwood, its `cdf` on japanesepines too, and three cities (`tests/pattern.rs`).
//!
//! # Differs from
//! Tools that take the bounding box or the hull of the incidents for the area: here it is the study area, and the note says how large. spatstat's `cdf`
//! first rounds distances down to a 512th of the largest.
//!
//! # Units
//! Metres; ratios, z and p are plain numbers.
//!
//! # Cost
//! Incidents × log incidents × orders.
//!
//! # Often misunderstood
//! The index follows the area: empty land around a city makes any pattern look clustered. Incidents of one place are at distance zero from one
//! another, so that a geocoder alone can bring the index far below 1. And distances of neighbours depend on one another: read z of the further orders as a guide.

use std::num::NonZeroU32;

use brasa_model::{Curve, Incidents, Note, Provenance, Role, Series};
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::at_places::Border;
use crate::pairs::Strips;
use crate::significance::two_sided_p;
use crate::{About, AnalysisError, Sites, Watch};

/// What a reader of the catalogue learns.
pub const ABOUT: About = About {
    question: "Are incidents nearer to one another than chance would have them?",
    reference: "Clark & Evans 1954, doi:10.2307/1931034",
    units: "ratio of distances",
    cost: "incidents × log incidents × orders",
};

/// Parameters of [`nearest_neighbour`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct NearestNeighbourParams {
    /// Neighbours looked at, from the nearest on
    pub orders: NonZeroU32,
}

impl Default for NearestNeighbourParams {
    fn default() -> Self {
        Self { orders: NonZeroU32::MIN }
    }
}

/// The most orders: further neighbours say nothing that `ripley-k` does not say better.
const MOST_ORDERS: u32 = 100;

/// √((4 − π)/4π), as Clark & Evans print it.
const CLARK_EVANS: f64 = 0.26136;

/// Observed and expected distance, their ratio, z and p over the order of the neighbour.
pub fn nearest_neighbour(
    incidents: &Incidents,
    params: &NearestNeighbourParams,
    _: &Watch,
) -> Result<Curve, AnalysisError> {
    let method = "nearest-neighbour";
    let orders = params.orders.get();
    if orders > MOST_ORDERS {
        let why = format!("--orders {orders} is too many: at most {MOST_ORDERS}");
        return Err(AnalysisError::Parameter { method, why });
    }
    let least = orders as usize + 1;
    if incidents.len() < least {
        return Err(AnalysisError::TooFew { method, least, found: incidents.len() });
    }
    let sites = Sites::new(incidents);
    let window = &incidents.window;
    let (n, area) = (incidents.len() as f64, window.area_km2() * 1e6);
    let spacing = (area / n).sqrt();
    let distances = distances(&sites, orders as usize, spacing);
    let mut columns = [const { Vec::new() }; 7];
    // Γ(k+½) / ((k−1)! √π), from k = 1.
    let mut expected_spacings = 0.5;
    for order in 0..orders as usize {
        let k = (order + 1) as f64;
        let mean =
            distances.iter().zip(&sites.count).map(|(of, &count)| of[order] * f64::from(count)).sum::<f64>()
                / n;
        let expected = expected_spacings * spacing;
        let variance = k / std::f64::consts::PI - expected_spacings * expected_spacings;
        let error = if order == 0 { CLARK_EVANS } else { variance.sqrt() } * spacing / n.sqrt();
        let z = (mean - expected) / error;
        let [donnelly, cdf] = if order == 0 {
            [
                donnelly(incidents, mean),
                kaplan_meier_mean(&censored(incidents, &sites, &distances)) / expected,
            ]
        } else {
            [f64::NAN; 2]
        };
        for (column, value) in
            columns.iter_mut().zip([mean, expected, mean / expected, z, two_sided_p(z), donnelly, cdf])
        {
            column.push(value);
        }
        expected_spacings *= (k + 0.5) / k;
    }
    let [mean, expected, ratio, z, p, donnelly, cdf] = columns;
    let stacked = sites.count.iter().filter(|&&count| count > 1).map(|&count| u64::from(count)).sum::<u64>();
    let mut notes = vec![
        Note::new("area_used", format!("area of {:.3} km², that of the study area", window.area_km2()))
            .value(window.area_km2(), "km²")
            .reason("the expected distance is ½√(area/n), so that the index depends on it; --study-area sets another"),
    ];
    if stacked > 0 {
        notes.push(
            Note::new("stacked_incidents", format!("{stacked} incidents are at distance zero from another"))
                .value(stacked, "incidents")
                .reason("they share its place, which may be the geocoder's doing"),
        );
    }
    Ok(Curve {
        title: format!("Nearest-neighbour index {:.3}", ratio[0]),
        x: Series::new("order", "Order of the neighbour", "", (1..=orders).map(f64::from).collect()),
        y: vec![
            Series::new("mean_m", "Mean distance", "m", mean),
            Series::new("expected_m", "Expected under randomness", "m", expected),
            Series::new("ratio", "Observed over expected", "", ratio),
            Series::new("z", "z", "", z).role(Role::Table),
            Series::new("p", "p", "", p).role(Role::Table),
            Series::new("ratio_donnelly", "Ratio, corrected after Donnelly", "", donnelly).role(Role::Table),
            Series::new("ratio_cdf", "Ratio, from the corrected distribution", "", cdf).role(Role::Table),
        ],
        optimum: None,
        provenance: Provenance::new(method, json!({ "orders": params.orders, "area_m2": area })),
        notes,
    })
}

/// Per site the distances from an incident there to the others, the nearest `orders` of them, ascending. Looked for within a
/// radius that is doubled until enough are found.
fn distances(sites: &Sites, orders: usize, spacing: f64) -> Vec<Vec<f64>> {
    let reach = 2.0 * spacing * (orders as f64).sqrt();
    let strips = Strips::of(sites, reach);
    let one = |here: usize| {
        let (mut reach, mut found) = (reach, Vec::new());
        loop {
            found.clear();
            strips.around((sites.x[here], sites.y[here]), reach, |there, dx, dy| {
                let others = sites.count[there] as usize - usize::from(there == here);
                let squared = dx * dx + dy * dy;
                if squared <= reach * reach {
                    found.extend(std::iter::repeat_n(squared, others.min(orders)));
                }
            });
            if found.len() >= orders {
                break;
            }
            reach *= 2.0;
        }
        found.sort_unstable_by(f64::total_cmp);
        found.truncate(orders);
        found.into_iter().map(f64::sqrt).collect()
    };
    (0..sites.len()).into_par_iter().map(one).collect()
}

/// The ratio after Donnelly; not known for a window that is no rectangle.
fn donnelly(incidents: &Incidents, mean: f64) -> f64 {
    let bounds = incidents.window.bounds();
    if !incidents.window.is_rectangle() {
        return f64::NAN;
    }
    let (n, area) = (incidents.len() as f64, bounds.width() * bounds.height());
    let perimeter = 2.0 * (bounds.width() + bounds.height());
    mean / (0.5 * (area / n).sqrt() + (0.0514 + 0.0412 / n.sqrt()) * perimeter / n)
}

/// Per site the distance to the nearest other incident, whether it is known (and not only that it lies beyond the border), and
/// how many incidents have it.
fn censored(incidents: &Incidents, sites: &Sites, distances: &[Vec<f64>]) -> Vec<(f64, bool, u32)> {
    let nearest: Vec<f64> = distances.iter().map(|of| of[0]).collect();
    let most = nearest.iter().copied().fold(0.0, f64::max) * (1.0 + 1e-9) + f64::MIN_POSITIVE;
    let inside = Border::of(&incidents.window).distances(sites, most);
    let one = |at: usize| (nearest[at].min(inside[at]), nearest[at] <= inside[at], sites.count[at]);
    (0..sites.len()).map(one).collect()
}

/// The mean of a distribution of which some values are known only to be larger (Kaplan & Meier 1958, doi:10.2307/2281868), by what the
/// estimate holds; of (value, whether it is known, how often).
pub fn kaplan_meier_mean(values: &[(f64, bool, u32)]) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut at_risk = values.iter().map(|&(.., count)| f64::from(count)).sum::<f64>();
    let (mut left, mut sum) = (1.0, 0.0);
    for run in values.chunk_by(|a, b| a.0 == b.0) {
        let count =
            |known: bool| run.iter().filter(|at| at.1 || !known).map(|at| f64::from(at.2)).sum::<f64>();
        let mass = left * count(true) / at_risk;
        sum += mass * run[0].0;
        left -= mass;
        at_risk -= count(false);
    }
    sum / (1.0 - left)
}
