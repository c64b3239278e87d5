//! Which files are meant, and how messages call them.

use std::path::{MAIN_SEPARATOR, Path, PathBuf};

use crate::IngestError;
use crate::open::{connection, database, is_geodatabase};

/// More cannot be told apart in the incidents.
const MOST_FILES: usize = u16::MAX as usize + 1;

/// The files that the words of a command name: a path is itself; one that does not exist and holds `*`, `?` or `[…]` stands for
/// all files that it fits, sorted by path. (A shell has mostly done this before; on Windows, and in a pipeline file, nobody has.)
pub fn expand(words: &[PathBuf]) -> Result<Vec<PathBuf>, IngestError> {
    let mut files = Vec::new();
    for word in words {
        if connection(word).is_some() {
            files.push(word.clone());
            continue;
        }
        match word.to_str().filter(|text| text.contains(['*', '?', '[']) && !word.exists()) {
            None => files.push(word.clone()),
            Some(pattern) => files.extend(fitting(pattern)?),
        }
    }
    Ok(files)
}

fn fitting(pattern: &str) -> Result<Vec<PathBuf>, IngestError> {
    let invalid = |error: glob::PatternError| IngestError::PatternInvalid {
        pattern: pattern.to_owned(),
        why: error.msg.to_owned(),
    };
    // As in a shell: a star stays within one folder and does not look for hidden files.
    let options = glob::MatchOptions {
        case_sensitive: !cfg!(windows),
        require_literal_separator: true,
        require_literal_leading_dot: true,
    };
    let mut files = Vec::new();
    for found in glob::glob_with(pattern, options).map_err(invalid)? {
        let path = found.map_err(|error| IngestError::FileUnreadable {
            path: error.path().display().to_string(),
            why: error.error().to_string(),
        })?;
        if path.is_file() || is_geodatabase(&path) {
            files.push(path);
        }
    }
    files.sort();
    if files.is_empty() {
        return Err(IngestError::PatternMatchesNothing { pattern: pattern.to_owned() });
    }
    Ok(files)
}

/// A word of a command without the password of a database: what is stored or shown of it.
pub fn without_secrets(word: &str) -> String {
    if connection(Path::new(word)).is_none() {
        return word.to_owned();
    }
    let Some(start) = word.find("password=").map(|at| at + "password=".len()) else { return word.to_owned() };
    let rest = &word[start..];
    // A value in quotes may hold spaces, and quotes behind a backslash.
    let end = if rest.starts_with('\'') {
        let mut escaped = false;
        let close = rest.char_indices().skip(1).find(|&(_, letter)| {
            let closes = letter == '\'' && !escaped;
            escaped = letter == '\\' && !escaped;
            closes
        });
        close.map_or(rest.len(), |(at, _)| at + 1)
    } else {
        rest.find(char::is_whitespace).unwrap_or(rest.len())
    };
    format!("{}***{}", &word[..start], &rest[end..])
}

/// Refuses no file, too many, and a file that is named twice, by whatever path.
pub(crate) fn check(paths: &[&Path]) -> Result<(), IngestError> {
    if paths.is_empty() {
        return Err(IngestError::Internal("no file was named".to_owned()));
    }
    if paths.len() > MOST_FILES {
        return Err(IngestError::TooLarge {
            name: "the incidents".to_owned(),
            what: format!("{} files were named", paths.len()),
            limit: format!("{MOST_FILES} files"),
        });
    }
    let mut seen: Vec<(PathBuf, &Path)> =
        paths.iter().filter_map(|path| Some((path.canonicalize().ok()?, *path))).collect();
    // A stable sort: of a pair, the first is the one that was named first.
    seen.sort_by(|a, b| a.0.cmp(&b.0));
    match seen.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        Some(pair) => Err(IngestError::FileTwice {
            path: pair[0].1.display().to_string(),
            again: pair[1].1.display().to_string(),
        }),
        None => Ok(()),
    }
}

/// The names of files: without folders, but for as many as it takes to tell two of one name apart, in capitals or not.
pub(crate) fn names(paths: &[&Path]) -> Vec<String> {
    let full: Vec<Vec<String>> = paths.iter().map(|path| parts(path)).collect();
    let mut depth = vec![1; paths.len()];
    let name = |at: usize, depth: usize| {
        let parts = &full[at];
        parts[parts.len().saturating_sub(depth)..].join("/")
    };
    loop {
        let names: Vec<String> = (0..paths.len()).map(|at| name(at, depth[at])).collect();
        let mut order: Vec<(String, usize)> =
            names.iter().enumerate().map(|(at, name)| (name.to_lowercase(), at)).collect();
        order.sort();
        let mut deeper = false;
        for at in order.chunk_by(|a, b| a.0 == b.0).filter(|same| same.len() > 1).flatten().map(|same| same.1)
        {
            deeper |= depth[at] < full[at].len();
            depth[at] += 1;
        }
        if !deeper {
            return names;
        }
    }
}

/// The folders and the name of a file.
fn parts(path: &Path) -> Vec<String> {
    if let Some(connection) = connection(path) {
        return vec![database(connection)];
    }
    let last = || path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let full = std::path::absolute(path).unwrap_or_default();
    let mut parts: Vec<String> = full
        .iter()
        .map(|part| part.to_string_lossy().into_owned())
        .filter(|part| *part != MAIN_SEPARATOR.to_string())
        .collect();
    parts.pop();
    parts.push(last());
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_is_called_by_its_name_and_keeps_its_secret() {
        let words = "PG:dbname=delitos host=db.local password=s3creto user=ana";
        assert_eq!(names(&[Path::new(words)]), ["PostGIS database delitos"]);
        assert_eq!(without_secrets(words), "PG:dbname=delitos host=db.local password=*** user=ana");
        let quoted = r"pg:password='a b\' c' dbname=x";
        assert_eq!(without_secrets(quoted), "pg:password=*** dbname=x");
        assert_eq!(without_secrets("password=x.csv"), "password=x.csv");
        assert_eq!(expand(&[words.into()]).unwrap(), [PathBuf::from(words)]);
    }

    #[test]
    fn names_are_as_short_as_they_can_be() {
        let names = |paths: &[&str]| names(&paths.iter().map(|&path| Path::new(path)).collect::<Vec<_>>());
        assert_eq!(names(&["x/a.csv", "y/b.csv"]), ["a.csv", "b.csv"]);
        assert_eq!(names(&["/x/1/a.csv", "/y/1/A.csv", "c.csv"]), ["x/1/a.csv", "y/1/A.csv", "c.csv"]);
        assert_eq!(names(&["/a.csv", "/1/a.csv"]), ["a.csv", "1/a.csv"]);
        assert_eq!(names(&["a.csv"]), ["a.csv"]);
    }
}
