//! Where the middle is, and whether a few places hold most: against outside numbers, the definitions written down, and laws.

use brasa_model::Chance;
use brasa_model::{Civil, Curve, Features, Grid, Incidents, Interval, Kinds, Metres, Times, Value};
use brasa_spatial_index::methods::pattern::centrography::{By, CentrographyParams, Drawn, centrography};
use brasa_spatial_index::methods::pattern::concentration::{
    ConcentrationParams, Lorenz, Places, Step, concentration,
};
use brasa_spatial_index::methods::pattern::pattern_similarity::{
    PatternSimilarityParams, Similarity, Verdict, pattern_similarity,
};
use brasa_spatial_index::methods::pattern::quadrat_test::{QuadratTestParams, quadrat_test};
use brasa_spatial_index::quadrats::{CutInto, Quadrats};
use brasa_spatial_index::shape::median_centre;
use brasa_spatial_index::{AnalysisError, Watch};
use brasa_tests::{in_window, incidents, numbers, pattern, real, rows, window};
use std::num::{NonZeroU32, NonZeroU64};
use std::ops::ControlFlow;

use geo::{Area, BooleanOps, Coord, Geometry, MultiPolygon};
use proptest::prelude::*;

const WATCH: Watch<'static> = Watch::NOBODY;
const SIDE: f64 = 2000.0;

/// A pattern in the square, not weighted.
fn world(x: Vec<f64>, y: Vec<f64>) -> Incidents {
    incidents(x, y, None, (0.0, 0.0, SIDE, SIDE))
}

fn value(features: &Features, row: usize, name: &str) -> Option<f64> {
    let column = features.columns.iter().position(|column| column.name == name).unwrap();
    match features.features[row].values[column] {
        Value::Real(value) => Some(value),
        Value::Integer(value) => Some(value as f64),
        _ => None,
    }
}

fn centres(incidents: &Incidents) -> Features {
    centrography(incidents, &CentrographyParams::default(), &WATCH).unwrap()
}

#[test]
fn centres_of_three_cities_equal_the_reference() {
    // The medians by Weiszfeld's steps in NumPy, down to 1e-10 m: pointpats's search stops up to 1.2 m short of them.
    for (name, median) in [
        ("pts_memphis_robbery_2019", (229_740.559_750_16, 3_889_496.956_797_67)),
        ("pts_medellin_2018_2019", (833_405.345_966_77, 1_183_793.804_632_75)),
        ("pts_chicago_arson", (353_668.280_260_32, 572_710.762_628_51)),
    ] {
        let Some(file) = real(&format!("reference/{name}_points.csv.gz")) else { return };
        let points = rows(&file, true);
        let text = std::fs::read_to_string(real(&format!("reference/{name}.json")).unwrap()).unwrap();
        let wanted = serde_json::from_str::<serde_json::Value>(&text).unwrap()["centrography"].clone();
        let (x, y) = (numbers(&points, 1), numbers(&points, 2));
        let places: Vec<Coord<f64>> = x.iter().zip(&y).map(|(&x, &y)| Coord { x, y }).collect();
        let found = centres(&world(x, y));
        let number = |value: &serde_json::Value| value.as_f64().unwrap();
        let theirs =
            Coord { x: number(&wanted["euclidean_median"][0]), y: number(&wanted["euclidean_median"][1]) };
        let ours = Coord { x: median.0, y: median.1 };
        let sum = |at: Coord<f64>| sum_of_distances(&places, &vec![1.0; places.len()], at);
        assert!(sum(ours) < sum(theirs) && (ours - theirs).x.hypot((ours - theirs).y) < 1.2);
        // The file of points prints ten digits.
        for (column, wanted, tolerance) in [
            ("mean_x", number(&wanted["mean_center"][0]), 1e-3),
            ("mean_y", number(&wanted["mean_center"][1]), 1e-3),
            ("median_x", ours.x, 1e-5),
            ("median_y", ours.y, 1e-5),
            ("standard_distance", number(&wanted["std_distance"]), 1e-3),
        ] {
            let found = value(&found, 0, column).unwrap();
            assert!((found - wanted).abs() < tolerance, "{name} {column}: {found} against {wanted}");
        }
    }
}

#[test]
fn the_standard_distance_of_memphis_is_what_the_tables_print_with_either_divisor() {
    let Some(file) = real("golden/memphis_robberies.csv") else { return };
    let rows = rows(&file, true);
    let found = centres(&world(numbers(&rows, 2), numbers(&rows, 3)));
    for (column, printed) in [("standard_distance", 9_008.406_97), ("standard_distance_n2", 9_012.422_31)] {
        let found = value(&found, 0, column).unwrap();
        assert!((found - printed).abs() <= 5e-6, "{column}: {found} against {printed}");
    }
}

