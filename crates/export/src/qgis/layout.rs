//! The sheet of a project: A4 across, with title, map, legend, scale bar, north arrow, source, period and caveat.

use brasa_model::{Briefing, Civil, InputRecord, Interval, PlanBriefing, Provenance};
use geo::{Coord, Rect};

use super::xml::Element;
use crate::lang::Lang;

/// A4 across, in millimetres.
const PAGE: (f64, f64) = (297.0, 210.0);
/// Where the map lies on it: from the left, from the top, width, height.
const MAP: [f64; 4] = [10.0, 24.0, 202.0, 162.0];
/// Where the legend begins, and how far right things go.
const SIDE: (f64, f64) = (217.0, 287.0);
/// What kinds of things lie on a sheet, as QGIS numbers them.
const PAPER: u32 = 65_638;
const MAP_ITEM: u32 = 65_639;
const PICTURE: u32 = 65_640;
const LABEL: u32 = 65_641;
const LEGEND: u32 = 65_642;
const SCALE_BAR: u32 = 65_646;

/// What the sheet says below its title and below its map.
pub(super) struct Words {
    subtitle: String,
    source: String,
    caveat: String,
}

impl Words {
    /// `2024-01-01 – 2024-12-31 · 1234 incidents · 7 hotspots`.
    pub fn of_briefing(briefing: &Briefing, lang: Lang) -> Self {
        let Briefing { inputs, hotspots, .. } = briefing;
        let used: u64 = inputs.iter().filter_map(|input| input.rows).map(|rows| rows.used).sum();
        let day = |at: Civil| at.to_string()[..10].to_owned();
        let period = briefing.period().map(|Interval { start, end }| {
            // The end is the first moment after it.
            format!("{} – {}", day(start), day(Civil(end.0 - 1)))
        });
        let counts = [
            format!("{}: {used}", lang.say("Incidents")),
            format!("{}: {}", lang.say("Hotspots"), hotspots.features.len()),
        ];
        Self {
            subtitle: period.into_iter().chain(counts).collect::<Vec<_>>().join("  ·  "),
            source: source(inputs, &briefing.attribution, (&hotspots.provenance, &hotspots.crs.code()), lang),
            caveat: lang
                .say("Reported incidents are not all incidents, and many incidents need not mean high risk. A hotspot is a place with significantly many of them (Gi*, q <= 0.05); it says nothing about any person.")
                .into_owned(),
        }
    }

    /// The figures of the plan, and what it does not know.
    pub fn of_plan(briefing: &PlanBriefing, lang: Lang) -> Self {
        let crs = briefing.study_area.crs.code();
        Self {
            subtitle: crate::picture::map::figures(&briefing.facts, lang, "  ·  "),
            source: source(&briefing.inputs, &briefing.attribution, (&briefing.provenance, &crs), lang),
            caveat: briefing.limits.iter().map(|limit| lang.say(limit)).collect::<Vec<_>>().join(" "),
        }
    }
}

/// Where the data is from, whom it is owed to, and what made the map.
fn source(inputs: &[InputRecord], attribution: &str, (made, crs): (&Provenance, &str), lang: Lang) -> String {
    let names: Vec<&str> =
        inputs.iter().filter(|input| input.rows.is_some()).map(|input| input.name.as_str()).collect();
    let mut source = format!("{}: {}", lang.say("Source"), names.join(", "));
    if !attribution.is_empty() {
        source = format!("{source}  ·  {attribution}");
    }
    format!("{source}  ·  {} {}  ·  {crs}", made.tool, made.version)
}

/// A sheet.
pub(super) struct Sheet<'a> {
    pub words: &'a Words,
    pub title: &'a str,
    pub provenance: &'a Provenance,
    pub extent: Rect<f64>,
    /// The layers of the legend.
    pub legend: Vec<Element>,
    pub lang: Lang,
}

