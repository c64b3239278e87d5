//! Civil time: what a clock on the wall of the place showed, to the precision the source gives.
//!
//! Hotspots follow people's days, so brasa works in local civil time and carries the zone's name beside it.
//! A month or a date is kept as the interval it is, never as its first midnight.

use std::fmt;

const DAY: i64 = 86_400;

/// A civil date and time in whole seconds since 1970-01-01T00:00:00, without a zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Civil(pub i64);

impl Civil {
    /// From a civil date (proleptic Gregorian) and the second of the day; `None` if there is no such date.
    pub fn new(year: i32, month: u8, day: u8, second_of_day: u32) -> Option<Self> {
        let valid = (1..=12).contains(&month)
            && (1..=days_in_month(year, month)).contains(&day)
            && second_of_day <= 86_400
            && (1..=9999).contains(&year);
        valid.then(|| Self(days_from_civil(year, month, day) * DAY + i64::from(second_of_day)))
    }

    /// Year, month and day.
    pub fn date(self) -> (i32, u8, u8) {
        civil_from_days(self.0.div_euclid(DAY))
    }

    /// Seconds since midnight.
    pub const fn second_of_day(self) -> u32 {
        self.0.rem_euclid(DAY) as u32
    }

    /// The same date and second of the day, so many years before; 1 March where there is no 29 February.
    #[must_use]
    pub fn years_before(self, years: i32) -> Self {
        let (year, month, day) = self.date();
        let second = self.second_of_day();
        Self::new(year - years, month, day, second)
            .or_else(|| Self::new(year - years, 3, 1, second))
            .unwrap_or(self)
    }

    /// The first instant of the month after this one.
    pub fn next_month(self) -> Self {
        self.month_start(1)
    }

    /// The first instant of the month so many months after this one's, or before.
    pub(crate) fn month_start(self, months: i32) -> Self {
        let (year, month, _) = self.date();
        let months = year * 12 + i32::from(month) - 1 + months;
        Self(days_from_civil(months.div_euclid(12), months.rem_euclid(12) as u8 + 1, 1) * DAY)
    }

    /// Days since 1970-01-01.
    pub(crate) const fn day_number(self) -> i64 {
        self.0.div_euclid(DAY)
    }

    /// The first instant of the day.
    pub(crate) const fn midnight(self) -> Self {
        Self(self.day_number() * DAY)
    }

    /// So many days later.
    pub(crate) const fn plus_days(self, days: i64) -> Self {
        Self(self.0 + days * DAY)
    }
}

impl fmt::Display for Civil {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.date();
        let second = self.second_of_day();
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}",
            second / 3600,
            second / 60 % 60,
            second % 60
        )
    }
}

