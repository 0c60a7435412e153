use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::error::ProcessError;
use super::exit::ProcessExit;

/// What is known of the end of a program and of all that it started, for those who wait for it.
#[derive(Default)]
pub(super) struct Ending {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    exit: Option<ProcessExit>,
    gone: bool,
    /// Why the host wanted it to end, if it did; the first reason counts.
    why: Option<&'static str>,
}

impl Ending {
    /// Whether there is still something to end, for this reason.
    pub fn want(&self, why: &'static str) -> bool {
        let mut state = self.lock();
        if !state.gone {
            state.why.get_or_insert(why);
        }
        !state.gone
    }

    pub fn set_exit(&self, exit: ProcessExit) {
        self.lock().exit = Some(exit);
        self.changed.notify_all();
    }

    /// Says that all of it is gone, and its place free.
    pub fn set_gone(&self) {
        let mut state = self.lock();
        state.gone = true;
        state.exit.get_or_insert(ProcessExit::Lost);
        drop(state);
        self.changed.notify_all();
    }

    pub fn exit(&self) -> Option<ProcessExit> {
        self.lock().exit
    }

    pub fn result(&self) -> (ProcessExit, Option<&'static str>) {
        let state = self.lock();
        (state.exit.unwrap_or(ProcessExit::Lost), state.why)
    }

    /// Waits for the end of the program, or of all that it started.
    pub fn wait(&self, all: bool, deadline: Instant) -> Result<ProcessExit, ProcessError> {
        let mut state = self.lock();
        loop {
            if let Some(exit) = state.exit.filter(|_| state.gone || !all) {
                return Ok(exit);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left == Duration::ZERO {
                return Err(ProcessError::TimedOut);
            }
            let woken = self.changed.wait_timeout(state, left);
            state = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No code that runs under this lock can leave it half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
