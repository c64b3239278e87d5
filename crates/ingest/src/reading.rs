//! One reading of a file, in one piece or in many: every piece goes the same way, and what one settles the next is held to.

use std::collections::BTreeMap;

use brasa_model::{Account, Incidents, InputRecord, Kinds, Note, Reason, Reject, Times, Window};

use crate::columns::{Columns, Roles};
use crate::decide::{Raw, TimeRules, Verdict, Wishes, decide};
use crate::open::{Digest, Opened};
use crate::project::{self, Course, Places, range};
use crate::records::StatedCrs;
use crate::study_area::{self, Weighted};
use crate::{IngestError, Ingested, InputOptions, Pieces, error};

/// A file while it is read.
pub(crate) struct Reading<'a> {
    name: &'a str,
    options: &'a InputOptions,
    wishes: &'a Wishes,
    roles: &'a Roles,
    stated: StatedCrs,
    pieces: Pieces,
    times: TimeRules,
    course: Option<Course>,
    window: Option<Window>,
    study_area_file: Option<InputRecord>,
    outcome: Outcome,
    /// Candidates so far, and how far they extend: for the message when the study area misses them all.
    candidates: u64,
    extent: ((f64, f64), (f64, f64)),
    notes: Vec<Note>,
}

impl<'a> Reading<'a> {
    /// A reading that has not begun.
    pub fn new(
        name: &'a str,
        options: &'a InputOptions,
        wishes: &'a Wishes,
        roles: &'a Roles,
        stated: StatedCrs,
        pieces: Pieces,
    ) -> Self {
        let nowhere = (f64::INFINITY, f64::NEG_INFINITY);
        Self {
            name,
            options,
            wishes,
            roles,
            stated,
            pieces,
            times: TimeRules::default(),
            course: None,
            window: None,
            study_area_file: None,
            outcome: Outcome::new(pieces.rejects),
            candidates: 0,
            extent: (nowhere, nowhere),
            notes: Vec::new(),
        }
    }

    const fn is_whole(&self) -> bool {
        self.pieces.rows == usize::MAX
    }

    /// The incidents among these rows, if there is one.
    pub fn piece(&mut self, raw: &Raw) -> Result<Option<Incidents>, IngestError> {
        let incidents = self.sort_out(raw)?;
        self.outcome.account.read += raw.len() as u64;
        self.outcome.account.used += incidents.as_ref().map_or(0, |incidents| incidents.len() as u64);
        self.outcome.end_piece();
        Ok(incidents)
    }

