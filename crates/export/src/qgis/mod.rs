//! What QGIS needs to show a layer as it is meant: a style (`qml`, `sld`), a record in words (`qmd`), and a project that holds
//! several layers with a layout to print (`project`, `layout`).
//!
//! QGIS is silent about most mistakes here: a style that names a column that is not there leaves the map blank, a short
//! identifier cuts a layer off its tree, a time that ends in `Z` draws two windows at once. The tests open all of it in QGIS.

mod layout;
mod project;
mod qmd;
mod qml;
#[cfg(feature = "gdal")]
mod sld;
mod symbol;
mod xml;

use std::borrow::Cow;
use std::path::Path;

use brasa_model::{Crs, Interval, Layer, Provenance, Surface, SurfaceSeries};
use sha2::{Digest, Sha256};

use crate::maplibre::{MapStyle, Source};
use crate::style::{Legend, Ramp};
use crate::{ExportError, Format, Imprint, Lang, sink, write_json};
pub use project::{write_plan_project, write_project};
use qmd::Record;
use qml::Stored;
pub use symbol::apart;
pub(crate) use symbol::{Look, Shape, colour};
use xml::Element;

/// The version whose files these are; newer ones read them.
const VERSION: &str = "3.22.0";

/// How opaque a raster is that is looked at for itself.
const OPACITY: f64 = 0.8;

/// What tells others how a file is to look and what it is: the style and the record that QGIS takes from beside a file of the
/// same name (`a.geojson`, `a.qml`, `a.qmd`), and the style for a web map (`a.style.json`).
#[derive(Debug, Clone)]
pub struct Companions {
    format: Format,
    qml: String,
    qmd: Option<String>,
    map: Option<MapStyle>,
}

impl Companions {
    /// Of a layer in a file of that format.
    pub fn of_layer(layer: &Layer, format: Format, imprint: Imprint<'_>) -> Self {
        Self {
            format,
            qml: style_of(layer, format, imprint.lang),
            qmd: Some(record_of(layer, imprint)),
            map: Some(MapStyle::of(layer, imprint)),
        }
    }

    /// Of surfaces in the bands of one raster; the first is drawn.
    pub fn of_surface(surface: &Surface, crs: &Crs, period: Option<Interval>, imprint: Imprint<'_>) -> Self {
        let record = Record::of_surface(surface, crs, period, imprint);
        let qml = qml::raster(&Ramp::of(surface, imprint.lang), 1, OPACITY);
        Self {
            format: Format::GeoTiff,
            qml: qml::document(qml, false),
            qmd: Some(record.document(imprint)),
            map: None,
        }
    }

    /// Of a series with a band per slice of time; the slice with the highest value is drawn.
    pub fn of_series(series: &SurfaceSeries, crs: &Crs, imprint: Imprint<'_>) -> Self {
        let record = Record::of_series(series, crs, imprint);
        let (frame, _) = series.peak();
        let qml = qml::raster(&Ramp::of(&series.frame(frame), imprint.lang), frame + 1, OPACITY);
        Self {
            format: Format::GeoTiff,
            qml: qml::document(qml, false),
            qmd: Some(record.document(imprint)),
            map: None,
        }
    }

    /// The same without the record: QGIS would take it for that of every layer in a GeoPackage of the same name.
    #[must_use]
    pub fn without_record(self) -> Self {
        Self { qmd: None, ..self }
    }

    /// Writes what belongs beside the file at `path`.
    pub fn write(&self, path: &Path) -> Result<(), ExportError> {
        let source = if self.format == Format::PmTiles { Source::PmTiles } else { Source::GeoJson };
        let file = path.file_name().unwrap_or_default().to_string_lossy();
        for ending in self.format.companions() {
            let beside = path.with_extension(ending);
            match (*ending, &self.map) {
                ("qml", _) => sink::write_text(&self.qml, &beside)?,
                ("qmd", _) => self.qmd.iter().try_for_each(|qmd| sink::write_text(qmd, &beside))?,
                ("style.json", Some(map)) => write_json(&map.document(&file, source), &beside)?,
                _ => {}
            }
        }
        Ok(())
    }
}

/// The style of a layer for QGIS, in a file of that format.
pub(crate) fn style_of(layer: &Layer, format: Format, lang: Lang) -> String {
    let plain = Stored::plain(layer);
    let stored = match format {
        Format::Shapefile => Stored { names: short_names(layer), has_times: false, ..plain },
        _ => plain,
    };
    qml::document(qml::vector(&stored, &Legend::of(layer, lang), lang), layer.style.label.is_some())
}

/// What the columns of a layer are called in a shapefile.
#[cfg(feature = "gdal")]
fn short_names(layer: &Layer) -> Vec<Cow<'_, str>> {
    crate::drivers::shapefile::names(layer).into_iter().map(Cow::Owned).collect()
}

/// What they are called without GDAL, which alone writes shapefiles.
#[cfg(not(feature = "gdal"))]
fn short_names(layer: &Layer) -> Vec<Cow<'_, str>> {
    Stored::plain(layer).names
}

/// The style of a layer for everybody else who draws maps.
#[cfg(feature = "gdal")]
pub(crate) fn sld_of(layer: &Layer, lang: Lang) -> String {
    sld::document(layer, &Legend::of(layer, lang), lang)
}

/// The record of a layer.
pub(crate) fn record_of(layer: &Layer, imprint: Imprint<'_>) -> String {
    Record::of_layer(layer, imprint).document(imprint)
}

/// A reference system as QGIS writes it. A number above 0 makes QGIS trust the authority's code, whatever the number.
fn srs(crs: &Crs) -> Element {
    Element::new("spatialrefsys")
        .child(Element::text("srsid", "1"))
        .child(Element::text("authid", crs.code()))
}

/// `hotspots_1b4e28ba_2fa1_11d2_883f_b9a761bde3fb`: always the same for the same answer. QGIS replaces an identifier of another
/// form, and the layer is lost to its tree.
fn identity(name: &str, provenance: &Provenance) -> String {
    format!("{name}_{}", digits(name, provenance).join("_"))
}

/// The same as a unique identifier in braces.
fn unique(name: &str, provenance: &Provenance) -> String {
    format!("{{{}}}", digits(name, provenance).join("-"))
}

fn digits(name: &str, provenance: &Provenance) -> [String; 5] {
    let mut hash = Sha256::new();
    hash.update(name.as_bytes());
    hash.update([0]);
    hash.update(serde_json::to_vec(provenance).unwrap_or_default());
    let hex: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    [0..8, 8..12, 12..16, 16..20, 20..32].map(|part| hex[part].to_owned())
}
