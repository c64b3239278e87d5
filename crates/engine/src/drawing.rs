//! How hotspots are drawn: from places, a study area and a setting to outlines. The main job draws once with what was
//! chosen; its certificate of stability draws again with something else.

use brasa_model::{Class, Grid, LocalStats, Surface, Window};
use brasa_spatial_index::edge::Edge;
use brasa_spatial_index::ensemble::Setting;
use brasa_spatial_index::isopleth::isopleth;
use brasa_spatial_index::kernels::Kernel;
use brasa_spatial_index::methods::density::kde;
use brasa_spatial_index::methods::local::gi_star;
use brasa_spatial_index::weights::Neighbours;
use brasa_spatial_index::{AnalysisError, Sites};
use geo::{Area, BoundingRect, Contains, Point, Polygon};
use rstar::{AABB, RTree, RTreeObject};

/// The density raster is drawn this much finer than the zones, as far as [`MOST_PIXELS`] allows.
const PARTS: [u32; 3] = [4, 2, 1];
/// About what a screen can show and a laptop can write in a second.
const MOST_PIXELS: usize = 6_000_000;

/// The kernel of the density.
pub(crate) const KERNEL: Kernel = Kernel::Quartic;

/// Hotspots as drawn, with what they were drawn from.
pub(crate) struct Drawing {
    /// Which zones are significantly high.
    pub zones: LocalStats,
    /// The density, in incidents per km², on a raster `parts` times finer.
    pub density: Surface,
    /// How much finer.
    pub parts: u32,
    /// The level of the outlines and how well its area agrees with the significant zones (Jaccard); `None` where no zone is
    /// significant.
    pub level: Option<(f64, f64)>,
    /// The outlines that are hotspots.
    pub outlines: Vec<Outline>,
    /// Per site, the outline around it.
    pub outline_of: Vec<Option<usize>>,
    /// Outlines that are smaller than a zone, or hold no more than their share.
    pub specks: usize,
}

/// The outline of a hotspot.
pub(crate) struct Outline {
    pub polygon: Polygon<f64>,
    pub area_km2: f64,
    /// Weight of the incidents in it.
    pub weight: f64,
    /// The significant zone with the highest z in it.
    pub peak: usize,
}

impl Outline {
    /// Prediction accuracy index: share of the weight over share of the area.
    pub fn pai(&self, total: f64, window: &Window) -> f64 {
        (self.weight / total) / (self.area_km2 / window.area_km2())
    }
}

/// Draws the hotspots of `sites`, the density at most `finest` times finer than the zones.
pub(crate) fn draw(
    sites: &Sites,
    window: &Window,
    setting: Setting,
    finest: u32,
) -> Result<Drawing, AnalysisError> {
    let grid = Grid::covering_from(window, setting.cell, setting.origin)?;
    let zones = gi_star::on_grid(sites, grid.clone(), Neighbours::Queen)?;
    let pixels = |parts: u32| grid.nx() * grid.ny() * (parts * parts) as usize;
    let parts = PARTS.into_iter().find(|&parts| parts <= finest && pixels(parts) <= MOST_PIXELS).unwrap_or(1);
    let raster = grid.refined(window, parts)?;
    let density = kde::on_grid(sites, raster, KERNEL, setting.bandwidth, Edge::None);
    let level = best_level(&zones, &grid, &density, parts);
    let polygons = level.map_or_else(Vec::new, |(level, _)| isopleth(&density, level));
    let candidates = hold_a_zone(polygons, &zones, &grid);
    let around = Around::new(candidates.iter().map(|(polygon, _)| polygon));
    let mut outline_of: Vec<Option<usize>> =
        (0..sites.len()).map(|site| around.find(sites.x[site], sites.y[site])).collect();
    let mut weights = vec![0.0; candidates.len()];
    for (site, at) in outline_of.iter().enumerate().filter_map(|(site, at)| at.map(|at| (site, at))) {
        weights[at] += sites.weight[site];
    }
    let total = sites.total_weight();
    let found = candidates.len();
    let mut outlines = Vec::new();
    let mut kept = vec![None; found];
    for (at, ((polygon, peak), weight)) in candidates.into_iter().zip(weights).enumerate() {
        let outline = Outline { area_km2: polygon.unsigned_area() / 1e6, polygon, weight, peak };
        if outline.area_km2 >= grid.cell_km2() && outline.pai(total, window) > 1.0 {
            kept[at] = Some(outlines.len());
            outlines.push(outline);
        }
    }
    for at in &mut outline_of {
        *at = at.and_then(|at| kept[at]);
    }
    let specks = found - outlines.len();
    Ok(Drawing { zones, density, parts, level, outlines, outline_of, specks })
}

