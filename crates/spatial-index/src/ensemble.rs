//! Would it have been found all the same? How a map is drawn again with other choices and other luck, and how much of
//! it comes back.
//!
//! Where the grid begins is nobody's decision, the cell and the bandwidth could as well have been somewhat smaller or
//! larger, and another year would have brought other incidents of the same kind. A replicate changes one of these, or
//! all of them, within a stated range.

use brasa_model::Metres;
use geo::Coord;
use rayon::prelude::*;

use crate::{AnalysisError, Sites, Watch};
use brasa_model::Chance;

/// A change alone is made once for so many replicates that change everything, and at least twice.
const ALONE: u32 = 5;

/// The range of the cell and the bandwidth, in words: 2^(−½) to 2^½.
pub const RANGE: &str = "0.71 to 1.41 times";

/// What a map on a grid is drawn with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Setting {
    /// The side of a cell.
    pub cell: Metres,
    /// From where cells are counted.
    pub origin: Coord<f64>,
    /// How far the kernel reaches.
    pub bandwidth: Metres,
}

/// What a replicate changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// The grid begins elsewhere: anywhere within a cell, in either direction.
    Origin,
    /// The cell is up to √2 times smaller or larger, each proportion as likely as the other.
    Cell,
    /// The bandwidth is, in the same range.
    Bandwidth,
    /// As many incidents are drawn with replacement from those there are (bootstrap: Efron 1979,
    /// doi:10.1214/aos/1176344552).
    Incidents,
    /// All of these at once.
    All,
}

impl Change {
    /// The changes, each alone and then all together.
    pub const ALL: [Self; 5] = [Self::Origin, Self::Cell, Self::Bandwidth, Self::Incidents, Self::All];

    /// The word written to files.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Origin => "origin",
            Self::Cell => "cell",
            Self::Bandwidth => "bandwidth",
            Self::Incidents => "incidents",
            Self::All => "all",
        }
    }

    fn touches(self, other: Self) -> bool {
        self == other || self == Self::All
    }

    /// How often it is made where everything changes `replicates` times.
    pub fn times(self, replicates: u32) -> u32 {
        if self == Self::All { replicates } else { replicates.div_ceil(ALONE).max(2) }
    }

    /// The setting and the sites of a replicate. The same replicate moves the origin by the same share of a cell whether
    /// or not the rest changes too: a change alone and all together differ by what they change, not by luck.
    pub fn drawn(
        self,
        chosen: Setting,
        sites: &Sites,
        seed: u64,
        replicate: u64,
    ) -> (Setting, Option<Sites>) {
        let mut chance = Chance::new(seed, replicate);
        let [east, north, cell, bandwidth] = [(); 4].map(|()| chance.share());
        let mut setting = chosen;
        if self.touches(Self::Cell) {
            setting.cell = scaled(chosen.cell, cell);
        }
        if self.touches(Self::Origin) {
            let side = setting.cell.get();
            setting.origin = chosen.origin + Coord { x: east * side, y: north * side };
        }
        if self.touches(Self::Bandwidth) {
            setting.bandwidth = scaled(chosen.bandwidth, bandwidth);
        }
        (setting, self.touches(Self::Incidents).then(|| resampled(sites, &mut chance)))
    }
}

/// What `draw` makes of each replicate, given its change and its number: the changes in their order, and of each its
/// replicates in theirs, on any number of threads.
pub fn replicated<T: Send>(
    replicates: u32,
    watch: &Watch,
    draw: impl Fn(Change, u64) -> Result<T, AnalysisError> + Sync,
) -> Result<Vec<(Change, T)>, AnalysisError> {
    let all = Change::ALL.into_iter();
    let jobs: Vec<(Change, u32)> =
        all.flat_map(|change| (0..change.times(replicates)).map(move |number| (change, number))).collect();
    let phase = watch.phase("replicates", jobs.len() as u64);
    let drawn = jobs.into_par_iter().map(|(change, number)| {
        let drawn = draw(change, u64::from(number))?;
        phase.advance(1)?;
        Ok((change, drawn))
    });
    drawn.collect()
}

/// A length times 2^(share − ½), from 1/√2 to √2.
fn scaled(length: Metres, share: f64) -> Metres {
    Metres::new(length.get() * libm::exp2(share - 0.5)).unwrap_or(length)
}

