//! From a path to bytes of a known form, with their digest. Plain local files only.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, BufReader, Cursor, Read};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::thread::JoinHandle;

use flate2::read::MultiGzDecoder;
use sha2::{Digest as _, Sha256};

use crate::IngestError;

/// Unpacked bytes per packed byte beyond which a file is taken for a bomb.
const MAX_RATIO: u64 = 200;
/// Below this much unpacked data the ratio is not looked at: small files compress well.
const RATIO_FROM: u64 = 64 << 20;
/// Unpacked bytes beyond which a file is refused whatever its ratio.
const MAX_UNPACKED: u64 = 64 << 30;
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
}

impl Opened {
    /// The share of the file that the last reader has taken in, where rows are read off the bytes as they come.
    pub fn share_read(&self) -> Option<f64> {
        let Form::Text(source) = &self.form else { return None };
        let all = if let Kind::Memory(bytes) = &source.kind { bytes.len() as u64 } else { self.bytes };
        Some((source.taken.get() as f64 / all.max(1) as f64).min(1.0))
    }

    /// Begins to digest the file: a thread of its own reads ahead of whoever reads the rows.
    pub fn digest(&self) -> Result<Digest, IngestError> {
        let failed = |error: io::Error| unreadable(&self.path, &error);
        let file = File::open(&self.path).map_err(failed)?;
        Ok(Digest(std::thread::Builder::new().spawn(move || sha256(file)).map_err(failed)?))
    }

    /// Whether the whole content is in memory while it is read.
    pub const fn is_held_whole(&self) -> bool {
        match &self.form {
            Form::Text(source) => matches!(source.kind, Kind::Memory(_)),
            Form::Json(_) => true,
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
    /// For GDAL: the path to hand over and a name for the format.
    Other(
        #[cfg_attr(not(feature = "gdal"), expect(dead_code, reason = "only GDAL opens it"))] PathBuf,
        &'static str,
    ),
}

/// Bytes that can be read from the start as often as needed, unpacked.
#[derive(Clone)]
pub(crate) struct Source {
    name: String,
    kind: Kind,
    /// Bytes as stored that the last reader has taken in.
    taken: Rc<Cell<u64>>,
}

#[derive(Clone)]
enum Kind {
    File(PathBuf),
    Gzip(PathBuf),
    Memory(Rc<[u8]>),
}

impl Source {
    fn new(name: &str, kind: Kind) -> Self {
        Self { name: name.to_owned(), kind, taken: Rc::default() }
    }

    /// The file's name, for messages.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The unpacked bytes from the start.
    pub fn reader(&self) -> Result<Box<dyn Read>, IngestError> {
        let open = |path: &Path| File::open(path).map_err(|error| self.failed(&error));
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
                limit: format!("{MAX_RATIO} to 1 or 64 GiB"),
            },
            None => IngestError::ReadFailed { name, why: error.to_string() },
        }
    }
}

fn unreadable(path: &Path, error: &io::Error) -> IngestError {
    let path = path.display().to_string();
    match error.kind() {
        io::ErrorKind::NotFound => IngestError::FileMissing { path },
        _ => IngestError::FileUnreadable { path, why: error.to_string() },
    }
}

/// Refuses what is not a plain file.
pub(crate) fn must_be_a_file(path: &Path) -> Result<(), IngestError> {
    let metadata = std::fs::metadata(path).map_err(|error| unreadable(path, &error))?;
    let what = match (metadata.is_file(), metadata.is_dir()) {
        (true, _) => return Ok(()),
        (false, true) => "a folder",
        (false, false) => "a device or a pipe",
    };
    Err(IngestError::NotAFile { path: path.display().to_string(), what })
}

/// Finds and recognises a file, which messages are to call by `name`.
pub(crate) fn open(path: &Path, name: String) -> Result<Opened, IngestError> {
    must_be_a_file(path)?;
    let failed = |error: io::Error| unreadable(path, &error);
    let file = File::open(path).map_err(failed)?;
    let bytes = file.metadata().map_err(failed)?.len();
    if bytes == 0 {
        return Err(IngestError::FileEmpty { name });
    }
    let form = recognise(path, &name)?;
    Ok(Opened { name, path: path.to_owned(), bytes, form })
}

/// The SHA-256 of a file's bytes as stored, while it is worked out.
pub(crate) struct Digest(JoinHandle<io::Result<String>>);

impl Digest {
    /// Waits for it, in hexadecimal.
    pub fn finish(self, name: &str) -> Result<String, IngestError> {
        let failed = |why: String| IngestError::ReadFailed { name: name.to_owned(), why };
        let done = self.0.join().map_err(|_| IngestError::Internal("the digest stopped".to_owned()))?;
        done.map_err(|error| failed(error.to_string()))
    }
}

fn sha256(mut file: File) -> io::Result<String> {
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 18];
    loop {
        let count = file.read(&mut buffer)?;
        if count == 0 {
            break;
        }
        hash.update(&buffer[..count]);
    }
    Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

