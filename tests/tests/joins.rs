//! Local join counts against esda, enumeration, permutations and their laws.

use std::num::NonZeroU32;

use brasa_model::{Class, Metres};
use brasa_spatial_index::conditional::{Draws, Permutations, Summed, permutation_ps};
use brasa_spatial_index::methods::local::local_join_count::{
    Joins, LocalJoinCountParams, joins, local_join_count,
};
use brasa_spatial_index::weights::Weights;
use brasa_spatial_index::zoning::CountedIn;
use brasa_spatial_index::{AnalysisError, CellSize, Watch};
use brasa_tests::incidents;
use proptest::prelude::*;

/// Seven by five zones with queen neighbours.
fn lattice() -> Weights {
    let near = |a: usize, b: usize| a != b && (a / 7).abs_diff(b / 7) <= 1 && (a % 7).abs_diff(b % 7) <= 1;
    let lists: Vec<Vec<usize>> = (0..35).map(|a| (0..35).filter(|&b| near(a, b)).collect()).collect();
    Weights::from_lists(&lists)
}

/// A block of nine in a corner, and two apart.
fn block() -> Vec<bool> {
    (0..35).map(|at| at % 7 < 3 && at / 7 < 3 || at == 33 || at == 20).collect()
}

#[test]
fn joins_are_those_of_esda() {
    let Joins { joins, p, .. } = joins(&block(), &lattice());
    // Join_Counts_Local with 99,999 permutations, seed 1, of the zones with joins: the number of joins, and p.
    let wanted = [
        (0, 3.0, 0.01918),
        (1, 5.0, 0.00096),
        (2, 3.0, 0.13711),
        (7, 5.0, 0.00101),
        (8, 8.0, 0.00002),
        (9, 5.0, 0.03103),
        (14, 3.0, 0.13747),
        (15, 5.0, 0.03067),
        (16, 3.0, 0.43505),
    ];
    for zone in 0..35 {
        match wanted.iter().find(|wanted| wanted.0 == zone) {
            Some(&(_, count, wanted)) => {
                assert_eq!(joins[zone], count);
                let error: f64 = 4.0 * (wanted * (1.0 - wanted) / 1e5_f64).sqrt() + 2e-5;
                assert!((p[zone] - wanted).abs() < error, "{zone}: {} against {wanted}", p[zone]);
            }
            None => assert!(joins[zone] == 0.0 && p[zone].is_nan(), "{zone}"),
        }
    }
    // scipy.stats.hypergeom.sf(7, 34, 10, 8): C(10, 8)/C(34, 8).
    assert!((p[8] - 45.0 / 18_156_204.0).abs() < 1e-18);
}

#[test]
fn twice_p_is_that_of_permutations_of_zeros_and_ones() {
    let (has, weights) = (block(), lattice());
    let values: Vec<f64> = has.iter().map(|&has| f64::from(u8::from(has))).collect();
    let how = Permutations { replicates: 20_000, draws: Draws::Independent, seed: 5 };
    let two_sided = permutation_ps(&values, &weights, Summed::Values, how, &Watch::NOBODY).unwrap();
    let found = joins(&has, &weights);
    for zone in (0..35).filter(|&zone| found.p[zone] < 0.4) {
        let error = 10.0 * (found.p[zone] / 20_000.0).sqrt() + 2e-4;
        assert!((two_sided[zone] - 2.0 * found.p[zone]).abs() < error, "{zone}");
    }
}

/// C(n, k).
fn choose(n: usize, k: usize) -> f64 {
    (0..k).fold(1.0, |product, at| product * (n - at) as f64 / (at + 1) as f64)
}

