//! Layers and surfaces to files people open.
//!
//! A [`Layer`] or a [`Surface`] goes in, a file comes out that QGIS, a browser, a spreadsheet or a notebook opens.
//! This crate knows nothing of how the answer was found. What it promises:
//!
//! - **A file is whole or absent.** Everything is written through [`Staged`]: beside its target, then renamed.
//! - **Same input, same bytes**, on any number of threads. No clock is read.
//! - **What was guessed is in the file**: notes and provenance travel inside every format that can hold them.
//!
//! | ending | holds | reference system | notes and provenance |
//! | --- | --- | --- | --- |
//! | `.geojson`, `.json` | a layer, RFC 7946 | longitude and latitude | in the file |
//! | `.geojsonl`, `.geojsons` | a layer, one feature per line | longitude and latitude | no room |
//! | `.gpkg` | one or several layers | the layer's own | in the file |
//! | `.fgb` | a layer | the layer's own | no room |
//! | `.csv`, `.json`, `.svg`, `.png`, `.pdf` | a curve: a table, an object, a picture | none | in `.json`, `.svg` and `.pdf` |
//! | `.shp` with `.shx`, `.dbf`, `.prj`, `.cpg`, `.fields.csv` | a layer of one kind of geometry | the layer's own | no room; what became of names and values is in `.fields.csv` |
//! | `.kml` | a layer | longitude and latitude | in the file |
//! | `.pmtiles` | a layer in vector tiles, thinned out at coarse zooms | web Mercator | in the file |
//! | `.svg`, `.png`, `.pdf` | a drawing: of a briefing, a layer, a surface, a curve | the layer's own | in `.svg`, and attached to `.pdf` |
//! | `.parquet`, `.geoparquet` | a layer, GeoParquet 1.1 | longitude and latitude | in the file |
//! | `.csv` with `.csvt`, `.prj`, `.datapackage.json` | a layer (`lon,lat` of a place inside each feature), surfaces (`x,y` and a column each, such as `intensity`) or a series (`x,y,start,end,intensity`) | see left | in `.datapackage.json` |
//! | `.tif`, `.tiff` | surfaces, or a series with a band per slice: cloud-optimised GeoTIFF | the surface's own | in the file |
//!
//! `.gpkg`, `.fgb`, `.shp` and `.tif` go through GDAL and need the cargo feature `gdal`; `.parquet` needs `parquet`.

mod beside;
mod check;
mod curve;
mod error;
mod escape;
mod format;
mod geojson;
mod inspection_page;
mod json;
mod kml;
mod lang;
mod lonlat;
mod maplibre;
mod page;
mod picture;
mod plan;
mod pmtiles;
mod qgis;
mod sink;
pub mod style;
mod tables;
mod whole;

#[cfg(feature = "gdal")]
mod drivers;
#[cfg(feature = "parquet")]
mod geoparquet;

use std::path::Path;

use brasa_model::{Briefing, Crs, Layer, PlanBriefing, Surface, SurfaceSeries};

pub use curve::write_curve;
pub use error::ExportError;
pub use format::{CurveFormat, Format, curve_format_of, format_of};
pub use inspection_page::{InspectionFormat, inspection_format_of, write_inspection};
pub use json::write_json;
pub use lang::{Imprint, Lang, LangError};
pub use page::{plan_report, report, write_plan_report, write_report};
pub use plan::{calendar_name, write_calendar, write_plan, write_routes, write_sheets, write_visits};
pub use qgis::{Companions, apart, write_plan_project, write_project};
pub use sink::write_text;
pub use tables::{write_labels, write_rejects};
pub use whole::{OutputRecord, Staged};

/// Writes one layer. GeoJSON and CSV hold longitude and latitude, the others the layer's own system. A GeoPackage speaks English;
/// [`write_gpkg`] knows other languages.
pub fn write_layer(layer: &Layer, path: &Path, format: Format) -> Result<(), ExportError> {
    check::layers(&[layer])?;
    match format {
        Format::GeoJson => geojson::write(layer, path),
        Format::GeoJsonSeq => geojson::write_lines(layer, path),
        Format::Csv => tables::write_layer(layer, path).and_then(|()| beside::of_layer(layer, path)),
        Format::Kml => kml::write(layer, path),
        Format::PmTiles => pmtiles::write(layer, path),
        Format::GeoParquet => write_parquet(layer, path),
        Format::Shapefile => write_shp(layer, path),
        Format::GeoPackage => write_gpkg(&[layer], Imprint::PLAIN, path),
        Format::FlatGeobuf => write_fgb(layer, path),
        Format::GeoTiff | Format::Svg | Format::Png | Format::Pdf => {
            Err(ExportError::FormatUnsuitable { format, what: "a layer of features" })
        }
    }
}

/// Writes several layers into one GeoPackage, in one transaction, each with its style and its record for QGIS.
#[cfg(feature = "gdal")]
pub fn write_gpkg(layers: &[&Layer], imprint: Imprint<'_>, path: &Path) -> Result<(), ExportError> {
    check::layers(layers)?;
    drivers::vector::write_gpkg(layers, imprint, path)
}

/// Writes several layers into one GeoPackage: refused, since this build has no GDAL.
#[cfg(not(feature = "gdal"))]
pub fn write_gpkg(_: &[&Layer], _: Imprint<'_>, _: &Path) -> Result<(), ExportError> {
    Err(ExportError::NotBuilt(Format::GeoPackage))
}

