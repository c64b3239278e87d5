//! Workbooks as small as they can be, written by hand.

use std::fmt::Write as _;
use std::io::Write as _;

pub enum Cell {
    Text(&'static str),
    Number(f64),
    /// A serial number shown as a date and a time.
    Moment(f64),
    Nothing,
}

pub fn zip(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, content) in members {
        writer.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        writer.write_all(content).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// The letters of a column.
fn letters(mut column: usize) -> String {
    let mut letters = String::new();
    loop {
        letters.insert(0, char::from(b'A' + (column % 26) as u8));
        if column < 26 {
            return letters;
        }
        column = column / 26 - 1;
    }
}

/// A sheet whose first cell stands so many rows and columns from the corner.
pub fn sheet(rows: &[Vec<Cell>], down: usize, right: usize) -> String {
    let mut data = String::new();
    for (row, cells) in rows.iter().enumerate() {
        let row = row + 1 + down;
        write!(data, "<row r=\"{row}\">").unwrap();
        for (column, cell) in cells.iter().enumerate() {
            let at = format!("{}{row}", letters(column + right));
            match cell {
                Cell::Text(text) => write!(data, "<c r=\"{at}\" t=\"inlineStr\"><is><t>{text}</t></is></c>"),
                Cell::Number(number) => write!(data, "<c r=\"{at}\"><v>{number}</v></c>"),
                Cell::Moment(serial) => write!(data, "<c r=\"{at}\" s=\"1\"><v>{serial}</v></c>"),
                Cell::Nothing => Ok(()),
            }
            .unwrap();
        }
        data += "</row>";
    }
    format!(
        "<?xml version=\"1.0\"?><worksheet xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\"><sheetData>{data}</sheetData></worksheet>"
    )
}

/// A workbook of these sheets.
pub fn xlsx(sheets: &[(&str, String)], from_1904: bool) -> Vec<u8> {
    let main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    let relations = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let package = "http://schemas.openxmlformats.org/package/2006";
    let (mut list, mut links, mut types) = (String::new(), String::new(), String::new());
    let mut members: Vec<(String, String)> = Vec::new();
    for (at, (name, content)) in sheets.iter().enumerate() {
        let at = at + 1;
        write!(list, "<sheet name=\"{name}\" sheetId=\"{at}\" r:id=\"r{at}\"/>").unwrap();
        write!(
            links,
            "<Relationship Id=\"r{at}\" Type=\"{relations}/worksheet\" Target=\"worksheets/sheet{at}.xml\"/>"
        )
        .unwrap();
        write!(types, "<Override PartName=\"/xl/worksheets/sheet{at}.xml\" ContentType=\"application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml\"/>").unwrap();
        members.push((format!("xl/worksheets/sheet{at}.xml"), content.clone()));
    }
    let epoch = if from_1904 { "<workbookPr date1904=\"1\"/>" } else { "" };
    members.push((
        "xl/workbook.xml".into(),
        format!(
            "<workbook xmlns=\"{main}\" xmlns:r=\"{relations}\">{epoch}<sheets>{list}</sheets></workbook>"
        ),
    ));
    members.push((
        "xl/_rels/workbook.xml.rels".into(),
        format!("<Relationships xmlns=\"{package}/relationships\">{links}<Relationship Id=\"s\" Type=\"{relations}/styles\" Target=\"styles.xml\"/></Relationships>"),
    ));
    members.push((
        "xl/styles.xml".into(),
        format!("<styleSheet xmlns=\"{main}\"><cellXfs><xf numFmtId=\"0\"/><xf numFmtId=\"22\"/></cellXfs></styleSheet>"),
    ));
    members.push((
        "_rels/.rels".into(),
        format!("<Relationships xmlns=\"{package}/relationships\"><Relationship Id=\"w\" Type=\"{relations}/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>"),
    ));
    members.push((
        "[Content_Types].xml".into(),
        format!("<Types xmlns=\"{package}/content-types\"><Override PartName=\"/xl/workbook.xml\" ContentType=\"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml\"/>{types}</Types>"),
    ));
    let members: Vec<(&str, &[u8])> =
        members.iter().map(|(name, content)| (name.as_str(), content.as_bytes())).collect();
    zip(&members)
}

/// An OpenDocument sheet of these rows of text and numbers.
pub fn ods(name: &str, rows: &[Vec<Cell>]) -> Vec<u8> {
    let mut data = String::new();
    for cells in rows {
        data += "<table:table-row>";
        for cell in cells {
            match cell {
                Cell::Text(text) => write!(data, "<table:table-cell office:value-type=\"string\"><text:p>{text}</text:p></table:table-cell>"),
                Cell::Number(number) | Cell::Moment(number) => write!(data, "<table:table-cell office:value-type=\"float\" office:value=\"{number}\"><text:p>{number}</text:p></table:table-cell>"),
                Cell::Nothing => write!(data, "<table:table-cell/>"),
            }
            .unwrap();
        }
        data += "</table:table-row>";
    }
    let office = "urn:oasis:names:tc:opendocument:xmlns";
    let content = format!(
        "<?xml version=\"1.0\"?><office:document-content xmlns:office=\"{office}:office:1.0\" xmlns:table=\"{office}:table:1.0\" xmlns:text=\"{office}:text:1.0\"><office:body><office:spreadsheet><table:table table:name=\"{name}\">{data}</table:table></office:spreadsheet></office:body></office:document-content>"
    );
    let manifest =
        "<manifest:manifest xmlns:manifest=\"urn:oasis:names:tc:opendocument:xmlns:manifest:1.0\"/>";
    zip(&[
        ("mimetype", b"application/vnd.oasis.opendocument.spreadsheet"),
        ("META-INF/manifest.xml", manifest.as_bytes()),
        ("content.xml", content.as_bytes()),
    ])
}
