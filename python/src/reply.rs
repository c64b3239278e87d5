//! A reply of the engine as what Python is made of: dictionaries, lists and NumPy arrays. Which classes a user sees is decided in Python.

use std::path::PathBuf;

use brasa_engine::{Imprint, Ingested, Labels, Lang, Shown};
use brasa_model::{
    ColumnKind, Curve, Diagnose, Grid, Incidents, Layer, Note, PlanBriefing, Provenance, Series, Surface,
    SurfaceSeries, Value,
};
use numpy::{PyArray1, PyArray2, PyArray3};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyString};

use crate::call::raised;
use crate::wkb;

/// What was asked for.
#[pyclass(frozen)]
pub struct Reply(brasa_engine::Reply);

impl Reply {
    pub fn new(reply: brasa_engine::Reply) -> Self {
        Self(reply)
    }
}

#[pymethods]
impl Reply {
    /// All of it.
    fn data<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let data = PyDict::new(py);
        match &self.0 {
            brasa_engine::Reply::Answer(shown) => answer(py, &data, shown)?,
            brasa_engine::Reply::Hotspots(found) => {
                let briefing = &found.briefing;
                let known = [&briefing.hotspots, &briefing.zones, &briefing.study_area];
                let all = known.into_iter().chain(&briefing.over_time);
                data.set_item("layers", layers(py, all)?)?;
                data.set_item("surfaces", surfaces(py, [("intensity", &briefing.density)])?)?;
                data.set_item("curve", curve(py, &briefing.concentration)?)?;
                data.set_item("title", &briefing.title)?;
                record(py, &data, &found.input, &briefing.hotspots.provenance, &briefing.notes)?;
            }
            brasa_engine::Reply::Plan(made) => {
                let briefing = &made.briefing;
                data.set_item("layers", layers(py, briefing.layers.iter().chain([&briefing.study_area]))?)?;
                data.set_item("title", &briefing.title)?;
                data.set_item("listed", briefing.listed)?;
                plan(py, &data, briefing)?;
                record(py, &data, &made.input, &briefing.provenance, &briefing.notes)?;
            }
        }
        Ok(data)
    }

    /// A small map as SVG, or nothing where there is none to draw.
    fn picture(&self, py: Python<'_>, lang: &str) -> PyResult<Option<String>> {
        let lang = language(lang)?;
        let imprint = Imprint { lang, attribution: "" };
        match &self.0 {
            brasa_engine::Reply::Answer(shown) => {
                shown.picture(imprint).map_err(|error| raised(py, &error as &dyn Diagnose))
            }
            brasa_engine::Reply::Hotspots(found) => Ok(Some(found.picture(lang))),
            brasa_engine::Reply::Plan(made) => Ok(Some(made.picture(lang))),
        }
    }

    /// The page, as a text.
    fn page(&self, py: Python<'_>, lang: &str) -> PyResult<Option<String>> {
        let lang = language(lang)?;
        let page = match &self.0 {
            brasa_engine::Reply::Answer(_) => return Ok(None),
            brasa_engine::Reply::Hotspots(found) => found.page(lang),
            brasa_engine::Reply::Plan(made) => made.page(lang),
        };
        page.map(Some).map_err(|error| raised(py, &error))
    }

    /// Writes the folder that the command line leaves; gives the manifest as JSON.
    #[expect(clippy::needless_pass_by_value, reason = "so it comes out of Python")]
    fn to_folder(&self, py: Python<'_>, path: PathBuf, force: bool, lang: &str) -> PyResult<Option<String>> {
        let imprint = Imprint { lang: language(lang)?, attribution: "" };
        let written = py.detach(|| match &self.0 {
            brasa_engine::Reply::Answer(_) => None,
            brasa_engine::Reply::Hotspots(found) => Some(found.to_folder(&path, force, imprint)),
            brasa_engine::Reply::Plan(made) => Some(made.to_folder(&path, force, imprint)),
        });
        written.transpose().map_err(|error| raised(py, &error))?.map(|manifest| json(&manifest)).transpose()
    }
}

