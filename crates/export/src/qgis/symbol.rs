//! How a class is drawn: the colours come from the legend, what kind of symbol from the geometry.

use brasa_model::{DrawnBy, Layer};
use geo::Geometry;

use super::xml::Element;
use crate::style::{Entry, Rgb};

/// What features are drawn with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    Marker,
    Line,
    Fill,
}

impl Shape {
    /// As the first feature asks; filled where there is none to tell, as most answers are.
    pub fn of(layer: &Layer) -> Self {
        layer.features.first().map_or(Self::Fill, |feature| Self::of_one(&feature.geometry))
    }

    pub const fn of_one(geometry: &Geometry<f64>) -> Self {
        match geometry {
            Geometry::Point(_) | Geometry::MultiPoint(_) => Self::Marker,
            Geometry::Line(_) | Geometry::LineString(_) | Geometry::MultiLineString(_) => Self::Line,
            _ => Self::Fill,
        }
    }

    /// What a part of a mixed layer is called.
    const fn word(self) -> &'static str {
        match self {
            Self::Marker => "points",
            Self::Line => "lines",
            Self::Fill => "areas",
        }
    }

    /// As QGIS calls it in a symbol.
    const fn symbol(self) -> &'static str {
        match self {
            Self::Marker => "marker",
            Self::Line => "line",
            Self::Fill => "fill",
        }
    }

    /// As QGIS calls the geometry of a layer.
    pub const fn geometry(self) -> &'static str {
        match self {
            Self::Marker => "Point",
            Self::Line => "Line",
            Self::Fill => "Polygon",
        }
    }
}

/// A layer whose features are of several shapes as one layer for each, the lowest first: QGIS shows one shape per layer.
pub fn apart(layer: &Layer) -> Vec<Layer> {
    let of = |shape: Shape| {
        let mut part = layer.clone();
        part.features.retain(|feature| Shape::of_one(&feature.geometry) == shape);
        part.name = format!("{}_{}", layer.name, shape.word());
        part.title = format!("{}: {}", layer.title, shape.word());
        part
    };
    let parts: Vec<Layer> = [Shape::Fill, Shape::Line, Shape::Marker]
        .map(of)
        .into_iter()
        .filter(|part| !part.features.is_empty())
        .collect();
    if parts.len() > 1 { parts } else { vec![layer.clone()] }
}

/// What all classes of a layer have in common.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Look {
    pub shape: Shape,
    /// 0 to 1, of fills.
    pub opacity: f64,
    /// The colour of edges, and their width in millimetres; fills that have none touch one another.
    pub edge: Option<(Rgb, f64)>,
}

/// Edges of what stands alone.
const DARK: Rgb = Rgb(64, 64, 64);
/// Lines that only help to find one's way.
const FAINT: Rgb = Rgb(150, 150, 150);

impl Look {
    /// What has a name on it has an edge, too; what has none is one of many that touch; what says nothing is for the eye alone.
    pub fn of(layer: &Layer) -> Self {
        let shape = Shape::of(layer);
        let (opacity, edge) = match (&layer.style.by, layer.style.label) {
            (DrawnBy::Edge, _) if shape == Shape::Fill && layer.columns.is_empty() => {
                (0.0, Some((FAINT, 0.1)))
            }
            (DrawnBy::Edge, _) if shape == Shape::Fill => (0.0, Some((DARK, 0.5))),
            (DrawnBy::Edge, _) => (1.0, Some((FAINT, 0.2))),
            (_, Some(_)) => (0.8, Some((DARK, 0.35))),
            (_, None) => (0.75, None),
        };
        Self { shape, opacity, edge }
    }
}

/// The colour of an entry: that of its inside, or of the edge where it has none.
pub(crate) fn colour(entry: &Entry, look: &Look) -> Rgb {
    entry.fill.or_else(|| look.edge.map(|(colour, _)| colour)).unwrap_or(DARK)
}

/// The symbol of an entry, under its number.
pub(super) fn symbol(entry: &Entry, look: &Look, number: usize) -> Element {
    let own = colour(entry, look);
    let (edge, width) = look.edge.unwrap_or((own, 0.0));
    let style = if look.edge.is_some() { "solid" } else { "no" };
    let width = width.to_string();
    let (class, options) = match look.shape {
        Shape::Fill => {
            let opacity = if entry.fill.is_some() { look.opacity } else { 0.0 };
            let options = vec![
                ("color", rgba(own, opacity)),
                ("style", if entry.fill.is_some() { "solid" } else { "no" }.to_owned()),
                ("outline_color", rgba(edge, 1.0)),
                ("outline_style", style.to_owned()),
                ("outline_width", width),
                ("outline_width_unit", "MM".to_owned()),
                ("joinstyle", "round".to_owned()),
            ];
            ("SimpleFill", options)
        }
        Shape::Line => {
            let width = if entry.fill.is_some() { "0.8".to_owned() } else { width };
            let options = vec![
                ("line_color", rgba(own, 1.0)),
                ("line_style", "solid".to_owned()),
                ("line_width", width),
                ("line_width_unit", "MM".to_owned()),
                ("capstyle", "round".to_owned()),
                ("joinstyle", "round".to_owned()),
            ];
            ("SimpleLine", options)
        }
        Shape::Marker => {
            let options = vec![
                ("name", "circle".to_owned()),
                ("color", rgba(own, look.opacity.max(0.75))),
                ("outline_color", rgba(DARK, 1.0)),
                ("outline_style", "solid".to_owned()),
                ("outline_width", "0.2".to_owned()),
                ("size", "2.4".to_owned()),
                ("size_unit", "MM".to_owned()),
            ];
            ("SimpleMarker", options)
        }
    };
    Element::new("symbol")
        .with("type", look.shape.symbol())
        .with("name", number)
        .with("alpha", 1)
        .with("clip_to_extent", 1)
        .with("force_rhr", 0)
        .child(symbol_layer(class, &options))
}

/// A layer of a symbol. Its options stand there twice: older versions of QGIS read only the second way.
pub(super) fn symbol_layer(class: &'static str, options: &[(&'static str, String)]) -> Element {
    let map = options.iter().map(|(name, value)| {
        Element::new("Option").with("type", "QString").with("name", name).with("value", value)
    });
    let props = options.iter().map(|(name, value)| Element::new("prop").with("k", name).with("v", value));
    Element::new("layer")
        .with("class", class)
        .with("enabled", 1)
        .with("locked", 0)
        .with("pass", 0)
        .child(Element::new("Option").with("type", "Map").children(map))
        .children(props)
}

/// `189,0,38,204`.
pub(super) fn rgba(Rgb(r, g, b): Rgb, opacity: f64) -> String {
    format!("{r},{g},{b},{}", (opacity * 255.0).round())
}

/// The paper of a sheet: white.
pub(super) fn paper() -> Element {
    let options = [("color", "255,255,255,255"), ("style", "solid"), ("outline_style", "no")]
        .map(|(k, v)| (k, v.to_owned()));
    Element::new("symbol")
        .with("type", "fill")
        .with("name", "")
        .with("alpha", 1)
        .child(symbol_layer("SimpleFill", &options))
}
