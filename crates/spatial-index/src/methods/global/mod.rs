//! Are near zones alike, taken all together?

pub mod correlogram;
pub mod geary;
pub mod general_g;
pub mod moran;
