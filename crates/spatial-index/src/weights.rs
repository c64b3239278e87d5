//! Who is near whom: zones and their neighbours, as lists.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

use brasa_model::{GivenZone, Grid, Metres, Note, UnitError};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::written::as_text;
use given::Touch;

mod given;

/// Which zones count as neighbours.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Neighbours {
    /// Zones that share a side or a corner.
    #[default]
    Queen,
    /// Zones that share a side.
    Rook,
    /// So many nearest zones, by their centres; of equally near ones the more southern, then the more western, of given
    /// ones the first in their file.
    Nearest(NonZeroU32),
    /// Zones whose centres lie within a distance.
    Band(Metres),
}

impl FromStr for Neighbours {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        match text.split_once(':') {
            None if text == "queen" => Ok(Self::Queen),
            None if text == "rook" => Ok(Self::Rook),
            Some(("knn", count)) => count
                .parse()
                .map(Self::Nearest)
                .map_err(|_| format!("\"{count}\" is not a number of nearest zones, such as knn:8")),
            Some(("band", length)) => {
                length.parse().map(Self::Band).map_err(|error: UnitError| error.to_string())
            }
            _ => Err(format!("\"{text}\" is not a neighbourhood: queen, rook, knn:8, or band:500m")),
        }
    }
}

impl fmt::Display for Neighbours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Queen => f.write_str("queen"),
            Self::Rook => f.write_str("rook"),
            Self::Nearest(count) => write!(f, "knn:{count}"),
            Self::Band(distance) => write!(f, "band:{}", String::from(*distance)),
        }
    }
}

as_text!(Neighbours, "queen|rook|knn:K|band:LENGTH", "examples": ["queen", "rook", "knn:8", "band:500m"]);

/// How much a neighbour counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Every neighbour 1.
    Binary,
    /// Every neighbour 1/k, so that the weights of a zone with k neighbours add up to one.
    RowStandardised,
}

/// The neighbours of each zone, itself not among them: compressed rows, in a memory that grows with the links alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Weights {
    /// Where the neighbours of a zone begin; one more entry than there are zones.
    start: Vec<usize>,
    /// The neighbours, ascending within a zone.
    to: Vec<u32>,
}

impl Weights {
    /// The neighbours among the zones of a grid of square cells.
    pub fn on_grid(grid: &Grid, neighbours: Neighbours) -> Self {
        let places = Places::new(grid);
        let side = grid.cell().get();
        let extent = grid.nx().max(grid.ny()) as f64;
        let within = |cells: f64| {
            let mut offsets = offsets_within(cells.min(extent * 1.5));
            offsets.retain(|&offset| offset != (0, 0));
            offsets
        };
        match neighbours {
            Neighbours::Queen => places.at_offsets(&within(std::f64::consts::SQRT_2)),
            Neighbours::Rook => places.at_offsets(&within(1.0)),
            Neighbours::Band(distance) => places.at_offsets(&within(distance.get() / side)),
            Neighbours::Nearest(count) => places.nearest(count.get() as usize),
        }
    }

    /// The neighbours among given zones, sides and corners being borders that come within a metre of one another.
    pub fn on_given(zones: &[GivenZone], neighbours: Neighbours) -> Self {
        let lists = match neighbours {
            Neighbours::Queen => given::touching(zones, Touch::Corner),
            Neighbours::Rook => given::touching(zones, Touch::Border),
            Neighbours::Band(distance) => given::near(zones, distance.get(), zones.len()),
            Neighbours::Nearest(count) => given::near(zones, f64::INFINITY, count.get() as usize),
        };
        Self::from_lists(&lists)
    }

    /// Given lists of neighbours, one per zone, by number from 0; the zone itself, repeats and unknown zones do not count.
    pub fn from_lists(lists: &[Vec<usize>]) -> Self {
        let clean = |(zone, list): (usize, &Vec<usize>)| {
            let mut list: Vec<u32> =
                list.iter().filter(|&&to| to != zone && to < lists.len()).map(|&to| to as u32).collect();
            list.sort_unstable();
            list.dedup();
            list
        };
        Self::joined(lists.len(), lists.iter().enumerate().map(clean).map(|list| (vec![list.len()], list)))
    }

    /// The neighbours that are not among those of `nearer`, zone by zone.
    #[must_use]
    pub fn without(&self, nearer: &Self) -> Self {
        let row = |zone: usize| -> Vec<u32> {
            let near = nearer.of(zone);
            self.of(zone).iter().filter(|to| near.binary_search(to).is_err()).copied().collect()
        };
        let rows: Vec<Vec<u32>> = (0..self.len()).into_par_iter().map(row).collect();
        Self::joined(self.len(), rows.into_iter().map(|row| (vec![row.len()], row)))
    }

