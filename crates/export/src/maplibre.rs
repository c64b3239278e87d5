//! The look of a layer as a style of MapLibre (style specification version 8): what a web map needs beside `.geojson` and `.pmtiles`
//! to draw it as QGIS and the pictures do.
//!
//! The style names its data by the file's name alone, so that the two are moved together. Labels are left to whoever has
//! glyphs: the specification draws letters from a server, and none is named here.

use brasa_model::{DrawnBy, Layer};
use geo::BoundingRect;
use serde_json::{Value, json};

use crate::lang::{Imprint, Lang};
use crate::qgis::{Look, Shape, colour};
use crate::style::{Entry, Legend, Rgb, Test};

/// Pixels per millimetre: a pixel of the web is a 96th of an inch.
const PIXELS_PER_MM: f64 = 96.0 / 25.4;
/// What has no class.
const NO_CLASS: Rgb = Rgb(204, 204, 204);
/// The radius of a place, in pixels.
const RADIUS: f64 = 5.0;

/// Where the features of a style are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    GeoJson,
    PmTiles,
}

impl Source {
    fn of(self, file: &str, attribution: &str) -> Value {
        let mut source = match self {
            Self::GeoJson => json!({ "type": "geojson", "data": file }),
            // As the protocol of the pmtiles library writes it.
            Self::PmTiles => json!({ "type": "vector", "url": format!("pmtiles://{file}") }),
        };
        if !attribution.is_empty() {
            source["attribution"] = crate::escape::escaped(attribution).into();
        }
        source
    }
}

/// The style of one layer, without its source.
#[derive(Debug, Clone)]
pub(crate) struct MapStyle {
    name: String,
    title: String,
    attribution: String,
    middle: Option<([f64; 2], f64)>,
    layers: Vec<Value>,
    legend: Value,
}

impl MapStyle {
    /// Of a layer.
    pub fn of(layer: &Layer, Imprint { lang, attribution }: Imprint<'_>) -> Self {
        let legend = Legend::of(layer, lang);
        let look = Look::of(layer);
        let said =
            |entry: &Entry| json!({ "label": entry.label, "colour": colour(entry, &look).to_string() });
        let told =
            json!({ "title": legend.title, "classes": legend.entries.iter().map(said).collect::<Vec<_>>() });
        Self {
            name: layer.name.clone(),
            title: lang.say(&layer.title).into_owned(),
            attribution: attribution.to_owned(),
            middle: middle(layer),
            layers: layers(layer, &legend, &look, lang),
            legend: told,
        }
    }

    /// The whole style, for features in a file beside it.
    pub fn document(&self, file: &str, source: Source) -> Value {
        let mut layers = self.layers.clone();
        for layer in &mut layers {
            layer["source"] = self.name.clone().into();
            if source == Source::PmTiles {
                layer["source-layer"] = self.name.clone().into();
            }
        }
        let mut style = json!({
            "version": 8,
            "name": self.title,
            "metadata": { "brasa:legend": self.legend },
        });
        if let Some((center, zoom)) = self.middle {
            style["center"] = json!(center);
            style["zoom"] = json!(zoom);
        }
        style["sources"] = json!({ self.name.as_str(): source.of(file, &self.attribution) });
        style["layers"] = layers.into();
        style
    }
}

/// Where a map should look to see all of a layer, and from how near: about a thousand pixels are taken for it.
fn middle(layer: &Layer) -> Option<([f64; 2], f64)> {
    let to_lonlat = layer.crs.to_lonlat().ok()?;
    let boxes = layer.features.iter().filter_map(|feature| feature.geometry.bounding_rect());
    let all = boxes.reduce(|a, b| {
        let (low, high) = (a.min(), a.max());
        geo::Rect::new(
            (low.x.min(b.min().x), low.y.min(b.min().y)),
            (high.x.max(b.max().x), high.y.max(b.max().y)),
        )
    })?;
    let center = all.center();
    let (lon, lat) = to_lonlat.convert(center.x, center.y)?;
    let metres = all.width().max(all.height()).max(100.0);
    // The earth's girth is 512 pixels at zoom 0, and shrinks with the cosine of the latitude.
    let girth = 40_075_016.686 * libm::cos(lat.to_radians());
    let zoom = libm::log2(girth / metres * 1000.0 / 512.0).clamp(0.0, 18.0);
    let rounded = |value: f64, parts: f64| (value * parts).round() / parts;
    Some(([rounded(lon, 1e6), rounded(lat, 1e6)], rounded(zoom - 0.5, 1e2).max(0.0)))
}

fn layers(layer: &Layer, legend: &Legend, look: &Look, lang: Lang) -> Vec<Value> {
    let attribute = legend.column.map_or("", |at| layer.columns[at].name);
    let of = |entry: &Entry| colour(entry, look).to_string();
    let fill = paint(legend, attribute, of);
    let part = |kind: &str, paint: Value| {
        json!({
            "id": format!("{}-{kind}", layer.name),
            "type": kind,
            "metadata": { "brasa:title": lang.say(&layer.title) },
            "paint": paint,
        })
    };
    let edge = look.edge.map(|(edge, width)| (edge.to_string(), pixels(width)));
    match look.shape {
        Shape::Fill => {
            let inside = json!({ "fill-color": fill, "fill-opacity": look.opacity });
            let inside = (layer.style.by != DrawnBy::Edge).then(|| part("fill", inside));
            let edge =
                edge.map(|(edge, width)| part("line", json!({ "line-color": edge, "line-width": width })));
            inside.into_iter().chain(edge).collect()
        }
        Shape::Line => {
            let width = if layer.style.by == DrawnBy::Edge {
                edge.map_or(1.0, |(_, width)| width)
            } else {
                pixels(0.8)
            };
            vec![part("line", json!({ "line-color": fill, "line-width": width }))]
        }
        Shape::Marker => {
            let mut paint =
                json!({ "circle-color": fill, "circle-radius": RADIUS, "circle-opacity": look.opacity });
            if let Some((edge, width)) = edge {
                paint["circle-stroke-color"] = edge.into();
                paint["circle-stroke-width"] = width.into();
            }
            vec![part("circle", paint)]
        }
    }
}

fn pixels(millimetres: f64) -> f64 {
    (millimetres * PIXELS_PER_MM * 10.0).round() / 10.0
}

/// A colour for each class, as an expression.
fn paint(legend: &Legend, attribute: &str, of: impl Fn(&Entry) -> String) -> Value {
    let value = json!(["get", attribute]);
    let Some(first) = legend.entries.first() else { return NO_CLASS.to_string().into() };
    let mut steps: Vec<Value> = match first.test {
        Test::Any => return of(first).into(),
        Test::Is(_) => vec!["match".into(), value.clone()],
        // What is no number belongs to no class; what lies above one class lies in a later one.
        Test::Between { .. } => {
            vec!["case".into(), json!(["!=", ["typeof", value], "number"]), NO_CLASS.to_string().into()]
        }
    };
    for entry in &legend.entries {
        match &entry.test {
            Test::Any => {}
            Test::Is(word) => steps.push((*word).into()),
            Test::Between { high, .. } => steps.push(json!(["<=", value, high])),
        }
        steps.push(of(entry).into());
    }
    steps.push(NO_CLASS.to_string().into());
    steps.into()
}
