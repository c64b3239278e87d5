//! One of the files while it is read: what is known of it, what its rows became, and what is to be said of that.

use std::collections::BTreeMap;

use brasa_model::{Account, KindRecord, Note, Reason, Reject};

use crate::columns::{PlaceRole, Roles, SourceRole};
use crate::decide::{Raw, TimeRules, Wishes};
use crate::notes;
use crate::origins::Origin;
use crate::project::{self, Course, LonLat, Places};
use crate::records::StatedCrs;
use crate::{IngestError, InputOptions};

/// One of the files while it is read.
pub(crate) struct Source {
    pub name: String,
    pub roles: Roles,
    pub stated: StatedCrs,
    /// What the user and its profile say of it.
    pub said: InputOptions,
    pub wishes: Wishes,
    /// The zone whose clocks its times follow, if that is known.
    pub zone: Option<String>,
    /// The system that they say it is in.
    pub crs: Option<String>,
    /// The files of one make have the same columns; their ids are of one kind.
    pub make: usize,
    pub times: TimeRules,
    pub course: Option<Course>,
    /// What a row of it became, but for the rejects themselves.
    pub account: Account,
    /// How many for each reason, and the first of them.
    pub counts: BTreeMap<Reason, (u64, Reject)>,
    /// Rows whose id an earlier file has.
    pub repeated: u64,
    /// Rows that are left out because police made them.
    pub police_made: u64,
    /// Rows used, by where their record comes from.
    pub origins: BTreeMap<Origin, u64>,
    /// Rows used, by kind.
    pub kinds: BTreeMap<Box<str>, u64>,
    pub bytes: u64,
    pub sha256: String,
    pub notes: Vec<Note>,
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
    pub fn lonlat(&mut self, places: &Places) -> Result<LonLat, IngestError> {
        if places.x.is_empty() {
            return Ok(LonLat::AsWritten);
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

    pub fn nothing_left(&self) -> IngestError {
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
    pub fn tally(&mut self, raw: &Raw) {
        let mut counts = vec![0_u64; raw.kinds.len()];
        for row in 0..raw.len() {
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
    pub fn kind_records(&self) -> Option<Vec<KindRecord>> {
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
    pub fn origin_records(&self) -> Option<BTreeMap<String, u64>> {
        let known = self.roles.source != SourceRole::Unknown;
        known.then(|| self.origins.iter().map(|(origin, rows)| (origin.name().to_owned(), *rows)).collect())
    }

    /// The kinds that the profile has no code for.
    pub fn kinds_unmapped(&self) -> Option<Note> {
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
    pub fn police_made(&self) -> Option<Note> {
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
