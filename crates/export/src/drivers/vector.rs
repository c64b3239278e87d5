//! GeoPackage and FlatGeobuf.
//!
//! A GeoPackage carries how its layers look (`layer_styles`) and what they are (`gpkg_metadata`), as QGIS reads them, and the words
//! that may stand in a column. Times have no zone in it: QGIS compares them as text, and a `Z` would draw each stretch of
//! time with the one before it.
//!
//! A GeoPackage is written in one transaction without a journal on disk: it is a temporary file until it is renamed,
//! and is brought to the disk then. Its time stamps are the end of the period the layers speak of, so that the same
//! answer has the same bytes.

use std::borrow::Cow;
use std::path::Path;

use brasa_model::{Civil, Column, ColumnKind, DrawnBy, Feature, Layer, Value};
use gdal::errors::Result;
use gdal::vector::sql::Dialect;
use gdal::vector::{
    Feature as OgrFeature, FieldDefn, Layer as OgrLayer, LayerAccess, LayerOptions, OGRFieldType,
    OGRwkbGeometryType, ToGdal,
};
use gdal::{Dataset, DriverManager, Metadata};
use geo::{CoordsIter, Geometry, MultiLineString, MultiPoint, MultiPolygon};
use serde::Serialize;

use crate::drivers::{no_room, session, spatial_ref};
use crate::qgis::{record_of, sld_of, style_of};
use crate::{ExportError, Format, Imprint};

/// The column with [`Feature::id`]: the primary key of a GeoPackage, an ordinary column elsewhere.
pub(super) const FID: &str = "fid";

/// The column with the geometry.
const GEOM: &str = "geom";

/// Writes several layers into one GeoPackage.
pub(crate) fn write_gpkg(
    layers: &[&Layer],
    imprint: Imprint<'_>,
    path: &Path,
) -> std::result::Result<(), ExportError> {
    let latest = layers.iter().filter_map(|layer| layer.period).map(|period| period.end).max();
    let stamp = format!("{}.000Z", latest.unwrap_or(Civil(0)));
    let settings = [
        ("OGR_CURRENT_DATE", stamp.as_str()),
        ("OGR_SQLITE_JOURNAL", "OFF"),
        ("OGR_SQLITE_SYNCHRONOUS", "OFF"),
        ("GDAL_PAM_ENABLED", "NO"),
    ];
    session(path, &settings, || {
        let mut dataset = DriverManager::get_driver_by_name("GPKG")?.create_vector_only(path)?;
        let mut transaction = dataset.start_transaction()?;
        for layer in layers {
            let identifier = format!("IDENTIFIER={}", without_nul(&imprint.lang.say(&layer.title)));
            let description = format!("DESCRIPTION={}", without_nul(&imprint.lang.say(&layer.description)));
            let (geometry, key) = (format!("GEOMETRY_NAME={GEOM}"), format!("FID={FID}"));
            let options = [geometry.as_str(), &key, &identifier, &description];
            let mut made = fill(&mut transaction, layer, &options)?;
            made.set_metadata_item("BRASA_PROVENANCE", &json(&layer.provenance), "")?;
            made.set_metadata_item("BRASA_NOTES", &json(&layer.notes), "")?;
            if let Some(period) = layer.period {
                made.set_metadata_item("BRASA_PERIOD", &format!("{}/{}", period.start, period.end), "")?;
            }
        }
        describe_columns(&transaction, layers, imprint)?;
        describe_layers(&transaction, layers, imprint, &stamp)?;
        transaction.commit()?;
        dataset.close()
    })
}

/// Writes one layer as FlatGeobuf.
pub(crate) fn write_fgb(layer: &Layer, path: &Path) -> std::result::Result<(), ExportError> {
    let done = session(path, &[("GDAL_PAM_ENABLED", "NO")], || {
        let mut dataset = DriverManager::get_driver_by_name("FlatGeobuf")?.create_vector_only(path)?;
        fill(&mut dataset, layer, &["SPATIAL_INDEX=YES"])?;
        dataset.close()
    });
    // This driver has taken its files away again when it says that they could not be written: the room they need is tried. It
    // writes all features twice, first in their order and then in that of the index.
    done.map_err(|error| match error {
        ExportError::WriteFailed { path, .. } if no_room(&path, 2 * least_bytes(layer)) => {
            ExportError::DiskFull(path)
        }
        error => error,
    })
}

