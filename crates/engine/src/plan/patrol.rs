//! `brasa plan patrol`: visits of a dose to areas, shift by shift.

use std::path::PathBuf;

use brasa_ingest::Ingested;
use brasa_model::{
    Curve, Depot, Doing, Feature, Layer, Note, PatrolPlan, PlanArea, Provenance, Scale, Series, Style, Times,
    Value as Cell,
};
use brasa_planning::demand;
use brasa_planning::network::{Network, Road};
use brasa_planning::patrol::{Coverage, Patrol, PatrolInput, PatrolParams, PatrolRules, Units};
use brasa_planning::shifts::{Day, ShiftTimes, roster};
use brasa_planning::travel::Travel;
use brasa_spatial_index::{About, Watch};
use geo::{Coord, Geometry, LineString, MultiLineString, MultiPolygon, Point};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use brasa_model::SHARE;

use super::{Made, Weighing, count, fact, layer_of, percent, places, real, refused, text, whole};
use crate::EngineError;

/// What a reader of the catalogue learns.
pub(super) const ABOUT: About = About {
    question: "Who visits which area when, and for how long?",
    reference: "Koper 1995, doi:10.1080/07418829500096231; Christiaens & Vanden Berghe 2020, doi:10.1287/trsc.2019.0914",
    units: "visits, minutes, km",
    cost: "shifts × visits of a shift",
};

/// Parameters of `brasa plan patrol`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PatrolJob {
    /// File with the areas to visit, such as the areas.geojson of brasa plan areas; without it the hotspots of the incidents are visited
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(title = "FILE")]
    pub areas: Option<PathBuf>,
    /// File with the places where units begin and end their shifts; units take them in turn. Without it one in the middle is assumed
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(title = "FILE")]
    pub depots: Option<PathBuf>,
    /// File with the streets to drive on (.osm.pbf, .geojson, .gpkg, …); without it ways are straight lines with a detour
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(title = "FILE")]
    pub streets: Option<PathBuf>,
    /// How much incidents count.
    #[serde(flatten)]
    pub weighing: Weighing,
    /// Units in each shift, such as 8; or from how few to how many, such as 4..10, to see what each one more would add
    pub units: Units,
    /// Begin and end of each shift of a day on the clocks, several separated by ","
    pub shift: ShiftTimes,
    /// The rules.
    #[serde(flatten)]
    pub rules: PatrolRules,
}

const PLAN: &str = "patrol";

/// What is known of patrols.
const LIMITS: [&str; 2] = [
    "It plans as many of the wanted visits as it can, those of busy hours and areas first, and of such plans one that drives little; it is a good plan, not proven the best.",
    "Short visits of 10 to 16 minutes, again and again in an order nobody can learn, are what studies speak for; whether crime falls here only an evaluation can tell, and a trial in Bogotá found no clear fall.",
];

