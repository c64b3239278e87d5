//! Getis–Ord Gi*: which zones, with their neighbours, hold more than chance would put there.
//!
//! # Question
//! Which zones are significantly high or low?
//!
//! # Definition
//! zᵢ = (Σⱼ wᵢⱼ xⱼ − x̄ Wᵢ) / (s √((n Σⱼ wᵢⱼ² − Wᵢ²)/(n − 1))) with wᵢⱼ = 1 for zone i itself and its neighbours,
//! Wᵢ = Σⱼ wᵢⱼ and s² = Σ xⱼ²/n − x̄². With `inverse` a neighbour weighs 1/d, with `inverse-square` 1/d², and the zone itself, whose
//! distance is none, as much as its nearest neighbour. z is the same however the weights of a zone are scaled, row-standardised ones too. Zones are the square cells whose centre lies in the study area, hexagons or H3 cells cut at its border, or given ones, empty ones
//! included: an empty zone is data. x is their count or, with denominators, their rate. p is two-sided: under the normal law at z and, of counts with neighbours that weigh
//! alike, not less than under the binomial law, by which each incident falls into any zone alike; or, with `permutations`, twice the smaller
//! tail (M + 1)/(R + 1) of R arrangements in which the zone keeps its value and its neighbours are drawn from all the
//! others ([`crate::conditional`]). q is p adjusted for testing all zones.
//!
//! # Reference
//! Ord & Getis 1995, eq. 14, doi:10.1111/j.1538-4632.1995.tb00912.x.
//!
//! # Agrees with
//! spdep and PySAL on Columbus, the 16 × 16 grid of Getis & Ord 1996 with the divisor n, the 500 m grids of
//! Memphis, Medellín and Chicago arson: all to 1e-8 (`tests/conformance.rs`). Half its permutation p is esda's `p_sim`
//! within sampling error (`tests/local.rs`).
//!
//! # Differs from
//! esda's p, which is one-sided and half of the p here where the normal law decides. It does on every city tried: incidents repeat, and then the binomial
//! law is the smaller one. Of evenly spread incidents, one or fewer a cell, the normal law alone calls some cell hot (q ≤ 0.05) in one to four worlds of five; here it
//! is at most one of twenty (`tests/local.rs`). The table printed in Getis & Ord 1996 uses the variance with n − 1: its z are smaller by √((n − 1)/n).
//!
//! # Units
//! z is in standard deviations.
//!
//! # Cost
//! Zones × neighbours; permutations add, when shared, permutations × the most neighbours and a search per zone, when
//! independent, permutations × zones × neighbours.
//!
//! # Often misunderstood
//! A zone is hot because of its neighbourhood: it may hold no incident itself. p is that of chance which spreads incidents evenly, or deals counts out
//! anew; a city has a busy middle by no chance at all. Rates and weights by distance have the normal law alone, an approximation, rough where the mean count is below one. A hexagon of which the border of the study area leaves little holds
//! few incidents for that reason alone.

use brasa_model::{Class, Grid, Incidents, LocalStats, Zoning};

use crate::conditional::{Summed, centred};
use crate::weights::{Neighbours, Weights};
use crate::zones::{Local, ZoneParams, Zones, hot_or_cold};
use crate::{About, AnalysisError, Sites, Watch};

/// What a reader of the catalogue learns.
pub const ABOUT: About = About {
    question: "Which zones are significantly high or low?",
    reference: "Ord & Getis 1995, eq. 14, doi:10.1111/j.1538-4632.1995.tb00912.x",
    units: "standard deviations (z)",
    cost: "zones × neighbours",
};

/// Parameters of [`gi_star`].
pub type GiStarParams = ZoneParams;

/// Gi* of the incidents counted in zones.
pub fn gi_star(
    incidents: &Incidents,
    params: &GiStarParams,
    watch: &Watch,
) -> Result<LocalStats, AnalysisError> {
    on_zones(Zones::of(incidents, &params.counted, params.neighbours)?, params, watch)
}

/// Gi* of sites on a given grid, p without permutations.
pub fn on_grid(sites: &Sites, grid: Grid, neighbours: Neighbours) -> Result<LocalStats, AnalysisError> {
    let params = GiStarParams { neighbours, ..GiStarParams::default() };
    on_zones(Zones::on(sites, Zoning::Grid(grid), neighbours, Vec::new()), &params, &Watch::NOBODY)
}

fn on_zones(zones: Zones, params: &GiStarParams, watch: &Watch) -> Result<LocalStats, AnalysisError> {
    let z = scores(&zones.values, &zones.weights)?;
    let signs = z.clone();
    let local = Local {
        method: "gi-star",
        title: "Significance by zone (Gi*)",
        description: "Getis-Ord Gi* of each zone with its neighbours. A zone is hot or cold when q is at most 0.05; it may hold no incident itself.",
        self_included: true,
        series: Vec::new(),
        p: zones.sum_p(&z, true, params),
        z,
        summed: Summed::Values,
        class: &|zone| hot_or_cold(signs[zone]),
        verdicts: &[Class::Hot, Class::Cold],
    };
    zones.judged(local, params, watch)
}

/// The z-score of each zone with its neighbours.
pub fn scores(values: &[f64], weights: &Weights) -> Result<Vec<f64>, AnalysisError> {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    // Around the mean, not Σx²/n − x̄²: the same number without its cancellation.
    let deviation = (centred(values)?.iter().map(|z| z * z).sum::<f64>() / n).sqrt();
    let score = |(zone, around): (usize, &f64)| {
        let own = weights.own(zone);
        let (weight, squares) = weights.loads(zone);
        let (weight, squares) = (weight + own, squares + own * own);
        let sum = around + own * values[zone];
        let spread = ((n * squares - weight * weight) / (n - 1.0)).sqrt();
        // A zone whose neighbourhood is everything has nothing to differ from.
        if spread > 0.0 { (sum - mean * weight) / (deviation * spread) } else { 0.0 }
    };
    Ok(weights.sums(values).iter().enumerate().map(score).collect())
}
