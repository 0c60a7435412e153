//! Messages that are sent later, or again and again.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use airssys_rt::Timer;
use dashmap::DashMap;

use super::{Inner, System};
use crate::types::error::{Code, Error, Result};
use crate::types::handle::{ActorHandle, Kind, TimerHandle};
use crate::types::message::SendOptions;

/// Timers of one system.
const TIMERS_MAX: usize = 100_000;
/// Bytes of the messages that timers hold, of one system.
const BYTES_MAX: u64 = 256 << 20;
/// As many are kept before those that are over are looked for.
const SWEEP_MIN: usize = 1_024;

/// Timers by their number.
#[derive(Default)]
pub(super) struct Timers {
    all: DashMap<u64, Timer>,
    /// At how many those that are over are looked for next: at twice as many as were left then.
    sweep_at: AtomicUsize,
    bytes: Arc<AtomicU64>,
}

/// What the message of one timer weighs, until it is dropped.
struct Weight(Arc<AtomicU64>, u64);

impl Drop for Weight {
    fn drop(&mut self) {
        self.0.fetch_sub(self.1, Relaxed);
    }
}

impl Timers {
    /// Makes room for one more, with a message of so many bytes.
    fn admit(&self, bytes: u64) -> Result<Weight> {
        let held = self.bytes.fetch_add(bytes, Relaxed) + bytes;
        let weight = Weight(self.bytes.clone(), bytes);
        if held > BYTES_MAX {
            let text = format!("the messages of timers have {held} bytes, allowed are {BYTES_MAX}");
            return Err(Error::new(Code::LimitExceeded, text).with("which", "timer_bytes"));
        }
        if self.all.len() >= self.sweep_at.load(Relaxed).max(SWEEP_MIN) {
            self.all.retain(|_, timer| !timer.is_over());
            // At the bound it is looked again when a part of them may be over, not at each refusal.
            let next = (self.all.len() * 2).min(TIMERS_MAX + SWEEP_MIN);
            self.sweep_at.store(next, Relaxed);
        }
        if self.all.len() >= TIMERS_MAX {
            self.sweep_at.fetch_sub(1, Relaxed);
            let text = format!("{TIMERS_MAX} timers run, as many as may");
            return Err(Error::new(Code::LimitExceeded, text).with("which", "timers"));
        }
        Ok(weight)
    }
}

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
        let weight = inner.timers.admit(payload.len() as u64)?;
        let message = move || {
            drop(weight);
            letter
        };
        Ok(inner.keep(resident.actor()?.send_after_by(delay, message)))
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
        let weight = inner.timers.admit(payload.len() as u64)?;
        let message = move || {
            // Held as long as the letter is.
            let _held = &weight;
            letter.clone()
        };
        Ok(inner.keep(resident.actor()?.send_every(period, message)))
    }

    /// The message does not come any more; `false` if it had come, or its actor had ended.
    pub fn cancel_timer(&self, timer: TimerHandle) -> Result<bool> {
        let inner = self.open_inner()?;
        Ok(inner.timers.all.remove(&timer.raw()).is_some_and(|(_, timer)| timer.cancel()))
    }
}

impl Inner {
    fn keep(&self, timer: Timer) -> TimerHandle {
        let handle = TimerHandle(Kind::Timer.tag(self.directory.serial()));
        self.timers.all.insert(handle.raw(), timer);
        handle
    }
}
