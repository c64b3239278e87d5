//! Messy incident files in, incidents and rejects out.
//!
//! One way through: `open` turns a path into bytes of a known form; a reader per format turns bytes
//! into one stream of records; `columns` says which column is what; `decide` gives every row its verdict;
//! `project` and `study_area` bring the rest into metres and into a window. Nothing is lost on the way: every
//! row read is used, filtered, rejected with a reason, or a duplicate, and `reading` checks that the sum holds. [`read`] takes
//! a file in one piece, [`stream`] in many: the way is the same.

mod columns;
mod csv;
mod dates;
mod decide;
#[cfg(feature = "gdal")]
mod drivers;
mod error;
mod footprint;
mod geojson;
mod hash;
mod numbers;
mod open;
mod options;
mod project;
mod reading;
mod records;
mod study_area;

use std::path::Path;

use brasa_model::{Account, Incidents, InputRecord, Note, Reject};

pub use columns::Columns;
pub use error::IngestError;
pub use options::InputOptions;
pub use study_area::read_polygons;

use decide::{Raw, Wishes};
use open::{Form, Opened};
use reading::Reading;
use records::Records;

/// A file that was read: what is used, what was set aside, and what was chosen on the way.
#[derive(Debug, Clone)]
pub struct Ingested {
    /// The rows that are used.
    pub incidents: Incidents,
    /// The rows that cannot be used, in the order of the file; of a file in pieces the first of them.
    pub rejects: Vec<Reject>,
    /// What became of all rows.
    pub account: Account,
    /// What was guessed, chosen or noticed.
    pub notes: Vec<Note>,
    /// The incidents' file, then the study area's if one was given.
    pub inputs: Vec<InputRecord>,
    /// Which column plays which role.
    pub columns: Columns,
}

/// How a file is read in pieces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pieces {
    /// Rows in a piece.
    pub rows: usize,
    /// Rejected rows that are kept with line and reason. Those beyond are counted by reason.
    pub rejects: usize,
}

impl Default for Pieces {
    fn default() -> Self {
        Self { rows: 2_000_000, rejects: 100_000 }
    }
}

/// How far the reading of a file has come.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Progress {
    /// Rows read.
    pub rows: u64,
    /// The share of the file's bytes, where that is known.
    pub share: Option<f64>,
}

/// Reads a file of incidents.
///
/// Files are plain local files: CSV and its kin, GeoJSON, either of them in gzip or zip, and with the cargo feature
/// `gdal` also GeoPackage, Shapefile, FlatGeobuf, KML and spreadsheets.
pub fn read(path: &Path, options: &InputOptions) -> Result<Ingested, IngestError> {
    let mut incidents = None;
    let whole = Pieces { rows: usize::MAX, rejects: usize::MAX };
    let mut keep = |piece| {
        incidents = Some(piece);
        Ok(())
    };
    let mut ingested = pass(path, options, whole, &mut keep, &mut |_| {})?;
    if let Some(incidents) = incidents {
        ingested.incidents = incidents;
    }
    Ok(ingested)
}

/// Reads a file of incidents in pieces, so that it need not fit in memory: hands the incidents of each piece to `each`, and
/// tells `watch` how far it has come. What comes back holds no incident; its window and reference system are those of
/// every piece.
///
/// What the whole file has a say in is settled by the first piece that has something to say on it, and held: the reference
/// systems, the order of dates (a later row that contradicts it is rejected), whether midnights are dates. The study area must
/// be given, and ids cannot be compared.
pub fn stream<E: From<IngestError>>(
    path: &Path,
    options: &InputOptions,
    pieces: Pieces,
    each: &mut dyn FnMut(&Incidents) -> Result<(), E>,
    watch: &mut dyn FnMut(Progress),
) -> Result<Ingested, E> {
    let refused = |flag, why| Err(IngestError::NotInPieces { flag, why }.into());
    if options.study_area.is_none() {
        return refused(
            "--study-area FILE must be given",
            "the area around the incidents is known only when all have been read",
        );
    }
    if options.id.is_some() {
        return refused("--id cannot be used", "the ids of all rows would have to be held in memory");
    }
    pass(path, options, Pieces { rows: pieces.rows.max(1), ..pieces }, &mut |piece| each(&piece), watch)
}

/// The one way from a file to its incidents, in one piece or in many.
fn pass<E: From<IngestError>>(
    path: &Path,
    options: &InputOptions,
    pieces: Pieces,
    each: &mut dyn FnMut(Incidents) -> Result<(), E>,
    watch: &mut dyn FnMut(Progress),
) -> Result<Ingested, E> {
    let wishes = Wishes::of(options)?;
    options.study_area.as_deref().map(open::must_be_a_file).transpose()?;
    let (opened, digest) = open::open(path)?;
    let records = records(&opened, options)?;
    let roles = columns::resolve(&*records, &opened.name, options)?;
    if options.since.is_some() || options.until.is_some() {
        need_time(&roles, options)?;
    }
    let mut reading = Reading::new(&opened.name, options, &wishes, &roles, records.crs(), pieces);
    let row_notes = Raw::read(
        &*records,
        &roles,
        pieces.rows,
        &mut |raw| match reading.piece(raw)? {
            Some(incidents) => each(incidents),
            None => Ok(()),
        },
        &mut |rows| watch(Progress { rows, share: opened.share_read() }),
    )?;
    let notes = [records.notes(), roles.notes.clone(), row_notes].concat();
    Ok(reading.finish(notes, &opened, digest)?)
}

fn records(opened: &Opened, options: &InputOptions) -> Result<Box<dyn Records>, IngestError> {
    if let (Some(layer), Form::Text(_) | Form::GeoJson(_)) = (&options.layer, &opened.form) {
        let expected = format!("of use: {} has no layers", opened.name);
        return Err(IngestError::OptionInvalid { flag: "--layer", value: layer.clone(), expected });
    }
    match &opened.form {
        Form::Text(source) => Ok(Box::new(csv::Csv::open(source.clone(), options)?)),
        Form::GeoJson(source) => Ok(Box::new(geojson::GeoJson::open(source)?)),
        #[cfg(feature = "gdal")]
        Form::Other(path, format) => {
            let file = drivers::Named { name: opened.name.clone(), format };
            let (layer, encoding) = (options.layer.as_deref(), options.encoding.as_deref());
            Ok(Box::new(drivers::Gdal::open(path, &file, layer, encoding, options.crs.is_some())?))
        }
        #[cfg(not(feature = "gdal"))]
        Form::Other(_, format) => {
            Err(IngestError::FormatUnsupported { name: opened.name.clone(), format: (*format).to_owned() })
        }
    }
}

fn need_time(roles: &columns::Roles, options: &InputOptions) -> Result<(), IngestError> {
    if roles.time.is_some() {
        return Ok(());
    }
    let (flag, value) = match (&options.since, &options.until) {
        (Some(since), _) => ("--since", since.clone()),
        (None, until) => ("--until", until.clone().unwrap_or_default()),
    };
    Err(IngestError::OptionInvalid {
        flag,
        value,
        expected: "of use: no time column was recognised; name it with --time COLUMN".to_owned(),
    })
}
