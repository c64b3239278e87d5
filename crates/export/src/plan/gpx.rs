//! Routes for a navigation device: GPX 1.1. A place for each area, a route for each tour; what will be driven is a route, a track is what was.

use std::fmt::Write as _;

use brasa_model::{Civil, PatrolPlan, PlanBriefing};
use geo::Coord;

use super::{Places, day, said};
use crate::Lang;
use crate::escape::escaped;

pub(super) fn of(briefing: &PlanBriefing, plan: &PatrolPlan, places: &Places, lang: Lang) -> String {
    let mut out = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <gpx version=\"1.1\" creator=\"brasa {}\" xmlns=\"http://www.topografix.com/GPX/1/1\">\n\
         <metadata><name>{}</name></metadata>\n",
        escaped(&briefing.provenance.version),
        escaped(&briefing.title),
    );
    for (area, place) in plan.areas.iter().zip(&places.areas) {
        if let Some(place) = position(*place) {
            let _ = writeln!(out, "<wpt {place}><name>{}</name></wpt>", escaped(&area.name));
        }
    }
    for tour in &plan.tours {
        let start = plan.shifts.get(tour.shift).map_or(0, |shift| shift.start);
        let shift = plan.shifts.get(tour.shift).map(|shift| shift.name.as_str()).unwrap_or_default();
        let name =
            format!("{} {} · {} · {shift}", lang.say("Unit"), tour.unit + 1, day(&plan.clock, start, lang));
        let _ = writeln!(out, "<rte><name>{}</name>", escaped(&name));
        for (at, stop) in tour.stops.iter().enumerate() {
            let Some(place) = places.at(plan, tour, at).and_then(position) else { continue };
            let _ = writeln!(
                out,
                "<rtept {place}><time>{}Z</time><name>{}</name></rtept>",
                Civil(stop.begin),
                escaped(&said(plan, tour, stop, lang)),
            );
        }
        out.push_str("</rte>\n");
    }
    out.push_str("</gpx>\n");
    out
}

fn position(at: Coord<f64>) -> Option<String> {
    at.x.is_finite().then(|| format!("lat=\"{:.6}\" lon=\"{:.6}\"", at.y, at.x))
}
