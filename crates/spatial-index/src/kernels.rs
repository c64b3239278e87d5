//! Kernels: how an incident's weight spreads over its surroundings.

use std::f64::consts::PI;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use brasa_model::as_text;

/// The shape of the spread around an incident, as a function of u = distance / bandwidth.
///
/// "Bandwidth" is the support radius h for the kernels that have one, and the standard deviation σ on one axis for the
/// Gaussian. To compare kernels, compare their standard deviation on one axis: [`Kernel::radius_of_deviation`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Kernel {
    /// 1 within the bandwidth.
    Uniform,
    /// 1 − u.
    Triangular,
    /// 1 − u².
    Epanechnikov,
    /// (1 − u²)².
    #[default]
    Quartic,
    /// (1 − u²)³.
    Triweight,
    /// exp(−u²/2); the bandwidth is the standard deviation.
    Gaussian,
}

impl Kernel {
    /// Every kernel with its word.
    pub const ALL: [(Self, &'static str); 6] = [
        (Self::Uniform, "uniform"),
        (Self::Triangular, "triangular"),
        (Self::Epanechnikov, "epanechnikov"),
        (Self::Quartic, "quartic"),
        (Self::Triweight, "triweight"),
        (Self::Gaussian, "gaussian"),
    ];

    /// The kernel's value, 1 at the centre. `u2` is (distance / bandwidth)².
    pub fn value(self, u2: f64) -> f64 {
        let rest = (1.0 - u2).max(0.0);
        match self {
            Self::Uniform => f64::from(u2 <= 1.0),
            Self::Triangular => (1.0 - u2.sqrt()).max(0.0),
            Self::Epanechnikov => rest,
            Self::Quartic => rest * rest,
            Self::Triweight => rest * rest * rest,
            Self::Gaussian => libm::exp(-0.5 * u2),
        }
    }

    /// The factor that makes the kernel's mass one, for a bandwidth of one: ∫∫ factor · K = 1.
    pub fn factor(self) -> f64 {
        match self {
            Self::Uniform => 1.0 / PI,
            Self::Triangular | Self::Quartic => 3.0 / PI,
            Self::Epanechnikov => 2.0 / PI,
            Self::Triweight => 4.0 / PI,
            Self::Gaussian => 0.5 / PI,
        }
    }

    /// The bandwidth whose kernel has this standard deviation on one axis. Rules of choice speak of deviations.
    pub fn radius_of_deviation(self, deviation: f64) -> f64 {
        let squared: f64 = match self {
            Self::Uniform => 4.0,
            Self::Triangular => 20.0 / 3.0,
            Self::Epanechnikov => 6.0,
            Self::Quartic => 8.0,
            Self::Triweight => 10.0,
            Self::Gaussian => 1.0,
        };
        deviation * squared.sqrt()
    }

    /// What the bandwidth of this kernel means.
    pub const fn bandwidth_meaning(self) -> &'static str {
        match self {
            Self::Gaussian => "standard deviation",
            _ => "support radius",
        }
    }

    /// How far the kernel reaches, in bandwidths. The Gaussian is cut where it has fallen to 1.3e-14 of its centre, save where
    /// [`kernel_sums`](crate::kernel_sums::kernel_sums) goes by a lattice.
    pub const fn reach(self) -> f64 {
        match self {
            Self::Gaussian => 8.0,
            _ => 1.0,
        }
    }
}

impl FromStr for Kernel {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.iter().find(|(_, word)| *word == text.trim());
        found.map(|(kernel, _)| *kernel).ok_or_else(|| {
            let words: Vec<&str> = Self::ALL.iter().map(|(_, word)| *word).collect();
            format!("\"{text}\" is not a kernel: {}", words.join(", "))
        })
    }
}

as_text!(Kernel, "KERNEL", "enum": Self::ALL.map(|(_, word)| word));

impl fmt::Display for Kernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Self::ALL.iter().find(|(kernel, _)| kernel == self).map_or("", |(_, word)| word))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// ∫ f(u) u du over the reach by the midpoint rule; by symmetry the plane's integral is 2π of it.
    fn radial(kernel: Kernel, power: i32) -> f64 {
        let steps = 400_000;
        let width = kernel.reach() / f64::from(steps);
        (0..steps)
            .map(|step| {
                let u = (f64::from(step) + 0.5) * width;
                kernel.value(u * u) * u.powi(power) * width
            })
            .sum()
    }

    #[test]
    fn every_kernel_has_mass_one_and_the_deviation_it_says() {
        for (kernel, word) in Kernel::ALL {
            let mass = 2.0 * PI * kernel.factor() * radial(kernel, 1);
            assert!((mass - 1.0).abs() < 1e-9, "{word}: {mass}");
            // E[x²] on one axis is half of E[r²].
            let deviation = (0.5 * radial(kernel, 3) / radial(kernel, 1)).sqrt();
            assert!((kernel.radius_of_deviation(deviation) - 1.0).abs() < 1e-9, "{word}: {deviation}");
        }
    }

    #[test]
    fn a_kernel_is_read_by_its_word() {
        assert_eq!("epanechnikov".parse::<Kernel>().unwrap(), Kernel::Epanechnikov);
        assert!("biweight".parse::<Kernel>().unwrap_err().contains("quartic"));
    }
}