fn sum_of_distances(places: &[Coord<f64>], weights: &[f64], from: Coord<f64>) -> f64 {
    places.iter().zip(weights).map(|(&at, weight)| weight * (at - from).x.hypot((at - from).y)).sum()
}

#[test]
fn a_place_that_holds_the_median_by_a_hair_is_found() {
    // Four incidents against four that pull almost as one.
    let places = [(20.0, 24.0), (18.0, 23.0), (0.0, 0.0)].map(|(x, y)| Coord { x, y });
    assert_eq!(median_centre(&places, &[2.0, 2.0, 4.0]), (places[2], true));
}

proptest! {
    /// Whole numbers of metres, so that places repeat and lie on lines.
    #[test]
    fn no_place_has_a_smaller_sum_of_distances_than_the_median(
        places in prop::collection::vec((0..40_u32, 0..40_u32, 1..5_u32), 1..40),
        scale in prop_oneof![Just(1.0), Just(100.0)],
    ) {
        let origin = Coord { x: 485_000.0, y: 5_400_000.0 };
        let at = |&(x, y, _): &(u32, u32, u32)| origin + Coord { x: f64::from(x), y: f64::from(y) } * scale;
        let weights: Vec<f64> = places.iter().map(|place| f64::from(place.2)).collect();
        let places: Vec<Coord<f64>> = places.iter().map(at).collect();
        let (median, settled) = median_centre(&places, &weights);
        prop_assert!(settled);
        let least = sum_of_distances(&places, &weights, median);
        let near = (0..16_u32).flat_map(|turn| {
            let angle = f64::from(turn) * std::f64::consts::TAU / 16.0;
            [1e-2, 1.0, 30.0].map(|far| median + Coord { x: angle.cos(), y: angle.sin() } * far)
        });
        for other in near.chain(places.iter().copied()) {
            let sum = sum_of_distances(&places, &weights, other);
            prop_assert!(least <= sum + 1e-5, "{median:?} {least} but {other:?} {sum}");
        }
    }

    /// An incident of weight 3 is three incidents in every sum; only the divisors n − 2 tell them apart.
    #[test]
    fn centres_know_neither_order_nor_whether_weight_or_number_counts(
        places in prop::collection::vec((0.0..SIDE, 0.0..SIDE, 1..4_u32), 1..30),
    ) {
        let column = |of: fn(&(f64, f64, u32)) -> f64| places.iter().map(of).collect::<Vec<f64>>();
        let weighted = Incidents {
            weight: Some(column(|at| f64::from(at.2))),
            ..world(column(|at| at.0), column(|at| at.1))
        };
        let many: Vec<_> = places.iter().rev().flat_map(|at| vec![*at; at.2 as usize]).collect();
        let many = world(many.iter().map(|at| at.0).collect(), many.iter().map(|at| at.1).collect());
        let (a, b) = (centres(&weighted), centres(&many));
        for column in ["mean_x", "mean_y", "median_x", "median_y", "standard_distance"] {
            let (a, b) = (value(&a, 0, column).unwrap(), value(&b, 0, column).unwrap());
            prop_assert!((a - b).abs() < 1e-4, "{column} {a} {b}");
        }
    }
}

#[test]
fn each_kind_and_month_has_its_own_centre() {
    let time = |month: u8, day: u8| {
        let start = Civil::new(2024, month, day, 3600).unwrap();
        Some(Interval { start, end: Civil(start.0 + 60) })
    };
    let pattern = Incidents {
        kinds: Some(Kinds::from_names(["b", "a", "b", "", "a"].into_iter())),
        times: Some(Times::new(vec![time(1, 31), time(2, 1), None, time(1, 1), time(2, 29)], None)),
        ..world(vec![100.0, 300.0, 500.0, 700.0, 900.0], vec![50.0; 5])
    };
    let by = |by: By| centrography(&pattern, &CentrographyParams { by, draw: Drawn::Mean }, &WATCH).unwrap();
    let found = |features: &Features| -> Vec<(Value, f64)> {
        let name = |row: usize| features.features[row].values[0].clone();
        (0..features.features.len()).map(|row| (name(row), value(features, row, "mean_x").unwrap())).collect()
    };
    let text = |text: &str| Value::Text(text.to_owned());
    let kinds = by(By::Kind);
    assert_eq!(found(&kinds), [(text("a"), 600.0), (text("b"), 300.0)]);
    assert_eq!(kinds.notes[0].code, "group_unknown");
    assert_eq!(found(&by(By::Month)), [(text("2024-01"), 400.0), (text("2024-02"), 600.0)]);
    assert_eq!(found(&by(By::Year)), [(text("2024"), 500.0)]);
    assert!(matches!(kinds.features[1].geometry, Geometry::Point(at) if at.x() == 300.0));
    let bare = world(vec![1.0], vec![1.0]);
    let refused = |by| {
        centrography(&bare, &CentrographyParams { by, ..Default::default() }, &WATCH).unwrap_err().to_string()
    };
    assert!(refused(By::Kind).contains("no incident has a kind"));
    assert!(refused(By::Month).contains("needs times"));
}

