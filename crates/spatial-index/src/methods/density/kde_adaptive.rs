//! Adaptive kernel density: a fine pen where incidents crowd, a broad one where they are few.
//!
//! # Question
//! Where is it dense, in the crowded centre and in the thin outskirts alike?
//!
//! # Definition
//! λ(q) = Σᵢ wᵢ c/hᵢ² · K(dᵢ/hᵢ) at the centre q of each cell, with hᵢ = h0 · f̃(xᵢ)^(−½) / γ: f̃ is the density of fixed
//! bandwidth `pilot` at the incident itself, γ the geometric mean of f̃^(−½) over the incidents, so that h0 (`bandwidth`)
//! is the geometric mean of all hᵢ. No hᵢ is wider than `cap` · h0. Exact: f̃ is summed at the incidents, not looked up
//! on a raster, and no place is moved. Edge correction, of the pilot and of the answer alike: `uniform` divides λ(q) by
//! the mass that a kernel at q keeps inside the study area, its bandwidth being the one an incident at q would have;
//! `jones-diggle` divides each incident by the mass its own kernel keeps, so that the surface adds up to n.
//!
//! # Reference
//! Abramson 1982, "On bandwidth variation in kernel estimates: a square root law", doi:10.1214/aos/1176345986; γ and the
//! edge correction at h(q): Davies & Hazelton 2010, doi:10.1002/sim.3995, after Marshall & Hazelton 2010,
//! doi:10.1016/j.jmva.2009.09.003, who study the bias that is left at the border.
//!
//! # Agrees with
//! The naive sum to 1e-9 of the peak for every kernel, and `kde` to 1e-12 where the pilot is the same everywhere
//! (`tests/properties.rs`); sums written in R to 1e-10 on redwood, with each edge correction, and sparr's surface there
//! to 5 %, 17 % in an empty corner (`tests/conformance.rs`); sparr's density to 1e-10 from sparr's own bandwidths, and
//! on its pbc cases (h0 5, pilot 4 km) bandwidths of 2.7120 to 25 km (sparr: 2.7117 to 25), highest density 3.1395e-3 (3.1387e-3)
//! (`tests/sparr.rs`, where R is).
//!
//! # Differs from
//! sparr looks the pilot up on its pixels, so that its bandwidths differ by what the pilot changes within a pixel, and
//! scales the surface to mass one; it has the Gaussian kernel only. CrimeStat's and SaTScan's "adaptive" is a
//! number of nearest neighbours, another idea.
//!
//! # Units
//! Incidents (or their weights) per km².
//!
//! # Cost
//! Places × places within the pilot bandwidth, plus places × rows of the raster within their own.
//!
//! # Often misunderstood
//! A sharper peak in the centre is not more certain than a smooth one: there the pen is finer because there is more to draw
//! with. Two adaptive maps have different bandwidths everywhere; their difference is not a change (see `kde-ratio`).

use brasa_model::{Grid, Incidents, Metres, Note, Provenance, Surface};
use ndarray::Array2;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::adaptive::{Abramson, Cap, Pilot, densities, of_pilot};
use crate::edge::{Edge, mass_at_each, moments_at_centres, shared_out};
use crate::kernels::Kernel;
use crate::sites::Ordered;
use crate::{About, AnalysisError, Bandwidth, CellSize, Sites, Watch};

/// What a reader of the catalogue learns.
pub const ABOUT: About = About {
    question: "Where is it dense, in crowded centre and thin outskirts alike?",
    reference: "Abramson 1982, doi:10.1214/aos/1176345986",
    units: "incidents/km²",
    cost: "places × places within the pilot bandwidth, plus places × rows within their own",
};

/// Parameters of [`kde_adaptive`].
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct KdeAdaptiveParams {
    /// How an incident spreads: uniform, triangular, epanechnikov, quartic, triweight or gaussian
    pub kernel: Kernel,
    /// Global bandwidth, the geometric mean of all: support radius (standard deviation of the gaussian), or a rule
    pub bandwidth: Bandwidth,
    /// Bandwidth of the pilot density, which says where it is crowded; the same as --bandwidth when absent
    #[schemars(title = "LENGTH|RULE")]
    pub pilot: Option<Bandwidth>,
    /// Side of a raster cell, or the rule that chooses it
    pub cell: CellSize,
    /// Correction for the study area's border: none, uniform or jones-diggle
    pub edge: Edge,
    /// Widest bandwidth allowed, in multiples of the global one
    pub cap: Cap,
}

