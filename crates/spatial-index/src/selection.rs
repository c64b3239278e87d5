//! Which incidents are meant: a few words about their own marks.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use brasa_model::{Civil, Incidents};
use serde::{Deserialize, Serialize};
use strsim::levenshtein;

use crate::AnalysisError;
use brasa_model::as_text;

/// Incidents chosen by kind, by day or by file: `kind=HOMICIDE,ROBBERY`, `since=2024-01-01`, `until=2023-12-31`,
/// `file=cases.csv`, or several of these separated by `;`, all of which must hold. Capitals do not matter in kinds and
/// files; both days are included.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Selection(Vec<Condition>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Condition {
    /// One of these kinds.
    Kind(Vec<String>),
    /// On this day or later.
    Since(Civil),
    /// On this day or earlier.
    Until(Civil),
    /// From one of these files.
    File(Vec<String>),
}

const DAY: i64 = 86_400;

impl Selection {
    /// Per incident whether it is chosen; `None` where nobody can say, because its time is not known. An incident belongs to
    /// the day on which it starts.
    pub fn of(&self, incidents: &Incidents) -> Result<Vec<Option<bool>>, AnalysisError> {
        let mut chosen = vec![Some(true); incidents.len()];
        for condition in &self.0 {
            let holds: Vec<Option<bool>> = match condition {
                Condition::Kind(words) => of_kind(incidents, words)?.map(Some).collect(),
                Condition::File(words) => of_file(incidents, words)?.map(Some).collect(),
                Condition::Since(day) => starts(incidents)?.map(|start| Some(start? >= *day)).collect(),
                Condition::Until(day) => {
                    starts(incidents)?.map(|start| Some(start?.0 < day.0 + DAY)).collect()
                }
            };
            for (chosen, holds) in chosen.iter_mut().zip(holds) {
                *chosen = match (*chosen, holds) {
                    (Some(false), _) | (_, Some(false)) => Some(false),
                    (Some(true), Some(true)) => Some(true),
                    _ => None,
                };
            }
        }
        Ok(chosen)
    }
}

fn refused(why: String) -> AnalysisError {
    AnalysisError::NothingSelected { why, help: None }
}

fn starts(incidents: &Incidents) -> Result<impl Iterator<Item = Option<Civil>>, AnalysisError> {
    let times = incidents.times.as_ref().filter(|times| times.extent().is_some());
    let times = times.ok_or_else(|| refused("no incident has a date to choose by".to_owned()))?;
    Ok(times.intervals().iter().map(|interval| interval.map(|interval| interval.start)))
}

fn of_kind<'a>(
    incidents: &'a Incidents,
    words: &[String],
) -> Result<impl Iterator<Item = bool> + 'a, AnalysisError> {
    let kinds = incidents.kinds.as_ref();
    let kinds = kinds.ok_or_else(|| refused("no incident has a kind to choose by".to_owned()))?;
    let meant = meant("kind", &kinds.names, words)?;
    Ok(kinds.codes.iter().map(move |&code| meant[code as usize]))
}

fn of_file<'a>(
    incidents: &'a Incidents,
    words: &[String],
) -> Result<impl Iterator<Item = bool> + 'a, AnalysisError> {
    let files = incidents.files.as_ref();
    let files = files.ok_or_else(|| refused("all incidents come from one file".to_owned()))?;
    let meant = meant("file", &files.names, words)?;
    Ok(files.codes.iter().map(move |&code| meant[usize::from(code)]))
}

/// Per name whether one of the words means it; a word that means none is refused.
fn meant(what: &str, names: &[String], words: &[String]) -> Result<Vec<bool>, AnalysisError> {
    let lower: Vec<String> = names.iter().map(|name| name.trim().to_lowercase()).collect();
    for word in words {
        if !lower.contains(&word.to_lowercase()) {
            let question = likely(names, word).map(|name| format!("did you mean \"{name}\"?"));
            let help: Vec<String> = question.into_iter().chain(there_are(what, names)).collect();
            return Err(AnalysisError::NothingSelected {
                why: format!("there is no {what} \"{word}\""),
                help: Some(help.join(" ")),
            });
        }
    }
    Ok(lower.iter().map(|name| words.iter().any(|word| word.to_lowercase() == *name)).collect())
}

/// The kinds there are, in a sentence, one spelling of each; `None` where none is stated.
pub fn kinds_there_are(incidents: &Incidents) -> Option<String> {
    there_are("kind", incidents.kinds.as_ref().map_or(&[], |kinds| &kinds.names))
}