fn recognise(path: &Path, name: &str) -> Result<Form, IngestError> {
    let plain = Source::new(name, Kind::File(path.to_owned()));
    let head = head(&plain)?;
    if head.starts_with(&[0x1f, 0x8b]) {
        let source = Source::new(name, Kind::Gzip(path.to_owned()));
        let inner_head = self::head(&source)?;
        let inner_name = name.strip_suffix(".gz").unwrap_or(name);
        return match form_of(&inner_head, inner_name) {
            Told::Text => Ok(Form::Text(source)),
            Told::Json => Ok(Form::Json(source)),
            Told::Other(format) => Err(IngestError::FormatUnreadable {
                name: name.to_owned(),
                format: "gzip of CSV or GeoJSON",
                why: format!("it holds {format}; unpack it first"),
            }),
        };
    }
    if head.starts_with(b"PK\x03\x04") && !["xlsx", "ods", "kmz"].contains(&ending(name).as_str()) {
        return from_zip(path, name);
    }
    Ok(match form_of(&head, name) {
        Told::Text => Form::Text(plain),
        Told::Json => Form::Json(plain),
        Told::Other(format) => Form::Other(path.to_owned(), format),
    })
}

/// The first bytes, unpacked.
fn head(source: &Source) -> Result<Vec<u8>, IngestError> {
    let mut head = Vec::with_capacity(HEAD);
    source.reader()?.take(HEAD as u64).read_to_end(&mut head).map_err(|error| source.failed(&error))?;
    Ok(head)
}

fn ending(name: &str) -> String {
    name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase()).unwrap_or_default()
}

enum Told {
    Text,
    Json,
    Other(&'static str),
}

fn form_of(head: &[u8], name: &str) -> Told {
    let ending = ending(name);
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    let signatures: [(&[u8], &str); 6] = [
        (b"SQLite format 3\0", "GeoPackage or SQLite"),
        (b"fgb\x03", "FlatGeobuf"),
        (b"\x00\x00\x27\x0a", "Shapefile"),
        (b"PAR1", "Parquet"),
        (b"PK\x03\x04", "a spreadsheet or KMZ"),
        (b"\xd0\xcf\x11\xe0", "an old Excel workbook (xls)"),
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
        _ if ["geojson", "geojsonl", "geojsons", "json", "ndjson"].contains(&ending.as_str()) => Told::Json,
        _ if head.contains(&0) && !crate::text::looks_like_text(head) => Told::Other("a binary format"),
        _ => Told::Text,
    }
}

/// A zip archive holds one text or GeoJSON file, read here in memory, or one shapefile for GDAL.
fn from_zip(path: &Path, name: &str) -> Result<Form, IngestError> {
    let broken = |why: String| IngestError::FormatUnreadable { name: name.to_owned(), format: "zip", why };
    let failed =
        |error: &io::Error| IngestError::ReadFailed { name: name.to_owned(), why: error.to_string() };
    let file = File::open(path).map_err(|error| failed(&error))?;
    let mut archive =
        zip::ZipArchive::new(BufReader::new(file)).map_err(|error| broken(error.to_string()))?;
    let mut members = Vec::new();
    for at in 0..archive.len() {
        let member = archive.by_index_raw(at).map_err(|error| broken(error.to_string()))?;
        let Some(inside) = member.enclosed_name() else { continue };
        let inside = inside.to_string_lossy().into_owned();
        let hidden = inside.starts_with("__MACOSX") || inside.split('/').any(|part| part.starts_with('.'));
        let data = ["csv", "tsv", "txt", "geojson", "json", "geojsonl", "shp", "gpkg", "fgb", "kml"];
        if member.is_file() && !hidden && data.contains(&ending(&inside).as_str()) {
            members.push((at, inside));
        }
    }
    // A readme beside the data is no rival to it.
    if members.iter().any(|(_, inside)| ending(inside) != "txt") {
        members.retain(|(_, inside)| ending(inside) != "txt");
    }
    let [(at, inside)] = members.as_slice() else {
        let members = members.into_iter().map(|(_, inside)| inside).collect();
        return Err(IngestError::ArchiveChoice { name: name.to_owned(), members });
    };
    if ["shp", "gpkg", "fgb", "kml"].contains(&ending(inside).as_str()) {
        let absolute = std::fs::canonicalize(path).map_err(|error| failed(&error))?;
        let mut inner = std::ffi::OsString::from("/vsizip/");
        inner.push(absolute);
        inner.push("/");
        inner.push(inside);
        return Ok(Form::Other(inner.into(), "a zipped vector file"));
    }
    let member = archive.by_index(*at).map_err(|error| broken(error.to_string()))?;
    let packed = Rc::new(Cell::new(member.compressed_size()));
    let mut content = Vec::new();
    let shell = Source::new(name, Kind::Memory(Rc::from([])));
    Unpacked { inner: member, packed, unpacked: 0 }
        .read_to_end(&mut content)
        .map_err(|error| shell.failed(&error))?;
    if content.is_empty() {
        return Err(IngestError::FileEmpty { name: format!("{name}/{inside}") });
    }
    let told = form_of(&content[..content.len().min(HEAD)], inside);
    let source = Source::new(name, Kind::Memory(content.into()));
    match told {
        Told::Text => Ok(Form::Text(source)),
        Told::Json => Ok(Form::Json(source)),
        Told::Other(format) => Err(broken(format!("\"{inside}\" is {format}; unpack it first"))),
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
