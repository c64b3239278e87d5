//! Pixels: a drawn picture as PNG, and a surface as the image inside one.

use std::path::Path;

use base64::Engine as _;
use brasa_model::Surface;
use resvg::tiny_skia::{Pixmap, Transform};

use super::tree;
use crate::style::Ramp;
use crate::{ExportError, sink};

/// Pixels of the PNG per unit of the drawing: enough for print on A4 at 200 dots per inch.
const DENSITY: f32 = 2.0;

/// A surface wider or higher than this is thinned for a picture: no eye sees more.
const MOST: usize = 1200;

/// Writes a drawn picture as PNG.
pub(crate) fn write_png(svg: &str, path: &Path) -> Result<(), ExportError> {
    let failed = |why: String| ExportError::WriteFailed { path: path.to_owned(), why };
    let tree = tree(svg, path)?;
    let size = tree.size();
    let pixels = |length: f32| (length * DENSITY).ceil() as u32;
    let mut canvas = Pixmap::new(pixels(size.width()), pixels(size.height()))
        .ok_or_else(|| failed("the picture has no size".to_owned()))?;
    resvg::render(&tree, Transform::from_scale(DENSITY, DENSITY), &mut canvas.as_mut());
    let bytes = canvas.encode_png().map_err(|error| failed(error.to_string()))?;
    sink::write(path, |out| std::io::Write::write_all(out, &bytes))
}

/// A surface as a data URI of a PNG, north up, transparent where it has no value; none where nothing would be seen.
pub(super) fn coloured(surface: &Surface, ramp: &Ramp) -> Option<String> {
    let grid = &surface.grid;
    let thin = grid.nx().max(grid.ny()).div_ceil(MOST).max(1);
    let (wide, high) = (grid.nx().div_ceil(thin), grid.ny().div_ceil(thin));
    let mut canvas = Pixmap::new(wide as u32, high as u32)?;
    for (at, pixel) in canvas.pixels_mut().iter_mut().enumerate() {
        let middle = |place: usize, most: usize| (place * thin + thin / 2).min(most - 1);
        let column = middle(at % wide, grid.nx());
        let row = grid.ny() - 1 - middle(at / wide, grid.ny());
        let cell = row * grid.nx() + column;
        if !grid.is_inside(cell) {
            continue;
        }
        if let Some((colour, alpha)) = ramp.at(surface.value(cell)) {
            *pixel = resvg::tiny_skia::ColorU8::from_rgba(colour.0, colour.1, colour.2, alpha).premultiply();
        }
    }
    let bytes = canvas.encode_png().ok()?;
    Some(format!("data:image/png;base64,{}", base64::engine::general_purpose::STANDARD.encode(bytes)))
}
