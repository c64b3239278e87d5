//! The style of a layer as a Styled Layer Descriptor 1.1 (OGC 05-078r4, with Symbology Encoding 05-077r4): GeoServer, MapServer,
//! ArcGIS by way of a converter, and QGIS read it.

use brasa_model::Layer;

use super::symbol::{Look, Shape, colour};
use super::xml::Element;
use crate::lang::Lang;
use crate::style::{Entry, Legend, Test};

/// Pixels of 0.28 mm, which the standard counts in.
const PIXELS_PER_MM: f64 = 1.0 / 0.28;

/// The whole document.
pub(super) fn document(layer: &Layer, legend: &Legend, lang: Lang) -> String {
    let look = Look::of(layer);
    let attribute = legend.column.map_or("", |at| layer.columns[at].name);
    let rules = legend.entries.iter().enumerate().map(|(at, entry)| rule(entry, at, attribute, &look));
    let mut style = Element::new("se:FeatureTypeStyle").children(rules);
    if let Some(at) = legend.label {
        style = style.child(Element::new("se:Rule").child(label(layer.columns[at].name)));
    }
    let user = Element::new("UserStyle")
        .child(Element::text("se:Name", layer.name.as_str()))
        .child(description(&lang.say(&layer.title)))
        .child(style);
    let named = Element::new("NamedLayer").child(Element::text("se:Name", layer.name.as_str())).child(user);
    Element::new("StyledLayerDescriptor")
        .with_all(&[
            ("version", "1.1.0"),
            ("xmlns", "http://www.opengis.net/sld"),
            ("xmlns:se", "http://www.opengis.net/se"),
            ("xmlns:ogc", "http://www.opengis.net/ogc"),
        ])
        .child(named)
        .document(None)
}

fn description(title: &str) -> Element {
    Element::new("se:Description").child(Element::text("se:Title", title))
}

fn rule(entry: &Entry, at: usize, attribute: &str, look: &Look) -> Element {
    let compare = |name: &'static str, value: String| {
        Element::new(name)
            .child(Element::text("ogc:PropertyName", attribute))
            .child(Element::text("ogc:Literal", value))
    };
    let filter = match &entry.test {
        Test::Any => None,
        Test::Is(word) => Some(compare("ogc:PropertyIsEqualTo", (*word).to_owned())),
        Test::Between { low, high } => {
            // The first class holds its lower bound, as a legend says it.
            let above =
                if at == 0 { "ogc:PropertyIsGreaterThanOrEqualTo" } else { "ogc:PropertyIsGreaterThan" };
            let both = [
                compare(above, low.to_string()),
                compare("ogc:PropertyIsLessThanOrEqualTo", high.to_string()),
            ];
            Some(Element::new("ogc:And").children(both))
        }
    };
    Element::new("se:Rule")
        .child(Element::text("se:Name", entry.label.as_str()))
        .child(description(&entry.label))
        .children(filter.map(|filter| Element::new("ogc:Filter").child(filter)))
        .child(symbolizer(entry, look))
}

fn symbolizer(entry: &Entry, look: &Look) -> Element {
    let own = colour(entry, look);
    let parameter = |name: &str, value: String| Element::text("se:SvgParameter", value).with("name", name);
    let fill = entry.fill.map(|fill| {
        Element::new("se:Fill")
            .child(parameter("fill", fill.to_string()))
            .child(parameter("fill-opacity", look.opacity.to_string()))
    });
    let stroke = |colour: String, millimetres: f64| {
        let width = (millimetres * PIXELS_PER_MM * 10.0).round() / 10.0;
        Element::new("se:Stroke")
            .child(parameter("stroke", colour))
            .child(parameter("stroke-width", width.to_string()))
            .child(parameter("stroke-linejoin", "round".to_owned()))
    };
    let edge = look.edge.map(|(edge, width)| stroke(edge.to_string(), width));
    match look.shape {
        Shape::Fill => Element::new("se:PolygonSymbolizer").children(fill).children(edge),
        Shape::Line => {
            let width = if entry.fill.is_some() { 0.8 } else { look.edge.map_or(0.2, |(_, width)| width) };
            Element::new("se:LineSymbolizer").child(stroke(own.to_string(), width))
        }
        Shape::Marker => {
            let mark = Element::new("se:Mark")
                .child(Element::text("se:WellKnownName", "circle"))
                .children(fill)
                .children(edge);
            let size = Element::text("se:Size", "9");
            Element::new("se:PointSymbolizer").child(Element::new("se:Graphic").child(mark).child(size))
        }
    }
}

/// The value of a column, black on a white halo.
fn label(column: &str) -> Element {
    let parameter = |name: &str, value: &str| Element::text("se:SvgParameter", value).with("name", name);
    let halo = Element::new("se:Halo")
        .child(Element::text("se:Radius", "2"))
        .child(Element::new("se:Fill").child(parameter("fill", "#ffffff")));
    Element::new("se:TextSymbolizer")
        .child(Element::new("se:Label").child(Element::text("ogc:PropertyName", column)))
        .child(Element::new("se:Font").child(parameter("font-size", "12")))
        .child(halo)
        .child(Element::new("se:Fill").child(parameter("fill", "#141414")))
}
