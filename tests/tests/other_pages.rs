//! `report.html` of what no sample holds: a million zones, and a town on both sides of the 180th meridian.

use std::fs;
use std::path::Path;
use std::process::Command;

use brasa_export::{Lang, Staged, write_project, write_report};
use brasa_model::{
    Briefing, Column, ColumnKind, Crs, Curve, Diagnose, DrawnBy, Feature, Grid, Layer, Metres, Provenance,
    Scale, Series, Style, Surface, Tone, Value, Window, WindowOrigin, Word,
};
use geo::{Geometry, MultiPolygon, Rect};
use serde_json::Value as Json;
use tempfile::tempdir;

use crate::report_page::{is_quiet, opened};

fn provenance() -> Provenance {
    Provenance::new("hotspots", serde_json::json!({ "study_area_km2": 100.0 }))
}

fn layer(
    name: &str,
    crs: &Crs,
    columns: Vec<Column>,
    style: Style,
    features: Vec<(Geometry, Vec<Value>)>,
) -> Layer {
    let features = (1..).zip(features).map(|(id, (geometry, values))| Feature { id, geometry, values });
    Layer {
        name: name.to_owned(),
        title: name.to_owned(),
        crs: crs.clone(),
        columns,
        features: features.collect(),
        style,
        description: String::new(),
        period: None,
        provenance: provenance(),
        notes: Vec::new(),
    }
}

/// A square town of `side` cells of 100 m a side around a place, each cell a zone, with one hotspot in its middle.
fn briefing(epsg: u32, (lon, lat): (f64, f64), side: usize) -> Briefing {
    let crs = Crs::from_epsg(epsg).unwrap();
    let (x, y) = crs.from_lonlat().unwrap().convert(lon, lat).unwrap();
    let half = 50.0 * side as f64;
    let (west, south) = ((x - half).floor(), (y - half).floor());
    let square = |column: f64, row: f64, cells: f64| -> Geometry {
        let (x, y) = (100.0_f64.mul_add(column, west), 100.0_f64.mul_add(row, south));
        Rect::new((x, y), (x + 100.0 * cells, y + 100.0 * cells)).to_polygon().into()
    };
    let real = |name, title, unit: &str| Column::new(name, title, unit, ColumnKind::Real);
    let word = |value, title, tone| Word { value, title, tone };
    let middle = (side / 2) as f64;
    let hot = |at: f64| (at - middle).abs() < side as f64 / 20.0 + 1.0;
    let zone = |at: usize| {
        let (column, row) = ((at % side) as f64, (at / side) as f64);
        let class = if hot(column) && hot(row) { "hot" } else { "not_significant" };
        let values = vec![
            Value::Text(format!("{row}-{column}")),
            Value::Real((at % 7) as f64),
            Value::Real(1.5),
            Value::Real(0.01),
            Value::Text(class.to_owned()),
        ];
        (square(column, row, 1.0), values)
    };
    let zones = layer(
        "zones",
        &crs,
        vec![
            Column::new("zone", "Zone", "", ColumnKind::Text),
            real("count", "Incidents in the zone", "incidents"),
            real("z", "z-score", "standard deviations"),
            real("q", "q: p adjusted for testing all zones", ""),
            Column::new("class", "Verdict at q <= 0.05", "", ColumnKind::Text),
        ],
        Style::word(
            "class",
            vec![
                word("hot", "more than chance", Tone::High),
                word("not_significant", "not significant", Tone::Quiet),
            ],
        ),
        (0..side * side).map(zone).collect(),
    );
    let area = square(0.0, 0.0, side as f64);
    let study_area = layer(
        "study_area",
        &crs,
        vec![real("area_km2", "Area", "km²")],
        Style::of(DrawnBy::Edge),
        vec![(area.clone(), vec![Value::Real(1.0)])],
    );
    let tenth = (side as f64 / 10.0).max(1.0);
    let hotspots = layer(
        "hotspots",
        &crs,
        vec![
            Column::new("rank", "Rank, 1 holds the most incidents", "", ColumnKind::Integer),
            Column::new("incidents", "Incidents", "incidents", ColumnKind::Integer),
            real("share", "Share of all incidents", ""),
            real("area_km2", "Area", "km²"),
            real("pai", "Times the average density (PAI)", ""),
            real("z", "Gi* z-score of the strongest zone", "standard deviations"),
            real("q", "q of the strongest zone", ""),
        ],
        Style::number("pai", Scale::Upper).labelled("rank"),
        vec![(
            square(middle - tenth / 2.0, middle - tenth / 2.0, tenth),
            vec![
                Value::Integer(1),
                Value::Integer(70),
                Value::Real(0.1),
                Value::Real(0.1),
                Value::Real(4.0),
                Value::Real(5.0),
                Value::Real(0.001),
            ],
        )],
    );
    let Geometry::Polygon(outline) = area else { unreachable!() };
    let window =
        Window::new(MultiPolygon::new(vec![outline]), WindowOrigin::Given("town.geojson".into())).unwrap();
    let grid = Grid::covering(&window, Metres::new(2.0 * half / 100.0).unwrap()).unwrap();
    let values = ndarray::Array2::from_shape_fn((grid.ny(), grid.nx()), |(row, column)| {
        1.0 + row as f64 + column as f64
    });
    let density =
        Surface { grid, values, unit: "incidents/km²".into(), provenance: provenance(), notes: Vec::new() };
    let concentration = Curve {
        title: "Concentration".into(),
        x: Series::new("places", "Places", "", vec![0.0, 0.5, 1.0]),
        y: vec![Series::new("incidents", "Incidents", "", vec![0.0, 0.8, 1.0])],
        optimum: None,
        provenance: provenance(),
        notes: Vec::new(),
    };
    Briefing {
        title: "A town".into(),
        attribution: String::new(),
        hotspots,
        zones,
        study_area,
        over_time: None,
        density,
        trend: None,
        week: None,
        concentration,
        basemap: None,
        inputs: Vec::new(),
        notes: Vec::new(),
        command: "brasa hotspots town.csv".into(),
    }
}

