//! Space-time kernel density: incidents per km² and day, at every place of the study area, slice of time after slice.
//!
//! # Question
//! Where is it dense, and when?
//!
//! # Definition
//! λ(q, t) = Σᵢ wᵢ · 3/(π h²) (1 − dᵢ²/h²)² · 3/(4b) (1 − (t − tᵢ)²/b²), each factor 0 beyond its bandwidth; at the centre q of
//! each cell and the middle t of each slice. Exact: nothing is binned. An incident whose time is known to a stretch (a
//! day, a month) is spread evenly over it: its time factor is the mean of the kernel over the stretch, in closed form. Slices are
//! one `step` long, from the first known time (rounded down to a whole unit of the step) to the last.
//! `edge-time uniform` divides each slice by ∫ 3/(4b)(1 − (t − s)²/b²) ds over the period of the data.
//!
//! # Reference
//! Nakaya & Yano 2010, "Visualising Crime Clusters in a Space-time Cube", Transactions in GIS 14, 223-239
//! (doi:10.1111/j.1467-9671.2010.01194.x), with the quartic kernel in space.
//!
//! # Agrees with
//! The triple loop over incidents, cells and slices to 1e-9 of the peak, and to 1e-5 where that loop averages a stretch of time
//! numerically (`tests/kde_spacetime.rs`).
//!
//! # Differs from
//! Space-time densities that integrate to one are this intensity divided by n. libkdv divides by its maximum.
//! Tools that place a dated incident at midnight move it by half a day, and a month's by half a month; here it covers the day or month.
//!
//! # Units
//! Incidents (or their weights) per km² and day. Cells × slices × their sizes add up to n but for what falls outside the study
//! area, and, without `edge-time`, before the first and after the last slice.
//!
//! # Cost
//! Per place and raster row within the bandwidth: cells in reach × slices in reach, plus cells × slices.
//!
//! # Often misunderstood
//! The first and the last slices look quiet because nothing is known before and after: `edge-time uniform` lifts them, at the price
//! of a rougher estimate there. And a slice is no count of its days: it looks `bandwidth-time` back and ahead.

use std::f64::consts::PI;
use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use brasa_model::{Civil, Grid, Incidents, Interval, Metres, Note, Provenance, Span, SurfaceSeries};
use ndarray::Array3;
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::kernels::Kernel;
use crate::{About, AnalysisError, Bandwidth, CellSize, Sites, Watch};
use brasa_model::{as_text, as_word};

/// What a reader of the catalogue learns.
pub const ABOUT: About = About {
    question: "Where is it dense, and when?",
    reference: "Nakaya & Yano 2010, doi:10.1111/j.1467-9671.2010.01194.x",
    units: "incidents/km²/day",
    cost: "places × rows and slices within the bandwidths, plus cells × slices",
};

/// Parameters of [`kde_spacetime`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct KdeSpacetimeParams {
    /// Radius of the quartic kernel in space, or a rule that chooses it
    #[serde(default)]
    pub bandwidth: Bandwidth,
    /// Reach of the kernel in time, back and ahead; a claim about the data, so there is no default
    pub bandwidth_time: Span,
    /// Side of a raster cell, or the rule that chooses it
    #[serde(default)]
    pub cell: CellSize,
    /// Length of a slice, or half of the bandwidth in time
    #[serde(default)]
    pub step: Step,
    /// Correction for the ends of the period: none or uniform
    #[serde(default)]
    pub edge_time: EdgeTime,
}

/// The length of a slice.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Step {
    /// So long.
    Length(Span),
    /// Half of the bandwidth in time, in whole days, hours or minutes.
    #[default]
    Half,
}

impl Step {
    /// Seen from slices half a bandwidth apart, an incident adds up to between 0.94 and 1.03, and to 1 on average.
    fn resolve(self, bandwidth: Span) -> (Span, Option<Note>) {
        match self {
            Self::Length(span) => (span, None),
            Self::Half => {
                let half = Span::new(bandwidth.seconds() / 2).unwrap_or(bandwidth).round_down();
                let note = Note::new("step_chosen", format!("slices of {half}"))
                    .value(half.days(), "d")
                    .reason(format!("half of the bandwidth in time, {bandwidth}; --step sets another"));
                (half, Some(note))
            }
        }
    }
}

