//! Nearest-neighbour hierarchical clustering: tight knots, and knots of knots.
//!
//! # Question
//! Which incidents lie closer together than chance would have them, and which of these groups lie close to one another?
//!
//! # Definition
//! Two places are near when they are at most d apart: `distance`, or a lower bound of the mean distance to the nearest neighbour
//! among n incidents spread evenly over the area A, d = 0.5 √(A/n) − z · 0.26136 √A/n, where z is exceeded by a standard
//! normal variable with the chance `confidence`. The place with the most incidents near it, its own included (the southern-most,
//! then western-most of several), is a seed; it and all near it make a cluster. Then again among the places left, counted anew,
//! until no place has `min-points` incidents near it. Each incident is in at most one cluster. The mean centres of the
//! clusters, each counted once, are clustered by the same rule (n is their number) to the second order, and so on, until
//! nothing forms. Numbers run through the orders, within each from the heaviest.
//!
//! # Reference
//! Levine 2013, CrimeStat IV, chapter 7; the distance and its standard error: Clark & Evans 1954, doi:10.2307/1931034.
//!
//! # Agrees with
//! Its definition, written down (`tests/clusters.rs`). There are no published numbers.
//!
//! # Differs from
//! CrimeStat, whose source is not public, in what its text leaves open: how ties are broken, that counts are taken anew
//! among the places left, and that z is normal, not Student's t. With `distance` the same length serves every order.
//!
//! # Units
//! `distance` is a length; `min-points` is a number of incidents (a sum of weights, where there are weights), of clusters in higher orders.
//!
//! # Cost
//! Places × places in a band of twice d, north to south.
//!
//! # Often misunderstood
//! d depends on the area: the same incidents in a study area four times as large have a d twice as long. A cluster is no wider
//! than 2 d, so that a long street becomes a chain of clusters. `confidence` speaks of a mean
//! distance, not of a cluster: `simulations` speak of clusters.

use std::collections::BinaryHeap;
use std::fmt;
use std::num::NonZeroU32;

use brasa_model::{Clusters, Incidents, Metres, Note, Provenance};
use geo::Coord;
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::clusters::{Cases, ClusterParams, Grouping};
use crate::significance::upper_quantile;
use crate::{About, AnalysisError, Sites, Watch};
use brasa_model::as_text;

/// What a reader of the catalogue learns.
pub const ABOUT: About = About {
    question: "Which incidents lie closer than chance, and which groups lie close to one another?",
    reference: "Levine 2013, CrimeStat IV, ch. 7; Clark & Evans 1954, doi:10.2307/1931034",
    units: "cluster number per incident",
    cost: "places × places in a band of twice the distance",
};

/// Parameters of [`nnh`].
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct NnhParams {
    /// How far apart two near places may be; when absent, by chance: see --confidence
    #[serde(skip_serializing_if = "Option::is_none")]
    pub distance: Option<Metres>,
    /// Chance that the mean distance to the nearest neighbour in an even spread is below the distance chosen
    pub confidence: Share,
    /// Incidents near a place, its own included, that make a cluster; in higher orders, clusters
    pub min_points: LeastPoints,
    /// What is told of the clusters.
    #[serde(flatten)]
    pub report: ClusterParams,
}

/// The constant of the standard error of the mean distance to the nearest neighbour: √((4 − π)/(4π)), rounded as Clark & Evans
/// and CrimeStat print it.
const SPREAD: f64 = 0.26136;

/// How near is near among `n` incidents on `area` square metres.
pub fn random_distance(area: f64, n: f64, confidence: f64) -> f64 {
    0.5 * (area / n).sqrt() - upper_quantile(confidence) * SPREAD * area.sqrt() / n
}

/// The clusters of `incidents`, and the clusters of clusters.
pub fn nnh(incidents: &Incidents, params: &NnhParams, watch: &Watch) -> Result<Clusters, AnalysisError> {
    let provenance = Provenance::new(
        "nnh",
        json!({
            "distance": params.distance,
            "confidence": params.confidence,
            "min_points": params.min_points,
            "study_area_km2": incidents.window.area_km2(),
        }),
    );
    let cases = Cases::of(incidents, &params.report)?;
    let mut found = cases.clusters(provenance, watch, |incidents, _| Ok(group(incidents, params)))?;
    if params.distance.is_none() && found.clustered > 0 {
        let (area, n) = (incidents.window.area_km2(), found.clustered);
        let distance = random_distance(area * 1e6, n as f64, params.confidence.get());
        found.provenance.parameters["distance_m"] = json!(distance);
        let note = Note::new("distance_chosen", format!("near is at most {distance:.1} m apart"))
            .value(distance, "m")
            .reason(format!(
                "among {n} incidents spread evenly over {area:.1} km² a mean distance to the nearest neighbour below that has a chance of {}; it grows with the study area; --distance sets another",
                String::from(params.confidence)
            ));
        found.notes.insert(0, note);
    }
    Ok(found)
}

