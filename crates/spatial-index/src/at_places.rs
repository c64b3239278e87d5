//! Densities at the places themselves, and the mass that a Gaussian keeps inside a window: what the rules for a
//! bandwidth are made of.
//!
//! A raster would do neither: a rule asks at bandwidths far below any cell, and it must leave a place out of its own
//! density. Everything here is the Gaussian kernel with the standard deviation σ on one axis, cut at 8 σ.
//!
//! Neither grows with the square of the number of places: a narrow kernel is summed over those within its reach (`near.rs`), a
//! wide one by way of a lattice (`lattice.rs`), each density to 1e-9 of itself; the mass is taken from the sides of the window near
//! a place (`border.rs`), and many places close together are interpolated (`panels.rs`).

mod border;
mod inside;
mod lattice;
mod near;
mod panels;

use std::f64::consts::SQRT_2;

use brasa_model::Window;
use rayon::prelude::*;

use crate::edge::Edge;
use crate::kernels::Kernel;
use crate::watch::Phase;
use crate::{AnalysisError, Sites};
use lattice::{Lattice, POINTS};
use near::Strips;

pub use border::{Border, squared_to_side};
pub use inside::{mass_inside, uniform_total};

/// How far the Gaussian reaches, in σ.
const REACH: f64 = Kernel::Gaussian.reach();

/// What is left out of the density at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeaveOut {
    /// Nothing.
    Nothing,
    /// One incident of those at the place: what a tool does that knows incidents only. A stack keeps on seeing itself.
    Incident,
    /// Every incident at the place.
    Place,
}

/// The Gaussian density at each place, per square unit of the coordinates: Σ w k(d), with the edge correction of Diggle
/// 1985 (doi:10.2307/2347366, `uniform`: divided by the mass that stays inside at the place asked) or of Jones 1993
/// (doi:10.1007/BF00147776: each incident divided by its own).
///
/// See [`mass_inside`] for the mass.
pub fn density_at_places(
    sites: &Sites,
    window: &Window,
    sigma: f64,
    edge: Edge,
    leave_out: LeaveOut,
    phase: &Phase,
) -> Result<Vec<f64>, AnalysisError> {
    let mass = if edge == Edge::None { Vec::new() } else { mass_inside(sites, window, sigma, phase)? };
    let shared: Vec<f64> = match edge {
        Edge::JonesDiggle => sites.weight.iter().zip(&mass).map(|(weight, mass)| weight / mass).collect(),
        Edge::None | Edge::Uniform => sites.weight.clone(),
    };
    let mut density = gaussian_sums(sites, &shared, sigma, leave_out, phase)?;
    if edge == Edge::Uniform {
        for (density, mass) in density.iter_mut().zip(mass) {
            *density /= mass;
        }
    }
    Ok(density)
}

/// Places that are summed up between two looks at whether anybody still waits.
const CHUNK: usize = 64;

/// Σ w exp(−d²/2σ²) / 2πσ² at each place, to 1e-9 of each, in the order of the places whatever the number of threads. Term by
/// term where σ is small, by way of a lattice where that is cheaper.
fn gaussian_sums(
    sites: &Sites,
    weight: &[f64],
    sigma: f64,
    leave_out: LeaveOut,
    phase: &Phase,
) -> Result<Vec<f64>, AnalysisError> {
    let strips = Strips::new(sites, weight, sigma);
    let near = |asked: &[u32]| -> Result<Vec<f64>, AnalysisError> {
        let sums = asked.par_chunks(CHUNK).map(|some| phase.advance(0).map(|()| strips.others(some)));
        Ok(sums.collect::<Result<Vec<_>, _>>()?.concat())
    };
    let lattice = Lattice::around(sites, sigma).filter(|lattice| pays(sites.len(), lattice, &strips));
    let mut others = match lattice {
        None => near(&(0..sites.len() as u32).collect::<Vec<_>>())?,
        Some(lattice) => {
            let mut sums = lattice.sums(sites, weight, phase)?;
            let is_open = |&at: &u32| !sums.is_trusted(sums.others[at as usize], weight[at as usize]);
            let open: Vec<u32> = (0..sites.len() as u32).filter(is_open).collect();
            for (&at, sum) in open.iter().zip(near(&open)?) {
                sums.others[at as usize] = sum;
            }
            sums.others
        }
    };
    let scale = Kernel::Gaussian.factor() / (sigma * sigma);
    for (here, sum) in others.iter_mut().enumerate() {
        let own = match leave_out {
            LeaveOut::Nothing => weight[here],
            LeaveOut::Incident => weight[here] * (1.0 - 1.0 / f64::from(sites.count[here])),
            LeaveOut::Place => 0.0,
        };
        *sum = (*sum + own) * scale;
    }
    Ok(others)
}

/// Whether the lattice is cheaper than the sum term by term.
fn pays(places: usize, lattice: &Lattice, strips: &Strips) -> bool {
    // In terms: a place spread and gathered is worth as many as it has points, a point of the lattice two. A file of 471,114
    // places takes half a microsecond for a place and a bandwidth on average.
    strips.terms() > (POINTS * POINTS) as f64 * places as f64 + 2.0 * lattice.points()
}

/// The standard normal distribution function.
fn normal(z: f64) -> f64 {
    0.5 * libm::erfc(-z / SQRT_2)
}

/// The mass between two bounds, in σ from the middle.
fn between(low: f64, high: f64) -> f64 {
    // Both tails from the same side, so that nothing is lost far out.
    if low > 0.0 { normal(-low) - normal(-high) } else { normal(high) - normal(low) }
}

/// The smallest distance between two places; `None` when there are fewer than two.
pub fn least_distance(sites: &Sites) -> Option<f64> {
    let mut least = f64::INFINITY;
    for here in 0..sites.len() {
        for there in here + 1..sites.len() {
            let dy = sites.y[there] - sites.y[here];
            if dy * dy >= least {
                break;
            }
            let dx = sites.x[there] - sites.x[here];
            least = least.min(dx * dx + dy * dy);
        }
    }
    least.is_finite().then(|| least.sqrt())
}
