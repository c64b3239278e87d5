//! Where the real files and the repository lie, for the tests in `tests/`.
