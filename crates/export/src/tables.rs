//! Comma-separated values by RFC 4180: CRLF, quotes doubled, UTF-8, no formulas.
//!
//! A spreadsheet runs a cell that begins with `=`, `+`, `-` or `@` as a formula, and a dispatcher's free text can
//! hold one. Such a text gets an apostrophe in front, which spreadsheets do not show; a plain number stays as it is.

use std::borrow::Cow;
use std::io;
use std::path::Path;

use brasa_model::{
    Civil, Clusters, ColumnKind, Curve, Feature, Files, Layer, Reject, Surface, SurfaceSeries, Value,
};
use csv::{Terminator, WriterBuilder};
use geo::InteriorPoint;
use rayon::prelude::*;

use crate::geojson::push_degrees;
use crate::{ExportError, lonlat, sink};

/// The columns that say where a place inside a feature is.
pub(crate) const LON: &str = "lon";
pub(crate) const LAT: &str = "lat";

pub(crate) type Table<'a> = csv::Writer<&'a mut io::BufWriter<std::fs::File>>;

pub(crate) fn table(
    path: &Path,
    body: impl FnOnce(&mut Table<'_>) -> csv::Result<()>,
) -> Result<(), ExportError> {
    sink::write(path, |out| {
        let mut table = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(out);
        body(&mut table).map_err(|error| match error.into_kind() {
            csv::ErrorKind::Io(source) => source,
            other => io::Error::other(format!("{other:?}")),
        })?;
        table.flush()
    })
}

/// Writes the columns of a layer, then `lon,lat` of a place inside each feature (unless it has such columns).
pub(crate) fn write_layer(layer: &Layer, path: &Path) -> Result<(), ExportError> {
    let has_places = layer.columns.iter().any(|column| matches!(column.name, LON | LAT));
    let places = if has_places { Vec::new() } else { places(layer)? };
    table(path, |table| {
        let names = layer.columns.iter().map(|column| column.name);
        if has_places {
            table.write_record(names)?;
        } else {
            table.write_record(names.chain([LON, LAT]))?;
        }
        for (at, feature) in layer.features.iter().enumerate() {
            for (value, column) in feature.values.iter().zip(&layer.columns) {
                match value {
                    Value::Null => table.write_field("")?,
                    Value::Integer(value) if column.kind == ColumnKind::Real => {
                        table.write_field(number(*value as f64))?;
                    }
                    Value::Integer(value) => table.write_field(value.to_string())?,
                    Value::Real(value) => table.write_field(number(*value))?,
                    Value::Text(value) => table.write_field(safe(value).as_bytes())?,
                    Value::Time(value) => table.write_field(value.to_string())?,
                }
            }
            if let Some([lon, lat]) = places.get(at) {
                table.write_field(lon)?;
                table.write_field(lat)?;
            }
            table.write_record(None::<&[u8]>)?;
        }
        Ok(())
    })
}

/// Longitude and latitude of a place inside each feature, in degrees; empty where a feature has no geometry.
fn places(layer: &Layer) -> Result<Vec<[Vec<u8>; 2]>, ExportError> {
    let projector = layer.crs.to_lonlat()?;
    let degrees = |units: i32| {
        let mut text = Vec::new();
        push_degrees(&mut text, units);
        text
    };
    let place = |feature: &Feature| {
        let Some(inside) = feature.geometry.interior_point() else { return Ok([Vec::new(), Vec::new()]) };
        let place = lonlat::place(layer, &projector, feature, inside.0)?;
        Ok([degrees(place.x), degrees(place.y)])
    };
    let found: Vec<_> = layer.features.par_iter().map(place).collect();
    found.into_iter().collect()
}

/// Writes `x,y` and a column per surface of the cells inside the window, row by row from the south-west.
pub(crate) fn write_surfaces(surfaces: &[(&'static str, &Surface)], path: &Path) -> Result<(), ExportError> {
    let Some((_, first)) = surfaces.first() else { return Ok(()) };
    let grid = &first.grid;
    table(path, |table| {
        table.write_record(["x", "y"].into_iter().chain(surfaces.iter().map(|(name, _)| *name)))?;
        for cell in grid.cells() {
            table.write_field(number(grid.centre_x(cell % grid.nx())))?;
            table.write_field(number(grid.centre_y(cell / grid.nx())))?;
            for (_, surface) in surfaces {
                table.write_field(number(surface.value(cell)))?;
            }
            table.write_record(None::<&[u8]>)?;
        }
        Ok(())
    })
}

/// Writes the columns of a curve, one row per step; `optimum` is 1 at the step that is best, if the curve has one.
pub(crate) fn write_curve(curve: &Curve, path: &Path) -> Result<(), ExportError> {
    let columns = || std::iter::once(&curve.x).chain(&curve.y);
    table(path, |table| {
        for column in columns() {
            table.write_field(column.name)?;
        }
        if curve.optimum.is_some() {
            table.write_field("optimum")?;
        }
        table.write_record(None::<&[u8]>)?;
        for step in 0..curve.len() {
            for column in columns() {
                table.write_field(number(column.values[step]))?;
            }
            if let Some(best) = curve.optimum {
                table.write_field(if best == step { "1" } else { "0" })?;
            }
            table.write_record(None::<&[u8]>)?;
        }
        Ok(())
    })
}

/// Writes `x,y,start,end,intensity` of the cells above zero, slice by slice, row by row from the south-west. Times are
/// local and carry no zone; with milliseconds, as GIS sort them beside their own.
pub(crate) fn write_series(series: &SurfaceSeries, path: &Path) -> Result<(), ExportError> {
    let grid = &series.grid;
    let time = |civil: Civil| format!("{civil}.000");
    table(path, |table| {
        table.write_record(["x", "y", "start", "end", "intensity"])?;
        for (frame, interval) in series.frames.iter().enumerate() {
            let (start, end) = (time(interval.start), time(interval.end));
            for cell in grid.cells() {
                let value = series.value(frame, cell);
                if value > 0.0 {
                    table.write_field(number(grid.centre_x(cell % grid.nx())))?;
                    table.write_field(number(grid.centre_y(cell / grid.nx())))?;
                    table.write_field(&start)?;
                    table.write_field(&end)?;
                    table.write_field(number(value))?;
                    table.write_record(None::<&[u8]>)?;
                }
            }
        }
        Ok(())
    })
}

/// Writes the cluster of each incident: `row,cluster` in the order of the input, with no cluster for noise; the name of
/// the `file` in front if they come from several, and `membership,outlier` behind where the method gives scores. `rows`
/// holds the line or feature number of each incident in its file.
pub fn write_labels(
    rows: &[u64],
    files: Option<&Files>,
    clusters: &Clusters,
    path: &Path,
) -> Result<(), ExportError> {
    let labels = &clusters.labels;
    if rows.len() != labels.len() {
        let why = format!("{} rows have {} cluster labels", rows.len(), labels.len());
        return Err(ExportError::Inconsistent(why));
    }
    table(path, |table| {
        let scores = clusters.scores.as_ref();
        let more = scores.map_or(&[][..], |_| &["membership", "outlier"]);
        table.write_record(files.map(|_| "file").iter().chain(&["row", "cluster"]).chain(more))?;
        for (at, (row, label)) in rows.iter().zip(labels).enumerate() {
            if let Some(files) = files {
                table.write_field(safe(&files.names[usize::from(files.codes[at])]).as_bytes())?;
            }
            table.write_field(row.to_string())?;
            table.write_field(label.map(|label| label.to_string()).unwrap_or_default())?;
            if let Some(scores) = scores {
                table.write_field(number(scores.membership[at]))?;
                table.write_field(number(scores.outlier[at]))?;
            }
            table.write_record(None::<&[u8]>)?;
        }
        Ok(())
    })
}

/// Writes the rows that were set aside: `line,reason,meaning,column,value`, in the order given, with the name of the `file`
/// in front if they come from several.
pub fn write_rejects(rejects: &[Reject], files: Option<&Files>, path: &Path) -> Result<(), ExportError> {
    table(path, |table| {
        let columns = ["line", "reason", "meaning", "column", "value"];
        table.write_record(files.map(|_| "file").into_iter().chain(columns))?;
        for reject in rejects {
            if let Some(files) = files {
                table.write_field(safe(&files.names[usize::from(reject.file)]).as_bytes())?;
            }
            let (line, reason) = (reject.line.to_string(), reject.reason);
            let (column, value) = (safe(&reject.column), safe(&reject.value));
            table.write_record([line.as_str(), reason.code(), reason.meaning(), &column, &value])?;
        }
        Ok(())
    })
}

/// What became of a column whose format has narrower limits.
#[cfg(feature = "gdal")]
pub(crate) struct FieldRow<'a> {
    pub column: &'a str,
    pub short: &'a str,
    pub title: &'a str,
    pub unit: &'a str,
    pub note: &'a str,
}

/// Writes what became of the columns of a layer.
#[cfg(feature = "gdal")]
pub(crate) fn write_fields<'a>(
    rows: impl Iterator<Item = FieldRow<'a>>,
    path: &Path,
) -> Result<(), ExportError> {
    table(path, |table| {
        table.write_record(["column", "short", "title", "unit", "note"])?;
        for row in rows {
            table.write_record([row.column, row.short, row.title, row.unit, row.note])?;
        }
        Ok(())
    })
}

/// The shortest text that reads back as the same number; empty where the number is not finite.
fn number(value: f64) -> Vec<u8> {
    if value.is_finite() { serde_json::to_vec(&value).unwrap_or_default() } else { Vec::new() }
}

/// A text that no spreadsheet takes for a formula.
pub(crate) fn safe(text: &str) -> Cow<'_, str> {
    let runs = text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']);
    if runs && !is_number(text) { Cow::Owned(format!("'{text}")) } else { Cow::Borrowed(text) }
}

/// Digits with a sign, a point or an exponent, and nothing else.
fn is_number(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'+' | b'-' | b'.' | b'e' | b'E'))
        && text.parse::<f64>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_formula_is_disarmed_and_a_number_is_not() {
        for formula in [
            "=1+1",
            "+cmd|' /C calc'!A0",
            "-1+1",
            "@SUM(A1)",
            "\t=1",
            "\r=1",
            "\n=1",
            "-",
            "＝1+1",
            "-inf",
            "+nan",
            "-1-",
        ] {
            assert_eq!(safe(formula), format!("'{formula}"));
        }
        for plain in ["-5", "+1.5", "-1e-7", "5", "", "a=b", "O'Higgins", "Ñuñoa 😀"] {
            assert_eq!(safe(plain), plain);
        }
    }
}
