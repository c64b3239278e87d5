//! Getis–Ord Gi*: which zones, with their neighbours, hold more than chance would put there.
//!
//! # Question
//! Which zones are significantly high or low?
//!
//! # Definition
//! zᵢ = (Σⱼ wᵢⱼ xⱼ − x̄ Wᵢ) / (s √((n Wᵢ − Wᵢ²)/(n − 1))) with wᵢⱼ = 1 for zone i itself and its neighbours,
//! Wᵢ = Σⱼ wᵢⱼ and s² = Σ xⱼ²/n − x̄². Zones are the cells whose centre lies in the study area, empty ones
//! included: an empty cell is data. p is two-sided under the normal law, q is p adjusted by Benjamini–Hochberg.
//!
//! # Reference
//! Ord & Getis 1995, eq. 14, doi:10.1111/j.1538-4632.1995.tb00912.x.
//!
//! # Agrees with
//! spdep and PySAL on Columbus, the 16 × 16 grid of Getis & Ord 1996 with the divisor n, the 500 m grids of
//! Memphis, Medellín and Chicago arson: all to 1e-8 (`tests/conformance.rs`).
//!
//! # Differs from
//! The table printed in Getis & Ord 1996 uses the variance with n − 1: its z are smaller by √((n − 1)/n).
//!
//! # Units
//! z is in standard deviations.
//!
//! # Cost
//! Zones × neighbours.
//!
//! # Often misunderstood
//! A zone is hot because of its neighbourhood: it may hold no incident itself. Counts are few and skewed, so p from
//! the normal law is an approximation, rough where the mean count is below one.

use std::fmt;

use brasa_model::{Class, Grid, Incidents, LocalStats, Metres, Note, Provenance};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::neighbours::{neighbour_sums, offsets_within};
use crate::significance::{benjamini_hochberg, classify, two_sided_p};
use crate::written::as_text;
use crate::{About, AnalysisError, CellSize, Sites, Watch};

/// What a reader of the catalogue learns.
pub const ABOUT: About = About {
    question: "Which zones are significantly high or low?",
    reference: "Ord & Getis 1995, eq. 14, doi:10.1111/j.1538-4632.1995.tb00912.x",
    units: "standard deviations (z)",
    cost: "zones × neighbours",
};

/// The level of q at which a zone is called significant.
pub const LEVEL: f64 = 0.05;

/// With fewer zones than this the normal law is a poor guide.
const FEW_ZONES: usize = 30;

/// Parameters of [`gi_star`].
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct GiStarParams {
    /// Side of a zone, or the rule that chooses it
    pub cell: CellSize,
    /// Which zones count as neighbours: queen, rook or band:LENGTH (all centres within that distance)
    pub neighbours: Neighbours,
}

/// Which zones count as neighbours.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Neighbours {
    /// Zones that share a side or a corner.
    #[default]
    Queen,
    /// Zones that share a side.
    Rook,
    /// Zones whose centres lie within a distance.
    Band(Metres),
}

impl Neighbours {
    /// The offsets of the neighbours on a grid of such cells, the zone itself included.
    fn offsets(self, cell: Metres) -> Vec<(i64, i64)> {
        match self {
            Self::Queen => offsets_within(std::f64::consts::SQRT_2),
            Self::Rook => offsets_within(1.0),
            Self::Band(distance) => offsets_within(distance.get() / cell.get()),
        }
    }
}

impl std::str::FromStr for Neighbours {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.trim() {
            "queen" => Ok(Self::Queen),
            "rook" => Ok(Self::Rook),
            other => match other.strip_prefix("band:") {
                Some(length) => {
                    length.parse().map(Self::Band).map_err(|error: brasa_model::UnitError| error.to_string())
                }
                None => Err(format!("\"{other}\" is not a neighbourhood: queen, rook, or band:500m")),
            },
        }
    }
}

impl fmt::Display for Neighbours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Queen => f.write_str("queen"),
            Self::Rook => f.write_str("rook"),
            Self::Band(distance) => write!(f, "band:{}", String::from(*distance)),
        }
    }
}

