//! What is known of a portal: its columns, zone, traps, codes, and where its records come from.

use crate::common::{World, codes};
use brasa_ingest::{IngestError, InputOptions, read};

const CHICAGO: &str = "ID,Case Number,Date,Block,IUCR,Primary Type,Description,Location Description,Arrest,Beat,FBI Code,Latitude,Longitude\n";

/// Rows of Chicago's export, which say neither in which order their dates are nor what their kinds mean.
fn chicago(rows: &[(&str, &str, &str, f64)]) -> String {
    let row = |(id, date, kind, lon): &(&str, &str, &str, f64)| {
        format!("{id},JA{id},{date},0000X W A ST,0486,{kind},X,STREET,false,111,08B,41.88,{lon}\n")
    };
    CHICAGO.to_owned() + &rows.iter().map(row).collect::<String>()
}

fn three() -> String {
    chicago(&[
        ("1", "01/02/2019 10:30:00 PM", "ROBBERY", -87.63),
        ("2", "03/04/2019 10:30:00 PM", "BATTERY", -87.64),
        ("2", "03/04/2019 10:30:00 PM", "BATTERY", -87.64),
        ("3", "03/04/2019 10:30:00 PM", "RITUALISM", -87.64),
    ])
}

#[test]
fn a_known_export_is_read_as_its_portal_writes_it() {
    let world = World::new();
    let path = world.file("crimes.csv", three());
    let found = read(&[&path], &InputOptions::default()).unwrap();
    assert_eq!((found.account.used, found.account.duplicate), (3, 1));
    let times = found.incidents.times.as_ref().unwrap();
    assert_eq!(
        times.intervals()[0].unwrap().start.to_string(),
        "2019-01-02T22:30:00",
        "the month comes first"
    );
    assert_eq!(times.zone(), Some("America/Chicago"));
    for code in ["profile", "points_shifted", "kinds_unmapped"] {
        assert!(codes(&found).contains(&code), "{code}");
    }
    let kinds: Vec<_> = found.inputs[0]
        .kinds
        .as_ref()
        .unwrap()
        .iter()
        .map(|kind| (kind.kind.as_str(), kind.rows, kind.iccs.as_deref()))
        .collect();
    assert_eq!(kinds, [("BATTERY", 1, Some("0201")), ("RITUALISM", 1, None), ("ROBBERY", 1, Some("0401"))]);
}

#[test]
fn a_flag_overrules_the_profile_and_none_reads_without() {
    let world = World::new();
    let path = world.file("crimes.csv", three());
    let day_first = InputOptions { date_order: Some("dmy".to_owned()), ..InputOptions::default() };
    let found = read(&[&path], &day_first).unwrap();
    let first = found.incidents.times.as_ref().unwrap().intervals()[0].unwrap();
    assert_eq!(first.start.to_string(), "2019-02-01T22:30:00");
    let without = InputOptions { profile: Some("none".to_owned()), ..InputOptions::default() };
    assert!(matches!(read(&[&path], &without), Err(IngestError::DateOrderUnknown { .. })));
    let misspelt = InputOptions { profile: Some("chicago".to_owned()), ..InputOptions::default() };
    let error = read(&[&path], &misspelt).unwrap_err().to_string();
    assert!(error.contains("--profile") && error.contains("chicago-crimes"), "{error}");
}

#[test]
fn rows_are_chosen_by_the_code_of_their_kind() {
    let world = World::new();
    let path = world.file("crimes.csv", three());
    let only = |only: &str| InputOptions { only: Some(only.to_owned()), ..InputOptions::default() };
    for (wanted, used) in [("iccs=0401", 1), ("iccs=04,02", 2), ("iccs=02", 1)] {
        assert_eq!(read(&[&path], &only(wanted)).unwrap().account.used, used, "{wanted}");
    }
    let plain = world.file("plain.csv", b"lon,lat,kind\n-87.6,41.8,ROBBERY\n");
    let error = read(&[&plain], &only("iccs=0401")).unwrap_err().to_string();
    assert!(error.contains("no profile"), "{error}");
}

#[test]
fn users_write_profiles_of_their_own() {
    let world = World::new();
    let profile = "title = \"Our 123 line\"\nsignature = [\"coor_e\"]\n[read]\nx = \"coor_e\"\ny = \"coor_n\"\ncrs = \"EPSG:32618\"\n\
                   time = \"momento\"\nkind = \"clase\"\ntz = \"America/Bogota\"\n[source]\ncolumn = \"canal\"\nvalues = { \"P\" = \"officer_initiated\" }\n\
                   [iccs]\n\"hurto*\" = \"0502\"\n";
    let profile = world.file("ours.toml", profile);
    let rows = "coor_e;coor_n;momento;clase;canal\n435000;690000;2024-05-01 21:00;hurto a persona;C\n435010;690000;2024-05-02 21:00;riña;P\n";
    let path = world.file("calls.csv", rows);
    let options =
        InputOptions { profile: Some(profile.to_str().unwrap().to_owned()), ..InputOptions::default() };
    let found = read(&[&path], &options).unwrap();
    assert_eq!((found.account.used, found.account.filtered), (1, 1), "the second was made by police");
    assert!(codes(&found).contains(&"police_made_left_out"));
    assert_eq!(found.inputs[0].kinds.as_ref().unwrap()[0].iccs.as_deref(), Some("0502"));
}