#[test]
fn centres_of_degenerate_worlds() {
    let none = centrography(&world(vec![], vec![]), &CentrographyParams::default(), &WATCH).unwrap_err();
    assert_eq!(none, AnalysisError::NoIncidents);
    let area = |features: &Features| match &features.features[0].geometry {
        Geometry::Polygon(polygon) => polygon.unsigned_area(),
        _ => 0.0,
    };
    // One, and seven in one place: its middle, no spread, an outline a metre around it.
    for n in [1, 7] {
        let found = centres(&world(vec![900.0; n], vec![800.0; n]));
        let of = |name: &str| value(&found, 0, name);
        assert_eq!(
            (of("mean_x"), of("median_y"), of("standard_distance")),
            (Some(900.0), Some(800.0), Some(0.0))
        );
        assert_eq!(of("ellipse_major"), (n > 2).then_some(0.0));
        assert_eq!(of("standard_distance_n2"), (n > 2).then_some(0.0));
        assert!((area(&found) - 8.0_f64.sqrt()).abs() < 1e-9);
    }
    // On a line: the median is the middle one, the ellipse has no width.
    let line = centres(&world(vec![100.0, 200.0, 300.0, 400.0, 1900.0], vec![500.0; 5]));
    let of = |name: &str| value(&line, 0, name).unwrap();
    assert!((of("median_x") - 300.0).abs() < 1e-3 && of("mean_x") == 580.0);
    assert_eq!((of("ellipse_minor"), of("ellipse_bearing")), (0.0, 90.0));
    // A weight of zero counts for nothing.
    let light = Incidents { weight: Some(vec![0.0, 1.0]), ..world(vec![100.0, 300.0], vec![5.0, 5.0]) };
    assert_eq!(value(&centres(&light), 0, "mean_x"), Some(300.0));
}

#[test]
fn what_is_drawn_is_what_is_told() {
    let pattern = world(vec![100.0, 500.0, 900.0, 700.0], vec![300.0, 350.0, 800.0, 100.0]);
    for draw in [Drawn::Ellipse, Drawn::Circle] {
        let found =
            centrography(&pattern, &CentrographyParams { draw, ..Default::default() }, &WATCH).unwrap();
        let Geometry::Polygon(polygon) = &found.features[0].geometry else { panic!("no polygon") };
        let of = |name: &str| value(&found, 0, name).unwrap();
        let wanted = match draw {
            Drawn::Circle => std::f64::consts::PI * of("standard_distance").powi(2),
            _ => of("ellipse_km2") * 1e6,
        };
        // A polygon of 64 corners holds 99.84 % of its ellipse.
        assert!((polygon.unsigned_area() / wanted - 0.998_394).abs() < 1e-5);
    }
}

// ---- concentration ----

fn column<'a>(curve: &'a Curve, name: &str) -> &'a [f64] {
    &curve.y.iter().find(|series| series.name == name).unwrap().values
}

/// So many incidents on each place, the places a metre apart.
fn stacked(counts: &[u64]) -> Incidents {
    let x: Vec<f64> = counts
        .iter()
        .enumerate()
        .flat_map(|(at, &count)| vec![at as f64 + 0.5; usize::try_from(count).unwrap()])
        .collect();
    let y = vec![10.0; x.len()];
    world(x, y)
}

fn found(curve: &Curve, key: &str) -> f64 {
    curve.provenance.parameters[key].as_f64().unwrap()
}

#[test]
fn gini_equals_the_examples_of_lorenzgini() {
    for (counts, places, gini, adjusted) in [
        (&[10, 8, 2][..], 10, 0.78, 0.78),
        (&[5, 2, 1], 10, 0.80, 0.75),
        (&[10], 10, 0.9, 0.9),
        // Its page prints G' = .58 for these, its formula gives .56.
        (&[3, 1, 1], 10, 0.78, 0.56),
        (&[10], 100, 0.99, 0.9),
        // All places hit alike; and one incident each on half of them, which is as even as it can be.
        (&[4, 4, 4, 4], 4, 0.0, 0.0),
        (&[1, 1, 1, 1, 1], 10, 0.5, 0.0),
    ] {
        let params =
            ConcentrationParams { total_places: NonZeroU64::new(places), ..ConcentrationParams::default() };
        let curve = concentration(&stacked(counts), &params, &WATCH).unwrap();
        for (key, wanted) in [("gini", gini), ("gini_adjusted", adjusted)] {
            assert!((found(&curve, key) - wanted).abs() < 1e-12, "{counts:?} {key} {}", found(&curve, key));
        }
    }
}

