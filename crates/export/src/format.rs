//! Which format a file name asks for.

use std::fmt;
use std::path::Path;

use crate::ExportError;

/// A format that answers are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// GeoJSON (RFC 7946), one object.
    GeoJson,
    /// GeoJSON, one feature per line.
    GeoJsonSeq,
    /// OGC GeoPackage.
    GeoPackage,
    /// FlatGeobuf.
    FlatGeobuf,
    /// Esri shapefile.
    Shapefile,
    /// Keyhole Markup Language 2.2.
    Kml,
    /// GeoParquet 1.1.
    GeoParquet,
    /// Vector tiles in one file (PMTiles 3).
    PmTiles,
    /// Comma-separated values (RFC 4180).
    Csv,
    /// Cloud-optimised GeoTIFF.
    GeoTiff,
    /// A map as a picture of lines and letters.
    Svg,
    /// A map as a picture of pixels.
    Png,
    /// A map on a page to print or to mail.
    Pdf,
}

/// Every ending, with its format; the first of a format is the usual one.
const ENDINGS: [(&str, Format); 17] = [
    ("geojson", Format::GeoJson),
    ("json", Format::GeoJson),
    ("geojsonl", Format::GeoJsonSeq),
    ("geojsons", Format::GeoJsonSeq),
    ("gpkg", Format::GeoPackage),
    ("fgb", Format::FlatGeobuf),
    ("shp", Format::Shapefile),
    ("kml", Format::Kml),
    ("parquet", Format::GeoParquet),
    ("geoparquet", Format::GeoParquet),
    ("pmtiles", Format::PmTiles),
    ("csv", Format::Csv),
    ("tif", Format::GeoTiff),
    ("tiff", Format::GeoTiff),
    ("svg", Format::Svg),
    ("png", Format::Png),
    ("pdf", Format::Pdf),
];

impl Format {
    /// The cargo feature without which it is not written.
    pub const fn needs(self) -> Option<&'static str> {
        match self {
            Self::GeoPackage | Self::FlatGeobuf | Self::Shapefile | Self::GeoTiff => Some("gdal"),
            Self::GeoParquet => Some("parquet"),
            Self::GeoJson
            | Self::GeoJsonSeq
            | Self::Kml
            | Self::PmTiles
            | Self::Csv
            | Self::Svg
            | Self::Png
            | Self::Pdf => None,
        }
    }

    /// Whether it is a picture of a map.
    pub const fn is_picture(self) -> bool {
        matches!(self, Self::Svg | Self::Png | Self::Pdf)
    }

    /// Whether this build writes it.
    pub fn is_supported(self) -> bool {
        match self.needs() {
            Some("gdal") => cfg!(feature = "gdal"),
            Some(_) => cfg!(feature = "parquet"),
            None => true,
        }
    }

    /// The endings of the files that stand beside the one that is named, under the same stem.
    pub const fn companions(self) -> &'static [&'static str] {
        match self {
            Self::Csv => &["csvt", "prj", "datapackage.json"],
            // What QGIS looks for beside a file; a GeoPackage holds both. What a web map is told of its looks stands in a style.
            Self::Shapefile => &["shx", "dbf", "prj", "cpg", "fields.csv", "qml", "qmd"],
            Self::GeoJson => &["qml", "qmd", "style.json"],
            Self::GeoJsonSeq | Self::FlatGeobuf | Self::GeoTiff => &["qml", "qmd"],
            Self::PmTiles => &["style.json"],
            _ => &[],
        }
    }

    /// Whether a style stands beside it.
    pub fn is_styled(self) -> bool {
        self.companions().iter().any(|ending| ["qml", "style.json"].contains(ending))
    }

    /// The ending of a file that would share its `.prj` with this format, and mean another one.
    pub(crate) const fn rival(self) -> Option<&'static str> {
        match self {
            Self::Csv => Some("shp"),
            Self::Shapefile => Some("csvt"),
            _ => None,
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let usual = ENDINGS.iter().find(|(_, format)| format == self).map_or("", |(ending, _)| ending);
        write!(f, ".{usual}")
    }
}

