use brasa_model::{Crs, Incidents, Window, WindowOrigin};
use geo::{MultiPolygon, Rect};
use proptest::prelude::*;

use super::*;
use crate::Watch;
use crate::methods::cluster::dbscan::{DbscanParams, dbscan};

fn metres(value: f64) -> Metres {
    Metres::new(value).unwrap()
}

fn least(value: u32) -> NonZeroU32 {
    NonZeroU32::new(value).unwrap()
}

type Rows = [(f64, f64, f64)];

fn single(rows: &Rows, eps: f64, min_points: u32) -> (Vec<Option<u32>>, Vec<bool>) {
    let square = Rect::new((-1e9, -1e9), (1e9, 1e9)).to_polygon();
    let incidents = Incidents {
        x: rows.iter().map(|row| row.0).collect(),
        y: rows.iter().map(|row| row.1).collect(),
        times: None,
        kinds: None,
        weight: Some(rows.iter().map(|row| row.2).collect()),
        row: (0..rows.len() as u64).collect(),
        files: None,
        window: Window::new(MultiPolygon::new(vec![square]), WindowOrigin::Given("box".into())).unwrap(),
        crs: Crs::from_epsg(32618).unwrap(),
        zones: None,
    };
    let found =
        dbscan(&incidents, &DbscanParams::new(metres(eps), least(min_points)), &Watch::NOBODY).unwrap();
    (found.labels, found.core)
}

/// What tiles said, in columns of their own.
#[derive(Default, Clone)]
struct Said {
    tile_x: Vec<i64>,
    tile_y: Vec<i64>,
    row: Vec<i64>,
    x: Vec<f64>,
    y: Vec<f64>,
    weight: Vec<f64>,
    own: Vec<bool>,
    core: Vec<bool>,
    cluster: Vec<Option<i64>>,
}

impl Said {
    fn merged(&self) -> Result<Merged, AnalysisError> {
        merged(Told {
            tile_x: &self.tile_x,
            tile_y: &self.tile_y,
            row: &self.row,
            places: Places { x: &self.x, y: &self.y, weight: Some(&self.weight) },
            own: &self.own,
            core: &self.core,
            cluster: &self.cluster,
        })
    }
}

/// One tile after the other, in an order that `seed` picks, rows in another order in each.
fn said(rows: &Rows, tiling: &Tiling, eps: f64, min_points: u32, seed: u64) -> Said {
    let (x, y): (Vec<f64>, Vec<f64>) = rows.iter().map(|row| (row.0, row.1)).unzip();
    let all = tiling.explode(&x, &y).unwrap();
    let mixed = |number: i64| (number as u64 ^ seed).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let mut order: Vec<usize> = (0..all.at.len()).collect();
    order.sort_by_key(|&at| (mixed(all.tile_x[at] * 1000 + all.tile_y[at]), mixed(all.at[at] as i64)));
    let mut said = Said::default();
    for tile in order.chunk_by(|&a, &b| (all.tile_x[a], all.tile_y[a]) == (all.tile_x[b], all.tile_y[b])) {
        let of = |value: fn(&(f64, f64, f64)) -> f64| -> Vec<f64> {
            tile.iter().map(|&at| value(&rows[all.at[at]])).collect()
        };
        let (x, y, weight) = (of(|row| row.0), of(|row| row.1), of(|row| row.2));
        let own: Vec<bool> = tile.iter().map(|&at| all.own[at]).collect();
        let name = (all.tile_x[tile[0]], all.tile_y[tile[0]]);
        let places = Places { x: &x, y: &y, weight: Some(&weight) };
        let found =
            of_tile(TileRows { tile: name, places, own: &own }, tiling, metres(eps), least(min_points))
                .unwrap();
        for ((&at, &core), &cluster) in found.at.iter().zip(&found.core).zip(&found.cluster) {
            said.tile_x.push(name.0);
            said.tile_y.push(name.1);
            said.row.push(all.at[tile[at]] as i64);
            said.x.push(x[at]);
            said.y.push(y[at]);
            said.weight.push(weight[at]);
            said.own.push(own[at]);
            said.core.push(core);
            said.cluster.push(cluster.map(i64::from));
        }
    }
    said
}

fn tiling(side: f64, halo: f64) -> Tiling {
    Tiling::new(metres(side), Some(metres(halo))).unwrap()
}