proptest! {
    #[test]
    fn the_lorenz_curve_is_what_sorting_says(counts in prop::collection::vec(0..9_u64, 1..40), extra in 0..80_u64) {
        let n: u64 = counts.iter().sum();
        prop_assume!(n > 0);
        let places = counts.len() as u64 + extra;
        let lorenz = Lorenz::of(counts.clone(), places);
        let mut sorted = counts;
        sorted.sort_unstable_by(|a, b| b.cmp(a));
        sorted.resize(usize::try_from(places).unwrap(), 0);
        for share in [25, 50, 80, 100] {
            let mut held = 0;
            let fewest = sorted.iter().take_while(|&&count| {
                let short = held * 100 < n * share;
                held += count;
                short
            });
            prop_assert_eq!(lorenz.fewest(share), fewest.count() as u64);
        }
        // G by the mean difference between two places.
        let apart = |a: u64| sorted.iter().map(|&b| a.abs_diff(b)).sum::<u64>();
        let (m, total) = (places as f64, n as f64);
        let gini = sorted.iter().map(|&a| apart(a)).sum::<u64>() as f64 / (2.0 * m * total);
        let (found, adjusted) = lorenz.gini();
        prop_assert!((found - gini).abs() < 1e-12, "{found} {gini}");
        prop_assert!((-1e-12..1.0).contains(&adjusted) && adjusted <= found + 1e-12, "{adjusted}");
        // The adjusted one is that of the n fullest places, if there are more places than incidents.
        if n < places {
            let fullest = sorted[..usize::try_from(n).unwrap()].to_vec();
            prop_assert!((Lorenz::of(fullest, n).gini().0 - adjusted).abs() < 1e-12);
        }
        prop_assert_eq!(lorenz.steps.iter().map(|step| step.places).sum::<u64>(), places);
        prop_assert_eq!(lorenz.steps.iter().map(|step| step.places * step.each).sum::<u64>(), n);
    }
}

#[test]
fn the_curve_is_the_table_of_repeats() {
    let params = ConcentrationParams { total_places: NonZeroU64::new(20), ..ConcentrationParams::default() };
    let curve = concentration(&stacked(&[1, 5, 1, 3, 1, 1]), &params, &WATCH).unwrap();
    assert_eq!(curve.x.values, [0.0, 0.05, 0.1, 0.3, 0.6, 1.0]);
    assert_eq!(column(&curve, "share_of_incidents"), [0.0, 5.0 / 12.0, 8.0 / 12.0, 1.0, 1.0, 1.0]);
    assert_eq!(column(&curve, "even"), [0.0, 1.0 / 12.0, 2.0 / 12.0, 0.5, 1.0, 1.0]);
    assert_eq!(column(&curve, "incidents_per_place")[1..], [5.0, 3.0, 1.0, 0.0, 0.0]);
    assert_eq!(column(&curve, "places"), [0.0, 1.0, 1.0, 4.0, 6.0, 8.0]);
    assert_eq!(column(&curve, "incidents"), [0.0, 5.0, 3.0, 4.0, 0.0, 0.0]);
    assert_eq!(
        ["places_for_25", "places_for_50", "places_for_80"].map(|key| found(&curve, key)),
        [0.05, 0.1, 0.2]
    );
    let repeats = curve.notes.iter().find(|note| note.code == "repeats").unwrap();
    assert!(repeats.text.starts_with("2 sites have more than one incident, and 66.7 %"), "{}", repeats.text);
}

#[test]
fn concentration_of_degenerate_worlds() {
    let run = |incidents: &Incidents, params: &ConcentrationParams| concentration(incidents, params, &WATCH);
    let default = ConcentrationParams::default();
    assert_eq!(run(&world(vec![], vec![]), &default).unwrap_err(), AnalysisError::NoIncidents);
    for n in [1, 7] {
        let curve = run(&stacked(&[n]), &default).unwrap();
        assert_eq!((found(&curve, "gini"), found(&curve, "places_for_50")), (0.0, 1.0));
        assert!(curve.notes.iter().any(|note| note.code == "empty_places_unknown"));
    }
    let few = ConcentrationParams { total_places: NonZeroU64::new(2), ..default.clone() };
    let why = run(&stacked(&[1, 1, 1]), &few).unwrap_err().to_string();
    assert!(why.contains("--total-places 2 is too few: there are incidents on 3 places"), "{why}");
    let cell = brasa_spatial_index::CellSize::Length(Metres::new(500.0).unwrap());
    let cells = ConcentrationParams { places: Some(Places::Cells), counted: cell.into(), total_places: None };
    let why = run(&stacked(&[1]), &ConcentrationParams { total_places: NonZeroU64::new(9), ..cells.clone() });
    assert!(why.unwrap_err().to_string().contains("--total-places is for sites"));
    // Sixteen cells of the square, one of them hit.
    let curve = run(&stacked(&[4, 3]), &cells).unwrap();
    assert_eq!((found(&curve, "places_in_all"), found(&curve, "places_for_80")), (16.0, 1.0 / 16.0));
    assert_eq!(
        Lorenz::of(vec![2, 0, 0], 3).steps,
        [Step { each: 2, places: 1 }, Step { each: 0, places: 1 }, Step { each: 0, places: 1 },]
    );
}

