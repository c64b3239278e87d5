//! From a path to bytes of a known form, with their digest. Plain local files only.

use std::cell::{Cell, RefCell};
use std::fs::File;
use std::io::{self, BufReader, Cursor, Read};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use flate2::read::MultiGzDecoder;

use crate::ahead::{self, Digesting};
use crate::memory::{self, Table, Tally};
use crate::{IngestError, archive};

/// Unpacked bytes per packed byte beyond which a file is taken for a bomb.
const MAX_RATIO: u64 = 200;
/// Below this much unpacked data the ratio is not looked at: small files compress well.
const RATIO_FROM: u64 = 64 << 20;
/// Unpacked bytes beyond which a file is refused whatever its ratio.
const MAX_UNPACKED: u64 = 64 << 30;
/// Unpacked bytes beyond which a member of an archive is not held in memory.
const MAX_HELD: u64 = 4 << 30;
/// How much of the content is looked at to tell the format.
const HEAD: usize = 4096;

/// A file that was found and recognised.
pub(crate) struct Opened {
    /// What messages call it.
    pub name: String,
    path: PathBuf,
    /// Size of the file as stored.
    pub bytes: u64,
    /// What it holds.
    pub form: Form,
    /// The layer asked for, as far as it is not the member of an archive.
    pub layer: Option<String>,
}

impl Opened {
    /// The share of the file that the last reader has taken in, where rows are read off the bytes as they come.
    pub fn share_read(&self) -> Option<f64> {
        let Form::Text(source) = &self.form else { return None };
        let all = if let Kind::Memory(bytes) = &source.kind { bytes.len() as u64 } else { self.bytes };
        Some((source.taken.get() as f64 / all.max(1) as f64).min(1.0))
    }

    /// Begins to digest the file: of text that is read from it, the bytes that its next reader takes in anyway; of all else in a
    /// thread beside it.
    pub fn digest(&self) -> Result<Digest, IngestError> {
        let failed = |error: io::Error| unreadable(&self.path, &error);
        if connection(&self.path).is_some() {
            return Ok(Digest(Rc::default()));
        }
        if let Form::Table(_, tally) = &self.form {
            return Ok(Digest(Rc::new(RefCell::new(Tap::Tally(Rc::clone(tally))))));
        }
        if let Form::Text(source) = &self.form
            && let Kind::File(path) | Kind::Gzip(path) = &source.kind
        {
            *source.tap.borrow_mut() = Tap::Open(File::open(path).map_err(failed)?);
            return Ok(Digest(Rc::clone(&source.tap)));
        }
        let files = parts(&self.path).map_err(failed)?;
        let files = files.iter().map(File::open).collect::<io::Result<Vec<_>>>().map_err(failed)?;
        let digesting = ahead::digest(files).map_err(failed)?;
        Ok(Digest(Rc::new(RefCell::new(Tap::Runs(digesting)))))
    }

    /// Whether the whole content is in memory while it is read.
    pub fn is_held_whole(&self) -> bool {
        match &self.form {
            Form::Text(source) => matches!(source.kind, Kind::Memory(_)),
            Form::Json(_) | Form::Sheets(_) => true,
            #[cfg(feature = "parquet")]
            Form::Parquet(source) => source.file().is_none(),
            Form::Table(..) => true,
            Form::Other(..) => false,
        }
    }
}

/// What a file holds, told by its content first and its ending second.
pub(crate) enum Form {
    /// Delimited text.
    Text(Source),
    /// JSON, as one value or one per line; GeoJSON is JSON.
    Json(Source),
    /// A workbook with sheets.
    Sheets(Source),
    /// Parquet or GeoParquet.
    #[cfg(feature = "parquet")]
    Parquet(Source),
    /// A table in memory, and what is read of it.
    Table(Arc<Table>, Rc<RefCell<Tally>>),
    /// For GDAL: where to find it, and a name for the format.
    Other(
        #[cfg_attr(not(feature = "gdal"), expect(dead_code, reason = "only GDAL opens it"))] Place,
        &'static str,
    ),
}

