//! Patrol plans: lawful whatever is asked, the same bytes from the same seed, another order from another.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

use std::num::NonZeroU32;

use brasa_model::{Chance, Depot, Doing, PatrolPlan, PlanArea};
use brasa_planning::network::{Network, Road};
use brasa_planning::patrol::{Patrol, PatrolInput, PatrolParams, patrol};
use brasa_planning::shifts::{Day, Roster, roster};
use brasa_planning::travel::Travel;
use geo::{Coord, MultiPolygon};
use rayon::prelude::*;

/// What a plan is made from, held together.
struct World {
    areas: Vec<PlanArea>,
    depots: Vec<Depot>,
    depot_of: Vec<usize>,
    roster: Roster,
    wanted: Vec<Vec<u32>>,
    demand: Vec<Vec<f64>>,
    travel: Travel,
    params: PatrolParams,
}

impl World {
    fn new(areas: &[(f64, f64)], depots: &[(f64, f64)], params: &str, from: &str, zone: &str) -> Self {
        let params: PatrolParams = serde_json::from_str(params).unwrap();
        let coord = |&(x, y): &(f64, f64)| Coord { x, y };
        let points: Vec<Coord<f64>> = areas.iter().chain(depots).map(coord).collect();
        let from: Day = from.parse().unwrap();
        let roster = roster(&params.shift, from, params.rules.days, zone).unwrap();
        let shifts = roster.shifts.len();
        let travel = Travel::straight(&points, params.rules.detour.get(), params.rules.speed.get());
        Self {
            areas: areas
                .iter()
                .enumerate()
                .map(|(at, place)| PlanArea {
                    name: format!("area {at}"),
                    outline: MultiPolygon(Vec::new()),
                    at: coord(place),
                    value: 1.0,
                })
                .collect(),
            depots: depots
                .iter()
                .enumerate()
                .map(|(at, place)| Depot { name: format!("depot {at}"), at: coord(place) })
                .collect(),
            depot_of: Vec::new(),
            wanted: vec![vec![2; areas.len()]; shifts],
            demand: vec![vec![1.0; areas.len()]; shifts],
            roster,
            travel,
            params,
        }
    }

    fn plan(&self) -> Patrol {
        let input = PatrolInput {
            areas: &self.areas,
            depots: &self.depots,
            depot_of: &self.depot_of,
            roster: &self.roster,
            wanted: &self.wanted,
            demand: &self.demand,
            travel: &self.travel,
        };
        patrol(&input, &self.params).unwrap()
    }

    /// So many areas in a city of 10 km, with demand that differs.
    fn city(areas: usize, params: &str, seed: u64) -> Self {
        let mut chance = Chance::new(seed, 0);
        let mut place = || (chance.share() * 10_000.0, chance.share() * 10_000.0);
        let places: Vec<(f64, f64)> = (0..areas).map(|_| place()).collect();
        let mut world =
            Self::new(&places, &[(3000.0, 4000.0), (7000.0, 6000.0)], params, "2026-12-07", "America/Bogota");
        for row in &mut world.demand {
            row.iter_mut().for_each(|demand| *demand = 0.2 + chance.share());
        }
        world
    }
}

