//! Groups of incidents, and noise.

use geo::{Coord, Polygon};

use crate::{Note, Provenance};

/// A partition of the incidents into clusters and noise.
#[derive(Debug, Clone)]
pub struct Clusters {
    /// Per incident: the number of its cluster from 1, or `None` for noise.
    pub labels: Vec<Option<u32>>,
    /// Per incident: whether it is a core incident.
    pub core: Vec<bool>,
    /// The clusters, number 1 first.
    pub clusters: Vec<Cluster>,
    /// How firmly each incident belongs, where the method says so.
    pub scores: Option<Scores>,
    /// How it was made.
    pub provenance: Provenance,
    /// What was chosen or noticed on the way.
    pub notes: Vec<Note>,
}

impl Clusters {
    /// Incidents in no cluster.
    pub fn noise(&self) -> usize {
        self.labels.iter().filter(|label| label.is_none()).count()
    }
}

/// What a method that looks at every density says beyond the partition.
#[derive(Debug, Clone, PartialEq)]
pub struct Scores {
    /// Per incident: how near the middle of its cluster it is, from 0 (at the rim, or noise) to 1.
    pub membership: Vec<f64>,
    /// Per incident: how far its density lies below that of the cluster it fell out of, from 0 to 1 (GLOSH); NaN where no density
    /// is known.
    pub outlier: Vec<f64>,
    /// Per cluster: how long it lasts as density rises, in incidents per metre; infinite for one that ends on one place.
    pub stability: Vec<f64>,
}

/// One cluster.
#[derive(Debug, Clone)]
pub struct Cluster {
    /// Its number, from 1.
    pub number: u32,
    /// How many incidents it holds.
    pub incidents: u64,
    /// How many distinct places they are on.
    pub sites: u64,
    /// The sum of their weights.
    pub weight: f64,
    /// The weighted mean of their places.
    pub mean_centre: Coord<f64>,
    /// Its outline.
    pub outline: Polygon<f64>,
}
