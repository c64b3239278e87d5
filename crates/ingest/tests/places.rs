//! Places that are not two columns of decimal degrees: angles, geometry in a column, pairs.

use crate::common::{World, codes, read_as, read_csv, reasons};
use brasa_ingest::{Ingested, InputOptions, read, read_polygons, read_zones};
use brasa_model::{Crs, Diagnose};

/// Where the incidents are, in degrees to the nearest 1e-6.
fn lonlat(found: &Ingested) -> Vec<(f64, f64)> {
    let way = found.incidents.crs.to_lonlat().unwrap();
    let round = |value: f64| (value * 1e6).round() / 1e6;
    let places = found.incidents.x.iter().zip(&found.incidents.y);
    places.map(|(&x, &y)| way.convert(x, y).unwrap()).map(|(lon, lat)| (round(lon), round(lat))).collect()
}

const BOGOTA: [(f64, f64); 2] = [(-74.1, 4.6), (-74.05, 4.65)];

fn table(name: &str, places: [&str; 2]) -> String {
    let quoted = places.map(|place| format!("\"{}\"", place.replace('"', "\"\"")));
    format!("{name},tipo\n{},robo\n{},hurto\n", quoted[0], quoted[1])
}

#[test]
fn two_columns_may_hold_angles() {
    for rows in [
        "4°36'00\"N,74°06'00\"O\n4°39'0.0\"N,74°03'O\n",
        "4 36 00,-74 06 00\n4 39 00,-74 03 00\n",
        "4º36' Norte,74º06' Oeste\n4.65,-74.05\n",
        "4 36.0 N,74 06.0 W\n4 39.0 N,74 03.0 W\n",
    ] {
        let rows = rows.replace('"', "\"\"");
        let rows: String = rows.lines().map(|line| format!("\"{}\"\n", line.replace(',', "\",\""))).collect();
        let found = read_csv(&format!("Latitud (GMS),Longitud (GMS)\n{rows}")).unwrap();
        assert_eq!(lonlat(&found), BOGOTA, "{rows}");
        assert!(codes(&found).contains(&"angles_read"));
    }
    // A latitude among the longitudes, sixty minutes, and a hemisphere against its sign are no coordinates.
    let found =
        read_csv("lat,lon\n4°36'N,74°06'O\n4°36'N,74°06'N\n4°60'N,74°06'O\n-4°36'N,74°06'O\n").unwrap();
    assert_eq!((found.account.used, reasons(&found)["coord_unreadable"]), (1, 3));
    assert_eq!(found.rejects[0].value, "74°06'N");
}

#[test]
fn one_column_may_hold_the_place() {
    let hex = [
        "0101000020E61000006666666666865 2C06666666666661240",
        "0101000020E610000033333333338352C09A99999999991240",
    ];
    let hex = hex.map(|text| text.replace(' ', ""));
    for (name, places) in [
        ("wkt", ["POINT (-74.1 4.6)", "POINT(-74.05 4.65)"]),
        ("the_geom", ["SRID=4326;POINT (-74.1 4.6)", "SRID=4326;MULTIPOINT ((-74.05 4.65))"]),
        ("geom", [hex[0].as_str(), hex[1].as_str()]),
        (
            "punto",
            [
                r#"{"type":"Point","coordinates":[-74.1,4.6]}"#,
                r#"{"type":"Point","coordinates":[-74.05,4.65,2]}"#,
            ],
        ),
        ("Location", ["(4.6, -74.1)", "(4.65, -74.05)"]),
        ("lonlat", ["-74.1,4.6", "-74.05,4.65"]),
        ("coordenadas", ["4,6; -74,1", "4,65; -74,05"]),
        ("ubicación", ["4°36'00\"N 74°06'00\"O", "4°39'N, 74°03'O"]),
        ("unnamed thing", ["4.6 -74.1", "4.65 -74.05"]),
    ] {
        let found = read_csv(&table(name, places)).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(lonlat(&found), BOGOTA, "{name}");
        let note = found.notes.iter().find(|note| note.code == "place_in_one_column").unwrap();
        assert!(note.text.contains(name), "{}", note.text);
    }
}

#[test]
fn the_order_of_a_pair_comes_from_ranges_then_the_name_then_custom() {
    // Both orders are places where people live: the name decides, or else the latitude comes first.
    for (name, first) in [("lon_lat", -46.6), ("lat_lon", -23.5), ("place", -23.5)] {
        let pair = if first == -46.6 { "-46.6,-23.5" } else { "-23.5,-46.6" };
        let other = pair.replace(".6", ".61").replace(".5", ".51");
        let found = read_csv(&table(name, [pair, &other])).unwrap();
        assert_eq!(lonlat(&found)[0], (-46.6, -23.5), "{name}");
    }
    let metres = table("punto", ["600000.5 508000.5", "600100.5 508100.5"]);
    let options = InputOptions { crs: Some("EPSG:32618".into()), ..InputOptions::default() };
    let found = read_as("a.csv", metres, &options).unwrap();
    assert_eq!((found.incidents.x[0], found.incidents.y[0]), (600_000.5, 508_000.5));
}

