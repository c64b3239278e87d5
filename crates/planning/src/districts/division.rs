//! A division of zones among districts, and what can be done with it.

use std::collections::BTreeSet;

use brasa_model::Chance;

use super::Rules;
use crate::graph::Walk;

/// Zones divided among districts that each hang together.
#[derive(Debug, Clone)]
pub(super) struct Division {
    district: Vec<u32>,
    members: Vec<Vec<u32>>,
    /// Where each zone stands among the members of its district.
    place: Vec<u32>,
    centre: Vec<u32>,
    load: Vec<f64>,
    /// By district, with its middle as it is.
    cost: Vec<f64>,
    excess: f64,
}

/// A zone that goes to the district beside it, and perhaps one that comes back for it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Change {
    zone: u32,
    to: u32,
    back: Option<u32>,
    /// What it adds to the cost, with the middles as they are.
    pub cost: f64,
    /// What it adds to the excess of loads.
    pub excess: f64,
}

/// So many members of a district are looked at for one that could come back.
const LOOKED_AT: u32 = 6;
/// Work of a polish, in additions; one of large districts ends before it has tried all.
const MOST_WORK: usize = 60_000_000;

impl Division {
    /// Districts that grow around zones drawn by chance, the lightest first.
    pub fn grown(rules: &Rules<'_>, parts: &[Vec<u32>], chance: &mut Chance) -> Self {
        let zones = rules.load.len();
        let mut division = Self {
            district: vec![u32::MAX; zones],
            members: vec![Vec::new(); rules.count],
            place: vec![0; zones],
            centre: vec![0; rules.count],
            load: vec![0.0; rules.count],
            cost: vec![0.0; rules.count],
            excess: 0.0,
        };
        let mut next = 0;
        for (part, count) in parts.iter().zip(shares(rules, parts)) {
            let districts: Vec<usize> = (next..next + count).collect();
            next += count;
            for (&district, seed) in districts.iter().zip(seeds(rules, part, count, chance)) {
                division.put(rules, seed, district as u32);
                division.centre[district] = seed;
            }
            for _ in count..part.len() {
                division.grow(rules, &districts);
            }
        }
        division.recentre(rules);
        division
    }

    /// Gives the lightest district that can grow the cheapest zone beside it.
    fn grow(&mut self, rules: &Rules<'_>, districts: &[usize]) {
        let mut order = districts.to_vec();
        order.sort_by(|&a, &b| self.load[a].total_cmp(&self.load[b]).then(a.cmp(&b)));
        for district in order {
            let costs = rules.costs.of(self.centre[district] as usize);
            let beside = self.members[district].iter().flat_map(|&member| rules.graph.of(member as usize));
            let free = beside.filter(|&&zone| self.district[zone as usize] == u32::MAX);
            let cheapest =
                free.min_by(|&&a, &&b| costs[a as usize].total_cmp(&costs[b as usize]).then(a.cmp(&b)));
            if let Some(&zone) = cheapest {
                self.put(rules, zone, district as u32);
                return;
            }
        }
    }

    fn put(&mut self, rules: &Rules<'_>, zone: u32, district: u32) {
        let members = &mut self.members[district as usize];
        self.place[zone as usize] = members.len() as u32;
        members.push(zone);
        self.district[zone as usize] = district;
        self.load[district as usize] += rules.load[zone as usize];
    }

    fn take(&mut self, rules: &Rules<'_>, zone: u32) {
        let district = self.district[zone as usize] as usize;
        let place = self.place[zone as usize] as usize;
        self.members[district].swap_remove(place);
        if let Some(&moved) = self.members[district].get(place) {
            self.place[moved as usize] = place as u32;
        }
        self.load[district] -= rules.load[zone as usize];
    }

    /// The district of a zone.
    pub fn of(&self, zone: usize) -> u32 {
        self.district[zone]
    }

    /// The zone in the middle of a district.
    pub fn centre(&self, district: usize) -> u32 {
        self.centre[district]
    }

    /// The load of each district.
    pub fn loads(&self) -> &[f64] {
        &self.load
    }

    /// What it costs, with the middles as they are.
    pub fn cost(&self) -> f64 {
        self.cost.iter().sum()
    }

    /// By how much loads break the rule, as a share of the mean.
    pub const fn excess(&self) -> f64 {
        self.excess
    }

    /// What is less is better: loads that keep the rule before all else.
    pub fn rank(&self) -> (f64, f64) {
        (self.excess, self.cost())
    }

