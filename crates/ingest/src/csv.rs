//! Delimited text: which encoding, which delimiter, where the header is, and then one record per row.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::io::{self, Read};

use brasa_model::Note;
use encoding_rs::{Encoding, WINDOWS_1252};
use memchr::memchr;

use crate::header::{Header, usual_width};
use crate::open::Source;
use crate::records::{MAX_COLUMNS, Place, Record, Records, StatedCrs};
use crate::split::{Blocks, Dialect, Field, Splitter};
use crate::text::{self, Utf8};
use crate::{IngestError, InputOptions};

/// How much text is looked at to choose encoding, delimiter and header.
const SAMPLE: usize = 256 << 10;
/// Bytes of one record beyond which a quote must have been left open.
const MAX_RECORD: usize = 16 << 20;
/// Lines inside one broken record beyond which a quote must have been left open.
const MAX_LINES: u64 = 50;

/// A delimited text file.
pub(crate) struct Csv {
    source: Source,
    dialect: Dialect,
    encoding: &'static Encoding,
    /// Records before the first row of data: title lines and the header.
    skip: usize,
    columns: Vec<String>,
    notes: RefCell<Vec<Note>>,
    /// Fields that were not valid UTF-8 in a UTF-8 file, read as Windows-1252.
    odd_fields: Cell<u64>,
}

impl Csv {
    /// Chooses encoding, delimiter and header from the first part of the file.
    pub fn open(source: Source, options: &InputOptions) -> Result<Self, IngestError> {
        let mut raw = Vec::new();
        source.reader()?.take(SAMPLE as u64).read_to_end(&mut raw).map_err(|error| source.failed(&error))?;
        let mut notes = Vec::new();
        let (encoding, sample) = text::recognise(&raw, options.encoding.as_deref(), &mut notes)?;
        let whole = raw.len() < SAMPLE;
        let mut dialect = match options.delimiter.as_deref() {
            Some(text) => Dialect { delimiter: named_delimiter(text)?, escape: false },
            None => {
                let delimiter = stated_delimiter(&sample).unwrap_or_else(|| guess_delimiter(&sample));
                if delimiter != b',' {
                    let name = match delimiter {
                        b'\t' => "tab".to_owned(),
                        b' ' => "space".to_owned(),
                        other => char::from(other).escape_default().to_string(),
                    };
                    notes.push(
                        Note::new("delimiter_guessed", format!("fields are separated by \"{name}\""))
                            .value(name, "")
                            .reason("it splits the first rows into equal numbers of fields; change it with --delimiter"),
                    );
                }
                Dialect { delimiter, escape: false }
            }
        };
        dialect.escape = escapes(&sample, dialect);
        let rows = sample_rows(&sample, dialect, whole);
        if rows.is_empty() {
            return Err(IngestError::FileEmpty { name: source.name().to_owned() });
        }
        let header = Header::find(&rows);
        if header.columns.len() > MAX_COLUMNS {
            return Err(IngestError::TooLarge {
                name: source.name().to_owned(),
                what: format!("{} columns", header.columns.len()),
                limit: format!("{MAX_COLUMNS}"),
            });
        }
        notes.extend(header.notes());
        Ok(Self {
            source,
            dialect,
            encoding,
            skip: header.skip,
            columns: header.columns,
            notes: RefCell::new(notes),
            odd_fields: Cell::new(0),
        })
    }

