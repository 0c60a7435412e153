//! What a message has used of its budget, and the future that ends it when it used too much.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use airssys_rt::Ticks;
use tokio::time::Sleep;

use crate::types::cpu_share::CpuShare;
use crate::types::error::{Error, Result};
use crate::types::limits::{ResolvedBudget, UNLIMITED};
use crate::types::tab::{Tab, Usage};

/// Counts for one instance. Only the thread that polls it writes, so relaxed loads and stores are exact; but for the
/// output, of which a part leaves by other threads.
pub(crate) struct Meter {
    ticks: Ticks,
    budget: ResolvedBudget,
    share: Option<Arc<CpuShare>>,
    poll_began: AtomicU64,
    cpu_used: AtomicU64,
    host_calls: AtomicU64,
    output_bytes: AtomicU64,
    fuel: AtomicU64,
    /// Whether there are accounts; most messages have none.
    shared: AtomicBool,
    accounts: Mutex<Accounts>,
}

/// Who pays for this message, and what this message pays for.
#[derive(Default)]
struct Accounts {
    /// The tab of the guest that asked, while its message lasts.
    payer: Option<Weak<Tab>>,
    /// What of the usage the payer was charged already.
    settled: Usage,
    /// What others use for this message.
    tab: Option<Arc<Tab>>,
}

impl Accounts {
    /// Charges the payer with what has come since the last time.
    fn charge(&mut self, own: Usage) {
        if let Some(payer) = self.payer.as_ref().and_then(Weak::upgrade) {
            payer.charge(own.since(self.settled));
            self.settled = own;
        }
    }
}

impl Meter {
    pub(crate) fn new(ticks: Ticks, budget: ResolvedBudget, share: Option<Arc<CpuShare>>) -> Self {
        Self {
            ticks,
            budget,
            share,
            poll_began: AtomicU64::new(0),
            cpu_used: AtomicU64::new(0),
            host_calls: AtomicU64::new(0),
            output_bytes: AtomicU64::new(0),
            fuel: AtomicU64::new(0),
            shared: AtomicBool::new(false),
            accounts: Mutex::default(),
        }
    }

    /// The next call is charged to this tab too, or to nobody.
    pub(crate) fn charge_to(&self, payer: Option<Weak<Tab>>) {
        if payer.is_some() || self.shared.load(Relaxed) {
            self.shared.store(payer.is_some(), Relaxed);
            *self.accounts() = Accounts { payer, ..Accounts::default() };
        }
    }

    /// The tab for a request of the call under way: whoever works on it is charged to this call as well.
    pub(crate) fn tab(&self) -> Weak<Tab> {
        let mut accounts = self.accounts();
        let Accounts { payer, tab, .. } = &mut *accounts;
        let tab = tab.get_or_insert_with(|| Arc::new(Tab::new(payer.clone())));
        tab.allow(
            Usage {
                cpu_ms: self.budget.cpu_ms,
                host_calls: self.budget.host_calls,
                output_bytes: self.budget.output_bytes,
                fuel: self.budget.fuel,
            }
            .since(self.own()),
        );
        self.shared.store(true, Relaxed);
        Arc::downgrade(tab)
    }

    /// A new message or hook begins with nothing used.
    fn reset(&self) {
        self.cpu_used.store(0, Relaxed);
        self.host_calls.store(0, Relaxed);
        self.output_bytes.store(0, Relaxed);
        self.fuel.store(0, Relaxed);
    }

    /// One more call into the host.
    pub(crate) fn host_call(&self) {
        self.host_calls.store(self.host_calls.load(Relaxed).saturating_add(1), Relaxed);
    }

    /// So many more bytes have left the guest; an error if they are too many.
    pub(crate) fn output(&self, bytes: usize) -> Result<()> {
        // A sum of what was in memory: it does not reach the end of the numbers.
        self.output_bytes.fetch_add(bytes as u64, Relaxed);
        if self.shared.load(Relaxed) {
            // The reply leaves after the last poll, and its receiver pays for it too.
            self.accounts().charge(self.own());
        }
        within("output_bytes", self.budget.output_bytes, self.used().output_bytes)
    }

    /// Asked at each tick of a computing guest and at its end: an error ends the guest.
    pub(crate) fn check(&self) -> Result<()> {
        let used = self.used();
        let cpu = used.cpu_ms + (self.ticks.now() - self.poll_began.load(Relaxed));
        within("cpu_ms", self.budget.cpu_ms, cpu)?;
        within("host_calls", self.budget.host_calls, used.host_calls)?;
        within("fuel", self.budget.fuel, used.fuel)
    }

    /// What the store is given for the next call, where fuel is counted.
    pub(super) fn fuel_max(&self) -> u64 {
        self.budget.fuel
    }

    /// So much fuel is left of what the store was given.
    pub(super) fn fuel_left(&self, left: u64) {
        self.fuel.store(self.budget.fuel.saturating_sub(left), Relaxed);
    }

