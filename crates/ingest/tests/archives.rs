//! Archives: which member is meant, what is refused, and that no damage goes unseen.

use std::io::Write as _;

use crate::common::workbook::zip;
use crate::common::{World, read_as};
use brasa_ingest::{IngestError, Ingested, InputOptions};
use brasa_model::Diagnose;
use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;

const ONE: &[u8] = b"lon,lat,tipo\n-74.1,4.6,robo\n";
const TWO: &[u8] = b"lon,lat,tipo\n-74.1,4.6,robo\n-74.2,4.7,hurto\n";

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn layer(name: &str) -> InputOptions {
    InputOptions { layer: Some(name.into()), ..InputOptions::default() }
}

fn unpack(bytes: &[u8], options: &InputOptions) -> Result<Ingested, IngestError> {
    read_as("a.zip", bytes, options)
}

#[test]
fn a_member_is_chosen_by_its_name() {
    let bytes = zip(&[
        ("2018/delitos.csv", ONE),
        ("2019/delitos.csv", TWO),
        ("leame.txt", b"x"),
        ("2019/notas.pdf", b"x"),
    ]);
    let error = unpack(&bytes, &InputOptions::default()).err().unwrap();
    assert_eq!(error.code(), "archive_choice");
    assert!(error.to_string().contains("2018/delitos.csv, 2019/delitos.csv"), "{error}");
    assert_eq!(unpack(&bytes, &layer("2019/delitos.csv")).unwrap().account.used, 2);
    let error = unpack(&bytes, &layer("delitos.csv")).err().unwrap();
    assert_eq!(error.code(), "layer_unknown", "two are called so");
    let bytes = zip(&[("2018/a.csv", ONE), ("2019/b.csv", TWO)]);
    for name in ["2019/b.csv", "b.csv", "B"] {
        assert_eq!(unpack(&bytes, &layer(name)).unwrap().account.used, 2, "{name}");
    }
    let error = unpack(&zip(&[("a.csv", ONE)]), &layer("nada")).err().unwrap();
    assert_eq!(error.code(), "option_invalid", "a table has no layers: {error}");
}

