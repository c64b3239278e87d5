//! One reading of one file or several, in one piece or in many: every piece goes the same way, and what one settles the next
//! is held to. Columns, dates and reference system are each file's own; the working system and the window are one for all.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap, HashSet};

use brasa_model::{
    Account, Crs, Files, Incidents, InputRecord, Interval, Note, Reason, Reject, Times, Window,
};
use rayon::prelude::*;

use crate::columns::Roles;
use crate::decide::{Faults, Raw, Rows, Verdict, decide};
use crate::notes;
use crate::open::{Digest, Opened};
use crate::parts::{Part, Spots, crowded, filled, joined, kinds};
use crate::project::{self, Found, Located, LonLat, Places, key, range};
use crate::sources::Source;
use crate::study_area::{self, Weighted};
use crate::{IngestError, Ingested, InputOptions, Pieces};

/// Files while they are read.
pub(crate) struct Reading<'a> {
    options: &'a InputOptions,
    pieces: Pieces,
    sources: Vec<Source>,
    crs: Option<Crs>,
    window: Option<Window>,
    study_area_file: Option<InputRecord>,
    rejects: Rejects,
    /// Per make, the ids of candidates so far, each with the file that has it.
    seen: Vec<HashMap<u32, usize>>,
    /// What was at which place at which time, for `--drop-copies`.
    copies: HashSet<Copy>,
    /// Candidates so far, and how far they extend: for the message when the study area misses them all.
    candidates: u64,
    extent: ((f64, f64), (f64, f64)),
    notes: Vec<Note>,
}

/// A place as written, a time and a kind.
type Copy = ((u64, u64), Option<Interval>, Box<str>);

impl<'a> Reading<'a> {
    /// A reading that has not begun.
    pub fn new(options: &'a InputOptions, sources: Vec<Source>, pieces: Pieces) -> Self {
        let makes = sources.iter().map(|source| source.make + 1).max().unwrap_or(0);
        let nowhere = (f64::INFINITY, f64::NEG_INFINITY);
        Self {
            options,
            pieces,
            sources,
            crs: None,
            window: None,
            study_area_file: None,
            rejects: Rejects { kept: Vec::new(), most: pieces.rejects, piece: 0 },
            seen: vec![HashMap::new(); makes],
            copies: HashSet::new(),
            candidates: 0,
            extent: (nowhere, nowhere),
            notes: Vec::new(),
        }
    }

    const fn is_whole(&self) -> bool {
        self.pieces.rows == usize::MAX
    }

    /// The incidents among these rows, each lot with the file it is of, if there is one.
    pub fn piece(&mut self, lots: Vec<(usize, Raw)>) -> Result<Option<Incidents>, IngestError> {
        let counts: Vec<(usize, u64, u64)> =
            lots.iter().map(|(source, raw)| (*source, raw.len() as u64, raw.filtered)).collect();
        let incidents = self.sort_out(lots)?;
        for (source, rows, filtered) in counts {
            let account = &mut self.sources[source].account;
            account.read += rows + filtered;
            account.filtered += filtered;
        }
        self.rejects.end_piece();
        Ok(incidents)
    }

