//! `report.html` of plans in a real browser: what holds for the page of hotspots, and what only a plan has to tell.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use brasa_tests::brasa;
use serde_json::{Value, json};

use crate::plans::{path, plan};
use crate::report_page::{is_quiet, opened};

/// What the page knows.
pub fn known(page: &Path) -> Value {
    let html = fs::read_to_string(page).unwrap();
    let data = html.split("<script type=\"application/json\" id=\"data\">").nth(1).unwrap();
    serde_json::from_str(data.split("</script>").next().unwrap()).unwrap()
}

fn said<'a>(told: &'a Value, lang: &str) -> &'a str {
    told["languages"][lang].as_str().unwrap()
}

/// What can be read by everybody and works with the keyboard.
fn is_whole(told: &Value, rows: usize) {
    is_quiet(told);
    assert_eq!(told["axe"], json!([]), "axe finds nothing");
    assert_eq!(told["map"], "webgl");
    assert_eq!(told["rows"], rows);
    let chosen = &told["chosen"];
    assert_eq!((&chosen["pressed"], &chosen["focused"]), (&json!("true"), &json!(true)), "{chosen}");
    assert!(chosen["card"].as_str().unwrap().len() > 20, "{chosen}");
    assert!(chosen["label"].is_string(), "the map shows which: {chosen}");
    assert_eq!(told["sorted"], "descending");
    // Nothing of hotspots, and no heading without anything under it.
    for (lang, words) in
        [("en", ["When in the week", "How sure"]), ("es", ["Cuándo en la semana", "Cuán seguro"])]
    {
        for word in words {
            assert!(!said(told, lang).contains(word), "{lang}: {word}");
        }
    }
}

#[test]
fn pages_of_areas_districts_and_sites_can_be_read_by_everybody() {
    let dir = tempfile::tempdir().unwrap();
    let (harm, stations) = (path("gravedad.csv"), path("estaciones.csv"));
    let plans: [(&str, &[&str], usize, [&str; 3]); 3] = [
        (
            "areas",
            &["--budget", "3km2", "--areas", "5", "--cell", "200m", "--harm", &harm],
            5,
            ["of the budget is spent", "del presupuesto se usa", "do orçamento é usado"],
        ),
        (
            "districts",
            &["--count", "6", "--cell", "500m", "--lang", "pt"],
            6,
            [
                "Mean distance to the middle (m)",
                "Distancia media al centro (m)",
                "Distância média ao centro (m)",
            ],
        ),
        (
            "sites",
            &["--count", "4", "--within", "1km", "--existing", &stations, "--cell", "500m", "--lang", "es"],
            7,
            ["What one more site buys", "Lo que aporta un sitio más", "O que acrescenta um local a mais"],
        ),
    ];
    for (kind, args, rows, words) in plans {
        let to = dir.path().join(kind);
        assert_eq!(plan(kind, &to, args).code, 3);
        let page = to.join("report.html");
        assert!(fs::metadata(&page).unwrap().len() < 2_000_000, "{kind}");
        let Some(told) = opened(&page, &["--webgl", "--axe"]) else { return };
        is_whole(&told, rows);
        assert_eq!(told["tours"], json!([]));
        for (lang, word) in ["en", "es", "pt"].into_iter().zip(words) {
            assert!(said(&told, lang).contains(word), "{kind}, {lang}: {word}");
        }
        for (lang, words) in [
            ("en", ["rows read", "Before you act on it", "The plan is about places"]),
            ("es", ["filas leídas", "Antes de actuar", "El plan trata de lugares"]),
            ("pt", ["linhas lidas", "Antes de agir", "O plano trata de lugares"]),
        ] {
            for word in words {
                assert!(said(&told, lang).contains(word), "{kind}, {lang}: {word}");
            }
            assert!(
                !["Who is where", "Quién está dónde", "Quem está onde"]
                    .iter()
                    .any(|word| said(&told, lang).contains(word))
            );
        }
        let buys = said(&told, "en").contains("buys");
        assert_eq!(buys, kind == "sites", "{kind} has no curve");
    }
}

/// What the timetable has to show of a tour: from, to, number, name, km.
fn rows_of(tour: &Value, schedule: &Value) -> Vec<Vec<String>> {
    let stops = tour["stops"].as_array().unwrap();
    let offset = schedule["offsets"][0]["seconds"].as_i64().unwrap();
    let hour = |instant: &Value| {
        let minutes = (instant.as_i64().unwrap() + offset).rem_euclid(86_400) / 60;
        format!("{:02}:{:02}", minutes / 60, minutes % 60)
    };
    let mut order = 0;
    let row = |stop: &Value| {
        let depot = schedule["depot_of"][tour["unit"].as_u64().unwrap() as usize].as_u64().unwrap() as usize;
        let depot = schedule["depots"][depot]["name"].as_str().unwrap();
        let (number, name) = match stop["doing"].as_str().unwrap() {
            "start" => (String::new(), format!("Saída: {depot}")),
            "end" => (String::new(), format!("Retorno: {depot}")),
            "break" => (String::new(), "Pausa".to_owned()),
            _ => {
                order += 1;
                let area = &schedule["areas"][stop["area"].as_u64().unwrap() as usize];
                (format!("{order}"), format!("Lugar {}", area["name"].as_str().unwrap()))
            }
        };
        let metres = stop["metres"].as_f64().unwrap().round();
        // Both round a half, one of them up.
        let km = if metres > 0.0 {
            format!("{:.1}", metres / 1000.0 + 1e-9).replace('.', ",")
        } else {
            String::new()
        };
        vec![hour(&stop["begin"]), hour(&stop["leave"]), number, name, km]
    };
    stops.iter().map(row).collect()
}

