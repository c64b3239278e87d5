//! The bandwidth a rule chooses, with the curve it chose from.
//!
//! # Question
//! How far should a kernel reach?
//!
//! # Definition
//! Each rule, its criterion and its search are defined where they are made: [`crate::bandwidth`]. The answer is the criterion
//! over σ, the Gaussian's standard deviation on one axis, with the best value marked. A closed form tries nothing: its
//! curve is one step without a criterion.
//!
//! # Reference
//! Berman & Diggle 1989, doi:10.1111/j.2517-6161.1989.tb01750.x; Loader 1999, doi:10.1007/b98858; Bowman 1984,
//! doi:10.1093/biomet/71.2.353; Cronie & van Lieshout 2018, doi:10.1093/biomet/asy001; Scott 1992; Silverman 1986; Terrell 1990.
//!
//! # Agrees with
//! spatstat's `bw.diggle`, `bw.ppl`, `bw.CvL` and `bw.scott` on redwood, japanesepines and chorley
//! (`tests/conformance.rs`).
//!
//! # Differs from
//! spatstat where incidents are stacked: here a stack is one event that is left out as a whole, so that no criterion runs
//! off to zero. Where 16 values are too few for the range, more are tried.
//!
//! # Units
//! Metres. The criterion of `diggle` is a plain number, of `ppl` a log-likelihood, of `lscv` 1/m², of `cvl` m⁴.
//!
//! # Cost
//! `ppl`, `lscv` and `cvl` sum a density at every place, some 60 times. Narrow kernels take few terms a place, wide ones a
//! fixed number of operations by way of a lattice: 1 s of processor time for 10,000 places, 50 s for 470,000, 180 s for a million. For
//! `ppl` each side of a polygonal study area within reach is looked at as well. `diggle` counts near pairs, 17 s for 470,000. At
//! most 1,000,000 places but for the closed forms. A file that covers thousands of kilometres falls back on single terms where
//! a lattice would not fit into memory, and takes longer.
//!
//! # Often misunderstood
//! No rule finds the true bandwidth: each is best for its own question, and they differ by a factor of ten on one
//! file. Look at the curve: a flat one has no opinion, and one that is best at its end has found nothing. What the
//! other kernels call bandwidth is a multiple of σ, √8 for the quartic.

use brasa_model::{Curve, Incidents, Note, Provenance, Series};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::bandwidth::Rule;
use crate::kernels::Kernel;
use crate::{About, AnalysisError, Sites, Watch};

/// What a reader of the catalogue learns.
pub const ABOUT: About = About {
    question: "How far should a kernel reach?",
    reference: "Berman & Diggle 1989, doi:10.1111/j.2517-6161.1989.tb01750.x; Loader 1999; Cronie & van Lieshout 2018",
    units: "m (standard deviation)",
    cost: "places × (lattice points within reach, or fewer others), some 60 times",
};

/// Parameters of [`bandwidth`]. The rule has no default: each answers another question.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct BandwidthParams {
    /// Rule that chooses: scott, silverman, terrell-oversmooth, diggle, ppl, lscv or cvl
    pub rule: Rule,
}

/// The criterion of a rule over the bandwidths it tried.
pub fn bandwidth(
    incidents: &Incidents,
    params: &BandwidthParams,
    watch: &Watch,
) -> Result<Curve, AnalysisError> {
    let rule = params.rule;
    if incidents.is_empty() {
        return Err(AnalysisError::NoIncidents);
    }
    let found = rule.select(&Sites::new(incidents), &incidents.window, watch)?;
    let kernels: Vec<String> = Kernel::ALL
        .iter()
        .filter(|(kernel, _)| *kernel != Kernel::Gaussian)
        .map(|(kernel, word)| format!("{word} {:.1} m", kernel.radius_of_deviation(found.sigma)))
        .collect();
    let note = Note::new(
        "bandwidth_chosen",
        format!(
            "{rule} chooses a standard deviation of {:.1} m, {:.1} m for the quartic kernel",
            found.sigma,
            Kernel::Quartic.radius_of_deviation(found.sigma)
        ),
    )
    .value(found.sigma, "m")
    .reason(format!("{}. As a support radius: {}", rule.reason(), kernels.join(", ")));
    let notes = std::iter::once(note).chain(found.note()).collect();
    let parameters = json!({ "rule": rule, "sigma_m": found.sigma, "at_limit": found.limit.is_some() });
    let (title, unit) = match rule {
        Rule::Diggle => ("Mean square error / λ² - g(0)", ""),
        Rule::Ppl => ("Cross-validated log-likelihood", ""),
        Rule::Lscv => ("Integrated square error - ∫f²", "1/m²"),
        Rule::Cvl => ("(Area - Σ 1/density)²", "m⁴"),
        Rule::Scott | Rule::Silverman | Rule::TerrellOversmooth => ("None: a closed form", ""),
    };
    let (tried, criterion, optimum) = match found.best {
        Some(best) => (found.tried, found.criterion, best),
        None => (vec![found.sigma], vec![f64::NAN], 0),
    };
    Ok(Curve {
        title: format!("Bandwidth by {rule}"),
        x: Series::new("sigma_m", "Standard deviation on one axis", "m", tried),
        y: vec![Series::new("criterion", title, unit, criterion)],
        optimum: Some(optimum),
        provenance: Provenance::new("bandwidth", parameters),
        notes,
    })
}
