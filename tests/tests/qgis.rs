//! The folder of `brasa hotspots` opens in QGIS as a finished map: in the right place, styled as meant, with time where it is
//! meant, on a sheet to print, without a question. Without QGIS this says "skipped".
//!
//! QGIS is silent about most of what can go wrong, so each silent failure has its own line here: a style whose column is not
//! there (blank map), a style that is not taken up (grey), a layer cut off its tree (empty project), stretches of time drawn on
//! top of one another, a project that only opens where it was made.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use brasa_tests::{brasa, real, root};
use serde_json::Value;

const PYTHON: &str = "/usr/bin/python3";

const SKIPPED: &str = "skipped: QGIS for Python is not here";

fn has_qgis() -> bool {
    let import = Command::new(PYTHON).args(["-c", "import qgis.core"]).output();
    import.is_ok_and(|output| output.status.success())
}

/// What QGIS says of files: a report per project and per layer.
fn open(files: &[PathBuf]) -> Vec<Value> {
    let script = root().join("crates/export/tests/open_in_qgis.py");
    let output = Command::new(PYTHON).arg(script).args(files).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    text.lines()
        .filter(|line| line.starts_with('{'))
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn of<'a>(reports: &'a [Value], file: &str) -> Vec<&'a Value> {
    let is = |report: &&Value| report["path"].as_str().is_some_and(|path| path.ends_with(file));
    reports.iter().filter(is).collect()
}

fn words(value: &Value) -> Vec<&str> {
    value.as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect()
}

/// What holds for every layer of ours that QGIS opens, whatever it shows.
fn is_as_meant(layer: &Value) {
    assert_eq!(layer["valid"], true, "{layer}");
    assert_eq!(layer["blank"], false, "nothing is drawn: {layer}");
    for text in ["title", "abstract"] {
        assert!(!layer[text].as_str().unwrap().is_empty(), "no {text}: {layer}");
    }
    assert!(!layer["history"].as_array().unwrap().is_empty(), "{layer}");
    let kind = layer["renderer"].as_str().unwrap();
    let classes = layer["classes"].as_array().unwrap();
    if layer["fields"].is_null() {
        assert_eq!(kind, "singlebandpseudocolor", "{layer}");
        assert!(classes.len() >= 2, "{layer}");
        return;
    }
    assert_eq!(layer["invalid_geometries"], 0, "{layer}");
    assert_eq!(layer["attribute_exists"], true, "{layer}");
    for (name, alias) in layer["aliases"].as_object().unwrap() {
        assert!(name == "fid" || !alias.as_str().unwrap().is_empty(), "{name} has no title: {layer}");
    }
    if kind != "singleSymbol" {
        assert!(!classes.is_empty() && !layer["attribute"].as_str().unwrap().is_empty(), "{layer}");
        assert_eq!(layer["classed"], layer["features"], "some features have no class: {layer}");
        let colours: std::collections::BTreeSet<&str> =
            classes.iter().map(|class| class.as_array().unwrap().last().unwrap().as_str().unwrap()).collect();
        assert_eq!(colours.len(), classes.len(), "two classes look alike: {layer}");
    }
    for frame in layer["frames"].as_array().unwrap() {
        assert_eq!(frame["own"], frame["shown"], "a stretch of time shows another: {layer}");
    }
}