impl FromStr for Step {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.trim() {
            "half" => Ok(Self::Half),
            other => {
                other.parse().map(Self::Length).map_err(|error: brasa_model::SpanError| error.to_string())
            }
        }
    }
}

as_text!(Step, "SPAN|half", "examples": ["7d", "8h", "half"]);

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length(span) => f.write_str(&String::from(*span)),
            Self::Half => f.write_str("half"),
        }
    }
}

/// What to do about the part of the time kernel that falls outside the period of the data.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum EdgeTime {
    /// Nothing: the first and last slices are too low.
    #[default]
    None,
    /// Divide each slice by the mass its kernel keeps inside the period.
    Uniform,
}

as_word!(EdgeTime, None = "none", Uniform = "uniform");

/// The most values a series may have: 2²⁸ are 2 GiB.
const MOST_VALUES: f64 = 268_435_456.0;

/// Pulses (a place's weight in a slice) held at once.
const PULSES_AT_ONCE: usize = 1 << 24;

/// The density of `incidents` in space and time on a grid clipped to their window.
pub fn kde_spacetime(
    incidents: &Incidents,
    params: &KdeSpacetimeParams,
    watch: &Watch,
) -> Result<SurfaceSeries, AnalysisError> {
    let no_times = AnalysisError::NoTimes { method: "kde-spacetime" };
    if incidents.is_empty() {
        return Err(AnalysisError::NoIncidents);
    }
    let times = incidents.times.as_ref().ok_or_else(|| no_times.clone())?;
    let period = times.extent().ok_or(no_times)?;
    let sites = Sites::new(incidents);
    let (cell, cell_note) = params.cell.resolve(incidents, &sites)?;
    let (step, step_note) = params.step.resolve(params.bandwidth_time);
    let grid = Grid::covering(&incidents.window, cell)?;
    let frames = frames(period, step, &grid)?;
    let bandwidth = params.bandwidth.resolve(cell, Kernel::Quartic, incidents, &sites, watch)?;
    let bandwidths = (bandwidth.radius, params.bandwidth_time);

    let mut series = on_grid(incidents, &sites, grid, frames, bandwidths, params.edge_time)?;
    bandwidth.record_in(&mut series.provenance);
    series.notes = cell_note.into_iter().chain(bandwidth.notes).chain(step_note).collect();
    series.notes.append(&mut notes_on_time(times.intervals(), &series.frames, period, step, params));
    Ok(series)
}

/// The density of incidents on a given grid in given slices, which are equally long and follow one another; the
/// bandwidths are those in space and in time.
pub fn on_grid(
    incidents: &Incidents,
    sites: &Sites,
    grid: Grid,
    frames: Vec<Interval>,
    (bandwidth, bandwidth_time): (Metres, Span),
    edge_time: EdgeTime,
) -> Result<SurfaceSeries, AnalysisError> {
    let no_times = AnalysisError::NoTimes { method: "kde-spacetime" };
    let (Some(times), Some(first)) = (&incidents.times, frames.first()) else { return Err(no_times) };
    let period = times.extent().ok_or(no_times)?;
    let step = first.end.0 - first.start.0;
    let clock = Clock { start: first.start, step: step as f64, b: bandwidth_time.seconds() as f64 };
    let groups = Groups::new(sites, times.intervals(), |at| incidents.weight_of(at));
    let mut values = sums(sites, &groups, &grid, bandwidth.get(), clock, frames.len());
    // Per m² first, and 1e6 m² in a km²; the time factor of a bandwidth of one, and then days.
    let scale = 3.0 / (PI * bandwidth.get() * bandwidth.get()) * 1e6 / bandwidth_time.days();
    let kept: Vec<f64> = (0..frames.len()).map(|frame| clock.kept(frame, period, edge_time)).collect();
    let (nx, ny) = (grid.nx(), grid.ny());
    values.par_chunks_mut(nx * frames.len()).enumerate().for_each(|(row, slices)| {
        for (cells, kept) in slices.chunks_exact_mut(nx).zip(&kept) {
            for (column, value) in cells.iter_mut().enumerate() {
                let inside = grid.is_inside(row * nx + column);
                *value = if inside { *value * scale / kept } else { f64::NAN };
            }
        }
    });
    // Rows of slices in memory, slices of rows to the reader.
    let shape = (ny, frames.len(), nx);
    let values = Array3::from_shape_vec(shape, values)
        .unwrap_or_else(|_| Array3::from_elem(shape, f64::NAN))
        .permuted_axes([1, 0, 2]);

    let parameters = json!({
        "kernel": Kernel::Quartic,
        "bandwidth": bandwidth,
        "bandwidth_meaning": Kernel::Quartic.bandwidth_meaning(),
        "cell": grid.cell(),
        "kernel_time": Kernel::Epanechnikov,
        "bandwidth_time": bandwidth_time,
        "step": Span::new(step).ok(),
        "edge_time": edge_time,
    });
    let provenance = Provenance::new("kde-spacetime", parameters);
    Ok(SurfaceSeries { grid, frames, values, unit: ABOUT.units.to_owned(), provenance, notes: Vec::new() })
}

