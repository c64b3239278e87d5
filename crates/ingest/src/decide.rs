//! The one place that decides what becomes of a row: used, filtered, rejected with a reason, or a duplicate.
//!
//! A file is read once into raw columns ([`Raw`]), in one piece or in many; what the whole file has a say in (the order
//! of dates, the reference system) is settled on the columns; then each row gets its verdict, in the order of
//! [`Reason::ALL`].

use std::collections::HashMap;

use brasa_model::{Interval, Note, Reason, SourceCrs};
use jiff::tz::TimeZone;

use crate::angle::{self, Axis};
use crate::columns::{PlaceRole, Roles, SourceRole};
use crate::dates::{Clock, Evidence, Hour, Order, Stamp, StampTally, Time};
use crate::names::unfold;
use crate::numbers::{Number, is_blank};
use crate::origins::Origin;
use crate::project::{Found, Places};
use crate::records::{Place, Record, Records};
use crate::text::trimmed;
use crate::{IngestError, InputOptions};

/// What a user asked for, checked before the file is read.
#[derive(Clone)]
pub(crate) struct Wishes {
    since: Option<Interval>,
    until: Option<Interval>,
    zone: Option<TimeZone>,
    order: Option<Order>,
    /// Whether records that police made are kept.
    police_made: bool,
}

impl Wishes {
    /// Checks the values of the flags.
    pub fn of(options: &InputOptions) -> Result<Self, IngestError> {
        let limit = |flag, text: &Option<String>| {
            text.as_deref().map(|text| crate::dates::limit(flag, text)).transpose()
        };
        let wishes = Self {
            since: limit("--since", &options.since)?,
            until: limit("--until", &options.until)?,
            zone: options.tz.as_deref().map(crate::dates::zone).transpose()?,
            order: options.date_order.as_deref().map(Order::parse).transpose()?,
            police_made: options.include_officer_initiated,
        };
        options.crs.as_deref().map(SourceCrs::parse).transpose().map_err(IngestError::CrsInvalid)?;
        options.decimal.as_deref().map(crate::numbers::Decimal::parse).transpose()?;
        if let (Some(since), Some(until)) = (wishes.since, wishes.until)
            && since.start >= until.end
        {
            return Err(IngestError::OptionInvalid {
                flag: "--until",
                value: options.until.clone().unwrap_or_default(),
                expected: format!("on or after --since {}", options.since.clone().unwrap_or_default()),
            });
        }
        Ok(wishes)
    }

    const fn filters_time(&self) -> bool {
        self.since.is_some() || self.until.is_some()
    }

    /// Whether a time lies outside the period by more than a zone or the order of day and month could explain.
    fn surely_out(&self, time: Time) -> bool {
        const MARGIN: i64 = 2 * 86_400;
        let Some(stamp) = time.stamp().filter(|_| self.filters_time()) else { return false };
        let orders = self.order.map_or([Order::DayFirst, Order::MonthFirst], |order| [order; 2]);
        let readings = if orders[0] == orders[1] { &orders[..1] } else { &orders[..] };
        readings.iter().all(|&order| {
            stamp.without_clock().interval(order, None).is_none_or(|day| {
                self.since.is_some_and(|since| day.start.0 < since.start.0 - MARGIN)
                    || self.until.is_some_and(|until| day.start.0 > until.end.0 + MARGIN)
            })
        })
    }

    /// Whether a row whose time is this may be wanted.
    pub fn may_want(&self, interval: Option<Interval>) -> bool {
        interval.is_none_or(|interval| self.wants(interval))
    }

    /// Whether an incident that starts then is wanted; each belongs to the moment of its start, so that periods
    /// that follow one another share none and lose none.
    fn wants(&self, interval: Interval) -> bool {
        self.since.is_none_or(|since| interval.start >= since.start)
            && self.until.is_none_or(|until| interval.start < until.end)
    }
}

/// What is wrong with a row.
#[derive(Debug)]
pub(crate) struct Fault {
    pub reason: Reason,
    pub column: String,
    pub value: String,
}

/// Distinct words of a source column that are remembered.
const MAX_ORIGINS: usize = 1000;
/// Rows read between two ticks.
const ROWS_PER_TICK: u64 = 1 << 16;

