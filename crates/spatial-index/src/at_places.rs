//! Densities at the places themselves, and the mass that a Gaussian keeps inside a window: what the rules for a
//! bandwidth are made of.
//!
//! A raster would do neither: a rule asks at bandwidths far below any cell, and it must leave a place out of its own
//! density. Everything here is the Gaussian kernel with the standard deviation σ on one axis, cut at 8 σ.

use std::f64::consts::{PI, SQRT_2};

use brasa_model::Window;
use geo::{Coord, LinesIter};
use rayon::prelude::*;

use crate::Sites;
use crate::edge::Edge;
use crate::kernels::Kernel;

/// How far the Gaussian reaches, in σ.
const REACH: f64 = Kernel::Gaussian.reach();

/// What is left out of the density at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeaveOut {
    /// Nothing.
    Nothing,
    /// One incident of those at the place: what a tool does that knows incidents only. A stack keeps on seeing itself.
    Incident,
    /// Every incident at the place.
    Place,
}

/// The Gaussian density at each place, per square unit of the coordinates: Σ w k(d), with the edge correction of Diggle
/// 1985 (doi:10.2307/2347366, `uniform`: divided by the mass that stays inside at the place asked) or of Jones 1993
/// (doi:10.1007/BF00147776: each incident divided by its own).
///
/// The mass is exact on a rectangle; see [`mass_inside`].
pub fn density_at_places(
    sites: &Sites,
    window: &Window,
    sigma: f64,
    edge: Edge,
    leave_out: LeaveOut,
) -> Vec<f64> {
    let mass = if edge == Edge::None { Vec::new() } else { mass_inside(sites, window, sigma) };
    let shared: Vec<f64> = match edge {
        Edge::JonesDiggle => sites.weight.iter().zip(&mass).map(|(weight, mass)| weight / mass).collect(),
        Edge::None | Edge::Uniform => sites.weight.clone(),
    };
    let mut density = gaussian_sums(sites, &shared, sigma, leave_out);
    if edge == Edge::Uniform {
        for (density, mass) in density.iter_mut().zip(mass) {
            *density /= mass;
        }
    }
    density
}

/// Σ w exp(−d²/2σ²) / 2πσ² at each place, in the order of the places whatever the number of threads.
fn gaussian_sums(sites: &Sites, weight: &[f64], sigma: f64, leave_out: LeaveOut) -> Vec<f64> {
    let (reach, narrow) = (REACH * sigma, -0.5 / (sigma * sigma));
    let scale = Kernel::Gaussian.factor() / (sigma * sigma);
    let at = |here: usize| {
        let (x, y) = (sites.x[here], sites.y[here]);
        let rows = sites.rows_within(y, reach);
        let sum_over = |run: std::ops::Range<usize>| {
            let mut total = 0.0;
            for there in run {
                let (dx, dy) = (sites.x[there] - x, sites.y[there] - y);
                let squared = dx * dx + dy * dy;
                if squared <= reach * reach {
                    total += weight[there] * libm::exp(squared * narrow);
                }
            }
            total
        };
        let own = match leave_out {
            LeaveOut::Nothing => weight[here],
            LeaveOut::Incident => weight[here] * (1.0 - 1.0 / f64::from(sites.count[here])),
            LeaveOut::Place => 0.0,
        };
        (sum_over(rows.start..here) + own + sum_over(here + 1..rows.end)) * scale
    };
    (0..sites.len()).into_par_iter().map(at).collect()
}

/// The standard normal distribution function.
fn normal(z: f64) -> f64 {
    0.5 * libm::erfc(-z / SQRT_2)
}

/// The mass between two bounds, in σ from the middle.
fn between(low: f64, high: f64) -> f64 {
    // Both tails from the same side, so that nothing is lost far out.
    if low > 0.0 { normal(-low) - normal(-high) } else { normal(high) - normal(low) }
}

/// Scanlines per σ, and how many σ they reach: the mass beyond six is 2e-9.
const LINES: usize = 8;
const LINES_REACH: usize = 6;

/// The mass of the Gaussian at each place that lies inside the window.
///
/// On a rectangle it is exact, a product of error functions. On any other window it is exact along each of 96 horizontals
/// that lie σ/8 apart, and summed over them. The worst case is a long horizontal side between two of them: it is misplaced
/// by at most σ/16, which is 2.5 % of the kernel (an estimate from the definition).
pub fn mass_inside(sites: &Sites, window: &Window, sigma: f64) -> Vec<f64> {
    let bounds = window.bounds();
    if window.is_rectangle() {
        let side = |at: f64, low: f64, high: f64| between((low - at) / sigma, (high - at) / sigma);
        let one = |(&x, &y): (&f64, &f64)| {
            side(x, bounds.min().x, bounds.max().x) * side(y, bounds.min().y, bounds.max().y)
        };
        return sites.x.par_iter().zip(&sites.y).map(one).collect();
    }
    let half = LINES_REACH * LINES;
    let step = 1.0 / LINES as f64;
    let bands: Vec<(f64, f64)> = (0..2 * half)
        .map(|band| {
            let low = (band as f64 - half as f64) * step;
            (low + step / 2.0, between(low, low + step))
        })
        .collect();
    let whole: f64 = bands.iter().map(|&(_, mass)| mass).sum();
    let border = Border::of(window);
    let one = |(&x, &y): (&f64, &f64)| {
        let reach = LINES_REACH as f64 * sigma;
        if border.is_beyond(x, y, reach) {
            return 1.0;
        }
        let along = |&(offset, mass): &(f64, f64)| {
            let line = window.crossings(y + offset * sigma);
            let pairs = line.chunks_exact(2);
            mass * pairs.map(|pair| between((pair[0] - x) / sigma, (pair[1] - x) / sigma)).sum::<f64>()
        };
        // A place on the very border keeps some of its kernel whatever the scanlines hit.
        (bands.iter().map(along).sum::<f64>() / whole).max(1e-3)
    };
    sites.x.par_iter().zip(&sites.y).map(one).collect()
}

