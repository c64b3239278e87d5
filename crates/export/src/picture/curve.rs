//! A curve as a picture: SVG that a browser, an office suite and QGIS open, readable in black and white.
//!
//! Columns of one unit share a panel; panels lie below one another and share their x axis. The two ends of a band are a grey area, lines
//! are told apart by their dashes, and a legend beside each panel names them. What is not known leaves a gap.

use std::fmt::Write as _;
use std::ops::RangeInclusive;

use brasa_model::{Curve, Role, Series};
use serde_json::json;

use super::px;
use crate::escape::escaped;

/// Pixels: the whole width, a panel's left and right side, its height, and what lies above and between panels.
const WIDTH: f64 = 920.0;
const LEFT: f64 = 90.0;
const RIGHT: f64 = 600.0;
const HEIGHT: f64 = 300.0;
const TOP: f64 = 56.0;
const BETWEEN: f64 = 64.0;

/// How lines are told apart.
const DASHES: [&str; 4] = ["none", "7 4", "2 3", "9 3 2 3"];
/// How bands are, from the first on: the wider ones are drawn first.
const GREYS: [&str; 2] = ["#e3e3e3", "#c4c4c4"];

/// The picture, as the text of an SVG file.
pub(crate) fn svg(curve: &Curve) -> String {
    let panels = panels(curve);
    let height = TOP + panels.len().max(1) as f64 * (HEIGHT + BETWEEN);
    let x = Axis::of([&curve.x].into_iter(), LEFT..=RIGHT);
    let record = json!({ "provenance": curve.provenance, "notes": curve.notes });
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" viewBox=\"0 0 {WIDTH} {height}\" font-family=\"sans-serif\" font-size=\"13\">\n\
         <title>{title}</title>\n<metadata>{record}</metadata>\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n\
         <text x=\"{LEFT}\" y=\"30\" font-size=\"17\" font-weight=\"bold\">{title}</text>\n",
        title = escaped(&curve.title),
        record = escaped(&record.to_string()),
    );
    for (at, panel) in panels.iter().enumerate() {
        let top = TOP + at as f64 * (HEIGHT + BETWEEN);
        let y = Axis::of(panel.iter().copied(), top + HEIGHT..=top);
        draw_panel(&mut out, curve, panel, (&x, &y), top);
    }
    out.push_str("</svg>\n");
    out
}

/// The columns that are drawn, by unit, in the order in which the units appear; of one of which nothing is known there is none.
fn panels(curve: &Curve) -> Vec<Vec<&Series>> {
    let mut panels: Vec<Vec<&Series>> = Vec::new();
    for series in curve.y.iter().filter(|series| is_drawn(series)) {
        match panels.iter_mut().find(|panel| panel[0].unit == series.unit) {
            Some(panel) => panel.push(series),
            None => panels.push(vec![series]),
        }
    }
    panels
}

fn is_drawn(series: &Series) -> bool {
    series.role != Role::Table && series.values.iter().any(|value| value.is_finite())
}

