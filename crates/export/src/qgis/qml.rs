//! The style of a layer as QGIS keeps it: classes, labels, titles of columns, words for values, when each feature is shown.

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

/// The elements of a style, to stand in a `.qml`, a table or a project.
pub(super) fn vector(layer: &Layer, legend: &Legend, lang: Lang) -> Vec<Element> {
    let mut elements = vec![temporal(layer), renderer(layer, legend)];
    elements.extend(labeling(layer, legend));
    elements.extend([
        value_maps(layer, lang),
        aliases(layer, lang),
        Element::text("previewExpression", preview(layer)),
        Element::text("mapTip", tip(layer, lang)),
    ]);
    elements
}

/// Features with a start and an end are shown while it lies in the window of the time controller.
fn temporal(layer: &Layer) -> Element {
    let fields = layer.start_and_end();
    let named = |at: usize| layer.columns[at].name;
    let (start, end) = fields.map_or(("", ""), |(start, end)| (named(start), named(end)));
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

fn renderer(layer: &Layer, legend: &Legend) -> Element {
    let look = Look::of(layer);
    let symbols = legend.entries.iter().enumerate().map(|(at, entry)| symbol(entry, &look, at));
    let symbols = Element::new("symbols").children(symbols);
    let renderer = Element::new("renderer-v2").with("enableorderby", 0).with("forceraster", 0);
    let attribute = legend.column.map_or("", |at| layer.columns[at].name);
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
        // There is no value to draw: a map without classes, not a map that says nothing is styled.
        None => renderer.with_all(&[
            ("type", "graduatedSymbol"),
            ("attr", attribute),
            ("graduatedMethod", "GraduatedColor"),
        ]),
    }
}

fn labeling(layer: &Layer, legend: &Legend) -> Option<Element> {
    let column = &layer.columns[legend.label?];
    let placement = match Shape::of(layer) {
        Shape::Fill => "1",
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
        .with("fieldName", column.name)
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
        ("centroidInside", "1"),
        ("centroidWhole", "1"),
        ("dist", "1"),
        ("distUnits", "MM"),
    ]);
    let rendering = Element::new("rendering").with_all(&[("displayAll", "1"), ("drawLabels", "1")]);
    let settings =
        Element::new("settings").with("calloutType", "simple").children([text, placement, rendering]);
    Some(Element::new("labeling").with("type", "simple").child(settings))
}

/// A column of words is shown, in forms and tables, in the words of the legend.
fn value_maps(layer: &Layer, lang: Lang) -> Element {
    let fields = Element::new("fieldConfiguration");
    let DrawnBy::Word { column, words } = &layer.style.by else { return fields };
    let option = |kind: &'static str| Element::new("Option").with("type", kind);
    let pairs = words.iter().map(|word| {
        option("Map").child(option("QString").with("name", lang.say(word.title)).with("value", word.value))
    });
    let config =
        Element::new("config").child(option("Map").child(option("List").with("name", "map").children(pairs)));
    let widget = Element::new("editWidget").with("type", "ValueMap").child(config);
    fields.child(Element::new("field").with("name", column).with("configurationFlags", "None").child(widget))
}

fn aliases(layer: &Layer, lang: Lang) -> Element {
    let alias = |(at, column): (usize, &brasa_model::Column)| {
        Element::new("alias").with("field", column.name).with("name", titled(column, lang)).with("index", at)
    };
    Element::new("aliases").children(layer.columns.iter().enumerate().map(alias))
}

/// What a feature is called in lists.
fn preview(layer: &Layer) -> String {
    let label = layer.style.label.or_else(|| layer.columns.first().map(|column| column.name));
    label.map_or_else(String::new, |name| format!("\"{name}\""))
}

/// What is shown where the mouse rests. Values are taken as text, never as markup.
fn tip(layer: &Layer, lang: Lang) -> String {
    let safe = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let row = |column: &brasa_model::Column| {
        let name = column.name;
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
    let rows: String = layer.columns.iter().map(row).collect();
    format!("<b>{}</b><table>{rows}</table>", safe(&lang.say(&layer.title)))
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
