//! One run: check the output, read, ask, write, commit.

use std::cell::Cell;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use brasa_export::{Companions, Format, Imprint, Lang, Staged};
use brasa_ingest::{Basemap, Ingested, Pieces};
use brasa_model::{
    Briefing, Crs, Interval, Layer, Note, PlanBriefing, Provenance, Reject, Surface, Times, Trend,
};
use brasa_spatial_index::density::{DensityParams, DensitySum};
use brasa_spatial_index::{AnalysisError, Answer, Watch};
use geo::BoundingRect;
use serde_json::Value;

use crate::answers::{FileFormat, Target, counted, format_for};
use crate::ask::Answered;
use crate::briefing::briefing;
use crate::{
    Analysis, EngineError, Hotspot, Manifest, MapOptions, Method, Pipeline, Reading, Step, hotspots, plan,
    zoning,
};

/// What a run did, for whoever shows it.
pub struct Outcome {
    /// How it was made; the rows are accounted for in its inputs.
    pub manifest: Manifest,
    /// The hotspots by rank, if hotspots were asked for.
    pub hotspots: Option<Vec<Hotspot>>,
    /// Incidents per stretch of time, if hotspots were asked for and times are known.
    pub trend: Option<Trend>,
    /// The plan, if one was asked for.
    pub plan: Option<PlanBriefing>,
    /// The rows set aside.
    pub rejects: Vec<Reject>,
    /// Where the rejects were written.
    pub rejects_file: Option<PathBuf>,
    /// The working reference system.
    pub crs: Crs,
    /// A few words on the answer of a method.
    pub headline: String,
}

/// How far a run has come.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Progress {
    /// Reading a file in pieces.
    Reading(Reading),
    /// Working on the answer.
    Working(Step),
}

/// Whoever watches a run: is told how far it has come, from any thread, and answers whether to go on.
pub type Observer<'a> = dyn Fn(Progress) -> ControlFlow<()> + Sync + 'a;

/// Runs a pipeline. `command` is what was typed, for the manifest.
pub fn run(pipeline: &Pipeline, command: &str) -> Result<Outcome, EngineError> {
    run_watched(pipeline, command, Pieces::default(), &|_| ControlFlow::Continue(()))
}

/// Runs a pipeline, watched; one that streams reads in such pieces.
pub fn run_watched(
    pipeline: &Pipeline,
    command: &str,
    pieces: Pieces,
    observer: &Observer,
) -> Result<Outcome, EngineError> {
    let step = |step| observer(Progress::Working(step));
    let watch = Watch::new(&step);
    if pipeline.input.stream && pipeline.analysis.name() != STREAMED {
        return Err(EngineError::NotInPieces { analysis: pipeline.analysis.name().into_owned() });
    }
    // From here on patterns are the files that they fit.
    let pipeline = &Pipeline { files: brasa_ingest::expand(&pipeline.files)?, ..pipeline.clone() };
    match &pipeline.analysis {
        Analysis::Hotspots(params) => run_hotspots(pipeline, params, command, &watch),
        Analysis::Plan { kind, parameters } => plan::run_plan(pipeline, kind, parameters, command, &watch),
        Analysis::Method { name, parameters } if pipeline.input.stream => {
            let params = brasa_spatial_index::parameters(STREAMED, parameters)?;
            DensitySum::check(&params)?;
            run_method(pipeline, name, command, |after_reading| {
                let answered = kde_in_pieces(pipeline, &params, pieces, observer)?;
                after_reading(&answered.input.rejects)?;
                Ok(answered)
            })
        }
        Analysis::Method { name, parameters } => run_method(pipeline, name, command, |after_reading| {
            answer(pipeline, name, parameters, after_reading, &watch)
        }),
    }
}

/// Reads the incidents and what a method needs besides, and runs it.
pub(crate) fn answer(
    pipeline: &Pipeline,
    name: &str,
    parameters: &Value,
    after_reading: AfterReading<'_>,
    watch: &Watch,
) -> Result<Answered, EngineError> {
    let method = method(name)?;
    let mut input = brasa_ingest::read(&pipeline.files, &zoning::checked(&pipeline.input, parameters)?)?;
    after_reading(&input.rejects)?;
    zoning::add(&mut input, parameters)?;
    let answer = (method.run)(&input.incidents, parameters, watch)?;
    let period = input.incidents.times.as_ref().and_then(Times::extent);
    Ok(Answered { input, answer, period })
}

