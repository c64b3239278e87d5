//! Zones that are given: beats, tracts, colonias.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

use brasa_model::{Denominators, GivenZone, GivenZones, Grid, Incidents, Metres, Window, WindowOrigin};
use brasa_spatial_index::methods::local::gi_star::{GiStarParams, gi_star};
use brasa_spatial_index::methods::local::local_moran::local_moran;
use brasa_spatial_index::weights::{Neighbours, Weights};
use brasa_spatial_index::zones::Zones;
use brasa_spatial_index::{AnalysisError, CellSize, Sites, Watch};
use brasa_tests::{brasa, gal, incidents, real};
use geo::{MultiPolygon, Polygon, Rect};

const NEIGHBOURS: [&str; 6] = ["queen", "rook", "knn:1", "knn:5", "band:100m", "band:230m"];

fn zone(name: &str, polygon: Polygon<f64>) -> GivenZone {
    let outline = Window::new(MultiPolygon::new(vec![polygon]), WindowOrigin::Given("zones".to_owned()));
    GivenZone { name: name.to_owned(), outline: outline.unwrap() }
}

fn square(x: f64, y: f64, side: f64) -> Polygon<f64> {
    Rect::new((x, y), (x + side, y + side)).to_polygon()
}

/// A hundred places in a world of 700 m × 500 m, most of them in the south-west, and as many on the sides of its cells.
fn world() -> Incidents {
    let part = |at: u32, step: f64| (f64::from(at) * step) % 1.0;
    let mut x: Vec<f64> = (0..100).map(|at| 700.0 * part(at, 0.618_034).powi(2)).collect();
    let mut y: Vec<f64> = (0..100).map(|at| 500.0 * part(at, 0.754_878).powi(2)).collect();
    x.extend((0..100).map(|at| f64::from(at % 7) * 100.0));
    y.extend((0..100).map(|at| f64::from(at % 5) * 100.0));
    incidents(x, y, None, (0.0, 0.0, 700.0, 500.0))
}

/// The cells of the world, given as polygons in the order of the grid.
fn cells_as_zones(grid: &Grid) -> GivenZones {
    let zones = grid.cells().map(|cell| zone(&cell.to_string(), grid.polygon(cell))).collect();
    GivenZones { file: "zones".to_owned(), zones, denominators: None }
}

#[test]
fn cells_that_are_given_as_polygons_are_counted_and_judged_as_cells() {
    let world = world();
    let cell = Metres::new(100.0).unwrap();
    let grid = Grid::covering(&world.window, cell).unwrap();
    let given = Incidents { zones: Some(cells_as_zones(&grid)), ..world.clone() };
    for neighbours in NEIGHBOURS {
        let neighbours: Neighbours = neighbours.parse().unwrap();
        assert_eq!(
            Weights::on_given(&given.zones.as_ref().unwrap().zones, neighbours),
            Weights::on_grid(&grid, neighbours),
            "{neighbours}"
        );
        let params = GiStarParams {
            counted: CellSize::Length(cell).into(),
            neighbours,
            permutations: 99,
            ..GiStarParams::default()
        };
        for method in [gi_star, local_moran] {
            let on_cells = method(&world, &params, &Watch::NOBODY).unwrap();
            let on_zones = method(&given, &params, &Watch::NOBODY).unwrap();
            assert_eq!(on_zones.count, on_cells.count);
            assert_eq!(on_zones.p, on_cells.p);
            assert_eq!(on_zones.class, on_cells.class);
        }
    }
}

#[test]
fn borders_drawn_twice_touch_and_a_corner_is_no_border() {
    // A large square; beside it two small ones, half a metre off and without its corner where they meet; one across its
    // north-eastern corner; one two metres away.
    let zones = [
        zone("large", square(0.0, 0.0, 1000.0)),
        zone("south-east", square(1000.5, 0.0, 500.0)),
        zone("east", square(999.6, 500.0, 499.5)),
        zone("corner", square(1000.0, 1000.0, 300.0)),
        zone("apart", square(0.0, 1002.0, 300.0)),
    ];
    let names = |weights: &Weights, at: usize| -> Vec<&str> {
        weights.of(at).iter().map(|&to| zones[to as usize].name.as_str()).collect()
    };
    let queen = Weights::on_given(&zones, Neighbours::Queen);
    let rook = Weights::on_given(&zones, Neighbours::Rook);
    assert_eq!(names(&queen, 0), ["south-east", "east", "corner"]);
    assert_eq!(names(&rook, 0), ["south-east", "east"]);
    assert_eq!(names(&queen, 2), ["large", "south-east", "corner"]);
    assert_eq!(names(&queen, 4), Vec::<&str>::new());
    assert_eq!(queen.islands().unwrap().value.unwrap(), 1);
}

