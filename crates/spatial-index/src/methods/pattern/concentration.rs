//! Concentration: on how few places most incidents are, and how often a place is hit again.
//!
//! # Question
//! On how few places do most incidents happen?
//!
//! # Definition
//! Places are the distinct coordinates of incidents (`sites`) or the cells of a grid whose centre lies in the study area, hexagons,
//! H3 cells or zones that are given (`cells`). With the n incidents on N places sorted from the fullest place on, the Lorenz curve is the share of incidents on the first
//! so many places over their share of N. It bends only where the number per place changes, so that a step for each number, with how many
//! places have it, holds the whole curve and is the table of repeats as well. The share of places for 25, 50 and 80 % of the
//! incidents is that of the fewest places that hold at least as many.
//!
//! The Gini coefficient is G = 2A − 1, where A is the area below the curve: 0 if all places are hit alike, near 1 if one has all. Where there
//! are fewer incidents than places they cannot be hit alike. The adjusted G′ = max(1, N/n)(G − 1) + 1 compares with
//! the most even spread there can be, one incident on each of n places, which is the column `even`.
//!
//! # Reference
//! Bernasco & Steenbeek 2017, doi:10.1007/s10940-016-9324-7, for the adjustment; Sherman, Gartin & Buerger 1989, Criminology 27, 27-55,
//! and Weisburd 2015, Criminology 53, 133-157, for the shares.
//!
//! # Agrees with
//! The examples of the R package lorenzgini, biased forms: G 0.78, 0.80, 0.90 and 0.99, G′ 0.78 and 0.75 (`tests/places.rs`).
//!
//! # Differs from
//! lorenzgini's default, which multiplies G′ by m/(m − 1), with m the smaller of n and N. Weights are not looked at: an incident is one.
//!
//! # Units
//! Shares from 0 to 1; plain numbers.
//!
//! # Cost
//! Incidents × log incidents.
//!
//! # Often misunderstood
//! Sites are places where something happened: of those without incidents nobody knows, unless `total-places` says how many addresses there
//! are. Without it N is too small and concentration looks weaker than it is. Chance concentrates too: with fewer incidents than places
//! most are empty whatever happens, for which G′ allows, and the shares do not. A geocoder that puts a street on one coordinate makes
//! places that are none. And the fullest places of one year are not those of the next: part of their height is luck.

use std::num::NonZeroU64;

use brasa_model::{Curve, Incidents, Note, Provenance, Role, Series};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::zoning::{CountedIn, counted, record};
use crate::{About, AnalysisError, Sites, Watch};
use brasa_model::as_word;

/// What a reader of the catalogue learns.
pub const ABOUT: About = About {
    question: "On how few places do most incidents happen?",
    reference: "Bernasco & Steenbeek 2017, doi:10.1007/s10940-016-9324-7",
    units: "share of places, share of incidents",
    cost: "incidents × log incidents",
};

/// Parameters of [`concentration`].
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct ConcentrationParams {
    /// What a place is: sites (the coordinates of incidents) or cells [default: sites; cells where --hex, --h3 or --zones says which]
    pub places: Option<Places>,
    /// Which cells, where places are cells.
    #[serde(flatten)]
    pub counted: CountedIn,
    /// How many sites there are in all, those without incidents included, such as the addresses of a city [default: those with incidents]
    pub total_places: Option<NonZeroU64>,
}

/// What a place is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Places {
    /// A coordinate at which there is an incident.
    Sites,
    /// A cell, or a zone that is given.
    Cells,
}

as_word!(Places, Sites = "sites", Cells = "cells");

/// The shares of incidents that are asked for, in per cent.
const SHARES: [u64; 3] = [25, 50, 80];

