//! What a page of hotspots knows beyond any page: their density, how they are over time and in the week, how concentrated they are.

use brasa_model::{Briefing, Step, Trend, Week};
use serde::Serialize;
use serde_json::Value;

use super::data::{Common, Data, Own, Period};
use super::raster::Raster;
use super::shapes::{Classes, rounded};
use crate::style::colours::sequential;
use crate::{ExportError, Lang};

/// So many points of a curve are drawn; of more, every so many-th.
const MOST_POINTS: usize = 240;

#[derive(Serialize)]
pub(super) struct HotspotsData {
    over_time: Option<OverTime>,
    density: Option<Raster>,
    trend: Option<TrendData>,
    week: Option<WeekData>,
    concentration: Concentration,
    /// From little to much.
    ramp: Vec<String>,
}

/// How the hotspots are drawn in each stretch of the trend.
#[derive(Serialize)]
struct OverTime {
    classes: Classes,
    /// Stretch by stretch, the class of each hotspot.
    class: Vec<Option<usize>>,
}

#[derive(Serialize)]
struct TrendData {
    step: &'static str,
    undecided: u64,
    stretches: Vec<StretchData>,
}

#[derive(Serialize)]
struct StretchData {
    period: Period,
    whole: bool,
    all: u64,
    by: Vec<u64>,
}

#[derive(Serialize)]
struct WeekData {
    known: f64,
    all: Vec<f64>,
    by: Vec<Vec<f64>>,
}

/// Shares of places and shares of incidents.
#[derive(Serialize)]
struct Concentration {
    x: Vec<f64>,
    y: Vec<f64>,
    gini: Option<f64>,
    half: Option<f64>,
}

/// What the page of a briefing knows.
pub(super) fn data<'a>(
    briefing: &'a Briefing,
    lang: Lang,
    library: Option<&'static str>,
) -> Result<Data<'a>, ExportError> {
    let Briefing { hotspots, zones, .. } = briefing;
    let common = Common {
        title: &briefing.title,
        attribution: &briefing.attribution,
        command: &briefing.command,
        provenance: &hotspots.provenance,
        period: briefing.period(),
        inputs: &briefing.inputs,
        notes: &briefing.notes,
        listed: &hotspots.name,
        study_area: &briefing.study_area,
        basemap: briefing.basemap.as_ref(),
    };
    let own = |middle| {
        let over_time = briefing.over_time.as_ref().map(|layer| {
            let (classes, legend) = Classes::of(layer, lang);
            OverTime {
                classes,
                class: layer.features.iter().map(|feature| legend.entry_of(feature)).collect(),
            }
        });
        Ok(Own::Hotspots(Box::new(HotspotsData {
            over_time,
            density: Raster::of(&briefing.density, &hotspots.crs, lang, middle)?,
            trend: briefing.trend.as_ref().map(trend),
            week: briefing.week.as_ref().map(week),
            concentration: concentration(briefing),
            ramp: sequential(5).into_iter().map(|colour| colour.to_string()).collect(),
        })))
    };
    Data::new(&common, [hotspots, zones], own, lang, library)
}

fn trend(trend: &Trend) -> TrendData {
    let stretches = trend.stretches.iter().map(|stretch| StretchData {
        period: stretch.interval.into(),
        whole: stretch.is_whole,
        all: stretch.incidents,
        by: stretch.by_hotspot.clone(),
    });
    TrendData { step: Step::word(trend.step), undecided: trend.undecided, stretches: stretches.collect() }
}

fn week(week: &Week) -> WeekData {
    let flat = |hours: &[[f64; 24]; 7]| hours.as_flattened().iter().copied().map(rounded).collect::<Vec<_>>();
    WeekData {
        known: rounded(week.known),
        all: flat(&week.all),
        // A hotspot without a known hour has no week.
        by: week.by_hotspot.iter().map(flat).collect(),
    }
}

fn concentration(briefing: &Briefing) -> Concentration {
    let curve = &briefing.concentration;
    let step = curve.len().div_ceil(MOST_POINTS).max(1);
    let thinned = |values: &[f64]| -> Vec<f64> {
        let last = values.len().saturating_sub(1);
        let kept = values.iter().enumerate().filter(|(at, _)| at % step == 0 || *at == last);
        kept.map(|(_, value)| rounded(*value)).collect()
    };
    let parameter = |name: &str| curve.provenance.parameters.get(name).and_then(Value::as_f64).map(rounded);
    Concentration {
        x: thinned(&curve.x.values),
        y: curve.y.first().map(|series| thinned(&series.values)).unwrap_or_default(),
        gini: parameter("gini_adjusted"),
        half: parameter("places_for_50"),
    }
}
