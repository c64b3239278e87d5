//! Why nothing was written.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use brasa_model::{Blame, CrsError, Diagnose};

use crate::Format;
use crate::format::supported;

/// Why an output was not written. After any of these the target is as it was before.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The folder that should hold the output does not exist.
    #[error("{} is not a folder, so {} cannot be written there", folder.display(), name.display())]
    FolderMissing {
        /// The folder.
        folder: PathBuf,
        /// What should be written into it.
        name: PathBuf,
    },
    /// The output exists and nobody said that it may be replaced.
    #[error("{} exists already", .0.display())]
    Exists(PathBuf),
    /// The output folder holds files and nobody said that ours among them may be replaced.
    #[error("the folder {} is not empty", .0.display())]
    FolderNotEmpty(PathBuf),
    /// A file was asked for and a folder stands there.
    #[error("{} is a folder, not a file", .0.display())]
    IsDirectory(PathBuf),
    /// A file was asked for and something else stands there.
    #[error("{} is {what}, not a plain file", path.display())]
    NotAFile {
        /// The target.
        path: PathBuf,
        /// What it is.
        what: &'static str,
    },
    /// The output is one of the inputs.
    #[error("{} is an input of this run", .0.display())]
    IsInput(PathBuf),
    /// Another program is using the output.
    #[error("{} is in use: {} is beside it", path.display(), witness.display())]
    Busy {
        /// The target.
        path: PathBuf,
        /// The file or folder that shows it.
        witness: PathBuf,
    },
    /// Nothing can be created there.
    #[error("cannot create {}: {source}", path.display())]
    NotWritable {
        /// Where.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// There is no room left.
    #[error("no space left while writing {}", .0.display())]
    DiskFull(PathBuf),
    /// Writing failed half-way.
    #[error("writing {} failed: {why}", path.display())]
    WriteFailed {
        /// The target.
        path: PathBuf,
        /// What the system or the driver says.
        why: String,
    },
    /// The ending names no format that this build writes.
    #[error("{} has no ending of a format that can be written", .0.display())]
    FormatUnknown(PathBuf),
    /// The format cannot hold this answer.
    #[error("a {format} file cannot hold {what}")]
    FormatUnsuitable {
        /// The format.
        format: Format,
        /// The answer.
        what: &'static str,
    },
    /// The ending names no format of a curve.
    #[error("{} cannot hold a curve", .0.display())]
    CurveFormatUnknown(PathBuf),
    /// The ending names no format of an inspection.
    #[error("{} cannot hold an inspection", .0.display())]
    InspectionFormatUnknown(PathBuf),
    /// This build cannot write the format.
    #[error("this build of brasa has no {library}, which {0} files need", library = library(*.0))]
    NotBuilt(Format),
    /// Another file of the same stem would share one of the files beside this one.
    #[error("{} stands there, and {} beside it would be shared by both", rival.display(), shared.display())]
    Shared {
        /// The other file.
        rival: PathBuf,
        /// The file beside it that would be overwritten.
        shared: PathBuf,
    },
    /// A place has no longitude and latitude that can be written.
    #[error("feature {feature} of layer {layer}: ({x}, {y}) in {crs} {why}")]
    Unprojectable {
        /// The layer's name.
        layer: String,
        /// The feature's id.
        feature: i64,
        /// Easting in metres.
        x: f64,
        /// Northing in metres.
        y: f64,
        /// The layer's reference system.
        crs: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// There is no way from the reference system to the one the file needs.
    #[error(transparent)]
    Crs(#[from] CrsError),
    /// What was handed over contradicts itself.
    #[error("an answer cannot be written: {0}")]
    Inconsistent(String),
}

/// What a format is written with.
fn library(format: Format) -> &'static str {
    if format.needs() == Some("parquet") { "Parquet" } else { "GDAL" }
}

impl ExportError {
    /// An error of the system while creating `path`.
    pub(crate) fn creating(path: &Path, source: io::Error) -> Self {
        match source.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Self::DiskFull(path.to_owned()),
            _ => Self::NotWritable { path: path.to_owned(), source },
        }
    }

    /// An error of the system while writing `path`.
    pub(crate) fn writing(path: &Path, source: &io::Error) -> Self {
        match source.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Self::DiskFull(path.to_owned()),
            _ => Self::WriteFailed { path: path.to_owned(), why: source.to_string() },
        }
    }
}

