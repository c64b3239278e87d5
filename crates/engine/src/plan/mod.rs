//! Plans: from incidents and resources to who goes where. Here is what all plans share: what they are called, how demand is weighed, and
//! how a plan becomes a folder.

mod areas;
mod districts;
mod ground;
mod patrol;
mod places;
mod sites;

use std::path::{Path, PathBuf};

use brasa_export::{CurveFormat, Format, Imprint, Lang, Staged};
use brasa_ingest::Ingested;
use brasa_model::{
    Column, ColumnKind, Crs, Curve, Fact, Feature, Interval, Layer, Note, PatrolPlan, PlanBriefing,
    Provenance, Style, Times, Value as Cell,
};
use brasa_planning::PlanError;
use brasa_spatial_index::{About, Watch};
use schemars::Schema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::pipeline::{MapOptions, Pipeline};
use crate::run::{MANIFEST, Outcome, PROJECT, REJECTS, basemap, inputs, manifest};
use crate::{EngineError, Manifest, layers, zoning};

/// One kind of plan.
pub struct PlanKind {
    /// Its name as a subcommand of `brasa plan`.
    pub name: &'static str,
    /// What a reader should know.
    pub about: About,
    /// The JSON schema of its parameters; from it come the flags and their help.
    pub schema: fn() -> Schema,
    /// Checks parameters without running.
    check: fn(&Value) -> Result<(), EngineError>,
    /// Makes it.
    make: fn(&Ingested, &Value, &Watch) -> Result<Made, EngineError>,
}

macro_rules! plans {
    ($($name:literal => $plan:ident ( $params:ident );)*) => {
        /// The plans that can be made, in the order of the documentation.
        pub static PLANS: &[PlanKind] = &[$(PlanKind {
            name: $name,
            about: $plan::ABOUT,
            schema: || schemars::schema_for!($plan::$params),
            check: |value| read::<$plan::$params>($name, value).map(|_| ()),
            make: |input, value, watch| $plan::make(input, &read($name, value)?, watch),
        }),*];
    };
}

plans! {
    "areas" => areas(AreasJob);
    "patrol" => patrol(PatrolJob);
    "districts" => districts(DistrictsJob);
    "sites" => sites(SitesJob);
}

/// The plan of that name.
pub fn plan(name: &str) -> Option<&'static PlanKind> {
    PLANS.iter().find(|plan| plan.name == name)
}

fn read<P: serde::de::DeserializeOwned>(name: &str, value: &Value) -> Result<P, EngineError> {
    serde_path_to_error::deserialize(value)
        .map_err(|error| EngineError::Pipeline { place: format!("plan {name}"), why: error.to_string() })
}

impl PlanKind {
    /// Whether these parameters can be read.
    pub(crate) fn checked(&self, parameters: &Value) -> Result<(), EngineError> {
        (self.check)(parameters)
    }
}

/// What a plan is made of, before it is told.
struct Made {
    /// The uppermost on a map first.
    layers: Vec<Layer>,
    listed: &'static str,
    /// Layers that show where single incidents were.
    exact: Vec<&'static str>,
    facts: Vec<Fact>,
    coverage: Option<Curve>,
    patrol: Option<PatrolPlan>,
    limits: Vec<&'static str>,
    provenance: Provenance,
    /// What was read besides the incidents.
    inputs: Vec<brasa_model::InputRecord>,
    notes: Vec<Note>,
}

/// What holds for every plan.
const LIMITS: [&str; 3] = [
    "Reported incidents are not all incidents: where people do not report, a plan sees nothing.",
    "Watch the ground around what is served: crime may move there, as property crime did in Bogotá's trial.",
    "The plan is about places, never persons.",
];

/// How much incidents count, beyond their number.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Weighing {
    /// Table of kinds and how much an incident of each harms (kind,harm; "*" for all others); without it each incident counts 1
    #[schemars(title = "FILE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub harm: Option<PathBuf>,
}

