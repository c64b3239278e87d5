//! Delimited text: which encoding, which delimiter, where the header is, and then one record per row.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::io::{self, Read};
use std::rc::Rc;

use brasa_model::Note;
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

use crate::dates::looks_like_date;
use crate::open::Source;
use crate::records::{Place, Record, Records, StatedCrs};
use crate::{IngestError, InputOptions};

/// How much text is looked at to choose encoding, delimiter and header.
const SAMPLE: usize = 256 << 10;
/// Columns beyond which a file is refused.
const MAX_COLUMNS: usize = 10_000;
/// Bytes of one record beyond which a quote must have been left open.
const MAX_RECORD: u64 = 16 << 20;
/// Lines inside one broken record beyond which a quote must have been left open.
const MAX_LINES: u64 = 50;

/// A delimited text file.
pub(crate) struct Csv {
    source: Source,
    delimiter: u8,
    encoding: &'static Encoding,
    /// Records before the first row of data: title lines and the header.
    skip: usize,
    columns: Vec<String>,
    notes: RefCell<Vec<Note>>,
    /// Fields that were not valid UTF-8 in a UTF-8 file, read as Windows-1252.
    odd_fields: Cell<u64>,
}

/// Whether bytes look like UTF-16: a byte order mark, or every other byte zero.
pub(crate) fn looks_like_utf16(head: &[u8]) -> bool {
    utf16(head).is_some()
}

fn utf16(head: &[u8]) -> Option<&'static Encoding> {
    if head.starts_with(&[0xff, 0xfe]) {
        return Some(UTF_16LE);
    }
    if head.starts_with(&[0xfe, 0xff]) {
        return Some(UTF_16BE);
    }
    let pairs = head.chunks_exact(2).take(512);
    let total = pairs.len();
    let high = pairs.clone().filter(|pair| pair[0] == 0 && pair[1] != 0).count();
    let low = pairs.filter(|pair| pair[1] == 0 && pair[0] != 0).count();
    let most = |count: usize| total >= 4 && count * 10 >= total * 9;
    if most(low) {
        Some(UTF_16LE)
    } else if most(high) {
        Some(UTF_16BE)
    } else {
        None
    }
}

impl Csv {
    /// Chooses encoding, delimiter and header from the first part of the file.
    pub fn open(source: Source, options: &InputOptions) -> Result<Self, IngestError> {
        let mut raw = Vec::new();
        source.reader()?.take(SAMPLE as u64).read_to_end(&mut raw).map_err(|error| source.failed(&error))?;
        let mut notes = Vec::new();
        let encoding = choose_encoding(&raw, options.encoding.as_deref(), &mut notes)?;
        let sample = encoding.decode(&raw).0;
        let whole = raw.len() < SAMPLE;
        let delimiter = match options.delimiter.as_deref() {
            Some(text) => named_delimiter(text)?,
            None => {
                let delimiter = guess_delimiter(&sample);
                if delimiter != b',' {
                    let name =
                        if delimiter == b'\t' { "tab".to_owned() } else { char::from(delimiter).to_string() };
                    notes.push(
                        Note::new("delimiter_guessed", format!("fields are separated by \"{name}\""))
                            .value(name, "")
                            .reason("it splits the first rows into equal numbers of fields; change it with --delimiter"),
                    );
                }
                delimiter
            }
        };
        let rows = sample_rows(&sample, delimiter, whole);
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
        notes.extend(header.note());
        Ok(Self {
            source,
            delimiter,
            encoding,
            skip: header.skip,
            columns: header.columns,
            notes: RefCell::new(notes),
            odd_fields: Cell::new(0),
        })
    }