// ---- quadrats ----

fn quadrats(grid: &str, simulations: u32) -> QuadratTestParams {
    QuadratTestParams {
        cut: CutInto { grid: Some(grid.parse().unwrap()), ..CutInto::default() },
        simulations,
        ..QuadratTestParams::default()
    }
}

/// spatstat counts a place on a side in the cell west or south of it, here it belongs to the cell east or north: moved by a hair to the
/// south-west, places on sides (of which redwood has some) are counted alike. On chorley X² is that of areas cut by shapely: spatstat's is 3e-9 above,
/// because it cuts polygons on a lattice.
#[test]
fn the_quadrat_test_equals_spatstat() {
    for (name, grid, x2, p, degrees) in [
        ("redwood", "5x5", 64.612_903_225_806_45, 2.773_979_395_829_043_3e-5, 24.0),
        ("japanesepines", "4x3", 13.092_307_692_307_694, 0.574_670_160_160_262_6, 11.0),
        ("chorley", "5x4", 1_181.195_223_702_722_8, 1.965158070503473e-238, 19.0),
    ] {
        let Some(mut incidents) = pattern(name) else { return };
        incidents.x.iter_mut().chain(&mut incidents.y).for_each(|at| *at -= 1e-9);
        let test = quadrat_test(&incidents, &quadrats(grid, 0), &WATCH).unwrap();
        let told = &test.provenance.parameters;
        let of = |value: &serde_json::Value| value.as_f64().unwrap();
        assert!((of(&told["x2"]) / x2 - 1.0).abs() < 1e-12, "{name} {}", told["x2"]);
        assert!((of(&told["p_chi_square"]["two_sided"]) / p - 1.0).abs() < 1e-8, "{name} {told}");
        assert_eq!(of(&told["degrees_of_freedom"]), degrees);
        if name == "redwood" {
            // The variance-mean ratio that the tables print.
            assert!((of(&told["index_of_dispersion"]) - 2.692_204).abs() < 5e-7);
        }
        if name == "chorley" {
            let areas: f64 = (0..20).map(|row| value(&test, row, "area_km2").unwrap() * 1e6).sum();
            assert!((areas / 315.155_3 - 1.0).abs() < 1e-12, "{areas}");
            // Tile row 4, col 1 of spatstat, the south-west; and where 228 are counted.
            assert!((value(&test, 0, "area_km2").unwrap() * 1e6 - 2.070_368).abs() < 5e-7);
            assert!((0..20).any(|row| value(&test, row, "incidents") == Some(228.0)));
        }
        assert!(told.get("p_simulated").is_none() && test.provenance.seed.is_none());
    }
}

/// A window with a bay and a lake, cut by the sides of cells and through their corners.
fn bay(shift: f64) -> brasa_model::Window {
    let outline =
        vec![(0.0, 0.0), (900.0, 100.0), (1200.0, 800.0), (700.0, 600.0), (500.0, 1100.0), (-200.0, 700.0)];
    let lake = vec![(300.0, 300.0), (500.0, 350.0), (500.0, 400.0), (400.0, 500.0)];
    let moved = |ring: Vec<(f64, f64)>| ring.into_iter().map(|(x, y)| (x + shift, y + 5_400_000.0)).collect();
    window(vec![moved(outline), moved(lake)])
}

