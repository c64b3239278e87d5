//! What serving each demand from each place costs, the cheapest places by interchange, and how cheap it can be at best.

use brasa_model::Chance;
use rayon::prelude::*;

use crate::PlanError;
use crate::settings::Objective;

/// No way at all counts as so many times the longest way there is.
const NO_WAY: f64 = 1000.0;

/// Costs, by place and by demand.
#[derive(Debug, Clone, PartialEq)]
pub struct Costs {
    demands: usize,
    cost: Vec<f64>,
}

impl Costs {
    /// Demand times distance, or for [`Objective::Cover`] the demand that lies further than `within`. `distance` says how far it
    /// is from a place to a demand; infinite where there is no way.
    pub fn new(
        plan: &'static str,
        demand: &[f64],
        places: usize,
        distance: &(impl Fn(usize, usize) -> f64 + Sync),
        objective: Objective,
        within: Option<f64>,
    ) -> Result<Self, PlanError> {
        let refused = |why: String| PlanError::Parameter { plan, why };
        if let Some(at) = demand.iter().position(|value| !(value.is_finite() && *value >= 0.0)) {
            return Err(refused(format!(
                "demand {at} is {}; it must be finite and not negative",
                demand[at]
            )));
        }
        let demands = demand.len();
        let mut cost = vec![0.0; places * demands];
        let rows = cost.par_chunks_mut(demands.max(1)).enumerate();
        let bad = rows
            .filter_map(|(place, row)| {
                row.iter_mut().enumerate().for_each(|(at, cost)| *cost = distance(place, at));
                let bad = row.iter().position(|cost| cost.is_nan() || *cost < 0.0)?;
                Some((place, bad, row[bad]))
            })
            .min_by_key(|&(place, at, _)| (place, at));
        if let Some((place, at, value)) = bad {
            return Err(refused(format!(
                "the distance from place {place} to demand {at} is {value}; it must not be negative"
            )));
        }
        match (objective, within) {
            (Objective::Cover, None) => {
                return Err(refused(
                    "covering needs the distance within which a demand is covered".to_owned(),
                ));
            }
            (Objective::Cover, Some(within)) => {
                for row in cost.chunks_mut(demands.max(1)) {
                    row.iter_mut().zip(demand).for_each(|(cost, &demand)| {
                        *cost = if *cost <= within { 0.0 } else { demand };
                    });
                }
            }
            (Objective::Median, _) => {
                let longest = cost.iter().copied().filter(|cost| cost.is_finite()).fold(0.0, f64::max);
                let no_way = NO_WAY * if longest > 0.0 { longest } else { 1.0 };
                for row in cost.chunks_mut(demands.max(1)) {
                    row.iter_mut().zip(demand).for_each(|(cost, &demand)| *cost = cost.min(no_way) * demand);
                }
            }
        }
        if cost.iter().all(|cost| cost.is_finite()) {
            Ok(Self { demands, cost })
        } else {
            Err(refused("demand times distance is too large a number".to_owned()))
        }
    }

    /// How many demands.
    pub const fn demands(&self) -> usize {
        self.demands
    }

    /// How many places.
    pub fn places(&self) -> usize {
        self.cost.len().checked_div(self.demands).unwrap_or_default()
    }

    /// The costs from a place to each demand.
    pub fn of(&self, place: usize) -> &[f64] {
        &self.cost[place * self.demands..(place + 1) * self.demands]
    }

    /// For each demand which of the open places is cheapest, by position among them, the first of equals; with its cost.
    pub fn cheapest(&self, open: &[u32]) -> Vec<(u32, f64)> {
        let mut cheapest = vec![(u32::MAX, f64::INFINITY); self.demands];
        for (at, &place) in (0..).zip(open) {
            for (cheapest, &cost) in cheapest.iter_mut().zip(self.of(place as usize)) {
                if cost < cheapest.1 {
                    *cheapest = (at, cost);
                }
            }
        }
        cheapest
    }

    /// What it costs with these places open.
    pub fn total(&self, open: &[u32]) -> f64 {
        self.cheapest(open).into_iter().map(|(_, cost)| cost).sum()
    }

