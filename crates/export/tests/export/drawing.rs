//! Drawings as PDF.

use std::fs;
use std::path::Path;
use std::process::Command;

use brasa_export::{CurveFormat, Format, Imprint, draw_layer, draw_surface, write_curve, write_drawing};
use brasa_model::{Curve, Series};
use tempfile::tempdir;

use crate::fixtures::{crs, layer, layer_of, provenance, surface};

/// What poppler says of a file, if it is there.
#[expect(clippy::print_stdout, reason = "a skipped test must say so")]
fn poppler(program: &str, path: &Path) -> Option<String> {
    let to_stdout = (program == "pdftotext").then_some("-");
    let Ok(output) = Command::new(program).arg(path).args(to_stdout).output() else {
        println!("skipped: {program} is not here");
        return None;
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
fn a_drawing_is_one_page_of_a4_with_its_letters_as_text() {
    let dir = tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    let map = draw_layer(&layer(), Imprint::PLAIN).unwrap();
    let ground = draw_surface(&surface(60, 40), "Ñandú", &crs(), Imprint::PLAIN).unwrap();
    for (name, svg, said) in [("a.pdf", &map, "Hotspots of \"robbery\""), ("b.pdf", &ground, "Ñandú")] {
        let path = at(name);
        write_drawing(svg, &path, Format::Pdf).unwrap();
        let bytes = fs::read(&path).unwrap();
        assert!(bytes.starts_with(b"%PDF-") && bytes.len() > 5_000, "{}", bytes.len());
        for clock in ["CreationDate", "ModDate", "CreateDate"] {
            let found = bytes.windows(clock.len()).any(|window| window == clock.as_bytes());
            assert!(!found, "{clock}: the same drawing is the same file");
        }
        write_drawing(svg, &at("again.pdf"), Format::Pdf).unwrap();
        assert!(bytes == fs::read(at("again.pdf")).unwrap(), "{name}");
        let Some(info) = poppler("pdfinfo", &path) else { return };
        assert!(info.contains("Pages:           1") && info.contains("(A4)"), "{info}");
        assert!(info.contains(said), "{info}");
        let Some(text) = poppler("pdftotext", &path) else { return };
        assert!(text.contains(said) && text.contains("Legend"), "{text}");
        let Some(fonts) = poppler("pdffonts", &path) else { return };
        assert!(fonts.contains("DejaVu"), "{fonts}");
        assert!(!fonts.lines().skip(2).any(|line| line.contains(" no  no ")), "not embedded: {fonts}");
    }
}

#[test]
fn curves_and_layers_without_features_are_pages_too() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("a.pdf");
    let curve = Curve {
        title: "K".into(),
        x: Series::new("distance", "Distance", "m", vec![0.0, 100.0, 200.0]),
        y: vec![Series::new("k", "K", "", vec![0.0, 1.0, 4.0])],
        optimum: None,
        provenance: provenance(),
        notes: Vec::new(),
    };
    write_curve(&curve, &path, CurveFormat::Pdf).unwrap();
    if let Some(info) = poppler("pdfinfo", &path) {
        assert!(info.contains("(A4)"), "{info}");
    }
    write_drawing(&draw_layer(&layer_of(Vec::new()), Imprint::PLAIN).unwrap(), &path, Format::Pdf).unwrap();
    assert!(fs::metadata(&path).unwrap().len() > 1_000);
}
