//! Dates and times as people write them, to the precision they write them with.
//!
//! A field is first taken apart into a [`Stamp`] ([`crate::date_text`]); `03/04/2019` stays undecided there. When the whole column has
//! been read, [`Order::decide`] looks at all stamps at once and [`Stamp::interval`] turns each into civil time.

use std::num::{NonZeroU16, NonZeroU32};

use brasa_model::{Civil, Interval};
use jiff::tz::TimeZone;

use crate::IngestError;
use crate::date_text;
use crate::numbers::{in_either_notation, is_blank};
use crate::text::trimmed;

/// One field of a time column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Time {
    Blank,
    Unreadable,
    At(Stamp),
}

/// A date, and perhaps a clock time and an offset, as written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub date: Date,
    pub clock: Option<Clock>,
    pub offset: Option<Offset>,
}

/// Minutes east of UTC, in as few bytes as without one: a day more than they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Offset(NonZeroU16);

impl Offset {
    const DAY: i16 = 24 * 60;

    /// None beyond a day.
    pub fn new(minutes: i16) -> Option<Self> {
        NonZeroU16::new(u16::try_from(minutes.checked_add(Self::DAY)?).ok()?).map(Self)
    }

    fn minutes(self) -> i64 {
        i64::from(self.0.get()) - i64::from(Self::DAY)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Date {
    Month {
        year: i16,
        month: u8,
    },
    Day {
        year: i16,
        month: u8,
        day: u8,
    },
    /// Two numbers before the year: which is the day is for the whole column to say.
    Either {
        first: u8,
        second: u8,
        year: i16,
    },
}

/// A time of day, and how many seconds it leaves open; four bytes, for there is one for every row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Clock(NonZeroU32);

impl Clock {
    /// So many seconds after midnight, of which a minute or an hour may be open.
    pub const fn new(second: u32, open: Open) -> Self {
        // One more than the bits say, so that it is never zero.
        Self(NonZeroU32::MIN.saturating_add(second * 4 + open as u32))
    }

    const fn second(self) -> u32 {
        (self.0.get() - 1) / 4
    }

    const fn span(self) -> i64 {
        match (self.0.get() - 1) % 4 {
            0 => 1,
            1 => 60,
            _ => 3600,
        }
    }
}

/// What a time of day leaves open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Open {
    Second,
    Minute,
    Hour,
}

/// One field of an hour column that stands beside a date column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hour {
    Blank,
    Unreadable,
    At(Clock),
    /// A bare integer: an hour, or hour and minute as in 1345; the whole column decides.
    Number(u16),
}

/// Which of two numbers before the year is the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    DayFirst,
    MonthFirst,
}

/// What a whole column says about the order of day and month.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Evidence {
    /// No field leaves it open.
    NotNeeded,
    /// This many fields can only be read this way, and at most one in a hundred only the other way.
    Decided(Order, u64),
    /// The first field that can be read both ways, in both readings, and why nothing decides.
    Undecided { example: String, day_first: String, month_first: String, why: String },
}

/// Whether a text is a date or a date with a time.
pub(crate) fn looks_like_date(text: &str) -> bool {
    matches!(Time::parse(text), Time::At(_))
}

impl Time {
    /// Takes a field apart.
    pub fn parse(text: &str) -> Self {
        let begins = text.as_bytes().first().is_some_and(u8::is_ascii_digit);
        if !begins && (is_blank(text) || text.eq_ignore_ascii_case("nat") || text.eq_ignore_ascii_case("nan"))
        {
            return Self::Blank;
        }
        date_text::stamp(trimmed(text)).map_or(Self::Unreadable, Self::At)
    }

    /// Takes apart a field that is a spreadsheet's number of days since 1900, as a CSV has it whose cells lost their format.
    pub fn of_serial(text: &str) -> Self {
        if is_blank(text) {
            return Self::Blank;
        }
        serial(text).map_or(Self::Unreadable, Self::At)
    }

    pub fn stamp(self) -> Option<Stamp> {
        if let Self::At(stamp) = self { Some(stamp) } else { None }
    }
}

impl Stamp {
    pub const fn has_clock(self) -> bool {
        self.clock.is_some()
    }

    pub const fn is_month(self) -> bool {
        matches!(self.date, Date::Month { .. })
    }

