//! Relative risk: where one pattern has more than its share, against another.
//!
//! # Question
//! Where is one kind of incident (or this year's) over-represented against the others (or last year's)?
//!
//! # Definition
//! ρ(u) = ln f̂(u) − ln ĝ(u): f̂ is the kernel density of the cases, ĝ that of the controls, both with one bandwidth, each
//! scaled to mass one on the raster. Where there are no cases or no controls to speak of (the kernel's sum is less than a
//! billionth of what one incident on the spot adds) ρ is not defined: NaN, never infinity. Under "no difference",
//! z(u) = ρ(u)/s(u) with s²(u) = R(u)/λ̂(u) · (1/n₁ + 1/n₂), where R(u) = ∫k²/(∫k)² over the study area, k is the kernel
//! of the bandwidth h at u, λ̂ the density of all, of mass one and corrected for the edge, and n = (Σw)²/Σw², the number of incidents
//! where each weighs the same. Against `all`, the controls hold the cases: s is multiplied by the controls' share of the
//! weight that is not theirs. Without `permutations` p is the upper (and the lower) tail of the normal law at z. With them,
//! the incidents keep their places and weights and the labels are dealt anew: p = (M + 1)/(R + 1), where M of R dealings give
//! a ratio at least as high (or as low). Contours surround p ≤ 0.05 and p ≤ 0.01 of each tail.
//!
//! # Reference
//! Kelsall & Diggle 1995, doi:10.2307/3318682 (the ratio, and why one bandwidth: what edge and kernel distort cancels);
//! Davies & Hazelton 2010, doi:10.1002/sim.3995; the asymptotic p of a fixed bandwidth: Hazelton & Davies 2009,
//! doi:10.1002/bimj.200810495.
//!
//! # Agrees with
//! Sums written in R to 1e-10, and sparr to what its pixels allow (0.04 in ρ, 0.06 in z), on larynx against lung in Chorley
//! (`tests/conformance.rs`); its definition, and z and dealt p under random labels (`tests/properties.rs`). By hand on
//! sparr's pbc (h 5 km): ρ from −14.83 to 0.554 (sparr: −14.80 to 0.558).
//!
//! # Differs from
//! sparr bins the points to pixels. It keeps −∞ where there are no cases; here that is NaN. It gives the upper tail alone,
//! and takes the bandwidth of Terrell's oversmoothing where none is given. Adaptive bandwidths are not offered here.
//!
//! # Units
//! Natural logarithm of a ratio: 0.69 is twice the share.
//!
//! # Cost
//! Places × cells within the bandwidth, once more for each permutation.
//!
//! # Often misunderstood
//! It compares shares, not numbers: if everything doubled everywhere, ρ is 0. It is not the risk of a person. p is one-sided
//! and cell by cell: of a hundred places with no difference five are inside the contour of 0.05. Against the rest, more of one kind
//! may as well be less of the others.

use std::borrow::Cow;
use std::str::FromStr;

use brasa_model::{Contour, Grid, Incidents, Metres, Note, Provenance, Risk, Surface, Tail};
use ndarray::Array2;
use rayon::prelude::*;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::bandwidth::Rule;
use crate::chance::Chance;
use crate::edge::{Edge, mass_at_centres, mass_at_places, square_at_centres};
use crate::isopleth::isopleth;
use crate::kernel_sums::{Places, relative_sums};
use crate::kernels::Kernel;
use crate::selection::{Selection, kinds_there_are};
use crate::{About, AnalysisError, Bandwidth, CellSize, Sites, Watch};

/// What a reader of the catalogue learns.
pub const ABOUT: About = About {
    question: "Where has one kind, or one period, more than its share?",
    reference: "Kelsall & Diggle 1995, doi:10.2307/3318682",
    units: "natural logarithm of a ratio",
    cost: "places × cells within the bandwidth, once more per permutation",
};

/// The levels of the tolerance contours.
pub const LEVELS: [f64; 2] = [0.05, 0.01];

/// A kernel sum of less than this share of one incident on the spot is nothing to take a ratio of.
const NOTHING: f64 = 1e-9;

/// Two ratios that differ by less than this, relatively, are a tie: they differ by rounding.
const TIE: f64 = 1e-12;

