//! What a person sees: the report of a run, the list of methods, an error. And what a machine sees under `--json`.

use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;

use brasa_engine::demo::{FOUND_FROM, Score};
use brasa_engine::{Analysis, Hotspot, Lang, METHODS, Outcome, PLANS, Pipeline};
use brasa_model::{
    Account, Blame, Diagnose, InputRecord, Inspection, Note, PlanBriefing, Reason, Stretch, Trend,
};
use serde_json::json;

/// Exit code of a wrong command.
pub const USAGE: u8 = 2;
/// Exit code when all is done, but rows were rejected.
const REJECTED: u8 = 3;
/// How many hotspots the table shows.
const TABLE: usize = 12;
/// How many files are shown line by line.
const FILES: usize = 10;
/// How many rejected rows are shown.
const EXAMPLES: usize = 5;

/// Prints, in the way the user asked for.
pub struct Printer {
    json: bool,
    quiet: bool,
    verbose: bool,
    width: usize,
}

impl Printer {
    /// A printer for these flags.
    pub fn new(json: bool, quiet: bool, verbose: bool) -> Self {
        Self { json, quiet, verbose, width: 100 }
    }

    /// Whether more than the result is wanted.
    pub const fn is_talkative(&self) -> bool {
        !self.json && !self.quiet
    }

    /// Prints to standard output. A reader who has gone away (`| head`) is no error of ours.
    fn print(&self, text: &str) -> bool {
        let mut out = io::stdout().lock();
        out.write_all(text.as_bytes()).and_then(|()| out.flush()).is_ok()
    }

    /// Prints a text as it is.
    pub fn text(&self, text: &str) -> ExitCode {
        self.print(text);
        ExitCode::SUCCESS
    }

    fn object(&self, value: &impl serde::Serialize) {
        if let Ok(mut text) = serde_json::to_string_pretty(value) {
            text.push('\n');
            self.print(&text);
        }
    }

    /// The report of a run.
    pub fn outcome(&self, pipeline: &Pipeline, outcome: &Outcome) -> ExitCode {
        if self.json {
            self.object(&outcome.manifest);
        } else if !self.quiet {
            self.print(&self.report(pipeline, outcome));
        }
        exit_code(outcome)
    }

    /// The report of an inspection. What would be refused ends with the exit code that the refusal would have.
    pub fn inspection(&self, inspection: &Inspection) -> ExitCode {
        if self.json {
            self.object(inspection);
        } else if !self.quiet {
            self.print(&crate::inspection::report(self, inspection));
        }
        match (&inspection.refused, inspection.rows) {
            (Some(refused), _) => ExitCode::from(code_of(refused.blame)),
            (None, Some(rows)) if rows.rejected > 0 => ExitCode::from(REJECTED),
            _ => ExitCode::SUCCESS,
        }
    }

    /// The report of the demo.
    pub fn demo(&self, pipeline: &Pipeline, outcome: &Outcome, score: &Score) -> ExitCode {
        if self.json {
            let planted: Vec<_> = score
                .planted
                .iter()
                .map(|(name, share)| json!({ "name": name, "share_found": share, "found": *share >= FOUND_FROM }))
                .collect();
            self.object(&json!({
                "planted": planted,
                "found": score.found(),
                "false_alarms": score.false_alarms,
                "manifest": outcome.manifest,
            }));
        } else if !self.quiet {
            let mut text = self.report(pipeline, outcome);
            let _ = writeln!(text, "\nAgainst the hotspots that were planted in this made-up city");
            for (name, share) in &score.planted {
                let mark = if *share >= FOUND_FROM { "found " } else { "missed" };
                let _ = writeln!(text, "  {mark}  {name} ({:.0} % of its area)", share * 100.0);
            }
            let _ = writeln!(
                text,
                "  {} of {} planted hotspots found; {} raised where none was planted{}",
                score.found(),
                score.planted.len(),
                score.false_alarms.len(),
                match score.false_alarms.as_slice() {
                    [] => String::new(),
                    ranks =>
                        format!(" (rank {})", ranks.iter().map(u32::to_string).collect::<Vec<_>>().join(", ")),
                },
            );
            self.print(&text);
        }
        // The sample's dirt is there on purpose: setting it aside is the demo going well.
        ExitCode::SUCCESS
    }

    fn report(&self, pipeline: &Pipeline, outcome: &Outcome) -> String {
        let mut text = String::new();
        self.rows(&mut text, outcome);
        self.notes(&mut text, &outcome.manifest.notes);
        match &outcome.hotspots {
            Some(hotspots) => {
                self.table(&mut text, hotspots);
                if let Some(trend) = &outcome.trend {
                    sparkline(&mut text, trend);
                }
            }
            None => match &outcome.plan {
                Some(plan) => self.plan(&mut text, plan),
                None => {
                    let _ = writeln!(text, "\nResult     {}", outcome.headline);
                }
            },
        }
        self.written(&mut text, pipeline, outcome);
        text
    }

