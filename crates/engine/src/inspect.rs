//! What is in files of incidents, and the command that would be run on them next.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use brasa_export::Staged;
use brasa_ingest::InputOptions;
use brasa_model::Inspection;
use serde_json::Value;

use crate::EngineError;

/// Looks into files, and writes what it saw to `output` if that is named: a page (`.html`) or an object (`.json`).
pub fn inspect(
    files: &[PathBuf],
    options: &InputOptions,
    output: Option<(&Path, bool)>,
) -> Result<Inspection, EngineError> {
    let staged = match output {
        Some((path, force)) => {
            let format = brasa_export::inspection_format_of(path)?;
            let inputs: Vec<&Path> = files.iter().map(PathBuf::as_path).collect();
            Some((Staged::file(path, force)?.protecting(&inputs)?, format))
        }
        None => None,
    };
    let paths = brasa_ingest::expand(files)?;
    let mut inspection = brasa_ingest::inspect(&paths, options)?;
    // A file without places has no next step.
    if inspection.refused.is_none() || inspection.files.iter().all(|file| file.places.is_some()) {
        inspection.command = command(files, options, &inspection.suggested)?;
    }
    if let Some((mut staged, format)) = staged {
        brasa_export::write_inspection(&inspection, &staged.path("inspection")?, format)?;
        staged.commit()?;
    }
    Ok(inspection)
}

/// The main job on these files: with the flags that were given, and those that were found. A password is masked.
fn command(
    files: &[PathBuf],
    options: &InputOptions,
    found: &BTreeMap<String, String>,
) -> Result<String, EngineError> {
    let refused = |why: String| EngineError::Pipeline { place: "input flags".to_owned(), why };
    let given = serde_json::to_value(options).map_err(|error| refused(error.to_string()))?;
    let mut flags: BTreeMap<&str, Option<&str>> =
        found.iter().map(|(flag, value)| (flag.as_str(), Some(value.as_str()))).collect();
    for (flag, value) in given.as_object().into_iter().flatten() {
        match value {
            Value::String(text) => flags.insert(flag, Some(text)),
            Value::Bool(true) => flags.insert(flag, None),
            _ => None,
        };
    }
    let mut words = vec!["brasa".to_owned(), "hotspots".to_owned()];
    words.extend(files.iter().map(|file| quoted(&crate::without_secrets(&file.display().to_string()))));
    for (flag, value) in flags {
        words.push(format!("--{flag}"));
        words.extend(value.map(quoted));
    }
    words.extend(["-o".to_owned(), "hotspots".to_owned()]);
    Ok(words.join(" "))
}

/// A word of a command line, in single quotes where a shell would take it apart.
fn quoted(word: &str) -> String {
    let plain = |letter: char| letter.is_alphanumeric() || "-_./:=,+@*?[]".contains(letter);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_says_what_was_given_before_what_was_found_and_survives_a_shell() {
        let options =
            InputOptions { lon: Some("coord x".to_owned()), drop_copies: true, ..InputOptions::default() };
        let found = [("lon", "x"), ("time", "fecha"), ("kind", "d'or")];
        let found = found.map(|(flag, value)| (flag.to_owned(), value.to_owned())).into();
        let line = command(&[PathBuf::from("mis datos.csv")], &options, &found).unwrap();
        assert_eq!(
            line,
            "brasa hotspots 'mis datos.csv' --drop-copies --kind 'd'\\''or' --lon 'coord x' --time fecha -o hotspots"
        );
    }
}
