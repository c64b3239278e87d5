//! Andresen's S: whether two patterns, such as this year's and last year's, have the same share of their incidents in the same cells.
//!
//! # Question
//! Do two kinds, or two periods, happen in the same places?
//!
//! # Definition
//! One pattern is the base, the other is tested. Of the tested one `share` of the incidents (85 %) are drawn without replacement, `samples` times (200);
//! in each cell the share of a sample that falls into it makes a distribution, of which the ⌊0.025 R⌋ smallest and as many of the largest are left
//! out. A cell is similar if the share of the base lies within what is left, ends included; else the tested pattern has `more` or `less` there.
//! S is the share of cells that are similar. The robust S looks only at cells in which at least one of the patterns has an incident.
//!
//! Cells are cut at the study area ([`crate::quadrats`]), or zones are given, as in Andresen 2009, who compares census tracts. Incidents are
//! counted, as there; weights are not looked at, because samples are drawn from incidents. An incident that both selections choose counts in both.
//!
//! # Reference
//! Andresen 2009, doi:10.1016/j.apgeog.2008.12.004; Andresen 2016, doi:10.1177/2059799116630659; the robust S as in Steenbeek, Vandeviver,
//! Andresen, Malleson & Wheeler's R package sppt.
//!
//! # Agrees with
//! The example that sppt prints, where chance has no say in the interval; the quantiles of the hypergeometric law, which the
//! number of drawn incidents in a cell follows (`tests/places.rs`).
//!
//! # Differs from
//! sppt's newer versions (1.0 on CRAN), whose verdict on a cell comes from bootstrap p-values.
//!
//! # Units
//! S, shares and bounds are plain numbers from 0 to 1.
//!
//! # Cost
//! Tested incidents × samples.
//!
//! # Often misunderstood
//! The test is not symmetric: which pattern is the base matters, and the more incidents are tested, the narrower are the intervals and the less similar
//! everything is (Wheeler, Steenbeek & Andresen 2018, Transactions in GIS 22, 760-774). A cell without a tested incident is never similar to
//! one with a single base incident. Cells empty in both are similar: in a city of small cells S is near 1 whatever happens, so read
//! the robust one. And S says nothing about how large a difference is, nor about how many incidents there are in all: shares are compared.

use std::num::NonZeroU32;

use brasa_model::{
    Column, ColumnKind, Feature, Features, Incidents, Note, Provenance, Style, Tone, Value, Word,
};
use geo::Geometry;
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::quadrats::{CutInto, Pieces};
use crate::selection::{Selection, kinds_there_are};
use crate::{About, AnalysisError, Sites, Watch};
use brasa_model::Chance;

/// What a reader of the catalogue learns.
pub const ABOUT: About = About {
    question: "Do two kinds, or two periods, happen in the same places?",
    reference: "Andresen 2009, doi:10.1016/j.apgeog.2008.12.004; Andresen 2016, doi:10.1177/2059799116630659",
    units: "share of cells that are similar",
    cost: "tested incidents × samples",
};

/// Parameters of [`pattern_similarity`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PatternSimilarityParams {
    /// Which incidents are tested: kind=A,B or since=DATE or until=DATE, or several separated by ";"
    pub test: Selection,
    /// Which incidents they are compared with [default: the rest]
    #[serde(default)]
    pub base: Option<Selection>,
    /// What the study area is cut into.
    #[serde(flatten)]
    pub cut: CutInto,
    /// Samples drawn from the tested incidents
    #[serde(default = "default_samples")]
    pub samples: NonZeroU32,
    /// Where chance begins; the same seed gives the same S
    #[serde(default = "default_seed")]
    pub seed: u64,
}

const fn default_samples() -> NonZeroU32 {
    const { NonZeroU32::new(200).unwrap() }
}

const fn default_seed() -> u64 {
    1
}

impl PatternSimilarityParams {
    /// The defaults for these tested incidents.
    pub fn new(test: Selection) -> Self {
        Self { test, base: None, cut: CutInto::default(), samples: default_samples(), seed: default_seed() }
    }
}

/// The share of the tested incidents in a sample.
const SHARE: f64 = 0.85;
/// Left out at either end of the shares in a cell.
const TAIL: f64 = 0.025;

/// How the tested pattern compares with the base in a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Its share is larger.
    More,
    /// Its share is smaller.
    Less,
    /// Neither.
    Similar,
}

