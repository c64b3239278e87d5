//! Layers as the page takes them: few digits, no key twice.

use brasa_model::{ColumnKind, DrawnBy, Layer, Tone, Value};
use geo::{BoundingRect, Coord, Geometry, LineString, Polygon};
use serde::Serialize;
use std::collections::HashMap;

use super::squares::{self, Squares};
use crate::lonlat::Middle;
use crate::style::Legend;
use crate::{ExportError, Lang, lonlat};

/// Features of one layer that a browser still draws in a moment. More are added up in squares; where there is no sum of them
/// those that say least are left out, and the page says how many.
pub(crate) const MOST_FEATURES: usize = 50_000;
/// Layers of more features than this are drawn to about a metre, the others to a tenth of it.
const FINE: usize = 5_000;
/// So many distinct texts of a column are listed once and told by their number.
const MOST_WORDS: usize = 255;

/// The languages of the page, the reader's as the reader's place writes it.
pub(crate) fn languages(own: Lang) -> [Lang; 3] {
    [Lang::EN, Lang::ES, Lang::PT].map(|lang| if lang.code() == own.code() { own } else { lang })
}

/// A text in the languages of the page.
#[derive(Serialize)]
pub(crate) struct Words {
    en: String,
    es: String,
    pt: String,
}

impl Words {
    /// A text in each.
    pub fn said(own: Lang, english: &str) -> Self {
        Self::of(own, |lang| lang.say(english).into_owned())
    }

    /// What `say` says in each.
    pub fn of(own: Lang, say: impl Fn(Lang) -> String) -> Self {
        Self::from(languages(own).map(say))
    }
}

impl From<[String; 3]> for Words {
    fn from([en, es, pt]: [String; 3]) -> Self {
        Self { en, es, pt }
    }
}

/// The classes of a layer.
#[derive(Serialize)]
pub(crate) struct Classes {
    title: Words,
    /// The column that decides, where one does.
    column: Option<&'static str>,
    entries: Vec<Class>,
}

#[derive(Serialize)]
struct Class {
    label: Words,
    fill: Option<String>,
}

impl Classes {
    pub fn of(layer: &Layer, own: Lang) -> (Self, Legend) {
        let legends = languages(own).map(|lang| Legend::of(layer, lang));
        let words = |text: &dyn Fn(&Legend) -> String| Words::from(legends.each_ref().map(text));
        let entries = legends[0].entries.iter().enumerate().map(|(at, entry)| Class {
            label: words(&|legend| {
                legend.entries.get(at).map_or_else(String::new, |entry| entry.label.clone())
            }),
            fill: entry.fill.map(|fill| fill.to_string()),
        });
        let classes = Self {
            entries: entries.collect(),
            title: words(&|legend| legend.title.clone()),
            column: legends[0].column.map(|at| layer.columns[at].name),
        };
        let [legend, ..] = legends;
        (classes, legend)
    }
}

/// A layer.
#[derive(Serialize)]
pub(crate) struct Shapes {
    name: String,
    title: Words,
    description: Words,
    columns: Vec<ColumnData>,
    classes: Classes,
    /// The column whose value is written on each feature, if any.
    label: Option<&'static str>,
    /// Units per degree.
    scale: u32,
    ids: Vec<i64>,
    /// Per feature the class it is in.
    class: Vec<Option<usize>>,
    shapes: Vec<Shape>,
    /// How many features were left out.
    left_out: usize,
    /// What was added up, where the features are squares of others.
    squares: Option<Squares>,
}

