//! Likelihood cross-validation.

use brasa_model::Window;

use super::{Best, Finer, Rule, Selection, Stacks, search};
use crate::at_places::{LeaveOut, density_at_places, uniform_total};
use crate::edge::Edge;
use crate::{AnalysisError, Sites, Watch};

/// Likelihood cross-validation: the σ under which each place is foretold best by all others.
///
/// LCV(σ) = Σᵢ wᵢ log λ₋ᵢ(xᵢ) − ∫_W λ(u) du is made as large as possible, with the Gaussian kernel and the `uniform` edge
/// correction (Loader 1999, "Local Regression and Likelihood", §5.3, doi:10.1007/b98858). Under
/// [`Stacks::Together`] λ₋ᵢ leaves out the whole place.
///
/// Agrees with spatstat's `bw.ppl`: the same σ on redwood, japanesepines and, stacks apart, the polygon of chorley. The
/// criterion itself differs on redwood by less than 0.1 from spatstat's 231, which integrates on its pixels.
///
/// An even pattern has no best σ: the criterion grows to the end of the range. Its value is a log-likelihood up to a
/// constant; do not compare it between files.
pub fn ppl(
    sites: &Sites,
    window: &Window,
    stacks: Stacks,
    watch: &Watch,
) -> Result<Selection, AnalysisError> {
    let leave_out = match stacks {
        Stacks::Together => LeaveOut::Place,
        Stacks::Apart => LeaveOut::Incident,
    };
    search(Rule::Ppl, sites, window, Best::Most, Finer::WhenCoarse, watch, |sigma, phase| {
        let density = density_at_places(sites, window, sigma, Edge::Uniform, leave_out, phase)?;
        let logs: f64 =
            density.iter().zip(&sites.weight).map(|(density, weight)| weight * libm::log(*density)).sum();
        // A place out of everyone's reach makes the likelihood zero whatever the integral is.
        Ok(if logs.is_finite() {
            logs - uniform_total(sites, window, sigma, phase)?
        } else {
            f64::NEG_INFINITY
        })
    })
}
