//! What is in a file, told before any map is made of it. Nothing is refused here: what the reading would refuse is part of
//! the answer.
//!
//! The file is read twice: once for its own sake, every column and every row as it stands, and once as an analysis would read
//! it, for what would become of its rows.

mod fields;
mod places;
mod times;

use std::collections::{BTreeMap, HashSet};
use std::hash::{DefaultHasher, Hasher as _};
use std::path::Path;

use brasa_model::{Crs, Diagnose as _, FileInspection, Inspection, Interval, Note, Refusal, SourceCrs};

use crate::columns::{self, PlaceRole, Roles};
use crate::dates::{Evidence, Hour, Order, Time};
use crate::names::{ID, TIME, rank, words_of};
use crate::numbers::{Number, is_blank};
use crate::open::{Form, Opened};
use crate::profiles::Profile;
use crate::records::{Place, Record, Records};
use crate::{IngestError, InputOptions, files, one_column, open};

use fields::Gauge;
use places::Spots;
use times::Clocks;

/// Words that make a date the date of the report.
const REPORTED: [&str; 12] = [
    "report",
    "reported",
    "reporte",
    "rptd",
    "rpt",
    "registro",
    "registered",
    "denuncia",
    "inicio",
    "comunicacao",
    "comunicado",
    "carpeta",
];

/// Looks into files of incidents. Only what cannot be looked into at all is an error.
pub fn inspect<P: AsRef<Path>>(paths: &[P], options: &InputOptions) -> Result<Inspection, IngestError> {
    let paths: Vec<&Path> = paths.iter().map(AsRef::as_ref).collect();
    files::check(&paths)?;
    let read = crate::read(&paths, options);
    let several = paths.len() > 1;
    let mut told = Vec::with_capacity(paths.len());
    let mut notes = Vec::new();
    for (at, (path, name)) in paths.iter().zip(files::names(&paths)).enumerate() {
        let opened = open::open(path, name, options.layer.as_deref())?;
        let records = crate::records(&opened, options, several)?;
        let records = one_column::wrap(records, &opened.name, options, several)?;
        let crs = read.as_ref().ok().and_then(|read| read.inputs.get(at)?.crs_in.clone());
        let file = File::look(&*records, &opened, options, crs.as_deref())?;
        notes.extend(file.notes);
        told.push((file.inspection, file.suggested));
    }
    let mut suggested: BTreeMap<String, String> = BTreeMap::new();
    for (_, own) in &told {
        // What fits one of several files but not another is left to be guessed for each.
        let fits_all = |(flag, value): &(&String, &String)| {
            told.iter().all(|(_, other)| other.get(*flag).is_none_or(|other| other == *value))
        };
        suggested.extend(own.iter().filter(fits_all).map(|(flag, value)| (flag.clone(), value.clone())));
    }
    let mut inspection = Inspection {
        files: told.into_iter().map(|(file, _)| file).collect(),
        rows: None,
        rejected_by_reason: BTreeMap::new(),
        crs: None,
        area_km2: None,
        notes,
        refused: None,
        suggested,
        command: String::new(),
    };
    match read {
        Ok(read) => {
            for counts in read.inputs.iter().filter_map(|input| input.rejected_by_reason.as_ref()) {
                for (reason, count) in counts {
                    *inspection.rejected_by_reason.entry(reason.clone()).or_default() += count;
                }
            }
            inspection.rows = Some(read.account);
            inspection.crs = Some(read.incidents.crs.code());
            inspection.area_km2 = Some(read.incidents.window.area_km2());
            inspection.notes = read.notes;
        }
        Err(error) => {
            if let IngestError::CrsUnknown { .. } = &error {
                inspection.suggested.insert("crs".to_owned(), "EPSG:CODE".to_owned());
            }
            if let IngestError::AxesSwapped { .. } = &error {
                let (lon, lat) = (inspection.suggested.remove("lon"), inspection.suggested.remove("lat"));
                if let (Some(lon), Some(lat)) = (lon, lat) {
                    inspection.suggested.insert("lon".to_owned(), lat);
                    inspection.suggested.insert("lat".to_owned(), lon);
                }
            }
            inspection.refused = Some(Refusal {
                code: error.code().to_owned(),
                text: error.to_string(),
                help: error.help(),
                blame: error.blame(),
            });
        }
    }
    Ok(inspection)
}

/// What was seen of one file.
struct File {
    inspection: FileInspection,
    notes: Vec<Note>,
    /// Flags that would read it in the same way without a guess.
    suggested: BTreeMap<String, String>,
}

/// The fields of a row that the look needs besides its gauges.
#[derive(Default)]
struct Seen {
    spots: Spots,
    places: Vec<Option<(f64, f64)>>,
    time: Vec<Time>,
    time_end: Vec<Time>,
    reported: Vec<Time>,
    hour: Vec<Hour>,
    hour_end: Vec<Hour>,
    kinds: Vec<u64>,
    ids: HashSet<u64>,
    ids_repeated: u64,
}

