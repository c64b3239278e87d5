//! Which file in a zip archive is meant. Members are read by their names; nothing is written to disk.

use std::fs::File;
use std::io::{BufReader, Cursor, Read, Seek};
use std::path::Path;

use zip::ZipArchive;

use crate::IngestError;
use crate::open::{Form, GEODATABASE, MOST_DEPTH, Place, Source, ending, recognise, unpacked};
use crate::workbook::kind_of_archive;

/// Endings of files that may be data.
const DATA: [&str; 33] = [
    "csv",
    "tsv",
    "psv",
    "txt",
    "dat",
    "geojson",
    "geojsonl",
    "geojsons",
    "json",
    "jsonl",
    "ndjson",
    "shp",
    "gpkg",
    "fgb",
    "kml",
    "kmz",
    "gml",
    "gpx",
    "sqlite",
    "tab",
    "mif",
    "dxf",
    "dbf",
    "parquet",
    "geoparquet",
    "xlsx",
    "xlsm",
    "xlsb",
    "xls",
    "ods",
    "gz",
    "zip",
    "gdb",
];
/// Of these, what GDAL opens where it lies.
const FOR_GDAL: [&str; 13] =
    ["shp", "gpkg", "fgb", "kml", "kmz", "gml", "gpx", "sqlite", "tab", "mif", "dxf", "dbf", "gdb"];

/// Opens the member that is meant: the one that `layer` names, or the only one that can be the data. What is left of
/// `layer` is the layer in it.
pub(crate) fn open(
    source: &Source,
    inner: &str,
    place: &Place,
    layer: Option<&str>,
) -> Result<(Form, Option<String>), IngestError> {
    let name = source.name();
    match source.file() {
        Some(path) => {
            let file = File::open(path).map_err(|error| source.failed(&error))?;
            from(&mut Zip::new(name, BufReader::new(file))?, source, inner, place, layer)
        }
        None => from(&mut Zip::new(name, Cursor::new(source.bytes()?))?, source, inner, place, layer),
    }
}

fn from<R: Read + Seek>(
    zip: &mut Zip<R>,
    source: &Source,
    inner: &str,
    place: &Place,
    layer: Option<&str>,
) -> Result<(Form, Option<String>), IngestError> {
    if kind_of_archive(zip.archive.file_names().flatten()).is_some() {
        return Ok((Form::Sheets(source.clone()), layer.map(str::to_owned)));
    }
    let depth = place.inside.len();
    if depth >= MOST_DEPTH {
        return Err(zip.unreadable(format!("\"{inner}\" is an archive in an archive in an archive")));
    }
    let candidates = zip.candidates(depth + 1 < MOST_DEPTH)?;
    let (chosen, layer) = choose(&zip.name, &candidates, layer)?;
    let mut place = place.clone();
    place.inside.extend(chosen.way.iter().cloned());
    if FOR_GDAL.contains(&ending(&chosen.label).as_str()) {
        return Ok((Form::Other(place, "a zipped vector file"), layer));
    }
    let mut content = zip.content(&chosen.way[0])?;
    if let Some(deeper) = chosen.way.get(1) {
        content = Zip::new(&zip.name, Cursor::new(content))?.content(deeper)?;
    }
    if content.is_empty() {
        return Err(IngestError::FileEmpty { name: format!("{}/{}", zip.name, chosen.label) });
    }
    recognise(Source::of_member(&zip.name, content), &chosen.label, &place, layer.as_deref())
}

/// A file in an archive that may be the data.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Candidate {
    /// What it is called: its name in the archive, behind that of an archive in between.
    label: String,
    way: Vec<String>,
}

struct Zip<R> {
    name: String,
    archive: ZipArchive<R>,
}

impl<R: Read + Seek> Zip<R> {
    fn new(name: &str, bytes: R) -> Result<Self, IngestError> {
        let broken = |error: zip::result::ZipError| IngestError::FormatUnreadable {
            name: name.to_owned(),
            format: "zip",
            why: error.to_string(),
        };
        Ok(Self { name: name.to_owned(), archive: ZipArchive::new(bytes).map_err(broken)? })
    }

    fn unreadable(&self, why: String) -> IngestError {
        IngestError::FormatUnreadable { name: self.name.clone(), format: "zip", why }
    }

