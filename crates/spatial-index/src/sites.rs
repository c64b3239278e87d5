//! Distinct places with weights. Geocoded data stacks many incidents on one coordinate; every method works on
//! sites, so that a stack costs as much as a single place and no index meets a duplicate.

use brasa_model::Incidents;
use rayon::prelude::*;

use crate::kernel_sums::Places;

/// The distinct places of a set of incidents, sorted from south to north, then from west to east.
///
/// Two incidents are at one place when their projected coordinates are the same bit for bit. The order is total,
/// so that sums over sites do not depend on the order of rows in the file.
#[derive(Debug, Clone, PartialEq)]
pub struct Sites {
    /// Easting in metres.
    pub x: Vec<f64>,
    /// Northing in metres, ascending.
    pub y: Vec<f64>,
    /// Sum of the weights of the incidents there.
    pub weight: Vec<f64>,
    /// Incidents there.
    pub count: Vec<u32>,
    /// Per incident, its site.
    pub of_incident: Vec<u32>,
}

impl Sites {
    /// The sites of `incidents`.
    pub fn new(incidents: &Incidents) -> Self {
        // -0.0 and 0.0 are one place.
        let key = |at: usize| (incidents.y[at] + 0.0, incidents.x[at] + 0.0, incidents.weight_of(at));
        let mut order: Vec<(f64, f64, f64, u32)> = (0..incidents.len())
            .into_par_iter()
            .map(|at| {
                let (y, x, weight) = key(at);
                (y, x, weight, at as u32)
            })
            .collect();
        order.par_sort_unstable_by(|a, b| {
            a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)).then(a.2.total_cmp(&b.2)).then(a.3.cmp(&b.3))
        });
        let mut sites = Self {
            x: Vec::new(),
            y: Vec::new(),
            weight: Vec::new(),
            count: Vec::new(),
            of_incident: vec![0; incidents.len()],
        };
        for (y, x, weight, at) in order {
            let last = sites.len().wrapping_sub(1);
            if last < sites.len() && sites.y[last] == y && sites.x[last] == x {
                sites.weight[last] += weight;
                sites.count[last] += 1;
            } else {
                sites.x.push(x);
                sites.y.push(y);
                sites.weight.push(weight);
                sites.count.push(1);
            }
            sites.of_incident[at as usize] = (sites.len() - 1) as u32;
        }
        sites
    }

    /// How many.
    pub const fn len(&self) -> usize {
        self.x.len()
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.x.is_empty()
    }

    /// Σ weight.
    pub fn total_weight(&self) -> f64 {
        self.weight.iter().sum()
    }

    /// The sites in their order, from the south.
    pub fn ordered(&self) -> Ordered<'_> {
        Ordered { x: &self.x, y: &self.y, weight: &self.weight }
    }

    /// The sites whose northing lies within `reach` of `y`, ends included.
    pub fn rows_within(&self, y: f64, reach: f64) -> std::ops::Range<usize> {
        self.ordered().rows_within(y, reach)
    }

    /// The sites as places with weights.
    pub fn places(&self) -> Places<'_> {
        self.ordered().places()
    }
}

/// Places from south to north, with weights of their own: the neighbours of a place in y are a range.
#[derive(Debug, Clone, Copy)]
pub struct Ordered<'a> {
    /// Easting in metres.
    pub x: &'a [f64],
    /// Northing in metres, ascending.
    pub y: &'a [f64],
    /// Weight.
    pub weight: &'a [f64],
}

impl<'a> Ordered<'a> {
    /// The same places, their order forgotten.
    pub const fn places(self) -> Places<'a> {
        Places { x: self.x, y: self.y, weight: Some(self.weight) }
    }

    /// The places whose northing lies within `reach` of `y`, ends included.
    pub fn rows_within(&self, y: f64, reach: f64) -> std::ops::Range<usize> {
        let start = self.y.partition_point(|&at| at < y - reach);
        let end = start + self.y[start..].partition_point(|&at| at <= y + reach);
        start..end
    }
}
