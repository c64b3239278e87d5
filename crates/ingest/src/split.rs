//! Delimited text cut into records, a block of bytes at a time: where each field stands, without a copy of it.
//!
//! The rules are those of RFC 4180 as exports follow them. A quote opens a field only at its start; two quotes in a quoted field
//! are one; what follows a closing quote belongs to the field; a line feed ends a record outside quotes; an empty line is none. The
//! crate `csv` reads by the same rules and is the witness in the tests; this is here because it copies nothing.

use std::borrow::Cow;
use std::io::{self, Read};

use memchr::{memchr, memchr_iter, memchr2};

use crate::marks::Marks;

/// Bytes read at a time.
const BLOCK: usize = 1 << 18;

/// Bytes in blocks, each with whole records and the beginning of one more.
pub(crate) struct Blocks<R> {
    inner: R,
    buffer: Vec<u8>,
    /// The bytes in use.
    from: usize,
    to: usize,
    ended: bool,
    /// Bytes that one record may take.
    most: usize,
}

impl<R: Read> Blocks<R> {
    /// The bytes of `inner`, of which no record may take more than `most`.
    pub fn new(inner: R, most: usize) -> Self {
        Self { inner, buffer: vec![0; BLOCK], from: 0, to: 0, ended: false, most }
    }

    /// The bytes that were read and not yet passed.
    pub fn bytes(&self) -> &[u8] {
        &self.buffer[self.from..self.to]
    }

    /// Whether nothing follows these bytes.
    pub const fn ended(&self) -> bool {
        self.ended
    }

    /// Goes on: `passed` of the bytes are done with, and more are wanted behind the others.
    ///
    /// # Errors
    /// [`io::ErrorKind::InvalidInput`] when the record that was begun is too long; what the reader says otherwise.
    pub fn more(&mut self, passed: usize) -> io::Result<()> {
        self.buffer.copy_within(self.from + passed..self.to, 0);
        (self.from, self.to) = (0, self.to - self.from - passed);
        if self.to == self.buffer.len() {
            if self.to > self.most {
                return Err(io::Error::from(io::ErrorKind::InvalidInput));
            }
            self.buffer.resize(2 * self.to, 0);
        }
        while self.to < self.buffer.len() && !self.ended {
            match self.inner.read(&mut self.buffer[self.to..]) {
                Ok(0) => self.ended = true,
                Ok(count) => self.to += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// How fields are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Dialect {
    pub delimiter: u8,
    /// A backslash before a quote makes it a letter, as MySQL writes it; elsewhere two quotes do.
    pub escape: bool,
}

/// Where a field stands in its block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Field {
    start: usize,
    end: usize,
    /// Whether quotes are to be taken out of it.
    dressed: bool,
}

impl Field {
    /// A field that is quoted as a whole, or not at all, and holds no quote.
    pub fn between(bytes: &[u8], start: usize, end: usize) -> Self {
        let quoted = bytes.get(start) == Some(&b'"') && end >= start + 2;
        if quoted {
            Self { start: start + 1, end: end - 1, dressed: false }
        } else {
            Self { start, end, dressed: false }
        }
    }

    /// Its text, if it stands there as it is meant.
    pub fn plain_text(self, text: &str) -> Option<&str> {
        if self.dressed { None } else { text.get(self.start..self.end) }
    }

    /// Its bytes.
    pub fn bytes(self, bytes: &[u8], dialect: Dialect) -> Cow<'_, [u8]> {
        let raw = bytes.get(self.start..self.end).unwrap_or_default();
        if !self.dressed {
            return Cow::Borrowed(raw);
        }
        // Quotes count until the one that closes the field; behind it they are letters.
        let mut out = Vec::with_capacity(raw.len());
        let mut rest = &raw[1..];
        while let Some(at) = dialect.special(rest) {
            out.extend_from_slice(&rest[..at]);
            let is_quote = rest[at] == b'"';
            rest = &rest[at + 1..];
            // After a backslash comes a letter, whichever it is; after a quote one more quote, or the end.
            match rest.first() {
                Some(&letter) if !is_quote || letter == b'"' => out.push(letter),
                _ => break,
            }
            rest = &rest[1..];
        }
        out.extend_from_slice(rest);
        Cow::Owned(out)
    }
}

/// A record in a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cut {
    /// Where what follows it begins.
    pub next: usize,
    /// Empty lines before it.
    pub blank: u64,
    /// Line feeds inside its fields.
    pub inner: u64,
}

/// Cuts records one after the other: by bits where they are plain, else byte by byte.
pub(crate) struct Splitter {
    dialect: Dialect,
    marks: Option<Marks>,
}

