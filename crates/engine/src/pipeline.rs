//! A saved analysis: what to read, what to ask, where to write. Flags become one, a TOML file is one.
//!
//! ```toml
//! [input]
//! file = "incidentes.csv"     # or files = ["enero.csv", "febrero.csv"], or a pattern: file = "2024-*.csv"
//! study-area = "city.geojson"
//!
//! [hotspots]          # or the name of a method: [kde], [gi-star], [dbscan]
//! cell = "250m"
//!
//! [map]               # may be left out
//! lang = "es"
//!
//! [output]
//! path = "hotspots"
//! ```

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use brasa_export::{Imprint, Lang};
use brasa_ingest::InputOptions;
use brasa_model::Classes;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{EngineError, HotspotsParams, PlanKind};

/// A saved analysis. Paths are relative to the folder the command runs in.
#[derive(Debug, Clone, PartialEq)]
pub struct Pipeline {
    /// The incident files, or patterns of their names.
    pub files: Vec<PathBuf>,
    /// How to read them.
    pub input: InputOptions,
    /// What to ask.
    pub analysis: Analysis,
    /// How maps look.
    pub map: MapOptions,
    /// Where to write.
    pub output: Output,
}

/// How maps look: the section `[map]`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct MapOptions {
    /// Title of maps and reports [default: the name of the file]
    #[schemars(title = "TEXT")]
    pub title: Option<String>,
    /// Whom the data is owed to, written under every map; many licences ask for it
    #[schemars(title = "TEXT")]
    pub attribution: Option<String>,
    /// How numbers are cut into classes of colour: jenks, quantile, standard-deviation, head-tail or equal, and how many
    pub classes: Classes,
    /// Language of maps and reports: en, es or pt, es-MX where the decimal mark is a point [default: that of the locale]
    pub lang: Option<Lang>,
    /// Streets, rivers or other shapes to draw beneath, from a file on this machine (GeoPackage, GeoJSON, .osm.pbf, …)
    #[schemars(title = "FILE")]
    pub basemap: Option<PathBuf>,
}

/// What to ask.
#[derive(Debug, Clone, PartialEq)]
pub enum Analysis {
    /// The main job.
    Hotspots(HotspotsParams),
    /// One method of the catalogue with its parameters.
    Method {
        /// Its name.
        name: String,
        /// Its parameters, as in its schema.
        parameters: Value,
    },
    /// A plan.
    Plan {
        /// Which.
        kind: &'static PlanKind,
        /// Its parameters, as in its schema.
        parameters: Value,
    },
}

impl PartialEq for PlanKind {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl std::fmt::Debug for PlanKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

/// What the section of a plan begins with: `[plan-areas]`.
const PLAN: &str = "plan-";

/// The section of the main job.
const HOTSPOTS: &str = "hotspots";

impl Analysis {
    /// The analysis of that name, its parameters checked.
    pub fn new(name: &str, parameters: Value) -> Result<Self, EngineError> {
        let refused = |why: String| EngineError::Pipeline { place: name.to_owned(), why };
        if name == HOTSPOTS {
            return serde_path_to_error::deserialize(parameters)
                .map(Self::Hotspots)
                .map_err(|error| refused(error.to_string()));
        }
        if let Some(kind) = name.strip_prefix(PLAN).and_then(crate::plan::plan) {
            kind.checked(&parameters)?;
            return Ok(Self::Plan { kind, parameters });
        }
        let method = brasa_spatial_index::method(name).ok_or_else(|| {
            refused("is neither \"hotspots\" nor a method; `brasa methods` lists them".to_owned())
        })?;
        (method.check)(&parameters)?;
        Ok(Self::Method { name: name.to_owned(), parameters })
    }

    /// Its name, as its section is called.
    pub fn name(&self) -> Cow<'_, str> {
        match self {
            Self::Hotspots(_) => Cow::Borrowed(HOTSPOTS),
            Self::Method { name, .. } => Cow::Borrowed(name),
            Self::Plan { kind, .. } => Cow::Owned(format!("{PLAN}{}", kind.name)),
        }
    }
}

