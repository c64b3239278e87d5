//! Getis–Ord general G: whether the many lie beside the many.
//!
//! # Question
//! Do high zones lie beside high ones, or low beside low, over the whole study area?
//!
//! # Definition
//! G = Σᵢ Σⱼ wᵢⱼ xᵢ xⱼ / Σᵢ Σⱼ≠ᵢ xᵢ xⱼ with wᵢⱼ = 1 for each neighbour (or what `weights` and `neighbours` say). Expected is S₀/(n (n − 1)) with S₀ = Σ wᵢⱼ; the variance is that under
//! randomisation. Counts must not be negative. With `permutations` p is also twice the smaller tail (M + 1)/(R + 1) of R
//! random arrangements of the counts.
//!
//! # Reference
//! Getis & Ord 1992, eq. 5 and appendix, doi:10.1111/j.1538-4632.1992.tb00261.x.
//!
//! # Agrees with
//! PySAL on Columbus (236 links), SIDS, St Louis and its six points, spdep on Columbus (230 links): to 1e-8
//! (`tests/global.rs`).
//!
//! # Differs from
//! Tools that row-standardise: G is made for binary weights. There is no variance under normality: its columns are empty.
//!
//! # Units
//! A plain number from 0 to 1; the variance is its square.
//!
//! # Cost
//! Zones × neighbours, times permutations.
//!
//! # Often misunderstood
//! A high G says that high zones lie together, a low one that low zones do; where both happen they cancel, and G is as
//! expected in a city that Moran's I calls strongly clustered.

use brasa_model::{Curve, Incidents};

use crate::association::{Association, Global, GlobalParams, checked};
use crate::conditional::centred;
use crate::weights::{Style, Weights};
use crate::zones::Zones;
use crate::{About, AnalysisError, Watch};

/// What a reader of the catalogue learns.
pub const ABOUT: About = About {
    question: "Do high zones lie beside high ones, or low beside low, over the whole study area?",
    reference: "Getis & Ord 1992, eq. 5, doi:10.1111/j.1538-4632.1992.tb00261.x",
    units: "G (a plain number)",
    cost: "zones × neighbours × permutations",
};

/// Parameters of [`general_g`].
pub type GeneralGParams = GlobalParams;

/// General G of the incidents counted in zones.
pub fn general_g(
    incidents: &Incidents,
    params: &GeneralGParams,
    watch: &Watch,
) -> Result<Curve, AnalysisError> {
    let zones = Zones::of(incidents, &params.counted, params.neighbours)?;
    let global = Global {
        method: "general-g",
        title: "General G",
        style: Style::Binary,
        moments: association,
        raw,
        meaning: ["high zones lie together", "low zones lie together"],
    };
    global.of(zones, params, watch)
}

/// Σᵢ xᵢ Σⱼ wᵢⱼ xⱼ over the neighbours: G but for a factor that no arrangement changes.
pub fn raw(values: &[f64], weights: &Weights) -> f64 {
    let lag = |zone: usize| weights.row(zone).map(|(to, weight)| weight * values[to]).sum::<f64>();
    (0..values.len()).map(|zone| values[zone] * lag(zone)).sum()
}

/// General G of given values with given neighbours.
pub fn association(values: &[f64], weights: &Weights) -> Result<Association, AnalysisError> {
    centred(values)?;
    let [s0, s1, s2] = checked(values, weights)?;
    if values.iter().any(|&value| value < 0.0) || values.iter().filter(|&&value| value > 0.0).count() < 2 {
        return Err(AnalysisError::TooFewZones {
            why: "general G needs counts that are not negative, in two zones at least".to_owned(),
        });
    }
    let n = values.len() as f64;
    let power = |power: i32| values.iter().map(|value| value.powi(power)).sum::<f64>();
    let [m1, m2, m3, m4] = [1, 2, 3, 4].map(power);
    let square = s0 * s0;
    // The coefficients of Getis & Ord 1992, appendix, in their names.
    let b0 = (n * n - 3.0 * n + 3.0) * s1 - n * s2 + 3.0 * square;
    let b1 = -((n * n - n) * s1 - 2.0 * n * s2 + 6.0 * square);
    let b2 = -(2.0 * n * s1 - (n + 3.0) * s2 + 6.0 * square);
    let b3 = 4.0 * (n - 1.0) * s1 - 2.0 * (n + 1.0) * s2 + 8.0 * square;
    let b4 = s1 - s2 + square;
    let pairs = m1 * m1 - m2;
    let second = (b0 * m2 * m2 + b1 * m4 + b2 * m1 * m1 * m2 + b3 * m1 * m3 + b4 * m1.powi(4))
        / (pairs * pairs * n * (n - 1.0) * (n - 2.0) * (n - 3.0));
    let expectation = s0 / (n * (n - 1.0));
    Ok(Association {
        value: raw(values, weights) / pairs,
        expectation,
        variance_normality: f64::NAN,
        variance_randomisation: second - expectation * expectation,
    })
}
