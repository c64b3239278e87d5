//! Messy incident files in, incidents and rejects out.
//!
//! One way through: `files` says which files are meant; `open` turns a path into bytes of a known form; a reader per format turns bytes
//! into one stream of records; `columns` says which column is what; `decide` gives every row its verdict;
//! `project` and `study_area` bring the rest into metres and into a window. Nothing is lost on the way: every
//! row read is used, filtered, rejected with a reason, or a duplicate, and `reading` checks that the sum holds. [`read`] takes
//! files in one piece, [`stream`] in many: the way is the same.

mod ahead;
mod angle;
mod archive;
mod basemap;
mod columns;
mod csv;
mod cutter;
mod date_text;
mod dates;
mod decide;
#[cfg(feature = "gdal")]
mod drivers;
mod error;
mod files;
mod footprint;
mod geojson;
mod guard;
mod h3;
mod hash;
mod header;
mod inspect;
mod json;
mod marks;
pub mod memory;
mod names;
mod notes;
mod numbers;
mod one_column;
mod open;
mod options;
mod origins;
#[cfg(feature = "parquet")]
mod parquet;
mod parts;
mod profiles;
mod project;
mod reading;
mod records;
mod resources;
mod shape;
mod sheet;
mod sources;
mod split;
mod streets;
mod study_area;
mod text;
mod workbook;
mod zones;

use std::path::Path;

use brasa_model::{Account, Incidents, InputRecord, Note, Reject, SourceCrs};

pub use basemap::{Basemap, read_basemap};
pub use columns::Columns;
pub use error::IngestError;
pub use files::{expand, without_secrets};
pub use h3::h3_zones;
pub use inspect::inspect;
pub use options::InputOptions;
pub use resources::{HarmTable, NamedPlace, read_harm, read_places};
pub use streets::{Streets, read_streets};
pub use study_area::read_polygons;
pub use zones::{check_zones, read_zones};

use columns::Roles;
use decide::{Interner, Raw, Wishes};
use json::Json;
use open::{Form, Opened};
use profiles::Profile;
use reading::Reading;
use records::Records;
use sources::Source;

/// Files that were read: what is used, what was set aside, and what was chosen on the way.
#[derive(Debug, Clone)]
pub struct Ingested {
    /// The rows that are used.
    pub incidents: Incidents,
    /// The rows that cannot be used, in the order of the files; of a reading in pieces the first of them.
    pub rejects: Vec<Reject>,
    /// What became of all rows.
    pub account: Account,
    /// What was guessed, chosen or noticed.
    pub notes: Vec<Note>,
    /// The incidents' files in the order given, then the study area's if one was given.
    pub inputs: Vec<InputRecord>,
    /// Which column plays which role, per file.
    pub columns: Vec<Columns>,
}

/// How a file is read in pieces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pieces {
    /// Rows in a piece, those left out by a filter not counted.
    pub rows: usize,
    /// Rejected rows that are kept with line and reason. Those beyond are counted by reason.
    pub rejects: usize,
}

impl Default for Pieces {
    fn default() -> Self {
        Self { rows: 2_000_000, rejects: 100_000 }
    }
}

/// How far the reading of the files has come.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Progress {
    /// Rows read.
    pub rows: u64,
    /// The share of all files' bytes, where that is known.
    pub share: Option<f64>,
}

/// Reads files of incidents, all into one pattern.
///
/// Files are plain local files: CSV and its kin, JSON and GeoJSON, workbooks, any of them in gzip or zip, and with the cargo
/// feature `gdal` also GeoPackage, Shapefile, FlatGeobuf, KML and file geodatabases. Each has a format, columns, an order of dates and a
/// reference system of its own; a column that the options name must be in one of them. Incidents and rejects keep the order of
/// the files.
pub fn read<P: AsRef<Path>>(paths: &[P], options: &InputOptions) -> Result<Ingested, IngestError> {
    let mut incidents = None;
    let whole = Pieces { rows: usize::MAX, rejects: usize::MAX };
    let mut keep = |piece| {
        incidents = Some(piece);
        Ok(())
    };
    let mut ingested = pass(paths, options, whole, &mut keep, &mut |_| {})?;
    if let Some(incidents) = incidents {
        ingested.incidents = incidents;
    }
    Ok(ingested)
}

