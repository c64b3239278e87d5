//! How much of a Gaussian stays inside a window, and what a density that makes up for the rest adds up to.

use std::f64::consts::PI;

use brasa_model::Window;
use geo::Rect;
use rayon::prelude::*;

use super::border::{NODES, Pieces, SEEN, kept};
use super::panels::{NODES as PANEL, Points, at_each};
use super::{CHUNK, REACH, between};
use crate::watch::Phase;
use crate::{AnalysisError, Sites};

/// The mass of the Gaussian at each place that lies inside the window.
///
/// On a rectangle it is a product of error functions. On any other window it is worked out from the sides within reach (see
/// `border.rs`), to 1e-9; only the places near the border cost anything, and many of them close together are interpolated.
pub fn mass_inside(
    sites: &Sites,
    window: &Window,
    sigma: f64,
    phase: &Phase,
) -> Result<Vec<f64>, AnalysisError> {
    if window.is_rectangle() {
        let (low, high) = (window.bounds().min(), window.bounds().max());
        let side = |at: f64, low: f64, high: f64| between((low - at) / sigma, (high - at) / sigma);
        let one = |(&x, &y): (&f64, &f64)| side(x, low.x, high.x) * side(y, low.y, high.y);
        return Ok(sites.x.par_iter().zip(&sites.y).map(one).collect());
    }
    let border = Pieces::of(window);
    let around = |panel: Rect<f64>| {
        let near = border.near(panel, SEEN * sigma);
        (!near.is_empty()).then_some(near)
    };
    let mut mass =
        at_each(sites, sigma, phase, around, |near, at| kept(near, at, window.contains(at.x, at.y), sigma))?;
    // In the tip of a needle rounding must not leave nothing.
    mass.iter_mut().for_each(|mass| *mass = mass.max(1e-9));
    Ok(mass)
}

/// ∫_W λ(u) du of the density with the `uniform` edge correction: near Σ w, but not equal to it.
///
/// On a rectangle the integral is a product of two, each by Gauss-Legendre quadrature to 1e-9. Otherwise it is summed
/// over some 128 × 128 cells, each with the share of it that lies inside and with the exact mass of each kernel in it;
/// for a σ below an eighth of such a cell it is Σ w. On a rectangle given as a polygon that is off by at most 2e-5.
pub fn uniform_total(
    sites: &Sites,
    window: &Window,
    sigma: f64,
    phase: &Phase,
) -> Result<f64, AnalysisError> {
    let (low, high) = (window.bounds().min(), window.bounds().max());
    if window.is_rectangle() {
        let across = corrected_shares(&sites.x, low.x, high.x, sigma, phase)?;
        let up = corrected_shares(&sites.y, low.y, high.y, sigma, phase)?;
        return Ok(sites.weight.iter().zip(across).zip(up).map(|((weight, x), y)| weight * x * y).sum());
    }
    let cell = (high.x - low.x).max(high.y - low.y) / 128.0;
    if sigma < cell / 8.0 {
        return Ok(sites.total_weight());
    }
    let cells = |length: f64| (length / cell).ceil().max(1.0) as usize;
    let (nx, ny) = (cells(high.x - low.x), cells(high.y - low.y));
    let cover = coverage(window, cell, nx, ny);
    // The mass of a kernel in the cell so many cells away from its own middle.
    let offsets: Vec<f64> = (0..nx.max(ny))
        .map(|away| between((away as f64 - 0.5) * cell / sigma, (away as f64 + 0.5) * cell / sigma))
        .collect();
    // Along rows first, then along columns.
    let mut along = vec![0.0; nx * ny];
    along.par_chunks_mut(nx).zip(cover.par_chunks(nx)).for_each(|(out, row)| {
        for (column, value) in out.iter_mut().enumerate() {
            *value = row.iter().enumerate().map(|(at, share)| share * offsets[at.abs_diff(column)]).sum();
        }
    });
    // What a kernel in a cell is worth there: the share inside over the mass it keeps.
    let mut worth = vec![0.0; nx * ny];
    worth.par_chunks_mut(nx).enumerate().for_each(|(row, worth)| {
        for (column, value) in worth.iter_mut().enumerate() {
            let share = cover[row * nx + column];
            if share > 0.0 {
                let kept: f64 = (0..ny).map(|at| along[at * nx + column] * offsets[at.abs_diff(row)]).sum();
                *value = share / kept;
            }
        }
    });
    // The mass of a kernel in each cell of a row or a column, and the first of them within reach.
    let masses = |at: f64, low: f64, cells: usize| -> (usize, Vec<f64>) {
        let first = (((at - REACH * sigma - low) / cell).max(0.0) as usize).min(cells);
        let end = (((at + REACH * sigma - low) / cell).max(0.0) as usize + 1).min(cells);
        let mass = |which: usize| {
            let from = (low + which as f64 * cell - at) / sigma;
            between(from, from + cell / sigma)
        };
        (first, (first..end).map(mass).collect())
    };
    let border = Pieces::of(window);
    // Cells on the border lack something as far as the kernel reaches from them.
    let reach = 2.0 * REACH * sigma + 2.0 * cell;
    let around = |panel: Rect<f64>| (!border.near(panel, reach).is_empty()).then_some(());
    let shares = at_each(sites, sigma, phase, around, |(), at| {
        let ((left, across), (lowest, up)) = (masses(at.x, low.x, nx), masses(at.y, low.y, ny));
        let in_row = |(row, mass): (usize, &f64)| {
            let worth = &worth[row * nx + left..];
            mass * across.iter().zip(worth).map(|(mass, worth)| mass * worth).sum::<f64>()
        };
        (lowest..).zip(&up).map(in_row).sum()
    })?;
    Ok(sites.weight.iter().zip(shares).map(|(weight, share)| weight * share).sum())
}

