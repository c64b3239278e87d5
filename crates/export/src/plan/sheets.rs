//! Sheets to print, one for each unit and shift: a map with the stops in their order, and the stops with their times. A page without
//! script or request, in one language; what came from a file is text.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use brasa_model::{Doing, PatrolPlan, PlanBriefing, Tour};
use geo::{BoundingRect, Coord, Geometry, LineString, Rect};

use super::{day, hour, said, stopped_at};
use crate::Lang;
use crate::escape::escaped;
use crate::page::digest;
use crate::picture::places::Frame;
use crate::picture::px;
use crate::style::colours_of_paper as paper;

const STYLE: &str = "\
@page{size:A4;margin:12mm}\
body{font:14px/1.35 'DejaVu Sans',system-ui,sans-serif;margin:0;color:#111;background:#fff}\
.sheet{max-width:186mm;margin:0 auto;padding:12px;break-after:page;page-break-after:always}\
.sheet:last-child{break-after:auto;page-break-after:auto}\
h1{font-size:24px;margin:0}.when{font-size:16px;margin:2px 0 8px}\
svg{width:100%;height:auto;display:block;border:1px solid #111}\
table{border-collapse:collapse;width:100%;margin:10px 0;font-variant-numeric:tabular-nums}\
th,td{text-align:left;padding:3px 6px;border-bottom:1px solid #999}\
th{border-bottom:2px solid #111}.n{text-align:right}.box{width:1.4em;height:1.1em;border:1px solid #111;display:inline-block}\
tr.quiet td{color:#444;font-style:italic}\
.foot{font-size:11px;color:#333;margin:6px 0}nav{max-width:186mm;margin:0 auto;padding:12px}nav li{margin:2px 0}\
@media print{nav{display:none}}";

/// The map's width and height.
const MAP: (f64, f64) = (700.0, 400.0);
/// A map never shows less than this, in metres, or a stop would have no street around it.
const LEAST: f64 = 800.0;

pub(super) fn of(briefing: &PlanBriefing, plan: &PatrolPlan, lang: Lang) -> String {
    let mut html = format!(
        "<!DOCTYPE html>\n<html lang=\"{code}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src {policy}\">\n\
         <title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n",
        code = lang.code(),
        policy = digest(STYLE),
        title = escaped(&briefing.title),
    );
    if plan.tours.is_empty() {
        let _ = writeln!(
            html,
            "<main class=\"sheet\"><h1>{}</h1><p>{}</p></main>",
            escaped(&briefing.title),
            lang.say("No visit is planned.")
        );
    } else {
        contents(&mut html, briefing, plan, lang);
    }
    for (at, tour) in plan.tours.iter().enumerate() {
        sheet(&mut html, briefing, plan, (at, tour), lang);
    }
    html.push_str("</body>\n</html>\n");
    html
}

/// What to click on a screen; not printed.
fn contents(html: &mut String, briefing: &PlanBriefing, plan: &PatrolPlan, lang: Lang) {
    let _ = writeln!(html, "<nav><h1>{}</h1><ul>", escaped(&briefing.title));
    for (at, tour) in plan.tours.iter().enumerate() {
        let _ = writeln!(html, "<li><a href=\"#s{at}\">{}</a></li>", heading(plan, tour, lang));
    }
    html.push_str("</ul></nav>\n");
}

/// `Unit 3 · Tuesday 2026-12-01 · 16:00-24:00`.
fn heading(plan: &PatrolPlan, tour: &Tour, lang: Lang) -> String {
    format!("{} {} · {}", lang.say("Unit"), tour.unit + 1, when(plan, tour, lang))
}

fn when(plan: &PatrolPlan, tour: &Tour, lang: Lang) -> String {
    let Some(shift) = plan.shifts.get(tour.shift) else { return String::new() };
    let (from, to) = (hour(&plan.clock, shift.start), hour(&plan.clock, shift.end));
    format!("{} · {from}–{to}", day(&plan.clock, shift.start, lang))
}

