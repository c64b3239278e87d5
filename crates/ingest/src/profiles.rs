//! What is known of a portal's export before its rows are read: what its columns mean, in which zone and system it speaks,
//! which traps it holds, and which code of the International Classification of Crime for Statistical Purposes (ICCS, UNODC
//! 2015) its kinds have. One small TOML file each, recognised by the names of the columns; users write their own in the
//! same form. A flag always overrules a profile, and a profile overrules a guess.

use std::collections::BTreeMap;
use std::path::Path;
use std::rc::Rc;

use brasa_model::Note;
use serde::Deserialize;

use crate::names::unfold;
use crate::origins::Origin;
use crate::{IngestError, InputOptions, open};

/// The profiles that come with brasa. Of several that fit a file, the one with the longest signature is taken.
const BUILT_IN: [(&str, &str); 20] = [
    ("police-uk-street", include_str!("../profiles/police-uk-street.toml")),
    ("police-uk-stops", include_str!("../profiles/police-uk-stops.toml")),
    ("chicago-crimes", include_str!("../profiles/chicago-crimes.toml")),
    ("nypd-complaints", include_str!("../profiles/nypd-complaints.toml")),
    ("nypd-shootings", include_str!("../profiles/nypd-shootings.toml")),
    ("nypd-arrests", include_str!("../profiles/nypd-arrests.toml")),
    ("lapd-crimes", include_str!("../profiles/lapd-crimes.toml")),
    ("sfpd-incidents", include_str!("../profiles/sfpd-incidents.toml")),
    ("philadelphia-incidents", include_str!("../profiles/philadelphia-incidents.toml")),
    ("houston-2010", include_str!("../profiles/houston-2010.toml")),
    ("nibrs-code", include_str!("../profiles/nibrs-code.toml")),
    ("fgj-cdmx", include_str!("../profiles/fgj-cdmx.toml")),
    ("fgj-cdmx-2016", include_str!("../profiles/fgj-cdmx-2016.toml")),
    ("ssp-sao-paulo", include_str!("../profiles/ssp-sao-paulo.toml")),
    ("fogo-cruzado", include_str!("../profiles/fogo-cruzado.toml")),
    ("medellin-medata", include_str!("../profiles/medellin-medata.toml")),
    ("medellin-homicides", include_str!("../profiles/medellin-homicides.toml")),
    ("bogota-siedco", include_str!("../profiles/bogota-siedco.toml")),
    ("buenos-aires-delitos", include_str!("../profiles/buenos-aires-delitos.toml")),
    ("uruguay-denuncias", include_str!("../profiles/uruguay-denuncias.toml")),
];

/// A profile that is larger than this is no profile.
const MAX_BYTES: u64 = 1 << 20;

/// What is known of a portal's export.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Profile {
    /// What it is, for people.
    pub title: String,
    /// Columns that only this export has all of; compared without case, accents and separators.
    #[serde(default)]
    signature: Vec<String>,
    /// How it is read.
    #[serde(default)]
    read: Read,
    /// Where its rows come from.
    #[serde(default)]
    pub source: SourceRule,
    /// What goes wrong with it.
    #[serde(default)]
    traps: Vec<Trap>,
    /// Per kind, its ICCS code; a kind that ends in `*` stands for all that begin so.
    #[serde(default)]
    iccs: BTreeMap<String, String>,
    /// The same, ready to be asked.
    #[serde(skip)]
    codes: Rc<Codes>,
}

/// The ICCS codes of kinds; those that end in `*` stand for all kinds that begin so.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Codes {
    /// By the kind, unfolded.
    of: BTreeMap<String, String>,
}

impl Codes {
    /// The code of a kind, if it is mapped: by its own name, else by its longest beginning.
    pub fn of(&self, kind: &str) -> Option<&str> {
        let kind = unfold(kind);
        let code = self.of.get(&kind).or_else(|| {
            let begins = |key: &&String| key.strip_suffix('*').is_some_and(|start| kind.starts_with(start));
            self.of.get(self.of.keys().filter(begins).max_by_key(|key| key.len())?)
        });
        code.map(String::as_str)
    }

    /// Whether no kind is mapped.
    pub fn is_empty(&self) -> bool {
        self.of.is_empty()
    }
}