#[test]
fn what_is_no_point_is_set_aside_with_its_reason() {
    let text = "wkt\nPOINT (-74.1 4.6)\nPOINT (-74.05 4.65)\nPOINT (-74.06 4.65)\nPOINT (-74.07 4.65)\nPOINT (-74.08 4.65)\n\"LINESTRING (-74 4, -74 5)\"\n\"POLYGON ((-74 4, -74 5, -73 5, -74 4))\"\nPOINT EMPTY\nPOINT (\n\"\"\nSRID=3116;POINT (1 2)\nPOINT (0 0)\nPOINT (nan nan)\n";
    let found = read_csv(text).unwrap();
    assert_eq!(found.account.used, 5);
    let expected = [
        ("coord_missing", 1),
        ("coord_not_finite", 1),
        ("coord_unreadable", 2),
        ("coord_zero", 1),
        ("geometry_not_point", 3),
    ];
    for (reason, count) in expected {
        assert_eq!(reasons(&found).get(reason).copied().unwrap_or(0), count, "{reason}");
    }
    assert_eq!(found.rejects.iter().find(|reject| reject.value == "POINT (").unwrap().column, "wkt");
    let stated = table("geom", ["SRID=3116;POINT (1000000 1000000)", "SRID=3116;POINT (1000100 1000000)"]);
    let found = read_csv(&stated).unwrap();
    assert_eq!(found.inputs[0].crs_in.as_deref(), Some("EPSG:3116"));
}

#[test]
fn two_columns_go_before_one_and_a_flag_before_both() {
    let text = "lon,lat,estacion\n-74.1,4.6,POINT (-75.5 6.2)\n-74.05,4.65,POINT (-75.6 6.3)\n";
    assert_eq!(lonlat(&read_csv(text).unwrap()), BOGOTA);
    let options = |name: &str| InputOptions { geometry: Some(name.into()), ..InputOptions::default() };
    assert_eq!(lonlat(&read_as("a.csv", text, &options("estacion")).unwrap())[0], (-75.5, 6.2));
    assert_eq!(read_as("a.csv", text, &options("nada")).unwrap_err().code(), "column_unknown");
    assert_eq!(read_as("a.csv", text, &options("lon")).unwrap_err().code(), "format_unreadable");
    // Thousands are no pair of coordinates.
    let counts = "delito,total\nrobo,\"1,234\"\nhurto,\"5,678\"\n";
    assert_eq!(read_csv(counts).unwrap_err().code(), "no_coordinates");
    let world = World::new();
    let paths = [
        world.file("a.csv", text),
        world.file("b.csv", table("geom", ["POINT (-74.1 4.6)", "POINT (-74.1 4.7)"])),
    ];
    assert_eq!(read(&paths, &InputOptions::default()).unwrap().account.used, 4);
    assert_eq!(read(&paths, &options("geom")).unwrap().account.used, 4);
    assert_eq!(read(&paths, &options("nada")).unwrap_err().code(), "column_unknown");
}

#[test]
fn polygons_in_a_column_are_a_study_area_and_zones() {
    let square =
        |west: f64| format!("\"POLYGON (({west} 4, {w} 4, {w} 5, {west} 5, {west} 4))\"", w = west + 1.0);
    let text = format!("WKT,barrio,gente\n{},Norte,10\n{},Sur,20\n", square(-75.0), square(-74.0));
    let world = World::new();
    let path = world.file("barrios.csv", text);
    let crs = Crs::utm(-74.0, 4.5).unwrap();
    let (polygons, record) = read_polygons(&path, None, &crs).unwrap();
    assert_eq!((polygons.0.len(), record.crs_in.as_deref()), (2, Some("EPSG:4326")));
    let (zones, _, _) = read_zones(&path, None, Some("gente"), &crs).unwrap();
    assert_eq!(zones.zones[0].name, "Norte", "the polygons are no names");
    assert_eq!(zones.denominators.unwrap().values, [10.0, 20.0]);
    let broken =
        world.file("broken.csv", format!("WKT,n\n{},1\n{},2\nPOLYGON ((,3\n", square(-75.0), square(-74.0)));
    assert_eq!(read_polygons(&broken, None, &crs).unwrap_err().code(), "format_unreadable");
    let none = world.file("none.csv", "a,b\n1,2\n");
    assert_eq!(read_polygons(&none, None, &crs).unwrap_err().code(), "format_unreadable");
}
