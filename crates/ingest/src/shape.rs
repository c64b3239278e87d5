//! Geometry written into a field: as well-known text or as well-known binary (OGC 06-103r4, sections 7 and 8, with the SRID
//! that PostGIS puts in front). Small and strict: what is not wholly understood is refused, and no number in a file decides
//! how much memory is taken.

use geo::{Coord, LineString, MultiPolygon, Polygon};

/// A geometry as far as it is needed here.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Shape {
    Point(f64, f64),
    Polygons(MultiPolygon<f64>),
    /// None of these; its name.
    Other(&'static str),
}

/// A geometry with the code of its reference system, if it states one.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Stated {
    pub srid: Option<u32>,
    pub shape: Shape,
}

/// What an empty geometry is called.
pub(crate) const EMPTY: &str = "an empty geometry";

fn points(points: &[Coord<f64>]) -> Shape {
    match points {
        [] => Shape::Other(EMPTY),
        [only] => Shape::Point(only.x, only.y),
        _ => Shape::Other("several points"),
    }
}

fn polygons(polygons: Vec<Polygon<f64>>) -> Shape {
    let polygons: Vec<_> = polygons.into_iter().filter(|polygon| !polygon.exterior().0.is_empty()).collect();
    if polygons.is_empty() { Shape::Other(EMPTY) } else { Shape::Polygons(MultiPolygon::new(polygons)) }
}

fn polygon(mut rings: Vec<LineString<f64>>) -> Polygon<f64> {
    if rings.is_empty() {
        return Polygon::empty();
    }
    let exterior = rings.remove(0);
    Polygon::new(exterior, rings)
}

/// Reads well-known text: `POINT (-74.1 4.6)`, `SRID=4686;POINT Z (…)`, `MULTIPOLYGON (…)`.
pub(crate) fn from_text(text: &str) -> Option<Stated> {
    let mut rest = text.trim();
    let mut srid = None;
    if rest.get(..5).is_some_and(|start| start.eq_ignore_ascii_case("srid=")) {
        let (code, after) = rest[5..].split_once(';')?;
        let code: u32 = code.trim().parse().ok()?;
        (srid, rest) = ((code != 0).then_some(code), after);
    }
    let mut reader = Text { rest };
    let kind = reader.word().to_ascii_uppercase();
    let kind = kind.strip_suffix("ZM").or(kind.strip_suffix(['Z', 'M'])).unwrap_or(&kind).to_owned();
    let mut empty = false;
    match reader.word().to_ascii_uppercase().as_str() {
        "" => {}
        "EMPTY" => empty = true,
        "Z" | "M" | "ZM" => empty = reader.word().eq_ignore_ascii_case("EMPTY"),
        _ => return None,
    }
    let name = match kind.as_str() {
        "POINT" | "MULTIPOINT" | "POLYGON" | "MULTIPOLYGON" => "",
        "LINESTRING" | "MULTILINESTRING" => "line",
        "GEOMETRYCOLLECTION" | "CIRCULARSTRING" | "COMPOUNDCURVE" | "CURVEPOLYGON" | "MULTICURVE"
        | "MULTISURFACE" | "POLYHEDRALSURFACE" | "TRIANGLE" | "TIN" => "another geometry",
        _ => return None,
    };
    let shape = if empty {
        Shape::Other(EMPTY)
    } else if !name.is_empty() {
        reader.skip()?;
        Shape::Other(name)
    } else {
        match kind.as_str() {
            "POINT" => {
                reader.expect('(')?;
                let point = reader.coord()?;
                reader.expect(')')?;
                Shape::Point(point.x, point.y)
            }
            "MULTIPOINT" => points(&reader.list(|reader| {
                let wrapped = reader.take('(');
                let point = reader.coord()?;
                (!wrapped || reader.take(')')).then_some(point)
            })?),
            "POLYGON" => polygons(vec![polygon(reader.list(Text::ring)?)]),
            _ => polygons(reader.list(|reader| Some(polygon(reader.list(Text::ring)?)))?),
        }
    };
    reader.rest.trim().is_empty().then_some(Stated { srid, shape })
}

struct Text<'a> {
    rest: &'a str,
}

