//! The main job: from incidents to ranked, significant, outlined hotspots.
//!
//! 1. Gi* on the cells of the study area says which zones are significantly high (q ≤ 0.05).
//! 2. The density, on a finer raster of the same alignment, says how the high ground is shaped.
//! 3. One level of the density draws the outlines: the level whose area agrees best with the significant zones
//!    (largest Jaccard overlap). Gi* with its eight neighbours and a kernel of 2.5 cells look through windows of
//!    the same width, so that one level serves the whole map and can be named in its legend.
//! 4. A hotspot is a connected part of that area with at least one significant zone in it, no smaller than a zone,
//!    and with more than its share of the incidents. Rank 1 holds the most incidents.

use brasa_model::{
    Civil, Class, Column, ColumnKind, Feature, Grid, Incidents, Interval, Layer, LocalStats, Note,
    Provenance, Surface, Value,
};
use brasa_spatial_index::edge::Edge;
use brasa_spatial_index::isopleth::isopleth;
use brasa_spatial_index::kernels::Kernel;
use brasa_spatial_index::methods::density::kde;
use brasa_spatial_index::methods::local::gi_star;
use brasa_spatial_index::weights::Neighbours;
use brasa_spatial_index::{AnalysisError, Bandwidth, CellSize, Sites, Watch};
use geo::{Area, BoundingRect, Contains, Geometry, Point, Polygon};
use rstar::{AABB, RTree, RTreeObject};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// The density raster is drawn this much finer than the zones, as far as [`MOST_PIXELS`] allows.
const PARTS: [u32; 3] = [4, 2, 1];
/// About what a screen can show and a laptop can write in a second.
const MOST_PIXELS: usize = 6_000_000;
/// A change in percent is not told below this many incidents in the earlier period.
const LEAST_BASE: u64 = 20;
/// The hours of the day are told as a block of this length.
const HOURS: usize = 4;

/// Parameters of [`hotspots`].
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct HotspotsParams {
    /// Side of a zone, or the rule that chooses it
    pub cell: CellSize,
    /// Support radius of the density's kernel, or a rule that chooses it
    pub bandwidth: Bandwidth,
}

/// A place where significantly many incidents happen.
#[derive(Debug, Clone, PartialEq)]
pub struct Hotspot {
    /// 1 holds the most incidents.
    pub rank: u32,
    /// Its outline.
    pub outline: Polygon<f64>,
    /// Incidents in it.
    pub incidents: u64,
    /// Their share of all (of all weight, where incidents have weights).
    pub share: f64,
    /// Its area.
    pub area_km2: f64,
    /// Incidents per km², and per year where times are known.
    pub intensity: f64,
    /// Prediction accuracy index: share of incidents over share of area (Chainey, Tompson & Uhlig 2008).
    pub pai: f64,
    /// Gi* of its strongest zone.
    pub z: f64,
    /// p of its strongest zone.
    pub p: f64,
    /// q of its strongest zone.
    pub q: f64,
    /// How incidents in it changed; absent when times or counts do not allow to say.
    pub trend: Option<Trend>,
    /// The four hours with the most incidents; absent when hours are not known.
    pub peak: Option<PeakHours>,
    /// In one line, why this is a hotspot.
    pub why: String,
}

/// Incidents in the later part of the period against the earlier part of the same length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trend {
    /// In the earlier part.
    pub before: u64,
    /// In the later part.
    pub after: u64,
}

impl Trend {
    /// Change in percent.
    pub fn percent(self) -> f64 {
        (self.after as f64 / self.before as f64 - 1.0) * 100.0
    }
}

/// A block of hours and its share of the incidents whose hour is known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PeakHours {
    /// First hour.
    pub start: usize,
    /// Share of the incidents.
    pub share: f64,
}

impl std::fmt::Display for PeakHours {
    /// `20-24`, `22-02`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let end = self.start + HOURS;
        write!(f, "{:02}-{:02}", self.start, if end > 24 { end - 24 } else { end })
    }
}

