//! Tables in memory: the same rows as of a file, and the same verdicts.

use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::Arc;

use crate::common::World;
use brasa_ingest::memory::{Cell, Cells, Held, Spot, Spots, Table};
use brasa_ingest::{IngestError, InputOptions, read};
use brasa_model::SourceCrs;

struct Column(Vec<Cell<'static>>);

impl Cells for Column {
    fn cell(&self, row: usize) -> Cell<'_> {
        self.0[row].clone()
    }
}

/// Points, and what a point is not.
struct Places(Vec<Option<(f64, f64)>>);

impl Spots for Places {
    fn spot(&self, row: usize) -> Spot<'_> {
        self.0[row].map_or(Spot::Nothing, |(x, y)| Spot::Point(x, y))
    }
}

fn text(text: &'static str) -> Cell<'static> {
    Cell::Text(Cow::Borrowed(text))
}

fn column(name: &str, cells: Vec<Cell<'static>>) -> (String, Box<dyn Cells>) {
    (name.to_owned(), Box::new(Column(cells)))
}

/// Four places around Bogotá.
const PLACES: [(f64, f64); 4] = [(-74.08, 4.60), (-74.07, 4.61), (-74.09, 4.62), (-74.08, 4.65)];

fn points(places: Vec<Option<(f64, f64)>>, columns: Vec<(String, Box<dyn Cells>)>) -> Held {
    let rows = places.len();
    let table = Table::new(rows, columns, Some(Box::new(Places(places))), Some(SourceCrs::wgs84()));
    Held::new(Arc::new(table), "incidents")
}

fn some(places: &[(f64, f64)]) -> Vec<Option<(f64, f64)>> {
    places.iter().copied().map(Some).collect()
}

fn bits(values: &[f64]) -> Vec<u64> {
    values.iter().map(|value| value.to_bits()).collect()
}

#[test]
fn a_table_is_read_as_the_file_with_the_same_rows() {
    let world = World::new();
    let rows = ["2024-03-01T22:15:00,ROBO,2", "2024-03-02T00:00:00,HURTO,1", "s/f,ROBO,1.5", ",,0"];
    let lines: Vec<String> =
        PLACES.iter().zip(rows).map(|((lon, lat), rest)| format!("{lon},{lat},{rest}")).collect();
    let file = world.file("a.csv", format!("lon,lat,fecha,tipo,peso\n{}\n", lines.join("\n")));
    let day = 19_783 * 86_400_i64;
    let moment = |value| Cell::Moment { value, per_second: 1000, is_instant: false };
    let columns = || {
        vec![
            column(
                "fecha",
                vec![
                    moment((day + 22 * 3600 + 900) * 1000),
                    moment((day + 86_400) * 1000),
                    text("s/f"),
                    Cell::Nothing,
                ],
            ),
            column("tipo", vec![text("ROBO"), text("HURTO"), text("ROBO"), Cell::Nothing]),
            column("peso", vec![Cell::Whole(2), Cell::Whole(1), Cell::Number(1.5), Cell::Whole(0)]),
        ]
    };
    let held = points(some(&PLACES), columns());
    let options = InputOptions { weight: Some("peso".to_owned()), ..InputOptions::default() };
    let of_file = read(&[file], &options).unwrap();
    let of_table = read(&[held.path()], &options).unwrap();
    assert_eq!(of_file.account, of_table.account);
    assert_eq!(bits(&of_file.incidents.x), bits(&of_table.incidents.x));
    assert_eq!(bits(&of_file.incidents.y), bits(&of_table.incidents.y));
    assert_eq!(of_file.incidents.weight, of_table.incidents.weight);
    let starts = |times: &Option<brasa_model::Times>| times.as_ref().unwrap().intervals().to_vec();
    assert_eq!(starts(&of_file.incidents.times), starts(&of_table.incidents.times));
    assert_eq!(of_file.rejects.len(), of_table.rejects.len());

    // The digest is of what was read: the same again, another for another value, in whatever column plays a part.
    let sha = |held: &Held| read(&[held.path()], &options).unwrap().inputs[0].sha256.clone();
    assert_eq!(of_table.inputs[0].sha256.len(), 64);
    assert_eq!(sha(&points(some(&PLACES), columns())), of_table.inputs[0].sha256);
    let mut other = columns();
    other[1] = column("tipo", vec![text("ROBO"), text("HURTO"), text("robo!"), Cell::Nothing]);
    assert_ne!(sha(&points(some(&PLACES), other)), of_table.inputs[0].sha256);
    let mut moved = PLACES;
    moved[2].0 += 1e-9;
    assert_ne!(sha(&points(some(&moved), columns())), of_table.inputs[0].sha256);
}

#[test]
fn what_is_no_place_is_rejected_and_counted() {
    let mut places = some(&PLACES);
    places.extend([
        None,
        Some((f64::NAN, f64::NAN)),
        Some((f64::NAN, 4.6)),
        Some((-74.0, f64::INFINITY)),
        Some((0.0, 0.0)),
    ]);
    let found = read(&[points(places, Vec::new()).path()], &InputOptions::default()).unwrap();
    assert_eq!((found.account.read, found.account.used, found.account.rejected), (9, 4, 5));
    let lines: Vec<u64> = found.rejects.iter().map(|reject| reject.line).collect();
    assert_eq!(lines, [5, 6, 7, 8, 9]);
}

#[test]
fn a_table_without_rows_or_without_a_holder_is_refused() {
    let none = points(Vec::new(), Vec::new());
    assert!(matches!(read(&[none.path()], &InputOptions::default()), Err(IngestError::NoRows { .. })));
    let path = points(some(&PLACES), Vec::new()).path().to_owned();
    let gone = read(&[path], &InputOptions::default()).unwrap_err();
    assert!(matches!(gone, IngestError::FileMissing { .. }), "{gone}");
    let forged = read(&[PathBuf::from("memory:0/x")], &InputOptions::default()).unwrap_err();
    assert!(matches!(forged, IngestError::FileMissing { .. }), "{forged}");
}

/// A square in well-known binary.
struct Square(Vec<u8>);

impl Spots for Square {
    fn spot(&self, _: usize) -> Spot<'_> {
        Spot::Binary(&self.0)
    }
}

