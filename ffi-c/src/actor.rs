//! Exports: actors, from spawn to stop.

use std::ffi::{CString, c_char};

use airwasm::{ActorHandle, DeferredHandler, HostExecutor, Message};

use crate::completions::Answer;
use crate::error::airwasm_error;
use crate::guard::guard;
use crate::reply::airwasm_reply;
use crate::system::airwasm_system;
use crate::types::{
    airwasm_actor_spec, airwasm_bytes, airwasm_completion, airwasm_handle, airwasm_handler, airwasm_message,
    airwasm_wait_options,
};
use crate::{convert, json, raw};

/// Starts an actor that runs a component. actor may be NULL: it lives all the same. Nothing in spec is kept.
#[unsafe(no_mangle)]
pub extern "C" fn airwasm_spawn(
    system: *mut airwasm_system,
    spec: *const airwasm_actor_spec,
    actor: *mut airwasm_handle,
) -> *mut airwasm_error {
    guard(|| {
        let out = raw::optional_out(actor, "actor", 0)?;
        let (system, spec) = (raw::system(system)?, convert::actor_spec(spec)?);
        out.set(system.core().spawn(spec)?.raw());
        Ok(())
    })
}

/// airwasm_spawn that does not wait: outcome->handle is the actor. See airwasm_request_async.
#[unsafe(no_mangle)]
pub extern "C" fn airwasm_spawn_async(
    system: *mut airwasm_system,
    spec: *const airwasm_actor_spec,
    completion: airwasm_completion,
    request: *mut airwasm_handle,
) -> *mut airwasm_error {
    let completion = raw::Completion::from(completion);
    guard(move || {
        let request = raw::optional_out(request, "request", 0)?;
        let completion = completion.check("completion")?;
        let (system, spec) = (raw::system(system)?, convert::actor_spec(spec)?);
        let answer = |actor: ActorHandle| Answer::Handle(actor.raw());
        system.completions().start(system.core().spawn_async(spec), answer, completion, &request)
    })
}

/// Starts an actor that is a C function; actor may be NULL. handler is taken over even if the call fails: its free
/// runs once, after the last message, on any thread.
#[unsafe(no_mangle)]
pub extern "C" fn airwasm_spawn_host(
    system: *mut airwasm_system,
    spec: *const airwasm_actor_spec,
    handler: airwasm_handler,
    actor: *mut airwasm_handle,
) -> *mut airwasm_error {
    let handler = raw::Handler::from(handler);
    guard(move || {
        let out = raw::optional_out(actor, "actor", 0)?;
        let handler = handler.check("handler")?;
        let (system, spec) = (raw::system(system)?, convert::actor_spec(spec)?);
        let handler = host_handler(handler);
        out.set(system.core().spawn_host_deferred(spec, HostExecutor::Callback, handler)?.raw());
        Ok(())
    })
}

pub(crate) fn host_handler(handler: raw::Handler) -> DeferredHandler {
    Box::new(move |message, reply| handle(&handler, message, airwasm_reply(reply)))
}

fn handle(handler: &raw::Handler, mut message: Message, reply: airwasm_reply) {
    let (sender, to) = (raw::c_text(&message.sender), raw::c_text(&message.to));
    let content_type = message.content_type.as_deref().map(raw::c_text);
    let topic = message.topic.as_deref().map(raw::c_text);
    let pointer = |text: &Option<CString>| text.as_ref().map_or(std::ptr::null(), |text| text.as_ptr());
    let payload_len = message.payload.len();
    message.payload.push(0);
    let message = airwasm_message {
        struct_size: raw::size_of_u32::<airwasm_message>(),
        sender: sender.as_ptr(),
        to: to.as_ptr(),
        content_type: pointer(&content_type),
        payload: message.payload.as_ptr(),
        payload_len,
        topic: pointer(&topic),
    };
    handler.handle(&message, reply);
}

/// Ends an actor or supervisor in order: it finishes its message, its hooks run, and what is queued is dead-lettered; after
/// deadline_ms it is killed. Nobody restarts it. Asked by what must be down first, its own handler or one below it, the
/// wait is CYCLE; the stop has begun all the same, and happens when that handler has answered.
#[unsafe(no_mangle)]
pub extern "C" fn airwasm_stop(
    system: *mut airwasm_system,
    actor: airwasm_handle,
    deadline_ms: u64,
) -> *mut airwasm_error {
    guard(|| {
        let system = raw::system(system)?;
        system.core().stop(ActorHandle::from_raw(actor)?, convert::time(deadline_ms))
    })
}

