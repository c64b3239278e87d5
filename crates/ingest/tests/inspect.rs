//! What a look into a file tells, on files whose faults are known.

use std::path::PathBuf;

use crate::common::World;
use brasa_ingest::{InputOptions, inspect};
use brasa_model::{Inspection, Note};

fn look(name: &str, content: impl AsRef<[u8]>) -> Inspection {
    let world = World::new();
    inspect(&[world.file(name, content)], &InputOptions::default()).unwrap()
}

fn codes(notes: &[Note]) -> Vec<&str> {
    notes.iter().map(|note| note.code.as_str()).collect()
}

/// A city of 400 rows with an id, a time to the minute, a kind and a time of report; then other rows.
fn city(more: &str) -> String {
    let mut text = "folio;longitud;latitud;fecha_hecho;fecha_reporte;delito;nombre_victima\n".to_owned();
    for at in 0..400 {
        let (column, row) = (at % 20, at / 20);
        text += &format!(
            "{};-74,{};4,{};{:02}/05/2024 {:02}:{:02};{:02}/05/2024;{};N{at}\n",
            at + 1,
            3_012_345 - column * 54_321,
            5_012_345 + row * 54_321,
            1 + at % 25,
            1 + at % 23,
            at * 7 % 60,
            2 + at % 25,
            ["ROBO", "HURTO"][at % 2],
        );
    }
    text + more
}

#[test]
fn a_sound_file_ends_with_the_command_that_reads_it_without_a_guess() {
    let found = look("incidentes.csv", city(""));
    assert_eq!(found.refused, None);
    let rows = found.rows.unwrap();
    assert_eq!((rows.read, rows.used), (400, 400));
    let file = &found.files[0];
    assert_eq!(codes(&file.findings), ["personal_columns"]);
    let roles: Vec<&str> = file.columns.iter().map(|column| column.role.as_deref().unwrap_or("")).collect();
    assert_eq!(roles, ["", "lon", "lat", "time", "", "kind", ""]);
    let holds: Vec<&str> = file.columns.iter().map(|column| column.holds.as_str()).collect();
    assert_eq!(holds, ["integer", "number", "number", "date and time", "date", "text", "text"]);
    let names = &file.columns[6];
    assert!(names.personal && names.top.is_empty() && names.range.is_none(), "no name is shown");
    let times = file.times.as_ref().unwrap();
    assert_eq!(times.precision.get("minute"), Some(&400));
    let lag = times.lag.as_ref().unwrap();
    assert_eq!((lag.column.as_str(), lag.rows, lag.negative), ("fecha_reporte", 400, 0));
    assert!(lag.median_days < 1.0);
    for (flag, value) in
        [("lon", "longitud"), ("time", "fecha_hecho"), ("crs", "EPSG:4326"), ("kind", "delito")]
    {
        assert_eq!(found.suggested.get(flag).map(String::as_str), Some(value), "{flag}");
    }
}

#[test]
fn each_fault_is_found_and_counted() {
    let faults = "401;4,6;-74,1;03/05/2024 10:00;04/05/2024;ROBO;x\n\
                  402;74,1;4,6;03/05/2024 10:00;04/05/2024;ROBO;x\n\
                  403;0;0;03/05/2024 10:00;04/05/2024;ROBO;x\n\
                  404;1000000;1002000;03/05/2024 10:00;04/05/2024;ROBO;x\n\
                  405;;;03/05/2024 10:00;04/05/2024;ROBO;x\n\
                  406;-99,5;37,3;03/05/2024 10:00;01/05/2024;ROBO;x\n\
                  406;-74,11;4,61;03/05/2024 10:00;04/05/2024;ROBO;x\n\
                  407;-74,11;4,61;03/05/2024 10:00;04/05/2024;ROBO;x\n";
    let found = look("incidentes.csv", city(faults));
    let file = &found.files[0];
    let counted: Vec<(&str, u64)> = file
        .findings
        .iter()
        .map(|note| {
            (note.code.as_str(), note.value.as_ref().and_then(serde_json::Value::as_u64).unwrap_or_default())
        })
        .collect();
    assert_eq!(
        counted,
        [
            ("zeros", 1),
            ("axes_swapped", 1),
            ("signs_wrong", 1),
            ("systems_mixed", 1),
            ("far_away", 1),
            ("reported_before", 1),
            ("ids_repeated", 1),
            ("copies", 1),
            ("personal_columns", 1),
        ]
    );
    assert_eq!(
        found.suggested.get("id").map(String::as_str),
        Some("folio"),
        "the command counts each folio once"
    );
    assert_eq!(found.rows.unwrap().read, 408);
}

#[test]
fn what_would_be_refused_is_told_with_its_remedy() {
    let swapped = look("a.csv", "lon,lat\n41.8,-87.6\n41.9,-87.7\n");
    assert_eq!(swapped.refused.as_ref().unwrap().code, "axes_swapped");
    assert_eq!(swapped.suggested.get("lon").map(String::as_str), Some("lat"));
    let metres = look("b.csv", "x,y\n500000,4600000\n500100,4600100\n");
    assert_eq!(metres.refused.as_ref().unwrap().code, "crs_unknown");
    assert_eq!(metres.suggested.get("crs").map(String::as_str), Some("EPSG:CODE"));
    let dates = look("c.csv", "lon,lat,fecha\n-74.1,4.6,03/04/2024\n-74.2,4.6,05/06/2024\n");
    let refused = dates.refused.unwrap();
    assert_eq!(refused.code, "date_order_unknown");
    assert!(
        refused.text.contains("2024-04-03") && refused.text.contains("2024-03-04"),
        "both readings are shown"
    );
    let placeless = look("d.csv", "a,b\nx,y\n");
    assert_eq!(placeless.refused.unwrap().code, "no_coordinates");
    assert_eq!((placeless.files[0].rows, placeless.files[0].places.is_none()), (1, true));
}

#[test]
fn files_are_told_one_by_one_and_only_what_fits_all_is_suggested() {
    let world = World::new();
    let paths: Vec<PathBuf> = vec![
        world.file("a.csv", "lon,lat,fecha\n-74.1,4.6,2024-05-01\n"),
        world.file("b.csv", "longitud,lat,fecha\n-74.11,4.61,2024-05-02\n"),
    ];
    let found = inspect(&paths, &InputOptions::default()).unwrap();
    assert_eq!(found.files.iter().map(|file| file.rows).collect::<Vec<_>>(), [1, 1]);
    assert_eq!(found.suggested.get("lon"), None);
    assert_eq!(found.suggested.get("time").map(String::as_str), Some("fecha"));
}

#[test]
fn a_file_that_cannot_be_opened_is_an_error() {
    assert!(inspect(&["nowhere.csv"], &InputOptions::default()).is_err());
}
