//! Cells, aligned so that two runs share them.

use geo::{Coord, Polygon, Rect};

use crate::{Metres, Window};

/// The most cells a grid may have: 2²⁸ cells are 2 GiB of values.
const MOST_CELLS: f64 = 268_435_456.0;

/// Why there is no grid.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum GridError {
    /// It would not fit.
    #[error(
        "cells of {cell} over this study area would be {cells:.0}, more than the {MOST_CELLS:.0} that fit in 2 GiB"
    )]
    TooLarge {
        /// The cell asked for.
        cell: Metres,
        /// How many there would be.
        cells: f64,
        /// A cell that fits.
        fits: Metres,
    },
    /// So many hexagons would not fit.
    #[error(
        "hexagons of {across} over this study area would be {hexagons:.0}, more than the 67108864 that fit in 1 GiB"
    )]
    TooManyHexagons {
        /// The distance between opposite sides that was asked for.
        across: Metres,
        /// How many there would be.
        hexagons: f64,
        /// A distance that fits.
        fits: Metres,
    },
    /// The window has no extent.
    #[error("the study area has no extent to lay a grid over")]
    Flat,
    /// Not one centre of a cell lies in the window.
    #[error("no cell of {cell} has its centre inside the study area")]
    Empty {
        /// The cell asked for.
        cell: Metres,
    },
}

/// Cells at whole multiples of the cell size (`floor(x / cell)`, counted from an origin that is (0, 0) unless said
/// otherwise), clipped to a window: a cell belongs to the grid when its centre lies in the window. Rows run from the
/// south, columns from the west.
#[derive(Debug, Clone, PartialEq)]
pub struct Grid {
    width: Metres,
    height: Metres,
    origin: Coord<f64>,
    west: i64,
    south: i64,
    nx: usize,
    ny: usize,
    inside: Vec<bool>,
    count: usize,
}

impl Grid {
    /// The square cells that cover a window.
    pub fn covering(window: &Window, cell: Metres) -> Result<Self, GridError> {
        Self::covering_from(window, cell, Coord::zero())
    }

    /// The square cells that cover a window, counted from `origin` instead of (0, 0).
    pub fn covering_from(window: &Window, cell: Metres, origin: Coord<f64>) -> Result<Self, GridError> {
        let size = cell.get();
        let bounds = window.bounds();
        let (low, high) = (bounds.min() - origin, bounds.max() - origin);
        let across = (high.x / size).ceil() - (low.x / size).floor();
        let up = (high.y / size).ceil() - (low.y / size).floor();
        if across * up > MOST_CELLS {
            let fits = Metres::new(size * (across * up / MOST_CELLS).sqrt()).unwrap_or(cell).round_up();
            return Err(GridError::TooLarge { cell, cells: across * up, fits });
        }
        let start = ((low.x / size).floor() as i64, (low.y / size).floor() as i64);
        Self::masked(window, (cell, cell), origin, start, (across as usize, up as usize))
    }

    /// `nx` × `ny` cells, square or not, that just cover the bounding rectangle of a window. Such a grid shares its
    /// cells with no other.
    pub fn spanning(window: &Window, nx: usize, ny: usize) -> Result<Self, GridError> {
        let bounds = window.bounds();
        let side = |length: f64, cells: usize| Metres::new(length / cells.max(1) as f64);
        let empty = GridError::Flat;
        let width = side(bounds.width(), nx).map_err(|_| empty.clone())?;
        let height = side(bounds.height(), ny).map_err(|_| empty)?;
        let cells = nx as f64 * ny as f64;
        if cells > MOST_CELLS {
            let fits = Metres::new(width.get().max(height.get())).unwrap_or(width).round_up();
            return Err(GridError::TooLarge { cell: width, cells, fits });
        }
        Self::masked(window, (width, height), bounds.min(), (0, 0), (nx.max(1), ny.max(1)))
    }

