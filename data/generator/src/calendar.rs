//! The two years of the sample, and when in the day and the week incidents happen.

use crate::rng::{Choice, Rng};

/// Days from 2023-01-01 to 2024-12-31; 2024 is a leap year.
pub const DAYS: usize = 365 + 366;

const MONTHS: [usize; 12] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/// Incidents by hour of the day from midnight: a peak in the evening, a low before dawn.
const WORKDAY: [f64; 24] = [
    2.6, 1.8, 1.3, 0.9, 0.8, 1.1, 1.9, 2.8, 3.4, 3.7, 4.0, 4.3, 4.7, 4.4, 4.3, 4.6, 5.2, 6.2, 7.6, 8.4, 8.1,
    7.0, 5.4, 3.9,
];
/// The same on Friday, Saturday and Sunday: later.
const WEEKEND: [f64; 24] = [
    6.4, 5.6, 4.6, 3.4, 2.2, 1.4, 1.3, 1.6, 2.1, 2.7, 3.2, 3.6, 4.0, 4.1, 4.2, 4.4, 4.7, 5.4, 6.6, 7.9, 8.4,
    8.2, 7.6, 7.0,
];
/// Incidents by day of the week from Sunday.
const WEEK: [f64; 7] = [1.25, 0.88, 0.86, 0.90, 0.95, 1.18, 1.38];

/// How the number of incidents changes over the two years.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trend {
    /// Not at all.
    Steady,
    /// Seven times as many at the end as at the beginning.
    Growing,
    /// A seventh at the end of the beginning.
    Fading,
}

impl Trend {
    /// The word in the files.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Steady => "steady",
            Self::Growing => "growing",
            Self::Fading => "fading",
        }
    }

    /// The rate at a share (0–1) of the period, one on average.
    fn rate(self, share: f64) -> f64 {
        match self {
            Self::Steady => 1.0,
            Self::Growing => 0.25 + 1.5 * share,
            Self::Fading => 1.75 - 1.5 * share,
        }
    }
}

/// Hours of the day, from the first to before the second; they may pass midnight. `(0, 24)` is all day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hours(pub usize, pub usize);

impl Hours {
    /// All day.
    pub const ALL: Self = Self(0, 24);

    /// Whether an hour is one of them.
    pub const fn contains(self, hour: usize) -> bool {
        if self.0 < self.1 { self.0 <= hour && hour < self.1 } else { hour >= self.0 || hour < self.1 }
    }
}

impl std::fmt::Display for Hours {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:02}:00-{:02}:00", self.0, self.1)
    }
}

/// A draw of days and minutes.
#[derive(Debug)]
pub struct Clock {
    days: Choice,
    workday: Choice,
    weekend: Choice,
}

impl Clock {
    /// Incidents that keep to these hours and follow this trend.
    pub fn new(hours: Hours, trend: Trend) -> Self {
        let of_day = |weights: [f64; 24]| {
            Choice::new((0..24).map(|hour| if hours.contains(hour) { weights[hour] } else { 0.0 }))
        };
        let days = (0..DAYS).map(|day| {
            let december = if date(day).1 == 12 { 1.2 } else { 1.0 };
            WEEK[day % 7] * december * trend.rate(day as f64 / DAYS as f64)
        });
        Self { days: Choice::new(days), workday: of_day(WORKDAY), weekend: of_day(WEEKEND) }
    }

    /// A day from 2023-01-01 and a minute of that day. Minutes heap as people report them: on the hour, the
    /// half hour and the fives.
    pub fn draw(&self, rng: &mut Rng) -> (usize, usize) {
        let day = self.days.draw(rng);
        let by_hour = if matches!(day % 7, 0 | 5 | 6) { &self.weekend } else { &self.workday };
        let hour = by_hour.draw(rng);
        let minute = match rng.unit() {
            u if u < 0.35 => 0,
            u if u < 0.55 => 30,
            u if u < 0.85 => 5 * rng.below(12),
            _ => rng.below(60),
        };
        (day, 60 * hour + minute)
    }
}

/// Year, month and day of the month of a day counted from 2023-01-01 (a Sunday).
pub fn date(day: usize) -> (usize, usize, usize) {
    let (year, mut rest) = if day < 365 { (2023, day) } else { (2024, day - 365) };
    for (at, &days) in MONTHS.iter().enumerate() {
        let days = if year == 2024 && at == 1 { days + 1 } else { days };
        if rest < days {
            return (year, at + 1, rest + 1);
        }
        rest -= days;
    }
    (year + 1, 1, rest + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_calendar_has_a_leap_day_and_an_end() {
        assert_eq!(date(0), (2023, 1, 1));
        assert_eq!(date(364), (2023, 12, 31));
        assert_eq!(date(365 + 59), (2024, 2, 29));
        assert_eq!(date(DAYS - 1), (2024, 12, 31));
    }

    #[test]
    fn a_night_passes_midnight() {
        let night = Hours(22, 4);
        assert!(night.contains(23) && night.contains(3) && !night.contains(4) && !night.contains(12));
        assert!((0..24).all(|hour| Hours::ALL.contains(hour)));
    }
}
