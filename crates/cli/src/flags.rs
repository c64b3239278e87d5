//! Which flags there are. They are made from the schemas of the parameters, so that a flag, the key in a pipeline
//! file and the argument in Python have one name, one default and one help text.

use std::path::PathBuf;

use brasa_engine::{HotspotsParams, InputOptions, METHODS, MapOptions, PLANS, PlanKind};
use clap::builder::StyledStr;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use serde_json::{Map, Value};

/// A flag made from a property of a schema.
pub struct Flag {
    name: String,
    help: String,
    value_name: String,
    default: Option<String>,
    required: bool,
    kind: Kind,
}

/// How the value of a flag is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Integer,
    /// It has none: the flag is there or not.
    Switch,
}

/// The flags that say how to read the incident file.
pub fn input_flags() -> Vec<Flag> {
    of_schema(&schemars::schema_for!(InputOptions).to_value())
}

/// The flags that say how maps look.
pub fn map_flags() -> Vec<Flag> {
    of_schema(&schemars::schema_for!(MapOptions).to_value())
}

/// The flags of `hotspots` or of a method.
pub fn analysis_flags(analysis: &str) -> Vec<Flag> {
    if let Some(method) = METHODS.iter().find(|method| method.name == analysis) {
        return of_schema(&(method.schema)().to_value());
    }
    match PLANS.iter().find(|plan| section_of(plan) == analysis) {
        Some(plan) => of_schema(&(plan.schema)().to_value()),
        None => of_schema(&schemars::schema_for!(HotspotsParams).to_value()),
    }
}

/// What the section of a plan is called in a pipeline file.
pub fn section_of(plan: &PlanKind) -> String {
    format!("plan-{}", plan.name)
}

fn of_schema(schema: &Value) -> Vec<Flag> {
    let empty = Map::new();
    let required =
        |name: &str| schema["required"].as_array().is_some_and(|names| names.iter().any(|at| at == name));
    let flag = |(name, property): (&String, &Value)| {
        // A property is written in place or points to a shared definition, which it may leave open; the description stands
        // beside it.
        let path = property["$ref"].as_str().or(property["anyOf"][0]["$ref"].as_str());
        let shared = path.and_then(|path| schema.pointer(path.trim_start_matches('#')));
        let own = shared.unwrap_or(property);
        // A value that may be left to the method is of its own type or null.
        let kind = match own["type"].as_str().or(own["type"][0].as_str()) {
            Some("integer") => Kind::Integer,
            Some("boolean") => Kind::Switch,
            _ => Kind::Text,
        };
        let fallback = if kind == Kind::Integer { "N" } else { "TEXT" };
        let default = match &property["default"] {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        };
        Flag {
            name: name.clone(),
            help: property["description"]
                .as_str()
                .unwrap_or_default()
                .replace('\n', " ")
                .trim_end_matches('.')
                .to_owned(),
            value_name: property["title"].as_str().or(own["title"].as_str()).unwrap_or(fallback).to_owned(),
            default,
            required: required(name),
            kind,
        }
    };
    schema["properties"].as_object().unwrap_or(&empty).iter().map(flag).collect()
}

/// What was given for these flags, as the schema wants it; the rest is left to the defaults.
pub fn given(flags: &[Flag], matches: &ArgMatches) -> Value {
    let pairs = flags.iter().filter_map(|flag| {
        if flag.kind == Kind::Switch {
            return matches.get_flag(&flag.name).then(|| (flag.name.clone(), Value::Bool(true)));
        }
        let text = matches.get_one::<String>(&flag.name)?;
        let value = match text.parse::<u64>() {
            Ok(number) if flag.kind == Kind::Integer => Value::from(number),
            _ => Value::String(text.clone()),
        };
        Some((flag.name.clone(), value))
    });
    Value::Object(pairs.collect())
}

fn arguments(flags: Vec<Flag>, heading: &'static str) -> impl Iterator<Item = Arg> {
    flags.into_iter().map(move |flag| {
        let help = match &flag.default {
            Some(default) => format!("{} [default: {default}]", flag.help),
            None => flag.help,
        };
        let arg = Arg::new(flag.name.clone()).long(flag.name).help(help).help_heading(heading);
        if flag.kind == Kind::Switch {
            return arg.action(ArgAction::SetTrue);
        }
        arg.value_name(flag.value_name).required(flag.required).allow_hyphen_values(true)
    })
}

