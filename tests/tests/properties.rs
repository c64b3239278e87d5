//! Laws that a wrong implementation would break, and the slow, obvious form of each method beside the fast one.

use std::f64::consts::PI;

use brasa_model::Chance;
use brasa_model::{Grid, Incidents, Kinds, Metres, Risk, Tail, Window, WindowOrigin};
use brasa_spatial_index::Watch;
use brasa_spatial_index::adaptive::{Abramson, Cap, Pilot};
use brasa_spatial_index::at_places::{LeaveOut, density_at_places, mass_inside, uniform_total};
use brasa_spatial_index::bandwidth::{Limit, Rule, Selection, diggle, ppl};
use brasa_spatial_index::edge::{Edge, mass_at_each};
use brasa_spatial_index::kernels::Kernel;
use brasa_spatial_index::methods::cluster::dbscan::{DbscanParams, dbscan};
use brasa_spatial_index::methods::density::kde::{self, KdeParams, kde};
use brasa_spatial_index::methods::density::kde_adaptive::{KdeAdaptiveParams, kde_adaptive};
use brasa_spatial_index::methods::density::kde_ratio::{self, Against, KdeRatioParams, kde_ratio};
use brasa_spatial_index::methods::local::gi_star::{GiStarParams, gi_star};
use brasa_spatial_index::weights::Neighbours;
use brasa_spatial_index::{AnalysisError, Bandwidth, CellSize, Sites, Stacks};
use brasa_tests::incidents;
use geo::{LineString, MultiPolygon, Polygon, Rect};
use proptest::prelude::*;

fn metres(value: f64) -> Metres {
    Metres::new(value).unwrap()
}

const SIDE: f64 = 2000.0;

/// Places on a lattice of 12.5 m (so that stacks and exact distances occur) and between, with small weights.
fn world() -> impl Strategy<Value = (Vec<f64>, Vec<f64>, Vec<f64>)> {
    let place = prop_oneof![
        3 => (0..160_u32, 0..160_u32).prop_map(|(x, y)| (f64::from(x) * 12.5, f64::from(y) * 12.5)),
        1 => (0.0..SIDE, 0.0..SIDE),
    ];
    prop::collection::vec((place, 1..4_u32), 1..120).prop_map(|incidents| {
        let (places, weights): (Vec<_>, Vec<_>) = incidents.into_iter().unzip();
        let (x, y) = places.into_iter().unzip();
        (x, y, weights.into_iter().map(f64::from).collect())
    })
}

fn at(x: &[f64], y: &[f64], weight: &[f64], origin: f64) -> Incidents {
    let shift = |values: &[f64]| values.iter().map(|value| value + origin).collect();
    incidents(shift(x), shift(y), Some(weight.to_vec()), (origin, origin, origin + SIDE, origin + SIDE))
}

/// The square world with a square lake in it.
fn holed(origin: f64) -> Window {
    let square = |low: f64, high: f64| {
        Rect::new((origin + low, origin + low), (origin + high, origin + high))
            .to_polygon()
            .exterior()
            .clone()
    };
    let land = Polygon::new(square(0.0, SIDE), vec![square(700.0, 1300.0)]);
    Window::new(MultiPolygon::new(vec![land]), WindowOrigin::Given("with a lake".to_owned())).unwrap()
}

fn shuffled<T: Clone>(values: &[T], seed: usize) -> Vec<T> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by_key(|&at| (at + 1).wrapping_mul(2 * seed + 0x9E37_79B9) % 10_007);
    order.into_iter().map(|at| values[at].clone()).collect()
}

fn on_threads<T: Send>(threads: usize, work: impl FnOnce() -> T + Send) -> T {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(work)
}

fn bits(values: impl IntoIterator<Item = f64>) -> Vec<u64> {
    values.into_iter().map(f64::to_bits).collect()
}

fn density(incidents: &Incidents, bandwidth: f64, cell: f64) -> brasa_model::Surface {
    density_of(incidents, Kernel::Quartic, bandwidth, cell, Edge::None)
}

fn density_of(
    incidents: &Incidents,
    kernel: Kernel,
    bandwidth: f64,
    cell: f64,
    edge: Edge,
) -> brasa_model::Surface {
    let (bandwidth, cell) = (Bandwidth::Length(metres(bandwidth)), CellSize::Length(metres(cell)));
    kde(incidents, &KdeParams { kernel, bandwidth, cell, edge, ..KdeParams::default() }, &Watch::NOBODY)
        .unwrap()
}

/// The definition, written down.
fn naive_density(incidents: &Incidents, grid: &Grid, kernel: Kernel, h: f64) -> Vec<f64> {
    let k = |u: f64| match kernel {
        Kernel::Uniform => f64::from(u <= 1.0) / PI,
        Kernel::Triangular => (1.0 - u).max(0.0) * 3.0 / PI,
        Kernel::Epanechnikov => (1.0 - u * u).max(0.0) * 2.0 / PI,
        Kernel::Quartic => (1.0 - u * u).max(0.0).powi(2) * 3.0 / PI,
        Kernel::Triweight => (1.0 - u * u).max(0.0).powi(3) * 4.0 / PI,
        Kernel::Gaussian => (-0.5 * u * u).exp() / (2.0 * PI),
    };
    let cells = grid.cells().map(|cell| (grid.centre_x(cell % grid.nx()), grid.centre_y(cell / grid.nx())));
    cells
        .map(|(x, y)| {
            let one =
                |at: usize| incidents.weight_of(at) * k((incidents.x[at] - x).hypot(incidents.y[at] - y) / h);
            (0..incidents.len()).map(one).sum::<f64>() / (h * h) * 1e6
        })
        .collect()
}

fn adaptive_of(
    incidents: &Incidents,
    kernel: Kernel,
    (bandwidth, pilot): (f64, f64),
    edge: Edge,
    cap: &str,
) -> brasa_model::Surface {
    let length = |value: f64| Bandwidth::Length(metres(value));
    let params = KdeAdaptiveParams {
        kernel,
        bandwidth: length(bandwidth),
        pilot: Some(length(pilot)),
        cell: CellSize::Length(metres(50.0)),
        edge,
        cap: cap.parse().unwrap(),
    };
    kde_adaptive(incidents, &params, &Watch::NOBODY).unwrap()
}

/// Abramson 1982, written down.
fn naive_adaptive(
    incidents: &Incidents,
    grid: &Grid,
    kernel: Kernel,
    h0: f64,
    hp: f64,
    cap: f64,
) -> Vec<f64> {
    let n = incidents.len();
    let spread = |x: f64, y: f64, h: &dyn Fn(usize) -> f64| {
        let one = |at: usize| {
            let u2 = ((incidents.x[at] - x).powi(2) + (incidents.y[at] - y).powi(2)) / h(at).powi(2);
            incidents.weight_of(at) * kernel.value(u2) * kernel.factor() / h(at).powi(2)
        };
        (0..n).map(one).sum::<f64>()
    };
    let root: Vec<f64> =
        (0..n).map(|at| spread(incidents.x[at], incidents.y[at], &|_| hp).powf(-0.5)).collect();
    let total: f64 = (0..n).map(|at| incidents.weight_of(at)).sum();
    let gamma = ((0..n).map(|at| incidents.weight_of(at) * root[at].ln()).sum::<f64>() / total).exp();
    let h: Vec<f64> = root.iter().map(|root| h0 * (root / gamma).min(cap)).collect();
    let cells = grid.cells().map(|cell| (grid.centre_x(cell % grid.nx()), grid.centre_y(cell / grid.nx())));
    cells.map(|(x, y)| spread(x, y, &|at| h[at]) * 1e6).collect()
}

/// The same incidents, of kind A where `is_case` and of kind B elsewhere.
fn labelled(mut incidents: Incidents, is_case: &[bool]) -> Incidents {
    let names = is_case.iter().map(|&case| if case { "A" } else { "B" });
    incidents.kinds = Some(Kinds::from_names(names));
    incidents
}

fn ratio_params(kind: &str, h: f64) -> KdeRatioParams {
    KdeRatioParams {
        bandwidth: Bandwidth::Length(metres(h)),
        cell: CellSize::Length(metres(100.0)),
        ..KdeRatioParams::new(format!("kind={kind}").parse().unwrap())
    }
}

/// The same comparison with bandwidths that are adapted.
fn abramson(params: KdeRatioParams, pilot: f64) -> KdeRatioParams {
    let pilot = Some(Bandwidth::Length(metres(pilot)));
    KdeRatioParams { spread: kde_ratio::Spread::Abramson, pilot, ..params }
}

/// Parameters of a ratio with a fixed bandwidth, or with adapted ones.
fn either(adaptive: bool, params: KdeRatioParams) -> KdeRatioParams {
    if adaptive { abramson(params, 300.0) } else { params }
}

fn edge() -> impl Strategy<Value = Edge> {
    prop::sample::select(vec![Edge::None, Edge::Uniform, Edge::JonesDiggle])
}

/// A world in which some, and not all, are cases; those whose position is a multiple of `every`.
fn two_kinds(x: &[f64], y: &[f64], weight: &[f64], every: usize, origin: f64) -> (Incidents, Vec<bool>) {
    let is_case: Vec<bool> = (0..x.len()).map(|at| at % every == 0).collect();
    (labelled(at(x, y, weight, origin), &is_case), is_case)
}

