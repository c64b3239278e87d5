//! What incidents are counted in: from a request to zones, and from zones to what lies in them.

use std::ops::AddAssign;

use brasa_model::{
    Denominators, GivenZone, GivenZones, Grid, Hexagons, Incidents, Metres, Note, Window, WindowOrigin,
    ZonesOrigin, Zoning, clip,
};
use geo::{BooleanOps, Coord, Line, LinesIter};
use rayon::prelude::*;
use rstar::RTree;
use rstar::primitives::{GeomWithData, Rectangle};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{AnalysisError, CellSize, Sites};

/// What incidents are counted in: square cells, unless one of the others is asked for.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct CountedIn {
    /// Side of a square cell, or the rule that chooses it
    pub cell: CellSize,
    /// Hexagons to count in instead of square cells, so far from one side to the opposite one; cut at the study area
    pub hex: Option<Metres>,
    /// Resolution of H3 cells to count in instead, from 0 to 15; cut at the study area
    #[schemars(title = "RES")]
    pub h3: Option<H3Resolution>,
    /// File with the zones to count in instead, such as beats or tracts; without --study-area they are the study area
    #[schemars(title = "FILE")]
    pub zones: Option<String>,
    /// Which layer of the zones' file, if it has several
    #[schemars(title = "NAME")]
    pub zones_layer: Option<String>,
    /// Column of the zones with what to divide the incidents by, such as people; rates are looked at then
    #[schemars(title = "COLUMN")]
    pub population: Option<String>,
}

impl From<CellSize> for CountedIn {
    fn from(cell: CellSize) -> Self {
        Self { cell, ..Self::default() }
    }
}

/// How fine H3 cells are: from 0, as large as countries, to 15, as large as a desk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "u64", into = "u64")]
pub struct H3Resolution(u8);

impl H3Resolution {
    /// As a number.
    pub const fn get(self) -> u8 {
        self.0
    }
}

impl TryFrom<u64> for H3Resolution {
    type Error = String;

    fn try_from(number: u64) -> Result<Self, String> {
        match u8::try_from(number) {
            Ok(number @ 0..=15) => Ok(Self(number)),
            _ => Err(format!("{number} is not an H3 resolution, which is from 0 to 15")),
        }
    }
}

impl From<H3Resolution> for u64 {
    fn from(resolution: H3Resolution) -> Self {
        resolution.0.into()
    }
}

impl CountedIn {
    /// The zones in the window of the incidents, with what was chosen or noticed. Those that come from elsewhere, from a file or as
    /// H3 cells, are to be with the incidents.
    pub fn zoning(
        &self,
        incidents: &Incidents,
        sites: &Sites,
        notes: &mut Vec<Note>,
    ) -> Result<Zoning, AnalysisError> {
        let window = &incidents.window;
        if let Some(given) = &incidents.zones {
            return within(given, window, notes).map(Zoning::Given);
        }
        if self.zones.is_some() || self.h3.is_some() {
            return Err(AnalysisError::TooFewZones {
                why: "the zones that were asked for were not read".to_owned(),
            });
        }
        if let Some(across) = self.hex {
            let hexagons = Hexagons::covering(window, across)?;
            notes.push(
                Note::new("hexagons", format!("hexagons {across} from side to side"))
                    .value(hexagons.len(), "hexagons")
                    .reason(format!(
                        "{} of them are cut by the border of the study area: only the part inside is drawn, measured and counted in",
                        hexagons.cut()
                    )),
            );
            return Ok(Zoning::Hexagons(hexagons));
        }
        let (cell, note) = self.cell.resolve(incidents, sites)?;
        notes.extend(note);
        Ok(Zoning::Grid(Grid::covering(window, cell)?))
    }
}

