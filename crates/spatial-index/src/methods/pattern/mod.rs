//! Do incidents gather or keep apart, and around which middle?

pub mod centrography;
pub mod nearest_neighbour;
pub mod ripley_k;