/// The whole command line.
pub fn command() -> Command {
    let incidents = || {
        Arg::new("incidents")
            .value_name("INCIDENTS")
            .required(true)
            .num_args(1..)
            .value_parser(value_parser!(PathBuf))
            .help("Incident files, all read into one pattern: CSV, GeoJSON, GeoPackage, Shapefile, … plain, .gz or .zip")
    };
    let output = |value_name: &'static str, help: &'static str| {
        Arg::new("output")
            .short('o')
            .long("output")
            .value_name(value_name)
            .value_parser(value_parser!(PathBuf))
            .help(help)
    };
    let print_pipeline = || {
        Arg::new("print-pipeline")
            .long("print-pipeline")
            .action(ArgAction::SetTrue)
            .help("Print this command as a pipeline file and stop")
    };
    let mut root = Command::new("brasa")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Finds where incidents concentrate, says how sure it is, and writes layers that open")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(
            Command::new("hotspots")
                .about("The main job: hotspots with significance, as layers, from incident files")
                .arg(incidents())
                .arg(output("DIR", "Folder to write").required(true))
                .args(arguments(analysis_flags("hotspots"), "Hotspots"))
                .args(arguments(map_flags(), "Maps"))
                .args(arguments(input_flags(), "Reading the files (all are guessed when absent)"))
                .arg(print_pipeline()),
        )
        .subcommand(
            Command::new("inspect")
                .about("What is in the files, what is wrong with it, what would be used; ends with the command to run")
                .arg(incidents())
                .arg(output("FILE", "File to write as well: a page (.html) or an object (.json)"))
                .args(arguments(input_flags(), "Reading the files (all are guessed when absent)")),
        )
        .subcommand(
            Command::new("demo")
                .about("The main job on the sample city, found against planted hotspots")
                .arg(output("DIR", "Folder to write").default_value("brasa-demo")),
        )
        .subcommand(
            Command::new("run")
                .about("Run a saved analysis")
                .arg(
                    Arg::new("pipeline")
                        .value_name("PIPELINE")
                        .required(true)
                        .value_parser(value_parser!(PathBuf))
                        .help("Pipeline file (TOML); paths in it are relative to the current folder"),
                )
                .arg(print_pipeline()),
        )
        .subcommand(
            Command::new("methods").about("The catalogue of methods: question, reference, units, cost"),
        );
    let after = |about: &brasa_engine::About| {
        StyledStr::from(format!(
            "Reference: {}\nUnits: {}\nCost: {}",
            about.reference, about.units, about.cost
        ))
    };
    let mut plan = Command::new("plan")
        .about("From incidents and resources to plans: areas to patrol, patrols, districts, sites")
        .subcommand_required(true)
        .arg_required_else_help(true);
    for kind in PLANS {
        plan = plan.subcommand(
            Command::new(kind.name)
                .about(kind.about.question)
                .after_help(after(&kind.about))
                .arg(incidents())
                .arg(output("DIR", "Folder to write").required(true))
                .args(arguments(analysis_flags(&section_of(kind)), "Plan"))
                .args(arguments(map_flags(), "Maps"))
                .args(arguments(input_flags(), "Reading the files (all are guessed when absent)"))
                .arg(print_pipeline()),
        );
    }
    root = root.subcommand(plan);
    for method in METHODS {
        let about = method.about;
        let mut command = Command::new(method.name)
            .about(about.question)
            .after_help(after(&about))
            .arg(incidents())
            .arg(output("FILE", "File to write; its ending picks the format").required(true))
            .args(arguments(analysis_flags(method.name), "Method"))
            .args(arguments(map_flags(), "Maps"))
            .args(arguments(input_flags(), "Reading the files (all are guessed when absent)"))
            .arg(print_pipeline());
        if method.answer == "Clusters" {
            command = command.arg(
                Arg::new("labels")
                    .long("labels")
                    .value_name("FILE")
                    .value_parser(value_parser!(PathBuf))
                    .help_heading("Method")
                    .help("CSV to write with one row per incident used: row, cluster (empty for noise), scores where the method gives them; file before them, if there are several"),
            );
        }
        root = root.subcommand(command);
    }
    let everywhere = [
        Arg::new("json")
            .long("json")
            .action(ArgAction::SetTrue)
            .help("Print one JSON object instead of a report"),
        Arg::new("quiet").short('q').long("quiet").action(ArgAction::SetTrue).help("Print errors only"),
        Arg::new("verbose")
            .short('v')
            .long("verbose")
            .action(ArgAction::SetTrue)
            .help("Print the reason of each choice"),
        Arg::new("force").long("force").action(ArgAction::SetTrue).help("Replace what is there"),
        Arg::new("threads")
            .long("threads")
            .value_name("N")
            .value_parser(value_parser!(usize))
            .help("Threads to use; the result does not depend on it [default: all cores]"),
    ];
    for arg in everywhere {
        root = root.arg(arg.global(true).help_heading("Everywhere"));
    }
    root
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        command().debug_assert();
    }

    #[test]
    fn no_two_flags_of_a_command_share_a_name() {
        let plans = PLANS.iter().map(section_of);
        let methods = METHODS.iter().map(|method| method.name).chain(["hotspots"]).map(str::to_owned);
        for analysis in methods.chain(plans) {
            let mut names: Vec<String> = analysis_flags(&analysis)
                .into_iter()
                .chain(map_flags())
                .chain(input_flags())
                .map(|flag| flag.name)
                .collect();
            let all = names.len();
            names.sort();
            names.dedup();
            assert_eq!(names.len(), all, "{analysis}");
        }
    }
}
