//! Local statistics against outside numbers, their slow forms and their laws.

use brasa_model::Chance;
use brasa_model::{Class, Grid, Incidents, Metres, Window, WindowOrigin, Zoning};
use brasa_spatial_index::conditional::{Draws, Permutations, Summed, permutation_ps, sum_scores};
use brasa_spatial_index::methods::local::gi::{GiParams, gi};
use brasa_spatial_index::methods::local::gi_star::{self, GiStarParams, gi_star};
use brasa_spatial_index::methods::local::local_geary::{self, local_geary};
use brasa_spatial_index::methods::local::local_moran::{self, local_moran};
use brasa_spatial_index::significance::{Correction, two_sided_p};
use brasa_spatial_index::weights::{Neighbours, Weights};
use brasa_spatial_index::{AnalysisError, CellSize, Watch};
use brasa_tests::{gal, incidents, numbers, real, rows};
use geo::{MultiPolygon, Rect};
use proptest::prelude::*;

const BOTH: [Draws; 2] = [Draws::Shared, Draws::Independent];

fn ps(
    values: &[f64],
    weights: &Weights,
    summed: Summed,
    replicates: u32,
    draws: Draws,
    seed: u64,
) -> Vec<f64> {
    permutation_ps(values, weights, summed, Permutations { replicates, draws, seed }, &Watch::NOBODY).unwrap()
}

fn close(found: &[f64], wanted: &[f64], tolerance: f64, what: &str) {
    assert_eq!(found.len(), wanted.len());
    for (at, (found, wanted)) in found.iter().zip(wanted).enumerate() {
        let error = (found - wanted).abs();
        assert!(error <= tolerance * wanted.abs().max(1.0), "{what} {at}: {found} against {wanted}");
    }
}

#[test]
fn columbus_with_230_links_equals_spdep() {
    let Some(file) = real("golden/columbus_local.csv") else { return };
    let rows = rows(&file, true);
    let crime = numbers(&rows, 4);
    let list = |row: &csv::StringRecord| -> Vec<usize> {
        row[5].split_whitespace().map(|name| name.parse::<usize>().unwrap() - 1).collect()
    };
    let weights = Weights::from_lists(&rows.iter().map(list).collect::<Vec<_>>());
    assert_eq!(weights.links(), 230);
    close(&sum_scores(&crime, &weights).unwrap(), &numbers(&rows, 6), 1e-8, "Gi");
    let moran = local_moran::scores(&crime, &weights).unwrap();
    let by_n: Vec<f64> = moran.i.iter().map(|i| i * 49.0 / 48.0).collect();
    close(&by_n, &numbers(&rows, 8), 1e-8, "I");
    let (mean, variance) = (numbers(&rows, 11), numbers(&rows, 12));
    let z: Vec<f64> = (0..49).map(|at| (by_n[at] - mean[at]) / variance[at].sqrt()).collect();
    close(&moran.z, &z, 1e-8, "z of I");
    close(&local_geary::scores(&crime, &weights).unwrap().c, &numbers(&rows, 13), 1e-8, "C");
}

#[test]
fn three_sets_of_areas_equal_pysal() {
    for (gal_file, file, links) in [
        ("reference/data/columbus.gal", "reference/columbus_crime_local.csv", 236),
        ("reference/data/sids2.gal", "reference/sids_SIDR74_local.csv", 462),
        ("reference/data/stl.gal", "reference/stl_HR8893_local.csv", 398),
    ] {
        let (Some(lists), Some(file)) = (gal(gal_file), real(file)) else { return };
        let weights = Weights::from_lists(&lists);
        let rows = rows(&file, true);
        let (values, n) = (numbers(&rows, 1), rows.len() as f64);
        assert_eq!(weights.links(), links, "{gal_file}");
        // The files print twelve digits.
        let moran = local_moran::scores(&values, &weights).unwrap();
        close(&moran.i, &numbers(&rows, 2), 1e-8, "I");
        let quadrant = |class: &Class| match class {
            Class::HighHigh => 1.0,
            Class::LowHigh => 2.0,
            Class::LowLow => 3.0,
            _ => 4.0,
        };
        close(&moran.class.iter().map(quadrant).collect::<Vec<_>>(), &numbers(&rows, 3), 0.0, "quadrant");
        // Their moments are those of the statistic with the divisor n.
        let (mean, variance) = (numbers(&rows, 5), numbers(&rows, 6));
        let z: Vec<f64> = (0..rows.len())
            .map(|at| (moran.i[at] * n / (n - 1.0) - mean[at]) / variance[at].sqrt())
            .collect();
        close(&moran.z, &z, 1e-8, "z of I");
        close(&sum_scores(&values, &weights).unwrap(), &numbers(&rows, 9), 1e-8, "Gi");
        let star = gi_star::scores(&values, &weights).unwrap();
        close(&star, &numbers(&rows, 10), 1e-8, "Gi*");
        let geary = local_geary::scores(&values, &weights).unwrap().c;
        let by_n: Vec<f64> = geary.iter().map(|c| c * n / (n - 1.0)).collect();
        close(&by_n, &numbers(&rows, 12), 1e-8, "C");
        // Theirs is one-sided, from 9999 arrangements, as are ours: five standard errors of a difference.
        for draws in BOTH {
            let found = ps(&values, &weights, Summed::Values, 9999, draws, 1);
            for (p, wanted) in found.iter().zip(numbers(&rows, 4)) {
                let error = 5.0 * (2.0 * wanted * (1.0 - wanted) / 9999.0).sqrt() + 2e-4;
                assert!(
                    (p / 2.0 - wanted).abs() < error || *p == 1.0 && wanted > 0.48,
                    "{p} against {wanted}"
                );
            }
        }
    }
}

