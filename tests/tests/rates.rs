//! Rates of zones, smoothed: against outside numbers and by their laws.

use brasa_model::{Class, Denominators, GivenZone, GivenZones, Incidents, Metres, Window, WindowOrigin};
use brasa_spatial_index::association::moran_of;
use brasa_spatial_index::methods::local::rate_eb::{RateEbParams, global, local_rates, rate_eb, scores};
use brasa_spatial_index::significance::Correction;
use brasa_spatial_index::weights::{Neighbours, Style, Weights};
use brasa_spatial_index::{AnalysisError, Watch};
use brasa_tests::{gal, incidents, numbers, real, rows};
use geo::{MultiPolygon, Rect};
use proptest::prelude::*;

fn close(found: &[f64], wanted: &[f64], tolerance: f64) {
    for (found, wanted) in found.iter().zip(wanted) {
        assert!((found - wanted).abs() < tolerance * wanted.abs(), "{found} against {wanted}");
    }
}

#[test]
fn sids_equals_pysal() {
    let (Some(file), Some(lists)) =
        (real("reference/data/sids2_dbf_order.csv"), gal("reference/data/sids2.gal"))
    else {
        return;
    };
    let (rows, weights) = (rows(&file, true), Weights::from_lists(&lists));
    let (deaths, births) = (numbers(&rows, 1), numbers(&rows, 2));
    // esda 2.9.0: Empirical_Bayes and Spatial_Empirical_Bayes of SID74 and BIR74.
    let wanted = [
        0.001697297330855623,
        0.0017053776808421805,
        0.0017730870220701838,
        0.002012868084221261,
        0.0035349131491551385,
    ];
    close(&global(&deaths, &births), &wanted, 1e-12);
    let wanted = [
        0.000992227550851662,
        0.0012639029322548028,
        0.000974025974025974,
        0.0007604562737642585,
        0.005015388122649037,
    ];
    close(&local_rates(&deaths, &births, &weights), &wanted, 1e-12);
    let z = scores(&deaths, &births).unwrap();
    close(
        &[moran_of(&z, &weights.styled(Style::RowStandardised)).unwrap().value],
        &[0.2714029669628649],
        1e-8,
    );
}

#[test]
fn st_louis_equals_what_was_published() {
    let (Some(file), Some(lists)) = (real("reference/data/stl_hom.csv"), gal("reference/data/stl.gal"))
    else {
        return;
    };
    let (rows, weights) = (rows(&file, true), Weights::from_lists(&lists));
    // HC7984 and PO7984; as printed in the documentation of esda.
    let wanted = [2.36718950e-5, 4.54539167e-5, 4.78114019e-5, 2.76907146e-5, 6.58989323e-5];
    close(&global(&numbers(&rows, 10), &numbers(&rows, 13)), &wanted, 3e-9);
    // HC8893 and PO8893.
    let z = scores(&numbers(&rows, 12), &numbers(&rows, 15)).unwrap();
    close(
        &[moran_of(&z, &weights.styled(Style::RowStandardised)).unwrap().value],
        &[0.24161952407097556],
        1e-8,
    );
}

/// Counts with denominators of very different size, and lists of neighbours, some empty.
fn world() -> impl Strategy<Value = (Vec<f64>, Vec<f64>, Weights)> {
    (2..20_usize).prop_flat_map(|n| {
        let counts = prop::collection::vec((0..20_u32).prop_map(f64::from), n);
        let below = prop::collection::vec((1..1000_u32).prop_map(f64::from), n);
        let lists = prop::collection::vec(prop::collection::vec(0..n, 0..5), n);
        (counts, below, lists.prop_map(|lists| Weights::from_lists(&lists)))
    })
}