/// The columns of a piece of a file as far as the run needs them, one entry per row. Columns that play no part are empty.
#[derive(Default)]
pub(crate) struct Raw {
    pub line: Vec<u64>,
    /// Coordinates as written; [`NOWHERE`] where they are of no use.
    pub place: Vec<(f64, f64)>,
    pub times: RawTimes,
    pub kind: Vec<u32>,
    pub kinds: Vec<Box<str>>,
    pub weight: Vec<f64>,
    id: Vec<Option<u32>>,
    /// Where the record comes from, if a column tells.
    pub source: Vec<Origin>,
    /// What is wrong, by row; most rows are in order.
    faults: Vec<(usize, Fault)>,
    /// Rows that were left out as they were read, by `--only` or because they are from another year; they are no entries.
    pub filtered: u64,
    /// What the times of all rows are like, those left out among them.
    stamps: StampTally,
    /// Whether a bare number in the hour columns of all rows can only be hour and minute, and whether there is one.
    hour_numbers: bool,
    military: bool,
}

/// The columns of times, as they were read. They are done with once it is known when each row happened.
#[derive(Default)]
pub(crate) struct RawTimes {
    time: Vec<Time>,
    time_end: Vec<Time>,
    hour: Vec<Hour>,
    hour_end: Vec<Hour>,
}

/// The coordinates of a row that has none of use.
pub(crate) const NOWHERE: (f64, f64) = (f64::NAN, f64::NAN);

/// Numbers for texts, in the order of appearance.
#[derive(Default)]
pub(crate) struct Interner {
    seen: HashMap<Box<str>, u32>,
    /// Some that were met lately: kinds are few, and looking one up costs more than comparing two.
    recent: Vec<Option<(Box<str>, u32)>>,
}

/// Texts that are remembered as met lately.
const RECENT: usize = 64;

impl Interner {
    fn number(&mut self, text: &str) -> u32 {
        self.recent.resize(RECENT, None);
        let bytes = text.as_bytes();
        let ends = [bytes.first(), bytes.last()].map(|byte| byte.map_or(0, |&byte| usize::from(byte)));
        let place = (bytes.len() * 5 + ends[0] * 3 + ends[1]) % RECENT;
        if let Some((recent, number)) = &self.recent[place]
            && **recent == *text
        {
            return *number;
        }
        let next = self.seen.len() as u32;
        let number = match self.seen.get(text) {
            Some(number) => *number,
            None => *self.seen.entry(text.into()).or_insert(next),
        };
        self.recent[place] = Some((text.into(), number));
        number
    }

    fn names(self) -> Vec<Box<str>> {
        let mut names: Vec<(Box<str>, u32)> = self.seen.into_iter().collect();
        names.sort_unstable_by_key(|(_, number)| *number);
        names.into_iter().map(|(name, _)| name).collect()
    }
}

/// The position of each role among the fields of a record.
struct Wanted {
    columns: Vec<usize>,
}

impl Wanted {
    fn slot(&mut self, column: usize) -> usize {
        self.columns.iter().position(|&other| other == column).unwrap_or_else(|| {
            self.columns.push(column);
            self.columns.len() - 1
        })
    }
}

