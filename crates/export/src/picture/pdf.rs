//! A drawing as PDF: one page of A4 in landscape, its letters as text that can be searched and copied.

use std::path::Path;

use krilla::Document;
use krilla::embed::{AssociationKind, EmbeddedFile, MimeType};
use krilla::geom::{Size, Transform};
use krilla::metadata::Metadata;
use krilla::page::PageSettings;
use krilla_svg::{SurfaceExt as _, SvgSettings};
use resvg::usvg::roxmltree;

use super::tree;
use crate::{ExportError, sink};

/// A4 in points.
const PAGE: [f32; 2] = [841.89, 595.276];

/// Writes a drawing as PDF, as large as the page allows. The title is that of the drawing; how it was made, which the drawing
/// holds for machines, is attached. No clock is read: the same drawing is the same file.
pub(crate) fn write_pdf(svg: &str, path: &Path) -> Result<(), ExportError> {
    let failed = |why: String| ExportError::WriteFailed { path: path.to_owned(), why };
    let no_size = || failed("the picture has no size".to_owned());
    let tree = tree(svg, path)?;
    let [wide, high] = PAGE;
    let (across, up) = (tree.size().width(), tree.size().height());
    let scale = (wide / across).min(high / up);
    let size = Size::from_wh(across * scale, up * scale).ok_or_else(no_size)?;
    let mut document = Document::new();
    let mut page = document.start_page_with(PageSettings::from_wh(wide, high).ok_or_else(no_size)?);
    let mut surface = page.surface();
    surface.push_transform(&Transform::from_translate(
        (wide - size.width()) / 2.0,
        (high - size.height()) / 2.0,
    ));
    surface.draw_svg(&tree, size, SvgSettings::default()).ok_or_else(no_size)?;
    surface.pop();
    surface.finish();
    page.finish();
    let said = roxmltree::Document::parse(svg).map_err(|error| failed(error.to_string()))?;
    let of = |name: &str| {
        let element = said.root_element().children().find(|child| child.has_tag_name(name));
        element.and_then(|element| element.text()).unwrap_or_default().to_owned()
    };
    let mut about = Metadata::new().title(of("title")).creator("brasa".to_owned());
    if let Some(lang) = said.root_element().attribute("lang") {
        about = about.language(lang.to_owned());
    }
    document.set_metadata(about);
    document.embed_file(EmbeddedFile {
        path: "made.json".to_owned(),
        mime_type: MimeType::new("application/json"),
        description: Some("How the map was made".to_owned()),
        association_kind: AssociationKind::Supplement,
        data: of("metadata").into_bytes().into(),
        modification_date: None,
        compress: None,
        location: None,
    });
    let bytes = document.finish().map_err(|error| failed(format!("{error:?}")))?;
    sink::write(path, |out| std::io::Write::write_all(out, &bytes))
}
