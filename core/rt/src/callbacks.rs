//! An elastic pool of threads for callbacks of the host language: they may block, a worker may not.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

const THREADS_MAX: usize = 256;
/// Abandoned callbacks whose threads are replaced; beyond them the pool has less.
const LOST_MAX: i64 = 1_024;
const IDLE_MAX: Duration = Duration::from_secs(5);

/// How often the end of all callbacks is looked for.
const LOOK_AGAIN: Duration = Duration::from_millis(1);

type Job = Box<dyn FnOnce() + Send>;

#[derive(Default)]
struct State {
    jobs: VecDeque<Job>,
    threads: usize,
    idle: usize,
    /// Callbacks that were abandoned and have not returned. One that returns at that moment is found before it is lost.
    lost: i64,
    ended: bool,
}

impl State {
    /// The threads but for those in abandoned callbacks.
    fn in_use(&self) -> usize {
        let lost = self.lost.clamp(0, LOST_MAX);
        self.threads.saturating_sub(usize::try_from(lost).unwrap_or_default())
    }
}

/// Threads are started when all are busy, up to 256, and end after 5 idle seconds.
#[derive(Clone, Default)]
pub(crate) struct Callbacks(Arc<(Mutex<State>, Condvar)>);

impl Callbacks {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs the job on a thread of the pool, in the order of the calls as far as threads are free.
    pub(crate) fn run(&self, job: Job) {
        let mut state = self.lock();
        state.jobs.push_back(job);
        self.serve(state);
    }

    /// A thread is in a callback that was abandoned: another one may take its place.
    pub(crate) fn lose(&self) {
        let mut state = self.lock();
        state.lost += 1;
        self.serve(state);
    }

    /// An abandoned callback has returned.
    pub(crate) fn found(&self) {
        self.lock().lost -= 1;
    }

    /// Waits until no callback runs but abandoned ones, or the time is over.
    pub(crate) fn settle(&self, time: Duration) {
        let until = Instant::now() + time;
        let mut state = self.lock();
        while state.in_use() > state.idle || !state.jobs.is_empty() {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            // A thread that becomes idle tells nobody, so that is looked at again soon.
            let waited = self.0.1.wait_timeout(state, left.min(LOOK_AGAIN));
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Sees that somebody takes the jobs.
    fn serve(&self, mut state: MutexGuard<'_, State>) {
        let starved = state.idle < state.jobs.len() && state.in_use() < THREADS_MAX;
        if !starved {
            drop(state);
            self.0.1.notify_one();
            return;
        }
        state.threads += 1;
        drop(state);
        let pool = self.clone();
        let started = thread::Builder::new().name("airwasm-callback".to_owned()).spawn(move || pool.work());
        if started.is_err() {
            // No thread to be had: one of the running ones takes the job when it is free.
            self.lock().threads -= 1;
        }
    }

    fn work(&self) {
        crate::mark_inside();
        let mut state = self.lock();
        loop {
            if let Some(job) = state.jobs.pop_front() {
                drop(state);
                // A callback that panics must not take the thread's count with it.
                let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(job));
                state = self.lock();
                continue;
            }
            if state.ended {
                break;
            }
            state.idle += 1;
            let (next, waited) =
                self.0.1.wait_timeout(state, IDLE_MAX).unwrap_or_else(PoisonError::into_inner);
            state = next;
            state.idle -= 1;
            if waited.timed_out() && state.jobs.is_empty() {
                break;
            }
        }
        state.threads -= 1;
    }

    /// Lets idle threads end; jobs that are queued still run.
    pub(crate) fn end(&self) {
        self.lock().ended = true;
        self.0.1.notify_all();
    }
}

#[cfg(all(test, not(feature = "loom")))]
mod tests {
    use super::*;

    #[test]
    fn a_callback_that_returns_as_it_is_abandoned_leaves_the_pool_as_it_was() {
        let pool = Callbacks::default();
        pool.found();
        pool.lose();
        assert_eq!(pool.lock().lost, 0);
        let (ran, runs) = std::sync::mpsc::channel();
        pool.run(Box::new(move || ran.send(()).expect("the test listens")));
        runs.recv_timeout(Duration::from_secs(60)).expect("it runs");
        assert_eq!(pool.lock().in_use(), 1);
        pool.end();
    }
}
