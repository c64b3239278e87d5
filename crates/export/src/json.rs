//! One JSON object in a file: the manifest.

use std::io::Write;
use std::path::Path;

use serde::Serialize;

use crate::{ExportError, sink};

/// Writes a value as indented JSON with a newline at the end.
pub fn write_json<T: Serialize + ?Sized>(value: &T, path: &Path) -> Result<(), ExportError> {
    sink::write(path, |out| {
        serde_json::to_writer_pretty(&mut *out, value)?;
        out.write_all(b"\n")
    })
}