/// Where something is that GDAL opens by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    /// A file, or the folder of a file geodatabase.
    pub path: PathBuf,
    /// The way into it, if it is an archive: the member, or an archive in it and its member.
    pub inside: Vec<String>,
}

/// Bytes that can be read from the start as often as needed, unpacked.
#[derive(Clone)]
pub(crate) struct Source {
    name: String,
    kind: Kind,
    /// Bytes as stored that the last reader has taken in.
    taken: Rc<Cell<u64>>,
    tap: Rc<RefCell<Tap>>,
}

#[derive(Clone)]
enum Kind {
    File(PathBuf),
    Gzip(PathBuf),
    Memory(Rc<[u8]>),
}

impl Source {
    fn new(name: &str, kind: Kind) -> Self {
        Self { name: name.to_owned(), kind, taken: Rc::default(), tap: Rc::default() }
    }

    /// The file's name, for messages.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The file on disk that holds these very bytes, if there is one.
    pub fn file(&self) -> Option<&Path> {
        if let Kind::File(path) = &self.kind { Some(path) } else { None }
    }

    /// The unpacked bytes from the start.
    pub fn reader(&self) -> Result<Box<dyn Read>, IngestError> {
        let open = |path: &Path| self.stored(path).map_err(|error| self.failed(&error));
        self.taken.set(0);
        let taken = || Rc::clone(&self.taken);
        Ok(match &self.kind {
            Kind::File(path) => Box::new(Counted { inner: open(path)?, count: taken() }),
            Kind::Memory(bytes) => Box::new(Counted { inner: Cursor::new(Rc::clone(bytes)), count: taken() }),
            Kind::Gzip(path) => {
                let counted = Counted { inner: open(path)?, count: taken() };
                let decoder = MultiGzDecoder::new(BufReader::with_capacity(1 << 16, counted));
                Box::new(Unpacked { inner: decoder, packed: taken(), unpacked: 0 })
            }
        })
    }

    /// The bytes of the file, from which a digest is taken if one waits for them.
    fn stored(&self, path: &Path) -> io::Result<Box<dyn Read>> {
        let mut tap = self.tap.borrow_mut();
        match std::mem::take(&mut *tap) {
            Tap::Open(file) => {
                let (digesting, ahead) = ahead::digest_and_read(file)?;
                *tap = Tap::Runs(digesting);
                Ok(Box::new(ahead))
            }
            other => {
                *tap = other;
                Ok(Box::new(File::open(path)?))
            }
        }
    }

    /// The content of a member of an archive that messages call by `name`.
    pub fn of_member(name: &str, content: Vec<u8>) -> Self {
        Self::new(name, Kind::Memory(content.into()))
    }

    /// The same bytes without their gzip.
    fn gunzipped(self) -> Result<Self, IngestError> {
        let kind = match self.kind {
            Kind::File(path) => Kind::Gzip(path),
            Kind::Gzip(_) => Kind::Memory(self.bytes()?),
            Kind::Memory(ref bytes) => {
                let packed = bytes.len() as u64;
                let decoder = MultiGzDecoder::new(Cursor::new(Rc::clone(bytes)));
                Kind::Memory(unpacked(&self.name, decoder, packed)?.into())
            }
        };
        Ok(Self::new(&self.name, kind))
    }

    /// All unpacked bytes.
    pub fn bytes(&self) -> Result<Rc<[u8]>, IngestError> {
        if let Kind::Memory(bytes) = &self.kind {
            return Ok(Rc::clone(bytes));
        }
        let mut all = Vec::new();
        self.reader()?.read_to_end(&mut all).map_err(|error| self.failed(&error))?;
        Ok(all.into())
    }

    /// The error of a failed read.
    pub fn failed(&self, error: &io::Error) -> IngestError {
        let name = self.name.clone();
        match error.get_ref().and_then(|inner| inner.downcast_ref::<UnpackFailure>()) {
            Some(UnpackFailure::Broken { byte, why }) => {
                IngestError::CompressionBroken { name, byte: *byte, why: why.clone() }
            }
            Some(UnpackFailure::Bomb { packed, unpacked }) => IngestError::TooLarge {
                name,
                what: format!("{packed} bytes unpack to more than {unpacked}"),
                limit: format!("{MAX_RATIO} to 1, or 64 GiB as a stream and 4 GiB in memory"),
            },
            None => IngestError::ReadFailed { name, why: error.to_string() },
        }
    }
}

