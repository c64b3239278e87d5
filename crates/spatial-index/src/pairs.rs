//! Pairs of places by their distance. Each pair is met once, in runs of places that lie side by side, so that most of the
//! work is done on many pairs at a time; which band a pair belongs to is decided exactly.

use rayon::prelude::*;

use crate::{AnalysisError, Sites, Watch};

/// The distances at which pairs are counted: `step`, 2 · `step`, …, `steps` · `step`. A pair at such a distance is within it.
#[derive(Debug, Clone)]
pub struct Radii {
    step: f64,
    /// The greatest squared distance within each radius; none is within radius 0, not even 0.
    limits: Vec<f64>,
}

/// How far, in the largest radius, rounding may have moved a distance: on a lattice a pair lies at a radius itself.
const HAIR: f64 = 1e-9;

impl Radii {
    /// So many radii, a step apart.
    pub fn new(step: f64, steps: usize) -> Self {
        let hair = HAIR * step * steps as f64;
        let limit = |at: usize| (step * at as f64 + hair) * (step * at as f64 + hair);
        Self { step, limits: std::iter::once(f64::NEG_INFINITY).chain((1..=steps).map(limit)).collect() }
    }

    /// How many, without radius 0.
    pub const fn steps(&self) -> usize {
        self.limits.len() - 1
    }

    /// Radius `at`, from 0.
    pub fn get(&self, at: usize) -> f64 {
        self.step * at as f64
    }

    /// The largest.
    pub fn most(&self) -> f64 {
        self.get(self.steps())
    }

    /// The first radius, from 1, that a distance given as its square is within; `steps` + 1 if it is beyond all of them.
    pub fn band(&self, squared: f64) -> usize {
        self.band_by((squared.sqrt() / self.step + 0.5) as usize, squared)
    }

    /// The same, given the nearest radius: the limit there decides.
    fn band_by(&self, nearest: usize, squared: f64) -> usize {
        let nearest = nearest.min(self.steps());
        nearest + usize::from(squared > self.limits[nearest])
    }

    /// The first radius, from 1, that a distance falls short of; `steps` + 1 if it reaches all of them.
    pub fn first_beyond(&self, distance: f64) -> usize {
        let whole = (distance / self.step + HAIR * self.steps() as f64).floor() as usize;
        whole.min(self.steps()) + 1
    }
}

/// Places in strips from south to north, in each from west to east.
pub struct Strips {
    /// The first place of each strip, and the end.
    starts: Vec<usize>,
    south: f64,
    height: f64,
    x: Vec<f64>,
    y: Vec<f64>,
    weight: Vec<f64>,
    site: Vec<u32>,
}

/// Strips per largest radius: the more, the fewer pairs are met that lie beyond it, and the shorter are the runs.
const FINE: f64 = 4.0;
/// The most strips; more than that would cost more to walk through than the places in them.
const MOST_STRIPS: f64 = 4096.0;
/// The most pieces of parallel work; it does not depend on threads, so that no sum does.
const PIECES: usize = 256;
/// The most pairs looked at together.
const TOGETHER: usize = 256;
/// What is added to a single-precision number below 2²² to leave it rounded to a whole one in its low bits.
const ROUNDING: f32 = 8_388_608.0;

impl Strips {
    /// The sites, in strips that suit a radius.
    pub fn of(sites: &Sites, radius: f64) -> Self {
        let south = sites.y.first().copied().unwrap_or_default();
        let extent = sites.y.last().copied().unwrap_or_default() - south;
        let height = (radius / FINE).max(extent / MOST_STRIPS);
        let strip = |at: usize| ((sites.y[at] - south) / height) as usize;
        let mut order: Vec<usize> = (0..sites.len()).collect();
        order.sort_by(|&a, &b| {
            strip(a).cmp(&strip(b)).then(sites.x[a].total_cmp(&sites.x[b])).then(a.cmp(&b))
        });
        let strips = order.last().map_or(0, |&last| strip(last) + 1);
        let starts = (0..=strips).map(|number| order.partition_point(|&at| strip(at) < number)).collect();
        let column = |values: &[f64]| order.iter().map(|&at| values[at]).collect();
        Self {
            starts,
            south,
            height,
            x: column(&sites.x),
            y: column(&sites.y),
            weight: column(&sites.weight),
            site: order.iter().map(|&at| at as u32).collect(),
        }
    }

    /// Per band, from 1, the sum over the pairs of different places in it of their weights' product times `times` of the way
    /// from one to the other; each pair once. What is in band 0 and beyond the last radius is of no account.
    ///
    /// # Errors
    /// [`AnalysisError::Interrupted`] when nobody waits any more.
    pub fn pairs(
        &self,
        radii: &Radii,
        times: impl Fn(f64, f64) -> f64 + Sync,
        watch: &Watch,
    ) -> Result<Vec<f64>, AnalysisError> {
        let strips = self.starts.len() - 1;
        let per_piece = strips.div_ceil(PIECES).max(1);
        let phase = watch.phase("places", self.x.len() as u64);
        let piece = |first: usize| {
            let end = (first + per_piece).min(strips);
            let mut bands = Bands::new(radii);
            for strip in first..end {
                self.pairs_of_strip(strip, &mut bands, &times);
            }
            phase.advance((self.starts[end] - self.starts[first]) as u64).map(|()| bands.sums())
        };
        let firsts: Vec<usize> = (0..strips).step_by(per_piece).collect();
        let pieces: Vec<Vec<f64>> =
            firsts.into_par_iter().map(piece).collect::<Result<_, AnalysisError>>()?;
        let mut total = vec![0.0; radii.steps() + 2];
        for piece in &pieces {
            for (total, part) in total.iter_mut().zip(piece) {
                *total += part;
            }
        }
        Ok(total)
    }

