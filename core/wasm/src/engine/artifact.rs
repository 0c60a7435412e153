//! Compiled code from bytes: the only unsafe code of the crate.

#![allow(unsafe_code)]

use wasmtime::component::Component;

use super::cache::Cache;

/// The component that the cache has under that name, unless it is not of this engine.
pub(super) fn cached(engine: &wasmtime::Engine, cache: &Cache, name: &str) -> Option<Component> {
    let code = cache.read(name)?;
    // SAFETY: the bytes are what `Component::serialize` gave, by a process of this user that had scanned and compiled
    // the component of that name: their authentication code was made with a secret that nobody else can read. They are
    // in memory of ours, so nobody changes them meanwhile. Another version or other settings are refused by the call.
    unsafe { Component::deserialize(engine, code) }.ok()
}

/// The component that a helper has compiled.
pub(super) fn compiled(engine: &wasmtime::Engine, code: &[u8]) -> wasmtime::Result<Component> {
    // SAFETY: the bytes came through a pipe that only the helper held, which is the program that the author of the host
    // has named to compile, and which said that it is this version with these settings: it is trusted as the compiler of
    // this process is. They are in memory of ours. Another version or other settings are refused by the call as well.
    unsafe { Component::deserialize(engine, code) }
}
