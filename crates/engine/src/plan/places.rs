//! What plans read besides incidents: areas and depots to go to, streets to go on.

use std::path::Path;

use brasa_ingest::{Ingested, NamedPlace};
use brasa_model::{Crs, GivenZones, Incidents, InputRecord, Note, PlanArea, Street};
use brasa_spatial_index::Watch;
use brasa_spatial_index::zoning::zone_at;
use geo::{BoundingRect, Contains, Coord, InteriorPoint, MultiPolygon, Point, Rect};

use super::refused;
use crate::{EngineError, HotspotsParams, hotspots};

/// The areas of a file, or else the hotspots of the incidents.
pub(super) fn areas(
    file: Option<&Path>,
    input: &Ingested,
    incidents: &Incidents,
    watch: &Watch,
    (notes, inputs): (&mut Vec<Note>, &mut Vec<InputRecord>),
) -> Result<Vec<PlanArea>, EngineError> {
    let (outlines, names, area_of): (Vec<MultiPolygon<f64>>, Vec<String>, Vec<Option<u32>>) = match file {
        Some(path) => {
            let (zones, mut record, _) = brasa_ingest::read_zones(path, None, None, &incidents.crs)?;
            "areas".clone_into(&mut record.role);
            inputs.push(record);
            let area_of = located(&zones, incidents);
            let outside = area_of.iter().filter(|area| area.is_none()).count();
            if outside > 0 {
                notes.push(
                    Note::new("incidents_outside_areas", format!("{outside} incidents lie in no area"))
                        .value(outside, "incidents")
                        .reason("a plan serves the areas it is given"),
                );
            }
            let (names, outlines) =
                zones.zones.into_iter().map(|zone| (zone.name, zone.outline.polygons().clone())).unzip();
            (outlines, names, area_of)
        }
        None => {
            let params = HotspotsParams { replicates: 0, ..HotspotsParams::default() };
            let found = hotspots::hotspots(&input.incidents, &params, watch)?;
            if found.hotspots.is_empty() {
                return Err(refused(
                    "patrol",
                    "there is no significant hotspot to visit; name areas with --areas FILE, such as those of brasa plan areas",
                ));
            }
            notes.push(
                Note::new("areas_are_hotspots", "the areas are the hotspots of the incidents")
                    .value(found.hotspots.len(), "areas")
                    .reason("no --areas was given; brasa hotspots says how sure each of them is"),
            );
            let names = found.hotspots.iter().map(|hotspot| hotspot.rank.to_string()).collect();
            let outlines = found.hotspots.into_iter().map(|hotspot| MultiPolygon::new(vec![hotspot.outline]));
            (outlines.collect(), names, found.hotspot_of)
        }
    };
    let mut sums: Vec<(f64, Coord<f64>)> = vec![(0.0, Coord::zero()); outlines.len()];
    for (at, area) in area_of.iter().enumerate() {
        if let Some(area) = area {
            let weight = incidents.weight_of(at);
            let (sum, middle) = &mut sums[*area as usize];
            *sum += weight;
            middle.x += weight * incidents.x[at];
            middle.y += weight * incidents.y[at];
        }
    }
    let areas = outlines.into_iter().zip(names).zip(sums).map(|((outline, name), (value, sum))| {
        // Where the incidents have their middle, unless that is no ground of the area.
        let middle = Point::new(sum.x / value, sum.y / value);
        let at =
            if value > 0.0 && outline.contains(&middle) { Some(middle) } else { outline.interior_point() };
        PlanArea { name, at: at.map_or(Coord::zero(), |at| at.0), outline, value }
    });
    Ok(areas.collect())
}

/// The zone of each incident.
fn located(zones: &GivenZones, incidents: &Incidents) -> Vec<Option<u32>> {
    let zone_of = zone_at(zones);
    let one = |(x, y): (&f64, &f64)| zone_of(*x, *y).map(|zone| zone as u32);
    incidents.x.iter().zip(&incidents.y).map(one).collect()
}

/// The named places of a file, at least one.
pub(super) fn places(
    path: &Path,
    role: &str,
    crs: &Crs,
    inputs: &mut Vec<InputRecord>,
) -> Result<Vec<NamedPlace>, EngineError> {
    let (places, record) = brasa_ingest::read_places(path, role, crs)?;
    inputs.push(record);
    Ok(places)
}

/// The streets of a file around some places.
pub(super) fn streets(
    path: &Path,
    around: &[Coord<f64>],
    crs: &Crs,
    inputs: &mut Vec<InputRecord>,
) -> Result<Vec<Street>, EngineError> {
    /// A way may leave the box of what it joins by so much, in metres.
    const MARGIN: f64 = 2000.0;
    let bounds = geo::MultiPoint::from(around.to_vec()).bounding_rect();
    let bounds = bounds.unwrap_or_else(|| Rect::new(Coord::zero(), Coord::zero()));
    let margin = Coord { x: MARGIN, y: MARGIN };
    let extent = Rect::new(bounds.min() - margin, bounds.max() + margin);
    let found = brasa_ingest::read_streets(path, extent, crs)?;
    inputs.push(found.record);
    Ok(found.streets)
}