impl Raw {
    /// Reads every row once and hands the rows to `each`, at most so many at a time; `tick` hears how many were read, every
    /// so often. `ids` numbers the ids. The notes that only all rows together can give come back.
    pub fn read<E: From<IngestError>>(
        records: &dyn Records,
        roles: &Roles,
        wishes: &Wishes,
        rows_per_piece: usize,
        ids: &mut Interner,
        each: &mut dyn FnMut(Self) -> Result<(), E>,
        tick: &mut dyn FnMut(u64),
    ) -> Result<Vec<Note>, E> {
        let names = records.columns();
        let mut wanted = Wanted { columns: Vec::new() };
        let place = match roles.place {
            PlaceRole::Geometry => None,
            PlaceRole::LonLat(a, b) | PlaceRole::Xy(a, b) => {
                Some((wanted.slot(a), names[a].as_str(), wanted.slot(b), names[b].as_str()))
            }
        };
        let mut slot = |column: Option<usize>| column.map(|column| wanted.slot(column));
        let (time, time_end) = (slot(roles.time), slot(roles.time_end));
        let (hour, hour_end) = (slot(roles.hour), slot(roles.hour_end));
        let (kind, weight, id) = (slot(roles.kind), slot(roles.weight), slot(roles.id));
        let source = match &roles.source {
            SourceRole::Column(column, values) => Some((wanted.slot(*column), values)),
            SourceRole::Unknown | SourceRole::All(_) => None,
        };
        let only: Vec<_> =
            roles.only.iter().map(|condition| (wanted.slot(condition.column), condition)).collect();

        let mut raw = Self::default();
        let (mut rows, mut stopped) = (0_u64, None);
        let mut kinds = Interner::default();
        let mut met: Vec<Vec<bool>> =
            roles.only.iter().map(|condition| vec![false; condition.values.len()]).collect();
        // The time of the row before, and whether it is out of the period for certain, if that was asked.
        let mut last_time = (String::new(), Time::Blank, None);
        let mut origins: HashMap<Box<str>, Origin> = HashMap::new();
        records.visit(&wanted.columns, &mut |record| {
            let mut fault = None;
            let blank = record.broken.is_some();
            let field = |slot: usize| if blank { "" } else { record.fields[slot].as_ref() };
            rows += 1;
            if rows.is_multiple_of(ROWS_PER_TICK) {
                tick(rows);
            }
            let mut wanted = true;
            for (at, (slot, condition)) in only.iter().enumerate() {
                match condition.position(field(*slot)) {
                    Some(value) => met[at][value] = true,
                    None => wanted = blank,
                }
            }
            if let Some(slot) = time {
                let text = field(slot);
                if text != last_time.0 {
                    last_time.0.clear();
                    last_time.0.push_str(text);
                    last_time.1 = roles.time_of(text);
                    last_time.2 = None;
                }
                last_time.1.stamp().into_iter().for_each(|stamp| raw.stamps.add(stamp));
            }
            let clock = |slot: usize| Hour::parse(field(slot));
            let (hour, hour_end) = (hour.map(clock), hour_end.map(clock));
            for number in [hour, hour_end].into_iter().flatten().filter_map(Hour::number) {
                raw.hour_numbers = true;
                raw.military |= number >= 100;
            }
            let mut surely_out = || *last_time.2.get_or_insert_with(|| wishes.surely_out(last_time.1));
            if !blank && (!wanted || surely_out()) {
                raw.filtered += 1;
                return true;
            }
            raw.line.push(record.line);
            match coordinates(record, place, roles) {
                Ok(place) => raw.place.push(place),
                Err(found) => {
                    raw.place.push(NOWHERE);
                    fault = Some(found);
                }
            }
            if time.is_some() {
                raw.times.time.push(last_time.1);
                if last_time.1 == Time::Unreadable && fault.is_none() {
                    fault = Some(unreadable_time(roles.names.time.as_deref(), &last_time.0));
                }
            }
            if let Some(slot) = time_end {
                let read = roles.time_of(field(slot));
                raw.times.time_end.push(read);
                read.stamp().into_iter().for_each(|stamp| raw.stamps.add(stamp));
                if read == Time::Unreadable && fault.is_none() {
                    fault = Some(unreadable_time(roles.names.time_end.as_deref(), field(slot)));
                }
            }
            raw.times.hour.extend(hour);
            raw.times.hour_end.extend(hour_end);
            if let Some((slot, values)) = source {
                let text = field(slot).trim();
                let origin = origins.get(text).copied().unwrap_or_else(|| {
                    let own = values.get(&unfold(text)).copied();
                    let origin = own.or_else(|| Origin::of_word(text)).unwrap_or(Origin::Unknown);
                    // A column of a text per row is no column of sources, but it must not fill the memory.
                    if origins.len() < MAX_ORIGINS {
                        origins.insert(text.into(), origin);
                    }
                    origin
                });
                raw.source.push(origin);
            }
            if let Some(slot) = kind {
                raw.kind.push(kinds.number(trimmed(field(slot))));
            }
            if let Some(slot) = weight {
                let read = roles.decimal.read(field(slot));
                let valid =
                    if let Number::Value(value) = read { (value >= 0.0).then_some(value) } else { None };
                raw.weight.push(valid.unwrap_or(0.0));
                if valid.is_none() && fault.is_none() {
                    let column = roles.names.weight.clone().unwrap_or_default();
                    fault =
                        Some(Fault { reason: Reason::WeightInvalid, column, value: field(slot).to_owned() });
                }
            }
            if let Some(slot) = id {
                // A row without an id is no copy of another.
                let text = field(slot).trim();
                raw.id.push((!is_blank(text)).then(|| ids.number(text)));
            }
            let row = raw.len() - 1;
            raw.faults.extend(fault.map(|fault| (row, fault)));
            if raw.len() >= rows_per_piece {
                raw.kinds = std::mem::take(&mut kinds).names();
                stopped = each(std::mem::take(&mut raw)).err();
            }
            stopped.is_none()
        })?;
        if let Some(error) = stopped {
            return Err(error);
        }
        raw.kinds = kinds.names();
        if raw.len() > 0 || raw.filtered > 0 {
            each(raw)?;
        }
        tick(rows);
        let mut notes = Vec::new();
        for (condition, met) in roles.only.iter().zip(met) {
            for (value, _) in condition.values.iter().zip(met).filter(|(_, met)| !met) {
                let column = &names[condition.column];
                notes.push(
                    Note::new("only_unmatched", format!("--only: no row has \"{value}\" in \"{column}\""))
                        .value(value.as_str(), "")
                        .reason("check its spelling; upper and lower case make no difference, accents do"),
                );
            }
        }
        Ok(notes)
    }

