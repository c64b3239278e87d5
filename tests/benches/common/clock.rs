//! The clock of the benches.

#![expect(clippy::unwrap_used, reason = "a bench stops where it cannot go on")]

use std::time::Instant;

use rustix::time::{ClockId, clock_gettime};

/// CPU seconds of all threads so far, those that have ended among them.
fn cpu_seconds() -> f64 {
    let spent = clock_gettime(ClockId::ProcessCPUTime);
    spent.tv_sec as f64 + spent.tv_nsec as f64 / 1e9
}

/// The least CPU seconds (all threads) and the median wall seconds of five runs, and the last answer.
pub fn measured<T>(work: impl Fn() -> T) -> (f64, f64, T) {
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
