//! A statistic per zone, with how sure it is.

use crate::{Grid, Note, Provenance};

/// What a zone is, once many tests have been allowed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Significantly high: q at or below the level, statistic above its expectation.
    Hot,
    /// Significantly low.
    Cold,
    /// Neither.
    NotSignificant,
}

impl Class {
    /// The word written to files.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Hot => "hot",
            Self::Cold => "cold",
            Self::NotSignificant => "not significant",
        }
    }
}

/// One statistic per zone; the zones are the cells of `grid` inside the window, in [`Grid::cells`] order.
#[derive(Debug, Clone)]
pub struct LocalStats {
    /// The zones.
    pub grid: Grid,
    /// Incidents (or their weight) in the zone.
    pub count: Vec<f64>,
    /// Zones in the neighbourhood that the statistic looked at, itself included where the method includes it.
    pub neighbours: Vec<u32>,
    /// The statistic as a z-score.
    pub z: Vec<f64>,
    /// Two-sided p under the null hypothesis, one zone at a time.
    pub p: Vec<f64>,
    /// p adjusted for testing all zones (Benjamini–Hochberg).
    pub q: Vec<f64>,
    /// The verdict on q.
    pub class: Vec<Class>,
    /// How it was made.
    pub provenance: Provenance,
    /// What was chosen or noticed on the way.
    pub notes: Vec<Note>,
}

impl LocalStats {
    /// How many zones are in a class.
    pub fn count_of(&self, class: Class) -> usize {
        self.class.iter().filter(|&&found| found == class).count()
    }
}
