//! The main job: from incidents to ranked, significant, outlined hotspots.
//!
//! 1. Gi* on the cells of the study area says which zones are significantly high (q ≤ 0.05).
//! 2. The density, on a finer raster of the same alignment, says how the high ground is shaped.
//! 3. One level of the density draws the outlines: the level whose area agrees best with the significant zones
//!    (largest Jaccard overlap). Gi* with its eight neighbours and a kernel of 2.5 cells look through windows of
//!    the same width, so that one level serves the whole map and can be named in its legend.
//! 4. A hotspot is a connected part of that area with at least one significant zone in it, no smaller than a zone,
//!    and with more than its share of the incidents. Rank 1 holds the most incidents.
//! 5. The same is drawn again with another grid, cell, bandwidth and other incidents that could as well have been: how
//!    much of a hotspot comes back is its stability.
//!
//! Steps 1 to 4 up to the outlines are in `drawing.rs`, for they are drawn more than once; step 5 is in `stability.rs`.

use brasa_model::{
    Civil, Class, Column, ColumnKind, Feature, Incidents, Interval, Layer, LocalStats, Metres, Note,
    PeakHours, Provenance, Scale, Style, Surface, Timing, Value,
};
use brasa_spatial_index::ensemble::Setting;
use brasa_spatial_index::{AnalysisError, Bandwidth, CellSize, Sites, Watch};
use geo::{BoundingRect, Coord, Geometry, Polygon};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::answers::counted;
use crate::drawing::{Drawing, KERNEL, Outline, draw};
use crate::stability::{Certificate, certify};

/// The density raster is at most so many times finer than the zones.
const FINEST: u32 = 4;
/// A change in percent is not told below this many incidents in the earlier period.
const LEAST_BASE: u64 = 20;

/// Parameters of [`hotspots`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct HotspotsParams {
    /// Side of a zone, or the rule that chooses it
    pub cell: CellSize,
    /// Support radius of the density's kernel, or a rule that chooses it
    pub bandwidth: Bandwidth,
    /// How often the hotspots are drawn again with all that could be otherwise, for their stability; 0 for none
    pub replicates: u32,
    /// Where chance begins; the same seed gives the same stability
    pub seed: u64,
}

impl Default for HotspotsParams {
    fn default() -> Self {
        Self { cell: CellSize::default(), bandwidth: Bandwidth::default(), replicates: 15, seed: 1 }
    }
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
    /// Mean share of its area that is found again when grid, cell, bandwidth and incidents are others; absent without
    /// replicates.
    pub stability: Option<f64>,
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
    /// The side of a zone.
    pub cell: Metres,
    /// Per incident, the position of its hotspot in `hotspots`.
    pub hotspot_of: Vec<Option<u32>>,
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
    let bandwidth = params.bandwidth.resolve(cell, KERNEL, incidents, &sites, watch)?;
    let mut notes: Vec<Note> = cell_note.into_iter().chain(bandwidth.notes.iter().cloned()).collect();

    let setting = Setting { cell, origin: Coord::zero(), bandwidth: bandwidth.radius };
    let mut drawing = draw(&sites, &incidents.window, setting, FINEST)?;
    notes.extend(drawing.zones.notes.iter().cloned());
    bandwidth.record_in(&mut drawing.density.provenance);
    let years = incidents.years();
    if years.is_none() {
        notes.push(
            Note::new("no_period", "intensity is per km² over the whole file, not per year")
                .reason("no time column is known; --time names one"),
        );
    }
    let unit = if years.is_some() { "incidents/km²/year" } else { drawing.density.unit.as_str() }.to_owned();
    let per_year = 1.0 / years.unwrap_or(1.0);
    notes.push(match drawing.level {
        None => Note::new("no_hotspots", "no zone is significantly high").reason(
            "the incidents are spread as evenly as chance would spread them, or are too few to tell",
        ),
        Some((level, overlap)) => {
            let (level, hot) = (level * per_year, drawing.zones.count_of(Class::Hot));
            Note::new("outline_level", format!("outlines follow the density of {level:.3} {unit}"))
                .value(level, &unit)
                .reason(format!(
                    "of all levels its area agrees best with the {hot} significant zones (Jaccard {overlap:.2})"
                ))
        }
    });
    if drawing.specks > 0 {
        let specks = drawing.specks;
        notes.push(
            Note::new("specks_left_out", format!("left out: {}", counted(specks, "speck")))
                .value(specks, "outlines")
                .reason("they are smaller than one zone, or hold no more than their share of the incidents"),
        );
    }
    let certificate = match params.replicates {
        0 => {
            notes.push(
                Note::new("no_stability", "whether the hotspots would be found again was not asked")
                    .reason("--replicates 0 leaves it out"),
            );
            None
        }
        _ if drawing.outlines.is_empty() => None,
        replicates => {
            let often = (replicates, params.seed);
            Some(certify(&drawing, &sites, &incidents.window, setting, often, watch)?)
        }
    };
    notes.extend(certificate.as_ref().and_then(Certificate::note));
    let stability = certificate.as_ref().map_or(&[][..], |certificate| &certificate.stability);
    let mut ranked: Vec<(usize, Hotspot)> =
        measure(incidents, &sites, &drawing, stability, years).into_iter().enumerate().collect();
    ranked.sort_by(|(_, a), (_, b)| {
        let south_west = |hotspot: &Hotspot| {
            hotspot.outline.bounding_rect().map(|bounds| (bounds.min().y, bounds.min().x))
        };
        b.incidents
            .cmp(&a.incidents)
            .then(south_west(a).partial_cmp(&south_west(b)).unwrap_or(std::cmp::Ordering::Equal))
    });
    let mut place_of_outline = vec![0; ranked.len()];
    for (place, (outline, hotspot)) in ranked.iter_mut().enumerate() {
        hotspot.rank = place as u32 + 1;
        place_of_outline[*outline] = place as u32;
    }
    let of_site = |&site: &u32| drawing.outline_of[site as usize].map(|outline| place_of_outline[outline]);
    let hotspot_of = sites.of_incident.iter().map(of_site).collect();
    let found: Vec<Hotspot> = ranked.into_iter().map(|(_, hotspot)| hotspot).collect();
    let Drawing { zones, density, .. } = drawing;
    let density = density.scaled(per_year, &unit);
    let mut parameters = json!({
        "zones": zones.provenance.parameters,
        "density": density.provenance.parameters,
        "period_years": years,
        "study_area_km2": incidents.window.area_km2(),
    });
    let mut provenance = Provenance::new("hotspots", serde_json::Value::Null);
    if let Some(certificate) = &certificate {
        parameters["stability"] = certificate.record();
        provenance.seed = Some(params.seed);
    }
    provenance.parameters = parameters;
    let layer = layer(&found, incidents, params.replicates > 0, &unit, provenance, &notes);
    Ok(Found { hotspots: found, layer, zones, density, cell, hotspot_of, notes })
}

