//! The tails of the binomial law.

/// The chance of at most, and of at least, `successes` of so many `trials` that succeed with this `chance` each. The smaller one is
/// right to about 1e-9 of itself for a million trials, to more for fewer.
pub fn tails(successes: f64, trials: f64, chance: f64) -> (f64, f64) {
    let at_least = |least: f64| match least {
        _ if least <= 0.0 => (1.0, 0.0),
        _ if least > trials => (0.0, 1.0),
        _ => incomplete_beta(least, trials - least + 1.0, chance),
    };
    (at_least(successes + 1.0).1, at_least(successes).0)
}

/// The regularised incomplete beta function and what it lacks to one, the smaller of the two by its continued fraction (DLMF 8.17.22,
/// <https://dlmf.nist.gov/8.17#E22>), summed up from its beginning by Lentz's way.
fn incomplete_beta(a: f64, b: f64, x: f64) -> (f64, f64) {
    if x <= 0.0 {
        return (0.0, 1.0);
    }
    if x >= 1.0 {
        return (1.0, 0.0);
    }
    let scale = libm::exp(
        a * libm::log(x) + b * libm::log1p(-x) + libm::lgamma(a + b) - libm::lgamma(a) - libm::lgamma(b),
    );
    if x < (a + 1.0) / (a + b + 2.0) {
        let found = (scale * fraction(a, b, x) / a).min(1.0);
        (found, 1.0 - found)
    } else {
        let lacking = (scale * fraction(b, a, 1.0 - x) / b).min(1.0);
        (1.0 - lacking, lacking)
    }
}

fn fraction(a: f64, b: f64, x: f64) -> f64 {
    let away_from_zero = |value: f64| if value.abs() < f64::MIN_POSITIVE { f64::MIN_POSITIVE } else { value };
    let (mut c, mut d) = (1.0, 1.0 / away_from_zero(1.0 - (a + b) * x / (a + 1.0)));
    let mut product = d;
    for step in 1..1_000_000_u32 {
        let m = f64::from(step);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        let mut last = 1.0;
        for term in [even, odd] {
            d = 1.0 / away_from_zero(1.0 + term * d);
            c = away_from_zero(1.0 + term / c);
            last = d * c;
            product *= last;
        }
        if (last - 1.0).abs() < 1e-16 {
            break;
        }
    }
    product
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tails_equal_those_of_scipy() {
        for (successes, trials, chance, at_most, at_least) in [
            (3.0, 10.0, 0.3, 0.649_610_718_400_000_2, 0.617_217_213_600_000_3),
            (0.0, 10.0, 0.3, 0.028_247_524_900_000_005, 1.0),
            (10.0, 10.0, 0.3, 1.0, 5.904_899_999_999_997_5e-6),
            (25.0, 6448.0, 9.0 / 4861.0, 0.999_719_051_809_645_4, 0.000_630_293_329_416_059_6),
            (2.0, 6448.0, 9.0 / 4861.0, 0.000_546_000_367_679_928_8, 0.999_916_231_112_354_4),
            (60.0, 6448.0, 9.0 / 4861.0, 1.0, 3.379_902_624_252_565e-23),
            (30.0, 1e6, 9e-6, 0.999_999_992_070_311_3, 2.764_826_798_192_792e-8),
            (400.0, 1000.0, 0.5, 1.364_232_078_032_973_5e-10, 0.999_999_999_909_915_8),
        ] {
            let (low, high) = tails(successes, trials, chance);
            let close = |found: f64, wanted: f64| (found / wanted - 1.0).abs() < 1e-9;
            assert!(close(low, at_most) && close(high, at_least), "{successes} of {trials}: {low}, {high}");
        }
    }

    #[test]
    fn tails_are_the_sums_of_what_they_are_made_of() {
        for (trials, chance) in [(1_u32, 0.5_f64), (7, 0.2), (20, 0.9), (33, 0.01)] {
            let mut term = (1.0 - chance).powi(trials as i32);
            let mut terms = Vec::new();
            for successes in 0..=trials {
                terms.push(term);
                term *= f64::from(trials - successes) / f64::from(successes + 1) * chance / (1.0 - chance);
            }
            for successes in 0..=trials {
                let (low, high) = tails(f64::from(successes), f64::from(trials), chance);
                let split = successes as usize;
                assert!((low - terms[..=split].iter().sum::<f64>()).abs() < 1e-12, "{successes} of {trials}");
                assert!((high - terms[split..].iter().sum::<f64>()).abs() < 1e-12, "{successes} of {trials}");
            }
        }
    }

    #[test]
    fn what_cannot_and_what_must_happen() {
        assert_eq!(tails(0.0, 0.0, 0.5), (1.0, 1.0));
        assert_eq!(tails(0.0, 5.0, 0.0), (1.0, 1.0));
        assert_eq!(tails(5.0, 5.0, 1.0), (1.0, 1.0));
        assert_eq!(tails(4.0, 5.0, 1.0), (0.0, 1.0));
        assert_eq!(tails(1.0, 5.0, 0.0), (1.0, 0.0));
    }
}
