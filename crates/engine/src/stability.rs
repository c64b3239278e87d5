//! The certificate of stability: how much of each hotspot is found again when the grid, the cell, the bandwidth and the
//! incidents are others that could as well have been.
//!
//! A replicate draws the hotspots again by the same steps ([`draw`]) with something changed ([`Change`]), and is laid over
//! those that were reported. The stability of a hotspot is the mean, over the replicates that change everything, of the
//! share of its *area* that lies in the replicate's hotspots. Area, not incidents: an outline is a claim about ground, and
//! a stack of a thousand incidents at one address, which every replicate finds, would vouch for a fringe that comes and
//! goes. Each change is also made alone, a fifth as often, to say what the hot area as a whole depends on.

use brasa_model::{Note, Window, WindowOrigin};
use brasa_spatial_index::ensemble::{Change, RANGE, Setting, jaccard, replicated};
use brasa_spatial_index::{AnalysisError, Sites, Watch};
use geo::MultiPolygon;
use serde_json::{Value, json};

use crate::drawing::{Drawing, draw};

/// Areas are measured along lines this many to a cell.
const LINES: f64 = 4.0;

/// What came of the replicates.
pub(crate) struct Certificate {
    /// Per outline, the mean share of its area that was found again; `None` for one that no line crosses.
    pub stability: Vec<Option<f64>>,
    overlaps: Vec<Overlap>,
    finest: u32,
    seed: u64,
}

/// How well the hot area of replicates agrees with the one reported.
struct Overlap {
    change: Change,
    replicates: u32,
    mean: f64,
    least: f64,
}

/// Draws the hotspots `replicates` times with everything changed, and fewer times with each change alone.
pub(crate) fn certify(
    drawing: &Drawing,
    sites: &Sites,
    window: &Window,
    chosen: Setting,
    (replicates, seed): (u32, u64),
    watch: &Watch,
) -> Result<Certificate, AnalysisError> {
    let lines = Lines::over(window, chosen.cell.get() / LINES);
    let reported: Vec<Spans> =
        drawing.outlines.iter().map(|outline| lines.spans([&outline.polygon])).collect();
    let areas: Vec<f64> = reported.iter().map(Spans::length).collect();
    let hot: f64 = areas.iter().sum();
    // Half as fine as what was reported, a quarter of the work.
    let finest = (drawing.parts / 2).max(1);
    let found = replicated(replicates, watch, |change, number| {
        let (setting, resampled) = change.drawn(chosen, sites, seed, number);
        let again = match draw(resampled.as_ref().unwrap_or(sites), window, setting, finest) {
            Ok(again) => lines.spans(again.outlines.iter().map(|outline| &outline.polygon)),
            // Nothing to tell zones apart by: nothing is hot.
            Err(AnalysisError::NoVariance { .. } | AnalysisError::Grid(_)) => Spans::default(),
            Err(other) => return Err(other),
        };
        let shared: Vec<f64> = reported.iter().map(|outline| outline.shared_with(&again)).collect();
        Ok((jaccard(hot, again.length(), shared.iter().sum()), shared))
    })?;
    let of = |change| found.iter().filter(move |(made, _)| *made == change).map(|(_, found)| found);
    let overlap = |change: Change| {
        let replicates = change.times(replicates);
        let sum: f64 = of(change).map(|(overlap, _)| overlap).sum();
        let least = of(change).map(|(overlap, _)| *overlap).fold(1.0, f64::min);
        Overlap { change, replicates, mean: sum / f64::from(replicates), least }
    };
    let stability = areas.iter().enumerate().map(|(at, &area)| {
        let shared: f64 = of(Change::All).map(|(_, shared)| shared[at]).sum();
        (area > 0.0).then(|| (shared / (area * f64::from(replicates))).min(1.0))
    });
    Ok(Certificate {
        stability: stability.collect(),
        overlaps: Change::ALL.map(overlap).into(),
        finest,
        seed,
    })
}

