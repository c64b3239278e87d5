//! Who is near whom: zones and their neighbours, as lists.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

use brasa_model::{Grid, Metres, Note, UnitError, Zoning};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use brasa_model::{as_text, as_word};
use given::Touch;
use near::{centres, near};

mod given;
mod near;

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
    /// The same, each weighted by 1/d, where d is the distance between the centres.
    Inverse(Metres),
    /// The same, each weighted by 1/d².
    InverseSquare(Metres),
}

impl Neighbours {
    /// Whether some neighbours count more than others.
    pub const fn are_weighted(self) -> bool {
        matches!(self, Self::Inverse(_) | Self::InverseSquare(_))
    }
}

/// Zones whose centres are nearer than this, in metres, weigh as if they were so far apart: one inside another may have the same
/// centre.
const NEAREST: f64 = 1.0;

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
            Some((word @ ("band" | "inverse" | "inverse-square"), length)) => {
                let length = length.parse().map_err(|error: UnitError| error.to_string())?;
                Ok(match word {
                    "band" => Self::Band(length),
                    "inverse" => Self::Inverse(length),
                    _ => Self::InverseSquare(length),
                })
            }
            _ => Err(format!(
                "\"{text}\" is not a neighbourhood: queen, rook, knn:8, band:500m, inverse:500m or inverse-square:500m"
            )),
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
            Self::Inverse(distance) => write!(f, "inverse:{}", String::from(*distance)),
            Self::InverseSquare(distance) => write!(f, "inverse-square:{}", String::from(*distance)),
        }
    }
}

as_text!(Neighbours, "queen|rook|knn:K|band:LENGTH|inverse:LENGTH|inverse-square:LENGTH", "examples": ["queen", "rook", "knn:8", "band:500m", "inverse:500m"]);

/// How much a neighbour counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Style {
    /// Every neighbour 1, or as much as its distance says.
    Binary,
    /// So that the weights of a zone add up to one: each of k neighbours 1/k.
    RowStandardised,
}

as_word!(Style, Binary = "binary", RowStandardised = "row");

/// The neighbours of each zone, itself not among them, and how much each counts: compressed rows, in a memory that grows with
/// the links alone.
#[derive(Debug, Clone, PartialEq)]
pub struct Weights {
    /// Where the neighbours of a zone begin; one more entry than there are zones.
    start: Vec<usize>,
    /// The neighbours, ascending within a zone.
    to: Vec<u32>,
    /// How much each counts; absent means 1 each.
    weight: Option<Vec<f64>>,
}

impl Weights {
    /// The neighbours among zones. Square cells share sides and corners as they are drawn; each hexagon has up to six around it, which
    /// share a side, so that queen and rook are the same; given zones touch where their borders come within a metre of one another, unless
    /// their origin says which do. Distances are between centres: of cells and hexagons as if nothing were cut off, of given
    /// zones those of their area.
    pub fn among(zoning: &Zoning, neighbours: Neighbours) -> Self {
        let (reach, count) = match neighbours {
            Neighbours::Queen | Neighbours::Rook => return Self::touching(zoning, neighbours),
            Neighbours::Band(distance)
            | Neighbours::Inverse(distance)
            | Neighbours::InverseSquare(distance) => (distance.get(), zoning.len()),
            Neighbours::Nearest(count) => (f64::INFINITY, count.get() as usize),
        };
        let lists = match (zoning, neighbours) {
            (Zoning::Grid(grid), Neighbours::Nearest(_)) => Places::new(grid).nearest(count),
            (Zoning::Grid(grid), _) => {
                let places = Places::new(grid);
                places.at_offsets(&places.around(reach / grid.cell().get()))
            }
            _ => Self::from_lists(&near(&centres(zoning), reach, count)),
        };
        match neighbours {
            Neighbours::Inverse(_) => lists.by_distance(&centres(zoning), |distance| 1.0 / distance),
            Neighbours::InverseSquare(_) => {
                lists.by_distance(&centres(zoning), |distance| 1.0 / (distance * distance))
            }
            _ => lists,
        }
    }

