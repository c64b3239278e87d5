//! A function as smooth as the Gaussian, at many places: worked out at the nodes of panels and interpolated.

use std::f64::consts::PI;

use geo::{Coord, Rect, coord};
use rayon::prelude::*;

use crate::watch::Phase;
use crate::{AnalysisError, Sites};

/// Nodes on a panel, on each axis.
pub(super) const NODES: usize = 16;
/// The side of a square panel, in σ. A Gaussian that is summed or integrated over anything is interpolated to 1e-12.
const SIDE: f64 = 2.0;
/// Values worked out between two looks at whether anybody still waits.
const CHUNK: usize = 8;

/// Chebyshev's points in a panel from −1 to 1, and their barycentric weights (Berrut & Trefethen 2004, §5.3,
/// doi:10.1137/S0036144502417715).
pub(super) struct Points(pub(super) [(f64, f64); NODES]);

impl Points {
    pub(super) fn new() -> Self {
        Self(std::array::from_fn(|point| {
            let angle = (2 * point + 1) as f64 * PI / (2 * NODES) as f64;
            let sign = if point % 2 == 0 { 1.0 } else { -1.0 };
            (libm::cos(angle), sign * libm::sin(angle))
        }))
    }

    /// How much of each node's value the value at `at` is made of.
    pub(super) fn shares(&self, at: f64) -> [f64; NODES] {
        let mut shares = [0.0; NODES];
        if let Some(exact) = self.0.iter().position(|&(point, _)| point == at) {
            shares[exact] = 1.0;
            return shares;
        }
        let mut total = 0.0;
        for (share, (point, weight)) in shares.iter_mut().zip(&self.0) {
            *share = weight / (at - point);
            total += *share;
        }
        shares.map(|share| share / total)
    }
}

/// The value of a function at each place. `around` tells what a panel needs to know, or nothing where the function is 1 all
/// over it; `value` is the function. Where a panel holds fewer places than nodes, each place is asked itself.
pub(super) fn at_each<Known: Sync>(
    sites: &Sites,
    sigma: f64,
    phase: &Phase,
    around: impl Fn(Rect<f64>) -> Option<Known> + Sync,
    value: impl Fn(&Known, Coord<f64>) -> f64 + Sync,
) -> Result<Vec<f64>, AnalysisError> {
    let side = SIDE * sigma;
    let west = sites.x.iter().copied().fold(f64::INFINITY, f64::min);
    let south = sites.y.first().copied().unwrap_or(0.0);
    let panel_of = |at: usize| (((sites.y[at] - south) / side) as u64, ((sites.x[at] - west) / side) as u64);
    let mut order: Vec<((u64, u64), usize)> =
        (0..sites.len()).into_par_iter().map(|at| (panel_of(at), at)).collect();
    order.par_sort_unstable();
    let points = Points::new();
    let in_panel = |held: &[((u64, u64), usize)]| -> Result<Vec<f64>, AnalysisError> {
        phase.advance(0)?;
        let Some(&((row, column), _)) = held.first() else { return Ok(Vec::new()) };
        let low = coord! { x: west + column as f64 * side, y: south + row as f64 * side };
        let Some(known) = around(Rect::new(low, low + coord! { x: side, y: side })) else {
            return Ok(vec![1.0; held.len()]);
        };
        let values = |at: Vec<Coord<f64>>| -> Result<Vec<f64>, AnalysisError> {
            let some = |some: &[Coord<f64>]| {
                phase.advance(0).map(|()| some.iter().map(|&at| value(&known, at)).collect::<Vec<_>>())
            };
            Ok(at.par_chunks(CHUNK).map(some).collect::<Result<Vec<_>, _>>()?.concat())
        };
        let places = || held.iter().map(|&(_, at)| coord! { x: sites.x[at], y: sites.y[at] });
        if held.len() <= NODES * NODES {
            return values(places().collect());
        }
        let node = |at: f64| 0.5 * (at + 1.0) * side;
        let row =
            |&(up, _): &(f64, f64)| points.0.map(|(across, _)| low + coord! { x: node(across), y: node(up) });
        let table = values(points.0.iter().flat_map(row).collect())?;
        let inside = |at: f64, low: f64| 2.0 * (at - low) / side - 1.0;
        let interpolated = |at: Coord<f64>| {
            let (across, up) = (points.shares(inside(at.x, low.x)), points.shares(inside(at.y, low.y)));
            let along =
                |row: &[f64]| row.iter().zip(&across).map(|(value, share)| value * share).sum::<f64>();
            table.chunks_exact(NODES).zip(&up).map(|(row, share)| along(row) * share).sum()
        };
        Ok(places().map(interpolated).collect())
    };
    let panels: Vec<&[((u64, u64), usize)]> = order.chunk_by(|a, b| a.0 == b.0).collect();
    let found = panels.into_par_iter().map(in_panel).collect::<Result<Vec<_>, _>>()?;
    let mut values = vec![0.0; sites.len()];
    for (&(_, at), value) in order.iter().zip(found.into_iter().flatten()) {
        values[at] = value;
    }
    Ok(values)
}
