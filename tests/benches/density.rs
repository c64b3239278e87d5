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

mod common;

use brasa_model::{Grid, Window, WindowOrigin};
use brasa_spatial_index::kernel_sums::{Places, kernel_sums};
use brasa_spatial_index::kernels::Kernel;
use common::{columns, measured};
use geo::{MultiPolygon, Rect};

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
    let [x, y, _] = columns(path);
    let box_ = Rect::new((485_000.0, 5_400_000.0), (515_000.0, 5_440_000.0)).to_polygon();
    let window = Window::new(MultiPolygon::new(vec![box_]), WindowOrigin::Given("box".to_owned())).unwrap();
    for (nx, ny) in [(300, 400), (1280, 960), (4096, 4096)] {
        let grid = Grid::spanning(&window, nx, ny).unwrap();
        let places = Places { x: &x, y: &y, weight: None };
        let (cpu, wall, sums) = measured(|| kernel_sums(places, &grid, kernel, h));
        println!(
            "{{\"n\": {}, \"kernel\": \"{kernel}\", \"h\": {h}, \"grid\": \"{nx}x{ny}\", \"threads\": {}, \"cpu_s\": {cpu:.4}, \"wall_s\": {wall:.4}, \"sum\": {:.4}, \"max\": {:.6}}}",
            x.len(),
            rayon::current_num_threads(),
            sums.iter().sum::<f64>(),
            sums.iter().copied().fold(0.0, f64::max),
        );
    }
}