/// The one method that can take a file in pieces: its answer is a sum.
const STREAMED: &str = "kde";

/// Is to be told the rows that were set aside, before a method takes its time.
pub(crate) type AfterReading<'a> = &'a mut dyn FnMut(&[Reject]) -> Result<(), EngineError>;

fn method(name: &str) -> Result<&'static Method, EngineError> {
    let unknown = || EngineError::Pipeline { place: name.to_owned(), why: "is not a method".to_owned() };
    brasa_spatial_index::method(name).ok_or_else(unknown)
}

/// The density of files that are read in pieces.
fn kde_in_pieces(
    pipeline: &Pipeline,
    params: &DensityParams,
    pieces: Pieces,
    observer: &Observer,
) -> Result<Answered, EngineError> {
    let waiting = Cell::new(true);
    let mut sum: Option<DensitySum> = None;
    let mut period: Option<Interval> = None;
    let input = brasa_ingest::stream(
        &pipeline.files,
        &pipeline.input,
        pieces,
        &mut |piece| {
            if !waiting.get() {
                return Err(AnalysisError::Interrupted.into());
            }
            let sum = match &mut sum {
                Some(sum) => sum,
                none => none.insert(DensitySum::new(&piece.window, params)?),
            };
            sum.add(piece);
            let both =
                |a: Interval, b: Interval| Interval { start: a.start.min(b.start), end: a.end.max(b.end) };
            let more = piece.times.as_ref().and_then(Times::extent);
            period = period.zip(more).map(|(a, b)| both(a, b)).or(period).or(more);
            Ok::<(), EngineError>(())
        },
        &mut |progress| {
            waiting.set(waiting.get() && observer(Progress::Reading(progress)).is_continue());
        },
    )?;
    let sum = sum.map_or_else(|| DensitySum::new(&input.incidents.window, params), Ok)?;
    let mut surface: Surface = sum.surface();
    if let Value::Object(parameters) = &mut surface.provenance.parameters {
        parameters.insert("streamed".to_owned(), true.into());
        parameters.insert("rows_per_piece".to_owned(), pieces.rows.into());
    }
    Ok(Answered { input, answer: Answer::Surface(surface), period })
}

pub(crate) const REJECTS: &str = "rejects.csv";
pub(crate) const MANIFEST: &str = "manifest.json";
const PACKAGE: &str = "hotspots.gpkg";
const DENSITY: &str = "density.tif";
pub(crate) const PROJECT: &str = "brasa.qgz";

/// The hotspots of a pipeline, in memory.
pub(crate) fn find_hotspots(
    pipeline: &Pipeline,
    params: &hotspots::HotspotsParams,
    command: &str,
    watch: &Watch,
) -> Result<Hotspots, EngineError> {
    let input = brasa_ingest::read(&pipeline.files, &pipeline.input)?;
    let mut found = hotspots::hotspots(&input.incidents, params, watch)?;
    let mut notes = input.notes.clone();
    notes.append(&mut found.notes);
    let hotspots = found.hotspots.clone();
    let basemap = basemap(&pipeline.map, &input)?;
    if let Some(basemap) = basemap.as_ref().filter(|basemap| basemap.left_out > 0) {
        notes.push(
            Note::new(
                "basemap_thinned",
                format!("{} small shapes of the basemap are not drawn", basemap.left_out),
            )
            .value(basemap.left_out, "shapes")
            .reason("it has more corners than a page can hold"),
        );
    }
    let briefing = briefing(&input, found, basemap, &pipeline.map, (command, notes), watch)?;
    Ok(Hotspots { input, hotspots, briefing })
}

fn run_hotspots(
    pipeline: &Pipeline,
    params: &hotspots::HotspotsParams,
    command: &str,
    watch: &Watch,
) -> Result<Outcome, EngineError> {
    let folder =
        Staged::folder(&pipeline.output.path, pipeline.output.force)?.protecting(&inputs(pipeline))?;
    let found = find_hotspots(pipeline, params, command, watch)?;
    let manifest = found.write(folder, pipeline.map.imprint())?;
    let Hotspots { input, hotspots, briefing } = found;
    let rejects_file = (!input.rejects.is_empty()).then(|| pipeline.output.path.join(REJECTS));
    let headline = counted(hotspots.len(), "hotspot");
    Ok(Outcome {
        manifest,
        hotspots: Some(hotspots),
        trend: briefing.trend,
        plan: None,
        rejects: input.rejects,
        rejects_file,
        crs: input.incidents.crs,
        headline,
    })
}

