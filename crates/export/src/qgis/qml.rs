//! The style of a layer as QGIS keeps it: classes, labels, titles of columns, words for values, when each feature is shown.

use std::borrow::Cow;

use brasa_model::{ColumnKind, DrawnBy, Layer};

use super::symbol::{Look, Shape, symbol};
use super::xml::Element;
use crate::lang::Lang;
use crate::style::{Legend, Ramp, Test, titled};

/// The whole document.
pub(super) fn document(elements: Vec<Element>, labels: bool) -> String {
    Element::new("qgis")
        .with("version", super::VERSION)
        .with("styleCategories", "AllStyleCategories")
        .with("labelsEnabled", u8::from(labels))
        .children(elements)
        .document(Some("<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>"))
}

/// A layer as a file holds it.
pub(super) struct Stored<'a> {
    pub layer: &'a Layer,
    /// What its columns are called there.
    pub names: Vec<Cow<'a, str>>,
    /// Whether times are times there, and not texts.
    pub has_times: bool,
}

impl<'a> Stored<'a> {
    /// As in a file that takes everything as it is.
    pub fn plain(layer: &'a Layer) -> Self {
        let names = layer.columns.iter().map(|column| Cow::Borrowed(column.name)).collect();
        Self { layer, names, has_times: true }
    }

    fn name(&self, column: usize) -> &str {
        self.names.get(column).map_or("", Cow::as_ref)
    }
}

/// The elements of a style, to stand in a `.qml`, a table or a project.
pub(super) fn vector(stored: &Stored<'_>, legend: &Legend, lang: Lang) -> Vec<Element> {
    let mut elements = vec![temporal(stored), renderer(stored, legend)];
    elements.extend(labeling(stored, legend));
    elements.extend([
        value_maps(stored, lang),
        aliases(stored, lang),
        Element::text("previewExpression", preview(stored)),
        Element::text("mapTip", tip(stored, lang)),
    ]);
    elements
}

/// Features with a start and an end are shown while it lies in the window of the time controller.
fn temporal(stored: &Stored<'_>) -> Element {
    let fields = stored.layer.start_and_end().filter(|_| stored.has_times);
    let (start, end) = fields.map_or(("", ""), |(start, end)| (stored.name(start), stored.name(end)));
    Element::new("temporal")
        .with("enabled", u8::from(fields.is_some()))
        .with("mode", 2)
        .with("startField", start)
        .with("endField", end)
        .with("fixedDuration", 0)
        .with("durationUnit", "min")
        .with("accumulate", 0)
        .with("limitMode", 0)
}

fn renderer(stored: &Stored<'_>, legend: &Legend) -> Element {
    let look = Look::of(stored.layer);
    let symbols = legend.entries.iter().enumerate().map(|(at, entry)| symbol(entry, &look, at));
    let symbols = Element::new("symbols").children(symbols);
    let renderer = Element::new("renderer-v2").with("enableorderby", 0).with("forceraster", 0);
    let attribute = legend.column.map_or("", |at| stored.name(at));
    // All classes of a legend are told apart in one way.
    match legend.entries.first().map(|entry| &entry.test) {
        Some(Test::Between { .. }) => {
            let range = |(at, entry): (usize, &crate::style::Entry)| match entry.test {
                Test::Between { low, high } => Some(
                    Element::new("range")
                        .with("lower", low)
                        .with("upper", high)
                        .with("symbol", at)
                        .with("label", &entry.label)
                        .with("render", "true"),
                ),
                Test::Any | Test::Is(_) => None,
            };
            let ranges = legend.entries.iter().enumerate().filter_map(range);
            renderer
                .with_all(&[
                    ("type", "graduatedSymbol"),
                    ("attr", attribute),
                    ("graduatedMethod", "GraduatedColor"),
                    ("symbollevels", "0"),
                ])
                .child(Element::new("ranges").children(ranges))
                .child(symbols)
        }
        Some(Test::Is(_)) => {
            let category = |(at, entry): (usize, &crate::style::Entry)| match entry.test {
                Test::Is(word) => Some(
                    Element::new("category")
                        .with("value", word)
                        .with("type", "string")
                        .with("symbol", at)
                        .with("label", &entry.label)
                        .with("render", "true"),
                ),
                Test::Any | Test::Between { .. } => None,
            };
            let categories = legend.entries.iter().enumerate().filter_map(category);
            renderer
                .with_all(&[("type", "categorizedSymbol"), ("attr", attribute), ("symbollevels", "0")])
                .child(Element::new("categories").children(categories))
                .child(symbols)
        }
        Some(Test::Any) => {
            renderer.with_all(&[("type", "singleSymbol"), ("symbollevels", "0")]).child(symbols)
        }
        // There is no value to draw: no classes. Without these two elements QGIS would take the style for broken.
        None => renderer
            .with_all(&[
                ("type", "graduatedSymbol"),
                ("attr", attribute),
                ("graduatedMethod", "GraduatedColor"),
            ])
            .children([Element::new("ranges"), Element::new("symbols")]),
    }
}

