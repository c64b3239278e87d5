//! What is in files of incidents, what is wrong with it, and what would be used.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Account, Blame, Note};

/// What is in files of incidents: an answer about the files, not about the place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Inspection {
    /// Each file, in the order given.
    pub files: Vec<FileInspection>,
    /// What would become of the rows; absent when the files would be refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rows: Option<Account>,
    /// Rejected rows by reason code.
    pub rejected_by_reason: BTreeMap<String, u64>,
    /// The reference system the incidents would be brought to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub crs: Option<String>,
    /// The study area that would be used, in km².
    #[serde(skip_serializing_if = "Option::is_none")]
    pub area_km2: Option<f64>,
    /// What was guessed, chosen or noticed on the way.
    pub notes: Vec<Note>,
    /// Why the files would be refused as they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<Refusal>,
    /// Flags that would read the files in the same way without a guess, or with what was found put right.
    pub suggested: BTreeMap<String, String>,
    /// The command that would be run next, with every guess written out; empty where the files have no places.
    pub command: String,
}

/// Why files would be refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// The stable code of the error.
    pub code: String,
    /// What is wrong.
    pub text: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// Whose fault it is: picks the exit code.
    #[serde(skip, default = "data")]
    pub blame: Blame,
}

const fn data() -> Blame {
    Blame::Data
}

/// What is in one file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FileInspection {
    /// The file's name, without its folders.
    pub name: String,
    /// Its size as stored.
    pub bytes: u64,
    /// What it holds, such as `CSV`.
    pub format: String,
    /// Rows.
    pub rows: u64,
    /// Its columns, in their order.
    pub columns: Vec<ColumnInspection>,
    /// Its places, if it has any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub places: Option<PlacesInspection>,
    /// Its times, if it has any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub times: Option<TimesInspection>,
    /// What deserves a look, the worst first.
    pub findings: Vec<Note>,
}

/// What is in one column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ColumnInspection {
    /// Its name.
    pub name: String,
    /// What its values are: `number`, `integer`, `date`, `date and time`, `month`, `time of day`, `yes or no`, `text`, `empty`.
    pub holds: String,
    /// The role it would play: `lon`, `lat`, `x`, `y`, `time`, `hour`, `time-end`, `kind`, `weight`, `id`, `source`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Rows where it is blank.
    pub missing: u64,
    /// Distinct values; absent when there are too many to count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub distinct: Option<u64>,
    /// Least and greatest, of numbers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub range: Option<(f64, f64)>,
    /// The most frequent values with their rows, where few repeat; never of a column that seems to speak of persons.
    pub top: Vec<(String, u64)>,
    /// Whether its name says that it speaks of persons; it is not read then.
    pub personal: bool,
}

impl ColumnInspection {
    /// What is shown of its values: a range, or the most frequent ones. `text` makes a value from a file harmless for where it
    /// is shown, `count` writes a number of rows.
    pub fn shown(&self, text: fn(&str) -> String, count: fn(u64) -> String) -> String {
        if self.personal {
            return "(not shown: speaks of persons)".to_owned();
        }
        if let Some((low, high)) = self.range.filter(|_| self.top.is_empty() || self.role.is_some()) {
            return format!("{} to {}", short(low), short(high));
        }
        let top = self.top.iter().map(|(value, rows)| format!("{} ({})", text(value), count(*rows)));
        top.collect::<Vec<_>>().join(", ")
    }
}

/// A coordinate or another number for people: six decimals at most.
pub fn short(value: f64) -> String {
    let text = format!("{value:.6}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// The places of a file, in its own coordinates.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlacesInspection {
    /// Rows with a place that could be right: a hit of the geocoder.
    pub hits: u64,
    /// Their share of all rows.
    pub hit_rate: f64,
    /// Distinct places among them.
    pub distinct: u64,
    /// Least and greatest of the first coordinate.
    pub x: (f64, f64),
    /// Least and greatest of the second coordinate.
    pub y: (f64, f64),
    /// The places with the most rows.
    pub stacks: Vec<Stack>,
}

/// Many rows on one place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Stack {
    /// First coordinate, as the file has it.
    pub x: f64,
    /// Second coordinate.
    pub y: f64,
    /// Rows on it.
    pub rows: u64,
    /// Their share of the rows with a place.
    pub share: f64,
    /// What it may be.
    pub may_be: String,
}

/// The times of a file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TimesInspection {
    /// The earliest, as local time.
    pub first: String,
    /// The latest.
    pub last: String,
    /// Rows without a readable time.
    pub missing: u64,
    /// Rows by how exact their time is: `month`, `day`, `hour`, `minute`, `second`, `window` where a from and a to are more than
    /// a day apart.
    pub precision: BTreeMap<String, u64>,
    /// Of the rows with a time of day, the share at exactly 00:00.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub midnight: Option<f64>,
    /// Of the same, the share on a full hour.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub full_hour: Option<f64>,
    /// Of the same, the share on a half hour.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub half_hour: Option<f64>,
    /// From the incident to its report.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lag: Option<Lag>,
}

/// How long after the incident it was reported.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Lag {
    /// The column with the time of the report.
    pub column: String,
    /// Rows with both times.
    pub rows: u64,
    /// The middle of the lags, in days.
    pub median_days: f64,
    /// Nine in ten are no longer than this, in days.
    pub p90_days: f64,
    /// Rows that were reported before they happened.
    pub negative: u64,
}
