//! Valleys of the reachability plot, by how steep their walls are.

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::Step;

use brasa_model::as_text;

/// How steep a wall is: the share by which the reachability changes from one incident to the next, between 0 and 1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Xi(f64);

/// What would work.
const REMEDY: &str = "give --xi between 0 and 1, such as 0.05";

impl Xi {
    /// This steepness.
    ///
    /// # Errors
    /// When it is not between 0 and 1.
    pub fn new(xi: f64) -> Result<Self, String> {
        if xi > 0.0 && xi < 1.0 {
            return Ok(Self(xi));
        }
        Err(format!("{xi} is not a steepness; {REMEDY}"))
    }
}

impl Default for Xi {
    fn default() -> Self {
        Self(0.05)
    }
}

impl FromStr for Xi {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.trim()
            .parse()
            .map_or_else(|_| Err(format!("\"{text}\" is not a steepness; {REMEDY}")), Self::new)
    }
}

as_text!(Xi, "SHARE", "examples": ["0.05"]);

impl fmt::Display for Xi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A steep way down: its first and last step, and the highest step between it and here.
struct Down {
    start: usize,
    end: usize,
    highest: f64,
}

/// The plot, read as one step per incident: a step of weight w is a run of w equal ones.
struct Walls<'a> {
    steps: &'a [Step],
    /// Σ weight of the steps before; a last entry for the end.
    before: Vec<f64>,
    xi: Xi,
    /// So many incidents in a row that are not steep end a wall.
    min_points: f64,
}

/// The valleys, as ranges of steps, those within others before them (Ankerst et al. 1999, figure 19; with the correction by
/// predecessors of Schubert & Gertz 2018, algorithm 2). A valley weighs at least `min_size` and holds whole sites.
pub fn valleys(steps: &[Step], xi: Xi, min_points: f64, min_size: f64) -> Vec<RangeInclusive<usize>> {
    let mut before = Vec::with_capacity(steps.len() + 1);
    before.push(0.0);
    let mut sum = 0.0;
    for step in steps {
        sum += step.weight;
        before.push(sum);
    }
    let plot = Walls { steps, before, xi, min_points };
    let mut found = Vec::new();
    let mut ways_down: Vec<Down> = Vec::new();
    let (mut next, mut highest) = (0, 0.0_f64);
    for at in 0..steps.len() {
        if at < next || !(plot.falls_steeply(at) || plot.rises_steeply(at)) {
            continue;
        }
        highest = (next..=at).fold(highest, |highest, at| highest.max(plot.reach(at)));
        // A way down is behind a step that rises nearly as high as its top.
        ways_down.retain_mut(|down| {
            down.highest = down.highest.max(highest);
            highest.is_finite() && highest <= plot.nearly(plot.reach(down.start))
        });
        if plot.falls_steeply(at) {
            let end = plot.extend(at, |at| plot.falls_steeply(at), |at| plot.slope(at) < 1.0);
            ways_down.push(Down { start: at, end, highest: 0.0 });
            next = end + 1;
        } else {
            let end = plot.extend(at, |at| plot.rises_steeply(at), |at| plot.slope(at) > 1.0);
            // From the last way down to the first: the smaller valley before the larger.
            found.extend(ways_down.iter().rev().filter_map(|down| plot.valley(down, at, end, min_size)));
            next = end + 1;
        }
        highest = plot.reach(next);
    }
    found
}

/// Per site, the number of the innermost valley it lies in, if any; a valley that holds another has no incidents of its own.
pub fn innermost(steps: &[Step], valleys: &[RangeInclusive<usize>], sites: usize) -> Vec<Option<u32>> {
    let mut group = vec![None; sites];
    for (valley, number) in valleys.iter().zip(0..) {
        let within = &steps[valley.clone()];
        if within.iter().all(|step| group[step.site as usize].is_none()) {
            for step in within {
                group[step.site as usize] = Some(number);
            }
        }
    }
    group
}

impl Walls<'_> {
    /// The reachability at a step; beyond the last, infinite, so that a valley may end there.
    fn reach(&self, at: usize) -> f64 {
        self.steps.get(at).map_or(f64::INFINITY, |step| step.reach)
    }

    /// A reachability, less the share that counts as steep.
    fn nearly(&self, reach: f64) -> f64 {
        reach * (1.0 - self.xi.0)
    }

    /// How many times higher the last incident of a step lies than the next one; NaN, and neither up nor down, for two zeros.
    fn slope(&self, at: usize) -> f64 {
        self.reach(at) / self.reach(at + 1)
    }

    fn falls_steeply(&self, at: usize) -> bool {
        self.slope(at) >= 1.0 / (1.0 - self.xi.0)
    }

    fn rises_steeply(&self, at: usize) -> bool {
        self.slope(at) <= 1.0 - self.xi.0
    }

    /// The last step of the wall that begins at `start`: it never turns, and is not gentle for longer than `min-points`.
    fn extend(&self, start: usize, steep: impl Fn(usize) -> bool, turns: impl Fn(usize) -> bool) -> usize {
        let (mut end, mut gentle) = (start, 0.0);
        for at in start + 1..self.steps.len() {
            let weight = self.steps[at].weight;
            gentle += (weight - 1.0).max(0.0);
            if gentle > self.min_points || turns(at) {
                break;
            }
            if steep(at) {
                (end, gentle) = (at, 0.0);
                continue;
            }
            gentle += weight.min(1.0);
            if gentle > self.min_points {
                break;
            }
        }
        end
    }

    /// The valley between a way down and the way up from `up` to `end`, if it is one: definition 11.
    fn valley(&self, down: &Down, up: usize, end: usize, min_size: f64) -> Option<RangeInclusive<usize>> {
        let (mut first, mut last) = (down.start, end);
        let (left, right) = (self.reach(down.start), self.reach(end + 1));
        if self.nearly(right) < down.highest {
            return None;
        }
        // The higher wall is cut to the height of the lower one.
        if self.nearly(left) >= right {
            while first < down.end && self.reach(first + 1) > right {
                first += 1;
            }
        } else if self.nearly(right) >= left {
            // Of a run of equal incidents the last lies beside one of its own height.
            let beside = |at: usize| self.reach(if self.steps[at].weight > 1.0 { at } else { at - 1 });
            while last > up && beside(last) > left {
                last -= 1;
            }
        }
        let site = |at: usize| self.steps[at].site;
        if first > 0 && site(first - 1) == site(first) {
            first -= 1;
        }
        if last + 1 < self.steps.len() && site(last + 1) == site(last) {
            last += 1;
        }
        // What was reached from outside, and from nearer than the valley itself, is not of the valley.
        let of_valley = |last: usize| {
            let from_within = self.steps[last].from.is_some_and(|from| from as usize >= first);
            self.reach(first) > self.reach(last) || from_within
        };
        let last = (first + 1..=last).rev().find(|&last| of_valley(last))?;
        let heavy = self.before[last + 1] - self.before[first] >= min_size;
        (heavy && first <= down.end && last >= up).then_some(first..=last)
    }
}
