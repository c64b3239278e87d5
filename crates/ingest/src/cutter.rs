//! Which rows a JSON file holds, and where each stands: the text is cut by its brackets and strings without being
//! interpreted, so that one broken row is one broken row and not the end of the file.

use serde_json::Value;

/// Where one row stands.
pub(crate) struct Piece {
    pub start: usize,
    pub end: usize,
    /// Its line in a file of one row per line, else its number.
    pub line: u64,
}

/// The rows of a file.
pub(crate) enum Layout {
    /// Features of GeoJSON, with the file's `crs` member.
    Features { pieces: Vec<Piece>, crs: Option<Value> },
    /// Objects, or lists of values.
    Rows(Rows),
}

/// Rows that are no features.
#[derive(Default)]
pub(crate) struct Rows {
    pub pieces: Vec<Piece>,
    /// What the values of a list are called, where the file says so elsewhere.
    pub names: Option<Vec<String>>,
    /// Under which key they stand.
    pub key: Option<String>,
    /// The code of the system, as the services of Esri state it.
    pub wkid: Option<u32>,
}

/// How deep rows are looked for.
const MOST_DEPTH: usize = 3;

/// Finds the rows of a file without reading them.
pub(crate) fn cut(bytes: &[u8]) -> Result<Layout, String> {
    let mut cutter = Cutter { bytes, at: 0 };
    if bytes.starts_with(b"\xef\xbb\xbf") {
        cutter.at = 3;
    }
    cutter.space();
    let start = cutter.at;
    match cutter.peek() {
        Some(b'[') => {
            let pieces = cutter.pieces()?;
            cutter.end()?;
            return Ok(match pieces.first().map(|first| kind(&bytes[first.start..first.end])) {
                Some(Kind::Feature) => Layout::Features { pieces, crs: None },
                _ => Layout::Rows(Rows { pieces, ..Rows::default() }),
            });
        }
        Some(b'{') => {}
        _ => return Err(format!("line {}: expected an object or a list", cutter.line())),
    }
    let mut found = Found::default();
    found.search(&mut cutter, "", 0)?;
    let after_first = cutter.at;
    cutter.space();
    if cutter.at == bytes.len() && found.kind.as_deref() != Some("Feature") {
        return found.choose(bytes, Piece { start, end: after_first, line: 1 });
    }
    // One row per line, of which the first has just been passed.
    cutter.at = after_first;
    let mut pieces = vec![Piece { start, end: after_first, line: cutter.line() }];
    let lines = bytes[after_first..].split_inclusive(|&byte| byte == b'\n');
    let mut at = after_first;
    for (line, rest) in (cutter.line()..).zip(lines) {
        if !rest.iter().all(|&byte| is_space(byte)) {
            let lead = rest.iter().take_while(|&&byte| is_space(byte)).count();
            pieces.push(Piece { start: at + lead, end: at + rest.len(), line });
        }
        at += rest.len();
    }
    if matches!(found.kind.as_deref(), Some("FeatureCollection")) {
        return Err(format!("line {}: something follows the FeatureCollection", pieces[1].line));
    }
    Ok(match found.kind.as_deref() {
        Some("Feature") => Layout::Features { pieces, crs: found.crs },
        _ => Layout::Rows(Rows { pieces, ..Rows::default() }),
    })
}

/// What the members of the first object are.
#[derive(Default)]
struct Found {
    kind: Option<String>,
    crs: Option<Value>,
    reference: Option<Value>,
    columns: Option<Value>,
    features: Option<Vec<Piece>>,
    lists: Vec<(String, Vec<Piece>)>,
}

impl Found {
    fn search(&mut self, cutter: &mut Cutter<'_>, path: &str, depth: usize) -> Result<(), String> {
        let bytes = cutter.bytes;
        cutter.members(|cutter, key| {
            let here = if path.is_empty() {
                String::from_utf8_lossy(key).into_owned()
            } else {
                format!("{path}.{}", String::from_utf8_lossy(key))
            };
            let start = cutter.at;
            match cutter.peek() {
                Some(b'[') => {
                    let pieces = cutter.pieces()?;
                    let of_rows =
                        pieces.first().is_some_and(|first| matches!(bytes[first.start], b'{' | b'['));
                    if here == "features" {
                        self.features = Some(pieces);
                    } else if of_rows {
                        self.lists.push((here.clone(), pieces));
                    }
                }
                Some(b'{') if depth < MOST_DEPTH => self.search(cutter, &here, depth + 1)?,
                _ => cutter.value()?,
            }
            let value = || serde_json::from_slice(&bytes[start..cutter.at]).ok();
            match here.as_str() {
                "type" => self.kind = serde_json::from_slice(&bytes[start..cutter.at]).ok(),
                "crs" => self.crs = value(),
                "spatialReference" => self.reference = value(),
                "meta.view.columns" => self.columns = value(),
                _ => {}
            }
            Ok(())
        })
    }