/// Parameters of [`kde_ratio`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct KdeRatioParams {
    /// Which incidents are the cases: kind=A,B or since=DATE or until=DATE, or several separated by ";"
    pub cases: Selection,
    /// What they are compared with: the rest, or all (the cases included)
    #[serde(default)]
    pub against: Against,
    /// How an incident spreads: uniform, triangular, epanechnikov, quartic, triweight or gaussian
    #[serde(default)]
    pub kernel: Kernel,
    /// Bandwidth of both densities: support radius (standard deviation of the gaussian), or a rule that chooses it
    #[serde(default = "scott")]
    pub bandwidth: Bandwidth,
    /// Side of a raster cell, or the rule that chooses it
    #[serde(default)]
    pub cell: CellSize,
    /// Correction for the study area's border: none, uniform or jones-diggle
    #[serde(default = "uniform")]
    pub edge: Edge,
    /// How often the labels are dealt anew for p, such as 999; 0 takes p from the normal law
    #[serde(default)]
    pub permutations: u32,
    /// Where chance begins; the same seed gives the same p
    #[serde(default = "one")]
    pub seed: u64,
}

/// A ratio wants smooth densities: Scott's rule, on all incidents.
const fn scott() -> Bandwidth {
    Bandwidth::Rule(Rule::Scott)
}

/// The correction of the literature; with one bandwidth it nearly cancels.
const fn uniform() -> Edge {
    Edge::Uniform
}

const fn one() -> u64 {
    1
}

impl KdeRatioParams {
    /// The defaults for these cases.
    pub const fn new(cases: Selection) -> Self {
        Self {
            cases,
            against: Against::Rest,
            kernel: Kernel::Quartic,
            bandwidth: scott(),
            cell: CellSize::Spacing,
            edge: uniform(),
            permutations: 0,
            seed: one(),
        }
    }
}

/// What the cases are compared with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Against {
    /// The incidents that are not cases.
    #[default]
    Rest,
    /// All incidents, the cases included.
    All,
}

impl FromStr for Against {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.trim() {
            "rest" => Ok(Self::Rest),
            "all" => Ok(Self::All),
            other => Err(format!("\"{other}\" is neither rest nor all")),
        }
    }
}

impl TryFrom<String> for Against {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Against> for String {
    fn from(against: Against) -> Self {
        match against {
            Against::Rest => "rest",
            Against::All => "all",
        }
        .to_owned()
    }
}

impl JsonSchema for Against {
    fn schema_name() -> Cow<'static, str> {
        "Against".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "title": "rest|all", "enum": ["rest", "all"] })
    }
}

/// The relative risk of the cases among `incidents`, on a grid clipped to their window.
pub fn kde_ratio(
    incidents: &Incidents,
    params: &KdeRatioParams,
    watch: &Watch,
) -> Result<Risk, AnalysisError> {
    if incidents.is_empty() {
        return Err(AnalysisError::NoIncidents);
    }
    let (known, is_case) = known(incidents, &params.cases.of(incidents)?);
    for (side, nobody) in [(true, "a case"), (false, "a control")] {
        let weight = |at: usize| if is_case[at] == side { known.weight_of(at) } else { 0.0 };
        if (0..known.len()).map(weight).all(|weight| weight == 0.0) {
            let chosen = is_case.iter().filter(|&&case| case).count();
            return Err(AnalysisError::NothingSelected {
                why: format!(
                    "no incident is {nobody}: {} chooses {chosen} of {} incidents",
                    params.cases,
                    known.len()
                ),
                help: kinds_there_are(incidents),
            });
        }
    }
    let sites = Sites::new(&known);
    let (cell, cell_note) = params.cell.resolve(&known, &sites)?;
    let grid = Grid::covering(&incidents.window, cell)?;
    let bandwidth = params.bandwidth.resolve(cell, params.kernel, &known, &sites, watch)?;
    let comparison = Comparison {
        against: params.against,
        kernel: params.kernel,
        bandwidth: bandwidth.radius,
        edge: params.edge,
        permutations: params.permutations,
        seed: params.seed,
    };
    let mut risk = on_grid(&known, &is_case, &grid, comparison);
    let bands = [&mut risk.log_ratio, &mut risk.z, &mut risk.p_high, &mut risk.p_low];
    for band in bands {
        band.provenance.parameters["cases"] = json!(params.cases);
    }
    let aside = incidents.len() - known.len();
    let aside = (aside > 0).then(|| {
        Note::new("no_time", format!("{aside} incidents without a known time are neither case nor control"))
            .value(aside as u64, "incidents")
    });
    let chosen: Vec<Note> = cell_note.into_iter().chain(bandwidth.notes).chain(aside).collect();
    risk.log_ratio.notes.splice(0..0, chosen);
    Ok(risk)
}

/// The incidents of which it is known whether they are cases, and whether they are.
fn known(incidents: &Incidents, chosen: &[Option<bool>]) -> (Incidents, Vec<bool>) {
    let (kept, is_case): (Vec<usize>, Vec<bool>) =
        chosen.iter().enumerate().filter_map(|(at, &case)| Some((at, case?))).unzip();
    (incidents.only(&kept), is_case)
}

