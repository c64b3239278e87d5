//! What a layer looks like, decided once for QGIS, a browser, a picture and SLD: which classes, in which colours, in which words.

mod classes;
pub(crate) mod colours;

pub(crate) use colours::paper as colours_of_paper;

use brasa_model::{Column, ColumnKind, DrawnBy, Feature, Layer, Scale, Surface, Value};
pub use colours::Rgb;

use crate::lang::Lang;

/// What a layer looks like.
#[derive(Debug, Clone, PartialEq)]
pub struct Legend {
    /// What the classes are of; empty where there is one entry for all.
    pub title: String,
    /// The column that decides, where one does.
    pub column: Option<usize>,
    /// The classes, in the order of a legend.
    pub entries: Vec<Entry>,
    /// The column whose value is written on each feature.
    pub label: Option<usize>,
}

/// One class.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// For people: words and numbers.
    pub label: String,
    /// What the inside is filled with; nothing where only the edge is drawn.
    pub fill: Option<Rgb>,
    /// Which features are in it.
    pub test: Test,
}

/// Which features are in a class.
#[derive(Debug, Clone, PartialEq)]
pub enum Test {
    /// All.
    Any,
    /// Those above `low` and at most at `high`; the first class of a legend has those at `low`, too.
    Between {
        /// The lower bound.
        low: f64,
        /// The upper bound.
        high: f64,
    },
    /// Those with that word.
    Is(&'static str),
}

impl Legend {
    /// What a layer looks like, in the words of a language.
    pub fn of(layer: &Layer, lang: Lang) -> Self {
        let alike = |fill: Option<Rgb>| {
            let label = lang.say(&layer.title).to_string();
            (None, vec![Entry { label, fill, test: Test::Any }])
        };
        let (column, entries) = match &layer.style.by {
            DrawnBy::Edge => alike(None),
            DrawnBy::Alike => alike(colours::sequential(1).first().copied()),
            DrawnBy::Word { column, words } => {
                let entry = |word: &brasa_model::Word| Entry {
                    label: lang.say(word.title).to_string(),
                    fill: Some(colours::of_tone(word.tone)),
                    test: Test::Is(word.value),
                };
                (layer.column(column), words.iter().map(entry).collect())
            }
            DrawnBy::Number { column, scale, classes } => {
                let column = layer.column(column);
                let values: Vec<f64> = column.map_or_else(Vec::new, |at| numbers(layer, at).collect());
                (column, numbered(&values, *scale, *classes, lang))
            }
        };
        let title = column.map_or_else(String::new, |at| titled(&layer.columns[at], lang));
        Self { title, column, entries, label: layer.style.label.and_then(|label| layer.column(label)) }
    }

    /// The class of a feature; none where its value is not known.
    pub fn entry_of(&self, feature: &Feature) -> Option<usize> {
        let value = self.column.and_then(|at| feature.values.get(at));
        let holds = |(at, entry): (usize, &Entry)| match (&entry.test, value) {
            (Test::Any, _) => true,
            (Test::Is(word), Some(Value::Text(text))) => text == word,
            (Test::Between { low, high }, Some(value)) => value
                .number()
                .is_some_and(|value| value <= *high && (value > *low || (at == 0 && value == *low))),
            _ => false,
        };
        self.entries.iter().enumerate().position(holds)
    }
}

fn numbers(layer: &Layer, column: usize) -> impl Iterator<Item = f64> + '_ {
    layer.features.iter().filter_map(move |feature| feature.values.get(column).and_then(Value::number))
}

/// `Intensity (incidents/km²/year)`; just `Incidents`, not `Incidents (incidents)`.
pub fn titled(column: &Column, lang: Lang) -> String {
    let title = lang.say(column.title);
    // The unit of "Mean distance" is m, and its title does not say so.
    let after = column.title.to_lowercase().strip_prefix(&*column.unit).map(|rest| rest.chars().next());
    let says_unit =
        column.unit.is_empty() || after.is_some_and(|next| next.is_none_or(|next| !next.is_alphanumeric()));
    if says_unit || column.kind == ColumnKind::Text {
        title.to_string()
    } else {
        format!("{title} ({})", lang.unit(&column.unit))
    }
}

