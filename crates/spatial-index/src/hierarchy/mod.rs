//! Density at every scale: which places hang together at each distance, and which of those groups last.
//!
//! Two places a and b reach one another at the distance max(core(a), core(b), |ab|), where the core distance of a place is
//! how far it must reach until the incidents there weigh `min-points`. The places that reach one another at a distance,
//! along chains, are what DBSCAN finds with that `eps`, its border places left out.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::place_tree::PlaceTree;
use crate::{AnalysisError, Sites, Watch};

pub mod condense;
pub mod core_distance;
pub mod spanning_tree;

pub use condense::{Branch, Condensed, Pick};

/// How places hang together, in the order of the sites.
pub struct Hierarchy {
    /// The weight of each site in a form that adds up exactly, see [`exact`].
    pub weight: Vec<f64>,
    /// The core distance of each site in metres.
    pub core: Vec<f64>,
    /// The joins of a least spanning tree: (mutual reachability in metres, one site, the other), ascending.
    pub joins: Vec<(f64, u32, u32)>,
}

/// The hierarchy of the sites; `None` where all incidents together weigh less than `min_points`, so that no place has a
/// core distance.
pub fn hierarchy(sites: &Sites, min_points: f64, watch: &Watch) -> Result<Option<Hierarchy>, AnalysisError> {
    let weight: Vec<f64> = sites.weight.iter().copied().map(exact).collect();
    if sites.is_empty() || weight.iter().sum::<f64>() < min_points {
        return Ok(None);
    }
    let tree = PlaceTree::new(&sites.x, &sites.y, &weight);
    let n = sites.len() as u64;
    let core2 = core_distance::core_distances2(&tree, min_points, &watch.phase("core distances", n))?;
    let edges = spanning_tree::spanning_tree(&tree, &core2, &watch.phase("joins", n - 1))?;
    let mut core = vec![0.0; sites.len()];
    for (&site, core2) in tree.site.iter().zip(&core2) {
        core[site as usize] = core2.sqrt();
    }
    let site = |at: u32| tree.site[at as usize];
    let joins = edges.into_iter().map(|edge| (edge.weight2.sqrt(), site(edge.a), site(edge.b))).collect();
    Ok(Some(Hierarchy { weight, core, joins }))
}

/// A weight to the millionth: a multiple of 2⁻²⁰. Up to eight thousand million of them add up without rounding, in any
/// order, so that a sum that decides something is the same whichever way the places were joined.
pub fn exact(weight: f64) -> f64 {
    const ONE: f64 = 1_048_576.0;
    (weight * ONE).round() / ONE
}

/// The least weight of a cluster: a whole number from 2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct ClusterSize(u32);

impl JsonSchema for ClusterSize {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "ClusterSize".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "minimum": 2 })
    }
}

impl ClusterSize {
    /// So many incidents.
    ///
    /// # Errors
    /// When that is less than two.
    pub fn new(size: u32) -> Result<Self, String> {
        if size >= 2 {
            return Ok(Self(size));
        }
        Err(format!("a cluster of {size} is none; give --min-cluster-size 2 or more"))
    }

    /// As a number.
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl TryFrom<u32> for ClusterSize {
    type Error = String;

    fn try_from(size: u32) -> Result<Self, String> {
        Self::new(size)
    }
}

impl From<ClusterSize> for u32 {
    fn from(size: ClusterSize) -> Self {
        size.get()
    }
}

/// How far an outline reaches beyond its places: half the median distance from a place in a cluster to the place that
/// completes `min-points`, at least a metre, so that a cluster on one place has an area.
pub fn margin(core: &[f64], group: &[Option<u32>]) -> f64 {
    let mut inside: Vec<f64> =
        core.iter().zip(group).filter(|(_, group)| group.is_some()).map(|(&core, _)| core).collect();
    inside.sort_unstable_by(f64::total_cmp);
    inside.get(inside.len() / 2).map_or(1.0, |median| (median / 2.0).max(1.0))
}
