//! What is on a map as a picture: that of a whole briefing, of a layer, of a surface.

use brasa_model::{
    Briefing, Civil, Column, DrawnBy, Fact, InputRecord, Interval, Layer, PlanBriefing, Provenance, Surface,
    Value,
};
use geo::{BoundingRect, Coord, Rect};
use serde_json::json;

use super::sheet::{Drawn, How, Sheet};
use crate::lang::{Imprint, Lang};
use crate::style::{Legend, Ramp};

/// A briefing: the density on the ground, the hotspots by their outlines, the hotspots in a table, the trend.
pub(crate) fn of_briefing(briefing: &Briefing, lang: Lang) -> String {
    let Briefing { hotspots, study_area, density, .. } = briefing;
    let extent = extent(&[study_area]).unwrap_or_else(|| density.grid.bounds());
    let title = format!("{} ({})", lang.say("Density of incidents"), lang.unit(&density.unit));
    Sheet {
        lang,
        title: briefing.title.clone(),
        subtitle: subtitle(briefing, lang),
        extent,
        basemap: briefing.basemap.as_ref(),
        ground: Some((density, Ramp::of(density, lang), title)),
        layers: vec![
            Drawn { layer: study_area, legend: Legend::of(study_area, lang), how: How::Edged },
            Drawn { layer: hotspots, legend: Legend::of(hotspots, lang), how: How::Outlined },
        ],
        table: Some(table(hotspots, lang)),
        trend: briefing.trend.as_ref(),
        caveat: lang.say(CAVEAT).into_owned(),
        sources: sources(&briefing.attribution, &hotspots.provenance, &hotspots.crs.to_string(), lang),
        record: json!({ "provenance": hotspots.provenance, "notes": briefing.notes }),
    }
    .svg()
}

/// A plan: its layers upon the study area, what is listed in a table.
pub(crate) fn of_plan(briefing: &PlanBriefing, lang: Lang) -> String {
    let study_area = &briefing.study_area;
    let layers: Vec<&Layer> = briefing.to_show().collect();
    let all: Vec<&Layer> = layers.iter().copied().chain([study_area]).collect();
    let edge = Drawn { layer: study_area, legend: Legend::of(study_area, lang), how: How::Edged };
    Sheet {
        lang,
        title: briefing.title.clone(),
        subtitle: figures(&briefing.facts[..briefing.facts.len().min(3)], lang, " · "),
        extent: extent(&all).unwrap_or_else(|| Rect::new(Coord::zero(), Coord::zero())),
        basemap: briefing.basemap.as_ref(),
        ground: None,
        layers: std::iter::once(edge)
            .chain(layers.iter().rev().map(|layer| {
                let how = if layer.style.by == DrawnBy::Edge { How::Edged } else { How::Filled };
                Drawn { layer, legend: Legend::of(layer, lang), how }
            }))
            .collect(),
        table: layers.iter().find(|layer| layer.name == briefing.listed).map(|layer| listed(layer, lang)),
        trend: None,
        caveat: briefing.limits.iter().map(|limit| lang.say(limit)).collect::<Vec<_>>().join(" "),
        sources: sources(&briefing.attribution, &briefing.provenance, &study_area.crs.to_string(), lang),
        record: json!({ "provenance": briefing.provenance, "notes": briefing.notes }),
    }
    .svg()
}

/// `62 % of the incidents lie in the areas · 12 areas`.
pub(crate) fn figures(facts: &[Fact], lang: Lang, between: &str) -> String {
    let said =
        |fact: &Fact| format!("{} {}", lang.number(&fact.figure), lang.say(fact.text)).trim().to_owned();
    facts.iter().map(said).collect::<Vec<_>>().join(between)
}

/// What is listed, in a table of its first columns.
fn listed(layer: &Layer, lang: Lang) -> (String, Vec<String>, Vec<Vec<String>>) {
    /// No more columns fit beside a map.
    const MOST: usize = 4;
    let header = layer.columns.iter().take(MOST).map(|column| lang.say(column.title).into_owned()).collect();
    let cell = |(value, column): (&Value, &Column)| match value {
        Value::Text(text) => text.clone(),
        Value::Real(value) if column.is_share() => lang.number(&format!("{:.1} %", value * 100.0)),
        Value::Integer(value) if *value >= 0 => lang.grouped(value.unsigned_abs()),
        Value::Real(value) if value.abs() >= 100.0 => lang.grouped(value.abs().round() as u64),
        Value::Real(value) if value.fract() == 0.0 => format!("{value}"),
        Value::Real(value) => lang.number(&format!("{value:.2}")),
        value => value.number().map_or_else(|| "·".to_owned(), |value| lang.number(&value.to_string())),
    };
    let rows = layer
        .features
        .iter()
        .map(|feature| feature.values.iter().zip(&layer.columns).take(MOST).map(cell).collect());
    (lang.say(&layer.title).into_owned(), header, rows.collect())
}

