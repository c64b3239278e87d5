//! One reading of one file or several, in one piece or in many: every piece goes the same way, and what one settles the next
//! is held to. Columns, dates and reference system are each file's own; the working system and the window are one for all.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap, HashSet};

use brasa_model::{
    Account, Crs, Files, Incidents, InputRecord, Interval, KindRecord, Kinds, Note, Reason, Reject, Times,
    Window,
};

use crate::columns::{Columns, PlaceRole, Roles, SourceRole};
use crate::decide::{Raw, TimeRules, Timeline, Verdict, Wishes, decide};
use crate::hash::Quick;
use crate::notes;
use crate::open::{Digest, Opened};
use crate::origins::Origin;
use crate::project::{self, Course, Found, Located, Places, range};
use crate::records::StatedCrs;
use crate::study_area::{self, Weighted};
use crate::{IngestError, Ingested, InputOptions, Pieces, error};

/// One of the files while it is read.
pub(crate) struct Source {
    name: String,
    pub roles: Roles,
    stated: StatedCrs,
    /// What the user and its profile say of it.
    said: InputOptions,
    pub wishes: Wishes,
    /// The zone whose clocks its times follow, if that is known.
    zone: Option<String>,
    /// The system that they say it is in.
    pub crs: Option<String>,
    /// The files of one make have the same columns; their ids are of one kind.
    pub make: usize,
    times: TimeRules,
    course: Option<Course>,
    /// What a row of it became, but for the rejects themselves.
    account: Account,
    /// How many for each reason, and the first of them.
    counts: BTreeMap<Reason, (u64, Reject)>,
    /// Rows whose id an earlier file has.
    repeated: u64,
    /// Rows that are left out because police made them.
    police_made: u64,
    /// Rows used, by where their record comes from.
    origins: BTreeMap<Origin, u64>,
    /// Rows used, by kind.
    kinds: BTreeMap<Box<str>, u64>,
    bytes: u64,
    sha256: String,
    notes: Vec<Note>,
}

impl Source {
    /// A file that is not read yet.
    pub fn new(
        name: String,
        roles: Roles,
        stated: StatedCrs,
        make: usize,
        said: InputOptions,
        zone: Option<String>,
    ) -> Result<Self, IngestError> {
        Ok(Self {
            name,
            roles,
            stated,
            wishes: Wishes::of(&said)?,
            said,
            zone,
            crs: None,
            make,
            times: TimeRules::default(),
            course: None,
            account: Account::default(),
            counts: BTreeMap::new(),
            repeated: 0,
            police_made: 0,
            origins: BTreeMap::new(),
            kinds: BTreeMap::new(),
            bytes: 0,
            sha256: String::new(),
            notes: Vec::new(),
        })
    }

    /// The system that its profile says it is in.
    pub fn known_crs(&self) -> Option<&String> {
        self.said.crs.as_ref()
    }

    /// Whether it says in which system it is: by its geometry, or by calling its columns longitude and latitude, which are
    /// degrees whatever projected system is given.
    pub fn states_crs(&self, given_is_geographic: bool) -> bool {
        match self.roles.place {
            PlaceRole::Geometry => self.stated != StatedCrs::Nothing,
            PlaceRole::LonLat(..) => !given_is_geographic,
            PlaceRole::Xy(..) => false,
        }
    }

    /// The places on WGS 84, in the system that the first of them settle.
    fn lonlat(&mut self, places: &Places) -> Result<Found, IngestError> {
        if places.x.is_empty() {
            return Ok(Vec::new());
        }
        let course = match self.course.take() {
            Some(course) => course,
            None => {
                let (place, swap) = (self.roles.place, self.roles.names.swap_advice());
                let (given, notes) = (self.crs.as_deref(), &mut self.notes);
                let source = project::source(&self.name, places, place, &swap, &self.stated, given, notes)?;
                Course::new(&self.name, source, notes)?
            }
        };
        Ok(self.course.insert(course).lonlat(places))
    }

