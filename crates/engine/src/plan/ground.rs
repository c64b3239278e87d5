//! The ground that areas, districts and sites are made of: zones with what happens in them, and which share a side.

use brasa_model::{Incidents, Note, Street, Zoning};
use brasa_planning::Graph;
use brasa_spatial_index::Sites;
use brasa_spatial_index::weights::{Neighbours, Weights};
use brasa_spatial_index::zoning::{CountedIn, counted, locate};
use geo::{Centroid, Geometry, MultiPolygon, Polygon};

use crate::EngineError;

/// Zones to plan with, in their order.
pub(super) struct Ground {
    pub zoning: Zoning,
    pub names: Vec<String>,
    pub shapes: Vec<Geometry<f64>>,
    /// Incidents in each, or their harm.
    pub value: Vec<f64>,
    pub km2: Vec<f64>,
    pub centroid: Vec<(f64, f64)>,
    /// Which share a side.
    pub graph: Graph,
}

impl Ground {
    pub fn of(
        incidents: &Incidents,
        counted_in: &CountedIn,
        notes: &mut Vec<Note>,
    ) -> Result<Self, EngineError> {
        let sites = Sites::new(incidents);
        let zoning = counted_in.zoning(incidents, &sites, notes)?;
        let (value, outside) = counted(&sites, &zoning, &sites.weight);
        notes.extend(outside);
        let weights = Weights::among(&zoning, Neighbours::Rook);
        let lists = (0..zoning.len()).map(|zone| weights.of(zone).to_vec()).collect();
        let (names, shapes): (Vec<String>, Vec<Geometry<f64>>) = zoning.shapes().unzip();
        let centroid = shapes
            .iter()
            .map(|shape| shape.centroid().map_or((0.0, 0.0), |centre| (centre.x(), centre.y())))
            .collect();
        let km2 = zoning.areas_km2();
        Ok(Self { names, shapes, value, km2, centroid, graph: Graph::new(lists), zoning })
    }

    /// What incidents of each zone are divided by, where a column of it was named.
    pub fn population(&self) -> Option<Vec<f64>> {
        match &self.zoning {
            Zoning::Given(given) => given.denominators.as_ref().map(|below| below.values.clone()),
            Zoning::Grid(_) | Zoning::Hexagons(_) => None,
        }
    }

    /// Kilometres of street in each zone: streets are taken in steps of ten metres, each of which lies where its middle is.
    pub fn street_km(&self, streets: &[Street]) -> Vec<f64> {
        const STEP: f64 = 10.0;
        let zone_of = locate(&self.zoning);
        let mut metres = vec![0.0; self.zoning.len()];
        for line in streets.iter().flat_map(|street| street.line.lines()) {
            let (dx, dy) = (line.end.x - line.start.x, line.end.y - line.start.y);
            let length = dx.hypot(dy);
            let steps = (length / STEP).ceil().max(1.0);
            for step in 0..steps as u64 {
                let part = (step as f64 + 0.5) / steps;
                if let Some(zone) = zone_of(part.mul_add(dx, line.start.x), part.mul_add(dy, line.start.y)) {
                    metres[zone] += length / steps;
                }
            }
        }
        metres.into_iter().map(|metres| metres / 1000.0).collect()
    }

    /// Zones as one shape.
    pub fn together(&self, zones: impl Iterator<Item = usize>) -> Geometry<f64> {
        let parts: Vec<Polygon<f64>> = zones
            .flat_map(|zone| match &self.shapes[zone] {
                Geometry::Polygon(polygon) => vec![polygon.clone()],
                Geometry::MultiPolygon(polygons) => polygons.0.clone(),
                _ => Vec::new(),
            })
            .collect();
        let all: MultiPolygon<f64> = geo::unary_union(&parts);
        match all.0.as_slice() {
            [one] => Geometry::Polygon(one.clone()),
            _ => Geometry::MultiPolygon(all),
        }
    }
}
