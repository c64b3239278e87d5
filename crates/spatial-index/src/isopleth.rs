//! Isopleths: the outlines of the area where a surface reaches a level.
//!
//! Marching squares over the centres of the cells. A crossing is placed by linear interpolation between two
//! centres; next to a cell without data (outside the window) it is placed on the cell's side. Each outline keeps
//! the area on its left, so that shells run counter-clockwise and holes clockwise. A saddle is joined where the
//! mean of its four values reaches the level.

use std::collections::HashMap;

use brasa_model::Surface;
use geo::{Area, BoundingRect, Contains, Coord, LineString, Point, Polygon};

/// The polygons where `surface` is at or above `level`, the southern-most first.
pub fn isopleth(surface: &Surface, level: f64) -> Vec<Polygon<f64>> {
    assemble(trace(surface, level))
}

/// A point of an outline: on the side between a cell and its eastern (`up == false`) or northern neighbour.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Side {
    row: i64,
    column: i64,
    up: bool,
}

fn trace(surface: &Surface, level: f64) -> Vec<LineString<f64>> {
    let (nx, ny) = (surface.grid.nx() as i64, surface.grid.ny() as i64);
    let value = |column: i64, row: i64| {
        let within = (0..nx).contains(&column) && (0..ny).contains(&row);
        if within { surface.values[(row as usize, column as usize)] } else { f64::NAN }
    };
    let mut next: HashMap<Side, Side> = HashMap::new();
    let mut starts: Vec<Side> = Vec::new();
    for row in -1..ny {
        for column in -1..nx {
            let corners = [
                value(column, row),
                value(column + 1, row),
                value(column + 1, row + 1),
                value(column, row + 1),
            ];
            let above = corners.map(|corner| corner >= level);
            let case = above.iter().enumerate().fold(0, |case, (at, &bit)| case | (u8::from(bit) << at));
            let south = Side { row, column, up: false };
            let north = Side { row: row + 1, column, up: false };
            let west = Side { row, column, up: true };
            let east = Side { row, column: column + 1, up: true };
            let mut join = |from: Side, to: Side| {
                next.insert(from, to);
                starts.push(from);
            };
            // The mean of a square with a missing corner is NaN, which reaches no level: such a saddle stays apart.
            let joined = corners.iter().sum::<f64>() / 4.0 >= level;
            match case {
                0 | 15 => {}
                1 => join(south, west),
                2 => join(east, south),
                3 => join(east, west),
                4 => join(north, east),
                5 if joined => {
                    join(south, east);
                    join(north, west);
                }
                5 => {
                    join(south, west);
                    join(north, east);
                }
                6 => join(north, south),
                7 => join(north, west),
                8 => join(west, north),
                9 => join(south, north),
                10 if joined => {
                    join(west, south);
                    join(east, north);
                }
                10 => {
                    join(east, south);
                    join(west, north);
                }
                11 => join(east, north),
                12 => join(west, east),
                13 => join(south, east),
                _ => join(west, south),
            }
        }
    }
    let place = |side: Side| {
        let (to_column, to_row) =
            if side.up { (side.column, side.row + 1) } else { (side.column + 1, side.row) };
        let (a, b) = (value(side.column, side.row), value(to_column, to_row));
        let share = (level - a) / (b - a);
        // Kept off the centres, so that two outlines never meet in one.
        let share = if share.is_finite() { share.clamp(1e-6, 1.0 - 1e-6) } else { 0.5 };
        let centre = |column: i64, row: i64| {
            let (width, height) = (surface.grid.cell().get(), surface.grid.cell_height().get());
            let corner = surface.grid.corner();
            Coord { x: corner.x + (column as f64 + 0.5) * width, y: corner.y + (row as f64 + 0.5) * height }
        };
        let (from, to) = (centre(side.column, side.row), centre(to_column, to_row));
        Coord { x: from.x + share * (to.x - from.x), y: from.y + share * (to.y - from.y) }
    };
    let mut rings = Vec::new();
    for &start in &starts {
        let mut ring = Vec::new();
        let mut at = start;
        while let Some(to) = next.remove(&at) {
            ring.push(place(at));
            at = to;
        }
        if ring.len() >= 3 {
            ring.push(ring[0]);
            rings.push(LineString::new(ring));
        }
    }
    rings
}

