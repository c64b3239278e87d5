//! Zones that are given: beats, tracts, colonias.

use brasa_model::{
    Denominators, GivenZone, GivenZones, Grid, Hexagons, Incidents, Metres, Window, WindowOrigin, Zoning,
};
use brasa_spatial_index::methods::local::gi_star::{GiStarParams, gi_star};
use brasa_spatial_index::methods::local::local_moran::local_moran;
use brasa_spatial_index::weights::{Neighbours, Weights};
use brasa_spatial_index::zones::Zones;
use brasa_spatial_index::zoning::CountedIn;
use brasa_spatial_index::{AnalysisError, CellSize, Watch};
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
    GivenZones::of_file("zones".to_owned(), zones, None)
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
            Weights::among(&Zoning::Given(given.zones.clone().unwrap()), neighbours),
            Weights::among(&Zoning::Grid(grid.clone()), neighbours),
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
fn hexagons_that_are_given_as_polygons_are_counted_and_judged_as_hexagons() {
    let across = Metres::new(60.0).unwrap();
    // A world that is itself made of whole hexagons, so that nothing is cut.
    let whole = Hexagons::covering(&world().window, across).unwrap();
    let outlines: Vec<Polygon<f64>> = (0..whole.len())
        .filter(|&at| geo::Area::unsigned_area(&whole.polygons(at)) > 60.0 * 60.0 * 0.866)
        .map(|at| whole.polygons(at).0.remove(0))
        .collect();
    let window =
        Window::of_disjoint(geo::unary_union(&outlines), WindowOrigin::Given("zones".to_owned())).unwrap();
    let world = world();
    let inside: Vec<usize> =
        (0..world.len()).filter(|&at| window.contains(world.x[at], world.y[at])).collect();
    let world = Incidents { window, ..world.only(&inside) };
    let hexagons = Hexagons::covering(&world.window, across).unwrap();
    assert_eq!((hexagons.len(), hexagons.cut()), (outlines.len(), 0));
    let zones = (0..hexagons.len()).map(|at| zone(&at.to_string(), hexagons.polygons(at).0.remove(0)));
    let zones = GivenZones::of_file("zones".to_owned(), zones.collect(), None);
    let given = Incidents { zones: Some(zones.clone()), ..world.clone() };
    let hexagons = Zoning::Hexagons(hexagons);
    for neighbours in ["queen", "rook", "knn:1", "knn:5", "band:60m", "band:130m"] {
        let neighbours: Neighbours = neighbours.parse().unwrap();
        let weights = Weights::among(&hexagons, neighbours);
        if !matches!(neighbours, Neighbours::Nearest(_)) {
            // Which of equally near ones is nearest is for rounding to say.
            assert_eq!(Weights::among(&Zoning::Given(zones.clone()), neighbours), weights, "{neighbours}");
        }
        let params = GiStarParams {
            counted: CountedIn { hex: Some(across), ..CountedIn::default() },
            neighbours,
            ..GiStarParams::default()
        };
        for method in [gi_star, local_moran] {
            let on_hexagons = method(&world, &params, &Watch::NOBODY).unwrap();
            assert_eq!(on_hexagons.count.iter().sum::<f64>(), world.len() as f64);
            if !matches!(neighbours, Neighbours::Nearest(_)) {
                let on_zones = method(&given, &params, &Watch::NOBODY).unwrap();
                assert_eq!(on_zones.count, on_hexagons.count);
                assert_eq!(on_zones.z, on_hexagons.z);
            }
        }
    }
    // Six around each, as its centre says.
    assert_eq!(
        Weights::among(&hexagons, Neighbours::Queen),
        Weights::among(&hexagons, "band:61m".parse().unwrap())
    );
}

#[test]
fn hexagons_of_the_sample_city_are_written_and_contradictions_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out.csv");
    let base =
        ["gi-star", "data/incidentes.csv", "--study-area", "data/city.geojson", "-o", out.to_str().unwrap()];
    let said = brasa(base.iter().chain(&["--hex", "400m", "-v"]));
    assert_eq!(said.code, 3, "{}", said.err);
    assert!(said.out.contains("hexagons 400 m from side to side"), "{}", said.out);
    let table = std::fs::read_to_string(&out).unwrap();
    assert_eq!(table.lines().next().unwrap(), "zone,count,neighbours,area_km2,z,p,q,class,lon,lat");
    let column = |at: usize| -> Vec<f64> {
        table.lines().skip(1).map(|line| line.split(',').nth(at).unwrap().parse().unwrap()).collect()
    };
    assert!(column(2).iter().all(|&around| (2.0..=7.0).contains(&around)));
    let whole = 0.4 * 0.4 * 3.0_f64.sqrt() / 2.0;
    assert!(column(3).iter().all(|&area| area > 0.0 && area < whole * 1.000_001));
    std::fs::remove_file(&out).unwrap();
    for (more, wanted) in [
        (&["--hex", "400m", "--cell", "250m"][..], "--hex: says what to count in, and so does --cell"),
        (&["--hex", "400m", "--h3", "8"], "--h3: says what to count in, and so does --hex"),
        (&["--hex", "0m"], "greater than 0"),
        (&["--hex", "400"], "no unit"),
        (&["--h3", "16"], "16 is not an H3 resolution, which is from 0 to 15"),
        (&["--hex", "400m", "--population", "people"], "name their file with --zones"),
        (&["--hex", "0.1m"], "more than"),
        (&["--hex", "20000km"], "nothing to compare"),
    ] {
        let said = brasa(base.iter().chain(more).chain(&["--force"]));
        assert!(said.code != 0 && said.code != 3 && said.code != 70, "{}: {}", said.code, said.err);
        assert!(said.err.contains(wanted), "{wanted}: {}", said.err);
        assert!(!out.exists());
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
    let given = Zoning::Given(GivenZones::of_file("zones".to_owned(), zones.to_vec(), None));
    let queen = Weights::among(&given, Neighbours::Queen);
    let rook = Weights::among(&given, Neighbours::Rook);
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
    let given = GivenZones::of_file("columbus".to_owned(), zones, None);
    let found = Weights::among(&Zoning::Given(given), Neighbours::Queen);
    assert_eq!(found.links(), 236);
    assert_eq!(found, Weights::from_lists(&links));
}

