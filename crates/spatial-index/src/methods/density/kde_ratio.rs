//! Relative risk: where one pattern has more than its share, against another.
//!
//! # Question
//! Where is one kind of incident (or this year's) over-represented against the others (or last year's)?
//!
//! # Definition
//! ρ(u) = ln f̂(u) − ln ĝ(u): f̂ is the kernel density of the cases, ĝ that of the controls, each scaled to mass one on the
//! raster. Both spread an incident alike: with one bandwidth (`spread` fixed), or with the bandwidth of its place (abramson):
//! h = h0 · f̃^(−½)/γ, never wider than `cap` · h0, where f̃ is the density of bandwidth `pilot` of *all* incidents and γ the
//! geometric mean of f̃^(−½) over them. Where there are no cases or no controls to speak of (the kernel's sum is less
//! than a billionth of what one incident on the spot adds) ρ is not defined: NaN, never infinity.
//!
//! Under "no difference", z(u) = ρ(u)/s(u) with s²(u) = R(u)/λ̂(u) · (1/n₁ + 1/n₂), where R(u) = ∫(ck)²/(∫ck)² over the
//! study area, k is the kernel of the bandwidth at u, c(v) what the edge correction multiplies an incident at v by (1, or 1/e(v)
//! with `jones-diggle`), λ̂ the density of all, of mass one and as it would be were the sum of an even pattern even, and n =
//! (Σw)²/Σw², the number of incidents where each weighs the same. Against `all`, the controls hold the cases: s is multiplied by
//! the controls' share of the weight that is not theirs. Without `permutations` p is the upper (and the lower) tail of the normal
//! law at z. With them, the incidents keep their places and weights and the labels are dealt anew: p = (M + 1)/(R + 1),
//! where M of R dealings give a ratio at least as high (or as low). Contours surround p ≤ 0.05 and p ≤ 0.01 of each tail.
//!
//! The bandwidth is one for both, because what kernel and edge distort then cancels. Where none is given it is Terrell's
//! oversmoothing of all incidents: a ratio divides by small numbers, so that too narrow a pen draws single incidents as excess and
//! want, and no pattern of this spread can want a wider one. What still stands out is not for want of smoothing; what is
//! small may be drowned, and then `--bandwidth` is narrower. With abramson the tails, where a ratio is at its worst, are smoothed more
//! and the crowded centre less. The pilot is that of all incidents because two pilots make bandwidths of their own on each
//! side, which a ratio shows as excess and want that are not there; and because labels dealt anew then leave them as they are.
//!
//! # Reference
//! Kelsall & Diggle 1995, doi:10.2307/3318682 (the ratio, and why one bandwidth); the asymptotic p of a fixed bandwidth:
//! Hazelton & Davies 2009, doi:10.1002/bimj.200810495; adaptive bandwidths: Davies & Hazelton 2010, doi:10.1002/sim.3995; with one
//! pilot for both: Davies, Jones & Hazelton 2016, doi:10.1016/j.csda.2016.02.008; Terrell 1990,
//! doi:10.1080/01621459.1990.10476223.
//!
//! # Agrees with
//! Its definition written in base R, in every cell of sparr's pbc, fixed and adaptive, with each edge correction: 1e-10 in ρ, 1e-8
//! in z; and sparr there to what its pixels allow, in ρ half of the cells to 0.025 and all to 0.4 (fixed; from −14.99 to 0.554,
//! sparr: −14.80 to 0.558), to 0.005 and 0.02 (adaptive; from −1.563 to 0.746, sparr: −1.568 to 0.743) (`tests/sparr.rs`, where R
//! is). On Chorley likewise (`tests/conformance.rs`). s is that of labels dealt at random to 5 %, at the border too; p is even
//! under random labels (`tests/properties.rs`).
//!
//! # Differs from
//! sparr bins the points to pixels, keeps −∞ where there are no cases, and gives the upper tail alone. Its oversmoothing shrinks
//! with the geometric mean of both numbers, and its spread is the least of sd and IQR/1.34: on pbc 3.50 km, here 4.95 km.
//! Its adaptive ratio has a pilot for each side unless told `pilot.symmetry = "pooled"`. Its p of an adaptive ratio counts the
//! pilot's own error, 2.5 times the variance, for either; a pooled pilot errs on both sides alike, and here the factor is 1. Its p
//! with Diggle's correction has the variance of the uniform one: s is then some 10 % too wide at a side and 20 % in a corner.
//!
//! # Units
//! Natural logarithm of a ratio: 0.69 is twice the share.
//!
//! # Cost
//! Places × cells within the bandwidth, once more for each permutation. With abramson or `jones-diggle` also cells × cells within
//! the bandwidth, once.
//!
//! # Often misunderstood
//! It compares shares, not numbers: if everything doubled everywhere, ρ is 0. It is not the risk of a person. p is one-sided
//! and cell by cell: of a hundred places with no difference five are inside the contour of 0.05. Against the rest, more of one kind
//! may as well be less of the others. With abramson and an edge correction other than `uniform`, the pilot changes much within a
//! kernel at the border, and z is up to a fifth off there: p then wants permutations.

