//! Sums of Gaussians on a raster, by way of a lattice: the work per place and per cell does not grow with σ.
//!
//! # Definition
//! S(q) = Σᵢ wᵢ exp(−|q − pᵢ|² / 2σ²) at the centre q of every cell.
//!
//! # How
//! A Gaussian is a narrow one followed by another: with σ² = s₁² + s₂² and a lattice of spacing b,
//!
//! exp(−(x−q)²/2σ²) ≈ b/√(2πv) · Σₖ exp(−(kb−x)²/2s₁²) · exp(−(kb−q)²/2s₂²),  v = s₁²s₂²/σ²,
//!
//! on each axis. So every place spreads its weight over the lattice points around it ([`SPREAD`] of them on an axis), and
//! every cell gathers from those around it ([`GATHER`]); a gather is one pass along rows and one along columns. This is
//! the fast Gauss transform (Greengard & Strain 1991, doi:10.1137/0912004) with a lattice in the place of Hermite
//! series, and the spreading step of Greengard & Lee 2004 (doi:10.1137/S003614450343200X). Every term is positive, so
//! nothing cancels and no value is negative. Lengths are taken from the centre of the raster's first cell: neither a
//! far origin nor a shift by whole cells matters.
//!
//! # Error
//! At most [`ERROR`] of the peak, in two parts. Each is worked out by the test `the_bound_is_what_it_says`.
//!
//! *Lattice.* The k-th term is exp(−(x−q)²/2σ²) · exp(−(kb−μ)²/2v) for some μ, and by Poisson summation
//! Σₖ exp(−(kb−μ)²/2v) = √(2πv)/b · (1 + 2 Σₘ exp(−2π²vm²/b²) cos(2πmμ/b)), m ≥ 1 (Trefethen & Weideman 2014,
//! doi:10.1137/130932132, §5). The sum over all k is thus off by a *relative* a = 2 exp(−2π²v/b²)(1 + …) on an axis,
//! whatever x and q are; the surface by (1+a)² − 1 of its own value, at every cell.
//!
//! *Windows.* Left out are the terms with |kb−x| ≥ r₁ = b·SPREAD/2 and those with |kb−q| ≥ r₂ = b·GATHER/2. Cut the plane
//! into boxes of side σ, and let W be the most weight in one. Summed over the boxes of one axis, what is left out is at most
//! - 4 σ/s₁ · exp(−r₁²/2s₁²): for each k at most two boxes on either side begin where the first Gaussian is cut (what is
//!   a whole σ further out is smaller by e⁻¹²), and the second Gaussian summed over k is √(2π) s₂/b;
//! - (2 + √(2π) s₁/σ) · b/√(2πv) · 2 exp(−r₂²/2s₂²) / (1 − exp(−r₂b/s₂²)): for each k, the maxima over boxes of a
//!   Gaussian of deviation s add up to at most 2 + √(2π) s/σ, and the tail over k is less than geometric.
//!
//! On the other axis stand the maxima of the whole Gaussian, 2 + √(2π). Twice that product (for the two axes) times W is
//! what the windows leave out. No place of the heaviest box is further than σ/√2 from its middle, and no middle further
//! than σ/√2 from the centre of a cell when no cell is longer than σ, which [`pays`] demands: the sum there is at least
//! W/e. "The peak" is thus the highest value on the raster or, for places beyond its border, on the raster continued
//! over them.
//!
//! # Cost
//! Places × SPREAD² + lattice rows × columns × GATHER + cells × GATHER; beside the raster, the memory of lattice rows ×
//! columns: at most 7/3 of the raster's and 28 rows, and the less the wider σ. The sum by its definition costs places ×
//! 201 σ² / area of a cell, and is used where that is less and where cells are longer than σ: see [`pays`].

use std::f64::consts::PI;

use brasa_model::Grid;
use rayon::prelude::*;

use super::filing::Filed;

/// Lattice points, on each axis, that a place spreads over.
const SPREAD: usize = 20;
/// Lattice points, on each axis, that a cell gathers from.
const GATHER: usize = 28;
/// σ/b: lattice points per standard deviation.
const PER_SIGMA: f64 = 7.0 / 3.0;
/// s₁²/σ²: the share of the variance that the spreading takes.
const SHARE: f64 = 1.0 / 3.0;
/// How far a sum may be off, as a part of the peak.
#[cfg(test)]
const ERROR: f64 = 5e-10;

