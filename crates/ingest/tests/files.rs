//! Several files read into one pattern: each by its own rules, all in one system and one window, and every row accounted for.

use std::path::{Path, PathBuf};

use crate::common::{World, codes, starts};
use brasa_ingest::{IngestError, Ingested, InputOptions, Pieces, Progress, expand, read, stream};
use brasa_model::{Account, Blame, Diagnose, Incidents};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn options(set: impl FnOnce(&mut InputOptions)) -> InputOptions {
    let mut options = InputOptions::default();
    set(&mut options);
    options
}

fn in_city() -> InputOptions {
    options(|o| o.study_area = Some(root().join("data/city.geojson")))
}

/// The text of the first note with this code.
fn note<'a>(found: &'a Ingested, code: &str) -> &'a str {
    &found.notes.iter().find(|note| note.code == code).unwrap().text
}

/// The account of a file.
fn rows(found: &Ingested, file: usize) -> [u64; 5] {
    let rows = found.inputs[file].rows.unwrap();
    [rows.read, rows.used, rows.filtered, rows.rejected, rows.duplicate]
}

/// The incidents that came from each file.
fn per_file(found: &Ingested) -> Vec<usize> {
    let files = found.incidents.files.as_ref().unwrap();
    (0..files.names.len())
        .map(|file| files.codes.iter().filter(|&&code| usize::from(code) == file).count())
        .collect()
}

/// The sample city cut in two by the last digit of the line.
fn halves(world: &World) -> [PathBuf; 2] {
    let text = std::fs::read_to_string(root().join("data/incidentes.csv")).unwrap();
    let (header, body) = text.split_once('\n').unwrap();
    [0, 1].map(|half| {
        let rows: Vec<&str> =
            body.lines().enumerate().filter(|(at, _)| at % 2 == half).map(|row| row.1).collect();
        world.file(&format!("{half}.csv"), format!("{header}\n{}\n", rows.join("\n")))
    })
}

/// The places in a fixed order.
fn places(incidents: &Incidents) -> Vec<(u64, u64)> {
    let mut places: Vec<(u64, u64)> =
        incidents.x.iter().zip(&incidents.y).map(|(x, y)| (x.to_bits(), y.to_bits())).collect();
    places.sort_unstable();
    places
}

#[test]
fn a_file_in_two_parts_is_the_file() {
    let world = World::new();
    let [a, b] = halves(&world);
    for options in [in_city(), InputOptions::default()] {
        let options = InputOptions { id: Some("id_caso".into()), ..options };
        let one = read(&[root().join("data/incidentes.csv")], &options).unwrap();
        let mut accounts = Vec::new();
        for paths in [[&a, &b], [&b, &a]] {
            let two = read(&paths, &options).unwrap();
            assert_eq!(two.account, one.account);
            let sum =
                two.inputs.iter().filter_map(|input| input.rows).fold(Account::default(), Account::plus);
            assert_eq!(sum, one.account);
            assert!(two.inputs.iter().filter_map(|input| input.rows).all(|rows| rows.balances()));
            assert_eq!(places(&two.incidents), places(&one.incidents));
            assert_eq!(two.incidents.crs, one.incidents.crs);
            assert_eq!(two.incidents.window.polygons(), one.incidents.window.polygons());
            assert_eq!(
                two.incidents.kinds.as_ref().unwrap().names,
                one.incidents.kinds.as_ref().unwrap().names
            );
            assert!(two.rejects.is_sorted_by_key(|reject| (reject.file, reject.line)));
            let rows = two.incidents.files.as_ref().unwrap().codes.iter().zip(&two.incidents.row);
            assert!(rows.is_sorted(), "the order of the files and their rows is kept");
            accounts.push(two.account);
        }
        assert!(one.account.duplicate > 0 && one.incidents.files.is_none());
    }
}

#[test]
fn a_crowded_place_is_counted_over_all_files() {
    let world = World::new();
    let row = |at: usize| match at % 50 {
        0 => "-83.5,-12.0\n".to_owned(),
        _ => format!("-83.51{at:03},-12.01\n"),
    };
    let rows: String = (0..300).map(row).collect();
    let paths = ["a.csv", "b.csv"].map(|name| world.file(name, format!("lon,lat\n{rows}")));
    let found = read(&paths, &InputOptions::default()).unwrap();
    let text = note(&found, "places_crowded");
    assert!(text.ends_with("incidents: 12 at lon -83.5 lat -12"), "{text}");
}

