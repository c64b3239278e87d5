//! Ways to travel on.

use geo::LineString;

/// A street, as far as a vehicle cares: a line and the directions in which it may be driven.
#[derive(Debug, Clone, PartialEq)]
pub struct Street {
    /// In the metres of the working system. Streets meet where they share a corner.
    pub line: LineString<f64>,
    /// Whether it may be driven from its first corner to its last.
    pub forward: bool,
    /// Whether it may be driven from its last corner to its first.
    pub backward: bool,
    /// The speed its source allows, in km/h, where it says so.
    pub limit_kmh: Option<f64>,
}
