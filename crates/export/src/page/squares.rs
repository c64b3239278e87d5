//! Too many features for a page, added up in squares: a page of a million zones opens as fast as one of a few thousand, and no
//! incident is missing from it.

use std::collections::{HashMap, HashSet};

use brasa_model::{Column, ColumnKind, DrawnBy, Feature, Layer, Scale, Style, Tone, Value, Word};
use geo::{BoundingRect, Coord, Geometry, Rect};
use rayon::prelude::*;
use serde::Serialize;

/// The column that holds how many features a square stands for.
const FEATURES: &str = "features";
/// What is added up; of every other number a square has the mean.
const ADDED: [&str; 3] = ["incidents", "places", "km²"];

/// What was added up.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Squares {
    /// The side of a square in metres.
    side: f64,
    /// How many features there were.
    features: usize,
    /// How many of them had no place.
    placeless: usize,
    /// Word by word, how many features had it.
    words: Vec<(&'static str, usize)>,
}

/// A layer of at most `most` squares instead of one of more features, with what was added up; `None` where the features are
/// few, or lines and edges, of which there is no sum.
///
/// A square holds every feature whose middle lies in it. Its side is a whole multiple of the usual side of the features, so
/// that squares of a grid fit into it without a rest. Incidents, places and areas are added up; of other numbers in the
/// column that is drawn the square has the mean, of words the most frequent that stands out.
pub(super) fn of(layer: &Layer, most: usize) -> Option<(Layer, Squares)> {
    let count = layer.features.len();
    let dots = || layer.features.par_iter().all(|feature| is_dot(&feature.geometry));
    let told = match &layer.style.by {
        DrawnBy::Edge => false,
        DrawnBy::Alike => dots(),
        DrawnBy::Number { .. } | DrawnBy::Word { .. } => {
            !layer.features.par_iter().any(|feature| is_line(&feature.geometry))
        }
    };
    if count <= most || most == 0 || !told {
        return None;
    }
    let boxes: Vec<Option<Rect<f64>>> =
        layer.features.par_iter().map(|feature| feature.geometry.bounding_rect()).collect();
    let grid = Coarse::new(&boxes, most)?;
    let columns = Sums::columns(layer);
    let mut squares: HashMap<(i64, i64), Sums> = HashMap::new();
    for (feature, bounds) in layer.features.iter().zip(&boxes) {
        if let Some(bounds) = bounds {
            squares
                .entry(grid.square_of(bounds))
                .or_insert_with(|| Sums::new(&columns))
                .add(feature, &columns);
        }
    }
    let mut squares: Vec<((i64, i64), Sums)> = squares.into_iter().collect();
    squares.sort_unstable_by_key(|(at, _)| *at);
    let features = (1..).zip(squares).map(|(id, (at, sums))| Feature {
        id,
        geometry: grid.outline(at).to_polygon().into(),
        values: sums.values(&columns),
    });
    let words = match &layer.style.by {
        DrawnBy::Word { column, words } => {
            let at = layer.column(column);
            let has = |feature: &&Feature, word: &Word| {
                at.and_then(|at| feature.values.get(at)).is_some_and(|value| is_word(value, word))
            };
            let counted = |word: &Word| layer.features.iter().filter(|one| has(one, word)).count();
            words.iter().map(|word| (word.value, counted(word))).collect()
        }
        _ => Vec::new(),
    };
    let told = Squares {
        side: grid.side,
        features: count,
        placeless: boxes.iter().filter(|bounds| bounds.is_none()).count(),
        words,
    };
    let by = match &layer.style.by {
        DrawnBy::Alike => Style::number(FEATURES, Scale::Sequential).by,
        by => by.clone(),
    };
    let layer = Layer {
        name: layer.name.clone(),
        title: layer.title.clone(),
        description: layer.description.clone(),
        crs: layer.crs.clone(),
        columns: columns.iter().map(|(column, ..)| column.clone()).collect(),
        features: features.collect(),
        style: Style::of(by),
        period: layer.period,
        provenance: layer.provenance.clone(),
        notes: layer.notes.clone(),
    };
    Some((layer, told))
}

const fn is_dot(geometry: &Geometry<f64>) -> bool {
    matches!(geometry, Geometry::Point(_) | Geometry::MultiPoint(_))
}

const fn is_line(geometry: &Geometry<f64>) -> bool {
    matches!(geometry, Geometry::Line(_) | Geometry::LineString(_) | Geometry::MultiLineString(_))
}

fn is_word(value: &Value, word: &Word) -> bool {
    matches!(value, Value::Text(text) if text == word.value)
}

/// The squares that features are added up in.
struct Coarse {
    west: f64,
    south: f64,
    side: f64,
}

