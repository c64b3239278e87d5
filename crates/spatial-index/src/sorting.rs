//! Sorting many keys that are whole numbers, several times faster than by comparison alone.

use rayon::prelude::*;

/// Below so many keys a sort by comparison is as fast.
const FEW: usize = 256;

/// Keys are dealt into at most 2 to this power of buckets, so that the places where the next key of each goes stay in the
/// nearest cache.
const BITS: u32 = 10;

/// Sorts keys in ascending order, where they are. They are dealt by their leading bits into buckets of some dozens, and each
/// bucket is sorted by comparison while it lies in the nearest cache (American flag sort, McIlroy, Bostic & McIlroy 1993).
pub fn sort(keys: &mut [u128]) {
    if keys.len() < FEW {
        keys.sort_unstable();
        return;
    }
    let (least, most) = keys.iter().fold((u128::MAX, 0), |(low, high), &key| (key.min(low), key.max(high)));
    if least == most {
        return;
    }
    let bits = (keys.len() / 64).ilog2().min(BITS);
    let shift = (u128::BITS - (most - least).leading_zeros()).saturating_sub(bits);
    let bucket = |key: u128| ((key - least) >> shift) as usize;
    // Where the next key of each bucket goes, and where the bucket ends.
    let mut next = vec![0_usize; 1 << bits];
    for &key in keys.iter() {
        next[bucket(key)] += 1;
    }
    let mut end = 0;
    let mut ends = next.clone();
    for (next, end_of) in next.iter_mut().zip(&mut ends) {
        *next = end;
        end += *end_of;
        *end_of = end;
    }
    for (own, &end) in ends.iter().enumerate() {
        while next[own] < end {
            let mut key = keys[next[own]];
            let mut to = bucket(key);
            while to != own {
                std::mem::swap(&mut keys[next[to]], &mut key);
                next[to] += 1;
                to = bucket(key);
            }
            keys[next[own]] = key;
            next[own] += 1;
        }
    }
    let mut rest = keys;
    let mut buckets = Vec::with_capacity(ends.len());
    let mut from = 0;
    for end in ends {
        let (head, tail) = rest.split_at_mut(end - from);
        buckets.push(head);
        (rest, from) = (tail, end);
    }
    buckets.into_par_iter().with_min_len(16).for_each(sort);
}

/// A whole number of `bits` bits for each number of a stretch that begins at `from` and is `length` long (not negative): the
/// greater the number, the greater or equal the whole number.
pub fn quantised(from: f64, length: f64, bits: u32) -> impl Fn(f64) -> u128 {
    let most = ((1_u64 << bits) - 1) as f64;
    let scale = if length > 0.0 { most / length } else { 0.0 };
    move |value| ((value - from) * scale).min(most) as u128
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_end_in_order_however_they_are_spread() {
        let mixed = |at: u64| u128::from(at.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let spreads: [&dyn Fn(u64) -> u128; 5] = [
            &mixed,
            &|at| mixed(at) << 64 | u128::from(at),
            &|at| mixed(at) % 3,
            // One key far away leaves the others in one bucket.
            &|at| if at == 7 { u128::MAX } else { mixed(at) },
            &|_| 5,
        ];
        for spread in spreads {
            for count in [0, 1, FEW as u64 - 1, 20_000, 300_000] {
                let mut keys: Vec<u128> = (0..count).map(spread).collect();
                let mut wanted = keys.clone();
                wanted.sort_unstable();
                sort(&mut keys);
                assert!(keys == wanted);
            }
        }
    }

    #[test]
    fn quantising_keeps_the_order() {
        let whole = quantised(5.0e6, 4.0e4, 48);
        let numbers: Vec<u128> = (0..=40_000).map(|at| whole(5.0e6 + f64::from(at))).collect();
        assert!(numbers.windows(2).all(|pair| pair[0] < pair[1]));
        assert_eq!(numbers[0], 0);
        // The greatest number is the greatest whole number, but for the last digit of a product of two floats.
        assert!(((1 << 48) - 2..1 << 48).contains(&numbers[40_000]));
        assert_eq!(quantised(3.0, 0.0, 48)(3.0), 0);
    }
}
