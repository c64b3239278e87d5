//! The text of a date, of a time of day or of both, taken apart.

use brasa_model::Civil;
use jiff::civil::{DateTime, date};

use crate::dates::{Clock, Date, Offset, Open, Stamp};

/// A date, and perhaps a clock time and an offset; `None` when the text is anything else.
pub(crate) fn stamp(text: &str) -> Option<Stamp> {
    usual(text.as_bytes()).or_else(|| Scanner { rest: text.as_bytes() }.stamp())
}

/// A time of day and nothing else.
pub(crate) fn clock(text: &str) -> Option<Clock> {
    let mut scanner = Scanner { rest: text.as_bytes() };
    scanner.clock().filter(|_| scanner.rest.is_empty())
}

/// What times in numbers are counted from.
pub(crate) const EPOCH: DateTime = date(1970, 1, 1).at(0, 0, 0, 0);

/// A time in numbers as text, with a Z if it is an instant.
pub(crate) fn moment(value: i64, per_second: i64, utc: bool) -> String {
    let nanos = value.rem_euclid(per_second) * (1_000_000_000 / per_second);
    let since = jiff::SignedDuration::new(value.div_euclid(per_second), nanos as i32);
    let mark = if utc { "Z" } else { "" };
    EPOCH.checked_add(since).map_or_else(|_| value.to_string(), |at| format!("{at}{mark}"))
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
    valid.then_some(Stamp { date, clock: Some(Clock::new(second, Open::Second)), offset: None })
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
        let (mut minute, mut second, mut open) = (0, 0, Open::Hour);
        // "14h30", as it is written in Brazil.
        if (self.eat(b'h') || self.eat(b'H')) && self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            minute = u32::from(self.two_digits()?);
            open = Open::Minute;
            let _ = self.eat(b'm') || self.eat(b'M');
            let _ = self.eat(b'i') && self.eat(b'n');
        } else if self.eat(b':') {
            minute = u32::from(self.two_digits()?);
            open = Open::Minute;
            if self.eat(b':') {
                second = u32::from(self.two_digits()?);
                open = Open::Second;
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
            None if open == Open::Hour => return None,
            None => hour,
        };
        // A leap second is kept inside its minute.
        let second = if second == 60 { 59 } else { second };
        let valid = minute < 60 && second < 60 && (hour < 24 || (hour == 24 && minute == 0 && second == 0));
        valid.then_some(Clock::new(hour * 3600 + minute * 60 + second, open))
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
    fn offset(&mut self) -> Option<Option<Offset>> {
        if self.rest.is_empty() {
            return Some(None);
        }
        self.spaces();
        for word in [b"Z".as_slice(), b"z", b"UTC", b"GMT"] {
            if self.rest == word {
                self.rest = &[];
                return Some(Offset::new(0));
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
        (hours <= 15 && minutes < 60).then(|| Offset::new(sign * (hours * 60 + minutes) as i16))
    }
}

/// A date that exists.
fn real(year: i16, month: u8, day: u8) -> Option<Date> {
    Civil::new(i32::from(year), month, day, 0).map(|_| Date::Day { year, month, day })
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn the_usual_forms_are_read_as_the_scanner_reads_them(text in "[0-3][0-9][-/0-9][0-9][-/0-9][-/0-9][0-9][-/0-9][0-9]{2}[ T][0-2][0-9]:[0-6][0-9]:[0-6][0-9]") {
            if let Some(stamp) = usual(text.as_bytes()) {
                proptest::prop_assert_eq!(Some(stamp), Scanner { rest: text.as_bytes() }.stamp());
            }
        }
    }
}
