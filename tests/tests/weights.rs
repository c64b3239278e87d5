//! Neighbours that count by their distance: against PySAL, dense matrices and their laws.

use brasa_model::{Grid, Metres, Window, WindowOrigin, Zoning};
use brasa_spatial_index::Watch;
use brasa_spatial_index::association::moran_of;
use brasa_spatial_index::conditional::{Draws, Permutations, Summed, permutation_ps, sum_scores};
use brasa_spatial_index::methods::global::{geary, general_g};
use brasa_spatial_index::methods::local::{gi_star, local_geary, local_moran};
use brasa_spatial_index::weights::{Neighbours, Style, Weights};
use geo::{MultiPolygon, Rect};
use proptest::prelude::*;

/// Seven by five cells of 100 m.
fn zoning() -> Zoning {
    let rectangle = MultiPolygon::new(vec![Rect::new((0.0, 0.0), (700.0, 500.0)).to_polygon()]);
    let window = Window::new(rectangle, WindowOrigin::Given("rectangle".to_owned())).unwrap();
    Zoning::Grid(Grid::covering(&window, Metres::new(100.0).unwrap()).unwrap())
}

fn among(neighbours: &str) -> Weights {
    Weights::among(&zoning(), neighbours.parse::<Neighbours>().unwrap())
}

fn values() -> Vec<f64> {
    (0..35_u32).map(|at| f64::from((at * at * 7 + 3 * at) % 11)).collect()
}

fn close(found: f64, wanted: f64) {
    assert!((found - wanted).abs() < 1e-10 * wanted.abs().max(1e-3), "{found} against {wanted}");
}

#[test]
fn weights_by_distance_give_what_pysal_gives() {
    // libpysal's DistanceBand(centres, 230, alpha = -1 or -2, binary = False); esda's Moran and Geary with the transformation R or O:
    // value and both variances.
    let by_one = [
        (
            Style::RowStandardised,
            [-0.10072681607219258, 0.0034979592883887965, 0.003597632751805551],
            [1.0753630081907042, 0.0040243581190453495, 0.0037745820849888075],
        ),
        (
            Style::Binary,
            [-0.09122117015152399, 0.0029759699881488954, 0.003054305590167664],
            [1.0606342960351214, 0.007117148280503772, 0.00514315334140722],
        ),
    ];
    let by_two = [
        (
            Style::RowStandardised,
            [-0.16576370693966022, 0.00516243929274034, 0.0053104370384020215],
            [1.141176876796913, 0.005427740593542587, 0.005303102903864254],
        ),
        (
            Style::Binary,
            [-0.1530902747049087, 0.004527823443196826, 0.004651750056160082],
            [1.1270555684534544, 0.008118983223907276, 0.006407882819576724],
        ),
    ];
    let wanted = [("inverse:230m", by_one), ("inverse-square:230m", by_two)];
    for (neighbours, (style, moran, geary)) in
        wanted.into_iter().flat_map(|(word, of)| of.map(|of| (word, of)))
    {
        let weights = among(neighbours).styled(style);
        let found = moran_of(&values(), &weights).unwrap();
        close(found.value, moran[0]);
        close(found.variance_normality, moran[1]);
        close(found.variance_randomisation, moran[2]);
        let found = geary::association(&values(), &weights).unwrap();
        close(found.value, geary[0]);
        close(found.variance_normality, geary[1]);
        close(found.variance_randomisation, geary[2]);
    }
    // esda's Moran_Local: Is, EIc and VIc of the first zones. Its moments are those of the statistic with the divisor n.
    let local = local_moran::scores(&values(), &among("inverse:230m")).unwrap();
    let wanted = [
        (-0.2840316071042407, -0.037832280143493976, 0.17216830462578347),
        (-0.35983323324600364, -0.08117316842531859, 0.2214263436366947),
        (-0.0638458006211969, -0.021480945018987434, 0.048602492067298816),
    ];
    for (zone, (i, mean, variance)) in wanted.into_iter().enumerate() {
        close(local.i[zone], i);
        close(local.z[zone], (i * 35.0 / 34.0 - mean) / f64::sqrt(variance));
    }
}

