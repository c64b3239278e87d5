//! Every command in a document is run.

use std::fs;
use std::process::Command;

use brasa_tests::{binary, root};

/// The shell commands of a document: the lines of its `sh` blocks.
fn commands(document: &str) -> Vec<String> {
    let text = fs::read_to_string(root().join(document)).unwrap();
    let mut inside = false;
    let mut found = Vec::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            inside = line.trim() == "```sh";
        } else if inside && !line.trim().is_empty() {
            found.push(line.trim().to_owned());
        }
    }
    found
}

#[test]
fn every_command_in_a_document_runs() {
    let dir = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(root().join("data"), dir.path().join("data")).unwrap();
    let path = format!("{}:{}", binary().parent().unwrap().display(), std::env::var("PATH").unwrap());
    let makefile = fs::read_to_string(root().join("Makefile")).unwrap();
    let mut run = 0;
    for document in [
        "README.md",
        "CONTRIBUTING.md",
        "ARCHITECTURE.md",
        "data/README.md",
        "python/README.md",
        "notebooks/README.md",
    ] {
        for command in commands(document) {
            if let Some(target) = command.strip_prefix("make ") {
                let target = target.split_whitespace().next().unwrap();
                assert!(makefile.contains(&format!("\n{target}:")), "{document}: make {target} is no target");
            } else if command.starts_with("brasa ") {
                let output = Command::new("bash")
                    .args(["-c", &command])
                    .current_dir(dir.path())
                    .env("PATH", &path)
                    .output()
                    .unwrap();
                let code = output.status.code().unwrap();
                assert!(
                    [0, 3].contains(&code),
                    "{document}: {command}\nexit {code}\n{}",
                    String::from_utf8_lossy(&output.stderr)
                );
                run += 1;
            } else {
                // What installs the wheel is for the tests of the package: `python/tests/test_documents.py`.
                let elsewhere = ["cargo ", "pip install "].iter().any(|word| command.starts_with(word));
                assert!(elsewhere, "{document}: nobody runs {command}");
            }
        }
    }
    assert!(run >= 6, "only {run} commands were found");
}

#[test]
fn the_readme_begins_with_the_two_commands() {
    let first: Vec<String> = commands("README.md").into_iter().take(2).collect();
    assert!(first[0].starts_with("make demo") && first[1].starts_with("make test"), "{first:?}");
}
