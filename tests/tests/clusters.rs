//! What is told of clusters: their shape, what chance would make, and clusters of clusters.

use std::num::NonZeroU32;

use brasa_model::Chance;
use brasa_model::{Clusters, Incidents, Kinds, Metres, Window, WindowOrigin};
use brasa_spatial_index::clusters::ClusterParams;
use brasa_spatial_index::methods::cluster::dbscan::{DbscanParams, dbscan};
use brasa_spatial_index::methods::cluster::nnh::{LeastPoints, NnhParams, nnh, random_distance};
use brasa_spatial_index::shape::{Outline, concave, convex, ellipse, mean_centre, medoid};
use brasa_spatial_index::{AnalysisError, Sites, Watch};
use brasa_tests::{incidents, numbers, real, rows};
use geo::{Area, Contains, Coord, MultiPolygon, Point, Polygon, Rect, Validation};
use proptest::prelude::*;

fn places() -> impl Strategy<Value = Vec<Coord<f64>>> {
    let place = prop_oneof![
        3 => (0..40_u32, 0..40_u32).prop_map(|(x, y)| (f64::from(x) * 25.0, f64::from(y) * 25.0)),
        1 => (0.0..1000.0, 0.0..1000.0),
    ];
    let line =
        (1..30_u32).prop_map(|n| (0..n).map(|at| (f64::from(at) * 37.0, f64::from(at) * 11.0)).collect());
    let cloud = prop::collection::vec(place, 1..120);
    (prop_oneof![4 => cloud, 1 => line], 0..3_usize).prop_map(|(places, offset)| {
        let origin = [0.0, 4.5e6, -3.0e5][offset];
        places.into_iter().map(|(x, y)| Coord { x: x + origin, y: y + origin }).collect()
    })
}

fn distance(a: Coord<f64>, b: Coord<f64>) -> f64 {
    (a.x - b.x).hypot(a.y - b.y)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_outline_is_valid_and_holds_its_places(places in places(), margin in 1.0..200.0_f64) {
        let (wide, narrow) = (convex(&places, margin), concave(&places, margin));
        for (outline, name) in [(&wide, "convex"), (&narrow, "concave")] {
            prop_assert!(outline.is_valid(), "{name} {:?}", outline.check_validation());
            prop_assert!(places.iter().all(|&place| outline.contains(&Point(place))));
            // An octagon of radius m around one place is the least it can be.
            prop_assert!(outline.unsigned_area() >= 2.0 * 2.0_f64.sqrt() * margin * margin * (1.0 - 1e-6));
        }
        // The union snaps to a lattice of a billionth of the extent; that times the outline's length is the most it can add.
        let more = narrow.unsigned_area() - wide.unsigned_area();
        prop_assert!(more <= 1e-8 * 1000.0 * 4000.0, "{more}");
    }

    #[test]
    fn the_medoid_is_the_place_with_the_least_sum(places in places(), seed in 0..1000_u64) {
        let mut chance = Chance::new(seed, 1);
        let weights: Vec<f64> = places.iter().map(|_| chance.below(5) as f64).collect();
        let sum = |at: usize| places.iter().zip(&weights).map(|(&place, weight)| weight * distance(place, places[at])).sum::<f64>();
        let least = (0..places.len()).map(sum).fold(f64::INFINITY, f64::min);
        let found = medoid(&places, &weights).unwrap();
        prop_assert!(sum(found) <= least * (1.0 + 1e-12), "{} {least}", sum(found));
    }

    #[test]
    fn an_ellipse_turns_with_its_places(places in places(), turn in 0.0..180.0_f64) {
        let weights = vec![1.0; places.len()];
        let middle = mean_centre(&places, &weights);
        let (sin, cos) = turn.to_radians().sin_cos();
        // Clockwise, as bearings run.
        let turned: Vec<Coord<f64>> = places.iter().map(|place| {
            let away = *place - middle;
            Coord { x: away.x * cos + away.y * sin, y: away.y * cos - away.x * sin }
        }).collect();
        let n = places.len() as u64;
        let (Some(before), Some(after)) = (ellipse(&places, &weights, n), ellipse(&turned, &weights, n)) else {
            prop_assert!(n < 3);
            return Ok(());
        };
        let size = before.major + 1.0;
        prop_assert!((before.major - after.major).abs() < 1e-6 * size && (before.minor - after.minor).abs() < 1e-4 * size);
        if before.minor < 0.99 * before.major {
            let apart = (after.bearing - before.bearing - turn).rem_euclid(180.0);
            prop_assert!(apart.min(180.0 - apart) < 1e-3, "{} {} {turn}", before.bearing, after.bearing);
        }
    }

    #[test]
    fn nnh_equals_its_definition(places in places(), reach in prop_oneof![Just(25.0), 10.0..300.0_f64], least in 1..8_u32) {
        let (x, y): (Vec<f64>, Vec<f64>) = places.iter().map(|place| (place.x, place.y)).unzip();
        let low = x.iter().chain(&y).copied().fold(f64::INFINITY, f64::min) - 1.0;
        let world = incidents(x, y, None, (low, low, low + 2000.0, low + 2000.0));
        let params = NnhParams { distance: Some(metres(reach)), min_points: LeastPoints(NonZeroU32::new(least).unwrap()), ..NnhParams::default() };
        let found = nnh(&world, &params, &Watch::NOBODY).unwrap();
        let naive = naive_nnh(&Sites::new(&world), reach, f64::from(least));
        let orders = found.clusters.iter().map(|cluster| cluster.order).max().unwrap_or(0);
        prop_assert_eq!(orders as usize, naive.len());
        for (order, groups) in (1..).zip(&naive) {
            let mut ours: Vec<(u64, u64)> = found.clusters.iter().filter(|cluster| cluster.order == order).map(|cluster| (cluster.incidents, cluster.sites)).collect();
            let sites = Sites::new(&world);
            let mut theirs: Vec<(u64, u64)> = groups.iter().map(|group| (group.iter().map(|&site| u64::from(sites.count[site])).sum(), group.len() as u64)).collect();
            ours.sort_unstable();
            theirs.sort_unstable();
            prop_assert_eq!(ours, theirs, "order {}", order);
        }
        // The first order, incident by incident: together here is together there.
        let sites = Sites::new(&world);
        let of_site = |site: usize| naive.first().and_then(|groups| groups.iter().position(|group| group.contains(&site)));
        let theirs: Vec<Option<usize>> = sites.of_incident.iter().map(|&site| of_site(site as usize)).collect();
        for a in 0..theirs.len() {
            for b in 0..a {
                prop_assert_eq!(found.labels[a].is_some() && found.labels[a] == found.labels[b], theirs[a].is_some() && theirs[a] == theirs[b]);
            }
        }
    }
}

