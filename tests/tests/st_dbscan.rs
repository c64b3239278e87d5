//! Clusters in space and time, the radius that k-distances suggest, and how much a clustering depends on it: against
//! outside numbers, the definitions written down, and laws.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use brasa_model::{Civil, Clusters, Curve, Incidents, Interval, Metres, Span, Times};
use brasa_spatial_index::methods::cluster::dbscan::{DbscanParams, dbscan};
use brasa_spatial_index::methods::cluster::dbscan_stability::{DbscanStabilityParams, dbscan_stability};
use brasa_spatial_index::methods::cluster::k_distance::{KDistanceParams, k_distance};
use brasa_spatial_index::methods::cluster::st_dbscan::{StDbscanParams, st_dbscan};
use brasa_spatial_index::{AnalysisError, Eps, Watch};
use brasa_tests::{incidents, numbers, real, rows};
use proptest::prelude::*;

const DAY: i64 = 86_400;

/// A time that is known to so many seconds.
fn time(start: i64, seconds: i64) -> Option<Interval> {
    Some(Interval { start: Civil(start), end: Civil(start + seconds) })
}

fn number(value: u32) -> NonZeroU32 {
    NonZeroU32::new(value).unwrap()
}

fn length(value: f64) -> Eps {
    Eps::Length(Metres::new(value).unwrap())
}

fn params(eps: f64, seconds: i64, least: u32) -> StDbscanParams {
    StDbscanParams::new(length(eps), Span::new(seconds).unwrap(), number(least))
}

fn run(incidents: &Incidents, params: &StDbscanParams) -> Clusters {
    st_dbscan(incidents, params, &Watch::NOBODY).unwrap()
}

/// Incidents with times, in a world that holds them wherever they lie.
fn timed(x: &[f64], y: &[f64], times: Vec<Option<Interval>>, weight: Option<Vec<f64>>) -> Incidents {
    let mut world = incidents(x.to_vec(), y.to_vec(), weight, (-1e7, -1e7, 1e7, 1e7));
    world.times = Some(Times::new(times, None));
    world
}

/// A world of x, y, time (some unknown) and weight; on a lattice of 12.5 m and 6 h, so that ties and stacks occur.
type World = Vec<(u32, u32, Option<i64>, u32)>;

fn world() -> impl Strategy<Value = World> {
    let when = prop_oneof![9 => (0..120_i64).prop_map(Some), 1 => Just(None)];
    prop::collection::vec((0..40_u32, 0..40_u32, when, 1..3_u32), 1..120)
        .prop_filter("where no time is known the method refuses", |world| {
            world.iter().any(|at| at.2.is_some())
        })
}

fn incidents_of(world: &World, (right, later): (f64, i64)) -> Incidents {
    let times = world.iter().map(|&(_, _, at, _)| at.and_then(|at| time(at * DAY / 4 + later, 1))).collect();
    let x: Vec<f64> = world.iter().map(|&(x, ..)| f64::from(x) * 12.5 + right).collect();
    let y: Vec<f64> = world.iter().map(|&(_, y, ..)| f64::from(y) * 12.5 + 2.0 * right).collect();
    timed(&x, &y, times, Some(world.iter().map(|&(.., weight)| f64::from(weight)).collect()))
}

/// Whether two incidents of a world are neighbours, and how far apart they are for a border.
fn near(world: &World, a: usize, b: usize, eps: f64, seconds: i64) -> Option<f64> {
    let ((xa, ya, ta, _), (xb, yb, tb, _)) = (world[a], world[b]);
    let square = (f64::from(xa) - f64::from(xb)).powi(2) + (f64::from(ya) - f64::from(yb)).powi(2);
    let square = square * 12.5 * 12.5;
    let late = ((ta? - tb?) * DAY / 4).abs();
    let within = square <= eps * eps && late <= seconds;
    within.then(|| square / (eps * eps) + (late as f64 / seconds as f64).powi(2))
}

