//! Local Moran: which zones are like their neighbours, and which stand out among them.
//!
//! # Question
//! Which zones are high among high, low among low, or unlike their neighbours?
//!
//! # Definition
//! Iᵢ = (zᵢ / m₂) Σⱼ wᵢⱼ zⱼ with z = x − x̄, m₂ = Σ z²/(n − 1) and wᵢⱼ = 1/kᵢ for each of the kᵢ neighbours, or by
//! distance and adding up to one; as plain numbers they would scale I and leave z and p as they are. The z-score is Iᵢ against its
//! moments when the neighbours are drawn from the other zones (conditional randomisation). A significant zone is `hh`, `ll`,
//! `hl` or `lh`: its own side of the mean, then that of its neighbours. Zones, p and q are as for `gi-star`.
//!
//! # Reference
//! Anselin 1995, eq. 12, doi:10.1111/j.1538-4632.1995.tb00338.x; Sokal, Oden & Thomson 1998, doi:10.1111/j.1538-4632.1998.tb00406.x.
//!
//! # Agrees with
//! PySAL and spdep on Columbus (230 and 236 links), SIDS and St Louis: I and z to 1e-8; half its permutation p is esda's `p_sim`
//! within sampling error (`tests/local.rs`).
//!
//! # Differs from
//! spdep divides m₂ by n: its I is n/(n − 1) times the I here, which is that of esda and GeoDa; z and p are the same.
//!
//! # Units
//! I is a plain number, z is in standard deviations.
//!
//! # Cost
//! That of `gi-star`.
//!
//! # Often misunderstood
//! `hh` is not a hotspot by itself: it says that a zone above the mean has neighbours above it, as does Gi for the
//! neighbours alone, with the same p. A zone at the mean has I = 0 whatever lies around it. In a city of many empty zones
//! `ll` is rarely found: there is no room below the mean.

use brasa_model::{Class, Incidents, LocalStats, Series};

use crate::conditional::{Summed, centred, sum_scores};
use crate::weights::Weights;
use crate::zones::{Local, ZoneParams, Zones};
use crate::{About, AnalysisError, Watch};

/// What a reader of the catalogue learns.
pub const ABOUT: About = About {
    question: "Which zones are high among high, low among low, or unlike their neighbours?",
    reference: "Anselin 1995, eq. 12, doi:10.1111/j.1538-4632.1995.tb00338.x",
    units: "I (a plain number), standard deviations (z)",
    cost: "zones × neighbours",
};

/// Parameters of [`local_moran`].
pub type LocalMoranParams = ZoneParams;

/// Local Moran of the incidents counted in zones.
pub fn local_moran(
    incidents: &Incidents,
    params: &LocalMoranParams,
    watch: &Watch,
) -> Result<LocalStats, AnalysisError> {
    let zones = Zones::of(incidents, &params.counted, params.neighbours)?;
    let Scores { i, z, class } = scores(&zones.values, &zones.weights)?;
    let local = Local {
        method: "local-moran",
        title: "Zones and their neighbours (local Moran)",
        description: "Local Moran of each zone: hh is high among high, ll low among low, hl and lh stand out; when q is at most 0.05. Alike does not mean many.",
        self_included: false,
        series: vec![Series::new("i", "Local Moran's I", "", i)],
        // Given the zone's own value, I asks for the sum over its neighbours, as Gi does.
        p: zones.sum_p(&z, false, params),
        z,
        summed: Summed::Values,
        class: &|zone| class[zone],
        verdicts: &[Class::HighHigh, Class::LowLow, Class::HighLow, Class::LowHigh],
    };
    zones.judged(local, params, watch)
}

/// What [`scores`] finds in each zone.
pub struct Scores {
    /// The statistic; NaN for a zone without neighbours.
    pub i: Vec<f64>,
    /// Its z-score under conditional randomisation.
    pub z: Vec<f64>,
    /// What the zone is, if it is significant.
    pub class: Vec<Class>,
}

/// Local Moran of given values with given neighbours.
pub fn scores(values: &[f64], weights: &Weights) -> Result<Scores, AnalysisError> {
    let own = centred(values)?;
    let variance = own.iter().map(|z| z * z).sum::<f64>() / (own.len() - 1) as f64;
    let lag: Vec<f64> =
        weights.sums(&own).iter().zip(0..).map(|(sum, zone)| sum / weights.total(zone)).collect();
    let class = |(&own, &lag): (&f64, &f64)| match (own > 0.0, lag > 0.0) {
        (true, true) => Class::HighHigh,
        (false, false) => Class::LowLow,
        (true, false) => Class::HighLow,
        (false, true) => Class::LowHigh,
    };
    // Given its own value, I moves with the sum over the neighbours, to the side of that value.
    let side = |own: f64| if own == 0.0 { 0.0 } else { own.signum() };
    Ok(Scores {
        i: own.iter().zip(&lag).map(|(own, lag)| own * lag / variance).collect(),
        z: sum_scores(values, weights)?.iter().zip(&own).map(|(z, &own)| z * side(own)).collect(),
        class: own.iter().zip(&lag).map(class).collect(),
    })
}
