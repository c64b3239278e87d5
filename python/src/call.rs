//! One call: the engine works in a thread of its own, without the interpreter's lock, while the caller's thread listens for signals
//! and tells how far it is.

use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use brasa_engine::{Analysis, EngineError, Observer, Output, Pipeline, Progress, Step};
use brasa_model::Diagnose;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use serde_json::Value;

use crate::reply::Reply;

/// How often the caller's thread looks whether somebody pressed Ctrl-C.
const TICK: Duration = Duration::from_millis(50);
/// How long it waits for the work to notice; after that the work ends by itself, at its next step.
const PATIENCE: Duration = Duration::from_millis(50);

/// Asks: `section` is the name of a method, `hotspots` or `plan-…`; `files` are paths, those of tables among them; `input`,
/// `parameters` and `map` are objects in JSON, as sections of a pipeline file. `progress` is called with what is done, how much
/// of it and of how much.
#[pyfunction]
#[expect(clippy::too_many_arguments, reason = "the parts of a pipeline; Python names them")]
pub fn ask(
    py: Python<'_>,
    section: &str,
    files: Vec<PathBuf>,
    input: &str,
    parameters: &str,
    map: &str,
    command: String,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<Reply> {
    let pipeline = Pipeline {
        files,
        input: section_of("input", input)?,
        analysis: value_of("parameters", parameters)
            .and_then(|parameters| Analysis::new(section, parameters).map_err(|error| raised(py, &error)))?,
        map: section_of("map", map)?,
        output: Output { path: PathBuf::new(), labels: None, force: false },
    };
    let work = move |observer: &Observer<'_>| brasa_engine::ask(&pipeline, &command, observer);
    run(py, work, progress).map(Reply::new)
}

/// A section of a pipeline, out of JSON.
fn section_of<T: serde::de::DeserializeOwned>(name: &str, text: &str) -> PyResult<T> {
    let refused = |why: String| EngineError::Pipeline { place: name.to_owned(), why };
    serde_json::from_str(text).map_err(|error| Python::attach(|py| raised(py, &refused(error.to_string()))))
}

fn value_of(name: &str, text: &str) -> PyResult<Value> {
    section_of(name, text)
}

/// Runs `work` beside the interpreter.
pub fn run<T: Send + 'static>(
    py: Python<'_>,
    work: impl FnOnce(&Observer<'_>) -> Result<T, EngineError> + Send + 'static,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<T> {
    let stopped = Arc::new(AtomicBool::new(false));
    let latest: Arc<Mutex<Option<Step>>> = Arc::default();
    let (send, mut receiver) = channel();
    let (worker_stopped, worker_latest) = (Arc::clone(&stopped), Arc::clone(&latest));
    std::thread::Builder::new().name("brasa".to_owned()).spawn(move || {
        let observer = |progress: Progress| {
            if let Progress::Working(step) = progress {
                *worker_latest.lock().unwrap_or_else(PoisonError::into_inner) = Some(step);
            }
            if worker_stopped.load(Ordering::Relaxed) {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        };
        let done = catch_unwind(AssertUnwindSafe(|| work(&observer)));
        // Nobody waits any more after an interrupt.
        let _ = send.send(done);
    })?;
    loop {
        let (received, back) = py.detach(move || (receiver.recv_timeout(TICK), receiver));
        receiver = back;
        match received {
            Ok(Ok(done)) => return done.map_err(|error| raised(py, &error)),
            Ok(Err(panic)) => return Err(bug(py, &*panic)),
            Err(RecvTimeoutError::Disconnected) => return Err(bug(py, &"the work stopped")),
            Err(RecvTimeoutError::Timeout) => {}
        }
        let told = match progress {
            Some(progress) => {
                let step = *latest.lock().unwrap_or_else(PoisonError::into_inner);
                let told = step.map(|step| progress.call1((step.phase, step.done, step.of)));
                told.transpose().map(drop)
            }
            None => Ok(()),
        };
        if let Err(interrupt) = py.check_signals().and(told) {
            stopped.store(true, Ordering::Relaxed);
            py.detach(move || receiver.recv_timeout(PATIENCE).map(drop).ok());
            return Err(interrupt);
        }
    }
}

/// An error of the engine as `brasa.Error`.
pub fn raised(py: Python<'_>, error: &dyn Diagnose) -> PyErr {
    made(py, &error.to_string(), error.code(), error.help())
}

/// Something that cannot happen did.
fn bug(py: Python<'_>, what: &dyn std::any::Any) -> PyErr {
    let text = what
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| what.downcast_ref::<&str>().copied())
        .unwrap_or("the engine panicked");
    made(py, text, "bug", Some("this is a bug of brasa; please report it".to_owned()))
}

/// An error with this text, code and advice as `brasa.Error`.
pub fn made(py: Python<'_>, text: &str, code: &str, help: Option<String>) -> PyErr {
    let error = || {
        let named = PyDict::new(py);
        named.set_item("code", code)?;
        named.set_item("help", help)?;
        py.import("brasa._errors")?.getattr("Error")?.call((text,), Some(&named))
    };
    match error() {
        Ok(error) => PyErr::from_value(error),
        // Without the Python half there is no class to raise.
        Err(_) => PyRuntimeError::new_err(format!("error[{code}]: {text}")),
    }
}
