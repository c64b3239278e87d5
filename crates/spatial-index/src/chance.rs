//! Chance that anybody can repeat: random numbers that depend on a seed and a replicate, never on a thread.

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

/// The numbers of a replicate by 32 bits and many at once, for those who need very many.
#[derive(Debug, Clone)]
pub struct Numbers {
    chance: Chance,
    made: [u32; BLOCK],
    used: usize,
}

/// So many numbers are made at once.
const BLOCK: usize = 64;

impl Chance {
    /// These numbers by 32 bits.
    pub const fn numbers(self) -> Numbers {
        Numbers { chance: self, made: [0; BLOCK], used: BLOCK }
    }
}

impl Numbers {
    #[inline]
    fn next(&mut self) -> u32 {
        if self.used == BLOCK {
            self.refill();
        }
        self.used += 1;
        self.made[self.used - 1]
    }

    fn refill(&mut self) {
        let Chance { seed, replicate, drawn, .. } = self.chance;
        pulp::Arch::new().dispatch(|| {
            for (at, numbers) in self.made.chunks_exact_mut(4).enumerate() {
                let counter = drawn + at as u64;
                numbers.copy_from_slice(&philox(
                    [counter as u32, (counter >> 32) as u32, replicate as u32, (replicate >> 32) as u32],
                    [seed as u32, (seed >> 32) as u32],
                ));
            }
        });
        self.chance.drawn += BLOCK as u64 / 4;
        self.used = 0;
    }

    /// A whole number from 0 up to, not including, `end`, as [`Chance::below`].
    #[inline]
    pub fn below(&mut self, end: u32) -> u32 {
        let mut wide = u64::from(self.next()) * u64::from(end);
        if (wide as u32) < end {
            let unfair = end.wrapping_neg() % end;
            while (wide as u32) < unfair {
                wide = u64::from(self.next()) * u64::from(end);
            }
        }
        (wide >> 32) as u32
    }
}

#[inline(always)]
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
    fn numbers_by_32_bits_are_the_same_numbers() {
        let (mut wide, mut narrow) = (Chance::new(5, 9), Chance::new(5, 9).numbers());
        for _ in 0..100 {
            let bits = wide.bits();
            assert_eq!((narrow.next(), narrow.next()), (bits as u32, (bits >> 32) as u32));
        }
        let mut times = [0_u32; 7];
        (0..70_000).for_each(|_| times[narrow.below(7) as usize] += 1);
        // Binomial(70000, 1/7): five standard deviations are 463.
        assert!(times.iter().all(|&times| times.abs_diff(10_000) < 463), "{times:?}");
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
