//! How much a DBSCAN depends on its two parameters.
//!
//! # Question
//! Would another radius or number of points have found other clusters?
//!
//! # Definition
//! DBSCAN is run for nine radii from eps/2 to 2·eps, a factor 2^(1/4) apart, and for half, once and twice `min-points`. Of each
//! run: the number of clusters, the share of incidents that are noise, and the adjusted Rand index of its clusters against
//! those of `eps` and `min-points` as given, over the incidents that are cores of both: 1 where both partition
//! them alike, about 0 where they agree no more than chance would.
//!
//! # Reference
//! Hubert & Arabie 1985, doi:10.1007/BF01908075, for the adjusted Rand index.
//!
//! # Agrees with
//! The index counted pair by pair (`tests/st_dbscan.rs`).
//!
//! # Differs from
//! Indices over all incidents, which noise dominates: here the share of noise is a column of its own.
//!
//! # Units
//! Metres; clusters; shares from 0 to 1. The index is unknown where fewer than two incidents are cores of both.
//!
//! # Cost
//! 28 times `dbscan`.
//!
//! # Often misunderstood
//! Stable is not true: under a large enough `eps` the one cluster that holds everything is perfectly stable. Look for a range
//! in which neither the index nor the number of clusters moves much.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use brasa_model::{Curve, Incidents, Note, Provenance, Series};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::cores::{Cores, cores_of_sites, default_min_points};
use crate::k_distances::core_share_of_sites;
use crate::{About, AnalysisError, Eps, Sites, Watch};

/// What a reader of the catalogue learns.
pub const ABOUT: About = About {
    question: "Would another radius or number of points have found other clusters?",
    reference: "Hubert & Arabie 1985, doi:10.1007/BF01908075",
    units: "adjusted Rand index, clusters, share of noise",
    cost: "28 times dbscan",
};

/// Parameters of [`dbscan_stability`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct DbscanStabilityParams {
    /// Radius in the middle of those tried, or auto for the knee of the k-distances; a claim about the data, so there is no default
    pub eps: Eps,
    /// Incidents that make a place a core, in the middle of those tried
    #[serde(default = "default_min_points")]
    pub min_points: NonZeroU32,
}

/// 2^(-1) to 2^1, a quarter apart.
const FACTORS: [f64; 9] = [
    0.5,
    0.594_603_557_501_360_5,
    std::f64::consts::FRAC_1_SQRT_2,
    0.840_896_415_253_714_6,
    1.0,
    1.189_207_115_002_721,
    std::f64::consts::SQRT_2,
    1.681_792_830_507_429,
    2.0,
];

/// The columns of half, once and twice the number of points: index, clusters and noise, by name and title.
const COLUMNS: [[(&str, &str); 3]; 3] = [
    [
        ("rand_as_given", "Adjusted Rand index, min-points as given"),
        ("clusters_as_given", "Clusters, min-points as given"),
        ("noise_as_given", "Share of noise, min-points as given"),
    ],
    [
        ("rand_at_half", "Adjusted Rand index, half of min-points"),
        ("clusters_at_half", "Clusters, half of min-points"),
        ("noise_at_half", "Share of noise, half of min-points"),
    ],
    [
        ("rand_at_twice", "Adjusted Rand index, twice min-points"),
        ("clusters_at_twice", "Clusters, twice min-points"),
        ("noise_at_twice", "Share of noise, twice min-points"),
    ],
];

/// What DBSCAN finds around the given parameters.
pub fn dbscan_stability(
    incidents: &Incidents,
    params: &DbscanStabilityParams,
    watch: &Watch,
) -> Result<Curve, AnalysisError> {
    if incidents.is_empty() {
        return Err(AnalysisError::NoIncidents);
    }
    let sites = Sites::new(incidents);
    let given = params.min_points;
    let (eps, chosen) = params.eps.resolve(given, || core_share_of_sites(&sites, given))?;
    let middle = cores_of_sites(&sites, eps.get(), given)?;
    let half = NonZeroU32::new(given.get().div_ceil(2)).unwrap_or(given);
    let tried = [given, half, given.saturating_mul(NonZeroU32::MIN.saturating_add(1))];
    let radii: Vec<f64> = FACTORS.iter().map(|factor| factor * eps.get()).collect();

    let phase = watch.phase("clusterings", (tried.len() * radii.len()) as u64);
    let mut y = Vec::new();
    for (min_points, names) in tried.into_iter().zip(COLUMNS) {
        let mut values = [const { Vec::new() }; 3];
        for &radius in &radii {
            let found = cores_of_sites(&sites, radius, min_points)?;
            values[0].push(adjusted_rand(&middle, &found, &sites.count));
            values[1].push(number_of_groups(&found) as f64);
            values[2].push(share_of_noise(&found, &sites.count));
            phase.advance(1)?;
        }
        let units = ["", "clusters", ""];
        let columns = names.into_iter().zip(units).zip(values);
        y.extend(columns.map(|(((name, title), unit), values)| Series::new(name, title, unit, values)));
    }
    let note = Note::new(
        "min_points_tried",
        format!("min-points of {given} as given, {half} as half and {} as twice", tried[2]),
    );
    Ok(Curve {
        title: format!("Stability around eps {eps} and min-points {given}"),
        x: Series::new("eps_m", "Radius", "m", radii),
        y,
        optimum: None,
        provenance: Provenance::new(
            "dbscan-stability",
            json!({ "eps": eps, "min_points": given, "min_points_tried": tried }),
        ),
        notes: chosen.into_iter().chain([note]).collect(),
    })
}

fn number_of_groups(found: &Cores) -> usize {
    let mut groups: Vec<u32> = found.group.iter().flatten().copied().collect();
    groups.sort_unstable();
    groups.dedup();
    groups.len()
}

fn share_of_noise(found: &Cores, count: &[u32]) -> f64 {
    let noise = found.group.iter().zip(count).filter(|(group, _)| group.is_none());
    let noise: u64 = noise.map(|(_, &count)| u64::from(count)).sum();
    noise as f64 / count.iter().map(|&count| u64::from(count)).sum::<u64>() as f64
}

/// The adjusted Rand index of two partitions of the incidents that are cores of both; NaN for fewer than two incidents.
///
/// Hubert & Arabie 1985, equation 5: (pairs together in both - expected) / (mean of the pairs together in each - expected). Where
/// both put everything together, or both everything apart, they agree: 1.
fn adjusted_rand(a: &Cores, b: &Cores, count: &[u32]) -> f64 {
    let mut both: BTreeMap<(u32, u32), u64> = BTreeMap::new();
    let (mut first, mut second) = (BTreeMap::new(), BTreeMap::new());
    let mut total = 0_u64;
    for (at, &count) in count.iter().enumerate() {
        if let (true, true, Some(in_a), Some(in_b)) = (a.core[at], b.core[at], a.group[at], b.group[at]) {
            let count = u64::from(count);
            *both.entry((in_a, in_b)).or_default() += count;
            *first.entry(in_a).or_default() += count;
            *second.entry(in_b).or_default() += count;
            total += count;
        }
    }
    if total < 2 {
        return f64::NAN;
    }
    let pairs = |count: &u64| (*count as f64) * (*count as f64 - 1.0) / 2.0;
    let together: f64 = both.values().map(pairs).sum();
    let (in_a, in_b): (f64, f64) = (first.values().map(pairs).sum(), second.values().map(pairs).sum());
    let expected = in_a * in_b / pairs(&total);
    let most = f64::midpoint(in_a, in_b);
    if most == expected { 1.0 } else { (together - expected) / (most - expected) }
}
