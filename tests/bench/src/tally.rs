//! How a run knows that its last message was handled.

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::AcqRel, Ordering::Release};

use tokio::sync::Notify;

use crate::peers::{Job, Value};

/// Counts what is still to come, and starts anew when all has come.
pub struct Countdown {
    from: u64,
    left: AtomicU64,
    over: Notify,
}

impl Countdown {
    /// Waits for so many reports.
    pub fn from(count: u64) -> Arc<Self> {
        Arc::new(Self { from: count, left: AtomicU64::new(count), over: Notify::new() })
    }

    fn report(&self) {
        if self.left.fetch_sub(1, AcqRel) == 1 {
            self.left.store(self.from, Release);
            self.over.notify_one();
        }
    }

    /// Done when all has come since the last time.
    pub async fn over(&self) {
        self.over.notified().await;
    }

    /// The same as a job.
    pub fn waiting(self: &Arc<Self>) -> Job {
        let countdown = self.clone();
        Box::pin(async move { countdown.over().await })
    }
}

/// The counter inside of an actor; reports each time that it has seen so many messages.
#[derive(Clone)]
pub struct Tally {
    every: u64,
    seen: u64,
    countdown: Arc<Countdown>,
}

impl Tally {
    /// A counter that reports there.
    pub fn every(messages: u64, countdown: &Arc<Countdown>) -> Self {
        Self { every: messages, seen: 0, countdown: countdown.clone() }
    }

    /// A message was handled.
    pub fn handle(&mut self, value: Value) {
        black_box(value);
        self.seen += 1;
        if self.seen == self.every {
            self.seen = 0;
            self.countdown.report();
        }
    }
}
