//! Dirty rows are set aside with their reason, bad files are refused by name, and nothing is lost.

use crate::common::{World, codes, read_as, read_csv, reasons, starts};
use brasa_ingest::{IngestError, Ingested, InputOptions, read};
use brasa_model::{Blame, Diagnose};

fn options(change: impl FnOnce(&mut InputOptions)) -> InputOptions {
    let mut options = InputOptions::default();
    change(&mut options);
    options
}

fn text(value: &str) -> Option<String> {
    Some(value.to_owned())
}

fn refused(result: Result<Ingested, IngestError>) -> (&'static str, Blame) {
    let error = result.expect_err("it should be refused");
    assert!(!error.to_string().is_empty());
    (error.code(), error.blame())
}

#[test]
fn every_kind_of_bad_row_is_set_aside_with_its_reason() {
    let content = "\
id,lon,lat,fecha,peso
a,-75.57,6.25,2019-01-01,1
b,,6.25,2019-01-01,1
c,-75.57,seis,2019-01-01,1
d,-75.57,1e400,2019-01-01,1
e,0,0.0,2019-01-01,1
f,-75.57,96.25,2019-01-01,1
g,-75.57,6.25,someday,1
h,-75.57,6.25,,1
i,-75.57,6.25,2019-01-02,-1
j,-75.57,6.25,2019-01-02
k,-75.57,6.25,2018-12-31,1
l,-75.57,6.25,2019-12-31,2.5
a,-75.57,6.25,2019-01-01,1
m,nan,6.25,2019-01-01,1
";
    let found = read_as(
        "rows.csv",
        content,
        &options(|o| {
            o.id = text("id");
            o.weight = text("peso");
            o.since = text("2019-01-01");
            o.until = text("2019-12-31");
        }),
    )
    .unwrap();
    let expected = [
        ("coord_missing", 1),
        ("coord_not_finite", 2),
        ("coord_out_of_range", 1),
        ("coord_unreadable", 1),
        ("coord_zero", 1),
        ("row_unreadable", 1),
        ("time_missing", 1),
        ("time_unreadable", 1),
        ("weight_invalid", 1),
    ];
    assert_eq!(reasons(&found).into_iter().collect::<Vec<_>>(), expected);
    let account = found.account;
    assert_eq!(
        (account.read, account.used, account.filtered, account.rejected, account.duplicate),
        (14, 2, 1, 10, 1)
    );
    assert_eq!(found.incidents.row, [2, 13], "lines of the file, the header being line 1");
    assert_eq!(found.incidents.weight.as_deref(), Some([1.0, 2.5].as_slice()));
    let unreadable = found.rejects.iter().find(|reject| reject.line == 4).unwrap();
    assert_eq!((unreadable.column.as_str(), unreadable.value.as_str()), ("lat", "seis"));
    let record = &found.inputs[0];
    assert_eq!(record.rows, Some(account));
    assert_eq!(record.rejected_by_reason.as_ref().unwrap()["coord_not_finite"], 2);
    assert_eq!(
        (record.crs_in.as_deref(), record.crs_out.as_deref()),
        (Some("EPSG:4326"), Some("EPSG:32618"))
    );
}

#[test]
fn the_spatial_reasons_are_given_too() {
    let mut content = "lon,lat\n".to_owned();
    for at in 0..400 {
        content += &format!("{},{}\n", -75.5 + f64::from(at % 20) * 0.001, 6.2 + f64::from(at / 20) * 0.001);
    }
    content += "-70.0,2.0\n";
    let found = read_csv(&content).unwrap();
    assert_eq!(reasons(&found).into_iter().collect::<Vec<_>>(), [("far_from_the_rest", 1)]);
    assert!(codes(&found).contains(&"far_from_the_rest"));

    let world = World::new();
    let incidents = world.file("rows.csv", &content);
    let square = |west: f64| {
        let east = west + 0.0101;
        format!(
            r#"{{"type":"Feature","properties":{{}},"geometry":{{"type":"Polygon","coordinates":[[[{west},6.1],[{east},6.1],[{east},6.3],[{west},6.3],[{west},6.1]]]}}}}"#
        )
    };
    let area = world.file("city.geojson", square(-75.5005));
    let found = read(&[&incidents], &options(|o| o.study_area = Some(area))).unwrap();
    assert_eq!(found.account.used, 200);
    assert_eq!(reasons(&found).into_iter().collect::<Vec<_>>(), [("outside_study_area", 201)]);
    assert_eq!(found.inputs.len(), 2);
    assert_eq!(
        (found.inputs[1].role.as_str(), found.inputs[1].name.as_str()),
        ("study-area", "city.geojson")
    );

    let elsewhere = world.file("elsewhere.geojson", square(-60.0));
    let error = read(&[&incidents], &options(|o| o.study_area = Some(elsewhere))).unwrap_err();
    assert_eq!(error.code(), "study_area_misses");
    assert!(error.to_string().contains("km apart"), "{error}");
}