use brasa_model::{Contour, Grid, Incidents, Metres, Note, Provenance, Risk, Surface, Tail};
use ndarray::Array2;
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::adaptive::{Abramson, Cap, Pilot, densities, of_pilot};
use crate::bandwidth::Rule;
use crate::edge::{
    Edge, mass_at_centres, mass_at_each, mass_at_places, moments_at_centres, shared_out, square_at_centres,
};
use crate::isopleth::isopleth;
use crate::kernel_sums::relative_sums;
use crate::kernels::Kernel;
use crate::selection::{Selection, kinds_there_are};
use crate::sites::Ordered;
use crate::{About, AnalysisError, Bandwidth, CellSize, Sites, Watch};
use brasa_model::Chance;
use brasa_model::as_word;

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
    #[serde(default = "oversmooth")]
    pub bandwidth: Bandwidth,
    /// Whether every incident spreads equally far (fixed), or less far where incidents crowd (abramson)
    #[serde(default)]
    pub spread: Spread,
    /// With --spread abramson, bandwidth of the pilot density of all incidents; the same as --bandwidth when absent
    #[serde(default)]
    #[schemars(title = "LENGTH|RULE")]
    pub pilot: Option<Bandwidth>,
    /// With --spread abramson, widest bandwidth allowed, in multiples of the global one
    #[serde(default)]
    pub cap: Cap,
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

