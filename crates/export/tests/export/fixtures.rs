use brasa_model::{
    Civil, Column, ColumnKind, Crs, Feature, Grid, InputRecord, Interval, Layer, Metres, Note, Provenance,
    Scale, Style, Surface, SurfaceSeries, Value, Window, WindowOrigin,
};
use geo::{Geometry, MultiPolygon, Polygon, polygon};

/// Text that has broken exports before: quotes, formulas, scripts, bidirectional marks, emoji, line ends, NUL.
pub const HOSTILE: [&str; 8] = [
    "He said \"no\", then left",
    "=HYPERLINK(\"http://example.org\")",
    "line one\r\nline two\ttabbed",
    "‏عربي‎ and \u{202e}reversed",
    "👩‍🚒 Ñuñoa – São João",
    "</script><script>alert(1)</script>",
    "nul \0 and bell \u{7}",
    "back\\slash 'quoted'; DROP TABLE hotspots; --",
];

/// Memphis, in the metres of UTM zone 16.
pub fn crs() -> Crs {
    Crs::from_epsg(32_616).unwrap()
}

pub fn provenance() -> Provenance {
    let mut provenance =
        Provenance::new("kde", serde_json::json!({"bandwidth": "500m", "kernel": "quartic"}));
    provenance.inputs.push(InputRecord {
        role: "incidents".into(),
        name: "robberies.csv".into(),
        bytes: 1234,
        sha256: "00".repeat(32),
        rows: None,
        rejected_by_reason: None,
        kinds: None,
        sources: None,
        crs_in: Some("EPSG:4326".into()),
        crs_out: Some("EPSG:32616".into()),
    });
    provenance
}

pub fn notes() -> Vec<Note> {
    vec![Note::new("bandwidth_chosen", "the bandwidth is 500 m").value(500.0, "m").reason("rule of Scott")]
}

/// A square with a square hole; clockwise outside, which files must turn round.
pub fn ring(x: f64, y: f64, size: f64) -> Polygon<f64> {
    let (a, b) = (size * 0.25, size * 0.75);
    polygon!(
        exterior: [(x: x, y: y), (x: x, y: y + size), (x: x + size, y: y + size), (x: x + size, y: y)],
        interiors: [[(x: x + a, y: y + a), (x: x + b, y: y + a), (x: x + b, y: y + b), (x: x + a, y: y + b)]]
    )
}

pub fn layer_of(geometries: Vec<Geometry<f64>>) -> Layer {
    let features = geometries
        .into_iter()
        .enumerate()
        .map(|(at, geometry)| Feature {
            id: at as i64 + 1,
            geometry,
            values: vec![
                Value::Integer(at as i64 + 1),
                if at % 2 == 0 { Value::Real(at as f64 + 0.1) } else { Value::Null },
                Value::Text(HOSTILE[at % HOSTILE.len()].to_owned()),
            ],
        })
        .collect();
    Layer {
        name: "hotspots".into(),
        title: "Hotspots of \"robbery\"".into(),
        description: "Where incidents concentrate; not a forecast.".into(),
        crs: crs(),
        columns: vec![
            Column::new("rank", "Rank", "", ColumnKind::Integer),
            Column::new("intensity", "Incidents per km² and year", "incidents/km²/year", ColumnKind::Real),
            Column::new("why", "Why it's here", "", ColumnKind::Text),
        ],
        features,
        style: Style::number("intensity", Scale::Sequential).labelled("rank"),
        period: Some(Interval {
            start: Civil::new(2018, 1, 1, 0).unwrap(),
            end: Civil::new(2019, 1, 1, 0).unwrap(),
        }),
        provenance: provenance(),
        notes: notes(),
    }
}

/// Nine polygons in a row.
pub fn layer() -> Layer {
    let places = (0..9).map(|at| ring(231_000.0 + 1_500.0 * f64::from(at), 3_893_000.0, 1_000.0).into());
    layer_of(places.collect())
}

/// The nine polygons, each with a day of its own; the fourth without one.
pub fn timed() -> Layer {
    let mut layer = layer();
    layer.columns.push(Column::new("start", "Start", "", ColumnKind::Time));
    layer.columns.push(Column::new("end", "End, not part of it", "", ColumnKind::Time));
    for (day, feature) in (1..).zip(&mut layer.features) {
        let time = |day| Value::Time(Civil::new(2018, 3, day, 3_600).unwrap());
        let known = if day == 4 { [Value::Null, Value::Null] } else { [time(day), time(day + 1)] };
        feature.values.extend(known);
    }
    layer
}

/// A slope that rises to the north-east, with a corner cut off.
pub fn surface(columns: u32, rows: u32) -> Surface {
    let (x, y, cell) = (231_000.0, 3_893_000.0, 100.0);
    let (east, north) = (x + cell * f64::from(columns), y + cell * f64::from(rows));
    let outline = polygon![
        (x: x, y: y),
        (x: east, y: y),
        (x: east, y: north),
        (x: x + cell * 0.4 * f64::from(columns), y: north),
        (x: x, y: y + cell * 0.6 * f64::from(rows)),
    ];
    let window =
        Window::new(MultiPolygon::new(vec![outline]), WindowOrigin::Given("town.geojson".into())).unwrap();
    let grid = Grid::covering(&window, Metres::new(cell).unwrap()).unwrap();
    let values = ndarray::Array2::from_shape_fn((grid.ny(), grid.nx()), |(row, column)| {
        let inside = grid.is_inside(row * grid.nx() + column);
        if inside { row as f64 * 1000.0 + column as f64 + 1.0 / 3.0 } else { f64::NAN }
    });
    Surface { grid, values, unit: "incidents/km²/year".into(), provenance: provenance(), notes: notes() }
}

/// Three days on the slope; the second is twice the first, the third three times.
pub fn series(columns: u32, rows: u32) -> SurfaceSeries {
    let Surface { grid, values, provenance, notes, .. } = surface(columns, rows);
    let midnight = |day: u8| Civil::new(2019, 3, day, 0).unwrap();
    let frames = (1..=3).map(|day| Interval { start: midnight(day), end: midnight(day + 1) }).collect();
    let values = ndarray::Array3::from_shape_fn((3, grid.ny(), grid.nx()), |(frame, row, column)| {
        values[(row, column)] * (frame as f64 + 1.0)
    });
    SurfaceSeries { grid, frames, values, unit: "incidents/km²/day".into(), provenance, notes }
}
