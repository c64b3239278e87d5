//! Keyhole Markup Language 2.2: what Google Earth and the maps of the field open.
//!
//! Values are typed by a schema and shown with their titles; texts from files are escaped, and what XML 1.0 cannot hold
//! becomes U+FFFD. The document carries the period the layer speaks of, a feature its own where it has one: local civil
//! time, without a zone. Each class of the legend is a shared style. Features are not parted into folders by class: QGIS would
//! ask which of them to open.

use std::io::Write;
use std::path::Path;

use brasa_model::{Civil, ColumnKind, Feature, Layer, Value};
use geo::{Coord, Geometry, LineString, Polygon};

use crate::escape::escaped;
use crate::geojson::{Header, push_degrees};
use crate::qgis::{Look, Shape, colour};
use crate::style::{Entry, Legend, Rgb};
use crate::{ExportError, Lang, lonlat, sink};

/// Pixels per millimetre, as wide as Google Earth draws them.
const PIXELS_PER_MM: f64 = 96.0 / 25.4;

/// Writes a layer as one document.
pub(crate) fn write(layer: &Layer, path: &Path) -> Result<(), ExportError> {
    let geometries = lonlat::geometries(layer)?;
    let header = Header::new(layer, &geometries);
    let types = types(layer);
    let legend = Legend::of(layer, Lang::EN);
    sink::write(path, |out| {
        let mut text = Vec::new();
        push_head(&mut text, layer, &legend, &types, &serde_json::to_string(&header)?);
        out.write_all(&text)?;
        for (feature, geometry) in layer.features.iter().zip(&geometries) {
            text.clear();
            push_feature(&mut text, layer, feature, legend.entry_of(feature), geometry.as_ref());
            out.write_all(&text)?;
        }
        out.write_all(b"</Document></kml>\n")
    })
}

/// The type of each column in the words of KML, whose whole numbers have 32 bits.
fn types(layer: &Layer) -> Vec<&'static str> {
    let small = |value: &Value| match value {
        Value::Integer(value) => i32::try_from(*value).is_ok(),
        _ => true,
    };
    let kind = |(at, column): (usize, &brasa_model::Column)| match column.kind {
        ColumnKind::Integer if layer.features.iter().all(|feature| small(&feature.values[at])) => "int",
        ColumnKind::Real => "double",
        ColumnKind::Integer | ColumnKind::Text | ColumnKind::Time => "string",
    };
    layer.columns.iter().enumerate().map(kind).collect()
}

/// Everything before the features.
fn push_head(text: &mut Vec<u8>, layer: &Layer, legend: &Legend, types: &[&str], about: &str) {
    text.extend_from_slice(
        b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
          <kml xmlns=\"http://www.opengis.net/kml/2.2\" xmlns:brasa=\"urn:brasa\"><Document>\n",
    );
    element(text, "name", &layer.title);
    element(text, "description", &layer.description);
    if let Some(period) = layer.period {
        push_span(text, period.start, period.end);
    }
    text.push(b'\n');
    push_styles(text, legend, &Look::of(layer));
    text.extend_from_slice(b"<ExtendedData>");
    element(text, "brasa:about", about);
    text.extend_from_slice(b"</ExtendedData>\n<Schema id=\"columns\" name=\"");
    text.extend_from_slice(escaped(&layer.name).as_bytes());
    text.extend_from_slice(b"\">\n");
    for (column, kind) in layer.columns.iter().zip(types) {
        text.extend_from_slice(format!("<SimpleField type=\"{kind}\" name=\"{}\">", column.name).as_bytes());
        let title = match column.unit.as_str() {
            "" => column.title.to_owned(),
            unit => format!("{} ({unit})", column.title),
        };
        element(text, "displayName", &title);
        text.extend_from_slice(b"</SimpleField>\n");
    }
    text.extend_from_slice(b"</Schema>\n");
}

/// A style for each class, `c0`, `c1` and so on, and `none` for what has no class.
fn push_styles(text: &mut Vec<u8>, legend: &Legend, look: &Look) {
    let unclassed = Entry { label: String::new(), fill: None, test: crate::style::Test::Any };
    let classes = legend.entries.iter().enumerate().map(|(at, entry)| (format!("c{at}"), entry));
    for (id, entry) in classes.chain([("none".to_owned(), &unclassed)]) {
        let own = colour(entry, look);
        let (edge, width) = match (look.shape, look.edge) {
            (Shape::Line, edge) if entry.fill.is_some() => {
                (own, edge.map_or(0.8, |(_, width)| width.max(0.8)))
            }
            (_, Some(edge)) => edge,
            (_, None) => (own, 0.1),
        };
        let (fill, width) = (u8::from(entry.fill.is_some()), width * PIXELS_PER_MM);
        let filled = coloured(own, look.opacity);
        text.extend_from_slice(
            format!(
                "<Style id=\"{id}\"><IconStyle><color>{}</color></IconStyle><LineStyle><color>{}</color><width>{width:.1}</width></LineStyle>\
                 <PolyStyle><color>{filled}</color><fill>{fill}</fill></PolyStyle></Style>\n",
                coloured(own, 1.0),
                coloured(edge, 1.0),
            )
            .as_bytes(),
        );
    }
}