/// Birant & Kut 2007, written down: who is core, and which cores hang together.
fn naive(world: &World, eps: f64, seconds: i64, least: u32) -> (Vec<bool>, Vec<Option<usize>>) {
    let n = world.len();
    let weigh = |a: usize| -> u32 {
        (0..n).filter(|&b| near(world, a, b, eps, seconds).is_some()).map(|b| world[b].3).sum()
    };
    let core: Vec<bool> = (0..n).map(|a| weigh(a) >= least).collect();
    let mut group = vec![None; n];
    for start in (0..n).filter(|&at| core[at]) {
        let mut open = vec![start];
        while let Some(a) = open.pop() {
            if group[a].is_none() {
                group[a] = Some(start);
                open.extend(
                    (0..n).filter(|&b| {
                        core[b] && group[b].is_none() && near(world, a, b, eps, seconds).is_some()
                    }),
                );
            }
        }
    }
    (core, group)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn st_dbscan_equals_the_definition(world in world(), eps in prop_oneof![Just(12.5), Just(25.0), 10.0..200.0_f64], quarters in 1..40_i64, least in 1..12_u32) {
        let seconds = quarters * DAY / 4;
        let found = run(&incidents_of(&world, (3.0e5, 0)), &params(eps, seconds, least));
        let (core, group) = naive(&world, eps, seconds, least);
        prop_assert_eq!(&found.core, &core);
        for a in 0..world.len() {
            let reach: Vec<(f64, usize)> = (0..world.len())
                .filter(|&b| core[b])
                .filter_map(|b| near(&world, a, b, eps, seconds).map(|apart| (apart, b)))
                .collect();
            let nearest = reach.iter().map(|&(apart, _)| apart).fold(f64::INFINITY, f64::min);
            prop_assert_eq!(found.labels[a].is_some(), nearest.is_finite());
            if nearest.is_finite() {
                let mut equals = reach.iter().filter(|&&(apart, _)| apart <= nearest + 1e-12);
                prop_assert!(equals.any(|&(_, b)| found.labels[b] == found.labels[a]));
            }
            for b in (0..world.len()).filter(|&b| core[a] && core[b]) {
                prop_assert_eq!(found.labels[a] == found.labels[b], group[a] == group[b]);
            }
        }
        for cluster in &found.clusters {
            let mut places: Vec<(u32, u32)> = (0..world.len())
                .filter(|&at| found.labels[at] == Some(cluster.number))
                .map(|at| (world[at].0, world[at].1))
                .collect();
            prop_assert_eq!(cluster.incidents as usize, places.len());
            places.sort_unstable();
            places.dedup();
            prop_assert_eq!(cluster.sites as usize, places.len());
        }
    }

    #[test]
    fn st_dbscan_does_not_depend_on_rows_threads_or_where_and_when_it_is(world in world(), turn in 0..100_usize) {
        let params = params(40.0, 2 * DAY, 4);
        let first = run(&incidents_of(&world, (0.0, 0)), &params);
        let moved = run(&incidents_of(&world, (-12_800.0, -50 * 365 * DAY)), &params);
        prop_assert_eq!(&first.labels, &moved.labels);
        let (mut mixed, mut labels) = (world.clone(), first.labels.clone());
        let turn = turn % world.len();
        mixed.rotate_left(turn);
        mixed.reverse();
        labels.rotate_left(turn);
        labels.reverse();
        let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap();
        let again = pool.install(|| run(&incidents_of(&mixed, (0.0, 0)), &params));
        prop_assert_eq!(&labels, &again.labels);
    }

    #[test]
    fn st_dbscan_over_all_time_is_dbscan(world in world(), eps in 10.0..200.0_f64, least in 1..12_u32) {
        let mut world = world;
        for place in &mut world {
            place.2 = place.2.or(Some(0));
        }
        let incidents = incidents_of(&world, (3.0e5, 0));
        let found = run(&incidents, &params(eps, 1000 * DAY, least));
        let flat = dbscan(&incidents, &DbscanParams::new(length(eps), number(least)), &Watch::NOBODY).unwrap();
        prop_assert_eq!(&found.core, &flat.core);
        prop_assert_eq!(found.noise(), flat.noise());
        prop_assert_eq!(found.clusters.len(), flat.clusters.len());
    }

    #[test]
    fn the_curve_of_k_distances_is_the_share_of_cores(world in world(), least in 1..9_u32, quarters in prop::option::of(1..40_i64)) {
        let incidents = incidents_of(&world, (3.0e5, 0));
        let eps_time = quarters.map(|quarters| Span::new(quarters * DAY / 4).unwrap());
        let params = KDistanceParams { min_points: number(least), eps_time };
        let Ok(curve) = k_distance(&incidents, &params, &Watch::NOBODY) else {
            // Nobody has so many around, or nobody has a time.
            let weight: u32 = world.iter().map(|place| place.3).sum();
            prop_assert!(eps_time.is_some() || weight < least);
            return Ok(());
        };
        prop_assert!(curve.x.values.windows(2).all(|pair| pair[0] < pair[1]));
        let counted = world.iter().filter(|place| eps_time.is_none() || place.2.is_some()).count();
        for (&eps, &share) in curve.x.values.iter().zip(&curve.y[1].values) {
            // A hair more, because the root of a square is rounded.
            let radius = (eps * (1.0 + 1e-12)).max(1e-3);
            let core = match eps_time {
                None => dbscan(&incidents, &DbscanParams::new(length(radius), params.min_points), &Watch::NOBODY).unwrap().core,
                Some(time) => run(&incidents, &StDbscanParams::new(length(radius), time, params.min_points)).core,
            };
            let cores = core.iter().filter(|&&core| core).count();
            prop_assert!((share - cores as f64 / counted as f64).abs() < 1e-12);
        }
        if let Some(best) = curve.optimum {
            prop_assert!(curve.y[0].values.iter().all(|&above| above <= curve.y[0].values[best]));
        }
    }

    #[test]
    fn stability_is_what_each_clustering_alone_says(world in world(), least in 2..6_u32) {
        let incidents = incidents_of(&world, (3.0e5, 0));
        let of = |eps: f64, least: u32| dbscan(&incidents, &DbscanParams::new(length(eps), number(least)), &Watch::NOBODY).unwrap();
        let params = DbscanStabilityParams { eps: length(50.0), min_points: number(least) };
        let table = dbscan_stability(&incidents, &params, &Watch::NOBODY).unwrap();
        let middle = of(50.0, least);
        for (block, least) in [least, least.div_ceil(2), 2 * least].into_iter().enumerate() {
            for (at, &eps) in table.x.values.iter().enumerate() {
                let found = of(eps, least);
                let value = |column: usize| table.y[3 * block + column].values[at];
                prop_assert_eq!(value(1), found.clusters.len() as f64);
                prop_assert_eq!(value(2), found.noise() as f64 / world.len() as f64);
                let wanted = naive_rand(&middle, &found);
                prop_assert!(value(0) == wanted || (value(0) - wanted).abs() < 1e-9 || value(0).is_nan() && wanted.is_nan());
            }
        }
        let given = table.x.values.iter().position(|&eps| eps == 50.0).unwrap();
        prop_assert!(table.y[0].values[given] == 1.0 || table.y[0].values[given].is_nan());
    }
}