    fn rows(&self, text: &mut String, outcome: &Outcome) {
        let files: Vec<(&InputRecord, Account)> =
            outcome.manifest.inputs.iter().filter_map(|input| Some((input, input.rows?))).collect();
        let rows = sum(&files);
        let plural = if rows.read == 1 { "row" } else { "rows" };
        let of = match files.as_slice() {
            [(input, _)] => printable(&input.name),
            _ => format!("{} files", files.len()),
        };
        let _ = writeln!(text, "Read       {} {plural} of {of}", thousands(rows.read));
        let _ = writeln!(
            text,
            "           {} used, {} filtered, {} rejected, {} duplicate",
            thousands(rows.used),
            thousands(rows.filtered),
            thousands(rows.rejected),
            thousands(rows.duplicate),
        );
        for reason in Reason::ALL {
            let of_file = |(input, _): &(&InputRecord, Account)| {
                input.rejected_by_reason.as_ref().and_then(|counts| counts.get(reason.code())).copied()
            };
            let count: u64 = files.iter().filter_map(of_file).sum();
            if count > 0 {
                let _ = writeln!(
                    text,
                    "           {:>9} {} ({})",
                    thousands(count),
                    reason.meaning(),
                    reason.code()
                );
            }
        }
        if files.len() > 1 {
            of_each(text, &files);
        }
        for reject in outcome.rejects.iter().take(if self.verbose { EXAMPLES } else { 0 }) {
            let file = files.get(usize::from(reject.file)).filter(|_| files.len() > 1);
            let _ = writeln!(
                text,
                "             {}line {}: {} \"{}\" ({})",
                file.map_or(String::new(), |(input, _)| format!("{}, ", printable(&input.name))),
                reject.line,
                printable(&reject.column),
                printable(&reject.value),
                reject.reason
            );
        }
    }

    /// The notes, a line each, with their reasons if asked for.
    pub fn notes(&self, text: &mut String, notes: &[Note]) {
        for (at, note) in notes.iter().enumerate() {
            let lead = if at == 0 { "\nNoted      " } else { "           " };
            let _ = writeln!(text, "{lead}{}", self.wrap(&printable(&note.text), 11));
            if let Some(reason) = note.reason.as_ref().filter(|_| self.verbose) {
                let _ = writeln!(text, "             {}", self.wrap(&printable(reason), 13));
            }
        }
    }

    fn table(&self, text: &mut String, hotspots: &[Hotspot]) {
        if hotspots.is_empty() {
            let _ = writeln!(text, "\nHotspots   none");
            return;
        }
        let share: f64 = hotspots.iter().map(|hotspot| hotspot.share).sum();
        let area: f64 = hotspots.iter().map(|hotspot| hotspot.area_km2).sum();
        let _ = writeln!(
            text,
            "\nHotspots   {}, holding {:.1} % of incidents on {area:.2} km²",
            hotspots.len(),
            share * 100.0,
        );
        let certified = hotspots.iter().any(|hotspot| hotspot.stability.is_some());
        let stable = |value: &str| if certified { format!("{value:>6}  ") } else { String::new() };
        let _ = writeln!(
            text,
            "  rank  incidents   share   area km²      PAI       z         q  {} trend  peak hours",
            stable("stable")
        );
        for hotspot in hotspots.iter().take(TABLE) {
            let trend = hotspot.trend.map_or("·".to_owned(), |trend| format!("{:+.0} %", trend.percent()));
            let peak = hotspot.peak.map_or("·".to_owned(), |peak| peak.to_string());
            let again = hotspot.stability.map_or("·".to_owned(), |stability| format!("{stability:.2}"));
            let _ = writeln!(
                text,
                "  {:>4}  {:>9}  {:>4.1} %  {:>9.3}  {:>7.1}  {:>6.1}  {:>8}  {}{trend:>6}  {peak}",
                hotspot.rank,
                thousands(hotspot.incidents),
                hotspot.share * 100.0,
                hotspot.area_km2,
                hotspot.pai,
                hotspot.z,
                if hotspot.q < 1e-4 { "< 0.0001".to_owned() } else { format!("{:.4}", hotspot.q) },
                stable(&again),
            );
        }
        if hotspots.len() > TABLE {
            let _ = writeln!(text, "  … and {} more in the files", hotspots.len() - TABLE);
        }
    }