/// A colour as KML writes it: opacity, blue, green, red.
fn coloured(Rgb(red, green, blue): Rgb, opacity: f64) -> String {
    let alpha = (opacity * 255.0).round() as u8;
    format!("{alpha:02x}{blue:02x}{green:02x}{red:02x}")
}

fn push_span(text: &mut Vec<u8>, begin: Civil, end: Civil) {
    text.extend_from_slice(b"<TimeSpan>");
    element(text, "begin", &begin.to_string());
    element(text, "end", &end.to_string());
    text.extend_from_slice(b"</TimeSpan>");
}

fn push_feature(
    text: &mut Vec<u8>,
    layer: &Layer,
    feature: &Feature,
    class: Option<usize>,
    geometry: Option<&Geometry<i32>>,
) {
    let id = feature.id;
    text.extend_from_slice(format!("<Placemark id=\"f{id}\"><name>{id}</name>").as_bytes());
    if let Some((begin, end)) = layer.start_and_end()
        && let (Value::Time(begin), Value::Time(end)) = (&feature.values[begin], &feature.values[end])
    {
        push_span(text, *begin, *end);
    }
    let style = class.map_or_else(|| "none".to_owned(), |class| format!("c{class}"));
    element(text, "styleUrl", &format!("#{style}"));
    text.extend_from_slice(b"<ExtendedData><SchemaData schemaUrl=\"#columns\">");
    for (value, column) in feature.values.iter().zip(&layer.columns) {
        let value = match value {
            Value::Null => continue,
            Value::Integer(value) => value.to_string(),
            Value::Real(value) if value.is_finite() => value.to_string(),
            Value::Real(_) => continue,
            Value::Text(value) => value.clone(),
            Value::Time(value) => value.to_string(),
        };
        text.extend_from_slice(format!("<SimpleData name=\"{}\">", column.name).as_bytes());
        text.extend_from_slice(escaped(&value).as_bytes());
        text.extend_from_slice(b"</SimpleData>");
    }
    text.extend_from_slice(b"</SchemaData></ExtendedData>");
    if let Some(geometry) = geometry {
        push_geometry(text, geometry);
    }
    text.extend_from_slice(b"</Placemark>\n");
}

fn element(text: &mut Vec<u8>, name: &str, content: &str) {
    text.extend_from_slice(format!("<{name}>").as_bytes());
    text.extend_from_slice(escaped(content).as_bytes());
    text.extend_from_slice(format!("</{name}>").as_bytes());
}

fn push_geometry(text: &mut Vec<u8>, geometry: &Geometry<i32>) {
    match geometry {
        Geometry::Point(point) => {
            text.extend_from_slice(b"<Point><coordinates>");
            push_position(text, point.0);
            text.extend_from_slice(b"</coordinates></Point>");
        }
        Geometry::LineString(line) => push_line(text, "LineString", line),
        Geometry::Polygon(polygon) => push_polygon(text, polygon),
        Geometry::MultiPoint(points) => {
            push_parts(text, points, |text, point| push_geometry(text, &(*point).into()));
        }
        Geometry::MultiLineString(lines) => {
            push_parts(text, lines, |text, line| push_line(text, "LineString", line));
        }
        Geometry::MultiPolygon(polygons) => push_parts(text, polygons, push_polygon),
        Geometry::GeometryCollection(parts) => push_parts(text, parts, push_geometry),
        // `lonlat` makes none of these.
        Geometry::Line(line) => push_line(text, "LineString", &LineString(vec![line.start, line.end])),
        Geometry::Rect(rect) => push_polygon(text, &rect.to_polygon()),
        Geometry::Triangle(triangle) => push_polygon(text, &triangle.to_polygon()),
    }
}

fn push_parts<'a, T: 'a>(
    text: &mut Vec<u8>,
    parts: impl IntoIterator<Item = &'a T>,
    push: impl Fn(&mut Vec<u8>, &T),
) {
    text.extend_from_slice(b"<MultiGeometry>");
    for part in parts {
        push(text, part);
    }
    text.extend_from_slice(b"</MultiGeometry>");
}

fn push_polygon(text: &mut Vec<u8>, polygon: &Polygon<i32>) {
    text.extend_from_slice(b"<Polygon><outerBoundaryIs>");
    push_line(text, "LinearRing", polygon.exterior());
    text.extend_from_slice(b"</outerBoundaryIs>");
    for hole in polygon.interiors() {
        text.extend_from_slice(b"<innerBoundaryIs>");
        push_line(text, "LinearRing", hole);
        text.extend_from_slice(b"</innerBoundaryIs>");
    }
    text.extend_from_slice(b"</Polygon>");
}

fn push_line(text: &mut Vec<u8>, kind: &str, line: &LineString<i32>) {
    text.extend_from_slice(format!("<{kind}><coordinates>").as_bytes());
    for (at, position) in line.0.iter().enumerate() {
        if at > 0 {
            text.push(b' ');
        }
        push_position(text, *position);
    }
    text.extend_from_slice(format!("</coordinates></{kind}>").as_bytes());
}

fn push_position(text: &mut Vec<u8>, position: Coord<i32>) {
    push_degrees(text, position.x);
    text.push(b',');
    push_degrees(text, position.y);
}
