//! What leaves this crate is read back here by others: serde_json, csv, GDAL and QGIS.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "in a test a panic is the report")]

mod beside;
mod drawing;
mod failures;
mod fixtures;
mod geojson;
mod kml;
mod maplibre;
mod meridian;
mod pmtiles;
mod tables;
mod whole;

#[cfg(feature = "gdal")]
mod cog;
#[cfg(feature = "gdal")]
mod geopackage;
#[cfg(feature = "parquet")]
mod geoparquet;
#[cfg(feature = "gdal")]
mod qgis;
#[cfg(feature = "gdal")]
mod shapefile;