pub(super) fn make(input: &Ingested, job: &PatrolJob, watch: &Watch) -> Result<Made, EngineError> {
    let (mut notes, mut inputs) = (Vec::new(), Vec::new());
    let incidents = job.weighing.weighed(input, &mut notes, &mut inputs)?;
    let crs = &incidents.crs;
    let rules = &job.rules;
    let times = incidents.times.as_ref();
    let Some(zone) = times.and_then(Times::zone) else {
        return Err(refused(
            PLAN,
            "the time zone of the shifts is not known; name it with --tz, such as --tz America/Bogota",
        ));
    };
    let from = match (rules.from, times.and_then(Times::extent)) {
        (Some(day), _) => day,
        (None, Some(period)) => {
            let day = Day::of(period.end).next_monday();
            notes.push(
                Note::new("plan_from", format!("the plan begins on {day}"))
                    .value(day.to_string(), "")
                    .reason("no --from was given; it is the first Monday after the incidents"),
            );
            day
        }
        (None, None) => return Err(refused(PLAN, "no incident has a time; name the first day with --from")),
    };
    let mut shifts = roster(&job.shift, from, rules.days, zone)?;
    notes.append(&mut shifts.notes);
    let areas = places::areas(job.areas.as_deref(), input, &incidents, watch, (&mut notes, &mut inputs))?;
    let depots = depots(job, &areas, crs, (&mut notes, &mut inputs))?;

    let points: Vec<Coord<f64>> =
        areas.iter().map(|area| area.at).chain(depots.iter().map(|depot| depot.at)).collect();
    let travel = travel(job, &points, &areas, crs, (&mut notes, &mut inputs))?;
    let timings = demand::timings(&areas, &incidents);
    let expected = demand::by_shift(&areas, &timings, &shifts.shifts, &shifts.clock);
    let (wanted, more) = demand::wanted(&expected, &shifts.shifts, rules);
    notes.extend(more);
    let patrol_input = PatrolInput {
        areas: &areas,
        depots: &depots,
        depot_of: &[],
        roster: &shifts,
        wanted: &wanted,
        demand: &expected,
        travel: &travel,
    };
    let params = PatrolParams { units: job.units, shift: job.shift.clone(), rules: rules.clone() };
    let mut found = brasa_planning::patrol::patrol(&patrol_input, &params)?;
    notes.append(&mut found.notes);
    let Patrol { plan, coverage, .. } = found;
    if !plan.unserved.is_empty() {
        let missing: u32 = plan.unserved.iter().map(|missing| missing.wanted - missing.planned).sum();
        let mut reasons: Vec<&str> = plan.unserved.iter().map(|missing| missing.why.as_str()).collect();
        reasons.sort_unstable();
        reasons.dedup();
        notes.push(
            Note::new("visits_missing", format!("{missing} wanted visits are not in the plan"))
                .value(missing, "visits")
                .reason(format!("{}; plan.json lists them", reasons.join("; "))),
        );
    }
    let layers = vec![depots_layer(&plan, crs), routes_layer(&plan, crs), areas_layer(&plan, &expected, crs)];
    let best = coverage.last().copied();
    let metres: f64 = plan.tours.iter().flat_map(|tour| &tour.stops).map(|stop| stop.metres).sum();
    let mut facts = Vec::new();
    if let Some(Coverage { wanted, planned, share, units, .. }) = best {
        facts.push(fact(format!("{planned} / {wanted}"), "visits planned of those wanted"));
        facts.push(fact(percent(share), "of the expected demand is visited"));
        facts.push(fact(units, "units in each shift"));
    }
    facts.push(fact(plan.shifts.len(), "shifts"));
    facts.push(fact(format!("{:.0} km", metres / 1000.0), "on the way"));
    let mut parameters = json!(job);
    parameters["from"] = json!(from);
    parameters["tz"] = json!(zone);
    let mut provenance = Provenance::new("plan patrol", parameters);
    provenance.seed = Some(rules.seed);
    Ok(Made {
        layers,
        listed: "areas",
        exact: Vec::new(),
        facts,
        coverage: (coverage.len() > 1).then(|| curve(&coverage)),
        patrol: Some(plan),
        limits: LIMITS.to_vec(),
        provenance,
        inputs,
        notes,
    })
}

fn depots(
    job: &PatrolJob,
    areas: &[PlanArea],
    crs: &brasa_model::Crs,
    (notes, inputs): (&mut Vec<Note>, &mut Vec<brasa_model::InputRecord>),
) -> Result<Vec<Depot>, EngineError> {
    if let Some(path) = &job.depots {
        let found = places::places(path, "depots", crs, inputs)?;
        return Ok(found.into_iter().map(|place| Depot { name: place.name, at: place.at }).collect());
    }
    let all: f64 = areas.iter().map(|area| area.value).sum();
    let mean = |of: fn(&PlanArea) -> f64| {
        let (sum, weight) = if all > 0.0 {
            (areas.iter().map(|area| area.value * of(area)).sum::<f64>(), all)
        } else {
            (areas.iter().map(of).sum(), areas.len() as f64)
        };
        sum / weight
    };
    let middle = Coord { x: mean(|area| area.at.x), y: mean(|area| area.at.y) };
    // Where an area is, there is ground.
    let away = |at: Coord<f64>| (at.x - middle.x).powi(2) + (at.y - middle.y).powi(2);
    let nearest = areas.iter().map(|area| area.at).min_by(|a, b| away(*a).total_cmp(&away(*b)));
    notes.push(
        Note::new("depot_assumed", "units are taken to begin and end in the middle of the areas")
            .reason("no --depots was given; ways to and from stations are missing"),
    );
    Ok(vec![Depot { name: "1".to_owned(), at: nearest.unwrap_or(middle) }])
}

