//! How long files take to write, and how large they are.
//!
//!     cargo bench -p brasa-tests --bench export [-- FEATURES [SIDE]]
//!
//! A million points, a million squares and a raster of 4096 x 4096 cells unless told otherwise. One JSON line per file: CPU
//! seconds (all threads, least of five), wall seconds (median), megabytes and megabytes per CPU second. The file is written
//! to the disk of the temporary folder and is not synced.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench prints, and stops where it cannot go on"
)]

#[path = "common/clock.rs"]
mod clock;

use std::path::Path;

use brasa_export::{Format, write_layer, write_surface};
use brasa_model::{
    Column, ColumnKind, Crs, Feature, Grid, Layer, Provenance, Scale, Style, Surface, Value, Window,
    WindowOrigin,
};
use clock::measured;
use geo::{Geometry, MultiPolygon, Rect, point};

fn main() {
    let mut args = std::env::args().skip(1).filter(|arg| arg != "--bench").map(|arg| arg.parse().unwrap());
    let (count, side) = (args.next().unwrap_or(1_000_000), args.next().unwrap_or(4096));
    let dir = tempfile::tempdir().unwrap();
    let points = layer(count, |x, y| point!(x: x, y: y).into());
    let squares = layer(count, |x, y| Rect::new((x, y), (x + 100.0, y + 100.0)).to_polygon().into());
    for (format, name) in [
        (Format::GeoJson, "a.geojson"),
        (Format::GeoJsonSeq, "a.geojsonl"),
        (Format::Csv, "a.csv"),
        (Format::Kml, "a.kml"),
        (Format::GeoParquet, "a.parquet"),
        (Format::FlatGeobuf, "a.fgb"),
        (Format::GeoPackage, "a.gpkg"),
        (Format::Shapefile, "a.shp"),
    ] {
        for (what, layer) in [("points", &points), ("squares", &squares)] {
            let path = dir.path().join(name);
            report(format, what, count, &path, || {
                // Drivers add to what is there.
                std::fs::remove_file(&path).ok();
                write_layer(layer, &path, format).unwrap();
            });
            for entry in std::fs::read_dir(dir.path()).unwrap() {
                std::fs::remove_file(entry.unwrap().path()).unwrap();
            }
        }
    }
    let surface = surface(side);
    let path = dir.path().join("a.tif");
    let crs = Crs::from_epsg(32_616).unwrap();
    report(Format::GeoTiff, "cells", side * side, &path, || {
        write_surface(&surface, &crs, &path, Format::GeoTiff).unwrap();
    });
}

fn report(format: Format, what: &str, count: usize, path: &Path, work: impl Fn()) {
    let (cpu, wall, ()) = measured(work);
    let megabytes = std::fs::metadata(path).unwrap().len() as f64 / 1e6;
    let rate = megabytes / cpu;
    println!(
        "{{\"format\": \"{format}\", \"what\": \"{what}\", \"count\": {count}, \"cpu_s\": {cpu:.3}, \"wall_s\": {wall:.3}, \"mb\": {megabytes:.1}, \"mb_per_cpu_s\": {rate:.0}}}"
    );
}

/// Features without a pattern over a city of 100 km, with the columns of zones.
fn layer(count: usize, geometry: impl Fn(f64, f64) -> Geometry<f64>) -> Layer {
    let feature = |at: usize| {
        let part = |step: f64| (at as f64 * step).fract();
        let (a, b) = (part(0.618_033_988_749_894_9), part(0.754_877_666_246_692_7));
        let class = if at.is_multiple_of(7) { "hot" } else { "not significant" };
        Feature {
            id: at as i64 + 1,
            geometry: geometry(231_000.0 + a * 100_000.0, 3_893_000.0 + b * 100_000.0),
            values: vec![
                Value::Integer((at % 97) as i64),
                Value::Real(a * 12.0 - 3.0),
                Value::Real(b),
                Value::Text(class.to_owned()),
            ],
        }
    };
    Layer {
        name: "zones".to_owned(),
        title: "Zones".to_owned(),
        description: "A bench.".to_owned(),
        crs: Crs::from_epsg(32_616).unwrap(),
        columns: vec![
            Column::new("count", "Incidents", "incidents", ColumnKind::Integer),
            Column::new("z", "z-score", "standard deviations", ColumnKind::Real),
            Column::new("q", "q", "", ColumnKind::Real),
            Column::new("class", "Verdict", "", ColumnKind::Text),
        ],
        features: (0..count).map(feature).collect(),
        style: Style::number("z", Scale::Sequential),
        period: None,
        provenance: Provenance::new("gi-star", serde_json::json!({})),
        notes: Vec::new(),
    }
}

/// A hundred hills of unlike height: smooth, positive, nowhere constant.
fn surface(side: usize) -> Surface {
    let box_ = Rect::new((231_000.0, 3_893_000.0), (331_000.0, 3_993_000.0)).to_polygon();
    let window = Window::new(MultiPolygon::new(vec![box_]), WindowOrigin::Given("box".to_owned())).unwrap();
    let grid = Grid::spanning(&window, side, side).unwrap();
    let wave = |at: usize, length: f64| (at as f64 / side as f64 * length).sin();
    let values = ndarray::Array2::from_shape_fn((side, side), |(row, column)| {
        (2.0 + wave(row, 31.0) + wave(column, 29.0)) * (1.0 + 0.3 * wave(row + column, 17.0))
    });
    let (provenance, notes) = (Provenance::new("kde", serde_json::json!({})), Vec::new());
    Surface { grid, values, unit: "incidents/km²/year".to_owned(), provenance, notes }
}