/// The hotspots of what was read, with everything needed to judge them.
pub struct Hotspots {
    /// What was read.
    pub input: Ingested,
    /// By rank.
    pub hotspots: Vec<Hotspot>,
    /// What a map, a page and a project are made of.
    pub briefing: Briefing,
}

impl Hotspots {
    /// The page that the folder holds.
    pub fn page(&self, lang: Lang) -> Result<String, EngineError> {
        Ok(brasa_export::report(&self.briefing, lang)?)
    }

    /// The map that the folder holds, as SVG.
    pub fn picture(&self, lang: Lang) -> String {
        brasa_export::draw_briefing(&self.briefing, lang)
    }

    /// Writes the folder that `brasa hotspots` leaves, at a path where nothing is, or whatever is there with `force`.
    pub fn to_folder(&self, path: &Path, force: bool, imprint: Imprint<'_>) -> Result<Manifest, EngineError> {
        self.write(Staged::folder(path, force)?, imprint)
    }

    fn write(&self, mut folder: Staged, imprint: Imprint<'_>) -> Result<Manifest, EngineError> {
        let Self { input, briefing, .. } = self;
        let mut briefing = briefing.clone();
        if !cfg!(feature = "gdal") {
            briefing.notes.push(
                Note::new("without_gdal", "no GeoPackage and no GeoTIFF: this brasa was built without GDAL")
                    .reason("build with the cargo feature gdal to get them"),
            );
        }
        let crs = &input.incidents.crs;
        let layer = folder.path_for("hotspots.geojson", Format::GeoJson)?;
        brasa_export::write_layer(&briefing.hotspots, &layer, Format::GeoJson)?;
        Companions::of_layer(&briefing.hotspots, Format::GeoJson, imprint).without_record().write(&layer)?;
        if cfg!(feature = "gdal") {
            let Briefing { hotspots, zones, study_area, over_time, basemap, .. } = &briefing;
            let beneath: Vec<Layer> = basemap.iter().flat_map(brasa_export::apart).collect();
            let layers: Vec<&Layer> =
                [hotspots, zones, study_area].into_iter().chain(over_time).chain(&beneath).collect();
            brasa_export::write_gpkg(&layers, imprint, &folder.path(PACKAGE)?)?;
            let density = folder.path_for(DENSITY, Format::GeoTiff)?;
            brasa_export::write_surface(&briefing.density, crs, &density, Format::GeoTiff)?;
            Companions::of_surface(&briefing.density, crs, briefing.period(), imprint).write(&density)?;
            brasa_export::write_project(&briefing, imprint.lang, (PACKAGE, DENSITY), &folder.path(PROJECT)?)?;
        } else {
            let density = folder.path_for("density.csv", Format::Csv)?;
            brasa_export::write_surface(&briefing.density, crs, &density, Format::Csv)?;
        }
        let picture = brasa_export::draw_briefing(&briefing, imprint.lang);
        brasa_export::write_drawing(&picture, &folder.path("map.svg")?, Format::Svg)?;
        brasa_export::write_drawing(&picture, &folder.path("map.png")?, Format::Png)?;
        brasa_export::write_report(&briefing, imprint.lang, &folder.path("report.html")?)?;
        if !input.rejects.is_empty() {
            let files = input.incidents.files.as_ref();
            brasa_export::write_rejects(&input.rejects, files, &folder.path(REJECTS)?)?;
        }
        let provenance = &briefing.hotspots.provenance;
        let mut manifest = manifest(provenance, &briefing.command, briefing.notes, input);
        manifest.inputs = briefing.inputs;
        manifest.outputs = folder.digests()?;
        brasa_export::write_json(&manifest, &folder.path(MANIFEST)?)?;
        folder.commit()?;
        Ok(manifest)
    }
}

/// What to draw beneath, if a file for it was given.
pub(crate) fn basemap(options: &MapOptions, input: &Ingested) -> Result<Option<Basemap>, EngineError> {
    let Some(path) = &options.basemap else { return Ok(None) };
    let window = &input.incidents.window;
    let Some(extent) = window.polygons().bounding_rect() else { return Ok(None) };
    Ok(Some(brasa_ingest::read_basemap(path, extent, &input.incidents.crs)?))
}

