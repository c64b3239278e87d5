//! Messy incident files in, incidents and rejects out.
//!
//! One way through: `open` turns a path into bytes of a known form; a reader per format turns bytes
//! into one stream of records; `columns` says which column is what; `decide` gives every row its verdict;
//! `project` and `study_area` bring the rest into metres and into a window. Nothing is lost on the way: every
//! row read is used, filtered, rejected with a reason, or a duplicate, and [`read`] checks that the sum holds.

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
mod records;
mod study_area;

use std::collections::BTreeMap;
use std::path::Path;

use brasa_model::{Account, Incidents, InputRecord, Kinds, Note, Reason, Reject, Times};

pub use columns::Columns;
pub use error::IngestError;
pub use options::InputOptions;
pub use study_area::read_polygons;

use decide::{Raw, Timeline, Verdict, Wishes};
use open::{Form, Opened};
use project::Places;
use records::Records;
use study_area::Weighted;

/// A file that was read: what is used, what was set aside, and what was chosen on the way.
#[derive(Debug, Clone)]
pub struct Ingested {
    /// The rows that are used.
    pub incidents: Incidents,
    /// The rows that cannot be used, in the order of the file.
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

/// Reads a file of incidents.
///
/// Files are plain local files: CSV and its kin, GeoJSON, either of them in gzip or zip, and with the cargo feature
/// `gdal` also GeoPackage, Shapefile, FlatGeobuf, KML and spreadsheets.
pub fn read(path: &Path, options: &InputOptions) -> Result<Ingested, IngestError> {
    let wishes = Wishes::of(options)?;
    options.study_area.as_deref().map(open::must_be_a_file).transpose()?;
    let opened = open::open(path)?;
    let name = opened.name.clone();
    let records = records(&opened, options)?;
    let roles = columns::resolve(&*records, &name, options)?;
    if options.since.is_some() || options.until.is_some() {
        need_time(&roles, options)?;
    }
    let raw = Raw::read(&*records, &roles)?;
    if raw.len() == 0 {
        return Err(IngestError::NoRows { name });
    }
    let mut notes = records.notes();
    notes.extend(roles.notes.iter().cloned());
    notes.extend(raw.notes.iter().cloned());
    let timeline = Timeline::of(&raw, &roles, &wishes)?;
    notes.extend(timeline.notes.iter().cloned());

    let places = Places::of_rows(raw.wanted_places());
    let stated = records.crs();
    let nowhere = places.x.is_empty();
    let located = if nowhere {
        None
    } else {
        let swap = roles.names.swap_advice();
        let source = project::source(&name, &places, roles.place, &swap, &stated, options, &mut notes)?;
        let projected = project::project(&name, &places, &source, &mut notes)?;
        Some((source, projected))
    };
    let place_of = |row: usize| -> Option<(f64, f64)> {
        let (_, projected) = located.as_ref()?;
        projected.places[places.of_row[row]? as usize]
    };
    let verdicts = decide::decide(&raw, &roles, &timeline, &wishes, |row| place_of(row).is_some());

    let mut outcome = Outcome::new(raw.len());
    let mut candidates: Vec<usize> = Vec::new();
    for (row, verdict) in verdicts.into_iter().enumerate() {
        match verdict {
            Verdict::Candidate => candidates.push(row),
            Verdict::Filtered => outcome.account.filtered += 1,
            Verdict::Duplicate => outcome.account.duplicate += 1,
            Verdict::Rejected(fault) => {
                outcome.reject(raw.line[row], fault.reason, fault.column, fault.value);
            }
        }
    }
    let Some((source, projected)) = located.as_ref().filter(|_| !candidates.is_empty()) else {
        return Err(outcome.nothing_left(name));
    };

    // From here on places count, not rows: sites in the order of the file, with the candidates on each.
    let mut counts = vec![0_u32; places.x.len()];
    for &row in &candidates {
        counts[places.of_row[row].unwrap_or_default() as usize] += 1;
    }
    let used: Vec<usize> = (0..counts.len()).filter(|&at| counts[at] > 0).collect();
    let (mut x, mut y, mut count) = (Vec::new(), Vec::new(), Vec::new());
    for &at in &used {
        let (east, north) = projected.places[at].unwrap_or_default();
        x.push(east);
        y.push(north);
        count.push(counts[at]);
    }
    let weighted = Weighted { x: &x, y: &y, count: &count };
    notes.extend(crowded(&places, &used, &counts, &roles.names));
    let mut study_area_file = None;
    let (window, inside, reason) = match options.study_area.as_deref() {
        Some(file) => {
            let (window, inside, record) = study_area::given(file, &projected.crs, &weighted, &mut notes)?;
            study_area_file = Some(record);
            (window, inside, Reason::OutsideStudyArea)
        }
        None => {
            let (window, inside) = study_area::automatic(&weighted, &mut notes)?;
            (window, inside, Reason::FarFromTheRest)
        }
    };
    let mut place_inside = vec![false; places.x.len()];
    for (&at, inside) in used.iter().zip(inside) {
        place_inside[at] = inside;
    }
    let (x_name, y_name) = roles.names.coordinates();
    candidates.retain(|&row| {
        let at = places.of_row[row].unwrap_or_default() as usize;
        if !place_inside[at] {
            let value = format!("{}, {}", places.x[at], places.y[at]);
            outcome.reject(raw.line[row], reason, format!("{x_name}, {y_name}"), value);
        }
        place_inside[at]
    });
    if candidates.is_empty() {
        return Err(outcome.nothing_left(name));
    }
    outcome.account.used = candidates.len() as u64;
    if !outcome.account.balances() {
        return Err(IngestError::Internal(format!("rows do not add up: {:?}", outcome.account)));
    }

    let (x, y) = candidates.iter().filter_map(|&row| place_of(row)).unzip();
    let incidents = Incidents {
        x,
        y,
        times: roles.time.map(|_| {
            let intervals = candidates.iter().map(|&row| timeline.interval(row)).collect();
            Times::new(intervals, options.tz.clone())
        }),
        kinds: roles.kind.map(|_| kinds(&raw, &candidates)),
        weight: roles.weight.map(|_| candidates.iter().map(|&row| raw.weight[row]).collect()),
        row: candidates.iter().map(|&row| raw.line[row]).collect(),
        window,
        crs: projected.crs.clone(),
    };
    outcome.rejects.sort_by_key(|reject| reject.line);
    let file = InputRecord {
        role: "incidents".to_owned(),
        name,
        bytes: opened.bytes,
        sha256: opened.sha256,
        rows: Some(outcome.account),
        rejected_by_reason: Some(outcome.by_reason()),
        crs_in: Some(source.code()),
        crs_out: Some(projected.crs.code()),
    };
    Ok(Ingested {
        incidents,
        rejects: outcome.rejects,
        account: outcome.account,
        notes,
        inputs: std::iter::once(file).chain(study_area_file).collect(),
        columns: roles.names,
    })
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

fn kinds(raw: &Raw, rows: &[usize]) -> Kinds {
    let mut used = vec![false; raw.kinds.len()];
    for &row in rows {
        used[raw.kind[row] as usize] = true;
    }
    let mut order: Vec<usize> = (0..used.len()).filter(|&at| used[at]).collect();
    order.sort_unstable_by(|&a, &b| raw.kinds[a].cmp(&raw.kinds[b]));
    let mut code = vec![0; used.len()];
    for (at, &name) in order.iter().enumerate() {
        code[name] = at as u32;
    }
    Kinds {
        names: order.iter().map(|&name| raw.kinds[name].to_string()).collect(),
        codes: rows.iter().map(|&row| code[raw.kind[row] as usize]).collect(),
    }
}

/// Warns when single places hold more than one incident in a hundred: a geocoder's default, or a police station.
fn crowded(places: &Places, used: &[usize], counts: &[u32], names: &Columns) -> Option<Note> {
    let all: u64 = used.iter().map(|&at| u64::from(counts[at])).sum();
    let mut top: Vec<usize> =
        used.iter().copied().filter(|&at| all >= 500 && u64::from(counts[at]) * 100 > all).collect();
    top.sort_by(|&a, &b| {
        let place = |at: usize| (places.x[at], places.y[at]);
        counts[b].cmp(&counts[a]).then(place(a).partial_cmp(&place(b)).unwrap_or(std::cmp::Ordering::Equal))
    });
    top.truncate(5);
    let first = *top.first()?;
    let (x_name, y_name) = names.coordinates();
    let list: Vec<String> = top
        .iter()
        .map(|&at| {
            format!(
                "{} at {x_name} {} {y_name} {}",
                counts[at],
                error::short(places.x[at]),
                error::short(places.y[at])
            )
        })
        .collect();
    Some(
        Note::new(
            "places_crowded",
            format!("single places hold more than 1 % of the incidents: {}", list.join("; ")),
        )
        .value(counts[first], "incidents")
        .reason("real in a few places, such as a station; else the default of a geocoder, and worth a look"),
    )
}

/// Letters of a rejected value that are kept.
const LONGEST_VALUE: usize = 200;

/// The account of a run while it is written.
struct Outcome {
    account: Account,
    rejects: Vec<Reject>,
}

impl Outcome {
    fn new(read: usize) -> Self {
        Self { account: Account { read: read as u64, ..Account::default() }, rejects: Vec::new() }
    }

    fn reject(&mut self, line: u64, reason: Reason, column: String, mut value: String) {
        // A field may hold a novel; the start of it tells which field it was.
        if let Some((end, _)) = value.char_indices().nth(LONGEST_VALUE) {
            value.truncate(end);
            value.push('\u{2026}');
        }
        self.account.rejected += 1;
        self.rejects.push(Reject { line, reason, column, value });
    }

    fn by_reason(&self) -> BTreeMap<String, u64> {
        let mut counts = BTreeMap::new();
        for reject in &self.rejects {
            *counts.entry(reject.reason.code().to_owned()).or_insert(0) += 1;
        }
        counts
    }

    fn nothing_left(self, name: String) -> IngestError {
        let mut reasons = Vec::new();
        for reason in Reason::ALL {
            let mut found = self.rejects.iter().filter(|reject| reject.reason == reason);
            if let Some(first) = found.next() {
                reasons.push((reason, 1 + found.count() as u64, first.clone()));
            }
        }
        IngestError::NothingLeft { name, account: self.account, reasons }
    }
}