/// The rule of nearest-neighbour hierarchical clustering, written down: for each order the sites of its clusters.
fn naive_nnh(sites: &Sites, reach: f64, least: f64) -> Vec<Vec<Vec<usize>>> {
    let knots = |places: &[Coord<f64>], weight: &[f64], least: f64| {
        let near = |a: usize, b: usize| {
            let step = places[a] - places[b];
            step.x * step.x + step.y * step.y <= reach * reach
        };
        let (mut free, mut knots) = (vec![true; places.len()], Vec::new());
        loop {
            let members =
                |seed: usize| (0..places.len()).filter(|&at| free[at] && near(seed, at)).collect::<Vec<_>>();
            let heavy = |seed: usize| members(seed).iter().map(|&at| weight[at]).sum::<f64>();
            let seeds = (0..places.len()).filter(|&at| free[at]).map(|at| (heavy(at), at));
            let best = seeds.reduce(|best, next| if next.0 > best.0 { next } else { best });
            let Some((_, seed)) = best.filter(|best| best.0 >= least) else { return knots };
            let knot = members(seed);
            knot.iter().for_each(|&at| free[at] = false);
            knots.push(knot);
        }
    };
    let places: Vec<Coord<f64>> =
        (0..sites.len()).map(|at| Coord { x: sites.x[at], y: sites.y[at] }).collect();
    let mut orders = vec![knots(&places, &sites.weight, least)];
    while orders.last().is_some_and(|last: &Vec<Vec<usize>>| last.len() > 1) {
        let last = orders.last().unwrap();
        let centre = |group: &Vec<usize>| {
            let own: Vec<Coord<f64>> = group.iter().map(|&at| places[at]).collect();
            let weights: Vec<f64> = group.iter().map(|&at| sites.weight[at]).collect();
            mean_centre(&own, &weights)
        };
        let mut centres: Vec<(Coord<f64>, &Vec<usize>)> =
            last.iter().map(|group| (centre(group), group)).collect();
        centres.sort_by(|a, b| a.0.y.total_cmp(&b.0.y).then(a.0.x.total_cmp(&b.0.x)).then(a.1.cmp(b.1)));
        let at: Vec<Coord<f64>> = centres.iter().map(|(centre, _)| *centre).collect();
        let next: Vec<Vec<usize>> = knots(&at, &vec![1.0; at.len()], least.max(2.0))
            .iter()
            .map(|knot| {
                let mut members: Vec<usize> =
                    knot.iter().flat_map(|&at| centres[at].1.iter().copied()).collect();
                members.sort_unstable();
                members
            })
            .collect();
        if next.is_empty() {
            break;
        }
        orders.push(next);
    }
    orders.retain(|groups| !groups.is_empty());
    orders
}

