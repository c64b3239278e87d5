//! Shapes as well-known binary, which every geometry library of Python reads.

use geo::{Coord, Geometry, LineString, Polygon};

/// Little-endian well-known binary, in two dimensions.
pub fn of(geometry: &Geometry<f64>) -> Vec<u8> {
    let mut bytes = Vec::new();
    shape(&mut bytes, geometry);
    bytes
}

fn shape(bytes: &mut Vec<u8>, geometry: &Geometry<f64>) {
    match geometry {
        Geometry::Point(point) => at(head(bytes, 1), point.0),
        Geometry::Line(line) => path(head(bytes, 2), &[line.start, line.end]),
        Geometry::LineString(line) => path(head(bytes, 2), &line.0),
        Geometry::Polygon(polygon) => rings(bytes, polygon),
        Geometry::Rect(rect) => rings(bytes, &rect.to_polygon()),
        Geometry::Triangle(triangle) => rings(bytes, &triangle.to_polygon()),
        Geometry::MultiPoint(points) => {
            count(head(bytes, 4), points.0.len());
            points.iter().for_each(|point| at(head(bytes, 1), point.0));
        }
        Geometry::MultiLineString(lines) => {
            count(head(bytes, 5), lines.0.len());
            lines.iter().for_each(|line| path(head(bytes, 2), &line.0));
        }
        Geometry::MultiPolygon(polygons) => {
            count(head(bytes, 6), polygons.0.len());
            polygons.iter().for_each(|polygon| rings(bytes, polygon));
        }
        Geometry::GeometryCollection(all) => {
            count(head(bytes, 7), all.0.len());
            all.iter().for_each(|one| shape(bytes, one));
        }
    }
}

fn head(bytes: &mut Vec<u8>, kind: u32) -> &mut Vec<u8> {
    bytes.push(1);
    bytes.extend_from_slice(&kind.to_le_bytes());
    bytes
}

fn count(bytes: &mut Vec<u8>, count: usize) {
    bytes.extend_from_slice(&(count as u32).to_le_bytes());
}

fn at(bytes: &mut Vec<u8>, at: Coord<f64>) {
    bytes.extend_from_slice(&at.x.to_le_bytes());
    bytes.extend_from_slice(&at.y.to_le_bytes());
}

fn path(bytes: &mut Vec<u8>, corners: &[Coord<f64>]) {
    count(bytes, corners.len());
    corners.iter().for_each(|&corner| at(bytes, corner));
}

fn rings(bytes: &mut Vec<u8>, polygon: &Polygon<f64>) {
    let all = || std::iter::once(polygon.exterior()).chain(polygon.interiors());
    let known = |ring: &&LineString<f64>| !ring.0.is_empty();
    count(head(bytes, 3), all().filter(known).count());
    all().filter(known).for_each(|ring| path(bytes, &ring.0));
}
