//! What can go wrong between a file and its incidents, and what to do about it.

pub(crate) use brasa_model::short;
use brasa_model::{Account, Blame, CrsError, Diagnose, Reason, Reject, WindowError};

/// Why a file did not become incidents.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum IngestError {
    /// There is no such file.
    #[error("there is no file {path}")]
    FileMissing {
        /// The path as given.
        path: String,
    },
    /// A pattern fits no file.
    #[error("there is no file that fits {pattern}")]
    PatternMatchesNothing {
        /// The pattern as given.
        pattern: String,
    },
    /// A pattern is none.
    #[error("there is no file {pattern}, and it is no pattern: {why}")]
    PatternInvalid {
        /// The pattern as given.
        pattern: String,
        /// What is wrong with it.
        why: String,
    },
    /// The same file is named twice.
    #[error("{path} is named twice{}", if path == again { String::new() } else { format!(", the second time as {again}") })]
    FileTwice {
        /// The path as given.
        path: String,
        /// The path as given the second time.
        again: String,
    },
    /// The path names no plain file.
    #[error("{path} is {what}, not a file")]
    NotAFile {
        /// The path as given.
        path: String,
        /// What it is instead.
        what: &'static str,
    },
    /// The system does not let us read it.
    #[error("{path} cannot be read: {why}")]
    FileUnreadable {
        /// The path as given.
        path: String,
        /// What the system says.
        why: String,
    },
    /// The file has no bytes.
    #[error("{name} is empty")]
    FileEmpty {
        /// File name.
        name: String,
    },
    /// There are columns but no rows.
    #[error("{name} has column names but not a single row")]
    NoRows {
        /// File name.
        name: String,
    },
    /// Every row was set aside.
    #[error("{name}: none of the {} rows can be used: {}", account.read, tally(account, *police_made, reasons))]
    NothingLeft {
        /// File name.
        name: String,
        /// What became of the rows.
        account: Account,
        /// Of those filtered, how many because police made them.
        police_made: u64,
        /// Per reason: how many, and the first of them.
        reasons: Vec<(Reason, u64, Reject)>,
    },
    /// The format needs GDAL, which this build does not have, or is not known at all.
    #[error("{name} is {format}, which this build of brasa does not read")]
    FormatUnsupported {
        /// File name.
        name: String,
        /// What it seems to be.
        format: String,
    },
    /// The content is not what the format promises.
    #[error("{name} cannot be read as {format}: {why}")]
    FormatUnreadable {
        /// File name.
        name: String,
        /// The format.
        format: &'static str,
        /// What is wrong, and where.
        why: String,
    },
    /// A compressed file is damaged or cut short.
    #[error("{name} is damaged: its compressed data fail after byte {byte} of the file: {why}")]
    CompressionBroken {
        /// File name.
        name: String,
        /// How much of the file had been read.
        byte: u64,
        /// What the decompressor says.
        why: String,
    },
    /// The content is beyond what brasa is willing to unpack or hold.
    #[error("{name}: {what}, more than the limit of {limit}")]
    TooLarge {
        /// File name.
        name: String,
        /// What is too large.
        what: String,
        /// The limit.
        limit: String,
    },
    /// A quoted field never ends.
    #[error("{name}, line {line}: the row does not end within {span}; a quote may have been left open")]
    QuoteUnclosed {
        /// File name.
        name: String,
        /// Where the record begins.
        line: u64,
        /// How far the record runs.
        span: String,
    },
    /// An archive holds several data files, or none.
    #[error("{name} holds {} files that could be the data: {}", members.len(), list(members))]
    ArchiveChoice {
        /// File name.
        name: String,
        /// The candidates.
        members: Vec<String>,
    },
    /// Reading failed half-way.
    #[error("reading {name} failed: {why}")]
    ReadFailed {
        /// File name.
        name: String,
        /// What the system says.
        why: String,
    },
    /// The file has several layers and none was chosen.
    #[error("{name} has {} layers: {}", layers.len(), list(layers))]
    LayerChoice {
        /// File name.
        name: String,
        /// The layers.
        layers: Vec<String>,
    },
    /// There is no such layer.
    #[error("{name} has no layer \"{wanted}\"; its layers are: {}", list(layers))]
    LayerUnknown {
        /// File name.
        name: String,
        /// The layer asked for.
        wanted: String,
        /// The layers.
        layers: Vec<String>,
    },
    /// A flag names a column that is not there.
    #[error("{flag}: there is no column \"{wanted}\"{}; the columns are: {}", did_you_mean(suggestion.as_deref()), list(columns))]
    ColumnUnknown {
        /// The flag.
        flag: String,
        /// The column asked for.
        wanted: String,
        /// The closest name.
        suggestion: Option<String>,
        /// The columns of the file.
        columns: Vec<String>,
    },
    /// No column looks like a coordinate.
    #[error("{name}: no columns with coordinates were recognised; the columns are: {}", list(columns))]
    NoCoordinates {
        /// File name.
        name: String,
        /// The columns of the file.
        columns: Vec<String>,
        /// What is known of files with these columns.
        known: Option<String>,
    },
    /// A profile is not one.
    #[error("the profile {name} cannot be used: {why}")]
    ProfileInvalid {
        /// The profile.
        name: String,
        /// What is wrong, and where.
        why: String,
    },
    /// The value of a flag is not one of those allowed.
    #[error("{flag} \"{value}\" is not {expected}")]
    OptionInvalid {
        /// The flag.
        flag: &'static str,
        /// What was given.
        value: String,
        /// What is allowed.
        expected: String,
    },
    /// A flag and reading in pieces exclude or need one another.
    #[error("with --stream, {flag}: {why}")]
    NotInPieces {
        /// The flag, and what about it.
        flag: &'static str,
        /// Why.
        why: &'static str,
    },
    /// The reference system of the flag cannot be used.
    #[error("--crs: {0}")]
    CrsInvalid(CrsError),
    /// The file states a reference system that brasa does not know.
    #[error("{name} states the reference system {crs}, which is not in the built-in registry")]
    CrsUnsupported {
        /// File name.
        name: String,
        /// What the file states.
        crs: String,
    },
    /// Nothing says in which reference system the coordinates are.
    #[error("{name}: the reference system is not stated, and the coordinates are not degrees: {}", extent(*x, *y))]
    CrsUnknown {
        /// File name.
        name: String,
        /// Least and greatest x.
        x: (f64, f64),
        /// Least and greatest y.
        y: (f64, f64),
    },
    /// Degrees were declared to be metres.
    #[error("{name}: {crs} is a projected system, but the coordinates look like degrees: {}", extent(*x, *y))]
    DegreesAsMetres {
        /// File name.
        name: String,
        /// The system that was declared.
        crs: String,
        /// Least and greatest x.
        x: (f64, f64),
        /// Least and greatest y.
        y: (f64, f64),
    },
    /// Longitude and latitude have changed places.
    #[error("{name}: {share:.0} % of the coordinates are no longitude and latitude, but would be if the two were swapped (example: {}, {})", short(example.0), short(example.1))]
    AxesSwapped {
        /// File name.
        name: String,
        /// Share of rows, in percent.
        share: f64,
        /// The coordinates of one row.
        example: (f64, f64),
        /// The flags that swap them.
        remedy: String,
    },
    /// No row says whether the day or the month comes first.
    #[error("{place}: \"{example}\" can be {dmy} (day first) or {mdy} (month first), and {evidence}")]
    DateOrderUnknown {
        /// The file and the column.
        place: String,
        /// A value that can be read both ways.
        example: String,
        /// Read day first.
        dmy: String,
        /// Read month first.
        mdy: String,
        /// Why the file does not decide.
        evidence: String,
    },
    /// No incident lies in the study area.
    #[error("none of the {incidents} incidents lies in the study area {name}: {why}")]
    StudyAreaMisses {
        /// Name of the study area's file.
        name: String,
        /// How many incidents there are.
        incidents: u64,
        /// Both extents, and how far apart they are.
        why: String,
    },
    /// The study area's file holds no polygon.
    #[error("{name} holds no polygon{}", if *features == 0 { String::new() } else { format!(" among its {features} features") })]
    NoPolygon {
        /// File name.
        name: String,
        /// How many features it holds.
        features: u64,
    },
    /// The polygons are no study area.
    #[error("{name}: {why}")]
    StudyAreaInvalid {
        /// File name.
        name: String,
        /// What is wrong.
        why: WindowError,
    },
    /// Zones cannot be counted in.
    #[error("{name}: zones that {what}: {}", list(which))]
    ZonesUnsound {
        /// File name.
        name: String,
        /// What is wrong with them.
        what: String,
        /// Which they are.
        which: Vec<String>,
        /// What to do about it.
        remedy: &'static str,
    },
    /// So many H3 cells would not fit.
    #[error(
        "H3 cells of resolution {resolution} over this study area would be about {cells:.0}, more than the {most:.0} that brasa makes"
    )]
    TooManyCells {
        /// The resolution asked for.
        resolution: u8,
        /// About how many there would be.
        cells: f64,
        /// The most there may be.
        most: f64,
        /// A resolution that fits.
        fits: u8,
    },
    /// A promise of ours is broken.
    #[error("internal error: {0}")]
    Internal(String),
}

