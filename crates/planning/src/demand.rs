//! When each area has its incidents, and how many visits that asks for in each shift.
//!
//! # Definition
//! Incidents are counted by hour of the week; one between a from and a to counts in the hours between, by the length of each (aoristic; Ratcliffe
//! 2000, doi:10.1080/136588100424963, as [`Timing`] does it). An area's hours are drawn towards those of all areas together as if 20 incidents
//! more were spread like those, so that an area with few incidents, or of unknown hours, is not planned by the accident of three nights.
//! The demand of an area in a shift is its value times the share of its incidents that fall into the shift's hours.
//!
//! # Units
//! Demand is in the unit of the areas' value, for all the weeks of the data together. Only its proportions count.
//!
//! # Often misunderstood
//! These are the hours in which incidents were reported to have happened, not those in which they will. A week is taken as typical: holidays, pay
//! days and seasons are averaged away.

use brasa_model::{Clock, Incidents, Note, PlanArea, Shift, Timing};
use geo::{BoundingRect, Coord, Intersects};

use crate::patrol::{PatrolRules, Wanted};

/// Incidents of the common pattern that each area's hours are mixed with: as many as [`brasa_model::PeakHours`] wants before it speaks.
const COMMON: f64 = 20.0;

const HOURS: usize = 168;

/// When each area had its incidents. One on the line between two areas, or where areas overlap, counts in each.
pub fn timings(areas: &[PlanArea], incidents: &Incidents) -> Vec<Timing> {
    let time =
        |at: usize| incidents.times.as_ref().and_then(|times| times.intervals().get(at).copied().flatten());
    areas
        .iter()
        .map(|area| {
            let Some(bounds) = area.outline.bounding_rect() else { return Timing::default() };
            let place = |&at: &usize| Coord { x: incidents.x[at], y: incidents.y[at] };
            let inside = |at: &usize| bounds.intersects(&place(at)) && area.outline.intersects(&place(at));
            (0..incidents.len()).filter(inside).map(time).collect()
        })
        .collect()
}

/// The demand of each area in each shift, by shift and then by area.
pub fn by_shift(areas: &[PlanArea], timings: &[Timing], shifts: &[Shift], clock: &Clock) -> Vec<Vec<f64>> {
    let own: Vec<[f64; HOURS]> = timings.iter().map(hours).collect();
    let mut common = [0.0; HOURS];
    for own in &own {
        common.iter_mut().zip(own).for_each(|(sum, hour)| *sum += hour);
    }
    let all: f64 = common.iter().sum();
    // Where nothing is known, each hour is as likely as any other.
    let common = common.map(|hour| if all > 0.0 { hour / all } else { 1.0 / HOURS as f64 });
    let shares: Vec<[f64; HOURS]> = own
        .iter()
        .map(|own| {
            let known: f64 = own.iter().sum();
            std::array::from_fn(|hour| (own[hour] + COMMON * common[hour]) / (known + COMMON))
        })
        .collect();
    let demand = |shift: &Shift| -> Vec<f64> {
        let covered = covered(shift, clock);
        let share = |shares: &[f64; HOURS]| {
            shares.iter().zip(&covered).map(|(share, part)| share * part).sum::<f64>()
        };
        areas.iter().zip(&shares).map(|(area, shares)| area.value.max(0.0) * share(shares)).collect()
    };
    shifts.iter().map(demand).collect()
}

fn hours(timing: &Timing) -> [f64; HOURS] {
    let week = timing.week().unwrap_or([[0.0; 24]; 7]);
    std::array::from_fn(|hour| week[hour / 24][hour % 24])
}

/// How much of each hour of the week a shift covers, the first that of Monday's midnight, on the clocks of the place.
fn covered(shift: &Shift, clock: &Clock) -> [f64; HOURS] {
    let mut covered = [0.0; HOURS];
    let mut at = shift.start;
    while at < shift.end {
        let civil = clock.civil(at).0;
        let change = clock.offsets.iter().map(|offset| offset.from).find(|&from| from > at);
        let next = (at + 3600 - civil.rem_euclid(3600)).min(shift.end).min(change.unwrap_or(i64::MAX));
        // 1970-01-01 was a Thursday.
        let hour = (civil.div_euclid(3600) + 72).rem_euclid(HOURS as i64) as usize;
        covered[hour] += (next - at) as f64 / 3600.0;
        at = next;
    }
    covered
}

/// The most visits that a shift of so many seconds has room for in one area.
pub const fn room(length: i64, rules: &PatrolRules) -> u32 {
    let free = length - rules.dose.seconds();
    if free < 0 { 0 } else { (free / rules.spacing.seconds()) as u32 + 1 }
}

