//! Exports: components.

use std::ffi::{c_char, c_void};
use std::path::Path;

use airwasm::ComponentHandle;

use crate::completions::Answer;
use crate::error::airwasm_error;
use crate::guard::guard;
use crate::system::airwasm_system;
use crate::types::{airwasm_bytes, airwasm_completion, airwasm_handle};
use crate::{json, raw};

fn loaded(component: ComponentHandle) -> Answer {
    Answer::Handle(component.raw())
}

/// Reads, validates and compiles the component in the file at path. *component is for airwasm_spawn.
#[unsafe(no_mangle)]
pub extern "C" fn airwasm_load(
    system: *mut airwasm_system,
    path: *const c_char,
    component: *mut airwasm_handle,
) -> *mut airwasm_error {
    guard(|| {
        let out = raw::out(component, "component", 0)?;
        let (system, path) = (raw::system(system)?, raw::text(path, "path")?);
        out.set(system.core().load(Path::new(&path))?.raw());
        Ok(())
    })
}

/// airwasm_load that does not wait: outcome->handle is the component. See airwasm_request_async.
#[unsafe(no_mangle)]
pub extern "C" fn airwasm_load_async(
    system: *mut airwasm_system,
    path: *const c_char,
    completion: airwasm_completion,
    request: *mut airwasm_handle,
) -> *mut airwasm_error {
    let completion = raw::Completion::from(completion);
    guard(move || {
        let request = raw::optional_out(request, "request", 0)?;
        let completion = completion.check("completion")?;
        let (system, path) = (raw::system(system)?, raw::text(path, "path")?);
        system.completions().start(system.core().load_async(Path::new(&path)), loaded, completion, &request)
    })
}

/// The same for a component in memory. The bytes are copied.
#[unsafe(no_mangle)]
pub extern "C" fn airwasm_load_bytes(
    system: *mut airwasm_system,
    data: *const c_void,
    len: usize,
    component: *mut airwasm_handle,
) -> *mut airwasm_error {
    guard(|| {
        let out = raw::out(component, "component", 0)?;
        let system = raw::system(system)?;
        let bytes = raw::with_bytes(data, len, "data", |bytes| Ok(bytes.to_vec()))?;
        out.set(system.core().load_bytes(bytes)?.raw());
        Ok(())
    })
}

/// airwasm_load_bytes that does not wait: outcome->handle is the component. See airwasm_request_async.
#[unsafe(no_mangle)]
pub extern "C" fn airwasm_load_bytes_async(
    system: *mut airwasm_system,
    data: *const c_void,
    len: usize,
    completion: airwasm_completion,
    request: *mut airwasm_handle,
) -> *mut airwasm_error {
    let completion = raw::Completion::from(completion);
    guard(move || {
        let request = raw::optional_out(request, "request", 0)?;
        let (completion, system) = (completion.check("completion")?, raw::system(system)?);
        let bytes = raw::with_bytes(data, len, "data", |bytes| Ok(bytes.to_vec()))?;
        system.completions().start(system.core().load_bytes_async(bytes), loaded, completion, &request)
    })
}

/// What is known of a component before it runs, as JSON: {"digest":"sha256:...","imports":[...],"exports":[...],
/// "capabilities":["fs.read",...],"handler":true,"lifecycle":false}.
#[unsafe(no_mangle)]
pub extern "C" fn airwasm_inspect(
    system: *mut airwasm_system,
    component: airwasm_handle,
    info: *mut airwasm_bytes,
) -> *mut airwasm_error {
    guard(|| {
        let out = raw::out(info, "info", raw::NO_BYTES)?;
        let system = raw::system(system)?;
        let info = system.core().inspect(ComponentHandle::from_raw(component)?)?;
        out.set(raw::give_bytes(json::component(&info)));
        Ok(())
    })
}

/// What a component exports, as text in a language: "wit". Any other is UNSUPPORTED, and its detail has the languages that
/// there are. At most 256 KiB.
#[unsafe(no_mangle)]
pub extern "C" fn airwasm_types(
    system: *mut airwasm_system,
    component: airwasm_handle,
    language: *const c_char,
    text: *mut airwasm_bytes,
) -> *mut airwasm_error {
    guard(|| {
        let out = raw::out(text, "text", raw::NO_BYTES)?;
        let (system, language) = (raw::system(system)?, raw::text(language, "language")?);
        let text = system.core().types(ComponentHandle::from_raw(component)?, &language)?;
        out.set(raw::give_bytes(text.into_bytes()));
        Ok(())
    })
}

/// Forgets a component. Actors that run it go on.
#[unsafe(no_mangle)]
pub extern "C" fn airwasm_unload(
    system: *mut airwasm_system,
    component: airwasm_handle,
) -> *mut airwasm_error {
    guard(|| raw::system(system)?.core().unload(ComponentHandle::from_raw(component)?))
}