#[test]
fn the_page_of_a_patrol_says_who_is_where_when_and_what_is_missing() {
    let dir = tempfile::tempdir().unwrap();
    let (areas, to, stations) = (dir.path().join("areas"), dir.path().join("patrol"), path("estaciones.csv"));
    assert_eq!(plan("areas", &areas, &["--budget", "5km2", "--areas", "8", "--cell", "200m"]).code, 3);
    let areas = areas.join("areas.geojson").display().to_string();
    let args =
        ["--areas", &areas, "--depots", &stations, "--units", "1..2", "--shift", "14:00-18:00,22:00-02:00"];
    assert_eq!(plan("patrol", &to, &[&args[..], &["--days", "2", "--tz", "America/Lima"]].concat()).code, 3);
    let page = to.join("report.html");
    assert!(fs::metadata(&page).unwrap().len() < 2_000_000);
    let made: Value = serde_json::from_slice(&fs::read(to.join("plan.json")).unwrap()).unwrap();
    let schedule = &made["schedule"];
    let Some(told) = opened(&page, &["--webgl", "--axe"]) else { return };
    is_whole(&told, 8);

    // Every unit and shift of the timetable is that of plan.json, in the language asked for last.
    let tours = schedule["tours"].as_array().unwrap();
    let shown = told["tours"].as_array().unwrap();
    assert_eq!(shown.len(), 3 * 4, "all units and each, in four shifts");
    let at = |tour: &Value, name: &str| tour[name].as_u64().unwrap().to_string();
    for shown in shown {
        let of_shift = || tours.iter().filter(|tour| at(tour, "shift") == shown["shift"].as_str().unwrap());
        if shown["unit"] == "all" {
            let visits = of_shift().flat_map(|tour| tour["stops"].as_array().unwrap());
            let visits = visits.filter(|stop| stop["doing"] == "visit").count();
            assert_eq!(shown["rows"].as_array().unwrap().len(), visits);
        } else {
            let tour = of_shift().find(|tour| at(tour, "unit") == shown["unit"].as_str().unwrap());
            let rows = tour.map(|tour| rows_of(tour, schedule)).unwrap_or_default();
            assert_eq!(shown["rows"], json!(rows));
        }
    }
    assert!(tours.len() > 4);
    let missing = schedule["unserved"].as_array().unwrap();
    let count: u64 =
        missing.iter().map(|one| one["wanted"].as_u64().unwrap() - one["planned"].as_u64().unwrap()).sum();
    assert!(count > 1, "the sample leaves something out");
    for (lang, words) in [
        ("en", [format!("{count} wanted visits are not in the plan"), "no unit has time left".to_owned()]),
        (
            "es",
            [
                format!("{count} visitas deseadas no están en el plan"),
                "a ninguna unidad le queda tiempo".to_owned(),
            ],
        ),
        ("pt", [format!("{count} visitas desejadas não estão no plano"), "Quem está onde".to_owned()]),
    ] {
        for word in words {
            assert!(said(&told, lang).contains(&word), "{lang}: {word}");
        }
    }
    let Some(plain) = opened(&page, &["--no-webgl"]) else { return };
    is_quiet(&plain);
    assert_eq!((&plain["map"], &plain["tours"]), (&json!("canvas"), &told["tours"]));
}

/// Every position of every layer of a page, in degrees.
fn positions(data: &Value) -> Vec<(f64, f64)> {
    let mut found = Vec::new();
    for layer in data["layers"].as_array().unwrap() {
        let scale = layer["scale"].as_f64().unwrap();
        for line in
            layer["shapes"].as_array().unwrap().iter().flat_map(|shape| {
                shape[1].as_array().unwrap().iter().flat_map(|part| part.as_array().unwrap())
            })
        {
            let (mut x, mut y) = (0, 0);
            for step in line.as_array().unwrap().chunks_exact(2) {
                x += step[0].as_i64().unwrap();
                y += step[1].as_i64().unwrap();
                found.push((x as f64 / scale, y as f64 / scale));
            }
        }
    }
    found
}

