//! Where the city is, its limit and lake, its two street grids, its places and its barrios.
//!
//! Incidents happen at *places*: street corners and houses. A place has a background weight, the product of a
//! smooth density of people and of how readily a dispatcher writes that kind of place down, so that avenue
//! crossings collect many incidents and houses few.

use crate::plane::{self, Point};
use crate::rng::{Choice, Rng, Stream};

/// Longitude and latitude of the frame's origin: open Pacific, some 700 km off the coast.
const ORIGIN: (f64, f64) = (-83.564, -12.05);
/// Metres in one degree of longitude and of latitude on WGS 84 at 12° S. The city's frame maps to degrees by
/// these two numbers alone: over 14 km that differs from a projection by about a metre, and division gives the
/// same bits on every machine.
const METRES_PER_DEGREE: (f64, f64) = (108_903.0, 110_622.0);

/// A longitude or latitude to six decimals (0.1 m), the precision of the files.
pub fn rounded(degrees: f64) -> f64 {
    (degrees * 1e6).round() / 1e6
}

/// Longitude and latitude of a place.
pub fn lon_lat(p: Point) -> (f64, f64) {
    (rounded(ORIGIN.0 + p.x / METRES_PER_DEGREE.0), rounded(ORIGIN.1 + p.y / METRES_PER_DEGREE.1))
}

/// The police station, whose coordinates the exporting system writes when it cannot place an address.
pub const STATION: Point = Point::new(5_237.0, 7_846.0);

/// The stations from which patrols start.
pub const STATIONS: [(&str, Point); 3] = [
    ("Estación Camino Real", STATION),
    ("Estación La Zona", Point::new(8_310.0, 3_120.0)),
    ("Estación Puente Viejo", Point::new(3_420.0, 4_940.0)),
];

/// A place in another city that does not exist, 150 km to the north-east.
pub fn neighbouring_city(number: usize) -> Point {
    Point::new(128_000.0 + 410.0 * number as f64, 92_000.0 + 270.0 * number as f64)
}

const LIMIT: [(f64, f64); 32] = [
    (600., 1_800.),
    (1_900., 700.),
    (3_400., 300.),
    (4_600., 900.),
    (5_700., 200.),
    (7_400., 0.),
    (8_600., 700.),
    (9_800., 400.),
    (11_300., 900.),
    (12_600., 500.),
    (13_500., 1_700.),
    (14_000., 3_300.),
    (13_300., 4_600.),
    (13_700., 6_000.),
    (13_100., 7_400.),
    (11_900., 7_900.),
    (10_900., 7_200.),
    (10_200., 8_300.),
    (10_500., 9_600.),
    (9_400., 10_700.),
    (7_900., 11_000.),
    (6_500., 10_400.),
    (5_300., 10_800.),
    (4_100., 10_000.),
    (4_300., 8_600.),
    (3_200., 7_700.),
    (1_900., 8_300.),
    (800., 7_500.),
    (0., 6_100.),
    (500., 4_800.),
    (1_300., 4_000.),
    (300., 3_000.),
];

const LAKE: [(f64, f64); 12] = [
    (9_300., 2_250.),
    (9_750., 1_950.),
    (10_250., 2_050.),
    (10_500., 2_350.),
    (10_950., 2_450.),
    (11_000., 2_800.),
    (10_650., 3_050.),
    (10_200., 3_000.),
    (9_900., 3_250.),
    (9_500., 3_200.),
    (9_200., 2_950.),
    (9_150., 2_550.),
];

/// The old town, where streets run askew.
const OLD_TOWN: [(f64, f64); 9] = [
    (4_700., 4_300.),
    (5_600., 3_600.),
    (7_100., 3_500.),
    (8_400., 4_300.),
    (8_800., 5_600.),
    (8_300., 6_900.),
    (7_000., 7_500.),
    (5_300., 7_100.),
    (4_500., 5_800.),
];

/// Each barrio holds what is nearer to its centre than to any other's.
const BARRIOS: [(&str, f64, f64); 26] = [
    ("Centro", 6_500., 5_300.),
    ("La Merced", 5_500., 4_600.),
    ("San José", 7_700., 5_900.),
    ("El Peñón", 6_300., 6_600.),
    ("La Alameda", 7_500., 4_400.),
    ("Terminal", 7_600., 8_500.),
    ("Alto de la Cruz", 9_000., 9_900.),
    ("El Mirador", 6_600., 9_700.),
    ("Las Brisas", 5_000., 9_300.),
    ("Camino Real", 5_300., 7_900.),
    ("La Estación", 9_300., 7_700.),
    ("El Faro", 10_500., 5_300.),
    ("Bellavista", 9_400., 6_200.),
    ("Santa Lucía", 12_300., 6_500.),
    ("Los Almendros", 12_400., 4_700.),
    ("La Loma", 12_100., 2_900.),
    ("El Lago", 10_400., 1_500.),
    ("La Zona", 8_300., 2_700.),
    ("San Martín", 4_300., 2_300.),
    ("Villa Nueva", 6_300., 1_400.),
    ("La Esperanza", 2_400., 1_900.),
    ("Puente Viejo", 3_200., 4_800.),
    ("Río Seco", 1_500., 3_200.),
    ("Las Palmas", 1_900., 6_600.),
    ("Peñalisa", 3_400., 6_700.),
    ("El Carmen", 6_000., 2_800.),
];