/// The input options that a profile may set.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
struct Read {
    lon: Option<String>,
    lat: Option<String>,
    x: Option<String>,
    y: Option<String>,
    crs: Option<String>,
    time: Option<String>,
    hour: Option<String>,
    time_end: Option<String>,
    hour_end: Option<String>,
    kind: Option<String>,
    weight: Option<String>,
    id: Option<String>,
    tz: Option<String>,
    /// Whether an offset or Z in the times means nothing, and the digits are those of the zone's clocks.
    times_are_local: bool,
    decimal: Option<String>,
    date_order: Option<String>,
}

/// Where the rows of an export come from.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct SourceRule {
    /// All of them.
    pub all: Option<Origin>,
    /// The column that tells, if the file has it.
    pub column: Option<String>,
    /// What its values mean; a value that is not here is looked up among the usual words.
    pub values: BTreeMap<String, Origin>,
}

impl SourceRule {
    /// The meaning of the values, which are unfolded.
    pub fn unfolded(&self) -> BTreeMap<String, Origin> {
        self.values.iter().map(|(value, origin)| (unfold(value), *origin)).collect()
    }
}

/// Something that goes wrong with an export unless one knows.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Trap {
    code: String,
    text: String,
    reason: Option<String>,
}

impl Profile {
    /// The profile of a file with these columns: the one that was asked for, else the built-in one that fits best.
    pub fn of(columns: &[String], options: &InputOptions) -> Result<Option<(String, Self)>, IngestError> {
        match options.profile.as_deref() {
            Some("none") => Ok(None),
            Some(wanted) => Self::named(wanted).map(|profile| Some((wanted.to_owned(), profile))),
            None => {
                let own: Vec<String> = columns.iter().map(|name| unfold(name)).collect();
                let mut best: Option<(String, Self)> = None;
                for (name, text) in BUILT_IN {
                    let profile = Self::read(name, text)?;
                    let fits = profile.signature.iter().all(|column| own.contains(&unfold(column)));
                    let longer = |(_, best): &(String, Self)| profile.signature.len() > best.signature.len();
                    if fits && best.as_ref().is_none_or(longer) {
                        best = Some((name.to_owned(), profile));
                    }
                }
                Ok(best)
            }
        }
    }

    /// A built-in profile by name, else a file.
    fn named(wanted: &str) -> Result<Self, IngestError> {
        if let Some((name, text)) = BUILT_IN.iter().find(|(name, _)| *name == wanted) {
            return Self::read(name, text);
        }
        let path = Path::new(wanted);
        if path.extension().is_none_or(|ending| ending != "toml") {
            let names: Vec<&str> = BUILT_IN.iter().map(|(name, _)| *name).collect();
            return Err(IngestError::OptionInvalid {
                flag: "--profile",
                value: wanted.to_owned(),
                expected: format!("none, a file that ends in .toml, or one of {}", names.join(", ")),
            });
        }
        open::must_be_a_file(path)?;
        let unreadable = |why: String| IngestError::FileUnreadable { path: path.display().to_string(), why };
        let bytes = std::fs::metadata(path).map_err(|error| unreadable(error.to_string()))?.len();
        if bytes > MAX_BYTES {
            return Err(unreadable(format!("a profile has at most {MAX_BYTES} bytes, this has {bytes}")));
        }
        let text = std::fs::read_to_string(path).map_err(|error| unreadable(error.to_string()))?;
        Self::read(wanted, &text)
    }

    fn read(name: &str, text: &str) -> Result<Self, IngestError> {
        let refused = |why: String| IngestError::ProfileInvalid { name: name.to_owned(), why };
        let mut profile: Self = toml::from_str(text).map_err(|error| refused(error.to_string()))?;
        let mut codes = Codes::default();
        for (kind, code) in &profile.iccs {
            if !(code.len() >= 2 && code.bytes().all(|byte| byte.is_ascii_digit())) {
                return Err(refused(format!(
                    "[iccs] \"{kind}\" = \"{code}\": a code has two digits or more"
                )));
            }
            let star = if kind.ends_with('*') { "*" } else { "" };
            codes.of.insert(unfold(kind) + star, code.clone());
        }
        profile.codes = Rc::new(codes);
        Ok(profile)
    }