/// How many visits each area wants in each shift, by shift and then by area: so many each, or so many in all, shared out by demand with the largest
/// remainder, within the least and the most that the rules give and the spacing leaves room for.
pub fn wanted(demand: &[Vec<f64>], shifts: &[Shift], rules: &PatrolRules) -> (Vec<Vec<u32>>, Vec<Note>) {
    let (mut asked, mut given, mut capped) = (0_u64, 0_u64, false);
    let rows = demand
        .iter()
        .zip(shifts)
        .map(|(demand, shift)| {
            let room = room(shift.end - shift.start, rules);
            let areas = demand.len() as u64;
            let row = match rules.visits {
                Wanted::Each(each) => {
                    asked += u64::from(each) * areas;
                    vec![each.min(room); demand.len()]
                }
                Wanted::Mean(_) | Wanted::Total(_) => {
                    let total = match rules.visits {
                        Wanted::Mean(mean) => u64::from(mean) * areas,
                        Wanted::Total(total) | Wanted::Each(total) => u64::from(total),
                    };
                    asked += total;
                    let most = rules.at_most.map_or(room, |most| most.get().min(room));
                    share_out(demand, total, rules.at_least.min(most), most)
                }
            };
            let sum = row.iter().map(|&visits| u64::from(visits)).sum::<u64>();
            given += sum;
            capped |= row.contains(&room);
            row
        })
        .collect();
    let mut notes = Vec::new();
    if given < asked {
        let reason = if capped {
            "the spacing and the length of the shifts leave no room for more in an area"
        } else {
            "no area gets more than at-most"
        };
        notes.push(
            Note::new("visits_capped", format!("{given} visits are wanted instead of {asked}"))
                .value(given, "visits")
                .reason(reason),
        );
    }
    if given > asked {
        notes.push(
            Note::new("visits_raised", format!("{given} visits are wanted instead of {asked}"))
                .value(given, "visits")
                .reason("each area gets at-least"),
        );
    }
    (rows, notes)
}

/// Shares `total` out in proportion to demand, none below `least` or above `most`: whole parts first, then by the largest remainder, the
/// first of equals.
fn share_out(demand: &[f64], total: u64, least: u32, most: u32) -> Vec<u32> {
    let areas = demand.len() as u64;
    if total <= areas * u64::from(least) {
        return vec![least; demand.len()];
    }
    if total >= areas * u64::from(most) {
        return vec![most; demand.len()];
    }
    // An area without demand weighs a hair, so that it is served when the others have all they can.
    let sum: f64 = demand.iter().sum();
    let weights: Vec<f64> =
        demand.iter().map(|demand| if sum > 0.0 { demand / sum + 1e-9 } else { 1.0 }).collect();
    let part = |scale: f64, weight: &f64| (weight * scale).clamp(f64::from(least), f64::from(most));
    let (mut low, mut high) = (0.0, total as f64 * 1e10);
    for _ in 0..200 {
        let middle = f64::midpoint(low, high);
        let all: f64 = weights.iter().map(|weight| part(middle, weight)).sum();
        if all < total as f64 { low = middle } else { high = middle }
    }
    let parts: Vec<f64> = weights.iter().map(|weight| part(high, weight)).collect();
    // A hair of rounding below a whole number is that number.
    let mut shares: Vec<u32> = parts.iter().map(|part| (part + 1e-6) as u32).collect();
    let mut order: Vec<usize> = (0..parts.len()).collect();
    order.sort_by(|&a, &b| {
        (parts[b] - f64::from(shares[b])).total_cmp(&(parts[a] - f64::from(shares[a]))).then(a.cmp(&b))
    });
    let mut left = total.saturating_sub(shares.iter().map(|&share| u64::from(share)).sum());
    for &at in order.iter().cycle().take(order.len() * 2) {
        if left > 0 && shares[at] < most {
            shares[at] += 1;
            left -= 1;
        }
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn visits_are_shared_out_by_demand_within_bounds() {
        assert_eq!(share_out(&[4.0, 2.0, 2.0], 8, 0, 9), [4, 2, 2]);
        assert_eq!(share_out(&[1.0, 1.0, 1.0], 4, 0, 9), [2, 1, 1]);
        assert_eq!(share_out(&[10.0, 1.0, 1.0], 8, 1, 4), [4, 2, 2]);
        assert_eq!(share_out(&[10.0, 0.0], 5, 0, 4), [4, 1]);
        assert_eq!(share_out(&[0.0, 0.0], 3, 0, 4), [2, 1]);
        assert_eq!(share_out(&[5.0, 1.0], 1, 1, 4), [1, 1]);
        assert_eq!(share_out(&[5.0, 1.0], 99, 1, 4), [4, 4]);
        assert!(share_out(&[], 3, 0, 4).is_empty());
    }

    #[test]
    fn a_shift_has_room_for_as_many_visits_as_the_spacing_leaves() {
        let rules = PatrolRules::default();
        assert_eq!([900, 899, 28_800, 8100, 8099].map(|length| room(length, &rules)), [1, 0, 4, 2, 1]);
    }
}
