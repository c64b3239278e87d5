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
}
