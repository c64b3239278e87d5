//! Moran's I: whether near zones are alike.
//!
//! # Question
//! Are near zones alike, over the whole study area?
//!
//! # Definition
//! I = (n/S₀) Σᵢ Σⱼ wᵢⱼ zᵢ zⱼ / Σᵢ zᵢ² with z = x − x̄, wᵢⱼ = 1/kᵢ for each of the kᵢ neighbours, S₀ = Σ wᵢⱼ. Expected is −1/(n − 1); the variances are those
//! under normality and under randomisation of Cliff & Ord 1981, p. 21. With `permutations` p is also twice the smaller tail
//! (M + 1)/(R + 1) of R random arrangements of the counts.
//!
//! # Reference
//! Moran 1950, doi:10.1093/biomet/37.1-2.17; Cliff & Ord 1981, Spatial processes, ISBN 978-0-85086-081-8.
//!
//! # Agrees with
//! spdep and PySAL on Columbus (230 and 236 links), SIDS and St Louis, PySAL on the 500 m grid of Memphis: to 1e-8, both
//! variances (`tests/global.rs`).
//!
//! # Differs from
//! spdep leaves zones without neighbours out of n; here they count. esda's p from permutations is one-sided: half of the p here.
//!
//! # Units
//! A plain number, about −1 to 1; variances are its square.
//!
//! # Cost
//! Zones × neighbours, times permutations.
//!
//! # Often misunderstood
//! Every city has a centre, so I is significant nearly everywhere: it does not say where, nor that there are hotspots. It
//! depends on the size of the zones and on the empty ones among them; compare only what was counted on the same zones.

use brasa_model::{Curve, Incidents};

use crate::association::{Association, Global, GlobalParams, checked};
use crate::conditional::centred;
use crate::weights::{Style, Weights};
use crate::zones::Zones;
use crate::{About, AnalysisError, Watch};

/// What a reader of the catalogue learns.
pub const ABOUT: About = About {
    question: "Are near zones alike, over the whole study area?",
    reference: "Moran 1950, doi:10.1093/biomet/37.1-2.17; Cliff & Ord 1981, ISBN 978-0-85086-081-8",
    units: "I (a plain number)",
    cost: "zones × neighbours × permutations",
};

/// Parameters of [`moran`].
pub type MoranParams = GlobalParams;

/// Moran's I of the incidents counted in zones.
pub fn moran(incidents: &Incidents, params: &MoranParams, watch: &Watch) -> Result<Curve, AnalysisError> {
    let zones = Zones::of(incidents, params.cell, params.neighbours, params.zones.is_some())?;
    let global = Global {
        method: "moran",
        title: "Moran's I",
        style: Style::RowStandardised,
        moments: |values, weights| association(values, weights, Style::RowStandardised),
        raw,
        meaning: ["near zones are alike", "near zones are unlike"],
    };
    global.of(zones, params, watch)
}

/// Σᵢ zᵢ Σⱼ zⱼ/kᵢ over the neighbours: I but for factors that no arrangement changes.
pub fn raw(values: &[f64], weights: &Weights) -> f64 {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let lag = |zone: usize| {
        let neighbours = weights.of(zone);
        neighbours.iter().map(|&to| values[to as usize] - mean).sum::<f64>() / neighbours.len().max(1) as f64
    };
    (0..values.len()).map(|zone| (values[zone] - mean) * lag(zone)).sum()
}

/// Moran's I of given values with given neighbours.
pub fn association(values: &[f64], weights: &Weights, style: Style) -> Result<Association, AnalysisError> {
    let z = centred(values)?;
    let [s0, s1, s2] = checked(values, weights, style)?;
    let n = z.len() as f64;
    let m2 = z.iter().map(|z| z * z).sum::<f64>() / n;
    let kurtosis = z.iter().map(|z| z.powi(4)).sum::<f64>() / n / (m2 * m2);
    let cross = match style {
        Style::RowStandardised => raw(values, weights),
        Style::Binary => weights.sums(&z).iter().zip(&z).map(|(sum, z)| sum * z).sum(),
    };
    let expectation = -1.0 / (n - 1.0);
    let square = s0 * s0;
    let normal = (n * n * s1 - n * s2 + 3.0 * square) / ((n * n - 1.0) * square);
    let random = (n * ((n * n - 3.0 * n + 3.0) * s1 - n * s2 + 3.0 * square)
        - kurtosis * ((n * n - n) * s1 - 2.0 * n * s2 + 6.0 * square))
        / ((n - 1.0) * (n - 2.0) * (n - 3.0) * square);
    Ok(Association {
        value: cross / (s0 * m2),
        expectation,
        variance_normality: normal - expectation * expectation,
        variance_randomisation: random - expectation * expectation,
    })
}
