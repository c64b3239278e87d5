//! A fifth of a file is bad, in thirty-two ways: what is left is what a clean file would have given, and each bad row says why.

use std::collections::BTreeMap;

use crate::common::World;
use brasa_ingest::{InputOptions, Pieces, read, stream};
use brasa_model::{Incidents, Reason};

const HEADER: &str = "lon,lat,fecha,peso,tipo\n";

/// A good row of a town of some 400 places.
fn good(at: usize) -> String {
    let (column, row) = (at % 23, at * 7 % 29);
    format!(
        "{:.6},{:.6},2019-{:02}-{:02} {:02}:{:02},{},{}\n",
        -75.600_123 + 0.0011 * column as f64,
        6.200_321 + 0.0013 * row as f64,
        1 + at % 12,
        1 + at % 28,
        at % 24,
        at * 7 % 60,
        1 + at % 3,
        ["HOMICIDIO", "HURTO", "LESIONES"][at % 3],
    )
}

/// One row of each kind, with its reason.
fn bad(at: usize) -> (String, Reason) {
    use Reason::*;
    let (lon, lat, time) = ("-75.590001", "6.210001", "2019-03-04 10:00");
    let row = |lon: &str, lat: &str, time: &str, weight: &str| format!("{lon},{lat},{time},{weight},HURTO\n");
    let place = |lon: &str, lat: &str| row(lon, lat, time, "1");
    let far = |lon: f64, lat: f64| {
        row(&format!("{:.4}", lon + at as f64 * 0.01), &format!("{:.4}", lat + at as f64 * 0.01), time, "1")
    };
    match at % 32 {
        0 => (place("", lat), CoordMissing),
        1 => (place(lon, ""), CoordMissing),
        2 => (place("", ""), CoordMissing),
        3 => (place("NULL", "NULL"), CoordMissing),
        4 => (place("S/D", lat), CoordMissing),
        5 => (place(lon, "seis"), CoordUnreadable),
        6 => (place(lon, "6.25.1"), CoordUnreadable),
        7 => (place("--75.59", lat), CoordUnreadable),
        8 => (place(lon, "1e400"), CoordNotFinite),
        9 => (place("nan", lat), CoordNotFinite),
        10 => (place(lon, "-inf"), CoordNotFinite),
        11 => (place("0", "0"), CoordZero),
        12 => (place("-0.0", "0.000"), CoordZero),
        13 => (place(lon, "96.25"), CoordOutOfRange),
        14 => (place("200.5", lat), CoordOutOfRange),
        15 => (place(lon, "-90.5"), CoordOutOfRange),
        16 => (place("435000.5", "690000.5"), CoordOutOfRange),
        17 => (place("-75590001", "6210001"), CoordOutOfRange),
        18 => (far(6.2, -75.6), OutsideStudyArea),
        19 => (far(75.6, 6.2), OutsideStudyArea),
        20 => (far(-75.6, -6.2), OutsideStudyArea),
        21 => (far(-74.1, 4.6), OutsideStudyArea),
        22 => (row(lon, lat, "someday", "1"), TimeUnreadable),
        23 => (row(lon, lat, "2019-02-30", "1"), TimeUnreadable),
        24 => (row(lon, lat, "2019-13-01", "1"), TimeUnreadable),
        25 => (row(lon, lat, "2019-01-01 25:00", "1"), TimeUnreadable),
        26 => (row(lon, lat, time, "-1"), WeightInvalid),
        27 => (row(lon, lat, time, ""), WeightInvalid),
        28 => (row(lon, lat, time, "mucho"), WeightInvalid),
        29 => ("-75.59,6.21\n".to_owned(), RowUnreadable),
        30 => (format!("{lon},{lat},{time},1,HURTO,more,and more\n"), RowUnreadable),
        _ => (format!("{lon},{lat},{time},1,HUR\0TO\n"), RowUnreadable),
    }
}

const AREA: &str = r#"{"type":"FeatureCollection","features":[{"type":"Feature","properties":{},"geometry":{"type":"Polygon","coordinates":[[[-75.7,6.1],[-75.5,6.1],[-75.5,6.3],[-75.7,6.3],[-75.7,6.1]]]}}]}"#;

fn options(world: &World) -> InputOptions {
    let area = world.file("area.geojson", AREA);
    InputOptions { weight: Some("peso".to_owned()), study_area: Some(area), ..InputOptions::default() }
}

/// All that an analysis would look at, bit for bit.
fn bits(found: &Incidents) -> impl PartialEq + std::fmt::Debug + use<> {
    let bits = |values: &[f64]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
    (
        (bits(&found.x), bits(&found.y), found.weight.as_deref().map(bits)),
        (found.times.clone(), found.kinds.clone(), found.crs.epsg()),
        (found.window.polygons().clone(), found.window.area_km2().to_bits()),
    )
}

#[test]
fn a_fifth_of_bad_rows_leaves_what_the_clean_four_fifths_give() {
    let (mut clean, mut dirty) = (HEADER.to_owned(), HEADER.to_owned());
    let mut expected: BTreeMap<u64, Reason> = BTreeMap::new();
    let (mut line, mut bads) = (1, 0);
    for at in 0..1600 {
        // A bad row after every fourth good one, and the bad ones two by two, so that they are neighbours, too.
        if at % 8 == 0 {
            for _ in 0..2 {
                let (row, reason) = bad(bads);
                dirty += &row;
                line += 1;
                bads += 1;
                expected.insert(line, reason);
            }
        }
        clean += &good(at);
        dirty += &good(at);
        line += 1;
    }
    assert_eq!((bads, expected.len() * 5), (400, 2000), "a fifth");
    let world = World::new();
    let (clean, dirty) = (world.file("clean.csv", clean), world.file("dirty.csv", dirty));
    let options = options(&world);
    let (wanted, found) = (read(&[&clean], &options).unwrap(), read(&[&dirty], &options).unwrap());
    let reasons: BTreeMap<u64, Reason> =
        found.rejects.iter().map(|reject| (reject.line, reject.reason)).collect();
    for (line, reason) in &expected {
        assert_eq!(reasons.get(line), Some(reason), "line {line}");
    }
    assert_eq!(reasons.len(), expected.len());
    assert_eq!((wanted.account.used, found.account.used, found.account.rejected), (1600, 1600, 400));
    assert_eq!(bits(&found.incidents), bits(&wanted.incidents));
}

#[test]
fn the_same_holds_in_pieces() {
    let text: String = (0..320).map(|at| if at % 5 == 4 { bad(at / 5).0 } else { good(at) }).collect();
    let world = World::new();
    let path = world.file("dirty.csv", HEADER.to_owned() + &text);
    let options = options(&world);
    let whole = read(&[&path], &options).unwrap();
    assert_eq!((whole.account.used, whole.account.rejected), (256, 64));
    let mut x = Vec::new();
    let mut each = |piece: &Incidents| {
        x.extend_from_slice(&piece.x);
        Ok::<_, brasa_ingest::IngestError>(())
    };
    let pieces = Pieces { rows: 37, ..Pieces::default() };
    let found = stream(&[&path], &options, pieces, &mut each, &mut |_| {}).unwrap();
    assert_eq!((found.account, found.rejects, x), (whole.account, whole.rejects, whole.incidents.x));
}
