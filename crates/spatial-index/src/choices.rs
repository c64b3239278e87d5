//! A value or a rule: what a user may leave to brasa, and how brasa then decides.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use brasa_model::{Incidents, Metres, Note, UnitError};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::kernels::Kernel;
use crate::{AnalysisError, Sites};

/// The side of a grid cell: a length, or the mean spacing of the places.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum CellSize {
    /// So many metres.
    Length(Metres),
    /// √(A/n), rounded down to a round length, never below 100 m.
    #[default]
    Spacing,
}

/// The least cell the rule chooses. Geocodes are exact to a house number or a street block; a finer grid
/// would draw the geocoder, not the city.
const LEAST_CELL: f64 = 100.0;

impl CellSize {
    /// The cell, and the note that announces it when a rule chose it.
    ///
    /// The mean spacing √(A/n) of n places on an area A is twice the distance that Clark & Evans 1954
    /// (doi:10.2307/1931034) expect to the nearest neighbour under randomness. A zone then holds one place on average
    /// and its neighbourhood of nine zones nine, enough for the normal law to be a guide, and no coarser than that needs.
    /// Places, not incidents: a stack of a thousand says nothing about where the others are.
    pub fn resolve(
        &self,
        incidents: &Incidents,
        sites: &Sites,
    ) -> Result<(Metres, Option<Note>), AnalysisError> {
        match self {
            Self::Length(length) => Ok((*length, None)),
            Self::Spacing => {
                let area = incidents.window.area_km2() * 1e6;
                let failed = |why: &str| AnalysisError::RuleFailed {
                    rule: "spacing",
                    what: "cell",
                    why: why.to_owned(),
                };
                let ideal = Metres::new((area / sites.len() as f64).sqrt())
                    .map_err(|_| failed("there is no place to share the area among"))?;
                let least = Metres::new(LEAST_CELL).map_err(|error| failed(&error.to_string()))?;
                let cell = if ideal < least { least } else { ideal.round_down() };
                let note = Note::new("cell_chosen", format!("cells of {cell}"))
                    .value(cell.get(), "m")
                    .reason(format!(
                        "the mean spacing √(A/n) of {} places on {:.1} km² is {:.0} m, rounded down to a round length of at least {LEAST_CELL:.0} m; --cell sets another",
                        sites.len(),
                        incidents.window.area_km2(),
                        ideal.get(),
                    ));
                Ok((cell, Some(note)))
            }
        }
    }
}

/// How far a kernel reaches: a length in the kernel's own meaning, or a named rule.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Bandwidth {
    /// So many metres.
    Length(Metres),
    /// As wide as the neighbourhood in which significance is tested: 2.5 cells.
    #[default]
    Neighbourhood,
    /// Scott's rule.
    Scott,
}

impl Bandwidth {
    /// The bandwidth in the kernel's own meaning, and the note that announces it when a rule chose it.
    pub fn resolve(
        &self,
        cell: Metres,
        kernel: Kernel,
        sites: &Sites,
    ) -> Result<(Metres, Option<Note>), AnalysisError> {
        let (deviation, name, reason) = match self {
            Self::Length(length) => return Ok((*length, None)),
            Self::Neighbourhood => (
                2.5 * cell.get() / 8.0_f64.sqrt(),
                "neighbourhood",
                format!(
                    "it spreads an incident as far as a cell of {cell} and its eight neighbours do, in which significance is tested: 2.5 cells of the quartic kernel"
                ),
            ),
            Self::Scott => (
                scott(sites),
                "scott",
                "Scott's rule; it smooths a city with several centres more than a map of hotspots wants"
                    .to_owned(),
            ),
        };
        // A rule's answer is no more exact than a millimetre.
        let radius = (kernel.radius_of_deviation(deviation) * 1000.0).round() / 1000.0;
        let radius = Metres::new(radius).map_err(|_| AnalysisError::RuleFailed {
            rule: name,
            what: "bandwidth",
            why: "all incidents are in one place".to_owned(),
        })?;
        let meaning = kernel.bandwidth_meaning();
        let note = Note::new("bandwidth_chosen", format!("bandwidth of {:.0} m ({meaning})", radius.get()))
            .value(radius.get(), "m")
            .reason(format!("{reason}; --bandwidth sets another"));
        Ok((radius, Some(note)))
    }
}

/// Scott's rule (Scott 1992, "Multivariate Density Estimation", p. 152) per axis: sd · n^(−1/6), x then y.
pub fn scott_axes(sites: &Sites) -> (f64, f64) {
    let n = sites.total_weight();
    let spread = |values: &[f64]| {
        let pairs = || values.iter().zip(&sites.weight);
        let mean = pairs().map(|(value, weight)| value * weight).sum::<f64>() / n;
        (pairs().map(|(value, weight)| weight * (value - mean) * (value - mean)).sum::<f64>() / (n - 1.0))
            .sqrt()
    };
    let shrink = libm::pow(n, -1.0 / 6.0);
    (spread(&sites.x) * shrink, spread(&sites.y) * shrink)
}

/// One bandwidth for both axes: the root of the mean of the two squares. Both axes count.
fn scott(sites: &Sites) -> f64 {
    let (x, y) = scott_axes(sites);
    ((x * x + y * y) / 2.0).sqrt()
}

/// A choice that is written as a length or as one of a few words.
macro_rules! length_or_rule {
    ($type:ident, $schema:literal, $($word:literal => $rule:ident),+) => {
        impl FromStr for $type {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, String> {
                match text.trim() {
                    $($word => Ok(Self::$rule),)+
                    other => other.parse().map(Self::Length).map_err(|error: UnitError| match error {
                        UnitError::NotANumber(text) => {
                            format!("\"{text}\" is neither a length such as 500m nor a rule ({})", [$($word),+].join(", "))
                        }
                        other => other.to_string(),
                    }),
                }
            }
        }

        impl TryFrom<String> for $type {
            type Error = String;

            fn try_from(text: String) -> Result<Self, String> {
                text.parse()
            }
        }

        impl From<$type> for String {
            fn from(choice: $type) -> Self {
                choice.to_string()
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    Self::Length(length) => f.write_str(&String::from(*length)),
                    $(Self::$rule => f.write_str($word),)+
                }
            }
        }

        impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "title": $schema, "examples": ["500m", $($word),+] })
            }
        }
    };
}

length_or_rule!(CellSize, "LENGTH|spacing", "spacing" => Spacing);
length_or_rule!(Bandwidth, "LENGTH|RULE", "neighbourhood" => Neighbourhood, "scott" => Scott);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_is_a_length_or_a_word() {
        assert_eq!("500m".parse::<Bandwidth>().unwrap(), Bandwidth::Length(Metres::new(500.0).unwrap()));
        assert_eq!("scott".parse::<Bandwidth>().unwrap(), Bandwidth::Scott);
        assert!("silver man".parse::<Bandwidth>().unwrap_err().contains("neighbourhood, scott"));
        assert!("500".parse::<Bandwidth>().unwrap_err().contains("no unit"));
        assert!("-1m".parse::<CellSize>().unwrap_err().contains("greater than 0"));
    }
}
