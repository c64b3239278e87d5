//! OPTICS: numbers from outside, the slow and obvious form, and the laws.

use std::collections::BTreeSet;

use brasa_model::{Clusters, Incidents, Metres};
use brasa_spatial_index::cores::cores_of_sites;
use brasa_spatial_index::hierarchy::ClusterSize;
use brasa_spatial_index::methods::cluster::optics::{OpticsParams, optics};
use brasa_spatial_index::methods::cluster::reachability::{ReachabilityParams, reachability};
use brasa_spatial_index::ordering::xi::Xi;
use brasa_spatial_index::ordering::{Step, ordering};
use brasa_spatial_index::{AnalysisError, Sites, Watch};
use brasa_tests::{discs, incidents};
use proptest::prelude::*;

const WORLD: (f64, f64, f64, f64) = (-2e3, -2e3, 2e3, 2e3);

fn params(points: u32, size: u32, xi: f64, max_eps: f64) -> OpticsParams {
    OpticsParams {
        min_points: points.try_into().unwrap(),
        xi: Xi::new(xi).unwrap(),
        min_cluster_size: Some(ClusterSize::new(size).unwrap()),
        max_eps: Metres::new(max_eps).ok(),
        ..OpticsParams::default()
    }
}

fn run(incidents: &Incidents, params: &OpticsParams) -> Clusters {
    optics(incidents, params, &Watch::NOBODY).unwrap()
}

fn plot(sites: &Sites, points: u32, limit: f64) -> Vec<Step> {
    ordering(sites, f64::from(points), limit, &Watch::NOBODY).unwrap()
}

/// What sklearn.cluster.OPTICS 1.9.1 says of the discs, its rows sorted by core distance, northing and easting: the whole order as
/// Σ place in the order × point, places that begin anew, Σ place in the order × reachability, noise, and per cluster its size
/// and Σ point.
struct Outside {
    order: u64,
    begins: usize,
    reach: f64,
    noise: usize,
    clusters: &'static [(u64, u64)],
}

#[test]
fn discs_have_the_order_reachability_and_clusters_of_scikit_learn() {
    let (x, y) = discs();
    let world = incidents(x, y, None, (0.0, 0.0, 5e3, 5e3));
    let sites = Sites::new(&world);
    let mut point = vec![0_u64; sites.len()];
    for (&site, number) in sites.of_incident.iter().zip(0..) {
        point[site as usize] = number;
    }
    for ((points, size, xi, max_eps), wanted) in [
        (
            (5, 50, 0.05, f64::INFINITY),
            Outside {
                order: 6_651_777_626,
                begins: 1,
                reach: 219_830_234.672_224_82,
                noise: 751,
                clusters: &[(474, 767_326), (454, 732_938), (451, 731_972), (436, 722_048), (434, 717_434)],
            },
        ),
        (
            (20, 20, 0.05, f64::INFINITY),
            Outside {
                order: 6_716_863_435,
                begins: 1,
                reach: 499_500_156.912_205_9,
                noise: 2503,
                clusters: &[
                    (33, 51_117),
                    (32, 46_766),
                    (29, 42_132),
                    (27, 38_339),
                    (26, 43_390),
                    (26, 37_700),
                    (26, 37_070),
                    (25, 38_966),
                    (25, 36_216),
                    (25, 34_055),
                    (23, 37_142),
                    (23, 36_475),
                    (23, 36_176),
                    (23, 35_877),
                    (23, 30_873),
                    (22, 31_990),
                    (22, 29_986),
                    (22, 29_238),
                    (22, 28_360),
                    (20, 26_400),
                ],
            },
        ),
        (
            (10, 100, 0.02, f64::INFINITY),
            Outside {
                order: 6_703_159_700,
                begins: 1,
                reach: 308_697_635.297_236,
                noise: 945,
                clusters: &[(476, 729_057), (471, 722_123), (465, 719_526), (428, 673_556), (215, 341_534)],
            },
        ),
        (
            (5, 30, 0.1, 100.0),
            Outside {
                order: 6_691_096_794,
                begins: 414,
                reach: 100_543_817.725_575_9,
                noise: 432,
                clusters: &[(533, 799_395), (514, 769_776), (513, 766_749), (508, 760_180), (500, 750_500)],
            },
        ),
    ] {
        let steps = plot(&sites, points, max_eps);
        let order: u64 = steps.iter().zip(1..).map(|(step, at)| at * point[step.site as usize]).sum();
        assert_eq!(order, wanted.order, "{points} points, {max_eps} m");
        assert_eq!(steps.iter().filter(|step| step.reach.is_infinite()).count(), wanted.begins);
        let known = steps.iter().zip(1..).filter(|(step, _)| step.reach.is_finite());
        let reach: f64 = known.map(|(step, at)| f64::from(at) * step.reach).sum();
        assert!((reach / wanted.reach - 1.0).abs() < 1e-12, "{reach} against {}", wanted.reach);

        let found = run(&world, &params(points, size, xi, max_eps));
        assert_eq!(found.noise(), wanted.noise);
        let mut clusters = vec![(0, 0); found.clusters.len()];
        for (label, number) in found.labels.iter().zip(0..) {
            if let Some(label) = label {
                let (size, sum) = &mut clusters[*label as usize - 1];
                (*size, *sum) = (*size + 1, *sum + number);
            }
        }
        clusters.sort_by(|a: &(u64, u64), b| b.cmp(a));
        assert_eq!(clusters, wanted.clusters, "{points} points, {size} in a cluster, {max_eps} m");
    }
}

