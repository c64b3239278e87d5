//! The cells that touch a window, each with the area of it that lies inside, and what is counted in them.

use brasa_model::{Grid, Incidents, Metres, Note, Window};
use geo::{BooleanOps, Coord, MultiPolygon};

use crate::at_places::Border;
use crate::raster::GridSize;
use crate::{AnalysisError, Sites};

/// The cells of a grid that hold some of a window, whether or not their centre lies in it. Together they are the window.
pub struct Quadrats {
    /// The grid the cells are of; which of them it counts as inside is of no account here.
    pub grid: Grid,
    /// Their indices in the grid, row by row from the south-west.
    pub cells: Vec<usize>,
    /// The area of each that lies in the window, in m².
    pub areas: Vec<f64>,
}

/// The least part of a cell that counts as some of it: what rounding leaves of nothing is less.
const SLIVER: f64 = 1e-9;

/// What a cell of the size that is chosen expects.
const EXPECTED: f64 = 10.0;

impl Quadrats {
    /// Of the incidents' window, by cells of the given size, or so many columns and rows of them; if neither is given, of a size in which
    /// ten incidents are expected, with the note that announces it.
    pub fn chosen(
        incidents: &Incidents,
        cell: Option<Metres>,
        size: Option<GridSize>,
    ) -> Result<(Self, Option<Note>), AnalysisError> {
        let window = &incidents.window;
        let (grid, note) = match (size, cell) {
            (Some(GridSize { nx, ny }), _) => (Grid::spanning(window, nx, ny)?, None),
            (None, Some(cell)) => (Grid::covering(window, cell)?, None),
            (None, None) => {
                let side = (EXPECTED * window.area_km2() * 1e6 / incidents.len() as f64).sqrt();
                let cell = Metres::new(side).map_err(|error| AnalysisError::RuleFailed {
                    rule: "ten expected",
                    what: "cell",
                    why: error.to_string(),
                })?;
                let cell = cell.round_down();
                let note = Note::new("cell_chosen", format!("cells of {cell}")).value(cell.get(), "m").reason(
                    format!("{EXPECTED} incidents are expected in {side:.0} m × {side:.0} m, rounded down; --cell sets another"),
                );
                (Grid::covering(window, cell)?, Some(note))
            }
        };
        Ok((Self::of(window, grid), note))
    }

    /// Of `window`, by the cells of `grid`, which covers it.
    pub fn of(window: &Window, grid: Grid) -> Self {
        let all = areas(window, &grid);
        let cell = grid.cell().get() * grid.cell_height().get();
        let cells: Vec<usize> = (0..all.len()).filter(|&at| all[at] > SLIVER * cell).collect();
        let areas = cells.iter().map(|&at| all[at].min(cell)).collect();
        Self { grid, cells, areas }
    }

    /// Incidents in each. One on the border of the window that rounding puts into a cell with nothing of it is counted next door.
    pub fn counts(&self, sites: &Sites) -> Vec<u64> {
        let (nx, ny) = (self.grid.nx() as i64, self.grid.ny() as i64);
        let (corner, width, height) =
            (self.grid.corner(), self.grid.cell().get(), self.grid.cell_height().get());
        let mut of_cell = vec![None; (nx * ny) as usize];
        for (number, &cell) in self.cells.iter().enumerate() {
            of_cell[cell] = Some(number);
        }
        let mut counts = vec![0; self.cells.len()];
        for ((&x, &y), &count) in sites.x.iter().zip(&sites.y).zip(&sites.count) {
            let column = ((x - corner.x) / width).floor() as i64;
            let row = ((y - corner.y) / height).floor() as i64;
            let near = [(0, 0), (-1, 0), (0, -1), (1, 0), (0, 1), (-1, -1), (1, -1), (-1, 1), (1, 1)];
            let found = near.into_iter().find_map(|(right, up)| {
                let (column, row) = (column + right, row + up);
                let inside = (0..nx).contains(&column) && (0..ny).contains(&row);
                inside.then(|| of_cell[(row * nx + column) as usize]).flatten()
            });
            if let Some(number) = found {
                counts[number] += u64::from(count);
            }
        }
        counts
    }

    /// The part of a quadrat that lies in the window.
    pub fn polygons(&self, window: &Window, number: usize) -> MultiPolygon<f64> {
        let cell = self.grid.polygon(self.cells[number]);
        let whole = self.grid.cell().get() * self.grid.cell_height().get();
        if self.areas[number] >= whole * (1.0 - SLIVER) {
            return MultiPolygon::new(vec![cell]);
        }
        MultiPolygon::new(vec![cell]).intersection(window.polygons())
    }
}

/// The area of the window in each cell of the grid, in m².
///
/// A side that goes north has the window on its west, so that it adds what lies west of it, and one that goes south takes it away. Each
/// side is cut where it passes from cell to cell; a piece in one cell adds the trapezoid between it and the cell's western side,
/// and its whole height to all cells further west in that row, which are summed up at the end.
fn areas(window: &Window, grid: &Grid) -> Vec<f64> {
    let (nx, ny) = (grid.nx(), grid.ny());
    let (corner, width, height) = (grid.corner(), grid.cell().get(), grid.cell_height().get());
    let mut partial = vec![0.0; nx * ny];
    let mut heights = vec![0.0; nx * ny];
    for (a, b) in Border::of(window).sides {
        // In cells, from the corner.
        let scaled = |at: Coord<f64>| Coord { x: (at.x - corner.x) / width, y: (at.y - corner.y) / height };
        let (a, b) = (scaled(a), scaled(b));
        let mut cuts = vec![0.0, 1.0];
        for (from, to) in [(a.x, b.x), (a.y, b.y)] {
            let (low, high) = (from.min(to), from.max(to));
            let lines = (low.floor() as i64 + 1)..=(high.ceil() as i64 - 1);
            cuts.extend(lines.map(|line| (line as f64 - from) / (to - from)));
        }
        cuts.sort_by(f64::total_cmp);
        for pair in cuts.windows(2) {
            let at = |part: f64| a + (b - a) * part;
            let (from, to) = (at(pair[0]), at(pair[1]));
            let middle = (from + to) / 2.0;
            let column = (middle.x.max(0.0) as usize).min(nx - 1);
            let row = (middle.y.max(0.0) as usize).min(ny - 1);
            let up = to.y - from.y;
            partial[row * nx + column] += up * (middle.x - column as f64);
            heights[row * nx + column] += up;
        }
    }
    for row in 0..ny {
        let mut east = 0.0;
        for cell in (row * nx..(row + 1) * nx).rev() {
            partial[cell] = (partial[cell] + east) * width * height;
            east += heights[cell];
        }
    }
    partial
}