impl Verdict {
    const fn word(self) -> &'static str {
        match self {
            Self::More => "more",
            Self::Less => "less",
            Self::Similar => "similar",
        }
    }

    const fn explained(self) -> Word {
        let (title, tone) = match self {
            Self::More => ("More than the base", Tone::High),
            Self::Less => ("Less than the base", Tone::Low),
            Self::Similar => ("Similar", Tone::Quiet),
        };
        Word { value: self.word(), title, tone }
    }
}

/// The cells with both shares and a verdict; S is in the notes and the provenance.
pub fn pattern_similarity(
    incidents: &Incidents,
    params: &PatternSimilarityParams,
    watch: &Watch,
) -> Result<Features, AnalysisError> {
    if incidents.is_empty() {
        return Err(AnalysisError::NoIncidents);
    }
    let tested = params.test.of(incidents)?;
    let based = match &params.base {
        Some(base) => base.of(incidents)?,
        None => tested.iter().map(|tested| tested.map(|tested| !tested)).collect(),
    };
    let chosen = |of: &[Option<bool>]| -> Vec<usize> {
        (0..incidents.len()).filter(|&at| of[at] == Some(true)).collect()
    };
    let (tested, based) = (chosen(&tested), chosen(&based));
    for (side, found) in [("tested", &tested), ("the base", &based)] {
        if found.is_empty() {
            return Err(AnalysisError::NothingSelected {
                why: format!("no incident is {side}"),
                help: kinds_there_are(incidents),
            });
        }
    }
    let mut notes = Vec::new();
    let unknown = (0..incidents.len())
        .filter(|at| tested.binary_search(at).is_err() && based.binary_search(at).is_err())
        .count();
    if unknown > 0 {
        notes.push(
            Note::new("in_neither", format!("{unknown} incidents are neither tested nor of the base"))
                .value(unknown, "incidents")
                .reason("no selection chooses them, or their time is not known"),
        );
    }
    let both = tested.iter().filter(|at| based.binary_search(at).is_ok()).count();
    if both > 0 {
        notes.push(
            Note::new("in_both", format!("{both} incidents are tested and base alike"))
                .value(both, "incidents")
                .reason("both selections choose them; they make the patterns more similar"),
        );
    }
    let (pieces, chosen) = Pieces::chosen(incidents, &params.cut)?;
    notes.extend(chosen);
    let mut counts = |of: &[usize], side: &'static str| {
        let (counts, outside) = pieces.counts(&Sites::new(&incidents.only(of)));
        notes.extend(outside);
        if counts.iter().sum::<u64>() == 0 {
            let why = format!("no incident that is {side} lies in a zone");
            return Err(AnalysisError::NothingSelected { why, help: None });
        }
        Ok(counts)
    };
    let (base, test) = (counts(&based, "the base")?, counts(&tested, "tested")?);
    if incidents.weight.is_some() {
        notes.push(
            Note::new("weights_not_used", "each incident counts as one, whatever its weight")
                .reason("samples are drawn from incidents, not from weights"),
        );
    }
    let similarity = Similarity::of(&base, &test, params.samples.get(), params.seed, watch)?;
    let (s, robust) = similarity.s(&base, &test);
    let of = |verdict: Verdict| similarity.verdicts.iter().filter(|&&found| found == verdict).count();
    let cells = base.len();
    notes.push(
        Note::new("similarity", format!("S = {s:.4}, robust S = {robust:.4}"))
            .value(robust, "")
            .reason(format!(
                "{} tested incidents against {} of the base in {cells} cells: more in {}, less in {}; the robust S leaves out cells that are empty in both",
                tested.len(),
                based.len(),
                of(Verdict::More),
                of(Verdict::Less)
            )),
    );
    let mut provenance = Provenance::new(
        "pattern-similarity",
        json!({
            "test": params.test,
            "base": params.base,
            "cells": cells,
            "samples": params.samples,
            "sample_share": SHARE,
            "interval": [TAIL, 1.0 - TAIL],
            "s": s,
            "s_robust": robust,
        }),
    );
    provenance.seed = Some(params.seed);
    if let (Some(parameters), serde_json::Value::Object(record)) =
        (provenance.parameters.as_object_mut(), pieces.record())
    {
        parameters.extend(record);
    }
    let part = |counts: &[u64], at: usize| counts[at] as f64 / counts.iter().sum::<u64>() as f64;
    let feature = |(number, (name, geometry)): (usize, (String, Geometry<f64>))| {
        let (low, high) = similarity.bounds[number];
        Feature {
            id: number as i64 + 1,
            geometry,
            values: vec![
                Value::Text(name),
                Value::Integer(base[number] as i64),
                Value::Integer(test[number] as i64),
                Value::real(part(&base, number)),
                Value::real(part(&test, number)),
                Value::real(low),
                Value::real(high),
                Value::Text(similarity.verdicts[number].word().to_owned()),
            ],
        }
    };
    let real = |name, title| Column::new(name, title, "", ColumnKind::Real);
    Ok(Features {
        name: "similarity",
        title: "Similarity of two patterns".to_owned(),
        description: "Cells in which the tested incidents have a larger (more) or smaller (less) share than the base, or a similar one. Cells empty in both count as similar."
            .to_owned(),
        headline: format!("S = {s:.3} over {cells} cells, robust S = {robust:.3} over those with incidents"),
        columns: vec![
            Column::new("zone", pieces.names(), "", ColumnKind::Text),
            Column::new("base", "Incidents of the base", "incidents", ColumnKind::Integer),
            Column::new("test", "Tested incidents", "incidents", ColumnKind::Integer),
            real("base_share", "Share of the base"),
            real("test_share", "Share of the tested incidents"),
            real("low", "Lower bound of the tested share"),
            real("high", "Upper bound of the tested share"),
            Column::new("verdict", "The tested incidents have more, less or similar", "", ColumnKind::Text),
        ],
        features: pieces.shapes(&incidents.window).into_iter().enumerate().map(feature).collect(),
        style: Style::word("verdict", [Verdict::More, Verdict::Less, Verdict::Similar].map(Verdict::explained).to_vec()),
        provenance,
        notes,
    })
}

