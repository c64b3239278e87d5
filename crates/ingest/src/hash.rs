//! A quick hash for keys that are numbers of our own data, where no attacker chooses collisions worth defending.

use std::hash::{BuildHasherDefault, Hasher};

/// For `HashMap<(u64, u64), _, Quick>`.
pub(crate) type Quick = BuildHasherDefault<Multiply>;

/// Multiplies and folds each word with an odd constant (the golden ratio in 64 bits).
#[derive(Default)]
pub(crate) struct Multiply(u64);

impl Hasher for Multiply {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u64(u64::from(byte));
        }
    }

    fn write_u64(&mut self, word: u64) {
        let product = u128::from(self.0 ^ word.rotate_left(23)) * 0x9e37_79b9_7f4a_7c15;
        self.0 = (product as u64) ^ ((product >> 64) as u64);
    }
}
