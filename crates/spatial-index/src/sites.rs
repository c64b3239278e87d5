//! Distinct places with weights. Geocoded data stacks many incidents on one coordinate; every method works on
//! sites, so that a stack costs as much as a single place and no index meets a duplicate.

use std::cmp::Ordering;
use std::ops::AddAssign;

use brasa_model::{Grid, Incidents};
use rayon::prelude::*;

use crate::kernel_sums::Places;
use crate::sorting::{quantised, sort};

/// The distinct places of a set of incidents, sorted from south to north, then from west to east.
///
/// Two incidents are at one place when their projected coordinates are the same bit for bit. The order is total,
/// so that sums over sites do not depend on the order of rows in the file.
#[derive(Debug, Clone, Default, PartialEq)]
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
        let weight = incidents.weight.as_deref();
        Self::of(Places { x: &incidents.x, y: &incidents.y, weight })
    }

    /// The sites of places that are given one by one, stacks and all.
    pub fn of(places: Places<'_>) -> Self {
        let mut order = by_place(places);
        Self::in_order(places, &order).unwrap_or_else(|| {
            // Places closer than a key can tell, or stacks of unequal weights: such a run is sorted by the numbers themselves.
            let row = along(places.y);
            let row = |at: u32| row(places.y[at as usize]);
            order.chunk_by_mut(|&a, &b| row(a) == row(b)).for_each(|run| {
                run.sort_unstable_by(|&a, &b| compare(places, a, b));
            });
            Self::in_order(places, &order).unwrap_or_default()
        })
    }

    /// The sites of the places in `order`; `None` if they are not in the order of sites.
    fn in_order(places: Places<'_>, order: &[u32]) -> Option<Self> {
        // Counted first: vectors that grow hold twice what they need, and leave as much behind.
        let apart = |pair: &[u32]| usize::from(place(places, pair[0]) != place(places, pair[1]));
        let count = order.par_windows(2).map(apart).sum::<usize>() + usize::from(!order.is_empty());
        let mut sites = Self {
            x: Vec::with_capacity(count),
            y: Vec::with_capacity(count),
            weight: Vec::with_capacity(count),
            count: Vec::with_capacity(count),
            of_incident: vec![0; places.x.len()],
        };
        let (mut last, mut at) = (None, 0);
        for &next in order {
            let (y, x) = place(places, next);
            match last {
                Some(last) if place(places, last) == (y, x) => {
                    if places.weight.is_some() && compare(places, last, next).is_gt() {
                        return None;
                    }
                    sites.weight[at] += weight_of(places, next);
                    sites.count[at] += 1;
                }
                Some(last) if place(places, last) > (y, x) => return None,
                _ => {
                    at = sites.len();
                    sites.x.push(x);
                    sites.y.push(y);
                    sites.weight.push(weight_of(places, next));
                    sites.count.push(1);
                }
            }
            sites.of_incident[next as usize] = at as u32;
            last = Some(next);
        }
        Some(sites)
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

    /// What the sites in each cell of a grid that lies inside its window have together, in the order of [`Grid::cells`]: `of` tells it per
    /// site, as their weight or count. And how many incidents are in no such cell.
    pub fn summed_in<T: Copy + Default + AddAssign>(&self, grid: &Grid, of: &[T]) -> (Vec<T>, u64) {
        let mut dense = vec![T::default(); grid.nx() * grid.ny()];
        let mut outside = 0;
        for (site, &of) in of.iter().enumerate() {
            match grid.cell_at(self.x[site], self.y[site]).filter(|&cell| grid.is_inside(cell)) {
                Some(cell) => dense[cell] += of,
                None => outside += u64::from(self.count[site]),
            }
        }
        (grid.cells().map(|cell| dense[cell]).collect(), outside)
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

/// Northing and easting of a place; -0.0 and 0.0 are one.
fn place(places: Places<'_>, at: u32) -> (f64, f64) {
    (places.y[at as usize] + 0.0, places.x[at as usize] + 0.0)
}

fn weight_of(places: Places<'_>, at: u32) -> f64 {
    places.weight.map_or(1.0, |weight| weight[at as usize])
}

/// The order of places on their way into sites: northing, easting, weight, and then the row, so that it is total.
fn compare(places: Places<'_>, a: u32, b: u32) -> Ordering {
    let ((ya, xa), (yb, xb)) = (place(places, a), place(places, b));
    let weight = |at: u32| weight_of(places, at);
    ya.total_cmp(&yb).then(xa.total_cmp(&xb)).then(weight(a).total_cmp(&weight(b))).then(a.cmp(&b))
}

/// The places from south to north, then from west to east, as far as the keys of either coordinate tell.
fn by_place(places: Places<'_>) -> Vec<u32> {
    let (north, east) = (along(places.y), along(places.x));
    let all = places.y.par_iter().zip(places.x).enumerate();
    let mut keys: Vec<u128> = all.map(|(at, (&y, &x))| north(y) << 80 | east(x) << 32 | at as u128).collect();
    sort(&mut keys);
    keys.into_iter().map(|key| key as u32).collect()
}

/// Keys of 48 bits for these coordinates.
fn along(values: &[f64]) -> impl Fn(f64) -> u128 {
    let (low, high) = values
        .iter()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &value| (low.min(value), high.max(value)));
    quantised(low, high - low, 48)
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
