//! What a statistic per zone speaks of: the cells of a grid, or zones that were given.

use geo::Geometry;

use crate::{Grid, Window};

/// A zone that was given: a beat, a colonia, a tract.
#[derive(Debug, Clone)]
pub struct GivenZone {
    /// What its file calls it.
    pub name: String,
    /// Its outline and area. A place on the border of two zones lies in one of them only.
    pub outline: Window,
}

/// How many people, homes or vehicles there are per zone.
#[derive(Debug, Clone, PartialEq)]
pub struct Denominators {
    /// What the file calls them.
    pub column: String,
    /// One per zone, above zero.
    pub values: Vec<f64>,
}

/// Zones that were given, sound and without overlaps, in the order of their file.
#[derive(Debug, Clone)]
pub struct GivenZones {
    /// The name of the file.
    pub file: String,
    /// The zones.
    pub zones: Vec<GivenZone>,
    /// What the incidents are to be divided by, if that was asked for.
    pub denominators: Option<Denominators>,
}

/// The zones of an answer.
#[derive(Debug, Clone)]
pub enum Zoning {
    /// The cells of a grid inside the window, in [`Grid::cells`] order.
    Grid(Grid),
    /// Given ones.
    Given(GivenZones),
}

impl Zoning {
    /// How many.
    pub const fn len(&self) -> usize {
        match self {
            Self::Grid(grid) => grid.len(),
            Self::Given(given) => given.zones.len(),
        }
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The grid, if they are its cells.
    pub const fn grid(&self) -> Option<&Grid> {
        match self {
            Self::Grid(grid) => Some(grid),
            Self::Given(_) => None,
        }
    }

    /// The name and the outline of each.
    pub fn shapes(&self) -> Box<dyn Iterator<Item = (String, Geometry<f64>)> + '_> {
        match self {
            Self::Grid(grid) => Box::new(grid.cells().map(|cell| {
                let (column, row) = grid.name(cell);
                (format!("{column}:{row}"), Geometry::Polygon(grid.polygon(cell)))
            })),
            Self::Given(given) => Box::new(given.zones.iter().map(|zone| {
                let outline = zone.outline.polygons();
                let shape = match outline.0.as_slice() {
                    [one] => Geometry::Polygon(one.clone()),
                    _ => Geometry::MultiPolygon(outline.clone()),
                };
                (zone.name.clone(), shape)
            })),
        }
    }
}
