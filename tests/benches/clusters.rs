//! How long a clustering takes, from coordinates in memory to clusters with their outlines.
//!
//!     cargo bench -p brasa-tests --bench clusters -- CITY.npy dbscan [threads [eps [min-points]]]
//!     cargo bench -p brasa-tests --bench clusters -- CITY.npy st-dbscan [threads [eps [min-points [days]]]]
//!     cargo bench -p brasa-tests --bench clusters -- CITY.npy hdbscan [threads [min-cluster-size]]
//!     cargo bench -p brasa-tests --bench clusters -- CITY.npy optics [threads [min-points [min-cluster-size [max-eps]]]]
//!
//! CITY.npy holds rows of x, y, t (f64; metres and days) in the box of 30 km × 40 km whose south-west corner is
//! (485000, 5400000). One JSON line: CPU seconds (all threads, least of five), wall seconds (median), the most memory
//! beyond the input (MiB), and clusters and noise, to be compared with other implementations on the same data before their
//! times are. For dbscan also the seconds and the memory to the labels alone, which is what others time.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a bench prints, and stops where it cannot go on"
)]

mod common;

use std::num::NonZeroU32;

use brasa_model::{Civil, Clusters, Incidents, Interval, Metres, Span, Times};
use brasa_spatial_index::cores::{Reach, cores};
use brasa_spatial_index::hierarchy::ClusterSize;
use brasa_spatial_index::methods::cluster::dbscan::{DbscanParams, dbscan};
use brasa_spatial_index::methods::cluster::hdbscan::{HdbscanParams, hdbscan};
use brasa_spatial_index::methods::cluster::optics::{OpticsParams, optics};
use brasa_spatial_index::methods::cluster::st_dbscan::{StDbscanParams, st_dbscan};
use brasa_spatial_index::{Sites, Watch};
use common::{columns, measured};

/// The incidents, and their times if they are asked for.
fn city(path: &str, timed: bool) -> Incidents {
    let [x, y, days] = columns(path);
    let instant = |days: f64| {
        let start = (days * 86_400.0).floor() as i64;
        Some(Interval { start: Civil(start), end: Civil(start + 1) })
    };
    let times = timed.then(|| Times::new(days.into_iter().map(instant).collect(), None));
    Incidents {
        times,
        ..brasa_tests::incidents(x, y, None, (485_000.0, 5_400_000.0, 515_000.0, 5_440_000.0))
    }
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let (Some(path), Some(method)) = (args.first(), args.get(1)) else {
        eprintln!("skipped: name the file of points and the method, see the head of this file");
        return;
    };
    let number = |at: usize, default: f64| args.get(at).map_or(default, |text| text.parse::<f64>().unwrap());
    let count = |at: usize, default: f64| NonZeroU32::new(number(at, default) as u32).unwrap();
    let length = |at: usize, default: f64| Metres::new(number(at, default)).unwrap();
    rayon::ThreadPoolBuilder::new().num_threads(number(2, 0.0) as usize).build_global().unwrap();
    let incidents = city(path, method == "st-dbscan");
    let watch = &Watch::NOBODY;

    let peak = Peak::from_now();
    let (mut labels, mut sites_alone) = (String::new(), String::new());
    let (cpu, wall, found): (f64, f64, Clusters) = match method.as_str() {
        "dbscan" => {
            let (eps, min_points) = (length(3, 100.0), count(4, 20.0));
            // Once, before what other runs leave behind in the allocator's hands.
            labelled(&incidents, eps, min_points);
            let mib = peak.mib();
            let (cpu, wall, _) = measured(|| labelled(&incidents, eps, min_points));
            labels = format!(
                ", \"labels_cpu_s\": {cpu:.4}, \"labels_wall_s\": {wall:.4}, \"labels_mib\": {mib:.1}"
            );
            let (cpu, _, places) = measured(|| Sites::new(&incidents).len());
            sites_alone = format!(", \"sites\": {places}, \"sites_cpu_s\": {cpu:.4}");
            let params = DbscanParams::new(eps, min_points);
            measured(|| dbscan(&incidents, &params, watch).unwrap())
        }
        "st-dbscan" => {
            let eps_time = Span::new((number(5, 7.0) * 86_400.0) as i64).unwrap();
            let params = StDbscanParams::new(length(3, 200.0), eps_time, count(4, 5.0));
            measured(|| st_dbscan(&incidents, &params, watch).unwrap())
        }
        "hdbscan" => {
            let params = HdbscanParams::new(ClusterSize::new(count(3, 50.0).get()).unwrap());
            measured(|| hdbscan(&incidents, &params, watch).unwrap())
        }
        "optics" => {
            let params = OpticsParams {
                min_points: count(3, 5.0),
                min_cluster_size: args.get(4).map(|_| ClusterSize::new(count(4, 50.0).get()).unwrap()),
                max_eps: args.get(5).map(|_| length(5, 100.0)),
                ..OpticsParams::default()
            };
            measured(|| optics(&incidents, &params, watch).unwrap())
        }
        other => {
            eprintln!("{other} is not measured here, see the head of this file");
            return;
        }
    };
    println!(
        "{{\"n\": {}, \"method\": \"{method}\", \"given\": {:?}, \"threads\": {}{sites_alone}{labels}, \"cpu_s\": {cpu:.4}, \"wall_s\": {wall:.4}, \"mib\": {:.0}, \"clusters\": {}, \"noise\": {}}}",
        incidents.len(),
        args.get(3..).unwrap_or_default(),
        rayon::current_num_threads(),
        peak.mib(),
        found.clusters.len(),
        found.noise(),
    );
}

/// The labels of DBSCAN, without outlines.
fn labelled(incidents: &Incidents, eps: Metres, min_points: NonZeroU32) -> Vec<Option<u32>> {
    let sites = Sites::new(incidents);
    let place = |at: usize| [sites.x[at], sites.y[at]];
    let reach = Reach { eps: eps.get(), time: 0.0 };
    let found = cores(sites.len(), place, |at| sites.weight[at], reach, f64::from(min_points.get())).unwrap();
    sites.of_incident.iter().map(|&site| found.group[site as usize]).collect()
}

/// A line of the kernel's account of this process, in MiB.
fn memory(name: &str) -> f64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.trim_start_matches(':').trim_end_matches("kB").trim().parse::<f64>().unwrap() / 1024.0
}

/// The most memory that is taken beyond what is taken now, in MiB.
struct Peak(f64);

impl Peak {
    /// Begins to look; what was taken before does not count.
    fn from_now() -> Self {
        std::fs::write("/proc/self/clear_refs", "5").unwrap();
        Self(memory("VmRSS"))
    }

    /// MiB so far.
    fn mib(&self) -> f64 {
        memory("VmHWM") - self.0
    }
}
