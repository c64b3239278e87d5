//! One number for a whole pattern of zones: its expectation, its variances, and the way from there to p.

use brasa_model::{Curve, Note, Provenance, Series};
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::conditional::centred;
use crate::significance::{permutation_p, told, two_sided_p};
use crate::weights::{Neighbours, Style, Weights};
use crate::zones::{Seed, Zones};
use crate::zoning::CountedIn;
use crate::{AnalysisError, Watch};
use brasa_model::Chance;

/// The variance under randomisation needs so many zones.
const LEAST_ZONES: usize = 4;

/// Parameters of a statistic of all zones.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct GlobalParams {
    /// What incidents are counted in.
    #[serde(flatten)]
    pub counted: CountedIn,
    /// Which zones count as neighbours: queen, rook, knn:K (the K nearest), band:LENGTH (all centres within that distance), or inverse:LENGTH and inverse-square:LENGTH (the same, weighted by 1/d and 1/d²)
    pub neighbours: Neighbours,
    /// Whether the weights of each zone add up to one (row), or each neighbour counts 1 or by its distance (binary) [default: binary for general-g, row for the others]
    pub weights: Option<Style>,
    /// Random arrangements of the counts to take p from as well; 0 is none
    pub permutations: u32,
    /// Where chance begins; the same seed gives the same p
    pub seed: Seed,
}

/// A statistic of all zones with what chance would make of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Association {
    /// The statistic.
    pub value: f64,
    /// What it is expected to be where the counts are arranged at random.
    pub expectation: f64,
    /// Its variance if the counts were normal; NaN where the method has none.
    pub variance_normality: f64,
    /// Its variance over all arrangements of these counts.
    pub variance_randomisation: f64,
}

impl Association {
    /// z under normality and under randomisation.
    pub fn z(&self) -> [f64; 2] {
        [self.variance_normality, self.variance_randomisation]
            .map(|variance| (self.value - self.expectation) / variance.sqrt())
    }
}

