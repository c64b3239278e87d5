//! Isopleths: the areas at or above levels of a density.
//!
//! # Question
//! Which areas hold the densest half of it, or lie above a level?
//!
//! # Definition
//! On the density λ of `kde`, each level t draws {q : λ(q) ≥ t}. The rule says how t is found:
//! `mass:x` the highest-density region: the highest t whose cells with λ ≥ t hold at least x of the sum over all cells, so
//! that no smaller set of cells holds as much; `value:v` t = v; `quantile:x` the value that a share x of the cells of the study area lies
//! below; `sd:k` mean + k · standard deviation of the cells. Outlines are traced by marching squares between the centres of
//! the cells, so that exactly the centres at or above t lie inside.
//!
//! # Reference
//! Hyndman 1996, "Computing and Graphing Highest Density Regions", The American Statistician 50, 120-126
//! (doi:10.2307/2684423).
//!
//! # Agrees with
//! The sorted cumulative sum over cells, written down; areas are nested, shares and areas monotone, polygons valid
//! (`tests/isopleths.rs`).
//!
//! # Differs from
//! Home-range packages count the cells only; here the outline is smooth and its area is the polygon's. Some ask for the
//! *outer* per cent: `mass:95%` here is what they call the 95 % isopleth. Incidents are counted in the polygons, mass on the cells.
//!
//! # Units
//! Levels in incidents per km² (or their weights); shares from 0 to 1.
//!
//! # Cost
//! That of `kde`, plus a sort of the cells and one pass over them per level.
//!
//! # Often misunderstood
//! An area that holds half of the mass is not significant by that: half of anything lies somewhere, on an even map in
//! half of the area. And the share is of the smoothed mass: of the incidents themselves a few more or fewer lie inside.

use std::fmt;
use std::str::FromStr;

use brasa_model::{Incidents, Isopleth, Isopleths, Note, Surface, Window, WindowOrigin};
use geo::MultiPolygon;
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::density::{DensityParams, UNITS, of_sites};
use crate::isopleth::isopleth;
use crate::{About, AnalysisError, Sites, Watch};
use brasa_model::as_text;

/// What a reader of the catalogue learns.
pub const ABOUT: About = About {
    question: "Which areas hold the densest half of it, or lie above a level?",
    reference: "Hyndman 1996, doi:10.2307/2684423",
    units: UNITS,
    cost: "that of kde, plus a sort of the cells",
};

/// Parameters of [`isopleths`].
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct IsoplethsParams {
    /// The density to draw.
    #[serde(flatten)]
    pub density: DensityParams,
    /// Which areas: mass:50%,90% (the densest that hold so much), value:10,50 (at or above so many per km²), quantile:90%,95% (of the cells) or sd:1,2,3 (above the mean)
    pub levels: Levels,
}

/// How a level is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// The densest area that holds a share of the mass.
    Mass,
    /// A value in incidents per km².
    Value,
    /// A share of the cells lies below.
    Quantile,
    /// So many standard deviations above the mean of the cells.
    Deviations,
}

const WORDS: [(Rule, &str); 4] =
    [(Rule::Mass, "mass"), (Rule::Value, "value"), (Rule::Quantile, "quantile"), (Rule::Deviations, "sd")];

impl Rule {
    /// Its word.
    pub fn word(self) -> &'static str {
        WORDS.iter().find(|(rule, _)| *rule == self).map_or("", |(_, word)| word)
    }

    const fn takes_shares(self) -> bool {
        matches!(self, Self::Mass | Self::Quantile)
    }

    /// One number of this rule as it is written.
    fn written(self, number: f64) -> String {
        if self.takes_shares() { format!("{number}%") } else { format!("{number}") }
    }
}

/// A rule with its numbers, from the one that draws the widest area to the one that draws the narrowest. Shares are per cent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Levels {
    rule: Rule,
    numbers: Vec<f64>,
}

impl Levels {
    /// The rule.
    pub const fn rule(&self) -> Rule {
        self.rule
    }

    /// Its numbers; shares are per cent.
    pub fn numbers(&self) -> &[f64] {
        &self.numbers
    }
}

impl Default for Levels {
    /// The densest quarter, half and three quarters.
    fn default() -> Self {
        Self { rule: Rule::Mass, numbers: vec![75.0, 50.0, 25.0] }
    }
}

