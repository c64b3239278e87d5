//! The places of a file in its own coordinates: where most are, which have strayed and how, and which hold a stack.

use std::collections::HashMap;

use brasa_model::{Note, PlacesInspection, Stack};

use crate::error::short;
use crate::hash::Quick;

/// Hit rates below this make a map of what could be located, not of what happened (Ratcliffe 2004, Int. J. Geographical
/// Information Science 18(1), 61–72).
const LEAST_HIT_RATE: f64 = 0.85;
/// Places with the most rows that are shown.
const STACKS: usize = 10;
/// A stack holds at least so many rows.
const LEAST_STACK: u64 = 5;

/// The places of the rows that have one, in the order of the rows.
#[derive(Default)]
pub(super) struct Spots {
    rows: u64,
    zeros: u64,
    at: Vec<(f64, f64)>,
}

/// In which way a place may have strayed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stray {
    Swapped,
    Sign,
    DecimalLost,
    OtherSystem,
    Zeros,
    Elsewhere,
}

/// Where most of the places are: a box around the middle 98 %, and as much again on each side.
struct Bulk {
    x: (f64, f64),
    y: (f64, f64),
}

impl Bulk {
    fn of(places: &[(f64, f64)]) -> Option<Self> {
        let span = |pick: fn(&(f64, f64)) -> f64| {
            let mut values: Vec<f64> = places.iter().map(pick).collect();
            let last = values.len().checked_sub(1)?;
            let mut at = |share: f64| {
                let rank = (last as f64 * share).round() as usize;
                *values.select_nth_unstable_by(rank, f64::total_cmp).1
            };
            // A file whose strays are more than one in a hundred is judged by its middle half, six times as wide.
            let (low, high) = (at(0.25), at(0.75));
            let (outer_low, outer_high) = (at(0.01), at(0.99));
            let half = 6.0 * (high - low);
            let (low, high) = (outer_low.max(low - half), outer_high.min(high + half));
            let margin = (high - low).max(1e-9);
            Some((low - margin, high + margin))
        };
        Some(Self { x: span(|place| place.0)?, y: span(|place| place.1)? })
    }

    fn has(&self, x: f64, y: f64) -> bool {
        (self.x.0..=self.x.1).contains(&x) && (self.y.0..=self.y.1).contains(&y)
    }

    const fn is_degrees(&self) -> bool {
        self.x.0.abs() <= 400.0
            && self.x.1.abs() <= 400.0
            && self.y.0.abs() <= 200.0
            && self.y.1.abs() <= 200.0
    }

    /// How a place outside strayed. `origin` is where (0, 0) in degrees lands in the file's own system.
    fn stray(&self, x: f64, y: f64, origin: Option<(f64, f64)>) -> Stray {
        let scaled = || (1..=9).map(|power| 10_f64.powi(power)).any(|scale| self.has(x / scale, y / scale));
        let near_origin = |(east, north): (f64, f64)| (x - east).abs() < 1000.0 && (y - north).abs() < 1000.0;
        let degrees = x.abs() <= 180.0 && y.abs() <= 90.0;
        if origin.is_some_and(near_origin) {
            Stray::Zeros
        } else if self.has(y, x) {
            Stray::Swapped
        } else if self.has(-x, y) || self.has(x, -y) || self.has(-x, -y) || self.has(-y, -x) {
            Stray::Sign
        } else if self.is_degrees() && !degrees && scaled() {
            Stray::DecimalLost
        } else if self.is_degrees() != degrees {
            Stray::OtherSystem
        } else {
            Stray::Elsewhere
        }
    }
}

impl Spots {
    /// Takes in a row, with its place if it has one that is a pair of finite numbers.
    pub fn add(&mut self, place: Option<(f64, f64)>) {
        self.rows += 1;
        match place {
            Some((x, y)) if x == 0.0 && y == 0.0 => self.zeros += 1,
            Some((x, y)) => self.at.push((x + 0.0, y + 0.0)),
            None => {}
        }
    }