/// How [`on_grid`] compares cases with controls.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Comparison {
    /// What the cases are compared with.
    pub against: Against,
    /// The kernel.
    pub kernel: Kernel,
    /// The bandwidth of both densities.
    pub bandwidth: Metres,
    /// The correction for the border.
    pub edge: Edge,
    /// How often the labels are dealt anew.
    pub permutations: u32,
    /// Where chance begins.
    pub seed: u64,
}

/// The relative risk on a given grid. `is_case` says of each incident which of the two it is.
pub fn on_grid(incidents: &Incidents, is_case: &[bool], grid: &Grid, comparison: Comparison) -> Risk {
    let pattern = Pattern::new(incidents, is_case, grid, comparison);
    let all = pattern.estimate(pattern.sums(|_| true));
    let cases = pattern.estimate(pattern.sums(|at| pattern.is_case[at]));
    let controls = match comparison.against {
        Against::Rest => pattern.estimate(pattern.sums(|at| !pattern.is_case[at])),
        Against::All => all.clone(),
    };
    let (enough_cases, enough_controls) = pattern.enough();
    let log_ratio: Vec<f64> = cases
        .sums
        .iter()
        .zip(&controls.sums)
        .map(|(&case, &control)| {
            if case > enough_cases && control > enough_controls {
                libm::log(case / cases.total) - libm::log(control / controls.total)
            } else {
                f64::NAN
            }
        })
        .collect();
    let z: Vec<f64> =
        log_ratio.iter().zip(pattern.deviations(&all)).map(|(ratio, deviation)| ratio / deviation).collect();
    let [p_high, p_low] = if comparison.permutations == 0 {
        [1.0, -1.0].map(|tail| z.iter().map(|z| upper_p(tail * z)).collect())
    } else {
        pattern.dealt_anew(&all)
    };

    let mut provenance = Provenance::new(
        "kde-ratio",
        json!({
            "against": comparison.against,
            "kernel": comparison.kernel,
            "bandwidth": comparison.bandwidth,
            "bandwidth_meaning": comparison.kernel.bandwidth_meaning(),
            "cell": grid.cell(),
            "edge": comparison.edge,
            "permutations": comparison.permutations,
        }),
    );
    provenance.seed = (comparison.permutations > 0).then_some(comparison.seed);
    let notes = pattern.notes(&log_ratio);
    let surface = |values: &[f64], unit: &str| {
        let mut on_cells = Array2::from_elem((grid.ny(), grid.nx()), f64::NAN);
        for ((cell, value), ratio) in grid.cells().zip(values).zip(&log_ratio) {
            if !ratio.is_nan() {
                on_cells[(cell / grid.nx(), cell % grid.nx())] = *value;
            }
        }
        Surface {
            grid: grid.clone(),
            values: on_cells,
            unit: unit.to_owned(),
            provenance: provenance.clone(),
            notes: Vec::new(),
        }
    };
    let (p_high, p_low) = (surface(&p_high, ""), surface(&p_low, ""));
    let contours = [(Tail::High, &p_high), (Tail::Low, &p_low)]
        .into_iter()
        .flat_map(|(tail, p)| {
            let sure = p.clone().scaled(-1.0, "");
            LEVELS.map(|level| isopleth(&sure, -level).into_iter().map(move |outline| (tail, level, outline)))
        })
        .flatten()
        .map(|(tail, level, outline)| Contour { tail, level, outline })
        .collect();
    let log_ratio = Surface { notes, ..surface(&log_ratio, ABOUT.units) };
    Risk { log_ratio, z: surface(&z, "standard deviations"), p_high, p_low, contours }
}

/// The chance that a standard normal value is at least `z`.
fn upper_p(z: f64) -> f64 {
    0.5 * libm::erfc(z / std::f64::consts::SQRT_2)
}

/// Kernel sums at the cells inside the window, and what they add up to once the edge is corrected: one over the other is a
/// density of mass one, in incidents per cell.
#[derive(Debug, Clone)]
struct Estimate {
    sums: Vec<f64>,
    total: f64,
}

impl Estimate {
    /// This density times another, cell by cell. Two ratios a/b and c/d are compared as a·d and c·b, so that no 0 divides.
    fn times(&self, other: &Self) -> impl Iterator<Item = f64> {
        self.sums.iter().zip(&other.sums).map(|(a, b)| a / self.total * (b / other.total))
    }
}

