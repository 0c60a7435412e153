//! Exports: the key-value store, as the host program itself uses it.

use std::ffi::{c_char, c_int, c_void};

use crate::completions::Answer;
use crate::error::airwasm_error;
use crate::guard::guard;
use crate::system::airwasm_system;
use crate::types::{airwasm_bytes, airwasm_completion, airwasm_handle};
use crate::{json, raw};

/// The value of a key in a namespace of the store; *found is 1, or 0 if there is no such key. It needs no grant.
/// UNSUPPORTED if the system was opened without a store: set kv of airwasm_options.
#[unsafe(no_mangle)]
pub extern "C" fn airwasm_kv_get(
    system: *mut airwasm_system,
    name_space: *const c_char,
    key: *const c_char,
    found: *mut c_int,
    value: *mut airwasm_bytes,
) -> *mut airwasm_error {
    guard(|| {
        let found = raw::optional_out(found, "found", 0)?;
        let out = raw::out(value, "value", raw::NO_BYTES)?;
        let (system, name_space) = (raw::system(system)?, raw::text(name_space, "name_space")?);
        if let Some(value) = system.core().kv_get(&name_space, &raw::text(key, "key")?)? {
            found.set(1);
            out.set(raw::give_bytes(value));
        }
        Ok(())
    })
}

/// airwasm_kv_get that does not wait: outcome->bytes is the value, and outcome->handle is 1, or 0 if there is no such
/// key. See airwasm_request_async.
#[unsafe(no_mangle)]
pub extern "C" fn airwasm_kv_get_async(
    system: *mut airwasm_system,
    name_space: *const c_char,
    key: *const c_char,
    completion: airwasm_completion,
    request: *mut airwasm_handle,
) -> *mut airwasm_error {
    let completion = raw::Completion::from(completion);
    guard(move || {
        let request = raw::optional_out(request, "request", 0)?;
        let completion = completion.check("completion")?;
        let (system, name_space) = (raw::system(system)?, raw::text(name_space, "name_space")?);
        let operation = system.core().kv_get_async(&name_space, &raw::text(key, "key")?);
        system.completions().start(operation, Answer::Found, completion, &request)
    })
}

/// Puts a value there, over the one that was there; the bytes are copied. It is on the disk when this returns.
#[unsafe(no_mangle)]
pub extern "C" fn airwasm_kv_set(
    system: *mut airwasm_system,
    name_space: *const c_char,
    key: *const c_char,
    data: *const c_void,
    len: usize,
) -> *mut airwasm_error {
    guard(|| {
        let (system, name_space) = (raw::system(system)?, raw::text(name_space, "name_space")?);
        let key = raw::text(key, "key")?;
        raw::with_bytes(data, len, "data", |bytes| system.core().kv_set(&name_space, &key, bytes))
    })
}

/// airwasm_kv_set that does not wait; the outcome carries nothing. A cancelled one may be made all the same. See
/// airwasm_request_async.
#[unsafe(no_mangle)]
pub extern "C" fn airwasm_kv_set_async(
    system: *mut airwasm_system,
    name_space: *const c_char,
    key: *const c_char,
    data: *const c_void,
    len: usize,
    completion: airwasm_completion,
    request: *mut airwasm_handle,
) -> *mut airwasm_error {
    let completion = raw::Completion::from(completion);
    guard(move || {
        let request = raw::optional_out(request, "request", 0)?;
        let completion = completion.check("completion")?;
        let (system, name_space) = (raw::system(system)?, raw::text(name_space, "name_space")?);
        let key = raw::text(key, "key")?;
        let operation = raw::with_bytes(data, len, "data", |bytes| {
            Ok(system.core().kv_set_async(&name_space, &key, bytes))
        })?;
        system.completions().start(operation, |()| Answer::Nothing, completion, &request)
    })
}

/// Takes a key away. *found (found may be NULL) is 1, or 0 if it was not there.
#[unsafe(no_mangle)]
pub extern "C" fn airwasm_kv_delete(
    system: *mut airwasm_system,
    name_space: *const c_char,
    key: *const c_char,
    found: *mut c_int,
) -> *mut airwasm_error {
    guard(|| {
        let found = raw::optional_out(found, "found", 0)?;
        let (system, name_space) = (raw::system(system)?, raw::text(name_space, "name_space")?);
        let deleted = system.core().kv_delete(&name_space, &raw::text(key, "key")?)?;
        found.set(c_int::from(deleted));
        Ok(())
    })
}

/// airwasm_kv_delete that does not wait: outcome->handle is 1, or 0 if the key was not there. See airwasm_request_async.
#[unsafe(no_mangle)]
pub extern "C" fn airwasm_kv_delete_async(
    system: *mut airwasm_system,
    name_space: *const c_char,
    key: *const c_char,
    completion: airwasm_completion,
    request: *mut airwasm_handle,
) -> *mut airwasm_error {
    let completion = raw::Completion::from(completion);
    guard(move || {
        let request = raw::optional_out(request, "request", 0)?;
        let completion = completion.check("completion")?;
        let (system, name_space) = (raw::system(system)?, raw::text(name_space, "name_space")?);
        let operation = system.core().kv_delete_async(&name_space, &raw::text(key, "key")?);
        system.completions().start(operation, |found| Answer::Handle(found.into()), completion, &request)
    })
}

/// At most 1,000 keys of a namespace, as JSON: {"keys":["a","b"],"cursor":2}. cursor is where the next page goes on, to be
/// given as such, and null after the last key; 0 begins with the first one.
#[unsafe(no_mangle)]
pub extern "C" fn airwasm_kv_list(
    system: *mut airwasm_system,
    name_space: *const c_char,
    cursor: u64,
    keys: *mut airwasm_bytes,
) -> *mut airwasm_error {
    guard(|| {
        let out = raw::out(keys, "keys", raw::NO_BYTES)?;
        let (system, name_space) = (raw::system(system)?, raw::text(name_space, "name_space")?);
        let page = system.core().kv_list(&name_space, Some(cursor))?;
        out.set(raw::give_bytes(json::kv_keys(&page)));
        Ok(())
    })
}

/// airwasm_kv_list that does not wait: outcome->bytes is the JSON. See airwasm_request_async.
#[unsafe(no_mangle)]
pub extern "C" fn airwasm_kv_list_async(
    system: *mut airwasm_system,
    name_space: *const c_char,
    cursor: u64,
    completion: airwasm_completion,
    request: *mut airwasm_handle,
) -> *mut airwasm_error {
    let completion = raw::Completion::from(completion);
    guard(move || {
        let request = raw::optional_out(request, "request", 0)?;
        let completion = completion.check("completion")?;
        let (system, name_space) = (raw::system(system)?, raw::text(name_space, "name_space")?);
        let operation = system.core().kv_list_async(&name_space, Some(cursor));
        system.completions().start(
            operation,
            |page| Answer::Bytes(json::kv_keys(&page)),
            completion,
            &request,
        )
    })
}
