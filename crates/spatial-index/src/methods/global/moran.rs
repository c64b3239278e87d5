//! Moran's I: whether near zones are alike.
//!
//! # Question
//! Are near zones alike, over the whole study area?
//!
//! # Definition
//! I = (n/S₀) Σᵢ Σⱼ wᵢⱼ zᵢ zⱼ / Σᵢ zᵢ² with z = x − x̄, wᵢⱼ = 1/kᵢ for each of the kᵢ neighbours (or what `weights` and `neighbours` say), S₀ = Σ wᵢⱼ. Expected is −1/(n − 1); the variances are those
//! under normality and under randomisation of Cliff & Ord 1981, p. 21. With `permutations` p is also twice the smaller tail
//! (M + 1)/(R + 1) of R random arrangements of the counts.
//!
//! # Reference
//! Moran 1950, doi:10.1093/biomet/37.1-2.17; Cliff & Ord 1981, Spatial processes, ISBN 978-0-85086-081-8.
//!
//! # Agrees with
//! spdep and PySAL on Columbus (230 and 236 links), SIDS and St Louis, PySAL on the 500 m grid of Memphis: to 1e-8, both
//! variances (`tests/global.rs`); PySAL with weights of 1/d and 1/d², by row and as they are (`tests/weights.rs`).
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

use crate::association::{Global, GlobalParams, moran_of, moran_raw};
use crate::weights::Style;
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
    let zones = Zones::of(incidents, &params.counted, params.neighbours)?;
    let global = Global {
        method: "moran",
        title: "Moran's I",
        style: Style::RowStandardised,
        moments: moran_of,
        raw: moran_raw,
        meaning: ["near zones are alike", "near zones are unlike"],
    };
    global.of(zones, params, watch)
}
