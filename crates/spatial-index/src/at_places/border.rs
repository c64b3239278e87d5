//! The border of a window: how far it is, and how much of a Gaussian lies beyond it.
//!
//! # How
//! What a Gaussian at a place loses beyond the border is a sum over its sides. Seen from the place a side is r(θ) away in the
//! direction θ, in σ, and in each direction exp(−r²/2) of the kernel lies beyond: the loss is Σ ∫ exp(−r²/2) dθ / 2π, an angle
//! counted as negative where the border comes back in. (For one half of a side this is Owen's T function.) With s along the side, h its
//! distance and α the angle it takes up, ∫ exp(−r²/2) dθ = α − h ∫ (1 − exp(−r²/2)) / r² ds; this integrand has no peak however
//! near the side is. Gauss-Legendre quadrature with five nodes on each σ is off by less than 1e-10.

use std::f64::consts::PI;

use brasa_model::Window;
use geo::{Coord, LinesIter, Rect};
use rayon::prelude::*;

use super::near::exp;
use crate::Sites;

/// The sides of a window, the inside on the left of each.
pub struct Border {
    /// Each side, from its first end to its second.
    pub sides: Vec<(Coord<f64>, Coord<f64>)>,
}

impl Border {
    /// The sides of `window`.
    pub fn of(window: &Window) -> Self {
        use geo::orient::{Direction, Orient};
        let polygons = window.polygons().orient(Direction::Default);
        Self { sides: polygons.lines_iter().map(|line| (line.start, line.end)).collect() }
    }

    /// The distance from each site to the nearest side, as far as it is below `most`; `most` where it is not.
    pub fn distances(&self, sites: &Sites, most: f64) -> Vec<f64> {
        let south = sites.y.first().copied().unwrap_or_default();
        let extent = sites.y.last().copied().unwrap_or_default() - south;
        // Bands no lower than `most`: a side that is near a place lies near the place's band.
        let height = most.max(extent / 4096.0);
        let bands = (extent / height) as usize + 1;
        let mut sides = vec![Vec::new(); bands];
        for &(a, b) in &self.sides {
            let (low, high) = (a.y.min(b.y) - most - south, a.y.max(b.y) + most - south);
            if high >= 0.0 && low <= extent {
                let last = ((high / height) as usize).min(bands - 1);
                sides[(low.max(0.0) / height) as usize..=last].iter_mut().for_each(|band| band.push((a, b)));
            }
        }
        let one = |(&x, &y): (&f64, &f64)| {
            let band = &sides[((y - south) / height) as usize];
            let nearest =
                |least: f64, &(a, b): &(Coord<f64>, Coord<f64>)| least.min(squared_to_side(x, y, a, b));
            band.iter().fold(most * most, nearest).sqrt().min(most)
        };
        sites.x.par_iter().zip(&sites.y).map(one).collect()
    }
}

/// The squared distance from a place to a side.
pub fn squared_to_side(x: f64, y: f64, a: Coord<f64>, b: Coord<f64>) -> f64 {
    let (ex, ey, px, py) = (b.x - a.x, b.y - a.y, x - a.x, y - a.y);
    let length = ex * ex + ey * ey;
    let along = if length > 0.0 { ((px * ex + py * ey) / length).clamp(0.0, 1.0) } else { 0.0 };
    let (dx, dy) = (px - along * ex, py - along * ey);
    dx * dx + dy * dy
}

/// How far a side is looked at, in σ: beyond lies e⁻²¹ = 8e-10 of the kernel.
pub(super) const SEEN: f64 = 6.5;
/// Cells of the file of sides along the longer side of the window.
const CELLS: std::ops::RangeInclusive<f64> = 8.0..=512.0;

/// The sides in pieces no longer than a cell, filed by the cell their middle lies in.
pub(super) struct Pieces {
    low: Coord<f64>,
    cell: f64,
    nx: usize,
    ny: usize,
    starts: Vec<usize>,
    pieces: Vec<(Coord<f64>, Coord<f64>)>,
}

impl Pieces {
    pub(super) fn of(window: &Window) -> Self {
        let sides = Border::of(window).sides;
        let bounds = window.bounds();
        let cells = (sides.len() as f64).sqrt().clamp(*CELLS.start(), *CELLS.end());
        let cell = bounds.width().max(bounds.height()) / cells;
        let count = |length: f64| (length / cell) as usize + 1;
        let (low, nx, ny) = (bounds.min(), count(bounds.width()), count(bounds.height()));
        let cut = |&(a, b): &(Coord<f64>, Coord<f64>)| {
            let parts = ((b - a).x.hypot((b - a).y) / cell).ceil().max(1.0);
            let at = move |part: f64| if part == parts { b } else { a + (b - a) * (part / parts) };
            (0..parts as usize).map(move |part| (at(part as f64), at(part as f64 + 1.0)))
        };
        let all: Vec<_> = sides.iter().flat_map(cut).collect();
        let home = |&(a, b): &(Coord<f64>, Coord<f64>)| {
            let middle = (a + b) / 2.0 - low;
            ((middle.y / cell) as usize).min(ny - 1) * nx + ((middle.x / cell) as usize).min(nx - 1)
        };
        let mut starts = vec![0; nx * ny + 1];
        for piece in &all {
            starts[home(piece) + 1] += 1;
        }
        for at in 0..nx * ny {
            starts[at + 1] += starts[at];
        }
        let mut next = starts.clone();
        let mut pieces = all.clone();
        for piece in &all {
            pieces[next[home(piece)]] = *piece;
            next[home(piece)] += 1;
        }
        Self { low, cell, nx, ny, starts, pieces }
    }

