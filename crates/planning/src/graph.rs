//! Zones as a graph: which touch, and what hangs together.

/// Zones and which of them share a side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Graph {
    neighbours: Vec<Vec<u32>>,
}

impl Graph {
    /// From the neighbours of each zone. What one says of another holds both ways; a zone is no neighbour of itself.
    pub fn new(mut neighbours: Vec<Vec<u32>>) -> Self {
        let ways: Vec<(u32, u32)> = neighbours
            .iter()
            .enumerate()
            .flat_map(|(from, to)| to.iter().map(move |&to| (to, from as u32)))
            .collect();
        for (from, to) in ways {
            if let Some(list) = neighbours.get_mut(from as usize) {
                list.push(to);
            }
        }
        let zones = neighbours.len() as u32;
        for (zone, list) in neighbours.iter_mut().enumerate() {
            list.retain(|&other| other < zones && other as usize != zone);
            list.sort_unstable();
            list.dedup();
        }
        Self { neighbours }
    }

    /// How many zones.
    pub const fn len(&self) -> usize {
        self.neighbours.len()
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.neighbours.is_empty()
    }

    /// The neighbours of a zone, in order.
    pub fn of(&self, zone: usize) -> &[u32] {
        self.neighbours.get(zone).map_or(&[], Vec::as_slice)
    }

    /// The parts that hang together, each with its zones in order; a part comes before another if its first zone does.
    pub fn components(&self) -> Vec<Vec<u32>> {
        let mut walk = Walk::new(self.len());
        let mut seen = vec![false; self.len()];
        let mut parts = Vec::new();
        for zone in 0..self.len() {
            if !seen[zone] {
                let mut part = walk.reach(self, zone as u32, |_| true).to_vec();
                part.sort_unstable();
                part.iter().for_each(|&zone| seen[zone as usize] = true);
                parts.push(part);
            }
        }
        parts
    }

    /// Whether one gets from each of these zones to each other without leaving them; so of none and of one.
    pub fn is_connected(&self, zones: &[u32]) -> bool {
        let mut inside = vec![false; self.len()];
        for &zone in zones {
            if let Some(inside) = inside.get_mut(zone as usize) {
                *inside = true;
            }
        }
        let different = inside.iter().filter(|&&inside| inside).count();
        zones.first().is_none_or(|&first| {
            Walk::new(self.len()).reach(self, first, |zone| inside[zone as usize]).len() == different
        })
    }
}

/// Walks through a graph, again and again without asking for memory.
#[derive(Debug, Clone)]
pub struct Walk {
    seen: Vec<u32>,
    wanted: Vec<u32>,
    now: u32,
    queue: Vec<u32>,
}

impl Walk {
    /// For a graph of so many zones.
    pub fn new(zones: usize) -> Self {
        Self { seen: vec![0; zones], wanted: vec![0; zones], now: 0, queue: Vec::new() }
    }

    fn begin(&mut self) {
        if self.now == u32::MAX {
            self.seen.fill(0);
            self.wanted.fill(0);
            self.now = 0;
        }
        self.now += 1;
        self.queue.clear();
    }

    /// The zones that one gets to from `from` through zones `inside`, nearest first; `from` is one of them.
    pub fn reach(&mut self, graph: &Graph, from: u32, inside: impl Fn(u32) -> bool) -> &[u32] {
        self.begin();
        self.seen[from as usize] = self.now;
        self.queue.push(from);
        let mut at = 0;
        while let Some(&zone) = self.queue.get(at) {
            at += 1;
            for &other in graph.of(zone as usize) {
                if self.seen[other as usize] != self.now && inside(other) {
                    self.seen[other as usize] = self.now;
                    self.queue.push(other);
                }
            }
        }
        &self.queue
    }

    /// Whether the zones `inside`, which hang together with `zone`, still do without it: it is no articulation of theirs.
    ///
    /// The walk ends as soon as it has met all neighbours of the zone, as a rule after a few steps.
    pub fn holds_without(&mut self, graph: &Graph, zone: u32, inside: impl Fn(u32) -> bool) -> bool {
        self.begin();
        let mut wanted = 0_u32;
        for &end in graph.of(zone as usize) {
            if inside(end) {
                self.wanted[end as usize] = self.now;
                if wanted == 0 {
                    self.queue.push(end);
                    self.seen[end as usize] = self.now;
                }
                wanted += 1;
            }
        }
        let (mut found, mut at) = (1, 0);
        while found < wanted {
            let Some(&here) = self.queue.get(at) else { return false };
            at += 1;
            for &other in graph.of(here as usize) {
                if other != zone && self.seen[other as usize] != self.now && inside(other) {
                    self.seen[other as usize] = self.now;
                    self.queue.push(other);
                    found += u32::from(self.wanted[other as usize] == self.now);
                }
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn graphs() -> impl Strategy<Value = Graph> {
        proptest::collection::vec(proptest::collection::vec(0..12_u32, 0..3), 0..12).prop_map(Graph::new)
    }

    proptest! {
        #[test]
        fn parts_hang_together_and_do_not_touch(graph in graphs()) {
            let parts = graph.components();
            let mut all: Vec<u32> = parts.concat();
            all.sort_unstable();
            prop_assert_eq!(all, (0..graph.len() as u32).collect::<Vec<_>>());
            for part in &parts {
                prop_assert!(graph.is_connected(part));
                prop_assert!(part.iter().all(|&zone| graph.of(zone as usize).iter().all(|other| part.contains(other))));
            }
        }

        #[test]
        fn an_articulation_is_what_parts_the_rest(graph in graphs()) {
            let mut walk = Walk::new(graph.len());
            for part in graph.components() {
                for &zone in &part {
                    let rest: Vec<u32> = part.iter().copied().filter(|&other| other != zone).collect();
                    let holds = walk.holds_without(&graph, zone, |other| part.contains(&other));
                    prop_assert_eq!(holds, graph.is_connected(&rest));
                }
            }
        }
    }

    #[test]
    fn no_zone_and_one() {
        assert!(Graph::new(Vec::new()).components().is_empty());
        assert!(Graph::new(Vec::new()).is_connected(&[]));
        let one = Graph::new(vec![vec![0, 7]]);
        assert_eq!(one.components(), [[0]]);
        assert!(one.is_connected(&[0]));
        assert!(Walk::new(1).holds_without(&one, 0, |_| true));
    }
}
