//! A stream of events as JavaScript reads it: one `next` after the other.

use std::rc::Rc;

use airwasm::{Events, System};
use napi::Env;
use napi::bindgen_prelude::Unknown;
use napi_derive::napi;

use crate::answer::Value;
use crate::host::State;

/// Events from the call that made it on.
#[napi]
pub struct NativeEvents {
    state: Rc<State>,
    system: System,
    events: Events,
}

impl NativeEvents {
    pub fn new(state: Rc<State>, system: System, events: Events) -> Self {
        Self { state, system, events }
    }
}

#[napi]
impl NativeEvents {
    /// The next event, or null at the end.
    #[napi(ts_return_type = "EventAnswer | null | number | string")]
    pub fn next<'e>(&self, env: &'e Env) -> napi::Result<Unknown<'e>> {
        self.state.begin(env, &self.system, Value::Event, || Ok(self.events.next_async()))
    }

    /// Ends it; a `next` that waits gets null.
    #[napi]
    pub fn close(&self) {
        self.events.close();
    }
}
