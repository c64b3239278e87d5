//! Why there is no answer.

use brasa_model::{Blame, Diagnose, GridError, Metres, Span};

/// Why a method gave no answer.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum AnalysisError {
    /// A parameter is not allowed.
    #[error("{method}: {why}")]
    Parameter {
        /// The method.
        method: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// No incident to work on.
    #[error("there is no incident to analyse")]
    NoIncidents,
    /// Fewer incidents than the question is about.
    #[error("{method} compares at least {least} incidents with one another; there are {found}")]
    TooFew {
        /// The method.
        method: &'static str,
        /// How many it takes.
        least: usize,
        /// How many there are.
        found: usize,
    },
    /// The grid cannot be made.
    #[error(transparent)]
    Grid(#[from] GridError),
    /// No incident has a time.
    #[error("{method} needs times, and no incident has one")]
    NoTimes {
        /// The method.
        method: &'static str,
    },
    /// So many slices of so many cells would not fit.
    #[error(
        "{frames:.0} slices of {step} on cells of {cell} would take {:.1} GiB, more than the 2 GiB a series may",
        bytes / 1_073_741_824.0
    )]
    SeriesTooLarge {
        /// How many slices there would be.
        frames: f64,
        /// The step asked for.
        step: Span,
        /// The cell asked for.
        cell: Metres,
        /// What it would take.
        bytes: f64,
        /// A step that fits.
        fits_step: Span,
        /// A cell that fits.
        fits_cell: Metres,
    },
    /// Every zone holds the same number of incidents.
    #[error("every one of the {zones} zones holds {count} incidents: there is nothing to compare")]
    NoVariance {
        /// How many zones.
        zones: usize,
        /// The count they share.
        count: f64,
    },
    /// Too few zones, neighbours or counts for a statistic of all zones.
    #[error("the zones do not suffice: {why}")]
    TooFewZones {
        /// What is missing.
        why: String,
    },
    /// A selection leaves nobody on one side.
    #[error("{why}")]
    NothingSelected {
        /// Which side is empty, and by which selection.
        why: String,
        /// What could be selected.
        help: Option<String>,
    },
    /// Whoever watched does not wait any more.
    #[error("interrupted")]
    Interrupted,
    /// A rule has nothing to work with.
    #[error("the rule \"{rule}\" cannot choose a {what}: {why}")]
    RuleFailed {
        /// The rule.
        rule: &'static str,
        /// What it was to choose.
        what: &'static str,
        /// Why it cannot.
        why: String,
    },
}

impl Diagnose for AnalysisError {
    fn code(&self) -> &'static str {
        match self {
            Self::Parameter { .. } => "parameter_refused",
            Self::NoIncidents => "no_incidents",
            Self::TooFew { .. } => "too_few_incidents",
            Self::Grid(GridError::TooLarge { .. } | GridError::TooManyHexagons { .. }) => "grid_too_large",
            Self::Grid(GridError::Empty { .. } | GridError::Flat) => "grid_empty",
            Self::NoTimes { .. } => "no_times",
            Self::SeriesTooLarge { .. } => "series_too_large",
            Self::NoVariance { .. } => "no_variance",
            Self::TooFewZones { .. } => "too_few_zones",
            Self::NothingSelected { .. } => "nothing_selected",
            Self::Interrupted => "interrupted",
            Self::RuleFailed { .. } => "rule_failed",
        }
    }

    fn blame(&self) -> Blame {
        match self {
            Self::Parameter { .. } | Self::NothingSelected { .. } => Blame::Usage,
            Self::Grid(GridError::TooLarge { .. } | GridError::TooManyHexagons { .. })
            | Self::SeriesTooLarge { .. } => Blame::Memory,
            Self::Interrupted => Blame::Io,
            Self::NoIncidents
            | Self::TooFew { .. }
            | Self::NoTimes { .. }
            | Self::Grid(_)
            | Self::NoVariance { .. }
            | Self::TooFewZones { .. }
            | Self::RuleFailed { .. } => Blame::Data,
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::Grid(GridError::TooLarge { fits, .. }) => Some(format!("--cell {}m fits", fits.get())),
            Self::Grid(GridError::TooManyHexagons { fits, .. }) => {
                Some(format!("--hex {} fits", String::from(*fits)))
            }
            Self::Grid(GridError::Empty { cell }) => {
                Some(format!("give a smaller --cell than {}m or a larger --study-area", cell.get()))
            }
            Self::NoTimes { .. } => Some("name the column that holds them with --time".to_owned()),
            Self::SeriesTooLarge { fits_step, fits_cell, .. } => {
                Some(format!("--step {} fits, or --cell {}m", String::from(*fits_step), fits_cell.get()))
            }
            Self::TooFewZones { .. } => {
                Some("a smaller --cell or a wider --neighbours gives more".to_owned())
            }
            Self::NoVariance { .. } => Some("choose another --cell, or more incidents".to_owned()),
            Self::NothingSelected { help, .. } => help.clone(),
            Self::RuleFailed { what, .. } => Some(format!("give the {what} as a length, such as 500m")),
            Self::Parameter { .. }
            | Self::NoIncidents
            | Self::TooFew { .. }
            | Self::Interrupted
            | Self::Grid(GridError::Flat) => None,
        }
    }
}
