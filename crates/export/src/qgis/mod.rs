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

use std::path::Path;

use brasa_model::{Crs, Interval, Layer, Provenance, Surface, SurfaceSeries};
use sha2::{Digest, Sha256};

use crate::style::{Legend, Ramp};
use crate::{ExportError, Imprint, Lang, sink};
pub use project::{write_plan_project, write_project};
use qmd::Record;
pub use symbol::apart;
use xml::Element;

/// The version whose files these are; newer ones read them.
const VERSION: &str = "3.22.0";

/// How opaque a raster is that is looked at for itself.
const OPACITY: f64 = 0.8;

/// The style and the record that QGIS takes from beside a file of the same name: `a.geojson`, `a.qml`, `a.qmd`.
#[derive(Debug, Clone)]
pub struct Companions {
    qml: String,
    qmd: String,
}

impl Companions {
    /// Of a layer.
    pub fn of_layer(layer: &Layer, imprint: Imprint<'_>) -> Self {
        Self { qml: style_of(layer, imprint.lang), qmd: record_of(layer, imprint) }
    }

    /// Of surfaces in the bands of one raster; the first is drawn.
    pub fn of_surface(surface: &Surface, crs: &Crs, period: Option<Interval>, imprint: Imprint<'_>) -> Self {
        let record = Record::of_surface(surface, crs, period, imprint);
        let qml = qml::raster(&Ramp::of(surface, imprint.lang), 1, OPACITY);
        Self { qml: qml::document(qml, false), qmd: record.document(imprint) }
    }

    /// Of a series with a band per slice of time; the slice with the highest value is drawn.
    pub fn of_series(series: &SurfaceSeries, crs: &Crs, imprint: Imprint<'_>) -> Self {
        let record = Record::of_series(series, crs, imprint);
        let (frame, _) = series.peak();
        let qml = qml::raster(&Ramp::of(&series.frame(frame), imprint.lang), frame + 1, OPACITY);
        Self { qml: qml::document(qml, false), qmd: record.document(imprint) }
    }

    /// Writes the style and the record beside the file at `path`.
    pub fn write(&self, path: &Path) -> Result<(), ExportError> {
        sink::write_text(&self.qml, &path.with_extension("qml"))?;
        sink::write_text(&self.qmd, &path.with_extension("qmd"))
    }
}

/// The style of a layer for QGIS.
pub(crate) fn style_of(layer: &Layer, lang: Lang) -> String {
    qml::document(qml::vector(layer, &Legend::of(layer, lang), lang), layer.style.label.is_some())
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