fn draw_panel(out: &mut String, curve: &Curve, panel: &[&Series], (x, y): (&Axis, &Axis), top: f64) {
    let of_role = |role: Role| panel.iter().filter(move |series| series.role == role);
    let mut legend = top + 6.0;
    let mut named = |out: &mut String, sample: &str, title: &str| {
        let from = RIGHT + 16.0;
        let _ = writeln!(
            out,
            "<g transform=\"translate({from},{legend})\">{sample}</g><text x=\"{}\" y=\"{}\" font-size=\"12\">{}</text>",
            from + 36.0,
            legend + 9.0,
            escaped(title)
        );
        legend += 20.0;
    };
    // Ticks first, then bands, then lines, so that nothing hides what matters more.
    let first = of_role(Role::Line).next().unwrap_or(&panel[0]);
    frame(out, curve, first, (x, y), top);
    for ((low, high), grey) in of_role(Role::Low).zip(of_role(Role::High)).zip(GREYS.iter().cycle()) {
        for run in known(&[&curve.x.values, &low.values, &high.values]) {
            let place = |values: &[f64], step: usize| {
                format!("{},{}", px(x.at(curve.x.values[step])), px(y.at(values[step])))
            };
            let there = run.clone().map(|step| place(&high.values, step));
            let back = run.clone().rev().map(|step| place(&low.values, step));
            let points: Vec<String> = there.chain(back).collect();
            let _ = writeln!(out, "<polygon points=\"{}\" fill=\"{grey}\"/>", points.join(" "));
        }
        let sample = format!("<rect width=\"28\" height=\"11\" fill=\"{grey}\"/>");
        // "Upper global bound" names the two of them.
        named(out, &sample, &format!("{}s", high.title.trim_start_matches("Upper ")));
    }
    if y.range.contains(&0.0) {
        let zero = px(y.at(0.0));
        let _ = writeln!(
            out,
            "<line x1=\"{LEFT}\" y1=\"{zero}\" x2=\"{RIGHT}\" y2=\"{zero}\" stroke=\"#808080\" stroke-width=\"0.8\"/>"
        );
    }
    if let Some(best) = curve.best() {
        let best = px(x.at(best));
        let _ = writeln!(
            out,
            "<line x1=\"{best}\" y1=\"{top}\" x2=\"{best}\" y2=\"{}\" stroke=\"black\" stroke-width=\"0.8\" stroke-dasharray=\"3 3\"/>",
            top + HEIGHT
        );
    }
    for (series, dashes) in of_role(Role::Line).zip(DASHES.iter().cycle()) {
        let style =
            format!("fill=\"none\" stroke=\"black\" stroke-width=\"1.6\" stroke-dasharray=\"{dashes}\"");
        for run in known(&[&curve.x.values, &series.values]) {
            let points: Vec<(f64, f64)> =
                run.map(|step| (x.at(curve.x.values[step]), y.at(series.values[step]))).collect();
            if let [(x, y)] = points.as_slice() {
                let _ = writeln!(out, "<circle cx=\"{}\" cy=\"{}\" r=\"3\"/>", px(*x), px(*y));
            }
            let points: Vec<String> =
                thinned(&points).into_iter().map(|(x, y)| format!("{},{}", px(x), px(y))).collect();
            let _ = writeln!(out, "<polyline points=\"{}\" {style}/>", points.join(" "));
        }
        named(out, &format!("<line y1=\"5\" x2=\"28\" y2=\"5\" {style}/>"), series.title);
    }
}

/// The box of a panel with its ticks and the names of its axes, of which the upright one has that of the panel's first line.
fn frame(out: &mut String, curve: &Curve, first: &Series, (x, y): (&Axis, &Axis), top: f64) {
    let bottom = top + HEIGHT;
    for (at, label) in x.ticks() {
        let at = px(at);
        let _ = writeln!(
            out,
            "<line x1=\"{at}\" y1=\"{bottom}\" x2=\"{at}\" y2=\"{}\" stroke=\"black\"/><text x=\"{at}\" y=\"{}\" text-anchor=\"middle\">{label}</text>",
            bottom + 5.0,
            bottom + 20.0
        );
    }
    for (at, label) in y.ticks() {
        let _ = writeln!(
            out,
            "<line x1=\"{}\" y1=\"{at}\" x2=\"{LEFT}\" y2=\"{at}\" stroke=\"black\"/><text x=\"{}\" y=\"{}\" text-anchor=\"end\">{label}</text>",
            LEFT - 5.0,
            LEFT - 9.0,
            px(at + 4.5),
            at = px(at),
        );
    }
    let middle = f64::midpoint(top, bottom);
    let _ = writeln!(
        out,
        "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">{}</text>\n\
         <text transform=\"translate(22,{middle}) rotate(-90)\" text-anchor=\"middle\">{}</text>\n\
         <rect x=\"{LEFT}\" y=\"{top}\" width=\"{}\" height=\"{HEIGHT}\" fill=\"none\" stroke=\"black\"/>",
        f64::midpoint(LEFT, RIGHT),
        bottom + 40.0,
        escaped(&with_unit(&curve.x)),
        escaped(&with_unit(first)),
        RIGHT - LEFT,
    );
}

