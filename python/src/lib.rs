//! `brasa._brasa`: what the Python package asks of the engine. Frames become tables in memory, answers become arrays; what a user
//! sees of it is written in Python, in `brasa/`.

mod call;
mod reply;
mod table;
mod tiles;
mod wkb;

use brasa_engine::{HotspotsParams, InputOptions, METHODS, MapOptions, PLANS};
use pyo3::prelude::*;
use serde_json::json;

/// What can be asked and with which parameters, as JSON: the same schemas that the flags of the command line are made of.
#[pyfunction]
fn catalogue() -> String {
    let schema = |schema: schemars::Schema| schema.to_value();
    let methods: Vec<_> = METHODS
        .iter()
        .map(|method| {
            json!({
                "name": method.name,
                "group": method.group,
                "answer": method.answer,
                "about": method.about,
                "schema": schema((method.schema)()),
            })
        })
        .collect();
    let plans: Vec<_> = PLANS
        .iter()
        .map(|plan| json!({ "name": plan.name, "about": plan.about, "schema": schema((plan.schema)()) }))
        .collect();
    json!({
        "input": schema(schemars::schema_for!(InputOptions)),
        "map": schema(schemars::schema_for!(MapOptions)),
        "hotspots": schema(schemars::schema_for!(HotspotsParams)),
        "methods": methods,
        "plans": plans,
    })
    .to_string()
}

/// The native half of the package.
#[pymodule]
fn _brasa(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_function(wrap_pyfunction!(catalogue, module)?)?;
    module.add_function(wrap_pyfunction!(call::ask, module)?)?;
    module.add_function(wrap_pyfunction!(table::binary, module)?)?;
    module.add_function(wrap_pyfunction!(table::times, module)?)?;
    module.add_function(wrap_pyfunction!(tiles::tile_explode, module)?)?;
    module.add_function(wrap_pyfunction!(tiles::tile_kde, module)?)?;
    module.add_function(wrap_pyfunction!(tiles::merge_kde, module)?)?;
    module.add_function(wrap_pyfunction!(tiles::tile_dbscan, module)?)?;
    module.add_function(wrap_pyfunction!(tiles::merge_dbscan, module)?)?;
    module.add_class::<table::Table>()?;
    module.add_class::<reply::Reply>()
}
