//! `brasa plan areas`: compact areas that hang together, within a budget.

use std::path::PathBuf;

use brasa_ingest::Ingested;
use brasa_model::{Feature, GivenZones, Incidents, Note, Provenance, Scale, Style, Value as Cell};
use brasa_model::{Metres, Zoning};
use brasa_planning::areas::{AreasParams, AreasProblem, Fairness, ShareOf, areas};
use brasa_planning::patrol::Speed;
use brasa_planning::{Resource, Share};
use brasa_spatial_index::density::on_grid;
use brasa_spatial_index::edge::Edge;
use brasa_spatial_index::kernels::Kernel;
use brasa_spatial_index::zoning::{CountedIn, record, zone_at};
use brasa_spatial_index::{About, Sites, Watch};
use geo::Coord;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::ground::Ground;
use brasa_model::SHARE;

use super::{Made, Weighing, fact, layer_of, percent, places, real, refused, text, whole};
use crate::EngineError;

/// What a reader of the catalogue learns.
pub(super) const ABOUT: About = About {
    question: "Which compact areas within a budget hold most of the incidents or harm?",
    reference: "Li, Goodchild & Church 2013, doi:10.1080/13658816.2012.752093",
    units: "km², km of street or officer hours",
    cost: "zones × moves",
};

/// Parameters of `brasa plan areas`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct AreasJob {
    /// What areas are made of.
    #[serde(flatten)]
    pub counted: CountedIn,
    /// Take what a zone holds from the density with this support radius (quartic kernel) instead of its own count; for square cells
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub smoothed: Option<Metres>,
    /// How much incidents count.
    #[serde(flatten)]
    pub weighing: Weighing,
    /// File with the streets, which a budget of kilometres or hours is spent on
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(title = "FILE")]
    pub streets: Option<PathBuf>,
    /// With a budget of hours: how fast officers walk along the streets
    #[serde(default = "pace")]
    pub pace: Speed,
    /// With a budget of hours, which is of one day: how often a day the streets of an area are walked
    #[serde(default = "rounds")]
    pub rounds: u32,
    /// File with districts that must each get a share
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(title = "FILE")]
    pub districts: Option<PathBuf>,
    /// The least share of what the areas hold that must lie in each district
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_share: Option<Share>,
    /// The search.
    #[serde(flatten)]
    pub areas: AreasParams,
}

fn pace() -> Speed {
    Speed::WALKING
}

const fn rounds() -> u32 {
    4
}

const PLAN: &str = "areas";

const LIMITS: [&str; 1] = [
    "It chooses the areas that hold most of the incidents or harm and are compact; the search is good, not proven the best, and the share beside it says what no plan could exceed.",
];

pub(super) fn make(input: &Ingested, job: &AreasJob, _: &Watch) -> Result<Made, EngineError> {
    let (mut notes, mut inputs) = (Vec::new(), Vec::new());
    let incidents = job.weighing.weighed(input, &mut notes, &mut inputs)?;
    let crs = &incidents.crs;
    let mut ground = Ground::of(&incidents, &job.counted, &mut notes)?;
    if let Some(bandwidth) = job.smoothed {
        ground.value = smoothed(&incidents, &ground.zoning, bandwidth)?;
    }
    let resource = job.areas.budget.resource();
    let street_km = street_km(job, &ground, &incidents, &mut inputs)?;
    let cost: Vec<f64> = match resource {
        Resource::SquareKilometres => ground.km2.clone(),
        Resource::Kilometres => street_km.iter().map(|km| km.max(LEAST_KM)).collect(),
        Resource::Hours => {
            let hours = f64::from(job.rounds.max(1)) / (job.pace.get() * 3.6);
            street_km.iter().map(|km| km.max(LEAST_KM) * hours).collect()
        }
    };
    let square_metres: Vec<f64> = ground.km2.iter().map(|km2| km2 * 1e6).collect();
    let districts = districts(job, &ground, crs, &mut inputs)?;
    let problem = AreasProblem {
        graph: &ground.graph,
        value: &ground.value,
        cost: &cost,
        area: &square_metres,
        centroid: &ground.centroid,
        fairness: districts.as_ref().map(|(_, district, least)| Fairness {
            district,
            least,
            of: ShareOf::Value,
        }),
    };
    let found = areas(&problem, &job.areas)?;
    let all: f64 = ground.value.iter().sum();
    let unit = resource.sign();
    let features: Vec<Feature> = found
        .areas
        .iter()
        .enumerate()
        .map(|(at, area)| Feature {
            id: at as i64 + 1,
            geometry: ground.together(area.zones.iter().map(|&zone| zone as usize)),
            values: vec![
                Cell::Text((at + 1).to_string()),
                Cell::real(area.value),
                Cell::real(area.value / all),
                Cell::real(area.square_metres / 1e6),
                Cell::real(area.cost),
                Cell::real(area.compactness),
                Cell::Integer(area.zones.len() as i64),
            ],
        })
        .collect();
    let layer = layer_of(
        "areas",
        "Areas to patrol",
        "Compact areas that hang together and hold most of the incidents or harm within the budget. An area is a place to be, not a place to suspect.",
        crs,
        vec![
            text("area", "Place"),
            real("value", "Incidents or harm", ""),
            real("share", "Share", SHARE),
            real("area_km2", "km²", "km²"),
            real("cost", "Cost", unit),
            real("compactness", "Compactness, 1 for a disc", ""),
            whole("zones", "Zones", "zones"),
        ],
        features,
        Style::number("value", Scale::Upper).labelled("area"),
    );
    if found.areas.is_empty() {
        notes.push(
            Note::new("no_area", "no area fits the rules").value(job.areas.budget.to_string(), "").reason(
                format!(
                    "the cheapest zone costs {:.3} {unit}; a larger --budget, or smaller zones, would do",
                    cost.iter().copied().fold(f64::INFINITY, f64::min)
                ),
            ),
        );
    }
    let square: f64 = found.areas.iter().map(|area| area.square_metres / 1e6).sum();
    let whole_city: f64 = ground.km2.iter().sum();
    let mut facts = vec![
        fact(found.areas.len(), "areas"),
        fact(percent(found.share.unwrap_or(0.0)), "of the incidents or harm lies in them"),
        fact(percent(square / whole_city), "of the ground"),
        fact(format!("{:.2} {unit}", found.cost), "of the budget is spent"),
    ];
    if all > 0.0 {
        facts.push(fact(
            percent(found.scattered / all),
            "would lie in the best zones for that budget, if they need not hang together",
        ));
        facts.push(fact(percent(found.bound / all), "is what no plan within the budget exceeds"));
    }
    if job.areas.budget.amount() >= cost.iter().sum::<f64>() {
        notes.push(
            Note::new("budget_exceeds_all", "the budget is larger than the whole study area costs")
                .value(cost.iter().sum::<f64>(), unit)
                .reason("there is nothing to choose"),
        );
    }
    let mut parameters = json!(job);
    parameters["counted_in"] = record(&ground.zoning);
    let mut provenance = Provenance::new("plan areas", parameters);
    provenance.seed = Some(job.areas.seed);
    Ok(Made {
        layers: vec![layer],
        listed: "areas",
        exact: Vec::new(),
        facts,
        coverage: None,
        patrol: None,
        limits: LIMITS.to_vec(),
        provenance,
        inputs,
        notes,
    })
}

