//! Exports: supervisors, their children, and the tree of all.

use airwasm::{ActorHandle, Operation, Result};

use crate::completions::Answer;
use crate::convert_tree::{child_spec, supervisor_spec};
use crate::error::airwasm_error;
use crate::guard::guard;
use crate::system::airwasm_system;
use crate::types::{
    airwasm_bytes, airwasm_child, airwasm_completion, airwasm_handle, airwasm_supervisor_spec,
    airwasm_wait_options,
};
use crate::{convert, json, raw};

/// Makes a supervisor and starts its children from the first to the last; supervisor may be NULL. Nothing in spec is
/// kept but the handlers of its children, which are taken over even if the call fails. Nothing is started if a spec is
/// wrong or an id taken; if a child does not start, those before it are stopped. A supervisor is stopped, killed, found
/// and watched as an actor is, and takes no messages.
#[unsafe(no_mangle)]
pub extern "C" fn airwasm_supervisor(
    system: *mut airwasm_system,
    spec: *const airwasm_supervisor_spec,
    supervisor: *mut airwasm_handle,
) -> *mut airwasm_error {
    guard(|| {
        let spec = supervisor_spec(spec);
        let out = raw::optional_out(supervisor, "supervisor", 0)?;
        out.set(raw::system(system)?.core().supervisor(spec?)?.raw());
        Ok(())
    })
}

/// airwasm_supervisor that does not wait: outcome->handle is the supervisor. See airwasm_request_async.
#[unsafe(no_mangle)]
pub extern "C" fn airwasm_supervisor_async(
    system: *mut airwasm_system,
    spec: *const airwasm_supervisor_spec,
    completion: airwasm_completion,
    request: *mut airwasm_handle,
) -> *mut airwasm_error {
    let completion = raw::Completion::from(completion);
    guard(move || {
        let spec = supervisor_spec(spec);
        let request = raw::optional_out(request, "request", 0)?;
        let (completion, system) = (completion.check("completion")?, raw::system(system)?);
        let operation = system.core().supervisor_async(spec?);
        system.completions().start(operation, |made| Answer::Handle(made.raw()), completion, &request)
    })
}

/// The children of a supervisor in the order of their starts, as a JSON array of what airwasm_status says of each.
#[unsafe(no_mangle)]
pub extern "C" fn airwasm_children(
    system: *mut airwasm_system,
    supervisor: airwasm_handle,
    children: *mut airwasm_bytes,
) -> *mut airwasm_error {
    guard(|| {
        let out = raw::out(children, "children", raw::NO_BYTES)?;
        let children = raw::system(system)?.core().children(ActorHandle::from_raw(supervisor)?)?;
        out.set(raw::give_bytes(json::list(&children)));
        Ok(())
    })
}

/// Adds a child to a supervisor and starts it; one that does not start is not added. actor may be NULL. Nothing in
/// child is kept but its handlers, which are taken over even if the call fails.
#[unsafe(no_mangle)]
pub extern "C" fn airwasm_start_child(
    system: *mut airwasm_system,
    supervisor: airwasm_handle,
    child: *const airwasm_child,
    actor: *mut airwasm_handle,
) -> *mut airwasm_error {
    guard(|| {
        let child = child_spec(child);
        let out = raw::optional_out(actor, "actor", 0)?;
        let (system, supervisor) = (raw::system(system)?, ActorHandle::from_raw(supervisor)?);
        out.set(system.core().start_child(supervisor, child?)?.raw());
        Ok(())
    })
}

/// airwasm_start_child that does not wait: outcome->handle is the child. See airwasm_request_async.
#[unsafe(no_mangle)]
pub extern "C" fn airwasm_start_child_async(
    system: *mut airwasm_system,
    supervisor: airwasm_handle,
    child: *const airwasm_child,
    options: *const airwasm_wait_options,
    completion: airwasm_completion,
    request: *mut airwasm_handle,
) -> *mut airwasm_error {
    let completion = raw::Completion::from(completion);
    guard(move || {
        let child = child_spec(child);
        let request = raw::optional_out(request, "request", 0)?;
        let completion = completion.check("completion")?;
        let (system, supervisor) = (raw::system(system)?, ActorHandle::from_raw(supervisor)?);
        let asker = convert::wait_options(system.core(), options)?;
        let operation = system.core().start_child_async(supervisor, child?).asked_by(asker);
        system.completions().start(operation, |made| Answer::Handle(made.raw()), completion, &request)
    })
}

/// Stops a child by its own shutdown_ms; nobody restarts it. It is kept for airwasm_restart_child, unless it is
/// AIRWASM_TEMPORARY. Asked inside the child's own handler, or below it, the stop begins and the wait is CYCLE.
#[unsafe(no_mangle)]
pub extern "C" fn airwasm_terminate_child(
    system: *mut airwasm_system,
    supervisor: airwasm_handle,
    child: airwasm_handle,
) -> *mut airwasm_error {
    guard(|| {
        let (supervisor, child) = both(supervisor, child)?;
        raw::system(system)?.core().terminate_child(supervisor, child)
    })
}

