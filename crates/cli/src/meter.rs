//! One line on the terminal that says how far a long run has come, and how long it may take.

use std::io::{self, IsTerminal, Write};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use brasa_engine::Progress;

use crate::report::thousands;

/// The line is written at most so often.
const PAUSE: Duration = Duration::from_millis(200);
/// The time left is a guess from what has passed; before this it would be a wild one.
const GUESS_FROM: Duration = Duration::from_secs(2);

/// The line, on standard error. It is silent where nobody would see it rewritten.
pub struct Meter {
    start: Instant,
    /// When the line was last written; any thread may.
    last: Mutex<Option<Instant>>,
    talks: bool,
}

impl Meter {
    /// A meter that has not begun.
    pub fn new(wanted: bool) -> Self {
        let talks = wanted && io::stderr().is_terminal();
        Self { start: Instant::now(), last: Mutex::new(None), talks }
    }

    /// Rewrites the line, if it is time to and nobody else is at it.
    pub fn show(&self, progress: Progress) {
        let Some(mut last) = self.talks.then(|| self.last.try_lock().ok()).flatten() else { return };
        let now = Instant::now();
        // Work that is done before anybody can read of it is not worth a line.
        if now - last.unwrap_or(self.start) >= PAUSE {
            *last = Some(now);
            write(&format!("\r{}\x1b[K", line(progress, now - self.start)));
        }
    }

    /// Takes the line away.
    pub fn clear(&self) {
        if self.last.lock().is_ok_and(|mut last| last.take().is_some()) {
            write("\r\x1b[K");
        }
    }
}

fn write(text: &str) {
    let mut err = io::stderr().lock();
    // Nobody is left to tell when standard error is gone.
    let _ = err.write_all(text.as_bytes()).and_then(|()| err.flush());
}

/// What is done, how fast, how much of it, and the time left.
fn line(progress: Progress, passed: Duration) -> String {
    match progress {
        Progress::Reading(reading) => {
            let seconds = passed.as_secs_f64();
            let mut line = format!("Reading    {} rows", thousands(reading.rows));
            if seconds > 0.0 {
                let pace = reading.rows as f64 / seconds;
                line.push_str(&format!(", {} in a second", thousands(pace as u64)));
            }
            if let Some(share) = reading.share {
                line.push_str(&format!(", {:.0} % done{}", share * 100.0, left(share, passed)));
            }
            line
        }
        Progress::Working(step) => {
            let share = step.done as f64 / step.of.max(1) as f64;
            let (done, of) = (thousands(step.done), thousands(step.of));
            format!("Working    {}: {done} of {of}{}", step.phase, left(share, passed))
        }
    }
}

/// The time left, once it is more than a wild guess.
fn left(share: f64, passed: Duration) -> String {
    if share <= 0.0 || share >= 1.0 || passed < GUESS_FROM {
        return String::new();
    }
    let left = (passed.as_secs_f64() * (1.0 - share) / share).round() as u64;
    format!(", {}:{:02} left", left / 60, left % 60)
}

#[cfg(test)]
mod tests {
    use brasa_engine::{Reading, Step};

    use super::*;

    #[test]
    fn the_line_says_how_far_and_how_long() {
        let half = Progress::Reading(Reading { rows: 12_400_000, share: Some(0.4) });
        assert_eq!(
            line(half, Duration::from_secs(50)),
            "Reading    12,400,000 rows, 248,000 in a second, 40 % done, 1:15 left"
        );
        let unknown = Progress::Reading(Reading { rows: 5, share: None });
        assert_eq!(line(unknown, Duration::from_secs(1)), "Reading    5 rows, 5 in a second");
        let some = Progress::Working(Step { phase: "permutations", done: 250, of: 1000 });
        assert_eq!(line(some, Duration::from_secs(30)), "Working    permutations: 250 of 1,000, 1:30 left");
    }
}
