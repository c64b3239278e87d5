//! The shape of the house, held by tests: who may know whom, and what each part does not know.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use brasa_spatial_index::METHODS;
use brasa_tests::root;

fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut open = vec![root().join(folder)];
    while let Some(at) = open.pop() {
        for entry in std::fs::read_dir(&at).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                found.push((path.clone(), std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    assert!(!found.is_empty(), "{folder} holds no source");
    found.sort();
    found
}

/// The code of a file without its comments and without what stands behind `#[cfg(test)]`.
fn code(text: &str) -> String {
    let before_tests = text.split("#[cfg(test)]").next().unwrap_or_default();
    before_tests.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

fn metadata() -> serde_json::Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(root())
        .output()
        .unwrap();
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn data_flows_one_way() {
    let allowed: BTreeMap<&str, &[&str]> = BTreeMap::from([
        ("brasa-model", &[][..]),
        ("brasa-ingest", &["brasa-model"]),
        ("brasa-spatial-index", &["brasa-model"]),
        ("brasa-export", &["brasa-model"]),
        ("brasa-planning", &["brasa-model"]),
        (
            "brasa-engine",
            &["brasa-model", "brasa-ingest", "brasa-spatial-index", "brasa-planning", "brasa-export"],
        ),
        ("brasa-cli", &["brasa-engine", "brasa-model"]),
        ("brasa-python", &["brasa-engine", "brasa-model", "brasa-spatial-index"]),
        ("brasa-sample-city", &[]),
    ]);
    let metadata = metadata();
    let mut seen = BTreeSet::new();
    for package in metadata["packages"].as_array().unwrap() {
        let name = package["name"].as_str().unwrap();
        if name == "brasa-tests" {
            continue;
        }
        let may = allowed.get(name).unwrap_or_else(|| panic!("{name} is not in the plan of the house"));
        for dependency in
            package["dependencies"].as_array().unwrap().iter().filter(|dep| dep["kind"].is_null())
        {
            let other = dependency["name"].as_str().unwrap();
            assert!(!other.starts_with("brasa-") || may.contains(&other), "{name} must not know {other}");
        }
        seen.insert(name.to_owned());
    }
    assert_eq!(seen.len(), allowed.len(), "{seen:?}");
}

#[test]
fn only_reading_and_writing_know_gdal_and_they_know_it_in_one_place_each() {
    for folder in ["crates/model/src", "crates/spatial-index/src", "crates/engine/src", "crates/cli/src"] {
        for (path, text) in sources(folder) {
            assert!(!code(&text).contains("gdal::"), "{} knows GDAL", path.display());
        }
    }
    for (path, text) in ["crates/ingest/src", "crates/export/src"].into_iter().flat_map(sources) {
        let inside = path.iter().any(|part| part == "drivers" || part == "drivers.rs");
        assert!(inside || !code(&text).contains("gdal::"), "{} knows GDAL", path.display());
    }
}

#[test]
fn only_the_package_knows_python() {
    for (path, text) in ["crates", "tests", "data"].into_iter().flat_map(sources) {
        let word = ["py", "o3::"].concat();
        assert!(!code(&text).contains(&word), "{} knows Python", path.display());
    }
}

#[test]
fn methods_are_pure() {
    // Neither disk, clock, environment, process nor chance that nobody seeded; and no transcendental function whose
    // last bit differs between platforms.
    let forbidden = [
        "std::fs",
        "std::env",
        "std::net",
        "std::process",
        "std::io",
        "SystemTime",
        "Instant::now",
        "thread_local!",
        "rand::",
        "HashSet<",
        "lon",
        ".exp()",
        ".ln()",
        ".powf(",
        ".sin()",
        ".cos()",
        ".atan2(",
    ];
    for (path, text) in sources("crates/spatial-index/src") {
        let code = code(&text);
        for word in forbidden {
            let found = code.lines().find(|line| match word {
                "lon" => line
                    .split(|c: char| !c.is_alphanumeric())
                    .any(|part| part == "lon" || part == "longitude"),
                word => line.contains(word),
            });
            assert!(found.is_none(), "{} knows {word}: {}", path.display(), found.unwrap_or_default());
        }
    }
}

#[test]
fn a_method_never_imports_another() {
    for (path, text) in sources("crates/spatial-index/src/methods") {
        assert!(!code(&text).contains("crate::methods"), "{}", path.display());
    }
}

#[test]
fn every_method_file_says_the_same_things_about_itself() {
    let headings = [
        "# Question",
        "# Definition",
        "# Reference",
        "# Agrees with",
        "# Differs from",
        "# Units",
        "# Cost",
        "# Often misunderstood",
    ];
    let files = sources("crates/spatial-index/src/methods");
    for method in METHODS {
        let stem = method.name.replace('-', "_");
        let (path, text) = files
            .iter()
            .find(|(path, _)| path.ends_with(format!("{}/{stem}.rs", method.group)))
            .unwrap_or_else(|| panic!("{} has no file of its own", method.name));
        let mut from = 0;
        for heading in headings {
            let line = format!("//! {heading}\n");
            let at = text[from..]
                .find(&line)
                .unwrap_or_else(|| panic!("{}: no {heading} in its place", path.display()));
            from += at;
        }
    }
}

#[test]
fn only_the_command_line_prints() {
    let folders = [
        "crates/model/src",
        "crates/ingest/src",
        "crates/spatial-index/src",
        "crates/export/src",
        "crates/engine/src",
        "python/src",
    ];
    for (path, text) in folders.into_iter().flat_map(sources) {
        for word in ["println!", "eprintln!", "print!(", "io::stdout", "io::stderr", "dbg!"] {
            assert!(!code(&text).contains(word), "{} prints", path.display());
        }
    }
}

#[test]
fn only_the_meter_reads_the_clock() {
    let folders = [
        "crates/model/src",
        "crates/ingest/src",
        "crates/export/src",
        "crates/engine/src",
        "crates/cli/src",
        "python/src",
    ];
    // What the meter says goes to a terminal and never into a file.
    let meter = Path::new("crates/cli/src/meter.rs");
    for (path, text) in folders.into_iter().flat_map(sources).filter(|(path, _)| !path.ends_with(meter)) {
        for word in ["SystemTime::now", "Instant::now", "Zoned::now", "Timestamp::now"] {
            assert!(
                !code(&text).contains(word),
                "{} reads the clock: the same input must give the same bytes",
                path.display()
            );
        }
    }
}

#[test]
fn the_readme_lists_the_methods_of_the_catalogue() {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let row = |method: &brasa_spatial_index::Method| {
        let about = method.about;
        format!("| `{}` | {} | {} | {} |", method.name, about.question, about.units, about.reference)
    };
    let expected: Vec<String> = METHODS.iter().map(row).collect();
    let found: Vec<&str> = readme
        .lines()
        .skip_while(|line| !line.starts_with("| method |"))
        .skip(2)
        .take_while(|line| line.starts_with('|'))
        .collect();
    assert_eq!(found, expected, "the table of methods in README.md is stale");
}

#[test]
fn the_readme_lists_the_plans_of_the_catalogue() {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    for plan in brasa_engine::PLANS {
        let about = plan.about;
        let row =
            format!("| `plan {}` | {} | {} | {} |", plan.name, about.question, about.units, about.reference);
        assert!(readme.contains(&row), "README.md lacks {row}");
    }
}

#[test]
fn the_map_of_the_code_names_every_room() {
    let map = std::fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    for folder in std::fs::read_dir(root().join("crates")).unwrap() {
        let name = folder.unwrap().file_name().into_string().unwrap();
        assert!(map.contains(&format!("crates/{name}/")), "ARCHITECTURE.md does not name crates/{name}/");
    }
    // And what it names is there.
    let names = map
        .split('`')
        .skip(1)
        .step_by(2)
        .filter(|name| name.contains('/') && !name.contains([' ', '*', '<', ':', '+']));
    for name in names {
        let path = name.split('#').next().unwrap_or(name);
        let known = [path.to_owned(), format!("crates/{path}"), format!("tests/{path}")];
        assert!(
            known.iter().any(|path| root().join(path).exists()),
            "ARCHITECTURE.md names {name}, which is not there"
        );
    }
}

#[test]
fn exceptions_to_the_lints_give_their_reason() {
    for (path, text) in ["crates", "tests", "data", "python"].into_iter().flat_map(sources) {
        // Put together here, so that this file does not find itself.
        let bare = ["#[", "allow("].concat();
        let everywhere = ["#![", "allow("].concat();
        assert!(
            !text.contains(&bare) && !text.contains(&everywhere),
            "{}: expect with a reason",
            path.display()
        );
    }
}

#[test]
fn no_file_of_tests_is_left_out() {
    for folder in ["tests/tests", "crates/ingest/tests", "crates/export/tests/export"] {
        let main = std::fs::read_to_string(root().join(folder).join("main.rs")).unwrap();
        for entry in std::fs::read_dir(root().join(folder)).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            let is_module = path.extension().is_some_and(|ending| ending == "rs") && name != "main";
            assert!(
                !is_module || main.contains(&format!("mod {name};")),
                "{folder}/main.rs leaves out {name}"
            );
        }
    }
}
