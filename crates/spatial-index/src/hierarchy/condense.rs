//! From joins to clusters that last: the condensed tree.

use serde::{Deserialize, Serialize};

use super::Hierarchy;
use crate::groups::Groups;
use brasa_model::as_word;

/// Two sums of stabilities that differ by less than this, relatively, are equal: they differ by rounding.
const TIE: f64 = 1e-9;

/// Which of the clusters within clusters are reported.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Pick {
    /// Those that are most stable in sum, none inside another (excess of mass).
    #[default]
    Eom,
    /// Those that do not part any more: many, small, of like size.
    Leaf,
}

as_word!(Pick, Eom = "eom", Leaf = "leaf");

/// The clusters within clusters that are left when groups lighter than a least weight count as noise. Cluster 0 holds
/// everything; a cluster comes after the one it is part of.
#[derive(Debug, Clone, PartialEq)]
pub struct Condensed {
    /// The clusters.
    pub clusters: Vec<Branch>,
    /// Per site, the last cluster it was in, and the distance in metres at which it left.
    pub left: Vec<(u32, f64)>,
}

/// One cluster of the condensed tree. Distances fall as clusters part, densities 1/distance rise.
#[derive(Debug, Clone, PartialEq)]
pub struct Branch {
    /// The cluster it parted from; none for the first.
    pub parent: Option<u32>,
    /// The distance in metres at which it parted; infinite for the first.
    pub birth: f64,
    /// The distance at which it parts or ends.
    pub death: f64,
    /// Its weight at birth.
    pub weight: f64,
    /// Whether it parts into clusters.
    pub parts: bool,
    /// Σ over its incidents of 1/(distance at which they leave it) − 1/birth, those counted that leave it for one of the
    /// clusters it parts into. Per metre; infinite for a cluster that ends on one place.
    pub stability: f64,
}

/// A group of places at some distance: two groups that joined, or a site.
struct Join {
    distance: f64,
    of: [u32; 2],
    weight: f64,
    /// The first of its sites.
    first: u32,
}

/// The joins, numbered after the sites.
struct Dendrogram<'a> {
    core: &'a [f64],
    weight: &'a [f64],
    joins: Vec<Join>,
}

/// What a group falls into.
struct Part {
    node: u32,
    first: u32,
    weight: f64,
}

impl Condensed {
    /// The clusters of a weight of at least `least`; `None` where everything weighs less.
    ///
    /// All joins at one distance are made at once, and so a group can part into more than two. What hangs together at a distance
    /// is then a matter of the distance alone, and not of the order in which equally distant places were joined: ties, of which
    /// geocoded data are full, change nothing. The incidents of one place part from one another at its core distance.
    pub fn new(hierarchy: &Hierarchy, least: f64) -> Option<Self> {
        let tree = Dendrogram::new(hierarchy);
        let sites = hierarchy.core.len();
        let root = (sites + tree.joins.len()).checked_sub(1)? as u32;
        if tree.weight_of(root) < least {
            return None;
        }
        let mut clusters = vec![Branch::new(None, f64::INFINITY, tree.weight_of(root))];
        let mut left = vec![(0, 0.0); sites];
        let mut open = vec![(root, 0)];
        let mut parts = Vec::new();
        while let Some((node, cluster)) = open.pop() {
            let Some(distance) = tree.distance(node) else {
                let core = tree.core[node as usize];
                left[node as usize] = (cluster, core);
                clusters[cluster as usize].death = core;
                continue;
            };
            tree.parts(node, &mut parts);
            let is_cluster = |part: &Part| part.weight >= least && tree.holds_below(part.node, distance);
            let (heavy, light): (Vec<Part>, Vec<Part>) = parts.drain(..).partition(is_cluster);
            for part in light {
                tree.each_site(part.node, |site| left[site as usize] = (cluster, distance));
            }
            match heavy.as_slice() {
                [] => clusters[cluster as usize].death = distance,
                [one] => open.push((one.node, cluster)),
                several => {
                    clusters[cluster as usize].death = distance;
                    clusters[cluster as usize].parts = true;
                    for part in several {
                        open.push((part.node, clusters.len() as u32));
                        clusters.push(Branch::new(Some(cluster), distance, part.weight));
                    }
                }
            }
        }
        let mut condensed = Self { clusters, left };
        condensed.weigh(&hierarchy.weight);
        Some(condensed)
    }

    /// Sums up the stabilities, site by site and then cluster by cluster.
    fn weigh(&mut self, weight: &[f64]) {
        for (&(cluster, distance), &weight) in self.left.iter().zip(weight) {
            let cluster = &mut self.clusters[cluster as usize];
            cluster.stability += excess(weight, distance, cluster.birth);
        }
        for at in 1..self.clusters.len() {
            let (birth, weight) = (self.clusters[at].birth, self.clusters[at].weight);
            if let Some(parent) = self.clusters[at].parent {
                let parent = &mut self.clusters[parent as usize];
                parent.stability += excess(weight, birth, parent.birth);
            }
        }
    }