/// A layer, in the colours of its classes.
pub(crate) fn of_layer(layer: &Layer, Imprint { lang, attribution }: Imprint<'_>) -> String {
    let nowhere = Rect::new(Coord::zero(), Coord::zero());
    Sheet {
        lang,
        title: lang.say(&layer.title).into_owned(),
        subtitle: counted(&layer.provenance, layer.period, lang).join(" · "),
        extent: extent(&[layer]).unwrap_or(nowhere),
        basemap: None,
        ground: None,
        layers: vec![Drawn { layer, legend: Legend::of(layer, lang), how: How::Filled }],
        table: None,
        trend: None,
        caveat: lang.say(&layer.description).into_owned(),
        sources: sources(attribution, &layer.provenance, &layer.crs.to_string(), lang),
        record: json!({ "provenance": layer.provenance, "notes": layer.notes }),
    }
    .svg()
}

/// How not to misread a map of hotspots.
const CAVEAT: &str = "Reported incidents are not all incidents, and many incidents need not mean high risk. The map scores places, never persons.";

/// What the layers cover together.
fn extent(layers: &[&Layer]) -> Option<Rect<f64>> {
    let boxes = layers
        .iter()
        .flat_map(|layer| &layer.features)
        .filter_map(|feature| feature.geometry.bounding_rect());
    boxes.reduce(|a, b| {
        let (low, high) = (a.min(), a.max());
        Rect::new(
            Coord { x: low.x.min(b.min().x), y: low.y.min(b.min().y) },
            Coord { x: high.x.max(b.max().x), y: high.y.max(b.max().y) },
        )
    })
}

/// `2018-01-01 – 2019-12-31 · 2,245 incidents · 832.1 km² · 12 hotspots`.
fn subtitle(briefing: &Briefing, lang: Lang) -> String {
    let mut parts = counted(&briefing.hotspots.provenance, briefing.period(), lang);
    let area: f64 =
        briefing.study_area.features.iter().filter_map(|feature| feature.values[0].number()).sum();
    parts.push(format!("{} km²", lang.number(&format!("{area:.1}"))));
    parts.push(format!("{} {}", briefing.hotspots.features.len(), lang.say("hotspots")));
    parts.join(" · ")
}

/// The period and the number of incidents, as far as they are known.
fn counted(provenance: &Provenance, period: Option<Interval>, lang: Lang) -> Vec<String> {
    let day = |civil: Civil| civil.to_string()[..10].to_owned();
    let period = period.map(|period| format!("{} – {}", day(period.start), day(Civil(period.end.0 - 1))));
    let used = |input: &InputRecord| input.rows.map(|rows| rows.used);
    let used: u64 = provenance.inputs.iter().filter_map(used).sum();
    let used = (used > 0).then(|| format!("{} {}", lang.grouped(used), lang.say("incidents")));
    period.into_iter().chain(used).collect()
}

/// Where the data is from, whom it is owed to, and how the map was made.
fn sources(attribution: &str, provenance: &Provenance, crs: &str, lang: Lang) -> Vec<String> {
    let names: Vec<&str> = provenance
        .inputs
        .iter()
        .filter(|input| input.rows.is_some())
        .map(|input| input.name.as_str())
        .collect();
    let shown = match names.as_slice() {
        names if names.len() > 3 => format!("{}, … ({})", names[..3].join(", "), names.len()),
        names => names.join(", "),
    };
    let made = format!("{} {} · {} · {crs}", provenance.tool, provenance.version, provenance.method);
    vec![format!("{}: {shown} · {made}", lang.say("Source")), attribution.to_owned()]
}

/// The hotspots in a table, those columns that there are.
fn table(hotspots: &Layer, lang: Lang) -> (String, Vec<String>, Vec<Vec<String>>) {
    type Written = fn(f64, Lang) -> String;
    const COLUMNS: [(&str, &str, Written); 7] = [
        ("rank", "#", |value, _| format!("{value:.0}")),
        ("incidents", "n", |value, lang| lang.grouped(value as u64)),
        ("share", "Share", |value, lang| lang.number(&format!("{:.1} %", value * 100.0))),
        ("pai", "PAI", |value, lang| lang.number(&format!("{value:.1}"))),
        ("stability", "Stable", |value, lang| lang.number(&format!("{value:.2}"))),
        ("trend", "Trend", |value, _| format!("{value:+.0} %")),
        ("peak_hours", "Hours", |_, _| String::new()),
    ];
    let known: Vec<_> = COLUMNS
        .iter()
        .filter_map(|(name, title, written)| Some((hotspots.column(name)?, *title, *written)))
        .collect();
    let header = known.iter().map(|(_, title, _)| lang.say(title).into_owned()).collect();
    let cell = |value: &Value, written: Written| match value {
        Value::Text(text) => text.clone(),
        value => value.number().map_or_else(|| "·".to_owned(), |value| written(value, lang)),
    };
    let rows = hotspots
        .features
        .iter()
        .map(|feature| known.iter().map(|(at, _, written)| cell(&feature.values[*at], *written)).collect())
        .collect();
    (lang.say("Hotspots").into_owned(), header, rows)
}

