//! Ripley's K: how many more incidents lie within r of an incident, per unit of intensity; and the pair correlation, the same
//! for a ring.

use std::f64::consts::{PI, TAU};

use brasa_model::Window;
use geo::Coord;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::at_places::{Border, squared_to_side};
use crate::pairs::{Radii, Strips};
use crate::set_covariance::SetCovariance;
use crate::{AnalysisError, Sites, Watch};
use brasa_model::as_word;

/// How the pairs that the border hides are made up for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Correction {
    /// They are not: K is too low, the more so the larger r.
    None,
    /// Only incidents at least r from the border ask (the reduced sample; Ripley 1988, ISBN 978-0-521-42420-2, ch. 3).
    #[default]
    Border,
    /// Each pair counts as one over the share of the window that covers the window moved by the way from one to the other
    /// (Ohser 1983, Math. Operationsforsch. Statist. 14, 63-71): [`SetCovariance`].
    Translation,
    /// Each pair counts as one over the part of the circle around the first through the second that lies inside (Ripley
    /// 1977, doi:10.1111/j.2517-6161.1977.tb01615.x), at most [`MOST`].
    Isotropic,
}

as_word!(Correction, None = "none", Border = "border", Translation = "translation", Isotropic = "isotropic");

/// The most that a pair may count under [`Correction::Isotropic`] and [`Correction::Translation`].
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

/// Sites per piece of parallel work; a constant, so that sums do not depend on threads.
const PIECE: usize = 64;

/// K and the pair correlation g at radius 0, 1, …
#[derive(Debug, Clone, PartialEq)]
pub struct KFunction {
    /// K in the square of the unit of the coordinates; 0 at radius 0. NaN where nobody asks.
    pub k: Vec<f64>,
    /// g of the ring from the radius before to this one: pairs in it over those expected. NaN at radius 0 and where nobody asks.
    pub g: Vec<f64>,
}

/// K and g of a pattern, for any number of patterns in one window at the same radii.
pub struct KFunctions {
    border: Border,
    area: f64,
    radii: Radii,
    correction: Correction,
    stacks: Stacks,
    moved: Option<SetCovariance>,
}

impl KFunctions {
    /// In `window`, at `radii`, for patterns with about so many pairs of incidents in all: of how many it is to decide whether the
    /// overlap of the window with itself is found for each ([`SetCovariance`]).
    pub fn new(window: &Window, radii: Radii, correction: Correction, stacks: Stacks, pairs: f64) -> Self {
        let area = window.area_km2() * 1e6;
        let disc = (PI * radii.most() * radii.most() / area).min(1.0);
        let moved = (correction == Correction::Translation)
            .then(|| SetCovariance::of(window, radii.most(), pairs * disc));
        Self { border: Border::of(window), area, radii, correction, stacks, moved }
    }

    /// Whether the overlap of the window with itself is interpolated.
    pub const fn is_interpolated(&self) -> bool {
        matches!(self.moved, Some(SetCovariance::Table { .. }))
    }