    fn text<'a>(&self, bytes: &'a [u8]) -> Cow<'a, str> {
        match std::str::from_utf8(bytes) {
            Ok(text) => Cow::Borrowed(text),
            Err(_) => {
                self.odd_fields.set(self.odd_fields.get() + 1);
                Cow::Owned(WINDOWS_1252.decode_without_bom_handling(bytes).0.into_owned())
            }
        }
    }

    /// Why a row is not a row of this file, if its number of fields says so.
    fn misshapen(&self, row: &csv::ByteRecord) -> Option<String> {
        let width = self.columns.len();
        let surplus = row.iter().skip(width).any(|field| !field.trim_ascii().is_empty());
        (row.len() < width || surplus).then(|| format!("{} fields where the header has {width}", row.len()))
    }

    /// Whether a field of several lines holds a line with as many delimiters as a row: then a quote was left open
    /// and rows hide in the field.
    fn swallows_rows(&self, row: &csv::ByteRecord) -> bool {
        let least = self.columns.len().saturating_sub(1).max(1);
        let is_row = |line: &[u8]| line.iter().filter(|&&byte| byte == self.delimiter).count() >= least;
        row.iter().any(|field| field.split(|&byte| byte == b'\n').skip(1).any(is_row))
    }

    fn unclosed(&self, line: u64, span: String) -> IngestError {
        IngestError::QuoteUnclosed { name: self.source.name().to_owned(), line, span }
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
        let used = Rc::new(Cell::new(0_u64));
        let capped =
            Capped { inner: Utf8::new(self.source.reader()?, self.encoding), used: Rc::clone(&used) };
        let mut reader = builder(self.delimiter).buffer_capacity(1 << 18).from_reader(capped);
        let mut row = csv::ByteRecord::new();
        let mut seen = 0_usize;
        loop {
            let line = reader.position().line();
            used.set(0);
            let more = reader.read_byte_record(&mut row).map_err(|error| match error.into_kind() {
                csv::ErrorKind::Io(error) if error.kind() == io::ErrorKind::InvalidInput => {
                    self.unclosed(line, format!("{} MiB", MAX_RECORD >> 20))
                }
                csv::ErrorKind::Io(error) => self.source.failed(&error),
                other => {
                    IngestError::ReadFailed { name: self.source.name().to_owned(), why: format!("{other:?}") }
                }
            })?;
            if !more {
                return Ok(());
            }
            seen += 1;
            if seen <= self.skip {
                continue;
            }
            let span = Span::of(&row, line, reader.position().line());
            let line = span.first;
            let mut broken = self.misshapen(&row);
            if span.inner > 0 && (broken.is_some() || self.swallows_rows(&row)) {
                if span.inner > MAX_LINES {
                    return Err(self.unclosed(line, format!("{} lines", span.inner)));
                }
                broken = Some(format!("a quote runs on to line {}", line + span.inner));
            }
            let fields = match broken {
                None => wanted.iter().map(|&at| self.text(row.get(at).unwrap_or_default())).collect(),
                Some(_) => Vec::new(),
            };
            if !each(&Record { line, fields, place: Place::InColumns, broken }) {
                return Ok(());
            }
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

/// Which lines a record takes.
struct Span {
    first: u64,
    /// Line ends inside its fields.
    inner: u64,
}

impl Span {
    /// From where the reader stood before and after the record: blank lines before it are passed over.
    fn of(row: &csv::ByteRecord, before: u64, after: u64) -> Self {
        if after <= before + 1 {
            return Self { first: before, inner: 0 };
        }
        let inner = row.as_slice().iter().filter(|&&byte| byte == b'\n').count() as u64;
        let first = if after > before + 1 + inner { after - 1 - inner } else { before };
        Self { first, inner }
    }
}

fn builder(delimiter: u8) -> csv::ReaderBuilder {
    let mut builder = csv::ReaderBuilder::new();
    builder.delimiter(delimiter).has_headers(false).flexible(true);
    builder
}

fn choose_encoding(
    raw: &[u8],
    wanted: Option<&str>,
    notes: &mut Vec<Note>,
) -> Result<&'static Encoding, IngestError> {
    if let Some(label) = wanted {
        let label = label.trim();
        let found = match label.to_ascii_lowercase().as_str() {
            "utf-16" | "utf16" => Some(utf16(raw).unwrap_or(UTF_16LE)),
            "latin-1" => Some(WINDOWS_1252),
            _ => Encoding::for_label(label.as_bytes()),
        };
        return found.ok_or_else(|| IngestError::OptionInvalid {
            flag: "--encoding",
            value: label.to_owned(),
            expected: "an encoding we know, such as utf-8, latin1 or utf-16".to_owned(),
        });
    }
    let (encoding, why) = if let Some(encoding) = utf16(raw) {
        (encoding, "every second byte says so")
    } else {
        let valid = match std::str::from_utf8(raw) {
            Ok(_) => true,
            // A character cut in two by the end of the sample is no evidence.
            Err(error) => error.error_len().is_none(),
        };
        if valid {
            return Ok(UTF_8);
        }
        (WINDOWS_1252, "the text is not valid UTF-8; Windows-1252 contains Latin-1")
    };
    notes.push(
        Note::new("encoding_guessed", format!("the text is read as {}", encoding.name()))
            .value(encoding.name(), "")
            .reason(format!("{why}; change it with --encoding")),
    );
    Ok(encoding)
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
fn sample_rows(sample: &str, delimiter: u8, whole: bool) -> Vec<Vec<String>> {
    let sample = sample.strip_prefix('\u{feff}').unwrap_or(sample);
    let mut reader = builder(delimiter).from_reader(sample.as_bytes());
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

/// The number of fields most rows have, and how many rows have it.
fn usual_width(rows: &[Vec<String>]) -> (usize, usize) {
    let mut counts = std::collections::BTreeMap::new();
    for row in rows {
        *counts.entry(row.len()).or_insert(0_usize) += 1;
    }
    counts.into_iter().max_by_key(|&(width, count)| (count, width)).unwrap_or((0, 0))
}

/// The delimiter that cuts the rows, and above all the first, into equal numbers of fields.
fn guess_delimiter(sample: &str) -> u8 {
    let score = |delimiter: u8| {
        let rows = sample_rows(sample, delimiter, false);
        let (width, count) = usual_width(&rows);
        let first = rows.first().is_some_and(|row| row.len() == width);
        let even = if rows.is_empty() { 0 } else { count * 100 / rows.len() };
        (width > 1, first, even, width)
    };
    // On a tie the earlier one wins, so the list is walked from its end.
    [b'|', b'\t', b';', b','].into_iter().max_by_key(|&delimiter| score(delimiter)).unwrap_or(b',')
}

struct Header {
    columns: Vec<String>,
    skip: usize,
    titles: usize,
    named: bool,
}

impl Header {
    /// The header is the first row as wide as most, unless all its fields are numbers or dates.
    fn find(rows: &[Vec<String>]) -> Self {
        let (width, _) = usual_width(rows);
        let full = |row: &Vec<String>| {
            row.len() == width && row.iter().filter(|field| !field.is_empty()).count() * 2 >= width
        };
        let titles = rows.iter().position(full).unwrap_or(0);
        let names = rows.get(titles).cloned().unwrap_or_default();
        let is_value = |field: &String| {
            let number = field.replace(',', ".").parse::<f64>().is_ok();
            field.is_empty() || number || looks_like_date(field)
        };
        let named = !(names.iter().all(is_value) && names.iter().any(|field| !field.is_empty()));
        let columns = names
            .iter()
            .enumerate()
            .map(
                |(at, name)| {
                    if named && !name.is_empty() { name.clone() } else { format!("column{}", at + 1) }
                },
            )
            .collect();
        Self { columns, skip: titles + usize::from(named), titles, named }
    }

    fn note(&self) -> Vec<Note> {
        let mut notes = Vec::new();
        if self.titles > 0 {
            notes.push(
                Note::new(
                    "title_rows_skipped",
                    format!("the first {} rows are titles and were skipped", self.titles),
                )
                .value(self.titles, "rows")
                .reason("they have fewer fields than the rows below"),
            );
        }
        if !self.named {
            let last = self.columns.len();
            notes.push(
                Note::new(
                    "header_absent",
                    format!("there is no header; the columns are called column1 to column{last}"),
                )
                .reason("every field of the first row is a number or a date"),
            );
        }
        notes
    }
}

/// Fails once one record takes in more than the limit: the reader resets `used` before each record.
struct Capped<R> {
    inner: R,
    used: Rc<Cell<u64>>,
}

impl<R: Read> Read for Capped<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.used.get() > MAX_RECORD {
            return Err(io::Error::from(io::ErrorKind::InvalidInput));
        }
        let count = self.inner.read(buffer)?;
        self.used.set(self.used.get() + count as u64);
        Ok(count)
    }
}

/// Any encoding in, UTF-8 out; UTF-8 itself passes untouched but for its mark.
struct Utf8 {
    inner: Box<dyn Read>,
    decoder: Option<encoding_rs::Decoder>,
    raw: Vec<u8>,
    ready: Vec<u8>,
    at: usize,
    started: bool,
    ended: bool,
}

impl Utf8 {
    fn new(inner: Box<dyn Read>, encoding: &'static Encoding) -> Self {
        let decoder = (encoding != UTF_8).then(|| encoding.new_decoder_with_bom_removal());
        Self { inner, decoder, raw: vec![0; 1 << 16], ready: Vec::new(), at: 0, started: false, ended: false }
    }

    fn hand_out(&mut self, buffer: &mut [u8]) -> usize {
        let count = buffer.len().min(self.ready.len() - self.at);
        buffer[..count].copy_from_slice(&self.ready[self.at..self.at + count]);
        self.at += count;
        count
    }
}

impl Read for Utf8 {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at < self.ready.len() {
            return Ok(self.hand_out(buffer));
        }
        let Some(decoder) = &mut self.decoder else {
            if !self.started {
                self.started = true;
                let mut mark = Vec::new();
                (&mut self.inner).take(3).read_to_end(&mut mark)?;
                if mark != b"\xef\xbb\xbf" {
                    self.ready = mark;
                    self.at = 0;
                    if !self.ready.is_empty() {
                        return Ok(self.hand_out(buffer));
                    }
                }
            }
            return self.inner.read(buffer);
        };
        while !self.ended {
            let count = self.inner.read(&mut self.raw)?;
            self.ended = count == 0;
            let mut text = String::with_capacity(
                decoder.max_utf8_buffer_length(count).unwrap_or(count.saturating_mul(3) + 16),
            );
            let _ = decoder.decode_to_string(&self.raw[..count], &mut text, self.ended);
            self.ready = text.into_bytes();
            self.at = 0;
            if !self.ready.is_empty() {
                return Ok(self.hand_out(buffer));
            }
        }
        Ok(0)
    }
}
