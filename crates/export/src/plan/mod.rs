//! What a patrol is scheduled from, in the files that people and their devices open: calendars, routes, a table, sheets to print, and
//! one object with all of it.

mod calendar;
mod gpx;
mod object;
mod sheets;
mod visits;

use std::path::Path;

use brasa_model::{Civil, Clock, Crs, Doing, PatrolPlan, PlanBriefing, Stop, Tour};
use geo::Coord;

use crate::{ExportError, Lang, sink, write_json};

/// Writes all of a plan as one object.
pub fn write_plan(briefing: &PlanBriefing, path: &Path) -> Result<(), ExportError> {
    write_json(&object::of(briefing)?, path)
}

/// Writes the visits as a table, one row each.
pub fn write_visits(plan: &PatrolPlan, crs: &Crs, path: &Path) -> Result<(), ExportError> {
    visits::write(plan, &Places::of(plan, crs)?, path)
}

/// Writes the tours of a unit as a calendar (iCalendar, RFC 5545).
pub fn write_calendar(
    briefing: &PlanBriefing,
    plan: &PatrolPlan,
    unit: usize,
    lang: Lang,
    path: &Path,
) -> Result<(), ExportError> {
    let places = Places::of(plan, &briefing.study_area.crs)?;
    sink::write_text(&calendar::of_unit(briefing, plan, &places, unit, lang), path)
}

/// Writes the tours as routes and the areas as places for a navigation device (GPX 1.1).
pub fn write_routes(
    briefing: &PlanBriefing,
    plan: &PatrolPlan,
    lang: Lang,
    path: &Path,
) -> Result<(), ExportError> {
    let places = Places::of(plan, &briefing.study_area.crs)?;
    sink::write_text(&gpx::of(briefing, plan, &places, lang), path)
}

/// Writes a page with one sheet to print for each unit and shift: a map and the stops.
pub fn write_sheets(
    briefing: &PlanBriefing,
    plan: &PatrolPlan,
    lang: Lang,
    path: &Path,
) -> Result<(), ExportError> {
    sink::write_text(&sheets::of(briefing, plan, lang), path)
}

/// Longitudes and latitudes of what a plan stops at.
struct Places {
    areas: Vec<Coord<f64>>,
    depots: Vec<Coord<f64>>,
}

impl Places {
    fn of(plan: &PatrolPlan, crs: &Crs) -> Result<Self, ExportError> {
        let way = crs.to_lonlat()?;
        // What a plan stops at came from longitude and latitude and goes back there.
        let there = |at: Coord<f64>| {
            way.convert(at.x, at.y).map_or(Coord { x: f64::NAN, y: f64::NAN }, |(x, y)| Coord { x, y })
        };
        Ok(Self {
            areas: plan.areas.iter().map(|area| there(area.at)).collect(),
            depots: plan.depots.iter().map(|depot| there(depot.at)).collect(),
        })
    }

    /// Where a unit is at a stop; it rests where it was.
    fn at(&self, plan: &PatrolPlan, tour: &Tour, stop: usize) -> Option<Coord<f64>> {
        stopped_at(plan, tour, stop, &self.areas, &self.depots)
    }
}

/// Where a unit is at a stop, out of what holds a place for each area and for each depot.
fn stopped_at<T: Copy>(plan: &PatrolPlan, tour: &Tour, stop: usize, areas: &[T], depots: &[T]) -> Option<T> {
    let depot = || depots.get(*plan.depot_of.get(tour.unit)?).copied();
    match tour.stops.get(stop)?.doing {
        Doing::Start | Doing::End => depot(),
        Doing::Visit(area) => areas.get(area).copied(),
        Doing::Break => {
            let before = tour.stops[..stop].iter().rev().find_map(|stop| match stop.doing {
                Doing::Visit(area) => areas.get(area).copied(),
                _ => None,
            });
            before.or_else(depot)
        }
    }
}

/// What a unit does at a stop, in a word or two.
fn said(plan: &PatrolPlan, tour: &Tour, stop: &Stop, lang: Lang) -> String {
    let depot = || plan.depots.get(*plan.depot_of.get(tour.unit)?).map(|depot| depot.name.as_str());
    match stop.doing {
        Doing::Start => format!("{}: {}", lang.say("Start"), depot().unwrap_or_default()),
        Doing::End => format!("{}: {}", lang.say("End"), depot().unwrap_or_default()),
        Doing::Break => lang.say("Break").into_owned(),
        Doing::Visit(area) => plan.areas.get(area).map_or_else(String::new, |area| called(&area.name, lang)),
    }
}

/// `Place 7`, where a name is a number alone.
fn called(name: &str, lang: Lang) -> String {
    if name.chars().all(|letter| letter.is_ascii_digit()) {
        format!("{} {name}", lang.say("Place"))
    } else {
        name.to_owned()
    }
}

/// `2026-12-01T16:05:00-03:00`.
fn with_offset(clock: &Clock, instant: i64) -> String {
    let seconds = clock.offset(instant).map_or(0, |offset| offset.seconds);
    let sign = if seconds < 0 { '-' } else { '+' };
    let minutes = seconds.unsigned_abs() / 60;
    format!("{}{sign}{:02}:{:02}", clock.civil(instant), minutes / 60, minutes % 60)
}

/// `16:05`.
fn hour(clock: &Clock, instant: i64) -> String {
    clock.civil(instant).to_string()[11..16].to_owned()
}

/// `Tuesday 2026-12-01`.
fn day(clock: &Clock, instant: i64, lang: Lang) -> String {
    const DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
    let Civil(seconds) = clock.civil(instant);
    // 1970-01-01 was a Thursday.
    let weekday = (seconds.div_euclid(86_400) + 3).rem_euclid(7) as usize;
    format!("{} {}", lang.say(DAYS[weekday]), &Civil(seconds).to_string()[..10])
}

/// `unit-03.ics`: as many digits as the last unit has, so that files sort.
pub fn calendar_name(unit: usize, units: usize) -> String {
    let width = units.to_string().len().max(2);
    format!("unit-{:0width$}.ics", unit + 1)
}
