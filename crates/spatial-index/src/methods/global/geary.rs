//! Geary's C: how much near zones differ.
//!
//! # Question
//! How much do near zones differ, over the whole study area?
//!
//! # Definition
//! C = (n − 1) Σᵢ Σⱼ wᵢⱼ (xᵢ − xⱼ)² / (2 S₀ Σᵢ (xᵢ − x̄)²) with wᵢⱼ = 1/kᵢ for each of the kᵢ neighbours (or what `weights` and `neighbours` say), S₀ = Σ wᵢⱼ. Expected is 1; the
//! variances are those under normality and under randomisation of Cliff & Ord 1981, p. 21. A C below 1, and a negative z,
//! is likeness. With `permutations` p is also twice the smaller tail (M + 1)/(R + 1) of R random arrangements of the counts.
//!
//! # Reference
//! Geary 1954, doi:10.2307/2986645; Cliff & Ord 1981, Spatial processes, ISBN 978-0-85086-081-8.
//!
//! # Agrees with
//! PySAL and spdep on Columbus (236 links), SIDS and St Louis: to 1e-8, both variances (`tests/global.rs`); PySAL with weights of 1/d and 1/d² (`tests/weights.rs`).
//!
//! # Differs from
//! spdep turns the sign of z, so that likeness is positive. Zones without neighbours count in n.
//!
//! # Units
//! A plain number, from 0; variances are its square.
//!
//! # Cost
//! Zones × neighbours, times permutations.
//!
//! # Often misunderstood
//! Small means alike. C looks at differences between neighbours, so one zone with many incidents moves it more than Moran's I.

use brasa_model::{Curve, Incidents};

use crate::association::{Association, Global, GlobalParams, checked};
use crate::conditional::centred;
use crate::weights::{Style, Weights};
use crate::zones::Zones;
use crate::{About, AnalysisError, Watch};

/// What a reader of the catalogue learns.
pub const ABOUT: About = About {
    question: "How much do near zones differ, over the whole study area?",
    reference: "Geary 1954, doi:10.2307/2986645; Cliff & Ord 1981, ISBN 978-0-85086-081-8",
    units: "C (a plain number)",
    cost: "zones × neighbours × permutations",
};

/// Parameters of [`geary`].
pub type GearyParams = GlobalParams;

/// Geary's C of the incidents counted in zones.
pub fn geary(incidents: &Incidents, params: &GearyParams, watch: &Watch) -> Result<Curve, AnalysisError> {
    let zones = Zones::of(incidents, &params.counted, params.neighbours)?;
    let global = Global {
        method: "geary",
        title: "Geary's C",
        style: Style::RowStandardised,
        moments: association,
        raw,
        meaning: ["near zones are unlike", "near zones are alike"],
    };
    global.of(zones, params, watch)
}

/// Σᵢ Σⱼ wᵢⱼ (xᵢ − xⱼ)² over the neighbours: C but for factors that no arrangement changes.
pub fn raw(values: &[f64], weights: &Weights) -> f64 {
    let differences = |zone: usize| {
        let squares = weights.row(zone).map(|(to, weight)| {
            let difference = values[zone] - values[to];
            weight * difference * difference
        });
        squares.sum::<f64>()
    };
    (0..values.len()).map(differences).sum()
}

/// Geary's C of given values with given neighbours.
pub fn association(values: &[f64], weights: &Weights) -> Result<Association, AnalysisError> {
    let z = centred(values)?;
    let [s0, s1, s2] = checked(values, weights)?;
    let n = z.len() as f64;
    let squares = z.iter().map(|z| z * z).sum::<f64>();
    let kurtosis = n * z.iter().map(|z| z.powi(4)).sum::<f64>() / (squares * squares);
    let square = s0 * s0;
    let random = (n - 1.0) * s1 * (n * n - 3.0 * n + 3.0 - (n - 1.0) * kurtosis)
        - 0.25 * (n - 1.0) * s2 * (n * n + 3.0 * n - 6.0 - (n * n - n + 2.0) * kurtosis)
        + square * (n * n - 3.0 - (n - 1.0) * (n - 1.0) * kurtosis);
    Ok(Association {
        value: (n - 1.0) * raw(values, weights) / (2.0 * s0 * squares),
        expectation: 1.0,
        variance_normality: ((2.0 * s1 + s2) * (n - 1.0) - 4.0 * square) / (2.0 * (n + 1.0) * square),
        variance_randomisation: random / (n * (n - 2.0) * (n - 3.0) * square),
    })
}
