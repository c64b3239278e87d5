//! DBSCAN: groups of places where incidents lie close together, and noise.
//!
//! # Question
//! Which incidents lie close enough together to be one group?
//!
//! # Definition
//! A place is a core when the incidents within `eps` of it, its own included, weigh at least `min-points`, each place's
//! weight to nine decimals. Cores within `eps` of one another belong together, and so along the chain. A place that is no core but has one within
//! `eps` joins the cluster of the nearest (of the southern-most, then western-most, when two are equally near); all
//! others are noise. Clusters are numbered from the heaviest.
//!
//! # Reference
//! Ester, Kriegel, Sander & Xu 1996, KDD-96, pp. 226–231; cells of side eps/√2 after Gan & Tao 2015,
//! doi:10.1145/2723372.2737792.
//!
//! # Agrees with
//! scikit-learn and R dbscan on the DS3 benchmark, Chicago arson, Medellín and Memphis: same cores, same partition of
//! the cores, same noise (`tests/conformance.rs`).
//!
//! # Differs from
//! Tools that give a border place to whichever cluster reaches it first, so that it depends on the order of rows.
//!
//! # Units
//! `eps` is a length; `min-points` is a number of incidents (a sum of weights, where there are weights).
//!
//! # Cost
//! Near-linear for an `eps` that holds few cells' worth of places; a stack of any height costs one place.
//!
//! # Often misunderstood
//! A cluster is not a significant cluster: under a larger `eps` anything is one. `eps` is a claim about the data
//! and has no default; `auto` reads it from the data, and `dbscan-stability` shows what another would have found.

use brasa_model::{Clusters, Incidents, Provenance};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::clusters::{Cases, ClusterParams, Grouping};
use crate::cores::{cores_of_sites, default_min_points};
use crate::k_distances::core_share_of_sites;
use crate::{About, AnalysisError, Eps, Sites, Watch};

/// What a reader of the catalogue learns.
pub const ABOUT: About = About {
    question: "Which incidents lie close enough together to be one group?",
    reference: "Ester, Kriegel, Sander & Xu 1996, KDD-96, pp. 226-231",
    units: "cluster number per incident",
    cost: "near-linear in places",
};

/// Parameters of [`dbscan`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct DbscanParams {
    /// Radius within which incidents are neighbours, or auto for the knee of the k-distances; a claim about the data, so there is no default
    pub eps: Eps,
    /// Incidents within eps, its own included, that make a place a core
    #[serde(default = "default_min_points")]
    pub min_points: std::num::NonZeroU32,
    /// What is told of the clusters.
    #[serde(flatten)]
    pub report: ClusterParams,
}

impl DbscanParams {
    /// This radius and number, and the defaults.
    pub fn new(eps: impl Into<Eps>, min_points: std::num::NonZeroU32) -> Self {
        Self { eps: eps.into(), min_points, report: ClusterParams::default() }
    }
}

/// The clusters of `incidents`.
pub fn dbscan(
    incidents: &Incidents,
    params: &DbscanParams,
    watch: &Watch,
) -> Result<Clusters, AnalysisError> {
    let mut cases = Cases::of(incidents, &params.report)?;
    let least = params.min_points;
    let of_sites = || core_share_of_sites(&Sites::new(cases.incidents()), least);
    let (eps, note) = params.eps.resolve(least, of_sites)?;
    let provenance =
        Provenance::new("dbscan", json!({ "eps": eps, "min_points": least, "border": "nearest core" }));
    cases.noticed(note);
    cases.clusters(provenance, watch, |incidents, _| {
        let sites = Sites::new(incidents);
        let found = cores_of_sites(&sites, eps.get(), least)?;
        Ok(Grouping::plain(sites, found.group, found.core, eps.get() / 2.0))
    })
}
