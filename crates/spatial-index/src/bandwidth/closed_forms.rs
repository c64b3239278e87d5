//! Closed forms: the bandwidth as a function of the spread and the number of incidents.
//!
//! All of them are best, or widest, for one round normal cloud. A city has several centres and empty stretches, which
//! stretch the spread and not the hotspots: expect a map that is too smooth. A stack counts with its weight.

use super::{Rule, Selection};
use crate::{AnalysisError, Sites};

/// Scott's rule (Scott 1992, "Multivariate Density Estimation", p. 152, doi:10.1002/9780470316849) on each axis:
/// sd · n^(−1/6), x then y, with the divisor n − 1. spatstat's `bw.scott` is this pair.
pub fn scott_axes(sites: &Sites) -> (f64, f64) {
    let shrink = shrink(sites);
    let (x, y) = (spread(&sites.x, &sites.weight), spread(&sites.y, &sites.weight));
    (x * shrink, y * shrink)
}

/// Scott's rule, one bandwidth for both axes: the root of the mean of the squares of [`scott_axes`].
///
/// It answers: how wide, if the city were one normal cloud? It is not how far an incident's influence reaches.
pub fn scott(sites: &Sites) -> Result<Selection, AnalysisError> {
    enough(Rule::Scott, sites)?;
    Selection::closed(Rule::Scott, both(scott_axes(sites)))
}

/// Silverman's normal-reference rule (Silverman 1986, eq. 4.14, ISBN 978-0-412-24620-3) with his robust spread (eq. 3.30):
/// (4/(d + 2))^(1/(d + 4)) · A · n^(−1/(d + 4)), A = min(sd, IQR/1.34), for d = 2, where the first factor is 1. One bandwidth
/// for both axes, the root of the mean of the two squares.
///
/// Often confused with the rule for one dimension, 0.9 A n^(−1/5), and with the variant of ArcGIS, which
/// puts the median distance from the centre in the place of the quartiles.
pub fn silverman(sites: &Sites) -> Result<Selection, AnalysisError> {
    enough(Rule::Silverman, sites)?;
    let shrink = shrink(sites);
    let (x, y) = (robust_spread(&sites.x, &sites.weight), robust_spread(&sites.y, &sites.weight));
    Selection::closed(Rule::Silverman, both((x * shrink, y * shrink)))
}

/// Terrell's oversmoothing rule (Terrell 1990, "The maximal smoothing principle in density estimation",
/// doi:10.1080/01621459.1990.10476223): the widest bandwidth that is optimal for any density of this spread,
///
/// h^(d+4) = (d+8)^((d+6)/2) π^(d/2) R(K) / (16 (d+2) Γ((d+8)/2) n) · sd^(d+4); for d = 2 and the Gaussian, R(K) = 1/4π,
/// σ = (10000/6144)^(1/6) sd n^(−1/6), 1.0846 times Scott's.
///
/// An upper bound, not an estimate: a bandwidth beyond it hides structure for sure.
pub fn terrell_oversmooth(sites: &Sites) -> Result<Selection, AnalysisError> {
    enough(Rule::TerrellOversmooth, sites)?;
    let widest = libm::pow(10_000.0 / 6144.0, 1.0 / 6.0);
    Selection::closed(Rule::TerrellOversmooth, widest * both(scott_axes(sites)))
}

fn enough(rule: Rule, sites: &Sites) -> Result<(), AnalysisError> {
    if sites.total_weight() > 1.0 {
        Ok(())
    } else {
        Err(rule.failed("there are fewer than two incidents, or their weights add up to no more than one"))
    }
}

fn shrink(sites: &Sites) -> f64 {
    libm::pow(sites.total_weight(), -1.0 / 6.0)
}

/// One bandwidth for both axes. Both axes count.
fn both((x, y): (f64, f64)) -> f64 {
    ((x * x + y * y) / 2.0).sqrt()
}

/// The standard deviation, with the divisor n − 1.
fn spread(values: &[f64], weight: &[f64]) -> f64 {
    let n: f64 = weight.iter().sum();
    let pairs = || values.iter().zip(weight);
    let mean = pairs().map(|(value, weight)| value * weight).sum::<f64>() / n;
    (pairs().map(|(value, weight)| weight * (value - mean) * (value - mean)).sum::<f64>() / (n - 1.0)).sqrt()
}

/// min(sd, IQR/1.34); the standard deviation where the quartiles are one value. Quartiles are those of R's default
/// (type 7) on every value repeated by its weight.
pub fn robust_spread(values: &[f64], weight: &[f64]) -> f64 {
    let mut order: Vec<(f64, f64)> = values.iter().copied().zip(weight.iter().copied()).collect();
    order.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let n: f64 = weight.iter().sum();
    // The value at the k-th place, counted from one.
    let at = |place: f64| {
        let mut passed = 0.0;
        let found = order.iter().find(|(_, weight)| {
            passed += weight;
            passed >= place
        });
        found.or(order.last()).map_or(f64::NAN, |(value, _)| *value)
    };
    let quantile = |part: f64| {
        let place = 1.0 + (n - 1.0) * part;
        let (low, high) = (at(place.floor()), at((place.floor() + 1.0).min(n)));
        low + (high - low) * (place - place.floor())
    };
    let (deviation, quartiles) = (spread(values, weight), (quantile(0.75) - quantile(0.25)) / 1.34);
    if quartiles > 0.0 { deviation.min(quartiles) } else { deviation }
}