/// As many incidents, drawn with replacement. Incidents are counted off in the order of sites, so that the order of rows
/// is of no account; those at one site share its weight evenly. Sites that nobody drew are left out.
pub fn resampled(sites: &Sites, chance: &mut Chance) -> Sites {
    let site_of: Vec<u32> = (0_u32..)
        .zip(&sites.count)
        .flat_map(|(site, &count)| std::iter::repeat_n(site, count as usize))
        .collect();
    let mut times = vec![0_u32; sites.len()];
    for _ in 0..site_of.len() {
        times[site_of[chance.below(site_of.len() as u64) as usize] as usize] += 1;
    }
    let mut drawn = Sites::default();
    for (site, times) in times.into_iter().enumerate().filter(|&(_, times)| times > 0) {
        drawn.x.push(sites.x[site]);
        drawn.y.push(sites.y[site]);
        drawn.weight.push(sites.weight[site] * f64::from(times) / f64::from(sites.count[site]));
        drawn.count.push(times);
    }
    drawn
}

/// The Jaccard overlap of two areas: what they share of what either covers. Two empty ones are the same.
pub fn jaccard(a: f64, b: f64, both: f64) -> f64 {
    let either = a + b - both;
    if either > 0.0 { both / either } else { 1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen() -> Setting {
        let metres = |length| Metres::new(length).unwrap();
        Setting { cell: metres(250.0), origin: Coord { x: 10.0, y: 20.0 }, bandwidth: metres(625.0) }
    }

    fn three_stacks() -> Sites {
        Sites {
            x: vec![0.0, 5.0, 9.0],
            y: vec![0.0, 1.0, 2.0],
            weight: vec![1.0, 300.0, 18.0],
            count: vec![1, 100, 9],
            of_incident: Vec::new(),
        }
    }

    #[test]
    fn a_change_alone_leaves_the_rest_and_stays_in_its_range() {
        let (chosen, sites) = (chosen(), three_stacks());
        let (low, high) = (0.5_f64.sqrt(), 2.0_f64.sqrt());
        for replicate in 0..200 {
            for change in Change::ALL {
                let (setting, drawn) = change.drawn(chosen, &sites, 1, replicate);
                let all = change == Change::All;
                assert_eq!(setting.cell != chosen.cell, all || change == Change::Cell);
                assert_eq!(setting.bandwidth != chosen.bandwidth, all || change == Change::Bandwidth);
                assert_eq!(setting.origin != chosen.origin, all || change == Change::Origin);
                assert_eq!(drawn.is_some(), all || change == Change::Incidents);
                for (one, other) in [(setting.cell, chosen.cell), (setting.bandwidth, chosen.bandwidth)] {
                    let factor = one.get() / other.get();
                    assert!((low..=high).contains(&factor), "{factor}");
                }
                let moved = setting.origin - chosen.origin;
                assert!((0.0..=setting.cell.get()).contains(&moved.x));
            }
        }
    }

    #[test]
    fn a_bootstrap_draws_as_many_as_there_are_and_each_as_often_on_average() {
        let sites = three_stacks();
        let (mut times, draws) = ([0_u32; 3], 2000);
        for replicate in 0..draws {
            let drawn = resampled(&sites, &mut Chance::new(3, replicate));
            assert_eq!(drawn.count.iter().sum::<u32>(), 110);
            for at in 0..drawn.len() {
                let site = sites.x.iter().position(|&x| x == drawn.x[at]).unwrap();
                times[site] += drawn.count[at];
                let each = sites.weight[site] / f64::from(sites.count[site]);
                assert!((drawn.weight[at] - each * f64::from(drawn.count[at])).abs() < 1e-9);
            }
        }
        // The mean over 2000 draws; its standard deviation is below 2.9 / √2000 = 0.065 of an incident.
        for (times, count) in times.iter().zip(&sites.count) {
            let mean = f64::from(*times) / draws as f64;
            assert!((mean - f64::from(*count)).abs() < 0.33, "{mean} of {count}");
        }
        assert!(resampled(&Sites::default(), &mut Chance::new(1, 1)).is_empty());
    }

    #[test]
    fn overlaps_by_hand() {
        assert_eq!(jaccard(2.0, 3.0, 1.0), 0.25);
        assert_eq!([jaccard(2.0, 2.0, 2.0), jaccard(2.0, 0.0, 0.0), jaccard(0.0, 0.0, 0.0)], [1.0, 0.0, 1.0]);
    }
}
