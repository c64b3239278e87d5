//! Settings that several plans have.

use std::fmt;
use std::str::FromStr;

use brasa_model::{Metres, as_text, as_word};
use serde::{Deserialize, Serialize};

/// A share from 0 to 1, written `0.3` or `30%`.
#[derive(Debug, Clone, Copy, Default, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Share(f64);

impl Share {
    /// A share, if it is one.
    pub fn new(value: f64) -> Result<Self, String> {
        if (0.0..=1.0).contains(&value) {
            Ok(Self(value))
        } else {
            Err(format!("\"{value}\" is no share from 0 to 1, such as 0.3 or 30%"))
        }
    }

    /// It, as a share of 1.
    pub const fn get(self) -> f64 {
        self.0
    }
}

impl FromStr for Share {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |text: &str| text.trim().parse::<f64>().ok();
        let value = match text.trim().strip_suffix('%') {
            Some(percent) => number(percent).map(|percent| percent / 100.0),
            None => number(text),
        };
        value
            .and_then(|value| Self::new(value).ok())
            .ok_or_else(|| format!("\"{text}\" is no share from 0 to 1, such as 0.3 or 30%"))
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

as_text!(Share, "SHARE", "examples": ["0.3", "30%"]);

/// What a place is best for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Objective {
    /// The least sum of demand times distance: p-median (Hakimi 1964, doi:10.1287/opre.12.3.450).
    #[default]
    Median,
    /// The most demand within a distance: maximal covering (Church & ReVelle 1974, doi:10.1007/BF01942293).
    Cover,
}

as_word!(Objective, Median = "p-median", Cover = "cover");

impl Objective {
    /// The one that was asked for; where none was, a distance alone says that it is to be covered.
    pub fn of(asked: Option<Self>, within: Option<Metres>) -> Self {
        asked.unwrap_or(if within.is_some() { Self::Cover } else { Self::Median })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_read_and_refused() {
        for (text, share) in [("0.3", 0.3), ("30%", 0.3), (" 1 ", 1.0), ("0%", 0.0)] {
            assert_eq!(text.parse::<Share>().unwrap().get(), share, "{text}");
        }
        for text in ["", "-0.1", "1.1", "NaN", "101%", "inf", "a third"] {
            assert!(text.parse::<Share>().is_err(), "{text}");
        }
        let share = serde_json::from_str::<Share>("\"25%\"").unwrap();
        assert_eq!(serde_json::to_string(&share).unwrap(), "\"0.25\"");
    }

    #[test]
    fn an_objective_is_one_of_two_words() {
        assert_eq!("cover".parse(), Ok(Objective::Cover));
        assert_eq!(Objective::default().to_string(), "p-median");
        assert!("median".parse::<Objective>().is_err());
    }
}
