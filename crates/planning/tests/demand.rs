//! Demand by hour of the week, and the visits it asks for.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

use std::num::NonZeroU32;

use brasa_model::{Civil, Crs, Incidents, Interval, PlanArea, Times, Timing, Window, WindowOrigin};
use brasa_planning::demand::{by_shift, timings, wanted};
use brasa_planning::patrol::{PatrolRules, Wanted};
use brasa_planning::shifts::{Roster, roster};
use geo::{Coord, MultiPolygon, Rect};

fn area(at: f64, value: f64) -> PlanArea {
    let square = Rect::new(Coord { x: at, y: 0.0 }, Coord { x: at + 100.0, y: 100.0 });
    PlanArea {
        name: format!("{at}"),
        outline: MultiPolygon(vec![square.to_polygon()]),
        at: Coord { x: at + 50.0, y: 50.0 },
        value,
    }
}

fn shifts(times: &str, from: &str, days: u32, zone: &str) -> Roster {
    roster(&times.parse().unwrap(), from.parse().unwrap(), NonZeroU32::new(days).unwrap(), zone).unwrap()
}

/// So many incidents on Monday 5 January 2026 from an hour for so many seconds.
fn monday(count: usize, hour: u32, seconds: i64) -> Timing {
    let start = Civil::new(2026, 1, 5, hour * 3600).unwrap();
    vec![Some(Interval { start, end: Civil(start.0 + seconds) }); count].into_iter().collect()
}

#[test]
fn incidents_count_in_the_areas_they_lie_in() {
    let whole = Rect::new(Coord { x: 0.0, y: 0.0 }, Coord { x: 1000.0, y: 1000.0 }).to_polygon();
    let start = Civil::new(2026, 1, 5, 3600).unwrap();
    let time = Some(Interval { start, end: Civil(start.0 + 60) });
    let incidents = Incidents {
        x: vec![50.0, 60.0, 250.0, 500.0],
        y: vec![50.0; 4],
        times: Some(Times::new(vec![time, None, time, time], None)),
        kinds: None,
        weight: None,
        row: vec![1, 2, 3, 4],
        files: None,
        window: Window::new(MultiPolygon(vec![whole]), WindowOrigin::Given("all".to_owned())).unwrap(),
        crs: Crs::utm(-74.0, 4.6).unwrap(),
        zones: None,
    };
    let found = timings(&[area(0.0, 1.0), area(200.0, 1.0), area(800.0, 1.0)], &incidents);
    assert_eq!(found.iter().map(Timing::known).collect::<Vec<_>>(), [0.5, 1.0, 0.0]);
    assert_eq!(found[0].week().unwrap()[0][1], 1.0);
    assert!(found[2].week().is_none());
}

#[test]
fn demand_follows_the_hours_of_the_week() {
    // All at 20:00 on Mondays, in both areas: nothing else is expected, whatever the mixing.
    let week = shifts("06:00-14:00,14:00-22:00,22:00-06:00", "2026-12-07", 7, "America/Bogota");
    let demand = by_shift(
        &[area(0.0, 30.0), area(200.0, 10.0)],
        &[monday(30, 20, 60), monday(10, 20, 60)],
        &week.shifts,
        &week.clock,
    );
    assert!((demand[1][0] - 30.0).abs() < 1e-9 && (demand[1][1] - 10.0).abs() < 1e-9);
    assert!(
        demand.iter().enumerate().all(|(shift, row)| shift == 1 || row.iter().all(|demand| *demand == 0.0))
    );
    // 21:00 to 23:00, aoristic: half before the change of shifts and half after.
    let demand = by_shift(&[area(0.0, 30.0)], &[monday(30, 21, 7200)], &week.shifts, &week.clock);
    assert!((demand[1][0] - 15.0).abs() < 1e-6 && (demand[2][0] - 15.0).abs() < 1e-6, "{demand:?}");
    // Shifts that cover the week leave nothing out.
    let all: f64 = demand.iter().flatten().sum();
    assert!((all - 30.0).abs() < 1e-6);
}

#[test]
fn few_incidents_say_little_and_none_say_nothing() {
    let day = shifts("00:00-12:00,12:00-24:00", "2026-12-07", 7, "America/Bogota");
    // An area with one incident in the morning, beside one with 200 in the evening.
    let areas = [area(0.0, 1.0), area(200.0, 200.0)];
    let demand = by_shift(&areas, &[monday(1, 8, 60), monday(200, 20, 60)], &day.shifts, &day.clock);
    assert!(demand[1][0] > 0.9 && demand[0][0] < 0.1, "{demand:?}");
    // Nothing known: as many in each hour.
    let demand = by_shift(&areas, &[Timing::default(), Timing::default()], &day.shifts, &day.clock);
    assert!(demand.iter().all(|row| (row[0] - 1.0 / 14.0).abs() < 1e-12));
    assert!(by_shift(&[], &[], &day.shifts, &day.clock).iter().all(Vec::is_empty));
}

#[test]
fn a_night_with_an_hour_twice_expects_it_twice() {
    // In Spain 02:00 to 03:00 on Sunday 25 October 2026 comes twice.
    let night = shifts("22:00-06:00", "2026-10-24", 1, "Europe/Madrid");
    let sunday = Civil::new(2026, 1, 4, 2 * 3600).unwrap();
    let timing: Timing =
        vec![Some(Interval { start: sunday, end: Civil(sunday.0 + 60) }); 50].into_iter().collect();
    let demand = by_shift(&[area(0.0, 50.0)], &[timing], &night.shifts, &night.clock);
    assert!((demand[0][0] - 100.0).abs() < 1e-9, "{demand:?}");
}

#[test]
fn visits_are_those_asked_for() {
    let evening = shifts("16:00-24:00", "2026-12-07", 1, "America/Bogota");
    let ask = |visits: &str, demand: &[f64]| {
        let rules = PatrolRules { visits: visits.parse::<Wanted>().unwrap(), ..PatrolRules::default() };
        let (rows, notes) = wanted(&[demand.to_vec()], &evening.shifts, &rules);
        (rows[0].clone(), notes.into_iter().map(|note| note.code).collect::<Vec<_>>())
    };
    assert_eq!(ask("2", &[5.0, 1.0]), (vec![2, 2], vec![]));
    assert_eq!(ask("9", &[5.0, 1.0]), (vec![4, 4], vec!["visits_capped".to_owned()]));
    assert_eq!(ask("mean:2", &[3.0, 1.0]), (vec![3, 1], vec![]));
    assert_eq!(ask("total:6", &[9.0, 1.0, 1.0]), (vec![4, 1, 1], vec![]));
    assert_eq!(ask("total:1", &[9.0, 1.0]), (vec![1, 1], vec!["visits_raised".to_owned()]));
    assert_eq!(ask("total:20", &[9.0, 1.0]), (vec![4, 4], vec!["visits_capped".to_owned()]));
    assert_eq!(ask("mean:2", &[]), (vec![], vec![]));
}