/// The slices that cover a period, or why they would not fit.
fn frames(period: Interval, step: Span, grid: &Grid) -> Result<Vec<Interval>, AnalysisError> {
    let first = period.start.0.div_euclid(step.unit()) * step.unit();
    let count = (period.end.0 - first + step.seconds() - 1).div_euclid(step.seconds()).max(1);
    let values = count as f64 * (grid.nx() * grid.ny()) as f64;
    if values > MOST_VALUES {
        let over = values / MOST_VALUES;
        // Rounded up to a whole unit of the step, and one more for the rounding of the count.
        let longer = (step.seconds() as f64 * over / step.unit() as f64).ceil() as i64 + 1;
        return Err(AnalysisError::SeriesTooLarge {
            frames: count as f64,
            step,
            cell: grid.cell(),
            bytes: values * 8.0,
            fits_step: Span::new(longer * step.unit()).unwrap_or(step),
            fits_cell: Metres::new(grid.cell().get() * over.sqrt() * 1.01).unwrap_or(grid.cell()).round_up(),
        });
    }
    let at = |frame: i64| Civil(first + frame * step.seconds());
    Ok((0..count).map(|frame| Interval { start: at(frame), end: at(frame + 1) }).collect())
}

fn notes_on_time(
    intervals: &[Option<Interval>],
    frames: &[Interval],
    period: Interval,
    step: Span,
    params: &KdeSpacetimeParams,
) -> Vec<Note> {
    let mut notes = Vec::new();
    let unknown = intervals.iter().filter(|interval| interval.is_none()).count();
    if unknown > 0 {
        notes.push(
            Note::new("time_unknown", format!("{unknown} incidents have no time and are left out"))
                .value(unknown, "incidents"),
        );
    }
    if let (Some(first), Some(last)) = (frames.first(), frames.last()) {
        let mut text = format!("{} slices of {step} from {} to {}", frames.len(), first.start, last.end);
        if last.end > period.end {
            text.push_str("; the data ends in the last one");
        }
        notes.push(
            Note::new("slices", text)
                .value(frames.len(), "slices")
                .reason("from the first known time to the last; --since and --until choose a period"),
        );
    }
    let blurred = intervals
        .iter()
        .flatten()
        .filter(|interval| interval.end.0 - interval.start.0 > params.bandwidth_time.seconds())
        .count();
    if blurred > 0 {
        notes.push(
            Note::new(
                "time_vague",
                format!("{blurred} incidents have a time no closer than the bandwidth in time"),
            )
            .value(blurred, "incidents")
            .reason("they are spread evenly over the time they may have happened in, and blur the slices"),
        );
    }
    if params.edge_time == EdgeTime::None {
        notes.push(Note::new("edge_time_none", "the first and the last slices are too low").reason(
            "nothing is known beyond the period; --edge-time uniform divides by what the kernel keeps inside",
        ));
    }
    notes
}

/// Where slices lie in time, and how far an incident reaches: seconds since the start of the first slice.
#[derive(Debug, Clone, Copy)]
struct Clock {
    start: Civil,
    step: f64,
    b: f64,
}

impl Clock {
    fn middle(self, frame: usize) -> f64 {
        (frame as f64 + 0.5) * self.step
    }