/// The Lorenz curve of incidents over places, and the table of repeats.
pub fn concentration(
    incidents: &Incidents,
    params: &ConcentrationParams,
    _: &Watch,
) -> Result<Curve, AnalysisError> {
    if incidents.is_empty() {
        return Err(AnalysisError::NoIncidents);
    }
    let mut notes = Vec::new();
    let counted_in = &params.counted;
    if counted_in.population.is_some() {
        return Err(refused(
            "counts incidents and divides them by nothing: leave --population out".to_owned(),
        ));
    }
    let zoned = counted_in.hex.is_some() || incidents.zones.is_some();
    let places = match params.places {
        Some(Places::Sites) if zoned => {
            return Err(refused("--places sites does not go with --hex, --h3 or --zones".to_owned()));
        }
        Some(places) => places,
        None if zoned => Places::Cells,
        None => Places::Sites,
    };
    let mut parameters = json!({ "places": places });
    let (counts, all) = match places {
        Places::Sites => {
            let counts: Vec<u64> = Sites::new(incidents).count.into_iter().map(u64::from).collect();
            let all = total(params.total_places, counts.len() as u64)?;
            (counts, all)
        }
        Places::Cells => {
            if params.total_places.is_some() {
                return Err(refused(
                    "--total-places is for sites; how many cells there are is known".to_owned(),
                ));
            }
            let sites = Sites::new(incidents);
            let zoning = counted_in.zoning(incidents, &sites, &mut notes)?;
            let (counts, outside) = counted(&sites, &zoning, &sites.count);
            notes.extend(outside);
            if let (Some(parameters), Value::Object(record)) = (parameters.as_object_mut(), record(&zoning)) {
                parameters.extend(record);
            }
            (counts.into_iter().map(u64::from).collect(), zoning.len() as u64)
        }
    };
    if incidents.weight.is_some() {
        notes.push(
            Note::new("weights_not_used", "each incident counts as one, whatever its weight")
                .reason("the adjustment is one of numbers of incidents"),
        );
    }
    let lorenz = Lorenz::of(counts, all);
    if lorenz.incidents == 0 {
        return Err(AnalysisError::NoIncidents);
    }
    let noun = places;
    let shares = SHARES.map(|share| (share, lorenz.fewest(share)));
    for (share, fewest) in shares {
        let part = fewest as f64 / all as f64;
        notes.push(
            Note::new(
                &format!("places_for_{share}"),
                format!(
                    "{share} % of the incidents are on {:.2} % of the {noun} ({fewest} of {all})",
                    100.0 * part
                ),
            )
            .value(part, ""),
        );
        parameters[format!("places_for_{share}")] = json!(part);
    }
    let (gini, adjusted) = lorenz.gini();
    notes.push(
        Note::new(
            "gini",
            format!("Gini coefficient {adjusted:.4}, adjusted for few incidents ({gini:.4} without)"),
        )
        .value(adjusted, "")
        .reason(format!(
            "0 is as even as {} incidents on {all} {noun} can be, 1 is all on one of them",
            lorenz.incidents
        )),
    );
    let repeated: u64 = lorenz.steps.iter().filter(|step| step.each > 1).map(|step| step.places).sum();
    let again: u64 =
        lorenz.steps.iter().filter(|step| step.each > 1).map(|step| step.each * step.places).sum();
    notes.push(
        Note::new(
            "repeats",
            format!(
                "{repeated} {noun} have more than one incident, and {:.1} % of the incidents between them",
                100.0 * again as f64 / lorenz.incidents as f64
            ),
        )
        .value(repeated, noun.word()),
    );
    if places == Places::Sites && params.total_places.is_none() {
        notes.push(
            Note::new("empty_places_unknown", "places without incidents are not known and not counted")
                .reason("concentration looks weaker than it is; --total-places says how many places there are, --places cells counts empty cells"),
        );
    }
    for (name, value) in [("incidents", json!(lorenz.incidents)), ("places_in_all", json!(all))] {
        parameters[name] = value;
    }
    parameters["gini"] = json!(gini);
    parameters["gini_adjusted"] = json!(adjusted);
    let half = shares[1].1 as f64 / all as f64;
    Ok(lorenz.curve(
        format!("Half of the incidents on {:.2} % of the {noun}", 100.0 * half),
        Provenance::new("concentration", parameters),
        notes,
    ))
}

fn refused(why: String) -> AnalysisError {
    AnalysisError::Parameter { method: "concentration", why }
}

