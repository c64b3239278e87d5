//! The project: one file to double-click that shows the layers of a folder, styled, grouped, with places to jump to, a sheet to
//! print, and time ready to play. All paths are relative: the folder can be copied anywhere.

use std::io::{Cursor, Write};
use std::path::Path;

use brasa_model::{Briefing, Crs, Layer, Step, Trend};
use geo::{BoundingRect, Coord, Rect};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use super::layout::Sheet;
use super::qmd::Record;
use super::symbol::{Shape, apart};
use super::xml::Element;
use super::{VERSION, identity, qml, srs};
use crate::lang::Lang;
use crate::style::{Legend, Ramp};
use crate::{ExportError, Imprint, sink};

/// How opaque the density is beneath the hotspots.
const GROUND: f64 = 0.5;

/// Writes the project of a folder that holds the vector layers in `package` and the density in `raster`: a `.qgz`, which is a
/// `.qgs` in a zip archive.
pub fn write_project(
    briefing: &Briefing,
    lang: Lang,
    (package, raster): (&str, &str),
    path: &Path,
) -> Result<(), ExportError> {
    let text = Project { briefing, lang, package, raster }.document();
    let stem = path.file_stem().map_or_else(|| "brasa".into(), |stem| stem.to_string_lossy());
    let archive = zipped(&format!("{stem}.qgs"), &text)
        .map_err(|why| ExportError::WriteFailed { path: path.to_owned(), why: why.to_string() })?;
    sink::write(path, |out| out.write_all(&archive))
}

/// An archive of one file without a clock.
fn zipped(name: &str, text: &str) -> zip::result::ZipResult<Vec<u8>> {
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .last_modified_time(DateTime::default());
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    archive.start_file(name, options)?;
    archive.write_all(text.as_bytes())?;
    Ok(archive.finish()?.into_inner())
}

struct Project<'a> {
    briefing: &'a Briefing,
    lang: Lang,
    package: &'a str,
    raster: &'a str,
}

/// A layer of the project.
struct Shown {
    id: String,
    title: String,
    /// What its classes are of.
    classes: String,
    source: String,
    provider: &'static str,
    /// The element that describes it.
    map_layer: Element,
    /// The entries of its legend that stand on the sheet, where that is not all of them.
    entries: Option<String>,
    checked: bool,
    /// Whether it stands in the legend of the sheet: what says nothing does not.
    told: bool,
}

impl Shown {
    /// `Hotspots: Intensity (incidents/km²/year)`.
    fn name(&self) -> String {
        if self.classes.is_empty() { self.title.clone() } else { format!("{}: {}", self.title, self.classes) }
    }

    fn tree(&self) -> Element {
        Element::new("layer-tree-layer")
            .with("id", &self.id)
            .with("name", self.name())
            .with("source", &self.source)
            .with("providerKey", self.provider)
            .with("checked", ticked(self.checked))
            .with("expanded", u8::from(self.checked))
    }

    /// On the sheet the classes stand below the title.
    fn legend(&self) -> Element {
        let label = if self.classes.is_empty() {
            self.title.clone()
        } else {
            format!("{}|{}", self.title, self.classes)
        };
        let option = |name: &str, value: &str| {
            Element::new("Option").with("type", "QString").with("name", name).with("value", value)
        };
        let options = Element::new("Option")
            .with("type", "Map")
            .child(option("cached_name", &self.title))
            .child(option("legend/title-label", &label))
            .child(option("legend/title-style", if self.classes.is_empty() { "hidden" } else { "subgroup" }))
            .children(self.entries.as_ref().map(|entries| option("legend/node-order", entries)));
        self.tree().child(Element::new("customproperties").child(options))
    }
}

const fn ticked(checked: bool) -> &'static str {
    if checked { "Qt::Checked" } else { "Qt::Unchecked" }
}