#[test]
fn geometries_that_are_no_points_are_set_aside() {
    let feature = |geometry: &str| format!(r#"{{"type":"Feature","properties":{{}},"geometry":{geometry}}}"#);
    let features = [
        feature(r#"{"type":"Point","coordinates":[-75.5,6.2,100]}"#),
        feature(r#"{"type":"MultiPoint","coordinates":[[-75.5,6.2]]}"#),
        feature("null"),
        feature(r#"{"type":"LineString","coordinates":[[0,1],[2,3]]}"#),
        feature(r#"{"type":"Point","coordinates":[]}"#),
        feature(r#"{"type":"Point","coordinates":[0,0]}"#),
        r#"{"type":"Feature","properties":{"a":NaN},"geometry":null}"#.to_owned(),
    ];
    let content = format!(r#"{{"type":"FeatureCollection","features":[{}]}}"#, features.join(","));
    let found = read_as("points.geojson", content, &InputOptions::default()).unwrap();
    assert_eq!(found.account.used, 2);
    let expected = [("coord_zero", 1), ("geometry_not_point", 3), ("row_unreadable", 1)];
    assert_eq!(reasons(&found).into_iter().collect::<Vec<_>>(), expected);
    assert_eq!(found.rejects.last().unwrap().line, 7, "the number of the feature");
}

#[test]
fn bad_files_are_refused_by_name() {
    let world = World::new();
    let default = InputOptions::default();
    let good = "lon,lat,fecha\n-75.5,6.2,2019-01-01\n";
    assert_eq!(refused(read(&[&world.path("none.csv")], &default)), ("file_missing", Blame::Input));
    assert_eq!(refused(read(&[&world.path("")], &default)), ("not_a_file", Blame::Input));
    // With GDAL a database is named so, and asked.
    #[cfg(not(feature = "gdal"))]
    assert_eq!(refused(read(&["PG:host=example"], &default)), ("format_unsupported", Blame::Data));
    assert_eq!(refused(read(&["MYSQL:host=example"], &default)), ("file_missing", Blame::Input));
    assert_eq!(
        refused(read(&["/vsicurl/http://example.org/a.csv"], &default)),
        ("file_missing", Blame::Input)
    );
    assert_eq!(refused(read(&["/dev/null"], &default)), ("not_a_file", Blame::Input));
    for (name, content, expected) in [
        ("a.csv", "", ("file_empty", Blame::Data)),
        ("a.csv", "\n\n\n", ("file_empty", Blame::Data)),
        ("a.csv", "lon,lat\n", ("no_rows", Blame::Data)),
        ("a.csv", "name,age\nx,1\n", ("no_coordinates", Blame::Data)),
        ("a.csv", "lon,lat\n,\nx,y\n", ("nothing_left", Blame::Data)),
        ("a.csv", "x,y\n359192.3,570510.9\n", ("crs_unknown", Blame::Data)),
        ("a.csv", "lat,lon\n-99.1,19.4\n", ("axes_swapped", Blame::Data)),
        ("a.csv", "lon,lat,fecha\n-75.5,6.2,01/02/2019\n", ("date_order_unknown", Blame::Data)),
        ("a.geojson", "[1]", ("format_unreadable", Blame::Data)),
        (
            "a.geojson",
            r#"{"type":"FeatureCollection","features":[{"type":"Fea"#,
            ("format_unreadable", Blame::Data),
        ),
        ("a.geojson", r#"{"type":"FeatureCollection","features":[]}"#, ("no_rows", Blame::Data)),
        ("a.zip", "PK\u{3}\u{4} and no more", ("format_unreadable", Blame::Data)),
    ] {
        assert_eq!(refused(read_as(name, content, &default)), expected, "{name} {content}");
    }
    let open_quote =
        format!("lon,lat,fecha\n-75.5,6.2,\"2019-01-01\n{}", "-75.5,6.2,2019-01-01\n".repeat(200));
    let error = read_csv(&open_quote).unwrap_err();
    assert_eq!(error.code(), "quote_unclosed");
    assert!(error.to_string().contains("line 2"), "{error}");
    let hidden = "lon,lat,fecha\n-75.5,6.2,\"2019-01-01\n-75.5,6.2,2019-01-01\n-75.5,6.2,\"\n\n\n-75.5,6.2,2019-01-02\n";
    let found = read_csv(hidden).unwrap();
    assert_eq!((found.rejects[0].line, found.rejects[0].value.as_str()), (2, "a quote runs on to line 4"));
    assert_eq!(found.incidents.row, [7], "blank lines are passed over and counted");
    let memo = "lon,lat,relato\n-75.5,6.2,\"uno\ndos\ntres\"\n-75.5,6.2,x\n";
    assert_eq!(read_csv(memo).unwrap().incidents.row, [2, 5], "a text of several lines is a text");
    type Change = fn(&mut InputOptions);
    let flags: [(Change, &str, Blame); 17] = [
        (|o| o.lon = text("longitude_x"), "column_unknown", Blame::Usage),
        (|o| o.lon = text("lon"), "option_invalid", Blame::Usage),
        (
            |o| (o.lon, o.lat, o.x, o.y) = (text("lon"), text("lat"), text("lon"), text("lat")),
            "option_invalid",
            Blame::Usage,
        ),
        (|o| o.only = text("fecha"), "option_invalid", Blame::Usage),
        (|o| o.only = text("tipo=x"), "column_unknown", Blame::Usage),
        (|o| o.since = text("yesterday"), "option_invalid", Blame::Usage),
        (|o| (o.since, o.until) = (text("2020-01-01"), text("2019-01-01")), "option_invalid", Blame::Usage),
        (|o| o.tz = text("Bogota"), "option_invalid", Blame::Usage),
        (|o| o.date_order = text("ymd"), "option_invalid", Blame::Usage),
        (|o| o.delimiter = text("::"), "option_invalid", Blame::Usage),
        (|o| o.encoding = text("klingon"), "option_invalid", Blame::Usage),
        (|o| o.decimal = text("slash"), "option_invalid", Blame::Usage),
        (|o| o.layer = text("robberies"), "option_invalid", Blame::Usage),
        (|o| o.crs = text("my city"), "crs_invalid", Blame::Usage),
        (|o| o.crs = text("EPSG:32618"), "degrees_as_metres", Blame::Data),
        (|o| o.study_area = Some("nowhere.geojson".into()), "file_missing", Blame::Input),
        (|o| o.since = text("2020-01-01"), "nothing_left", Blame::Data),
    ];
    for (change, code, blame) in flags {
        let options = options(change);
        assert_eq!(refused(read_as("a.csv", good, &options)), (code, blame), "{options:?}");
    }
}

#[test]
fn an_error_shows_the_remedy() {
    let error = read_csv("latitud,longitud\n-99.1,19.4\n").unwrap_err();
    assert_eq!(error.help().as_deref(), Some("swap them with --lon \"latitud\" --lat \"longitud\""));
    let error = read_as("a.csv", "lon,lat\n1,1\n", &options(|o| o.kind = text("lan"))).unwrap_err();
    assert!(error.to_string().contains("did you mean \"lat\""), "{error}");
    let error = read_csv("lon,lat,fecha\n-75.5,6.2,01/02/2019\n").unwrap_err();
    assert!(error.to_string().contains("2019-02-01 (day first) or 2019-01-02 (month first)"), "{error}");
    let error = read_csv("lon,lat\n,\nx,y\n").unwrap_err();
    assert!(
        error.to_string().contains("1 coord_missing")
            && error.to_string().contains("first on row 3: lon, lat = \"x, y\""),
        "{error}"
    );
}

#[test]
fn times_keep_the_precision_of_the_file() {
    let found = read_csv("lon,lat,mes\n-75.5,6.2,2019-02\n-75.5,6.2,\n").unwrap();
    assert_eq!(starts(&found), ["2019-02-01T00:00:00 +2419200", "none"]);
    assert!(codes(&found).contains(&"times_missing"));
    let found = read_csv("lon,lat,fecha,hora\n-75.5,6.2,13/02/2019,21:30\n-75.5,6.2,01/02/2019,\n").unwrap();
    assert_eq!(starts(&found), ["2019-02-13T21:30:00 +60", "2019-02-01T00:00:00 +86400"]);
    assert!(codes(&found).contains(&"date_format") && codes(&found).contains(&"hours_missing"));
    let found = read_csv("lon,lat,date,hour\n-75.5,6.2,2019-02-13,5\n-75.5,6.2,2019-02-13,2359\n").unwrap();
    assert_eq!(starts(&found), ["2019-02-13T00:05:00 +60", "2019-02-13T23:59:00 +60"]);
    let midnights = format!("lon,lat,fecha\n{}", "-75.5,6.2,2019-02-13T00:00:00.000\n".repeat(10));
    let found = read_csv(&midnights).unwrap();
    assert_eq!(starts(&found)[0], "2019-02-13T00:00:00 +86400");
    assert!(codes(&found).contains(&"midnights_are_dates"));
    let instants = "lon,lat,fecha\n-75.5,6.2,2019-04-23T02:30:00Z\n";
    assert_eq!(starts(&read_csv(instants).unwrap()), ["2019-04-23T02:30:00 +1"]);
    let found = read_as("a.csv", instants, &options(|o| o.tz = text("America/Bogota"))).unwrap();
    assert_eq!(starts(&found), ["2019-04-22T21:30:00 +1"]);
    assert_eq!(found.incidents.times.as_ref().unwrap().zone(), Some("America/Bogota"));
    let spans = "lon,lat,desde,hasta\n-75.5,6.2,2019-01-01,2019-01-03\n-75.5,6.2,2019-01-05,2019-01-03\n";
    let found =
        read_as("a.csv", spans, &options(|o| (o.time, o.time_end) = (text("desde"), text("hasta")))).unwrap();
    assert_eq!(starts(&found), ["2019-01-01T00:00:00 +259200"]);
    assert_eq!(found.rejects[0].reason.code(), "time_unreadable");
}

#[test]
fn periods_that_follow_one_another_share_no_incident() {
    let mut content = "lon,lat,fecha\n".to_owned();
    for day in 1..=28 {
        content += &format!("-75.5,6.2,2019-02-{day:02} 23:59:59\n");
    }
    let used = |since: &str, until: &str| {
        read_as("a.csv", &content, &options(|o| (o.since, o.until) = (text(since), text(until))))
            .unwrap()
            .account
            .used
    };
    assert_eq!(
        (used("2019-02-01", "2019-02-14"), used("2019-02-15", "2019-02-28"), used("2019-02", "2019-02")),
        (14, 14, 28)
    );
}

#[test]
fn only_keeps_what_was_asked_for_and_says_what_it_did_not_find() {
    let content = "lon,lat,delito,zona\n-75.5,6.2,Homicidio,A\n-75.5,6.2,HURTO,A\n-75.5,6.2,HURTO,B\n,,Robo,A\n-75.5,6.2,Robo,A\n-75.5,6.2,Robo,B\n";
    let found =
        read_as("a.csv", content, &options(|o| o.only = text("kind=homicidio,hurto,secuestro; zona=A")))
            .unwrap();
    assert_eq!((found.account.used, found.account.filtered, found.account.rejected), (2, 4, 0));
    let kinds = found.incidents.kinds.as_ref().unwrap();
    assert_eq!(kinds.names, ["HURTO", "Homicidio"]);
    assert_eq!(kinds.codes, [1, 0]);
    let unmatched: Vec<_> = found.notes.iter().filter(|note| note.code == "only_unmatched").collect();
    assert_eq!(unmatched.len(), 1);
    assert!(unmatched[0].text.contains("secuestro"));
}

#[test]
fn rows_without_an_id_are_no_duplicates() {
    let content = "clave,lon,lat\n1,-75.5,6.2\n,-75.5,6.2\n,-75.5,6.2\n1,-75.5,6.3\n";
    let found = read_as("a.csv", content, &options(|o| o.id = text("clave"))).unwrap();
    assert_eq!((found.account.used, found.account.duplicate), (3, 1));
    assert_eq!(read_csv(content).unwrap().account.used, 4, "an id is never guessed");
}

#[test]
fn degenerate_worlds_are_read() {
    for content in [
        "lon,lat\n-75.5,6.2\n".to_owned(),
        format!("lon,lat\n{}", "-75.5,6.2\n".repeat(50)),
        format!(
            "lon,lat\n{}",
            (0..50).map(|at| format!("-75.5,{}\n", 6.0 + f64::from(at) * 0.01)).collect::<String>()
        ),
    ] {
        let found = read_csv(&content).unwrap();
        assert_eq!(found.account.rejected, 0);
        assert!(found.incidents.window.area_km2() > 0.0);
        for (&x, &y) in found.incidents.x.iter().zip(&found.incidents.y) {
            assert!(found.incidents.window.contains(x, y));
        }
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]

    #[test]
    fn any_bytes_are_read_or_refused(bytes: Vec<u8>, tail in "[-0-9.,;\"\n\t a-z{}:\\[\\]]*") {
        for name in ["a.csv", "a.geojson"] {
            let _ = read_as(name, &bytes, &InputOptions::default());
            let _ = read_as(name, format!("lon,lat,fecha\n{tail}"), &InputOptions::default());
            let _ = read_as(name, format!("{{\"features\":[{tail}"), &InputOptions::default());
        }
    }

    #[test]
    fn the_order_of_rows_changes_nothing_but_the_order(seed in 0_usize..1000) {
        let mut rows: Vec<String> = (0..120_usize)
            .map(|at| {
                let (a, b) = (at * 37 % 41, at * 53 % 43);
                match at % 17 {
                    3 => format!("{at},,{b},2019-01-02,x"),
                    5 => format!("{at},0,0,2019-01-02,x"),
                    7 => format!("{at},-75.5,6.2,nunca,x"),
                    _ => format!("{at},{},{},{}/{}/2019,kind {}", -75.5 - a as f64 / 300.0, 6.2 + b as f64 / 300.0, at % 28 + 1, at % 12 + 1, at % 4),
                }
            })
            .collect();
        let whole = |rows: &[String]| {
            let content = format!("numero,lon,lat,fecha,tipo\n{}\n", rows.join("\n"));
            let found = read_csv(&content).unwrap();
            let kinds = found.incidents.kinds.clone().unwrap();
            let mut used: Vec<String> = (0..found.incidents.len())
                .map(|at| {
                    let row = &rows[found.incidents.row[at] as usize - 2];
                    let (x, y) = (found.incidents.x[at].to_bits(), found.incidents.y[at].to_bits());
                    let kind = &kinds.names[kinds.codes[at] as usize];
                    format!("{row} {x} {y} {kind} {}", starts(&found)[at])
                })
                .collect();
            used.sort();
            (used, reasons(&found), found.incidents.window.polygons().clone())
        };
        let before = whole(&rows);
        // A fixed shuffle from the seed.
        for at in (1..rows.len()).rev() {
            rows.swap(at, (at * 7919 + seed * 104_729) % (at + 1));
        }
        proptest::prop_assert_eq!(before, whole(&rows));
    }
}
