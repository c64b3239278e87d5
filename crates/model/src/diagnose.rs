//! What every error of brasa can say about itself, so that one place can show it well.

/// Whose turn it is after an error; decides the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blame {
    /// The command was wrong (exit 2).
    Usage,
    /// The data was wrong (exit 65).
    Data,
    /// The input is not there or cannot be read (exit 66).
    Input,
    /// A bug of ours (exit 70).
    Bug,
    /// It does not fit in memory (exit 71).
    Memory,
    /// The output cannot be created (exit 73).
    Create,
    /// Reading or writing failed half-way (exit 74).
    Io,
}

/// An error with a stable code, somebody to act, and advice. `Display` says what is wrong, where and why.
pub trait Diagnose: std::error::Error {
    /// A stable name such as `column_unknown`.
    fn code(&self) -> &'static str;
    /// Whose turn it is.
    fn blame(&self) -> Blame;
    /// What to do next, where we know it.
    fn help(&self) -> Option<String> {
        None
    }
}