#[test]
fn no_page_of_a_plan_of_places_shows_where_an_incident_was() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("few.csv");
    let place = |at: u32| {
        let part = |step: f64| ((f64::from(at) * step) % 1.0 - 0.5) * 0.06;
        (-74.08 + part(0.618_034), 4.61 + part(0.754_878))
    };
    let mut csv = String::from("lon,lat\n");
    for (lon, lat) in (0..300).map(place) {
        let _ = writeln!(csv, "{lon:.6},{lat:.6}");
    }
    fs::write(&file, csv).unwrap();
    let city = dir.path().join("city.geojson");
    fs::write(
        &city,
        r#"{"type":"Feature","properties":{},"geometry":{"type":"Polygon","coordinates":[[[-74.12,4.57],[-74.04,4.57],[-74.04,4.65],[-74.12,4.65],[-74.12,4.57]]]}}"#,
    )
    .unwrap();
    let (file, city) = (file.display().to_string(), city.display().to_string());
    let plans: [(&str, &[&str]); 3] = [
        ("areas", &["--budget", "2km2"]),
        ("districts", &["--count", "3"]),
        ("sites", &["--count", "3", "--within", "1km"]),
    ];
    for (kind, args) in plans {
        let to = dir.path().join(kind);
        let out = to.display().to_string();
        let ran = brasa(
            [&["plan", kind, &file, "--study-area", &city, "--cell", "500m", "-o", &out], args].concat(),
        );
        assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
        let data = known(&to.join("report.html"));
        let names: Vec<&str> =
            data["layers"].as_array().unwrap().iter().map(|layer| layer["name"].as_str().unwrap()).collect();
        assert!(names.contains(&kind) && !names.contains(&"allocation"), "{names:?}");
        assert_eq!(data["plan"]["withheld"].as_array().unwrap().len(), usize::from(kind == "sites"));
        let shown = positions(&data);
        assert!(shown.len() > 3, "{kind}");
        for (lon, lat) in (0..300).map(place) {
            let near = |(x, y): &(f64, f64)| (x - lon).abs() < 3e-6 && (y - lat).abs() < 3e-6;
            assert!(!shown.iter().any(near), "{kind} shows {lon} {lat}");
        }
    }
}

#[test]
fn names_of_areas_and_depots_are_text_and_never_run() {
    let dir = tempfile::tempdir().unwrap();
    let run = "window.executed=1";
    let names = [
        format!("</script><script>{run}</script>"),
        format!("<img src=x onerror={run}>"),
        "x {{data}} {n} __proto__ \u{202e}".to_owned(),
    ];
    let area = |(at, name): (usize, &String)| {
        let (west, south) = (-83.51 + 0.01 * at as f64, -12.0);
        let (east, north) = (west + 0.008, south + 0.008);
        json!({ "type": "Feature", "properties": { "name": name }, "geometry": { "type": "Polygon",
            "coordinates": [[[west, south], [east, south], [east, north], [west, north], [west, south]]] } })
    };
    let features: Vec<Value> = names.iter().enumerate().map(area).collect();
    let (areas, depots) = (dir.path().join("a.geojson"), dir.path().join("d.csv"));
    fs::write(&areas, json!({ "type": "FeatureCollection", "features": features }).to_string()).unwrap();
    fs::write(&depots, format!("name,lon,lat\n\"<svg onload={run}>\",-83.5,-12.0\n")).unwrap();
    let (areas, depots, to) =
        (areas.display().to_string(), depots.display().to_string(), dir.path().join("out"));
    let args = ["--areas", &areas, "--depots", &depots, "--units", "1", "--shift", "14:00-22:00"];
    let more =
        ["--tz", "America/Lima", "--days", "1", "--attribution", "<img src=x onerror=window.executed=1>"];
    let ran = plan("patrol", &to, &[&args[..], &more].concat());
    assert_eq!(ran.code, 3, "{}{}", ran.out, ran.err);
    let html = fs::read_to_string(to.join("report.html")).unwrap();
    assert!(
        !html.contains("<img src=x") && !html.contains("<script>window") && !html.contains("<svg onload")
    );
    let Some(told) = opened(&to.join("report.html"), &[]) else { return };
    is_quiet(&told);
    assert_eq!(told["elements"]["images"], 1, "the picture for paper alone");
    for name in names.iter().map(String::as_str).take(2).chain(["<svg onload=window.executed=1>"]) {
        assert!(said(&told, "es").contains(name), "shown as it is: {name}");
    }
}

#[test]
fn a_plan_with_nothing_in_it_is_a_page_too() {
    let dir = tempfile::tempdir().unwrap();
    let to = dir.path().join("none");
    let ran = plan("areas", &to, &["--budget", "0.01km2", "--cell", "500m", "--lang", "es"]);
    assert_eq!(ran.code, 3, "{}{}", ran.out, ran.err);
    let Some(told) = opened(&to.join("report.html"), &["--axe"]) else { return };
    is_quiet(&told);
    assert_eq!((&told["axe"], &told["rows"]), (&json!([]), &json!(0)));
    assert!(said(&told, "es").contains("Nada cumple las reglas"), "{}", said(&told, "es"));
}