impl Sheet<'_> {
    /// The sheet as QGIS keeps it.
    pub fn element(&self) -> Element {
        let page = item(PAPER, [0.0, 0.0, PAGE.0, PAGE.1], &self.unique("page"));
        let pages = Element::new("PageCollection")
            .child(page.child(super::symbol::paper()))
            .child(Element::new("GuideCollection").with("visible", 1));
        let layout = Element::new("Layout")
            .with("name", self.lang.say("Briefing map (A4)"))
            .with_all(&[("units", "mm"), ("printResolution", "300"), ("worldFileMap", "")])
            .child(pages);
        let bottom = MAP[1] + MAP[3] + 3.0;
        let side = SIDE.1 - SIDE.0;
        layout.children([
            self.label("title", self.title, [MAP[0], 8.0, SIDE.1 - MAP[0], 9.0], 17, true),
            self.label("period", &self.words.subtitle, [MAP[0], 17.0, SIDE.1 - MAP[0], 6.0], 10, false),
            self.map(),
            self.legend([SIDE.0, MAP[1], side, 120.0]),
            self.scale_bar([SIDE.0, 164.0, 50.0, 14.0]),
            self.north([SIDE.1 - 14.0, 164.0, 12.0, 16.0]),
            self.label("source", &self.words.source, [MAP[0], bottom, SIDE.1 - MAP[0], 5.0], 8, false),
            self.label("caveat", &self.words.caveat, [MAP[0], bottom + 5.0, SIDE.1 - MAP[0], 10.0], 8, false),
        ])
    }

    fn unique(&self, name: &str) -> String {
        super::unique(name, self.provenance)
    }

    fn label(&self, name: &str, text: &str, place: [f64; 4], points: u32, bold: bool) -> Element {
        item(LABEL, place, &self.unique(name))
            .with("id", name)
            .with("labelText", text)
            .with_all(&[
                ("htmlState", "0"),
                ("halign", "1"),
                ("valign", "32"),
                ("marginX", "0"),
                ("marginY", "0"),
            ])
            .child(Element::new("LabelFont").with("description", font(points, bold)).with("style", ""))
            .child(colour("FontColor", 20))
    }

    fn map(&self) -> Element {
        let (min, max) = (self.shown().min(), self.shown().max());
        item(MAP_ITEM, MAP, &self.unique("map"))
            .with("id", "map")
            .with_all(&[
                ("frame", "true"),
                ("background", "true"),
                ("drawCanvasItems", "true"),
                ("keepLayerSet", "false"),
                ("followPreset", "false"),
                ("isTemporal", "0"),
                ("mapRotation", "0"),
                ("mapFlags", "0"),
                ("labelMargin", "0,mm"),
            ])
            .child(colour("FrameColor", 90))
            .child(colour("BackgroundColor", 255))
            .child(
                Element::new("Extent")
                    .with("xmin", min.x)
                    .with("ymin", min.y)
                    .with("xmax", max.x)
                    .with("ymax", max.y),
            )
            .child(Element::new("LayerSet"))
    }

    /// The extent, widened to the shape of the map on the sheet.
    fn shown(&self) -> Rect<f64> {
        let (width, height) = (self.extent.width().max(1.0), self.extent.height().max(1.0));
        let per_mm = (width / MAP[2]).max(height / MAP[3]);
        let (centre, half) =
            (self.extent.center(), Coord { x: per_mm * MAP[2] / 2.0, y: per_mm * MAP[3] / 2.0 });
        Rect::new(centre - half, centre + half)
    }

    fn legend(&self, place: [f64; 4]) -> Element {
        let style = |name: &str, points: u32, bold: bool, margins: &[(&'static str, &str)]| {
            Element::new("style")
                .with("name", name)
                .with_all(&[("alignment", "1"), ("indent", "0")])
                .with_all(margins)
                .child(Element::new("styleFont").with("description", font(points, bold)).with("style", ""))
        };
        let styles = Element::new("styles").children([
            style("title", 11, true, &[("marginBottom", "2")]),
            style("group", 10, true, &[("marginTop", "3")]),
            style("subgroup", 9, true, &[("marginTop", "4")]),
            style("symbol", 8, false, &[("marginTop", "1")]),
            style("symbolLabel", 8, false, &[("marginTop", "1"), ("marginLeft", "2")]),
        ]);
        item(LEGEND, place, &self.unique("legend"))
            .with("id", "legend")
            .with("map_uuid", self.unique("map"))
            .with_all(&[
                ("resizeToContents", "1"),
                ("columnCount", "1"),
                ("symbolWidth", "6"),
                ("symbolHeight", "3.5"),
                ("boxSpace", "0"),
                ("lineSpacing", "1"),
                ("columnSpace", "2"),
                ("title", ""),
                ("titleAlignment", "1"),
                ("symbolAlignment", "1"),
                ("wrapChar", "|"),
                ("legendFilterByAtlas", "0"),
                ("fontColor", "#141414"),
                ("rasterBorder", "0"),
            ])
            .child(styles)
            .child(Element::new("layer-tree-group").children(self.legend.iter().cloned()))
    }

    /// Two segments of a round length, about a fifth of the map together.
    fn scale_bar(&self, place: [f64; 4]) -> Element {
        let segment = round_below(self.shown().width() / MAP[2] * place[2] * 0.4);
        let (unit, length) = if segment >= 1000.0 { ("km", segment / 1000.0) } else { ("meters", segment) };
        let label = if segment >= 1000.0 { "km" } else { "m" };
        let text = Element::new("text-style").with_all(&[
            ("fontSize", "8"),
            ("fontSizeUnit", "Point"),
            ("textColor", "20,20,20,255"),
            ("textOpacity", "1"),
        ]);
        item(SCALE_BAR, place, &self.unique("scale"))
            .with("id", "scale")
            .with("mapUuid", self.unique("map"))
            .with("unitType", unit)
            .with("unitLabel", label)
            .with("numUnitsPerSegment", length)
            .with_all(&[
                ("style", "Single Box"),
                ("numSegments", "2"),
                ("numSegmentsLeft", "0"),
                ("numMapUnitsPerScaleBarUnit", "1"),
                ("segmentSizeMode", "0"),
                ("height", "2"),
                ("outlineWidth", "0.2"),
                ("labelBarSpace", "1"),
                ("boxContentSpace", "0"),
                ("alignment", "0"),
                ("labelVerticalPlacement", "0"),
                ("labelHorizontalPlacement", "0"),
            ])
            .child(text)
            .child(colour("fillColor", 20))
            .child(colour("fillColor2", 255))
            .child(colour("strokeColor", 20))
    }

    fn north(&self, place: [f64; 4]) -> Element {
        item(PICTURE, place, &self.unique("north"))
            .with("id", "north")
            .with("mapUuid", self.unique("map"))
            .with_all(&[
                ("file", "arrows/NorthArrow_02.svg"),
                ("northMode", "0"),
                ("northOffset", "0"),
                ("pictureRotation", "0"),
                ("resizeMode", "0"),
                ("anchorPoint", "4"),
                ("mode", "2"),
                ("svgFillColor", "20,20,20,255"),
                ("svgBorderColor", "20,20,20,255"),
                ("svgBorderWidth", "0.2"),
            ])
    }
}

