//! HDBSCAN*: groups that are dense by the measure of their own surroundings, without a radius.
//!
//! # Question
//! Which groups of incidents are denser than what lies around them, each at its own scale?
//!
//! # Definition
//! The core distance of a place is how far it must reach until the incidents there, its own included, weigh `min-points`.
//! Two places reach one another at the greatest of their core distances and the distance between them. As that distance
//! shrinks, what hangs together parts; a part lighter than `min-cluster-size` drops out, two or more heavy ones are new
//! clusters. The stability of a cluster is Σ (λ at which an incident leaves − λ at which the cluster began), with
//! λ = 1/distance; those that leave for a cluster within count too. `eom` reports the clusters of greatest stability in
//! sum, none inside another, and a cluster rather than its parts when both sums are equal; `leaf` those that part no
//! more. All else is noise. Clusters are numbered from the heaviest.
//!
//! Membership is 1 − core distance / greatest core distance in the cluster. The outlier score (GLOSH) is 1 − ε'/ε: ε the
//! distance at which the incident dropped out, ε' that at which the last of the group it dropped out of did.
//!
//! A stack of w incidents is w incidents: a place that weighs `min-points` has core distance 0, and where it weighs
//! `min-cluster-size` too and parts from the rest, it is a cluster of infinite stability that no larger one outweighs.
//! Places joined at equal distances are joined at once, so that ties, of which geocoded data are full, cannot make the answer
//! depend on an order. Weights count to the millionth.
//!
//! # Reference
//! Campello, Moulavi & Sander 2013, doi:10.1007/978-3-642-37456-2_14; Campello, Moulavi, Zimek & Sander 2015,
//! doi:10.1145/2733381 (stability: definition 4 and eq. 3; GLOSH: eq. 8).
//!
//! # Agrees with
//! R dbscan on the moons (labels, membership) and DS3; the `hdbscan` library on the moons (stabilities); scikit-learn on
//! discs without ties, and, with an adjusted Rand index of 0.95, 1 and 0.94, on Chicago arson, Medellín and Memphis
//! (`tests/tests/hdbscan.rs`).
//!
//! # Differs from
//! Tools that break ties by the order of rows: they give other answers on stacked data, and others again for another order.
//! A place between two clusters as far from both as its own core distance ties too, and is noise here.
//! R lets an incident leave its cluster only when it is alone, and not when its group is lighter than
//! `min-cluster-size`; its stabilities and GLOSH scores are higher. The `hdbscan` library does not count the incident
//! itself among `min-points` (its 4 are our 5), joins approximately unless told otherwise, and its membership compares λ; ours, that of
//! R, compares core distances, because λ is infinite on a stack. With `allow-single-cluster`, the one cluster holds everything;
//! scikit-learn keeps only what stays to its end.
//!
//! # Units
//! `min-cluster-size` and `min-points` are numbers of incidents (sums of weights, where there are weights); stability is
//! incidents per metre; membership and outlier score are plain numbers from 0 to 1.
//!
//! # Cost
//! Near-linear in places: core distances by the tree of places, a least spanning tree by Borůvka. Memory is linear.
//!
//! # Often misunderstood
//! A cluster is not a significant cluster, and membership is not a probability. Noise is most of a city: incidents that
//! are many, but not denser than the incidents beside them. A larger `min-cluster-size` does not only remove small clusters, it
//! smooths too, unless `min-points` is given.

use std::num::NonZeroU32;

use brasa_model::{Clusters, Incidents, Note, Provenance};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::clusters::{Cases, ClusterParams, Grouping, SiteScores};
use crate::hierarchy::condense::membership;
use crate::hierarchy::{ClusterSize, Condensed, Pick, hierarchy, margin};
use crate::{About, AnalysisError, Sites, Watch};

/// What a reader of the catalogue learns.
pub const ABOUT: About = About {
    question: "Which groups are denser than their surroundings, each at its own scale?",
    reference: "Campello, Moulavi & Sander 2013, doi:10.1007/978-3-642-37456-2_14",
    units: "cluster number per incident",
    cost: "near-linear in places",
};

