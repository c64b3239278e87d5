//! Plans, from a file of incidents to a folder that people work from; patrols under a checker that shares no code with the planner.

use std::collections::BTreeMap;
use std::fs;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::process::Command;

use brasa_export::Lang;
use brasa_model::{
    Chance, Crs, Depot, DrawnBy, Layer, PatrolPlan, PlanArea, PlanBriefing, Provenance, Style,
};
use brasa_planning::demand;
use brasa_planning::patrol::{PatrolInput, PatrolParams, PatrolRules, Units, Wanted, patrol};
use brasa_planning::shifts::{ShiftTimes, roster};
use brasa_planning::travel::Travel;
use brasa_tests::{Said, brasa, real, root};
use geo::{Coord, MultiPolygon, Rect};
use serde_json::{Value, json};

use crate::plan_page::known;

const PYTHON: &str = "/usr/bin/python3";

pub fn path(name: &str) -> String {
    root().join("data").join(name).display().to_string()
}

/// `brasa plan KIND data/incidentes.csv --study-area data/city.geojson -o DIR …`.
pub fn plan(kind: &str, dir: &Path, more: &[&str]) -> Said {
    let (incidents, city, dir) = (path("incidentes.csv"), path("city.geojson"), dir.display().to_string());
    let mut args = vec!["plan", kind, &incidents, "--study-area", &city, "-o", &dir];
    args.extend(more);
    brasa(args)
}

fn json_of(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read(&path).unwrap()))
        .collect()
}

/// What the checker says of plans; `None` where there is no Python.
fn checked(plans: &[PathBuf]) -> Option<(bool, String)> {
    let output = Command::new(PYTHON).arg(root().join("tests/check_plan.py")).args(plans).output();
    let Ok(output) = output else {
        println!("skipped: there is no {PYTHON}");
        return None;
    };
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    Some((output.status.success(), said))
}

/// Whatever a plan says of itself is said in Spanish and Portuguese, too.
fn is_spoken(made: &Value) {
    let texts = made["facts"].as_array().unwrap().iter().map(|fact| &fact["text"]);
    for text in texts.chain(made["limits"].as_array().unwrap()) {
        let text = text.as_str().unwrap();
        for lang in [Lang::ES, Lang::PT] {
            assert_ne!(lang.say(text), text, "{}", lang.code());
        }
    }
    for note in made["notes"].as_array().unwrap() {
        let key = format!("note: {}", note["code"].as_str().unwrap());
        for lang in [Lang::ES, Lang::PT] {
            assert_ne!(lang.say(&key), key, "{}", lang.code());
        }
    }
}

const PATROL: [&str; 8] =
    ["--shift", "14:00-22:00,22:00-06:00", "--units", "2..4", "--tz", "America/Lima", "--days", "3"];

