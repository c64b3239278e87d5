//! Incidents counted in zones, and the way from a statistic per zone to a verdict: what local and global statistics share.

use brasa_model::{
    Class, Denominators, GivenZone, GivenZones, Grid, Incidents, LocalStats, Note, Provenance, Series,
    Window, WindowOrigin, Zoning,
};
use geo::{BooleanOps, Coord, Line, LinesIter};
use rayon::prelude::*;
use rstar::RTree;
use rstar::primitives::{GeomWithData, Rectangle};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::conditional::{Draws, Permutations, Summed, permutation_ps};
use crate::significance::{Correction, two_sided_p};
use crate::weights::{Neighbours, Weights};
use crate::{AnalysisError, CellSize, Sites, Watch};

/// The level of q at which a zone is called significant.
pub const LEVEL: f64 = 0.05;

/// With fewer zones than this the normal law is a poor guide.
const FEW_ZONES: usize = 30;

/// What incidents are counted in.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct CountedIn {
    /// Side of a zone, or the rule that chooses it
    pub cell: CellSize,
    /// File with the zones to count in, such as beats or tracts, instead of square cells; without --study-area they are the study area
    #[schemars(title = "FILE")]
    pub zones: Option<String>,
    /// Column of the zones with what to divide the incidents by, such as people; rates are looked at then
    #[schemars(title = "COLUMN")]
    pub population: Option<String>,
}

impl From<CellSize> for CountedIn {
    fn from(cell: CellSize) -> Self {
        Self { cell, ..Self::default() }
    }
}

/// Parameters of a statistic per zone.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct ZoneParams {
    /// What incidents are counted in.
    #[serde(flatten)]
    pub counted: CountedIn,
    /// Which zones count as neighbours: queen, rook, knn:K (the K nearest) or band:LENGTH (all centres within that distance)
    pub neighbours: Neighbours,
    /// Random arrangements to take p from; 0 takes it from the normal law
    pub permutations: u32,
    /// Whether each zone looks at arrangements of its own, or all at the same ones (thirty times faster, but then the number of significant zones swings from seed to seed): independent or shared
    pub draws: Draws,
    /// How p is adjusted for testing many zones: bh, by (whatever the dependence) or bonferroni
    pub correction: Correction,
    /// Where chance begins; the same seed gives the same p
    pub seed: Seed,
}

/// Where chance begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Seed(pub u64);

impl Default for Seed {
    fn default() -> Self {
        Self(1)
    }
}

/// Zones with what lies in them and who their neighbours are.
#[derive(Debug, Clone)]
pub struct Zones {
    /// The zones: the cells of a grid inside the window, or given ones.
    pub zoning: Zoning,
    /// Weight of the incidents per zone.
    pub count: Vec<f64>,
    /// What is looked at: the counts, or the rates where there are denominators.
    pub values: Vec<f64>,
    /// Who is whose neighbour.
    pub weights: Weights,
    /// Which rule made the neighbours.
    pub neighbours: Neighbours,
    /// What was chosen or noticed.
    pub notes: Vec<Note>,
}

impl Zones {
    /// The incidents counted in their zones, if some were given, or else in cells.
    pub fn of(
        incidents: &Incidents,
        counted: &CountedIn,
        neighbours: Neighbours,
    ) -> Result<Self, AnalysisError> {
        if incidents.is_empty() {
            return Err(AnalysisError::NoIncidents);
        }
        let sites = Sites::new(incidents);
        if let Some(given) = &incidents.zones {
            return Self::on_given(&sites, given, &incidents.window, neighbours);
        }
        if counted.zones.is_some() {
            return Err(AnalysisError::TooFewZones {
                why: "the zones that were named were not read".to_owned(),
            });
        }
        let (cell, note) = counted.cell.resolve(incidents, &sites)?;
        let mut zones = Self::on_grid(&sites, Grid::covering(&incidents.window, cell)?, neighbours);
        zones.notes.extend(note);
        Ok(zones)
    }

