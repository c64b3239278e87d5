//! Statistics of all zones against outside numbers and their slow forms.

use std::num::NonZeroU32;

use brasa_model::{GivenZone, GivenZones, Grid, Incidents, Metres, Window, WindowOrigin};
use brasa_spatial_index::association::{Association, moran_of, moran_raw, permutation_p_of};
use brasa_spatial_index::methods::global::correlogram::{CorrelogramParams, correlogram};
use brasa_spatial_index::methods::global::{geary, general_g};
use brasa_spatial_index::weights::{Style, Weights};
use brasa_spatial_index::{AnalysisError, CellSize, Watch};
use brasa_tests::{gal, incidents, numbers, real, rows};
use geo::{MultiPolygon, Polygon};

fn close(found: f64, wanted: f64) {
    assert!((found - wanted).abs() < 1e-8 * wanted.abs().max(1e-6), "{found} against {wanted}");
}

fn json(path: &str) -> Option<serde_json::Value> {
    Some(serde_json::from_str(&std::fs::read_to_string(real(path)?).unwrap()).unwrap())
}

fn moran(values: &[f64], weights: &Weights) -> Association {
    moran_of(values, &by_row(weights)).unwrap()
}

fn by_row(weights: &Weights) -> Weights {
    weights.clone().styled(Style::RowStandardised)
}

fn geary_of(values: &[f64], weights: &Weights) -> Association {
    geary::association(values, &by_row(weights)).unwrap()
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
    // Printed to so many digits.
    let near = |found: f64, wanted: f64, digits: f64| {
        assert!((found - wanted).abs() < digits, "{found} against {wanted}");
    };
    let found = moran(&crime, &weights);
    near(found.value, 0.485_770_914, 1e-9);
    near(found.variance_randomisation, 0.008_991_121, 1e-9);
    near(found.variance_normality, 0.008_860_962, 1e-9);
    near(found.z()[0], 5.381_810, 1e-6);
    near(found.z()[1], 5.342_714, 1e-6);
    let found = geary_of(&crime, &weights);
    near(found.value, 0.547_803_377, 1e-9);
    near(found.z()[1], -4.566_919, 1e-6);
    let found = general_g::association(&crime, &weights).unwrap();
    near(found.value, 0.122_724_245_4, 1e-9);
    near(found.expectation, 0.097_789_115_65, 1e-9);
    near(found.z()[1], 4.286_455, 1e-6);
}

#[test]
fn three_sets_of_areas_equal_pysal() {
    for (areas, name) in [("columbus", "columbus_crime"), ("sids2", "sids_SIDR74"), ("stl", "stl_HR8893")] {
        let (Some(lists), Some(file), Some(wanted)) = (
            gal(&format!("reference/data/{areas}.gal")),
            real(&format!("reference/{name}_local.csv")),
            json(&format!("reference/{name}.json")),
        ) else {
            return;
        };
        let (weights, values) = (Weights::from_lists(&lists), numbers(&rows(&file, true), 1));
        let number = |of: &str, key: &str| wanted[of][key].as_f64().unwrap();
        let found = moran(&values, &weights);
        close(found.value, number("moran", "I"));
        close(found.variance_normality, number("moran", "VI_norm"));
        close(found.variance_randomisation, number("moran", "VI_rand"));
        let binary = moran_of(&values, &weights).unwrap();
        close(binary.value, number("moran_binary", "I"));
        close(binary.variance_randomisation, number("moran_binary", "VI_rand"));
        let found = geary_of(&values, &weights);
        close(found.value, number("geary", "C"));
        close(found.variance_normality, number("geary", "VC_norm"));
        close(found.variance_randomisation, number("geary", "VC_rand"));
        let found = general_g::association(&values, &weights).unwrap();
        close(found.value, number("general_G_binary", "G"));
        close(found.z()[1], number("general_G_binary", "z_norm"));
        // One-sided there; both from 9999 arrangements.
        let p = permutation_p_of(moran_raw, &values, &by_row(&weights), (9999, 1), &Watch::NOBODY).unwrap();
        assert!((p / 2.0 - number("moran", "p_sim")).abs() < 0.0025, "{p}");
    }
}

/// Nine zones in three rows; sides shared.
fn nine() -> Weights {
    let near = |a: usize, b: usize| (a / 3).abs_diff(b / 3) + (a % 3).abs_diff(b % 3) == 1;
    Weights::from_lists(&(0..9).map(|a| (0..9).filter(|&b| near(a, b)).collect()).collect::<Vec<_>>())
}

#[test]
fn nine_zones_have_the_published_variances() {
    let values: Vec<f64> = (1..10).map(f64::from).collect();
    let found = moran_of(&values, &nine()).unwrap();
    assert!((found.variance_randomisation - 0.059_687_5).abs() < 1e-14);
    assert!((found.variance_normality - 0.053_125).abs() < 1e-14);
}

/// Every arrangement of values, by exchanges (Heap 1963).
fn arrangements(values: &mut Vec<f64>, k: usize, visit: &mut impl FnMut(&[f64])) {
    if k <= 1 {
        return visit(values);
    }
    for at in 0..k {
        arrangements(values, k - 1, visit);
        values.swap(if k.is_multiple_of(2) { at } else { 0 }, k - 1);
    }
}