/// The classes of numbers. To both sides of zero, each side is cut by itself, into about half as many.
fn numbered(values: &[f64], scale: Scale, classes: brasa_model::Classes, lang: Lang) -> Vec<Entry> {
    let (bounds, fills) = match scale {
        Scale::Sequential | Scale::Upper => {
            let bounds = classes::bounds(values, classes);
            let count = bounds.len().saturating_sub(1);
            (bounds, colours::sequential(count))
        }
        Scale::Diverging => {
            let half = brasa_model::Classes { most: classes.most.div_ceil(2).max(2), ..classes };
            let side = |sign: f64| {
                let mut side: Vec<f64> =
                    values.iter().map(|value| value * sign).filter(|value| *value > 0.0).collect();
                side.push(0.0);
                let bounds = classes::bounds(&side, half);
                if bounds.last().is_some_and(|last| *last > 0.0) { bounds } else { Vec::new() }
            };
            let (below, above) = (side(-1.0), side(1.0));
            let fills = colours::diverging(below.len().saturating_sub(1), above.len().saturating_sub(1));
            let mut bounds: Vec<f64> = below.iter().rev().map(|bound| 0.0 - bound).collect();
            bounds.extend(above.iter().skip(usize::from(!below.is_empty())));
            (bounds, fills)
        }
    };
    let words = if scale == Scale::Sequential { in_words(fills.len()) } else { &[] };
    let texts = written(&bounds);
    let entry = |(at, fill): (usize, Rgb)| {
        let (low, high) = (bounds[at], bounds[at + 1]);
        let numbers = if texts[at] == texts[at + 1] {
            lang.number(&texts[at])
        } else {
            format!("{} – {}", lang.number(&texts[at]), lang.number(&texts[at + 1]))
        };
        let label = match words.get(at) {
            Some(word) => format!("{}: {numbers}", lang.say(word)),
            None => numbers,
        };
        Entry { label, fill: Some(fill), test: Test::Between { low, high } }
    };
    fills.into_iter().enumerate().map(entry).collect()
}

/// What so many classes are called, from little to much; nothing where there are no words for so many.
const fn in_words(count: usize) -> &'static [&'static str] {
    match count {
        2 => &["low", "high"],
        3 => &["low", "medium", "high"],
        4 => &["low", "medium", "high", "very high"],
        5 => &["very low", "low", "medium", "high", "very high"],
        _ => &[],
    }
}

/// Numbers with as few decimals as tell them apart, three at least of those that matter in the smallest step.
fn written(bounds: &[f64]) -> Vec<String> {
    let steps = bounds.windows(2).map(|pair| (pair[1] - pair[0]).abs()).filter(|step| *step > 0.0);
    let smallest = steps.fold(f64::INFINITY, f64::min);
    let decimals = (0..12).find(|&decimals| smallest * 10_f64.powi(decimals) >= 9.5).unwrap_or(0) as usize;
    let whole = bounds.iter().all(|bound| bound.fract() == 0.0);
    let decimals = if whole || !smallest.is_finite() && bounds.iter().all(|bound| bound.abs() >= 100.0) {
        0
    } else if smallest.is_finite() {
        decimals
    } else {
        2
    };
    // Adding 0 makes -0 a 0.
    bounds.iter().map(|bound| format!("{:.decimals$}", bound + 0.0)).collect()
}

/// How a surface is coloured: values with their colours, between which it is blended.
#[derive(Debug, Clone, PartialEq)]
pub struct Ramp {
    /// Ascending in value.
    pub stops: Vec<Stop>,
}

/// A value and its colour.
#[derive(Debug, Clone, PartialEq)]
pub struct Stop {
    /// The value.
    pub value: f64,
    /// As written in a legend.
    pub label: String,
    /// Its colour.
    pub colour: Rgb,
    /// 0 lets what lies beneath show.
    pub alpha: u8,
}

/// How many values take part in choosing the classes of a surface.
const SAMPLE: usize = 20_000;

