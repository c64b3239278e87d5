//! Density in space and time: the triple loop beside the fast form, its laws, and where a known point must show.

use std::f64::consts::PI;

use brasa_model::{Blame, Civil, Diagnose, Incidents, Interval, Metres, Span, SurfaceSeries, Times};
use brasa_spatial_index::Watch;
use brasa_spatial_index::methods::spacetime::kde_spacetime::{
    EdgeTime, KdeSpacetimeParams, Step, kde_spacetime,
};
use brasa_spatial_index::{AnalysisError, Bandwidth, CellSize};
use brasa_tests::{brasa, incidents, root};
use proptest::prelude::*;

const DAY: i64 = 86_400;
const SIDE: f64 = 1200.0;
/// 2020-01-01.
const START: i64 = 18_262 * DAY;

/// Place, first second and length of the stretch, weight.
type One = ((f64, f64), (i64, i64), f64);

fn world() -> impl Strategy<Value = Vec<One>> {
    let place = prop_oneof![
        2 => (0..12_u32, 0..12_u32).prop_map(|(x, y)| (f64::from(x) * 100.0, f64::from(y) * 100.0)),
        1 => (0.0..SIDE, 0.0..SIDE),
    ];
    let time = prop_oneof![
        2 => (0..60 * DAY).prop_map(|at| (at, 1)),
        1 => (0..60_i64).prop_map(|day| (day * DAY, DAY)),
        1 => (0..2_i64).prop_map(|month| (month * 30 * DAY, 30 * DAY)),
    ];
    prop::collection::vec((place, time, 1..4_u32), 1..40).prop_map(|all| {
        all.into_iter().map(|(place, time, weight)| (place, time, f64::from(weight))).collect()
    })
}

fn of(all: &[One], origin: f64) -> Incidents {
    let x = all.iter().map(|one| one.0.0 + origin).collect();
    let y = all.iter().map(|one| one.0.1 + origin).collect();
    let weight = all.iter().map(|one| one.2).collect();
    let mut incidents = incidents(x, y, Some(weight), (origin, origin, origin + SIDE, origin + SIDE));
    let interval = |one: &One| {
        let start = Civil(START + one.1.0);
        Some(Interval { start, end: Civil(start.0 + one.1.1) })
    };
    incidents.times = Some(Times::new(all.iter().map(interval).collect(), None));
    incidents
}

fn span(text: &str) -> Span {
    text.parse().unwrap()
}

fn params(h: f64, cell: f64, b: &str, step: &str) -> KdeSpacetimeParams {
    KdeSpacetimeParams {
        bandwidth: Bandwidth::Length(Metres::new(h).unwrap()),
        bandwidth_time: span(b),
        cell: CellSize::Length(Metres::new(cell).unwrap()),
        step: step.parse().unwrap(),
        edge_time: EdgeTime::None,
    }
}

fn seconds(frame: &Interval) -> f64 {
    (frame.end.0 - frame.start.0) as f64
}

/// The definition: every incident, every cell, every slice. A stretch is averaged by the midpoint rule.
fn naive(incidents: &Incidents, series: &SurfaceSeries, h: f64, b: f64) -> Vec<f64> {
    let grid = &series.grid;
    let mut values = Vec::new();
    for frame in &series.frames {
        let t = frame.start.0 as f64 + seconds(frame) / 2.0;
        for cell in grid.cells() {
            let (x, y) = (grid.centre_x(cell % grid.nx()), grid.centre_y(cell / grid.nx()));
            let mut sum = 0.0;
            for at in 0..incidents.len() {
                let u2 = ((incidents.x[at] - x).powi(2) + (incidents.y[at] - y).powi(2)) / (h * h);
                if u2 < 1.0 {
                    let stretch = incidents.times.as_ref().unwrap().intervals()[at].unwrap();
                    let steps = if seconds(&stretch) > 60.0 { 2000 } else { 1 };
                    let width = seconds(&stretch) / f64::from(steps);
                    let kernel = |step: i32| {
                        let at = stretch.start.0 as f64 + (f64::from(step) + 0.5) * width;
                        0.75 / b * (1.0 - ((at - t) / b).powi(2)).max(0.0)
                    };
                    let time = (0..steps).map(kernel).sum::<f64>() / f64::from(steps);
                    sum += incidents.weight_of(at) * 3.0 / (PI * h * h) * (1.0 - u2).powi(2) * time;
                }
            }
            values.push(sum * 1e6 * 86_400.0);
        }
    }
    values
}

