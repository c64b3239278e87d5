//! The notes of several files as one list that says which file each speaks of.

use std::collections::BTreeSet;

use brasa_model::Note;

/// Names that are written out before the rest is counted.
const NAMED: usize = 3;

/// The notes of each file as one list. What is said of several files in the same words is said once; counts of rows are
/// added up, and where reasons differ, that of the first stands for all. Of one file the notes stay as they are.
pub(crate) fn of_files(names: &[&str], notes: Vec<Vec<Note>>) -> Vec<Note> {
    if let [_] = names {
        return notes.into_iter().flatten().collect();
    }
    let mut told: Vec<(BTreeSet<usize>, Note)> = Vec::new();
    for (file, notes) in notes.into_iter().enumerate() {
        for note in notes {
            match told.iter_mut().find(|(files, other)| !files.contains(&file) && is_same(other, &note)) {
                Some((files, other)) => {
                    if other.reason != note.reason && files.len() == 1 {
                        let first = files.first().map_or("", |&first| names[first]);
                        other.reason = other.reason.take().map(|reason| format!("in {first}: {reason}"));
                    }
                    files.insert(file);
                    if let (Some(sum), Some(more)) = (rows(other), rows(&note)) {
                        other.value = Some((sum + more).into());
                    }
                }
                None => told.push((BTreeSet::from([file]), note)),
            }
        }
    }
    told.into_iter().map(|(files, note)| addressed(names, &files, note)).collect()
}

/// Whether two notes differ at most in a count of rows and in their reasons.
fn is_same(a: &Note, b: &Note) -> bool {
    let both_count = rows(a).is_some() && rows(b).is_some();
    (&a.code, &a.text, &a.unit) == (&b.code, &b.text, &b.unit) && (both_count || a.value == b.value)
}

/// The count of rows that is the value of a note.
fn rows(note: &Note) -> Option<u64> {
    note.value.as_ref().filter(|_| note.unit.as_deref() == Some("rows"))?.as_u64()
}

/// The note with the names of the files it speaks of.
fn addressed(names: &[&str], files: &BTreeSet<usize>, note: Note) -> Note {
    let named: Vec<&str> = files.iter().map(|&file| names[file]).collect();
    let of = if files.len() == names.len() { format!("all {} files", names.len()) } else { list(&named) };
    // A note that begins with the name of its file has said it.
    let text = if note.text.starts_with(&of) { note.text } else { format!("{of}: {}", note.text) };
    Note { text, ..note }
}

/// Names in a sentence, the first few of them.
pub(crate) fn list(names: &[&str]) -> String {
    let rest = names.len().saturating_sub(NAMED);
    if rest > 1 {
        return format!("{} and {rest} more", names[..NAMED].join(", "));
    }
    match names {
        [all @ .., last] if !all.is_empty() => format!("{} and {last}", all.join(", ")),
        _ => names.concat(),
    }
}
