//! Local Geary: which zones differ little, or much, from their neighbours.
//!
//! # Question
//! Which zones differ less, or more, from their neighbours than chance would have it?
//!
//! # Definition
//! Cᵢ = Σⱼ wᵢⱼ (xᵢ − xⱼ)² / m₂ with m₂ = Σ (x − x̄)²/(n − 1) and wᵢⱼ = 1/kᵢ for each of the kᵢ neighbours, or by distance and adding up to one. The z-score is Cᵢ against its exact
//! moments when the neighbours are drawn from the other zones: those of a mean of k of n − 1 squared differences. A small C, and a
//! negative z, is likeness: a significant zone is then `hh` or `ll` where it and its neighbours lie on one side of the mean, `alike`
//! otherwise; with a large C it is `unlike`. Zones, p and q are as for `gi-star`.
//!
//! # Reference
//! Anselin 1995, section 3.3, doi:10.1111/j.1538-4632.1995.tb00338.x; Anselin 2019, doi:10.1111/gean.12164; moments after Sokal,
//! Oden & Thomson 1998, doi:10.1111/j.1538-4632.1998.tb00406.x.
//!
//! # Agrees with
//! spdep on Columbus (230 links) and PySAL on Columbus (236), SIDS and St Louis to 1e-8; its z with the moments of independent
//! permutations (`tests/local.rs`).
//!
//! # Differs from
//! esda divides m₂ by n: its C is n/(n − 1) times the C here, which is spdep's; z and p are the same.
//!
//! # Units
//! C is a plain number, z is in standard deviations.
//!
//! # Cost
//! That of `gi-star`; shared permutations cost zones × permutations.
//!
//! # Often misunderstood
//! Likeness is not concentration: empty zones among empty ones are alike. Squares of counts are skewed, so p from the
//! normal law is rough, and a C well below its expectation can hardly be significant; permutations are the better guide.

use brasa_model::{Class, Incidents, LocalStats, Series};

use crate::conditional::{Summed, centred, score};
use crate::weights::Weights;
use crate::zones::{Local, ZoneParams, Zones};
use crate::{About, AnalysisError, Watch};

/// What a reader of the catalogue learns.
pub const ABOUT: About = About {
    question: "Which zones differ less, or more, from their neighbours than chance would have it?",
    reference: "Anselin 1995, section 3.3, doi:10.1111/j.1538-4632.1995.tb00338.x; Anselin 2019, doi:10.1111/gean.12164",
    units: "C (a plain number), standard deviations (z)",
    cost: "zones × neighbours",
};

/// Parameters of [`local_geary`].
pub type LocalGearyParams = ZoneParams;

/// Local Geary of the incidents counted in zones.
pub fn local_geary(
    incidents: &Incidents,
    params: &LocalGearyParams,
    watch: &Watch,
) -> Result<LocalStats, AnalysisError> {
    let zones = Zones::of(incidents, &params.counted, params.neighbours)?;
    let Scores { c, z, class } = scores(&zones.values, &zones.weights)?;
    let local = Local {
        method: "local-geary",
        title: "Likeness of each zone to its neighbours (local Geary)",
        description: "Local Geary of each zone: hh, ll and alike differ little from their neighbours, unlike ones much; when q is at most 0.05. Alike does not mean many.",
        self_included: false,
        series: vec![Series::new("c", "Local Geary's C", "", c)],
        z,
        summed: Summed::SquaredDifferences,
        p: None,
        class: &|zone| class[zone],
        verdicts: &[Class::HighHigh, Class::LowLow, Class::Alike, Class::Unlike],
    };
    zones.judged(local, params, watch)
}

/// What [`scores`] finds in each zone.
pub struct Scores {
    /// The statistic; NaN for a zone without neighbours.
    pub c: Vec<f64>,
    /// Its z-score under conditional randomisation; negative where the zone is like its neighbours.
    pub z: Vec<f64>,
    /// What the zone is, if it is significant.
    pub class: Vec<Class>,
}

/// Local Geary of given values with given neighbours.
pub fn scores(values: &[f64], weights: &Weights) -> Result<Scores, AnalysisError> {
    let own = centred(values)?;
    let others = own.len() - 1;
    let power = |power: i32| own.iter().map(|z| z.powi(power)).sum::<f64>();
    let (m2, m3, m4) = (power(2), power(3), power(4));
    let n = own.len() as f64;
    let (mut c, mut z, mut class) = (Vec::new(), Vec::new(), Vec::new());
    for (zone, &x) in own.iter().enumerate() {
        let k = weights.count(zone);
        let sum = weights.row(zone).map(|(to, weight)| weight * (x - own[to]) * (x - own[to])).sum::<f64>();
        let lag = weights.row(zone).map(|(to, weight)| weight * own[to]).sum::<f64>();
        // Σ (x − zⱼ)² and Σ (x − zⱼ)⁴ over all j, where Σ zⱼ = 0.
        let squares = n * x * x + m2;
        let fourths = n * x.powi(4) + 6.0 * x * x * m2 - 4.0 * x * m3 + m4;
        let score =
            if k == 0 { f64::NAN } else { score(sum, weights.loads(zone), others, (squares, fourths)) };
        c.push(sum / weights.total(zone) / (m2 / others as f64));
        z.push(score);
        class.push(match (score < 0.0, x > 0.0, lag > 0.0) {
            (false, ..) => Class::Unlike,
            (true, true, true) => Class::HighHigh,
            (true, false, false) => Class::LowLow,
            (true, ..) => Class::Alike,
        });
    }
    Ok(Scores { c, z, class })
}
