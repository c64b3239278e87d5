//! Real files, with all their dirt. They live outside the repository; without them these tests say so and pass.

use std::path::PathBuf;

use crate::common::{codes, reasons, starts};
use brasa_ingest::{Ingested, InputOptions, read};
use brasa_model::Diagnose;

fn data(file: &str) -> Option<PathBuf> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(file);
    let here = path.exists();
    if !here {
        #[expect(clippy::print_stdout, reason = "a skipped test says so")]
        {
            println!("skipped: {file} is not here");
        }
    }
    here.then_some(path)
}

struct Case {
    file: &'static str,
    crs: Option<&'static str>,
    read: u64,
    used: u64,
    reasons: &'static [(&'static str, u64)],
    epsg: u32,
}

fn check(case: &Case) -> Option<Ingested> {
    let path = data(case.file)?;
    let options = InputOptions { crs: case.crs.map(str::to_owned), ..InputOptions::default() };
    let found = read(&[&path], &options).unwrap_or_else(|error| panic!("{}: {error}", case.file));
    assert_eq!((found.account.read, found.account.used), (case.read, case.used), "{}", case.file);
    assert_eq!(reasons(&found).into_iter().collect::<Vec<_>>(), case.reasons, "{}", case.file);
    assert_eq!(found.incidents.crs.epsg(), case.epsg, "{}", case.file);
    for (&x, &y) in found.incidents.x.iter().zip(&found.incidents.y) {
        assert!(found.incidents.window.contains(x, y), "{}: {x} {y}", case.file);
    }
    Some(found)
}

#[test]
fn medellin_has_semicolons_decimal_commas_and_rows_without_a_place() {
    let case = Case {
        file: "co_medellin/medellin_homicides.csv",
        crs: None,
        read: 9360,
        used: 9279,
        reasons: &[("coord_missing", 81)],
        epsg: 32_618,
    };
    let Some(found) = check(&case) else { return };
    for code in ["delimiter_guessed", "decimal_comma", "times_as_written", "profile", "study_area_chosen"] {
        assert!(codes(&found).contains(&code), "{code}");
    }
    assert_eq!(starts(&found)[0], "2019-04-23T12:30:00 +1");
}

#[test]
fn houston_has_its_dates_decided_its_hours_joined_and_its_strays_set_aside() {
    let case = Case {
        file: "us_houston/houston_crime_2010.csv.gz",
        crs: None,
        read: 86_314,
        used: 86_081,
        reasons: &[("coord_missing", 5), ("far_from_the_rest", 228)],
        epsg: 32_615,
    };
    let Some(found) = check(&case) else { return };
    assert_eq!(
        (found.columns[0].time.as_deref(), found.columns[0].hour.as_deref()),
        (Some("date"), Some("hour"))
    );
    assert_eq!(
        starts(&found)[0],
        "2010-01-01T00:00:00 +3600",
        "local midnight, not the 06:00 of the UTC column"
    );
    assert!(codes(&found).contains(&"profile"), "its profile says that the month comes first");
    let options = InputOptions { profile: Some("none".to_owned()), ..InputOptions::default() };
    let plain = read(&[data(case.file).unwrap()], &options).unwrap();
    assert!(codes(&plain).contains(&"date_format"), "and so do the dates themselves");
    assert_eq!(starts(&plain), starts(&found));
}

#[test]
fn the_uk_knows_months_and_snap_points() {
    let case = Case {
        file: "uk_police/uk_street_10forces_2018-10_2019-02.csv.gz",
        crs: None,
        read: 683_089,
        used: 661_225,
        reasons: &[("coord_missing", 21_841), ("far_from_the_rest", 23)],
        epsg: 32_630,
    };
    let Some(found) = check(&case) else { return };
    assert_eq!(starts(&found)[0], "2018-10-01T00:00:00 +2678400");
    assert_eq!(found.columns[0].kind.as_deref(), Some("Crime type"));
    assert_eq!(found.incidents.kinds.as_ref().unwrap().names.len(), 14);
}

#[test]
fn cities_of_the_united_states_are_read() {
    let cases = [
        ("us_chicago/chicago_aggravated_assaults.csv.gz", None, 148_636, 148_636, 32_616),
        ("us_chicago/chicago_breaking_entering_2016.csv.gz", Some("EPSG:26971"), 11_701, 11_701, 26_971),
        ("us_chicago/chicago_carjackings_2020.geojson.gz", None, 1412, 1412, 32_616),
        ("golden/memphis_robberies.csv", None, 2245, 2245, 32_616),
        ("golden/chicago_arson_2016.csv", Some("EPSG:26971"), 522, 522, 26_971),
    ];
    for (file, crs, read, used, epsg) in cases {
        check(&Case { file, crs, read, used, reasons: &[], epsg });
    }
    // 41 rows lack longitude and latitude but have the coordinates of the state's system, which the profile reads.
    let case = Case {
        file: "us_nyc/nyc_shootings_2006_2023.csv.gz",
        crs: None,
        read: 27_939,
        used: 27_939,
        reasons: &[],
        epsg: 32_618,
    };
    if let Some(found) = check(&case) {
        assert_eq!(starts(&found)[0], "2021-05-27T21:30:00 +1");
        let by_id = InputOptions { id: Some("INCIDENT_KEY".to_owned()), ..InputOptions::default() };
        let incidents = read(&[data(case.file).unwrap()], &by_id).unwrap();
        assert_eq!(incidents.account.used + incidents.account.duplicate, 27_939);
        assert!(incidents.account.duplicate > 1000, "victims of one shooting share its key");
    }
}