/// wᵢⱼ as a full matrix, from the centres.
fn dense(power: i32, reach: f64) -> Vec<Vec<f64>> {
    let centre = |at: usize| ((at % 7) as f64 * 100.0 + 50.0, (at / 7) as f64 * 100.0 + 50.0);
    let weight = |a: usize, b: usize| {
        let distance = (centre(a).0 - centre(b).0).hypot(centre(a).1 - centre(b).1);
        if a == b || distance > reach { 0.0 } else { distance.powi(-power) }
    };
    (0..35).map(|a| (0..35).map(|b| weight(a, b)).collect()).collect()
}

#[test]
fn local_and_global_statistics_are_those_of_full_matrices() {
    let x = values();
    let n = 35.0;
    let mean = x.iter().sum::<f64>() / n;
    for (neighbours, power) in [("inverse:310m", 1), ("inverse-square:310m", 2)] {
        let (weights, w) = (among(neighbours), dense(power, 310.0));
        let gi = sum_scores(&x, &weights).unwrap();
        let star = gi_star::scores(&x, &weights).unwrap();
        let geary = local_geary::scores(&x, &weights).unwrap();
        let s = (x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n).sqrt();
        let mut joint = 0.0;
        for i in 0..35 {
            // Ord & Getis 1995, eq. 14 and section 3, written out.
            let mut row = w[i].clone();
            row[i] = row.iter().copied().fold(0.0, f64::max);
            let (sum, squares) = (row.iter().sum::<f64>(), row.iter().map(|w| w * w).sum::<f64>());
            let lag: f64 = row.iter().zip(&x).map(|(w, x)| w * x).sum();
            close(star[i], (lag - mean * sum) / (s * ((n * squares - sum * sum) / (n - 1.0)).sqrt()));
            let (sum, squares) = (w[i].iter().sum::<f64>(), w[i].iter().map(|w| w * w).sum::<f64>());
            let others: Vec<f64> = (0..35).filter(|&j| j != i).map(|j| x[j]).collect();
            let of_others = others.iter().sum::<f64>() / (n - 1.0);
            let spread = others.iter().map(|x| (x - of_others).powi(2)).sum::<f64>() / (n - 1.0);
            let lag: f64 = w[i].iter().zip(&x).map(|(w, x)| w * x).sum();
            let deviation = (spread * ((n - 1.0) * squares - sum * sum) / (n - 2.0)).sqrt();
            close(gi[i], (lag - of_others * sum) / deviation);
            joint += x[i] * lag;
            let differences: f64 = (0..35).map(|j| w[i][j] * (x[i] - x[j]).powi(2)).sum();
            close(geary.c[i], differences / sum / (s * s * n / (n - 1.0)));
        }
        let pairs = x.iter().sum::<f64>().powi(2) - x.iter().map(|x| x * x).sum::<f64>();
        close(general_g::association(&x, &weights).unwrap().value, joint / pairs);
    }
}

proptest! {
    #[test]
    fn weights_of_one_are_no_weights_and_their_scale_is_no_matter(
        counts in prop::collection::vec((0..6_u32).prop_map(f64::from), 12),
        lists in prop::collection::vec(prop::collection::vec(0..12_usize, 0..7), 12),
        scale in 0.01..100.0_f64,
    ) {
        prop_assume!(counts.iter().any(|&count| count != counts[0]));
        let equal = Weights::from_lists(&lists);
        let rows = |weight: f64| lists.iter().map(|list| list.iter().map(|&to| (to, weight)).collect()).collect::<Vec<_>>();
        let near = |a: &[f64], b: &[f64]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-9 || a.is_nan() && b.is_nan());
        for weights in [Weights::from_rows(&rows(1.0)), Weights::from_rows(&rows(scale)), equal.clone().styled(Style::RowStandardised)] {
            prop_assert!(near(&sum_scores(&counts, &weights).unwrap(), &sum_scores(&counts, &equal).unwrap()));
            prop_assert!(near(&gi_star::scores(&counts, &weights).unwrap(), &gi_star::scores(&counts, &equal).unwrap()));
            let (one, other) = (local_moran::scores(&counts, &weights).unwrap(), local_moran::scores(&counts, &equal).unwrap());
            prop_assert!(near(&one.i, &other.i) && near(&one.z, &other.z));
            let (one, other) = (local_geary::scores(&counts, &weights).unwrap(), local_geary::scores(&counts, &equal).unwrap());
            prop_assert!(near(&one.c, &other.c) && near(&one.z, &other.z));
        }
        prop_assert_eq!(Weights::from_rows(&rows(1.0)).moments(), equal.moments());
    }
}

