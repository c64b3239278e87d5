//! Rows on their way through a piece, in columns, and what is told of the rows of several files together.

use std::collections::{BTreeMap, HashMap};

use brasa_model::{Kinds, Note};

use crate::columns::Columns;
use crate::decide::{Raw, Timeline, keep};
use crate::error;
use crate::hash::Quick;
use crate::project::{Found, Places, key};

/// Rows of one file on their way through a piece. Those that fall out of it are gone from every column, and a column that is done
/// with is gone: of the memory that a reading takes most is here.
pub(crate) struct Part {
    pub source: usize,
    pub raw: Raw,
    pub timeline: Timeline,
    pub places: Places,
    /// Per place, where it is in the working system.
    pub found: Found,
}

impl Part {
    /// Leaves the rows for which `kept` holds.
    pub fn keep(&mut self, kept: &[bool]) {
        if kept.iter().all(|kept| *kept) {
            return;
        }
        keep(&mut self.raw.line, kept);
        keep(&mut self.raw.kind, kept);
        keep(&mut self.raw.weight, kept);
        keep(&mut self.raw.source, kept);
        self.timeline.keep(kept);
        self.places.keep_rows(kept);
    }

    /// The places with a row on them: where they are in the working system, how many rows, and which place it is.
    pub fn spots(&self) -> impl Iterator<Item = ((f64, f64), u32, usize)> + '_ {
        let counts = self.places.count.iter().enumerate().filter(|(_, count)| **count > 0);
        counts.map(|(place, &count)| (self.found.at(place).unwrap_or_default(), count, place))
    }

    /// A place as it is written.
    pub fn written(&self, place: usize) -> (f64, f64) {
        (self.places.x[place], self.places.y[place])
    }
}

/// The distinct places of candidates in the working system, of all files together.
pub(crate) struct Spots {
    pub x: Vec<f64>,
    pub y: Vec<f64>,
    /// How many candidates are on each.
    pub count: Vec<u32>,
    /// Per part and place, the spot; of use only where there are candidates.
    pub of_place: Vec<Vec<u32>>,
}

impl Spots {
    pub fn of(parts: &[Part]) -> Self {
        let (mut x, mut y, mut count) = (Vec::new(), Vec::new(), Vec::new());
        let mut seen: HashMap<(u64, u64), u32, Quick> = HashMap::default();
        let mut of_place = Vec::with_capacity(parts.len());
        for part in parts {
            let mut spot_of = vec![0; part.places.x.len()];
            for ((east, north), more, place) in part.spots() {
                let next = x.len() as u32;
                let at = *seen.entry(key(east, north)).or_insert(next);
                if at == next {
                    x.push(east);
                    y.push(north);
                    count.push(0);
                }
                count[at as usize] += more;
                spot_of[place] = at;
            }
            of_place.push(spot_of);
        }
        Self { x, y, count, of_place }
    }
}

/// The kinds of all rows, whose columns are done with.
pub(crate) fn kinds(parts: &mut [Part]) -> Kinds {
    // Per part and kind, whether a row is of it. A file without kinds states none.
    let used: Vec<Vec<bool>> = parts
        .iter()
        .map(|part| {
            let mut used = vec![false; part.raw.kinds.len()];
            part.raw.kind.iter().for_each(|&kind| used[kind as usize] = true);
            used
        })
        .collect();
    let names = |at: usize| {
        let part: &Part = &parts[at];
        part.raw.kinds.iter().zip(&used[at]).filter(|(_, used)| **used).map(|(name, _)| &**name)
    };
    let silent = parts.iter().any(|part| part.raw.kind.is_empty() && part.raw.len() > 0);
    let all = (0..parts.len()).flat_map(names).chain(silent.then_some(""));
    let mut code: BTreeMap<String, u32> = all.map(|name| (name.to_owned(), 0)).collect();
    for (at, code) in code.values_mut().enumerate() {
        *code = at as u32;
    }
    let code_of = |name: &str| code.get(name).copied().unwrap_or_default();
    let codes = joined(parts.iter_mut().map(|part| {
        let of_kind: Vec<u32> = part.raw.kinds.iter().map(|name| code_of(name)).collect();
        let mut column = std::mem::take(&mut part.raw.kind);
        column.iter_mut().for_each(|kind| *kind = of_kind[*kind as usize]);
        filled(column, part.raw.len(), code_of(""))
    }));
    Kinds { names: code.into_keys().collect(), codes }
}

/// Columns one after the other.
pub(crate) fn joined<T>(columns: impl Iterator<Item = Vec<T>>) -> Vec<T> {
    let both = |mut all: Vec<T>, mut next: Vec<T>| {
        all.append(&mut next);
        all
    };
    let mut all = columns.reduce(both).unwrap_or_default();
    all.shrink_to_fit();
    all
}

/// A column, or one of so many equal values where a file has none.
pub(crate) fn filled<T: Clone>(column: Vec<T>, rows: usize, value: T) -> Vec<T> {
    if column.is_empty() { vec![value; rows] } else { column }
}

/// At most so many places hold more than one incident in a hundred.
const MOST_CROWDED: usize = 100;

/// Warns when single places hold more than one incident in a hundred: a geocoder's default, or a police station.
pub(crate) fn crowded(parts: &[Part], names: &Columns) -> Option<Note> {
    let all: u64 = parts.iter().map(|part| part.raw.len() as u64).sum();
    if all < 500 {
        return None;
    }
    let spots = || {
        let of_part = |part| {
            Part::spots(part).map(move |(at, count, place)| (at, u64::from(count), part.written(place)))
        };
        parts.iter().flat_map(of_part)
    };
    // Misra and Gries 1982 (doi:10.1016/0167-6423(82)90012-0): with a counter for each of so many places, no place with a larger
    // share than one in so many is missed, and nothing is kept of the others.
    let mut counters: HashMap<(u64, u64), u64, Quick> = HashMap::default();
    for ((x, y), count, _) in spots() {
        if let Some(counter) = counters.get_mut(&key(x, y)) {
            *counter += count;
        } else if counters.len() < MOST_CROWDED {
            counters.insert(key(x, y), count);
        } else {
            let less = counters.values().copied().min().unwrap_or_default().min(count);
            counters.retain(|_, counter| {
                *counter -= less;
                *counter > 0
            });
            if count > less {
                counters.insert(key(x, y), count - less);
            }
        }
    }
    // How many there are indeed, and the coordinates as the first file has them.
    let mut counted: HashMap<_, (u64, (f64, f64)), Quick> = HashMap::default();
    for ((x, y), count, written) in spots().filter(|((x, y), ..)| counters.contains_key(&key(*x, *y))) {
        counted.entry(key(x, y)).or_insert((0, written)).0 += count;
    }
    let mut top: Vec<(u64, (f64, f64))> =
        counted.into_values().filter(|(count, _)| count * 100 > all).collect();
    top.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.partial_cmp(&b.1).unwrap_or(std::cmp::Ordering::Equal)));
    top.truncate(5);
    let (most, _) = *top.first()?;
    let (x_name, y_name) = names.coordinates();
    let list: Vec<String> = top
        .iter()
        .map(|(count, (x, y))| {
            format!("{count} at {x_name} {} {y_name} {}", error::short(*x), error::short(*y))
        })
        .collect();
    Some(
        Note::new(
            "places_crowded",
            format!("single places hold more than 1 % of the incidents: {}", list.join("; ")),
        )
        .value(most, "incidents")
        .reason("real in a few places, such as a station; else the default of a geocoder, and worth a look"),
    )
}
