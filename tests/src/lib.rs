//! What the tests of this folder share: where the real files lie, and small worlds to run methods in.

use std::io::Read;
use std::path::{Path, PathBuf};

use brasa_model::{Crs, Incidents, Window, WindowOrigin};
use geo::{LineString, MultiPolygon, Polygon, Rect};

/// The root of the repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(Path::to_path_buf).unwrap_or_default()
}

/// A real file that is not part of the repository, if it is there. Tests that need it say "skipped" when it is not.
pub fn real(path: &str) -> Option<PathBuf> {
    let file = root().join("../shared/data").join(path);
    if file.exists() {
        return Some(file);
    }
    #[expect(clippy::print_stdout, reason = "a skipped test must say so")]
    {
        println!("skipped: {path} is not here");
    }
    None
}

/// Five discs of unlike size and density on a thin ground, from a formula that others can follow: 3,000 places of which no two
/// distances are equal.
pub fn discs() -> (Vec<f64>, Vec<f64>) {
    let discs = [
        (1000.0, 1000.0, 150.0),
        (3000.0, 1200.0, 400.0),
        (3400.0, 3000.0, 200.0),
        (1500.0, 4000.0, 700.0),
        (4000.0, 4300.0, 90.0),
        (2500.0, 2500.0, 2400.0),
    ];
    let place = |at: u32| {
        let part = |step: f64| (f64::from(at) * step) % 1.0;
        let far = part(0.618_033_988_749_894_9).sqrt().powf(1.5);
        let angle = 2.0 * std::f64::consts::PI * part(0.754_877_666_246_692_7);
        let (x, y, radius) = discs[at as usize % 6];
        (x + radius * far * angle.cos(), y + radius * far * angle.sin())
    };
    (0..3000).map(place).unzip()
}

/// The rows of a CSV file, plain or gzipped, without its header unless `header` is false.
///
/// # Panics
/// When the file cannot be read: a test has nothing to go on then.
#[expect(clippy::expect_used, reason = "only tests call this")]
pub fn rows(path: &Path, header: bool) -> Vec<csv::StringRecord> {
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).expect("the file opens");
    if path.extension().is_some_and(|ending| ending == "gz") {
        flate2::read::MultiGzDecoder::new(file).read_to_end(&mut bytes).expect("the file unpacks");
    } else {
        (&file).read_to_end(&mut bytes).expect("the file reads");
    }
    let mut reader =
        csv::ReaderBuilder::new().has_headers(header).trim(csv::Trim::All).from_reader(bytes.as_slice());
    reader.records().collect::<Result<_, _>>().expect("the file is CSV")
}

/// The numbers of one column.
///
/// # Panics
/// When a field is not a number.
#[expect(clippy::expect_used, reason = "only tests call this")]
pub fn numbers(rows: &[csv::StringRecord], column: usize) -> Vec<f64> {
    rows.iter().map(|row| row[column].parse().expect("a number")).collect()
}

/// The neighbours in a GAL file, one list per zone by numbers from 0: in the order of the names if these are numbers from 1,
/// else in the order of the file.
///
/// # Panics
/// When the file is not a GAL file.
#[expect(clippy::expect_used, reason = "only tests call this")]
pub fn gal(path: &str) -> Option<Vec<Vec<usize>>> {
    let text = std::fs::read_to_string(real(path)?).expect("the file reads");
    let mut lines = text.lines().skip(1).map(|line| line.split_whitespace().collect::<Vec<_>>());
    let mut zones: Vec<(&str, Vec<&str>)> = Vec::new();
    while let (Some(head), Some(names)) = (lines.next(), lines.next()) {
        zones.push((head[0], names));
    }
    let number = |name: &str| name.parse().ok().filter(|number| (1..=zones.len()).contains(number));
    let numbered = zones.iter().all(|zone| number(zone.0).is_some());
    let at = |name: &str| match number(name).filter(|_| numbered) {
        Some(number) => number - 1,
        None => zones.iter().position(|zone| zone.0 == name).expect("a zone of the file"),
    };
    let mut lists = vec![Vec::new(); zones.len()];
    for (name, names) in &zones {
        lists[at(name)] = names.iter().map(|name| at(name)).collect();
    }
    Some(lists)
}

