//! Who may poll an actor: nobody, whoever took it from a queue, or the one that runs it.

use crate::sync::atomic::AtomicU8;
use crate::sync::atomic::Ordering::{AcqRel, Acquire};

const IDLE: u8 = 0;
const QUEUED: u8 = 1;
const RUNNING: u8 = 2;
/// Running, and activated again meanwhile.
const AGAIN: u8 = 3;
/// There is nothing to poll: not started, between two lives, or ended.
const PARKED: u8 = 4;

/// What an activation met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Before {
    /// Whoever activated it must now queue it.
    Idle,
    /// It is in a queue: whoever takes it from there sees what the activator wrote.
    Queued,
    /// Somebody polls it, or nobody can.
    Other,
}

/// One atomic state. Exactly one thread is between a `claim` or `start` and the `rest` or `park` that follows it.
pub(crate) struct RunState(AtomicU8);

impl RunState {
    pub(crate) fn parked() -> Self {
        Self(AtomicU8::new(PARKED))
    }

    /// There is something to poll from the beginning; the caller must queue it.
    pub(crate) fn queued() -> Self {
        Self(AtomicU8::new(QUEUED))
    }

    /// Something happened; `true` if the caller must now queue the actor.
    pub(crate) fn activate(&self) -> bool {
        self.activate_from() == Before::Idle
    }

    /// The same, and what it was before.
    pub(crate) fn activate_from(&self) -> Before {
        let next = |state| match state {
            IDLE => Some(QUEUED),
            RUNNING => Some(AGAIN),
            // Written even where it stays as it is: the next `start` then sees what the activator wrote before.
            same => Some(same),
        };
        match self.0.fetch_update(AcqRel, Acquire, next) {
            Ok(IDLE) => Before::Idle,
            Ok(QUEUED) => Before::Queued,
            _ => Before::Other,
        }
    }

    /// Takes an idle actor to poll it in place; `true` if the caller now runs it.
    pub(crate) fn claim(&self) -> bool {
        self.0.compare_exchange(IDLE, RUNNING, AcqRel, Acquire).is_ok()
    }

    /// A worker took the actor from its queue and now runs it.
    pub(crate) fn start(&self) {
        self.0.swap(RUNNING, AcqRel);
    }

    /// The poll was pending; `true` if it was activated meanwhile and the caller must queue it again.
    pub(crate) fn rest(&self) -> bool {
        if self.0.compare_exchange(RUNNING, IDLE, AcqRel, Acquire).is_ok() {
            return false;
        }
        self.requeue();
        true
    }

    /// The runner gives the actor to a queue itself.
    pub(crate) fn requeue(&self) {
        self.0.swap(QUEUED, AcqRel);
    }

    /// There is nothing to poll any more.
    pub(crate) fn park(&self) {
        self.0.swap(PARKED, AcqRel);
    }

    /// Whether there is nothing to poll.
    pub(crate) fn is_parked(&self) -> bool {
        self.0.load(Acquire) == PARKED
    }

    /// There is something to poll again; the caller must queue it.
    pub(crate) fn unpark(&self) {
        self.requeue();
    }
}

#[cfg(all(test, not(feature = "loom")))]
mod tests {
    use super::*;

    #[test]
    fn an_activation_during_a_poll_is_not_lost() {
        let state = RunState::parked();
        assert!(!state.activate(), "parked");
        state.unpark();
        assert!(!state.activate(), "queued already");
        state.start();
        assert!(!state.activate(), "running");
        assert!(state.rest(), "must be queued again");
        state.start();
        assert!(!state.rest());
        assert!(state.claim());
        assert!(!state.claim());
        assert!(!state.rest());
        assert!(state.activate());
    }
}