/// Log-ratio and z as they are defined, without edge correction of the ratio itself.
fn naive_ratio(
    incidents: &Incidents,
    is_case: &[bool],
    grid: &Grid,
    kernel: Kernel,
    h: f64,
) -> Vec<(f64, f64)> {
    let places: Vec<(f64, f64)> =
        grid.cells().map(|cell| (grid.centre_x(cell % grid.nx()), grid.centre_y(cell / grid.nx()))).collect();
    let k = |dx: f64, dy: f64| {
        let u2 = (dx * dx + dy * dy) / (h * h);
        if u2 <= kernel.reach().powi(2) { kernel.value(u2) * kernel.factor() / (h * h) } else { 0.0 }
    };
    let area = grid.cell_km2() * 1e6;
    let density = |side: &dyn Fn(usize) -> bool, corrected: bool| {
        let raw: Vec<f64> = places
            .iter()
            .map(|&(u, v)| {
                let one = |at: usize| incidents.weight_of(at) * k(incidents.x[at] - u, incidents.y[at] - v);
                let kept: f64 = places.iter().map(|&(a, b)| k(a - u, b - v)).sum::<f64>() * area;
                let sum: f64 = (0..incidents.len()).filter(|&at| side(at)).map(one).sum();
                if corrected { sum / kept } else { sum }
            })
            .collect();
        let mass = raw.iter().sum::<f64>() * area;
        raw.into_iter().map(|value| value / mass).collect::<Vec<_>>()
    };
    let (f, g) = (density(&|at| is_case[at], false), density(&|at| !is_case[at], false));
    let pooled = density(&|_| true, true);
    let per_incident = |side: bool| {
        let of_side =
            || (0..incidents.len()).filter(|&at| is_case[at] == side).map(|at| incidents.weight_of(at));
        of_side().map(|weight| weight * weight).sum::<f64>() / of_side().sum::<f64>().powi(2)
    };
    let spread = per_incident(true) + per_incident(false);
    places
        .iter()
        .enumerate()
        .map(|(at, &(u, v))| {
            let kept: f64 = places.iter().map(|&(a, b)| k(a - u, b - v)).sum::<f64>() * area;
            let squared: f64 = places.iter().map(|&(a, b)| k(a - u, b - v).powi(2)).sum::<f64>() * area;
            let ratio = (f[at] / g[at]).ln();
            (ratio, ratio / (squared / (kept * kept) / pooled[at] * spread).sqrt())
        })
        .collect()
}

/// The bits of everything a relative risk says.
fn risk_bits(risk: &Risk) -> Vec<u64> {
    risk.bands().iter().flat_map(|(_, surface)| bits(surface.values.iter().copied())).collect()
}

fn kernel() -> impl Strategy<Value = Kernel> {
    prop::sample::select(Kernel::ALL.map(|(kernel, _)| kernel).to_vec())
}

fn min_points(value: u32) -> std::num::NonZeroU32 {
    std::num::NonZeroU32::new(value).unwrap()
}