/// The format that the ending of a file name asks for, in capitals or not; refused if this build cannot write it.
pub fn format_of(path: &Path) -> Result<Format, ExportError> {
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default().to_ascii_lowercase();
    match ENDINGS.iter().find(|(known, _)| *known == ending) {
        Some((_, format)) if format.is_supported() => Ok(*format),
        Some((_, format)) => Err(ExportError::NotBuilt(*format)),
        None => Err(ExportError::FormatUnknown(path.to_owned())),
    }
}

/// A format that curves are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CurveFormat {
    /// One row per step (RFC 4180).
    Csv,
    /// One object with titles, units, notes and provenance.
    Json,
    /// A picture of lines and letters.
    Svg,
    /// A picture of pixels.
    Png,
    /// A picture on a page.
    Pdf,
}

/// The format of a curve that the ending of a file name asks for, in capitals or not.
pub fn curve_format_of(path: &Path) -> Result<CurveFormat, ExportError> {
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default().to_ascii_lowercase();
    match ending.as_str() {
        "csv" => Ok(CurveFormat::Csv),
        "json" => Ok(CurveFormat::Json),
        "svg" => Ok(CurveFormat::Svg),
        "png" => Ok(CurveFormat::Png),
        "pdf" => Ok(CurveFormat::Pdf),
        _ => Err(ExportError::CurveFormatUnknown(path.to_owned())),
    }
}

/// The endings this build writes.
pub(crate) fn supported() -> Vec<String> {
    ENDINGS
        .iter()
        .filter(|(_, format)| format.is_supported())
        .map(|(ending, _)| format!(".{ending}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use brasa_model::{Blame, Diagnose};

    #[test]
    fn the_ending_decides_in_capitals_too() {
        assert_eq!(format_of(Path::new("a/b.GeoJSON")).unwrap(), Format::GeoJson);
        assert_eq!(format_of(Path::new("b.geojsons")).unwrap(), Format::GeoJsonSeq);
        assert_eq!(format_of(Path::new("b.csv")).unwrap(), Format::Csv);
    }

    #[test]
    fn an_unknown_ending_names_those_this_build_writes() {
        for name in ["hotspots.docx", "hotspots", "gpkg", ".gpkg"] {
            let error = format_of(Path::new(name)).unwrap_err();
            assert_eq!((error.code(), error.blame()), ("format_unknown", Blame::Usage), "{name}");
            let help = error.help().unwrap();
            assert!(help.contains(".geojson, .json, .geojsonl"), "{help}");
            assert_eq!(help.contains(".gpkg"), cfg!(feature = "gdal"), "{help}");
        }
    }

    #[test]
    fn a_curve_is_written_as_a_table_as_json_or_as_a_picture() {
        assert_eq!(curve_format_of(Path::new("a.CSV")).unwrap(), CurveFormat::Csv);
        assert_eq!(curve_format_of(Path::new("a.json")).unwrap(), CurveFormat::Json);
        assert_eq!(curve_format_of(Path::new("a.svg")).unwrap(), CurveFormat::Svg);
        assert_eq!(curve_format_of(Path::new("a.png")).unwrap(), CurveFormat::Png);
        assert_eq!(curve_format_of(Path::new("a.Pdf")).unwrap(), CurveFormat::Pdf);
        for name in ["a.geojson", "a.tif", "a"] {
            let error = curve_format_of(Path::new(name)).unwrap_err();
            assert_eq!((error.code(), error.blame()), ("format_unsuitable", Blame::Usage), "{name}");
            assert_eq!(error.help().unwrap(), "write it to .csv, .json, .svg, .png or .pdf");
        }
    }

    #[test]
    fn no_companion_of_a_file_is_the_file() {
        for (ending, format) in ENDINGS {
            assert!(!format.companions().contains(&ending), "{format}");
        }
    }

    #[cfg(not(feature = "parquet"))]
    #[test]
    fn without_parquet_its_format_is_refused_by_name() {
        let error = format_of(Path::new("a.parquet")).unwrap_err();
        assert_eq!(error.code(), "needs_parquet");
        assert!(error.help().unwrap().ends_with("or build with --features parquet"));
    }

    #[cfg(not(feature = "gdal"))]
    #[test]
    fn without_gdal_its_formats_are_refused_by_name() {
        for name in ["a.gpkg", "a.tif", "a.fgb", "a.shp"] {
            assert_eq!(format_of(Path::new(name)).unwrap_err().code(), "needs_gdal", "{name}");
        }
    }
}
