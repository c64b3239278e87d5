//! How long a density takes, from coordinates in memory to raster.
//!
//!     cargo bench -p brasa-tests --bench density -- CITY.npy [kernel [h [threads]]]
//!
//! CITY.npy holds rows of x, y, t (f64) in the box of 30 km × 40 km whose south-west corner is (485000, 5400000). One JSON
//! line per raster: CPU seconds (all threads, least of five), wall seconds (median), and the sum and highest of the kernel
//! sums, to be compared with other implementations on the same data before their times are.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a bench prints, and stops where it cannot go on"
)]

use std::time::Instant;

use brasa_model::{Grid, Window, WindowOrigin};
use brasa_spatial_index::kernel_sums::{Places, kernel_sums};
use brasa_spatial_index::kernels::Kernel;
use geo::{MultiPolygon, Rect};

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

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let Some(path) = args.first() else {
        eprintln!("skipped: name the file of points, see the head of this file");
        return;
    };
    let kernel: Kernel = args.get(1).map_or(Kernel::Quartic, |word| word.parse().unwrap());
    let h: f64 = args.get(2).map_or(500.0, |h| h.parse().unwrap());
    let threads: usize = args.get(3).map_or(0, |threads| threads.parse().unwrap());
    rayon::ThreadPoolBuilder::new().num_threads(threads).build_global().unwrap();
    let (x, y) = columns(path);
    let box_ = Rect::new((485_000.0, 5_400_000.0), (515_000.0, 5_440_000.0)).to_polygon();
    let window = Window::new(MultiPolygon::new(vec![box_]), WindowOrigin::Given("box".to_owned())).unwrap();
    for (nx, ny) in [(300, 400), (1280, 960), (4096, 4096)] {
        let grid = Grid::spanning(&window, nx, ny).unwrap();
        let mut cpu = f64::INFINITY;
        let mut wall = Vec::new();
        let mut sums = Vec::new();
        for _ in 0..5 {
            let (start, spent) = (Instant::now(), cpu_seconds());
            sums = kernel_sums(Places { x: &x, y: &y, weight: None }, &grid, kernel, h);
            cpu = cpu.min(cpu_seconds() - spent);
            wall.push(start.elapsed().as_secs_f64());
        }
        wall.sort_by(f64::total_cmp);
        println!(
            "{{\"n\": {}, \"kernel\": \"{kernel}\", \"h\": {h}, \"grid\": \"{nx}x{ny}\", \"threads\": {}, \"cpu_s\": {cpu:.4}, \"wall_s\": {:.4}, \"sum\": {:.4}, \"max\": {:.6}}}",
            x.len(),
            rayon::current_num_threads(),
            wall[wall.len() / 2],
            sums.iter().sum::<f64>(),
            sums.iter().copied().fold(0.0, f64::max),
        );
    }
}