/// Fewer bytes than this the features do not take: two numbers for a position, the letters of texts, eight bytes for others.
fn least_bytes(layer: &Layer) -> usize {
    let bytes = |value: &Value| match value {
        Value::Null => 0,
        Value::Text(text) => text.len(),
        Value::Integer(_) | Value::Real(_) | Value::Time(_) => 8,
    };
    let of = |feature: &Feature| {
        16 * feature.geometry.coords_count() + feature.values.iter().map(bytes).sum::<usize>()
    };
    layer.features.iter().map(of).sum()
}

/// Creates a layer and writes its features.
fn fill<'a>(dataset: &'a mut Dataset, layer: &Layer, options: &[&str]) -> Result<OgrLayer<'a>> {
    let shape = Shape::of(&layer.features);
    let srs = spatial_ref(&layer.crs)?;
    let options =
        LayerOptions { name: &layer.name, srs: Some(&srs), ty: shape.ogr_type(), options: Some(options) };
    let made = dataset.create_layer(options)?;
    FieldDefn::new(FID, OGRFieldType::OFTInteger64)?.add_to_layer(&made)?;
    for column in &layer.columns {
        let kind = match column.kind {
            ColumnKind::Integer => OGRFieldType::OFTInteger64,
            ColumnKind::Real => OGRFieldType::OFTReal,
            ColumnKind::Text => OGRFieldType::OFTString,
            ColumnKind::Time => OGRFieldType::OFTDateTime,
        };
        FieldDefn::new(column.name, kind)?.add_to_layer(&made)?;
    }
    let fid = made.defn().field_index(FID)?;
    let fields: Vec<usize> =
        layer.columns.iter().map(|column| made.defn().field_index(column.name)).collect::<Result<_>>()?;
    for feature in &layer.features {
        let mut row = OgrFeature::new(made.defn())?;
        row.set_field_integer64(fid, feature.id)?;
        for ((value, column), &at) in feature.values.iter().zip(&layer.columns).zip(&fields) {
            match value {
                Value::Integer(value) if column.kind == ColumnKind::Real => {
                    row.set_field_double(at, *value as f64)?;
                }
                Value::Integer(value) => row.set_field_integer64(at, *value)?,
                Value::Real(value) if value.is_finite() => row.set_field_double(at, *value)?,
                Value::Real(_) | Value::Null => row.set_field_null(at)?,
                Value::Text(value) => row.set_field_string(at, &without_nul(value))?,
                Value::Time(value) => row.set_field_string(at, &value.to_string())?,
            }
        }
        if feature.geometry.coords_count() > 0 {
            row.set_geometry(shape.fit(&feature.geometry).to_gdal()?)?;
        }
        row.create(&made)?;
    }
    Ok(made)
}

/// What a GeoPackage declares as more than its core, where it is not declared by GDAL.
const EXTENSIONS: &str = "CREATE TABLE IF NOT EXISTS gpkg_extensions (table_name TEXT, column_name TEXT, \
     extension_name TEXT NOT NULL, definition TEXT NOT NULL, scope TEXT NOT NULL, \
     CONSTRAINT ge_tce UNIQUE (table_name, column_name, extension_name))";

fn run(dataset: &Dataset, sql: &str) -> Result<()> {
    dataset.execute_sql(sql, None, Dialect::DEFAULT).map(|_| ())
}

/// Declares a table of an extension; GDAL may have done so for its own use of it.
fn declare(dataset: &Dataset, table: &str, extension: &str, anchor: &str) -> Result<()> {
    run(
        dataset,
        &format!(
            "INSERT INTO gpkg_extensions SELECT '{table}', NULL, '{extension}', \
             'http://www.geopackage.org/spec121/#{anchor}', 'read-write' \
             WHERE NOT EXISTS (SELECT 1 FROM gpkg_extensions WHERE table_name = '{table}')"
        ),
    )
}

