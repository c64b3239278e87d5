//! Where the header of a table is: below its titles, in one row or in two, or absent.

use brasa_model::Note;

use crate::dates::looks_like_date;

/// The number of fields most rows have, and how many rows have it.
pub(crate) fn usual_width(rows: &[Vec<String>]) -> (usize, usize) {
    let mut counts = std::collections::BTreeMap::new();
    for row in rows {
        *counts.entry(row.len()).or_insert(0_usize) += 1;
    }
    counts.into_iter().max_by_key(|&(width, count)| (count, width)).unwrap_or((0, 0))
}

/// The names of the columns, and the rows they took.
pub(crate) struct Header {
    pub columns: Vec<String>,
    /// Rows before the first row of data.
    pub skip: usize,
    titles: usize,
    rows: usize,
}

impl Header {
    /// The header is the first row as wide as most, unless all its fields are numbers or dates; a row beside it that says
    /// what it leaves open belongs to it.
    pub fn find(rows: &[Vec<String>]) -> Self {
        let (width, _) = usual_width(rows);
        let full = |row: &Vec<String>| row.len() == width && filled(row) * 2 >= width;
        let at = rows.iter().position(full).unwrap_or(0);
        let Some(names) = rows.get(at) else {
            return Self { columns: Vec::new(), skip: 0, titles: 0, rows: 0 };
        };
        let named = !(names.iter().all(|field| is_value(field)) && filled(names) > 0);
        let above = at.checked_sub(1).filter(|&above| named && is_group_row(&rows[above], names));
        let below =
            rows.get(at + 1).filter(|below| named && is_group_row(names, below) && filled(names) < width);
        let (names, titles, count) = match (above, below) {
            (Some(above), _) => (joined(&rows[above], names), above, 2),
            (None, Some(below)) => (joined(names, below), at, 2),
            (None, None) => (names.clone(), at, usize::from(named)),
        };
        let name = |(at, name): (usize, String)| {
            if named && !name.is_empty() { name } else { format!("column{}", at + 1) }
        };
        let columns = names.into_iter().enumerate().map(name).collect();
        Self { columns, skip: titles + count, titles, rows: count }
    }

    /// What is to be announced.
    pub fn notes(&self) -> Vec<Note> {
        let mut notes = Vec::new();
        if self.titles > 0 {
            notes.push(
                Note::new(
                    "title_rows_skipped",
                    format!("the first {} rows are titles and were skipped", self.titles),
                )
                .value(self.titles, "rows")
                .reason("they have fewer fields than the rows below"),
            );
        }
        if self.rows == 2 {
            notes.push(
                Note::new("header_in_two_rows", "the header has two rows, which were joined")
                    .value(self.columns.join(", "), "")
                    .reason("the upper names groups of columns, the lower the columns"),
            );
        }
        if self.rows == 0 {
            let last = self.columns.len();
            notes.push(
                Note::new(
                    "header_absent",
                    format!("there is no header; the columns are called column1 to column{last}"),
                )
                .reason("every field of the first row is a number or a date"),
            );
        }
        notes
    }
}

fn filled(row: &[String]) -> usize {
    row.iter().filter(|field| !field.is_empty()).count()
}

fn is_value(field: &str) -> bool {
    let number = field.replace(',', ".").parse::<f64>().is_ok();
    field.is_empty() || number || looks_like_date(field)
}

/// Whether the upper of two rows names groups of columns that the lower tells apart: the lower is words, and somewhere below
/// an empty field of the upper row, right of a group, the lower says something.
fn is_group_row(upper: &[String], lower: &[String]) -> bool {
    let words =
        |row: &[String]| filled(row) > 0 && row.iter().all(|field| field.is_empty() || !is_value(field));
    let group = |at: usize| upper[..at].iter().rev().take_while(|field| field.is_empty()).count() < at;
    let open = (0..upper.len().min(lower.len()))
        .any(|at| upper[at].is_empty() && !lower[at].is_empty() && group(at));
    // A text in the first column alone is a title.
    let title = upper.iter().skip(1).all(String::is_empty);
    upper.len() == lower.len() && words(lower) && filled(lower) >= 2 && open && !title
}

/// The lower names, and the upper where there is none; a name that comes twice has that of its group before it.
fn joined(upper: &[String], lower: &[String]) -> Vec<String> {
    let mut group = "";
    let repeated = |name: &str| lower.iter().filter(|other| *other == name).count() > 1;
    let mut names = Vec::with_capacity(upper.len());
    for (above, below) in upper.iter().zip(lower) {
        if !above.is_empty() {
            group = above;
        }
        names.push(match below.as_str() {
            "" => above.clone(),
            below if !group.is_empty() && repeated(below) => format!("{group} {below}"),
            below => below.to_owned(),
        });
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(rows: &[&[&str]]) -> (Vec<String>, usize) {
        let rows: Vec<Vec<String>> =
            rows.iter().map(|row| row.iter().map(|field| (*field).to_owned()).collect()).collect();
        let header = Header::find(&rows);
        (header.columns, header.skip)
    }

    #[test]
    fn two_rows_are_joined_whichever_of_them_is_full() {
        let (columns, skip) = found(&[
            &["Reporte 2019", "", "", ""],
            &["Datos", "", "Lugar", ""],
            &["Fecha", "Tipo", "X", "Y"],
            &["2019-01-02", "ROBO", "1", "2"],
        ]);
        assert_eq!((columns.join("|").as_str(), skip), ("Fecha|Tipo|X|Y", 3));
        let (columns, skip) = found(&[
            &["Fecha", "Tipo", "Coordenada", ""],
            &["", "", "X", "Y"],
            &["2019-01-02", "ROBO", "1", "2"],
        ]);
        assert_eq!((columns.join("|").as_str(), skip), ("Fecha|Tipo|X|Y", 2));
    }

    #[test]
    fn a_name_that_comes_twice_has_its_group_before_it() {
        let (columns, skip) = found(&[
            &["", "2013", "", "2014", ""],
            &["Sector", "Enero", "Febrero", "Enero", "Febrero"],
            &["A", "1", "2", "3", "4"],
        ]);
        let names = "Sector|2013 Enero|2013 Febrero|2014 Enero|2014 Febrero";
        assert_eq!((columns.join("|").as_str(), skip), (names, 2));
    }

    #[test]
    fn a_title_and_a_first_row_of_data_are_no_header() {
        let (columns, skip) = found(&[&["Reporte", "", ""], &["lon", "lat", "tipo"], &["1", "2", "ROBO"]]);
        assert_eq!((columns.join("|").as_str(), skip), ("lon|lat|tipo", 2));
        // An empty name is none: the row below is data.
        let (columns, skip) = found(&[&["lon", "lat", ""], &["1", "2", "ROBO"], &["1", "2", "HURTO"]]);
        assert_eq!((columns.join("|").as_str(), skip), ("lon|lat|column3", 1));
        let (columns, skip) = found(&[&["tipo", "barrio", ""], &["ROBO", "", "1"], &["HURTO", "", "2"]]);
        assert_eq!((columns.join("|").as_str(), skip), ("tipo|barrio|column3", 1));
        assert_eq!(found(&[]).1, 0);
    }
}
