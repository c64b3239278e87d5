//! Edge correction: what to do about the part of a kernel that falls outside the study area.
//!
//! e(u) = ∫_W k(u − v) dv is the mass that a kernel at u keeps inside the window W. The integral is taken on the cells of
//! the raster, so that the law of each correction holds on the raster itself.

use std::ops::Range;

use brasa_model::Grid;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::kernel_sums::Places;
use crate::kernels::Kernel;
use brasa_model::as_word;

/// Which correction, if any.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Edge {
    /// None: the surface is too low near the border.
    #[default]
    None,
    /// Divide the surface by e(u) (Diggle 1985, doi:10.2307/2347366): right on average for an even pattern; its mass is not n.
    Uniform,
    /// Divide each incident by its own e(xᵢ) (Jones 1993, doi:10.1007/BF00147776): the mass is n.
    JonesDiggle,
}

as_word!(Edge, None = "none", Uniform = "uniform", JonesDiggle = "jones-diggle");

/// The runs of inside cells of each row, from the west.
struct Runs {
    starts: Vec<usize>,
    runs: Vec<Range<usize>>,
}

impl Runs {
    fn of(grid: &Grid) -> Self {
        let (mut starts, mut runs) = (vec![0], Vec::new());
        for row in 0..grid.ny() {
            let inside = |column: usize| column < grid.nx() && grid.is_inside(row * grid.nx() + column);
            let mut column = 0;
            while column < grid.nx() {
                let start = column;
                while inside(column) {
                    column += 1;
                }
                if column > start {
                    runs.push(start..column);
                }
                column += 1;
            }
            starts.push(runs.len());
        }
        Self { starts, runs }
    }

    fn row(&self, row: usize) -> &[Range<usize>] {
        &self.runs[self.starts[row]..self.starts[row + 1]]
    }

    /// Every inside cell whose centre a kernel at (x, y) reaches, with the kernel's value there; row by row.
    fn near(
        &self,
        grid: &Grid,
        (x, y): (f64, f64),
        h: f64,
        kernel: Kernel,
        mut each: impl FnMut(usize, f64),
    ) {
        let (width, height) = (grid.cell().get(), grid.cell_height().get());
        let reach = kernel.reach();
        let (column, row) = ((x - grid.centre_x(0)) / width, (y - grid.centre_y(0)) / height);
        let up = reach * h / height;
        let rows = (row - up).ceil().max(0.0) as usize
            ..((row + up).floor() + 1.0).clamp(0.0, grid.ny() as f64) as usize;
        for at in rows {
            let dy = (at as f64 - row) * height / h;
            let half = (reach * reach - dy * dy).max(0.0).sqrt() * h / width;
            let (first, end) =
                ((column - half).ceil().max(0.0) as usize, ((column + half).floor() + 1.0).max(0.0) as usize);
            for run in self.row(at) {
                for cell in run.start.max(first)..run.end.min(end) {
                    let dx = (cell as f64 - column) * width / h;
                    each(at * grid.nx() + cell, kernel.value(dx * dx + dy * dy));
                }
            }
        }
    }
}

/// e at the centre of every cell, row by row from the south-west.
pub fn mass_at_centres(grid: &Grid, kernel: Kernel, h: f64) -> Vec<f64> {
    let value = |u2: f64| kernel.value(u2);
    integral_at_centres(grid, value, kernel.reach(), h, kernel.factor() / (h * h))
}

/// ∫_W k(u − v)² dv at the centre of every cell, per m², row by row from the south-west: what the variance of a density
/// is made of.
pub fn square_at_centres(grid: &Grid, kernel: Kernel, h: f64) -> Vec<f64> {
    let value = |u2: f64| kernel.value(u2) * kernel.value(u2);
    let factor = kernel.factor() / (h * h);
    integral_at_centres(grid, value, kernel.reach(), h, factor * factor)
}

