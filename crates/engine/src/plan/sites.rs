//! `brasa plan sites`: where to put services, so that they are near to what they are for.

use std::path::{Path, PathBuf};

use brasa_ingest::Ingested;
use brasa_model::{
    Crs, Curve, Feature, InputRecord, Metres, Note, Provenance, Role, Series, Street, Style, Value as Cell,
    Zoning,
};
use brasa_planning::Objective;
use brasa_planning::network::{Network, Road};
use brasa_planning::sites::{Sited, SitesParams, SitesProblem, sites};
use brasa_planning::travel::Travel;
use brasa_spatial_index::zoning::{CountedIn, record};
use brasa_spatial_index::{About, Sites, Watch};
use geo::{Coord, Geometry, Line, LineString, Point};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::ground::Ground;
use brasa_model::SHARE;

use super::{Made, Weighing, fact, layer_of, percent, places, real, refused, text};
use crate::EngineError;

/// What a reader of the catalogue learns.
pub(super) const ABOUT: About = About {
    question: "Where should services go, so that they are near to what they are for?",
    reference: "Hakimi 1964, doi:10.1287/opre.12.3.450; Church & ReVelle 1974, doi:10.1007/BF01942293",
    units: "m, share of the demand",
    cost: "demand × candidates × sites",
};

/// Parameters of `brasa plan sites`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SitesJob {
    /// What demand is counted in where there are too many places, and whose middles are the candidates where no file names some.
    #[serde(flatten)]
    pub counted: CountedIn,
    /// File with the places that may get a site; without it the middle of every zone may
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(title = "FILE")]
    pub candidates: Option<PathBuf>,
    /// File with the sites there are, which are kept
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(title = "FILE")]
    pub existing: Option<PathBuf>,
    /// File with the streets to go along (.osm.pbf, .geojson, .gpkg, …), both ways, as on foot; without it distances are straight lines
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(title = "FILE")]
    pub streets: Option<PathBuf>,
    /// How far the nearest street may be, where streets are given
    #[serde(default = "default_snap")]
    pub snap: Metres,
    /// How much incidents count.
    #[serde(flatten)]
    pub weighing: Weighing,
    /// The search.
    #[serde(flatten)]
    pub sites: SitesParams,
}

const PLAN: &str = "sites";
/// More distinct places than this are counted in zones first.
const MOST_PLACES: usize = 3000;
/// A table of more distances than this is not made.
const MOST_DISTANCES: usize = 40_000_000;
/// What one more site buys is told for at most so many.
const MOST_STEPS: u32 = 20;

/// Along streets a search begins at every place; of more places than this it takes too long.
const MOST_ON_STREETS: usize = 3000;

fn default_snap() -> Metres {
    // As of patrols: the default is written there.
    brasa_planning::patrol::PatrolRules::default().snap
}

/// What is said of distances: of straight lines, and of ways along streets.
const DISTANCES: [&str; 2] = [
    "Distances are straight lines: a river or a border of rival groups is not seen. Check each place on the ground.",
    "Distances follow the streets that were given, both ways, as on foot: a border of rival groups is not seen. Check each place on the ground.",
];
const LIMIT: &str = "It chooses places for demand as it was reported; that a service works, and for whom, is another question.";

/// How far it is from each candidate to each place of demand.
enum Ways {
    Straight,
    /// Between the candidates, and after them the places of demand.
    Streets(Travel),
}

/// The ways between points along streets, as on foot: one-way streets are walked both ways, and the shortest way is taken.
fn walked(
    path: &Path,
    points: &[Coord<f64>],
    snap: Metres,
    crs: &Crs,
    (notes, inputs): (&mut Vec<Note>, &mut Vec<InputRecord>),
) -> Result<Travel, EngineError> {
    let streets = places::streets(path, points, crs, inputs)?;
    // At a metre a second the fastest way is the shortest.
    let road = |street: Street| Road { line: street.line.0, forward: true, backward: true, speed: 1.0 };
    let roads: Vec<Road> = streets.into_iter().map(road).collect();
    notes.push(
        Note::new("distances_on_streets", format!("distances follow {} streets", roads.len()))
            .value(roads.len(), "streets")
            .reason("both ways, as on foot; where a street is not in the file, nobody walks"),
    );
    let (travel, snaps) = Network::new(&roads).travel(points, snap.get());
    let far = snaps.iter().filter(|at| at.is_none()).count();
    if far == points.len() {
        return Err(refused(
            PLAN,
            format!("no place lies within {snap} of a street; a larger --snap reaches further"),
        ));
    }
    if far > 0 {
        notes.push(
            Note::new("places_off_streets", format!("{far} places lie farther than {snap} from a street"))
                .value(far, "places")
                .reason(
                    "no site is near to them, and none of them gets one; a larger --snap reaches further",
                ),
        );
    }
    Ok(travel)
}