/// Parameters of [`hdbscan`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct HdbscanParams {
    /// Incidents that make a group a cluster, 2 or more; a claim about what matters, so there is no default
    pub min_cluster_size: ClusterSize,
    /// Incidents, its own included, that a place must reach to be dense; more smooths more. As min-cluster-size where absent
    #[serde(default)]
    pub min_points: Option<NonZeroU32>,
    /// Which of the clusters within clusters: eom (the most stable ones) or leaf (the smallest ones)
    #[serde(default)]
    pub selection: Pick,
    /// Whether everything together may be the one cluster
    #[serde(default)]
    pub allow_single_cluster: bool,
    /// What is told of the clusters.
    #[serde(flatten)]
    pub report: ClusterParams,
}

impl HdbscanParams {
    /// The defaults for clusters of this size.
    pub fn new(min_cluster_size: ClusterSize) -> Self {
        Self {
            min_cluster_size,
            min_points: None,
            selection: Pick::default(),
            allow_single_cluster: false,
            report: ClusterParams::default(),
        }
    }

    fn points(&self) -> u32 {
        self.min_points.map_or(self.min_cluster_size.get(), NonZeroU32::get)
    }
}

/// The clusters of `incidents`, with scores.
pub fn hdbscan(
    incidents: &Incidents,
    params: &HdbscanParams,
    watch: &Watch,
) -> Result<Clusters, AnalysisError> {
    let parameters = json!({
        "min_cluster_size": params.min_cluster_size.get(),
        "min_points": params.points(),
        "selection": params.selection,
        "allow_single_cluster": params.allow_single_cluster,
    });
    let cases = Cases::of(incidents, &params.report)?;
    cases.clusters(Provenance::new("hdbscan", parameters), watch, |incidents, watch| {
        group(incidents, params, watch)
    })
}

fn group(incidents: &Incidents, params: &HdbscanParams, watch: &Watch) -> Result<Grouping, AnalysisError> {
    let sites = Sites::new(incidents);
    let (size, points) = (params.min_cluster_size.get(), params.points());
    let hierarchy = hierarchy(&sites, f64::from(points), watch)?;
    let condensed = hierarchy.as_ref().and_then(|tree| Condensed::new(tree, f64::from(size)));
    let (Some(hierarchy), Some(condensed)) = (hierarchy, condensed) else {
        let least = size.max(points);
        let text = format!("no cluster: all incidents weigh {}, and it takes {least}", sites.total_weight());
        let note = Note::new("too_few_incidents", text).reason(
            "neither a core distance nor a cluster can be had of fewer; a smaller --min-cluster-size or --min-points could",
        );
        let n = sites.len();
        let scores =
            SiteScores { membership: vec![0.0; n], outlier: vec![f64::NAN; n], stability: Vec::new() };
        let none = Grouping::plain(sites, vec![None; n], vec![false; n], 1.0);
        return Ok(Grouping { scores: Some(scores), notes: vec![note], ..none });
    };

    let group = condensed.pick(params.selection, params.allow_single_cluster);
    let core: Vec<bool> = group.iter().map(Option::is_some).collect();
    let never = group.iter().all(Option::is_none).then(|| {
        Note::new("never_parts", format!("no cluster: the incidents never part into two groups of {size}")).reason(
            "a cluster is denser than what lies around it; --allow-single-cluster takes everything together for one",
        )
    });
    let scores = SiteScores {
        membership: membership(&group, &hierarchy.core, condensed.clusters.len()),
        outlier: condensed.outlier(),
        stability: condensed.clusters.iter().map(|cluster| cluster.stability).collect(),
    };
    let margin = margin(&hierarchy.core, &group);
    let notes = never.into_iter().collect();
    Ok(Grouping { scores: Some(scores), notes, ..Grouping::plain(sites, group, core, margin) })
}
