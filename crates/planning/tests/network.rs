//! Ways along streets: against a slow, obvious form on grids with one-way streets, and in the worlds that maps are full of.

use brasa_model::Chance;
use brasa_planning::network::{Network, Road};
use brasa_planning::travel::{NO_WAY, Travel};
use geo::Coord;

fn road(line: &[(f64, f64)], forward: bool, backward: bool, speed: f64) -> Road {
    Road { line: line.iter().map(|&(x, y)| Coord { x, y }).collect(), forward, backward, speed }
}

fn points(places: &[(f64, f64)]) -> Vec<Coord<f64>> {
    places.iter().map(|&(x, y)| Coord { x, y }).collect()
}

/// A city of blocks of 100 m: some streets missing, some one-way, some fast.
fn city(seed: u64, side: u32) -> Vec<Road> {
    let mut chance = Chance::new(seed, 0);
    let mut roads = Vec::new();
    for x in 0..side {
        for y in 0..side {
            for (dx, dy) in [(1, 0), (0, 1)] {
                if x + dx >= side || y + dy >= side || chance.below(6) == 0 {
                    continue;
                }
                let at = |x: u32, y: u32| (f64::from(x) * 100.0, f64::from(y) * 100.0);
                let one_way = chance.below(4);
                let speed = [5.0, 10.0, 20.0][chance.below(3) as usize];
                roads.push(road(&[at(x, y), at(x + dx, y + dy)], one_way != 1, one_way != 2, speed));
            }
        }
    }
    roads
}

#[test]
fn times_are_those_of_all_ways_tried() {
    for seed in 0..20 {
        let roads = city(seed, 6);
        let mut vertices: Vec<Coord<f64>> = roads.iter().flat_map(|road| road.line.clone()).collect();
        vertices.sort_by(|a, b| a.x.total_cmp(&b.x).then(a.y.total_cmp(&b.y)));
        vertices.dedup();
        let id = |at: &Coord<f64>| vertices.iter().position(|other| other == at).unwrap();
        // Floyd & Warshall.
        let mut seconds = vec![vec![f64::INFINITY; vertices.len()]; vertices.len()];
        (0..vertices.len()).for_each(|at| seconds[at][at] = 0.0);
        for road in &roads {
            let (from, to) = (id(&road.line[0]), id(&road.line[1]));
            if road.forward {
                seconds[from][to] = 100.0 / road.speed;
            }
            if road.backward {
                seconds[to][from] = 100.0 / road.speed;
            }
        }
        for via in 0..vertices.len() {
            for from in 0..vertices.len() {
                for to in 0..vertices.len() {
                    let there = seconds[from][via] + seconds[via][to];
                    seconds[from][to] = seconds[from][to].min(there);
                }
            }
        }
        let (travel, snaps) = Network::new(&roads).travel(&vertices, 0.001);
        let mut compared = 0;
        for (from, row) in seconds.iter().enumerate() {
            for (to, &naive) in row.iter().enumerate() {
                if snaps[from].is_none() || snaps[to].is_none() {
                    continue;
                }
                compared += 1;
                let found = travel.seconds(from, to);
                assert_eq!(found, naive.is_finite().then_some(naive as u32), "seed {seed}, {from} to {to}");
                let Some(seconds) = found.filter(|_| from != to) else { continue };
                let path = travel.path(from, to);
                assert_eq!((path[0], path[path.len() - 1]), (vertices[from], vertices[to]));
                let steps = path.windows(2).map(|pair| {
                    let (a, b) = (pair[0], pair[1]);
                    let road = roads.iter().find(|road| {
                        (road.forward && road.line[0] == a && road.line[1] == b)
                            || (road.backward && road.line[0] == b && road.line[1] == a)
                    });
                    100.0 / road.unwrap().speed
                });
                assert_eq!(steps.sum::<f64>(), f64::from(seconds));
                assert_eq!(travel.metres(from, to), Some((path.len() - 1) as f64 * 100.0));
            }
        }
        assert!(compared > 300, "seed {seed}: {compared}");
    }
}

#[test]
fn the_order_of_the_streets_decides_nothing() {
    let mut roads = city(3, 8);
    let places = points(&[(10.0, 130.0), (333.0, 401.0), (700.0, 55.0), (420.0, 420.0)]);
    let (one, at) = Network::new(&roads).travel(&places, 100.0);
    roads.reverse();
    let (other, same) = Network::new(&roads).travel(&places, 100.0);
    assert_eq!((one.matrix(), at), (other.matrix(), same));
    for from in 0..4 {
        for to in 0..4 {
            assert_eq!(one.path(from, to), other.path(from, to));
            assert_eq!(one.metres(from, to), other.metres(from, to));
        }
    }
}