/// airwasm_stop that does not wait; the outcome carries nothing. See airwasm_request_async.
#[unsafe(no_mangle)]
pub extern "C" fn airwasm_stop_async(
    system: *mut airwasm_system,
    actor: airwasm_handle,
    deadline_ms: u64,
    options: *const airwasm_wait_options,
    completion: airwasm_completion,
    request: *mut airwasm_handle,
) -> *mut airwasm_error {
    let completion = raw::Completion::from(completion);
    guard(move || {
        let request = raw::optional_out(request, "request", 0)?;
        let completion = completion.check("completion")?;
        let (system, actor) = (raw::system(system)?, ActorHandle::from_raw(actor)?);
        let asker = convert::wait_options(system.core(), options)?;
        let operation = system.core().stop_async(actor, convert::time(deadline_ms)).asked_by(asker);
        system.completions().start(operation, |()| Answer::Nothing, completion, &request)
    })
}

/// Ends an actor or supervisor at once, without its hooks. Nobody restarts it.
#[unsafe(no_mangle)]
pub extern "C" fn airwasm_kill(system: *mut airwasm_system, actor: airwasm_handle) -> *mut airwasm_error {
    guard(|| raw::system(system)?.core().kill(ActorHandle::from_raw(actor)?))
}

/// The actor or supervisor of an id: "namespace/name/instance", or a bare name.
#[unsafe(no_mangle)]
pub extern "C" fn airwasm_lookup(
    system: *mut airwasm_system,
    id: *const c_char,
    actor: *mut airwasm_handle,
) -> *mut airwasm_error {
    guard(|| {
        let out = raw::out(actor, "actor", 0)?;
        let (system, id) = (raw::system(system)?, raw::text(id, "id")?);
        out.set(system.core().lookup(&id)?.raw());
        Ok(())
    })
}

/// The three-part id of an actor, as text.
#[unsafe(no_mangle)]
pub extern "C" fn airwasm_actor_id(
    system: *mut airwasm_system,
    actor: airwasm_handle,
    id: *mut airwasm_bytes,
) -> *mut airwasm_error {
    guard(|| {
        let out = raw::out(id, "id", raw::NO_BYTES)?;
        let id = raw::system(system)?.core().id(ActorHandle::from_raw(actor)?)?;
        out.set(raw::give_bytes(id.into_bytes()));
        Ok(())
    })
}

/// What an actor or supervisor is doing, as JSON: {"id":"default/hello/0","state":"running","mailbox_messages":0,
/// "handled":3,"restarts":1,"last_exit":"killed","busy_ms":12,"listening":null}; state is starting, running, restarting,
/// stopping, stopped or abandoned; last_exit is how its last life ended, or null; listening is where it serves http, or
/// null.
#[unsafe(no_mangle)]
pub extern "C" fn airwasm_status(
    system: *mut airwasm_system,
    actor: airwasm_handle,
    status: *mut airwasm_bytes,
) -> *mut airwasm_error {
    guard(|| {
        let out = raw::out(status, "status", raw::NO_BYTES)?;
        let status = raw::system(system)?.core().status(ActorHandle::from_raw(actor)?)?;
        out.set(raw::give_bytes(json::status(&status)));
        Ok(())
    })
}

/// The same of every actor and supervisor whose id matches a pattern such as "tools/*/*", as a JSON array in the order
/// of the ids; NULL is all.
#[unsafe(no_mangle)]
pub extern "C" fn airwasm_list(
    system: *mut airwasm_system,
    pattern: *const c_char,
    list: *mut airwasm_bytes,
) -> *mut airwasm_error {
    guard(|| {
        let out = raw::out(list, "list", raw::NO_BYTES)?;
        let (system, pattern) = (raw::system(system)?, raw::optional_text(pattern, "pattern")?);
        let list = system.core().list(pattern.as_deref())?;
        out.set(raw::give_bytes(json::list(&list)));
        Ok(())
    })
}