impl Diagnose for ExportError {
    fn code(&self) -> &'static str {
        match self {
            Self::FolderMissing { .. } => "output_folder_missing",
            Self::Exists(_) => "output_exists",
            Self::FolderNotEmpty(_) => "output_folder_not_empty",
            Self::IsDirectory(_) => "output_is_directory",
            Self::NotAFile { .. } => "output_not_a_file",
            Self::IsInput(_) => "output_is_input",
            Self::Busy { .. } => "output_busy",
            Self::NotWritable { .. } => "output_not_writable",
            Self::DiskFull(_) => "disk_full",
            Self::WriteFailed { .. } => "write_failed",
            Self::FormatUnknown(_) => "format_unknown",
            Self::FormatUnsuitable { .. }
            | Self::CurveFormatUnknown(_)
            | Self::InspectionFormatUnknown(_) => "format_unsuitable",
            Self::NotBuilt(format) if format.needs() == Some("parquet") => "needs_parquet",
            Self::NotBuilt(_) => "needs_gdal",
            Self::Shared { .. } => "output_shared",
            Self::Unprojectable { .. } => "coordinate_unprojectable",
            Self::Crs(_) => "crs_unsuitable",
            Self::Inconsistent(_) => "answer_inconsistent",
        }
    }

    fn blame(&self) -> Blame {
        match self {
            Self::FolderMissing { .. }
            | Self::Exists(_)
            | Self::FolderNotEmpty(_)
            | Self::IsDirectory(_)
            | Self::NotAFile { .. }
            | Self::IsInput(_)
            | Self::Busy { .. }
            | Self::Shared { .. }
            | Self::NotWritable { .. } => Blame::Create,
            Self::DiskFull(_) | Self::WriteFailed { .. } => Blame::Io,
            Self::FormatUnknown(_)
            | Self::FormatUnsuitable { .. }
            | Self::CurveFormatUnknown(_)
            | Self::InspectionFormatUnknown(_)
            | Self::NotBuilt(_) => Blame::Usage,
            Self::Unprojectable { .. } | Self::Crs(_) => Blame::Data,
            Self::Inconsistent(_) => Blame::Bug,
        }
    }

    fn help(&self) -> Option<String> {
        let help = match self {
            Self::FolderMissing { folder, .. } => {
                format!("create it first (mkdir -p {}) or choose another place", folder.display())
            }
            Self::Exists(_) => "choose another name, or replace it with --force".to_owned(),
            Self::FolderNotEmpty(_) => {
                "choose another folder, or add --force: only files of brasa are replaced, others stay"
                    .to_owned()
            }
            Self::IsDirectory(path) => {
                format!("name a file in it, such as {}", path.join("hotspots.geojson").display())
            }
            Self::NotAFile { .. } => "name a plain file that may be created".to_owned(),
            Self::IsInput(_) => "choose another name: an input is never overwritten".to_owned(),
            Self::Busy { .. } => {
                "close the program that has it open, or wait for the other run to end".to_owned()
            }
            Self::NotWritable { .. } => "choose a folder you may write to".to_owned(),
            Self::DiskFull(_) => "free some space or choose another disk; nothing was left behind".to_owned(),
            Self::WriteFailed { .. } => "check the disk, then run again; nothing was left behind".to_owned(),
            Self::FormatUnknown(_) => format!("end the name in one of {}", supported().join(", ")),
            Self::FormatUnsuitable { what, .. } => match *what {
                "a surface" => "write it to .tif or .csv".to_owned(),
                "points, lines and areas together" => "write it to .gpkg or .geojson".to_owned(),
                _ => "write it to .gpkg, .fgb, .geojson, .geojsonl, .kml or .csv".to_owned(),
            },
            Self::CurveFormatUnknown(_) => "write it to .csv, .json, .svg, .png or .pdf".to_owned(),
            Self::InspectionFormatUnknown(_) => "write it to .html or .json".to_owned(),
            Self::NotBuilt(format) => {
                let (endings, feature) = (supported().join(", "), format.needs().unwrap_or_default());
                format!("end the name in one of {endings}, or build with --features {feature}")
            }
            Self::Shared { .. } => "choose another name or another folder".to_owned(),
            Self::Unprojectable { .. } | Self::Crs(_) => {
                "write it to .gpkg, which keeps the projected coordinates".to_owned()
            }
            Self::Inconsistent(_) => return None,
        };
        Some(help)
    }
}
