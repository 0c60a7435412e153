//! How far the loading of a component has come.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use airssys_osl::ThreadTime;

/// What one loading thread tells those who watch it.
pub(crate) struct Progress {
    stage: Mutex<Stage>,
    computed: OnceLock<ThreadTime>,
}

/// Where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Stage {
    pub begun: Instant,
    /// Which load of the system it is, from 1.
    pub id: u64,
    /// The file's stem.
    pub label: Arc<str>,
    /// `read`, `scanned`, `compiling` or `linking`: the compiler does not say how many functions it has done.
    pub phase: &'static str,
    /// Of the component; empty and 0 until it is read.
    pub digest: Arc<str>,
    pub bytes: usize,
    /// Of the component; 0 until it is scanned.
    pub functions: u64,
}

impl Progress {
    pub(crate) fn new(now: Instant) -> Self {
        let stage = Stage {
            begun: now,
            id: 0,
            label: "".into(),
            phase: "read",
            digest: "".into(),
            bytes: 0,
            functions: 0,
        };
        Self { stage: Mutex::new(stage), computed: OnceLock::new() }
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

    /// Says which load it is.
    pub(crate) fn name(&self, id: u64, label: &str) {
        let mut stage = self.lock();
        (stage.id, stage.label) = (id, label.into());
    }

    /// Says what was read.
    pub(crate) fn has_read(&self, digest: &str, bytes: usize) {
        let mut stage = self.lock();
        (stage.digest, stage.bytes) = (digest.into(), bytes);
    }

    pub(crate) fn enter(&self, phase: &'static str, functions: u64) {
        let mut stage = self.lock();
        (stage.phase, stage.functions) = (phase, functions);
    }

    pub(crate) fn stage(&self) -> Stage {
        self.lock().clone()
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.lock().begun.elapsed()
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