fn sheet(
    html: &mut String,
    briefing: &PlanBriefing,
    plan: &PatrolPlan,
    (number, tour): (usize, &Tour),
    lang: Lang,
) {
    let visits = tour.stops.iter().filter(|stop| matches!(stop.doing, Doing::Visit(_))).count();
    let metres: f64 = tour.stops.iter().map(|stop| stop.metres).sum();
    let _ = writeln!(
        html,
        "<section class=\"sheet\" id=\"s{number}\"><h1>{} {}</h1><p class=\"when\">{} · {visits} {} · {} km</p>",
        lang.say("Unit"),
        tour.unit + 1,
        when(plan, tour, lang),
        lang.say("visits"),
        lang.number(&format!("{:.1}", metres / 1000.0)),
    );
    map(html, briefing, plan, tour, lang);
    let _ = writeln!(
        html,
        "<table><thead><tr><th class=\"n\">#</th><th>{}</th><th>{}</th><th>{}</th><th class=\"n\">km</th><th>{}</th></tr></thead><tbody>",
        lang.say("From"),
        lang.say("To"),
        lang.say("Where"),
        lang.say("Done"),
    );
    let mut order = 0;
    for stop in &tour.stops {
        let is_visit = matches!(stop.doing, Doing::Visit(_));
        order += usize::from(is_visit);
        let _ = writeln!(
            html,
            "<tr{}><td class=\"n\">{}</td><td>{}</td><td>{}</td><td>{}</td><td class=\"n\">{}</td><td>{}</td></tr>",
            if is_visit { "" } else { " class=\"quiet\"" },
            if is_visit { order.to_string() } else { String::new() },
            hour(&plan.clock, stop.begin),
            hour(&plan.clock, stop.leave),
            escaped(&said(plan, tour, stop, lang)),
            if stop.metres > 0.0 {
                lang.number(&format!("{:.1}", stop.metres / 1000.0))
            } else {
                String::new()
            },
            if is_visit { "<span class=\"box\"></span>" } else { "" },
        );
    }
    html.push_str("</tbody></table>\n");
    let said = lang.say("Stay for the whole time, be seen, talk to people. The order is random on purpose. Reported incidents are not all incidents; the plan is about places, never persons.");
    let made = &briefing.provenance;
    let _ = writeln!(
        html,
        "<p class=\"foot\">{said}<br>{} · {} {}{}</p></section>",
        escaped(&briefing.title),
        made.tool,
        made.version,
        if briefing.attribution.is_empty() {
            String::new()
        } else {
            format!(" · {}", escaped(&briefing.attribution))
        },
    );
}

