//! Sums of Gaussians at the places, term by term.
//!
//! Places lie in strips of 2 σ, each sorted from west to east: whoever is within reach of a place lies in a few runs, one per
//! strip, and is found by bisection. Eight terms are worked out side by side, with an exponential of plain operations
//! ([`exp`]): the same bits on every processor, whatever its vectors.

use pulp::Simd;

use super::REACH;
use crate::Sites;

/// Terms worked out side by side.
const LANES: usize = 8;
/// How many places are looked at to guess the number of terms.
const SAMPLE: usize = 1024;

/// The places in strips from south to north, in each from west to east.
pub(super) struct Strips {
    reach: f64,
    /// −1/2σ².
    narrow: f64,
    south: f64,
    height: f64,
    starts: Vec<usize>,
    x: Vec<f64>,
    y: Vec<f64>,
    weight: Vec<f64>,
    /// Per site, where it stands here.
    stands: Vec<u32>,
}

impl Strips {
    pub(super) fn new(sites: &Sites, weight: &[f64], sigma: f64) -> Self {
        let n = sites.len();
        let (south, north) =
            (sites.y.first().copied().unwrap_or(0.0), sites.y.last().copied().unwrap_or(0.0));
        // Not many more strips than places.
        let height = (2.0 * sigma).max((north - south) / n.max(1) as f64);
        let strip = |y: f64| ((y - south) / height) as usize;
        let strips = strip(north) + 1;
        let mut starts = vec![0; strips + 1];
        for &y in &sites.y {
            starts[strip(y) + 1] += 1;
        }
        for at in 0..strips {
            starts[at + 1] += starts[at];
        }
        let mut order: Vec<u32> = (0..n as u32).collect();
        for at in 0..strips {
            // Equal eastings keep their order, from the south.
            order[starts[at]..starts[at + 1]]
                .sort_by(|&a, &b| sites.x[a as usize].total_cmp(&sites.x[b as usize]));
        }
        let mut stands = vec![0; n];
        for (at, &site) in order.iter().enumerate() {
            stands[site as usize] = at as u32;
        }
        let pick = |values: &[f64]| order.iter().map(|&site| values[site as usize]).collect();
        Self {
            reach: REACH * sigma,
            narrow: -0.5 / (sigma * sigma),
            south,
            height,
            starts,
            x: pick(&sites.x),
            y: pick(&sites.y),
            weight: pick(weight),
            stands,
        }
    }

    /// The runs that hold everyone within reach of (x, y).
    #[inline(always)]
    fn runs(&self, x: f64, y: f64) -> impl Iterator<Item = std::ops::Range<usize>> {
        // A strip to spare at either end: rounding decides in which of two a place on their border lies.
        let strip = |y: f64| ((y - self.south) / self.height).max(0.0) as usize;
        let first = strip(y - self.reach).saturating_sub(1);
        let end = (strip(y + self.reach) + 2).min(self.starts.len() - 1);
        (first..end).filter_map(move |at| {
            let (from, to) = (self.starts[at], self.starts[at + 1]);
            let strip = &self.x[from..to];
            let west = strip.partition_point(|&at| at < x - self.reach);
            let east = west + strip[west..].partition_point(|&at| at <= x + self.reach);
            (west < east).then_some(from + west..from + east)
        })
    }

    /// About how many terms all sums together have: every so many places are counted.
    pub(super) fn terms(&self) -> f64 {
        let stride = self.x.len().div_ceil(SAMPLE).max(1);
        let looked: Vec<usize> = (0..self.x.len()).step_by(stride).collect();
        let terms: usize = looked
            .iter()
            .map(|&at| self.runs(self.x[at], self.y[at]).map(|run| run.len()).sum::<usize>())
            .sum();
        terms as f64 / looked.len().max(1) as f64 * self.x.len() as f64
    }

    /// Σ w exp(−d²/2σ²) over the places within reach of each of `sites`, itself left out.
    pub(super) fn others(&self, sites: &[u32]) -> Vec<f64> {
        pulp::Arch::new().dispatch(Others { strips: self, sites })
    }