#[test]
fn each_file_has_its_own_format_columns_dates_and_system() {
    let world = World::new();
    let files = [
        world.file("uno.csv", "fecha;longitud;latitud;delito\n13/02/2024;-83,51;-12,01;HURTO\n03/04/2024;-83,52;-12,02;ROBO\n"),
        world.file("two.csv", "date,lat,lon\n02/13/2024,-12.01,-83.51\n03/04/2024,-12.02,-83.52\n"),
        world.file(
            "three.geojson",
            r#"{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"peso":"3"},"geometry":{"type":"Point","coordinates":[-83.53,-12.01]}}]}"#,
        ),
    ];
    let found = read(&files, &options(|o| o.weight = Some("peso".into()))).unwrap();
    assert_eq!(per_file(&found), [2, 2, 1]);
    let days: Vec<String> = starts(&found).iter().map(|start| start.chars().take(10).collect()).collect();
    assert_eq!(days, ["2024-02-13", "2024-04-03", "2024-02-13", "2024-03-04", "none"]);
    assert_eq!(found.incidents.weight, Some(vec![1.0, 1.0, 1.0, 1.0, 3.0]));
    let kinds = found.incidents.kinds.as_ref().unwrap();
    let kinds: Vec<&str> = kinds.codes.iter().map(|&code| kinds.names[code as usize].as_str()).collect();
    assert_eq!(kinds, ["HURTO", "ROBO", "", "", ""]);
    assert_eq!((found.incidents.x[0], found.incidents.y[0]), (found.incidents.x[2], found.incidents.y[2]));
    let missing: Vec<&str> = found
        .notes
        .iter()
        .filter(|note| note.code == "role_missing")
        .map(|note| note.text.as_str())
        .collect();
    assert_eq!(
        missing,
        [
            "uno.csv and two.csv: no column with the weight is known: its incidents weigh 1 each",
            "two.csv and three.geojson: no column with the kind is known: its incidents state none",
            "three.geojson: no column with the time is known: its incidents have none",
        ]
    );
    // What no file has is no column.
    let error = read(&files, &options(|o| o.weight = Some("poso".into()))).unwrap_err();
    assert_eq!((error.code(), error.blame()), ("column_unknown", Blame::Usage));
    assert!(error.to_string().contains("uno.csv"), "{error}");
}

#[test]
fn one_working_system_for_all() {
    let world = World::new();
    let degrees = world.file("degrees.csv", "lon,lat\n-83.51,-12.01\n-83.52,-12.02\n-83.53,-12.02\n");
    // The first place in UTM 17S.
    let metres = world.file("metres.csv", "x,y\n226704,8671031\n226804,8671131\n");
    let error = read(&[&degrees, &metres], &InputOptions::default()).unwrap_err();
    assert_eq!(error.code(), "crs_unknown");
    assert!(error.to_string().contains("metres.csv"), "{error}");
    let said = options(|o| o.crs = Some("EPSG:32717".into()));
    for paths in [[&degrees, &metres], [&metres, &degrees]] {
        let found = read(&paths, &said).unwrap();
        assert_eq!(found.incidents.crs.epsg(), 32_717);
        assert_eq!(found.account.used, 5);
        let at = found.incidents.x.iter().position(|&x| x == 226_704.0).unwrap();
        assert_eq!(found.incidents.y[at], 8_671_031.0, "what comes in the working system stays as it is");
        let systems: Vec<&str> = found.inputs.iter().filter_map(|input| input.crs_in.as_deref()).collect();
        assert!(systems.contains(&"EPSG:4326") && systems.contains(&"EPSG:32717"), "{systems:?}");
    }
    let error = read(&[&degrees, &world.file("more.csv", "lon,lat\n-83.5,-12.0\n")], &said).unwrap_err();
    assert_eq!(error.code(), "option_invalid");
}