/// Stores title and unit of every column, and the words that may stand in one, by the schema extension of GeoPackage.
fn describe_columns(dataset: &Dataset, layers: &[&Layer], Imprint { lang, .. }: Imprint<'_>) -> Result<()> {
    let run = |sql: &str| run(dataset, sql);
    run("CREATE TABLE gpkg_data_columns (table_name TEXT NOT NULL, column_name TEXT NOT NULL, name TEXT, \
         title TEXT, description TEXT, mime_type TEXT, constraint_name TEXT, \
         CONSTRAINT pk_gdc PRIMARY KEY (table_name, column_name), CONSTRAINT gdc_tn UNIQUE (table_name, name))")?;
    run(
        "CREATE TABLE gpkg_data_column_constraints (constraint_name TEXT NOT NULL, constraint_type TEXT NOT NULL, \
         value TEXT, min NUMERIC, min_is_inclusive BOOLEAN, max NUMERIC, max_is_inclusive BOOLEAN, \
         description TEXT, CONSTRAINT gdcc_ntv UNIQUE (constraint_name, constraint_type, value))",
    )?;
    run(EXTENSIONS)?;
    for table in ["gpkg_data_columns", "gpkg_data_column_constraints"] {
        declare(dataset, table, "gpkg_schema", "extension_schema")?;
    }
    for layer in layers {
        let worded = match &layer.style.by {
            DrawnBy::Word { column, words } => Some((*column, words)),
            DrawnBy::Edge | DrawnBy::Alike | DrawnBy::Number { .. } => None,
        };
        for column in &layer.columns {
            let (title, unit) = (quoted(&lang.say(column.title)), quoted(&unit(column)));
            let is_worded = worded.is_some_and(|(worded, _)| worded == column.name);
            let constraint = if is_worded { constraint(layer, column.name) } else { String::new() };
            run(&format!(
                "INSERT INTO gpkg_data_columns VALUES ('{}', '{}', '{}', {title}, {unit}, NULL, {})",
                layer.name,
                column.name,
                column.name,
                quoted(&constraint),
            ))?;
        }
        for (column, word) in
            worded.into_iter().flat_map(|(column, words)| words.iter().map(move |word| (column, word)))
        {
            run(&format!(
                "INSERT INTO gpkg_data_column_constraints VALUES ({}, 'enum', {}, NULL, NULL, NULL, NULL, {})",
                quoted(&constraint(layer, column)),
                quoted(word.value),
                quoted(&lang.say(word.title)),
            ))?;
        }
    }
    Ok(())
}

/// What the rule for the words of a column is called.
fn constraint(layer: &Layer, column: &str) -> String {
    format!("{}_{column}", layer.name)
}

/// Stores how each layer looks and what it is, where QGIS looks for both.
fn describe_layers(dataset: &Dataset, layers: &[&Layer], imprint: Imprint<'_>, stamp: &str) -> Result<()> {
    let run = |sql: &str| run(dataset, sql);
    run("CREATE TABLE layer_styles (id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, f_table_catalog TEXT, \
         f_table_schema TEXT, f_table_name TEXT, f_geometry_column TEXT, styleName TEXT, styleQML TEXT, \
         styleSLD TEXT, useAsDefault BOOLEAN, description TEXT, owner TEXT, ui TEXT, update_time DATETIME)")?;
    run(&format!(
        "INSERT INTO gpkg_contents (table_name, data_type, identifier, description, last_change) \
         VALUES ('layer_styles', 'attributes', 'layer_styles', NULL, '{stamp}')"
    ))?;
    run("CREATE TABLE IF NOT EXISTS gpkg_metadata (id INTEGER CONSTRAINT m_pk PRIMARY KEY ASC NOT NULL, \
         md_scope TEXT NOT NULL DEFAULT 'dataset', md_standard_uri TEXT NOT NULL, \
         mime_type TEXT NOT NULL DEFAULT 'text/xml', metadata TEXT NOT NULL DEFAULT '')")?;
    run(
        "CREATE TABLE IF NOT EXISTS gpkg_metadata_reference (reference_scope TEXT NOT NULL, table_name TEXT, \
         column_name TEXT, row_id_value INTEGER, timestamp DATETIME NOT NULL, md_file_id INTEGER NOT NULL, \
         md_parent_id INTEGER, CONSTRAINT crmr_mfi_fk FOREIGN KEY (md_file_id) REFERENCES gpkg_metadata(id), \
         CONSTRAINT crmr_mpi_fk FOREIGN KEY (md_parent_id) REFERENCES gpkg_metadata(id))",
    )?;
    for table in ["gpkg_metadata", "gpkg_metadata_reference"] {
        declare(dataset, table, "gpkg_metadata", "extension_metadata")?;
    }
    for (number, layer) in (1..).zip(layers) {
        let name = &layer.name;
        let (qml, sld) = (style_of(layer, Format::GeoPackage, imprint.lang), sld_of(layer, imprint.lang));
        run(&format!(
            "INSERT INTO layer_styles VALUES ({number}, '', '', '{name}', '{GEOM}', '{name}', {}, {}, 1, {}, '', NULL, '{stamp}')",
            quoted(&qml),
            quoted(&sld),
            quoted(&imprint.lang.say(&layer.title)),
        ))?;
        run(&format!(
            "INSERT INTO gpkg_metadata VALUES (NULL, 'dataset', 'http://mrcc.com/qgis.dtd', 'text/xml', {})",
            quoted(&record_of(layer, imprint)),
        ))?;
        run(&format!(
            "INSERT INTO gpkg_metadata_reference \
             SELECT 'table', '{name}', NULL, NULL, '{stamp}', max(id), NULL FROM gpkg_metadata"
        ))?;
    }
    Ok(())
}

