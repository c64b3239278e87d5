//! What the tests share: a folder with a file in it, and the codes of what came out.

pub mod workbook;

use std::collections::BTreeMap;
use std::path::PathBuf;

use brasa_ingest::{IngestError, Ingested, InputOptions, read};
use tempfile::TempDir;

pub struct World {
    folder: TempDir,
}

impl World {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, content).unwrap();
        path
    }
}

/// Reads a file of that name and content.
pub fn read_as(
    name: &str,
    content: impl AsRef<[u8]>,
    options: &InputOptions,
) -> Result<Ingested, IngestError> {
    let world = World::new();
    read(&[&world.file(name, content)], options)
}

/// Reads a CSV without any option.
pub fn read_csv(content: &str) -> Result<Ingested, IngestError> {
    read_as("incidents.csv", content, &InputOptions::default())
}

pub fn reasons(found: &Ingested) -> BTreeMap<&'static str, u64> {
    let mut counts = BTreeMap::new();
    for reject in &found.rejects {
        *counts.entry(reject.reason.code()).or_insert(0) += 1;
    }
    counts
}

pub fn codes(found: &Ingested) -> Vec<&str> {
    found.notes.iter().map(|note| note.code.as_str()).collect()
}

pub fn starts(found: &Ingested) -> Vec<String> {
    let interval = |interval: &Option<brasa_model::Interval>| match interval {
        Some(interval) => format!("{} +{}", interval.start, interval.end.0 - interval.start.0),
        None => "none".to_owned(),
    };
    found.incidents.times.as_ref().unwrap().intervals().iter().map(interval).collect()
}