    /// What is to be said of them.
    pub fn finish(self, origin: Option<(f64, f64)>) -> (Option<PlacesInspection>, Vec<Note>) {
        let mut findings = Vec::new();
        if self.zeros > 0 {
            findings.push(
                Note::new("zeros", format!("{} rows are at (0, 0)", self.zeros))
                    .value(self.zeros, "rows")
                    .reason("a geocoder's way to say \"not found\"; they are set aside"),
            );
        }
        let mut counts: HashMap<(u64, u64), u64, Quick> = HashMap::default();
        for &(x, y) in &self.at {
            *counts.entry((x.to_bits(), y.to_bits())).or_default() += 1;
        }
        let mut stacks: Vec<(f64, f64, u64)> =
            counts.into_iter().map(|((x, y), rows)| (f64::from_bits(x), f64::from_bits(y), rows)).collect();
        stacks.sort_unstable_by(|a, b| b.2.cmp(&a.2).then(a.0.total_cmp(&b.0)).then(a.1.total_cmp(&b.1)));

        // A stack of many rows is one place: it must not pull the middle to itself.
        let distinct: Vec<(f64, f64)> = stacks.iter().map(|&(x, y, _)| (x, y)).collect();
        let Some(bulk) = Bulk::of(&distinct) else { return (None, findings) };
        let mut strays = [(0_u64, None); 6];
        for &(x, y, rows) in stacks.iter().filter(|&&(x, y, _)| !bulk.has(x, y)) {
            let (count, example) = &mut strays[bulk.stray(x, y, origin) as usize];
            *count += rows;
            example.get_or_insert((x, y));
        }
        let elsewhere: u64 = strays.iter().map(|(count, _)| count).sum();
        let hits = self.at.len() as u64 - elsewhere;
        let hit_rate = hits as f64 / self.rows.max(1) as f64;
        findings.extend(strays_told(&strays));
        if hit_rate < LEAST_HIT_RATE {
            findings.insert(
                0,
                Note::new(
                    "hit_rate_low",
                    format!("only {:.1} % of the rows have a place that could be right", hit_rate * 100.0),
                )
                .value(hit_rate, "")
                .reason("below 85 % a map shows what could be located, not what happened (Ratcliffe 2004)"),
            );
        }
        let inside: Vec<(f64, f64, u64)> =
            stacks.iter().copied().filter(|&(x, y, _)| bulk.has(x, y)).collect();
        let snapped = inside.len() as u64 * 2 < hits && inside.first().is_some_and(|top| top.2 * 50 < hits);
        if snapped {
            let places = inside.len();
            findings.push(
                Note::new("points_snapped", format!("{hits} rows share {places} places"))
                    .value(places, "places")
                    .reason("places seem moved to blocks, crossings or fixed points; cells smaller than the distance between these show the points, not the crime"),
            );
        }
        let told = Told { bulk: &bulk, hits, snapped, inside: &inside };
        let shown: Vec<Stack> = stacks
            .iter()
            .filter(|stack| stack.2 >= LEAST_STACK)
            .take(STACKS)
            .map(|&(x, y, rows)| Stack {
                x,
                y,
                rows,
                share: rows as f64 / self.at.len() as f64,
                may_be: told.may_be(x, y, rows).to_owned(),
            })
            .collect();
        findings.extend(told.defaults());
        let range = |pick: fn(&(f64, f64, u64)) -> f64| crate::project::range(inside.iter().map(pick));
        let places = PlacesInspection {
            hits,
            hit_rate,
            distinct: inside.len() as u64,
            x: range(|stack| stack.0),
            y: range(|stack| stack.1),
            stacks: shown,
        };
        (Some(places), findings)
    }
}

fn strays_told(strays: &[(u64, Option<(f64, f64)>); 6]) -> Vec<Note> {
    let words: [(&str, &str, &str); 6] = [
        (
            "axes_swapped",
            "have their coordinates swapped",
            "they would lie among the others if the two were exchanged",
        ),
        (
            "signs_wrong",
            "have a coordinate with the wrong sign",
            "they would lie among the others with the sign changed",
        ),
        (
            "decimal_mark_lost",
            "have coordinates without their decimal mark",
            "they would lie among the others if divided by a power of ten",
        ),
        (
            "systems_mixed",
            "are in another reference system than most",
            "degrees among metres, or metres among degrees, in one column",
        ),
        (
            "zeros_projected",
            "are where (0, 0) in degrees lands in this system",
            "an unknown place was projected like a known one",
        ),
        ("far_away", "lie far from the others", "a wrong geocode, or another town"),
    ];
    strays
        .iter()
        .zip(words)
        .filter_map(|((rows, example), (code, text, reason))| {
            let (x, y) = (*example)?;
            let note = Note::new(code, format!("{rows} rows {text}, such as ({}, {})", short(x), short(y)));
            Some(
                note.value(*rows, "rows")
                    .reason(format!("{reason}; they are set aside unless the study area holds them")),
            )
        })
        .collect()
}

/// What is needed to say what a stack may be.
struct Told<'a> {
    bulk: &'a Bulk,
    hits: u64,
    snapped: bool,
    inside: &'a [(f64, f64, u64)],
}

