//! The one boundary that no panic crosses.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use airwasm::{Code, Error, Result};

use crate::error::airwasm_error;

/// Runs the body of an exported function: NULL, or the error for C. A panic is the error `PANIC`.
pub(crate) fn guard(body: impl FnOnce() -> Result<()>) -> *mut airwasm_error {
    let result = catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|panic| Err(panicked(&*panic)));
    match result {
        Ok(()) => std::ptr::null_mut(),
        Err(error) => airwasm_error::give(&error),
    }
}

/// The same for a function that has no error to return: after a panic it answers `otherwise`.
pub(crate) fn guard_or<T>(otherwise: T, body: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(body)).unwrap_or(otherwise)
}

fn panicked(panic: &(dyn Any + Send)) -> Error {
    let text = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
    Error::new(Code::Panic, format!("a panic was caught, please report it: {}", text.unwrap_or("no text")))
}
