//! What `brasa inspect` shows on a terminal.

use std::fmt::Write as _;

use brasa_model::{FileInspection, Inspection, PlacesInspection, Reason, TimesInspection, short};

use crate::report::{Printer, printable, thousands};

/// Columns that are listed one by one.
const COLUMNS: usize = 40;
/// Stacks that are listed.
const STACKS: usize = 5;

/// The report of an inspection.
pub fn report(printer: &Printer, inspection: &Inspection) -> String {
    let mut text = String::new();
    for file in &inspection.files {
        one_file(printer, &mut text, file);
    }
    if !inspection.notes.is_empty() {
        printer.notes(&mut text, &inspection.notes);
    }
    if let Some(refused) = &inspection.refused {
        let _ = writeln!(text, "\nRefused    {}", printer.wrap(&printable(&refused.text), 11));
        if let Some(help) = &refused.help {
            let _ = writeln!(text, "           help: {}", printer.wrap(&printable(help), 11));
        }
    } else if let Some(rows) = inspection.rows {
        let share = rows.used as f64 / rows.read.max(1) as f64 * 100.0;
        let _ = writeln!(
            text,
            "\nWould use  {} of {} rows ({share:.1} %); {} filtered, {} rejected, {} duplicate",
            thousands(rows.used),
            thousands(rows.read),
            thousands(rows.filtered),
            thousands(rows.rejected),
            thousands(rows.duplicate)
        );
        for reason in Reason::ALL {
            if let Some(count) = inspection.rejected_by_reason.get(reason.code()) {
                let _ = writeln!(
                    text,
                    "           {:>9} {} ({})",
                    thousands(*count),
                    reason.meaning(),
                    reason.code()
                );
            }
        }
        if let (Some(crs), Some(area)) = (&inspection.crs, inspection.area_km2) {
            let _ = writeln!(text, "           in {crs}, on a study area of {area:.1} km²");
        }
    }
    if !inspection.command.is_empty() {
        let next = if inspection.refused.is_some() { "Then run  " } else { "Next      " };
        let _ = writeln!(text, "\n{next} {}", printable(&inspection.command));
    }
    text
}

fn one_file(printer: &Printer, text: &mut String, file: &FileInspection) {
    let lead = if text.is_empty() { "" } else { "\n" };
    let _ = writeln!(
        text,
        "{lead}File       {}: {}, {} rows, {} columns, {} bytes",
        printable(&file.name),
        printable(&file.format),
        thousands(file.rows),
        file.columns.len(),
        thousands(file.bytes)
    );
    if !file.findings.is_empty() {
        for (at, finding) in file.findings.iter().enumerate() {
            let lead = if at == 0 { "\nFound      " } else { "           " };
            let _ = writeln!(text, "{lead}{}", printer.wrap(&printable(&finding.text), 11));
            if let Some(reason) = &finding.reason {
                let _ = writeln!(text, "             {}", printer.wrap(&printable(reason), 13));
            }
        }
    }
    if let Some(places) = &file.places {
        places_told(text, places);
    }
    if let Some(times) = &file.times {
        times_told(text, times);
    }
    columns_told(text, file);
}

fn columns_told(text: &mut String, file: &FileInspection) {
    let width = |len: usize| len.clamp(6, 28);
    let names = file.columns.iter().take(COLUMNS).map(|column| column.name.chars().count());
    let name_width = width(names.max().unwrap_or(6));
    let _ = writeln!(
        text,
        "\nColumns    {:name_width$}  {:13}  {:8}  {:>7}  range or most frequent",
        "name", "holds", "role", "missing"
    );
    for column in file.columns.iter().take(COLUMNS) {
        let missing = column.missing as f64 / file.rows.max(1) as f64 * 100.0;
        let values = column.shown(printable, thousands);
        let name: String = printable(&column.name).chars().take(name_width).collect();
        let line = format!(
            "           {name:name_width$}  {:13}  {:8}  {missing:>5.1} %  {values}",
            column.holds,
            column.role.as_deref().unwrap_or("")
        );
        let _ = writeln!(text, "{}", line.trim_end());
    }
    if file.columns.len() > COLUMNS {
        let _ =
            writeln!(text, "           … {} more columns; --json lists them", file.columns.len() - COLUMNS);
    }
}

fn places_told(text: &mut String, places: &PlacesInspection) {
    let _ = writeln!(
        text,
        "\nPlaces     {} rows ({:.1} %) have a place that could be right, on {} distinct places",
        thousands(places.hits),
        places.hit_rate * 100.0,
        thousands(places.distinct)
    );
    let _ = writeln!(
        text,
        "           first coordinate {} to {}, second {} to {}",
        short(places.x.0),
        short(places.x.1),
        short(places.y.0),
        short(places.y.1)
    );
    for stack in places.stacks.iter().take(STACKS) {
        let _ = writeln!(
            text,
            "           {:>9} ({:.2} %) at ({}, {}): {}",
            thousands(stack.rows),
            stack.share * 100.0,
            short(stack.x),
            short(stack.y),
            printable(&stack.may_be)
        );
    }
}

fn times_told(text: &mut String, times: &TimesInspection) {
    let _ = writeln!(
        text,
        "\nTimes      {} to {}; {} rows without",
        times.first.replace('T', " "),
        times.last.replace('T', " "),
        thousands(times.missing)
    );
    let exact: Vec<String> =
        times.precision.iter().map(|(word, rows)| format!("{} {word}", thousands(*rows))).collect();
    let _ = writeln!(text, "           known to: {}", exact.join(", "));
    if let (Some(midnight), Some(hour), Some(half)) = (times.midnight, times.full_hour, times.half_hour) {
        let _ = writeln!(
            text,
            "           of the times of day {:.1} % are 00:00, {:.1} % on a full hour, {:.1} % on a half hour",
            midnight * 100.0,
            hour * 100.0,
            half * 100.0
        );
    }
    if let Some(lag) = &times.lag {
        let _ = writeln!(
            text,
            "           reported (\"{}\") after {:.1} days in the middle, nine in ten within {:.1}",
            printable(&lag.column),
            lag.median_days,
            lag.p90_days
        );
    }
}
