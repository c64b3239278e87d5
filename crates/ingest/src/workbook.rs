//! Which kind of workbook some bytes are, and whether they can be trusted not to unpack into more than they are worth.

use std::io::{Cursor, Read};

use crate::IngestError;
use crate::open::drained;

/// The formats of workbooks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Xlsx,
    Xlsb,
    Xls,
    Ods,
}

/// The kind of workbook that a zip archive is, if it is one.
pub(crate) fn kind_of_archive(mut members: impl Iterator<Item = impl AsRef<str>>) -> Option<Kind> {
    members.find_map(|member| match member.as_ref() {
        "xl/workbook.xml" => Some(Kind::Xlsx),
        "xl/workbook.bin" => Some(Kind::Xlsb),
        "content.xml" => Some(Kind::Ods),
        _ => None,
    })
}

/// Tells the kind, and refuses what would unpack, or spread its cells, beyond all measure.
pub(crate) fn vet(name: &str, bytes: &[u8]) -> Result<Kind, IngestError> {
    let unreadable =
        |why: String| IngestError::FormatUnreadable { name: name.to_owned(), format: "a workbook", why };
    if bytes.starts_with(b"\xd0\xcf\x11\xe0") {
        return vet_xls(bytes).map(|()| Kind::Xls).map_err(unreadable);
    }
    let mut archive =
        zip::ZipArchive::new(Cursor::new(bytes)).map_err(|error| unreadable(error.to_string()))?;
    let kind = kind_of_archive(archive.file_names().flatten())
        .ok_or_else(|| unreadable("it holds no workbook".to_owned()))?;
    for at in 0..archive.len() {
        let member = archive.by_index(at).map_err(|error| unreadable(error.to_string()))?;
        let packed = member.compressed_size();
        drained(name, member, packed)?;
    }
    Ok(kind)
}

/// Records of the old format whose first two numbers are a row and a column.
const CELLS: [u16; 10] = [0x0006, 0x00bd, 0x00be, 0x00d6, 0x00fd, 0x0201, 0x0203, 0x0204, 0x0205, 0x027e];
/// Columns of the old format.
const XLS_COLUMNS: u16 = 256;

/// Walks the records of an old workbook: a cell beyond the last column would spread the sheet over billions of cells.
fn vet_xls(bytes: &[u8]) -> Result<(), String> {
    let mut file = cfb::CompoundFile::open(Cursor::new(bytes)).map_err(|error| error.to_string())?;
    if file.is_stream("/EncryptedPackage") {
        return Err("it is locked with a password".to_owned());
    }
    let stream = ["/Workbook", "/Book"].into_iter().find(|path| file.is_stream(path));
    let stream = stream.ok_or_else(|| "it holds no workbook".to_owned())?;
    let mut records = Vec::new();
    let mut stream = file.open_stream(stream).map_err(|error| error.to_string())?;
    stream.read_to_end(&mut records).map_err(|error| error.to_string())?;
    let mut rest = records.as_slice();
    while let Some((head, after)) = rest.split_first_chunk::<4>() {
        let (kind, length) = (u16::from_le_bytes([head[0], head[1]]), u16::from_le_bytes([head[2], head[3]]));
        let body = after.get(..usize::from(length)).unwrap_or(after);
        if let (true, Some(place)) = (CELLS.contains(&kind), body.first_chunk::<4>())
            && u16::from_le_bytes([place[2], place[3]]) >= XLS_COLUMNS
        {
            return Err("a cell lies beyond the last column of this format".to_owned());
        }
        rest = after.get(usize::from(length)..).unwrap_or_default();
    }
    Ok(())
}