/// What the main job found.
pub struct Found {
    /// The hotspots by rank.
    pub hotspots: Vec<Hotspot>,
    /// The hotspots as a layer.
    pub layer: Layer,
    /// The zones behind them.
    pub zones: LocalStats,
    /// The density behind them.
    pub density: Surface,
    /// What was chosen or noticed.
    pub notes: Vec<Note>,
}

/// The hotspots of `incidents`.
pub fn hotspots(
    incidents: &Incidents,
    params: &HotspotsParams,
    watch: &Watch,
) -> Result<Found, AnalysisError> {
    if incidents.is_empty() {
        return Err(AnalysisError::NoIncidents);
    }
    let sites = Sites::new(incidents);
    let (cell, cell_note) = params.cell.resolve(incidents, &sites)?;
    let bandwidth = params.bandwidth.resolve(cell, Kernel::Quartic, incidents, &sites, watch)?;
    let mut notes: Vec<Note> = cell_note.into_iter().chain(bandwidth.notes).collect();

    let grid = Grid::covering(&incidents.window, cell)?;
    let zones = gi_star::on_grid(&sites, grid, Neighbours::Queen)?;
    notes.extend(zones.notes.iter().cloned());

    let parts = PARTS.into_iter().find(|&parts| pixels(&zones.grid, parts) <= MOST_PIXELS).unwrap_or(1);
    let raster = zones.grid.refined(&incidents.window, parts)?;
    let mut density = kde::on_grid(&sites, raster, Kernel::Quartic, bandwidth.radius, Edge::None);
    if let Some(record) = bandwidth.record {
        density.provenance.parameters["bandwidth_rule"] = record;
    }
    let years = incidents.years();
    let density = match years {
        Some(years) => density.scaled(1.0 / years, "incidents/km²/year"),
        None => {
            notes.push(
                Note::new("no_period", "intensity is per km² over the whole file, not per year")
                    .reason("no time column is known; --time names one"),
            );
            density
        }
    };

    let outlines = match best_level(&zones, &density, parts) {
        None => {
            notes.push(Note::new("no_hotspots", "no zone is significantly high").reason(
                "the incidents are spread as evenly as chance would spread them, or are too few to tell",
            ));
            Vec::new()
        }
        Some((level, overlap)) => {
            let hot = zones.count_of(Class::Hot);
            notes.push(
                Note::new("outline_level", format!("outlines follow the density of {level:.3} {}", density.unit))
                    .value(level, &density.unit)
                    .reason(format!(
                        "of all levels its area agrees best with the {hot} significant zones (Jaccard {overlap:.2})"
                    )),
            );
            isopleth(&density, level)
        }
    };
    let mut found = measure(incidents, &sites, &zones, outlines, years);
    let outlined = found.len();
    found.retain(|hotspot| hotspot.area_km2 >= zones.grid.cell_km2() && hotspot.pai > 1.0);
    if found.len() < outlined {
        let specks = outlined - found.len();
        notes.push(
            Note::new(
                "specks_left_out",
                if specks == 1 {
                    "1 speck is left out".to_owned()
                } else {
                    format!("{specks} specks are left out")
                },
            )
            .value(specks, "outlines")
            .reason("they are smaller than one zone, or hold no more than their share of the incidents"),
        );
    }
    found.sort_by(|a, b| {
        let south_west = |hotspot: &Hotspot| {
            hotspot.outline.bounding_rect().map(|bounds| (bounds.min().y, bounds.min().x))
        };
        b.incidents
            .cmp(&a.incidents)
            .then(south_west(a).partial_cmp(&south_west(b)).unwrap_or(std::cmp::Ordering::Equal))
    });
    for (hotspot, rank) in found.iter_mut().zip(1..) {
        hotspot.rank = rank;
    }
    let parameters = json!({
        "zones": zones.provenance.parameters,
        "density": density.provenance.parameters,
        "period_years": years,
        "study_area_km2": incidents.window.area_km2(),
    });
    let layer = layer(&found, incidents, &density.unit, Provenance::new("hotspots", parameters), &notes);
    Ok(Found { hotspots: found, layer, zones, density, notes })
}