/// Gives each hole to the smallest shell around it.
fn assemble(rings: Vec<LineString<f64>>) -> Vec<Polygon<f64>> {
    let mut shells: Vec<(Polygon<f64>, f64)> = Vec::new();
    let mut holes = Vec::new();
    for ring in rings {
        let polygon = Polygon::new(ring, Vec::new());
        let area = polygon.signed_area();
        if area > 0.0 {
            shells.push((polygon, area));
        } else if area < 0.0 {
            holes.push(polygon.into_inner().0);
        }
    }
    let boxes: Vec<_> = shells.iter().map(|(shell, _)| shell.bounding_rect()).collect();
    for hole in holes {
        let first = Point(hole.0[0]);
        let around = (0..shells.len())
            .filter(|&at| {
                boxes[at].is_some_and(|bounds| bounds.contains(&first)) && shells[at].0.contains(&first)
            })
            .min_by(|&a, &b| shells[a].1.total_cmp(&shells[b].1));
        if let Some(at) = around {
            shells[at].0.interiors_push(hole);
        }
    }
    shells.into_iter().map(|(shell, _)| shell).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use brasa_model::{Grid, Metres, Provenance, Window, WindowOrigin};
    use geo::{MultiPolygon, Rect, Validation};
    use ndarray::Array2;

    fn surface(nx: usize, ny: usize, value: impl Fn(usize, usize) -> f64) -> Surface {
        let bounds = Rect::new((0.0, 0.0), (nx as f64 * 10.0, ny as f64 * 10.0));
        let window =
            Window::new(MultiPolygon::new(vec![bounds.to_polygon()]), WindowOrigin::Given("box".into()))
                .unwrap();
        let grid = Grid::covering(&window, Metres::new(10.0).unwrap()).unwrap();
        let values = Array2::from_shape_fn((ny, nx), |(row, column)| value(column, row));
        let provenance = Provenance::new("test", serde_json::Value::Null);
        Surface { grid, values, unit: String::new(), provenance, notes: Vec::new() }
    }

    #[test]
    fn a_cone_becomes_a_round_polygon() {
        let cone = surface(41, 41, |x, y| 200.0 - 10.0 * ((x as f64 - 20.0).hypot(y as f64 - 20.0)));
        let found = isopleth(&cone, 100.0);
        assert_eq!(found.len(), 1);
        // Radius 10 cells of 10 m; linear interpolation cuts the corners a little.
        let circle = std::f64::consts::PI * 100.0 * 100.0;
        assert!((found[0].signed_area() / circle - 1.0).abs() < 0.01, "{}", found[0].signed_area());
        assert!(found[0].is_valid());
    }

    #[test]
    fn a_ring_has_a_hole_and_an_island_in_it() {
        let ring = surface(41, 41, |x, y| {
            let distance = (x as f64 - 20.0).hypot(y as f64 - 20.0);
            if distance < 2.0 || (8.0..14.0).contains(&distance) { 1.0 } else { 0.0 }
        });
        let mut found = isopleth(&ring, 0.5);
        found.sort_by(|a, b| a.unsigned_area().total_cmp(&b.unsigned_area()));
        assert_eq!(found.len(), 2);
        assert_eq!((found[0].interiors().len(), found[1].interiors().len()), (0, 1));
    }

    #[test]
    fn the_edge_of_the_data_closes_the_outline() {
        let flat = surface(3, 2, |_, _| 5.0);
        let found = isopleth(&flat, 5.0);
        assert_eq!(found.len(), 1);
        assert!((found[0].signed_area() - 600.0).abs() < 100.0 + 1e-9, "{}", found[0].signed_area());
        assert!(isopleth(&flat, 5.1).is_empty());
    }

    #[test]
    fn whatever_the_values_outlines_are_valid_and_hold_what_is_above() {
        for seed in 0..60_u64 {
            let noise = surface(17, 13, |x, y| {
                let mixed = (x as u64 * 31 + y as u64 * 17 + seed * 101).wrapping_mul(0x9E37_79B9_7F4A_7C15);
                if mixed >> 60 == 0 { f64::NAN } else { ((mixed >> 33) % 7) as f64 }
            });
            let polygons = MultiPolygon::new(isopleth(&noise, 3.0));
            for polygon in &polygons {
                assert!(polygon.is_valid(), "seed {seed}: {polygon:?}");
            }
            for row in 0..13 {
                for column in 0..17 {
                    let centre = Point::new(noise.grid.centre_x(column), noise.grid.centre_y(row));
                    let above = noise.values[(row, column)] >= 3.0;
                    assert_eq!(polygons.contains(&centre), above, "seed {seed} at {column},{row}");
                }
            }
        }
    }
}
