//! What the observer of a runtime is told.

use std::time::Duration;

use crate::exit::Exit;
use crate::id::ActorId;

/// What the observer of a runtime is told, before anybody who waits is answered.
#[derive(Debug)]
pub enum Notice<'a> {
    /// It is up for the first time.
    Started {
        /// Who.
        id: &'a ActorId,
    },
    /// It is up again.
    Restarted {
        /// Who.
        id: &'a ActorId,
        /// How often by now.
        restarts: u64,
    },
    /// It ended without being told to.
    Crashed {
        /// Who.
        id: &'a ActorId,
        /// How.
        exit: &'a Exit,
        /// When it will be started again, if so.
        restart_in: Option<Duration>,
    },
    /// A supervisor has restarted as often as it may.
    GaveUp {
        /// Which supervisor; its only child, if it has no name.
        id: &'a ActorId,
        /// Whose end was one too many.
        child: &'a ActorId,
        /// How often.
        restarts: u64,
        /// Within which time.
        period: Duration,
        /// How it ended.
        exit: &'a Exit,
    },
    /// It is down for good, or until its supervisor is asked for it again.
    Stopped {
        /// Who.
        id: &'a ActorId,
        /// How.
        exit: &'a Exit,
        /// Whether its first start had succeeded.
        was_up: bool,
        /// Whether it keeps its name, as its supervisor may be asked for it again.
        kept: bool,
    },
    /// It had stopped before, and its name is free now.
    Removed {
        /// Who.
        id: &'a ActorId,
        /// How it had ended.
        exit: &'a Exit,
    },
    /// It ended with messages in its mailbox.
    DeadLetters {
        /// Whose.
        id: &'a ActorId,
        /// How many.
        count: u64,
    },
}
