//! Numbers as people write them: with a decimal point or a decimal comma, and with words for "none".

use crate::IngestError;
use crate::text::trimmed;

/// The decimal mark of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decimal {
    Point,
    Comma,
}

/// A field that should hold a number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Number {
    Missing,
    Unreadable,
    /// NaN, infinite, or too large for a number.
    NotFinite,
    Value(f64),
}

impl Decimal {
    /// From the flag.
    pub fn parse(text: &str) -> Result<Self, IngestError> {
        match text.trim().to_ascii_lowercase().as_str() {
            "point" | "." | "dot" => Ok(Self::Point),
            "comma" | "," => Ok(Self::Comma),
            _ => Err(IngestError::OptionInvalid {
                flag: "--decimal",
                value: text.to_owned(),
                expected: "point or comma".to_owned(),
            }),
        }
    }

    /// Evidence over a column: values such as `-75,5698` and none such as `-75.5698`.
    pub fn detect<'a>(values: impl Iterator<Item = &'a str>) -> Self {
        let (mut commas, mut points) = (0_u32, 0_u32);
        for value in values {
            let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
            let unsigned = value.trim().trim_start_matches(['-', '+']);
            match (unsigned.split_once(','), unsigned.split_once('.')) {
                (Some((whole, rest)), None) if digits(whole) && digits(rest) => commas += 1,
                (None, Some((whole, rest))) if digits(whole) && digits(rest) => points += 1,
                _ => {}
            }
        }
        if commas > points { Self::Comma } else { Self::Point }
    }

    /// Reads a field.
    pub fn read(self, text: &str) -> Number {
        let text = trimmed(text);
        // Most numbers are plain.
        if self == Self::Point
            && let Ok(value) = text.parse::<f64>()
        {
            return if value.is_finite() { Number::Value(value) } else { Number::NotFinite };
        }
        if is_blank(text) {
            return Number::Missing;
        }
        let plain = match self {
            Self::Point if !text.contains(',') => text.parse(),
            Self::Point => match without_groups(text, ',', '.') {
                Some(plain) => plain.parse(),
                None => return Number::Unreadable,
            },
            Self::Comma if !text.contains([',', '.']) => text.parse(),
            Self::Comma if !text.contains(',') => {
                // "359.192" in a file of decimal commas: 359 thousand, or 359 and a bit? Refused, not guessed.
                if in_groups(text.trim_start_matches(['-', '+']), '.') {
                    return Number::Unreadable;
                }
                text.parse()
            }
            Self::Comma => match without_groups(text, '.', ',') {
                Some(plain) => plain.parse(),
                None => return Number::Unreadable,
            },
        };
        let minus = text.contains('\u{2212}');
        match plain
            .or_else(|error| if minus { text.replace('\u{2212}', "-").parse::<f64>() } else { Err(error) })
        {
            Ok(value) if value.is_finite() => Number::Value(value),
            Ok(_) => Number::NotFinite,
            Err(_) => Number::Unreadable,
        }
    }
}

/// A number with a decimal point or a decimal comma, where the mark of the file is not known.
pub(crate) fn in_either_notation(text: &str) -> Option<f64> {
    // Words are most of what is no number.
    if !text.bytes().any(|byte| byte.is_ascii_digit()) {
        return None;
    }
    [Decimal::Point, Decimal::Comma].into_iter().find_map(|decimal| match decimal.read(text) {
        Number::Value(value) => Some(value),
        Number::Missing | Number::Unreadable | Number::NotFinite => None,
    })
}

/// A number with its thousands groups removed and a decimal point: needs a decimal mark to be sure which is which.
fn without_groups(text: &str, group: char, decimal: char) -> Option<String> {
    let (whole, rest) = text.rsplit_once(decimal)?;
    let unsigned = whole.trim_start_matches(['-', '+']);
    let plain = if unsigned.contains(group) {
        in_groups(unsigned, group).then(|| whole.replace(group, ""))?
    } else {
        whole.to_owned()
    };
    Some(format!("{plain}.{rest}"))
}

/// Whether digits come in groups of three: `1.234.567`.
fn in_groups(unsigned: &str, group: char) -> bool {
    let mut parts = unsigned.split(group);
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    let first = parts.next().is_some_and(|part| (1..=3).contains(&part.len()) && digits(part));
    let mut others = 0;
    first
        && parts.all(|part| {
            others += 1;
            part.len() == 3 && digits(part)
        })
        && others > 0
}

/// Words for "nothing here" in exports.
pub(crate) fn is_blank(text: &str) -> bool {
    // No word for nothing begins with a digit, and most values do.
    if text.as_bytes().first().is_some_and(u8::is_ascii_digit) {
        return false;
    }
    let text = trimmed(text);
    if text.len() > 14 {
        return false;
    }
    const WORDS: [&str; 14] = [
        "",
        "-",
        "NA",
        "N/A",
        "#N/A",
        "NULL",
        "(null)",
        "NONE",
        "\\N",
        "S/D",
        "SD",
        "SIN DATO",
        "SIN DATOS",
        "SIN INFORMACION",
    ];
    WORDS.iter().any(|word| text.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_in_both_notations() {
        use Number::{Missing, NotFinite, Unreadable, Value};
        for (decimal, text, expected) in [
            (Decimal::Point, "-75.5698", Value(-75.5698)),
            (Decimal::Point, " 1e2 ", Value(100.0)),
            (Decimal::Point, "1,234.5", Value(1234.5)),
            (Decimal::Point, "12,34.5", Unreadable),
            (Decimal::Point, "1,234", Unreadable),
            (Decimal::Point, "\u{2212}3.5", Value(-3.5)),
            (Decimal::Comma, "-75,5698", Value(-75.5698)),
            (Decimal::Comma, "1.234,5", Value(1234.5)),
            (Decimal::Comma, "1.234.567,5", Value(1_234_567.5)),
            (Decimal::Comma, "359.192", Unreadable),
            (Decimal::Comma, "-75.56", Value(-75.56)),
            (Decimal::Comma, "7", Value(7.0)),
            (Decimal::Point, "", Missing),
            (Decimal::Point, "n/a", Missing),
            (Decimal::Point, "NaN", NotFinite),
            (Decimal::Point, "inf", NotFinite),
            (Decimal::Point, "1e400", NotFinite),
            (Decimal::Point, "12 m", Unreadable),
            (Decimal::Point, "-", Missing),
        ] {
            assert_eq!(decimal.read(text), expected, "{decimal:?} {text}");
        }
    }

    #[test]
    fn the_decimal_mark_is_decided_by_the_values() {
        assert_eq!(Decimal::detect(["-75,56", "", "6,25", "NA"].into_iter()), Decimal::Comma);
        assert_eq!(Decimal::detect(["-75.56", "6.25", "x,y"].into_iter()), Decimal::Point);
        assert_eq!(Decimal::detect(["75", "6"].into_iter()), Decimal::Point);
        assert!(Decimal::parse("komma").is_err());
    }

    proptest::proptest! {
        #[test]
        fn reading_a_number_never_panics(text in ".*") {
            let _ = Decimal::Point.read(&text);
            let _ = Decimal::Comma.read(&text);
        }
    }
}
