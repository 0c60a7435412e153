//! On whose behalf Python asks: the handler that this context belongs to.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

use crate::handler::Answer;
use crate::shared::Shared;

/// Reads the context variable of the Python that calls handlers; set before the first handler is.
static CURRENT: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

/// Loads what reads it. Called where lines of Python may run.
pub fn load(py: Python<'_>) -> PyResult<()> {
    CURRENT.import(py, "airwasm._dispatch", "current").map(drop)
}

/// The id of the actor whose handler asks, until that has answered: a task may outlive the handler that made it.
pub fn asker(py: Python<'_>, shared: &Arc<Shared>) -> PyResult<Option<String>> {
    let Some(current) = CURRENT.get(py) else { return Ok(None) };
    let handler = current.bind(py).call0()?;
    if handler.is_none() {
        return Ok(None);
    }
    // A weak reference, so that a context which lives on leaves nobody unanswered.
    let answer = handler.call0()?;
    Ok(answer.cast::<Answer>().ok().and_then(|answer| answer.get().asker(shared)))
}