/// The sides of a window, the inside on the left of each.
pub struct Border {
    /// Each side, from its first end to its second.
    pub sides: Vec<(Coord<f64>, Coord<f64>)>,
}

impl Border {
    /// The sides of `window`.
    pub fn of(window: &Window) -> Self {
        use geo::orient::{Direction, Orient};
        let polygons = window.polygons().orient(Direction::Default);
        Self { sides: polygons.lines_iter().map(|line| (line.start, line.end)).collect() }
    }

    /// The distance from each site to the nearest side, as far as it is below `most`; `most` where it is not.
    pub fn distances(&self, sites: &Sites, most: f64) -> Vec<f64> {
        let south = sites.y.first().copied().unwrap_or_default();
        let extent = sites.y.last().copied().unwrap_or_default() - south;
        // Bands no lower than `most`: a side that is near a place lies near the place's band.
        let height = most.max(extent / 4096.0);
        let bands = (extent / height) as usize + 1;
        let mut sides = vec![Vec::new(); bands];
        for &(a, b) in &self.sides {
            let (low, high) = (a.y.min(b.y) - most - south, a.y.max(b.y) + most - south);
            if high >= 0.0 && low <= extent {
                let last = ((high / height) as usize).min(bands - 1);
                sides[(low.max(0.0) / height) as usize..=last].iter_mut().for_each(|band| band.push((a, b)));
            }
        }
        let one = |(&x, &y): (&f64, &f64)| {
            let band = &sides[((y - south) / height) as usize];
            let nearest =
                |least: f64, &(a, b): &(Coord<f64>, Coord<f64>)| least.min(squared_to_side(x, y, a, b));
            band.iter().fold(most * most, nearest).sqrt().min(most)
        };
        sites.x.par_iter().zip(&sites.y).map(one).collect()
    }

    /// Whether every side is at least `reach` away.
    fn is_beyond(&self, x: f64, y: f64, reach: f64) -> bool {
        self.sides.iter().all(|&(a, b)| {
            let apart = a.x.min(b.x) - x > reach
                || x - a.x.max(b.x) > reach
                || a.y.min(b.y) - y > reach
                || y - a.y.max(b.y) > reach;
            apart || squared_to_side(x, y, a, b) >= reach * reach
        })
    }
}

/// The squared distance from a place to a side.
pub fn squared_to_side(x: f64, y: f64, a: Coord<f64>, b: Coord<f64>) -> f64 {
    let (ex, ey, px, py) = (b.x - a.x, b.y - a.y, x - a.x, y - a.y);
    let length = ex * ex + ey * ey;
    let along = if length > 0.0 { ((px * ex + py * ey) / length).clamp(0.0, 1.0) } else { 0.0 };
    let (dx, dy) = (px - along * ex, py - along * ey);
    dx * dx + dy * dy
}

