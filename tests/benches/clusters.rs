//! How long a clustering takes, from coordinates in memory to labels.
//!
//!     cargo bench -p brasa-tests --bench clusters -- CITY.npy dbscan [eps [min-points [threads]]]
//!     cargo bench -p brasa-tests --bench clusters -- CITY.npy st-dbscan [eps [min-points [threads [days]]]]
//!
//! CITY.npy holds rows of x, y, t (f64; metres and days). One JSON line: CPU seconds (all threads, least of five) to the labels
//! alone, for their parts, and for the whole method with its outlines, wall seconds (median), the most memory beyond the input (MiB), and clusters
//! and noise, to be compared with other implementations on the same data before their times are.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a bench prints, and stops where it cannot go on"
)]

use std::time::Instant;

use brasa_model::{Civil, Clusters, Crs, Incidents, Interval, Metres, Span, Times, Window, WindowOrigin};
use brasa_spatial_index::cores::{Reach, cores};
use brasa_spatial_index::k_distances::core_share_of_sites;
use brasa_spatial_index::methods::cluster::dbscan::{DbscanParams, dbscan};
use brasa_spatial_index::methods::cluster::st_dbscan::{StDbscanParams, st_dbscan};
use brasa_spatial_index::{Eps, Moments, Sites, Watch};
use geo::{MultiPolygon, Rect};

/// CPU seconds of all threads so far; the kernel counts them in nanoseconds.
fn cpu_seconds() -> f64 {
    let threads = std::fs::read_dir("/proc/self/task").unwrap();
    let spent = |path: std::path::PathBuf| {
        let text = std::fs::read_to_string(path.join("schedstat")).unwrap_or_default();
        text.split_whitespace().next().and_then(|nanoseconds| nanoseconds.parse::<f64>().ok()).unwrap_or(0.0)
    };
    threads.map(|thread| spent(thread.unwrap().path())).sum::<f64>() / 1e9
}

/// A line of the kernel's account of this process, in MiB.
fn memory(name: &str) -> f64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.trim_start_matches(':').trim_end_matches("kB").trim().parse::<f64>().unwrap() / 1024.0
}

fn city(path: &str, timed: bool) -> Incidents {
    let bytes = std::fs::read(path).unwrap();
    let header = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    let number = |bytes: &[u8]| f64::from_le_bytes(bytes.try_into().unwrap());
    let column =
        |at: usize| bytes[header..].chunks_exact(24).map(move |row| number(&row[8 * at..8 * at + 8]));
    let instant = |days: f64| {
        let start = (days * 86_400.0).floor() as i64;
        Some(Interval { start: Civil(start), end: Civil(start + 1) })
    };
    let everywhere = Rect::new((-1e7, -1e7), (1e8, 1e8)).to_polygon();
    let window =
        Window::new(MultiPolygon::new(vec![everywhere]), WindowOrigin::Given("box".to_owned())).unwrap();
    Incidents {
        x: column(0).collect(),
        y: column(1).collect(),
        times: timed.then(|| Times::new(column(2).map(instant).collect(), None)),
        kinds: None,
        weight: None,
        row: Vec::new(),
        files: None,
        window,
        crs: Crs::from_epsg(32_633).unwrap(),
    }
}

/// The least CPU seconds and the median wall seconds of five runs, and the last answer.
fn measured<T>(work: impl Fn() -> T) -> (f64, f64, T) {
    let (mut cpu, mut wall, mut last) = (f64::INFINITY, Vec::new(), None);
    for _ in 0..5 {
        drop(last.take());
        let (start, spent) = (Instant::now(), cpu_seconds());
        last = Some(work());
        cpu = cpu.min(cpu_seconds() - spent);
        wall.push(start.elapsed().as_secs_f64());
    }
    wall.sort_by(f64::total_cmp);
    (cpu, wall[2], last.unwrap())
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let (Some(path), Some(method)) = (args.first(), args.get(1)) else {
        eprintln!("skipped: name the file of points and the method, see the head of this file");
        return;
    };
    let number = |at: usize, default: f64| args.get(at).map_or(default, |text| text.parse::<f64>().unwrap());
    let (eps, least) = (number(2, 100.0), number(3, 20.0));
    rayon::ThreadPoolBuilder::new().num_threads(number(4, 0.0) as usize).build_global().unwrap();
    let incidents = city(path, method == "st-dbscan");
    // What reading took at its highest does not count.
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
    let before = memory("VmRSS");

    if method == "st-dbscan" {
        let params = StDbscanParams {
            eps: Eps::Length(Metres::new(eps).unwrap()),
            eps_time: Span::new((number(5, 7.0) * 86_400.0) as i64).unwrap(),
            min_points: std::num::NonZeroU32::new(least as u32).unwrap(),
        };
        let (moments_cpu, _, _) = measured(|| Moments::new(&incidents, "st-dbscan").unwrap().timed.len());
        let run = || st_dbscan(&incidents, &params, &Watch::NOBODY).unwrap();
        let (cpu, wall, found): (_, _, Clusters) = measured(run);
        println!(
            "{{\"n\": {}, \"method\": \"{method}\", \"eps\": {eps}, \"days\": {}, \"min_points\": {least}, \"threads\": {}, \"moments_cpu_s\": {moments_cpu:.4}, \"cpu_s\": {cpu:.4}, \"wall_s\": {wall:.4}, \"mib\": {:.0}, \"clusters\": {}, \"noise\": {}}}",
            incidents.len(),
            params.eps_time.days(),
            rayon::current_num_threads(),
            memory("VmHWM") - before,
            found.clusters.len(),
            found.noise(),
        );
        return;
    }
    let params = DbscanParams {
        eps: Eps::Length(Metres::new(eps).unwrap()),
        min_points: std::num::NonZeroU32::new(least as u32).unwrap(),
    };
    let (labels_cpu, labels_wall, _) = measured(|| {
        let sites = Sites::new(&incidents);
        let found = cores(
            sites.len(),
            |at| [sites.x[at], sites.y[at]],
            |at| sites.weight[at],
            Reach { eps, time: 0.0 },
            least,
        );
        let group = found.unwrap().group;
        sites.of_incident.iter().map(|&site| group[site as usize]).collect::<Vec<_>>()
    });
    let peak = memory("VmHWM") - before;
    let (sites_cpu, _, sites) = measured(|| Sites::new(&incidents));
    let (curve_cpu, _, _) = measured(|| core_share_of_sites(&sites, params.min_points).unwrap().knee);
    let places = sites.len();
    drop(sites);
    let run = || dbscan(&incidents, &params, &Watch::NOBODY).unwrap();
    let (cpu, wall, found): (_, _, Clusters) = measured(run);
    println!(
        "{{\"n\": {}, \"sites\": {places}, \"method\": \"{method}\", \"eps\": {eps}, \"min_points\": {least}, \"threads\": {}, \"sites_cpu_s\": {sites_cpu:.4}, \"k_distances_cpu_s\": {curve_cpu:.4}, \"labels_cpu_s\": {labels_cpu:.4}, \"labels_wall_s\": {labels_wall:.4}, \"cpu_s\": {cpu:.4}, \"wall_s\": {wall:.4}, \"labels_mib\": {peak:.0}, \"clusters\": {}, \"noise\": {}}}",
        incidents.len(),
        rayon::current_num_threads(),
        found.clusters.len(),
        found.noise(),
    );
}