pub(super) fn make(input: &Ingested, job: &SitesJob, _: &Watch) -> Result<Made, EngineError> {
    let (mut notes, mut inputs) = (Vec::new(), Vec::new());
    let incidents = job.weighing.weighed(input, &mut notes, &mut inputs)?;
    let crs = &incidents.crs;
    let params = &job.sites;
    let objective = params.objective();
    let ground = Ground::of(&incidents, &job.counted, &mut notes)?;
    let exact = Sites::new(&incidents);
    let busy: Vec<usize> = (0..ground.value.len()).filter(|&zone| ground.value[zone] > 0.0).collect();
    let most = if job.streets.is_some() { MOST_ON_STREETS / 2 } else { MOST_PLACES };
    let (at, demand): (Vec<Coord<f64>>, Vec<f64>) = if exact.len() <= most {
        (0..exact.len())
            .map(|site| (Coord { x: exact.x[site], y: exact.y[site] }, exact.weight[site]))
            .unzip()
    } else {
        notes.push(
            Note::new(
                "demand_in_zones",
                format!("demand is counted in {} zones and taken to be in their middles", busy.len()),
            )
            .value(exact.len(), "places")
            .reason(format!("there are more than {most} distinct places")),
        );
        busy.iter().map(|&zone| (Coord::from(ground.centroid[zone]), ground.value[zone])).unzip()
    };
    let mut names = Vec::new();
    let mut candidates: Vec<Coord<f64>> = Vec::new();
    match &job.candidates {
        Some(path) => {
            for place in places::places(path, "candidates", crs, &mut inputs)? {
                names.push(place.name);
                candidates.push(place.at);
            }
        }
        None => {
            // Where nothing happens a site is never better than where something does, unless between.
            let all: Vec<usize> = (0..ground.value.len()).collect();
            let few = all.len().saturating_mul(at.len()) <= MOST_DISTANCES;
            for &zone in if few { &all } else { &busy } {
                names.push(ground.names[zone].clone());
                candidates.push(ground.centroid[zone].into());
            }
            notes.push(
                Note::new(
                    "candidates_are_zones",
                    format!("the middles of {} zones may get a site", candidates.len()),
                )
                .value(candidates.len(), "candidates")
                .reason("no --candidates was given; nobody has looked at these places"),
            );
        }
    }
    let free = candidates.len();
    if let Some(path) = &job.existing {
        for place in places::places(path, "existing sites", crs, &mut inputs)? {
            names.push(place.name);
            candidates.push(place.at);
        }
    }
    if candidates.len().saturating_mul(at.len()) > MOST_DISTANCES {
        return Err(refused(
            PLAN,
            format!(
                "{} candidates and {} places of demand are too many; larger zones (--cell) make fewer",
                candidates.len(),
                at.len()
            ),
        ));
    }
    let all_points = candidates.len() + at.len();
    let ways = match &job.streets {
        None => Ways::Straight,
        Some(_) if all_points > MOST_ON_STREETS => {
            return Err(refused(
                PLAN,
                format!(
                    "{all_points} candidates and places of demand are too many for ways along streets, of which {MOST_ON_STREETS} are the most; larger zones (--cell) make fewer"
                ),
            ));
        }
        Some(path) => {
            let points = [candidates.as_slice(), &at].concat();
            Ways::Streets(walked(path, &points, job.snap, crs, (&mut notes, &mut inputs))?)
        }
    };
    let existing: Vec<u32> = (free as u32..candidates.len() as u32).collect();
    let problem = SitesProblem { demand: &demand, candidates: candidates.len(), existing: &existing };
    let distance = |candidate: usize, place: usize| match &ways {
        Ways::Straight => {
            (candidates[candidate].x - at[place].x).hypot(candidates[candidate].y - at[place].y)
        }
        Ways::Streets(travel) => travel.metres(candidate, candidates.len() + place).unwrap_or(f64::INFINITY),
    };
    if objective == Objective::Cover && params.within.is_none() {
        return Err(refused(PLAN, "to cover demand it takes a distance; give --within, such as 2km"));
    }
    let found = sites(&problem, distance, params)?;
    let all: f64 = demand.iter().sum();
    if job.candidates.is_none() && !matches!(ground.zoning, Zoning::Given(_)) {
        // The name of a cell says nothing to anybody.
        for (number, &site) in found.chosen.iter().enumerate() {
            names[site as usize] = (number + 1).to_string();
        }
    }
    let sum = |of: &dyn Fn(usize) -> f64, site: u32| -> f64 {
        (0..demand.len()).filter(|&place| found.site[place] == Some(site)).map(of).sum()
    };
    let site_feature = |(id, (&site, kept)): (usize, (&u32, bool))| {
        let served = sum(&|place| demand[place], site);
        let way = sum(&|place| demand[place] * found.distance[place], site);
        let near = params.within.map(|within| {
            sum(&|place| if found.distance[place] <= within.get() { demand[place] } else { 0.0 }, site)
        });
        Feature {
            id: id as i64 + 1,
            geometry: Geometry::Point(Point(candidates[site as usize])),
            values: vec![
                Cell::Text(names[site as usize].clone()),
                Cell::Text(if kept { "existing" } else { "new" }.to_owned()),
                Cell::real(served / all),
                Cell::real(way / served),
                near.map_or(Cell::Null, |near| Cell::real(near / all)),
            ],
        }
    };
    let open = existing.iter().map(|site| (site, true)).chain(found.chosen.iter().map(|site| (site, false)));
    let features: Vec<Feature> = open.enumerate().map(site_feature).collect();
    let layer = layer_of(
        "sites",
        "Sites",
        match ways {
            Ways::Straight => {
                "Where services go, and what is nearest to each of them. Distances are straight lines."
            }
            Ways::Streets(_) => {
                "Where services go, and what is nearest to each of them. Distances follow the streets."
            }
        },
        crs,
        vec![
            text("site", "Site"),
            text("state", "New or existing"),
            real("share", "Share of the demand that is nearest to it", SHARE),
            real("mean_distance", "Mean distance of that demand", "m"),
            real("covered", "Share of the demand within reach", SHARE),
        ],
        features,
        Style::word(
            "state",
            vec![
                brasa_model::Word { value: "new", title: "New site", tone: brasa_model::Tone::High },
                brasa_model::Word { value: "existing", title: "Existing site", tone: brasa_model::Tone::Low },
            ],
        )
        .labelled("site"),
    );
    let lines = layer_of(
        "allocation",
        "What is nearest to which site",
        "A line from each place of demand to its nearest site. Lines may end where incidents were: this layer is not for the public.",
        crs,
        vec![
            text("site", "Site"),
            real("demand", "Incidents or harm", ""),
            real("distance", "Distance", "m"),
        ],
        allocation(&found, &at, &demand, &candidates, &names),
        Style::of(brasa_model::DrawnBy::Edge),
    );
    let mut facts = vec![fact(found.chosen.len(), "new sites"), fact(existing.len(), "existing sites kept")];
    let reached = all - found.unreached;
    facts.push(fact(
        format!("{:.0} m", found.total / reached),
        "from an incident to the nearest site, on average",
    ));
    if let (Some(covered), Some(within)) = (found.covered, params.within) {
        facts.push(fact(percent(covered / all), "of the demand lies within reach of a site"));
        facts.push(fact(within, "is the reach"));
    }
    facts.push(match objective {
        Objective::Median => {
            fact(format!("{:.0} m", found.bound / reached), "is the mean distance that no choice goes below")
        }
        Objective::Cover => fact(percent(found.bound / all), "is what no choice covers more than"),
    });
    let coverage = steps(&problem, &distance, params, all)?;
    let mut parameters = json!(job);
    parameters["objective"] = json!(objective);
    parameters["counted_in"] = record(&ground.zoning);
    let mut provenance = Provenance::new("plan sites", parameters);
    provenance.seed = Some(params.seed);
    Ok(Made {
        layers: vec![layer, lines],
        listed: "sites",
        exact: vec!["allocation"],
        facts,
        coverage,
        patrol: None,
        limits: vec![DISTANCES[usize::from(job.streets.is_some())], LIMIT],
        provenance,
        inputs,
        notes,
    })
}

