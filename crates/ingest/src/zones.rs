//! Zones to count in: the polygons of a file, each with its name and, if asked for, what to divide by.

use std::collections::BTreeSet;
use std::path::Path;

use brasa_model::{
    Crs, Denominators, GivenZone, GivenZones, InputRecord, Note, Window, WindowOrigin, is_plainly_valid,
};
use geo::{Area, BooleanOps, BoundingRect, Intersects, MultiPolygon, Polygon, Rect, Validation};
use rayon::prelude::*;
use rstar::primitives::{GeomWithData, Rectangle};
use rstar::{AABB, RTree};

use crate::IngestError;
use crate::columns::find;
use crate::records::Records;
use crate::study_area::{Polygons, read_features};

/// Two zones overlap where they share more than this of the smaller one; less comes from drawing the same border twice.
const OVERLAP: f64 = 0.01;

/// What coordinates that are rounded make two zones with the same border share; it is not even a sliver.
const ROUNDING: f64 = 1e-9;

/// Reads zones and brings them to `crs`. `layer` names one of several in the file, `denominator` the column with what the incidents are to be
/// divided by.
pub fn read_zones(
    path: &Path,
    layer: Option<&str>,
    denominator: Option<&str>,
    crs: &Crs,
) -> Result<(GivenZones, InputRecord, Vec<Note>), IngestError> {
    let Named { features, names, denominators, record, mut notes } =
        named(path, layer, denominator, Some(crs))?;
    let file = record.name.clone();
    let Overlaps { pairs, slivers } = overlaps(&features);
    let pair = |(a, b, share): (usize, usize, f64)| {
        format!("{} with {} ({:.1} % of the smaller)", names[a], names[b], 100.0 * share)
    };
    unsound(
        &file,
        "overlap".to_owned(),
        pairs.into_iter().map(pair).collect(),
        "let every place lie in one zone; QGIS finds overlaps with its topology checker",
    )?;
    if slivers > 0 {
        notes.push(
            Note::new(
                "zones_with_slivers",
                format!("{slivers} pairs of zones overlap by less than 1 % of the smaller"),
            )
            .value(slivers, "pairs")
            .reason("borders that were drawn twice; an incident there counts in the zone that comes first"),
        );
    }
    let zone = |(name, feature): (String, MultiPolygon<f64>)| {
        let outline = Window::of_disjoint(feature, WindowOrigin::Given(file.clone()));
        let outline = outline.map_err(|why| IngestError::StudyAreaInvalid { name: file.clone(), why })?;
        Ok(GivenZone { name, outline })
    };
    let zones = names.into_iter().zip(features).map(zone).collect::<Result<Vec<_>, IngestError>>()?;
    Ok((GivenZones::of_file(file, zones, denominators), record, notes))
}

/// Refuses zones that [`read_zones`] would refuse for what each of them is, before anything else is read.
pub fn check_zones(path: &Path, layer: Option<&str>, denominator: Option<&str>) -> Result<(), IngestError> {
    named(path, layer, denominator, None).map(drop)
}

/// Zones of which each is sound.
struct Named {
    features: Vec<MultiPolygon<f64>>,
    names: Vec<String>,
    denominators: Option<Denominators>,
    record: InputRecord,
    notes: Vec<Note>,
}