impl Weighing {
    /// The incidents weighed by their harm, where a table says how, with the table on record.
    fn weighed(
        &self,
        input: &Ingested,
        notes: &mut Vec<Note>,
        inputs: &mut Vec<brasa_model::InputRecord>,
    ) -> Result<brasa_model::Incidents, EngineError> {
        let mut incidents = input.incidents.clone();
        let Some(path) = &self.harm else { return Ok(incidents) };
        let (table, record) = brasa_ingest::read_harm(path)?;
        let refused = |why: String| EngineError::Pipeline { place: "--harm".to_owned(), why };
        let Some(kinds) = &incidents.kinds else {
            return Err(refused(
                "weighs kinds, and no column of kinds is known; name it with --kind".to_owned(),
            ));
        };
        let harms: Vec<Option<f64>> = kinds.names.iter().map(|kind| table.of(kind)).collect();
        let missing: Vec<&str> = kinds
            .names
            .iter()
            .zip(&harms)
            .filter(|(_, harm)| harm.is_none())
            .map(|(kind, _)| kind.as_str())
            .collect();
        if !missing.is_empty() {
            let shown =
                missing.iter().take(8).map(|kind| format!("\"{kind}\"")).collect::<Vec<_>>().join(", ");
            return Err(refused(format!(
                "{} does not say how much {} of the {} kinds harm: {shown}{}; add them, or a row for \"*\"",
                record.name,
                missing.len(),
                kinds.names.len(),
                if missing.len() > 8 { ", …" } else { "" }
            )));
        }
        let harm = |at: usize| harms[kinds.codes[at] as usize].unwrap_or(0.0);
        let weight = (0..incidents.len()).map(|at| harm(at) * incidents.weight_of(at)).collect();
        incidents.weight = Some(weight);
        notes.push(
            Note::new(
                "weighed_by_harm",
                format!("incidents count by the harm of their kind, from {}", record.name),
            )
            .value(table.len(), "kinds")
            .reason("a plan that counts all kinds alike goes where there is most, not where it hurts most"),
        );
        inputs.push(record);
        Ok(incidents)
    }
}

const PACKAGE: &str = "plan.gpkg";

/// Makes a plan, in memory.
pub(crate) fn make(
    pipeline: &Pipeline,
    kind: &PlanKind,
    parameters: &Value,
    command: &str,
    watch: &Watch,
) -> Result<Planned, EngineError> {
    let mut input = brasa_ingest::read(&pipeline.files, &zoning::checked(&pipeline.input, parameters)?)?;
    zoning::add(&mut input, parameters)?;
    let made = (kind.make)(&input, parameters, watch)?;
    let briefing = briefing(&input, made, kind, &pipeline.map, command)?;
    Ok(Planned { input, briefing })
}

/// Makes a plan and writes its folder.
pub(crate) fn run_plan(
    pipeline: &Pipeline,
    kind: &PlanKind,
    parameters: &Value,
    command: &str,
    watch: &Watch,
) -> Result<Outcome, EngineError> {
    let others = files_of(parameters);
    let mut protected = inputs(pipeline);
    protected.extend(others.iter().map(PathBuf::as_path));
    let folder = Staged::folder(&pipeline.output.path, pipeline.output.force)?.protecting(&protected)?;
    let made = make(pipeline, kind, parameters, command, watch)?;
    let manifest = made.write(folder, pipeline.map.imprint())?;
    let Planned { input, briefing } = made;
    let rejects_file = (!input.rejects.is_empty()).then(|| pipeline.output.path.join(REJECTS));
    let headline = briefing
        .facts
        .iter()
        .map(|fact| format!("{} {}", fact.figure, fact.text).trim().to_owned())
        .collect::<Vec<_>>()
        .join("; ");
    Ok(Outcome {
        manifest,
        hotspots: None,
        trend: None,
        plan: Some(briefing),
        rejects: input.rejects,
        rejects_file,
        crs: input.incidents.crs,
        headline,
    })
}

/// A plan, and what was read for it.
pub struct Planned {
    /// What was read.
    pub input: Ingested,
    /// The plan.
    pub briefing: PlanBriefing,
}

