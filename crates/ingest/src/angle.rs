//! Angles as maps and police reports write them: degrees, minutes and seconds, with the letter of a hemisphere in three
//! languages.

/// The axis that a hemisphere's letter names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Axis {
    /// East and west.
    Lon,
    /// North and south.
    Lat,
}

/// An angle in degrees, negative in the west and the south.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Angle {
    pub degrees: f64,
    /// Which it is, if a letter says so.
    pub axis: Option<Axis>,
}

/// Reads `4°35'56.57"N`, `S 34 36.5`, `-99 07 58` and their like; a bare number is none, for it may be metres.
pub(crate) fn parse(text: &str) -> Option<Angle> {
    let mut reader = Reader { rest: text.trim() };
    let before = reader.hemisphere()?;
    let signed = reader.rest.starts_with(['-', '+', '\u{2212}']);
    let sign = reader.sign();
    let (mut parts, mut marked) = (Vec::with_capacity(3), before.is_some());
    while parts.len() < 3 {
        let Some((value, whole)) = reader.number() else { break };
        marked |= reader.mark(parts.len());
        parts.push((value, whole));
    }
    // The letter O right behind a digit may be a zero that somebody mistyped.
    let mistyped = parts.len() == 1 && !marked && reader.rest.starts_with(['O', 'o']);
    let after = reader.hemisphere()?;
    let twice = signed && parts.len() == 1 && !marked && after.is_some();
    if mistyped || twice || !reader.rest.is_empty() || (before.is_some() && after.is_some()) {
        return None;
    }
    let hemisphere = before.or(after);
    let (&(last, last_is_whole), larger) = parts.split_last()?;
    let sure = marked || hemisphere.is_some() || larger.len() == 2 || (larger.len() == 1 && !last_is_whole);
    // Only the smallest unit has decimals, and there are sixty of it in the next.
    let fits = larger.iter().all(|&(_, whole)| whole) && parts.iter().skip(1).all(|&(value, _)| value < 60.0);
    if !(sure && fits && last.is_finite()) {
        return None;
    }
    let size = parts.iter().rev().fold(0.0, |sum, &(value, _)| value + sum / 60.0);
    let (axis, side) = hemisphere.map_or((None, 1.0), |(axis, side)| (Some(axis), side));
    let most = if axis == Some(Axis::Lat) { 90.0 } else { 180.0 };
    if size > most || (sign < 0.0 && hemisphere.is_some() && side > 0.0) {
        return None;
    }
    Some(Angle { degrees: if sign < 0.0 { -size } else { side * size }, axis })
}

/// Cuts `19°25'42"N 99°07'58"W` behind the first hemisphere's letter, or before the second where letters come first.
pub(crate) fn cut(text: &str) -> Option<(&str, &str)> {
    let letter = |(_, letter): &(usize, char)| letter.is_alphabetic() && *letter != 'º';
    let mut letters = text.char_indices().filter(letter);
    let (first, _) = letters.next()?;
    let in_front = text[..first].trim().is_empty();
    let behind = text[first..].find(|letter: char| !letter.is_alphabetic()).map(|end| first + end);
    let at = if in_front { letters.find(|&(at, _)| behind.is_some_and(|end| at > end))?.0 } else { behind? };
    Some((&text[..at], &text[at..]))
}

struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    fn space(&mut self) {
        // The Latin-1 reading of a degree sign in UTF-8 has such a letter before the sign.
        self.rest = self.rest.trim_start_matches(|letter: char| letter.is_whitespace() || letter == 'Â');
    }

    fn sign(&mut self) -> f64 {
        self.space();
        let rest = self.rest;
        self.rest = rest.strip_prefix(['-', '+', '\u{2212}']).unwrap_or(rest);
        if rest.starts_with(['-', '\u{2212}']) { -1.0 } else { 1.0 }
    }

    /// A number, and whether it is whole.
    fn number(&mut self) -> Option<(f64, bool)> {
        let mut ahead = Reader { rest: self.rest };
        ahead.space();
        let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
        let whole = digits(ahead.rest);
        if whole == 0 || whole > 3 {
            return None;
        }
        let mut end = whole;
        if ahead.rest[whole..].starts_with(['.', ',']) {
            let decimals = digits(&ahead.rest[whole + 1..]);
            if decimals > 0 {
                end = whole + 1 + decimals;
            }
        }
        let value = ahead.rest[..end].replace(',', ".").parse().ok()?;
        self.rest = &ahead.rest[end..];
        Some((value, end == whole))
    }

    /// Steps over the mark behind the number of that place, if there is one.
    fn mark(&mut self, place: usize) -> bool {
        let before = self.rest;
        self.space();
        let marks: &[&str] = match place {
            0 => &["°", "º", "˚", "\u{fffd}", ":"],
            1 => &["'", "′", "’", "‘", "´", "`", ":"],
            _ => &["\"", "″", "”", "“", "''", "′′", "’’", "´´"],
        };
        let found = marks.iter().find_map(|mark| self.rest.strip_prefix(mark));
        self.rest = found.unwrap_or(before);
        found.is_some()
    }

    /// The hemisphere here, in Spanish, Portuguese or English, if there is one; `None` for another word.
    fn hemisphere(&mut self) -> Option<Option<(Axis, f64)>> {
        self.space();
        let end = self.rest.find(|letter: char| !letter.is_alphabetic()).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        // The ordinal sign, which is often typed for a degree, counts as a letter.
        if word.is_empty() || word.starts_with('º') {
            return Some(None);
        }
        let found = match word.to_uppercase().as_str() {
            "N" | "NORTE" | "NORTH" => (Axis::Lat, 1.0),
            "S" | "SUR" | "SUL" | "SOUTH" => (Axis::Lat, -1.0),
            "E" | "L" | "ESTE" | "LESTE" | "EAST" => (Axis::Lon, 1.0),
            "W" | "O" | "OESTE" | "WEST" => (Axis::Lon, -1.0),
            _ => return None,
        };
        self.rest = rest;
        self.space();
        Some(Some(found))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn angles_are_read_as_people_write_them() {
        use Axis::{Lat, Lon};
        for (text, degrees, axis) in [
            ("4°35'56.57\"N", 4.599_047_222_222_222, Some(Lat)),
            ("19° 25' 42\" N", 19.428_333_333_333_335, Some(Lat)),
            ("-99 07 58", -99.132_777_777_777_78, None),
            ("99°07′58″ O", -99.132_777_777_777_78, Some(Lon)),
            ("99 07.97 W", -99.132_833_333_333_33, Some(Lon)),
            ("46º37’59,9’’ Oeste", -46.633_305_555_555_56, Some(Lon)),
            ("S 34 36.5", -34.608_333_333_333_33, Some(Lat)),
            ("34:36:30 sur", -34.608_333_333_333_33, Some(Lat)),
            ("23°L", 23.0, Some(Lon)),
            ("-0°30'", -0.5, None),
            ("-74 04.5", -74.075, None),
            ("74.5 W", -74.5, Some(Lon)),
            ("74.5 O", -74.5, Some(Lon)),
            ("-74.5° O", -74.5, Some(Lon)),
            ("4Â°36'N", 4.6, Some(Lat)),
        ] {
            let found = parse(text).unwrap();
            assert!((found.degrees - degrees).abs() < 1e-12, "{text}: {}", found.degrees);
            assert_eq!(found.axis, axis, "{text}");
        }
    }

    #[test]
    fn what_could_be_something_else_is_no_angle() {
        for text in [
            "",
            "-75.5",
            "434000",
            "4 597",
            "12 34",
            "99°61'",
            "99°07'60\"",
            "4.5°30'",
            "-4°N",
            "N4°S",
            "91°N",
            "181°",
            "4°35'56\" X",
            "4°35'56\" 7",
            "°",
            "N",
            "1 2 3 4",
            "4''",
            "10:30 a.m.",
            "-83,5146O",
            "83.5146O",
            "-74.5 W",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_pair_is_cut_at_its_letters() {
        assert_eq!(cut("19°25'42\"N 99°07'58\"W").unwrap(), ("19°25'42\"N", " 99°07'58\"W"));
        assert_eq!(cut("N 19 25 42 O 99 07 58").unwrap(), ("N 19 25 42 ", "O 99 07 58"));
        assert_eq!(cut("4º36' norte, 74º04' oeste").unwrap().0, "4º36' norte");
        assert_eq!(cut("4.6 -74.1"), None);
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_an_angle_or_not(text in ".*", close in "[-NSEWOLº°'\"′., 0-9Â]{0,20}") {
            for text in [text, close] {
                if let Some(angle) = parse(&text) {
                    proptest::prop_assert!(angle.degrees.abs() <= 180.0);
                }
                let _ = cut(&text);
            }
        }
    }
}