impl Certificate {
    /// The table of overlaps and how it was made, for the provenance.
    pub fn record(&self) -> Value {
        let row = |overlap: &Overlap| {
            json!({
                "change": overlap.change.word(),
                "replicates": overlap.replicates,
                "jaccard_mean": overlap.mean,
                "jaccard_least": overlap.least,
            })
        };
        json!({
            "seed": self.seed,
            "raster_parts": self.finest,
            "origin": "anywhere within a cell",
            "cell": RANGE,
            "bandwidth": RANGE,
            "incidents": "bootstrap",
            "overlaps": self.overlaps.iter().map(row).collect::<Vec<_>>(),
        })
    }

    /// What a reader should know.
    pub fn note(&self) -> Option<Note> {
        let (all, alone) = self.overlaps.split_last()?;
        let alone: Vec<String> =
            alone.iter().map(|overlap| format!("{} {:.2}", overlap.change.word(), overlap.mean)).collect();
        Some(
            Note::new(
                "stability",
                format!(
                    "drawn again, the hot area overlaps at {:.2} (Jaccard, mean of {} replicates that change everything); with one change alone: {}",
                    all.mean,
                    all.replicates,
                    alone.join(", "),
                ),
            )
            .value(all.mean, "")
            .reason(format!(
                "a replicate moves the grid anywhere within a cell, takes a cell and a bandwidth of {RANGE} those chosen, and draws as many incidents with replacement (seed {}); each change alone {} times; the density on a raster at most {} times finer than the cells; --replicates sets how many, 0 for none",
                self.seed,
                self.overlaps.first().map_or(0, |overlap| overlap.replicates),
                self.finest,
            )),
        )
    }
}

/// Lines from west to east at equal distances over the study area: along them areas are measured and compared.
struct Lines {
    y: Vec<f64>,
}

/// On each line, in its order, the stretches that lie inside something: where they begin and end, from the west.
#[derive(Default)]
struct Spans(Vec<(usize, Vec<f64>)>);

impl Lines {
    fn over(window: &Window, apart: f64) -> Self {
        let (south, north) = (window.bounds().min().y, window.bounds().max().y);
        let count = ((north - south) / apart).ceil().max(1.0) as u32;
        let apart = (north - south) / f64::from(count);
        Self { y: (0..count).map(|at| south + (f64::from(at) + 0.5) * apart).collect() }
    }

    /// The stretches inside polygons that do not overlap.
    fn spans<'a>(&self, polygons: impl IntoIterator<Item = &'a geo::Polygon<f64>>) -> Spans {
        let polygons = MultiPolygon::new(polygons.into_iter().cloned().collect());
        let Ok(area) = Window::of_disjoint(polygons, WindowOrigin::Given(String::new())) else {
            return Spans::default();
        };
        let (south, north) = (area.bounds().min().y, area.bounds().max().y);
        let first = self.y.partition_point(|&y| y < south);
        let end = self.y.partition_point(|&y| y <= north);
        let line = |at: usize| (at, area.crossings(self.y[at]));
        Spans((first..end).map(line).filter(|(_, crossings)| crossings.len() > 1).collect())
    }
}

impl Spans {
    /// The length of all stretches: an area, counted in distances between lines.
    fn length(&self) -> f64 {
        let stretches = self.0.iter().flat_map(|(_, crossings)| crossings.chunks_exact(2));
        stretches.map(|stretch| stretch[1] - stretch[0]).sum()
    }

    /// The length of what lies in both.
    fn shared_with(&self, other: &Self) -> f64 {
        let mut shared = 0.0;
        let Some(&(first, _)) = self.0.first() else { return shared };
        let mut others = other.0[other.0.partition_point(|&(line, _)| line < first)..].iter().peekable();
        for (line, crossings) in &self.0 {
            while others.next_if(|(other, _)| other < line).is_some() {}
            let Some((_, against)) = others.next_if(|(other, _)| other == line) else { continue };
            for stretch in crossings.chunks_exact(2) {
                let from = against.partition_point(|&x| x <= stretch[0]) / 2 * 2;
                let reach = against[from..].chunks_exact(2).take_while(|other| other[0] < stretch[1]);
                shared += reach
                    .map(|other| (other[1].min(stretch[1]) - other[0].max(stretch[0])).max(0.0))
                    .sum::<f64>();
            }
        }
        shared
    }
}