/// Where to write.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Output {
    /// The folder of `hotspots`, or the file of a method; its ending picks the format.
    pub path: PathBuf,
    /// For clusters: a CSV with one row per incident used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<PathBuf>,
    /// Whether to replace what is there.
    #[serde(default)]
    pub force: bool,
}

impl MapOptions {
    /// In which language maps speak, and whom they name.
    pub(crate) fn imprint(&self) -> Imprint<'_> {
        let attribution = self.attribution.as_deref().unwrap_or_default();
        Imprint { lang: self.lang.unwrap_or_default(), attribution }
    }
}

impl Pipeline {
    /// Reads a pipeline file.
    pub fn from_file(path: &Path) -> Result<Self, EngineError> {
        let text = std::fs::read_to_string(path).map_err(|error| EngineError::PipelineFile {
            path: path.display().to_string(),
            why: error.to_string(),
        })?;
        Self::from_toml(&text).map_err(|error| match error {
            EngineError::Pipeline { place, why } => {
                EngineError::Pipeline { place: format!("{}, {place}", path.display()), why }
            }
            other => other,
        })
    }

    /// Reads a pipeline from TOML.
    pub fn from_toml(text: &str) -> Result<Self, EngineError> {
        let refused = |place: &str, why: String| EngineError::Pipeline { place: place.to_owned(), why };
        let mut sections: Map<String, Value> =
            toml::from_str(text).map_err(|error| refused("pipeline", error.to_string()))?;
        let mut section = |name: &str| {
            sections.remove(name).ok_or_else(|| refused("pipeline", format!("there is no [{name}] section")))
        };
        let (mut input, output) = (section("input")?, section("output")?);
        let map = section("map").unwrap_or_else(|_| Value::Object(Map::new()));
        let mut taken = |name: &str| input.as_object_mut().and_then(|input| input.remove(name));
        let files: Option<Vec<PathBuf>> = match (taken("file"), taken("files")) {
            (Some(Value::String(file)), None) => Some(vec![file.into()]),
            (None, Some(Value::Array(files))) if !files.is_empty() => {
                files.iter().map(|file| file.as_str().map(PathBuf::from)).collect()
            }
            _ => None,
        };
        let Some(files) = files else {
            let why = "needs file = \"…\", or files = [\"…\", \"…\"], and not both";
            return Err(refused("[input]", why.to_owned()));
        };
        let mut analyses = sections.into_iter();
        let (Some((name, parameters)), None) = (analyses.next(), analyses.next()) else {
            return Err(refused(
                "pipeline",
                "needs one section that says what to ask: [hotspots], or the name of a method".to_owned(),
            ));
        };
        Ok(Self {
            files,
            input: serde_path_to_error::deserialize(input)
                .map_err(|error| refused("[input]", error.to_string()))?,
            analysis: Analysis::new(&name, parameters)?,
            map: serde_path_to_error::deserialize(map)
                .map_err(|error| refused("[map]", error.to_string()))?,
            output: serde_path_to_error::deserialize(output)
                .map_err(|error| refused("[output]", error.to_string()))?,
        })
    }

