//! How long it takes from each place to each other, how far it is, and which way.
//!
//! A unit stops in areas and at depots; both are points here, in one list. Without streets a way is the straight line, lengthened by a
//! detour factor and driven at one speed; with them it is the fastest way along streets ([`crate::network`]).

use geo::Coord;

use crate::network::Streets;

/// The mean ratio of road to straight distance in the United States, 1.417 (Boscoe, Henry & Zdeb 2012,
/// doi:10.1080/00330124.2011.583586), rounded. It is a mean: a river, a hill or a railway makes it far larger for some pairs of places.
pub const DETOUR: f64 = 1.4;

/// Times and lengths of the ways between points.
#[derive(Debug, Clone)]
pub struct Travel {
    points: usize,
    seconds: Vec<u32>,
    metres: Vec<f64>,
    ways: Ways,
}

#[derive(Debug, Clone)]
enum Ways {
    Straight(Vec<Coord<f64>>),
    Streets(Box<Streets>),
}

/// What stands in a matrix of seconds where there is no way.
pub const NO_WAY: u32 = u32::MAX;

impl Travel {
    /// Straight lines, `detour` times as long, at `speed` metres per second. Seconds are rounded up.
    pub fn straight(points: &[Coord<f64>], detour: f64, speed: f64) -> Self {
        let pairs = || points.iter().flat_map(|from| points.iter().map(move |to| (from, to)));
        let metres: Vec<f64> = pairs()
            .map(|(from, to)| {
                let (x, y) = (to.x - from.x, to.y - from.y);
                (x * x + y * y).sqrt() * detour
            })
            .collect();
        let seconds = metres.iter().map(|metres| whole(metres / speed)).collect();
        Self { points: points.len(), seconds, metres, ways: Ways::Straight(points.to_vec()) }
    }

    /// Along streets; `seconds` and `metres` by origin and then by destination.
    pub(crate) fn along(streets: Streets, seconds: Vec<u32>, metres: Vec<f64>) -> Self {
        Self { points: streets.points(), seconds, metres, ways: Ways::Streets(Box::new(streets)) }
    }

    /// How many points.
    pub const fn len(&self) -> usize {
        self.points
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.points == 0
    }

    /// Seconds from one point to another; `None` where there is no way.
    pub fn seconds(&self, from: usize, to: usize) -> Option<u32> {
        let inside = from < self.points && to < self.points;
        let seconds = inside.then(|| self.seconds[from * self.points + to])?;
        (seconds != NO_WAY).then_some(seconds)
    }

    /// The matrix of seconds, by origin and then by destination; [`NO_WAY`] where there is none.
    pub fn matrix(&self) -> &[u32] {
        &self.seconds
    }

    /// Metres from one point to another along the way that takes the least time; `None` where there is no way.
    pub fn metres(&self, from: usize, to: usize) -> Option<f64> {
        self.seconds(from, to)?;
        self.metres.get(from * self.points + to).copied()
    }

    /// The way from one point to another on the map: the fastest along streets, or the straight line where no streets are known.
    /// Empty from a point to itself and where there is no way.
    pub fn path(&self, from: usize, to: usize) -> Vec<Coord<f64>> {
        self.paths(&[(from, to)]).pop().unwrap_or_default()
    }

    /// The ways of many legs at once, in their order: one search per origin.
    pub fn paths(&self, legs: &[(usize, usize)]) -> Vec<Vec<Coord<f64>>> {
        let lawful = |&(from, to): &(usize, usize)| from != to && self.seconds(from, to).is_some();
        match &self.ways {
            Ways::Straight(points) => legs
                .iter()
                .map(|leg| if lawful(leg) { vec![points[leg.0], points[leg.1]] } else { Vec::new() })
                .collect(),
            Ways::Streets(streets) => streets.paths(legs, lawful),
        }
    }

    /// The points that cannot be driven to from any of `origins` and back to it, in order.
    pub fn cut_off(&self, origins: &[usize]) -> Vec<usize> {
        let there_and_back =
            |point, origin| self.seconds(origin, point).is_some() && self.seconds(point, origin).is_some();
        (0..self.points)
            .filter(|&point| !origins.iter().any(|&origin| there_and_back(point, origin)))
            .collect()
    }
}

/// Seconds, rounded up; a hair of rounding above a whole second is that second.
pub(crate) fn whole(seconds: f64) -> u32 {
    let up = (seconds - 1e-6).ceil().max(0.0);
    if up < f64::from(NO_WAY) { up as u32 } else { NO_WAY }
}