    fn sort_out(&mut self, lots: Vec<(usize, Raw)>) -> Result<Option<Incidents>, IngestError> {
        self.settle_orders(&lots)?;
        let mut parts: Vec<Part> = Vec::with_capacity(lots.len());
        for (source, mut raw) in lots {
            let Source { times, roles, wishes, .. } = &mut self.sources[source];
            let timeline = times.timeline(&mut raw, roles, wishes);
            let written = std::mem::take(&mut raw.place);
            let wanted = written.iter().enumerate().map(|(row, &(x, y))| {
                (!x.is_nan() && wishes.may_want(timeline.interval(row))).then_some((x, y))
            });
            let places = Places::of_rows(wanted);
            parts.push(Part { source, raw, timeline, places, found: Found::default() });
        }
        self.find(&mut parts)?;
        for part in &mut parts {
            self.judge(part);
        }
        let Some(crs) = self.crs.clone().filter(|_| parts.iter().any(|part| part.raw.len() > 0)) else {
            return Ok(None);
        };

        self.candidates += parts.iter().map(|part| part.raw.len() as u64).sum::<u64>();
        let wider = |old: (f64, f64), new: (f64, f64)| (old.0.min(new.0), old.1.max(new.1));
        let spots = || parts.iter().flat_map(Part::spots);
        self.extent.0 = wider(self.extent.0, range(spots().map(|((x, _), ..)| x)));
        self.extent.1 = wider(self.extent.1, range(spots().map(|((_, y), ..)| y)));
        if self.is_whole() {
            self.notes.extend(crowded(&parts, &self.sources[parts[0].source].roles.names));
        }
        let window = match self.options.study_area.as_deref() {
            Some(file) => {
                let window = if let Some(window) = &self.window {
                    window.clone()
                } else {
                    let (window, record) = study_area::given(
                        file,
                        self.options.study_area_layer.as_deref(),
                        &crs,
                        &mut self.notes,
                    )?;
                    self.study_area_file = Some(record);
                    window
                };
                for part in &mut parts {
                    let inside: Vec<bool> = (0..part.places.x.len())
                        .into_par_iter()
                        .map(|place| part.found.at(place).is_some_and(|(x, y)| window.contains(x, y)))
                        .collect();
                    self.keep_inside(part, |place| inside[place], Reason::OutsideStudyArea);
                }
                window
            }
            None => {
                let spots = Spots::of(&parts);
                let weighted = Weighted { x: &spots.x, y: &spots.y, count: &spots.count };
                let (window, inside) = study_area::automatic(&weighted, &mut self.notes)?;
                for (part, spot_of) in parts.iter_mut().zip(&spots.of_place) {
                    self.keep_inside(part, |place| inside[spot_of[place] as usize], Reason::FarFromTheRest);
                }
                window
            }
        };
        self.window = Some(window.clone());
        let used = parts.iter().any(|part| part.raw.len() > 0);
        Ok(used.then(|| self.incidents(parts, window, crs)))
    }

    /// Settles the order of day and month in each file. A file whose dates leave it open follows those of the same make.
    fn settle_orders(&mut self, lots: &[(usize, Raw)]) -> Result<(), IngestError> {
        let mut open = Vec::new();
        for &(at, ref raw) in lots {
            let source = &mut self.sources[at];
            if let Err(error) = source.times.settle(raw, &source.roles, &source.wishes) {
                open.push((at, error));
            }
        }
        for (at, mut error) in open {
            let same_make = |source: &&Source| {
                source.make == self.sources[at].make
                    && source.roles.names.time == self.sources[at].roles.names.time
            };
            let mut orders = self
                .sources
                .iter()
                .filter(same_make)
                .filter_map(|source| Some((source.times.own_order()?, source.name.clone())));
            let first = orders.next();
            let Some((order, from)) = first.filter(|(order, _)| orders.all(|other| other.0 == *order)) else {
                if let IngestError::DateOrderUnknown { place, .. } = &mut error {
                    *place = format!("{}, {place}", self.sources[at].name);
                }
                return Err(error);
            };
            let Source { times, roles, .. } = &mut self.sources[at];
            times.adopt(order, &from, roles);
        }
        Ok(())
    }

    /// Where the places are in the working system, which the first of them settle.
    fn find(&mut self, parts: &mut [Part]) -> Result<(), IngestError> {
        let mut lonlat: Vec<LonLat> = Vec::with_capacity(parts.len());
        for part in &*parts {
            lonlat.push(self.sources[part.source].lonlat(&part.places)?);
        }
        if self.crs.is_none() {
            let located = parts.iter().zip(&lonlat).filter_map(|(part, lonlat)| {
                let course = self.sources[part.source].course.as_ref()?;
                Some(Located { source: &course.source, places: &part.places, lonlat })
            });
            let located: Vec<Located<'_>> = located.collect();
            let name = parts.first().map_or("", |part| &self.sources[part.source].name);
            self.crs = project::working_system(name, &located, &mut self.notes)?;
        }
        for (part, lonlat) in parts.iter_mut().zip(&lonlat) {
            let Source { name, course, .. } = &mut self.sources[part.source];
            part.found = match (course, &self.crs) {
                (Some(course), Some(crs)) => course.bring(name, &part.places, lonlat, crs)?,
                // Not one place is inside: the rows are counted as out of range, in whatever system.
                _ => Found::default(),
            };
        }
        Ok(())
    }

