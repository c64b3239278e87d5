//! Where the middle is, and whether a few places hold most: against outside numbers, the definitions written down, and laws.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

use brasa_model::{Civil, Features, Incidents, Interval, Kinds, Times, Value};
use brasa_spatial_index::methods::pattern::centrography::{By, CentrographyParams, Drawn, centrography};
use brasa_spatial_index::shape::median_centre;
use brasa_spatial_index::{AnalysisError, Watch};
use brasa_tests::{incidents, numbers, real, rows};
use geo::{Area, Coord, Geometry};
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