    /// No choice of `more` places beside those `fixed` costs less: the dual of the p-median problem with the assignment relaxed,
    /// raised by subgradient steps (Held, Wolfe & Crowder 1974, doi:10.1007/BF01580223; for the p-median Narula, Ogbu &
    /// Samuelsson 1977, doi:10.1287/opre.25.4.709). `known` is what some choice costs.
    pub fn bound(&self, fixed: &[u32], more: usize, known: f64) -> f64 {
        let mut open = vec![false; self.places()];
        fixed.iter().for_each(|&place| open[place as usize] = true);
        let free: Vec<u32> = (0..self.places() as u32).filter(|&place| !open[place as usize]).collect();
        let mut price = vec![0.0; self.demands];
        for (at, price) in price.iter_mut().enumerate() {
            let mut costs: Vec<f64> = (0..self.places()).map(|place| self.of(place)[at]).collect();
            costs.sort_unstable_by(f64::total_cmp);
            *price = costs.get(1).or(costs.first()).copied().unwrap_or_default();
        }
        let (mut best, mut step, mut idle) = (0.0_f64, 1.0, 0);
        // So many rounds that the largest problems take seconds, not minutes.
        let rounds = (2_000_000_000 / self.cost.len().max(1)).clamp(20, 500);
        for _ in 0..rounds {
            let worth: Vec<f64> = (0..self.places())
                .into_par_iter()
                .map(|place| {
                    self.of(place).iter().zip(&price).map(|(cost, price)| (cost - price).min(0.0)).sum()
                })
                .collect();
            let mut order = free.clone();
            order.sort_unstable_by(|&a, &b| worth[a as usize].total_cmp(&worth[b as usize]).then(a.cmp(&b)));
            let chosen = || fixed.iter().chain(order.iter().take(more)).copied();
            let value = price.iter().sum::<f64>() + chosen().map(|place| worth[place as usize]).sum::<f64>();
            (best, idle) = if value > best { (value, 0) } else { (best, idle + 1) };
            if known - best <= 1e-9 * known {
                break;
            }
            if idle == 15 {
                (step, idle) = (step / 2.0, 0);
            }
            let mut slope = vec![1.0_f64; self.demands];
            for place in chosen() {
                for ((slope, cost), price) in slope.iter_mut().zip(self.of(place as usize)).zip(&price) {
                    *slope -= f64::from(cost < price);
                }
            }
            let steep: f64 = slope.iter().map(|slope| slope * slope).sum();
            if steep == 0.0 {
                break;
            }
            let length = step * (known - value) / steep;
            price
                .iter_mut()
                .zip(&slope)
                .for_each(|(price, slope)| *price = (*price + length * slope).max(0.0));
        }
        // A sum of rounded numbers may be a hair above what it bounds.
        best.min(known)
    }

    /// `more` places beside those `fixed`, chosen so that all together cost little: the best of several starts, each searched by
    /// interchange (Teitz & Bart 1968, doi:10.1287/opre.16.5.955) and kicked out of its valley a few times. In order.
    pub fn choose(&self, fixed: &[u32], more: usize, starts: u32, seed: u64) -> Vec<u32> {
        let more = more.min(self.places().saturating_sub(fixed.len()));
        let kicks = (20_000_000 / self.cost.len().max(1)).min(40);
        let best = (0..starts.max(1))
            .into_par_iter()
            .map(|start| {
                let mut chance = Chance::new(seed, u64::from(start));
                let mut search = Search::new(self, fixed);
                if start == 0 {
                    search.open_greedily(more);
                } else {
                    search.open_anyhow(more, &mut chance);
                }
                search.descend(&mut chance);
                for _ in 0..kicks {
                    let (open, total) = (search.open.clone(), search.total);
                    search.kick(&mut chance);
                    search.descend(&mut chance);
                    if search.total > total {
                        search.set(open);
                    }
                }
                let mut chosen = search.open.split_off(fixed.len());
                chosen.sort_unstable();
                (search.total, chosen)
            })
            .min_by(|a, b| a.0.total_cmp(&b.0).then_with(|| a.1.cmp(&b.1)));
        best.map(|(_, chosen)| chosen).unwrap_or_default()
    }
}

/// A choice of places that is being made better.
struct Search<'a> {
    costs: &'a Costs,
    fixed: usize,
    /// The fixed places, then the chosen ones.
    open: Vec<u32>,
    is_open: Vec<bool>,
    /// For each demand the position of the cheapest open place with its cost, and the same of the second.
    near: Vec<[(u32, f64); 2]>,
    total: f64,
    /// What losing each open place would cost, while an entry is weighed.
    loss: Vec<f64>,
}

impl<'a> Search<'a> {
    fn new(costs: &'a Costs, fixed: &[u32]) -> Self {
        let mut search = Self {
            costs,
            fixed: fixed.len(),
            open: Vec::new(),
            is_open: vec![false; costs.places()],
            near: vec![[(u32::MAX, f64::INFINITY); 2]; costs.demands],
            total: f64::INFINITY,
            loss: Vec::new(),
        };
        search.set(fixed.to_vec());
        search
    }

    fn set(&mut self, open: Vec<u32>) {
        self.is_open.fill(false);
        self.near.fill([(u32::MAX, f64::INFINITY); 2]);
        self.open.clear();
        open.into_iter().for_each(|place| self.add(place));
        self.total = self.sum();
    }