/// All that comes out of a decompressor, within the limits, in memory.
pub(crate) fn unpacked(name: &str, from: impl Read, packed: u64) -> Result<Vec<u8>, IngestError> {
    let mut content = Vec::new();
    let mut from =
        Unpacked { inner: from, packed: Rc::new(Cell::new(packed)), unpacked: 0 }.take(MAX_HELD + 1);
    let failed = |error: &io::Error| Source::new(name, Kind::Memory(Rc::from([]))).failed(error);
    from.read_to_end(&mut content).map_err(|error| failed(&error))?;
    if content.len() as u64 > MAX_HELD {
        return Err(failed(&io::Error::other(UnpackFailure::Bomb { packed, unpacked: MAX_HELD })));
    }
    Ok(content)
}

/// Refuses what would come out of a decompressor if it is beyond the limits, and forgets it.
pub(crate) fn drained(name: &str, from: impl Read, packed: u64) -> Result<(), IngestError> {
    let mut from = Unpacked { inner: from, packed: Rc::new(Cell::new(packed)), unpacked: 0 };
    let failed = |error: &io::Error| Source::new(name, Kind::Memory(Rc::from([]))).failed(error);
    io::copy(&mut from, &mut io::sink()).map(drop).map_err(|error| failed(&error))
}

fn unreadable(path: &Path, error: &io::Error) -> IngestError {
    let path = path.display().to_string();
    match error.kind() {
        io::ErrorKind::NotFound => IngestError::FileMissing { path },
        _ => IngestError::FileUnreadable { path, why: error.to_string() },
    }
}

/// Refuses what is neither a plain file nor one of the two exceptions: a file geodatabase, which is a folder, and a database.
pub(crate) fn must_be_a_file(path: &Path) -> Result<(), IngestError> {
    if connection(path).is_some() || memory::table(path).is_some() {
        return Ok(());
    }
    let metadata = std::fs::metadata(path).map_err(|error| unreadable(path, &error))?;
    let what = match (metadata.is_file(), metadata.is_dir()) {
        (true, _) => return Ok(()),
        (false, true) if is_geodatabase(path) => return Ok(()),
        (false, true) => "a folder",
        (false, false) => "a device or a pipe",
    };
    Err(IngestError::NotAFile { path: path.display().to_string(), what })
}

/// The connection to a PostGIS database: the one thing that is named in place of a file.
pub(crate) fn connection(path: &Path) -> Option<&str> {
    let text = path.to_str()?;
    let (head, rest) = text.split_at_checked(3)?;
    head.eq_ignore_ascii_case("PG:").then_some(rest)
}

/// What messages and records call a database: its name, and nothing that opens it.
pub(crate) fn database(connection: &str) -> String {
    let name = connection.split_whitespace().find_map(|word| word.strip_prefix("dbname="));
    let name = name.map(|name| name.trim_matches(['\'', '"'])).filter(|name| !name.is_empty());
    name.map_or_else(|| "PostGIS database".to_owned(), |name| format!("PostGIS database {name}"))
}

/// Whether a folder is a file geodatabase of Esri.
pub(crate) fn is_geodatabase(path: &Path) -> bool {
    ending(&path.to_string_lossy()) == "gdb" && path.join(GEODATABASE).is_file()
}

/// The file that every file geodatabase has.
pub(crate) const GEODATABASE: &str = "a00000001.gdbtable";

