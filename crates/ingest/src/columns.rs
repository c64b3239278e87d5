//! Which column is what: by flag, else by name in Spanish, Portuguese and English, checked against a sample of
//! the values.

use std::collections::BTreeMap;
use std::rc::Rc;

use brasa_model::Note;
use serde::Serialize;
use strsim::levenshtein;

use crate::angle;
use crate::dates::{Hour, Time, is_serial};
use crate::names::{
    HOUR, KIND, LAT, LON, NOT_THE_INCIDENT, SOURCE, TIME, X, Y, rank, ranked, unfold, words_of,
};
use crate::numbers::{Decimal, in_either_notation, is_blank};
use crate::origins::Origin;
use crate::profiles::{Codes, Profile, SourceRule};
use crate::records::{Records, StatedCrs};
use crate::text::trimmed;
use crate::{IngestError, InputOptions};

/// How many rows a guess looks at.
const SAMPLE_ROWS: usize = 1000;

/// Which column plays which role, as resolved; `geometry` stands for the feature's own geometry.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Columns {
    /// Longitude in degrees.
    pub lon: Option<String>,
    /// Latitude in degrees.
    pub lat: Option<String>,
    /// Easting, or `geometry`.
    pub x: Option<String>,
    /// Northing, or `geometry`.
    pub y: Option<String>,
    /// Date, or date and time.
    pub time: Option<String>,
    /// Time of day beside a date.
    pub hour: Option<String>,
    /// Latest possible time.
    pub time_end: Option<String>,
    /// Time of day beside the latest possible date.
    pub hour_end: Option<String>,
    /// Kind of incident.
    pub kind: Option<String>,
    /// How much a row counts.
    pub weight: Option<String>,
    /// What identifies an incident.
    pub id: Option<String>,
    /// Where the record comes from.
    pub source: Option<String>,
}

impl Columns {
    /// The names of the two coordinates.
    pub(crate) fn coordinates(&self) -> (&str, &str) {
        let first = self.lon.as_deref().or(self.x.as_deref());
        let second = self.lat.as_deref().or(self.y.as_deref());
        (first.unwrap_or("x"), second.unwrap_or("y"))
    }

    /// The flags that swap the coordinates.
    pub(crate) fn swap_advice(&self) -> String {
        match self.coordinates() {
            ("geometry", _) => {
                "the file's points have the latitude first; write them again with the longitude first"
                    .to_owned()
            }
            (first, second) => format!("swap them with --lon \"{second}\" --lat \"{first}\""),
        }
    }
}

/// Where the coordinates of a row stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PlaceRole {
    /// In its geometry.
    Geometry,
    /// In two columns of degrees.
    LonLat(usize, usize),
    /// In two columns of a system to be known.
    Xy(usize, usize),
}

/// One condition of `--only`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Condition {
    /// The column.
    pub column: usize,
    /// Values to keep.
    pub values: Vec<String>,
    /// For a condition on the code of a kind: the codes; a value stands for all codes that begin with it.
    pub codes: Option<Rc<Codes>>,
}

/// How it is known where a record comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SourceRole {
    /// It is not.
    Unknown,
    /// All come from there.
    All(Origin),
    /// A column says so; its values, unfolded, where they are not the usual words.
    Column(usize, BTreeMap<String, Origin>),
}

/// The roles of the columns, by position.
#[derive(Debug, Clone)]
pub(crate) struct Roles {
    pub place: PlaceRole,
    pub time: Option<usize>,
    pub hour: Option<usize>,
    pub time_end: Option<usize>,
    pub hour_end: Option<usize>,
    pub kind: Option<usize>,
    pub weight: Option<usize>,
    pub id: Option<usize>,
    pub source: SourceRole,
    /// Whether times are the day numbers of a spreadsheet.
    pub serial_days: bool,
    pub only: Vec<Condition>,
    /// The codes of the kinds, where a profile maps them.
    pub codes: Option<Rc<Codes>>,
    pub decimal: Decimal,
    /// The same, by name.
    pub names: Columns,
    /// The guesses.
    pub notes: Vec<Note>,
}

