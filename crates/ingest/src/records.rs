//! The one stream every format is turned into: a row number, the wanted fields as text, and a place.

use std::borrow::Cow;

use brasa_model::{Note, Reason};

use crate::IngestError;

/// Columns beyond which a file is refused.
pub(crate) const MAX_COLUMNS: usize = 10_000;

/// One row of a file.
pub(crate) struct Record<'a> {
    /// The line in a text file, else the number of the feature from 1.
    pub line: u64,
    /// The wanted columns, in the order they were asked for.
    pub fields: Vec<Cow<'a, str>>,
    /// The geometry, in formats that have one.
    pub place: Place,
    /// Why the row is not a row of this file, if it is not.
    pub broken: Option<String>,
}

/// The geometry of a row.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Place {
    /// The format has no geometry: coordinates are in columns.
    InColumns,
    /// A point.
    Point(f64, f64),
    /// No geometry, or one that is not a point; its name.
    NotPoint(&'static str),
    /// A text in a column that is no place.
    Faulty {
        /// What is wrong with it.
        reason: Reason,
        /// The column.
        column: String,
        /// What stands there.
        value: String,
    },
}

/// What a file says about its reference system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum StatedCrs {
    /// Nothing.
    Nothing,
    /// The format's standard: longitude and latitude on WGS 84.
    ByFormat,
    /// An EPSG code.
    Epsg(u32),
    /// A system without a known code.
    Other(String),
}

/// A file with not a single row, among others.
pub(crate) struct Nothing;

impl Records for Nothing {
    fn columns(&self) -> &[String] {
        &[]
    }

    fn has_geometry(&self) -> bool {
        true
    }

    fn crs(&self) -> StatedCrs {
        StatedCrs::ByFormat
    }

    fn visit(&self, _: &[usize], _: &mut dyn FnMut(&Record<'_>) -> bool) -> Result<(), IngestError> {
        Ok(())
    }

    fn notes(&self) -> Vec<Note> {
        Vec::new()
    }
}

/// A file as rows. It can be read more than once.
pub(crate) trait Records {
    /// The names of its columns.
    fn columns(&self) -> &[String];

    /// Whether rows carry a geometry of their own.
    fn has_geometry(&self) -> bool;

    /// What the file says about its reference system.
    fn crs(&self) -> StatedCrs;

    /// Hands every row to `each` until it answers `false`; only the `wanted` columns are looked at.
    fn visit(&self, wanted: &[usize], each: &mut dyn FnMut(&Record<'_>) -> bool) -> Result<(), IngestError>;

    /// What was chosen or noticed while reading.
    fn notes(&self) -> Vec<Note>;
}
