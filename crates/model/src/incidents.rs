//! The point pattern itself.

use std::collections::BTreeMap;

use crate::{Crs, GivenZones, Times, Window};

/// A marked space-time point pattern in columns: one entry per incident, in the order of the files. Coordinates
/// are finite, in the metres of `crs`, and inside `window`: ingest sees to that, and no method asks again.
#[derive(Debug, Clone)]
pub struct Incidents {
    /// Easting in metres.
    pub x: Vec<f64>,
    /// Northing in metres.
    pub y: Vec<f64>,
    /// When, if a file says so.
    pub times: Option<Times>,
    /// What kind, if a file says so.
    pub kinds: Option<Kinds>,
    /// How much each counts; absent means 1 each.
    pub weight: Option<Vec<f64>>,
    /// The line or feature number in its file.
    pub row: Vec<u64>,
    /// Which file, when there are several.
    pub files: Option<Files>,
    /// The study area.
    pub window: Window,
    /// The reference system of x and y.
    pub crs: Crs,
    /// The zones to count in, if some were given.
    pub zones: Option<GivenZones>,
}

impl Incidents {
    /// How many.
    pub const fn len(&self) -> usize {
        self.x.len()
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.x.is_empty()
    }

    /// How much incident `at` counts.
    pub fn weight_of(&self, at: usize) -> f64 {
        self.weight.as_ref().map_or(1.0, |weight| weight[at])
    }

    /// The incidents at these positions, in this order, in the same window.
    #[must_use]
    pub fn only(&self, kept: &[usize]) -> Self {
        let pick = |values: &[f64]| kept.iter().map(|&at| values[at]).collect();
        let times = |times: &Times| {
            let intervals = kept.iter().map(|&at| times.intervals()[at]).collect();
            Times::new(intervals, times.zone().map(str::to_owned))
        };
        let kinds = |kinds: &Kinds| Kinds {
            names: kinds.names.clone(),
            codes: kept.iter().map(|&at| kinds.codes[at]).collect(),
        };
        let files = |files: &Files| Files {
            names: files.names.clone(),
            codes: kept.iter().map(|&at| files.codes[at]).collect(),
        };
        Self {
            x: pick(&self.x),
            y: pick(&self.y),
            times: self.times.as_ref().map(times),
            kinds: self.kinds.as_ref().map(kinds),
            weight: self.weight.as_deref().map(pick),
            row: kept.iter().map(|&at| self.row[at]).collect(),
            files: self.files.as_ref().map(files),
            window: self.window.clone(),
            crs: self.crs.clone(),
            zones: self.zones.clone(),
        }
    }

    /// The length of the period covered, in years of 365.25 days; `None` when no time is known.
    pub fn years(&self) -> Option<f64> {
        let extent = self.times.as_ref()?.extent()?;
        let seconds = extent.end.0 - extent.start.0;
        (seconds > 0).then(|| seconds as f64 / (365.25 * 86_400.0))
    }
}

/// The file each incident came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Files {
    /// The files' names, in the order in which they were given: without folders, as far as that tells them apart.
    pub names: Vec<String>,
    /// Per incident, the position in `names`.
    pub codes: Vec<u16>,
}

/// The kind of each incident, as the source names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kinds {
    /// The distinct names, in alphabetical order; an empty name is "not stated".
    pub names: Vec<String>,
    /// Per incident, the position in `names`.
    pub codes: Vec<u32>,
}

impl Kinds {
    /// From one name per incident.
    pub fn from_names<'a>(names: impl Iterator<Item = &'a str> + Clone) -> Self {
        let mut order: BTreeMap<&str, u32> = names.clone().map(|name| (name, 0)).collect();
        for (at, code) in order.values_mut().enumerate() {
            *code = at as u32;
        }
        let codes = names.map(|name| order[name]).collect();
        Self { names: order.into_keys().map(str::to_owned).collect(), codes }
    }
}
