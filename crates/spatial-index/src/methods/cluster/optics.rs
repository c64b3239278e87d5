//! OPTICS: the valleys of the reachability plot, groups that a steep fall in density surrounds.
//!
//! # Question
//! Which groups does a steep fall in density surround, whatever their own density?
//!
//! # Definition
//! The core distance of a place is how far it must reach until the incidents there, its own included, weigh `min-points`. A
//! place reaches another at the greater of its core distance and the distance between them. From the densest place on, next
//! in order is always the place that those before reach at the least distance, the denser one of equals (the least core
//! distance, then the heaviest, then the southern-most, then the western-most). The reachability over that order is the plot.
//! Where it falls or rises from one incident to the next by the share `xi` or more it is steep. A way down (a stretch of steep
//! steps, never rising, with at most `min-points` gentle ones in a row) and a later way up that is as high enclose a
//! valley; the higher wall is cut to the height of the lower. Incidents at its end that were reached from outside are not of
//! it. Valleys of less than `min-cluster-size` do not count. Clusters are the innermost valleys, all else is noise. They are
//! numbered from the heaviest.
//!
//! A stack of w incidents is w incidents, the first reached as its place is, the others at its core distance if that is less. A
//! valley holds whole stacks. Weights are read to the millionth.
//!
//! # Reference
//! Ankerst, Breunig, Kriegel & Sander 1999, doi:10.1145/304181.304187, definitions 9 to 11 and figure 19, definition 9 and 11.4c read
//! as scikit-learn corrects them; the ends by predecessors after Schubert & Gertz 2018, LWDA, algorithm 2.
//!
//! # Agrees with
//! scikit-learn on discs of unlike density, rows given from the densest place: order, reachability, clusters (`tests/tests/optics.rs`).
//! The plot cut at any distance has the cores and groups of `dbscan`.
//!
//! # Differs from
//! Tools that begin at the first row and break ties by row, so that another order of rows is another plot. Two places at
//! equal distances, of equal core distance and weight, are told apart from the south here: a map turned on its side may order
//! them otherwise. scikit-learn may cut a stack in two.
//!
//! # Units
//! `min-points` and `min-cluster-size` are numbers of incidents (sums of weights, where there are weights); `max-eps` is a length;
//! `xi` is a share.
//!
//! # Cost
//! Near-linear in places, on one thread but for the core distances; memory is linear, with or without `max-eps`.
//!
//! # Often misunderstood
//! `xi` is not a density and not a significance: any dip with steep walls is a valley, and an even ground is full of small ones.
//! Raise `min-cluster-size` first. A stack that weighs `min-points` has core distance 0: the steepest valley there is, and where
//! `min-cluster-size` allows it, innermost. In geocoded data the clusters are then single addresses.

use std::num::NonZeroU32;

use brasa_model::{Clusters, Incidents, Metres, Note, Provenance};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::clusters::{Cases, ClusterParams, Grouping};
use crate::cores::default_min_points;
use crate::hierarchy::{ClusterSize, margin};
use crate::ordering::ordering;
use crate::ordering::xi::{Xi, innermost, valleys};
use crate::{About, AnalysisError, Sites, Watch};

/// What a reader of the catalogue learns.
pub const ABOUT: About = About {
    question: "Which groups does a steep fall in density surround, whatever their own density?",
    reference: "Ankerst, Breunig, Kriegel & Sander 1999, doi:10.1145/304181.304187",
    units: "cluster number per incident",
    cost: "near-linear in places",
};

/// Parameters of [`optics`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct OpticsParams {
    /// Incidents, its own included, that a place must reach to be dense; more smooths more
    pub min_points: NonZeroU32,
    /// Share by which the reachability must change from one incident to the next to be the wall of a cluster, between 0 and 1
    pub xi: Xi,
    /// Incidents that make a group a cluster, 2 or more. As min-points where absent
    pub min_cluster_size: Option<ClusterSize>,
    /// Distance beyond which nobody is reached; without it, there is none
    pub max_eps: Option<Metres>,
    /// What is told of the clusters.
    #[serde(flatten)]
    pub report: ClusterParams,
}

impl Default for OpticsParams {
    fn default() -> Self {
        Self {
            min_points: default_min_points(),
            xi: Xi::default(),
            min_cluster_size: None,
            max_eps: None,
            report: ClusterParams::default(),
        }
    }
}

impl OpticsParams {
    fn size(&self) -> u32 {
        self.min_cluster_size.map_or(self.min_points.get().max(2), ClusterSize::get)
    }
}

/// The clusters of `incidents`.
pub fn optics(
    incidents: &Incidents,
    params: &OpticsParams,
    watch: &Watch,
) -> Result<Clusters, AnalysisError> {
    let parameters = json!({
        "min_points": params.min_points,
        "xi": params.xi,
        "min_cluster_size": params.size(),
        "max_eps": params.max_eps,
        "extraction": "innermost",
    });
    let cases = Cases::of(incidents, &params.report)?;
    cases.clusters(Provenance::new("optics", parameters), watch, |incidents, watch| {
        group(incidents, params, watch)
    })
}

fn group(incidents: &Incidents, params: &OpticsParams, watch: &Watch) -> Result<Grouping, AnalysisError> {
    let sites = Sites::new(incidents);
    let (points, size) = (params.min_points.get(), params.size());
    let limit = params.max_eps.map_or(f64::INFINITY, Metres::get);
    let steps = ordering(&sites, f64::from(points), limit, watch)?;
    let found = valleys(&steps, params.xi, f64::from(points), f64::from(size));
    let group = innermost(&steps, &found, sites.len());

    let mut core_distance = vec![f64::INFINITY; sites.len()];
    for step in &steps {
        core_distance[step.site as usize] = step.core;
    }
    let inside: Vec<bool> = group.iter().map(Option::is_some).collect();
    // Who never reaches min-points may be in a valley, and says nothing about its scale.
    let margin = margin(&core_distance, &group);
    let margin = if margin.is_finite() { margin } else { limit / 2.0 };
    let note = if steps.iter().all(|step| step.core.is_infinite()) {
        let note = Note::new("no_core", format!("no cluster: nobody has {points} incidents within reach"));
        Some(note.reason("a smaller --min-points or a larger --max-eps could find some"))
    } else if group.iter().all(Option::is_none) {
        let text = format!("no cluster: no group of {size} has walls of {} on both sides", params.xi);
        let note = Note::new("no_valley", text);
        Some(note.reason("a smaller --xi or --min-cluster-size could find some"))
    } else {
        None
    };
    Ok(Grouping { notes: note.into_iter().collect(), ..Grouping::plain(sites, group, inside, margin) })
}