    /// The features, else the longest list, else the object itself.
    fn choose(mut self, bytes: &[u8], whole: Piece) -> Result<Layout, String> {
        if let Some(pieces) = self.features.take() {
            let esri = pieces.first().is_some_and(|first| kind(&bytes[first.start..first.end]) == Kind::Esri);
            if !esri {
                return Ok(Layout::Features { pieces, crs: self.crs });
            }
            let code = |key: &str| self.reference.as_ref()?.get(key)?.as_u64()?.try_into().ok();
            let wkid = code("latestWkid").or_else(|| code("wkid"));
            // Codes that Esri gave the system of web maps before it had one.
            let wkid = wkid.map(|code| if [102_100, 102_113].contains(&code) { 3857 } else { code });
            return Ok(Layout::Rows(Rows { pieces, wkid, ..Rows::default() }));
        }
        if let Some(kind @ ("FeatureCollection" | "Topology" | "GeometryCollection")) = self.kind.as_deref() {
            return Err(format!("it is a {kind} without a list of features"));
        }
        self.lists.retain(|(key, _)| key != "meta.view.columns");
        let longest = self.lists.into_iter().max_by_key(|(_, pieces)| pieces.len());
        let name = |column: &Value| Some(column.get("name")?.as_str()?.to_owned());
        let names = self.columns.and_then(|columns| columns.as_array()?.iter().map(name).collect());
        Ok(Layout::Rows(match longest {
            Some((key, pieces)) => Rows { pieces, names, key: Some(key), wkid: None },
            None => Rows { pieces: vec![whole], ..Rows::default() },
        }))
    }
}

#[derive(PartialEq, Eq)]
enum Kind {
    Feature,
    Esri,
    Other,
}

fn kind(piece: &[u8]) -> Kind {
    let Ok(Value::Object(object)) = serde_json::from_slice(piece) else { return Kind::Other };
    match object.get("type").and_then(Value::as_str) {
        Some("Feature") => Kind::Feature,
        _ if object.get("attributes").is_some_and(Value::is_object) => Kind::Esri,
        _ => Kind::Other,
    }
}

/// White space, and the record separator of GeoJSON text sequences.
const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x1e)
}

