//! Geometries in longitude and latitude, as RFC 7946 wants them.
//!
//! Positions are whole numbers of 1e-7 degrees (about 1 cm), which is the precision the files state. Everything is
//! decided on these whole numbers: equal neighbours are merged, rings stay closed, exteriors run counter-clockwise
//! and holes clockwise. A part that rounds to nothing is left out; a geometry of which nothing is left is absent.
//!
//! What lies across the 180th meridian is cut there (RFC 7946, 3.1.9): a line or polygon becomes several, and no edge
//! runs round the world. Of two ways between neighbours the shorter is meant.

use brasa_model::{Feature, Layer, Projector};
use geo::{
    BooleanOps, BoundingRect, Coord, Geometry, LineString, MultiLineString, MultiPoint, MultiPolygon, Point,
    Polygon, Rect,
};
use rayon::prelude::*;

use crate::ExportError;

/// Whole units per degree.
pub(crate) const PER_DEGREE: f64 = 1e7;

const HALF_TURN: i64 = 1_800_000_000;
const TURN: i64 = 2 * HALF_TURN;

/// Every geometry of a layer in units of 1e-7 degrees, `None` where there is none. The first feature that cannot be
/// brought there is an error.
pub(crate) fn geometries(layer: &Layer) -> Result<Vec<Option<Geometry<i32>>>, ExportError> {
    geometries_around(layer, Middle::Greenwich)
}

/// The same with longitudes counted from another meridian, opposite to which they are cut.
pub(crate) fn geometries_around(
    layer: &Layer,
    middle: Middle,
) -> Result<Vec<Option<Geometry<i32>>>, ExportError> {
    let projector = layer.crs.to_lonlat()?;
    let way = Way { projector: &projector, middle };
    let one = |feature: &Feature| {
        way.geometry(&feature.geometry).map_err(|refusal| refusal.explain(layer, feature))
    };
    let converted: Vec<_> = layer.features.par_iter().map(one).collect();
    converted.into_iter().collect()
}

/// From where longitudes are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Middle {
    /// As everywhere.
    Greenwich,
    /// From the 180th meridian: what lies across it is in one piece.
    Opposite,
}

impl Middle {
    /// The one that leaves these in one piece.
    pub fn of(geometries: &[Option<Geometry<i32>>]) -> Self {
        let across = bounds(geometries).is_some_and(|[west, _, east, _]| west > east);
        if across { Self::Opposite } else { Self::Greenwich }
    }

    /// Its longitude.
    pub const fn degrees(self) -> f64 {
        match self {
            Self::Greenwich => 0.0,
            Self::Opposite => 180.0,
        }
    }

    /// A longitude as counted from here, at most half a turn to either side.
    pub fn around(self, lon: f64) -> f64 {
        turned_back(lon - self.degrees())
    }

    /// The longitude of what is counted from here.
    pub fn back(self, lon: f64) -> f64 {
        turned_back(lon + self.degrees())
    }
}

fn turned_back(lon: f64) -> f64 {
    if lon.abs() > 180.0 { lon - lon.signum() * 360.0 } else { lon }
}

/// West, south, east, north of all geometries in degrees. West is greater than east where that is the shorter way
/// round, across the 180th meridian (RFC 7946, 5.2).
pub(crate) fn bounds(geometries: &[Option<Geometry<i32>>]) -> Option<[f64; 4]> {
    let mut rects = Vec::new();
    geometries.iter().flatten().for_each(|geometry| part_rects(geometry, &mut rects));
    let least = |of: fn(&Rect<i32>) -> i32| rects.iter().map(of).min();
    let most = |of: fn(&Rect<i32>) -> i32| rects.iter().map(of).max();
    let (south, north) = (least(|rect| rect.min().y)?, most(|rect| rect.max().y)?);
    let (mut west, mut east) = (least(|rect| rect.min().x)?, most(|rect| rect.max().x)?);
    let sided = rects.iter().all(|rect| rect.min().x >= 0 || rect.max().x <= 0);
    if sided && i64::from(east) - i64::from(west) > HALF_TURN {
        west = rects.iter().map(|rect| rect.min().x).filter(|&x| x >= 0).min()?;
        east = rects.iter().map(|rect| rect.max().x).filter(|&x| x <= 0).max()?;
    }
    Some([west, south, east, north].map(|at| f64::from(at) / PER_DEGREE))
}