/// Ester et al. 1996, written down: who is core, and which cores hang together.
fn naive_dbscan(incidents: &Incidents, eps: f64, least: f64) -> (Vec<bool>, Vec<Option<usize>>) {
    let n = incidents.len();
    let near = |a: usize, b: usize| {
        let (dx, dy) = (incidents.x[a] - incidents.x[b], incidents.y[a] - incidents.y[b]);
        dx * dx + dy * dy <= eps * eps
    };
    let core: Vec<bool> = (0..n)
        .map(|a| (0..n).filter(|&b| near(a, b)).map(|b| incidents.weight_of(b)).sum::<f64>() >= least)
        .collect();
    let mut group = vec![None; n];
    for start in (0..n).filter(|&at| core[at]) {
        if group[start].is_none() {
            let mut open = vec![start];
            while let Some(a) = open.pop() {
                if group[a].is_none() {
                    group[a] = Some(start);
                    open.extend((0..n).filter(|&b| core[b] && group[b].is_none() && near(a, b)));
                }
            }
        }
    }
    (core, group)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn kde_equals_the_naive_sum((x, y, weight) in world(), kernel in kernel(), h in 30.0..900.0_f64, cell in 20.0..150.0_f64, offset in 0..5_usize) {
        let origin = [0.0, -3.0e5, 4.5e6, 1.0e7, 1.0e8][offset];
        let incidents = at(&x, &y, &weight, origin);
        let surface = density_of(&incidents, kernel, h, cell, Edge::None);
        let naive = naive_density(&incidents, &surface.grid, kernel, h);
        let peak = naive.iter().copied().fold(0.0, f64::max);
        let mut apart = 0;
        for (cell, wanted) in surface.grid.cells().zip(naive) {
            let found = surface.value(cell);
            prop_assert!(found >= 0.0);
            if (found - wanted).abs() > 1e-9 * peak.max(1e-300) {
                apart += 1;
                prop_assert!(kernel == Kernel::Uniform, "{kernel}: {found} against {wanted}, peak {peak}");
            }
        }
        // The uniform kernel jumps at its rim: a centre at exactly that distance may fall on either side.
        prop_assert!(apart <= surface.grid.len() / 100, "{apart} cells differ");
    }

    #[test]
    fn jones_diggle_adds_up_to_n_and_uniform_divides_by_what_stays_inside((x, y, weight) in world(), kernel in kernel(), h in 150.0..700.0_f64) {
        // A window with a hole, which incidents do not respect: what lies outside of it is nobody's business here.
        let mut incidents = at(&x, &y, &weight, 3.0e5);
        incidents.window = holed(3.0e5);
        let inside: Vec<usize> = (0..x.len()).filter(|&at| incidents.window.contains(incidents.x[at], incidents.y[at])).collect();
        prop_assume!(!inside.is_empty());
        let pick = |values: &[f64]| inside.iter().map(|&at| values[at]).collect::<Vec<_>>();
        (incidents.x, incidents.y) = (pick(&incidents.x), pick(&incidents.y));
        incidents.weight = Some(pick(&weight));
        let n: f64 = pick(&weight).iter().sum();
        let corrected = density_of(&incidents, kernel, h, 40.0, Edge::JonesDiggle);
        prop_assert!((corrected.mass() / n - 1.0).abs() < 1e-9, "{kernel}: {} for {n}", corrected.mass());
        let plain = density_of(&incidents, kernel, h, 40.0, Edge::None);
        let uniform = density_of(&incidents, kernel, h, 40.0, Edge::Uniform);
        prop_assert!(plain.mass() < n * 1.01);
        // e(u) at a few cells, by its definition.
        for cell in plain.grid.cells().step_by(97) {
            let place = |cell: usize| (plain.grid.centre_x(cell % plain.grid.nx()), plain.grid.centre_y(cell / plain.grid.nx()));
            let (u, v) = place(cell);
            let e: f64 = plain.grid.cells().map(|other| {
                let (a, b) = place(other);
                let u2 = ((a - u).powi(2) + (b - v).powi(2)) / (h * h);
                if u2 <= kernel.reach() * kernel.reach() { kernel.value(u2) } else { 0.0 }
            }).sum::<f64>() * kernel.factor() / (h * h) * 1600.0;
            let tolerance = if kernel == Kernel::Uniform { 0.05 } else { 1e-9 };
            prop_assert!((uniform.value(cell) * e - plain.value(cell)).abs() <= tolerance * plain.peak(), "{kernel}");
        }
    }

    #[test]
    fn kde_does_not_depend_on_rows_threads_or_copies((x, y, weight) in world(), seed in 0..1000_usize) {
        let incidents = at(&x, &y, &weight, 5.0e5);
        let one = on_threads(1, || density(&incidents, 250.0, 50.0));
        let three = on_threads(3, || density(&incidents, 250.0, 50.0));
        prop_assert_eq!(bits(one.values.iter().copied()), bits(three.values.iter().copied()));
        let mixed = at(&shuffled(&x, seed), &shuffled(&y, seed), &shuffled(&weight, seed), 5.0e5);
        prop_assert_eq!(bits(one.values.iter().copied()), bits(density(&mixed, 250.0, 50.0).values.iter().copied()));
        // Weight w is w copies; weight doubled is the surface doubled, to the bit.
        let copies = |values: &[f64]| values.iter().zip(&weight).flat_map(|(&v, &w)| vec![v; w as usize]).collect::<Vec<_>>();
        let many = density(&at(&copies(&x), &copies(&y), &vec![1.0; copies(&x).len()], 5.0e5), 250.0, 50.0);
        prop_assert_eq!(bits(one.values.iter().copied()), bits(many.values.iter().copied()));
        let doubled: Vec<f64> = weight.iter().map(|weight| weight * 2.0).collect();
        let twice = density(&at(&x, &y, &doubled, 5.0e5), 250.0, 50.0);
        prop_assert_eq!(bits(one.values.iter().map(|value| value * 2.0)), bits(twice.values.iter().copied()));
    }

    #[test]
    fn kde_adds_up((x, y, weight) in world(), (u, v, other) in world()) {
        let both = at(&[&x[..], &u].concat(), &[&y[..], &v].concat(), &[&weight[..], &other].concat(), 0.0);
        let (a, b) = (density(&at(&x, &y, &weight, 0.0), 300.0, 50.0), density(&at(&u, &v, &other, 0.0), 300.0, 50.0));
        let sum = density(&both, 300.0, 50.0);
        let peak = sum.peak();
        for cell in sum.grid.cells() {
            prop_assert!((sum.value(cell) - a.value(cell) - b.value(cell)).abs() <= 1e-12 * peak);
        }
    }

    #[test]
    fn kde_moves_with_the_city((x, y, weight) in world(), right in -40..40_i32, up in -40..40_i32) {
        // Whole cells on dyadic coordinates: the same bits.
        let snap = |values: &[f64]| values.iter().map(|value| (value * 4.0).round() / 4.0).collect::<Vec<_>>();
        let (x, y) = (snap(&x), snap(&y));
        let here = density(&at(&x, &y, &weight, 0.0), 256.0, 64.0);
        let shift = |values: &[f64], cells: i32| values.iter().map(|value| value + f64::from(cells) * 64.0).collect::<Vec<_>>();
        let (dx, dy) = (f64::from(right) * 64.0, f64::from(up) * 64.0);
        let moved = incidents(shift(&x, right), shift(&y, up), Some(weight), (dx, dy, dx + SIDE, dy + SIDE));
        prop_assert_eq!(bits(here.values.iter().copied()), bits(density(&moved, 256.0, 64.0).values.iter().copied()));
    }

    #[test]
    fn kde_keeps_the_mass_of_incidents_away_from_the_border(places in prop::collection::vec((600.0..1400.0_f64, 600.0..1400.0_f64), 1..40)) {
        let (x, y): (Vec<f64>, Vec<f64>) = places.into_iter().unzip();
        let incidents = at(&x, &y, &vec![1.0; x.len()], 0.0);
        // 20 cells under the kernel: the midpoint rule on a kernel with a continuous derivative errs by well under 1e-3.
        let mass = density(&incidents, 500.0, 25.0).mass();
        prop_assert!((mass / x.len() as f64 - 1.0).abs() < 1e-3, "{mass} for {}", x.len());
    }

    #[test]
    fn kde_adaptive_equals_the_naive_sum((x, y, weight) in world(), kernel in kernel(), h0 in 60.0..500.0_f64, hp in 60.0..500.0_f64, cap in 1..6_u32) {
        let incidents = at(&x, &y, &weight, 4.5e6);
        let surface = adaptive_of(&incidents, kernel, (h0, hp), Edge::None, &cap.to_string());
        let naive = naive_adaptive(&incidents, &surface.grid, kernel, h0, hp, f64::from(cap));
        let peak = naive.iter().copied().fold(0.0, f64::max);
        let apart = |&(cell, wanted): &(usize, f64)| (surface.value(cell) - wanted).abs() > 1e-9 * peak.max(1e-300);
        let apart = surface.grid.cells().zip(naive).filter(apart).count();
        // The uniform kernel jumps at its rim, in the pilot as well.
        prop_assert!(apart == 0 || kernel == Kernel::Uniform, "{apart} cells differ");
    }

    #[test]
    fn kde_adaptive_on_an_even_pilot_is_the_fixed_density(stacks in prop::collection::vec((0..4_u32, 0..4_u32), 1..12), kernel in kernel(), h in 60.0..240.0_f64, edge in prop::sample::select(vec![Edge::None, Edge::JonesDiggle])) {
        // Distinct places 500 m apart, seen by a pilot that reaches no further than itself: the same pilot everywhere.
        let places: std::collections::BTreeSet<(u32, u32)> = stacks.into_iter().collect();
        let (x, y): (Vec<f64>, Vec<f64>) = places.into_iter().map(|(x, y)| (f64::from(x) * 500.0 + 225.0, f64::from(y) * 500.0 + 225.0)).unzip();
        let incidents = at(&x, &y, &vec![2.0; x.len()], 0.0);
        let adaptive = adaptive_of(&incidents, kernel, (h, if kernel == Kernel::Gaussian { 25.0 } else { 200.0 }), edge, "5");
        let fixed = density_of(&incidents, kernel, h, 50.0, edge);
        // The fixed Gaussian goes by a lattice, whose stated bound is 5e-10 of the peak.
        let tolerance = if kernel == Kernel::Gaussian { 5e-10 } else { 1e-12 };
        for cell in fixed.grid.cells() {
            prop_assert!((adaptive.value(cell) - fixed.value(cell)).abs() <= tolerance * fixed.peak(), "{} against {}", adaptive.value(cell), fixed.value(cell));
        }
    }

    #[test]
    fn kde_adaptive_with_jones_diggle_adds_up_to_n((x, y, weight) in world(), kernel in kernel(), h0 in 150.0..500.0_f64, hp in 150.0..500.0_f64) {
        let mut incidents = at(&x, &y, &weight, 3.0e5);
        incidents.window = holed(3.0e5);
        let inside: Vec<usize> = (0..x.len()).filter(|&at| incidents.window.contains(incidents.x[at], incidents.y[at])).collect();
        prop_assume!(!inside.is_empty());
        let pick = |values: &[f64]| inside.iter().map(|&at| values[at]).collect::<Vec<_>>();
        (incidents.x, incidents.y) = (pick(&incidents.x), pick(&incidents.y));
        incidents.weight = Some(pick(&weight));
        let n: f64 = pick(&weight).iter().sum();
        let mass = adaptive_of(&incidents, kernel, (h0, hp), Edge::JonesDiggle, "5").mass();
        // A bandwidth much narrower than a cell may hold no centre: its place is then lost, and the mass less.
        prop_assert!((mass / n - 1.0).abs() < 1e-9 || mass < n, "{kernel}: {mass} for {n}");
    }

    #[test]
    fn kde_adaptive_does_not_depend_on_rows_threads_or_scale((x, y, weight) in world(), seed in 0..1000_usize, edge in prop::sample::select(vec![Edge::None, Edge::Uniform, Edge::JonesDiggle])) {
        let of = |incidents: &Incidents| adaptive_of(incidents, Kernel::Quartic, (250.0, 300.0), edge, "5");
        let incidents = at(&x, &y, &weight, 5.0e5);
        let one = on_threads(1, || of(&incidents));
        let three = on_threads(3, || of(&incidents));
        prop_assert_eq!(bits(one.values.iter().copied()), bits(three.values.iter().copied()));
        let mixed = at(&shuffled(&x, seed), &shuffled(&y, seed), &shuffled(&weight, seed), 5.0e5);
        prop_assert_eq!(bits(one.values.iter().copied()), bits(of(&mixed).values.iter().copied()));
        // Bandwidths know shares, not numbers: weights times 3 are the surface times 3.
        let tripled: Vec<f64> = weight.iter().map(|weight| weight * 3.0).collect();
        let thrice = of(&at(&x, &y, &tripled, 5.0e5));
        for cell in one.grid.cells() {
            prop_assert!((thrice.value(cell) - 3.0 * one.value(cell)).abs() <= 1e-11 * thrice.peak());
        }
    }

    #[test]
    fn kde_ratio_equals_its_definition((x, y, weight) in world(), every in 2..5_usize, kernel in kernel(), h in 250.0..900.0_f64) {
        prop_assume!(x.len() > every);
        let (incidents, is_case) = two_kinds(&x, &y, &weight, every, 0.0);
        let params = KdeRatioParams { kernel, edge: Edge::None, ..ratio_params("A", h) };
        let risk = kde_ratio(&incidents, &params, &Watch::NOBODY).unwrap();
        let naive = naive_ratio(&incidents, &is_case, &risk.log_ratio.grid, kernel, h);
        let mut apart = 0;
        for (cell, (ratio, z)) in risk.log_ratio.grid.cells().zip(naive) {
            let (found, found_z) = (risk.log_ratio.value(cell), risk.z.value(cell));
            prop_assert!(found.is_nan() || found.is_finite());
            prop_assert_eq!(found.is_nan(), found_z.is_nan());
            // In the last billionth of a kernel, and at the rim of the uniform one, rounding decides.
            let same = (found - ratio).abs() < 1e-6 && (found_z - z).abs() < 1e-6;
            apart += usize::from(!found.is_nan() && !same);
            prop_assert!(!found.is_nan() || ratio.is_nan() || ratio.abs() > 1.0 || kernel == Kernel::Uniform);
        }
        prop_assert!(apart == 0 || kernel == Kernel::Uniform, "{kernel}: {apart} cells differ");
    }

    #[test]
    fn kde_ratio_changes_its_sign_when_the_labels_are_swapped((x, y, weight) in world(), every in 3..6_usize, edge in edge(), adaptive: bool) {
        prop_assume!(x.len() > 2 * every);
        let (incidents, _) = two_kinds(&x, &y, &weight, every, 5.0e5);
        let params = |kind: &str| KdeRatioParams { edge, permutations: 9, ..ratio_params(kind, 400.0) };
        let of = |kind: &str| kde_ratio(&incidents, &either(adaptive, params(kind)), &Watch::NOBODY).unwrap();
        let (a, b) = (of("A"), of("B"));
        let minus = |surface: &brasa_model::Surface| surface.values.iter().map(|value| if value.is_nan() { f64::NAN } else { 0.0 - value }).collect::<Vec<_>>();
        prop_assert_eq!(bits(a.log_ratio.values.iter().copied()), bits(minus(&b.log_ratio)));
        prop_assert_eq!(bits(a.z.values.iter().copied()), bits(minus(&b.z)));
        prop_assert_eq!(bits(a.p_high.values.iter().copied()), bits(b.p_low.values.iter().copied()));
    }

    #[test]
    fn kde_ratio_knows_shares_not_numbers((x, y, weight) in world(), every in 2..5_usize, edge in edge(), seed in 0..1000_usize, adaptive: bool) {
        prop_assume!(x.len() > every);
        let (incidents, is_case) = two_kinds(&x, &y, &weight, every, 5.0e5);
        let params = either(adaptive, KdeRatioParams { edge, permutations: 9, ..ratio_params("A", 350.0) });
        let one = on_threads(1, || kde_ratio(&incidents, &params, &Watch::NOBODY).unwrap());
        let three = on_threads(3, || kde_ratio(&incidents, &params, &Watch::NOBODY).unwrap());
        prop_assert_eq!(risk_bits(&one), risk_bits(&three));
        let mixed = at(&shuffled(&x, seed), &shuffled(&y, seed), &shuffled(&weight, seed), 5.0e5);
        let mixed = kde_ratio(&labelled(mixed, &shuffled(&is_case, seed)), &params, &Watch::NOBODY).unwrap();
        prop_assert_eq!(risk_bits(&one), risk_bits(&mixed));
        prop_assert_eq!(&one.contours, &mixed.contours);
        let scaled: Vec<f64> = weight.iter().map(|weight| weight * 8.0).collect();
        let scaled = kde_ratio(&labelled(at(&x, &y, &scaled, 5.0e5), &is_case), &params, &Watch::NOBODY).unwrap();
        if adaptive {
            // Bandwidths are the same up to rounding.
            let pairs = one.log_ratio.values.iter().zip(&scaled.log_ratio.values);
            let apart = pairs.filter(|(a, b)| (*a - *b).abs() > 1e-8 * a.abs().max(1.0)).count();
            prop_assert_eq!(apart, 0);
        } else {
            prop_assert_eq!(risk_bits(&one), risk_bits(&scaled), "a power of two changes no bit");
        }
        for p in [&one.p_high, &one.p_low] {
            prop_assert!(p.values.iter().all(|p| p.is_nan() || (0.1..=1.0).contains(p)));
        }
    }

    #[test]
    fn kde_ratio_of_a_pattern_against_itself_is_nothing((x, y, weight) in world(), edge in edge(), adaptive: bool) {
        let twice = |values: &[f64]| [values, values].concat();
        let is_case: Vec<bool> = (0..2 * x.len()).map(|at| at < x.len()).collect();
        let incidents = labelled(at(&twice(&x), &twice(&y), &twice(&weight), 0.0), &is_case);
        for against in [Against::Rest, Against::All] {
            let params = KdeRatioParams { edge, against, permutations: 19, ..ratio_params("A", 400.0) };
            let risk = kde_ratio(&incidents, &either(adaptive, params), &Watch::NOBODY).unwrap();
            prop_assert!(risk.log_ratio.values.iter().all(|ratio| ratio.is_nan() || ratio.abs() < 1e-12));
            prop_assert!(risk.contours.is_empty());
        }
    }

    #[test]
    fn kde_ratio_adapted_to_an_even_pilot_is_the_fixed_one((x, y, weight) in world(), every in 2..5_usize, edge in edge(), kernel in prop::sample::select(vec![Kernel::Epanechnikov, Kernel::Quartic, Kernel::Triweight])) {
        prop_assume!(x.len() > every);
        let (incidents, _) = two_kinds(&x, &y, &weight, every, 0.0);
        let fixed = KdeRatioParams { edge, kernel, permutations: 1, ..ratio_params("A", 350.0) };
        // Seen with a bandwidth of 10000 km, every place is as crowded as any other to 1e-7.
        let even = kde_ratio(&incidents, &abramson(fixed.clone(), 1e7), &Watch::NOBODY).unwrap();
        let fixed = kde_ratio(&incidents, &fixed, &Watch::NOBODY).unwrap();
        for cell in fixed.log_ratio.grid.cells() {
            let (found, wanted) = (even.log_ratio.value(cell), fixed.log_ratio.value(cell));
            // Where one side has a kernel's rim only, the ratio is as fine as the rim.
            if wanted.abs() < 5.0 {
                prop_assert!((found - wanted).abs() < 1e-4, "{found} {wanted}");
                let (found, wanted) = (even.z.value(cell), fixed.z.value(cell));
                prop_assert!((found - wanted).abs() < 1e-4, "z {found} {wanted}");
            }
        }
    }

    #[test]
    fn gi_star_equals_the_double_loop((x, y, weight) in world(), band in 1..4_u32) {
        let incidents = at(&x, &y, &weight, 1.0e6);
        let distance = f64::from(band) * 200.0;
        let params = GiStarParams { counted: CellSize::Length(metres(200.0)).into(), neighbours: Neighbours::Band(metres(distance)), ..GiStarParams::default() };
        let stats = match gi_star(&incidents, &params, &Watch::NOBODY) {
            Err(AnalysisError::NoVariance { .. }) => return Ok(()),
            other => other.unwrap(),
        };
        let cells: Vec<usize> = stats.zones.grid().unwrap().cells().collect();
        let n = cells.len() as f64;
        let mean = stats.count.iter().sum::<f64>() / n;
        let s = (stats.count.iter().map(|x| x * x).sum::<f64>() / n - mean * mean).sqrt();
        for (i, &a) in cells.iter().enumerate() {
            let (ax, ay) = stats.zones.grid().unwrap().name(a);
            let (mut sum, mut w) = (0.0, 0.0);
            for (j, &b) in cells.iter().enumerate() {
                let (bx, by) = stats.zones.grid().unwrap().name(b);
                if ((ax - bx).pow(2) + (ay - by).pow(2)) as f64 * 200.0 * 200.0 <= distance * distance {
                    sum += stats.count[j];
                    w += 1.0;
                }
            }
            let z = (sum - mean * w) / (s * ((n * w - w * w) / (n - 1.0)).sqrt());
            prop_assert!((stats.z[i] - z).abs() < 1e-9 * z.abs().max(1.0), "{} against {z}", stats.z[i]);
        }
        prop_assert_eq!(stats.count.iter().sum::<f64>(), weight.iter().sum::<f64>());
    }

    #[test]
    fn gi_star_does_not_change_when_every_count_is_scaled((x, y, weight) in world(), seed in 0..1000_usize) {
        let params = GiStarParams { counted: CellSize::Length(metres(125.0)).into(), neighbours: Neighbours::Queen, ..GiStarParams::default() };
        let first = match gi_star(&at(&x, &y, &weight, 0.0), &params, &Watch::NOBODY) {
            Err(AnalysisError::NoVariance { .. }) => return Ok(()),
            other => other.unwrap(),
        };
        let tripled: Vec<f64> = weight.iter().map(|weight| weight * 3.0).collect();
        let scaled = gi_star(&at(&x, &y, &tripled, 0.0), &params, &Watch::NOBODY).unwrap();
        for (a, b) in first.z.iter().zip(&scaled.z) {
            prop_assert!((a - b).abs() < 1e-12 * a.abs().max(1.0));
        }
        let mixed = at(&shuffled(&x, seed), &shuffled(&y, seed), &shuffled(&weight, seed), 0.0);
        let again = on_threads(3, || gi_star(&mixed, &params, &Watch::NOBODY).unwrap());
        prop_assert_eq!(bits(first.z.iter().copied()), bits(again.z.iter().copied()));
        prop_assert_eq!(bits(first.q.iter().copied()), bits(again.q.iter().copied()));
    }

    #[test]
    fn dbscan_equals_the_definition((x, y, weight) in world(), eps in prop_oneof![Just(12.5), Just(25.0), 5.0..400.0_f64], least in 1..12_u32) {
        let incidents = at(&x, &y, &weight, 3.0e5);
        let found = dbscan(&incidents, &DbscanParams::new(metres(eps), min_points(least)), &Watch::NOBODY).unwrap();
        let (core, group) = naive_dbscan(&incidents, eps, f64::from(least));
        prop_assert_eq!(&found.core, &core);
        let distance = |a: usize, b: usize| (incidents.x[a] - incidents.x[b]).powi(2) + (incidents.y[a] - incidents.y[b]).powi(2);
        for a in 0..core.len() {
            let reach = (0..core.len()).filter(|&b| core[b] && distance(a, b) <= eps * eps);
            let nearest = reach.clone().map(|b| distance(a, b)).fold(f64::INFINITY, f64::min);
            prop_assert_eq!(found.labels[a].is_some(), nearest.is_finite());
            for b in (0..core.len()).filter(|&b| core[a] && core[b]) {
                prop_assert_eq!(found.labels[a] == found.labels[b], group[a] == group[b]);
            }
            if nearest.is_finite() {
                prop_assert!(reach.filter(|&b| distance(a, b) == nearest).any(|b| found.labels[b] == found.labels[a]));
            }
        }
        let counted: u64 = found.clusters.iter().map(|cluster| cluster.incidents).sum();
        prop_assert_eq!(counted as usize + found.noise(), core.len());
        for pair in found.clusters.windows(2) {
            prop_assert!(pair[0].weight >= pair[1].weight, "clusters are numbered from the heaviest");
        }
    }

    #[test]
    fn dbscan_does_not_depend_on_rows_or_threads((x, y, weight) in world(), seed in 0..1000_usize) {
        let params = DbscanParams::new(metres(60.0), min_points(4));
        let first = on_threads(1, || dbscan(&at(&x, &y, &weight, 7.0e6), &params, &Watch::NOBODY).unwrap());
        let mixed = at(&shuffled(&x, seed), &shuffled(&y, seed), &shuffled(&weight, seed), 7.0e6);
        let again = on_threads(3, || dbscan(&mixed, &params, &Watch::NOBODY).unwrap());
        prop_assert_eq!(&shuffled(&first.labels, seed), &again.labels);
        let outlines = |clusters: &brasa_model::Clusters| clusters.clusters.iter().map(|c| c.outline.clone()).collect::<Vec<_>>();
        prop_assert_eq!(outlines(&first), outlines(&again));
    }
}