/// A surface, with its unit.
pub(crate) fn of_surface(
    surface: &Surface,
    (name, crs): (&str, &str),
    Imprint { lang, attribution }: Imprint<'_>,
) -> String {
    let title = format!("{} ({})", lang.say(name), lang.unit(&surface.unit));
    Sheet {
        lang,
        title: lang.say(name).into_owned(),
        subtitle: counted(&surface.provenance, None, lang).join(" · "),
        extent: surface.grid.bounds(),
        basemap: None,
        ground: Some((surface, Ramp::of(surface, lang), title)),
        layers: Vec::new(),
        table: None,
        trend: None,
        caveat: lang.say("An intensity, not a probability and not a risk.").into_owned(),
        sources: sources(attribution, &surface.provenance, crs, lang),
        record: json!({ "provenance": surface.provenance, "notes": surface.notes }),
    }
    .svg()
}

#[cfg(test)]
mod tests {
    use super::*;
    use brasa_model::{Column, ColumnKind, Crs, DrawnBy, Feature, Scale, Style};
    use geo::{Geometry, Point};
    use resvg::usvg::{Options, Tree};

    fn layer(style: Style, features: Vec<(Geometry<f64>, &str)>) -> Layer {
        let features = features.into_iter().enumerate().map(|(at, (geometry, text))| Feature {
            id: at as i64,
            geometry,
            values: vec![Value::Integer(at as i64), Value::Text(text.to_owned())],
        });
        Layer {
            name: "test".to_owned(),
            title: "A <b>title</b> & \"more\"".to_owned(),
            description: "]]> </svg>".to_owned(),
            crs: Crs::from_epsg(32_616).unwrap(),
            columns: vec![
                Column::new("rank", "Rank", "", ColumnKind::Integer),
                Column::new("why", "Why", "", ColumnKind::Text),
            ],
            features: features.collect(),
            style,
            period: None,
            provenance: Provenance::new("test", serde_json::Value::Null),
            notes: Vec::new(),
        }
    }

    fn square(x: f64, side: f64) -> Geometry<f64> {
        Rect::new(Coord { x, y: 5e6 }, Coord { x: x + side, y: 5e6 + side }).to_polygon().into()
    }

    /// What a reader of SVG makes of it.
    fn read(svg: &str) -> Tree {
        assert!(!svg.contains("NaN") && !svg.contains("inf\""), "{svg}");
        Tree::from_str(svg, &Options::default()).unwrap()
    }

    #[test]
    fn degenerate_worlds_have_a_picture() {
        let by_rank = || Style::number("rank", Scale::Sequential).labelled("rank");
        for features in [
            vec![],
            vec![(Geometry::Point(Point::new(5e5, 5e6)), "one")],
            vec![(square(5e5, 0.0), "nothing")],
            vec![(square(5e5, 100.0), "one")],
            (0..300).map(|at| (square(5e5 + 0.01 * f64::from(at), 0.005), "small")).collect(),
        ] {
            for style in [by_rank(), Style::of(DrawnBy::Alike), Style::of(DrawnBy::Edge)] {
                read(&of_layer(&layer(style, features.clone()), Imprint::PLAIN));
            }
        }
    }

    #[test]
    fn whatever_stands_in_a_file_is_a_text() {
        let texts =
            ["<script>alert(1)</script>", "\u{0}\u{8}\u{ffff}", "👩‍🚒 عربي \u{202e}", "&amp;\"'>", "]]>"];
        let features =
            texts.iter().enumerate().map(|(at, text)| (square(5e5 + 200.0 * at as f64, 100.0), *text));
        let drawn = layer(Style::of(DrawnBy::Alike).labelled("why"), features.collect());
        let svg = of_layer(&drawn, Imprint { lang: Lang::ES, attribution: texts[0] });
        read(&svg);
        assert!(!svg.contains("<script") && !svg.contains("<b>"), "{svg}");
        assert!(svg.contains("&lt;script&gt;"));
    }

    #[test]
    fn a_million_cells_are_a_picture_of_some_pixels() {
        let cells = (0..100_000).map(|at| {
            let (x, y) = (f64::from(at % 400) * 10.0, f64::from(at / 400) * 10.0);
            let corner = Coord { x: 5e5 + x, y: 5e6 + y };
            let cell = Rect::new(corner, Coord { x: corner.x + 1.0, y: corner.y + 1.0 });
            (cell.to_polygon().into(), "")
        });
        let svg = of_layer(&layer(Style::number("rank", Scale::Sequential), cells.collect()), Imprint::PLAIN);
        assert!(svg.len() < 3_000_000, "{}", svg.len());
    }
}
