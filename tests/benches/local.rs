//! How long local statistics take, from values and a grid to p.
//!
//!     cargo bench -p brasa-tests --bench local -- [threads]
//!
//! Counts are made up, the same in every run: 160 × 120 zones with 999 permutations, shared and independent, and the normal
//! law on 1000 × 1000 and on as many hexagons. One JSON line each: CPU seconds (all threads, least of five), wall seconds (median), and the
//! zones with p < 0.05.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench prints, and stops where it cannot go on"
)]

#[expect(dead_code, reason = "this bench makes its own places")]
mod common;

use brasa_model::Chance;
use brasa_model::{Grid, LocalStats, Metres};
use brasa_spatial_index::conditional::Draws;
use brasa_spatial_index::methods::local::gi_star::{GiStarParams, gi_star, on_grid};
use brasa_spatial_index::methods::local::local_geary::local_geary;
use brasa_spatial_index::methods::local::local_moran::local_moran;
use brasa_spatial_index::weights::Neighbours;
use brasa_spatial_index::zoning::CountedIn;
use brasa_spatial_index::{CellSize, Sites, Watch};
use common::measured;

fn tell(name: &str, (cpu, wall, stats): (f64, f64, LocalStats)) {
    println!(
        "{{\"method\": \"{name}\", \"zones\": {}, \"threads\": {}, \"cpu_s\": {cpu:.4}, \"wall_s\": {wall:.4}, \"p_below_05\": {}}}",
        stats.p.len(),
        rayon::current_num_threads(),
        stats.p.iter().filter(|&&p| p < 0.05).count(),
    );
}

/// One incident in the middle of each zone, its weight the zone's count: few, and more in the middle of the city.
fn city(nx: usize, ny: usize) -> brasa_model::Incidents {
    let mut chance = Chance::new(1, 0);
    let (mut x, mut y, mut weight) = (Vec::new(), Vec::new(), Vec::new());
    for at in 0..nx * ny {
        let (column, row) = (at % nx, at / nx);
        let middle = (column.abs_diff(nx / 2) + row.abs_diff(ny / 2)) as u64;
        x.push(column as f64 * 100.0 + 50.0);
        y.push(row as f64 * 100.0 + 50.0);
        weight.push((chance.below(400) / (20 + middle * 2)) as f64);
    }
    brasa_tests::incidents(x, y, Some(weight), (0.0, 0.0, nx as f64 * 100.0, ny as f64 * 100.0))
}

fn main() {
    let threads = std::env::args().skip(1).find(|arg| arg != "--bench");
    let threads = threads.map_or(0, |threads| threads.parse().unwrap());
    rayon::ThreadPoolBuilder::new().num_threads(threads).build_global().unwrap();
    let cell = Metres::new(100.0).unwrap();
    let watch = &Watch::NOBODY;
    let small = city(160, 120);
    for (draws, word) in [(Draws::Shared, "shared"), (Draws::Independent, "independent")] {
        let params = GiStarParams {
            counted: CellSize::Length(cell).into(),
            permutations: 999,
            draws,
            ..GiStarParams::default()
        };
        tell(&format!("gi-star {word}"), measured(|| gi_star(&small, &params, watch).unwrap()));
        tell(&format!("local-moran {word}"), measured(|| local_moran(&small, &params, watch).unwrap()));
        tell(&format!("local-geary {word}"), measured(|| local_geary(&small, &params, watch).unwrap()));
    }
    let large = city(1000, 1000);
    let sites = Sites::new(&large);
    let grid = Grid::covering(&large.window, cell).unwrap();
    let across = Metres::new(100.0 * (2.0 / 3.0_f64.sqrt()).sqrt()).unwrap();
    let hexagons = GiStarParams {
        counted: CountedIn { hex: Some(across), ..CountedIn::default() },
        ..GiStarParams::default()
    };
    tell("gi-star normal, hexagons", measured(|| gi_star(&large, &hexagons, watch).unwrap()));
    tell("gi-star normal", measured(|| on_grid(&sites, grid.clone(), Neighbours::Queen).unwrap()));
}