#[cfg(feature = "gdal")]
fn write_fgb(layer: &Layer, path: &Path) -> Result<(), ExportError> {
    drivers::vector::write_fgb(layer, path)
}

#[cfg(not(feature = "gdal"))]
fn write_fgb(_: &Layer, _: &Path) -> Result<(), ExportError> {
    Err(ExportError::NotBuilt(Format::FlatGeobuf))
}

#[cfg(feature = "gdal")]
fn write_shp(layer: &Layer, path: &Path) -> Result<(), ExportError> {
    drivers::shapefile::write(layer, path)
}

#[cfg(not(feature = "gdal"))]
fn write_shp(_: &Layer, _: &Path) -> Result<(), ExportError> {
    Err(ExportError::NotBuilt(Format::Shapefile))
}

#[cfg(feature = "parquet")]
fn write_parquet(layer: &Layer, path: &Path) -> Result<(), ExportError> {
    geoparquet::write(layer, path)
}

#[cfg(not(feature = "parquet"))]
fn write_parquet(_: &Layer, _: &Path) -> Result<(), ExportError> {
    Err(ExportError::NotBuilt(Format::GeoParquet))
}

/// Writes a surface: as a cloud-optimised GeoTIFF, or as a table of the centres of the cells inside the window
/// (`x,y,intensity`, in the metres of `crs` and the surface's unit).
pub fn write_surface(surface: &Surface, crs: &Crs, path: &Path, format: Format) -> Result<(), ExportError> {
    write_surfaces(&[("intensity", surface)], crs, path, format)
}

/// Writes several surfaces of one grid, each with its name: as the bands of a cloud-optimised GeoTIFF, or as the columns
/// of a table beside `x,y`. What is said about how they were made is taken from the first.
pub fn write_surfaces(
    surfaces: &[(&'static str, &Surface)],
    crs: &Crs,
    path: &Path,
    format: Format,
) -> Result<(), ExportError> {
    check::surfaces(surfaces)?;
    match format {
        Format::Csv => {
            tables::write_surfaces(surfaces, path).and_then(|()| beside::of_surfaces(surfaces, crs, path))
        }
        Format::GeoTiff => write_cog(surfaces, crs, path),
        _ => Err(ExportError::FormatUnsuitable { format, what: "a surface" }),
    }
}

#[cfg(feature = "gdal")]
fn write_cog(surfaces: &[(&'static str, &Surface)], crs: &Crs, path: &Path) -> Result<(), ExportError> {
    drivers::cog::write(surfaces, crs, path)
}

#[cfg(not(feature = "gdal"))]
fn write_cog(_: &[(&'static str, &Surface)], _: &Crs, _: &Path) -> Result<(), ExportError> {
    Err(ExportError::NotBuilt(Format::GeoTiff))
}

/// Writes a series of surfaces: as a cloud-optimised GeoTIFF with one band per slice, or as a table of the cells above
/// zero (`x,y,start,end,intensity`, in the metres of `crs`, local civil time and the series' unit).
pub fn write_series(
    series: &SurfaceSeries,
    crs: &Crs,
    path: &Path,
    format: Format,
) -> Result<(), ExportError> {
    check::series(series)?;
    match format {
        Format::Csv => tables::write_series(series, path).and_then(|()| beside::of_series(series, crs, path)),
        Format::GeoTiff => write_bands(series, crs, path),
        _ => Err(ExportError::FormatUnsuitable { format, what: "a surface" }),
    }
}

#[cfg(feature = "gdal")]
fn write_bands(series: &SurfaceSeries, crs: &Crs, path: &Path) -> Result<(), ExportError> {
    drivers::cog::write_series(series, crs, path)
}

#[cfg(not(feature = "gdal"))]
fn write_bands(_: &SurfaceSeries, _: &Crs, _: &Path) -> Result<(), ExportError> {
    Err(ExportError::NotBuilt(Format::GeoTiff))
}

/// Draws a briefing as one sheet in A4 landscape: the map with legend, table, trend, sources and caveat.
pub fn draw_briefing(briefing: &Briefing, lang: Lang) -> String {
    picture::map::of_briefing(briefing, lang)
}

/// Draws a plan as such a sheet: its layers upon the study area, and what is listed in a table.
pub fn draw_plan(briefing: &PlanBriefing, lang: Lang) -> String {
    picture::map::of_plan(briefing, lang)
}

/// Draws a layer as such a sheet, in the colours of its classes.
pub fn draw_layer(layer: &Layer, imprint: Imprint<'_>) -> Result<String, ExportError> {
    check::layers(&[layer])?;
    Ok(picture::map::of_layer(layer, imprint))
}

/// Draws a surface as such a sheet.
pub fn draw_surface(
    surface: &Surface,
    title: &str,
    crs: &Crs,
    imprint: Imprint<'_>,
) -> Result<String, ExportError> {
    check::surfaces(&[("intensity", surface)])?;
    Ok(picture::map::of_surface(surface, (title, &crs.to_string()), imprint))
}

/// Writes a drawing: as it is, as PNG with two pixels to each of its units, or as a page of PDF.
pub fn write_drawing(svg: &str, path: &Path, format: Format) -> Result<(), ExportError> {
    match format {
        Format::Svg => write_text(svg, path),
        Format::Png => picture::write_png(svg, path),
        Format::Pdf => picture::write_pdf(svg, path),
        _ => Err(ExportError::FormatUnsuitable { format, what: "a drawing" }),
    }
}