    fn nothing_left(&self) -> IngestError {
        if self.account.read == 0 {
            return IngestError::NoRows { name: self.name.clone() };
        }
        let reasons = self.counts.iter().map(|(&reason, (count, first))| (reason, *count, first.clone()));
        IngestError::NothingLeft {
            name: self.name.clone(),
            account: self.account,
            police_made: self.police_made,
            reasons: reasons.collect(),
        }
    }

    /// Counts the rows used by kind and by where their record comes from.
    fn tally(&mut self, raw: &Raw, used: &[usize]) {
        let mut counts = vec![0_u64; raw.kinds.len()];
        for &row in used {
            if let Some(&kind) = raw.kind.get(row) {
                counts[kind as usize] += 1;
            }
            *self.origins.entry(raw.origin(row, &self.roles)).or_default() += 1;
        }
        for (kind, count) in raw.kinds.iter().zip(counts).filter(|(_, count)| *count > 0) {
            if let Some(sum) = self.kinds.get_mut(kind) {
                *sum += count;
            } else if self.kinds.len() < MAX_KINDS {
                self.kinds.insert(kind.clone(), count);
            }
        }
    }

    /// What the kinds are, with the code that the profile gives them; none where there are too many to list.
    fn kind_records(&self) -> Option<Vec<KindRecord>> {
        if self.roles.kind.is_none() || self.kinds.len() >= MAX_KINDS {
            return None;
        }
        let code = |kind: &str| self.roles.codes.as_ref().and_then(|codes| codes.of(kind)).map(str::to_owned);
        let kinds = self.kinds.iter().map(|(kind, rows)| (&**kind, *rows));
        let mut records: Vec<KindRecord> =
            kinds.map(|(kind, rows)| KindRecord { kind: kind.to_owned(), rows, iccs: code(kind) }).collect();
        records.sort_by_key(|record| std::cmp::Reverse(record.rows));
        Some(records)
    }

    /// Where the records come from, if that is known.
    fn origin_records(&self) -> Option<BTreeMap<String, u64>> {
        let known = self.roles.source != SourceRole::Unknown;
        known.then(|| self.origins.iter().map(|(origin, rows)| (origin.name().to_owned(), *rows)).collect())
    }

    /// The kinds that the profile has no code for.
    fn kinds_unmapped(&self) -> Option<Note> {
        self.roles.codes.as_ref()?;
        let unmapped: Vec<KindRecord> =
            self.kind_records()?.into_iter().filter(|record| record.iccs.is_none()).collect();
        let rows: u64 = unmapped.iter().map(|record| record.rows).sum();
        let names: Vec<&str> = unmapped.iter().map(|record| record.kind.as_str()).collect();
        (rows > 0).then(|| {
            Note::new("kinds_unmapped", format!("{rows} rows are of kinds without an ICCS code: {}", notes::list(&names)))
                .value(rows, "rows")
                .reason("they are used like all others; give them a code in a profile of your own to compare them across sources")
        })
    }

    /// What became of records that police made.
    fn police_made(&self) -> Option<Note> {
        let kept: u64 =
            self.origins.iter().filter(|(origin, _)| origin.is_made_by_police()).map(|(_, n)| n).sum();
        let reason = "stops and arrests show where police were, not where people were harmed";
        if self.police_made > 0 {
            let rows = self.police_made;
            let text = format!("{rows} rows were made by police on their own and are left out");
            let reason = format!("{reason}; --include-officer-initiated keeps them");
            return Some(Note::new("police_made_left_out", text).value(rows, "rows").reason(reason));
        }
        (kept > 0).then(|| {
            let text = format!("{kept} of the rows used were made by police on their own");
            Note::new("police_made_included", text).value(kept, "rows").reason(reason)
        })
    }
}

/// Kinds beyond which they are not listed.
const MAX_KINDS: usize = 1000;

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

