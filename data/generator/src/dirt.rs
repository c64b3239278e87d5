//! The dirt: what goes wrong between a dispatcher's screen and an open-data portal.
//!
//! Dirt falls on background rows only, at most one kind to a row, and every dirty line is written down.

use crate::geography::{self, STATION};
use crate::plane::Point;
use crate::rng::{Rng, Stream};

/// A row of the export, as text.
#[derive(Debug, Clone)]
pub struct Row {
    /// `id_caso`.
    pub id: String,
    /// `fecha_hecho`, dd/mm/yyyy.
    pub date: String,
    /// `hora`, HH:MM.
    pub hour: String,
    /// `tipo_delito`.
    pub kind: String,
    /// `dirección`, unquoted.
    pub address: String,
    /// `barrio`.
    pub barrio: &'static str,
    /// `longitud`, with a decimal comma.
    pub lon: String,
    /// `latitud`, with a decimal comma.
    pub lat: String,
    /// Where the incident truly happened.
    pub at: Point,
    /// Whether the incident was planted in a hotspot.
    pub planted: bool,
    /// What is wrong with the row.
    pub dirt: Option<Dirt>,
}

impl Row {
    /// Whether the row says truly where and on which day its incident happened, and says it once.
    pub fn is_usable(&self) -> bool {
        self.dirt.is_none_or(Dirt::is_harmless)
    }
}

/// A kind of dirt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dirt {
    /// Both coordinates are empty.
    NoCoordinates,
    /// Both coordinates are zero.
    ZeroCoordinates,
    /// Longitude and latitude have changed places.
    SwappedAxes,
    /// The address was found in another city, 150 km away.
    FarAway,
    /// The longitude is mistyped and is no number.
    BrokenDecimal,
    /// A coordinate reads `NaN`.
    NanCoordinate,
    /// A coordinate reads `N/A`.
    NaCoordinate,
    /// The coordinates are those of the police station.
    StationDefault,
    /// A date that no calendar has.
    ImpossibleDate,
    /// The date reads `s/f`, "sin fecha".
    NoDate,
    /// The hour is empty: only the date is known.
    HourMissing,
    /// The row stands in the file a second time.
    DuplicateId,
    /// The kind is not in capitals.
    KindCapitals,
}

impl Dirt {
    /// Every kind with the number of rows it falls on.
    pub const ROWS: [(Self, usize); 13] = [
        (Self::NoCoordinates, 42),
        (Self::ZeroCoordinates, 24),
        (Self::SwappedAxes, 7),
        (Self::FarAway, 9),
        (Self::BrokenDecimal, 6),
        (Self::NanCoordinate, 3),
        (Self::NaCoordinate, 3),
        (Self::StationDefault, 58),
        (Self::ImpossibleDate, 6),
        (Self::NoDate, 4),
        (Self::HourMissing, 40),
        (Self::DuplicateId, 8),
        (Self::KindCapitals, 30),
    ];

    /// The word in `dirt.csv`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::NoCoordinates => "no_coordinates",
            Self::ZeroCoordinates => "zero_coordinates",
            Self::SwappedAxes => "swapped_axes",
            Self::FarAway => "far_away",
            Self::BrokenDecimal => "broken_decimal",
            Self::NanCoordinate => "nan_coordinate",
            Self::NaCoordinate => "na_coordinate",
            Self::StationDefault => "station_default",
            Self::ImpossibleDate => "impossible_date",
            Self::NoDate => "no_date",
            Self::HourMissing => "hour_missing",
            Self::DuplicateId => "duplicate_id",
            Self::KindCapitals => "kind_capitals",
        }
    }

    /// Whether the row still says truly where and on which day its incident happened, and says it once.
    const fn is_harmless(self) -> bool {
        matches!(self, Self::HourMissing | Self::KindCapitals)
    }
}

/// Soils the rows and returns them with the duplicates among them.
pub fn soil(seed: u64, mut rows: Vec<Row>) -> Vec<Row> {
    let mut rng = Rng::new(seed, Stream::Dirt);
    let mut candidates: Vec<usize> = (0..rows.len()).filter(|&at| !rows[at].planted).collect();
    rng.shuffle(&mut candidates);
    let mut candidates = candidates.into_iter();
    let mut copies = Vec::new();
    for (dirt, count) in Dirt::ROWS {
        for (variant, at) in candidates.by_ref().take(count).enumerate() {
            if dirt == Dirt::DuplicateId {
                copies.push((at, Row { dirt: Some(dirt), ..rows[at].clone() }));
            } else {
                apply(&mut rows[at], dirt, variant);
            }
        }
    }
    // From the last to the first, so that an insertion moves no row that is still to be copied. A copy stands
    // some way after its original, as when two exports were pasted together.
    copies.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
    for (at, copy) in copies {
        let after = (at + 1 + rng.below(200)).min(rows.len());
        rows.insert(after, copy);
    }
    rows
}

fn apply(row: &mut Row, dirt: Dirt, variant: usize) {
    row.dirt = Some(dirt);
    match dirt {
        Dirt::NoCoordinates => (row.lon, row.lat) = (String::new(), String::new()),
        Dirt::ZeroCoordinates => {
            let zero = if variant.is_multiple_of(2) { "0" } else { "0,000000" };
            (row.lon, row.lat) = (zero.to_owned(), zero.to_owned());
        }
        Dirt::SwappedAxes => std::mem::swap(&mut row.lon, &mut row.lat),
        Dirt::FarAway => {
            let away = geography::lon_lat(geography::neighbouring_city(variant));
            (row.lon, row.lat) = (comma(away.0), comma(away.1));
        }
        Dirt::BrokenDecimal => {
            let decimals = row.lon.split_once(',').map_or("", |(_, decimals)| decimals);
            row.lon = match variant % 3 {
                0 => format!("-83,{decimals:.2}a"),
                1 => format!("-83,,{decimals:.5}"),
                _ => format!("-83,{decimals:.4}O"),
            };
        }
        Dirt::NanCoordinate => row.lat = "NaN".to_owned(),
        Dirt::NaCoordinate => row.lat = "N/A".to_owned(),
        Dirt::StationDefault => {
            let (lon, lat) = geography::lon_lat(STATION);
            (row.lon, row.lat) = (comma(lon), comma(lat));
        }
        Dirt::ImpossibleDate => {
            let day_and_month = ["31/02", "30/02", "31/06", "00/05", "31/11", "12/13"][variant % 6];
            row.date.replace_range(..5, day_and_month);
        }
        Dirt::NoDate => row.date = "s/f".to_owned(),
        Dirt::HourMissing => row.hour.clear(),
        Dirt::KindCapitals => {
            let lower = row.kind.to_lowercase();
            row.kind =
                if variant.is_multiple_of(2) { lower } else { format!("{}{}", &row.kind[..1], &lower[1..]) };
        }
        // The caller copies the row.
        Dirt::DuplicateId => {}
    }
}

/// A coordinate as the export writes it.
pub fn comma(degrees: f64) -> String {
    format!("{degrees:.6}").replace('.', ",")
}