/// Every rule that a plan breaks.
fn broken(world: &World, plan: &PatrolPlan) -> Vec<String> {
    let mut broken = Vec::new();
    let mut rule = |kept: bool, what: String| {
        if !kept {
            broken.push(what);
        }
    };
    let areas = plan.areas.len();
    let mut begins: Vec<Vec<i64>> = vec![Vec::new(); areas];
    let mut planned = vec![vec![0_u32; areas]; plan.shifts.len()];
    let mut busy: Vec<(usize, i64, i64)> = Vec::new();
    let mut last = None;
    for tour in &plan.tours {
        let (shift, name) = (&plan.shifts[tour.shift], format!("tour {} of shift {}", tour.unit, tour.shift));
        rule(last < Some((tour.shift, tour.unit)), format!("{name} is not in order"));
        last = Some((tour.shift, tour.unit));
        let doing: Vec<Doing> = tour.stops.iter().map(|stop| stop.doing).collect();
        rule(
            doing.first() == Some(&Doing::Start) && doing.last() == Some(&Doing::End),
            format!("{name} has no ends"),
        );
        rule(
            doing.iter().filter(|doing| matches!(doing, Doing::Start | Doing::End)).count() == 2,
            format!("{name} has ends within"),
        );
        rule(doing.iter().any(|doing| matches!(doing, Doing::Visit(_))), format!("{name} makes no visit"));
        let owed = plan.rest.is_some_and(|rest| rest.is_owed(shift.end - shift.start));
        rule(
            doing.iter().filter(|&&doing| doing == Doing::Break).count() == usize::from(owed),
            format!("{name}: breaks"),
        );
        let depot = areas + plan.depot_of[tour.unit];
        let mut place = depot;
        for (at, stop) in tour.stops.iter().enumerate() {
            rule(stop.arrive <= stop.begin && stop.begin <= stop.leave, format!("{name}, stop {at}: order"));
            rule(
                shift.start <= stop.arrive && stop.leave <= shift.end,
                format!("{name}, stop {at}: outside the shift"),
            );
            let to = match stop.doing {
                Doing::Start | Doing::End => depot,
                Doing::Break => place,
                Doing::Visit(area) => area,
            };
            if at > 0 {
                let way = world.travel.seconds(place, to);
                let took = stop.arrive - tour.stops[at - 1].leave;
                rule(
                    way.is_some_and(|way| i64::from(way) <= took || place == to),
                    format!("{name}, stop {at}: too fast"),
                );
                rule(took >= 0, format!("{name}, stop {at}: back in time"));
                let metres =
                    if place == to { 0.0 } else { world.travel.metres(place, to).unwrap_or(f64::NAN) };
                rule(metres == stop.metres, format!("{name}, stop {at}: metres"));
            }
            match stop.doing {
                Doing::Visit(area) => {
                    rule(stop.leave - stop.begin == plan.dose, format!("{name}, stop {at}: dose"));
                    begins[area].push(stop.begin);
                    planned[tour.shift][area] += 1;
                }
                Doing::Break => {
                    let rest = plan.rest.unwrap();
                    rule(stop.leave - stop.begin == rest.length, format!("{name}: length of the break"));
                    rule(stop.begin >= shift.start + rest.from, format!("{name}: break too early"));
                    rule(stop.leave <= shift.start + rest.until, format!("{name}: break too late"));
                }
                _ => {}
            }
            place = to;
        }
        busy.push((tour.unit, shift.start, shift.end));
    }
    for begins in &mut begins {
        begins.sort_unstable();
        rule(begins.windows(2).all(|pair| pair[1] - pair[0] >= plan.spacing), format!("spacing {begins:?}"));
    }
    for (at, &(unit, start, end)) in busy.iter().enumerate() {
        let clash =
            busy[..at].iter().any(|&(other, from, until)| other == unit && from < end && start < until);
        rule(!clash, format!("unit {unit} is in two shifts at once"));
    }
    for (shift, row) in plan.wanted.iter().enumerate() {
        for (area, &wanted) in row.iter().enumerate() {
            let planned = planned[shift][area];
            let said = plan.unserved.iter().filter(|missing| (missing.shift, missing.area) == (shift, area));
            let said: Vec<_> = said.map(|missing| (missing.wanted, missing.planned)).collect();
            let right = if planned < wanted { vec![(wanted, planned)] } else { Vec::new() };
            rule(
                planned <= wanted && said == right,
                format!("area {area}, shift {shift}: {planned} of {wanted}, {said:?}"),
            );
        }
    }
    broken
}