fn unit(column: &Column) -> String {
    if column.unit.is_empty() { String::new() } else { format!("unit: {}", column.unit) }
}

/// A text in SQL; NULL when it is empty.
fn quoted(text: &str) -> String {
    if text.is_empty() { "NULL".to_owned() } else { format!("'{}'", without_nul(text).replace('\'', "''")) }
}

/// The kind of geometry that all features of a layer can be written as.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Point,
    MultiPoint,
    Line,
    MultiLine,
    Polygon,
    MultiPolygon,
    Mixed,
}

impl Shape {
    /// The narrowest kind; that of most answers, polygons, where there is no feature to tell.
    pub(super) fn of(features: &[Feature]) -> Self {
        let kinds = features.iter().map(|feature| Self::of_one(&feature.geometry));
        kinds.reduce(Self::with).unwrap_or(Self::MultiPolygon)
    }

    const fn of_one(geometry: &Geometry<f64>) -> Self {
        match geometry {
            Geometry::Point(_) => Self::Point,
            Geometry::MultiPoint(_) => Self::MultiPoint,
            Geometry::Line(_) | Geometry::LineString(_) => Self::Line,
            Geometry::MultiLineString(_) => Self::MultiLine,
            Geometry::Polygon(_) | Geometry::Rect(_) | Geometry::Triangle(_) => Self::Polygon,
            Geometry::MultiPolygon(_) => Self::MultiPolygon,
            Geometry::GeometryCollection(_) => Self::Mixed,
        }
    }

    const fn with(self, other: Self) -> Self {
        match (self, other) {
            (Self::Point, Self::Point) => Self::Point,
            (Self::Line, Self::Line) => Self::Line,
            (Self::Polygon, Self::Polygon) => Self::Polygon,
            (Self::Point | Self::MultiPoint, Self::Point | Self::MultiPoint) => Self::MultiPoint,
            (Self::Line | Self::MultiLine, Self::Line | Self::MultiLine) => Self::MultiLine,
            (Self::Polygon | Self::MultiPolygon, Self::Polygon | Self::MultiPolygon) => Self::MultiPolygon,
            _ => Self::Mixed,
        }
    }

    pub(super) const fn ogr_type(self) -> OGRwkbGeometryType::Type {
        match self {
            Self::Point => OGRwkbGeometryType::wkbPoint,
            Self::MultiPoint => OGRwkbGeometryType::wkbMultiPoint,
            Self::Line => OGRwkbGeometryType::wkbLineString,
            Self::MultiLine => OGRwkbGeometryType::wkbMultiLineString,
            Self::Polygon => OGRwkbGeometryType::wkbPolygon,
            Self::MultiPolygon => OGRwkbGeometryType::wkbMultiPolygon,
            Self::Mixed => OGRwkbGeometryType::wkbUnknown,
        }
    }

    /// The geometry as this kind.
    pub(super) fn fit(self, geometry: &Geometry<f64>) -> Cow<'_, Geometry<f64>> {
        let owned = match (self, geometry) {
            (Self::MultiPoint, Geometry::Point(point)) => MultiPoint(vec![*point]).into(),
            (Self::MultiLine, Geometry::Line(line)) => MultiLineString(vec![(*line).into()]).into(),
            (Self::MultiLine, Geometry::LineString(line)) => MultiLineString(vec![line.clone()]).into(),
            (Self::MultiPolygon, Geometry::Polygon(polygon)) => MultiPolygon(vec![polygon.clone()]).into(),
            (Self::MultiPolygon, Geometry::Rect(rect)) => MultiPolygon(vec![rect.to_polygon()]).into(),
            (Self::MultiPolygon, Geometry::Triangle(triangle)) => {
                MultiPolygon(vec![triangle.to_polygon()]).into()
            }
            (_, Geometry::Rect(rect)) => rect.to_polygon().into(),
            (_, Geometry::Triangle(triangle)) => triangle.to_polygon().into(),
            _ => return Cow::Borrowed(geometry),
        };
        Cow::Owned(owned)
    }
}

/// C strings end at a NUL, which a text from a file may hold.
pub(super) fn without_nul(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { Cow::Owned(text.replace('\0', "\u{FFFD}")) } else { Cow::Borrowed(text) }
}

fn json<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