#[test]
fn a_patrol_of_the_sample_city_is_lawful_whole_and_the_same_again() {
    let dir = tempfile::tempdir().unwrap();
    let stations = path("estaciones.csv");
    let run = |name: &str, more: &[&str]| {
        let to = dir.path().join(name);
        let said = plan("patrol", &to, &[&PATROL[..], &["--depots", &stations], more].concat());
        assert_eq!(said.code, 3, "{}{}", said.out, said.err);
        to
    };
    let (one, two) =
        (run("one", &["--threads", "1", "--lang", "es"]), run("two", &["--threads", "3", "--lang", "es"]));
    let (left, right) = (files(&one), files(&two));
    for (name, bytes) in &left {
        // The manifest holds the command, which names the folder.
        if !["manifest.json", "plan.json", "report.html"].contains(&name.as_str()) {
            assert!(right[name] == *bytes, "{name} differs");
        }
    }
    let page = |folder: &Path| {
        let mut page = known(&folder.join("report.html"));
        page.as_object_mut().unwrap().remove("command");
        page
    };
    assert!(page(&one) == page(&two), "report.html differs in more than its command");
    for name in [
        "plan.csv",
        "plan.json",
        "routes.gpx",
        "sheets.html",
        "report.html",
        "unit-01.ics",
        "unit-04.ics",
        "coverage.csv",
        "map.png",
        "areas.geojson",
        "brasa.qgz",
        "plan.gpkg",
        "manifest.json",
        "rejects.csv",
    ] {
        assert!(left.contains_key(name), "{name} is missing: {:?}", left.keys());
    }
    let made = json_of(&one.join("plan.json"));
    assert_eq!(made["schedule"]["tours"], json_of(&two.join("plan.json"))["schedule"]["tours"]);
    is_spoken(&made);
    let other = json_of(&run("three", &["--seed", "2"]).join("plan.json"));
    assert_ne!(made["schedule"]["tours"], other["schedule"]["tours"], "another seed is another order");
    if let Some((lawful, said)) = checked(&[one.join("plan.json")]) {
        assert!(lawful, "{said}");
    }

    // Every visit is a row, an event and a point of a route.
    let visits = made["schedule"]["tours"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|tour| tour["stops"].as_array().unwrap());
    let visits = visits.filter(|stop| stop["doing"] == "visit").count();
    let text = |name: &str| String::from_utf8(left[name].clone()).unwrap();
    assert_eq!(text("plan.csv").lines().count(), visits + 1);
    let events: usize =
        (1..=4).map(|unit| text(&format!("unit-0{unit}.ics")).matches("LOCATION:").count()).sum();
    assert_eq!(events, visits);
    let calendar = text("unit-01.ics");
    assert!(calendar.lines().all(|line| line.len() <= 75) && calendar.contains("\r\nTZID:America/Lima\r\n"));
    assert!(calendar.contains("DTSTART;TZID=America/Lima:2025") && calendar.contains("CLASS:CONFIDENTIAL"));
    let sheets = text("sheets.html");
    assert_eq!(
        sheets.matches("<section class=\"sheet\"").count(),
        made["schedule"]["tours"].as_array().unwrap().len()
    );
    assert!(
        sheets.contains("Unidad 1") && sheets.contains("default-src 'none'") && !sheets.contains("<script")
    );
    // What one more unit buys never falls.
    let shares: Vec<f64> =
        made["coverage"]["share"].as_array().unwrap().iter().map(|share| share.as_f64().unwrap()).collect();
    assert!(shares.len() == 3 && shares.windows(2).all(|pair| pair[0] <= pair[1]), "{shares:?}");
}

#[test]
fn areas_and_sites_of_the_sample_city_keep_what_was_asked() {
    let dir = tempfile::tempdir().unwrap();
    let harm = path("gravedad.csv");
    let to = dir.path().join("areas");
    let said = plan("areas", &to, &["--budget", "3km2", "--areas", "5", "--cell", "200m", "--harm", &harm]);
    assert_eq!(said.code, 3, "{}", said.err);
    let made = json_of(&to.join("plan.json"));
    is_spoken(&made);
    let rows = made["areas"].as_array().unwrap();
    let sum = |name: &str| rows.iter().map(|row| row[name].as_f64().unwrap()).sum::<f64>();
    assert!(rows.len() <= 5 && sum("cost") <= 3.0 + 1e-9 && sum("share") > 0.2, "{rows:?}");
    for name in ["areas.geojson", "plan.csv", "plan.gpkg", "brasa.qgz", "map.png", "report.html"] {
        assert!(to.join(name).exists(), "{name}");
    }

    let to = dir.path().join("sites");
    let stations = path("estaciones.csv");
    let said =
        plan("sites", &to, &["--count", "4", "--within", "1km", "--existing", &stations, "--cell", "500m"]);
    assert_eq!(said.code, 3, "{}", said.err);
    let made = json_of(&to.join("plan.json"));
    is_spoken(&made);
    let rows = made["sites"].as_array().unwrap();
    assert_eq!(rows.iter().filter(|row| row["state"] == "existing").count(), 3);
    assert_eq!(rows.iter().filter(|row| row["state"] == "new").count(), 4);
    let covered: Vec<f64> =
        made["coverage"]["covered"].as_array().unwrap().iter().map(|share| share.as_f64().unwrap()).collect();
    assert!(covered.len() == 4 && covered.windows(2).all(|pair| pair[0] <= pair[1]), "{covered:?}");
}