/// A world of any kind, most of them small and odd.
fn odd(seed: u64) -> World {
    let mut chance = Chance::new(seed, 1);
    let mut pick = |choices: &[&str]| choices[chance.below(choices.len() as u64) as usize].to_owned();
    let shift = pick(&[
        "16:00-24:00",
        "22:00-06:00",
        "06:00-14:00,14:00-22:00,22:00-06:00",
        "18:00-02:00,20:00-04:00",
        "09:00-09:10",
        "01:00-05:00",
        "10:00-16:30",
    ]);
    let params = format!(
        r#"{{"units":"{}","shift":"{shift}","dose":"{}","spacing":"{}","break":"{}","break-window":"{}","days":{},"speed":"{}","seed":{seed}}}"#,
        pick(&["1", "2", "3", "1..3"]),
        pick(&["15min", "10min", "90s", "3h", "1min"]),
        pick(&["2h", "2h", "45min", "1min", "7h", "9h"]),
        pick(&["30min", "none", "45min", "1h"]),
        pick(&["3h-5h", "2h-5h", "0-2h"]),
        pick(&["1", "2", "3"]),
        pick(&["25km/h", "4km/h", "60km/h"]),
    );
    // Around the nights in which clocks are changed, forward and back.
    let (zone, date) = match pick(&["0", "1", "2", "3"]).as_str() {
        "0" => ("Europe/Madrid", "2026-03-28"),
        "1" => ("America/Santiago", "2026-04-03"),
        "2" => ("America/Chicago", "2026-10-31"),
        _ => ("America/Bogota", "2026-12-31"),
    };
    let spread = [0.0, 500.0, 5000.0, 20_000.0][chance.below(4) as usize];
    let areas = chance.below(9) as usize;
    let mut places: Vec<(f64, f64)> =
        (0..areas).map(|_| (chance.share() * spread, chance.share() * spread)).collect();
    // Some out of reach.
    for place in &mut places {
        if chance.below(12) == 0 {
            place.0 = 3e6;
        }
    }
    let depots: Vec<(f64, f64)> =
        (0..1 + chance.below(3)).map(|_| (chance.share() * spread, chance.share() * spread)).collect();
    let mut world = World::new(&places, &depots, &params, date, zone);
    for row in &mut world.wanted {
        row.iter_mut().for_each(|wanted| *wanted = chance.below(5) as u32);
    }
    for row in &mut world.demand {
        row.iter_mut().for_each(|demand| *demand = chance.below(4) as f64);
    }
    world.depot_of = (0..chance.below(3)).map(|_| chance.below(depots.len() as u64) as usize).collect();
    world
}

#[test]
fn plans_of_odd_worlds_are_lawful() {
    (0..1000).into_par_iter().for_each(|seed| {
        let world = odd(seed);
        let found = world.plan();
        let broken = broken(&world, &found.plan);
        assert!(broken.is_empty(), "seed {seed}: {broken:#?}\n{:?}", world.params);
        let visits = found.plan.tours.iter().flat_map(|tour| &tour.stops);
        let visits = visits.filter(|stop| matches!(stop.doing, Doing::Visit(_))).count();
        assert_eq!(found.coverage.last().unwrap().planned as usize, visits);
        for pair in found.coverage.windows(2) {
            assert!(
                pair[0].planned <= pair[1].planned && pair[0].share <= pair[1].share,
                "seed {seed}: {pair:?}"
            );
        }
    });
}

