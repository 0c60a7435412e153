//! Exports: the actors that do for others what the operating system does, files and programs.

use airwasm::ActorHandle;

use crate::completions::Answer;
use crate::error::airwasm_error;
use crate::guard::guard;
use crate::system::airwasm_system;
use crate::types::{airwasm_actor_spec, airwasm_completion, airwasm_handle};
use crate::{convert, raw};

/// Starts a file actor: others ask it to read and write files, each message by the grants of who sent it; what it was
/// granted itself counts only for messages of the host program. The forms of its messages stand in
/// README.md, "Files and programs by message". spec->component is 0; actor may be NULL. Nothing in spec is kept.
#[unsafe(no_mangle)]
pub extern "C" fn airwasm_spawn_files(
    system: *mut airwasm_system,
    spec: *const airwasm_actor_spec,
    actor: *mut airwasm_handle,
) -> *mut airwasm_error {
    guard(|| {
        let out = raw::optional_out(actor, "actor", 0)?;
        let (system, spec) = (raw::system(system)?, convert::actor_spec(spec)?);
        out.set(system.core().spawn_files(spec)?.raw());
        Ok(())
    })
}

/// airwasm_spawn_files that does not wait: outcome->handle is the actor. See airwasm_request_async.
#[unsafe(no_mangle)]
pub extern "C" fn airwasm_spawn_files_async(
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
        system.completions().start(system.core().spawn_files_async(spec), answer, completion, &request)
    })
}

/// Starts a process actor: others ask it to run programs, each message by the grants of who sent it; a program ends with
/// its sender, with this actor, and with the grant it runs under. The forms of its messages stand in
/// README.md, "Files and programs by message". spec->component is 0; actor may be NULL. Nothing in spec is kept.
#[unsafe(no_mangle)]
pub extern "C" fn airwasm_spawn_processes(
    system: *mut airwasm_system,
    spec: *const airwasm_actor_spec,
    actor: *mut airwasm_handle,
) -> *mut airwasm_error {
    guard(|| {
        let out = raw::optional_out(actor, "actor", 0)?;
        let (system, spec) = (raw::system(system)?, convert::actor_spec(spec)?);
        out.set(system.core().spawn_processes(spec)?.raw());
        Ok(())
    })
}

/// airwasm_spawn_processes that does not wait: outcome->handle is the actor. See airwasm_request_async.
#[unsafe(no_mangle)]
pub extern "C" fn airwasm_spawn_processes_async(
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
        system.completions().start(system.core().spawn_processes_async(spec), answer, completion, &request)
    })
}