    fn pairs_of_strip(&self, strip: usize, bands: &mut Bands<'_>, times: &impl Fn(f64, f64) -> f64) {
        let most = bands.radii.most() * (1.0 + 2.0 * HAIR);
        let own = self.starts[strip]..self.starts[strip + 1];
        for other in strip..self.starts.len() - 1 {
            let gap = (other - strip).saturating_sub(1) as f64 * self.height;
            if gap > most {
                break;
            }
            // What lies further to the side is beyond reach from anywhere in this strip.
            let reach = (most * most - gap * gap).max(0.0).sqrt() + HAIR * most;
            let (mut from, mut to) = (self.starts[other], self.starts[other]);
            let end = self.starts[other + 1];
            for here in own.clone() {
                let x = self.x[here];
                while from < end && self.x[from] < x - reach {
                    from += 1;
                }
                to = to.max(from);
                while to < end && self.x[to] <= x + reach {
                    to += 1;
                }
                let run = if other == strip { here + 1..to.max(here + 1) } else { from..to };
                let there = (&self.x[run.clone()], &self.y[run.clone()], &self.weight[run]);
                bands.add((x, self.y[here], self.weight[here]), there, times);
            }
        }
    }

    /// Tells of each place within `reach` of (x, y), and of some beyond: which site it is, and the way to it.
    pub fn around(&self, (x, y): (f64, f64), reach: f64, mut tell: impl FnMut(usize, f64, f64)) {
        // A place at the reach itself is within it, however that was rounded; the same holds where pairs are counted.
        let reach = reach * (1.0 + 2.0 * HAIR);
        let strip = |y: f64| (((y - self.south) / self.height).max(0.0) as usize).min(self.starts.len() - 1);
        for at in strip(y - reach)..(strip(y + reach) + 1).min(self.starts.len() - 1) {
            let places = self.starts[at]..self.starts[at + 1];
            let from = places.start + self.x[places.clone()].partition_point(|&at| at < x - reach);
            for place in (from..places.end).take_while(|&place| self.x[place] <= x + reach) {
                tell(self.site[place] as usize, self.x[place] - x, self.y[place] - y);
            }
        }
    }
}

/// Sums per band. Four numbers for each, so that a sum need not wait for the one before it.
struct Bands<'a> {
    radii: &'a Radii,
    sums: Vec<[f64; 4]>,
    steps_per_length: f32,
    /// A squared distance for all that lie beyond the largest radius by more.
    enough: f32,
    // Of the pairs looked at together.
    squared: [f64; TOGETHER],
    value: [f64; TOGETHER],
    nearest: [u32; TOGETHER],
}

impl<'a> Bands<'a> {
    fn new(radii: &'a Radii) -> Self {
        let enough = radii.get(1) as f32 * (radii.steps() as f32 + 0.4);
        Self {
            radii,
            sums: vec![[0.0; 4]; radii.steps() + 2],
            steps_per_length: 1.0 / radii.get(1) as f32,
            enough: enough * enough,
            squared: [0.0; TOGETHER],
            value: [0.0; TOGETHER],
            nearest: [0; TOGETHER],
        }
    }

    /// Single precision finds the radius nearest to a distance, which need not be certain halfway between two: the squared
    /// distance, in double precision, decides on which side of it the distance lies.
    fn add(
        &mut self,
        (x, y, weight): (f64, f64, f64),
        (xs, ys, weights): (&[f64], &[f64], &[f64]),
        times: &impl Fn(f64, f64) -> f64,
    ) {
        let (xs, ys) = (xs.chunks(TOGETHER), ys.chunks(TOGETHER));
        for ((xs, ys), weights) in xs.zip(ys).zip(weights.chunks(TOGETHER)) {
            let count = xs.len();
            let (ys, weights) = (&ys[..count], &weights[..count]);
            let (squared, value) = (&mut self.squared[..count], &mut self.value[..count]);
            let nearest = &mut self.nearest[..count];
            for at in 0..count {
                let (dx, dy) = (xs[at] - x, ys[at] - y);
                squared[at] = dx * dx + dy * dy;
                value[at] = weight * weights[at] * times(dx, dy);
                let near = squared[at] as f32;
                let near = if near < self.enough { near } else { self.enough };
                let steps = near.sqrt() * self.steps_per_length;
                nearest[at] = (steps + ROUNDING).to_bits() - ROUNDING.to_bits();
            }
            for at in 0..count {
                let band = self.radii.band_by(nearest[at] as usize, squared[at]);
                self.sums[band][at % 4] += value[at];
            }
        }
    }

    fn sums(&self) -> Vec<f64> {
        self.sums.iter().map(|[a, b, c, d]| (a + b) + (c + d)).collect()
    }
}