    /// Sites counted in the cells of a given grid.
    pub fn on_grid(sites: &Sites, grid: Grid, neighbours: Neighbours) -> Self {
        let mut notes = Vec::new();
        let (count, outside) = sites.summed_in(&grid, &sites.weight);
        if outside > 0 {
            notes.push(
                Note::new(
                    "edge_incidents",
                    format!("{outside} incidents at the rim of the study area are in no zone"),
                )
                .value(outside, "incidents")
                .reason(
                    "a cell whose centre lies outside the study area is not a zone; a smaller --cell loses fewer",
                ),
            );
        }
        notes.extend(few(grid.len(), "a smaller --cell gives more"));
        let weights = Weights::on_grid(&grid, neighbours);
        notes.extend(weights.islands());
        Self { zoning: Zoning::Grid(grid), values: count.clone(), count, weights, neighbours, notes }
    }

    /// Sites counted in given zones, as far as these lie in the window.
    pub fn on_given(
        sites: &Sites,
        given: &GivenZones,
        window: &Window,
        neighbours: Neighbours,
    ) -> Result<Self, AnalysisError> {
        let mut notes = Vec::new();
        let given = within(given, window, &mut notes)?;
        let (count, outside) = count_in(sites, &given.zones);
        if outside > 0 {
            notes.push(
                Note::new("outside_zones", format!("{outside} incidents of the study area are in no zone"))
                    .value(outside, "incidents")
                    .reason("the zones do not cover the whole study area; these incidents do not count"),
            );
        }
        notes.extend(few(given.zones.len(), "smaller zones give more"));
        let values = match &given.denominators {
            None => count.clone(),
            Some(below) => count.iter().zip(&below.values).map(|(count, below)| count / below).collect(),
        };
        let weights = Weights::on_given(&given.zones, neighbours);
        notes.extend(weights.islands());
        Ok(Self { zoning: Zoning::Given(given), count, values, weights, neighbours, notes })
    }

    /// What the zones are, for whoever wants to make the same ones.
    pub fn record(&self) -> Value {
        match &self.zoning {
            Zoning::Grid(grid) => json!({ "cell": grid.cell(), "neighbours": self.neighbours }),
            Zoning::Given(given) => {
                let column = given.denominators.as_ref().map(|below| &below.column);
                json!({ "zones": given.file, "population": column, "neighbours": self.neighbours })
            }
        }
    }

    /// What is known of each zone beside its count.
    fn series(&self) -> Vec<Series> {
        let Zoning::Given(given) = &self.zoning else { return Vec::new() };
        let areas = given.zones.iter().map(|zone| zone.outline.area_km2()).collect();
        let mut series = vec![Series::new("area_km2", "Area", "km²", areas)];
        if let Some(below) = &given.denominators {
            series.push(Series::new("population", "Denominator", "", below.values.clone()));
            series.push(Series::new(
                "rate",
                "Incidents per unit of the denominator",
                "",
                self.values.clone(),
            ));
        }
        series
    }

