//! How an answer was made.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Account, Reason};

/// How an answer was made: enough to make it again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Provenance {
    /// The tool, `brasa`.
    pub tool: String,
    /// Its version.
    pub version: String,
    /// The method's name, as on the command line.
    pub method: String,
    /// The parameters after every rule was resolved to a value.
    pub parameters: Value,
    /// The seed of a random method; absent for a method without chance.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// What was read.
    pub inputs: Vec<InputRecord>,
}

impl Provenance {
    /// The provenance of `method` with its resolved parameters; the engine adds the inputs.
    pub fn new(method: &str, parameters: Value) -> Self {
        Self {
            tool: "brasa".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            method: method.to_owned(),
            parameters,
            seed: None,
            inputs: Vec::new(),
        }
    }
}

/// One kind of incident in a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KindRecord {
    /// As the source names it; empty where it states none.
    pub kind: String,
    /// Rows used that are of it.
    pub rows: u64,
    /// Its code in the International Classification of Crime for Statistical Purposes (UNODC 2015), if it is mapped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iccs: Option<String>,
}

/// One input file: what it was and what became of its rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InputRecord {
    /// `incidents` or `study-area`.
    pub role: String,
    /// The file's name, without its folders: a manifest is shared, a folder tree is not.
    pub name: String,
    /// Size of the file.
    pub bytes: u64,
    /// SHA-256 of the file's bytes.
    pub sha256: String,
    /// What became of the rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rows: Option<Account>,
    /// Rejected rows by reason code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rejected_by_reason: Option<BTreeMap<String, u64>>,
    /// The kinds of the rows used, the most frequent first, as the source names them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kinds: Option<Vec<KindRecord>>,
    /// The rows used by where their record comes from: `victim_report`, `call`, `officer_initiated`, `arrest`, `health`,
    /// `press`, `unknown`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sources: Option<BTreeMap<String, u64>>,
    /// The reference system the coordinates came in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub crs_in: Option<String>,
    /// The projected system they were brought to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub crs_out: Option<String>,
}

/// Rows set aside by reason, of all inputs together, in the order of the checks.
pub fn rejected(inputs: &[InputRecord]) -> Vec<(Reason, u64)> {
    let of = |reason: Reason| {
        let counts = inputs.iter().filter_map(|input| input.rejected_by_reason.as_ref());
        counts.filter_map(|counts| counts.get(reason.code())).sum::<u64>()
    };
    Reason::ALL.into_iter().map(|reason| (reason, of(reason))).filter(|(_, rows)| *rows > 0).collect()
}

impl InputRecord {
    /// A file that is no table of incidents.
    pub fn of_file(role: &str, name: String, bytes: u64, sha256: String) -> Self {
        Self {
            role: role.to_owned(),
            name,
            bytes,
            sha256,
            rows: None,
            rejected_by_reason: None,
            kinds: None,
            sources: None,
            crs_in: None,
            crs_out: None,
        }
    }
}
