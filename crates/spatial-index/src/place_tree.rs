//! Who is nearest: places in a tree of boxes (a kd-tree), for questions that have no radius to begin with.

/// So many places in a box are not split further: a run of memory that is scanned faster than it is divided.
const LEAF: usize = 8;

/// Places with weights, permuted so that the places of each box are one run. Positions below are places in this order;
/// [`PlaceTree::site`] leads back.
pub struct PlaceTree {
    /// Easting by position.
    pub x: Vec<f64>,
    /// Northing by position.
    pub y: Vec<f64>,
    /// Weight by position.
    pub weight: Vec<f64>,
    /// The site at each position.
    pub site: Vec<u32>,
    /// The boxes, each before its two halves; the first holds everything. Empty where there is no place.
    pub boxes: Vec<PlaceBox>,
}

/// The places `start..end`, and the least rectangle around them.
#[derive(Debug, Clone, Copy)]
pub struct PlaceBox {
    low: (f64, f64),
    high: (f64, f64),
    /// Its first place.
    pub start: u32,
    /// One past its last place.
    pub end: u32,
    /// The second half; the first follows the box itself. 0 for a leaf.
    second: u32,
}

impl PlaceTree {
    /// The tree of these places. Halves are equal in number and split across the longer side, equal coordinates in the order of
    /// sites, so that the tree is a function of the sites alone.
    pub fn new(x: &[f64], y: &[f64], weight: &[f64]) -> Self {
        let mut order: Vec<(f64, f64, u32)> =
            x.iter().zip(y).zip(0..).map(|((&x, &y), site)| (x, y, site)).collect();
        let mut boxes = Vec::with_capacity(order.len() / LEAF * 4 + 1);
        if !order.is_empty() {
            split(&mut order, 0, &mut boxes);
        }
        Self {
            x: order.iter().map(|place| place.0).collect(),
            y: order.iter().map(|place| place.1).collect(),
            weight: order.iter().map(|place| weight[place.2 as usize]).collect(),
            site: order.iter().map(|place| place.2).collect(),
            boxes,
        }
    }

    /// How many places.
    pub const fn len(&self) -> usize {
        self.x.len()
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.x.is_empty()
    }

    /// The two halves of a box; `None` for a leaf.
    pub fn halves(&self, at: usize) -> Option<(usize, usize)> {
        let second = self.boxes[at].second as usize;
        (second != 0).then_some((at + 1, second))
    }

    /// The boxes that are not divided, in the order of their places.
    pub fn leaves(&self) -> impl Iterator<Item = &PlaceBox> {
        self.boxes.iter().filter(|one| one.second == 0)
    }

    /// The squared distance of two places; the same both ways.
    pub fn distance2(&self, a: usize, b: usize) -> f64 {
        squared(self.x[a] - self.x[b], self.y[a] - self.y[b])
    }
}

impl PlaceBox {
    /// The places of the box.
    pub const fn places(&self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }

    /// The squared distance from (x, y) to the rectangle; rounded as a distance to a place in it is, never above one.
    pub fn nearest2(&self, x: f64, y: f64) -> f64 {
        squared(
            (self.low.0 - x).max(x - self.high.0).max(0.0),
            (self.low.1 - y).max(y - self.high.1).max(0.0),
        )
    }

    /// The squared distance from (x, y) to the farthest corner.
    pub fn farthest2(&self, x: f64, y: f64) -> f64 {
        squared((x - self.low.0).max(self.high.0 - x), (y - self.low.1).max(self.high.1 - y))
    }

    /// The squared distance between two rectangles.
    pub fn between2(&self, other: &Self) -> f64 {
        squared(
            (self.low.0 - other.high.0).max(other.low.0 - self.high.0).max(0.0),
            (self.low.1 - other.high.1).max(other.low.1 - self.high.1).max(0.0),
        )
    }
}

fn squared(dx: f64, dy: f64) -> f64 {
    dx * dx + dy * dy
}

/// Adds the box of `places`, which begin at `start`, and those inside it. As deep as the logarithm of their number.
fn split(places: &mut [(f64, f64, u32)], start: usize, boxes: &mut Vec<PlaceBox>) {
    let (mut low, mut high) = ((f64::INFINITY, f64::INFINITY), (f64::NEG_INFINITY, f64::NEG_INFINITY));
    for &(x, y, _) in places.iter() {
        low = (low.0.min(x), low.1.min(y));
        high = (high.0.max(x), high.1.max(y));
    }
    let at = boxes.len();
    boxes.push(PlaceBox { low, high, start: start as u32, end: (start + places.len()) as u32, second: 0 });
    if places.len() <= LEAF {
        return;
    }
    let middle = places.len() / 2;
    if high.0 - low.0 > high.1 - low.1 {
        places.select_nth_unstable_by(middle, |a, b| a.0.total_cmp(&b.0).then(a.2.cmp(&b.2)));
    } else {
        places.select_nth_unstable_by(middle, |a, b| a.1.total_cmp(&b.1).then(a.2.cmp(&b.2)));
    }
    let (first, second) = places.split_at_mut(middle);
    split(first, start, boxes);
    boxes[at].second = boxes.len() as u32;
    split(second, start + middle, boxes);
}