/// A method for one number.
pub struct Global {
    /// The method's name.
    pub method: &'static str,
    /// The statistic's name.
    pub title: &'static str,
    /// How much a neighbour counts, unless something else is asked for.
    pub style: Style,
    /// The statistic with its moments, from values and neighbours.
    pub moments: fn(&[f64], &Weights) -> Result<Association, AnalysisError>,
    /// The statistic up to what no arrangement changes, growing with it.
    pub raw: fn(&[f64], &Weights) -> f64,
    /// What a z above zero means, and what one below.
    pub meaning: [&'static str; 2],
}

/// Refuses zones of which a global statistic can say nothing; gives S₀, S₁ and S₂.
pub fn checked(values: &[f64], weights: &Weights) -> Result<[f64; 3], AnalysisError> {
    let refused = |why: String| AnalysisError::TooFewZones { why };
    if values.len() < LEAST_ZONES {
        return Err(refused(format!("there are {} zones, and {LEAST_ZONES} are the least", values.len())));
    }
    if weights.links() == 0 {
        return Err(refused(format!("not one of the {} zones has a neighbour", values.len())));
    }
    Ok(weights.moments())
}

/// Σᵢ zᵢ Σⱼ wᵢⱼ zⱼ over the neighbours: I but for factors that no arrangement changes.
pub fn moran_raw(values: &[f64], weights: &Weights) -> f64 {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let lag = |zone: usize| weights.row(zone).map(|(to, weight)| weight * (values[to] - mean)).sum::<f64>();
    (0..values.len()).map(|zone| (values[zone] - mean) * lag(zone)).sum()
}

/// Moran's I of given values with given neighbours.
pub fn moran_of(values: &[f64], weights: &Weights) -> Result<Association, AnalysisError> {
    let z = centred(values)?;
    let [s0, s1, s2] = checked(values, weights)?;
    let n = z.len() as f64;
    let m2 = z.iter().map(|z| z * z).sum::<f64>() / n;
    let kurtosis = z.iter().map(|z| z.powi(4)).sum::<f64>() / n / (m2 * m2);
    let expectation = -1.0 / (n - 1.0);
    let square = s0 * s0;
    let normal = (n * n * s1 - n * s2 + 3.0 * square) / ((n * n - 1.0) * square);
    let random = (n * ((n * n - 3.0 * n + 3.0) * s1 - n * s2 + 3.0 * square)
        - kurtosis * ((n * n - n) * s1 - 2.0 * n * s2 + 6.0 * square))
        / ((n - 1.0) * (n - 2.0) * (n - 3.0) * square);
    Ok(Association {
        value: moran_raw(values, weights) / (s0 * m2),
        expectation,
        variance_normality: normal - expectation * expectation,
        variance_randomisation: random - expectation * expectation,
    })
}

/// The two-sided p of the statistic among random arrangements of the values.
pub fn permutation_p_of(
    raw: fn(&[f64], &Weights) -> f64,
    values: &[f64],
    weights: &Weights,
    (replicates, seed): (u32, u64),
    watch: &Watch,
) -> Result<f64, AnalysisError> {
    let seen = raw(values, weights);
    let slack = 1e-11 * seen.abs();
    let phase = watch.phase("permutations", u64::from(replicates));
    let one = |replicate: u32| {
        let mut chance = Chance::new(seed, u64::from(replicate));
        let mut arranged = values.to_vec();
        for at in (1..arranged.len()).rev() {
            arranged.swap(at, chance.below(at as u64 + 1) as usize);
        }
        phase.advance(1)?;
        let found = raw(&arranged, weights);
        Ok((usize::from(found >= seen - slack), usize::from(found <= seen + slack)))
    };
    let tails: Vec<(usize, usize)> =
        (0..replicates).into_par_iter().map(one).collect::<Result<_, AnalysisError>>()?;
    let (high, low) = tails.into_iter().fold((0, 0), |sum, tail| (sum.0 + tail.0, sum.1 + tail.1));
    Ok(permutation_p(high, low, replicates))
}

impl Global {
    /// The answer: a curve of one step over the number of zones.
    pub fn of(&self, zones: Zones, params: &GlobalParams, watch: &Watch) -> Result<Curve, AnalysisError> {
        let mut parameters = zones.record();
        let Zones { values, weights, mut notes, .. } = zones;
        let style = params.weights.unwrap_or(self.style);
        let weights = weights.styled(style);
        let found = (self.moments)(&values, &weights)?;
        let p = match params.permutations {
            0 => f64::NAN,
            replicates => permutation_p_of(self.raw, &values, &weights, (replicates, params.seed.0), watch)?,
        };
        let [z_normality, z] = found.z();
        let [above, below] = self.meaning;
        let likely = two_sided_p(z);
        let verdict = match (likely <= 0.05, z > 0.0) {
            (false, _) => "no more than chance would make",
            (true, true) => above,
            (true, false) => below,
        };
        notes.push(
            Note::new(
                "association_found",
                format!(
                    "{} is {:.4}, {:.4} expected: z = {z:.2}, {}: {verdict}",
                    self.title,
                    found.value,
                    found.expectation,
                    told(likely)
                ),
            )
            .value(found.value, "")
            .reason("z and p (two-sided) under randomisation of the counts over the zones"),
        );
        parameters["weights"] = json!(style);
        parameters["links"] = json!(weights.links());
        parameters["permutations"] = json!(params.permutations);
        parameters["p"] = json!("two-sided");
        let mut provenance = Provenance::new(self.method, parameters);
        provenance.seed = (params.permutations > 0).then_some(params.seed.0);
        let one = |name, title, value| Series::new(name, title, "", vec![value]);
        Ok(Curve {
            title: format!("{} = {:.4}", self.title, found.value),
            x: Series::new("zones", "Zones", "zones", vec![values.len() as f64]),
            y: vec![
                one("value", self.title, found.value),
                one("expectation", "Expectation", found.expectation),
                one("variance_normality", "Variance under normality", found.variance_normality),
                one("z_normality", "z under normality", z_normality),
                one("p_normality", "p under normality, two-sided", two_sided_p(z_normality)),
                one("variance_randomisation", "Variance under randomisation", found.variance_randomisation),
                one("z_randomisation", "z under randomisation", z),
                one("p_randomisation", "p under randomisation, two-sided", likely),
                one("p_permutations", "p of permutations, two-sided", p),
            ],
            optimum: None,
            provenance,
            notes,
        })
    }
}
