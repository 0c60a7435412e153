//! Fairness of answers that are there at once: awaiting them never lets the loop turn, so after a tick one must.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long answers may keep a loop from turning.
const TICK: Duration = Duration::from_millis(1);

/// What the next answer does.
#[derive(Debug, PartialEq, Eq)]
pub enum Turn {
    /// It is there at once.
    Go,
    /// The same, and the loop is asked to say when its turn is over.
    Mark,
    /// It lets the loop turn first.
    Yield,
}

#[derive(Default)]
struct State {
    since: Option<Instant>,
    marked: bool,
}

/// What is known of a loop's turn.
#[derive(Default)]
pub struct Turns(Mutex<State>);

impl Turns {
    /// One more answer at this time.
    pub fn spend(&self, now: Instant) -> Turn {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if state.since.is_some_and(|since| now.duration_since(since) < TICK) {
            return Turn::Go;
        }
        if state.marked {
            return Turn::Yield;
        }
        *state = State { since: Some(now), marked: true };
        Turn::Mark
    }

    /// The loop has turned.
    pub fn over(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).marked = false;
    }
}
