//! From groups of places to clusters as they are reported: numbered, measured, outlined.

use std::collections::BTreeMap;

use brasa_model::{Cluster, Clusters, Provenance};
use geo::{ConvexHull, Coord, MultiPoint, Point, Polygon};
use rayon::prelude::*;

use crate::Sites;

/// The clusters that `group` makes of the sites: the same number for the sites of one cluster, `None` for noise. `core` says
/// which sites are cores; `margin` is how far an outline reaches beyond its places.
pub fn clusters(
    sites: &Sites,
    group: &[Option<u32>],
    core: &[bool],
    margin: f64,
    provenance: Provenance,
) -> Clusters {
    let number = number_by_weight(sites, group);
    let of_site: Vec<Option<u32>> =
        group.iter().map(|group| group.and_then(|root| number.get(&root).copied())).collect();
    let labels = sites.of_incident.iter().map(|&site| of_site[site as usize]).collect();
    let core = sites.of_incident.iter().map(|&site| core[site as usize]).collect();
    let clusters = describe(sites, &of_site, number.len(), margin);
    Clusters { labels, core, clusters, scores: None, provenance, notes: Vec::new() }
}

/// Numbers the groups from the heaviest; of two equally heavy ones the southern-most first.
fn number_by_weight(sites: &Sites, group: &[Option<u32>]) -> BTreeMap<u32, u32> {
    let mut weights: BTreeMap<u32, (f64, usize)> = BTreeMap::new();
    for (site, root) in group.iter().enumerate().filter_map(|(site, root)| root.map(|root| (site, root))) {
        weights.entry(root).or_insert((0.0, site)).0 += sites.weight[site];
    }
    let mut order: Vec<(u32, f64, usize)> =
        weights.into_iter().map(|(root, (weight, first))| (root, weight, first)).collect();
    order.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.2.cmp(&b.2)));
    order.into_iter().zip(1..).map(|((root, _, _), number)| (root, number)).collect()
}

/// The clusters as they are reported. The outline is the convex hull of the places, widened by `margin` so that a
/// cluster on one place or on a line has an area too.
fn describe(sites: &Sites, of_site: &[Option<u32>], clusters: usize, margin: f64) -> Vec<Cluster> {
    let mut members: Vec<Vec<usize>> = vec![Vec::new(); clusters];
    for (site, number) in of_site.iter().enumerate() {
        if let Some(number) = number {
            members[*number as usize - 1].push(site);
        }
    }
    members
        .into_par_iter()
        .enumerate()
        .map(|(at, members)| {
            let weight: f64 = members.iter().map(|&site| sites.weight[site]).sum();
            let mean = |values: &[f64]| {
                // Around the first member, so that large coordinates cost no precision; plain where weights are zero.
                let first = values[members[0]];
                let total: f64 =
                    members.iter().map(|&site| sites.weight[site] * (values[site] - first)).sum();
                if weight > 0.0 { first + total / weight } else { first }
            };
            Cluster {
                number: at as u32 + 1,
                incidents: members.iter().map(|&site| u64::from(sites.count[site])).sum(),
                sites: members.len() as u64,
                weight,
                mean_centre: Coord { x: mean(&sites.x), y: mean(&sites.y) },
                outline: widened_hull(members.iter().map(|&site| (sites.x[site], sites.y[site])), margin),
            }
        })
        .collect()
}

/// The convex hull of octagons of radius `margin` around the places.
fn widened_hull(places: impl Iterator<Item = (f64, f64)>, margin: f64) -> Polygon<f64> {
    let diagonal = margin * std::f64::consts::FRAC_1_SQRT_2;
    let octagon = [
        (margin, 0.0),
        (diagonal, diagonal),
        (0.0, margin),
        (-diagonal, diagonal),
        (-margin, 0.0),
        (-diagonal, -diagonal),
        (0.0, -margin),
        (diagonal, -diagonal),
    ];
    let corners = places.flat_map(|(x, y)| octagon.map(|(dx, dy)| Point::new(x + dx, y + dy)));
    MultiPoint::new(corners.collect()).convex_hull()
}
