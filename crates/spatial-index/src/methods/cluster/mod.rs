//! Which incidents belong together?

pub mod dbscan;
pub mod dbscan_stability;
pub mod hdbscan;
pub mod k_distance;
pub mod nnh;
pub mod optics;
pub mod reachability;
pub mod st_dbscan;