proptest! {
    #[test]
    fn quadrats_are_the_window_cut_up(cell in 40.0..700.0_f64, shift in prop_oneof![Just(0.0), 0.0..500.0_f64]) {
        let window = bay(485_000.0 + shift.floor());
        let grid = Grid::covering(&window, Metres::new(cell.floor()).unwrap());
        prop_assume!(grid.is_ok());
        let quadrats = Quadrats::of(&window, grid.unwrap());
        let whole: f64 = quadrats.areas.iter().sum();
        prop_assert!((whole / (window.area_km2() * 1e6) - 1.0).abs() < 1e-9, "{whole}");
        for number in 0..quadrats.cells.len() {
            let drawn = quadrats.polygons(&window, number).unsigned_area();
            prop_assert!((drawn - quadrats.areas[number]).abs() < 0.01, "{drawn} {}", quadrats.areas[number]);
        }
        // What is not among them holds nothing of the window.
        for cell in (0..quadrats.grid.nx() * quadrats.grid.ny()).filter(|cell| !quadrats.cells.contains(cell)) {
            let cell = MultiPolygon::new(vec![quadrats.grid.polygon(cell)]);
            prop_assert!(cell.intersection(window.polygons()).unsigned_area() < 0.01);
        }
    }

    #[test]
    fn the_quadrat_test_is_what_counting_says(
        places in prop::collection::vec((0.0..SIDE, 0.0..SIDE), 1..80), nx in 1..7_usize, ny in 2..7_usize,
    ) {
        let pattern = world(places.iter().map(|at| at.0).collect(), places.iter().map(|at| at.1).collect());
        let test = quadrat_test(&pattern, &quadrats(&format!("{nx}x{ny}"), 0), &WATCH).unwrap();
        let expected = places.len() as f64 / (nx * ny) as f64;
        let mut x2 = 0.0;
        for row in 0..ny {
            for column in 0..nx {
                let inside = |&&(x, y): &&(f64, f64)| {
                    (x / SIDE * nx as f64) as usize == column && (y / SIDE * ny as f64) as usize == row
                };
                let count = places.iter().filter(inside).count() as f64;
                x2 += (count - expected).powi(2) / expected;
                prop_assert_eq!(value(&test, row * nx + column, "incidents"), Some(count));
            }
        }
        let found = test.provenance.parameters["x2"].as_f64().unwrap();
        prop_assert!((found - x2).abs() <= 1e-9 * (1.0 + x2), "{found} {x2}");
        let residuals: f64 = (0..nx * ny).map(|row| value(&test, row, "residual").unwrap().powi(2)).sum();
        prop_assert!((residuals - x2).abs() <= 1e-9 * (1.0 + x2));
    }
}

/// Under randomness each p of the twenty there are is as likely as the other; and the law of chi-square is near.
#[test]
fn p_of_quadrats_is_even_where_chance_alone_is_at_work() {
    const WORLDS: u64 = 1000;
    let window = bay(0.0);
    let (mut found, mut below) = ([0_u32; 20], 0_u32);
    for world in 0..WORLDS {
        let mut chance = Chance::new(777, world);
        let (x, y) = (0..150).map(|_| chance.place(&window)).unzip();
        let params = QuadratTestParams { seed: world, ..quadrats("4x3", 19) };
        let test = quadrat_test(&in_window(x, y, None, window.clone()), &params, &WATCH).unwrap();
        let told = &test.provenance.parameters;
        found[(told["p_simulated"]["gathered"].as_f64().unwrap() * 20.0).round() as usize - 1] += 1;
        below += u32::from(told["p_chi_square"]["gathered"].as_f64().unwrap() <= 0.05);
    }
    // Kolmogorov and Smirnov's distance; 0.0515 is passed in one of a hundred draws of a continuous law, more seldom here.
    let mut sum = 0.0;
    for (at, &count) in found.iter().enumerate() {
        sum += f64::from(count) / WORLDS as f64;
        assert!((sum - (at + 1) as f64 / 20.0).abs() < 0.0515, "{found:?}");
    }
    // Binomial(1000, 0.05): four standard deviations are 28.
    assert!(below.abs_diff(50) < 28, "{below}");
}