    /// The same neighbours, weighted by the distance between centres.
    fn by_distance(mut self, centres: &[[f64; 2]], weight: impl Fn(f64) -> f64 + Sync) -> Self {
        let row = |zone: usize| -> Vec<f64> {
            let [x, y] = centres[zone];
            let distance = |&to: &u32| {
                let [east, north] = centres[to as usize];
                (east - x).hypot(north - y).max(NEAREST)
            };
            self.of(zone).iter().map(distance).map(&weight).collect()
        };
        let rows: Vec<Vec<f64>> = (0..self.len()).into_par_iter().map(row).collect();
        self.weight = Some(rows.concat());
        self
    }

    /// The same neighbours in the style: with weights that add up to one in each row, or as they are.
    #[must_use]
    pub fn styled(mut self, style: Style) -> Self {
        if style == Style::RowStandardised {
            let row = |zone: usize| {
                let total = self.total(zone);
                self.row(zone).map(move |(_, weight)| weight / total)
            };
            self.weight = Some((0..self.len()).flat_map(row).collect());
        }
        self
    }

    /// Given weights, one row per zone of neighbours by number from 0 with how much each counts; the zone itself, unknown zones and
    /// all but the first of repeated ones do not count.
    pub fn from_rows(rows: &[Vec<(usize, f64)>]) -> Self {
        let lists: Vec<Vec<usize>> = rows.iter().map(|row| row.iter().map(|link| link.0).collect()).collect();
        let mut weights = Self::from_lists(&lists);
        let weight = |zone: usize, to: u32| {
            rows[zone].iter().find(|link| link.0 == to as usize).map_or(0.0, |link| link.1)
        };
        let all = (0..rows.len()).flat_map(|zone| weights.of(zone).iter().map(move |&to| weight(zone, to)));
        weights.weight = Some(all.collect());
        weights
    }

    fn touching(zoning: &Zoning, neighbours: Neighbours) -> Self {
        let touch = if neighbours == Neighbours::Queen { Touch::Corner } else { Touch::Border };
        match zoning {
            Zoning::Grid(grid) => {
                let places = Places::new(grid);
                let reach = if touch == Touch::Corner { std::f64::consts::SQRT_2 } else { 1.0 };
                places.at_offsets(&places.around(reach))
            }
            Zoning::Hexagons(hexagons) => {
                Self::in_runs(hexagons.len(), |zone, to| to.extend(hexagons.around_it(zone)))
            }
            Zoning::Given(given) => match &given.touching {
                Some(lists) => Self::from_lists(lists),
                None => Self::from_lists(&given::touching(&given.zones, touch)),
            },
        }
    }

    /// The rows of so many zones, each made by `fill`, which adds the neighbours of a zone in ascending order.
    fn in_runs(zones: usize, fill: impl Fn(usize, &mut Vec<u32>) + Sync) -> Self {
        let run = |first: usize| {
            let (mut lengths, mut to) = (Vec::with_capacity(RUN), Vec::new());
            for zone in first..(first + RUN).min(zones) {
                let before = to.len();
                fill(zone, &mut to);
                lengths.push(to.len() - before);
            }
            (lengths, to)
        };
        let starts: Vec<usize> = (0..zones).step_by(RUN).collect();
        let runs: Vec<_> = starts.into_par_iter().map(run).collect();
        Self::joined(zones, runs)
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
        Self { start, to, weight: None }
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

    /// The neighbours of a zone with how much each counts, ascending.
    pub fn row(&self, zone: usize) -> impl Iterator<Item = (usize, f64)> + '_ {
        let links = self.start[zone]..self.start[zone + 1];
        let weight = move |link: usize| self.weight.as_ref().map_or(1.0, |weight| weight[link]);
        links.map(move |link| (self.to[link] as usize, weight(link)))
    }