/// OPTICS with all pairs of distances, and xi over the incidents one by one.
mod naive {
    use super::*;

    /// Per incident in order: its site, reachability, and the first incident of the site it was reached from.
    pub type Plot = Vec<(usize, f64, Option<usize>)>;

    pub fn plot(sites: &Sites, points: u32, limit: f64) -> Plot {
        let n = sites.len();
        let square = |a: usize, b: usize| {
            let (dx, dy) = (sites.x[a] - sites.x[b], sites.y[a] - sites.y[b]);
            dx * dx + dy * dy
        };
        let core: Vec<f64> = (0..n)
            .map(|a| {
                let mut all: Vec<(f64, f64)> = (0..n).map(|b| (square(a, b), sites.weight[b])).collect();
                all.sort_by(|a, b| a.0.total_cmp(&b.0));
                let mut sum = 0.0;
                let enough = all.iter().find(|(_, weight)| {
                    sum += weight;
                    sum >= f64::from(points)
                });
                enough.map_or(f64::INFINITY, |found| found.0)
            })
            .map(|core| if core > limit * limit { f64::INFINITY } else { core })
            .collect();
        let mut reach: Vec<(f64, Option<usize>)> = vec![(f64::INFINITY, None); n];
        let mut left: BTreeSet<usize> = (0..n).collect();
        let mut plot = Plot::new();
        while let Some(&next) = left.iter().min_by(|&&a, &&b| {
            reach[a]
                .0
                .total_cmp(&reach[b].0)
                .then(core[a].total_cmp(&core[b]))
                .then(sites.weight[b].total_cmp(&sites.weight[a]).then(a.cmp(&b)))
        }) {
            left.remove(&next);
            let (own, mut from) = reach[next];
            let first = plot.len();
            plot.push((next, own.sqrt(), from));
            if core[next] < own {
                from = Some(first);
            }
            for _ in 1..sites.weight[next] as usize {
                plot.push((next, own.min(core[next]).sqrt(), from));
            }
            for &other in left.iter().filter(|_| core[next].is_finite()) {
                let far = square(next, other).max(core[next]);
                if square(next, other) <= limit * limit && far < reach[other].0 {
                    reach[other] = (far, Some(first));
                }
            }
        }
        plot
    }

