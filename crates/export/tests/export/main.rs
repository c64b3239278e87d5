//! What leaves this crate is read back here by others: serde_json, csv, GDAL and QGIS.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "in a test a panic is the report")]

mod fixtures;
mod geojson;
mod tables;
mod whole;

#[cfg(feature = "gdal")]
mod cog;
#[cfg(feature = "gdal")]
mod geopackage;
#[cfg(feature = "gdal")]
mod qgis;
