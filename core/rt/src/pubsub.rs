//! Publish and subscribe: one message to all whose pattern matches its topic.

use std::any::Any;
use std::sync::{Arc, Weak};

use dashmap::DashMap;

use crate::actor::{Message, ReplyTo};
use crate::actor_ref::ActorRef;
use crate::error::Error;
use crate::handle::Handle;
use crate::queue::Runnable;
use crate::shared::Shared;
use crate::sync::atomic::Ordering::SeqCst;
use crate::topic::{Topic, TopicPattern};
use crate::topics::{SubscriptionId, Topics};

/// Topics for messages of one type.
pub struct PubSub<M: Message + Clone + Sync> {
    // The runtime holds its topics, so they must not hold it.
    shared: Weak<Shared>,
    topics: Topics<ActorRef<M>>,
    /// What is to be undone when an actor has ended.
    of: DashMap<Handle, Vec<SubscriptionId>>,
}

/// Topics, whatever their messages are.
pub(crate) trait AnyPubSub: Send + Sync {
    /// This actor has ended for good.
    fn forget(&self, actor: Handle);
    fn as_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync>;
}

impl<M: Message + Clone + Sync> AnyPubSub for PubSub<M> {
    fn forget(&self, actor: Handle) {
        let ids = self.of.remove(&actor).map(|(_, ids)| ids);
        for id in ids.into_iter().flatten() {
            self.topics.unsubscribe(id);
        }
    }

    fn as_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync> {
        self
    }
}

impl<M: Message + Clone + Sync> PubSub<M> {
    pub(crate) fn new(shared: Weak<Shared>) -> Self {
        Self { shared, topics: Topics::default(), of: DashMap::new() }
    }

    /// Sends the actor what is published under topics that match, until it has ended for good or the subscription is undone.
    pub fn subscribe(&self, pattern: TopicPattern, actor: &ActorRef<M>) -> Result<SubscriptionId, Error> {
        let handle = actor.handle();
        actor.0.core.subscribes.store(true, SeqCst);
        let subscribed = self.topics.subscribe(pattern, actor.clone());
        let id = subscribed
            .map_err(|full| Error::TooMany { what: "subscriptions", max: full.subscriptions_max })?;
        self.of.entry(handle).or_default().push(id);
        if self.shared.upgrade().is_none_or(|shared| shared.node(handle).is_none()) {
            // It ended meanwhile.
            self.forget(handle);
        }
        Ok(id)
    }

    /// Whether there is a subscription of this id.
    pub fn contains(&self, id: SubscriptionId) -> bool {
        self.topics.contains(id)
    }

    /// Undoes a subscription; `false` if there is none.
    pub fn unsubscribe(&self, id: SubscriptionId) -> bool {
        let Some(actor) = self.topics.unsubscribe(id) else { return false };
        if let Some(mut ids) = self.of.get_mut(&actor.handle()) {
            ids.retain(|it| *it != id);
        }
        true
    }

    /// Sends a message to each subscription that matches, in the order of their making; how many mailboxes took it.
    pub fn publish(&self, topic: &Topic, message: &M) -> usize {
        let Some(shared) = self.shared.upgrade() else { return 0 };
        broadcast(&shared, self.topics.matching(topic).iter(), message)
    }
}

/// Sends the same to each of these; how many mailboxes took it.
pub(crate) fn broadcast<'a, M: Message + Clone>(
    shared: &Shared,
    to: impl Iterator<Item = &'a ActorRef<M>>,
    message: &M,
) -> usize {
    let mut taken = 0;
    let mut idle = Idle { shared, actors: Vec::new() };
    let mut refused = Vec::new();
    for actor in to {
        match actor.0.push(message.clone(), ReplyTo::none()) {
            Ok(first) => {
                taken += 1;
                if first {
                    idle.actors.extend(actor.0.activation());
                }
            }
            Err(message) => refused.push((actor, message)),
        }
    }
    drop(idle);
    for (actor, message) in refused {
        // Counted as rejected; there is nobody to tell.
        drop(actor.0.refuse(message));
    }
    taken
}

/// Actors that were activated, to be queued together: the workers' lock is taken once, not once for each. Queued also
/// where the message of one more cannot be cloned.
struct Idle<'a> {
    shared: &'a Shared,
    actors: Vec<Arc<dyn Runnable>>,
}

impl Drop for Idle<'_> {
    fn drop(&mut self) {
        self.shared.queue.push_all_fresh(std::mem::take(&mut self.actors));
    }
}
