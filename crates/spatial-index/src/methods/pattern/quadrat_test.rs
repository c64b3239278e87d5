//! The quadrat test: whether incidents are spread over the study area as evenly as chance would spread them.
//!
//! # Question
//! Are incidents spread as evenly over cells as chance would spread them?
//!
//! # Definition
//! The study area is cut into cells, or into zones that are given; each counts with the area aᵢ of it that lies inside, so that it expects Eᵢ = n aᵢ/A of the n incidents.
//! X² = Σ (Oᵢ − Eᵢ)²/Eᵢ over the m cells follows under complete spatial randomness about the chi-square law with m − 1 degrees of
//! freedom. p is two-sided, twice the smaller tail: large X² is gathering, small X² keeping apart. X²/(m − 1) is the index of
//! dispersion, and the variance-mean ratio where all cells are alike: 1 under randomness.
//!
//! With `simulations` the n incidents are thrown into the cells by chance, again and again; each tail is (M+1)/(R+1), where M of R worlds have at least
//! as large, or as small, an X². That holds however few incidents a cell expects.
//!
//! Each cell tells its residual (Oᵢ − Eᵢ)/√Eᵢ.
//!
//! # Reference
//! Diggle 2014, Statistical Analysis of Spatial and Spatio-Temporal Point Patterns, 3rd ed., ISBN 978-1-4665-6023-9, section 2.7.
//!
//! # Agrees with
//! spatstat's `quadrat.test` on redwood and japanesepines, and areas cut by shapely on the polygon of chorley: X² to 1e-12, p of R's `pchisq`
//! to 1e-8 (`tests/places.rs`).
//!
//! # Differs from
//! Tools that leave out cells at the border or count them as whole ones; spatstat, which counts a place on the side of two cells in
//! that to the west or south, here it is in that to the east or north. Weights are not looked at: an incident is one.
//!
//! # Units
//! X², index and p are plain numbers; residuals are in standard deviations.
//!
//! # Cost
//! Incidents × log cells × simulations; sides of the study area × cells they cross.
//!
//! # Often misunderstood
//! The answer depends on the cell: gathering below its size or far above it is not seen. The chi-square law is rough where cells expect fewer than five; then
//! read the p of the simulations. No city is even, so that a small p is what to expect; it says nothing about what makes it so. And a
//! large residual here or there is no hotspot yet: among many cells some are large by chance.

use brasa_model::{Column, ColumnKind, Feature, Features, Incidents, Note, Provenance, Scale, Style, Value};
use geo::Geometry;
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::quadrats::{CutInto, Pieces};
use crate::significance::told;
use crate::{About, AnalysisError, Sites, Watch, chi_square};
use brasa_model::Chance;

/// What a reader of the catalogue learns.
pub const ABOUT: About = About {
    question: "Are incidents spread as evenly over cells as chance would spread them?",
    reference: "Diggle 2014, ISBN 978-1-4665-6023-9, section 2.7",
    units: "X² (a plain number), residuals in standard deviations",
    cost: "incidents × log cells × simulations",
};

/// Parameters of [`quadrat_test`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct QuadratTestParams {
    /// What the study area is cut into.
    #[serde(flatten)]
    pub cut: CutInto,
    /// Worlds of chance from which p is taken, beside that of the chi-square law; 0 for none
    pub simulations: u32,
    /// Where chance begins; the same seed gives the same p
    pub seed: u64,
}

impl Default for QuadratTestParams {
    fn default() -> Self {
        Self { cut: CutInto::default(), simulations: 999, seed: 1 }
    }
}

/// What the chi-square law takes a cell to expect at least.
const ENOUGH: f64 = 5.0;