impl Told<'_> {
    fn may_be(&self, x: f64, y: f64, rows: u64) -> &'static str {
        if !self.bulk.has(x, y) {
            return "a default of the geocoder: far from the others";
        }
        if self.is_rounded(x, y) {
            return "the middle of an area: fewer decimals than the others";
        }
        if rows * 100 > self.hits && self.stands_out(rows) {
            return "a default of the geocoder, a police station or a hospital: far more rows than any other place";
        }
        if self.snapped {
            return "a point that the publisher moves incidents to";
        }
        if rows * 100 > self.hits {
            "a place with many incidents, or a default of the geocoder"
        } else {
            "a place with many incidents"
        }
    }

    /// Whether it has far more rows than the tenth.
    fn stands_out(&self, rows: u64) -> bool {
        let tenth = self.inside.get(STACKS - 1).map_or(1, |stack| stack.2);
        rows > 5 * tenth
    }

    /// Whether a place has two decimals or fewer in degrees, while nine in ten others have more.
    fn is_rounded(&self, x: f64, y: f64) -> bool {
        let coarse = |x: f64, y: f64| is_whole(x * 100.0) && is_whole(y * 100.0);
        let fine = self.inside.iter().filter(|stack| !coarse(stack.0, stack.1)).count();
        self.bulk.is_degrees() && coarse(x, y) && fine * 10 >= self.inside.len() * 9
    }

    /// The stacks that are suspected to be no places of incidents.
    fn defaults(&self) -> Option<Note> {
        let suspected: Vec<&(f64, f64, u64)> = self
            .inside
            .iter()
            .take(STACKS)
            .filter(|&&(x, y, rows)| {
                let stands_out = rows * 100 > self.hits && self.stands_out(rows);
                rows >= LEAST_STACK && (stands_out || (self.is_rounded(x, y) && rows * 1000 > self.hits))
            })
            .collect();
        let rows: u64 = suspected.iter().map(|stack| stack.2).sum();
        let first = suspected.first()?;
        let places = suspected.len();
        let which = format!("the largest at ({}, {})", short(first.0), short(first.1));
        Some(
            Note::new("default_geocode", format!("{rows} rows stand on {places} suspicious places, {which}"))
                .value(rows, "rows")
                .reason("look them up; if nothing happened there, correct the file or cut them out with a study area"),
        )
    }
}

fn is_whole(value: f64) -> bool {
    (value - value.round()).abs() < 1e-9 * value.abs().max(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A city of 40 × 40 places around Bogotá.
    fn city() -> Spots {
        let mut spots = Spots::default();
        for at in 0..1600 {
            let (column, row) = (f64::from(at % 40), f64::from(at / 40));
            spots.add(Some((-74.201_234 + column * 0.005, 4.501_234 + row * 0.005)));
        }
        spots
    }

    fn codes(spots: Spots, origin: Option<(f64, f64)>) -> Vec<(String, u64)> {
        let (_, findings) = spots.finish(origin);
        findings
            .into_iter()
            .map(|note| (note.code.clone(), note.value.and_then(|value| value.as_u64()).unwrap_or_default()))
            .collect()
    }

    #[test]
    fn a_clean_city_has_no_findings() {
        let (places, findings) = city().finish(None);
        assert_eq!(findings, []);
        let places = places.unwrap();
        assert_eq!((places.hits, places.distinct), (1600, 1600));
        assert!(places.stacks.is_empty() && places.hit_rate == 1.0);
    }

    #[test]
    fn each_stray_is_named_for_how_it_strayed() {
        for (x, y, code) in [
            (4.6, -74.1, "axes_swapped"),
            (74.1, 4.6, "signs_wrong"),
            (-74.1, -4.6, "signs_wrong"),
            (-74_123_456.0, 4_612_345.0, "decimal_mark_lost"),
            (1_000_000.0, 1_002_000.0, "systems_mixed"),
            (-99.5, 37.3, "far_away"),
            (0.0, 0.0, "zeros"),
        ] {
            let mut spots = city();
            (0..3).for_each(|_| spots.add(Some((x, y))));
            assert_eq!(codes(spots, None), [(code.to_owned(), 3)], "{x} {y}");
        }
    }

    #[test]
    fn degrees_among_metres_and_projected_zeros_are_found_too() {
        let mut spots = Spots::default();
        for at in 0..1600 {
            spots.add(Some((590_000.0 + f64::from(at % 40) * 500.0, 500_000.0 + f64::from(at / 40) * 500.0)));
        }
        spots.add(Some((-74.1, 4.6)));
        spots.add(Some((9_000_000.0, 12.0)));
        let found = codes(spots, Some((9_000_001.0, 0.0)));
        assert_eq!(found, [("systems_mixed".to_owned(), 1), ("zeros_projected".to_owned(), 1)]);
    }

    #[test]
    fn a_stack_that_stands_out_is_a_suspect_and_a_low_hit_rate_is_said() {
        let mut spots = city();
        (0..300).for_each(|_| spots.add(Some((-74.1, 4.6))));
        (0..400).for_each(|_| spots.add(None));
        let (places, findings) = spots.finish(None);
        let codes: Vec<&str> = findings.iter().map(|note| note.code.as_str()).collect();
        assert_eq!(codes, ["hit_rate_low", "default_geocode"]);
        let stack = &places.unwrap().stacks[0];
        assert_eq!((stack.rows, stack.may_be.starts_with("the middle of an area")), (300, true));
    }

    #[test]
    fn few_places_on_a_spot_or_a_line_are_no_fault() {
        for places in
            [vec![], vec![(1.0, 2.0)], vec![(1.0, 2.0); 7], vec![(1.0, 2.0), (2.0, 2.0), (3.0, 2.0)]]
        {
            let mut spots = Spots::default();
            places.iter().for_each(|&place| spots.add(Some(place)));
            let found = codes(spots, None);
            assert!(found.iter().all(|(code, _)| code == "default_geocode"), "{found:?}");
        }
    }
}
