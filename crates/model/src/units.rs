//! Quantities that carry their unit and are checked once, where text becomes a value.

use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// Why a text is not a quantity.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum UnitError {
    /// The number has no unit.
    #[error("\"{0}\" has no unit; write a length such as 500m, 0.5km or 1640ft")]
    Bare(String),
    /// The unit is not one we know.
    #[error("\"{0}\" has an unknown unit \"{1}\"; lengths are in m, km, ft or mi")]
    Unknown(String, String),
    /// There is no number in the text.
    #[error("\"{0}\" is not a length; write one such as 500m, 0.5km or 1640ft")]
    NotANumber(String),
    /// The number cannot be a length.
    #[error("\"{0}\" is not allowed: a length must be finite and greater than 0 m")]
    OutOfRange(String),
}

/// A length in metres: finite and greater than zero, by construction.
///
/// Written with its unit (`500m`, `0.5km`, `1640ft`, `0.3mi`) at every door: flag, pipeline file, Python.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Metres(f64);

impl Metres {
    /// A length, if `value` is finite and greater than zero.
    pub fn new(value: f64) -> Result<Self, UnitError> {
        if value.is_finite() && value > 0.0 {
            Ok(Self(value))
        } else {
            Err(UnitError::OutOfRange(format!("{value}m")))
        }
    }

    /// The number of metres.
    pub const fn get(self) -> f64 {
        self.0
    }

    /// The nearest round length at or above this one.
    #[must_use]
    pub fn round_up(self) -> Self {
        let power = self.power_of_ten();
        Self(ROUND.iter().map(|step| step * power).find(|&step| step >= self.0).unwrap_or(self.0))
    }

    /// The nearest round length at or below this one.
    #[must_use]
    pub fn round_down(self) -> Self {
        let power = self.power_of_ten();
        Self(ROUND.iter().rev().map(|step| step * power).find(|&step| step <= self.0).unwrap_or(self.0))
    }

    /// The largest power of ten (from a millimetre up) that is at most this length.
    fn power_of_ten(self) -> f64 {
        const POWERS: [f64; 13] = [1e-3, 1e-2, 1e-1, 1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9];
        POWERS.into_iter().rev().find(|&power| power <= self.0).unwrap_or(1e-3)
    }
}

/// Lengths people choose, between one power of ten and the next.
const ROUND: [f64; 10] = [1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 7.5, 10.0];

impl FromStr for Metres {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        let trimmed = text.trim();
        let (number, unit) = split_unit(trimmed);
        let value: f64 = number.parse().map_err(|_| UnitError::NotANumber(trimmed.to_owned()))?;
        let factor = match unit.to_ascii_lowercase().as_str() {
            "m" => 1.0,
            "km" => 1000.0,
            "ft" => 0.3048,
            "mi" => 1609.344,
            "" if value.is_nan() => return Err(UnitError::OutOfRange(trimmed.to_owned())),
            "" => return Err(UnitError::Bare(trimmed.to_owned())),
            other => return Err(UnitError::Unknown(trimmed.to_owned(), other.to_owned())),
        };
        Self::new(value * factor).map_err(|_| UnitError::OutOfRange(trimmed.to_owned()))
    }
}

/// Splits `1.5e2km` into `1.5e2` and `km`: the longest prefix that is a number, so that `NaN` stays a number.
fn split_unit(text: &str) -> (&str, &str) {
    let boundaries = text.char_indices().map(|(at, _)| at).chain([text.len()]).rev();
    for at in boundaries {
        let (number, unit) = text.split_at(at);
        if number.trim_end().parse::<f64>().is_ok() {
            return (number.trim_end(), unit.trim());
        }
    }
    ("", text)
}

impl TryFrom<String> for Metres {
    type Error = UnitError;

    fn try_from(text: String) -> Result<Self, UnitError> {
        text.parse()
    }
}

impl From<Metres> for String {
    fn from(length: Metres) -> Self {
        format!("{}m", length.0)
    }
}

impl fmt::Display for Metres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} m", self.0)
    }
}

impl JsonSchema for Metres {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Length".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "title": "LENGTH", "examples": ["500m", "0.5km", "1640ft"] })
    }
}