fn named(
    path: &Path,
    layer: Option<&str>,
    denominator: Option<&str>,
    crs: Option<&Crs>,
) -> Result<Named, IngestError> {
    let wanted = |table: &dyn Records| {
        let columns = table.columns();
        let denominator = denominator.map(|name| find(columns, "--population", name)).transpose()?;
        // The denominator first, then every column that may hold the zones' names.
        Ok(denominator.into_iter().chain(0..columns.len()).collect())
    };
    let Polygons { features, columns, fields, record } = read_features(path, layer, crs, "zones", &wanted)?;
    let file = &record.name;
    let (names, column) = names(&fields, usize::from(denominator.is_some()), features.len());
    let called = match column {
        Some(column) => {
            format!("they are called by the column {}, in which each has its own name", columns[column])
        }
        None => "they are called by their number: there is no column in which each has a name of its own"
            .to_owned(),
    };
    let mut notes = vec![
        Note::new("zones_given", format!("incidents are counted in the zones of {file}"))
            .value(features.len(), "zones")
            .reason(called),
    ];
    // To look for sides that cross takes longer than all the rest.
    let looked_at: Vec<LookedAt> = features.into_par_iter().map(looked_at).collect();
    let named = |wanted: &dyn Fn(&LookedAt) -> Option<String>| -> Vec<String> {
        looked_at
            .iter()
            .enumerate()
            .filter_map(|(at, one)| wanted(one).map(|why| names[at].clone() + &why))
            .collect()
    };
    let dissolved = named(&|one| one.is_dissolved.then(String::new));
    let invalid = named(&|one| one.invalid.as_ref().map(|why| format!(" ({why})")));
    if !dissolved.is_empty() {
        notes.push(
            Note::new(
                "zones_dissolved",
                format!(
                    "parts of one zone that overlap or share a border are one area: {}",
                    dissolved.join(", ")
                ),
            )
            .value(dissolved.len(), "zones")
            .reason(
                "an incident counts once in a zone, and the area of a zone is that of its parts together",
            ),
        );
    }
    // A ring that crosses itself may have no area on balance.
    unsound(
        file,
        "are no valid polygons".to_owned(),
        invalid,
        "repair the polygons, for example with \"Fix geometries\" in QGIS",
    )?;
    let features: Vec<MultiPolygon<f64>> = looked_at.into_iter().map(|one| one.feature).collect();
    let (kept, empty): (Vec<usize>, Vec<usize>) =
        (0..features.len()).partition(|&at| features[at].unsigned_area() > 0.0);
    if !empty.is_empty() {
        let empty: Vec<&str> = empty.into_iter().map(|at| names[at].as_str()).collect();
        notes.push(
            Note::new(
                "zones_without_area",
                format!("features without an area are no zones: {}", empty.join(", ")),
            )
            .value(empty.len(), "features")
            .reason("incidents are counted in areas"),
        );
    }
    let number = |at: usize| fields[at].first().and_then(|text| text.parse().ok()).unwrap_or(f64::NAN);
    let denominators = denominator.map(|column| Denominators {
        column: column.to_owned(),
        values: kept.iter().map(|&at| number(at)).collect(),
    });
    if let Some(Denominators { column, values }) = &denominators {
        let bad = kept.iter().zip(values).filter(|(_, value)| !(value.is_finite() && **value > 0.0));
        unsound(
            file,
            format!("have no {column}, or one that is not above zero"),
            bad.map(|(&at, _)| names[at].clone()).collect(),
            "a rate needs something to divide by: fill it in, leave these zones out of the file, or count without --population",
        )?;
    }
    Ok(Named {
        features: kept.iter().map(|&at| features[at].clone()).collect(),
        names: kept.iter().map(|&at| names[at].clone()).collect(),
        denominators,
        record,
        notes,
    })
}

/// A feature, and what was found out about it.
struct LookedAt {
    feature: MultiPolygon<f64>,
    /// Whether its parts were made one area.
    is_dissolved: bool,
    /// Why it is no valid polygon, if it is none.
    invalid: Option<String>,
}

/// Of one zone nothing counts twice, however its parts were drawn: the same as for a study area.
fn looked_at(feature: MultiPolygon<f64>) -> LookedAt {
    let why = |feature: &MultiPolygon<f64>| feature.check_validation().err().map(|why| why.to_string());
    if are_plainly_valid(&feature.0) {
        return LookedAt { feature, is_dissolved: false, invalid: None };
    }
    let invalid = why(&feature);
    if invalid.is_none() || !feature.iter().all(Validation::is_valid) {
        return LookedAt { feature, is_dissolved: false, invalid };
    }
    let feature = geo::unary_union(feature.iter());
    let invalid = why(&feature);
    LookedAt { feature, is_dissolved: true, invalid }
}

/// Whether parts are valid beyond doubt, alone and together: each is, and no two have a point in common.
fn are_plainly_valid(parts: &[Polygon<f64>]) -> bool {
    let boxes: Vec<Option<Rect<f64>>> = parts.iter().map(BoundingRect::bounding_rect).collect();
    let apart = |a: usize, b: usize| {
        let far = boxes[a].zip(boxes[b]).is_some_and(|(a, b)| !a.intersects(&b));
        far || !parts[a].intersects(&parts[b])
    };
    parts.iter().all(is_plainly_valid) && (0..parts.len()).all(|a| (a + 1..parts.len()).all(|b| apart(a, b)))
}

/// Refuses the file if there are any such zones.
fn unsound(file: &str, what: String, which: Vec<String>, remedy: &'static str) -> Result<(), IngestError> {
    if which.is_empty() {
        return Ok(());
    }
    Err(IngestError::ZonesUnsound { name: file.to_owned(), what, which, remedy })
}

/// Letters that a name has at most.
const LONGEST_NAME: usize = 80;

