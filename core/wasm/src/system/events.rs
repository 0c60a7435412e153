//! Reading what happens.

use std::sync::{Arc, Mutex, PoisonError};

use airssys_rt::Pending;
use dashmap::DashMap;

use super::operation::{Operation, Tickets};
use super::{System, forked};
use crate::fork;
use crate::host::hub::{Hub, Subscriber};
use crate::types::error::{Code, Error, Result};
use crate::types::event::Event;
use crate::types::handle::{Kind, SubscriptionHandle};

/// Each holds a thread of the callback pool, and most of those are for handlers.
const SUBSCRIPTIONS_MAX: usize = 64;

/// A stream of events from the call that made it on; bounded, and never in an actor's way. Dropped, it ends.
pub struct Events {
    subscriber: Arc<Subscriber>,
    hub: Arc<Hub>,
    tickets: Arc<Tickets>,
    forks: u64,
}

impl Events {
    /// The next event, or `None` once it is closed, or its system is.
    pub fn next_async(&self) -> Operation<Option<Event>> {
        let next = match fork::count() == self.forks {
            true => self.subscriber.next(),
            false => Pending::ready(Err(forked())),
        };
        Operation::new(next, None, &self.tickets)
    }

    /// Ends it; whoever waits gets `None`.
    pub fn close(&self) {
        self.hub.unsubscribe(&self.subscriber);
    }
}

impl Iterator for Events {
    type Item = Event;

    /// Blocks for the next event.
    fn next(&mut self) -> Option<Event> {
        self.next_async().wait().ok().flatten()
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        self.close();
    }
}

/// Subscriptions that deliver to a callback, by their number.
pub(super) type Subscriptions = DashMap<u64, Arc<Subscriber>>;

type Callback = Box<dyn FnMut(Event) + Send>;

impl System {
    /// Events of these kinds from now on: a comma list of kinds, `actor.*`, or `*`.
    pub fn events(&self, kinds: &str) -> Result<Events> {
        let inner = self.open_inner()?;
        let subscriber = inner.ports.hub.subscribe(check_kinds(kinds)?);
        Ok(Events {
            subscriber,
            hub: inner.ports.hub.clone(),
            tickets: inner.tickets.clone(),
            forks: inner.forks,
        })
    }

    /// The same delivered to a callback, one at a time, on a thread of the callback pool.
    pub fn events_subscribe(&self, kinds: &str, callback: Callback) -> Result<SubscriptionHandle> {
        let inner = self.open_inner()?;
        if inner.subscriptions.len() >= SUBSCRIPTIONS_MAX {
            let text = format!("{SUBSCRIPTIONS_MAX} subscriptions deliver to callbacks, as many as may");
            return Err(Error::new(Code::PoolExhausted, text).with("size", SUBSCRIPTIONS_MAX));
        }
        let subscriber = inner.ports.hub.subscribe(check_kinds(kinds)?);
        let handle = SubscriptionHandle(Kind::Subscription.tag(inner.directory.serial()));
        inner.subscriptions.insert(handle.raw(), subscriber.clone());
        let callback = Mutex::new(callback);
        inner.runtime.run_callback(Box::new(move || {
            let mut callback = callback.lock().unwrap_or_else(PoisonError::into_inner);
            while let Ok(Some(event)) = subscriber.next().wait() {
                callback(event);
            }
        }));
        Ok(handle)
    }

    /// Ends a subscription to events or topics; what is being delivered is still delivered. One that has ended already, as
    /// with its actor, is left alone.
    pub fn unsubscribe(&self, subscription: SubscriptionHandle) -> Result<()> {
        let inner = self.open_inner()?;
        inner.directory.check_ours(subscription.raw())?;
        inner.unsubscribe_topic(subscription);
        if let Some((_, subscriber)) = inner.subscriptions.remove(&subscription.raw()) {
            inner.ports.hub.unsubscribe(&subscriber);
        }
        Ok(())
    }
}

fn check_kinds(kinds: &str) -> Result<&str> {
    let is_kind = |kind: &str| {
        let kind = kind.trim();
        let kind = kind.strip_suffix(".*").unwrap_or(kind);
        kind == "*"
            || (!kind.is_empty() && kind.bytes().all(|b| b.is_ascii_lowercase() || b"._".contains(&b)))
    };
    match kinds.len() <= 1_024 && kinds.split(',').all(is_kind) {
        true => Ok(kinds),
        false => Err(Error::argument(
            "kinds",
            "a comma list of kinds such as actor.crashed, families such as actor.*, or *",
        )),
    }
}