#[derive(Serialize)]
struct ColumnData {
    name: &'static str,
    title: Words,
    unit: Words,
    values: Values,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Values {
    Plain(Vec<serde_json::Value>),
    Listed { words: Vec<String>, at: Vec<Option<usize>> },
}

/// Of one kind (0 places, 1 lines, 2 areas): parts, each of lines, each of `x0,y0,dx,dy,…` in whole units.
#[derive(Serialize)]
struct Shape(u8, Vec<Vec<Vec<i32>>>);

impl Shapes {
    /// A layer whose features may be added up in squares, if they are too many.
    pub fn summed(layer: &Layer, own: Lang, middle: Middle) -> Result<Self, ExportError> {
        match squares::of(layer, MOST_FEATURES) {
            Some((coarse, squares)) => Ok(Self { squares: Some(squares), ..Self::of(&coarse, own, middle)? }),
            None => Self::of(layer, own, middle),
        }
    }

    /// A layer, feature by feature.
    pub fn of(layer: &Layer, own: Lang, middle: Middle) -> Result<Self, ExportError> {
        let (classes, legend) = Classes::of(layer, own);
        let chosen = chosen(layer, &legend);
        let geometries = lonlat::geometries_around(layer, middle)?;
        let coarse = chosen.len() > FINE;
        let per_unit = if coarse { 100 } else { 10 };
        let columns = layer.columns.iter().enumerate().map(|(column, told)| ColumnData {
            name: told.name,
            title: Words::said(own, told.title),
            unit: Words::of(own, |lang| lang.unit(&told.unit)),
            values: values(layer, column, told.kind, &chosen),
        });
        Ok(Self {
            name: layer.name.clone(),
            title: Words::said(own, &layer.title),
            description: Words::said(own, &layer.description),
            columns: columns.collect(),
            classes,
            label: legend.label.map(|at| layer.columns[at].name),
            scale: (lonlat::PER_DEGREE as u32) / per_unit as u32,
            ids: chosen.iter().map(|&at| layer.features[at].id).collect(),
            class: chosen.iter().map(|&at| legend.entry_of(&layer.features[at])).collect(),
            shapes: chosen.iter().map(|&at| shape(geometries[at].as_ref(), per_unit)).collect(),
            left_out: layer.features.len() - chosen.len(),
            squares: None,
        })
    }
}

/// The features that are drawn, in their order: all, or of too many the loud before the quiet and the large before the small.
fn chosen(layer: &Layer, legend: &Legend) -> Vec<usize> {
    let mut chosen: Vec<usize> = (0..layer.features.len()).collect();
    if chosen.len() <= MOST_FEATURES {
        return chosen;
    }
    let quiet = |at: usize| match &layer.style.by {
        DrawnBy::Word { words, .. } => legend
            .entry_of(&layer.features[at])
            .and_then(|class| words.get(class))
            .is_none_or(|word| word.tone == Tone::Quiet),
        _ => false,
    };
    let extent = |at: usize| {
        layer.features[at].geometry.bounding_rect().map_or(0.0, |bounds| bounds.width() + bounds.height())
    };
    chosen.sort_by(|&a, &b| quiet(a).cmp(&quiet(b)).then(extent(b).total_cmp(&extent(a))).then(a.cmp(&b)));
    chosen.truncate(MOST_FEATURES);
    chosen.sort_unstable();
    chosen
}

fn values(layer: &Layer, column: usize, kind: ColumnKind, chosen: &[usize]) -> Values {
    let value = |&at: &usize| layer.features[at].values.get(column).unwrap_or(&Value::Null);
    if kind == ColumnKind::Text {
        let mut words: Vec<String> = Vec::new();
        let mut known: HashMap<&str, usize> = HashMap::new();
        let mut at = Vec::with_capacity(chosen.len());
        for feature in chosen {
            at.push(match value(feature) {
                Value::Text(text) => Some(*known.entry(text).or_insert_with(|| {
                    words.push(text.clone());
                    words.len() - 1
                })),
                _ => None,
            });
            if words.len() > MOST_WORDS {
                break;
            }
        }
        if words.len() <= MOST_WORDS {
            return Values::Listed { words, at };
        }
    }
    let plain = |value: &Value| match value {
        Value::Null => serde_json::Value::Null,
        Value::Integer(value) => (*value).into(),
        Value::Real(value) => rounded(*value).into(),
        Value::Text(text) => text.clone().into(),
        Value::Time(time) => time.to_string().into(),
    };
    Values::Plain(chosen.iter().map(|feature| plain(value(feature))).collect())
}

/// A number to six digits: nobody reads more of them off a page.
pub(crate) fn rounded(value: f64) -> f64 {
    format!("{value:.5e}").parse().unwrap_or(value)
}

fn shape(geometry: Option<&Geometry<i32>>, per_unit: i32) -> Shape {
    let line = |line: &LineString<i32>, closed: bool| path(&line.0, per_unit, closed);
    let area = |polygon: &Polygon<i32>| -> Vec<Vec<i32>> {
        let rings = std::iter::once(polygon.exterior()).chain(polygon.interiors());
        rings.map(|ring| line(ring, true)).filter(|ring| ring.len() >= 6).collect()
    };
    match geometry {
        Some(Geometry::Point(point)) => Shape(0, vec![vec![path(&[point.0], per_unit, false)]]),
        Some(Geometry::MultiPoint(points)) => {
            Shape(0, points.iter().map(|point| vec![path(&[point.0], per_unit, false)]).collect())
        }
        Some(Geometry::LineString(one)) => Shape(1, vec![vec![line(one, false)]]),
        Some(Geometry::MultiLineString(lines)) => {
            Shape(1, lines.iter().map(|one| vec![line(one, false)]).collect())
        }
        Some(Geometry::Polygon(polygon)) => Shape(2, vec![area(polygon)]),
        Some(Geometry::MultiPolygon(polygons)) => Shape(2, polygons.iter().map(area).collect()),
        Some(Geometry::GeometryCollection(collection)) => {
            let parts: Vec<Shape> = collection.iter().map(|part| shape(Some(part), per_unit)).collect();
            let kind = parts.iter().map(|part| part.0).max().unwrap_or(0);
            Shape(kind, parts.into_iter().filter(|part| part.0 == kind).flat_map(|part| part.1).collect())
        }
        // Lines, rectangles and triangles of two points have become one of these in longitude and latitude.
        Some(Geometry::Line(_) | Geometry::Rect(_) | Geometry::Triangle(_)) | None => Shape(0, Vec::new()),
    }
}

/// The first position, then steps; equal neighbours and, of a closed line, the last position are left out.
fn path(positions: &[Coord<i32>], per_unit: i32, closed: bool) -> Vec<i32> {
    let unit = |at: i32| (f64::from(at) / f64::from(per_unit)).round() as i32;
    let mut whole: Vec<(i32, i32)> = positions.iter().map(|at| (unit(at.x), unit(at.y))).collect();
    whole.dedup();
    if closed && whole.len() > 1 && whole.first() == whole.last() {
        whole.pop();
    }
    let mut before = (0, 0);
    let mut path = Vec::with_capacity(2 * whole.len());
    for (x, y) in whole {
        path.extend([x - before.0, y - before.1]);
        before = (x, y);
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;
    use brasa_model::{Column, Crs, Feature, Provenance, Style, Word};
    use geo::Rect;

    /// So many zones of 100 m, every thousandth of them hot.
    fn zones(count: usize) -> Layer {
        let word = |value, tone| Word { value, title: value, tone };
        let feature = |at: usize| {
            let (x, y) = (4e5 + 100.0 * (at % 1000) as f64, 4e5 + 100.0 * (at / 1000) as f64);
            Feature {
                id: at as i64 + 1,
                geometry: Rect::new((x, y), (x + 100.0, y + 100.0)).to_polygon().into(),
                values: vec![Value::Text(if at.is_multiple_of(1000) { "hot" } else { "no" }.to_owned())],
            }
        };
        Layer {
            name: "zones".to_owned(),
            title: "Zones".to_owned(),
            description: String::new(),
            crs: Crs::from_epsg(32618).unwrap(),
            columns: vec![Column::new("class", "Verdict", "", ColumnKind::Text)],
            features: (0..count).map(feature).collect(),
            style: Style::word("class", vec![word("hot", Tone::High), word("no", Tone::Quiet)]),
            period: None,
            provenance: Provenance::new("test", serde_json::Value::Null),
            notes: Vec::new(),
        }
    }

    #[test]
    fn of_too_many_features_those_that_say_least_are_left_out_and_counted() {
        let count = MOST_FEATURES + 10_000;
        let shapes = Shapes::of(&zones(count), Lang::EN, Middle::Greenwich).unwrap();
        assert_eq!((shapes.ids.len(), shapes.left_out), (MOST_FEATURES, 10_000));
        assert_eq!(shapes.class.iter().filter(|class| **class == Some(0)).count(), count / 1000);
        assert!(shapes.ids.is_sorted());
        assert_eq!(shapes.scale, 100_000, "about a metre");
        let text = serde_json::to_string(&shapes).unwrap();
        assert!(text.len() < 60 * MOST_FEATURES, "{} bytes a zone", text.len() / MOST_FEATURES);
    }

    #[test]
    fn a_million_features_are_squares_that_a_page_holds() {
        let shapes = Shapes::summed(&zones(1_000_000), Lang::EN, Middle::Greenwich).unwrap();
        assert_eq!((shapes.ids.len(), shapes.left_out), (40_000, 0));
        let json = serde_json::to_value(&shapes).unwrap();
        assert_eq!(
            json["squares"],
            serde_json::json!({
                "side": 500.0, "features": 1_000_000, "placeless": 0, "words": [["hot", 1000], ["no", 999_000]]
            })
        );
        let counts = json["columns"][0]["values"].as_array().unwrap();
        assert_eq!(counts.iter().map(|count| count.as_u64().unwrap()).sum::<u64>(), 1_000_000);
        let bytes = serde_json::to_string(&shapes).unwrap().len();
        assert!(bytes < 2_500_000, "{bytes}");
    }

    #[test]
    fn few_features_are_drawn_finely_and_texts_are_listed_once() {
        let shapes = Shapes::summed(&zones(3), Lang::ES, Middle::Greenwich).unwrap();
        assert_eq!((shapes.left_out, shapes.scale), (0, 1_000_000));
        let json = serde_json::to_value(&shapes).unwrap();
        assert_eq!(
            json["columns"][0]["values"],
            serde_json::json!({ "words": ["hot", "no"], "at": [0, 1, 1] })
        );
        // 100 m are some 900 millionths of a degree here; the last position of a ring is its first.
        let ring = json["shapes"][0][1][0][0].as_array().unwrap();
        assert_eq!(ring.len(), 8);
        assert!(ring[2..].iter().all(|step| step.as_i64().unwrap().abs() < 1000), "{ring:?}");
    }

    #[test]
    fn a_path_is_its_first_position_and_steps() {
        let at = |x, y| Coord { x, y };
        let ring = [
            at(-742_000_000, 46_000_000),
            at(-741_999_990, 46_000_004),
            at(-741_999_990, 46_000_100),
            at(-742_000_000, 46_000_000),
        ];
        assert_eq!(path(&ring, 10, true), [-74_200_000, 4_600_000, 1, 0, 0, 10]);
        assert_eq!(path(&ring, 100, true), [-7_420_000, 460_000, 0, 1]);
        assert_eq!(path(&[], 10, true), Vec::<i32>::new());
    }

    #[test]
    fn numbers_keep_six_digits() {
        assert_eq!(rounded(1_234_567.0), 1_234_570.0);
        assert_eq!(rounded(-0.000_123_456_78), -0.000_123_457);
        assert_eq!(rounded(0.0), 0.0);
    }
}
