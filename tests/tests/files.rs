//! Several incident files at once, from files on disk to files on disk.

use std::fs;
use std::path::{Path, PathBuf};

use brasa_tests::{Said, brasa, real, root};
use serde_json::Value;
use tempfile::TempDir;

fn arg(path: &Path) -> String {
    path.display().to_string()
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

fn city() -> String {
    arg(&root().join("data/city.geojson"))
}

/// A folder with the sample city by year: `2022/hechos.csv` and so on, in the order of the years.
fn by_year() -> (TempDir, Vec<PathBuf>) {
    let text = fs::read_to_string(root().join("data/incidentes.csv")).unwrap();
    let (header, body) = text.split_once('\n').unwrap();
    let column = header.split(';').position(|name| name.contains("fecha")).unwrap();
    let year = |row: &&str| row.split(';').nth(column).is_some_and(|date| date.contains("2024"));
    let (last, before): (Vec<&str>, Vec<&str>) = body.lines().partition(year);
    assert!(last.len() > 500 && before.len() > 500, "{} and {} rows", before.len(), last.len());
    let dir = tempfile::tempdir().unwrap();
    let file = |(name, rows): (&str, Vec<&str>)| {
        let file = dir.path().join(name).join("hechos.csv");
        fs::create_dir(file.parent().unwrap()).unwrap();
        fs::write(&file, format!("{header}\n{}\n", rows.join("\n"))).unwrap();
        file
    };
    let files = [("2023", before), ("2024", last)].map(file).to_vec();
    (dir, files)
}

/// A cases and a population file of a made-up town: cases crowd in the west, people in both halves.
fn cases_and_population(dir: &Path) -> [PathBuf; 2] {
    let mut cases = "id;longitud;latitud;fecha\n".to_owned();
    let mut people = "id,lon,lat,personas\n".to_owned();
    for at in 0..300 {
        let (east, north) = (f64::from(at % 20) * 0.002, f64::from(at / 20) * 0.002);
        people.push_str(&format!("{at},{:.4},{:.4},{}\n", -83.52 + east, -12.03 + north, 1 + at % 5));
        if at % 20 < 10 || at % 6 == 0 {
            let place = format!("{:.4};{:.4}", -83.5199 + east, -12.0299 + north).replace('.', ",");
            cases.push_str(&format!("{at};{place};{:02}/01/2024\n", 1 + at % 28));
        }
    }
    let files = [("cases.csv", cases), ("population.csv", people)];
    files.map(|(name, text)| {
        let file = dir.join(name);
        fs::write(&file, text).unwrap();
        file
    })
}

fn run<'a>(words: impl IntoIterator<Item = &'a str>, files: &[PathBuf], more: &[&str]) -> Said {
    let words = words.into_iter().map(str::to_owned).chain(files.iter().map(|file| arg(file)));
    brasa(words.chain(more.iter().map(|&word| word.to_owned())))
}

