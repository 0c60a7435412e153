//! What is to be done at a time unless it is taken back before, as most of it is: one task sleeps for all.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use tokio::runtime::Handle as Io;
use tokio::sync::Notify;
use tokio::task::AbortHandle;

use crate::foreign;

/// Something with a deadline.
pub(crate) trait Due: Send + Sync {
    /// The deadline has come. Called on the task's thread, so it must be short.
    fn due(self: Arc<Self>);
}

/// All deadlines of a runtime. Dropped, none comes any more.
pub(crate) struct Deadlines {
    inner: Arc<Inner>,
    keeper: AbortHandle,
}

/// A deadline that has not come; dropped, it never does.
pub(crate) struct Deadline {
    inner: Arc<Inner>,
    key: Key,
}

type Key = (Instant, u64);

#[derive(Default)]
struct Inner {
    waiting: Mutex<Waiting>,
    earlier: Notify,
}

#[derive(Default)]
struct Waiting {
    entries: BTreeMap<Key, Weak<dyn Due>>,
    serial: u64,
    /// Until when the keeper sleeps. It is not woken when that deadline is taken back, only for an earlier one.
    armed: Option<Instant>,
}

impl Deadlines {
    pub(crate) fn start(io: &Io) -> Self {
        let inner = Arc::new(Inner::default());
        let keeper = io.spawn(inner.clone().keep()).abort_handle();
        Self { inner, keeper }
    }

    /// The same after a time from now; `None` if that is too far away to come.
    pub(crate) fn after(&self, delay: Duration, who: Weak<dyn Due>) -> Option<Box<Deadline>> {
        Some(Box::new(self.add(Instant::now().checked_add(delay)?, who)))
    }

    /// At this time `who` is told, if it is still there and the deadline was not dropped.
    pub(crate) fn add(&self, at: Instant, who: Weak<dyn Due>) -> Deadline {
        let mut waiting = self.inner.lock();
        waiting.serial += 1;
        let key = (at, waiting.serial);
        waiting.entries.insert(key, who);
        let is_earlier = waiting.armed.is_none_or(|armed| at < armed);
        if is_earlier {
            waiting.armed = Some(at);
        }
        drop(waiting);
        if is_earlier {
            self.inner.earlier.notify_one();
        }
        Deadline { inner: self.inner.clone(), key }
    }
}

impl Deadline {
    /// When it comes.
    pub(crate) fn at(&self) -> Instant {
        self.key.0
    }

    /// The one of two that comes first; the other never does.
    pub(crate) fn earlier(one: Option<Box<Self>>, other: Option<Box<Self>>) -> Option<Box<Self>> {
        match (one, other) {
            (Some(one), Some(other)) => Some(if other.key < one.key { other } else { one }),
            (one, other) => one.or(other),
        }
    }
}

impl Drop for Deadlines {
    fn drop(&mut self) {
        self.keeper.abort();
    }
}

impl Drop for Deadline {
    fn drop(&mut self) {
        let taken_back = self.inner.lock().entries.remove(&self.key);
        drop(taken_back);
    }
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn keep(self: Arc<Self>) {
        loop {
            let next = self.tell_due();
            match next {
                None => self.earlier.notified().await,
                // Either it has come, or an earlier one is there: both are seen in the next round.
                Some(next) => {
                    let _ = tokio::time::timeout_at(next.into(), self.earlier.notified()).await;
                }
            }
        }
    }

    /// Tells those whose time has come; the next one to come.
    fn tell_due(&self) -> Option<Instant> {
        let mut waiting = self.lock();
        let later = waiting.entries.split_off(&(Instant::now(), u64::MAX));
        let due = std::mem::replace(&mut waiting.entries, later);
        waiting.armed = waiting.entries.first_key_value().map(|(key, _)| key.0);
        let next = waiting.armed;
        drop(waiting);
        for who in due.into_values().filter_map(|who| who.upgrade()) {
            foreign::call("a deadline", || who.due());
        }
        next
    }
}

#[cfg(all(test, not(feature = "loom")))]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};

    use super::*;

    struct Told(&'static str, Mutex<Sender<&'static str>>);

    impl Due for Told {
        fn due(self: Arc<Self>) {
            let told = self.1.lock().expect("no panic");
            told.send(self.0).expect("somebody listens");
        }
    }

    fn io() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_time()
            .build()
            .expect("a runtime")
    }

    fn told(names: [&'static str; 3]) -> ([Arc<Told>; 3], Receiver<&'static str>) {
        let (tell, told) = channel();
        (names.map(|name| Arc::new(Told(name, Mutex::new(tell.clone())))), told)
    }

    fn weak(told: &Arc<Told>) -> Weak<dyn Due> {
        Arc::downgrade(&(told.clone() as Arc<dyn Due>))
    }

    #[test]
    fn they_come_in_the_order_of_their_times_and_not_when_dropped() {
        let io = io();
        let deadlines = Deadlines::start(io.handle());
        let (who, told) = told(["late", "never", "early"]);
        let now = Instant::now();
        let late = deadlines.add(now + Duration::from_millis(40), weak(&who[0]));
        drop(deadlines.add(now + Duration::from_millis(20), weak(&who[1])));
        let early = deadlines.add(now + Duration::from_millis(1), weak(&who[2]));
        assert_eq!((told.recv(), told.recv()), (Ok("early"), Ok("late")));
        assert!(told.try_recv().is_err(), "the dropped one lay before the last");
        drop((late, early));
    }

    #[test]
    fn one_in_the_past_comes_at_once_and_one_that_is_gone_is_passed_over() {
        let io = io();
        let deadlines = Deadlines::start(io.handle());
        let (who, told) = told(["gone", "past", "unused"]);
        let [gone, past, _] = who;
        let now = Instant::now();
        let first = deadlines.add(now, weak(&gone));
        drop(gone);
        let second = deadlines.add(now.checked_sub(Duration::from_secs(1)).unwrap_or(now), weak(&past));
        assert!(matches!(told.recv(), Ok("gone" | "past")));
        drop((first, second));
        assert!(deadlines.inner.lock().entries.is_empty(), "nothing is left behind");
    }
}