#[test]
fn districts_of_the_sample_city_carry_like_loads_and_hold_every_zone() {
    let dir = tempfile::tempdir().unwrap();
    let to = dir.path().join("districts");
    let said = plan("districts", &to, &["--count", "6", "--hex", "600m"]);
    assert_eq!(said.code, 3, "{}", said.err);
    let made = json_of(&to.join("plan.json"));
    is_spoken(&made);
    let rows = made["districts"].as_array().unwrap();
    assert_eq!(rows.len(), 6);
    for row in rows {
        let load = row["relative_load"].as_f64().unwrap();
        assert!((0.9 - 1e-6..=1.1 + 1e-6).contains(&load), "{row}");
    }
    let area: f64 = rows.iter().map(|row| row["area_km2"].as_f64().unwrap()).sum();
    assert!((area - 109.4).abs() < 0.1, "{area}");
    let said = plan(
        "districts",
        &dir.path().join("none"),
        &["--count", "40", "--cell", "1km", "--inequality", "1%"],
    );
    assert_eq!(said.code, 2);
    assert!(said.err.contains("plan_infeasible") && said.err.contains("--inequality"), "{}", said.err);
}

#[test]
fn a_plan_that_cannot_be_made_says_why_and_what_would_do() {
    let dir = tempfile::tempdir().unwrap();
    let mut number = 0;
    let mut refused = |kind: &str, more: &[&str], wanted: &str| {
        number += 1;
        let to = dir.path().join(number.to_string());
        let said = plan(kind, &to, more);
        assert_eq!(said.code, 2, "{kind} {more:?}: {}{}", said.out, said.err);
        assert!(said.err.contains(wanted), "{kind} {more:?}: {}", said.err);
        assert!(!to.exists(), "{kind} {more:?} leaves something behind");
    };
    refused("areas", &["--budget", "0km2"], "greater than 0");
    refused("areas", &["--budget", "5"], "no unit");
    refused("areas", &["--budget", "40h"], "--streets");
    refused("areas", &["--budget", "5km2", "--min-share", "5%"], "--districts");
    refused("areas", &[], "budget");
    refused("patrol", &["--units", "2", "--shift", "14:00-22:00"], "--tz");
    refused("patrol", &["--units", "0", "--shift", "14:00-22:00", "--tz", "America/Lima"], "at least 1");
    refused("patrol", &["--units", "2", "--shift", "25:00-26:00", "--tz", "America/Lima"], "25:00");
    refused("patrol", &["--units", "2", "--shift", "14:00-22:00", "--tz", "America/Lime"], "America/Lime");
    refused("sites", &["--count", "3", "--objective", "cover"], "--within");
    // Larger than the city is no mistake, but it is said.
    let all = dir.path().join("all");
    let said = plan("areas", &all, &["--budget", "500km2", "--cell", "1km"]);
    assert_eq!(said.code, 3, "{}", said.err);
    assert!(said.out.contains("larger than the whole study area"), "{}", said.out);
}

