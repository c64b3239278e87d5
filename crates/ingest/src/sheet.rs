//! Workbooks: .xlsx, .xlsb, .xls and .ods. One sheet is a table, wherever on it the table begins.

use std::borrow::Cow;
use std::io::Cursor;
use std::rc::Rc;

use brasa_model::Note;
use calamine::{Data, DataRef, Ods, Reader, SheetType, Xls, Xlsb, Xlsx};

use crate::IngestError;
use crate::columns::find;
use crate::dates::SERIAL_DAYS;
use crate::guard::guarded;
use crate::header::Header;
use crate::names::{TIME, rank};
use crate::open::Source;
use crate::records::{MAX_COLUMNS, Place, Record, Records, StatedCrs};
use crate::workbook::{Kind, vet};

/// Cells beyond which a sheet is refused.
const MAX_CELLS: usize = 50_000_000;
/// Rows that are looked at to tell whether a sheet holds a table.
const PEEK: usize = 50;

/// A sheet as a table.
pub(crate) struct Sheet {
    columns: Vec<String>,
    /// The rows of data with their numbers on the sheet.
    rows: Vec<(u64, Vec<String>)>,
    notes: Vec<Note>,
}

impl Sheet {
    /// Reads the sheet of that name, or the only one that holds a table.
    pub fn open(source: &Source, wanted: Option<&str>) -> Result<Self, IngestError> {
        let name = source.name();
        let bytes = source.bytes()?;
        let unreadable =
            |why: String| IngestError::FormatUnreadable { name: name.to_owned(), format: "a workbook", why };
        let kind = vet(name, &bytes)?;
        let mut book = guarded(|| Workbook::open(kind, bytes)).map_err(&unreadable)?;
        let sheets = book.sheets();
        let chosen = match wanted {
            Some(wanted) => {
                let at = find(&sheets, "--layer", wanted).map_err(|_| IngestError::LayerUnknown {
                    name: name.to_owned(),
                    wanted: wanted.to_owned(),
                    layers: sheets.clone(),
                })?;
                sheets[at].clone()
            }
            None => {
                let mut tables = Vec::new();
                for sheet in &sheets {
                    if guarded(|| book.grid(sheet, PEEK)).map_err(&unreadable)?.is_table() {
                        tables.push(sheet.clone());
                    }
                }
                match tables.as_slice() {
                    [] => return Err(IngestError::NoRows { name: name.to_owned() }),
                    [only] => only.clone(),
                    _ => return Err(IngestError::LayerChoice { name: name.to_owned(), layers: tables }),
                }
            }
        };
        let grid = guarded(|| book.grid(&chosen, usize::MAX)).map_err(&unreadable)?;
        grid.table(name, &chosen, sheets.len() > 1, book.is_1904())
    }
}

impl Records for Sheet {
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
        for (line, row) in &self.rows {
            let fields = wanted.iter().map(|&at| Cow::Borrowed(row[at].as_str())).collect();
            if !each(&Record { line: *line, fields, place: Place::InColumns, broken: None }) {
                break;
            }
        }
        Ok(())
    }

    fn notes(&self) -> Vec<Note> {
        self.notes.clone()
    }
}

type Bytes = Cursor<Rc<[u8]>>;

enum Workbook {
    Xlsx(Xlsx<Bytes>),
    Xlsb(Xlsb<Bytes>),
    Xls(Xls<Bytes>),
    Ods(Ods<Bytes>),
}

impl Workbook {
    fn open(kind: Kind, bytes: Rc<[u8]>) -> Result<Self, String> {
        let bytes = Cursor::new(bytes);
        let text = |error: &dyn std::fmt::Display| error.to_string();
        Ok(match kind {
            Kind::Xlsx => Self::Xlsx(Xlsx::new(bytes).map_err(|error| text(&error))?),
            Kind::Xlsb => Self::Xlsb(Xlsb::new(bytes).map_err(|error| text(&error))?),
            Kind::Xls => Self::Xls(Xls::new(bytes).map_err(|error| text(&error))?),
            Kind::Ods => Self::Ods(Ods::new(bytes).map_err(|error| text(&error))?),
        })
    }

