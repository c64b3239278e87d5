//! Announced choices and warnings, as data.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// An announced choice or a warning. Whatever brasa guessed or computed on the user's behalf is one of these:
/// printed, and stored in the output.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Note {
    /// A stable name, such as `bandwidth_chosen`.
    pub code: String,
    /// One plain sentence with the value in it.
    pub text: String,
    /// The chosen or measured value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
    /// The unit of `value`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// Why, or what to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl Note {
    /// A note with its sentence.
    pub fn new(code: &str, text: impl Into<String>) -> Self {
        Self { code: code.to_owned(), text: text.into(), value: None, unit: None, reason: None }
    }

    /// The value that was chosen or measured, with its unit.
    #[must_use]
    pub fn value(mut self, value: impl Into<Value>, unit: &str) -> Self {
        self.value = Some(value.into());
        self.unit = (!unit.is_empty()).then(|| unit.to_owned());
        self
    }

    /// Why it was chosen, or what to do about it.
    #[must_use]
    pub fn reason(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }
}