impl Roles {
    /// A field of a column of times.
    pub fn time_of(&self, text: &str) -> Time {
        if self.serial_days { Time::of_serial(text) } else { Time::parse(text) }
    }

    /// The roles of the columns, by the names of their flags.
    fn all(&self) -> Vec<(&'static str, Option<usize>)> {
        let mut all = match self.place {
            PlaceRole::Geometry => Vec::new(),
            PlaceRole::LonLat(lon, lat) => vec![("lon", Some(lon)), ("lat", Some(lat))],
            PlaceRole::Xy(x, y) => vec![("x", Some(x)), ("y", Some(y))],
        };
        let source = if let SourceRole::Column(at, _) = self.source { Some(at) } else { None };
        all.extend([
            ("time", self.time),
            ("hour", self.hour),
            ("time-end", self.time_end),
            ("hour-end", self.hour_end),
            ("kind", self.kind),
            ("weight", self.weight),
            ("id", self.id),
            ("source", source),
        ]);
        all
    }

    /// The role of a column.
    pub fn role_of(&self, column: usize) -> Option<&'static str> {
        self.all().into_iter().find(|(_, at)| *at == Some(column)).map(|(role, _)| role)
    }

    /// The flags that name these columns.
    pub fn flags(&self) -> BTreeMap<String, String> {
        let names = &self.names;
        let name = |role: &str| match role {
            "lon" => &names.lon,
            "lat" => &names.lat,
            "x" => &names.x,
            "y" => &names.y,
            "time" => &names.time,
            "hour" => &names.hour,
            "time-end" => &names.time_end,
            "hour-end" => &names.hour_end,
            "kind" => &names.kind,
            "weight" => &names.weight,
            "id" => &names.id,
            _ => &names.source,
        };
        let known = self.all().into_iter().filter(|(_, at)| at.is_some());
        known.filter_map(|(role, _)| Some((role.to_owned(), name(role).clone()?))).collect()
    }
}

