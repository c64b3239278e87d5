//! Bandwidths of their own: narrow where incidents crowd, wide where they are few.

use std::fmt;
use std::str::FromStr;

use brasa_model::{Grid, Note};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::edge::{Edge, mass_at_centres, mass_at_places, shared_out};
use crate::kernel_sums::kernel_sums;
use crate::kernels::Kernel;
use crate::sites::Ordered;
use brasa_model::as_text;

/// The widest bandwidth allowed, in multiples of the global one: a number of 1 or more.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Cap(f64);

impl Cap {
    /// The multiple.
    pub const fn get(self) -> f64 {
        self.0
    }
}

impl Default for Cap {
    /// Five, as in sparr.
    fn default() -> Self {
        Self(5.0)
    }
}

impl FromStr for Cap {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.trim().parse() {
            Ok(cap) if f64::is_finite(cap) && cap >= 1.0 => Ok(Self(cap)),
            _ => Err(format!("\"{text}\" is not a cap: a number of 1 or more, such as 5")),
        }
    }
}

impl fmt::Display for Cap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

as_text!(Cap, "MULTIPLE", "examples": ["5"]);

/// Abramson's law for one pattern: h(u) = h0 · f̃(u)^(−½) / γ, and never more than cap · h0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Abramson {
    /// The global bandwidth h0, which is the geometric mean of all bandwidths before the cap.
    pub h0: f64,
    /// γ, the geometric mean of f̃^(−½) over the incidents, in the unit of f̃.
    pub gamma: f64,
    /// The cap in multiples of h0.
    pub cap: Cap,
}

impl Abramson {
    /// The law that a pilot density at the places of the incidents makes; `None` where it is positive nowhere.
    pub fn new(pilot: &[f64], weight: &[f64], h0: f64, cap: Cap) -> Option<Self> {
        let (mut logs, mut total) = (0.0, 0.0);
        for (&pilot, &weight) in pilot.iter().zip(weight).filter(|&(&pilot, &weight)| pilot * weight > 0.0) {
            logs += weight * libm::log(pilot);
            total += weight;
        }
        (total > 0.0).then(|| Self { h0, gamma: libm::exp(-0.5 * logs / total), cap })
    }

    /// The bandwidth where the pilot density is `pilot`; the widest where it is nothing.
    pub fn bandwidth(&self, pilot: f64) -> f64 {
        let multiple = 1.0 / (pilot.max(0.0).sqrt() * self.gamma);
        self.h0 * multiple.min(self.cap.get())
    }

    /// The range of the bandwidths of all places, which no parameter shows.
    pub fn told(&self, h: &[f64]) -> Note {
        let (low, high) =
            h.iter().fold((f64::INFINITY, 0.0_f64), |(low, high), &h| (low.min(h), high.max(h)));
        let widest = self.h0 * self.cap.get();
        let capped = h.iter().filter(|&&h| h >= widest).count();
        Note::new(
            "bandwidths_adapted",
            format!("bandwidths from {low:.0} m to {high:.0} m, {:.0} m in the geometric mean", self.h0),
        )
        .value(json!([low, high]), "m")
        .reason(format!(
            "the square root law: half as wide where it is four times as dense; {capped} of {} places are held at {} times the bandwidth; --cap sets another limit",
            h.len(),
            self.cap.get(),
        ))
    }
}

/// A note on the choice of a bandwidth, said of the pilot's.
pub fn of_pilot(note: Note) -> Note {
    Note {
        code: "pilot_chosen".to_owned(),
        text: format!("pilot {}", note.text),
        reason: note.reason.map(|reason| reason.replace("--bandwidth", "--pilot")),
        ..note
    }
}

/// The density of one bandwidth that says where it is crowded, per m².
#[derive(Debug, Clone, Copy)]
pub struct Pilot<'a> {
    /// The study area.
    pub grid: &'a Grid,
    /// The kernel.
    pub kernel: Kernel,
    /// The bandwidth.
    pub h: f64,
    /// The correction for the border.
    pub edge: Edge,
}

impl Pilot<'_> {
    /// It, at each of the places that make it.
    pub fn at_places(&self, places: Ordered<'_>) -> Vec<f64> {
        let mass = || mass_at_places(places.places(), self.grid, self.kernel, self.h);
        let mut pilot = match self.edge {
            Edge::None => sums_at_places(places, self.kernel, self.h),
            Edge::Uniform => {
                // A place whose kernel holds no centre of a cell is left as it is.
                let whole = |(sum, mass): (f64, f64)| if mass > 0.0 { sum / mass } else { sum };
                sums_at_places(places, self.kernel, self.h).into_iter().zip(mass()).map(whole).collect()
            }
            Edge::JonesDiggle => {
                let weight = shared_out(places.weight, &mass());
                sums_at_places(Ordered { weight: &weight, ..places }, self.kernel, self.h)
            }
        };
        for value in &mut pilot {
            *value *= self.kernel.factor() / (self.h * self.h);
        }
        pilot
    }

    /// It, at the centre of each cell inside, in the order of `grid.cells()`.
    pub fn at_centres(&self, places: Ordered<'_>) -> Vec<f64> {
        let Self { grid, kernel, h, edge } = *self;
        let scale = kernel.factor() / (h * h);
        let inside = |values: Vec<f64>| grid.cells().map(move |cell| values[cell] * scale);
        match edge {
            Edge::None => inside(kernel_sums(places.places(), grid, kernel, h)).collect(),
            Edge::Uniform => {
                let mass = mass_at_centres(grid, kernel, h);
                let sums = inside(kernel_sums(places.places(), grid, kernel, h));
                sums.zip(grid.cells()).map(|(sum, cell)| sum / mass[cell]).collect()
            }
            Edge::JonesDiggle => {
                let weight = shared_out(places.weight, &mass_at_places(places.places(), grid, kernel, h));
                let places = Ordered { weight: &weight, ..places };
                inside(kernel_sums(places.places(), grid, kernel, h)).collect()
            }
        }
    }
}

