//! Methods cut into tiles, for machines that each see a part: what a tile tells, and how the parts become the whole.
//!
//! A merged answer is *the* answer of one run over everything, not one near it, however the plane is tiled and in whichever
//! order the tiles come back. Two means, one for each kind of method:
//!
//! - Where what crosses a border is a **sum**, the sum is one of whole numbers, which depends on no order and no split: a
//!   place adds to the cells around it, in its own tile or beyond, as if it were alone ([`sums`]). No halo.
//! - Where what crosses a border is a **neighbour**, a tile sees the places of its halo, far enough that all it says of its
//!   own is final, and what it says of the others is no more than what is true ([`clusters`]).
//!
//! Tiles are squares at whole multiples of their side: the tile of a place is `floor(x / side)`, `floor(y / side)`.

pub mod clusters;
pub mod sums;

use std::ops::RangeInclusive;

use brasa_model::Metres;

use crate::AnalysisError;

/// A halo may be so many times as wide as a tile: at 16, a row is there 1089 times.
const WIDEST: f64 = 16.0;
/// Tiles and cells are numbered below this: beyond it a double does not tell one from the next.
const MOST: f64 = 4_503_599_627_370_496.0;

/// Squares that cut the plane, each with a halo around it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tiling {
    side: f64,
    halo: f64,
}

/// Rows dealt out to tiles: each once to its own, and once to each in whose halo it lies.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Exploded {
    /// Which row, by its position.
    pub at: Vec<usize>,
    /// The column of the tile.
    pub tile_x: Vec<i64>,
    /// The row of the tile.
    pub tile_y: Vec<i64>,
    /// Whether the row is the tile's own.
    pub own: Vec<bool>,
}

impl Tiling {
    /// Tiles of this side with a halo of this width, `None` for none.
    ///
    /// # Errors
    /// [`AnalysisError::Parameter`] when the halo is so wide that each row would be there more than a thousand times.
    pub fn new(side: Metres, halo: Option<Metres>) -> Result<Self, AnalysisError> {
        let (side, halo) = (side.get(), halo.map_or(0.0, Metres::get));
        if halo > WIDEST * side {
            let why = format!(
                "a halo of {halo} m around tiles of {side} m is most of all there is; give larger tiles"
            );
            return Err(AnalysisError::Parameter { method: "tile", why });
        }
        Ok(Self { side, halo })
    }

    /// The width of the halo in metres.
    pub const fn halo(&self) -> f64 {
        self.halo
    }

    /// The tile of a place, as whole numbers in doubles.
    fn own(&self, x: f64, y: f64) -> (f64, f64) {
        ((x / self.side).floor(), (y / self.side).floor())
    }

    /// The columns or rows of the tiles that see a coordinate. A hair wider than the halo, so that rounding loses no neighbour; one
    /// place more in a halo changes nothing.
    fn seen_by(&self, value: f64) -> RangeInclusive<i64> {
        let hair = if self.halo > 0.0 { 1e-9 * self.halo + slack(value.abs() + self.side) } else { 0.0 };
        let reach = self.halo + hair;
        ((value - reach) / self.side).floor() as i64..=((value + reach) / self.side).floor() as i64
    }

    /// Whether a tile sees a place, as its own or in its halo.
    pub fn sees(&self, tile: (i64, i64), x: f64, y: f64) -> bool {
        self.seen_by(x).contains(&tile.0) && self.seen_by(y).contains(&tile.1)
    }

    /// Whether a place is a tile's own.
    pub fn owns(&self, tile: (i64, i64), x: f64, y: f64) -> bool {
        let (tile_x, tile_y) = self.own(x, y);
        (tile_x as i64, tile_y as i64) == tile
    }