/// Finds the role of every column.
pub(crate) fn resolve(
    records: &dyn Records,
    name: &str,
    options: &InputOptions,
    profile: Option<&(String, Profile)>,
) -> Result<Roles, IngestError> {
    let columns = records.columns();
    let sample = Sample::of(records)?;
    let flag = |flag: &str, wanted: &Option<String>| match wanted {
        Some(wanted) => find(columns, flag, wanted).map(Some),
        None => Ok(None),
    };
    let mut guesses: Vec<String> = Vec::new();
    let mut notes = Vec::new();

    let lonlat = pair("--lon", flag("--lon", &options.lon)?, "--lat", flag("--lat", &options.lat)?, options)?;
    let xy = pair("--x", flag("--x", &options.x)?, "--y", flag("--y", &options.y)?, options)?;
    let place = match (lonlat, xy) {
        (Some(_), Some(_)) => {
            return Err(IngestError::OptionInvalid {
                flag: "--x",
                value: options.x.clone().unwrap_or_default(),
                expected: "to be given together with --lon and --lat: give one pair".to_owned(),
            });
        }
        (Some((lon, lat)), None) => PlaceRole::LonLat(lon, lat),
        (None, Some((x, y))) => PlaceRole::Xy(x, y),
        (None, None) if records.has_geometry() => PlaceRole::Geometry,
        (None, None) => {
            let place =
                guess_place(columns, &sample, records.crs() == StatedCrs::Nothing).ok_or_else(|| {
                    IngestError::NoCoordinates {
                        name: name.to_owned(),
                        columns: columns.to_vec(),
                        known: profile.map(|(_, profile)| profile.known()),
                    }
                })?;
            let (first, second, a, b) = match place {
                PlaceRole::LonLat(a, b) => ("lon", "lat", a, b),
                PlaceRole::Xy(a, b) => ("x", "y", a, b),
                PlaceRole::Geometry => ("x", "y", 0, 0),
            };
            guesses.push(format!("{first} is \"{}\"", columns[a]));
            guesses.push(format!("{second} is \"{}\"", columns[b]));
            place
        }
    };
    let taken: Vec<usize> = match place {
        PlaceRole::Geometry => Vec::new(),
        PlaceRole::LonLat(a, b) | PlaceRole::Xy(a, b) => vec![a, b],
    };

    let decimal = choose_decimal(&sample, &taken, options, &mut notes)?;
    notes.extend(announce_angles(&sample, &taken));

    let (mut time, mut hour) = (flag("--time", &options.time)?, flag("--hour", &options.hour)?);
    let mut why_time = None;
    if let Some(time) = time {
        if hour.is_none() {
            hour = guess_hour(columns, &sample, time);
            guesses.extend(hour.map(|hour| format!("hour is \"{}\"", columns[hour])));
        }
    } else if let Some(guess) = guess_time(columns, &sample, &taken) {
        (time, hour) = (Some(guess.time), hour.or(guess.hour));
        guesses.push(format!("time is \"{}\"", columns[guess.time]));
        guesses.extend(hour.map(|hour| format!("hour is \"{}\"", columns[hour])));
        why_time = guess.other.map(|other| match hour {
            Some(_) => {
                format!("a date and an hour of its own were preferred to the column \"{}\"", columns[other])
            }
            None => format!("\"{}\" also holds dates", columns[other]),
        });
    }
    let serial_days = time.is_some_and(|at| sample.share(at, is_serial).is_some_and(|share| share >= 0.9));
    if let (true, Some(at)) = (serial_days, time) {
        let example = sample.values(at).next().unwrap_or_default();
        let text =
            format!("the numbers in \"{}\" are read as days since 1900, such as {example}", columns[at]);
        notes.push(
            Note::new("serial_dates", text)
                .value(1900, "")
                .reason("they are what a spreadsheet writes for dates whose cells have no format"),
        );
    }
    let time_end = flag("--time-end", &options.time_end)?;
    if time.is_none() && time_end.is_some() {
        return Err(IngestError::OptionInvalid {
            flag: "--time-end",
            value: options.time_end.clone().unwrap_or_default(),
            expected: "of use without --time, and no time column was recognised".to_owned(),
        });
    }
    let hour_end = flag("--hour-end", &options.hour_end)?.filter(|_| time_end.is_some());
    let mut kind = flag("--kind", &options.kind)?;
    if kind.is_none() {
        let mut used = taken;
        used.extend([time, hour].into_iter().flatten());
        kind = guess_kind(columns, &sample, &used);
        guesses.extend(kind.map(|kind| format!("kind is \"{}\"", columns[kind])));
    }
    let weight = flag("--weight", &options.weight)?;
    let id = flag("--id", &options.id)?;
    let codes = profile.map(|(_, profile)| profile.codes()).filter(|codes| !codes.is_empty());
    let only = conditions(columns, kind, codes.as_ref(), options.only.as_deref())?;
    let source = source_role(columns, &sample, options, profile)?;
    if let (SourceRole::Column(at, _), None) = (&source, &options.source) {
        guesses.push(format!("source is \"{}\"", columns[*at]));
    }

    if !guesses.is_empty() {
        let mut reason = "by their names and a sample of their values".to_owned();
        if let Some(why) = why_time {
            reason = format!("{reason}; {why}");
        }
        notes.insert(
            0,
            Note::new("columns_guessed", format!("columns recognised: {}", guesses.join(", ")))
                .value(guesses.join(", "), "")
                .reason(format!("{reason}; change them with --lon, --lat, --x, --y, --time or --kind")),
        );
    }
    let named = |at: Option<usize>| at.map(|at| columns[at].clone());
    let mut names = Columns {
        time: named(time),
        hour: named(hour),
        time_end: named(time_end),
        hour_end: named(hour_end),
        source: if let SourceRole::Column(at, _) = source { named(Some(at)) } else { None },
        kind: named(kind),
        weight: named(weight),
        id: named(id),
        ..Columns::default()
    };
    match place {
        PlaceRole::Geometry => {
            names.x = Some("geometry".to_owned());
            names.y = Some("geometry".to_owned());
        }
        PlaceRole::LonLat(lon, lat) => (names.lon, names.lat) = (named(Some(lon)), named(Some(lat))),
        PlaceRole::Xy(x, y) => (names.x, names.y) = (named(Some(x)), named(Some(y))),
    }
    if let Some((name, profile)) = profile {
        notes.splice(0..0, profile.notes(name));
    }
    Ok(Roles {
        place,
        time,
        hour,
        time_end,
        hour_end,
        kind,
        weight,
        id,
        source,
        serial_days,
        only,
        codes,
        decimal,
        names,
        notes,
    })
}