#[test]
fn archives_may_be_nested_once() {
    let inner = zip(&[("a.csv", ONE), ("b.csv", TWO)]);
    let bytes = zip(&[("2019.zip", &inner), ("leame.txt", b"x")]);
    let error = unpack(&bytes, &InputOptions::default()).err().unwrap();
    assert!(error.to_string().contains("2019.zip/a.csv, 2019.zip/b.csv"), "{error}");
    assert_eq!(unpack(&bytes, &layer("2019.zip/b.csv")).unwrap().account.used, 2);
    assert_eq!(unpack(&bytes, &layer("b")).unwrap().account.used, 2);
    let deeper = zip(&[("x.zip", &bytes)]);
    assert!(unpack(&deeper, &InputOptions::default()).is_err());
    let compressed = zip(&[("a.csv.gz", &gzip(TWO))]);
    assert_eq!(unpack(&compressed, &InputOptions::default()).unwrap().account.used, 2);
    let json = zip(&[("x/a.json", br#"[{"lon":-74.1,"lat":4.6}]"#)]);
    assert_eq!(unpack(&json, &InputOptions::default()).unwrap().account.used, 1);
}

#[test]
fn names_that_lead_out_of_the_archive_are_none_and_nothing_is_written() {
    let world = World::new();
    for name in
        ["../delitos.csv", "/tmp/delitos.csv", "x/../../delitos.csv", "C:\\delitos.csv/../../../x.csv"]
    {
        let path = world.file("a.zip", zip(&[(name, ONE)]));
        let error = brasa_ingest::read(&[&path], &layer(name)).err().unwrap();
        assert!(["archive_choice", "option_invalid"].contains(&error.code()), "{name}: {error}");
    }
    world.file("b.zip", zip(&[("x/a.csv", TWO)]));
    brasa_ingest::read(&[world.path("b.zip")], &InputOptions::default()).unwrap();
    let mut files: Vec<_> =
        std::fs::read_dir(world.path(".")).unwrap().map(|file| file.unwrap().file_name()).collect();
    files.sort();
    assert_eq!(files, ["a.zip", "b.zip"]);
}

#[test]
fn bombs_are_refused() {
    let zeros = vec![b' '; 100 << 20];
    let bomb = [b"lon,lat\n".as_slice(), &zeros].concat();
    let error = unpack(&zip(&[("a.csv", &bomb)]), &InputOptions::default()).err().unwrap();
    assert_eq!(error.code(), "too_large", "{error}");
    let error =
        unpack(&zip(&[("x.zip", &zip(&[("a.csv", &bomb)]))]), &InputOptions::default()).err().unwrap();
    assert_eq!(error.code(), "too_large", "{error}");
    let error = unpack(&zip(&[("a.csv.gz", &gzip(&bomb))]), &InputOptions::default()).err().unwrap();
    assert_eq!(error.code(), "too_large", "{error}");
}

fn long_table() -> Vec<u8> {
    let mut text = "lon,lat,tipo\n".to_owned();
    for at in 0..5000_u32 {
        let (a, b) = (at.wrapping_mul(2_654_435_761) % 10_000, at.wrapping_mul(40_503) % 10_000);
        text += &format!("-75.{a:04},6.{b:04},robo{}\n", at % 7);
    }
    text.into_bytes()
}

#[test]
fn a_gzip_cut_at_any_of_a_hundred_places_names_the_byte() {
    let text = long_table();
    let (first, second) = text.split_at(text.len() / 2);
    let one = gzip(&text);
    let two = [gzip(first), gzip(second)].concat();
    for whole in [&one, &two] {
        assert_eq!(read_as("a.csv.gz", whole, &InputOptions::default()).unwrap().account.read, 5000);
        let join = gzip(first).len();
        for part in 1..=100 {
            let cut = (whole.len() - 1) * part / 100;
            if cut == join && whole.len() == two.len() {
                continue;
            }
            let error = read_as("a.csv.gz", &whole[..cut], &InputOptions::default()).err().unwrap();
            assert_eq!(error.code(), "compression_broken", "{cut}: {error}");
            assert!(error.to_string().contains(&format!("byte {cut} of")), "{cut}: {error}");
        }
    }
}

#[test]
fn a_flipped_bit_never_changes_the_number_of_rows_unseen() {
    let whole = gzip(&long_table());
    let mut refused = 0;
    for at in 0..1000 {
        let bit = at * whole.len() * 8 / 1000;
        let mut bytes = whole.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        match read_as("a.csv.gz", &bytes, &InputOptions::default()) {
            // The name, the time and the system in its head say nothing of the content.
            Ok(found) => assert!(found.account.read == 5000 && bit / 8 < 10, "{bit}"),
            Err(_) => refused += 1,
        }
    }
    assert!(refused >= 990, "{refused}");
}

#[test]
fn a_zip_that_is_cut_or_damaged_is_refused() {
    let whole = zip(&[("a.csv", &long_table())]);
    for part in 1..=100 {
        let cut = (whole.len() - 1) * part / 100;
        assert!(unpack(&whole[..cut], &InputOptions::default()).is_err(), "{cut}");
    }
    for at in 0..200 {
        let bit = at * whole.len() * 8 / 200;
        let mut bytes = whole.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        if let Ok(found) = unpack(&bytes, &InputOptions::default()) {
            assert_eq!(found.account.read, 5000, "{bit}");
        }
    }
}

proptest! {
    #[test]
    fn any_archive_is_read_or_refused(bytes: Vec<u8>, name in "[ab./\\\\{}]{1,8}(csv|zip|gz|json|shp)", cut in 0.0..1.0) {
        let whole = zip(&[(&name, ONE), ("b.csv", &bytes)]);
        let part = (cut * whole.len() as f64) as usize;
        for content in [[b"PK\x03\x04".as_slice(), &bytes].concat(), whole[..part].to_vec(), whole.clone(), [b"\x1f\x8b".as_slice(), &bytes].concat()] {
            for options in [InputOptions::default(), layer(&name), layer("b")] {
                if let Ok(found) = unpack(&content, &options) {
                    prop_assert!(found.account.balances());
                }
            }
        }
    }
}