#[test]
fn an_id_in_two_files_is_a_duplicate_if_their_columns_are_the_same() {
    let world = World::new();
    let january =
        world.file("january.csv", "id,lon,lat\n1,-83.51,-12.01\n2,-83.52,-12.02\n2,-83.52,-12.02\n");
    let february = world.file("february.csv", "id,lon,lat\n2,-83.52,-12.02\n3,-83.53,-12.03\n,-83.5,-12\n");
    let people = world.file("people.csv", "id,lon,lat,people\n1,-83.51,-12.01,7\n2,-83.52,-12.02,5\n");
    let said = options(|o| (o.id, o.weight) = (Some("id".into()), Some("people".into())));
    let found = read(&[&january, &february, &people], &said).unwrap();
    assert_eq!(rows(&found, 0), [3, 2, 0, 0, 1]);
    assert_eq!(rows(&found, 1), [3, 2, 0, 0, 1]);
    assert_eq!(rows(&found, 2), [2, 2, 0, 0, 0]);
    assert_eq!(
        note(&found, "ids_repeated"),
        "february.csv: 1 rows have an id that another file has, and are duplicates"
    );
    // The first of the files keeps it.
    let found = read(&[&february, &january], &options(|o| o.id = Some("id".into()))).unwrap();
    assert_eq!((rows(&found, 0), rows(&found, 1)), ([3, 3, 0, 0, 0], [3, 1, 0, 0, 2]));
}