impl Project<'_> {
    fn document(&self) -> String {
        let Briefing { hotspots, zones, study_area, over_time, basemap, title, .. } = self.briefing;
        let crs = &hotspots.crs;
        // The windows of time lie on top of one another, and on the hotspots: they are shown on request.
        let over_time: Vec<Shown> = over_time.iter().map(|layer| self.vector(layer, false)).collect();
        let hotspots = vec![self.vector(hotspots, true)];
        let evidence = vec![self.vector(zones, false), self.density(crs)];
        let mut base = vec![self.vector(study_area, true)];
        // What is drawn last lies on top, and stands first in the tree.
        let beneath: Vec<Layer> = basemap.iter().flat_map(apart).collect();
        base.extend(beneath.iter().rev().map(|layer| self.vector(layer, true)));
        let mut groups: Vec<(&str, Vec<Shown>)> =
            vec![("Over time", over_time), ("Hotspots", hotspots), ("Evidence", evidence), ("Base", base)];
        groups.retain(|(_, layers)| !layers.is_empty());

        let layers = || groups.iter().flat_map(|(_, layers)| layers);
        let tree = groups.iter().map(|(name, layers)| {
            Element::new("layer-tree-group")
                .with("name", self.lang.say(name))
                .with("checked", ticked(layers.iter().any(|layer| layer.checked)))
                .with("expanded", u8::from(layers.iter().any(|layer| layer.checked)))
                .children(layers.iter().map(Shown::tree))
        });
        let order = layers().map(|layer| Element::new("layer").with("id", &layer.id));
        let extent = self.extent();
        let legend = layers().filter(|layer| layer.told).map(Shown::legend).collect();
        let sheet = Sheet { briefing: self.briefing, extent, legend, lang: self.lang };
        let trend = self.briefing.trend.as_ref().filter(|_| self.briefing.over_time.is_some());
        Element::new("qgis")
            .with("projectname", title)
            .with("version", VERSION)
            .child(Element::new("homePath").with("path", ""))
            .child(Element::text("title", title.as_str()))
            .child(Element::new("projectCrs").child(srs(crs)))
            .child(Element::new("layer-tree-group").children(tree))
            .child(self.canvas(extent, crs))
            .child(Element::new("projectlayers").children(layers().map(|layer| layer.map_layer.clone())))
            .child(Element::new("layerorder").children(order))
            .child(properties(trend))
            .child(self.record())
            .child(Element::new("Layouts").child(sheet.element()))
            .child(self.bookmarks(crs))
            .children(trend.and_then(time))
            .child(view(extent, crs))
            .document(Some("<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>"))
    }

    fn vector(&self, layer: &Layer, checked: bool) -> Shown {
        let legend = Legend::of(layer, self.lang);
        let id = identity(&layer.name, &layer.provenance);
        let title = self.lang.say(&layer.title).into_owned();
        let source = format!("./{}|layername={}", self.package, layer.name);
        let shown = Shown {
            id,
            title,
            classes: legend.title.clone(),
            source,
            provider: "ogr",
            map_layer: Element::new("maplayer")
                .with("type", "vector")
                .with("geometry", Shape::of(layer).geometry())
                .with("labelsEnabled", u8::from(layer.style.label.is_some()))
                .with_all(&[("hasScaleBasedVisibilityFlag", "0"), ("autoRefreshEnabled", "0")]),
            entries: None,
            checked,
            told: checked && !layer.columns.is_empty(),
        };
        let record = Record::of_layer(layer, self.imprint());
        self.filled(shown, &layer.crs, &record, qml::vector(&qml::Stored::plain(layer), &legend, self.lang))
    }

    fn density(&self, crs: &Crs) -> Shown {
        let surface = &self.briefing.density;
        // Beneath the hotspots, whose classes have colours of their own, it is the ground they stand out from.
        let ramp = Ramp::of(surface, self.lang).muted();
        // The first entry of a raster's legend is the name of its band, which the title says already.
        let entries = (1..=ramp.stops.len()).map(|at| at.to_string()).collect::<Vec<_>>().join(",");
        let record = Record::of_surface(surface, crs, self.briefing.period(), self.imprint());
        let shown = Shown {
            id: identity("density", &surface.provenance),
            title: record.title.clone(),
            classes: self.lang.unit(&surface.unit),
            source: format!("./{}", self.raster),
            provider: "gdal",
            map_layer: Element::new("maplayer")
                .with("type", "raster")
                .with_all(&[("hasScaleBasedVisibilityFlag", "0"), ("autoRefreshEnabled", "0")]),
            entries: Some(entries),
            checked: true,
            told: true,
        };
        self.filled(shown, crs, &record, qml::raster(&ramp, 1, GROUND))
    }

    fn filled(&self, shown: Shown, crs: &Crs, record: &Record<'_>, style: Vec<Element>) -> Shown {
        let map_layer = shown
            .map_layer
            .clone()
            .child(Element::text("id", shown.id.as_str()))
            .child(Element::text("datasource", shown.source.as_str()))
            .child(Element::text("layername", shown.name()))
            .child(Element::new("srs").child(srs(crs)))
            .child(Element::text("provider", shown.provider).with("encoding", "UTF-8"))
            .child(Element::new("resourceMetadata").children(record.elements(self.imprint())))
            .children(style);
        Shown { map_layer, ..shown }
    }

    fn imprint(&self) -> Imprint<'_> {
        Imprint { lang: self.lang, attribution: &self.briefing.attribution }
    }

    /// The study area with a margin; where it has no corners, the grid of the density.
    fn extent(&self) -> Rect<f64> {
        let bounds =
            self.briefing.study_area.features.iter().filter_map(|feature| feature.geometry.bounding_rect());
        let bounds = bounds.reduce(both).unwrap_or_else(|| self.briefing.density.grid.bounds());
        widened(bounds, 0.04, 0.0)
    }

    fn canvas(&self, extent: Rect<f64>, crs: &Crs) -> Element {
        let (min, max) = (extent.min(), extent.max());
        let corners = [("xmin", min.x), ("ymin", min.y), ("xmax", max.x), ("ymax", max.y)];
        Element::new("mapcanvas")
            .with("name", "theMapCanvas")
            .with("annotationsVisible", 1)
            .child(Element::text("units", "meters"))
            .child(
                Element::new("extent")
                    .children(corners.map(|(name, value)| Element::text(name, value.to_string()))),
            )
            .child(Element::text("rotation", "0"))
            .child(Element::new("destinationsrs").child(srs(crs)))
    }

    /// What the project is about, in words.
    fn record(&self) -> Element {
        let record = Record::of_layer(&self.briefing.hotspots, self.imprint());
        let titled = Record { name: "project", title: self.briefing.title.clone(), ..record };
        Element::new("projectMetadata").children(titled.elements(self.imprint()))
    }

    /// One place to jump to for each hotspot, with some ground around it.
    fn bookmarks(&self, crs: &Crs) -> Element {
        let hotspots = &self.briefing.hotspots;
        let place = |feature: &brasa_model::Feature| {
            let around = widened(feature.geometry.bounding_rect()?, 0.5, 250.0);
            let (min, max) = (around.min(), around.max());
            let corner = |x: f64, y: f64| format!("{x} {y}");
            let ring = [
                corner(min.x, min.y),
                corner(max.x, min.y),
                corner(max.x, max.y),
                corner(min.x, max.y),
                corner(min.x, min.y),
            ];
            let id = identity(&format!("hotspot_{}", feature.id), &hotspots.provenance);
            Some(
                Element::new("Bookmark")
                    .with("id", id)
                    .with("name", format!("{} {}", self.lang.say("Hotspot"), feature.id))
                    .with("group", self.lang.say("Hotspots"))
                    .with("extent", format!("POLYGON(({}))", ring.join(", ")))
                    .child(srs(crs)),
            )
        };
        Element::new("Bookmarks").children(hotspots.features.iter().filter_map(place))
    }
}