    /// Writes it as TOML; reading that gives the same pipeline, but for the password of a database, which is masked: a saved
    /// pipeline is passed around.
    pub fn to_toml(&self) -> Result<String, EngineError> {
        let refused = |why: String| EngineError::Pipeline { place: "pipeline".to_owned(), why };
        let mut input = Map::new();
        let mut files: Vec<Value> = self
            .files
            .iter()
            .map(|file| crate::without_secrets(&file.display().to_string()).into())
            .collect();
        match files.as_mut_slice() {
            [file] => input.insert("file".to_owned(), file.take()),
            _ => input.insert("files".to_owned(), Value::Array(files)),
        };
        input.extend(section(&self.input)?);
        let parameters = match &self.analysis {
            Analysis::Hotspots(params) => Value::Object(section(params)?),
            Analysis::Method { parameters, .. } | Analysis::Plan { parameters, .. } => parameters.clone(),
        };
        let mut sections = Map::new();
        sections.insert("input".to_owned(), Value::Object(input));
        sections.insert(self.analysis.name().into_owned(), parameters);
        if self.map != MapOptions::default() {
            sections.insert("map".to_owned(), Value::Object(section(&self.map)?));
        }
        sections.insert("output".to_owned(), Value::Object(section(&self.output)?));
        toml::to_string_pretty(&sections).map_err(|error| refused(error.to_string()))
    }
}

/// A section without what was not said: TOML has no null.
fn section<T: Serialize>(value: &T) -> Result<Map<String, Value>, EngineError> {
    match serde_json::to_value(value) {
        Ok(Value::Object(map)) => Ok(map.into_iter().filter(|(_, value)| !value.is_null()).collect()),
        Ok(_) => Ok(Map::new()),
        Err(error) => Err(EngineError::Pipeline { place: "pipeline".to_owned(), why: error.to_string() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pipeline_survives_being_written_and_read() {
        let text = "[input]\nfile = \"a.csv\"\nlon = \"longitud\"\n\n[dbscan]\neps = \"200m\"\nmin-points = 7\n\n[output]\npath = \"c.gpkg\"\nlabels = \"l.csv\"\n";
        let pipeline = Pipeline::from_toml(text).unwrap();
        assert_eq!(pipeline.input.lon.as_deref(), Some("longitud"));
        assert_eq!(Pipeline::from_toml(&pipeline.to_toml().unwrap()).unwrap(), pipeline);

        let map = text.replace("[output]", "[map]\nclasses = \"quantile:4\"\nlang = \"pt\"\n\n[output]");
        let pipeline = Pipeline::from_toml(&map).unwrap();
        assert_eq!((pipeline.map.lang, pipeline.map.classes.most), (Some(Lang::PT), 4));
        assert_eq!(Pipeline::from_toml(&pipeline.to_toml().unwrap()).unwrap(), pipeline);

        let two = text.replace("file = \"a.csv\"", "files = [\"a.csv\", \"b.csv\"]");
        let pipeline = Pipeline::from_toml(&two).unwrap();
        assert_eq!(pipeline.files, ["a.csv", "b.csv"].map(PathBuf::from));
        assert_eq!(Pipeline::from_toml(&pipeline.to_toml().unwrap()).unwrap(), pipeline);
    }

    #[test]
    fn a_pipeline_that_is_none_says_where() {
        let says = |text: &str, wanted: &str| {
            let error = Pipeline::from_toml(text).unwrap_err().to_string();
            assert!(error.contains(wanted), "{error}");
        };
        let ends = "[output]\npath = \"x\"\n";
        says("a = ", "pipeline");
        says(ends, "no [input]");
        for none in ["", "files = []\n", "files = [1]\n", "file = \"a\"\nfiles = [\"b\"]\n"] {
            says(&format!("[input]\n{none}{ends}"), "needs file");
        }
        says(&format!("[input]\nfile = \"a\"\n{ends}"), "what to ask");
        says(&format!("[input]\nfile = \"a\"\nlongitude = \"x\"\n[hotspots]\n{ends}"), "longitude");
        says(&format!("[input]\nfile = \"a\"\n[hotspot]\n{ends}"), "hotspot");
        says(&format!("[input]\nfile = \"a\"\n[hotspots]\ncell = \"5\"\n{ends}"), "no unit");
        says(&format!("[input]\nfile = \"a\"\n[dbscan]\n{ends}"), "eps");
        says(&format!("[input]\nfile = \"a\"\n[kde]\n[dbscan]\neps = \"1m\"\n{ends}"), "one section");
    }
}