#[test]
fn gi_equals_getis_and_ord_1996_at_five_distances() {
    let Some(file) = real("golden/getisord_remote_sensing_256.csv") else { return };
    let rows = rows(&file, true);
    let centre = |column| numbers(&rows, column).iter().map(|at| at + 15.0).collect::<Vec<_>>();
    let incidents = incidents(centre(0), centre(1), Some(numbers(&rows, 2)), (0.0, 0.0, 480.0, 480.0));
    let cell = CellSize::Length(Metres::new(30.0).unwrap());
    for (distance, column) in [(30.0, 3), (60.0, 5), (90.0, 7), (120.0, 9), (150.0, 11)] {
        let neighbours = Neighbours::Band(Metres::new(distance).unwrap());
        let stats = gi(
            &incidents,
            &GiParams { counted: cell.into(), neighbours, ..GiParams::default() },
            &Watch::NOBODY,
        )
        .unwrap();
        let found: Vec<f64> = (0..256)
            .map(|at| stats.z[stats.zones.grid().unwrap().cell_at(incidents.x[at], incidents.y[at]).unwrap()])
            .collect();
        close(&found, &numbers(&rows, column), 1e-8, "Gi");
    }
}

/// Counts and lists of neighbours, some empty.
fn world() -> impl Strategy<Value = (Vec<f64>, Weights)> {
    (5..30_usize).prop_flat_map(|n| {
        let counts = prop::collection::vec((0..6_u32).prop_map(f64::from), n);
        let lists = prop::collection::vec(prop::collection::vec(0..n, 0..7), n);
        (counts, lists.prop_map(|lists| Weights::from_lists(&lists)))
    })
}

fn uneven(values: &[f64]) -> bool {
    values.iter().any(|&value| value != values[0])
}

