//! Sites: published optima, enumeration, laws, and degenerate worlds.

#![expect(clippy::unwrap_used, reason = "a test stops where it cannot go on")]

use std::num::NonZeroU32;

use brasa_model::{Chance, Metres};
use brasa_planning::sites::{Sited, SitesParams, SitesProblem, sites};
use brasa_planning::{Objective, PlanError};
use proptest::prelude::*;

fn params(count: u32, cover: Option<f64>) -> SitesParams {
    SitesParams {
        objective: Some(if cover.is_some() { Objective::Cover } else { Objective::Median }),
        within: cover.map(|within| Metres::new(within).unwrap()),
        ..SitesParams::new(NonZeroU32::new(count).unwrap())
    }
}

/// The shortest ways of an instance, and how many sites it asks for.
fn pmed(text: &str) -> (Vec<Vec<f64>>, u32) {
    let numbers: Vec<usize> = text.split_whitespace().map(|word| word.parse().unwrap()).collect();
    let n = numbers[0];
    let mut way = vec![vec![f64::INFINITY; n]; n];
    for edge in numbers[3..].chunks(3) {
        way[edge[0] - 1][edge[1] - 1] = edge[2] as f64;
        way[edge[1] - 1][edge[0] - 1] = edge[2] as f64;
    }
    (0..n).for_each(|at| way[at][at] = 0.0);
    for over in 0..n {
        for from in 0..n {
            for to in 0..n {
                way[from][to] = way[from][to].min(way[from][over] + way[over][to]);
            }
        }
    }
    (way, numbers[2] as u32)
}

#[test]
fn the_optima_of_the_or_library_are_found() {
    for (text, optimum) in
        [(include_str!("pmed/pmed1.txt"), 5819.0), (include_str!("pmed/pmed5.txt"), 1355.0)]
    {
        let (way, count) = pmed(text);
        let demand = vec![1.0; way.len()];
        let problem = SitesProblem { demand: &demand, candidates: way.len(), existing: &[] };
        let found = sites(&problem, |from, to| way[from][to], &params(count, None)).unwrap();
        assert_eq!(found.total, optimum);
        assert!(found.bound <= optimum && found.bound > 0.99 * optimum, "{}", found.bound);
    }
}

struct World {
    demand: Vec<f64>,
    places: Vec<(f64, f64)>,
    candidates: Vec<(f64, f64)>,
}

impl World {
    fn new(seed: u64, demands: usize, candidates: usize) -> Self {
        let mut chance = Chance::new(seed, 0);
        let mut place = || (chance.share() * 1000.0, chance.share() * 1000.0);
        let places: Vec<_> = (0..demands).map(|_| place()).collect();
        let candidates = (0..candidates).map(|_| place()).collect();
        let demand = (0..demands).map(|_| chance.below(20) as f64).collect();
        Self { demand, places, candidates }
    }

    fn way(&self, from: usize, to: usize) -> f64 {
        let (a, b) = (self.candidates[from], self.places[to]);
        ((a.0 - b.0).powi(2) + (a.1 - b.1).powi(2)).sqrt()
    }

    fn solve(&self, existing: &[u32], params: &SitesParams) -> Sited {
        let problem = SitesProblem { demand: &self.demand, candidates: self.candidates.len(), existing };
        sites(&problem, |from, to| self.way(from, to), params).unwrap()
    }

    /// The best of all choices, each tried: the least sum, or the most covered.
    fn exact(&self, existing: &[u32], count: u32, cover: Option<f64>) -> f64 {
        let mut best = if cover.is_some() { 0.0 } else { f64::INFINITY };
        for choice in 0_u32..1 << self.candidates.len() {
            let open = |at: u32| choice >> at & 1 == 1 || existing.contains(&at);
            let new = (0..32).filter(|&at| choice >> at & 1 == 1 && !existing.contains(&at)).count();
            if new != count as usize || existing.iter().any(|&at| choice >> at & 1 == 1) {
                continue;
            }
            let value: f64 = (0..self.places.len())
                .map(|to| {
                    let near = (0..self.candidates.len() as u32)
                        .filter(|&at| open(at))
                        .map(|at| self.way(at as usize, to))
                        .fold(f64::INFINITY, f64::min);
                    self.demand[to] * cover.map_or(near, |within| f64::from(near <= within))
                })
                .sum();
            best = if cover.is_some() { value.max(best) } else { value.min(best) };
        }
        best
    }
}

