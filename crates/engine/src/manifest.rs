//! How the output was made, for people and machines.

use brasa_export::OutputRecord;
use brasa_model::{InputRecord, Note};
use serde::Serialize;
use serde_json::Value;

/// What `--json` prints and `manifest.json` keeps. It holds no clock and no host: the same input gives the same bytes.
#[derive(Debug, Clone, Serialize)]
pub struct Manifest {
    /// The tool, `brasa`.
    pub tool: String,
    /// Its version.
    pub version: String,
    /// The command as it was typed.
    pub command: String,
    /// Every parameter after its rule was resolved.
    pub parameters: Value,
    /// The seed of a random method; null without chance.
    pub seed: Option<u64>,
    /// What was read, and what became of its rows.
    pub inputs: Vec<InputRecord>,
    /// What was chosen or noticed.
    pub notes: Vec<Note>,
    /// What was written. A manifest does not list itself.
    pub outputs: Vec<OutputRecord>,
}
