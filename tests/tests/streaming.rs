//! A density of a file read in pieces: the same as of the file in memory, whatever the pieces, with the same account.

use std::fs;
use std::io::Write;
use std::ops::ControlFlow;
use std::path::Path;

use brasa_engine::{Manifest, Pieces, Pipeline, run_watched};
use brasa_tests::{Said, brasa, root};
use serde_json::Value;
use tempfile::TempDir;

fn arg(path: &Path) -> String {
    path.display().to_string()
}

/// Runs a density into a folder, and gives its values in the order of the cells, its rejects and its manifest.
fn density(file: &str, kde: &str, stream: bool, rows: usize) -> (Vec<f64>, Vec<u8>, Manifest) {
    let dir = tempfile::tempdir().unwrap();
    let (out, city) = (dir.path().join("d.csv"), root().join("data/city.geojson"));
    let toml = format!(
        "[input]\nfile = {file:?}\nstudy-area = {city:?}\nstream = {stream}\n[kde]\n{kde}\n[output]\npath = {out:?}\n"
    );
    let pipeline = Pipeline::from_toml(&toml).unwrap();
    let pieces = Pieces { rows, ..Pieces::default() };
    let outcome = run_watched(&pipeline, "test", pieces, &|_| ControlFlow::Continue(())).unwrap();
    let mut table = csv::Reader::from_path(&out).unwrap();
    let values = table.records().map(|row| row.unwrap()[2].parse().unwrap()).collect();
    (values, fs::read(dir.path().join("d.rejects.csv")).unwrap(), outcome.manifest)
}

fn sample() -> String {
    arg(&root().join("data/incidentes.csv"))
}

/// The greatest difference as a share of the peak.
fn apart(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    let peak = a.iter().copied().fold(0.0, f64::max);
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max) / peak
}

#[test]
fn in_pieces_and_in_memory_are_the_same_density() {
    for kde in [
        "cell = \"60m\"\nbandwidth = \"400m\"",
        "grid = \"300x200\"\nbandwidth = \"350m\"\nkernel = \"gaussian\"",
        "cell = \"80m\"\nbandwidth = \"500m\"\nedge = \"uniform\"",
        "cell = \"80m\"\nbandwidth = \"500m\"\nedge = \"jones-diggle\"\nkernel = \"triweight\"",
    ] {
        let (whole, rejects, manifest) = density(&sample(), kde, false, 0);
        for rows in [311, 5000] {
            let (pieces, pieces_rejects, pieces_manifest) = density(&sample(), kde, true, rows);
            let apart = apart(&whole, &pieces);
            assert!(apart <= 1e-12, "{kde}, {rows} rows a piece: {apart:e} of the peak");
            assert_eq!(pieces_rejects, rejects);
            assert_eq!(pieces_manifest.inputs, manifest.inputs);
            assert_eq!(pieces_manifest.parameters["streamed"], true);
            assert_eq!(pieces_manifest.parameters["rows_per_piece"], rows);
            assert!(manifest.parameters.get("streamed").is_none());
        }
    }
}

#[test]
fn the_same_pieces_give_the_same_bits_on_any_number_of_threads() {
    let kde = "cell = \"60m\"\nbandwidth = \"400m\"";
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| density(&sample(), kde, true, 700).0)
    };
    let one = on(1);
    for threads in [2, 5] {
        assert_eq!(one, on(threads), "{threads} threads");
    }
}

#[test]
fn a_gzipped_file_streams_too() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("incidentes.csv.gz");
    let mut packed =
        flate2::write::GzEncoder::new(fs::File::create(&file).unwrap(), flate2::Compression::fast());
    packed.write_all(&fs::read(sample()).unwrap()).unwrap();
    packed.finish().unwrap();
    let kde = "cell = \"100m\"\nbandwidth = \"400m\"";
    assert_eq!(density(&arg(&file), kde, true, 900).0, density(&sample(), kde, true, 900).0);
}

/// `brasa` on the sample with an output in a fresh folder.
fn stream(method: &str, more: &[&str]) -> (TempDir, Said) {
    let dir = tempfile::tempdir().unwrap();
    let (file, out) = (sample(), arg(&dir.path().join("out.csv")));
    let mut args = vec![method, &file, "-o", &out, "--stream"];
    args.extend(more);
    let said = brasa(args);
    (dir, said)
}

#[test]
fn what_cannot_be_streamed_is_refused_before_the_file_is_read() {
    let city = arg(&root().join("data/city.geojson"));
    let given = ["--study-area", &city, "--bandwidth", "500m", "--cell", "200m"];
    let without = |left: &str| -> Vec<&str> {
        given.chunks(2).filter(|pair| pair[0] != left).flatten().copied().collect()
    };
    let cases: [(&str, Vec<&str>, &[&str]); 7] = [
        ("kde", without("--study-area"), &["--study-area", "must be given"]),
        ("kde", without("--bandwidth"), &["--bandwidth", "neighbourhood", "length"]),
        ("kde", [&without("--bandwidth")[..], &["--bandwidth", "scott"]].concat(), &["--bandwidth", "scott"]),
        ("kde", without("--cell"), &["--cell", "spacing", "--grid"]),
        ("kde", [&given[..], &["--id", "id_caso"]].concat(), &["--id", "memory"]),
        ("gi-star", vec!["--study-area", &city], &["--stream", "gi-star", "only kde"]),
        ("hotspots", vec!["--study-area", &city], &["--stream", "hotspots", "only kde"]),
    ];
    for (method, more, words) in cases {
        let (dir, said) = stream(method, &more);
        assert_eq!(said.code, 2, "{method} {more:?}: {}", said.err);
        for word in words {
            assert!(said.err.contains(word), "no \"{word}\" in {}", said.err);
        }
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0, "{method} left something behind");
    }
}

#[test]
fn a_streamed_command_runs_says_nothing_more_and_prints_itself() {
    let city = arg(&root().join("data/city.geojson"));
    let more = ["--study-area", &city, "--bandwidth", "500m", "--grid", "100x80"];
    let (dir, said) = stream("kde", &more);
    assert_eq!((said.code, said.err.as_str()), (3, ""), "no meter where there is no terminal");
    let first = fs::read(dir.path().join("out.csv")).unwrap();

    let printed = stream("kde", &[&more[..], &["--print-pipeline"]].concat()).1.out;
    assert!(printed.contains("stream = true"), "{printed}");
    let pipeline = Pipeline::from_toml(&printed).unwrap();
    assert!(pipeline.input.stream);
    assert_eq!(Pipeline::from_toml(&pipeline.to_toml().unwrap()).unwrap(), pipeline);

    let (dir, said) = stream("kde", &[&more[..], &["--json", "--threads", "1"]].concat());
    let manifest: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(manifest["parameters"]["streamed"], true);
    assert_eq!(fs::read(dir.path().join("out.csv")).unwrap(), first);
}