/// Lattice rows filled at a time by one thread; fixed, so that no bit depends on the number of threads.
const BAND: usize = 32;
/// Rows of the raster written at a time by one thread: they read nearly the same lattice rows.
const ROWS: usize = 8;
/// Columns at a time, so that the lattice rows they read stay in the nearest cache.
const COLUMNS: usize = 128;

/// Whether the lattice is exact enough (no cell longer than σ) and cheaper than the sum by its definition.
pub(super) fn pays(places: usize, grid: &Grid, sigma: f64) -> bool {
    let (width, height) = (grid.cell().get(), grid.cell_height().get());
    if width.max(height) > sigma {
        return false;
    }
    let (n, nx, ny) = (places as f64, grid.nx() as f64, grid.ny() as f64);
    let reached = (64.0 * PI * sigma * sigma / (width * height)).min(nx * ny);
    let lattice_rows = ny * height * PER_SIGMA / sigma + GATHER as f64;
    // Nanoseconds on one core, measured: a term of the definition; a place spread; a gather along and across.
    15.0 * n * reached > 230.0 * n + nx * (12.0 * lattice_rows + 10.0 * ny)
}

/// One axis of the raster on the lattice: where the cells' centres lie and what they gather.
struct Axis {
    /// The side of a cell and the spacing of the lattice, in metres.
    cell: f64,
    spacing: f64,
    /// Lattice points that some cell gathers from.
    points: usize,
    /// Per cell, the first lattice point it gathers from, and the weight of each.
    gather: Vec<(usize, [f64; GATHER])>,
}

impl Axis {
    fn new(cell: f64, cells: usize, sigma: f64) -> Self {
        let spacing = sigma / PER_SIGMA;
        let rate = 0.5 / (PER_SIGMA * PER_SIGMA * (1.0 - SHARE));
        let scale = 1.0 / (PER_SIGMA * (2.0 * PI * SHARE * (1.0 - SHARE)).sqrt());
        let of_cell = |cell_at: usize| {
            let at = cell_at as f64 * cell / spacing;
            let weight = |point: usize| {
                let apart = point as f64 - (GATHER / 2 - 1) as f64 - at.fract();
                scale * libm::exp(-rate * apart * apart)
            };
            // Point 0 is the first that the first cell gathers from.
            (at as usize, std::array::from_fn(weight))
        };
        let gather: Vec<_> = (0..cells).into_par_iter().map(of_cell).collect();
        let points = gather.last().map_or(0, |(start, _)| start + GATHER);
        Self { cell, spacing, points, gather }
    }

    /// The first lattice point that a place spreads to, and how far beyond the middle of its points it lies (0 to 1). A
    /// place is given in cells from the centre of the first.
    fn start(&self, at: f64) -> (f64, f64) {
        let at = at * self.cell / self.spacing + (GATHER / 2 - 1) as f64;
        (at.floor() - (SPREAD / 2 - 1) as f64, at - at.floor())
    }
}

/// What a place that lies f beyond the middle m of its window sends to each point t of it: exp(−rate (t − m − f)²), which
/// is exp(−rate (t − m)²) times a power of exp(2 rate f). An even number of points; the middle is the last of the first half.
pub(crate) struct Spread<const POINTS: usize> {
    rate: f64,
    middle: f64,
    fixed: [f64; POINTS],
}

impl<const POINTS: usize> Spread<POINTS> {
    pub(crate) fn new(rate: f64) -> Self {
        let middle = (POINTS / 2 - 1) as f64;
        let fixed = std::array::from_fn(|point| {
            let apart = point as f64 - middle;
            libm::exp(-rate * apart * apart)
        });
        Self { rate, middle, fixed }
    }

    #[inline(always)]
    pub(crate) fn at(&self, beyond: f64, weight: f64) -> [f64; POINTS] {
        let step = libm::exp(2.0 * self.rate * beyond);
        let first = weight * libm::exp(-self.rate * beyond * (beyond + 2.0 * self.middle));
        let (two, four) = (step * step, (step * step) * (step * step));
        let mut powers = [first, first * step, first * two, first * (two * step)];
        let mut all = self.fixed;
        for four_of_them in all.chunks_exact_mut(4) {
            for (value, power) in four_of_them.iter_mut().zip(&mut powers) {
                *value *= *power;
                *power *= four;
            }
        }
        all
    }
}

