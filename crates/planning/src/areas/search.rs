//! The search for good areas: a greedy start, then annealing over zones that enter, leave and change places.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use brasa_model::Chance;

use super::state::{NONE, Rules, State};

/// What a search found: the zones, by score.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    pub score: f64,
    pub of: Vec<u32>,
    /// Whether each district has its share.
    pub fair: bool,
}

/// How promising each zone is: value by cost, smoothed over its neighbours twice.
pub fn promise(rules: &Rules<'_>) -> Vec<f64> {
    let mut promise: Vec<f64> = rules.zones.iter().map(|zone| zone.value / zone.cost).collect();
    for _ in 0..2 {
        let smooth = |zone: usize| {
            let near = rules.graph.of(zone);
            let sum: f64 = near.iter().map(|&other| promise[other as usize]).sum();
            (2.0 * promise[zone] + sum) / (2.0 + near.len() as f64)
        };
        promise = (0..promise.len()).map(smooth).collect();
    }
    promise
}

/// One search: how many moves it makes depends on how many zones the plan has, and never on the clock.
pub fn search(
    rules: &Rules<'_>,
    promise: &[f64],
    order: &[u32],
    run: u64,
    seed: u64,
    most_moves: usize,
) -> Found {
    let mut chance = Chance::new(seed, run);
    let blur = if run == 0 { 0.0 } else { 0.5 };
    let promise: Vec<f64> = promise.iter().map(|promise| promise * (1.0 + blur * chance.share())).collect();
    let mut order: Vec<u32> = order.to_vec();
    if run > 0 {
        order.sort_by(|&a, &b| promise[b as usize].total_cmp(&promise[a as usize]));
    }
    let mut search = Search { state: State::new(rules), promise, order, chance };
    search.start();
    // Some searches may break a rule on their way for little, some for much.
    search.state.price *= [1.0, 0.25, 0.5, 2.0][(run / 2) as usize % 4];
    // Some searches begin warm, to polish the greedy start; some hot, to forget it.
    search.anneal(most_moves, [0.5, 2.0, 1.0, 4.0][run as usize % 4])
}

struct Search<'a> {
    state: State<'a>,
    promise: Vec<f64>,
    /// Zones, the most promising first.
    order: Vec<u32>,
    chance: Chance,
}