fn flat(series: &SurfaceSeries) -> Vec<f64> {
    let cells: Vec<usize> = series.grid.cells().collect();
    (0..series.frames.len())
        .flat_map(|frame| cells.iter().map(move |&cell| (frame, cell)).collect::<Vec<_>>())
        .map(|(frame, cell)| series.value(frame, cell))
        .collect()
}

fn bits(series: &SurfaceSeries) -> Vec<u64> {
    flat(series).into_iter().map(f64::to_bits).collect()
}

fn on_threads<T: Send>(threads: usize, work: impl FnOnce() -> T + Send) -> T {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(work)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn it_equals_the_triple_loop(all in world(), h in 80.0..700.0_f64, b in 3..40_i64, step in 2..15_i64, offset in 0..3_usize) {
        let incidents = of(&all, [0.0, -3.0e5, 4.5e6][offset]);
        let series = kde_spacetime(&incidents, &params(h, 150.0, &format!("{b}d"), &format!("{step}d")), &Watch::NOBODY).unwrap();
        let wanted = naive(&incidents, &series, h, (b * DAY) as f64);
        let peak = wanted.iter().copied().fold(0.0, f64::max);
        // The midpoint rule errs by the square of its step in bandwidths: (30 d / 3 d / 2000)² / 24; closed form for an instant.
        let vague = all.iter().any(|one| one.1.1 > 60);
        let tolerance = if vague { 1e-5 } else { 1e-9 };
        for (found, wanted) in flat(&series).into_iter().zip(wanted) {
            prop_assert!((found - wanted).abs() <= tolerance * peak.max(1e-300), "{found} against {wanted}, peak {peak}");
        }
    }

    #[test]
    fn neither_rows_nor_threads_nor_copies_change_a_bit(all in world(), seed in 0..1000_usize) {
        let params = params(300.0, 60.0, "20d", "5d");
        let one = on_threads(1, || kde_spacetime(&of(&all, 5.0e5), &params, &Watch::NOBODY).unwrap());
        let mut mixed = all.clone();
        mixed.sort_by_key(|one| (one.1.0 as usize).wrapping_mul(2 * seed + 0x9E37_79B9) % 10_007);
        let three = on_threads(3, || kde_spacetime(&of(&mixed, 5.0e5), &params, &Watch::NOBODY).unwrap());
        prop_assert_eq!(bits(&one), bits(&three));
        let copies: Vec<One> = all.iter().flat_map(|&(place, time, weight)| vec![(place, time, 1.0); weight as usize]).collect();
        prop_assert_eq!(bits(&one), bits(&kde_spacetime(&of(&copies, 5.0e5), &params, &Watch::NOBODY).unwrap()));
    }

    #[test]
    fn slices_add_up_to_the_incidents_away_from_the_ends(places in prop::collection::vec((500.0..700.0_f64, 500.0..700.0_f64), 1..20), at in 15..45_i64) {
        let mut all: Vec<One> = places.iter().map(|&place| (place, (at * DAY + 1234, 1), 1.0)).collect();
        // Two that open and close the period, where the kernel is cut.
        all.push(((600.0, 600.0), (0, 1), 0.0));
        all.push(((600.0, 600.0), (60 * DAY - 1, 1), 0.0));
        let series = kde_spacetime(&of(&all, 0.0), &params(400.0, 20.0, "10d", "1d"), &Watch::NOBODY).unwrap();
        let mass: f64 = (0..series.frames.len()).map(|frame| series.mass(frame)).sum();
        // Midpoint rule: 40 cells under the kernel in space, 20 slices in time (error of the kink (1/10)²/4 at most).
        prop_assert!((mass / places.len() as f64 - 1.0).abs() < 4e-3, "{mass} for {}", places.len());
        for frame in 0..series.frames.len() {
            let middle = series.frames[frame].start.0 as f64 + seconds(&series.frames[frame]) / 2.0;
            let u = (middle - (START + at * DAY + 1234) as f64 - 0.5) / (10.0 * DAY as f64);
            let wanted = 0.75 / 10.0 * (1.0 - u * u).max(0.0) * places.len() as f64;
            prop_assert!((series.mass(frame) - wanted).abs() < 1e-3 * places.len() as f64);
        }
    }
}

