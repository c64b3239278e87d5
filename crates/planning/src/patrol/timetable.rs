//! From orders to times: begins drawn by chance within what the plan leaves free, and the stops that people read.

use brasa_model::{Chance, Doing, Shift, Stop, Tour};

use super::route::{BREAK, Route};
use super::search::State;
use super::slots::fence;
use super::task::Task;
use crate::travel::Travel;

/// A route with the begin of each of its stops, in seconds since the shift's begin.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Timed {
    pub(super) stops: Vec<u32>,
    pub(super) begins: Vec<i64>,
}

impl Timed {
    /// The begins of its visits.
    pub(super) fn visits(&self) -> impl Iterator<Item = (u32, i64)> {
        let pairs = self.stops.iter().copied().zip(self.begins.iter().copied());
        pairs.filter(|(stop, _)| *stop != BREAK)
    }
}

/// Draws the begins. Slots are made as wide as the spacing leaves them; then the stops of a unit are moved from their earliest towards their latest
/// begins by shares drawn by chance, in order, so that no stop overtakes the next.
pub(super) fn draw(task: &Task<'_>, mut state: State, chance: &mut Chance) -> Vec<Timed> {
    let mut begins = vec![None; task.visits.len()];
    for route in &state.routes {
        let visits = route.stops.iter().zip(&route.early).filter(|(stop, _)| **stop != BREAK);
        visits.for_each(|(&visit, &early)| begins[visit as usize] = Some(early));
    }
    for (area, visits) in task.of_area.iter().enumerate() {
        // Missing visits are left no room.
        let planned: Vec<u32> =
            visits.iter().copied().filter(|&visit| begins[visit as usize].is_some()).collect();
        fence(task, area as u32, &planned, &begins, &mut state.slots, None, chance);
    }
    let mut timed = Vec::with_capacity(state.routes.len());
    for mut route in state.routes {
        route.time(task, &state.slots);
        let mut shares: Vec<f64> = route.stops.iter().map(|_| chance.share()).collect();
        shares.sort_unstable_by(f64::total_cmp);
        timed.push(Timed { begins: route.begins(task, |at| shares[at]), stops: route.stops });
    }
    timed
}

/// The tour of a unit: what it does from leaving its depot to being back; `None` where it makes no visit.
pub(super) fn tour(
    task: &Task<'_>,
    timed: &Timed,
    (unit, depot): (usize, u32),
    (number, shift): (usize, &Shift),
    travel: &Travel,
) -> Option<(Tour, Vec<(usize, usize)>)> {
    timed.visits().next()?;
    let at = |second: i64| shift.start + second;
    let mut stops = vec![Stop {
        doing: Doing::Start,
        arrive: at(0),
        begin: at(0),
        leave: 0,
        metres: 0.0,
        path: Vec::new(),
    }];
    let mut legs = vec![(depot as usize, depot as usize)];
    let (mut place, mut ready) = (depot, None);
    for (&stop, &begin) in timed.stops.iter().zip(&timed.begins) {
        let (to, doing, lasts) = match task.pause.filter(|_| stop == BREAK) {
            Some(pause) => (place, Doing::Break, pause.length),
            None => (task.place(stop), Doing::Visit(task.place(stop) as usize), task.dose),
        };
        let leg = if to == place { 0 } else { task.legs.get(place, to) };
        let arrive = match ready {
            Some(ready) => ready + leg,
            // The unit leaves its depot when it has to.
            None => begin,
        };
        if ready.is_none() {
            stops[0].leave = at(begin - leg);
        }
        let metres =
            if to == place { 0.0 } else { travel.metres(place as usize, to as usize).unwrap_or(0.0) };
        stops.push(Stop {
            doing,
            arrive: at(arrive),
            begin: at(begin),
            leave: at(begin + lasts),
            metres,
            path: Vec::new(),
        });
        legs.push((place as usize, to as usize));
        (place, ready) = (to, Some(begin + lasts));
    }
    let back = if place == depot { 0 } else { task.legs.get(place, depot) };
    let home = at(ready.unwrap_or(0) + back);
    let metres =
        if place == depot { 0.0 } else { travel.metres(place as usize, depot as usize).unwrap_or(0.0) };
    stops.push(Stop { doing: Doing::End, arrive: home, begin: home, leave: home, metres, path: Vec::new() });
    legs.push((place as usize, depot as usize));
    Some((Tour { unit, shift: number, stops }, legs))
}

/// Routes with these stops and begins, in slots around them.
pub(super) fn resume(task: &Task<'_>, timed: &[Timed], chance: &mut Chance) -> State {
    let mut begins = vec![None; task.visits.len()];
    for (visit, begin) in timed.iter().flat_map(Timed::visits) {
        begins[visit as usize] = Some(begin);
    }
    let mut slots = vec![super::task::Slot::NEVER; task.visits.len()];
    for (area, visits) in task.of_area.iter().enumerate() {
        fence(task, area as u32, visits, &begins, &mut slots, None, chance);
    }
    let mut routes: Vec<Route> = Vec::with_capacity(task.depots.len());
    for (at, &depot) in task.depots.iter().enumerate() {
        let mut route = match timed.get(at) {
            Some(timed) => Route::of(depot, timed.stops.clone()),
            None => Route::idle(task, depot),
        };
        route.time(task, &slots);
        routes.push(route);
    }
    let missing = (0..task.visits.len() as u32).filter(|&visit| begins[visit as usize].is_none()).collect();
    State { routes, slots, missing }
}
