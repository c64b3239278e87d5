//! The order in which places are reached from one another, densest first, and how far each had to be reached for: the
//! reachability plot of OPTICS.
//!
//! A place with core distance c reaches another at the greater of c and their distance. The order begins at the densest place:
//! that of the least core distance, the heaviest of equals, the first site of equals. Next is always the place that any of
//! those before reaches at the least distance, the densest of equals, from the first that reaches it so. Where nobody
//! reaches further the order begins anew at the densest place left; so a place that is no core is never taken before a core that
//! reaches it.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::hierarchy::core_distance::core_distances2;
use crate::hierarchy::exact;
use crate::place_tree::PlaceTree;
use crate::{AnalysisError, Sites, Watch};

pub mod xi;

/// A step of the plot. A site that weighs more than 1 makes two: its first incident, which has to be reached, and all others,
/// which the first reaches at its core distance if that is nearer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// The site.
    pub site: u32,
    /// The reachability distance in metres; infinite where the order begins anew.
    pub reach: f64,
    /// The core distance of the site in metres; infinite where that is beyond the limit.
    pub core: f64,
    /// How many incidents the step stands for, by weight.
    pub weight: f64,
    /// The step it was reached from; `None` where the order begins anew.
    pub from: Option<u32>,
}

/// Places between two reports of progress.
const REPORT: usize = 4096;

/// The plot of the sites. Nobody reaches further than `limit` metres, which may be infinite.
///
/// # Errors
/// [`AnalysisError::Interrupted`].
pub fn ordering(
    sites: &Sites,
    min_points: f64,
    limit: f64,
    watch: &Watch,
) -> Result<Vec<Step>, AnalysisError> {
    let n = sites.len();
    let weight: Vec<f64> = sites.weight.iter().copied().map(exact).collect();
    let tree = PlaceTree::new(&sites.x, &sites.y, &weight);
    let limit2 = limit * limit;
    let mut core2 = core_distances2(&tree, min_points, &watch.phase("core distances", n as u64))?;
    for core2 in &mut core2 {
        if *core2 > limit2 {
            *core2 = f64::INFINITY;
        }
    }
    let mut densest: Vec<u32> = (0..n as u32).collect();
    densest.sort_unstable_by(|&a, &b| {
        let (a, b) = (a as usize, b as usize);
        let weights = tree.weight[b].total_cmp(&tree.weight[a]);
        core2[a].total_cmp(&core2[b]).then(weights).then(tree.site[a].cmp(&tree.site[b]))
    });
    let mut rank = vec![0; n];
    for (&at, number) in densest.iter().zip(0..) {
        rank[at as usize] = number;
    }

    let left = tree.boxes.iter().map(|one| one.end - one.start).collect();
    let mut search = Search { tree: &tree, core2: &core2, rank, limit2, left, open: Vec::new() };
    let mut first_step: Vec<u32> = Vec::with_capacity(n);
    let mut taken: Vec<u32> = Vec::with_capacity(n);
    let mut steps = Vec::with_capacity(n);
    // Per place in the order, the nearest of those that were left when it was last asked: (squared reach, rank, who asked).
    // Whoever is left is at least as far as that.
    let mut heap: BinaryHeap<Reverse<(u64, u32, u32)>> = BinaryHeap::with_capacity(n);
    let mut begin = 0;
    let phase = watch.phase("places in order", n as u64);
    while taken.len() < n {
        let (at, reach2, from) = match heap.pop() {
            Some(Reverse((reach2, rank, asked))) => {
                let at = densest[rank as usize];
                if search.is_taken(at) {
                    search.ask(taken[asked as usize], asked, &mut heap);
                    continue;
                }
                (at, f64::from_bits(reach2), Some(asked))
            }
            None => {
                while search.is_taken(densest[begin]) {
                    begin += 1;
                }
                (densest[begin], f64::INFINITY, None)
            }
        };
        let number = taken.len() as u32;
        search.take(at);
        taken.push(at);
        let here = at as usize;
        let (reach, core) = (reach2.sqrt(), core2[here].sqrt());
        let step = Step {
            site: tree.site[here],
            reach,
            core,
            weight: tree.weight[here].min(1.0),
            from: from.map(|asked| first_step[asked as usize]),
        };
        first_step.push(steps.len() as u32);
        steps.push(step);
        if tree.weight[here] > 1.0 {
            let from = if core < reach { Some(steps.len() as u32 - 1) } else { step.from };
            steps.push(Step { reach: reach.min(core), weight: tree.weight[here] - 1.0, from, ..step });
        }
        if let Some(asked) = from {
            search.ask(taken[asked as usize], asked, &mut heap);
        }
        search.ask(at, number, &mut heap);
        if taken.len().is_multiple_of(REPORT) {
            phase.advance(REPORT as u64)?;
        }
    }
    Ok(steps)
}

/// Who is left, and who of them is nearest.
struct Search<'a> {
    tree: &'a PlaceTree,
    core2: &'a [f64],
    /// By position: how many places are denser; [`TAKEN`] for one in the order.
    rank: Vec<u32>,
    limit2: f64,
    /// Per box, how many of its places are left.
    left: Vec<u32>,
    open: Vec<(f64, u32)>,
}

/// Behind every rank.
const TAKEN: u32 = u32::MAX;

impl Search<'_> {
    fn is_taken(&self, at: u32) -> bool {
        self.rank[at as usize] == TAKEN
    }

    fn take(&mut self, at: u32) {
        self.rank[at as usize] = TAKEN;
        let mut here = 0;
        self.left[here] -= 1;
        while let Some((first, second)) = self.tree.halves(here) {
            here = if at < self.tree.boxes[first].end { first } else { second };
            self.left[here] -= 1;
        }
    }

    /// Adds the nearest place left that `at` reaches, the densest of equals.
    fn ask(&mut self, at: u32, number: u32, heap: &mut BinaryHeap<Reverse<(u64, u32, u32)>>) {
        let own = self.core2[at as usize];
        if own.is_infinite() {
            return;
        }
        let tree = self.tree;
        let (x, y) = (tree.x[at as usize], tree.y[at as usize]);
        let away = |here: usize| tree.boxes[here].nearest2(x, y).max(own);
        let mut best = (self.limit2, TAKEN);
        self.open.push((away(0), 0));
        while let Some((reach2, here)) = self.open.pop() {
            let here = here as usize;
            if reach2 > best.0 || self.left[here] == 0 {
                continue;
            }
            if let Some((first, second)) = tree.halves(here) {
                let (one, two) = ((away(first), first as u32), (away(second), second as u32));
                let (near, far) = if one.0 <= two.0 { (one, two) } else { (two, one) };
                self.open.extend([far, near]);
                continue;
            }
            for other in tree.boxes[here].places() {
                let rank = self.rank[other];
                if rank != TAKEN {
                    let reach2 = tree.distance2(at as usize, other).max(own);
                    if reach2 < best.0 || reach2 == best.0 && rank < best.1 {
                        best = (reach2, rank);
                    }
                }
            }
        }
        if best.1 != TAKEN {
            heap.push(Reverse((best.0.to_bits(), best.1, number)));
        }
    }
}
