//! A value or a rule: what a user may leave to brasa, and how brasa then decides.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

use brasa_model::{Incidents, Metres, Note, Provenance, UnitError};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::bandwidth::Rule;
use crate::k_distances::CoreShare;
use crate::kernels::Kernel;
use crate::{AnalysisError, Sites, Watch};
use brasa_model::as_text;

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
    /// As wide as the neighbourhood in which significance is tested: 2.5 cells. The default, because a hotspot's outline
    /// and its significance then speak of the same surroundings, and because no rule that reads the data is right for most
    /// cities: closed forms take a city for one cloud, criteria follow single addresses or whole districts.
    #[default]
    Neighbourhood,
    /// A rule of [`crate::bandwidth`].
    Rule(Rule),
}

/// A bandwidth that was decided.
#[derive(Debug, Clone, PartialEq)]
pub struct Chosen {
    /// The bandwidth in the kernel's own meaning.
    pub radius: Metres,
    /// What is to be announced: the choice, and a search that ended at its limit.
    pub notes: Vec<Note>,
    /// For the provenance: the rule, σ and, of a criterion, its curve.
    record: Option<Value>,
}

impl Chosen {
    /// Keeps the rule and what it looked at in a provenance.
    pub fn record_in(&self, provenance: &mut Provenance) {
        if let Some(record) = &self.record {
            provenance.parameters["bandwidth_rule"] = record.clone();
        }
    }
}

impl Bandwidth {
    /// Decides on the bandwidth; a rule is announced by a note.
    pub fn resolve(
        &self,
        cell: Metres,
        kernel: Kernel,
        incidents: &Incidents,
        sites: &Sites,
        watch: &Watch,
    ) -> Result<Chosen, AnalysisError> {
        let (deviation, name, reason, warning, record) = match self {
            Self::Length(length) => {
                return Ok(Chosen { radius: *length, notes: Vec::new(), record: None });
            }
            Self::Neighbourhood => {
                let deviation = 2.5 * cell.get() / 8.0_f64.sqrt();
                let reason = format!(
                    "it spreads an incident as far as a cell of {cell} and its eight neighbours do, in which significance is tested: 2.5 cells of the quartic kernel"
                );
                (
                    deviation,
                    NEIGHBOURHOOD,
                    reason,
                    None,
                    json!({ "rule": NEIGHBOURHOOD, "sigma_m": deviation }),
                )
            }
            Self::Rule(rule) => {
                let selection = rule.select(sites, &incidents.window, watch)?;
                let reason = format!(
                    "{rule} chose a standard deviation of {:.1} m: {}",
                    selection.sigma,
                    rule.reason()
                );
                (selection.sigma, rule.word(), reason, selection.note(), selection.record())
            }
        };
        // A rule's answer is no more exact than a millimetre.
        let radius = (kernel.radius_of_deviation(deviation) * 1000.0).round() / 1000.0;
        let radius = Metres::new(radius).map_err(|_| AnalysisError::RuleFailed {
            rule: name,
            what: "bandwidth",
            why: "it is below a millimetre".to_owned(),
        })?;
        let meaning = kernel.bandwidth_meaning();
        let note = Note::new(
            "bandwidth_chosen",
            format!("bandwidth of {:.0} m ({meaning}), by {name}", radius.get()),
        )
        .value(radius.get(), "m")
        .reason(format!("{reason}; --bandwidth sets another"));
        Ok(Chosen { radius, notes: std::iter::once(note).chain(warning).collect(), record: Some(record) })
    }
}

/// The radius within which incidents are neighbours. A claim about the data, so that there is no default: leaving it to a rule
/// is to be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Eps {
    /// So many metres.
    Length(Metres),
    /// The knee of the k-distances.
    Auto,
}

impl From<Metres> for Eps {
    fn from(length: Metres) -> Self {
        Self::Length(length)
    }
}