impl Planned {
    /// The page that the folder holds.
    pub fn page(&self, lang: Lang) -> Result<String, EngineError> {
        Ok(brasa_export::plan_report(&self.briefing, lang)?)
    }

    /// The map that the folder holds, as SVG.
    pub fn picture(&self, lang: Lang) -> String {
        brasa_export::draw_plan(&self.briefing, lang)
    }

    /// Writes the folder that `brasa plan` leaves, at a path where nothing is, or whatever is there with `force`.
    pub fn to_folder(&self, path: &Path, force: bool, imprint: Imprint<'_>) -> Result<Manifest, EngineError> {
        self.write(Staged::folder(path, force)?, imprint)
    }

    fn write(&self, mut folder: Staged, imprint: Imprint<'_>) -> Result<Manifest, EngineError> {
        let Self { input, briefing } = self;
        let lang = imprint.lang;
        let crs = &briefing.study_area.crs;
        let listed = briefing.layers.iter().find(|layer| layer.name == briefing.listed);
        if let Some(layer) = listed {
            let path = folder.path(&format!("{}.geojson", briefing.listed))?;
            brasa_export::write_layer(layer, &path, Format::GeoJson)?;
            if briefing.patrol.is_none() {
                brasa_export::write_layer(layer, &folder.path_for("plan.csv", Format::Csv)?, Format::Csv)?;
            }
        }
        if cfg!(feature = "gdal") {
            let beneath: Vec<Layer> = briefing.basemap.iter().flat_map(brasa_export::apart).collect();
            let layers: Vec<&Layer> =
                briefing.layers.iter().chain([&briefing.study_area]).chain(&beneath).collect();
            brasa_export::write_gpkg(&layers, imprint, &folder.path(PACKAGE)?)?;
            brasa_export::write_plan_project(briefing, lang, PACKAGE, &folder.path(PROJECT)?)?;
        }
        let picture = brasa_export::draw_plan(briefing, lang);
        brasa_export::write_drawing(&picture, &folder.path("map.svg")?, Format::Svg)?;
        brasa_export::write_drawing(&picture, &folder.path("map.png")?, Format::Png)?;
        brasa_export::write_plan_report(briefing, lang, &folder.path("report.html")?)?;
        brasa_export::write_plan(briefing, &folder.path("plan.json")?)?;
        if let Some(curve) = &briefing.coverage {
            brasa_export::write_curve(curve, &folder.path("coverage.csv")?, CurveFormat::Csv)?;
            brasa_export::write_curve(curve, &folder.path("coverage.svg")?, CurveFormat::Svg)?;
        }
        if let Some(plan) = &briefing.patrol {
            brasa_export::write_visits(plan, crs, &folder.path("plan.csv")?)?;
            brasa_export::write_routes(briefing, plan, lang, &folder.path("routes.gpx")?)?;
            brasa_export::write_sheets(briefing, plan, lang, &folder.path("sheets.html")?)?;
            for unit in 0..plan.depot_of.len() {
                let name = brasa_export::calendar_name(unit, plan.depot_of.len());
                brasa_export::write_calendar(briefing, plan, unit, lang, &folder.path(&name)?)?;
            }
        }
        if !input.rejects.is_empty() {
            let files = input.incidents.files.as_ref();
            brasa_export::write_rejects(&input.rejects, files, &folder.path(REJECTS)?)?;
        }
        let mut manifest = manifest(&briefing.provenance, &briefing.command, briefing.notes.clone(), input);
        manifest.inputs.clone_from(&briefing.inputs);
        manifest.outputs = folder.digests()?;
        brasa_export::write_json(&manifest, &folder.path(MANIFEST)?)?;
        folder.commit()?;
        Ok(manifest)
    }
}

/// The files that parameters name, which must never be written.
fn files_of(parameters: &Value) -> Vec<PathBuf> {
    ["harm", "areas", "depots", "streets", "districts", "candidates", "existing", "zones"]
        .iter()
        .filter_map(|name| parameters[name].as_str().map(PathBuf::from))
        .collect()
}