/// A pattern in three clumps, most of it off any lattice, with some stacks.
fn clumps(n: usize, seed: usize) -> (Vec<f64>, Vec<f64>, Vec<f64>) {
    let chance = |at: usize, salt: usize| {
        let mixed = (at * 7919 + salt * 104_729 + seed * 15_485_863 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        (mixed >> 33) as f64 / (1_u64 << 31) as f64
    };
    let spread = |at: usize, salt: usize| (0..4).map(|part| chance(at, salt + part) - 0.5).sum::<f64>();
    let centre = |at: usize| [(500.0, 600.0), (1400.0, 900.0), (900.0, 1500.0)][at % 3];
    let x = (0..n).map(|at| (centre(at).0 + 240.0 * spread(at, 10)).clamp(1.0, SIDE - 1.0)).collect();
    let y = (0..n).map(|at| (centre(at).1 + 240.0 * spread(at, 20)).clamp(1.0, SIDE - 1.0)).collect();
    let weight = (0..n).map(|at| if at % 7 == 0 { 3.0 } else { 1.0 }).collect();
    (x, y, weight)
}

fn select(rule: Rule, incidents: &Incidents) -> Result<Selection, AnalysisError> {
    rule.select(&Sites::new(incidents), &incidents.window, &Watch::NOBODY)
}

#[test]
fn every_rule_scales_with_the_city_and_does_not_mind_where_it_lies() {
    let (x, y, weight) = clumps(90, 1);
    for rule in Rule::ALL {
        let here = select(rule, &at(&x, &y, &weight, 0.0)).unwrap().sigma;
        assert!(here > 1.0 && here < SIDE, "{rule}: {here}");
        for scale in [0.5, 2.0, 1000.0] {
            let larger = |values: &[f64]| values.iter().map(|value| value * scale).collect::<Vec<_>>();
            let side = SIDE * scale;
            let scaled = incidents(larger(&x), larger(&y), Some(weight.clone()), (0.0, 0.0, side, side));
            let found = select(rule, &scaled).unwrap().sigma;
            assert!((found / here / scale - 1.0).abs() < 1e-9, "{rule} × {scale}: {found} for {here}");
        }
        let moved = select(rule, &at(&x, &y, &weight, 4.0e6)).unwrap().sigma;
        // At 4e6 a coordinate is exact to 1e-9 m, and so is the least distance that the search begins with.
        assert!((moved / here - 1.0).abs() < 1e-6, "{rule}: {moved} for {here}");
    }
}

#[test]
fn no_rule_depends_on_rows_or_threads() {
    let (x, y, weight) = clumps(300, 2);
    let incidents = at(&x, &y, &weight, 5.0e5);
    let mixed = at(&shuffled(&x, 5), &shuffled(&y, 5), &shuffled(&weight, 5), 5.0e5);
    let holed = |mut incidents: Incidents| {
        incidents.window = holed(5.0e5);
        incidents
    };
    for rule in Rule::ALL {
        for (here, there) in
            [(incidents.clone(), mixed.clone()), (holed(incidents.clone()), holed(mixed.clone()))]
        {
            let one = on_threads(1, || select(rule, &here)).unwrap();
            for other in [on_threads(3, || select(rule, &here)).unwrap(), select(rule, &there).unwrap()] {
                assert_eq!(bits([one.sigma]), bits([other.sigma]), "{rule}");
                assert_eq!(bits(one.criterion.clone()), bits(other.criterion), "{rule}");
            }
        }
    }
}

#[test]
fn criteria_are_their_definitions_written_down() {
    let (x, y, weight) = clumps(40, 3);
    let incidents = at(&x, &y, &weight, 0.0);
    let n: f64 = weight.iter().sum();
    let phi = |i: usize, j: usize, s: f64| {
        let d2 = (x[i] - x[j]).powi(2) + (y[i] - y[j]).powi(2);
        (-0.5 * d2 / (s * s)).exp() / (2.0 * PI * s * s)
    };
    let double = |term: &dyn Fn(usize, usize) -> f64| -> f64 {
        (0..x.len()).flat_map(|i| (0..x.len()).map(move |j| (i, j))).map(|(i, j)| term(i, j)).sum()
    };
    let squares: f64 = weight.iter().map(|w| w * w).sum();
    let least_squares = select(Rule::Lscv, &incidents).unwrap();
    let area = select(Rule::Cvl, &incidents).unwrap();
    for (found, at) in least_squares.criterion.iter().zip(&least_squares.tried) {
        let square = double(&|i, j| weight[i] * weight[j] * phi(i, j, at * 2.0_f64.sqrt())) / (n * n);
        let others = double(&|i, j| if i == j { 0.0 } else { weight[i] * weight[j] * phi(i, j, *at) });
        let wanted = square - 2.0 * others / (n * n - squares);
        assert!((found - wanted).abs() < 1e-9 * square, "{found} against {wanted}");
    }
    for (found, at) in area.criterion.iter().zip(&area.tried) {
        let density = |i: usize| (0..x.len()).map(|j| weight[j] * phi(i, j, *at)).sum::<f64>();
        let held: f64 = (0..x.len()).map(|i| weight[i] / density(i)).sum();
        let wanted = (SIDE * SIDE - held).powi(2);
        assert!((found / wanted - 1.0).abs() < 1e-6, "{found} against {wanted}");
    }
    let likelihood = select(Rule::Ppl, &incidents).unwrap();
    let best = likelihood.best.unwrap();
    assert!(likelihood.criterion.iter().all(|&value| value <= likelihood.criterion[best]));
}

#[test]
fn a_rule_does_not_run_off_to_zero_on_stacks() {
    // Every place five times: the shape of the city is the same, and so must be what is learnt from it.
    let (x, y, _) = clumps(120, 4);
    let once = at(&x, &y, &vec![1.0; x.len()], 0.0);
    let copies = |values: &[f64]| values.iter().flat_map(|&value| [value; 5]).collect::<Vec<_>>();
    let stacked = at(&copies(&x), &copies(&y), &vec![1.0; 5 * x.len()], 0.0);
    let (sites, window) = (Sites::new(&stacked), &stacked.window);
    for rule in [Rule::Ppl, Rule::Lscv] {
        let (single, found) = (select(rule, &once).unwrap(), select(rule, &stacked).unwrap());
        assert!((found.sigma / single.sigma - 1.0).abs() < 1e-9, "{rule}: {} {}", found.sigma, single.sigma);
        assert_eq!(found.limit, None, "{rule}");
    }
    // What happens to tools that take one incident out and leave its four neighbours at distance zero in.
    let apart = ppl(&sites, window, Stacks::Apart, &Watch::NOBODY).unwrap();
    let together = ppl(&sites, window, Stacks::Together, &Watch::NOBODY).unwrap();
    assert_eq!((apart.limit, together.limit), (Some(Limit::Least), None));
    assert!(apart.sigma < together.sigma / 5.0, "{} {}", apart.sigma, together.sigma);
    let apart = diggle(&sites, window, Stacks::Apart, &Watch::NOBODY).unwrap();
    assert_eq!(apart.limit, Some(Limit::Least));
    assert!(diggle(&sites, window, Stacks::Together, &Watch::NOBODY).unwrap().sigma > apart.sigma);
}

#[test]
fn every_rule_answers_or_says_why_not_in_degenerate_worlds() {
    let line: Vec<f64> = (0..30).map(|at| 40.0 + 60.0 * f64::from(at) + f64::from(at % 4)).collect();
    let worlds = [
        ("none", vec![], vec![]),
        ("one", vec![500.0], vec![500.0]),
        ("two", vec![500.0, 800.0], vec![500.0, 900.0]),
        ("two far apart", vec![1.0, SIDE - 1.0], vec![1.0, SIDE - 1.0]),
        ("one place", vec![500.0; 20], vec![500.0; 20]),
        ("a line", line.clone(), vec![1000.0; 30]),
        ("the border", line, vec![0.0; 30]),
    ];
    for (name, x, y) in worlds {
        let weight = vec![1.0; x.len()];
        let mut world = at(&x, &y, &weight, 0.0);
        for window in [world.window.clone(), holed(0.0)] {
            world.window = window;
            for rule in Rule::ALL {
                match select(rule, &world) {
                    Ok(found) => {
                        assert!(found.sigma.is_finite() && found.sigma > 0.0, "{name} {rule}");
                        assert!(found.best.is_none_or(|best| found.criterion[best].is_finite()));
                        assert!(found.criterion.iter().all(|value| !value.is_nan()), "{name} {rule}");
                        assert!(!["none", "one", "one place"].contains(&name), "{name} {rule}: {found:?}");
                    }
                    Err(AnalysisError::RuleFailed { rule: named, what: "bandwidth", why }) => {
                        assert_eq!(named, rule.word());
                        assert!(!why.is_empty() && name != "a line", "{name} {rule}: {why}");
                    }
                    Err(other) => panic!("{name} {rule}: {other}"),
                }
            }
        }
    }
}

#[test]
fn the_oversmoothing_rule_is_wider_than_scotts_by_its_constant() {
    let (x, y, weight) = clumps(50, 5);
    let world = at(&x, &y, &weight, 0.0);
    let ratio =
        select(Rule::TerrellOversmooth, &world).unwrap().sigma / select(Rule::Scott, &world).unwrap().sigma;
    // ∫(∇²f)² of the triweight density, the smoothest of its variance, is 0.3072/π against 1/2π of the normal.
    assert!((ratio - (0.5 / 0.3072_f64).powf(1.0 / 6.0)).abs() < 1e-12, "{ratio}");
}

#[test]
fn a_density_at_a_place_is_its_definition_to_its_own_precision() {
    // Three clumps of a thousand, so that wide kernels go by the lattice (it pays from some 1024 terms a place), and a few
    // places far from all, which go term by term.
    let (mut x, mut y, mut weight) = clumps(3000, 6);
    for (far, w) in [(1.0, 1.0), (7.0, 50.0), (SIDE - 1.0, 0.01)] {
        x.push(far);
        y.push(SIDE - 2.0 * far / 3.0);
        weight.push(w);
    }
    let world = at(&x, &y, &weight, 0.0);
    let sites = Sites::new(&world);
    let phase = Watch::NOBODY.phase("densities", 0);
    for sigma in [0.5, 5.0, 40.0, 120.0, 300.0, 900.0, 4000.0] {
        for leave_out in [LeaveOut::Place, LeaveOut::Nothing] {
            let found =
                density_at_places(&sites, &world.window, sigma, Edge::None, leave_out, &phase).unwrap();
            for (here, found) in found.iter().enumerate() {
                let term = |there: usize| {
                    let d2 =
                        (sites.x[here] - sites.x[there]).powi(2) + (sites.y[here] - sites.y[there]).powi(2);
                    let out = d2 > 64.0 * sigma * sigma || there == here && leave_out == LeaveOut::Place;
                    if out { 0.0 } else { sites.weight[there] * (-0.5 * d2 / (sigma * sigma)).exp() }
                };
                let wanted = (0..sites.len()).map(term).sum::<f64>() / (2.0 * PI * sigma * sigma);
                assert!((found - wanted).abs() <= 1e-9 * wanted, "{sigma} {here}: {found} against {wanted}");
            }
        }
    }
}

/// A polygon as a study area.
fn area_of(outer: Vec<(f64, f64)>, holes: Vec<Vec<(f64, f64)>>) -> Window {
    let polygon = Polygon::new(outer.into(), holes.into_iter().map(LineString::from).collect());
    Window::new(MultiPolygon::new(vec![polygon]), WindowOrigin::Given("area".to_owned())).unwrap()
}

#[test]
fn the_mass_inside_a_polygon_is_exact() {
    // A square, of which a corner is cut off and a part is a hole: what is left of the masses of three rectangles.
    let upright = |west: f64, south: f64, east: f64, north: f64| {
        vec![(west, south), (east, south), (east, north), (west, north)]
    };
    let hole = upright(500.0, 600.0, 900.0, 1500.0);
    let outer = vec![(0.0, 0.0), (2e3, 0.0), (2e3, 1e3), (1300.0, 1e3), (1300.0, 2e3), (0.0, 2e3)];
    let window = area_of(outer, vec![hole.clone()]);
    let boxes =
        [upright(0.0, 0.0, 2e3, 2e3), upright(1300.0, 1e3, 2e3, 2e3), hole].map(|at| area_of(at, vec![]));
    // On corners, on sides, a hair beside them, and a crowd, of which wide kernels are interpolated.
    let mut places = vec![(0.0, 0.0), (1300.0, 1000.0), (500.0, 600.0), (900.0, 1500.0), (2000.0, 1000.0)];
    places.extend([(0.0, 777.0), (1300.0, 1001.0), (500.0, 601.0), (1e-9, 1999.0), (1_999.999_999, 3.0)]);
    places.extend([(499.999_999_9, 1000.0), (700.0, 600.0), (700.0, 599.0), (1600.0, 1000.0)]);
    let (x, y, _) = clumps(4000, 3);
    places.extend(x.into_iter().zip(y).filter(|&(x, y)| window.contains(x, y)));
    let (x, y): (Vec<f64>, Vec<f64>) = places.into_iter().unzip();
    let mut world = at(&x, &y, &vec![1.0; x.len()], 0.0);
    world.window = window;
    let sites = Sites::new(&world);
    let phase = Watch::NOBODY.phase("densities", 0);
    for sigma in [1e-3, 0.7, 12.0, 90.0, 350.0, 1500.0, 20_000.0] {
        let found = mass_inside(&sites, &world.window, sigma, &phase).unwrap();
        let [whole, corner, hole] =
            boxes.each_ref().map(|of| mass_inside(&sites, of, sigma, &phase).unwrap());
        for (here, found) in found.iter().enumerate() {
            let wanted = whole[here] - corner[here] - hole[here];
            let place = (sites.x[here], sites.y[here]);
            assert!((found - wanted).abs() < 2e-9, "{sigma} {place:?}: {found} against {wanted}");
        }
    }
}

#[test]
fn what_a_corrected_density_adds_up_to_is_the_same_for_a_rectangle_and_for_a_polygon_of_its_shape() {
    let (x, y, weight) = clumps(3000, 3);
    let mut world = at(&x, &y, &weight, 0.0);
    let bounds = world.window.bounds();
    let (low, high) = (bounds.min(), bounds.max());
    let total = |sigma: f64, world: &Incidents| {
        let phase = Watch::NOBODY.phase("densities", 0);
        uniform_total(&Sites::new(world), &world.window, sigma, &phase).unwrap()
    };
    let sigmas = [1.0, 10.0, 40.0, 100.0, 400.0, 1000.0, 4000.0];
    let wanted = sigmas.map(|sigma| total(sigma, &world));
    let corners =
        [(low.x, low.y), ((low.x + high.x) / 2.0, low.y), (high.x, low.y), (high.x, high.y), (low.x, high.y)];
    world.window = area_of(corners.to_vec(), vec![]);
    assert!(!world.window.is_rectangle());
    for (sigma, wanted) in sigmas.into_iter().zip(wanted) {
        let found = total(sigma, &world);
        assert!((found / wanted - 1.0).abs() < 5e-5, "{sigma}: {found} against {wanted}");
    }
}

#[test]
fn too_many_places_are_refused_with_advice() {
    let n = 1_000_001;
    let x: Vec<f64> = (0..n).map(|at| f64::from(at % 1000) * 1.9 + 1.0).collect();
    let y: Vec<f64> = (0..n).map(|at| f64::from(at / 1000) * 1.9 + 1.0).collect();
    let many = at(&x, &y, &vec![1.0; n as usize], 0.0);
    for rule in [Rule::Diggle, Rule::Ppl, Rule::Lscv, Rule::Cvl] {
        let error = select(rule, &many).unwrap_err().to_string();
        assert!(error.contains("1000000") && error.contains("scott"), "{error}");
    }
    assert!(select(Rule::Scott, &many).is_ok());
}

#[test]
fn nobody_anywhere() {
    let none = incidents(vec![], vec![], None, (0.0, 0.0, 1000.0, 1000.0));
    let flat = density(&none, 100.0, 100.0);
    assert_eq!(flat.mass(), 0.0);
    assert_eq!(
        gi_star(&none, &GiStarParams::default(), &Watch::NOBODY).unwrap_err(),
        AnalysisError::NoIncidents
    );
    let clusters = dbscan(&none, &DbscanParams::new(metres(10.0), min_points(1)), &Watch::NOBODY).unwrap();
    assert!(clusters.clusters.is_empty() && clusters.labels.is_empty());
    assert_eq!(
        kde_adaptive(&none, &KdeAdaptiveParams::default(), &Watch::NOBODY).unwrap_err(),
        AnalysisError::NoIncidents
    );
    assert_eq!(
        kde_ratio(&none, &ratio_params("A", 100.0), &Watch::NOBODY).unwrap_err(),
        AnalysisError::NoIncidents
    );
    assert!(matches!(
        kde(&none, &KdeParams::default(), &Watch::NOBODY),
        Err(AnalysisError::RuleFailed { what: "cell", .. })
    ));
}

#[test]
fn everybody_in_one_place() {
    let stack = incidents(vec![510.0; 1000], vec![510.0; 1000], None, (0.0, 0.0, 1000.0, 1000.0));
    assert_eq!(Sites::new(&stack).len(), 1);
    let surface = density(&stack, 200.0, 20.0);
    let peak = 1000.0 * 3.0 / (PI * 200.0 * 200.0) * 1e6;
    assert!((surface.peak() / peak - 1.0).abs() < 1e-12, "{} {peak}", surface.peak());
    let half: Vec<bool> = (0..1000).map(|at| at % 2 == 0).collect();
    let risk = kde_ratio(&labelled(stack.clone(), &half), &ratio_params("A", 250.0), &Watch::NOBODY).unwrap();
    assert!(risk.defined() > 0 && risk.log_ratio.values.iter().all(|ratio| ratio.is_nan() || *ratio == 0.0));
    let adaptive = adaptive_of(&stack, Kernel::Quartic, (200.0, 300.0), Edge::JonesDiggle, "5");
    assert!((adaptive.mass() / 1000.0 - 1.0).abs() < 1e-9, "one place has one bandwidth, the global one");
    let clusters =
        dbscan(&stack, &DbscanParams::new(metres(10.0), min_points(1000)), &Watch::NOBODY).unwrap();
    assert_eq!((clusters.clusters.len(), clusters.noise()), (1, 0));
    let area = geo::Area::unsigned_area(&clusters.clusters[0].outline);
    assert!(area > 0.0, "a cluster on one place still has an outline");
    let scott = KdeParams {
        bandwidth: Bandwidth::Rule(Rule::Scott),
        cell: CellSize::Length(metres(50.0)),
        ..KdeParams::default()
    };
    assert!(matches!(
        kde(&stack, &scott, &Watch::NOBODY),
        Err(AnalysisError::RuleFailed { what: "bandwidth", .. })
    ));
}

#[test]
fn everybody_on_a_line() {
    let x: Vec<f64> = (0..50).map(|at| f64::from(at) * 20.0 + 5.0).collect();
    let line = incidents(x, vec![500.0; 50], None, (0.0, 0.0, 1000.0, 1000.0));
    let ends: Vec<bool> = (0..50).map(|at| at < 25).collect();
    let risk = kde_ratio(&labelled(line.clone(), &ends), &ratio_params("A", 300.0), &Watch::NOBODY).unwrap();
    assert!(risk.log_ratio.values[(5, 3)] > 0.0 && risk.log_ratio.values[(5, 6)] < 0.0);
    assert!(risk.log_ratio.values[(0, 0)].is_nan() && risk.p_high.values[(0, 0)].is_nan());
    let adaptive = adaptive_of(&line, Kernel::Quartic, (100.0, 100.0), Edge::Uniform, "5");
    assert!(adaptive.values.iter().all(|value| value.is_finite()) && adaptive.peak() > 0.0);
    let clusters = dbscan(&line, &DbscanParams::new(metres(20.0), min_points(3)), &Watch::NOBODY).unwrap();
    assert_eq!(
        (clusters.clusters.len(), clusters.noise()),
        (1, 0),
        "the ends are border places of the chain"
    );
    assert!(geo::Area::unsigned_area(&clusters.clusters[0].outline) > 0.0);
    let stats = gi_star(
        &line,
        &GiStarParams { counted: CellSize::Length(metres(100.0)).into(), ..Default::default() },
        &Watch::NOBODY,
    )
    .unwrap();
    assert_eq!(stats.count.iter().sum::<f64>(), 50.0);
}

#[test]
fn nobody_on_one_side_is_refused_with_the_kinds_there_are() {
    let one = incidents(vec![500.0], vec![500.0], None, (0.0, 0.0, 1000.0, 1000.0));
    let refused = |incidents: &Incidents, cases: &str| {
        let params = KdeRatioParams::new(cases.parse().unwrap());
        match kde_ratio(incidents, &params, &Watch::NOBODY).unwrap_err() {
            AnalysisError::NothingSelected { why, help } => (why, help.unwrap_or_default()),
            other => panic!("{other}"),
        }
    };
    assert_eq!(refused(&one, "kind=A").0, "no incident has a kind to choose by");
    assert_eq!(refused(&one, "since=2024-01-01").0, "no incident has a date to choose by");
    let mut one = one;
    one.kinds = Some(Kinds::from_names(["Robbery"].into_iter()));
    let (why, help) = refused(&one, "kind=robery");
    assert_eq!(why, "there is no kind \"robery\"");
    assert_eq!(help, "did you mean \"Robbery\"? the kinds are Robbery");
    let (why, help) = refused(&one, "kind=ROBBERY");
    assert_eq!(why, "no incident is a control: kind=ROBBERY chooses 1 of 1 incidents");
    assert_eq!(help, "the kinds are Robbery");
}

/// So many places with weight one, crowding in the west when `crowded`: their density there falls as 1/√x.
fn scattered(places: usize, crowded: bool) -> Incidents {
    let mut chance = Chance::new(2024, 0);
    let mut coordinates = |crowded: bool| {
        let parts: Vec<f64> = (0..places).map(|_| chance.below(20_000) as f64 / 20_000.0).collect();
        parts.iter().map(|part| if crowded { part * part } else { *part } * SIDE).collect::<Vec<_>>()
    };
    at(&coordinates(crowded), &coordinates(false), &vec![1.0; places], 0.0)
}

/// `labelings` random divisions of the same places, and what `take` reads from each.
fn under_random_labels(
    world: &Incidents,
    labelings: u64,
    params: &KdeRatioParams,
    take: impl Fn(&Risk) -> f64,
) -> Vec<f64> {
    let places = world.len();
    (1..=labelings)
        .map(|labeling| {
            let labels = Chance::new(99, labeling).choose(places * 2 / 5, places);
            let params = KdeRatioParams { seed: labeling, ..params.clone() };
            take(&kde_ratio(&labelled(world.clone(), &labels), &params, &Watch::NOBODY).unwrap())
        })
        .collect()
}

#[test]
fn p_of_dealt_labels_is_even_where_there_is_no_difference() {
    for adaptive in [false, true] {
        let params = either(adaptive, KdeRatioParams { permutations: 39, ..ratio_params("A", 600.0) });
        let mut p =
            under_random_labels(&scattered(80, adaptive), 200, &params, |risk| risk.p_high.values[(9, 11)]);
        p.sort_by(f64::total_cmp);
        let n = p.len() as f64;
        let apart = |(at, p): (usize, &f64)| (p - at as f64 / n).abs().max((p - (at + 1) as f64 / n).abs());
        let farthest = p.iter().enumerate().map(apart).fold(0.0, f64::max);
        // Kolmogorov-Smirnov at 1 % for 200 values, and the step of p.
        assert!(farthest < 1.63 / n.sqrt() + 1.0 / 40.0, "{adaptive}: {farthest}");
    }
}

#[test]
fn z_is_standard_where_there_is_no_difference() {
    let params = ratio_params("A", 300.0);
    let z = under_random_labels(&scattered(3000, false), 200, &params, |risk| risk.z.values[(9, 11)]);
    let n = z.len() as f64;
    let mean = z.iter().sum::<f64>() / n;
    let variance = z.iter().map(|z| (z - mean).powi(2)).sum::<f64>() / (n - 1.0);
    // Three standard deviations of the mean and of the variance of 200 normal values.
    assert!(mean.abs() < 0.22 && (variance - 1.0).abs() < 0.3, "{mean} {variance}");
}

#[test]
fn the_standard_deviation_is_that_of_labels_dealt_at_random() {
    // What an incident adds to the sum at a cell is a. Of n incidents n₁ are drawn without replacement, so that the
    // difference of the means of both sides has the variance S²(1/n₁ + 1/n₂), and its share of the mean is the log-ratio.
    let n = 10_000;
    for (edge, adaptive) in [(Edge::Uniform, false), (Edge::JonesDiggle, false), (Edge::Uniform, true)] {
        let world = scattered(n, adaptive);
        let labels = Chance::new(99, 1).choose(n * 2 / 5, n);
        // Fine cells, because the corrections are integrals on them.
        let cell = CellSize::Length(metres(20.0));
        let params = either(adaptive, KdeRatioParams { edge, cell, ..ratio_params("A", 300.0) });
        let risk = kde_ratio(&labelled(world.clone(), &labels), &params, &Watch::NOBODY).unwrap();
        let grid = &risk.log_ratio.grid;
        let sites = Sites::new(&world);
        let places = sites.ordered();
        let h = if adaptive {
            let pilot = Pilot { grid, kernel: Kernel::Quartic, h: 300.0, edge }.at_places(places);
            let law = Abramson::new(&pilot, places.weight, 300.0, Cap::default()).unwrap();
            pilot.into_iter().map(|pilot| law.bandwidth(pilot)).collect()
        } else {
            vec![300.0; places.x.len()]
        };
        let share = match edge {
            Edge::JonesDiggle => mass_at_each((places.x, places.y), &h, grid, Kernel::Quartic),
            _ => vec![1.0; h.len()],
        };
        for (row, column) in [(49, 51), (50, 99), (50, 0), (0, 99), (0, 0)] {
            let (u, v) = (grid.centre_x(column), grid.centre_y(row));
            let a = |at: usize| {
                let u2 = ((places.x[at] - u).powi(2) + (places.y[at] - v).powi(2)) / h[at].powi(2);
                Kernel::Quartic.value(u2) / h[at].powi(2) / share[at]
            };
            let (mut sum, mut squares) = (0.0, 0.0);
            for at in 0..h.len() {
                sum += places.weight[at] * a(at);
                squares += places.weight[at] * a(at).powi(2);
            }
            let n = n as f64;
            let variance = (squares - sum * sum / n) / (n - 1.0) * (1.0 / (0.4 * n) + 1.0 / (0.6 * n));
            let wanted = variance.sqrt() / (sum / n);
            let found = risk.log_ratio.values[(row, column)] / risk.z.values[(row, column)];
            assert!(
                (found / wanted - 1.0).abs() < 0.05,
                "{edge:?} {adaptive} {row} {column}: {found}, not {wanted}"
            );
        }
    }
}

#[test]
fn what_the_ratio_cannot_answer_is_refused_with_what_can() {
    let x: Vec<f64> = (0..40).map(|at| f64::from(at % 7) * 250.0 + 100.0).collect();
    let y: Vec<f64> = (0..40).map(|at| f64::from(at % 11) * 150.0 + 100.0).collect();
    let (world, _) = two_kinds(&x, &y, &[1.0; 40], 3, 0.0);
    let refused = |params: &KdeRatioParams| match kde_ratio(&world, params, &Watch::NOBODY).unwrap_err() {
        AnalysisError::Parameter { why, .. } => why,
        other => panic!("{other}"),
    };
    let fixed = ratio_params("A", 400.0);
    let pilot = Some(Bandwidth::Length(metres(300.0)));
    assert!(refused(&KdeRatioParams { pilot, ..fixed.clone() }).starts_with("--pilot says nothing"));
    let cap = "3".parse().unwrap();
    assert!(refused(&KdeRatioParams { cap, ..fixed.clone() }).contains("add --spread abramson"));
    for edge in [Edge::None, Edge::JonesDiggle] {
        let adapted = KdeRatioParams { edge, ..abramson(fixed.clone(), 300.0) };
        assert!(refused(&adapted).contains("--permutations 999"));
        assert!(kde_ratio(&world, &KdeRatioParams { permutations: 1, ..adapted }, &Watch::NOBODY).is_ok());
    }
}

#[test]
fn a_contour_that_the_permutations_cannot_reach_is_announced() {
    let x: Vec<f64> = (0..40).map(|at| f64::from(at % 7) * 250.0 + 100.0).collect();
    let y: Vec<f64> = (0..40).map(|at| f64::from(at % 11) * 150.0 + 100.0).collect();
    let (world, _) = two_kinds(&x, &y, &[1.0; 40], 3, 0.0);
    for (permutations, level, enough) in [
        (0, None, ""),
        (9, Some(0.05), "19"),
        (18, Some(0.05), "19"),
        (19, Some(0.01), "99"),
        (98, Some(0.01), "99"),
        (99, None, ""),
    ] {
        let risk =
            kde_ratio(&world, &KdeRatioParams { permutations, ..ratio_params("A", 500.0) }, &Watch::NOBODY)
                .unwrap();
        let note = risk.log_ratio.notes.iter().find(|note| note.code == "contour_out_of_reach");
        assert_eq!(note.and_then(|note| note.value.as_ref()?.as_f64()), level, "{permutations}");
        let reason = note.and_then(|note| note.reason.clone()).unwrap_or_default();
        assert!(reason.contains(enough), "{permutations}: {reason}");
        let least = risk.p_high.values.iter().chain(&risk.p_low.values).copied().fold(1.0, f64::min);
        for contour in &risk.contours {
            assert!(contour.level >= least, "{permutations}: {} below {least}", contour.level);
        }
    }
}

#[test]
fn a_contour_holds_the_cells_of_its_level_and_no_other() {
    let mut chance = Chance::new(5, 0);
    let mut coordinates = || (0..300).map(|_| chance.below(2000) as f64).collect::<Vec<_>>();
    let (world, _) = two_kinds(&coordinates(), &coordinates(), &[1.0; 300], 3, 0.0);
    // With 19 dealings p = 0.05 is the lowest there is.
    for permutations in [19, 99] {
        let risk =
            kde_ratio(&world, &KdeRatioParams { permutations, ..ratio_params("A", 200.0) }, &Watch::NOBODY)
                .unwrap();
        let grid = &risk.p_high.grid;
        let mut held = 0;
        for cell in grid.cells() {
            let centre = geo::Point::new(grid.centre_x(cell % grid.nx()), grid.centre_y(cell / grid.nx()));
            let within = risk.contours.iter().any(|contour| {
                contour.tail == Tail::High
                    && contour.level == 0.05
                    && geo::Contains::contains(&contour.outline, &centre)
            });
            assert_eq!(within, risk.p_high.value(cell) <= 0.05, "{permutations} {cell}");
            held += usize::from(within);
        }
        assert!(held > 0, "{permutations}");
        let cell = grid.cell_km2() * 1e6;
        let area = |contour: &brasa_model::Contour| geo::Area::unsigned_area(&contour.outline);
        // Between p = 0.05 and p = 1 the crossing is near the former, and not upon it.
        assert!(risk.contours.iter().all(|contour| area(contour) > 1e-4 * cell), "an outline of nothing");
    }
}

#[test]
fn a_planted_excess_is_found_inside_its_contour() {
    let mut chance = Chance::new(5, 0);
    let mut coordinate = |low: u64, high: u64| (low + chance.below(high - low)) as f64;
    let mut places: Vec<(f64, f64)> = (0..600).map(|_| (coordinate(0, 2000), coordinate(0, 2000))).collect();
    places.extend((0..60).map(|_| (coordinate(1300, 1600), coordinate(400, 700))));
    let (x, y): (Vec<f64>, Vec<f64>) = places.into_iter().unzip();
    let is_case: Vec<bool> = (0..x.len()).map(|at| at >= 600 || at % 4 == 0).collect();
    let world = labelled(at(&x, &y, &vec![1.0; x.len()], 0.0), &is_case);
    for permutations in [0, 199] {
        let risk =
            kde_ratio(&world, &KdeRatioParams { permutations, ..ratio_params("A", 400.0) }, &Watch::NOBODY)
                .unwrap();
        let planted = geo::Point::new(1450.0, 550.0);
        let sure = risk.contours.iter().filter(|contour| contour.tail == Tail::High && contour.level == 0.01);
        assert!(
            sure.clone().any(|contour| geo::Contains::contains(&contour.outline, &planted)),
            "{permutations}"
        );
    }
}

#[test]
fn the_same_in_every_zone_is_refused() {
    let x: Vec<f64> = (0..100).map(|at| f64::from(at % 10) * 100.0 + 50.0).collect();
    let y: Vec<f64> = (0..100).map(|at| f64::from(at / 10) * 100.0 + 50.0).collect();
    let even = incidents(x, y, None, (0.0, 0.0, 1000.0, 1000.0));
    let params = GiStarParams { counted: CellSize::Length(metres(100.0)).into(), ..Default::default() };
    assert_eq!(
        gi_star(&even, &params, &Watch::NOBODY).unwrap_err(),
        AnalysisError::NoVariance { zones: 100, count: 1.0 }
    );
}

#[test]
fn a_bandwidth_that_does_not_suit_is_warned_of() {
    let world = incidents(vec![500.0], vec![500.0], None, (0.0, 0.0, 1000.0, 1000.0));
    let codes = |bandwidth: f64| -> Vec<String> {
        density(&world, bandwidth, 100.0).notes.into_iter().map(|note| note.code).collect()
    };
    assert_eq!(codes(50.0), ["bandwidth_below_cell"]);
    assert_eq!(codes(300.0), [""; 0]);
    assert_eq!(codes(1500.0), ["bandwidth_beyond_window"]);
}

#[test]
fn a_raster_by_its_number_of_cells_spans_the_study_area() {
    let world = incidents(vec![500.0], vec![250.0], None, (0.0, 0.0, 1000.0, 500.0));
    let params = KdeParams {
        bandwidth: Bandwidth::Length(metres(300.0)),
        grid: Some("8x6".parse().unwrap()),
        ..KdeParams::default()
    };
    let surface = kde(&world, &params, &Watch::NOBODY).unwrap();
    assert_eq!((surface.grid.nx(), surface.grid.ny(), surface.grid.cell().get()), (8, 6, 125.0));
    let naive = naive_density(&world, &surface.grid, Kernel::Quartic, 300.0);
    for (cell, wanted) in surface.grid.cells().zip(naive) {
        assert!((surface.value(cell) - wanted).abs() < 1e-9 * surface.peak());
    }
}

#[test]
fn two_zones_with_different_counts_differ() {
    let pair = incidents(vec![50.0, 60.0, 950.0], vec![50.0, 60.0, 950.0], None, (0.0, 0.0, 1000.0, 1000.0));
    let params = GiStarParams {
        counted: CellSize::Length(metres(100.0)).into(),
        neighbours: Neighbours::Queen,
        ..GiStarParams::default()
    };
    let stats = gi_star(&pair, &params, &Watch::NOBODY).unwrap();
    assert!(stats.z[0] > stats.z[99] && stats.z[99] > stats.z[50]);
}

#[test]
fn a_grid_on_the_given_cells_is_the_whole_fraction_it_says() {
    let world = incidents(vec![500.0], vec![500.0], None, (0.0, 0.0, 1000.0, 1000.0));
    let grid = Grid::covering(&world.window, metres(250.0)).unwrap();
    let fine = grid.refined(&world.window, 4).unwrap();
    assert_eq!((fine.nx(), fine.ny(), fine.cell().get()), (16, 16, 62.5));
    let surface = kde::on_grid(&Sites::new(&world), fine, Kernel::Quartic, metres(300.0), Edge::None);
    assert!(surface.peak() > 0.0);
}
