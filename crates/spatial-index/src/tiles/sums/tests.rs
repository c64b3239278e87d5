use brasa_model::{Grid, Window, WindowOrigin};
use geo::{MultiPolygon, Rect};
use proptest::prelude::*;

use super::*;
use crate::kernel_sums::kernel_sums;

fn metres(value: f64) -> Metres {
    Metres::new(value).unwrap()
}

fn spread(kernel: Kernel, h: f64, cell: f64) -> Spread {
    Spread::new(kernel, metres(h), metres(cell)).unwrap()
}

/// Places on a lattice, where borders, stacks and rims are, and between; with weights, some of them whole.
fn world() -> impl Strategy<Value = Vec<(f64, f64, f64)>> {
    let place = prop_oneof![
        2 => (0..60_u32, 0..60_u32).prop_map(|(x, y)| (f64::from(x) * 25.0 - 700.0, f64::from(y) * 25.0 - 700.0)),
        1 => (-700.0..800.0_f64, -700.0..800.0_f64),
    ];
    let weight = prop_oneof![Just(1.0), Just(3.0), 0.0..40.0_f64];
    prop::collection::vec((place, weight), 0..80)
        .prop_map(|all| all.into_iter().map(|((x, y), weight)| (x, y, weight)).collect())
}

fn columns(rows: &[(f64, f64, f64)]) -> [Vec<f64>; 3] {
    [
        rows.iter().map(|row| row.0).collect(),
        rows.iter().map(|row| row.1).collect(),
        rows.iter().map(|row| row.2).collect(),
    ]
}

fn sums(spread: &Spread, rows: &[(f64, f64, f64)]) -> CellSums {
    let [x, y, weight] = columns(rows);
    spread.sums(Places { x: &x, y: &y, weight: Some(&weight) }).unwrap()
}

fn kernel() -> impl Strategy<Value = Kernel> {
    prop::sample::select(Kernel::ALL.map(|(kernel, _)| kernel).to_vec())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_split_adds_up_to_the_whole(
        rows in world(),
        parts in prop::collection::vec(0..7_usize, 80),
        kernel in kernel(),
        h in prop_oneof![Just(50.0), Just(100.0), 1.0..900.0_f64],
        cell in prop_oneof![Just(25.0), 11.0..170.0_f64],
        origin in prop::sample::select(vec![0.0, -3.0e5, 1.0e7]),
    ) {
        // The Gaussian reaches eight deviations.
        let spread = spread(kernel, h / kernel.reach(), cell);
        let rows: Vec<_> = rows.into_iter().map(|(x, y, weight)| (x + origin, y + origin, weight)).collect();
        let whole = sums(&spread, &rows);
        let of_part = |part: usize| {
            let mut some: Vec<_> = rows.iter().zip(&parts).filter(|row| *row.1 == part).map(|row| *row.0).collect();
            some.reverse();
            sums(&spread, &some)
        };
        // In another order, and some of them merged before.
        let mut all: Vec<CellSums> = (0..7).rev().map(of_part).collect();
        let early = merged(&all.split_off(3)).unwrap();
        all.insert(1, early);
        prop_assert_eq!(&merged(&all).unwrap(), &whole);

        // And the whole is what the definition says, term by term.
        for ((&column, &row), &sum) in whole.column.iter().zip(&whole.row).zip(&whole.sum) {
            let (x, y) = ((column as f64 + 0.5) * cell, (row as f64 + 0.5) * cell);
            let terms = rows.iter().map(|place| {
                let u2 = ((x - place.0) * (x - place.0) + (y - place.1) * (y - place.1)) / (spread.h * spread.h);
                if u2 <= kernel.reach() * kernel.reach() { (place.2 * 1e18 * kernel.value(u2)) as i128 } else { 0 }
            });
            prop_assert_eq!(terms.sum::<i128>(), sum);
        }
        // A cell that is not there has nothing.
        let (low, high) = (((origin - 1700.0) / cell) as i64, ((origin + 1800.0) / cell) as i64);
        let mut seen = whole.row.iter().copied().zip(whole.column.iter().copied()).peekable();
        for cell_at in (low..high).flat_map(|row| (low..high).map(move |column| (row, column))) {
            if seen.next_if_eq(&cell_at).is_none() {
                let (x, y) = (spread.centre(cell_at.1), spread.centre(cell_at.0));
                let near = |place: &&(f64, f64, f64)| place.2 > 0.0 && (x - place.0).hypot(y - place.1) < 0.99 * h;
                prop_assert_eq!(rows.iter().find(near), None);
            }
        }
        prop_assert_eq!(seen.next(), None);
    }

    #[test]
    fn the_density_is_that_of_kde(rows in world(), kernel in kernel(), h in 40.0..900.0_f64, cell in 11.0..120.0_f64, tile in 90.0..2000.0_f64) {
        let spread = spread(kernel, h, cell);
        let square = Rect::new((-900.0, -900.0), (1000.0, 1000.0)).to_polygon();
        let window = Window::new(MultiPolygon::new(vec![square]), WindowOrigin::Given("box".into())).unwrap();
        let grid = Grid::covering(&window, metres(cell)).unwrap();
        let [x, y, weight] = columns(&rows);
        let wanted = kernel_sums(Places { x: &x, y: &y, weight: Some(&weight) }, &grid, kernel, h);
        let tile_of = |row: &(f64, f64, f64)| ((row.0 / tile).floor() as i64, (row.1 / tile).floor() as i64);
        let mut tiles: Vec<_> = rows.iter().map(tile_of).collect();
        tiles.sort_unstable();
        tiles.dedup();
        let parts: Vec<CellSums> = tiles.iter().map(|tile| {
            sums(&spread, &rows.iter().filter(|row| tile_of(row) == *tile).copied().collect::<Vec<_>>())
        }).collect();
        let found = merged(&parts).unwrap();
        let mut values = vec![0.0; wanted.len()];
        let (west, south) = grid.name(0);
        for ((&column, &row), &sum) in found.column.iter().zip(&found.row).zip(&found.sum) {
            if (0..grid.nx() as i64).contains(&(column - west)) && (0..grid.ny() as i64).contains(&(row - south)) {
                values[(row - south) as usize * grid.nx() + (column - west) as usize] = sum as f64 / 1e18;
            }
        }
        let peak = wanted.iter().copied().fold(0.0, f64::max);
        let mut apart = 0;
        for (found, wanted) in values.iter().zip(&wanted) {
            // The uniform kernel jumps at its rim, where rounding decides.
            if (found - wanted).abs() > 1e-9 * peak {
                apart += 1;
                prop_assert!(kernel == Kernel::Uniform, "{kernel}: {found} against {wanted}, peak {peak}");
            }
        }
        prop_assert!(apart <= wanted.len() / 100);
        if kernel == Kernel::Uniform && rows.iter().all(|row| row.2.fract() == 0.0) && apart == 0 {
            prop_assert_eq!(values, wanted);
        }
    }
}

