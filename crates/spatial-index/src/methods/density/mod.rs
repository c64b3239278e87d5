//! Where is it dense?

pub mod isopleths;
pub mod kde;