impl Splitter {
    /// For text in this dialect.
    pub fn new(dialect: Dialect) -> Self {
        Self { dialect, marks: Marks::new(dialect) }
    }

    /// As [`cut`]. The bytes before a `None` and those after it may differ.
    pub fn cut(&mut self, bytes: &[u8], at: usize, ended: bool, fields: &mut Vec<Field>) -> Option<Cut> {
        if let Some(marks) = &mut self.marks {
            let (mut from, mut blank) = (at, 0);
            fields.clear();
            while let Some(next) = marks.cut(bytes, from, fields) {
                if next > from + 1 {
                    return Some(Cut { next, blank, inner: 0 });
                }
                fields.clear();
                (from, blank) = (next, blank + 1);
            }
        }
        cut(bytes, at, ended, self.dialect, fields)
    }
}

/// Finds the record that begins at `at`, or behind the empty lines there, and tells where its fields stand; `None` when the bytes
/// end before it does. `ended` says that no bytes follow.
pub(crate) fn cut(
    bytes: &[u8],
    mut at: usize,
    ended: bool,
    dialect: Dialect,
    fields: &mut Vec<Field>,
) -> Option<Cut> {
    let delimiter = dialect.delimiter;
    fields.clear();
    let mut blank = 0;
    while bytes.get(at) == Some(&b'\n') {
        blank += 1;
        at += 1;
    }
    if at >= bytes.len() {
        return None;
    }
    let first = at;
    let mut quoted = false;
    // Only a quoted field holds line feeds; most records are looked over once.
    let inner = |quoted: bool, end: usize| {
        if quoted { memchr_iter(b'\n', &bytes[first..end]).count() as u64 } else { 0 }
    };
    loop {
        let start = at;
        let mut field = Field { start, end: start, dressed: false };
        if bytes.get(at) == Some(&b'"') {
            match dialect.closing(bytes, at + 1) {
                Some((close, doubled)) => {
                    quoted = true;
                    at = close + 1;
                    let ends = bytes.get(at).is_none_or(|&byte| byte == delimiter || byte == b'\n');
                    field = if ends && !doubled {
                        Field { start: start + 1, end: close, dressed: false }
                    } else {
                        at += plain_length(&bytes[at..], delimiter);
                        Field { start, end: at, dressed: true }
                    };
                }
                None if ended => {
                    quoted = true;
                    at = bytes.len();
                    field = Field { start, end: at, dressed: true };
                }
                None => return None,
            }
        } else {
            at += plain_length(&bytes[at..], delimiter);
            field.end = at;
        }
        fields.push(field);
        match bytes.get(at) {
            Some(&byte) if byte == delimiter => at += 1,
            Some(_) => return Some(Cut { next: at + 1, blank, inner: inner(quoted, at) }),
            None if ended => return Some(Cut { next: at, blank, inner: inner(quoted, at) }),
            None => return None,
        }
    }
}

impl Dialect {
    /// The next quote, or backslash where it means something.
    fn special(self, bytes: &[u8]) -> Option<usize> {
        if self.escape { memchr2(b'"', b'\\', bytes) } else { memchr(b'"', bytes) }
    }

    /// The quote that closes a field whose content begins at `at`, and whether there are others before it that are letters;
    /// `None` if the bytes end first.
    fn closing(self, bytes: &[u8], mut at: usize) -> Option<(usize, bool)> {
        let mut dressed = false;
        loop {
            let found = at + self.special(bytes.get(at..)?)?;
            if bytes[found] == b'"' && bytes.get(found + 1) != Some(&b'"') {
                return Some((found, dressed));
            }
            dressed = true;
            at = found + 2;
        }
    }
}

