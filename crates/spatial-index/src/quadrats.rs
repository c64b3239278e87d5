//! A study area cut into pieces that leave out nothing of it: square cells with the area of them that lies inside, or zones; and what is
//! counted in them.

use brasa_model::{Grid, Incidents, Metres, Note, Window, Zoning};
use geo::{BooleanOps, Coord, Geometry, MultiPolygon};
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::at_places::Border;
use crate::raster::GridSize;
use crate::zoning::{CountedIn, H3Resolution, counted, record};
use crate::{AnalysisError, Sites};

/// What to cut a study area into: square cells, unless one of the others is asked for.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct CutInto {
    /// Side of a square cell [default: such that ten incidents are expected in one, rounded down]
    pub cell: Option<Metres>,
    /// So many columns and rows instead, over the study area's extent
    pub grid: Option<GridSize>,
    /// Hexagons instead of square cells, so far from one side to the opposite one
    pub hex: Option<Metres>,
    /// Resolution of H3 cells to take instead, from 0 to 15
    #[schemars(title = "RES")]
    pub h3: Option<H3Resolution>,
    /// File with zones to take instead, such as beats or tracts; without --study-area they are the study area
    #[schemars(title = "FILE")]
    pub zones: Option<String>,
    /// Which layer of the zones' file, if it has several
    #[schemars(title = "NAME")]
    pub zones_layer: Option<String>,
}

/// What a study area is cut into.
pub enum Pieces {
    /// Square cells.
    Squares(Quadrats),
    /// Hexagons, H3 cells or zones of a file.
    Zones(Zoning),
}

impl Pieces {
    /// Of the incidents' window, as asked for; if nothing is, squares in which ten incidents are expected. With what was chosen or noticed.
    pub fn chosen(incidents: &Incidents, into: &CutInto) -> Result<(Self, Vec<Note>), AnalysisError> {
        let window = &incidents.window;
        let mut notes = Vec::new();
        if incidents.zones.is_some() || into.hex.is_some() || into.h3.is_some() || into.zones.is_some() {
            let counted =
                CountedIn { hex: into.hex, h3: into.h3, zones: into.zones.clone(), ..CountedIn::default() };
            let zoning = counted.zoning(incidents, &Sites::new(incidents), &mut notes)?;
            return Ok((Self::Zones(zoning), notes));
        }
        let grid = match (into.grid, into.cell) {
            (Some(GridSize { nx, ny }), _) => Grid::spanning(window, nx, ny)?,
            (None, Some(cell)) => Grid::covering(window, cell)?,
            (None, None) => {
                let side = (EXPECTED * window.area_km2() * 1e6 / incidents.len() as f64).sqrt();
                let cell = Metres::new(side).map_err(|error| AnalysisError::RuleFailed {
                    rule: "ten expected",
                    what: "cell",
                    why: error.to_string(),
                })?;
                let cell = cell.round_down();
                notes.push(Note::new("cell_chosen", format!("cells of {cell}")).value(cell.get(), "m").reason(
                    format!("{EXPECTED} incidents are expected in {side:.0} m × {side:.0} m, rounded down; --cell sets another"),
                ));
                Grid::covering(window, cell)?
            }
        };
        Ok((Self::Squares(Quadrats::of(window, grid)), notes))
    }

    /// The area of each that lies in the window, in m².
    pub fn areas(&self) -> Vec<f64> {
        match self {
            Self::Squares(quadrats) => quadrats.areas.clone(),
            Self::Zones(zoning) => zoning.areas_km2().iter().map(|area| area * 1e6).collect(),
        }
    }

    /// Incidents in each, with a note where some are in none.
    pub fn counts(&self, sites: &Sites) -> (Vec<u64>, Option<Note>) {
        match self {
            Self::Squares(quadrats) => (quadrats.counts(sites), None),
            Self::Zones(zoning) => {
                let (counts, note) = counted(sites, zoning, &sites.count);
                (counts.into_iter().map(u64::from).collect(), note)
            }
        }
    }

    /// What they are, for whoever wants to make the same ones.
    pub fn record(&self) -> Value {
        match self {
            Self::Squares(quadrats) => {
                json!({ "cell": quadrats.grid.cell(), "cell_height": quadrats.grid.cell_height() })
            }
            Self::Zones(zoning) => record(zoning),
        }
    }

    /// What the name of one is.
    pub const fn names(&self) -> &'static str {
        match self {
            Self::Squares(_) => "Cell (column:row)",
            Self::Zones(zoning) => zoning.names(),
        }
    }

    /// The name of each, and its part of the window.
    pub fn shapes(&self, window: &Window) -> Vec<(String, Geometry<f64>)> {
        match self {
            Self::Squares(quadrats) => {
                let shape = |number: usize| {
                    let (column, row) = quadrats.grid.name(quadrats.cells[number]);
                    (format!("{column}:{row}"), Geometry::MultiPolygon(quadrats.polygons(window, number)))
                };
                (0..quadrats.cells.len()).into_par_iter().map(shape).collect()
            }
            Self::Zones(zoning) => zoning.shapes().collect(),
        }
    }
}

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