/// A patrol of random areas, shifts and rules; a world in five is odd in some way.
fn world(seed: u64) -> (PlanBriefing, PatrolPlan) {
    let mut chance = Chance::new(seed, 7);
    let mut below = |end: u64| chance.below(end);
    let count = if below(20) == 0 { 0 } else { 1 + below(14) as usize };
    let together = below(10) == 0;
    let mut at = |_| {
        let place = Coord { x: 500_000.0 + below(9000) as f64, y: 4_000_000.0 + below(9000) as f64 };
        if together { Coord { x: 500_000.0, y: 4_000_000.0 } } else { place }
    };
    let places: Vec<Coord<f64>> = (0..count + 2).map(&mut at).collect();
    let area = |(number, at): (usize, &Coord<f64>)| PlanArea {
        name: format!("{number}"),
        outline: MultiPolygon::new(vec![Rect::new(*at, *at + Coord { x: 100.0, y: 100.0 }).to_polygon()]),
        at: *at,
        value: (number % 5) as f64,
    };
    let areas: Vec<PlanArea> = places[..count].iter().enumerate().map(area).collect();
    let depots: Vec<Depot> =
        places[count..].iter().map(|at| Depot { name: "d".to_owned(), at: *at }).collect();
    // Clocks change in Santiago on 2026-04-05 and 2026-09-06, in New York on 2026-03-08, in Bogotá never.
    let (zone, from) = [
        ("America/Bogota", "2026-12-01"),
        ("America/Santiago", "2026-04-04"),
        ("America/Santiago", "2026-09-05"),
        ("America/New_York", "2026-03-07"),
    ][below(4) as usize];
    let shift: ShiftTimes = [
        "06:00-14:00",
        "16:00-24:00",
        "22:00-06:00",
        "07:00-15:00,15:00-23:00,23:00-07:00",
        "20:00-20:10",
        "00:00-12:00",
        "01:30-05:30",
    ][below(7) as usize]
        .parse()
        .unwrap();
    let days = NonZeroU32::new(1 + below(2) as u32).unwrap();
    let units = Units::new(1, 1 + below(3) as u32).unwrap();
    let rules = PatrolRules {
        from: Some(from.parse().unwrap()),
        days,
        dose: format!("{}min", 5 + below(20)).parse().unwrap(),
        spacing: format!("{}min", 10 + below(170)).parse().unwrap(),
        visits: if below(2) == 0 {
            Wanted::Each(1 + below(3) as u32)
        } else {
            Wanted::Total(1 + below(30) as u32)
        },
        pause: if below(3) == 0 { "none".parse().unwrap() } else { "30min".parse().unwrap() },
        seed,
        ..PatrolRules::default()
    };
    let params = PatrolParams { units, shift: shift.clone(), rules };
    let shifts = roster(&shift, params.rules.from.unwrap(), days, zone).unwrap();
    let points: Vec<Coord<f64>> =
        areas.iter().map(|area| area.at).chain(depots.iter().map(|depot| depot.at)).collect();
    let travel = Travel::straight(&points, params.rules.detour.get(), params.rules.speed.get());
    let timings = vec![brasa_model::Timing::default(); count];
    let expected = demand::by_shift(&areas, &timings, &shifts.shifts, &shifts.clock);
    let (wanted, _) = demand::wanted(&expected, &shifts.shifts, &params.rules);
    let input = PatrolInput {
        areas: &areas,
        depots: &depots,
        depot_of: &[],
        roster: &shifts,
        wanted: &wanted,
        demand: &expected,
        travel: &travel,
    };
    let found = patrol(&input, &params).unwrap().plan;
    let parameters =
        json!({ "speed": params.rules.speed, "detour": params.rules.detour, "snap": params.rules.snap });
    let provenance = Provenance::new("plan patrol", parameters);
    let study_area = Layer {
        name: "study_area".to_owned(),
        title: String::new(),
        description: String::new(),
        crs: Crs::from_epsg(32618).unwrap(),
        columns: Vec::new(),
        features: Vec::new(),
        style: Style::of(DrawnBy::Edge),
        period: None,
        provenance: provenance.clone(),
        notes: Vec::new(),
    };
    let briefing = PlanBriefing {
        title: "t".to_owned(),
        attribution: String::new(),
        layers: Vec::new(),
        listed: "areas",
        exact: Vec::new(),
        study_area,
        basemap: None,
        facts: Vec::new(),
        coverage: None,
        patrol: Some(found.clone()),
        limits: Vec::new(),
        provenance,
        inputs: Vec::new(),
        notes: Vec::new(),
        command: String::new(),
    };
    (briefing, found)
}

#[test]
fn a_thousand_patrols_break_no_rule_under_a_checker_of_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let mut visits = 0;
    let plans: Vec<PathBuf> = (0..1000)
        .map(|seed| {
            let (briefing, plan) = world(seed);
            visits += plan.tours.iter().map(|tour| tour.stops.len().saturating_sub(2)).sum::<usize>();
            let path = dir.path().join(format!("{seed}.json"));
            brasa_export::write_plan(&briefing, &path).unwrap();
            path
        })
        .collect();
    assert!(visits > 10_000, "the worlds are empty: {visits}");
    let Some((lawful, said)) = checked(&plans) else { return };
    assert!(lawful, "{said}");
    assert!(said.ends_with("1000 plans, 0 broken rules\n"), "{said}");
}

