//! How far a place must reach until the incidents around it weigh enough.

use rayon::prelude::*;

use crate::AnalysisError;
use crate::place_tree::{PlaceBox, PlaceTree};
use crate::watch::Phase;

/// A hair more, so that rounding in a bound never leaves out a place that counts.
const HAIR: f64 = 1.0 + 1e-9;

/// Leaves that one thread does in a row, each with a bound from the one before.
const RUN: usize = 32;

/// Per position of the tree, the squared core distance: to the nearest place at which the weight, the place's own
/// included, comes to `least`. Infinite where all places together weigh less. Weights are multiples of a power of two
/// and add up exactly, so that no order of summing can change a distance.
///
/// Two places that lie a apart have core distances at most a apart. The distance of one place thus bounds those of the
/// next; the places of a leaf share one list of candidates, and each needs a scan and a selection from it, no search.
pub fn core_distances2(tree: &PlaceTree, least: f64, phase: &Phase) -> Result<Vec<f64>, AnalysisError> {
    let leaves: Vec<&PlaceBox> = tree.leaves().collect();
    let heavy = weights_of_boxes(tree);
    if heavy.first().is_none_or(|&all| all < least) {
        return Ok(vec![f64::INFINITY; tree.len()]);
    }
    let runs: Result<Vec<Vec<f64>>, AnalysisError> = leaves
        .par_chunks(RUN)
        .map(|run| {
            let mut search = Search {
                tree,
                least,
                heavy: &heavy,
                near: Candidates::default(),
                within: Vec::new(),
                open: Vec::new(),
            };
            let mut found = Vec::with_capacity(RUN * 8);
            let mut before = None;
            for leaf in run {
                search.leaf(leaf, &mut before, &mut found);
            }
            phase.advance(found.len() as u64)?;
            Ok(found)
        })
        .collect();
    Ok(runs?.concat())
}

/// A place whose distance is known: (position, squared core distance).
type Known = Option<(usize, f64)>;

/// What one thread keeps between leaves.
struct Search<'a> {
    tree: &'a PlaceTree,
    least: f64,
    /// The weight of each box.
    heavy: &'a [f64],
    near: Candidates,
    within: Vec<(f64, f64)>,
    open: Vec<usize>,
}

/// Places that may lie within reach of a leaf.
#[derive(Default)]
struct Candidates {
    x: Vec<f64>,
    y: Vec<f64>,
    weight: Vec<f64>,
}

impl Search<'_> {
    /// Adds the squared core distances of the places of `leaf` to `found`.
    fn leaf(&mut self, leaf: &PlaceBox, before: &mut Known, found: &mut Vec<f64>) {
        let tree = self.tree;
        let mut gathered = false;
        for at in leaf.places() {
            let distance2 = if tree.weight[at] >= self.least {
                0.0
            } else {
                if !gathered {
                    // The first one alone, within a bound that may be wide; its answer bounds the leaf.
                    let bound = before.map_or_else(|| self.enclosing(at), |known| self.bound(known, at));
                    self.gather(|one| one.nearest2(tree.x[at], tree.y[at]), bound);
                    let own = self.select(at, bound);
                    let reach = own.sqrt() + leaf.farthest2(tree.x[at], tree.y[at]).sqrt();
                    self.gather(|one| one.between2(leaf), reach * reach * HAIR);
                    gathered = true;
                    own
                } else {
                    self.select(at, before.map_or(f64::INFINITY, |known| self.bound(known, at)))
                }
            };
            *before = Some((at, distance2));
            found.push(distance2);
        }
    }

    /// What the known distance of one place says of another.
    fn bound(&self, (known, distance2): (usize, f64), at: usize) -> f64 {
        let reach = distance2.sqrt() + self.tree.distance2(known, at).sqrt();
        reach * reach * HAIR
    }

    /// A reach that holds enough: the least box around the place that weighs enough, to its farthest corner.
    fn enclosing(&self, at: usize) -> f64 {
        let tree = self.tree;
        let (mut here, mut best) = (0, f64::INFINITY);
        loop {
            if self.heavy[here] < self.least {
                return best;
            }
            best = tree.boxes[here].farthest2(tree.x[at], tree.y[at]) * HAIR;
            match tree.halves(here) {
                Some((first, second)) => {
                    here = if (at as u32) < tree.boxes[first].end { first } else { second };
                }
                None => return best,
            }
        }
    }

    /// Takes up the places of all leaves at most the root of `bound` away, as `away` measures.
    fn gather(&mut self, away: impl Fn(&PlaceBox) -> f64, bound: f64) {
        let (tree, near) = (self.tree, &mut self.near);
        near.x.clear();
        near.y.clear();
        near.weight.clear();
        self.open.push(0);
        while let Some(here) = self.open.pop() {
            let one = &tree.boxes[here];
            if away(one) <= bound {
                if let Some((first, second)) = tree.halves(here) {
                    self.open.extend([second, first]);
                } else {
                    near.x.extend_from_slice(&tree.x[one.places()]);
                    near.y.extend_from_slice(&tree.y[one.places()]);
                    near.weight.extend_from_slice(&tree.weight[one.places()]);
                }
            }
        }
    }

    /// The squared core distance of the place, which is known to be at most `bound`, among the candidates.
    fn select(&mut self, at: usize, bound: f64) -> f64 {
        let (x, y) = (self.tree.x[at], self.tree.y[at]);
        let near = &self.near;
        self.within.clear();
        self.within.resize(near.x.len(), (0.0, 0.0));
        let mut kept = 0;
        for ((&a, &b), &weight) in near.x.iter().zip(&near.y).zip(&near.weight) {
            let (dx, dy) = (a - x, b - y);
            let distance2 = dx * dx + dy * dy;
            // Written always, kept sometimes: no branch to guess.
            self.within[kept] = (distance2, weight);
            kept += usize::from(distance2 <= bound);
        }
        weighted_least(&mut self.within[..kept], self.least)
    }
}

