//! `brasa plan districts`: zones put together to districts of like load.

use brasa_ingest::Ingested;
use brasa_model::{Feature, Note, Provenance, Scale, Style, Value as Cell};
use brasa_planning::Objective;
use brasa_planning::districts::{DistrictsParams, DistrictsProblem, districts};
use brasa_spatial_index::zoning::{CountedIn, record};
use brasa_spatial_index::{About, Watch};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::ground::Ground;
use brasa_model::SHARE;

use super::{Made, Weighing, fact, layer_of, percent, real, text, whole};
use crate::EngineError;

/// What a reader of the catalogue learns.
pub(super) const ABOUT: About = About {
    question: "How are zones put together to districts of like load, each around its middle?",
    reference: "Wheeler 2019, doi:10.1177/1098611118779173; Hess et al. 1965, doi:10.1287/opre.13.6.998",
    units: "m, share of the mean load",
    cost: "zones × districts × moves",
};

/// Parameters of `brasa plan districts`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct DistrictsJob {
    /// What districts are made of; with a column of people, these are the load.
    #[serde(flatten)]
    pub counted: CountedIn,
    /// How much incidents count.
    #[serde(flatten)]
    pub weighing: Weighing,
    /// The search.
    #[serde(flatten)]
    pub districts: DistrictsParams,
}

const LIMITS: [&str; 1] = [
    "It balances what was reported, not what there is; people know borders that no map shows. Show it to those who work there.",
];

pub(super) fn make(input: &Ingested, job: &DistrictsJob, _: &Watch) -> Result<Made, EngineError> {
    let (mut notes, mut inputs) = (Vec::new(), Vec::new());
    let incidents = job.weighing.weighed(input, &mut notes, &mut inputs)?;
    let crs = &incidents.crs;
    let ground = Ground::of(&incidents, &job.counted, &mut notes)?;
    let load = match ground.population() {
        Some(population) => {
            notes.push(
                Note::new("load_is_population", "the load of a zone is its people, not its incidents")
                    .reason("--population names them; without it incidents are the load"),
            );
            population
        }
        None => ground.value.clone(),
    };
    let centroid = &ground.centroid;
    let distance = |a: usize, b: usize| (centroid[a].0 - centroid[b].0).hypot(centroid[a].1 - centroid[b].1);
    let problem = DistrictsProblem { graph: &ground.graph, demand: &ground.value, workload: &load };
    let found = districts(&problem, distance, &job.districts)?;
    let mean = load.iter().sum::<f64>() / found.centre.len() as f64;
    let all: f64 = ground.value.iter().sum();
    let members: Vec<Vec<usize>> = (0..found.centre.len())
        .map(|district| (0..load.len()).filter(|&zone| found.district[zone] as usize == district).collect())
        .collect();
    let features = members.iter().enumerate().map(|(at, zones)| {
        let centre = found.centre[at] as usize;
        let value: f64 = zones.iter().map(|&zone| ground.value[zone]).sum();
        let way: f64 = zones.iter().map(|&zone| ground.value[zone] * distance(zone, centre)).sum();
        Feature {
            id: at as i64 + 1,
            geometry: ground.together(zones.iter().copied()),
            values: vec![
                Cell::Text((at + 1).to_string()),
                Cell::real(found.load[at]),
                Cell::real(found.load[at] / mean),
                Cell::real(value),
                Cell::real(way / value),
                Cell::real(zones.iter().map(|&zone| ground.km2[zone]).sum()),
                Cell::Integer(zones.len() as i64),
                Cell::Text(ground.names[centre].clone()),
            ],
        }
    });
    let layer = layer_of(
        "districts",
        "Districts",
        "Districts of zones that hang together, of like load, each around its middle.",
        crs,
        vec![
            text("district", "District"),
            real("load", "Workload", ""),
            real("relative_load", "Load, of the mean", SHARE),
            real("value", "Incidents or harm", ""),
            real("mean_distance", "Mean distance to the middle", "m"),
            real("area_km2", "km²", "km²"),
            whole("zones", "Zones", "zones"),
            text("middle", "Middle"),
        ],
        features.collect(),
        Style::number("relative_load", Scale::Sequential).labelled("district"),
    );
    let zones = (0..load.len()).map(|zone| Feature {
        id: zone as i64 + 1,
        geometry: ground.shapes[zone].clone(),
        values: vec![
            Cell::Text(ground.names[zone].clone()),
            Cell::Integer(i64::from(found.district[zone]) + 1),
            Cell::real(load[zone]),
            Cell::real(ground.value[zone]),
        ],
    });
    let zones = layer_of(
        "zones",
        "Zones",
        "The zones that districts are made of, each with the number of its district.",
        crs,
        vec![
            text("zone", "Zone"),
            whole("district", "District", ""),
            real("load", "Workload", ""),
            real("value", "Incidents or harm", ""),
        ],
        zones.collect(),
        Style::of(brasa_model::DrawnBy::Edge),
    );
    let least = found.load.iter().copied().fold(f64::INFINITY, f64::min);
    let most = found.load.iter().copied().fold(0.0, f64::max);
    let mut facts = vec![
        fact(found.centre.len(), "districts"),
        fact(percent(least / mean), "is the least load, of the mean"),
        fact(percent(most / mean), "is the greatest load, of the mean"),
    ];
    facts.push(match job.districts.objective() {
        Objective::Median => fact(
            format!("{:.0} m", found.cost / all),
            "from an incident to the middle of its district, on average",
        ),
        Objective::Cover => fact(
            percent(1.0 - found.cost / all),
            "of the demand lies within reach of the middle of its district",
        ),
    });
    facts.push(match job.districts.objective() {
        Objective::Median => {
            fact(format!("{:.0} m", found.bound / all), "is the mean distance that no choice goes below")
        }
        Objective::Cover => fact(percent(1.0 - found.bound / all), "is what no choice covers more than"),
    });
    let mut parameters = json!(job);
    parameters["objective"] = json!(job.districts.objective());
    parameters["counted_in"] = record(&ground.zoning);
    let mut provenance = Provenance::new("plan districts", parameters);
    provenance.seed = Some(job.districts.seed);
    Ok(Made {
        layers: vec![layer, zones],
        listed: "districts",
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