/// The folder of a run of the main job: everything in it opens as meant, and again from a copy elsewhere.
fn check_folder(results: &Path, crs: &str) {
    let made: Value = serde_json::from_slice(&fs::read(results.join("manifest.json")).unwrap()).unwrap();
    let found = made["outputs"].as_array().unwrap();
    let written = |name: &str| found.iter().any(|output| output["path"] == name);
    for name in ["brasa.qgz", "density.qml", "density.qmd", "hotspots.gpkg"] {
        assert!(written(name), "{name} is not in the manifest");
    }
    let geojson: Value =
        serde_json::from_slice(&fs::read(results.join("hotspots.geojson")).unwrap()).unwrap();
    let hotspots = geojson["features"].as_array().unwrap().len();

    let files = ["brasa.qgz", "hotspots.gpkg", "density.tif"].map(|name| results.join(name));
    let reports = open(&files);
    let project = reports.iter().find(|report| !report["project"].is_null()).unwrap();
    let package = of(&reports, "hotspots.gpkg");
    let timed = package.iter().any(|layer| layer["layer"].as_str().unwrap().ends_with("hotspots_over_time"));
    assert_eq!(package.len(), if timed { 4 } else { 3 }, "{package:?}");
    for layer in package.iter().chain(&of(&reports, "density.tif")).chain(&of(&reports, "brasa.qgz")) {
        is_as_meant(layer);
        assert_eq!(layer["crs"], crs, "{layer}");
    }
    for layer in &package {
        let name = layer["layer"].as_str().unwrap();
        let (kind, label, value_maps) = match name.rsplit(' ').next().unwrap() {
            "hotspots" => ("graduatedSymbol", Some("rank"), vec![]),
            "hotspots_over_time" => ("graduatedSymbol", Some("incidents"), vec![]),
            "zones" => ("categorizedSymbol", None, vec!["class"]),
            "study_area" => ("singleSymbol", None, vec![]),
            other => unreachable!("{other} is no layer of ours"),
        };
        assert_eq!((&layer["renderer"], layer["labels"].as_str()), (&kind.into(), label), "{layer}");
        assert_eq!(words(&layer["value_maps"]), value_maps, "{layer}");
        let is_timed = name.ends_with("hotspots_over_time");
        assert_eq!(layer["temporal"], is_timed, "{layer}");
        assert_eq!(layer["frames"].as_array().unwrap().is_empty(), !is_timed, "{layer}");
        assert_eq!(layer["sld"]["read"], true, "{layer}");
        let classes = layer["classes"].as_array().unwrap().len().max(1);
        assert_eq!(layer["sld"]["rules"], classes, "{layer}");
    }
    // What stands beside hotspots.geojson is not taken for the package of the same name.
    let titles: std::collections::BTreeSet<&str> =
        package.iter().map(|layer| layer["title"].as_str().unwrap()).collect();
    assert_eq!(titles.len(), package.len(), "{titles:?}");
    check_project(project, hotspots, timed, crs);
    if timed {
        let layer = package.iter().find(|layer| layer["temporal"] == true).unwrap();
        for frame in layer["frames"].as_array().unwrap() {
            assert_eq!(frame["shown"], hotspots, "a stretch shows each hotspot once: {layer}");
        }
    }

    // Copied elsewhere and opened from there, the project shows the files of the copy.
    let elsewhere = tempfile::tempdir().unwrap();
    let copy = elsewhere.path().join("una carpeta – ñ");
    fs::create_dir(&copy).unwrap();
    for name in ["brasa.qgz", "hotspots.gpkg", "density.tif"] {
        fs::copy(results.join(name), copy.join(name)).unwrap();
    }
    let reports = open(&[copy.join("brasa.qgz")]);
    check_project(&reports[0], hotspots, timed, crs);
    for source in words(&reports[0]["sources"]) {
        assert!(source.starts_with(copy.to_str().unwrap()), "{source}");
    }
}

fn check_project(project: &Value, hotspots: usize, timed: bool, crs: &str) {
    assert_eq!(project["valid"], true, "{project}");
    assert_eq!(project["blank"], false, "{project}");
    let layers = if timed { 5 } else { 4 };
    assert_eq!((&project["layers"], &project["linked"]), (&layers.into(), &layers.into()), "{project}");
    assert_eq!(project["crs"], crs);
    assert_eq!(project["layouts"], 1);
    assert_eq!(project["page"], serde_json::json!([297.0, 210.0]));
    assert_eq!(
        words(&project["items"]),
        ["caveat", "legend", "map", "north", "period", "scale", "source", "title"]
    );
    assert_eq!(project["bookmarks"].as_array().unwrap().len(), hotspots);
    assert!(!project["view"].is_null() && !project["title"].as_str().unwrap().is_empty(), "{project}");
    // With all windows of time on top of one another a map lies: time is armed, and its layer waits to be asked for.
    assert_eq!(project["navigation"], if timed { 1 } else { -1 }, "{project}");
    assert_eq!(project["visible"].as_array().unwrap().len(), 3, "{project}");
    if timed {
        assert_eq!(project["groups"][0][1], false, "{project}");
        assert!(project["step"][0].as_f64().unwrap() >= 1.0, "{project}");
        assert!(!project["span"][0].as_str().unwrap().is_empty(), "{project}");
    }
}

