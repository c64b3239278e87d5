//! One file per question. A method never imports another; what two share stands one folder up.

pub mod cluster;
pub mod density;
pub mod global;
pub mod local;
pub mod pattern;
pub mod spacetime;
