//! Zones with counts and neighbours, and the way from a statistic per zone to a verdict: what local and global statistics share.

use std::collections::HashMap;

use brasa_model::{Class, Denominators, Incidents, LocalStats, Note, Provenance, Series, Zoning};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::conditional::{Draws, Permutations, Summed, permutation_ps};
use crate::significance::{Correction, two_sided_p};
use crate::weights::{Neighbours, Weights};
use crate::zoning::{CountedIn, counted, record};
use crate::{AnalysisError, Sites, Watch, binomial};

/// The level of q at which a zone is called significant.
pub const LEVEL: f64 = 0.05;

/// With fewer zones than this the normal law is a poor guide.
const FEW_ZONES: usize = 30;

/// Parameters of a statistic per zone.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct ZoneParams {
    /// What incidents are counted in.
    #[serde(flatten)]
    pub counted: CountedIn,
    /// Which zones count as neighbours: queen, rook, knn:K (the K nearest), band:LENGTH (all centres within that distance), or inverse:LENGTH and inverse-square:LENGTH (the same, weighted by 1/d and 1/d²)
    pub neighbours: Neighbours,
    /// Random arrangements to take p from; 0 takes it from the normal law, for sums of counts (Gi, Gi*, local Moran) joined by the binomial law
    pub permutations: u32,
    /// Whether each zone looks at arrangements of its own, or all at the same ones (thirty times faster, but then the number of significant zones swings from seed to seed): independent or shared
    pub draws: Draws,
    /// How p is adjusted for testing many zones: bh, by (whatever the dependence) or bonferroni
    pub correction: Correction,
    /// Where chance begins; the same seed gives the same p
    pub seed: Seed,
}

/// Where chance begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Seed(pub u64);

impl Default for Seed {
    fn default() -> Self {
        Self(1)
    }
}

/// Zones with what lies in them and who their neighbours are.
#[derive(Debug, Clone)]
pub struct Zones {
    /// The zones.
    pub zoning: Zoning,
    /// Weight of the incidents per zone.
    pub count: Vec<f64>,
    /// What is looked at: the counts, or the rates where there are denominators.
    pub values: Vec<f64>,
    /// Who is whose neighbour.
    pub weights: Weights,
    /// Which rule made the neighbours.
    pub neighbours: Neighbours,
    /// What was chosen or noticed.
    pub notes: Vec<Note>,
}

impl Zones {
    /// The incidents counted in what was asked for.
    pub fn of(
        incidents: &Incidents,
        counted: &CountedIn,
        neighbours: Neighbours,
    ) -> Result<Self, AnalysisError> {
        if incidents.is_empty() {
            return Err(AnalysisError::NoIncidents);
        }
        let sites = Sites::new(incidents);
        let mut notes = Vec::new();
        let zoning = counted.zoning(incidents, &sites, &mut notes)?;
        Ok(Self::on(&sites, zoning, neighbours, notes))
    }

    /// Sites counted in zones, with the notes on these.
    pub fn on(sites: &Sites, zoning: Zoning, neighbours: Neighbours, mut notes: Vec<Note>) -> Self {
        let (count, outside) = counted(sites, &zoning, &sites.weight);
        notes.extend(outside);
        notes.extend(few(&zoning));
        let weights = Weights::among(&zoning, neighbours);
        notes.extend(weights.islands());
        let values = match denominators(&zoning) {
            None => count.clone(),
            Some(below) => count.iter().zip(&below.values).map(|(count, below)| count / below).collect(),
        };
        Self { zoning, count, values, weights, neighbours, notes }
    }

    /// What the zones are and who is whose neighbour, for whoever wants to make the same ones.
    pub fn record(&self) -> Value {
        let mut record = record(&self.zoning);
        record["neighbours"] = json!(self.neighbours);
        record
    }

    /// What is known of each zone beside its count.
    fn series(&self) -> Vec<Series> {
        if self.zoning.grid().is_some() {
            return Vec::new();
        }
        let mut series = vec![Series::new("area_km2", "Area", "km²", self.zoning.areas_km2())];
        if let Some(below) = denominators(&self.zoning) {
            series.push(Series::new("population", "Denominator", "", below.values.clone()));
            series.push(Series::new(
                "rate",
                "Incidents per unit of the denominator",
                "",
                self.values.clone(),
            ));
        }
        series
    }