#[test]
fn the_quadrat_test_of_degenerate_worlds() {
    let run = |incidents: &Incidents, params: &QuadratTestParams| quadrat_test(incidents, params, &WATCH);
    let none = run(&world(vec![], vec![]), &QuadratTestParams::default()).unwrap_err();
    assert_eq!(none, AnalysisError::NoIncidents);
    let told = |test: &Features, key: &str| test.provenance.parameters[key].as_f64().unwrap();
    // All in one place: X² is n(m − 1), as large as it can be; so is it for one.
    for n in [1, 30] {
        let test = run(&world(vec![900.0; n], vec![800.0; n]), &quadrats("4x4", 99)).unwrap();
        assert!((told(&test, "x2") - 15.0 * n as f64).abs() < 1e-9);
        let p = test.provenance.parameters["p_simulated"]["gathered"].as_f64().unwrap();
        assert_eq!(p, if n == 1 { 1.0 } else { 0.01 });
        assert!(test.notes.iter().any(|note| note.code == "few_expected"));
    }
    // One in each cell: as even as can be.
    let places: Vec<f64> = (0..16_u32).map(|at| 250.0 + 500.0 * f64::from(at % 4)).collect();
    let rows: Vec<f64> = (0..16_u32).map(|at| 250.0 + 500.0 * f64::from(at / 4)).collect();
    let even = run(&world(places, rows), &quadrats("4x4", 99)).unwrap();
    assert!(told(&even, "x2") < 1e-12 && even.headline.ends_with("evenly"), "{}", even.headline);
    assert_eq!(even.provenance.parameters["p_simulated"]["apart"], 0.01);
    // All on a line, and on the very border, where a place belongs to no cell of its own.
    let line = run(
        &world((0..10_u32).map(|at| 2000.0 - f64::from(at)).collect(), vec![2000.0; 10]),
        &quadrats("2x2", 0),
    );
    assert_eq!(value(&line.unwrap(), 3, "incidents"), Some(10.0));
    // One cell has nothing to be compared with.
    let why = run(&world(vec![1.0], vec![1.0]), &quadrats("1x1", 0)).unwrap_err().to_string();
    assert!(why.contains("cut into 1 cells: there is nothing to compare"), "{why}");
    // The default cell expects ten.
    let many = world((0..400_u32).map(|at| f64::from(at) * 4.9).collect(), vec![7.0; 400]);
    let test = run(&many, &QuadratTestParams::default()).unwrap();
    assert!(test.notes[0].code == "cell_chosen" && value(&test, 0, "expected").unwrap() <= 10.0);
    // The same on any number of threads.
    let bits = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| run(&many, &quadrats("5x5", 49)).unwrap().provenance.parameters.to_string())
    };
    assert_eq!(bits(1), bits(3));
}

// ---- similarity ----

/// The counts that the page of the R package sppt prints, with its bounds and its S. Of nine tested incidents eight are drawn, so that
/// chance hardly has a say.
#[test]
fn similarity_equals_the_example_of_sppt() {
    let (base, test) = ([2, 2, 2, 1, 0, 1], [2, 1, 2, 2, 1, 1]);
    for seed in 0..20 {
        let found = Similarity::of(&base, &test, 200, seed, &WATCH).unwrap();
        let (two, one) = ((0.125, 0.25), (0.0, 0.125));
        assert_eq!(found.bounds, [two, one, two, two, one, one]);
        assert_eq!(found.verdicts[1], Verdict::Less);
        assert_eq!(found.s(&base, &test), (5.0 / 6.0, 5.0 / 6.0));
    }
    // Empty cells are similar, and the robust S leaves them out.
    let (base, test) = ([2, 2, 2, 1, 0, 1, 0, 0], [2, 1, 2, 2, 1, 1, 0, 0]);
    let found = Similarity::of(&base, &test, 200, 1, &WATCH).unwrap();
    assert_eq!(found.s(&base, &test), (7.0 / 8.0, 5.0 / 6.0));
}

/// The number of drawn incidents in a cell follows the hypergeometric law: its chance is built up from one count to the next.
#[test]
fn bounds_are_quantiles_of_the_hypergeometric_law() {
    let test = [3, 40, 0, 157, 20, 80];
    let (all, drawn) = (300_u32, 255_u32);
    let found = Similarity::of(&[1; 6], &test, 4000, 7, &WATCH).unwrap();
    for (&count, bounds) in test.iter().zip(&found.bounds) {
        let count = u32::try_from(count).unwrap();
        let least = (drawn + count).saturating_sub(all);
        // In logarithms of factorials, so that nothing overflows.
        let log = |n: u32| (1..=n).map(|k| f64::from(k).ln()).sum::<f64>();
        let choose = |n: u32, k: u32| log(n) - log(k) - log(n - k);
        let mut below = 0.0;
        let mut quantiles = (None, None);
        for k in least..=count.min(drawn) {
            below += (choose(count, k) + choose(all - count, drawn - k) - choose(all, drawn)).exp();
            if below > 0.025 && quantiles.0.is_none() {
                quantiles.0 = Some(k);
            }
            if below > 0.975 && quantiles.1.is_none() {
                quantiles.1 = Some(k);
            }
        }
        for (bound, quantile) in [(bounds.0, quantiles.0), (bounds.1, quantiles.1)] {
            let k = (bound * f64::from(drawn)).round();
            // 4,000 samples know a quantile of 2.5 % to a quarter of a per cent.
            assert!((k - f64::from(quantile.unwrap())).abs() <= 1.0, "{count}: {k} against {quantile:?}");
        }
    }
}

