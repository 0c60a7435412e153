//! Messages that are sent later, or again and again.

use std::time::Duration;

use airssys_rt::Timer;

use super::System;
use crate::types::error::{Code, Error, Result};
use crate::types::handle::{ActorHandle, Kind, TimerHandle};
use crate::types::message::SendOptions;

/// Timers of one system.
const TIMERS_MAX: usize = 100_000;

/// Timers by their number.
pub(super) type Timers = dashmap::DashMap<u64, Timer>;

impl System {
    /// Sends a message after a time. One that finds the mailbox full then is rejected and counted.
    pub fn send_after(
        &self,
        actor: ActorHandle,
        payload: &[u8],
        delay: Duration,
        options: &SendOptions,
    ) -> Result<TimerHandle> {
        let inner = self.open_inner()?;
        let resident = inner.directory.resident(actor)?;
        let letter = inner.letter(&resident, payload, options.content_type.as_deref(), None, 0)?;
        self.keep(resident.actor()?.send_after(delay, letter))
    }

    /// Sends a message each time a period has passed, until the actor has ended for good. A full mailbox misses its turn.
    pub fn send_every(
        &self,
        actor: ActorHandle,
        payload: &[u8],
        period: Duration,
        options: &SendOptions,
    ) -> Result<TimerHandle> {
        if period < Duration::from_millis(1) {
            return Err(Error::argument("period_ms", "a period is at least 1 ms"));
        }
        let inner = self.open_inner()?;
        let resident = inner.directory.resident(actor)?;
        let letter = inner.letter(&resident, payload, options.content_type.as_deref(), None, 0)?;
        self.keep(resident.actor()?.send_every(period, move || letter.clone()))
    }

    fn keep(&self, timer: Timer) -> Result<TimerHandle> {
        let inner = self.open_inner()?;
        if inner.timers.len() >= TIMERS_MAX {
            inner.timers.retain(|_, timer| !timer.is_over());
        }
        if inner.timers.len() >= TIMERS_MAX {
            timer.cancel();
            let text = format!("{TIMERS_MAX} timers run, as many as may");
            return Err(Error::new(Code::LimitExceeded, text).with("which", "timers"));
        }
        let handle = TimerHandle(Kind::Timer.tag(inner.directory.serial()));
        inner.timers.insert(handle.raw(), timer);
        Ok(handle)
    }

    /// The message does not come any more; `false` if it had come, or its actor had ended.
    pub fn cancel_timer(&self, timer: TimerHandle) -> Result<bool> {
        let inner = self.open_inner()?;
        Ok(inner.timers.remove(&timer.raw()).is_some_and(|(_, timer)| timer.cancel()))
    }
}
