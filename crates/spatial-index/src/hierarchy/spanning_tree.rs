//! The least tree that joins all places, under mutual reachability.

use std::sync::atomic::{AtomicU64, Ordering};

use rayon::prelude::*;

use crate::AnalysisError;
use crate::groups::Groups;
use crate::place_tree::PlaceTree;
use crate::watch::Phase;

/// An edge between two positions, by its squared mutual reachability.
#[derive(Debug, Clone, Copy)]
pub struct Edge {
    /// max(core(a), core(b), distance), squared.
    pub weight2: f64,
    /// One end.
    pub a: u32,
    /// The other.
    pub b: u32,
}

/// Nobody: no neighbour known, or places of several components in a box.
const NONE: u32 = u32::MAX;

/// Positions that one thread does in a row.
const RUN: usize = 512;

/// A minimum spanning tree, its edges in ascending order of weight. `core2` holds the squared core distance by position.
///
/// Borůvka 1926: in each round every component takes its lightest edge out. A search leaves out boxes that lie in the
/// component, or that can hold nothing lighter than what the component has found; it ends at the first neighbour as near as the
/// place's own core distance, since none can be nearer. The neighbour a place has found stays its nearest until they are of
/// one component.
///
/// Where weights are equal there are several such trees, and which one comes out is left open. All of them join the same places
/// at the same levels, and nothing else may be read from them.
pub fn spanning_tree(tree: &PlaceTree, core2: &[f64], phase: &Phase) -> Result<Vec<Edge>, AnalysisError> {
    let n = tree.len();
    let mut edges: Vec<Edge> = Vec::with_capacity(n.saturating_sub(1));
    let mut groups = Groups::apart(n);
    let mut search = Round {
        tree,
        core2,
        least_core2: least_core2(tree, core2),
        component: (0..n as u32).collect(),
        of_box: vec![NONE; tree.boxes.len()],
        best: (0..n).map(|_| AtomicU64::new(0)).collect(),
    };
    // Per position, the nearest place outside its component and how far it is; or a bound below which there is none.
    let mut nearest: Vec<(f64, u32)> = core2.iter().map(|&core2| (core2, NONE)).collect();
    while edges.len() + 1 < n {
        search.begin();
        let alive = |at: usize, (_, to): (f64, u32)| {
            to != NONE && search.component[to as usize] != search.component[at]
        };
        for (at, &known) in nearest.iter().enumerate().filter(|&(at, &known)| alive(at, known)) {
            search.offer(at, known.0);
        }
        nearest.par_chunks_mut(RUN).enumerate().for_each(|(run, nearest)| {
            let mut open = Vec::new();
            for (at, known) in (run * RUN..).zip(nearest) {
                if !alive(at, *known) {
                    let bound = search.bound(at);
                    if known.0 < bound {
                        *known = search.from(at, bound, &mut open);
                        search.offer(at, known.0);
                    }
                }
            }
        });
        let before = edges.len();
        for (at, &(weight2, to)) in nearest.iter().enumerate() {
            let is_best = to != NONE && weight2 == search.bound(at);
            if is_best && search.component[to as usize] != search.component[at] {
                let (a, b) = (at as u32, to);
                // Components that chose edges of equal weight in a ring need one edge fewer.
                if groups.root(a) != groups.root(b) {
                    groups.unite(a, b);
                    edges.push(Edge { weight2, a, b });
                    search.chosen(at);
                }
            }
        }
        phase.advance((edges.len() - before) as u64)?;
        for (at, component) in search.component.iter_mut().enumerate() {
            *component = groups.root(at as u32);
        }
    }
    edges.par_sort_unstable_by(|a, b| a.weight2.total_cmp(&b.weight2).then((a.a, a.b).cmp(&(b.a, b.b))));
    Ok(edges)
}

/// What all searches of a round share.
struct Round<'a> {
    tree: &'a PlaceTree,
    core2: &'a [f64],
    /// Per box, the least core distance in it, squared.
    least_core2: Vec<f64>,
    /// Per position, its component, named by a member.
    component: Vec<u32>,
    /// Per box, the component that all its places are of.
    of_box: Vec<u32>,
    /// Per component, the weight of the lightest edge out that is known. Not negative, so that its bits are ordered as it is.
    best: Vec<AtomicU64>,
}

impl Round<'_> {
    /// Forgets what the components have found, and sees which boxes lie in one of them.
    fn begin(&mut self) {
        self.best.par_iter().for_each(|best| best.store(f64::INFINITY.to_bits(), Ordering::Relaxed));
        for here in (0..self.tree.boxes.len()).rev() {
            self.of_box[here] = match self.tree.halves(here) {
                Some((first, second)) if self.of_box[first] == self.of_box[second] => self.of_box[first],
                Some(_) => NONE,
                None => {
                    let places = &self.component[self.tree.boxes[here].places()];
                    if places.iter().all(|&one| one == places[0]) { places[0] } else { NONE }
                }
            };
        }
    }

    fn best_of(&self, at: usize) -> &AtomicU64 {
        &self.best[self.component[at] as usize]
    }

    /// The component of `at` has an edge out of this weight.
    fn offer(&self, at: usize, weight2: f64) {
        self.best_of(at).fetch_min(weight2.to_bits(), Ordering::Relaxed);
    }

    /// The component of `at` takes no other edge in this round.
    fn chosen(&self, at: usize) {
        self.best_of(at).store((-1.0_f64).to_bits(), Ordering::Relaxed);
    }

    /// The weight of the lightest edge out of the component of `at` that is known.
    fn bound(&self, at: usize) -> f64 {
        f64::from_bits(self.best_of(at).load(Ordering::Relaxed))
    }

    /// The nearest place of another component that is nearer than `bound`, or the bound and [`NONE`].
    fn from(&self, at: usize, bound: f64, open: &mut Vec<(f64, u32)>) -> (f64, u32) {
        let (tree, component, own) = (self.tree, self.component[at], self.core2[at]);
        let (x, y) = (tree.x[at], tree.y[at]);
        let away = |here: usize| tree.boxes[here].nearest2(x, y).max(self.least_core2[here]);
        let (mut best, mut found) = (bound, NONE);
        open.clear();
        open.push((away(0), 0));
        while let Some((distance2, here)) = open.pop() {
            let here = here as usize;
            if distance2 >= best || self.of_box[here] == component {
                continue;
            }
            if let Some((first, second)) = tree.halves(here) {
                let (one, two) = ((away(first), first as u32), (away(second), second as u32));
                let (near, far) = if one.0 <= two.0 { (one, two) } else { (two, one) };
                open.extend([far, near]);
                continue;
            }
            for other in tree.boxes[here].places() {
                if self.component[other] != component {
                    let weight2 = tree.distance2(at, other).max(self.core2[other]).max(own);
                    if weight2 < best {
                        (best, found) = (weight2, other as u32);
                    }
                }
            }
            if best <= own {
                break;
            }
        }
        (best, found)
    }
}

/// Per box, the least core distance in it, squared.
fn least_core2(tree: &PlaceTree, core2: &[f64]) -> Vec<f64> {
    let mut least = vec![f64::INFINITY; tree.boxes.len()];
    for here in (0..least.len()).rev() {
        least[here] = match tree.halves(here) {
            Some((first, second)) => least[first].min(least[second]),
            None => core2[tree.boxes[here].places()].iter().copied().fold(f64::INFINITY, f64::min),
        };
    }
    least
}