    fn sheets(&self) -> Vec<String> {
        let metadata = match self {
            Self::Xlsx(book) => book.sheets_metadata(),
            Self::Xlsb(book) => book.sheets_metadata(),
            Self::Xls(book) => book.sheets_metadata(),
            Self::Ods(book) => book.sheets_metadata(),
        };
        let tables = metadata.iter().filter(|sheet| sheet.typ == SheetType::WorkSheet);
        tables.map(|sheet| sheet.name.clone()).collect()
    }

    /// Whether days are counted from 1904, as an old Excel for Macintosh did.
    fn is_1904(&self) -> bool {
        match self {
            Self::Xlsx(book) => book.has_1904_epoch(),
            Self::Xlsb(book) => book.has_1904_epoch(),
            Self::Xls(book) => book.has_1904_epoch(),
            Self::Ods(_) => false,
        }
    }

    /// The first rows of a sheet that hold anything.
    fn grid(&mut self, sheet: &str, most: usize) -> Result<Grid, String> {
        let text = |error: &dyn std::fmt::Display| error.to_string();
        let mut grid = Grid::default();
        // The cells of the newer formats are streamed: their extent is what a file says, and may be a lie.
        let range = match self {
            Self::Xlsx(book) => {
                let mut cells = book.worksheet_cells_reader(sheet).map_err(|error| text(&error))?;
                while let Some(cell) = cells.next_cell().map_err(|error| text(&error))? {
                    let ((row, column), value) = (cell.get_position(), written_ref(cell.get_value()));
                    if !grid.add(row, column, value, most)? {
                        break;
                    }
                }
                return Ok(grid);
            }
            Self::Xlsb(book) => {
                let mut cells = book.worksheet_cells_reader(sheet).map_err(|error| text(&error))?;
                while let Some(cell) = cells.next_cell().map_err(|error| text(&error))? {
                    let ((row, column), value) = (cell.get_position(), written_ref(cell.get_value()));
                    if !grid.add(row, column, value, most)? {
                        break;
                    }
                }
                return Ok(grid);
            }
            Self::Xls(book) => book.worksheet_range(sheet).map_err(|error| text(&error))?,
            Self::Ods(book) => book.worksheet_range(sheet).map_err(|error| text(&error))?,
        };
        let (top, left) = range.start().unwrap_or_default();
        for (row, column, value) in range.used_cells() {
            let at =
                |start: u32, offset: usize| start.saturating_add(u32::try_from(offset).unwrap_or(u32::MAX));
            if !grid.add(at(top, row), at(left, column), written(value), most)? {
                break;
            }
        }
        Ok(grid)
    }
}

fn written(value: &Data) -> String {
    match value {
        Data::Empty => String::new(),
        Data::Int(number) => number.to_string(),
        Data::Float(number) => number.to_string(),
        Data::String(text) | Data::DateTimeIso(text) | Data::DurationIso(text) => text.trim().to_owned(),
        Data::Bool(yes) => yes.to_string(),
        Data::DateTime(moment) => moment_written(moment),
        Data::Error(error) => error.to_string(),
    }
}

fn written_ref(value: &DataRef<'_>) -> String {
    match value {
        DataRef::SharedString(text) => text.trim().to_owned(),
        other => written(&Data::from(other.clone())),
    }
}

/// A date, a time of day, or both: a serial below one is a time alone, a whole one a date alone.
fn moment_written(moment: &calamine::ExcelDateTime) -> String {
    let (year, month, day, hour, minute, second, _) = moment.to_ymd_hms_milli();
    let serial = moment.as_f64();
    let clock = format!("{hour:02}:{minute:02}:{second:02}");
    if (0.0..1.0).contains(&serial) {
        clock
    } else if serial.fract() == 0.0 {
        format!("{year:04}-{month:02}-{day:02}")
    } else {
        format!("{year:04}-{month:02}-{day:02} {clock}")
    }
}

/// The cells of a sheet that hold anything, by rows.
#[derive(Default)]
struct Grid {
    rows: Vec<(u32, Vec<(u32, String)>)>,
    cells: usize,
}

