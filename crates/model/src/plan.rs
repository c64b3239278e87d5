//! What a planner schedules from: areas, shifts, units, and who is where when.

use geo::{Coord, MultiPolygon};

use crate::{Civil, Curve, InputRecord, Layer, Note, Provenance};

/// A stretch of ground that wants visits.
#[derive(Debug, Clone, PartialEq)]
pub struct PlanArea {
    /// What people call it.
    pub name: String,
    /// Its outline.
    pub outline: MultiPolygon<f64>,
    /// Where a unit stops.
    pub at: Coord<f64>,
    /// Incidents in it, or their harm, over the whole period of the data.
    pub value: f64,
}

/// A stretch of time in which the clocks of a place keep one distance from UTC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offset {
    /// Its first second, since 1970-01-01T00:00:00 UTC.
    pub from: i64,
    /// Seconds to add to UTC.
    pub seconds: i32,
    /// What people call it, such as `-03` or `CST`.
    pub abbreviation: String,
}

/// The clocks of a place over the period of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clock {
    /// The zone's name, such as `America/Bogota`.
    pub zone: String,
    /// At least one, in the order of time; the first reaches back to before the plan.
    pub offsets: Vec<Offset>,
}

impl Clock {
    /// The offset that holds at an instant, in seconds since 1970-01-01T00:00:00 UTC.
    pub fn offset(&self, instant: i64) -> Option<&Offset> {
        self.offsets.iter().rev().find(|offset| offset.from <= instant).or(self.offsets.first())
    }

    /// What the clocks show at an instant.
    pub fn civil(&self, instant: i64) -> Civil {
        Civil(instant + self.offset(instant).map_or(0, |offset| i64::from(offset.seconds)))
    }
}

/// One shift of one day: from one instant to another, in seconds since 1970-01-01T00:00:00 UTC. One of eight hours on the clocks is
/// seven or nine long in the night in which they are changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shift {
    /// As it was asked for, such as `22:00-06:00`.
    pub name: String,
    /// Its first second.
    pub start: i64,
    /// The second after its last.
    pub end: i64,
}

/// Where units begin and end their shifts.
#[derive(Debug, Clone, PartialEq)]
pub struct Depot {
    /// What people call it.
    pub name: String,
    /// Where it is.
    pub at: Coord<f64>,
}

/// The break that every tour of a long shift owes. Lengths are in seconds, places in time after the begin of the shift.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rest {
    /// How long it lasts.
    pub length: i64,
    /// It does not begin before.
    pub from: i64,
    /// It has ended by then.
    pub until: i64,
    /// Shifts at least so long owe it.
    pub owed_from: i64,
}

impl Rest {
    /// Whether a tour of a shift of so many seconds owes a break: by the length of the shift, not of the tour.
    pub const fn is_owed(&self, length: i64) -> bool {
        length >= self.owed_from
    }
}

/// What a unit does at a stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doing {
    /// Leaves its depot.
    Start,
    /// Stays in an area, by position.
    Visit(usize),
    /// Rests, at the place of the stop before.
    Break,
    /// Is back at its depot.
    End,
}

/// A stop of a tour.
#[derive(Debug, Clone, PartialEq)]
pub struct Stop {
    /// What for.
    pub doing: Doing,
    /// When the unit arrives, in seconds since 1970-01-01T00:00:00 UTC.
    pub arrive: i64,
    /// When it begins what it stops for; between the two it waits.
    pub begin: i64,
    /// When it leaves.
    pub leave: i64,
    /// The way from the stop before, in metres.
    pub metres: f64,
    /// That way on the map; empty where there is none.
    pub path: Vec<Coord<f64>>,
}

/// What one unit does in one shift.
#[derive(Debug, Clone, PartialEq)]
pub struct Tour {
    /// The unit, from 0.
    pub unit: usize,
    /// The shift, by position.
    pub shift: usize,
    /// From leaving the depot to being back.
    pub stops: Vec<Stop>,
}

/// Visits that were wanted and are not in the plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unserved {
    /// The area, by position.
    pub area: usize,
    /// The shift, by position.
    pub shift: usize,
    /// How many were wanted.
    pub wanted: u32,
    /// How many are in the plan.
    pub planned: u32,
    /// Why not more.
    pub why: String,
}

/// Visits of a dose to areas, shift by shift.
#[derive(Debug, Clone, PartialEq)]
pub struct PatrolPlan {
    /// The areas.
    pub areas: Vec<PlanArea>,
    /// The depots.
    pub depots: Vec<Depot>,
    /// The depot of each unit, by position.
    pub depot_of: Vec<usize>,
    /// The shifts, in the order of time.
    pub shifts: Vec<Shift>,
    /// The clocks of the place.
    pub clock: Clock,
    /// How long a visit lasts, in seconds.
    pub dose: i64,
    /// From the begin of a visit to the begin of the next one to the same area at least so many seconds.
    pub spacing: i64,
    /// The break that is owed; `None` where none is planned.
    pub rest: Option<Rest>,
    /// Visits wanted, per shift and area.
    pub wanted: Vec<Vec<u32>>,
    /// One per unit and shift, by shift and then by unit; a unit without a visit stays at its depot and has none.
    pub tours: Vec<Tour>,
    /// What is missing.
    pub unserved: Vec<Unserved>,
}

/// A figure of a plan and what it is: `62 %`, "of the incidents lie in the areas".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// The figure, as a number is written in English; empty where the text says all.
    pub figure: String,
    /// What it is, in English.
    pub text: &'static str,
}

/// Everything a plan has to tell, on its way to a map, a page and a project.
#[derive(Debug, Clone)]
pub struct PlanBriefing {
    /// What all of it is called.
    pub title: String,
    /// Whom the data is owed to, as its owner wants it said; empty where nothing was said.
    pub attribution: String,
    /// What was planned, the uppermost on a map first.
    pub layers: Vec<Layer>,
    /// The name of the layer that is listed: areas, districts, sites.
    pub listed: &'static str,
    /// The names of layers that show where single incidents were: they are for the package, not for a page or a picture to pass on.
    pub exact: Vec<&'static str>,
    /// The study area.
    pub study_area: Layer,
    /// What lies beneath, for the eye alone: streets, water.
    pub basemap: Option<Layer>,
    /// What it comes to.
    pub facts: Vec<Fact>,
    /// What one more unit, area or site buys.
    pub coverage: Option<Curve>,
    /// Who is where when, where that was planned.
    pub patrol: Option<PatrolPlan>,
    /// What it optimises, what is known to work and what is not known, in English.
    pub limits: Vec<&'static str>,
    /// How it was made.
    pub provenance: Provenance,
    /// What was read and what became of the rows.
    pub inputs: Vec<InputRecord>,
    /// What was chosen or noticed on the way.
    pub notes: Vec<Note>,
    /// The command that makes all of it again.
    pub command: String,
}

impl PlanBriefing {
    /// The layers of what was planned that a picture and a page may show: none that says where single incidents were.
    pub fn to_show(&self) -> impl Iterator<Item = &Layer> {
        self.layers.iter().filter(|layer| !self.is_exact(layer))
    }

    /// Whether a layer says where single incidents were.
    pub fn is_exact(&self, layer: &Layer) -> bool {
        self.exact.contains(&layer.name.as_str())
    }
}