/// The largest of 1, 2 or 5 times a power of ten that is not above a length.
fn round_below(length: f64) -> f64 {
    let mut power = 1.0;
    while power * 10.0 <= length {
        power *= 10.0;
    }
    [5.0, 2.0, 1.0].into_iter().map(|step| step * power).find(|step| *step <= length).unwrap_or(power)
}

fn item(kind: u32, [left, top, width, height]: [f64; 4], unique: &str) -> Element {
    Element::new("LayoutItem")
        .with("type", kind)
        .with("uuid", unique)
        .with("templateUuid", unique)
        .with("position", format!("{left},{top},mm"))
        .with("positionOnPage", format!("{left},{top},mm"))
        .with("size", format!("{width},{height},mm"))
        .with_all(&[
            ("referencePoint", "0"),
            ("opacity", "1"),
            ("visibility", "1"),
            ("itemRotation", "0"),
            ("blendMode", "0"),
            ("positionLock", "false"),
            ("excludeFromExports", "0"),
            ("outlineWidthM", "0.2,mm"),
        ])
}

fn colour(name: &'static str, grey: u8) -> Element {
    Element::new(name).with("red", grey).with("green", grey).with("blue", grey).with("alpha", 255)
}

/// As Qt writes a font; where the family is missing it takes the nearest.
fn font(points: u32, bold: bool) -> String {
    format!("Sans Serif,{points},-1,5,{},0,0,0,0,0", if bold { 75 } else { 50 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scale_bar_is_round() {
        for (length, wanted) in
            [(1.0, 1.0), (4.9, 2.0), (7300.0, 5000.0), (1999.0, 1000.0), (20_000.0, 20_000.0)]
        {
            assert_eq!(round_below(length), wanted, "{length}");
        }
    }
}
