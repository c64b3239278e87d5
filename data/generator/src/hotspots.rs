//! The planted hotspots: the truth that an analysis of the sample should find.

use crate::calendar::{Hours, Trend};
use crate::geography::Grid;
use crate::incidents::Kind;
use crate::plane::Point;

/// The form of a hotspot about an avenue crossing, on the axes of the streets there; lengths in metres.
#[derive(Debug, Clone, Copy)]
pub enum Shape {
    /// A circle, as a polygon of 20 sides.
    Round {
        /// Its radius.
        radius: f64,
    },
    /// An ellipse, as a polygon of 28 sides, longer along the calle.
    Oval {
        /// Half its length and half its width.
        half: (f64, f64),
    },
    /// A rectangle along the calle.
    Rectangle {
        /// Its length.
        length: f64,
        /// Its width.
        width: f64,
    },
    /// Two streets that meet: one arm along the calle, one along the carrera.
    Ell {
        /// The arms, from the crossing.
        arms: (f64, f64),
        /// Their width.
        width: f64,
    },
}

impl Shape {
    /// The word in the files.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Round { .. } => "round",
            Self::Oval { .. } => "oval",
            Self::Rectangle { .. } => "rectangle",
            Self::Ell { .. } => "L",
        }
    }

    /// The vertices on the street axes, counter-clockwise.
    fn vertices(self) -> Vec<(f64, f64)> {
        let ellipse = |a: f64, b: f64, sides: u32| {
            (0..sides)
                .map(|k| {
                    let angle = std::f64::consts::TAU * f64::from(k) / f64::from(sides);
                    (a * libm::cos(angle), b * libm::sin(angle))
                })
                .collect()
        };
        match self {
            Self::Round { radius } => ellipse(radius, radius, 20),
            Self::Oval { half } => ellipse(half.0, half.1, 28),
            Self::Rectangle { length, width } => {
                let (l, w) = (length / 2.0, width / 2.0);
                vec![(-l, -w), (l, -w), (l, w), (-l, w)]
            }
            Self::Ell { arms, width } => {
                let w = width / 2.0;
                vec![(-w, -w), (arms.0, -w), (arms.0, w), (w, w), (w, arms.1), (-w, arms.1)]
            }
        }
    }
}

/// A planted hotspot.
#[derive(Debug, Clone, Copy)]
pub struct Hotspot {
    /// Its number, from 1.
    pub id: u32,
    /// Its name.
    pub nombre: &'static str,
    /// It lies on the avenue crossing nearest to here.
    near: Point,
    /// Its form.
    pub shape: Shape,
    /// Planted and background incidents over background incidents, as expected numbers.
    pub factor: f64,
    /// When the planted incidents happen.
    pub hours: Hours,
    /// How they change over the two years.
    pub trend: Trend,
    /// The kind of half of the planted incidents; the other half is like everywhere.
    pub mostly: Kind,
}

impl Hotspot {
    /// Its outline, counter-clockwise.
    pub fn outline(&self) -> Vec<Point> {
        let grid = Grid::at(self.near);
        let crossing = grid.nearest_crossing(self.near);
        self.shape
            .vertices()
            .into_iter()
            .map(|(along, across)| grid.offset(crossing, along, across))
            .collect()
    }
}

/// The eight hotspots, no two closer than 800 m.
pub const PLANTED: [Hotspot; 8] = [
    Hotspot {
        id: 1,
        nombre: "Mercado Central",
        near: Point::new(6_200., 5_000.),
        shape: Shape::Round { radius: 260. },
        factor: 7.0,
        hours: Hours(8, 15),
        trend: Trend::Steady,
        mostly: Kind::HurtoAPersonas,
    },
    Hotspot {
        id: 2,
        nombre: "Terminal Norte",
        near: Point::new(7_600., 8_700.),
        shape: Shape::Round { radius: 210. },
        factor: 14.0,
        hours: Hours::ALL,
        trend: Trend::Steady,
        mostly: Kind::HurtoAPersonas,
    },
    Hotspot {
        id: 3,
        nombre: "Avenida El Faro",
        near: Point::new(10_500., 5_300.),
        shape: Shape::Rectangle { length: 900., width: 150. },
        factor: 7.0,
        hours: Hours::ALL,
        trend: Trend::Growing,
        mostly: Kind::Extorsion,
    },
    Hotspot {
        id: 4,
        nombre: "Puente Viejo",
        near: Point::new(3_000., 4_900.),
        shape: Shape::Ell { arms: (560., 480.), width: 130. },
        factor: 7.0,
        hours: Hours::ALL,
        trend: Trend::Steady,
        mostly: Kind::Homicidio,
    },
    Hotspot {
        id: 5,
        nombre: "Zona Rosa",
        near: Point::new(8_200., 2_700.),
        shape: Shape::Rectangle { length: 420., width: 300. },
        factor: 7.5,
        hours: Hours(22, 4),
        trend: Trend::Steady,
        mostly: Kind::Lesiones,
    },
    Hotspot {
        id: 6,
        nombre: "Parque San Martín",
        near: Point::new(4_300., 2_200.),
        shape: Shape::Round { radius: 100. },
        factor: 13.0,
        hours: Hours::ALL,
        trend: Trend::Fading,
        mostly: Kind::HurtoDeVehiculo,
    },
    Hotspot {
        id: 7,
        nombre: "La Loma",
        near: Point::new(12_300., 3_000.),
        shape: Shape::Oval { half: (420., 300.) },
        factor: 5.0,
        hours: Hours(17, 23),
        trend: Trend::Steady,
        mostly: Kind::Amenazas,
    },
    Hotspot {
        id: 8,
        nombre: "Las Palmas",
        near: Point::new(1_900., 6_600.),
        shape: Shape::Oval { half: (320., 180.) },
        factor: 8.5,
        hours: Hours::ALL,
        trend: Trend::Steady,
        mostly: Kind::Lesiones,
    },
];
