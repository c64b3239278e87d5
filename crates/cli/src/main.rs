//! The command line: flags in, readable reports out. The only crate that prints, and the only one that knows how an
//! error looks.

mod flags;
mod inspection;
mod meter;
mod report;

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::process::ExitCode;

use brasa_engine::{Analysis, EngineError, InputOptions, Lang, MapOptions, Output, Pieces, Pipeline, demo};
use brasa_model::Diagnose;
use clap::ArgMatches;
use meter::Meter;
use report::Printer;

fn main() -> ExitCode {
    let matches = match flags::command().try_get_matches() {
        Ok(matches) => matches,
        Err(error) => {
            // Help and version come this way too; clap knows which stream and which code.
            let code = error.exit_code();
            return if error.print().is_ok() { ExitCode::from(code as u8) } else { ExitCode::SUCCESS };
        }
    };
    // `brasa plan areas` is the section `plan-areas`.
    let chosen = match matches.subcommand() {
        Some(("plan", inner)) => inner.subcommand().map(|(name, given)| (format!("plan-{name}"), given)),
        other => other.map(|(name, given)| (name.to_owned(), given)),
    };
    let Some((name, given)) = chosen else {
        return ExitCode::from(report::USAGE);
    };
    let mut printer =
        Printer::new(given.get_flag("json"), given.get_flag("quiet"), given.get_flag("verbose"));
    let threads = given.try_get_one::<usize>("threads").ok().flatten().copied().unwrap_or(0);
    if let Err(error) = rayon::ThreadPoolBuilder::new().num_threads(threads).build_global() {
        return printer.bug(&error.to_string());
    }
    let done = match name.as_str() {
        "methods" => printer.methods(),
        "demo" => run_demo(given, &mut printer),
        "inspect" => run_inspect(given, &mut printer),
        "run" => Pipeline::from_file(&path(given, "pipeline"))
            .and_then(|pipeline| run_pipeline(&pipeline, given, &mut printer)),
        analysis => {
            pipeline_of(analysis, given).and_then(|pipeline| run_pipeline(&pipeline, given, &mut printer))
        }
    };
    match done {
        Ok(code) => code,
        Err(error) => printer.error(&error as &dyn Diagnose),
    }
}

fn run_pipeline(
    pipeline: &Pipeline,
    given: &ArgMatches,
    printer: &mut Printer,
) -> Result<ExitCode, EngineError> {
    if given.get_flag("print-pipeline") {
        return Ok(printer.text(&pipeline.to_toml()?));
    }
    let mut pipeline = pipeline.clone();
    pipeline.output.force |= given.get_flag("force");
    pipeline.map.lang.get_or_insert_with(language);
    let meter = Meter::new(printer.is_talkative());
    let observer = |progress| {
        meter.show(progress);
        ControlFlow::Continue(())
    };
    let outcome = brasa_engine::run_watched(&pipeline, &command_line(), Pieces::default(), &observer);
    meter.clear();
    let outcome = outcome?;
    Ok(printer.outcome(&pipeline, &outcome))
}

fn run_demo(given: &ArgMatches, printer: &mut Printer) -> Result<ExitCode, EngineError> {
    let mut pipeline = demo::lay_out(&path(given, "output"), given.get_flag("force"))?;
    pipeline.map.lang.get_or_insert_with(language);
    let outcome = brasa_engine::run(&pipeline, &command_line())?;
    let score = demo::score(outcome.hotspots.as_deref().unwrap_or_default(), &outcome.crs)?;
    Ok(printer.demo(&pipeline, &outcome, &score))
}

fn run_inspect(given: &ArgMatches, printer: &mut Printer) -> Result<ExitCode, EngineError> {
    let files: Vec<PathBuf> = given.get_many("incidents").into_iter().flatten().cloned().collect();
    let output = given.get_one::<PathBuf>("output").map(|path| (path.as_path(), given.get_flag("force")));
    Ok(printer.inspection(&brasa_engine::inspect(&files, &input_options(given)?, output)?))
}

/// How the flags say that the files are to be read.
fn input_options(given: &ArgMatches) -> Result<InputOptions, EngineError> {
    let refused = |why: String| EngineError::Pipeline { place: "input flags".to_owned(), why };
    serde_json::from_value(flags::given(&flags::input_flags(), given))
        .map_err(|error| refused(error.to_string()))
}

/// How the flags say that maps are to look.
fn map_options(given: &ArgMatches) -> Result<MapOptions, EngineError> {
    let refused = |why: String| EngineError::Pipeline { place: "map flags".to_owned(), why };
    serde_json::from_value(flags::given(&flags::map_flags(), given))
        .map_err(|error| refused(error.to_string()))
}

/// The language of this machine's user.
fn language() -> Lang {
    let said = |name: &&str| std::env::var(name).ok().filter(|locale| !locale.is_empty());
    Lang::of_locale(&["LC_ALL", "LC_MESSAGES", "LANG"].iter().find_map(said).unwrap_or_default())
}

/// The pipeline that the flags of `brasa hotspots` or `brasa METHOD` describe.
fn pipeline_of(analysis: &str, given: &ArgMatches) -> Result<Pipeline, EngineError> {
    let input = input_options(given)?;
    let parameters = flags::given(&flags::analysis_flags(analysis), given);
    Ok(Pipeline {
        files: given.get_many("incidents").into_iter().flatten().cloned().collect(),
        input,
        analysis: Analysis::new(analysis, parameters)?,
        map: map_options(given)?,
        output: Output {
            path: path(given, "output"),
            labels: given.try_get_one::<PathBuf>("labels").ok().flatten().cloned(),
            force: given.get_flag("force"),
        },
    })
}

fn path(given: &ArgMatches, name: &str) -> PathBuf {
    given.get_one::<PathBuf>(name).cloned().unwrap_or_default()
}

/// The command as it was typed, with the program's name alone.
fn command_line() -> String {
    let quoted = |word: String| {
        let word = brasa_engine::without_secrets(&word);
        if word.contains([' ', ';', '\'']) { format!("{word:?}") } else { word }
    };
    let words = std::env::args_os().skip(1).map(|word| quoted(word.to_string_lossy().into_owned()));
    std::iter::once("brasa".to_owned()).chain(words).collect::<Vec<_>>().join(" ")
}