/// The boxes of the parts of a geometry.
fn part_rects(geometry: &Geometry<i32>, rects: &mut Vec<Rect<i32>>) {
    match geometry {
        Geometry::MultiPoint(points) => rects.extend(points.iter().map(|point| Rect::new(point.0, point.0))),
        Geometry::MultiLineString(lines) => {
            rects.extend(lines.iter().filter_map(BoundingRect::bounding_rect));
        }
        Geometry::MultiPolygon(polygons) => {
            rects.extend(polygons.iter().filter_map(BoundingRect::bounding_rect));
        }
        Geometry::GeometryCollection(parts) => parts.iter().for_each(|part| part_rects(part, rects)),
        one => rects.extend(one.bounding_rect()),
    }
}

/// One place of a feature in units of 1e-7 degrees.
pub(crate) fn place(
    layer: &Layer,
    projector: &Projector,
    feature: &Feature,
    at: Coord<f64>,
) -> Result<Coord<i32>, ExportError> {
    let way = Way { projector, middle: Middle::Greenwich };
    way.position(at).map_err(|refusal| refusal.explain(layer, feature))
}

/// A place that cannot be written, and why.
struct Refusal(Coord<f64>, &'static str);

impl Refusal {
    fn explain(self, layer: &Layer, feature: &Feature) -> ExportError {
        let Self(Coord { x, y }, why) = self;
        let (layer, crs) = (layer.name.clone(), layer.crs.to_string());
        ExportError::Unprojectable { layer, feature: feature.id, x, y, crs, why }
    }
}

struct Way<'a> {
    projector: &'a Projector,
    middle: Middle,
}

impl Way<'_> {
    fn position(&self, at: Coord<f64>) -> Result<Coord<i32>, Refusal> {
        let (lon, lat) =
            self.projector.convert(at.x, at.y).ok_or(Refusal(at, "has no longitude and latitude"))?;
        if !(lon.abs() <= 360.0 && lat.abs() <= 90.0) {
            return Err(Refusal(at, "lies beyond 360 degrees of longitude or 90 of latitude"));
        }
        let x = (lon * PER_DEGREE).round() as i64 - (self.middle.degrees() * PER_DEGREE) as i64;
        let x = if x.abs() > HALF_TURN { x - x.signum() * TURN } else { x };
        Ok(Coord { x: x as i32, y: (lat * PER_DEGREE).round() as i32 })
    }

    fn geometry(&self, geometry: &Geometry<f64>) -> Result<Option<Geometry<i32>>, Refusal> {
        Ok(match geometry {
            Geometry::Point(point) => Some(Point(self.position(point.0)?).into()),
            Geometry::Line(line) => lines(self.line(&LineString::new(vec![line.start, line.end]))?, false),
            Geometry::LineString(line) => lines(self.line(line)?, false),
            Geometry::Polygon(polygon) => polygons(self.polygon(polygon)?, false),
            Geometry::Rect(rect) => polygons(self.polygon(&rect.to_polygon())?, false),
            Geometry::Triangle(triangle) => polygons(self.polygon(&triangle.to_polygon())?, false),
            Geometry::MultiPoint(points) => {
                let points = points.iter().map(|point| self.position(point.0).map(Point));
                some(points.collect::<Result<Vec<_>, _>>()?).map(|parts| MultiPoint(parts).into())
            }
            Geometry::MultiLineString(many) => {
                let parts = many.iter().map(|line| self.line(line)).collect::<Result<Vec<_>, _>>()?;
                lines(parts.concat(), true)
            }
            Geometry::MultiPolygon(many) => {
                let parts =
                    many.iter().map(|polygon| self.polygon(polygon)).collect::<Result<Vec<_>, _>>()?;
                polygons(parts.concat(), true)
            }
            Geometry::GeometryCollection(collection) => {
                let parts = collection.iter().filter_map(|part| self.geometry(part).transpose());
                some(parts.collect::<Result<Vec<_>, _>>()?)
                    .map(|parts| Geometry::GeometryCollection(geo::GeometryCollection(parts)))
            }
        })
    }

    /// The positions along a line without equal neighbours and without a jump: beyond the 180th meridian longitudes
    /// go on past 180 degrees.
    fn path(&self, line: &[Coord<f64>]) -> Result<Vec<Coord<i64>>, Refusal> {
        let mut path: Vec<Coord<i64>> = Vec::with_capacity(line.len() + 1);
        for &at in line {
            let position = self.position(at)?;
            let mut position = Coord { x: i64::from(position.x), y: i64::from(position.y) };
            if let Some(last) = path.last() {
                while position.x - last.x > HALF_TURN {
                    position.x -= TURN;
                }
                while last.x - position.x > HALF_TURN {
                    position.x += TURN;
                }
                if *last == position {
                    continue;
                }
            }
            path.push(position);
        }
        Ok(path)
    }

    /// A line in as many pieces as it has on either side of the 180th meridian.
    fn line(&self, line: &LineString<f64>) -> Result<Vec<LineString<i32>>, Refusal> {
        let path = self.path(&line.0)?;
        let pieces = if in_one_world(&path) { vec![path] } else { cut_line(&path) };
        let whole = |piece: &Vec<Coord<i64>>| piece.len() > 1;
        Ok(pieces.into_iter().filter(whole).map(|piece| narrow(&piece)).collect())
    }

    /// A polygon in as many pieces as it has on either side of the 180th meridian.
    fn polygon(&self, polygon: &Polygon<f64>) -> Result<Vec<Polygon<i32>>, Refusal> {
        let Some(exterior) = self.ring(polygon.exterior(), Turn::CounterClockwise)? else {
            return Ok(Vec::new());
        };
        let holes =
            polygon.interiors().iter().filter_map(|hole| self.ring(hole, Turn::Clockwise).transpose());
        let holes = holes.collect::<Result<Vec<_>, _>>()?;
        if in_one_world(&exterior) && holes.iter().all(|hole| in_one_world(hole)) {
            return Ok(vec![Polygon::new(
                narrow(&exterior),
                holes.iter().map(|hole| narrow(hole)).collect(),
            )]);
        }
        Ok(cut_polygon(&exterior, &holes))
    }

    /// A closed ring that turns as asked; `None` if it encloses nothing once rounded.
    fn ring(&self, ring: &LineString<f64>, turn: Turn) -> Result<Option<Vec<Coord<i64>>>, Refusal> {
        // The place that closes it is projected once.
        let open = match ring.0.split_last() {
            Some((last, open)) if open.first() == Some(last) => open,
            _ => &ring.0,
        };
        let mut path = self.path(open)?;
        if let (Some(first), Some(last), Some(&at)) = (path.first(), path.last(), open.first())
            && (first.x - last.x).abs() > HALF_TURN
        {
            return Err(Refusal(at, "begins a ring round a pole"));
        }
        if path.first() != path.last() {
            path.extend(path.first().copied());
        }
        Ok(turned(path, turn))
    }
}

