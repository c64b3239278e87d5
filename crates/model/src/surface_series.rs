//! Intensity per cell and slice of time.

use ndarray::{Array3, Axis};

use crate::{Grid, Interval, Note, Provenance, Surface};

/// Intensity on the cells of one grid in successive slices of time: an expected number of incidents per km² and day.
/// Cells outside the window are NaN, which files write as "no data".
#[derive(Debug, Clone)]
pub struct SurfaceSeries {
    /// The cells.
    pub grid: Grid,
    /// The slices, the earliest first; each begins where the one before it ends.
    pub frames: Vec<Interval>,
    /// One value per slice, row and column; row 0 in the south.
    pub values: Array3<f64>,
    /// The unit of the values, such as `incidents/km²/day`.
    pub unit: String,
    /// How it was made.
    pub provenance: Provenance,
    /// What was chosen or noticed on the way.
    pub notes: Vec<Note>,
}

impl SurfaceSeries {
    /// The value of a cell, by its index, in a slice; NaN outside the window.
    pub fn value(&self, frame: usize, cell: usize) -> f64 {
        self.values[(frame, cell / self.grid.nx(), cell % self.grid.nx())]
    }

    /// One slice, by its number.
    pub fn frame(&self, frame: usize) -> Surface {
        Surface {
            grid: self.grid.clone(),
            values: self.values.index_axis(Axis(0), frame).to_owned(),
            unit: self.unit.clone(),
            provenance: self.provenance.clone(),
            notes: self.notes.clone(),
        }
    }

    /// The highest value, and the first slice that holds it.
    pub fn peak(&self) -> (usize, f64) {
        let mut peak = (0, 0.0);
        for frame in 0..self.frames.len() {
            for cell in self.grid.cells() {
                let value = self.value(frame, cell);
                if value > peak.1 {
                    peak = (frame, value);
                }
            }
        }
        peak
    }

    /// Σ value × cell area × days of the slice: the number of incidents a slice accounts for.
    pub fn mass(&self, frame: usize) -> f64 {
        let days = (self.frames[frame].end.0 - self.frames[frame].start.0) as f64 / 86_400.0;
        self.grid.cells().map(|cell| self.value(frame, cell)).sum::<f64>() * self.grid.cell_km2() * days
    }
}
