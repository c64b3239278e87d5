//! What is in files of incidents, as one page that opens anywhere: no script, no request, every value escaped.

use std::fmt::Write as _;
use std::path::Path;

use brasa_model::{FileInspection, Inspection, Note, PlacesInspection, Reason, TimesInspection, short};

use crate::{ExportError, write_json, write_text};

use crate::escape::escaped;

/// In which form an inspection is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InspectionFormat {
    /// A page to read and print.
    Html,
    /// An object.
    Json,
}

/// The form that the ending of a path asks for.
pub fn inspection_format_of(path: &Path) -> Result<InspectionFormat, ExportError> {
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_ascii_lowercase());
    match ending.as_deref() {
        Some("html" | "htm") => Ok(InspectionFormat::Html),
        Some("json") => Ok(InspectionFormat::Json),
        _ => Err(ExportError::InspectionFormatUnknown(path.to_owned())),
    }
}

/// Writes what is in the files.
pub fn write_inspection(
    inspection: &Inspection,
    path: &Path,
    format: InspectionFormat,
) -> Result<(), ExportError> {
    match format {
        InspectionFormat::Html => write_text(&page(inspection), path),
        InspectionFormat::Json => write_json(inspection, path),
    }
}

const STYLE: &str = "\
:root{color-scheme:light dark;--line:#8884;--soft:#8881;--bad:#b3261e;--good:#1b6e3c}\
@media(prefers-color-scheme:dark){:root{--bad:#ff8a80;--good:#7bd6a0}}\
body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}\
h1{font-size:1.5rem;margin:0}h2{font-size:1.15rem;margin:2rem 0 .5rem}h3{font-size:1rem;margin:1.2rem 0 .3rem}\
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}\
th,td{text-align:left;padding:.25rem .5rem;border-bottom:1px solid var(--line);vertical-align:top}\
th{font-weight:600}td.n,th.n{text-align:right}\
.verdict{border-left:.3rem solid var(--good);padding:.5rem 1rem;background:var(--soft);margin:1rem 0}\
.verdict.no{border-color:var(--bad)}\
li{margin:.4rem 0}small{opacity:.8}code,pre{font-family:ui-monospace,monospace;font-size:.9em}\
pre{background:var(--soft);padding:.75rem 1rem;overflow-wrap:anywhere;white-space:pre-wrap}\
@media print{body{margin:0;max-width:none;font-size:11px}}";

fn page(inspection: &Inspection) -> String {
    let names: Vec<&str> = inspection.files.iter().map(|file| file.name.as_str()).collect();
    let title = if names.len() == 1 { names[0].to_owned() } else { format!("{} files", names.len()) };
    let mut html = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <title>{title}: what is in it</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n<h1>What is in {title}</h1>\n",
        title = escaped(&title),
    );
    verdict(&mut html, inspection);
    for file in &inspection.files {
        one_file(&mut html, file, inspection.files.len() > 1);
    }
    if !inspection.notes.is_empty() {
        html.push_str("<h2>How it would be read</h2>\n");
        notes(&mut html, &inspection.notes);
    }
    if !inspection.command.is_empty() {
        let next = if inspection.refused.is_some() { "Once that is put right" } else { "Next" };
        let _ = writeln!(html, "<h2>{next}</h2>\n<pre>{}</pre>", escaped(&inspection.command));
    }
    html.push_str("</main>\n</body>\n</html>\n");
    html
}

fn verdict(html: &mut String, inspection: &Inspection) {
    if let Some(refused) = &inspection.refused {
        let help = refused.help.as_deref().map(|help| format!("<br><small>{}</small>", escaped(help)));
        let _ = writeln!(
            html,
            "<div class=\"verdict no\"><strong>brasa would refuse this.</strong> {}{}</div>",
            escaped(&refused.text),
            help.unwrap_or_default()
        );
        return;
    }
    let Some(rows) = inspection.rows else { return };
    let share = rows.used as f64 / rows.read.max(1) as f64 * 100.0;
    let _ = writeln!(
        html,
        "<div class=\"verdict\"><strong>{} of {} rows would be used ({share:.1} %).</strong> {} filtered, {} rejected, {} duplicate.",
        count(rows.used),
        count(rows.read),
        count(rows.filtered),
        count(rows.rejected),
        count(rows.duplicate)
    );
    if let (Some(crs), Some(area)) = (&inspection.crs, inspection.area_km2) {
        let _ = writeln!(html, "Worked on in {}; the study area has {area:.1} km².", escaped(crs));
    }
    html.push_str("</div>\n");
    if !inspection.rejected_by_reason.is_empty() {
        html.push_str(
            "<table><thead><tr><th>Set aside because</th><th class=\"n\">Rows</th></tr></thead><tbody>\n",
        );
        for reason in Reason::ALL {
            if let Some(rows) = inspection.rejected_by_reason.get(reason.code()) {
                let (meaning, rows) = (reason.meaning(), count(*rows));
                let _ = writeln!(html, "<tr><td>{meaning}</td><td class=\"n\">{rows}</td></tr>");
            }
        }
        html.push_str("</tbody></table>\n");
    }
}

