//! How long K takes, from coordinates in memory to the curve.
//!
//!     cargo bench -p brasa-tests --bench pattern -- CITY.npy [edge [max-distance [steps [threads]]]]
//!
//! CITY.npy holds rows of x, y, t (f64) in the box of 30 km × 40 km whose south-west corner is (485000, 5400000). One JSON line: CPU
//! seconds (all threads, least of five), wall seconds (median), and K at the largest distance, to be compared with other
//! implementations on the same data before their times are.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a bench prints, and stops where it cannot go on"
)]

mod common;

use std::num::NonZeroU32;

use brasa_model::Metres;
use brasa_spatial_index::Watch;
use brasa_spatial_index::methods::pattern::ripley_k::{RipleyKParams, ripley_k};
use common::{columns, measured};

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let Some(path) = args.first() else {
        eprintln!("skipped: name the file of points, see the head of this file");
        return;
    };
    let edge = args.get(1).map_or("none", String::as_str);
    let number = |at: usize, default: f64| args.get(at).map_or(default, |text| text.parse::<f64>().unwrap());
    let (distance, steps) = (number(2, 1000.0), number(3, 500.0) as u32);
    rayon::ThreadPoolBuilder::new().num_threads(number(4, 0.0) as usize).build_global().unwrap();
    let [x, y, _] = columns(path);
    let incidents = brasa_tests::incidents(x, y, None, (485_000.0, 5_400_000.0, 515_000.0, 5_440_000.0));
    let params = RipleyKParams {
        max_distance: Some(Metres::new(distance).unwrap()),
        steps: NonZeroU32::new(steps).unwrap(),
        edge: edge.parse().unwrap(),
        ..RipleyKParams::default()
    };
    let (cpu, wall, curve) = measured(|| ripley_k(&incidents, &params, &Watch::NOBODY).unwrap());
    println!(
        "{{\"n\": {}, \"edge\": \"{edge}\", \"max_distance\": {distance}, \"steps\": {steps}, \"threads\": {}, \"cpu_s\": {cpu:.4}, \"wall_s\": {wall:.4}, \"k\": {:.4}}}",
        incidents.len(),
        rayon::current_num_threads(),
        curve.y[0].values.last().unwrap(),
    );
}
