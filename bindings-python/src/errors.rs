//! Errors both ways: the core's as Python exceptions, a handler's exception as the core's error.

use airwasm::{Code, Error};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyList, PyType};

use crate::convert::{from_json_object, text_of};

/// The helper that builds an exception, and the classes in the order of `Code::ALL`.
struct Classes {
    make: Py<PyAny>,
    all: Vec<Py<PyType>>,
}

static CLASSES: PyOnceLock<Classes> = PyOnceLock::new();

/// The end of a traceback that an error carries; its beginning is cut first.
const TRACEBACK_BYTES_MAX: usize = 16 * 1_024;

/// Makes one class for each code and adds them, with their base, to the module.
pub fn add(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    let helper = py.import("airwasm._errors")?;
    let table: Vec<_> = Code::ALL.iter().map(|code| (code.number(), code.name(), code.class())).collect();
    let made: Vec<Bound<'_, PyType>> = helper.getattr("make")?.call1((table,))?.extract()?;
    let base = helper.getattr("AirwasmError")?;
    module.add("AirwasmError", &base)?;
    for (code, class) in Code::ALL.iter().zip(&made) {
        module.add(code.class(), class)?;
    }
    let all = made.into_iter().map(Bound::unbind).collect();
    let classes = Classes { make: base.getattr("_make")?.unbind(), all };
    // Set already only if the module is loaded twice; the classes of the first time stay.
    let _ = CLASSES.set(py, classes);
    Ok(())
}

fn class(py: Python<'_>, code: Code) -> PyResult<(&Classes, &Bound<'_, PyType>)> {
    let classes = CLASSES.get(py).ok_or_else(|| PyRuntimeError::new_err("airwasm is not loaded"))?;
    let index = Code::ALL.iter().position(|known| *known == code);
    let class = index.and_then(|index| classes.all.get(index));
    class.map(|class| (classes, class.bind(py))).ok_or_else(|| PyRuntimeError::new_err("a code without a class"))
}

/// The exception for an error of the core; never fails, for what goes wrong here is itself an exception.
pub fn raise(py: Python<'_>, error: Error) -> PyErr {
    let made = class(py, error.code).and_then(|(classes, class)| {
        let detail = from_json_object(py, &error.detail)?;
        classes.make.bind(py).call1((class, error.message, error.actor, detail))
    });
    made.map_or_else(|failed| failed, PyErr::from_value)
}

/// `InvalidArgument` about a value that has no counterpart in the core.
pub fn argument(py: Python<'_>, which: &str, why: &str) -> PyErr {
    raise(py, Error::argument(which, why))
}

/// Whether a handler says by this object that it refuses.
pub fn is_failure(value: &Bound<'_, PyAny>) -> PyResult<bool> {
    let (_, failure) = class(value.py(), Code::Failure)?;
    value.is_instance(failure)
}

/// What a handler's exception means: `Failure` is its answer, anything else its crash.
pub fn from_handler(py: Python<'_>, raised: &PyErr) -> Error {
    let value = raised.value(py);
    if is_failure(value).unwrap_or(false) {
        return failure(value);
    }
    let kind = raised.get_type(py).qualname().map_or_else(|_| "exception".to_owned(), |name| name.to_string());
    let text = value.str().map_or_else(|_| String::new(), |text| text.to_string_lossy().into_owned());
    let message = if text.is_empty() { kind.clone() } else { format!("{kind}: {text}") };
    let error = Error::new(Code::HandlerRaised, message).with("type", kind).with("text", text);
    match traceback(py, raised) {
        Ok(lines) => error.with("traceback", lines),
        Err(_) => error,
    }
}

/// The answer that a `Failure` stands for.
pub fn failure(value: &Bound<'_, PyAny>) -> Error {
    let fact = |key: &str| value.getattr("detail").and_then(|detail| detail.get_item(key)).map(|fact| text_of(&fact));
    let (code, text) = (fact("code").unwrap_or_default(), fact("text").unwrap_or_default());
    Error::new(Code::Failure, format!("{code}: {text}")).with("code", code).with("text", text)
}

fn traceback(py: Python<'_>, raised: &PyErr) -> PyResult<String> {
    let lines = py.import("traceback")?.call_method1("format_exception", (raised.value(py),))?;
    let text: String = lines.cast_into::<PyList>()?.iter().map(|line| text_of(&line)).collect();
    let mut start = text.len().saturating_sub(TRACEBACK_BYTES_MAX);
    while !text.is_char_boundary(start) {
        start += 1;
    }
    Ok(text[start..].to_owned())
}
