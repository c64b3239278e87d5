//! Getis–Ord Gi: which zones lie among more, or fewer, than chance would put around them.
//!
//! # Question
//! Which zones are surrounded by significantly high or low ones?
//!
//! # Definition
//! zᵢ = (Σⱼ wᵢⱼ xⱼ − x̄₍ᵢ₎ kᵢ) / (s₍ᵢ₎ √(kᵢ (n − 1 − kᵢ)/(n − 2))) with wᵢⱼ = 1 for each of the kᵢ neighbours and 0 for the zone itself;
//! with weights by distance kᵢ is Σⱼ wᵢⱼ, and kᵢ (n − 1 − kᵢ) is (n − 1) Σⱼ wᵢⱼ² − kᵢ²; mean x̄₍ᵢ₎ and deviation s₍ᵢ₎ (divisor n − 1) are those of the other n − 1 zones. Zones, p and q are as for `gi-star`.
//!
//! # Reference
//! Ord & Getis 1995, section 3, doi:10.1111/j.1538-4632.1995.tb00912.x.
//!
//! # Agrees with
//! spdep on Columbus (230 links), PySAL on Columbus (236), SIDS and St Louis, Getis & Ord 1996 at five distances with the
//! divisor n: all to 1e-8 (`tests/local.rs`).
//!
//! # Differs from
//! Tools whose p is one-sided: it is half of the p here. The z of row-standardised weights is the same as of binary
//! ones; a tool in which it is not does something else.
//!
//! # Units
//! z is in standard deviations.
//!
//! # Cost
//! That of `gi-star`.
//!
//! # Often misunderstood
//! The zone's own count has no say: a zone with a hundred incidents among empty ones is cold. To find concentrations
//! take `gi-star`; to find zones that differ from their surroundings, `local-moran`.

use brasa_model::{Class, Incidents, LocalStats};

use crate::conditional::{Summed, sum_scores};
use crate::zones::{Local, ZoneParams, Zones, hot_or_cold};
use crate::{About, AnalysisError, Watch};

/// What a reader of the catalogue learns.
pub const ABOUT: About = About {
    question: "Which zones are surrounded by significantly high or low ones?",
    reference: "Ord & Getis 1995, section 3, doi:10.1111/j.1538-4632.1995.tb00912.x",
    units: "standard deviations (z)",
    cost: "zones × neighbours",
};

/// Parameters of [`gi`].
pub type GiParams = ZoneParams;

/// Gi of the incidents counted in zones.
pub fn gi(incidents: &Incidents, params: &GiParams, watch: &Watch) -> Result<LocalStats, AnalysisError> {
    let zones = Zones::of(incidents, &params.counted, params.neighbours)?;
    let z = sum_scores(&zones.values, &zones.weights)?;
    let signs = z.clone();
    let local = Local {
        method: "gi",
        title: "Surroundings of each zone (Gi)",
        description: "Getis-Ord Gi of the neighbours of each zone. A zone is hot or cold when its neighbours hold more or less than chance and q is at most 0.05; its own count has no say.",
        self_included: false,
        series: Vec::new(),
        p: zones.sum_p(&z, false, params),
        z,
        summed: Summed::Values,
        class: &|zone| hot_or_cold(signs[zone]),
        verdicts: &[Class::Hot, Class::Cold],
    };
    zones.judged(local, params, watch)
}