/// Where the records come from: by flag, else as the profile says, else by a column whose name and values say so.
fn source_role(
    columns: &[String],
    sample: &Sample,
    options: &InputOptions,
    profile: Option<&(String, Profile)>,
) -> Result<SourceRole, IngestError> {
    let rule = profile.map(|(_, profile)| &profile.source);
    let values = || rule.map(SourceRule::unfolded).unwrap_or_default();
    if let Some(wanted) = &options.source {
        return Ok(SourceRole::Column(find(columns, "--source", wanted)?, values()));
    }
    if let Some(rule) = rule {
        if let Some(at) = rule.column.as_ref().and_then(|column| find(columns, "", column).ok()) {
            return Ok(SourceRole::Column(at, values()));
        }
        if let Some(origin) = rule.all {
            return Ok(SourceRole::All(origin));
        }
    }
    let known = |text: &str| Origin::of_word(text).is_some();
    let telling = |text: &str| Origin::of_word(text).is_some_and(|origin| origin != Origin::Unknown);
    let found = ranked(columns, SOURCE).into_iter().map(|(_, at)| at).find(|&at| {
        sample.share(at, known).is_some_and(|share| share >= 0.8)
            && sample.share(at, telling).is_some_and(|share| share > 0.0)
    });
    Ok(found.map_or(SourceRole::Unknown, |at| SourceRole::Column(at, BTreeMap::new())))
}

/// What is said of one of several files: a column that it does not have is not meant for it if another file has it.
pub(crate) fn said_of(own: &[String], all: &[&[String]], options: &InputOptions) -> InputOptions {
    let foreign = |wanted: &Option<String>| {
        let has =
            |columns: &[String]| wanted.as_deref().is_some_and(|wanted| find(columns, "", wanted).is_ok());
        wanted.is_some() && !has(own) && all.iter().any(|columns| has(columns))
    };
    let mut said = options.clone();
    if own.is_empty() {
        said.only = None;
    }
    if foreign(&said.lon) || foreign(&said.lat) {
        (said.lon, said.lat) = (None, None);
    }
    if foreign(&said.x) || foreign(&said.y) {
        (said.x, said.y) = (None, None);
    }
    if foreign(&said.time) {
        (said.time, said.time_end) = (None, None);
    }
    let others = [&mut said.hour, &mut said.time_end, &mut said.hour_end, &mut said.kind];
    for column in others.into_iter().chain([&mut said.weight, &mut said.id, &mut said.source]) {
        if foreign(column) {
            *column = None;
        }
    }
    said
}

/// What some files say and this one does not, announced.
pub(crate) fn unlike_the_others(own: &Columns, all: &[Columns]) -> Vec<Note> {
    type Role = (fn(&Columns) -> &Option<String>, &'static str, &'static str);
    let roles: [Role; 4] = [
        (|columns| &columns.time, "time", "its incidents have none"),
        (|columns| &columns.kind, "kind", "its incidents state none"),
        (|columns| &columns.weight, "weight", "its incidents weigh 1 each"),
        (|columns| &columns.id, "id", "none of its rows is taken for a duplicate"),
    ];
    let lacks =
        |(pick, _, _): &&Role| pick(own).is_none() && all.iter().any(|columns| pick(columns).is_some());
    let note = |(_, role, so): &Role| {
        Note::new("role_missing", format!("no column with the {role} is known: {so}"))
            .value(*role, "")
            .reason(format!("other files have such a column; name this one's with --{role} if it has one"))
    };
    roles.iter().filter(lacks).map(note).collect()
}

