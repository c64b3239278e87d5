//! A sheet in A4 landscape: a map with what a reader needs to judge it beside and below. What goes on it is settled in `map.rs`.

use std::fmt::Write as _;

use brasa_model::{Layer, Surface, Trend};
use geo::{BoundingRect, Coord, Geometry, InteriorPoint, Rect};

use super::places::{Frame, Taken};
use super::{broken, fitted, px};
use crate::escape::escaped;
use crate::lang::Lang;
use crate::style::{Legend, Ramp, colours_of_paper as paper};

/// A4 at 96 dots per inch.
const WIDTH: f64 = 1123.0;
const HEIGHT: f64 = 794.0;
/// The map's left, top, width and height.
const MAP: [f64; 4] = [24.0, 84.0, 740.0, 626.0];
/// The left side and the width of what stands beside the map.
const SIDE: f64 = 786.0;
const SIDE_WIDTH: f64 = WIDTH - SIDE - 24.0;
/// No more labels than a reader takes in.
const MOST_LABELS: usize = 40;

/// How lines look: around what matters, around what only bounds, and ways.
const OUTLINE: &str = "stroke-width=\"2.2\"";
const DASHED: &str = "stroke-width=\"1.4\" stroke-dasharray=\"6 3\"";
const THIN: &str = "stroke-width=\"0.7\" stroke-opacity=\"0.55\"";

/// What goes on a sheet.
pub(super) struct Sheet<'a> {
    pub lang: Lang,
    pub title: String,
    pub subtitle: String,
    /// What the map shows.
    pub extent: Rect<f64>,
    /// Drawn beneath all else, in grey.
    pub basemap: Option<&'a Layer>,
    /// The surface on the ground, with its title.
    pub ground: Option<(&'a Surface, Ramp, String)>,
    /// The layers, the lowest first.
    pub layers: Vec<Drawn<'a>>,
    /// A table beside the map: its title, its header and its rows.
    pub table: Option<(String, Vec<String>, Vec<Vec<String>>)>,
    /// How the incidents went.
    pub trend: Option<&'a Trend>,
    /// How not to misread it.
    pub caveat: String,
    /// Where it comes from, a line each.
    pub sources: Vec<String>,
    /// How it was made, for machines.
    pub record: serde_json::Value,
}

/// A layer on the map.
pub(super) struct Drawn<'a> {
    pub layer: &'a Layer,
    pub legend: Legend,
    pub how: How,
}

/// How a layer is drawn.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    /// In the colours of its classes.
    Filled,
    /// By strong outlines alone, so that the ground shows.
    Outlined,
    /// By a thin dashed edge.
    Edged,
}

