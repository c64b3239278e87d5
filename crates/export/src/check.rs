//! What must hold before a byte is written, whatever the format.

use std::collections::HashSet;

use brasa_model::{ColumnKind, DrawnBy, Layer, Surface, SurfaceSeries, Value};

use crate::ExportError;

/// Column names the formats use themselves.
const RESERVED: [&str; 2] = ["fid", "geom"];

/// Names are plain, names and titles distinct, every feature has its own id and one value of the right kind per column.
pub(crate) fn layers(layers: &[&Layer]) -> Result<(), ExportError> {
    let (mut names, mut titles) = (HashSet::new(), HashSet::new());
    for layer in layers {
        if !is_snake_case(&layer.name) || !names.insert(&layer.name) {
            return Err(wrong(layer, "its name is not in snake_case or is used twice"));
        }
        if !titles.insert(&layer.title) {
            return Err(wrong(layer, "its title is used twice"));
        }
        columns(layer)?;
        style(layer)?;
        features(layer)?;
    }
    Ok(())
}

fn columns(layer: &Layer) -> Result<(), ExportError> {
    let mut names = HashSet::new();
    for column in &layer.columns {
        let name = column.name;
        if !is_snake_case(name) || RESERVED.contains(&name) || !names.insert(name) {
            return Err(wrong(
                layer,
                &format!("column name \"{name}\" is reserved, repeated or not in snake_case"),
            ));
        }
    }
    Ok(())
}

/// The columns that the style speaks of exist, and hold what it needs.
fn style(layer: &Layer) -> Result<(), ExportError> {
    let (wanted, is_number) = match &layer.style.by {
        DrawnBy::Number { column, .. } => (Some(*column), true),
        DrawnBy::Word { column, .. } => (Some(*column), false),
        DrawnBy::Edge | DrawnBy::Alike => (None, false),
    };
    let fits = |kind: ColumnKind| match is_number {
        true => matches!(kind, ColumnKind::Integer | ColumnKind::Real),
        false => kind == ColumnKind::Text,
    };
    let found = wanted.map(|name| layer.column(name).is_some_and(|at| fits(layer.columns[at].kind)));
    if found == Some(false) || layer.style.label.is_some_and(|label| layer.column(label).is_none()) {
        return Err(wrong(layer, "its style names a column that is not there or holds something else"));
    }
    Ok(())
}

fn features(layer: &Layer) -> Result<(), ExportError> {
    let mut ids = HashSet::with_capacity(layer.features.len());
    for feature in &layer.features {
        let id = feature.id;
        if id < 0 || !ids.insert(id) {
            return Err(wrong(layer, &format!("feature id {id} is negative or used twice")));
        }
        if feature.values.len() != layer.columns.len() {
            return Err(wrong(layer, &format!("feature {id} does not have one value per column")));
        }
        for (value, column) in feature.values.iter().zip(&layer.columns) {
            if !fits(value, column.kind) {
                return Err(wrong(layer, &format!("feature {id} has {value:?} in column {}", column.name)));
            }
        }
    }
    Ok(())
}

/// A whole number may stand in a column of real numbers; nothing else is converted.
const fn fits(value: &Value, kind: ColumnKind) -> bool {
    matches!(
        (value, kind),
        (Value::Null, _)
            | (Value::Integer(_), ColumnKind::Integer | ColumnKind::Real)
            | (Value::Real(_), ColumnKind::Real)
            | (Value::Text(_), ColumnKind::Text)
            | (Value::Time(_), ColumnKind::Time)
    )
}

/// There is at least one surface; all lie on one grid with one value per cell, under plain, distinct names.
pub(crate) fn surfaces(surfaces: &[(&'static str, &Surface)]) -> Result<(), ExportError> {
    let wrong = |why: String| Err(ExportError::Inconsistent(why));
    let Some((_, first)) = surfaces.first() else { return wrong("there is no surface to write".to_owned()) };
    let mut names = HashSet::from(["x", "y"]);
    for (name, surface) in surfaces {
        let (wanted, found) = ((first.grid.ny(), first.grid.nx()), surface.values.dim());
        if found != wanted {
            return wrong(format!("a surface of {wanted:?} rows and columns holds {found:?} values"));
        }
        if surface.grid != first.grid {
            return wrong(format!("the surface {name} lies on another grid"));
        }
        if !is_snake_case(name) || !names.insert(name) {
            return wrong(format!("surface name \"{name}\" is reserved, repeated or not in snake_case"));
        }
    }
    Ok(())
}

/// There is one value per slice and cell.
pub(crate) fn series(series: &SurfaceSeries) -> Result<(), ExportError> {
    let (wanted, found) = ((series.frames.len(), series.grid.ny(), series.grid.nx()), series.values.dim());
    if found == wanted && !series.frames.is_empty() {
        return Ok(());
    }
    Err(ExportError::Inconsistent(format!(
        "a series of {wanted:?} slices, rows and columns holds {found:?} values"
    )))
}

fn is_snake_case(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

fn wrong(layer: &Layer, why: &str) -> ExportError {
    ExportError::Inconsistent(format!("layer {}: {why}", layer.name))
}
