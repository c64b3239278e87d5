//! Kernel density: incidents per km² at every place of the study area.
//!
//! # Question
//! Where is it dense?
//!
//! # Definition
//! λ(q) = Σᵢ wᵢ c/h² · K(dᵢ/h) at the centre q of each cell, where c makes the kernel's mass one; K is quartic,
//! (1 − u²)² with c = 3/π, unless another is named. Exact: no binning, and no cut-off but the kernel's own. Only
//! the Gaussian, which has none, is cut at 8 deviations, where it has fallen to 1.3e-14 of its centre, or with many
//! places summed by way of a lattice, to a proven 5e-10 of the peak (`gaussian.rs` holds the derivation). Edge correction
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

use brasa_model::{Grid, Incidents, Metres, Provenance, Surface};
use ndarray::Array2;
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::edge::{Edge, mass_at_centres, mass_at_places};
use crate::kernel_sums::{Places, kernel_sums};
use crate::kernels::Kernel;
use crate::raster::{GridSize, bandwidth_warnings, raster};
use crate::{About, AnalysisError, Bandwidth, CellSize, Sites};

/// What a reader of the catalogue learns.
pub const ABOUT: About = About {
    question: "Where is it dense?",
    reference: "Silverman 1986, eq. 4.5, ISBN 978-0-412-24620-3",
    units: "incidents/km²",
    cost: "places × rows within the bandwidth, plus cells",
};

/// Parameters of [`kde`].
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct KdeParams {
    /// How an incident spreads: uniform, triangular, epanechnikov, quartic, triweight or gaussian
    pub kernel: Kernel,
    /// Support radius of the kernel (standard deviation of the gaussian), or a rule that chooses it
    pub bandwidth: Bandwidth,
    /// Side of a raster cell, or the rule that chooses it
    pub cell: CellSize,
    /// Number of columns and rows that span the study area, instead of a cell size
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grid: Option<GridSize>,
    /// Correction for the study area's border: none, uniform or jones-diggle
    pub edge: Edge,
}

/// The density of `incidents` on a grid clipped to their window.
pub fn kde(incidents: &Incidents, params: &KdeParams) -> Result<Surface, AnalysisError> {
    let sites = Sites::new(incidents);
    // Before the bandwidth: a grid that cannot be is refused before a long search.
    let (grid, cell_note) = raster(incidents, &sites, &params.cell, params.grid)?;
    let bandwidth = params.bandwidth.resolve(grid.cell(), params.kernel, incidents, &sites)?;
    let warnings = bandwidth_warnings(bandwidth.radius, &grid, &incidents.window);
    let mut surface = on_grid(&sites, grid, params.kernel, bandwidth.radius, params.edge);
    surface.notes = cell_note.into_iter().chain(bandwidth.notes).chain(warnings).collect();
    if let Some(record) = bandwidth.record {
        surface.provenance.parameters["bandwidth_rule"] = record;
    }
    Ok(surface)
}

/// The density of sites on a given grid.
pub fn on_grid(sites: &Sites, grid: Grid, kernel: Kernel, bandwidth: Metres, edge: Edge) -> Surface {
    let h = bandwidth.get();
    let places = sites.places();
    let mut values = match edge {
        Edge::JonesDiggle => {
            let mass = mass_at_places(places, &grid, kernel, h);
            // A place whose kernel holds no centre of a cell has no mass to share out.
            let share = |(weight, mass): (&f64, f64)| if mass > 0.0 { weight / mass } else { 0.0 };
            let weight: Vec<f64> = sites.weight.iter().zip(mass).map(share).collect();
            kernel_sums(Places { weight: Some(&weight), ..places }, &grid, kernel, h)
        }
        Edge::None | Edge::Uniform => kernel_sums(places, &grid, kernel, h),
    };
    let mass = (edge == Edge::Uniform).then(|| mass_at_centres(&grid, kernel, h));
    // Per m² first, and 1e6 m² in a km².
    let scale = kernel.factor() / (h * h) * 1e6;
    values.par_iter_mut().enumerate().for_each(|(cell, value)| {
        let whole = mass.as_ref().map_or(1.0, |mass| mass[cell]);
        *value = if grid.is_inside(cell) { *value * scale / whole } else { f64::NAN };
    });
    let parameters = json!({
        "kernel": kernel,
        "bandwidth": bandwidth,
        "bandwidth_meaning": kernel.bandwidth_meaning(),
        "cell": grid.cell(),
        "cell_height": grid.cell_height(),
        "edge": edge,
    });
    let shape = (grid.ny(), grid.nx());
    let values = Array2::from_shape_vec(shape, values).unwrap_or_else(|_| Array2::from_elem(shape, f64::NAN));
    let provenance = Provenance::new("kde", parameters);
    Surface { grid, values, unit: ABOUT.units.to_owned(), provenance, notes: Vec::new() }
}