fn metres(value: f64) -> Metres {
    Metres::new(value).unwrap()
}

/// A square of 2 km with a lake in it.
fn holed() -> Window {
    let square = |low: f64, high: f64| Rect::new((low, low), (high, high)).to_polygon().exterior().clone();
    let land = Polygon::new(square(0.0, 2000.0), vec![square(700.0, 1300.0)]);
    Window::new(MultiPolygon::new(vec![land]), WindowOrigin::Given("with a lake".to_owned())).unwrap()
}

/// Incidents spread evenly over the land, and `planted` more within 40 m of one place.
fn even(n: usize, planted: usize, seed: u64) -> Incidents {
    let (window, mut chance) = (holed(), Chance::new(seed, 0));
    let (mut x, mut y) = (Vec::new(), Vec::new());
    while x.len() < n {
        let place = (chance.share() * 2000.0, chance.share() * 2000.0);
        if window.contains(place.0, place.1) {
            x.push(place.0);
            y.push(place.1);
        }
    }
    for _ in 0..planted {
        x.push(400.0 + chance.share() * 40.0);
        y.push(1500.0 + chance.share() * 40.0);
    }
    let mut even = incidents(x, y, None, (0.0, 0.0, 2000.0, 2000.0));
    even.window = window;
    even
}

fn kinds(mut incidents: Incidents, is_case: &[bool]) -> Incidents {
    incidents.kinds = Some(Kinds::from_names(is_case.iter().map(|&case| if case { "A" } else { "B" })));
    incidents
}

fn clustered(incidents: &Incidents, simulations: u32, seed: u64, background: Option<&str>) -> Clusters {
    let mut params = DbscanParams::new(metres(60.0), NonZeroU32::new(4).unwrap());
    params.report = ClusterParams {
        cases: background.map(|_| "kind=A".parse().unwrap()),
        background: background.map(|text| text.parse().unwrap()),
        simulations,
        seed,
        ..ClusterParams::default()
    };
    dbscan(incidents, &params, &Watch::NOBODY).unwrap()
}

fn least_p(found: &Clusters) -> f64 {
    found.clusters.iter().map(|cluster| cluster.excess.p.unwrap()).fold(1.0, f64::min)
}

/// In how many of 200 worlds without a cluster the strongest has p ≤ 0.05, by 19 simulations: Binomial(200, 0.05) at most, of which
/// more than 20 has a chance of 3 in 1000, and a p that is never small would give none, which has a chance of 4 in 100 000.
fn false_alarms(world: impl Fn(u64) -> Clusters) -> usize {
    (0..200).filter(|&seed| least_p(&world(seed)) <= 0.05).count()
}

#[test]
fn p_is_small_no_more_often_than_it_says_where_incidents_are_even() {
    let alarms = false_alarms(|seed| clustered(&even(120, 0, 1000 + seed), 19, seed, None));
    assert!((1..=20).contains(&alarms), "{alarms} of 200");
}

#[test]
fn p_is_small_no_more_often_than_it_says_where_labels_are_dealt() {
    // A town of which a third is in one corner: dense, but the cases are no denser than the rest.
    let alarms = false_alarms(|seed| {
        let town = even(200, 60, 5000 + seed);
        let is_case = Chance::new(9, seed).choose(90, town.len());
        clustered(&kinds(town, &is_case), 19, seed, Some("all"))
    });
    assert!((1..=20).contains(&alarms), "{alarms} of 200");
}