    /// p of the sum over each neighbourhood where it is a number of incidents: the larger of two, the normal law's at z and that of the
    /// binomial law, under which each incident falls into any zone alike. A sum is out of the ordinary only if both say so (an
    /// intersection-union test, Berger 1982, doi:10.1080/00401706.1982.10487790).
    ///
    /// Each law alone is too easily impressed. Where few incidents fall on a zone their sums are skewed, and the normal law takes the
    /// longer tail for a finding: of 1,500 incidents spread evenly over 4,861 cells it made some cell hot, at q <= 0.05, in four
    /// worlds of five. The binomial law takes incidents for single ones, and is impressed by addresses where they repeat: of the
    /// sample city it calls 313 cells of 150 m hot, both together 105.
    ///
    /// `None` where p is to come from permutations, and where no incidents are summed: of rates, of weights that are not whole, by distance.
    pub fn sum_p(
        &self,
        z: &[f64],
        self_included: bool,
        params: &ZoneParams,
    ) -> Option<(Vec<f64>, &'static str)> {
        let whole = self.values.iter().all(|value| value.fract() == 0.0);
        if params.permutations > 0
            || !whole
            || !self.weights.are_equal()
            || denominators(&self.zoning).is_some()
        {
            return None;
        }
        let (all, total) = (z.len() as f64, self.values.iter().sum::<f64>());
        let mut known: HashMap<[u64; 3], f64> = HashMap::new();
        let mut p_of = |sum: f64, trials: f64, chance: f64| {
            *known.entry([sum, trials, chance].map(f64::to_bits)).or_insert_with(|| {
                let (at_most, at_least) = binomial::tails(sum, trials, chance);
                (2.0 * at_most.min(at_least)).min(1.0)
            })
        };
        let one = |(zone, around): (usize, f64)| {
            let (own, near) = (self.values[zone], self.weights.count(zone) as f64);
            let evenly = if self_included {
                p_of(around + own, total, (near + 1.0) / all)
            } else {
                p_of(around, total - own, near / (all - 1.0))
            };
            if z[zone].is_nan() { f64::NAN } else { two_sided_p(z[zone]).max(evenly) }
        };
        let p = self.weights.sums(&self.values).into_iter().enumerate().map(one).collect();
        Some((
            p,
            "two-sided, the larger of the normal law of z and the binomial law of evenly spread incidents",
        ))
    }

    /// From a statistic per zone to a verdict on each.
    pub fn judged(
        self,
        local: Local,
        params: &ZoneParams,
        watch: &Watch,
    ) -> Result<LocalStats, AnalysisError> {
        let (mut series, mut parameters) = (self.series(), self.record());
        let Self { zoning, count, values, weights, mut notes, .. } = self;
        let (own, law) = local.p.unzip();
        let p = match params.permutations {
            _ if own.is_some() => own.unwrap_or_default(),
            0 => {
                notes.push(of_the_normal_law(local.method));
                local.z.iter().map(|&z| if z.is_nan() { z } else { two_sided_p(z) }).collect()
            }
            replicates => {
                let how = Permutations { replicates, draws: params.draws, seed: params.seed.0 };
                notes.extend(out_of_reach(count.len(), replicates, params.correction));
                permutation_ps(&values, &weights, local.summed, how, watch)?
            }
        };
        let q = params.correction.adjust(&p);
        let verdict =
            |zone: usize| if q[zone] <= LEVEL { (local.class)(zone) } else { Class::NotSignificant };
        let class = (0..q.len()).map(verdict).collect();
        parameters["self_included"] = json!(local.self_included);
        parameters["p"] = json!(law.unwrap_or("two-sided, normal law"));
        parameters["correction"] = json!(params.correction);
        parameters["level"] = json!(LEVEL);
        if params.permutations > 0 && law.is_none() {
            parameters["p"] = Value::from("two-sided, twice the smaller tail of conditional permutations");
            parameters["permutations"] = Value::from(params.permutations);
            parameters["draws"] = json!(params.draws);
        }
        series.extend(local.series);
        let mut provenance = Provenance::new(local.method, parameters);
        provenance.seed = (params.permutations > 0).then_some(params.seed.0);
        Ok(LocalStats {
            title: local.title,
            description: local.description,
            verdicts: local.verdicts,
            neighbours: weights.sizes(u32::from(local.self_included)),
            series,
            z: local.z,
            zones: zoning,
            count,
            p_title: if law.is_some_and(|law| law.starts_with("one-sided")) {
                "p, one-sided"
            } else {
                "p, two-sided"
            },
            p,
            q,
            class,
            provenance,
            notes,
        })
    }
}