    /// The best middle of each district; sums are made anew, in the order of zones, so that no rounding gathers.
    pub fn recentre(&mut self, rules: &Rules<'_>) {
        for district in 0..rules.count {
            self.recentre_one(rules, district);
        }
        self.excess = self.load.iter().map(|&load| rules.excess(load)).sum();
    }

    fn recentre_one(&mut self, rules: &Rules<'_>, district: usize) {
        let mut zones = self.members[district].clone();
        zones.sort_unstable();
        let (centre, cost) = middle(rules, &zones);
        (self.centre[district], self.cost[district]) = (centre, cost);
        self.load[district] = zones.iter().map(|&zone| rules.load[zone as usize]).sum();
    }

    /// A change drawn by chance; `None` where the zone that was drawn has nowhere to go.
    pub fn draw(&self, rules: &Rules<'_>, chance: &mut Chance, walk: &mut Walk) -> Option<Change> {
        let zone = chance.below(rules.load.len() as u64) as u32;
        let from = self.district[zone as usize];
        if self.members[from as usize].len() < 2 {
            return None;
        }
        let beside = rules.graph.of(zone as usize);
        let others = beside.iter().map(|&other| self.district[other as usize]).filter(|&other| other != from);
        let count = others.clone().count() as u64;
        if count == 0 {
            return None;
        }
        let to = others.clone().nth(chance.below(count) as usize)?;
        if !walk.holds_without(rules.graph, zone, |other| self.district[other as usize] == from) {
            return None;
        }
        let mut back = None;
        if chance.below(2) == 0 {
            let members = &self.members[to as usize];
            for _ in 0..LOOKED_AT {
                let other = members[chance.below(members.len() as u64) as usize];
                let touches = |&near: &u32| near != zone && self.district[near as usize] == from;
                if rules.graph.of(other as usize).iter().any(touches) {
                    back = Some(other);
                    break;
                }
            }
        }
        Some(self.change(rules, zone, to, back))
    }

    fn change(&self, rules: &Rules<'_>, zone: u32, to: u32, back: Option<u32>) -> Change {
        let from = self.district[zone as usize];
        let costs = |district: u32| rules.costs.of(self.centre[district as usize] as usize);
        let (here, there) = (costs(from), costs(to));
        let mut cost = there[zone as usize] - here[zone as usize];
        let mut shifted = rules.load[zone as usize];
        if let Some(back) = back {
            cost += here[back as usize] - there[back as usize];
            shifted -= rules.load[back as usize];
        }
        let (a, b) = (self.load[from as usize], self.load[to as usize]);
        let excess =
            rules.excess(a - shifted) + rules.excess(b + shifted) - rules.excess(a) - rules.excess(b);
        Change { zone, to, back, cost, excess }
    }

    /// Makes a change, unless a district would fall apart; says whether it was made. The zone that goes is known to be no articulation.
    pub fn make(&mut self, rules: &Rules<'_>, change: &Change, walk: &mut Walk) -> bool {
        let &Change { zone, to, back, .. } = change;
        let from = self.district[zone as usize];
        let [mut here, mut there] = [from, to].map(|district| self.cost[district as usize]);
        let row = |district: u32| rules.costs.of(self.centre[district as usize] as usize);
        here -= row(from)[zone as usize];
        there += row(to)[zone as usize];
        if let Some(back) = back {
            here += row(from)[back as usize];
            there -= row(to)[back as usize];
        }
        self.take(rules, zone);
        self.put(rules, zone, to);
        if let Some(back) = back {
            if !walk.holds_without(rules.graph, back, |other| self.district[other as usize] == to) {
                self.take(rules, zone);
                self.put(rules, zone, from);
                return false;
            }
            self.take(rules, back);
            self.put(rules, back, from);
        }
        self.cost[from as usize] = here;
        self.cost[to as usize] = there;
        for (district, gone) in [(from, Some(zone)), (to, back)] {
            if gone == Some(self.centre[district as usize]) {
                self.recentre_one(rules, district as usize);
            }
        }
        self.excess = self.load.iter().map(|&load| rules.excess(load)).sum();
        true
    }

