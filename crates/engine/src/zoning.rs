//! What incidents are counted in, as far as it is settled before a method runs: zones are read, H3 cells are made.

use std::path::Path;

use brasa_ingest::{Ingested, InputOptions};
use serde_json::Value;

use crate::EngineError;

/// The parameters that each say what to count in.
const WAYS: [&str; 4] = ["cell", "hex", "h3", "zones"];

/// The file of zones that a method's parameters name.
pub(crate) fn file(parameters: &Value) -> Option<&Path> {
    parameters["zones"].as_str().map(Path::new)
}

/// How to read the incidents: where zones are named and no study area is, the zones are the study area. Parameters that contradict one
/// another, and zones that are of no use, are refused before the incidents are read.
pub(crate) fn checked(options: &InputOptions, parameters: &Value) -> Result<InputOptions, EngineError> {
    let refused = |place: &str, why: String| EngineError::Pipeline { place: place.to_owned(), why };
    let given: Vec<String> =
        WAYS.iter().filter(|&&way| !parameters[way].is_null()).map(|way| format!("--{way}")).collect();
    if let [first, second, ..] = given.as_slice() {
        return Err(refused(second, format!("says what to count in, and so does {first}: give one of them")));
    }
    let mut options = options.clone();
    match file(parameters) {
        Some(path) => {
            let layer = parameters["zones-layer"].as_str();
            brasa_ingest::check_zones(path, layer, parameters["population"].as_str())?;
            if options.study_area.is_none() {
                options.study_area = Some(path.to_path_buf());
                options.study_area_layer = layer.map(str::to_owned);
            }
        }
        None => {
            let parts = [("population", "a column"), ("zones-layer", "a layer")];
            if let Some((flag, what)) = parts.into_iter().find(|(flag, _)| parameters[flag].is_string()) {
                let why = format!("is {what} of the zones; name their file with --zones");
                return Err(refused(&format!("--{flag}"), why));
            }
        }
    }
    Ok(options)
}

/// Adds the zones that a method's parameters ask for to what was read.
pub(crate) fn add(input: &mut Ingested, parameters: &Value) -> Result<(), EngineError> {
    if let Some(resolution) = parameters["h3"].as_u64().and_then(|number| u8::try_from(number).ok()) {
        let incidents = &mut input.incidents;
        let (zones, notes) = brasa_ingest::h3_zones(&incidents.window, resolution, &incidents.crs)?;
        incidents.zones = Some(zones);
        input.notes.extend(notes);
        return Ok(());
    }
    let Some(path) = file(parameters) else { return Ok(()) };
    let [layer, population] = ["zones-layer", "population"].map(|flag| parameters[flag].as_str());
    let (zones, record, notes) = brasa_ingest::read_zones(path, layer, population, &input.incidents.crs)?;
    input.incidents.zones = Some(zones);
    input.inputs.push(record);
    input.notes.extend(notes);
    Ok(())
}
