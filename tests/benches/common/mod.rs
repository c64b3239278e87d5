//! What the benches share: the file of points, the clock.

#![expect(clippy::unwrap_used, reason = "a bench stops where it cannot go on")]

mod clock;

pub use clock::measured;

/// A file of rows of x, y, t (f64; metres and days), column by column.
pub fn columns(path: &str) -> [Vec<f64>; 3] {
    let bytes = std::fs::read(path).unwrap();
    let header = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    let number = |bytes: &[u8]| f64::from_le_bytes(bytes.try_into().unwrap());
    let rows = || bytes[header..].chunks_exact(24);
    [0, 8, 16].map(|at| rows().map(|row| number(&row[at..at + 8])).collect())
}
