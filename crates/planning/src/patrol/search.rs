//! Which unit makes which visit, in which order: construction and local search for one shift.
//!
//! Slack induction by string removals (Christiaens & Vanden Berghe 2020, doi:10.1287/trsc.2019.0914): strings of neighbouring visits are taken
//! out of a few routes and put back one by one where they cost least, now and then not at the very best place; the result is kept when it is
//! better or, early on, a little worse. The work is a fixed number of rounds, never a time.

use brasa_model::Chance;

use super::route::{BREAK, Route};
use super::slots::fence;
use super::task::{Slot, Task};

/// What a unit of work may cost: rounds per shift.
#[derive(Debug, Clone, Copy)]
pub(super) struct Effort {
    /// With narrow slots.
    pub(super) narrow: u32,
    /// With slots as wide as the spacing leaves them, where visits are still missing.
    pub(super) wide: u32,
}

/// Visits that a round takes out, on average; and at most in one string (the paper's c̄ and L).
const TAKEN: f64 = 10.0;
const STRING: f64 = 10.0;
/// One place in so many is passed over (the paper's 1 %).
const BLINK: u8 = 3;
/// How much worse a round may be in the beginning and in the end, in seconds of travel.
const WARM: f64 = 600.0;
const COLD: f64 = 5.0;
/// What a missing visit of mean value counts beside travel, in seconds, when rounds are compared. The best plan is chosen by visits first.
const MISSING: f64 = 7200.0;
/// So many missing visits are tried in one round.
const TRIED: usize = 64;
/// Slots begin no longer than this share of the shift.
const NARROW: i64 = 6;

/// What the search holds in hand.
#[derive(Debug, PartialEq)]
pub(super) struct State {
    pub(super) routes: Vec<Route>,
    /// The slot of each visit.
    pub(super) slots: Vec<Slot>,
    /// Visits in no route.
    pub(super) missing: Vec<u32>,
}

impl Clone for State {
    fn clone(&self) -> Self {
        Self { routes: self.routes.clone(), slots: self.slots.clone(), missing: self.missing.clone() }
    }

    fn clone_from(&mut self, other: &Self) {
        self.routes.clone_from(&other.routes);
        self.slots.clone_from(&other.slots);
        self.missing.clone_from(&other.missing);
    }
}

impl State {
    /// All units at their depots, all visits missing, in narrow slots.
    pub(super) fn empty(task: &Task<'_>, chance: &mut Chance) -> Self {
        let mut slots = vec![Slot::NEVER; task.visits.len()];
        let begins = vec![None; task.visits.len()];
        let narrow = super::task::down(task.length / NARROW);
        for (area, visits) in task.of_area.iter().enumerate() {
            fence(task, area as u32, visits, &begins, &mut slots, Some(narrow), chance);
        }
        let routes = task.depots.iter().map(|&depot| Route::idle(task, depot)).collect();
        let mut state = Self { routes, slots, missing: (0..task.visits.len() as u32).collect() };
        state.time(task);
        state
    }

    /// Times all routes. One that cannot be kept is emptied; with ways that are no longer than any way around that never happens.
    fn time(&mut self, task: &Task<'_>) {
        for route in &mut self.routes {
            if !route.time(task, &self.slots) {
                self.missing.extend(route.visits());
                *route = Route::idle(task, route.depot);
                route.time(task, &self.slots);
            }
        }
    }

    /// What the missing visits are worth.
    pub(super) fn lost(&self, task: &Task<'_>) -> u64 {
        self.missing.iter().map(|&visit| task.visits[visit as usize].value).sum()
    }

    /// Seconds on the way.
    pub(super) fn travel(&self) -> i64 {
        self.routes.iter().map(|route| route.travel).sum()
    }

    /// A lawful begin of each planned visit: its earliest, its latest, or in between.
    fn begins(&self, task: &Task<'_>, begins: &mut Vec<Option<i64>>, chance: &mut Chance) {
        begins.clear();
        begins.resize(self.slots.len(), None);
        for route in &self.routes {
            let share = chance.share();
            let times = route.stops.iter().zip(route.begins(task, |_| share));
            times
                .filter(|(stop, _)| **stop != BREAK)
                .for_each(|(&visit, begin)| begins[visit as usize] = Some(begin));
        }
    }
}