    fn text<'a>(&self, bytes: Cow<'a, [u8]>) -> Cow<'a, str> {
        if std::str::from_utf8(&bytes).is_err() {
            self.odd_fields.set(self.odd_fields.get() + 1);
            return Cow::Owned(WINDOWS_1252.decode_without_bom_handling(&bytes).0.into_owned());
        }
        match bytes {
            Cow::Borrowed(bytes) => String::from_utf8_lossy(bytes),
            Cow::Owned(bytes) => Cow::Owned(String::from_utf8_lossy(&bytes).into_owned()),
        }
    }

    /// Why a row is not a row of this file, if its number of fields says so.
    fn misshapen(&self, row: &Row<'_>) -> Option<String> {
        let width = self.columns.len();
        let surplus = row.cuts.iter().skip(width).any(|cut| !row.field(*cut).trim_ascii().is_empty());
        (row.cuts.len() < width || surplus)
            .then(|| format!("{} fields where the header has {width}", row.cuts.len()))
    }

    /// Whether a field of several lines holds a line with as many delimiters as a row: then a quote was left open
    /// and rows hide in the field.
    fn swallows_rows(&self, row: &Row<'_>) -> bool {
        let least = self.columns.len().saturating_sub(1).max(1);
        let is_row =
            |line: &[u8]| line.iter().filter(|&&byte| byte == self.dialect.delimiter).count() >= least;
        row.cuts.iter().any(|cut| row.field(*cut).split(|&byte| byte == b'\n').skip(1).any(is_row))
    }

    fn unclosed(&self, line: u64, span: String) -> IngestError {
        IngestError::QuoteUnclosed { name: self.source.name().to_owned(), line, span }
    }
}

/// The fields of one record.
struct Row<'a> {
    bytes: &'a [u8],
    cuts: &'a [Field],
    dialect: Dialect,
}

impl<'a> Row<'a> {
    fn field(&self, cut: Field) -> Cow<'a, [u8]> {
        cut.bytes(self.bytes, self.dialect)
    }
}

impl Records for Csv {
    fn columns(&self) -> &[String] {
        &self.columns
    }

    fn has_geometry(&self) -> bool {
        false
    }

    fn crs(&self) -> StatedCrs {
        StatedCrs::Nothing
    }

