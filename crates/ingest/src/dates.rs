//! Dates and times as people write them, to the precision they write them with.
//!
//! A field is first taken apart into a [`Stamp`]; `03/04/2019` stays undecided there. When the whole column has
//! been read, [`Order::decide`] looks at all stamps at once and [`Stamp::interval`] turns each into civil time.

use brasa_model::{Civil, Interval};
use jiff::tz::TimeZone;

use crate::IngestError;
use crate::numbers::{in_either_notation, is_blank};

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
    date: Date,
    clock: Option<Clock>,
    /// Minutes east of UTC.
    offset: Option<i16>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Date {
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

/// A time of day, and how many seconds it leaves open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Clock {
    second: u32,
    span: u16,
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
        let bytes = text.trim().as_bytes();
        usual(bytes).or_else(|| Scanner { rest: bytes }.stamp()).map_or(Self::Unreadable, Self::At)
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
        self.clock.is_some_and(|clock| clock.second == 0)
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
        let second = self.clock.map_or(0, |clock| clock.second);
        let start = Civil::new(i32::from(year), month, day, second)?;
        if self.is_month() {
            return Some(Interval { start, end: start.next_month() });
        }
        let Some(clock) = self.clock else {
            return Some(Interval { start, end: Civil(start.0 + 86_400) });
        };
        let start = match (self.offset, zone) {
            (Some(offset), Some(zone)) => {
                let instant = start.0 - i64::from(offset) * 60;
                let there = zone.to_offset(jiff::Timestamp::from_second(instant).ok()?);
                Civil(instant + i64::from(there.seconds()))
            }
            _ => start,
        };
        Some(Interval { start, end: Civil(start.0 + i64::from(clock.span)) })
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
                let second = clock.second;
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
        let mut scanner = Scanner { rest: text.as_bytes() };
        match scanner.clock() {
            Some(clock) if scanner.rest.is_empty() => Self::At(clock),
            _ => Self::Unreadable,
        }
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
                let (hour, minute, span) =
                    if military { (number / 100, number % 100, 60) } else { (number, 0, 3600) };
                let valid = (hour < 24 && minute < 60) || (hour == 24 && minute == 0);
                valid.then_some(Clock { second: hour % 24 * 3600 + minute * 60, span })
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

/// Months by their first three letters in Spanish, Portuguese and English.
const MONTHS: [(&str, u8); 21] = [
    ("jan", 1),
    ("ene", 1),
    ("feb", 2),
    ("fev", 2),
    ("mar", 3),
    ("apr", 4),
    ("abr", 4),
    ("may", 5),
    ("mai", 5),
    ("jun", 6),
    ("jul", 7),
    ("aug", 8),
    ("ago", 8),
    ("sep", 9),
    ("set", 9),
    ("oct", 10),
    ("out", 10),
    ("nov", 11),
    ("dec", 12),
    ("dic", 12),
    ("dez", 12),
];

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
    let span = if second.is_multiple_of(60) { 60 } else { 1 };
    Some(Stamp {
        date: Date::Day { year: i16::try_from(year).ok()?, month, day },
        clock: (days.fract() != 0.0).then_some(Clock { second, span }),
        offset: None,
    })
}

/// Whether a text is such a number.
pub(crate) fn is_serial(text: &str) -> bool {
    serial(text).is_some()
}

/// The two forms that most exports have, `2019-04-23 12:30:05` and `04/23/2019 12:30:05`, read at their places; `None` for all
/// else, which the [`Scanner`] reads as it would have read these.
fn usual(bytes: &[u8]) -> Option<Stamp> {
    let bytes: &[u8; 19] = bytes.try_into().ok()?;
    let digit = |at: usize| bytes[at].is_ascii_digit().then(|| bytes[at] - b'0');
    let two = |at: usize| Some(10 * digit(at)? + digit(at + 1)?);
    let year = |at: usize| Some(100 * i16::from(two(at)?) + i16::from(two(at + 2)?));
    if bytes[13] != b':' || bytes[16] != b':' || !matches!(bytes[10], b' ' | b'T') {
        return None;
    }
    let date = match (bytes[4], bytes[2]) {
        (b'-', _) if bytes[7] == b'-' => real(year(0)?, two(5)?, two(8)?)?,
        (_, b'/') if bytes[5] == b'/' => {
            let (first, second, year) = (two(0)?, two(3)?, year(6)?);
            real(year, second, first).or_else(|| real(year, first, second))?;
            Date::Either { first, second, year }
        }
        _ => return None,
    };
    let (hour, minute, second) = (two(11)?, two(14)?, two(17)?);
    let second = u32::from(hour) * 3600 + u32::from(minute) * 60 + u32::from(second.min(59));
    let valid = hour < 24 && minute < 60 && two(17)? <= 60;
    valid.then_some(Stamp { date, clock: Some(Clock { second, span: 1 }), offset: None })
}

