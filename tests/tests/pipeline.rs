//! The binary, from a file on disk to files on disk: what a user does, and what a user does wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use brasa_tests::{Said, brasa, root};
use serde_json::Value;
use tempfile::TempDir;

fn temp() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn arg(path: &Path) -> String {
    path.display().to_string()
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

fn sample() -> String {
    arg(&root().join("data/incidentes.csv"))
}

fn city() -> String {
    arg(&root().join("data/city.geojson"))
}

fn hotspots(input: &str, output: &Path, more: &[&str]) -> Said {
    let output = arg(output);
    let mut args = vec!["hotspots", input, "-o", &output];
    args.extend(more);
    brasa(args)
}

/// What lies in a folder, by name.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .filter(|path| path.is_file())
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read(&path).unwrap()))
        .collect()
}

fn balances(rows: &Value) {
    let number = |key: &str| rows[key].as_u64().unwrap();
    assert_eq!(
        number("read"),
        number("used") + number("filtered") + number("rejected") + number("duplicate"),
        "{rows}"
    );
}

// ---- the main job ----

#[test]
fn the_demo_finds_what_was_planted() {
    let dir = temp();
    let out = dir.path().join("demo");
    let said = brasa(["demo", "-o", &arg(&out), "--json"]);
    assert_eq!((said.code, said.err.as_str()), (0, ""));
    let demo: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(demo["planted"].as_array().unwrap().len(), 8);
    assert!(demo["found"].as_u64().unwrap() >= 6, "{demo}");
    assert!(demo["false_alarms"].as_array().unwrap().len() <= 3, "{demo}");
    let names: Vec<String> = files(&out.join("hotspots")).into_keys().collect();
    let expected = [
        "brasa.qgz",
        "density.qmd",
        "density.qml",
        "density.tif",
        "hotspots.geojson",
        "hotspots.gpkg",
        "hotspots.qml",
        "hotspots.style.json",
        "manifest.json",
        "map.png",
        "map.svg",
        "rejects.csv",
        "report.html",
    ];
    assert_eq!(names, expected);
}

#[test]
fn the_report_tells_what_was_read_chosen_found_and_written() {
    let dir = temp();
    let out = dir.path().join("demo");
    let said = brasa(["demo", "-o", &arg(&out)]);
    for wanted in [
        "Read ",
        "used, ",
        "rejected",
        "Noted",
        "cells of",
        "bandwidth of",
        "Hotspots",
        "planted hotspots found",
        "Open ",
    ] {
        assert!(said.out.contains(wanted), "no \"{wanted}\" in\n{}", said.out);
    }
}

#[test]
fn every_dirty_row_of_the_sample_is_caught_with_its_reason() {
    let dir = temp();
    let out = dir.path().join("out");
    let said = hotspots(&sample(), &out, &["--study-area", &city(), "--id", "id_caso"]);
    assert_eq!(said.code, 3, "{}", said.err);
    let mut rejects = csv::Reader::from_path(out.join("rejects.csv")).unwrap();
    let found: BTreeMap<u64, String> = rejects
        .records()
        .map(|row| row.unwrap())
        .map(|row| (row[0].parse().unwrap(), row[1].to_owned()))
        .collect();
    let mut dirt = csv::Reader::from_path(root().join("data/dirt.csv")).unwrap();
    let mut kinds = BTreeSet::new();
    let mut expected = BTreeMap::new();
    let mut duplicates = 0;
    for row in dirt.records().map(|row| row.unwrap()) {
        let line: u64 = row[0].parse().unwrap();
        let reason = match &row[1] {
            "no_coordinates" => "coord_missing",
            "zero_coordinates" => "coord_zero",
            "broken_decimal" => "coord_unreadable",
            "nan_coordinate" => "coord_not_finite",
            // "N/A" stands for nothing.
            "na_coordinate" => "coord_missing",
            // "s/f" (sin fecha) is no date either, and a word nobody can read is not an empty field.
            "impossible_date" | "no_date" => "time_unreadable",
            // Latitude -83 is a place, only not in this city.
            "swapped_axes" | "far_away" => "outside_study_area",
            "duplicate_id" => {
                duplicates += 1;
                continue;
            }
            // Kept: known to the hour or not, in capitals or not, and a stack that may be a default geocode.
            "hour_missing" | "kind_capitals" | "station_default" => continue,
            other => panic!("a kind of dirt nobody thought of: {other}"),
        };
        kinds.insert(row[1].to_owned());
        expected.insert(line, reason.to_owned());
    }
    assert_eq!(kinds.len(), 9, "{kinds:?}");
    assert_eq!(found, expected);
    let rows = json(&out.join("manifest.json"))["inputs"][0]["rows"].clone();
    balances(&rows);
    assert_eq!(rows["duplicate"], duplicates);
}

