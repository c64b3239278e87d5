//! Makes the sample city of brasa: **Ciudad Brasa, a city that does not exist**, with planted hotspots.
//!
//! What an engine finds in real data cannot be checked, for nobody knows the truth. Here it is known: every
//! incident is drawn from a background or planted in one of [eight hotspots](hotspots::PLANTED), and every
//! [dirty row](dirt::Dirt) is on a list. The same seed gives the same bytes on every machine.

pub mod calendar;
pub mod dirt;
pub mod geography;
pub mod hotspots;
pub mod incidents;
pub mod plane;
pub mod rng;

use std::fmt::Write as _;

use serde_json::{Value, json};

use dirt::{Row, comma};
use hotspots::PLANTED;
use incidents::{Incident, Kind};
use plane::Point;

/// The seed of the files in `data/`.
pub const SEED: u64 = 2_024;

/// The files of the sample.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct City {
    /// `incidentes.csv`: the dirty export.
    pub incidents_csv: String,
    /// `city.geojson`: the city limit with its lake.
    pub city_geojson: String,
    /// `planted.geojson`: where incidents were planted.
    pub planted_geojson: String,
    /// `dirt.csv`: which lines of the export are dirty, and how.
    pub dirt_csv: String,
    /// `estaciones.csv`: the police stations.
    pub stations_csv: String,
    /// `gravedad.csv`: how much each kind harms.
    pub harm_csv: String,
}

impl City {
    /// The files by name.
    pub fn files(&self) -> [(&'static str, &str); 6] {
        [
            ("incidentes.csv", &self.incidents_csv),
            ("city.geojson", &self.city_geojson),
            ("planted.geojson", &self.planted_geojson),
            ("dirt.csv", &self.dirt_csv),
            ("estaciones.csv", &self.stations_csv),
            ("gravedad.csv", &self.harm_csv),
        ]
    }
}

/// Makes the city of a seed.
pub fn generate(seed: u64) -> City {
    let outlines: Vec<Vec<Point>> = PLANTED.iter().map(hotspots::Hotspot::outline).collect();
    let (incidents, planted) = incidents::draw(seed, &outlines);
    let rows = dirt::soil(seed, rows(&incidents));
    City {
        incidents_csv: incidents_csv(&rows),
        city_geojson: city_geojson(),
        planted_geojson: planted_geojson(&outlines, &planted, &rows),
        dirt_csv: dirt_csv(&rows),
        stations_csv: stations_csv(),
        harm_csv: harm_csv(),
    }
}

fn rows(incidents: &[Incident]) -> Vec<Row> {
    let mut number = 0;
    let mut last_year = 0;
    let row = |incident: &Incident| {
        let (year, month, day) = calendar::date(incident.day);
        number = if year == last_year { number + 1 } else { 1 };
        last_year = year;
        let (lon, lat) = geography::lon_lat(incident.at);
        Row {
            id: format!("CB-{year}-{number:05}"),
            date: format!("{day:02}/{month:02}/{year}"),
            hour: format!("{:02}:{:02}", incident.minute / 60, incident.minute % 60),
            kind: incident.kind.words().to_owned(),
            address: incident.address.clone(),
            barrio: geography::barrio(incident.at),
            lon: comma(lon),
            lat: comma(lat),
            at: incident.at,
            planted: incident.planted,
            dirt: None,
        }
    };
    incidents.iter().map(row).collect()
}

/// The export. It ends with two blank lines, as exports do.
fn incidents_csv(rows: &[Row]) -> String {
    let mut text = String::from("id_caso;fecha_hecho;hora;tipo_delito;dirección;barrio;longitud;latitud\n");
    for row in rows {
        let fields =
            [&row.id, &row.date, &row.hour, &row.kind, &quoted(&row.address), row.barrio, &row.lon, &row.lat];
        text.push_str(&fields.join(";"));
        text.push('\n');
    }
    text.push_str("\n\n");
    text
}

/// A free-text field, in quotes where it holds a separator or a quote (RFC 4180, section 2).
fn quoted(text: &str) -> String {
    if text.contains([',', ';', '"']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

/// The dirty lines; the header is line 1.
fn dirt_csv(rows: &[Row]) -> String {
    let mut text = String::from("line,kind\n");
    for (at, row) in rows.iter().enumerate() {
        if let Some(dirt) = row.dirt {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{},{}", at + 2, dirt.word());
        }
    }
    text
}

/// Where patrols begin and end.
fn stations_csv() -> String {
    let mut text = String::from("nombre;longitud;latitud\n");
    for (name, at) in geography::STATIONS {
        let (lon, lat) = geography::lon_lat(at);
        let _ = writeln!(text, "{name};{};{}", comma(lon), comma(lat));
    }
    text
}

/// How much an incident of each kind harms, in days: made up, in the proportions that indices of harm by sentences have.
fn harm_csv() -> String {
    let mut text = String::from("tipo_delito;peso\n");
    for (kind, _) in Kind::SHARES {
        let _ = writeln!(text, "{};{}", kind.words(), kind.days());
    }
    text
}

fn city_geojson() -> String {
    let (limit, lake) = (geography::limit(), geography::lake());
    let area_km2 = (plane::signed_area(&limit) - plane::signed_area(&lake)) / 1e6;
    let mut hole = lake;
    hole.reverse();
    collection(&[json!({
        "type": "Feature",
        "properties": {
            "nombre": "Ciudad Brasa",
            "note": "generated; this city does not exist",
            "area_km2": (area_km2 * 100.0).round() / 100.0,
        },
        "geometry": { "type": "Polygon", "coordinates": [ring(&limit), ring(&hole)] },
    })])
}

fn planted_geojson(outlines: &[Vec<Point>], planted: &[usize], rows: &[Row]) -> String {
    let features: Vec<Value> = PLANTED
        .iter()
        .zip(outlines)
        .zip(planted)
        .map(|((hotspot, outline), planted)| {
            let inside = rows.iter().filter(|row| row.is_usable() && plane::inside(outline, row.at)).count();
            json!({
                "type": "Feature",
                "id": hotspot.id,
                "properties": {
                    "id": hotspot.id,
                    "nombre": hotspot.nombre,
                    "shape": hotspot.shape.word(),
                    "planted": planted,
                    "inside": inside,
                    "factor": hotspot.factor,
                    "hours": hotspot.hours.to_string(),
                    "trend": hotspot.trend.word(),
                    "mostly": hotspot.mostly.words(),
                },
                "geometry": { "type": "Polygon", "coordinates": [ring(outline)] },
            })
        })
        .collect();
    collection(&features)
}

/// A closed ring of positions (RFC 7946, section 3.1.6).
fn ring(points: &[Point]) -> Vec<[f64; 2]> {
    points.iter().chain(points.first()).map(|&point| geography::lon_lat(point).into()).collect()
}

/// A feature collection, one feature a line.
fn collection(features: &[Value]) -> String {
    let lines: Vec<String> = features.iter().map(Value::to_string).collect();
    format!("{{\"type\":\"FeatureCollection\",\"features\":[\n{}\n]}}\n", lines.join(",\n"))
}