    fn extend(
        n: usize,
        steep: &dyn Fn(usize) -> bool,
        turns: &dyn Fn(usize) -> bool,
        start: usize,
        points: u32,
    ) -> usize {
        let (mut end, mut gentle) = (start, 0);
        for at in start..n {
            if steep(at) {
                (end, gentle) = (at, 0);
            } else if turns(at) {
                return end;
            } else {
                gentle += 1;
                if gentle > points {
                    return end;
                }
            }
        }
        end
    }

    /// The sites of each innermost cluster, from figure 19 of the paper as scikit-learn reads it; a cluster is widened to
    /// whole stacks before its end is corrected.
    pub fn clusters(plot: &Plot, points: u32, size: u32, xi: f64) -> BTreeSet<Vec<usize>> {
        let n = plot.len();
        let r: Vec<f64> = plot.iter().map(|step| step.1).chain([f64::INFINITY]).collect();
        let slope = |at: usize| r[at] / r[at + 1];
        let falls = |at: usize| slope(at) >= 1.0 / (1.0 - xi);
        let rises = |at: usize| slope(at) <= 1.0 - xi;
        let (mut index, mut mib) = (0, 0.0_f64);
        let mut downs: Vec<(usize, usize, f64)> = Vec::new();
        let mut all: Vec<(usize, usize)> = Vec::new();
        for at in 0..n {
            if at < index || !(falls(at) || rises(at)) {
                continue;
            }
            mib = r[index..=at].iter().copied().fold(mib, f64::max);
            downs = if mib.is_infinite() {
                Vec::new()
            } else {
                let kept = downs.into_iter().filter(|down| mib <= r[down.0] * (1.0 - xi));
                kept.map(|down| (down.0, down.1, down.2.max(mib))).collect()
            };
            if falls(at) {
                let end = extend(n, &falls, &|at| slope(at) < 1.0, at, points);
                downs.push((at, end, 0.0));
                index = end + 1;
            } else {
                let end = extend(n, &rises, &|at| slope(at) > 1.0, at, points);
                index = end + 1;
                let mut here = Vec::new();
                for &(start, down_end, down_mib) in &downs {
                    let (mut s, mut e) = (start, end);
                    if r[e + 1] * (1.0 - xi) < down_mib {
                        continue;
                    }
                    if r[start] * (1.0 - xi) >= r[e + 1] {
                        while s < down_end && r[s + 1] > r[e + 1] {
                            s += 1;
                        }
                    } else if r[e + 1] * (1.0 - xi) >= r[start] {
                        while e > at && r[e - 1] > r[start] {
                            e -= 1;
                        }
                    }
                    while s > 0 && plot[s - 1].0 == plot[s].0 {
                        s -= 1;
                    }
                    while e + 1 < n && plot[e + 1].0 == plot[e].0 {
                        e += 1;
                    }
                    while s < e && r[s] <= r[e] && !(s..e).any(|inside| plot[e].2 == Some(inside)) {
                        e -= 1;
                    }
                    if s < e && e - s + 1 >= size as usize && s <= down_end && e >= at {
                        here.push((s, e));
                    }
                }
                here.reverse();
                all.extend(here);
            }
            mib = r[index];
        }
        let mut labelled = BTreeSet::new();
        let mut found = BTreeSet::new();
        for (s, e) in all {
            let sites: BTreeSet<usize> = plot[s..=e].iter().map(|step| step.0).collect();
            if labelled.is_disjoint(&sites) {
                labelled.extend(sites.iter().copied());
                found.insert(sites.into_iter().collect());
            }
        }
        found
    }
}

/// Incidents on a coarse lattice, full of stacks and ties, or anywhere.
fn world() -> impl Strategy<Value = (Vec<f64>, Vec<f64>)> {
    let lattice = (0..9_u32, 0..9_u32).prop_map(|(x, y)| (f64::from(x) * 100.0, f64::from(y) * 100.0));
    let anywhere = (0.0..900.0_f64, 0.0..900.0_f64);
    prop_oneof![
        prop::collection::vec(lattice.clone(), 1..90),
        prop::collection::vec(anywhere.clone(), 1..90),
        prop::collection::vec(prop_oneof![lattice, anywhere], 1..90),
    ]
    .prop_map(|places| places.into_iter().unzip())
}