    /// Runs of rows (their lengths, their neighbours) one after another.
    fn joined(zones: usize, runs: impl IntoIterator<Item = (Vec<usize>, Vec<u32>)>) -> Self {
        let (mut start, mut to) = (Vec::with_capacity(zones + 1), Vec::new());
        start.push(0);
        let mut end = 0;
        for (lengths, run) in runs {
            for length in lengths {
                end += length;
                start.push(end);
            }
            to.extend(run);
        }
        Self { start, to }
    }

    /// How many zones.
    pub const fn len(&self) -> usize {
        self.start.len() - 1
    }

    /// Whether there is no zone.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many pairs of a zone and its neighbour.
    pub const fn links(&self) -> usize {
        self.to.len()
    }

    /// The neighbours of a zone, ascending.
    pub fn of(&self, zone: usize) -> &[u32] {
        &self.to[self.start[zone]..self.start[zone + 1]]
    }

    /// How many neighbours a zone has.
    pub fn count(&self, zone: usize) -> usize {
        self.start[zone + 1] - self.start[zone]
    }

    /// How many neighbours each zone has, `more` added.
    pub fn sizes(&self, more: u32) -> Vec<u32> {
        self.start.windows(2).map(|ends| (ends[1] - ends[0]) as u32 + more).collect()
    }

    /// Σ of `values` over each zone's neighbours.
    pub fn sums(&self, values: &[f64]) -> Vec<f64> {
        let sum = |zone: usize| self.of(zone).iter().map(|&to| values[to as usize]).sum::<f64>();
        // An empty sum of floats is -0.0.
        (0..self.len()).into_par_iter().with_min_len(1 << 12).map(|zone| sum(zone) + 0.0).collect()
    }

    /// The note that says how many zones have no neighbour, if any has none.
    pub fn islands(&self) -> Option<Note> {
        let alone = (0..self.len()).filter(|&zone| self.count(zone) == 0).count();
        (alone > 0).then(|| {
            Note::new("islands", format!("{alone} zones have no neighbour")).value(alone, "zones").reason(
                "nothing can be said about their neighbours; --neighbours knn:4 gives every zone some",
            )
        })
    }

    /// S₀ = Σ w, S₁ = ½ Σ (wᵢⱼ + wⱼᵢ)², S₂ = Σᵢ (Σⱼ wᵢⱼ + Σⱼ wⱼᵢ)²: what the variances of global statistics need (Cliff &
    /// Ord 1981, p. 19). Neighbours need not be mutual.
    pub fn moments(&self, style: Style) -> [f64; 3] {
        let weight = |zone: usize| match style {
            Style::Binary => 1.0,
            Style::RowStandardised => 1.0 / self.count(zone) as f64,
        };
        let mut into = vec![0.0; self.len()];
        let (mut s0, mut s1) = (0.0, 0.0);
        for zone in 0..self.len() {
            for &to in self.of(zone) {
                let to = to as usize;
                let back = self.of(to).binary_search(&(zone as u32)).map_or(0.0, |_| weight(to));
                s0 += weight(zone);
                s1 += weight(zone) * (weight(zone) + back);
                into[to] += weight(zone);
            }
        }
        let out =
            |zone: usize| if self.count(zone) == 0 { 0.0 } else { weight(zone) * self.count(zone) as f64 };
        let s2 = into.iter().enumerate().map(|(zone, into)| (into + out(zone)) * (into + out(zone))).sum();
        [s0, s1, s2]
    }
}

/// The offsets of the cells of a square grid whose centres lie within `cells` cell sides, itself included, row by row.
fn offsets_within(cells: f64) -> Vec<(i64, i64)> {
    let reach = cells.floor() as i64;
    // Compared as squares with a hair of tolerance, so that a band of exactly n cells holds the n-th cell.
    let limit = cells * cells * (1.0 + 1e-12);
    let square = (-reach..=reach).flat_map(|row| (-reach..=reach).map(move |column| (column, row)));
    square.filter(|&(column, row)| (column * column + row * row) as f64 <= limit).collect()
}

/// Where the zones lie on their grid.
struct Places {
    nx: i64,
    ny: i64,
    cells: Vec<usize>,
    /// The zone of each cell; `NONE` outside the study area.
    zone: Vec<u32>,
}

const NONE: u32 = u32::MAX;