#[test]
fn the_manifest_accounts_for_rows_inputs_and_outputs() {
    let dir = temp();
    let out = dir.path().join("out");
    hotspots(&sample(), &out, &["--study-area", &city()]);
    let manifest = json(&out.join("manifest.json"));
    for key in ["tool", "version", "command", "parameters", "seed", "inputs", "notes", "outputs"] {
        assert!(manifest.get(key).is_some(), "no {key}");
    }
    let inputs = manifest["inputs"].as_array().unwrap();
    assert_eq!(inputs.len(), 2, "the incidents and the study area");
    for input in inputs {
        assert_eq!(input["sha256"].as_str().unwrap().len(), 64);
        assert!(!input["name"].as_str().unwrap().contains('/'));
    }
    balances(&inputs[0]["rows"]);
    let by_reason: u64 = inputs[0]["rejected_by_reason"]
        .as_object()
        .unwrap()
        .values()
        .map(|count| count.as_u64().unwrap())
        .sum();
    assert_eq!(inputs[0]["rows"]["rejected"], by_reason);
    let on_disk = files(&out);
    let listed: BTreeSet<&str> = manifest["outputs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|output| output["path"].as_str().unwrap())
        .collect();
    let expected: BTreeSet<&str> =
        on_disk.keys().map(String::as_str).filter(|name| *name != "manifest.json").collect();
    assert_eq!(listed, expected);
    for note in manifest["notes"].as_array().unwrap() {
        assert!(note["code"].is_string() && note["text"].is_string(), "{note}");
    }
    for chosen in ["cell_chosen", "bandwidth_chosen", "outline_level", "crs_chosen"] {
        assert!(
            manifest["notes"].as_array().unwrap().iter().any(|note| note["code"] == chosen),
            "{chosen} is silent"
        );
    }
}

#[test]
fn every_hotspot_carries_its_attributes() {
    let dir = temp();
    let out = dir.path().join("out");
    hotspots(&sample(), &out, &["--study-area", &city()]);
    let collection = json(&out.join("hotspots.geojson"));
    assert!(collection.get("crs").is_none(), "RFC 7946 has no crs member");
    assert_eq!(collection["provenance"]["method"], "hotspots");
    let features = collection["features"].as_array().unwrap();
    let mut last = u64::MAX;
    for (feature, rank) in features.iter().zip(1..) {
        let properties = &feature["properties"];
        assert_eq!(properties["rank"], rank);
        let incidents = properties["incidents"].as_u64().unwrap();
        assert!(incidents <= last);
        last = incidents;
        for key in ["share", "area_km2", "intensity", "pai", "z", "p", "q", "stability"] {
            assert!(properties[key].is_number(), "{key}: {properties}");
        }
        assert!(properties["q"].as_f64().unwrap() <= 0.05);
        assert!(properties["why"].as_str().unwrap().contains("times the average density"));
        // Planted, and found again by three replicates of four.
        assert!((0.5..=1.0).contains(&properties["stability"].as_f64().unwrap()), "{properties}");
        assert!(properties["why"].as_str().unwrap().contains("; stability 0."));
    }
}

#[test]
fn without_replicates_there_is_no_stability() {
    let dir = temp();
    let out = dir.path().join("out");
    let said = hotspots(&sample(), &out, &["--study-area", &city(), "--replicates", "0"]);
    assert!(!said.out.contains("stable"), "{}", said.out);
    let collection = json(&out.join("hotspots.geojson"));
    for feature in collection["features"].as_array().unwrap() {
        assert!(feature["properties"].get("stability").is_none(), "what is not computed is absent, not zero");
    }
    let manifest = json(&out.join("manifest.json"));
    let notes = manifest["notes"].as_array().unwrap();
    assert!(notes.iter().any(|note| note["code"] == "no_stability"), "it is silent");
    assert!(manifest["seed"].is_null());
}

// ---- same input, same bytes ----

#[test]
fn the_same_bytes_on_any_number_of_threads() {
    let dir = temp();
    let run = |threads: &str| {
        let out = dir.path().join(format!("t{threads}"));
        let said = hotspots(&sample(), &out, &["--study-area", &city(), "--threads", threads]);
        assert_eq!(said.code, 3, "{}", said.err);
        let mut files = files(&out);
        // The command differs by the number of threads and the folder: that is what it is for.
        files.remove("manifest.json");
        files.remove("report.html");
        files
    };
    let one = run("1");
    for threads in ["2", "3", "16"] {
        assert!(one == run(threads), "{threads} threads give other bytes");
    }
}

#[test]
fn the_same_hotspots_in_any_order_of_rows() {
    let dir = temp();
    let text = fs::read_to_string(sample()).unwrap();
    let (header, rows) = text.split_once('\n').unwrap();
    let mut rows: Vec<&str> = rows.lines().collect();
    let features = |name: &str, rows: &[&str]| {
        let file = dir.path().join(format!("{name}.csv"));
        fs::write(&file, format!("{header}\n{}\n", rows.join("\n"))).unwrap();
        let out = dir.path().join(name);
        let said = hotspots(&arg(&file), &out, &["--study-area", &city()]);
        assert_eq!(said.code, 3, "{}", said.err);
        let collection = json(&out.join("hotspots.geojson"));
        collection["features"].to_string()
    };
    let first = features("first", &rows);
    rows.reverse();
    assert_eq!(first, features("reversed", &rows));
    rows.sort_by_key(|row| row.len() * 7919 % 101);
    assert_eq!(first, features("mixed", &rows));
}

#[test]
fn a_printed_pipeline_runs_to_the_same_bytes() {
    let dir = temp();
    let out = dir.path().join("out");
    let more = ["--study-area", &city(), "--cell", "300m"];
    hotspots(&sample(), &out, &more);
    let first = files(&out);
    let printed = hotspots(&sample(), &out, &[&more[..], &["--print-pipeline"]].concat());
    let pipeline = dir.path().join("saved.toml");
    fs::write(&pipeline, printed.out).unwrap();
    let said = brasa(["run", &arg(&pipeline), "--force"]);
    assert_eq!(said.code, 3, "{}", said.err);
    let mut second = files(&out);
    let mut first = first;
    for files in [&mut first, &mut second] {
        files.remove("manifest.json");
        files.remove("report.html");
    }
    assert!(first == second);
}

// ---- one question ----

#[test]
fn every_method_writes_every_format_it_can() {
    let dir = temp();
    for (method, flags, endings) in [
        (
            "kde",
            &["--cell", "250m", "--bandwidth", "600m"][..],
            &["tif", "csv", "geojson", "gpkg", "fgb", "shp", "kml", "parquet", "svg", "png", "pdf"][..],
        ),
        ("kde-adaptive", &["--cell", "250m", "--bandwidth", "600m", "--pilot", "scott"], &["tif", "csv"]),
        (
            "kde-ratio",
            &["--cell", "250m", "--cases", "kind=homicidio"],
            &["tif", "csv", "geojson", "gpkg", "fgb", "svg", "pdf"],
        ),
        (
            "gi-star",
            &["--cell", "300m", "--neighbours", "rook"],
            &[
                "csv",
                "geojson",
                "geojsonl",
                "gpkg",
                "fgb",
                "shp",
                "kml",
                "geoparquet",
                "pmtiles",
                "png",
                "pdf",
            ],
        ),
        (
            "gi-star",
            &["--cell", "300m", "--neighbours", "knn:6", "--permutations", "99", "--draws", "independent"],
            &["csv"],
        ),
        ("gi", &["--cell", "300m", "--neighbours", "band:600m", "--correction", "by"], &["csv", "gpkg"]),
        ("local-moran", &["--cell", "300m", "--permutations", "99"], &["csv", "geojson", "gpkg"]),
        ("local-geary", &["--cell", "300m", "--permutations", "99"], &["csv", "gpkg"]),
        ("local-join-count", &["--cell", "300m", "--at-least", "2"], &["csv", "geojson", "gpkg"]),
        ("gi-star", &["--hex", "400m", "--neighbours", "inverse:900m"], &["csv", "geojson", "gpkg", "fgb"]),
        ("local-moran", &["--h3", "8", "--permutations", "49"], &["csv", "geojson", "gpkg"]),
        ("moran", &["--cell", "300m", "--permutations", "99"], &["csv", "json"]),
        ("moran", &["--h3", "8", "--neighbours", "inverse-square:2km", "--weights", "binary"], &["json"]),
        ("correlogram", &["--hex", "500m", "--bands", "5"], &["csv"]),
        ("geary", &["--cell", "300m"], &["csv", "json"]),
        ("general-g", &["--cell", "300m", "--neighbours", "rook"], &["csv", "json"]),
        (
            "dbscan",
            &["--eps", "120m", "--min-points", "15"],
            &["csv", "geojson", "gpkg", "shp", "kml", "parquet", "pmtiles", "svg"],
        ),
        ("nnh", &["--distance", "100m"], &["csv", "geojson", "gpkg"]),
        ("st-dbscan", &["--eps", "300m", "--eps-time", "14d"], &["csv", "geojson", "gpkg", "shp"]),
        ("k-distance", &["--min-points", "20", "--eps-time", "14d"], &["csv", "json"]),
        ("dbscan-stability", &["--eps", "auto"], &["csv", "json"]),
        (
            "ripley-k",
            &["--max-distance", "900m", "--simulations", "9"],
            &["csv", "json", "svg", "png", "pdf"],
        ),
        ("nearest-neighbour", &["--orders", "3"], &["csv", "json"]),
        ("concentration", &["--total-places", "20000"], &["csv", "json", "svg"]),
        ("concentration", &["--places", "cells", "--cell", "300m"], &["csv", "json"]),
        ("quadrat-test", &["--cell", "2km", "--simulations", "19"], &["csv", "geojson", "gpkg", "svg"]),
        ("pattern-similarity", &["--test", "since=2024-01-01", "--cell", "1km"], &["csv", "geojson", "gpkg"]),
        ("pattern-similarity", &["--test", "since=2024-01-01", "--h3", "7"], &["csv", "geojson"]),
        ("quadrat-test", &["--hex", "2km", "--simulations", "19"], &["csv", "geojson"]),
        ("concentration", &["--hex", "300m"], &["csv"]),
        ("centrography", &["--by", "kind", "--draw", "circle"], &["csv", "geojson", "gpkg"]),
        ("centrography", &["--draw", "median"], &["geojson", "gpkg", "svg"]),
        ("hdbscan", &["--min-cluster-size", "40", "--min-points", "15"], &["csv", "geojson", "gpkg"]),
        ("optics", &["--min-points", "15", "--max-eps", "2km"], &["csv", "geojson", "gpkg"]),
        ("reachability", &["--min-points", "15"], &["csv", "json", "svg"]),
    ] {
        for ending in endings {
            let file = dir.path().join(format!("{method}.{ending}"));
            let mut args =
                vec![method.to_owned(), sample(), "-o".into(), arg(&file), "--study-area".into(), city()];
            args.extend(flags.iter().map(|&flag| flag.to_owned()));
            let said = brasa(&args);
            assert_eq!((said.code, said.err.as_str()), (3, ""), "{method} {ending}: {}", said.out);
            assert!(fs::metadata(&file).unwrap().len() > 100, "{method} {ending}");
            assert!(dir.path().join(format!("{method}.rejects.csv")).exists());
            // Every other file is one that stands beside the output under its stem.
            for left in files(dir.path()).into_keys() {
                assert!(left.starts_with(&format!("{method}.")), "{method} {ending}: {left}");
                fs::remove_file(dir.path().join(left)).unwrap();
            }
        }
    }
    assert!(files(dir.path()).is_empty(), "something was left behind: {:?}", files(dir.path()).keys());
}

#[test]
fn dbscan_labels_every_incident_used() {
    let dir = temp();
    let (file, labels) = (dir.path().join("c.gpkg"), dir.path().join("labels.csv"));
    let said =
        brasa(["dbscan", &sample(), "-o", &arg(&file), "--labels", &arg(&labels), "--eps", "100m", "--json"]);
    let manifest: Value = serde_json::from_str(&said.out).unwrap();
    let rows: Vec<csv::StringRecord> =
        csv::Reader::from_path(&labels).unwrap().records().map(Result::unwrap).collect();
    assert_eq!(manifest["inputs"][0]["rows"]["used"], rows.len());
    let lines: Vec<u64> = rows.iter().map(|row| row[0].parse().unwrap()).collect();
    assert!(lines.is_sorted(), "a file that lists rows keeps their order");
    assert!(rows.iter().any(|row| row[1].is_empty()) && rows.iter().any(|row| &row[1] == "1"));
}

#[test]
fn filters_leave_rows_out_and_count_them() {
    let dir = temp();
    let file = dir.path().join("d.csv");
    let said = brasa([
        "kde",
        &sample(),
        "-o",
        &arg(&file),
        "--cell",
        "500m",
        "--only",
        "kind=HOMICIDIO,LESIONES",
        "--since",
        "2024-01-01",
        "--json",
    ]);
    let manifest: Value = serde_json::from_str(&said.out).unwrap_or_else(|_| panic!("{}", said.err));
    let rows = &manifest["inputs"][0]["rows"];
    balances(rows);
    assert!(rows["filtered"].as_u64().unwrap() > 3000 && rows["used"].as_u64().unwrap() > 300, "{rows}");
}

#[test]
fn the_catalogue_prints_itself() {
    let said = brasa(["methods"]);
    assert!(said.out.contains("gi-star") && said.out.contains("doi:10.1111"));
    let said = brasa(["methods", "--json"]);
    let catalogue: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(catalogue[0]["parameters"]["type"], "object");
    for method in catalogue.as_array().unwrap() {
        let help = brasa(method["name"].as_str().unwrap().split(' ').chain(["--help"]));
        assert_eq!(help.code, 0);
        for flag in method["parameters"]["properties"].as_object().unwrap().keys() {
            assert!(help.out.contains(&format!("--{flag}")), "{flag}");
        }
        assert!(help.out.contains("Reference: "));
    }
}

// ---- bad input: one readable message, the right exit code, nothing half-written ----

/// A wrong command: the message must hold these words, the exit code must be this, and the output folder must hold
/// nothing afterwards.
fn refused(more: impl FnOnce(&Path) -> Vec<String>, code: i32, words: &[&str]) {
    let dir = temp();
    let work = dir.path().join("work");
    fs::create_dir(&work).unwrap();
    let args = more(&work);
    let before = files(&work);
    let said = brasa(&args);
    assert_eq!(said.code, code, "{args:?}\n{}\n{}", said.out, said.err);
    for word in words {
        assert!(said.err.contains(word), "no \"{word}\" in the message of {args:?}:\n{}", said.err);
    }
    assert!(said.err.lines().count() <= 14, "{}", said.err);
    assert!(before == files(&work), "{args:?} left something behind: {:?}", files(&work).keys());
    let folders =
        fs::read_dir(&work).unwrap().filter(|entry| entry.as_ref().unwrap().path().is_dir()).count();
    assert_eq!(folders, 0, "{args:?} left a folder behind");
}

fn text_file(work: &Path, text: &str) -> String {
    let file = work.join("in.csv");
    fs::write(&file, text).unwrap();
    arg(&file)
}

fn run(input: String, work: &Path, more: &[&str]) -> Vec<String> {
    let mut args = vec!["hotspots".to_owned(), input, "-o".to_owned(), arg(&work.join("out"))];
    args.extend(more.iter().map(|&more| more.to_owned()));
    args
}

const ROWS: &str =
    "lon,lat,fecha\n-83.51,-12.01,2024-01-05\n-83.52,-12.02,2024-02-06\n-83.50,-12.03,2024-03-07\n";

#[test]
fn an_empty_file() {
    refused(|work| run(text_file(work, ""), work, &[]), 65, &["in.csv", "empty"]);
}

#[test]
fn a_header_without_rows() {
    refused(|work| run(text_file(work, "lon,lat\n"), work, &[]), 65, &["in.csv", "not a single row"]);
}

#[test]
fn all_rows_rejected() {
    refused(
        |work| run(text_file(work, "lon,lat\n0,0\n0,0\n,\n"), work, &[]),
        65,
        &["coord_zero", "coord_missing"],
    );
}

#[test]
fn an_unknown_column_in_a_flag() {
    refused(
        |work| run(text_file(work, ROWS), work, &["--kind", "feca"]),
        2,
        &["feca", "fecha", "did you mean"],
    );
}

#[test]
fn a_missing_file() {
    refused(|work| run(arg(&work.join("nowhere.csv")), work, &[]), 66, &["nowhere.csv"]);
}

#[test]
fn a_folder_as_a_file() {
    refused(|work| run(arg(work), work, &[]), 66, &["folder"]);
}

#[test]
fn a_file_that_may_not_be_read() {
    use std::os::unix::fs::PermissionsExt;
    let dir = temp();
    let mode = |path: &Path, mode: u32| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    let file = PathBuf::from(text_file(dir.path(), ROWS));
    mode(dir.path(), 0o777);
    mode(&file, 0o000);
    let words =
        [brasa_tests::binary().display().to_string(), "hotspots".to_owned(), arg(&file), "-o".to_owned()];
    let words = words.into_iter().chain([arg(&dir.path().join("out"))]);
    // Root may read everything: then somebody else is asked to.
    let root_reads = fs::File::open(&file).is_ok();
    let somebody: &[&str] =
        if root_reads { &["--reuid=65534", "--regid=65534", "--clear-groups"] } else { &[] };
    let output = std::process::Command::new("setpriv").args(somebody).args(words).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    if said.contains("setpriv") || (root_reads && output.status.code() == Some(127)) {
        println!("skipped: nobody else can be asked to read here: {said}");
        return;
    }
    assert_eq!(output.status.code(), Some(66), "{said}");
    assert!(said.contains("in.csv") && said.contains("help:"), "{said}");
    assert!(!dir.path().join("out").exists());
}

#[test]
fn an_output_folder_that_is_read_only() {
    // Nothing can be created in /sys, not even by root.
    refused(
        |work| ["hotspots", &text_file(work, ROWS), "-o", "/sys/brasa"].map(str::to_owned).to_vec(),
        73,
        &["/sys/brasa"],
    );
    refused(
        |work| ["kde", &text_file(work, ROWS), "-o", "/sys/brasa.csv"].map(str::to_owned).to_vec(),
        73,
        &["/sys"],
    );
}

#[test]
fn an_output_that_is_there_already() {
    let dir = temp();
    let out = dir.path().join("out");
    fs::create_dir(&out).unwrap();
    fs::write(out.join("notes.txt"), "mine").unwrap();
    let said = hotspots(&sample(), &out, &["--study-area", &city()]);
    assert_eq!(said.code, 73, "{}", said.err);
    assert!(said.err.contains("--force"), "{}", said.err);
    assert_eq!(files(&out).len(), 1, "nothing was written");
    let said = hotspots(&sample(), &out, &["--study-area", &city(), "--force"]);
    assert_eq!(said.code, 3, "{}", said.err);
    assert_eq!(files(&out)["notes.txt"], b"mine", "what is not ours is left alone");
    refused(
        |work| {
            let file = text_file(work, ROWS);
            ["kde", &file, "-o", &file].map(str::to_owned).to_vec()
        },
        73,
        &["in.csv"],
    );
}

#[test]
fn old_rejects_are_in_the_way_of_new_ones_alone() {
    let dir = temp();
    let (out, rejects) = (dir.path().join("d.csv"), dir.path().join("d.rejects.csv"));
    fs::write(&rejects, "old").unwrap();
    let kde = |text: &str| {
        let file = text_file(dir.path(), text);
        brasa(["kde", &file, "-o", &arg(&out), "--cell", "500m", "-q"])
    };
    let said = kde(&format!("{ROWS}0,0,2024-03-07\n"));
    assert_eq!(said.code, 73, "{}", said.err);
    assert!(said.err.contains("d.rejects.csv") && said.err.contains("--force"), "{}", said.err);
    assert!(!out.exists());
    let said = kde(ROWS);
    assert_eq!((said.code, said.err.as_str()), (0, ""));
    assert_eq!(fs::read(&rejects).unwrap(), b"old");
}

#[test]
fn an_input_is_never_overwritten() {
    refused(
        |work| {
            let file = text_file(work, ROWS);
            ["kde", &file, "-o", &file, "--force", "--cell", "100m"].map(str::to_owned).to_vec()
        },
        73,
        &["input"],
    );
}

#[test]
fn a_bandwidth_that_is_none() {
    for (bandwidth, words) in [
        ("-5m", &["bandwidth", "-5m", "greater than 0"][..]),
        ("NaN", &["bandwidth", "NaN", "finite"]),
        ("500", &["bandwidth", "500", "no unit", "500m"]),
        ("0m", &["bandwidth", "greater than 0"]),
        ("wide", &["bandwidth", "wide", "scott"]),
    ] {
        refused(|work| run(text_file(work, ROWS), work, &["--bandwidth", bandwidth]), 2, words);
    }
}

#[test]
fn degrees_given_as_metres() {
    refused(
        |work| run(text_file(work, ROWS), work, &["--x", "lon", "--y", "lat", "--crs", "EPSG:32717"]),
        65,
        &["degrees", "EPSG:32717"],
    );
}

#[test]
fn metres_without_a_reference_system() {
    let rows = "X,Y\n359192,570510\n356347,576182\n355022,594096\n";
    refused(|work| run(text_file(work, rows), work, &[]), 65, &["--crs"]);
}

#[test]
fn a_study_area_that_misses_the_points() {
    let far = "lon,lat\n10.1,50.2\n10.2,50.1\n10.15,50.15\n";
    refused(|work| run(text_file(work, far), work, &["--study-area", &city()]), 65, &["city.geojson", "km"]);
}

#[test]
fn a_study_area_that_is_not_there() {
    refused(
        |work| run(text_file(work, ROWS), work, &["--study-area", "/nowhere.geojson"]),
        66,
        &["/nowhere.geojson"],
    );
}

#[test]
fn a_cell_that_would_not_fit_in_memory() {
    refused(
        |work| run(text_file(work, ROWS), work, &["--cell", "0.01m", "--study-area", &city()]),
        71,
        &["2 GiB", "--cell"],
    );
}

#[test]
fn an_ending_that_says_nothing() {
    refused(
        |work| ["kde", &text_file(work, ROWS), "-o", &arg(&work.join("x.xyz"))].map(str::to_owned).to_vec(),
        2,
        &["xyz", "geojson"],
    );
    refused(
        |work| {
            let out = arg(&work.join("x.tif"));
            ["dbscan", &text_file(work, ROWS), "-o", &out, "--eps", "100m"].map(str::to_owned).to_vec()
        },
        2,
        &["raster", ".gpkg"],
    );
}

#[test]
fn flags_that_are_wrong() {
    for (more, words) in [
        (&["--celll", "100m"][..], &["--cell"][..]),
        (&["--only", "nonsense"], &["only"]),
        (&["--since", "yesterday"], &["since", "yesterday"]),
        (&["--crs", "EPSG:999999"], &["999999"]),
        (&["--threads", "many"], &["threads"]),
    ] {
        refused(|work| run(text_file(work, ROWS), work, more), 2, words);
    }
    refused(
        |work| {
            ["dbscan", &text_file(work, ROWS), "-o", &arg(&work.join("x.csv"))].map(str::to_owned).to_vec()
        },
        2,
        &["--eps"],
    );
    refused(
        |work| {
            let out = arg(&work.join("x.csv"));
            ["dbscan", &text_file(work, ROWS), "-o", &out, "--eps", "9m", "--min-points", "0"]
                .map(str::to_owned)
                .to_vec()
        },
        2,
        &["min-points"],
    );
}

#[test]
fn a_network_address_is_a_file_that_is_not_there() {
    for name in ["https://example.org/a.csv", "/vsicurl/https://example.org/a.gpkg", "MYSQL:dbname=x"] {
        refused(|work| run(name.to_owned(), work, &[]), 66, &["there is no file"]);
    }
    // A database is the exception, and this one nobody serves; what opens it is not told.
    let words = |work: &Path| {
        let database = format!("PG:dbname=x host={} password=secreto", arg(work));
        vec!["hotspots".to_owned(), database, "-o".to_owned(), arg(&work.join("out"))]
    };
    refused(words, 65, &["PostGIS database x"]);
}

#[test]
fn one_row_is_too_little_but_no_crash() {
    let dir = temp();
    let file = text_file(dir.path(), "lon,lat,fecha\n-83.51,-12.01,2024-01-05\n");
    let said = hotspots(&file, &dir.path().join("out"), &[]);
    assert!([0, 65].contains(&said.code), "{} {}", said.code, said.err);
    assert!(said.code == 0 || said.err.contains("help:"), "{}", said.err);
}

#[test]
fn an_error_under_json_is_an_object_too() {
    let said = brasa(["hotspots", "nowhere.csv", "-o", "/tmp/brasa-never", "--json"]);
    let error: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(error["exit"], 66);
    assert!(error["error"].is_string() && error["text"].as_str().unwrap().contains("nowhere.csv"));
}

#[test]
fn a_reader_who_goes_away_is_no_error() {
    let shell = format!("{} methods | head -1", brasa_tests::binary().display());
    let output = std::process::Command::new("bash").args(["-o", "pipefail", "-c", &shell]).output().unwrap();
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_full_disk_is_an_error_and_leaves_nothing() {
    // A disk of 64 KiB, where this machine lets us make one.
    let dir = temp();
    let disk = dir.path().join("disk");
    fs::create_dir(&disk).unwrap();
    let mount = std::process::Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=64k", "tmpfs"])
        .arg(&disk)
        .output();
    if !mount.is_ok_and(|output| output.status.success()) {
        println!("skipped: this machine does not let us mount a small disk");
        return;
    }
    let said = hotspots(&sample(), &disk.join("out"), &["--study-area", &city()]);
    let left: Vec<PathBuf> = fs::read_dir(&disk).unwrap().map(|entry| entry.unwrap().path()).collect();
    std::process::Command::new("umount").arg(&disk).output().unwrap();
    assert_eq!(said.code, 74, "{}", said.err);
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_curve_is_written_as_a_table_or_as_json_and_refused_elsewhere_before_reading() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).display().to_string();
    let ask = |file: &str, rule: &str, out: &str| {
        brasa(["bandwidth", file, "--rule", rule, "-o", out, "--only", "kind=HOMICIDIO", "--json"])
    };
    let incidents = "data/incidentes.csv";
    let said = ask(incidents, "diggle", &path("curve.csv"));
    assert!([0, 3].contains(&said.code), "{}", said.err);
    let table = fs::read_to_string(path("curve.csv")).unwrap();
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!((lines[0], lines.len()), ("sigma_m,criterion,optimum", 256));
    assert_eq!(lines.iter().filter(|line| line.ends_with(",1")).count(), 1);

    let said = ask(incidents, "scott", &path("closed.json"));
    assert!([0, 3].contains(&said.code), "{}", said.err);
    let text = fs::read_to_string(path("closed.json")).unwrap();
    let curve: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((curve["x"]["unit"].as_str(), curve["x"]["name"].as_str()), (Some("m"), Some("sigma_m")));
    assert!(curve["optimum"]["x"].as_f64().unwrap() > 0.0 && curve["y"][0]["values"][0].is_null());
    assert_eq!(curve["provenance"]["parameters"]["rule"], "scott");
    assert_eq!(curve["provenance"]["inputs"][0]["name"], "incidentes.csv");

    for ending in ["geojson", "tif", "gpkg", "txt"] {
        let said = ask("there-is-no-such-file.csv", "scott", &path(&format!("curve.{ending}")));
        assert_eq!(said.code, 2, "{ending}: {}", said.err);
        assert!(said.err.contains("write it to .csv, .json, .svg, .png or .pdf"), "{}", said.err);
    }
    let said = ask(incidents, "bcv", &path("other.csv"));
    assert!(said.code == 2 && said.err.contains("terrell-oversmooth"), "{}", said.err);
}

#[test]
fn a_density_by_a_rule_says_which_and_keeps_its_curve() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("density.csv").display().to_string();
    let flags = ["--bandwidth", "ppl", "--kernel", "gaussian", "--cell", "250m", "--only", "kind=HOMICIDIO"];
    let said = brasa(["kde", "data/incidentes.csv", "-o", &out, "--json"].into_iter().chain(flags));
    assert!([0, 3].contains(&said.code), "{}", said.err);
    let manifest: Value = serde_json::from_str(&said.out).unwrap();
    let rule = &manifest["parameters"]["bandwidth_rule"];
    assert_eq!(rule["rule"], "ppl");
    assert_eq!(rule["tried_m"].as_array().unwrap().len(), rule["criterion"].as_array().unwrap().len());
    let note = manifest["notes"].as_array().unwrap().iter().find(|note| note["code"] == "bandwidth_chosen");
    let note = note.unwrap();
    assert_eq!(note["unit"], "m");
    assert!(note["text"].as_str().unwrap().contains("by ppl"), "{note}");
    // The gaussian's bandwidth is the deviation itself, rounded to a millimetre.
    let (sigma, radius) = (rule["sigma_m"].as_f64().unwrap(), note["value"].as_f64().unwrap());
    assert!((sigma - radius).abs() <= 5e-4, "{sigma} {radius}");
}