impl Sheet<'_> {
    /// The sheet as the text of an SVG file.
    pub fn svg(&self) -> String {
        let mut out = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{HEIGHT}\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
             font-family=\"'DejaVu Sans',sans-serif\" font-size=\"12\" fill=\"{ink}\" lang=\"{lang}\">\n<title>{title}</title>\n\
             <metadata>{record}</metadata>\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n",
            ink = paper::INK,
            lang = self.lang.code(),
            title = escaped(&self.title),
            record = escaped(&self.record.to_string()),
        );
        text(
            &mut out,
            (24.0, 40.0),
            &fitted(&self.title, WIDTH - 48.0, 24.0),
            "font-size=\"24\" font-weight=\"bold\"",
        );
        text(&mut out, (24.0, 64.0), &fitted(&self.subtitle, WIDTH - 48.0, 14.0), "font-size=\"14\"");
        let frame = Frame::around(self.extent, MAP);
        self.map(&mut out, &frame);
        let mut y = self.legend(&mut out, MAP[1]);
        y = self.rows(&mut out, y);
        self.bars(&mut out, y);
        self.foot(&mut out);
        out.push_str("</svg>\n");
        out
    }

    fn map(&self, out: &mut String, frame: &Frame) {
        let [left, top, width, height] = MAP;
        let _ = write!(
            out,
            "<clipPath id=\"frame\"><rect x=\"{left}\" y=\"{top}\" width=\"{width}\" height=\"{height}\"/></clipPath>\n\
             <g clip-path=\"url(#frame)\">\n<rect x=\"{left}\" y=\"{top}\" width=\"{width}\" height=\"{height}\" fill=\"{}\"/>\n",
            paper::AROUND,
        );
        for drawn in self.layers.iter().filter(|drawn| drawn.how == How::Edged) {
            if is_of_lines(drawn.layer) {
                continue;
            }
            let fill = format!("fill=\"{}\" fill-rule=\"evenodd\"", paper::GROUND);
            for feature in &drawn.layer.features {
                path(out, &frame.path(&feature.geometry), &fill);
            }
        }
        if let Some((surface, ramp, _)) = &self.ground {
            out.push_str(&frame.image(surface, ramp));
        }
        for feature in self.basemap.iter().flat_map(|basemap| &basemap.features) {
            let style = match feature.geometry {
                Geometry::Polygon(_) | Geometry::MultiPolygon(_) => {
                    format!("fill=\"{}\" fill-opacity=\"0.35\" stroke=\"none\"", paper::BENEATH)
                }
                _ => format!("fill=\"none\" stroke=\"{}\" stroke-width=\"0.7\"", paper::BENEATH),
            };
            path(out, &frame.path(&feature.geometry), &style);
        }
        for drawn in &self.layers {
            drawn.draw(out, frame);
        }
        let mut taken = Taken::default();
        // The scale bar and the arrow to the north lie upon all else.
        taken.keep([MAP[0], MAP[1] + MAP[3] - 44.0, MAP[0] + MAP[2] * 0.3, MAP[1] + MAP[3]]);
        taken.keep([MAP[0] + MAP[2] - 48.0, MAP[1], MAP[0] + MAP[2], MAP[1] + 66.0]);
        for drawn in &self.layers {
            drawn.labels(out, frame, &mut taken);
        }
        out.push_str("</g>\n");
        let _ = writeln!(
            out,
            "<rect x=\"{left}\" y=\"{top}\" width=\"{width}\" height=\"{height}\" fill=\"none\" stroke=\"{}\"/>",
            paper::INK
        );
        self.scale_bar(out, frame);
    }

    /// The scale bar in the map's lower left, the arrow to the north in its upper right.
    fn scale_bar(&self, out: &mut String, frame: &Frame) {
        let (metres, pixels) = frame.scale_bar();
        let (x, y) = (MAP[0] + 16.0, MAP[1] + MAP[3] - 18.0);
        let said = if metres >= 1000.0 { format!("{} km", metres / 1000.0) } else { format!("{metres} m") };
        let _ = writeln!(
            out,
            "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"34\" fill=\"white\" fill-opacity=\"0.85\"/>\
             <rect x=\"{x}\" y=\"{y}\" width=\"{half}\" height=\"5\" fill=\"{ink}\"/>\
             <rect x=\"{}\" y=\"{y}\" width=\"{half}\" height=\"5\" fill=\"white\" stroke=\"{ink}\" stroke-width=\"0.8\"/>",
            x - 8.0,
            y - 20.0,
            px(pixels.max(60.0) + 16.0),
            px(x + pixels / 2.0),
            half = px(pixels / 2.0),
            ink = paper::INK,
        );
        text(out, (x, y - 6.0), &self.lang.number(&said), "font-size=\"12\"");
        let (x, y) = (MAP[0] + MAP[2] - 26.0, MAP[1] + 14.0);
        let _ = writeln!(
            out,
            "<rect x=\"{}\" y=\"{}\" width=\"34\" height=\"52\" fill=\"white\" fill-opacity=\"0.85\"/>\
             <path d=\"M{x} {}l8 24l-8 -6l-8 6Z\" fill=\"{}\"/>",
            x - 17.0,
            y - 6.0,
            y + 14.0,
            paper::INK,
        );
        text(out, (x, y + 8.0), "N", "font-size=\"12\" font-weight=\"bold\" text-anchor=\"middle\"");
    }

    /// The legend; says where it ends.
    fn legend(&self, out: &mut String, top: f64) -> f64 {
        let mut y = top + 12.0;
        let named = |out: &mut String, y: f64, said: &str| {
            for (at, line) in broken(said, SIDE_WIDTH - 40.0, 12.0, 3).iter().enumerate() {
                text(out, (SIDE + 38.0, (at as f64).mul_add(15.0, y)), line, "font-size=\"12\"");
            }
            broken(said, SIDE_WIDTH - 40.0, 12.0, 3).len() as f64 * 15.0
        };
        heading(out, y, &self.lang.say("Legend"));
        y += 20.0;
        for drawn in self.layers.iter().rev() {
            match drawn.how {
                How::Outlined => {
                    let _ = writeln!(
                        out,
                        "<rect x=\"{}\" y=\"{}\" width=\"24\" height=\"13\" fill=\"none\" stroke=\"{}\" stroke-width=\"2.2\"/>",
                        SIDE + 2.0,
                        y - 10.0,
                        paper::INK
                    );
                    let said = format!("{}: {}", self.lang.say(&drawn.layer.title), self.lang.say(SURE));
                    y += named(out, y, &said) + 6.0;
                }
                How::Edged => {
                    let look = if is_of_lines(drawn.layer) { THIN } else { DASHED };
                    let _ = writeln!(
                        out,
                        "<line x1=\"{}\" y1=\"{2}\" x2=\"{}\" y2=\"{2}\" stroke=\"{3}\" {look}/>",
                        SIDE + 2.0,
                        SIDE + 26.0,
                        y - 4.0,
                        paper::INK
                    );
                    y += named(out, y, &self.lang.say(&drawn.layer.title)) + 6.0;
                }
                How::Filled => {
                    if !drawn.legend.title.is_empty() {
                        text(
                            out,
                            (SIDE, y),
                            &fitted(&drawn.legend.title, SIDE_WIDTH, 12.0),
                            "font-weight=\"bold\"",
                        );
                        y += 18.0;
                    }
                    for entry in &drawn.legend.entries {
                        let fill = entry.fill.map_or_else(|| "none".to_owned(), |fill| fill.to_string());
                        let _ = writeln!(
                            out,
                            "<rect x=\"{}\" y=\"{}\" width=\"24\" height=\"13\" fill=\"{fill}\" stroke=\"{}\" stroke-width=\"0.6\"/>",
                            SIDE + 2.0,
                            y - 10.0,
                            paper::INK
                        );
                        y += named(out, y, &entry.label) + 4.0;
                    }
                    y += 4.0;
                }
            }
        }
        if let Some((_, ramp, title)) = self.ground.as_ref().filter(|(_, ramp, _)| !ramp.stops.is_empty()) {
            for line in broken(title, SIDE_WIDTH, 12.0, 2) {
                text(out, (SIDE, y), &line, "font-weight=\"bold\"");
                y += 15.0;
            }
            let last = ramp.stops.len() - 1;
            let (top, step) = (y - 4.0, 20.0);
            out.push_str("<linearGradient id=\"ramp\" x1=\"0\" y1=\"1\" x2=\"0\" y2=\"0\">");
            for (at, stop) in ramp.stops.iter().enumerate() {
                let offset = px(at as f64 / last.max(1) as f64);
                let alpha = px(f64::from(stop.alpha) / 255.0);
                let _ = write!(
                    out,
                    "<stop offset=\"{offset}\" stop-color=\"{}\" stop-opacity=\"{alpha}\"/>",
                    stop.colour
                );
            }
            let _ = writeln!(
                out,
                "</linearGradient><rect x=\"{}\" y=\"{top}\" width=\"24\" height=\"{}\" fill=\"url(#ramp)\" stroke=\"{}\" stroke-width=\"0.6\"/>",
                SIDE + 2.0,
                step * last.max(1) as f64,
                paper::INK
            );
            for (at, stop) in ramp.stops.iter().rev().enumerate() {
                text(
                    out,
                    (SIDE + 38.0, (at as f64).mul_add(step, top + 4.0)),
                    &stop.label,
                    "font-size=\"12\"",
                );
            }
            y = step.mul_add(last.max(1) as f64, top + 30.0);
        }
        y + 4.0
    }

    /// The table; says where it ends.
    fn rows(&self, out: &mut String, top: f64) -> f64 {
        let Some((title, header, rows)) = self.table.as_ref().filter(|(_, _, rows)| !rows.is_empty()) else {
            return top;
        };
        let mut y = top + 8.0;
        heading(out, y, title);
        y += 19.0;
        let columns = header.len().max(1);
        // The first column holds a rank: it is narrow, unless it holds names. The others share the rest and stand at its right side.
        let longest = rows.iter().filter_map(|row| row.first()).map(|first| first.chars().count()).max();
        let first = if longest.unwrap_or(0) > 4 { SIDE_WIDTH / columns as f64 } else { 22.0 };
        let right = |column: usize| {
            let rest = (SIDE_WIDTH - first - 4.0) / (columns - 1).max(1) as f64;
            if column == 0 { SIDE + first } else { (column as f64).mul_add(rest, SIDE + first + 4.0) }
        };
        let mut line = |y: f64, cells: &[String], size: f64, weight: &str| {
            let style = format!("font-size=\"{size}\"{weight}");
            for (column, cell) in cells.iter().enumerate() {
                let room = if column == 0 { right(0) - SIDE } else { right(1) - right(0) - 4.0 };
                text(
                    out,
                    (right(column), y),
                    &fitted(cell, room, size),
                    &format!("text-anchor=\"end\" {style}"),
                );
            }
        };
        line(y, header, 9.5, " font-weight=\"bold\"");
        let room = ((MAP[1] + MAP[3] - TREND_HEIGHT - y - 16.0) / 16.0).floor().max(0.0) as usize;
        for row in rows.iter().take(room) {
            y += 16.0;
            line(y, row, 10.5, "");
        }
        if rows.len() > room {
            y += 16.0;
            let more = format!("+ {}", rows.len() - room);
            text(out, (SIDE + 14.0, y), &more, "font-size=\"10.5\"");
        }
        y + 14.0
    }

    /// Incidents per stretch of time as bars; those the data covers in part are hollow.
    fn bars(&self, out: &mut String, top: f64) {
        let Some(trend) = self.trend.filter(|trend| trend.stretches.len() > 1) else { return };
        let bottom = MAP[1] + MAP[3] - 16.0;
        let y = (bottom - TREND_HEIGHT + 30.0).max(top + 8.0);
        let title = self.lang.say(match trend.step {
            brasa_model::Step::Day => "Incidents per day",
            brasa_model::Step::Week => "Incidents per week",
            brasa_model::Step::Month => "Incidents per month",
            brasa_model::Step::Quarter => "Incidents per quarter",
            brasa_model::Step::Year => "Incidents per year",
        });
        heading(out, y, &title);
        let most = trend.stretches.iter().map(|stretch| stretch.incidents).max().unwrap_or(0).max(1);
        let (top, high) = (y + 18.0, bottom - y - 18.0);
        if high < 12.0 {
            return;
        }
        let step = SIDE_WIDTH / trend.stretches.len() as f64;
        for (at, stretch) in trend.stretches.iter().enumerate() {
            let tall = high * stretch.incidents as f64 / most as f64;
            let fill = if stretch.is_whole { paper::INK } else { paper::GROUND };
            let _ = writeln!(
                out,
                "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"{fill}\" stroke=\"{}\" stroke-width=\"0.5\"/>",
                px((at as f64).mul_add(step, SIDE)),
                px(bottom - tall),
                px(step * 0.8),
                px(tall),
                paper::INK,
            );
        }
        let day = |civil: brasa_model::Civil| civil.to_string()[..10].to_owned();
        let (first, last) =
            (&trend.stretches[0].interval, &trend.stretches[trend.stretches.len() - 1].interval);
        text(out, (SIDE, bottom + 14.0), &day(first.start), "font-size=\"10.5\"");
        let end = brasa_model::Civil(last.end.0 - 1);
        text(out, (SIDE + SIDE_WIDTH, bottom + 14.0), &day(end), "font-size=\"10.5\" text-anchor=\"end\"");
        let most = self.lang.grouped(most);
        text(
            out,
            (SIDE + SIDE_WIDTH, top - 4.0),
            &format!("max {most}"),
            "font-size=\"10.5\" text-anchor=\"end\"",
        );
    }

    fn foot(&self, out: &mut String) {
        let width = WIDTH - 48.0;
        let mut y = MAP[1] + MAP[3] + 22.0;
        for line in broken(&self.caveat, width, 11.0, 2) {
            text(out, (24.0, y), &line, "font-size=\"11.5\" font-style=\"normal\" font-weight=\"bold\"");
            y += 15.0;
        }
        for source in self.sources.iter().filter(|source| !source.is_empty()).take(3) {
            text(out, (24.0, y), &fitted(source, width, 10.0), "font-size=\"10.5\"");
            y += 14.0;
        }
    }
}

