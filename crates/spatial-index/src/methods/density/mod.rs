//! Where is it dense?

pub mod bandwidth;
pub mod isopleths;
pub mod kde;
pub mod kde_adaptive;
pub mod kde_ratio;