impl Coarse {
    /// The finest that leave at most so many squares with a feature in them.
    fn new(boxes: &[Option<Rect<f64>>], most: usize) -> Option<Self> {
        let known = || boxes.iter().flatten();
        let low = |of: fn(&Rect<f64>) -> f64| known().map(of).fold(f64::INFINITY, f64::min);
        let high = |of: fn(&Rect<f64>) -> f64| known().map(of).fold(f64::NEG_INFINITY, f64::max);
        let (west, south) = (low(|one| one.min().x), low(|one| one.min().y));
        let (width, height) = (high(|one| one.max().x) - west, high(|one| one.max().y) - south);
        if !(width.is_finite() && height.is_finite()) {
            return None;
        }
        // Half of all features are no wider; places have no width, and are as far apart as they would be if spread evenly.
        let mut sides: Vec<f64> = known().map(|bounds| bounds.width()).collect();
        let middle = sides.len() / 2;
        let (_, usual, _) = sides.select_nth_unstable_by(middle, f64::total_cmp);
        let even = (width * height / most as f64).sqrt().max((width + height) / most as f64).max(1.0);
        let base = if *usual > 0.0 { *usual } else { even };
        let mut times = 1.0_f64;
        loop {
            let grid = Self { west, south, side: base * times };
            let mut kept = HashSet::new();
            let new = known().filter(|bounds| kept.insert(grid.square_of(bounds)));
            if new.take(most + 1).count() <= most {
                return Some(grid);
            }
            times = (times * 1.25).floor().max(times + 1.0);
        }
    }

    /// The row and the column of the square in which the middle of a box lies.
    fn square_of(&self, bounds: &Rect<f64>) -> (i64, i64) {
        let Coord { x, y } = bounds.center();
        let place = |at: f64, from: f64| ((at - from) / self.side).floor() as i64;
        (place(y, self.south), place(x, self.west))
    }

    fn outline(&self, (row, column): (i64, i64)) -> Rect<f64> {
        let corner = |row: i64, column: i64| Coord {
            x: self.side.mul_add(column as f64, self.west),
            y: self.side.mul_add(row as f64, self.south),
        };
        Rect::new(corner(row, column), corner(row + 1, column + 1))
    }
}

/// What becomes of the values of a column.
enum Rule<'a> {
    /// How many features there are.
    Count,
    Sum,
    Mean,
    /// The most frequent of the words that stand out; where none does, the most frequent.
    Word(&'a [Word]),
}

/// A column of the squares, where it stands in the features, and its rule.
type Summed<'a> = (Column, usize, Rule<'a>);

/// The values of the features in one square.
struct Sums {
    features: i64,
    /// Per column the sum of the known values and how many they are.
    numbers: Vec<(f64, u32)>,
    /// How often each word stands there.
    words: Vec<u32>,
}

