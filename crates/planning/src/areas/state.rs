//! A choice of zones that is being changed: its areas, and the way back.
//!
//! A plan is a set of zones. Its areas are the parts of it that hang together, so that two areas never touch.

use crate::Graph;
use crate::graph::Walk;

/// A zone as the search sees it.
#[derive(Debug, Clone, Copy)]
pub struct Zone {
    pub value: f64,
    pub cost: f64,
    pub area: f64,
    pub x: f64,
    pub y: f64,
}

/// What an area adds up to.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sums {
    pub value: f64,
    pub cost: f64,
    pub area: f64,
    x: f64,
    y: f64,
    second: f64,
}

impl Sums {
    pub fn add(&mut self, zone: &Zone, sign: f64) {
        let area = sign * zone.area;
        self.value += sign * zone.value;
        self.cost += sign * zone.cost;
        self.area += area;
        self.x += area * zone.x;
        self.y += area * zone.y;
        self.second += area * (zone.x * zone.x + zone.y * zone.y + zone.area / std::f64::consts::TAU);
    }

    /// A²/(2πI): 1 for a disc, towards 0 for what is long or full of holes. Zones that overlap would give more than 1.
    pub fn compactness(&self) -> f64 {
        let inertia = self.second - (self.x * self.x + self.y * self.y) / self.area;
        let compactness = self.area * self.area / (std::f64::consts::TAU * inertia);
        if compactness >= 0.0 { compactness.min(1.0) } else { 0.0 }
    }

    /// value · (1 − w + w C).
    pub fn worth(&self, weight: f64) -> f64 {
        if weight == 0.0 { self.value } else { self.value * (1.0 - weight + weight * self.compactness()) }
    }
}

/// What a plan must keep to.
#[derive(Debug, Clone)]
pub struct Rules<'a> {
    pub graph: &'a Graph,
    pub zones: Vec<Zone>,
    pub budget: f64,
    pub areas: usize,
    pub least: f64,
    pub most: f64,
    pub weight: f64,
    pub shares: Option<Shares<'a>>,
}

/// What each district must get.
#[derive(Debug, Clone, Copy)]
pub struct Shares<'a> {
    pub district: &'a [u32],
    pub least: &'a [f64],
    /// The share is of the budget, not of the value caught.
    pub of_budget: bool,
    /// What a unit that is short costs, in value.
    pub price: f64,
}

/// In no area.
pub const NONE: u32 = u32::MAX;

/// A choice of zones; what was changed since the last [`State::keep`] can be undone.
#[derive(Debug, Clone)]
pub struct State<'a> {
    pub rules: &'a Rules<'a>,
    pub of: Vec<u32>,
    place: Vec<u32>,
    pub members: Vec<Vec<u32>>,
    pub sums: Vec<Sums>,
    worth: Vec<f64>,
    pub spent: f64,
    value: f64,
    got: Vec<f64>,
    /// What a unit that a district falls short of costs, in value.
    pub price: f64,
    changes: Vec<(u32, u32)>,
    before: Vec<(u32, Sums, f64)>,
    spent_before: (f64, f64),
    pub walk: Walk,
}

impl<'a> State<'a> {
    /// With no zone chosen.
    pub fn new(rules: &'a Rules<'a>) -> Self {
        let zones = rules.zones.len();
        Self {
            rules,
            of: vec![NONE; zones],
            place: vec![0; zones],
            members: vec![Vec::new(); rules.areas],
            sums: vec![Sums::default(); rules.areas],
            worth: vec![0.0; rules.areas],
            spent: 0.0,
            value: 0.0,
            got: vec![0.0; rules.shares.map_or(0, |shares| shares.least.len())],
            price: rules.shares.map_or(0.0, |shares| shares.price),
            changes: Vec::new(),
            before: Vec::new(),
            spent_before: (0.0, 0.0),
            walk: Walk::new(zones),
        }
    }

    /// Puts a zone into an area, or into [`NONE`].
    pub fn set(&mut self, zone: u32, area: u32) {
        let old = self.of[zone as usize];
        self.changes.push((zone, old));
        for area in [old, area] {
            if area != NONE && !self.before.iter().any(|&(known, ..)| known == area) {
                self.before.push((area, self.sums[area as usize], self.worth[area as usize]));
            }
        }
        self.shift(zone, area);
        let what = &self.rules.zones[zone as usize];
        for (area, sign) in [(old, -1.0), (area, 1.0)] {
            if area != NONE {
                let sums = &mut self.sums[area as usize];
                sums.add(what, sign);
                if self.members[area as usize].is_empty() {
                    *sums = Sums::default();
                }
                self.worth[area as usize] = sums.worth(self.rules.weight);
            }
        }
        let sign = f64::from(area != NONE) - f64::from(old != NONE);
        self.spent += sign * what.cost;
        self.value += sign * what.value;
        self.share(zone, sign);
    }

