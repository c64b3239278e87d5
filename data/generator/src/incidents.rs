//! What happened, where and when: the background, and what was planted on it.

use crate::calendar::{Clock, Hours, Trend};
use crate::geography::{self, Place};
use crate::hotspots::PLANTED;
use crate::plane::{self, Point};
use crate::rng::{Choice, Rng, Stream};

/// Background incidents.
pub const BACKGROUND: usize = 5_900;

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the words of the file")]
pub enum Kind {
    HurtoAPersonas,
    Lesiones,
    Amenazas,
    ViolenciaIntrafamiliar,
    HurtoDeVehiculo,
    HurtoAResidencias,
    Extorsion,
    Homicidio,
}

impl Kind {
    /// Every kind with its share of the background in percent.
    pub const SHARES: [(Self, f64); 8] = [
        (Self::HurtoAPersonas, 36.),
        (Self::Lesiones, 19.),
        (Self::Amenazas, 12.),
        (Self::ViolenciaIntrafamiliar, 9.),
        (Self::HurtoDeVehiculo, 8.),
        (Self::HurtoAResidencias, 7.),
        (Self::Extorsion, 5.),
        (Self::Homicidio, 4.),
    ];

    /// The words in the file.
    pub const fn words(self) -> &'static str {
        match self {
            Self::HurtoAPersonas => "HURTO A PERSONAS",
            Self::Lesiones => "LESIONES",
            Self::Amenazas => "AMENAZAS",
            Self::ViolenciaIntrafamiliar => "VIOLENCIA INTRAFAMILIAR",
            Self::HurtoDeVehiculo => "HURTO DE VEHICULO",
            Self::HurtoAResidencias => "HURTO A RESIDENCIAS",
            Self::Extorsion => "EXTORSION",
            Self::Homicidio => "HOMICIDIO",
        }
    }

    /// How much one harms, in days; made up.
    pub const fn days(self) -> u32 {
        match self {
            Self::HurtoAPersonas => 20,
            Self::Amenazas | Self::HurtoDeVehiculo => 60,
            Self::HurtoAResidencias => 90,
            Self::Lesiones => 180,
            Self::ViolenciaIntrafamiliar => 240,
            Self::Extorsion => 720,
            Self::Homicidio => 5500,
        }
    }
}

/// One incident.
#[derive(Debug, Clone)]
pub struct Incident {
    /// The day, from 2023-01-01.
    pub day: usize,
    /// The minute of the day.
    pub minute: usize,
    /// What happened.
    pub kind: Kind,
    /// Where.
    pub at: Point,
    /// The address as it was written down.
    pub address: String,
    /// Whether it was planted in a hotspot.
    pub planted: bool,
}

/// The incidents in order of time, and how many were planted in each hotspot.
pub fn draw(seed: u64, outlines: &[Vec<Point>]) -> (Vec<Incident>, Vec<usize>) {
    let places = geography::places(seed, outlines);
    let everywhere = geography::by_weight(&places);
    let kinds = Choice::new(Kind::SHARES.iter().map(|&(_, share)| share));

    let mut rng = Rng::new(seed, Stream::Background);
    let clock = Clock::new(Hours::ALL, Trend::Steady);
    let mut incidents: Vec<Incident> = (0..BACKGROUND)
        .map(|_| {
            let place = &places[everywhere.draw(&mut rng)];
            let kind = Kind::SHARES[kinds.draw(&mut rng)].0;
            incident(&mut rng, &clock, place, kind, false)
        })
        .collect();

    let mut rng = Rng::new(seed, Stream::Planted);
    let mut planted = Vec::new();
    for (hotspot, outline) in PLANTED.iter().zip(outlines) {
        let within: Vec<Place> =
            places.iter().filter(|place| plane::inside(outline, place.at)).cloned().collect();
        let by_weight = geography::by_weight(&within);
        let expected = BACKGROUND as f64 * by_weight.total() / everywhere.total();
        let count = ((hotspot.factor - 1.0) * expected).round() as usize;
        let clock = Clock::new(hotspot.hours, hotspot.trend);
        for _ in 0..count {
            let place = &within[by_weight.draw(&mut rng)];
            let usual = Kind::SHARES[kinds.draw(&mut rng)].0;
            let kind = if rng.chance(0.5) { hotspot.mostly } else { usual };
            incidents.push(incident(&mut rng, &clock, place, kind, true));
        }
        planted.push(count);
    }
    incidents.sort_by_key(|incident| (incident.day, incident.minute));
    (incidents, planted)
}

fn incident(rng: &mut Rng, clock: &Clock, place: &Place, kind: Kind, planted: bool) -> Incident {
    let (day, minute) = clock.draw(rng);
    // What a dispatcher adds by hand; it makes quoting necessary.
    let remark = match rng.unit() {
        u if u < 0.010 => "; LOCAL 4",
        u if u < 0.020 => ", FRENTE A LA TIENDA \"LA BRASA\"",
        u if u < 0.035 => ", PISO 2",
        _ => "",
    };
    Incident { day, minute, kind, at: place.at, address: format!("{}{remark}", place.address), planted }
}