    /// The store has none left. How far over that the guest was when it was stopped is not known.
    pub(super) fn out_of_fuel(&self) -> Error {
        Error::budget("fuel", self.budget.fuel, self.budget.fuel)
    }

    /// Whether the guest runs since this very tick.
    pub(crate) fn began_this_tick(&self) -> bool {
        self.poll_began.load(Relaxed) == self.ticks.now()
    }

    /// Runs `call` under the budget, which begins now.
    pub(crate) fn run<F>(self: &Arc<Self>, call: F) -> Metered<F> {
        self.reset();
        Metered { call, meter: self.clone(), began: self.ticks.now(), wall: None, throttle: None }
    }

    /// By this guest alone, up to the end of its last poll.
    fn own(&self) -> Usage {
        Usage {
            cpu_ms: self.cpu_used.load(Relaxed),
            host_calls: self.host_calls.load(Relaxed),
            output_bytes: self.output_bytes.load(Relaxed),
            fuel: self.fuel.load(Relaxed),
        }
    }

    /// With what others used for it.
    fn used(&self) -> Usage {
        if !self.shared.load(Relaxed) {
            return self.own();
        }
        let charged = self.accounts().tab.as_ref().map(|tab| tab.charged()).unwrap_or_default();
        self.own().plus(charged)
    }

    /// At the end of a poll: charges the payer, and is told when others have used too much.
    fn settle(&self, waker: &Waker) -> Result<()> {
        let own = self.own();
        let mut accounts = self.accounts();
        accounts.charge(own);
        let Some(tab) = &accounts.tab else { return Ok(()) };
        // Before it is looked at: what is charged after that wakes.
        tab.wake_with(waker);
        let used = own.plus(tab.charged());
        within("cpu_ms", self.budget.cpu_ms, used.cpu_ms)?;
        within("host_calls", self.budget.host_calls, used.host_calls)?;
        within("output_bytes", self.budget.output_bytes, used.output_bytes)?;
        within("fuel", self.budget.fuel, used.fuel)
    }

    fn accounts(&self) -> MutexGuard<'_, Accounts> {
        // Each change of it is whole.
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner)
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
        throttle: Option<Pin<Box<Sleep>>>,
    }
}

impl<F: Future> Future for Metered<F> {
    type Output = Result<F::Output>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let meter = this.meter;
        let before = meter.ticks.now();
        let held = meter.share.as_ref().is_some_and(|share| is_held(share, this.throttle, context));
        if !held {
            meter.poll_began.store(before, Relaxed);
            let polled = this.call.poll(context);
            let now = meter.ticks.now();
            meter.cpu_used.store(meter.cpu_used.load(Relaxed) + (now - before), Relaxed);
            meter.poll_began.store(now, Relaxed);
            if let Some(share) = &meter.share {
                share.used(now - before);
            }
            if let Poll::Ready(output) = polled {
                let settled = if meter.shared.load(Relaxed) { meter.settle(context.waker()) } else { Ok(()) };
                return Poll::Ready(settled.map(|()| output));
            }
        }
        if meter.shared.load(Relaxed)
            && let Err(over) = meter.settle(context.waker())
        {
            return Poll::Ready(Err(over));
        }
        let wall_ms = meter.budget.wall_ms;
        if wall_ms == UNLIMITED {
            return Poll::Pending;
        }
        // Armed at the first suspension and not before: a call that ends in one poll costs no timer and no clock.
        let left = wall_ms.saturating_sub(meter.ticks.now() - *this.began);
        let wall = this.wall.get_or_insert_with(|| Box::pin(tokio::time::sleep(Duration::from_millis(left))));
        wall.as_mut().poll(context).map(|()| Err(Error::budget("wall_ms", wall_ms, wall_ms)))
    }
}

/// Whether the guest has to wait for the next window of its share; it is polled again then.
fn is_held(share: &CpuShare, throttle: &mut Option<Pin<Box<Sleep>>>, context: &mut Context<'_>) -> bool {
    let Some(wait) = share.wait(Instant::now()) else {
        *throttle = None;
        return false;
    };
    let sleep = throttle.insert(Box::pin(tokio::time::sleep(wait)));
    sleep.as_mut().poll(context).is_pending()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::limits::Budget;

    /// Whoever asks with a short time has ended its own message when it is asked in turn.
    #[test]
    fn hostile_g3_those_that_ask_each_other_in_turns_leave_no_chain_of_payers() {
        let budget = Budget::default().resolve().expect("no bounds are valid bounds");
        let guest = || Meter::new(Ticks::default(), budget, None);
        let guests = [guest(), guest()];
        let mut tabs = Vec::new();
        for turn in 0..1_000_000 {
            let [asker, asked] = [&guests[turn % 2], &guests[(turn + 1) % 2]];
            let tab = asker.tab();
            asked.charge_to(Some(tab.clone()));
            tabs.push(tab);
        }
        let kept = tabs.iter().filter(|tab| tab.strong_count() > 0).count();
        assert!(kept <= guests.len(), "{kept} tabs are kept");
    }
}
