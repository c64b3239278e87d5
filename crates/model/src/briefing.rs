//! Everything one run of the main job has to tell, on its way to a map, a page or a project.

use crate::{Civil, Curve, InputRecord, Interval, Layer, Note, Surface};

/// What the main job found, with what is needed to judge it. How it was made stands with `hotspots`.
#[derive(Debug, Clone)]
pub struct Briefing {
    /// What all of it is called.
    pub title: String,
    /// Whom the data is owed to, as its owner wants it said; empty where nothing was said.
    pub attribution: String,
    /// The hotspots by rank.
    pub hotspots: Layer,
    /// The zones behind them that hold incidents or are significant.
    pub zones: Layer,
    /// The study area.
    pub study_area: Layer,
    /// Incidents per hotspot and stretch of time, where times are known.
    pub over_time: Option<Layer>,
    /// The density behind the hotspots.
    pub density: Surface,
    /// Incidents per stretch of time, where times are known.
    pub trend: Option<Trend>,
    /// Incidents per hour of the week, where hours are known.
    pub week: Option<Week>,
    /// How much of the area holds how many of the incidents.
    pub concentration: Curve,
    /// What lies beneath, for the eye alone: streets, water.
    pub basemap: Option<Layer>,
    /// What was read and what became of the rows.
    pub inputs: Vec<InputRecord>,
    /// What was chosen or noticed on the way.
    pub notes: Vec<Note>,
    /// The command that makes all of it again.
    pub command: String,
}

impl Briefing {
    /// The period it speaks of.
    pub const fn period(&self) -> Option<Interval> {
        self.hotspots.period
    }
}

/// Incidents per stretch of time, in the whole study area and in each hotspot.
#[derive(Debug, Clone, PartialEq)]
pub struct Trend {
    /// What a stretch is.
    pub step: Step,
    /// The stretches, one after another.
    pub stretches: Vec<Stretch>,
    /// Incidents whose time does not tell in which stretch they were.
    pub undecided: u64,
}

/// One stretch of time.
#[derive(Debug, Clone, PartialEq)]
pub struct Stretch {
    /// From when to when.
    pub interval: Interval,
    /// Whether the data covers all of it: the first and the last may be cut.
    pub is_whole: bool,
    /// Incidents in it.
    pub incidents: u64,
    /// Incidents in it by hotspot, in the order of the ranks.
    pub by_hotspot: Vec<u64>,
}

/// What a stretch of time is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// From midnight to midnight.
    Day,
    /// From Monday to Monday.
    Week,
    /// A calendar month.
    Month,
    /// Three calendar months.
    Quarter,
    /// A calendar year.
    Year,
}

impl Step {
    /// From the finest to the coarsest.
    pub const ALL: [Self; 5] = [Self::Day, Self::Week, Self::Month, Self::Quarter, Self::Year];

    /// What it is called.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Quarter => "quarter",
            Self::Year => "year",
        }
    }

    /// The stretch around a moment.
    pub fn around(self, at: Civil) -> Interval {
        let months = |count: u8| {
            let (_, month, _) = at.date();
            let start = at.month_start(-i32::from((month - 1) % count));
            Interval { start, end: start.month_start(i32::from(count)) }
        };
        let days = |count: i64| {
            let midnight = at.midnight();
            // 1970-01-01 was a Thursday.
            let since = if count == 7 { (midnight.day_number() + 3).rem_euclid(7) } else { 0 };
            let start = midnight.plus_days(-since);
            Interval { start, end: start.plus_days(count) }
        };
        match self {
            Self::Day => days(1),
            Self::Week => days(7),
            Self::Month => months(1),
            Self::Quarter => months(3),
            Self::Year => months(12),
        }
    }
}

/// Incidents by hour of the week: of an incident between a from and a to, each hour has its share (the aoristic weights of
/// Ratcliffe 2000, doi:10.1080/136588100424963).
#[derive(Debug, Clone, PartialEq)]
pub struct Week {
    /// Of all incidents: seven days from Monday, 24 hours each.
    pub all: [[f64; 24]; 7],
    /// Of each hotspot, in the order of the ranks.
    pub by_hotspot: Vec<[[f64; 24]; 7]>,
    /// The share of the incidents whose hour is known.
    pub known: f64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_lies_in_one_stretch_of_each_kind() {
        let at = Civil::new(2024, 8, 15, 3600).unwrap();
        let said = |step: Step| {
            let Interval { start, end } = step.around(at);
            format!("{}/{}", &start.to_string()[..10], &end.to_string()[..10])
        };
        assert_eq!(
            Step::ALL.map(said),
            [
                "2024-08-15/2024-08-16",
                "2024-08-12/2024-08-19",
                "2024-08-01/2024-09-01",
                "2024-07-01/2024-10-01",
                "2024-01-01/2025-01-01"
            ]
        );
    }

    #[test]
    fn stretches_follow_one_another_without_a_gap() {
        for step in Step::ALL {
            let mut stretch = step.around(Civil::new(1969, 11, 30, 86_399).unwrap());
            for _ in 0..400 {
                let next = step.around(stretch.end);
                assert_eq!(next.start, stretch.end, "{step:?}");
                assert!(next.end > next.start, "{step:?}");
                stretch = next;
            }
        }
    }
}
