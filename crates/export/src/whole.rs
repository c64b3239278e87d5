//! A file is whole or absent.
//!
//! Outputs are first written into a folder `.brasa-…` beside their target, on the same disk and under their final
//! names. [`Staged::commit`] brings them to the disk (fsync), renames them into place and brings the folder to the
//! disk. Whoever stops half-way, by an error, a signal or a power cut, leaves each target as it was.
//!
//! - Creating that folder is the check that the place is writable, so it is made before any computation.
//! - It is removed when [`Staged`] is dropped. If the process is killed it stays; it holds a file that its owner keeps
//!   locked, so that the next run in the same place knows an abandoned one and removes it.
//! - In an output folder, `manifest.json` is taken away first and put in place last: where it stands, the files it
//!   lists are complete.
//! - Some formats are several files: their companions stand beside the file that is named, and it is put in place last.
//!   If one of them cannot be, those that are there already are taken away again.
//! - With `force`, files of an earlier run that this run does not write again (an old `rejects.csv`) are removed. They
//!   are those listed in the old `manifest.json` whose bytes still have the digest given there: a file that someone has
//!   changed since, or that brasa never wrote, is left alone.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::path::{Component, Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tempfile::{TempDir, TempPath};

use crate::{ExportError, Format};

/// How the folder of an unfinished run is named, and the file in it that its owner holds locked.
const STAGE: &str = ".brasa-";
const LOCK: &str = ".lock";

/// The file that says the others are complete.
const MANIFEST: &str = "manifest.json";

/// What SQLite leaves beside a file that a program has open.
const OPEN_MARKS: [&str; 3] = ["-wal", "-shm", "-journal"];

/// One file that was written: what a manifest lists under `outputs`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutputRecord {
    /// The file's name, without its folders.
    pub path: String,
    /// Its size.
    pub bytes: u64,
    /// SHA-256 of its bytes, in lower-case hexadecimal.
    pub sha256: String,
}

/// Files that appear together, once [`commit`](Staged::commit) is called, or not at all.
#[derive(Debug)]
pub struct Staged {
    /// Where the files will stand.
    folder: PathBuf,
    /// The one file, if it is not a folder of several.
    single: Option<String>,
    force: bool,
    inputs: Vec<PathBuf>,
    members: BTreeSet<String>,
    /// Those of `members` that need not be written.
    companions: BTreeSet<String>,
    stage: Stage,
    /// Removes the output folder again if it was made here and stays empty. Dropped after `stage`.
    made: MadeFolder,
}

