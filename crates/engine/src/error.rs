//! Why a run failed.

use brasa_export::ExportError;
use brasa_ingest::IngestError;
use brasa_model::{Blame, CrsError, Diagnose};
use brasa_planning::PlanError;
use brasa_spatial_index::AnalysisError;

/// Why a run failed; each kind is explained where it arose.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// Reading failed.
    #[error(transparent)]
    Ingest(#[from] IngestError),
    /// The method gave no answer.
    #[error(transparent)]
    Analysis(#[from] AnalysisError),
    /// There is no plan.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// Writing failed.
    #[error(transparent)]
    Export(#[from] ExportError),
    /// A place could not be brought to another reference system.
    #[error(transparent)]
    Crs(#[from] CrsError),
    /// The pipeline is not one.
    #[error("{place}: {why}")]
    Pipeline {
        /// The file, or the part of it.
        place: String,
        /// What is wrong.
        why: String,
    },
    /// The analysis needs all incidents at once.
    #[error("--stream: {analysis} needs all incidents at once; only kde can take a file in pieces")]
    NotInPieces {
        /// What was asked.
        analysis: String,
    },
    /// The pipeline file cannot be read.
    #[error("cannot read {path}: {why}")]
    PipelineFile {
        /// The file.
        path: String,
        /// Why.
        why: String,
    },
}

impl Diagnose for EngineError {
    fn code(&self) -> &'static str {
        match self {
            Self::Ingest(error) => error.code(),
            Self::Analysis(error) => error.code(),
            Self::Plan(error) => error.code(),
            Self::Export(error) => error.code(),
            Self::Crs(_) => "crs_failed",
            Self::Pipeline { .. } => "pipeline_refused",
            Self::NotInPieces { .. } => "not_in_pieces",
            Self::PipelineFile { .. } => "pipeline_unreadable",
        }
    }

    fn blame(&self) -> Blame {
        match self {
            Self::Ingest(error) => error.blame(),
            Self::Analysis(error) => error.blame(),
            Self::Plan(error) => error.blame(),
            Self::Export(error) => error.blame(),
            Self::Crs(_) => Blame::Data,
            Self::Pipeline { .. } | Self::NotInPieces { .. } => Blame::Usage,
            Self::PipelineFile { .. } => Blame::Input,
        }
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::Ingest(error) => error.help(),
            Self::Analysis(error) => error.help(),
            Self::Plan(error) => error.help(),
            Self::Export(error) => error.help(),
            Self::Pipeline { .. } => {
                Some("any command prints itself as a pipeline with --print-pipeline".to_owned())
            }
            Self::NotInPieces { .. } => Some(
                "run it without --stream, on an extract that fits in memory (--only, --since and --until leave rows out)"
                    .to_owned(),
            ),
            Self::Crs(_) | Self::PipelineFile { .. } => None,
        }
    }
}