fn allocation(
    found: &Sited,
    at: &[Coord<f64>],
    demand: &[f64],
    candidates: &[Coord<f64>],
    names: &[String],
) -> Vec<Feature> {
    let served = (0..at.len()).filter_map(|place| found.site[place].map(|site| (place, site as usize)));
    served
        .filter(|&(place, site)| demand[place] > 0.0 && at[place] != candidates[site])
        .enumerate()
        .map(|(id, (place, site))| Feature {
            id: id as i64 + 1,
            geometry: Geometry::LineString(LineString::from(Line::new(at[place], candidates[site]))),
            values: vec![
                Cell::Text(names[site].clone()),
                Cell::real(demand[place]),
                Cell::real(found.distance[place]),
            ],
        })
        .collect()
}

/// What each one more site buys.
fn steps(
    problem: &SitesProblem<'_>,
    distance: &(impl Fn(usize, usize) -> f64 + Sync),
    params: &SitesParams,
    all: f64,
) -> Result<Option<Curve>, EngineError> {
    let most = params.count.get();
    if !(2..=MOST_STEPS).contains(&most) {
        return Ok(None);
    }
    let (mut numbers, mut means, mut shares) = (Vec::new(), Vec::new(), Vec::new());
    for count in 1..=most {
        let Some(count) = std::num::NonZeroU32::new(count) else { continue };
        let found = sites(problem, distance, &SitesParams { count, ..params.clone() })?;
        numbers.push(f64::from(count.get()));
        means.push(found.total / (all - found.unreached));
        shares.push(found.covered.map_or(f64::NAN, |covered| covered / all));
    }
    let covered = Series::new("covered", "Share of the demand within reach", "", shares);
    let mean = Series::new("mean_distance", "Mean distance to the nearest site", "m", means);
    Ok(Some(Curve {
        title: "What one more site buys".to_owned(),
        x: Series::new("sites", "New sites", "sites", numbers),
        y: if params.within.is_some() { vec![covered, mean.role(Role::Table)] } else { vec![mean] },
        optimum: None,
        provenance: Provenance::new("plan sites", serde_json::Value::Null),
        notes: Vec::new(),
    }))
}
