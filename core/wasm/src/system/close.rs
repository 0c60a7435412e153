//! Ending a system: in order and in time, or at once.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use airssys_rt::{Pending, Resolver, promise};

use super::actors::{check_deadline, check_may_block};
use super::operation::Operation;
use super::{Inner, System};
use crate::types::error::{Code, Error, Result};
use crate::types::info::CloseReport;

/// How long a close waits before it kills.
const DEADLINE: Duration = Duration::from_millis(5_000);
/// How long killed actors may take to be gone; a callback that hangs is abandoned.
const KILLED_GONE: Duration = Duration::from_millis(1_500);
/// A deadline beyond all clocks.
const FAR: Duration = Duration::from_secs(100 * 365 * 24 * 3_600);

/// How far a close has come, and who waits for it.
#[derive(Default)]
pub(super) struct Closing(Mutex<Stage>);

#[derive(Default)]
enum Stage {
    #[default]
    Open,
    Closing(Vec<Resolver<CloseReport, Error>>),
    Closed(CloseReport),
}

impl System {
    /// Stops every actor, the newest first, in at most `deadline` (5 s if absent), kills the rest, and reports.
    /// Calling it again gives the same report. Inside a handler or callback it is `WOULD_DEADLOCK`.
    pub fn close(&self, deadline: Option<Duration>) -> Result<CloseReport> {
        self.close_async(deadline).wait()
    }

    /// [`close`](System::close) without blocking.
    pub fn close_async(&self, deadline: Option<Duration>) -> Operation<CloseReport> {
        let checked = self.check_fork().and_then(|()| check_may_block("close"));
        if let Err(error) = checked.and_then(|()| check_deadline("deadline_ms", deadline)) {
            return self.failed(error);
        }
        let pending = self.inner.closing.join(|| self.inner.begin_close(deadline.unwrap_or(DEADLINE)));
        Operation::new(pending, None, &self.inner.tickets)
    }

    /// Kills every actor and does not wait: for finalizers. Later calls are `CLOSED`.
    pub fn abandon(&self) {
        if self.check_fork().is_ok() && !self.inner.closed.swap(true, Relaxed) {
            self.inner.policies.end_watch();
            self.inner.ports.hub.close();
            self.inner.runtime.kill_all();
        }
    }

    /// Whether it was closed or abandoned, or belongs to a parent process.
    pub fn is_closed(&self) -> bool {
        self.open_inner().is_err()
    }
}

impl Closing {
    /// Waits with the others; the first one begins.
    fn join(&self, begin: impl FnOnce() -> Result<()>) -> Pending<CloseReport, Error> {
        let mut stage = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (resolver, pending) = promise();
        match &mut *stage {
            Stage::Closed(report) => return Pending::ready(Ok(*report)),
            Stage::Closing(waiting) => waiting.push(resolver),
            Stage::Open => match begin() {
                Ok(()) => *stage = Stage::Closing(vec![resolver]),
                Err(error) => return Pending::ready(Err(error)),
            },
        }
        pending
    }

    fn done(&self, report: CloseReport) {
        let mut stage = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut *stage, Stage::Closed(report));
        drop(stage);
        if let Stage::Closing(waiting) = before {
            for waiting in waiting {
                waiting.settle(Ok(report));
            }
        }
    }
}

impl Inner {
    fn begin_close(self: &Arc<Self>, deadline: Duration) -> Result<()> {
        self.closed.store(true, Relaxed);
        self.policies.end_watch();
        let inner = self.clone();
        let closer = move || {
            inner.compilers.close();
            let report = inner.stop_all(deadline);
            inner.ports.regions.clear();
            inner.ports.hub.close();
            inner.runtime.end();
            inner.ports.close_store();
            // What the log could not take is counted there; a close has no more to say of it.
            let _ = inner.audit.close();
            inner.io.end();
            inner.closing.done(report);
        };
        let started = thread::Builder::new().name("airwasm-close".to_owned()).spawn(closer);
        started.map(drop).map_err(|why| Error::new(Code::Io, format!("no thread to close on: {why}")))
    }

    fn stop_all(&self, deadline: Duration) -> CloseReport {
        let before = self.runtime.counts().dead_letters;
        let now = Instant::now();
        let until = now.checked_add(deadline).unwrap_or(now + FAR);
        let mut stops = self.runtime.stop_all(until);
        let stopped = stops.wait_until(until.checked_add(KILLED_GONE));
        // Whoever was spawned while the others stopped.
        self.runtime.kill_all();
        let stopped = stopped.and_then(std::result::Result::ok).unwrap_or_default();
        CloseReport {
            stopped: stopped.stopped,
            killed: stopped.killed,
            dead_letters: self.runtime.counts().dead_letters.saturating_sub(before),
        }
    }
}