impl Staged {
    /// One output file. Checks, before any work, that its folder exists and can be written to and that the target
    /// is absent, or a plain file that may be replaced (`force`).
    pub fn file(target: &Path, force: bool) -> Result<Self, ExportError> {
        let name = match (target.file_name(), target.is_dir()) {
            (Some(name), false) => printable(name, target)?,
            _ => return Err(ExportError::IsDirectory(target.to_owned())),
        };
        let folder = match target.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
            _ => PathBuf::from("."),
        };
        if !folder.is_dir() {
            return Err(ExportError::FolderMissing { folder, name: name.into() });
        }
        may_be_written(target, force)?;
        let stage = Stage::new(&folder).map_err(|source| ExportError::creating(target, source))?;
        sweep(&folder, stage.path());
        Ok(Self {
            folder,
            single: Some(name),
            force,
            inputs: Vec::new(),
            members: BTreeSet::new(),
            companions: BTreeSet::new(),
            stage,
            made: MadeFolder(None),
        })
    }

    /// An output folder: created if it is missing (its parent must exist), refused if it holds anything, unless
    /// `force`: then our own files are replaced and all others left alone.
    pub fn folder(dir: &Path, force: bool) -> Result<Self, ExportError> {
        let made = MadeFolder::at(dir)?;
        let stage = Stage::new(dir).map_err(|source| ExportError::creating(dir, source))?;
        if let Some(witness) = sweep(dir, stage.path()) {
            return Err(ExportError::Busy { path: dir.to_owned(), witness });
        }
        let found = fs::read_dir(dir).map_err(|source| ExportError::creating(dir, source))?;
        let mut foreign = found.flatten().filter(|entry| !is_stage(&entry.file_name()));
        if !force && foreign.next().is_some() {
            return Err(ExportError::FolderNotEmpty(dir.to_owned()));
        }
        let (folder, inputs) = (dir.to_owned(), Vec::new());
        let (members, companions) = (BTreeSet::new(), BTreeSet::new());
        Ok(Self { folder, single: None, force, inputs, members, companions, stage, made })
    }

    /// Names the inputs of the run: none of them is ever overwritten, `force` or not.
    pub fn protecting(mut self, inputs: &[&Path]) -> Result<Self, ExportError> {
        self.inputs = inputs.iter().filter_map(|input| input.canonicalize().ok()).collect();
        if let Some(name) = &self.single {
            self.check_input(name)?;
        }
        Ok(self)
    }

    /// Where to write the member `name` for now: a path with the final file name. For a single output file the name
    /// does not matter.
    pub fn path(&mut self, name: &str) -> Result<PathBuf, ExportError> {
        let name = self.single.as_deref().unwrap_or(name).to_owned();
        self.announce(name)
    }

    /// Where to write the member `name` and what `format` puts beside it.
    pub fn path_for(&mut self, name: &str, format: Format) -> Result<PathBuf, ExportError> {
        let path = self.path(name)?;
        let Some(name) = path.file_name().map(PathBuf::from) else { return Ok(path) };
        if let Some(rival) = format.rival() {
            let rival = self.folder.join(name.with_extension(rival));
            if fs::symlink_metadata(&rival).is_ok() {
                return Err(ExportError::Shared {
                    rival,
                    shared: self.folder.join(name.with_extension("prj")),
                });
            }
        }
        for ending in format.companions() {
            let companion = name.with_extension(ending).to_string_lossy().into_owned();
            self.announce(companion.clone())?;
            self.companions.insert(companion);
        }
        Ok(path)
    }

    fn announce(&mut self, name: String) -> Result<PathBuf, ExportError> {
        let mut parts = Path::new(&name).components();
        let plain =
            matches!((parts.next(), parts.next()), (Some(Component::Normal(only)), None) if only == &*name);
        if !plain || name == LOCK {
            return Err(ExportError::Inconsistent(format!("\"{name}\" is not a plain file name")));
        }
        may_be_written(&self.folder.join(&name), self.force)?;
        self.check_input(&name)?;
        let path = self.stage.path().join(&name);
        self.members.insert(name);
        Ok(path)
    }

    /// Name, size and digest of what has been written so far, in the order of the names.
    pub fn digests(&self) -> Result<Vec<OutputRecord>, ExportError> {
        let written = |name: &&String| self.stage.path().join(name).exists();
        self.members.iter().filter(written).map(|name| self.record(name)).collect()
    }

    /// Brings every file to the disk and into place; `manifest.json` comes last. Says what was written, in the order
    /// of the names.
    pub fn commit(self) -> Result<Vec<OutputRecord>, ExportError> {
        let mut records = Vec::with_capacity(self.members.len());
        let written: Vec<&String> = {
            let there = |name: &&String| self.stage.path().join(name).exists();
            self.members.iter().filter(|name| !self.companions.contains(*name) || there(name)).collect()
        };
        for &name in &written {
            let path = self.stage.path().join(name);
            if !path.exists() {
                return Err(ExportError::Inconsistent(format!("{name} was announced and not written")));
            }
            let target = self.folder.join(name);
            sync_file(&path).map_err(|source| ExportError::writing(&target, &source))?;
            may_be_written(&target, self.force)?;
            records.push(self.record(name)?);
        }
        if self.single.is_none() && self.force {
            self.clear_earlier_run()?;
        }
        let key = self.single.as_deref().unwrap_or(MANIFEST);
        let (last, first): (Vec<&String>, Vec<&String>) =
            written.into_iter().partition(|name| name.as_str() == key);
        let mut placed = Vec::new();
        for group in [first, last] {
            for name in group {
                if let Err(failure) = self.place(name) {
                    self.take_back(&placed);
                    return Err(failure);
                }
                placed.push(name);
            }
            sync_folder(&self.folder).map_err(|source| ExportError::writing(&self.folder, &source))?;
        }
        let Self { stage, made, .. } = self;
        made.keep();
        stage.remove();
        Ok(records)
    }

    fn check_input(&self, name: &str) -> Result<(), ExportError> {
        let target = self.folder.join(name);
        match target.canonicalize() {
            Ok(found) if self.inputs.contains(&found) => Err(ExportError::IsInput(target)),
            _ => Ok(()),
        }
    }

    fn record(&self, name: &str) -> Result<OutputRecord, ExportError> {
        let path = self.stage.path().join(name);
        let (bytes, sha256) =
            digest(&path).map_err(|source| ExportError::writing(&self.folder.join(name), &source))?;
        Ok(OutputRecord { path: name.to_owned(), bytes, sha256 })
    }

    /// Takes away what an earlier run left and this one does not write again, and its manifest.
    fn clear_earlier_run(&self) -> Result<(), ExportError> {
        let manifest = self.folder.join(MANIFEST);
        let earlier = fs::read(&manifest).ok().and_then(|text| serde_json::from_slice::<Earlier>(&text).ok());
        let Some(earlier) = earlier.filter(|earlier| earlier.tool == "brasa") else { return Ok(()) };
        let gone = |path: &Path| match fs::remove_file(path) {
            Err(source) if source.kind() != ErrorKind::NotFound => Err(ExportError::creating(path, source)),
            _ => Ok(()),
        };
        for output in earlier.outputs {
            let path = self.folder.join(&output.path);
            let ours = Path::new(&output.path).file_name() == Some(OsStr::new(&output.path))
                && !self.members.contains(&output.path)
                && is_plain_file(&path)
                && digest(&path).is_ok_and(|(_, sha256)| sha256 == output.sha256);
            if ours {
                gone(&path)?;
            }
        }
        gone(&manifest)
    }

    /// Removes what was put in place, where nothing stood there before: without `force`.
    fn take_back(&self, placed: &[&String]) {
        for name in placed.iter().filter(|_| !self.force) {
            fs::remove_file(self.folder.join(name)).ok();
        }
    }

    fn place(&self, name: &str) -> Result<(), ExportError> {
        let (from, to) = (self.stage.path().join(name), self.folder.join(name));
        if self.force {
            fs::rename(&from, &to).map_err(|source| ExportError::creating(&to, source))?;
            // What programs remember about the old file is wrong for the new one: the range of a raster, where the
            // features of a shapefile lie.
            fs::remove_file(with_suffix(&to, ".aux.xml")).ok();
            if to.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("shp")) {
                for index in ["qix", "sbn", "sbx"] {
                    fs::remove_file(to.with_extension(index)).ok();
                }
            }
            return Ok(());
        }
        let temporary =
            TempPath::try_from_path(&from).map_err(|source| ExportError::creating(&to, source))?;
        temporary.persist_noclobber(&to).map_err(|failure| match failure.error.kind() {
            ErrorKind::AlreadyExists => ExportError::Exists(to.clone()),
            _ => ExportError::creating(&to, failure.error),
        })
    }
}