/// A statistic per zone before its verdict.
pub struct Local<'a> {
    /// The method's name.
    pub method: &'static str,
    /// Title of the layer.
    pub title: &'static str,
    /// What a reader of the layer must know.
    pub description: &'static str,
    /// Whether the zone itself is part of its neighbourhood.
    pub self_included: bool,
    /// The statistic itself, where it is not z, and what else the method knows of each zone.
    pub series: Vec<Series>,
    /// Its z-score; NaN where nothing can be said.
    pub z: Vec<f64>,
    /// What permutations are compared by.
    pub summed: Summed,
    /// p, where the method has a law of its own for it, and what p it is.
    pub p: Option<(Vec<f64>, &'static str)>,
    /// What a significant zone is.
    pub class: &'a dyn Fn(usize) -> Class,
    /// What it can be.
    pub verdicts: &'static [Class],
}

/// The note that says how far p can be believed where nobody asked for a better one.
fn of_the_normal_law(method: &str) -> Note {
    Note::new(
        "p_normal",
        "p comes from the normal law, a rough guide to counts; --permutations 9999 does without it",
    )
    .reason(format!(
        "where zones hold few incidents {method} finds something in evenly spread ones more often than q says"
    ))
}

/// The note that says that so few permutations cannot make a single zone significant.
fn out_of_reach(zones: usize, replicates: u32, correction: Correction) -> Option<Note> {
    let least = 2.0 / (f64::from(replicates) + 1.0);
    let harmonic =
        if correction == Correction::By { (1..=zones).map(|rank| 1.0 / rank as f64).sum() } else { 1.0 };
    let factor = zones as f64 * harmonic;
    let together = (least * factor / LEVEL).ceil();
    (together > 1.0).then(|| {
        let needed = (2.0 * factor / LEVEL).ceil() - 1.0;
        let who = match correction {
            Correction::Bonferroni => "no zone".to_owned(),
            _ if together > zones as f64 => "no zone".to_owned(),
            _ => format!("only {together:.0} zones or more together"),
        };
        Note::new("p_floor", format!("with {replicates} permutations p is at least {least}: {who} can be significant"))
            .value(least, "")
            .reason(format!(
                "p counts arrangements, and is adjusted for testing {zones} zones; a single zone needs --permutations {needed:.0}, the normal law (0) has no such floor"
            ))
    })
}

/// Refuses neighbours of which some count more than others, for a method that counts them.
pub fn unweighted(method: &'static str, neighbours: Neighbours) -> Result<(), AnalysisError> {
    if neighbours.are_weighted() {
        let why = format!(
            "{neighbours} weighs neighbours, and here they are counted: take queen, rook, knn or band"
        );
        return Err(AnalysisError::Parameter { method, why });
    }
    Ok(())
}

/// What the incidents are to be divided by, if there is something.
pub const fn denominators(zoning: &Zoning) -> Option<&Denominators> {
    match zoning {
        Zoning::Given(given) => given.denominators.as_ref(),
        Zoning::Grid(_) | Zoning::Hexagons(_) => None,
    }
}

/// The note that says that there are few zones, and what gives more.
fn few(zoning: &Zoning) -> Option<Note> {
    let zones = zoning.len();
    let more = match zoning {
        Zoning::Grid(_) => "a smaller --cell gives more",
        Zoning::Hexagons(_) => "a smaller --hex gives more",
        Zoning::Given(_) => "smaller zones give more",
    };
    (zones < FEW_ZONES).then(|| {
        Note::new("few_zones", format!("only {zones} zones"))
            .value(zones, "zones")
            .reason(format!("with fewer than {FEW_ZONES} zones p-values are rough; {more}"))
    })
}

/// Hot or cold, by the sign of z.
pub fn hot_or_cold(z: f64) -> Class {
    if z > 0.0 { Class::Hot } else { Class::Cold }
}