/// Rows of one file on their way through a piece.
struct Part<'a> {
    source: usize,
    raw: &'a Raw,
    timeline: Timeline,
    places: Places,
    /// Per place, where it is in the working system.
    found: Found,
    candidates: Vec<usize>,
}

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
    pub fn piece(&mut self, lots: &[(usize, &Raw)]) -> Result<Option<Incidents>, IngestError> {
        let incidents = self.sort_out(lots)?;
        for &(source, raw) in lots {
            let account = &mut self.sources[source].account;
            account.read += raw.len() as u64 + raw.filtered;
            account.filtered += raw.filtered;
        }
        self.rejects.end_piece();
        Ok(incidents)
    }

    fn sort_out(&mut self, lots: &[(usize, &Raw)]) -> Result<Option<Incidents>, IngestError> {
        self.settle_orders(lots)?;
        let mut parts: Vec<Part<'_>> = Vec::with_capacity(lots.len());
        for &(source, raw) in lots {
            let Source { times, roles, wishes, .. } = &mut self.sources[source];
            let timeline = times.timeline(raw, roles, wishes);
            let wanted = raw
                .place
                .iter()
                .enumerate()
                .map(|(row, place)| place.filter(|_| wishes.may_want(timeline.interval(row))));
            let places = Places::of_rows(wanted);
            parts.push(Part { source, raw, timeline, places, found: Vec::new(), candidates: Vec::new() });
        }
        self.find(&mut parts)?;
        for part in &mut parts {
            self.judge(part);
        }
        let Some(crs) = self.crs.clone().filter(|_| parts.iter().any(|part| !part.candidates.is_empty()))
        else {
            return Ok(None);
        };

        // From here on places count, not rows: those of all files, with the candidates on each.
        let spots = Spots::of(&parts);
        self.candidates += spots.count.iter().map(|&count| u64::from(count)).sum::<u64>();
        let wider = |old: (f64, f64), new: (f64, f64)| (old.0.min(new.0), old.1.max(new.1));
        self.extent.0 = wider(self.extent.0, range(spots.x.iter().copied()));
        self.extent.1 = wider(self.extent.1, range(spots.y.iter().copied()));
        if self.is_whole() {
            self.notes.extend(crowded(&spots, &self.sources[parts[0].source].roles.names));
        }
        let (window, inside, reason) = match self.options.study_area.as_deref() {
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
                let inside = window.contains_all(&spots.x, &spots.y);
                (window, inside, Reason::OutsideStudyArea)
            }
            None => {
                let weighted = Weighted { x: &spots.x, y: &spots.y, count: &spots.count };
                let (window, inside) = study_area::automatic(&weighted, &mut self.notes)?;
                (window, inside, Reason::FarFromTheRest)
            }
        };
        self.window = Some(window.clone());
        for (part, spot_of) in parts.iter_mut().zip(&spots.of_place) {
            self.keep_inside(part, |place| inside[spot_of[place] as usize], reason);
        }
        let used: usize = parts.iter().map(|part| part.candidates.len()).sum();
        Ok((used > 0).then(|| self.incidents(&parts, window, crs)))
    }

    /// Settles the order of day and month in each file. A file whose dates leave it open follows those of the same make.
    fn settle_orders(&mut self, lots: &[(usize, &Raw)]) -> Result<(), IngestError> {
        let mut open = Vec::new();
        for &(at, raw) in lots {
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
    fn find(&mut self, parts: &mut [Part<'_>]) -> Result<(), IngestError> {
        let mut lonlat: Vec<Found> = Vec::with_capacity(parts.len());
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
                _ => vec![None; part.places.x.len()],
            };
        }
        Ok(())
    }

    /// The verdict on every row of a part.
    fn judge(&mut self, part: &mut Part<'_>) {
        let Part { source: at, raw, timeline, places, found, candidates } = part;
        let source = &mut self.sources[*at];
        let seen = &mut self.seen[source.make];
        let mut repeated = 0;
        let is_new = |id: u32| match seen.entry(id) {
            Entry::Vacant(entry) => {
                entry.insert(*at);
                true
            }
            Entry::Occupied(entry) => {
                repeated += u64::from(entry.get() != at);
                false
            }
        };
        let in_bounds = |row: usize| places.of_row[row].is_some_and(|place| found[place as usize].is_some());
        let verdicts = decide(raw, &source.roles, timeline, &source.wishes, is_new, in_bounds);
        source.repeated += repeated;
        for (row, verdict) in verdicts.into_iter().enumerate() {
            match verdict {
                Verdict::Candidate if self.options.drop_copies => {
                    let place = raw.place[row].map(|(x, y)| ((x + 0.0).to_bits(), (y + 0.0).to_bits()));
                    let kind = raw.kind.get(row).map(|&kind| raw.kinds[kind as usize].clone());
                    let copy = (place.unwrap_or_default(), timeline.interval(row), kind.unwrap_or_default());
                    if self.copies.insert(copy) {
                        candidates.push(row);
                    } else {
                        source.account.duplicate += 1;
                    }
                }
                Verdict::Candidate => candidates.push(row),
                Verdict::Filtered => source.account.filtered += 1,
                Verdict::PoliceMade => {
                    source.account.filtered += 1;
                    source.police_made += 1;
                }
                Verdict::Duplicate => source.account.duplicate += 1,
                Verdict::Rejected(fault) => {
                    self.rejects.add(source, *at, raw.line[row], fault.reason, fault.column, fault.value);
                }
            }
        }
    }

    /// Rejects the candidates whose place is not inside; the others are used.
    fn keep_inside(&mut self, part: &mut Part<'_>, inside: impl Fn(usize) -> bool, reason: Reason) {
        let Part { source: at, raw, places, candidates, .. } = part;
        let source = &mut self.sources[*at];
        let (x_name, y_name) = source.roles.names.coordinates();
        let column = format!("{x_name}, {y_name}");
        candidates.retain(|&row| {
            let place = places.of_row[row].unwrap_or_default() as usize;
            let inside = inside(place);
            if !inside {
                let value = format!("{}, {}", places.x[place], places.y[place]);
                self.rejects.add(source, *at, raw.line[row], reason, column.clone(), value);
            }
            inside
        });
        source.account.used += candidates.len() as u64;
        source.tally(raw, candidates);
    }

    /// The candidates of all parts as incidents. What one file says and another does not is blank, or 1 for a weight.
    fn incidents(&self, parts: &[Part<'_>], window: Window, crs: Crs) -> Incidents {
        let any = |has: fn(&Roles) -> bool| self.sources.iter().any(|source| has(&source.roles));
        let rows = || parts.iter().flat_map(|part| part.candidates.iter().map(move |&row| (part, row)));
        let place = |(part, row): (&Part<'_>, usize)| part.found[part.places.of_row[row]? as usize];
        let (x, y) = rows().filter_map(place).unzip();
        let interval = |(part, row): (&Part<'_>, usize)| -> Option<Interval> { part.timeline.interval(row) };
        let weight = |(part, row): (&Part<'_>, usize)| part.raw.weight.get(row).copied().unwrap_or(1.0);
        Incidents {
            x,
            y,
            times: any(|roles| roles.time.is_some())
                .then(|| Times::new(rows().map(interval).collect(), self.zone())),
            kinds: any(|roles| roles.kind.is_some()).then(|| kinds(parts)),
            weight: any(|roles| roles.weight.is_some()).then(|| rows().map(weight).collect()),
            row: rows().map(|(part, row)| part.raw.line[row]).collect(),
            files: self
                .files()
                .map(|files| Files { codes: rows().map(|(part, _)| part.source as u16).collect(), ..files }),
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

/// The distinct places of candidates in the working system, of all files together.
struct Spots {
    x: Vec<f64>,
    y: Vec<f64>,
    /// How many candidates are on each.
    count: Vec<u32>,
    /// Its coordinates as a file has them.
    written: Vec<(f64, f64)>,
    /// Per part and place, the spot; of use only where there are candidates.
    of_place: Vec<Vec<u32>>,
}

impl Spots {
    fn of(parts: &[Part<'_>]) -> Self {
        let (mut x, mut y, mut count, mut written) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let mut seen: HashMap<(u64, u64), u32, Quick> = HashMap::default();
        let mut of_place = Vec::with_capacity(parts.len());
        for part in parts {
            let mut counts = vec![0_u32; part.found.len()];
            for &row in &part.candidates {
                counts[part.places.of_row[row].unwrap_or_default() as usize] += 1;
            }
            let spot = |(place, &more): (usize, &u32)| {
                if more == 0 {
                    return 0;
                }
                let (east, north) = part.found[place].unwrap_or_default();
                let next = x.len() as u32;
                let at = *seen.entry(((east + 0.0).to_bits(), (north + 0.0).to_bits())).or_insert(next);
                if at == next {
                    x.push(east);
                    y.push(north);
                    count.push(0);
                    written.push((part.places.x[place], part.places.y[place]));
                }
                count[at as usize] += more;
                at
            };
            of_place.push(counts.iter().enumerate().map(spot).collect());
        }
        Self { x, y, count, written, of_place }
    }
}

fn kinds(parts: &[Part<'_>]) -> Kinds {
    // Per part and kind, whether a candidate is of it. A file without kinds states none.
    let used: Vec<Vec<bool>> = parts
        .iter()
        .map(|part| {
            let mut used = vec![false; part.raw.kinds.len()];
            for &row in part.candidates.iter().filter(|_| !part.raw.kind.is_empty()) {
                used[part.raw.kind[row] as usize] = true;
            }
            used
        })
        .collect();
    let names = |at: usize| {
        let part: &Part<'_> = &parts[at];
        part.raw.kinds.iter().zip(&used[at]).filter(|(_, used)| **used).map(|(name, _)| &**name)
    };
    let silent = parts.iter().any(|part| part.raw.kind.is_empty() && !part.candidates.is_empty());
    let all = (0..parts.len()).flat_map(names).chain(silent.then_some(""));
    let mut code: BTreeMap<&str, u32> = all.map(|name| (name, 0)).collect();
    for (at, code) in code.values_mut().enumerate() {
        *code = at as u32;
    }
    let mut codes = Vec::new();
    for part in parts {
        let of_kind: Vec<u32> =
            part.raw.kinds.iter().map(|name| code.get(&**name).copied().unwrap_or_default()).collect();
        let of_row =
            |&row: &usize| part.raw.kind.get(row).map_or_else(|| code[""], |&kind| of_kind[kind as usize]);
        codes.extend(part.candidates.iter().map(of_row));
    }
    Kinds { names: code.into_keys().map(str::to_owned).collect(), codes }
}

/// Warns when single places hold more than one incident in a hundred: a geocoder's default, or a police station.
fn crowded(spots: &Spots, names: &Columns) -> Option<Note> {
    let count = &spots.count;
    let all: u64 = count.iter().map(|&count| u64::from(count)).sum();
    let mut top: Vec<usize> =
        (0..count.len()).filter(|&at| all >= 500 && u64::from(count[at]) * 100 > all).collect();
    top.sort_by(|&a, &b| {
        let place = |at: usize| spots.written[at];
        count[b].cmp(&count[a]).then(place(a).partial_cmp(&place(b)).unwrap_or(std::cmp::Ordering::Equal))
    });
    top.truncate(5);
    let first = *top.first()?;
    let (x_name, y_name) = names.coordinates();
    let list: Vec<String> = top
        .iter()
        .map(|&at| {
            let (x, y) = spots.written[at];
            format!("{} at {x_name} {} {y_name} {}", count[at], error::short(x), error::short(y))
        })
        .collect();
    Some(
        Note::new(
            "places_crowded",
            format!("single places hold more than 1 % of the incidents: {}", list.join("; ")),
        )
        .value(count[first], "incidents")
        .reason("real in a few places, such as a station; else the default of a geocoder, and worth a look"),
    )
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
