//! Where one pattern is denser than another, and how sure that is.

use geo::Polygon;

use crate::{Surface, Tone, Word};

/// The relative risk of two patterns, cell by cell. NaN where it is not defined. How it was made and what was noticed on the
/// way stands with `log_ratio`.
#[derive(Debug, Clone)]
pub struct Risk {
    /// The natural logarithm of the density of the cases over that of the controls, each of mass one: 0 where the share of
    /// both is the same, ln 2 where the cases have twice the share.
    pub log_ratio: Surface,
    /// The log-ratio in standard deviations, were there no difference.
    pub z: Surface,
    /// The chance of a log-ratio at least as high, were there no difference.
    pub p_high: Surface,
    /// The chance of a log-ratio at least as low.
    pub p_low: Surface,
    /// The tolerance contours.
    pub contours: Vec<Contour>,
}

impl Risk {
    /// Every surface with its name in files.
    pub const fn bands(&self) -> [(&'static str, &Surface); 4] {
        [("log_ratio", &self.log_ratio), ("z", &self.z), ("p_high", &self.p_high), ("p_low", &self.p_low)]
    }

    /// The cells where the ratio is defined.
    pub fn defined(&self) -> usize {
        self.log_ratio.values.iter().filter(|value| !value.is_nan()).count()
    }
}

/// A part of the area where the p of one tail is at most `level`.
#[derive(Debug, Clone, PartialEq)]
pub struct Contour {
    /// Which tail.
    pub tail: Tail,
    /// The level of p, one-sided and cell by cell.
    pub level: f64,
    /// The outline.
    pub outline: Polygon<f64>,
}

/// Which side of no difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tail {
    /// The cases have more than their share.
    High,
    /// The cases have less than their share.
    Low,
}

impl Tail {
    /// The word written to files.
    pub const fn word(self) -> &'static str {
        match self {
            Self::High => "high",
            Self::Low => "low",
        }
    }

    /// What it means and how loud it is on a map.
    pub const fn explained(self) -> Word {
        let (title, tone) = match self {
            Self::High => ("More than its share", Tone::High),
            Self::Low => ("Less than its share", Tone::Low),
        };
        Word { value: self.word(), title, tone }
    }
}
