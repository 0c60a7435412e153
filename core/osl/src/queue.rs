//! The way of a record from the thread that decided to the thread that writes.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::record::Record;

/// Records that may wait or be in writing at once.
pub(crate) const RECORDS_MAX: u64 = 8_192;

#[derive(Default)]
pub(crate) struct Queue {
    state: Mutex<State>,
    /// There is something to write, or nothing will come any more.
    ready: Condvar,
    /// Something was written, or nothing will be any more.
    progress: Condvar,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Record>,
    accepted: u64,
    finished: u64,
    closed: bool,
}

impl Queue {
    /// Numbers the record and queues it; false when the queue is closed.
    ///
    /// A full queue makes the caller wait: a decision that leaves no record is worse than a slow one.
    pub fn push(&self, mut record: Record) -> bool {
        let mut state = self.lock();
        while state.accepted - state.finished >= RECORDS_MAX && !state.closed {
            state = wait(&self.progress, state);
        }
        if state.closed {
            return false;
        }
        state.accepted += 1;
        record.seq = state.accepted;
        state.waiting.push_back(record);
        self.ready.notify_one();
        true
    }

    /// Everything that waits, put into the empty `batch`; false when nothing will come any more.
    pub fn take(&self, batch: &mut VecDeque<Record>) -> bool {
        let mut state = self.lock();
        while state.waiting.is_empty() && !state.closed {
            state = wait(&self.ready, state);
        }
        std::mem::swap(&mut state.waiting, batch);
        !batch.is_empty()
    }

    pub fn finished(&self, records: usize) {
        self.lock().finished += records as u64;
        self.progress.notify_all();
    }

    /// Waits until all that was accepted before this call is finished; false when that cannot happen.
    pub fn drain(&self, writer_lives: impl Fn() -> bool) -> bool {
        let mut state = self.lock();
        let target = state.accepted;
        while state.finished < target {
            if !writer_lives() {
                return false;
            }
            state = wait(&self.progress, state);
        }
        true
    }

    /// No record is accepted any more; those accepted are still written.
    pub fn close(&self) {
        self.lock().closed = true;
        self.ready.notify_all();
        self.progress.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No code that runs under this lock can leave the state half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn wait<'a>(condition: &Condvar, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
    condition.wait(state).unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Decision, Operation};
    use std::sync::Arc;
    use std::thread;

    fn record() -> Record {
        Record::new(&"a".into(), Operation::Check, "clock".into(), Decision::Allow)
    }

    #[test]
    fn a_full_queue_loses_nothing() {
        let queue = Arc::new(Queue::default());
        let pushers: Vec<_> = (0..4)
            .map(|_| {
                let queue = queue.clone();
                thread::spawn(move || (0..RECORDS_MAX).for_each(|_| assert!(queue.push(record()))))
            })
            .collect();
        let mut seen = 0;
        let mut batch = VecDeque::new();
        while seen < 4 * RECORDS_MAX && queue.take(&mut batch) {
            assert!(batch.len() as u64 <= RECORDS_MAX);
            for record in &batch {
                seen += 1;
                assert_eq!(record.seq, seen);
            }
            queue.finished(batch.len());
            batch.clear();
        }
        pushers.into_iter().for_each(|pusher| pusher.join().unwrap());
        queue.close();
        assert!(!queue.push(record()) && !queue.take(&mut batch) && queue.drain(|| true));
    }
}
