//! `report.html`: one file with everything a run found or planned, that opens anywhere and asks nobody for anything.
//!
//! A page of hotspots and one of a plan share the map, the list and what became of the rows (`data`); what is only theirs stands in
//! `hotspots` and `plan`, and in the scripts of these names. What is shown and in which words is decided here and in `style`; how it is shown stands in `web/`. The page holds no place
//! of an incident, only layers, and whatever came from a file is text to it and never markup. Its content policy forbids every
//! request, and every script and style but those whose digest it names.

mod data;
mod hotspots;
mod plan;
mod raster;
mod shapes;
mod squares;

use std::path::Path;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use brasa_model::{Briefing, PlanBriefing};
use sha2::{Digest, Sha256};

use crate::escape::escaped;
use crate::{ExportError, Lang, write_text};
use data::Data;

/// The skeleton: what stands in it in English is replaced by the reader's language.
const PAGE: &str = include_str!("../../web/page.html");
const STYLE: &str = include_str!("../../web/page.css");
/// What every page does.
const SCRIPTS: [&str; 7] = [
    include_str!("../../web/words.js"),
    include_str!("../../web/shapes.js"),
    include_str!("../../web/map.js"),
    include_str!("../../web/gl.js"),
    include_str!("../../web/charts.js"),
    include_str!("../../web/tables.js"),
    include_str!("../../web/page.js"),
];
/// What only a page of hotspots does.
const OF_HOTSPOTS: &str = concat!(include_str!("../../web/hotspots.js"), include_str!("../../web/week.js"));
/// What only a page of a plan does.
const OF_PLAN: &str = include_str!("../../web/plan.js");
/// Begins the page, when all is known that it does.
const START: &str = "start();\n";

/// The map library, if it was there when this was built; see `build.rs`.
struct Library {
    script: &'static str,
    version: &'static str,
    licence: &'static str,
}

const LIBRARY: Option<Library> = if include_str!(concat!(env!("OUT_DIR"), "/maplibre.js")).is_empty() {
    None
} else {
    Some(Library {
        script: include_str!(concat!(env!("OUT_DIR"), "/maplibre.js")),
        version: include_str!(concat!(env!("OUT_DIR"), "/maplibre.version")),
        licence: include_str!(concat!(env!("OUT_DIR"), "/maplibre.licence")),
    })
};

/// Writes the page of hotspots. It opens in `lang` and can be switched to the others.
pub fn write_report(briefing: &Briefing, lang: Lang, path: &Path) -> Result<(), ExportError> {
    write_text(&report(briefing, lang)?, path)
}

/// The page of hotspots as a text.
pub fn report(briefing: &Briefing, lang: Lang) -> Result<String, ExportError> {
    told(&briefing.title, lang, &hotspots::data(briefing, lang, version())?, OF_HOTSPOTS)
}

/// Writes the page of a plan. It opens in `lang` and can be switched to the others.
pub fn write_plan_report(briefing: &PlanBriefing, lang: Lang, path: &Path) -> Result<(), ExportError> {
    write_text(&plan_report(briefing, lang)?, path)
}

/// The page of a plan as a text.
pub fn plan_report(briefing: &PlanBriefing, lang: Lang) -> Result<String, ExportError> {
    told(&briefing.title, lang, &plan::data(briefing, lang, version())?, OF_PLAN)
}

fn version() -> Option<&'static str> {
    LIBRARY.as_ref().map(|library| library.version)
}

fn told(title: &str, lang: Lang, data: &Data<'_>, script: &str) -> Result<String, ExportError> {
    let data = serde_json::to_string(data)
        .map_err(|error| ExportError::writing(Path::new("report.html"), &error.into()))?;
    Ok(page(title, lang, &data, script, LIBRARY.as_ref()))
}

fn page(title: &str, lang: Lang, data: &str, script: &str, library: Option<&Library>) -> String {
    let own = format!("(()=>{{\n\"use strict\";\n{}{script}{START}}})();\n", SCRIPTS.concat());
    let library_script = library.map_or("", |library| library.script);
    let policy = format!(
        "default-src 'none'; script-src {}; worker-src blob:; style-src {}; img-src data: blob:; base-uri 'none'; form-action 'none'",
        [&own, library_script].map(digest).join(" "),
        digest(STYLE),
    );
    let licence = library.map_or("", |library| library.licence);
    let parts = [
        ("lang", lang.code()),
        ("policy", &policy),
        ("title", &escaped(title)),
        ("style", STYLE),
        ("licence", &escaped(licence)),
        // Inside a script element only `<` could end it; JSON may write it otherwise.
        ("data", &data.replace('<', "\\u003c")),
        ("library", library_script),
        ("script", &own),
    ];
    filled(PAGE, &parts)
}