#[test]
fn a_city_by_year_has_the_hotspots_of_the_city() {
    let (dir, files) = by_year();
    let features = |name: &str, files: &[PathBuf]| {
        let out = dir.path().join(name);
        let said = run(["hotspots"], files, &["-o", &arg(&out), "--study-area", &city(), "--id", "id_caso"]);
        assert_eq!((said.code, said.err.as_str()), (3, ""), "{}", said.out);
        let collection = json(&out.join("hotspots.geojson"));
        let raster = json(&out.join("manifest.json"))["parameters"].clone();
        (collection["features"].to_string(), raster)
    };
    let one = features("one", &[root().join("data/incidentes.csv")]);
    let reversed: Vec<PathBuf> = files.iter().rev().cloned().collect();
    assert!(one == features("two", &files) && one == features("reversed", &reversed));

    let manifest = json(&dir.path().join("two/manifest.json"));
    let inputs = manifest["inputs"].as_array().unwrap();
    let names: Vec<&str> = inputs.iter().map(|input| input["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["2023/hechos.csv", "2024/hechos.csv", "city.geojson"]);
    let whole = &json(&dir.path().join("one/manifest.json"))["inputs"][0];
    for key in ["read", "used", "filtered", "rejected", "duplicate"] {
        let sum: u64 = inputs[..2].iter().map(|input| input["rows"][key].as_u64().unwrap()).sum();
        assert_eq!(whole["rows"][key], sum, "{key}");
    }
    let table = fs::read_to_string(dir.path().join("two/rejects.csv")).unwrap();
    assert!(table.starts_with("file,line,reason,"), "{}", &table[..40]);
    assert!(table.contains("\r\n2023/hechos.csv,") && table.contains("\r\n2024/hechos.csv,"));
    let alone = fs::read_to_string(dir.path().join("one/rejects.csv")).unwrap();
    assert!(alone.starts_with("line,reason,"));
    assert_eq!(alone.lines().count(), table.lines().count());
}

#[test]
fn a_pattern_in_a_pipeline_is_expanded_and_printed_as_it_was_given() {
    let (dir, files) = by_year();
    let (pattern, out) = (arg(&dir.path().join("20*/hechos.csv")), dir.path().join("out"));
    let words = ["hotspots", &pattern, "-o", &arg(&out), "--study-area", &city()].map(str::to_owned);
    let printed = brasa(words.iter().chain(&["--print-pipeline".to_owned()]));
    assert!(printed.out.contains("20*/hechos.csv"), "{}", printed.out);
    let saved = dir.path().join("saved.toml");
    fs::write(&saved, printed.out).unwrap();
    let said = brasa(["run", &arg(&saved)]);
    assert_eq!((said.code, said.err.as_str()), (3, ""));
    assert!(said.out.contains("of 2 files") && said.out.contains("2024/hechos.csv"), "{}", said.out);

    let printed = run(["hotspots"], &files, &["-o", &arg(&out), "--study-area", &city(), "--print-pipeline"]);
    assert!(printed.out.contains("files = ["), "{}", printed.out);
    fs::write(&saved, printed.out).unwrap();
    let first = fs::read(out.join("hotspots.geojson")).unwrap();
    let said = brasa(["run", &arg(&saved), "--force", "-q"]);
    assert_eq!((said.code, said.err.as_str()), (3, ""));
    assert!(first == fs::read(out.join("hotspots.geojson")).unwrap());

    let said =
        brasa(["kde", &arg(&dir.path().join("19*/hechos.csv")), "-o", &arg(&dir.path().join("d.tif"))]);
    assert_eq!(said.code, 66);
    assert!(said.err.contains("19*/hechos.csv"), "{}", said.err);
}

#[test]
fn cases_against_a_population_in_a_file_of_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let files = cases_and_population(dir.path());
    let ratio = |name: &str, cases: &str| {
        let out = arg(&dir.path().join(name));
        let more = ["-o", &out, "--cases", cases, "--weight", "personas", "--cell", "200m", "--json"];
        run(["kde-ratio"], &files, &[&more[..], &["--bandwidth", "1km"]].concat())
    };
    let said = ratio("ratio.csv", "file=CASES.csv");
    assert_eq!((said.code, said.err.as_str()), (0, ""), "{}", said.out);
    let manifest: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(manifest["parameters"]["cases"], "file=CASES.csv");
    assert_eq!(manifest["inputs"][0]["rows"]["used"], 175);
    assert_eq!(manifest["inputs"][1]["rows"]["used"], 300);
    let told = |code: &str| {
        let notes = manifest["notes"].as_array().unwrap();
        notes
            .iter()
            .filter(|note| note["code"] == code)
            .map(|note| note["text"].to_string())
            .collect::<String>()
    };
    assert!(told("role_missing").contains("cases.csv: no column with the weight"), "{manifest}");
    assert!(told("role_missing").contains("population.csv: no column with the time"), "{manifest}");
    // The ratio is above 0 in the west, where cases crowd, and below in the east.
    let mut table = csv::Reader::from_path(dir.path().join("ratio.csv")).unwrap();
    let cells: Vec<(f64, f64)> = table
        .records()
        .map(|row| row.unwrap())
        .filter_map(|row| Some((row[0].parse().ok()?, row[2].parse().ok()?)))
        .collect();
    let middle = cells.iter().map(|cell| cell.0).sum::<f64>() / cells.len() as f64;
    let mean = |west: bool| {
        let half: Vec<f64> =
            cells.iter().filter(|cell| (cell.0 < middle) == west).map(|cell| cell.1).collect();
        half.iter().sum::<f64>() / half.len() as f64
    };
    assert!(mean(true) > 0.1 && mean(false) < -0.1, "{} {}", mean(true), mean(false));

    let said = ratio("other.csv", "file=case.csv");
    assert_eq!(said.code, 2);
    for word in ["no file \"case.csv\"", "did you mean \"cases.csv\"?", "population.csv"] {
        assert!(said.err.contains(word), "no \"{word}\" in {}", said.err);
    }
    let out = arg(&dir.path().join("other.csv"));
    let said = run(["kde-ratio"], &files[..1], &["-o", &out, "--cases", "file=cases.csv"]);
    assert_eq!(said.code, 2);
    assert!(said.err.contains("one file"), "{}", said.err);
}

#[test]
fn labels_say_which_file() {
    let dir = tempfile::tempdir().unwrap();
    let files = cases_and_population(dir.path());
    let (out, labels) = (arg(&dir.path().join("c.csv")), dir.path().join("labels.csv"));
    let said = run(["dbscan"], &files, &["-o", &out, "--labels", &arg(&labels), "--eps", "300m", "-q"]);
    assert_eq!((said.code, said.err.as_str()), (0, ""));
    let rows: Vec<csv::StringRecord> =
        csv::Reader::from_path(&labels).unwrap().records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 475);
    assert_eq!((&rows[0][0], &rows[0][1]), ("cases.csv", "2"));
    assert_eq!((&rows[175][0], &rows[175][1]), ("population.csv", "2"));
}

