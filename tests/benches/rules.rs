//! How long the rules for a bandwidth take that compare all places.
//!
//!     cargo bench -p brasa-tests --bench rules -- CITY.npy [incidents [rule [window [threads]]]]
//!
//! CITY.npy as in density.rs; the first `incidents` rows are taken (all, if 0). The window is the box of the city, or `oblique`: a
//! polygon of 200 corners in it. One JSON line per rule: CPU seconds (all threads, least of five), wall seconds
//! (median), the answer, and the longest time between two looks at whether anybody still waits.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a bench prints, and stops where it cannot go on"
)]

mod common;

use std::ops::ControlFlow;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use brasa_model::{Incidents, Window, WindowOrigin};
use brasa_spatial_index::bandwidth::Rule;
use brasa_spatial_index::watch::Step;
use brasa_spatial_index::{Sites, Watch};
use common::{columns, measured};
use geo::{LineString, MultiPolygon, Polygon, Rect};

fn window(word: &str) -> Window {
    let polygon = if word == "oblique" {
        let corner = |at: u32| {
            let angle = f64::from(at) * std::f64::consts::TAU / 200.0;
            (500_000.0 + 21_000.0 * angle.cos(), 5_420_000.0 + 28_000.0 * angle.sin())
        };
        Polygon::new((0..200).map(corner).collect::<LineString<f64>>(), vec![])
    } else {
        Rect::new((485_000.0, 5_400_000.0), (515_000.0, 5_440_000.0)).to_polygon()
    };
    Window::new(MultiPolygon::new(vec![polygon]), WindowOrigin::Given(word.to_owned())).unwrap()
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let Some(path) = args.first() else {
        eprintln!("skipped: name the file of points, see the head of this file");
        return;
    };
    let number = |at: usize| args.get(at).map_or(0, |word| word.parse().unwrap());
    rayon::ThreadPoolBuilder::new().num_threads(number(4)).build_global().unwrap();
    let [mut x, mut y, _] = columns(path);
    if number(1) > 0 {
        x.truncate(number(1));
        y.truncate(number(1));
    }
    let word = args.get(3).map_or("box", String::as_str);
    let incidents = Incidents {
        window: window(word),
        ..brasa_tests::incidents(x, y, None, (485_000.0, 5_400_000.0, 515_000.0, 5_440_000.0))
    };
    let sites = Sites::new(&incidents);
    let one = args.get(2).and_then(|word| word.parse::<Rule>().ok());
    for rule in one.map_or(vec![Rule::Diggle, Rule::Ppl, Rule::Lscv, Rule::Cvl], |rule| vec![rule]) {
        let heard = Mutex::new((Instant::now(), Duration::ZERO));
        let observer = |_: Step| {
            let mut heard = heard.lock().unwrap();
            *heard = (Instant::now(), heard.1.max(heard.0.elapsed()));
            ControlFlow::Continue(())
        };
        let (cpu, wall, found) = measured(|| {
            heard.lock().unwrap().0 = Instant::now();
            rule.select(&sites, &incidents.window, &Watch::new(&observer)).unwrap()
        });
        println!(
            "{{\"rule\": \"{rule}\", \"places\": {}, \"window\": \"{word}\", \"threads\": {}, \"cpu_s\": {:.2}, \"wall_s\": {:.2}, \"tried\": {}, \"sigma\": {}, \"silent_s\": {:.3}}}",
            sites.len(),
            rayon::current_num_threads(),
            cpu,
            wall,
            found.tried.len(),
            found.sigma,
            heard.lock().unwrap().1.as_secs_f64(),
        );
    }
}
