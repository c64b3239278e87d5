//! Places filed under the rows of a raster, stacks merged, in an order that depends on nothing but the places.

use brasa_model::Grid;
use rayon::prelude::*;

use super::Places;

/// Rows of the raster per strip; a strip is filed by one thread.
const ROWS: usize = 16;
/// Places that one thread deals out at a time.
const CHUNK: usize = 1 << 16;
/// Longer runs of places are sorted by a library, shorter ones by insertion.
const SHORT: usize = 24;

/// Places within reach of a raster, by row.
pub(super) struct Filed {
    strips: Vec<Strip>,
    /// Rows beyond the raster, on either side, that hold places within reach.
    pub margin: usize,
    /// Columns of the raster.
    pub nx: usize,
    /// Rows of the raster.
    pub ny: usize,
    /// Side of a cell from west to east, in metres.
    pub width: f64,
    /// Side of a cell from south to north, in metres.
    pub height: f64,
}

/// Some rows' places: where they are in cells from the centre of the raster's first cell, and their weights.
#[derive(Default)]
struct Strip {
    x: Vec<f64>,
    y: Vec<f64>,
    weight: Vec<f64>,
    /// Where each row begins, and where the last ends.
    rows: Vec<usize>,
}

/// The places of one row, from the west.
#[derive(Clone, Copy)]
pub(super) struct Row<'a> {
    /// In cells from the centre of the first column.
    pub x: &'a [f64],
    /// In cells from the centre of the first row.
    pub y: &'a [f64],
    pub weight: &'a [f64],
}

impl Filed {
    /// Files the places that lie within `reach` metres of the raster's rows.
    pub fn new(places: Places<'_>, grid: &Grid, reach: f64) -> Self {
        match places.weight {
            None => Self::of(places.x.len(), grid, reach, |at| [places.x[at], places.y[at]]),
            Some(weight) => {
                Self::of(places.x.len(), grid, reach, |at| [places.x[at], places.y[at], weight[at]])
            }
        }
    }

    fn of<P: Place>(n: usize, grid: &Grid, reach: f64, place: impl Fn(usize) -> P + Sync) -> Self {
        let (width, height) = (grid.cell().get(), grid.cell_height().get());
        let margin = (reach / height).ceil() as usize + 1;
        let buckets = grid.ny() + 2 * margin;
        let strips = buckets.div_ceil(ROWS);
        let corner = grid.corner();
        let frame = Frame {
            west: corner.x,
            south: corner.y,
            per_width: 1.0 / width,
            per_height: 1.0 / height,
            margin: margin as f64,
            buckets: buckets as f64,
            left: corner.x - reach,
            across: grid.nx() as f64 * width + 2.0 * reach,
        };
        // Dealt out to strips, chunk by chunk; a strip then collects its share of each chunk in their order.
        let chunks: Vec<Dealt<P>> = (0..n.div_ceil(CHUNK))
            .into_par_iter()
            .map(|chunk| Dealt::of((chunk * CHUNK..n.min((chunk + 1) * CHUNK)).map(&place), strips, &frame))
            .collect();
        let strips = (0..strips).into_par_iter().map(|strip| Strip::of(&chunks, strip, &frame)).collect();
        Self { strips, margin, nx: grid.nx(), ny: grid.ny(), width, height }
    }

    /// How many distinct places.
    pub fn len(&self) -> usize {
        self.strips.iter().map(|strip| strip.x.len()).sum()
    }

    /// The places of each row between two heights, in cells from the centre of the first row.
    pub fn rows_between(&self, low: f64, high: f64) -> impl Iterator<Item = Row<'_>> {
        let last = (self.ny + 2 * self.margin - 1) as f64;
        let bucket = |height: f64| ((height + 0.5).floor() + self.margin as f64).clamp(0.0, last) as usize;
        (bucket(low)..=bucket(high)).map(|bucket| self.row(bucket))
    }

    /// The places of each row that may reach the raster's row `row`, from the south.
    pub fn rows_around(&self, row: usize) -> impl Iterator<Item = Row<'_>> {
        (row..=row + 2 * self.margin).map(|bucket| self.row(bucket))
    }

    fn row(&self, bucket: usize) -> Row<'_> {
        let strip = &self.strips[bucket / ROWS];
        let range = strip.rows[bucket % ROWS]..strip.rows[bucket % ROWS + 1];
        Row { x: &strip.x[range.clone()], y: &strip.y[range.clone()], weight: &strip.weight[range] }
    }
}

/// A place with or without a weight.
trait Place: Copy + Send + Sync {
    fn x(self) -> f64;
    fn y(self) -> f64;
    fn weight(self) -> f64;
}

impl Place for [f64; 2] {
    fn x(self) -> f64 {
        self[0]
    }
    fn y(self) -> f64 {
        self[1]
    }
    fn weight(self) -> f64 {
        1.0
    }
}

impl Place for [f64; 3] {
    fn x(self) -> f64 {
        self[0]
    }
    fn y(self) -> f64 {
        self[1]
    }
    fn weight(self) -> f64 {
        self[2]
    }
}