    /// The options with what the profile knows where they say nothing, as far as the file has the columns.
    pub fn fill(&self, columns: &[String], options: &InputOptions) -> InputOptions {
        let own: Vec<String> = columns.iter().map(|name| unfold(name)).collect();
        let has =
            |column: &Option<String>| column.as_ref().filter(|column| own.contains(&unfold(column))).cloned();
        let read = &self.read;
        let mut said = options.clone();
        let no_place = [&said.lon, &said.lat, &said.x, &said.y].iter().all(|column| column.is_none());
        let lonlat = has(&read.lon).zip(has(&read.lat));
        let xy = has(&read.x).zip(has(&read.y));
        if no_place && let Some((x, y)) = xy {
            (said.x, said.y) = (Some(x), Some(y));
            said.crs = said.crs.or_else(|| read.crs.clone());
        } else if no_place && let Some((lon, lat)) = lonlat {
            (said.lon, said.lat) = (Some(lon), Some(lat));
            said.crs = said.crs.or_else(|| read.crs.clone());
        }
        if said.time.is_none() && has(&read.time).is_some() {
            said.time = has(&read.time);
            said.hour = said.hour.or_else(|| has(&read.hour));
            if said.time_end.is_none() && has(&read.time_end).is_some() {
                said.time_end = has(&read.time_end);
                said.hour_end = said.hour_end.or_else(|| has(&read.hour_end));
            }
            said.date_order = said.date_order.or_else(|| read.date_order.clone());
        }
        said.kind = said.kind.or_else(|| has(&read.kind));
        said.weight = said.weight.or_else(|| has(&read.weight));
        said.id = said.id.or_else(|| has(&read.id).filter(|_| !options.stream));
        said.tz = said.tz.or_else(|| read.tz.clone().filter(|_| !read.times_are_local));
        said.decimal = said.decimal.or_else(|| read.decimal.clone());
        said
    }

    /// The zone whose clocks its times follow.
    pub fn zone(&self) -> Option<&String> {
        self.read.tz.as_ref()
    }

    /// The codes of its kinds.
    pub fn codes(&self) -> Rc<Codes> {
        Rc::clone(&self.codes)
    }

    /// What is known of the export, in a sentence.
    pub fn known(&self) -> String {
        let traps: Vec<&str> = self.traps.iter().map(|trap| trap.text.as_str()).collect();
        format!("this looks like {}: {}", self.title, traps.join("; "))
    }

    /// That it was taken, and its traps.
    pub fn notes(&self, name: &str) -> Vec<Note> {
        let taken =
            Note::new("profile", format!("read as {} (profile {name})", self.title)).value(name, "").reason(
                "what is known of that export is taken as said; flags overrule it, and --profile none reads without",
            );
        let trap = |trap: &Trap| {
            let note = Note::new(&trap.code, trap.text.clone());
            match &trap.reason {
                Some(reason) => note.reason(reason.clone()),
                None => note.reason(format!("known of {}", self.title)),
            }
        };
        std::iter::once(taken).chain(self.traps.iter().map(trap)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_profile_is_found_by_its_own_columns() {
        for (name, text) in BUILT_IN {
            let profile = Profile::read(name, text).unwrap();
            assert!(profile.signature.len() >= 3, "{name}");
            let (found, _) = Profile::of(&profile.signature, &InputOptions::default()).unwrap().unwrap();
            assert_eq!(found, name);
        }
        assert!(
            Profile::of(&["lon".into(), "lat".into(), "date".into()], &InputOptions::default())
                .unwrap()
                .is_none()
        );
    }

    #[test]
    fn a_kind_has_the_code_of_its_own_name_before_that_of_its_beginning() {
        let text = "title = \"t\"\n[iccs]\n\"ROBO*\" = \"0502\"\n\"ROBO A TRANSEÚNTE\" = \"0401\"\n";
        let profile = Profile::read("t", text).unwrap();
        assert_eq!(profile.codes.of("robo a transeunte"), Some("0401"));
        assert_eq!(profile.codes.of("Robo de vehículo"), Some("0502"));
        assert_eq!(profile.codes.of("homicidio"), None);
    }

    #[test]
    fn a_profile_that_is_none_says_where() {
        for (text, wanted) in [
            ("signature = 3", "signature"),
            ("title = \"t\"\n[read]\nlongitude = \"x\"", "longitude"),
            ("title = \"t\"\n[iccs]\n\"a\" = \"robbery\"", "two digits"),
            ("title = \"t\"\n[source]\nall = \"police\"", "police"),
        ] {
            let error = Profile::read("mine.toml", text).unwrap_err().to_string();
            assert!(error.contains("mine.toml") && error.contains(wanted), "{error}");
        }
    }
}