    fn visit(&self, wanted: &[usize], each: &mut dyn FnMut(&Record<'_>) -> bool) -> Result<(), IngestError> {
        self.odd_fields.set(0);
        let text = Utf8::new(self.source.reader()?, self.encoding);
        let mut blocks = Blocks::new(text, MAX_RECORD);
        let mut splitter = Splitter::new(self.dialect);
        let (mut line, mut seen, mut cuts) = (1_u64, 0_usize, Vec::new());
        loop {
            let bytes = blocks.bytes();
            // What is valid UTF-8 up to some point needs no second look field by field.
            let valid = std::str::from_utf8(bytes).map_or_else(|error| error.valid_up_to(), str::len);
            let text =
                bytes.get(..valid).and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default();
            let zeros = memchr(0, bytes).is_some();
            let (mut at, mut fields) = (0, Vec::with_capacity(wanted.len()));
            while let Some(found) = splitter.cut(bytes, at, blocks.ended(), &mut cuts) {
                let first = line + found.blank;
                if found.next - at > MAX_RECORD {
                    return Err(self.unclosed(first, format!("{} MiB", MAX_RECORD >> 20)));
                }
                let raw = &bytes[at..found.next];
                (line, at) = (first + 1 + found.inner, found.next);
                seen += 1;
                if seen <= self.skip {
                    continue;
                }
                let row = Row { bytes, cuts: &cuts, dialect: self.dialect };
                let mut broken = self.misshapen(&row);
                if zeros && raw.contains(&0) {
                    broken = Some("a NUL byte".to_owned());
                }
                if found.inner > 0 && (broken.is_some() || self.swallows_rows(&row)) {
                    if found.inner > MAX_LINES {
                        return Err(self.unclosed(first, format!("{} lines", found.inner)));
                    }
                    broken = Some(format!("a quote runs on to line {}", first + found.inner));
                }
                fields.clear();
                if broken.is_none() {
                    fields.extend(wanted.iter().map(|&at| match cuts.get(at) {
                        Some(cut) => match cut.plain_text(text) {
                            Some(field) => Cow::Borrowed(field),
                            None => self.text(cut.bytes(bytes, self.dialect)),
                        },
                        None => Cow::Borrowed(""),
                    }));
                }
                let record = Record { line: first, fields, place: Place::InColumns, broken };
                if !each(&record) {
                    return Ok(());
                }
                fields = record.fields;
            }
            if blocks.ended() {
                return Ok(());
            }
            drop(fields);
            blocks.more(at).map_err(|error| match error.kind() {
                io::ErrorKind::InvalidInput => self.unclosed(line, format!("{} MiB", MAX_RECORD >> 20)),
                _ => self.source.failed(&error),
            })?;
        }
    }

    fn notes(&self) -> Vec<Note> {
        let mut notes = self.notes.borrow().clone();
        if self.odd_fields.get() > 0 {
            let count = self.odd_fields.get();
            notes.push(
                Note::new(
                    "encoding_mixed",
                    format!("{count} fields are not valid UTF-8 and were read as Windows-1252"),
                )
                .value(count, "fields")
                .reason("the rest of the file is UTF-8; change it with --encoding"),
            );
        }
        notes
    }
}

fn builder(dialect: Dialect) -> csv::ReaderBuilder {
    let mut builder = csv::ReaderBuilder::new();
    builder.delimiter(dialect.delimiter).has_headers(false).flexible(true);
    builder.escape(dialect.escape.then_some(b'\\'));
    builder
}

fn named_delimiter(text: &str) -> Result<u8, IngestError> {
    match text {
        "tab" | "\\t" | "\t" => Ok(b'\t'),
        "comma" => Ok(b','),
        "semicolon" => Ok(b';'),
        "pipe" => Ok(b'|'),
        _ if text.len() == 1 && text.is_ascii() && !text.starts_with(['"', '\n', '\r']) => {
            Ok(text.as_bytes()[0])
        }
        _ => Err(IngestError::OptionInvalid {
            flag: "--delimiter",
            value: text.to_owned(),
            expected: "one character, or the word tab".to_owned(),
        }),
    }
}

/// The rows of the sample; the last one is dropped if the sample cuts it.
fn sample_rows(sample: &str, dialect: Dialect, whole: bool) -> Vec<Vec<String>> {
    let sample = sample.strip_prefix('\u{feff}').unwrap_or(sample);
    let mut reader = builder(dialect).from_reader(sample.as_bytes());
    let mut rows: Vec<Vec<String>> = reader
        .byte_records()
        .map_while(Result::ok)
        .take(201)
        .map(|row| row.iter().map(|field| String::from_utf8_lossy(field).trim().to_owned()).collect())
        .collect();
    if !whole && rows.len() < 201 && rows.len() > 1 {
        rows.pop();
    }
    rows
}

/// Excel's own way to say it: a first line `sep=;`.
fn stated_delimiter(sample: &str) -> Option<u8> {
    let line = sample.strip_prefix('\u{feff}').unwrap_or(sample).lines().next()?;
    let (key, value) = line.trim_matches('"').split_once('=')?;
    let &[delimiter] = value.as_bytes() else { return None };
    (key.eq_ignore_ascii_case("sep") && !delimiter.is_ascii_alphanumeric()).then_some(delimiter)
}

/// The share of rows of the usual width, in percent.
fn evenness(rows: &[Vec<String>]) -> usize {
    usual_width(rows).1 * 100 / rows.len().max(1)
}

/// The delimiter that cuts the rows, and above all the first, into equal numbers of fields. The rarer ones have a say
/// where none of the usual cuts at all.
fn guess_delimiter(sample: &str) -> u8 {
    let score = |delimiter: u8| {
        let rows = sample_rows(sample, Dialect { delimiter, escape: false }, false);
        let (width, _) = usual_width(&rows);
        let first = rows.first().is_some_and(|row| row.len() == width);
        (width > 1, first, evenness(&rows), width)
    };
    // On a tie the earlier one wins, so the list is walked from its end.
    let best = |delimiters: &[u8]| {
        delimiters.iter().rev().map(|&one| (score(one), one)).max_by_key(|&(score, _)| score)
    };
    match (best(b",;\t|"), best(b"^~\x1f\x01 ")) {
        (Some(((false, ..), _)), Some(((true, true, 90.., _), rare))) => rare,
        (Some((_, usual)), _) => usual,
        _ => b',',
    }
}

/// Whether rows are more even once a backslash is taken for an escape.
fn escapes(sample: &str, dialect: Dialect) -> bool {
    let even = |escape| evenness(&sample_rows(sample, Dialect { escape, ..dialect }, false));
    sample.contains("\\\"") && even(true) > even(false)
}