/// What zones are, for whoever wants to make the same ones.
pub fn record(zoning: &Zoning) -> Value {
    match zoning {
        Zoning::Grid(grid) => json!({ "cell": grid.cell() }),
        Zoning::Hexagons(hexagons) => json!({ "hex": hexagons.across() }),
        Zoning::Given(given) => match &given.origin {
            ZonesOrigin::H3(resolution) => json!({ "h3": resolution }),
            ZonesOrigin::File(file) => {
                json!({ "zones": file, "population": given.denominators.as_ref().map(|below| &below.column) })
            }
        },
    }
}

/// What the sites in each zone have together: `of` tells it per site, as their weight or count. With a note where incidents are in no zone.
pub fn counted<T: Copy + Default + AddAssign>(
    sites: &Sites,
    zoning: &Zoning,
    of: &[T],
) -> (Vec<T>, Option<Note>) {
    let (count, outside) = match zoning {
        Zoning::Grid(grid) => sites.summed_in(grid, of),
        Zoning::Hexagons(hexagons) => {
            summed(sites, hexagons.len(), of, |site| hexagons.at(sites.x[site], sites.y[site]))
        }
        Zoning::Given(given) => {
            let zone_of = zone_at(given);
            summed(sites, given.zones.len(), of, |site| zone_of(sites.x[site], sites.y[site]))
        }
    };
    let note = (outside > 0).then(|| match zoning {
        Zoning::Grid(_) => Note::new(
            "edge_incidents",
            format!("{outside} incidents at the rim of the study area are in no zone"),
        )
        .value(outside, "incidents")
        .reason(
            "a cell whose centre lies outside the study area is not a zone; a smaller --cell loses fewer",
        ),
        Zoning::Hexagons(_) | Zoning::Given(_) => {
            Note::new("outside_zones", format!("{outside} incidents of the study area are in no zone"))
                .value(outside, "incidents")
                .reason("the zones do not cover the whole study area; these incidents do not count")
        }
    });
    (count, note)
}

/// Sums over the sites in their order, and how many incidents are in no zone.
fn summed<T: Copy + Default + AddAssign>(
    sites: &Sites,
    zones: usize,
    of: &[T],
    zone_of: impl Fn(usize) -> Option<usize> + Sync + Send,
) -> (Vec<T>, u64) {
    let found: Vec<Option<usize>> =
        (0..sites.len()).into_par_iter().with_min_len(1 << 10).map(zone_of).collect();
    let (mut count, mut outside) = (vec![T::default(); zones], 0);
    for (site, zone) in found.into_iter().enumerate() {
        match zone {
            Some(zone) => count[zone] += of[site],
            None => outside += u64::from(sites.count[site]),
        }
    }
    (count, outside)
}

/// The zone of a place, by its position.
pub fn locate(zoning: &Zoning) -> Box<dyn Fn(f64, f64) -> Option<usize> + Send + Sync + '_> {
    match zoning {
        Zoning::Grid(grid) => {
            let mut number = vec![None; grid.nx() * grid.ny()];
            for (at, cell) in grid.cells().enumerate() {
                number[cell] = Some(at);
            }
            Box::new(move |x, y| grid.cell_at(x, y).and_then(|cell| number[cell]))
        }
        Zoning::Hexagons(hexagons) => Box::new(move |x, y| hexagons.at(x, y)),
        Zoning::Given(given) => Box::new(zone_at(given)),
    }
}

/// Outlines that are cut at the study area are off by less than this, in metres.
const ROUNDING: f64 = 0.001;

