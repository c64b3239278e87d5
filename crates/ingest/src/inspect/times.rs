//! The times of a file: how exact they are, whether they are what they seem, and how late incidents are reported.

use std::collections::BTreeMap;

use brasa_model::{Interval, Lag, Note, Times, TimesInspection};

/// With fewer times of day than this, shares of them say nothing.
const LEAST_CLOCKS: u64 = 100;
/// One time of day in 1,440 is midnight; a share this much larger was filled in.
const MIDNIGHT_SUSPECT: f64 = 0.05;
/// If times were noted to the minute, a tenth would be on a multiple of ten minutes, 1 in 60 on the full hour.
const FULL_HOUR_ROUNDED: f64 = 0.5;

/// The times of the rows.
#[derive(Default)]
pub(super) struct Clocks {
    intervals: Vec<Option<Interval>>,
    lags: Vec<i64>,
}

impl Clocks {
    /// Takes in a row: when it happened and when it was reported, as far as that is known.
    pub fn add(&mut self, occurred: Option<Interval>, reported: Option<Interval>) {
        self.intervals.push(occurred);
        if let (Some(occurred), Some(reported)) = (occurred, reported) {
            // A report on the day of an incident whose hour is not known is no report before it.
            let lag = if reported.end.0 > occurred.start.0 {
                (reported.start.0 - occurred.start.0).max(0)
            } else {
                reported.start.0 - occurred.start.0
            };
            self.lags.push(lag);
        }
    }

    /// What is to be said of them. `report_column` has the reports.
    pub fn finish(mut self, report_column: Option<&str>) -> (Option<TimesInspection>, Vec<Note>) {
        let missing = self.intervals.iter().filter(|time| time.is_none()).count() as u64;
        let times = Times::new(std::mem::take(&mut self.intervals), None);
        let Some(period) = times.extent() else { return (None, Vec::new()) };
        let mut precision: BTreeMap<String, u64> = BTreeMap::new();
        let (mut clocks, mut midnights, mut hours, mut halves) = (0_u64, 0_u64, 0_u64, 0_u64);
        for time in times.intervals().iter().flatten() {
            let word = match time.end.0 - time.start.0 {
                ..=1 => "second",
                2..=60 => "minute",
                61..=3600 => "hour",
                3601..=86_400 => "day",
                _ if is_month(*time) => "month",
                _ => "window",
            };
            *precision.entry(word.to_owned()).or_default() += 1;
            if ["second", "minute", "hour"].contains(&word) {
                let second = time.start.second_of_day();
                clocks += 1;
                midnights += u64::from(second == 0);
                hours += u64::from(second % 3600 == 0);
                halves += u64::from(second % 3600 == 1800);
            }
        }
        let share = |count: u64| (clocks > 0).then(|| count as f64 / clocks as f64);
        let mut findings = Vec::new();
        let enough = clocks >= LEAST_CLOCKS;
        if let Some(midnight) = share(midnights).filter(|share| enough && *share >= MIDNIGHT_SUSPECT) {
            findings.push(
                Note::new("midnights_many", format!("{:.1} % of the times of day are exactly 00:00", midnight * 100.0))
                    .value(midnight, "")
                    .reason("most of these are days whose hour was not noted; hours of the day are not to be trusted as they stand"),
            );
        }
        let only_hours = precision.get("hour").copied().unwrap_or_default() * 10 >= clocks * 9;
        if let Some(full) = share(hours).filter(|share| enough && !only_hours && *share >= FULL_HOUR_ROUNDED)
        {
            findings.push(
                Note::new("times_rounded", format!("{:.1} % of the times are on a full hour", full * 100.0))
                    .value(full, "")
                    .reason("they were rounded when they were noted; read them as hours, not as minutes"),
            );
        }
        if precision.get("month").is_some_and(|months| months * 2 > times.intervals().len() as u64) {
            findings.push(
                Note::new("months_only", "most rows know their month alone")
                    .reason("they are kept as whole months; nothing here can speak of days or hours"),
            );
        }
        let lag = report_column.and_then(|column| self.lag(column));
        if let Some(lag) = &lag {
            if lag.negative > 0 {
                findings.push(
                    Note::new(
                        "reported_before",
                        format!("{} rows were reported before they happened", lag.negative),
                    )
                    .value(lag.negative, "rows")
                    .reason(format!(
                        "one of the two columns is wrong there; \"{}\" is the report",
                        lag.column
                    )),
                );
            }
            if lag.p90_days >= 30.0 {
                findings.push(
                    Note::new(
                        "reported_late",
                        format!("one report in ten comes {:.0} days late or later", lag.p90_days),
                    )
                    .value(lag.p90_days, "days")
                    .reason(
                        "the last months are not complete yet: a fall at the end may only be reports to come",
                    ),
                );
            }
        }
        let inspection = TimesInspection {
            first: period.start.to_string(),
            last: brasa_model::Civil(period.end.0 - 1).to_string(),
            missing,
            precision,
            midnight: share(midnights),
            full_hour: share(hours),
            half_hour: share(halves),
            lag,
        };
        (Some(inspection), findings)
    }

