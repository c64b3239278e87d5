//! Do incidents gather or keep apart, and around which middle?

pub mod ripley_k;