#[test]
fn a_known_point_shows_in_its_cell_and_slice_and_nowhere_else_higher() {
    // In the middle of the cell (3, 8) of 100 m, at the middle of the sixth slice of 2 days.
    let all: Vec<One> = vec![
        ((350.0, 850.0), (11 * DAY, 1), 1.0),
        ((0.0, 0.0), (0, 1), 0.0),
        ((0.0, 0.0), (20 * DAY - 1, 1), 0.0),
    ];
    let series = kde_spacetime(&of(&all, 3.0e5), &params(250.0, 100.0, "6d", "2d"), &Watch::NOBODY).unwrap();
    assert_eq!(series.frames.len(), 10);
    assert_eq!(series.frames[5].start.to_string(), "2020-01-11T00:00:00");
    let (frame, peak) = series.peak();
    let cell = series.grid.cell_at(3.0e5 + 350.0, 3.0e5 + 850.0).unwrap();
    assert_eq!((frame, series.value(frame, cell)), (5, peak));
    let wanted = 3.0 / (PI * 0.0625) * 0.75 / 6.0;
    assert!((peak / wanted - 1.0).abs() < 1e-9, "{peak} against {wanted}");
    // The slices beside it alike, at 1 − (1/3)²; the cells beside it alike, at (1 − 0.4²)².
    for other in [4, 6] {
        assert!((series.value(other, cell) / peak - 8.0 / 9.0).abs() < 1e-5);
    }
    let nx = series.grid.nx();
    for other in [cell - 1, cell + 1, cell - nx, cell + nx] {
        assert!((series.value(5, other) / peak - 0.84 * 0.84).abs() < 1e-9);
    }
}

#[test]
fn an_even_period_is_even_to_its_ends_when_they_are_corrected() {
    // The first and last slices of a published tool were 9 and 14 % too high.
    let all: Vec<One> = (0..60 * 24).map(|hour| ((600.0, 600.0), (hour * 3600, 3600), 1.0)).collect();
    let mut params = params(300.0, 100.0, "10d", "5d");
    let plain = kde_spacetime(&of(&all, 0.0), &params, &Watch::NOBODY).unwrap();
    assert!(plain.notes.iter().any(|note| note.code == "edge_time_none"));
    params.edge_time = EdgeTime::Uniform;
    let even = kde_spacetime(&of(&all, 0.0), &params, &Watch::NOBODY).unwrap();
    let middle = even.mass(6);
    for frame in 0..even.frames.len() {
        assert!((even.mass(frame) / middle - 1.0).abs() < 1e-9, "{frame}: {} of {middle}", even.mass(frame));
    }
    // 2.5 days from the end a kernel of 10 days keeps ½ + ¾ (¼ − (¼)³/3) of itself.
    let kept = 0.5 + 0.75 * (0.25 - 0.25_f64.powi(3) / 3.0);
    for frame in [0, 11] {
        assert!((plain.mass(frame) / even.mass(frame) - kept).abs() < 1e-9);
    }
}

#[test]
fn a_month_is_spread_over_the_month() {
    let all: Vec<One> = vec![((600.0, 600.0), (0, 31 * DAY), 31.0), ((0.0, 0.0), (90 * DAY, 1), 0.0)];
    let series = kde_spacetime(&of(&all, 0.0), &params(400.0, 50.0, "5d", "1d"), &Watch::NOBODY).unwrap();
    // One a day in the middle of the month, half of it at its ends, nothing where the kernel does not reach.
    assert!((series.mass(15) - 1.0).abs() < 1e-3, "{}", series.mass(15));
    assert!((series.mass(0) + series.mass(1) - 1.0).abs() < 0.5 && series.mass(0) < 0.7);
    assert_eq!(series.mass(40), 0.0);
    assert!((series.mass(5) / series.mass(25) - 1.0).abs() < 1e-12);
}