fn limits() -> impl Strategy<Value = f64> {
    prop_oneof![Just(f64::INFINITY), Just(100.0), 20.0..400.0_f64]
}

fn bits(steps: &[Step]) -> Vec<(u32, u64, u64)> {
    steps.iter().map(|step| (step.site, step.reach.to_bits(), step.core.to_bits())).collect()
}

fn on_threads<T: Send>(threads: usize, work: impl FnOnce() -> T + Send) -> T {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(work)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn plot_and_clusters_are_those_of_the_definition(
        (x, y) in world(), points in 1..7_u32, size in 2..8_u32, xi in prop_oneof![Just(0.05), 0.01..0.6], limit in limits(),
    ) {
        let world = incidents(x, y, None, WORLD);
        let sites = Sites::new(&world);
        let wanted = naive::plot(&sites, points, limit);
        let mut each = Vec::new();
        let mut first = Vec::new();
        let steps = plot(&sites, points, limit);
        for step in &steps {
            first.push(each.len());
            for _ in 0..step.weight as usize {
                each.push((step.site as usize, step.reach, step.from.map(|from| first[from as usize])));
            }
        }
        prop_assert_eq!(&each, &wanted);

        let found = run(&world, &params(points, size, xi, limit));
        let mut ours = vec![BTreeSet::new(); found.clusters.len()];
        for (label, &site) in found.labels.iter().zip(&sites.of_incident) {
            if let Some(label) = label {
                ours[*label as usize - 1].insert(site as usize);
            }
        }
        let ours: BTreeSet<Vec<usize>> = ours.into_iter().map(|sites| sites.into_iter().collect()).collect();
        prop_assert_eq!(ours, naive::clusters(&wanted, points, size, xi));
    }

    #[test]
    fn a_line_across_the_plot_cuts_off_the_groups_of_dbscan((x, y) in world(), points in 1..7_u32, limit in limits(), eps in 10.0..400.0_f64) {
        let eps = eps.min(limit);
        let sites = Sites::new(&incidents(x, y, None, WORLD));
        let wanted = cores_of_sites(&sites, eps, points.try_into().unwrap()).unwrap();
        let mut group = vec![None; sites.len()];
        let mut number = 0;
        for step in plot(&sites, points, limit) {
            number += u32::from(step.reach > eps);
            prop_assert_eq!(step.core <= eps, wanted.core[step.site as usize]);
            if step.core <= eps {
                group[step.site as usize].get_or_insert(number);
            }
        }
        for a in (0..sites.len()).filter(|&a| wanted.core[a]) {
            for b in (0..a).filter(|&b| wanted.core[b]) {
                prop_assert_eq!(group[a] == group[b], wanted.group[a] == wanted.group[b], "{} {}", a, b);
            }
        }
    }

    #[test]
    fn rows_threads_copies_and_a_shift_change_nothing((x, y) in world(), seed in 0..1000_usize, size in 2..6_u32, limit in limits()) {
        let params = params(3, size, 0.05, limit);
        let first = on_threads(1, || run(&incidents(x.clone(), y.clone(), None, WORLD), &params));
        let three = on_threads(3, || run(&incidents(x.clone(), y.clone(), None, WORLD), &params));
        prop_assert_eq!(&first.labels, &three.labels);
        let mut order: Vec<usize> = (0..x.len()).collect();
        order.sort_by_key(|&at| (at + 1).wrapping_mul(2 * seed + 0x9E37_79B9) % 10_007);
        let pick = |values: &[f64]| order.iter().map(|&at| values[at]).collect::<Vec<_>>();
        let mixed = incidents(pick(&x), pick(&y), None, WORLD);
        prop_assert_eq!(order.iter().map(|&at| first.labels[at]).collect::<Vec<_>>(), run(&mixed, &params).labels);
        // One incident per place, with the stack's weight.
        let sites = Sites::new(&incidents(x.clone(), y.clone(), None, WORLD));
        let heavy = incidents(sites.x.clone(), sites.y.clone(), Some(sites.weight.clone()), WORLD);
        prop_assert_eq!(bits(&plot(&sites, 3, limit)), bits(&plot(&Sites::new(&heavy), 3, limit)));
        let labels = run(&heavy, &params).labels;
        prop_assert!(sites.of_incident.iter().zip(&first.labels).all(|(&site, &label)| labels[site as usize] == label));
        // Whole metres can be shifted without rounding.
        let whole = |values: &[f64]| values.iter().map(|value| value.round()).collect::<Vec<_>>();
        let shift = |values: &[f64]| values.iter().map(|value| value.round() + 4_500_000.0).collect::<Vec<_>>();
        let plain = run(&incidents(whole(&x), whole(&y), None, WORLD), &params);
        prop_assert_eq!(plain.labels, run(&incidents(shift(&x), shift(&y), None, WORLD), &params).labels);
    }

    /// No two places weigh the same, so that none has to be told from another by where it lies.
    #[test]
    fn a_quarter_turn_changes_nothing_where_weights_tell_places_apart((x, y) in world(), points in 1..20_u32, limit in limits()) {
        let places = Sites::new(&incidents(x, y, None, WORLD));
        let (x, y) = (places.x.clone(), places.y.clone());
        let weight: Vec<f64> = (0..x.len()).map(|at| 0.25 + ((at * 31) % 97) as f64 / 16.0).collect();
        let turned: Vec<f64> = y.iter().map(|y| -y).collect();
        let (plain, turned) = (incidents(x.clone(), y, Some(weight.clone()), WORLD), incidents(turned, x, Some(weight), WORLD));
        let steps = [&plain, &turned].map(|world| {
            let sites = Sites::new(world);
            let mut incident = vec![0; sites.len()];
            for (&site, at) in sites.of_incident.iter().zip(0_u32..) {
                incident[site as usize] = at;
            }
            let steps = plot(&sites, points, limit).into_iter();
            bits(&steps.map(|step| Step { site: incident[step.site as usize], ..step }).collect::<Vec<_>>())
        });
        prop_assert_eq!(&steps[0], &steps[1]);
        let params = params(points, 4, 0.05, limit);
        let [plain, turned] = [&plain, &turned].map(|world| run(world, &params).labels);
        // Equally heavy clusters are numbered from the south.
        for a in 0..plain.len() {
            prop_assert_eq!(plain[a].is_some(), turned[a].is_some());
            for b in 0..a {
                prop_assert_eq!(plain[a] == plain[b], turned[a] == turned[b]);
            }
        }
    }
}

