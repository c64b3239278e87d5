//! The project: one file to double-click that shows the layers of a folder, styled, grouped, with places to jump to, a sheet to
//! print, and time ready to play. All paths are relative: the folder can be copied anywhere.

use std::borrow::Cow;
use std::io::{Cursor, Write};
use std::path::Path;

use brasa_model::{Briefing, Crs, Layer, PlanBriefing, Provenance, Step, Surface, Trend};
use geo::{BoundingRect, Coord, Rect};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use super::layout::{Sheet, Words};
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
    write(&Contents::of_briefing(briefing, (package, raster), lang), lang, path)
}

/// Writes the project of a folder that holds the layers of a plan in `package`.
pub fn write_plan_project(
    briefing: &PlanBriefing,
    lang: Lang,
    package: &str,
    path: &Path,
) -> Result<(), ExportError> {
    write(&Contents::of_plan(briefing, package, lang), lang, path)
}

fn write(contents: &Contents<'_>, lang: Lang, path: &Path) -> Result<(), ExportError> {
    let text = Project { contents, lang }.document();
    let stem = path.file_stem().map_or_else(|| "brasa".into(), |stem| stem.to_string_lossy());
    let archive = zipped(&format!("{stem}.qgs"), &text)
        .map_err(|why| ExportError::WriteFailed { path: path.to_owned(), why: why.to_string() })?;
    sink::write(path, |out| out.write_all(&archive))
}

/// A group's name, and its layers with whether each is shown from the start.
type Group<'a> = (&'static str, Vec<(Cow<'a, Layer>, bool)>);

/// What a project shows.
struct Contents<'a> {
    title: &'a str,
    attribution: &'a str,
    /// The file that holds the vector layers.
    package: &'a str,
    /// Groups of vector layers, each of them with whether it is shown from the start; the uppermost first.
    groups: Vec<Group<'a>>,
    /// A surface in a file of its own, and the group it ends.
    ground: Option<(&'a Surface, &'a str, &'static str)>,
    /// The layer whose features can be jumped to, and what one of them is called.
    lead: &'a Layer,
    one: &'static str,
    /// What is in view at first.
    area: Option<Rect<f64>>,
    trend: Option<&'a Trend>,
    sheet: Words,
}

impl<'a> Contents<'a> {
    fn of_briefing(briefing: &'a Briefing, (package, raster): (&'a str, &'a str), lang: Lang) -> Self {
        let Briefing { hotspots, zones, study_area, over_time, basemap, title, .. } = briefing;
        // The windows of time lie on top of one another, and on the hotspots: they are shown on request.
        let over_time: Vec<_> = over_time.iter().map(|layer| (Cow::Borrowed(layer), false)).collect();
        let mut groups = vec![
            ("Over time", over_time),
            ("Hotspots", vec![(Cow::Borrowed(hotspots), true)]),
            (EVIDENCE, vec![(Cow::Borrowed(zones), false)]),
            ("Base", base(study_area, basemap.as_ref())),
        ];
        groups.retain(|(_, layers)| !layers.is_empty());
        let trend = briefing.trend.as_ref().filter(|_| briefing.over_time.is_some());
        Self {
            title,
            attribution: &briefing.attribution,
            package,
            groups,
            ground: Some((&briefing.density, raster, EVIDENCE)),
            lead: hotspots,
            one: "Hotspot",
            area: bounds(study_area).or_else(|| Some(briefing.density.grid.bounds())),
            trend,
            sheet: Words::of_briefing(briefing, lang),
        }
    }

    fn of_plan(briefing: &'a PlanBriefing, package: &'a str, lang: Lang) -> Self {
        let PlanBriefing { title, layers, study_area, basemap, .. } = briefing;
        let mut groups = vec![
            ("Plan", layers.iter().map(|layer| (Cow::Borrowed(layer), true)).collect()),
            ("Base", base(study_area, basemap.as_ref())),
        ];
        groups.retain(|(_, layers): &(&str, Vec<_>)| !layers.is_empty());
        let lead = layers.iter().find(|layer| layer.name == briefing.listed).unwrap_or(study_area);
        Self {
            title,
            attribution: &briefing.attribution,
            package,
            groups,
            ground: None,
            lead,
            one: "Place",
            area: layers.iter().chain([study_area]).filter_map(bounds).reduce(both),
            trend: None,
            sheet: Words::of_plan(briefing, lang),
        }
    }

    const fn crs(&self) -> &'a Crs {
        &self.lead.crs
    }

    const fn provenance(&self) -> &'a Provenance {
        &self.lead.provenance
    }
}