proptest! {
    #[test]
    fn a_smoothed_rate_lies_between_its_own_and_that_of_its_surroundings((count, below, weights) in world()) {
        let (all, people): (f64, f64) = (count.iter().sum(), below.iter().sum());
        prop_assume!(all > 0.0);
        let (wide, near) = (global(&count, &below), local_rates(&count, &below, &weights));
        let z = scores(&count, &below).unwrap();
        for zone in 0..count.len() {
            let own = count[zone] / below[zone];
            let mut around: Vec<usize> = weights.of(zone).iter().map(|&at| at as usize).collect();
            around.push(zone);
            let sum = |of: &[f64]| around.iter().map(|&at| of[at]).sum::<f64>();
            for (rate, mean) in [(wide[zone], all / people), (near[zone], sum(&count) / sum(&below))] {
                prop_assert!(rate >= own.min(mean) * (1.0 - 1e-12) && rate <= own.max(mean) * (1.0 + 1e-12));
            }
            prop_assert!(z[zone] == 0.0 || (z[zone] > 0.0) == (own > all / people) || (own - all / people).abs() < 1e-12);
            if weights.count(zone) == 0 {
                prop_assert!((near[zone] - own).abs() < 1e-12);
            }
        }
        // Per thousand or per head: the same z, a thousandth of the rate.
        let thousands: Vec<f64> = below.iter().map(|below| below * 1000.0).collect();
        for (zone, other) in scores(&count, &thousands).unwrap().into_iter().enumerate() {
            prop_assert!((other - z[zone]).abs() < 1e-9 * z[zone].abs().max(1.0));
        }
        for (zone, other) in global(&count, &thousands).into_iter().enumerate() {
            prop_assert!((other * 1000.0 - wide[zone]).abs() < 1e-9);
        }
    }
}

/// Forty zones of 100 m in a row with 100 people each, three incidents in each, and `more` in the last.
fn street(more: usize) -> Incidents {
    let zone = |at: u32| GivenZone {
        name: format!("block {at}"),
        outline: Window::new(
            MultiPolygon::new(vec![
                Rect::new((f64::from(at) * 100.0, 0.0), (f64::from(at + 1) * 100.0, 100.0)).to_polygon(),
            ]),
            WindowOrigin::Given("street".to_owned()),
        )
        .unwrap(),
    };
    let mut x: Vec<f64> = (0..120).map(|at| f64::from(at / 3) * 100.0 + 50.0).collect();
    x.extend(vec![3950.0; more]);
    let denominators = Denominators { column: "people".to_owned(), values: vec![100.0; 40] };
    let zones = GivenZones::of_file("street".to_owned(), (0..40).map(zone).collect(), Some(denominators));
    Incidents {
        zones: Some(zones),
        ..incidents(x.clone(), vec![50.0; x.len()], None, (0.0, 0.0, 4000.0, 100.0))
    }
}

#[test]
fn a_block_that_stands_out_is_hot_and_equal_ones_keep_the_rate_of_all() {
    let params = RateEbParams {
        zones: "street".to_owned(),
        zones_layer: None,
        population: "people".to_owned(),
        neighbours: Neighbours::Band(Metres::new(100.0).unwrap()),
        correction: Correction::Bh,
    };
    let even = rate_eb(&street(0), &params, &Watch::NOBODY).unwrap();
    assert_eq!(even.count_of(Class::Hot) + even.count_of(Class::Cold), 0);
    let column = |stats: &brasa_model::LocalStats, name: &str| {
        stats.series.iter().find(|series| series.name == name).unwrap().values.clone()
    };
    close(&column(&even, "rate_global"), &[0.03; 40], 1e-12);
    let odd = rate_eb(&street(30), &params, &Watch::NOBODY).unwrap();
    assert_eq!((odd.count_of(Class::Hot), odd.class[39]), (1, Class::Hot));
    let (raw, smooth) = (column(&odd, "rate")[39], column(&odd, "rate_global")[39]);
    assert!(raw == 0.33 && smooth < raw && smooth > 0.2, "{smooth}");

    let bare = Incidents { zones: None, ..street(0) };
    assert!(matches!(rate_eb(&bare, &params, &Watch::NOBODY), Err(AnalysisError::TooFewZones { .. })));
    assert!(matches!(scores(&[0.0, 0.0], &[1.0, 2.0]), Err(AnalysisError::TooFewZones { .. })));
}