#[test]
fn what_police_made_is_left_out_unless_it_is_asked_for() {
    let world = World::new();
    let rows = "lon,lat,date,source\n-74.10,4.60,2024-05-01,911\n-74.11,4.61,2024-05-02,On view\n-74.10,4.61,2024-05-02,Arrest\n";
    let path = world.file("cad.csv", rows);
    let found = read(&[&path], &InputOptions::default()).unwrap();
    assert_eq!((found.account.used, found.account.filtered), (1, 2));
    assert!(codes(&found).contains(&"police_made_left_out"));
    let sources = |found: &brasa_ingest::Ingested| {
        let known = found.inputs[0].sources.clone().unwrap();
        known.into_iter().collect::<Vec<_>>()
    };
    assert_eq!(sources(&found), [("call".to_owned(), 1)]);

    let all = InputOptions { include_officer_initiated: true, ..InputOptions::default() };
    let found = read(&[&path], &all).unwrap();
    assert_eq!((found.account.used, found.account.filtered), (3, 0));
    assert!(codes(&found).contains(&"police_made_included"), "and the layer says so");
    let expected =
        [("arrest", 1), ("call", 1), ("officer_initiated", 1)].map(|(name, n)| (name.to_owned(), n));
    assert_eq!(sources(&found), expected);

    let arrests = "ARREST_KEY,ARREST_DATE,OFNS_DESC,LAW_CODE,ARREST_BORO,X_COORD_CD,Y_COORD_CD\n1,01/31/2020,ROBBERY,PL,M,985000,200000\n";
    let path = world.file("arrests.csv", arrests);
    let error = read(&[&path], &InputOptions::default()).unwrap_err();
    assert!(error.to_string().contains("police made them"), "{error}");
    assert_eq!(read(&[&path], &all).unwrap().account.used, 1);
}

#[test]
fn a_column_called_source_that_holds_other_words_is_no_source() {
    let world = World::new();
    let rows = "lon,lat,source\n-74.10,4.60,Base A\n-74.11,4.61,Base B\n";
    let path = world.file("a.csv", rows);
    let found = read(&[&path], &InputOptions::default()).unwrap();
    assert_eq!((found.account.used, found.columns[0].source.as_deref()), (2, None));
}

#[test]
fn copies_are_kept_unless_they_are_not_wanted() {
    let world = World::new();
    let rows = "lon,lat,date,kind\n-74.10,4.60,2024-05-01,a\n-74.10,4.60,2024-05-01,a\n-74.10,4.60,2024-05-01,b\n-74.10,4.60,2024-05-02,a\n-74.10,4.60,2024-05-01,a\n";
    let path = world.file("a.csv", rows);
    let kept = read(&[&path], &InputOptions::default()).unwrap();
    assert_eq!((kept.account.used, kept.account.duplicate), (5, 0));
    let dropped = read(&[&path], &InputOptions { drop_copies: true, ..InputOptions::default() }).unwrap();
    assert_eq!((dropped.account.used, dropped.account.duplicate), (3, 2));
}

#[test]
fn an_export_without_points_is_named_for_what_it_is() {
    let world = World::new();
    let rows = "FECHA,RANG_DIA,SEXO,CODIGO_DIV1,CODIGO_DIV2\n2010-01-01,TARDE,FEMENINO,12,21\n";
    let path = world.file("upz.csv", rows);
    let error = read(&[&path], &InputOptions::default()).unwrap_err();
    assert!(
        matches!(&error, IngestError::NoCoordinates { known: Some(known), .. } if known.contains("UPZ")),
        "{error}"
    );
}

#[test]
fn day_numbers_of_a_spreadsheet_are_dates_where_a_column_is_called_one() {
    let world = World::new();
    let rows =
        "lon,lat,fecha,codigo\n-74.10,4.60,43831.75,43831\n-74.11,4.60,43832,43999\n-74.11,4.61,,43999\n";
    let path = world.file("a.csv", rows);
    let found = read(&[&path], &InputOptions::default()).unwrap();
    let starts: Vec<_> = found
        .incidents
        .times
        .as_ref()
        .unwrap()
        .intervals()
        .iter()
        .map(|time| time.map(|time| time.start.to_string()))
        .collect();
    assert_eq!(starts, [Some("2020-01-01T18:00:00".into()), Some("2020-01-02T00:00:00".into()), None]);
    assert!(codes(&found).contains(&"serial_dates"));
}

#[test]
fn an_hour_beside_the_last_date_ends_the_window() {
    let world = World::new();
    let rows = "lon,lat,desde,hora1,hasta,hora2\n-74.10,4.60,2024-05-01,22:00,2024-05-02,06:30\n-74.11,4.60,2024-05-01,22:00,,\n";
    let path = world.file("a.csv", rows);
    let named = |name: &str| Some(name.to_owned());
    let options = InputOptions {
        time: named("desde"),
        hour: named("hora1"),
        time_end: named("hasta"),
        hour_end: named("hora2"),
        ..InputOptions::default()
    };
    let found = read(&[&path], &options).unwrap();
    let intervals = found.incidents.times.as_ref().unwrap().intervals().to_vec();
    let seconds = |at: usize| intervals[at].map(|time| time.end.0 - time.start.0);
    assert_eq!((seconds(0), seconds(1)), (Some(8 * 3600 + 31 * 60), Some(60)));
}