    fn masked(
        window: &Window,
        (width, height): (Metres, Metres),
        origin: Coord<f64>,
        (west, south): (i64, i64),
        (nx, ny): (usize, usize),
    ) -> Result<Self, GridError> {
        let (nx, ny) = (nx.max(1), ny.max(1));
        let mut grid = Self { width, height, origin, west, south, nx, ny, inside: Vec::new(), count: 0 };
        grid.inside = window.mask(&grid);
        grid.count = grid.inside.iter().filter(|&&inside| inside).count();
        if grid.count == 0 { Err(GridError::Empty { cell: width }) } else { Ok(grid) }
    }

    /// The same extent in cells of a whole fraction of this grid's cell, clipped to the window anew.
    pub fn refined(&self, window: &Window, parts: u32) -> Result<Self, GridError> {
        if parts <= 1 {
            return Ok(self.clone());
        }
        let cell = Metres::new(self.width.get() / f64::from(parts)).unwrap_or(self.width);
        Self::covering_from(window, cell, self.origin)
    }

    /// The side of a cell from west to east; of a square cell, its side.
    pub const fn cell(&self) -> Metres {
        self.width
    }

    /// The side of a cell from south to north.
    pub const fn cell_height(&self) -> Metres {
        self.height
    }

    /// Columns.
    pub const fn nx(&self) -> usize {
        self.nx
    }

    /// Rows.
    pub const fn ny(&self) -> usize {
        self.ny
    }

    /// How many cells lie inside the window.
    pub const fn len(&self) -> usize {
        self.count
    }

    /// Whether no cell lies inside the window; a grid is never made so.
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Whether a cell, by its index `row * nx + column`, lies inside the window.
    pub fn is_inside(&self, cell: usize) -> bool {
        self.inside[cell]
    }