#[test]
fn a_point_stands_on_the_nearest_street_where_it_splits_it() {
    let network = Network::new(&[road(&[(0.0, 0.0), (1000.0, 0.0)], true, true, 10.0)]);
    let (travel, snaps) =
        network.travel(&points(&[(200.0, 30.0), (700.0, -40.0), (700.0, 60.0), (500.0, 101.0)]), 100.0);
    let snap = snaps[0].unwrap();
    assert_eq!((snap.at, snap.metres), (Coord { x: 200.0, y: 0.0 }, 30.0));
    assert_eq!((travel.seconds(0, 1), travel.metres(0, 1)), (Some(50), Some(500.0)));
    // Two points with one foot, and one with none.
    assert_eq!((travel.seconds(1, 2), travel.path(1, 2).len()), (Some(0), 1));
    assert!(snaps[3].is_none() && travel.seconds(3, 0).is_none() && travel.path(0, 3).is_empty());
    assert_eq!(travel.cut_off(&[0]), [3]);
    assert_eq!(travel.path(0, 1), points(&[(200.0, 0.0), (700.0, 0.0)]));
}

#[test]
fn a_one_way_street_is_driven_one_way() {
    let ring = [
        road(&[(0.0, 0.0), (100.0, 0.0)], true, false, 10.0),
        road(&[(100.0, 0.0), (100.0, 100.0), (0.0, 100.0), (0.0, 0.0)], true, false, 10.0),
    ];
    let (travel, _) = Network::new(&ring).travel(&points(&[(20.0, 0.0), (80.0, 0.0)]), 10.0);
    assert_eq!((travel.seconds(0, 1), travel.seconds(1, 0)), (Some(6), Some(34)));
    // A street that only leads away is no place to send a unit to.
    let mut dead = ring.to_vec();
    dead.push(road(&[(100.0, 100.0), (900.0, 900.0)], true, false, 10.0));
    let (travel, snaps) = Network::new(&dead).travel(&points(&[(20.0, 0.0), (850.0, 850.0)]), 50.0);
    assert!(snaps[1].is_none());
    assert_eq!(travel.cut_off(&[0]), [1]);
}

#[test]
fn islands_are_told_and_stubs_are_passed_over() {
    let mut roads = city(1, 12);
    // A car park 20 m from a street of the city, and a second town across the water.
    roads.push(road(&[(250.0, 252.0), (252.0, 252.0)], true, true, 5.0));
    roads.push(road(&[(50_000.0, 0.0), (53_000.0, 0.0)], true, true, 10.0));
    let network = Network::new(&roads);
    assert_eq!(network.parts(), 2);
    let (travel, snaps) = network.travel(&points(&[(251.0, 253.0), (600.0, 610.0), (51_000.0, 0.0)]), 120.0);
    assert!(snaps[0].unwrap().metres > 5.0);
    assert!(travel.seconds(0, 1).is_some() && travel.seconds(1, 0).is_some());
    assert_eq!(travel.cut_off(&[1]), [2]);
    assert_eq!(travel.matrix()[2], NO_WAY);
}

#[test]
fn no_street_no_way() {
    for roads in [
        vec![],
        vec![road(&[(0.0, 0.0)], true, true, 10.0)],
        vec![road(&[(0.0, 0.0), (0.0, 0.0)], true, true, 10.0)],
        vec![road(&[(0.0, 0.0), (9.0, 0.0)], false, false, 10.0)],
        vec![road(&[(0.0, 0.0), (9.0, 0.0)], true, true, 0.0)],
        vec![road(&[(0.0, f64::NAN), (9.0, 0.0)], true, true, 10.0)],
    ] {
        let network = Network::new(&roads);
        assert!(network.is_empty() && network.parts() == 0);
        let (travel, snaps) = network.travel(&points(&[(0.0, 0.0), (5.0, 0.0)]), 100.0);
        assert_eq!((travel.matrix(), snaps), (&[NO_WAY; 4][..], vec![None, None]));
    }
}

#[test]
fn straight_ways_are_lengthened_and_rounded_up() {
    let travel = Travel::straight(&points(&[(0.0, 0.0), (300.0, 400.0)]), 1.4, 10.0);
    assert_eq!((travel.seconds(0, 1), travel.metres(0, 1)), (Some(70), Some(700.0)));
    assert_eq!((travel.seconds(0, 0), travel.path(0, 0).len(), travel.path(0, 1).len()), (Some(0), 0, 2));
    assert_eq!(Travel::straight(&points(&[(0.0, 0.0), (1.0, 0.0)]), 1.0, 10.0).seconds(0, 1), Some(1));
    assert_eq!((travel.seconds(2, 0), travel.seconds(0, 2)), (None, None));
    assert!(Travel::straight(&[], 1.4, 10.0).is_empty());
}