/// Hubert & Arabie 1985, counted pair by pair.
fn naive_rand(a: &Clusters, b: &Clusters) -> f64 {
    let both: Vec<usize> = (0..a.labels.len()).filter(|&at| a.core[at] && b.core[at]).collect();
    let (mut together, mut in_a, mut in_b, mut pairs) = (0.0, 0.0, 0.0, 0.0);
    for (at, &i) in both.iter().enumerate() {
        for &j in &both[..at] {
            let (same_a, same_b) = (a.labels[i] == a.labels[j], b.labels[i] == b.labels[j]);
            together += f64::from(u8::from(same_a && same_b));
            in_a += f64::from(u8::from(same_a));
            in_b += f64::from(u8::from(same_b));
            pairs += 1.0;
        }
    }
    if pairs == 0.0 {
        return f64::NAN;
    }
    let (expected, most): (f64, f64) = (in_a * in_b / pairs, (in_a + in_b) / 2.0);
    if most == expected { 1.0 } else { (together - expected) / (most - expected) }
}

#[test]
fn st_dbscan_finds_the_cores_noise_and_clusters_of_three_cities() {
    for (set, eps, clusters, noise, cores) in [
        ("pts_chicago_arson", 1000.0, 32, 406, 72),
        ("pts_medellin_2018_2019", 300.0, 41, 1052, 134),
        ("pts_memphis_robbery_2019", 400.0, 101, 1860, 279),
    ] {
        let Some(file) = real(&format!("reference/{set}_points.csv.gz")) else { return };
        let points = rows(&file, true);
        let (x, y, t) = (numbers(&points, 1), numbers(&points, 2), numbers(&points, 8));
        // Whole days, so dates.
        let times = t.iter().map(|&days| time((days * DAY as f64).round() as i64, DAY)).collect();
        let found = run(&timed(&x, &y, times, None), &params(eps, 14 * DAY, 3));
        assert_eq!(found.clusters.len(), clusters, "{set}");
        assert_eq!(found.noise(), noise, "{set}");
        assert_eq!(found.core.iter().filter(|&&core| core).count(), cores, "{set}");
        let mut names = BTreeMap::new();
        for (at, row) in points.iter().enumerate() {
            assert_eq!(found.core[at], &row[10] == "1", "{set}: {at}");
            assert_eq!(found.labels[at].is_none(), &row[9] == "-1", "{set}: {at}");
            if found.core[at] {
                assert_eq!(*names.entry(found.labels[at]).or_insert(&row[9]), &row[9], "{set}: {at}");
            }
        }
        assert_eq!(names.len(), clusters, "{set}");
    }
}

#[test]
fn the_time_of_an_incident_is_the_middle_of_what_is_known() {
    // A date and the noon of a date a week later are a week apart; a second less is too little.
    let world = timed(&[0.0, 1.0], &[0.0, 0.0], vec![time(0, DAY), time(7 * DAY + DAY / 2, 1)], None);
    assert_eq!(run(&world, &params(5.0, 7 * DAY, 2)).clusters.len(), 1);
    assert_eq!(run(&world, &params(5.0, 7 * DAY - 1, 2)).clusters.len(), 0);
}