    /// From a statistic per zone to a verdict on each.
    pub fn judged(
        self,
        local: Local,
        params: &ZoneParams,
        watch: &Watch,
    ) -> Result<LocalStats, AnalysisError> {
        let (mut series, mut parameters) = (self.series(), self.record());
        let Self { zoning, count, values, weights, mut notes, .. } = self;
        let p = match params.permutations {
            0 => local.z.iter().map(|&z| if z.is_nan() { z } else { two_sided_p(z) }).collect(),
            replicates => {
                let how = Permutations { replicates, draws: params.draws, seed: params.seed.0 };
                notes.extend(out_of_reach(count.len(), replicates, params.correction));
                permutation_ps(&values, &weights, local.summed, how, watch)?
            }
        };
        let q = params.correction.adjust(&p);
        let verdict =
            |zone: usize| if q[zone] <= LEVEL { (local.class)(zone) } else { Class::NotSignificant };
        let class = (0..q.len()).map(verdict).collect();
        parameters["self_included"] = json!(local.self_included);
        parameters["p"] = json!("two-sided, normal law");
        parameters["correction"] = json!(params.correction);
        parameters["level"] = json!(LEVEL);
        if params.permutations > 0 {
            parameters["p"] = Value::from("two-sided, twice the smaller tail of conditional permutations");
            parameters["permutations"] = Value::from(params.permutations);
            parameters["draws"] = json!(params.draws);
        }
        series.extend(local.series);
        let mut provenance = Provenance::new(local.method, parameters);
        provenance.seed = (params.permutations > 0).then_some(params.seed.0);
        Ok(LocalStats {
            title: local.title,
            description: local.description,
            verdicts: local.verdicts,
            neighbours: weights.sizes(u32::from(local.self_included)),
            series,
            z: local.z,
            zones: zoning,
            count,
            p,
            q,
            class,
            provenance,
            notes,
        })
    }
}

/// A statistic per zone before its verdict.
pub struct Local<'a> {
    /// The method's name.
    pub method: &'static str,
    /// Title of the layer.
    pub title: &'static str,
    /// What a reader of the layer must know.
    pub description: &'static str,
    /// Whether the zone itself is part of its neighbourhood.
    pub self_included: bool,
    /// The statistic itself, where it is not z, and what else the method knows of each zone.
    pub series: Vec<Series>,
    /// Its z-score; NaN where nothing can be said.
    pub z: Vec<f64>,
    /// What permutations are compared by.
    pub summed: Summed,
    /// What a significant zone is.
    pub class: &'a dyn Fn(usize) -> Class,
    /// What it can be.
    pub verdicts: &'static [Class],
}

/// The note that says that so few permutations cannot make a single zone significant.
fn out_of_reach(zones: usize, replicates: u32, correction: Correction) -> Option<Note> {
    let least = 2.0 / (f64::from(replicates) + 1.0);
    let harmonic =
        if correction == Correction::By { (1..=zones).map(|rank| 1.0 / rank as f64).sum() } else { 1.0 };
    let factor = zones as f64 * harmonic;
    let together = (least * factor / LEVEL).ceil();
    (together > 1.0).then(|| {
        let needed = (2.0 * factor / LEVEL).ceil() - 1.0;
        let who = match correction {
            Correction::Bonferroni => "no zone".to_owned(),
            _ if together > zones as f64 => "no zone".to_owned(),
            _ => format!("only {together:.0} zones or more together"),
        };
        Note::new("p_floor", format!("with {replicates} permutations p is at least {least}: {who} can be significant"))
            .value(least, "")
            .reason(format!(
                "p counts arrangements, and is adjusted for testing {zones} zones; a single zone needs --permutations {needed:.0}, the normal law (0) has no such floor"
            ))
    })
}

/// The note that says that there are few zones, and what gives more.
fn few(zones: usize, more: &str) -> Option<Note> {
    (zones < FEW_ZONES).then(|| {
        Note::new("few_zones", format!("only {zones} zones"))
            .value(zones, "zones")
            .reason(format!("with fewer than {FEW_ZONES} zones p-values are rough; {more}"))
    })
}