/// Reads files of incidents in pieces, so that they need not fit in memory: hands the incidents of each piece to `each`, and
/// tells `watch` how far it has come. What comes back holds no incident; its window and reference system are those of
/// every piece.
///
/// What the whole file has a say in is settled by the first piece that has something to say on it, and held: the reference
/// systems, the order of dates (a later row that contradicts it is rejected), whether midnights are dates. The study area must
/// be given, and ids cannot be compared.
pub fn stream<P: AsRef<Path>, E: From<IngestError>>(
    paths: &[P],
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
    if options.drop_copies {
        return refused(
            "--drop-copies cannot be used",
            "the places of all rows would have to be held in memory",
        );
    }
    if options.id.is_some() {
        return refused("--id cannot be used", "the ids of all rows would have to be held in memory");
    }
    pass(paths, options, Pieces { rows: pieces.rows.max(1), ..pieces }, &mut |piece| each(&piece), watch)
}

/// The one way from files to their incidents, in one piece or in many. A whole reading is one piece with the rows of all files;
/// a piece of many holds rows of one.
fn pass<P: AsRef<Path>, E: From<IngestError>>(
    paths: &[P],
    options: &InputOptions,
    pieces: Pieces,
    each: &mut dyn FnMut(Incidents) -> Result<(), E>,
    watch: &mut dyn FnMut(Progress),
) -> Result<Ingested, E> {
    let paths: Vec<&Path> = paths.iter().map(AsRef::as_ref).collect();
    files::check(&paths)?;
    Wishes::of(options)?;
    options.study_area.as_deref().map(open::must_be_a_file).transpose()?;
    let (files, sources) = prepare(&paths, options)?;
    let mut ids: Vec<Interner> = Vec::new();
    ids.resize_with(sources.iter().map(|source| source.make + 1).max().unwrap_or(0), Interner::default);
    let roles: Vec<Roles> = sources.iter().map(|source| source.roles.clone()).collect();
    let wishes: Vec<Wishes> = sources.iter().map(|source| source.wishes.clone()).collect();
    let makes: Vec<usize> = sources.iter().map(|source| source.make).collect();
    let mut reading = Reading::new(options, sources, pieces);

    let bytes: u64 = files.iter().map(|file| file.opened.bytes).sum();
    let (mut rows_before, mut bytes_before) = (0, 0);
    let mut held: Vec<(usize, Raw)> = Vec::new();
    for (at, Prepared { opened, records }) in files.into_iter().enumerate() {
        let digest = opened.digest()?;
        let mut rows_read = 0;
        let mut take = |raw: Raw| {
            if pieces.rows == usize::MAX {
                held.push((at, raw));
                return Ok(());
            }
            reading.piece(vec![(at, raw)])?.map_or(Ok(()), &mut *each)
        };
        let mut tick = |rows| {
            rows_read = rows;
            let share = opened
                .share_read()
                .map(|share| (bytes_before as f64 + share * opened.bytes as f64) / (bytes.max(1) as f64));
            watch(Progress { rows: rows_before + rows, share });
        };
        let row_notes = Raw::read(
            &*records,
            &roles[at],
            &wishes[at],
            pieces.rows,
            &mut ids[makes[at]],
            &mut take,
            &mut tick,
        )?;
        rows_before += rows_read;
        bytes_before += opened.bytes;
        let notes = [records.notes(), roles[at].notes.clone(), row_notes].concat();
        reading.end_file(at, notes, &opened, digest)?;
    }
    if !held.is_empty() {
        reading.piece(held)?.map_or(Ok(()), &mut *each)?;
    }
    Ok(reading.finish()?)
}

/// A file that is about to be read.
struct Prepared {
    opened: Opened,
    records: Box<dyn Records>,
}

