//! Centrography: where the middle of the incidents is, and how far and in which direction they spread around it.
//!
//! # Question
//! Where is the middle of the incidents, and how do they spread around it?
//!
//! # Definition
//! The mean centre is x̄ = Σ w x / Σ w. The median centre is the place with the least Σ w |x − c|, found by Weiszfeld's steps as Vardi &
//! Zhang mend them for a step that ends on an incident, from the mean centre until a step is shorter than a micrometre ([`median_centre`]).
//! The standard distance is √(Σ w |x − x̄|² / Σ w), and with the divisor n − 2 in place of n √(Σ w |x − x̄|² / Σ w · n/(n − 2)). The
//! deviational ellipse has semi-axes √(2λ/(n − 2)), with λ the eigenvalues of Σ w (x − x̄)(x − x̄)ᵀ · n / Σ w ([`ellipse`]).
//!
//! With `by` each kind, year or month has its own row; an incident belongs to the month in which it starts.
//!
//! # Reference
//! Bachi 1963, Papers of the Regional Science Association 10, 83-132, for the standard distance; Lefever 1926, American
//! Journal of Sociology 32, 88-94, and Yuill 1971, doi:10.2307/490885, for the ellipse; Vardi & Zhang 2000, doi:10.1073/pnas.97.4.1423, for the median.
//!
//! # Agrees with
//! pointpats on three cities: mean, standard distance with n, axes and direction of CrimeStat's ellipse; and the median found in NumPy,
//! of which pointpats stops up to 1.2 m short (`tests/places.rs`, `tests/clusters.rs`).
//!
//! # Differs from
//! Tools whose ellipse is one standard deviation along each axis, √(λ/n): here it is √2 of that, so that the circle of an even spread has
//! the standard distance for its radius, as in CrimeStat.
//!
//! # Units
//! Metres; degrees clockwise from north.
//!
//! # Cost
//! Places × steps to the median.
//!
//! # Often misunderstood
//! The middle of the incidents need not be a place where anything happens: of two districts it lies between them. The mean follows far
//! outliers, the median hardly. Where all incidents lie on a line, an even number of them has no single median: one of those between
//! the middle two is given. An ellipse is no outline, and holds no fixed share of the incidents.

use std::collections::BTreeMap;

use brasa_model::{
    Column, ColumnKind, Ellipse, Feature, Features, Incidents, Note, Provenance, Style, Value,
};
use geo::{Coord, Geometry, Point};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::shape::{convex, drawn, ellipse, mean_centre, median_centre};
use crate::{About, AnalysisError, Sites, Watch};
use brasa_model::as_word;

/// What a reader of the catalogue learns.
pub const ABOUT: About = About {
    question: "Where is the middle of the incidents, and how do they spread around it?",
    reference: "Bachi 1963; Yuill 1971, doi:10.2307/490885; Vardi & Zhang 2000, doi:10.1073/pnas.97.4.1423",
    units: "m",
    cost: "places × steps to the median",
};

/// Parameters of [`centrography`].
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct CentrographyParams {
    /// Which incidents have a row of their own: all together, or those of each kind, year or month
    pub by: By,
    /// What is drawn on the map; the table holds everything
    pub draw: Drawn,
}

/// Which incidents are looked at together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum By {
    /// All.
    #[default]
    All,
    /// Those of one kind.
    Kind,
    /// Those that start in one year.
    Year,
    /// Those that start in one month.
    Month,
}

as_word!(By, All = "all", Kind = "kind", Year = "year", Month = "month");

/// What is drawn.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Drawn {
    /// The deviational ellipse.
    #[default]
    Ellipse,
    /// The circle around the mean centre with the standard distance for its radius.
    Circle,
    /// The mean centre.
    Mean,
    /// The median centre.
    Median,
}

as_word!(Drawn, Ellipse = "ellipse", Circle = "circle", Mean = "mean", Median = "median");

/// How far from the places an outline runs that has no width of its own, in metres.
const MARGIN: f64 = 1.0;

