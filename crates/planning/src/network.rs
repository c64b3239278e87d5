//! A street network: what joins, where points lie on it, and the fastest ways.
//!
//! Streets join where they share a coordinate, exactly: that is how OpenStreetMap and planning offices draw a crossing. Two lines that cross
//! without a common vertex are a bridge. Ways are the shortest in time (Dijkstra 1959, doi:10.1007/BF01386390), one search per origin.
//!
//! # Often misunderstood
//! Turn bans, lights and traffic are not in it: seconds are those of the speed of each street, and a plan made of free-flow speeds runs late in
//! the rush hour. A unit stops on the street nearest to its point; the way from the street to the point is not driven and not counted.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use geo::Coord;
use rayon::prelude::*;
use rstar::primitives::{GeomWithData, Line};
use rstar::{PointDistance, RTree};

use crate::travel::{NO_WAY, Travel, whole};

/// A street, or a part of one.
#[derive(Debug, Clone, PartialEq)]
pub struct Road {
    /// Its course, in metres.
    pub line: Vec<Coord<f64>>,
    /// Whether it may be driven from its first coordinate to its last.
    pub forward: bool,
    /// Whether it may be driven from its last coordinate to its first.
    pub backward: bool,
    /// Metres per second.
    pub speed: f64,
}

/// A straight piece of street between two vertices.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Piece {
    ends: [u32; 2],
    forward: bool,
    backward: bool,
    speed: f64,
}

/// Streets that join.
#[derive(Debug, Clone)]
pub struct Network {
    vertices: Vec<Coord<f64>>,
    pieces: Vec<Piece>,
    /// The pieces that points are put on.
    tree: RTree<GeomWithData<Line<[f64; 2]>, u32>>,
    parts: usize,
}

/// Where a point lies on the streets.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Snap {
    /// The nearest place on a street.
    pub at: Coord<f64>,
    /// How far from the point that is, in metres.
    pub metres: f64,
}

/// Points are not put on a part of the network that is shorter than this share of the largest: a car park, a piece of street drawn
/// without its crossing.
const LEAST_PART: f64 = 0.01;

impl Network {
    /// From streets, in any order. Pieces without length, without a finite coordinate, without a speed above zero, or closed both ways are left out.
    pub fn new(roads: &[Road]) -> Self {
        let open =
            |road: &&Road| (road.forward || road.backward) && road.speed.is_finite() && road.speed > 0.0;
        // -0 and 0 are the same place.
        let place = |at: Coord<f64>| Coord { x: at.x + 0.0, y: at.y + 0.0 };
        let finite = |at: &Coord<f64>| at.x.is_finite() && at.y.is_finite();
        let drawn: Vec<(Coord<f64>, Coord<f64>, &Road)> = roads
            .iter()
            .filter(open)
            .flat_map(|road| road.line.windows(2).map(move |pair| (place(pair[0]), place(pair[1]), road)))
            .filter(|(from, to, _)| finite(from) && finite(to) && from != to)
            .collect();
        let mut vertices: Vec<Coord<f64>> = drawn.iter().flat_map(|&(from, to, _)| [from, to]).collect();
        vertices.sort_unstable_by(order);
        vertices.dedup();
        let id = |at: &Coord<f64>| vertices.binary_search_by(|other| order(other, at)).unwrap_or(0) as u32;
        let mut pieces: Vec<Piece> = drawn
            .iter()
            .map(|(from, to, road)| {
                let (from, to) = (id(from), id(to));
                let (forward, backward) =
                    if from < to { (road.forward, road.backward) } else { (road.backward, road.forward) };
                Piece { ends: [from.min(to), from.max(to)], forward, backward, speed: road.speed }
            })
            .collect();
        // By place, so that the order of the streets decides nothing.
        pieces.sort_unstable_by(|a, b| {
            let key = |piece: &Piece| (piece.ends, piece.forward, piece.backward);
            key(a).cmp(&key(b)).then(a.speed.total_cmp(&b.speed))
        });
        pieces.dedup();
        let parts = Parts::of(vertices.len(), &pieces);
        let metres =
            |piece: &Piece| length(vertices[piece.ends[0] as usize], vertices[piece.ends[1] as usize]);
        let mut lengths = vec![0.0; parts.count];
        for piece in &pieces {
            if let Some(part) = parts.of_piece(piece) {
                lengths[part] += metres(piece);
            }
        }
        let least = lengths.iter().copied().fold(0.0, f64::max) * LEAST_PART;
        let end = |at: u32| [vertices[at as usize].x, vertices[at as usize].y];
        let lines = pieces
            .iter()
            .enumerate()
            .filter(|(_, piece)| parts.of_piece(piece).is_some_and(|part| lengths[part] >= least))
            .map(|(at, piece)| {
                GeomWithData::new(Line::new(end(piece.ends[0]), end(piece.ends[1])), at as u32)
            })
            .collect();
        let parts = lengths.iter().filter(|&&length| length > 0.0 && length >= least).count();
        Self { tree: RTree::bulk_load(lines), vertices, pieces, parts }
    }