#[test]
fn no_choice_is_better_by_enumeration() {
    for seed in 0..120 {
        let world = World::new(seed, 8 + seed as usize % 20, 5 + seed as usize % 9);
        let count = 1 + seed as u32 % 4;
        let existing: &[u32] = if seed % 3 == 0 { &[2] } else { &[] };
        let median = world.solve(existing, &params(count, None));
        let best = world.exact(existing, count, None);
        assert!(median.total <= best * (1.0 + 1e-9), "{seed}: {} and {best}", median.total);
        assert!(median.bound <= best * (1.0 + 1e-9) && median.bound >= 0.8 * best);
        let cover = world.solve(existing, &params(count, Some(220.0)));
        let best = world.exact(existing, count, Some(220.0));
        assert_eq!(cover.covered, Some(best), "{seed}");
        assert!(cover.bound >= best - 1e-9);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(48) })]

    #[test]
    fn laws(seed in 0..u64::MAX, demands in 1..25_usize, candidates in 2..12_usize, count in 1..5_u32) {
        let world = World::new(seed, demands, candidates);
        let found = world.solve(&[1], &params(count, None));
        // What is said of each demand is so.
        prop_assert!(!found.chosen.contains(&1) && found.chosen.len() == (count as usize).min(candidates - 1));
        for to in 0..demands {
            let nearest = found.chosen.iter().chain(&[1]).map(|&at| world.way(at as usize, to)).fold(f64::INFINITY, f64::min);
            prop_assert_eq!(found.distance[to], nearest);
            prop_assert_eq!(world.way(found.site[to].unwrap() as usize, to), nearest);
        }
        // One more site is never worse.
        let more = world.solve(&[1], &params(count + 1, None));
        prop_assert!(more.total <= found.total * (1.0 + 1e-12));
        // Twice the demand, twice the sum; as the search only compares, the same sites.
        let twice = World { demand: world.demand.iter().map(|demand| 2.0 * demand).collect(), places: world.places.clone(), candidates: world.candidates.clone() };
        let doubled = twice.solve(&[1], &params(count, None));
        prop_assert_eq!(&doubled.chosen, &found.chosen);
        // Candidates in another order: as good.
        let turned = World { candidates: world.candidates.iter().rev().copied().collect(), places: world.places.clone(), demand: world.demand.clone() };
        let turned = turned.solve(&[candidates as u32 - 2], &params(count, None));
        prop_assert!((turned.total - found.total).abs() <= 1e-9 * found.total);
    }
}

#[test]
fn the_same_on_any_number_of_threads() {
    let world = World::new(5, 200, 60);
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| world.solve(&[3], &params(7, None)))
    };
    assert_eq!(on(1), on(3));
}

#[test]
fn degenerate_worlds() {
    let none = World::new(1, 0, 3).solve(&[], &params(2, None));
    assert!(none.site.is_empty() && none.total == 0.0 && none.bound == 0.0);
    let nowhere = World::new(1, 3, 0).solve(&[], &params(2, None));
    assert!(nowhere.chosen.is_empty() && nowhere.site == [None; 3]);
    assert_eq!(nowhere.unreached, World::new(1, 3, 0).demand.iter().sum::<f64>());
    let one = World::new(1, 1, 1).solve(&[], &params(9, None));
    assert_eq!((one.chosen.as_slice(), one.site.as_slice()), (&[0][..], &[Some(0)][..]));
    let zero = World { demand: vec![0.0; 4], ..World::new(1, 4, 4) };
    assert_eq!(zero.solve(&[], &params(2, None)).chosen.len(), 2);
    assert_eq!(zero.solve(&[], &params(2, Some(1.0))).covered, Some(0.0));
    let stacked =
        World { places: vec![(0.0, 0.0); 4], candidates: vec![(0.0, 0.0); 4], ..World::new(1, 4, 4) };
    assert_eq!(stacked.solve(&[], &params(2, None)).total, 0.0);
    assert!(World::new(1, 4, 3).solve(&[0, 1, 2, 2], &params(2, None)).chosen.is_empty());
}

#[test]
fn where_there_is_no_way_it_is_said() {
    let problem = SitesProblem { demand: &[5.0, 1.0], candidates: 2, existing: &[] };
    let way = |from: usize, to: usize| if from == to { 1.0 } else { f64::INFINITY };
    let found = sites(&problem, way, &params(1, None)).unwrap();
    assert_eq!((found.chosen.as_slice(), found.total, found.unreached), (&[0][..], 5.0, 1.0));
    assert_eq!(found.site, [Some(0), None]);
}

#[test]
fn what_is_no_number_is_refused() {
    let refused = |demand: &[f64], existing: &[u32], way: f64, cover: Option<f64>| {
        let problem = SitesProblem { demand, candidates: 2, existing };
        let params = SitesParams { within: None, ..params(1, cover) };
        matches!(sites(&problem, |_, _| way, &params), Err(PlanError::Parameter { plan: "sites", .. }))
    };
    assert!(refused(&[f64::NAN], &[], 1.0, None));
    assert!(refused(&[-1.0], &[], 1.0, None));
    assert!(refused(&[f64::INFINITY], &[], 1.0, None));
    assert!(refused(&[1.0], &[2], 1.0, None));
    assert!(refused(&[1.0], &[], f64::NAN, None));
    assert!(refused(&[1.0], &[], -1.0, None));
    assert!(refused(&[1e300], &[], 1e300, None));
    assert!(refused(&[1.0], &[], 1.0, Some(5.0)));
    assert!(!refused(&[1.0], &[], 1.0, None));
}

#[test]
fn parameters_are_read_with_their_units() {
    let read: SitesParams =
        serde_json::from_str(r#"{"count":5,"objective":"cover","within":"2km"}"#).unwrap();
    assert_eq!(read, params(5, Some(2000.0)));
    assert!(serde_json::from_str::<SitesParams>("{}").is_err());
    assert!(serde_json::from_str::<SitesParams>(r#"{"count":5,"of":1}"#).is_err());
}
