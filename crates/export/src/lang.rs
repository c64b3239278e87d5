//! Words for people, in English, Spanish and Portuguese. The English text is the key; what has no translation stays English.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

/// A language and how its readers write a number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Lang {
    tongue: Tongue,
    comma: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Tongue {
    #[default]
    En,
    Es,
    Pt,
}

/// Spanish-speaking places that write 1.5, not 1,5.
const POINT: [&str; 8] = ["MX", "GT", "HN", "NI", "SV", "PA", "DO", "PR"];

/// What is translated, by the English text.
type Words = HashMap<String, String>;

/// The translations to Spanish, as a JSON object.
pub(crate) const ES: &str = include_str!("../lang/es.json");
/// The translations to Portuguese, as a JSON object.
pub(crate) const PT: &str = include_str!("../lang/pt.json");

impl Lang {
    /// English.
    pub const EN: Self = Self { tongue: Tongue::En, comma: false };
    /// Spanish.
    pub const ES: Self = Self { tongue: Tongue::Es, comma: true };
    /// Portuguese.
    pub const PT: Self = Self { tongue: Tongue::Pt, comma: true };

    /// The language of a locale such as `es_CO.UTF-8`; English where it is none of ours.
    pub fn of_locale(locale: &str) -> Self {
        locale.parse().unwrap_or(Self::EN)
    }

    /// `en`, `es` or `pt`.
    pub const fn code(self) -> &'static str {
        match self.tongue {
            Tongue::En => "en",
            Tongue::Es => "es",
            Tongue::Pt => "pt",
        }
    }

    /// A text in this language.
    pub fn say(self, english: &str) -> Cow<'_, str> {
        static SPANISH: LazyLock<Words> = LazyLock::new(|| serde_json::from_str(ES).unwrap_or_default());
        static PORTUGUESE: LazyLock<Words> = LazyLock::new(|| serde_json::from_str(PT).unwrap_or_default());
        let words = match self.tongue {
            Tongue::En => return Cow::Owned(english.to_owned()),
            Tongue::Es => &*SPANISH,
            Tongue::Pt => &*PORTUGUESE,
        };
        Cow::Owned(words.get(english).map_or_else(|| english.to_owned(), Clone::clone))
    }

    /// Whether a text has a translation.
    #[cfg(test)]
    pub(crate) fn knows(self, english: &str) -> bool {
        let words: Words =
            serde_json::from_str(if self.tongue == Tongue::Es { ES } else { PT }).unwrap_or_default();
        words.contains_key(english)
    }

    /// A unit such as `incidents/km²/year`, its words in this language.
    pub fn unit(self, unit: &str) -> String {
        unit.split('/').map(|part| self.say(part)).collect::<Vec<_>>().join("/")
    }

    /// A written number with this language's decimal mark.
    pub fn number(self, text: &str) -> String {
        if self.comma { text.replace('.', ",") } else { text.to_owned() }
    }
}

impl Lang {
    /// `683089` → `683,089`, `683.089` where the comma is the decimal mark.
    pub fn grouped(self, number: u64) -> String {
        let digits = number.to_string();
        let mut grouped = String::new();
        for (at, digit) in digits.chars().enumerate() {
            if at > 0 && (digits.len() - at).is_multiple_of(3) {
                grouped.push(if self.comma { '.' } else { ',' });
            }
            grouped.push(digit);
        }
        grouped
    }
}

/// In which language a map speaks, and whom it names as the owner of its data.
#[derive(Debug, Clone, Copy)]
pub struct Imprint<'a> {
    /// The language.
    pub lang: Lang,
    /// Whom the data is owed to; empty where nothing was said.
    pub attribution: &'a str,
}

impl Imprint<'_> {
    /// In English, naming nobody.
    pub const PLAIN: Imprint<'static> = Imprint { lang: Lang::EN, attribution: "" };
}

/// A text that names no language of ours.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("\"{0}\" is no language brasa speaks; write en, es or pt, with a country where it matters: es-MX")]
pub struct LangError(String);

impl FromStr for Lang {
    type Err = LangError;

    fn from_str(text: &str) -> Result<Self, LangError> {
        let tag = text.split(['.', '@']).next().unwrap_or_default();
        let mut parts = tag.split(['-', '_']);
        let tongue = parts.next().unwrap_or_default().to_ascii_lowercase();
        let country = parts.next().unwrap_or_default().to_ascii_uppercase();
        match tongue.as_str() {
            "en" => Ok(Self::EN),
            "es" => Ok(Self { comma: !POINT.contains(&country.as_str()), ..Self::ES }),
            "pt" => Ok(Self::PT),
            _ => Err(LangError(text.to_owned())),
        }
    }
}

impl fmt::Display for Lang {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.tongue, self.comma) {
            (Tongue::Es, false) => f.write_str("es-MX"),
            _ => f.write_str(self.code()),
        }
    }
}

impl Serialize for Lang {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Lang {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Lang {
    fn schema_name() -> Cow<'static, str> {
        "Lang".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "title": "LANG", "examples": ["en", "es", "pt"] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn locales_are_languages() {
        for (text, wanted) in [
            ("es_CO.UTF-8", Lang::ES),
            ("pt-BR", Lang::PT),
            ("en", Lang::EN),
            ("C", Lang::EN),
            ("", Lang::EN),
            ("POSIX", Lang::EN),
            ("de_DE", Lang::EN),
        ] {
            assert_eq!(Lang::of_locale(text), wanted, "{text}");
        }
        assert_eq!("es-MX".parse::<Lang>().unwrap().number("1.5"), "1.5");
        assert_eq!(Lang::ES.number("1.5"), "1,5");
        assert_eq!("es-MX".parse::<Lang>().unwrap().to_string().parse::<Lang>(), "es-MX".parse());
        assert!("de".parse::<Lang>().unwrap_err().to_string().contains("en, es or pt"));
    }

    #[test]
    fn both_translations_have_the_same_keys_and_nothing_empty() {
        let keys = |json: &str| -> BTreeSet<String> {
            let words: Words = serde_json::from_str(json).unwrap();
            assert!(words.values().all(|word| !word.trim().is_empty()));
            words.into_keys().collect()
        };
        assert_eq!(keys(ES), keys(PT));
    }

    #[test]
    fn a_unit_is_translated_word_by_word() {
        assert_eq!(Lang::ES.unit("incidents/km²/year"), "incidentes/km²/año");
        assert_eq!(Lang::PT.unit("incidents/km²"), "incidentes/km²");
        assert_eq!(Lang::EN.unit(""), "");
        assert_eq!(Lang::ES.say("no such text"), "no such text");
    }
}
