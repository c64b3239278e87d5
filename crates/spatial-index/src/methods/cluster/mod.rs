//! Which incidents belong together?

pub mod dbscan;