impl Ramp {
    /// Of a surface from zero up the colours follow its classes, and zero is not drawn; of one with values on both sides
    /// of zero they go from there to the value furthest away.
    pub fn of(surface: &Surface, lang: Lang) -> Self {
        let known: Vec<f64> =
            surface.grid.cells().map(|cell| surface.value(cell)).filter(|v| v.is_finite()).collect();
        let lowest = known.iter().copied().fold(f64::INFINITY, f64::min);
        let highest = known.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let (bounds, colours) = if lowest < 0.0 {
            let far = highest.max(-lowest);
            let half = colours::diverging(2, 2);
            let mut colours = vec![half[0], half[1], Rgb(247, 247, 247)];
            colours.extend(&half[2..]);
            (vec![-far, -far / 2.0, 0.0, far / 2.0, far], colours)
        } else {
            let positive: Vec<f64> = known.into_iter().filter(|value| *value > 0.0).collect();
            let step = positive.len().div_ceil(SAMPLE).max(1);
            let mut sample: Vec<f64> = positive.into_iter().step_by(step).collect();
            if sample.is_empty() {
                return Self { stops: Vec::new() };
            }
            sample.extend([0.0, highest]);
            let bounds = classes::bounds(&sample, brasa_model::Classes::default());
            let colours = colours::sequential(bounds.len());
            (bounds, colours)
        };
        let texts = written(&bounds);
        let stop = |((value, colour), text): ((f64, Rgb), &String)| Stop {
            value,
            label: lang.number(text),
            colour,
            alpha: if value == 0.0 && lowest >= 0.0 { 0 } else { 255 },
        };
        Self { stops: bounds.into_iter().zip(colours).zip(&texts).map(stop).collect() }
    }

    /// The same in greys of the same lightness, for what lies beneath something in colour.
    #[must_use]
    pub fn muted(&self) -> Self {
        let muted = |stop: &Stop| Stop { colour: stop.colour.grey(), ..stop.clone() };
        Self { stops: self.stops.iter().map(muted).collect() }
    }