/// airwasm_terminate_child that does not wait; the outcome carries nothing. See airwasm_request_async.
#[unsafe(no_mangle)]
pub extern "C" fn airwasm_terminate_child_async(
    system: *mut airwasm_system,
    supervisor: airwasm_handle,
    child: airwasm_handle,
    options: *const airwasm_wait_options,
    completion: airwasm_completion,
    request: *mut airwasm_handle,
) -> *mut airwasm_error {
    let completion = raw::Completion::from(completion);
    guard(move || {
        about_child(
            system,
            (supervisor, child),
            options,
            completion,
            request,
            airwasm::System::terminate_child_async,
        )
    })
}

/// Starts a child that was stopped.
#[unsafe(no_mangle)]
pub extern "C" fn airwasm_restart_child(
    system: *mut airwasm_system,
    supervisor: airwasm_handle,
    child: airwasm_handle,
) -> *mut airwasm_error {
    guard(|| {
        let (supervisor, child) = both(supervisor, child)?;
        raw::system(system)?.core().restart_child(supervisor, child)
    })
}

/// airwasm_restart_child that does not wait; the outcome carries nothing. See airwasm_request_async.
#[unsafe(no_mangle)]
pub extern "C" fn airwasm_restart_child_async(
    system: *mut airwasm_system,
    supervisor: airwasm_handle,
    child: airwasm_handle,
    options: *const airwasm_wait_options,
    completion: airwasm_completion,
    request: *mut airwasm_handle,
) -> *mut airwasm_error {
    let completion = raw::Completion::from(completion);
    guard(move || {
        about_child(
            system,
            (supervisor, child),
            options,
            completion,
            request,
            airwasm::System::restart_child_async,
        )
    })
}

/// Removes a child that was stopped; its id is free again.
#[unsafe(no_mangle)]
pub extern "C" fn airwasm_delete_child(
    system: *mut airwasm_system,
    supervisor: airwasm_handle,
    child: airwasm_handle,
) -> *mut airwasm_error {
    guard(|| {
        let (supervisor, child) = both(supervisor, child)?;
        raw::system(system)?.core().delete_child(supervisor, child)
    })
}

/// airwasm_delete_child that does not wait; the outcome carries nothing. See airwasm_request_async.
#[unsafe(no_mangle)]
pub extern "C" fn airwasm_delete_child_async(
    system: *mut airwasm_system,
    supervisor: airwasm_handle,
    child: airwasm_handle,
    options: *const airwasm_wait_options,
    completion: airwasm_completion,
    request: *mut airwasm_handle,
) -> *mut airwasm_error {
    let completion = raw::Completion::from(completion);
    guard(move || {
        about_child(
            system,
            (supervisor, child),
            options,
            completion,
            request,
            airwasm::System::delete_child_async,
        )
    })
}

/// Who supervises whom, as JSON: [{"actor":"144115188075855873","status":{...},"restart":null,"children":[...]}], the
/// top in the order of the starts. actor is the handle in decimal digits, for strtoull; status is what airwasm_status
/// says; restart is "permanent", "transient" or "temporary", and null at the top.
#[unsafe(no_mangle)]
pub extern "C" fn airwasm_tree(system: *mut airwasm_system, tree: *mut airwasm_bytes) -> *mut airwasm_error {
    guard(|| {
        let out = raw::out(tree, "tree", raw::NO_BYTES)?;
        let tree = raw::system(system)?.core().tree()?;
        out.set(raw::give_bytes(json::tree(&tree)));
        Ok(())
    })
}

fn both(one: airwasm_handle, other: airwasm_handle) -> Result<(ActorHandle, ActorHandle)> {
    Ok((ActorHandle::from_raw(one)?, ActorHandle::from_raw(other)?))
}

fn about_child(
    system: *mut airwasm_system,
    of: (airwasm_handle, airwasm_handle),
    options: *const airwasm_wait_options,
    completion: raw::Completion,
    request: *mut airwasm_handle,
    begin: fn(&airwasm::System, ActorHandle, ActorHandle) -> Operation<()>,
) -> Result<()> {
    let request = raw::optional_out(request, "request", 0)?;
    let (completion, system) = (completion.check("completion")?, raw::system(system)?);
    let (supervisor, child) = both(of.0, of.1)?;
    let asker = convert::wait_options(system.core(), options)?;
    let operation = begin(system.core(), supervisor, child).asked_by(asker);
    system.completions().start(operation, |()| Answer::Nothing, completion, &request)
}
