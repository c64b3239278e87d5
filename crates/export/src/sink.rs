//! A file that is written through a buffer and does not hide a full disk.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use crate::ExportError;

/// Creates `path`, lets `body` write to it and flushes: an error of the last byte is an error.
pub(crate) fn write(
    path: &Path,
    body: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
) -> Result<(), ExportError> {
    let file = File::create(path).map_err(|source| ExportError::creating(path, source))?;
    let mut out = BufWriter::with_capacity(1 << 18, file);
    body(&mut out).and_then(|()| out.flush()).map_err(|source| ExportError::writing(path, &source))
}

/// Writes a text as it is, in UTF-8.
pub fn write_text(text: &str, path: &Path) -> Result<(), ExportError> {
    write(path, |out| out.write_all(text.as_bytes()))
}
