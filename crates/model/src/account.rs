//! Nothing lost: what became of every row.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What became of the rows of one input. `read = used + filtered + rejected + duplicate`, always.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Rows in the file.
    pub read: u64,
    /// Rows that became incidents.
    pub used: u64,
    /// Rows the user asked to leave out (`--only`, `--since`, `--until`).
    pub filtered: u64,
    /// Rows that could not be used, each kept with its reason.
    pub rejected: u64,
    /// Rows whose id had been seen before.
    pub duplicate: u64,
}

impl Account {
    /// The rows of several inputs.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self {
            read: self.read + other.read,
            used: self.used + other.used,
            filtered: self.filtered + other.filtered,
            rejected: self.rejected + other.rejected,
            duplicate: self.duplicate + other.duplicate,
        }
    }

    /// Whether the identity holds.
    pub const fn balances(&self) -> bool {
        self.read == self.used + self.filtered + self.rejected + self.duplicate
    }
}

/// Why a row was set aside: a closed list, each with a stable code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// The line could not be read as a row of the file.
    RowUnreadable,
    /// A coordinate is empty.
    CoordMissing,
    /// A coordinate is not a number.
    CoordUnreadable,
    /// A coordinate is NaN or infinite.
    CoordNotFinite,
    /// Both coordinates are exactly zero: a geocoder's way of saying "unknown".
    CoordZero,
    /// The coordinate lies outside the bounds of its reference system.
    CoordOutOfRange,
    /// The geometry is missing or is not a point.
    GeometryNotPoint,
    /// The time is not readable as a date or time.
    TimeUnreadable,
    /// A time filter was given and the row has no time.
    TimeMissing,
    /// The weight is missing, negative or not a finite number.
    WeightInvalid,
    /// The place lies outside the given study area.
    OutsideStudyArea,
    /// The place lies far from all but a handful of the others.
    FarFromTheRest,
}

impl Reason {
    /// Every reason, in the order of the checks.
    pub const ALL: [Self; 12] = [
        Self::RowUnreadable,
        Self::CoordMissing,
        Self::CoordUnreadable,
        Self::CoordNotFinite,
        Self::CoordZero,
        Self::CoordOutOfRange,
        Self::GeometryNotPoint,
        Self::TimeUnreadable,
        Self::TimeMissing,
        Self::WeightInvalid,
        Self::OutsideStudyArea,
        Self::FarFromTheRest,
    ];

    /// The stable code written to files.
    pub const fn code(self) -> &'static str {
        match self {
            Self::RowUnreadable => "row_unreadable",
            Self::CoordMissing => "coord_missing",
            Self::CoordUnreadable => "coord_unreadable",
            Self::CoordNotFinite => "coord_not_finite",
            Self::CoordZero => "coord_zero",
            Self::CoordOutOfRange => "coord_out_of_range",
            Self::GeometryNotPoint => "geometry_not_point",
            Self::TimeUnreadable => "time_unreadable",
            Self::TimeMissing => "time_missing",
            Self::WeightInvalid => "weight_invalid",
            Self::OutsideStudyArea => "outside_study_area",
            Self::FarFromTheRest => "far_from_the_rest",
        }
    }

    /// What it means, for a reader of the report.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::RowUnreadable => "the line is not a row of this file",
            Self::CoordMissing => "no coordinates",
            Self::CoordUnreadable => "a coordinate is not a number",
            Self::CoordNotFinite => "a coordinate is NaN or infinite",
            Self::CoordZero => "coordinates are exactly (0, 0)",
            Self::CoordOutOfRange => "outside the bounds of the reference system",
            Self::GeometryNotPoint => "no point geometry",
            Self::TimeUnreadable => "the time is not readable",
            Self::TimeMissing => "no time, and a time filter was given",
            Self::WeightInvalid => "the weight is missing, negative or not finite",
            Self::OutsideStudyArea => "outside the study area",
            Self::FarFromTheRest => "far from all but a handful of the other places",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// One row that was set aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reject {
    /// Which of the files it is in, counted from 0 in the order given.
    pub file: u16,
    /// The line in a text file (1 is the first line), else the number of the feature from 1.
    pub line: u64,
    /// Why.
    pub reason: Reason,
    /// The column or columns at fault.
    pub column: String,
    /// The value found there, as it stands in the file.
    pub value: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_its_own_code() {
        let codes: std::collections::BTreeSet<_> = Reason::ALL.iter().map(|reason| reason.code()).collect();
        assert_eq!(codes.len(), Reason::ALL.len());
    }
}
