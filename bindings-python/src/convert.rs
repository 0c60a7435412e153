//! Values both ways: JSON, payloads, times.

use std::time::Duration;

use pyo3::buffer::PyUntypedBuffer;
use pyo3::exceptions::{PyMemoryError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList};
use pyo3::{IntoPyObjectExt, intern};
use serde_json::{Map, Value};

use crate::errors::argument;
use crate::hang::call_with;

/// Bytes that are allocated without a thought.
const SMALL: usize = 1 << 20;

/// A JSON value as Python sees it.
pub fn from_json<'py>(py: Python<'py>, value: &Value) -> PyResult<Bound<'py, PyAny>> {
    match value {
        Value::Null => Ok(py.None().into_bound(py)),
        Value::Bool(flag) => flag.into_bound_py_any(py),
        Value::Number(number) => match (number.as_u64(), number.as_i64()) {
            (Some(number), _) => number.into_bound_py_any(py),
            (None, Some(number)) => number.into_bound_py_any(py),
            (None, None) => number.as_f64().into_bound_py_any(py),
        },
        Value::String(text) => text.into_bound_py_any(py),
        Value::Array(items) => {
            let items = items.iter().map(|item| from_json(py, item)).collect::<PyResult<Vec<_>>>()?;
            Ok(PyList::new(py, items)?.into_any())
        }
        Value::Object(members) => Ok(from_json_object(py, members)?.into_any()),
    }
}

/// A JSON object as a `dict`.
pub fn from_json_object<'py>(py: Python<'py>, members: &Map<String, Value>) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    for (key, value) in members {
        dict.set_item(key, from_json(py, value)?)?;
    }
    Ok(dict)
}

/// A value as JSON text, by the standard library's `json`.
pub fn to_json(value: &Bound<'_, PyAny>) -> PyResult<String> {
    let py = value.py();
    let options = PyDict::new(py);
    options.set_item("allow_nan", false)?;
    options.set_item("separators", (",", ":"))?;
    call_with(&py.import(intern!(py, "json"))?.getattr("dumps")?, (value,), Some(&options))?.extract()
}

/// `str(value)`, whatever it contains.
pub fn text_of(value: &Bound<'_, PyAny>) -> String {
    value.str().map_or_else(|_| String::new(), |text| text.to_string_lossy().into_owned())
}

/// The bytes of a payload: a `bytes` as it stands, any other buffer copied, for it could change meanwhile.
///
/// A `str` is no buffer, so it is a `TypeError`: nothing guesses an encoding.
pub fn payload<'py>(value: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyBytes>> {
    if let Ok(bytes) = value.cast::<PyBytes>() {
        return Ok(bytes.clone());
    }
    // Checked first: `bytes` of a number or a list means something else.
    drop(PyUntypedBuffer::get(value).map_err(|why| not_a_buffer(value, why))?);
    Ok(value.py().get_type::<PyBytes>().call1((value,))?.cast_into::<PyBytes>()?)
}

fn not_a_buffer(value: &Bound<'_, PyAny>, why: PyErr) -> PyErr {
    if !why.is_instance_of::<PyTypeError>(value.py()) {
        return why;
    }
    let kind = value.get_type().qualname().map_or_else(|_| "object".to_owned(), |name| name.to_string());
    PyTypeError::new_err(format!("a payload is bytes, bytearray or another buffer, not {kind}"))
}

/// A copy for the core; `MemoryError` instead of an abort, for the caller chose the size.
pub fn to_vec(bytes: &Bound<'_, PyBytes>) -> PyResult<Vec<u8>> {
    let mut copy = Vec::new();
    copy.try_reserve_exact(bytes.as_bytes().len()).map_err(|why| PyMemoryError::new_err(why.to_string()))?;
    copy.extend_from_slice(bytes.as_bytes());
    Ok(copy)
}

/// A `bytes` of these; `MemoryError` instead of a panic, for the guest chose the size.
pub fn to_bytes<'py>(py: Python<'py>, bytes: &[u8]) -> PyResult<Bound<'py, PyBytes>> {
    // Filling a small one twice costs nothing; a large one is worth the check.
    if bytes.len() <= SMALL {
        return Ok(PyBytes::new(py, bytes));
    }
    PyBytes::new_with(py, bytes.len(), |copy| {
        copy.copy_from_slice(bytes);
        Ok(())
    })
}

/// Seconds, as a number or a `timedelta`; infinite is for ever, negative is `InvalidArgument`.
pub fn seconds(which: &str, value: Option<&Bound<'_, PyAny>>) -> PyResult<Option<Duration>> {
    value.map(|value| time(which, value)).transpose()
}

/// The same where a time is needed.
pub fn time(which: &str, value: &Bound<'_, PyAny>) -> PyResult<Duration> {
    let py = value.py();
    let seconds: f64 = match value.extract() {
        Ok(seconds) => seconds,
        // By its method: its type would have to be imported here.
        Err(why) => match value.getattr(intern!(py, "total_seconds")) {
            Ok(total_seconds) => total_seconds.call0()?.extract()?,
            Err(_) => return Err(why),
        },
    };
    match seconds {
        seconds if seconds >= 0.0 => Ok(Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)),
        _ => Err(argument(py, which, "a number of seconds that is not negative is needed")),
    }
}
