//! The record of a layer in words: what it shows, of when, from what, under which terms. QGIS calls it metadata and reads it from
//! a `.qmd` beside a file, from a GeoPackage, and from a project.

use brasa_model::{Crs, Interval, Layer, Note, Provenance, Surface, SurfaceSeries};

use super::xml::Element;
use crate::Imprint;

/// What is known of a layer or a raster.
pub(super) struct Record<'a> {
    pub name: &'a str,
    pub title: String,
    pub description: String,
    pub crs: &'a Crs,
    pub period: Option<Interval>,
    pub provenance: &'a Provenance,
    pub notes: &'a [Note],
}

impl<'a> Record<'a> {
    pub fn of_layer(layer: &'a Layer, imprint: Imprint<'_>) -> Self {
        Self {
            name: &layer.name,
            title: imprint.lang.say(&layer.title).into_owned(),
            description: imprint.lang.say(&layer.description).into_owned(),
            crs: &layer.crs,
            period: layer.period,
            provenance: &layer.provenance,
            notes: &layer.notes,
        }
    }

    /// Of a raster, which is a density unless its unit says otherwise.
    fn of_raster(
        (provenance, notes, unit): (&'a Provenance, &'a [Note], &str),
        crs: &'a Crs,
        period: Option<Interval>,
        Imprint { lang, .. }: Imprint<'_>,
    ) -> Self {
        let is_density = unit.starts_with("incidents");
        let (title, text) = if is_density {
            ("Density of incidents", "Kernel density: an intensity, not a probability and not a risk.")
        } else {
            (
                "Surface of values",
                "One value per cell; its unit stands with each band, and how it was made in the history.",
            )
        };
        let unit = lang.unit(unit);
        Self {
            name: "density",
            title: lang.say(title).into_owned(),
            description: if unit.is_empty() {
                lang.say(text).into_owned()
            } else {
                format!("{} {}: {unit}.", lang.say(text), lang.say("Unit"))
            },
            crs,
            period,
            provenance,
            notes,
        }
    }

    pub fn of_surface(
        surface: &'a Surface,
        crs: &'a Crs,
        period: Option<Interval>,
        imprint: Imprint<'_>,
    ) -> Self {
        Self::of_raster((&surface.provenance, &surface.notes, &surface.unit), crs, period, imprint)
    }

    pub fn of_series(series: &'a SurfaceSeries, crs: &'a Crs, imprint: Imprint<'_>) -> Self {
        let whole = series.frames.first().zip(series.frames.last());
        let period = whole.map(|(first, last)| Interval { start: first.start, end: last.end });
        Self::of_raster((&series.provenance, &series.notes, &series.unit), crs, period, imprint)
    }

    /// The elements of a record, to stand in a `.qmd`, a table or a project.
    pub fn elements(&self, Imprint { lang, attribution }: Imprint<'_>) -> Vec<Element> {
        let Provenance { tool, version, method, parameters, seed, inputs } = self.provenance;
        let mut history = vec![format!("{tool} {version}: {method} {parameters}")];
        history.extend(seed.map(|seed| format!("seed {seed}")));
        history.extend(inputs.iter().map(|input| {
            let rows = input.rows.map_or_else(String::new, |rows| format!(", {} rows used", rows.used));
            format!("{}: {} (SHA-256 {}){rows}", input.role, input.name, input.sha256)
        }));
        history.extend(self.notes.iter().map(|note| note.text.clone()));
        let language = match lang.code() {
            "es" => "SPA",
            "pt" => "POR",
            _ => "ENG",
        };
        let mut elements = vec![
            Element::text("identifier", super::identity(self.name, self.provenance)),
            Element::new("parentidentifier"),
            Element::text("language", language),
            Element::text("type", "dataset"),
            Element::text("title", &*self.title),
            Element::text("abstract", &*self.description),
            Element::new("keywords")
                .with("vocabulary", "gmd:topicCategory")
                .child(Element::text("keyword", "society")),
            Element::new("links"),
        ];
        elements.extend(history.into_iter().map(|line| Element::text("history", line)));
        if !attribution.is_empty() {
            elements.push(Element::text("license", attribution));
            elements.push(Element::text("rights", attribution));
        }
        let mut constraint = Element::text(
            "constraints",
            lang.say("Counts of reported incidents by place; not to be used on persons.").into_owned(),
        );
        constraint = constraint.with("type", "use");
        elements.push(constraint);
        elements.push(Element::text("encoding", "UTF-8"));
        elements.push(Element::new("crs").child(super::srs(self.crs)));
        if let Some(Interval { start, end }) = self.period {
            // QGIS shows the digits as they stand here; they are those of the clocks of the place.
            let period = Element::new("period")
                .child(Element::text("start", format!("{start}Z")))
                .child(Element::text("end", format!("{end}Z")));
            elements.push(Element::new("extent").child(Element::new("temporal").child(period)));
        }
        elements
    }

    /// The whole document.
    pub fn document(&self, imprint: Imprint<'_>) -> String {
        Element::new("qgis")
            .with("version", super::VERSION)
            .children(self.elements(imprint))
            .document(Some("<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>"))
    }
}
