//! What others use while they work on a guest's requests, charged to that guest's message.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::task::Waker;

/// Parts of a budget that can be charged to somebody else: a wait is bounded by the caller's own time anyway.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Usage {
    pub cpu_ms: u64,
    pub host_calls: u64,
    pub output_bytes: u64,
    pub fuel: u64,
}

impl Usage {
    pub(crate) fn plus(self, other: Usage) -> Usage {
        Usage {
            cpu_ms: self.cpu_ms.saturating_add(other.cpu_ms),
            host_calls: self.host_calls.saturating_add(other.host_calls),
            output_bytes: self.output_bytes.saturating_add(other.output_bytes),
            fuel: self.fuel.saturating_add(other.fuel),
        }
    }

    /// What has come since `before`.
    pub(crate) fn since(self, before: Usage) -> Usage {
        Usage {
            cpu_ms: self.cpu_ms.saturating_sub(before.cpu_ms),
            host_calls: self.host_calls.saturating_sub(before.host_calls),
            output_bytes: self.output_bytes.saturating_sub(before.output_bytes),
            fuel: self.fuel.saturating_sub(before.fuel),
        }
    }

    fn exceeds(self, left: Usage) -> bool {
        self.cpu_ms > left.cpu_ms
            || self.host_calls > left.host_calls
            || self.output_bytes > left.output_bytes
            || self.fuel > left.fuel
    }
}

/// One message's tab. Whoever works on a request of it writes here what that took; the guest that asked is woken
/// as soon as it is more than its budget has left. What works on is not ended by it: it has a budget of its own.
#[derive(Debug, Default)]
pub(crate) struct Tab {
    charged: Counts,
    left: Counts,
    over: AtomicBool,
    waker: Mutex<Option<Waker>>,
    /// Of the message that this one is a part of. Only that message keeps it: those that ask each other in turns, each
    /// after the other has given up, would make a chain without an end.
    above: Option<Weak<Tab>>,
}

#[derive(Debug, Default)]
struct Counts {
    cpu_ms: AtomicU64,
    host_calls: AtomicU64,
    output_bytes: AtomicU64,
    fuel: AtomicU64,
}

impl Counts {
    fn load(&self) -> Usage {
        Usage {
            cpu_ms: self.cpu_ms.load(Relaxed),
            host_calls: self.host_calls.load(Relaxed),
            output_bytes: self.output_bytes.load(Relaxed),
            fuel: self.fuel.load(Relaxed),
        }
    }

    fn store(&self, usage: Usage) {
        self.cpu_ms.store(usage.cpu_ms, Relaxed);
        self.host_calls.store(usage.host_calls, Relaxed);
        self.output_bytes.store(usage.output_bytes, Relaxed);
        self.fuel.store(usage.fuel, Relaxed);
    }

    fn add(&self, usage: Usage) {
        self.cpu_ms.fetch_add(usage.cpu_ms, Relaxed);
        self.host_calls.fetch_add(usage.host_calls, Relaxed);
        self.output_bytes.fetch_add(usage.output_bytes, Relaxed);
        self.fuel.fetch_add(usage.fuel, Relaxed);
    }
}

impl Tab {
    pub(crate) fn new(above: Option<Weak<Tab>>) -> Self {
        Self { above, ..Self::default() }
    }

    pub(crate) fn charged(&self) -> Usage {
        self.charged.load()
    }

    /// What may be charged in all before the guest that asks must be woken.
    pub(crate) fn allow(&self, left: Usage) {
        self.left.store(left);
    }

    /// Who is to be woken: the task of the guest that waits.
    pub(crate) fn wake_with(&self, waker: &Waker) {
        let mut kept = self.waker.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *kept {
            Some(kept) => kept.clone_from(waker),
            None => *kept = Some(waker.clone()),
        }
    }

    /// Charges this tab and all above it, as far as their messages last.
    pub(crate) fn charge(self: Arc<Self>, usage: Usage) {
        if usage == Usage::default() {
            return;
        }
        let mut tab = Some(self);
        while let Some(one) = tab {
            one.charged.add(usage);
            if one.charged.load().exceeds(one.left.load()) && !one.over.swap(true, Relaxed) {
                one.wake();
            }
            tab = one.above.as_ref().and_then(Weak::upgrade);
        }
    }

    fn wake(&self) {
        let waker = self.waker.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU32;
    use std::task::Wake;

    use super::*;

    struct Woken(AtomicU32);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Relaxed);
        }
    }

    #[test]
    fn a_charge_goes_up_to_everybody_who_asked_and_wakes_the_one_whose_budget_it_is_over_once() {
        let cpu = |cpu_ms| Usage { cpu_ms, ..Usage::default() };
        let unlimited =
            Usage { cpu_ms: u64::MAX, host_calls: u64::MAX, output_bytes: u64::MAX, fuel: u64::MAX };
        let (first, second) = (Arc::new(Woken(AtomicU32::new(0))), Arc::new(Woken(AtomicU32::new(0))));
        let above = Arc::new(Tab::new(None));
        above.allow(Usage { cpu_ms: 2, ..unlimited });
        above.wake_with(&first.clone().into());
        let tab = Arc::new(Tab::new(Some(Arc::downgrade(&above))));
        tab.allow(unlimited);
        tab.wake_with(&second.clone().into());
        for (charged, woken) in [(1, 0), (2, 0), (3, 1), (4, 1)] {
            tab.clone().charge(cpu(1));
            assert_eq!((tab.charged(), above.charged()), (cpu(charged), cpu(charged)));
            assert_eq!((first.0.load(Relaxed), second.0.load(Relaxed)), (woken, 0), "after {charged}");
        }
    }
}
