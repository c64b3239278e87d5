//! Streets, water and other shapes for the eye alone: nothing is counted in them.

use std::path::Path;

use brasa_model::{Crs, InputRecord, Projector, SourceCrs};
use geo::{BoundingRect, CoordsIter, Geometry, Intersects, MapCoords, Rect, Simplify};

use crate::IngestError;
#[cfg(feature = "gdal")]
use crate::open::{Form, Place};
use crate::open::{Opened, must_be_a_file, open};
use crate::records::StatedCrs;

/// Shapes beneath a map.
#[derive(Debug, Clone)]
pub struct Basemap {
    /// In the metres of the working system, areas before lines.
    pub shapes: Vec<Geometry<f64>>,
    /// Shapes left out because there are more than can be drawn: the smallest.
    pub left_out: usize,
    /// The file, on record.
    pub record: InputRecord,
}

/// No more corners than a page can hold and a laptop draw.
const MOST_CORNERS: usize = 400_000;
/// A detail smaller than this share of the map's longer side is not seen.
const UNSEEN: f64 = 1.0 / 4000.0;

/// Reads the shapes of a file that lie in `extent`, in the metres of `crs`. Lines and areas of every layer are taken; of
/// an OpenStreetMap extract the streets, railways, water and parks.
pub fn read_basemap(path: &Path, extent: Rect<f64>, crs: &Crs) -> Result<Basemap, IngestError> {
    must_be_a_file(path)?;
    let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let opened = open(path, name.clone(), None)?;
    let digest = opened.digest()?;
    let unreadable =
        |why: String| IngestError::FormatUnreadable { name: name.clone(), format: "basemap", why };
    let layers = layers(&opened, path, extent, crs)?;
    let mut systems: Vec<String> = Vec::new();
    let mut shapes: Vec<Geometry<f64>> = Vec::new();
    for (found, stated) in layers {
        let (way, system) = way_from(stated, &name, crs)?;
        systems.push(system);
        // A shape with a corner that has no place in the working system lies far away.
        let near = found.into_iter().filter_map(|shape| {
            let there = shape.try_map_coords(|at| way.convert(at.x, at.y).map(Into::into).ok_or(())).ok()?;
            there.bounding_rect().is_some_and(|bounds| bounds.intersects(&extent)).then_some(there)
        });
        shapes.extend(near);
    }
    if shapes.is_empty() {
        return Err(unreadable("it holds no line or area within the study area".to_owned()));
    }
    let detail = extent.width().max(extent.height()) * UNSEEN;
    let mut shapes: Vec<(f64, Geometry<f64>)> =
        shapes.into_iter().map(|shape| (span(&shape), simpler(shape, detail))).collect();
    shapes.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut corners = 0;
    let all = shapes.len();
    let kept = shapes.iter().take_while(|(_, shape)| {
        corners += shape.coords_count();
        corners <= MOST_CORNERS
    });
    let kept = kept.count();
    shapes.truncate(kept);
    let mut shapes: Vec<Geometry<f64>> = shapes.into_iter().map(|(_, shape)| shape).collect();
    // Stable: among areas, and among lines, the largest lie lowest.
    shapes.sort_by_key(|shape| !matches!(shape, Geometry::Polygon(_) | Geometry::MultiPolygon(_)));
    systems.sort();
    systems.dedup();
    let sha256 = digest.finish(&name)?;
    let record = InputRecord {
        crs_in: Some(systems.join(", ")),
        crs_out: Some(crs.code()),
        ..InputRecord::of_file("basemap", name, opened.bytes, sha256)
    };
    Ok(Basemap { shapes, left_out: all - kept, record })
}

/// The way from what a layer says of its system to the working one, and what the former is called. Without a word it is WGS 84.
pub(crate) fn way_from(stated: StatedCrs, name: &str, crs: &Crs) -> Result<(Projector, String), IngestError> {
    let unsupported = |crs: String| IngestError::CrsUnsupported { name: name.to_owned(), crs };
    let source = match stated {
        StatedCrs::Epsg(epsg) => {
            SourceCrs::from_epsg(epsg).map_err(|_| unsupported(format!("EPSG:{epsg}")))?
        }
        StatedCrs::Nothing | StatedCrs::ByFormat => SourceCrs::wgs84(),
        StatedCrs::Other(crs) => return Err(unsupported(crs)),
    };
    let way = source.to(crs).map_err(|_| unsupported(source.code()))?;
    Ok((way, source.code()))
}

/// Lines and areas of a layer, with the system they are in.
pub(crate) type Shapes = (Vec<Geometry<f64>>, StatedCrs);

/// The lines and areas of each layer near `extent`.
#[cfg(feature = "gdal")]
fn layers(opened: &Opened, path: &Path, extent: Rect<f64>, crs: &Crs) -> Result<Vec<Shapes>, IngestError> {
    let (place, format) = match &opened.form {
        Form::Other(place, format) => (place.clone(), *format),
        _ => (Place { path: path.to_owned(), inside: Vec::new() }, "basemap"),
    };
    let file = crate::drivers::Named { name: opened.name.clone(), format };
    crate::drivers::shapes(&place, &file, lonlat(extent, crs))
}

/// Refused: GDAL reads the formats of shapes.
#[cfg(not(feature = "gdal"))]
fn layers(opened: &Opened, _: &Path, _: Rect<f64>, _: &Crs) -> Result<Vec<Shapes>, IngestError> {
    Err(IngestError::FormatUnsupported { name: opened.name.clone(), format: "basemap".to_owned() })
}

/// The longer side of what a shape covers.
fn span(shape: &Geometry<f64>) -> f64 {
    shape.bounding_rect().map_or(0.0, |bounds| bounds.width().max(bounds.height()))
}

/// A shape without corners that nobody sees.
fn simpler(shape: Geometry<f64>, detail: f64) -> Geometry<f64> {
    match shape {
        Geometry::LineString(line) => line.simplify(detail).into(),
        Geometry::MultiLineString(lines) => lines.simplify(detail).into(),
        Geometry::Polygon(polygon) => polygon.simplify(detail).into(),
        Geometry::MultiPolygon(polygons) => polygons.simplify(detail).into(),
        other => other,
    }
}

/// An extent in longitude and latitude, a little wider than it is; the whole world where it cannot be told.
#[cfg(feature = "gdal")]
pub(crate) fn lonlat(extent: Rect<f64>, crs: &Crs) -> Rect<f64> {
    let world = Rect::new((-180.0, -90.0), (180.0, 90.0));
    let Ok(way) = crs.to_lonlat() else { return world };
    let steps = (0..=8).map(|step| f64::from(step) / 8.0);
    let along = |low: f64, high: f64| steps.clone().map(move |part| low + part * (high - low));
    let mut corners = Vec::new();
    for x in along(extent.min().x, extent.max().x) {
        for y in along(extent.min().y, extent.max().y) {
            match way.convert(x, y) {
                Some((lon, lat)) => corners.push((lon, lat)),
                None => return world,
            }
        }
    }
    let bounds = corners.into_iter().fold(None, |bounds: Option<[f64; 4]>, (x, y)| {
        let [a, b, c, d] = bounds.unwrap_or([x, y, x, y]);
        Some([a.min(x), b.min(y), c.max(x), d.max(y)])
    });
    bounds.map_or(world, |[a, b, c, d]| {
        let (wide, high) = (0.02 * (c - a) + 1e-4, 0.02 * (d - b) + 1e-4);
        Rect::new((a - wide, b - high), (c + wide, d + high))
    })
}