/// How many bytes come before the next delimiter or line feed.
fn plain_length(bytes: &[u8], delimiter: u8) -> usize {
    // Most fields are short: a call costs more than a look at a few bytes.
    let short = bytes.len().min(16);
    let ends = |byte: &u8| *byte == delimiter || *byte == b'\n';
    bytes[..short]
        .iter()
        .position(ends)
        .unwrap_or_else(|| memchr2(delimiter, b'\n', &bytes[short..]).map_or(bytes.len(), |at| at + short))
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMA: Dialect = Dialect { delimiter: b',', escape: false };

    type Row = (u64, u64, Vec<Vec<u8>>);

    /// All records, read so many bytes at a time.
    fn split(bytes: &[u8], dialect: Dialect, step: usize) -> Vec<Row> {
        struct Slow<'a>(&'a [u8], usize);
        impl Read for Slow<'_> {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                let count = self.1.min(self.0.len()).min(buffer.len());
                buffer[..count].copy_from_slice(&self.0[..count]);
                self.0 = &self.0[count..];
                Ok(count)
            }
        }
        let mut blocks = Blocks::new(Slow(bytes, step), 1 << 24);
        // Small blocks, so that records are cut by their ends.
        blocks.buffer = vec![0; step + 1];
        let (mut rows, mut fields, mut line) = (Vec::new(), Vec::new(), 1);
        let mut splitter = Splitter::new(dialect);
        loop {
            let mut at = 0;
            while let Some(found) = splitter.cut(blocks.bytes(), at, blocks.ended(), &mut fields) {
                line += found.blank;
                let texts =
                    fields.iter().map(|field| field.bytes(blocks.bytes(), dialect).into_owned()).collect();
                rows.push((line, found.inner, texts));
                line += 1 + found.inner;
                at = found.next;
            }
            if blocks.ended() {
                return rows;
            }
            // Empty lines at the end of a block are looked at again with the next.
            blocks.more(at).unwrap();
        }
    }

    fn by_csv(bytes: &[u8], dialect: Dialect) -> Vec<Vec<Vec<u8>>> {
        let mut builder = csv::ReaderBuilder::new();
        builder.delimiter(dialect.delimiter).has_headers(false).flexible(true);
        builder.escape(dialect.escape.then_some(b'\\'));
        let mut reader = builder.from_reader(bytes);
        reader.byte_records().map(|row| row.unwrap().iter().map(<[u8]>::to_vec).collect()).collect()
    }

    #[test]
    fn fields_are_what_their_quotes_mean() {
        let rows = split(b"a,\"b, \"\"c\"\"\",d\n\n\"two\nlines\"x,\"y\"\n\"open\n,", COMMA, 1000);
        let texts = |at: usize| -> Vec<String> {
            rows[at].2.iter().map(|field| String::from_utf8_lossy(field).into_owned()).collect()
        };
        assert_eq!((rows[0].0, texts(0)), (1, vec!["a".into(), "b, \"c\"".into(), "d".into()]));
        assert_eq!((rows[1].0, rows[1].1, texts(1)), (3, 1, vec!["two\nlinesx".into(), "y".into()]));
        assert_eq!((rows[2].0, rows[2].1, texts(2)), (5, 1, vec!["open\n,".to_owned()]));
    }

    #[test]
    fn a_record_that_never_ends_is_refused() {
        let mut blocks = Blocks::new(io::repeat(b'x'), 1 << 20);
        let error = loop {
            if let Err(error) = blocks.more(0) {
                break error;
            }
            assert!(cut(blocks.bytes(), 0, blocks.ended(), COMMA, &mut Vec::new()).is_none());
        };
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    }

    proptest::proptest! {
        #[test]
        fn it_cuts_as_the_crate_csv_does(text in "[ab,;\"\\\\\n]{0,60}", step in 1_usize..80, escape: bool) {
            for delimiter in [b',', b';'] {
                let dialect = Dialect { delimiter, escape };
                let found: Vec<Vec<Vec<u8>>> =
                    split(text.as_bytes(), dialect, step).into_iter().map(|row| row.2).collect();
                proptest::prop_assert_eq!(found, by_csv(text.as_bytes(), dialect));
            }
        }

        #[test]
        fn it_cuts_by_bits_as_byte_by_byte(
            fields in proptest::collection::vec("[abc]{0,40}|\"[ab,]{0,70}\"|\n|\"a\nb\"|a\"b|\"\"|\"a\"\"b\"", 0..300),
            ends in proptest::collection::vec("[,\n]", 300),
            step in 50_usize..5000,
        ) {
            let text: String = fields.into_iter().zip(ends).flat_map(|(field, end)| [field, end]).collect();
            let mut by_bytes = Vec::new();
            let (mut at, mut line, mut fields) = (0, 1, Vec::new());
            while let Some(found) = cut(text.as_bytes(), at, true, COMMA, &mut fields) {
                line += found.blank;
                let texts = fields.iter().map(|field| field.bytes(text.as_bytes(), COMMA).into_owned()).collect();
                by_bytes.push((line, found.inner, texts));
                line += 1 + found.inner;
                at = found.next;
            }
            proptest::prop_assert_eq!(split(text.as_bytes(), COMMA, step), by_bytes);
        }

        #[test]
        fn no_bytes_stop_it_and_every_line_is_counted(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..200), step in 1_usize..80) {
            let rows = split(&bytes, COMMA, step);
            let lines = bytes.split(|&byte| byte == b'\n').count() as u64;
            for (line, inner, _) in rows {
                proptest::prop_assert!(line >= 1 && line + inner <= lines);
            }
        }
    }
}