/// What is known of each outline.
fn measure(
    incidents: &Incidents,
    sites: &Sites,
    drawing: &Drawing,
    stability: &[Option<f64>],
    years: Option<f64>,
) -> Vec<Hotspot> {
    let mut members: Vec<Vec<usize>> = vec![Vec::new(); drawing.outlines.len()];
    for (incident, &site) in sites.of_incident.iter().enumerate() {
        if let Some(at) = drawing.outline_of[site as usize] {
            members[at].push(incident);
        }
    }
    let total = sites.total_weight();
    let window = &incidents.window;
    let halves = Halves::of(incidents);
    let all: Vec<usize> = (0..incidents.len()).collect();
    let city_trend = halves.as_ref().and_then(|halves| halves.trend(incidents, &all));
    let zones = &drawing.zones;
    let describe = |(at, outline): (usize, &Outline)| {
        let mut hotspot = Hotspot {
            rank: 0,
            incidents: members[at].len() as u64,
            share: outline.weight / total,
            area_km2: outline.area_km2,
            intensity: outline.weight / outline.area_km2 / years.unwrap_or(1.0),
            pai: outline.pai(total, window),
            z: zones.z[outline.peak],
            p: zones.p[outline.peak],
            q: zones.q[outline.peak],
            stability: stability.get(at).copied().flatten(),
            trend: halves.as_ref().and_then(|halves| halves.trend(incidents, &members[at])),
            peak: incidents.times.as_ref().and_then(|times| {
                let times_of = members[at].iter().map(|&incident| times.intervals()[incident]);
                times_of.collect::<Timing>().peak()
            }),
            why: String::new(),
            outline: outline.polygon.clone(),
        };
        hotspot.why = why(&hotspot, window.area_km2(), city_trend);
        hotspot
    };
    drawing.outlines.iter().enumerate().map(describe).collect()
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
    if let Some(stability) = hotspot.stability {
        parts.push(format!(
            "stability {stability:.2} (share of its area found again when grid, bandwidth and chance change)"
        ));
    }
    if let Some(trend) = hotspot.trend {
        let against = city.map_or(String::new(), |city| format!(", all {:+.0} %", city.percent()));
        parts.push(format!("{} then {} ({:+.0} %{against})", trend.before, trend.after, trend.percent()));
    }
    if let Some(peak) = hotspot.peak {
        parts.push(format!("{:.0} % between {} h", peak.share * 100.0, peak));
    }
    parts.join("; ")
}

/// The hotspots as a layer. Its columns depend on what was asked and on what the incidents can tell, not on what was found: a
/// column for which nothing is known of any incident is left out, not zero.
fn layer(
    found: &[Hotspot],
    incidents: &Incidents,
    stability: bool,
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
    if stability {
        columns.push(Column::new(
            "stability",
            "Stability, 0 to 1: share of the area found again when grid, bandwidth and chance change",
            "",
            Real,
        ));
    }
    let halves = Halves::of(incidents);
    if halves.is_some() {
        columns.push(Column::new("trend", "Change, later against earlier period", "%", Real));
    }
    let hours = incidents.times.as_ref().is_some_and(|times| {
        let all: Timing = times.intervals().iter().copied().collect();
        all.known() > 0.0
    });
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
        if stability {
            values.push(hotspot.stability.map_or(Value::Null, Value::real));
        }
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
    let again = if stability {
        " Stability is the mean share of a hotspot's area that lies in hotspots again when the grid, its cell, the bandwidth and the incidents drawn are others; it does not say that there will be incidents."
    } else {
        ""
    };
    let compared =
        halves.as_ref().map_or(String::new(), |halves| format!(" The trend compares {}.", halves.label));
    Layer {
        name: "hotspots".to_owned(),
        title: "Hotspots".to_owned(),
        description: format!(
            "Places with significantly many reported incidents (Gi*, q <= 0.05), outlined by density{}. Reported incidents are not all incidents, and many incidents need not mean high risk.{again}{compared}",
            period.map_or(String::new(), |Interval { start, end }| format!(
                ", {} to {}",
                &start.to_string()[..10],
                &Civil(end.0 - 1).to_string()[..10]
            )),
        ),
        crs: incidents.crs.clone(),
        columns,
        features: features.collect(),
        style: Style::number("intensity", Scale::Upper).labelled("rank"),
        period,
        provenance,
        notes: notes.to_vec(),
    }
}