/// What is read back from the manifest of an earlier run.
#[derive(Deserialize)]
struct Earlier {
    tool: String,
    outputs: Vec<OutputDigest>,
}

#[derive(Deserialize)]
struct OutputDigest {
    path: String,
    sha256: String,
}

/// The folder in which files wait, with its lock.
#[derive(Debug)]
struct Stage {
    // Fields are dropped in this order: an abandoned-looking folder must not outlive its lock.
    folder: TempDir,
    _lock: Option<File>,
}

impl Stage {
    fn new(parent: &Path) -> io::Result<Self> {
        let folder = tempfile::Builder::new().prefix(STAGE).tempdir_in(parent)?;
        // The lock appears under its name only when it is held. Where there are no locks the folder goes without,
        // and is not swept if its owner is killed.
        let unnamed = folder.path().join(".locking");
        let file = File::create(&unnamed)?;
        let held = file.try_lock().is_ok();
        if held {
            fs::rename(&unnamed, folder.path().join(LOCK))?;
        } else {
            fs::remove_file(&unnamed)?;
        }
        Ok(Self { folder, _lock: held.then_some(file) })
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn remove(self) {
        // What is left is a lock and what drivers left behind; the outputs are in place whether this works or not.
        self.folder.close().ok();
    }
}

/// Removes the folders that killed runs left in `parent`; returns one that another run is using now.
fn sweep(parent: &Path, own: &Path) -> Option<PathBuf> {
    let mut in_use = None;
    for entry in fs::read_dir(parent).ok()?.flatten() {
        let path = entry.path();
        if !is_stage(&entry.file_name()) || path.file_name() == own.file_name() {
            continue;
        }
        let Ok(lock) = OpenOptions::new().write(true).open(path.join(LOCK)) else { continue };
        match lock.try_lock() {
            Ok(()) => drop(fs::remove_dir_all(&path)),
            Err(_) => in_use = Some(path),
        }
    }
    in_use
}

fn is_stage(name: &OsStr) -> bool {
    name.to_str().is_some_and(|name| name.starts_with(STAGE))
}

/// The output folder, if it was made by this run.
#[derive(Debug)]
struct MadeFolder(Option<PathBuf>);

impl MadeFolder {
    fn at(dir: &Path) -> Result<Self, ExportError> {
        match fs::create_dir(dir) {
            Ok(()) => Ok(Self(Some(dir.to_owned()))),
            Err(_) if dir.is_dir() => Ok(Self(None)),
            Err(source) => match source.kind() {
                ErrorKind::NotFound | ErrorKind::NotADirectory => {
                    let folder = dir.parent().unwrap_or(dir).to_owned();
                    let name = PathBuf::from(dir.file_name().unwrap_or(dir.as_os_str()));
                    Err(ExportError::FolderMissing { folder, name })
                }
                ErrorKind::AlreadyExists => {
                    Err(ExportError::NotAFile { path: dir.to_owned(), what: "not a folder" })
                }
                _ => Err(ExportError::creating(dir, source)),
            },
        }
    }

