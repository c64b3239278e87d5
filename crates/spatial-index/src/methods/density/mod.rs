//! Where is it dense?

pub mod kde;
