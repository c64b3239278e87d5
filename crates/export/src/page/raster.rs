//! The density as the page draws it: bent to the projection of web maps, each place one of a few colours.

use brasa_model::{Crs, Grid, Surface};
use geo::{Coord, Rect};
use rayon::prelude::*;
use serde::Serialize;

use super::shapes::{Words, languages};
use crate::lonlat::Middle;
use crate::style::Ramp;
use crate::{ExportError, Lang};

/// How the level of a place is written: one letter each; the first where there is nothing to draw.
const LETTERS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// More places than this are drawn coarser: nobody sees them apart on a screen.
const MOST_PIXELS: f64 = 400_000.0;
/// Pixels per cell, along each side.
const FINER: f64 = 1.25;
/// Into so many pieces is each side of the grid cut to find out what it covers once it is bent.
const EDGE_PARTS: usize = 32;

/// A picture of a surface.
#[derive(Serialize)]
pub(crate) struct Raster {
    /// West, south, east, north in degrees.
    bounds: [f64; 4],
    nx: usize,
    ny: usize,
    /// The colour of each letter with its opacity, from the second on.
    colours: Vec<(String, u8)>,
    letters: &'static str,
    /// From the north-west, row by row.
    pixels: String,
    unit: Words,
    /// What stands in the legend.
    stops: Vec<(String, Words)>,
}

/// Across and up in a square whose sides are one, as web maps see the world. The functions are those of libm, which are the same
/// on every platform.
fn mercator(lon: f64, lat: f64) -> (f64, f64) {
    let y =
        libm::log(libm::tan(std::f64::consts::FRAC_PI_4 + lat.to_radians() / 2.0)) / std::f64::consts::TAU;
    (lon / 360.0, y)
}

fn degrees(x: f64, y: f64) -> (f64, f64) {
    let lat = 2.0 * libm::atan(libm::exp(y * std::f64::consts::TAU)) - std::f64::consts::FRAC_PI_2;
    (x * 360.0, lat.to_degrees())
}

impl Raster {
    /// `None` where there is nothing to draw.
    pub fn of(surface: &Surface, crs: &Crs, own: Lang, middle: Middle) -> Result<Option<Self>, ExportError> {
        let ramps = languages(own).map(|lang| Ramp::of(surface, lang));
        let ramp = &ramps[0];
        let Some(covered) = covered(&surface.grid, crs, middle)? else { return Ok(None) };
        if ramp.stops.len() < 2 {
            return Ok(None);
        }
        let (cells_across, cells_up) = (surface.grid.nx() as f64, surface.grid.ny() as f64);
        let fit = (MOST_PIXELS / (cells_across * cells_up)).sqrt().min(FINER);
        let nx = (cells_across * fit).ceil().max(1.0) as usize;
        let ny = (nx as f64 * covered.height() / covered.width()).ceil().max(1.0) as usize;
        let back = crs.from_lonlat()?;
        let level = |x: f64, y: f64| {
            let (lon, lat) = degrees(x, y);
            let cell = back.convert(middle.back(lon), lat).and_then(|(x, y)| surface.grid.cell_at(x, y));
            cell.map_or(0, |cell| level(ramp, surface.value(cell)))
        };
        let row = |row: usize| -> Vec<u8> {
            let y = covered.max().y - (row as f64 + 0.5) / ny as f64 * covered.height();
            let x = |column: usize| covered.min().x + (column as f64 + 0.5) / nx as f64 * covered.width();
            (0..nx).map(|column| LETTERS[level(x(column), y)]).collect()
        };
        let rows: Vec<Vec<u8>> = (0..ny).into_par_iter().map(row).collect();
        let (west, south) = degrees(covered.min().x, covered.min().y);
        let (east, north) = degrees(covered.max().x, covered.max().y);
        let in_words = |at: usize| Words::from(ramps.each_ref().map(|ramp| ramp.stops[at].label.clone()));
        Ok(Some(Self {
            bounds: [west + middle.degrees(), south, east + middle.degrees(), north],
            nx,
            ny,
            colours: (1..LETTERS.len()).map(|level| colour(ramp, level)).collect(),
            letters: std::str::from_utf8(LETTERS).unwrap_or_default(),
            pixels: rows.concat().into_iter().map(char::from).collect(),
            unit: Words::of(own, |lang| lang.unit(&surface.unit)),
            stops: ramp
                .stops
                .iter()
                .enumerate()
                .map(|(at, stop)| (stop.colour.to_string(), in_words(at)))
                .collect(),
        }))
    }
}

