//! Given zones that touch. Borders are drawn by hand and brought from one system to another, so that the same
//! border of two zones is seldom the same to the millimetre: what comes within a metre touches.

use brasa_model::GivenZone;
use geo::{Coord, Distance, Euclidean, Line, LinesIter, Point};
use rayon::prelude::*;
use rstar::primitives::GeomWithData;
use rstar::{AABB, RTree};

/// Borders no farther apart than this touch, in metres.
const SNAP: f64 = 1.0;

/// A shared border is longer than this, in metres; what is shorter is a corner.
const CORNER: f64 = 10.0;

/// How zones touch.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Touch {
    /// In a corner at least.
    Corner,
    /// Along a border.
    Border,
}

/// The zones that touch each.
pub(super) fn touching(zones: &[GivenZone], how: Touch) -> Vec<Vec<usize>> {
    let borders = |zone: usize| zones[zone].outline.polygons().lines_iter();
    let all = (0..zones.len()).flat_map(|zone| borders(zone).map(move |line| GeomWithData::new(line, zone)));
    let tree = RTree::bulk_load(all.collect());
    let later = |zone: usize| {
        let mut shared: Vec<(usize, f64)> = Vec::new();
        for line in borders(zone) {
            let corner = |of: fn(f64, f64) -> f64, by: f64| {
                Point::new(of(line.start.x, line.end.x) + by, of(line.start.y, line.end.y) + by)
            };
            let around = AABB::from_corners(corner(f64::min, -SNAP), corner(f64::max, SNAP));
            let found = tree.locate_in_envelope_intersecting(&around).filter(|other| other.data > zone);
            shared.extend(found.filter_map(|other| match how {
                Touch::Corner => {
                    (Euclidean.distance(&line, other.geom()) <= SNAP).then_some((other.data, f64::INFINITY))
                }
                Touch::Border => Some((other.data, along(line, *other.geom()))),
            }));
        }
        shared.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
        let runs = shared.chunk_by(|a, b| a.0 == b.0);
        let length = |run: &[(usize, f64)]| run.iter().map(|shared| shared.1).sum::<f64>();
        runs.filter(|run| length(run) > CORNER).map(|run| run[0].0).collect::<Vec<_>>()
    };
    let pairs: Vec<Vec<usize>> = (0..zones.len()).into_par_iter().map(later).collect();
    let mut lists = pairs.clone();
    for (zone, later) in pairs.into_iter().enumerate() {
        later.into_iter().for_each(|other| lists[other].push(zone));
    }
    lists
}

/// How much of `line` runs along `other`: the part whose feet lie on `other` and whose distance from it is no more than
/// the snap. Both are linear along `line`.
fn along(line: Line<f64>, other: Line<f64>) -> f64 {
    let (way, length) = (other.delta(), Euclidean.distance(other.start, other.end));
    let own = Euclidean.distance(line.start, line.end);
    if length == 0.0 || own == 0.0 {
        return 0.0;
    }
    let foot = |at: Coord<f64>| {
        let from = at - other.start;
        ((from.x * way.x + from.y * way.y) / length, (from.x * way.y - from.y * way.x) / length)
    };
    let (begin, end) = (foot(line.start), foot(line.end));
    // The stretch of 0..1 in which a value that goes evenly from `from` to `to` lies between `low` and `high`.
    let within = |(from, to): (f64, f64), low: f64, high: f64| {
        if from == to {
            return if (low..=high).contains(&from) { (0.0, 1.0) } else { (1.0, 0.0) };
        }
        let (a, b) = ((low - from) / (to - from), (high - from) / (to - from));
        (a.min(b).max(0.0), a.max(b).min(1.0))
    };
    let on = within((begin.0, end.0), 0.0, length);
    let near = within((begin.1, end.1), -SNAP, SNAP);
    (on.1.min(near.1) - on.0.max(near.0)).max(0.0) * own
}
