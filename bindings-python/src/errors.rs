//! The core's errors as Python exceptions.

use airwasm::{Code, Error};
use pyo3::exceptions::{PyOSError, PyRuntimeError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;

use crate::convert::from_json_object;

/// The classes in the order of `Code::ALL`.
static CLASSES: PyOnceLock<Vec<Py<PyType>>> = PyOnceLock::new();

/// Makes one class for each code and adds them, with their base, to the module.
pub fn add(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    let helper = py.import("airwasm._errors")?;
    let table: Vec<_> = Code::ALL.iter().map(|code| (code.number(), code.name(), code.class())).collect();
    let made: Vec<Bound<'_, PyType>> = helper.getattr("make")?.call1((table,))?.extract()?;
    module.add("AirwasmError", helper.getattr("AirwasmError")?)?;
    for (code, class) in Code::ALL.iter().zip(&made) {
        module.add(code.class(), class)?;
    }
    // Set already only if the module is loaded twice; the classes of the first time stay.
    let _ = CLASSES.set(py, made.into_iter().map(Bound::unbind).collect());
    Ok(())
}

/// The exception for an error of the core; what goes wrong here is itself an exception.
///
/// It runs no line of Python: a daemon thread that is woken by the interpreter's exit must not be ended in here.
pub fn raise(py: Python<'_>, error: Error) -> PyErr {
    made(py, error).map_or_else(|failed| failed, PyErr::from_value)
}

fn made(py: Python<'_>, error: Error) -> PyResult<Bound<'_, PyAny>> {
    let index = Code::ALL.iter().position(|known| *known == error.code);
    let class = CLASSES.get(py).zip(index).and_then(|(classes, index)| classes.get(index));
    let class = class.ok_or_else(|| PyRuntimeError::new_err("airwasm is not loaded"))?.bind(py);
    let raised = class.call_method1(intern!(py, "__new__"), (class, &error.message))?;
    raised.setattr(intern!(py, "actor"), &error.actor)?;
    raised.setattr(intern!(py, "detail"), from_json_object(py, &error.detail)?)?;
    if raised.is_instance_of::<PyOSError>() {
        let number = error.detail.get("errno").and_then(serde_json::Value::as_i64);
        raised.setattr(intern!(py, "errno"), number)?;
        raised.setattr(intern!(py, "filename"), error.detail.get("path").and_then(|path| path.as_str()))?;
    }
    // Shown below the traceback of who asked.
    let traceback = error.text("traceback").trim_end();
    if !traceback.is_empty() {
        raised.call_method1(intern!(py, "add_note"), (traceback,))?;
    }
    Ok(raised)
}

/// `InvalidArgument` about a value that has no counterpart in the core.
pub fn argument(py: Python<'_>, which: &str, why: &str) -> PyErr {
    raise(py, Error::argument(which, why))
}