/// Finds and recognises a file, which messages are to call by `name`; `layer` may name a member of an archive.
pub(crate) fn open(path: &Path, name: String, layer: Option<&str>) -> Result<Opened, IngestError> {
    if connection(path).is_some() {
        let place = Place { path: path.to_owned(), inside: Vec::new() };
        let form = Form::Other(place, "a PostGIS database");
        return Ok(Opened { name, path: path.to_owned(), bytes: 0, form, layer: layer.map(str::to_owned) });
    }
    if let Some(table) = memory::table(path) {
        let form = Form::Table(table, Rc::default());
        return Ok(Opened { name, path: path.to_owned(), bytes: 0, form, layer: layer.map(str::to_owned) });
    }
    must_be_a_file(path)?;
    let failed = |error: io::Error| unreadable(path, &error);
    let mut bytes = 0;
    for part in parts(path).map_err(failed)? {
        bytes += File::open(part).and_then(|file| file.metadata()).map_err(failed)?.len();
    }
    if bytes == 0 {
        return Err(IngestError::FileEmpty { name });
    }
    let (form, layer) = if path.is_dir() {
        let place = Place { path: path.to_owned(), inside: Vec::new() };
        (Form::Other(place, "a file geodatabase"), layer.map(str::to_owned))
    } else {
        let outer = Place { path: path.to_owned(), inside: Vec::new() };
        recognise(Source::new(&name, Kind::File(path.to_owned())), &name, &outer, layer)?
    };
    Ok(Opened { name, path: path.to_owned(), bytes, form, layer })
}

/// The files that hold the bytes: the file itself, or those of a folder in the order of their names.
fn parts(path: &Path) -> io::Result<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    for entry in std::fs::read_dir(path)? {
        let file = entry?.path();
        if file.is_file() {
            files.push(file);
        }
    }
    files.sort();
    Ok(files)
}

/// The SHA-256 of a file's bytes as stored, or of those of a folder's files one after the other, while it is worked out.
pub(crate) struct Digest(Rc<RefCell<Tap>>);

/// Where a digest gets its bytes.
#[derive(Default)]
enum Tap {
    /// Nobody has asked for it, or what a query answers has no bytes as stored.
    #[default]
    Closed,
    /// Whoever reads the file next shares its bytes.
    Open(File),
    /// It is on its way.
    Runs(Digesting),
    /// Whoever reads the table digests what is read.
    Tally(Rc<RefCell<Tally>>),
}

impl Digest {
    /// Waits for it, in hexadecimal.
    pub fn finish(self, name: &str) -> Result<String, IngestError> {
        let failed =
            |error: io::Error| IngestError::ReadFailed { name: name.to_owned(), why: error.to_string() };
        let digesting = match self.0.take() {
            Tap::Closed => return Ok(String::new()),
            Tap::Open(file) => ahead::digest(vec![file]).map_err(failed)?,
            Tap::Runs(digesting) => digesting,
            Tap::Tally(tally) => return Ok(tally.borrow_mut().finish()),
        };
        let done = digesting.join().map_err(|_| IngestError::Internal("the digest stopped".to_owned()))?;
        done.map_err(failed)
    }
}

/// Archives in archives in archives are refused.
pub(crate) const MOST_DEPTH: usize = 2;

/// What bytes hold, by what they begin with and by what `inner` ends with; `place` is where they are on disk.
pub(crate) fn recognise(
    source: Source,
    inner: &str,
    place: &Place,
    layer: Option<&str>,
) -> Result<(Form, Option<String>), IngestError> {
    let name = source.name.clone();
    let head = head(&source)?;
    if head.starts_with(&[0x1f, 0x8b]) {
        let source = source.gunzipped()?;
        let inner_head = self::head(&source)?;
        let inner = inner.strip_suffix(".gz").unwrap_or(inner);
        let form = match form_of(&inner_head, inner) {
            Told::Text => Form::Text(source),
            Told::Json => Form::Json(source),
            Told::Sheets => Form::Sheets(source),
            #[cfg(feature = "parquet")]
            Told::Parquet => Form::Parquet(source),
            Told::Zip | Told::Other(_) => {
                return Err(IngestError::FormatUnreadable {
                    name,
                    format: "gzip of text, JSON or a workbook",
                    why: "it holds another format; unpack it first".to_owned(),
                });
            }
        };
        return Ok((form, layer.map(str::to_owned)));
    }
    let form = match form_of(&head, inner) {
        Told::Text => Form::Text(source),
        Told::Json => Form::Json(source),
        Told::Sheets => Form::Sheets(source),
        #[cfg(feature = "parquet")]
        Told::Parquet => Form::Parquet(source),
        Told::Zip => return archive::open(&source, inner, place, layer),
        Told::Other(format) => Form::Other(place.clone(), format),
    };
    Ok((form, layer.map(str::to_owned)))
}

