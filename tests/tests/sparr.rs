//! `kde-ratio` and `kde-adaptive` beside sparr, the R package of their authors, on its own data: pbc, 761 cases and 3020
//! controls in the north-east of England, in kilometres. `sparr.R` says what R computes; without R or sparr these tests
//! say "skipped".

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::OnceLock;

use brasa_model::{Grid, Incidents, Metres, Risk, Surface, Window, WindowOrigin};
use brasa_spatial_index::Sites;
use brasa_spatial_index::Watch;
use brasa_spatial_index::adaptive::{Abramson, Cap, Pilot, densities};
use brasa_spatial_index::bandwidth::{robust_spread, terrell_oversmooth};
use brasa_spatial_index::edge::Edge;
use brasa_spatial_index::kernels::Kernel;
use brasa_spatial_index::methods::density::kde_adaptive::{self, Spread};
use brasa_spatial_index::methods::density::kde_ratio::{self, Adapted, Against, Comparison};
use brasa_spatial_index::sites::Ordered;
use brasa_tests::{incidents, root};
use geo::{MultiPolygon, Polygon};

/// What `sparr.R` says: names and their numbers, NaN where R has none.
struct Said(BTreeMap<String, Vec<f64>>);

impl Said {
    /// R is asked once.
    fn by_r() -> Option<&'static Self> {
        static SAID: OnceLock<Option<Said>> = OnceLock::new();
        let said = SAID.get_or_init(|| {
            let has_sparr = Command::new("Rscript").args(["-e", "packageVersion('sparr')"]).output();
            if !has_sparr.is_ok_and(|said| said.status.success()) {
                return None;
            }
            let said = Command::new("Rscript").arg(root().join("tests/tests/sparr.R")).output().unwrap();
            assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
            let line = |line: &str| {
                let mut words = line.split_whitespace();
                let number = |word: &str| if word == "NA" { f64::NAN } else { word.parse().unwrap() };
                (words.next().unwrap().to_owned(), words.map(number).collect())
            };
            Some(Self(String::from_utf8(said.stdout).unwrap().lines().map(line).collect()))
        });
        #[expect(clippy::print_stdout, reason = "a skipped test must say so")]
        if said.is_none() {
            println!("skipped: Rscript with sparr is not here");
        }
        said.as_ref()
    }

    fn get(&self, name: &str) -> &[f64] {
        &self.0[name]
    }

    /// pbc, and which are cases; 1 m stands for 1 km.
    fn pbc(&self) -> (Incidents, Vec<bool>) {
        let (x, y) = (self.get("x").to_vec(), self.get("y").to_vec());
        let mut pbc = incidents(x, y, None, (0.0, 0.0, 1.0, 1.0));
        let corners = self.get("window_x").iter().copied().zip(self.get("window_y").iter().copied());
        let outline = Polygon::new(corners.collect::<Vec<_>>().into(), Vec::new());
        let origin = WindowOrigin::Given("pbc".to_owned());
        pbc.window = Window::new(MultiPolygon::new(vec![outline]), origin).unwrap();
        (pbc, self.get("case").iter().map(|&case| case == 1.0).collect())
    }

    /// The cases alone.
    fn cases(&self) -> Incidents {
        let (pbc, is_case) = self.pbc();
        let of = |values: &[f64]| {
            values.iter().zip(&is_case).filter(|(_, case)| **case).map(|(value, _)| *value).collect()
        };
        Incidents {
            window: pbc.window.clone(),
            ..incidents(of(&pbc.x), of(&pbc.y), None, (0.0, 0.0, 1.0, 1.0))
        }
    }

    /// The ratio of a Gaussian of 5 km on so many cells a side, with a pilot of 4 km where it is adaptive.
    fn risk(&self, cells: usize, edge: Edge, adaptive: bool) -> Risk {
        let (pbc, is_case) = self.pbc();
        let grid = Grid::spanning(&pbc.window, cells, cells).unwrap();
        let adapted = Adapted { pilot: metres(4.0), cap: Cap::default() };
        let comparison = Comparison {
            against: Against::Rest,
            kernel: Kernel::Gaussian,
            bandwidth: metres(5.0),
            adapted: adaptive.then_some(adapted),
            edge,
            permutations: 0,
            seed: 1,
        };
        kde_ratio::on_grid(&pbc, &is_case, &grid, comparison, &Watch::NOBODY).unwrap()
    }
}

fn metres(value: f64) -> Metres {
    Metres::new(value).unwrap()
}