const fn days_in_month(year: i32, month: u8) -> u8 {
    match month {
        2 if (year % 4 == 0 && year % 100 != 0) || year % 400 == 0 => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01 (the civil calendar algorithm published by H. Hinnant, "chrono-compatible
/// low-level date algorithms"): years begin in March so that the leap day is the last.
fn days_from_civil(year: i32, month: u8, day: u8) -> i64 {
    let y = i64::from(year) - i64::from(month <= 2);
    let era = y.div_euclid(400);
    let year_of_era = y.rem_euclid(400);
    let day_of_year = (153 * ((i64::from(month) + 9) % 12) + 2) / 5 + i64::from(day) - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

fn civil_from_days(days: i64) -> (i32, u8, u8) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let day = doy - (153 * mp + 2) / 5 + 1;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    ((yoe + era * 400 + i64::from(month <= 2)) as i32, month as u8, day as u8)
}

/// A half-open stretch of civil time: `start` is in it, `end` is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Interval {
    /// First second.
    pub start: Civil,
    /// First second after it.
    pub end: Civil,
}

impl Interval {
    /// The hours of the week that the interval touches, the first that of Monday's midnight, each with its share of it: the aoristic weights of Ratcliffe 2000
    /// (doi:10.1080/136588100424963). Nothing for a day or longer, which says nothing of the hour. Whole 2⁻³² parts, so that
    /// sums do not depend on their order.
    fn hours(self) -> impl Iterator<Item = (usize, u64)> {
        let length = self.end.0 - self.start.0;
        let known = (1..DAY).contains(&length);
        let first = self.start.0.div_euclid(3600);
        let count = if known { (self.end.0 - 1).div_euclid(3600) - first + 1 } else { 0 };
        (0..count).map(move |at| {
            let (from, to) = ((first + at) * 3600, (first + at + 1) * 3600);
            let overlap = to.min(self.end.0) - from.max(self.start.0);
            let part = (i128::from(overlap) * i128::from(ONE) / i128::from(length)) as u64;
            // 1970-01-01 was a Thursday.
            ((first + at + 72).rem_euclid(HOURS_OF_WEEK as i64) as usize, part)
        })
    }
}

/// Hours of the week.
const HOURS_OF_WEEK: usize = 168;

/// One incident, where hours share it out.
const ONE: u64 = 1 << 32;

/// One interval per incident; an incident without a time holds `None`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Times {
    intervals: Vec<Option<Interval>>,
    zone: Option<String>,
}

impl Times {
    /// One entry per incident, and the IANA name of the zone whose clocks they follow, when known.
    pub const fn new(intervals: Vec<Option<Interval>>, zone: Option<String>) -> Self {
        Self { intervals, zone }
    }

    /// The intervals, in the order of the incidents.
    pub fn intervals(&self) -> &[Option<Interval>] {
        &self.intervals
    }

    /// The IANA name of the zone, when known.
    pub fn zone(&self) -> Option<&str> {
        self.zone.as_deref()
    }

    /// From the first second of the earliest interval to the end of the latest; `None` when no time is known.
    pub fn extent(&self) -> Option<Interval> {
        self.intervals.iter().copied().collect::<Timing>().period()
    }
}

/// When some incidents happened, all in all.
#[derive(Debug, Clone)]
pub struct Timing {
    period: Option<Interval>,
    /// Incidents by hour of the week, in parts of [`ONE`].
    by_hour: [u64; HOURS_OF_WEEK],
    all: u64,
}

impl Default for Timing {
    fn default() -> Self {
        Self { period: None, by_hour: [0; HOURS_OF_WEEK], all: 0 }
    }
}

impl Timing {
    /// Takes in one more incident, whose time may be unknown.
    pub fn add(&mut self, time: Option<Interval>) {
        self.all += 1;
        let Some(time) = time else { return };
        let period = self.period.get_or_insert(time);
        period.start = period.start.min(time.start);
        period.end = period.end.max(time.end);
        for (hour, part) in time.hours() {
            self.by_hour[hour] += part;
        }
    }

    /// From the first second of the earliest interval to the end of the latest; `None` when no time is known.
    pub const fn period(&self) -> Option<Interval> {
        self.period
    }

    /// Incidents by day of the week, from Monday, and hour; `None` where no hour is known. An incident between a from and a to
    /// counts in the hours between.
    pub fn week(&self) -> Option<[[f64; 24]; 7]> {
        let at = |day: usize, hour: usize| self.by_hour[day * 24 + hour] as f64 / ONE as f64;
        let week = std::array::from_fn(|day| std::array::from_fn(|hour| at(day, hour)));
        self.by_hour.iter().any(|&part| part > 0).then_some(week)
    }

    /// The share of the incidents of whose hour something is known.
    pub fn known(&self) -> f64 {
        let known: u64 = self.by_hour.iter().sum();
        if self.all == 0 { 0.0 } else { known as f64 / ONE as f64 / self.all as f64 }
    }

    /// The block of hours with the most incidents, the earliest of several; `None` where something is known of the hour for
    /// fewer than twenty of them, or for less than four in five. An incident between a from and a to counts in the hours between.
    pub fn peak(&self) -> Option<PeakHours> {
        let known: u64 = self.by_hour.iter().sum();
        // Shares are rounded down: a hair below the least is the least.
        let incidents = known.div_ceil(ONE);
        if incidents < PeakHours::LEAST || incidents * 5 < self.all * 4 {
            return None;
        }
        let by_hour: [u64; 24] = std::array::from_fn(|hour| self.by_hour.iter().skip(hour).step_by(24).sum());
        let hours = |start: usize| (start..start + PeakHours::HOURS).map(|hour| by_hour[hour % 24]);
        let block = |start: usize| hours(start).sum::<u64>();
        let start = (0..24).max_by_key(|&start| (block(start), std::cmp::Reverse(start)))?;
        Some(PeakHours { start, share: block(start) as f64 / known as f64 })
    }
}

impl FromIterator<Option<Interval>> for Timing {
    fn from_iter<T: IntoIterator<Item = Option<Interval>>>(times: T) -> Self {
        let mut timing = Self::default();
        times.into_iter().for_each(|time| timing.add(time));
        timing
    }
}

/// A block of four hours of the day and its share of the incidents whose hour is known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PeakHours {
    /// First hour.
    pub start: usize,
    /// Share of the incidents.
    pub share: f64,
}

