//! Esri shapefiles, for the programs that open nothing else.
//!
//! A shapefile holds names of ten characters, texts of 254 bytes, numbers as digits and one kind of geometry. What was
//! shortened, cut or rounded on the way is listed in a table beside it: `column,short,title,unit,note` in `.fields.csv`.
//! The date in its head is the day on which the period of the layer ends, so that the same answer has the same bytes.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fs;
use std::path::Path;

use brasa_model::{Civil, ColumnKind, Layer, Value};
use gdal::DriverManager;
use gdal::errors::Result;
use gdal::vector::{Feature as OgrFeature, FieldDefn, LayerAccess, LayerOptions, OGRFieldType, ToGdal};
use geo::CoordsIter;

use super::vector::{FID, Shape, without_nul};
use crate::drivers::{session, spatial_ref};
use crate::tables::FieldRow;
use crate::{ExportError, Format, tables};

/// The limits of the table of a shapefile.
const NAME: usize = 10;
const TEXT: usize = 254;
/// The width of a column of numbers, and the most digits behind the point.
const WIDTH: usize = 24;
const DECIMALS: usize = 15;
/// The widest whole number that programs still take for one.
const DIGITS: usize = 18;

/// Writes one layer: `path` and what stands beside it.
pub(crate) fn write(layer: &Layer, path: &Path) -> std::result::Result<(), ExportError> {
    let shape = Shape::of(&layer.features);
    if shape == Shape::Mixed {
        return Err(ExportError::FormatUnsuitable {
            format: Format::Shapefile,
            what: "points, lines and areas together",
        });
    }
    let fields = fields(layer);
    // The driver makes names of its own from the one it is given; here it gets a plain one.
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let folder = tempfile::Builder::new().prefix(".brasa-shp").tempdir_in(folder);
    let folder = folder.map_err(|source| ExportError::creating(path, source))?;
    let plain = folder.path().join("layer.shp");
    session(path, &[("GDAL_PAM_ENABLED", "NO")], || fill(layer, shape, &fields, &plain))?;
    let into_place =
        |from: &Path, to: &Path| fs::rename(from, to).map_err(|source| ExportError::creating(to, source));
    for ending in ["shx", "dbf", "prj", "cpg"] {
        into_place(&plain.with_extension(ending), &path.with_extension(ending))?;
    }
    into_place(&plain, path)?;
    let rows = fields.iter().zip(about(layer)).map(|(field, (column, title, unit))| FieldRow {
        column,
        short: &field.short,
        title,
        unit,
        note: &field.note,
    });
    tables::write_fields(rows, &path.with_extension("fields.csv"))
}

/// The names, titles and units of all columns, that of the features first.
fn about(layer: &Layer) -> impl Iterator<Item = (&str, &str, &str)> + Clone {
    let columns = layer.columns.iter().map(|column| (column.name, column.title, column.unit.as_str()));
    std::iter::once((FID, "Number of the feature", "")).chain(columns)
}

/// What the columns of a layer are called, without that of the features.
pub(crate) fn names(layer: &Layer) -> Vec<String> {
    shorten(about(layer).map(|(name, ..)| name)).split_off(1)
}

/// How a column is written.
struct Field {
    short: String,
    kind: OGRFieldType::Type,
    width: usize,
    decimals: usize,
    note: String,
}

/// Every column, that of the features first.
fn fields(layer: &Layer) -> Vec<Field> {
    let shorts = shorten(about(layer).map(|(name, ..)| name));
    let ids: Vec<Value> = layer.features.iter().map(|feature| Value::Integer(feature.id)).collect();
    let mut fields = Vec::with_capacity(shorts.len());
    for (at, short) in shorts.into_iter().enumerate() {
        fields.push(match at.checked_sub(1) {
            None => whole_numbers(short, ids.iter()),
            Some(at) => {
                let values = layer.features.iter().map(|feature| &feature.values[at]);
                match layer.columns[at].kind {
                    ColumnKind::Integer => whole_numbers(short, values),
                    ColumnKind::Real => real_numbers(short, values),
                    ColumnKind::Text => texts(short, values),
                    ColumnKind::Time => times(short),
                }
            }
        });
    }
    fields
}

/// Names of at most ten characters, all different: those that fit stay, the others lose their end, and get a number
/// where that is taken.
fn shorten<'a>(names: impl Iterator<Item = &'a str> + Clone) -> Vec<String> {
    let mut taken: HashSet<String> =
        names.clone().filter(|name| name.len() <= NAME).map(str::to_owned).collect();
    names
        .map(|name| {
            if name.len() <= NAME {
                return name.to_owned();
            }
            let numbered = |number: usize| {
                let number = if number == 1 { String::new() } else { number.to_string() };
                format!("{}{number}", &name[..NAME - number.len()])
            };
            let short = (1..).map(numbered).find(|short| !taken.contains(short)).unwrap_or_default();
            taken.insert(short.clone());
            short
        })
        .collect()
}

fn whole_numbers<'a>(short: String, values: impl Iterator<Item = &'a Value>) -> Field {
    let digits = |value: &Value| if let Value::Integer(value) = value { value.to_string().len() } else { 1 };
    let width = values.map(digits).max().unwrap_or(1);
    let note = if width > DIGITS { "more than 18 digits: some programs round them" } else { "" };
    Field {
        short,
        kind: OGRFieldType::OFTInteger64,
        width: width.max(DIGITS),
        decimals: 0,
        note: note.to_owned(),
    }
}