#[test]
fn degenerate_worlds() {
    let quartic = spread(Kernel::Quartic, 100.0, 10.0);
    assert_eq!(sums(&quartic, &[]), CellSums::default());
    assert_eq!(merged(&[]).unwrap(), CellSums::default());
    assert_eq!(sums(&quartic, &[(5.0, 5.0, 0.0)]), CellSums::default());
    // At the centre of a cell its term is the weight itself.
    let one = sums(&quartic, &[(5.0, -5.0, 2.5)]);
    let at = one.row.iter().zip(&one.column).position(|cell| cell == (&-1, &0)).unwrap();
    assert_eq!(one.sum[at], 2_500_000_000_000_000_000);
    // A bandwidth that no centre is in.
    assert_eq!(sums(&spread(Kernel::Quartic, 1.0, 10.0), &[(0.0, 0.0, 1.0)]), CellSums::default());
    // A stack is as many of its incidents.
    let stack = sums(&quartic, &vec![(3.3, 4.4, 0.1); 1000]);
    assert!(
        stack.sum.iter().zip(&sums(&quartic, &[(3.3, 4.4, 0.1)]).sum).all(|(all, one)| *all == one * 1000)
    );
    // Two incidents a world apart cost two.
    let far = sums(&quartic, &[(-1e8, 0.0, 1.0), (1e8, 1e8, 1.0)]);
    assert!((620..=640).contains(&far.sum.len()), "{}", far.sum.len());
}

#[test]
fn what_cannot_be_added_exactly_is_refused() {
    let quartic = spread(Kernel::Quartic, 100.0, 10.0);
    let bad = [
        (f64::NAN, 0.0, 1.0),
        (0.0, f64::INFINITY, 1.0),
        (0.0, 0.0, -1.0),
        (0.0, 0.0, f64::NAN),
        (0.0, 0.0, 1e20),
    ];
    for (x, y, weight) in bad {
        let sums = quartic.sums(Places { x: &[x], y: &[y], weight: Some(&[weight]) });
        assert!(sums.is_err(), "{x} {y} {weight}");
    }
    assert!(Spread::new(Kernel::Quartic, metres(1e6), metres(1.0)).is_err());
    let full = CellSums { column: vec![0], row: vec![0], sum: vec![LARGEST - 1] };
    assert!(merged(&[full.clone(), CellSums { sum: vec![0], ..full.clone() }]).is_ok());
    assert!(merged(&[full.clone(), CellSums { sum: vec![1], ..full }]).is_err());
}
