//! The pure decision what becomes of a child that ended, in OTP's words.

use std::time::Duration;

mod backoff;
mod children;
mod ending;
mod machine;
mod operations;
mod restarts;
mod signal;
mod spec;
mod window;

#[cfg(test)]
mod otp_tests;
#[cfg(test)]
mod script;
#[cfg(test)]
mod simulation;

pub(crate) use machine::Busy;
pub use machine::{ChildCounts, ChildState, Machine};
pub use signal::{Fate, Input, Output};
pub use spec::{
    AutoShutdown, ChildKey, ChildRules, GiveUp, InvalidRules, Refusal, Rules, Strategy, Ticket, Token,
};

/// When an actor that ended is started again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restart {
    /// Always.
    Permanent,
    /// Only after a crash.
    Transient,
    /// Never.
    Temporary,
}

/// How many restarts within which time are too many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Intensity {
    /// Restarts that are allowed within the period.
    pub restarts_max: u32,
    /// The sliding window.
    pub period: Duration,
}

impl Default for Intensity {
    fn default() -> Self {
        Self { restarts_max: 5, period: Duration::from_millis(10_000) }
    }
}

/// How long a restart waits: it grows with each crash and is forgotten after a while alive.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Backoff {
    /// Before the first restart.
    pub initial: Duration,
    /// At most.
    pub max: Duration,
    /// Growth with each restart.
    pub factor: f64,
    /// Share of the delay, 0 to 1, that is random.
    pub jitter: f64,
    /// Alive so long, the next delay is the initial one again.
    pub forget_after: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self {
            initial: Duration::from_millis(100),
            max: Duration::from_millis(30_000),
            factor: 2.0,
            jitter: 0.2,
            forget_after: Duration::from_millis(60_000),
        }
    }
}