/// Σᵢ wᵢ exp(−dᵢ²/2σ²) at the centre of each cell, row by row from the south-west, inside the window or not. No side of
/// a cell may be longer than σ: see [`pays`].
pub(super) fn fill(filed: &Filed, sigma: f64) -> Vec<f64> {
    let across = Axis::new(filed.width, filed.nx, sigma);
    let up = Axis::new(filed.height, filed.ny, sigma);
    let nx = filed.nx;
    // An odd number of cache lines, so that the rows below one another do not compete for the same lines.
    let stride = (nx.div_ceil(8) | 1) * 8;
    let rows = gather_along(filed, &across, &up, stride);
    let mut values = vec![0.0; nx * filed.ny];
    values.par_chunks_mut(nx * ROWS).enumerate().for_each(|(chunk, cells)| {
        for west in (0..nx).step_by(COLUMNS) {
            let east = (west + COLUMNS).min(nx);
            for (row, cells) in cells.chunks_exact_mut(nx).enumerate() {
                let (start, weights) = &up.gather[chunk * ROWS + row];
                let row_of = |point: usize| &rows[(start + point) * stride..][west..east];
                for (four, w) in weights.chunks_exact(4).enumerate() {
                    let [a, b, c, d] = std::array::from_fn(|at| row_of(4 * four + at));
                    let cells = cells[west..east].iter_mut();
                    for ((((cell, a), b), c), d) in cells.zip(a).zip(b).zip(c).zip(d) {
                        *cell += (w[0] * a + w[1] * b) + (w[2] * c + w[3] * d);
                    }
                }
            }
        }
    });
    values
}

/// The lattice gathered along its rows: per lattice row, a value for every column of the raster.
fn gather_along(filed: &Filed, across: &Axis, up: &Axis, stride: usize) -> Vec<f64> {
    let spread = Spread::<SPREAD>::new(0.5 / (PER_SIGMA * PER_SIGMA * SHARE));
    let mut rows = vec![0.0; up.points * stride];
    rows.par_chunks_mut(stride * BAND).enumerate().for_each(|(band, rows)| {
        let (low, high) = (band * BAND, band * BAND + rows.len() / stride);
        // Whoever spreads to a row of the band, and a point to spare for rounding; in cells from the first.
        let at = |point: usize| (point as f64 - (GATHER / 2 - 1) as f64) * up.spacing / up.cell;
        let half = (SPREAD / 2 + 1) as f64 * up.spacing / up.cell;
        let near = || filed.rows_between(at(low) - half, at(high) + half);
        if near().all(|row| row.x.is_empty()) {
            return;
        }
        // A margin on either side spares the clipping of windows that stick out.
        let width = across.points + 2 * SPREAD;
        let mut lattice = vec![0.0; (high - low) * width];
        let places = near().flat_map(|row| row.x.iter().zip(row.y).zip(row.weight));
        for ((&x, &y), &weight) in places {
            let (column, beyond) = across.start(x);
            let (row, above) = up.start(y);
            if column < -(SPREAD as f64) || column > across.points as f64 {
                continue;
            }
            let column = (column + SPREAD as f64) as usize;
            let (from, to) = ((row.max(low as f64)) as usize, (row + SPREAD as f64).min(high as f64));
            if to <= from as f64 {
                continue;
            }
            let along = spread.at(beyond, weight);
            let upward = spread.at(above, 1.0);
            for point in from..to as usize {
                let share = upward[(point as f64 - row) as usize];
                let line = &mut lattice[(point - low) * width + column..][..SPREAD];
                for (value, along) in line.iter_mut().zip(&along) {
                    *value += share * along;
                }
            }
        }
        for (row, line) in rows.chunks_exact_mut(stride).zip(lattice.chunks_exact(width)) {
            for (value, (start, weights)) in row.iter_mut().zip(&across.gather) {
                *value = dot(weights, &line[SPREAD + start..][..GATHER]);
            }
        }
    });
    rows
}

/// Four sums side by side, so that the processor adds several at a time.
fn dot(a: &[f64; GATHER], b: &[f64]) -> f64 {
    let mut sums = [0.0; 4];
    for (a, b) in a.chunks_exact(4).zip(b.chunks_exact(4)) {
        for (sum, (a, b)) in sums.iter_mut().zip(a.iter().zip(b)) {
            *sum += a * b;
        }
    }
    (sums[0] + sums[1]) + (sums[2] + sums[3])
}

#[cfg(test)]
mod tests {
    use brasa_model::{Metres, Window, WindowOrigin};
    use geo::{MultiPolygon, Rect};
    use proptest::prelude::*;

    use super::*;
    use crate::kernel_sums::{Places, direct};
    use crate::kernels::Kernel;

    const SIDE: f64 = 2048.0;

    type World = (Vec<f64>, Vec<f64>, Vec<f64>);