/// As many digits behind the point as the largest number leaves room for.
fn real_numbers<'a>(short: String, values: impl Iterator<Item = &'a Value> + Clone) -> Field {
    let known = values.filter_map(number);
    let before = known.clone().map(|value| format!("{value:.0}").len()).max().unwrap_or(1);
    let decimals = DECIMALS.min(WIDTH.saturating_sub(before + 2));
    let mut notes = Vec::new();
    if known.clone().any(|value| !fits(value)) {
        notes.push("a number of more than 24 digits is left out".to_owned());
    }
    // Beyond what is lost in the last place of a number of this size anyway.
    let rounded = |value: f64| {
        format!("{value:.decimals$}")
            .parse::<f64>()
            .is_ok_and(|found| (found - value).abs() > 1e-12 * value.abs())
    };
    if known.clone().filter(|value| fits(*value)).any(rounded) {
        notes.push(format!("rounded to {decimals} decimals"));
    }
    Field { short, kind: OGRFieldType::OFTReal, width: WIDTH, decimals, note: notes.join("; ") }
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Integer(value) => Some(*value as f64),
        Value::Real(value) if value.is_finite() => Some(*value),
        _ => None,
    }
}

/// Whether the digits before the point have room.
fn fits(value: f64) -> bool {
    value.abs() < 1e21
}

fn texts<'a>(short: String, values: impl Iterator<Item = &'a Value> + Clone) -> Field {
    let known = values.filter_map(|value| if let Value::Text(text) = value { Some(text) } else { None });
    let longest = known.clone().map(|text| without_nul(text).len()).max().unwrap_or(0);
    let cut = known.filter(|text| without_nul(text).len() > TEXT).count();
    let note = if cut == 0 { String::new() } else { format!("{cut} texts cut after 254 bytes") };
    Field { short, kind: OGRFieldType::OFTString, width: longest.clamp(1, TEXT), decimals: 0, note }
}

/// The only kind of time in a shapefile is the day.
fn times(short: String) -> Field {
    let note = "date and time as text, ISO 8601".to_owned();
    Field { short, kind: OGRFieldType::OFTString, width: "2024-01-01T00:00:00".len(), decimals: 0, note }
}

/// A text of at most 254 bytes.
fn cut(text: &str) -> Cow<'_, str> {
    let text = without_nul(text);
    if text.len() <= TEXT {
        return text;
    }
    let end = (0..=TEXT).rev().find(|&end| text.is_char_boundary(end)).unwrap_or(0);
    Cow::Owned(text[..end].to_owned())
}

fn fill(layer: &Layer, shape: Shape, fields: &[Field], path: &Path) -> Result<()> {
    let mut dataset = DriverManager::get_driver_by_name("ESRI Shapefile")?.create_vector_only(path)?;
    let srs = spatial_ref(&layer.crs)?;
    let day = layer.period.map_or(Civil(0), |period| period.end).to_string();
    let stamp = format!("DBF_DATE_LAST_UPDATE={}", day.split('T').next().unwrap_or_default());
    let options = ["ENCODING=UTF-8", stamp.as_str()];
    let options =
        LayerOptions { name: "layer", srs: Some(&srs), ty: shape.ogr_type(), options: Some(&options) };
    let made = dataset.create_layer(options)?;
    for field in fields {
        let definition = FieldDefn::new(&field.short, field.kind)?;
        definition.set_width(field.width as i32);
        definition.set_precision(field.decimals as i32);
        definition.add_to_layer(&made)?;
    }
    for feature in &layer.features {
        let mut row = OgrFeature::new(made.defn())?;
        row.set_field_integer64(0, feature.id)?;
        for (at, (value, field)) in (1..).zip(feature.values.iter().zip(&fields[1..])) {
            match value {
                Value::Integer(value) if field.kind == OGRFieldType::OFTInteger64 => {
                    row.set_field_integer64(at, *value)?;
                }
                Value::Text(text) => row.set_field_string(at, &cut(text))?,
                Value::Time(time) => row.set_field_string(at, &time.to_string())?,
                value => match number(value).filter(|value| fits(*value)) {
                    Some(value) => row.set_field_double(at, value)?,
                    None => row.set_field_null(at)?,
                },
            }
        }
        if feature.geometry.coords_count() > 0 {
            row.set_geometry(shape.fit(&feature.geometry).to_gdal()?)?;
        }
        row.create(&made)?;
    }
    dataset.close()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_shortened_and_numbered_where_they_collide() {
        let names = ["fid", "ellipse_major", "ellipse_ma", "ellipse_minor", "ellipse_mixed", "area_km2"];
        let short = ["fid", "ellipse_m2", "ellipse_ma", "ellipse_mi", "ellipse_m3", "area_km2"];
        assert_eq!(shorten(names.into_iter()), short);
        let many: Vec<String> = (0..150).map(|at| format!("expected_number_{at}")).collect();
        let short = shorten(many.iter().map(String::as_str));
        assert_eq!(short.iter().collect::<HashSet<_>>().len(), 150);
        assert!(short.iter().all(|name| name.len() <= NAME));
        assert_eq!((short[0].as_str(), short[149].as_str()), ("expected_n", "expecte150"));
    }

    #[test]
    fn a_text_is_cut_between_letters() {
        assert_eq!(cut(&"ñ".repeat(127)).len(), 254);
        assert_eq!(cut(&format!("a{}", "ñ".repeat(127))).len(), 253);
        assert_eq!(cut("a\0b"), "a\u{fffd}b");
    }
}