#[test]
fn no_input_is_overwritten_and_none_is_read_twice() {
    let dir = tempfile::tempdir().unwrap();
    let files = cases_and_population(dir.path());
    let before = fs::read(&files[1]).unwrap();
    let said = run(["kde"], &files, &["-o", &arg(&files[1]), "--force", "--cell", "100m"]);
    assert_eq!(said.code, 73, "{}", said.err);
    assert!(said.err.contains("input") && before == fs::read(&files[1]).unwrap());
    let twice = [&files[..], &files[..1]].concat();
    let said = run(["kde"], &twice, &["-o", &arg(&dir.path().join("d.csv"))]);
    assert_eq!(said.code, 2, "{}", said.err);
    assert!(said.err.contains("named twice"), "{}", said.err);
    let mut missing = files.to_vec();
    missing.push(dir.path().join("gone.csv"));
    let said = run(["kde"], &missing, &["-o", &arg(&dir.path().join("d.csv"))]);
    assert_eq!(said.code, 66, "{}", said.err);
    assert!(said.err.contains("gone.csv"), "{}", said.err);
}

#[test]
fn many_files_are_told_in_a_few_lines() {
    let dir = tempfile::tempdir().unwrap();
    let files: Vec<PathBuf> = (0..24)
        .map(|at| {
            let file = dir.path().join(format!("{at:02}.csv"));
            let rows: String =
                (0..20).map(|row| format!("-83.5{row:02},-12.0{at:02},2024-01-{:02}\n", row + 1)).collect();
            fs::write(&file, format!("lon,lat,fecha\n{rows}")).unwrap();
            file
        })
        .collect();
    let said = run(["kde"], &files, &["-o", &arg(&dir.path().join("d.csv")), "--cell", "200m"]);
    assert_eq!((said.code, said.err.as_str()), (0, ""));
    assert!(
        said.out.contains("480 rows of 24 files") && said.out.contains("… 15 more files"),
        "{}",
        said.out
    );
    assert!(said.out.contains("all 24 files: columns recognised"), "{}", said.out);
    assert!(said.out.lines().count() < 30, "{}", said.out);
}

#[test]
fn five_months_of_leicestershire() {
    let Some(first) = real("uk_police/raw/2018-10-leicestershire-street.csv.gz") else { return };
    let dir = tempfile::tempdir().unwrap();
    let pattern = arg(&first.parent().unwrap().join("*-leicestershire-street.csv.gz"));
    let out = arg(&dir.path().join("d.csv"));
    let said = brasa(["kde", &pattern, "-o", &out, "--cell", "1km", "--id", "Crime ID", "--json"]);
    assert_eq!((said.code, said.err.as_str()), (3, ""));
    let manifest: Value = serde_json::from_str(&said.out).unwrap();
    let inputs = manifest["inputs"].as_array().unwrap();
    let sum = |key: &str| inputs.iter().map(|input| input["rows"][key].as_u64().unwrap()).sum::<u64>();
    assert_eq!((inputs.len(), sum("read"), sum("duplicate")), (5, 42_855, 0));
    let missing: u64 =
        inputs.iter().map(|input| input["rejected_by_reason"]["coord_missing"].as_u64().unwrap()).sum();
    assert_eq!(missing, 1288);
}
