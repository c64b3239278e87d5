//! Ripley's K: at which distances incidents gather or keep apart.
//!
//! # Question
//! At which distances do incidents gather or keep apart?
//!
//! # Definition
//! λK(r) is the number of further incidents within r of an incident; under complete spatial randomness K(r) = πr². Estimated
//! with λ² = (N² − Σw²)/A², which is n(n−1)/A² without weights, by one of four corrections for the border ([`Correction`]):
//! `none`; `border`, incidents at least r inside ask; `translation`, a pair counts as the window's area over what of it covers the
//! window moved by the pair's vector; `isotropic`, a pair counts as one over the part of the circle that lies inside. A distance
//! equal to r is within r. L = √(K/π) is r under randomness. g, the pair correlation, counts the ring from the radius before to
//! this one in place of the disc: pairs in it over those expected, 1 under randomness.
//!
//! With `simulations` as many incidents are spread evenly over the study area, again and again. The pointwise bounds of L − r leave out at
//! most 2.5 % of the worlds on either side, each radius by itself. The global bounds are the mean over all curves ± the deviation
//! that one in twenty worlds reaches somewhere (the most extreme world, if there are fewer than 39); they are as wide at each radius.
//! p = (M+1)/(R+1), where M of R worlds deviate at least as far as the incidents do: the maximum of |L − mean| (MAD), and its square
//! summed over radii (DCLF). The mean is over the incidents and the worlds alike, so that both tests are exact; a tie counts as far, which
//! makes p a little large where few pairs lie within the smallest radius.
//!
//! # Reference
//! Ripley 1977, doi:10.1111/j.2517-6161.1977.tb01615.x; Besag 1977 for L, the same pages; Ohser 1983 for the translation; Baddeley, Diggle,
//! Hardegen, Lawrence, Milne & Nair 2014, doi:10.1890/13-2042.1, for the global tests.
//!
//! # Agrees with
//! spatstat's `Kest` on redwood and japanesepines in all four corrections to 1e-8, wherever no pair lies at a radius; the definitions
//! written down in Python on the polygon of chorley, in all four to 1e-12; and cKDTree's count of pairs in a city (`tests/pattern.rs`).
//!
//! # Differs from
//! spatstat where pairs lie at a radius itself, as on lattices: there rounding decides in spatstat, here they all count. On a
//! polygon spatstat's translation correction takes 128 × 128 pixels for the window, and its border correction lets some incidents ask that
//! lie nearer than r: both are up to 1.5 % off the definition on chorley, its isotropic one 1e-5. The overlap of the translation
//! correction is exact unless that would take too long, and then the note says so ([`crate::set_covariance`]). g is not smoothed.
//!
//! Incidents of one place are pairs at distance zero. They are in K from the first radius on and in no ring of g.
//!
//! # Units
//! Metres; m² for K.
//!
//! # Cost
//! Pairs within `max-distance`, times the number of simulations; `isotropic` also the sides of the window near each incident
//! near the border.
//!
//! # Often misunderstood
//! K adds up: an excess at 100 m is still in K at 1 km. Read g for the distance at which incidents gather. No city is evenly
//! populated, so that K of nearly any kind of incident lies above randomness at all distances; that shows where people are, not
//! that one incident draws another. And geocodes stack incidents, which no even pattern does: the note says how many.

use std::f64::consts::PI;
use std::num::NonZeroU32;

use brasa_model::{Curve, Incidents, Metres, Note, Provenance, Role, Series};
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::k_function::{Correction, KFunction, KFunctions};
use crate::pairs::Radii;
use crate::{About, AnalysisError, Sites, Stacks, Watch};
use brasa_model::Chance;

/// What a reader of the catalogue learns.
pub const ABOUT: About = About {
    question: "At which distances do incidents gather or keep apart?",
    reference: "Ripley 1977, doi:10.1111/j.2517-6161.1977.tb01615.x; Baddeley et al. 2014, doi:10.1890/13-2042.1",
    units: "m² (K), m (L), plain number (g)",
    cost: "pairs within max-distance × simulations",
};

/// Parameters of [`ripley_k`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct RipleyKParams {
    /// Largest distance [default: a quarter of the study area's shorter side, or where a thousand others are expected if that is nearer; rounded down]
    pub max_distance: Option<Metres>,
    /// Number of distances, evenly spaced
    pub steps: NonZeroU32,
    /// What makes up for pairs hidden by the border: none, border, translation or isotropic; border is quick on any outline, isotropic wastes less of few incidents
    pub edge: Correction,
    /// Worlds of evenly spread incidents that say what to expect by chance; 0 for none
    pub simulations: u32,
    /// Where chance begins; the same seed gives the same p
    pub seed: u64,
}

impl Default for RipleyKParams {
    fn default() -> Self {
        let steps = const { NonZeroU32::new(50).unwrap() };
        Self { max_distance: None, steps, edge: Correction::Border, simulations: 0, seed: 1 }
    }
}

/// The others expected within the distance that is chosen, at most.
const MANY: f64 = 1000.0;