impl Text<'_> {
    fn word(&mut self) -> &str {
        self.rest = self.rest.trim_start();
        let end = self.rest.find(|letter: char| !letter.is_ascii_alphabetic()).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        word
    }

    fn take(&mut self, letter: char) -> bool {
        self.rest = self.rest.trim_start();
        let after = self.rest.strip_prefix(letter);
        self.rest = after.unwrap_or(self.rest);
        after.is_some()
    }

    fn expect(&mut self, letter: char) -> Option<()> {
        self.take(letter).then_some(())
    }

    /// Two to four numbers, of which the first two count.
    fn coord(&mut self) -> Option<Coord<f64>> {
        let mut numbers = [0.0; 4];
        let mut count = 0;
        loop {
            self.rest = self.rest.trim_start();
            let end = self.rest.find(|c: char| !(c.is_ascii_alphanumeric() || "+-.".contains(c)));
            let (number, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
            if number.is_empty() {
                return (count >= 2).then_some(Coord { x: numbers[0], y: numbers[1] });
            }
            *numbers.get_mut(count)? = number.parse().ok()?;
            (count, self.rest) = (count + 1, rest);
        }
    }

    fn list<T>(&mut self, mut each: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        self.expect('(')?;
        let mut found = Vec::new();
        loop {
            self.rest = self.rest.trim_start();
            match self.rest.get(..5).filter(|word| word.eq_ignore_ascii_case("EMPTY")) {
                Some(empty) => self.rest = &self.rest[empty.len()..],
                None => found.push(each(self)?),
            }
            if !self.take(',') {
                self.expect(')')?;
                return Some(found);
            }
        }
    }

    fn ring(&mut self) -> Option<LineString<f64>> {
        Some(LineString::new(self.list(Self::coord)?))
    }

    /// Steps over one bracketed text, without recursion.
    fn skip(&mut self) -> Option<()> {
        self.rest = self.rest.trim_start();
        let mut depth = 0_usize;
        for (at, letter) in self.rest.char_indices() {
            match letter {
                '(' => depth += 1,
                ')' => depth = depth.checked_sub(1)?,
                _ => {}
            }
            if depth == 0 {
                self.rest = &self.rest[at + 1..];
                return (letter == ')').then_some(());
            }
        }
        None
    }
}

/// Memory taken on the word of a count in a file, at most.
const MOST_ON_TRUST: usize = 64 << 10;

/// Reads well-known binary, in the form of the standard or of PostGIS.
pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Stated> {
    let mut reader = Bytes { rest: bytes };
    let head = reader.head()?;
    let shape = match head.kind {
        1 => match reader.coord(&head)? {
            point if point.x.is_nan() && point.y.is_nan() => Shape::Other(EMPTY),
            point => Shape::Point(point.x, point.y),
        },
        3 => polygons(vec![reader.polygon(&head)?]),
        4 => points(&reader.parts(&head, 1, Bytes::coord)?),
        6 => polygons(reader.parts(&head, 3, Bytes::polygon)?),
        2 | 5 => return Some(Stated { srid: head.srid, shape: Shape::Other("line") }),
        7..=17 => return Some(Stated { srid: head.srid, shape: Shape::Other("another geometry") }),
        _ => return None,
    };
    reader.rest.is_empty().then_some(Stated { srid: head.srid, shape })
}

/// Reads well-known binary in hexadecimal digits, as PostGIS prints a geometry.
pub(crate) fn from_hex(text: &str) -> Option<Stated> {
    let text = text.trim();
    let text = text.strip_prefix("\\x").or(text.strip_prefix("0x")).unwrap_or(text);
    // The first byte says in which order the others come.
    if text.len() < 18 || text.len() % 2 == 1 || !(text.starts_with("00") || text.starts_with("01")) {
        return None;
    }
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let pair = |pair: &[u8]| Some((digit(pair[0])? * 16 + digit(pair[1])?) as u8);
    let bytes: Vec<u8> = text.as_bytes().chunks_exact(2).map(pair).collect::<Option<_>>()?;
    from_bytes(&bytes)
}

struct Head {
    little: bool,
    kind: u32,
    srid: Option<u32>,
    dimensions: usize,
}

struct Bytes<'a> {
    rest: &'a [u8],
}

