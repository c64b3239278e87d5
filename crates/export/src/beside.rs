//! What stands beside a table: the kinds of its columns, where it lies, where it comes from.
//!
//! - `.csvt`, the kinds of the columns as GDAL and QGIS read them; with `.prj`, the reference system in Esri's words, a
//!   table opens as points in the right place.
//! - `.datapackage.json`, a Frictionless data package (version 1): titles, units, types, digest, inputs, notes and
//!   provenance.

use std::path::Path;

use brasa_model::{ColumnKind, Crs, Interval, Layer, Note, Provenance, Surface, SurfaceSeries};
use serde::Serialize;

use crate::tables::{LAT, LON};
use crate::{ExportError, whole, write_json, write_text};

/// WGS 84 as `.prj` files state it.
const WGS84: &str = "GEOGCS[\"GCS_WGS_1984\",DATUM[\"D_WGS_1984\",SPHEROID[\"WGS_1984\",6378137.0,298.257223563]],PRIMEM[\"Greenwich\",0.0],UNIT[\"Degree\",0.0174532925199433]]";

/// What a column holds.
#[derive(Clone, Copy)]
enum Kind {
    Integer,
    Real,
    Text,
    /// Local civil time, written in this pattern.
    Time(&'static str),
    /// Easting or longitude.
    X,
    /// Northing or latitude.
    Y,
}

impl Kind {
    /// As `.csvt` writes it.
    const fn csvt(self) -> &'static str {
        match self {
            Self::Integer => "Integer64",
            Self::Real => "Real",
            Self::Text => "String",
            Self::Time(_) => "DateTime",
            Self::X => "CoordX",
            Self::Y => "CoordY",
        }
    }

    /// As a table schema writes it.
    const fn frictionless(self) -> &'static str {
        match self {
            Self::Integer => "integer",
            Self::Real | Self::X | Self::Y => "number",
            Self::Text => "string",
            Self::Time(_) => "datetime",
        }
    }
}

struct Column<'a> {
    name: &'a str,
    title: &'a str,
    unit: &'a str,
    kind: Kind,
}

/// A table and what is known of it.
struct Table<'a> {
    name: String,
    title: &'a str,
    description: &'a str,
    columns: Vec<Column<'a>>,
    period: Option<Interval>,
    notes: &'a [Note],
    provenance: &'a Provenance,
}

/// Beside the table of a layer.
pub(crate) fn of_layer(layer: &Layer, path: &Path) -> Result<(), ExportError> {
    let mut columns: Vec<Column<'_>> = Vec::with_capacity(layer.columns.len() + 2);
    for column in &layer.columns {
        let kind = match (column.kind, column.name) {
            (ColumnKind::Real, LON) => Kind::X,
            (ColumnKind::Real, LAT) => Kind::Y,
            (ColumnKind::Integer, _) => Kind::Integer,
            (ColumnKind::Real, _) => Kind::Real,
            (ColumnKind::Text, _) => Kind::Text,
            (ColumnKind::Time, _) => Kind::Time("%Y-%m-%dT%H:%M:%S"),
        };
        columns.push(Column { name: column.name, title: column.title, unit: &column.unit, kind });
    }
    if !columns.iter().any(|column| matches!(column.name, LON | LAT)) {
        columns.push(Column { name: LON, title: "Longitude of a place inside", unit: "°", kind: Kind::X });
        columns.push(Column { name: LAT, title: "Latitude of a place inside", unit: "°", kind: Kind::Y });
    }
    let table = Table {
        name: layer.name.clone(),
        title: &layer.title,
        description: &layer.description,
        columns,
        period: layer.period,
        notes: &layer.notes,
        provenance: &layer.provenance,
    };
    table.write(Some(WGS84), path)
}

