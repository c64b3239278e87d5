//! How long HDBSCAN* takes, from incidents in memory to clusters.
//!
//!     cargo bench -p brasa-tests --bench hdbscan -- CITY.npy [min-cluster-size [threads [runs]]]
//!
//! CITY.npy holds rows of x, y, t (f64). One JSON line: CPU seconds of all threads and wall seconds (medians), and the
//! clusters and the noise, to be compared with other implementations on the same data before their times are.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a bench prints, and stops where it cannot go on"
)]

use std::time::Instant;

use brasa_spatial_index::Watch;
use brasa_spatial_index::hierarchy::ClusterSize;
use brasa_spatial_index::methods::cluster::hdbscan::{HdbscanParams, hdbscan};

/// CPU seconds of all threads so far; the kernel counts them in nanoseconds.
fn cpu_seconds() -> f64 {
    let threads = std::fs::read_dir("/proc/self/task").unwrap();
    let spent = |path: std::path::PathBuf| {
        let text = std::fs::read_to_string(path.join("schedstat")).unwrap_or_default();
        text.split_whitespace().next().and_then(|nanoseconds| nanoseconds.parse::<f64>().ok()).unwrap_or(0.0)
    };
    threads.map(|thread| spent(thread.unwrap().path())).sum::<f64>() / 1e9
}

fn columns(path: &str) -> (Vec<f64>, Vec<f64>) {
    let bytes = std::fs::read(path).unwrap();
    let header = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    let number = |bytes: &[u8]| f64::from_le_bytes(bytes.try_into().unwrap());
    bytes[header..].chunks_exact(24).map(|row| (number(&row[..8]), number(&row[8..16]))).unzip()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let Some(path) = args.first() else {
        eprintln!("skipped: name the file of points, see the head of this file");
        return;
    };
    let number = |at: usize, default: usize| args.get(at).map_or(default, |text| text.parse().unwrap());
    let size = ClusterSize::new(number(1, 50) as u32).unwrap();
    rayon::ThreadPoolBuilder::new().num_threads(number(2, 0)).build_global().unwrap();
    let (x, y) = columns(path);
    let incidents = brasa_tests::incidents(x, y, None, (485_000.0, 5_400_000.0, 515_000.0, 5_440_000.0));
    let (mut cpu, mut wall, mut said) = (Vec::new(), Vec::new(), String::new());
    for _ in 0..number(3, 5) {
        let (start, spent) = (Instant::now(), cpu_seconds());
        let found = hdbscan(&incidents, &HdbscanParams::new(size), &Watch::NOBODY).unwrap();
        cpu.push(cpu_seconds() - spent);
        wall.push(start.elapsed().as_secs_f64());
        said = format!("\"clusters\": {}, \"noise\": {}", found.clusters.len(), found.noise());
    }
    println!(
        "{{\"n\": {}, \"min_cluster_size\": {}, \"threads\": {}, \"cpu_s\": {:.3}, \"wall_s\": {:.3}, {said}}}",
        incidents.len(),
        size.get(),
        rayon::current_num_threads(),
        median(cpu),
        median(wall),
    );
}