fn there_are(what: &str, names: &[String]) -> Option<String> {
    const MOST: usize = 20;
    let stated = names.iter().filter(|name| !name.is_empty());
    let mut seen = BTreeSet::new();
    let mut list: Vec<&str> =
        stated.filter(|name| seen.insert(name.trim().to_lowercase())).map(String::as_str).collect();
    if list.len() > MOST {
        list.truncate(MOST);
        list.push("…");
    }
    (!list.is_empty()).then(|| format!("the {what}s are {}", list.join(", ")))
}

/// The name that was probably meant.
fn likely<'a>(names: &'a [String], word: &str) -> Option<&'a str> {
    let far = |name: &str| levenshtein(&name.to_lowercase(), &word.to_lowercase());
    let stated = names.iter().filter(|name| !name.is_empty());
    let (far, name) = stated.map(|name| (far(name), name)).min()?;
    (far <= 1 + name.chars().count().min(word.chars().count()) / 3).then_some(name)
}

/// A day written as 2024-01-31.
fn day(text: &str) -> Option<Civil> {
    let mut parts = text.split('-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || [year.len(), month.len(), day.len()] != [4, 2, 2] {
        return None;
    }
    Civil::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?, 0)
}

impl FromStr for Selection {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = |part: &str| {
            format!(
                "\"{part}\" chooses nothing; write kind=HOMICIDE,ROBBERY, since=2024-01-01, until=2023-12-31 or file=cases.csv"
            )
        };
        let one = |part: &str| {
            let (name, value) = part.split_once('=').ok_or_else(|| wrong(part))?;
            let of_day = || day(value.trim()).ok_or_else(|| wrong(part));
            let of_words = || {
                let words = value.split(',').map(|word| word.trim().trim_matches('"').trim().to_owned());
                let words: Vec<String> = words.filter(|word| !word.is_empty()).collect();
                if words.is_empty() { Err(wrong(part)) } else { Ok(words) }
            };
            match name.trim().to_ascii_lowercase().as_str() {
                "kind" => of_words().map(Condition::Kind),
                "file" => of_words().map(Condition::File),
                "since" => of_day().map(Condition::Since),
                "until" => of_day().map(Condition::Until),
                _ => Err(wrong(part)),
            }
        };
        text.split(';').map(|part| one(part.trim())).collect::<Result<_, _>>().map(Self)
    }
}

as_text!(
    Selection,
    "SELECTION",
    "examples": ["kind=HOMICIDE,ROBBERY", "since=2024-01-01", "until=2023-12-31", "file=cases.csv"]
);

impl fmt::Display for Selection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let day = |day: &Civil| day.to_string().split('T').next().unwrap_or_default().to_owned();
        let parts = self.0.iter().map(|condition| match condition {
            Condition::Kind(kinds) => format!("kind={}", kinds.join(",")),
            Condition::Since(since) => format!("since={}", day(since)),
            Condition::Until(until) => format!("until={}", day(until)),
            Condition::File(files) => format!("file={}", files.join(",")),
        });
        f.write_str(&parts.collect::<Vec<_>>().join(";"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_selection_is_read_and_written() {
        for text in
            ["kind=HOMICIDIO,LESIONES", "since=2024-01-01", "file=a.csv;since=2023-02-28;until=2024-02-29"]
        {
            assert_eq!(text.parse::<Selection>().unwrap().to_string(), text);
        }
        assert_eq!(" KIND = a , b ".parse::<Selection>().unwrap().to_string(), "kind=a,b");
        for wrong in
            ["", "kind=", "kind", "since=2024", "since=2023-02-29", "until=2024-1-1", "type=A", "kind=A;"]
        {
            assert!(wrong.parse::<Selection>().unwrap_err().contains("chooses nothing"), "{wrong}");
        }
    }

    #[test]
    fn a_wrong_kind_is_told_the_right_one() {
        let names = ["", "HOMICIDIO", "HURTO", "LESIONES"].map(str::to_owned);
        assert_eq!(likely(&names, "omicidio"), Some("HOMICIDIO"));
        assert_eq!(likely(&names, "arson"), None);
        assert_eq!(
            (levenshtein("kitten", "sitting"), levenshtein("", "abc"), levenshtein("a", "")),
            (3, 3, 1)
        );
    }
}