fn run_method(
    pipeline: &Pipeline,
    name: &str,
    command: &str,
    answered: impl FnOnce(AfterReading<'_>) -> Result<Answered, EngineError>,
) -> Result<Outcome, EngineError> {
    let method = method(name)?;
    let (path, force) = (&pipeline.output.path, pipeline.output.force);
    let format = format_for(method, path)?;
    if pipeline.output.labels.is_some() && method.answer != "Clusters" {
        return Err(EngineError::Pipeline { place: name.to_owned(), why: "gives no labels".to_owned() });
    }
    let stage = |path: &Path| Staged::file(path, force)?.protecting(&inputs(pipeline));
    let mut main = stage(path)?;
    let waiting = match format {
        FileFormat::Map(format) => main.path_for(&file_name(path), format)?,
        FileFormat::Curve(_) => main.path(&file_name(path))?,
    };
    let mut labels = pipeline.output.labels.as_deref().map(stage).transpose()?;
    let rejects_path = rejects_beside(path);
    // Whether there are rejects is known once all is read; whether they may be written is settled then, before the method runs.
    let mut rejected: Option<Staged> = None;
    let mut after_reading = |rejects: &[Reject]| {
        if !rejects.is_empty() {
            rejected = Some(stage(&rejects_path)?);
        }
        Ok(())
    };

    let Answered { input, answer, period } = answered(&mut after_reading)?;
    let crs = &input.incidents.crs;
    if let (Answer::Clusters(clusters), Some(staged), Some(path)) =
        (&answer, &mut labels, &pipeline.output.labels)
    {
        let (rows, files) = (&input.incidents.row, input.incidents.files.as_ref());
        brasa_export::write_labels(rows, files, clusters, &staged.path(&file_name(path))?)?;
    }
    let mut notes = input.notes.clone();
    let (map, inputs) = (&pipeline.map, &input.inputs);
    let imprint = map.imprint();
    let target = Target { method, path: &waiting, imprint, format, crs, period, map, inputs };
    let (provenance, headline) = target.write(answer, &mut notes)?;
    if let Some(rejected) = &mut rejected {
        let files = input.incidents.files.as_ref();
        brasa_export::write_rejects(&input.rejects, files, &rejected.path(&file_name(&rejects_path))?)?;
    }
    let rejects_file = rejected.is_some().then_some(rejects_path);
    let mut manifest = manifest(&provenance, command, notes, &input);
    let crs = crs.clone();
    manifest.outputs = main.commit()?;
    if let Some(labels) = labels {
        manifest.outputs.extend(labels.commit()?);
    }
    if let Some(rejected) = rejected {
        manifest.outputs.extend(rejected.commit()?);
    }
    Ok(Outcome {
        manifest,
        hotspots: None,
        trend: None,
        plan: None,
        rejects: input.rejects,
        rejects_file,
        crs,
        headline,
    })
}

/// The files a run reads, which it must never write.
pub(crate) fn inputs(pipeline: &Pipeline) -> Vec<&Path> {
    let zones = match &pipeline.analysis {
        Analysis::Method { parameters, .. } => zoning::file(parameters),
        Analysis::Plan { parameters, .. } => zoning::file(parameters),
        Analysis::Hotspots(_) => None,
    };
    let area = pipeline.input.study_area.as_deref();
    let basemap = pipeline.map.basemap.as_deref();
    pipeline.files.iter().map(PathBuf::as_path).chain(area).chain(zones).chain(basemap).collect()
}

pub(crate) fn manifest(
    provenance: &Provenance,
    command: &str,
    notes: Vec<Note>,
    input: &Ingested,
) -> Manifest {
    Manifest {
        tool: provenance.tool.clone(),
        version: provenance.version.clone(),
        command: command.to_owned(),
        parameters: provenance.parameters.clone(),
        seed: provenance.seed,
        inputs: input.inputs.clone(),
        notes,
        outputs: Vec::new(),
    }
}

fn file_name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// `density.tif` → `density.rejects.csv`, in the same folder.
fn rejects_beside(path: &Path) -> PathBuf {
    path.with_extension(REJECTS)
}