fn total(given: Option<NonZeroU64>, hit: u64) -> Result<u64, AnalysisError> {
    match given.map(NonZeroU64::get) {
        Some(given) if given < hit => Err(refused(format!(
            "--total-places {given} is too few: there are incidents on {hit} places already"
        ))),
        Some(given) => Ok(given),
        None => Ok(hit),
    }
}

/// Places with the same number of incidents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// Incidents on each.
    pub each: u64,
    /// How many such places.
    pub places: u64,
}

/// How incidents are spread over places.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lorenz {
    /// From the fullest places to the empty ones.
    pub steps: Vec<Step>,
    /// Incidents in all.
    pub incidents: u64,
    /// Places in all.
    pub places: u64,
}

impl Lorenz {
    /// Of the incidents on each place that is known, and `places` in all.
    pub fn of(mut counts: Vec<u64>, places: u64) -> Self {
        counts.sort_unstable_by(|a, b| b.cmp(a));
        let hit = counts.iter().take_while(|&&count| count > 0).count();
        let incidents: u64 = counts.iter().sum();
        let mut steps: Vec<Step> = counts[..hit]
            .chunk_by(|a, b| a == b)
            .map(|run| Step { each: run[0], places: run.len() as u64 })
            .collect();
        // The empty places in two steps: the most even spread ends between them.
        let hit = hit as u64;
        let even = incidents.clamp(hit, places);
        let empty = [even - hit, places - even].map(|places| Step { each: 0, places });
        steps.extend(empty.into_iter().filter(|step| step.places > 0));
        Self { steps, incidents, places }
    }

    /// The fewest places that hold at least `share` per cent of the incidents.
    pub fn fewest(&self, share: u64) -> u64 {
        let wanted = (u128::from(self.incidents) * u128::from(share)).div_ceil(100);
        let (mut held, mut taken) = (0_u128, 0_u64);
        for step in &self.steps {
            let all = u128::from(step.each) * u128::from(step.places);
            if held + all >= wanted {
                let more = (wanted - held).div_ceil(u128::from(step.each.max(1)));
                return taken + more as u64;
            }
            held += all;
            taken += step.places;
        }
        taken
    }

    /// G, and G′ that allows for there being fewer incidents than places.
    pub fn gini(&self) -> (f64, f64) {
        let (mut below, mut held) = (0.0, 0.0);
        for step in &self.steps {
            let more = held + (step.each * step.places) as f64;
            below += step.places as f64 * (held + more);
            held = more;
        }
        let (n, all) = (self.incidents as f64, self.places as f64);
        let gini = below / (n * all) - 1.0;
        (gini, (all / n).max(1.0) * (gini - 1.0) + 1.0)
    }

    fn curve(&self, title: String, provenance: Provenance, notes: Vec<Note>) -> Curve {
        let (n, all) = (self.incidents as f64, self.places as f64);
        // At the beginning there is no place yet.
        let mut columns = [0.0, 0.0, 0.0, f64::NAN, 0.0, 0.0].map(|start| vec![start]);
        let (mut so_many, mut on_them) = (0_u64, 0_u64);
        for step in &self.steps {
            so_many += step.places;
            on_them += step.each * step.places;
            let row = [
                so_many as f64 / all,
                on_them as f64 / n,
                (so_many as f64 / n.min(all)).min(1.0),
                step.each as f64,
                step.places as f64,
                (step.each * step.places) as f64,
            ];
            columns.iter_mut().zip(row).for_each(|(column, value)| column.push(value));
        }
        let [x, y, even, each, places, held] = columns;
        let table = |name, title, unit, values| Series::new(name, title, unit, values).role(Role::Table);
        Curve {
            title,
            x: Series::new("share_of_places", "Share of places, the fullest first", "", x),
            y: vec![
                Series::new("share_of_incidents", "Share of incidents", "", y),
                Series::new("even", "The most even spread there can be", "", even),
                table("incidents_per_place", "Incidents per place", "incidents", each),
                table("places", "Places with so many", "places", places),
                table("incidents", "Incidents on them", "incidents", held),
            ],
            optimum: None,
            provenance,
            notes,
        }
    }
}