/// A closed path in the sense asked for; `None` if it encloses nothing.
fn turned(mut path: Vec<Coord<i64>>, turn: Turn) -> Option<Vec<Coord<i64>>> {
    let area = doubled_area(&path);
    if area != 0 && (area > 0) != (turn == Turn::CounterClockwise) {
        path.reverse();
    }
    (area != 0).then_some(path)
}

/// Whether no longitude lies beyond the 180th meridian.
fn in_one_world(path: &[Coord<i64>]) -> bool {
    path.iter().all(|at| at.x.abs() <= HALF_TURN)
}

/// In positions that are longitudes and latitudes.
fn narrow(path: &[Coord<i64>]) -> LineString<i32> {
    LineString(path.iter().map(|at| Coord { x: at.x as i32, y: at.y as i32 }).collect())
}

/// The world, 0 between -180 and 180 degrees, in which a longitude lies.
const fn world(x: i64) -> i64 {
    (x + HALF_TURN).div_euclid(TURN)
}

fn into_world(path: &[Coord<i64>], world: i64) -> Vec<Coord<i64>> {
    let into = |at: &Coord<i64>| Coord { x: (at.x - world * TURN).clamp(-HALF_TURN, HALF_TURN), y: at.y };
    path.iter().map(into).collect()
}

/// The pieces of a line between the meridians where worlds meet.
fn cut_line(path: &[Coord<i64>]) -> Vec<Vec<Coord<i64>>> {
    let (mut pieces, mut piece) = (Vec::new(), Vec::new());
    let mut at_world = 0;
    for pair in path.windows(2) {
        let (a, b) = (pair[0], pair[1]);
        // Neighbours are at most half a turn apart, so that at most one border lies between them.
        let (low, high) = (a.x.min(b.x), a.x.max(b.x));
        let border = world(high) * TURN - HALF_TURN;
        let middle = (low < border && border < high).then(|| {
            let part = (border - a.x) as f64 / (b.x - a.x) as f64;
            Coord { x: border, y: a.y + ((b.y - a.y) as f64 * part).round() as i64 }
        });
        for (from, to) in match middle {
            Some(middle) => vec![(a, middle), (middle, b)],
            None => vec![(a, b)],
        } {
            // The world of the middle of a stretch: its ends may lie on a border.
            let here = (from.x + to.x + TURN).div_euclid(2 * TURN);
            if piece.is_empty() || here != at_world {
                pieces.push(into_world(&std::mem::take(&mut piece), at_world));
                piece.push(from);
                at_world = here;
            }
            piece.push(to);
        }
    }
    pieces.push(into_world(&piece, at_world));
    for piece in &mut pieces {
        piece.dedup();
    }
    pieces
}

