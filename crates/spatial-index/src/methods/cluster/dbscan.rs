//! DBSCAN: groups of places where incidents lie close together, and noise.
//!
//! # Question
//! Which incidents lie close enough together to be one group?
//!
//! # Definition
//! A place is a core when the incidents within `eps` of it, its own included, weigh at least `min-points`. Cores
//! within `eps` of one another belong together, and so along the chain. A place that is no core but has one within
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
//! A cluster is not a significant cluster: under a larger `eps` anything is one, and only `simulations` say what chance makes.
//! `eps` is a claim about the data and has no default.

use brasa_model::{Clusters, Incidents, Metres, Provenance};
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::clusters::{ClusterParams, Grouping, clusters};
use crate::groups::Groups;
use crate::neighbours::PlaceIndex;
use crate::{About, AnalysisError, Sites, Watch};

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
    /// Radius within which incidents are neighbours; a claim about the data, so there is no default
    pub eps: Metres,
    /// Incidents within eps, its own included, that make a place a core
    #[serde(default = "default_min_points")]
    pub min_points: std::num::NonZeroU32,
    /// What is told of the clusters.
    #[serde(flatten)]
    pub report: ClusterParams,
}

impl DbscanParams {
    /// This radius and number, and the defaults.
    pub fn new(eps: Metres, min_points: std::num::NonZeroU32) -> Self {
        Self { eps, min_points, report: ClusterParams::default() }
    }
}

/// Five, the default of scikit-learn and R dbscan.
fn default_min_points() -> std::num::NonZeroU32 {
    std::num::NonZeroU32::MIN.saturating_add(4)
}

/// Cells two columns or rows apart can hold places within `eps`; cells three apart cannot.
const REACH: i64 = 2;

/// The clusters of `incidents`.
pub fn dbscan(
    incidents: &Incidents,
    params: &DbscanParams,
    watch: &Watch,
) -> Result<Clusters, AnalysisError> {
    let provenance = Provenance::new(
        "dbscan",
        json!({ "eps": params.eps, "min_points": params.min_points, "border": "nearest core" }),
    );
    clusters(incidents, &params.report, provenance, watch, |incidents| Ok(group(incidents, params)))
}

fn group(incidents: &Incidents, params: &DbscanParams) -> Grouping {
    let sites = Sites::new(incidents);
    let eps = params.eps.get();
    // A hair under eps/√2, so that two places in one cell are within eps of one another however they are rounded.
    let index = PlaceIndex::new(&sites, eps / std::f64::consts::SQRT_2 * (1.0 - 1e-6));
    let near = |a: u32, b: u32| {
        let (dx, dy) = (sites.x[a as usize] - sites.x[b as usize], sites.y[a as usize] - sites.y[b as usize]);
        dx * dx + dy * dy
    };
    let eps2 = eps * eps;
    let core = cores(&sites, &index, f64::from(params.min_points.get()), eps2, near);
    let mut groups = unite(&index, &core, eps2, near);
    let joined = borders(&index, &core, sites.len(), eps2, near);

    // The group of each site, named by its root cell; None for noise.
    let group: Vec<Option<u32>> =
        (0..sites.len()).map(|site| joined[site].map(|cell| groups.root(cell))).collect();
    Grouping { sites, group, higher: Vec::new(), core, margin: eps / 2.0 }
}

/// Which sites are cores.
fn cores(
    sites: &Sites,
    index: &PlaceIndex,
    least: f64,
    eps2: f64,
    near: impl Fn(u32, u32) -> f64 + Sync,
) -> Vec<bool> {
    let weigh = |members: &[u32]| members.iter().map(|&site| sites.weight[site as usize]).sum::<f64>();
    let found: Vec<Vec<u32>> = (0..index.len())
        .into_par_iter()
        .map(|cell| {
            let members = index.sites_of(cell);
            let own = weigh(members);
            // All places of a cell are within eps of one another: a heavy cell needs no distances.
            if own >= least {
                return members.to_vec();
            }
            let others: Vec<usize> = index.around(cell, REACH).filter(|&other| other != cell).collect();
            let is_core = |&site: &u32| {
                let mut weight = own;
                others.iter().any(|&other| {
                    let reached = index.sites_of(other).iter().filter(|&&at| near(site, at) <= eps2);
                    weight += reached.map(|&at| sites.weight[at as usize]).sum::<f64>();
                    weight >= least
                })
            };
            members.iter().copied().filter(is_core).collect()
        })
        .collect();
    let mut core = vec![false; sites.len()];
    for site in found.into_iter().flatten() {
        core[site as usize] = true;
    }
    core
}

/// Unites the cells whose cores lie within eps of one another.
fn unite(index: &PlaceIndex, core: &[bool], eps2: f64, near: impl Fn(u32, u32) -> f64) -> Groups {
    let mut groups = Groups::apart(index.len());
    let cores: Vec<Vec<u32>> = (0..index.len())
        .map(|cell| index.sites_of(cell).iter().copied().filter(|&site| core[site as usize]).collect())
        .collect();
    for cell in (0..index.len()).filter(|&cell| !cores[cell].is_empty()) {
        for other in index.around(cell, REACH).filter(|&other| other > cell && !cores[other].is_empty()) {
            if groups.root(cell as u32) != groups.root(other as u32)
                && cores[cell].iter().any(|&a| cores[other].iter().any(|&b| near(a, b) <= eps2))
            {
                groups.unite(cell as u32, other as u32);
            }
        }
    }
    groups
}

/// The cell through which each site belongs to a cluster: its own for a core, its nearest core's for a border place.
fn borders(
    index: &PlaceIndex,
    core: &[bool],
    sites: usize,
    eps2: f64,
    near: impl Fn(u32, u32) -> f64 + Sync,
) -> Vec<Option<u32>> {
    let found: Vec<Vec<(u32, u32)>> = (0..index.len())
        .into_par_iter()
        .map(|cell| {
            let nearest = |site: u32| {
                let candidates = index.around(cell, REACH).flat_map(|other| {
                    index.sites_of(other).iter().filter(|&&at| core[at as usize]).map(move |&at| (other, at))
                });
                candidates
                    .map(|(other, at)| (near(site, at), at, other))
                    .filter(|&(distance, _, _)| distance <= eps2)
                    .min_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)))
                    .map(|(_, _, other)| other as u32)
            };
            let through = |&site: &u32| {
                let cell = if core[site as usize] { Some(cell as u32) } else { nearest(site) };
                cell.map(|cell| (site, cell))
            };
            index.sites_of(cell).iter().filter_map(through).collect()
        })
        .collect();
    let mut joined = vec![None; sites];
    for (site, cell) in found.into_iter().flatten() {
        joined[site as usize] = Some(cell);
    }
    joined
}