/// Incidents with labels, in an order that depends neither on the rows of the file nor on the labels.
struct Pattern<'a> {
    grid: &'a Grid,
    comparison: Comparison,
    sites: Sites,
    /// Per incident: its site, its weight, and whether it is a case.
    site: Vec<u32>,
    weight: Vec<f64>,
    is_case: Vec<bool>,
    /// Per site, what Jones and Diggle multiply its weight by.
    share: Option<Vec<f64>>,
    /// Per cell inside, the mass that a kernel there keeps inside.
    kept: Vec<f64>,
}

impl<'a> Pattern<'a> {
    fn new(incidents: &Incidents, is_case: &[bool], grid: &'a Grid, comparison: Comparison) -> Self {
        let (kernel, h) = (comparison.kernel, comparison.bandwidth.get());
        let sites = Sites::new(incidents);
        let mut order: Vec<usize> = (0..incidents.len()).collect();
        order.par_sort_by(|&a, &b| {
            let weights = || incidents.weight_of(a).total_cmp(&incidents.weight_of(b));
            sites.of_incident[a].cmp(&sites.of_incident[b]).then_with(weights)
        });
        let share = (comparison.edge == Edge::JonesDiggle).then(|| {
            // A place whose kernel holds no centre of a cell has no mass to share out.
            let share = |mass: f64| if mass > 0.0 { 1.0 / mass } else { 0.0 };
            mass_at_places(sites.places(), grid, kernel, h).into_iter().map(share).collect()
        });
        let kept = mass_at_centres(grid, kernel, h);
        Self {
            grid,
            comparison,
            site: order.iter().map(|&at| sites.of_incident[at]).collect(),
            weight: order.iter().map(|&at| incidents.weight_of(at)).collect(),
            is_case: order.iter().map(|&at| is_case[at]).collect(),
            sites,
            share,
            kept: grid.cells().map(|cell| kept[cell]).collect(),
        }
    }

    /// The kernel sums of the incidents that are taken, at the cells inside.
    fn sums(&self, taken: impl Fn(usize) -> bool) -> Vec<f64> {
        let mut at_site = vec![0.0; self.sites.len()];
        for at in (0..self.weight.len()).filter(|&at| taken(at)) {
            at_site[self.site[at] as usize] += self.weight[at];
        }
        let (mut x, mut y, mut weight) = (Vec::new(), Vec::new(), Vec::new());
        for (site, &sum) in at_site.iter().enumerate().filter(|(_, sum)| **sum > 0.0) {
            x.push(self.sites.x[site]);
            y.push(self.sites.y[site]);
            weight.push(sum * self.share.as_ref().map_or(1.0, |share| share[site]));
        }
        let places = Places { x: &x, y: &y, weight: Some(&weight) };
        // Far from every case the ratio is one of two small numbers, so each cell must be right by its own measure.
        let sums = relative_sums(places, self.grid, self.comparison.kernel, self.comparison.bandwidth.get());
        self.grid.cells().map(|cell| sums[cell]).collect()
    }

    /// The sums with their total, in which every cell is corrected for the edge. In the ratio of two sums at one cell that
    /// correction cancels.
    fn estimate(&self, sums: Vec<f64>) -> Estimate {
        let total = match self.comparison.edge {
            Edge::Uniform => sums.iter().zip(&self.kept).map(|(sum, kept)| sum / kept).sum(),
            Edge::None | Edge::JonesDiggle => sums.iter().sum(),
        };
        Estimate { sums, total }
    }

    /// Incidents and weight of the cases, then of the rest, and Σw² of both.
    fn counts(&self) -> [(usize, f64, f64); 2] {
        [true, false].map(|side| {
            let of_side = self.weight.iter().zip(&self.is_case).filter(|(_, case)| **case == side);
            of_side.fold((0, 0.0, 0.0), |(n, sum, squares), (w, _)| (n + 1, sum + w, squares + w * w))
        })
    }

    /// What a sum of the cases and one of the controls must exceed to speak of.
    fn enough(&self) -> (f64, f64) {
        let [(n, weight, _), (rest, others, _)] = self.counts();
        let mean = |weight: f64, n: usize| NOTHING * weight / n.max(1) as f64;
        match self.comparison.against {
            Against::Rest => (mean(weight, n), mean(others, rest)),
            Against::All => (mean(weight, n), mean(weight + others, n + rest)),
        }
    }