proptest! {
    #[test]
    fn moments_are_those_of_all_pairs_of_others((values, weights) in world()) {
        prop_assume!(uneven(&values));
        // With two neighbours every choice can be listed.
        let gi = sum_scores(&values, &weights).unwrap();
        let geary = local_geary::scores(&values, &weights).unwrap().z;
        for zone in (0..values.len()).filter(|&zone| weights.count(zone) == 2) {
            for (of, found) in [(0, gi[zone]), (1, geary[zone])] {
                let value = |at: usize| if of == 0 { values[at] } else { (values[at] - values[zone]).powi(2) };
                let others: Vec<usize> = (0..values.len()).filter(|&at| at != zone).collect();
                let pairs = others.iter().flat_map(|&a| others.iter().map(move |&b| (a, b))).filter(|(a, b)| a != b);
                let sums: Vec<f64> = pairs.map(|(a, b)| value(a) + value(b)).collect();
                let mean = sums.iter().sum::<f64>() / sums.len() as f64;
                let spread = (sums.iter().map(|sum| (sum - mean).powi(2)).sum::<f64>() / sums.len() as f64).sqrt();
                let seen: f64 = weights.of(zone).iter().map(|&at| value(at as usize)).sum();
                if spread > 0.0 {
                    prop_assert!((found - (seen - mean) / spread).abs() < 1e-8, "{found}");
                } else {
                    prop_assert!(found.is_nan());
                }
            }
        }
    }

    #[test]
    fn local_moran_is_as_sure_as_gi_and_neither_minds_units((values, weights) in world()) {
        prop_assume!(uneven(&values));
        let gi = sum_scores(&values, &weights).unwrap();
        let moran = local_moran::scores(&values, &weights).unwrap();
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        for zone in 0..values.len() {
            prop_assert_eq!(moran.i[zone].is_nan(), weights.count(zone) == 0);
            if values[zone] != mean && !gi[zone].is_nan() {
                prop_assert!((gi[zone].abs() - moran.z[zone].abs()).abs() < 1e-9);
            }
        }
        let scaled: Vec<f64> = values.iter().map(|value| 8.0 * value + 1.0).collect();
        for draws in BOTH {
            for summed in [Summed::Values, Summed::SquaredDifferences] {
                prop_assert_eq!(
                    ps(&values, &weights, summed, 49, draws, 3).iter().map(|p| p.to_bits()).collect::<Vec<_>>(),
                    ps(&scaled, &weights, summed, 49, draws, 3).iter().map(|p| p.to_bits()).collect::<Vec<_>>()
                );
            }
        }
    }

    #[test]
    fn nearest_zones_are_the_nearest(columns in 1..9_i64, rows in 1..9_i64, k in 1..12_u32, hole in any::<bool>()) {
        let (east, north) = (columns as f64 * 100.0, rows as f64 * 100.0);
        let mut parts = vec![Rect::new((0.0, 0.0), (east, north)).to_polygon()];
        if hole {
            parts.push(Rect::new((3000.0, 0.0), (3100.0, 100.0)).to_polygon());
        }
        let window = Window::new(MultiPolygon::new(parts), WindowOrigin::Given("parts".to_owned())).unwrap();
        let grid = Grid::covering(&window, Metres::new(100.0).unwrap()).unwrap();
        let cells: Vec<(i64, i64)> = grid.cells().map(|cell| grid.name(cell)).collect();
        let weights = Weights::among(&Zoning::Grid(grid), format!("knn:{k}").parse().unwrap());
        for (zone, here) in cells.iter().enumerate() {
            let mut others: Vec<(i64, usize)> = (0..cells.len()).filter(|&at| at != zone)
                .map(|at| ((cells[at].0 - here.0).pow(2) + (cells[at].1 - here.1).pow(2), at)).collect();
            // Zones are numbered from the south, then from the west, as ties are decided.
            others.sort_unstable();
            others.truncate(k as usize);
            let mut wanted: Vec<u32> = others.iter().map(|&(_, at)| at as u32).collect();
            wanted.sort_unstable();
            prop_assert_eq!(weights.of(zone), wanted);
        }
    }
}

/// p of a zone whose neighbours are `k` of the others, from all choices there are, listed: one of them, two, or all but one.
fn listed(values: &[f64], weights: &Weights, zone: usize, of: impl Fn(f64) -> f64) -> f64 {
    let others: Vec<f64> = (0..values.len()).filter(|&at| at != zone).map(|at| of(values[at])).collect();
    let total: f64 = others.iter().sum();
    let choices: Vec<f64> = match weights.count(zone) {
        1 => others,
        2 => others.iter().enumerate().flat_map(|(at, a)| others[..at].iter().map(move |b| a + b)).collect(),
        _ => others.iter().map(|left_out| total - left_out).collect(),
    };
    let seen: f64 = weights.of(zone).iter().map(|&at| of(values[at as usize])).sum();
    let share = |tail: &dyn Fn(f64) -> bool| {
        choices.iter().filter(|&&sum| tail(sum)).count() as f64 / choices.len() as f64
    };
    (2.0 * share(&|sum| sum >= seen).min(share(&|sum| sum <= seen))).min(1.0)
}

#[test]
fn either_draws_give_the_p_of_all_choices_listed() {
    const REPLICATES: u32 = 19_999;
    // With eighty zones there are too many neighbours to tell apart by looking at each.
    for n in [4, 9, 20, 80] {
        let mut chance = Chance::new(n as u64, 0);
        let values: Vec<f64> = (0..n).map(|_| chance.below(5) as f64).collect();
        let size = |zone: usize| [1, 2, n - 2][zone % 3];
        let list = |zone: usize| (1..=size(zone)).map(|step| (zone + step) % n).collect();
        let weights = Weights::from_lists(&(0..n).map(list).collect::<Vec<_>>());
        for summed in [Summed::Values, Summed::SquaredDifferences] {
            for draws in BOTH {
                let found = ps(&values, &weights, summed, REPLICATES, draws, 5);
                for (zone, found) in found.into_iter().enumerate() {
                    let own = values[zone];
                    let exact = match summed {
                        Summed::Values => listed(&values, &weights, zone, |value| value),
                        Summed::SquaredDifferences => {
                            listed(&values, &weights, zone, |value| (value - own) * (value - own))
                        }
                    };
                    // Five standard errors of twice a share.
                    let error = 5.0 * 2.0 * (exact / 2.0 / f64::from(REPLICATES)).sqrt() + 2e-4;
                    assert!((found - exact).abs() < error, "{n} {draws} {zone}: {found} against {exact}");
                }
            }
        }
    }
}

