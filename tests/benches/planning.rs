//! How long plans take.
//!
//!     cargo bench -p brasa-tests --bench planning -- areas [cells-a-side [budget-km2 [areas [compactness [starts]]]]]
//!     cargo bench -p brasa-tests --bench planning -- sites [demands [candidates [count]]]
//!     cargo bench -p brasa-tests --bench planning -- patrol [areas [units [days [visits]]]]
//!     cargo bench -p brasa-tests --bench planning -- districts [columns [rows [districts]]]
//!
//! `areas` has square cells of 100 m and incidents around forty centres over an even ground, rounded to whole numbers. One JSON line:
//! CPU seconds (all threads, least of five), wall seconds (median), and how good the plan is: its objective, the share caught, and the
//! share of what single cells would catch. `patrol` has areas over a square of ten kilometres, three shifts of eight hours a day, and straight ways; `districts` a
//! lattice of zones, 25 × 13 into 12 within 10 % unless said otherwise.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench prints, and stops where it cannot go on"
)]

#[path = "common/clock.rs"]
mod clock;

use std::num::NonZeroU32;

use brasa_model::{Chance, Depot, PlanArea, Timing};
use brasa_planning::areas::{AreasParams, AreasProblem, areas};
use brasa_planning::demand;
use brasa_planning::districts::{DistrictsParams, DistrictsProblem, districts};
use brasa_planning::patrol::{PatrolInput, PatrolParams, PatrolRules, Units, Wanted, patrol};
use brasa_planning::shifts::{ShiftTimes, roster};
use brasa_planning::sites::{SitesParams, SitesProblem, sites};
use brasa_planning::travel::Travel;
use brasa_planning::{Budget, Graph, Resource, Share};
use clock::measured;
use geo::{Coord, MultiPolygon};

fn number(at: usize, default: f64) -> f64 {
    std::env::args().filter(|arg| arg != "--bench").nth(at + 1).map_or(default, |text| text.parse().unwrap())
}

fn count(at: usize, default: f64) -> NonZeroU32 {
    NonZeroU32::new(number(at, default) as u32).unwrap()
}

/// Incidents in the cells of a square city.
fn city(side: usize) -> Vec<f64> {
    let mut chance = Chance::new(11, 0);
    let reach = side as f64;
    let centres: Vec<(f64, f64, f64, f64)> = (0..40)
        .map(|_| {
            let wide = reach * (0.005 + 0.03 * chance.share());
            (chance.share() * reach, chance.share() * reach, wide, 40.0 * chance.share())
        })
        .collect();
    (0..side * side)
        .map(|cell| {
            let (x, y) = ((cell % side) as f64, (cell / side) as f64);
            let mean: f64 = centres
                .iter()
                .map(|&(cx, cy, wide, high)| {
                    let far = ((x - cx) * (x - cx) + (y - cy) * (y - cy)) / (wide * wide);
                    high / (1.0 + far * far)
                })
                .sum();
            ((mean + 0.3) * 2.0 * chance.share() + chance.share()).floor()
        })
        .collect()
}

fn bench_areas() {
    let side = number(1, 316.0) as usize;
    let cells = side * side;
    let neighbours = |cell: usize| {
        let mut near = Vec::new();
        if !cell.is_multiple_of(side) {
            near.push(cell as u32 - 1);
        }
        if cell >= side {
            near.push((cell - side) as u32);
        }
        near
    };
    let graph = Graph::new((0..cells).map(neighbours).collect());
    let centroid: Vec<(f64, f64)> =
        (0..cells).map(|cell| (100.0 * (cell % side) as f64, 100.0 * (cell / side) as f64)).collect();
    let problem = AreasProblem {
        graph: &graph,
        value: &city(side),
        cost: &vec![0.01; cells],
        area: &vec![1e4; cells],
        centroid: &centroid,
        fairness: None,
    };
    let params = AreasParams {
        areas: count(3, 10.0),
        min_area: Budget::new(0.02, Resource::SquareKilometres).ok(),
        compactness: Share::new(number(4, 0.3)).unwrap(),
        starts: count(
            5,
            f64::from(AreasParams::new(Budget::new(1.0, Resource::Hours).unwrap()).starts.get()),
        ),
        ..AreasParams::new(Budget::new(number(2, 5.0), Resource::SquareKilometres).unwrap())
    };
    let (cpu, wall, plan) = measured(|| areas(&problem, &params).unwrap());
    println!(
        r#"{{"plan":"areas","cells":{cells},"cpu":{cpu:.3},"wall":{wall:.3},"areas":{},"objective":{:.1},"share":{:.4},"of_scattered":{:.4},"km2":{:.2}}}"#,
        plan.areas.len(),
        plan.objective,
        plan.share.unwrap_or_default(),
        plan.value / plan.scattered,
        plan.cost,
    );
}