impl Sums {
    /// The columns that a square has: how many features, what is drawn, and what can be added up.
    fn columns(layer: &Layer) -> Vec<Summed<'_>> {
        let (drawn, words) = match &layer.style.by {
            DrawnBy::Number { column, .. } => (layer.column(column), None),
            DrawnBy::Word { column, words } => (layer.column(column), Some(words)),
            DrawnBy::Edge | DrawnBy::Alike => (None, None),
        };
        let count = Column::new(FEATURES, "Features added up", "", ColumnKind::Integer);
        let mut columns = vec![(count, 0, Rule::Count)];
        for (at, column) in layer.columns.iter().enumerate() {
            let is_number = matches!(column.kind, ColumnKind::Integer | ColumnKind::Real);
            let rule = match words.filter(|_| drawn == Some(at)) {
                Some(words) => Rule::Word(words),
                None if is_number && ADDED.contains(&column.unit.as_str()) => Rule::Sum,
                None if is_number && drawn == Some(at) => Rule::Mean,
                None => continue,
            };
            let kind = if matches!(rule, Rule::Mean) { ColumnKind::Real } else { column.kind };
            columns.push((Column { kind, ..column.clone() }, at, rule));
        }
        columns
    }

    fn new(columns: &[Summed<'_>]) -> Self {
        let words =
            columns.iter().map(|(.., rule)| if let Rule::Word(words) = rule { words.len() } else { 0 });
        Self { features: 0, numbers: vec![(0.0, 0); columns.len()], words: vec![0; words.sum()] }
    }

    fn add(&mut self, feature: &Feature, columns: &[Summed<'_>]) {
        self.features += 1;
        for ((_, at, rule), (sum, known)) in columns.iter().zip(&mut self.numbers) {
            let Some(value) = feature.values.get(*at) else { continue };
            match rule {
                Rule::Count => {}
                Rule::Sum | Rule::Mean => {
                    if let Some(number) = value.number().filter(|number| number.is_finite()) {
                        *sum += number;
                        *known += 1;
                    }
                }
                Rule::Word(words) => {
                    if let Some(word) = words.iter().position(|word| is_word(value, word)) {
                        self.words[word] += 1;
                    }
                }
            }
        }
    }

    fn values(&self, columns: &[Summed<'_>]) -> Vec<Value> {
        let value = |((column, _, rule), &(sum, known)): (&Summed<'_>, &(f64, u32))| match rule {
            Rule::Count => Value::Integer(self.features),
            Rule::Word(words) => self.word(words),
            _ if known == 0 => Value::Null,
            Rule::Mean => Value::real(sum / f64::from(known)),
            Rule::Sum if column.kind == ColumnKind::Integer => Value::Integer(sum as i64),
            Rule::Sum => Value::real(sum),
        };
        columns.iter().zip(&self.numbers).map(value).collect()
    }

    fn word(&self, words: &[Word]) -> Value {
        let seen = || words.iter().zip(&self.words).filter(|(_, times)| **times > 0);
        // Of equally frequent ones the first of the legend.
        let most = |loud: bool| {
            seen()
                .filter(|(word, _)| (word.tone != Tone::Quiet) == loud)
                .reduce(|best, one| if one.1 > best.1 { one } else { best })
        };
        let found = most(true).or_else(|| most(false));
        found.map_or(Value::Null, |(word, _)| Value::Text(word.value.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use brasa_model::{Crs, Provenance};
    use geo::{Point, line_string};
    use proptest::prelude::*;

    const WORDS: [(&str, Tone); 3] = [("hot", Tone::High), ("cold", Tone::Low), ("no", Tone::Quiet)];

    fn layer(style: Style, features: impl IntoIterator<Item = (Geometry<f64>, Vec<Value>)>) -> Layer {
        let features = (1..).zip(features).map(|(id, (geometry, values))| Feature { id, geometry, values });
        Layer {
            name: "zones".to_owned(),
            title: "Zones".to_owned(),
            description: String::new(),
            crs: Crs::from_epsg(32618).unwrap(),
            columns: vec![
                Column::new("zone", "Zone", "", ColumnKind::Text),
                Column::new("count", "Incidents in the zone", "incidents", ColumnKind::Integer),
                Column::new("z", "z-score", "standard deviations", ColumnKind::Real),
                Column::new("class", "Verdict", "", ColumnKind::Text),
            ],
            features: features.collect(),
            style,
            period: None,
            provenance: Provenance::new("test", serde_json::Value::Null),
            notes: Vec::new(),
        }
    }

    fn by_word() -> Style {
        let words = WORDS.map(|(value, tone)| Word { value, title: value, tone });
        Style::word("class", words.to_vec())
    }

    fn values(at: usize, word: &str) -> Vec<Value> {
        let z = if at.is_multiple_of(7) { Value::Null } else { Value::Real(at as f64 / 8.0) };
        vec![Value::Text(at.to_string()), Value::Integer(at as i64), z, Value::Text(word.to_owned())]
    }

    /// So many squares of 100 m in rows of so many.
    fn city(count: usize, row: usize) -> impl Iterator<Item = (Geometry<f64>, Vec<Value>)> {
        (0..count).map(move |at| {
            let (x, y) = (4e5 + 100.0 * (at % row) as f64, 4e5 + 100.0 * (at / row) as f64);
            let square = Rect::new((x, y), (x + 100.0, y + 100.0)).to_polygon();
            (square.into(), values(at, if at.is_multiple_of(50) { "hot" } else { "no" }))
        })
    }

    fn total(layer: &Layer, column: &str) -> f64 {
        let at = layer.column(column).unwrap();
        layer.features.iter().filter_map(|feature| feature.values[at].number()).sum()
    }

    #[test]
    fn squares_of_a_grid_are_added_up_without_a_rest() {
        let fine = layer(by_word(), city(10_000, 100));
        let (coarse, told) = of(&fine, 500).unwrap();
        assert_eq!((coarse.features.len(), told.side), (400, 500.0));
        assert!(coarse.features.iter().all(|feature| feature.values[0] == Value::Integer(25)));
        assert_eq!(total(&coarse, "count"), total(&fine, "count"));
        let names: Vec<_> = coarse.columns.iter().map(|column| column.name).collect();
        assert_eq!(names, ["features", "count", "class"]);
        assert_eq!(told.words, [("hot", 200), ("cold", 0), ("no", 9_800)]);
        // Every 50th feature of rows of a hundred is hot: two columns of squares.
        let hot = coarse.features.iter().filter(|one| one.values[2] == Value::Text("hot".into())).count();
        assert_eq!(hot, 40);
        assert_eq!(coarse.features[0].geometry.bounding_rect().unwrap().min(), Coord { x: 4e5, y: 4e5 });
    }

    #[test]
    fn a_square_is_the_naive_sum_and_the_naive_mean_of_what_lies_in_it() {
        let fine = layer(Style::number("z", Scale::Sequential), city(3_000, 77));
        let (coarse, _) = of(&fine, 100).unwrap();
        assert_eq!(coarse.columns[2].kind, ColumnKind::Real);
        for square in &coarse.features {
            let bounds = square.geometry.bounding_rect().unwrap();
            let held = |feature: &&Feature| {
                let at = feature.geometry.bounding_rect().unwrap().center();
                let inside = |low: f64, at: f64, high: f64| low <= at && at < high;
                inside(bounds.min().x, at.x, bounds.max().x) && inside(bounds.min().y, at.y, bounds.max().y)
            };
            let held: Vec<&Feature> = fine.features.iter().filter(held).collect();
            let count: f64 = held.iter().filter_map(|one| one.values[1].number()).sum();
            let known: Vec<f64> = held.iter().filter_map(|one| one.values[2].number()).collect();
            let mean = Value::real(known.iter().sum::<f64>() / known.len() as f64);
            let expected = [Value::Integer(held.len() as i64), Value::Integer(count as i64), mean];
            assert_eq!(square.values, expected);
        }
    }

    #[test]
    fn few_features_and_lines_and_edges_stay_as_they_are() {
        let few = layer(by_word(), city(100, 10));
        assert!(of(&few, 100).is_none() && of(&few, 99).is_some());
        assert!(of(&layer(Style::of(DrawnBy::Edge), city(100, 10)), 10).is_none());
        assert!(of(&layer(Style::of(DrawnBy::Alike), city(100, 10)), 10).is_none(), "areas drawn alike");
        let line =
            |at: usize| (line_string![(x: 0.0, y: at as f64), (x: 9.0, y: 9.0)].into(), values(at, "no"));
        assert!(of(&layer(by_word(), (0..100).map(line)), 10).is_none());
        assert!(of(&layer(by_word(), []), 0).is_none());
    }

    #[test]
    fn places_drawn_alike_are_drawn_by_their_number() {
        let dot = |at: usize| (Point::new((at % 90) as f64 * 3.0, at as f64).into(), values(at, "no"));
        let (coarse, _) = of(&layer(Style::of(DrawnBy::Alike), (0..1_000).map(dot)), 50).unwrap();
        assert_eq!(coarse.style, Style::number(FEATURES, Scale::Sequential));
        assert!(coarse.features.len() <= 50 && coarse.features.len() > 10, "{}", coarse.features.len());
        assert_eq!(total(&coarse, FEATURES), 1_000.0);
        // All in one place, and all on a line.
        for step in [0.0, 1e-7, 5.0] {
            let dot = |at: usize| (Point::new(1.0, step * at as f64).into(), values(at, "no"));
            let (coarse, told) = of(&layer(by_word(), (0..1_000).map(dot)), 50).unwrap();
            assert!(coarse.features.len() <= 50 && told.side >= 1.0);
            assert_eq!(total(&coarse, FEATURES), 1_000.0);
        }
    }

    #[test]
    fn what_has_no_place_is_counted_apart() {
        let nowhere = Geometry::MultiPolygon(geo::MultiPolygon(Vec::new()));
        let features = city(100, 10).chain([(nowhere.clone(), values(7, "no"))]);
        let (coarse, told) = of(&layer(by_word(), features), 20).unwrap();
        assert_eq!((told.placeless, told.features), (1, 101));
        assert_eq!(total(&coarse, FEATURES), 100.0);
        assert!(of(&layer(by_word(), (0..9).map(|at| (nowhere.clone(), values(at, "no")))), 5).is_none());
    }

    proptest! {
        #[test]
        fn nothing_is_lost_wherever_it_lies(
            places in prop::collection::vec((-1e6..1e6_f64, -1e6..1e6_f64, 0..3000_i64), 2..200),
            size in 0.0..5000.0_f64,
            most in 1..60_usize,
        ) {
            let feature = |&(x, y, count): &(f64, f64, i64)| {
                let geometry = Rect::new((x, y), (x + size, y + size / 3.0)).to_polygon().into();
                (geometry, vec![Value::Null, Value::Integer(count), Value::Null, Value::Null])
            };
            let fine = layer(by_word(), places.iter().map(feature));
            let Some((coarse, told)) = of(&fine, most) else {
                prop_assert!(places.len() <= most);
                return Ok(());
            };
            prop_assert!(coarse.features.len() <= most);
            prop_assert_eq!(told.features, places.len());
            prop_assert_eq!(total(&coarse, "count"), total(&fine, "count"));
            prop_assert_eq!(total(&coarse, FEATURES), places.len() as f64);
        }
    }
}