    #[inline(always)]
    fn sum(&self, x: f64, y: f64, run: std::ops::Range<usize>, sums: &mut [f64; LANES]) {
        let squared_reach = self.reach * self.reach;
        let term = |there_x: f64, there_y: f64, weight: f64| {
            let (dx, dy) = (there_x - x, there_y - y);
            let squared = dx * dx + dy * dy;
            let value = weight * exp(squared.min(squared_reach) * self.narrow);
            if squared <= squared_reach { value } else { 0.0 }
        };
        let (xs, ys, weights) = (&self.x[run.clone()], &self.y[run.clone()], &self.weight[run]);
        let whole = xs.len() - xs.len() % LANES;
        let eights = xs.chunks_exact(LANES).zip(ys.chunks_exact(LANES)).zip(weights.chunks_exact(LANES));
        for ((xs, ys), weights) in eights {
            for lane in 0..LANES {
                sums[lane] += term(xs[lane], ys[lane], weights[lane]);
            }
        }
        for lane in 0..xs.len() - whole {
            sums[lane] += term(xs[whole + lane], ys[whole + lane], weights[whole + lane]);
        }
    }
}

/// The sums of some places, by the widest vectors the processor has.
struct Others<'a> {
    strips: &'a Strips,
    sites: &'a [u32],
}

impl pulp::WithSimd for Others<'_> {
    type Output = Vec<f64>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> Vec<f64> {
        let strips = self.strips;
        let mut all = Vec::with_capacity(self.sites.len());
        for &site in self.sites {
            let here = strips.stands[site as usize] as usize;
            let (x, y) = (strips.x[here], strips.y[here]);
            let mut sums = [0.0; LANES];
            for run in strips.runs(x, y) {
                if run.contains(&here) {
                    strips.sum(x, y, run.start..here, &mut sums);
                    strips.sum(x, y, here + 1..run.end, &mut sums);
                } else {
                    strips.sum(x, y, run, &mut sums);
                }
            }
            let [a, b, c, d, e, f, g, h] = sums;
            all.push(((a + b) + (c + d)) + ((e + f) + (g + h)));
        }
        all
    }
}

/// eᵃ for −700 ≤ a ≤ 0, to 3e-16 of it: a = n log 2 + r, |r| ≤ log 2 / 2, and the Taylor series of eʳ to r¹³, whose rest is
/// below 5e-18. No branch and no table, so that the compiler works out several at a time.
#[inline(always)]
pub(super) fn exp(a: f64) -> f64 {
    /// Adding it leaves the nearest whole number in the last bits.
    const ROUND: f64 = 6_755_399_441_055_744.0;
    /// log 2 in two parts, the first with zeros at its end (Cody & Waite 1980).
    const HIGH: f64 = 6.931_471_803_691_238e-1;
    const LOW: f64 = 1.908_214_929_270_587_7e-10;
    const SERIES: [f64; 14] = {
        let mut series = [1.0; 14];
        let mut at = 1;
        while at < 14 {
            series[at] = series[at - 1] / at as f64;
            at += 1;
        }
        series
    };
    let shifted = a * std::f64::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = (a - n * HIGH) - n * LOW;
    let mut value = SERIES[13];
    let mut at = 13;
    while at > 0 {
        at -= 1;
        value = value * r + SERIES[at];
    }
    value * f64::from_bits(shifted.to_bits().wrapping_add(1023) << 52)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exponential_is_the_one_of_libm() {
        for at in 0..200_000 {
            let a = -f64::from(at) * 0.003_5;
            let (found, wanted) = (exp(a), libm::exp(a));
            assert!((found / wanted - 1.0).abs() < 5e-16, "{a}: {found} against {wanted}");
        }
        assert_eq!(exp(0.0), 1.0);
        assert_eq!(exp(-0.0), 1.0);
    }
}