    /// The verdict on every row of a part, in which the candidates are left.
    fn judge(&mut self, part: &mut Part) {
        let at = part.source;
        let faults = Faults::of(&mut part.raw, &mut part.timeline);
        let Part { raw, timeline, places, found, .. } = &*part;
        let source = &self.sources[at];
        let (roles, wishes) = (&source.roles, &source.wishes);
        let seen = &mut self.seen[source.make];
        let (mut account, mut repeated, mut police_made) = (source.account, 0, 0);
        let is_new = |id: u32| match seen.entry(id) {
            Entry::Vacant(entry) => {
                entry.insert(at);
                true
            }
            Entry::Occupied(entry) => {
                repeated += u64::from(*entry.get() != at);
                false
            }
        };
        let mut is_first = |row: usize| {
            let place = places.of_row(row).map(|place| key(places.x[place], places.y[place]));
            let kind = raw.kind.get(row).map(|&kind| raw.kinds[kind as usize].clone());
            self.copies.insert((place.unwrap_or_default(), timeline.interval(row), kind.unwrap_or_default()))
        };
        let mut kept = vec![false; raw.len()];
        let mut rejected = Vec::new();
        let rows = Rows { raw, roles, timeline, wishes, places, found };
        decide(&rows, faults, is_new, |row, verdict| match verdict {
            Verdict::Candidate if self.options.drop_copies && !is_first(row) => account.duplicate += 1,
            Verdict::Candidate => kept[row] = true,
            Verdict::Filtered => account.filtered += 1,
            Verdict::PoliceMade => {
                account.filtered += 1;
                police_made += 1;
            }
            Verdict::Duplicate => account.duplicate += 1,
            Verdict::Rejected(fault) => rejected.push((row, fault)),
        });
        let source = &mut self.sources[at];
        source.account = account;
        source.repeated += repeated;
        source.police_made += police_made;
        for (row, fault) in rejected {
            self.rejects.add(source, at, raw.line[row], fault.reason, fault.column, fault.value);
        }
        part.keep(&kept);
    }

    /// Rejects the candidates whose place is not inside; the others are used.
    fn keep_inside(&mut self, part: &mut Part, inside: impl Fn(usize) -> bool, reason: Reason) {
        let source = &mut self.sources[part.source];
        let (x_name, y_name) = source.roles.names.coordinates();
        let column = format!("{x_name}, {y_name}");
        let stays = |row: usize| {
            let place = part.places.of_row(row).unwrap_or_default();
            let inside = inside(place);
            if !inside {
                let (x, y) = part.written(place);
                let (line, value) = (part.raw.line[row], format!("{x}, {y}"));
                self.rejects.add(source, part.source, line, reason, column.clone(), value);
            }
            inside
        };
        let kept: Vec<bool> = (0..part.raw.len()).map(stays).collect();
        part.keep(&kept);
        let source = &mut self.sources[part.source];
        source.account.used += part.raw.len() as u64;
        source.tally(&part.raw);
    }

