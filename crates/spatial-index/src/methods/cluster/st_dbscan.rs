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

use crate::clusters::clusters;
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
}

/// The clusters of `incidents` in space and time.
pub fn st_dbscan(
    incidents: &Incidents,
    params: &StDbscanParams,
    _: &Watch,
) -> Result<Clusters, AnalysisError> {
    let moments = Moments::new(incidents, "st-dbscan")?;
    let (time, least) = (params.eps_time, params.min_points);
    let (eps, note) = params.eps.resolve(least, || core_share_of_moments(&moments, time, least))?;
    let reach = Reach { eps: eps.get(), time: time.seconds() as f64 };
    let weight = |at| moments.weight(at);
    let found = cores(moments.timed.len(), |at| moments.place(at), weight, reach, f64::from(least.get()))?;

    let mut group = vec![None; moments.sites.len()];
    let mut core = vec![false; moments.sites.len()];
    for (at, &moment) in moments.timed.iter().enumerate() {
        group[moment as usize] = found.group[at];
        core[moment as usize] = found.core[at];
    }
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
    let mut clusters = clusters(&moments.sites, &group, &core, eps.get() / 2.0, provenance);
    count_places(&mut clusters, &moments.place_of_incident);
    clusters.notes.extend(note);
    clusters.notes.extend(Moments::notes(incidents, time));
    Ok(clusters)
}

/// Counts the distinct places of each cluster, where so far each was counted once per time.
fn count_places(clusters: &mut Clusters, place_of_incident: &[u32]) {
    let mut places: Vec<(u32, u32)> = clusters
        .labels
        .iter()
        .zip(place_of_incident)
        .filter_map(|(label, &place)| label.map(|label| (label, place)))
        .collect();
    places.sort_unstable();
    places.dedup();
    for (cluster, places) in clusters.clusters.iter_mut().zip(places.chunk_by(|a, b| a.0 == b.0)) {
        cluster.sites = places.len() as u64;
    }
}
