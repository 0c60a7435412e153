//! On whose behalf Python asks: the handler that this context belongs to.

use airwasm::Asker;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

use crate::errors::raise;
use crate::handler::Answer;
use crate::shared::Shared;

/// Reads the context variable of the Python that calls handlers; set before the first handler is.
static CURRENT: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

/// Loads what reads it. Called where lines of Python may run.
pub fn load(py: Python<'_>) -> PyResult<()> {
    CURRENT.import(py, "airwasm._dispatch", "current").map(drop)
}

/// The id of the actor whose handler asks, until that has answered: a task may outlive the handler that made it.
fn serving(py: Python<'_>, shared: &Shared) -> PyResult<Option<String>> {
    let Some(current) = CURRENT.get(py) else { return Ok(None) };
    let handler = current.bind(py).call0()?;
    if handler.is_none() {
        return Ok(None);
    }
    // A weak reference, so that a context which lives on leaves nobody unanswered.
    let answer = handler.call0()?;
    Ok(answer.cast::<Answer>().ok().and_then(|answer| answer.get().asker(shared)))
}

/// The actor on whose behalf Python waits here.
pub fn asker(py: Python<'_>, shared: &Shared) -> PyResult<Asker> {
    match serving(py, shared)? {
        None => Ok(Asker::default()),
        Some(id) => py.detach(|| shared.system.asker(Some(&id))).map_err(|error| raise(py, error)),
    }
}