/// The comparison of two patterns, cell by cell.
pub struct Similarity {
    /// The bounds of the tested share.
    pub bounds: Vec<(f64, f64)>,
    /// The verdicts.
    pub verdicts: Vec<Verdict>,
}

impl Similarity {
    /// Of the incidents in each cell. Samples are drawn from the incidents in the order of the cells, so that it does not depend on that of the rows.
    pub fn of(
        base: &[u64],
        test: &[u64],
        samples: u32,
        seed: u64,
        watch: &Watch,
    ) -> Result<Self, AnalysisError> {
        let cell_of: Vec<usize> =
            test.iter().enumerate().flat_map(|(cell, &count)| (0..count).map(move |_| cell)).collect();
        let drawn = ((SHARE * cell_of.len() as f64).round_ties_even() as usize).max(1);
        let phase = watch.phase("samples", u64::from(samples));
        let sample = |replicate: u64| {
            let mut counts = vec![0_u32; test.len()];
            let taken = Chance::new(seed, replicate).choose(drawn, cell_of.len());
            for (&cell, _) in cell_of.iter().zip(taken).filter(|(_, taken)| *taken) {
                counts[cell] += 1;
            }
            phase.advance(1).map(|()| counts)
        };
        let all = (1..=u64::from(samples)).into_par_iter().map(sample);
        let all: Vec<Vec<u32>> = all.collect::<Result<_, AnalysisError>>()?;
        let aside = (TAIL * f64::from(samples)).floor() as usize;
        let bounds = (0..test.len()).map(|cell| {
            let mut counts: Vec<u32> = all.iter().map(|counts| counts[cell]).collect();
            counts.sort_unstable();
            let part = |at: usize| f64::from(counts[at]) / drawn as f64;
            (part(aside), part(counts.len() - 1 - aside))
        });
        let bounds: Vec<(f64, f64)> = bounds.collect();
        let total = base.iter().sum::<u64>() as f64;
        let verdict = |(&base, &(low, high)): (&u64, &(f64, f64))| {
            let base = base as f64 / total;
            if base < low {
                Verdict::More
            } else if base > high {
                Verdict::Less
            } else {
                Verdict::Similar
            }
        };
        let verdicts = base.iter().zip(&bounds).map(verdict).collect();
        Ok(Self { bounds, verdicts })
    }

    /// S over all cells, and over those with an incident of either pattern.
    pub fn s(&self, base: &[u64], test: &[u64]) -> (f64, f64) {
        let of = |counted: &dyn Fn(usize) -> bool| {
            let cells: Vec<usize> = (0..base.len()).filter(|&cell| counted(cell)).collect();
            let similar = cells.iter().filter(|&&cell| self.verdicts[cell] == Verdict::Similar).count();
            similar as f64 / cells.len() as f64
        };
        (of(&|_| true), of(&|cell| base[cell] + test[cell] > 0))
    }
}