    /// How many rows.
    pub const fn len(&self) -> usize {
        self.line.len()
    }

    /// Where the record of a row comes from.
    pub fn origin(&self, row: usize, roles: &Roles) -> Origin {
        match roles.source {
            SourceRole::All(origin) => origin,
            SourceRole::Unknown | SourceRole::Column(..) => {
                self.source.get(row).copied().unwrap_or(Origin::Unknown)
            }
        }
    }
}

fn unreadable_time(column: Option<&str>, value: &str) -> Fault {
    Fault {
        reason: Reason::TimeUnreadable,
        column: column.unwrap_or_default().to_owned(),
        value: value.trim().to_owned(),
    }
}

/// A coordinate along an axis: a number, or else an angle in degrees, minutes and seconds.
fn coordinate(text: &str, roles: &Roles, along: Axis) -> Number {
    let number = roles.decimal.read(text);
    if number != Number::Unreadable {
        return number;
    }
    let angle = angle::parse(text).filter(|angle| angle.axis.is_none_or(|axis| axis == along));
    angle.map_or(number, |angle| Number::Value(angle.degrees))
}

/// The coordinates of a row, or the first thing that is wrong with them.
fn coordinates(
    record: &Record<'_>,
    columns: Option<(usize, &str, usize, &str)>,
    roles: &Roles,
) -> Result<(f64, f64), Fault> {
    let fault = |reason, column: String, value: String| Err(Fault { reason, column, value });
    if let Some(why) = &record.broken {
        return fault(Reason::RowUnreadable, String::new(), why.clone());
    }
    let (x, y, column, value) = match columns {
        None => match &record.place {
            &Place::Point(x, y) if x.is_finite() && y.is_finite() && !(x == 0.0 && y == 0.0) => {
                return Ok((x, y));
            }
            &Place::Point(x, y) => (x, y, "geometry".to_owned(), format!("{x}, {y}")),
            Place::NotPoint(what) => {
                return fault(Reason::GeometryNotPoint, "geometry".to_owned(), (*what).to_owned());
            }
            Place::Faulty { reason, column, value } => return fault(*reason, column.clone(), value.clone()),
            Place::InColumns => {
                return fault(Reason::GeometryNotPoint, "geometry".to_owned(), "none".to_owned());
            }
        },
        Some((first, first_name, second, second_name)) => {
            let (a, b) = (record.fields[first].as_ref(), record.fields[second].as_ref());
            let (read_a, read_b) = (coordinate(a, roles, Axis::Lon), coordinate(b, roles, Axis::Lat));
            if let (Number::Value(x), Number::Value(y)) = (read_a, read_b)
                && !(x == 0.0 && y == 0.0)
            {
                return Ok((x, y));
            }
            for (state, reason) in [
                (Number::Missing, Reason::CoordMissing),
                (Number::Unreadable, Reason::CoordUnreadable),
                (Number::NotFinite, Reason::CoordNotFinite),
            ] {
                match (read_a == state, read_b == state) {
                    (true, true) => {
                        return fault(
                            reason,
                            format!("{first_name}, {second_name}"),
                            format!("{}, {}", a.trim(), b.trim()),
                        );
                    }
                    (true, false) => return fault(reason, first_name.to_owned(), a.trim().to_owned()),
                    (false, true) => return fault(reason, second_name.to_owned(), b.trim().to_owned()),
                    (false, false) => {}
                }
            }
            (0.0, 0.0, format!("{first_name}, {second_name}"), format!("{}, {}", a.trim(), b.trim()))
        }
    };
    if !(x.is_finite() && y.is_finite()) {
        fault(Reason::CoordNotFinite, column, value)
    } else if x == 0.0 && y == 0.0 {
        fault(Reason::CoordZero, column, value)
    } else {
        Ok((x, y))
    }
}

