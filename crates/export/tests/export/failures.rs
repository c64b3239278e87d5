//! Disks that are full, folders that cannot be written, in every format.

use std::fs;
use std::path::Path;
use std::process::Command;

use brasa_export::{Format, Imprint, Staged, draw_layer, write_drawing, write_layer};
use brasa_model::{Blame, Diagnose};
use geo::point;
use tempfile::tempdir;

use crate::fixtures::{layer, layer_of};

/// Every format of layers that this build writes, with its ending.
fn formats() -> Vec<(Format, &'static str)> {
    [
        (Format::GeoJson, "geojson"),
        (Format::GeoJsonSeq, "geojsonl"),
        (Format::Kml, "kml"),
        (Format::Csv, "csv"),
        (Format::GeoParquet, "parquet"),
        (Format::GeoPackage, "gpkg"),
        (Format::FlatGeobuf, "fgb"),
        (Format::Shapefile, "shp"),
        (Format::PmTiles, "pmtiles"),
    ]
    .into_iter()
    .filter(|(format, _)| format.is_supported())
    .collect()
}

#[test]
fn a_full_device_is_an_error() {
    // The drivers of GDAL do not write into devices.
    for (format, _) in formats().into_iter().filter(|(format, _)| format.needs() != Some("gdal")) {
        let error = write_layer(&layer(), Path::new("/dev/full"), format).unwrap_err();
        assert_eq!((error.code(), error.blame()), ("disk_full", Blame::Io), "{format}");
    }
    assert!(!Path::new("/dev/full.csvt").exists());
}

#[test]
fn no_features_are_a_file_in_every_format() {
    let dir = tempdir().unwrap();
    for (format, ending) in formats() {
        let path = dir.path().join(format!("a.{ending}"));
        write_layer(&layer_of(Vec::new()), &path, format).unwrap();
        assert!(path.exists(), "{format}");
        fs::remove_file(path.with_extension("prj")).ok();
    }
}

fn run(program: &str, arguments: &[&str], at: &Path) -> bool {
    Command::new(program).args(arguments).arg(at).output().is_ok_and(|done| done.status.success())
}

/// Mounts a file system of one mebibyte where the test may (in a container without that right it proves nothing).
#[test]
fn a_disk_that_fills_up_leaves_what_was_there() {
    let dir = tempdir().unwrap();
    if !run("mount", &["-t", "tmpfs", "-o", "size=1m", "tmpfs"], dir.path()) {
        println!("skipped: no right to mount");
        return;
    }
    // Places without a pattern, which no format packs into a mebibyte.
    let place = |at: u32| {
        let part = |step: f64| (f64::from(at) * step).fract() * 100_000.0;
        point!(x: 231_000.0 + part(0.618_033_988_749_894_9), y: 3_893_000.0 + part(0.754_877_666_246_692_7))
            .into()
    };
    let many = layer_of((0..60_000).map(place).collect());
    let mut said = Vec::new();
    for (format, ending) in formats() {
        let target = dir.path().join(format!("a.{ending}"));
        fs::write(&target, "old").unwrap();
        let mut staged = Staged::file(&target, true).unwrap();
        let waiting = staged.path_for("", format).unwrap();
        let failed = write_layer(&many, &waiting, format).map_err(|error| error.code());
        drop(staged);
        let left = fs::read_dir(dir.path()).unwrap().count();
        said.push((format, failed, fs::read(&target).unwrap() == b"old", left));
        fs::remove_file(&target).unwrap();
    }
    assert!(run("umount", &[], dir.path()));
    for (format, failed, kept, left) in said {
        assert_eq!((failed, kept, left), (Err("disk_full"), true, 1), "{format}");
    }
}

/// Pictures are small: all of the disk is taken.
#[test]
fn a_full_disk_stops_drawings_too() {
    let dir = tempdir().unwrap();
    if !run("mount", &["-t", "tmpfs", "-o", "size=1m", "tmpfs"], dir.path()) {
        println!("skipped: no right to mount");
        return;
    }
    fs::write(dir.path().join("filler"), vec![1; 1 << 20]).unwrap();
    let drawing = draw_layer(&layer(), Imprint::PLAIN).unwrap();
    let mut said = Vec::new();
    for (format, ending) in [(Format::Svg, "svg"), (Format::Png, "png"), (Format::Pdf, "pdf")] {
        let target = dir.path().join(format!("a.{ending}"));
        let mut staged = Staged::file(&target, false).unwrap();
        let waiting = staged.path_for("", format).unwrap();
        let failed = write_drawing(&drawing, &waiting, format).map_err(|error| error.code());
        drop(staged);
        said.push((format, failed, fs::read_dir(dir.path()).unwrap().count()));
    }
    assert!(run("umount", &[], dir.path()));
    for (format, failed, left) in said {
        assert_eq!((failed, left), (Err("disk_full"), 1), "{format}");
    }
}

#[test]
fn a_folder_or_a_link_in_the_place_of_a_companion_is_refused() {
    let dir = tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    fs::create_dir(at("a.csvt")).unwrap();
    fs::write(at("elsewhere"), "").unwrap();
    std::os::unix::fs::symlink(at("elsewhere"), at("b.prj")).unwrap();
    fs::create_dir(at("c.style.json")).unwrap();
    for (name, format, code) in [
        ("a.csv", Format::Csv, "output_is_directory"),
        ("b.csv", Format::Csv, "output_not_a_file"),
        ("c.pmtiles", Format::PmTiles, "output_is_directory"),
        ("c.geojson", Format::GeoJson, "output_is_directory"),
    ] {
        let mut staged = Staged::file(&at(name), true).unwrap();
        assert_eq!(staged.path_for("", format).unwrap_err().code(), code, "{name}");
    }
}