fn properties(trend: Option<&Trend>) -> Element {
    let typed = |name: &'static str, kind: &str, value: &str| Element::text(name, value).with("type", kind);
    let mut properties = Element::new("properties")
        .child(Element::new("SpatialRefSys").child(typed("ProjectionsEnabled", "int", "1")))
        .child(Element::new("Paths").child(typed("Absolute", "bool", "false")))
        .child(Element::new("Measurement").child(typed("DistanceUnits", "QString", "meters")));
    if let Some((start, end)) = trend.and_then(span) {
        properties = properties.child(Element::new("TemporalControllerWidget").children([
            typed("NavigationMode", "int", "1"),
            typed("StartDateTime", "QString", &start),
            typed("EndDateTime", "QString", &end),
        ]));
    }
    properties
}

/// From when to when the stretches go, in the digits of the clocks of the place.
fn span(trend: &Trend) -> Option<(String, String)> {
    let (first, last) = (trend.stretches.first()?, trend.stretches.last()?);
    Some((format!("{}Z", first.interval.start), format!("{}Z", last.interval.end)))
}

/// A frame for each stretch.
fn time(trend: &Trend) -> Option<Element> {
    let (start, end) = span(trend)?;
    let (unit, count) = match trend.step {
        Step::Day => ("d", 1),
        Step::Week => ("wk", 1),
        Step::Month => ("mon", 1),
        Step::Quarter => ("mon", 3),
        Step::Year => ("y", 1),
    };
    let range =
        Element::new("TemporalRange").child(Element::text("start", start)).child(Element::text("end", end));
    Some(
        Element::new("ProjectTimeSettings")
            .with("timeStepUnit", unit)
            .with("timeStep", count)
            .with("frameRate", 1)
            .with("cumulativeTemporalRange", 0)
            .child(range),
    )
}

fn view(extent: Rect<f64>, crs: &Crs) -> Element {
    let (min, max) = (extent.min(), extent.max());
    let default = Element::new("DefaultViewExtent")
        .with("xmin", min.x)
        .with("ymin", min.y)
        .with("xmax", max.x)
        .with("ymax", max.y)
        .child(srs(crs));
    Element::new("ProjectViewSettings").with("UseProjectScales", 0).child(default)
}

fn both(a: Rect<f64>, b: Rect<f64>) -> Rect<f64> {
    let (low, high) = ((a.min(), b.min()), (a.max(), b.max()));
    Rect::new(
        Coord { x: low.0.x.min(low.1.x), y: low.0.y.min(low.1.y) },
        Coord { x: high.0.x.max(high.1.x), y: high.0.y.max(high.1.y) },
    )
}

/// With a margin on each side: a part of the longer side, and so many metres at least.
fn widened(rect: Rect<f64>, part: f64, least: f64) -> Rect<f64> {
    let by = (rect.width().max(rect.height()) * part).max(least);
    let by = Coord { x: by, y: by };
    Rect::new(rect.min() - by, rect.max() + by)
}