    /// Makes the first move or swap that helps, with the middles that are best after it, until none does.
    pub fn polish(&mut self, rules: &Rules<'_>, walk: &mut Walk) {
        let mut work = 0;
        let mut helped = true;
        while helped && work < MOST_WORK {
            helped = false;
            for zone in 0..rules.load.len() as u32 {
                if work > MOST_WORK {
                    break;
                }
                helped |= self.polish_one(rules, zone, walk, &mut work);
            }
        }
        self.recentre(rules);
    }

    fn polish_one(&mut self, rules: &Rules<'_>, zone: u32, walk: &mut Walk, work: &mut usize) -> bool {
        let from = self.district[zone as usize];
        let beside: BTreeSet<u32> = rules
            .graph
            .of(zone as usize)
            .iter()
            .map(|&other| self.district[other as usize])
            .filter(|&other| other != from)
            .collect();
        for to in beside {
            let mut backs: Vec<Option<u32>> = vec![None];
            let mut others = self.members[to as usize].clone();
            others.sort_unstable();
            let touches = |&near: &u32| near != zone && self.district[near as usize] == from;
            backs.extend(
                others
                    .into_iter()
                    .filter(|&other| rules.graph.of(other as usize).iter().any(touches))
                    .map(Some),
            );
            for back in backs {
                if self.members[from as usize].len() < 2 && back.is_none() {
                    continue;
                }
                if !walk.holds_without(rules.graph, zone, |other| self.district[other as usize] == from) {
                    break;
                }
                let before = self.clone();
                let change = self.change(rules, zone, to, back);
                *work += self.members[from as usize].len().pow(2) + self.members[to as usize].len().pow(2);
                if self.make(rules, &change, walk) {
                    self.recentre_one(rules, from as usize);
                    self.recentre_one(rules, to as usize);
                    self.excess = self.load.iter().map(|&load| rules.excess(load)).sum();
                    let (was, is) = (before.rank(), self.rank());
                    let hair = 1e-12 * was.1.abs();
                    if is.0 < was.0 - 1e-12 || (is.0 <= was.0 && is.1 < was.1 - hair) {
                        return true;
                    }
                }
                *self = before;
            }
        }
        false
    }
}

/// The zone for which the others cost least, and what they cost.
fn middle(rules: &Rules<'_>, zones: &[u32]) -> (u32, f64) {
    let cost = |&centre: &u32| {
        let row = rules.costs.of(centre as usize);
        (centre, zones.iter().map(|&zone| row[zone as usize]).sum::<f64>())
    };
    zones.iter().map(cost).min_by(|a, b| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0))).unwrap_or((0, 0.0))
}

/// How many districts each part gets: at least one, no more than it has zones, and otherwise by its load.
fn shares(rules: &Rules<'_>, parts: &[Vec<u32>]) -> Vec<usize> {
    let load: Vec<f64> =
        parts.iter().map(|part| part.iter().map(|&zone| rules.load[zone as usize]).sum()).collect();
    let mut shares = vec![1; parts.len()];
    for _ in parts.len()..rules.count {
        let open = (0..parts.len()).filter(|&part| shares[part] < parts[part].len());
        let each = |part: usize| load[part] / shares[part] as f64;
        if let Some(part) = open.max_by(|&a, &b| each(a).total_cmp(&each(b)).then(b.cmp(&a))) {
            shares[part] += 1;
        }
    }
    shares
}

/// Zones to grow around: the first drawn by chance, each other one the likelier the more it costs from those before it (Arthur &
/// Vassilvitskii 2007, k-means++).
fn seeds(rules: &Rules<'_>, part: &[u32], count: usize, chance: &mut Chance) -> Vec<u32> {
    let mut seeds = vec![part[chance.below(part.len() as u64) as usize]];
    while seeds.len() < count {
        let far = |zone: &u32| {
            if seeds.contains(zone) {
                return 0.0;
            }
            let near = seeds.iter().map(|&seed| rules.costs.of(seed as usize)[*zone as usize]);
            // Also where nothing is demanded a district may begin.
            near.fold(f64::INFINITY, f64::min) + f64::MIN_POSITIVE
        };
        let weights: Vec<f64> = part.iter().map(far).collect();
        let mut drawn = chance.share() * weights.iter().sum::<f64>();
        let mut chosen = None;
        for (&zone, &weight) in part.iter().zip(&weights) {
            if weight > 0.0 {
                chosen = Some(zone);
                if drawn < weight {
                    break;
                }
                drawn -= weight;
            }
        }
        let Some(zone) = chosen else { break };
        seeds.push(zone);
    }
    seeds
}
