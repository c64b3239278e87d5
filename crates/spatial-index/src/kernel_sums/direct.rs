//! A row filled place by place and cell by cell: the cheaper way for kernels of a few cells, and the only one for kernels
//! that are no polynomial.

use rayon::prelude::*;

use super::filing::Filed;
use crate::kernels::Kernel;

/// Fills every row.
pub(super) fn fill(filed: &Filed, kernel: Kernel, h: f64) -> Vec<f64> {
    match kernel {
        Kernel::Uniform => rows(filed, kernel, h, |_| 1.0),
        Kernel::Triangular => rows(filed, kernel, h, |u2| (1.0 - u2.sqrt()).max(0.0)),
        Kernel::Epanechnikov => rows(filed, kernel, h, |u2| (1.0 - u2).max(0.0)),
        Kernel::Quartic => rows(filed, kernel, h, |u2| {
            let rest = (1.0 - u2).max(0.0);
            rest * rest
        }),
        Kernel::Triweight => rows(filed, kernel, h, |u2| {
            let rest = (1.0 - u2).max(0.0);
            rest * rest * rest
        }),
        Kernel::Gaussian => rows(filed, kernel, h, |u2| libm::exp(-0.5 * u2)),
    }
}

fn rows(filed: &Filed, kernel: Kernel, h: f64, value: impl Fn(f64) -> f64 + Sync) -> Vec<f64> {
    let (nx, reach) = (filed.nx, kernel.reach());
    // Bandwidths per cell, and cells per bandwidth.
    let (along, across) = (filed.width / h, filed.height / h);
    let mut values = vec![0.0; nx * filed.ny];
    values.par_chunks_mut(nx).enumerate().for_each(|(row, cells)| {
        for places in filed.rows_around(row) {
            for ((&x, &y), &weight) in places.x.iter().zip(places.y).zip(places.weight) {
                let up = (y - row as f64) * across;
                let left_over = reach * reach - up * up;
                if left_over < 0.0 {
                    continue;
                }
                let half = left_over.sqrt() / along;
                let first = (x - half).ceil().clamp(0.0, nx as f64);
                let end = ((x + half).floor() + 1.0).clamp(first, nx as f64) as usize;
                let first = first as usize;
                // Counted from the place's own column, so that the numbers stay small.
                let start = (first as f64 - x) * along;
                for (step, cell) in cells[first..end].iter_mut().enumerate() {
                    let right = start + step as f64 * along;
                    *cell += weight * value(right * right + up * up);
                }
            }
        }
    });
    values
}