fn group(incidents: &Incidents, params: &NnhParams) -> Grouping {
    let sites = Sites::new(incidents);
    let area = incidents.window.area_km2() * 1e6;
    let reach = |n: usize| match params.distance {
        Some(distance) => distance.get(),
        None => random_distance(area, n as f64, params.confidence.get()),
    };
    let least = f64::from(params.min_points.0.get());
    let first = reach(incidents.len());
    let found = knots(&sites.x, &sites.y, &sites.weight, first, least);
    let mut group = vec![None; sites.len()];
    for (knot, at) in found.iter().zip(0..) {
        knot.iter().for_each(|&site| group[site] = Some(at));
    }
    let core = group.iter().map(Option::is_some).collect();
    let mut higher = Vec::new();
    let mut below: Vec<Vec<usize>> = found;
    while below.len() > 1 {
        // The mean centres from south to north, each with the sites below it.
        let mut centres: Vec<(Coord<f64>, Vec<usize>)> =
            below.into_iter().map(|members| (centre(&sites, &members), members)).collect();
        centres.sort_by(|(a, m), (b, n)| a.y.total_cmp(&b.y).then(a.x.total_cmp(&b.x)).then(m.cmp(n)));
        let (x, y): (Vec<f64>, Vec<f64>) = centres.iter().map(|(centre, _)| (centre.x, centre.y)).unzip();
        let found = knots(&x, &y, &vec![1.0; x.len()], reach(x.len()), least.max(2.0));
        below = found
            .iter()
            .map(|knot| {
                let mut members: Vec<usize> =
                    knot.iter().flat_map(|&at| centres[at].1.iter().copied()).collect();
                members.sort_unstable();
                members
            })
            .collect();
        if below.is_empty() {
            break;
        }
        let mut group = vec![None; sites.len()];
        for (members, at) in below.iter().zip(0..) {
            members.iter().for_each(|&site| group[site] = Some(at));
        }
        higher.push(group);
    }
    Grouping { higher, ..Grouping::plain(sites, group, core, (first / 2.0).max(1e-3)) }
}

fn centre(sites: &Sites, members: &[usize]) -> Coord<f64> {
    let places: Vec<Coord<f64>> =
        members.iter().map(|&site| Coord { x: sites.x[site], y: sites.y[site] }).collect();
    let weights: Vec<f64> = members.iter().map(|&site| sites.weight[site]).collect();
    crate::shape::mean_centre(&places, &weights)
}

/// The knots among places from south to north, the heaviest seed first; the members of each in their order.
fn knots(x: &[f64], y: &[f64], weight: &[f64], reach: f64, least: f64) -> Vec<Vec<usize>> {
    if reach.is_nan() || reach <= 0.0 {
        return Vec::new();
    }
    let order = crate::sites::Ordered { x, y, weight };
    let near = |at: usize| {
        order.rows_within(y[at], reach).filter(move |&other| {
            let (east, north) = (x[other] - x[at], y[other] - y[at]);
            east * east + north * north <= reach * reach
        })
    };
    // Weights are never negative, so that their bits are in the order of their values; the smaller place wins a tie.
    let entry = |weight: f64, at: usize| (weight.to_bits(), std::cmp::Reverse(at));
    let start: Vec<_> = (0..x.len())
        .into_par_iter()
        .map(|at| (near(at).map(|other| weight[other]).sum::<f64>(), at))
        .filter(|&(heavy, _)| heavy >= least)
        .map(|(heavy, at)| entry(heavy, at))
        .collect();
    let mut open = BinaryHeap::from(start);
    let mut free = vec![true; x.len()];
    let mut knots = Vec::new();
    while let Some((bits, std::cmp::Reverse(seed))) = open.pop() {
        if !free[seed] {
            continue;
        }
        let members: Vec<usize> = near(seed).filter(|&at| free[at]).collect();
        let heavy: f64 = members.iter().map(|&at| weight[at]).sum();
        if heavy < least {
            continue;
        }
        // Others were taken since it was counted: it waits for its turn again.
        if heavy.to_bits() < bits {
            open.push(entry(heavy, seed));
            continue;
        }
        members.iter().for_each(|&at| free[at] = false);
        knots.push(members);
    }
    knots
}

/// A chance, above 0 and below 1, written `0.05` or `5%`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Share(f64);

impl Share {
    /// It, as a share of 1.
    pub const fn get(self) -> f64 {
        self.0
    }
}

impl Default for Share {
    /// One in twenty.
    fn default() -> Self {
        Self(0.05)
    }
}

impl std::str::FromStr for Share {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |text: &str| text.trim().parse::<f64>().ok();
        let value = match text.trim().strip_suffix('%') {
            Some(percent) => number(percent).map(|percent| percent / 100.0),
            None => number(text),
        };
        let allowed = value.filter(|value| *value > 0.0 && *value < 1.0);
        allowed
            .map(Self)
            .ok_or_else(|| format!("\"{text}\" is no chance above 0 and below 1, such as 0.05 or 5%"))
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

as_text!(Share, "SHARE", "examples": ["0.05", "5%"]);

/// Ten where nobody says, the default of CrimeStat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct LeastPoints(pub NonZeroU32);

impl Default for LeastPoints {
    fn default() -> Self {
        Self(NonZeroU32::MIN.saturating_add(9))
    }
}