fn bench_sites() {
    let mut chance = Chance::new(12, 0);
    let mut place = |_| (chance.share() * 2e4, chance.share() * 2e4);
    let demands: Vec<(f64, f64)> = (0..number(1, 2000.0) as usize).map(&mut place).collect();
    let candidates: Vec<(f64, f64)> = (0..number(2, 500.0) as usize).map(&mut place).collect();
    let demand = vec![1.0; demands.len()];
    let problem = SitesProblem { demand: &demand, candidates: candidates.len(), existing: &[] };
    let way = |from: usize, to: usize| {
        let (a, b): ((f64, f64), (f64, f64)) = (candidates[from], demands[to]);
        ((a.0 - b.0) * (a.0 - b.0) + (a.1 - b.1) * (a.1 - b.1)).sqrt()
    };
    let params = SitesParams::new(count(3, 20.0));
    let (cpu, wall, plan) = measured(|| sites(&problem, way, &params).unwrap());
    println!(
        r#"{{"plan":"sites","cpu":{cpu:.3},"wall":{wall:.3},"total":{:.1},"above_bound":{:.5}}}"#,
        plan.total,
        plan.total / plan.bound - 1.0,
    );
}

fn bench_patrol() {
    let mut chance = Chance::new(13, 0);
    let mut place =
        |_| Coord { x: 5e5 + (chance.share() * 1e4).floor(), y: 4e6 + (chance.share() * 1e4).floor() };
    let places: Vec<Coord<f64>> = (0..number(1, 60.0) as usize).map(&mut place).collect();
    let depots: Vec<Depot> =
        (0..3).map(|number| Depot { name: number.to_string(), at: place(number) }).collect();
    let area = |(number, at): (usize, &Coord<f64>)| PlanArea {
        name: number.to_string(),
        outline: MultiPolygon::new(Vec::new()),
        at: *at,
        value: 1.0 + (number % 7) as f64,
    };
    let areas: Vec<PlanArea> = places.iter().enumerate().map(area).collect();
    let times: ShiftTimes = "06:00-14:00,14:00-22:00,22:00-06:00".parse().unwrap();
    let units = number(2, 8.0) as u32;
    let rules = PatrolRules { visits: Wanted::Each(number(4, 2.0) as u32), ..PatrolRules::default() };
    let params =
        PatrolParams { rules, ..PatrolParams::new(Units::new(units, units).unwrap(), times.clone()) };
    let shifts = roster(&times, "2026-12-07".parse().unwrap(), count(3, 1.0), "America/Bogota").unwrap();
    let points: Vec<Coord<f64>> = places.iter().copied().chain(depots.iter().map(|depot| depot.at)).collect();
    let travel = Travel::straight(&points, params.rules.detour.get(), params.rules.speed.get());
    let expected =
        demand::by_shift(&areas, &vec![Timing::default(); areas.len()], &shifts.shifts, &shifts.clock);
    let (wanted, _) = demand::wanted(&expected, &shifts.shifts, &params.rules);
    let input = PatrolInput {
        areas: &areas,
        depots: &depots,
        depot_of: &[],
        roster: &shifts,
        wanted: &wanted,
        demand: &expected,
        travel: &travel,
    };
    let (cpu, wall, found) = measured(|| patrol(&input, &params).unwrap());
    let best = found.coverage[0];
    println!(
        r#"{{"plan":"patrol","areas":{},"units":{units},"shifts":{},"cpu":{cpu:.3},"wall":{wall:.3},"wanted":{},"planned":{}}}"#,
        areas.len(),
        shifts.shifts.len(),
        best.wanted,
        best.planned,
    );
}

fn bench_districts() {
    let (width, height) = (number(1, 25.0) as usize, number(2, 13.0) as usize);
    let mut chance = Chance::new(14, 0);
    let demand: Vec<f64> = (0..width * height).map(|_| 1.0 + chance.below(20) as f64).collect();
    let beside = |zone: usize| {
        let mut near = Vec::new();
        if !(zone + 1).is_multiple_of(width) {
            near.push(zone as u32 + 1);
        }
        near.push((zone + width) as u32);
        near
    };
    let graph = Graph::new((0..width * height).map(beside).collect());
    let way = |a: usize, b: usize| {
        let (x, y) = ((a % width).abs_diff(b % width) as f64, (a / width).abs_diff(b / width) as f64);
        1000.0 * (x * x + y * y).sqrt()
    };
    let problem = DistrictsProblem { graph: &graph, demand: &demand, workload: &demand };
    let params = DistrictsParams::new(count(3, 12.0));
    let (cpu, wall, found) = measured(|| districts(&problem, way, &params).unwrap());
    println!(
        r#"{{"plan":"districts","zones":{},"cpu":{cpu:.3},"wall":{wall:.3},"cost":{:.0},"above_bound":{:.4}}}"#,
        demand.len(),
        found.cost,
        found.cost / found.bound - 1.0,
    );
}

fn main() {
    match std::env::args().filter(|arg| arg != "--bench").nth(1).as_deref() {
        Some("areas") => bench_areas(),
        Some("sites") => bench_sites(),
        Some("patrol") => bench_patrol(),
        Some("districts") => bench_districts(),
        _ => println!("skipped: name the plan, see the head of this file"),
    }
}