/// The most distances: beyond that a step is finer than coordinates and curves can use.
const MOST_STEPS: u32 = 10_000;

/// K, L, L − r and g over the distance.
pub fn ripley_k(
    incidents: &Incidents,
    params: &RipleyKParams,
    watch: &Watch,
) -> Result<Curve, AnalysisError> {
    if incidents.len() < 2 {
        return Err(AnalysisError::TooFew { method: "ripley-k", least: 2, found: incidents.len() });
    }
    if params.steps.get() > MOST_STEPS {
        return Err(refused(format!("--steps {} is too many: at most {MOST_STEPS}", params.steps)));
    }
    let (distance, chosen) = max_distance(incidents, params.max_distance)?;
    let steps = params.steps.get() as usize;
    let radii = Radii::new(distance.get() / steps as f64, steps);
    let r: Vec<f64> = (1..=steps).map(|at| radii.get(at)).collect();
    let n = incidents.len() as f64;
    let pairs = n * n / 2.0 * (f64::from(params.simulations) + 1.0);
    let functions = KFunctions::new(&incidents.window, radii, params.edge, Stacks::Apart, pairs);
    let sites = Sites::new(incidents);
    let KFunction { k, g } = functions.of(&sites, watch)?;
    let k = k[1..].to_vec();
    let l: Vec<f64> = k.iter().map(l_of).collect();
    let above_r = |k: &[f64]| -> Vec<f64> { k.iter().zip(&r).map(|(k, r)| l_of(k) - r).collect() };
    let above = above_r(&k);

    let mut notes: Vec<Note> = chosen.into_iter().chain(stacks_noted(incidents, &sites)).collect();
    if let Some(unasked) = k.iter().position(|k| k.is_nan()) {
        notes.push(
            Note::new("nobody_asks", format!("no incident is {:.1} m or more from the border", r[unasked]))
                .value(r[unasked], "m")
                .reason("from there on K is not known; take a smaller --max-distance or --edge isotropic"),
        );
    }
    if functions.is_interpolated() {
        notes.push(
            Note::new("overlap_interpolated", "the overlap of the study area with itself is interpolated")
                .reason("there are too many pairs and sides to find it for each: a pair may count 1e-3 of itself too much or too little; --edge border or isotropic is exact"),
        );
    }
    let mut y = vec![
        Series::new("k", "K", "m²", k).role(Role::Table),
        Series::new("l", "L", "m", l).role(Role::Table),
        Series::new("l_minus_r", "L - r", "m", above.clone()),
        Series::new("g", "Pair correlation", "", g[1..].to_vec()),
    ];
    let mut provenance = Provenance::new(
        "ripley-k",
        json!({
            "max_distance": distance,
            "steps": params.steps,
            "edge": params.edge,
            "simulations": params.simulations,
        }),
    );
    if params.simulations > 0 {
        let phase = watch.phase("simulations", u64::from(params.simulations));
        let world = |replicate: u64| {
            let scattered = scattered(incidents, params.seed, replicate);
            let k = functions.of(&Sites::new(&scattered), &Watch::NOBODY)?.k;
            phase.advance(1).map(|()| above_r(&k[1..]))
        };
        let replicates = (1..=u64::from(params.simulations)).into_par_iter();
        let worlds: Vec<Vec<f64>> = replicates.map(world).collect::<Result<_, AnalysisError>>()?;
        let test = Test::new(&above, &worlds);
        provenance.seed = Some(params.seed);
        provenance.parameters["p_mad"] = json!(test.p_mad);
        provenance.parameters["p_dclf"] = json!(test.p_dclf);
        notes.push(test.note(params.simulations));
        y.extend(test.bounds);
    }
    Ok(Curve {
        title: format!("K to {distance}"),
        x: Series::new("r_m", "Distance", "m", r),
        y,
        optimum: None,
        provenance,
        notes,
    })
}

fn l_of(k: &f64) -> f64 {
    (k / PI).sqrt()
}

fn refused(why: String) -> AnalysisError {
    AnalysisError::Parameter { method: "ripley-k", why }
}

/// The largest distance, and the note that announces it when it was chosen.
fn max_distance(
    incidents: &Incidents,
    given: Option<Metres>,
) -> Result<(Metres, Option<Note>), AnalysisError> {
    let bounds = incidents.window.bounds();
    let shorter = bounds.width().min(bounds.height());
    if let Some(given) = given {
        if given.get() > shorter / 2.0 {
            return Err(refused(format!(
                "--max-distance {given} is too far: the study area's shorter side is {shorter:.0} m, and beyond half of it hardly any pair is seen whole; at most {:.0}m",
                (shorter / 2.0).floor()
            )));
        }
        return Ok((given, None));
    }
    // Of many incidents no more is needed, and all pairs of a country would take days.
    let thousand = (MANY * incidents.window.area_km2() * 1e6 / (PI * incidents.len() as f64)).sqrt();
    let (chosen, why) = if thousand < shorter / 4.0 {
        (thousand, format!("within it an even pattern has {MANY} others around an incident"))
    } else {
        (
            shorter / 4.0,
            format!(
                "a quarter of the study area's shorter side of {shorter:.0} m: beyond it few pairs are seen whole (Ripley's rule of thumb)"
            ),
        )
    };
    let chosen = Metres::new(chosen).map_err(|error| refused(error.to_string()))?.round_down();
    let note = Note::new("max_distance_chosen", format!("distances up to {chosen}"))
        .value(chosen.get(), "m")
        .reason(format!("{why}; rounded down, --max-distance sets another"));
    Ok((chosen, Some(note)))
}

