//! Least squares cross-validation.

use brasa_model::Window;

use super::{Best, Finer, Rule, Selection, search};
use crate::at_places::{LeaveOut, density_at_places};
use crate::edge::Edge;
use crate::{AnalysisError, Sites, Stacks, Watch};

/// Least squares cross-validation: the σ whose density has the least integrated square error, as far as the
/// places themselves can tell.
///
/// LSCV(σ) = ∫ f² − 2 E f₋ᵢ(xᵢ) is made as small as possible (Rudemo 1982, Scand. J. Stat. 9, 65-78; Bowman 1984,
/// doi:10.1093/biomet/71.2.353), for the probability density f on the whole plane, without edge correction. For the Gaussian
/// ∫ f² = ΣΣ wᵢ wⱼ φ(dᵢⱼ; σ√2) / N². A stack is one event: E f₋ᵢ(xᵢ) = Σ_{i≠j} wᵢ wⱼ φ(dᵢⱼ; σ) / (N² − Σw²).
///
/// Its minimum is flat and it varies much between samples; it tends to too small a σ. In 1/m².
pub fn lscv(sites: &Sites, window: &Window, watch: &Watch) -> Result<Selection, AnalysisError> {
    let total = sites.total_weight();
    let pairs = total * total - Stacks::Together.squares(sites);
    let sum =
        |density: &[f64]| -> f64 { density.iter().zip(&sites.weight).map(|(at, weight)| at * weight).sum() };
    search(Rule::Lscv, sites, window, Best::Least, Finer::Always, watch, |sigma, phase| {
        let wide = sigma * std::f64::consts::SQRT_2;
        let square = density_at_places(sites, window, wide, Edge::None, LeaveOut::Nothing, phase)?;
        let others = density_at_places(sites, window, sigma, Edge::None, LeaveOut::Place, phase)?;
        Ok(sum(&square) / (total * total) - 2.0 * sum(&others) / pairs)
    })
}