/// The time of every row of a piece.
pub(crate) struct Timeline {
    /// Per row, when it happened, as far as that is known. Empty without a column.
    intervals: Vec<Option<Interval>>,
    /// Faults that only the whole column could show, by row.
    faults: Vec<(usize, Fault)>,
}

impl Timeline {
    /// The interval of a row, when it is known.
    pub fn interval(&self, row: usize) -> Option<Interval> {
        self.intervals.get(row).copied().flatten()
    }

    /// Leaves the rows for which `kept` holds.
    pub fn keep(&mut self, kept: &[bool]) {
        keep(&mut self.intervals, kept);
    }

    /// The interval of every row, which this one forgets.
    pub fn take_intervals(&mut self, rows: usize) -> Vec<Option<Interval>> {
        let intervals = std::mem::take(&mut self.intervals);
        if intervals.is_empty() { vec![None; rows] } else { intervals }
    }
}

/// Leaves of a column the rows for which `kept` holds. A column that plays no part is empty, and stays so.
pub(crate) fn keep<T>(column: &mut Vec<T>, kept: &[bool]) {
    let mut kept = kept.iter().copied();
    column.retain(|_| kept.next().unwrap_or(true));
}

/// What the times of a file are like. Each rule is settled by the first piece that has something to say on it, and held
/// from then on.
#[derive(Default)]
pub(crate) struct TimeRules {
    order: Option<Order>,
    /// Whether a midnight is a date without a time of day.
    dates_only: Option<bool>,
    /// Whether bare numbers in the hour column are hour and minute, 1345.
    military: Option<bool>,
    order_note: Option<Note>,
    clocks: u64,
    midnights: u64,
    offsets: u64,
    hourless: u64,
    blank: u64,
}

/// Portals write dates as midnights. So many midnights and no other time are no coincidence.
const MIDNIGHTS: u64 = 10;

impl TimeRules {
    /// Settles the order of day and month, if it is not and the piece has something to say on it.
    pub fn settle(&mut self, raw: &Raw, roles: &Roles, wishes: &Wishes) -> Result<(), IngestError> {
        self.order = self.order.or(wishes.order);
        match roles.names.time.as_deref() {
            Some(column) if self.order.is_none() => self.settle_order(column, &raw.stamps),
            _ => Ok(()),
        }
    }

    /// The order of day and month that this file's own dates settled.
    pub const fn own_order(&self) -> Option<Order> {
        if self.order_note.is_some() { self.order } else { None }
    }

    /// Takes the order of a file of the same make, where this one's dates leave it open.
    pub fn adopt(&mut self, order: Order, from: &str, roles: &Roles) {
        let column = roles.names.time.as_deref().unwrap_or_default();
        self.order = Some(order);
        self.order_note = Some(
            Note::new("date_format", format!("dates in \"{column}\" are read {}", order.name()))
                .value(order.name(), "")
                .reason(format!("these rows leave it open; {from}, with the same columns, can only be read so; change it with --date-order")),
        );
    }

