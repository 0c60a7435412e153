//! Errors: what every fallible function returns, and how it is read.
#![allow(non_camel_case_types)]

use std::ffi::{CString, c_char};

use airwasm::Error;

use crate::guard::guard_or;
use crate::raw::{c_text, give, of_error, take_error};

/// What went wrong: NULL is success. It is yours: free it once with airwasm_error_free.
pub struct airwasm_error {
    code: u32,
    name: CString,
    message: CString,
    actor: CString,
    detail: CString,
    policy_line: CString,
}

impl airwasm_error {
    /// The error as C owns it.
    pub(crate) fn give(error: &Error) -> *mut airwasm_error {
        give(airwasm_error {
            code: error.code.number(),
            name: c_text(error.code.name()),
            message: c_text(&error.message),
            actor: c_text(error.actor.as_deref().unwrap_or_default()),
            detail: c_text(&serde_json::Value::Object(error.detail.clone()).to_string()),
            policy_line: c_text(error.policy_line()),
        })
    }
}

fn text(
    error: *const airwasm_error,
    nothing: &'static std::ffi::CStr,
    read: impl FnOnce(&airwasm_error) -> &CString,
) -> *const c_char {
    guard_or(nothing.as_ptr(), || of_error(error, nothing.as_ptr(), |error| read(error).as_ptr()))
}

/// The number to branch on: AIRWASM_OK for NULL, or one of AIRWASM_E_*.
#[unsafe(no_mangle)]
pub extern "C" fn airwasm_error_code(error: *const airwasm_error) -> u32 {
    guard_or(0, || of_error(error, 0, |error| error.code))
}

/// The number's name, such as "DENIED"; "OK" for NULL. This and the texts below live as long as the error and are
/// never NULL.
#[unsafe(no_mangle)]
pub extern "C" fn airwasm_error_name(error: *const airwasm_error) -> *const c_char {
    text(error, c"OK", |error| &error.name)
}

/// One sentence for people, lower case; "" for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn airwasm_error_message(error: *const airwasm_error) -> *const c_char {
    text(error, c"", |error| &error.message)
}

/// The three-part id of the actor it happened at; "" if there is none.
#[unsafe(no_mangle)]
pub extern "C" fn airwasm_error_actor(error: *const airwasm_error) -> *const c_char {
    text(error, c"", |error| &error.actor)
}

/// The facts, as a JSON object: {"which":"cpu_ms","allowed":200,"used":201}; "{}" for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn airwasm_error_detail(error: *const airwasm_error) -> *const c_char {
    text(error, c"{}", |error| &error.detail)
}

/// The line that a policy needs to allow what was denied. Without its leading "- " it is the capability to give to
/// airwasm_grant. "" unless denied, and where a policy's deny refused: the detail "rule" says which.
#[unsafe(no_mangle)]
pub extern "C" fn airwasm_error_policy_line(error: *const airwasm_error) -> *const c_char {
    text(error, c"", |error| &error.policy_line)
}

/// Frees an error and its texts; NULL is fine.
#[unsafe(no_mangle)]
pub extern "C" fn airwasm_error_free(error: *mut airwasm_error) {
    guard_or((), || drop(take_error(error)));
}
