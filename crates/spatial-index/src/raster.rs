//! The raster a density is drawn on: by the side of its cells or by their number, and whether it suits the bandwidth.

use std::fmt;
use std::str::FromStr;

use brasa_model::{Grid, Incidents, Metres, Note, Window};
use serde::{Deserialize, Serialize};

use crate::{AnalysisError, CellSize, Sites};
use brasa_model::as_text;

/// So many columns and rows, such as `1280x960`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct GridSize {
    /// Columns.
    pub nx: usize,
    /// Rows.
    pub ny: usize,
}

impl FromStr for GridSize {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |text: &str| text.trim().parse::<u32>().ok().filter(|&number| number > 0);
        let sides = text.split_once(['x', 'X', '×']).and_then(|(nx, ny)| Some((number(nx)?, number(ny)?)));
        let (nx, ny) = sides
            .ok_or_else(|| format!("\"{text}\" is not a number of columns and rows such as 1280x960"))?;
        Ok(Self { nx: nx as usize, ny: ny as usize })
    }
}

impl fmt::Display for GridSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}", self.nx, self.ny)
    }
}

as_text!(GridSize, "COLUMNSxROWS", "examples": ["1280x960"]);

/// The raster over the study area: of the given number of cells, or of cells of the given size; with the note that announces
/// a size that a rule chose.
pub fn raster(
    incidents: &Incidents,
    sites: &Sites,
    cell: &CellSize,
    size: Option<GridSize>,
) -> Result<(Grid, Option<Note>), AnalysisError> {
    match size {
        Some(GridSize { nx, ny }) => Ok((Grid::spanning(&incidents.window, nx, ny)?, None)),
        None => {
            let (cell, note) = cell.resolve(incidents, sites)?;
            Ok((Grid::covering(&incidents.window, cell)?, note))
        }
    }
}

/// Warnings about a bandwidth that does not suit the raster or the study area. It is used all the same.
pub fn bandwidth_warnings(bandwidth: Metres, grid: &Grid, window: &Window) -> Vec<Note> {
    let cell = grid.cell().get().max(grid.cell_height().get());
    let shorter = window.bounds().width().min(window.bounds().height());
    let mut notes = Vec::new();
    if bandwidth.get() < cell {
        notes.push(
            Note::new("bandwidth_below_cell", format!("the bandwidth of {bandwidth} is smaller than a cell of {cell} m"))
                .value(bandwidth.get(), "m")
                .reason("a kernel may fall between the centres of the cells and be lost; take a smaller --cell or a larger --bandwidth"),
        );
    }
    if bandwidth.get() > shorter {
        notes.push(
            Note::new(
                "bandwidth_beyond_window",
                format!("the bandwidth of {bandwidth} is larger than the study area, whose shorter side is {shorter:.0} m"),
            )
            .value(bandwidth.get(), "m")
            .reason("the surface is all but flat; take a smaller --bandwidth"),
        );
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_two_whole_numbers() {
        assert_eq!("1280x960".parse(), Ok(GridSize { nx: 1280, ny: 960 }));
        for text in ["1280", "0x5", "-3x5", "axb", "5x", "1e3x5"] {
            assert!(text.parse::<GridSize>().is_err(), "{text}");
        }
    }
}