#[test]
fn metres_without_a_system_are_refused() {
    let Some(path) = data("us_chicago/chicago_breaking_entering_2016.csv.gz") else { return };
    let error = read(&[&path], &InputOptions::default()).unwrap_err();
    assert_eq!(error.code(), "crs_unknown");
    assert!(error.to_string().contains("340350.427788"), "{error}");
}

#[test]
fn memphis_lands_where_sf_puts_it() {
    let Some(found) = check(&Case {
        file: "golden/memphis_robberies.csv",
        crs: None,
        read: 2245,
        used: 2245,
        reasons: &[],
        epsg: 32_616,
    }) else {
        return;
    };
    // utm_x and utm_y of the first row, as R's sf wrote them.
    assert!((found.incidents.x[0] - 231_985.161_661_729).abs() < 1e-6);
    assert!((found.incidents.y[0] - 3_893_530.255_009_26).abs() < 1e-6);
}

#[cfg(feature = "gdal")]
#[test]
fn files_for_gdal_are_read() {
    for (file, read, used, reasons, epsg) in [
        ("us_memphis/memphis_robberies.gpkg", 2245, 2245, [].as_slice(), 32_616),
        ("mx_cdmx/cdmx_car_jacking.gpkg", 2811, 2659, &[("coord_zero", 152)], 32_614),
        ("ca_montreal/bike_accidents.gpkg", 347, 347, &[], 3797),
    ] {
        check(&Case { file, crs: None, read, used, reasons, epsg });
    }
    let (Some(incidents), Some(area)) =
        (data("us_memphis/memphis_robberies.gpkg"), data("us_memphis/memphis_precincts.gpkg"))
    else {
        return;
    };
    let options = InputOptions { study_area: Some(area), ..InputOptions::default() };
    let found = read(&[&incidents], &options).unwrap();
    assert_eq!(found.account.used + reasons(&found).get("outside_study_area").copied().unwrap_or(0), 2245);
    assert!(found.account.used > 2000, "{:?}", found.account);
    let Some(elsewhere) = data("mx_cdmx/cdmx_alcaldias.gpkg") else { return };
    let options = InputOptions { study_area: Some(elsewhere), ..InputOptions::default() };
    assert_eq!(read(&[&incidents], &options).unwrap_err().code(), "study_area_misses");
}

#[cfg(feature = "gdal")]
#[test]
fn official_boundaries_are_study_areas() {
    for (incidents, area, least, km2) in [
        (
            "us_chicago/chicago_carjackings_2020.geojson.gz",
            "us_chicago/chicago_police_districts.kml",
            0.99,
            591.0..611.0,
        ),
        ("co_medellin/medellin_homicides.csv", "co_medellin/medellin_comunas.gpkg", 0.99, 360.0..390.0),
        ("us_nyc/nyc_shootings_2006_2023.csv.gz", "us_nyc/nyc_boroughs.gpkg", 0.99, 760.0..800.0),
        ("mx_cdmx/cdmx_car_jacking.gpkg", "mx_cdmx/cdmx_alcaldias.gpkg", 0.90, 1450.0..1530.0),
    ] {
        let (Some(path), Some(boundary)) = (data(incidents), data(area)) else { continue };
        let options = InputOptions { study_area: Some(boundary), ..InputOptions::default() };
        let found = read(&[&path], &options).unwrap_or_else(|error| panic!("{area}: {error}"));
        let outside = reasons(&found).get("outside_study_area").copied().unwrap_or(0);
        let share = found.account.used as f64 / (found.account.used + outside) as f64;
        assert!(share > least, "{area}: {share}");
        let area_km2 = found.incidents.window.area_km2();
        assert!(km2.contains(&area_km2), "{area}: {area_km2} km²");
    }
}

#[cfg(feature = "gdal")]
#[test]
fn a_report_without_coordinates_is_refused() {
    let Some(path) = data("mx_cdmx/cdmx_cuadrante_delitos_2013_2016_275416.xlsx") else { return };
    assert_eq!(read(&[&path], &InputOptions::default()).unwrap_err().code(), "no_coordinates");
}
