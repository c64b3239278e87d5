//! Incidents counted in zones, and the way from a statistic per zone to a verdict: what local and global statistics share.

use brasa_model::{Class, Grid, Incidents, LocalStats, Note, Provenance, Series};
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

/// Parameters of a statistic per zone.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct ZoneParams {
    /// Side of a zone, or the rule that chooses it
    pub cell: CellSize,
    /// Which zones count as neighbours: queen, rook, knn:K (the K nearest) or band:LENGTH (all centres within that distance)
    pub neighbours: Neighbours,
    /// Random arrangements to take p from; 0 takes it from the normal law
    pub permutations: u32,
    /// Whether all zones look at the same arrangements (fast) or each at its own: shared or independent
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
    /// The zones: the cells of a grid inside the window.
    pub grid: Grid,
    /// Weight of the incidents per zone.
    pub count: Vec<f64>,
    /// Who is whose neighbour.
    pub weights: Weights,
    /// Which rule made the neighbours.
    pub neighbours: Neighbours,
    /// What was chosen or noticed.
    pub notes: Vec<Note>,
}

impl Zones {
    /// The incidents counted in cells of that size.
    pub fn of(incidents: &Incidents, cell: CellSize, neighbours: Neighbours) -> Result<Self, AnalysisError> {
        if incidents.is_empty() {
            return Err(AnalysisError::NoIncidents);
        }
        let sites = Sites::new(incidents);
        let (cell, note) = cell.resolve(incidents, &sites)?;
        let mut zones = Self::on_grid(&sites, Grid::covering(&incidents.window, cell)?, neighbours);
        zones.notes.extend(note);
        Ok(zones)
    }

    /// Sites counted in the cells of a given grid.
    pub fn on_grid(sites: &Sites, grid: Grid, neighbours: Neighbours) -> Self {
        let mut notes = Vec::new();
        let (count, outside) = count_sites(sites, &grid);
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
        if grid.len() < FEW_ZONES {
            notes.push(
                Note::new("few_zones", format!("only {} zones", grid.len()))
                    .value(grid.len(), "zones")
                    .reason(format!(
                        "with fewer than {FEW_ZONES} zones p-values are rough; a smaller --cell gives more"
                    )),
            );
        }
        let weights = Weights::on_grid(&grid, neighbours);
        notes.extend(weights.islands());
        Self { grid, count, weights, neighbours, notes }
    }

    /// From a statistic per zone to a verdict on each.
    pub fn judged(
        self,
        local: Local,
        params: &ZoneParams,
        watch: &Watch,
    ) -> Result<LocalStats, AnalysisError> {
        let Self { grid, count, weights, mut notes, .. } = self;
        let p = match params.permutations {
            0 => local.z.iter().map(|&z| if z.is_nan() { z } else { two_sided_p(z) }).collect(),
            replicates => {
                let how = Permutations { replicates, draws: params.draws, seed: params.seed.0 };
                notes.extend(out_of_reach(grid.len(), replicates, params.correction));
                permutation_ps(&count, &weights, local.summed, how, watch)?
            }
        };
        let q = params.correction.adjust(&p);
        let verdict =
            |zone: usize| if q[zone] <= LEVEL { (local.class)(zone) } else { Class::NotSignificant };
        let class = (0..q.len()).map(verdict).collect();
        let mut parameters = json!({
            "cell": grid.cell(),
            "neighbours": params.neighbours,
            "self_included": local.self_included,
            "p": "two-sided, normal law",
            "correction": params.correction,
            "level": LEVEL,
        });
        if params.permutations > 0 {
            parameters["p"] = Value::from("two-sided, twice the smaller tail of conditional permutations");
            parameters["permutations"] = Value::from(params.permutations);
            parameters["draws"] = json!(params.draws);
        }
        let mut provenance = Provenance::new(local.method, parameters);
        provenance.seed = (params.permutations > 0).then_some(params.seed.0);
        Ok(LocalStats {
            title: local.title,
            description: local.description,
            verdicts: local.verdicts,
            neighbours: weights.sizes(u32::from(local.self_included)),
            statistic: local.statistic,
            z: local.z,
            grid,
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
    /// The statistic itself, where it is not z.
    pub statistic: Option<Series>,
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

/// Weight per zone, and how many incidents fall into no zone.
fn count_sites(sites: &Sites, grid: &Grid) -> (Vec<f64>, u64) {
    let mut dense = vec![0.0; grid.nx() * grid.ny()];
    let mut outside = 0;
    for site in 0..sites.len() {
        match grid.cell_at(sites.x[site], sites.y[site]).filter(|&cell| grid.is_inside(cell)) {
            Some(cell) => dense[cell] += sites.weight[site],
            None => outside += u64::from(sites.count[site]),
        }
    }
    (grid.cells().map(|cell| dense[cell]).collect(), outside)
}

/// Hot or cold, by the sign of z.
pub fn hot_or_cold(z: f64) -> Class {
    if z > 0.0 { Class::Hot } else { Class::Cold }
}