impl Search<'_> {
    fn below(&mut self, end: usize) -> usize {
        self.chance.below(end as u64) as usize
    }

    /// Grows areas from the most promising zones, then all at once until the budget is spent.
    fn start(&mut self) {
        let rules = self.state.rules;
        let mut next = 0;
        while let (Some(area), Some(&seed)) = (self.state.empty(), self.order.get(next)) {
            next += 1;
            let hill = rules.graph.of(seed as usize).iter().all(|&other| {
                (self.promise[other as usize], Reverse(other)) <= (self.promise[seed as usize], Reverse(seed))
            });
            if hill && self.state.touched(seed) == Some(NONE) && self.state.of[seed as usize] == NONE {
                if self.grow(area, seed, rules.least, false) {
                    self.state.keep();
                } else {
                    self.state.undo();
                }
            }
        }
        let mut edge = BinaryHeap::new();
        for zone in 0..rules.zones.len() as u32 {
            if self.state.of[zone as usize] == NONE && self.state.touched(zone) != Some(NONE) {
                edge.push((self.promise[zone as usize].to_bits(), Reverse(zone)));
            }
        }
        while let Some((_, Reverse(zone))) = edge.pop() {
            if self.state.of[zone as usize] == NONE && self.enter(zone) && self.state.within_budget() {
                self.state.keep();
                for &other in rules.graph.of(zone as usize) {
                    if self.state.of[other as usize] == NONE {
                        edge.push((self.promise[other as usize].to_bits(), Reverse(other)));
                    }
                }
            } else {
                self.state.undo();
            }
        }
        self.state.tidy();
    }

    /// Grows an empty area from a zone, the most promising neighbour first or `anyhow`, to a cost; says whether it is large enough.
    fn grow(&mut self, area: u32, seed: u32, target: f64, anyhow: bool) -> bool {
        let rules = self.state.rules;
        let mut edge = BinaryHeap::from([(0, Reverse(seed))]);
        let mut tries = 0;
        while let Some((_, Reverse(zone))) = edge.pop() {
            let cost = rules.zones[zone as usize].cost;
            let fits = self.state.small_enough(self.state.sums[area as usize].cost + cost)
                && self.state.spent + cost <= rules.budget * (1.0 + 1e-9);
            let alone =
                matches!(self.state.touched(zone), Some(touched) if touched == NONE || touched == area);
            if self.state.of[zone as usize] == NONE && fits && alone {
                self.state.set(zone, area);
                if self.state.sums[area as usize].cost >= target {
                    break;
                }
                for &other in rules.graph.of(zone as usize) {
                    if self.state.of[other as usize] == NONE {
                        // Promises are not negative, so that their bits are in the order of their values.
                        let promise = self.promise[other as usize].to_bits();
                        edge.push((if anyhow { self.chance.bits() } else { promise }, Reverse(other)));
                    }
                }
            } else {
                tries += 1;
                if tries > 64 {
                    break;
                }
            }
        }
        !self.state.members[area as usize].is_empty()
            && self.state.large_enough(self.state.sums[area as usize].cost)
    }

    /// A free zone enters the area that it touches; it joins two that it touches into one.
    fn enter(&mut self, zone: u32) -> bool {
        let rules = self.state.rules;
        let mut touched = [NONE; 4];
        let mut count = 0;
        for &other in rules.graph.of(zone as usize) {
            let area = self.state.of[other as usize];
            if area != NONE && !touched[..count].contains(&area) {
                if count == touched.len() {
                    return false;
                }
                touched[count] = area;
                count += 1;
            }
        }
        let touched = &mut touched[..count];
        let cost: f64 = touched.iter().map(|&area| self.state.sums[area as usize].cost).sum();
        if touched.is_empty() || !self.state.small_enough(cost + rules.zones[zone as usize].cost) {
            return false;
        }
        touched.sort_by_key(|&area| (Reverse(self.state.members[area as usize].len()), area));
        self.state.set(zone, touched[0]);
        for &area in &touched[1..] {
            while let Some(&member) = self.state.members[area as usize].last() {
                self.state.set(member, touched[0]);
            }
        }
        true
    }

    /// A zone leaves its area, which stays in one piece and large enough, or vanishes with it.
    fn leave(&mut self, zone: u32) -> bool {
        let area = self.state.of[zone as usize];
        if self.state.members[area as usize].len() > 1 {
            let left = self.state.sums[area as usize].cost - self.state.rules.zones[zone as usize].cost;
            if !self.state.large_enough(left) {
                return false;
            }
            let of = &self.state.of;
            if !self
                .state
                .walk
                .holds_without(self.state.rules.graph, zone, |other| of[other as usize] == area)
            {
                return false;
            }
        }
        self.state.set(zone, NONE);
        true
    }

    /// A zone leaves its area, which falls into parts: a part that is large enough becomes an area while there is one to spare,
    /// others go.
    fn cut(&mut self, zone: u32) -> bool {
        let graph = self.state.rules.graph;
        let area = self.state.of[zone as usize];
        self.state.set(zone, NONE);
        let mut parts: Vec<Vec<u32>> = Vec::new();
        for &end in graph.of(zone as usize) {
            if self.state.of[end as usize] == area && !parts.iter().any(|part| part.contains(&end)) {
                let of = &self.state.of;
                parts.push(self.state.walk.reach(graph, end, |other| of[other as usize] == area).to_vec());
            }
        }
        let cost = |part: &Vec<u32>| -> f64 {
            part.iter().map(|&zone| self.state.rules.zones[zone as usize].cost).sum()
        };
        let costs: Vec<f64> = parts.iter().map(cost).collect();
        let keeps = match parts.len() {
            0 => return true,
            parts => self.below(parts),
        };
        if !self.state.large_enough(costs[keeps]) {
            return false;
        }
        for (at, part) in parts.iter().enumerate().filter(|(at, _)| *at != keeps) {
            let own = self.state.empty().filter(|_| self.state.large_enough(costs[at])).unwrap_or(NONE);
            part.iter().for_each(|&zone| self.state.set(zone, own));
        }
        true
    }

    /// A chosen zone, each as likely as the other.
    fn any(&mut self) -> Option<u32> {
        let chosen = self.state.chosen();
        if chosen == 0 {
            return None;
        }
        let mut at = self.below(chosen);
        for members in &self.state.members {
            if let Some(&zone) = members.get(at) {
                return Some(zone);
            }
            at -= members.len();
        }
        None
    }

    /// Zones leave until the budget is kept: each time the poorest of a few that may.
    fn make_room(&mut self, within: Option<u32>) -> bool {
        let mut tries = 0;
        while !self.state.within_budget() {
            let look = 1 + self.below(3);
            let mut poorest: Option<(f64, u32)> = None;
            for _ in 0..look {
                let zone = match within {
                    Some(area) if !self.state.members[area as usize].is_empty() => {
                        let at = self.below(self.state.members[area as usize].len());
                        Some(self.state.members[area as usize][at])
                    }
                    _ => self.any(),
                };
                if let Some(zone) = zone.filter(|&zone| !self.state.is_fresh(zone)) {
                    let what = &self.state.rules.zones[zone as usize];
                    let poor = (what.value / what.cost, zone);
                    if poorest.is_none_or(|poorest| poor < poorest) {
                        poorest = Some(poor);
                    }
                }
            }
            if !poorest.is_some_and(|(_, zone)| self.leave(zone)) {
                tries += 1;
                if tries > 12 {
                    return false;
                }
            }
        }
        true
    }

    /// A neighbour of the plan enters, and others leave for it.
    fn exchange(&mut self) -> bool {
        let Some(member) = self.any() else { return self.settle() };
        let near = self.state.rules.graph.of(member as usize);
        if near.is_empty() {
            return false;
        }
        let zone = near[self.below(near.len())];
        if self.state.of[zone as usize] != NONE || !self.enter(zone) {
            return false;
        }
        let own = self.state.of[zone as usize];
        let within = (self.below(2) == 0).then_some(own);
        self.make_room(within)
    }

    /// An area starts anew elsewhere, with one given up for it where there is none to spare.
    fn settle(&mut self) -> bool {
        let zones = self.order.len();
        if zones == 0 {
            return false;
        }
        let spare = self.state.empty();
        let area = match spare {
            Some(area) if self.below(4) > 0 || self.state.chosen() == 0 => area,
            _ => {
                let area = self.below(self.state.members.len()) as u32;
                while let Some(&member) = self.state.members[area as usize].last() {
                    self.state.set(member, NONE);
                }
                area
            }
        };
        // The more promising, the likelier.
        let share = self.chance.share();
        let seed = self.order[((share * share * share * zones as f64) as usize).min(zones - 1)];
        if self.state.of[seed as usize] != NONE || self.state.touched(seed) != Some(NONE) {
            return false;
        }
        let rules = self.state.rules;
        let anyhow = self.below(2) == 0;
        let free = (rules.budget - self.state.spent).max(0.0);
        let small = rules.least.max(rules.zones[seed as usize].cost * (1 + self.below(4)) as f64);
        if free >= small || free >= rules.least && spare.is_none() {
            let target = small + self.chance.share() * (1.5 * free - small).max(0.0);
            return self.grow(area, seed, target, anyhow);
        }
        // Others make room: first they leave, then the area grows.
        self.state.spent += small;
        let room = self.make_room(None);
        self.state.spent -= small;
        room && self.grow(area, seed, small, anyhow)
    }

    /// An area ends, or a zone leaves.
    fn give(&mut self) -> bool {
        let Some(zone) = self.any() else { return false };
        if self.below(4) == 0 { self.cut(zone) } else { self.leave(zone) }
    }

    fn anneal(mut self, most_moves: usize, warmth: f64) -> Found {
        let rules = self.state.rules;
        let mut best = Found { score: f64::NEG_INFINITY, of: vec![NONE; rules.zones.len()], fair: false };
        self.remember(&mut best);
        let chosen = self.state.chosen().max(1);
        let moves = (300 * chosen).clamp(20_000.min(most_moves), most_moves);
        let mean = self.state.objective() / chosen as f64;
        let hot = if mean > 0.0 { warmth * mean } else { 1.0 };
        let cooling = libm::exp(libm::log(0.002 / warmth) / moves as f64);
        let (mut heat, mut score) = (hot, self.state.score());
        let rare = (20 * chosen / rules.areas.max(1)).clamp(100, 5000);
        let glance = if rules.zones.len() <= 2000 { 1 } else { moves / 50 };
        for at in 0..moves {
            let kind = self.below(1000);
            let valid = match kind {
                0..750 => self.exchange(),
                750..900 => self.give(),
                _ if self.below(rare) < 100 => self.settle(),
                _ => self.exchange(),
            } && self.state.within_budget();
            let new = if valid { self.state.score() } else { f64::NEG_INFINITY };
            heat *= cooling;
            if valid && (new >= score || self.chance.share() < libm::exp((new - score) / heat)) {
                self.state.keep();
                score = new;
                if score > best.score && at % glance == 0 || self.better_fair(&best) && glance == 1 {
                    self.remember(&mut best);
                }
            } else {
                self.state.undo();
            }
            if at % 4096 == 4095 {
                self.state.tidy();
                score = self.state.score();
            }
        }
        self.state.tidy();
        self.remember(&mut best);
        best
    }

    /// Whether this keeps all shares while the best so far does not.
    fn better_fair(&self, best: &Found) -> bool {
        !best.fair && self.state.short().all(|short| short == 0.0)
    }

    fn remember(&mut self, best: &mut Found) {
        let (score, fair) = (self.state.score(), self.state.short().all(|short| short == 0.0));
        if (fair, score) > (best.fair, best.score) {
            (best.score, best.fair) = (score, fair);
            best.of.copy_from_slice(&self.state.of);
        }
    }
}
