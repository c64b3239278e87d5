//! Random numbers that are the same everywhere and forever.
//!
//! xoshiro256** by D. Blackman and S. Vigna ("Scrambled linear pseudorandom number generators", ACM TOMS 47,
//! 2021, doi:10.1145/3460772), its state filled by SplitMix64 as they advise. Each part of the city draws from
//! a stream of its own, so that a change to one part leaves the others as they were.

/// Which part of the city is drawing.
#[derive(Debug, Clone, Copy)]
pub enum Stream {
    /// Corners and houses.
    Places = 1,
    /// The background incidents.
    Background = 2,
    /// The planted incidents.
    Planted = 3,
    /// The dirt.
    Dirt = 4,
}

/// The generator.
#[derive(Debug, Clone)]
pub struct Rng([u64; 4]);

impl Rng {
    /// The stream of one part under a seed.
    pub fn new(seed: u64, stream: Stream) -> Self {
        let mut state = seed ^ (stream as u64).wrapping_mul(0xD134_2543_DE82_EF95);
        Self(std::array::from_fn(|_| split_mix(&mut state)))
    }

    /// 64 random bits.
    pub const fn bits(&mut self) -> u64 {
        let s = &mut self.0;
        let result = s[1].wrapping_mul(5).rotate_left(7).wrapping_mul(9);
        let shifted = s[1] << 17;
        s[2] ^= s[0];
        s[3] ^= s[1];
        s[1] ^= s[2];
        s[0] ^= s[3];
        s[2] ^= shifted;
        s[3] = s[3].rotate_left(45);
        result
    }

    /// Uniform on [0, 1), with 53 bits.
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// True with this probability.
    pub fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// Uniform on 0 … n - 1 (0 when n is 0), by multiply and shift; the bias is below n / 2⁶⁴.
    pub fn below(&mut self, n: usize) -> usize {
        ((u128::from(self.bits()) * n as u128) >> 64) as usize
    }

    /// Standard normal, by Box and Muller (1958).
    pub fn normal(&mut self) -> f64 {
        let radius = libm::sqrt(-2.0 * libm::log(1.0 - self.unit()));
        radius * libm::cos(std::f64::consts::TAU * self.unit())
    }

    /// Puts the items in random order (Fisher and Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for at in (1..items.len()).rev() {
            items.swap(at, self.below(at + 1));
        }
    }
}

const fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// A choice among weighted alternatives.
#[derive(Debug, Clone)]
pub struct Choice(Vec<f64>);

impl Choice {
    /// Alternative `k` has the weight of place `k`.
    pub fn new(weights: impl IntoIterator<Item = f64>) -> Self {
        let running = weights.into_iter().scan(0.0, |sum, weight| {
            *sum += weight;
            Some(*sum)
        });
        Self(running.collect())
    }

    /// The sum of the weights.
    pub fn total(&self) -> f64 {
        self.0.last().copied().unwrap_or(0.0)
    }

    /// The number of one alternative.
    pub fn draw(&self, rng: &mut Rng) -> usize {
        let at = rng.unit() * self.total();
        self.0.partition_point(|&sum| sum <= at).min(self.0.len().saturating_sub(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn split_mix_gives_its_published_numbers() {
        let mut state = 1_234_567;
        assert_eq!(split_mix(&mut state), 6_457_827_717_110_365_317);
        assert_eq!(split_mix(&mut state), 3_203_168_211_198_807_973);
    }

    #[test]
    fn xoshiro_gives_its_published_numbers() {
        let mut rng = Rng([1, 2, 3, 4]);
        assert_eq!([rng.bits(), rng.bits(), rng.bits()], [11_520, 0, 1_509_978_240]);
    }

    #[test]
    fn a_choice_follows_its_weights() {
        let mut rng = Rng::new(1, Stream::Places);
        let choice = Choice::new([1.0, 0.0, 3.0]);
        let mut counts = [0; 3];
        for _ in 0..10_000 {
            counts[choice.draw(&mut rng)] += 1;
        }
        assert_eq!(counts[1], 0);
        // Four standard deviations of a binomial of 10 000 with p = 1/4 are 173.
        assert!((i32::abs(counts[0] - 2500)) < 173, "{counts:?}");
    }
}