#[test]
fn permutations_stop_when_nobody_waits() {
    let (values, weights) = noise(12, 1);
    let observer = |_| std::ops::ControlFlow::Break(());
    for draws in BOTH {
        let how = Permutations { replicates: 99, draws, seed: 1 };
        let found = permutation_ps(&values, &weights, Summed::Values, how, &Watch::new(&observer));
        assert_eq!(found, Err(AnalysisError::Interrupted));
    }
}

/// A square of so many zones with independent counts.
fn noise(side: usize, seed: u64) -> (Vec<f64>, Weights) {
    let extent = side as f64 * 100.0;
    let window = Window::new(
        MultiPolygon::new(vec![Rect::new((0.0, 0.0), (extent, extent)).to_polygon()]),
        WindowOrigin::Given("square".to_owned()),
    );
    let grid = Grid::covering(&window.unwrap(), Metres::new(100.0).unwrap()).unwrap();
    let mut chance = Chance::new(seed, 0);
    let values = (0..side * side).map(|_| chance.below(1_000_000) as f64).collect();
    (values, Weights::among(&Zoning::Grid(grid), Neighbours::Queen))
}

#[test]
fn under_complete_randomness_p_is_even_and_few_zones_are_called_significant() {
    const WORLDS: u64 = 1000;
    let mut of_one_zone = vec![Vec::new(); 5];
    let mut false_worlds = [0_u32; 5];
    for seed in 0..WORLDS {
        let (values, weights) = noise(12, seed);
        let normal = sum_scores(&values, &weights).unwrap().iter().map(|&z| two_sided_p(z)).collect();
        let mut all: Vec<Vec<f64>> = vec![normal];
        for draws in BOTH {
            for summed in [Summed::Values, Summed::SquaredDifferences] {
                all.push(ps(&values, &weights, summed, 999, draws, seed + 1000));
            }
        }
        for (at, p) in all.iter().enumerate() {
            of_one_zone[at].push(p[77]);
            false_worlds[at] += u32::from(Correction::Bh.adjust(p).iter().any(|&q| q <= 0.05));
        }
    }
    for (at, mut p) in of_one_zone.into_iter().enumerate() {
        p.sort_by(f64::total_cmp);
        let step = |rank: usize| (rank as f64 + 0.5) / WORLDS as f64;
        let apart = p.iter().enumerate().map(|(rank, p)| (p - step(rank)).abs()).fold(0.0, f64::max);
        // Kolmogorov–Smirnov at one in a thousand: 1.95/√1000.
        assert!(apart < 0.0617, "{at}: {apart}");
        // Where nothing is true, the false share is the chance of any: at most 0.05, and three standard errors.
        let share = f64::from(false_worlds[at]) / WORLDS as f64;
        assert!(share < 0.05 + 3.0 * (0.05 * 0.95 / WORLDS as f64).sqrt(), "{at}: {share}");
    }
}

#[test]
fn the_share_of_false_ones_among_the_found_is_what_was_promised() {
    const WORLDS: u64 = 1000;
    // A hundred zones of chance and thirty true ones, half of them plain to see.
    let (noise, truth) = (100, 30);
    for (correction, promised) in
        [(Correction::Bh, 0.05 * 100.0 / 130.0), (Correction::By, 0.05), (Correction::Bonferroni, 0.05)]
    {
        let shares: Vec<f64> = (0..WORLDS)
            .map(|world| {
                let mut chance = Chance::new(world, 9);
                let mut p: Vec<f64> = (0..noise).map(|_| chance.share()).collect();
                p.extend((0..truth).map(|at| chance.share() * if at % 2 == 0 { 1e-5 } else { 0.02 }));
                let q = correction.adjust(&p);
                let found = q.iter().filter(|&&q| q <= 0.05).count();
                let wrong = q[..noise].iter().filter(|&&q| q <= 0.05).count();
                assert!(found >= truth / 2, "{found}");
                wrong as f64 / found as f64
            })
            .collect();
        let mean = shares.iter().sum::<f64>() / WORLDS as f64;
        let spread = shares.iter().map(|share| (share - mean).powi(2)).sum::<f64>() / WORLDS as f64;
        // Three standard errors of the mean.
        assert!(mean <= promised + 3.0 * (spread / WORLDS as f64).sqrt(), "{correction}: {mean}");
    }
}

