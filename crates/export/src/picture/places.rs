//! From the metres of a reference system to the pixels of a frame.

use std::fmt::Write as _;

use brasa_model::Surface;
use geo::{Coord, Geometry, LineString, Polygon, Rect};

use super::px;
use crate::style::Ramp;

/// A frame that shows an extent, north up, at one scale.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Frame {
    /// Left, top, width and height in pixels.
    pub left: f64,
    pub top: f64,
    pub width: f64,
    pub height: f64,
    /// What lies in its middle.
    middle: Coord<f64>,
    /// Pixels per metre.
    pub scale: f64,
}

/// The share of a frame that is left empty around what it shows.
const MARGIN: f64 = 0.04;

impl Frame {
    /// A frame around an extent; a place without extent lies in the middle of a kilometre.
    pub fn around(extent: Rect<f64>, [left, top, width, height]: [f64; 4]) -> Self {
        let wide = |extent: f64| if extent > 0.0 { extent } else { 1000.0 };
        let scale = (width / wide(extent.width())).min(height / wide(extent.height())) * (1.0 - 2.0 * MARGIN);
        Self { left, top, width, height, middle: extent.center(), scale }
    }

    /// Where a place is.
    pub fn at(&self, place: Coord<f64>) -> (f64, f64) {
        (
            (place.x - self.middle.x).mul_add(self.scale, self.left + self.width / 2.0),
            (self.middle.y - place.y).mul_add(self.scale, self.top + self.height / 2.0),
        )
    }

    /// A geometry as the data of a path: areas closed, lines open. Places that fall on one pixel are one.
    pub fn path(&self, geometry: &Geometry<f64>) -> String {
        let mut data = String::new();
        self.trace(geometry, &mut data);
        data
    }

    fn trace(&self, geometry: &Geometry<f64>, data: &mut String) {
        let area = |polygon: &Polygon<f64>, data: &mut String| {
            for ring in std::iter::once(polygon.exterior()).chain(polygon.interiors()) {
                self.line(ring, true, data);
            }
        };
        match geometry {
            Geometry::Polygon(polygon) => area(polygon, data),
            Geometry::MultiPolygon(polygons) => polygons.iter().for_each(|polygon| area(polygon, data)),
            Geometry::Rect(rect) => area(&rect.to_polygon(), data),
            Geometry::Triangle(triangle) => area(&triangle.to_polygon(), data),
            Geometry::Line(line) => self.line(&LineString::new(vec![line.start, line.end]), false, data),
            Geometry::LineString(line) => self.line(line, false, data),
            Geometry::MultiLineString(lines) => lines.iter().for_each(|line| self.line(line, false, data)),
            Geometry::Point(point) => self.dot(point.0, data),
            Geometry::MultiPoint(points) => points.iter().for_each(|point| self.dot(point.0, data)),
            Geometry::GeometryCollection(parts) => parts.iter().for_each(|part| self.trace(part, data)),
        }
    }

    fn line(&self, line: &LineString<f64>, is_ring: bool, data: &mut String) {
        let mut last = None;
        for place in line.coords() {
            let (x, y) = self.at(*place);
            let here = (tenth(x), tenth(y));
            if last == Some(here) {
                continue;
            }
            let _ = write!(data, "{}{} {}", if last.is_none() { "M" } else { "L" }, here.0, here.1);
            last = Some(here);
        }
        if is_ring {
            data.push('Z');
        }
    }

    /// A place of no extent, drawn as a small circle.
    fn dot(&self, place: Coord<f64>, data: &mut String) {
        let (x, y) = self.at(place);
        let _ = write!(data, "M{} {}a3 3 0 1 0 6 0a3 3 0 1 0 -6 0", tenth(x - 3.0), tenth(y));
    }

    /// A surface as an image element, its cells coloured by a ramp.
    pub fn image(&self, surface: &Surface, ramp: &Ramp) -> String {
        let Some(picture) = super::png::coloured(surface, ramp) else { return String::new() };
        let bounds = surface.grid.bounds();
        let (left, top) = self.at(Coord { x: bounds.min().x, y: bounds.max().y });
        format!(
            "<image x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" preserveAspectRatio=\"none\" \
             image-rendering=\"optimizeQuality\" href=\"{picture}\"/>\n",
            px(left),
            px(top),
            px(bounds.width() * self.scale),
            px(bounds.height() * self.scale),
        )
    }

    /// A round length that is at most a quarter of the frame wide, in metres and in pixels.
    pub fn scale_bar(&self) -> (f64, f64) {
        let most = self.width / 4.0 / self.scale;
        let mut power = 1.0;
        while power * 10.0 <= most {
            power *= 10.0;
        }
        let times = [5.0, 2.0, 1.0].into_iter().find(|times| times * power <= most).unwrap_or(1.0);
        (times * power, times * power * self.scale)
    }
}

fn tenth(value: f64) -> f64 {
    (value * 10.0).round() / 10.0 + 0.0
}

/// Boxes on the picture that must not cover one another.
#[derive(Default)]
pub(crate) struct Taken(Vec<[f64; 4]>);