/// So many zones are looked at in one piece of parallel work.
const RUN: usize = 1 << 13;

impl Places {
    fn new(grid: &Grid) -> Self {
        let cells: Vec<usize> = grid.cells().collect();
        let mut zone = vec![NONE; grid.nx() * grid.ny()];
        for (&cell, number) in cells.iter().zip(0..) {
            zone[cell] = number;
        }
        Self { nx: grid.nx() as i64, ny: grid.ny() as i64, cells, zone }
    }

    /// The zone at an offset from a cell.
    fn at(&self, cell: usize, (right, up): (i64, i64)) -> Option<u32> {
        let (column, row) = (cell as i64 % self.nx + right, cell as i64 / self.nx + up);
        let on_grid = (0..self.nx).contains(&column) && (0..self.ny).contains(&row);
        on_grid.then(|| self.zone[(row * self.nx + column) as usize]).filter(|&zone| zone != NONE)
    }

    /// The rows of all zones, each made by `fill`, which adds the neighbours of a cell.
    fn rows(&self, fill: impl Fn(usize, &mut Vec<u32>) + Sync) -> Weights {
        let run = |cells: &[usize]| {
            let (mut lengths, mut to) = (Vec::with_capacity(cells.len()), Vec::new());
            for &cell in cells {
                let before = to.len();
                fill(cell, &mut to);
                lengths.push(to.len() - before);
            }
            (lengths, to)
        };
        let runs: Vec<_> = self.cells.par_chunks(RUN).map(run).collect();
        Weights::joined(self.cells.len(), runs)
    }

    fn at_offsets(&self, offsets: &[(i64, i64)]) -> Weights {
        self.rows(|cell, to| to.extend(offsets.iter().filter_map(|&offset| self.at(cell, offset))))
    }

    /// The `count` nearest zones of each, all others where there are fewer. Offsets are tried from near to far; where a
    /// zone's surroundings hold too few, all zones are looked at.
    fn nearest(&self, count: usize) -> Weights {
        let count = count.min(self.cells.len() - 1);
        let rank = |(right, up): (i64, i64)| (right * right + up * up, up, right);
        let mut near = offsets_within(1.0 + 2.0 * (count as f64).sqrt());
        near.retain(|&offset| offset != (0, 0));
        near.sort_by_key(|&offset| rank(offset));
        self.rows(|cell, to| {
            let begin = to.len();
            to.extend(near.iter().filter_map(|&offset| self.at(cell, offset)).take(count));
            if to.len() - begin < count {
                to.truncate(begin);
                let place = |cell: usize| (cell as i64 % self.nx, cell as i64 / self.nx);
                let here = place(cell);
                let mut all: Vec<_> = (0..)
                    .zip(&self.cells)
                    .filter(|&(_, &other)| other != cell)
                    .map(|(zone, &other)| (rank((place(other).0 - here.0, place(other).1 - here.1)), zone))
                    .collect();
                all.select_nth_unstable(count - 1);
                to.extend(all[..count].iter().map(|&(_, zone)| zone));
            }
            to[begin..].sort_unstable();
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_band_of_one_cell_is_the_rook_and_of_root_two_the_queen() {
        assert_eq!(offsets_within(1.0).len(), 5);
        assert_eq!(offsets_within(2.0_f64.sqrt()).len(), 9);
        assert_eq!(offsets_within(0.9), [(0, 0)]);
    }

    #[test]
    fn a_neighbourhood_is_read_and_written() {
        for text in ["queen", "rook", "knn:8", "band:500m"] {
            assert_eq!(String::from(text.parse::<Neighbours>().unwrap()), text);
        }
        for wrong in ["", "knn", "knn:0", "knn:-1", "knn:1.5", "band", "band:500", "bishop", "queen:2"] {
            assert!(wrong.parse::<Neighbours>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn lists_lose_the_zone_itself_and_repeats() {
        let weights = Weights::from_lists(&[vec![1, 0, 1], vec![9], vec![1, 0]]);
        assert_eq!((weights.of(0), weights.of(1), weights.of(2)), (&[1][..], &[][..], &[0, 1][..]));
        assert_eq!((weights.len(), weights.links(), weights.sizes(1)), (3, 3, vec![2, 1, 3]));
        assert_eq!(weights.islands().unwrap().value.unwrap(), 1);
        // 1 ← 0, 0 ← 2, 1 ← 2: rows of 1, 0 and 2; columns of 1, 2 and 0.
        assert_eq!(weights.moments(Style::Binary), [3.0, 3.0, 4.0 + 4.0 + 4.0]);
    }
}