/// So many incidents, evenly spread over `side` × `side` zones of 100 m.
fn rain(incidents_in_all: usize, side: f64, world: u64) -> Incidents {
    let mut chance = Chance::new(world, 3);
    let mut places = || (0..incidents_in_all).map(|_| chance.share() * side * 100.0).collect::<Vec<f64>>();
    let (x, y) = (places(), places());
    incidents(x, y, None, (0.0, 0.0, side * 100.0, side * 100.0))
}

fn zones_of(metres: f64) -> GiStarParams {
    let cell = CellSize::Length(Metres::new(metres).unwrap());
    GiStarParams { counted: cell.into(), ..GiStarParams::default() }
}

#[test]
fn incidents_that_fall_like_rain_seldom_make_a_zone_hot() {
    const WORLDS: u64 = 200;
    let params = zones_of(100.0);
    for a_zone in [0.3, 1.0, 3.0] {
        // With the zone itself, without it, both ways beside its own value, and by the normal law alone.
        let mut false_worlds = [0_u32; 4];
        for world in 0..WORLDS {
            let rain = rain((a_zone * 3600.0) as usize, 60.0, world);
            let any = |z: &[f64], q: &[f64]| u32::from(z.iter().zip(q).any(|(&z, &q)| z > 0.0 && q <= 0.05));
            let (with, without) = (
                gi_star(&rain, &params, &Watch::NOBODY).unwrap(),
                gi(&rain, &params, &Watch::NOBODY).unwrap(),
            );
            let normal: Vec<f64> = with.z.iter().map(|&z| two_sided_p(z)).collect();
            false_worlds[0] += any(&with.z, &with.q);
            false_worlds[1] += any(&without.z, &without.q);
            let moran = local_moran(&rain, &params, &Watch::NOBODY).unwrap();
            false_worlds[2] += u32::from(moran.q.iter().any(|&q| q <= 0.05));
            false_worlds[3] += any(&with.z, &Correction::Bh.adjust(&normal));
        }
        let [with, without, moran, normal] = false_worlds.map(|worlds| f64::from(worlds) / WORLDS as f64);
        // Three standard errors.
        let most = 0.05 + 3.0 * (0.05 * 0.95 / WORLDS as f64).sqrt();
        assert!(with < most && without < most && moran < most, "{a_zone} a zone: {with}, {without}, {moran}");
        assert!(normal > with, "{a_zone} a zone: {normal} by the normal law alone");
        assert!(a_zone > 0.5 || normal > 0.5, "{normal}");
    }
}

#[test]
fn p_of_counts_is_the_larger_of_two_laws_written_down() {
    let side = 7.0;
    // Rain, and an address where incidents repeat.
    let (rain, params) = (rain(40, side, 5), zones_of(100.0));
    let (x, y) = ([rain.x, vec![150.0; 20]].concat(), [rain.y, vec![250.0; 20]].concat());
    let world = incidents(x, y, None, (0.0, 0.0, side * 100.0, side * 100.0));
    let (with, without) =
        (gi_star(&world, &params, &Watch::NOBODY).unwrap(), gi(&world, &params, &Watch::NOBODY).unwrap());
    let neighbours = |a: usize, b: usize| (a % 7).abs_diff(b % 7) <= 1 && (a / 7).abs_diff(b / 7) <= 1;
    let all = (side * side) as usize;
    let mut decided = [false; 2];
    for zone in 0..all {
        for (stats, own) in [(&with, true), (&without, false)] {
            let near: Vec<usize> =
                (0..all).filter(|&other| neighbours(zone, other) && (own || other != zone)).collect();
            let sum: f64 = near.iter().map(|&at| stats.count[at]).sum();
            let trials = if own { 60.0 } else { 60.0 - stats.count[zone] };
            let chance = near.len() as f64 / if own { side * side } else { side * side - 1.0 };
            // Every number of successes, one by one.
            let mut term = (1.0 - chance).powf(trials);
            let (mut at_most, mut at_least) = (0.0, 0.0);
            for successes in 0..=trials as u32 {
                let successes = f64::from(successes);
                at_most += if successes <= sum { term } else { 0.0 };
                at_least += if successes >= sum { term } else { 0.0 };
                term *= (trials - successes) / (successes + 1.0) * chance / (1.0 - chance);
            }
            let (evenly, normal) = ((2.0 * f64::min(at_most, at_least)).min(1.0), two_sided_p(stats.z[zone]));
            let error = (stats.p[zone] - evenly.max(normal)).abs();
            assert!(error < 1e-10, "zone {zone}: {} against {evenly}, {normal}", stats.p[zone]);
            decided[usize::from(evenly > normal)] = true;
        }
    }
    assert!(with.notes.iter().chain(&without.notes).all(|note| note.code != "p_normal"));
    assert!(decided[0] && decided[1], "each law has its say");
}