/// The parts of given zones that lie in the window.
fn within(given: &GivenZones, window: &Window, notes: &mut Vec<Note>) -> Result<GivenZones, AnalysisError> {
    // Zones that are themselves the study area lie in it.
    if *window.origin() == WindowOrigin::Given(given.file.clone()) {
        return Ok(given.clone());
    }
    let border: Vec<Line<f64>> = window.polygons().lines_iter().collect();
    let part = |zone: &GivenZone| {
        let bounds = zone.outline.bounds();
        let meets = |line: &Line<f64>| {
            let low = Coord { x: line.start.x.min(line.end.x), y: line.start.y.min(line.end.y) };
            let high = Coord { x: line.start.x.max(line.end.x), y: line.start.y.max(line.end.y) };
            low.x <= bounds.max().x
                && high.x >= bounds.min().x
                && low.y <= bounds.max().y
                && high.y >= bounds.min().y
        };
        if !border.iter().any(meets) {
            let centre = bounds.center();
            return window.contains(centre.x, centre.y).then(|| zone.clone());
        }
        let shared = zone.outline.polygons().intersection(window.polygons());
        let outline = Window::of_disjoint(shared, zone.outline.origin().clone()).ok()?;
        Some(GivenZone { name: zone.name.clone(), outline })
    };
    let parts: Vec<Option<GivenZone>> = given.zones.par_iter().map(part).collect();
    let left_out = parts.iter().filter(|part| part.is_none()).count();
    if left_out == parts.len() {
        return Err(AnalysisError::TooFewZones {
            why: format!("no zone of {} lies in the study area", given.file),
        });
    }
    if left_out > 0 {
        notes.push(
            Note::new(
                "zones_outside",
                format!("{left_out} zones lie outside the study area and are left out"),
            )
            .value(left_out, "zones")
            .reason("nothing is known of incidents there"),
        );
    }
    // Rounding at a shared border cuts nothing off.
    let is_cut = |(zone, part): (&GivenZone, &Option<GivenZone>)| {
        part.as_ref().is_some_and(|part| part.outline.area_km2() < zone.outline.area_km2() * (1.0 - 1e-6))
    };
    let cut = given.zones.iter().zip(&parts).filter(|&pair| is_cut(pair)).count();
    if cut > 0 {
        let mut reason = "only the part inside is drawn, measured and counted in".to_owned();
        if given.denominators.is_some() {
            reason.push_str("; its denominator is that of the whole zone, so its rate is too low");
        }
        notes.push(
            Note::new("zones_cut", format!("{cut} zones are cut by the border of the study area"))
                .value(cut, "zones")
                .reason(reason),
        );
    }
    let denominators = given.denominators.as_ref().map(|below| Denominators {
        column: below.column.clone(),
        values: below
            .values
            .iter()
            .zip(&parts)
            .filter(|(_, part)| part.is_some())
            .map(|(value, _)| *value)
            .collect(),
    });
    Ok(GivenZones { file: given.file.clone(), zones: parts.into_iter().flatten().collect(), denominators })
}

/// Weight per given zone, and how many incidents fall into none. A place in two, on a border drawn twice, is in the first.
fn count_in(sites: &Sites, zones: &[GivenZone]) -> (Vec<f64>, u64) {
    let boxed = |(at, zone): (usize, &GivenZone)| {
        let (low, high) = (zone.outline.bounds().min(), zone.outline.bounds().max());
        GeomWithData::new(Rectangle::from_corners([low.x, low.y], [high.x, high.y]), at)
    };
    let tree = RTree::bulk_load(zones.iter().enumerate().map(boxed).collect());
    let zone_of = |site: usize| {
        let (x, y) = (sites.x[site], sites.y[site]);
        let near = tree.locate_all_at_point(&[x, y]).map(|found| found.data);
        near.filter(|&zone| zones[zone].outline.contains(x, y)).min()
    };
    let found: Vec<Option<usize>> = (0..sites.len()).into_par_iter().map(zone_of).collect();
    let (mut count, mut outside) = (vec![0.0; zones.len()], 0);
    for (site, zone) in found.into_iter().enumerate() {
        match zone {
            Some(zone) => count[zone] += sites.weight[site],
            None => outside += u64::from(sites.count[site]),
        }
    }
    (count, outside)
}

/// Hot or cold, by the sign of z.
pub fn hot_or_cold(z: f64) -> Class {
    if z > 0.0 { Class::Hot } else { Class::Cold }
}