    /// What a plan comes to, what one more unit or site buys, and what it does not know.
    fn plan(&self, text: &mut String, plan: &PlanBriefing) {
        for (at, fact) in plan.facts.iter().enumerate() {
            let lead = if at == 0 { "\nPlan       " } else { "           " };
            let _ = writeln!(text, "{lead}{:>10} {}", fact.figure, fact.text);
        }
        if let Some(curve) = &plan.coverage {
            let _ = writeln!(text, "\n{}", curve.title);
            let share = |value: f64| format!("{:.1} %", value * 100.0);
            for (x, y) in curve.x.values.iter().zip(curve.y.first().map_or(&[][..], |series| &series.values))
            {
                let bar = "█".repeat((y.clamp(0.0, 1.0) * 40.0).round() as usize);
                let _ = writeln!(text, "  {x:>4} {} {:>8} {bar}", curve.x.unit, share(*y));
            }
        }
        for (at, limit) in plan.limits.iter().enumerate() {
            let lead = if at == 0 { "\nMind       " } else { "           " };
            let _ = writeln!(text, "{lead}{}", self.wrap(limit, 11));
        }
    }

    fn written(&self, text: &mut String, pipeline: &Pipeline, outcome: &Outcome) {
        let target = &pipeline.output.path;
        let names: Vec<&str> = outcome.manifest.outputs.iter().map(|output| output.path.as_str()).collect();
        match &pipeline.analysis {
            Analysis::Hotspots(_) | Analysis::Plan { .. } => {
                let _ = writeln!(
                    text,
                    "\nWritten    {}/ with {}, manifest.json",
                    target.display(),
                    names.join(", ")
                );
                let there = |(name, _): &(&str, &str)| names.contains(name);
                let open = [
                    ("report.html", "a browser"),
                    ("sheets.html", "a browser, and print"),
                    ("brasa.qgz", "QGIS"),
                ];
                let open = open.into_iter().filter(there);
                for (at, (name, program)) in open.enumerate() {
                    let lead = if at == 0 { "Open       " } else { "           " };
                    let _ = writeln!(text, "{lead}{} in {program}", target.join(name).display());
                }
            }
            Analysis::Method { .. } => {
                let folder = target.parent().unwrap_or(Path::new(""));
                let _ = writeln!(text, "Written    {}", folder.join(names.join(", ")).display());
            }
        }
        if let Some(file) = &outcome.rejects_file {
            let _ =
                writeln!(text, "Set aside  {} (each rejected row with its line and reason)", file.display());
        }
        if !self.verbose {
            let _ = writeln!(text, "           -v gives the reason of each choice");
        }
    }

    /// The catalogue.
    pub fn methods(&self) -> Result<ExitCode, brasa_engine::EngineError> {
        if self.json {
            let entry = |method: &brasa_engine::Method| {
                json!({
                    "name": method.name,
                    "group": method.group,
                    "answer": method.answer,
                    "about": method.about,
                    "parameters": (method.schema)(),
                })
            };
            let plan = |plan: &brasa_engine::PlanKind| {
                json!({
                    "name": format!("plan {}", plan.name),
                    "group": "plan",
                    "answer": "Plan",
                    "about": plan.about,
                    "parameters": (plan.schema)(),
                })
            };
            self.object(&METHODS.iter().map(entry).chain(PLANS.iter().map(plan)).collect::<Vec<_>>());
            return Ok(ExitCode::SUCCESS);
        }
        let mut text = String::new();
        let methods = METHODS.iter().map(|method| (method.name.to_owned(), method.about));
        for (name, about) in
            methods.chain(PLANS.iter().map(|plan| (format!("plan {}", plan.name), plan.about)))
        {
            let _ = writeln!(text, "{name:<9} {}", about.question);
            let _ = writeln!(text, "          {} · {} · {}", about.reference, about.units, about.cost);
        }
        Ok(self.text(&text))
    }

    /// An error: what is wrong, where and why; what to do; whose turn it is, as the exit code.
    pub fn error(&self, error: &dyn Diagnose) -> ExitCode {
        let code = code_of(error.blame());
        if self.json {
            self.object(&json!({
                "error": error.code(),
                "text": error.to_string(),
                "help": error.help(),
                "exit": code,
            }));
        }
        let mut text = format!("error[{}]: {}\n", error.code(), printable_lines(&error.to_string()));
        if let Some(help) = error.help() {
            let _ = writeln!(text, "  help: {}", printable_lines(&help).replace('\n', "\n        "));
        }
        complain(&text);
        ExitCode::from(code)
    }

