//! The tails of the chi-square law.

/// The chance of a value of at most, and of at least, `value` under the chi-square law with `degrees` of freedom: the
/// incomplete gamma function, by its series where it is small and by its continued fraction where it is not (Abramowitz & Stegun
/// 1964, 6.5.29 and 6.5.31), to about 1e-12.
pub fn tails(value: f64, degrees: f64) -> (f64, f64) {
    let (a, x) = (degrees / 2.0, value / 2.0);
    if x <= 0.0 {
        return (0.0, 1.0);
    }
    let scale = libm::exp(a * libm::log(x) - x - libm::lgamma(a));
    if x < a + 1.0 {
        let (mut term, mut sum, mut n) = (1.0 / a, 1.0 / a, a);
        while term > sum * 1e-17 {
            n += 1.0;
            term *= x / n;
            sum += term;
        }
        let lower = (scale * sum).min(1.0);
        return (lower, 1.0 - lower);
    }
    // Lentz's way of summing up a continued fraction from its beginning.
    let mut b = x + 1.0 - a;
    let mut c = 1.0 / f64::MIN_POSITIVE;
    let mut d = 1.0 / b;
    let mut fraction = d;
    for n in 1..1_000_000_u32 {
        let step = -f64::from(n) * (f64::from(n) - a);
        b += 2.0;
        d = step * d + b;
        c = b + step / c;
        if d.abs() < f64::MIN_POSITIVE {
            d = f64::MIN_POSITIVE;
        }
        if c.abs() < f64::MIN_POSITIVE {
            c = f64::MIN_POSITIVE;
        }
        d = 1.0 / d;
        fraction *= d * c;
        if (d * c - 1.0).abs() < 1e-16 {
            break;
        }
    }
    let upper = (scale * fraction).min(1.0);
    (1.0 - upper, upper)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tails_equal_pchisq_of_r() {
        for (value, degrees, wanted, upper) in [
            (64.6, 24.0, 1.393_030_644_748_232e-5, true),
            (3.2, 11.0, 0.012_190_169_025_814_8, false),
            (1e6, 1e6 - 1.0, 0.500_470_158_011_887_3, false),
            (1200.0, 900.0, 6.586_367_297_779_863e-11, true),
            (0.5, 1.0, 0.479_500_122_186_953_5, true),
        ] {
            let (lower, above) = tails(value, degrees);
            let found = if upper { above } else { lower };
            assert!((found / wanted - 1.0).abs() < 1e-8, "{value} {degrees}: {found} against {wanted}");
            assert!((lower + above - 1.0).abs() < 1e-12);
        }
        assert_eq!(tails(0.0, 5.0), (0.0, 1.0));
        let (_, far) = tails(1_181.195_227_341_193_7, 19.0);
        assert!((far / (1.965_154_546_786_718e-238 / 2.0) - 1.0).abs() < 1e-8, "{far}");
    }
}
