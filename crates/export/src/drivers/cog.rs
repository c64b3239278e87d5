//! Surfaces of one grid as the bands of a cloud-optimised GeoTIFF: one, several by name, or one per slice of time.
//!
//! Row 0 of a [`Surface`] lies in the south, row 0 of a raster in the north. Statistics stand in the file, so that
//! QGIS needs not write its own beside it; they describe the values as written, in single precision.

use std::path::Path;

use brasa_model::{Crs, Grid, Note, Provenance, Surface, SurfaceSeries};
use gdal::cpl::CslStringList;
use gdal::errors::Result;
use gdal::raster::Buffer;
use gdal::{Dataset, DriverManager, Metadata};

use crate::ExportError;
use crate::drivers::{session, spatial_ref};

/// What a cell outside the window holds.
const NO_DATA: f32 = -9999.0;

/// The rows handed to GDAL at once hold about this many cells.
const CELLS_AT_ONCE: usize = 1 << 20;

/// What a raster is made of.
struct Raster<'a> {
    grid: &'a Grid,
    provenance: &'a Provenance,
    notes: &'a [Note],
    crs: &'a Crs,
    /// What each band is called, and its unit.
    bands: Vec<(String, &'a str)>,
}

/// Writes surfaces of one grid.
pub(crate) fn write(
    surfaces: &[(&'static str, &Surface)],
    crs: &Crs,
    path: &Path,
) -> std::result::Result<(), ExportError> {
    let Some((_, first)) = surfaces.first() else { return Ok(()) };
    // A lone band is called by what it holds, one among several by its name.
    let called = |(name, surface): &(&'static str, &Surface)| {
        if surfaces.len() == 1 { describe(&surface.unit) } else { (*name).to_owned() }
    };
    let raster = Raster {
        grid: &first.grid,
        provenance: &first.provenance,
        notes: &first.notes,
        crs,
        bands: surfaces.iter().map(|band| (called(band), band.1.unit.as_str())).collect(),
    };
    write_raster(&raster, path, |band, cell| surfaces[band].1.value(cell))
}

/// Writes a series: a band is called by the ISO 8601 interval of its slice, in local civil time.
pub(crate) fn write_series(
    series: &SurfaceSeries,
    crs: &Crs,
    path: &Path,
) -> std::result::Result<(), ExportError> {
    let raster = Raster {
        grid: &series.grid,
        provenance: &series.provenance,
        notes: &series.notes,
        crs,
        bands: series
            .frames
            .iter()
            .map(|frame| (format!("{}/{}", frame.start, frame.end), series.unit.as_str()))
            .collect(),
    };
    write_raster(&raster, path, |frame, cell| series.value(frame, cell))
}

fn write_raster(
    raster: &Raster<'_>,
    path: &Path,
    value: impl Fn(usize, usize) -> f64,
) -> std::result::Result<(), ExportError> {
    // A block holds every band of its cells: with many bands it is smaller, so that a reader of one need not unpack a city.
    let block = if raster.bands.len() > 8 { "128" } else { "512" };
    // Level 1 writes twice as fast as the usual 6 and 6 % more. The overviews wait in a file of their own until they are
    // copied, and need not be packed for that.
    let settings = [("GDAL_PAM_ENABLED", "NO"), ("COG_TMP_COMPRESSION", "NONE")];
    session(path, &settings, || {
        let memory = in_memory(raster, value)?;
        let mut options = CslStringList::new();
        for (name, value) in [
            ("COMPRESS", "DEFLATE"),
            ("LEVEL", "1"),
            ("PREDICTOR", "YES"),
            ("BLOCKSIZE", block),
            ("OVERVIEWS", "AUTO"),
            ("OVERVIEW_RESAMPLING", "AVERAGE"),
            ("BIGTIFF", "IF_SAFER"),
            ("NUM_THREADS", "ALL_CPUS"),
        ] {
            options.add_name_value(name, value)?;
        }
        let driver = DriverManager::get_driver_by_name("COG")?;
        memory.create_copy(&driver, path, &options)?.close()
    })
}

/// The raster in memory, north up, with everything that describes it.
fn in_memory(raster: &Raster<'_>, value: impl Fn(usize, usize) -> f64) -> Result<Dataset> {
    let grid = raster.grid;
    let (nx, ny) = (grid.nx(), grid.ny());
    let driver = DriverManager::get_driver_by_name("MEM")?;
    let mut memory = driver.create_with_band_type::<f32, _>("", nx, ny, raster.bands.len())?;
    let (bounds, width, height) = (grid.bounds(), grid.cell().get(), grid.cell_height().get());
    memory.set_geo_transform(&[bounds.min().x, width, 0.0, bounds.max().y, 0.0, -height])?;
    memory.set_spatial_ref(&spatial_ref(raster.crs)?)?;
    let provenance = raster.provenance;
    for (key, value) in [
        ("TIFFTAG_SOFTWARE", format!("{} {}", provenance.tool, provenance.version)),
        (
            "TIFFTAG_IMAGEDESCRIPTION",
            format!(
                "{} ({})",
                raster.bands.first().map_or(String::new(), |(_, unit)| describe(unit)),
                provenance.method
            ),
        ),
        ("BRASA_PROVENANCE", serde_json::to_string(provenance).unwrap_or_default()),
        ("BRASA_NOTES", serde_json::to_string(raster.notes).unwrap_or_default()),
    ] {
        memory.set_metadata_item(key, &value, "")?;
    }

    let rows_at_once = (CELLS_AT_ONCE / nx).clamp(1, ny);
    for (number, (description, unit)) in raster.bands.iter().enumerate() {
        let mut band = memory.rasterband(number + 1)?;
        band.set_no_data_value(Some(f64::from(NO_DATA)))?;
        band.set_description(description)?;
        band.set_metadata_item("UNITS", unit, "")?;
        let mut statistics = Statistics::default();
        for top in (0..ny).step_by(rows_at_once) {
            let rows = rows_at_once.min(ny - top);
            let mut values = Vec::with_capacity(rows * nx);
            for row in (top..top + rows).map(|from_north| ny - 1 - from_north) {
                for cell in row * nx..(row + 1) * nx {
                    let value = value(number, cell) as f32;
                    let known = grid.is_inside(cell) && value.is_finite();
                    values.push(if known { value } else { NO_DATA });
                    if known {
                        statistics.add(f64::from(value));
                    }
                }
            }
            band.write((0, top as isize), (nx, rows), &mut Buffer::new((nx, rows), values))?;
        }
        for (key, value) in statistics.items(nx * ny) {
            band.set_metadata_item(key, &value, "")?;
        }
    }
    Ok(memory)
}

/// `incidents/km²/year` as a phrase: `Incidents per km² per year`.
fn describe(unit: &str) -> String {
    let phrase = unit.split('/').map(str::trim).collect::<Vec<_>>().join(" per ");
    let mut letters = phrase.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// Running statistics of the cells (B. P. Welford, Technometrics 4, 1962, 419–420: mean and sum of squares are
/// corrected value by value, which stays exact where the plain sum of squares cancels).
struct Statistics {
    count: u64,
    minimum: f64,
    maximum: f64,
    mean: f64,
    squares: f64,
}

impl Default for Statistics {
    fn default() -> Self {
        Self { count: 0, minimum: f64::INFINITY, maximum: f64::NEG_INFINITY, mean: 0.0, squares: 0.0 }
    }
}

impl Statistics {
    fn add(&mut self, value: f64) {
        self.count += 1;
        self.minimum = self.minimum.min(value);
        self.maximum = self.maximum.max(value);
        let step = value - self.mean;
        self.mean += step / self.count as f64;
        self.squares += step * (value - self.mean);
    }

    /// The items GDAL and QGIS look for; none where no cell has a value.
    fn items(&self, cells: usize) -> Vec<(&'static str, String)> {
        if self.count == 0 {
            return Vec::new();
        }
        let count = self.count as f64;
        vec![
            ("STATISTICS_MINIMUM", self.minimum.to_string()),
            ("STATISTICS_MAXIMUM", self.maximum.to_string()),
            ("STATISTICS_MEAN", self.mean.to_string()),
            ("STATISTICS_STDDEV", (self.squares / count).sqrt().to_string()),
            ("STATISTICS_VALID_PERCENT", format!("{:.4}", 100.0 * count / cells as f64)),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_reads_as_a_phrase() {
        assert_eq!(describe("incidents/km²/year"), "Incidents per km² per year");
        assert_eq!(describe("incidents/km²"), "Incidents per km²");
        assert_eq!(describe(""), "");
    }

    #[test]
    fn statistics_survive_a_large_offset() {
        let mut statistics = Statistics::default();
        for value in [1e9 + 4.0, 1e9 + 7.0, 1e9 + 13.0, 1e9 + 16.0] {
            statistics.add(value);
        }
        assert_eq!(statistics.items(8)[3], ("STATISTICS_STDDEV", "4.743416490252569".to_owned()));
        assert_eq!(statistics.items(8)[4], ("STATISTICS_VALID_PERCENT", "50.0000".to_owned()));
    }
}