/// Centres and spread, a row for each group.
pub fn centrography(
    incidents: &Incidents,
    params: &CentrographyParams,
    watch: &Watch,
) -> Result<Features, AnalysisError> {
    if incidents.is_empty() {
        return Err(AnalysisError::NoIncidents);
    }
    let (groups, left_out) = groups(incidents, params.by)?;
    let mut notes = Vec::new();
    if left_out > 0 {
        notes.push(
            Note::new("group_unknown", format!("{left_out} incidents belong to no {}", params.by))
                .value(left_out, "incidents")
                .reason("where it is not stated, they are left out"),
        );
    }
    let phase = watch.phase("groups", groups.len() as u64);
    let mut found = Vec::with_capacity(groups.len());
    for (name, members) in groups {
        found.push((name, Spread::of(&incidents.only(&members))));
        phase.advance(1)?;
    }
    let unsettled = found.iter().filter(|(_, spread)| !spread.settled).count();
    if unsettled > 0 {
        notes.push(
            Note::new("median_unsettled", format!("the median centre of {unsettled} groups still moved"))
                .value(unsettled, "groups")
                .reason(
                    "after 10,000 steps; it is off by little, since each step is shorter than the one before",
                ),
        );
    }
    let headline = match found.as_slice() {
        [(_, spread)] => format!(
            "mean centre {:.0}, {:.0}; standard distance {:.0} m",
            spread.mean.x, spread.mean.y, spread.standard_distance
        ),
        several => format!("centres of {} groups, by {}", several.len(), params.by),
    };
    let mut columns = columns();
    if params.by != By::All {
        columns.insert(0, Column::new("group", "Kind or period", "", ColumnKind::Text));
    }
    let features = found.into_iter().enumerate().map(|(at, (name, spread))| {
        let group = (params.by != By::All).then_some(Value::Text(name));
        Feature {
            id: at as i64 + 1,
            geometry: spread.drawn(params.draw),
            values: group.into_iter().chain(spread.values()).collect(),
        }
    });
    Ok(Features {
        name: "centres",
        title: "Centres and spread".to_owned(),
        description: "The middle of the incidents and how they spread around it. It need not be a place where anything happens, and an ellipse is no outline."
            .to_owned(),
        headline,
        columns,
        features: features.collect(),
        style: Style::of(brasa_model::DrawnBy::Alike),
        provenance: Provenance::new(
            "centrography",
            json!({ "by": params.by, "draw": params.draw, "ellipse": "semi-axes √(2λ/(n-2))", "median_step_m": 1e-6 }),
        ),
        notes,
    })
}

type Groups = BTreeMap<String, Vec<usize>>;

/// The positions of the incidents of each group, and how many belong to none.
fn groups(incidents: &Incidents, by: By) -> Result<(Groups, usize), AnalysisError> {
    let missing = |why: &str| AnalysisError::NothingSelected { why: why.to_owned(), help: None };
    let name: Box<dyn Fn(usize) -> Option<String>> = match by {
        By::All => Box::new(|_| Some(String::new())),
        By::Kind => {
            let kinds = incidents.kinds.as_ref().ok_or_else(|| missing("no incident has a kind"))?;
            Box::new(|at| Some(kinds.names[kinds.codes[at] as usize].clone()).filter(|name| !name.is_empty()))
        }
        By::Year | By::Month => {
            let times = incidents.times.as_ref();
            let times = times.ok_or(AnalysisError::NoTimes { method: "centrography" })?;
            Box::new(move |at| {
                let (year, month, _) = times.intervals()[at]?.start.date();
                Some(if by == By::Year { format!("{year:04}") } else { format!("{year:04}-{month:02}") })
            })
        }
    };
    let mut groups = Groups::new();
    let mut left_out = 0;
    for at in 0..incidents.len() {
        match name(at) {
            Some(name) => groups.entry(name).or_default().push(at),
            None => left_out += 1,
        }
    }
    if groups.is_empty() {
        return Err(missing(&format!("no incident belongs to a {by}")));
    }
    Ok((groups, left_out))
}