fn map(html: &mut String, briefing: &PlanBriefing, plan: &PatrolPlan, tour: &Tour, lang: Lang) {
    let (areas, depots): (Vec<Coord<f64>>, Vec<Coord<f64>>) =
        (plan.areas.iter().map(|area| area.at).collect(), plan.depots.iter().map(|depot| depot.at).collect());
    let mut extent: Option<Rect<f64>> = None;
    let mut widen = |rect: Rect<f64>| {
        extent = Some(extent.map_or(rect, |all| {
            Rect::new(
                Coord { x: all.min().x.min(rect.min().x), y: all.min().y.min(rect.min().y) },
                Coord { x: all.max().x.max(rect.max().x), y: all.max().y.max(rect.max().y) },
            )
        }));
    };
    // The order of the visits at each area that is visited.
    let mut visited: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    let mut ways = Vec::new();
    let mut order = 0;
    for (at, stop) in tour.stops.iter().enumerate() {
        if let Some(place) = stopped_at(plan, tour, at, &areas, &depots) {
            widen(Rect::new(place, place));
        }
        if let Doing::Visit(area) = stop.doing {
            order += 1;
            visited.entry(area).or_default().push(order);
            if let Some(bounds) = plan.areas.get(area).and_then(|area| area.outline.bounding_rect()) {
                widen(bounds);
            }
        }
        if stop.path.len() > 1 {
            let way = LineString::new(stop.path.clone());
            if let Some(bounds) = way.bounding_rect() {
                widen(bounds);
            }
            ways.push(Geometry::LineString(way));
        }
    }
    let Some(extent) = extent else { return };
    let (middle, half) = (extent.center(), |side: f64| side.max(LEAST) / 2.0);
    let half = Coord { x: half(extent.width()), y: half(extent.height()) };
    let frame = Frame::around(Rect::new(middle - half, middle + half), [0.0, 0.0, MAP.0, MAP.1]);
    let _ = write!(
        html,
        "<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\" font-family=\"'DejaVu Sans',sans-serif\" font-size=\"12\">",
        MAP.0,
        MAP.1,
        lang.say("Map of the stops; the table below says the same"),
    );
    let mut draw = |geometry: &Geometry<f64>, attributes: &str| {
        let data = frame.path(geometry);
        if !data.is_empty() {
            let _ = write!(html, "<path d=\"{data}\" {attributes}/>");
        }
    };
    for feature in briefing.basemap.iter().flat_map(|basemap| &basemap.features) {
        let is_area = matches!(feature.geometry, Geometry::Polygon(_) | Geometry::MultiPolygon(_));
        let style = if is_area {
            format!("fill=\"{}\" fill-opacity=\"0.35\"", paper::BENEATH)
        } else {
            format!("fill=\"none\" stroke=\"{}\" stroke-width=\"0.7\"", paper::BENEATH)
        };
        draw(&feature.geometry, &style);
    }
    for (at, area) in plan.areas.iter().enumerate() {
        let style = if visited.contains_key(&at) {
            "fill=\"#fdd49e\" fill-opacity=\"0.7\" stroke=\"#7f0000\" stroke-width=\"1.4\""
        } else {
            "fill=\"none\" stroke=\"#777\" stroke-width=\"0.8\" stroke-dasharray=\"3 2\""
        };
        draw(&Geometry::MultiPolygon(area.outline.clone()), style);
    }
    for way in &ways {
        draw(way, "fill=\"none\" stroke=\"#1f4e8c\" stroke-width=\"2\" stroke-opacity=\"0.75\"");
    }
    if let Some(depot) = plan.depot_of.get(tour.unit).and_then(|depot| depots.get(*depot)) {
        let (x, y) = frame.at(*depot);
        let _ = write!(
            html,
            "<rect x=\"{}\" y=\"{}\" width=\"12\" height=\"12\" fill=\"#111\" stroke=\"white\"/>",
            px(x - 6.0),
            px(y - 6.0)
        );
    }
    for (area, orders) in &visited {
        let Some(at) = areas.get(*area) else { continue };
        let (x, y) = frame.at(*at);
        let orders = orders.iter().map(usize::to_string).collect::<Vec<_>>().join(",");
        let width = (orders.len() as f64).mul_add(7.6, 10.0);
        let _ = write!(
            html,
            "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"18\" rx=\"9\" fill=\"#7f0000\" stroke=\"white\"/>\
             <text x=\"{}\" y=\"{}\" fill=\"white\" text-anchor=\"middle\" font-weight=\"bold\">{orders}</text>",
            px(x - width / 2.0),
            px(y - 9.0),
            px(width),
            px(x),
            px(y + 4.3),
        );
    }
    let (metres, pixels) = frame.scale_bar();
    let bar = if metres >= 1000.0 { format!("{} km", metres / 1000.0) } else { format!("{metres} m") };
    let y = MAP.1 - 14.0;
    let _ = writeln!(
        html,
        "<rect x=\"8\" y=\"{}\" width=\"{}\" height=\"28\" fill=\"white\" fill-opacity=\"0.85\"/>\
         <path d=\"M14 {y}h{}\" stroke=\"#111\" stroke-width=\"3\"/><text x=\"14\" y=\"{}\">{}</text></svg>",
        y - 20.0,
        px(pixels.max(50.0) + 14.0),
        px(pixels),
        y - 6.0,
        lang.number(&bar),
    );
}