/// Reads a date from the left; every step answers `None` when the text is something else.
struct Scanner<'a> {
    rest: &'a [u8],
}

impl Scanner<'_> {
    fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        if found {
            self.rest = &self.rest[1..];
        }
        found
    }

    fn spaces(&mut self) -> bool {
        let before = self.rest.len();
        loop {
            // A no-break space, as Spanish spreadsheets put before "p. m.", is C2 A0 or E2 80 AF.
            if let Some(rest) =
                self.rest.strip_prefix(b"\xc2\xa0").or(self.rest.strip_prefix(b"\xe2\x80\xaf"))
            {
                self.rest = rest;
            } else if !self.eat(b' ') {
                return self.rest.len() < before;
            }
        }
    }

    /// Digits and how many there were; none beyond nine.
    fn digits(&mut self) -> Option<(u32, usize)> {
        let count = self.rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if count == 0 || count > 9 {
            return None;
        }
        let value = self.rest[..count].iter().fold(0, |value, &byte| value * 10 + u32::from(byte - b'0'));
        self.rest = &self.rest[count..];
        Some((value, count))
    }

    fn two_digits(&mut self) -> Option<u8> {
        let (value, count) = self.digits()?;
        (count <= 2).then_some(value as u8)
    }

    fn month_name(&mut self) -> Option<u8> {
        let count = self.rest.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
        let word = &self.rest[..count];
        let (_, month) = MONTHS
            .iter()
            .find(|(name, _)| word.get(..3).is_some_and(|w| w.eq_ignore_ascii_case(name.as_bytes())))?;
        self.rest = &self.rest[count..];
        self.eat(b'.');
        Some(*month)
    }

    fn stamp(&mut self) -> Option<Stamp> {
        let date = self.date()?;
        if self.rest.is_empty() {
            return Some(Stamp { date, clock: None, offset: None });
        }
        if matches!(date, Date::Month { .. }) {
            return None;
        }
        self.eat(b',');
        if !self.eat(b'T') {
            self.spaces().then_some(())?;
        }
        let clock = self.clock()?;
        let offset = self.offset()?;
        self.rest.is_empty().then_some(Stamp { date, clock: Some(clock), offset })
    }

    fn date(&mut self) -> Option<Date> {
        let (number, count) = self.digits()?;
        if count == 8 {
            let (year, month, day) =
                ((number / 10_000) as i16, (number / 100 % 100) as u8, (number % 100) as u8);
            return real(year, month, day);
        }
        let separator = self.peek();
        if let Some(separator @ (b'-' | b'/' | b'.' | b' ')) = separator {
            self.eat(separator);
            if count == 4 {
                let year = number as i16;
                let month = match self.two_digits() {
                    Some(month) => month,
                    None => self.month_name()?,
                };
                if self.rest.is_empty() {
                    return (1..=12).contains(&month).then_some(Date::Month { year, month });
                }
                if !self.eat(separator) {
                    return None;
                }
                let day = self.two_digits()?;
                return real(year, month, day);
            }
            if count > 2 {
                return None;
            }
            let first = number as u8;
            if let Some(month) = self.month_name() {
                self.eat(separator);
                return real(self.year()?, month, first);
            }
            let second = self.two_digits()?;
            if !self.eat(separator) || separator == b' ' {
                return None;
            }
            let year = self.year()?;
            return real(year, second, first).or_else(|| real(year, first, second)).map(|_| Date::Either {
                first,
                second,
                year,
            });
        }
        None
    }

    /// Four digits, or two, which mean 1969 to 2068.
    fn year(&mut self) -> Option<i16> {
        match self.digits()? {
            (year, 4) => Some(year as i16),
            (year @ 69..=99, 2) => Some(1900 + year as i16),
            (year, 2) => Some(2000 + year as i16),
            _ => None,
        }
    }

    fn clock(&mut self) -> Option<Clock> {
        let hour = u32::from(self.two_digits()?);
        let (mut minute, mut second, mut span) = (0, 0, 3600);
        // "14h30", as it is written in Brazil.
        if (self.eat(b'h') || self.eat(b'H')) && self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            minute = u32::from(self.two_digits()?);
            span = 60;
            let _ = self.eat(b'm') || self.eat(b'M');
            let _ = self.eat(b'i') && self.eat(b'n');
        } else if self.eat(b':') {
            minute = u32::from(self.two_digits()?);
            span = 60;
            if self.eat(b':') {
                second = u32::from(self.two_digits()?);
                span = 1;
                if self.eat(b'.') || self.eat(b',') {
                    let fraction = self.rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
                    self.rest = &self.rest[fraction..];
                }
            }
        }
        let hour = match self.half_of_day() {
            Some(after_noon) if (1..=12).contains(&hour) => hour % 12 + if after_noon { 12 } else { 0 },
            Some(_) => return None,
            // A bare "21" after a date is an hour only if it says so.
            None if span == 3600 => return None,
            None => hour,
        };
        // A leap second is kept inside its minute.
        let second = if second == 60 { 59 } else { second };
        let valid = minute < 60 && second < 60 && (hour < 24 || (hour == 24 && minute == 0 && second == 0));
        valid.then_some(Clock { second: hour * 3600 + minute * 60 + second, span })
    }

    /// AM or PM in the ways people write it: `PM`, `pm`, `p.m.`, `p. m.`; true after noon.
    fn half_of_day(&mut self) -> Option<bool> {
        let before = self.rest;
        self.spaces();
        let after_noon = match self.peek().map(|byte| byte.to_ascii_lowercase()) {
            Some(b'a') => false,
            Some(b'p') => true,
            _ => {
                self.rest = before;
                return None;
            }
        };
        self.rest = &self.rest[1..];
        self.eat(b'.');
        self.spaces();
        if !(self.eat(b'm') || self.eat(b'M')) {
            self.rest = before;
            return None;
        }
        self.eat(b'.');
        Some(after_noon)
    }

    /// `Z`, `UTC`, `+02:00`, `-0500`, `+00`, or nothing. The outer `None` means something else stands there.
    #[expect(clippy::option_option, reason = "no offset and no reading are two answers")]
    fn offset(&mut self) -> Option<Option<i16>> {
        if self.rest.is_empty() {
            return Some(None);
        }
        self.spaces();
        for word in [b"Z".as_slice(), b"z", b"UTC", b"GMT"] {
            if self.rest == word {
                self.rest = &[];
                return Some(Some(0));
            }
        }
        let sign = match self.peek()? {
            b'+' => 1,
            b'-' => -1,
            _ => return None,
        };
        self.rest = &self.rest[1..];
        let (number, count) = self.digits()?;
        let (hours, minutes) = match count {
            4 => (number / 100, number % 100),
            1 | 2 if self.eat(b':') => (number, u32::from(self.two_digits()?)),
            1 | 2 => (number, 0),
            _ => return None,
        };
        (hours <= 15 && minutes < 60).then_some(Some(sign * (hours * 60 + minutes) as i16))
    }
}

/// A date that exists.
fn real(year: i16, month: u8, day: u8) -> Option<Date> {
    Civil::new(i32::from(year), month, day, 0).map(|_| Date::Day { year, month, day })
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
        let clock =
            |text: &str, military| Hour::parse(text).clock(military).map(|clock| (clock.second, clock.span));
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
        fn the_usual_forms_are_read_as_the_scanner_reads_them(text in "[0-3][0-9][-/0-9][0-9][-/0-9][-/0-9][0-9][-/0-9][0-9]{2}[ T][0-2][0-9]:[0-6][0-9]:[0-6][0-9]") {
            if let Some(stamp) = usual(text.as_bytes()) {
                proptest::prop_assert_eq!(Some(stamp), Scanner { rest: text.as_bytes() }.stamp());
            }
        }

        #[test]
        fn what_is_written_is_read_back(year in 1_i32..=9999, month in 1_u8..=12, day in 1_u8..=28, second in 0_u32..86_400) {
            let civil = Civil::new(year, month, day, second).unwrap();
            let stamp = Time::parse(&civil.to_string()).stamp().unwrap();
            proptest::prop_assert_eq!(stamp.interval(Order::DayFirst, None).unwrap().start, civil);
        }
    }
}
