//! H3 cells as zones: those of a resolution that hold some of the study area, cut at its border.

use std::collections::BTreeSet;

use brasa_model::{Crs, GivenZone, GivenZones, Note, Projector, Window, ZonesOrigin, clip};
use geo::{BooleanOps, Coord, Line, LineString, LinesIter, MultiPolygon, Polygon};
use h3o::{CellIndex, LatLng, Resolution};
use rayon::prelude::*;
use rstar::{AABB, RTree};

use crate::IngestError;

/// The most cells that are made: each is a polygon of its own, and as many take some 2.5 GB on their way into a file.
const MOST: f64 = 1_000_000.0;

/// The least part of a cell, or of a window that is smaller, that counts as some of it; rounding leaves less of nothing.
const SLIVER: f64 = 1e-6;

/// The H3 cells of a resolution in a window, by their index as hexadecimal text and in its order. Cells that touch are neighbours as
/// H3 says. Sides are drawn straight in the working system; H3's are arcs, off by less than a thousandth of their length
/// in cells that a city counts in.
pub fn h3_zones(window: &Window, resolution: u8, crs: &Crs) -> Result<(GivenZones, Vec<Note>), IngestError> {
    let unsupported = |why: String| IngestError::CrsUnsupported { name: "H3".to_owned(), crs: why };
    let to_lonlat = crs.to_lonlat().map_err(|error| unsupported(error.to_string()))?;
    let back = crs.from_lonlat().map_err(|error| unsupported(error.to_string()))?;
    let level = Resolution::try_from(resolution).map_err(|error| IngestError::Internal(error.to_string()))?;
    let cell_at = |at: Coord<f64>| {
        let place = to_lonlat.convert(at.x, at.y).and_then(|(lon, lat)| LatLng::new(lat, lon).ok());
        place
            .map(|place| place.to_cell(level))
            .ok_or_else(|| unsupported(format!("{crs}, in which {}, {} is no place on Earth", at.x, at.y)))
    };
    refused_if_many(window, resolution, cell_at(window.bounds().center())?)?;
    let borders = RTree::bulk_load(window.polygons().lines_iter().collect());
    // The cells that hold some of a polygon hang together: from one of its corners all are reached.
    let corners = window.polygons().iter().filter_map(|polygon| polygon.exterior().0.first().copied());
    let mut seen: BTreeSet<CellIndex> = corners.map(cell_at).collect::<Result<_, IngestError>>()?;
    let mut next: Vec<CellIndex> = seen.iter().copied().collect();
    let mut zones = Vec::new();
    let mut cut = 0;
    while !next.is_empty() {
        let look = |&cell: &CellIndex| drawn(cell, &back).map(|outline| part(outline, window, &borders));
        let found: Vec<Option<Part>> = next
            .par_iter()
            .map(look)
            .collect::<Option<Vec<_>>>()
            .ok_or_else(|| unsupported(format!("{crs}, in which some H3 cell cannot be drawn")))?;
        let mut further = Vec::new();
        for (cell, part) in next.into_iter().zip(found) {
            let Some(Part { inside, is_cut }) = part else { continue };
            further.extend(around(cell).filter(|&other| seen.insert(other)));
            if let Some(outline) = inside {
                cut += usize::from(is_cut);
                zones.push((cell, outline));
            }
        }
        next = further;
    }
    zones.sort_unstable_by_key(|zone| zone.0);
    let at = |other: CellIndex| zones.binary_search_by_key(&other, |zone| zone.0).ok();
    let touching = zones.iter().map(|&(cell, _)| around(cell).filter_map(at).collect()).collect();
    let note = Note::new("h3_cells", format!("incidents are counted in H3 cells of resolution {resolution}"))
        .value(zones.len(), "cells")
        .reason(format!(
            "{cut} of them are cut by the border of the study area: only the part inside is drawn, measured and counted in"
        ));
    let zones =
        zones.into_iter().map(|(cell, outline)| GivenZone { name: cell.to_string(), outline }).collect();
    let origin = ZonesOrigin::H3(resolution);
    Ok((GivenZones { origin, zones, denominators: None, touching: Some(touching) }, vec![note]))
}

fn refused_if_many(window: &Window, resolution: u8, cell: CellIndex) -> Result<(), IngestError> {
    // By the size of a cell there: H3's differ by half from place to place.
    let cells = window.area_km2() / cell.area_km2();
    if cells <= MOST {
        return Ok(());
    }
    // A cell has seven children.
    let coarser = ((cells / MOST).log2() / 7.0_f64.log2()).ceil() as u8;
    Err(IngestError::TooManyCells { resolution, cells, most: MOST, fits: resolution.saturating_sub(coarser) })
}

/// The cells around one: six, or five around a pentagon.
fn around(cell: CellIndex) -> impl Iterator<Item = CellIndex> {
    cell.grid_disk::<Vec<CellIndex>>(1).into_iter().filter(move |&other| other != cell)
}

/// The outline of a cell in the working system. Corners are rounded to a tenth of a millimetre, so that neighbours share them.
fn drawn(cell: CellIndex, way: &Projector) -> Option<Polygon<f64>> {
    let round = |value: f64| (value * 1e4).round() / 1e4;
    let corner =
        |at: &LatLng| way.convert(at.lng(), at.lat()).map(|(x, y)| Coord { x: round(x), y: round(y) });
    let ring = cell.boundary().iter().map(corner).collect::<Option<Vec<_>>>()?;
    Some(Polygon::new(LineString::new(ring), Vec::new()))
}

