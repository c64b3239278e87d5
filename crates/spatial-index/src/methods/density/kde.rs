//! Kernel density: incidents per km² at every place of the study area.
//!
//! # Question
//! Where is it dense?
//!
//! # Definition
//! λ(q) = Σᵢ wᵢ · 3/(π h²) · (1 − dᵢ²/h²)² over the places with dᵢ < h, at the centre of each cell: the quartic
//! (biweight) kernel with support radius h. Exact: no binning, no cut-off but the kernel's own.
//!
//! # Reference
//! Silverman 1986, "Density Estimation for Statistics and Data Analysis", eq. 4.5 (ISBN 978-0-412-24620-3).
//!
//! # Agrees with
//! The direct sum in extended form to 1e-9 of the peak; the 11 × 11 lattices of brute-force sums on Chicago arson,
//! Medellín and Memphis to 1e-9 of the peak (`tests/conformance.rs`). QGIS, ArcGIS and CrimeStat use the same meaning of "bandwidth".
//!
//! # Differs from
//! spatstat's `sigma` is the kernel's standard deviation on one axis: h = √8 · sigma. No edge correction: near the
//! border of the study area the surface is too low, for incidents beyond it are not known.
//!
//! # Units
//! Incidents (or their weights) per km².
//!
//! # Cost
//! Places × cells within the bandwidth.
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

use crate::{About, AnalysisError, Bandwidth, CellSize, Sites};

/// What a reader of the catalogue learns.
pub const ABOUT: About = About {
    question: "Where is it dense?",
    reference: "Silverman 1986, eq. 4.5, ISBN 978-0-412-24620-3",
    units: "incidents/km²",
    cost: "places × cells within the bandwidth",
};

/// Parameters of [`kde`].
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct KdeParams {
    /// Support radius of the quartic kernel, or a rule that chooses it
    pub bandwidth: Bandwidth,
    /// Side of a raster cell, or the rule that chooses it
    pub cell: CellSize,
}

/// The density of `incidents` on a grid clipped to their window.
pub fn kde(incidents: &Incidents, params: &KdeParams) -> Result<Surface, AnalysisError> {
    let sites = Sites::new(incidents);
    let (cell, cell_note) = params.cell.resolve(incidents, &sites)?;
    let (bandwidth, bandwidth_note) = params.bandwidth.resolve(cell, &sites)?;
    let grid = Grid::covering(&incidents.window, cell)?;
    let mut surface = on_grid(&sites, grid, bandwidth);
    surface.notes = [cell_note, bandwidth_note].into_iter().flatten().collect();
    Ok(surface)
}

/// The density of sites on a given grid.
pub fn on_grid(sites: &Sites, grid: Grid, bandwidth: Metres) -> Surface {
    let h = bandwidth.get();
    // 3/(π h²) per m², and 1e6 m² in a km².
    let scale = 3.0e6 / (std::f64::consts::PI * h * h);
    let (nx, ny, size) = (grid.nx(), grid.ny(), grid.cell().get());
    let mut values = vec![0.0; nx * ny];
    values.par_chunks_mut(nx).enumerate().for_each(|(row, cells)| {
        let y = grid.centre_y(row);
        let first = grid.centre_x(0);
        // One thread writes a row, and adds its sites in their order: the same bits on any number of threads.
        for site in sites.rows_within(y, h) {
            let across = (sites.y[site] - y) / h;
            let left_over = 1.0 - across * across;
            if left_over <= 0.0 {
                continue;
            }
            let centre = (sites.x[site] - first) / size;
            let reach = h * left_over.sqrt() / size;
            let start = (centre - reach).ceil().clamp(0.0, nx as f64) as usize;
            let end = ((centre + reach).floor() + 1.0).clamp(0.0, nx as f64) as usize;
            let weight = sites.weight[site];
            for (column, cell) in cells.iter_mut().enumerate().take(end).skip(start) {
                let along = (column as f64 - centre) * size / h;
                let kernel = (left_over - along * along).max(0.0);
                *cell += weight * kernel * kernel;
            }
        }
        for (column, cell) in cells.iter_mut().enumerate() {
            *cell = if grid.is_inside(row * nx + column) { *cell * scale } else { f64::NAN };
        }
    });
    let parameters = json!({
        "kernel": "quartic",
        "bandwidth": bandwidth,
        "bandwidth_meaning": "support radius",
        "cell": grid.cell(),
        "edge": "none",
    });
    let values =
        Array2::from_shape_vec((ny, nx), values).unwrap_or_else(|_| Array2::from_elem((ny, nx), f64::NAN));
    Surface {
        grid,
        values,
        unit: ABOUT.units.to_owned(),
        provenance: Provenance::new("kde", parameters),
        notes: Vec::new(),
    }
}