    /// The colour of a value and how opaque it is; values beyond the ends have the colour of the end.
    pub fn at(&self, value: f64) -> Option<(Rgb, u8)> {
        let (first, last) = (self.stops.first()?, self.stops.last()?);
        if !value.is_finite() {
            return None;
        }
        if value <= first.value {
            return Some((first.colour, first.alpha));
        }
        let Some(above) = self.stops.iter().position(|stop| value <= stop.value) else {
            return Some((last.colour, last.alpha));
        };
        let (low, high) = (&self.stops[above - 1], &self.stops[above]);
        let part = (value - low.value) / (high.value - low.value);
        let mix = |a: u8, b: u8| (f64::from(a) * (1.0 - part) + f64::from(b) * part).round() as u8;
        let (a, b) = (low.colour, high.colour);
        Some((Rgb(mix(a.0, b.0), mix(a.1, b.1), mix(a.2, b.2)), mix(low.alpha, high.alpha)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use brasa_model::{Crs, Provenance, Style, Tone, Word};
    use geo::Point;

    fn layer(style: Style, values: Vec<Value>, kind: ColumnKind) -> Layer {
        let features = values.into_iter().enumerate().map(|(at, value)| Feature {
            id: at as i64,
            geometry: Point::new(5e5, 5e6).into(),
            values: vec![value],
        });
        Layer {
            name: "test".to_owned(),
            title: "Test".to_owned(),
            description: String::new(),
            crs: Crs::from_epsg(32616).unwrap(),
            columns: vec![Column::new("value", "Value", "m", kind)],
            features: features.collect(),
            style,
            period: None,
            provenance: Provenance::new("test", serde_json::Value::Null),
            notes: Vec::new(),
        }
    }

    fn labels(legend: &Legend) -> Vec<&str> {
        legend.entries.iter().map(|entry| entry.label.as_str()).collect()
    }

    #[test]
    fn every_known_value_has_a_class_and_an_unknown_one_none() {
        let values = [1.0, 2.0, 2.0, 5.0, 9.0, 40.0].map(Value::Real).into_iter().chain([Value::Null]);
        let layer = layer(Style::number("value", Scale::Sequential), values.collect(), ColumnKind::Real);
        let legend = Legend::of(&layer, Lang::EN);
        assert_eq!(legend.title, "Value (m)");
        let classes: Vec<_> = layer.features.iter().map(|feature| legend.entry_of(feature)).collect();
        assert_eq!(classes, [Some(0), Some(1), Some(1), Some(2), Some(3), Some(4), None]);
        assert_eq!(labels(&legend)[4], "very high: 9 – 40");
    }

    #[test]
    fn a_unit_is_not_said_twice() {
        let titled = |title, unit| titled(&Column::new("value", title, unit, ColumnKind::Real), Lang::EN);
        assert_eq!(titled("Incidents in the zone", "incidents"), "Incidents in the zone");
        assert_eq!(titled("Area", "km²"), "Area (km²)");
        assert_eq!(titled("Mean distance", "m"), "Mean distance (m)");
        assert_eq!(titled("p", ""), "p");
    }

    #[test]
    fn zero_parts_what_diverges() {
        let values = [-4.0, -1.0, 0.5, 2.0, 3.0].map(Value::Real).to_vec();
        let layer = layer(Style::number("value", Scale::Diverging), values, ColumnKind::Real);
        let legend = Legend::of(&layer, Lang::EN);
        let class = |at: usize| legend.entry_of(&layer.features[at]).unwrap();
        let bound = |at: usize| match legend.entries[at].test {
            Test::Between { low, high } => (low, high),
            _ => panic!(),
        };
        assert!(bound(class(1)).1 <= 0.0 && bound(class(2)).0 >= 0.0, "{legend:?}");
        assert_eq!(bound(class(0)).0, -4.0);
        assert_eq!(bound(class(4)).1, 3.0);
    }

    #[test]
    fn one_side_and_no_value_at_all_have_a_legend() {
        for values in [vec![], vec![Value::Null], vec![Value::Real(0.0)], vec![Value::Real(-2.0); 3]] {
            for scale in [Scale::Sequential, Scale::Diverging] {
                let known = values.iter().any(|value| value.number().is_some_and(|value| value != 0.0));
                let layer = layer(Style::number("value", scale), values.clone(), ColumnKind::Real);
                let legend = Legend::of(&layer, Lang::EN);
                let all = layer.features.iter().all(|feature| legend.entry_of(feature).is_some());
                assert!(all || !known, "{legend:?}");
            }
        }
    }

    #[test]
    fn words_keep_their_order_and_edges_have_no_fill() {
        let word = |value, title, tone| Word { value, title, tone };
        let words = vec![word("hot", "Hot", Tone::High), word("not", "Not", Tone::Quiet)];
        let values = vec![Value::Text("not".to_owned()), Value::Text("other".to_owned())];
        let legend_of = |style: Style| Legend::of(&layer(style, values.clone(), ColumnKind::Text), Lang::EN);
        let legend = legend_of(Style::word("value", words));
        assert_eq!(labels(&legend), ["Hot", "Not"]);
        let classes: Vec<_> = layer(Style::of(DrawnBy::Edge), values.clone(), ColumnKind::Text)
            .features
            .iter()
            .map(|f| legend.entry_of(f))
            .collect();
        assert_eq!(classes, [Some(1), None]);
        let edge = legend_of(Style::of(DrawnBy::Edge));
        assert_eq!((edge.entries.len(), edge.entries[0].fill), (1, None));
    }

    #[test]
    fn numbers_have_the_decimals_that_tell_them_apart() {
        assert_eq!(written(&[0.0, 1234.5678, 98765.4]), ["0", "1235", "98765"]);
        assert_eq!(written(&[0.01, 0.02, 0.5]), ["0.010", "0.020", "0.500"]);
        assert_eq!(written(&[1.0, 2.0, 3.0]), ["1", "2", "3"]);
        assert_eq!(written(&[2.5, 2.5]), ["2.50", "2.50"]);
        assert_eq!(written(&[]), Vec::<String>::new());
    }
}
