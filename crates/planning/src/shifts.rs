//! From the times that people write to the instants at which shifts begin and end.
//!
//! A shift is written as the clocks show it, `22:00-06:00`, and one that ends before it begins ends on the next day. Which instants those
//! are follows from the zone's rules in the IANA time zone database, whose copy is built in: no computer's own copy is asked.
//!
//! # Often misunderstood
//! A night shift of eight hours on the clocks is seven or nine hours long in the night in which they are changed; a plan that counts eight
//! promises visits nobody has time for. A begin that the clocks skip is moved by as much as they skip, one that they show twice is the
//! first of the two; both are announced.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

use brasa_model::{Civil, Clock, Note, Offset, Shift};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone, TimeZoneDatabase};
use serde::{Deserialize, Serialize};

use crate::PlanError;
use brasa_model::as_text;

const DAY: u32 = 86_400;
/// Longer than a year nobody plans visit by visit.
const MOST_DAYS: u32 = 366;

/// A shift as the clocks show it: `16:00-24:00`, `22:00-06:00`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ShiftTime {
    /// Seconds after midnight.
    start: u32,
    /// Seconds after the same midnight, beyond a day where it ends on the next one.
    end: u32,
}

impl ShiftTime {
    /// Its begin, in seconds after midnight on the clocks.
    pub const fn start(self) -> u32 {
        self.start
    }

    /// How long it is on the clocks, in seconds.
    pub const fn length(self) -> u32 {
        self.end - self.start
    }
}

impl FromStr for ShiftTime {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let unreadable = || {
            format!("\"{text}\" is no shift; write its begin and its end, such as 16:00-24:00 or 22:00-06:00")
        };
        let (start, end) = text.split_once(['-', '–']).ok_or_else(unreadable)?;
        let (start, end) = (clock(start).ok_or_else(unreadable)?, clock(end).ok_or_else(unreadable)?);
        match () {
            () if start == DAY => Err(format!("\"{text}\": a shift that begins at midnight begins at 00:00")),
            () if start == end || (start == 0 && end == DAY) => Err(format!(
                "\"{text}\" lasts a whole day, longer than one tour; write the shifts it consists of, such as 07:00-19:00,19:00-07:00"
            )),
            () => Ok(Self { start, end: if end > start { end } else { end + DAY } }),
        }
    }
}

/// `6`, `06:30` or `24:00` in seconds after midnight.
fn clock(text: &str) -> Option<u32> {
    let text = text.trim();
    let (hours, minutes) = text.split_once(':').unwrap_or((text, "0"));
    let number = |text: &str| {
        let digits = (1..=2).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| text.parse::<u32>().ok()).flatten()
    };
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    (minutes < 60 && hours * 60 + minutes <= 24 * 60).then_some(hours * 3600 + minutes * 60)
}

impl fmt::Display for ShiftTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = if self.end > DAY { self.end - DAY } else { self.end };
        let clock = |second: u32| format!("{:02}:{:02}", second / 3600, second / 60 % 60);
        write!(f, "{}-{}", clock(self.start), clock(end))
    }
}

/// The shifts of a day, in the order of their begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ShiftTimes(Vec<ShiftTime>);

impl ShiftTimes {
    /// Each shift, at least one.
    pub fn as_slice(&self) -> &[ShiftTime] {
        &self.0
    }
}

impl FromStr for ShiftTimes {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut shifts: Vec<ShiftTime> = text.split(',').map(str::parse).collect::<Result<_, _>>()?;
        shifts.sort_unstable();
        match shifts.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(twice) => {
                Err(format!("the shift {} is there twice; more units serve it with --units", twice[0]))
            }
            None => Ok(Self(shifts)),
        }
    }
}

impl fmt::Display for ShiftTimes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shifts: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&shifts.join(","))
    }
}

as_text!(ShiftTimes, "SHIFTS", "examples": ["16:00-24:00", "06:00-14:00,14:00-22:00,22:00-06:00"]);

/// A date, `2026-12-01`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Day(Civil);

impl Day {
    /// The date of a civil time.
    pub fn of(civil: Civil) -> Self {
        Self(Civil(civil.0 - i64::from(civil.second_of_day())))
    }

    /// The first Monday after it, so that a plan covers whole weeks.
    #[must_use]
    pub const fn next_monday(self) -> Self {
        // 1970-01-01 was a Thursday.
        let weekday = (self.0.0.div_euclid(DAY as i64) + 3).rem_euclid(7);
        Self(Civil(self.0.0 + (7 - weekday) * DAY as i64))
    }

    /// Its first second on the clocks.
    pub const fn midnight(self) -> Civil {
        self.0
    }
}

