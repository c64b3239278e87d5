//! Chance that anybody can repeat: random numbers that depend on a seed and a replicate, never on a thread.

use crate::Window;

/// The random numbers of one replicate: Philox 4×32-10 (Salmon, Moraes, Dror & Shaw 2011, doi:10.1145/2063384.2063405).
///
/// A counter goes in, a number comes out: replicate 7 has the same numbers whether or not replicate 6 was ever made.
#[derive(Debug, Clone)]
pub struct Chance {
    seed: u64,
    replicate: u64,
    drawn: u64,
    left: Option<u64>,
}

impl Chance {
    /// The numbers of a replicate under a seed.
    pub const fn new(seed: u64, replicate: u64) -> Self {
        Self { seed, replicate, drawn: 0, left: None }
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        if let Some(left) = self.left.take() {
            return left;
        }
        let [a, b, c, d] = philox(
            [
                self.drawn as u32,
                (self.drawn >> 32) as u32,
                self.replicate as u32,
                (self.replicate >> 32) as u32,
            ],
            [self.seed as u32, (self.seed >> 32) as u32],
        );
        self.drawn += 1;
        self.left = Some(u64::from(c) | u64::from(d) << 32);
        u64::from(a) | u64::from(b) << 32
    }

    /// A number from 0 up to, not including, 1: one of 2⁵³ steps, each as likely as the other.
    pub fn share(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A whole number from 0 up to, not including, `end`, each as likely as the other (Lemire 2019,
    /// doi:10.1145/3230636); 0 where `end` is 0.
    pub fn below(&mut self, end: u64) -> u64 {
        let mut wide = u128::from(self.bits()) * u128::from(end);
        if (wide as u64) < end {
            let unfair = end.wrapping_neg() % end;
            while (wide as u64) < unfair {
                wide = u128::from(self.bits()) * u128::from(end);
            }
        }
        (wide >> 64) as u64
    }

    /// A place of the window, each as likely as the other: places of its bounds are drawn until one lies in it.
    pub fn place(&mut self, window: &Window) -> (f64, f64) {
        let (low, bounds) = (window.bounds().min(), window.bounds());
        loop {
            let (x, y) = (low.x + self.share() * bounds.width(), low.y + self.share() * bounds.height());
            if window.contains(x, y) {
                return (x, y);
            }
        }
    }

    /// `chosen` of `all` things, by position, each choice of them as likely as any other (Durstenfeld 1964,
    /// doi:10.1145/364520.364540, stopped when enough are drawn).
    pub fn choose(&mut self, chosen: usize, all: usize) -> Vec<bool> {
        let mut order: Vec<u32> = (0..all as u32).collect();
        let mut taken = vec![false; all];
        for at in 0..chosen.min(all) {
            let other = at + self.below((all - at) as u64) as usize;
            order.swap(at, other);
            taken[order[at] as usize] = true;
        }
        taken
    }
}

/// So many numbers are drawn side by side from [`Streams`].
pub const LANES: usize = 16;

/// Very many numbers of 32 bits: eight generators xoshiro256++ (Blackman & Vigna 2021, doi:10.1145/3460772) side by side,
/// each begun with numbers of its own from [`Chance`].
#[derive(Debug, Clone)]
pub struct Streams {
    state: [[u64; LANES / 2]; 4],
}

impl Chance {
    /// Streams that begin with the next numbers.
    pub fn streams(&mut self) -> Streams {
        Streams { state: [(); 4].map(|()| [(); LANES / 2].map(|()| self.bits())) }
    }
}

impl Streams {
    /// The next number of each lane. Fastest where it is compiled for wide registers, inside `pulp`'s dispatch.
    #[inline(always)]
    pub fn row(&mut self) -> [u32; LANES] {
        let [a, b, c, d] = &mut self.state;
        let mut row = [0; LANES];
        for at in 0..LANES / 2 {
            let bits = a[at].wrapping_add(d[at]).rotate_left(23).wrapping_add(a[at]);
            row[at] = bits as u32;
            row[at + LANES / 2] = (bits >> 32) as u32;
            let shifted = b[at] << 17;
            c[at] ^= a[at];
            d[at] ^= b[at];
            b[at] ^= c[at];
            a[at] ^= d[at];
            c[at] ^= shifted;
            d[at] = d[at].rotate_left(45);
        }
        row
    }
}

fn philox(mut counter: [u32; 4], mut key: [u32; 2]) -> [u32; 4] {
    let multiply = |a: u32, b: u32| {
        let wide = u64::from(a) * u64::from(b);
        ((wide >> 32) as u32, wide as u32)
    };
    for _ in 0..10 {
        let (high0, low0) = multiply(0xD251_1F53, counter[0]);
        let (high1, low1) = multiply(0xCD9E_8D57, counter[2]);
        counter = [high1 ^ counter[1] ^ key[0], low1, high0 ^ counter[3] ^ key[1], low0];
        key = [key[0].wrapping_add(0x9E37_79B9), key[1].wrapping_add(0xBB67_AE85)];
    }
    counter
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn philox_gives_the_published_answers() {
        // The known answers that Random123 1.14.0 ships for philox4x32, 10 rounds.
        assert_eq!(philox([0; 4], [0; 2]), [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]);
        assert_eq!(
            philox([u32::MAX; 4], [u32::MAX; 2]),
            [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]
        );
    }

    #[test]
    fn streams_give_the_published_answers() {
        // What the authors' own program gives from the state 1, 2, 3, 4.
        let mut streams = Streams { state: [1, 2, 3, 4].map(|word| [word; LANES / 2]) };
        for wanted in [41_943_041, 58_720_359, 3_588_806_011_781_223, 3_591_011_842_654_386] {
            let row = streams.row();
            for at in 0..LANES / 2 {
                assert_eq!(u64::from(row[at]) | u64::from(row[at + LANES / 2]) << 32, wanted);
            }
        }
        let mut chance = Chance::new(1, 2);
        let row = chance.streams().row();
        assert_ne!(row, chance.streams().row());
        assert!((1..LANES).all(|at| row[at] != row[0]));
    }

    #[test]
    fn a_choice_is_even() {
        let mut times = [0_u32; 10];
        for replicate in 0..4000 {
            let taken = Chance::new(7, replicate).choose(3, 10);
            assert_eq!(taken.iter().filter(|&&taken| taken).count(), 3);
            for (times, _) in times.iter_mut().zip(taken).filter(|(_, taken)| *taken) {
                *times += 1;
            }
        }
        // Binomial(4000, 0.3): five standard deviations are 145.
        assert!(times.iter().all(|&times| times.abs_diff(1200) < 145), "{times:?}");
        assert_eq!(Chance::new(1, 1).choose(5, 3), [true; 3]);
    }
}
