//! Disjoint groups that grow together (union-find).

/// Disjoint groups of numbers from 0; the smallest member of a group is its root.
pub struct Groups(Vec<u32>);

impl Groups {
    /// `len` numbers, each a group of its own.
    pub fn apart(len: usize) -> Self {
        Self((0..len as u32).collect())
    }

    /// The smallest member of the group of `at`.
    pub fn root(&mut self, mut at: u32) -> u32 {
        while self.0[at as usize] != at {
            let above = self.0[self.0[at as usize] as usize];
            self.0[at as usize] = above;
            at = above;
        }
        at
    }

    /// Makes one group of those of `a` and `b`.
    pub fn unite(&mut self, a: u32, b: u32) {
        let (a, b) = (self.root(a), self.root(b));
        self.0[a.max(b) as usize] = a.min(b);
    }
}