#[test]
fn plans_on_one_way_streets_are_lawful() {
    (0..40).into_par_iter().for_each(|seed| {
        let mut world = World::city(12, r#"{"units":"2","shift":"18:00-02:00","days":2}"#, seed);
        let mut chance = Chance::new(seed, 2);
        let mut roads = Vec::new();
        for at in 0..11 {
            let line = f64::from(at) * 1000.0;
            for (from, to) in [((0.0, line), (1.0, 0.0)), ((line, 0.0), (0.0, 1.0))] {
                let place = |step: i32| Coord {
                    x: from.0 + to.0 * f64::from(step) * 1000.0,
                    y: from.1 + to.1 * f64::from(step) * 1000.0,
                };
                let way = chance.below(3);
                let speed = 5.0 + chance.share() * 15.0;
                roads.push(Road {
                    line: (0..11).map(place).collect(),
                    forward: way != 1,
                    backward: way != 2,
                    speed,
                });
            }
        }
        let points: Vec<Coord<f64>> =
            world.areas.iter().map(|area| area.at).chain(world.depots.iter().map(|depot| depot.at)).collect();
        // Some areas lie too far from a street.
        let (travel, snaps) = Network::new(&roads).travel(&points, 430.0);
        world.travel = travel;
        let plan = world.plan().plan;
        assert_eq!(broken(&world, &plan), Vec::<String>::new(), "seed {seed}");
        let depots = 12..14;
        for area in world.travel.cut_off(&depots.collect::<Vec<_>>()).into_iter().filter(|point| *point < 12)
        {
            let told =
                plan.unserved.iter().filter(|missing| missing.area == area && missing.why == "not reachable");
            assert_eq!(told.count(), 2, "seed {seed}, area {area}");
        }
        for (tour, stop) in plan.tours.iter().flat_map(|tour| tour.stops.iter().map(move |stop| (tour, stop)))
        {
            if let (Doing::Visit(area), [.., last]) = (stop.doing, stop.path.as_slice()) {
                assert_eq!(Some(*last), snaps[area].map(|snap| snap.at), "seed {seed}, unit {}", tour.unit);
            }
        }
    });
}

const EVENING: &str = r#"{"units":"4","shift":"16:00-24:00","days":2}"#;

#[test]
fn the_same_seed_gives_the_same_plan_on_any_number_of_threads() {
    let world = World::city(20, EVENING, 3);
    let plan = world.plan();
    for threads in [1, 3] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        assert_eq!(pool.install(|| world.plan()), plan);
    }
}

/// Kendall's tau of the first begins of the areas in the evening of the first day, for each pair of six seeds: orders that know nothing of each other
/// have one near 0.
fn likeness(mut world: World) -> Vec<f64> {
    let mut orders = Vec::new();
    for seed in 1..=6 {
        world.params.rules.seed = seed;
        let plan = world.plan().plan;
        assert_eq!(broken(&world, &plan), Vec::<String>::new());
        let mut first = vec![None::<i64>; plan.areas.len()];
        for (tour, stop) in plan.tours.iter().flat_map(|tour| tour.stops.iter().map(move |stop| (tour, stop)))
        {
            if let (0, Doing::Visit(area)) = (tour.shift, stop.doing) {
                let before = first[area].unwrap_or(i64::MAX);
                first[area] = Some(stop.begin.min(before));
            }
        }
        orders.push(first);
    }
    let mut taus = Vec::new();
    for (at, one) in orders.iter().enumerate() {
        for other in &orders[..at] {
            let (mut sum, mut pairs) = (0, 0);
            for a in 0..one.len() {
                for b in 0..a {
                    if let (Some(c), Some(d), Some(e), Some(f)) = (one[a], one[b], other[a], other[b]) {
                        sum += (c - d).signum() * (e - f).signum();
                        pairs += 1;
                    }
                }
            }
            taus.push(sum as f64 / f64::from(pairs));
        }
    }
    taus
}