impl Taken {
    /// Keeps a box free of labels.
    pub fn keep(&mut self, here: [f64; 4]) {
        self.0.push(here);
    }

    /// Takes the first free place for a label of that size: in the middle of what it names, if that is much larger, else beside,
    /// above and below it, ever further away.
    pub fn place(
        &mut self,
        named: [f64; 4],
        (width, height): (f64, f64),
        frame: &Frame,
    ) -> Option<(f64, f64)> {
        const AROUND: [(f64, f64); 8] = [
            (1.0, -1.0),
            (-1.0, -1.0),
            (1.0, 1.0),
            (-1.0, 1.0),
            (0.0, -1.0),
            (1.0, 0.0),
            (0.0, 1.0),
            (-1.0, 0.0),
        ];
        let (x, y) = (f64::midpoint(named[0], named[2]), f64::midpoint(named[1], named[3]));
        let (wide, high) = (named[2] - named[0], named[3] - named[1]);
        // From the middle of what is named to that of a label that touches it.
        let (reach_x, reach_y) = ((wide + width) / 2.0 + 3.0, (high + height) / 2.0 + 3.0);
        let rings = (0..4).map(f64::from).flat_map(|far| {
            AROUND.map(|(dx, dy)| (dx * (reach_x + far * width), dy * (reach_y + far * height)))
        });
        let middle = (wide > 2.0 * width && high > 1.5 * height).then_some((0.0, 0.0));
        middle.into_iter().chain(rings).find_map(|(dx, dy)| {
            let (x, y) = (x + dx, y + dy);
            let here = [x - width / 2.0, y - height / 2.0, x + width / 2.0, y + height / 2.0];
            let inside = here[0] >= frame.left
                && here[1] >= frame.top
                && here[2] <= frame.left + frame.width
                && here[3] <= frame.top + frame.height;
            let free = |other: &[f64; 4]| {
                here[2] <= other[0] || other[2] <= here[0] || here[3] <= other[1] || other[3] <= here[1]
            };
            (inside && self.0.iter().all(free)).then(|| {
                self.0.push(here);
                (x, y)
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use geo::{coord, polygon};

    fn frame() -> Frame {
        let extent = Rect::new(coord! { x: 0.0, y: 0.0 }, coord! { x: 1000.0, y: 500.0 });
        Frame::around(extent, [10.0, 20.0, 500.0, 500.0])
    }

    #[test]
    fn north_is_up_and_the_middle_in_the_middle() {
        let frame = frame();
        assert_eq!(frame.at(coord! { x: 500.0, y: 250.0 }), (260.0, 270.0));
        assert!(frame.at(coord! { x: 500.0, y: 500.0 }).1 < 270.0);
        let (left, _) = frame.at(coord! { x: 0.0, y: 0.0 });
        assert!((left - 30.0).abs() < 1e-9, "{left}");
    }

    #[test]
    fn a_path_closes_areas_and_merges_what_falls_on_one_pixel() {
        let square = polygon![(x: 0.0, y: 0.0), (x: 100.0, y: 0.0), (x: 100.01, y: 0.0), (x: 0.0, y: 100.0)];
        let path = frame().path(&square.into());
        assert_eq!((path.matches('L').count(), path.matches('Z').count()), (3, 1), "{path}");
        assert!(frame().path(&geo::Point::new(0.0, 0.0).into()).contains('a'));
    }

    #[test]
    fn a_scale_bar_is_round_and_fits() {
        let (metres, pixels) = frame().scale_bar();
        assert_eq!(metres, 200.0);
        assert!(pixels <= 125.0);
        let point = Rect::new(coord! { x: 5.0, y: 5.0 }, coord! { x: 5.0, y: 5.0 });
        assert!(Frame::around(point, [0.0, 0.0, 100.0, 100.0]).scale_bar().0 > 0.0);
    }

    #[test]
    fn labels_do_not_cover_one_another_nor_what_is_small_and_stay_inside() {
        let (mut taken, frame) = (Taken::default(), frame());
        let small = [255.0, 265.0, 265.0, 275.0];
        taken.keep(small);
        let placed: Vec<_> = (0..40).filter_map(|_| taken.place(small, (20.0, 14.0), &frame)).collect();
        assert!(placed.len() >= 16, "{}", placed.len());
        let apart = |a: &(f64, f64), b: (f64, f64), wide: f64, high: f64| {
            (a.0 - b.0).abs() >= wide - 1e-9 || (a.1 - b.1).abs() >= high - 1e-9
        };
        for (at, a) in placed.iter().enumerate() {
            assert!(apart(a, (260.0, 270.0), 15.0, 12.0), "{a:?}");
            assert!(placed[..at].iter().all(|b| apart(a, *b, 20.0, 14.0)), "{a:?}");
        }
        let large = [100.0, 100.0, 240.0, 200.0];
        assert_eq!(taken.place(large, (20.0, 14.0), &frame), Some((170.0, 150.0)));
        assert_eq!(taken.place([-500.0, 0.0, -490.0, 10.0], (20.0, 14.0), &frame), None);
    }
}
