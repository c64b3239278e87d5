//! A saved analysis ([`Pipeline`]) to files with a manifest: the one place where reading, methods and writing meet.
//!
//! The engine decides nothing a method could decide and knows no file format: it checks that the output can be
//! written, reads, runs, turns answers into layers, and writes them whole or not at all.

mod answers;
mod ask;
mod briefing;
pub mod demo;
mod drawing;
pub mod error;
pub mod hotspots;
mod inspect;
pub mod layers;
pub mod manifest;
pub mod pipeline;
pub mod plan;
mod run;
mod stability;
mod zoning;

pub use ask::{Labels, Reply, Shown, ask};
pub use brasa_export::{Imprint, Lang, OutputRecord};
pub use brasa_ingest::{Ingested, InputOptions, Pieces, Progress as Reading, memory, without_secrets};
pub use brasa_spatial_index::watch::Step;
pub use brasa_spatial_index::{About, Answer, METHODS, Method, method};
pub use error::EngineError;
pub use hotspots::{Hotspot, HotspotsParams};
pub use inspect::inspect;
pub use manifest::Manifest;
pub use pipeline::{Analysis, MapOptions, Output, Pipeline};
pub use plan::{PLANS, PlanKind, Planned};
pub use run::{Hotspots, Observer, Outcome, Progress, run, run_watched};
