//! `brasa inspect`, as a person meets it: the report, the object, the page.

use std::ffi::OsStr;
use std::path::Path;

use brasa_tests::{Said, brasa, real};

#[test]
fn the_sample_city_is_told_and_its_command_runs() {
    let said = brasa(["inspect", "data/incidentes.csv"]);
    assert_eq!(said.code, 3, "{}", said.err);
    let next = said.out.lines().find_map(|line| line.strip_prefix("Next       brasa ")).unwrap();
    for wanted in ["Places ", "Times ", "Columns ", "Would use "] {
        assert!(said.out.contains(wanted), "{wanted}");
    }
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("hotspots");
    let line = next.replace("-o hotspots", &format!("-o {} --replicates 0", out.display()));
    let ran = brasa(line.split_whitespace());
    assert_eq!(ran.code, 3, "{}", ran.err);
    assert!(out.join("hotspots.geojson").exists());
}

#[test]
fn the_object_holds_what_the_report_says() {
    let said = brasa(["inspect", "data/incidentes.csv", "--json"]);
    let found: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    let rows = &found["rows"];
    let sum: u64 =
        ["used", "filtered", "rejected", "duplicate"].iter().map(|key| rows[key].as_u64().unwrap()).sum();
    assert_eq!(rows["read"].as_u64(), Some(sum));
    assert_eq!(found["files"][0]["rows"], rows["read"]);
    assert!(found["command"].as_str().unwrap().starts_with("brasa hotspots data/incidentes.csv "));
}

fn to_page(path: &Path, page: &Path) -> Said {
    brasa([OsStr::new("inspect"), path.as_os_str(), OsStr::new("-o"), page.as_os_str()])
}

#[test]
fn the_page_asks_nothing_of_anyone_and_runs_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("hostile.csv");
    let hostile = "<script>alert(1)</script>";
    let rows: String = (0..9).map(|at| format!("-74.1{at},4.6,\"{hostile}\"\n")).collect();
    std::fs::write(&path, format!("lon,lat,\"<img src=x onerror=alert(1)>\"\n{rows}")).unwrap();
    let page = dir.path().join("page.html");
    let said = to_page(&path, &page);
    assert_eq!(said.code, 0, "{}", said.err);
    let text = std::fs::read_to_string(&page).unwrap();
    assert!(text.contains("default-src 'none'") && text.contains("&lt;script&gt;"));
    for banned in ["<script", "<img", "http:", "https:", "url("] {
        assert!(!text.contains(banned), "{banned}");
    }
    let again = to_page(&path, &page);
    assert_eq!(again.code, 73, "what is there is not replaced without --force");
    let wrong = dir.path().join("page.pdf");
    let said = to_page(&path, &wrong);
    assert_eq!(said.code, 2);
    assert!(said.err.contains(".html"), "{}", said.err);
}

#[test]
fn real_exports_are_told_for_what_they_are() {
    for (file, code, wanted) in [
        ("mx_cdmx/cdmx_car_jacking.gpkg", 3, vec!["152 rows are at (0, 0)"]),
        ("us_houston/houston_crime_2010.csv.gz", 3, vec!["Houston crime, 2010", "lie far from the others"]),
        ("us_nyc/nyc_shootings_2006_2023.csv.gz", 0, vec!["6036 rows have an id in \"INCIDENT_KEY\""]),
        ("co_bogota/bogota_hurto_bicicletas_upz.csv.gz", 65, vec!["planning zone (UPZ"]),
        ("us_chicago/chicago_arson.csv.gz", 65, vec!["--crs EPSG:CODE"]),
        (
            "uk_police/raw/2018-10-leicestershire-street.csv.gz",
            3,
            vec!["profile police-uk-street", "known to: "],
        ),
    ] {
        let Some(path) = real(file) else { continue };
        let said = brasa([OsStr::new("inspect"), path.as_os_str()]);
        assert_eq!(said.code, code, "{file}\n{}\n{}", said.out, said.err);
        for text in wanted {
            assert!(said.out.contains(text), "{file}: {text}\n{}", said.out);
        }
    }
}