/// What makes a hotspot one, for a legend.
const SURE: &str = "significantly many incidents, numbered by rank";

/// The height that is kept for the bars of the trend.
const TREND_HEIGHT: f64 = 120.0;

fn is_of_lines(layer: &Layer) -> bool {
    let is_line = |geometry: &Geometry<f64>| {
        matches!(geometry, Geometry::Line(_) | Geometry::LineString(_) | Geometry::MultiLineString(_))
    };
    layer.features.iter().all(|feature| is_line(&feature.geometry))
}

impl Drawn<'_> {
    fn draw(&self, out: &mut String, frame: &Frame) {
        if self.how == How::Filled {
            return self.fill(out, frame);
        }
        let (halo, look) = match self.how {
            How::Outlined => (5.0, OUTLINE),
            // Ways are many and lie upon what they lead to.
            How::Edged if is_of_lines(self.layer) => (0.0, THIN),
            _ => (0.0, DASHED),
        };
        for feature in &self.layer.features {
            let data = frame.path(&feature.geometry);
            if halo > 0.0 {
                path(
                    out,
                    &data,
                    &format!("fill=\"none\" stroke=\"white\" stroke-opacity=\"0.8\" stroke-width=\"{halo}\""),
                );
            }
            path(out, &data, &format!("fill=\"none\" stroke=\"{}\" {look}", paper::INK));
        }
    }

    /// A path per class, so that a layer of a million cells is a few long paths; what is smaller than a pixel is drawn where no
    /// other that small was.
    fn fill(&self, out: &mut String, frame: &Frame) {
        let mut paths = vec![String::new(); self.legend.entries.len()];
        let mut dotted = std::collections::HashSet::new();
        for feature in &self.layer.features {
            let Some(class) = self.legend.entry_of(feature) else { continue };
            let Some(bounds) = feature.geometry.bounding_rect() else { continue };
            let small = bounds.width().max(bounds.height()) * frame.scale;
            if small > 0.0 && small < 1.0 {
                let (x, y) = frame.at(bounds.center());
                let pixel = (x.floor() as i64, y.floor() as i64);
                if dotted.insert((pixel, class)) {
                    let _ = write!(paths[class], "M{} {}h1v1h-1Z", pixel.0, pixel.1);
                }
            } else {
                paths[class].push_str(&frame.path(&feature.geometry));
            }
        }
        let edge = if self.layer.features.len() > 2000 { "none".to_owned() } else { paper::INK.to_string() };
        let lines = is_of_lines(self.layer);
        for (entry, data) in self.legend.entries.iter().zip(paths).filter(|(_, data)| !data.is_empty()) {
            let colour = entry.fill.map_or_else(|| "none".to_owned(), |fill| fill.to_string());
            let style = if lines {
                format!("fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"")
            } else {
                format!(
                    "fill=\"{colour}\" fill-opacity=\"0.85\" fill-rule=\"evenodd\" stroke=\"{edge}\" stroke-width=\"0.6\""
                )
            };
            path(out, &data, &style);
        }
    }

    /// The values of the label's column, the first features first, as far as there is room.
    fn labels(&self, out: &mut String, frame: &Frame, taken: &mut Taken) {
        let Some(column) = self.legend.label else { return };
        let size = |said: &str| ((said.chars().count() as f64).mul_add(8.2, 8.0), 16.0);
        let mut waiting = Vec::new();
        for feature in self.layer.features.iter().take(MOST_LABELS) {
            let said = match &feature.values[column] {
                brasa_model::Value::Integer(value) => value.to_string(),
                brasa_model::Value::Text(value) => fitted(value, 90.0, 12.0).into_owned(),
                _ => continue,
            };
            let Some(bounds) = feature.geometry.bounding_rect() else { continue };
            let Some(inside) = feature.geometry.interior_point() else { continue };
            let ((left, bottom), (right, top)) = (frame.at(bounds.min()), frame.at(bounds.max()));
            let (width, height) = size(&said);
            let mut named = [left, top, right, bottom];
            if right - left > 2.0 * width && bottom - top > 1.5 * height {
                // A large one is labelled where it surely is, which the middle of a bay is not.
                let (x, y) = frame.at(Coord { x: inside.x(), y: inside.y() });
                named = [x - 1.01 * width, y - 0.76 * height, x + 1.01 * width, y + 0.76 * height];
            } else {
                taken.keep(named);
            }
            waiting.push((said, named));
        }
        for (said, named) in waiting {
            let at = (f64::midpoint(named[0], named[2]), f64::midpoint(named[1], named[3]));
            let size = size(&said);
            let Some((x, y)) = taken.place(named, size, frame) else { continue };
            let moved = (x - at.0).hypot(y - at.1) > 1.0;
            if moved {
                let _ = writeln!(
                    out,
                    "<line x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\" stroke=\"{}\" stroke-width=\"0.8\"/>",
                    px(at.0),
                    px(at.1),
                    px(x),
                    px(y),
                    paper::INK
                );
            }
            let _ = writeln!(
                out,
                "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"3\" fill=\"white\" fill-opacity=\"0.92\" stroke=\"{}\" stroke-width=\"0.8\"/>",
                px(x - size.0 / 2.0),
                px(y - size.1 / 2.0),
                px(size.0),
                px(size.1),
                paper::INK
            );
            text(out, (x, y + 4.3), &said, "font-size=\"12\" font-weight=\"bold\" text-anchor=\"middle\"");
        }
    }
}

fn heading(out: &mut String, y: f64, said: &str) {
    text(out, (SIDE, y), &fitted(said, SIDE_WIDTH, 14.0), "font-size=\"14\" font-weight=\"bold\"");
}

fn text(out: &mut String, (x, y): (f64, f64), said: &str, style: &str) {
    let _ = writeln!(out, "<text x=\"{}\" y=\"{}\" {style}>{}</text>", px(x), px(y), escaped(said));
}

fn path(out: &mut String, data: &str, style: &str) {
    if !data.is_empty() {
        let _ = writeln!(out, "<path d=\"{data}\" {style}/>");
    }
}