/// The level of a value: 0 where nothing is drawn, else its place along the stops of the ramp.
fn level(ramp: &Ramp, value: f64) -> usize {
    if ramp.at(value).is_none_or(|(_, alpha)| alpha == 0) {
        return 0;
    }
    let above = ramp.stops.partition_point(|stop| stop.value < value).clamp(1, ramp.stops.len() - 1);
    let (low, high) = (ramp.stops[above - 1].value, ramp.stops[above].value);
    let part = ((value - low) / (high - low)).clamp(0.0, 1.0);
    let along = ((above - 1) as f64 + part) / (ramp.stops.len() - 1) as f64;
    1 + (along * (LETTERS.len() - 2) as f64).round() as usize
}

/// The colour of a level.
fn colour(ramp: &Ramp, level: usize) -> (String, u8) {
    let along = (level - 1) as f64 / (LETTERS.len() - 2) as f64 * (ramp.stops.len() - 1) as f64;
    let below = (along.floor() as usize).min(ramp.stops.len() - 2);
    let (low, high) = (ramp.stops[below].value, ramp.stops[below + 1].value);
    let (colour, alpha) =
        ramp.at(low + (along - below as f64) * (high - low)).unwrap_or((ramp.stops[0].colour, 0));
    (colour.to_string(), alpha)
}

/// What a grid covers on a web map.
fn covered(grid: &Grid, crs: &Crs, middle: Middle) -> Result<Option<Rect<f64>>, ExportError> {
    let forth = crs.to_lonlat()?;
    let bounds = grid.bounds();
    let part = |at: usize| at as f64 / EDGE_PARTS as f64;
    let x = |at: usize| bounds.min().x + part(at) * bounds.width();
    let y = |at: usize| bounds.min().y + part(at) * bounds.height();
    let edge = (0..=EDGE_PARTS).flat_map(|at| {
        [(x(at), bounds.min().y), (x(at), bounds.max().y), (bounds.min().x, y(at)), (bounds.max().x, y(at))]
    });
    let seen = edge.filter_map(|(x, y)| forth.convert(x, y));
    let seen = seen.map(|(lon, lat)| mercator(middle.around(lon), lat));
    let rect = seen.fold(None, |all: Option<Rect<f64>>, (x, y)| {
        let at = Coord { x, y };
        Some(all.map_or(Rect::new(at, at), |all| {
            Rect::new(
                Coord { x: all.min().x.min(x), y: all.min().y.min(y) },
                Coord { x: all.max().x.max(x), y: all.max().y.max(y) },
            )
        }))
    });
    // One across the meridian where longitudes end would be as wide as the world.
    Ok(rect.filter(|rect| rect.width() > 0.0 && rect.width() < 0.5 && rect.height() > 0.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn web_maps_are_gone_to_and_come_back_from() {
        for (lon, lat) in [(0.0, 0.0), (-74.08, 4.61), (151.2, -33.87), (25.0, 71.0)] {
            let (x, y) = mercator(lon, lat);
            let (again_lon, again_lat) = degrees(x, y);
            assert!((again_lon - lon).abs() < 1e-9 && (again_lat - lat).abs() < 1e-9);
        }
        // EPSG:3857 of 45° N is 5621521.486 m of a circumference of 40075016.686 m.
        assert!((mercator(0.0, 45.0).1 - 5_621_521.486 / 40_075_016.686).abs() < 1e-9);
    }
}
