//! Exports: messages that are sent later, or again and again.

use std::ffi::{c_int, c_void};

use airwasm::{ActorHandle, TimerHandle};

use crate::error::airwasm_error;
use crate::guard::guard;
use crate::system::airwasm_system;
use crate::types::{airwasm_handle, airwasm_send_options};
use crate::{convert, raw};

/// Sends bytes to an actor after delay_ms, where 0 is at once. They are copied; what finds the mailbox full is rejected
/// and counted. options and timer may be NULL.
#[unsafe(no_mangle)]
pub extern "C" fn airwasm_send_after(
    system: *mut airwasm_system,
    actor: airwasm_handle,
    data: *const c_void,
    len: usize,
    delay_ms: u64,
    options: *const airwasm_send_options,
    timer: *mut airwasm_handle,
) -> *mut airwasm_error {
    guard(|| {
        let out = raw::optional_out(timer, "timer", 0)?;
        let (system, options) = (raw::system(system)?, convert::send_options(options)?);
        let (actor, delay) = (ActorHandle::from_raw(actor)?, convert::time(delay_ms).unwrap_or_default());
        let made = raw::with_bytes(data, len, "data", |bytes| {
            system.core().send_after(actor, bytes, delay, &options)
        })?;
        out.set(made.raw());
        Ok(())
    })
}

/// Sends bytes to an actor each time period_ms have passed, until it has ended for good or airwasm_cancel_timer. They
/// are copied; a full mailbox misses its turn. options and timer may be NULL.
#[unsafe(no_mangle)]
pub extern "C" fn airwasm_send_every(
    system: *mut airwasm_system,
    actor: airwasm_handle,
    data: *const c_void,
    len: usize,
    period_ms: u64,
    options: *const airwasm_send_options,
    timer: *mut airwasm_handle,
) -> *mut airwasm_error {
    guard(|| {
        let out = raw::optional_out(timer, "timer", 0)?;
        let (system, options) = (raw::system(system)?, convert::send_options(options)?);
        let (actor, period) = (ActorHandle::from_raw(actor)?, convert::time(period_ms).unwrap_or_default());
        let made = raw::with_bytes(data, len, "data", |bytes| {
            system.core().send_every(actor, bytes, period, &options)
        })?;
        out.set(made.raw());
        Ok(())
    })
}

/// The message does not come any more. *cancelled (cancelled may be NULL) is 1, or 0 if it had been sent, whether it was
/// handled yet or not, or its actor had ended.
#[unsafe(no_mangle)]
pub extern "C" fn airwasm_cancel_timer(
    system: *mut airwasm_system,
    timer: airwasm_handle,
    cancelled: *mut c_int,
) -> *mut airwasm_error {
    guard(|| {
        let out = raw::optional_out(cancelled, "cancelled", 0)?;
        let was_to_come = raw::system(system)?.core().cancel_timer(TimerHandle::from_raw(timer)?)?;
        out.set(was_to_come.into());
        Ok(())
    })
}