    /// The slices whose middle may see the stretch.
    fn frames(self, (from, to): (f64, f64), within: &Range<usize>) -> Range<usize> {
        let first = ((from - self.b) / self.step - 0.5).ceil().max(within.start as f64) as usize;
        let end = (((to + self.b) / self.step - 0.5).floor() + 1.0).clamp(0.0, within.end as f64) as usize;
        first..end.max(first)
    }

    /// The mean over the stretch of ¾ (1 − u²), u the distance in time from the middle of the slice in bandwidths.
    ///
    /// Over [p, q] inside [−1, 1] the mean of 1 − u² is 1 − (p² + pq + q²)/3, which cancels nothing however short the
    /// stretch is.
    fn factor(self, frame: usize, (from, to): (f64, f64)) -> f64 {
        let middle = self.middle(frame);
        let (first, last) = ((from - middle) / self.b, (to - middle) / self.b);
        let (p, q) = (first.max(-1.0), last.min(1.0));
        if p > q {
            return 0.0;
        }
        let share = if last > first { (q - p) / (last - first) } else { 1.0 };
        0.75 * share * (1.0 - (p * p + p * q + q * q) / 3.0).max(0.0)
    }

    /// What the kernel at the middle of a slice keeps inside the period; 1 without a correction, or where it sees nothing.
    fn kept(self, frame: usize, period: Interval, edge: EdgeTime) -> f64 {
        let stretch = ((period.start.0 - self.start.0) as f64, (period.end.0 - self.start.0) as f64);
        let mass = self.factor(frame, stretch) * (stretch.1 - stretch.0) / self.b;
        if edge == EdgeTime::None || mass <= 0.0 { 1.0 } else { mass }
    }
}

/// Per site, its distinct stretches of time with their weights, in the order of time.
struct Groups {
    starts: Vec<usize>,
    stretches: Vec<(Civil, Civil)>,
    weight: Vec<f64>,
}

impl Groups {
    fn new(sites: &Sites, intervals: &[Option<Interval>], weight_of: impl Fn(usize) -> f64) -> Self {
        let mut starts = vec![0_usize; sites.len() + 1];
        let known = || intervals.iter().enumerate().filter_map(|(at, interval)| interval.map(|it| (at, it)));
        for (at, _) in known() {
            starts[sites.of_incident[at] as usize + 1] += 1;
        }
        for site in 0..sites.len() {
            starts[site + 1] += starts[site];
        }
        let mut next = starts.clone();
        let mut entries = vec![(Civil(0), Civil(0), 0.0); starts[sites.len()]];
        for (at, interval) in known() {
            let place = &mut next[sites.of_incident[at] as usize];
            entries[*place] = (interval.start, interval.end, weight_of(at));
            *place += 1;
        }
        // Equal stretches at one place become one, so that w copies are a weight of w to the bit.
        let mut groups = Self { starts: vec![0], stretches: Vec::new(), weight: Vec::new() };
        for site in 0..sites.len() {
            let here = &mut entries[starts[site]..starts[site + 1]];
            here.sort_unstable_by(|a, b| a.0.cmp(&b.0).then(a.1.cmp(&b.1)).then(a.2.total_cmp(&b.2)));
            let begin = groups.weight.len();
            for &(start, end, weight) in here.iter() {
                let last = groups.weight.len().wrapping_sub(1);
                if groups.weight.len() > begin && groups.stretches[last] == (start, end) {
                    groups.weight[last] += weight;
                } else {
                    groups.stretches.push((start, end));
                    groups.weight.push(weight);
                }
            }
            groups.starts.push(groups.weight.len());
        }
        groups
    }

    fn stretch(&self, at: usize, clock: Clock) -> (f64, f64) {
        let (start, end) = self.stretches[at];
        ((start.0 - clock.start.0) as f64, (end.0 - clock.start.0) as f64)
    }

    /// Successive ranges of slices, so that the pulses of each fit into memory; there may be one slice too many for that.
    fn blocks(&self, clock: Clock, count: usize) -> Vec<Range<usize>> {
        let mut change = vec![0_i64; count + 1];
        for at in 0..self.weight.len() {
            let frames = clock.frames(self.stretch(at, clock), &(0..count));
            change[frames.start.min(count)] += 1;
            change[frames.end.min(count)] -= 1;
        }
        let (mut blocks, mut begin, mut active, mut held) = (Vec::new(), 0, 0, 0);
        for (frame, change) in change.iter().take(count).enumerate() {
            active += change;
            if frame > begin && held + active > PULSES_AT_ONCE as i64 {
                blocks.push(begin..frame);
                (begin, held) = (frame, 0);
            }
            held += active;
        }
        blocks.push(begin..count);
        blocks
    }
}