    /// How many straight pieces of street there are.
    pub const fn len(&self) -> usize {
        self.pieces.len()
    }

    /// Whether there is no street.
    pub const fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// How many parts there are inside which each place can be driven to from each other, shorter than one hundredth of the longest left out.
    pub const fn parts(&self) -> usize {
        self.parts
    }

    /// The ways between points, each put on the nearest street within `limit` metres; and where that is, `None` for a point that has no
    /// street so near. Such a point can neither be driven to nor from.
    pub fn travel(&self, points: &[Coord<f64>], limit: f64) -> (Travel, Vec<Option<Snap>>) {
        let mut vertices = self.vertices.clone();
        let mut on: BTreeMap<u32, Vec<(f64, u32)>> = BTreeMap::new();
        let mut snaps = Vec::with_capacity(points.len());
        let mut stands = Vec::with_capacity(points.len());
        for point in points {
            let near = self
                .tree
                .nearest_neighbor(&[point.x, point.y])
                .filter(|line| line.distance_2(&[point.x, point.y]) <= limit * limit);
            let Some(near) = near else {
                snaps.push(None);
                stands.push(None);
                continue;
            };
            let ends = self.pieces[near.data as usize].ends;
            let (share, at) = foot(*point, ends.map(|end| self.vertices[end as usize]));
            let vertex = match share {
                0.0 => ends[0],
                1.0 => ends[1],
                _ => {
                    let there = on.entry(near.data).or_default();
                    let known = there.iter().find(|(other, _)| *other == share).map(|&(_, vertex)| vertex);
                    known.unwrap_or_else(|| {
                        vertices.push(at);
                        there.push((share, vertices.len() as u32 - 1));
                        vertices.len() as u32 - 1
                    })
                }
            };
            snaps.push(Some(Snap { at, metres: length(*point, at) }));
            stands.push(Some(vertex));
        }
        let mut ways = Vec::with_capacity(self.pieces.len() * 2);
        for (at, piece) in self.pieces.iter().enumerate() {
            let mut stops = on.remove(&(at as u32)).unwrap_or_default();
            stops.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
            let mut from = piece.ends[0];
            for to in stops.into_iter().map(|(_, vertex)| vertex).chain([piece.ends[1]]) {
                let metres = length(vertices[from as usize], vertices[to as usize]);
                let millis = (metres / piece.speed * 1000.0).ceil() as u64;
                if piece.forward {
                    ways.push((from, Way { to, millis, metres }));
                }
                if piece.backward {
                    ways.push((to, Way { to: from, millis, metres }));
                }
                from = to;
            }
        }
        let streets = Streets::new(vertices, ways, stands);
        let (seconds, metres) = streets.matrix();
        (Travel::along(streets, seconds, metres), snaps)
    }
}