#[test]
fn incidents_without_a_time_are_noise_and_said_to_be() {
    let world = timed(&[0.0; 4], &[0.0; 4], vec![time(0, 1), None, time(5, 30 * DAY), None], None);
    let found = run(&world, &params(5.0, 20 * DAY, 2));
    assert_eq!(found.labels, [Some(1), None, Some(1), None]);
    let notes: Vec<&str> = found.notes.iter().map(|note| note.code.as_str()).collect();
    assert_eq!(notes, ["time_unknown", "time_vague", "significance_not_tested"]);
    assert_eq!(found.notes[0].value, Some(2.into()));

    let nobody = timed(&[0.0; 2], &[0.0; 2], vec![None, None], None);
    let none = incidents(vec![0.0], vec![0.0], None, (-1.0, -1.0, 1.0, 1.0));
    for world in [nobody, none] {
        let refused = st_dbscan(&world, &params(5.0, DAY, 2), &Watch::NOBODY).unwrap_err();
        assert_eq!(refused, AnalysisError::NoTimes { method: "st-dbscan" });
    }
    let empty = timed(&[], &[], Vec::new(), None);
    assert_eq!(
        st_dbscan(&empty, &params(5.0, DAY, 2), &Watch::NOBODY).unwrap_err(),
        AnalysisError::NoIncidents
    );
}

#[test]
fn a_reach_finer_than_numbers_is_refused() {
    let world = timed(&[0.0, 1e6], &[0.0, 1e6], vec![time(0, 1), time(4000 * DAY, 1)], None);
    for eps in [1e-30, 1e-10] {
        let flat = DbscanParams::new(length(eps), number(1));
        let refused = dbscan(&world, &flat, &Watch::NOBODY).unwrap_err();
        assert!(refused.to_string().contains("--eps: a neighbourhood of"), "{refused}");
        assert!(st_dbscan(&world, &params(eps, 1, 1), &Watch::NOBODY).is_err());
    }
}

fn curve(incidents: &Incidents, least: u32) -> Result<Curve, AnalysisError> {
    k_distance(incidents, &KDistanceParams { min_points: number(least), eps_time: None }, &Watch::NOBODY)
}

fn auto(incidents: &Incidents, least: u32) -> Result<Clusters, AnalysisError> {
    dbscan(incidents, &DbscanParams::new(Eps::Auto, number(least)), &Watch::NOBODY)
}

#[test]
fn the_knee_lies_between_the_spacing_of_clusters_and_that_of_noise() {
    // Two lattices of 10 m, and ten incidents kilometres from anybody.
    let lattice =
        |at: u32| (f64::from(at % 10) * 10.0 + f64::from(at / 100) * 2000.0, f64::from(at % 100 / 10) * 10.0);
    let alone = |at: u32| (f64::from(at * at) * 3000.0 + 9000.0, -5000.0);
    let (x, y): (Vec<f64>, Vec<f64>) = (0..200).map(lattice).chain((0..10).map(alone)).unzip();
    let world = incidents(x, y, None, (-1e7, -1e7, 1e7, 1e7));
    let best = curve(&world, 4).unwrap().best().unwrap();
    assert!((10.0..=20.0).contains(&best), "{best}");
    let found = auto(&world, 4).unwrap();
    assert_eq!((found.clusters.len(), found.noise()), (2, 10));
    assert_eq!(found.notes[0].code, "eps_chosen");
    let reason = found.notes[0].reason.as_ref().unwrap();
    assert!(reason.contains("--eps sets another; with so many cores"), "{reason}");
}

#[test]
fn where_there_is_no_knee_auto_is_refused() {
    let refused = |x: Vec<f64>, least: u32, why: &str| {
        let y = vec![0.0; x.len()];
        let world = incidents(x, y, None, (-1e7, -1e7, 1e7, 1e7));
        let error = auto(&world, least).unwrap_err();
        assert!(error.to_string().contains(why), "{error}");
        assert!(brasa_model::Diagnose::help(&error).unwrap().contains("give the eps as a length"));
    };
    // Everybody in one place, everybody equally far, nobody with enough around, and nobody.
    refused(vec![7.0; 40], 5, "0.0 m from every incident");
    refused(vec![0.0, 10.0, 20.0, 30.0], 2, "10.0 m from every incident");
    refused(vec![0.0, 10.0, 20.0], 4, "no incident has so many near it");
    refused(Vec::new(), 4, "no incident has so many near it");
    refused([vec![0.0; 50], vec![90.0]].concat(), 5, "the knee is at 0 m");
    let stack = incidents(vec![7.0; 40], vec![7.0; 40], None, (0.0, 0.0, 10.0, 10.0));
    assert_eq!(curve(&stack, 5).unwrap().optimum, None);
}