    fn keep(mut self) {
        self.0 = None;
    }
}

impl Drop for MadeFolder {
    fn drop(&mut self) {
        if let Some(dir) = &self.0 {
            // Only an empty folder can be removed this way.
            fs::remove_dir(dir).ok();
        }
    }
}

/// Whether a target is absent, or a plain file that may be replaced and that nobody has open.
fn may_be_written(target: &Path, force: bool) -> Result<(), ExportError> {
    let found = match fs::symlink_metadata(target) {
        Ok(found) => found.file_type(),
        Err(source) if source.kind() == ErrorKind::NotFound => return Ok(()),
        Err(source) => return Err(ExportError::creating(target, source)),
    };
    if found.is_dir() {
        return Err(ExportError::IsDirectory(target.to_owned()));
    }
    if !found.is_file() {
        let what = if found.is_symlink() { "a symbolic link" } else { "a device" };
        return Err(ExportError::NotAFile { path: target.to_owned(), what });
    }
    if !force {
        return Err(ExportError::Exists(target.to_owned()));
    }
    // A log that belongs to the old database would be applied to the new one and spoil it.
    match OPEN_MARKS.iter().map(|mark| with_suffix(target, mark)).find(|mark| mark.exists()) {
        Some(witness) => Err(ExportError::Busy { path: target.to_owned(), witness }),
        None => Ok(()),
    }
}

fn is_plain_file(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|found| found.is_file())
}

fn printable(name: &OsStr, target: &Path) -> Result<String, ExportError> {
    name.to_str().map(str::to_owned).ok_or_else(|| {
        let why = io::Error::new(ErrorKind::InvalidFilename, "the file name is not UTF-8");
        ExportError::creating(target, why)
    })
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Size and SHA-256 of a file.
pub(crate) fn digest(path: &Path) -> io::Result<(u64, String)> {
    let mut file = File::open(path)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 18];
    let mut bytes = 0;
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            break;
        }
        bytes += read as u64;
        hash.update(&buffer[..read]);
    }
    let hex = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok((bytes, hex))
}

fn sync_file(path: &Path) -> io::Result<()> {
    OpenOptions::new().write(true).open(path)?.sync_all()
}

#[cfg(unix)]
fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}