    fn sum(&self) -> f64 {
        self.near.iter().map(|near| near[0].1).sum()
    }

    fn add(&mut self, place: u32) {
        let at = self.open.len() as u32;
        self.open.push(place);
        self.is_open[place as usize] = true;
        for (near, &cost) in self.near.iter_mut().zip(self.costs.of(place as usize)) {
            note(near, at, cost);
        }
    }

    fn open_greedily(&mut self, more: usize) {
        for _ in 0..more {
            let saved = |place: u32| -> f64 {
                let costs = self.costs.of(place as usize).iter().zip(&self.near);
                // Before any is open, all that counts is the cost itself.
                costs
                    .map(
                        |(cost, near)| {
                            if near[0].1.is_finite() { (near[0].1 - cost).max(0.0) } else { -cost }
                        },
                    )
                    .sum()
            };
            let closed = (0..self.is_open.len() as u32).filter(|&place| !self.is_open[place as usize]);
            let best = closed
                .map(|place| (saved(place), place))
                .max_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1)));
            if let Some((_, place)) = best {
                self.add(place);
            }
        }
        self.total = self.sum();
    }

    fn open_anyhow(&mut self, more: usize, chance: &mut Chance) {
        let closed: Vec<u32> =
            (0..self.is_open.len() as u32).filter(|&place| !self.is_open[place as usize]).collect();
        let taken = chance.choose(more, closed.len());
        closed.into_iter().zip(taken).filter(|(_, taken)| *taken).for_each(|(place, _)| self.add(place));
        self.total = self.sum();
    }

    /// Exchanges a few chosen places for others by chance.
    fn kick(&mut self, chance: &mut Chance) {
        let chosen = self.open.len() - self.fixed;
        let closed = self.is_open.len() - self.open.len();
        if chosen == 0 || closed == 0 {
            return;
        }
        for _ in 0..2 + chance.below(1 + (chosen as u64 / 8).min(3)) {
            let leaves = self.fixed + chance.below(chosen as u64) as usize;
            let enters = loop {
                let place = chance.below(self.is_open.len() as u64) as usize;
                if !self.is_open[place] {
                    break place;
                }
            };
            self.exchange(leaves, enters as u32);
        }
    }

    /// Takes each exchange that pays, place after place from any of them on, until none does.
    fn descend(&mut self, chance: &mut Chance) {
        let places = self.is_open.len();
        if self.open.len() == self.fixed || self.open.len() == places {
            return;
        }
        let (mut idle, mut place) = (0, chance.below(places as u64) as usize);
        while idle < places {
            if !self.is_open[place] {
                let (saves, leaves) = self.weigh(place as u32);
                if saves > 1e-12 * self.total {
                    let left = self.open[leaves];
                    let before = self.total;
                    self.exchange(leaves, place as u32);
                    if self.total < before {
                        idle = 0;
                    } else {
                        self.exchange(leaves, left);
                    }
                }
            }
            idle += 1;
            place = (place + 1) % places;
        }
    }

    /// What is saved if a place enters and the best one for it leaves; and which that is (Whitaker 1983,
    /// doi:10.1080/03155986.1983.11731889).
    fn weigh(&mut self, enters: u32) -> (f64, usize) {
        self.loss.clear();
        self.loss.resize(self.open.len(), 0.0);
        let mut gain = 0.0;
        for (near, &cost) in self.near.iter().zip(self.costs.of(enters as usize)) {
            if cost < near[0].1 {
                gain += near[0].1 - cost;
            } else {
                self.loss[near[0].0 as usize] += cost.min(near[1].1) - near[0].1;
            }
        }
        let losses = self.loss.iter().enumerate().skip(self.fixed);
        losses.min_by(|a, b| a.1.total_cmp(b.1)).map_or((0.0, 0), |(at, loss)| (gain - loss, at))
    }

    fn exchange(&mut self, leaves: usize, enters: u32) {
        self.is_open[self.open[leaves] as usize] = false;
        self.is_open[enters as usize] = true;
        self.open[leaves] = enters;
        for (demand, near) in self.near.iter_mut().enumerate() {
            if near[0].0 as usize == leaves || near[1].0 as usize == leaves {
                *near = [(u32::MAX, f64::INFINITY); 2];
                for (at, &place) in (0..).zip(&self.open) {
                    note(near, at, self.costs.of(place as usize)[demand]);
                }
            } else {
                note(near, leaves as u32, self.costs.of(enters as usize)[demand]);
            }
        }
        self.total = self.sum();
    }
}

fn note(near: &mut [(u32, f64); 2], at: u32, cost: f64) {
    if cost < near[0].1 {
        *near = [(at, cost), near[0]];
    } else if cost < near[1].1 {
        near[1] = (at, cost);
    }
}