#[test]
fn the_borders_of_columbus_are_those_that_geoda_found() {
    let (Some(file), Some(links)) =
        (real("reference/data/columbus.geojson"), gal("reference/data/columbus.gal"))
    else {
        return;
    };
    let text = std::fs::read_to_string(file).unwrap();
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    // Its units are of no known length; taken for kilometres they are far larger than a metre.
    let corner =
        |at: &serde_json::Value| (at[0].as_f64().unwrap() * 1000.0, at[1].as_f64().unwrap() * 1000.0);
    let polygon = |rings: &serde_json::Value| {
        let exterior: Vec<(f64, f64)> = rings[0].as_array().unwrap().iter().map(corner).collect();
        Polygon::new(exterior.into(), Vec::new())
    };
    let zones: Vec<GivenZone> = json["features"]
        .as_array()
        .unwrap()
        .iter()
        .map(|feature| {
            zone(
                &feature["properties"]["POLYID"].to_string(),
                polygon(&feature["geometry"]["coordinates"][0]),
            )
        })
        .collect();
    let numbered: Vec<usize> = zones.iter().map(|zone| zone.name.parse::<usize>().unwrap() - 1).collect();
    assert_eq!(numbered, (0..49).collect::<Vec<_>>());
    let found = Weights::on_given(&zones, Neighbours::Queen);
    assert_eq!(found.links(), 236);
    assert_eq!(found, Weights::from_lists(&links));
}

#[test]
fn zones_are_cut_by_the_study_area_and_rates_are_of_what_was_given() {
    // The world ends at x = 700: of three strips one lies in it, one is cut in half, one lies beyond.
    let strip = |west: f64| Rect::new((west, 0.0), (west + 400.0, 500.0)).to_polygon();
    let zones = [("in", 0.0), ("cut", 500.0), ("beyond", 900.0)].map(|(name, west)| zone(name, strip(west)));
    let denominators = Denominators { column: "people".to_owned(), values: vec![10.0, 20.0, 30.0] };
    let given =
        GivenZones { file: "strips".to_owned(), zones: zones.to_vec(), denominators: Some(denominators) };
    let world = world();
    let found = Zones::on_given(&Sites::new(&world), &given, &world.window, Neighbours::Queen).unwrap();
    let inside = |west: f64, east: f64| world.x.iter().filter(|&&x| x >= west && x < east).count() as f64;
    assert_eq!(found.count, [inside(0.0, 400.0), inside(500.0, 700.0)]);
    assert_eq!(found.values, [found.count[0] / 10.0, found.count[1] / 20.0]);
    let codes: Vec<&str> = found.notes.iter().map(|note| note.code.as_str()).collect();
    assert_eq!(codes, ["zones_outside", "zones_cut", "outside_zones", "few_zones", "islands"]);
    let areas: Vec<f64> = found.zoning.shapes().map(|(_, shape)| geo::Area::unsigned_area(&shape)).collect();
    assert_eq!(areas, [400.0 * 500.0, 200.0 * 500.0]);

    let apart = GivenZones { zones: vec![zone("beyond", strip(900.0))], denominators: None, ..given };
    let none = Zones::on_given(&Sites::new(&world), &apart, &world.window, Neighbours::Queen).unwrap_err();
    assert!(matches!(none, AnalysisError::TooFewZones { .. }), "{none}");
}

/// Quarters of the sample city as GeoJSON, each a name, some people, and the ring that `corners` makes of its box.
fn quarters(people: &str, corners: fn([f64; 4]) -> Vec<[f64; 2]>) -> String {
    let (x, y) = ([-83.60, -83.50, -83.40], [-12.10, -12.00, -11.90]);
    let quarter = |(at, name): (usize, &str)| {
        let (column, row) = (at % 2, at / 2);
        let ring = corners([x[column], y[row], x[column + 1], y[row + 1]]);
        let people = if name == "Norte" { people } else { "1500" };
        format!(
            r#"{{"type":"Feature","properties":{{"n":{at},"nombre":"{name}","gente":{people}}},
            "geometry":{{"type":"Polygon","coordinates":[{ring:?}]}}}}"#
        )
    };
    let features: Vec<String> =
        ["Sur", "Este", "Oeste", "Norte"].into_iter().enumerate().map(quarter).collect();
    format!(r#"{{"type":"FeatureCollection","features":[{}]}}"#, features.join(","))
}

fn plain([west, south, east, north]: [f64; 4]) -> Vec<[f64; 2]> {
    vec![[west, south], [east, south], [east, north], [west, north], [west, south]]
}

