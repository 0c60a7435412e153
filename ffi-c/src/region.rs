//! Exports: memory that actors and the host program share.

use std::ffi::{c_char, c_void};

use crate::error::airwasm_error;
use crate::guard::guard;
use crate::system::airwasm_system;
use crate::types::airwasm_bytes;
use crate::{json, raw};

/// Makes a region of so many bytes, all 0, under a name of 1 to 63 letters, digits, "-", "_" and ".". It is the
/// program's until airwasm_region_remove; guests need region.read or region.write of the name. A system has up to 1,024
/// regions of 1 GiB together.
#[unsafe(no_mangle)]
pub extern "C" fn airwasm_region_create(
    system: *mut airwasm_system,
    name: *const c_char,
    bytes: u64,
) -> *mut airwasm_error {
    guard(|| raw::system(system)?.core().region_create(&raw::text(name, "name")?, bytes))
}

/// Copies so many bytes from offset of a region, an actor's or the program's; INVALID_ARGUMENT if a part is outside. Each
/// 256 KiB from there on are one step: what a write of no more puts there is seen whole or not at all.
#[unsafe(no_mangle)]
pub extern "C" fn airwasm_region_read(
    system: *mut airwasm_system,
    name: *const c_char,
    offset: u64,
    bytes: u64,
    data: *mut airwasm_bytes,
) -> *mut airwasm_error {
    guard(|| {
        let out = raw::out(data, "data", raw::NO_BYTES)?;
        let (system, name) = (raw::system(system)?, raw::text(name, "name")?);
        out.set(raw::give_bytes(system.core().region_read(&name, offset, bytes)?));
        Ok(())
    })
}

/// airwasm_region_read that fills the len bytes at data, which are the caller's. After an error what is there is not said.
#[unsafe(no_mangle)]
pub extern "C" fn airwasm_region_read_into(
    system: *mut airwasm_system,
    name: *const c_char,
    offset: u64,
    data: *mut c_void,
    len: usize,
) -> *mut airwasm_error {
    guard(|| {
        let (system, name) = (raw::system(system)?, raw::text(name, "name")?);
        raw::with_bytes_mut(data, len, "data", |into| system.core().region_read_into(&name, offset, into))
    })
}

/// Copies bytes to offset of a region; nothing, and INVALID_ARGUMENT, if a part is outside. Each 256 KiB are one step, as
/// with airwasm_region_read.
#[unsafe(no_mangle)]
pub extern "C" fn airwasm_region_write(
    system: *mut airwasm_system,
    name: *const c_char,
    offset: u64,
    data: *const c_void,
    len: usize,
) -> *mut airwasm_error {
    guard(|| {
        let (system, name) = (raw::system(system)?, raw::text(name, "name")?);
        raw::with_bytes(data, len, "data", |bytes| system.core().region_write(&name, offset, bytes))
    })
}

/// Removes a region, whoever has it open: its name is free, its memory is given back, and each use of it is NOT_FOUND.
#[unsafe(no_mangle)]
pub extern "C" fn airwasm_region_remove(
    system: *mut airwasm_system,
    name: *const c_char,
) -> *mut airwasm_error {
    guard(|| raw::system(system)?.core().region_remove(&raw::text(name, "name")?))
}

/// All regions in the order of their names, as JSON: [{"name":"scratch","bytes":4096,"owner":"default/a/0","open":1}].
/// owner is null for one of the program; open is how often guests have it open.
#[unsafe(no_mangle)]
pub extern "C" fn airwasm_regions(
    system: *mut airwasm_system,
    regions: *mut airwasm_bytes,
) -> *mut airwasm_error {
    guard(|| {
        let out = raw::out(regions, "regions", raw::NO_BYTES)?;
        let regions = raw::system(system)?.core().regions()?;
        out.set(raw::give_bytes(json::regions(&regions)));
        Ok(())
    })
}