    /// The times of a piece, under the rules that hold or that it settles. The columns they stand in are done with.
    pub fn timeline(&mut self, raw: &mut Raw, roles: &Roles, wishes: &Wishes) -> Timeline {
        let times = std::mem::take(&mut raw.times);
        let Some(column) = roles.names.time.as_deref() else {
            return Timeline { intervals: Vec::new(), faults: Vec::new() };
        };
        // While no date has two readings, either order reads them all.
        let order = self.order.unwrap_or(Order::DayFirst);
        self.clocks += raw.stamps.clocks;
        self.midnights += raw.stamps.midnights;
        self.offsets += raw.stamps.offsets;
        if self.dates_only.is_none() && self.clocks >= MIDNIGHTS {
            self.dates_only = Some(self.midnights == self.clocks);
        }
        let dates_only = self.dates_only.unwrap_or(false);
        if self.military.is_none() && raw.hour_numbers {
            self.military = Some(raw.military);
        }
        let military = self.military.unwrap_or(false);
        let mut resolve = |row: usize| -> Result<Option<Interval>, Fault> {
            let Some(mut stamp) = times.time[row].stamp() else {
                self.blank += u64::from(times.time[row] == Time::Blank);
                return Ok(None);
            };
            if dates_only {
                stamp = stamp.without_clock();
            }
            if let Some(hour) = times.hour.get(row) {
                let clock: Option<Clock> = hour.clock(military);
                self.hourless += u64::from(clock.is_none() && stamp.is_day_or_month_only());
                stamp = stamp.with_clock(clock);
            }
            let zone = wishes.zone.as_ref();
            let fault = |column: Option<&str>, stamp: Stamp| unreadable_time(column, &stamp.written());
            let start = stamp.interval(order, zone).ok_or_else(|| fault(Some(column), stamp))?;
            let Some(Time::At(end)) = times.time_end.get(row).copied() else { return Ok(Some(start)) };
            let mut end = if dates_only { end.without_clock() } else { end };
            if let Some(hour) = times.hour_end.get(row) {
                end = end.with_clock(hour.clock(military));
            }
            let until = end.interval(order, zone);
            match until {
                Some(until) if until.end >= start.end => {
                    Ok(Some(Interval { start: start.start, end: until.end }))
                }
                _ => Err(fault(roles.names.time_end.as_deref(), end)),
            }
        };
        let mut timeline = Timeline { intervals: Vec::with_capacity(raw.len()), faults: Vec::new() };
        for row in 0..raw.len() {
            timeline.intervals.push(resolve(row).unwrap_or_else(|fault| {
                timeline.faults.push((row, fault));
                None
            }));
        }
        timeline
    }

    fn settle_order(&mut self, column: &str, stamps: &StampTally) -> Result<(), IngestError> {
        match stamps.order() {
            Evidence::NotNeeded => Ok(()),
            Evidence::Decided(order, rows) => {
                self.order = Some(order);
                self.order_note = Some(
                    Note::new("date_format", format!("dates in \"{column}\" are read {}", order.name()))
                        .value(order.name(), "")
                        .reason(format!("{rows} rows can only be read so; change it with --date-order")),
                );
                Ok(())
            }
            Evidence::Undecided { example, day_first, month_first, why } => {
                Err(IngestError::DateOrderUnknown {
                    place: format!("column \"{column}\""),
                    example,
                    dmy: day_first,
                    mdy: month_first,
                    evidence: why,
                })
            }
        }
    }

    /// What was chosen and noticed, once all rows were seen.
    pub fn notes(&self, roles: &Roles, wishes: &Wishes) -> Vec<Note> {
        let Some(column) = roles.names.time.as_deref() else { return Vec::new() };
        let mut notes: Vec<Note> = self.order_note.iter().cloned().collect();
        if self.dates_only == Some(true) {
            let others = self.clocks - self.midnights;
            let (text, reason) = if others == 0 {
                (
                    format!("every time in \"{column}\" is 00:00; they are read as dates"),
                    "a time of day that never differs from midnight was not recorded",
                )
            } else {
                (
                    format!(
                        "the times in \"{column}\" begin as 00:00 and are read as dates; {others} later ones differ, and are \
                         read as dates too"
                    ),
                    "a file read in pieces is judged by its first",
                )
            };
            notes.push(Note::new("midnights_are_dates", text).value(self.midnights, "rows").reason(reason));
        } else if self.offsets > 0 {
            notes.push(announce_offsets(column, self.offsets, wishes));
        }
        if self.hourless > 0 {
            let (hour, hourless) = (roles.names.hour.as_deref().unwrap_or_default(), self.hourless);
            notes.push(
                Note::new(
                    "hours_missing",
                    format!("{hourless} rows have a date but no readable hour in \"{hour}\""),
                )
                .value(hourless, "rows")
                .reason("they are kept with the whole day as their time"),
            );
        }
        if self.blank > 0 {
            let blank = self.blank;
            notes.push(
                Note::new("times_missing", format!("{blank} rows have no time in \"{column}\""))
                    .value(blank, "rows")
                    .reason("they are kept, and left out of what needs a time"),
            );
        }
        notes
    }
}