/// Opens all files and settles what their columns and the options say, before a row is read.
fn prepare(paths: &[&Path], options: &InputOptions) -> Result<(Vec<Prepared>, Vec<Source>), IngestError> {
    let several = paths.len() > 1;
    let mut files = Vec::with_capacity(paths.len());
    for (path, name) in paths.iter().zip(files::names(paths)) {
        files.push(open::open(path, name, options.layer.as_deref())?);
    }
    // A layer is of use if a file has some, or is the member of an archive that it names.
    let has_layers =
        |file: &Opened| file.layer.is_none() || matches!(file.form, Form::Other(..) | Form::Sheets(_));
    if let (Some(layer), false) = (&options.layer, files.iter().any(has_layers)) {
        let name = if several { "of the files none" } else { &files[0].name };
        let expected = format!("of use: {name} has {}layers", if several { "" } else { "no " });
        return Err(IngestError::OptionInvalid { flag: "--layer", value: layer.clone(), expected });
    }
    let mut prepared = Vec::with_capacity(files.len());
    for opened in files {
        let records = match records(&opened, options, several) {
            Err(IngestError::NoRows { .. }) if several => Box::new(records::Nothing),
            other => other?,
        };
        let records = one_column::wrap(records, &opened.name, options, several)?;
        prepared.push(Prepared { opened, records });
    }
    one_column::check(prepared.iter().map(|file| file.records.columns()), options)?;
    let columns: Vec<&[String]> = prepared.iter().map(|file| file.records.columns()).collect();
    let mut makes: Vec<&[String]> = Vec::new();
    let mut sources: Vec<Source> = Vec::with_capacity(prepared.len());
    for file in &prepared {
        let own = file.records.columns();
        let name = &file.opened.name;
        let said = if several { columns::said_of(own, &columns, options) } else { options.clone() };
        let profile = Profile::of(own, options)?;
        let said = profile.as_ref().map_or(said.clone(), |(_, profile)| profile.fill(own, &said));
        let zone = options.tz.as_ref().or_else(|| profile.as_ref()?.1.zone()).cloned();
        let roles =
            columns::resolve(&*file.records, name, &said, profile.as_ref()).map_err(|error| match error {
                IngestError::ColumnUnknown { flag, wanted, suggestion, columns } if several => {
                    let flag = format!("{flag}, in {name}");
                    IngestError::ColumnUnknown { flag, wanted, suggestion, columns }
                }
                other => other,
            })?;
        let make = makes.iter().position(|make| *make == own).unwrap_or_else(|| {
            makes.push(own);
            makes.len() - 1
        });
        sources.push(Source::new(name.clone(), roles, file.records.crs(), make, said, zone)?);
    }
    let filters_time = options.since.is_some() || options.until.is_some();
    if filters_time && sources.iter().all(|source| source.roles.time.is_none()) {
        return Err(no_time(options));
    }
    give_crs(&mut sources, options)?;
    let names: Vec<Columns> = sources.iter().map(|source| source.roles.names.clone()).collect();
    for (source, own) in sources.iter_mut().zip(&names) {
        source.roles.notes.extend(columns::unlike_the_others(own, &names));
    }
    Ok((prepared, sources))
}

/// Gives the system of `--crs` to the files it is meant for: of several, to those that do not state their own.
fn give_crs(sources: &mut [Source], options: &InputOptions) -> Result<(), IngestError> {
    let Some(crs) = &options.crs else {
        for source in sources {
            source.crs = source.known_crs().cloned();
        }
        return Ok(());
    };
    let several = sources.len() > 1;
    let geographic = SourceCrs::parse(crs).map_err(IngestError::CrsInvalid)?.is_geographic();
    for source in sources.iter_mut().filter(|source| !several || !source.states_crs(geographic)) {
        source.crs = Some(crs.clone());
    }
    if sources.iter().all(|source| source.crs.is_none()) {
        return Err(IngestError::OptionInvalid {
            flag: "--crs",
            value: crs.clone(),
            expected: "of use: each of the files states its own reference system".to_owned(),
        });
    }
    Ok(())
}

#[cfg_attr(
    not(feature = "gdal"),
    expect(unused_variables, reason = "only GDAL asks whether there are several")
)]
fn records(opened: &Opened, options: &InputOptions, several: bool) -> Result<Box<dyn Records>, IngestError> {
    match &opened.form {
        Form::Text(source) => Ok(Box::new(csv::Csv::open(source.clone(), options)?)),
        Form::Json(source) => Ok(match json::open(source)? {
            Json::Features(features) => Box::new(features),
            Json::Objects(objects) => Box::new(objects),
        }),
        #[cfg(feature = "parquet")]
        Form::Parquet(source) => Ok(Box::new(parquet::Parquet::open(source)?)),
        Form::Sheets(source) => Ok(Box::new(sheet::Sheet::open(source, opened.layer.as_deref())?)),
        Form::Table(table, tally) => Ok(Box::new(memory::Reader::open(table, &opened.name, tally)?)),
        #[cfg(feature = "gdal")]
        Form::Other(place, format) => {
            let file = drivers::Named { name: opened.name.clone(), format };
            let (layer, encoding) = (opened.layer.as_deref(), options.encoding.as_deref());
            let crs_given = options.crs.is_some() && !several;
            Ok(Box::new(drivers::Gdal::open(place, &file, layer, encoding, crs_given)?))
        }
        #[cfg(not(feature = "gdal"))]
        Form::Other(_, format) => {
            Err(IngestError::FormatUnsupported { name: opened.name.clone(), format: (*format).to_owned() })
        }
    }
}

fn no_time(options: &InputOptions) -> IngestError {
    let (flag, value) = match (&options.since, &options.until) {
        (Some(since), _) => ("--since", since.clone()),
        (None, until) => ("--until", until.clone().unwrap_or_default()),
    };
    IngestError::OptionInvalid {
        flag,
        value,
        expected: "of use: no time column was recognised; name it with --time COLUMN".to_owned(),
    }
}