fn ring<const N: usize>(vertices: [(f64, f64); N]) -> Vec<Point> {
    vertices.iter().map(|&(x, y)| Point::new(x, y)).collect()
}

/// The city limit, counter-clockwise.
pub fn limit() -> Vec<Point> {
    ring(LIMIT)
}

/// The lake, counter-clockwise.
pub fn lake() -> Vec<Point> {
    ring(LAKE)
}

/// The barrio of a place.
pub fn barrio(p: Point) -> &'static str {
    let nearest = BARRIOS
        .iter()
        .min_by(|a, b| p.distance2(Point::new(a.1, a.2)).total_cmp(&p.distance2(Point::new(b.1, b.2))));
    nearest.map_or("", |barrio| barrio.0)
}

/// The background density, in no particular unit: a broad centre, four lesser ones, a thin edge of town.
pub fn density(p: Point) -> f64 {
    let bump = |x: f64, y: f64, spread_x: f64, spread_y: f64| {
        let (dx, dy) = ((p.x - x) / spread_x, (p.y - y) / spread_y);
        libm::exp(-(dx * dx + dy * dy) / 2.0)
    };
    0.16 + 0.45 * bump(6_900., 5_300., 4_300., 3_300.)
        + 0.60 * bump(6_600., 5_400., 2_100., 1_900.)
        + 0.20 * bump(3_200., 2_900., 1_300., 1_300.)
        + 0.18 * bump(11_200., 5_600., 1_400., 1_400.)
        + 0.20 * bump(12_100., 2_900., 1_000., 1_000.)
        + 0.22 * bump(2_000., 6_600., 1_100., 1_000.)
}

/// A street grid: calles run along its first axis, carreras along its second.
#[derive(Debug, Clone, Copy)]
pub struct Grid {
    cos: f64,
    sin: f64,
    block: (f64, f64),
    names: (&'static str, &'static str),
}

/// Both grids turn about this place.
const PIVOT: Point = Point::new(6_600., 5_400.);
/// Streets on either side of the pivot; more than the city needs.
const STREETS: i32 = 96;
/// Every so many streets there is an avenue.
const AVENUE_EVERY: i32 = 4;

impl Grid {
    fn new(degrees: f64, block: (f64, f64), names: (&'static str, &'static str)) -> Self {
        let angle = degrees.to_radians();
        Self { cos: libm::cos(angle), sin: libm::sin(angle), block, names }
    }

    /// The two grids: the old town's, with diagonals and transversals, and that of the rest.
    fn both() -> [Self; 2] {
        [Self::new(24.0, (95.0, 85.0), ("DG", "TV")), Self::new(-7.0, (125.0, 105.0), ("CL", "KR"))]
    }

    /// The grid whose streets pass through a place.
    pub fn at(p: Point) -> Self {
        let [old, new] = Self::both();
        if plane::inside(&ring(OLD_TOWN), p) { old } else { new }
    }

    /// The place that is `along` and `across` metres from `from` on the axes of this grid.
    pub fn offset(&self, from: Point, along: f64, across: f64) -> Point {
        Point::new(
            from.x + along * self.cos - across * self.sin,
            from.y + along * self.sin + across * self.cos,
        )
    }

    /// The avenue crossing nearest to a place.
    pub fn nearest_crossing(&self, p: Point) -> Point {
        let (dx, dy) = (p.x - PIVOT.x, p.y - PIVOT.y);
        let snap = |distance: f64, block: f64| {
            let step = block * f64::from(AVENUE_EVERY);
            (distance / step).round() * step
        };
        let along = snap(dx * self.cos + dy * self.sin, self.block.0);
        let across = snap(dy * self.cos - dx * self.sin, self.block.1);
        self.offset(PIVOT, along, across)
    }

    fn corner(&self, carrera: i32, calle: i32) -> Point {
        self.offset(PIVOT, f64::from(carrera) * self.block.0, f64::from(calle) * self.block.1)
    }
}

