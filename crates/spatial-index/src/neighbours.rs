//! Who is near whom: cells that touch.

use brasa_model::Grid;
use rayon::prelude::*;

/// The offsets of the cells of a square grid whose centres lie within `cells` cell sides, itself included.
pub fn offsets_within(cells: f64) -> Vec<(i64, i64)> {
    let reach = cells.floor() as i64;
    // Compared as squares with a hair of tolerance, so that a band of exactly n cells holds the n-th cell.
    let limit = cells * cells * (1.0 + 1e-12);
    let square = (-reach..=reach).flat_map(|row| (-reach..=reach).map(move |column| (column, row)));
    square.filter(|&(column, row)| (column * column + row * row) as f64 <= limit).collect()
}

/// Σ of `values` over each zone's neighbourhood and the number of zones in it: zones are the grid's inside cells in
/// their order, neighbours are the inside cells at the given offsets.
pub fn neighbour_sums(grid: &Grid, values: &[f64], offsets: &[(i64, i64)]) -> (Vec<f64>, Vec<u32>) {
    let (nx, ny) = (grid.nx() as i64, grid.ny() as i64);
    let cells: Vec<usize> = grid.cells().collect();
    let mut dense = vec![0.0; grid.nx() * grid.ny()];
    for (&cell, &value) in cells.iter().zip(values) {
        dense[cell] = value;
    }
    cells
        .par_iter()
        .map(|&cell| {
            let (column, row) = (cell as i64 % nx, cell as i64 / nx);
            let (mut sum, mut found) = (0.0, 0);
            for &(right, up) in offsets {
                let (at_column, at_row) = (column + right, row + up);
                if (0..nx).contains(&at_column) && (0..ny).contains(&at_row) {
                    let at = (at_row * nx + at_column) as usize;
                    if grid.is_inside(at) {
                        sum += dense[at];
                        found += 1;
                    }
                }
            }
            (sum, found)
        })
        .unzip()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_band_of_one_cell_is_the_rook_and_of_root_two_the_queen() {
        assert_eq!(offsets_within(1.0).len(), 5);
        assert_eq!(offsets_within(2.0_f64.sqrt()).len(), 9);
        assert_eq!(offsets_within(0.9), [(0, 0)]);
    }
}