/// The pieces of a polygon between the meridians where worlds meet.
fn cut_polygon(exterior: &[Coord<i64>], holes: &[Vec<Coord<i64>>]) -> Vec<Polygon<i32>> {
    let real = |path: &[Coord<i64>], shift: i64| -> LineString<f64> {
        path.iter().map(|at| Coord { x: (at.x + shift) as f64, y: at.y as f64 }).collect()
    };
    let range =
        |path: &[Coord<i64>]| path.iter().fold((i64::MAX, i64::MIN), |(w, e), at| (w.min(at.x), e.max(at.x)));
    let (west, east) = range(exterior);
    // A hole is brought to the turn of the earth on which its exterior lies.
    let beside = |hole: &[Coord<i64>]| {
        let (w, e) = range(hole);
        if w < west {
            TURN
        } else if e > east {
            -TURN
        } else {
            0
        }
    };
    let holes = holes.iter().map(|hole| real(hole, beside(hole))).collect();
    let whole = Polygon::new(real(exterior, 0), holes);
    let Some(bounds) = whole.bounding_rect() else { return Vec::new() };
    let mut parts = Vec::new();
    for world in world(west)..=world(east) {
        let border = |world: i64| (world * TURN - HALF_TURN) as f64;
        let (from, to) = (border(world).max(bounds.min().x), border(world + 1).min(bounds.max().x));
        if from >= to {
            continue;
        }
        let band = Rect::new((from, bounds.min().y), (to, bounds.max().y)).to_polygon();
        for part in whole.intersection(&band) {
            let whole_units = |ring: &LineString<f64>, turn| {
                let path = ring.0.iter().map(|at| Coord { x: at.x.round() as i64, y: at.y.round() as i64 });
                let mut path = into_world(&path.collect::<Vec<_>>(), world);
                path.dedup();
                turned(path, turn).map(|path| narrow(&path))
            };
            let Some(exterior) = whole_units(part.exterior(), Turn::CounterClockwise) else { continue };
            let holes = part.interiors().iter().filter_map(|hole| whole_units(hole, Turn::Clockwise));
            parts.push(Polygon::new(exterior, holes.collect()));
        }
    }
    parts
}

/// What is left of a line, or of several: one that was never more than one stays one.
fn lines(mut parts: Vec<LineString<i32>>, several: bool) -> Option<Geometry<i32>> {
    if parts.len() == 1 && !several {
        return parts.pop().map(Into::into);
    }
    some(parts).map(|parts| MultiLineString(parts).into())
}

/// As [`lines`], for polygons.
fn polygons(mut parts: Vec<Polygon<i32>>, several: bool) -> Option<Geometry<i32>> {
    if parts.len() == 1 && !several {
        return parts.pop().map(Into::into);
    }
    some(parts).map(|parts| MultiPolygon(parts).into())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Turn {
    CounterClockwise,
    Clockwise,
}

/// Twice the signed area of a closed path, exactly; positive when it turns counter-clockwise.
fn doubled_area(path: &[Coord<i64>]) -> i128 {
    let Some(origin) = path.first() else { return 0 };
    // Of a few positions no further than 26 degrees from the first, 64 bits hold the sum.
    let near = |at: &Coord<i64>| (at.x - origin.x).abs().max((at.y - origin.y).abs()) < 1 << 28;
    if path.len() < 8 && path.iter().all(near) {
        let turn = |pair: &[Coord<i64>]| {
            let [a, b] = [pair[0] - *origin, pair[1] - *origin];
            a.x * b.y - a.y * b.x
        };
        return path.windows(2).map(turn).sum::<i64>().into();
    }
    let from_origin = |at: &Coord<i64>| (i128::from(at.x - origin.x), i128::from(at.y - origin.y));
    path.windows(2)
        .map(|pair| {
            let ((ax, ay), (bx, by)) = (from_origin(&pair[0]), from_origin(&pair[1]));
            ax * by - bx * ay
        })
        .sum()
}

fn some<T>(parts: Vec<T>) -> Option<Vec<T>> {
    (!parts.is_empty()).then_some(parts)
}
