//! Is it right? One file answers for one part of the house. All in one program: forty would fill a disk.

#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "in a test a panic is the report, and a skipped one says so"
)]

mod architecture;
mod clusters;
mod conformance;
mod docs;
mod files;
mod global;
mod hdbscan;
mod inspect;
mod isopleths;
mod joins;
mod kde_spacetime;
mod local;
mod optics;
mod other_pages;
mod pattern;
mod pictures;
mod pipeline;
mod places;
mod plan_page;
mod plans;
mod properties;
mod qgis;
mod rates;
mod real;
mod report_page;
mod sparr;
mod st_dbscan;
mod stability;
mod streaming;
mod weights;
mod zones;