impl File {
    fn look(
        records: &dyn Records,
        opened: &Opened,
        options: &InputOptions,
        crs: Option<&str>,
    ) -> Result<Self, IngestError> {
        let columns = records.columns();
        let profile = Profile::of(columns, options)?;
        let said = profile.as_ref().map_or(options.clone(), |(_, profile)| profile.fill(columns, options));
        let roles = columns::resolve(records, &opened.name, &said, profile.as_ref()).ok();
        let reported = reported_column(columns, roles.as_ref());
        let id = roles.as_ref().and_then(|roles| roles.id).or_else(|| id_column(columns));

        let mut gauges: Vec<Gauge> = Vec::new();
        gauges.resize_with(columns.len(), Gauge::default);
        let wanted: Vec<usize> = (0..columns.len()).collect();
        let mut seen = Seen::default();
        let mut rows = 0;
        records.visit(&wanted, &mut |record| {
            rows += 1;
            if record.broken.is_none() {
                for (gauge, field) in gauges.iter_mut().zip(&record.fields) {
                    gauge.add(field);
                }
                if let Some(roles) = &roles {
                    seen.add(record, roles, reported, id);
                }
            }
            true
        })?;

        let mut findings = Vec::new();
        let origin = crs.and_then(projected_origin);
        let (mut places, mut times) = (None, None);
        if let Some(roles) = &roles {
            let intervals = seen.intervals(roles, &said);
            let reports: Vec<Option<Interval>> = intervals_of(&seen.reported, &[], &said);
            let mut clocks = Clocks::default();
            for (at, occurred) in intervals.iter().enumerate() {
                clocks.add(*occurred, reports.get(at).copied().flatten());
            }
            let copies = seen.copies(&intervals);
            let (found, told) = std::mem::take(&mut seen.spots).finish(origin);
            places = found;
            findings.extend(told);
            let (found, told) = clocks.finish(reported.map(|at| columns[at].as_str()));
            times = found;
            findings.extend(told);
            findings.extend(repeats_told(seen.ids_repeated, id.map(|at| columns[at].as_str()), copies));
        }
        let role_of = |at: usize| roles.as_ref().and_then(|roles| roles.role_of(at)).map(str::to_owned);
        let columns_told: Vec<_> = gauges
            .into_iter()
            .enumerate()
            .map(|(at, gauge)| gauge.finish(&columns[at], role_of(at)))
            .collect();
        let personal: Vec<&str> =
            columns_told.iter().filter(|column| column.personal).map(|column| column.name.as_str()).collect();
        if !personal.is_empty() {
            findings.push(
                Note::new(
                    "personal_columns",
                    format!("columns that seem to speak of persons: {}", personal.join(", ")),
                )
                .value(personal.len(), "columns")
                .reason("brasa never uses them; leave them out of what you share"),
            );
        }
        let mut suggested = roles.as_ref().map(Roles::flags).unwrap_or_default();
        if let Some((name, _)) = &profile {
            suggested = BTreeMap::from([("profile".to_owned(), name.clone())]);
        } else if let (Some(at), true) = (id, seen.ids_repeated > 0) {
            suggested.insert("id".to_owned(), columns[at].clone());
        }
        let geometry = roles.as_ref().is_some_and(|roles| roles.place == PlaceRole::Geometry);
        if let Some(crs) = crs.filter(|_| !geometry && profile.is_none()) {
            suggested.insert("crs".to_owned(), crs.to_owned());
        }
        Ok(Self {
            inspection: FileInspection {
                name: opened.name.clone(),
                bytes: opened.bytes,
                format: format_of(&opened.form).to_owned(),
                rows,
                columns: columns_told,
                places,
                times,
                findings,
            },
            notes: [records.notes(), roles.map(|roles| roles.notes).unwrap_or_default()].concat(),
            suggested,
        })
    }
}

impl Seen {
    fn add(&mut self, record: &Record<'_>, roles: &Roles, reported: Option<usize>, id: Option<usize>) {
        let field = |at: usize| record.fields.get(at).map_or("", |field| field.as_ref());
        let place = match roles.place {
            PlaceRole::Geometry => match record.place {
                Place::Point(x, y) => Some((x, y)),
                Place::NotPoint(_) | Place::InColumns | Place::Faulty { .. } => None,
            },
            PlaceRole::LonLat(a, b) | PlaceRole::Xy(a, b) => {
                match (roles.decimal.read(field(a)), roles.decimal.read(field(b))) {
                    (Number::Value(x), Number::Value(y)) => Some((x, y)),
                    _ => None,
                }
            }
        };
        let place = place.filter(|(x, y)| x.is_finite() && y.is_finite());
        self.spots.add(place);
        self.places.push(place);
        let time = |at: Option<usize>| at.map(|at| roles.time_of(field(at)));
        self.time.extend(time(roles.time));
        self.time_end.extend(time(roles.time_end));
        self.reported.extend(time(reported));
        let hour = |at: Option<usize>| at.map(|at| Hour::parse(field(at)));
        self.hour.extend(hour(roles.hour));
        self.hour_end.extend(hour(roles.hour_end));
        self.kinds.extend(roles.kind.map(|at| hash(field(at).trim())));
        if let Some(text) = id.map(|at| field(at).trim()).filter(|text| !is_blank(text))
            && !self.ids.insert(hash(text))
        {
            self.ids_repeated += 1;
        }
    }

