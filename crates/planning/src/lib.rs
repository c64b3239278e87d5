//! From answers and resources to plans: areas within a budget, visits and routes, districts, sites.
//!
//! Pure functions: neither disk, clock nor environment; what chance decides follows a seed. A plan says what it optimises and how far
//! it may be from the best.

pub mod areas;
pub mod budget;
pub mod costs;
pub mod demand;
pub mod districts;
pub mod error;
pub mod graph;
pub mod network;
pub mod patrol;
pub mod settings;
pub mod shifts;
pub mod sites;
pub mod travel;

pub use budget::{Budget, Resource};
pub use error::PlanError;
pub use graph::Graph;
pub use settings::{Objective, Share};
