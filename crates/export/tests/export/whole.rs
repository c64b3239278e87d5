use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use brasa_export::{ExportError, Staged};
use brasa_model::{Blame, Diagnose};
use tempfile::tempdir;

fn refusal(result: Result<Staged, ExportError>) -> (&'static str, Blame) {
    let error = result.expect_err("it was accepted");
    assert!(error.help().is_some(), "{error}");
    (error.code(), error.blame())
}

fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_file_appears_when_it_is_whole() {
    let dir = tempdir().unwrap();
    let target = dir.path().join("a.csv");
    let mut staged = Staged::file(&target, false).unwrap();
    let path = staged.path("anything").unwrap();
    assert_eq!(path.file_name(), target.file_name());
    fs::write(&path, "abc").unwrap();
    assert!(!target.exists());
    let records = staged.commit().unwrap();
    assert_eq!(fs::read(&target).unwrap(), b"abc");
    assert_eq!((records[0].path.as_str(), records[0].bytes), ("a.csv", 3));
    assert_eq!(records[0].sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_eq!(names(dir.path()), ["a.csv"]);
}

#[test]
fn what_is_given_up_leaves_the_old_file_and_nothing_else() {
    let dir = tempdir().unwrap();
    let target = dir.path().join("a.csv");
    fs::write(&target, "old").unwrap();
    let mut staged = Staged::file(&target, true).unwrap();
    fs::write(staged.path("").unwrap(), "new").unwrap();
    assert_eq!(fs::read(&target).unwrap(), b"old");
    drop(staged);
    assert_eq!(fs::read(&target).unwrap(), b"old");
    assert_eq!(names(dir.path()), ["a.csv"]);
}

#[test]
fn a_target_that_is_no_new_plain_file_is_refused() {
    let dir = tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    fs::write(at("here.csv"), "").unwrap();
    symlink(at("here.csv"), at("link.csv")).unwrap();
    let create = Blame::Create;
    assert_eq!(refusal(Staged::file(&at("here.csv"), false)), ("output_exists", create));
    assert_eq!(refusal(Staged::file(&at("none/a.csv"), false)), ("output_folder_missing", create));
    assert_eq!(refusal(Staged::file(&at("here.csv/a.csv"), false)), ("output_folder_missing", create));
    assert_eq!(refusal(Staged::file(dir.path(), true)), ("output_is_directory", create));
    assert_eq!(refusal(Staged::file(Path::new("/"), true)), ("output_is_directory", create));
    assert_eq!(refusal(Staged::file(&at("link.csv"), true)), ("output_not_a_file", create));
    assert_eq!(refusal(Staged::file(Path::new("/dev/full"), true)), ("output_not_a_file", create));
    assert_eq!(refusal(Staged::folder(&at("here.csv"), true)), ("output_not_a_file", create));
    assert_eq!(refusal(Staged::folder(&at("none/deeper"), true)), ("output_folder_missing", create));
    assert_eq!(names(dir.path()), ["here.csv", "link.csv"]);
}

#[test]
fn an_input_is_never_the_output() {
    let dir = tempdir().unwrap();
    let input = dir.path().join("in.csv");
    fs::write(&input, "precious").unwrap();
    let round_about = dir.path().join("../").join(dir.path().file_name().unwrap()).join("in.csv");
    let staged = Staged::file(&round_about, true).unwrap().protecting(&[&input]);
    assert_eq!(refusal(staged), ("output_is_input", Blame::Create));
    let mut staged = Staged::folder(dir.path(), true).unwrap().protecting(&[&input]).unwrap();
    assert_eq!(staged.path("in.csv").unwrap_err().code(), "output_is_input");
    assert!(staged.path("other.csv").is_ok());
}

/// Mounts a read-only file system where the test may (in a container without that right it proves nothing).
#[test]
fn a_read_only_folder_is_noticed_before_any_work() {
    let dir = tempdir().unwrap();
    let run = |program: &str, arguments: &[&str]| {
        let done = std::process::Command::new(program).args(arguments).arg(dir.path()).output();
        done.is_ok_and(|done| done.status.success())
    };
    if !run("mount", &["-t", "tmpfs", "-o", "ro,size=1m", "tmpfs"]) {
        println!("skipped: no right to mount");
        return;
    }
    let file = Staged::file(&dir.path().join("a.csv"), false).err().map(|error| error.code());
    let folder = Staged::folder(&dir.path().join("out"), false).err().map(|error| error.code());
    assert!(run("umount", &[]));
    assert_eq!((file, folder), (Some("output_not_writable"), Some("output_not_writable")));
}

#[test]
fn the_names_of_a_folder_are_plain_names() {
    let dir = tempdir().unwrap();
    let mut staged = Staged::folder(&dir.path().join("out"), false).unwrap();
    for name in ["../a.csv", "/etc/a.csv", "a/b.csv", "", ".", "..", ".lock", "a.csv/"] {
        assert_eq!(staged.path(name).unwrap_err().code(), "answer_inconsistent", "{name}");
    }
}

#[test]
fn a_folder_appears_with_all_its_files_or_not_at_all() {
    let dir = tempdir().unwrap();
    let out = dir.path().join("out");
    let mut staged = Staged::folder(&out, false).unwrap();
    for name in ["manifest.json", "hotspots.geojson", "density.csv"] {
        fs::write(staged.path(name).unwrap(), name).unwrap();
    }
    fs::write(staged.path("density.csv").unwrap().with_extension("tmp"), "a driver's own").unwrap();
    assert_eq!(staged.digests().unwrap().len(), 3);
    let records = staged.commit().unwrap();
    let paths: Vec<_> = records.iter().map(|record| record.path.as_str()).collect();
    assert_eq!(paths, ["density.csv", "hotspots.geojson", "manifest.json"]);
    assert_eq!(names(&out), paths);

    let other = dir.path().join("other");
    let mut staged = Staged::folder(&other, false).unwrap();
    fs::write(staged.path("a.csv").unwrap(), "a").unwrap();
    staged.path("never_written.csv").unwrap();
    assert_eq!(staged.commit().unwrap_err().code(), "answer_inconsistent");
    assert!(!other.exists());
}

#[test]
fn a_folder_with_files_needs_force_and_foreign_files_stay() {
    let dir = tempdir().unwrap();
    fs::write(dir.path().join("thesis.docx"), "mine").unwrap();
    assert_eq!(refusal(Staged::folder(dir.path(), false)), ("output_folder_not_empty", Blame::Create));
    let mut staged = Staged::folder(dir.path(), true).unwrap();
    fs::write(staged.path("a.csv").unwrap(), "a").unwrap();
    staged.commit().unwrap();
    assert_eq!(names(dir.path()), ["a.csv", "thesis.docx"]);
    assert_eq!(fs::read(dir.path().join("thesis.docx")).unwrap(), b"mine");
}

#[test]
fn what_an_earlier_run_left_goes_unless_someone_has_changed_it() {
    let dir = tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    let mut staged = Staged::folder(dir.path(), false).unwrap();
    for name in ["hotspots.geojson", "rejects.csv", "notes.csv"] {
        fs::write(staged.path(name).unwrap(), name).unwrap();
    }
    let outputs = staged.digests().unwrap();
    let manifest = serde_json::json!({"tool": "brasa", "outputs": outputs});
    brasa_export::write_json(&manifest, &staged.path("manifest.json").unwrap()).unwrap();
    staged.commit().unwrap();
    fs::write(at("notes.csv"), "edited by hand").unwrap();
    fs::write(at("hotspots.geojson.aux.xml"), "stale").unwrap();

    let mut staged = Staged::folder(dir.path(), true).unwrap();
    fs::write(staged.path("hotspots.geojson").unwrap(), "new").unwrap();
    staged.commit().unwrap();
    assert_eq!(names(dir.path()), ["hotspots.geojson", "notes.csv"]);
    assert_eq!(fs::read(at("hotspots.geojson")).unwrap(), b"new");
}

#[test]
fn a_manifest_cannot_have_files_elsewhere_removed() {
    let dir = tempdir().unwrap();
    let (out, precious) = (dir.path().join("out"), dir.path().join("precious"));
    fs::create_dir(&out).unwrap();
    fs::write(&precious, "abc").unwrap();
    let sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    let outputs = serde_json::json!([{"path": "../precious", "bytes": 3, "sha256": sha256}]);
    let manifest = serde_json::json!({"tool": "brasa", "outputs": outputs});
    fs::write(out.join("manifest.json"), manifest.to_string()).unwrap();
    let mut staged = Staged::folder(&out, true).unwrap();
    fs::write(staged.path("a.csv").unwrap(), "a").unwrap();
    staged.commit().unwrap();
    assert!(precious.exists());
}

#[test]
fn two_runs_do_not_share_a_folder() {
    let dir = tempdir().unwrap();
    let first = Staged::folder(dir.path(), false).unwrap();
    assert_eq!(refusal(Staged::folder(dir.path(), true)), ("output_busy", Blame::Create));
    drop(first);
    assert!(Staged::folder(dir.path(), false).is_ok());
}

#[test]
fn the_slower_of_two_runs_does_not_overwrite_the_faster() {
    let dir = tempdir().unwrap();
    let target = dir.path().join("a.csv");
    let mut slow = Staged::file(&target, false).unwrap();
    fs::write(slow.path("").unwrap(), "slow").unwrap();
    fs::write(&target, "fast").unwrap();
    assert_eq!(slow.commit().unwrap_err().code(), "output_exists");
    assert_eq!(fs::read(&target).unwrap(), b"fast");
    assert_eq!(names(dir.path()), ["a.csv"]);
}

#[test]
fn what_a_killed_run_left_is_swept_by_the_next() {
    let dir = tempdir().unwrap();
    let abandoned = dir.path().join(".brasa-killed");
    fs::create_dir(&abandoned).unwrap();
    fs::write(abandoned.join(".lock"), "").unwrap();
    fs::write(abandoned.join("half.gpkg"), "half").unwrap();
    let staged = Staged::folder(dir.path(), false).unwrap();
    assert!(!abandoned.exists());
    drop(staged);
    assert!(names(dir.path()).is_empty());
}

#[test]
fn a_database_that_someone_has_open_is_not_replaced() {
    let dir = tempdir().unwrap();
    let target = dir.path().join("a.gpkg");
    fs::write(&target, "old").unwrap();
    fs::write(dir.path().join("a.gpkg-wal"), "log").unwrap();
    assert_eq!(refusal(Staged::file(&target, true)), ("output_busy", Blame::Create));
}