    /// Moves a zone from list to list.
    fn shift(&mut self, zone: u32, area: u32) {
        let old = self.of[zone as usize];
        if old != NONE {
            let list = &mut self.members[old as usize];
            let at = self.place[zone as usize] as usize;
            list.swap_remove(at);
            if let Some(&moved) = list.get(at) {
                self.place[moved as usize] = at as u32;
            }
        }
        if area != NONE {
            self.place[zone as usize] = self.members[area as usize].len() as u32;
            self.members[area as usize].push(zone);
        }
        self.of[zone as usize] = area;
    }

    fn share(&mut self, zone: u32, sign: f64) {
        if let Some(shares) = self.rules.shares
            && let Some(got) = self.got.get_mut(shares.district[zone as usize] as usize)
        {
            let what = &self.rules.zones[zone as usize];
            *got += sign * if shares.of_budget { what.cost } else { what.value };
        }
    }

    /// Keeps what was changed.
    pub fn keep(&mut self) {
        self.changes.clear();
        self.before.clear();
        self.spent_before = (self.spent, self.value);
    }

    /// Takes back what was changed.
    pub fn undo(&mut self) {
        while let Some((zone, old)) = self.changes.pop() {
            let sign = f64::from(old != NONE) - f64::from(self.of[zone as usize] != NONE);
            self.shift(zone, old);
            self.share(zone, sign);
        }
        for (area, sums, worth) in self.before.drain(..) {
            self.sums[area as usize] = sums;
            self.worth[area as usize] = worth;
        }
        (self.spent, self.value) = self.spent_before;
    }

    /// Whether a zone has been changed since the last [`State::keep`].
    pub fn is_fresh(&self, zone: u32) -> bool {
        self.changes.iter().any(|&(changed, _)| changed == zone)
    }

    /// Adds everything up anew, so that rounding does not pile up.
    pub fn tidy(&mut self) {
        self.keep();
        (self.spent, self.value) = (0.0, 0.0);
        self.got.fill(0.0);
        for area in 0..self.members.len() {
            let mut sums = Sums::default();
            for at in 0..self.members[area].len() {
                let zone = self.members[area][at];
                sums.add(&self.rules.zones[zone as usize], 1.0);
                self.share(zone, 1.0);
            }
            self.sums[area] = sums;
            self.worth[area] =
                if self.members[area].is_empty() { 0.0 } else { sums.worth(self.rules.weight) };
            self.spent += sums.cost;
            self.value += sums.value;
        }
        self.keep();
    }

    /// An area without a zone.
    pub fn empty(&self) -> Option<u32> {
        (0..).zip(&self.members).find(|(_, members)| members.is_empty()).map(|(area, _)| area)
    }

    /// How many zones are chosen.
    pub fn chosen(&self) -> usize {
        self.members.iter().map(Vec::len).sum()
    }

    /// The sum of value · (1 − w + w C) over areas.
    pub fn objective(&self) -> f64 {
        self.worth.iter().sum()
    }

    /// By how much each district falls short, in the unit of its share.
    pub fn short(&self) -> impl Iterator<Item = f64> {
        let (whole, least) = match self.rules.shares {
            Some(shares) if shares.of_budget => (self.rules.budget, shares.least),
            Some(shares) => (self.value, shares.least),
            None => (0.0, &[][..]),
        };
        let slack = 1e-9 * whole;
        least.iter().zip(&self.got).map(move |(least, got)| {
            let short = least * whole - got;
            if short > slack { short } else { 0.0 }
        })
    }

    /// What each district has got.
    pub fn got(&self) -> &[f64] {
        &self.got
    }

    /// The objective, less what districts fall short of.
    pub fn score(&self) -> f64 {
        self.objective() - self.price * self.short().sum::<f64>()
    }

    /// Whether the spending keeps to the budget, to a part in a billion: a hundred cells of 0.01 km² are 1 km².
    pub fn within_budget(&self) -> bool {
        self.spent <= self.rules.budget * (1.0 + 1e-9)
    }

    /// Whether an area may cost so much.
    pub fn small_enough(&self, cost: f64) -> bool {
        cost <= self.rules.most * (1.0 + 1e-9)
    }

    /// Whether an area may cost so little.
    pub fn large_enough(&self, cost: f64) -> bool {
        cost >= self.rules.least * (1.0 - 1e-9)
    }

    /// The area that a free zone would belong to; [`NONE`] if it touches none. Not where it touches two.
    pub fn touched(&self, zone: u32) -> Option<u32> {
        let mut touched = NONE;
        for &other in self.rules.graph.of(zone as usize) {
            let area = self.of[other as usize];
            if area != NONE && area != touched {
                if touched != NONE {
                    return None;
                }
                touched = area;
            }
        }
        Some(touched)
    }
}
