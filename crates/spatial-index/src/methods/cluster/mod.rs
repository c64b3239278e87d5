//! Which incidents belong together?

pub mod dbscan;
pub mod nnh;
