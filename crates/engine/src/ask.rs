//! A question answered in memory, for whoever opens no file: the same reading and the same methods as of a run, and nothing
//! written.

use brasa_export::Imprint;
use brasa_ingest::Ingested;
use brasa_model::{Curve, Interval, Layer, Note, Provenance, Scores, Surface, SurfaceSeries};
use brasa_spatial_index::{Answer, Watch};

use crate::plan::{self, Planned};
use crate::run::{Hotspots, answer, find_hotspots};
use crate::{Analysis, EngineError, MapOptions, Observer, Pipeline, Progress, layers};

/// Asks a pipeline's question and writes nothing: its output is not looked at. `command` is what was typed, for the record.
pub fn ask(pipeline: &Pipeline, command: &str, observer: &Observer) -> Result<Reply, EngineError> {
    let step = |step| observer(Progress::Working(step));
    let watch = Watch::new(&step);
    if pipeline.input.stream {
        return Err(EngineError::NotInPieces { analysis: pipeline.analysis.name().into_owned() });
    }
    let pipeline = &Pipeline { files: brasa_ingest::expand(&pipeline.files)?, ..pipeline.clone() };
    Ok(match &pipeline.analysis {
        Analysis::Hotspots(params) => {
            Reply::Hotspots(Box::new(find_hotspots(pipeline, params, command, &watch)?))
        }
        Analysis::Plan { kind, parameters } => {
            Reply::Plan(Box::new(plan::make(pipeline, kind, parameters, command, &watch)?))
        }
        Analysis::Method { name, parameters } => {
            let answered = answer(pipeline, name, parameters, &mut |_| Ok(()), &watch)?;
            Reply::Answer(Box::new(answered.shown(&pipeline.map)))
        }
    })
}

/// What a question is answered with.
pub enum Reply {
    /// Of a method.
    Answer(Box<Shown>),
    /// Of the main job.
    Hotspots(Box<Hotspots>),
    /// Of a plan.
    Plan(Box<Planned>),
}

/// What was read, what a method made of it, and the period it covers.
pub(crate) struct Answered {
    pub input: Ingested,
    pub answer: Answer,
    pub period: Option<Interval>,
}

/// An answer as what people work with: layers, surfaces, a curve.
pub struct Shown {
    /// What was read.
    pub input: Ingested,
    /// The features.
    pub layers: Vec<Layer>,
    /// The surfaces of one grid, each with its name.
    pub surfaces: Vec<(&'static str, Surface)>,
    /// The surface in slices of time.
    pub series: Option<SurfaceSeries>,
    /// The curve.
    pub curve: Option<Curve>,
    /// Which incident is in which cluster.
    pub labels: Option<Labels>,
    /// How it was made.
    pub provenance: Provenance,
    /// What was chosen or noticed, in reading and after.
    pub notes: Vec<Note>,
}

/// Which incident is in which cluster, in the order of the incidents.
pub struct Labels {
    /// The number of its cluster, from 1, or none.
    pub cluster: Vec<Option<u32>>,
    /// Whether it is a core incident.
    pub core: Vec<bool>,
    /// How firmly it belongs, where the method says so.
    pub scores: Option<Scores>,
}

impl Answered {
    fn shown(self, map: &MapOptions) -> Shown {
        let Self { input, answer, period } = self;
        let crs = &input.incidents.crs;
        let (mut layers, mut surfaces) = (Vec::new(), Vec::new());
        let (mut series, mut curve, mut labels) = (None, None, None);
        match answer {
            Answer::Surface(surface) => surfaces.push(("intensity", surface)),
            Answer::Risk(risk) => {
                layers.push(layers::contours(&risk, crs, period));
                surfaces.extend(risk.bands().map(|(name, surface)| (name, surface.clone())));
            }
            Answer::SurfaceSeries(found) => series = Some(found),
            Answer::Isopleths(areas) => layers.push(layers::isopleths(&areas, crs, period)),
            Answer::LocalStats(stats) => layers.push(layers::local_stats(&stats, crs, period, |_| true)),
            Answer::Clusters(clusters) => {
                layers.push(layers::clusters(&clusters, crs, period));
                labels =
                    Some(Labels { cluster: clusters.labels, core: clusters.core, scores: clusters.scores });
            }
            Answer::Features(features) => layers.push(layers::features(features, crs, period)),
            Answer::Curve(found) => curve = Some(found),
        }
        let made = |provenance: &Provenance, own: &[Note]| {
            let notes = [input.notes.as_slice(), own].concat();
            (Provenance { inputs: input.inputs.clone(), ..provenance.clone() }, notes)
        };
        let (provenance, notes) = match (&layers[..], &surfaces[..], &series, &curve) {
            (_, [(_, surface), ..], ..) => made(&surface.provenance, &surface.notes),
            ([layer, ..], ..) => made(&layer.provenance, &layer.notes),
            (_, _, Some(series), _) => made(&series.provenance, &series.notes),
            (.., Some(curve)) => made(&curve.provenance, &curve.notes),
            (.., None) => made(&Provenance::new("", serde_json::Value::Null), &[]),
        };
        for layer in &mut layers {
            layer.style = layer.style.clone().classed(map.classes);
            layer.provenance.clone_from(&provenance);
            layer.notes.clone_from(&notes);
        }
        Shown { input, layers, surfaces, series, curve, labels, provenance, notes }
    }
}

impl Shown {
    /// A small map as SVG, where there is something to draw.
    pub fn picture(&self, imprint: Imprint<'_>) -> Result<Option<String>, EngineError> {
        let crs = &self.input.incidents.crs;
        let (surface, title) = match (self.surfaces.first(), &self.series) {
            (Some((name, surface)), _) if *name == "intensity" => {
                (Some(surface.clone()), "Density of incidents")
            }
            (Some((_, surface)), _) => (Some(surface.clone()), "Relative risk"),
            (None, Some(series)) => (Some(series.frame(series.peak().0)), "Density of incidents"),
            (None, None) => (None, ""),
        };
        Ok(match (&surface, self.layers.first()) {
            (Some(surface), _) => Some(brasa_export::draw_surface(surface, title, crs, imprint)?),
            (None, Some(layer)) => Some(brasa_export::draw_layer(layer, imprint)?),
            (None, None) => None,
        })
    }
}