    /// Of these sites.
    ///
    /// K(r) = A / (N² − Σw²) · ΣΣ wᵢ wⱼ 1{dᵢⱼ ≤ r} eᵢⱼ over pairs of different events, with eᵢⱼ by the correction. Border: the mean
    /// weight within r of the incidents that are at least r inside, over N/A. A pair at distance zero counts from the first radius
    /// on, and in no ring.
    ///
    /// Every pair is counted once, as if there were no border; what the border makes different is put right incident by incident for
    /// those within the largest radius of it.
    ///
    /// # Errors
    /// [`AnalysisError::Interrupted`] when nobody waits any more.
    pub fn of(&self, sites: &Sites, watch: &Watch) -> Result<KFunction, AnalysisError> {
        let (radii, steps) = (&self.radii, self.radii.steps());
        let strips = Strips::of(sites, radii.most());
        let pairs = match &self.moved {
            None => strips.pairs(radii, |_, _| 1.0, watch)?,
            // A case of its own, so that it is done on many pairs at a time.
            Some(SetCovariance::Rectangle(width, height)) => {
                let (per_width, per_height) = (1.0 / width, 1.0 / height);
                let times = |dx: f64, dy: f64| {
                    let share = (1.0 - dx.abs() * per_width) * (1.0 - dy.abs() * per_height);
                    if share > 1.0 / MOST { 1.0 / share } else { MOST }
                };
                strips.pairs(radii, times, watch)?
            }
            Some(overlap) => strips.pairs(radii, |dx, dy| (1.0 / overlap.share(dx, dy)).min(MOST), watch)?,
        };
        let at_once = match self.stacks {
            Stacks::Together => 0.0,
            Stacks::Apart => (0..sites.len()).map(|site| stacked(sites, site)).sum(),
        };
        // Both ways.
        let mut ring: Vec<f64> = pairs[..=steps].iter().map(|&sum| 2.0 * sum).collect();
        let mut within = cumulated(&ring, at_once);
        let mut asking = vec![sites.total_weight(); steps + 1];
        if matches!(self.correction, Correction::Border | Correction::Isotropic) {
            let inside = self.border.distances(sites, radii.most());
            let near: Vec<(usize, f64)> =
                inside.into_iter().enumerate().filter(|&(_, inside)| inside < radii.most()).collect();
            let phase = watch.phase("places near the border", near.len() as u64);
            let piece = |near: &[(usize, f64)]| {
                let more = self.put_right(sites, &strips, near);
                phase.advance(near.len() as u64).map(|()| more)
            };
            let pieces: Vec<_> = near.par_chunks(PIECE).map(piece).collect::<Result<_, AnalysisError>>()?;
            for [more_ring, more_within, more_asking] in pieces {
                for at in 0..=steps {
                    ring[at] += more_ring[at];
                    within[at] += more_within[at];
                    asking[at] += more_asking[at];
                }
            }
        }
        let total = sites.total_weight();
        let all = total * total - self.stacks.squares(sites);
        let scale = |at: usize| match self.correction {
            Correction::Border if asking[at] > 0.0 => self.area / (total * asking[at]),
            Correction::Border => f64::NAN,
            _ => self.area / all,
        };
        let disc = |at: usize| PI * radii.get(at) * radii.get(at);
        let k = (0..=steps).map(|at| if at == 0 { 0.0 } else { within[at] * scale(at) });
        let g = (0..=steps).map(|at| match at {
            0 => f64::NAN,
            at => ring[at] * scale(at) / (disc(at) - disc(at - 1)),
        });
        Ok(KFunction { k: k.collect(), g: g.collect() })
    }

    /// What is to be added to the pairs of each ring, to those within each radius, and to the weight that asks.
    fn put_right(&self, sites: &Sites, strips: &Strips, near: &[(usize, f64)]) -> [Vec<f64>; 3] {
        let steps = self.radii.steps();
        let [mut ring, mut within, mut asking] = [const { Vec::new() }; 3].map(|mut empty: Vec<f64>| {
            empty.resize(steps + 1, 0.0);
            empty
        });
        let mut own = vec![0.0; steps + 2];
        for &(here, inside) in near {
            own.fill(0.0);
            let place = (sites.x[here], sites.y[here]);
            if self.correction == Correction::Border {
                strips.around(place, self.radii.most(), |there, dx, dy| {
                    let band = self.radii.band(dx * dx + dy * dy);
                    own[band] += if there == here { 0.0 } else { sites.weight[here] * sites.weight[there] };
                });
                let at_once = if self.stacks == Stacks::Apart { stacked(sites, here) } else { 0.0 };
                let cumulated = cumulated(&own[..=steps], at_once);
                for at in self.radii.first_beyond(inside)..=steps {
                    ring[at] -= own[at];
                    within[at] -= cumulated[at];
                    asking[at] -= sites.weight[here];
                }
                continue;
            }
            let circles = Circles::around(place.0, place.1, &self.border, self.radii.get(1), steps);
            strips.around(place, self.radii.most(), |there, dx, dy| {
                let squared = dx * dx + dy * dy;
                let band = self.radii.band(squared);
                let distance = squared.sqrt();
                if there != here && band <= steps && distance > inside {
                    let times = (1.0 / circles.share_inside(distance)).min(MOST);
                    own[band] += sites.weight[here] * sites.weight[there] * (times - 1.0);
                }
            });
            let cumulated = cumulated(&own[..=steps], 0.0);
            for at in 0..=steps {
                ring[at] += own[at];
                within[at] += cumulated[at];
            }
        }
        [ring, within, asking]
    }
}

/// The pairs on one place.
fn stacked(sites: &Sites, site: usize) -> f64 {
    sites.weight[site] * sites.weight[site] * (1.0 - 1.0 / f64::from(sites.count[site]))
}

fn cumulated(values: &[f64], start: f64) -> Vec<f64> {
    let sum = |sum: &mut f64, &value: &f64| {
        *sum += value;
        Some(*sum)
    };
    values.iter().scan(start, sum).collect()
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