fn labeling(stored: &Stored<'_>, legend: &Legend) -> Option<Element> {
    let column = stored.name(legend.label?);
    let placement = match Shape::of(stored.layer) {
        // Level; inside where it fits, else beside, so that it does not hide what it names.
        Shape::Fill => "4",
        Shape::Line => "2",
        Shape::Marker => "0",
    };
    let buffer = Element::new("text-buffer").with_all(&[
        ("bufferDraw", "1"),
        ("bufferSize", "0.8"),
        ("bufferSizeUnits", "MM"),
        ("bufferColor", "255,255,255,255"),
        ("bufferOpacity", "1"),
        ("bufferJoinStyle", "128"),
        ("bufferNoFill", "1"),
    ]);
    let text = Element::new("text-style")
        .with("fieldName", column)
        .with_all(&[
            ("isExpression", "0"),
            ("fontSize", "9"),
            ("fontSizeUnit", "Point"),
            ("fontWeight", "75"),
            ("textColor", "20,20,20,255"),
            ("textOpacity", "1"),
        ])
        .child(buffer);
    let placement = Element::new("placement").with("placement", placement).with_all(&[
        ("polygonPlacementFlags", "3"),
        ("fitInPolygonOnly", "0"),
        ("dist", "1"),
        ("distUnits", "MM"),
    ]);
    let rendering =
        Element::new("rendering").with_all(&[("displayAll", "1"), ("drawLabels", "1"), ("obstacle", "1")]);
    let settings =
        Element::new("settings").with("calloutType", "simple").children([text, placement, rendering]);
    Some(Element::new("labeling").with("type", "simple").child(settings))
}

/// A column of words is shown, in forms and tables, in the words of the legend.
fn value_maps(stored: &Stored<'_>, lang: Lang) -> Element {
    let fields = Element::new("fieldConfiguration");
    let DrawnBy::Word { column, words } = &stored.layer.style.by else { return fields };
    let column = stored.layer.column(column).map_or("", |at| stored.name(at));
    let option = |kind: &'static str| Element::new("Option").with("type", kind);
    let pairs = words.iter().map(|word| {
        option("Map").child(option("QString").with("name", lang.say(word.title)).with("value", word.value))
    });
    let config =
        Element::new("config").child(option("Map").child(option("List").with("name", "map").children(pairs)));
    let widget = Element::new("editWidget").with("type", "ValueMap").child(config);
    fields.child(Element::new("field").with("name", column).with("configurationFlags", "None").child(widget))
}

fn aliases(stored: &Stored<'_>, lang: Lang) -> Element {
    let alias = |(at, column): (usize, &brasa_model::Column)| {
        Element::new("alias")
            .with("field", stored.name(at))
            .with("name", titled(column, lang))
            .with("index", at)
    };
    Element::new("aliases").children(stored.layer.columns.iter().enumerate().map(alias))
}

/// What a feature is called in lists.
fn preview(stored: &Stored<'_>) -> String {
    let label = stored.layer.style.label.and_then(|label| stored.layer.column(label)).unwrap_or(0);
    stored.names.get(label).map_or_else(String::new, |name| format!("\"{name}\""))
}

/// What is shown where the mouse rests. Values are taken as text, never as markup.
fn tip(stored: &Stored<'_>, lang: Lang) -> String {
    let safe = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let row = |(column, name): (&brasa_model::Column, &Cow<'_, str>)| {
        let value = match column.kind {
            ColumnKind::Integer => format!("\"{name}\""),
            ColumnKind::Real => format!("round(\"{name}\", 4)"),
            ColumnKind::Text => {
                format!("replace(replace(\"{name}\", '&', '&amp;'), '<', '&lt;')")
            }
            ColumnKind::Time => format!("format_date(\"{name}\", 'yyyy-MM-dd HH:mm')"),
        };
        format!("<tr><td>{}</td><td>[% coalesce({value}, '–') %]</td></tr>", safe(&titled(column, lang)))
    };
    let rows: String = stored.layer.columns.iter().zip(&stored.names).map(row).collect();
    format!("<b>{}</b><table>{rows}</table>", safe(&lang.say(&stored.layer.title)))
}

/// The style of one band of a raster, so opaque: colours blended between the stops, nothing where a stop lets the ground show.
pub(super) fn raster(ramp: &Ramp, band: usize, opacity: f64) -> Vec<Element> {
    let (low, high) = match (ramp.stops.first(), ramp.stops.last()) {
        (Some(first), Some(last)) => (first.value, last.value),
        _ => (0.0, 0.0),
    };
    let items = ramp.stops.iter().map(|stop| {
        Element::new("item")
            .with("value", stop.value)
            .with("label", &stop.label)
            .with("alpha", stop.alpha)
            .with("color", stop.colour)
    });
    let shader = Element::new("colorrampshader")
        .with_all(&[("colorRampType", "INTERPOLATED"), ("classificationMode", "1"), ("clip", "0")])
        .with("minimumValue", low)
        .with("maximumValue", high)
        .children(items)
        .child(Element::new("rampLegendSettings").with("useContinuousLegend", 0));
    let renderer = Element::new("rasterrenderer")
        .with("type", "singlebandpseudocolor")
        .with("band", band)
        .with("opacity", opacity)
        .with("alphaBand", "-1")
        .with("nodataColor", "")
        .with("classificationMin", low)
        .with("classificationMax", high)
        .child(Element::new("rasterTransparency"))
        .child(Element::new("rastershader").child(shader));
    vec![Element::new("pipe").child(renderer)]
}