fn order(a: &Coord<f64>, b: &Coord<f64>) -> std::cmp::Ordering {
    a.x.total_cmp(&b.x).then(a.y.total_cmp(&b.y))
}

fn length(from: Coord<f64>, to: Coord<f64>) -> f64 {
    let (x, y) = (to.x - from.x, to.y - from.y);
    (x * x + y * y).sqrt()
}

/// The place on a straight piece that is nearest to a point, and its share of the way along it.
fn foot(point: Coord<f64>, [from, to]: [Coord<f64>; 2]) -> (f64, Coord<f64>) {
    let (x, y) = (to.x - from.x, to.y - from.y);
    let share = (((point.x - from.x) * x + (point.y - from.y) * y) / (x * x + y * y)).clamp(0.0, 1.0);
    let at = Coord { x: from.x + share * x, y: from.y + share * y };
    match at {
        _ if at == from => (0.0, from),
        _ if at == to => (1.0, to),
        _ => (share, at),
    }
}

/// Which vertices can be driven to from each other (Sharir 1981, doi:10.1016/0898-1221(81)90008-0).
struct Parts {
    of: Vec<u32>,
    count: usize,
}

impl Parts {
    fn of(vertices: usize, pieces: &[Piece]) -> Self {
        let arcs = |reverse: bool| {
            let mut out = vec![Vec::new(); vertices];
            for piece in pieces {
                let [a, b] = piece.ends;
                if (piece.forward && !reverse) || (piece.backward && reverse) {
                    out[a as usize].push(b);
                }
                if (piece.backward && !reverse) || (piece.forward && reverse) {
                    out[b as usize].push(a);
                }
            }
            out
        };
        // Vertices in the order in which a walk has seen all that lies behind them.
        let (out, mut seen, mut done) = (arcs(false), vec![false; vertices], Vec::with_capacity(vertices));
        for root in 0..vertices {
            if std::mem::replace(&mut seen[root], true) {
                continue;
            }
            let mut walk = vec![(root, 0)];
            while let Some((at, next)) = walk.last_mut() {
                if let Some(&to) = out[*at].get(*next) {
                    *next += 1;
                    if !std::mem::replace(&mut seen[to as usize], true) {
                        walk.push((to as usize, 0));
                    }
                } else {
                    done.push(*at);
                    walk.pop();
                }
            }
        }
        let (back, mut of, mut count) = (arcs(true), vec![u32::MAX; vertices], 0);
        for &root in done.iter().rev() {
            if of[root] != u32::MAX {
                continue;
            }
            of[root] = count;
            let mut walk = vec![root];
            while let Some(at) = walk.pop() {
                for &to in &back[at] {
                    if of[to as usize] == u32::MAX {
                        of[to as usize] = count;
                        walk.push(to as usize);
                    }
                }
            }
            count += 1;
        }
        Self { of, count: count as usize }
    }

    /// The part that a piece lies in; `None` for one that leads from one part to another.
    fn of_piece(&self, piece: &Piece) -> Option<usize> {
        let [a, b] = piece.ends.map(|end| self.of[end as usize]);
        (a == b).then_some(a as usize)
    }
}

#[derive(Debug, Clone, Copy)]
struct Way {
    to: u32,
    millis: u64,
    metres: f64,
}

/// Streets with points on them.
#[derive(Debug, Clone)]
pub(crate) struct Streets {
    vertices: Vec<Coord<f64>>,
    /// The ways that begin at a vertex are those from its number here to the next one's.
    first: Vec<u32>,
    ways: Vec<Way>,
    stands: Vec<Option<u32>>,
}

/// What a search from one vertex found.
struct Reached {
    millis: Vec<u64>,
    metres: Vec<f64>,
    before: Vec<u32>,
}