#[test]
fn two_kinds_are_compared_cell_by_cell() {
    // Old incidents over the whole square, new ones in its western half.
    let mut chance = Chance::new(3, 0);
    let places: Vec<(f64, f64)> = (0..600).map(|_| (chance.share() * SIDE, chance.share() * SIDE)).collect();
    let kind = |at: usize| if at.is_multiple_of(3) { "new" } else { "old" };
    let x = |at: usize| if at.is_multiple_of(3) { places[at].0 / 2.0 } else { places[at].0 };
    let of = |order: &[usize]| Incidents {
        kinds: Some(Kinds::from_names(order.iter().map(|&at| kind(at)))),
        ..world(order.iter().map(|&at| x(at)).collect(), order.iter().map(|&at| places[at].1).collect())
    };
    let rows: Vec<usize> = (0..600).collect();
    let params = PatternSimilarityParams {
        cut: CutInto { grid: Some("4x1".parse().unwrap()), ..CutInto::default() },
        ..PatternSimilarityParams::new("kind=new".parse().unwrap())
    };
    let found = pattern_similarity(&of(&rows), &params, &WATCH).unwrap();
    let verdict = |features: &Features, row: usize| features.features[row].values[7].clone();
    let words: Vec<Value> = (0..4).map(|row| verdict(&found, row)).collect();
    assert_eq!(words, ["more", "more", "less", "less"].map(|word| Value::Text(word.to_owned())));
    assert_eq!(found.provenance.parameters["s"], 0.0);
    let shares: f64 = (0..4).map(|row| value(&found, row, "base_share").unwrap()).sum();
    assert!((shares - 1.0).abs() < 1e-12 && value(&found, 3, "test") == Some(0.0));
    assert_eq!((value(&found, 3, "low"), value(&found, 3, "high")), (Some(0.0), Some(0.0)));
    // In any order of rows, and a pattern compared with all there is.
    let turned: Vec<usize> = (0..600).rev().collect();
    let other = pattern_similarity(&of(&turned), &params, &WATCH).unwrap();
    assert_eq!(found.features, other.features);
    let half: Vec<usize> = (0..600).filter(|at: &usize| !at.is_multiple_of(3)).collect();
    let alike = PatternSimilarityParams {
        base: Some("kind=old".parse().unwrap()),
        ..PatternSimilarityParams::new("kind=old".parse().unwrap())
    };
    let alike = pattern_similarity(&of(&half), &alike, &WATCH).unwrap();
    assert_eq!(
        (&alike.provenance.parameters["s"], alike.notes[0].code.as_str()),
        (&serde_json::json!(1.0), "in_both")
    );
}

#[test]
fn similarity_of_degenerate_worlds() {
    let kinds = |names: &[&str], x: Vec<f64>| {
        let y = vec![100.0; x.len()];
        Incidents { kinds: Some(Kinds::from_names(names.iter().copied())), ..world(x, y) }
    };
    let params = PatternSimilarityParams {
        cut: CutInto { grid: Some("2x2".parse().unwrap()), ..CutInto::default() },
        ..PatternSimilarityParams::new("kind=a".parse().unwrap())
    };
    let run = |incidents: &Incidents| pattern_similarity(incidents, &params, &WATCH);
    assert_eq!(run(&world(vec![], vec![])).unwrap_err(), AnalysisError::NoIncidents);
    let why = run(&kinds(&["a", "a"], vec![1.0, 2.0])).unwrap_err().to_string();
    assert!(why.contains("no incident is the base"), "{why}");
    // One of each in one place: similar, and nothing else is known of three empty cells.
    let found = run(&kinds(&["a", "b"], vec![1.0, 1.0])).unwrap();
    assert_eq!(
        (&found.provenance.parameters["s"], &found.provenance.parameters["s_robust"]),
        (&1.0.into(), &1.0.into())
    );
    // One sample has no tails.
    let one = PatternSimilarityParams { samples: NonZeroU32::MIN, ..params.clone() };
    let found = pattern_similarity(&kinds(&["a", "b", "a"], vec![1.0, 1.0, 1500.0]), &one, &WATCH).unwrap();
    assert_eq!(value(&found, 0, "low"), value(&found, 0, "high"));
}

#[test]
fn whoever_watches_may_end_it() {
    let observer = |_| ControlFlow::Break(());
    let watch = Watch::new(&observer);
    let pattern = Incidents {
        kinds: Some(Kinds::from_names(["a", "b", "a"].into_iter())),
        ..world(vec![1.0, 900.0, 1900.0], vec![5.0, 700.0, 1500.0])
    };
    let similar = PatternSimilarityParams::new("kind=a".parse().unwrap());
    let ended = [
        centrography(&pattern, &CentrographyParams::default(), &watch).unwrap_err(),
        quadrat_test(&pattern, &quadrats("2x2", 9), &watch).unwrap_err(),
        pattern_similarity(&pattern, &similar, &watch).unwrap_err(),
    ];
    assert!(ended.iter().all(|why| *why == AnalysisError::Interrupted), "{ended:?}");
}