    fn lag(&mut self, column: &str) -> Option<Lag> {
        let negative = self.lags.iter().filter(|lag| **lag < 0).count() as u64;
        let rows = self.lags.len() as u64;
        let mut lags: Vec<i64> = self.lags.iter().copied().filter(|lag| *lag >= 0).collect();
        lags.sort_unstable();
        let last = lags.len().checked_sub(1)?;
        let days = |at: usize| lags[at] as f64 / 86_400.0;
        Some(Lag {
            column: column.to_owned(),
            rows,
            median_days: days(last / 2),
            p90_days: days((last * 9).div_ceil(10)),
            negative,
        })
    }
}

/// Whether an interval is a calendar month.
fn is_month(time: Interval) -> bool {
    time.start.date().2 == 1 && time.start.second_of_day() == 0 && time.start.next_month() == time.end
}

#[cfg(test)]
mod tests {
    use brasa_model::Civil;

    use super::*;

    fn minute(day: u8, second: u32) -> Option<Interval> {
        let start = Civil::new(2024, 5, day, second)?;
        Some(Interval { start, end: Civil(start.0 + 60) })
    }

    #[test]
    fn midnights_that_were_filled_in_are_seen() {
        let mut clocks = Clocks::default();
        for at in 0..200_u32 {
            clocks.add(minute(1 + (at % 28) as u8, if at % 4 == 0 { 0 } else { 40_000 + at * 60 }), None);
        }
        clocks.add(None, None);
        let (times, findings) = clocks.finish(None);
        let times = times.unwrap();
        assert_eq!((times.missing, times.midnight), (1, Some(0.25)));
        assert_eq!(times.precision["minute"], 200);
        assert_eq!(findings.iter().map(|note| note.code.as_str()).collect::<Vec<_>>(), ["midnights_many"]);
    }

    #[test]
    fn months_and_windows_are_told_apart() {
        let month =
            Interval { start: Civil::new(2024, 2, 1, 0).unwrap(), end: Civil::new(2024, 3, 1, 0).unwrap() };
        let window = Interval { start: month.start, end: Civil(month.start.0 + 3 * 86_400) };
        let mut clocks = Clocks::default();
        [month, month, window].iter().for_each(|time| clocks.add(Some(*time), None));
        let (times, findings) = clocks.finish(None);
        let expected = BTreeMap::from([("month".to_owned(), 2), ("window".to_owned(), 1)]);
        let times = times.unwrap();
        assert_eq!((times.precision, times.midnight), (expected, None));
        assert_eq!(times.last, "2024-02-29T23:59:59");
        assert_eq!(findings[0].code, "months_only");
    }

    #[test]
    fn the_lag_of_reports_is_measured_and_reports_before_the_incident_are_counted() {
        let day = |day: u8| {
            let start = Civil::new(2024, 5, day, 0)?;
            Some(Interval { start, end: Civil(start.0 + 86_400) })
        };
        let mut clocks = Clocks::default();
        (0..9).for_each(|_| clocks.add(minute(3, 50_000), day(3)));
        clocks.add(minute(3, 0), day(13));
        clocks.add(minute(3, 50_000), day(1));
        let (times, findings) = clocks.finish(Some("reporte"));
        let lag = times.unwrap().lag.unwrap();
        assert_eq!((lag.rows, lag.median_days, lag.p90_days, lag.negative), (11, 0.0, 10.0, 1));
        assert_eq!(findings[0].code, "reported_before");
    }

    #[test]
    fn without_a_time_nothing_is_said() {
        let mut clocks = Clocks::default();
        clocks.add(None, None);
        assert_eq!(clocks.finish(None), (None, Vec::new()));
    }
}
