//! Where and when at once?

pub mod kde_spacetime;