/// Σᵢ wᵢ K(dᵢ/h) at each of the places, its own weight included.
fn sums_at_places(places: Ordered<'_>, kernel: Kernel, h: f64) -> Vec<f64> {
    let reach = kernel.reach();
    let at = |(&x, &y): (&f64, &f64)| {
        let mut sum = 0.0;
        for place in places.rows_within(y, h * reach) {
            let (dx, dy) = ((places.x[place] - x) / h, (places.y[place] - y) / h);
            let u2 = dx * dx + dy * dy;
            if u2 <= reach * reach {
                sum += places.weight[place] * kernel.value(u2);
            }
        }
        sum
    };
    places.x.par_iter().zip(places.y).map(at).collect()
}

/// Places whose bandwidths lie within a factor of two of one another: a row of the raster then looks at few places in
/// vain. In a class, places keep their order.
struct Class {
    widest: f64,
    x: Vec<f64>,
    y: Vec<f64>,
    weight: Vec<f64>,
    h: Vec<f64>,
}

impl Class {
    /// The classes of places with a weight, from the narrowest.
    fn of(places: Ordered<'_>, h: &[f64]) -> Vec<Self> {
        let counted = || (0..h.len()).filter(|&at| places.weight[at] > 0.0);
        let least = counted().map(|at| h[at]).fold(f64::INFINITY, f64::min);
        let mut classes: Vec<Self> = Vec::new();
        for at in counted() {
            let mut class = 0;
            let mut widest = 2.0 * least;
            while h[at] > widest {
                (class, widest) = (class + 1, widest * 2.0);
            }
            while classes.len() <= class {
                let widest = classes.last().map_or(2.0 * least, |last| 2.0 * last.widest);
                let (x, y, weight, h) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
                classes.push(Self { widest, x, y, weight, h });
            }
            let class = &mut classes[class];
            class.x.push(places.x[at]);
            class.y.push(places.y[at]);
            class.weight.push(places.weight[at]);
            class.h.push(h[at]);
        }
        classes
    }
}

/// Σᵢ wᵢ c/hᵢ² · K(dᵢ/hᵢ) at the centre of each cell, row by row from the south-west, inside the window or not: a
/// density per m², every place with a bandwidth of its own.
pub fn densities(places: Ordered<'_>, h: &[f64], grid: &Grid, kernel: Kernel) -> Vec<f64> {
    let (nx, width) = (grid.nx(), grid.cell().get());
    let first = grid.centre_x(0);
    let reach = kernel.reach();
    let classes = Class::of(places, h);
    let mut values = vec![0.0; nx * grid.ny()];
    values.par_chunks_mut(nx).enumerate().for_each(|(row, cells)| {
        let y = grid.centre_y(row);
        // One thread writes a row, class by class, and in a class adds the places in their order.
        for class in &classes {
            let places = Ordered { x: &class.x, y: &class.y, weight: &class.weight };
            for place in places.rows_within(y, class.widest * reach) {
                let h = class.h[place];
                let across = (places.y[place] - y) / h;
                let left_over = reach * reach - across * across;
                if left_over < 0.0 {
                    continue;
                }
                let weight = places.weight[place] * kernel.factor() / (h * h);
                let centre = (places.x[place] - first) / width;
                let half = h * left_over.sqrt() / width;
                let start = (centre - half).ceil().clamp(0.0, nx as f64) as usize;
                let end = ((centre + half).floor() + 1.0).clamp(0.0, nx as f64) as usize;
                for (column, cell) in cells.iter_mut().enumerate().take(end).skip(start) {
                    let along = (column as f64 - centre) * width / h;
                    *cell += weight * kernel.value(along * along + across * across);
                }
            }
        }
    });
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_geometric_mean_of_the_bandwidths_is_the_global_one() {
        let (pilot, weight) = ([1e-6, 4e-6, 9e-5], [1.0, 2.0, 1.0]);
        let law = Abramson::new(&pilot, &weight, 300.0, Cap(100.0)).unwrap();
        let logs: f64 = pilot.iter().zip(weight).map(|(&p, w)| w * law.bandwidth(p).ln()).sum();
        assert!(((logs / 4.0).exp() / 300.0 - 1.0).abs() < 1e-14);
        assert!((law.bandwidth(1e-6) / law.bandwidth(4e-6) - 2.0).abs() < 1e-14);
        assert_eq!(law.bandwidth(0.0), 30_000.0);
        assert_eq!(Abramson::new(&[0.0], &[1.0], 300.0, Cap(5.0)), None);
    }

    #[test]
    fn a_cap_is_a_number_of_one_or_more() {
        assert_eq!("2.5".parse::<Cap>().unwrap().get(), 2.5);
        for wrong in ["0.5", "-1", "nan", "inf", "five", ""] {
            assert!(wrong.parse::<Cap>().is_err(), "{wrong}");
        }
    }
}
