//! The heart of every density: Σᵢ wᵢ K(dᵢ/h) at the centre of every cell of a raster.

use brasa_model::Grid;
use rayon::prelude::*;

use crate::gaussian;
use crate::kernels::Kernel;

/// Places with weights, sorted from south to north (then from west to east): the order in which sums run.
#[derive(Debug, Clone, Copy)]
pub struct Places<'a> {
    /// Easting in metres.
    pub x: &'a [f64],
    /// Northing in metres, ascending.
    pub y: &'a [f64],
    /// Weight.
    pub weight: &'a [f64],
}

impl Places<'_> {
    /// The places whose northing lies within `reach` of `y`, ends included.
    pub fn rows_within(&self, y: f64, reach: f64) -> std::ops::Range<usize> {
        let start = self.y.partition_point(|&at| at < y - reach);
        let end = start + self.y[start..].partition_point(|&at| at <= y + reach);
        start..end
    }
}

/// Σᵢ wᵢ K(dᵢ/h) at the centre of each cell, row by row from the south-west, inside the window or not. The kernel is 1
/// at its centre: multiply by [`Kernel::factor`] / h² for a density per m².
///
/// By its definition, save for many places under a wide Gaussian, which go by a lattice and are off by at most 5e-10 of
/// the peak.
pub fn kernel_sums(places: Places<'_>, grid: &Grid, kernel: Kernel, h: f64) -> Vec<f64> {
    if kernel == Kernel::Gaussian && gaussian::pays(places, grid, h) {
        gaussian::gaussian_sums(places, grid, h)
    } else {
        direct_sums(places, grid, kernel, h)
    }
}

/// The sum by its definition, over the places within reach.
pub(crate) fn direct_sums(places: Places<'_>, grid: &Grid, kernel: Kernel, h: f64) -> Vec<f64> {
    let (nx, width) = (grid.nx(), grid.cell().get());
    let mut values = vec![0.0; nx * grid.ny()];
    let first = grid.centre_x(0);
    let reach = kernel.reach();
    values.par_chunks_mut(nx).enumerate().for_each(|(row, cells)| {
        let y = grid.centre_y(row);
        // One thread writes a row, and adds its places in their order: the same bits on any number of threads.
        for place in places.rows_within(y, h * reach) {
            let across = (places.y[place] - y) / h;
            let left_over = reach * reach - across * across;
            if left_over < 0.0 {
                continue;
            }
            let centre = (places.x[place] - first) / width;
            let half = h * left_over.sqrt() / width;
            let start = (centre - half).ceil().clamp(0.0, nx as f64) as usize;
            let end = ((centre + half).floor() + 1.0).clamp(0.0, nx as f64) as usize;
            for (column, cell) in cells.iter_mut().enumerate().take(end).skip(start) {
                let along = (column as f64 - centre) * width / h;
                *cell += places.weight[place] * kernel.value(along * along + across * across);
            }
        }
    });
    values
}
