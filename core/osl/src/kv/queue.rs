use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::pending::{Answer, Failure};
use super::{Change, KvError, StoreLimits};
use crate::grant::Guard;

/// Most changes that one commit makes.
const BATCH_MAX: usize = 1_024;

/// A change that waits for its commit. Dropped without a result it says that the store is closed.
pub(super) struct Write {
    pub namespace: String,
    pub change: Change,
    /// What the namespace may hold, if the grant says so.
    pub quota_bytes: Option<u64>,
    pub guards: Vec<Guard>,
    pub bytes: usize,
    pub answer: Arc<Answer>,
    /// What whoever asked wants kept until it is made.
    pub _kept: Box<dyn Send>,
}

impl Drop for Write {
    fn drop(&mut self) {
        self.answer.settle(Err(KvError::Closed.into()));
    }
}

/// The changes that wait for the one writer, in order.
pub(super) struct Queue {
    limits: StoreLimits,
    state: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Default)]
struct Waiting {
    writes: VecDeque<Write>,
    bytes: usize,
    closed: bool,
    /// Why the writer makes no more.
    broken: Option<String>,
}

impl Queue {
    pub fn new(limits: StoreLimits) -> Arc<Self> {
        Arc::new(Self { limits, state: Mutex::default(), changed: Condvar::new() })
    }

    pub fn push(&self, write: Write) -> Result<(), KvError> {
        let StoreLimits { queued_max, queued_bytes_max, .. } = self.limits;
        let mut state = self.lock();
        if state.closed {
            return Err(KvError::Closed);
        }
        if let Some(why) = &state.broken {
            return Err(KvError::Broken(why.clone()));
        }
        // One that is alone waits behind nobody, however large it is.
        let crowded = !state.writes.is_empty() && state.bytes + write.bytes > queued_bytes_max;
        if state.writes.len() >= queued_max || crowded {
            return Err(KvError::Busy { queued_max });
        }
        state.bytes += write.bytes;
        state.writes.push_back(write);
        drop(state);
        self.changed.notify_one();
        Ok(())
    }

    /// Waits for changes, and gives those that one commit makes; none once the queue is closed and empty.
    pub fn next(&self) -> Option<Vec<Write>> {
        let mut state = self.lock();
        while state.writes.is_empty() {
            if state.closed || state.broken.is_some() {
                return None;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        let (mut count, mut bytes) = (0, 0);
        for write in state.writes.iter().take(BATCH_MAX) {
            if count > 0 && bytes + write.bytes > self.limits.batch_bytes_max {
                break;
            }
            (count, bytes) = (count + 1, bytes + write.bytes);
        }
        state.bytes -= bytes;
        Some(state.writes.drain(..count).collect())
    }

    /// Takes no more; what waits is made.
    pub fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    /// Takes no more, for this reason, which all that wait are told.
    pub fn break_off(&self, why: &str) {
        let mut state = self.lock();
        state.broken.get_or_insert_with(|| why.to_owned());
        state.bytes = 0;
        let left = std::mem::take(&mut state.writes);
        drop(state);
        for write in &left {
            write.answer.settle(Err(Failure::Error(KvError::Broken(why.to_owned()))));
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        // No code that runs under this lock can leave it half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