    /// Deals rows out to tiles. The copies of a row stand together, those of its own tile first; rows keep their order.
    ///
    /// # Errors
    /// [`AnalysisError::Parameter`] when a coordinate is not finite, or too far out for tiles of this side.
    pub fn explode(&self, x: &[f64], y: &[f64]) -> Result<Exploded, AnalysisError> {
        let mut all = Exploded::default();
        for (at, (&x, &y)) in x.iter().zip(y).enumerate() {
            let (tile_x, tile_y) = self.own(x, y);
            // A number that is none is not less than anything.
            if !(tile_x.abs() < MOST && tile_y.abs() < MOST) {
                let why = format!(
                    "row {at}: ({x}, {y}) is not a place in metres that tiles of {} m can hold",
                    self.side
                );
                return Err(AnalysisError::Parameter { method: "tile_explode", why });
            }
            let own = (tile_x as i64, tile_y as i64);
            all.push(at, own, true);
            for tile_y in self.seen_by(y) {
                for tile_x in self.seen_by(x) {
                    if (tile_x, tile_y) != own {
                        all.push(at, (tile_x, tile_y), false);
                    }
                }
            }
        }
        Ok(all)
    }
}

impl Exploded {
    fn push(&mut self, at: usize, (tile_x, tile_y): (i64, i64), own: bool) {
        self.at.push(at);
        self.tile_x.push(tile_x);
        self.tile_y.push(tile_y);
        self.own.push(own);
    }
}

/// By how much the last steps of a calculation with coordinates of this size may be off.
fn slack(size: f64) -> f64 {
    16.0 * f64::EPSILON * size
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn tiling(side: f64, halo: f64) -> Tiling {
        Tiling::new(Metres::new(side).unwrap(), Metres::new(halo).ok()).unwrap()
    }

    fn tiles(found: &Exploded) -> Vec<(usize, i64, i64, bool)> {
        (0..found.at.len())
            .map(|at| (found.at[at], found.tile_x[at], found.tile_y[at], found.own[at]))
            .collect()
    }

    #[test]
    fn a_place_on_a_border_is_the_tile_s_to_the_north_east() {
        let found = tiling(100.0, 0.0).explode(&[200.0, -100.0, -0.0], &[0.0, -0.5, 99.999]).unwrap();
        assert_eq!(tiles(&found), [(0, 2, 0, true), (1, -1, -1, true), (2, 0, 0, true)]);
        let found = tiling(100.0, 10.0).explode(&[200.0], &[50.0]).unwrap();
        assert_eq!(tiles(&found), [(0, 2, 0, true), (0, 1, 0, false)]);
    }

    #[test]
    fn what_cannot_be_tiled_is_refused() {
        for x in [f64::NAN, f64::INFINITY, 1e300] {
            assert!(tiling(100.0, 10.0).explode(&[0.0, x], &[0.0, 0.0]).is_err(), "{x}");
        }
        assert!(Tiling::new(Metres::new(1.0).unwrap(), Metres::new(17.0).ok()).is_err());
        assert_eq!(tiling(100.0, 10.0).explode(&[], &[]).unwrap(), Exploded::default());
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_tile_sees_all_that_is_within_its_halo(
            places in prop::collection::vec((-900.0..900.0_f64, -900.0..900.0_f64), 1..40),
            side in 30.0..700.0_f64,
            halo in prop_oneof![Just(0.0), 1.0..900.0_f64],
            origin in prop::sample::select(vec![0.0, -3.0e5, 1.0e7]),
        ) {
            let tiling = tiling(side, halo.min(side * WIDEST));
            let (x, y): (Vec<f64>, Vec<f64>) = places.iter().map(|place| (place.0 + origin, place.1 + origin)).unzip();
            let found = tiling.explode(&x, &y).unwrap();
            for at in 0..x.len() {
                let copies: Vec<usize> = (0..found.at.len()).filter(|&copy| found.at[copy] == at).collect();
                prop_assert!(found.own[copies[0]] && copies[1..].iter().all(|&copy| !found.own[copy]));
                // Whoever is a neighbour of somebody's is seen by that somebody's tile.
                for other in (0..x.len()).filter(|&other| (x[at] - x[other]).hypot(y[at] - y[other]) <= tiling.halo()) {
                    let (tile_x, tile_y) = tiling.own(x[other], y[other]);
                    let tile = (tile_x as i64, tile_y as i64);
                    prop_assert!(tiling.sees(tile, x[at], y[at]));
                    prop_assert!(copies.iter().any(|&copy| (found.tile_x[copy], found.tile_y[copy]) == tile));
                }
            }
        }
    }
}