/// The level of the density whose area agrees best with the significant zones, and how well it does (Jaccard).
fn best_level(zones: &LocalStats, grid: &Grid, density: &Surface, parts: u32) -> Option<(f64, f64)> {
    let hot = zones.count_of(Class::Hot);
    if hot == 0 {
        return None;
    }
    let mut sums = vec![(0.0, 0_u32); grid.nx() * grid.ny()];
    let (west, south) = grid.name(0);
    for pixel in density.grid.cells() {
        let (column, row) = density.grid.name(pixel);
        let parts = i64::from(parts);
        let (column, row) = (column.div_euclid(parts) - west, row.div_euclid(parts) - south);
        if let (Ok(column), Ok(row)) = (usize::try_from(column), usize::try_from(row))
            && column < grid.nx()
            && row < grid.ny()
        {
            let sum = &mut sums[row * grid.nx() + column];
            *sum = (sum.0 + density.value(pixel), sum.1 + 1);
        }
    }
    let mut order: Vec<(f64, bool)> = grid
        .cells()
        .zip(&zones.class)
        .map(|(cell, &class)| {
            let (sum, count) = sums[cell];
            (if count > 0 { sum / f64::from(count) } else { 0.0 }, class == Class::Hot)
        })
        .collect();
    order.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut best: Option<(f64, f64)> = None;
    let mut shared = 0;
    for (at, &(value, is_hot)) in order.iter().enumerate() {
        shared += usize::from(is_hot);
        let next = order.get(at + 1).map_or(0.0, |next| next.0);
        let overlap = shared as f64 / (at + 1 + hot - shared) as f64;
        if value > next && best.is_none_or(|(_, most)| overlap > most) {
            best = Some((f64::midpoint(value, next), overlap));
        }
    }
    best
}

/// The polygons with a significant zone in them, and of each the zone with the highest z.
fn hold_a_zone(polygons: Vec<Polygon<f64>>, zones: &LocalStats, grid: &Grid) -> Vec<(Polygon<f64>, usize)> {
    let mut peaks: Vec<Option<usize>> = vec![None; polygons.len()];
    let around = Around::new(polygons.iter());
    for (zone, cell) in grid.cells().enumerate().filter(|&(zone, _)| zones.class[zone] == Class::Hot) {
        let (x, y) = (grid.centre_x(cell % grid.nx()), grid.centre_y(cell / grid.nx()));
        if let Some(at) = around.find(x, y)
            && peaks[at].is_none_or(|peak| zones.z[zone] > zones.z[peak])
        {
            peaks[at] = Some(zone);
        }
    }
    polygons.into_iter().zip(peaks).filter_map(|(polygon, peak)| Some((polygon, peak?))).collect()
}

/// A polygon in the tree: its number and its box.
struct Boxed(usize, AABB<[f64; 2]>);

impl RTreeObject for Boxed {
    type Envelope = AABB<[f64; 2]>;

    fn envelope(&self) -> Self::Envelope {
        self.1
    }
}

/// Finds the polygon around a place.
struct Around<'a> {
    polygons: Vec<&'a Polygon<f64>>,
    tree: RTree<Boxed>,
}

impl<'a> Around<'a> {
    fn new(polygons: impl Iterator<Item = &'a Polygon<f64>>) -> Self {
        let polygons: Vec<_> = polygons.collect();
        let boxed = polygons.iter().enumerate().filter_map(|(at, polygon)| {
            let bounds = polygon.bounding_rect()?;
            Some(Boxed(
                at,
                AABB::from_corners([bounds.min().x, bounds.min().y], [bounds.max().x, bounds.max().y]),
            ))
        });
        let tree = RTree::bulk_load(boxed.collect());
        Self { polygons, tree }
    }

    fn find(&self, x: f64, y: f64) -> Option<usize> {
        let place = Point::new(x, y);
        self.tree
            .locate_in_envelope_intersecting(&AABB::from_point([x, y]))
            .map(|boxed| boxed.0)
            .find(|&at| self.polygons[at].contains(&place))
    }
}
