//! The committed files are the generated ones, and they are what the README says they are.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, its helpers too")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use brasa_model::{Crs, Projector, Window, WindowOrigin};
use brasa_sample_city::{City, SEED, generate};
use geo::{
    BoundingRect, Contains, Coord, Distance, Euclidean, LineString, MultiPolygon, Point, Polygon, Validation,
};
use serde_json::Value;
use sha2::{Digest, Sha256};

fn data(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// One row of the export and the line it stands on.
struct Row {
    line: u64,
    fields: Vec<String>,
}

impl Row {
    fn id(&self) -> &str {
        &self.fields[0]
    }

    fn date(&self) -> &str {
        &self.fields[1]
    }

    fn lon_lat(&self) -> (&str, &str) {
        (&self.fields[6], &self.fields[7])
    }

    fn place(&self, projector: &Projector) -> Coord<f64> {
        let [lon, lat] = [6, 7].map(|at| self.fields[at].replace(',', ".").parse().unwrap());
        projector.convert(lon, lat).map(|(x, y)| Coord { x, y }).unwrap()
    }
}

fn rows(city: &City) -> Vec<Row> {
    let mut reader = csv::ReaderBuilder::new().delimiter(b';').from_reader(city.incidents_csv.as_bytes());
    let read = |record: Result<csv::StringRecord, csv::Error>| {
        let record = record.unwrap();
        Row { line: record.position().unwrap().line(), fields: record.iter().map(str::to_owned).collect() }
    };
    reader.records().map(read).collect()
}

fn dirt(city: &City) -> BTreeMap<u64, String> {
    let mut reader = csv::Reader::from_reader(city.dirt_csv.as_bytes());
    reader.deserialize().map(|row| row.unwrap()).collect()
}

/// Rows that say truly where and on which day their incident happened, once.
fn usable(city: &City) -> Vec<Row> {
    let dirt = dirt(city);
    let is_usable = |row: &Row| {
        matches!(dirt.get(&row.line).map(String::as_str), None | Some("hour_missing" | "kind_capitals"))
    };
    rows(city).into_iter().filter(is_usable).collect()
}

fn projector() -> Projector {
    Crs::utm(-83.5, -12.0).unwrap().from_lonlat().unwrap()
}

/// The polygons of a collection, in metres, each with its properties.
fn polygons(geojson: &str) -> Vec<(Value, Polygon<f64>)> {
    let projector = projector();
    let ring = |positions: &Value| -> LineString<f64> {
        let position = |position: &Value| {
            let (x, y) =
                projector.convert(position[0].as_f64().unwrap(), position[1].as_f64().unwrap()).unwrap();
            Coord { x, y }
        };
        positions.as_array().unwrap().iter().map(position).collect()
    };
    let collection: Value = serde_json::from_str(geojson).unwrap();
    let features = collection["features"].as_array().unwrap().iter();
    let polygon = |feature: &Value| {
        let mut rings = feature["geometry"]["coordinates"].as_array().unwrap().iter().map(ring);
        let outer = rings.next().unwrap();
        (feature["properties"].clone(), Polygon::new(outer, rings.collect()))
    };
    features.map(polygon).collect()
}

fn window(city: &City) -> Window {
    let limits = polygons(&city.city_geojson).into_iter().map(|(_, polygon)| polygon).collect();
    Window::new(MultiPolygon::new(limits), WindowOrigin::Given("city.geojson".into())).unwrap()
}

#[test]
fn the_committed_files_are_the_generated_ones_byte_for_byte() {
    for (name, text) in generate(SEED).files() {
        assert!(data(name) == text, "data/{name} is stale; run: cargo run -p brasa-sample-city -- data");
    }
}

#[test]
fn another_seed_is_another_city_and_the_same_seed_is_the_same() {
    assert_eq!(generate(7), generate(7));
    assert_ne!(generate(7).incidents_csv, generate(8).incidents_csv);
}

#[test]
fn the_files_are_small() {
    let bytes: usize = generate(SEED).files().iter().map(|(_, text)| text.len()).sum();
    assert!(bytes < 1_000_000, "{bytes}");
}

#[test]
fn the_readme_states_the_checksums_and_the_hotspots() {
    let city = generate(SEED);
    let readme = data("README.md");
    for (name, text) in city.files() {
        let digest: String = Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect();
        assert!(readme.contains(&format!("{digest}  {name}\n")), "{digest}  {name}");
    }
    for (properties, _) in polygons(&city.planted_geojson) {
        let text = |key: &str| properties[key].as_str().unwrap().to_owned();
        let line = format!(
            "| {} | {} | {} | {} | {} | {} | {} | {} | {} |\n",
            properties["id"],
            text("nombre"),
            text("shape"),
            properties["planted"],
            properties["inside"],
            properties["factor"],
            text("hours"),
            text("trend"),
            text("mostly"),
        );
        assert!(readme.contains(&line), "{line}");
    }
    let rows = rows(&city).len();
    assert!(readme.contains(&format!("{rows} rows")), "{rows} rows");
}

#[test]
fn the_export_has_two_years_of_rows() {
    let city = generate(SEED);
    let rows = rows(&city);
    assert!((6_000..=8_000).contains(&rows.len()), "{}", rows.len());
    assert!(rows.iter().all(|row| row.fields.len() == 8));
    let days: BTreeSet<String> = usable(&city)
        .iter()
        .map(|row| format!("{}{}{}", &row.date()[6..], &row.date()[3..5], &row.date()[..2]))
        .collect();
    assert_eq!(days.first().map(String::as_str), Some("20230101"));
    assert_eq!(days.last().map(String::as_str), Some("20241231"));
}

#[test]
fn every_usable_incident_is_in_the_city_and_not_in_the_lake() {
    let city = generate(SEED);
    let (window, projector) = (window(&city), projector());
    assert_eq!(window.polygons().0[0].interiors().len(), 1, "one lake");
    for row in usable(&city) {
        let place = row.place(&projector);
        assert!(window.contains(place.x, place.y), "line {}: {:?}", row.line, row.fields);
    }
}

#[test]
fn incidents_stack_on_corners() {
    let usable = usable(&generate(SEED));
    let mut stacks: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for row in &usable {
        *stacks.entry(row.lon_lat()).or_default() += 1;
    }
    assert!((stacks.len() as f64) < 0.6 * usable.len() as f64, "{} of {}", stacks.len(), usable.len());
    let tall = stacks.values().filter(|&&height| height >= 20).count();
    assert!(tall >= 8 && stacks.values().all(|&height| height <= 60), "{tall}");
}

#[test]
fn evenings_and_weekends_are_busy() {
    let usable = usable(&generate(SEED));
    let at = |hours: std::ops::Range<u32>| {
        let of =
            |row: &&Row| row.fields[2].get(..2).is_some_and(|hour| hours.contains(&hour.parse().unwrap()));
        usable.iter().filter(of).count() as f64
    };
    assert!(at(18..22) > 3.0 * at(3..7), "{} {}", at(18..22), at(3..7));
}

#[test]
fn planted_hotspots_are_valid_apart_and_within_the_city() {
    let city = generate(SEED);
    let (window, planted) = (window(&city), polygons(&city.planted_geojson));
    assert_eq!(planted.len(), 8);
    for (at, (properties, polygon)) in planted.iter().enumerate() {
        let name = &properties["nombre"];
        assert!(polygon.is_valid() && window.polygons().contains(polygon), "{name}");
        let bounds = polygon.bounding_rect().unwrap();
        let span = bounds.width().max(bounds.height());
        // From 200 m to 900 m, turned with the streets.
        assert!((195.0..=915.0).contains(&span), "{name} {span}");
        for (other, neighbour) in &planted[..at] {
            let apart = Euclidean.distance(polygon, neighbour);
            assert!(apart >= 800.0, "{name} and {}: {apart} m", other["nombre"]);
        }
    }
}

#[test]
fn planted_hotspots_hold_the_stated_numbers() {
    let city = generate(SEED);
    let (usable, projector) = (usable(&city), projector());
    let places: Vec<Point<f64>> = usable.iter().map(|row| row.place(&projector).into()).collect();
    for (properties, polygon) in polygons(&city.planted_geojson) {
        let number = |key: &str| properties[key].as_f64().unwrap();
        let within: Vec<&Row> = usable
            .iter()
            .zip(&places)
            .filter(|(_, place)| polygon.contains(*place))
            .map(|(row, _)| row)
            .collect();
        assert_eq!(within.len() as f64, number("inside"), "{properties}");
        // What was not planted is background: its number is Poisson about planted / (factor - 1).
        let background = number("planted") / (number("factor") - 1.0);
        let excess = number("inside") - number("planted") - background;
        assert!(excess.abs() <= 4.0 * background.sqrt(), "{properties}");

        let hours = properties["hours"].as_str().unwrap();
        let [from, to]: [u32; 2] = [&hours[..2], &hours[6..8]].map(|hour| hour.parse().unwrap());
        let in_hours = within.iter().filter(|row| {
            let hour = row.fields[2].get(..2).and_then(|hour| hour.parse::<u32>().ok());
            hour.is_some_and(|hour| (hour + 24 - from) % 24 < (to + 24 - from - 1) % 24 + 1)
        });
        assert!(in_hours.count() as f64 >= number("planted"), "{properties}");

        let mostly = within.iter().filter(|row| properties["mostly"] == row.fields[3].as_str()).count();
        assert!(mostly as f64 >= 0.35 * number("planted"), "{properties}");
        let second_year =
            within.iter().filter(|row| row.date().ends_with("2024")).count() as f64 / number("inside");
        match properties["trend"].as_str().unwrap() {
            "growing" => assert!(second_year > 0.58, "{properties} {second_year}"),
            "fading" => assert!(second_year < 0.42, "{properties} {second_year}"),
            trend => assert_eq!(trend, "steady"),
        }
    }
}

#[test]
fn every_dirty_row_is_on_the_list_and_no_other() {
    let city = generate(SEED);
    let all = rows(&city);
    let station = brasa_sample_city::geography::lon_lat(brasa_sample_city::geography::STATION);
    let station = [station.0, station.1].map(|degrees| format!("{degrees:.6}").replace('.', ","));
    let number = |text: &str| text.replace(',', ".").parse::<f64>().ok();
    let day_exists = |date: &str| {
        let mut parts = date.split('/').map(|part| part.parse::<i32>().unwrap());
        let [day, month, year] = std::array::from_fn(|_| parts.next().unwrap());
        brasa_model::Civil::new(year, month as u8, day as u8, 0).is_some()
    };

    let mut found = BTreeMap::new();
    let mut seen = BTreeSet::new();
    for row in &all {
        let (lon, lat) = row.lon_lat();
        let mut note = |kind: &str| {
            let before = found.insert(row.line, kind.to_owned());
            assert_eq!(before, None, "line {} is dirty twice", row.line);
        };
        if !seen.insert(row.id()) {
            note("duplicate_id");
        }
        match (number(lon), number(lat)) {
            _ if lon.is_empty() && lat.is_empty() => note("no_coordinates"),
            _ if lat == "NaN" => note("nan_coordinate"),
            _ if lat == "N/A" => note("na_coordinate"),
            (None, Some(_)) => note("broken_decimal"),
            (Some(0.0), Some(0.0)) => note("zero_coordinates"),
            (Some(lon), Some(lat)) if lat < -80.0 && lon > -15.0 => note("swapped_axes"),
            (Some(lon), _) if lon > -83.0 => note("far_away"),
            _ if lon == station[0] && lat == station[1] => note("station_default"),
            (lon, lat) => assert!(lon.is_some() && lat.is_some(), "line {}: {:?}", row.line, row.fields),
        }
        match row.date() {
            "s/f" => note("no_date"),
            date if !day_exists(date) => note("impossible_date"),
            _ => {}
        }
        if row.fields[2].is_empty() {
            note("hour_missing");
        }
        if row.fields[3] != row.fields[3].to_uppercase() {
            note("kind_capitals");
        }
    }
    assert_eq!(found, dirt(&city));
    let share = found.len() as f64 / all.len() as f64;
    assert!((0.02..=0.04).contains(&share), "{share}");
}
