//! Calls of Python code, from which the interpreter's exit may never return; all unsafe code of this crate.
//!
//! Before 3.14 an interpreter that exits ends a thread by `pthread_exit` at its next line of Python. That unwinds the
//! stack, which Rust's frames further down do not survive: the process would abort. So whatever may run a line of Python
//! is called from here, where the unwinding is stopped as 3.14 does it: the thread hangs until the process has ended.

#![allow(unsafe_code)]

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple};

// The same symbol as PyO3 declares, but allowed to unwind.
unsafe extern "C-unwind" {
    fn PyObject_Call(
        callable: *mut ffi::PyObject,
        arguments: *mut ffi::PyObject,
        options: *mut ffi::PyObject,
    ) -> *mut ffi::PyObject;
}

/// Parks the thread for ever if it is dropped.
struct Hang;

impl Drop for Hang {
    fn drop(&mut self) {
        loop {
            std::thread::park();
        }
    }
}

/// What a call may be given: a tuple.
pub trait Arguments<'py>:
    IntoPyObject<'py, Target = PyTuple, Output = Bound<'py, PyTuple>, Error: Into<PyErr>>
{
}

impl<'py, T> Arguments<'py> for T where
    T: IntoPyObject<'py, Target = PyTuple, Output = Bound<'py, PyTuple>, Error: Into<PyErr>>
{
}

/// `callable(*arguments)`
pub fn call<'py>(
    callable: &Bound<'py, PyAny>,
    arguments: impl Arguments<'py>,
) -> PyResult<Bound<'py, PyAny>> {
    call_with(callable, arguments, None)
}

/// `object.name(*arguments)`
pub fn call_method<'py>(
    object: &Bound<'py, PyAny>,
    name: &Bound<'py, PyString>,
    arguments: impl Arguments<'py>,
) -> PyResult<Bound<'py, PyAny>> {
    call(&object.getattr(name)?, arguments)
}

/// `callable(*arguments, **options)`
pub fn call_with<'py>(
    callable: &Bound<'py, PyAny>,
    arguments: impl Arguments<'py>,
    options: Option<&Bound<'py, PyDict>>,
) -> PyResult<Bound<'py, PyAny>> {
    let arguments = arguments.into_pyobject(callable.py()).map_err(Into::into)?;
    let options = options.map_or(std::ptr::null_mut(), |options| options.as_ptr());
    let guard = Hang;
    // SAFETY: the pointers are live objects, or null for no options; they are borrowed for the call, and the thread is
    // attached, which the lifetime of the references shows. The only unwinding is the one that the guard stops.
    let returned = unsafe { PyObject_Call(callable.as_ptr(), arguments.as_ptr(), options) };
    std::mem::forget(guard);
    // SAFETY: the call returns a new reference, or null with an exception set.
    unsafe { Bound::from_owned_ptr_or_err(callable.py(), returned) }
}
