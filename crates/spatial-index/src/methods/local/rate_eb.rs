//! Empirical Bayes rates: what a zone's rate would be worth if small numbers did not exaggerate.
//!
//! # Question
//! Which zones have a high or low rate, once small denominators are allowed for?
//!
//! # Definition
//! rᵢ = Oᵢ/Pᵢ, m = Σ O/Σ P, a = Σ P (r − m)²/Σ P − m/P̄, at least 0. *Global*: θᵢ = wᵢ rᵢ + (1 − wᵢ) m with
//! wᵢ = a/(a + m/Pᵢ); *local*: the same with the m and a of the zone and its neighbours. zᵢ = (rᵢ − m)/√(a + m/Pᵢ): the rate against
//! that of the whole study area, in the deviations that chance and the differences between zones make together. Zones, p and
//! q are as for `gi-star`.
//!
//! # Reference
//! Marshall 1991, doi:10.2307/2347593; for z Assunção & Reis 1999,
//! doi:10.1002/(SICI)1097-0258(19990830)18:16<2147::AID-SIM179>3.0.CO;2-I.
//!
//! # Agrees with
//! PySAL on SIDS 1974 (global and local) and on St Louis 1979–84 (global) to all printed digits; Moran's I of z on SIDS and St
//! Louis to 1e-8 (`tests/rates.rs`).
//!
//! # Differs from
//! esda does not hold a at 0 in the global form, GeoDa does. Where zones differ by no more than chance, a is 0 and every
//! zone's global rate is m.
//!
//! # Units
//! Rates are incidents per unit of the denominator: per resident, if residents were given.
//!
//! # Cost
//! Zones × neighbours.
//!
//! # Often misunderstood
//! A smoothed rate is a better guess of the risk behind a count, not a count: it must not be added up. The local form
//! smooths towards the neighbours and so makes maps look more clustered than the data are.

use brasa_model::{Class, Denominators, Incidents, LocalStats, Series};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::conditional::Summed;
use crate::significance::Correction;
use crate::weights::{Neighbours, Weights};
use crate::zones::{Local, ZoneParams, Zones, denominators, hot_or_cold, unweighted};
use crate::zoning::CountedIn;
use crate::{About, AnalysisError, Watch};

/// What a reader of the catalogue learns.
pub const ABOUT: About = About {
    question: "Which zones have a high or low rate, once small denominators are allowed for?",
    reference: "Marshall 1991, doi:10.2307/2347593; Assunção & Reis 1999",
    units: "incidents per unit of the denominator, standard deviations (z)",
    cost: "zones × neighbours",
};

/// Parameters of [`rate_eb`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RateEbParams {
    /// File with the zones, such as beats or tracts; without --study-area they are the study area
    #[schemars(title = "FILE")]
    pub zones: String,
    /// Which layer of the zones' file, if it has several
    #[schemars(title = "NAME")]
    #[serde(default)]
    pub zones_layer: Option<String>,
    /// Column of the zones with what to divide the incidents by, such as people
    #[schemars(title = "COLUMN")]
    pub population: String,
    /// Which zones count as neighbours: queen, rook, knn:K (the K nearest) or band:LENGTH (all centres within that distance)
    #[serde(default)]
    pub neighbours: Neighbours,
    /// How p is adjusted for testing many zones: bh, by (whatever the dependence) or bonferroni
    #[serde(default)]
    pub correction: Correction,
}

/// Rates of the incidents in given zones.
pub fn rate_eb(
    incidents: &Incidents,
    params: &RateEbParams,
    watch: &Watch,
) -> Result<LocalStats, AnalysisError> {
    let counted = CountedIn {
        zones: Some(params.zones.clone()),
        population: Some(params.population.clone()),
        ..CountedIn::default()
    };
    unweighted("rate-eb", params.neighbours)?;
    let zones = Zones::of(incidents, &counted, params.neighbours)?;
    let Some(Denominators { values: below, .. }) = denominators(&zones.zoning).cloned() else {
        return Err(AnalysisError::TooFewZones { why: "the zones have nothing to divide by".to_owned() });
    };
    let z = scores(&zones.count, &below)?;
    let signs = z.clone();
    let local = Local {
        method: "rate-eb",
        title: "Rates by zone, smoothed (empirical Bayes)",
        description: "Rates of zones, raw and drawn towards that of the study area (global) or of the neighbourhood (local) as far as small numbers make them unsure. Hot and cold compare the rate with that of the study area, at q <= 0.05.",
        self_included: true,
        series: vec![
            Series::new(
                "rate_global",
                "Rate, smoothed towards the study area",
                "",
                global(&zones.count, &below),
            ),
            Series::new(
                "rate_local",
                "Rate, smoothed towards the neighbours",
                "",
                local_rates(&zones.count, &below, &zones.weights),
            ),
        ],
        z,
        summed: Summed::Values,
        p: None,
        class: &|zone| hot_or_cold(signs[zone]),
        verdicts: &[Class::Hot, Class::Cold],
    };
    let judged = ZoneParams { correction: params.correction, ..ZoneParams::default() };
    zones.judged(local, &judged, watch)
}

/// The rate m of some zones together, and the variance a of the risks behind their rates.
fn moments(of: impl Iterator<Item = (f64, f64)> + Clone) -> (f64, f64) {
    let (zones, count, below) =
        of.clone().fold((0.0, 0.0, 0.0), |sum, (count, below)| (sum.0 + 1.0, sum.1 + count, sum.2 + below));
    let m = count / below;
    let squares: f64 = of.map(|(count, below)| below * (count / below - m) * (count / below - m)).sum();
    (m, (squares / below - m * zones / below).max(0.0))
}

/// A rate drawn towards `m`.
fn drawn((count, below): (f64, f64), (m, a): (f64, f64)) -> f64 {
    if m > 0.0 { m + (count / below - m) * a / (a + m / below) } else { 0.0 }
}

/// Rates drawn towards that of all zones.
pub fn global(count: &[f64], below: &[f64]) -> Vec<f64> {
    let all = count.iter().copied().zip(below.iter().copied());
    let moments = moments(all.clone());
    all.map(|zone| drawn(zone, moments)).collect()
}

/// Rates drawn towards those of the zone and its neighbours together.
pub fn local_rates(count: &[f64], below: &[f64], weights: &Weights) -> Vec<f64> {
    let at = |zone: usize| (count[zone], below[zone]);
    let one = |zone: usize| {
        let around = weights.of(zone).iter().map(|&other| at(other as usize));
        drawn(at(zone), moments(std::iter::once(at(zone)).chain(around)))
    };
    (0..count.len()).map(one).collect()
}

/// The z-score of each zone's rate against that of all.
pub fn scores(count: &[f64], below: &[f64]) -> Result<Vec<f64>, AnalysisError> {
    let all = count.iter().copied().zip(below.iter().copied());
    let (m, a) = moments(all.clone());
    if !(m > 0.0 && count.len() > 1) {
        let why = format!(
            "rates of {} zones with {} incidents cannot be compared",
            count.len(),
            count.iter().sum::<f64>()
        );
        return Err(AnalysisError::TooFewZones { why });
    }
    Ok(all.map(|(count, below)| (count / below - m) / (a + m / below).sqrt()).collect())
}