/// On a lattice, so that there are stacks, ties of distance, and places on the borders of tiles and at eps itself.
fn world() -> impl Strategy<Value = Vec<(f64, f64, f64)>> {
    let place = prop_oneof![
        3 => (0..60_u32, 0..60_u32).prop_map(|(x, y)| (f64::from(x) * 12.5 - 350.0, f64::from(y) * 12.5 - 350.0)),
        1 => (-350.0..400.0_f64, -350.0..400.0_f64),
    ];
    let weight = prop_oneof![4 => Just(1.0), 1 => Just(2.0), 1 => Just(0.0), 2 => prop::sample::select(vec![0.1, 0.2, 0.7, 1.3])];
    prop::collection::vec((place, weight), 0..150)
        .prop_map(|all| all.into_iter().map(|((x, y), weight)| (x, y, weight)).collect())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn tiles_find_the_clusters_of_the_whole(
        rows in world(),
        eps in prop_oneof![Just(12.5), Just(25.0), Just(37.5), 3.0..250.0_f64],
        min_points in 1..9_u32,
        side in prop_oneof![Just(25.0), Just(100.0), 30.0..900.0_f64, Just(5000.0)],
        wider in prop_oneof![Just(1.0), 1.0..1.5_f64],
        origin in prop::sample::select(vec![0.0, -3.0e5, 5.4e6]),
        seed in 0..1_000_000_u64,
    ) {
        let side = side.max(eps / 5.0);
        let rows: Vec<_> = rows.into_iter().map(|(x, y, weight)| (x + origin, y + origin, weight)).collect();
        let (labels, core) = single(&rows, eps, min_points);
        let found = said(&rows, &tiling(side, 2.0 * eps * wider), eps, min_points, seed).merged().unwrap();
        prop_assert_eq!(found.row, (0..rows.len() as i64).collect::<Vec<_>>());
        prop_assert_eq!(found.cluster, labels);
        prop_assert_eq!(found.core, core);
    }
}

#[test]
fn degenerate_worlds() {
    let none = said(&[], &tiling(100.0, 100.0), 50.0, 1, 1);
    assert_eq!(none.merged().unwrap(), Merged::default());
    for (rows, min_points) in [
        (vec![(0.0, 0.0, 1.0)], 1),
        (vec![(0.0, 0.0, 1.0)], 2),
        // All in one place, on the corner of four tiles.
        (vec![(-100.0, 200.0, 1.0); 40], 40),
        // A line along a border, each a step of eps from the next.
        ((0..50).map(|at| (100.0, f64::from(at) * 50.0, 1.0)).collect(), 3),
    ] {
        let (labels, core) = single(&rows, 50.0, min_points);
        let found = said(&rows, &tiling(100.0, 100.0), 50.0, min_points, 3).merged().unwrap();
        assert_eq!((found.cluster, found.core), (labels, core));
    }
}

#[test]
fn tiles_that_do_not_fit_together_are_refused() {
    let rows: Vec<_> = (0..40).map(|at| (f64::from(at) * 10.0, 55.0, 1.0)).collect();
    let said = said(&rows, &tiling(100.0, 60.0), 30.0, 3, 3);
    assert!(said.merged().is_ok());
    // Twice the same tile.
    let mut twice = said.clone();
    twice.row.fill(7);
    assert!(twice.merged().unwrap_err().to_string().contains("twice"));
    // A tile that never came: its rows lie in the halo of its neighbours.
    let mut missing = said.clone();
    for (own, row) in missing.own.iter_mut().zip(&missing.row) {
        *own &= *row != 9;
    }
    assert!(missing.merged().unwrap_err().to_string().contains("missing"));
    // A tile that was clustered with another eps.
    let mut other = said;
    for (core, own) in other.core.iter_mut().zip(&other.own) {
        *core &= !own;
    }
    assert!(other.merged().unwrap_err().to_string().contains("alike"));
}

#[test]
fn a_halo_too_narrow_and_rows_out_of_place_are_refused() {
    let of = |x: f64, weight: f64, own: bool, halo: f64| {
        let places = Places { x: &[x], y: &[5.0], weight: Some(&[weight]) };
        of_tile(TileRows { tile: (0, 0), places, own: &[own] }, &tiling(100.0, halo), metres(30.0), least(1))
    };
    assert!(of(50.0, 1.0, true, 60.0).is_ok());
    assert!(of(150.0, 1.0, false, 60.0).is_ok());
    assert!(of(50.0, 1.0, true, 59.0).unwrap_err().to_string().contains("twice eps"));
    assert!(of(150.0, 1.0, true, 60.0).is_err());
    assert!(of(50.0, 1.0, false, 60.0).is_err());
    assert!(of(170.0, 1.0, false, 60.0).is_err());
    for (x, weight) in [(f64::NAN, 1.0), (50.0, f64::NAN), (50.0, -1.0)] {
        assert!(of(x, weight, true, 60.0).is_err());
    }
}