fn names(clusters: &Clusters) -> Vec<&str> {
    clusters.notes.iter().map(|note| note.code.as_str()).collect()
}

#[test]
fn degenerate_worlds_have_plain_answers() {
    let everywhere = f64::INFINITY;
    let nobody = run(&incidents(vec![], vec![], None, WORLD), &params(2, 2, 0.05, everywhere));
    assert_eq!((nobody.labels.len(), names(&nobody)), (0, vec!["no_core"]));
    let few = run(&incidents(vec![1.0, 2.0], vec![0.0; 2], None, WORLD), &params(3, 2, 0.05, everywhere));
    assert_eq!((few.noise(), names(&few)), (2, vec!["no_core"]));
    let apart = run(&incidents(vec![1.0, 90.0], vec![0.0; 2], None, WORLD), &params(2, 2, 0.05, 50.0));
    assert_eq!((apart.noise(), names(&apart)), (2, vec!["no_core"]));
    // One that is a core by itself, and still no group.
    let one = run(&incidents(vec![1.0], vec![0.0], None, WORLD), &params(1, 2, 0.05, everywhere));
    assert_eq!((one.noise(), names(&one)), (1, vec!["no_valley"]));

    // All on one place; two stacks and one beside, reached from the second no higher than that from the first.
    let stack = run(&incidents(vec![7.0; 30], vec![7.0; 30], None, WORLD), &params(5, 5, 0.05, everywhere));
    assert_eq!((stack.noise(), stack.clusters.len()), (0, 1));
    let x: Vec<f64> = (0..21).map(|at| f64::from(at / 10) * 50.0).collect();
    let two = run(&incidents(x, vec![0.0; 21], None, WORLD), &params(5, 5, 0.05, everywhere));
    assert_eq!((two.clusters.len(), two.clusters[0].incidents, two.clusters[1].incidents), (2, 11, 10));

    // On a line, equally far apart: one flat valley, from where nobody was reached to the end. With a gap, two.
    let x: Vec<f64> = (0..40).map(f64::from).collect();
    let line = run(&incidents(x.clone(), x, None, WORLD), &params(2, 5, 0.05, everywhere));
    assert_eq!((line.noise(), line.clusters.len()), (0, 1));
    let x: Vec<f64> = (0..40).map(|at| f64::from(at + at / 20 * 10)).collect();
    let gap = run(&incidents(x.clone(), x, None, WORLD), &params(2, 5, 0.05, everywhere));
    assert_eq!((gap.noise(), gap.clusters.len()), (0, 2));
}

