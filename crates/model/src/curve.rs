//! A function of one variable.

use crate::{Note, Provenance};

/// What a column is in a picture of the curve; a table holds all of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Role {
    /// A line.
    #[default]
    Line,
    /// The lower end of a band; its upper end is the [`Role::High`] that comes as the same of its unit.
    Low,
    /// The upper end of a band.
    High,
    /// Nothing: it is for the table.
    Table,
}

/// One column of a curve: its name in files, its title for people, its unit. A value that is not known is NaN, which
/// files write as nothing.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// The name in files, snake_case.
    pub name: &'static str,
    /// The title for people.
    pub title: &'static str,
    /// The unit, empty for a plain number.
    pub unit: String,
    /// One value per step of the curve.
    pub values: Vec<f64>,
    /// What it is in a picture.
    pub role: Role,
}

impl Series {
    /// A column.
    pub fn new(name: &'static str, title: &'static str, unit: &str, values: Vec<f64>) -> Self {
        Self { name, title, unit: unit.to_owned(), values, role: Role::Line }
    }

    /// The same column as something else than a line.
    #[must_use]
    pub fn role(self, role: Role) -> Self {
        Self { role, ..self }
    }
}

/// A function of distance, time or a parameter: `x` ascending, and one or several columns over it.
#[derive(Debug, Clone)]
pub struct Curve {
    /// The title for people.
    pub title: String,
    /// What it is a function of.
    pub x: Series,
    /// Its values, one column or several (an estimate with its envelope).
    pub y: Vec<Series>,
    /// The step at which the first of `y` is best, if the curve was drawn to find it.
    pub optimum: Option<usize>,
    /// How it was made.
    pub provenance: Provenance,
    /// What was chosen or noticed on the way.
    pub notes: Vec<Note>,
}

impl Curve {
    /// How many steps.
    pub const fn len(&self) -> usize {
        self.x.values.len()
    }

    /// Whether it has no step.
    pub const fn is_empty(&self) -> bool {
        self.x.values.is_empty()
    }

    /// The `x` that is marked as best.
    pub fn best(&self) -> Option<f64> {
        self.optimum.and_then(|at| self.x.values.get(at).copied())
    }
}