impl Eps {
    /// The radius, and the note that announces it when the rule chose it from the curve of core shares.
    pub fn resolve(
        self,
        min_points: NonZeroU32,
        curve: impl FnOnce() -> Result<CoreShare, AnalysisError>,
    ) -> Result<(Metres, Option<Note>), AnalysisError> {
        if let Self::Length(length) = self {
            return Ok((length, None));
        }
        let (knee, share) = curve()?.at_knee()?;
        // Up to a millimetre, so that the incident at the knee is a core.
        let eps = Metres::new((knee * 1000.0).ceil() / 1000.0).map_err(|error| {
            AnalysisError::RuleFailed { rule: "auto", what: "eps", why: error.to_string() }
        })?;
        let doubt = if share < NEARLY_ALL {
            ""
        } else {
            "; with so many cores clusters may have run into one another, which a larger --min-points undoes"
        };
        let note = Note::new("eps_chosen", format!("eps of {eps}, the knee of the {min_points}-distances"))
            .value(eps.get(), "m")
            .reason(format!(
                "{:.0} % of the incidents have {min_points} within it, and beyond it each metre wins fewer; k-distance shows the curve, --eps sets another{doubt}",
                100.0 * share
            ));
        Ok((eps, Some(note)))
    }
}

/// Where so large a share of the incidents are cores, hardly anything may be left to part one cluster from the next.
const NEARLY_ALL: f64 = 0.9;

/// The words of [`Eps`].
const RADII: [(&str, Eps); 1] = [("auto", Eps::Auto)];

/// The words of [`CellSize`].
const CELLS: [(&str, CellSize); 1] = [("spacing", CellSize::Spacing)];

/// The word of the default.
const NEIGHBOURHOOD: &str = "neighbourhood";

/// The words of [`Bandwidth`].
const BANDWIDTHS: [(&str, Bandwidth); 1 + Rule::ALL.len()] = {
    let mut words = [(NEIGHBOURHOOD, Bandwidth::Neighbourhood); 1 + Rule::ALL.len()];
    let mut at = 0;
    while at < Rule::ALL.len() {
        words[at + 1] = (Rule::ALL[at].word(), Bandwidth::Rule(Rule::ALL[at]));
        at += 1;
    }
    words
};

/// A choice that is written as a length or as one of a few words.
macro_rules! length_or_rule {
    ($type:ident, $schema:literal, $words:expr) => {
        impl FromStr for $type {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, String> {
                if let Some((_, choice)) = $words.iter().find(|(word, _)| *word == text.trim()) {
                    return Ok(*choice);
                }
                text.parse().map(Self::Length).map_err(|error: UnitError| match error {
                    UnitError::NotANumber(text) => {
                        let words = $words.map(|(word, _)| word).join(", ");
                        format!("\"{text}\" is neither a length such as 500m nor a rule ({words})")
                    }
                    other => other.to_string(),
                })
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    Self::Length(length) => f.write_str(&String::from(*length)),
                    rule => f.write_str($words.iter().find(|(_, choice)| choice == rule).map_or("", |(word, _)| word)),
                }
            }
        }

        as_text!($type, $schema, "examples": std::iter::once("500m").chain($words.map(|(word, _)| word)).collect::<Vec<_>>());
    };
}

length_or_rule!(CellSize, "LENGTH|spacing", CELLS);
length_or_rule!(Bandwidth, "LENGTH|RULE", BANDWIDTHS);
length_or_rule!(Eps, "LENGTH|auto", RADII);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_is_a_length_or_a_word() {
        assert_eq!("500m".parse::<Bandwidth>().unwrap(), Bandwidth::Length(Metres::new(500.0).unwrap()));
        for rule in Rule::ALL {
            assert_eq!(rule.word().parse::<Bandwidth>().unwrap(), Bandwidth::Rule(rule));
            assert_eq!(Bandwidth::Rule(rule).to_string(), rule.word());
        }
        assert!("silver man".parse::<Bandwidth>().unwrap_err().contains("neighbourhood, scott"));
        assert!("500".parse::<Bandwidth>().unwrap_err().contains("no unit"));
        assert!("-1m".parse::<CellSize>().unwrap_err().contains("greater than 0"));
    }
}