/// What to call the zones: by the first column in which each has a name of its own, or else a whole number, or else by
/// their number in the file; and by which column.
fn names(fields: &[Vec<String>], first: usize, features: usize) -> (Vec<String>, Option<usize>) {
    let columns = || first..fields.first().map_or(0, Vec::len);
    let tells_apart = |&column: &usize| {
        let names: BTreeSet<&str> = fields.iter().map(|row| row[column].as_str()).collect();
        names.len() == features && !names.contains("")
    };
    let all = |column: usize, test: fn(&str) -> bool| fields.iter().all(|row| test(&row[column]));
    // A shape or a pair of coordinates kept as text tells zones apart, too, but nobody calls them so.
    let is_name = |name: &str| {
        name.len() <= LONGEST_NAME && !name.starts_with(['{', '[']) && name.contains(char::is_alphabetic)
    };
    let text = columns().filter(tells_apart).find(|&column| all(column, is_name));
    let whole =
        || columns().filter(tells_apart).find(|&column| all(column, |name| name.parse::<i64>().is_ok()));
    match text.or_else(whole) {
        Some(column) => (fields.iter().map(|row| row[column].clone()).collect(), Some(column)),
        None => ((1..=features).map(|number| number.to_string()).collect(), None),
    }
}

/// Zones that lie upon one another.
struct Overlaps {
    /// Two features, and how much of the smaller they share.
    pairs: Vec<(usize, usize, f64)>,
    /// How many more share a sliver.
    slivers: usize,
}

fn overlaps(features: &[MultiPolygon<f64>]) -> Overlaps {
    type Boxed = GeomWithData<Rectangle<[f64; 2]>, usize>;
    let boxed = |(at, feature): (usize, &MultiPolygon<f64>)| {
        let bounds = feature.bounding_rect()?;
        Some(Boxed::new(Rectangle::from_corners(bounds.min().into(), bounds.max().into()), at))
    };
    let tree = RTree::bulk_load(features.iter().enumerate().filter_map(boxed).collect());
    let later = |a: usize| -> Vec<(usize, usize, f64)> {
        let Some(bounds) = features[a].bounding_rect() else { return Vec::new() };
        let around = AABB::from_corners(bounds.min().into(), bounds.max().into());
        let share = |b: usize| {
            let shared = features[a].intersection(&features[b]).unsigned_area();
            shared / features[a].unsigned_area().min(features[b].unsigned_area())
        };
        let near = tree.locate_in_envelope_intersecting(&around).map(|other| other.data);
        let mut later: Vec<usize> = near.filter(|&b| b > a).collect();
        later.sort_unstable();
        later.into_iter().map(|b| (a, b, share(b))).filter(|pair| pair.2 > ROUNDING).collect()
    };
    let found: Vec<Vec<(usize, usize, f64)>> = (0..features.len()).into_par_iter().map(later).collect();
    let (pairs, slivers): (Vec<_>, Vec<_>) = found.into_iter().flatten().partition(|pair| pair.2 > OVERLAP);
    Overlaps { pairs, slivers: slivers.len() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn square(x: f64, y: f64, side: f64) -> Polygon<f64> {
        Rect::new((x, y), (x + side, y + side)).to_polygon()
    }

    #[test]
    fn parts_that_share_no_point_need_no_closer_look() {
        // The last lies in the box of the first, but in the corner that it leaves free.
        let corners = vec![(0.0, 0.0), (9.0, 0.0), (9.0, 1.0), (1.0, 1.0), (1.0, 9.0), (0.0, 9.0)];
        let bent = Polygon::new(corners.into(), Vec::new());
        assert!(are_plainly_valid(&[bent.clone(), square(20.0, 0.0, 1.0), square(5.0, 5.0, 2.0)]));
        for other in
            [square(9.0, 0.0, 1.0), square(9.0, 1.0, 1.0), square(0.5, 0.5, 4.0), square(0.2, 0.2, 0.1)]
        {
            assert!(!are_plainly_valid(&[bent.clone(), other]));
        }
    }

    proptest::proptest! {
        #[test]
        fn what_needs_no_closer_look_is_valid(parts in proptest::collection::vec((0_u8..12, 0_u8..12, 1_u8..4), 0..5)) {
            let parts: Vec<Polygon<f64>> =
                parts.into_iter().map(|(x, y, side)| square(f64::from(x), f64::from(y), f64::from(side))).collect();
            if are_plainly_valid(&parts) {
                proptest::prop_assert!(MultiPolygon(parts).is_valid());
            }
        }
    }
}
