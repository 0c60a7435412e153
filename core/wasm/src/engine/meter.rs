//! What a message has used of its budget, and the future that ends it when it used too much.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::task::{Context, Poll};
use std::time::Duration;

use airssys_rt::Ticks;
use tokio::time::Sleep;

use crate::types::error::{Error, Result};
use crate::types::limits::{ResolvedBudget, UNLIMITED};

/// Counts for one instance. Only the thread that polls it writes, so relaxed loads and stores are exact; but for the
/// output, of which a part leaves by other threads.
pub(crate) struct Meter {
    ticks: Ticks,
    budget: ResolvedBudget,
    poll_began: AtomicU64,
    cpu_used: AtomicU64,
    host_calls: AtomicU64,
    output_bytes: AtomicU64,
}

impl Meter {
    pub(crate) fn new(ticks: Ticks, budget: ResolvedBudget) -> Self {
        Self {
            ticks,
            budget,
            poll_began: AtomicU64::new(0),
            cpu_used: AtomicU64::new(0),
            host_calls: AtomicU64::new(0),
            output_bytes: AtomicU64::new(0),
        }
    }

    /// A new message or hook begins with nothing used.
    fn reset(&self) {
        self.cpu_used.store(0, Relaxed);
        self.host_calls.store(0, Relaxed);
        self.output_bytes.store(0, Relaxed);
    }

    /// One more call into the host.
    pub(crate) fn host_call(&self) {
        self.host_calls.store(self.host_calls.load(Relaxed).saturating_add(1), Relaxed);
    }

    /// So many more bytes have left the guest; an error if they are too many.
    pub(crate) fn output(&self, bytes: usize) -> Result<()> {
        // A sum of what was in memory: it does not reach the end of the numbers.
        let used = self.output_bytes.fetch_add(bytes as u64, Relaxed) + bytes as u64;
        within("output_bytes", self.budget.output_bytes, used)
    }

    /// Asked at each tick of a computing guest and at its end: an error ends the guest.
    pub(crate) fn check(&self) -> Result<()> {
        let cpu = self.cpu_used.load(Relaxed) + (self.ticks.now() - self.poll_began.load(Relaxed));
        within("cpu_ms", self.budget.cpu_ms, cpu)?;
        within("host_calls", self.budget.host_calls, self.host_calls.load(Relaxed))
    }

    /// Whether the guest runs since this very tick.
    pub(crate) fn began_this_tick(&self) -> bool {
        self.poll_began.load(Relaxed) == self.ticks.now()
    }

    /// Runs `call` under the budget, which begins now.
    pub(crate) fn run<F>(self: &Arc<Self>, call: F) -> Metered<F> {
        self.reset();
        Metered { call, meter: self.clone(), began: self.ticks.now(), wall: None }
    }
}

fn within(which: &str, allowed: u64, used: u64) -> Result<()> {
    match used > allowed {
        true => Err(Error::budget(which, allowed, used)),
        false => Ok(()),
    }
}

pin_project_lite::pin_project! {
    /// A call under a budget. Dropped at the error, so that a guest asleep in a host call ends as well.
    pub(crate) struct Metered<F> {
        #[pin]
        call: F,
        meter: Arc<Meter>,
        began: u64,
        wall: Option<Pin<Box<Sleep>>>,
    }
}

impl<F: Future> Future for Metered<F> {
    type Output = Result<F::Output>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let meter = this.meter;
        let before = meter.ticks.now();
        meter.poll_began.store(before, Relaxed);
        let polled = this.call.poll(context);
        let now = meter.ticks.now();
        meter.cpu_used.store(meter.cpu_used.load(Relaxed) + (now - before), Relaxed);
        meter.poll_began.store(now, Relaxed);
        if let Poll::Ready(output) = polled {
            return Poll::Ready(Ok(output));
        }
        let wall_ms = meter.budget.wall_ms;
        if wall_ms == UNLIMITED {
            return Poll::Pending;
        }
        // Armed at the first suspension and not before: a call that ends in one poll costs no timer and no clock.
        let left = wall_ms.saturating_sub(now - *this.began);
        let wall = this.wall.get_or_insert_with(|| Box::pin(tokio::time::sleep(Duration::from_millis(left))));
        wall.as_mut().poll(context).map(|()| Err(Error::budget("wall_ms", wall_ms, wall_ms)))
    }
}