/// The first rows, as text.
pub(crate) struct Sample {
    rows: Vec<Vec<String>>,
}

impl Sample {
    /// As many as a guess looks at.
    pub fn of(records: &dyn Records) -> Result<Self, IngestError> {
        let columns = records.columns().len();
        let wanted: Vec<usize> = (0..columns).collect();
        let most = (200_000 / columns.max(1)).clamp(20, SAMPLE_ROWS);
        let mut rows = Vec::new();
        let mut seen = 0;
        records.visit(&wanted, &mut |record| {
            seen += 1;
            if record.broken.is_none() {
                rows.push(record.fields.iter().map(|field| field.trim().to_owned()).collect());
            }
            rows.len() < most && seen < 10 * SAMPLE_ROWS
        })?;
        Ok(Self { rows })
    }

    /// The values of a column that are not blank.
    pub fn values(&self, column: usize) -> impl Iterator<Item = &str> {
        self.rows
            .iter()
            .filter_map(move |row: &Vec<String>| row.get(column))
            .map(String::as_str)
            .filter(|text| !is_blank(text))
    }

    /// The share of the values that pass; `None` when all are blank.
    pub fn share(&self, column: usize, passes: impl Fn(&str) -> bool) -> Option<f64> {
        let (mut all, mut good) = (0_u32, 0_u32);
        for value in self.values(column) {
            all += 1;
            good += u32::from(passes(value));
        }
        (all > 0).then(|| f64::from(good) / f64::from(all))
    }
}

/// A column by its name: as written, else without case, accents and separators.
pub(crate) fn find(columns: &[String], flag: &str, wanted: &str) -> Result<usize, IngestError> {
    let key = unfold(wanted);
    let same = |name: &String| unfold(name) == key;
    columns.iter().position(|name| name == wanted).or_else(|| columns.iter().position(same)).ok_or_else(
        || {
            let nearest = columns.iter().map(|name| (levenshtein(&unfold(name), &key), name)).min().filter(
                |(distance, name)| *distance <= 1 + name.chars().count().max(key.chars().count()) / 3,
            );
            IngestError::ColumnUnknown {
                flag: flag.to_owned(),
                wanted: wanted.to_owned(),
                suggestion: nearest.map(|(_, name)| name.clone()),
                columns: columns.to_vec(),
            }
        },
    )
}

fn pair(
    first_flag: &'static str,
    first: Option<usize>,
    second_flag: &'static str,
    second: Option<usize>,
    options: &InputOptions,
) -> Result<Option<(usize, usize)>, IngestError> {
    let lonely = |flag: &'static str, other: &str, value: &Option<String>| IngestError::OptionInvalid {
        flag,
        value: value.clone().unwrap_or_default(),
        expected: format!("enough: it needs {other} as well"),
    };
    match (first, second) {
        (Some(first), Some(second)) => Ok(Some((first, second))),
        (None, None) => Ok(None),
        (Some(_), None) => {
            let value = if first_flag == "--lon" { &options.lon } else { &options.x };
            Err(lonely(first_flag, second_flag, value))
        }
        (None, Some(_)) => {
            let value = if second_flag == "--lat" { &options.lat } else { &options.y };
            Err(lonely(second_flag, first_flag, value))
        }
    }
}

fn is_number(text: &str) -> bool {
    number(text).is_some()
}

/// A number in either notation: at this point the decimal mark is not known. An angle in degrees and minutes is one, too.
pub(crate) fn number(text: &str) -> Option<f64> {
    in_either_notation(text).or_else(|| angle::parse(text).map(|angle| angle.degrees))
}

/// Whether two columns of a table are recognised as coordinates.
pub(crate) fn has_coordinates(records: &dyn Records, sample: &Sample) -> bool {
    guess_place(records.columns(), sample, records.crs() == StatedCrs::Nothing).is_some()
}

/// Says that coordinates are angles, if they are.
fn announce_angles(sample: &Sample, coordinates: &[usize]) -> Option<Note> {
    let example =
        coordinates.iter().flat_map(|&at| sample.values(at)).find(|text| angle::parse(text).is_some())?;
    let text = format!("coordinates are read as degrees, minutes and seconds, such as {example}");
    Some(Note::new("angles_read", text).value(example, "").reason("they are written so"))
}

