//! How much of a window still covers itself when it is moved: what the translation correction divides by.

use brasa_model::Window;
use geo::{Area, BooleanOps, Translate};
use rayon::prelude::*;

/// Directions over half a turn, and lengths, at which the overlap of a window that is no rectangle is found exactly.
const DIRECTIONS: usize = 64;
const LENGTHS: usize = 24;

/// The share of a window that covers the window moved by a vector, as a function of the vector; exact for a rectangle. For
/// any other window it is exact for 64 directions times 24 lengths up to `most` and linear between them: on an outline with bays
/// and a lake, moved by a third of its width, off by less than 2e-3 of itself (`tests/pattern.rs` compares it with exact overlaps).
pub enum SetCovariance {
    /// Of an upright rectangle with these sides.
    Rectangle(f64, f64),
    /// Of anything else.
    Table {
        /// The longest vector.
        most: f64,
        /// Per direction from 0 to half a turn and per length from 0 to `most`, the share.
        overlap: Vec<[f64; LENGTHS + 1]>,
    },
}

impl SetCovariance {
    /// Of `window`, for vectors up to `most` long.
    pub fn of(window: &Window, most: f64) -> Self {
        let bounds = window.bounds();
        if window.is_rectangle() {
            return Self::Rectangle(bounds.width(), bounds.height());
        }
        // From the corner of its bounds, so that large coordinates cost no precision.
        let polygons = window.polygons().translate(-bounds.min().x, -bounds.min().y);
        let area = polygons.unsigned_area();
        let share = |direction: usize, length: usize| {
            if length == 0 {
                return 1.0;
            }
            let turn = 2.0 * direction as f64 / DIRECTIONS as f64;
            let (dx, dy) = (1.0 - turn, 1.0 - (1.0 - turn).abs());
            let scale = most * length as f64 / LENGTHS as f64 / libm::hypot(dx, dy);
            polygons.intersection(&polygons.translate(dx * scale, dy * scale)).unsigned_area() / area
        };
        let mut overlap: Vec<[f64; LENGTHS + 1]> = (0..DIRECTIONS)
            .into_par_iter()
            .map(|direction| std::array::from_fn(|length| share(direction, length)))
            .collect();
        // Half a turn further a window covers as much of itself.
        overlap.push(overlap[0]);
        Self::Table { most, overlap }
    }

    /// The share that covers the window moved by (`dx`, `dy`).
    pub fn share(&self, dx: f64, dy: f64) -> f64 {
        match self {
            Self::Rectangle(width, height) => (1.0 - dx.abs() / width) * (1.0 - dy.abs() / height),
            Self::Table { most, overlap } => {
                let (dx, dy) = if dy < 0.0 { (-dx, -dy) } else { (dx, dy) };
                let around = dx.abs() + dy;
                if around <= 0.0 {
                    return 1.0;
                }
                // From 0 in the east to 2 in the west: as good as an angle, and cheaper.
                let turn = 1.0 - dx / around;
                let direction = (turn / 2.0 * DIRECTIONS as f64).min(DIRECTIONS as f64);
                let length = ((dx * dx + dy * dy).sqrt() / most).min(1.0) * LENGTHS as f64;
                let (at, to) = ((direction as usize).min(DIRECTIONS - 1), (length as usize).min(LENGTHS - 1));
                let (on, out) = (direction - at as f64, length - to as f64);
                let along = |at: usize| overlap[at][to] + out * (overlap[at][to + 1] - overlap[at][to]);
                along(at) + on * (along(at + 1) - along(at))
            }
        }
    }
}
