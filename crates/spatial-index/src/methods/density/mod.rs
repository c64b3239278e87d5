//! Where is it dense?

pub mod bandwidth;
pub mod kde;