fn announce_offsets(column: &str, offsets: u64, wishes: &Wishes) -> Note {
    let zone = wishes.zone.as_ref().and_then(TimeZone::iana_name);
    let note = match zone {
        Some(zone) => Note::new("times_converted", format!("{offsets} times in \"{column}\" carry an offset or Z and were brought to the clocks of {zone}"))
            .reason("--tz was given"),
        None => Note::new("times_as_written", format!("{offsets} times in \"{column}\" carry an offset or Z; the digits are taken as the local time"))
            .reason("exports often mark local times as UTC; if these are true instants, give the zone with --tz, such as --tz America/Bogota"),
    };
    note.value(offsets, "rows")
}

/// What becomes of a row, before the study area has spoken.
pub(crate) enum Verdict {
    Candidate,
    Filtered,
    /// Left out because police made the record.
    PoliceMade,
    Rejected(Fault),
    Duplicate,
}

/// What is wrong with rows, early and late, in their order.
pub(crate) struct Faults {
    early: Vec<(usize, Fault)>,
    late: Vec<(usize, Fault)>,
}

impl Faults {
    /// Takes them out of the columns.
    pub fn of(raw: &mut Raw, timeline: &mut Timeline) -> Self {
        Self { early: std::mem::take(&mut raw.faults), late: std::mem::take(&mut timeline.faults) }
    }
}

/// Rows, and what is known of them before the verdict.
pub(crate) struct Rows<'a> {
    pub raw: &'a Raw,
    pub roles: &'a Roles,
    pub timeline: &'a Timeline,
    pub wishes: &'a Wishes,
    pub places: &'a Places,
    /// The places that lie within their reference system.
    pub found: &'a Found,
}

impl Rows<'_> {
    fn outside(&self, place: usize) -> Fault {
        let (x_name, y_name) = self.roles.names.coordinates();
        let (x, y) = (self.places.x[place], self.places.y[place]);
        let (column, value) = (format!("{x_name}, {y_name}"), format!("{x}, {y}"));
        Fault { reason: Reason::CoordOutOfRange, column, value }
    }

    fn timeless(&self) -> Fault {
        let column = self.roles.names.time.clone().unwrap_or_default();
        Fault { reason: Reason::TimeMissing, column, value: String::new() }
    }
}

/// Tells `each` the verdict on every row, in their order. `is_new` is asked about the id of each that could be used.
pub(crate) fn decide(
    rows: &Rows<'_>,
    faults: Faults,
    mut is_new: impl FnMut(u32) -> bool,
    mut each: impl FnMut(usize, Verdict),
) {
    let Rows { raw, roles, timeline, wishes, places, found } = rows;
    let mut early = faults.early.into_iter().peekable();
    let mut late = faults.late.into_iter().peekable();
    for row in 0..raw.len() {
        let fault = early.next_if(|(at, _)| *at == row).map(|(_, fault)| fault);
        let late = late.next_if(|(at, _)| *at == row).map(|(_, fault)| fault);
        let interval = timeline.interval(row);
        let verdict = match fault {
            Some(broken) if broken.reason == Reason::RowUnreadable => Verdict::Rejected(broken),
            _ if !wishes.may_want(interval) => Verdict::Filtered,
            _ if !wishes.police_made && raw.origin(row, roles).is_made_by_police() => Verdict::PoliceMade,
            fault => {
                let timeless = wishes.filters_time() && interval.is_none();
                let late = late.or_else(|| timeless.then(|| rows.timeless()));
                let place = places.of_row(row).filter(|&place| found.at(place).is_none());
                let place = place.map(|place| rows.outside(place));
                // The first reason in the order of the checks speaks for the row.
                let first = [fault, place, late].into_iter().flatten().min_by_key(|fault| fault.reason);
                match first {
                    Some(fault) => Verdict::Rejected(fault),
                    None if raw.id.get(row).copied().flatten().is_some_and(|id| !is_new(id)) => {
                        Verdict::Duplicate
                    }
                    None => Verdict::Candidate,
                }
            }
        };
        each(row, verdict);
    }
}
