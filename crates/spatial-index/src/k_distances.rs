//! How far each place must look to be a core, and the radius at which that curve bends.

use std::num::NonZeroU32;

use brasa_model::Span;
use rayon::prelude::*;

use crate::{AnalysisError, Moments, Sites};

/// Places in a leaf of the tree.
const LEAF: usize = 16;

/// Places in the order of a k-d tree: the middle of every stretch longer than a leaf splits it, on one axis after the other.
struct Tree<const D: usize> {
    at: Vec<[f64; D]>,
    weight: Vec<f64>,
    members: Vec<u32>,
}

/// The places nearest to one place that weigh enough together, by the squares of their distances.
struct Nearest {
    found: Vec<(f64, f64)>,
    weight: f64,
    least: f64,
}

impl Nearest {
    /// What lies farther cannot matter.
    fn bound(&self) -> f64 {
        match self.found.last() {
            Some(&(farthest, _)) if self.weight >= self.least => farthest,
            _ => f64::INFINITY,
        }
    }

    fn offer(&mut self, square: f64, weight: f64) {
        if square >= self.bound() {
            return;
        }
        let at = self.found.partition_point(|&(other, _)| other <= square);
        self.found.insert(at, (square, weight));
        self.weight += weight;
        while let Some(&(_, farthest)) = self.found.last()
            && self.weight - farthest >= self.least
        {
            self.weight -= farthest;
            self.found.pop();
        }
    }
}

impl<const D: usize> Tree<D> {
    fn new(count: usize, place: impl Fn(usize) -> [f64; D], weight: impl Fn(usize) -> f64) -> Self {
        let at: Vec<[f64; D]> = (0..count).map(place).collect();
        let mut members: Vec<u32> = (0..count as u32).collect();
        Self::split(&mut members, &at, 0);
        let weight = members.iter().map(|&member| weight(member as usize)).collect();
        Self { at: members.iter().map(|&member| at[member as usize]).collect(), weight, members }
    }

    fn split(members: &mut [u32], at: &[[f64; D]], axis: usize) {
        if members.len() <= LEAF {
            return;
        }
        let half = members.len() / 2;
        members.select_nth_unstable_by(half, |&a, &b| {
            at[a as usize][axis].total_cmp(&at[b as usize][axis]).then(a.cmp(&b))
        });
        let (low, high) = members.split_at_mut(half);
        let next = (axis + 1) % D;
        rayon::join(|| Self::split(low, at, next), || Self::split(&mut high[1..], at, next));
    }

    /// Offers the places from `from` to `to` that may matter to `nearest`, the near side of each split first.
    fn search(
        &self,
        here: [f64; D],
        time: f64,
        (from, to): (usize, usize),
        axis: usize,
        nearest: &mut Nearest,
    ) {
        if to - from <= LEAF {
            for at in from..to {
                self.offer(here, time, at, nearest);
            }
            return;
        }
        let half = from + (to - from) / 2;
        let beyond = here[axis] - self.at[half][axis];
        let (near, far) =
            if beyond < 0.0 { ((from, half), (half + 1, to)) } else { ((half + 1, to), (from, half)) };
        let next = (axis + 1) % D;
        self.search(here, time, near, next, nearest);
        self.offer(here, time, half, nearest);
        let reached = if axis < 2 { beyond * beyond < nearest.bound() } else { beyond.abs() <= time };
        if reached {
            self.search(here, time, far, next, nearest);
        }
    }

    fn offer(&self, here: [f64; D], time: f64, at: usize, nearest: &mut Nearest) {
        let other = self.at[at];
        if D < 3 || (here[2] - other[2]).abs() <= time {
            let (dx, dy) = (here[0] - other[0], here[1] - other[1]);
            nearest.offer(dx * dx + dy * dy, self.weight[at]);
        }
    }
}

/// Per place, the least radius within which the places weigh `least`, its own included: the distance to the k-th nearest where
/// everything weighs 1, and the least `eps` that makes it a core. Where places have a third coordinate only those
/// at most `time` of its seconds away count. Infinite where there is no such radius.
pub fn k_distances<const D: usize>(
    count: usize,
    place: impl Fn(usize) -> [f64; D],
    weight: impl Fn(usize) -> f64,
    time: f64,
    least: f64,
) -> Vec<f64> {
    let tree = Tree::new(count, place, weight);
    let found: Vec<f64> = tree
        .at
        .par_iter()
        .map(|&here| {
            let mut nearest = Nearest { found: Vec::new(), weight: 0.0, least };
            tree.search(here, time, (0, count), 0, &mut nearest);
            nearest.bound().sqrt()
        })
        .collect();
    let mut distances = vec![f64::INFINITY; count];
    for (&member, distance) in tree.members.iter().zip(found) {
        distances[member as usize] = distance;
    }
    distances
}

/// The curve of core shares of sites, by distance in space alone.
///
/// # Errors
/// As [`CoreShare::new`].
pub fn core_share_of_sites(sites: &Sites, min_points: NonZeroU32) -> Result<CoreShare, AnalysisError> {
    let place = |at: usize| [sites.x[at], sites.y[at]];
    let least = f64::from(min_points.get());
    let distances = k_distances(sites.len(), place, |at| sites.weight[at], 0.0, least);
    CoreShare::new(&distances, |at| sites.count[at])
}

