//! The heart of every density: Σᵢ wᵢ K(dᵢ/h) at the centre of every cell of a raster. Exact, at any size.
//!
//! Places are filed once under the raster's rows, stacks merged ([`filing`]). Then each row is filled by one thread, in one of
//! two ways that give the same sums: place by place and cell by cell ([`direct`]), or by one running polynomial along
//! the row ([`sweep`]), which costs the same for a wide kernel as for a narrow one. A wide Gaussian, which is no polynomial,
//! goes by way of a lattice ([`gaussian`]). A cost model chooses.

mod direct;
mod filing;
mod gaussian;
mod sweep;

use brasa_model::Grid;
use filing::Filed;
pub(crate) use gaussian::Spread;

use crate::kernels::Kernel;

/// Places with weights, in any order: sums run in an order of their own.
#[derive(Debug, Clone, Copy)]
pub struct Places<'a> {
    /// Easting in metres.
    pub x: &'a [f64],
    /// Northing in metres.
    pub y: &'a [f64],
    /// Weight, finite and not negative; `None` counts each place once.
    pub weight: Option<&'a [f64]>,
}

/// How a row is filled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Direct,
    Sweep,
}

/// Rounding may take a cell below zero by at most this share of the peak; more would be an error of the method.
const TOLERANCE: f64 = 1e-9;

/// Σᵢ wᵢ K(dᵢ/h) at the centre of each cell, row by row from the south-west, inside the window or not. The kernel is 1
/// at its centre: multiply by [`Kernel::factor`] / h² for a density per m².
///
/// Within 1e-9 of the peak of the exact sum (of a kernel's own peak, where cells are so long that the raster sees rims
/// only), for any origin of the coordinates up to 1e8 m; never negative; zero where no kernel reaches. The bits depend neither on the order of the places nor on threads nor on the processor.
pub fn kernel_sums(places: Places<'_>, grid: &Grid, kernel: Kernel, h: f64) -> Vec<f64> {
    let filed = Filed::new(places, grid, kernel.reach() * h);
    if kernel == Kernel::Gaussian && gaussian::pays(filed.len(), grid, h) {
        return gaussian::fill(&filed, h);
    }
    fill(&filed, kernel, h, cheaper(&filed, kernel, h))
}

/// The same sums, place by place: each cell to the precision of its own value, not of the peak. For whoever divides one
/// small sum by another. Costs places × cells within the bandwidth.
pub fn relative_sums(places: Places<'_>, grid: &Grid, kernel: Kernel, h: f64) -> Vec<f64> {
    direct::fill(&Filed::new(places, grid, kernel.reach() * h), kernel, h)
}

fn fill(filed: &Filed, kernel: Kernel, h: f64, way: Way) -> Vec<f64> {
    let swept = match (way, kernel) {
        (Way::Sweep, Kernel::Uniform) => sweep::fill::<sweep::Uniform>(filed, h, TOLERANCE),
        (Way::Sweep, Kernel::Epanechnikov) => sweep::fill::<sweep::Epanechnikov>(filed, h, TOLERANCE),
        (Way::Sweep, Kernel::Quartic) => sweep::fill::<sweep::Quartic>(filed, h, TOLERANCE),
        (Way::Sweep, Kernel::Triweight) => sweep::fill::<sweep::Triweight>(filed, h, TOLERANCE),
        _ => None,
    };
    // A sweep out of tolerance has not been seen; were it to happen, the slow way is right.
    swept.unwrap_or_else(|| direct::fill(filed, kernel, h))
}

/// The cheaper way, in units of what one cell costs one place in the direct way (about a nanosecond). Only relations matter.
fn cheaper(filed: &Filed, kernel: Kernel, h: f64) -> Way {
    const PER_CELL: f64 = 2.0;
    const PER_ROW_SWEPT: f64 = 8.0;
    const PER_ROW_DIRECT: f64 = 6.0;
    if matches!(kernel, Kernel::Triangular | Kernel::Gaussian) {
        // No polynomial in the distance along a row.
        return Way::Direct;
    }
    let rows = filed.len() as f64 * 2.0 * h / filed.height;
    // The mean chord of a circle is π/2 of its radius. So no kernel narrower than a cell is swept: its polynomial, in cells from
    // the start of a row, would lose digits.
    let chord = std::f64::consts::FRAC_PI_2 * h / filed.width;
    let swept = rows * PER_ROW_SWEPT + (filed.nx * filed.ny) as f64 * PER_CELL;
    let direct = rows * (PER_ROW_DIRECT + chord);
    if swept < direct { Way::Sweep } else { Way::Direct }
}

#[cfg(test)]
mod tests {
    use super::*;
    use brasa_model::{Metres, Window, WindowOrigin};
    use geo::{MultiPolygon, Rect};
    use proptest::prelude::*;