/// A ratio wants smooth densities: the widest that all incidents together can want.
const fn oversmooth() -> Bandwidth {
    Bandwidth::Rule(Rule::TerrellOversmooth)
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
    pub fn new(cases: Selection) -> Self {
        Self {
            cases,
            against: Against::Rest,
            kernel: Kernel::Quartic,
            bandwidth: oversmooth(),
            spread: Spread::Fixed,
            pilot: None,
            cap: Cap::default(),
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

as_word!(Against, Rest = "rest", All = "all");

/// Whether every incident spreads equally far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Spread {
    /// Equally far.
    #[default]
    Fixed,
    /// Less far where incidents crowd: Abramson's square root law, on the density of all incidents.
    Abramson,
}

as_word!(Spread, Fixed = "fixed", Abramson = "abramson");

/// The relative risk of the cases among `incidents`, on a grid clipped to their window.
pub fn kde_ratio(
    incidents: &Incidents,
    params: &KdeRatioParams,
    watch: &Watch,
) -> Result<Risk, AnalysisError> {
    for (flag, given) in [("pilot", params.pilot.is_some()), ("cap", params.cap != Cap::default())] {
        if given && params.spread == Spread::Fixed {
            let why = format!("--{flag} says nothing of one fixed bandwidth; add --spread abramson");
            return Err(AnalysisError::Parameter { method: "kde-ratio", why });
        }
    }
    if params.spread == Spread::Abramson && params.edge != Edge::Uniform && params.permutations == 0 {
        let why = format!(
            "with --spread abramson and --edge {} the normal law is off by a fifth near the border; add --permutations 999, or take --edge uniform",
            String::from(params.edge)
        );
        return Err(AnalysisError::Parameter { method: "kde-ratio", why });
    }
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
    let decide = |bandwidth: Bandwidth| bandwidth.resolve(cell, params.kernel, &known, &sites, watch);
    let bandwidth = decide(params.bandwidth)?;
    let pilot = params.pilot.map(decide).transpose()?;
    let adapted =
        Adapted { pilot: pilot.as_ref().map_or(bandwidth.radius, |pilot| pilot.radius), cap: params.cap };
    let comparison = Comparison {
        against: params.against,
        kernel: params.kernel,
        bandwidth: bandwidth.radius,
        adapted: (params.spread == Spread::Abramson).then_some(adapted),
        edge: params.edge,
        permutations: params.permutations,
        seed: params.seed,
    };
    let mut risk = on_grid(&known, &is_case, &grid, comparison, watch)?;
    let bands = [&mut risk.log_ratio, &mut risk.z, &mut risk.p_high, &mut risk.p_low];
    for band in bands {
        band.provenance.parameters["cases"] = json!(params.cases);
        bandwidth.record_in(&mut band.provenance);
    }
    let aside = incidents.len() - known.len();
    let aside = (aside > 0).then(|| {
        Note::new("no_time", format!("{aside} incidents without a known time are neither case nor control"))
            .value(aside as u64, "incidents")
    });
    let of_pilot = pilot.into_iter().flat_map(|pilot| pilot.notes).map(of_pilot);
    let chosen: Vec<Note> =
        cell_note.into_iter().chain(bandwidth.notes).chain(of_pilot).chain(aside).collect();
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
    /// The bandwidth of both densities; the geometric mean of all, where they are adapted.
    pub bandwidth: Metres,
    /// How they are adapted; `None` where all are the same.
    pub adapted: Option<Adapted>,
    /// The correction for the border.
    pub edge: Edge,
    /// How often the labels are dealt anew.
    pub permutations: u32,
    /// Where chance begins.
    pub seed: u64,
}

/// How bandwidths are adapted to the density of all incidents.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Adapted {
    /// The bandwidth of the pilot density.
    pub pilot: Metres,
    /// The cap on the bandwidths.
    pub cap: Cap,
}

/// The relative risk on a given grid. `is_case` says of each incident which of the two it is.
pub fn on_grid(
    incidents: &Incidents,
    is_case: &[bool],
    grid: &Grid,
    comparison: Comparison,
    watch: &Watch,
) -> Result<Risk, AnalysisError> {
    let pattern = Pattern::new(incidents, is_case, grid, comparison)?;
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
        .zip(&pattern.on_the_spot)
        .map(|((&case, &control), &most)| {
            if case > enough_cases * most && control > enough_controls * most {
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
        pattern.dealt_anew(&all, watch)?
    };

    let mut parameters = json!({
        "against": comparison.against,
        "kernel": comparison.kernel,
        "bandwidth": comparison.bandwidth,
        "bandwidth_meaning": comparison.kernel.bandwidth_meaning(),
        "spread": if comparison.adapted.is_some() { Spread::Abramson } else { Spread::Fixed },
        "cell": grid.cell(),
        "edge": comparison.edge,
        "permutations": comparison.permutations,
    });
    if let Some(Adapted { pilot, cap }) = comparison.adapted {
        parameters["pilot"] = json!(pilot);
        parameters["cap"] = json!(cap);
    }
    let mut provenance = Provenance::new("kde-ratio", parameters);
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
            LEVELS.map(|level| {
                let drawn = -drawn_at(level, comparison.permutations);
                isopleth(&sure, drawn).into_iter().map(move |outline| (tail, level, outline))
            })
        })
        .flatten()
        .map(|(tail, level, outline)| Contour { tail, level, outline })
        .collect();
    let log_ratio = Surface { notes, ..surface(&log_ratio, ABOUT.units) };
    Ok(Risk { log_ratio, z: surface(&z, "standard deviations"), p_high, p_low, contours })
}

/// Where the contour of p ≤ `level` runs between cells: with R dealings p goes by steps of 1/(R + 1), and the contour runs
/// half a step beyond the last that is in. It then holds the same cells, and a cell alone still has an outline.
fn drawn_at(level: f64, permutations: u32) -> f64 {
    let steps = f64::from(permutations) + 1.0;
    if permutations == 0 { level } else { ((level * steps + TIE).floor() + 0.5) / steps }
}

/// The fewest dealings with which p can be as low as `level`.
fn permutations_for(level: f64) -> f64 {
    (1.0 / level - TIE).ceil() - 1.0
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

/// Bandwidths that are adapted to the density of all incidents. They are a matter of the places and not of the labels, so
/// that both patterns share them, and every dealing.
struct Bandwidths {
    law: Abramson,
    at_sites: Vec<f64>,
    /// At the centre of each cell inside, what that of an incident there would be.
    at_cells: Vec<f64>,
}

impl Bandwidths {
    fn new(
        places: Ordered<'_>,
        grid: &Grid,
        comparison: Comparison,
        Adapted { pilot, cap }: Adapted,
    ) -> Result<Self, AnalysisError> {
        let pilot = Pilot { grid, kernel: comparison.kernel, h: pilot.get(), edge: comparison.edge };
        let at_places = pilot.at_places(places);
        let law = Abramson::new(&at_places, places.weight, comparison.bandwidth.get(), cap)
            .ok_or(AnalysisError::NoIncidents)?;
        let of = |pilot: Vec<f64>| pilot.into_iter().map(|pilot| law.bandwidth(pilot)).collect();
        Ok(Self { law, at_sites: of(at_places), at_cells: of(pilot.at_centres(places)) })
    }
}

/// Per cell inside, with the bandwidth there, ∫ck and ∫(ck)² over the study area. c is what the correction multiplies an
/// incident by.
fn moments(h: &[f64], adapted: bool, grid: &Grid, comparison: Comparison) -> Vec<[f64; 2]> {
    let Comparison { kernel, edge, bandwidth, .. } = comparison;
    let plain: Vec<[f64; 2]> = if adapted {
        moments_at_centres(h, None, grid, kernel)
    } else {
        let mass = mass_at_centres(grid, kernel, bandwidth.get());
        let square = square_at_centres(grid, kernel, bandwidth.get());
        grid.cells().map(|cell| [mass[cell], square[cell]]).collect()
    };
    match edge {
        // What multiplies the sum at a cell as a whole changes its deviation and its mean alike.
        Edge::None | Edge::Uniform => plain,
        Edge::JonesDiggle => {
            let share: Vec<f64> = plain.iter().map(|[mass, _]| 1.0 / mass).collect();
            moments_at_centres(h, Some(&share), grid, kernel)
        }
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
    adapted: Option<Bandwidths>,
    /// Per site, what Jones and Diggle multiply its weight by.
    share: Option<Vec<f64>>,
    /// Per cell inside, what one incident there adds to the sum there.
    on_the_spot: Vec<f64>,
    /// Per cell inside, ∫ck and ∫(ck)² over the study area: what the sum there would be, and what its variance is made of,
    /// were there one incident per m². c is what the correction multiplies an incident by.
    moments: Vec<[f64; 2]>,
}

impl<'a> Pattern<'a> {
    fn new(
        incidents: &Incidents,
        is_case: &[bool],
        grid: &'a Grid,
        comparison: Comparison,
    ) -> Result<Self, AnalysisError> {
        let Comparison { kernel, edge, .. } = comparison;
        let h0 = comparison.bandwidth.get();
        let sites = Sites::new(incidents);
        let places = sites.ordered();
        let mut order: Vec<usize> = (0..incidents.len()).collect();
        order.par_sort_by(|&a, &b| {
            let weights = || incidents.weight_of(a).total_cmp(&incidents.weight_of(b));
            sites.of_incident[a].cmp(&sites.of_incident[b]).then_with(weights)
        });
        let adapted = match comparison.adapted {
            Some(adapted) => Some(Bandwidths::new(places, grid, comparison, adapted)?),
            None => None,
        };
        let share = (edge == Edge::JonesDiggle).then(|| {
            let mass = match &adapted {
                Some(own) => mass_at_each((places.x, places.y), &own.at_sites, grid, kernel),
                None => mass_at_places(places.places(), grid, kernel, h0),
            };
            shared_out(&vec![1.0; mass.len()], &mass)
        });
        let at_cells =
            adapted.as_ref().map_or_else(|| vec![h0; grid.cells().count()], |own| own.at_cells.clone());
        Ok(Self {
            grid,
            comparison,
            site: order.iter().map(|&at| sites.of_incident[at]).collect(),
            weight: order.iter().map(|&at| incidents.weight_of(at)).collect(),
            is_case: order.iter().map(|&at| is_case[at]).collect(),
            moments: moments(&at_cells, adapted.is_some(), grid, comparison),
            on_the_spot: at_cells.into_iter().map(|h| (h0 / h) * (h0 / h)).collect(),
            adapted,
            share,
            sites,
        })
    }

    /// The kernel sums of the incidents that are taken, at the cells inside: Σw (h₀/h)² K(d/h), each to its own precision,
    /// because far from every case the ratio is one of two small numbers.
    fn sums(&self, taken: impl Fn(usize) -> bool) -> Vec<f64> {
        let (kernel, h0) = (self.comparison.kernel, self.comparison.bandwidth.get());
        let mut at_site = vec![0.0; self.sites.len()];
        for at in (0..self.weight.len()).filter(|&at| taken(at)) {
            at_site[self.site[at] as usize] += self.weight[at];
        }
        if let Some(share) = &self.share {
            at_site.iter_mut().zip(share).for_each(|(sum, share)| *sum *= share);
        }
        let places = Ordered { weight: &at_site, ..self.sites.ordered() };
        let sums = match &self.adapted {
            Some(own) => densities(places, &own.at_sites, self.grid, kernel),
            None => relative_sums(places.places(), self.grid, kernel, h0),
        };
        let scale = if self.adapted.is_some() { h0 * h0 / kernel.factor() } else { 1.0 };
        self.grid.cells().map(|cell| sums[cell] * scale).collect()
    }

    /// The sums with their total, in which every cell is corrected for the edge. In the ratio of two sums at one cell that
    /// correction cancels.
    fn estimate(&self, sums: Vec<f64>) -> Estimate {
        let total = match self.comparison.edge {
            Edge::Uniform => sums.iter().zip(&self.moments).map(|(sum, [kept, _])| sum / kept).sum(),
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
        let [(_, weight, squares), (_, others, other_squares)] = self.counts();
        let spread = squares / (weight * weight) + other_squares / (others * others);
        let apart = match self.comparison.against {
            Against::Rest => 1.0,
            // ln f − ln (πf + (1 − π)g) is (1 − π)(ln f − ln g) to first order.
            Against::All => others / (weight + others),
        };
        // Whatever the correction, the density here is what makes this sum of an even pattern.
        let even: Vec<f64> = all.sums.iter().zip(&self.moments).map(|(sum, [mean, _])| sum / mean).collect();
        let mass = even.iter().sum::<f64>() * self.grid.cell_km2() * 1e6;
        even.iter()
            .zip(&self.moments)
            .map(|(even, [mean, square])| apart * (square / (mean * mean) / (even / mass) * spread).sqrt())
            .collect()
    }

    /// p of the upper and of the lower tail: the share of dealings, the observed one among them, whose ratio is at least as
    /// extreme. The smaller side is dealt; the other is what is left of all.
    fn dealt_anew(&self, all: &Estimate, watch: &Watch) -> Result<[Vec<f64>; 2], AnalysisError> {
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
        let replicates = self.comparison.permutations;
        let phase = watch.phase("permutations", u64::from(replicates));
        let counted = |mut counts: Vec<[u32; 2]>, replicate: u64| {
            let taken = Chance::new(self.comparison.seed, replicate).choose(cases.min(n - cases), n);
            let (dealt, against) = sides(self.sums(|at| taken[at]));
            let products = dealt.times(&control).zip(case.times(&against));
            for (counts, (dealt, observed)) in counts.iter_mut().zip(products) {
                counts[0] += u32::from(dealt >= observed * (1.0 - TIE));
                counts[1] += u32::from(dealt * (1.0 - TIE) <= observed);
            }
            phase.advance(1).map(|()| counts)
        };
        let none = || vec![[0; 2]; all.sums.len()];
        // Counts are whole numbers: their sum is the same in any order.
        let counts = (1..=u64::from(replicates))
            .into_par_iter()
            .try_fold(none, counted)
            .try_reduce(none, |a, b| Ok(plus(a, b)))?;
        Ok([0, 1].map(|tail| {
            let p = |counts: &[u32; 2]| (f64::from(counts[tail]) + 1.0) / (f64::from(replicates) + 1.0);
            counts.iter().map(p).collect()
        }))
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
        notes.extend(self.adapted.as_ref().map(|own| own.law.told(&own.at_sites)));
        let permutations = self.comparison.permutations;
        let least = 1.0 / (f64::from(permutations) + 1.0);
        let beyond = |&level: &f64| permutations > 0 && drawn_at(level, permutations) < least;
        if let Some(level) = LEVELS.into_iter().find(beyond) {
            notes.push(
                Note::new(
                    "contour_out_of_reach",
                    format!(
                        "no contour of {level} can be: with {permutations} permutations p is no lower than {least:.3}"
                    ),
                )
                .value(level, "")
                .reason(format!("--permutations {} or more reach it", permutations_for(level))),
            );
        }
        if permutations == 0 {
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