    /// The standard deviation of the log-ratio at each cell inside, were there no difference.
    fn deviations(&self, all: &Estimate) -> Vec<f64> {
        let (kernel, h) = (self.comparison.kernel, self.comparison.bandwidth.get());
        let [(_, weight, squares), (_, others, other_squares)] = self.counts();
        let spread = squares / (weight * weight) + other_squares / (others * others);
        let apart = match self.comparison.against {
            Against::Rest => 1.0,
            // ln f − ln (πf + (1 − π)g) is (1 − π)(ln f − ln g) to first order.
            Against::All => others / (weight + others),
        };
        // Without correction the density is too low at the border by what a kernel loses there.
        let corrected: Vec<f64> = match self.comparison.edge {
            Edge::JonesDiggle => all.sums.clone(),
            Edge::None | Edge::Uniform => {
                all.sums.iter().zip(&self.kept).map(|(sum, kept)| sum / kept).collect()
            }
        };
        let mass = corrected.iter().sum::<f64>() * self.grid.cell_km2() * 1e6;
        let squared = square_at_centres(self.grid, kernel, h);
        self.grid
            .cells()
            .zip(corrected)
            .zip(&self.kept)
            .map(|((cell, sum), kept)| apart * (squared[cell] / (kept * kept) / (sum / mass) * spread).sqrt())
            .collect()
    }

    /// p of the upper and of the lower tail: the share of dealings, the observed one among them, whose ratio is at least as
    /// extreme. The smaller side is dealt; the other is what is left of all.
    fn dealt_anew(&self, all: &Estimate) -> [Vec<f64>; 2] {
        let n = self.weight.len();
        let cases = self.is_case.iter().filter(|&&case| case).count();
        let deals_cases = cases <= n - cases;
        let sides = |dealt: Vec<f64>| {
            let left = all.sums.iter().zip(&dealt).map(|(all, dealt)| (all - dealt).max(0.0)).collect();
            let (cases, controls) = if deals_cases { (dealt, left) } else { (left, dealt) };
            let controls = match self.comparison.against {
                Against::Rest => self.estimate(controls),
                Against::All => all.clone(),
            };
            (self.estimate(cases), controls)
        };
        let (case, control) = sides(self.sums(|at| self.is_case[at] == deals_cases));
        let counted = |mut counts: Vec<[u32; 2]>, replicate: u64| {
            let taken = Chance::new(self.comparison.seed, replicate).choose(cases.min(n - cases), n);
            let (dealt, against) = sides(self.sums(|at| taken[at]));
            let products = dealt.times(&control).zip(case.times(&against));
            for (counts, (dealt, observed)) in counts.iter_mut().zip(products) {
                counts[0] += u32::from(dealt >= observed * (1.0 - TIE));
                counts[1] += u32::from(dealt * (1.0 - TIE) <= observed);
            }
            counts
        };
        let none = || vec![[0; 2]; all.sums.len()];
        let replicates = self.comparison.permutations;
        // Counts are whole numbers: their sum is the same in any order.
        let counts = (1..=u64::from(replicates)).into_par_iter().fold(none, counted).reduce(none, plus);
        [0, 1].map(|tail| {
            let p = |counts: &[u32; 2]| (f64::from(counts[tail]) + 1.0) / (f64::from(replicates) + 1.0);
            counts.iter().map(p).collect()
        })
    }

    /// What a reader should know.
    fn notes(&self, log_ratio: &[f64]) -> Vec<Note> {
        let [(cases, ..), (rest, ..)] = self.counts();
        let (controls, called) = match self.comparison.against {
            Against::Rest => (rest, "the rest"),
            Against::All => (cases + rest, "all"),
        };
        let mut notes = vec![
            Note::new("compared", format!("{cases} cases against {controls} controls, {called}"))
                .value(json!([cases, controls]), "incidents"),
        ];
        let undefined = log_ratio.iter().filter(|ratio| ratio.is_nan()).count();
        if undefined > 0 {
            notes.push(
                Note::new(
                    "ratio_undefined",
                    format!(
                        "{undefined} of {} cells have no ratio: no cases or no controls reach them",
                        log_ratio.len()
                    ),
                )
                .value(undefined as u64, "cells")
                .reason("a wider --bandwidth or --kernel gaussian reaches further"),
            );
        }
        if self.comparison.permutations == 0 {
            notes.push(
                Note::new(
                    "p_from_normal_law",
                    "p comes from the normal law, which is rough where incidents are few",
                )
                .reason("--permutations 999 takes p from chance"),
            );
        }
        notes
    }
}

fn plus(mut sum: Vec<[u32; 2]>, more: Vec<[u32; 2]>) -> Vec<[u32; 2]> {
    for (sum, more) in sum.iter_mut().zip(more) {
        sum[0] += more[0];
        sum[1] += more[1];
    }
    sum
}