/// Chance in small pieces.
struct Dice<'a> {
    chance: &'a mut Chance,
    bits: u64,
    left: u32,
}

impl Dice<'_> {
    fn blinks(&mut self) -> bool {
        if self.left == 0 {
            (self.bits, self.left) = (self.chance.bits(), 8);
        }
        let byte = self.bits as u8;
        self.bits >>= 8;
        self.left -= 1;
        byte < BLINK
    }

    /// From 1 up to `most`, not quite evenly: the whole part of an even number from 1 up to `most` + 1.
    fn up_to(&mut self, most: f64) -> usize {
        (1.0 + self.chance.share() * most) as usize
    }
}

/// Improves a state: first with the slots it has, then, where visits are missing, with wider ones. The result is never worse: no less
/// value and no fewer visits are planned.
pub(super) fn improve(task: &Task<'_>, state: State, effort: Effort, chance: &mut Chance) -> State {
    let state = rounds(task, state, effort.narrow, false, chance);
    if state.missing.is_empty() || effort.wide == 0 {
        state
    } else {
        rounds(task, state, effort.wide, true, chance)
    }
}

fn rounds(task: &Task<'_>, state: State, rounds: u32, wide: bool, chance: &mut Chance) -> State {
    if task.visits.is_empty() || task.depots.is_empty() {
        return state;
    }
    let value: u64 = task.visits.iter().map(|visit| visit.value).sum();
    let weight = MISSING * task.visits.len() as f64 / value as f64;
    let cost = |lost: u64, travel: i64| lost as f64 * weight + travel as f64;
    let most_missing = state.missing.len();
    let mut best_score = (state.lost(task), state.travel());
    let mut held_cost = cost(best_score.0, best_score.1);
    let (mut best, mut held, mut next) = (state.clone(), state.clone(), state);
    let cooling = libm::pow(COLD / WARM, 1.0 / f64::from(rounds.max(1)));
    let mut warmth = WARM;
    let (mut begins, mut taken) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        next.clone_from(&held);
        if wide {
            taken.clear();
            taken.extend(next.missing.iter().map(|&visit| task.place(visit)));
            taken.sort_unstable();
            taken.dedup();
        }
        let mut dice = Dice { chance: &mut *chance, bits: 0, left: 0 };
        ruin(task, &mut next, &mut dice);
        next.time(task);
        if wide {
            // The areas that lacked visits are given new slots, around what is planned there now.
            next.begins(task, &mut begins, chance);
            for &area in &taken {
                let visits = &task.of_area[area as usize];
                fence(task, area, visits, &begins, &mut next.slots, None, chance);
            }
            next.time(task);
        }
        let mut dice = Dice { chance: &mut *chance, bits: 0, left: 0 };
        recreate(task, &mut next, &mut dice);
        let (lost, travel) = (next.lost(task), next.travel());
        let next_cost = cost(lost, travel);
        let drawn = (1.0 - chance.share()).max(f64::MIN_POSITIVE);
        if next_cost < held_cost - warmth * libm::log(drawn) {
            std::mem::swap(&mut held, &mut next);
            held_cost = next_cost;
            if (lost, travel) < best_score && held.missing.len() <= most_missing {
                best_score = (lost, travel);
                best.clone_from(&held);
            }
        }
        warmth *= cooling;
    }
    best
}