/// The share of each cell that lies inside, by four horizontals through each row.
fn coverage(window: &Window, cell: f64, nx: usize, ny: usize) -> Vec<f64> {
    let low = window.bounds().min();
    let mut cover = vec![0.0; nx * ny];
    cover.par_chunks_mut(nx).enumerate().for_each(|(row, cells)| {
        for part in 0..4 {
            let y = low.y + (row as f64 + (f64::from(part) + 0.5) / 4.0) * cell;
            for pair in window.crossings(y).chunks_exact(2) {
                let (from, to) = ((pair[0] - low.x) / cell, (pair[1] - low.x) / cell);
                let last = (to as usize).min(nx - 1);
                for (column, share) in cells.iter_mut().enumerate().take(last + 1).skip(from as usize) {
                    *share += ((to.min(column as f64 + 1.0) - from.max(column as f64)).max(0.0)) / 4.0;
                }
            }
        }
    });
    cover
}

/// [`corrected_share`] of each place. It is as smooth as the Gaussian, so that where there are more places than values, it
/// is interpolated on panels of a σ at their Chebyshev points: off by 1e-13, of a quadrature that is by 1e-9.
fn corrected_shares(
    at: &[f64],
    low: f64,
    high: f64,
    sigma: f64,
    phase: &Phase,
) -> Result<Vec<f64>, AnalysisError> {
    let exact = |&at: &f64| corrected_share(at, low, high, sigma);
    let panels = ((high - low) / sigma).ceil().max(1.0);
    if panels * PANEL as f64 >= at.len() as f64 {
        let chunks = at.par_chunks(CHUNK).map(|some| {
            phase.advance(0)?;
            Ok(some.iter().map(exact).collect::<Vec<_>>())
        });
        return Ok(chunks.collect::<Result<Vec<_>, AnalysisError>>()?.concat());
    }
    phase.advance(0)?;
    let width = (high - low) / panels;
    let points = Points::new();
    let table: Vec<[f64; PANEL]> = (0..panels as usize)
        .into_par_iter()
        .map(|panel| points.0.map(|(point, _)| exact(&(low + (panel as f64 + 0.5 + 0.5 * point) * width))))
        .collect();
    let interpolated = |&at: &f64| {
        let panel = (((at - low) / width) as usize).min(table.len() - 1);
        let shares = points.shares(2.0 * ((at - low) / width - panel as f64) - 1.0);
        shares.iter().zip(&table[panel]).map(|(share, value)| share * value).sum()
    };
    Ok(at.par_iter().map(interpolated).collect())
}

/// ∫ k(u − at) / e(u) du on one axis, from `low` to `high`, where e is what a kernel at u keeps of its own mass there.
fn corrected_share(at: f64, low: f64, high: f64, sigma: f64) -> f64 {
    if at - low > 2.0 * REACH * sigma && high - at > 2.0 * REACH * sigma {
        return 1.0;
    }
    let (from, to) = ((at - REACH * sigma).max(low), (at + REACH * sigma).min(high));
    let panels = ((to - from) / sigma).ceil().max(1.0) as usize;
    let half = (to - from) / panels as f64 / 2.0;
    let scale = 1.0 / (sigma * (2.0 * PI).sqrt());
    let mut total = 0.0;
    for panel in 0..panels {
        let middle = from + (2.0 * panel as f64 + 1.0) * half;
        for (node, weight) in NODES {
            let u = middle + node * half;
            let z = (u - at) / sigma;
            let kept = between((low - u) / sigma, (high - u) / sigma);
            total += weight * half * scale * libm::exp(-0.5 * z * z) / kept;
        }
    }
    total
}
