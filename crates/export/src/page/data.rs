//! What every page knows, whatever it is of: its layers and its list, the rows and notes, how it was made; in the numbers and words
//! it shows.

use brasa_model::{Civil, InputRecord, Interval, Layer, Note, Provenance, rejected};
use serde::Serialize;
use serde_json::Value;

use super::hotspots::HotspotsData;
use super::plan::PlanData;
use super::shapes::{MOST_FEATURES, Shapes, Words};
use crate::lonlat::{self, Middle};
use crate::{ExportError, Lang, lang};

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
    /// The uppermost first, then the study area and what lies beneath all.
    layers: Vec<Shapes>,
    /// The name of the layer that is the list.
    listed: &'a str,
    most_features: usize,
    inputs: &'a [InputRecord],
    rejected: Vec<Rejected>,
    notes: &'a [Note],
    /// The version of the map library, where there is one.
    library: Option<&'static str>,
    /// What only pages of its kind know.
    #[serde(flatten)]
    own: Own,
}

/// What a page is of.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Own {
    Hotspots(Box<HotspotsData>),
    Plan(Box<PlanData>),
}

/// What every page tells.
pub(super) struct Common<'a> {
    pub title: &'a str,
    pub attribution: &'a str,
    pub command: &'a str,
    pub provenance: &'a Provenance,
    pub period: Option<Interval>,
    pub inputs: &'a [InputRecord],
    pub notes: &'a [Note],
    pub listed: &'a str,
    pub study_area: &'a Layer,
    pub basemap: Option<&'a Layer>,
}

#[derive(Serialize)]
struct Dictionaries {
    es: Value,
    pt: Value,
}

/// From and to, local civil time; what is at the end is no longer part of it.
#[derive(Serialize)]
pub(super) struct Period(String, String);

impl From<Interval> for Period {
    fn from(Interval { start, end }: Interval) -> Self {
        let text = |time: Civil| time.to_string();
        Self(text(start), text(end))
    }
}

#[derive(Serialize)]
struct Rejected {
    code: &'static str,
    meaning: Words,
    rows: u64,
}

impl<'a> Data<'a> {
    /// A page of these layers, the uppermost first.
    pub fn new(
        common: &Common<'a>,
        layers: impl IntoIterator<Item = &'a Layer>,
        own: impl FnOnce(Middle) -> Result<Own, ExportError>,
        lang: Lang,
        library: Option<&'static str>,
    ) -> Result<Self, ExportError> {
        let Common { provenance, study_area, .. } = common;
        let middle = Middle::of(&lonlat::geometries(study_area)?);
        let all = layers.into_iter().chain([*study_area]).chain(common.basemap);
        let shapes = all.map(|layer| {
            // What is listed is spoken of feature by feature.
            if layer.name == common.listed {
                Shapes::of(layer, lang, middle)
            } else {
                Shapes::summed(layer, lang, middle)
            }
        });
        let table = |json: &str| serde_json::from_str(json).unwrap_or_default();
        Ok(Self {
            lang: lang.code(),
            locale: lang.to_string(),
            words: Dictionaries { es: table(lang::ES), pt: table(lang::PT) },
            title: common.title,
            attribution: common.attribution,
            command: common.command,
            tool: &provenance.tool,
            version: &provenance.version,
            seed: provenance.seed,
            parameters: &provenance.parameters,
            period: common.period.map(Into::into),
            middle: middle.degrees(),
            layers: shapes.collect::<Result<_, _>>()?,
            listed: common.listed,
            most_features: MOST_FEATURES,
            inputs: common.inputs,
            rejected: rejected(common.inputs)
                .into_iter()
                .map(|(reason, rows)| Rejected {
                    code: reason.code(),
                    meaning: Words::said(lang, reason.meaning()),
                    rows,
                })
                .collect(),
            notes: common.notes,
            library,
            own: own(middle)?,
        })
    }
}