fn pixels(grid: &Grid, parts: u32) -> usize {
    grid.nx() * grid.ny() * (parts * parts) as usize
}

/// The level of the density whose area agrees best with the significant zones, and how well it does (Jaccard).
fn best_level(zones: &LocalStats, density: &Surface, parts: u32) -> Option<(f64, f64)> {
    let hot = zones.count_of(Class::Hot);
    if hot == 0 {
        return None;
    }
    let mut sums = vec![(0.0, 0_u32); zones.grid.nx() * zones.grid.ny()];
    let (west, south) = zones.grid.name(0);
    for pixel in density.grid.cells() {
        let (column, row) = density.grid.name(pixel);
        let parts = i64::from(parts);
        let (column, row) = (column.div_euclid(parts) - west, row.div_euclid(parts) - south);
        if let (Ok(column), Ok(row)) = (usize::try_from(column), usize::try_from(row))
            && column < zones.grid.nx()
            && row < zones.grid.ny()
        {
            let sum = &mut sums[row * zones.grid.nx() + column];
            *sum = (sum.0 + density.value(pixel), sum.1 + 1);
        }
    }
    let mut order: Vec<(f64, bool)> = zones
        .grid
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

/// An outline in the tree: its number and its box.
struct Boxed(usize, AABB<[f64; 2]>);

impl RTreeObject for Boxed {
    type Envelope = AABB<[f64; 2]>;

    fn envelope(&self) -> Self::Envelope {
        self.1
    }
}

/// Finds the outline around a place.
struct Outlines {
    polygons: Vec<Polygon<f64>>,
    tree: RTree<Boxed>,
}

impl Outlines {
    fn new(polygons: Vec<Polygon<f64>>) -> Self {
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

    fn around(&self, x: f64, y: f64) -> Option<usize> {
        let place = Point::new(x, y);
        self.tree
            .locate_in_envelope_intersecting(&AABB::from_point([x, y]))
            .map(|boxed| boxed.0)
            .find(|&at| self.polygons[at].contains(&place))
    }
}

/// What is known of each outline that holds a significant zone.
fn measure(
    incidents: &Incidents,
    sites: &Sites,
    zones: &LocalStats,
    outlines: Vec<Polygon<f64>>,
    years: Option<f64>,
) -> Vec<Hotspot> {
    let outlines = Outlines::new(outlines);
    let mut peaks: Vec<Option<usize>> = vec![None; outlines.polygons.len()];
    for (zone, cell) in zones.grid.cells().enumerate().filter(|&(zone, _)| zones.class[zone] == Class::Hot) {
        let (x, y) =
            (zones.grid.centre_x(cell % zones.grid.nx()), zones.grid.centre_y(cell / zones.grid.nx()));
        if let Some(at) = outlines.around(x, y)
            && peaks[at].is_none_or(|peak| zones.z[zone] > zones.z[peak])
        {
            peaks[at] = Some(zone);
        }
    }
    let outline_of: Vec<Option<usize>> = (0..sites.len())
        .map(|site| outlines.around(sites.x[site], sites.y[site]).filter(|&at| peaks[at].is_some()))
        .collect();
    let mut members: Vec<Vec<usize>> = vec![Vec::new(); outlines.polygons.len()];
    for (incident, &site) in sites.of_incident.iter().enumerate() {
        if let Some(at) = outline_of[site as usize] {
            members[at].push(incident);
        }
    }
    let mut weights = vec![0.0; outlines.polygons.len()];
    for (site, at) in outline_of.iter().enumerate().filter_map(|(site, at)| at.map(|at| (site, at))) {
        weights[at] += sites.weight[site];
    }
    let total = sites.total_weight();
    let city_km2 = incidents.window.area_km2();
    let halves = Halves::of(incidents);
    let all: Vec<usize> = (0..incidents.len()).collect();
    let city_trend = halves.as_ref().and_then(|halves| halves.trend(incidents, &all));

    let describe = |at: usize, outline: Polygon<f64>| {
        let peak_zone = peaks[at]?;
        let area_km2 = outline.unsigned_area() / 1e6;
        let share = weights[at] / total;
        let mut hotspot = Hotspot {
            rank: 0,
            incidents: members[at].len() as u64,
            share,
            area_km2,
            intensity: weights[at] / area_km2 / years.unwrap_or(1.0),
            pai: share / (area_km2 / city_km2),
            z: zones.z[peak_zone],
            p: zones.p[peak_zone],
            q: zones.q[peak_zone],
            trend: halves.as_ref().and_then(|halves| halves.trend(incidents, &members[at])),
            peak: peak_hours(incidents, &members[at]),
            why: String::new(),
            outline,
        };
        hotspot.why = why(&hotspot, city_km2, city_trend);
        Some(hotspot)
    };
    outlines.polygons.iter().cloned().enumerate().filter_map(|(at, outline)| describe(at, outline)).collect()
}

/// Two periods to compare: the last two years where there are two, else the two halves of the period.
struct Halves {
    start: Civil,
    middle: Civil,
    end: Civil,
    label: &'static str,
}

impl Halves {
    fn of(incidents: &Incidents) -> Option<Self> {
        const DAY: i64 = 86_400;
        let Interval { start, end } = incidents.times.as_ref()?.extent()?;
        if start <= end.years_before(2) {
            let (start, middle) = (end.years_before(2), end.years_before(1));
            return Some(Self { start, middle, end, label: "the last two years" });
        }
        let half = (end.0 - start.0) / 2;
        let middle = Civil(start.0 + half);
        (half >= DAY).then_some(Self { start, middle, end, label: "the two halves of the period" })
    }

    /// An incident counts where its whole interval fits: one known only to the month that holds the middle counts on
    /// neither side, for nobody knows on which it was.
    fn trend(&self, incidents: &Incidents, members: &[usize]) -> Option<Trend> {
        let intervals = incidents.times.as_ref()?.intervals();
        let within = |from: Civil, to: Civil| {
            let fits = |interval: &Interval| interval.start >= from && interval.end <= to;
            members.iter().filter_map(|&at| intervals[at]).filter(fits).count() as u64
        };
        let (before, after) = (within(self.start, self.middle), within(self.middle, self.end));
        (before >= LEAST_BASE).then_some(Trend { before, after })
    }
}

/// The block of hours with the most incidents, where hours are known for most of at least twenty incidents.
fn peak_hours(incidents: &Incidents, members: &[usize]) -> Option<PeakHours> {
    let intervals = incidents.times.as_ref()?.intervals();
    let mut by_hour = [0_u64; 24];
    for interval in members.iter().filter_map(|&at| intervals[at]).filter(|interval| interval.knows_hour()) {
        by_hour[usize::from(interval.start.hour())] += 1;
    }
    let known: u64 = by_hour.iter().sum();
    if known < LEAST_BASE || known * 5 < members.len() as u64 * 4 {
        return None;
    }
    let block = |start: usize| (0..HOURS).map(|hour| by_hour[(start + hour) % 24]).sum::<u64>();
    let start = (0..24).max_by_key(|&start| (block(start), std::cmp::Reverse(start)))?;
    Some(PeakHours { start, share: block(start) as f64 / known as f64 })
}

fn why(hotspot: &Hotspot, city_km2: f64, city: Option<Trend>) -> String {
    let mut parts = vec![format!(
        "{} incidents, {:.1} % of all on {:.2} % of the area ({:.1} times the average density)",
        hotspot.incidents,
        hotspot.share * 100.0,
        hotspot.area_km2 / city_km2 * 100.0,
        hotspot.pai,
    )];
    parts.push(match hotspot.q {
        q if q < 1e-4 => format!("strongest zone z = {:.1}, q < 0.0001", hotspot.z),
        q => format!("strongest zone z = {:.1}, q = {q:.4}", hotspot.z),
    });
    if let Some(trend) = hotspot.trend {
        let against = city.map_or(String::new(), |city| format!(", all {:+.0} %", city.percent()));
        parts.push(format!("{} then {} ({:+.0} %{against})", trend.before, trend.after, trend.percent()));
    }
    if let Some(peak) = hotspot.peak {
        parts.push(format!("{:.0} % between {} h", peak.share * 100.0, peak));
    }
    parts.join("; ")
}

/// The hotspots as a layer. A column whose value no incident file of this kind can give is left out, not zero.
fn layer(
    found: &[Hotspot],
    incidents: &Incidents,
    unit: &str,
    provenance: Provenance,
    notes: &[Note],
) -> Layer {
    use ColumnKind::{Integer, Real, Text};
    let mut columns = vec![
        Column::new("rank", "Rank, 1 holds the most incidents", "", Integer),
        Column::new("incidents", "Incidents", "incidents", Integer),
        Column::new("share", "Share of all incidents", "", Real),
        Column::new("area_km2", "Area", "km²", Real),
        Column::new("intensity", "Intensity", unit, Real),
        Column::new("pai", "Times the average density (PAI)", "", Real),
        Column::new("z", "Gi* z-score of the strongest zone", "standard deviations", Real),
        Column::new("p", "p of the strongest zone", "", Real),
        Column::new("q", "q of the strongest zone", "", Real),
    ];
    let halves = Halves::of(incidents);
    if halves.is_some() {
        columns.push(Column::new("trend", "Change, later against earlier period", "%", Real));
    }
    let hours = found.iter().any(|hotspot| hotspot.peak.is_some());
    if hours {
        columns.push(Column::new("peak_hours", "Four hours with the most incidents", "h", Text));
    }
    columns.push(Column::new("why", "Why this is a hotspot", "", Text));
    let features = found.iter().map(|hotspot| {
        let mut values = vec![
            Value::Integer(i64::from(hotspot.rank)),
            Value::Integer(hotspot.incidents as i64),
            Value::real(hotspot.share),
            Value::real(hotspot.area_km2),
            Value::real(hotspot.intensity),
            Value::real(hotspot.pai),
            Value::real(hotspot.z),
            Value::real(hotspot.p),
            Value::real(hotspot.q),
        ];
        if halves.is_some() {
            values.push(hotspot.trend.map_or(Value::Null, |trend| Value::real(trend.percent())));
        }
        if hours {
            values.push(hotspot.peak.map_or(Value::Null, |peak| Value::Text(peak.to_string())));
        }
        values.push(Value::Text(hotspot.why.clone()));
        Feature { id: i64::from(hotspot.rank), geometry: Geometry::Polygon(hotspot.outline.clone()), values }
    });
    let period = incidents.times.as_ref().and_then(brasa_model::Times::extent);
    let compared =
        halves.as_ref().map_or(String::new(), |halves| format!(" The trend compares {}.", halves.label));
    Layer {
        name: "hotspots".to_owned(),
        title: "Hotspots".to_owned(),
        description: format!(
            "Places with significantly many reported incidents (Gi*, q <= 0.05), outlined by density{}. Reported incidents are not all incidents, and many incidents need not mean high risk.{compared}",
            period.map_or(String::new(), |Interval { start, end }| format!(
                ", {} to {}",
                &start.to_string()[..10],
                &Civil(end.0 - 1).to_string()[..10]
            )),
        ),
        crs: incidents.crs.clone(),
        columns,
        features: features.collect(),
        period,
        provenance,
        notes: notes.to_vec(),
    }
}