/// Incidents at these places inside a rectangle, without times or kinds. The reference system is of no account.
///
/// # Panics
/// When the rectangle has no area.
#[expect(clippy::expect_used, reason = "only tests call this")]
pub fn incidents(
    x: Vec<f64>,
    y: Vec<f64>,
    weight: Option<Vec<f64>>,
    (west, south, east, north): (f64, f64, f64, f64),
) -> Incidents {
    let rectangle = Rect::new((west, south), (east, north)).to_polygon();
    let window = Window::new(MultiPolygon::new(vec![rectangle]), WindowOrigin::Given("rectangle".to_owned()));
    Incidents {
        row: (1..=x.len() as u64).collect(),
        x,
        y,
        times: None,
        kinds: None,
        weight,
        files: None,
        window: window.expect("a window"),
        crs: Crs::from_epsg(32_616).expect("UTM 16N"),
        zones: None,
    }
}

/// The binary under test, built once: what a user runs.
///
/// # Panics
/// When it does not build.
#[expect(clippy::expect_used, reason = "only tests call this")]
pub fn binary() -> &'static Path {
    static BINARY: std::sync::OnceLock<PathBuf> = std::sync::OnceLock::new();
    BINARY.get_or_init(|| {
        let release = !cfg!(debug_assertions);
        let mut cargo = std::process::Command::new(env!("CARGO"));
        // With the features of the whole workspace, as the tests: what they have built is not built again.
        cargo.args(["build", "--locked", "--quiet", "--workspace", "--bins"]).current_dir(root());
        if release {
            cargo.arg("--release");
        }
        assert!(cargo.status().expect("cargo runs").success(), "brasa does not build");
        // The tests run from `target/PROFILE/deps`.
        let own = std::env::current_exe().expect("a test has a path");
        own.ancestors().nth(2).map(|folder| folder.join("brasa")).expect("a target folder")
    })
}

/// What a run of `brasa` said.
#[derive(Debug)]
pub struct Said {
    /// The exit code.
    pub code: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

/// Runs `brasa` in the root of the repository.
///
/// # Panics
/// When it cannot be started or is killed by a signal.
#[expect(clippy::expect_used, reason = "only tests call this")]
pub fn brasa<S: AsRef<std::ffi::OsStr>>(args: impl IntoIterator<Item = S>) -> Said {
    let output =
        std::process::Command::new(binary()).args(args).current_dir(root()).output().expect("brasa starts");
    let said = Said {
        code: output.status.code().expect("brasa ends by itself"),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    };
    assert!(!said.err.contains("panicked"), "{}", said.err);
    said
}

/// Incidents in a window.
pub fn in_window(x: Vec<f64>, y: Vec<f64>, weight: Option<Vec<f64>>, window: Window) -> Incidents {
    Incidents { window, ..incidents(x, y, weight, (0.0, 0.0, 1.0, 1.0)) }
}

/// A window of one polygon: its outline, then its holes.
///
/// # Panics
/// When they are none.
#[expect(clippy::expect_used, reason = "only tests call this")]
pub fn window(rings: Vec<Vec<(f64, f64)>>) -> Window {
    let mut rings = rings.into_iter().map(LineString::from);
    let outline = rings.next().expect("a polygon has an outline");
    let polygon = MultiPolygon::new(vec![Polygon::new(outline, rings.collect())]);
    Window::new(polygon, WindowOrigin::Given("test".to_owned())).expect("the polygon is valid")
}

/// Redwood and japanesepines in their unit squares; the lung cancers of chorley in their polygon, in kilometres.
pub fn pattern(name: &str) -> Option<Incidents> {
    if name == "chorley" {
        let rows_of = |file: &str| Some(rows(&real(file)?, true));
        let lung: Vec<_> =
            rows_of("golden/chorley.csv")?.into_iter().filter(|row| &row[2] == "lung").collect();
        let outline = rows_of("golden/chorley_window.csv")?;
        let ring = numbers(&outline, 0).into_iter().zip(numbers(&outline, 1)).collect();
        return Some(in_window(numbers(&lung, 0), numbers(&lung, 1), None, window(vec![ring])));
    }
    let rows = rows(&real(&format!("golden/{name}.csv"))?, true);
    let south = if name == "redwood" { -1.0 } else { 0.0 };
    Some(incidents(numbers(&rows, 0), numbers(&rows, 1), None, (0.0, south, 1.0, south + 1.0)))
}