    pub const fn is_day_or_month_only(self) -> bool {
        self.clock.is_none()
    }

    pub const fn has_offset(self) -> bool {
        self.offset.is_some()
    }

    /// Whether a clock time is written and says midnight.
    pub fn is_midnight(self) -> bool {
        self.clock.is_some_and(|clock| clock.second() == 0)
    }

    /// The date alone.
    #[must_use]
    pub const fn without_clock(self) -> Self {
        Self { clock: None, offset: None, ..self }
    }

    /// The date with the time of an hour column.
    #[must_use]
    pub fn with_clock(self, clock: Option<Clock>) -> Self {
        if self.clock.is_none() && !self.is_month() { Self { clock, ..self } } else { self }
    }

    fn day(self, order: Order) -> (i16, u8, u8) {
        match (self.date, order) {
            (Date::Month { year, month }, _) => (year, month, 1),
            (Date::Day { year, month, day }, _) => (year, month, day),
            (Date::Either { first, second, year }, Order::DayFirst) => (year, second, first),
            (Date::Either { first, second, year }, Order::MonthFirst) => (year, first, second),
        }
    }

    /// The stretch of civil time meant; `None` if there is no such date. An instant with an offset is brought to
    /// the clocks of `zone`; without a zone the digits are kept as written.
    pub fn interval(self, order: Order, zone: Option<&TimeZone>) -> Option<Interval> {
        let (year, month, day) = self.day(order);
        let second = self.clock.map_or(0, Clock::second);
        let start = Civil::new(i32::from(year), month, day, second)?;
        if self.is_month() {
            return Some(Interval { start, end: start.next_month() });
        }
        let Some(clock) = self.clock else {
            return Some(Interval { start, end: Civil(start.0 + 86_400) });
        };
        let start = match (self.offset, zone) {
            (Some(offset), Some(zone)) => {
                let instant = start.0 - offset.minutes() * 60;
                let there = zone.to_offset(jiff::Timestamp::from_second(instant).ok()?);
                Civil(instant + i64::from(there.seconds()))
            }
            _ => start,
        };
        Some(Interval { start, end: Civil(start.0 + clock.span()) })
    }

    /// The date as it stands in the file, as far as it is still known.
    pub fn written(self) -> String {
        let date = match self.date {
            Date::Month { year, month } => format!("{year:04}-{month:02}"),
            Date::Day { year, month, day } => format!("{year:04}-{month:02}-{day:02}"),
            Date::Either { first, second, year } => format!("{first:02}/{second:02}/{year:04}"),
        };
        match self.clock {
            None => date,
            Some(clock) => {
                let second = clock.second();
                format!("{date} {:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60)
            }
        }
    }
}

impl Order {
    /// From the flag.
    pub fn parse(text: &str) -> Result<Self, IngestError> {
        match text.trim().to_ascii_lowercase().as_str() {
            "dmy" => Ok(Self::DayFirst),
            "mdy" => Ok(Self::MonthFirst),
            _ => Err(IngestError::OptionInvalid {
                flag: "--date-order",
                value: text.to_owned(),
                expected: "dmy or mdy".to_owned(),
            }),
        }
    }

    pub const fn name(self) -> &'static str {
        match self {
            Self::DayFirst => "day/month/year",
            Self::MonthFirst => "month/day/year",
        }
    }

    /// What all stamps of a column together say.
    pub fn decide(stamps: impl Iterator<Item = Stamp>) -> Evidence {
        let mut tally = StampTally::default();
        stamps.for_each(|stamp| tally.add(stamp));
        tally.order()
    }
}

/// What the stamps of a column are like, taken in one by one.
#[derive(Debug, Clone, Default)]
pub(crate) struct StampTally {
    /// Those that can only be read with the day, or the month, first.
    day_first: u64,
    month_first: u64,
    /// The first that can be read both ways.
    open: Option<Stamp>,
    /// Those with a time of day; of these, those at midnight and those with an offset.
    pub clocks: u64,
    pub midnights: u64,
    pub offsets: u64,
}

