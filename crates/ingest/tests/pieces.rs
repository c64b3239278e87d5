//! A file read in pieces gives what it gives as a whole; what needs the whole file is refused or held to its beginning.

use std::io::Write;
use std::path::{Path, PathBuf};

use crate::common::{World, codes, reasons};
use brasa_ingest::{IngestError, Ingested, InputOptions, Pieces, Progress, read, stream};
use brasa_model::{Blame, Diagnose, Incidents};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn in_city() -> InputOptions {
    InputOptions { study_area: Some(root().join("data/city.geojson")), ..InputOptions::default() }
}

/// Everything of every piece put together.
fn in_pieces(path: &Path, options: &InputOptions, pieces: Pieces) -> Result<(Ingested, usize), IngestError> {
    let mut all: Option<Incidents> = None;
    let mut count = 0;
    let mut each = |piece: &Incidents| {
        count += 1;
        match &mut all {
            None => all = Some(piece.clone()),
            Some(all) => {
                all.x.extend(&piece.x);
                all.y.extend(&piece.y);
                all.row.extend(&piece.row);
                assert_eq!(all.crs, piece.crs);
            }
        }
        Ok(())
    };
    let mut found = stream::<_, IngestError>(&[path], options, pieces, &mut each, &mut |_| {})?;
    assert!(found.incidents.is_empty(), "they were handed out");
    found.incidents = all.expect("a piece");
    Ok((found, count))
}

fn rows(rows: usize) -> Pieces {
    Pieces { rows, ..Pieces::default() }
}

#[test]
fn the_sample_in_pieces_is_the_sample() {
    let file = root().join("data/incidentes.csv");
    for options in [
        in_city(),
        InputOptions { since: Some("2024-01-01".into()), only: Some("kind=HOMICIDIO".into()), ..in_city() },
    ] {
        let whole = read(&[&file], &options).unwrap();
        for size in [997, 100_000] {
            let (found, pieces) = in_pieces(&file, &options, rows(size)).unwrap();
            // A piece without an incident is not handed out; rows that --only leaves out fill none.
            let held = whole.account.read - whole.account.filtered;
            let (least, most) = (held.div_ceil(size as u64), whole.account.read.div_ceil(size as u64));
            assert!((least as usize..=most as usize).contains(&pieces), "{pieces} pieces");
            assert_eq!(found.account, whole.account);
            assert!(found.account.balances());
            assert_eq!(found.rejects, whole.rejects);
            assert_eq!(found.inputs, whole.inputs);
            assert_eq!(found.columns, whole.columns);
            assert_eq!(found.incidents.row, whole.incidents.row);
            assert_eq!(
                (found.incidents.x, found.incidents.y),
                (whole.incidents.x.clone(), whole.incidents.y.clone())
            );
        }
    }
}

#[test]
fn a_gzipped_file_is_read_in_pieces_with_its_share_of_bytes() {
    let text = std::fs::read(root().join("data/incidentes.csv")).unwrap();
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(&text).unwrap();
    let world = World::new();
    let file = world.file("incidentes.csv.gz", packed.finish().unwrap());
    let mut seen: Vec<Progress> = Vec::new();
    let mut used = 0;
    let mut each = |piece: &Incidents| {
        used += piece.len() as u64;
        Ok(())
    };
    let found = stream::<_, IngestError>(&[&file], &in_city(), rows(500), &mut each, &mut |at| seen.push(at))
        .unwrap();
    assert_eq!(used, found.account.used);
    let last = seen.last().unwrap();
    assert_eq!((last.rows, last.share), (found.account.read, Some(1.0)));
}