/// A zone without a street costs as much as this, in km: nothing is free to walk across.
const LEAST_KM: f64 = 0.001;

fn street_km(
    job: &AreasJob,
    ground: &Ground,
    incidents: &Incidents,
    inputs: &mut Vec<brasa_model::InputRecord>,
) -> Result<Vec<f64>, EngineError> {
    if job.areas.budget.resource() == Resource::SquareKilometres {
        return Ok(Vec::new());
    }
    let Some(path) = &job.streets else {
        return Err(refused(
            PLAN,
            format!(
                "a budget of {} is spent on streets; name their file with --streets, or give a budget of ground such as 5km2",
                job.areas.budget
            ),
        ));
    };
    let bounds = incidents.window.bounds();
    let around = [bounds.min(), bounds.max()].map(|at| Coord { x: at.x, y: at.y });
    Ok(ground.street_km(&places::streets(path, &around, &incidents.crs, inputs)?))
}

/// What lies in each cell by the density: its intensity at the centre times its area.
fn smoothed(incidents: &Incidents, zoning: &Zoning, bandwidth: Metres) -> Result<Vec<f64>, EngineError> {
    let Zoning::Grid(grid) = zoning else {
        return Err(refused(PLAN, "--smoothed is for square cells; leave out --hex, --h3 and --zones"));
    };
    let surface = on_grid(&Sites::new(incidents), grid.clone(), Kernel::Quartic, bandwidth, Edge::Uniform);
    let at = |cell: usize| surface.values[[cell / grid.nx(), cell % grid.nx()]];
    Ok(grid.cells().map(|cell| at(cell).max(0.0) * grid.cell_km2()).collect())
}

/// The districts, the one of each zone, and the least share of each.
type Districts = (GivenZones, Vec<u32>, Vec<f64>);

fn districts(
    job: &AreasJob,
    ground: &Ground,
    crs: &brasa_model::Crs,
    inputs: &mut Vec<brasa_model::InputRecord>,
) -> Result<Option<Districts>, EngineError> {
    let (path, share) = match (&job.districts, job.min_share) {
        (None, None) => return Ok(None),
        (Some(path), Some(share)) => (path, share),
        (Some(_), None) => return Err(refused(PLAN, "--districts needs --min-share, such as 5%")),
        (None, Some(_)) => {
            return Err(refused(PLAN, "--min-share is one of districts; name their file with --districts"));
        }
    };
    let (zones, mut record, _) = brasa_ingest::read_zones(path, None, None, crs)?;
    "districts".clone_into(&mut record.role);
    inputs.push(record);
    let district_of = zone_at(&zones);
    let count = zones.zones.len();
    let district: Vec<u32> = ground
        .centroid
        .iter()
        .map(|&(x, y)| district_of(x, y).map_or(count as u32, |district| district as u32))
        .collect();
    drop(district_of);
    // A district in which nothing happens can get no share of what happens.
    let mut holds = vec![0.0; count + 1];
    for (zone, district) in district.iter().enumerate() {
        holds[*district as usize] += ground.value[zone];
    }
    let least = holds[..count].iter().map(|holds| if *holds > 0.0 { share.get() } else { 0.0 }).collect();
    Ok(Some((zones, district, least)))
}