impl FromStr for Levels {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let example = "write one such as mass:50%,90%, value:10,50, quantile:90%,95% or sd:1,2,3";
        let (word, list) =
            text.split_once(':').ok_or_else(|| format!("\"{text}\" names no rule; {example}"))?;
        let rule = WORDS.iter().find(|(_, known)| *known == word.trim()).map(|(rule, _)| *rule);
        let rule = rule.ok_or_else(|| format!("\"{word}\" is not a rule for levels; {example}"))?;
        let one = |part: &str| {
            let part = part.trim();
            let digits = match (rule.takes_shares(), part.strip_suffix('%')) {
                (true, Some(digits)) => digits.trim_end(),
                (true, None) => return Err(format!("\"{part}\" has no unit; write a share such as 50%")),
                (false, _) => part,
            };
            let number: f64 =
                digits.parse().map_err(|_| format!("\"{part}\" is not a number of {word}; {example}"))?;
            let (allowed, what) = match rule {
                Rule::Mass | Rule::Quantile => {
                    (number > 0.0 && number < 100.0, "greater than 0% and less than 100%")
                }
                Rule::Value => (number > 0.0 && number.is_finite(), "finite and greater than 0"),
                Rule::Deviations => (number >= 0.0 && number.is_finite(), "finite and not below 0"),
            };
            if allowed {
                Ok(number)
            } else {
                Err(format!("\"{part}\" is not allowed: a number of {word} must be {what}"))
            }
        };
        let mut numbers = list.split(',').map(one).collect::<Result<Vec<f64>, String>>()?;
        numbers.sort_by(f64::total_cmp);
        if let Some(twice) = numbers.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(format!("{} is given twice", rule.written(twice[0])));
        }
        if rule == Rule::Mass {
            numbers.reverse();
        }
        Ok(Self { rule, numbers })
    }
}

impl fmt::Display for Levels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // As people write them: from the smallest number.
        let mut numbers = self.numbers.clone();
        numbers.sort_by(f64::total_cmp);
        let list: Vec<String> = numbers.iter().map(|&number| self.rule.written(number)).collect();
        write!(f, "{}:{}", self.rule.word(), list.join(","))
    }
}

as_text!(Levels, "RULE:LIST", "examples": ["mass:50%,90%", "value:10,50", "quantile:90%,95%", "sd:1,2,3"]);

/// The areas at or above the levels of the density of `incidents`.
pub fn isopleths(
    incidents: &Incidents,
    params: &IsoplethsParams,
    watch: &Watch,
) -> Result<Isopleths, AnalysisError> {
    if incidents.is_empty() {
        return Err(AnalysisError::NoIncidents);
    }
    let sites = Sites::new(incidents);
    let surface = of_sites(incidents, &sites, &params.density, watch)?;
    let ranked = Ranked::new(&surface);
    if !(ranked.total() > 0.0 && ranked.total().is_finite()) {
        return Err(AnalysisError::Parameter {
            method: "isopleths",
            why: "no cell has its centre within the bandwidth of an incident: give a smaller --cell or a larger --bandwidth"
                .to_owned(),
        });
    }
    let Levels { rule, numbers } = &params.levels;
    let mut notes = surface.notes.clone();
    let mut levels = Vec::with_capacity(numbers.len());
    for &number in numbers {
        let asked = format!("{}:{}", rule.word(), rule.written(number));
        let level = ranked.level(*rule, number);
        if level > ranked.peak() {
            notes.push(
                Note::new("level_not_reached", format!("{asked} is nowhere reached, and left out"))
                    .value(level, UNITS)
                    .reason(format!("the peak is {:.4} {UNITS}", ranked.peak())),
            );
            continue;
        }
        if level <= 0.0 {
            notes.push(
                Note::new("level_everywhere", format!("{asked} is the whole study area"))
                    .value(level, UNITS)
                    .reason("so many cells lie beyond the bandwidth of every incident"),
            );
        }
        let polygons = MultiPolygon::new(isopleth(&surface, level));
        let incidents = weight_inside(&sites, &polygons);
        levels.push(Isopleth { rule: asked, level, share: ranked.share_at(level), incidents, polygons });
    }
    let mut provenance = surface.provenance;
    "isopleths".clone_into(&mut provenance.method);
    if let Some(parameters) = provenance.parameters.as_object_mut() {
        parameters.insert("levels".to_owned(), json!(params.levels));
    }
    Ok(Isopleths { levels, unit: surface.unit, provenance, notes })
}

/// The values of the cells of the study area from the highest, with the running sum.
struct Ranked {
    values: Vec<f64>,
    sums: Vec<f64>,
}

