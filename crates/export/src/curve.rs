//! A curve in a file.

use std::path::Path;

use brasa_model::{Curve, Note, Provenance, Series};
use serde::Serialize;

use crate::{CurveFormat, ExportError, picture, tables, write_json, write_text};

/// What stands in `.json`.
#[derive(Serialize)]
struct Record<'a> {
    title: &'a str,
    x: Axis<'a>,
    y: Vec<Axis<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    optimum: Option<Optimum>,
    provenance: &'a Provenance,
    notes: &'a [Note],
}

#[derive(Serialize)]
struct Axis<'a> {
    name: &'a str,
    title: &'a str,
    unit: &'a str,
    values: Vec<Option<f64>>,
}

#[derive(Serialize)]
struct Optimum {
    /// The step, from 0.
    step: usize,
    x: f64,
}

impl<'a> From<&'a Series> for Axis<'a> {
    fn from(series: &'a Series) -> Self {
        let values = series.values.iter().map(|value| value.is_finite().then_some(*value)).collect();
        Self { name: series.name, title: series.title, unit: &series.unit, values }
    }
}

/// Writes a curve: one row per step, one JSON object with titles, units, notes and provenance, or a picture. What is not finite is
/// an empty field or null.
pub fn write_curve(curve: &Curve, path: &Path, format: CurveFormat) -> Result<(), ExportError> {
    let steps = curve.len();
    if curve.y.iter().any(|column| column.values.len() != steps)
        || curve.optimum.is_some_and(|at| at >= steps)
    {
        return Err(ExportError::Inconsistent(format!(
            "a curve of {steps} steps has columns of another length"
        )));
    }
    match format {
        CurveFormat::Csv => tables::write_curve(curve, path),
        CurveFormat::Svg => write_text(&picture::curve::svg(curve), path),
        CurveFormat::Pdf => picture::write_pdf(&picture::curve::svg(curve), path),
        CurveFormat::Png => picture::write_png(&picture::curve::svg(curve), path),
        CurveFormat::Json => write_json(
            &Record {
                title: &curve.title,
                x: (&curve.x).into(),
                y: curve.y.iter().map(Into::into).collect(),
                optimum: curve.optimum.map(|step| Optimum { step, x: curve.x.values[step] }),
                provenance: &curve.provenance,
                notes: &curve.notes,
            },
            path,
        ),
    }
}
