//! Exports: grants, and what they allow.

use std::ffi::c_char;

use airwasm::{ActorHandle, GrantHandle};

use crate::error::airwasm_error;
use crate::guard::guard;
use crate::system::airwasm_system;
use crate::types::{airwasm_bytes, airwasm_handle};
use crate::{convert, json, raw};

/// Gives an actor a capability, "fs.read /data/**" or the object as JSON text. ttl_ms 0 is until it is revoked.
/// grant may be NULL.
#[unsafe(no_mangle)]
pub extern "C" fn airwasm_grant(
    system: *mut airwasm_system,
    actor: airwasm_handle,
    capability: *const c_char,
    ttl_ms: u64,
    grant: *mut airwasm_handle,
) -> *mut airwasm_error {
    guard(|| {
        let out = raw::optional_out(grant, "grant", 0)?;
        let (system, capability) = (raw::system(system)?, raw::text(capability, "capability")?);
        let actor = ActorHandle::from_raw(actor)?;
        out.set(system.core().grant(actor, &capability, convert::time(ttl_ms))?.raw());
        Ok(())
    })
}

/// Takes a grant back, at once and for work in flight too. *cut (cut may be NULL) is how many open resources that cut.
#[unsafe(no_mangle)]
pub extern "C" fn airwasm_revoke(
    system: *mut airwasm_system,
    grant: airwasm_handle,
    cut: *mut u64,
) -> *mut airwasm_error {
    guard(|| {
        let out = raw::optional_out(cut, "cut", 0)?;
        out.set(raw::system(system)?.core().revoke(GrantHandle::from_raw(grant)?)?);
        Ok(())
    })
}

/// The grants of an actor as JSON: [{"grant":"216172782113783809","capability":"fs.read /data/**","ttl_ms":null,
/// "open":0,"given_by":"host"}]. grant is the handle in decimal digits, for strtoull and airwasm_revoke; given_by is
/// baseline, policy, host, or the id of the actor that handed it on.
#[unsafe(no_mangle)]
pub extern "C" fn airwasm_grants(
    system: *mut airwasm_system,
    actor: airwasm_handle,
    grants: *mut airwasm_bytes,
) -> *mut airwasm_error {
    guard(|| {
        let out = raw::out(grants, "grants", raw::NO_BYTES)?;
        let grants = raw::system(system)?.core().grants(ActorHandle::from_raw(actor)?)?;
        out.set(raw::give_bytes(json::grants(&grants)));
        Ok(())
    })
}

/// Whether the actor may do this now, asked by the host for its own ends, as in "custom.billing charge": DENIED if not.
/// Audited like the asks of guests.
#[unsafe(no_mangle)]
pub extern "C" fn airwasm_check(
    system: *mut airwasm_system,
    actor: airwasm_handle,
    capability: *const c_char,
) -> *mut airwasm_error {
    guard(|| {
        let (system, capability) = (raw::system(system)?, raw::text(capability, "capability")?);
        system.core().check(ActorHandle::from_raw(actor)?, &capability)
    })
}
