//! What the page knows: a briefing, in the numbers and words it shows.

use brasa_model::{Briefing, Civil, InputRecord, Interval, Note, Step, Week};
use serde::Serialize;
use serde_json::Value;

use super::raster::Raster;
use super::shapes::{Classes, MOST_FEATURES, Shapes, Words, rounded};
use crate::lonlat::{self, Middle};
use crate::style::colours::sequential;
use crate::{ExportError, Lang, lang};

/// So many points of a curve are drawn; of more, every so many-th.
const MOST_POINTS: usize = 240;

#[derive(Serialize)]
pub(super) struct Data<'a> {
    lang: &'static str,
    /// How the reader's language writes numbers and dates.
    locale: String,
    words: Dictionaries,
    title: &'a str,
    attribution: &'a str,
    command: &'a str,
    tool: &'a str,
    version: &'a str,
    seed: Option<u64>,
    parameters: &'a Value,
    period: Option<Period>,
    /// The longitude that others are counted from: not 0 where the map lies across the 180th meridian.
    middle: f64,
    /// The hotspots first, then what else is there.
    layers: Vec<Shapes>,
    most_features: usize,
    over_time: Option<OverTime>,
    density: Option<Raster>,
    trend: Option<TrendData>,
    week: Option<WeekData>,
    concentration: Concentration,
    inputs: &'a [InputRecord],
    rejected: Vec<Rejected>,
    notes: &'a [Note],
    /// From little to much.
    ramp: Vec<String>,
    /// The version of the map library, where there is one.
    library: Option<&'static str>,
}

#[derive(Serialize)]
struct Dictionaries {
    es: Value,
    pt: Value,
}

/// From and to, local civil time; what is at the end is no longer part of it.
#[derive(Serialize)]
struct Period(String, String);

impl From<Interval> for Period {
    fn from(Interval { start, end }: Interval) -> Self {
        let text = |time: Civil| time.to_string();
        Self(text(start), text(end))
    }
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

#[derive(Serialize)]
struct Rejected {
    code: &'static str,
    meaning: Words,
    rows: u64,
}

impl<'a> Data<'a> {
    pub fn new(
        briefing: &'a Briefing,
        own: Lang,
        library: Option<&'static str>,
    ) -> Result<Self, ExportError> {
        let Briefing { hotspots, zones, study_area, basemap, over_time, density, .. } = briefing;
        let provenance = &hotspots.provenance;
        let middle = Middle::of(&lonlat::geometries(study_area)?);
        // The list, the trend and the week speak of each hotspot.
        let mut layers = vec![Shapes::of(hotspots, own, middle)?];
        for layer in [Some(zones), Some(study_area), basemap.as_ref()].into_iter().flatten() {
            layers.push(Shapes::summed(layer, own, middle)?);
        }
        let table = |json: &str| serde_json::from_str(json).unwrap_or_default();
        Ok(Self {
            lang: own.code(),
            locale: own.to_string(),
            words: Dictionaries { es: table(lang::ES), pt: table(lang::PT) },
            title: &briefing.title,
            attribution: &briefing.attribution,
            command: &briefing.command,
            tool: &provenance.tool,
            version: &provenance.version,
            seed: provenance.seed,
            parameters: &provenance.parameters,
            period: briefing.period().map(Into::into),
            middle: middle.degrees(),
            layers,
            most_features: MOST_FEATURES,
            over_time: over_time.as_ref().map(|layer| {
                let (classes, legend) = Classes::of(layer, own);
                OverTime {
                    classes,
                    class: layer.features.iter().map(|feature| legend.entry_of(feature)).collect(),
                }
            }),
            density: Raster::of(density, &hotspots.crs, own, middle)?,
            trend: briefing.trend.as_ref().map(|trend| TrendData {
                step: Step::word(trend.step),
                undecided: trend.undecided,
                stretches: trend
                    .stretches
                    .iter()
                    .map(|stretch| StretchData {
                        period: stretch.interval.into(),
                        whole: stretch.is_whole,
                        all: stretch.incidents,
                        by: stretch.by_hotspot.clone(),
                    })
                    .collect(),
            }),
            week: briefing.week.as_ref().map(week),
            concentration: concentration(briefing),
            inputs: &briefing.inputs,
            rejected: briefing
                .rejected()
                .into_iter()
                .map(|(reason, rows)| Rejected {
                    code: reason.code(),
                    meaning: Words::of(own, |lang| lang.say(reason.meaning()).into_owned()),
                    rows,
                })
                .collect(),
            notes: &briefing.notes,
            ramp: sequential(5).into_iter().map(|colour| colour.to_string()).collect(),
            library,
        })
    }
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
