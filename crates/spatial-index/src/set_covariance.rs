//! How much of a window still covers itself when it is moved: what the translation correction divides by.

use brasa_model::Window;
use rayon::prelude::*;

use crate::at_places::Border;

/// The share of a window that covers the window moved by a vector, as a function of the vector.
pub enum SetCovariance {
    /// Of an upright rectangle with these sides.
    Rectangle(f64, f64),
    /// Of anything else, found for each vector.
    Exact(Slabs),
    /// Of anything else, where so many vectors are asked for that this would take too long: found for 256 directions times 32
    /// lengths, and linear between them. On an outline of a few long sides, with a lake, moved by up to a quarter of its width, it is
    /// off by less than 1e-3 of itself (`tests/pattern.rs`).
    Table {
        /// The longest vector.
        most: f64,
        /// Per direction from 0 to half a turn and per length from 0 to `most`, the share.
        overlap: Vec<[f64; LENGTHS + 1]>,
    },
}

/// Directions over half a turn, and lengths, of the table.
const DIRECTIONS: usize = 256;
const LENGTHS: usize = 32;
/// The most vectors times sides for which each vector is worth its own overlap: some seconds.
const WORTH_IT: f64 = 1e8;

impl SetCovariance {
    /// Of `window`, for about `vectors` vectors up to `most` long.
    pub fn of(window: &Window, most: f64, vectors: f64) -> Self {
        let bounds = window.bounds();
        if window.is_rectangle() {
            return Self::Rectangle(bounds.width(), bounds.height());
        }
        let slabs = Slabs::of(window);
        if vectors * slabs.starts.len() as f64 <= WORTH_IT {
            return Self::Exact(slabs);
        }
        let share = |direction: usize, length: usize| {
            let turn = 2.0 * direction as f64 / DIRECTIONS as f64;
            let (dx, dy) = (1.0 - turn, 1.0 - (1.0 - turn).abs());
            let scale = most * length as f64 / LENGTHS as f64 / libm::hypot(dx, dy);
            slabs.share(dx * scale, dy * scale)
        };
        let mut overlap: Vec<[f64; LENGTHS + 1]> = (0..DIRECTIONS)
            .into_par_iter()
            .map(|direction| std::array::from_fn(|length| share(direction, length)))
            .collect();
        // Half a turn further a window covers as much of itself.
        overlap.push(overlap[0]);
        Self::Table { most, overlap }
    }

    /// The share that covers the window moved by (`dx`, `dy`).
    pub fn share(&self, dx: f64, dy: f64) -> f64 {
        match self {
            Self::Rectangle(width, height) => (1.0 - dx.abs() / width) * (1.0 - dy.abs() / height),
            Self::Exact(slabs) => slabs.share(dx, dy),
            Self::Table { most, overlap } => {
                let (dx, dy) = if dy < 0.0 { (-dx, -dy) } else { (dx, dy) };
                let around = dx.abs() + dy;
                if around <= 0.0 {
                    return 1.0;
                }
                // From 0 in the east to 2 in the west: as good as an angle, and cheaper.
                let turn = 1.0 - dx / around;
                let direction = (turn / 2.0 * DIRECTIONS as f64).min(DIRECTIONS as f64);
                let length = ((dx * dx + dy * dy).sqrt() / most).min(1.0) * LENGTHS as f64;
                let (at, to) = ((direction as usize).min(DIRECTIONS - 1), (length as usize).min(LENGTHS - 1));
                let (on, out) = (direction - at as f64, length - to as f64);
                let along = |at: usize| overlap[at][to] + out * (overlap[at][to + 1] - overlap[at][to]);
                along(at) + on * (along(at + 1) - along(at))
            }
        }
    }
}

