//! What a statistic per zone speaks of: the cells of a grid, hexagons, or zones that were given.

use std::fmt;

use geo::{Geometry, MultiPolygon};

use crate::{Grid, Hexagons, Window};

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

/// Where zones come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ZonesOrigin {
    /// A file of that name.
    File(String),
    /// The H3 cells of a resolution, cut at the study area.
    H3(u8),
}

impl fmt::Display for ZonesOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(name) => f.write_str(name),
            Self::H3(resolution) => write!(f, "H3 resolution {resolution}"),
        }
    }
}

/// Zones that were given, sound and without overlaps, in the order of their file.
#[derive(Debug, Clone)]
pub struct GivenZones {
    /// Where they come from.
    pub origin: ZonesOrigin,
    /// The zones.
    pub zones: Vec<GivenZone>,
    /// What the incidents are to be divided by, if that was asked for.
    pub denominators: Option<Denominators>,
    /// Which zones touch each, where their origin says so; else it is seen by their borders.
    pub touching: Option<Vec<Vec<usize>>>,
}

impl GivenZones {
    /// The zones of a file.
    pub const fn of_file(file: String, zones: Vec<GivenZone>, denominators: Option<Denominators>) -> Self {
        Self { origin: ZonesOrigin::File(file), zones, denominators, touching: None }
    }
}

/// The zones of an answer.
#[derive(Debug, Clone)]
pub enum Zoning {
    /// The cells of a grid inside the window, in [`Grid::cells`] order.
    Grid(Grid),
    /// Hexagons, cut at the window.
    Hexagons(Hexagons),
    /// Given ones.
    Given(GivenZones),
}

impl Zoning {
    /// How many.
    pub const fn len(&self) -> usize {
        match self {
            Self::Grid(grid) => grid.len(),
            Self::Hexagons(hexagons) => hexagons.len(),
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
            Self::Hexagons(_) | Self::Given(_) => None,
        }
    }

    /// The area of each, in km².
    pub fn areas_km2(&self) -> Vec<f64> {
        match self {
            Self::Grid(grid) => vec![grid.cell_km2(); grid.len()],
            Self::Hexagons(hexagons) => hexagons.areas().iter().map(|area| area / 1e6).collect(),
            Self::Given(given) => given.zones.iter().map(|zone| zone.outline.area_km2()).collect(),
        }
    }

    /// What a name is.
    pub const fn names(&self) -> &'static str {
        match self {
            Self::Grid(_) | Self::Hexagons(_) => "Zone (column:row)",
            Self::Given(_) => "Zone",
        }
    }

    /// The name and the outline of each.
    pub fn shapes(&self) -> Box<dyn Iterator<Item = (String, Geometry<f64>)> + '_> {
        let named = |(column, row): (i64, i64)| format!("{column}:{row}");
        let shape = |outline: MultiPolygon<f64>| match <[_; 1]>::try_from(outline.0) {
            Ok([one]) => Geometry::Polygon(one),
            Err(several) => Geometry::MultiPolygon(MultiPolygon::new(several)),
        };
        match self {
            Self::Grid(grid) => Box::new(
                grid.cells().map(move |cell| (named(grid.name(cell)), Geometry::Polygon(grid.polygon(cell)))),
            ),
            Self::Hexagons(hexagons) => Box::new(
                (0..hexagons.len()).map(move |at| (named(hexagons.name(at)), shape(hexagons.polygons(at)))),
            ),
            Self::Given(given) => Box::new(
                given
                    .zones
                    .iter()
                    .map(move |zone| (zone.name.clone(), shape(zone.outline.polygons().clone()))),
            ),
        }
    }
}
