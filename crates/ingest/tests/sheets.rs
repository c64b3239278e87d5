//! Workbooks as offices send them: titles, headers in two rows, empty margins, dates as numbers.

use crate::common::workbook::{Cell, ods, sheet, xlsx, zip};
use crate::common::{World, codes, read_as, starts};
use brasa_ingest::{Ingested, InputOptions, read_polygons};
use brasa_model::{Crs, Diagnose};
use proptest::prelude::*;

use Cell::{Moment, Nothing, Number, Text};

/// 2019-01-02, counted from 1900.
const DAY: f64 = 43_467.0;

fn report(time: fn(f64) -> Cell, from: f64) -> Vec<Vec<Cell>> {
    vec![
        vec![Text("Reporte de delitos")],
        vec![],
        vec![Text("Datos"), Nothing, Text("Lugar"), Nothing],
        vec![Text("Fecha"), Text("Tipo"), Text("X"), Text("Y")],
        vec![time(DAY + 0.5 - from), Text("robo"), Number(-74.1), Number(4.6)],
        vec![time(DAY + 1.25 - from), Text("hurto"), Number(-74.05), Number(4.65)],
    ]
}

fn is_report(found: &Ingested) {
    assert_eq!(found.account.used, 2);
    assert_eq!(starts(found), ["2019-01-02T12:00:00 +1", "2019-01-03T06:00:00 +1"]);
    assert_eq!(found.columns[0].kind.as_deref(), Some("Tipo"));
    let way = found.incidents.crs.to_lonlat().unwrap();
    let (lon, lat) = way.convert(found.incidents.x[0], found.incidents.y[0]).unwrap();
    assert!((lon + 74.1).abs() < 1e-9 && (lat - 4.6).abs() < 1e-9, "{lon} {lat}");
}

