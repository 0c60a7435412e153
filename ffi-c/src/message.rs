//! Exports: messages.

use std::ffi::c_void;

use airwasm::{ActorHandle, RequestHandle};

use crate::completions::Answer;
use crate::error::airwasm_error;
use crate::guard::guard;
use crate::system::airwasm_system;
use crate::types::{
    airwasm_bytes, airwasm_completion, airwasm_handle, airwasm_request_options, airwasm_send_options,
};
use crate::{convert, raw};

/// Sends bytes to an actor and does not wait for it to handle them. options may be NULL; the bytes are copied. It waits
/// for up to 5 s only if the mailbox is full and the actor has AIRWASM_OVERFLOW_BLOCK.
#[unsafe(no_mangle)]
pub extern "C" fn airwasm_send(
    system: *mut airwasm_system,
    actor: airwasm_handle,
    data: *const c_void,
    len: usize,
    options: *const airwasm_send_options,
) -> *mut airwasm_error {
    guard(|| {
        let (system, options) = (raw::system(system)?, convert::send_options(options)?);
        let actor = ActorHandle::from_raw(actor)?;
        raw::with_bytes(data, len, "data", |bytes| system.core().send(actor, bytes, &options))
    })
}

/// airwasm_send that does not wait; the outcome carries nothing, and comes when the message is queued. A cancelled one
/// is queued only if there is room at that moment. See airwasm_request_async.
#[unsafe(no_mangle)]
pub extern "C" fn airwasm_send_async(
    system: *mut airwasm_system,
    actor: airwasm_handle,
    data: *const c_void,
    len: usize,
    options: *const airwasm_send_options,
    completion: airwasm_completion,
    request: *mut airwasm_handle,
) -> *mut airwasm_error {
    let completion = raw::Completion::from(completion);
    guard(move || {
        let request = raw::optional_out(request, "request", 0)?;
        let completion = completion.check("completion")?;
        let system = raw::system(system)?;
        let (asker, options) = (convert::sender(system.core(), options)?, convert::send_options(options)?);
        let actor = ActorHandle::from_raw(actor)?;
        let operation =
            raw::with_bytes(data, len, "data", |bytes| Ok(system.core().send_async(actor, bytes, &options)))?;
        system.completions().start(operation.asked_by(asker), |()| Answer::Nothing, completion, &request)
    })
}

/// Sends bytes to an actor and waits for its answer, or its error, or the deadline. options and reply may be NULL.
#[unsafe(no_mangle)]
pub extern "C" fn airwasm_request(
    system: *mut airwasm_system,
    actor: airwasm_handle,
    data: *const c_void,
    len: usize,
    options: *const airwasm_request_options,
    reply: *mut airwasm_bytes,
) -> *mut airwasm_error {
    guard(|| {
        let reply = raw::optional_out(reply, "reply", raw::NO_BYTES)?;
        let system = raw::system(system)?;
        let (options, asker) = convert::request_options(system.core(), options)?;
        let actor = ActorHandle::from_raw(actor)?;
        let answer = raw::with_bytes(data, len, "data", |bytes| {
            system.core().request_begin(actor, bytes, &options).asked_by(asker).wait()
        })?;
        reply.set_with(|| raw::give_bytes(answer));
        Ok(())
    })
}

/// airwasm_request that does not wait: outcome->bytes is the answer. The request starts now, and data is copied.
///
/// If it returns NULL, completion is called exactly once. If it returns an error, nothing was started and it is not
/// called: the arguments are wrong, or the system is CLOSED or FORKED. completion is taken over in both cases: its
/// free runs once, last. *request (request may be NULL) is for airwasm_cancel, or 0 if it is over already; a
/// completion may run before it is written. All _async functions follow these rules.
#[unsafe(no_mangle)]
pub extern "C" fn airwasm_request_async(
    system: *mut airwasm_system,
    actor: airwasm_handle,
    data: *const c_void,
    len: usize,
    options: *const airwasm_request_options,
    completion: airwasm_completion,
    request: *mut airwasm_handle,
) -> *mut airwasm_error {
    let completion = raw::Completion::from(completion);
    guard(move || {
        let request = raw::optional_out(request, "request", 0)?;
        let completion = completion.check("completion")?;
        let system = raw::system(system)?;
        let (options, asker) = convert::request_options(system.core(), options)?;
        let actor = ActorHandle::from_raw(actor)?;
        let operation = raw::with_bytes(data, len, "data", |bytes| {
            Ok(system.core().request_async(actor, bytes, &options).asked_by(asker))
        })?;
        system.completions().start(operation, Answer::Bytes, completion, &request)
    })
}

/// Ends the wait for what an _async function started: its completion is told CANCELLED. What is over already, and 0,
/// is left alone. The actor lives on.
#[unsafe(no_mangle)]
pub extern "C" fn airwasm_cancel(system: *mut airwasm_system, request: airwasm_handle) -> *mut airwasm_error {
    guard(|| {
        let system = raw::system(system)?;
        if request == 0 {
            return Ok(());
        }
        system.core().cancel(RequestHandle::from_raw(request)?).map(|_was_pending| ())
    })
}
