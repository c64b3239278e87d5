//! Which zones differ from the rest, beyond chance?

pub mod gi;
pub mod gi_star;
pub mod local_geary;
pub mod local_join_count;
pub mod local_moran;
pub mod rate_eb;