impl Grid {
    /// Adds a cell; whether more are wanted.
    fn add(&mut self, row: u32, column: u32, value: String, most: usize) -> Result<bool, String> {
        if value.is_empty() {
            return Ok(true);
        }
        self.cells += 1;
        if self.cells > MAX_CELLS {
            return Err(format!("it has more than {MAX_CELLS} cells on a sheet"));
        }
        let full = self.rows.len() >= most;
        match self.rows.last_mut() {
            Some((last, cells)) if *last == row => cells.push((column, value)),
            _ if full => return Ok(false),
            _ => self.rows.push((row, vec![(column, value)])),
        }
        Ok(true)
    }

    /// Whether at least two rows have at least two cells.
    fn is_table(&self) -> bool {
        self.rows.iter().filter(|(_, cells)| cells.len() >= 2).count() >= 2
    }

    /// The table on the sheet: from the first column that holds anything to the last.
    fn table(mut self, name: &str, sheet: &str, several: bool, is_1904: bool) -> Result<Sheet, IngestError> {
        self.rows.sort_by_key(|(row, _)| *row);
        let columns = || self.rows.iter().flat_map(|(_, cells)| cells.iter().map(|(column, _)| *column));
        let (Some(left), Some(right)) = (columns().min(), columns().max()) else {
            return Err(IngestError::NoRows { name: name.to_owned() });
        };
        let width = (right - left) as usize + 1;
        let too_large = |what: String, limit: usize| IngestError::TooLarge {
            name: name.to_owned(),
            what,
            limit: limit.to_string(),
        };
        if width > MAX_COLUMNS {
            return Err(too_large(format!("{width} columns"), MAX_COLUMNS));
        }
        if width.saturating_mul(self.rows.len()) > MAX_CELLS {
            return Err(too_large(format!("{} rows of {width} columns", self.rows.len()), MAX_CELLS));
        }
        let mut rows: Vec<(u64, Vec<String>)> = Vec::with_capacity(self.rows.len());
        for (row, cells) in self.rows {
            let line = u64::from(row) + 1;
            // A row whose cells came in two portions is one row.
            if rows.last().is_none_or(|(last, _)| *last != line) {
                rows.push((line, vec![String::new(); width]));
            }
            if let Some((_, fields)) = rows.last_mut() {
                for (column, value) in cells {
                    fields[(column - left) as usize] = value;
                }
            }
        }
        let sample: Vec<Vec<String>> = rows.iter().take(201).map(|(_, fields)| fields.clone()).collect();
        let header = Header::find(&sample);
        rows.drain(..header.skip.min(rows.len()));
        if rows.is_empty() {
            return Err(IngestError::NoRows { name: name.to_owned() });
        }
        let mut notes = header.notes();
        if several {
            notes.push(
                Note::new("sheet_chosen", format!("the sheet \"{sheet}\" is read"))
                    .value(sheet, "")
                    .reason("it is named, or the only one that holds a table; choose another with --layer"),
            );
        }
        for at in 0..width {
            notes.extend(dated(&header.columns[at], at, &mut rows, is_1904));
        }
        Ok(Sheet { columns: header.columns, rows, notes })
    }
}

/// Days between the two ways to count.
const FROM_1904: f64 = 1462.0;

/// Brings a column that is called a date and holds plain serial numbers, whose cells lost their format, to dates.
fn dated(name: &str, at: usize, rows: &mut [(u64, Vec<String>)], is_1904: bool) -> Option<Note> {
    rank(name, TIME)?;
    let shift = if is_1904 { FROM_1904 } else { 0.0 };
    let serial =
        |text: &str| text.parse().ok().filter(|serial: &f64| SERIAL_DAYS.contains(&(serial + shift)));
    let filled = || rows.iter().map(|(_, fields)| fields[at].as_str()).filter(|text| !text.is_empty());
    let example = filled().next()?.to_owned();
    if !filled().all(|text| serial(text).is_some()) {
        return None;
    }
    for (_, fields) in rows.iter_mut() {
        if let Some(serial) = serial(&fields[at]) {
            let kind = calamine::ExcelDateTimeType::DateTime;
            fields[at] = moment_written(&calamine::ExcelDateTime::new(serial, kind, is_1904));
        }
    }
    let epoch = if is_1904 { 1904 } else { 1900 };
    let text = format!("the numbers in \"{name}\" are read as days since {epoch}, such as {example}");
    Some(
        Note::new("serial_dates", text)
            .value(epoch, "")
            .reason("the column is called a date, and its cells have no format"),
    )
}