impl Bytes<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.rest.split_first_chunk::<N>()?;
        self.rest = rest;
        Some(*taken)
    }

    fn number(&mut self, little: bool) -> Option<u32> {
        let bytes = self.take()?;
        Some(if little { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) })
    }

    fn head(&mut self) -> Option<Head> {
        let little = match self.take::<1>()? {
            [0] => false,
            [1] => true,
            _ => return None,
        };
        let word = self.number(little)?;
        let flag = |bit: u32| usize::from(word & bit != 0);
        let (mut dimensions, kind) = (2 + flag(0x8000_0000) + flag(0x4000_0000), word & 0x0fff_ffff);
        dimensions += match kind / 1000 {
            0 => 0,
            1 | 2 => 1,
            3 => 2,
            _ => return None,
        };
        let srid =
            if flag(0x2000_0000) == 1 { Some(self.number(little)?).filter(|&srid| srid != 0) } else { None };
        (dimensions <= 4).then_some(Head { little, kind: kind % 1000, srid, dimensions })
    }

    fn coord(&mut self, head: &Head) -> Option<Coord<f64>> {
        let mut numbers = [0.0; 4];
        for number in numbers.iter_mut().take(head.dimensions) {
            let bytes = self.take()?;
            *number = if head.little { f64::from_le_bytes(bytes) } else { f64::from_be_bytes(bytes) };
        }
        Some(Coord { x: numbers[0], y: numbers[1] })
    }

    /// As many as the file says there are, if so many can be in what is left of it.
    fn many<T>(
        &mut self,
        little: bool,
        least: usize,
        mut each: impl FnMut(&mut Self) -> Option<T>,
    ) -> Option<Vec<T>> {
        let count = self.number(little)? as usize;
        if count > self.rest.len() / least {
            return None;
        }
        let mut found = Vec::with_capacity(count.min(MOST_ON_TRUST / size_of::<T>().max(1)));
        for _ in 0..count {
            found.push(each(self)?);
        }
        Some(found)
    }

    fn polygon(&mut self, head: &Head) -> Option<Polygon<f64>> {
        let ring = |reader: &mut Self| {
            let coords = reader.many(head.little, 8 * head.dimensions, |reader| reader.coord(head))?;
            Some(LineString::new(coords))
        };
        Some(polygon(self.many(head.little, 4, ring)?))
    }

    /// The members of a collection, each with a head of its own.
    fn parts<T>(
        &mut self,
        head: &Head,
        kind: u32,
        each: fn(&mut Self, &Head) -> Option<T>,
    ) -> Option<Vec<T>> {
        self.many(head.little, 9, |reader| {
            let own = reader.head()?;
            if own.kind != kind {
                return None;
            }
            each(reader, &own)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02X}")).collect()
    }

    fn text(text: &str) -> Option<Shape> {
        from_text(text).map(|found| found.shape)
    }

    #[test]
    fn points_are_read_from_text() {
        let point = Some(Shape::Point(-74.1, 4.6));
        for written in [
            "POINT (-74.1 4.6)",
            "point(-74.1 4.6)",
            " POINT Z (-74.1 4.6 2600) ",
            "POINTZM(-74.1 4.6 1 2)",
            "MULTIPOINT ((-74.1 4.6))",
            "MULTIPOINT (-74.1 4.6)",
            "POINT (-7.41e1 +4.6)",
        ] {
            assert_eq!(text(written), point, "{written}");
        }
        let stated = from_text("SRID=4686;POINT(-74.1 4.6)").unwrap();
        assert_eq!((stated.srid, Some(stated.shape)), (Some(4686), point));
        assert_eq!(from_text("srid=0;POINT(1 2)").unwrap().srid, None);
        for (written, name) in [
            ("POINT EMPTY", EMPTY),
            ("POINT Z EMPTY", EMPTY),
            ("MULTIPOINT (1 2, 3 4)", "several points"),
            ("LINESTRING (1 2, 3 4)", "line"),
            ("GEOMETRYCOLLECTION (POINT (1 2), LINESTRING (1 2, 3 4))", "another geometry"),
            ("MULTIPOLYGON EMPTY", EMPTY),
        ] {
            assert_eq!(text(written), Some(Shape::Other(name)), "{written}");
        }
        for written in [
            "",
            "POINT",
            "POINT ()",
            "POINT (1)",
            "POINT (1 2",
            "POINT (1 2) x",
            "POINT (1 2 3 4 5)",
            "POINT (1,2)",
            "PUNTO (1 2)",
            "POINT (a b)",
            "SRID=x;POINT(1 2)",
            "LINESTRING (1 2))",
            "LINESTRING 1 2",
            "POINT X (1 2)",
            "SRID=1",
        ] {
            assert_eq!(text(written), None, "{written}");
        }
    }

    #[test]
    fn polygons_are_read_with_their_holes() {
        let Some(Shape::Polygons(found)) = text("POLYGON ((0 0, 4 0, 4 4, 0 0), (1 .5, 2 .5, 2 1, 1 .5))")
        else {
            panic!("no polygon")
        };
        assert_eq!((found.0.len(), found.0[0].interiors().len()), (1, 1));
        let Some(Shape::Polygons(found)) =
            text("MULTIPOLYGON Z (((0 0 1,4 0 1,4 4 1,0 0 1)),((9 9 1,8 9 1,8 8 1,9 9 1)))")
        else {
            panic!("no polygons")
        };
        assert_eq!(found.0.len(), 2);
    }

    #[test]
    fn points_are_read_from_bytes() {
        // As PostGIS prints ST_SetSRID(ST_MakePoint(-74.1, 4.6), 4686).
        let mut postgis = vec![1, 1, 0, 0, 0x20];
        postgis.extend(4686_u32.to_le_bytes());
        postgis.extend([(-74.1_f64).to_le_bytes(), 4.6_f64.to_le_bytes()].concat());
        let found = from_hex(&hex(&postgis)).unwrap();
        assert_eq!(found, Stated { srid: Some(4686), shape: Shape::Point(-74.1, 4.6) });
        let big =
            [&[0, 0, 0, 3, 0xe9][..], &(-74.1_f64).to_be_bytes(), &4.6_f64.to_be_bytes(), &[0; 8]].concat();
        assert_eq!(from_bytes(&big).unwrap().shape, Shape::Point(-74.1, 4.6), "ISO point Z");
        let nothing = [&[1, 1, 0, 0, 0][..], &f64::NAN.to_le_bytes(), &f64::NAN.to_le_bytes()].concat();
        assert_eq!(from_bytes(&nothing).unwrap().shape, Shape::Other(EMPTY));
        for cut in 0..postgis.len() {
            assert_eq!(from_bytes(&postgis[..cut]), None, "{cut}");
        }
        assert_eq!(from_bytes(&[postgis, vec![0]].concat()), None, "a byte too many");
        assert_eq!(from_hex("0101"), None);
        assert_eq!(from_hex("0123456789abcdefg0"), None);
    }

    #[test]
    fn a_count_beyond_the_bytes_takes_no_memory() {
        // 38 bytes that claim 4 294 967 295 rings, polygons or points.
        for kind in [3_u8, 4, 6] {
            let mut bytes = vec![1, kind, 0, 0, 0, 0xff, 0xff, 0xff, 0xff];
            bytes.resize(38, 0);
            assert_eq!(from_bytes(&bytes), None);
        }
        let mut ring = vec![1, 3, 0, 0, 0, 1, 0, 0, 0, 0xff, 0xff, 0xff, 0x7f];
        ring.resize(38, 0);
        assert_eq!(from_bytes(&ring), None);
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_a_geometry_or_not(
            bytes: Vec<u8>, kind in 0_u8..20, order in 0_u8..3, any in ".*", close in "(SRID=[0-9]*;)?[A-Z]{0,4}[POINTZ ]{0,8}[-(), .0-9eE]{0,30}",
        ) {
            let _ = (from_bytes(&bytes), from_text(&any), from_text(&close), from_hex(&any));
            let headed = [&[order, kind, 0, 0, 0][..], &bytes].concat();
            let _ = (from_bytes(&headed), from_hex(&hex(&headed)));
        }

        #[test]
        fn what_is_written_is_read_again(x: f64, y: f64) {
            let bytes = [&[1, 1, 0, 0, 0][..], &x.to_le_bytes(), &y.to_le_bytes()].concat();
            if !(x.is_nan() && y.is_nan()) {
                let Some(Shape::Point(a, b)) = from_hex(&hex(&bytes)).map(|found| found.shape) else { panic!("no point") };
                proptest::prop_assert_eq!((a.to_bits(), b.to_bits()), (x.to_bits(), y.to_bits()));
            }
            if x.is_finite() && y.is_finite() {
                proptest::prop_assert_eq!(text(&format!("POINT ({x} {y})")), Some(Shape::Point(x, y)));
            }
        }
    }
}
