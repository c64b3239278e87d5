//! Correlogram: up to which distance zones are alike.
//!
//! # Question
//! Up to which distance are zones alike, and how much?
//!
//! # Definition
//! Moran's I as in `moran`, once for each band of distance between the centres of zones: the neighbours of a zone are those farther
//! than the band's lower edge and no farther than its upper one. z and p are those under randomisation; q adjusts p for
//! looking at several bands.
//!
//! # Reference
//! Cliff & Ord 1981, Spatial processes, section 5.3.1, ISBN 978-0-85086-081-8.
//!
//! # Agrees with
//! `moran` on each band's neighbours, found by comparing all pairs of zones (`tests/global.rs`).
//!
//! # Differs from
//! Tools that step through the order of neighbours of neighbours instead of distance.
//!
//! # Units
//! I is a plain number; distances are in metres.
//!
//! # Cost
//! Zones × zones within the farthest band.
//!
//! # Often misunderstood
//! Zones near a hotspot are alike because the hotspot covers them: the distance at which I falls to nothing is about
//! the size of the largest hotspots with their gaps, not how far one incident causes another. Neighbouring bands share
//! their zones, so their I are not independent.

use std::num::NonZeroU32;

use brasa_model::{Curve, Incidents, Metres, Note, Provenance, Series, Zoning};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::association::moran_of;
use crate::significance::{Correction, two_sided_p};
use crate::weights::{Neighbours, Style, Weights};
use crate::zones::{LEVEL, Zones};
use crate::zoning::CountedIn;
use crate::{About, AnalysisError, Watch};

/// What a reader of the catalogue learns.
pub const ABOUT: About = About {
    question: "Up to which distance are zones alike, and how much?",
    reference: "Cliff & Ord 1981, section 5.3.1, ISBN 978-0-85086-081-8",
    units: "I (a plain number) by m",
    cost: "zones × zones within the farthest band",
};

/// Parameters of [`correlogram`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct CorrelogramParams {
    /// What incidents are counted in.
    #[serde(flatten)]
    pub counted: CountedIn,
    /// Width of a band of distance; the side of a cell or the width of a hexagon if left out, to be said for other zones
    pub step: Option<Metres>,
    /// How many bands
    pub bands: NonZeroU32,
}

impl Default for CorrelogramParams {
    fn default() -> Self {
        let bands = NonZeroU32::MIN.saturating_add(9);
        Self { counted: CountedIn::default(), step: None, bands }
    }
}

/// Moran's I of the incidents counted in zones, by distance.
pub fn correlogram(
    incidents: &Incidents,
    params: &CorrelogramParams,
    watch: &Watch,
) -> Result<Curve, AnalysisError> {
    // Neighbours are found band by band below; these are the cheapest.
    let nearest = Neighbours::Nearest(NonZeroU32::MIN);
    let zones = Zones::of(incidents, &params.counted, nearest)?;
    let step = match (params.step, &zones.zoning) {
        (Some(step), _) => step,
        (None, Zoning::Grid(grid)) => grid.cell(),
        (None, Zoning::Hexagons(hexagons)) => hexagons.across(),
        (None, Zoning::Given(_)) => {
            let why = "given zones have no side".to_owned();
            return Err(AnalysisError::RuleFailed { rule: "the side of a cell", what: "step", why });
        }
    };
    let mut parameters = zones.record();
    let Zones { zoning, values, mut notes, .. } = zones;
    let within = |distance: Metres| Weights::among(&zoning, Neighbours::Band(distance));
    let phase = watch.phase("distance bands", u64::from(params.bands.get()));
    let mut nearer = Weights::from_lists(&vec![Vec::new(); values.len()]);
    let [mut distance, mut pairs, mut i, mut expectation, mut z] = [(); 5].map(|()| Vec::new());
    for band in 1..=params.bands.get() {
        let edge = step.get() * f64::from(band);
        let reached = within(Metres::new(edge).unwrap_or(step));
        let ring = reached.without(&nearer);
        distance.push(edge);
        pairs.push(ring.links() as f64 / 2.0);
        let links = ring.links();
        if links == 0 {
            for column in [&mut i, &mut expectation, &mut z] {
                column.push(f64::NAN);
            }
        } else {
            let found = moran_of(&values, &ring.styled(Style::RowStandardised))?;
            i.push(found.value);
            expectation.push(found.expectation);
            z.push(found.z()[1]);
        }
        nearer = reached;
        phase.advance(1)?;
    }
    if z.iter().all(|z| z.is_nan()) {
        let why = format!(
            "no two of the {} zones are within {} m of one another",
            values.len(),
            step.get() * f64::from(params.bands.get())
        );
        return Err(AnalysisError::TooFewZones { why });
    }
    let p: Vec<f64> = z.iter().map(|&z| if z.is_nan() { z } else { two_sided_p(z) }).collect();
    let q = Correction::Bh.adjust(&p);
    let alike = q.iter().zip(&z).take_while(|&(&q, &z)| q <= LEVEL && z > 0.0).count();
    notes.push(
        match alike {
            0 => Note::new("not_alike", "zones are not alike, not even the nearest".to_owned()),
            bands => {
                Note::new("alike_up_to", format!("zones are alike up to {} m apart", distance[bands - 1]))
                    .value(distance[bands - 1], "m")
            }
        }
        .reason(format!("q of Moran's I, band by band from the nearest, at {LEVEL}")),
    );
    parameters["step"] = json!(step);
    parameters["bands"] = json!(params.bands);
    parameters["weights"] = json!(Style::RowStandardised);
    parameters["p"] = json!("two-sided, normal law under randomisation");
    if let Some(parameters) = parameters.as_object_mut() {
        parameters.remove("neighbours");
    }
    Ok(Curve {
        title: "Correlogram of Moran's I".to_owned(),
        x: Series::new("distance", "Upper edge of the band", "m", distance),
        y: vec![
            Series::new("i", "Moran's I", "", i),
            Series::new("expectation", "Expectation", "", expectation),
            Series::new("z", "z under randomisation", "", z),
            Series::new("p", "p, two-sided", "", p),
            Series::new("q", "q: p adjusted for the bands", "", q),
            Series::new("pairs", "Pairs of zones", "pairs", pairs),
        ],
        optimum: None,
        provenance: Provenance::new("correlogram", parameters),
        notes,
    })
}