impl Ranked {
    fn new(surface: &Surface) -> Self {
        let mut values: Vec<f64> = surface.grid.cells().map(|cell| surface.value(cell)).collect();
        values.par_sort_unstable_by(|a, b| b.total_cmp(a));
        let mut sum = 0.0;
        let add = |value: &f64| {
            sum += value;
            sum
        };
        let sums = values.iter().map(add).collect();
        Self { values, sums }
    }

    fn peak(&self) -> f64 {
        self.values.first().copied().unwrap_or(0.0)
    }

    fn total(&self) -> f64 {
        self.sums.last().copied().unwrap_or(0.0)
    }

    /// The part of the mass on cells at or above a level.
    fn share_at(&self, level: f64) -> f64 {
        match self.values.partition_point(|&value| value >= level) {
            0 => 0.0,
            count => self.sums[count - 1] / self.total(),
        }
    }

    fn level(&self, rule: Rule, number: f64) -> f64 {
        let last = self.values.len() - 1;
        match rule {
            Rule::Value => number,
            Rule::Mass => {
                let wanted = number / 100.0 * self.total();
                self.values[self.sums.partition_point(|&sum| sum < wanted).min(last)]
            }
            Rule::Quantile => {
                // So many of the highest are at or above: at least one.
                let above = ((1.0 - number / 100.0) * self.values.len() as f64).round() as usize;
                self.values[above.saturating_sub(1).min(last)]
            }
            Rule::Deviations => {
                let n = self.values.len() as f64;
                let mean = self.total() / n;
                let squares: f64 = self.values.iter().map(|value| (value - mean) * (value - mean)).sum();
                mean + number * (squares / n).sqrt()
            }
        }
    }
}

/// The weight of the sites in the polygons.
fn weight_inside(sites: &Sites, polygons: &MultiPolygon<f64>) -> f64 {
    let Ok(area) = Window::of_disjoint(polygons.clone(), WindowOrigin::Given("isopleth".to_owned())) else {
        return 0.0;
    };
    let inside: Vec<bool> = sites.x.par_iter().zip(&sites.y).map(|(&x, &y)| area.contains(x, y)).collect();
    sites.weight.iter().zip(inside).filter(|(_, inside)| *inside).map(|(weight, _)| weight).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_a_rule_and_its_numbers() {
        let levels: Levels = " mass: 90%, 50 %".parse().unwrap();
        assert_eq!((levels.rule(), levels.numbers()), (Rule::Mass, &[90.0, 50.0][..]));
        assert_eq!(levels.to_string(), "mass:50%,90%");
        assert_eq!(Levels::default().to_string(), "mass:25%,50%,75%");
        assert_eq!("sd:3,1".parse::<Levels>().unwrap().numbers(), [1.0, 3.0]);
        for (text, wanted) in [
            ("50%", "names no rule"),
            ("top:50%", "not a rule"),
            ("mass:50", "no unit"),
            ("mass:100%", "less than 100%"),
            ("mass:NaN%", "not allowed"),
            ("mass:", "no unit"),
            ("value:-1", "greater than 0"),
            ("value:inf", "finite"),
            ("value:10%", "not a number"),
            ("quantile:90%,90.0%", "given twice"),
        ] {
            let said = text.parse::<Levels>().unwrap_err();
            assert!(said.contains(wanted), "{text}: {said}");
        }
    }

    #[test]
    fn the_flags_of_the_density_stand_beside_the_levels() {
        let schema = schemars::schema_for!(IsoplethsParams).to_value();
        let names: Vec<&String> = schema["properties"].as_object().unwrap().keys().collect();
        assert_eq!(names, ["kernel", "bandwidth", "cell", "grid", "edge", "levels"]);
        assert_eq!(schema["properties"]["levels"]["default"], "mass:25%,50%,75%");
        assert_eq!(schema["properties"]["kernel"]["default"], "quartic");
        let read = |value| serde_json::from_value::<IsoplethsParams>(value);
        assert_eq!(read(json!({})).unwrap(), IsoplethsParams::default());
        assert_eq!(
            read(json!({"kernel": "gaussian", "levels": "sd:1"})).unwrap().density.kernel,
            crate::kernels::Kernel::Gaussian
        );
        assert!(read(json!({"kernels": "gaussian"})).unwrap_err().to_string().contains("kernels"));
        assert!(read(json!({"bandwidth": "500"})).unwrap_err().to_string().contains("no unit"));
    }
}