/// Why a text is not a duration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SpanError {
    /// The number has no unit.
    #[error("\"{0}\" has no unit; write a duration such as 14d, 8h or 90min")]
    Bare(String),
    /// The unit is not one we know; `m` could be minutes, months or metres.
    #[error("\"{0}\" has an unknown unit \"{1}\"; durations are in s, min, h, d or w")]
    Unknown(String, String),
    /// There is no number in the text.
    #[error("\"{0}\" is not a duration; write one such as 14d, 8h or 90min")]
    NotANumber(String),
    /// The number cannot be a duration.
    #[error(
        "\"{0}\" is not allowed: a duration must be a whole number of seconds, greater than 0 and at most {MOST_DAYS} d"
    )]
    OutOfRange(String),
}

/// Ten thousand years: as far as dates go.
const MOST_DAYS: i64 = 3_652_425;

/// A duration in whole seconds, as civil time is: greater than zero, by construction. A day is 24 hours; months and years have
/// no one length and are no units.
///
/// Written with its unit (`14d`, `8h`, `90min`, `30s`, `2w`) at every door.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Span(i64);

impl Span {
    /// A duration, if `seconds` is greater than zero and no longer than dates go.
    pub fn new(seconds: i64) -> Result<Self, SpanError> {
        if (1..=MOST_DAYS * 86_400).contains(&seconds) {
            Ok(Self(seconds))
        } else {
            Err(SpanError::OutOfRange(format!("{seconds}s")))
        }
    }

    /// The number of seconds.
    pub const fn seconds(self) -> i64 {
        self.0
    }

    /// The number of days of 24 hours.
    pub fn days(self) -> f64 {
        self.0 as f64 / 86_400.0
    }

    /// The longest of day, hour, minute and second that fits into it a whole number of times, in seconds.
    pub const fn unit(self) -> i64 {
        match self.0 {
            seconds if seconds % 86_400 == 0 => 86_400,
            seconds if seconds % 3600 == 0 => 3600,
            seconds if seconds % 60 == 0 => 60,
            _ => 1,
        }
    }

    /// The longest whole number of days, else of hours, else of minutes, else of seconds, at or below this one.
    #[must_use]
    pub fn round_down(self) -> Self {
        let unit = [86_400, 3600, 60].into_iter().find(|unit| self.0 >= *unit).unwrap_or(1);
        Self(self.0 / unit * unit)
    }
}

impl FromStr for Span {
    type Err = SpanError;

    fn from_str(text: &str) -> Result<Self, SpanError> {
        let trimmed = text.trim();
        let (number, unit) = split_unit(trimmed);
        let value: f64 = number.parse().map_err(|_| SpanError::NotANumber(trimmed.to_owned()))?;
        let factor = match unit.to_ascii_lowercase().as_str() {
            "s" => 1.0,
            "min" => 60.0,
            "h" => 3600.0,
            "d" => 86_400.0,
            "w" => 604_800.0,
            "" if value.is_nan() => return Err(SpanError::OutOfRange(trimmed.to_owned())),
            "" => return Err(SpanError::Bare(trimmed.to_owned())),
            other => return Err(SpanError::Unknown(trimmed.to_owned(), other.to_owned())),
        };
        let seconds = value * factor;
        // 1.1 h is 3960.0000000000005 s: what is whole but for the last digits is whole.
        let whole = (seconds - seconds.round()).abs() <= 1e-9 * seconds.abs();
        let refused = || SpanError::OutOfRange(trimmed.to_owned());
        if whole { Self::new(seconds.round() as i64).map_err(|_| refused()) } else { Err(refused()) }
    }
}

impl TryFrom<String> for Span {
    type Error = SpanError;

    fn try_from(text: String) -> Result<Self, SpanError> {
        text.parse()
    }
}

impl From<Span> for String {
    fn from(span: Span) -> Self {
        let unit = match span.unit() {
            86_400 => "d",
            3600 => "h",
            60 => "min",
            _ => "s",
        };
        format!("{}{unit}", span.0 / span.unit())
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = String::from(*self);
        let (number, unit) = split_unit(&text);
        write!(f, "{number} {unit}")
    }
}