/// How [`on_grid`] spreads an incident.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    /// The kernel.
    pub kernel: Kernel,
    /// The global bandwidth h0.
    pub bandwidth: Metres,
    /// The bandwidth of the pilot density.
    pub pilot: Metres,
    /// The correction for the border.
    pub edge: Edge,
    /// The cap on the bandwidths.
    pub cap: Cap,
}

/// The adaptive density of `incidents` on a grid clipped to their window.
pub fn kde_adaptive(
    incidents: &Incidents,
    params: &KdeAdaptiveParams,
    watch: &Watch,
) -> Result<Surface, AnalysisError> {
    if incidents.is_empty() {
        return Err(AnalysisError::NoIncidents);
    }
    let sites = Sites::new(incidents);
    let (cell, cell_note) = params.cell.resolve(incidents, &sites)?;
    let grid = Grid::covering(&incidents.window, cell)?;
    let decide = |bandwidth: Bandwidth| bandwidth.resolve(cell, params.kernel, incidents, &sites, watch);
    let bandwidth = decide(params.bandwidth)?;
    let pilot = params.pilot.map(decide).transpose()?;
    let spread = Spread {
        kernel: params.kernel,
        bandwidth: bandwidth.radius,
        pilot: pilot.as_ref().map_or(bandwidth.radius, |pilot| pilot.radius),
        edge: params.edge,
        cap: params.cap,
    };
    let mut surface = on_grid(&sites, grid, spread)?;
    bandwidth.record_in(&mut surface.provenance);
    let pilot_notes = pilot.into_iter().flat_map(|pilot| pilot.notes).map(of_pilot);
    let chosen: Vec<Note> = cell_note.into_iter().chain(bandwidth.notes).chain(pilot_notes).collect();
    surface.notes.splice(0..0, chosen);
    Ok(surface)
}

/// The adaptive density of sites on a given grid.
pub fn on_grid(sites: &Sites, grid: Grid, spread: Spread) -> Result<Surface, AnalysisError> {
    let Spread { kernel, bandwidth, pilot, edge, cap } = spread;
    let places = sites.ordered();
    let pilot_density = Pilot { grid: &grid, kernel, h: pilot.get(), edge };
    let at_places = pilot_density.at_places(places);
    let law =
        Abramson::new(&at_places, places.weight, bandwidth.get(), cap).ok_or(AnalysisError::NoIncidents)?;
    let h: Vec<f64> = at_places.iter().map(|&pilot| law.bandwidth(pilot)).collect();

    let mut values = match edge {
        Edge::JonesDiggle => {
            let mass = mass_at_each((places.x, places.y), &h, &grid, kernel);
            let weight = shared_out(places.weight, &mass);
            densities(Ordered { weight: &weight, ..places }, &h, &grid, kernel)
        }
        Edge::None | Edge::Uniform => densities(places, &h, &grid, kernel),
    };
    if edge == Edge::Uniform {
        let own: Vec<f64> =
            pilot_density.at_centres(places).into_iter().map(|pilot| law.bandwidth(pilot)).collect();
        // A centre's own cell lies inside, so that the mass is never 0.
        for (cell, [mass, _]) in grid.cells().zip(moments_at_centres(&own, None, &grid, kernel)) {
            values[cell] /= mass;
        }
    }
    for (cell, value) in values.iter_mut().enumerate() {
        // 1e6 m² in a km².
        *value = if grid.is_inside(cell) { *value * 1e6 } else { f64::NAN };
    }
    let parameters = json!({
        "kernel": kernel,
        "bandwidth": bandwidth,
        "bandwidth_meaning": kernel.bandwidth_meaning(),
        "pilot": pilot,
        "cell": grid.cell(),
        "edge": edge,
        "cap": cap,
    });
    let notes = vec![law.told(&h)];
    let shape = (grid.ny(), grid.nx());
    let values = Array2::from_shape_vec(shape, values).unwrap_or_else(|_| Array2::from_elem(shape, f64::NAN));
    let provenance = Provenance::new("kde-adaptive", parameters);
    Ok(Surface { grid, values, unit: ABOUT.units.to_owned(), provenance, notes })
}