#[test]
fn the_checker_sees_what_is_wrong() {
    let dir = tempfile::tempdir().unwrap();
    let (briefing, _) =
        (0..).map(world).find(|(_, plan)| plan.tours.iter().any(|tour| tour.stops.len() > 4)).unwrap();
    let path = dir.path().join("plan.json");
    brasa_export::write_plan(&briefing, &path).unwrap();
    let sound = json_of(&path);
    let tour = sound["schedule"]["tours"]
        .as_array()
        .unwrap()
        .iter()
        .position(|tour| tour["stops"].as_array().unwrap().len() > 4)
        .unwrap();
    let visit = sound["schedule"]["tours"][tour]["stops"]
        .as_array()
        .unwrap()
        .iter()
        .position(|stop| stop["doing"] == "visit")
        .unwrap();
    let faults: [(&str, Value); 5] = [
        ("leave", json!(-60)),
        ("arrive", json!(-100_000)),
        ("begin", json!(60)),
        ("metres", json!(500.0)),
        ("area", Value::Null),
    ];
    for (field, by) in faults {
        let mut broken = sound.clone();
        if field == "area" {
            // A visit that nobody made.
            broken["schedule"]["tours"][tour]["stops"].as_array_mut().unwrap().remove(visit);
        } else {
            let value = &mut broken["schedule"]["tours"][tour]["stops"][visit][field];
            *value = json!(value.as_f64().unwrap() + by.as_f64().unwrap());
        }
        fs::write(&path, broken.to_string()).unwrap();
        let Some((lawful, said)) = checked(std::slice::from_ref(&path)) else { return };
        assert!(!lawful, "{field}: {said}");
    }
}

#[test]
fn sheets_and_calendars_show_names_as_text() {
    let (briefing, mut plan) = (0..).map(world).find(|(_, plan)| plan.tours.len() > 1).unwrap();
    for area in &mut plan.areas {
        area.name = "</td><script>alert(1)</script>\u{202e}; BEGIN:VEVENT\n\"ñ".to_owned();
    }
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    brasa_export::write_sheets(&briefing, &plan, Lang::PT, &at("s.html")).unwrap();
    brasa_export::write_routes(&briefing, &plan, Lang::PT, &at("r.gpx")).unwrap();
    brasa_export::write_calendar(&briefing, &plan, 0, Lang::PT, &at("u.ics")).unwrap();
    let text = |name: &str| fs::read_to_string(at(name)).unwrap();
    assert!(!text("s.html").contains("<script>alert") && !text("r.gpx").contains("<script>alert"));
    let calendar = text("u.ics");
    assert_eq!(
        calendar.lines().filter(|line| *line == "BEGIN:VEVENT").count(),
        calendar.matches("\r\nEND:VEVENT").count()
    );
}

#[test]
fn streets_are_driven_on_and_what_they_do_not_reach_is_listed() {
    let dir = tempfile::tempdir().unwrap();
    // A street from the station to the first area, and none to the second.
    let write = |name: &str, text: &str| {
        let path = dir.path().join(name);
        fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let streets = write(
        "streets.geojson",
        r#"{"type":"FeatureCollection","features":[
{"type":"Feature","properties":{"oneway":"no","maxspeed":"50"},"geometry":{"type":"LineString","coordinates":[[-83.53,-12.01],[-83.53,-12.0],[-83.51,-12.0]]}}]}"#,
    );
    let square = |name: &str, lon: f64, lat: f64| {
        format!(
            r#"{{"type":"Feature","properties":{{"name":"{name}"}},"geometry":{{"type":"Polygon","coordinates":[[[{lon},{lat}],[{},{lat}],[{},{}],[{lon},{}],[{lon},{lat}]]]}}}}"#,
            lon + 0.002,
            lon + 0.002,
            lat + 0.002,
            lat + 0.002
        )
    };
    let areas = write(
        "areas.geojson",
        &format!(
            r#"{{"type":"FeatureCollection","features":[{},{}]}}"#,
            square("near", -83.511, -12.001),
            square("far", -83.47, -12.03)
        ),
    );
    let depots = write("depots.csv", "name,lon,lat\nstation,-83.53,-12.01\n");
    let to = dir.path().join("plan");
    let said = plan(
        "patrol",
        &to,
        &[
            "--units",
            "1",
            "--shift",
            "14:00-22:00",
            "--tz",
            "America/Lima",
            "--days",
            "1",
            "--streets",
            &streets,
            "--areas",
            &areas,
            "--depots",
            &depots,
        ],
    );
    if said.err.contains("format_unsupported") {
        println!("skipped: built without GDAL");
        return;
    }
    assert_eq!(said.code, 3, "{}{}", said.out, said.err);
    assert!(said.out.contains("not reachable on the streets: far"), "{}", said.out);
    let made = json_of(&to.join("plan.json"));
    let missing = made["schedule"]["unserved"].as_array().unwrap();
    assert_eq!((missing.len(), &missing[0]["why"]), (1, &json!("not reachable")));
    let stops = made["schedule"]["tours"][0]["stops"].as_array().unwrap();
    let first = stops.iter().find(|stop| stop["doing"] == "visit").unwrap();
    // About 1.1 km north and then 2.1 km east, not straight across.
    let metres = first["metres"].as_f64().unwrap();
    assert!((3000.0..3500.0).contains(&metres), "{metres}");
    if let Some((lawful, said)) = checked(&[to.join("plan.json")]) {
        assert!(lawful, "{said}");
    }
}