/// The cells with their residuals; the test is in the notes and the provenance.
pub fn quadrat_test(
    incidents: &Incidents,
    params: &QuadratTestParams,
    watch: &Watch,
) -> Result<Features, AnalysisError> {
    if incidents.is_empty() {
        return Err(AnalysisError::NoIncidents);
    }
    let (sites, window) = (Sites::new(incidents), &incidents.window);
    let (pieces, mut notes) = Pieces::chosen(incidents, &params.cut)?;
    let (observed, outside) = pieces.counts(&sites);
    notes.extend(outside);
    let areas = pieces.areas();
    let cells = observed.len();
    if cells < 2 {
        return Err(refused(format!(
            "the study area is cut into {cells} cells: there is nothing to compare; take smaller ones"
        )));
    }
    let n = observed.iter().sum::<u64>();
    if n == 0 {
        return Err(AnalysisError::NoIncidents);
    }
    let expected = expected(n, &areas);
    let x2 = statistic(&observed, &expected);
    let (low, high) = chi_square::tails(x2, (cells - 1) as f64);
    let p = two_sided(low, high);
    let index = x2 / (cells - 1) as f64;
    let chance = simulated(x2, n, &areas, params, watch)?;

    let few = expected.iter().filter(|&&expected| expected < ENOUGH).count();
    let verdict = if index > 1.0 { "unevenly" } else { "evenly" };
    let best = chance.map_or(p, |(low, high)| two_sided(low, high));
    let headline = format!(
        "X² = {x2:.2} over {cells} cells, index of dispersion {index:.3}; {} that chance spreads them so {verdict}",
        told(best)
    );
    notes.push(
        Note::new("quadrats_tested", format!("X² = {x2:.4} on {} degrees of freedom, {}", cells - 1, told(p)))
            .value(x2, "")
            .reason(format!(
                "{n} incidents in {cells} cells; index of dispersion {index:.4}, 1 under randomness, above 1 where incidents gather"
            )),
    );
    if let Some((low, high)) = chance {
        let p = two_sided(low, high);
        notes.push(
            Note::new(
                "compared_with_chance",
                format!("p = {p} from {} worlds of chance", params.simulations),
            )
            .value(p, "")
            .reason(format!("an X² at least as large has p = {high}, one at most as large p = {low}")),
        );
    }
    if few > 0 {
        notes.push(
            Note::new("few_expected", format!("{few} of {cells} cells expect fewer than {ENOUGH} incidents"))
                .value(few, "cells")
                .reason("p of the chi-square law is rough then; --simulations gives one that is not, a larger --cell expects more"),
        );
    }
    if incidents.weight.is_some() {
        notes.push(
            Note::new("weights_not_used", "each incident counts as one, whatever its weight")
                .reason("chance throws incidents, not weights"),
        );
    }
    let mut parameters = pieces.record();
    for (name, value) in [
        ("cells", json!(cells)),
        ("incidents", json!(n)),
        ("x2", json!(x2)),
        ("degrees_of_freedom", json!(cells - 1)),
        ("index_of_dispersion", json!(index)),
        ("p_chi_square", json!({ "two_sided": p, "gathered": high, "apart": low })),
        ("simulations", json!(params.simulations)),
    ] {
        parameters[name] = value;
    }
    let mut provenance = Provenance::new("quadrat-test", parameters);
    if let Some((low, high)) = chance {
        provenance.seed = Some(params.seed);
        provenance.parameters["p_simulated"] =
            json!({ "two_sided": two_sided(low, high), "gathered": high, "apart": low });
    }
    let feature = |(number, (name, geometry)): (usize, (String, Geometry<f64>))| {
        let (count, expected) = (observed[number], expected[number]);
        Feature {
            id: number as i64 + 1,
            geometry,
            values: vec![
                Value::Text(name),
                Value::Integer(count as i64),
                Value::real(expected),
                Value::real((count as f64 - expected) / expected.sqrt()),
                Value::real(areas[number] / 1e6),
            ],
        }
    };
    Ok(Features {
        name: "quadrats",
        title: "Quadrat test".to_owned(),
        description: "Cells cut at the study area, with the incidents in each and how far they are from what an even spread expects. Among many cells some are far by chance."
            .to_owned(),
        headline,
        columns: vec![
            Column::new("quadrat", pieces.names(), "", ColumnKind::Text),
            Column::new("incidents", "Incidents in the cell", "incidents", ColumnKind::Integer),
            Column::new("expected", "Expected by area", "incidents", ColumnKind::Real),
            Column::new("residual", "Pearson residual", "standard deviations", ColumnKind::Real),
            Column::new("area_km2", "Area inside the study area", "km²", ColumnKind::Real),
        ],
        features: pieces.shapes(window).into_iter().enumerate().map(feature).collect(),
        style: Style::number("residual", Scale::Diverging),
        provenance,
        notes,
    })
}

fn refused(why: String) -> AnalysisError {
    AnalysisError::Parameter { method: "quadrat-test", why }
}

fn expected(n: u64, areas: &[f64]) -> Vec<f64> {
    let all: f64 = areas.iter().sum();
    areas.iter().map(|area| n as f64 * area / all).collect()
}

fn statistic(observed: &[u64], expected: &[f64]) -> f64 {
    let of = |(&observed, &expected): (&u64, &f64)| {
        let off = observed as f64 - expected;
        off * off / expected
    };
    observed.iter().zip(expected).map(of).sum()
}

fn two_sided(low: f64, high: f64) -> f64 {
    (2.0 * low.min(high)).min(1.0)
}

/// p of an X² at most, and at least, as large, from worlds of chance; `None` where none are asked for.
fn simulated(
    x2: f64,
    n: u64,
    areas: &[f64],
    params: &QuadratTestParams,
    watch: &Watch,
) -> Result<Option<(f64, f64)>, AnalysisError> {
    if params.simulations == 0 {
        return Ok(None);
    }
    let cumulated: Vec<f64> = areas
        .iter()
        .scan(0.0, |sum, area| {
            *sum += area;
            Some(*sum)
        })
        .collect();
    let (expected, all) = (expected(n, areas), cumulated.last().copied().unwrap_or_default());
    let phase = watch.phase("simulations", u64::from(params.simulations));
    let world = |replicate: u64| {
        let mut chance = Chance::new(params.seed, replicate);
        let mut counts = vec![0; areas.len()];
        for _ in 0..n {
            let at = chance.share() * all;
            let cell = cumulated.partition_point(|&sum| sum <= at);
            counts[cell.min(areas.len() - 1)] += 1;
        }
        phase.advance(1).map(|()| statistic(&counts, &expected))
    };
    let worlds = (1..=u64::from(params.simulations)).into_par_iter().map(world);
    let worlds: Vec<f64> = worlds.collect::<Result<_, AnalysisError>>()?;
    // A hair for rounding: the same counts in other cells are a tie.
    let hair = 1e-12 * x2;
    let p = |as_far: &dyn Fn(f64) -> bool| {
        (worlds.iter().filter(|&&world| as_far(world)).count() + 1) as f64 / (worlds.len() + 1) as f64
    };
    Ok(Some((p(&|world| world <= x2 + hair), p(&|world| world >= x2 - hair))))
}
