//! Tables in memory that are read as if they were files: whoever has a frame and no file gives it a path here, and hands
//! over the path. Everything after that is the way of any file: the same guesses, the same verdicts, the same notes.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError, Weak};

use brasa_model::{Note, SourceCrs};
use geo::MultiPolygon;
use sha2::{Digest as _, Sha256};

use crate::IngestError;
use crate::ahead::hexadecimal;
use crate::date_text::moment;
use crate::records::{MAX_COLUMNS, Place, Record, Records, StatedCrs};
use crate::shape::{self, Shape};

/// A value of a table in memory.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell<'a> {
    /// Not known.
    Nothing,
    /// A text.
    Text(Cow<'a, str>),
    /// A whole number.
    Whole(i64),
    /// A number.
    Number(f64),
    /// So many units since 1970-01-01T00:00:00.
    Moment {
        /// How many.
        value: i64,
        /// How many of them are a second.
        per_second: i64,
        /// Whether it is an instant, counted in UTC; else the clocks of the place are meant.
        is_instant: bool,
    },
}

impl<'a> Cell<'a> {
    /// What a file of text would have in its place.
    pub fn to_text(self) -> Cow<'a, str> {
        match self {
            Self::Nothing => Cow::Borrowed(""),
            Self::Text(text) => text,
            Self::Whole(value) => Cow::Owned(value.to_string()),
            Self::Number(value) if value.is_nan() => Cow::Borrowed(""),
            Self::Number(value) => Cow::Owned(value.to_string()),
            Self::Moment { value, per_second, is_instant } => {
                Cow::Owned(moment(value, per_second, is_instant))
            }
        }
    }
}

/// A column of a table in memory.
pub trait Cells: Send + Sync {
    /// The value of a row, from 0.
    fn cell(&self, row: usize) -> Cell<'_>;
}

/// Where a row of a table in memory is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Spot<'a> {
    /// It says nothing.
    Nothing,
    /// A point.
    Point(f64, f64),
    /// Well-known binary.
    Binary(&'a [u8]),
}

/// The column of places of a table in memory.
pub trait Spots: Send + Sync {
    /// The place of a row, from 0.
    fn spot(&self, row: usize) -> Spot<'_>;
}

/// A table in memory.
pub struct Table {
    names: Vec<String>,
    columns: Vec<Box<dyn Cells>>,
    spots: Option<Box<dyn Spots>>,
    rows: usize,
    crs: Option<SourceCrs>,
}

impl std::fmt::Debug for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Table({} rows, {:?})", self.rows, self.names)
    }
}

impl Table {
    /// A table of so many rows. Without `spots`, places stand in columns; `crs` is the system of either.
    pub fn new(
        rows: usize,
        columns: Vec<(String, Box<dyn Cells>)>,
        spots: Option<Box<dyn Spots>>,
        crs: Option<SourceCrs>,
    ) -> Self {
        let (names, columns) = columns.into_iter().unzip();
        Self { names, columns, spots, rows, crs }
    }
}

/// The tables that have a path.
static TABLES: LazyLock<Mutex<BTreeMap<PathBuf, Weak<Table>>>> = LazyLock::new(Mutex::default);

/// What the path of a table begins with.
const MEMORY: &str = "memory:";

/// A table that can be read by a path for as long as this is held.
#[derive(Debug, Clone)]
pub struct Held {
    table: Arc<Table>,
    path: PathBuf,
}

impl Held {
    /// Gives a table a path; messages and records call it by `name`.
    pub fn new(table: Arc<Table>, name: &str) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = PathBuf::from(format!("{MEMORY}{number}")).join(name.replace(['/', '\\'], "_"));
        let mut tables = TABLES.lock().unwrap_or_else(PoisonError::into_inner);
        tables.retain(|_, table| table.strong_count() > 0);
        tables.insert(path.clone(), Arc::downgrade(&table));
        Self { table, path }
    }

    /// Its path: of use in this process alone.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How many rows it has.
    pub fn rows(&self) -> usize {
        self.table.rows
    }
}

/// The table that has this path.
pub(crate) fn table(path: &Path) -> Option<Arc<Table>> {
    if !path.to_str()?.starts_with(MEMORY) {
        return None;
    }
    TABLES.lock().unwrap_or_else(PoisonError::into_inner).get(path)?.upgrade()
}

/// A table while it is read, with the digest of what was.
pub(crate) struct Reader {
    table: Arc<Table>,
    name: String,
    tally: Rc<RefCell<Tally>>,
}

impl Reader {
    pub fn open(table: &Arc<Table>, name: &str, tally: &Rc<RefCell<Tally>>) -> Result<Self, IngestError> {
        if table.names.len() > MAX_COLUMNS {
            return Err(IngestError::TooLarge {
                name: name.to_owned(),
                what: format!("{} columns", table.names.len()),
                limit: MAX_COLUMNS.to_string(),
            });
        }
        if table.rows == 0 {
            return Err(IngestError::NoRows { name: name.to_owned() });
        }
        Ok(Self { table: Arc::clone(table), name: name.to_owned(), tally: Rc::clone(tally) })
    }