fn briefing(
    input: &Ingested,
    made: Made,
    kind: &PlanKind,
    options: &MapOptions,
    command: &str,
) -> Result<PlanBriefing, EngineError> {
    let lang = options.lang.unwrap_or_default();
    let mut notes = input.notes.clone();
    notes.extend(made.notes);
    let basemap = basemap(options, input)?;
    let mut inputs = input.inputs.clone();
    inputs.extend(made.inputs);
    inputs.extend(basemap.as_ref().map(|basemap| basemap.record.clone()));
    let mut provenance = made.provenance;
    provenance.inputs.clone_from(&inputs);
    let period = input.incidents.times.as_ref().and_then(Times::extent);
    let layers: Vec<Layer> = made
        .layers
        .into_iter()
        .map(|layer| Layer {
            style: layer.style.clone().classed(options.classes),
            provenance: provenance.clone(),
            notes: notes.clone(),
            period,
            ..layer
        })
        .collect();
    let like = layer_of(
        "study_area",
        "",
        "",
        &input.incidents.crs,
        Vec::new(),
        Vec::new(),
        Style::of(brasa_model::DrawnBy::Edge),
    );
    let like = Layer { provenance: provenance.clone(), notes: notes.clone(), period, ..like };
    let study_area = layers::study_area(&input.incidents.window, &like);
    let names: Vec<&str> =
        input.inputs.iter().filter(|input| input.rows.is_some()).map(|input| input.name.as_str()).collect();
    let title = options.title.clone().unwrap_or_else(|| {
        let plan = match kind.name {
            "areas" => "Areas to patrol",
            "patrol" => "Patrol plan",
            "districts" => "Districts",
            _ => "Sites",
        };
        format!("{}: {}", lang.say(plan), names.join(", "))
    });
    let mut coverage = made.coverage;
    if let Some(curve) = &mut coverage {
        curve.provenance = provenance.clone();
        curve.notes.clone_from(&notes);
    }
    Ok(PlanBriefing {
        title,
        attribution: options.attribution.clone().unwrap_or_default(),
        layers,
        listed: made.listed,
        exact: made.exact,
        basemap: basemap.map(|basemap| layers::basemap(basemap.shapes, &study_area)),
        study_area,
        facts: made.facts,
        coverage,
        patrol: made.patrol,
        limits: LIMITS.into_iter().chain(made.limits).collect(),
        provenance,
        inputs,
        notes,
        command: command.to_owned(),
    })
}

/// A layer of a plan; how it was made is added when all is known.
fn layer_of(
    name: &str,
    title: &str,
    description: &str,
    crs: &Crs,
    columns: Vec<Column>,
    features: Vec<Feature>,
    style: Style,
) -> Layer {
    Layer {
        name: name.to_owned(),
        title: title.to_owned(),
        description: description.to_owned(),
        crs: crs.clone(),
        columns,
        features,
        style,
        period: None::<Interval>,
        provenance: Provenance::new("plan", Value::Null),
        notes: Vec::new(),
    }
}

/// A share in percent, as it is written in English.
fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

fn fact(figure: impl std::fmt::Display, text: &'static str) -> Fact {
    Fact { figure: format!("{figure}"), text }
}

/// No plan, and why.
fn refused(plan: &'static str, why: impl Into<String>) -> EngineError {
    PlanError::Parameter { plan, why: why.into() }.into()
}

fn text(name: &'static str, title: &'static str) -> Column {
    Column::new(name, title, "", ColumnKind::Text)
}

fn real(name: &'static str, title: &'static str, unit: &str) -> Column {
    Column::new(name, title, unit, ColumnKind::Real)
}

fn whole(name: &'static str, title: &'static str, unit: &str) -> Column {
    Column::new(name, title, unit, ColumnKind::Integer)
}

/// A number of things, as a cell.
fn count(number: usize) -> Cell {
    Cell::Integer(number as i64)
}
