//! Ripley's K: how many more incidents lie within r of an incident, per unit of intensity.

use std::f64::consts::TAU;

use brasa_model::Window;
use geo::Coord;
use rayon::prelude::*;

use crate::at_places::{Border, squared_to_side};
use crate::{AnalysisError, Sites, Watch};

/// How the pairs that the border hides are made up for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Correction {
    /// Each pair counts as one over the part of the circle around the first through the second that lies inside (Ripley
    /// 1977, doi:10.1111/j.2517-6161.1977.tb01615.x), at most [`MOST`].
    Isotropic,
    /// Only incidents at least r from the border ask (the reduced sample; Ripley 1988, ISBN 978-0-521-42420-2, ch. 3).
    Border,
}

/// The most that a pair may count under [`Correction::Isotropic`].
pub const MOST: f64 = 100.0;

/// Whether a stack of incidents on one place is one event of that weight or so many events.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Stacks {
    /// One event: incidents at the same place are no neighbours of one another. A geocoder stacks what happened along a
    /// block, so that their distance of zero says nothing about crime.
    #[default]
    Together,
    /// So many events at a distance of zero: what a tool does that knows incidents only.
    Apart,
}

impl Stacks {
    /// Σ w² over the events.
    pub fn squares(self, sites: &Sites) -> f64 {
        let one = |(weight, count): (&f64, &u32)| match self {
            Self::Together => weight * weight,
            Self::Apart => weight * weight / f64::from(*count),
        };
        sites.weight.iter().zip(&sites.count).map(one).sum()
    }
}

/// How far, in steps, rounding may have moved a distance.
const HAIR: f64 = 1e-9;

/// Sites per piece of parallel work; a constant, so that sums do not depend on threads.
const PIECE: usize = 32;

/// K at 0, `step`, …, `steps` · `step`, in the square of the unit of the coordinates.
///
/// Isotropic: K(r) = A / (N² − Σw²) · ΣΣ wᵢ wⱼ 1{dᵢⱼ ≤ r} / pᵢⱼ over pairs of different events. Border: the mean weight
/// within r of the incidents that are at least r inside, over N/A. A pair at distance zero counts from the first step on.
pub fn k_function(
    sites: &Sites,
    window: &Window,
    (step, steps): (f64, usize),
    correction: Correction,
    stacks: Stacks,
    watch: &Watch,
) -> Result<Vec<f64>, AnalysisError> {
    let border = Border::of(window);
    let most = step * steps as f64;
    // For each step, the sum of pairs and, under the border correction, the weight that asks; as differences.
    let piece = |start: usize| {
        let mut pairs = vec![0.0; steps + 2];
        let mut asking = vec![0.0; steps + 2];
        for here in start..(start + PIECE).min(sites.len()) {
            let (x, y, weight) = (sites.x[here], sites.y[here], sites.weight[here]);
            let inside = border.distance(x, y);
            // The first step at which it no longer asks.
            let end = match correction {
                Correction::Isotropic => steps + 1,
                Correction::Border => ((inside / step + HAIR).floor() as usize).min(steps) + 1,
            };
            asking[0] += weight;
            asking[end] -= weight;
            let circles = (correction == Correction::Isotropic && inside < most)
                .then(|| Circles::around(x, y, &border, step, steps));
            let mut count = |distance: f64, value: f64| {
                // A pair at a step's very distance belongs to it; a hair keeps rounding from moving it on.
                let from = ((distance / step - HAIR).ceil() as usize).clamp(1, steps + 1);
                if from < end {
                    pairs[from] += value;
                    pairs[end] -= value;
                }
            };
            if stacks == Stacks::Apart {
                count(0.0, weight * weight * (1.0 - 1.0 / f64::from(sites.count[here])));
            }
            for there in sites.rows_within(y, most) {
                let (dx, dy) = (sites.x[there] - x, sites.y[there] - y);
                let squared = dx * dx + dy * dy;
                if there == here || squared > most * most {
                    continue;
                }
                let distance = squared.sqrt();
                let times = match &circles {
                    Some(circles) if distance > inside => (1.0 / circles.share_inside(distance)).min(MOST),
                    _ => 1.0,
                };
                count(distance, weight * sites.weight[there] * times);
            }
        }
        (pairs, asking)
    };
    let phase = watch.phase("places", sites.len().next_multiple_of(PIECE) as u64);
    let watched = |at: usize| {
        let piece = piece(at * PIECE);
        phase.advance(PIECE as u64).map(|()| piece)
    };
    let pieces: Vec<_> =
        (0..sites.len().div_ceil(PIECE)).into_par_iter().map(watched).collect::<Result<_, _>>()?;
    let (mut pairs, mut asking) = (vec![0.0; steps + 2], vec![0.0; steps + 2]);
    for (more, asked) in &pieces {
        for at in 0..steps + 2 {
            pairs[at] += more[at];
            asking[at] += asked[at];
        }
    }
    let (total, area) = (sites.total_weight(), window.area_km2() * 1e6);
    let (mut sum, mut weight) = (0.0, 0.0);
    let k = (0..=steps)
        .map(|at| {
            sum += pairs[at];
            weight += asking[at];
            match correction {
                Correction::Isotropic => sum * area / (total * total - stacks.squares(sites)),
                Correction::Border => sum * area / (total * weight),
            }
        })
        .collect();
    Ok(k)
}