    fn window(corner: (f64, f64)) -> Window {
        let square = Rect::new(corner, (corner.0 + SIDE, corner.1 + SIDE)).to_polygon();
        Window::new(MultiPolygon::new(vec![square]), WindowOrigin::Given("a square".to_owned())).unwrap()
    }

    fn grid(cell: f64) -> Grid {
        Grid::covering(&window((0.0, 0.0)), Metres::new(cell).unwrap()).unwrap()
    }

    fn sorted(places: &[(f64, f64, f64)]) -> World {
        let mut places = places.to_vec();
        places.sort_by(|a, b| a.1.total_cmp(&b.1).then(a.0.total_cmp(&b.0)));
        let column = |pick: fn(&(f64, f64, f64)) -> f64| places.iter().map(pick).collect();
        (column(|place| place.0), column(|place| place.1), column(|place| place.2))
    }

    fn filed((x, y, weight): &World, grid: &Grid, sigma: f64) -> Filed {
        Filed::new(Places { x, y, weight: Some(weight) }, grid, Kernel::Gaussian.reach() * sigma)
    }

    fn fast(world: &World, grid: &Grid, sigma: f64) -> Vec<f64> {
        fill(&filed(world, grid, sigma), sigma)
    }

    fn slow(world: &World, grid: &Grid, sigma: f64) -> Vec<f64> {
        direct::fill(&filed(world, grid, sigma), Kernel::Gaussian, sigma)
    }

    fn apart(a: &[f64], b: &[f64]) -> f64 {
        assert_eq!(a.len(), b.len());
        a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
    }

    fn peak(values: &[f64]) -> f64 {
        values.iter().copied().fold(0.0, f64::max)
    }

    fn bits(values: &[f64]) -> Vec<u64> {
        values.iter().map(|value| value.to_bits()).collect()
    }

    /// Places within and around the square, some stacked, with weights over six orders of magnitude.
    fn places(low: f64, high: f64) -> impl Strategy<Value = Vec<(f64, f64, f64)>> {
        let weight = prop_oneof![Just(1.0), 0.001..1000.0_f64];
        let place = prop_oneof![
            (low..high, low..high),
            (0..20_u32, 0..20_u32).prop_map(|(x, y)| (f64::from(x) * 102.4, f64::from(y) * 102.4)),
        ];
        prop::collection::vec((place, weight).prop_map(|((x, y), weight)| (x, y, weight)), 0..60)
    }

    #[test]
    fn the_bound_is_what_it_says() {
        let root = |variance: f64| variance.sqrt() * PER_SIGMA;
        // In units of the spacing.
        let (s1, s2, v) = (root(SHARE), root(1.0 - SHARE), root(SHARE * (1.0 - SHARE)));
        let (r1, r2) = (SPREAD as f64 / 2.0, GATHER as f64 / 2.0);
        let tail = |r: f64, s: f64| libm::exp(-0.5 * (r / s) * (r / s));
        let lattice = 2.0 * tail(2.0 * PI * v, 1.0) * 1.001;
        let spread = 4.0 * PER_SIGMA / s1 * tail(r1, s1);
        let boxes = |s: f64| 2.0 + (2.0 * PI).sqrt() * s / PER_SIGMA;
        let gather =
            boxes(s1) / ((2.0 * PI).sqrt() * v) * 2.0 * tail(r2, s2) / (1.0 - libm::exp(-r2 / (s2 * s2)));
        let windows = 2.0 * boxes(PER_SIGMA) * (spread + gather) * 1.001;
        let bound = lattice * (2.0 + lattice) + windows * std::f64::consts::E;
        assert!(bound < ERROR && bound > 0.9 * ERROR, "{lattice:e} {spread:e} {gather:e} {bound:e}");
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn the_lattice_and_the_definition_agree(places in places(-100.0, SIDE + 100.0), cell in 20.0..150.0_f64, cells_per_sigma in 1.0..40.0_f64, (nx, ny) in (20..120_usize, 20..120_usize), square in any::<bool>()) {
            let grid = if square { grid(cell) } else { Grid::spanning(&window((0.0, 0.0)), nx, ny).unwrap() };
            let sigma = grid.cell().get().max(grid.cell_height().get()) * cells_per_sigma;
            let world = sorted(&places);
            let (found, wanted) = (fast(&world, &grid, sigma), slow(&world, &grid, sigma));
            prop_assert!(found.iter().all(|&value| value >= 0.0));
            prop_assert!(apart(&found, &wanted) <= ERROR * peak(&wanted), "{:e} of the peak", apart(&found, &wanted) / peak(&wanted));
        }

        #[test]
        fn places_beyond_the_border_count_as_far_as_they_reach(places in places(-3000.0, SIDE + 3000.0), sigma in 60.0..600.0_f64) {
            let grid = grid(50.0);
            let world = sorted(&places);
            let wanted = slow(&world, &grid, sigma);
            let heaviest = world.2.iter().copied().fold(0.0, f64::max);
            // The highest value may lie beyond the border; the heaviest place is a floor for it there.
            let off = apart(&fast(&world, &grid, sigma), &wanted);
            prop_assert!(off <= ERROR * heaviest.max(peak(&wanted)), "{off:e}");
        }

        #[test]
        fn no_bit_depends_on_threads_or_on_where_the_city_lies(places in places(0.0, SIDE), right in -1000..1000_i32, up in -1000..1000_i32) {
            // Coordinates and cells that are exact in binary.
            let snap = |value: f64| (value * 4.0).round() / 4.0;
            let (dx, dy) = (f64::from(right) * 32.0, f64::from(up) * 32.0);
            let snapped: Vec<_> = places.iter().map(|&(x, y, weight)| (snap(x), snap(y), weight)).collect();
            let moved: Vec<_> = snapped.iter().map(|&(x, y, weight)| (x + dx, y + dy, weight)).collect();
            let one = |threads: usize| {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                pool.install(|| fast(&sorted(&snapped), &grid(32.0), 100.0))
            };
            let here = bits(&one(1));
            prop_assert_eq!(&here, &bits(&one(3)));
            let there = Grid::covering(&window((dx, dy)), Metres::new(32.0).unwrap()).unwrap();
            prop_assert_eq!(here, bits(&fast(&sorted(&moved), &there, 100.0)));
        }

        #[test]
        fn a_weight_doubled_is_the_surface_doubled(places in places(0.0, SIDE)) {
            let twice: Vec<_> = places.iter().map(|&(x, y, weight)| (x, y, 2.0 * weight)).collect();
            let once = fast(&sorted(&places), &grid(40.0), 90.0);
            let doubled: Vec<f64> = once.iter().map(|value| value * 2.0).collect();
            prop_assert_eq!(bits(&doubled), bits(&fast(&sorted(&twice), &grid(40.0), 90.0)));
        }
    }