as_text!(Neighbours, "queen|rook|band:LENGTH", "examples": ["queen", "rook", "band:500m"]);

/// Gi* of the incidents counted in the cells of a grid clipped to their window.
pub fn gi_star(incidents: &Incidents, params: &GiStarParams, _: &Watch) -> Result<LocalStats, AnalysisError> {
    if incidents.is_empty() {
        return Err(AnalysisError::NoIncidents);
    }
    let sites = Sites::new(incidents);
    let (cell, cell_note) = params.cell.resolve(incidents, &sites)?;
    let grid = Grid::covering(&incidents.window, cell)?;
    let mut stats = on_grid(&sites, grid, params.neighbours)?;
    stats.notes.extend(cell_note);
    Ok(stats)
}

/// Gi* of sites on a given grid.
pub fn on_grid(sites: &Sites, grid: Grid, neighbours: Neighbours) -> Result<LocalStats, AnalysisError> {
    let mut notes = Vec::new();
    let (count, outside) = count_sites(sites, &grid);
    if outside > 0 {
        notes.push(
            Note::new(
                "edge_incidents",
                format!("{outside} incidents at the rim of the study area are in no zone"),
            )
            .value(outside, "incidents")
            .reason(
                "a cell whose centre lies outside the study area is not a zone; a smaller --cell loses fewer",
            ),
        );
    }
    if grid.len() < FEW_ZONES {
        notes.push(
            Note::new("few_zones", format!("only {} zones", grid.len())).value(grid.len(), "zones").reason(
                format!("with fewer than {FEW_ZONES} zones p-values are rough; a smaller --cell gives more"),
            ),
        );
    }
    let (sums, sizes) = neighbour_sums(&grid, &count, &neighbours.offsets(grid.cell()));
    let z = scores(&count, &sums, &sizes)?;
    let p: Vec<f64> = z.iter().map(|&z| two_sided_p(z)).collect();
    let q = benjamini_hochberg(&p);
    let class: Vec<Class> = z.iter().zip(&q).map(|(&z, &q)| classify(z, q, LEVEL)).collect();
    let parameters = json!({
        "cell": grid.cell(),
        "neighbours": neighbours,
        "self_included": true,
        "p": "two-sided, normal law",
        "q": "Benjamini-Hochberg",
        "level": LEVEL,
    });
    let provenance = Provenance::new("gi-star", parameters);
    Ok(LocalStats { grid, count, neighbours: sizes, z, p, q, class, provenance, notes })
}

/// Weight per zone, and how many incidents fall into no zone.
fn count_sites(sites: &Sites, grid: &Grid) -> (Vec<f64>, u64) {
    let mut dense = vec![0.0; grid.nx() * grid.ny()];
    let mut outside = 0;
    for site in 0..sites.len() {
        match grid.cell_at(sites.x[site], sites.y[site]).filter(|&cell| grid.is_inside(cell)) {
            Some(cell) => dense[cell] += sites.weight[site],
            None => outside += u64::from(sites.count[site]),
        }
    }
    (grid.cells().map(|cell| dense[cell]).collect(), outside)
}

/// The z-score of each zone from its value, the sum over its neighbourhood and the neighbourhood's size.
pub fn scores(values: &[f64], sums: &[f64], sizes: &[u32]) -> Result<Vec<f64>, AnalysisError> {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    // Around the mean, not Σx²/n − x̄²: the same number without its cancellation.
    let variance = values.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>() / n;
    let flat = values.iter().all(|&value| value == values[0]);
    if flat || !(variance.is_finite() && variance > 0.0) {
        return Err(AnalysisError::NoVariance {
            zones: values.len(),
            count: values.first().copied().unwrap_or(0.0),
        });
    }
    let deviation = variance.sqrt();
    let score = |(&sum, &size): (&f64, &u32)| {
        let weight = f64::from(size);
        let spread = ((n * weight - weight * weight) / (n - 1.0)).sqrt();
        // A zone whose neighbourhood is everything has nothing to differ from.
        if spread > 0.0 { (sum - mean * weight) / (deviation * spread) } else { 0.0 }
    };
    Ok(sums.iter().zip(sizes).map(score).collect())
}