    /// The rows of all parts as incidents. What one file says and another does not is blank, or 1 for a weight.
    fn incidents(&self, mut parts: Vec<Part>, window: Window, crs: Crs) -> Incidents {
        let any = |has: fn(&Roles) -> bool| self.sources.iter().any(|source| has(&source.roles));
        let used: usize = parts.iter().map(|part| part.raw.len()).sum();
        let kinds = any(|roles| roles.kind.is_some()).then(|| kinds(&mut parts));
        let files = self.files().map(|files| {
            let codes = parts.iter().flat_map(|part| vec![part.source as u16; part.raw.len()]);
            Files { codes: codes.collect(), ..files }
        });
        // The memory of what is done with serves for what is new.
        parts.iter_mut().for_each(|part| part.places.forget_places());
        let (mut x, mut y) = (Vec::with_capacity(used), Vec::with_capacity(used));
        for part in &mut parts {
            let places = std::mem::take(&mut part.places);
            let found = std::mem::take(&mut part.found);
            let rows = || (0..part.raw.len()).filter_map(|row| found.at(places.of_row(row)?));
            x.extend(rows().map(|(x, _)| x));
            y.extend(rows().map(|(_, y)| y));
        }
        let intervals = |part: &mut Part| part.timeline.take_intervals(part.raw.len());
        let weight = |part: &mut Part| filled(std::mem::take(&mut part.raw.weight), part.raw.len(), 1.0);
        Incidents {
            x,
            y,
            times: any(|roles| roles.time.is_some())
                .then(|| Times::new(joined(parts.iter_mut().map(intervals)), self.zone())),
            kinds,
            weight: any(|roles| roles.weight.is_some()).then(|| joined(parts.iter_mut().map(weight))),
            files,
            row: joined(parts.into_iter().map(|part| part.raw.line)),
            window,
            crs,
            zones: None,
        }
    }

    /// The zone whose clocks the times follow, if all files that know theirs agree.
    fn zone(&self) -> Option<String> {
        let mut zones = self.sources.iter().filter_map(|source| source.zone.as_ref());
        let first = zones.next()?;
        zones.all(|zone| zone == first).then(|| first.clone())
    }

    /// The names of the files, if there are several.
    fn files(&self) -> Option<Files> {
        let names = || self.sources.iter().map(|source| source.name.clone()).collect();
        (self.sources.len() > 1).then(|| Files { names: names(), codes: Vec::new() })
    }

    /// Takes down what is known of a file once all its rows were read.
    pub fn end_file(
        &mut self,
        at: usize,
        mut notes: Vec<Note>,
        opened: &Opened,
        digest: Digest,
    ) -> Result<(), IngestError> {
        let whole = self.is_whole();
        let source = &mut self.sources[at];
        let bytes = opened.bytes;
        (source.bytes, source.sha256) = (bytes, digest.finish(&source.name)?);
        if !whole && opened.is_held_whole() {
            notes.push(
                Note::new("held_whole", "the file was read in pieces, but is itself held in memory")
                    .value(bytes, "bytes")
                    .reason("only plain or gzipped text and what GDAL reads are read as they come; for more, save it as CSV"),
            );
        }
        notes.append(&mut source.notes);
        source.notes = notes;
        Ok(())
    }

    /// Draws up the account. What comes back holds no incident: they were handed out.
    pub fn finish(mut self) -> Result<Ingested, IngestError> {
        if let Some(source) = self.sources.iter().find(|source| !source.account.balances()) {
            return Err(IngestError::Internal(format!("rows do not add up: {:?}", source.account)));
        }
        let account = self.sources.iter().fold(Account::default(), |sum, source| sum.plus(source.account));
        let (Some(crs), Some(window)) = (self.crs.clone(), self.window.take()) else {
            return Err(self.nothing_left(account));
        };
        if account.used == 0 {
            return Err(match &self.study_area_file {
                Some(file) => study_area::misses(&file.name, &window, &crs, self.candidates, self.extent),
                None => self.nothing_left(account),
            });
        }
        let files = self.files();
        self.announce();
        let lists = self.sources.iter_mut().map(|source| std::mem::take(&mut source.notes)).collect();
        let names: Vec<&str> = self.sources.iter().map(|source| source.name.as_str()).collect();
        let mut notes = notes::of_files(&names, lists);
        notes.append(&mut self.notes);
        notes.extend(self.rejects.capped(account.rejected));
        let record = |source: &Source| InputRecord {
            role: "incidents".to_owned(),
            name: source.name.clone(),
            bytes: source.bytes,
            sha256: source.sha256.clone(),
            rows: Some(source.account),
            rejected_by_reason: Some(
                source.counts.iter().map(|(reason, (count, _))| (reason.code().to_owned(), *count)).collect(),
            ),
            kinds: source.kind_records(),
            sources: source.origin_records(),
            crs_in: source.course.as_ref().map(|course| course.source.code()),
            crs_out: Some(crs.code()),
        };
        Ok(Ingested {
            inputs: self.sources.iter().map(record).chain(self.study_area_file).collect(),
            columns: self.sources.iter().map(|source| source.roles.names.clone()).collect(),
            incidents: Incidents {
                x: Vec::new(),
                y: Vec::new(),
                times: None,
                kinds: None,
                weight: None,
                row: Vec::new(),
                files,
                window,
                crs,
                zones: None,
            },
            rejects: self.rejects.kept,
            account,
            notes,
        })
    }

