//! A budget: how much ground, street or time there is to share out.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use brasa_model::as_text;

/// What a budget is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resource {
    /// Square kilometres of ground.
    SquareKilometres,
    /// Kilometres of street.
    Kilometres,
    /// Hours of officers.
    Hours,
}

impl Resource {
    /// Its sign, as people read it.
    pub const fn sign(self) -> &'static str {
        match self {
            Self::SquareKilometres => "km²",
            other => other.unit(),
        }
    }

    /// Its unit, as it is typed.
    pub const fn unit(self) -> &'static str {
        match self {
            Self::SquareKilometres => "km2",
            Self::Kilometres => "km",
            Self::Hours => "h",
        }
    }
}

/// An amount of ground, street or officers' time: finite and greater than zero, by construction.
///
/// Written with its unit (`5km2`, `50ha`, `2mi2`, `30km`, `40h`) at every door. Ground is not street: a budget of `30km` buys 30 km of
/// street, however wide the blocks between. Hours are hours of work over the whole plan, two officers for an hour are two.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Budget {
    amount: f64,
    resource: Resource,
}

impl Budget {
    /// So much of a resource, if it is finite and greater than zero.
    pub fn new(amount: f64, resource: Resource) -> Result<Self, String> {
        if amount.is_finite() && amount > 0.0 {
            Ok(Self { amount, resource })
        } else {
            let unit = resource.unit();
            Err(format!(
                "\"{amount}{unit}\" is not allowed: an amount must be finite and greater than 0 {unit}"
            ))
        }
    }

    /// How much, in the unit of its resource.
    pub const fn amount(self) -> f64 {
        self.amount
    }

    /// Of what.
    pub const fn resource(self) -> Resource {
        self.resource
    }
}

/// What may be written, in its resource: how many of that unit one is.
const UNITS: [(&str, Resource, f64); 9] = [
    ("km2", Resource::SquareKilometres, 1.0),
    ("km²", Resource::SquareKilometres, 1.0),
    ("ha", Resource::SquareKilometres, 0.01),
    ("mi2", Resource::SquareKilometres, 2.589_988_110_336),
    ("km", Resource::Kilometres, 1.0),
    ("m", Resource::Kilometres, 0.001),
    ("mi", Resource::Kilometres, 1.609_344),
    ("h", Resource::Hours, 1.0),
    ("min", Resource::Hours, 1.0 / 60.0),
];

impl FromStr for Budget {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        // The longest unit at the end that leaves a number before it.
        let split = |unit: &str| text.strip_suffix(unit)?.trim_end().parse::<f64>().ok();
        let found = UNITS
            .iter()
            .find_map(|&(unit, resource, one)| split(unit).map(|number| (number * one, resource)));
        match found {
            Some((amount, resource)) => Self::new(amount, resource).map_err(|_| {
                format!("\"{text}\" is not allowed: an amount must be finite and greater than 0")
            }),
            None if text.parse::<f64>().is_ok() => {
                Err(format!("\"{text}\" has no unit; write an amount such as 5km2, 30km or 40h"))
            }
            None => Err(format!("\"{text}\" is no amount; write one such as 5km2 or 50ha, 30km or 40h")),
        }
    }
}

impl fmt::Display for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.amount, self.resource.unit())
    }
}

as_text!(Budget, "BUDGET", "examples": ["5km2", "30km", "40h"]);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_reads_its_units() {
        for (text, amount, resource, written) in [
            ("5km2", 5.0, Resource::SquareKilometres, "5km2"),
            ("5 km²", 5.0, Resource::SquareKilometres, "5km2"),
            ("50ha", 0.5, Resource::SquareKilometres, "0.5km2"),
            ("30km", 30.0, Resource::Kilometres, "30km"),
            ("1e3 m", 1.0, Resource::Kilometres, "1km"),
            ("40h", 40.0, Resource::Hours, "40h"),
            ("90min", 1.5, Resource::Hours, "1.5h"),
        ] {
            let budget: Budget = text.parse().unwrap();
            assert_eq!((budget.amount(), budget.resource()), (amount, resource), "{text}");
            assert_eq!(String::from(budget), written);
            assert_eq!(written.parse::<Budget>().unwrap(), budget);
        }
    }

    #[test]
    fn a_budget_refuses_what_is_none() {
        for text in ["", "5", "km2", "0km2", "-1h", "NaNh", "infkm", "5 leguas", "5km3", "1e999km"] {
            assert!(text.parse::<Budget>().is_err(), "{text}");
        }
        assert!("5".parse::<Budget>().unwrap_err().contains("no unit"));
        assert!(serde_json::from_str::<Budget>("5").is_err());
    }
}