/// Walks over JSON by its brackets and strings alone.
struct Cutter<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Cutter<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn line(&self) -> u64 {
        self.bytes[..self.at].iter().filter(|&&byte| byte == b'\n').count() as u64 + 1
    }

    fn space(&mut self) {
        while self.peek().is_some_and(is_space) {
            self.at += 1;
        }
    }

    fn expect(&mut self, byte: u8) -> Result<(), String> {
        self.space();
        match self.peek() {
            Some(found) if found == byte => {
                self.at += 1;
                Ok(())
            }
            Some(found) => Err(format!(
                "line {}: expected \"{}\", found \"{}\"",
                self.line(),
                char::from(byte),
                char::from(found)
            )),
            None => Err(format!("the file ends at line {} in the middle of an object", self.line())),
        }
    }

    fn string(&mut self) -> Result<(), String> {
        self.expect(b'"')?;
        while let Some(byte) = self.peek() {
            self.at += 1;
            match byte {
                b'"' => return Ok(()),
                b'\\' => self.at += 1,
                _ => {}
            }
        }
        self.at = self.bytes.len();
        Err(format!("the file ends at line {} in the middle of a text", self.line()))
    }

    /// Steps over one value of any kind, without recursion.
    fn value(&mut self) -> Result<(), String> {
        self.space();
        let mut depth = 0_usize;
        loop {
            match self.peek() {
                Some(b'"') => self.string()?,
                Some(b'{' | b'[') => {
                    depth += 1;
                    self.at += 1;
                }
                Some(b'}' | b']') if depth > 0 => {
                    depth -= 1;
                    self.at += 1;
                }
                Some(b',' | b'}' | b']') if depth == 0 => return Ok(()),
                Some(_) => self.at += 1,
                None if depth == 0 => return Ok(()),
                None => {
                    return Err(format!("the file ends at line {} with {depth} brackets open", self.line()));
                }
            }
            // A closed bracket or a text ends a value; a number or a word ends before the next comma or bracket.
            let ended = matches!(self.bytes.get(self.at.wrapping_sub(1)), Some(b'}' | b']' | b'"'));
            if depth == 0 && ended {
                return Ok(());
            }
        }
    }

    /// Where the elements of the list here stand.
    fn pieces(&mut self) -> Result<Vec<Piece>, String> {
        let mut pieces = Vec::new();
        self.elements(|start, end| pieces.push(Piece { start, end, line: pieces.len() as u64 + 1 }))?;
        Ok(pieces)
    }

    /// Nothing but space may follow.
    fn end(&mut self) -> Result<(), String> {
        self.space();
        match self.peek() {
            None => Ok(()),
            Some(found) => {
                Err(format!("line {}: \"{}\" after the end of the list", self.line(), char::from(found)))
            }
        }
    }

    /// Hands each member of the object here to `each`, which must step over its value.
    fn members(
        &mut self,
        mut each: impl FnMut(&mut Self, &[u8]) -> Result<(), String>,
    ) -> Result<(), String> {
        self.expect(b'{')?;
        self.space();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.space();
            let start = self.at + 1;
            self.string()?;
            let key = &self.bytes[start..self.at - 1];
            self.expect(b':')?;
            self.space();
            each(self, key)?;
            self.space();
            if self.peek() == Some(b',') {
                self.at += 1;
            } else {
                return self.expect(b'}');
            }
        }
    }

    /// Hands the extent of each element of the list here to `each`.
    fn elements(&mut self, mut each: impl FnMut(usize, usize)) -> Result<(), String> {
        self.expect(b'[')?;
        self.space();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.space();
            let start = self.at;
            self.value()?;
            each(start, self.at);
            self.space();
            if self.peek() == Some(b',') {
                self.at += 1;
            } else {
                return self.expect(b']');
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(text: &[u8]) -> (Vec<&str>, Vec<u64>) {
        let (Layout::Features { pieces, .. } | Layout::Rows(Rows { pieces, .. })) = cut(text).unwrap();
        let text = |piece: &Piece| std::str::from_utf8(&text[piece.start..piece.end]).unwrap();
        (pieces.iter().map(text).collect(), pieces.iter().map(|piece| piece.line).collect())
    }

    #[test]
    fn a_collection_is_cut_into_its_features() {
        let text = br#"{"type":"FeatureCollection","crs":{"properties":{"name":"EPSG:32618"}},"features":[{"a":"}],\""}, {"b":[1,{"c":2}]}],"x":1}"#;
        assert_eq!(pieces(text).0, [r#"{"a":"}],\""}"#, r#"{"b":[1,{"c":2}]}"#]);
        assert!(matches!(cut(text), Ok(Layout::Features { crs: Some(_), .. })));
    }

    #[test]
    fn one_row_per_line_keeps_the_line_numbers() {
        let text = b"\x1e{\"type\":\"Feature\"}\n\n\x1e{\"type\":\"Feature\", \"x\":1}\nbroken\n";
        let (found, lines) = pieces(text);
        assert_eq!((lines, found[2]), (vec![1, 3, 4], "broken\n"));
        assert!(matches!(cut(b"{\"a\":1}\n{\"a\":2}"), Ok(Layout::Rows(rows)) if rows.pieces.len() == 2));
    }

    #[test]
    fn rows_are_found_under_the_key_that_holds_most() {
        let text = br#"{"meta":{"view":{"columns":[{"name":"a"},{"name":"b"},{"name":"c"}]}},"help":[{"x":1}],"data":[[1,2,3],[4,5,6]]}"#;
        let Ok(Layout::Rows(rows)) = cut(text) else { panic!("no rows") };
        assert_eq!((rows.key.as_deref(), rows.pieces.len()), (Some("data"), 2));
        assert_eq!(rows.names.unwrap(), ["a", "b", "c"]);
        let ckan = br#"{"success":true,"result":{"fields":[{"id":"a"}],"records":[{"a":1},{"a":2}]}}"#;
        assert!(matches!(cut(ckan), Ok(Layout::Rows(rows)) if rows.key.as_deref() == Some("result.records")));
        let esri = br#"{"spatialReference":{"wkid":102100},"features":[{"attributes":{"a":1}}]}"#;
        assert!(matches!(cut(esri), Ok(Layout::Rows(rows)) if rows.wkid == Some(3857)));
    }

    #[test]
    fn a_file_that_is_cut_short_says_where() {
        let error = cut(b"{\"type\":\"FeatureCollection\",\n\"features\":[{\"a\":1},{\"b\":").err().unwrap();
        assert!(error.contains("line 2"), "{error}");
        for text in [
            &b"[{\"a\":1}"[..],
            b"[1,2] x",
            b"{\"type\":\"Topology\"}",
            b"",
            b"7",
            b"{\"type\":\"FeatureCollection\",\"features\":[]} {}",
        ] {
            assert!(cut(text).is_err(), "{}", String::from_utf8_lossy(text));
        }
    }

    proptest::proptest! {
        #[test]
        fn cutting_never_panics(bytes: Vec<u8>, json in r#"[{}\[\]",:a1\\ \n]*"#) {
            let _ = cut(&bytes);
            for text in [format!("{{{json}"), format!("[{json}"), format!("{{\"features\":[{json}"), format!("{{}}\n{{{json}")] {
                let _ = cut(text.as_bytes());
            }
        }
    }
}
