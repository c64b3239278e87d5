//! What export takes: features with typed, documented columns.

use geo::Geometry;

use crate::{Civil, Crs, Interval, Note, Provenance, Style};

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnKind {
    /// Whole numbers.
    Integer,
    /// Real numbers.
    Real,
    /// Text.
    Text,
    /// A date and time on the clocks of the place.
    Time,
}

/// The unit of a part of one.
pub const SHARE: &str = "share";

/// A column: its name in files, its title for people, its unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// The name in files, snake_case.
    pub name: &'static str,
    /// The title for people.
    pub title: &'static str,
    /// The unit, empty for a plain number or text.
    pub unit: String,
    /// What it holds.
    pub kind: ColumnKind,
}

impl Column {
    /// A column.
    pub fn new(name: &'static str, title: &'static str, unit: &str, kind: ColumnKind) -> Self {
        Self { name, title, unit: unit.to_owned(), kind }
    }

    /// Whether it holds parts of one, which people read in percent.
    pub fn is_share(&self) -> bool {
        self.unit == SHARE
    }
}

/// One value; what is not known is `Null`, never zero.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Not known.
    Null,
    /// A whole number.
    Integer(i64),
    /// A finite real number.
    Real(f64),
    /// Text.
    Text(String),
    /// A date and time on the clocks of the place, without a zone.
    Time(Civil),
}

impl Value {
    /// A real number, or `Null` where it is not finite.
    pub fn real(value: f64) -> Self {
        if value.is_finite() { Self::Real(value) } else { Self::Null }
    }

    /// The number, where it is one.
    pub const fn number(&self) -> Option<f64> {
        match self {
            Self::Integer(value) => Some(*value as f64),
            Self::Real(value) => Some(*value),
            Self::Null | Self::Text(_) | Self::Time(_) => None,
        }
    }
}

/// One feature: a geometry in the working system and one value per column.
#[derive(Debug, Clone, PartialEq)]
pub struct Feature {
    /// Its number within the layer.
    pub id: i64,
    /// Where, in the metres of the layer's [`Crs`].
    pub geometry: Geometry<f64>,
    /// One value per column.
    pub values: Vec<Value>,
}

/// What a method draws on the map that is neither zones nor clusters: features with columns of its own.
#[derive(Debug, Clone)]
pub struct Features {
    /// The name of the layer in files, snake_case.
    pub name: &'static str,
    /// The title for people.
    pub title: String,
    /// What it shows and how not to misread it.
    pub description: String,
    /// What was found, in a line.
    pub headline: String,
    /// The columns.
    pub columns: Vec<Column>,
    /// The features.
    pub features: Vec<Feature>,
    /// How they ask to be drawn.
    pub style: Style,
    /// How it was made.
    pub provenance: Provenance,
    /// What was chosen or noticed on the way.
    pub notes: Vec<Note>,
}

/// A vector layer on its way to a file.
#[derive(Debug, Clone)]
pub struct Layer {
    /// The name in files, snake_case.
    pub name: String,
    /// The title for people.
    pub title: String,
    /// What it shows and how not to misread it.
    pub description: String,
    /// The reference system of the geometries.
    pub crs: Crs,
    /// The columns.
    pub columns: Vec<Column>,
    /// The features.
    pub features: Vec<Feature>,
    /// How it asks to be drawn.
    pub style: Style,
    /// The period it speaks of.
    pub period: Option<Interval>,
    /// How it was made.
    pub provenance: Provenance,
    /// What was chosen or noticed on the way.
    pub notes: Vec<Note>,
}

impl Layer {
    /// The position of a column.
    pub fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }

    /// The columns in which each feature begins and ends, where features have times of their own: the first two that hold
    /// times.
    pub fn start_and_end(&self) -> Option<(usize, usize)> {
        let mut times = (0..self.columns.len()).filter(|&at| self.columns[at].kind == ColumnKind::Time);
        Some((times.next()?, times.next()?))
    }
}