fn guess_place(columns: &[String], sample: &Sample, crs_unstated: bool) -> Option<PlaceRole> {
    let within = |limit: f64| move |text: &str| number(text).is_some_and(|value| value.abs() <= limit);
    let best = |names: &[&str], other: Option<usize>, strict: bool| {
        let numeric = |at: usize| sample.share(at, is_number).is_none_or(|share| share >= 0.5);
        let mut found = ranked(columns, names);
        found.retain(|&(rank, at)| (numeric(at) || (!strict && rank < 100)) && Some(at) != other);
        // Among names that fit, the one whose values are degrees.
        found.sort_by_key(|&(rank, at)| {
            (sample.share(at, within(180.0)).is_some_and(|share| share < 0.5), rank, at)
        });
        found.first().map(|&(_, at)| at)
    };
    let lonlat = |strict: bool| {
        let lon = best(LON, None, strict)?;
        Some(PlaceRole::LonLat(lon, best(LAT, Some(lon), strict)?))
    };
    let xy = || {
        let mut found = ranked(columns, X);
        found.retain(|(_, at)| sample.share(*at, is_number).is_none_or(|share| share >= 0.5));
        let (_, x) = *found.first()?;
        let mut found = ranked(columns, Y);
        found.retain(|(_, at)| *at != x && sample.share(*at, is_number).is_none_or(|share| share >= 0.5));
        // X and Y of one make: the pair with the same rank, else the best.
        let wanted = rank(&columns[x], X);
        let (_, y) = *found.iter().find(|(rank, _)| Some(*rank) == wanted).or_else(|| found.first())?;
        Some(PlaceRole::Xy(x, y))
    };
    let unnamed = || headless(columns, sample).filter(|_| crs_unstated);
    // A column called "lon" is the longitude even if its values are no numbers: then its rows say what is wrong.
    lonlat(true).or_else(xy).or_else(unnamed).or_else(|| lonlat(false))
}

/// Without a header, the first two columns that are numbers in every row are taken for x and y.
fn headless(columns: &[String], sample: &Sample) -> Option<PlaceRole> {
    if !columns.iter().enumerate().all(|(at, name)| *name == format!("column{}", at + 1)) {
        return None;
    }
    let mut numeric =
        (0..columns.len()).filter(|&at| sample.share(at, is_number).is_some_and(|share| share > 0.9));
    Some(PlaceRole::Xy(numeric.next()?, numeric.next()?))
}

fn choose_decimal(
    sample: &Sample,
    coordinates: &[usize],
    options: &InputOptions,
    notes: &mut Vec<Note>,
) -> Result<Decimal, IngestError> {
    if let Some(text) = options.decimal.as_deref() {
        return Decimal::parse(text);
    }
    let decimal = Decimal::detect(coordinates.iter().flat_map(|&at| sample.values(at)));
    if decimal == Decimal::Comma {
        let example = coordinates.iter().flat_map(|&at| sample.values(at)).find(|value| value.contains(','));
        let example = example.unwrap_or_default();
        notes.push(
            Note::new("decimal_comma", format!("numbers are read with a decimal comma, such as {example}"))
                .value("comma", "")
                .reason("the coordinates are written so; change it with --decimal point"),
        );
    }
    Ok(decimal)
}

struct TimeGuess {
    time: usize,
    hour: Option<usize>,
    other: Option<usize>,
}