fn arg(path: &Path) -> String {
    path.display().to_string()
}

#[test]
fn the_demo_opens_in_qgis() {
    if !has_qgis() {
        println!("{SKIPPED}");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("demo");
    assert_eq!(brasa(["demo", "-q", "-o", &arg(&out)]).code, 0);
    let results = out.join("hotspots");
    check_folder(&results, "EPSG:32717");
    let reports = open(&[results.join("brasa.qgz"), results.join("hotspots.geojson")]);
    let project = &reports[0];
    assert_eq!(project["step"], serde_json::json!([1.0, "mon"]));
    assert_eq!(project["span"], serde_json::json!(["2023-01-01T00:00:00Z", "2025-01-01T00:00:00Z"]));
    let over_time = reports.iter().find(|report| report["temporal"] == true).unwrap();
    assert_eq!(over_time["frames"].as_array().unwrap().len(), 24, "{over_time}");
    let geojson = of(&reports, "hotspots.geojson")[0];
    // Its words are in the file; a record beside it would be taken for that of the package, too.
    assert_eq!((&geojson["valid"], &geojson["blank"]), (&true.into(), &false.into()), "{geojson}");
    assert_eq!((&geojson["renderer"], &geojson["labels"]), (&"graduatedSymbol".into(), &"rank".into()));
    assert_eq!(geojson["invalid_geometries"], 0, "{geojson}");
    assert!(["EPSG:4326", "OGC:CRS84"].contains(&geojson["crs"].as_str().unwrap()), "{geojson}");
}

#[test]
fn a_folder_speaks_the_language_asked_for_and_has_the_same_bytes_each_time() {
    if !has_qgis() {
        println!("{SKIPPED}");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let title = "Robos <\"&'> ]]> \u{202e}عربي 👩‍🚒";
    let run = |name: &str| {
        let out = dir.path().join(name);
        let data = |name: &str| arg(&root().join("data").join(name));
        let said = brasa([
            "hotspots",
            &data("incidentes.csv"),
            "--study-area",
            &data("city.geojson"),
            "--lang",
            "es",
            "--title",
            title,
            "--attribution",
            "Datos <de> \"prueba\" & más",
            "--replicates",
            "0",
            "-o",
            &arg(&out),
            "-q",
        ]);
        assert!([0, 3].contains(&said.code), "{}", said.err);
        out
    };
    let (first, second) = (run("a"), run("b"));
    check_folder(&first, "EPSG:32717");
    let reports = open(&[first.join("brasa.qgz")]);
    assert_eq!(reports[0]["title"], title);
    let names = words(&reports[0]["names"]);
    assert_eq!(names[1], "Puntos calientes: Intensidad (incidentes/km²/año)");
    assert_eq!(names[4], "Área de estudio");
    assert_eq!(words(&reports[0]["bookmarks"])[0], "Punto caliente 1");
    let hotspots = reports.iter().find(|report| report["labels"] == "rank").unwrap();
    assert_eq!(hotspots["licences"], serde_json::json!(["Datos <de> \"prueba\" & más"]));
    assert!(hotspots["classes"][0][2].as_str().unwrap().contains(','), "a decimal comma: {hotspots}");
    for name in ["brasa.qgz", "density.qml", "density.qmd", "hotspots.gpkg"] {
        let same = fs::read(first.join(name)).unwrap() == fs::read(second.join(name)).unwrap();
        // The command, which names the folder, is part of none of them.
        assert!(same, "{name} differs between two runs");
    }
}

#[test]
fn the_answer_of_a_method_opens_styled() {
    if !has_qgis() {
        println!("{SKIPPED}");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    let data = arg(&root().join("data/incidentes.csv"));
    let run = |method: &str, flags: &[&str], name: &str| {
        let out = arg(&at(name));
        let mut args = vec![method, &data, "-o", &out, "-q"];
        args.extend(flags);
        let said = brasa(args);
        assert!([0, 3].contains(&said.code), "{name}: {}", said.err);
    };
    run("kde", &["--cell", "200m"], "density.tif");
    run("kde-spacetime", &["--cell", "400m", "--step", "60d", "--bandwidth-time", "90d"], "slices.tif");
    run("gi-star", &["--cell", "300m"], "zones.geojson");
    run("st-dbscan", &["--eps", "300m", "--eps-time", "14d", "--min-points", "5"], "series.geojson");
    run("dbscan", &["--eps", "150m"], "clusters.fgb");
    run("dbscan", &["--eps", "150m"], "other.shp");
    run("st-dbscan", &["--eps", "300m", "--eps-time", "14d", "--min-points", "5"], "times.shp");
    run("isopleths", &[], "areas.gpkg");
    let names = [
        "density.tif",
        "slices.tif",
        "zones.geojson",
        "series.geojson",
        "clusters.fgb",
        "other.shp",
        "times.shp",
        "areas.gpkg",
    ];
    let reports = open(&names.map(at));
    assert_eq!(reports.len(), names.len(), "{reports:?}");
    for report in &reports {
        is_as_meant(report);
        let path = report["path"].as_str().unwrap();
        assert_eq!(Path::new(path).with_extension("qml").exists(), !path.ends_with(".gpkg"), "{path}");
    }
    // A style that someone has changed is theirs.
    fs::remove_file(at("density.tif")).unwrap();
    let said = brasa(["kde", &data, "-o", &arg(&at("density.tif")), "--cell", "200m"]);
    assert!(
        said.code != 0 && said.err.contains("density.qml") && said.err.contains("--force"),
        "{}",
        said.err
    );
    assert!(!at("density.tif").exists());
}

/// One file of each city that lies beside this repository.
#[test]
fn real_cities_open_in_qgis() {
    if !has_qgis() {
        println!("{SKIPPED}");
        return;
    }
    let cities: [(&str, &[&str], &str); 6] = [
        ("us_memphis/memphis_robberies.gpkg", &[], "EPSG:32616"),
        ("co_medellin/medellin_homicides.csv", &[], "EPSG:32618"),
        ("mx_cdmx/cdmx_car_jacking.gpkg", &[], "EPSG:32614"),
        ("us_chicago/chicago_carjackings_2020.geojson.gz", &[], "EPSG:32616"),
        ("us_nyc/nyc_shootings_2006_2023.csv.gz", &[], "EPSG:32618"),
        ("uk_police/raw/2018-10-leicestershire-street.csv.gz", &[], "EPSG:32630"),
    ];
    for (file, flags, crs) in cities {
        let Some(file) = real(file) else { continue };
        let dir = tempfile::tempdir().unwrap();
        let (file, out) = (arg(&file), dir.path().join("out"));
        let out_arg = arg(&out);
        let mut args = vec!["hotspots", &file, "-o", &out_arg, "-q", "--replicates", "0"];
        args.extend(flags);
        let said = brasa(args);
        assert!([0, 3].contains(&said.code), "{file}: {}", said.err);
        check_folder(&out, crs);
    }
}

/// A map beneath, of lines and areas, is two layers of the project; no hotspot at all is a project, too.
#[test]
fn a_basemap_and_an_empty_answer_open_in_qgis() {
    if !has_qgis() {
        println!("{SKIPPED}");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    let beneath = r#"{"type":"FeatureCollection","features":[
        {"type":"Feature","properties":{},"geometry":{"type":"LineString","coordinates":[[-83.55,-12.0],[-83.45,-12.01]]}},
        {"type":"Feature","properties":{},"geometry":{"type":"Polygon","coordinates":[[[-83.53,-12.02],[-83.51,-12.02],[-83.51,-12.0],[-83.53,-12.02]]]}}]}"#;
    fs::write(at("beneath.geojson"), beneath).unwrap();
    let data = arg(&root().join("data/incidentes.csv"));
    let (beneath, out) = (arg(&at("beneath.geojson")), arg(&at("a")));
    let said = brasa(["hotspots", &data, "-o", &out, "--basemap", &beneath, "--replicates", "0", "-q"]);
    assert!([0, 3].contains(&said.code), "{}", said.err);
    let reports = open(&[at("a/brasa.qgz")]);
    assert_eq!((&reports[0]["valid"], &reports[0]["linked"]), (&true.into(), &7.into()), "{}", reports[0]);
    let names = words(&reports[0]["names"]);
    assert_eq!(names[5..], ["Basemap: lines", "Basemap: areas"]);
    assert!(reports[1..].iter().all(|layer| layer["blank"] == false), "{reports:?}");

    let mut rows = "lon,lat\n".to_owned();
    for at in 0..12_u32 {
        let (x, y) = (f64::from(at * 7 % 12), f64::from(at * 5 % 11));
        rows += &format!("{:.4},{:.4}\n", -74.0 + 0.013 * x, 4.6 + 0.011 * y);
    }
    fs::write(at("few.csv"), rows).unwrap();
    let (few, out) = (arg(&at("few.csv")), arg(&at("b")));
    let said = brasa(["hotspots", &few, "-o", &out, "--replicates", "0", "-q"]);
    assert_eq!(said.code, 0, "{}", said.err);
    let reports = open(&[at("b/brasa.qgz")]);
    let project = &reports[0];
    assert_eq!((&project["valid"], &project["linked"]), (&true.into(), &4.into()), "{project}");
    assert_eq!((&project["bookmarks"], &project["navigation"]), (&serde_json::json!([]), &(-1).into()));
    let hotspots = reports.iter().find(|layer| layer["labels"] == "rank").unwrap();
    assert_eq!((&hotspots["features"], &hotspots["renderer"]), (&0.into(), &"graduatedSymbol".into()));
}

/// Whether the project opens in the program itself without a window that waits for an answer.
#[test]
fn the_project_opens_without_a_question() {
    let there =
        |program: &str| Command::new("which").arg(program).output().is_ok_and(|found| found.status.success());
    let needed = ["qgis", "xvfb-run", "xwininfo"];
    if let Some(missing) = needed.into_iter().find(|program| !there(program)) {
        println!("skipped: {missing} is not here");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("demo");
    assert_eq!(brasa(["demo", "-q", "-o", &arg(&out)]).code, 0);
    let script = root().join("crates/export/tests/open_qgis_window.sh");
    let opened = |project: &Path| {
        let output = Command::new("bash").arg(&script).arg(project).output().unwrap();
        (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let (quiet, said) = opened(&out.join("hotspots/brasa.qgz"));
    assert!(quiet, "{said}");
    // That a question would be seen: a project without its files asks for them.
    let alone = dir.path().join("brasa.qgz");
    fs::copy(out.join("hotspots/brasa.qgz"), &alone).unwrap();
    let (quiet, said) = opened(&alone);
    assert!(!quiet && said.contains("a window waits"), "{said}");
}

/// The folder of a patrol: areas to visit, routes by shift, depots, each styled, titled and linked.
#[test]
fn a_plan_opens_in_qgis() {
    if !has_qgis() {
        println!("{SKIPPED}");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("plan");
    let [data, city, depots] =
        ["incidentes.csv", "city.geojson", "estaciones.csv"].map(|name| arg(&root().join("data").join(name)));
    let flags = ["--units", "3", "--shift", "14:00-22:00", "--days", "2", "--tz", "America/Lima", "-q"];
    let paths = ["plan", "patrol", &data, "--study-area", &city, "--depots", &depots, "-o", &arg(&out)];
    let said = brasa([&paths[..], &flags].concat());
    assert_eq!(said.code, 3, "{}", said.err);
    let reports = open(&[out.join("brasa.qgz"), out.join("plan.gpkg")]);
    let project = &reports[0];
    assert_eq!((&project["valid"], &project["blank"]), (&true.into(), &false.into()), "{project}");
    assert_eq!((&project["layers"], &project["linked"]), (&4.into(), &4.into()), "{project}");
    assert_eq!((&project["crs"], &project["layouts"]), (&"EPSG:32717".into(), &1.into()), "{project}");
    assert!(!project["bookmarks"].as_array().unwrap().is_empty(), "{project}");
    let package = of(&reports, "plan.gpkg");
    assert_eq!(package.len(), 4, "{package:?}");
    for layer in package {
        is_as_meant(layer);
        let is_timed = layer["layer"].as_str().unwrap().ends_with("routes");
        assert_eq!(layer["temporal"], is_timed, "{layer}");
    }
}
