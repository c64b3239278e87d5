//! When visits to one area may begin, so that they never come too close to each other, whoever makes them.
//!
//! Each visit to an area has a slot, and from the end of one slot to the begin of the next there is at least the spacing. So any times in the
//! slots are lawful, and units need not know of each other. Where slots begin and end is drawn by chance, within what the visits already
//! planned leave.

use brasa_model::Chance;

use super::task::{STEP, Slot, Task, down};

/// Sets the slots of some visits to an area anew, all of them that are planned among them: around the begins of those that are planned, and by chance in between for those that are not. A
/// visit there is no room for gets [`Slot::NEVER`]. Slots of visits that are not planned are no longer than `narrow`.
pub(super) fn fence(
    task: &Task<'_>,
    area: u32,
    visits: &[u32],
    begins: &[Option<i64>],
    slots: &mut [Slot],
    narrow: Option<i64>,
    chance: &mut Chance,
) {
    let Some(reach) = task.reach[area as usize].filter(|reach| !reach.is_never()) else {
        visits.iter().for_each(|&visit| slots[visit as usize] = Slot::NEVER);
        return;
    };
    let mut stones: Vec<(i64, Option<u32>)> =
        task.others[area as usize].iter().map(|&begin| (begin, None)).collect();
    stones
        .extend(visits.iter().filter_map(|&visit| begins[visit as usize].map(|begin| (begin, Some(visit)))));
    stones.sort_unstable();
    let missing: Vec<u32> =
        visits.iter().copied().filter(|&visit| begins[visit as usize].is_none()).collect();
    let spacing = task.spacing;
    // Each gap lies between two begins, or between one and the end of what can be reached.
    let gap = |at: usize| {
        let left = at.checked_sub(1).map_or(reach.early - spacing, |left| stones[left].0);
        let right = stones.get(at).map_or(reach.late + spacing, |right| right.0);
        (left.max(reach.early - spacing), right.min(reach.late + spacing))
    };
    let mut filled: Vec<Vec<u32>> = vec![Vec::new(); stones.len() + 1];
    let slack = |at: usize, visits: usize| {
        let (left, right) = gap(at);
        right - left - (visits as i64 + 1) * spacing
    };
    for &visit in &missing {
        let room = |at: usize, filled: &[Vec<u32>]| match slack(at, filled[at].len() + 1) {
            slack @ 0.. => (slack + STEP) as u64,
            _ => 0,
        };
        let all = (0..filled.len()).map(|at| room(at, &filled)).sum();
        if all == 0 {
            slots[visit as usize] = Slot::NEVER;
            continue;
        }
        let mut drawn = chance.below(all);
        for at in 0..filled.len() {
            let room = room(at, &filled);
            if drawn < room {
                filled[at].push(visit);
                break;
            }
            drawn -= room;
        }
    }
    for &(_, visit) in &stones {
        if let Some(visit) = visit {
            slots[visit as usize] = reach;
        }
    }
    for (at, filled) in filled.iter().enumerate() {
        let (left, right) = gap(at);
        let before = at.checked_sub(1).and_then(|before| stones[before].1);
        let after = stones.get(at).and_then(|after| after.1);
        let slack = slack(at, filled.len());
        if slack < 0 {
            // Two begins in other shifts, or one beyond reach: nothing of this shift lies in between.
            continue;
        }
        // What is free is shared out by chance: half as much to the visits on either side as to those in between.
        let side = if filled.is_empty() { 1.0 } else { 0.5 };
        let mut draw = |weight: f64| weight * (0.5 + chance.share());
        let first = before.map_or(0.0, |_| draw(side));
        let between: Vec<f64> = filled.iter().map(|_| draw(1.0)).collect();
        let last = after.map_or(0.0, |_| draw(side));
        let all = first + between.iter().sum::<f64>() + last;
        let part = |weight: f64| if all > 0.0 { down((slack as f64 * (weight / all)) as i64) } else { 0 };
        let mut end = left + part(first);
        if let Some(visit) = before {
            slots[visit as usize].late = end;
        }
        for (&visit, weight) in filled.iter().zip(between) {
            let early = end + spacing;
            end = early + part(weight);
            slots[visit as usize] = Slot { early, late: end };
        }
        if let Some(visit) = after {
            slots[visit as usize].early = right - part(last);
        }
    }
    let Some(narrow) = narrow else { return };
    for visit in missing {
        let slot = &mut slots[visit as usize];
        let spare = slot.late.saturating_sub(slot.early) - narrow;
        if !slot.is_never() && spare > 0 {
            slot.early += chance.below((spare / STEP) as u64 + 1) as i64 * STEP;
            slot.late = slot.early + narrow;
        }
    }
}