#[test]
fn moments_under_randomisation_are_those_of_all_arrangements() {
    // Not mutual, and one zone without neighbours.
    let lists = [vec![1, 2], vec![0], vec![3, 4, 5], vec![2], vec![], vec![0, 1]];
    let mut values = vec![0.0, 3.0, 1.0, 7.0, 1.0, 2.0];
    let unequal = |zone: usize| -> Vec<(usize, f64)> {
        lists[zone].iter().map(|&to| (to, 1.0 / (1.0 + (to as f64 - zone as f64).powi(2)))).collect()
    };
    type Of = fn(&[f64], &Weights) -> Association;
    let methods: [Of; 3] =
        [moran, geary_of, |values, weights| general_g::association(values, weights).unwrap()];
    let both = [Weights::from_lists(&lists), Weights::from_rows(&(0..6).map(unequal).collect::<Vec<_>>())];
    for (of, weights) in methods.into_iter().flat_map(|of| both.iter().map(move |weights| (of, weights))) {
        let found = of(&values, weights);
        let mut all = Vec::new();
        arrangements(&mut values, 6, &mut |values| all.push(of(values, weights).value));
        assert_eq!(all.len(), 720);
        let mean = all.iter().sum::<f64>() / 720.0;
        let variance = all.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>() / 720.0;
        assert!((found.expectation - mean).abs() < 1e-12, "{} against {mean}", found.expectation);
        assert!((found.variance_randomisation - variance).abs() < 1e-12, "{found:?} against {variance}");
    }
}

#[test]
fn a_correlogram_is_morans_i_of_each_band_of_distance() {
    // An L of cells of 100 m, so that every distance has other pairs.
    let l =
        [(0.0, 0.0), (900.0, 0.0), (900.0, 300.0), (400.0, 300.0), (400.0, 800.0), (0.0, 800.0), (0.0, 0.0)];
    let window = Window::new(
        MultiPolygon::new(vec![Polygon::new(l.to_vec().into(), vec![])]),
        WindowOrigin::Given("l".to_owned()),
    )
    .unwrap();
    let part = |at: u32, step: f64| (f64::from(at) * step) % 1.0;
    let places =
        (0..400).map(|at| (900.0 * part(at, 0.618_034).powi(2), 800.0 * part(at, 0.754_878).powi(2)));
    let (x, y): (Vec<f64>, Vec<f64>) = places.filter(|&(x, y)| window.contains(x, y)).unzip();
    let world = Incidents { window, ..incidents(x, y, None, (0.0, 0.0, 1.0, 1.0)) };
    let hundred = Metres::new(100.0).unwrap();
    let grid = Grid::covering(&world.window, hundred).unwrap();
    let cells: Vec<usize> = grid.cells().collect();
    let values: Vec<f64> = cells
        .iter()
        .map(|&cell| {
            (0..world.len()).filter(|&at| grid.cell_at(world.x[at], world.y[at]) == Some(cell)).count() as f64
        })
        .collect();
    let given = cells.iter().map(|&cell| GivenZone {
        name: cell.to_string(),
        outline: Window::new(
            MultiPolygon::new(vec![grid.polygon(cell)]),
            WindowOrigin::Given("cells".to_owned()),
        )
        .unwrap(),
    });
    let given = GivenZones::of_file("cells".to_owned(), given.collect(), None);
    let given = Incidents { zones: Some(given), ..world.clone() };

    let bands = NonZeroU32::new(15).unwrap();
    let params = CorrelogramParams { counted: CellSize::Length(hundred).into(), step: Some(hundred), bands };
    let found = correlogram(&world, &params, &Watch::NOBODY).unwrap();
    let on_zones = correlogram(&given, &params, &Watch::NOBODY).unwrap();
    let [i, z, pairs] = [0, 2, 5].map(|column| found.y[column].values.clone());
    let centre = |cell: usize| (grid.centre_x(cell % grid.nx()), grid.centre_y(cell / grid.nx()));
    for band in 0..15 {
        let (low, high) = (f64::from(band) * 100.0, f64::from(band + 1) * 100.0);
        let near = |a: usize, b: usize| {
            let (a, b) = (centre(cells[a]), centre(cells[b]));
            let distance = (a.0 - b.0).hypot(a.1 - b.1);
            distance > low + 1e-6 && distance <= high + 1e-6
        };
        let lists: Vec<Vec<usize>> =
            (0..cells.len()).map(|a| (0..cells.len()).filter(|&b| a != b && near(a, b)).collect()).collect();
        let weights = Weights::from_lists(&lists);
        let band = band as usize;
        assert_eq!(pairs[band], weights.links() as f64 / 2.0);
        if weights.links() == 0 {
            assert!(i[band].is_nan() && band > 10);
        } else {
            let wanted = moran(&values, &weights);
            close(i[band], wanted.value);
            close(z[band], wanted.z()[1]);
            close(on_zones.y[0].values[band], wanted.value);
        }
    }
    let no_step = CorrelogramParams { step: None, ..params };
    assert!(matches!(
        correlogram(&given, &no_step, &Watch::NOBODY),
        Err(AnalysisError::RuleFailed { what: "step", .. })
    ));
}

#[test]
fn what_cannot_be_said_is_refused() {
    let alone = Weights::from_lists(&vec![Vec::new(); 5]);
    let refused = moran_of(&[1.0, 2.0, 3.0, 4.0, 5.0], &alone).unwrap_err();
    assert!(
        matches!(refused, AnalysisError::TooFewZones { ref why } if why.contains("not one of the 5 zones"))
    );
    let pair = Weights::from_lists(&[vec![1], vec![0]]);
    assert!(matches!(geary::association(&[1.0, 2.0], &pair), Err(AnalysisError::TooFewZones { .. })));
    assert!(matches!(geary::association(&[2.0; 9], &nine()), Err(AnalysisError::NoVariance { .. })));
    let one = [0.0, 0.0, 0.0, 0.0, 5.0, 0.0, 0.0, 0.0, 0.0];
    assert!(matches!(general_g::association(&one, &nine()), Err(AnalysisError::TooFewZones { .. })));
}