#[test]
fn another_seed_gives_another_order() {
    // With time to spare, and with half of the visits wanted beyond what two units can do.
    for (units, most) in [("4", 0.2), ("2", 0.4)] {
        let params = format!(r#"{{"units":"{units}","shift":"16:00-24:00","days":1}}"#);
        let mut world = World::city(20, &params, 3);
        world.wanted = vec![vec![3; 20]];
        let taus = likeness(world);
        let mean = taus.iter().sum::<f64>() / taus.len() as f64;
        assert!(mean.abs() < most && taus.iter().all(|tau| *tau < 2.2 * most), "{units} units: {taus:?}");
    }
}

#[test]
fn one_unit_that_can_make_four_visits_makes_four() {
    // A shift of 8 h, one area at the depot, two hours apart: 16:00, 18:00, 20:00, 22:00 and none more.
    let params = r#"{"units":"1","shift":"16:00-24:00","days":1,"break":"none"}"#;
    let mut world = World::new(&[(0.0, 0.0)], &[(0.0, 0.0)], params, "2026-12-07", "America/Bogota");
    world.wanted = vec![vec![5]];
    let plan = world.plan().plan;
    assert_eq!((plan.unserved[0].planned, plan.unserved[0].why.as_str()), (4, "no room left by the spacing"));
    // Ten areas in one place, 31 visits in 8 h, break and all.
    let params = r#"{"units":"1","shift":"16:00-24:00","days":1}"#;
    let mut world = World::new(&[(0.0, 0.0); 10], &[(0.0, 0.0)], params, "2026-12-07", "America/Bogota");
    world.wanted = vec![vec![4; 10]];
    let plan = world.plan().plan;
    assert_eq!(broken(&world, &plan), Vec::<String>::new());
    let planned: u32 = 40 - plan.unserved.iter().map(|missing| missing.wanted - missing.planned).sum::<u32>();
    // Every quarter of an hour but the break would be 30.
    assert!(planned >= 26, "{planned}");
}

#[test]
fn no_area_and_no_wish_give_an_empty_plan() {
    let world = World::new(&[], &[(0.0, 0.0)], EVENING, "2026-12-07", "America/Bogota");
    let found = world.plan();
    assert!(found.plan.tours.is_empty() && found.plan.unserved.is_empty());
    assert_eq!(found.coverage[0].share, 1.0);
    let mut world = World::city(3, EVENING, 1);
    world.params.rules.days = NonZeroU32::MIN;
    world.wanted = vec![vec![0; 3]; 2];
    assert!(world.plan().plan.tours.is_empty());
}

#[test]
fn parameters_are_written_as_they_are_read() {
    let params: PatrolParams = serde_json::from_str(r#"{"units":"8","shift":"16:00-24:00"}"#).unwrap();
    let text = serde_json::to_string(&params).unwrap();
    assert_eq!(serde_json::from_str::<PatrolParams>(&text).unwrap(), params);
    for part in [
        r#""units":"8""#,
        r#""dose":"15min""#,
        r#""visits":"mean:2""#,
        r#""spacing":"2h""#,
        r#""break":"30min""#,
        r#""break-window":"3h-5h""#,
        r#""break-from":"6h""#,
        r#""speed":"25km/h""#,
        r#""detour":"1.4""#,
        r#""days":7"#,
    ] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
    for wrong in [
        r#""units":"0""#,
        r#""units":"10..4""#,
        r#""units":"many""#,
        r#""units":"1..501""#,
        r#""visits":"0""#,
        r#""visits":"each:2""#,
        r#""speed":"25""#,
        r#""speed":"0km/h""#,
        r#""speed":"NaNm/s""#,
        r#""detour":"0.9""#,
        r#""break-window":"5h-3h""#,
        r#""break":"30""#,
        r#""dose":"15""#,
        r#""days":0"#,
        r#""tz":"UTC""#,
    ] {
        let mut given = String::from(r#"{"shift":"16:00-24:00","#);
        if !wrong.contains("units") {
            given.push_str(r#""units":"8","#);
        }
        assert!(serde_json::from_str::<PatrolParams>(&format!("{given}{wrong}}}")).is_err(), "{wrong}");
    }
}

#[test]
fn a_break_that_cannot_be_kept_is_refused() {
    for rules in [r#""break":"3h""#, r#""break-from":"3h""#, r#""break-window":"6h-7h""#] {
        let params = format!(r#"{{"units":"1","shift":"16:00-24:00",{rules}}}"#);
        let params: PatrolParams = serde_json::from_str(&params).unwrap();
        assert!(params.rules.rest().is_err(), "{rules}");
    }
}