const EVIDENCE: &str = "Evidence";

/// The study area, and below it what lies beneath. What is drawn last lies on top, and stands first in the tree.
fn base<'a>(study_area: &'a Layer, basemap: Option<&Layer>) -> Vec<(Cow<'a, Layer>, bool)> {
    let beneath: Vec<Layer> = basemap.map(apart).unwrap_or_default();
    let beneath = beneath.into_iter().rev().map(|layer| (Cow::Owned(layer), true));
    std::iter::once((Cow::Borrowed(study_area), true)).chain(beneath).collect()
}

fn bounds(layer: &Layer) -> Option<Rect<f64>> {
    layer.features.iter().filter_map(|feature| feature.geometry.bounding_rect()).reduce(both)
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
    contents: &'a Contents<'a>,
    lang: Lang,
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
        let Contents { title, trend, sheet, .. } = self.contents;
        let crs = self.contents.crs();
        let groups: Vec<(&str, Vec<Shown>)> = self
            .contents
            .groups
            .iter()
            .map(|(name, layers)| {
                let vectors = layers.iter().map(|(layer, checked)| self.vector(layer, *checked));
                let ground = self.contents.ground.filter(|(_, _, group)| group == name);
                (*name, vectors.chain(ground.map(|(surface, file, _)| self.ground(surface, file))).collect())
            })
            .collect();

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
        let sheet = Sheet {
            words: sheet,
            title,
            provenance: self.contents.provenance(),
            extent,
            legend,
            lang: self.lang,
        };
        let trend = *trend;
        Element::new("qgis")
            .with("projectname", *title)
            .with("version", VERSION)
            .child(Element::new("homePath").with("path", ""))
            .child(Element::text("title", *title))
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
        let source = format!("./{}|layername={}", self.contents.package, layer.name);
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

    fn ground(&self, surface: &Surface, file: &str) -> Shown {
        let crs = self.contents.crs();
        // Beneath the hotspots, whose classes have colours of their own, it is the ground they stand out from.
        let ramp = Ramp::of(surface, self.lang).muted();
        // The first entry of a raster's legend is the name of its band, which the title says already.
        let entries = (1..=ramp.stops.len()).map(|at| at.to_string()).collect::<Vec<_>>().join(",");
        let record = Record::of_surface(surface, crs, self.contents.lead.period, self.imprint());
        let shown = Shown {
            id: identity("density", &surface.provenance),
            title: record.title.clone(),
            classes: self.lang.unit(&surface.unit),
            source: format!("./{file}"),
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
        Imprint { lang: self.lang, attribution: self.contents.attribution }
    }

    /// What is shown with a margin.
    fn extent(&self) -> Rect<f64> {
        let nowhere = Rect::new(Coord::zero(), Coord::zero());
        widened(self.contents.area.unwrap_or(nowhere), 0.04, 0.0)
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
        let record = Record::of_layer(self.contents.lead, self.imprint());
        let titled = Record { name: "project", title: self.contents.title.to_owned(), ..record };
        Element::new("projectMetadata").children(titled.elements(self.imprint()))
    }

    /// One place to jump to for each hotspot or place of a plan, with some ground around it.
    fn bookmarks(&self, crs: &Crs) -> Element {
        let Contents { lead, one, .. } = self.contents;
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
            let id = identity(&format!("{}_{}", one.to_ascii_lowercase(), feature.id), &lead.provenance);
            Some(
                Element::new("Bookmark")
                    .with("id", id)
                    .with("name", format!("{} {}", self.lang.say(one), feature.id))
                    .with("group", self.lang.say(&lead.title))
                    .with("extent", format!("POLYGON(({}))", ring.join(", ")))
                    .child(srs(crs)),
            )
        };
        Element::new("Bookmarks").children(lead.features.iter().filter_map(place))
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