    /// The indices of the cells inside the window, row by row from the south-west.
    pub fn cells(&self) -> impl Iterator<Item = usize> + '_ {
        self.inside.iter().enumerate().filter_map(|(at, &inside)| inside.then_some(at))
    }

    /// The index of the cell that holds a place, inside the window or not; `None` beyond the grid.
    pub fn cell_at(&self, x: f64, y: f64) -> Option<usize> {
        let column = ((x - self.origin.x) / self.width.get()).floor() as i64 - self.west;
        let row = ((y - self.origin.y) / self.height.get()).floor() as i64 - self.south;
        let (column, row) = (usize::try_from(column).ok()?, usize::try_from(row).ok()?);
        (column < self.nx && row < self.ny).then(|| row * self.nx + column)
    }

    /// The whole-number name of a cell: column and row counted from the origin.
    pub fn name(&self, cell: usize) -> (i64, i64) {
        (self.west + (cell % self.nx) as i64, self.south + (cell / self.nx) as i64)
    }

    /// The x of the centre of a column.
    pub fn centre_x(&self, column: usize) -> f64 {
        self.origin.x + ((self.west + column as i64) as f64 + 0.5) * self.width.get()
    }

    /// The y of the centre of a row.
    pub fn centre_y(&self, row: usize) -> f64 {
        self.origin.y + ((self.south + row as i64) as f64 + 0.5) * self.height.get()
    }

    /// The first column whose centre is at or beyond `x`.
    pub fn first_centre_from(&self, x: f64) -> usize {
        let column = ((x - self.origin.x) / self.width.get() - 0.5).ceil() - self.west as f64;
        let mut column = column.clamp(0.0, self.nx as f64) as usize;
        while column > 0 && self.centre_x(column - 1) >= x {
            column -= 1;
        }
        while column < self.nx && self.centre_x(column) < x {
            column += 1;
        }
        column
    }

    /// The x of the western side of a column counted from the grid's first; the number of columns gives the east.
    fn side_x(&self, column: usize) -> f64 {
        self.origin.x + (self.west + column as i64) as f64 * self.width.get()
    }

    fn side_y(&self, row: usize) -> f64 {
        self.origin.y + (self.south + row as i64) as f64 * self.height.get()
    }

    /// The south-west corner of the grid.
    pub fn corner(&self) -> Coord<f64> {
        Coord { x: self.side_x(0), y: self.side_y(0) }
    }

    /// The rectangle the grid covers.
    pub fn bounds(&self) -> Rect<f64> {
        Rect::new(self.corner(), Coord { x: self.side_x(self.nx), y: self.side_y(self.ny) })
    }

    /// The outline of a cell.
    pub fn polygon(&self, cell: usize) -> Polygon<f64> {
        let (column, row) = (cell % self.nx, cell / self.nx);
        Rect::new(
            Coord { x: self.side_x(column), y: self.side_y(row) },
            Coord { x: self.side_x(column + 1), y: self.side_y(row + 1) },
        )
        .to_polygon()
    }

    /// The area of a cell in km².
    pub fn cell_km2(&self) -> f64 {
        self.width.get() * self.height.get() / 1e6
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::WindowOrigin;
    use geo::{MultiPolygon, polygon};

    fn window(x: f64, y: f64, size: f64) -> Window {
        let square =
            polygon![(x: x, y: y), (x: x + size, y: y), (x: x + size, y: y + size), (x: x, y: y + size)];
        Window::new(MultiPolygon::new(vec![square]), WindowOrigin::Given("square".into())).unwrap()
    }

    fn metres(value: f64) -> Metres {
        Metres::new(value).unwrap()
    }

    #[test]
    fn two_windows_share_their_cells() {
        let a = Grid::covering(&window(130.0, -70.0, 1000.0), metres(100.0)).unwrap();
        let b = Grid::covering(&window(-950.0, -520.0, 3000.0), metres(100.0)).unwrap();
        let place = (457.3, 123.4);
        let name = |grid: &Grid| grid.name(grid.cell_at(place.0, place.1).unwrap());
        assert_eq!(name(&a), (4, 1));
        assert_eq!(name(&a), name(&b));
    }

    #[test]
    fn negative_coordinates_round_down_not_to_zero() {
        let grid = Grid::covering(&window(-250.0, -250.0, 500.0), metres(100.0)).unwrap();
        assert_eq!(grid.name(grid.cell_at(-0.5, -0.5).unwrap()), (-1, -1));
        assert_eq!(grid.name(grid.cell_at(0.5, 0.5).unwrap()), (0, 0));
    }

    #[test]
    fn a_grid_that_does_not_fit_names_one_that_does() {
        let wide = window(0.0, 0.0, 1e6);
        let Err(GridError::TooLarge { fits, .. }) = Grid::covering(&wide, metres(1.0)) else {
            panic!("1e12 cells were made");
        };
        assert!(Grid::covering(&wide, fits).is_ok());
    }

    #[test]
    fn a_spanning_grid_covers_the_rectangle_and_no_more() {
        let grid = Grid::spanning(&window(130.0, -70.0, 1000.0), 8, 4).unwrap();
        assert_eq!((grid.nx(), grid.ny(), grid.len()), (8, 4, 32));
        assert_eq!((grid.cell().get(), grid.cell_height().get()), (125.0, 250.0));
        assert_eq!((grid.bounds().min().x, grid.bounds().max().y), (130.0, 930.0));
        assert_eq!(grid.cell_at(255.0, -70.0), Some(1));
    }

    #[test]
    fn another_origin_moves_the_cells() {
        let grid = Grid::covering_from(&window(0.0, 0.0, 1000.0), metres(100.0), Coord { x: 30.0, y: 30.0 })
            .unwrap();
        assert_eq!(grid.corner(), Coord { x: -70.0, y: -70.0 });
        assert_eq!(grid.name(grid.cell_at(31.0, 29.0).unwrap()), (0, -1));
    }

    #[test]
    fn a_window_between_the_centres_holds_no_cell() {
        let sliver = window(10.0, 10.0, 5.0);
        assert!(matches!(Grid::covering(&sliver, metres(100.0)), Err(GridError::Empty { .. })));
    }
}