/// A place where incidents are written down.
#[derive(Debug, Clone)]
pub struct Place {
    /// Where it is.
    pub at: Point,
    /// Its address.
    pub address: String,
    /// Its share of the background, in no particular unit.
    pub weight: f64,
}

/// How readily each kind of place is written down, per unit of density.
mod readiness {
    pub const AVENUE_CROSSING: f64 = 36.0;
    pub const AVENUE_CORNER: f64 = 8.0;
    pub const CORNER: f64 = 1.5;
    pub const AVENUE_HOUSE: f64 = 0.5;
    pub const HOUSE: f64 = 0.2;
    /// The spread of the logarithm among lesser corners of one kind.
    pub const SPREAD: f64 = 0.6;
}

/// Nothing is built closer than this (m) to a limit, a shore or the outline of a hotspot, so that rounding
/// never carries a place across.
const CLEARANCE: f64 = 3.0;

/// Every place of the city. `outlines` are the hotspots, whose outlines are kept clear.
pub fn places(seed: u64, outlines: &[Vec<Point>]) -> Vec<Place> {
    let mut rng = Rng::new(seed, Stream::Places);
    let (limit, lake, old_town) = (limit(), lake(), ring(OLD_TOWN));
    let mut places = Vec::new();
    for (number, grid) in Grid::both().into_iter().enumerate() {
        let is_old_town = number == 0;
        let buildable = |p: Point| {
            plane::inside(&limit, p)
                && !plane::inside(&lake, p)
                && plane::inside(&old_town, p) == is_old_town
                && p.distance2(STATION) > CLEARANCE * CLEARANCE
                && [&limit, &lake]
                    .into_iter()
                    .chain(outlines)
                    .all(|outline| plane::distance_to_outline(outline, p) > CLEARANCE)
        };
        for calle in -STREETS..=STREETS {
            for carrera in -STREETS..=STREETS {
                add_corner(&mut places, &mut rng, &grid, (carrera, calle), &buildable);
            }
        }
    }
    places
}

/// Adds a corner and the houses on the two street sides that begin there.
fn add_corner(
    places: &mut Vec<Place>,
    rng: &mut Rng,
    grid: &Grid,
    (carrera, calle): (i32, i32),
    buildable: &impl Fn(Point) -> bool,
) {
    let corner = grid.corner(carrera, calle);
    let avenues = (carrera % AVENUE_EVERY == 0, calle % AVENUE_EVERY == 0);
    // At the edge of town some streets are not there yet.
    let built = (0.45 + density(corner)).min(1.0);
    if !(buildable(corner) && (avenues == (true, true) || rng.chance(built))) {
        return;
    }
    let (calle_number, carrera_number) = (calle + STREETS + 1, carrera + STREETS + 1);
    let (calles, carreras) = grid.names;
    let ready = match avenues {
        (true, true) => readiness::AVENUE_CROSSING,
        (false, false) => readiness::CORNER,
        _ => readiness::AVENUE_CORNER,
    };
    let spread = if avenues == (true, true) { 0.0 } else { readiness::SPREAD };
    let own = libm::exp(spread * rng.normal() - spread * spread / 2.0);
    places.push(Place {
        at: corner,
        address: format!("{calles} {calle_number} CON {carreras} {carrera_number}, ESQUINA"),
        weight: density(corner) * ready * own * grid.area_ratio(),
    });
    for (on_calle, is_avenue) in [(true, avenues.1), (false, avenues.0)] {
        let length = if on_calle { grid.block.0 } else { grid.block.1 };
        for half in 0..2 {
            let metres = (length * (0.15 + 0.4 * f64::from(half)) + rng.unit() * 0.25 * length).round();
            let at =
                if on_calle { grid.offset(corner, metres, 0.0) } else { grid.offset(corner, 0.0, metres) };
            if !(buildable(at) && rng.chance(built)) {
                continue;
            }
            let (street, on, cross) = if on_calle {
                (calles, calle_number, carrera_number)
            } else {
                (carreras, carrera_number, calle_number)
            };
            let ready = if is_avenue { readiness::AVENUE_HOUSE } else { readiness::HOUSE };
            places.push(Place {
                at,
                address: format!("{street} {on} # {cross}-{metres:02}"),
                weight: density(at) * ready * grid.area_ratio(),
            });
        }
    }
}

impl Grid {
    /// The area of a block over that of the newer grid: places stand denser in the old town, and each is to
    /// weigh less, so that the background has no step at its edge.
    fn area_ratio(&self) -> f64 {
        self.block.0 * self.block.1 / (125.0 * 105.0)
    }
}

/// A draw of places by their background weight.
pub fn by_weight(places: &[Place]) -> Choice {
    Choice::new(places.iter().map(|place| place.weight))
}
