//! Real exports with their real dirt. They are not part of the repository; without them these tests say "skipped".

use std::collections::BTreeMap;

use brasa_tests::{brasa, real};
use serde_json::Value;

/// What must come of a file: rows read, rows used, and rejected rows by reason.
struct Expected {
    file: &'static str,
    flags: &'static [&'static str],
    read: u64,
    used: u64,
    rejected: &'static [(&'static str, u64)],
    crs: &'static str,
}

fn check(expected: &Expected) {
    let Some(file) = real(expected.file) else { return };
    let dir = tempfile::tempdir().unwrap();
    let (file, out) = (file.display().to_string(), dir.path().join("out").display().to_string());
    let mut args = vec!["hotspots", &file, "-o", &out, "--json"];
    args.extend(expected.flags);
    let said = brasa(args);
    let wanted = if expected.rejected.is_empty() { 0 } else { 3 };
    assert_eq!((said.code, said.err.as_str()), (wanted, ""), "{}", expected.file);
    let manifest: Value = serde_json::from_str(&said.out).unwrap();
    let input = &manifest["inputs"][0];
    let rows = |key: &str| input["rows"][key].as_u64().unwrap();
    assert_eq!(rows("read"), rows("used") + rows("filtered") + rows("rejected") + rows("duplicate"));
    assert_eq!((rows("read"), rows("used")), (expected.read, expected.used), "{}: {input}", expected.file);
    let reasons: BTreeMap<String, u64> =
        serde_json::from_value(input["rejected_by_reason"].clone()).unwrap_or_default();
    let reasons: Vec<(&str, u64)> = reasons.iter().map(|(reason, &count)| (reason.as_str(), count)).collect();
    assert_eq!(reasons, expected.rejected, "{}", expected.file);
    assert_eq!(input["crs_out"], expected.crs, "{}", expected.file);
    let collection: Value =
        serde_json::from_slice(&std::fs::read(dir.path().join("out/hotspots.geojson")).unwrap()).unwrap();
    let features = collection["features"].as_array().unwrap();
    assert!(!features.is_empty(), "{}: no hotspot", expected.file);
    let shares: f64 = features.iter().map(|feature| feature["properties"]["share"].as_f64().unwrap()).sum();
    assert!((0.02..0.95).contains(&shares), "{}: hotspots hold {shares} of all incidents", expected.file);
    for feature in features {
        assert!(
            feature["properties"]["pai"].as_f64().unwrap() > 1.0,
            "{}: {}",
            expected.file,
            feature["properties"]
        );
    }
}

#[test]
fn memphis_robberies() {
    check(&Expected {
        file: "us_memphis/memphis_robberies.gpkg",
        flags: &[],
        read: 2245,
        used: 2245,
        rejected: &[],
        crs: "EPSG:32616",
    });
}

#[test]
fn medellin_homicides() {
    check(&Expected {
        file: "co_medellin/medellin_homicides.csv",
        flags: &[],
        read: 9360,
        used: 9279,
        rejected: &[("coord_missing", 81)],
        crs: "EPSG:32618",
    });
}

#[test]
fn mexico_city_car_robbery() {
    check(&Expected {
        file: "mx_cdmx/cdmx_car_jacking.gpkg",
        flags: &[],
        read: 2811,
        used: 2659,
        rejected: &[("coord_zero", 152)],
        crs: "EPSG:32614",
    });
}

#[test]
fn chicago_assaults() {
    check(&Expected {
        file: "us_chicago/chicago_aggravated_assaults.csv.gz",
        flags: &[],
        read: 148_636,
        used: 148_636,
        rejected: &[],
        crs: "EPSG:32616",
    });
}

#[test]
fn houston() {
    check(&Expected {
        file: "us_houston/houston_crime_2010.csv.gz",
        flags: &[],
        read: 86_314,
        used: 86_081,
        rejected: &[("coord_missing", 5), ("far_from_the_rest", 228)],
        crs: "EPSG:32615",
    });
}

#[test]
fn ten_uk_forces() {
    check(&Expected {
        file: "uk_police/uk_street_10forces_2018-10_2019-02.csv.gz",
        flags: &[],
        read: 683_089,
        used: 661_225,
        rejected: &[("coord_missing", 21_841), ("far_from_the_rest", 23)],
        crs: "EPSG:32630",
    });
}