/// Per site, its weight in each slice it is seen from.
struct Pulses {
    starts: Vec<usize>,
    pulses: Vec<(u32, f64)>,
}

impl Pulses {
    fn new(groups: &Groups, clock: Clock, frames: &Range<usize>) -> Self {
        const SITES: usize = 1 << 13;
        let sites = groups.starts.len() - 1;
        let of_chunk = |first: usize| {
            let (mut ends, mut pulses) = (Vec::new(), Vec::new());
            let mut slices = vec![0.0; frames.len()];
            for site in first..(first + SITES).min(sites) {
                let (mut low, mut high) = (frames.end, frames.start);
                for at in groups.starts[site]..groups.starts[site + 1] {
                    let stretch = groups.stretch(at, clock);
                    let seen = clock.frames(stretch, frames);
                    for frame in seen.clone() {
                        slices[frame - frames.start] += groups.weight[at] * clock.factor(frame, stretch);
                    }
                    if !seen.is_empty() {
                        (low, high) = (low.min(seen.start), high.max(seen.end));
                    }
                }
                for frame in low..high {
                    let value = std::mem::take(&mut slices[frame - frames.start]);
                    if value != 0.0 {
                        pulses.push((frame as u32, value));
                    }
                }
                ends.push(pulses.len());
            }
            (ends, pulses)
        };
        let chunks: Vec<_> =
            (0..sites.div_ceil(SITES)).into_par_iter().map(|at| of_chunk(at * SITES)).collect();
        let mut all = Self { starts: vec![0], pulses: Vec::new() };
        all.pulses.reserve(chunks.iter().map(|(_, pulses)| pulses.len()).sum());
        for (ends, mut pulses) in chunks {
            let before = all.pulses.len();
            all.starts.extend(ends.iter().map(|end| before + end));
            all.pulses.append(&mut pulses);
        }
        all
    }

    fn of(&self, site: usize) -> &[(u32, f64)] {
        &self.pulses[self.starts[site]..self.starts[site + 1]]
    }
}

/// Σᵢ wᵢ (1 − dᵢ²/h²)² · time factor: for each row of the raster its slices, for each slice its cells.
fn sums(sites: &Sites, groups: &Groups, grid: &Grid, h: f64, clock: Clock, count: usize) -> Vec<f64> {
    let (nx, width) = (grid.nx(), grid.cell().get());
    let mut values = vec![0.0; nx * grid.ny() * count];
    let (places, first) = (sites.ordered(), grid.centre_x(0));
    for frames in groups.blocks(clock, count) {
        let pulses = Pulses::new(groups, clock, &frames);
        values.par_chunks_mut(nx * count).enumerate().for_each(|(row, slices)| {
            let y = grid.centre_y(row);
            let mut spread: Vec<f64> = Vec::new();
            // One thread writes a row, and adds its places in their order: the same bits on any number of threads.
            for place in places.rows_within(y, h) {
                let pulses = pulses.of(place);
                let across = (places.y[place] - y) / h;
                let left_over = 1.0 - across * across;
                if pulses.is_empty() || left_over < 0.0 {
                    continue;
                }
                let centre = (places.x[place] - first) / width;
                let half = h * left_over.sqrt() / width;
                let start = (centre - half).ceil().clamp(0.0, nx as f64) as usize;
                let end = ((centre + half).floor() + 1.0).clamp(0.0, nx as f64) as usize;
                spread.clear();
                spread.extend((start..end.max(start)).map(|column| {
                    let along = (column as f64 - centre) * width / h;
                    let rest = (left_over - along * along).max(0.0);
                    rest * rest
                }));
                for &(frame, weight) in pulses {
                    let from = frame as usize * nx + start;
                    for (cell, value) in slices[from..from + spread.len()].iter_mut().zip(&spread) {
                        *cell += weight * value;
                    }
                }
            }
        });
    }
    values
}
