//! A value per cell, above all an intensity.

use ndarray::Array2;

use crate::{Grid, Note, Provenance};

/// Intensity on the cells of a grid: an expected number of incidents per km² (and per year when the period is
/// known), not a probability; or, in a [`crate::Risk`], one of its measures. Cells outside the window are NaN, which
/// files write as "no data".
#[derive(Debug, Clone)]
pub struct Surface {
    /// The cells.
    pub grid: Grid,
    /// One value per cell, row 0 in the south.
    pub values: Array2<f64>,
    /// The unit of the values, such as `incidents/km²`.
    pub unit: String,
    /// How it was made.
    pub provenance: Provenance,
    /// What was chosen or noticed on the way.
    pub notes: Vec<Note>,
}

impl Surface {
    /// The value of a cell by its index; NaN outside the window.
    pub fn value(&self, cell: usize) -> f64 {
        self.values[(cell / self.grid.nx(), cell % self.grid.nx())]
    }

    /// The highest value.
    pub fn peak(&self) -> f64 {
        self.values.iter().copied().filter(|value| !value.is_nan()).fold(0.0, f64::max)
    }

    /// Σ value × cell area: the number of incidents the surface accounts for (per year, where the unit says so).
    pub fn mass(&self) -> f64 {
        self.grid.cells().map(|cell| self.value(cell)).sum::<f64>() * self.grid.cell_km2()
    }

    /// The same surface in another unit.
    #[must_use]
    pub fn scaled(mut self, factor: f64, unit: &str) -> Self {
        self.values.mapv_inplace(|value| value * factor);
        unit.clone_into(&mut self.unit);
        self
    }
}
