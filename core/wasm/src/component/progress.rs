//! How far the loading of a component has come.

use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use airssys_osl::ThreadTime;

/// What one loading thread tells those who watch it.
pub(crate) struct Progress {
    stage: Mutex<Stage>,
    computed: OnceLock<ThreadTime>,
}

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
        let stage = Mutex::new(Stage { begun: now, phase: "read", bytes: 0 });
        Self { stage, computed: OnceLock::new() }
    }

    fn lock(&self) -> MutexGuard<'_, Stage> {
        // It is changed by assignments.
        self.stage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Time counts from now, and that of the thread which calls.
    pub(crate) fn begin(&self, now: Instant) {
        self.lock().begun = now;
        let _ = self.computed.set(ThreadTime::of_this());
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

    /// What counts against its time limit.
    pub(crate) fn spent(&self) -> Duration {
        spent(self.elapsed(), self.computed.get().and_then(ThreadTime::spent))
    }
}

/// What the thread has computed, so that a busy machine refuses nothing that a quiet one loads; but at least a tenth of
/// the time that has passed, so that what only waits ends too. All of that where the system does not tell.
fn spent(elapsed: Duration, computed: Option<Duration>) -> Duration {
    computed.map_or(elapsed, |computed| computed.max(elapsed / 10))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_load_on_a_busy_machine_spends_what_it_computes() {
        let seconds = Duration::from_secs;
        assert_eq!(spent(seconds(100), Some(seconds(30))), seconds(30));
        assert_eq!(spent(seconds(700), Some(seconds(1))), seconds(70));
        assert_eq!(spent(seconds(100), None), seconds(100));
    }
}