/// ∫_W λ(u) du of the density with the `uniform` edge correction: near Σ w, but not equal to it.
///
/// On a rectangle the integral is a product of two, each by Gauss-Legendre quadrature to 1e-9. Otherwise it is summed
/// over some 128 × 128 cells, each with the share of it that lies inside and with the exact mass of each kernel in it;
/// for a σ below an eighth of such a cell it is Σ w.
pub fn uniform_total(sites: &Sites, window: &Window, sigma: f64) -> f64 {
    let (low, high) = (window.bounds().min(), window.bounds().max());
    if window.is_rectangle() {
        let one = |at: usize| {
            sites.weight[at]
                * corrected_share(sites.x[at], low.x, high.x, sigma)
                * corrected_share(sites.y[at], low.y, high.y, sigma)
        };
        let shares: Vec<f64> = (0..sites.len()).into_par_iter().map(one).collect();
        return shares.iter().sum();
    }
    let cell = (high.x - low.x).max(high.y - low.y) / 128.0;
    if sigma < cell / 8.0 {
        return sites.total_weight();
    }
    let cells = |length: f64| (length / cell).ceil().max(1.0) as usize;
    let (nx, ny) = (cells(high.x - low.x), cells(high.y - low.y));
    let cover = coverage(window, cell, nx, ny);
    // The mass of a kernel in the cell so many cells away from its own middle.
    let offsets: Vec<f64> = (0..nx.max(ny))
        .map(|away| between((away as f64 - 0.5) * cell / sigma, (away as f64 + 0.5) * cell / sigma))
        .collect();
    // Along rows first, then along columns.
    let mut along = vec![0.0; nx * ny];
    along.par_chunks_mut(nx).zip(cover.par_chunks(nx)).for_each(|(out, row)| {
        for (column, value) in out.iter_mut().enumerate() {
            *value = row.iter().enumerate().map(|(at, share)| share * offsets[at.abs_diff(column)]).sum();
        }
    });
    let masses = |sites: &[f64], low: f64, cells: usize| -> Vec<f64> {
        let of_place = |&at: &f64| {
            (0..cells).map(move |which| {
                let from = (low + which as f64 * cell - at) / sigma;
                let to = from + cell / sigma;
                if from > REACH || to < -REACH { 0.0 } else { between(from, to) }
            })
        };
        sites.par_iter().flat_map_iter(of_place).collect()
    };
    let (across, up) = (masses(&sites.x, low.x, nx), masses(&sites.y, low.y, ny));
    let row_total = |row: usize| {
        let mut sums = vec![0.0; nx];
        for place in 0..sites.len() {
            let share = sites.weight[place] * up[place * ny + row];
            if share > 0.0 {
                for (sum, mass) in sums.iter_mut().zip(&across[place * nx..(place + 1) * nx]) {
                    *sum += share * mass;
                }
            }
        }
        let mut total = 0.0;
        for (column, sum) in sums.iter().enumerate() {
            let share = cover[row * nx + column];
            if share > 0.0 {
                let kept: f64 = (0..ny).map(|at| along[at * nx + column] * offsets[at.abs_diff(row)]).sum();
                total += sum * share / kept;
            }
        }
        total
    };
    let rows: Vec<f64> = (0..ny).into_par_iter().map(row_total).collect();
    rows.iter().sum()
}

/// The share of each cell that lies inside, by four horizontals through each row.
fn coverage(window: &Window, cell: f64, nx: usize, ny: usize) -> Vec<f64> {
    let low = window.bounds().min();
    let mut cover = vec![0.0; nx * ny];
    cover.par_chunks_mut(nx).enumerate().for_each(|(row, cells)| {
        for part in 0..4 {
            let y = low.y + (row as f64 + (f64::from(part) + 0.5) / 4.0) * cell;
            for pair in window.crossings(y).chunks_exact(2) {
                let (from, to) = ((pair[0] - low.x) / cell, (pair[1] - low.x) / cell);
                let last = (to as usize).min(nx - 1);
                for (column, share) in cells.iter_mut().enumerate().take(last + 1).skip(from as usize) {
                    *share += ((to.min(column as f64 + 1.0) - from.max(column as f64)).max(0.0)) / 4.0;
                }
            }
        }
    });
    cover
}

/// Nodes and weights of Gauss-Legendre quadrature with five nodes on [−1, 1].
const NODES: [(f64, f64); 5] = [
    (-0.906_179_845_938_664, 0.236_926_885_056_189_1),
    (-0.538_469_310_105_683_1, 0.478_628_670_499_366_5),
    (0.0, 0.568_888_888_888_888_9),
    (0.538_469_310_105_683_1, 0.478_628_670_499_366_5),
    (0.906_179_845_938_664, 0.236_926_885_056_189_1),
];

/// ∫ k(u − at) / e(u) du on one axis, from `low` to `high`, where e is what a kernel at u keeps of its own mass there.
fn corrected_share(at: f64, low: f64, high: f64, sigma: f64) -> f64 {
    if at - low > 2.0 * REACH * sigma && high - at > 2.0 * REACH * sigma {
        return 1.0;
    }
    let (from, to) = ((at - REACH * sigma).max(low), (at + REACH * sigma).min(high));
    let panels = ((to - from) / sigma).ceil().max(1.0) as usize;
    let half = (to - from) / panels as f64 / 2.0;
    let scale = 1.0 / (sigma * (2.0 * PI).sqrt());
    let mut total = 0.0;
    for panel in 0..panels {
        let middle = from + (2.0 * panel as f64 + 1.0) * half;
        for (node, weight) in NODES {
            let u = middle + node * half;
            let z = (u - at) / sigma;
            let kept = between((low - u) / sigma, (high - u) / sigma);
            total += weight * half * scale * libm::exp(-0.5 * z * z) / kept;
        }
    }
    total
}

/// The smallest distance between two places; `None` when there are fewer than two.
pub fn least_distance(sites: &Sites) -> Option<f64> {
    let mut least = f64::INFINITY;
    for here in 0..sites.len() {
        for there in here + 1..sites.len() {
            let dy = sites.y[there] - sites.y[here];
            if dy * dy >= least {
                break;
            }
            let dx = sites.x[there] - sites.x[here];
            least = least.min(dx * dx + dy * dy);
        }
    }
    least.is_finite().then(|| least.sqrt())
}