#[test]
fn a_file_without_incidents_is_a_note_if_others_have_some() {
    let world = World::new();
    let good = world.file("good.csv", "lon,lat,fecha\n-83.51,-12.01,2024-01-05\n-83.52,-12.02,2024-01-06\n");
    let header = world.file("header.csv", "lon,lat,fecha\n");
    let zeros = world.file("zeros.csv", "lon,lat,fecha\n0,0,2024-01-07\n");
    let nobody = world.file("nobody.geojson", r#"{"type":"FeatureCollection","features":[]}"#);
    let found =
        read(&[&header, &zeros, &good, &nobody], &options(|o| o.since = Some("2024-01-06".into()))).unwrap();
    assert_eq!(per_file(&found), [0, 0, 1, 0]);
    assert_eq!((rows(&found, 0), rows(&found, 1)), ([0; 5], [1, 0, 0, 1, 0]));
    let said: Vec<&str> = found
        .notes
        .iter()
        .filter(|note| note.code == "file_without_incidents")
        .map(|note| note.text.as_str())
        .collect();
    assert_eq!(said.len(), 3);
    assert!(said[0].starts_with("header.csv has column names"), "{}", said[0]);
    assert!(said[1].starts_with("zeros.csv: none of the 1 rows"), "{}", said[1]);
    // Without any there is nothing to go on with.
    let error = read(&[&header, &zeros], &InputOptions::default()).unwrap_err();
    assert_eq!(error.code(), "nothing_left");
    assert!(error.to_string().contains("header.csv and zeros.csv"), "{error}");
    assert_eq!(read(&[&header, &nobody], &InputOptions::default()).unwrap_err().code(), "no_rows");
}

#[test]
fn a_file_whose_dates_leave_the_order_open_follows_its_kind() {
    let world = World::new();
    let told = world.file("told.csv", "lon,lat,fecha\n-83.51,-12.01,13/02/2024\n-83.52,-12.02,01/02/2024\n");
    let open = world.file("open.csv", "lon,lat,fecha\n-83.51,-12.01,03/04/2024\n-83.52,-12.02,05/04/2024\n");
    let other = world.file("other.csv", "lon,lat,date\n-83.51,-12.01,03/04/2024\n-83.52,-12.02,05/04/2024\n");
    let contrary = world.file("contrary.csv", "lon,lat,fecha\n-83.51,-12.01,02/13/2024\n");
    let default = InputOptions::default();
    let found = read(&[&open, &told], &default).unwrap();
    assert!(starts(&found)[0].starts_with("2024-04-03"));
    for paths in [vec![&open], vec![&other, &told], vec![&open, &told, &contrary]] {
        let error = read(&paths, &default).unwrap_err();
        assert_eq!(error.code(), "date_order_unknown");
        assert!(
            error.to_string().starts_with(if paths[0] == &open { "open.csv" } else { "other.csv" }),
            "{error}"
        );
    }
}

#[test]
fn the_times_of_some_files_can_be_chosen_from() {
    let world = World::new();
    let dated =
        world.file("dated.csv", "lon,lat,fecha\n-83.51,-12.01,2024-01-05\n-83.52,-12.02,2024-02-06\n");
    let plain = world.file("plain.csv", "lon,lat\n-83.51,-12.01\n");
    let since = options(|o| o.since = Some("2024-02-01".into()));
    let found = read(&[&dated, &plain], &since).unwrap();
    assert_eq!((rows(&found, 0), rows(&found, 1)), ([2, 1, 1, 0, 0], [1, 0, 0, 1, 0]));
    assert_eq!(
        read(&[&plain, &world.file("p.csv", "lon,lat\n-83,-12\n")], &since).unwrap_err().code(),
        "option_invalid"
    );
}

#[test]
fn the_same_file_twice_is_refused() {
    let world = World::new();
    let file = world.file("in.csv", "lon,lat\n-83.51,-12.01\n");
    let other = world.file("other.csv", "lon,lat\n-83.51,-12.01\n");
    let around = world.path(".").join("in.csv");
    for again in [&file, &around] {
        let error = read(&[&file, &other, again], &InputOptions::default()).unwrap_err();
        assert_eq!((error.code(), error.blame()), ("file_twice", Blame::Usage));
        assert!(error.to_string().contains("in.csv is named twice"), "{error}");
    }
}

#[test]
fn a_pattern_is_the_files_it_fits() {
    let world = World::new();
    for name in ["2024-02.csv", "2024-01.csv", "2023-12.csv", "2024-01.txt", ".2024-9.csv", "[odd].csv"] {
        world.file(name, "lon,lat\n");
    }
    let fits = |pattern: &str| -> Vec<String> {
        let name = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().into_owned();
        expand(&[world.path(pattern)]).unwrap().iter().map(name).collect()
    };
    assert_eq!(fits("2024-*.csv"), ["2024-01.csv", "2024-02.csv"]);
    assert_eq!(fits("202[34]-?[12].csv"), ["2023-12.csv", "2024-01.csv", "2024-02.csv"]);
    assert_eq!(fits("[odd].csv"), ["[odd].csv"], "a file of that very name is meant");
    assert_eq!(fits("nowhere.csv"), ["nowhere.csv"], "reading says that it is not there");
    let error = expand(&[world.path("2022-*.csv")]).unwrap_err();
    assert_eq!((error.code(), error.blame()), ("pattern_matches_nothing", Blame::Input));
    assert!(error.to_string().contains("2022-*.csv"), "{error}");
    assert_eq!(expand(&[world.path("a[.csv")]).unwrap_err().code(), "pattern_invalid");
}

#[test]
fn files_in_pieces_are_the_files_in_memory() {
    let world = World::new();
    let paths = halves(&world);
    let whole = read(&paths, &in_city()).unwrap();
    for size in [701, 100_000] {
        let (mut row, mut codes) = (Vec::new(), Vec::new());
        let mut each = |piece: &Incidents| {
            row.extend(&piece.row);
            codes.extend(&piece.files.as_ref().unwrap().codes);
            Ok(())
        };
        let mut seen: Vec<Progress> = Vec::new();
        let pieces = Pieces { rows: size, ..Pieces::default() };
        let found =
            stream::<_, IngestError>(&paths, &in_city(), pieces, &mut each, &mut |at| seen.push(at)).unwrap();
        assert_eq!((found.account, &found.inputs), (whole.account, &whole.inputs));
        assert_eq!(found.rejects, whole.rejects);
        assert_eq!(
            (&row, Some(&codes)),
            (&whole.incidents.row, whole.incidents.files.as_ref().map(|files| &files.codes))
        );
        let last = seen.last().unwrap();
        assert_eq!((last.rows, last.share), (found.account.read, Some(1.0)));
        assert!(seen.is_sorted_by_key(|at| at.rows));
    }
    assert!(!codes(&whole).contains(&"ids_repeated"));
}