fn language(text: &str) -> PyResult<Lang> {
    text.parse::<Lang>().map_err(|error| pyo3::exceptions::PyValueError::new_err(error.to_string()))
}

fn json(value: &impl serde::Serialize) -> PyResult<String> {
    serde_json::to_string(value).map_err(|error| pyo3::exceptions::PyValueError::new_err(error.to_string()))
}

fn answer(py: Python<'_>, data: &Bound<'_, PyDict>, shown: &Shown) -> PyResult<()> {
    data.set_item("layers", layers(py, &shown.layers)?)?;
    data.set_item("surfaces", surfaces(py, shown.surfaces.iter().map(|(name, surface)| (*name, surface)))?)?;
    if let Some(found) = &shown.series {
        data.set_item("series", series(py, found)?)?;
    }
    if let Some(found) = &shown.curve {
        data.set_item("curve", curve(py, found)?)?;
    }
    if let Some(found) = &shown.labels {
        data.set_item("labels", labels(py, found, &shown.input.incidents)?)?;
    }
    record(py, data, &shown.input, &shown.provenance, &shown.notes)
}

/// How it was made, what was noticed, and what became of the rows.
fn record(
    py: Python<'_>,
    data: &Bound<'_, PyDict>,
    input: &Ingested,
    provenance: &Provenance,
    notes: &[Note],
) -> PyResult<()> {
    data.set_item("provenance", json(provenance)?)?;
    data.set_item("notes", json(&notes)?)?;
    data.set_item("crs", input.incidents.crs.code())?;
    let rejects = input.rejects.iter().map(|reject| {
        (reject.file, reject.line, reject.reason.code(), reject.column.as_str(), reject.value.as_str())
    });
    data.set_item("rejects", PyList::new(py, rejects.collect::<Vec<_>>())?)
}

fn layers<'py, 'a>(
    py: Python<'py>,
    layers: impl IntoIterator<Item = &'a Layer>,
) -> PyResult<Bound<'py, PyList>> {
    let all = layers.into_iter().map(|found| layer(py, found)).collect::<PyResult<Vec<_>>>()?;
    PyList::new(py, all)
}

fn layer<'py>(py: Python<'py>, layer: &Layer) -> PyResult<Bound<'py, PyDict>> {
    let data = PyDict::new(py);
    data.set_item("name", &layer.name)?;
    data.set_item("title", &layer.title)?;
    data.set_item("description", &layer.description)?;
    data.set_item("crs", layer.crs.code())?;
    data.set_item("id", PyArray1::from_iter(py, layer.features.iter().map(|feature| feature.id)))?;
    let shapes = layer.features.iter().map(|feature| PyBytes::new(py, &wkb::of(&feature.geometry)));
    data.set_item("wkb", PyList::new(py, shapes.collect::<Vec<_>>())?)?;
    let columns = PyList::empty(py);
    for (at, column) in layer.columns.iter().enumerate() {
        let values = || layer.features.iter().map(|feature| feature.values.get(at).unwrap_or(&Value::Null));
        let known = PyArray1::from_iter(py, values().map(|value| *value != Value::Null));
        let (kind, values) = match column.kind {
            ColumnKind::Integer => {
                let whole = |value: &Value| if let Value::Integer(value) = value { *value } else { 0 };
                ("integer", PyArray1::from_iter(py, values().map(whole)).into_any())
            }
            ColumnKind::Real => {
                let real = |value: &Value| value.number().unwrap_or(f64::NAN);
                ("real", PyArray1::from_iter(py, values().map(real)).into_any())
            }
            ColumnKind::Time => {
                let seconds = |value: &Value| if let Value::Time(time) = value { time.0 } else { 0 };
                ("time", PyArray1::from_iter(py, values().map(seconds)).into_any())
            }
            ColumnKind::Text => ("text", texts(py, values())?.into_any()),
        };
        columns.append((column.name, column.title, column.unit.as_str(), kind, values, known))?;
    }
    data.set_item("columns", columns)?;
    Ok(data)
}

