//! Why there is no plan.

use brasa_model::{Blame, Diagnose};

/// Why there is no plan.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum PlanError {
    /// A parameter is not allowed.
    #[error("{plan}: {why}")]
    Parameter {
        /// The plan.
        plan: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// No plan keeps all rules.
    #[error("{plan}: no plan keeps all rules: {constraint}")]
    Infeasible {
        /// The plan.
        plan: &'static str,
        /// Which rule cannot be kept, and by how much.
        constraint: String,
        /// The smallest change that would make a plan possible.
        change: String,
    },
}

impl Diagnose for PlanError {
    fn code(&self) -> &'static str {
        match self {
            Self::Parameter { .. } => "parameter_not_allowed",
            Self::Infeasible { .. } => "plan_infeasible",
        }
    }

    fn blame(&self) -> Blame {
        Blame::Usage
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::Parameter { .. } => None,
            Self::Infeasible { change, .. } => Some(change.clone()),
        }
    }
}