impl Diagnose for IngestError {
    fn code(&self) -> &'static str {
        match self {
            Self::FileMissing { .. } => "file_missing",
            Self::PatternMatchesNothing { .. } => "pattern_matches_nothing",
            Self::PatternInvalid { .. } => "pattern_invalid",
            Self::FileTwice { .. } => "file_twice",
            Self::NotAFile { .. } => "not_a_file",
            Self::FileUnreadable { .. } => "file_unreadable",
            Self::FileEmpty { .. } => "file_empty",
            Self::NoRows { .. } => "no_rows",
            Self::NothingLeft { .. } => "nothing_left",
            Self::FormatUnsupported { .. } => "format_unsupported",
            Self::FormatUnreadable { .. } => "format_unreadable",
            Self::CompressionBroken { .. } => "compression_broken",
            Self::TooLarge { .. } => "too_large",
            Self::QuoteUnclosed { .. } => "quote_unclosed",
            Self::ArchiveChoice { .. } => "archive_choice",
            Self::ReadFailed { .. } => "read_failed",
            Self::LayerChoice { .. } => "layer_choice",
            Self::LayerUnknown { .. } => "layer_unknown",
            Self::ColumnUnknown { .. } => "column_unknown",
            Self::NoCoordinates { .. } => "no_coordinates",
            Self::ProfileInvalid { .. } => "profile_invalid",
            Self::OptionInvalid { .. } => "option_invalid",
            Self::NotInPieces { .. } => "not_in_pieces",
            Self::CrsInvalid(_) => "crs_invalid",
            Self::CrsUnsupported { .. } => "crs_unsupported",
            Self::CrsUnknown { .. } => "crs_unknown",
            Self::DegreesAsMetres { .. } => "degrees_as_metres",
            Self::AxesSwapped { .. } => "axes_swapped",
            Self::DateOrderUnknown { .. } => "date_order_unknown",
            Self::StudyAreaMisses { .. } => "study_area_misses",
            Self::NoPolygon { .. } => "no_polygon",
            Self::StudyAreaInvalid { .. } => "study_area_invalid",
            Self::ZonesUnsound { .. } => "zones_unsound",
            Self::TooManyCells { .. } => "too_many_cells",
            Self::Internal(_) => "internal",
        }
    }

    fn blame(&self) -> Blame {
        match self {
            Self::FileMissing { .. }
            | Self::PatternMatchesNothing { .. }
            | Self::PatternInvalid { .. }
            | Self::NotAFile { .. }
            | Self::FileUnreadable { .. } => Blame::Input,
            Self::ReadFailed { .. } => Blame::Io,
            Self::LayerChoice { .. }
            | Self::LayerUnknown { .. }
            | Self::ColumnUnknown { .. }
            | Self::OptionInvalid { .. }
            | Self::NotInPieces { .. }
            | Self::FileTwice { .. }
            | Self::ProfileInvalid { .. }
            | Self::CrsInvalid(_) => Blame::Usage,
            Self::TooManyCells { .. } => Blame::Memory,
            Self::Internal(_) => Blame::Bug,
            _ => Blame::Data,
        }
    }

    fn help(&self) -> Option<String> {
        let help = match self {
            Self::FileMissing { .. } => "check the spelling and the folder; brasa reads plain local files only".into(),
            Self::PatternMatchesNothing { .. } | Self::PatternInvalid { .. } => {
                "check the spelling and the folder; * stands for any letters, ? for one, [ab] for one of these".into()
            }
            Self::FileTwice { .. } => "name it once: its incidents would count double".into(),
            Self::NotAFile { .. } => "name files; brasa reads plain local files only".into(),
            Self::FileUnreadable { .. } => "check the permissions of the file".into(),
            Self::FileEmpty { .. } | Self::NoRows { .. } => "export the file again".into(),
            Self::NothingLeft { police_made, .. } if *police_made > 0 => {
                "they show where police were, not where people were harmed; --include-officer-initiated keeps them".into()
            }
            Self::NothingLeft { account, .. } if account.rejected == 0 => {
                "check --only, --since and --until against the values in the file".into()
            }
            Self::NothingLeft { reasons, .. }
                if reasons.iter().any(|found| found.0 == Reason::GeometryNotPoint) =>
            {
                "incidents are points; a file of lines or polygons can be a study area".into()
            }
            Self::NothingLeft { .. } => "name the right columns, such as --lon COLUMN --lat COLUMN --time COLUMN".into(),
            Self::FormatUnsupported { .. } => {
                "save it as CSV or GeoJSON, or use a build of brasa with GDAL (cargo feature \"gdal\")".into()
            }
            Self::CompressionBroken { .. } => "copy or download the file again; nothing of it was used".into(),
            Self::TooLarge { .. } => "if the file is sound, unpack or split it first".into(),
            Self::QuoteUnclosed { .. } => "look at that line, and close or remove its quote".into(),
            Self::ArchiveChoice { members, .. } if members.is_empty() => "unpack it and look inside".into(),
            Self::ArchiveChoice { .. } => "choose one with --layer NAME, or unpack the archive".into(),
            Self::LayerChoice { .. } => "choose one with --layer NAME; of zones with --zones-layer, of a study area with --study-area-layer".into(),
            Self::NoCoordinates { known: Some(known), .. } => known.clone(),
            Self::NoCoordinates { .. } => {
                "name them: --lon COLUMN --lat COLUMN for degrees, or --x COLUMN --y COLUMN --crs EPSG:CODE".into()
            }
            Self::NotInPieces { .. } => "change the flag, or run without --stream if the file fits in memory".into(),
            Self::CrsInvalid(_) => "write an EPSG code such as EPSG:4326 or EPSG:32618".into(),
            Self::CrsUnsupported { .. } => "give the EPSG code of the incidents with --crs EPSG:CODE; save a study area again in a system with an EPSG code".into(),
            Self::CrsUnknown { .. } => {
                "say in which system they are with --crs EPSG:CODE; the publisher of the data or your GIS knows it".into()
            }
            Self::DegreesAsMetres { .. } => "use --crs EPSG:4326, or name the projected columns with --x and --y".into(),
            Self::AxesSwapped { remedy, .. } => remedy.clone(),
            Self::DateOrderUnknown { .. } => "say it: --date-order dmy or --date-order mdy".into(),
            Self::StudyAreaMisses { .. } => {
                "check that both files are of the same place and that each states its own reference system".into()
            }
            Self::NoPolygon { .. } => "a study area, or zones, are one or more polygons".into(),
            Self::StudyAreaInvalid { .. } => "repair the polygons, for example with \"Fix geometries\" in QGIS".into(),
            Self::ZonesUnsound { remedy, .. } => (*remedy).into(),
            Self::ProfileInvalid { .. } => "a profile has a title, a signature, and the sections [read], [source], [[traps]] and [iccs]".into(),
            Self::TooManyCells { fits, .. } => format!("--h3 {fits} fits"),
            Self::Internal(_) => "please report this with the command that led to it".into(),
            Self::FormatUnreadable { .. }
            | Self::ReadFailed { .. }
            | Self::LayerUnknown { .. }
            | Self::ColumnUnknown { .. }
            | Self::OptionInvalid { .. } => return None,
        };
        Some(help)
    }
}