/// The first bytes, unpacked.
fn head(source: &Source) -> Result<Vec<u8>, IngestError> {
    let mut head = Vec::with_capacity(HEAD);
    source.reader()?.take(HEAD as u64).read_to_end(&mut head).map_err(|error| source.failed(&error))?;
    Ok(head)
}

pub(crate) fn ending(name: &str) -> String {
    name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase()).unwrap_or_default()
}

enum Told {
    Text,
    Json,
    Sheets,
    #[cfg(feature = "parquet")]
    Parquet,
    Zip,
    Other(&'static str),
}

fn form_of(head: &[u8], name: &str) -> Told {
    let ending = ending(name);
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    match head {
        [b'P', b'K', 3, 4, ..] if ending == "kmz" => return Told::Other("KMZ"),
        [b'P', b'K', 3, 4, ..] => return Told::Zip,
        [0xd0, 0xcf, 0x11, 0xe0, ..] => return Told::Sheets,
        _ => {}
    }
    #[cfg(feature = "parquet")]
    if head.starts_with(b"PAR1") {
        return Told::Parquet;
    }
    let signatures: [(&[u8], &str); 4] = [
        (b"SQLite format 3\0", "GeoPackage or SQLite"),
        (b"fgb\x03", "FlatGeobuf"),
        (b"\x00\x00\x27\x0a", "Shapefile"),
        (b"PAR1", "Parquet"),
    ];
    if let Some((_, format)) = signatures.iter().find(|(signature, _)| head.starts_with(signature)) {
        return Told::Other(format);
    }
    let by_ending = match ending.as_str() {
        "dbf" => Some("dBase"),
        "gml" => Some("GML"),
        "tab" if head.starts_with(b"!table") => Some("MapInfo"),
        "mif" => Some("MapInfo"),
        "gpx" => Some("GPX"),
        "dxf" => Some("DXF"),
        _ => None,
    };
    if let Some(format) = by_ending {
        return Told::Other(format);
    }
    match text.first() {
        Some(b'<') => Told::Other("KML or another XML format"),
        Some(b'{' | b'[' | 0x1e) => Told::Json,
        _ if ["geojson", "geojsonl", "geojsons", "json", "jsonl", "ndjson"].contains(&ending.as_str()) => {
            Told::Json
        }
        _ if !crate::text::looks_like_text(head) => Told::Other("a binary format"),
        _ => Told::Text,
    }
}

/// Counts the bytes that pass.
struct Counted<R> {
    inner: R,
    count: Rc<Cell<u64>>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.count.set(self.count.get() + count as u64);
        Ok(count)
    }
}

/// Why unpacking stopped; travels inside the `io::Error`.
#[derive(Debug, thiserror::Error)]
enum UnpackFailure {
    #[error("{why} after byte {byte}")]
    Broken { byte: u64, why: String },
    #[error("{packed} bytes unpack to {unpacked}")]
    Bomb { packed: u64, unpacked: u64 },
}

/// Unpacked data with the two limits, and errors that know the byte.
struct Unpacked<R> {
    inner: R,
    packed: Rc<Cell<u64>>,
    unpacked: u64,
}

impl<R: Read> Read for Unpacked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let packed = self.packed.get();
        let count = self.inner.read(buffer).map_err(|error| {
            let why = match error.kind() {
                io::ErrorKind::UnexpectedEof => "the file ends too early".to_owned(),
                _ => error.to_string(),
            };
            io::Error::other(UnpackFailure::Broken { byte: self.packed.get(), why })
        })?;
        self.unpacked += count as u64;
        let packed = packed.max(self.packed.get());
        if self.unpacked > MAX_UNPACKED || (self.unpacked > RATIO_FROM && self.unpacked / MAX_RATIO > packed)
        {
            return Err(io::Error::other(UnpackFailure::Bomb { packed, unpacked: self.unpacked }));
        }
        Ok(count)
    }
}