impl JsonSchema for Span {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Span".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "title": "SPAN", "examples": ["14d", "8h", "90min"] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_reads_its_units_and_is_written_in_the_longest() {
        for (text, seconds, written) in [
            ("14d", 1_209_600, "14d"),
            ("2w", 1_209_600, "14d"),
            ("8 h", 28_800, "8h"),
            ("1.5d", 129_600, "36h"),
            ("1.1h", 3960, "66min"),
            ("90MIN", 5400, "90min"),
            ("61s", 61, "61s"),
        ] {
            let span: Span = text.parse().unwrap();
            assert_eq!((span.seconds(), String::from(span).as_str()), (seconds, written), "{text}");
            assert_eq!(String::from(span).parse::<Span>().unwrap(), span);
        }
        assert_eq!("36h".parse::<Span>().unwrap().round_down().to_string(), "1 d");
        assert_eq!("90min".parse::<Span>().unwrap().round_down().to_string(), "1 h");
    }

    #[test]
    fn a_duration_refuses_what_is_not_one() {
        for text in ["0d", "-1d", "NaN", "nand", "infd", "1e99d", "0.5s", "0.00001d"] {
            assert!(matches!(text.parse::<Span>(), Err(SpanError::OutOfRange(_))), "{text}");
        }
        assert!(matches!("14".parse::<Span>(), Err(SpanError::Bare(_))));
        assert!(matches!("14m".parse::<Span>(), Err(SpanError::Unknown(_, _))));
        assert!(matches!("2 meses".parse::<Span>(), Err(SpanError::Unknown(_, _))));
        assert!(matches!("".parse::<Span>(), Err(SpanError::NotANumber(_))));
        assert!(serde_json::from_str::<Span>("14").is_err());
    }

    #[test]
    fn a_length_reads_its_units() {
        for (text, metres) in
            [("500m", 500.0), ("0.5km", 500.0), ("1640 ft", 499.872), ("1e2m", 100.0), ("1mi", 1609.344)]
        {
            assert_eq!(text.parse::<Metres>().unwrap().get(), metres, "{text}");
        }
    }

    #[test]
    fn a_length_refuses_what_is_not_one() {
        assert!(matches!("500".parse::<Metres>(), Err(UnitError::Bare(_))));
        assert!(matches!("-5m".parse::<Metres>(), Err(UnitError::OutOfRange(_))));
        assert!(matches!("0m".parse::<Metres>(), Err(UnitError::OutOfRange(_))));
        assert!(matches!("NaN".parse::<Metres>(), Err(UnitError::OutOfRange(_))));
        assert!(matches!("nanm".parse::<Metres>(), Err(UnitError::OutOfRange(_))));
        assert!(matches!("infm".parse::<Metres>(), Err(UnitError::OutOfRange(_))));
        assert!(matches!("1e999km".parse::<Metres>(), Err(UnitError::OutOfRange(_))));
        assert!(matches!("5 leguas".parse::<Metres>(), Err(UnitError::Unknown(_, _))));
        assert!(matches!("".parse::<Metres>(), Err(UnitError::NotANumber(_))));
        assert!(matches!("m".parse::<Metres>(), Err(UnitError::NotANumber(_))));
    }

    #[test]
    fn round_lengths_are_those_people_choose() {
        let round = |value: f64| {
            let length = Metres::new(value).unwrap();
            (length.round_down().get(), length.round_up().get())
        };
        assert_eq!(round(137.0), (100.0, 150.0));
        assert_eq!(round(250.0), (250.0, 250.0));
        assert_eq!(round(999.0), (750.0, 1000.0));
        assert_eq!(round(1000.0), (1000.0, 1000.0));
    }

    #[test]
    fn a_length_survives_being_written_and_read() {
        let length = Metres::new(499.872).unwrap();
        let text = serde_json::to_string(&length).unwrap();
        assert_eq!(text, "\"499.872m\"");
        assert_eq!(serde_json::from_str::<Metres>(&text).unwrap(), length);
        assert!(serde_json::from_str::<Metres>("500").is_err());
    }
}
