//! Kernel density: incidents per km² at every place of the study area.
//!
//! # Question
//! Where is it dense?
//!
//! # Definition
//! λ(q) = Σᵢ wᵢ c/h² · K(dᵢ/h) at the centre q of each cell, where c makes the kernel's mass one; K is quartic,
//! (1 − u²)² with c = 3/π, unless another is named. Exact: no binning, and no cut-off but the kernel's own. Only
//! the Gaussian, which has none, is cut at 8 deviations, where it has fallen to 1.3e-14 of its centre, or with many
//! places summed by way of a lattice, to a proven 5e-10 of the peak (`kernel_sums/gaussian.rs` holds the derivation). Edge correction
//! divides by the mass a kernel keeps inside the study area: at q (`uniform`), or at each incident (`jones-diggle`, whose
//! surface adds up to n).
//!
//! # Reference
//! Silverman 1986, "Density Estimation for Statistics and Data Analysis", eq. 4.5 (ISBN 978-0-412-24620-3); edge
//! correction: Diggle 1985, doi:10.2307/2347366, and Jones 1993, doi:10.1007/BF00147776.
//!
//! # Agrees with
//! The naive sum to 1e-9 of the peak, for every kernel and any origin up to 1e8 m (`tests/properties.rs`); spatstat on redwood and
//! japanesepines to 1e-8 for three kernels, and the 11 × 11 lattices of brute-force sums on Chicago arson, Medellín and
//! Memphis for five (`tests/conformance.rs`). QGIS, ArcGIS and CrimeStat use the same meaning of "bandwidth".
//!
//! # Differs from
//! spatstat's `sigma` is the kernel's standard deviation on one axis: h = √8 · sigma for the quartic. spatstat bins
//! incidents to pixels first, and integrates the edge correction on its own pixels: its images differ by about a per cent.
//!
//! # Units
//! Incidents (or their weights) per km².
//!
//! # Cost
//! Places × rows of the raster within the bandwidth, plus cells. The Gaussian by its lattice: 400 × places plus
//! 28 × cells, whatever its deviation.
//!
//! # Often misunderstood
//! It is an intensity, not a probability, and not a risk: it says nothing of how many people are there. A higher
//! peak under a smaller bandwidth is the same incidents drawn with a finer pen.

use brasa_model::{Incidents, Surface};

pub use crate::density::{DensityParams as KdeParams, on_grid};
use crate::density::{UNITS, of_sites};
use crate::{About, AnalysisError, Sites, Watch};

/// What a reader of the catalogue learns.
pub const ABOUT: About = About {
    question: "Where is it dense?",
    reference: "Silverman 1986, eq. 4.5, ISBN 978-0-412-24620-3",
    units: UNITS,
    cost: "places × rows within the bandwidth, plus cells",
};

/// The density of `incidents` on a grid clipped to their window.
pub fn kde(incidents: &Incidents, params: &KdeParams, watch: &Watch) -> Result<Surface, AnalysisError> {
    of_sites(incidents, &Sites::new(incidents), params, watch)
}
