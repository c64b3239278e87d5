//! DBSCAN in tiles: what a tile says of its rows, and how the tiles' clusters become those of the whole.
//!
//! # Why it is exact
//! A halo of 2 · eps makes all that a tile says of its own rows final:
//!
//! - Whether a row is a core takes its neighbours, who lie within eps. So a tile knows it of every row that lies within eps of
//!   itself. Further out it may miss cores, and never makes one up.
//! - A border row goes to the nearest core, the southern-most and then western-most of equals. All candidates of an own
//!   row lie within eps, and what is a core there is known.
//! - Two cores that are neighbours are in one cluster in the tile of either, and every union that a tile makes is one of the
//!   whole. So the clusters of the whole are those of the tiles, united wherever two tiles see the same core.
//!
//! A halo of eps would do if tiles told each other about cores in a round of its own; twice the halo is cheaper than twice the
//! rounds. The numbers are then given by the rule of [`dbscan`](crate::methods::cluster::dbscan) on the rows of
//! all tiles: 1 is the heaviest, the southern-most of equals.
//!
//! # What must be the same in each tile
//! `eps`, `min-points` and the tiling. A halo row that is a core in one tile and none in its own, a row that no tile or more
//! than one calls its own: these are refused, because they mean that something was not.

use std::num::NonZeroU32;

use brasa_model::Metres;

use super::Tiling;
use crate::clusters::numbers;
use crate::cores::cores_of_sites;
use crate::groups::Groups;
use crate::kernel_sums::Places;
use crate::{AnalysisError, Sites};

/// The rows of one tile: its own and those in its halo.
#[derive(Debug, Clone, Copy)]
pub struct TileRows<'a> {
    /// Which tile: its column and row.
    pub tile: (i64, i64),
    /// Where they are, in metres, and what they weigh.
    pub places: Places<'a>,
    /// Per row, whether it is the tile's own.
    pub own: &'a [bool],
}

/// What a tile says of its rows: of all its own, and of the cores in its halo, one for each place.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TileClusters {
    /// Which row, by its position in the tile.
    pub at: Vec<usize>,
    /// Whether it is a core; of an own row, whether it is one in the whole.
    pub core: Vec<bool>,
    /// The cluster it belongs to, by a number that means nothing outside the tile; `None` for noise.
    pub cluster: Vec<Option<u32>>,
}

/// The clusters of one tile.
///
/// # Errors
/// [`AnalysisError::Parameter`] when the halo is narrower than 2 · eps, when a row is not where its tile says, or when
/// a coordinate or weight is not a number that can be used.
pub fn of_tile(
    rows: TileRows<'_>,
    tiling: &Tiling,
    eps: Metres,
    min_points: NonZeroU32,
) -> Result<TileClusters, AnalysisError> {
    let TileRows { tile, places, own } = rows;
    if tiling.halo() < 2.0 * eps.get() {
        return Err(refused(format!(
            "a halo of {} m does not tell which of its rows are cores; it must be twice eps, {} m or more",
            tiling.halo(),
            2.0 * eps.get()
        )));
    }
    for (at, &own) in own.iter().enumerate() {
        let (x, y) = (places.x[at], places.y[at]);
        let weight = places.weight.map_or(1.0, |weight| weight[at]);
        if !(weight >= 0.0 && weight.is_finite()) {
            return Err(refused(format!(
                "row {at}: {weight} is not a weight; one is finite and not negative"
            )));
        }
        let (tile_x, tile_y) = tile;
        if !(x.is_finite() && y.is_finite() && tiling.sees(tile, x, y) && own == tiling.owns(tile, x, y)) {
            let part = if own { "in tile" } else { "in the halo of tile" };
            return Err(refused(format!("row {at}: ({x}, {y}) is not {part} ({tile_x}, {tile_y})")));
        }
    }
    let sites = Sites::of(places);
    let found = cores_of_sites(&sites, eps.get(), min_points)?;
    let mut told = vec![false; sites.len()];
    let mut clusters = TileClusters::default();
    for (at, (&site, &own)) in sites.of_incident.iter().zip(own).enumerate() {
        let site = site as usize;
        if own || (found.core[site] && !std::mem::replace(&mut told[site], true)) {
            clusters.at.push(at);
            clusters.core.push(found.core[site]);
            clusters.cluster.push(found.group[site]);
        }
    }
    Ok(clusters)
}