    fn sort_out(&mut self, raw: &Raw) -> Result<Option<Incidents>, IngestError> {
        let roles = self.roles;
        let timeline = self.times.timeline(raw, roles, self.wishes)?;
        let places = Places::of_rows(raw.wanted_places());
        let found = self.find(&places)?;
        let place_of = |row: usize| found[places.of_row[row]? as usize];
        let verdicts = decide(raw, roles, &timeline, self.wishes, |row| place_of(row).is_some());
        let mut candidates: Vec<usize> = Vec::new();
        for (row, verdict) in verdicts.into_iter().enumerate() {
            match verdict {
                Verdict::Candidate => candidates.push(row),
                Verdict::Filtered => self.outcome.account.filtered += 1,
                Verdict::Duplicate => self.outcome.account.duplicate += 1,
                Verdict::Rejected(fault) => {
                    self.outcome.reject(raw.line[row], fault.reason, fault.column, fault.value);
                }
            }
        }
        let Some(course) = self.course.as_ref().filter(|_| !candidates.is_empty()) else {
            return Ok(None);
        };

        // From here on places count, not rows: sites in the order of the file, with the candidates on each.
        let mut counts = vec![0_u32; places.x.len()];
        for &row in &candidates {
            counts[places.of_row[row].unwrap_or_default() as usize] += 1;
        }
        let used: Vec<usize> = (0..counts.len()).filter(|&at| counts[at] > 0).collect();
        let (mut x, mut y, mut count) = (Vec::new(), Vec::new(), Vec::new());
        for &at in &used {
            let (east, north) = found[at].unwrap_or_default();
            x.push(east);
            y.push(north);
            count.push(counts[at]);
        }
        self.candidates += candidates.len() as u64;
        let wider = |old: (f64, f64), new: (f64, f64)| (old.0.min(new.0), old.1.max(new.1));
        self.extent.0 = wider(self.extent.0, range(x.iter().copied()));
        self.extent.1 = wider(self.extent.1, range(y.iter().copied()));
        if self.is_whole() {
            self.notes.extend(crowded(&places, &used, &counts, &roles.names));
        }
        let (window, inside, reason) = match self.options.study_area.as_deref() {
            Some(file) => {
                let window = if let Some(window) = &self.window {
                    window.clone()
                } else {
                    let (window, record) = study_area::given(file, &course.crs, &mut self.notes)?;
                    self.study_area_file = Some(record);
                    window
                };
                let inside = window.contains_all(&x, &y);
                (window, inside, Reason::OutsideStudyArea)
            }
            None => {
                let weighted = Weighted { x: &x, y: &y, count: &count };
                let (window, inside) = study_area::automatic(&weighted, &mut self.notes)?;
                (window, inside, Reason::FarFromTheRest)
            }
        };
        self.window = Some(window.clone());
        let mut place_inside = vec![false; places.x.len()];
        for (&at, inside) in used.iter().zip(inside) {
            place_inside[at] = inside;
        }
        let (x_name, y_name) = roles.names.coordinates();
        candidates.retain(|&row| {
            let at = places.of_row[row].unwrap_or_default() as usize;
            if !place_inside[at] {
                let value = format!("{}, {}", places.x[at], places.y[at]);
                self.outcome.reject(raw.line[row], reason, format!("{x_name}, {y_name}"), value);
            }
            place_inside[at]
        });
        if candidates.is_empty() {
            return Ok(None);
        }
        let (x, y) = candidates.iter().filter_map(|&row| place_of(row)).unzip();
        Ok(Some(Incidents {
            x,
            y,
            times: roles.time.map(|_| {
                let intervals = candidates.iter().map(|&row| timeline.interval(row)).collect();
                Times::new(intervals, self.options.tz.clone())
            }),
            kinds: roles.kind.map(|_| kinds(raw, &candidates)),
            weight: roles.weight.map(|_| candidates.iter().map(|&row| raw.weight[row]).collect()),
            row: candidates.iter().map(|&row| raw.line[row]).collect(),
            window,
            crs: course.crs.clone(),
        }))
    }

    /// Where the places are in the working system, which the first of them settle.
    fn find(&mut self, places: &Places) -> Result<Vec<Option<(f64, f64)>>, IngestError> {
        if let Some(course) = &self.course {
            return Ok(course.bring(places));
        }
        if places.x.is_empty() {
            return Ok(Vec::new());
        }
        let (place, swap, notes) = (self.roles.place, self.roles.names.swap_advice(), &mut self.notes);
        let source = project::source(self.name, places, place, &swap, &self.stated, self.options, notes)?;
        let Some((course, found)) = Course::choose(self.name, places, source, notes)? else {
            // Not one place is inside: the rows are counted as out of range, in whatever system.
            return Ok(vec![None; places.x.len()]);
        };
        self.course = Some(course);
        Ok(found)
    }

