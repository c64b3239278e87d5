//! From a statistic to a verdict: p under the normal law, and q for testing many zones at once.

use brasa_model::Class;

/// The two-sided p of a z-score: the chance of a value at least as far from zero under the standard normal law.
pub fn two_sided_p(z: f64) -> f64 {
    libm::erfc(z.abs() / std::f64::consts::SQRT_2)
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

/// Benjamini–Hochberg adjusted p-values (Benjamini & Hochberg 1995, doi:10.1111/j.2517-6161.1995.tb02031.x):
/// calling every zone with q ≤ α significant keeps the expected share of false ones among them at or below α
/// when the tests are independent or positively dependent.
pub fn benjamini_hochberg(p: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_unstable_by(|&a, &b| p[a].total_cmp(&p[b]).then(a.cmp(&b)));
    let mut q = vec![1.0; p.len()];
    let mut smallest: f64 = 1.0;
    for (rank, &at) in order.iter().enumerate().rev() {
        smallest = smallest.min(p[at] * p.len() as f64 / (rank + 1) as f64);
        q[at] = smallest;
    }
    q
}

/// The verdict on a zone.
pub fn classify(z: f64, q: f64, level: f64) -> Class {
    if q <= level && z > 0.0 {
        Class::Hot
    } else if q <= level && z < 0.0 {
        Class::Cold
    } else {
        Class::NotSignificant
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let q = benjamini_hochberg(&[0.50, 0.03, 0.01, 0.04]);
        let expected = [0.5, 0.16 / 3.0, 0.04, 0.16 / 3.0];
        for (found, wanted) in q.iter().zip(expected) {
            assert!((found - wanted).abs() < 1e-15, "{q:?}");
        }
        assert!(benjamini_hochberg(&[]).is_empty());
    }

    #[test]
    fn q_is_never_below_p_and_keeps_its_order() {
        let p: Vec<f64> = (0..500_u32).map(|at| f64::from(at * 7919 % 1000) / 1000.0).collect();
        let q = benjamini_hochberg(&p);
        for a in 0..p.len() {
            assert!(q[a] >= p[a] && q[a] <= 1.0);
            for b in 0..p.len() {
                assert!(p[a] > p[b] || q[a] <= q[b]);
            }
        }
    }
}