/// Puts each part where the skeleton says `{{its name}}`. A part is not looked into again.
fn filled(skeleton: &str, parts: &[(&str, &str)]) -> String {
    let mut page =
        String::with_capacity(skeleton.len() + parts.iter().map(|(_, part)| part.len()).sum::<usize>());
    let mut rest = skeleton;
    while let Some((before, after)) = rest.split_once("{{") {
        page.push_str(before);
        let (name, after) = after.split_once("}}").unwrap_or((after, ""));
        page.push_str(parts.iter().find(|(known, _)| *known == name).map_or("", |(_, part)| part));
        rest = after;
    }
    page.push_str(rest);
    page
}

/// How a content policy names a script or a style by what it is.
pub(crate) fn digest(text: &str) -> String {
    format!("'sha256-{}'", BASE64_STANDARD.encode(Sha256::digest(text.as_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// The texts that stand in the skeleton and in the scripts to be translated.
    fn spoken() -> BTreeSet<String> {
        let mut texts = BTreeSet::new();
        for script in SCRIPTS.into_iter().chain([OF_HOTSPOTS, OF_PLAN]) {
            for (at, _) in script.match_indices("t(\"") {
                let is_call = at == 0 || !script.as_bytes()[at - 1].is_ascii_alphanumeric();
                let text = script[at + 3..].split('"').next().unwrap();
                if is_call {
                    texts.insert(text.to_owned());
                }
            }
        }
        for (at, mark) in PAGE.match_indices(" data-t>") {
            texts.insert(PAGE[at + mark.len()..].split('<').next().unwrap().to_owned());
        }
        for (at, mark) in PAGE.match_indices(" data-t-label=\"") {
            texts.insert(PAGE[at + mark.len()..].split('"').next().unwrap().to_owned());
        }
        texts
    }

    #[test]
    fn everything_the_page_says_is_said_in_all_languages() {
        let spoken = spoken();
        assert!(spoken.len() > 100, "{}", spoken.len());
        for lang in [Lang::ES, Lang::PT] {
            let missing: Vec<&String> = spoken.iter().filter(|text| !lang.knows(text)).collect();
            assert!(missing.is_empty(), "{}: {missing:#?}", lang.code());
        }
    }

    #[test]
    fn translations_keep_the_places_for_values() {
        let places = |text: &str| -> BTreeSet<String> {
            text.split('{')
                .skip(1)
                .filter_map(|part| part.split_once('}'))
                .map(|(name, _)| name.to_owned())
                .collect()
        };
        for text in spoken() {
            for lang in [Lang::ES, Lang::PT] {
                assert_eq!(places(&text), places(&lang.say(&text)), "{}: {text}", lang.code());
            }
        }
    }

    #[test]
    fn parts_are_filled_in_once_and_not_looked_into() {
        let filled =
            filled("<a>{{title}}</a>{{data}}{{none}}", &[("title", "{{data}}"), ("data", "{\"a\":1}")]);
        assert_eq!(filled, "<a>{{data}}</a>{\"a\":1}");
    }

    #[test]
    fn data_cannot_leave_its_element_nor_a_title_its_own() {
        let data = serde_json::to_string("</script><script>alert(1)</script><!--").unwrap();
        let html = page("</title><script>alert(1)</script>\"", Lang::EN, &data, OF_PLAN, None);
        assert_eq!(html.matches("<script").count(), PAGE.matches("<script").count());
        assert!(!html.contains("<script>alert"), "{html}");
    }

    #[test]
    fn the_policy_names_every_script_and_style_and_no_address() {
        for script in [OF_HOTSPOTS, OF_PLAN] {
            names_all(&page("t", Lang::EN, "{}", script, LIBRARY.as_ref()));
        }
    }

    fn names_all(html: &str) {
        let policy =
            html.split("Content-Security-Policy\" content=\"").nth(1).unwrap().split('"').next().unwrap();
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
        assert!(!policy.contains("http") && !policy.contains('*'), "{policy}");
        for part in html.split("<script>").skip(1) {
            let script = part.split("</script>").next().unwrap();
            assert!(policy.contains(&digest(script)));
        }
        assert!(html.len() < 2_000_000, "{}", html.len());
    }
}
