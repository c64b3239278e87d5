//! The density of sites on a grid, and what a person may choose about it; shared by the methods that begin with one.

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
use crate::{AnalysisError, Bandwidth, CellSize, Sites};

/// The unit of a density.
pub const UNITS: &str = "incidents/km²";

/// How to make a density.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct DensityParams {
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

/// The density of sites on a grid clipped to the window of `incidents`, with the notes on what was chosen.
pub fn of_sites(
    incidents: &Incidents,
    sites: &Sites,
    params: &DensityParams,
) -> Result<Surface, AnalysisError> {
    // Before the bandwidth: a grid that cannot be is refused before a long search.
    let (grid, cell_note) = raster(incidents, sites, &params.cell, params.grid)?;
    let bandwidth = params.bandwidth.resolve(grid.cell(), params.kernel, incidents, sites)?;
    let warnings = bandwidth_warnings(bandwidth.radius, &grid, &incidents.window);
    let mut surface = on_grid(sites, grid, params.kernel, bandwidth.radius, params.edge);
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
    Surface { grid, values, unit: UNITS.to_owned(), provenance, notes: Vec::new() }
}
