//! Cronie & van Lieshout's criterion.

use brasa_model::Window;

use super::{Best, Finer, Rule, Selection, search};
use crate::at_places::{LeaveOut, density_at_places};
use crate::edge::Edge;
use crate::{AnalysisError, Sites, Watch};

/// Cronie & van Lieshout's criterion: by Campbell's formula Σ 1/λ(xᵢ) is expected to be the area of the window.
///
/// CvL(σ) = (|W| − Σᵢ wᵢ / λ(xᵢ))² is made as small as possible, with the Gaussian kernel, no edge correction and no place left
/// out (Cronie & van Lieshout 2018, doi:10.1093/biomet/asy001, eq. 9). Stacks need no care here: as σ → 0 the sum goes to
/// zero whatever lies together.
///
/// Agrees with spatstat's `bw.CvL` on redwood, japanesepines and chorley, criterion included. In m⁴.
///
/// Empty land inside the window asks for a wide kernel: mind the study area.
pub fn cvl(sites: &Sites, window: &Window, watch: &Watch) -> Result<Selection, AnalysisError> {
    let area = window.area_km2() * 1e6;
    search(Rule::Cvl, sites, window, Best::Least, Finer::WhenCoarse, watch, |sigma, phase| {
        let density = density_at_places(sites, window, sigma, Edge::None, LeaveOut::Nothing, phase)?;
        let held: f64 = density.iter().zip(&sites.weight).map(|(density, weight)| weight / density).sum();
        Ok((area - held) * (area - held))
    })
}
