//! Groups of incidents, and noise.

use geo::{Area, Coord, Polygon};

use crate::{Interval, Note, PeakHours, Provenance};

/// A partition of the incidents into clusters and noise.
#[derive(Debug, Clone)]
pub struct Clusters {
    /// Per incident: the number of its cluster of the first order, from 1, or `None` for noise and for what was not clustered.
    pub labels: Vec<Option<u32>>,
    /// Per incident: whether it is a core incident.
    pub core: Vec<bool>,
    /// How many incidents were to be clustered: all, or the cases among them.
    pub clustered: usize,
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
    /// Incidents in no cluster, of those that were to be clustered.
    pub fn noise(&self) -> usize {
        self.clustered - self.labels.iter().flatten().count()
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
    /// 1 for a cluster of incidents, 2 for a cluster of clusters, and so on.
    pub order: u32,
    /// How many incidents it holds.
    pub incidents: u64,
    /// How many distinct places they are on.
    pub sites: u64,
    /// The sum of their weights.
    pub weight: f64,
    /// Its share of the weight of all that were to be clustered.
    pub share: f64,
    /// The weighted mean of their places.
    pub mean_centre: Coord<f64>,
    /// The place among them with the least weighted sum of distances to the others.
    pub medoid: Coord<f64>,
    /// How they spread; absent for one or two incidents.
    pub ellipse: Option<Ellipse>,
    /// Its outline.
    pub outline: Polygon<f64>,
    /// From the first second of its earliest to the end of its latest incident; absent where no time is known.
    pub period: Option<Interval>,
    /// The four hours with the most incidents; absent when hours are not known.
    pub peak: Option<PeakHours>,
    /// How it compares with chance.
    pub excess: Excess,
}

impl Cluster {
    /// The area of its outline.
    pub fn area_km2(&self) -> f64 {
        self.outline.unsigned_area() / 1e6
    }

    /// Weight per km² of its outline.
    pub fn density(&self) -> f64 {
        self.weight / self.area_km2()
    }
}

/// A standard deviational ellipse around the mean centre.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ellipse {
    /// The longer semi-axis, in metres.
    pub major: f64,
    /// The shorter semi-axis, in metres.
    pub minor: f64,
    /// Where the longer axis points, in degrees clockwise from north, at least 0 and less than 180.
    pub bearing: f64,
}

/// A cluster against what chance would put into its region.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Excess {
    /// The weight expected there.
    pub expected: f64,
    /// The logarithm of the likelihood ratio; 0 where there is no more than expected.
    pub llr: f64,
    /// The share of worlds made by chance, this one among them, whose strongest cluster is at least as strong; absent where none
    /// was made.
    pub p: Option<f64>,
}