impl StampTally {
    /// Takes in one more.
    pub fn add(&mut self, stamp: Stamp) {
        self.clocks += u64::from(stamp.has_clock());
        self.midnights += u64::from(stamp.is_midnight());
        self.offsets += u64::from(stamp.has_offset());
        // Such a date exists in one of its readings at least; of two numbers up to twelve each may be the month.
        if let Date::Either { first, second, .. } = stamp.date {
            if first > 12 {
                self.day_first += 1;
            } else if second > 12 {
                self.month_first += 1;
            } else if first != second {
                self.open.get_or_insert(stamp);
            }
        }
    }

    /// What they say of the order of day and month.
    pub fn order(&self) -> Evidence {
        let (day_first, month_first) = (self.day_first, self.month_first);
        let (most, least, order) = if day_first >= month_first {
            (day_first, month_first, Order::DayFirst)
        } else {
            (month_first, day_first, Order::MonthFirst)
        };
        if most > 0 && least * 100 <= most {
            return Evidence::Decided(order, most);
        }
        let Some(stamp) = self.open else {
            // Nothing is open; if both orders occur, each of the fields still has one reading only.
            return if least == 0 { Evidence::NotNeeded } else { Evidence::Decided(order, most) };
        };
        let day = |order: Order| {
            let (year, month, day) = stamp.day(order);
            format!("{year:04}-{month:02}-{day:02}")
        };
        let why = if most == 0 {
            "no row of the column decides".to_owned()
        } else {
            format!(
                "the rows contradict each other: {day_first} can only be day first, {month_first} only month first"
            )
        };
        Evidence::Undecided {
            example: stamp.without_clock().written(),
            day_first: day(Order::DayFirst),
            month_first: day(Order::MonthFirst),
            why,
        }
    }
}

impl Hour {
    /// Takes a field apart: `21:30`, `21:30:00`, `9:30 PM`, `21`, `2130`, `21.0`.
    pub fn parse(text: &str) -> Self {
        let text = text.trim();
        if is_blank(text) {
            return Self::Blank;
        }
        let whole = text.strip_suffix(".0").unwrap_or(text);
        if whole.len() <= 4 && whole.bytes().all(|byte| byte.is_ascii_digit()) {
            return whole.parse().map_or(Self::Unreadable, Self::Number);
        }
        date_text::clock(text).map_or(Self::Unreadable, Self::At)
    }

    /// A bare number.
    pub const fn number(self) -> Option<u16> {
        if let Self::Number(number) = self { Some(number) } else { None }
    }

    /// The time of day; `military` says that bare numbers are hour and minute, 1345.
    pub fn clock(self, military: bool) -> Option<Clock> {
        match self {
            Self::Blank | Self::Unreadable => None,
            Self::At(clock) => Some(clock),
            Self::Number(number) => {
                let number = u32::from(number);
                let (hour, minute, open) = if military {
                    (number / 100, number % 100, Open::Minute)
                } else {
                    (number, 0, Open::Hour)
                };
                let valid = (hour < 24 && minute < 60) || (hour == 24 && minute == 0);
                valid.then_some(Clock::new(hour % 24 * 3600 + minute * 60, open))
            }
        }
    }
}

/// A first or last day from a flag: a month, a date, or a date and time.
pub(crate) fn limit(flag: &'static str, text: &str) -> Result<Interval, IngestError> {
    let stamp = Time::parse(text).stamp().filter(|stamp| !matches!(stamp.date, Date::Either { .. }));
    stamp.and_then(|stamp| stamp.interval(Order::DayFirst, None)).ok_or_else(|| IngestError::OptionInvalid {
        flag,
        value: text.to_owned(),
        expected: "a date such as 2019-12-31".to_owned(),
    })
}

/// The zone of the flag.
pub(crate) fn zone(text: &str) -> Result<TimeZone, IngestError> {
    TimeZone::get(text).map_err(|_| IngestError::OptionInvalid {
        flag: "--tz",
        value: text.to_owned(),
        expected: "a time zone such as America/Bogota".to_owned(),
    })
}

/// The serial numbers of 1950-01-01 and 2100-01-01, counted from 1900: what may be a date, and is no code or count.
pub(crate) const SERIAL_DAYS: std::ops::Range<f64> = 18_264.0..73_051.0;
/// The serial number of 1970-01-01.
const SERIAL_OF_1970: i64 = 25_569;