impl PeakHours {
    /// The length of a block.
    const HOURS: usize = 4;
    /// Below so many known hours nothing is told.
    const LEAST: u64 = 20;
}

impl fmt::Display for PeakHours {
    /// `20-24`, `22-02`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = self.start + Self::HOURS;
        write!(f, "{:02}-{:02}", self.start, if end > 24 { end - 24 } else { end })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn civil_dates_go_there_and_back() {
        for days in (-800_000..800_000).step_by(37) {
            let (year, month, day) = civil_from_days(days);
            assert_eq!(days_from_civil(year, month, day), days);
        }
        assert_eq!(Civil::new(2024, 2, 29, 3661).unwrap().to_string(), "2024-02-29T01:01:01");
        assert_eq!(Civil::new(2023, 2, 29, 0), None);
        assert_eq!(Civil::new(2018, 12, 1, 0).unwrap().next_month().to_string(), "2019-01-01T00:00:00");
    }

    #[test]
    fn a_year_before_is_the_same_date() {
        let at = |year, month, day| Civil::new(year, month, day, 0).unwrap();
        assert_eq!(at(2024, 3, 1).years_before(1), at(2023, 3, 1));
        assert_eq!(at(2025, 1, 1).years_before(2), at(2023, 1, 1));
        assert_eq!(at(2024, 2, 29).years_before(1), at(2023, 3, 1));
    }

    #[test]
    fn an_interval_is_shared_out_over_its_hours() {
        let at = |day, second| Civil::new(2024, 5, day, second).unwrap();
        let shares = |start: Civil, end: Civil| -> Vec<(usize, f64)> {
            Interval { start, end }
                .hours()
                .map(|(hour, part)| (hour % 24, part as f64 / ONE as f64))
                .collect()
        };
        assert_eq!(shares(at(1, 36_000), at(1, 36_060)), [(10, 1.0)]);
        assert_eq!(shares(at(1, 84_600), at(2, 5400)), [(23, 0.25), (0, 0.5), (1, 0.25)]);
        assert_eq!(shares(at(1, 0), at(2, 0)), [], "a day says nothing of the hour");
        assert_eq!(shares(at(1, 0), at(1, 0).next_month()), []);
    }

    #[test]
    fn a_night_of_windows_peaks_at_night() {
        let night = Interval {
            start: Civil::new(2024, 5, 1, 82_800).unwrap(),
            end: Civil::new(2024, 5, 2, 10_800).unwrap(),
        };
        let timing: Timing = vec![Some(night); 20].into_iter().collect();
        let peak = timing.peak().unwrap();
        assert_eq!((peak.start, peak.share), (23, 1.0));
        // 1 May 2024 was a Wednesday.
        let week = timing.week().unwrap();
        assert_eq!((week[2][23], week[3][0], week[3][2]), (5.0, 5.0, 5.0));
        assert_eq!(week.as_flattened().iter().sum::<f64>(), 20.0);
        assert_eq!(timing.known(), 1.0);
        assert!(vec![Some(night); 19].into_iter().collect::<Timing>().peak().is_none());
    }
}