#[test]
fn nobody_one_and_all_at_once() {
    let params_of = || params(300.0, 100.0, "10d", "half");
    let none = incidents(vec![], vec![], None, (0.0, 0.0, SIDE, SIDE));
    assert_eq!(kde_spacetime(&none, &params_of(), &Watch::NOBODY).unwrap_err(), AnalysisError::NoIncidents);
    let mut timeless = incidents(vec![1.0], vec![1.0], None, (0.0, 0.0, SIDE, SIDE));
    for times in [None, Some(Times::new(vec![None], None))] {
        timeless.times = times;
        let error = kde_spacetime(&timeless, &params_of(), &Watch::NOBODY).unwrap_err();
        assert_eq!((error.code(), error.blame()), ("no_times", Blame::Data));
        assert!(error.help().unwrap().contains("--time"));
    }
    for (copies, step) in [(1, 1.0), (500, 500.0)] {
        let series = kde_spacetime(
            &of(&vec![((650.0, 650.0), (5, 1), 1.0); copies], 0.0),
            &params_of(),
            &Watch::NOBODY,
        )
        .unwrap();
        // One slice of half the bandwidth; its middle is 2.5 days from the first second.
        assert_eq!(series.frames.len(), 1);
        assert_eq!(seconds(&series.frames[0]), 5.0 * DAY as f64);
        let wanted = step * 3.0 / (PI * 0.09) * 0.075 * (1.0 - 0.0625);
        assert!((series.peak().1 / wanted - 1.0).abs() < 1e-4, "{} {wanted}", series.peak().1);
    }
    // A zero-length stretch is an instant, and all on a line is no special case.
    let line: Vec<One> =
        (0..12).map(|at| ((f64::from(at) * 100.0, 600.0), (i64::from(at) * DAY, 0), 1.0)).collect();
    assert!(kde_spacetime(&of(&line, 0.0), &params_of(), &Watch::NOBODY).unwrap().peak().1 > 0.0);
    let mut half_known = of(&line, 0.0);
    let mut times = half_known.times.as_ref().unwrap().intervals().to_vec();
    times[3] = None;
    half_known.times = Some(Times::new(times, None));
    let series = kde_spacetime(&half_known, &params_of(), &Watch::NOBODY).unwrap();
    let note = series.notes.iter().find(|note| note.code == "time_unknown").unwrap();
    assert!(note.text.starts_with("1 incident"), "{}", note.text);
}

#[test]
fn what_would_not_fit_is_refused_with_what_does() {
    let all: Vec<One> = vec![((1.0, 1.0), (0, 1), 1.0), ((1.0, 1.0), (36_500 * DAY, 1), 1.0)];
    let incidents = of(&all, 0.0);
    let with = |cell: f64, step: Step| KdeSpacetimeParams { step, ..params(50.0, cell, "1h", "1h") };
    let error =
        kde_spacetime(&incidents, &with(10.0, Step::Length(span("30min"))), &Watch::NOBODY).unwrap_err();
    assert_eq!(error.blame(), Blame::Memory);
    let AnalysisError::SeriesTooLarge { fits_step, fits_cell, .. } = error else { panic!("{error}") };
    // 1.2 km squared and a hundred years in half hours: 14 400 cells × 1 752 001 slices.
    assert!(fits_step.days() > 1.9 && fits_step.days() < 2.1, "{fits_step}");
    assert!(fits_cell.get() > 90.0 && fits_cell.get() <= 150.0, "{fits_cell}");
}

#[test]
fn a_series_is_a_raster_of_bands_or_a_table_and_no_layer() {
    let dir = tempfile::tempdir().unwrap();
    let sample = root().join("data/incidentes.csv").display().to_string();
    let run = |name: &str, more: &[&str]| {
        let out = dir.path().join(name).display().to_string();
        let mut args = vec![
            "kde-spacetime",
            &sample,
            "-o",
            &out,
            "--cell",
            "400m",
            "--force",
            "--bandwidth-time",
            "60d",
        ];
        args.extend(more);
        brasa(args)
    };
    for name in ["slices.tif", "slices.csv"] {
        let said = run(name, &[]);
        assert!([0, 3].contains(&said.code), "{}", said.err);
    }
    let table = std::fs::read_to_string(dir.path().join("slices.csv")).unwrap();
    let mut lines = table.lines();
    assert_eq!(lines.next(), Some("x,y,start,end,intensity"));
    let first: Vec<&str> = lines.next().unwrap().split(',').collect();
    assert!(first[2].ends_with("T00:00:00.000") && first[3].ends_with("T00:00:00.000"), "{first:?}");
    assert!(first[4].parse::<f64>().unwrap() > 0.0);
    let said = run("slices.gpkg", &[]);
    assert!(said.code == 2 && said.err.contains(".tif"), "{}", said.err);
    let said = run("more.tif", &["--step", "30"]);
    assert!(said.code == 2 && said.err.contains("no unit"), "{}", said.err);
}