struct Frame {
    west: f64,
    south: f64,
    per_width: f64,
    per_height: f64,
    margin: f64,
    buckets: f64,
    left: f64,
    across: f64,
}

impl Frame {
    /// The row a place is filed under, counted from the margin; `None` out of reach.
    fn bucket(&self, y: f64) -> Option<usize> {
        let row = (y - self.south) * self.per_height + self.margin;
        // Truncation is the floor of what is not negative.
        (row >= 0.0 && row < self.buckets).then_some(row as i32 as usize)
    }
}

/// A chunk of places, dealt out to strips.
struct Dealt<P> {
    places: Vec<P>,
    starts: Vec<u32>,
}

impl<P: Place> Dealt<P> {
    fn of(places: impl Iterator<Item = P> + Clone, strips: usize, frame: &Frame) -> Self {
        let strip = |place: P| frame.bucket(place.y()).map(|bucket| bucket / ROWS);
        let mut starts = vec![0_u32; strips + 1];
        for at in places.clone().filter_map(strip) {
            starts[at + 1] += 1;
        }
        for at in 0..strips {
            starts[at + 1] += starts[at];
        }
        let mut next = starts.clone();
        let Some(filler) = places.clone().next() else {
            return Self { places: Vec::new(), starts };
        };
        let mut dealt = vec![filler; starts[strips] as usize];
        for place in places {
            if let Some(at) = strip(place) {
                dealt[next[at] as usize] = place;
                next[at] += 1;
            }
        }
        Self { places: dealt, starts }
    }

    fn of_strip(&self, strip: usize) -> &[P] {
        &self.places[self.starts[strip] as usize..self.starts[strip + 1] as usize]
    }
}

impl Strip {
    /// Collects, sorts and merges the places of one strip.
    fn of<P: Place>(chunks: &[Dealt<P>], strip: usize, frame: &Frame) -> Self {
        let places = || chunks.iter().flat_map(|chunk| chunk.of_strip(strip));
        let n: usize = chunks.iter().map(|chunk| chunk.of_strip(strip).len()).sum();
        // Filed under short stretches of a row, about two places to each, which are then sorted one by one.
        let columns = (n / (2 * ROWS)).clamp(1, 1 << 14);
        let per_column = columns as f64 / frame.across;
        let stretch = |place: &P| {
            let row = frame.bucket(place.y()).unwrap_or_default() - strip * ROWS;
            let column = ((place.x() - frame.left) * per_column) as i32;
            row * columns + column.clamp(0, columns as i32 - 1) as usize
        };
        let mut starts = vec![0_u32; ROWS * columns + 1];
        let keys: Vec<u32> = places().map(|place| stretch(place) as u32).collect();
        for &key in &keys {
            starts[key as usize + 1] += 1;
        }
        for at in 0..ROWS * columns {
            starts[at + 1] += starts[at];
        }
        let mut next = starts.clone();
        let mut sorted: Vec<P> = places().copied().collect();
        for (place, key) in places().zip(keys) {
            let slot = &mut next[key as usize];
            sorted[*slot as usize] = *place;
            *slot += 1;
        }
        let mut filed = Self {
            x: Vec::with_capacity(n),
            y: Vec::with_capacity(n),
            weight: Vec::with_capacity(n),
            rows: Vec::with_capacity(ROWS + 1),
        };
        for row in 0..ROWS {
            filed.rows.push(filed.x.len());
            for column in row * columns..(row + 1) * columns {
                let run = &mut sorted[starts[column] as usize..starts[column + 1] as usize];
                sort(run);
                filed.push(run, frame);
            }
        }
        filed.rows.push(filed.x.len());
        filed
    }

    /// Appends a sorted run, each stack as one place.
    fn push<P: Place>(&mut self, run: &[P], frame: &Frame) {
        let mut last: Option<(f64, f64)> = None;
        for &place in run {
            match (last, self.weight.last_mut()) {
                (Some(at), Some(weight)) if at == (place.x(), place.y()) => *weight += place.weight(),
                _ => {
                    last = Some((place.x(), place.y()));
                    self.x.push((place.x() - frame.west) * frame.per_width - 0.5);
                    self.y.push((place.y() - frame.south) * frame.per_height - 0.5);
                    self.weight.push(place.weight());
                }
            }
        }
    }
}

/// By x, then y, then weight: a total order, so that sums do not depend on the order of rows in a file.
fn sort<P: Place>(run: &mut [P]) {
    let key = |place: &P| (place.x(), place.y(), place.weight());
    if run.len() > SHORT {
        let compare = |a: &P, b: &P| {
            let (a, b) = (key(a), key(b));
            a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)).then(a.2.total_cmp(&b.2))
        };
        run.sort_unstable_by(compare);
        return;
    }
    for end in 1..run.len() {
        let place = run[end];
        let mut at = end;
        while at > 0 && key(&run[at - 1]) > key(&place) {
            run[at] = run[at - 1];
            at -= 1;
        }
        run[at] = place;
    }
}
