//! Calls into Python that its exit may never return from; all unsafe code of this crate.

#![allow(unsafe_code)]

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

// The same symbol as PyO3 declares, but allowed to unwind.
unsafe extern "C-unwind" {
    fn PyObject_CallObject(callable: *mut ffi::PyObject, arguments: *mut ffi::PyObject)
    -> *mut ffi::PyObject;
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

/// Calls a function from a thread that Python did not start.
///
/// Before 3.14 an interpreter that exits ends such a thread by `pthread_exit` at its next line of Python. That unwinds
/// the stack, which Rust's frames further down do not survive: the process would abort. So it is stopped here, as 3.14
/// does it, and the thread hangs until the process has ended.
pub fn call_unless_exiting<'py>(
    callable: &Bound<'py, PyAny>,
    arguments: &Bound<'py, PyTuple>,
) -> PyResult<Bound<'py, PyAny>> {
    let guard = Hang;
    // SAFETY: both pointers are live objects, borrowed for the call, and the thread is attached, which the lifetime
    // of the references shows. The only unwinding is the one that the guard stops.
    let returned = unsafe { PyObject_CallObject(callable.as_ptr(), arguments.as_ptr()) };
    std::mem::forget(guard);
    // SAFETY: the call returns a new reference, or null with an exception set.
    unsafe { Bound::from_owned_ptr_or_err(callable.py(), returned) }
}