    /// Something that cannot happen did.
    pub fn bug(&self, what: &str) -> ExitCode {
        complain(&format!("error[bug]: {what}\n  help: this is a bug of brasa; please report it\n"));
        ExitCode::from(70)
    }

    /// Breaks a long line on a terminal, indenting what follows.
    pub fn wrap(&self, text: &str, indent: usize) -> String {
        if !io::stdout().is_terminal() {
            return text.to_owned();
        }
        let mut lines = vec![String::new()];
        for word in text.split(' ') {
            let fresh = lines
                .last()
                .is_none_or(|line| line.chars().count() + 1 + word.chars().count() > self.width - indent);
            if fresh && lines.last().is_some_and(|line| !line.is_empty()) {
                lines.push(String::new());
            }
            if let Some(line) = lines.last_mut() {
                if !line.is_empty() {
                    line.push(' ');
                }
                line.push_str(word);
            }
        }
        lines.join(&format!("\n{}", " ".repeat(indent)))
    }
}

/// Incidents per stretch of time as a line of blocks, those that the data covers in part left out.
fn sparkline(text: &mut String, trend: &Trend) {
    const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let whole: Vec<_> = trend.stretches.iter().filter(|stretch| stretch.is_whole).collect();
    let (Some(first), Some(last)) = (whole.first(), whole.last()) else { return };
    let counts = || whole.iter().map(|stretch| stretch.incidents);
    let most = counts().max().unwrap_or(0);
    if whole.len() < 3 || most == 0 {
        return;
    }
    // Nothing has no block; the most has the highest.
    let block = |count: u64| match count {
        0 => ' ',
        count => BLOCKS[((count * 8).div_ceil(most) - 1) as usize],
    };
    let line: String = counts().map(block).collect();
    let mean = counts().sum::<u64>() as f64 / whole.len() as f64;
    let day = |stretch: &Stretch| stretch.interval.start.to_string()[..10].to_owned();
    let step = trend.step.word();
    let _ = writeln!(
        text,
        "\nTrend      {line}\n           incidents per {step} from {} to that of {}: mean {mean:.1}, most {}, last {}",
        day(first),
        day(last),
        thousands(most),
        thousands(last.incidents),
    );
}

fn sum(files: &[(&InputRecord, Account)]) -> Account {
    files.iter().fold(Account::default(), |sum, (_, rows)| sum.plus(*rows))
}

/// A line for each file, as far as there is room; the rest in one.
fn of_each(text: &mut String, files: &[(&InputRecord, Account)]) {
    let mut line = |[read, used, filtered, rejected, duplicate]: [String; 5], name: &str| {
        let _ = writeln!(
            text,
            "           {read:>9} {used:>10} {filtered:>9} {rejected:>9} {duplicate:>10}  {name}"
        );
    };
    let counts =
        |rows: Account| [rows.read, rows.used, rows.filtered, rows.rejected, rows.duplicate].map(thousands);
    line(["rows", "used", "filtered", "rejected", "duplicate"].map(str::to_owned), "file");
    let shown = if files.len() > FILES { FILES - 1 } else { files.len() };
    for (input, rows) in &files[..shown] {
        line(counts(*rows), &printable(&input.name));
    }
    if shown < files.len() {
        line(counts(sum(&files[shown..])), &format!("… {} more files", files.len() - shown));
    }
}

const fn code_of(blame: Blame) -> u8 {
    match blame {
        Blame::Usage => USAGE,
        Blame::Data => 65,
        Blame::Input => 66,
        Blame::Bug => 70,
        Blame::Memory => 71,
        Blame::Create => 73,
        Blame::Io => 74,
    }
}

fn exit_code(outcome: &Outcome) -> ExitCode {
    if outcome.rejects.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(REJECTED) }
}

fn complain(text: &str) {
    // Nobody is left to tell when standard error is gone.
    let _ = io::stderr().lock().write_all(text.as_bytes());
}

/// Text from a file, made harmless for a terminal: control characters and direction marks are dropped.
pub fn printable(text: &str) -> String {
    let hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().filter(|&c| !hidden(c)).collect()
}

fn printable_lines(text: &str) -> String {
    text.lines().map(printable).collect::<Vec<_>>().join("\n")
}

/// `683089` → `683,089`.
pub fn thousands(number: u64) -> String {
    Lang::EN.grouped(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        assert_eq!(
            ["0", "999", "1,000", "683,089"],
            [0, 999, 1000, 683_089].map(thousands).map(|t| t).each_ref().map(String::as_str)
        );
    }

    #[test]
    fn a_file_cannot_drive_the_terminal() {
        assert_eq!(printable("a\u{1b}[31mred\u{202e}\u{7}"), "a[31mred");
    }
}