/// Takes strings of visits near to each other out of a few routes. Routes are left untimed.
fn ruin(task: &Task<'_>, state: &mut State, dice: &mut Dice<'_>) {
    let planned = task.visits.len() - state.missing.len();
    if planned == 0 {
        return;
    }
    let mut route_of = vec![u32::MAX; task.visits.len()];
    for (at, route) in state.routes.iter().enumerate() {
        route.visits().for_each(|visit| route_of[visit as usize] = at as u32);
    }
    let used = state.routes.iter().filter(|route| route.visits().next().is_some()).count();
    let string = STRING.min(planned as f64 / used as f64);
    let strings = dice.up_to((4.0 * TAKEN / (1.0 + string) - 1.0).max(1.0));
    let seed = dice.chance.below(task.visits.len() as u64) as u32;
    let mut ruined: Vec<u32> = Vec::with_capacity(strings);
    'near: for &area in task.legs.near(task.place(seed)) {
        for &visit in &task.of_area[area as usize] {
            let at = route_of[visit as usize];
            if at == u32::MAX || ruined.contains(&at) {
                continue;
            }
            let route = &mut state.routes[at as usize];
            cut(route, visit, string, dice, &mut state.missing);
            ruined.push(at);
            if ruined.len() >= strings {
                break 'near;
            }
        }
    }
}

/// Takes a string that holds `visit` out of a route, half of the time with some visits in its middle spared.
fn cut(route: &mut Route, visit: u32, string: f64, dice: &mut Dice<'_>, missing: &mut Vec<u32>) {
    let visits: Vec<u32> = route.visits().collect();
    let length = dice.up_to(string.min(visits.len() as f64)).min(visits.len());
    let mut spared = 0;
    if length < visits.len() && length > 1 && dice.chance.below(2) == 0 {
        spared = 1;
        while length + spared < visits.len() && dice.chance.below(100) >= 1 {
            if dice.chance.below(2) == 0 {
                break;
            }
            spared += 1;
        }
    }
    let span = length + spared;
    let at = visits.iter().position(|&other| other == visit).unwrap_or(0);
    let first = (at + 1).saturating_sub(span);
    let last = at.min(visits.len() - span);
    let start = first + dice.chance.below((last - first + 1) as u64) as usize;
    let keep = start + dice.chance.below((length + 1) as u64) as usize;
    let out = |at: usize| {
        (start..start + span).contains(&at) && !(spared > 0 && (keep..keep + spared).contains(&at))
    };
    let gone: Vec<u32> =
        visits.iter().enumerate().filter(|(at, _)| out(*at)).map(|(_, &visit)| visit).collect();
    route.stops.retain(|stop| !gone.contains(stop));
    missing.extend(gone);
}

/// Puts missing visits where they add the least travel, in one of a few orders, now and then passing over a place.
fn recreate(task: &Task<'_>, state: &mut State, dice: &mut Dice<'_>) {
    let missing = &mut state.missing;
    missing.sort_unstable();
    for at in (1..missing.len()).rev() {
        missing.swap(at, dice.chance.below(at as u64 + 1) as usize);
    }
    let (slots, depot) = (&state.slots, task.depots[0]);
    let slot = |visit: &u32| slots[*visit as usize];
    let way = |visit: &u32| task.legs.get(depot, task.place(*visit));
    match dice.chance.below(10) {
        0..4 => {}
        4..6 => missing.sort_by_key(|visit| std::cmp::Reverse(task.visits[*visit as usize].value)),
        6 => missing.sort_by_key(|visit| std::cmp::Reverse(way(visit))),
        7 => missing.sort_by_key(way),
        8 => missing.sort_by_key(|visit| slot(visit).late.saturating_sub(slot(visit).early)),
        _ => missing.sort_by_key(|visit| slot(visit).early),
    }
    let mut tries = 0;
    let routes = &mut state.routes;
    missing.retain(|&visit| {
        let slot = slots[visit as usize];
        if slot.is_never() || tries >= TRIED {
            return true;
        }
        tries += 1;
        let mut best: Option<(i64, usize, usize)> = None;
        for (number, route) in routes.iter().enumerate() {
            route.fits(task, visit, slot, |at, more| {
                if best.is_none_or(|(least, _, _)| more < least) && !dice.blinks() {
                    best = Some((more, number, at));
                }
            });
        }
        let Some((_, number, at)) = best else { return true };
        routes[number].stops.insert(at, visit);
        routes[number].time(task, slots);
        false
    });
}