/// The range of the bandwidths that a note tells.
fn bandwidths(surface: &Surface) -> (f64, f64) {
    let note = surface.notes.iter().find(|note| note.code == "bandwidths_adapted").unwrap();
    let range = note.value.as_ref().unwrap();
    (range[0].as_f64().unwrap(), range[1].as_f64().unwrap())
}

/// The largest difference of two surfaces where both are defined, the difference below which half of the cells lie, and how
/// many cells were compared.
fn apart(found: &Surface, wanted: &[f64]) -> (f64, f64, usize) {
    let both = found.values.iter().zip(wanted).map(|(found, wanted)| (found - wanted).abs());
    let mut apart: Vec<f64> = both.filter(|apart| !apart.is_nan()).collect();
    apart.sort_by(f64::total_cmp);
    (apart[apart.len() - 1], apart[apart.len() / 2], apart.len())
}

#[test]
fn the_oversmoothing_rule_is_that_of_sparr_with_the_same_spread() {
    let Some(said) = Said::by_r() else { return };
    let (pbc, _) = said.pbc();
    for (incidents, name) in [(&said.cases(), "os_cases_var"), (&pbc, "os_pooled_var")] {
        let found = terrell_oversmooth(&Sites::new(incidents)).unwrap().sigma;
        assert!((found / said.get(name)[0] - 1.0).abs() < 1e-12, "{name}: {found}");
    }
    // sparr's own spread is the least of mean sd and mean IQR/1.34. Here the quartiles are the less on both axes.
    let sites = Sites::new(&said.cases());
    let spread = (robust_spread(&sites.x, &sites.weight) + robust_spread(&sites.y, &sites.weight)) / 2.0;
    let ns = spread * 761.0_f64.powf(-1.0 / 6.0);
    assert!(
        (ns / 2.926_730_79 - 1.0).abs() < 1e-8 && (ns / said.get("ns_cases")[0] - 1.0).abs() < 1e-12,
        "{ns}"
    );
    let os = ns * (10_000.0 / 6144.0_f64).powf(1.0 / 6.0);
    assert!(
        (os / 3.174_248_39 - 1.0).abs() < 1e-8 && (os / said.get("os_cases")[0] - 1.0).abs() < 1e-12,
        "{os}"
    );
}

#[test]
fn kde_ratio_equals_its_definition_in_r_in_every_cell_of_pbc() {
    let Some(said) = Said::by_r() else { return };
    for (adaptive, word) in [(false, "fixed"), (true, "abramson")] {
        for (edge, edge_word) in
            [(Edge::None, "none"), (Edge::Uniform, "uniform"), (Edge::JonesDiggle, "jones-diggle")]
        {
            let risk = said.risk(40, edge, adaptive);
            let name = format!("{word}_{edge_word}");
            let (ratio, z) = (said.get(&name), said.get(&format!("{name}_z")));
            let cells: Vec<usize> = risk.log_ratio.grid.cells().collect();
            assert_eq!(cells.len(), ratio.len(), "{name}");
            let mut compared = 0;
            for ((&cell, ratio), z) in cells.iter().zip(ratio).zip(z) {
                let (found, found_z) = (risk.log_ratio.value(cell), risk.z.value(cell));
                if !found.is_nan() {
                    compared += 1;
                    assert!((found - ratio).abs() < 1e-10, "{name} {cell}: {found}, not {ratio}");
                    assert!((found_z - z).abs() < 1e-8, "{name} {cell}: z {found_z}, not {z}");
                }
            }
            assert!(compared > 700, "{name}: {compared} of {} cells", cells.len());
            if adaptive {
                let (low, high) = bandwidths(&risk.log_ratio);
                let range = said.get(&format!("{name}_h"));
                assert!((low / range[0] - 1.0).abs() < 1e-12 && (high / range[1] - 1.0).abs() < 1e-12);
            }
        }
    }
}

#[test]
fn the_sums_equal_sparrs_where_the_bandwidths_are_sparrs() {
    let Some(said) = Said::by_r() else { return };
    let cases = said.cases();
    let h = said.get("sparr_bare_h");
    let mut order: Vec<usize> = (0..h.len()).collect();
    order.sort_by(|&a, &b| cases.y[a].total_cmp(&cases.y[b]));
    let pick = |values: &[f64]| order.iter().map(|&at| values[at]).collect::<Vec<f64>>();
    let (x, y, h) = (pick(&cases.x), pick(&cases.y), pick(h));
    let grid = Grid::spanning(&cases.window, 40, 40).unwrap();
    let places = Ordered { x: &x, y: &y, weight: &vec![1.0; h.len()] };
    let found = densities(places, &h, &grid, Kernel::Gaussian);
    let wanted = said.get("sparr_bare");
    let peak = wanted.iter().copied().filter(|value| !value.is_nan()).fold(0.0, f64::max);
    for cell in grid.cells() {
        let (found, wanted) = (found[cell], wanted[cell]);
        // sparr's Gaussian is not cut.
        assert!((found - wanted).abs() < 1e-13 * peak + 1e-10 * wanted, "{cell}: {found}, not {wanted}");
    }
}