#[test]
fn sites_along_streets_see_the_river() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = dir.path().join(name);
        fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    // Metres from a corner, in degrees: two banks 300 m apart, and a bridge 2 km down.
    let at = |x: f64, y: f64| (-83.53 + x / 108_890.0, -12.01 + y / 110_600.0);
    let corners: Vec<String> = [(0.0, 0.0), (2000.0, 0.0), (2000.0, 300.0), (0.0, 300.0)]
        .map(|(x, y)| at(x, y))
        .map(|(lon, lat)| format!("[{lon},{lat}]"))
        .into();
    // One-way away from the demand: who walks does not mind.
    let streets = write(
        "streets.geojson",
        &format!(
            r#"{{"type":"FeatureCollection","features":[{{"type":"Feature","properties":{{"oneway":"yes"}},"geometry":{{"type":"LineString","coordinates":[{}]}}}}]}}"#,
            corners.join(",")
        ),
    );
    let rows = |places: &[(&str, f64, f64)]| {
        let row = |&(name, x, y): &(&str, f64, f64)| {
            let (lon, lat) = at(x, y);
            format!("{name},{lon},{lat}")
        };
        format!("name,lon,lat\n{}\n", places.iter().map(row).collect::<Vec<_>>().join("\n"))
    };
    let candidates = write("candidates.csv", &rows(&[("south", 0.0, 0.0), ("north", 1500.0, 300.0)]));
    let incidents =
        write("incidents.csv", &rows(&[("1", 0.0, 300.0), ("2", 20.0, 300.0), ("3", 1990.0, 0.0)]));
    let run = |name: &str, more: &[&str]| {
        let to = dir.path().join(name).display().to_string();
        let said = brasa(
            [&["plan", "sites", &incidents, "--count", "1", "--candidates", &candidates, "-o", &to], more]
                .concat(),
        );
        (said, dir.path().join(name).join("plan.json"))
    };
    let (straight, plan) = run("straight", &[]);
    assert_eq!(straight.code, 0, "{}", straight.err);
    assert_eq!(json_of(&plan)["sites"][0]["site"], "south");
    let (along, plan) = run("along", &["--streets", &streets]);
    if along.err.contains("format_unsupported") {
        println!("skipped: built without GDAL");
        return;
    }
    assert_eq!(along.code, 0, "{}", along.err);
    let site = json_of(&plan)["sites"][0].clone();
    assert_eq!(site["site"], "north");
    // (1500 + 1480 + 500 + 300 + 10) / 3, less what the bends of the projection take.
    let mean = site["mean_distance"].as_f64().unwrap();
    assert!((mean - 3790.0 / 3.0).abs() < 10.0, "{mean}");
    assert!(along.out.contains("Distances follow the streets"), "{}", along.out);
    let (far, _) = run("far", &["--streets", &streets, "--snap", "1m", "--force"]);
    assert!([0, 65].contains(&far.code), "{}{}", far.out, far.err);
}