/// The sides near a place, filed by the distances at which a circle around it meets them.
struct Circles<'a> {
    x: f64,
    y: f64,
    border: &'a Border,
    step: f64,
    met: Vec<Vec<u32>>,
}

impl<'a> Circles<'a> {
    fn around(x: f64, y: f64, border: &'a Border, step: f64, steps: usize) -> Self {
        let mut met = vec![Vec::new(); steps + 1];
        for (at, &(a, b)) in border.sides.iter().enumerate() {
            let nearest = squared_to_side(x, y, a, b).sqrt();
            let farthest = apart(x, y, a).max(apart(x, y, b)).sqrt();
            // A hair wider than they are, so that rounding files no side where nobody looks for it.
            let first = (nearest * (1.0 - 1e-12) / step) as usize;
            let last = ((farthest * (1.0 + 1e-12) / step) as usize).min(steps);
            for bucket in met.iter_mut().take(last + 1).skip(first) {
                bucket.push(at as u32);
            }
        }
        Self { x, y, border, step, met }
    }

    /// The part of the circle of radius `r` that lies inside.
    fn share_inside(&self, r: f64) -> f64 {
        // A circle through a vertex can meet one side too few or too many; a hair further it does not.
        [r, r * (1.0 + 1e-9), r * (1.0 - 1e-9)].into_iter().find_map(|r| self.try_share(r)).unwrap_or(1.0)
    }

    /// Walking the circle counter-clockwise, the angle of each way out less that of each way in is the angle spent
    /// inside, up to whole turns.
    fn try_share(&self, r: f64) -> Option<f64> {
        let bucket = ((r / self.step) as usize).min(self.met.len() - 1);
        let (mut turned, mut ins, mut outs) = (0.0, 0, 0);
        for &at in &self.met[bucket] {
            let (a, b) = self.border.sides[at as usize];
            let (px, py, ex, ey) = (a.x - self.x, a.y - self.y, b.x - a.x, b.y - a.y);
            let (length, along) = (ex * ex + ey * ey, px * ex + py * ey);
            let root = along * along - length * (px * px + py * py - r * r);
            if root <= 0.0 {
                continue;
            }
            let root = root.sqrt();
            for (way, sign) in [(-along - root, 1.0), (-along + root, -1.0)] {
                let part = way / length;
                if (0.0..1.0).contains(&part) {
                    // Where the side enters the disc the circle leaves the window, since that lies on the side's left.
                    turned += sign * libm::atan2(py + part * ey, px + part * ex);
                    if sign > 0.0 {
                        outs += 1;
                    } else {
                        ins += 1;
                    }
                }
            }
        }
        match (ins, outs) {
            (0, 0) => Some(1.0),
            (ins, outs) if ins == outs => Some(turned.rem_euclid(TAU) / TAU),
            _ => None,
        }
    }
}

fn apart(x: f64, y: f64, end: Coord<f64>) -> f64 {
    (end.x - x) * (end.x - x) + (end.y - y) * (end.y - y)
}
