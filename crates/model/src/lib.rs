//! The nouns of brasa: what crosses from one crate to another, and nothing else.
//!
//! A type lives here only if two crates need it, and it brings its behaviour with it. This crate reads no
//! files, holds no statistical method, prints nothing and knows no clock.
//!
//! | word | what it is |
//! | --- | --- |
//! | [`Incidents`] | a marked space-time point pattern with its [`Window`] and [`Crs`] |
//! | [`Grid`] | square cells aligned to whole multiples of the cell, clipped to a window |
//! | [`GivenZones`] | beats, colonias, tracts, with what to divide by |
//! | [`Surface`], [`SurfaceSeries`], [`Isopleths`], [`Risk`], [`LocalStats`], [`Clusters`], [`Features`], [`Curve`] | answers |
//! | [`Layer`] | what export takes |
//! | [`Account`], [`Reject`], [`Note`], [`Provenance`] | how the answer came about |

pub mod account;
pub mod briefing;
pub mod chance;
pub mod clip;
pub mod clusters;
pub mod crs;
pub mod curve;
pub mod diagnose;
pub mod grid;
pub mod hexagons;
pub mod incidents;
mod inspection;
pub mod isopleths;
pub mod layer;
pub mod local_stats;
pub mod note;
mod plain;
pub mod plan;
pub mod provenance;
pub mod risk;
pub mod street;
pub mod style;
pub mod surface;
pub mod surface_series;
pub mod time;
pub mod units;
pub mod window;
pub mod written;
pub mod zoning;

pub use account::{Account, Reason, Reject};
pub use briefing::{Briefing, Step, Stretch, Trend, Week};
pub use chance::Chance;
pub use clusters::{Cluster, Clusters, Ellipse, Excess, Scores};
pub use crs::{Crs, CrsError, Projector, SourceCrs};
pub use curve::{Curve, Role, Series};
pub use diagnose::{Blame, Diagnose};
pub use grid::{Grid, GridError};
pub use hexagons::Hexagons;
pub use incidents::{Files, Incidents, Kinds};
pub use inspection::{
    ColumnInspection, FileInspection, Inspection, Lag, PlacesInspection, Refusal, Stack, TimesInspection,
    short,
};
pub use isopleths::{Isopleth, Isopleths};
pub use layer::{Column, ColumnKind, Feature, Features, Layer, SHARE, Value};
pub use local_stats::{Class, LocalStats};
pub use note::Note;
pub use plain::is_plainly_valid;
pub use plan::{
    Clock, Depot, Doing, Fact, Offset, PatrolPlan, PlanArea, PlanBriefing, Rest, Shift, Stop, Tour, Unserved,
};
pub use provenance::{InputRecord, KindRecord, Provenance, rejected};
pub use risk::{Contour, Risk, Tail};
pub use street::Street;
pub use style::{ClassRule, Classes, ClassesError, DrawnBy, Scale, Style, Tone, Word};
pub use surface::Surface;
pub use surface_series::SurfaceSeries;
pub use time::{Civil, Interval, PeakHours, Times, Timing};
pub use units::{Metres, Span, SpanError, UnitError};
pub use window::{Window, WindowError, WindowOrigin};
pub use zoning::{Denominators, GivenZone, GivenZones, ZonesOrigin, Zoning};