/// A serial number of a spreadsheet: days, and the time of day as their fraction, to the second.
fn serial(text: &str) -> Option<Stamp> {
    let days = in_either_notation(text).filter(|days| SERIAL_DAYS.contains(days))?;
    let seconds = (days * 86_400.0).round() as i64;
    let at = Civil(seconds - SERIAL_OF_1970 * 86_400);
    let (year, month, day) = at.date();
    let second = at.second_of_day();
    let open = if second.is_multiple_of(60) { Open::Minute } else { Open::Second };
    Some(Stamp {
        date: Date::Day { year: i16::try_from(year).ok()?, month, day },
        clock: (days.fract() != 0.0).then_some(Clock::new(second, open)),
        offset: None,
    })
}

/// Whether a text is such a number.
pub(crate) fn is_serial(text: &str) -> bool {
    serial(text).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, order: Order) -> Option<String> {
        let interval = Time::parse(text).stamp()?.interval(order, None)?;
        Some(format!("{} +{}", interval.start, interval.end.0 - interval.start.0))
    }

    #[test]
    fn dates_are_read_to_the_precision_they_are_written_with() {
        for (text, expected) in [
            ("2019-04-23T12:30:00Z", "2019-04-23T12:30:00 +1"),
            ("2019-04-23T12:30:00.123-05:00", "2019-04-23T12:30:00 +1"),
            ("2010-01-01 00:05", "2010-01-01T00:05:00 +60"),
            ("2019/01/01 01:30:00+00", "2019-01-01T01:30:00 +1"),
            ("2019-04-23", "2019-04-23T00:00:00 +86400"),
            ("2019.4.3", "2019-04-03T00:00:00 +86400"),
            ("20190423", "2019-04-23T00:00:00 +86400"),
            ("2018-12", "2018-12-01T00:00:00 +2678400"),
            ("31/12/2019", "2019-12-31T00:00:00 +86400"),
            ("31-12-2019 23:59", "2019-12-31T23:59:00 +60"),
            ("31.12.19", "2019-12-31T00:00:00 +86400"),
            ("12/11/2020 11:45:00 PM", "2020-11-12T23:45:00 +1"),
            ("12/11/2020 12:05 a. m.", "2020-11-12T00:05:00 +60"),
            ("12/11/2020 12:05\u{a0}p.\u{a0}m.", "2020-11-12T12:05:00 +60"),
            ("03-ene-2020", "2020-01-03T00:00:00 +86400"),
            ("3 Feb 2020", "2020-02-03T00:00:00 +86400"),
            ("2019-12-31 24:00", "2020-01-01T00:00:00 +60"),
        ] {
            assert_eq!(read(text, Order::DayFirst).as_deref(), Some(expected), "{text}");
        }
        assert_eq!(read("12/11/2020", Order::MonthFirst).unwrap(), "2020-12-11T00:00:00 +86400");
        assert_eq!(read("31/12/2020", Order::MonthFirst), None, "there is no month 31");
    }

    #[test]
    fn what_is_no_date_is_unreadable_and_what_is_nothing_is_blank() {
        for text in [
            "hello",
            "2019-13-01",
            "2019-02-30",
            "32/01/2019",
            "13/13/2019",
            "2019",
            "january",
            "3286.00570601852",
            "5",
            "2019-01-01 25:00",
            "2019-01-01 10:61",
            "2019-01-01T",
            "10:30",
            "2019-01-01 21",
            "2018-10 10:00",
            "61-02-17x",
        ] {
            assert_eq!(Time::parse(text), Time::Unreadable, "{text}");
        }
        for text in ["", "  ", "NULL", "NaT", "n/a"] {
            assert_eq!(Time::parse(text), Time::Blank, "{text}");
        }
    }

    #[test]
    fn an_instant_is_brought_to_the_clocks_of_the_zone() {
        let bogota = zone("America/Bogota").unwrap();
        let stamp = Time::parse("2019-04-23T02:30:00Z").stamp().unwrap();
        let interval = stamp.interval(Order::DayFirst, Some(&bogota)).unwrap();
        assert_eq!(interval.start.to_string(), "2019-04-22T21:30:00");
        let civil = Time::parse("2019-04-23T02:30:00").stamp().unwrap();
        assert_eq!(
            civil.interval(Order::DayFirst, Some(&bogota)).unwrap().start.to_string(),
            "2019-04-23T02:30:00"
        );
        assert!(zone("America/Bogotá").is_err());
    }

    #[test]
    fn serial_numbers_of_a_spreadsheet_are_days() {
        let read = |text: &str| {
            let interval = Time::of_serial(text).stamp()?.interval(Order::DayFirst, None)?;
            Some(format!("{} +{}", interval.start, interval.end.0 - interval.start.0))
        };
        assert_eq!(read("43831").as_deref(), Some("2020-01-01T00:00:00 +86400"));
        assert_eq!(read("43831.90625").as_deref(), Some("2020-01-01T21:45:00 +60"));
        assert_eq!(read("43831,5").as_deref(), Some("2020-01-01T12:00:00 +60"));
        assert_eq!(read("43831.99999999").as_deref(), Some("2020-01-02T00:00:00 +60"));
        for none in ["5", "20190423", "-43831", "2020-01-01", "nan"] {
            assert_eq!(read(none), None, "{none}");
        }
        assert_eq!(Time::of_serial(" "), Time::Blank);
    }

    fn decide(texts: &[&str]) -> Evidence {
        Order::decide(texts.iter().filter_map(|text| Time::parse(text).stamp()))
    }

    #[test]
    fn the_whole_column_decides_the_order() {
        assert_eq!(decide(&["01/02/2019", "13/02/2019"]), Evidence::Decided(Order::DayFirst, 1));
        assert_eq!(decide(&["01/02/2019", "02/13/2019"]), Evidence::Decided(Order::MonthFirst, 1));
        assert_eq!(decide(&["2019-01-02", "05/05/2019"]), Evidence::NotNeeded);
        assert!(matches!(decide(&["01/02/2019", "03/04/2019"]), Evidence::Undecided { .. }));
        assert!(matches!(decide(&["01/02/2019", "13/02/2019", "02/13/2019"]), Evidence::Undecided { .. }));
        let Evidence::Undecided { day_first, month_first, .. } = decide(&["01/02/2019"]) else {
            panic!("decided")
        };
        assert_eq!((day_first.as_str(), month_first.as_str()), ("2019-02-01", "2019-01-02"));
    }

    #[test]
    fn hours_are_read_as_clock_hour_or_military_time() {
        let clock = |text: &str, military| {
            Hour::parse(text).clock(military).map(|clock| (clock.second(), clock.span()))
        };
        assert_eq!(clock("21:30", false), Some((77_400, 60)));
        assert_eq!(clock("21:30:05", false), Some((77_405, 1)));
        assert_eq!(clock("9:30 PM", false), Some((77_400, 60)));
        assert_eq!(clock("21", false), Some((75_600, 3600)));
        assert_eq!(clock("21.0", false), Some((75_600, 3600)));
        assert_eq!(clock("24", false), Some((0, 3600)));
        assert_eq!(clock("14h30", false), Some((52_200, 60)));
        assert_eq!(clock("14h30min", false), Some((52_200, 60)));
        assert_eq!(clock("14h75", false), None);
        assert_eq!(clock("25", false), None);
        assert_eq!(clock("2130", true), Some((77_400, 60)));
        assert_eq!(clock("5", true), Some((300, 60)));
        assert_eq!(clock("MAÑANA", false), None);
    }

    #[test]
    fn a_time_takes_few_bytes() {
        assert_eq!(size_of::<Time>(), 12);
    }

    #[test]
    fn a_limit_is_an_iso_date() {
        assert_eq!(limit("--until", "2019-12-31").unwrap().end.to_string(), "2020-01-01T00:00:00");
        assert_eq!(limit("--until", "2019-12").unwrap().end.to_string(), "2020-01-01T00:00:00");
        assert!(limit("--until", "31/12/2019").is_err());
    }

    proptest::proptest! {
        #[test]
        fn reading_a_date_never_panics(text in ".*") {
            let _ = Time::parse(&text);
            let _ = Hour::parse(&text);
        }

        #[test]
        fn what_is_written_is_read_back(year in 1_i32..=9999, month in 1_u8..=12, day in 1_u8..=28, second in 0_u32..86_400) {
            let civil = Civil::new(year, month, day, second).unwrap();
            let stamp = Time::parse(&civil.to_string()).stamp().unwrap();
            proptest::prop_assert_eq!(stamp.interval(Order::DayFirst, None).unwrap().start, civil);
        }
    }
}
