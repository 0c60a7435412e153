//! Exports: publish and subscribe, groups, and letters that nobody read.

use std::ffi::{c_char, c_int, c_void};

use airwasm::ActorHandle;

use crate::error::airwasm_error;
use crate::guard::guard;
use crate::system::airwasm_system;
use crate::types::{airwasm_bytes, airwasm_handle, airwasm_send_options};
use crate::{convert, json, raw};

/// Sends an actor what is published under topics that match, until it has ended for good or airwasm_unsubscribe. Parts
/// of a topic are divided by dots; in pattern "*" is one part, ">" or "**" at the end the rest. subscription may be NULL.
#[unsafe(no_mangle)]
pub extern "C" fn airwasm_subscribe(
    system: *mut airwasm_system,
    actor: airwasm_handle,
    pattern: *const c_char,
    subscription: *mut airwasm_handle,
) -> *mut airwasm_error {
    guard(|| {
        let out = raw::optional_out(subscription, "subscription", 0)?;
        let (system, pattern) = (raw::system(system)?, raw::text(pattern, "pattern")?);
        out.set(system.core().subscribe(ActorHandle::from_raw(actor)?, &pattern)?.raw());
        Ok(())
    })
}

/// Sends bytes to each subscription whose pattern matches. *count (count may be NULL) is how many mailboxes took them.
#[unsafe(no_mangle)]
pub extern "C" fn airwasm_publish(
    system: *mut airwasm_system,
    topic: *const c_char,
    data: *const c_void,
    len: usize,
    options: *const airwasm_send_options,
    count: *mut u64,
) -> *mut airwasm_error {
    guard(|| {
        let out = raw::optional_out(count, "count", 0)?;
        let (system, options) = (raw::system(system)?, convert::send_options(options)?);
        let topic = raw::text(topic, "topic")?;
        out.set(raw::with_bytes(data, len, "data", |bytes| system.core().publish(&topic, bytes, &options))?);
        Ok(())
    })
}

/// Puts an actor into a group, which is there as long as it has members.
#[unsafe(no_mangle)]
pub extern "C" fn airwasm_join(
    system: *mut airwasm_system,
    actor: airwasm_handle,
    group: *const c_char,
) -> *mut airwasm_error {
    guard(|| {
        let (system, group) = (raw::system(system)?, raw::text(group, "group")?);
        system.core().join(ActorHandle::from_raw(actor)?, &group)
    })
}

/// Takes an actor out of a group. *left (left may be NULL) is 1, or 0 if it was not in it.
#[unsafe(no_mangle)]
pub extern "C" fn airwasm_leave(
    system: *mut airwasm_system,
    actor: airwasm_handle,
    group: *const c_char,
    left: *mut c_int,
) -> *mut airwasm_error {
    guard(|| {
        let out = raw::optional_out(left, "left", 0)?;
        let (system, group) = (raw::system(system)?, raw::text(group, "group")?);
        out.set(system.core().leave(ActorHandle::from_raw(actor)?, &group)?.into());
        Ok(())
    })
}

/// The members of a group in the order in which they joined, as a JSON array of their handles in decimal digits, for
/// strtoull: ["144115188075855873"].
#[unsafe(no_mangle)]
pub extern "C" fn airwasm_members(
    system: *mut airwasm_system,
    group: *const c_char,
    members: *mut airwasm_bytes,
) -> *mut airwasm_error {
    guard(|| {
        let out = raw::out(members, "members", raw::NO_BYTES)?;
        let (system, group) = (raw::system(system)?, raw::text(group, "group")?);
        out.set(raw::give_bytes(json::actors(&system.core().members(&group)?)));
        Ok(())
    })
}

/// Sends bytes to each member of a group. *count (count may be NULL) is how many mailboxes took them.
#[unsafe(no_mangle)]
pub extern "C" fn airwasm_broadcast(
    system: *mut airwasm_system,
    group: *const c_char,
    data: *const c_void,
    len: usize,
    options: *const airwasm_send_options,
    count: *mut u64,
) -> *mut airwasm_error {
    guard(|| {
        let out = raw::optional_out(count, "count", 0)?;
        let (system, options) = (raw::system(system)?, convert::send_options(options)?);
        let group = raw::text(group, "group")?;
        out.set(raw::with_bytes(data, len, "data", |bytes| {
            system.core().broadcast(&group, bytes, &options)
        })?);
        Ok(())
    })
}

/// Takes the messages that were still queued when their actors ended, oldest first, as JSON: [{"to":"default/a/0",
/// "sender":"","payload_base64":"aGk=","content_type":null,"reason":"killed"}]. They are the last 1,024 since the last
/// call, or 4 MiB of them; each was an event message.dead_letter.
#[unsafe(no_mangle)]
pub extern "C" fn airwasm_dead_letters(
    system: *mut airwasm_system,
    letters: *mut airwasm_bytes,
) -> *mut airwasm_error {
    guard(|| {
        let out = raw::out(letters, "letters", raw::NO_BYTES)?;
        let letters = raw::system(system)?.core().dead_letters()?;
        out.set(raw::give_bytes(json::dead_letters(&letters)));
        Ok(())
    })
}
