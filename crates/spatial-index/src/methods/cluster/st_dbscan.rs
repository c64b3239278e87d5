//! ST-DBSCAN: groups of incidents close together both in space and in time, and noise.
//!
//! # Question
//! Which incidents lie close together in space and time, so that they may be one series?
//!
//! # Definition
//! Two incidents are neighbours when they lie within `eps` of one another and happened within `eps-time`, both ends included. An
//! incident is a core when its neighbours, itself included, weigh at least `min-points`; neighbouring cores belong
//! together, and so along the chain. One that is no core joins the cluster of the nearest core among its neighbours,
//! where the square of the distance is (d/eps)² + (t/eps-time)²; of equals the southern-most, then western-most, then earliest.
//! The time of an incident is the middle of the stretch it is known to. Without a time it is noise.
//!
//! # Reference
//! Birant & Kut 2007, doi:10.1016/j.datak.2006.01.013, without their threshold on the difference of a value (Δε), which
//! incidents do not have.
//!
//! # Agrees with
//! A brute force over all pairs on Chicago arson, Medellín and Memphis: same cores, same partition of the cores, same noise
//! (`tests/st_dbscan.rs`).
//!
//! # Differs from
//! The paper and tools that give a border incident to whichever cluster reaches it first.
//!
//! # Units
//! `eps` is a length, `eps-time` a duration; `min-points` is a number of incidents (a sum of weights, where there are weights).
//!
//! # Cost
//! Near-linear in distinct places at distinct times, for reaches that hold few of them.
//!
//! # Often misunderstood
//! A cluster lasts as long as its chain does, far longer than `eps-time`. And chance makes clusters too: the Knox test asks
//! whether there are more near pairs than chance makes.

use brasa_model::{Clusters, Incidents, Provenance, Span};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::clusters::{Cases, ClusterParams, Grouping};
use crate::cores::{Reach, cores, default_min_points};
use crate::k_distances::core_share_of_moments;
use crate::{About, AnalysisError, Eps, Moments, Watch};

/// What a reader of the catalogue learns.
pub const ABOUT: About = About {
    question: "Which incidents lie close together in space and time, so that they may be one series?",
    reference: "Birant & Kut 2007, doi:10.1016/j.datak.2006.01.013",
    units: "cluster number per incident",
    cost: "near-linear in distinct places and times",
};

/// Parameters of [`st_dbscan`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct StDbscanParams {
    /// Radius within which incidents are neighbours, or auto for the knee of the k-distances; a claim about the data, so there is no default
    pub eps: Eps,
    /// Time within which incidents are neighbours; a claim about the data, so there is no default
    pub eps_time: Span,
    /// Incidents within eps and eps-time, its own included, that make an incident a core
    #[serde(default = "default_min_points")]
    pub min_points: std::num::NonZeroU32,
    /// What is told of the clusters.
    #[serde(flatten)]
    pub report: ClusterParams,
}

impl StDbscanParams {
    /// These radii and this number, and the defaults.
    pub fn new(eps: impl Into<Eps>, eps_time: Span, min_points: std::num::NonZeroU32) -> Self {
        Self { eps: eps.into(), eps_time, min_points, report: ClusterParams::default() }
    }
}

/// The clusters of `incidents` in space and time.
pub fn st_dbscan(
    incidents: &Incidents,
    params: &StDbscanParams,
    watch: &Watch,
) -> Result<Clusters, AnalysisError> {
    let mut cases = Cases::of(incidents, &params.report)?;
    let moments_of = |incidents: &Incidents| Moments::new(incidents, "st-dbscan");
    let (time, least) = (params.eps_time, params.min_points);
    // Before the radius, which may be long to find.
    let moments = moments_of(cases.incidents())?;
    let (eps, note) = params.eps.resolve(least, || core_share_of_moments(&moments, time, least))?;
    let reach = Reach { eps: eps.get(), time: time.seconds() as f64 };
    let provenance = Provenance::new(
        "st-dbscan",
        json!({
            "eps": eps,
            "eps_time": time,
            "min_points": least,
            "border": "nearest core",
            "time": "middle of the known stretch",
        }),
    );
    let vague = Moments::notes(cases.incidents(), time);
    cases.noticed(note.into_iter().chain(vague));
    cases.clusters(provenance, watch, |incidents, _| group(moments_of(incidents)?, reach, least))
}

/// The groups of the moments whose time is known.
fn group(moments: Moments, reach: Reach, least: std::num::NonZeroU32) -> Result<Grouping, AnalysisError> {
    let weight = |at| moments.weight(at);
    let found = cores(moments.timed.len(), |at| moments.place(at), weight, reach, f64::from(least.get()))?;
    let mut group = vec![None; moments.sites.len()];
    let mut core = vec![false; moments.sites.len()];
    for (at, &moment) in moments.timed.iter().enumerate() {
        group[moment as usize] = found.group[at];
        core[moment as usize] = found.core[at];
    }
    Ok(Grouping::plain(moments.sites, group, core, reach.eps / 2.0))
}