impl Streets {
    fn new(vertices: Vec<Coord<f64>>, mut ways: Vec<(u32, Way)>, stands: Vec<Option<u32>>) -> Self {
        ways.sort_by_key(|(from, way)| (*from, way.to, way.millis));
        let mut first = vec![0_u32; vertices.len() + 1];
        for (from, _) in &ways {
            first[*from as usize + 1] += 1;
        }
        for at in 0..vertices.len() {
            first[at + 1] += first[at];
        }
        Self { vertices, first, ways: ways.into_iter().map(|(_, way)| way).collect(), stands }
    }

    /// How many points.
    pub(crate) const fn points(&self) -> usize {
        self.stands.len()
    }

    fn search(&self, origin: u32) -> Reached {
        let all = self.vertices.len();
        let mut reached =
            Reached { millis: vec![u64::MAX; all], metres: vec![0.0; all], before: vec![u32::MAX; all] };
        let mut heap = BinaryHeap::from([Reverse((0_u64, origin))]);
        reached.millis[origin as usize] = 0;
        while let Some(Reverse((millis, at))) = heap.pop() {
            if millis > reached.millis[at as usize] {
                continue;
            }
            let range = self.first[at as usize] as usize..self.first[at as usize + 1] as usize;
            for way in &self.ways[range] {
                let there = millis + way.millis;
                if there < reached.millis[way.to as usize] {
                    reached.millis[way.to as usize] = there;
                    reached.metres[way.to as usize] = reached.metres[at as usize] + way.metres;
                    reached.before[way.to as usize] = at;
                    heap.push(Reverse((there, way.to)));
                }
            }
        }
        reached
    }

    fn matrix(&self) -> (Vec<u32>, Vec<f64>) {
        let rows: Vec<Vec<(u32, f64)>> = self
            .stands
            .par_iter()
            .map(|origin| {
                let reached = origin.map(|origin| self.search(origin));
                let to = |stand: &Option<u32>| {
                    let (reached, at) = (reached.as_ref()?, (*stand)? as usize);
                    let millis = reached.millis[at];
                    (millis != u64::MAX).then(|| (whole(millis as f64 / 1000.0), reached.metres[at]))
                };
                self.stands.iter().map(|stand| to(stand).unwrap_or((NO_WAY, 0.0))).collect()
            })
            .collect();
        rows.into_iter().flatten().unzip()
    }

    /// The ways of legs, in their order; empty for those that are not lawful.
    pub(crate) fn paths(
        &self,
        legs: &[(usize, usize)],
        lawful: impl Fn(&(usize, usize)) -> bool,
    ) -> Vec<Vec<Coord<f64>>> {
        let mut origins: Vec<usize> = legs.iter().filter(|leg| lawful(leg)).map(|leg| leg.0).collect();
        origins.sort_unstable();
        origins.dedup();
        let mut paths = vec![Vec::new(); legs.len()];
        let lawful: Vec<bool> = legs.iter().map(lawful).collect();
        let found: Vec<Vec<(usize, Vec<Coord<f64>>)>> = origins
            .par_iter()
            .map(|&origin| {
                let Some(reached) = self.stands[origin].map(|stand| self.search(stand)) else {
                    return Vec::new();
                };
                let own = legs.iter().enumerate().filter(|(at, leg)| leg.0 == origin && lawful[*at]);
                own.filter_map(|(at, leg)| Some((at, self.walk(&reached, self.stands[leg.1]?)))).collect()
            })
            .collect();
        for (at, path) in found.into_iter().flatten() {
            paths[at] = path;
        }
        paths
    }

    fn walk(&self, reached: &Reached, to: u32) -> Vec<Coord<f64>> {
        let mut path = Vec::new();
        let mut at = to;
        while at != u32::MAX {
            path.push(self.vertices[at as usize]);
            at = reached.before[at as usize];
        }
        path.reverse();
        path.dedup();
        path
    }
}