/// What brasa says of zones and where it wrote: the folder is gone with the value.
fn asked(zones: &str, more: &[&str]) -> (brasa_tests::Said, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let (file, out) = (folder.path().join("quarters.geojson"), folder.path().join("out.csv"));
    std::fs::write(&file, zones).unwrap();
    let (file, out) = (file.to_str().unwrap(), out.to_str().unwrap());
    let said = brasa(["gi-star", "data/incidentes.csv", "-o", out, "--zones", file, "-v"].iter().chain(more));
    (said, folder)
}

#[test]
fn zones_of_a_file_are_the_study_area_and_their_rates_are_written() {
    let (said, folder) = asked(&quarters("3000", plain), &["--population", "gente"]);
    assert_eq!(said.code, 3, "{}", said.err);
    for wanted in
        ["incidents are counted in the zones of quarters.geojson", "by the column nombre", "only 4 zones"]
    {
        assert!(said.out.contains(wanted), "{wanted}: {}", said.out);
    }
    let table = std::fs::read_to_string(folder.path().join("out.csv")).unwrap();
    let mut lines = table.lines();
    assert_eq!(lines.next().unwrap(), "zone,count,neighbours,area_km2,population,rate,z,p,q,class,lon,lat");
    let rows: Vec<Vec<&str>> = lines.map(|line| line.split(',').collect()).collect();
    let names: Vec<&str> = rows.iter().map(|row| row[0]).collect();
    assert_eq!(names, ["Sur", "Este", "Oeste", "Norte"]);
    for row in &rows {
        let [count, people, rate] = [1, 4, 5].map(|at| row[at].parse::<f64>().unwrap());
        assert_eq!(people, if row[0] == "Norte" { 3000.0 } else { 1500.0 });
        assert!((rate - count / people).abs() < 1e-12);
        assert_eq!(row[2], "4");
    }
}

#[test]
fn parts_of_a_zone_that_overlap_count_once() {
    let once = quarters("3000", plain);
    let ring = format!("{:?}", plain([-83.60, -12.10, -83.50, -12.00]));
    let [one, both] = [
        format!(r#""Polygon","coordinates":[{ring}]"#),
        format!(r#""MultiPolygon","coordinates":[[{ring}],[{ring}]]"#),
    ];
    let twice = once.replace(&one, &both);
    assert_ne!(once, twice);
    let [once, twice] = [once, twice].map(|zones| {
        let (said, folder) = asked(&zones, &[]);
        let table = std::fs::read_to_string(folder.path().join("out.csv")).unwrap();
        let (counts, areas): (Vec<String>, Vec<f64>) = table
            .lines()
            .skip(1)
            .map(|row| row.split(',').collect::<Vec<_>>())
            .map(|row| (row[..3].join(","), row[3].parse::<f64>().unwrap()))
            .unzip();
        (said.out, counts, areas)
    });
    assert_eq!(once.1, twice.1);
    // Where two outlines are made one, corners move by less than a micrometre.
    assert!(once.2.iter().zip(&twice.2).all(|(one, other)| (one - other).abs() < 1e-6), "{:?}", twice.2);
    assert!(!once.0.contains("one area"), "{}", once.0);
    assert!(
        twice.0.contains("parts of one zone that overlap or share a border are one area: Sur"),
        "{}",
        twice.0
    );
}

#[test]
fn zones_that_are_of_no_use_are_named() {
    let bow_tie = |[west, south, east, north]: [f64; 4]| {
        vec![[west, south], [east, north], [east, south], [west, north], [west, south]]
    };
    let wide = |[west, south, east, north]: [f64; 4]| plain([west, south, east + 0.01, north]);
    let population = &["--population", "gente"][..];
    for (zones, more, wanted) in [
        (quarters("3000", bow_tie), &[][..], "quarters.geojson: zones that are no valid polygons: Sur ("),
        (
            quarters("3000", wide),
            &[],
            "quarters.geojson: zones that overlap: Sur with Este (9.1 % of the smaller)",
        ),
        (quarters("0", plain), population, "zones that have no gente, or one that is not above zero: Norte"),
        (
            quarters("null", plain),
            population,
            "zones that have no gente, or one that is not above zero: Norte",
        ),
        (quarters("3000", plain), &["--population", "gentes"], "did you mean \"gente\"?"),
    ] {
        let (said, folder) = asked(&zones, more);
        assert!(said.code == 65 || said.code == 2, "{}: {}", said.code, said.err);
        assert!(said.err.contains(wanted), "{wanted}: {}", said.err);
        assert!(!folder.path().join("out.csv").exists());
    }
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out.csv");
    let lone = ["gi-star", "data/incidentes.csv", "--population", "gente", "-o", out.to_str().unwrap()];
    let said = brasa(lone);
    assert_eq!(said.code, 2, "{}", said.err);
    assert!(said.err.contains("name their file with --zones"), "{}", said.err);
}