    #[test]
    fn the_mass_of_places_away_from_the_border_is_their_weight() {
        let world = sorted(&[(1000.3, 1017.9, 2.5), (1011.0, 999.0, 0.5), (1040.0, 1024.0, 7.0)]);
        let (grid, sigma) = (grid(32.0), 100.0);
        let mass = fast(&world, &grid, sigma).iter().sum::<f64>() * 32.0 * 32.0 / (2.0 * PI * sigma * sigma);
        assert!((mass / 10.0 - 1.0).abs() < ERROR, "{mass}");
    }

    #[test]
    fn nobody_is_nothing_and_one_is_a_gaussian() {
        let grid = grid(64.0);
        assert_eq!(peak(&fast(&sorted(&[]), &grid, 200.0)), 0.0);
        for origin in [0.0, 500.0, SIDE] {
            let values = fast(&sorted(&[(origin, 700.0, 3.0)]), &grid, 200.0);
            for (cell, &value) in values.iter().enumerate() {
                let (dx, dy) = (grid.centre_x(cell % 32) - origin, grid.centre_y(cell / 32) - 700.0);
                let wanted = 3.0 * libm::exp(-(dx * dx + dy * dy) / (2.0 * 200.0 * 200.0));
                assert!((value - wanted).abs() < 3.0 * ERROR, "{value} {wanted}");
            }
        }
    }

    #[test]
    fn a_far_origin_costs_only_what_coordinates_lose_there() {
        let places = [(100.0, 200.0, 1.0), (1500.0, 1200.0, 2.0), (1510.0, 1180.0, 2.0)];
        let here = fast(&sorted(&places), &grid(64.0), 150.0);
        let origin = 64.0 * 1_562_500.0;
        let moved: Vec<_> = places.iter().map(|&(x, y, weight)| (x + origin, y + origin, weight)).collect();
        let there = Grid::covering(&window((origin, origin)), Metres::new(64.0).unwrap()).unwrap();
        assert_eq!(bits(&here), bits(&fast(&sorted(&moved), &there, 150.0)));
    }

    #[test]
    fn few_places_and_long_cells_go_by_the_definition() {
        assert!(pays(2000, &grid(32.0), 100.0));
        assert!(!pays(1, &grid(32.0), 100.0));
        assert!(!pays(2000, &grid(128.0), 100.0), "cells longer than σ");
    }
}