#[test]
fn the_plot_keeps_its_peaks_and_valleys_when_it_is_thinned() {
    let draw = |x: Vec<f64>, y: Vec<f64>| {
        reachability(&incidents(x, y, None, WORLD), &ReachabilityParams::default(), &Watch::NOBODY)
    };
    assert!(matches!(draw(vec![], vec![]), Err(AnalysisError::NoIncidents)));
    // A stack of seven and one beside it: the first of the stack, the six others, the one.
    let small = draw([vec![3.0; 7], vec![13.0]].concat(), vec![0.0; 8]).unwrap();
    assert_eq!(small.x.values, [0.0, 1.0, 7.0]);
    assert!(small.y[0].values[0].is_nan() && small.notes.is_empty());
    assert_eq!((&small.y[0].values[1..], &small.y[1].values[..]), (&[0.0, 10.0][..], &[0.0, 0.0, 10.0][..]));

    let (x, y) = discs();
    let whole = plot(&Sites::new(&incidents(x.clone(), y.clone(), None, WORLD)), 5, f64::INFINITY);
    let thin = draw(x, y).unwrap();
    assert!(thin.len() <= 2000 && thin.x.values.is_sorted());
    for (&before, &reach) in thin.x.values.iter().zip(&thin.y[0].values) {
        assert!(before == 0.0 || whole[before as usize].reach == reach);
    }
    // Stretches of three steps: none of the three is outside what two of them span.
    for stretch in 0..1000_usize {
        let kept: Vec<f64> = (3 * stretch..3 * stretch + 3)
            .filter_map(|at| thin.x.values.iter().position(|&before| before == at as f64))
            .map(|at| thin.y[0].values[at])
            .collect();
        let of = |values: &[f64]| {
            (values.iter().copied().fold(f64::INFINITY, f64::min), values.iter().copied().fold(0.0, f64::max))
        };
        let all: Vec<f64> = whole[3 * stretch..3 * stretch + 3]
            .iter()
            .map(|step| step.reach)
            .filter(|reach| reach.is_finite())
            .collect();
        assert!(stretch == 0 || of(&kept) == of(&all), "{stretch}: {kept:?} of {all:?}");
    }
}

#[test]
fn parameters_without_meaning_are_refused_by_name() {
    let refused = |text: &str| serde_json::from_str::<OpticsParams>(text).unwrap_err().to_string();
    for xi in ["0", "1", "-0.1", "7", "NaN", "steep"] {
        let said = refused(&format!("{{\"xi\": \"{xi}\"}}"));
        assert!(said.contains("give --xi between 0 and 1"), "{said}");
    }
    assert!(refused("{\"min-cluster-size\": 1}").contains("give --min-cluster-size 2 or more"));
    assert!(refused("{\"min-points\": 0}").contains("nonzero"));
    assert!(refused("{\"max-eps\": \"-5m\"}").contains('5'));
    assert!(refused("{\"eps\": \"5m\"}").contains("eps"));
}