    /// The pieces that come within `reach` of a box.
    pub(super) fn near(&self, around: Rect<f64>, reach: f64) -> Vec<(Coord<f64>, Coord<f64>)> {
        let (low, high) = (around.min(), around.max());
        let wide = reach + 0.5 * self.cell;
        let cells = |low: f64, high: f64, count: usize| {
            // A cell to spare at either end, for rounding.
            let first = ((low - wide) / self.cell - 1.0).max(0.0) as usize;
            first..(((high + wide) / self.cell + 2.0).max(0.0) as usize).min(count)
        };
        let columns = cells(low.x - self.low.x, high.x - self.low.x, self.nx);
        let mut near = Vec::new();
        for row in cells(low.y - self.low.y, high.y - self.low.y, self.ny) {
            if columns.is_empty() {
                break;
            }
            let run = self.starts[row * self.nx + columns.start]..self.starts[row * self.nx + columns.end];
            near.extend(self.pieces[run].iter().filter(|(a, b)| {
                a.x.min(b.x) <= high.x + reach
                    && a.x.max(b.x) >= low.x - reach
                    && a.y.min(b.y) <= high.y + reach
                    && a.y.max(b.y) >= low.y - reach
            }));
        }
        near
    }
}

/// The mass of a Gaussian at (x, y) inside the window, given all pieces of its border within [`SEEN`], to 1e-9.
pub(super) fn kept(pieces: &[(Coord<f64>, Coord<f64>)], at: Coord<f64>, is_inside: bool, sigma: f64) -> f64 {
    let lost: f64 = pieces.iter().map(|&(a, b)| beyond((a - at) / sigma, (b - at) / sigma)).sum();
    let kept = if is_inside { 1.0 } else { 0.0 } - lost / (2.0 * PI);
    // On the very border, rounding decides for the place and for the angle on which side it lies: together they may be off by one.
    if kept > 1.0 + 1e-6 {
        kept - 1.0
    } else if kept < -1e-6 {
        kept + 1.0
    } else {
        kept
    }
}

/// ∫ exp(−r²/2) dθ over the side from `a` to `b`, seen from the origin.
fn beyond(a: Coord<f64>, b: Coord<f64>) -> f64 {
    let angle = |at: Coord<f64>| libm::atan2(at.y, at.x);
    // At a corner the two sides point away from the place: what is lost is the angle between them, up to a turn.
    if a == Coord::zero() {
        return angle(b);
    }
    if b == Coord::zero() {
        return -angle(a);
    }
    let length = ((b - a).x * (b - a).x + (b - a).y * (b - a).y).sqrt();
    if length == 0.0 {
        return 0.0;
    }
    let along = (b - a) / length;
    let foot = -(a.x * along.x + a.y * along.y);
    let (from, to) = ((foot - SEEN).max(0.0), (foot + SEEN).min(length));
    let height = a.x * b.y / length - a.y * b.x / length;
    if from >= to || height.abs() > SEEN {
        return 0.0;
    }
    let (p, q) = (a + along * from, a + along * to);
    let angle = libm::atan2(p.x * q.y - p.y * q.x, p.x * q.x + p.y * q.y);
    if height == 0.0 {
        return angle;
    }
    let nodes = if to - from < 0.25 { &THREE[..] } else { &NODES[..] };
    let panels = (to - from).ceil().max(1.0);
    let half = (to - from) / panels / 2.0;
    let mut whole = 0.0;
    for panel in 0..panels as usize {
        let middle = from + (2.0 * panel as f64 + 1.0) * half - foot;
        for (node, weight) in nodes {
            let s = middle + node * half;
            let squared = height * height + s * s;
            whole += weight * half * (1.0 - exp(-0.5 * squared)) / squared;
        }
    }
    angle - height * whole
}

/// Nodes and weights of Gauss-Legendre quadrature with five nodes on [−1, 1].
pub(super) const NODES: [(f64, f64); 5] = [
    (-0.906_179_845_938_664, 0.236_926_885_056_189_1),
    (-0.538_469_310_105_683_1, 0.478_628_670_499_366_5),
    (0.0, 0.568_888_888_888_888_9),
    (0.538_469_310_105_683_1, 0.478_628_670_499_366_5),
    (0.906_179_845_938_664, 0.236_926_885_056_189_1),
];

/// With three, for a quarter of a σ.
const THREE: [(f64, f64); 3] = [
    (-0.774_596_669_241_483_4, 0.555_555_555_555_555_6),
    (0.0, 0.888_888_888_888_888_8),
    (0.774_596_669_241_483_4, 0.555_555_555_555_555_6),
];