#[test]
fn permutations_of_unequal_weights_have_the_law_of_all_arrangements() {
    // Three neighbours of zone 0 among six others: 120 ways to put values to them.
    let rows = vec![
        vec![(1, 1.0), (2, 0.5), (5, 0.2)],
        vec![],
        vec![(0, 0.3), (4, 1.0)],
        vec![],
        vec![],
        vec![],
        vec![(0, 2.0)],
    ];
    let weights = Weights::from_rows(&rows);
    let x = [4.0, 7.0, 5.0, 0.0, 1.0, 3.0, 2.0];
    for (draws, summed) in [Draws::Shared, Draws::Independent]
        .into_iter()
        .flat_map(|draws| [Summed::Values, Summed::SquaredDifferences].map(|summed| (draws, summed)))
    {
        let how = Permutations { replicates: 40_000, draws, seed: 3 };
        let found = permutation_ps(&x, &weights, summed, how, &Watch::NOBODY).unwrap();
        let value = |zone: usize, own: usize| match summed {
            Summed::Values => x[zone],
            Summed::SquaredDifferences => (x[zone] - x[own]).powi(2),
        };
        for (zone, row) in rows.iter().enumerate() {
            if row.is_empty() {
                assert!(found[zone].is_nan());
                continue;
            }
            let mut sums = vec![(0.0, vec![zone])];
            for &(_, weight) in row {
                sums = sums
                    .iter()
                    .flat_map(|(sum, taken)| {
                        let free = (0..7).filter(|other| !taken.contains(other));
                        free.map(|other| {
                            (sum + weight * value(other, zone), [taken.as_slice(), &[other]].concat())
                        })
                        .collect::<Vec<_>>()
                    })
                    .collect();
            }
            let seen: f64 = row.iter().map(|&(to, weight)| weight * value(to, zone)).sum();
            let share = |tail: &dyn Fn(f64) -> bool| {
                sums.iter().filter(|sum| tail(sum.0)).count() as f64 / sums.len() as f64
            };
            let exact =
                (2.0 * share(&|sum| sum >= seen - 1e-9).min(share(&|sum| sum <= seen + 1e-9))).min(1.0);
            assert!((found[zone] - exact).abs() < 0.02, "{draws} {zone}: {} against {exact}", found[zone]);
        }
    }
}

#[test]
fn zones_with_the_same_centre_weigh_as_if_a_metre_apart() {
    use brasa_model::{GivenZone, GivenZones};
    let ring = |size: f64, hole: f64| {
        let square = |half: f64| Rect::new((-half, -half), (half, half)).to_polygon();
        let holes = if hole > 0.0 { vec![square(hole).exterior().clone()] } else { Vec::new() };
        let polygon = geo::Polygon::new(square(size).exterior().clone(), holes);
        let outline = Window::new(MultiPolygon::new(vec![polygon]), WindowOrigin::Given("rings".to_owned()));
        GivenZone { name: size.to_string(), outline: outline.unwrap() }
    };
    let zones = GivenZones::of_file("rings".to_owned(), vec![ring(100.0, 0.0), ring(300.0, 100.0)], None);
    let weights = Weights::among(&Zoning::Given(zones), "inverse:50m".parse().unwrap());
    assert_eq!(weights.row(0).collect::<Vec<_>>(), [(1, 1.0)]);
}
