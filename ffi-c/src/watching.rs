//! Exports: monitors and links.

use airwasm::{ActorHandle, Down};

use crate::completions::Answer;
use crate::error::airwasm_error;
use crate::guard::guard;
use crate::system::airwasm_system;
use crate::types::{airwasm_bytes, airwasm_completion, airwasm_handle, airwasm_wait_options};
use crate::{convert, json, raw};

/// Waits until the life at hand of an actor or supervisor ends, and tells how, as JSON: {"id":"default/looper/0",
/// "reason":"normal","error":null,"restarting":false}. reason is normal, shutdown, killed or what it crashed with; after
/// a crash error has the code, name, message, actor, detail and policy_line of an airwasm_error. Inside the actor's own
/// handler, or below it, the wait is CYCLE.
#[unsafe(no_mangle)]
pub extern "C" fn airwasm_monitor(
    system: *mut airwasm_system,
    actor: airwasm_handle,
    down: *mut airwasm_bytes,
) -> *mut airwasm_error {
    guard(|| {
        let out = raw::out(down, "down", raw::NO_BYTES)?;
        let down = raw::system(system)?.core().monitor(ActorHandle::from_raw(actor)?)?;
        out.set(raw::give_bytes(json::down(&down)));
        Ok(())
    })
}

/// airwasm_monitor that does not wait: outcome->bytes is how it ended. See airwasm_request_async.
#[unsafe(no_mangle)]
pub extern "C" fn airwasm_monitor_async(
    system: *mut airwasm_system,
    actor: airwasm_handle,
    options: *const airwasm_wait_options,
    completion: airwasm_completion,
    request: *mut airwasm_handle,
) -> *mut airwasm_error {
    let completion = raw::Completion::from(completion);
    guard(move || {
        let request = raw::optional_out(request, "request", 0)?;
        let completion = completion.check("completion")?;
        let (system, actor) = (raw::system(system)?, ActorHandle::from_raw(actor)?);
        let answer = |down: Down| Answer::Bytes(json::down(&down));
        let asker = convert::wait_options(system.core(), options)?;
        let operation = system.core().monitor_async(actor).asked_by(asker);
        system.completions().start(operation, answer, completion, &request)
    })
}

/// Links two actors: when the life of one ends badly, so does that of the other. A link ends with either life.
#[unsafe(no_mangle)]
pub extern "C" fn airwasm_link(
    system: *mut airwasm_system,
    one: airwasm_handle,
    other: airwasm_handle,
) -> *mut airwasm_error {
    guard(|| {
        let (one, other) = (ActorHandle::from_raw(one)?, ActorHandle::from_raw(other)?);
        raw::system(system)?.core().link(one, other)
    })
}

/// Undoes a link; nothing if there is none.
#[unsafe(no_mangle)]
pub extern "C" fn airwasm_unlink(
    system: *mut airwasm_system,
    one: airwasm_handle,
    other: airwasm_handle,
) -> *mut airwasm_error {
    guard(|| {
        let (one, other) = (ActorHandle::from_raw(one)?, ActorHandle::from_raw(other)?);
        raw::system(system)?.core().unlink(one, other)
    })
}