fn columns() -> Vec<Column> {
    let metres = |name, title| Column::new(name, title, "m", ColumnKind::Real);
    vec![
        Column::new("incidents", "Incidents", "incidents", ColumnKind::Integer),
        Column::new("weight", "Sum of weights", "incidents", ColumnKind::Real),
        metres("mean_x", "Mean centre, easting"),
        metres("mean_y", "Mean centre, northing"),
        metres("median_x", "Median centre, easting"),
        metres("median_y", "Median centre, northing"),
        metres("standard_distance", "Standard distance, divisor n"),
        metres("standard_distance_n2", "Standard distance, divisor n - 2"),
        metres("ellipse_major", "Deviational ellipse, longer semi-axis"),
        metres("ellipse_minor", "Deviational ellipse, shorter semi-axis"),
        Column::new("ellipse_bearing", "Deviational ellipse, longer axis from north", "°", ColumnKind::Real),
        Column::new("ellipse_km2", "Deviational ellipse, area", "km²", ColumnKind::Real),
    ]
}

/// What is told of a group.
struct Spread {
    places: Vec<Coord<f64>>,
    incidents: usize,
    weight: f64,
    mean: Coord<f64>,
    median: Coord<f64>,
    settled: bool,
    standard_distance: f64,
    ellipse: Option<Ellipse>,
}

impl Spread {
    fn of(incidents: &Incidents) -> Self {
        let sites = Sites::new(incidents);
        let places: Vec<Coord<f64>> = sites.x.iter().zip(&sites.y).map(|(&x, &y)| Coord { x, y }).collect();
        let mean = mean_centre(&places, &sites.weight);
        let (median, settled) = median_centre(&places, &sites.weight);
        let weight = sites.total_weight();
        let squares = places.iter().zip(&sites.weight).map(|(&place, weight)| {
            let away = place - mean;
            weight * (away.x * away.x + away.y * away.y)
        });
        let standard_distance = if weight > 0.0 { (squares.sum::<f64>() / weight).sqrt() } else { 0.0 };
        let ellipse = ellipse(&places, &sites.weight, incidents.len() as u64);
        Self { places, incidents: incidents.len(), weight, mean, median, settled, standard_distance, ellipse }
    }

    fn values(&self) -> Vec<Value> {
        let n = self.incidents as f64;
        let of_ellipse =
            |value: fn(Ellipse) -> f64| self.ellipse.map_or(Value::Null, |at| Value::real(value(at)));
        vec![
            Value::Integer(self.incidents as i64),
            Value::real(self.weight),
            Value::real(self.mean.x),
            Value::real(self.mean.y),
            Value::real(self.median.x),
            Value::real(self.median.y),
            Value::real(self.standard_distance),
            // Not known for one or two.
            Value::real(if n > 2.0 { self.standard_distance * (n / (n - 2.0)).sqrt() } else { f64::NAN }),
            of_ellipse(|ellipse| ellipse.major),
            of_ellipse(|ellipse| ellipse.minor),
            of_ellipse(|ellipse| ellipse.bearing),
            of_ellipse(|ellipse| std::f64::consts::PI * ellipse.major * ellipse.minor / 1e6),
        ]
    }

    fn drawn(&self, what: Drawn) -> Geometry<f64> {
        let radius = self.standard_distance;
        let around = match what {
            Drawn::Mean => return Geometry::Point(Point(self.mean)),
            Drawn::Median => return Geometry::Point(Point(self.median)),
            Drawn::Ellipse => self.ellipse,
            Drawn::Circle => Some(Ellipse { major: radius, minor: radius, bearing: 0.0 }),
        };
        Geometry::Polygon(match around {
            Some(ellipse) if ellipse.minor > 0.0 => drawn(ellipse, self.mean),
            _ => convex(&self.places, MARGIN),
        })
    }
}
