//! Which zones differ from the rest, beyond chance?

pub mod gi_star;