/// A window cut from south to north at each of its corners, into slabs in which no side ends.
///
/// The window is the sum of what lies below each of its sides, counted −1 where the inside is above the side and +1 where it is below.
/// The overlap of two windows is then the sum, over a side of each, of what lies below both; and since the counts of either
/// window add up to 0 in each slab, that is less the sum of ∫ max(a − b, 0) over the heights a and b of the two sides.
pub struct Slabs {
    area: f64,
    /// The western end of each slab, ascending, and the eastern end of the last; from the middle of the window, so that large
    /// coordinates cost no precision.
    ends: Vec<f64>,
    /// The first side of each slab, and the end.
    starts: Vec<u32>,
    sides: Vec<Side>,
}

/// A side in a slab: its height at `x`, its slope, and what counts below it.
struct Side {
    x: f64,
    y: f64,
    slope: f64,
    sign: f64,
}

impl Side {
    fn at(&self, x: f64) -> f64 {
        self.y + self.slope * (x - self.x)
    }
}

impl Slabs {
    fn of(window: &Window) -> Self {
        let middle = window.bounds().center();
        // From west to east; those that stand upright have nothing below them.
        let mut sides: Vec<_> = Border::of(window)
            .sides
            .into_iter()
            .map(|(a, b)| (a - middle, b - middle))
            .filter(|(a, b)| a.x != b.x)
            .map(|(a, b)| if a.x < b.x { (a, b, -1.0) } else { (b, a, 1.0) })
            .collect();
        sides.sort_by(|(a, ..), (b, ..)| a.x.total_cmp(&b.x).then(a.y.total_cmp(&b.y)));
        let mut ends: Vec<f64> = sides.iter().flat_map(|(a, b, _)| [a.x, b.x]).collect();
        ends.sort_by(f64::total_cmp);
        ends.dedup();
        let mut slabs = Self { area: 0.0, ends, starts: vec![0], sides: Vec::new() };
        let (mut next, mut open) = (0, Vec::new());
        for at in 1..slabs.ends.len() {
            let west = slabs.ends[at - 1];
            open.retain(|&side: &usize| sides[side].1.x > west);
            while next < sides.len() && sides[next].0.x <= west {
                open.push(next);
                next += 1;
            }
            let placed = |&side: &usize| {
                let (a, b, sign) = sides[side];
                let slope = (b.y - a.y) / (b.x - a.x);
                Side { x: a.x, y: a.y, slope, sign }
            };
            slabs.sides.extend(open.iter().map(placed));
            slabs.starts.push(slabs.sides.len() as u32);
        }
        slabs.area = slabs.overlap(0.0, 0.0);
        slabs
    }

    fn share(&self, dx: f64, dy: f64) -> f64 {
        (self.overlap(dx, dy) / self.area).max(0.0)
    }

    fn slab(&self, at: usize) -> &[Side] {
        &self.sides[self.starts[at] as usize..self.starts[at + 1] as usize]
    }

    fn overlap(&self, dx: f64, dy: f64) -> f64 {
        let (ends, last) = (&self.ends, self.ends.len() - 1);
        // The slab of the window, and that of the moved one, with its ends moved.
        let (mut own, mut other) = (0, 0);
        let mut sum = 0.0;
        while own < last && other < last {
            let west = ends[own].max(ends[other] + dx);
            let east = ends[own + 1].min(ends[other + 1] + dx);
            if west < east {
                for side in self.slab(own) {
                    let (from, to) = (side.at(west), side.at(east));
                    for moved in self.slab(other) {
                        let above =
                            part_above(from - moved.at(west - dx) - dy, to - moved.at(east - dx) - dy);
                        sum -= side.sign * moved.sign * above * (east - west);
                    }
                }
            }
            if ends[own + 1] <= ends[other + 1] + dx {
                own += 1;
            } else {
                other += 1;
            }
        }
        sum
    }
}

/// The mean of what is above 0 of a line from height `from` to height `to`.
fn part_above(from: f64, to: f64) -> f64 {
    let (low, high) = if from < to { (from, to) } else { (to, from) };
    if low >= 0.0 {
        f64::midpoint(low, high)
    } else if high <= 0.0 {
        0.0
    } else {
        high * high / (2.0 * (high - low))
    }
}