    /// Draws up the account. What comes back holds no incident: they were handed out.
    pub fn finish(
        mut self,
        mut notes: Vec<Note>,
        opened: &Opened,
        digest: Digest,
    ) -> Result<Ingested, IngestError> {
        let name = self.name.to_owned();
        let account = self.outcome.account;
        if account.read == 0 {
            return Err(IngestError::NoRows { name });
        }
        if !account.balances() {
            return Err(IngestError::Internal(format!("rows do not add up: {account:?}")));
        }
        let (Some(course), Some(window)) = (self.course, self.window) else {
            return Err(self.outcome.nothing_left(name));
        };
        if account.used == 0 {
            return Err(match &self.study_area_file {
                Some(file) => {
                    study_area::misses(&file.name, &window, &course.crs, self.candidates, self.extent)
                }
                None => self.outcome.nothing_left(name),
            });
        }
        notes.extend(self.times.notes(self.roles, self.wishes));
        notes.append(&mut self.notes);
        if self.pieces.rows < usize::MAX && opened.is_held_whole() {
            notes.push(
                Note::new("held_whole", format!("{name} was read in pieces, but is itself held in memory"))
                    .value(opened.bytes, "bytes")
                    .reason("only plain or gzipped text and what GDAL reads are read as they come; for more, save it as CSV"),
            );
        }
        notes.extend(self.outcome.capped());
        let file = InputRecord {
            role: "incidents".to_owned(),
            sha256: digest.finish(&name)?,
            name,
            bytes: opened.bytes,
            rows: Some(account),
            rejected_by_reason: Some(self.outcome.by_reason()),
            crs_in: Some(course.source.code()),
            crs_out: Some(course.crs.code()),
        };
        Ok(Ingested {
            incidents: Incidents {
                x: Vec::new(),
                y: Vec::new(),
                times: None,
                kinds: None,
                weight: None,
                row: Vec::new(),
                window,
                crs: course.crs,
            },
            rejects: self.outcome.rejects,
            account,
            notes,
            inputs: std::iter::once(file).chain(self.study_area_file).collect(),
            columns: self.roles.names.clone(),
        })
    }
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
    /// The rejects that are kept, at most so many.
    rejects: Vec<Reject>,
    most: usize,
    /// Where those of the current piece begin.
    piece: usize,
    /// How many for each reason, and the first of them.
    counts: BTreeMap<Reason, (u64, Reject)>,
}

impl Outcome {
    fn new(most: usize) -> Self {
        Self { account: Account::default(), rejects: Vec::new(), most, piece: 0, counts: BTreeMap::new() }
    }

    fn reject(&mut self, line: u64, reason: Reason, column: String, mut value: String) {
        // A field may hold a novel; the start of it tells which field it was.
        if let Some((end, _)) = value.char_indices().nth(LONGEST_VALUE) {
            value.truncate(end);
            value.push('\u{2026}');
        }
        let reject = Reject { line, reason, column, value };
        self.account.rejected += 1;
        if let Some((count, _)) = self.counts.get_mut(&reason) {
            *count += 1;
        } else {
            self.counts.insert(reason, (1, reject.clone()));
        }
        if self.piece < self.most {
            self.rejects.push(reject);
        }
    }

    /// Keeps the first rejects in the order of the file.
    fn end_piece(&mut self) {
        self.rejects[self.piece..].sort_by_key(|reject| reject.line);
        self.rejects.truncate(self.most);
        self.piece = self.rejects.len();
    }

    fn by_reason(&self) -> BTreeMap<String, u64> {
        self.counts.iter().map(|(reason, (count, _))| (reason.code().to_owned(), *count)).collect()
    }

    fn capped(&self) -> Option<Note> {
        let (kept, all) = (self.rejects.len() as u64, self.account.rejected);
        (kept < all).then(|| {
            Note::new("rejects_capped", format!("of {all} rejected rows the first {kept} are listed"))
                .value(kept, "rows")
                .reason("a file read in pieces may have more rejects than memory holds; the counts by reason are of all")
        })
    }

    fn nothing_left(self, name: String) -> IngestError {
        let reasons = self.counts.into_iter().map(|(reason, (count, first))| (reason, count, first));
        IngestError::NothingLeft { name, account: self.account, reasons: reasons.collect() }
    }
}
