//! Exports: events.

use std::ffi::c_char;

use airwasm::{Event, SubscriptionHandle};

use crate::error::airwasm_error;
use crate::guard::guard;
use crate::raw;
use crate::system::airwasm_system;
use crate::types::{airwasm_event, airwasm_event_callback, airwasm_handle};

/// Tells callback the events of these kinds from now on: "*", "actor.*", or a comma list; NULL is "*". A slow callback
/// slows no actor: it is told events.lost. subscription may be NULL. callback is taken over even if the call fails:
/// its free runs once, after its last event.
#[unsafe(no_mangle)]
pub extern "C" fn airwasm_events(
    system: *mut airwasm_system,
    kinds: *const c_char,
    callback: airwasm_event_callback,
    subscription: *mut airwasm_handle,
) -> *mut airwasm_error {
    let callback = raw::EventCallback::from(callback);
    guard(move || {
        let out = raw::optional_out(subscription, "subscription", 0)?;
        let callback = callback.check("callback")?;
        let (system, kinds) = (raw::system(system)?, raw::optional_text(kinds, "kinds")?);
        let tell = move |event: Event| tell(&callback, &event);
        let kinds = kinds.as_deref().unwrap_or("*");
        out.set(system.core().events_subscribe(kinds, Box::new(tell))?.raw());
        Ok(())
    })
}

fn tell(callback: &raw::EventCallback, event: &Event) {
    let (kind, detail) = (raw::c_text(&event.kind), raw::c_text(&event.detail_json()));
    let actor = raw::c_text(event.actor.as_deref().unwrap_or_default());
    callback.tell(&airwasm_event {
        struct_size: raw::size_of_u32::<airwasm_event>(),
        seq: event.seq,
        time_unix_ms: event.time_unix_ms(),
        kind: kind.as_ptr(),
        actor: actor.as_ptr(),
        detail: detail.as_ptr(),
    });
}

/// Ends a subscription to events or to topics. An event that is being told is told to its end, maybe after this returns.
/// A subscription that has ended already, as with its actor, is left alone.
#[unsafe(no_mangle)]
pub extern "C" fn airwasm_unsubscribe(
    system: *mut airwasm_system,
    subscription: airwasm_handle,
) -> *mut airwasm_error {
    guard(|| raw::system(system)?.core().unsubscribe(SubscriptionHandle::from_raw(subscription)?))
}
