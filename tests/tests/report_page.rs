//! `report.html` in a real browser: it asks nobody for anything, runs nothing that came from the data, and can be read by everybody.
//! Without Chromium, node or what `npm ci` lays in `crates/export/web` this says "skipped".

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use brasa_tests::{brasa, root};
use serde_json::Value;

/// Opens a page and tells what it did, if there is a browser.
pub fn opened(page: &Path, flags: &[&str]) -> Option<Value> {
    let web = root().join("crates/export/web");
    let chromium =
        std::env::var_os("CHROMIUM").map_or_else(|| PathBuf::from("/usr/bin/chromium"), PathBuf::from);
    let node = Command::new("node").arg("--version").output().is_ok_and(|output| output.status.success());
    for (there, what) in [
        (chromium.exists(), "Chromium"),
        (node, "node"),
        (web.join("node_modules/puppeteer-core").exists(), "what npm ci lays in crates/export/web"),
    ] {
        if !there {
            println!("skipped: {what} is not here");
            return None;
        }
    }
    let output = Command::new("node").arg(web.join("check.mjs")).arg(page).args(flags).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

/// What holds for every page.
pub fn is_quiet(told: &Value) {
    assert_eq!(told["requests"], serde_json::json!([]), "it asks nobody for anything");
    assert_eq!(told["console"], serde_json::json!([]), "it has nothing to complain of");
    assert_eq!(told["executed"], false, "nothing from the data runs");
    assert_eq!(told["dialogs"], 0);
}

fn demo(dir: &Path) -> PathBuf {
    let out = dir.join("demo");
    assert_eq!(brasa(["demo", "-q", "-o", &out.display().to_string()]).code, 0);
    out.join("hotspots/report.html")
}

#[test]
fn the_page_can_be_read_by_everybody_in_every_language_and_light() {
    let dir = tempfile::tempdir().unwrap();
    let page = demo(dir.path());
    assert!(std::fs::metadata(&page).unwrap().len() < 2_000_000 + 600_000, "2 MB and its data");
    let Some(told) = opened(&page, &["--webgl", "--axe"]) else { return };
    is_quiet(&told);
    assert_eq!(told["axe"], serde_json::json!([]), "axe finds nothing");
    assert_eq!(told["map"], "webgl");
    let said = |lang: &str| told["languages"][lang].as_str().unwrap().to_owned();
    for (lang, words) in [
        ("en", ["rows read", "Before you act on it", "Hotspot 1", "Study area"]),
        ("es", ["filas leídas", "Antes de actuar", "Punto caliente 1", "Área de estudio"]),
        ("pt", ["linhas lidas", "Antes de agir", "Ponto quente 1", "Área de estudo"]),
    ] {
        for word in words {
            assert!(said(lang).contains(word), "{lang}: {word}");
        }
    }
    let rows = said("en");
    assert!(rows.contains("6,552 rows read = 6,448 used + 0 left out as asked + 104 rejected + 0 duplicate"));
    assert!(told["rows"].as_u64().unwrap() > 5);
}

#[test]
fn the_page_draws_its_map_without_webgl() {
    let dir = tempfile::tempdir().unwrap();
    let Some(told) = opened(&demo(dir.path()), &["--no-webgl"]) else { return };
    is_quiet(&told);
    assert_eq!(told["map"], "canvas");
    assert!(told["stretch"].as_str().unwrap().contains("263"), "the slider counts a month: {told}");
}

/// Texts that would like to be markup, script or an address, 500 of them.
fn hostile() -> Vec<String> {
    let run = "window.executed=1";
    let shapes = [
        format!("<script>{run}</script>"),
        format!("</script><script>{run}</script>"),
        format!("</title><script>{run}</script>"),
        format!("<img src=x onerror={run}>"),
        format!("\"><img src=x onerror={run}>"),
        format!("'><svg onload={run}>"),
        format!("<svg><script>{run}</script></svg>"),
        format!("javascript:{run}"),
        format!("<a href=javascript:{run}>x</a>"),
        format!("<iframe srcdoc='<script>parent.{run}</script>'></iframe>"),
        format!("<!--<script>{run}</script>"),
        format!("]]><script>{run}</script>"),
        format!("{{{{constructor.constructor('{run}')()}}}}"),
        format!("${{{run}}}`${{{run}}}`"),
        format!("\\u003cscript>{run}\\u003c/script>"),
        format!("\u{202e}<script>{run}</script>"),
        format!("<details open ontoggle={run}>"),
        format!("<style>@import 'x';*{{background:url(x)}}</style><b onmouseover={run}>"),
        format!("<link rel=stylesheet href=x onerror={run}>"),
        format!("<meta http-equiv=refresh content='0;url=javascript:{run}'>"),
        "__proto__".to_owned(),
        "{{data}} {{script}} {n}".to_owned(),
        "\u{1f525} \u{5d0}\u{5d1} \u{7}\u{2028}".to_owned(),
        format!("<math><mtext></mtext><mglyph><style><img src=x onerror={run}></style></mglyph></math>"),
        format!("<form action=x><button formaction=javascript:{run}>"),
    ];
    (0..500).map(|at| format!("{} {at}", shapes[at % shapes.len()])).collect()
}

#[test]
fn nothing_that_came_from_the_data_runs() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("a<img src=x onerror=window.executed=1>.csv");
    let mut csv = String::from("lon,lat,date,category\n");
    for (at, text) in hostile().iter().enumerate() {
        // Two in a bunch for one all over: there is a hotspot.
        let spread = if at % 3 == 0 { 0.05 } else { 0.002 };
        let part = |step: f64| ((at as f64 * step) % 1.0 - 0.5) * spread;
        let (lon, lat) = (-74.08 + part(0.618_034), 4.61 + part(0.754_878));
        let _ = writeln!(
            csv,
            "{lon:.6},{lat:.6},2024-{:02}-11T1{}:00:00,\"{}\"",
            at % 12 + 1,
            at % 10,
            text.replace('"', "\"\"")
        );
    }
    std::fs::write(&file, csv).unwrap();
    let out = dir.path().join("out");
    let title = "</title><script>window.executed=1</script>\"'{{data}}";
    let ran = brasa([
        "hotspots",
        &file.display().to_string(),
        "-o",
        &out.display().to_string(),
        "--kind",
        "category",
        "--title",
        title,
        "--attribution",
        "<img src=x onerror=window.executed=1>",
    ]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    let page = out.join("report.html");
    let html = std::fs::read_to_string(&page).unwrap();
    assert!(!html.contains("<img src=x") && !html.contains("<script>window"), "escaped in the file already");
    let Some(told) = opened(&page, &[]) else { return };
    is_quiet(&told);
    assert_eq!(told["title"], title, "and yet shown as they are");
    assert_eq!(told["elements"]["images"], 1, "the picture for paper alone");
    let said = told["languages"]["es"].as_str().unwrap();
    let shown = hostile().iter().filter(|text| text.starts_with('<') && said.contains(text.as_str())).count();
    assert!(shown > 200, "{shown} of the texts are shown as text");
}

#[test]
fn no_hotspot_and_no_time_is_a_page_too() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("few.csv");
    std::fs::write(&file, "lon,lat\n-46.60,-23.50\n-46.61,-23.52\n-46.65,-23.49\n-46.63,-23.47\n").unwrap();
    let out = dir.path().join("out");
    let ran =
        brasa(["hotspots", &file.display().to_string(), "-o", &out.display().to_string(), "--lang", "pt"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    let Some(told) = opened(&out.join("report.html"), &["--axe"]) else { return };
    is_quiet(&told);
    assert_eq!(told["axe"], serde_json::json!([]));
    assert_eq!(told["rows"], 0);
    let said = told["languages"]["pt"].as_str().unwrap();
    assert!(said.contains("Nenhum ponto quente") && said.contains("não se conhecem tempos"), "{said}");
}