    /// The files that may be the data, those in archives within it too, if these may be opened.
    fn candidates(&mut self, deeper: bool) -> Result<Vec<Candidate>, IngestError> {
        let mut found: Vec<Candidate> = Vec::new();
        for at in 0..self.archive.len() {
            let member =
                self.archive.by_index_raw(at).map_err(|error| self_unreadable(&self.name, &error))?;
            // A name that leads out of the archive is no name.
            let (Some(_), true, Ok(label)) = (member.enclosed_name(), member.is_file(), member.name()) else {
                continue;
            };
            let label = label.into_owned();
            let leads_out =
                label.starts_with(['/', '\\']) || label.split(['/', '\\']).any(|part| part == "..");
            if leads_out
                || label.starts_with("__MACOSX")
                || label.split('/').any(|part| part.starts_with('.'))
            {
                continue;
            }
            let folder = label.rsplit_once('/').filter(|(_, file)| file.eq_ignore_ascii_case(GEODATABASE));
            if let Some((folder, _)) = folder {
                found.push(Candidate { label: folder.to_owned(), way: vec![folder.to_owned()] });
            } else if DATA.contains(&ending(&label).as_str()) && ending(&label) != "gdb" {
                found.push(Candidate { way: vec![label.clone()], label });
            }
        }
        let mut all = Vec::with_capacity(found.len());
        for candidate in found {
            if ending(&candidate.label) != "zip" || !deeper {
                all.push(candidate);
                continue;
            }
            let content = self.content(&candidate.label)?;
            let mut inner = Zip::new(&self.name, Cursor::new(content))?;
            if kind_of_archive(inner.archive.file_names().flatten()).is_some() {
                all.push(candidate);
                continue;
            }
            for Candidate { label, way } in inner.candidates(false)? {
                let label = format!("{}/{label}", candidate.label);
                all.push(Candidate { label, way: [candidate.way.clone(), way].concat() });
            }
        }
        // A readme beside the data, and the table beside a shape, are no rivals to it.
        let stems: Vec<String> =
            all.iter().filter(|one| ending(&one.label) == "shp").map(|one| stem(&one.label)).collect();
        all.retain(|one| ending(&one.label) != "dbf" || !stems.contains(&stem(&one.label)));
        if all.iter().any(|one| ending(&one.label) != "txt") {
            all.retain(|one| ending(&one.label) != "txt");
        }
        Ok(all)
    }

    /// The unpacked bytes of a member.
    fn content(&mut self, member: &str) -> Result<Vec<u8>, IngestError> {
        let name = self.name.clone();
        let member = self.archive.by_name(member).map_err(|error| self_unreadable(&name, &error))?;
        let packed = member.compressed_size();
        unpacked(&name, member, packed)
    }
}

fn self_unreadable(name: &str, error: &zip::result::ZipError) -> IngestError {
    IngestError::FormatUnreadable { name: name.to_owned(), format: "zip", why: error.to_string() }
}

fn stem(label: &str) -> String {
    label.rsplit_once('.').map_or(label, |(stem, _)| stem).to_lowercase()
}

/// The candidate that is named, with what is named in it, or the only one.
fn choose<'a>(
    name: &str,
    candidates: &'a [Candidate],
    layer: Option<&str>,
) -> Result<(&'a Candidate, Option<String>), IngestError> {
    if let Some(layer) = layer {
        let same = |text: &str, other: &str| text.eq_ignore_ascii_case(other);
        let file = |label: &str| Path::new(label).file_name().map(|file| file.to_string_lossy().into_owned());
        if let Some(found) = candidates.iter().find(|one| same(&one.label, layer)) {
            return Ok((found, None));
        }
        let inside = |one: &&Candidate| {
            let (start, rest) = layer.split_at_checked(one.label.len())?;
            (same(start, &one.label)).then(|| rest.strip_prefix('/')).flatten()
        };
        if let Some((found, rest)) = candidates.iter().find_map(|one| Some((one, inside(&one)?))) {
            return Ok((found, Some(rest.to_owned())));
        }
        let mut by_file = candidates.iter().filter(|one| {
            file(&one.label).is_some_and(|file| same(&file, layer) || same(&stem(&file), layer))
        });
        if let (Some(found), None) = (by_file.next(), by_file.next()) {
            return Ok((found, None));
        }
    }
    match (candidates, layer) {
        ([only], _) => Ok((only, layer.map(str::to_owned))),
        (_, Some(layer)) if !candidates.is_empty() => Err(IngestError::LayerUnknown {
            name: name.to_owned(),
            wanted: layer.to_owned(),
            layers: candidates.iter().map(|one| one.label.clone()).collect(),
        }),
        _ => {
            let members = candidates.iter().map(|one| one.label.clone()).collect();
            Err(IngestError::ArchiveChoice { name: name.to_owned(), members })
        }
    }
}