fn travel(
    job: &PatrolJob,
    points: &[Coord<f64>],
    areas: &[PlanArea],
    crs: &brasa_model::Crs,
    (notes, inputs): (&mut Vec<Note>, &mut Vec<brasa_model::InputRecord>),
) -> Result<Travel, EngineError> {
    let rules = &job.rules;
    let Some(path) = &job.streets else {
        notes.push(
            Note::new(
                "ways_are_straight",
                format!("ways are straight lines times {}, driven at {}", rules.detour, rules.speed),
            )
            .value(rules.detour.get(), "")
            .reason("no --streets was given; rivers and one-way streets are not known"),
        );
        return Ok(Travel::straight(points, rules.detour.get(), rules.speed.get()));
    };
    let streets = places::streets(path, points, crs, inputs)?;
    let limited = streets.iter().filter(|street| street.limit_kmh.is_some()).count();
    let roads: Vec<Road> = streets
        .into_iter()
        .map(|street| Road {
            // Nobody drives at the limit all the way: lights, turns, traffic.
            speed: street.limit_kmh.map_or(rules.speed.get(), |limit| (limit / 3.6).min(rules.speed.get())),
            line: street.line.0,
            forward: street.forward,
            backward: street.backward,
        })
        .collect();
    notes.push(
        Note::new(
            "ways_on_streets",
            format!("ways follow {} streets at no more than {}", roads.len(), rules.speed),
        )
        .value(roads.len(), "streets")
        .reason(format!("{limited} of them state a limit, which holds where it is lower")),
    );
    let network = Network::new(&roads);
    let (travel, snaps) = network.travel(points, rules.snap.get());
    let far: Vec<&str> = areas
        .iter()
        .zip(&snaps)
        .filter(|(_, snap)| snap.is_none())
        .map(|(area, _)| area.name.as_str())
        .collect();
    if snaps[areas.len()..].iter().all(Option::is_none) {
        return Err(refused(
            PLAN,
            format!("no depot lies within {} of a street; a larger --snap reaches further", rules.snap),
        ));
    }
    let origins: Vec<usize> = (areas.len()..points.len()).collect();
    let cut_off: Vec<&str> = travel
        .cut_off(&origins)
        .into_iter()
        .filter_map(|point| areas.get(point))
        .map(|area| area.name.as_str())
        .collect();
    if !cut_off.is_empty() {
        notes.push(
            Note::new("areas_not_reachable", format!("not reachable on the streets: {}", cut_off.join(", ")))
                .value(cut_off.len(), "areas")
                .reason(if far.is_empty() {
                    "no way leads from a depot there and back".to_owned()
                } else {
                    format!("farther than {} from a street: {}", rules.snap, far.join(", "))
                }),
        );
    }
    Ok(travel)
}

fn visits(plan: &PatrolPlan, area: usize) -> usize {
    let stops = plan.tours.iter().flat_map(|tour| &tour.stops);
    stops.filter(|stop| stop.doing == Doing::Visit(area)).count()
}

fn areas_layer(plan: &PatrolPlan, expected: &[Vec<f64>], crs: &brasa_model::Crs) -> Layer {
    let all: f64 = expected.iter().flatten().sum();
    let features = plan.areas.iter().enumerate().map(|(at, area)| {
        let wanted: u32 = plan.wanted.iter().map(|shift| shift[at]).sum();
        let share: f64 = expected.iter().map(|shift| shift[at]).sum::<f64>() / all;
        Feature {
            id: at as i64 + 1,
            geometry: shape(&area.outline),
            values: vec![
                Cell::Text(area.name.clone()),
                Cell::real(area.value),
                Cell::real(share),
                Cell::Integer(i64::from(wanted)),
                count(visits(plan, at)),
            ],
        }
    });
    layer_of(
        "areas",
        "Areas to visit",
        "What wants visits. Expected is what incidents of the past have in the hours of the shifts; it is no forecast of a crime.",
        crs,
        vec![
            text("area", "Place"),
            real("value", "Incidents or harm", ""),
            real("expected", "Share of the expected", SHARE),
            whole("wanted", "Visits wanted", "visits"),
            whole("planned", "Visits planned", "visits"),
        ],
        features.collect(),
        Style::number("planned", Scale::Upper).labelled("area"),
    )
}

