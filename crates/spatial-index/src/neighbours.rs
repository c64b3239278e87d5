//! Who is near whom: places within a radius, and cells that touch.

use brasa_model::Grid;
use rayon::prelude::*;

use crate::Sites;

/// Sites filed under square cells: every question about a radius up to a few cells reads a handful of short,
/// contiguous runs. Only cells that hold a site exist, so that an empty country costs nothing.
pub struct PlaceIndex {
    cells: Vec<Cell>,
    /// For each row of cells in use, its number and where its cells begin.
    rows: Vec<(i64, usize)>,
    sites: Vec<u32>,
}

/// A cell that holds at least one site.
struct Cell {
    column: i64,
    row: i64,
    start: usize,
}

impl PlaceIndex {
    /// Files the sites under cells of side `side` (metres, greater than zero).
    pub fn new(sites: &Sites, side: f64) -> Self {
        // Counted from the south-west-most place, so that the division keeps its precision at any origin.
        let west = sites.x.iter().copied().fold(f64::INFINITY, f64::min);
        let south = sites.y.first().copied().unwrap_or(0.0);
        let mut keyed: Vec<(i64, i64, u32)> = (0..sites.len())
            .into_par_iter()
            .map(|at| {
                let row = ((sites.y[at] - south) / side).floor() as i64;
                let column = ((sites.x[at] - west) / side).floor() as i64;
                (row, column, at as u32)
            })
            .collect();
        keyed.par_sort_unstable();
        let mut cells: Vec<Cell> = Vec::new();
        let mut rows = Vec::new();
        for (at, &(row, column, _)) in keyed.iter().enumerate() {
            if cells.last().is_none_or(|last| (last.row, last.column) != (row, column)) {
                if cells.last().is_none_or(|last| last.row != row) {
                    rows.push((row, cells.len()));
                }
                cells.push(Cell { column, row, start: at });
            }
        }
        rows.push((i64::MAX, cells.len()));
        Self { cells, rows, sites: keyed.into_iter().map(|(_, _, site)| site).collect() }
    }

    /// How many cells are in use.
    pub const fn len(&self) -> usize {
        self.cells.len()
    }

    /// Whether no cell is in use.
    pub const fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    /// The sites of a cell in use, in their order.
    pub fn sites_of(&self, cell: usize) -> &[u32] {
        let end = self.cells.get(cell + 1).map_or(self.sites.len(), |next| next.start);
        &self.sites[self.cells[cell].start..end]
    }

    /// The cells in use at most `reach` columns and rows away, itself included, in order.
    pub fn around(&self, cell: usize, reach: i64) -> impl Iterator<Item = usize> + '_ {
        let (row, column) = (self.cells[cell].row, self.cells[cell].column);
        let first = self.rows.partition_point(|&(at, _)| at < row - reach);
        self.rows[first..].windows(2).take_while(move |pair| pair[0].0 <= row + reach).flat_map(move |pair| {
            let (start, end) = (pair[0].1, pair[1].1);
            let run = &self.cells[start..end];
            let low = start + run.partition_point(|cell| cell.column < column - reach);
            let high = start + run.partition_point(|cell| cell.column <= column + reach);
            low..high
        })
    }
}

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