fn one_file(html: &mut String, file: &FileInspection, several: bool) {
    let title = if several { escaped(&file.name) } else { "The file".to_owned() };
    let _ = writeln!(
        html,
        "<h2>{title}</h2>\n<p>{}, {} bytes, {} rows.</p>",
        escaped(&file.format),
        count(file.bytes),
        count(file.rows)
    );
    if file.findings.is_empty() {
        html.push_str("<p>Nothing in it looks wrong.</p>\n");
    } else {
        html.push_str("<h3>Worth a look</h3>\n");
        notes(html, &file.findings);
    }
    if let Some(places) = &file.places {
        places_told(html, places);
    }
    if let Some(times) = &file.times {
        times_told(html, times);
    }
    html.push_str(
        "<h3>Columns</h3>\n<table><thead><tr><th>Column</th><th>Holds</th><th>Role</th><th class=\"n\">Missing</th>\
         <th class=\"n\">Distinct</th><th>Range or most frequent</th></tr></thead><tbody>\n",
    );
    for column in &file.columns {
        let missing = column.missing as f64 / file.rows.max(1) as f64 * 100.0;
        let values = column.shown(escaped, count);
        let _ = writeln!(
            html,
            "<tr><td>{}</td><td>{}</td><td>{}</td><td class=\"n\">{missing:.1} %</td><td class=\"n\">{}</td><td>{values}</td></tr>",
            escaped(&column.name),
            escaped(&column.holds),
            escaped(column.role.as_deref().unwrap_or("")),
            column.distinct.map_or("many".to_owned(), count),
        );
    }
    html.push_str("</tbody></table>\n");
}

fn places_told(html: &mut String, places: &PlacesInspection) {
    let _ = writeln!(
        html,
        "<h3>Places</h3>\n<p>{} rows ({:.1} %) have a place that could be right, on {} distinct places. First coordinate {} to {}, second {} to {}.</p>",
        count(places.hits),
        places.hit_rate * 100.0,
        count(places.distinct),
        short(places.x.0),
        short(places.x.1),
        short(places.y.0),
        short(places.y.1)
    );
    if places.stacks.is_empty() {
        return;
    }
    html.push_str("<table><thead><tr><th class=\"n\">Rows</th><th class=\"n\">Share</th><th>Place</th><th>May be</th></tr></thead><tbody>\n");
    for stack in &places.stacks {
        let _ = writeln!(
            html,
            "<tr><td class=\"n\">{}</td><td class=\"n\">{:.2} %</td><td>{}, {}</td><td>{}</td></tr>",
            count(stack.rows),
            stack.share * 100.0,
            short(stack.x),
            short(stack.y),
            escaped(&stack.may_be)
        );
    }
    html.push_str("</tbody></table>\n");
}

fn times_told(html: &mut String, times: &TimesInspection) {
    let exact: Vec<String> = times
        .precision
        .iter()
        .map(|(word, rows)| format!("{} to the {}", count(*rows), escaped(word)))
        .collect();
    let _ = writeln!(
        html,
        "<h3>Times</h3>\n<p>From {} to {}; {} rows without. Known: {}.",
        escaped(&times.first.replace('T', " ")),
        escaped(&times.last.replace('T', " ")),
        count(times.missing),
        exact.join(", ")
    );
    if let (Some(midnight), Some(hour), Some(half)) = (times.midnight, times.full_hour, times.half_hour) {
        let _ = writeln!(
            html,
            " Of the times of day {:.1} % are 00:00, {:.1} % on a full hour, {:.1} % on a half hour.",
            midnight * 100.0,
            hour * 100.0,
            half * 100.0
        );
    }
    if let Some(lag) = &times.lag {
        let _ = writeln!(
            html,
            " Reported (\"{}\") after {:.1} days in the middle, nine in ten within {:.1} days.",
            escaped(&lag.column),
            lag.median_days,
            lag.p90_days
        );
    }
    html.push_str("</p>\n");
}

fn notes(html: &mut String, notes: &[Note]) {
    html.push_str("<ul>\n");
    for note in notes {
        let reason = note.reason.as_deref().map(|reason| format!("<br><small>{}</small>", escaped(reason)));
        let _ = writeln!(html, "<li>{}{}</li>", escaped(&note.text), reason.unwrap_or_default());
    }
    html.push_str("</ul>\n");
}

/// A count with its thousands apart.
fn count(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}
