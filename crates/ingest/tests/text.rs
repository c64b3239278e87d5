//! Text as portals, spreadsheets and databases write it, and what no honest one does.

use crate::common::{read_as, read_csv, reasons};
use brasa_ingest::{IngestError, Ingested, InputOptions};
use brasa_model::Diagnose;
use proptest::prelude::*;

const TABLE: &str = "lon,lat,tipo\n-75.5698,6.2572,hurto\n-75.6113,6.2242,extorsión\n";

fn kinds(found: &Ingested) -> Vec<&str> {
    let kinds = found.incidents.kinds.as_ref().unwrap();
    kinds.codes.iter().map(|&code| kinds.names[code as usize].as_str()).collect()
}

fn both(found: &Ingested) {
    assert_eq!(kinds(found), ["hurto", "extorsión"]);
    assert_eq!(found.account.used, 2);
}

fn utf16(text: &str, little: bool, mark: bool) -> Vec<u8> {
    let units = mark.then_some(0xfeff).into_iter().chain(text.encode_utf16());
    units.flat_map(|unit| if little { unit.to_le_bytes() } else { unit.to_be_bytes() }).collect()
}

#[test]
fn every_separator_is_recognised_and_can_be_named() {
    for (separator, name) in [
        (",", "comma"),
        (";", "semicolon"),
        ("\t", "tab"),
        ("|", "pipe"),
        ("^", "^"),
        ("~", "~"),
        ("\u{1f}", "\u{1f}"),
        (" ", " "),
    ] {
        let text = TABLE.replace(',', separator);
        both(&read_as("a.txt", &text, &InputOptions::default()).unwrap());
        let named = InputOptions { delimiter: Some(name.into()), ..InputOptions::default() };
        both(&read_as("a.txt", &text, &named).unwrap());
    }
    let excel = format!("sep=;\n{}", TABLE.replace(',', ";"));
    let found = read_as("a.csv", excel, &InputOptions::default()).unwrap();
    both(&found);
    assert_eq!(found.incidents.row, [3, 4]);
}

#[test]
fn every_line_end_is_one_and_rows_keep_their_line() {
    for end in ["\n", "\r\n", "\r"] {
        for bytes in [
            TABLE.replace('\n', end).into_bytes(),
            utf16(&TABLE.replace('\n', end), true, true),
            utf16(&TABLE.replace('\n', end), false, false),
        ] {
            let found = read_as("a.csv", bytes, &InputOptions::default()).unwrap();
            both(&found);
            assert_eq!(found.incidents.row, [2, 3], "{end:?}");
        }
    }
    let late = "lon,lat\r-75.5,6.2\rx,6.2\r-75.5,6.3\r";
    let found = read_csv(late).unwrap();
    assert_eq!((found.rejects[0].line, found.account.used), (3, 2));
}

#[test]
fn quotes_hold_separators_line_ends_and_quotes() {
    let text = "lon;lat;tipo\n\"-75,5698\";\"6,2572\";\"a; \"\"b\"\"\nc\"\n-75,5;6,3;d\n";
    let found = read_csv(text).unwrap();
    assert_eq!(kinds(&found), ["a; \"b\"\nc", "d"]);
    assert_eq!(found.incidents.row, [2, 4]);
    let mysql = "lon,lat,tipo\n-75.5,6.2,\"a \\\"b\\\", c\"\n-75.6,6.2,d\n-75.7,6.2,\"e \\\", f\"\n";
    assert_eq!(kinds(&read_csv(mysql).unwrap()), ["a \"b\", c", "d", "e \", f"]);
    // A backslash that ends a field is one.
    let path = "lon,lat,tipo\n-75.5,6.2,\"C:\\\"\n-75.6,6.2,\"d\"\n";
    assert_eq!(kinds(&read_csv(path).unwrap()), ["C:\\", "d"]);
}

#[test]
fn a_row_with_a_nul_byte_is_set_aside_and_a_binary_file_refused() {
    let mut text = TABLE.repeat(30).replacen("extorsión", "extor\0sión", 1);
    text = text.replace("lon,lat,tipo\n", "");
    let found = read_csv(&format!("lon,lat,tipo\n{text}")).unwrap();
    assert_eq!((found.account.read, found.account.used), (60, 59));
    assert_eq!(reasons(&found)["row_unreadable"], 1);
    assert_eq!(found.rejects[0].value, "a NUL byte");
    // Few zeros, but many bytes that no text has, as compressed data have them.
    let packed: Vec<u8> = (0_u32..4000).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    for bytes in [[1, 0, 0, 0].repeat(100), packed] {
        let error = read_as("a.pbf", bytes, &InputOptions::default()).unwrap_err();
        assert!(["format_unsupported", "format_unreadable"].contains(&error.code()), "{error}");
    }
}

#[test]
fn what_is_beyond_the_limits_is_refused_by_name() {
    let wide = format!("{}\n{}\n", "a,".repeat(1_000_000), "1,".repeat(1_000_000));
    let error = read_csv(&wide).unwrap_err();
    assert_eq!(error.code(), "too_large");
    assert!(error.to_string().contains("limit of 10000"), "{error}");
    // A row of 10^6 fields in a narrow file is one broken row.
    let found = read_csv(&format!("lon,lat\n-75.5,6.2\n{}\n-75.5,6.3\n", "1,".repeat(1_000_000))).unwrap();
    assert_eq!((found.account.used, found.account.rejected), (2, 1));
    let field = "x".repeat(17 << 20);
    for text in
        [format!("lon,lat,tipo\n-75.5,6.2,{field}\n"), format!("lon,lat,tipo\n-75.5,6.2,\"{field}\"\n")]
    {
        let error = read_csv(&text).unwrap_err();
        assert_eq!(error.code(), "quote_unclosed", "{error}");
        assert!(error.to_string().contains("line 2") && error.to_string().contains("16 MiB"), "{error}");
    }
    let mut open = "lon,lat,tipo\n-75.5,6.2,\"hurto\n".to_owned();
    open += &"-75.5,6.2,hurto\n".repeat(100);
    assert!(matches!(read_csv(&open).unwrap_err(), IngestError::QuoteUnclosed { line: 2, .. }));
}

/// Files that once were trouble, or are likely to be: none may panic, and what is read must add up.
#[test]
fn the_corpus_is_read_or_refused() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/text");
    let mut files = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let result = read_as(&name, std::fs::read(&path).unwrap(), &InputOptions::default());
        assert!(result.is_err() || result.unwrap().account.balances(), "{name}");
        files += 1;
    }
    assert!(files >= 8, "{files}");
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes: Vec<u8>, text in "[-0-9.,;\"\\\\\r\n\0 aé]{0,200}") {
        for content in [bytes, [b"lon,lat,tipo\n-75,6,x\n".as_slice(), text.as_bytes()].concat()] {
            if let Ok(found) = read_as("a.csv", content, &InputOptions::default()) {
                prop_assert!(found.account.balances());
            }
        }
    }
}