    /// Per site, the cluster it is reported in. The first cluster, which holds everything, is reported only where `single` allows it;
    /// whoever is in it then has no noise.
    pub fn pick(&self, pick: Pick, single: bool) -> Vec<Option<u32>> {
        let n = self.clusters.len();
        let mut within = vec![0.0; n];
        let mut picked = vec![false; n];
        for at in (0..n).rev() {
            let cluster = &self.clusters[at];
            picked[at] = (at > 0 || single)
                && match pick {
                    Pick::Leaf => !cluster.parts,
                    Pick::Eom => !cluster.parts || within[at] <= cluster.stability * (1.0 + TIE),
                };
            if let Some(parent) = cluster.parent {
                within[parent as usize] += if picked[at] { cluster.stability } else { within[at] };
            }
        }
        let mut inside: Vec<Option<u32>> = vec![None; n];
        for (at, cluster) in self.clusters.iter().enumerate() {
            let above = cluster.parent.and_then(|parent| inside[parent as usize]);
            inside[at] = above.or_else(|| picked[at].then_some(at as u32));
        }
        self.left.iter().map(|&(cluster, _)| inside[cluster as usize]).collect()
    }

    /// Per site, how far its density lies below the highest of the cluster it was last in, clusters inside that
    /// included: 1 − (distance at which the last of them ends) / (distance at which it left).
    pub fn outlier(&self) -> Vec<f64> {
        let mut end: Vec<f64> = self.clusters.iter().map(|cluster| cluster.death).collect();
        for at in (1..end.len()).rev() {
            if let Some(parent) = self.clusters[at].parent {
                end[parent as usize] = end[parent as usize].min(end[at]);
            }
        }
        let score = |&(cluster, distance): &(u32, f64)| {
            if distance > 0.0 { 1.0 - end[cluster as usize] / distance } else { 0.0 }
        };
        self.left.iter().map(score).collect()
    }
}

/// Per site, 1 − core distance / greatest core distance in its cluster; 1 in a cluster all of whose core distances are 0,
/// and 0 for noise.
pub fn membership(group: &[Option<u32>], core: &[f64], clusters: usize) -> Vec<f64> {
    let mut greatest = vec![0.0_f64; clusters];
    for (group, &core) in group.iter().zip(core) {
        if let Some(group) = group {
            greatest[*group as usize] = greatest[*group as usize].max(core);
        }
    }
    let of_site = |(group, &core): (&Option<u32>, &f64)| {
        group.map_or(0.0, |group| {
            let greatest = greatest[group as usize];
            if greatest > 0.0 { 1.0 - core / greatest } else { 1.0 }
        })
    };
    group.iter().zip(core).map(of_site).collect()
}

/// What `weight` adds to a stability between the distance of birth and that of leaving.
fn excess(weight: f64, distance: f64, birth: f64) -> f64 {
    if weight > 0.0 && distance < birth { weight * (1.0 / distance - 1.0 / birth) } else { 0.0 }
}

impl Branch {
    const fn new(parent: Option<u32>, birth: f64, weight: f64) -> Self {
        Self { parent, birth, death: birth, weight, parts: false, stability: 0.0 }
    }
}

impl<'a> Dendrogram<'a> {
    fn new(hierarchy: &'a Hierarchy) -> Self {
        let sites = hierarchy.core.len();
        let mut tree = Self {
            core: &hierarchy.core,
            weight: &hierarchy.weight,
            joins: Vec::with_capacity(hierarchy.joins.len()),
        };
        let mut groups = Groups::apart(sites);
        // The node that holds the group with this root.
        let mut top: Vec<u32> = (0..sites as u32).collect();
        for &(distance, a, b) in &hierarchy.joins {
            let (a, b) = (groups.root(a), groups.root(b));
            let of = [top[a as usize], top[b as usize]];
            let weight = tree.weight_of(of[0]) + tree.weight_of(of[1]);
            groups.unite(a, b);
            top[a.min(b) as usize] = (sites + tree.joins.len()) as u32;
            tree.joins.push(Join { distance, of, weight, first: a.min(b) });
        }
        tree
    }

    fn join(&self, node: u32) -> Option<&Join> {
        (node as usize).checked_sub(self.core.len()).map(|at| &self.joins[at])
    }

    /// At which distance it joined; `None` for a site.
    fn distance(&self, node: u32) -> Option<f64> {
        self.join(node).map(|join| join.distance)
    }

    fn weight_of(&self, node: u32) -> f64 {
        self.join(node).map_or_else(|| self.weight[node as usize], |join| join.weight)
    }

    /// Whether it still is one at less than this distance.
    fn holds_below(&self, node: u32, distance: f64) -> bool {
        self.distance(node).unwrap_or_else(|| self.core[node as usize]) < distance
    }

    /// What is left of the node just below its distance, by its first site.
    fn parts(&self, node: u32, parts: &mut Vec<Part>) {
        let Some(distance) = self.distance(node) else { return };
        let mut open = vec![node];
        while let Some(node) = open.pop() {
            match self.join(node) {
                Some(join) if join.distance == distance => open.extend(join.of),
                join => {
                    let first = join.map_or(node, |join| join.first);
                    parts.push(Part { node, first, weight: self.weight_of(node) });
                }
            }
        }
        parts.sort_unstable_by_key(|part| part.first);
    }

    fn each_site(&self, node: u32, mut visit: impl FnMut(u32)) {
        let mut open = vec![node];
        while let Some(node) = open.pop() {
            match self.join(node) {
                Some(join) => open.extend(join.of),
                None => visit(node),
            }
        }
    }
}