fn square(west: f64, south: f64, east: f64, north: f64) -> Square {
    let mut bytes = vec![1, 3, 0, 0, 0, 1, 0, 0, 0, 5, 0, 0, 0];
    for (x, y) in [(west, south), (east, south), (east, north), (west, north), (west, south)] {
        bytes.extend_from_slice(&f64::to_le_bytes(x));
        bytes.extend_from_slice(&f64::to_le_bytes(y));
    }
    Square(bytes)
}

#[test]
fn a_table_of_polygons_is_a_study_area() {
    let area = |shape: Square| {
        let table = Table::new(1, Vec::new(), Some(Box::new(shape)), Some(SourceCrs::wgs84()));
        Held::new(Arc::new(table), "window")
    };
    let held = points(some(&PLACES), Vec::new());
    let window = area(square(-74.1, 4.55, -74.0, 4.63));
    let options = InputOptions { study_area: Some(window.path().to_owned()), ..InputOptions::default() };
    let found = read(&[held.path()], &options).unwrap();
    assert_eq!((found.account.used, found.account.rejected), (3, 1));
    assert_eq!((found.inputs[1].role.as_str(), found.inputs[1].name.as_str()), ("study-area", "window"));
    assert_eq!(found.inputs[1].sha256.len(), 64);
    let broken = area(Square(vec![1, 3, 0]));
    let options = InputOptions { study_area: Some(broken.path().to_owned()), ..InputOptions::default() };
    assert!(matches!(read(&[held.path()], &options), Err(IngestError::FormatUnreadable { .. })));
}