/// The page and what it knows.
fn written(briefing: &Briefing, path: &Path) -> (String, Json) {
    write_report(briefing, Lang::EN, path).unwrap();
    let html = fs::read_to_string(path).unwrap();
    let data = html.split("<script type=\"application/json\" id=\"data\">").nth(1).unwrap();
    let data = serde_json::from_str(data.split("</script>").next().unwrap()).unwrap();
    (html, data)
}

#[test]
fn a_million_zones_are_added_up_and_the_page_is_small_and_quick() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("report.html");
    let million = briefing(32_618, (-74.08, 4.61), 1_000);
    let (html, data) = written(&million, &path);
    assert!(html.len() < 2_000_000 + 4_000_000, "{} bytes", html.len());
    let zones = &data["layers"][1];
    let column = |name: &str| {
        let named = zones["columns"].as_array().unwrap().iter().find(|column| column["name"] == name);
        named.unwrap()["values"].as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).sum::<f64>()
    };
    let counted: f64 = million.zones.features.iter().filter_map(|zone| zone.values[1].number()).sum();
    assert_eq!((column("features"), column("count")), (1e6, counted), "nothing is missing");
    assert_eq!((&zones["left_out"], &zones["squares"]["features"]), (&0.into(), &1_000_000.into()));
    for flag in ["--no-webgl", "--webgl"] {
        let Some(told) = opened(&path, &[flag]) else { return };
        is_quiet(&told);
        let note = told["note"].as_str().unwrap();
        // The last language asked for.
        assert!(note.contains("1.000.000 elementos") && note.contains("quadrados de 500 m"), "{note}");
        let sure = told["languages"]["en"].as_str().unwrap();
        assert!(sure.contains("zones hold significantly many"), "{sure}");
        println!("{flag}: ready after {} ms, {} bytes", told["ready"], html.len());
    }
}

#[test]
fn a_town_across_the_180th_meridian_is_in_one_piece() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("report.html");
    let (_, data) = written(&briefing(3460, (179.999, -17.0), 40), &path);
    assert_eq!(data["middle"], 180.0);
    // Four kilometres, not the way round the world.
    let bounds: Vec<f64> = data["hotspots"]["density"]["bounds"]
        .as_array()
        .unwrap()
        .iter()
        .map(|at| at.as_f64().unwrap())
        .collect();
    assert!(bounds[0] > 179.9 && bounds[2] > 180.0 && bounds[2] - bounds[0] < 0.05, "{bounds:?}");
    for layer in data["layers"].as_array().unwrap() {
        for shape in layer["shapes"].as_array().unwrap() {
            assert_eq!(shape[1].as_array().unwrap().len(), 1, "nothing is cut: {shape}");
            let from = shape[1][0][0][0].as_f64().unwrap() / layer["scale"].as_f64().unwrap();
            assert!(from.abs() < 0.05, "{from} degrees from the middle");
        }
    }
    let Some(told) = opened(&path, &[]) else { return };
    is_quiet(&told);
    assert_eq!(told["map"], "canvas", "the library ends the world there");
}

fn run(program: &str, arguments: &[&str], at: &Path) -> bool {
    Command::new(program).args(arguments).arg(at).output().is_ok_and(|done| done.status.success())
}

/// Mounts a file system of one mebibyte where the test may, and takes all of it.
#[test]
fn a_full_disk_stops_the_page_and_the_project() {
    let dir = tempdir().unwrap();
    if !run("mount", &["-t", "tmpfs", "-o", "size=1m", "tmpfs"], dir.path()) {
        println!("skipped: no right to mount");
        return;
    }
    fs::write(dir.path().join("filler"), vec![1; 1 << 20]).unwrap();
    let town = briefing(32_618, (-74.08, 4.61), 10);
    let mut staged = Staged::folder(&dir.path().join("out"), false).unwrap();
    let mut at = |name: &str| staged.path(name).unwrap();
    let page = write_report(&town, Lang::EN, &at("report.html"));
    let project = write_project(&town, Lang::EN, ("hotspots.gpkg", "density.tif"), &at("brasa.qgz"));
    drop(staged);
    let left = fs::read_dir(dir.path()).unwrap().count();
    assert!(run("umount", &[], dir.path()));
    assert_eq!([page, project].map(|done| done.unwrap_err().code()), ["disk_full"; 2]);
    assert_eq!(left, 1, "nothing but what was there");
}