#[test]
fn kde_adaptive_agrees_with_sparr_on_the_cases_of_pbc() {
    let Some(said) = Said::by_r() else { return };
    let cases = said.cases();
    let sites = Sites::new(&cases);
    let grid = Grid::spanning(&cases.window, 128, 128).unwrap();
    let kernel = Kernel::Gaussian;
    let pilot = Pilot { grid: &grid, kernel, h: 4.0, edge: Edge::Uniform };
    // sparr scales the pilot to mass one before it takes the geometric mean.
    let area = grid.cell().get() * grid.cell_height().get();
    let mass = pilot.at_centres(sites.ordered()).iter().sum::<f64>() * area;
    let at_places: Vec<f64> = pilot.at_places(sites.ordered()).iter().map(|value| value / mass).collect();
    let law = Abramson::new(&at_places, &sites.weight, 5.0, Cap::default()).unwrap();
    let spread = Spread {
        kernel,
        bandwidth: metres(5.0),
        pilot: metres(4.0),
        edge: Edge::Uniform,
        cap: Cap::default(),
    };
    let surface = kde_adaptive::on_grid(&sites, grid, spread).unwrap();
    let (narrow, wide) = bandwidths(&surface);
    let peak = surface.peak() / surface.mass() / 1e6;
    // sparr bins the points of the pilot to pixels of 0.7 by 1.2 km.
    for (name, found, wanted, close) in [
        ("gamma", law.gamma, 38.858_213_3, 2e-3),
        ("narrowest", narrow, 2.711_653_1, 5e-4),
        ("widest", wide, 25.0, 1e-12),
        ("peak", peak, 3.138_706_2e-3, 1e-3),
    ] {
        assert!((found / wanted - 1.0).abs() < close, "{name}: {found}, not {wanted}");
    }
    let said_now = [said.get("sparr_adaptive_gamma")[0], said.get("sparr_adaptive_h")[0]];
    assert!(
        (said_now[0] / 38.858_213_3 - 1.0).abs() < 1e-8 && (said_now[1] / 2.711_653_1 - 1.0).abs() < 1e-8
    );
}

#[test]
fn kde_ratio_agrees_with_sparr_on_pbc() {
    let Some(said) = Said::by_r() else { return };
    // sparr bins the points to pixels of 0.7 by 1.2 km, an eighth and a quarter of the bandwidth. Half of the cells are so
    // close; the others lie in far tails, where the logarithm of next to nothing magnifies what is left.
    for (name, adaptive, half, all, range) in [
        ("sparr_fixed", false, 0.025, 0.4, (-14.801_98, 0.557_922_99)),
        ("sparr_adaptive", true, 0.005, 0.02, (-1.568_261, 0.742_532_2)),
    ] {
        let risk = said.risk(128, Edge::Uniform, adaptive);
        let (farthest, median, compared) = apart(&risk.log_ratio, said.get(name));
        assert!(
            compared == 9250 && median < half && farthest < all,
            "{name}: {farthest} {median} {compared}"
        );
        let defined = || risk.log_ratio.values.iter().copied().filter(|value| !value.is_nan());
        let (low, high) = (defined().fold(f64::MAX, f64::min), defined().fold(f64::MIN, f64::max));
        assert!(
            (low / range.0 - 1.0).abs() < 0.015 && (high - range.1).abs() < 0.005,
            "{name}: {low} {high}"
        );
        if adaptive {
            let (narrow, wide) = bandwidths(&risk.log_ratio);
            let wanted = said.get("sparr_adaptive_both");
            assert!((narrow / wanted[0] - 1.0).abs() < 2e-3 && (wide / wanted[1] - 1.0).abs() < 1e-12);
        } else {
            let (farthest, median, _) = apart(&risk.p_high, said.get("sparr_fixed_p"));
            assert!(farthest < 0.07 && median < 0.003, "p: {farthest} {median}");
        }
    }
}