#[test]
fn a_real_extract_of_streets_says_the_same_as_xml_and_as_pbf() {
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str| real(name).map(|path| path.display().to_string());
    let extracts = (file("osm/sample_town_streets.osm"), file("osm/sample_town_streets.osm.pbf"));
    let (Some(xml), Some(pbf)) = extracts else {
        println!("skipped: no extract of streets");
        return;
    };
    let write = |name: &str, text: &str| {
        let path = dir.path().join(name);
        fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let incidents = write(
        "a.csv",
        "lon,lat,fecha\n-1.6089,54.9710,2024-01-01 12:30\n-1.6084,54.9705,2024-01-02 15:00\n-1.6078,54.9697,2024-01-03 18:00\n",
    );
    let area = |(name, lon, lat): (&str, f64, f64)| {
        let [west, east, south, north] = [lon - 3e-5, lon + 3e-5, lat - 3e-5, lat + 3e-5];
        format!(
            r#"{{"type":"Feature","properties":{{"name":"{name}"}},"geometry":{{"type":"Polygon","coordinates":[[[{west},{south}],[{east},{south}],[{east},{north}],[{west},{north}],[{west},{south}]]]}}}}"#
        )
    };
    let areas: Vec<String> =
        [("a", -1.6089, 54.9710), ("b", -1.6084, 54.9705), ("c", -1.6078, 54.9697)].map(area).into();
    let areas = write(
        "areas.geojson",
        &format!(r#"{{"type":"FeatureCollection","features":[{}]}}"#, areas.join(",")),
    );
    let planned = |name: &str, streets: &str| {
        let to = dir.path().join(name);
        let path = to.display().to_string();
        let said = brasa(
            "plan patrol INCIDENTS --areas AREAS --units 2 --shift 14:00-22:00 --days 1 --tz Europe/London --streets STREETS -o TO"
                .split(' ')
                .map(|word| match word {
                    "INCIDENTS" => incidents.as_str(),
                    "AREAS" => areas.as_str(),
                    "STREETS" => streets,
                    "TO" => path.as_str(),
                    word => word,
                })
                .collect::<Vec<_>>(),
        );
        assert_eq!(said.code, 0, "{}{}", said.out, said.err);
        if let Some((lawful, said)) = checked(&[to.join("plan.json")]) {
            assert!(lawful, "{said}");
        }
        json_of(&to.join("plan.json"))
    };
    let (of_xml, of_pbf) = (planned("xml", &xml), planned("pbf", &pbf));
    assert!(of_xml["schedule"]["tours"].as_array().is_some_and(|tours| !tours.is_empty()));
    assert_eq!(of_xml["schedule"], of_pbf["schedule"]);
}

#[test]
fn real_cities_are_planned_for() {
    let dir = tempfile::tempdir().unwrap();
    let run = |name: &str, args: &[&str]| {
        let to = dir.path().join(name).display().to_string();
        let said = brasa([args, &["-o", &to]].concat());
        assert!([0, 3].contains(&said.code), "{name}: {}{}", said.out, said.err);
        json_of(&dir.path().join(name).join("plan.json"))
    };
    let file = |name: &str| real(name).map(|path| path.display().to_string());
    if let Some(medellin) =
        file("co_medellin/medellin_homicides.csv.gz").or_else(|| file("co_medellin/medellin_homicides.csv"))
    {
        let made = run(
            "medellin",
            &[
                "plan",
                "patrol",
                &medellin,
                "--tz",
                "America/Bogota",
                "--units",
                "4",
                "--shift",
                "14:00-22:00",
                "--days",
                "2",
            ],
        );
        assert!(made["schedule"]["tours"].as_array().unwrap().len() > 4);
    }
    let beats = (file("mx_cdmx/cdmx_car_jacking.gpkg"), file("mx_cdmx/cdmx_cuadrantes_population_2023.gpkg"));
    if let (Some(thefts), Some(beats)) = beats {
        let made = run("cdmx", &["plan", "districts", &thefts, "--zones", &beats, "--count", "12"]);
        assert_eq!(made["districts"].as_array().unwrap().len(), 12);
    }
    if let Some(memphis) = file("us_memphis/memphis_robberies.gpkg") {
        let made = run("memphis", &["plan", "areas", &memphis, "--budget", "10km2", "--cell", "200m"]);
        assert!(made["areas"].as_array().unwrap().len() > 3);
    }
    if let Some(shootings) = file("us_nyc/nyc_shootings_2006_2023.csv.gz") {
        let made =
            run("nyc", &["plan", "sites", &shootings, "--count", "6", "--within", "2km", "--cell", "1km"]);
        assert_eq!(made["sites"].as_array().unwrap().len(), 6);
    }
}