fn stacks_noted(incidents: &Incidents, sites: &Sites) -> Option<Note> {
    let stacked = sites.count.iter().filter(|&&count| count > 1).map(|&count| u64::from(count)).sum::<u64>();
    (stacked > 0).then(|| {
        let share = 100.0 * stacked as f64 / incidents.len() as f64;
        Note::new("stacked_incidents", format!("{stacked} incidents ({share:.0} %) share their place with others"))
            .value(stacked, "incidents")
            .reason("they are pairs at distance zero: in K at every distance, in no ring of g; an even pattern has none")
    })
}

/// The incidents, each anywhere in the study area. Weights go out in ascending order, so that the order of rows is of no account.
fn scattered(incidents: &Incidents, seed: u64, replicate: u64) -> Incidents {
    let mut chance = Chance::new(seed, replicate);
    let mut world = incidents.clone();
    if let Some(weight) = &mut world.weight {
        weight.sort_by(f64::total_cmp);
    }
    for at in 0..world.len() {
        (world.x[at], world.y[at]) = chance.place(&world.window);
    }
    world
}

/// How L − r compares with that of worlds of chance.
struct Test {
    p_mad: f64,
    p_dclf: f64,
    bounds: [Series; 4],
    /// One in how many worlds lies beyond the bounds: everywhere at one radius, and anywhere.
    levels: [f64; 2],
}

impl Test {
    fn new(own: &[f64], worlds: &[Vec<f64>]) -> Self {
        let all = (worlds.len() + 1) as f64;
        let mean: Vec<f64> = (0..own.len())
            .map(|at| worlds.iter().fold(own[at], |sum, world| sum + world[at]) / all)
            .collect();
        // Where L is not known in some world it says nothing in any.
        let deviations = |curve: &[f64]| {
            let off = curve.iter().zip(&mean).map(|(l, mean)| (l - mean).abs()).filter(|off| off.is_finite());
            off.fold((0.0_f64, 0.0), |(most, sum), off| (most.max(off), sum + off * off))
        };
        let furthest = deviations(own);
        let theirs: Vec<(f64, f64)> = worlds.iter().map(|world| deviations(world)).collect();
        let p = |as_far: &dyn Fn(&(f64, f64)) -> bool| {
            (theirs.iter().filter(|world| as_far(world)).count() + 1) as f64 / all
        };
        // From the most extreme: the last that is left out on either side, and anywhere.
        let (aside, anywhere) = (((0.025 * all) as usize).max(1), ((0.05 * all) as usize).max(1));
        let mut most: Vec<f64> = theirs.iter().map(|&(most, _)| most).collect();
        most.sort_by(|a, b| b.total_cmp(a));
        let critical = most[anywhere - 1];
        let sorted: Vec<Vec<f64>> = (0..own.len())
            .map(|at| {
                let mut values: Vec<f64> = worlds.iter().map(|world| world[at]).collect();
                values.sort_by(f64::total_cmp);
                values
            })
            .collect();
        let column = |name, title, role, of: &dyn Fn(usize) -> f64| {
            let known = |at: usize| if mean[at].is_nan() { f64::NAN } else { of(at) };
            Series::new(name, title, "m", (0..own.len()).map(known).collect()).role(role)
        };
        Self {
            p_mad: p(&|world| world.0 >= furthest.0),
            p_dclf: p(&|world| world.1 >= furthest.1),
            bounds: [
                column("global_low", "Lower global bound", Role::Low, &|at| mean[at] - critical),
                column("global_high", "Upper global bound", Role::High, &|at| mean[at] + critical),
                column("low", "Lower pointwise bound", Role::Low, &|at| sorted[at][aside - 1]),
                column("high", "Upper pointwise bound", Role::High, &|at| sorted[at][worlds.len() - aside]),
            ],
            levels: [2.0 * aside as f64 / all, anywhere as f64 / all],
        }
    }

    fn note(&self, simulations: u32) -> Note {
        let [pointwise, global] = self.levels;
        Note::new(
            "compared_with_chance",
            format!("p = {} against {simulations} evenly spread worlds", self.p_mad),
        )
        .value(self.p_mad, "")
        .reason(format!(
            "the greatest deviation of L from its mean; by the sum of squares p = {}. The pointwise bounds hold at one distance with level {pointwise:.3}, the global ones at all distances together with level {global:.3}",
            self.p_dclf
        ))
    }
}