/// Names for an error text, at most twenty of them.
fn list(names: &[String]) -> String {
    let shown: Vec<&str> = names.iter().take(20).map(String::as_str).collect();
    let more = names.len() - shown.len();
    let rest = if more == 0 { String::new() } else { format!(" and {more} more") };
    if shown.is_empty() { "none".to_owned() } else { format!("{}{rest}", shown.join(", ")) }
}

fn did_you_mean(suggestion: Option<&str>) -> String {
    suggestion.map(|name| format!("; did you mean \"{name}\"?")).unwrap_or_default()
}

fn tally(account: &Account, police_made: u64, reasons: &[(Reason, u64, Reject)]) -> String {
    let mut parts: Vec<String> = reasons
        .iter()
        .map(|(reason, count, first)| {
            let found = match (first.column.as_str(), first.value.as_str()) {
                ("", "") => String::new(),
                ("", value) => format!(": {value}"),
                (column, value) => format!(": {column} = \"{value}\""),
            };
            format!("{count} {} ({}; first on row {}{found})", reason.code(), reason.meaning(), first.line)
        })
        .collect();
    if police_made > 0 {
        parts.push(format!("{police_made} left out because police made them, by stops or arrests"));
    }
    if account.filtered > police_made {
        let filtered = account.filtered - police_made;
        parts.push(format!("{filtered} left out by --only, --since or --until"));
    }
    parts.join("; ")
}

/// The range of coordinates, for a message.
pub(crate) fn extent(x: (f64, f64), y: (f64, f64)) -> String {
    format!("x runs from {} to {}, y from {} to {}", short(x.0), short(x.1), short(y.0), short(y.1))
}