/// What of a cell lies in the window, if the window comes near it at all.
struct Part {
    inside: Option<Window>,
    is_cut: bool,
}

fn part(outline: Polygon<f64>, window: &Window, borders: &RTree<Line<f64>>) -> Option<Part> {
    let whole = Window::of_disjoint(MultiPolygon::new(vec![outline]), window.origin().clone()).ok()?;
    let bounds = whole.bounds();
    let (low, high) = (bounds.min(), bounds.max());
    let near = AABB::from_corners(low.into(), high.into());
    if borders.locate_in_envelope_intersecting(&near).next().is_none() {
        let centre = bounds.center();
        return window.contains(centre.x, centre.y).then_some(Part { inside: Some(whole), is_cut: false });
    }
    let shared = whole.polygons().intersection(&clip::around(window.polygons(), bounds));
    let inside = Window::of_disjoint(shared, window.origin().clone()).ok();
    let inside = inside.filter(|inside| inside.area_km2() > SLIVER * whole.area_km2().min(window.area_km2()));
    let is_cut = inside.as_ref().is_some_and(|inside| inside.area_km2() < (1.0 - SLIVER) * whole.area_km2());
    Some(if is_cut { Part { inside, is_cut } } else { Part { inside: inside.map(|_| whole), is_cut } })
}

#[cfg(test)]
mod tests {
    use super::*;
    use brasa_model::WindowOrigin;
    use geo::{Centroid, Rect};

    fn bogota(width: f64) -> (Window, Crs) {
        let crs = Crs::utm(-74.08, 4.65).unwrap();
        let (x, y) = crs.from_lonlat().unwrap().convert(-74.08, 4.65).unwrap();
        let square = Rect::new((x, y), (x + width, y + width * 0.7)).to_polygon();
        let window = Window::new(MultiPolygon::new(vec![square]), WindowOrigin::Given("b".into())).unwrap();
        (window, crs)
    }

    #[test]
    fn cells_are_the_window_cut_into_pieces_and_hold_the_places_that_h3_puts_there() {
        let (window, crs) = bogota(9000.0);
        let to_lonlat = crs.to_lonlat().unwrap();
        for resolution in [3, 7, 8, 9, 10] {
            let (zones, _) = h3_zones(&window, resolution, &crs).unwrap();
            let all: f64 = zones.zones.iter().map(|zone| zone.outline.area_km2()).sum();
            assert!((all - window.area_km2()).abs() < 1e-6 * window.area_km2(), "{resolution}: {all}");
            let level = Resolution::try_from(resolution).unwrap();
            let (mut same, mut places) = (0, 0);
            for at in 1..2000_u32 {
                let part = |step: f64| (f64::from(at) * step) % 1.0;
                let low = window.bounds().min();
                let (x, y) = (low.x + 9000.0 * part(0.618_034), low.y + 6300.0 * part(0.754_878));
                if !window.contains(x, y) {
                    continue;
                }
                let (lon, lat) = to_lonlat.convert(x, y).unwrap();
                let name = LatLng::new(lat, lon).unwrap().to_cell(level).to_string();
                let holding: Vec<&GivenZone> =
                    zones.zones.iter().filter(|zone| zone.outline.contains(x, y)).collect();
                assert_eq!(holding.len(), 1, "{x} {y}");
                places += 1;
                same += u32::from(holding[0].name == name);
            }
            // Arcs against straight sides.
            assert!(same + 2 >= places, "{resolution}: {same} of {places}");
        }
    }

    #[test]
    fn whole_cells_have_the_area_and_the_neighbours_of_h3() {
        let (window, crs) = bogota(9000.0);
        let (zones, notes) = h3_zones(&window, 9, &crs).unwrap();
        let touching = zones.touching.as_ref().unwrap();
        let names: Vec<&str> = zones.zones.iter().map(|zone| zone.name.as_str()).collect();
        assert!(names.is_sorted());
        let mut whole = 0;
        for (zone, around) in zones.zones.iter().zip(touching) {
            let cell: CellIndex = zone.name.parse().unwrap();
            for &other in around {
                let other: CellIndex = names[other].parse().unwrap();
                assert!(cell.is_neighbor_with(other).unwrap());
            }
            if around.len() == 6 {
                // UTM draws lengths up to 0.04 % too short in its middle, and H3's Earth is a sphere: areas are off by half a per cent.
                let ratio = zone.outline.area_km2() / cell.area_km2();
                if (ratio - 1.0).abs() < 0.008 {
                    whole += 1;
                    let centre = zone.outline.polygons().centroid().unwrap();
                    let (lon, lat) = crs.to_lonlat().unwrap().convert(centre.x(), centre.y()).unwrap();
                    assert_eq!(LatLng::new(lat, lon).unwrap().to_cell(Resolution::Nine), cell);
                }
            }
        }
        assert!(whole > 400, "{whole} of {}", zones.zones.len());
        assert_eq!(notes[0].value.as_ref().unwrap(), zones.zones.len());
    }

    #[test]
    fn too_many_cells_are_refused_with_a_resolution_that_fits() {
        let (window, crs) = bogota(9000.0);
        let Err(IngestError::TooManyCells { cells, fits, .. }) = h3_zones(&window, 15, &crs) else {
            panic!("they were made");
        };
        assert!(cells > 5e7 && fits == 12, "{cells} {fits}");
    }
}
