//! JSON as portals and services write it.

use crate::common::{World, codes, read_as, reasons};
use brasa_ingest::{Ingested, InputOptions, read_polygons};
use brasa_model::{Crs, Diagnose};
use proptest::prelude::*;

fn read(text: &str) -> Ingested {
    read_as("a.json", text, &InputOptions::default()).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn is_bogota(found: &Ingested) {
    assert_eq!(found.account.used, 2);
    let way = found.incidents.crs.to_lonlat().unwrap();
    let (lon, lat) = way.convert(found.incidents.x[0], found.incidents.y[0]).unwrap();
    assert!((lon + 74.1).abs() < 1e-6 && (lat - 4.6).abs() < 1e-6, "{lon} {lat}");
    let kinds = found.incidents.kinds.as_ref().unwrap();
    assert_eq!(kinds.names[kinds.codes[0] as usize], "robo");
}

#[test]
fn rows_are_found_wherever_portals_put_them() {
    let list =
        r#"[{"lon":-74.1,"lat":"4.6","tipo":"robo"},{"lat":4.65,"tipo":"hurto","lon":-74.05,"x":null}]"#;
    is_bogota(&read(list));
    is_bogota(&read(&format!("\u{feff}{list}\n")));
    for wrapped in [
        format!(r#"{{"data":{list},"total":2}}"#),
        format!(r#"{{"success":true,"result":{{"fields":[{{"id":"lon"}}],"records":{list}}}}}"#),
    ] {
        let found = read(&wrapped);
        is_bogota(&found);
        assert!(codes(&found).contains(&"rows_under_key"));
    }
    let lines = list.trim_matches(['[', ']']).replace("},{", "}\n\n{");
    let found = read_as("a.ndjson", &lines, &InputOptions::default()).unwrap();
    is_bogota(&found);
    assert_eq!(found.incidents.row, [1, 3]);
    is_bogota(&read(r#"[["lon","lat","tipo"],[-74.1,4.6,"robo"],[-74.05,4.65,"hurto"]]"#));
    is_bogota(&read(
        r#"{"meta":{"view":{"columns":[{"name":"tipo"},{"name":"lon"},{"name":"lat"}]}},"data":[["robo",-74.1,4.6],["hurto",-74.05,4.65]]}"#,
    ));
}

#[test]
fn nested_objects_become_columns_and_geometries_places() {
    let found = read(
        r#"[{"tipo":"robo","ubicacion":{"longitud":-74.1,"latitud":4.6,"barrio":{"n":1}}},{"tipo":"hurto","ubicacion":{"longitud":-74.05,"latitud":4.65}}]"#,
    );
    is_bogota(&found);
    assert_eq!(found.columns[0].lon.as_deref(), Some("ubicacion.longitud"));
    let found = read(
        r#"[{"tipo":"robo","location":{"type":"Point","coordinates":[-74.1,4.6]}},{"tipo":"hurto","location":{"type":"Point","coordinates":[-74.05,4.65]}}]"#,
    );
    is_bogota(&found);
    assert!(codes(&found).contains(&"place_in_one_column"));
    // What a map service of Esri answers.
    let esri = |x: f64, y: f64| {
        format!(
            r#"{{"spatialReference":{{"wkid":102100,"latestWkid":3857}},"features":[{{"attributes":{{"tipo":"robo"}},"geometry":{{"x":{x},"y":{y}}}}},{{"attributes":{{"tipo":"hurto"}},"geometry":{{"x":{x},"y":{y}}}}},{{"attributes":{{"tipo":"hurto"}},"geometry":null}}]}}"#
        )
    };
    let found = read(&esri(-8_248_774.268_8, 512620.6541));
    is_bogota(&found);
    assert_eq!(found.inputs[0].crs_in.as_deref(), Some("EPSG:3857"));
    assert_eq!(reasons(&found)["geometry_not_point"], 1);
}

#[test]
fn a_broken_row_is_one_row_and_a_broken_file_says_where() {
    let found = read(
        "[{\"lon\":-74.1,\"lat\":4.6},\n{\"lon\":-74.1 \"lat\":4.6},\n7,\n{\"lon\":-74.05,\"lat\":4.6}]",
    );
    assert_eq!((found.account.used, reasons(&found)["row_unreadable"]), (2, 2));
    for text in ["[{\"lon\":1,\n\"lat\":2},{\"lon\":", "[{\"a\":1}]\nx", "{\"a\":[{\"b\":1}"] {
        let error = read_as("a.json", text, &InputOptions::default()).unwrap_err();
        assert_eq!(error.code(), "format_unreadable", "{error}");
        assert!(error.to_string().contains("line "), "{error}");
    }
    for text in ["[]", "{}", "{\"data\":[]}", "[1,2]"] {
        let error = read_as("a.json", text, &InputOptions::default()).unwrap_err();
        assert!(
            ["no_rows", "no_coordinates", "format_unreadable"].contains(&error.code()),
            "{text}: {error}"
        );
    }
}

#[test]
fn depth_and_width_have_limits() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let feature = format!(
        r#"{{"type":"FeatureCollection","features":[{{"type":"Feature","properties":{{"a":{deep}}},"geometry":null}},{{"type":"Feature","properties":{{}},"geometry":{{"type":"Point","coordinates":[-74.1,4.6]}}}}]}}"#
    );
    let found = read_as("a.geojson", feature, &InputOptions::default()).unwrap();
    assert_eq!((found.account.used, reasons(&found)["row_unreadable"]), (1, 1));
    for text in [deep.clone(), "[".repeat(100_000), format!("{{\"a\":{deep}}}"), "{\"a\":".repeat(100_000)] {
        assert!(read_as("a.json", text, &InputOptions::default()).is_err());
    }
    let wide: Vec<String> = (0..10_001).map(|at| format!("\"k{at}\":1")).collect();
    let error = read_as("a.json", format!("[{{{}}}]", wide.join(",")), &InputOptions::default()).unwrap_err();
    assert_eq!(error.code(), "too_large");
}

#[test]
fn polygons_without_coordinates_are_refused_by_number() {
    let world = World::new();
    let crs = Crs::utm(-74.0, 4.5).unwrap();
    for coordinates in ["[[[0]]]", "[[[]]]", "7", "[7]", "[[[\"a\",1]]]"] {
        let text = format!(
            r#"{{"type":"Feature","properties":{{}},"geometry":{{"type":"Polygon","coordinates":{coordinates}}}}}"#
        );
        let error = read_polygons(&world.file("a.geojson", text), None, &crs).unwrap_err();
        assert!(error.to_string().contains("feature 1"), "{coordinates}: {error}");
    }
    let text = r#"{"type":"Feature","properties":{},"geometry":{"type":"GeometryCollection","geometries":[{"type":"Point","coordinates":[-74,4]},{"type":"Polygon","coordinates":[[[-74,4],[-73,4],[-73,5],[-74,4]]]},{"type":"Polygon","coordinates":[]}]}}"#;
    assert_eq!(read_polygons(&world.file("b.geojson", text), None, &crs).unwrap().0.0.len(), 1);
}

#[test]
fn the_corpus_is_read_or_refused() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/json");
    let mut files = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let result = read_as(&name, std::fs::read(&path).unwrap(), &InputOptions::default());
        assert!(result.is_err() || result.unwrap().account.balances(), "{name}");
        files += 1;
    }
    assert!(files >= 6, "{files}");
}

proptest! {
    #[test]
    fn any_json_is_read_or_refused(
        bytes: Vec<u8>, rows in r#"[{}\[\]",:a1\\ \n]{0,60}"#, geometry in r#"(\{"type":"(Point|Polygon|MultiPoint)","coordinates":[\[\],0-9"]{0,20}\})?"#,
    ) {
        let world = World::new();
        let crs = Crs::utm(-74.0, 4.5).unwrap();
        for content in [
            bytes,
            format!("[{{\"lon\":-74,\"lat\":4}},{rows}]").into_bytes(),
            format!("{{\"features\":[{{\"geometry\":{geometry}}}{rows}]}}").into_bytes(),
        ] {
            if let Ok(found) = read_as("a.json", &content, &InputOptions::default()) {
                prop_assert!(found.account.balances());
            }
            let _ = read_polygons(&world.file("a.json", &content), None, &crs);
        }
    }
}