fn with_unit(series: &Series) -> String {
    if series.unit.is_empty() {
        series.title.to_owned()
    } else {
        format!("{} ({})", series.title, series.unit)
    }
}

/// The runs of steps at which all of these are known.
fn known<'a>(columns: &'a [&'a Vec<f64>]) -> impl Iterator<Item = std::ops::Range<usize>> + 'a {
    let is_known = |step: usize| columns.iter().all(|values| values[step].is_finite());
    let steps: Vec<usize> = (0..columns[0].len()).filter(|&step| is_known(step)).collect();
    let runs: Vec<_> = steps.chunk_by(|a, b| a + 1 == *b).map(|run| run[0]..run[run.len() - 1] + 1).collect();
    runs.into_iter()
}

/// No more places than can be told apart: of those in one column of half a pixel the first, the lowest, the highest and the last.
fn thinned(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let column = |at: &(f64, f64)| (at.0 * 2.0).floor();
    let mut kept = Vec::new();
    for run in points.chunk_by(|a, b| column(a) == column(b)) {
        let by_height = |a: &&usize, b: &&usize| run[**a].1.total_cmp(&run[**b].1);
        let all: Vec<usize> = (0..run.len()).collect();
        let ends = [0, run.len() - 1];
        let extremes = all.iter().min_by(by_height).into_iter().chain(all.iter().max_by(by_height)).copied();
        let mut keep: Vec<usize> = ends.into_iter().chain(extremes).collect();
        keep.sort_unstable();
        keep.dedup();
        kept.extend(keep.into_iter().map(|at| run[at]));
    }
    kept
}

/// From values to pixels.
struct Axis {
    range: RangeInclusive<f64>,
    pixels: RangeInclusive<f64>,
}

impl Axis {
    /// As wide as all values that are known.
    fn of<'a>(columns: impl Iterator<Item = &'a Series>, pixels: RangeInclusive<f64>) -> Self {
        let known = columns.flat_map(|series| &series.values).filter(|value| value.is_finite());
        let (low, high) =
            known.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &at| (low.min(at), high.max(at)));
        let (low, high) = if low <= high { (low, high) } else { (0.0, 1.0) };
        // What is all alike is drawn in the middle.
        let flat = if high > low { 0.0 } else { (0.1 * low.abs()).max(0.5) };
        Self { range: low - flat..=high + flat, pixels }
    }

    fn at(&self, value: f64) -> f64 {
        let part = (value - self.range.start()) / (self.range.end() - self.range.start());
        self.pixels.start() + part * (self.pixels.end() - self.pixels.start())
    }

    /// Between four and ten round values, where they are and how they are written.
    fn ticks(&self) -> Vec<(f64, String)> {
        let (low, high) = (*self.range.start(), *self.range.end());
        // The power of ten below the extent, and how many decimals it has.
        let (mut power, mut decimals) = (1.0, 0_usize);
        while power * 10.0 <= high - low {
            power *= 10.0;
        }
        while power > high - low && decimals < 300 {
            power /= 10.0;
            decimals += 1;
        }
        let times = (high - low) / power;
        let (step, decimals) = match times {
            times if times < 2.0 => (0.2 * power, decimals + 1),
            times if times < 5.0 => (0.5 * power, decimals + 1),
            _ => (power, decimals),
        };
        // A power of ten above 1 has no decimals, nor has half of it.
        let decimals = if step >= 1.0 && step.fract() == 0.0 { 0 } else { decimals };
        let hair = 1e-9 * step;
        let (first, last) = (((low - hair) / step).ceil() as i64, ((high + hair) / step).floor() as i64);
        let label = |value: f64| {
            if step < 1e-4 || value.abs() >= 1e7 {
                format!("{value:.2e}")
            } else {
                format!("{value:.decimals$}")
            }
        };
        (first..=last)
            .map(|at| {
                let value = at as f64 * step;
                (self.at(value), label(value))
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use brasa_model::Provenance;

    fn curve(x: Vec<f64>, y: Vec<Series>) -> Curve {
        Curve {
            title: "K < L & g".to_owned(),
            x: Series::new("r_m", "Distance", "m", x),
            y,
            optimum: None,
            provenance: Provenance::new("test", json!({ "edge": "none" })),
            notes: Vec::new(),
        }
    }

    #[test]
    fn a_unit_has_a_panel_a_band_is_grey_and_a_gap_stays_open() {
        let steps = || vec![0.0, 100.0, 200.0, 300.0, 400.0];
        let drawn = svg(&curve(
            steps(),
            vec![
                Series::new("l", "L", "m", vec![0.0, 5.0, f64::NAN, 7.0, 9.0]),
                Series::new("low", "Lower bound", "m", vec![-1.0; 5]).role(Role::Low),
                Series::new("high", "Upper bound", "m", vec![1.0; 5]).role(Role::High),
                Series::new("k", "K", "m²", vec![1e9; 5]).role(Role::Table),
                Series::new("g", "Pair correlation", "", vec![2.0; 5]),
            ],
        ));
        let count = |what: &str| drawn.matches(what).count();
        // The box of each panel, two runs of L and one of g, one band.
        assert_eq!(
            (count("fill=\"none\" stroke=\"black\"/>"), count("<polyline"), count("<polygon")),
            (2, 3, 1)
        );
        assert!(drawn.contains("K &lt; L &amp; g") && drawn.contains(">bounds</text>"));
        assert!(drawn.contains("Distance (m)") && drawn.contains(">L (m)<") && !drawn.contains("m²"));
        assert!(drawn.contains("{&quot;provenance&quot;"));
        // L = 9 lies at the top of its panel, at its right side.
        assert!(drawn.contains(&format!("{RIGHT},{TOP}")), "{drawn}");
    }

    #[test]
    fn ticks_are_round_and_few() {
        let labels = |low: f64, high: f64| -> Vec<String> {
            let axis = Axis { range: low..=high, pixels: 0.0..=1.0 };
            axis.ticks().into_iter().map(|(_, label)| label).collect()
        };
        assert_eq!(labels(0.0, 1.0), ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        assert_eq!(labels(0.0, 900.0), ["0", "100", "200", "300", "400", "500", "600", "700", "800", "900"]);
        assert_eq!(labels(-12.0, 31.0), ["-10", "-5", "0", "5", "10", "15", "20", "25", "30"]);
        assert_eq!(labels(0.012, 0.034), ["0.015", "0.020", "0.025", "0.030"]);
        assert_eq!(labels(2.0, 3.5), ["2.0", "2.2", "2.4", "2.6", "2.8", "3.0", "3.2", "3.4"]);
        for extent in [1e-12, 3e-5, 0.7, 42.0, 1e5, 3e8] {
            let found = labels(-0.3 * extent, 0.7 * extent);
            assert!((4..=11).contains(&found.len()), "{found:?}");
        }
    }

    #[test]
    fn nothing_one_value_and_very_many_have_a_picture() {
        assert!(svg(&curve(vec![], vec![])).ends_with("</svg>\n"));
        let one = svg(&curve(vec![1.0], vec![Series::new("z", "z", "", vec![3.0])]));
        assert!(one.contains("<circle") && !one.contains("NaN") && !one.contains("inf"));
        let many: Vec<f64> = (0..100_000_u32).map(|at| f64::from(at * 7919 % 1000)).collect();
        let x = (0..100_000_u32).map(f64::from).collect();
        let drawn = svg(&curve(x, vec![Series::new("d", "Distance", "m", many)]));
        assert!(drawn.len() < 100_000, "{}", drawn.len());
    }
}