#[test]
fn a_planted_cluster_is_found_and_a_dense_town_is_no_cluster_of_cases() {
    let town = even(300, 40, 3);
    let found = clustered(&town, 99, 1, None);
    let strongest = &found.clusters[0];
    assert_eq!(strongest.excess.p, Some(0.01));
    assert!(strongest.incidents >= 40 && strongest.excess.expected < 3.0 && strongest.excess.llr > 50.0);
    assert!(strongest.outline.contains(&Point::new(420.0, 1520.0)));
    // Every second incident is a case, in the dense place as elsewhere: against all there is nothing to see.
    let half: Vec<bool> = (0..town.len()).map(|at| at % 2 == 0).collect();
    let found = clustered(&kinds(town.clone(), &half), 99, 1, Some("all"));
    assert!(!found.clusters.is_empty() && least_p(&found) > 0.2, "{}", least_p(&found));
    let there = &found.clusters[0];
    assert!((there.weight / there.excess.expected - 1.0).abs() < 0.35, "{:?}", there.excess);
    assert_eq!(found.clustered, 170);
    assert!(
        found.noise() < 170 && found.labels.iter().zip(&half).all(|(label, case)| label.is_none() || *case)
    );
    // All cases are in the dense place: there they are more than their share.
    let planted: Vec<bool> = (0..town.len()).map(|at| at >= 300 || at % 10 == 0).collect();
    assert_eq!(least_p(&clustered(&kinds(town, &planted), 99, 1, Some("kind=B"))), 0.01);
}

#[test]
fn chance_depends_on_the_seed_alone_and_changes_p_alone() {
    let town = even(150, 6, 8);
    let on = |threads: usize, incidents: &Incidents, seed: u64| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| clustered(incidents, 49, seed, None))
    };
    let told = |found: &Clusters| {
        let bits = |cluster: &brasa_model::Cluster| {
            (
                cluster.excess.expected.to_bits(),
                cluster.excess.llr.to_bits(),
                cluster.outline.clone(),
                cluster.medoid,
            )
        };
        found.clusters.iter().map(bits).collect::<Vec<_>>()
    };
    let p = |found: &Clusters| found.clusters.iter().map(|cluster| cluster.excess.p).collect::<Vec<_>>();
    let first = on(1, &town, 1);
    let mut weighted = town.clone();
    weighted.weight = Some((0..town.len()).map(|at| 1.0 + (at % 7) as f64 / 10.0).collect());
    let reversed: Vec<usize> = (0..town.len()).rev().collect();
    for (one, other) in [
        (&first, &on(3, &town, 1)),
        (&first, &on(3, &town.only(&reversed), 1)),
        (&on(1, &weighted, 1), &on(3, &weighted.only(&reversed), 1)),
    ] {
        assert_eq!((told(one), p(one)), (told(other), p(other)));
    }
    let other = on(1, &town, 2);
    assert_eq!(told(&first), told(&other));
    assert_ne!(p(&first), p(&other));
    assert!(first.clusters.iter().all(|cluster| cluster.excess.p.unwrap() >= 0.02));
    assert!(clustered(&town, 0, 1, None).clusters.iter().all(|cluster| cluster.excess.p.is_none()));
}

#[test]
fn a_background_needs_cases_and_more_than_the_cases() {
    let town = kinds(even(50, 0, 1), &[true; 50]);
    let ask = |cases: Option<&str>, background: &str| {
        let mut params = DbscanParams::new(metres(60.0), NonZeroU32::new(4).unwrap());
        params.report.cases = cases.map(|text| text.parse().unwrap());
        params.report.background = Some(background.parse().unwrap());
        dbscan(&town, &params, &Watch::NOBODY).unwrap_err()
    };
    for (error, words) in
        [(ask(None, "all"), "no cases"), (ask(Some("kind=A"), "all"), "nothing but the cases")]
    {
        assert!(
            matches!(error, AnalysisError::NothingSelected { .. }) && error.to_string().contains(words),
            "{error}"
        );
    }
}

#[test]
fn degenerate_worlds_have_shapes() {
    let one = incidents(vec![500.0; 30], vec![500.0; 30], None, (0.0, 0.0, 1000.0, 1000.0));
    for outline in [Outline::Concave, Outline::Convex, Outline::Ellipse] {
        let mut params = DbscanParams::new(metres(60.0), NonZeroU32::new(4).unwrap());
        params.report = ClusterParams { outline, simulations: 9, ..ClusterParams::default() };
        let found = dbscan(&one, &params, &Watch::NOBODY).unwrap();
        let cluster = &found.clusters[0];
        // An octagon of radius 30 m.
        assert!((cluster.area_km2() / (2.0 * 2.0_f64.sqrt() * 900.0e-6) - 1.0).abs() < 1e-9);
        assert_eq!(cluster.medoid, Coord { x: 500.0, y: 500.0 });
        assert_eq!((cluster.ellipse.unwrap().major, cluster.share, cluster.excess.p), (0.0, 1.0, Some(0.1)));
        let none = dbscan(&one.only(&[]), &params, &Watch::NOBODY).unwrap();
        assert!(none.clusters.is_empty());
    }
    for n in 0..4 {
        let few: Vec<usize> = (0..n).collect();
        let found = nnh(&one.only(&few), &NnhParams::default(), &Watch::NOBODY).unwrap();
        assert!(found.clusters.is_empty());
    }
    let found = nnh(&one, &NnhParams::default(), &Watch::NOBODY).unwrap();
    assert_eq!((found.clusters.len(), found.clusters[0].incidents), (1, 30));
}