#[test]
fn the_rejects_that_are_kept_are_the_first_and_the_counts_are_of_all() {
    let mut text = "lon,lat\n".to_owned();
    for row in 0..50 {
        // By turns outside the study area, without coordinates, and good.
        text.push_str(["10.5,50.5\n", ",\n", "-83.5,-12.0\n"][row % 3]);
    }
    let world = World::new();
    let file = world.file("in.csv", text);
    let whole = read(&[&file], &in_city()).unwrap();
    for rows in [7, 50] {
        let (found, _) = in_pieces(&file, &in_city(), Pieces { rows, rejects: 11 }).unwrap();
        assert_eq!(found.account, whole.account);
        assert_eq!(found.rejects, whole.rejects[..11]);
        assert_eq!(found.inputs, whole.inputs, "the counts by reason are exact");
        assert!(codes(&found).contains(&"rejects_capped"));
    }
    let (found, _) = in_pieces(&file, &in_city(), rows(7)).unwrap();
    assert!(!codes(&found).contains(&"rejects_capped"));
}

#[test]
fn what_the_first_pieces_settle_holds() {
    let world = World::new();
    // No date of the first piece has two readings; the second settles day first; the third contradicts it.
    let dates = ["2024-01-05", "05/05/2024", "13/02/2024", "03/04/2024", "02/13/2024", "04/05/2024"];
    let text: String = dates.iter().map(|date| format!("-83.5,-12.0,{date}\n")).collect();
    let file = world.file("in.csv", format!("lon,lat,fecha\n{text}"));
    let mut days: Vec<String> = Vec::new();
    let mut each = |piece: &Incidents| {
        let times = piece.times.as_ref().unwrap();
        days.extend(times.intervals().iter().flatten().map(|time| time.start.to_string()[..10].to_owned()));
        Ok(())
    };
    let found = stream::<_, IngestError>(&[&file], &in_city(), rows(2), &mut each, &mut |_| {}).unwrap();
    assert_eq!(days, ["2024-01-05", "2024-05-05", "2024-02-13", "2024-04-03", "2024-05-04"]);
    assert_eq!(reasons(&found), [("time_unreadable", 1)].into());
    assert!(codes(&found).contains(&"date_format"));

    // A first piece that leaves it open is refused, as a whole file would be.
    let file = world.file("open.csv", "lon,lat,fecha\n-83.5,-12.0,03/04/2024\n-83.5,-12.0,13/02/2024\n");
    let error = in_pieces(&file, &in_city(), rows(1)).unwrap_err();
    assert_eq!(error.code(), "date_order_unknown");
    let said = InputOptions { date_order: Some("dmy".into()), ..in_city() };
    assert_eq!(in_pieces(&file, &said, rows(1)).unwrap().0.account.used, 2);
}

#[test]
fn what_needs_the_whole_file_is_refused() {
    let file = root().join("data/incidentes.csv");
    for (options, word) in [
        (InputOptions::default(), "--study-area"),
        (InputOptions { id: Some("id_caso".into()), ..in_city() }, "--id"),
    ] {
        let error = in_pieces(&file, &options, rows(10)).unwrap_err();
        assert_eq!((error.code(), error.blame()), ("not_in_pieces", Blame::Usage));
        assert!(error.to_string().contains(word), "{error}");
    }
}

#[test]
fn a_study_area_that_misses_every_piece_is_refused_with_both_extents() {
    let world = World::new();
    let file = world.file("far.csv", "lon,lat\n10.1,50.2\n10.2,50.1\n10.3,50.3\n");
    let whole = read(&[&file], &in_city()).unwrap_err();
    let mut each = |_: &Incidents| Ok(());
    let pieces = stream::<_, IngestError>(&[&file], &in_city(), rows(3), &mut each, &mut |_| {}).unwrap_err();
    assert_eq!(pieces, whole);
    let pieces = stream::<_, IngestError>(&[&file], &in_city(), rows(1), &mut each, &mut |_| {}).unwrap_err();
    assert_eq!(pieces.code(), "study_area_misses");
}

#[test]
fn what_is_held_whole_all_the_same_is_announced() {
    let world = World::new();
    let point =
        r#"{"type":"Feature","properties":{},"geometry":{"type":"Point","coordinates":[-83.5,-12.0]}}"#;
    let file = world.file("in.geojsonl", format!("{point}\n{point}\n{point}\n"));
    let (found, pieces) = in_pieces(&file, &in_city(), rows(2)).unwrap();
    assert_eq!((found.account.used, pieces), (3, 2));
    assert!(codes(&found).contains(&"held_whole"));
}