/// What tiles said, one line for each row of each, in any order.
#[derive(Debug, Clone, Copy)]
pub struct Told<'a> {
    /// Which tile said it.
    pub tile_x: &'a [i64],
    /// And in which row of tiles that is.
    pub tile_y: &'a [i64],
    /// What names a row in the whole.
    pub row: &'a [i64],
    /// Where it is, in metres, and what it weighs.
    pub places: Places<'a>,
    /// Whether it is the tile's own.
    pub own: &'a [bool],
    /// Whether it is a core.
    pub core: &'a [bool],
    /// The tile's cluster.
    pub cluster: &'a [Option<i64>],
}

/// The clusters of the whole, by ascending row.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Merged {
    /// What names a row.
    pub row: Vec<i64>,
    /// The number of its cluster, from 1 for the heaviest; `None` for noise.
    pub cluster: Vec<Option<u32>>,
    /// Whether it is a core.
    pub core: Vec<bool>,
}

/// The clusters of the whole, out of what all of its tiles said.
///
/// # Errors
/// [`AnalysisError::Parameter`] when what they said does not fit together: a row without a tile of its own or with several, a core
/// that is none in its own tile.
pub fn merged(told: Told<'_>) -> Result<Merged, AnalysisError> {
    let Told { tile_x, tile_y, row, places, own, core, cluster } = told;
    // Every cluster of every tile, under a number from 0.
    let key = |at: usize| cluster[at].map(|cluster| (tile_y[at], tile_x[at], cluster));
    let mut keys: Vec<(i64, i64, i64)> = (0..row.len()).filter_map(key).collect();
    keys.sort_unstable();
    keys.dedup();
    let mut groups = Groups::apart(keys.len());
    let group = |at: usize| key(at).and_then(|key| keys.binary_search(&key).ok()).map(|at| at as u32);

    let mut owned: Vec<usize> = (0..row.len()).filter(|&at| own[at]).collect();
    owned.sort_unstable_by_key(|&at| row[at]);
    if let Some(pair) = owned.windows(2).find(|pair| row[pair[0]] == row[pair[1]]) {
        return Err(refused(format!(
            "row {} is there twice: a tile was given twice, or the numbers of rows do not count over the whole",
            row[pair[0]]
        )));
    }
    for at in (0..row.len()).filter(|&at| !own[at]) {
        let Ok(home) = owned.binary_search_by_key(&row[at], |&at| row[at]) else {
            return Err(refused(format!("row {} lies in a halo and in no tile: a tile is missing", row[at])));
        };
        let home = owned[home];
        match (group(home), group(at)) {
            (Some(here), Some(there)) if core[home] && core[at] => groups.unite(here, there),
            _ => {
                return Err(refused(format!(
                    "row {} is a core in a halo and none in its own tile: the tiles were not clustered alike",
                    row[at]
                )));
            }
        }
    }

    let pick = |values: &[f64]| owned.iter().map(|&at| values[at]).collect::<Vec<_>>();
    let (x, y, weight) = (pick(places.x), pick(places.y), places.weight.map(pick));
    let sites = Sites::of(Places { x: &x, y: &y, weight: weight.as_deref() });
    let mut group_of_site = vec![None; sites.len()];
    for (&at, &site) in owned.iter().zip(&sites.of_incident) {
        group_of_site[site as usize] = group(at).map(|group| groups.root(group));
    }
    let number = numbers(&sites, &group_of_site);
    Ok(Merged {
        row: owned.iter().map(|&at| row[at]).collect(),
        cluster: sites.of_incident.iter().map(|&site| number[site as usize]).collect(),
        core: owned.iter().map(|&at| core[at]).collect(),
    })
}

const fn refused(why: String) -> AnalysisError {
    AnalysisError::Parameter { method: "tile_dbscan", why }
}

#[cfg(test)]
mod tests;
