//! Files as they arrive, and what is read from them. All in one program, which links once.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "in a test a panic is the report, and a skipped one says so"
)]

mod archives;
mod common;
mod dirt;
mod files;
mod formats;
mod inspect;
mod json;
mod memory;
mod pieces;
mod places;
mod profiles;
mod real_data;
mod sheets;
mod text;
mod thirty;

#[cfg(feature = "gdal")]
mod geodatabase;
#[cfg(feature = "parquet")]
mod parquet;
#[cfg(feature = "gdal")]
mod postgis;
