//! A fence around other people's code that reads a stranger's bytes.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs it; a panic in there is a broken file, not the end of the program.
pub(crate) fn guarded<T>(read: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|_| Err("it is damaged".to_owned()))
}
