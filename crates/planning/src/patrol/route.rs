//! The order in which one unit does things, and the times that leaves it.

use super::task::{FAR, Slot, Task, down};

/// Where a route holds the break instead of a visit.
pub(super) const BREAK: u32 = u32::MAX;

/// What one unit does in a shift, in order. Each stop has an earliest and a latest begin: with all stops at their earliest the route is
/// lawful, with all at their latest as well.
#[derive(Debug, PartialEq)]
pub(super) struct Route {
    pub(super) depot: u32,
    /// Visits, and the break once where one is owed.
    pub(super) stops: Vec<u32>,
    pub(super) early: Vec<i64>,
    pub(super) late: Vec<i64>,
    pub(super) travel: i64,
}

impl Clone for Route {
    fn clone(&self) -> Self {
        Self {
            depot: self.depot,
            stops: self.stops.clone(),
            early: self.early.clone(),
            late: self.late.clone(),
            travel: self.travel,
        }
    }

    fn clone_from(&mut self, other: &Self) {
        self.depot = other.depot;
        self.stops.clone_from(&other.stops);
        self.early.clone_from(&other.early);
        self.late.clone_from(&other.late);
        self.travel = other.travel;
    }
}

impl Route {
    /// A unit that stays at its depot.
    pub(super) fn idle(task: &Task<'_>, depot: u32) -> Self {
        Self::of(depot, task.pause.iter().map(|_| BREAK).collect())
    }

    /// A unit that makes these stops; they are timed by [`Route::time`].
    pub(super) const fn of(depot: u32, stops: Vec<u32>) -> Self {
        Self { depot, stops, early: Vec::new(), late: Vec::new(), travel: 0 }
    }

    /// How many visits it makes.
    pub(super) fn visits(&self) -> impl Iterator<Item = u32> {
        self.stops.iter().copied().filter(|&stop| stop != BREAK)
    }

    /// Sets earliest and latest begins and the travel; whether the order can be kept in the slots.
    pub(super) fn time(&mut self, task: &Task<'_>, slots: &[Slot]) -> bool {
        let (legs, dose) = (task.legs, task.dose);
        self.early.clear();
        let (mut place, mut ready, mut travel) = (self.depot, 0, 0);
        for &stop in &self.stops {
            let (begin, last, lasts) = match task.pause.filter(|_| stop == BREAK) {
                Some(pause) => (ready.max(pause.early), pause.late, pause.length),
                None => {
                    let (leg, slot) = (legs.get(place, task.place(stop)), slots[stop as usize]);
                    travel += leg;
                    place = task.place(stop);
                    ((ready + leg).max(slot.early), slot.late, dose)
                }
            };
            if begin > last {
                return false;
            }
            self.early.push(begin);
            ready = begin + lasts;
        }
        travel += legs.get(place, self.depot);
        if ready + legs.get(place, self.depot) > task.length {
            return false;
        }
        self.travel = travel;
        self.late.clear();
        self.late.resize(self.stops.len(), 0);
        let (mut next_place, mut next_late) = (self.depot, task.length);
        for at in (0..self.stops.len()).rev() {
            let stop = self.stops[at];
            if let Some(pause) = task.pause.filter(|_| stop == BREAK) {
                // It is taken at the place of the stop before; from there the next one is driven to.
                let here = at.checked_sub(1).map_or(self.depot, |before| task.place(self.stops[before]));
                next_late = pause.late.min(next_late - legs.get(here, next_place) - pause.length);
                next_place = here;
            } else {
                let here = task.place(stop);
                next_late = slots[stop as usize].late.min(next_late - legs.get(here, next_place) - dose);
                next_place = here;
            }
            self.late[at] = next_late;
        }
        true
    }

    /// Begins of all stops, each moved by a share of the way from its earliest to its latest. Shares in order keep the distances; where
    /// seconds are rounded away, the stop before decides.
    pub(super) fn begins(&self, task: &Task<'_>, mut share: impl FnMut(usize) -> f64) -> Vec<i64> {
        let (mut place, mut ready) = (self.depot, 0);
        let begin = |(at, &stop): (usize, &u32)| {
            let (leg, lasts) = match task.pause.filter(|_| stop == BREAK) {
                Some(pause) => (0, pause.length),
                None => (
                    task.legs.get(std::mem::replace(&mut place, task.place(stop)), task.place(stop)),
                    task.dose,
                ),
            };
            let (early, late) = (self.early[at], self.late[at]);
            let begin = (early + down(((late - early) as f64 * share(at)) as i64)).max(ready + leg);
            ready = begin + lasts;
            begin
        };
        self.stops.iter().enumerate().map(begin).collect()
    }

    /// Visits each place in the route where a visit fits, with the travel that it adds there.
    #[inline]
    pub(super) fn fits(&self, task: &Task<'_>, visit: u32, slot: Slot, mut tell: impl FnMut(usize, i64)) {
        let (legs, here) = (task.legs, task.place(visit));
        let (mut place, mut ready) = (self.depot, 0);
        for at in 0..=self.stops.len() {
            if ready > slot.late {
                return;
            }
            let to = legs.get(place, here);
            let begin = slot.early.max(ready + to);
            if begin <= slot.late {
                let (mut free, mut next) = (begin + task.dose, at);
                if let Some(pause) = task.pause.filter(|_| self.stops.get(at) == Some(&BREAK)) {
                    let rests = free.max(pause.early);
                    free = if rests > pause.late { FAR } else { rests + pause.length };
                    next += 1;
                }
                let (then, late) = match self.stops.get(next) {
                    Some(&stop) => (task.place(stop), self.late[next]),
                    None => (self.depot, task.length),
                };
                let on = legs.get(here, then);
                if free + on <= late {
                    tell(at, to + on - legs.get(place, then));
                }
            }
            let Some(&stop) = self.stops.get(at) else { return };
            match task.pause.filter(|_| stop == BREAK) {
                Some(pause) => ready = self.early[at] + pause.length,
                None => {
                    place = task.place(stop);
                    ready = self.early[at] + task.dose;
                }
            }
        }
    }
}

/// The time on the way of a unit that makes these stops.
pub(super) fn travel(task: &Task<'_>, depot: u32, stops: &[u32]) -> i64 {
    let places = stops.iter().filter(|&&stop| stop != BREAK).map(|&stop| task.place(stop));
    let (mut from, mut sum) = (depot, 0);
    for to in places.chain([depot]) {
        sum += task.legs.get(from, to);
        from = to;
    }
    sum
}