    fn grid(cell: f64, origin: f64) -> Grid {
        let square = Rect::new((origin, origin), (origin + 3000.0, origin + 2000.0)).to_polygon();
        let window = Window::new(MultiPolygon::new(vec![square]), WindowOrigin::Given("box".into())).unwrap();
        Grid::covering(&window, Metres::new(cell).unwrap()).unwrap()
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn both_ways_give_the_same_sums(
            places in prop::collection::vec((-1500.0..4500.0_f64, -1500.0..3500.0_f64, 0.0..9.0_f64), 0..200),
            kernel in prop::sample::select(vec![Kernel::Uniform, Kernel::Epanechnikov, Kernel::Quartic, Kernel::Triweight]),
            h in 5.0..2500.0_f64,
            cell in 7.0..60.0_f64,
            offset in 0..3_usize,
        ) {
            let origin = [0.0, 5.4e6, 1.0e8][offset];
            // Narrower kernels are never swept.
            let h = h.max(cell);
            let x: Vec<f64> = places.iter().map(|place| place.0 + origin).collect();
            let y: Vec<f64> = places.iter().map(|place| place.1 + origin).collect();
            let weight: Vec<f64> = places.iter().map(|place| place.2).collect();
            let filed = Filed::new(Places { x: &x, y: &y, weight: Some(&weight) }, &grid(cell, origin), h);
            let (swept, direct) = (fill(&filed, kernel, h, Way::Sweep), fill(&filed, kernel, h, Way::Direct));
            // Of the highest value there could be: a raster of long cells may see no more than a kernel's rim, whose values
            // are differences of numbers of the kernel's own size.
            let peak = direct.iter().chain(&weight).copied().fold(0.0, f64::max);
            for (cell, (a, b)) in swept.iter().zip(&direct).enumerate() {
                prop_assert!((a - b).abs() <= 1e-10 * peak, "{kernel} cell {cell}: {a} against {b}, peak {peak}");
            }
            // Where nothing reaches there is nothing, not a residue; at the very rim a rounding may stand.
            let world = grid(cell, origin);
            for (at, a) in swept.iter().enumerate() {
                let (u, v) = (world.centre_x(at % world.nx()), world.centre_y(at / world.nx()));
                let near = x.iter().zip(&y).any(|(x, y)| (x - u).hypot(y - v) <= h * (1.0 + 1e-9) + 1e-6);
                prop_assert!(near || *a == 0.0, "{kernel}: {a} where nothing is");
            }
        }

        #[test]
        fn stacks_are_weights_and_order_is_nothing(
            places in prop::collection::vec((0..60_u32, 0..40_u32, 1..4_u32), 1..80),
            seed in 0..100_usize,
        ) {
            let grid = grid(25.0, 0.0);
            let spread: Vec<(f64, f64)> = places.iter()
                .flat_map(|&(x, y, copies)| vec![(f64::from(x) * 50.0, f64::from(y) * 50.0); copies as usize])
                .collect();
            let mut mixed = spread.clone();
            mixed.sort_by_key(|place| ((place.0 * 7919.0 + place.1 * 104_729.0) as usize * (seed * 2 + 1)) % 1009);
            let sums = |places: &[(f64, f64)]| {
                let (x, y): (Vec<f64>, Vec<f64>) = places.iter().copied().unzip();
                kernel_sums(Places { x: &x, y: &y, weight: None }, &grid, Kernel::Quartic, 400.0)
            };
            let x: Vec<f64> = places.iter().map(|place| f64::from(place.0) * 50.0).collect();
            let y: Vec<f64> = places.iter().map(|place| f64::from(place.1) * 50.0).collect();
            let weight: Vec<f64> = places.iter().map(|place| f64::from(place.2)).collect();
            let weighted = kernel_sums(Places { x: &x, y: &y, weight: Some(&weight) }, &grid, Kernel::Quartic, 400.0);
            prop_assert_eq!(sums(&spread), sums(&mixed));
            prop_assert_eq!(sums(&spread), weighted);
        }
    }

    #[test]
    fn a_far_place_changes_no_bit() {
        let grid = grid(20.0, 0.0);
        let near = ([500.0, 700.0], [600.0, 650.0]);
        let far = ([500.0, 700.0, 2900.0, 1e7], [600.0, 650.0, 1900.0, -1e7]);
        for kernel in [Kernel::Quartic, Kernel::Triangular] {
            let a = kernel_sums(Places { x: &near.0, y: &near.1, weight: None }, &grid, kernel, 300.0);
            let b = kernel_sums(Places { x: &far.0, y: &far.1, weight: None }, &grid, kernel, 300.0);
            for row in 0..60 {
                assert_eq!(
                    a[row * grid.nx()..row * grid.nx() + 60],
                    b[row * grid.nx()..row * grid.nx() + 60]
                );
            }
        }
    }
}