/// The curve of core shares of moments, where only those at most `time` away count.
///
/// # Errors
/// As [`CoreShare::new`].
pub fn core_share_of_moments(
    moments: &Moments,
    time: Span,
    min_points: NonZeroU32,
) -> Result<CoreShare, AnalysisError> {
    let weight = |at| moments.weight(at);
    let (time, least) = (time.seconds() as f64, f64::from(min_points.get()));
    let distances = k_distances(moments.timed.len(), |at| moments.place(at), weight, time, least);
    CoreShare::new(&distances, |at| moments.sites.count[moments.timed[at] as usize])
}

/// The share of incidents that are cores, over the radius: the sorted k-distances with their axes exchanged.
#[derive(Debug, Clone, PartialEq)]
pub struct CoreShare {
    /// The distinct k-distances, ascending.
    pub eps: Vec<f64>,
    /// The share of incidents whose k-distance is at most that.
    pub share: Vec<f64>,
    /// How far the share lies above the chord from no incident at the least k-distance to all at the greatest, both axes
    /// scaled to one.
    pub above: Vec<f64>,
    /// The step that lies highest above the chord, the first of equals; `None` when all k-distances are the same.
    pub knee: Option<usize>,
}

impl CoreShare {
    /// From the k-distance of each place and its number of incidents. Infinite distances count in the share only.
    ///
    /// The knee is that of Kneedle (Satopaa, Albrecht, Irwin & Raghavan 2011, doi:10.1109/ICDCSW.2011.20) on the whole curve
    /// at once: the greatest difference from the chord. Nothing is smoothed and no sensitivity is set.
    ///
    /// # Errors
    /// [`AnalysisError::RuleFailed`] when no place has a k-distance.
    pub fn new(distances: &[f64], count: impl Fn(usize) -> u32) -> Result<Self, AnalysisError> {
        let total: u64 = (0..distances.len()).map(|at| u64::from(count(at))).sum();
        let mut order: Vec<(f64, u32)> = distances
            .iter()
            .enumerate()
            .map(|(at, &eps)| (eps, count(at)))
            .filter(|(eps, _)| eps.is_finite())
            .collect();
        order.par_sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        let (Some(&(low, _)), Some(&(high, _))) = (order.first(), order.last()) else {
            return Err(failed("no incident has so many near it; fewer --min-points may do"));
        };
        let most: u64 = order.iter().map(|&(_, count)| u64::from(count)).sum();
        let mut curve = Self { eps: Vec::new(), share: Vec::new(), above: Vec::new(), knee: None };
        let mut reached = 0_u64;
        for step in order.chunk_by(|a, b| a.0 == b.0) {
            reached += step.iter().map(|&(_, count)| u64::from(count)).sum::<u64>();
            let along = if high > low { (step[0].0 - low) / (high - low) } else { 0.0 };
            curve.eps.push(step[0].0);
            curve.share.push(reached as f64 / total as f64);
            curve.above.push(reached as f64 / most as f64 - along);
        }
        if curve.eps.len() > 1 {
            let better = |best: usize, at: usize| if curve.above[at] > curve.above[best] { at } else { best };
            curve.knee = Some((1..curve.eps.len()).fold(0, better));
        }
        Ok(curve)
    }

    /// The radius at the knee, in metres, and the share of incidents that are cores there.
    ///
    /// # Errors
    /// [`AnalysisError::RuleFailed`] when there is no knee, or when it lies at 0 m.
    pub fn at_knee(&self) -> Result<(f64, f64), AnalysisError> {
        let Some(knee) = self.knee else {
            let only = self.eps.first().copied().unwrap_or(f64::NAN);
            return Err(failed(&format!(
                "the k-th nearest is {only:.1} m from every incident, and a curve of one step has no knee"
            )));
        };
        if self.eps[knee] > 0.0 {
            return Ok((self.eps[knee], self.share[knee]));
        }
        Err(failed(
            "most incidents lie in stacks of min-points or more, so that the knee is at 0 m; more --min-points may do",
        ))
    }

    /// The curve without the steps that bring nothing new: those kept are the ends, the knee, and each that lies at least a
    /// 200th of either axis from the last one kept.
    #[must_use]
    pub fn thinned(&self) -> Self {
        let (Some(low), Some(high), Some(most)) = (self.eps.first(), self.eps.last(), self.share.last())
        else {
            return self.clone();
        };
        let mut thin = Self { eps: Vec::new(), share: Vec::new(), above: Vec::new(), knee: None };
        let (mut last_eps, mut last_share) = (f64::NEG_INFINITY, 0.0);
        for at in 0..self.eps.len() {
            let (eps, share) = (self.eps[at], self.share[at]);
            let far = (eps - last_eps) * 200.0 >= high - low || (share - last_share) * 200.0 >= *most;
            if far || Some(at) == self.knee || at + 1 == self.eps.len() {
                if Some(at) == self.knee {
                    thin.knee = Some(thin.eps.len());
                }
                thin.eps.push(eps);
                thin.share.push(share);
                thin.above.push(self.above[at]);
                (last_eps, last_share) = (eps, share);
            }
        }
        thin
    }
}

/// Why the rule gives no radius.
fn failed(why: &str) -> AnalysisError {
    AnalysisError::RuleFailed { rule: "auto", what: "eps", why: why.to_owned() }
}