impl FromStr for Day {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let unreadable = || format!("\"{text}\" is no date; write year, month and day, such as 2026-12-01");
        let mut parts = text.split('-');
        let mut number = |digits: usize| {
            let part = parts.next().filter(|part| part.len() == digits)?;
            part.bytes().all(|byte| byte.is_ascii_digit()).then(|| part.parse::<u16>().ok()).flatten()
        };
        let (year, month, day) = (number(4), number(2), number(2));
        let (Some(year), Some(month), Some(day), None) = (year, month, day, parts.next()) else {
            return Err(unreadable());
        };
        Civil::new(i32::from(year), month as u8, day as u8, 0)
            .map(Self)
            .ok_or_else(|| format!("\"{text}\": there is no such day"))
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.0.date();
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

as_text!(Day, "DATE", "examples": ["2026-12-01"]);

/// The shifts of some days.
#[derive(Debug, Clone, PartialEq)]
pub struct Roster {
    /// In the order of time.
    pub shifts: Vec<Shift>,
    /// The clocks from the first to the last.
    pub clock: Clock,
    /// What a change of clocks did to them.
    pub notes: Vec<Note>,
}

/// Each shift of each of `days` days from `from`, on the clocks of a zone of the IANA database.
///
/// # Errors
/// [`PlanError::Parameter`] for a zone that is not known, for more than 366 days and for days beyond the year 9999.
pub fn roster(times: &ShiftTimes, from: Day, days: NonZeroU32, zone: &str) -> Result<Roster, PlanError> {
    let refused = |why: String| PlanError::Parameter { plan: "patrol", why };
    let zone = TimeZoneDatabase::bundled().get(zone.trim()).map_err(|_| {
        refused(format!("there is no time zone \"{zone}\"; write an IANA name such as America/Bogota"))
    })?;
    if days.get() > MOST_DAYS {
        return Err(refused(format!("{days} days are more than {MOST_DAYS}; plan a shorter period")));
    }
    let beyond = || refused(format!("{days} days from {from} are beyond the calendar"));
    let (mut shifts, mut notes) = (Vec::new(), Vec::new());
    for day in 0..days.get() {
        let date = Day(Civil(from.0.0 + i64::from(day) * i64::from(DAY)));
        for time in &times.0 {
            let mut instant = |second: u32, what: &str| {
                let civil = Civil(date.0.0 + i64::from(second));
                let (instant, note) = settle(civil, &zone, &format!("the {what} of {time} on {date}"))?;
                notes.extend(note);
                Some(instant)
            };
            let start = instant(time.start, "begin").ok_or_else(beyond)?;
            let end = instant(time.end, "end").ok_or_else(beyond)?;
            let length = end - start;
            if length <= 0 {
                notes.push(
                    Note::new(
                        "shift_left_out",
                        format!("{time} on {date} does not take place: the clocks skip it"),
                    )
                    .value(length, "s"),
                );
                continue;
            }
            if length != i64::from(time.length()) {
                let hours = length as f64 / 3600.0;
                notes.push(
                    Note::new("shift_across_clock_change", format!("{time} on {date} lasts {hours} h"))
                        .value(length, "s")
                        .reason("the clocks are changed in it"),
                );
            }
            shifts.push(Shift { name: time.to_string(), start, end });
        }
    }
    shifts.sort_by(|a, b| (a.start, a.end, &a.name).cmp(&(b.start, b.end, &b.name)));
    let first = shifts.iter().map(|shift| shift.start).min().unwrap_or(from.0.0);
    let last = shifts.iter().map(|shift| shift.end).max().unwrap_or(first);
    let clock = clocks(&zone, first - i64::from(DAY), last).ok_or_else(beyond)?;
    Ok(Roster { shifts, clock, notes })
}

/// The instant at which the clocks show something, and what is to be said of it.
fn settle(civil: Civil, zone: &TimeZone, what: &str) -> Option<(i64, Option<Note>)> {
    let (year, month, day) = civil.date();
    let second = civil.second_of_day();
    let (hour, minute) = ((second / 3600) as i8, (second / 60 % 60) as i8);
    let shown =
        DateTime::new(year as i16, month as i8, day as i8, hour, minute, (second % 60) as i8, 0).ok()?;
    let ambiguous = zone.to_ambiguous_timestamp(shown);
    let offset = ambiguous.offset();
    let instant = ambiguous.compatible().ok()?.as_second();
    let note = match offset {
        AmbiguousOffset::Unambiguous { .. } => None,
        AmbiguousOffset::Gap { before, after } => {
            let minutes = (after.seconds() - before.seconds()) / 60;
            Some(
                Note::new(
                    "shift_time_skipped",
                    format!("The clocks skip {what}; it is {minutes} min later on them"),
                )
                .value(instant, "s since 1970-01-01T00:00:00Z")
                .reason("the clocks are put forward"),
            )
        }
        AmbiguousOffset::Fold { .. } => Some(
            Note::new("shift_time_repeated", format!("The clocks show {what} twice; the first is meant"))
                .value(instant, "s since 1970-01-01T00:00:00Z")
                .reason("the clocks are put back"),
        ),
    };
    Some((instant, note))
}

/// The offsets in force between two instants.
fn clocks(zone: &TimeZone, first: i64, last: i64) -> Option<Clock> {
    let at = Timestamp::from_second(first).ok()?;
    let info = zone.to_offset_info(at);
    let mut offsets = vec![Offset {
        from: first,
        seconds: info.offset().seconds(),
        abbreviation: info.abbreviation().to_owned(),
    }];
    let changes = zone.following(at).take_while(|change| change.timestamp().as_second() <= last);
    offsets.extend(changes.map(|change| Offset {
        from: change.timestamp().as_second(),
        seconds: change.offset().seconds(),
        abbreviation: change.abbreviation().to_owned(),
    }));
    Some(Clock { zone: zone.iana_name().unwrap_or("UTC").to_owned(), offsets })
}