    /// How much each neighbour of a zone counts; `None` if each counts 1.
    pub fn unequal(&self, zone: usize) -> Option<&[f64]> {
        self.weight.as_ref().map(|weight| &weight[self.start[zone]..self.start[zone + 1]])
    }

    /// Whether each neighbour counts 1.
    pub const fn are_equal(&self) -> bool {
        self.weight.is_none()
    }

    /// Σ w over a zone's neighbours.
    pub fn total(&self, zone: usize) -> f64 {
        match self.unequal(zone) {
            None => self.count(zone) as f64,
            Some(weights) => weights.iter().sum(),
        }
    }

    /// Σ w and Σ w² over a zone's neighbours.
    pub fn loads(&self, zone: usize) -> (f64, f64) {
        match self.unequal(zone) {
            None => (self.count(zone) as f64, self.count(zone) as f64),
            Some(weights) => (weights.iter().sum(), weights.iter().map(|weight| weight * weight).sum()),
        }
    }

    /// How much a zone counts to itself, where it does: as much as the nearest of its neighbours.
    pub fn own(&self, zone: usize) -> f64 {
        let most = |weights: &[f64]| weights.iter().copied().reduce(f64::max);
        self.unequal(zone).and_then(most).unwrap_or(1.0)
    }

    /// How many neighbours a zone has.
    pub fn count(&self, zone: usize) -> usize {
        self.start[zone + 1] - self.start[zone]
    }

    /// How many neighbours each zone has, `more` added.
    pub fn sizes(&self, more: u32) -> Vec<u32> {
        self.start.windows(2).map(|ends| (ends[1] - ends[0]) as u32 + more).collect()
    }

    /// Σ w of `values` over each zone's neighbours.
    pub fn sums(&self, values: &[f64]) -> Vec<f64> {
        let sum = |zone: usize| match self.unequal(zone) {
            None => self.of(zone).iter().map(|&to| values[to as usize]).sum::<f64>(),
            Some(_) => self.row(zone).map(|(to, weight)| weight * values[to]).sum::<f64>(),
        };
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
    pub fn moments(&self) -> [f64; 3] {
        let weight = |zone: usize, to: usize| {
            let link = self.of(zone).binary_search(&(to as u32)).ok();
            link.map_or(0.0, |link| self.unequal(zone).map_or(1.0, |weights| weights[link]))
        };
        let mut into = vec![0.0; self.len()];
        let (mut s0, mut s1) = (0.0, 0.0);
        for zone in 0..self.len() {
            for (to, there) in self.row(zone) {
                s0 += there;
                s1 += there * (there + weight(to, zone));
                into[to] += there;
            }
        }
        let both = |(zone, into): (usize, &f64)| into + self.total(zone);
        let s2 = into.iter().enumerate().map(both).map(|both| both * both).sum();
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
        Weights::in_runs(self.cells.len(), |zone, to| fill(self.cells[zone], to))
    }

    /// The offsets within so many cells, the cell itself left out.
    fn around(&self, cells: f64) -> Vec<(i64, i64)> {
        let mut offsets = offsets_within(cells.min(self.nx.max(self.ny) as f64 * 1.5));
        offsets.retain(|&offset| offset != (0, 0));
        offsets
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
        for text in ["queen", "rook", "knn:8", "band:500m", "inverse:500m", "inverse-square:2000m"] {
            assert_eq!(String::from(text.parse::<Neighbours>().unwrap()), text);
        }
        for wrong in [
            "",
            "knn",
            "knn:0",
            "knn:-1",
            "knn:1.5",
            "band",
            "band:500",
            "bishop",
            "queen:2",
            "inverse",
            "inverse:500",
        ] {
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
        assert_eq!(weights.moments(), [3.0, 3.0, 4.0 + 4.0 + 4.0]);
    }
}
