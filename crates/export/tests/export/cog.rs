use std::fs;
use std::path::Path;

use brasa_export::{Format, write_series, write_surface};
use brasa_model::{Blame, Diagnose, Surface};
use gdal::{Dataset, Metadata};
use tempfile::tempdir;

use crate::fixtures::{crs, series, surface};

fn write(surface: &Surface, path: &Path) {
    write_surface(surface, &crs(), path, Format::GeoTiff).unwrap();
}

#[test]
fn a_raster_holds_what_the_surface_held_north_up() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("density.tif");
    let surface = surface(1_300, 700);
    write(&surface, &path);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "nothing is left beside it");

    let raster = Dataset::open(&path).unwrap();
    let grid = &surface.grid;
    assert_eq!(raster.raster_size(), (grid.nx(), grid.ny()));
    assert_eq!(raster.spatial_ref().unwrap().auth_code().unwrap(), 32_616);
    assert_eq!(raster.metadata_item("LAYOUT", "IMAGE_STRUCTURE").unwrap(), "COG");
    assert_eq!(
        raster.metadata_item("TIFFTAG_SOFTWARE", "").unwrap(),
        concat!("brasa ", env!("CARGO_PKG_VERSION"))
    );
    let provenance: brasa_model::Provenance =
        serde_json::from_str(&raster.metadata_item("BRASA_PROVENANCE", "").unwrap()).unwrap();
    assert_eq!(provenance, surface.provenance);
    let band = raster.rasterband(1).unwrap();
    assert_eq!(band.description().unwrap(), "Incidents per km² per year");
    assert_eq!(band.no_data_value(), Some(-9999.0));
    assert_eq!(band.block_size(), (512, 512));
    assert_eq!(band.overview_count().unwrap(), 2);

    let values = band.read_band_as::<f32>().unwrap();
    let [west, width, _, north, _, height] = raster.geo_transform().unwrap();
    let mut inside = Vec::new();
    for row in 0..grid.ny() {
        for column in 0..grid.nx() {
            let x = west + (column as f64 + 0.5) * width;
            let y = north + (row as f64 + 0.5) * height;
            let cell = grid.cell_at(x, y).unwrap();
            let found = values[(row, column)];
            if grid.is_inside(cell) {
                assert_eq!(found, surface.value(cell) as f32, "{x} {y}");
                inside.push(f64::from(found));
            } else {
                assert_eq!(found, -9999.0, "{x} {y}");
            }
        }
    }
    let statistic = |name: &str| band.metadata_item(name, "").unwrap().parse::<f64>().unwrap();
    let mean = inside.iter().sum::<f64>() / inside.len() as f64;
    let variance = inside.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / inside.len() as f64;
    assert_eq!(statistic("STATISTICS_MAXIMUM"), inside.iter().copied().fold(0.0, f64::max));
    assert_eq!(statistic("STATISTICS_MINIMUM"), inside.iter().copied().fold(f64::INFINITY, f64::min));
    // Two ways of adding up a million doubles of up to 7e5 agree to about eleven digits.
    assert!((statistic("STATISTICS_MEAN") / mean - 1.0).abs() < 1e-10);
    assert!((statistic("STATISTICS_STDDEV") / variance.sqrt() - 1.0).abs() < 1e-10);
}

#[test]
fn a_series_is_a_band_per_slice_called_by_its_time() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("slices.tif");
    let series = series(300, 200);
    write_series(&series, &crs(), &path, Format::GeoTiff).unwrap();
    let raster = Dataset::open(&path).unwrap();
    assert_eq!(raster.raster_count(), 3);
    assert_eq!(raster.metadata_item("LAYOUT", "IMAGE_STRUCTURE").unwrap(), "COG");
    let [west, width, _, north, _, height] = raster.geo_transform().unwrap();
    for frame in 0..3 {
        let band = raster.rasterband(frame + 1).unwrap();
        let day = frame + 1;
        assert_eq!(
            band.description().unwrap(),
            format!("2019-03-{day:02}T00:00:00/2019-03-{:02}T00:00:00", day + 1)
        );
        assert_eq!(band.no_data_value(), Some(-9999.0));
        let values = band.read_band_as::<f32>().unwrap();
        let mut highest = 0.0_f64;
        for row in 0..series.grid.ny() {
            for column in 0..series.grid.nx() {
                let (x, y) = (west + (column as f64 + 0.5) * width, north + (row as f64 + 0.5) * height);
                let cell = series.grid.cell_at(x, y).unwrap();
                let inside = series.grid.is_inside(cell);
                let wanted = if inside { series.value(frame, cell) as f32 } else { -9999.0 };
                assert_eq!(values[(row, column)], wanted, "{frame} {x} {y}");
                highest = highest.max(f64::from(wanted));
            }
        }
        let maximum = band.metadata_item("STATISTICS_MAXIMUM", "").unwrap();
        assert_eq!(maximum.parse::<f64>().unwrap(), highest, "each band has statistics of its own");
    }
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "nothing is left beside it");
}

#[test]
fn a_series_without_a_slice_is_our_bug() {
    let mut series = series(10, 10);
    series.frames.clear();
    let error = write_series(&series, &crs(), Path::new("/nowhere/a.tif"), Format::GeoTiff).unwrap_err();
    assert_eq!((error.code(), error.blame()), ("answer_inconsistent", Blame::Bug));
}

#[test]
fn a_raster_of_one_cell_is_a_raster() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("density.tif");
    write(&surface(1, 1), &path);
    assert_eq!(Dataset::open(&path).unwrap().raster_size(), (1, 1));
}

#[test]
fn the_same_surface_has_the_same_bytes() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("density.tif");
    let surface = surface(2_000, 1_500);
    write(&surface, &path);
    let first = fs::read(&path).unwrap();
    for _ in 0..4 {
        fs::remove_file(&path).unwrap();
        write(&surface, &path);
        assert!(fs::read(&path).unwrap() == first);
    }
}

#[test]
fn a_full_disk_is_an_error() {
    let error =
        write_surface(&surface(100, 100), &crs(), Path::new("/dev/full"), Format::GeoTiff).unwrap_err();
    assert_eq!(error.blame(), Blame::Io, "{error}");
}

#[test]
fn a_surface_with_the_wrong_number_of_values_is_our_bug() {
    let mut surface = surface(10, 10);
    surface.values = ndarray::Array2::zeros((9, 10));
    let error = write_surface(&surface, &crs(), Path::new("/nowhere/a.tif"), Format::GeoTiff).unwrap_err();
    assert_eq!((error.code(), error.blame()), ("answer_inconsistent", Blame::Bug));
}