/// The weight of each box.
fn weights_of_boxes(tree: &PlaceTree) -> Vec<f64> {
    let mut weight = vec![0.0; tree.boxes.len()];
    for here in (0..weight.len()).rev() {
        weight[here] = match tree.halves(here) {
            Some((first, second)) => weight[first] + weight[second],
            None => tree.weight[tree.boxes[here].places()].iter().sum(),
        };
    }
    weight
}

/// The smallest value at which the weights of the values up to it come to `least`: quickselect by weight. The greatest
/// value if they never do.
fn weighted_least(mut pairs: &mut [(f64, f64)], mut least: f64) -> f64 {
    loop {
        if pairs.len() <= 8 {
            pairs.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
            let mut sum = 0.0;
            for pair in pairs.iter() {
                sum += pair.1;
                if sum >= least {
                    return pair.0;
                }
            }
            return pairs.last().map_or(f64::INFINITY, |pair| pair.0);
        }
        let (a, b, c) = (pairs[0].0, pairs[pairs.len() / 2].0, pairs[pairs.len() - 1].0);
        let pivot = a.max(b).min(a.min(b).max(c));
        let below = partition(pairs, |value| value < pivot);
        let lighter: f64 = pairs[..below].iter().map(|pair| pair.1).sum();
        if lighter >= least {
            pairs = &mut pairs[..below];
            continue;
        }
        let equal = below + partition(&mut pairs[below..], |value| value <= pivot);
        let up_to: f64 = lighter + pairs[below..equal].iter().map(|pair| pair.1).sum::<f64>();
        if up_to >= least || equal == pairs.len() {
            return pivot;
        }
        least -= up_to;
        pairs = &mut pairs[equal..];
    }
}

/// Brings the pairs whose value is `first` to the front, and says how many they are.
fn partition(pairs: &mut [(f64, f64)], first: impl Fn(f64) -> bool) -> usize {
    let mut kept = 0;
    for at in 0..pairs.len() {
        let pair = pairs[at];
        pairs.swap(kept, at);
        kept += usize::from(first(pair.0));
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Watch;

    #[test]
    fn distances_equal_those_of_a_sorted_list_of_all_others() {
        let noise = |at: u64| f64::from((at.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40) as u32 % 997);
        let x: Vec<f64> = (0..500).map(|at| noise(at * 2)).collect();
        let y: Vec<f64> = (0..500).map(|at| noise(at * 2 + 1) * 0.1).collect();
        let weight: Vec<f64> = (0..500).map(|at| f64::from(at % 7 == 0) * 3.0 + 0.5).collect();
        let tree = PlaceTree::new(&x, &y, &weight);
        for least in [1.0, 4.0, 10.0, 250.0, 460.0] {
            let found = core_distances2(&tree, least, &Watch::NOBODY.phase("places", 500)).unwrap();
            for (at, &core) in found.iter().enumerate() {
                let mut all: Vec<(f64, f64)> =
                    (0..tree.len()).map(|other| (tree.distance2(at, other), tree.weight[other])).collect();
                all.sort_by(|a, b| a.0.total_cmp(&b.0));
                let mut sum = 0.0;
                let reached = all.iter().find(|(_, weight)| {
                    sum += weight;
                    sum >= least
                });
                assert_eq!(core, reached.unwrap().0, "{least}, place {at}");
            }
        }
        let never = core_distances2(&tree, 1e4, &Watch::NOBODY.phase("places", 500)).unwrap();
        assert!(never.iter().all(|distance| distance.is_infinite()));
    }
}
