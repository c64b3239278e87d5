//! How a layer asks to be drawn: what matters in it, in the reader's words. Which colours that is, is export's matter.

use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

/// How a layer asks to be drawn.
#[derive(Debug, Clone, PartialEq)]
pub struct Style {
    /// What tells one feature from another.
    pub by: DrawnBy,
    /// The column whose value stands on each feature, if any.
    pub label: Option<&'static str>,
}

impl Style {
    /// Drawn like this, without labels.
    pub const fn of(by: DrawnBy) -> Self {
        Self { by, label: None }
    }

    /// By a number, in the usual classes.
    pub fn number(column: &'static str, scale: Scale) -> Self {
        Self::of(DrawnBy::Number { column, scale, classes: Classes::default() })
    }

    /// By a word.
    pub fn word(column: &'static str, words: Vec<Word>) -> Self {
        Self::of(DrawnBy::Word { column, words })
    }

    /// The same with numbers cut into other classes.
    #[must_use]
    pub fn classed(self, classes: Classes) -> Self {
        let by = match self.by {
            DrawnBy::Number { column, scale, .. } => DrawnBy::Number { column, scale, classes },
            other => other,
        };
        Self { by, ..self }
    }

    /// The same with the values of a column written on the features.
    #[must_use]
    pub fn labelled(self, column: &'static str) -> Self {
        Self { label: Some(column), ..self }
    }
}

/// What tells one feature from another.
#[derive(Debug, Clone, PartialEq)]
pub enum DrawnBy {
    /// Nothing, and only the edge matters: a study area.
    Edge,
    /// Nothing: all are filled alike.
    Alike,
    /// A number, in classes.
    Number {
        /// The column.
        column: &'static str,
        /// Which way it matters.
        scale: Scale,
        /// How it is cut into classes.
        classes: Classes,
    },
    /// A word.
    Word {
        /// The column.
        column: &'static str,
        /// The words that can stand there, in the order of a legend.
        words: Vec<Word>,
    },
}

/// Which way a number matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// From little to much.
    Sequential,
    /// From much to more: even the least of them is much, as with hotspots.
    Upper,
    /// To both sides of zero.
    Diverging,
}

/// A word that can stand in a column, what it means, and how loud it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// As it stands in the column.
    pub value: &'static str,
    /// For people.
    pub title: &'static str,
    /// How loud.
    pub tone: Tone,
}

/// How loud a word is on the map.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Much, among much.
    High,
    /// Little, among little.
    Low,
    /// Much among little.
    HighAmongLow,
    /// Little among much.
    LowAmongHigh,
    /// Nothing to be seen.
    Quiet,
}

/// The rule that cuts numbers into classes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ClassRule {
    /// Least squared deviation within the classes (Fisher 1958; Jenks 1967).
    #[default]
    Jenks,
    /// As many features in each class.
    Quantile,
    /// Classes of one standard deviation around the mean.
    StandardDeviation,
    /// Cut at the mean, and the upper part again, while it is the smaller one (Jiang 2013, doi:10.1080/00330124.2012.700499).
    HeadTail,
    /// Classes of one width.
    Equal,
}

impl ClassRule {
    const WORDS: [(Self, &'static str); 5] = [
        (Self::Jenks, "jenks"),
        (Self::Quantile, "quantile"),
        (Self::StandardDeviation, "standard-deviation"),
        (Self::HeadTail, "head-tail"),
        (Self::Equal, "equal"),
    ];
}

/// How numbers are cut into classes: a rule and, where the rule leaves it open, how many. Written `jenks:5`, `head-tail`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Classes {
    /// The rule.
    pub rule: ClassRule,
    /// At most so many.
    pub most: u8,
}

impl Classes {
    /// More classes than an eye can tell apart on a map are refused.
    pub const MOST: u8 = 9;
}

impl Default for Classes {
    fn default() -> Self {
        Self { rule: ClassRule::default(), most: 5 }
    }
}

impl fmt::Display for Classes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = ClassRule::WORDS.iter().find(|(rule, _)| *rule == self.rule).map_or("", |(_, word)| word);
        write!(f, "{word}:{}", self.most)
    }
}

/// A text that names no classes.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "\"{0}\" names no classes; write jenks, quantile, standard-deviation, head-tail or equal, and how many after a colon, 2 to 9: jenks:5"
)]
pub struct ClassesError(String);

impl FromStr for Classes {
    type Err = ClassesError;

    fn from_str(text: &str) -> Result<Self, ClassesError> {
        let refused = || ClassesError(text.to_owned());
        let (word, most) = match text.split_once(':') {
            Some((word, most)) => (word, most.parse().map_err(|_| refused())?),
            None => (text, Self::default().most),
        };
        let (rule, _) = ClassRule::WORDS.into_iter().find(|(_, known)| *known == word).ok_or_else(refused)?;
        if (2..=Self::MOST).contains(&most) { Ok(Self { rule, most }) } else { Err(refused()) }
    }
}

impl Serialize for Classes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Classes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Classes {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Classes".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "title": "RULE:K", "examples": ["jenks:5", "quantile:4", "head-tail"] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_written_as_a_rule_and_a_number() {
        for text in ["jenks:5", "quantile:4", "standard-deviation:7", "head-tail:9", "equal:2"] {
            assert_eq!(text.parse::<Classes>().unwrap().to_string(), text);
        }
        assert_eq!("equal".parse::<Classes>().unwrap(), Classes { rule: ClassRule::Equal, most: 5 });
        for text in ["", "jenks:1", "jenks:10", "jenks:", "pretty", "jenks:five", "Jenks"] {
            let why = text.parse::<Classes>().unwrap_err().to_string();
            assert!(why.contains("jenks, quantile") && why.contains("2 to 9"), "{why}");
        }
    }
}