proptest! {
    #[test]
    fn p_and_z_are_those_of_all_arrangements(
        has in prop::collection::vec(any::<bool>(), 3..12),
        lists in prop::collection::vec(prop::collection::vec(0..12_usize, 0..8), 12),
    ) {
        let n = has.len();
        let weights = Weights::from_lists(&lists[..n]);
        let ones = has.iter().filter(|&&has| has).count();
        let found = joins(&has, &weights);
        for zone in (0..n).filter(|&zone| has[zone]) {
            let around = weights.of(zone);
            let seen = around.iter().filter(|&&to| has[to as usize]).count();
            prop_assert_eq!(found.joins[zone], seen as f64);
            if seen == 0 {
                prop_assert!(found.p[zone].is_nan() && found.z[zone].is_nan());
                continue;
            }
            // All sets of zones that could be the ones, the zone itself among them.
            let sets = (0..1_u32 << n).filter(|set| set.count_ones() as usize == ones && set >> zone & 1 == 1);
            let counts: Vec<f64> = sets.map(|set| around.iter().filter(|&&to| set >> to & 1 == 1).count() as f64).collect();
            prop_assert_eq!(counts.len() as f64, choose(n - 1, ones - 1).round());
            let share = counts.iter().filter(|&&count| count >= seen as f64).count() as f64 / counts.len() as f64;
            prop_assert!((found.p[zone] - share).abs() < 1e-12, "{} against {share}", found.p[zone]);
            let mean = counts.iter().sum::<f64>() / counts.len() as f64;
            let variance = counts.iter().map(|count| (count - mean).powi(2)).sum::<f64>() / counts.len() as f64;
            if variance > 1e-9 {
                prop_assert!((found.z[zone] - (seen as f64 - mean) / variance.sqrt()).abs() < 1e-9);
            } else {
                prop_assert!(found.z[zone].is_nan());
            }
        }
    }

    #[test]
    fn one_more_neighbour_that_has_it_never_makes_p_larger(seed in 0..1000_usize, k in 1..20_usize) {
        // Zone 0 with k neighbours among 300, so many of which have it.
        let mut lists = vec![Vec::new(); 300];
        lists[0] = (1..=k).collect();
        let weights = Weights::from_lists(&lists);
        let mut last = 1.0 + 1e-12;
        for with in 1..=k {
            // As many ones each time: those that are no neighbours make up for it.
            let has: Vec<bool> = (0..300).map(|at| at <= with || at > 299 - (k + seed % 200 - with)).collect();
            let p = joins(&has, &weights).p[0];
            prop_assert!(p > 0.0 && p <= last, "{with}: {p} after {last}");
            last = p;
        }
    }
}

#[test]
fn large_neighbourhoods_neither_overflow_nor_vanish() {
    let n = 20_001;
    let mut lists = vec![Vec::new(); n];
    lists[0] = (1..=6000).collect();
    let has: Vec<bool> = (0..n).map(|at| at % 2 == 0).collect();
    let found = joins(&has, &Weights::from_lists(&lists));
    assert_eq!(found.joins[0], 3000.0);
    assert!((found.p[0] - 0.5).abs() < 0.02 && found.z[0].abs() < 0.1, "{} {}", found.p[0], found.z[0]);
}

#[test]
fn a_threshold_that_all_or_none_reach_is_refused_and_one_between_finds_the_crowd() {
    let crowd = (0..200)
        .map(|at| 5.0 + f64::from(at % 20) * 14.0)
        .chain((0..8).map(|at| 350.0 + 80.0 * f64::from(at)));
    let up = (0..200)
        .map(|at| 5.0 + f64::from(at / 20) * 29.0)
        .chain((0..8).map(|at| 950.0 - 90.0 * f64::from(at)));
    let town = incidents(crowd.collect(), up.collect(), None, (0.0, 0.0, 1000.0, 1000.0));
    let cell = CellSize::Length(Metres::new(100.0).unwrap());
    let params = |at_least: u32| LocalJoinCountParams {
        counted: cell.into(),
        at_least: NonZeroU32::new(at_least).unwrap(),
        ..LocalJoinCountParams::default()
    };
    let found = local_join_count(&town, &params(2), &Watch::NOBODY).unwrap();
    assert!(found.count_of(Class::HighHigh) >= 6, "{}", found.count_of(Class::HighHigh));
    assert!(
        found.class.iter().zip(&found.count).all(|(&class, &count)| class != Class::HighHigh || count >= 2.0)
    );
    for (least, wanted) in [(1000, "not one of the 100 zones holds 1000 incidents"), (1, "")] {
        match local_join_count(&town, &params(least), &Watch::NOBODY) {
            Err(AnalysisError::TooFewZones { why }) => {
                assert!(why.contains(wanted) && !wanted.is_empty(), "{why}");
            }
            Err(other) => panic!("{other}"),
            Ok(found) => assert!(wanted.is_empty() && found.p.iter().any(|p| p.is_nan())),
        }
    }
    let inverse = LocalJoinCountParams { neighbours: "inverse:300m".parse().unwrap(), ..params(1) };
    assert!(matches!(
        local_join_count(&town, &inverse, &Watch::NOBODY),
        Err(AnalysisError::Parameter { .. })
    ));
    let rates = LocalJoinCountParams {
        counted: CountedIn { population: Some("people".to_owned()), ..cell.into() },
        ..params(1)
    };
    assert!(matches!(local_join_count(&town, &rates, &Watch::NOBODY), Err(AnalysisError::Parameter { .. })));
}
