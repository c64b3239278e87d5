//! The k-distances: how far incidents must look to find so many others, and where that curve bends.
//!
//! # Question
//! Which radius suits a clustering with so many points?
//!
//! # Definition
//! The k-distance of an incident is the least radius within which incidents weigh at least k = `min-points`, its own place
//! included: the least `eps` that makes it a core. The answer is the share of incidents whose k-distance is at most `eps`,
//! over `eps`: the sorted k-distances with their axes exchanged. Marked is the knee: the step that lies highest above the
//! chord from no incident at the least k-distance to all at the greatest, both axes scaled to one. With `eps-time` only
//! incidents within that time count, as for `st-dbscan`, and the share is one of those whose time is known.
//!
//! # Reference
//! Ester, Kriegel, Sander & Xu 1996, KDD-96, section 4.2; the knee by the greatest difference after Satopaa, Albrecht, Irwin &
//! Raghavan 2011, doi:10.1109/ICDCSW.2011.20, without smoothing and sensitivity.
//!
//! # Agrees with
//! The sort of all distances from each incident (`tests/st_dbscan.rs`).
//!
//! # Differs from
//! Tools whose k does not count the incident itself: their k is one less. Incidents that never reach k count in the share and
//! have no step. The curve is thinned to steps a 200th of either axis apart.
//!
//! # Units
//! Metres; shares from 0 to 1.
//!
//! # Cost
//! Places × log places × k.
//!
//! # Often misunderstood
//! A knee is where the curve bends, not where the clusters are. Most of a city is background, and the knee is then the
//! spacing of the background: at that radius nearly everybody is a core of a few huge clusters, as a share of cores
//! near 1 tells. And one far outlier stretches the chord and moves the knee out. Look at the curve, and at `dbscan-stability`.

use brasa_model::{Curve, Incidents, Note, Provenance, Series, Span};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::cores::default_min_points;
use crate::k_distances::{core_share_of_moments, core_share_of_sites};
use crate::{About, AnalysisError, Moments, Sites, Watch};

/// What a reader of the catalogue learns.
pub const ABOUT: About = About {
    question: "Which radius suits a clustering with so many points?",
    reference: "Ester, Kriegel, Sander & Xu 1996, KDD-96; Satopaa et al. 2011, doi:10.1109/ICDCSW.2011.20",
    units: "share of incidents that are cores",
    cost: "places × log places × k",
};

/// Parameters of [`k_distance`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct KDistanceParams {
    /// Incidents to find within the radius, its own included: the k of the k-distance
    #[serde(default = "default_min_points")]
    pub min_points: std::num::NonZeroU32,
    /// Time within which incidents count; without it, all do
    #[serde(default)]
    pub eps_time: Option<Span>,
}

/// The share of incidents that are cores over the radius, its knee marked.
pub fn k_distance(
    incidents: &Incidents,
    params: &KDistanceParams,
    _: &Watch,
) -> Result<Curve, AnalysisError> {
    if incidents.is_empty() {
        return Err(AnalysisError::NoIncidents);
    }
    let least = params.min_points;
    let (curve, mut notes) = match params.eps_time {
        None => (core_share_of_sites(&Sites::new(incidents), least)?, Vec::new()),
        Some(time) => {
            let moments = Moments::new(incidents, "k-distance")?;
            (core_share_of_moments(&moments, time, least)?, Moments::notes(incidents, time))
        }
    };
    notes.push(match curve.at_knee() {
        Ok((eps, share)) => Note::new("knee_found", format!("the {least}-distances bend at {eps:.1} m"))
            .value(eps, "m")
            .reason(format!(
                "{:.0} % of the incidents have {least} within it; it is what --eps auto takes",
                100.0 * share
            )),
        Err(error) => Note::new("knee_missing", error.to_string()),
    });
    let thin = curve.thinned();
    Ok(Curve {
        title: format!("Radius by {least}-distance"),
        x: Series::new("eps_m", "Radius", "m", thin.eps),
        y: vec![
            Series::new("above_chord", "Share above the chord", "", thin.above),
            Series::new("core_share", "Share of incidents that are cores", "", thin.share),
        ],
        optimum: thin.knee,
        provenance: Provenance::new(
            "k-distance",
            json!({ "min_points": least, "eps_time": params.eps_time, "knee": "greatest difference from the chord" }),
        ),
        notes,
    })
}