/// Texts of a column. Neighbours often have the same, a class for example: it is one object then.
fn texts<'py, 'a>(py: Python<'py>, values: impl Iterator<Item = &'a Value>) -> PyResult<Bound<'py, PyList>> {
    let mut last: Option<(&str, Bound<'py, PyString>)> = None;
    let mut text = |value: &'a Value| {
        let Value::Text(text) = value else { return None };
        if last.as_ref().is_none_or(|(known, _)| known != text) {
            last = Some((text, PyString::new(py, text)));
        }
        last.as_ref().map(|(_, object)| object.clone())
    };
    PyList::new(py, values.map(&mut text).collect::<Vec<_>>())
}

/// The centres of the columns and of the rows.
fn axes(py: Python<'_>, data: &Bound<'_, PyDict>, grid: &Grid) -> PyResult<()> {
    data.set_item("x", PyArray1::from_iter(py, (0..grid.nx()).map(|column| grid.centre_x(column))))?;
    data.set_item("y", PyArray1::from_iter(py, (0..grid.ny()).map(|row| grid.centre_y(row))))
}

fn surfaces<'py, 'a>(
    py: Python<'py>,
    surfaces: impl IntoIterator<Item = (&'static str, &'a Surface)>,
) -> PyResult<Bound<'py, PyList>> {
    let all = PyList::empty(py);
    for (name, surface) in surfaces {
        let data = PyDict::new(py);
        data.set_item("name", name)?;
        data.set_item("unit", &surface.unit)?;
        axes(py, &data, &surface.grid)?;
        data.set_item("values", PyArray2::from_array(py, &surface.values))?;
        all.append(data)?;
    }
    Ok(all)
}

fn series<'py>(py: Python<'py>, series: &SurfaceSeries) -> PyResult<Bound<'py, PyDict>> {
    let data = PyDict::new(py);
    data.set_item("unit", &series.unit)?;
    axes(py, &data, &series.grid)?;
    data.set_item("start", PyArray1::from_iter(py, series.frames.iter().map(|frame| frame.start.0)))?;
    data.set_item("end", PyArray1::from_iter(py, series.frames.iter().map(|frame| frame.end.0)))?;
    data.set_item("values", PyArray3::from_array(py, &series.values))?;
    Ok(data)
}

fn curve<'py>(py: Python<'py>, curve: &Curve) -> PyResult<Bound<'py, PyDict>> {
    let data = PyDict::new(py);
    data.set_item("title", &curve.title)?;
    let columns = PyList::empty(py);
    for Series { name, title, unit, values, .. } in std::iter::once(&curve.x).chain(&curve.y) {
        columns.append((*name, *title, unit.as_str(), PyArray1::from_slice(py, values)))?;
    }
    data.set_item("columns", columns)?;
    data.set_item("best", curve.optimum)?;
    Ok(data)
}

fn labels<'py>(py: Python<'py>, labels: &Labels, incidents: &Incidents) -> PyResult<Bound<'py, PyDict>> {
    let data = PyDict::new(py);
    data.set_item("row", PyArray1::from_iter(py, incidents.row.iter().map(|&row| row as i64)))?;
    if let Some(files) = &incidents.files {
        data.set_item("file", PyArray1::from_slice(py, &files.codes))?;
    }
    let cluster = labels.cluster.iter().map(|label| label.map_or(0, i64::from));
    data.set_item("cluster", PyArray1::from_iter(py, cluster))?;
    data.set_item("core", PyArray1::from_slice(py, &labels.core))?;
    if let Some(scores) = &labels.scores {
        data.set_item("membership", PyArray1::from_slice(py, &scores.membership))?;
        data.set_item("outlier", PyArray1::from_slice(py, &scores.outlier))?;
    }
    Ok(data)
}

/// What a plan comes to, and who is where when.
fn plan(py: Python<'_>, data: &Bound<'_, PyDict>, briefing: &PlanBriefing) -> PyResult<()> {
    let facts: Vec<_> = briefing.facts.iter().map(|fact| (fact.figure.as_str(), fact.text)).collect();
    data.set_item("facts", PyList::new(py, facts)?)?;
    data.set_item("limits", PyList::new(py, &briefing.limits)?)?;
    if let Some(found) = &briefing.coverage {
        data.set_item("curve", curve(py, found)?)?;
    }
    Ok(())
}
