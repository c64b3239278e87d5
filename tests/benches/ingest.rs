//! How long a file takes from its bytes to incidents in metres: rows cut, dates read, rows chosen, places projected.
//!
//!     cargo bench -p brasa-tests --bench ingest -- CITY.csv AREA.geojson
//!
//! CITY.csv is a crime export with the columns date (mm/dd/yyyy hh:mm:ss), category, latitude and longitude; AREA.geojson a study
//! area that holds them, so that none has to be drawn around them. Three categories of three years are kept, as the other readers
//! of the same file are asked to. One JSON line: CPU seconds (all threads, least of five), wall seconds (median), the most memory
//! held at once, and sums to be compared with those of other readers before their times are. The digest of the file, which every
//! run needs for its manifest and no other reader makes, is part of it: `digest_cpu_s` is what a digest alone of bytes in memory
//! takes.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a bench prints, and stops where it cannot go on"
)]

#[expect(dead_code, reason = "it reads no file of points")]
mod common;

use brasa_ingest::{InputOptions, read};
use common::measured;
use sha2::Digest as _;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let [path, area, ..] = args.as_slice() else {
        eprintln!("skipped: name the file and the study area, see the head of this file");
        return;
    };
    let named = |text: &str| Some(text.to_owned());
    let options = InputOptions {
        lon: named("longitude"),
        lat: named("latitude"),
        crs: named("EPSG:4326"),
        time: named("date"),
        date_order: named("mdy"),
        kind: named("category"),
        only: named("kind=BURGLARY,ROBBERY,VEHICLE THEFT"),
        since: named("2020-01-01"),
        until: named("2022-12-31"),
        study_area: Some(area.into()),
        ..InputOptions::default()
    };
    let (cpu, wall, found) = measured(|| read(&[path], &options).unwrap());
    let incidents = &found.incidents;
    let starts = incidents.times.as_ref().unwrap().intervals().iter().map(|time| time.unwrap().start.0);
    let peak = peak_mib();
    let bytes = std::fs::read(path).unwrap();
    let (digest, _, _) = measured(|| sha2::Sha256::digest(&bytes));
    println!(
        "{{\"read\": {}, \"used\": {}, \"cpu_s\": {cpu:.4}, \"digest_cpu_s\": {digest:.4}, \"wall_s\": {wall:.4}, \"peak_mib\": {peak}, \"x_sum\": {:.3}, \"y_sum\": {:.3}, \"t_sum\": {}}}",
        found.account.read,
        found.account.used,
        incidents.x.iter().sum::<f64>(),
        incidents.y.iter().sum::<f64>(),
        starts.sum::<i64>(),
    );
}

/// The most memory that this process held, in MiB.
fn peak_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()).unwrap_or_default()
        / 1024
}
