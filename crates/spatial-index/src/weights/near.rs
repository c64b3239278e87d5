//! Zones that are near by the distance of their centres.

use brasa_model::Zoning;
use geo::Centroid;
use rayon::prelude::*;
use rstar::RTree;
use rstar::primitives::GeomWithData;

/// The centres of zones.
pub(super) fn centres(zoning: &Zoning) -> Vec<[f64; 2]> {
    match zoning {
        Zoning::Grid(grid) => grid
            .cells()
            .map(|cell| [grid.centre_x(cell % grid.nx()), grid.centre_y(cell / grid.nx())])
            .collect(),
        Zoning::Hexagons(hexagons) => {
            let centre = |zone: usize| hexagons.centre(zone).into();
            (0..hexagons.len()).map(centre).map(|(x, y)| [x, y]).collect()
        }
        Zoning::Given(given) => {
            let centres = given.zones.iter().map(|zone| zone.outline.polygons().centroid());
            centres.map(|centre| centre.map_or([f64::NAN; 2], |centre| [centre.x(), centre.y()])).collect()
        }
    }
}

/// The zones whose centres lie within `reach` metres of that of each, or the `count` nearest.
pub(super) fn near(centres: &[[f64; 2]], reach: f64, count: usize) -> Vec<Vec<usize>> {
    let tree =
        RTree::bulk_load(centres.iter().enumerate().map(|(zone, &at)| GeomWithData::new(at, zone)).collect());
    // A hair of tolerance, so that a band of exactly the distance holds the zone, and equally near ones are equal.
    let hair = 1.0 + 1e-12;
    let one = |zone: usize| {
        let mut found: Vec<(f64, usize)> = Vec::new();
        for (other, squared) in tree.nearest_neighbor_iter_with_distance_2(&centres[zone]) {
            let last = found.get(count - 1).map_or(f64::INFINITY, |last| last.0);
            if squared > (reach * reach).min(last) * hair {
                break;
            }
            if other.data != zone {
                found.push((squared, other.data));
            }
        }
        // The nearest of equally near ones is the first in the file.
        let last = found.get(count - 1).map_or(f64::INFINITY, |last| last.0);
        found.sort_by_key(|&(squared, other)| (squared * hair >= last, other));
        found.truncate(count);
        found.into_iter().map(|(_, other)| other).collect()
    };
    (0..centres.len()).into_par_iter().map(one).collect()
}