    /// The polygons of each row, if it has shapes.
    pub fn polygons(&self) -> Result<Option<Vec<MultiPolygon<f64>>>, IngestError> {
        let Some(spots) = &self.table.spots else { return Ok(None) };
        let mut tally = self.tally.borrow_mut();
        tally.begin(&self.table, &[]);
        let feature = |row: usize| {
            let spot = spots.spot(row);
            tally.spot(spot);
            match spot {
                Spot::Nothing | Spot::Point(..) => Ok(MultiPolygon::new(Vec::new())),
                Spot::Binary(bytes) => match shape::from_bytes(bytes).map(|stated| stated.shape) {
                    Some(Shape::Polygons(polygons)) => Ok(polygons),
                    Some(_) => Ok(MultiPolygon::new(Vec::new())),
                    None => Err(IngestError::FormatUnreadable {
                        name: self.name.clone(),
                        format: "well-known binary",
                        why: format!("the geometry of row {} is none", row + 1),
                    }),
                },
            }
        };
        (0..self.table.rows).map(feature).collect::<Result<_, _>>().map(Some)
    }
}

impl Records for Reader {
    fn columns(&self) -> &[String] {
        &self.table.names
    }

    fn has_geometry(&self) -> bool {
        self.table.spots.is_some()
    }

    fn crs(&self) -> StatedCrs {
        self.table.crs.as_ref().map_or(StatedCrs::Nothing, |crs| StatedCrs::Epsg(crs.epsg()))
    }

    fn visit(&self, wanted: &[usize], each: &mut dyn FnMut(&Record<'_>) -> bool) -> Result<(), IngestError> {
        let table = &*self.table;
        let mut tally = self.tally.borrow_mut();
        tally.begin(table, wanted);
        let mut record = Record {
            line: 0,
            fields: Vec::with_capacity(wanted.len()),
            place: Place::InColumns,
            broken: None,
        };
        for row in 0..table.rows {
            record.line = row as u64 + 1;
            record.fields.clear();
            record.fields.extend(wanted.iter().map(|&at| table.columns[at].cell(row).to_text()));
            if let Some(spots) = &table.spots {
                let spot = spots.spot(row);
                tally.spot(spot);
                record.place = place(spot);
            }
            record.fields.iter().for_each(|field| tally.text(field));
            if !each(&record) {
                break;
            }
        }
        Ok(())
    }

    fn notes(&self) -> Vec<Note> {
        Vec::new()
    }
}

fn place(spot: Spot<'_>) -> Place {
    match spot {
        Spot::Nothing => Place::NotPoint("none"),
        Spot::Point(x, y) if x.is_nan() && y.is_nan() => Place::NotPoint(shape::EMPTY),
        Spot::Point(x, y) => Place::Point(x, y),
        Spot::Binary(bytes) => match shape::from_bytes(bytes).map(|stated| stated.shape) {
            Some(Shape::Point(x, y)) => Place::Point(x, y),
            Some(Shape::Polygons(_)) => Place::NotPoint("polygon"),
            Some(Shape::Other(name)) => Place::NotPoint(name),
            None => Place::NotPoint("no geometry"),
        },
    }
}

/// The digest of the rows as they were handed out last: of the names of the columns that were wanted, and row by row of the place and
/// of what stands in these columns. A table has no bytes as stored.
#[derive(Default)]
pub(crate) struct Tally {
    digest: Sha256,
    waiting: Vec<u8>,
}

/// Bytes that are digested at a time.
const BATCH: usize = 1 << 16;

impl Tally {
    fn begin(&mut self, table: &Table, wanted: &[usize]) {
        *self = Self::default();
        for &column in wanted {
            self.text(&table.names[column]);
        }
    }

    fn text(&mut self, text: &str) {
        // The length keeps two texts apart from one.
        self.take(&(text.len() as u64).to_le_bytes());
        self.take(text.as_bytes());
    }

    fn spot(&mut self, spot: Spot<'_>) {
        match spot {
            Spot::Nothing => self.take(&[0]),
            Spot::Point(x, y) => {
                self.take(&x.to_bits().to_le_bytes());
                self.take(&y.to_bits().to_le_bytes());
            }
            Spot::Binary(bytes) => self.take(bytes),
        }
    }

    fn take(&mut self, bytes: &[u8]) {
        self.waiting.extend_from_slice(bytes);
        if self.waiting.len() >= BATCH {
            self.digest.update(&self.waiting);
            self.waiting.clear();
        }
    }

    /// In hexadecimal.
    pub fn finish(&mut self) -> String {
        let Self { mut digest, waiting } = std::mem::take(self);
        digest.update(&waiting);
        hexadecimal(digest)
    }
}
