//! Do incidents gather or keep apart, and around which middle?

pub mod centrography;
pub mod concentration;
pub mod nearest_neighbour;
pub mod pattern_similarity;
pub mod quadrat_test;
pub mod ripley_k;