#[test]
fn without_counts_p_is_that_of_the_normal_law() {
    let half = incidents(
        vec![50.0, 250.0, 50.0],
        vec![50.0, 50.0, 50.0],
        Some(vec![0.5; 3]),
        (0.0, 0.0, 900.0, 900.0),
    );
    let by_distance = Neighbours::Inverse(Metres::new(150.0).unwrap());
    let (counts, weighted) = (zones_of(100.0), GiStarParams { neighbours: by_distance, ..zones_of(100.0) });
    for (incidents, params) in [(&half, &counts), (&town(), &weighted)] {
        let stats = gi_star(incidents, params, &Watch::NOBODY).unwrap();
        assert_eq!(stats.provenance.parameters["p"], "two-sided, normal law");
        assert!(stats.notes.iter().any(|note| note.code == "p_normal"));
        assert!(stats.p.iter().zip(&stats.z).all(|(&p, &z)| p == two_sided_p(z)));
    }
    // Squares of differences are no counts.
    let geary = local_geary(&town(), &counts, &Watch::NOBODY).unwrap();
    assert!(geary.notes.iter().any(|note| note.code == "p_normal"));
}

/// Two crowds in opposite corners of ten by ten zones.
fn town() -> Incidents {
    let crowd = |corner: f64| (0..200).map(move |at| corner + f64::from(at % 20) * 14.0);
    let up = |corner: f64| (0..200).map(move |at| corner + f64::from(at / 20) * 29.0);
    let x = crowd(5.0).chain(crowd(700.0)).collect();
    incidents(x, up(5.0).chain(up(700.0)).collect(), None, (0.0, 0.0, 1000.0, 1000.0))
}

#[test]
fn every_local_method_finds_the_crowds_with_either_draws() {
    let town = town();
    let cell = CellSize::Length(Metres::new(100.0).unwrap());
    for (permutations, draws) in [(0, Draws::Shared), (4999, Draws::Shared), (4999, Draws::Independent)] {
        let params = GiStarParams { counted: cell.into(), permutations, draws, ..GiStarParams::default() };
        let watch = &Watch::NOBODY;
        let hot = gi_star(&town, &params, watch).unwrap();
        assert!(hot.count_of(Class::Hot) >= 8 && hot.p.iter().all(|&p| p > 0.0 && p <= 1.0));
        assert!(gi(&town, &params, watch).unwrap().count_of(Class::Hot) >= 8);
        let moran = local_moran(&town, &params, watch).unwrap();
        assert!(moran.count_of(Class::HighHigh) >= 8, "{}", moran.count_of(Class::HighHigh));
        assert_eq!(moran.series[0].values.len(), 100);
        let geary = local_geary(&town, &params, watch).unwrap();
        assert_eq!(geary.class.len(), 100);
    }
}

#[test]
fn too_few_permutations_and_zones_without_neighbours_are_announced() {
    let cell = CellSize::Length(Metres::new(100.0).unwrap());
    let neighbours = Neighbours::Band(Metres::new(50.0).unwrap());
    let lone = GiParams { counted: cell.into(), neighbours, permutations: 99, ..GiParams::default() };
    let stats = gi(&town(), &lone, &Watch::NOBODY).unwrap();
    let codes: Vec<&str> = stats.notes.iter().map(|note| note.code.as_str()).collect();
    assert!(codes.contains(&"islands") && codes.contains(&"p_floor"), "{codes:?}");
    assert!(stats.z.iter().chain(&stats.p).chain(&stats.q).all(|value| value.is_nan()));
    assert_eq!(stats.count_of(Class::NotSignificant), 100);
}