fn guess_time(columns: &[String], sample: &Sample, taken: &[usize]) -> Option<TimeGuess> {
    let is_date = |text: &str| Time::parse(text).stamp().is_some();
    let has_clock = |text: &str| Time::parse(text).stamp().is_some_and(crate::dates::Stamp::has_clock);
    let mut found: Vec<(usize, usize)> = Vec::new();
    for (rank, at) in ranked(columns, TIME) {
        let dates = sample.share(at, is_date).is_some_and(|share| share >= 0.5)
            || sample.share(at, is_serial).is_some_and(|share| share >= 0.9);
        if dates && !taken.contains(&at) {
            let other = words_of(&columns[at]).iter().any(|word| NOT_THE_INCIDENT.contains(&word.as_str()));
            found.push((rank + if other { 1000 } else { 0 }, at));
        }
    }
    if found.is_empty() {
        // No telling name: a column of dates is still a column of dates, if it is the only one.
        let mut dates = (0..columns.len()).filter(|at| !taken.contains(at)).filter(|&at| {
            let long = sample
                .values(at)
                .next()
                .is_some_and(|value| value.len() >= 8 && !value.bytes().all(|b| b.is_ascii_digit()));
            long && sample.share(at, is_date).is_some_and(|share| share > 0.9)
        });
        if let (Some(only), None) = (dates.next(), dates.next()) {
            found.push((2000, only));
        }
    }
    found.sort_unstable();
    let &(best_rank, best) = found.first()?;
    // A date with an hour column of its own says what the wall clock showed; it goes before a combined column.
    let date_only = |at: usize| sample.share(at, has_clock).is_some_and(|share| share < 0.5);
    for &(rank, at) in &found {
        if (rank < 1000 || best_rank >= 1000)
            && date_only(at)
            && let Some(hour) = guess_hour(columns, sample, at)
        {
            let other = (at != best)
                .then_some(best)
                .or_else(|| found.iter().map(|&(_, o)| o).find(|&o| o != at && o != hour));
            return Some(TimeGuess { time: at, hour: Some(hour), other });
        }
    }
    let other = found.get(1).filter(|(rank, _)| *rank < 1000).map(|&(_, at)| at);
    Some(TimeGuess { time: best, hour: None, other })
}

/// The hour column beside a date column.
fn guess_hour(columns: &[String], sample: &Sample, date: usize) -> Option<usize> {
    let is_hour = |text: &str| {
        let hour = Hour::parse(text);
        hour.clock(false).or_else(|| hour.clock(true)).is_some()
    };
    let date_has_clock = sample.share(date, |text| {
        Time::parse(text).stamp().is_some_and(|stamp| stamp.has_clock() && !stamp.is_midnight())
    });
    let is_month =
        sample.share(date, |text| Time::parse(text).stamp().is_some_and(crate::dates::Stamp::is_month));
    if date_has_clock.is_some_and(|share| share > 0.0) || is_month.is_some_and(|share| share > 0.0) {
        return None;
    }
    // Of a name that only holds a word for the hour, such as "hora_infraccion", no word may speak of something else.
    let is_the_incident =
        |column: &str| !words_of(column).iter().any(|word| NOT_THE_INCIDENT.contains(&word.as_str()));
    ranked(columns, HOUR)
        .into_iter()
        .filter(|(rank, at)| *rank < 100 || is_the_incident(&columns[*at]))
        .map(|(_, at)| at)
        .find(|&at| at != date && sample.share(at, is_hour).is_some_and(|share| share >= 0.5))
}

fn guess_kind(columns: &[String], sample: &Sample, taken: &[usize]) -> Option<usize> {
    ranked(columns, KIND).into_iter().filter(|(rank, _)| *rank < 100).map(|(_, at)| at).find(|at| {
        // A kind is a word that repeats, not a number, a date, or a text of its own in every row.
        let mut distinct: Vec<&str> = sample.values(*at).collect();
        let all = distinct.len();
        distinct.sort_unstable();
        distinct.dedup();
        let values_repeat = distinct.len() <= 20 || distinct.len() * 2 <= all;
        let words = sample.share(*at, |text| !is_number(text) && Time::parse(text).stamp().is_none());
        !taken.contains(at) && values_repeat && words.is_some_and(|share| share > 0.5)
    })
}

