//! One line on the terminal that says how far a long reading has come, and how long it may take.

use std::io::{self, IsTerminal, Write};
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
    last: Option<Instant>,
    shown: bool,
    talks: bool,
}

impl Meter {
    /// A meter that has not begun.
    pub fn new(wanted: bool) -> Self {
        Self { start: Instant::now(), last: None, shown: false, talks: wanted && io::stderr().is_terminal() }
    }

    /// Rewrites the line, if it is time to.
    pub fn show(&mut self, progress: Progress) {
        let now = Instant::now();
        if !self.talks || self.last.is_some_and(|last| now - last < PAUSE) {
            return;
        }
        self.last = Some(now);
        self.shown = true;
        write(&format!("\r{}\x1b[K", line(progress, now - self.start)));
    }

    /// Takes the line away.
    pub fn clear(&mut self) {
        if std::mem::take(&mut self.shown) {
            write("\r\x1b[K");
        }
    }
}

fn write(text: &str) {
    let mut err = io::stderr().lock();
    // Nobody is left to tell when standard error is gone.
    let _ = err.write_all(text.as_bytes()).and_then(|()| err.flush());
}

/// Rows read, rows in a second, the share that is done, the time left.
fn line(progress: Progress, passed: Duration) -> String {
    let seconds = passed.as_secs_f64();
    let mut line = format!("Reading    {} rows", thousands(progress.rows));
    if seconds > 0.0 {
        let pace = progress.rows as f64 / seconds;
        line.push_str(&format!(", {} in a second", thousands(pace as u64)));
    }
    if let Some(share) = progress.share {
        line.push_str(&format!(", {:.0} % done", share * 100.0));
        if share > 0.0 && share < 1.0 && passed >= GUESS_FROM {
            let left = (seconds * (1.0 - share) / share).round() as u64;
            line.push_str(&format!(", {}:{:02} left", left / 60, left % 60));
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_says_how_far_and_how_long() {
        let half = Progress { rows: 12_400_000, share: Some(0.4) };
        assert_eq!(
            line(half, Duration::from_secs(50)),
            "Reading    12,400,000 rows, 248,000 in a second, 40 % done, 1:15 left"
        );
        let unknown = Progress { rows: 5, share: None };
        assert_eq!(line(unknown, Duration::from_secs(1)), "Reading    5 rows, 5 in a second");
    }
}
