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

#[cfg(test)]
mod tests {
    use super::*;

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
