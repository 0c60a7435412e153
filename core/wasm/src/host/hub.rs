//! Where events are told: each subscriber has a bounded queue and never slows whoever tells.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::SystemTime;

use airssys_rt::{Pending, Resolver, promise};
use serde_json::{Map, Value};

use crate::types::error::Error;
use crate::types::event::{Event, detail, kind_matches};

const QUEUE_EVENTS_MAX: usize = 1_024;
/// So many are never looked through for those who have given up.
const SWEEP_MIN: usize = 32;

/// All subscribers of one system.
#[derive(Default)]
pub(crate) struct Hub {
    subscribers: RwLock<Vec<Arc<Subscriber>>>,
    /// So that telling costs one load while nobody listens.
    listening: AtomicUsize,
    seq: AtomicU64,
}

/// One reader of events.
pub(crate) struct Subscriber {
    kinds: String,
    state: Mutex<Queue>,
}

#[derive(Default)]
struct Queue {
    events: VecDeque<Event>,
    waiting: VecDeque<Resolver<Option<Event>, Error>>,
    /// How many were left when those who had given up were looked for last.
    swept: usize,
    lost: u64,
    closed: bool,
}

impl Hub {
    /// A new reader, from now on.
    pub(crate) fn subscribe(&self, kinds: &str) -> Arc<Subscriber> {
        let subscriber = Arc::new(Subscriber { kinds: kinds.to_owned(), state: Mutex::default() });
        self.subscribers.write().unwrap_or_else(PoisonError::into_inner).push(subscriber.clone());
        self.listening.fetch_add(1, Relaxed);
        subscriber
    }

    /// Ends a reader: whoever waits gets nothing more.
    pub(crate) fn unsubscribe(&self, subscriber: &Arc<Subscriber>) {
        let mut subscribers = self.subscribers.write().unwrap_or_else(PoisonError::into_inner);
        let before = subscribers.len();
        subscribers.retain(|other| !Arc::ptr_eq(other, subscriber));
        self.listening.fetch_sub(before - subscribers.len(), Relaxed);
        drop(subscribers);
        subscriber.close();
    }

    /// Ends all readers.
    pub(crate) fn close(&self) {
        let subscribers =
            std::mem::take(&mut *self.subscribers.write().unwrap_or_else(PoisonError::into_inner));
        self.listening.fetch_sub(subscribers.len(), Relaxed);
        for subscriber in subscribers {
            subscriber.close();
        }
    }

    /// Tells what happened. `facts` is made only if somebody listens.
    pub(crate) fn tell(&self, kind: &str, actor: Option<&str>, facts: impl FnOnce() -> Map<String, Value>) {
        if self.listening.load(Relaxed) == 0 {
            return;
        }
        let event = Event {
            seq: self.seq.fetch_add(1, Relaxed) + 1,
            time: SystemTime::now(),
            kind: kind.to_owned(),
            actor: actor.map(str::to_owned),
            detail: facts(),
        };
        let subscribers = self.subscribers.read().unwrap_or_else(PoisonError::into_inner).clone();
        for subscriber in subscribers.iter().filter(|subscriber| kind_matches(&subscriber.kinds, kind)) {
            subscriber.push(event.clone());
        }
    }
}

impl Subscriber {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, event: Event) {
        let mut queue = self.lock();
        while let Some(waiting) = queue.waiting.pop_front() {
            if !waiting.is_abandoned() {
                drop(queue);
                waiting.settle(Ok(Some(event)));
                return;
            }
        }
        if queue.events.len() >= QUEUE_EVENTS_MAX {
            queue.lost += 1;
        } else if !queue.closed {
            queue.events.push_back(event);
        }
    }

    /// The next event; nothing once it is closed. What was lost is told when the queue has been read.
    pub(crate) fn next(&self) -> Pending<Option<Event>, Error> {
        let mut queue = self.lock();
        if let Some(event) = queue.events.pop_front() {
            return Pending::ready(Ok(Some(event)));
        }
        if queue.lost > 0 {
            let count = std::mem::take(&mut queue.lost);
            let (kind, time) = ("events.lost".to_owned(), SystemTime::now());
            let lost = Event { seq: 0, time, kind, actor: None, detail: detail("count", count) };
            return Pending::ready(Ok(Some(lost)));
        }
        if queue.closed {
            return Pending::ready(Ok(None));
        }
        if queue.waiting.len() >= (queue.swept * 2).max(SWEEP_MIN) {
            queue.waiting.retain(|waiting| !waiting.is_abandoned());
            queue.swept = queue.waiting.len();
        }
        let (resolver, pending) = promise();
        queue.waiting.push_back(resolver);
        pending
    }

    fn close(&self) {
        let mut queue = self.lock();
        queue.closed = true;
        let waiting = std::mem::take(&mut queue.waiting);
        drop(queue);
        for waiting in waiting {
            waiting.settle(Ok(None));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_reader_is_told_how_many_it_lost() {
        let hub = Hub::default();
        let reader = hub.subscribe("actor.*");
        hub.tell("log", None, Map::new);
        for _ in 0..QUEUE_EVENTS_MAX + 3 {
            hub.tell("actor.started", Some("default/a/0"), Map::new);
        }
        let next = || reader.next().wait().expect("no error").expect("open");
        for _ in 0..QUEUE_EVENTS_MAX {
            assert_eq!(next().kind, "actor.started");
        }
        let lost = next();
        assert_eq!((lost.kind.as_str(), lost.detail["count"].as_u64()), ("events.lost", Some(3)));
        hub.unsubscribe(&reader);
        assert!(reader.next().wait().expect("no error").is_none());
    }

    #[test]
    fn waits_for_events_that_were_given_up_are_not_kept() {
        let hub = Hub::default();
        let reader = hub.subscribe("*");
        let kept: Vec<_> = (0..100).map(|_| reader.next()).collect();
        for _ in 0..25_000 {
            drop(reader.next());
        }
        assert!(reader.lock().waiting.len() <= 2 * kept.len());
        for n in 1..=101 {
            hub.tell("log", None, || detail("n", n));
        }
        let mut told = kept.into_iter().chain([reader.next()]);
        assert!((1..=101).all(|n| {
            let event = told.next().map(|wait| wait.wait().expect("no error").expect("open"));
            event.expect("waits").detail["n"] == n
        }));
    }
}
