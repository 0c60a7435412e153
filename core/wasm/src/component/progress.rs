//! How far the loading of a component has come.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// What one loading thread tells those who watch it.
pub(crate) struct Progress(Mutex<Stage>);

/// Where it stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stage {
    pub begun: Instant,
    /// `read`, `compile` or `link`: the compiler does not say how many functions it has done.
    pub phase: &'static str,
    /// Of the component; 0 until it is read.
    pub bytes: usize,
}

impl Progress {
    pub(crate) fn new(now: Instant) -> Self {
        Self(Mutex::new(Stage { begun: now, phase: "read", bytes: 0 }))
    }

    fn lock(&self) -> MutexGuard<'_, Stage> {
        // It is changed by assignments.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Time counts from now.
    pub(crate) fn begin(&self, now: Instant) {
        self.lock().begun = now;
    }

    pub(crate) fn enter(&self, phase: &'static str, bytes: usize) {
        let mut stage = self.lock();
        (stage.phase, stage.bytes) = (phase, bytes);
    }

    pub(crate) fn stage(&self) -> Stage {
        *self.lock()
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.stage().begun.elapsed()
    }
}
