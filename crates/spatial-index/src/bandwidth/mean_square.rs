//! The mean square error criterion of Berman & Diggle.

use std::f64::consts::PI;

use brasa_model::Window;
use rayon::prelude::*;

use super::{Best, Rule, Selection, Stacks, comparable};
use crate::k_function::{Correction, KFunctions};
use crate::pairs::Radii;
use crate::{AnalysisError, Sites, Watch};

/// How many distances K is taken at, zero included.
const DISTANCES: usize = 512;
/// From so many incidents on, K is corrected for the border by the reduced sample.
const MANY: f64 = 3000.0;

/// The mean square error criterion: the σ whose density is nearest to the true intensity at a place, if the
/// pattern is a Cox process, clustered by an intensity that is itself random.
///
/// M = MSE/λ² − g(0) is made as small as possible (Diggle 1985, doi:10.2307/2347366, eq. 5; Berman & Diggle 1989,
/// doi:10.1111/j.2517-6161.1989.tb01750.x). With the uniform kernel on a disc of radius h = 2σ,
///
/// M(h) = A Σw² / (N² π h²) − 2 K(h) / (π h²) + (π h²)⁻² ∫₀^2h φ(s; h) dK(s),
///
/// φ(s; h) = 2 h² acos(s/2h) − s √(h² − s²/4), the area that two discs share. Kernels with the same deviation are taken for
/// one another, so that σ = h/2. Without stacks or weights A Σw² / N² is 1/λ.
///
/// Conventions, those of spatstat's `bw.diggle` whose numbers it gives to 1e-8 on redwood, japanesepines and, stacks
/// apart, the polygon of chorley: K at 512 distances up to min(a quarter of the bounds' shorter side, √(1000/πλ)); h up to half
/// of that; dK at the lower end of each step; isotropic correction below 3000 incidents, the reduced
/// sample from there on. So σ never exceeds a sixteenth of the shorter side.
///
/// It is dimensionless, wiggles at small h where there are few pairs, and is meant for clustered patterns: where incidents
/// keep apart or lie evenly its best value means nothing.
pub fn diggle(
    sites: &Sites,
    window: &Window,
    stacks: Stacks,
    watch: &Watch,
) -> Result<Selection, AnalysisError> {
    comparable(Rule::Diggle, sites)?;
    let (low, high) = (window.bounds().min(), window.bounds().max());
    let short = (high.x - low.x).min(high.y - low.y);
    let (total, area) = (sites.total_weight(), window.area_km2() * 1e6);
    let most = (short / 4.0).min((1000.0 * area / (PI * total)).sqrt());
    let steps = DISTANCES - 1;
    let step = most / steps as f64;
    let incidents: f64 = sites.count.iter().map(|&count| f64::from(count)).sum();
    let correction = if incidents < MANY { Correction::Isotropic } else { Correction::Border };
    let radii = Radii::new(step, steps);
    let pairs = incidents * incidents / 2.0;
    let k = KFunctions::new(window, radii, correction, stacks, pairs).of(sites, watch)?.k;
    let own = area * stacks.squares(sites) / (total * total);
    let criterion = |at: usize| {
        let h = at as f64 * step;
        let disc = PI * h * h;
        let shared: f64 = (0..steps.min(2 * at))
            .map(|from| common_area(from as f64 * step, h) * (k[from + 1] - k[from]))
            .sum();
        own / disc - 2.0 * k[at] / disc + shared / (disc * disc)
    };
    let tried: Vec<usize> = (1..=steps / 2).collect();
    let values = tried.par_iter().map(|&at| criterion(at)).collect();
    let sigmas = tried.iter().map(|&at| at as f64 * step / 2.0).collect();
    Selection::of(Rule::Diggle, Best::Least, sigmas, values)
}

/// The area that two discs of radius `h` share whose centres are `s` apart.
fn common_area(s: f64, h: f64) -> f64 {
    let half = s / (2.0 * h);
    if half >= 1.0 {
        return 0.0;
    }
    2.0 * h * h * libm::acos(half) - s * (h * h - s * s / 4.0).sqrt()
}
