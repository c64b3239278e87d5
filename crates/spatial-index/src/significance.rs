//! From a statistic to a verdict: p under the normal law, and q for testing many zones at once.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use brasa_model::as_word;

/// The two-sided p of a z-score: the chance of a value at least as far from zero under the standard normal law.
pub fn two_sided_p(z: f64) -> f64 {
    libm::erfc(z.abs() / std::f64::consts::SQRT_2)
}

/// A p as people read it: to three places, small ones by their order of magnitude, and never as nothing.
pub fn told(p: f64) -> String {
    if p < 1e-300 {
        "p < 1e-300".to_owned()
    } else if p < 0.001 {
        format!("p = {p:.1e}")
    } else {
        format!("p = {p:.3}")
    }
}

/// The z that a standard normal variable exceeds with chance `p`, to the last bits: the root of `erfc`, by halving.
pub fn upper_quantile(p: f64) -> f64 {
    let (mut low, mut high) = (-40.0, 40.0);
    for _ in 0..80 {
        let middle = f64::midpoint(low, high);
        if libm::erfc(middle / std::f64::consts::SQRT_2) / 2.0 > p {
            low = middle;
        } else {
            high = middle;
        }
    }
    f64::midpoint(low, high)
}

/// How p is adjusted for testing many zones at once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Correction {
    /// Benjamini & Hochberg 1995 (doi:10.1111/j.2517-6161.1995.tb02031.x): the expected share of false ones among the zones
    /// with q ≤ α is at most α when the tests are independent or positively dependent.
    #[default]
    Bh,
    /// Benjamini & Yekutieli 2001 (doi:10.1214/aos/1013699998): the same whatever the dependence.
    By,
    /// Bonferroni: the chance of a single false zone with q ≤ α is at most α.
    Bonferroni,
}

as_word!(Correction, Bh = "bh", By = "by", Bonferroni = "bonferroni");

impl Correction {
    /// Adjusted p-values. A p that is NaN was not tested: it does not count, and stays.
    pub fn adjust(self, p: &[f64]) -> Vec<f64> {
        let tests = p.iter().filter(|p| !p.is_nan()).count() as f64;
        match self {
            Self::Bh => step_up(p, tests),
            Self::By => step_up(p, tests * (1..=tests as u64).map(|rank| 1.0 / rank as f64).sum::<f64>()),
            Self::Bonferroni => {
                p.iter().map(|&p| if p.is_nan() { p } else { (p * tests).min(1.0) }).collect()
            }
        }
    }
}

/// The least of p · factor / rank from each rank up, at most one.
fn step_up(p: &[f64], factor: f64) -> Vec<f64> {
    let tested = (0..p.len()).filter(|&at| !p[at].is_nan());
    let mut order: Vec<(f64, usize)> = tested.map(|at| (p[at], at)).collect();
    order.par_sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let mut q = vec![f64::NAN; p.len()];
    let mut smallest: f64 = 1.0;
    for (rank, &(p, at)) in order.iter().enumerate().rev() {
        smallest = smallest.min(p * factor / (rank + 1) as f64);
        q[at] = smallest;
    }
    q
}

/// The two-sided p of `high` of so many replicates at least as high as what was seen, and `low` at least as low: twice the
/// smaller tail, (M + 1)/(R + 1) each, at most one. Never 0: what was seen is one of the arrangements.
pub fn permutation_p(high: usize, low: usize, replicates: u32) -> f64 {
    (2.0 * (high.min(low) + 1) as f64 / (f64::from(replicates) + 1.0)).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_p_is_never_told_as_nothing() {
        assert_eq!(
            [0.0, 1e-320, 7.08e-57, 0.0005, 0.001, 0.0214, 1.0].map(told),
            ["p < 1e-300", "p < 1e-300", "p = 7.1e-57", "p = 5.0e-4", "p = 0.001", "p = 0.021", "p = 1.000"]
        );
    }

    #[test]
    fn p_of_known_z() {
        // Abramowitz & Stegun, table 26.1: P(|Z| > 1.959964) = 0.05.
        assert!((two_sided_p(1.959_963_984_540_054) - 0.05).abs() < 1e-15);
        assert_eq!(two_sided_p(0.0), 1.0);
        assert!(two_sided_p(40.0) >= 0.0);
        assert!((upper_quantile(0.025) - 1.959_963_984_540_054).abs() < 1e-14);
        assert!(upper_quantile(0.5).abs() < 1e-15 && upper_quantile(0.9) < 0.0);
    }

    #[test]
    fn q_by_hand() {
        // 0.01·4/1 = 0.04, 0.03·4/2 = 0.06 held down to 0.04·4/3 = 0.0533…, 0.50·4/4.
        let q = Correction::Bh.adjust(&[0.50, 0.03, 0.01, 0.04]);
        let expected = [0.5, 0.16 / 3.0, 0.04, 0.16 / 3.0];
        for (found, wanted) in q.iter().zip(expected) {
            assert!((found - wanted).abs() < 1e-15, "{q:?}");
        }
        assert!(Correction::Bh.adjust(&[]).is_empty());
    }

    #[test]
    fn the_other_corrections_by_hand() {
        let p = [0.50, 0.03, f64::NAN, 0.01, 0.04];
        // BY is BH times 1 + 1/2 + 1/3 + 1/4 = 25/12, Bonferroni four times p.
        let by: Vec<f64> = [1.0, 1.0 / 9.0, f64::NAN, 1.0 / 12.0, 1.0 / 9.0].to_vec();
        for (correction, expected) in
            [(Correction::By, by), (Correction::Bonferroni, vec![1.0, 0.12, f64::NAN, 0.04, 0.16])]
        {
            for (found, wanted) in correction.adjust(&p).into_iter().zip(expected) {
                assert!(
                    (found - wanted).abs() < 1e-15 || found.is_nan() && wanted.is_nan(),
                    "{correction:?}"
                );
            }
        }
    }

    #[test]
    fn p_of_permutations_is_twice_the_smaller_tail_and_never_nothing() {
        assert_eq!(permutation_p(0, 999, 999), 0.002);
        assert_eq!(permutation_p(960, 49, 999), 0.1);
        assert_eq!(permutation_p(999, 999, 999), 1.0);
    }

    #[test]
    fn q_is_never_below_p_and_keeps_its_order() {
        let p: Vec<f64> = (0..500_u32).map(|at| f64::from(at * 7919 % 1000) / 1000.0).collect();
        let q = Correction::Bh.adjust(&p);
        for a in 0..p.len() {
            assert!(q[a] >= p[a] && q[a] <= 1.0);
            for b in 0..p.len() {
                assert!(p[a] > p[b] || q[a] <= q[b]);
            }
        }
    }
}