    /// When each row happened; empty without a column of times.
    fn intervals(&self, roles: &Roles, said: &InputOptions) -> Vec<Option<Interval>> {
        let starts = intervals_of(&self.time, &self.hour, said);
        if roles.time_end.is_none() {
            return starts;
        }
        let ends = intervals_of(&self.time_end, &self.hour_end, said);
        let joined = |(start, end): (Option<Interval>, Option<Interval>)| {
            let start = start?;
            let end = end.map_or(start.end, |end| end.end.max(start.end));
            Some(Interval { start: start.start, end })
        };
        starts.into_iter().zip(ends).map(joined).collect()
    }

    /// Rows with the place, time and kind of a row before them.
    fn copies(&self, intervals: &[Option<Interval>]) -> u64 {
        let mut seen = HashSet::new();
        let mut copies = 0;
        for (at, place) in self.places.iter().enumerate() {
            let (Some((x, y)), Some(Some(time))) = (place, intervals.get(at)) else { continue };
            let kind = self.kinds.get(at).copied().unwrap_or_default();
            copies += u64::from(!seen.insert(hash(&(x.to_bits(), y.to_bits(), time, kind))));
        }
        copies
    }
}

/// The times of a column, with the hours beside them, read in the order that the column settles.
fn intervals_of(times: &[Time], hours: &[Hour], said: &InputOptions) -> Vec<Option<Interval>> {
    let given = said.date_order.as_deref().and_then(|order| Order::parse(order).ok());
    let order = given.unwrap_or_else(|| match Order::decide(times.iter().filter_map(|time| time.stamp())) {
        Evidence::Decided(order, _) => order,
        Evidence::NotNeeded | Evidence::Undecided { .. } => Order::DayFirst,
    });
    let zone = said.tz.as_deref().and_then(|zone| crate::dates::zone(zone).ok());
    let military = hours.iter().filter_map(|hour| hour.number()).any(|number| number >= 100);
    let interval = |(at, time): (usize, &Time)| {
        let mut stamp = time.stamp()?;
        if let Some(hour) = hours.get(at) {
            // Portals write a date as its midnight; the hour beside it is the time of day.
            let date = if stamp.is_midnight() { stamp.without_clock() } else { stamp };
            stamp = date.with_clock(hour.clock(military));
        }
        stamp.interval(order, zone.as_ref())
    };
    times.iter().enumerate().map(interval).collect()
}

/// The same number for the same value, in every run.
fn hash(value: &(impl std::hash::Hash + ?Sized)) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// The column with the date of the report.
fn reported_column(columns: &[String], roles: Option<&Roles>) -> Option<usize> {
    let dates = ["date", "fecha", "data", "dt", "time", "datetime", "fechahora"];
    (0..columns.len()).find(|&at| {
        let words = words_of(&columns[at]);
        let has = |list: &[&str]| words.iter().any(|word| list.contains(&word.as_str()));
        let is_the_incident = roles.is_some_and(|roles| roles.time == Some(at) || roles.time_end == Some(at));
        !is_the_incident && has(&REPORTED) && (has(&dates) || rank(&columns[at], TIME).is_some())
    })
}

/// The column that looks like the number of the incident.
fn id_column(columns: &[String]) -> Option<usize> {
    let ranked = crate::names::ranked(columns, ID);
    ranked.into_iter().find(|(rank, _)| *rank < 100).map(|(_, at)| at)
}

/// Where (0, 0) in degrees lands in a projected system.
fn projected_origin(crs: &str) -> Option<(f64, f64)> {
    let source = SourceCrs::parse(crs).ok()?;
    if source.is_geographic() {
        return None;
    }
    let target: Crs = source.as_metric()?;
    SourceCrs::wgs84().to(&target).ok()?.convert(0.0, 0.0)
}

fn repeats_told(ids: u64, column: Option<&str>, copies: u64) -> Vec<Note> {
    let mut notes = Vec::new();
    if let Some(column) = column.filter(|_| ids > 0) {
        notes.push(
            Note::new("ids_repeated", format!("{ids} rows have an id in \"{column}\" that a row before them has"))
                .value(ids, "rows")
                .reason(format!("victims or offences of one incident, or the same record twice; --id \"{column}\" counts each once")),
        );
    }
    if copies > 0 {
        notes.push(
            Note::new("copies", format!("{copies} rows have the place, time and kind of a row before them"))
                .value(copies, "rows")
                .reason("they are kept: where places and times are coarse most are incidents of their own; --drop-copies sets them aside"),
        );
    }
    notes
}

const fn format_of(form: &Form) -> &'static str {
    match form {
        Form::Text(_) => "delimited text",
        Form::Json(_) => "JSON",
        Form::Sheets(_) => "workbook",
        Form::Table(..) => "table in memory",
        #[cfg(feature = "parquet")]
        Form::Parquet(_) => "Parquet",
        Form::Other(_, format) => format,
    }
}