#[test]
fn four_knots_in_a_ring_are_one_knot_of_the_second_order() {
    let (mut x, mut y) = (Vec::new(), Vec::new());
    for (east, north) in [(200.0, 200.0), (200.0, 400.0), (400.0, 200.0), (400.0, 400.0)] {
        for at in 0..5 {
            x.push(east + f64::from(at) * 2.0);
            y.push(north);
        }
    }
    let ring = incidents(x, y, None, (0.0, 0.0, 2000.0, 2000.0));
    let params = NnhParams { min_points: LeastPoints(NonZeroU32::new(4).unwrap()), ..NnhParams::default() };
    let found = nnh(&ring, &params, &Watch::NOBODY).unwrap();
    let orders: Vec<(u32, u64)> =
        found.clusters.iter().map(|cluster| (cluster.order, cluster.incidents)).collect();
    assert_eq!(orders, [(1, 5), (1, 5), (1, 5), (1, 5), (2, 20)]);
    assert_eq!((found.noise(), found.labels.iter().flatten().max()), (0, Some(&4)));
    // 0.5 √(4e6/20) − 1.644854 · 0.26136 · 2000/20.
    let distance = found.notes.iter().find(|note| note.code == "distance_chosen").unwrap();
    assert!((distance.value.as_ref().unwrap().as_f64().unwrap() - 180.6169).abs() < 1e-3, "{distance:?}");
}

#[test]
fn the_random_distance_and_its_error_are_those_of_memphis() {
    // The hull's area and the z of 2245 robberies (mean 171.2710171 m), from the reference of the nearest-neighbour index.
    let (area, n) = (768_944_967.588, 2245.0);
    let expected = random_distance(area, n, 0.5);
    assert!((171.271_017_1 / expected - 0.585_294_463).abs() < 1e-8, "{expected}");
    // One standard error: the chance of z = 1 is 0.15865525393145705.
    let error = expected - random_distance(area, n, 0.158_655_253_931_457_05);
    assert!(((171.271_017_1 - expected) / error + 37.590_568).abs() < 1e-5, "{error}");
}

#[test]
fn centre_and_ellipse_of_three_cities_equal_the_reference() {
    for set in ["memphis_robbery_2019", "medellin_2018_2019", "chicago_arson"] {
        let (Some(table), Some(json)) =
            (real(&format!("reference/pts_{set}_points.csv.gz")), real(&format!("reference/pts_{set}.json")))
        else {
            return;
        };
        let json: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(json).unwrap()).unwrap();
        let wanted = |key: &str| json["centrography"][key].as_f64().unwrap();
        let table = rows(&table, true);
        let places: Vec<Coord<f64>> =
            numbers(&table, X).into_iter().zip(numbers(&table, X + 1)).map(|(x, y)| Coord { x, y }).collect();
        let weights = vec![1.0; places.len()];
        let centre = mean_centre(&places, &weights);
        let mean = &json["centrography"]["mean_center"];
        // The table is printed to ten digits, a millimetre for each northing.
        assert!(
            (centre.x - mean[0].as_f64().unwrap()).abs() < 5e-5
                && (centre.y - mean[1].as_f64().unwrap()).abs() < 5e-5
        );
        let found = ellipse(&places, &weights, places.len() as u64).unwrap();
        let (a, b) = (wanted("ellipse_sx"), wanted("ellipse_sy"));
        assert!(
            (found.major / a.max(b) - 1.0).abs() < 1e-9 && (found.minor / a.min(b) - 1.0).abs() < 1e-9,
            "{set} {found:?}"
        );
        // The reference calls theta clockwise; its numbers are those of its x axis counter-clockwise from east, as Chicago
        // shows, which stretches from north-north-west to south-south-east.
        let turned = 90.0 - wanted("ellipse_theta_rad").to_degrees() + if a > b { 0.0 } else { 90.0 };
        let apart = (turned - found.bearing).rem_euclid(180.0);
        assert!(apart.min(180.0 - apart) < 1e-6, "{set} {found:?} {turned}");
    }
}

/// The column of the easting in the tables of the references.
const X: usize = 1;