/// Reads `kind=HOMICIDE,ROBBERY; district="3, north"`.
fn conditions(
    columns: &[String],
    kind: Option<usize>,
    codes: Option<&Rc<Codes>>,
    only: Option<&str>,
) -> Result<Vec<Condition>, IngestError> {
    let Some(only) = only else { return Ok(Vec::new()) };
    let invalid = || IngestError::OptionInvalid {
        flag: "--only",
        value: only.to_owned(),
        expected: "of the form COLUMN=VALUE,VALUE with several conditions separated by \";\"".to_owned(),
    };
    let mut found = Vec::new();
    for part in split_outside_quotes(only, ';') {
        if part.trim().is_empty() {
            continue;
        }
        let (name, values) = part.split_once('=').ok_or_else(invalid)?;
        let name = name.trim();
        let by_code = name.eq_ignore_ascii_case("iccs") && find(columns, "", name).is_err();
        let column = match kind {
            Some(kind) if by_code || name.eq_ignore_ascii_case("kind") => kind,
            _ => find(columns, "--only", name)?,
        };
        if by_code && codes.is_none() {
            let expected =
                "of use here: no profile gives the kinds of this file a code of the ICCS".to_owned();
            return Err(IngestError::OptionInvalid { flag: "--only", value: only.to_owned(), expected });
        }
        let values: Vec<String> = split_outside_quotes(values, ',')
            .into_iter()
            .map(|value| value.trim().trim_matches('"').trim().to_lowercase())
            .collect();
        if values.iter().all(String::is_empty) {
            return Err(invalid());
        }
        found.push(Condition { column, values, codes: codes.filter(|_| by_code).cloned() });
    }
    if found.is_empty() { Err(invalid()) } else { Ok(found) }
}

impl Condition {
    /// Which of the values a field is, whatever its case.
    pub fn position(&self, field: &str) -> Option<usize> {
        let field = trimmed(field);
        if let Some(codes) = &self.codes {
            let code = codes.of(field)?;
            return self.values.iter().position(|value| code.starts_with(value.as_str()));
        }
        if field.is_ascii() {
            return self.values.iter().position(|value| value.eq_ignore_ascii_case(field));
        }
        let lower = field.to_lowercase();
        self.values.iter().position(|value| *value == lower)
    }
}

fn split_outside_quotes(text: &str, separator: char) -> Vec<&str> {
    let (mut parts, mut start, mut quoted) = (Vec::new(), 0, false);
    for (at, letter) in text.char_indices() {
        if letter == '"' {
            quoted = !quoted;
        } else if letter == separator && !quoted {
            parts.push(&text[start..at]);
            start = at + letter.len_utf8();
        }
    }
    parts.push(&text[start..]);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_column_is_answered_with_the_nearest() {
        let columns = ["longitud".to_owned(), "latitud".to_owned(), "fecha".to_owned()];
        assert_eq!(find(&columns, "--lon", "LONGITUD").unwrap(), 0);
        let IngestError::ColumnUnknown { suggestion, .. } = find(&columns, "--lon", "longitude").unwrap_err()
        else {
            panic!("another error")
        };
        assert_eq!(suggestion.as_deref(), Some("longitud"));
        let IngestError::ColumnUnknown { suggestion, .. } = find(&columns, "--lon", "zzzzzzzzz").unwrap_err()
        else {
            panic!("another error")
        };
        assert_eq!(suggestion, None);
        assert_eq!(levenshtein("kitten", "sitting"), 3);
    }

    #[test]
    fn conditions_are_read() {
        let columns = ["tipo".to_owned(), "zona".to_owned()];
        let found =
            conditions(&columns, Some(0), None, Some("kind=Homicidio,HURTO; zona=\"3, norte\"")).unwrap();
        assert_eq!(
            found[0],
            Condition { column: 0, values: vec!["homicidio".into(), "hurto".into()], codes: None }
        );
        assert_eq!(found[1], Condition { column: 1, values: vec!["3, norte".into()], codes: None });
        assert_eq!((found[0].position(" hurto "), found[0].position("robo")), (Some(1), None));
        assert!(conditions(&columns, None, None, Some("tipo")).is_err());
        assert!(conditions(&columns, None, None, Some("kind=x")).is_err(), "there is no kind column");
        assert!(conditions(&columns, None, None, Some("tipo=")).is_err());
        assert!(conditions(&columns, None, None, Some(";")).is_err());
    }
}
