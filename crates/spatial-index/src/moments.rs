//! Distinct places at distinct times with weights: what sites are in space, moments are in space and time.

use brasa_model::{Incidents, Interval, Note, Span, Times};

use crate::sorting::sort;
use crate::{AnalysisError, Sites};

/// The distinct (place, time) pairs of a set of incidents, in the order of their places and then of their times.
///
/// The time of an incident is the middle of the stretch it is known to: noon for a date, the middle of the month for a month.
/// Two dates a week apart are then a week apart whether or not the hours are known, and no stretch is nearer to everything
/// the less is known of it.
#[derive(Debug, Clone)]
pub struct Moments {
    /// Place, weight and incidents of each moment. Its places repeat, once per time.
    pub sites: Sites,
    /// Per moment, whole seconds since the first known time.
    pub seconds: Vec<f64>,
    /// The moments whose time is known.
    pub timed: Vec<u32>,
    /// Per incident, its distinct place.
    pub place_of_incident: Vec<u32>,
}

/// The middle of a stretch of time, in civil seconds.
const fn middle(interval: &Interval) -> i64 {
    interval.start.0 + (interval.end.0 - interval.start.0) / 2
}

impl Moments {
    /// The moments of `incidents`; those of one place without a time are one moment, which is not timed.
    ///
    /// # Errors
    /// [`AnalysisError::NoIncidents`], and [`AnalysisError::NoTimes`] for `method` when no incident has a time.
    pub fn new(incidents: &Incidents, method: &'static str) -> Result<Self, AnalysisError> {
        if incidents.is_empty() {
            return Err(AnalysisError::NoIncidents);
        }
        let intervals = incidents.times.as_ref().map(Times::intervals).unwrap_or_default();
        let first = intervals.iter().flatten().map(middle).min().ok_or(AnalysisError::NoTimes { method })?;
        let Sites { x, y, of_incident: place_of_incident, .. } = Sites::new(incidents);
        // Place, seconds and incident; what has no time comes last.
        let seconds =
            |at: usize| intervals[at].as_ref().map_or(u64::MAX, |time| (middle(time) - first) as u64);
        let mut keys: Vec<u128> = (0..incidents.len())
            .map(|at| u128::from(place_of_incident[at]) << 96 | u128::from(seconds(at)) << 32 | at as u128)
            .collect();
        sort(&mut keys);
        let mut moments =
            Self { sites: Sites::default(), seconds: Vec::new(), timed: Vec::new(), place_of_incident };
        moments.sites.of_incident = vec![0; incidents.len()];
        for stack in keys.chunk_by(|a, b| a >> 32 == b >> 32) {
            let (place, seconds) = ((stack[0] >> 96) as usize, (stack[0] >> 32) as u64);
            let at = moments.seconds.len() as u32;
            // In the order of weights, so that the sum does not depend on the order of rows.
            let mut weights: Vec<f64> =
                stack.iter().map(|&key| incidents.weight_of(key as u32 as usize)).collect();
            weights.sort_unstable_by(f64::total_cmp);
            moments.sites.x.push(x[place]);
            moments.sites.y.push(y[place]);
            moments.sites.weight.push(weights.iter().sum());
            moments.sites.count.push(stack.len() as u32);
            for &key in stack {
                moments.sites.of_incident[key as u32 as usize] = at;
            }
            if seconds < u64::MAX {
                moments.timed.push(at);
            }
            moments.seconds.push(seconds as f64);
        }
        Ok(moments)
    }

    /// Easting, northing and seconds of a timed moment.
    pub fn place(&self, timed: usize) -> [f64; 3] {
        let at = self.timed[timed] as usize;
        [self.sites.x[at], self.sites.y[at], self.seconds[at]]
    }

    /// The weight of a timed moment.
    pub fn weight(&self, timed: usize) -> f64 {
        self.sites.weight[self.timed[timed] as usize]
    }

    /// What is to be said of times that are missing, or known less closely than `reach`.
    pub fn notes(incidents: &Incidents, reach: Span) -> Vec<Note> {
        let intervals = incidents.times.as_ref().map(Times::intervals).unwrap_or_default();
        let unknown = intervals.iter().filter(|interval| interval.is_none()).count();
        let vague = |interval: &&Interval| interval.end.0 - interval.start.0 > reach.seconds();
        let vague = intervals.iter().flatten().filter(vague).count();
        let unknown = (unknown > 0).then(|| {
            Note::new("time_unknown", format!("{unknown} incidents have no time and are noise"))
                .value(unknown, "incidents")
        });
        let vague = (vague > 0).then(|| {
            Note::new("time_vague", format!("{vague} incidents have a time no closer than {reach}"))
                .value(vague, "incidents")
                .reason("the middle of the time they may have happened in is taken; a larger --eps-time suits them better")
        });
        unknown.into_iter().chain(vague).collect()
    }
}