/// factor · ∫_W value(|u − v|²/h²) dv at the centre of every cell; nothing is beyond `reach` · h.
///
/// Every centre sees the same lattice of offsets, so that a row of the kernel is summed once from its middle outwards, and
/// the part of it that covers a run of inside cells is a difference of two sums.
fn integral_at_centres(grid: &Grid, value: impl Fn(f64) -> f64, reach: f64, h: f64, factor: f64) -> Vec<f64> {
    let runs = Runs::of(grid);
    let (width, height) = (grid.cell().get(), grid.cell_height().get());
    let scale = factor * width * height;
    let (nx, ny) = (grid.nx(), grid.ny());
    // No two centres are farther apart than the raster is wide and high.
    let across = ((reach * h / width) as usize).min(nx);
    let up = ((reach * h / height) as usize).min(ny);
    // sums[dy][k] is the sum over the first k of the 2·across + 1 offsets of the row dy away.
    let sums: Vec<Vec<f64>> = (0..=up)
        .map(|rows| {
            let dy = rows as f64 * height / h;
            let mut total = 0.0;
            let one = |column: usize| {
                let dx = (column as f64 - across as f64) * width / h;
                let within = dx * dx + dy * dy <= reach * reach;
                if within { value(dx * dx + dy * dy) } else { 0.0 }
            };
            std::iter::once(0.0)
                .chain((0..=2 * across).map(|column| {
                    total += one(column);
                    total
                }))
                .collect()
        })
        .collect();
    let mut mass = vec![0.0; nx * ny];
    mass.par_chunks_mut(nx).enumerate().for_each(|(row, cells)| {
        for other in row.saturating_sub(up)..(row + up + 1).min(ny) {
            let sums = &sums[other.abs_diff(row)];
            for run in runs.row(other) {
                // Only centres within reach of the run see it.
                let (first, last) = (run.start.saturating_sub(across), (run.end + across).min(nx));
                for (column, cell) in cells.iter_mut().enumerate().take(last).skip(first) {
                    let at = |edge: usize| (edge + across).saturating_sub(column).min(2 * across + 1);
                    *cell += sums[at(run.end)] - sums[at(run.start)];
                }
            }
        }
        for cell in cells {
            *cell *= scale;
        }
    });
    mass
}

/// e at each place, for one bandwidth.
pub fn mass_at_places(places: Places<'_>, grid: &Grid, kernel: Kernel, h: f64) -> Vec<f64> {
    mass_at_each((places.x, places.y), &vec![h; places.x.len()], grid, kernel)
}

/// What each place counts when its weight is spread over the mass its kernel keeps. A place whose kernel holds no
/// centre of a cell has no mass to share out.
pub fn shared_out(weight: &[f64], mass: &[f64]) -> Vec<f64> {
    let share = |(weight, &mass): (&f64, &f64)| if mass > 0.0 { weight / mass } else { 0.0 };
    weight.iter().zip(mass).map(share).collect()
}

/// e at each of these places, each with a bandwidth of its own.
pub fn mass_at_each((x, y): (&[f64], &[f64]), h: &[f64], grid: &Grid, kernel: Kernel) -> Vec<f64> {
    let runs = Runs::of(grid);
    let area = grid.cell().get() * grid.cell_height().get();
    let of_place = |((&x, &y), &h): ((&f64, &f64), &f64)| {
        let mut total = 0.0;
        runs.near(grid, (x, y), h, kernel, |_, value| total += value);
        total * kernel.factor() / (h * h) * area
    };
    x.par_iter().zip(y).zip(h).map(of_place).collect()
}

/// ∫_W c k and ∫_W (c k)² at the centre of each cell inside, in the order of `grid.cells()`: of so much of a kernel is a
/// density made where every place v counts c(v) times, and so is its variance. `h` is the bandwidth at each centre, `c` is
/// one where it is `None`. Costs cells × cells within the bandwidth.
pub fn moments_at_centres(h: &[f64], c: Option<&[f64]>, grid: &Grid, kernel: Kernel) -> Vec<[f64; 2]> {
    let runs = Runs::of(grid);
    let area = grid.cell().get() * grid.cell_height().get();
    let inside: Vec<usize> = grid.cells().collect();
    let mut everywhere = vec![1.0; grid.nx() * grid.ny()];
    for (&cell, &c) in inside.iter().zip(c.unwrap_or_default()) {
        everywhere[cell] = c;
    }
    let of_centre = |(&cell, &h): (&usize, &f64)| {
        let place = (grid.centre_x(cell % grid.nx()), grid.centre_y(cell / grid.nx()));
        let mut sums = [0.0; 2];
        runs.near(grid, place, h, kernel, |cell, value| {
            let value = value * everywhere[cell];
            sums[0] += value;
            sums[1] += value * value;
        });
        let factor = kernel.factor() / (h * h);
        [sums[0] * factor * area, sums[1] * factor * factor * area]
    };
    inside.par_iter().zip(h).map(of_centre).collect()
}