/// Beside the table of surfaces of one grid.
pub(crate) fn of_surfaces(
    surfaces: &[(&'static str, &Surface)],
    crs: &Crs,
    path: &Path,
) -> Result<(), ExportError> {
    let Some((_, first)) = surfaces.first() else { return Ok(()) };
    let mut columns = centre();
    columns.extend(surfaces.iter().map(|(name, surface)| of_values(name, &surface.unit)));
    Table::of_cells(columns, None, &first.notes, &first.provenance).write(prj(crs)?.as_deref(), path)
}

/// Beside the table of a series of surfaces.
pub(crate) fn of_series(series: &SurfaceSeries, crs: &Crs, path: &Path) -> Result<(), ExportError> {
    let time = |name, title| Column { name, title, unit: "", kind: Kind::Time("%Y-%m-%dT%H:%M:%S.%f") };
    let mut columns = centre();
    columns.push(time("start", "Start of the slice, local time"));
    columns.push(time("end", "End of the slice, local time, not part of it"));
    columns.push(of_values("intensity", &series.unit));
    let ends = series.frames.first().zip(series.frames.last());
    let period = ends.map(|(first, last)| Interval { start: first.start, end: last.end });
    Table::of_cells(columns, period, &series.notes, &series.provenance).write(prj(crs)?.as_deref(), path)
}

fn centre() -> Vec<Column<'static>> {
    vec![
        Column { name: "x", title: "Easting of the centre of the cell", unit: "m", kind: Kind::X },
        Column { name: "y", title: "Northing of the centre of the cell", unit: "m", kind: Kind::Y },
    ]
}

/// A column of values of cells; its unit says what they are.
fn of_values<'a>(name: &'a str, unit: &'a str) -> Column<'a> {
    Column { name, title: "", unit, kind: Kind::Real }
}

/// The reference system in Esri's words. Without GDAL there is nobody to say them.
fn prj(crs: &Crs) -> Result<Option<String>, ExportError> {
    #[cfg(feature = "gdal")]
    return crate::drivers::esri_text(crs).map(Some);
    #[cfg(not(feature = "gdal"))]
    {
        let _ = crs;
        Ok(None)
    }
}

#[derive(Serialize)]
struct Package<'a> {
    profile: &'static str,
    name: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    title: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    description: &'a str,
    /// A half-open interval of local time, ISO 8601.
    #[serde(skip_serializing_if = "Option::is_none")]
    period: Option<String>,
    sources: Vec<Source<'a>>,
    resources: [Resource<'a>; 1],
    notes: &'a [Note],
    provenance: &'a Provenance,
}

#[derive(Serialize)]
struct Source<'a> {
    title: &'a str,
    role: &'a str,
    bytes: u64,
    hash: String,
}

#[derive(Serialize)]
struct Resource<'a> {
    profile: &'static str,
    name: &'a str,
    path: String,
    format: &'static str,
    mediatype: &'static str,
    encoding: &'static str,
    bytes: u64,
    hash: String,
    dialect: Dialect,
    schema: Schema<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Dialect {
    delimiter: &'static str,
    line_terminator: &'static str,
    double_quote: bool,
    header: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Schema<'a> {
    fields: Vec<Field<'a>>,
    missing_values: [&'static str; 1],
}

#[derive(Serialize)]
struct Field<'a> {
    name: &'a str,
    r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    format: Option<&'static str>,
    #[serde(skip_serializing_if = "str::is_empty")]
    title: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    unit: &'a str,
}

impl<'a> Table<'a> {
    fn of_cells(
        columns: Vec<Column<'a>>,
        period: Option<Interval>,
        notes: &'a [Note],
        provenance: &'a Provenance,
    ) -> Self {
        let name = provenance.method.clone();
        Self { name, title: "", description: "", columns, period, notes, provenance }
    }

    fn write(&self, prj: Option<&str>, path: &Path) -> Result<(), ExportError> {
        let kinds: Vec<&str> = self.columns.iter().map(|column| column.kind.csvt()).collect();
        write_text(&format!("{}\r\n", kinds.join(",")), &path.with_extension("csvt"))?;
        if let Some(prj) = prj {
            write_text(&format!("{prj}\n"), &path.with_extension("prj"))?;
        }
        write_json(&self.package(path)?, &path.with_extension("datapackage.json"))
    }

    fn package(&self, path: &Path) -> Result<Package<'_>, ExportError> {
        let (bytes, digest) = whole::digest(path).map_err(|source| ExportError::writing(path, &source))?;
        let field = |column: &Column<'a>| Field {
            name: column.name,
            r#type: column.kind.frictionless(),
            format: if let Kind::Time(pattern) = column.kind { Some(pattern) } else { None },
            title: column.title,
            unit: column.unit,
        };
        let source = |input: &'a brasa_model::InputRecord| Source {
            title: &input.name,
            role: &input.role,
            bytes: input.bytes,
            hash: format!("sha256:{}", input.sha256),
        };
        let resource = Resource {
            profile: "tabular-data-resource",
            name: &self.name,
            path: path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default(),
            format: "csv",
            mediatype: "text/csv",
            encoding: "utf-8",
            bytes,
            hash: format!("sha256:{digest}"),
            dialect: Dialect { delimiter: ",", line_terminator: "\r\n", double_quote: true, header: true },
            schema: Schema { fields: self.columns.iter().map(field).collect(), missing_values: [""] },
        };
        Ok(Package {
            profile: "tabular-data-package",
            name: &self.name,
            title: self.title,
            description: self.description,
            period: self.period.map(|period| format!("{}/{}", period.start, period.end)),
            sources: self.provenance.inputs.iter().map(source).collect(),
            resources: [resource],
            notes: self.notes,
            provenance: self.provenance,
        })
    }
}
