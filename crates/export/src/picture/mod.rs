//! What is drawn: SVG that a browser, an office suite and QGIS open, and the same picture as PNG and PDF. Everything reads in black
//! and white.

pub(crate) mod curve;
pub(crate) mod map;
mod pdf;
pub(crate) mod places;
mod png;
mod sheet;

use std::borrow::Cow;
use std::path::Path;
use std::sync::{Arc, LazyLock};

use resvg::usvg::{Options, Tree, fontdb};

use crate::ExportError;

pub(crate) use pdf::write_pdf;
pub(crate) use png::write_png;

/// The fonts that text is drawn with: they come with brasa, so that a picture is the same on every machine.
fn fonts() -> Arc<fontdb::Database> {
    static FONTS: LazyLock<Arc<fontdb::Database>> = LazyLock::new(|| {
        let mut fonts = fontdb::Database::new();
        fonts.load_font_data(dejavu::sans::regular().to_vec());
        fonts.load_font_data(dejavu::sans::bold().to_vec());
        fonts.set_sans_serif_family("DejaVu Sans");
        Arc::new(fonts)
    });
    Arc::clone(&FONTS)
}

/// A drawing on its way to `path`, its letters chosen.
fn tree(svg: &str, path: &Path) -> Result<Tree, ExportError> {
    let options = Options { fontdb: fonts(), font_family: "DejaVu Sans".to_owned(), ..Options::default() };
    Tree::from_str(svg, &options)
        .map_err(|error| ExportError::WriteFailed { path: path.to_owned(), why: error.to_string() })
}

/// A place to a hundredth of a pixel.
pub(crate) fn px(value: f64) -> f64 {
    // Adding 0 makes -0 a 0.
    (value * 100.0).round() / 100.0 + 0.0
}

/// How wide a text is at most, in multiples of its size: a letter of the usual sans-serif is seldom wider.
const LETTER: f64 = 0.62;

/// As much of a text as fits, with an ellipsis where something is left out.
fn fitted(text: &str, width: f64, size: f64) -> Cow<'_, str> {
    let most = (width / (LETTER * size)).floor().max(1.0) as usize;
    if text.chars().count() <= most {
        return Cow::Borrowed(text);
    }
    let kept: String = text.chars().take(most.saturating_sub(1)).collect();
    Cow::Owned(format!("{}…", kept.trim_end()))
}

/// A text in lines that fit, no more than so many; the last ends with an ellipsis where something is left out.
fn broken(text: &str, width: f64, size: f64, most: usize) -> Vec<String> {
    let letters = (width / (LETTER * size)).floor().max(1.0) as usize;
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        let full = lines.len() == most;
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= letters => {
                line.push(' ');
                line.push_str(word);
            }
            Some(line) if full => {
                line.push_str(" …");
                break;
            }
            _ => lines.push(fitted(word, width, size).into_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_keeps_within_its_width() {
        assert_eq!(fitted("short", 100.0, 10.0), "short");
        assert_eq!(fitted("homicidios_2018_2024.csv", 62.0, 10.0), "homicidio…");
        assert_eq!(broken("one two three four", 62.0, 10.0, 9), ["one two", "three four"]);
        assert_eq!(broken("one two three four five", 62.0, 10.0, 1), ["one two …"]);
        assert!(broken("", 62.0, 10.0, 3).is_empty());
    }
}