#[test]
fn zones_are_cut_by_the_study_area_and_rates_are_of_what_was_given() {
    // The world ends at x = 700: of three strips one lies in it, one is cut in half, one lies beyond.
    let strip = |west: f64| Rect::new((west, 0.0), (west + 400.0, 500.0)).to_polygon();
    let zones = [("in", 0.0), ("cut", 500.0), ("beyond", 900.0)].map(|(name, west)| zone(name, strip(west)));
    let denominators = Denominators { column: "people".to_owned(), values: vec![10.0, 20.0, 30.0] };
    let given = GivenZones::of_file("strips".to_owned(), zones.to_vec(), Some(denominators));
    let world = world();
    let counted_in = |given: GivenZones| {
        let incidents = Incidents { zones: Some(given), ..world.clone() };
        Zones::of(&incidents, &CountedIn::default(), Neighbours::Queen)
    };
    let found = counted_in(given).unwrap();
    let inside = |west: f64, east: f64| world.x.iter().filter(|&&x| x >= west && x < east).count() as f64;
    assert_eq!(found.count, [inside(0.0, 400.0), inside(500.0, 700.0)]);
    assert_eq!(found.values, [found.count[0] / 10.0, found.count[1] / 20.0]);
    let codes: Vec<&str> = found.notes.iter().map(|note| note.code.as_str()).collect();
    assert_eq!(codes, ["zones_outside", "zones_cut", "outside_zones", "few_zones", "islands"]);
    let areas: Vec<f64> = found.zoning.shapes().map(|(_, shape)| geo::Area::unsigned_area(&shape)).collect();
    assert_eq!(areas, [400.0 * 500.0, 200.0 * 500.0]);

    let apart = GivenZones::of_file("strips".to_owned(), vec![zone("beyond", strip(900.0))], None);
    let none = counted_in(apart).unwrap_err();
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

/// The rows of a table by their first column.
fn table(file: &std::path::Path) -> Vec<Vec<String>> {
    let text = std::fs::read_to_string(file).unwrap();
    text.lines().skip(1).map(|line| line.split(',').map(str::to_owned).collect()).collect()
}

#[test]
fn h3_cells_of_the_sample_city_hold_all_incidents_and_bear_their_index() {
    let folder = tempfile::tempdir().unwrap();
    let mut whole = Vec::new();
    for (more, out) in [(["--h3", "8"], "h3.csv"), (["--hex", "900m"], "hex.csv")] {
        let out = folder.path().join(out);
        let base = [
            "gi-star",
            "data/incidentes.csv",
            "--study-area",
            "data/city.geojson",
            "-o",
            out.to_str().unwrap(),
        ];
        let said = brasa(base.iter().chain(&more));
        assert_eq!(said.code, 3, "{}", said.err);
        assert!(!said.out.contains("are in no zone"), "{}", said.out);
        let rows = table(&out);
        let sum = |at: usize| rows.iter().map(|row| row[at].parse::<f64>().unwrap()).sum::<f64>();
        whole.push((sum(1), sum(3)));
        if more[0] == "--h3" {
            assert!(rows.iter().all(|row| row[0].len() == 15 && row[0].starts_with("88")), "{:?}", rows[0]);
        }
    }
    // The same incidents on the same area, however it is cut.
    assert_eq!(whole[0].0, whole[1].0);
    assert!((whole[0].1 - whole[1].1).abs() < 1e-5 * whole[0].1, "{whole:?}");
    let out = folder.path().join("none.csv");
    let base =
        ["gi-star", "data/incidentes.csv", "--study-area", "data/city.geojson", "-o", out.to_str().unwrap()];
    let said = brasa(base.iter().chain(&["--h3", "15"]));
    assert_eq!(said.code, 71, "{}", said.err);
    assert!(said.err.contains("H3 cells of resolution 15") && said.err.contains("--h3 1"), "{}", said.err);
}

#[test]
fn pattern_statistics_count_in_zones_of_a_file_too() {
    let folder = tempfile::tempdir().unwrap();
    let (file, out) = (folder.path().join("quarters.geojson"), folder.path().join("out.csv"));
    std::fs::write(&file, quarters("3000", plain)).unwrap();
    let (file, out) = (file.to_str().unwrap(), out.to_str().unwrap());
    let run = |method: &str, more: &[&str]| {
        let base = [method, "data/incidentes.csv", "-o", out, "--zones", file, "-v", "--force"];
        let said = brasa(base.iter().chain(more));
        assert_eq!(said.code, 3, "{method}: {}", said.err);
        (said.out, table(std::path::Path::new(out)))
    };
    let (_, counted) = run("gi-star", &[]);
    let counts: Vec<f64> = counted.iter().map(|row| row[1].parse().unwrap()).collect();
    let areas: Vec<f64> = counted.iter().map(|row| row[3].parse().unwrap()).collect();
    let (said, quadrats) = run("quadrat-test", &["--simulations", "0"]);
    let (n, area) = (counts.iter().sum::<f64>(), areas.iter().sum::<f64>());
    let expected = |at: usize| n * areas[at] / area;
    let x2: f64 = (0..4).map(|at| (counts[at] - expected(at)).powi(2) / expected(at)).sum();
    assert!(said.contains(&format!("X² = {x2:.4} on 3 degrees of freedom")), "{x2}: {said}");
    let names: Vec<&str> = quadrats.iter().map(|row| row[0].as_str()).collect();
    assert_eq!(names, ["Sur", "Este", "Oeste", "Norte"]);
    let (said, similar) = run("pattern-similarity", &["--test", "since=2024-01-01"]);
    assert!(said.contains("in 4 cells") && similar.len() == 4, "{said}");
    let both: f64 =
        similar.iter().flat_map(|row| [&row[1], &row[2]]).map(|part| part.parse::<f64>().unwrap()).sum();
    assert_eq!(both, n);
    let (_, lorenz) = run("concentration", &[]);
    // The fullest zone holds its share.
    let most = counts.iter().copied().fold(0.0, f64::max) / n;
    assert_eq!(lorenz[1][0], "0.25");
    assert!((lorenz[1][1].parse::<f64>().unwrap() - most).abs() < 1e-12);
    let base = ["concentration", "data/incidentes.csv", "-o", out, "--force", "--zones", file];
    for more in [["--places", "sites"], ["--population", "gente"]] {
        assert_eq!(brasa(base.iter().chain(&more)).code, 2);
    }
}

#[test]
fn one_layer_of_several_is_to_be_named() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    std::fs::write(at("a.geojson"), quarters("3000", plain)).unwrap();
    std::fs::write(
        at("b.geojson"),
        quarters("9", |[west, south, east, north]| plain([west, south, (west + east) / 2.0, north])),
    )
    .unwrap();
    let ogr = |args: &[&str]| {
        std::process::Command::new("ogr2ogr").args(args).status().is_ok_and(|status| status.success())
    };
    let (both, a, b) = (at("both.gpkg"), at("a.geojson"), at("b.geojson"));
    if !(ogr(&["-f", "GPKG", &both, &a, "-nln", "cuadrantes"])
        && ogr(&["-update", &both, &b, "-nln", "tramos"]))
    {
        println!("skipped: ogr2ogr is not here");
        return;
    }
    let (out, again) = (at("out.csv"), at("again.csv"));
    let base = ["gi-star", "data/incidentes.csv", "--zones", &both, "-o", &out];
    let said = brasa(base);
    assert_eq!(said.code, 2, "{}", said.err);
    for wanted in ["has 2 layers: cuadrantes, tramos", "--zones-layer"] {
        assert!(said.err.contains(wanted), "{}", said.err);
    }
    let said = brasa(base.iter().chain(&["--zones-layer", "barrios"]));
    assert!(said.code == 2 && said.err.contains("no layer \"barrios\""), "{}", said.err);
    let said = brasa(base.iter().chain(&["--zones-layer", "cuadrantes", "--population", "gente"]));
    assert_eq!(said.code, 3, "{}", said.err);
    // What the same zones give as GeoJSON.
    assert_eq!(
        brasa(["gi-star", "data/incidentes.csv", "--zones", &a, "--population", "gente", "-o", &again]).code,
        3
    );
    assert_eq!(std::fs::read(&out).unwrap(), std::fs::read(&again).unwrap());
    // As a study area alone, a layer is named as well.
    let area = ["moran", "data/incidentes.csv", "-o", &at("i.json"), "--cell", "500m", "--study-area", &both];
    assert!(brasa(area).err.contains("--study-area-layer"));
    assert_eq!(brasa(area.iter().chain(&["--study-area-layer", "tramos"])).code, 3);
    let lone = ["gi-star", "data/incidentes.csv", "--zones-layer", "tramos", "-o", &at("none.csv")];
    assert!(brasa(lone).err.contains("is a layer of the zones; name their file with --zones"));
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
