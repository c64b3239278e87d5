//! A statistic per zone, with how sure it is.

use crate::{Note, Provenance, Series, Tone, Word, Zoning};

/// What a zone is, once many tests have been allowed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Significantly high: q at or below the level, statistic above its expectation.
    Hot,
    /// Significantly low.
    Cold,
    /// High among high neighbours.
    HighHigh,
    /// Low among low neighbours.
    LowLow,
    /// High among low neighbours.
    HighLow,
    /// Low among high neighbours.
    LowHigh,
    /// Like its neighbours, they on the other side of the mean.
    Alike,
    /// Unlike its neighbours.
    Unlike,
    /// Neither.
    NotSignificant,
}

impl Class {
    /// The word written to files.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Hot => "hot",
            Self::Cold => "cold",
            Self::HighHigh => "hh",
            Self::LowLow => "ll",
            Self::HighLow => "hl",
            Self::LowHigh => "lh",
            Self::Alike => "alike",
            Self::Unlike => "unlike",
            Self::NotSignificant => "not significant",
        }
    }

    /// What it means and how loud it is on a map.
    pub const fn explained(self) -> Word {
        let (title, tone) = match self {
            Self::Hot => ("Hot: significantly many", Tone::High),
            Self::Cold => ("Cold: significantly few", Tone::Low),
            Self::HighHigh => ("High among high", Tone::High),
            Self::LowLow => ("Low among low", Tone::Low),
            Self::HighLow => ("High among low", Tone::HighAmongLow),
            Self::LowHigh => ("Low among high", Tone::LowAmongHigh),
            Self::Alike => ("Like its neighbours", Tone::LowAmongHigh),
            Self::Unlike => ("Unlike its neighbours", Tone::HighAmongLow),
            Self::NotSignificant => ("Not significant", Tone::Quiet),
        };
        Word { value: self.word(), title, tone }
    }
}

/// One statistic per zone.
#[derive(Debug, Clone)]
pub struct LocalStats {
    /// The title for people.
    pub title: &'static str,
    /// What a reader must know.
    pub description: &'static str,
    /// The zones.
    pub zones: Zoning,
    /// Incidents (or their weight) in the zone.
    pub count: Vec<f64>,
    /// Zones in the neighbourhood that the statistic looked at, itself included where the method includes it.
    pub neighbours: Vec<u32>,
    /// What else is known of each zone: its area, denominator and rate, and the statistic itself where it is not z.
    pub series: Vec<Series>,
    /// The statistic as a z-score; like the statistic, p and q it is NaN for a zone of which nothing can be said.
    pub z: Vec<f64>,
    /// The title of p.
    pub p_title: &'static str,
    /// p under the null hypothesis, one zone at a time; two-sided, unless its title says otherwise.
    pub p: Vec<f64>,
    /// p adjusted for testing all zones.
    pub q: Vec<f64>,
    /// What a significant zone can be, in the order of reports.
    pub verdicts: &'static [Class],
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
