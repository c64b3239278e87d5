//! Areas at or above levels of intensity.

use geo::MultiPolygon;

use crate::{Note, Provenance};

/// Nested areas, each at or above a level of one surface; the widest first, so that the densest lies on top when drawn.
#[derive(Debug, Clone)]
pub struct Isopleths {
    /// One area per level that the surface reaches.
    pub levels: Vec<Isopleth>,
    /// The unit of the levels, such as `incidents/km²`.
    pub unit: String,
    /// How they were made.
    pub provenance: Provenance,
    /// What was chosen or noticed on the way.
    pub notes: Vec<Note>,
}

/// The area at or above one level.
#[derive(Debug, Clone)]
pub struct Isopleth {
    /// What was asked for, such as `mass:50%`.
    pub rule: String,
    /// The level that answers it, in the unit of the surface.
    pub level: f64,
    /// The part of the surface's mass that lies on the cells at or above the level.
    pub share: f64,
    /// The sum of the weights of the incidents in the polygons.
    pub incidents: f64,
    /// Where: shells with holes, traced between the centres of the cells.
    pub polygons: MultiPolygon<f64>,
}