fn open(bytes: &[u8]) -> Ingested {
    read_as("a.xlsx", bytes, &InputOptions::default()).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn titles_two_rows_of_names_and_margins_are_seen_through() {
    let found =
        open(&xlsx(&[("Delitos", sheet(&report(Moment, 0.0), 3, 2)), ("Notas", sheet(&[], 0, 0))], false));
    is_report(&found);
    assert_eq!(found.incidents.row, [8, 9], "the numbers on the sheet");
    for code in ["title_rows_skipped", "header_in_two_rows", "sheet_chosen"] {
        assert!(codes(&found).contains(&code), "{code}");
    }
}

#[test]
fn dates_are_numbers_from_1900_or_from_1904_with_a_format_or_without() {
    for (time, epoch) in [(Moment as fn(f64) -> Cell, 1900), (Moment, 1904), (Number, 1900), (Number, 1904)] {
        let from = if epoch == 1904 { 1462.0 } else { 0.0 };
        let found = open(&xlsx(&[("a", sheet(&report(time, from), 0, 0))], epoch == 1904));
        is_report(&found);
        let bare = matches!(time(0.0), Number(_));
        assert_eq!(codes(&found).contains(&"serial_dates"), bare, "{epoch}");
    }
}

#[test]
fn the_sheet_is_asked_for_when_several_hold_tables() {
    let book = xlsx(
        &[("2018", sheet(&report(Moment, 0.0), 0, 0)), ("2019", sheet(&report(Moment, 0.0), 0, 0))],
        false,
    );
    let error = read_as("a.xlsx", &book, &InputOptions::default()).unwrap_err();
    assert_eq!(error.code(), "layer_choice");
    assert!(error.to_string().contains("2018, 2019"), "{error}");
    let layer = |name: &str| InputOptions { layer: Some(name.into()), ..InputOptions::default() };
    is_report(&read_as("a.xlsx", &book, &layer("2019")).unwrap());
    assert_eq!(read_as("a.xlsx", &book, &layer("2020")).unwrap_err().code(), "layer_unknown");
    // In an archive, too.
    let archive = zip(&[("x/a.xlsx", &book), ("readme.txt", b"hi")]);
    is_report(&read_as("a.zip", &archive, &layer("2018")).unwrap());
}

#[test]
fn older_and_open_formats_are_read() {
    is_report(&read_as("a.ods", ods("Delitos", &report(Number, 0.0)), &InputOptions::default()).unwrap());
    // Written by xlwt, see the corpus' README.
    let xls = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus/sheets/report.xls")).unwrap();
    is_report(&read_as("a.xls", xls, &InputOptions::default()).unwrap());
}

#[test]
fn a_workbook_without_coordinates_says_what_it_holds() {
    let rows = vec![
        vec![Text("Delito"), Text("Total")],
        vec![Text("robo"), Number(7.0)],
        vec![Text("hurto"), Number(8.0)],
    ];
    let error =
        read_as("a.xlsx", xlsx(&[("a", sheet(&rows, 0, 0))], false), &InputOptions::default()).unwrap_err();
    assert_eq!(error.code(), "no_coordinates");
    assert!(error.to_string().contains("Delito, Total"), "{error}");
    let empty = xlsx(&[("a", sheet(&[], 0, 0))], false);
    assert_eq!(read_as("a.xlsx", empty, &InputOptions::default()).unwrap_err().code(), "no_rows");
}

#[test]
fn polygons_on_a_sheet_are_a_study_area() {
    let square = "POLYGON ((-75 4, -74 4, -74 5, -75 5, -75 4))";
    let rows =
        vec![vec![Text("geom"), Text("n")], vec![Text(square), Number(1.0)], vec![Text(square), Number(2.0)]];
    let world = World::new();
    let path = world.file("a.xlsx", xlsx(&[("a", sheet(&rows, 0, 0))], false));
    assert_eq!(read_polygons(&path, None, &Crs::utm(-74.0, 4.5).unwrap()).unwrap().0.0.len(), 2);
}

#[test]
fn a_sheet_beyond_the_limits_is_refused() {
    // Two cells in opposite corners: a grid of seventeen thousand million cells.
    let corner = sheet(&[vec![Text("a"), Text("b")], vec![Text("c"), Text("d")]], 0, 0)
        .replace("</sheetData>", "<row r=\"1048576\"><c r=\"XFD1048576\"><v>1</v></c></row></sheetData>");
    let error = read_as("a.xlsx", xlsx(&[("a", corner)], false), &InputOptions::default()).unwrap_err();
    assert_eq!(error.code(), "too_large", "{error}");
    let bomb = sheet(&[], 0, 0).replace("<sheetData>", &format!("<sheetData>{}", " ".repeat(80 << 20)));
    let error = read_as("a.xlsx", xlsx(&[("a", bomb)], false), &InputOptions::default()).unwrap_err();
    assert_eq!(error.code(), "too_large", "{error}");
    let mut xls =
        std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus/sheets/report.xls")).unwrap();
    let number = [0x7e, 0x02, 10, 0];
    let at = xls.windows(4).position(|window| window == number).unwrap();
    xls[at + 6..at + 8].copy_from_slice(&[0xff, 0xff]);
    let error = read_as("a.xls", xls, &InputOptions::default()).unwrap_err();
    assert!(error.to_string().contains("beyond the last column"), "{error}");
}

#[test]
fn a_workbook_that_is_cut_is_an_error() {
    for (name, whole) in [
        ("a.xlsx", xlsx(&[("a", sheet(&report(Moment, 0.0), 0, 0))], false)),
        ("a.ods", ods("a", &report(Number, 0.0))),
    ] {
        for part in 1..100 {
            let cut = whole.len() * part / 100;
            assert!(read_as(name, &whole[..cut], &InputOptions::default()).is_err(), "{name} {cut}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn a_damaged_workbook_is_read_or_refused(at in 0.0..1.0, flip in 1_u8..=255, which in 0..3) {
        let (name, mut bytes) = match which {
            0 => ("a.xlsx", xlsx(&[("a", sheet(&report(Moment, 0.0), 0, 0))], false)),
            1 => ("a.ods", ods("a", &report(Number, 0.0))),
            _ => ("a.xls", std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/corpus/sheets/report.xls")).unwrap()),
        };
        let at = (at * bytes.len() as f64) as usize;
        bytes[at] ^= flip;
        if let Ok(found) = read_as(name, bytes, &InputOptions::default()) {
            prop_assert!(found.account.balances());
        }
    }
}