/// The zone of a place among given ones. One in two, on a border drawn twice, is in the first. H3 cells leave out nothing of the study area: there one on its
/// border that rounding leaves out is in the cell beside it.
pub fn zone_at(given: &GivenZones) -> impl Fn(f64, f64) -> Option<usize> + Sync + Send + '_ {
    let zones = given.zones.as_slice();
    let nudges = [(0.0, 0.0), (1.0, 1.0), (-1.0, 1.0), (-1.0, -1.0), (1.0, -1.0)];
    let tried = if matches!(given.origin, ZonesOrigin::H3(_)) { nudges.len() } else { 1 };
    let boxed = |(at, zone): (usize, &GivenZone)| {
        let (low, high) = (zone.outline.bounds().min(), zone.outline.bounds().max());
        GeomWithData::new(Rectangle::from_corners([low.x, low.y], [high.x, high.y]), at)
    };
    let tree = RTree::bulk_load(zones.iter().enumerate().map(boxed).collect());
    let zone_of = move |x: f64, y: f64| {
        let near = tree.locate_all_at_point(&[x, y]).map(|found| found.data);
        near.filter(|&zone| zones[zone].outline.contains(x, y)).min()
    };
    move |x, y| {
        nudges[..tried].iter().find_map(|(right, up)| zone_of(x + right * ROUNDING, y + up * ROUNDING))
    }
}

/// The parts of given zones that lie in the window.
fn within(given: &GivenZones, window: &Window, notes: &mut Vec<Note>) -> Result<GivenZones, AnalysisError> {
    // Zones that are themselves the study area lie in it, and H3 cells are made so.
    let file = match &given.origin {
        ZonesOrigin::File(file) if *window.origin() != WindowOrigin::Given(file.clone()) => file,
        ZonesOrigin::File(_) | ZonesOrigin::H3(_) => return Ok(given.clone()),
    };
    let border: Vec<Line<f64>> = window.polygons().lines_iter().collect();
    let part = |zone: &GivenZone| {
        let bounds = zone.outline.bounds();
        let meets = |line: &Line<f64>| {
            let low = Coord { x: line.start.x.min(line.end.x), y: line.start.y.min(line.end.y) };
            let high = Coord { x: line.start.x.max(line.end.x), y: line.start.y.max(line.end.y) };
            low.x <= bounds.max().x
                && high.x >= bounds.min().x
                && low.y <= bounds.max().y
                && high.y >= bounds.min().y
        };
        if !border.iter().any(meets) {
            let centre = bounds.center();
            return window.contains(centre.x, centre.y).then(|| zone.clone());
        }
        let shared = zone.outline.polygons().intersection(&clip::around(window.polygons(), bounds));
        let outline = Window::of_disjoint(shared, zone.outline.origin().clone()).ok()?;
        Some(GivenZone { name: zone.name.clone(), outline })
    };
    let parts: Vec<Option<GivenZone>> = given.zones.par_iter().map(part).collect();
    let left_out = parts.iter().filter(|part| part.is_none()).count();
    if left_out == parts.len() {
        return Err(AnalysisError::TooFewZones { why: format!("no zone of {file} lies in the study area") });
    }
    if left_out > 0 {
        notes.push(
            Note::new(
                "zones_outside",
                format!("{left_out} zones lie outside the study area and are left out"),
            )
            .value(left_out, "zones")
            .reason("nothing is known of incidents there"),
        );
    }
    // Rounding at a shared border cuts nothing off.
    let is_cut = |(zone, part): (&GivenZone, &Option<GivenZone>)| {
        part.as_ref().is_some_and(|part| part.outline.area_km2() < zone.outline.area_km2() * (1.0 - 1e-6))
    };
    let cut = given.zones.iter().zip(&parts).filter(|&pair| is_cut(pair)).count();
    if cut > 0 {
        let mut reason = "only the part inside is drawn, measured and counted in".to_owned();
        if given.denominators.is_some() {
            reason.push_str("; its denominator is that of the whole zone, so its rate is too low");
        }
        notes.push(
            Note::new("zones_cut", format!("{cut} zones are cut by the border of the study area"))
                .value(cut, "zones")
                .reason(reason),
        );
    }
    let denominators = given.denominators.as_ref().map(|below| Denominators {
        column: below.column.clone(),
        values: below
            .values
            .iter()
            .zip(&parts)
            .filter(|(_, part)| part.is_some())
            .map(|(value, _)| *value)
            .collect(),
    });
    let zones = parts.into_iter().flatten().collect();
    Ok(GivenZones { origin: given.origin.clone(), zones, denominators, touching: None })
}
