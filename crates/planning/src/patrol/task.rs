//! One shift as the search sees it: times count from its begin, in seconds.

use brasa_model::Rest;

use crate::travel::Travel;

/// Begins fall on whole minutes where the rules do, and ways are rounded up to them: nobody drives by the second.
pub(super) const STEP: i64 = 60;

/// A time that nothing is reached in.
pub(super) const FAR: i64 = i64::MAX / 8;

/// Driving times between points, rounded up to whole minutes.
pub(super) struct Legs {
    points: usize,
    seconds: Vec<i64>,
    /// Per point, the areas in the order of the way there and back.
    near: Vec<Vec<u32>>,
}

impl Legs {
    pub(super) fn new(travel: &Travel, areas: usize) -> Self {
        let points = travel.len();
        let seconds = (0..points * points)
            .map(|at| travel.seconds(at / points, at % points).map_or(FAR, |seconds| up(i64::from(seconds))))
            .collect();
        let mut legs = Self { points, seconds, near: Vec::new() };
        legs.near = (0..areas)
            .map(|from| {
                let mut order: Vec<u32> = (0..areas as u32).collect();
                order.sort_by_key(|&to| (legs.get(from as u32, to) + legs.get(to, from as u32), to));
                order
            })
            .collect();
        legs
    }

    #[inline]
    pub(super) fn get(&self, from: u32, to: u32) -> i64 {
        self.seconds[from as usize * self.points + to as usize]
    }

    /// All areas, the nearest to this one first.
    pub(super) fn near(&self, area: u32) -> &[u32] {
        &self.near[area as usize]
    }
}

/// Up to a whole minute.
pub(super) const fn up(seconds: i64) -> i64 {
    (seconds + STEP - 1).div_euclid(STEP) * STEP
}

/// Down to a whole minute.
pub(super) const fn down(seconds: i64) -> i64 {
    seconds.div_euclid(STEP) * STEP
}

/// The break of a shift that owes one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pause {
    /// It begins at this time at the earliest.
    pub(super) early: i64,
    /// And at this time at the latest.
    pub(super) late: i64,
    pub(super) length: i64,
}

impl Pause {
    pub(super) fn of(rest: Option<&Rest>, length: i64) -> Option<Self> {
        let rest = rest.filter(|rest| rest.is_owed(length))?;
        Some(Self { early: rest.from, late: rest.until.min(length) - rest.length, length: rest.length })
    }
}

/// A wanted visit.
#[derive(Debug, Clone, Copy)]
pub(super) struct Visit {
    pub(super) area: u32,
    /// What it is worth to plan it.
    pub(super) value: u64,
}

/// When a visit may begin, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Slot {
    pub(super) early: i64,
    pub(super) late: i64,
}

impl Slot {
    /// No time at all.
    pub(super) const NEVER: Self = Self { early: FAR, late: -FAR };

    pub(super) const fn is_never(self) -> bool {
        self.early > self.late
    }
}

/// One shift.
pub(super) struct Task<'a> {
    pub(super) legs: &'a Legs,
    pub(super) length: i64,
    pub(super) dose: i64,
    pub(super) spacing: i64,
    pub(super) pause: Option<Pause>,
    /// The point of each unit's depot.
    pub(super) depots: Vec<u32>,
    pub(super) visits: Vec<Visit>,
    /// The visits of each area.
    pub(super) of_area: Vec<Vec<u32>>,
    /// The begins of visits to each area in other shifts, in order.
    pub(super) others: Vec<Vec<i64>>,
    /// When visits to each area can begin at all, from any depot and back to it.
    pub(super) reach: Vec<Option<Slot>>,
}

impl<'a> Task<'a> {
    pub(super) fn new(
        legs: &'a Legs,
        (length, dose, spacing): (i64, i64, i64),
        pause: Option<Pause>,
        depots: Vec<u32>,
        visits: Vec<Visit>,
        others: Vec<Vec<i64>>,
    ) -> Self {
        let areas = others.len();
        let mut of_area = vec![Vec::new(); areas];
        for (at, visit) in visits.iter().enumerate() {
            of_area[visit.area as usize].push(at as u32);
        }
        let reach = (0..areas as u32)
            .map(|area| {
                let there = |&depot: &u32| {
                    let (to, back) = (legs.get(depot, area), legs.get(area, depot));
                    (to < FAR && back < FAR).then_some(Slot { early: to, late: length - dose - back })
                };
                depots
                    .iter()
                    .filter_map(there)
                    .reduce(|a, b| Slot { early: a.early.min(b.early), late: a.late.max(b.late) })
            })
            .collect();
        Self { legs, length, dose, spacing, pause, depots, visits, of_area, others, reach }
    }

    /// The point that a visit is made at.
    #[inline]
    pub(super) fn place(&self, visit: u32) -> u32 {
        self.visits[visit as usize].area
    }
}