fn shape(outline: &MultiPolygon<f64>) -> Geometry<f64> {
    match outline.0.as_slice() {
        [one] => Geometry::Polygon(one.clone()),
        _ => Geometry::MultiPolygon(outline.clone()),
    }
}

fn routes_layer(plan: &PatrolPlan, crs: &brasa_model::Crs) -> Layer {
    let features = plan.tours.iter().enumerate().map(|(at, tour)| {
        let ways: Vec<LineString<f64>> = tour
            .stops
            .iter()
            .filter(|stop| stop.path.len() > 1)
            .map(|stop| LineString::new(stop.path.clone()))
            .collect();
        let shift = &plan.shifts[tour.shift];
        let visits = tour.stops.iter().filter(|stop| matches!(stop.doing, Doing::Visit(_))).count();
        let metres: f64 = tour.stops.iter().map(|stop| stop.metres).sum();
        Feature {
            id: at as i64 + 1,
            geometry: Geometry::MultiLineString(MultiLineString::new(ways)),
            values: vec![
                count(tour.unit + 1),
                Cell::Text(shift.name.clone()),
                count(visits),
                Cell::real(metres / 1000.0),
                Cell::Time(plan.clock.civil(shift.start)),
                Cell::Time(plan.clock.civil(shift.end)),
            ],
        }
    });
    layer_of(
        "routes",
        "Routes",
        "One line for each unit and shift. The order is random on purpose; on another day it is another.",
        crs,
        vec![
            whole("unit", "Unit", ""),
            text("shift", "Shift"),
            whole("visits", "Visits", "visits"),
            real("km", "Way", "km"),
            brasa_model::Column::new("start", "From", "", brasa_model::ColumnKind::Time),
            brasa_model::Column::new("end", "To", "", brasa_model::ColumnKind::Time),
        ],
        features.collect(),
        Style::of(brasa_model::DrawnBy::Edge),
    )
}

fn depots_layer(plan: &PatrolPlan, crs: &brasa_model::Crs) -> Layer {
    let features = plan.depots.iter().enumerate().map(|(at, depot)| Feature {
        id: at as i64 + 1,
        geometry: Geometry::Point(Point(depot.at)),
        values: vec![Cell::Text(depot.name.clone())],
    });
    layer_of(
        "depots",
        "Depots",
        "Where units begin and end their shifts.",
        crs,
        vec![text("depot", "Depot")],
        features.collect(),
        Style::of(brasa_model::DrawnBy::Alike).labelled("depot"),
    )
}

/// What one more unit buys.
fn curve(coverage: &[Coverage]) -> Curve {
    let of = |value: fn(&Coverage) -> f64| coverage.iter().map(value).collect::<Vec<_>>();
    Curve {
        title: "What one more unit buys".to_owned(),
        x: Series::new("units", "Units in each shift", "units", of(|row| f64::from(row.units))),
        y: vec![
            Series::new("share", "Share of the expected demand that is visited", "", of(|row| row.share)),
            Series::new("planned", "Visits planned", "visits", of(|row| f64::from(row.planned)))
                .role(brasa_model::Role::Table),
            Series::new("wanted", "Visits wanted", "visits", of(|row| f64::from(row.wanted)))
                .role(brasa_model::Role::Table),
            Series::new("travel_hours", "On the way", "h", of(|row| row.travel as f64 / 3600.0))
                .role(brasa_model::Role::Table),
        ],
        optimum: None,
        provenance: Provenance::new("plan patrol", serde_json::Value::Null),
        notes: Vec::new(),
    }
}