    /// The notes of each file that only all rows of all files together can give.
    fn announce(&mut self) {
        for at in 0..self.sources.len() {
            let source = &mut self.sources[at];
            let mut notes = source.times.notes(&source.roles, &source.wishes);
            notes.extend(source.police_made());
            notes.extend(source.kinds_unmapped());
            if source.repeated > 0 {
                let repeated = source.repeated;
                notes.push(
                    Note::new("ids_repeated", format!("{repeated} rows have an id that another file has, and are duplicates"))
                        .value(repeated, "rows")
                        .reason("files with the same columns are taken for parts of one export; if their ids are not of one kind, leave --id out"),
                );
            }
            if source.account.used == 0 {
                notes.push(
                    Note::new("file_without_incidents", source.nothing_left().to_string())
                        .value(source.account.read, "rows")
                        .reason("other files have incidents; this one adds none"),
                );
            }
            source.notes.append(&mut notes);
        }
    }

    /// The error when not a row of any file is left.
    fn nothing_left(&self, account: Account) -> IngestError {
        if let [source] = self.sources.as_slice() {
            return source.nothing_left();
        }
        let mut reasons: BTreeMap<Reason, (u64, Reject)> = BTreeMap::new();
        for (&reason, (count, first)) in self.sources.iter().flat_map(|source| &source.counts) {
            reasons.entry(reason).or_insert_with(|| (0, first.clone())).0 += count;
        }
        let reasons = reasons.into_iter().map(|(reason, (count, first))| (reason, count, first)).collect();
        let names: Vec<&str> = self.sources.iter().map(|source| source.name.as_str()).collect();
        let name = notes::list(&names);
        if account.read == 0 {
            return IngestError::NoRows { name };
        }
        let police_made = self.sources.iter().map(|source| source.police_made).sum();
        IngestError::NothingLeft { name, account, police_made, reasons }
    }
}

/// Letters of a rejected value that are kept.
const LONGEST_VALUE: usize = 200;

/// The rejects that are kept.
struct Rejects {
    kept: Vec<Reject>,
    /// At most so many.
    most: usize,
    /// Where those of the current piece begin.
    piece: usize,
}

impl Rejects {
    fn add(
        &mut self,
        source: &mut Source,
        file: usize,
        line: u64,
        reason: Reason,
        column: String,
        mut value: String,
    ) {
        // A field may hold a novel; the start of it tells which field it was.
        if let Some((end, _)) = value.char_indices().nth(LONGEST_VALUE) {
            value.truncate(end);
            value.push('\u{2026}');
        }
        let reject = Reject { file: file as u16, line, reason, column, value };
        source.account.rejected += 1;
        if let Some((count, _)) = source.counts.get_mut(&reason) {
            *count += 1;
        } else {
            source.counts.insert(reason, (1, reject.clone()));
        }
        if self.piece < self.most {
            self.kept.push(reject);
        }
    }

    /// Keeps the first rejects in the order of the files.
    fn end_piece(&mut self) {
        self.kept[self.piece..].sort_by_key(|reject| (reject.file, reject.line));
        self.kept.truncate(self.most);
        self.piece = self.kept.len();
    }

    fn capped(&self, all: u64) -> Option<Note> {
        let kept = self.kept.len() as u64;
        (kept < all).then(|| {
            Note::new("rejects_capped", format!("of {all} rejected rows the first {kept} are listed"))
                .value(kept, "rows")
                .reason("a file read in pieces may have more rejects than memory holds; the counts by reason are of all")
        })
    }
}
