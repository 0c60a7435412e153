//! Publish and subscribe: one message to all whose pattern matches its topic.

use std::sync::{Arc, OnceLock};

use crate::actor::{Message, ReplyTo};
use crate::actor_ref::ActorRef;
use crate::error::Error;
use crate::queue::Runnable;
use crate::runtime::Shared;
use crate::topic::{Topic, TopicPattern};
use crate::topics::{SubscriptionId, Topics};

/// One who is sent what is published.
struct Subscriber<M: Message> {
    actor: ActorRef<M>,
    /// Known right after it was entered.
    id: Arc<OnceLock<SubscriptionId>>,
}

impl<M: Message> Clone for Subscriber<M> {
    fn clone(&self) -> Self {
        Self { actor: self.actor.clone(), id: self.id.clone() }
    }
}

/// Topics for messages of one type.
pub struct PubSub<M: Message + Clone + Sync> {
    shared: Arc<Shared>,
    topics: Topics<Subscriber<M>>,
}

impl<M: Message + Clone + Sync> PubSub<M> {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared, topics: Topics::default() }
    }

    /// Sends the actor what is published under topics that match, until it has ended or the subscription is undone.
    pub fn subscribe(&self, pattern: TopicPattern, actor: &ActorRef<M>) -> Result<SubscriptionId, Error> {
        let id = Arc::new(OnceLock::new());
        let subscriber = Subscriber { actor: actor.clone(), id: id.clone() };
        let given =
            self.topics.subscribe(pattern, subscriber).map_err(|_| Error::TooMany("subscriptions"))?;
        Ok(*id.get_or_init(|| given))
    }

    /// Undoes a subscription; `false` if there is none.
    pub fn unsubscribe(&self, id: SubscriptionId) -> bool {
        self.topics.unsubscribe(id)
    }

    /// Sends a message to each subscription that matches, in the order of their making; how many mailboxes took it.
    pub fn publish(&self, topic: &Topic, message: &M) -> usize {
        let subscribers = self.topics.matching(topic);
        let mut gone = Vec::new();
        let taken = deliver(&self.shared, subscribers.iter().map(|it| &it.actor), message, |place| {
            gone.extend(subscribers[place].id.get().copied());
        });
        for id in gone {
            self.topics.unsubscribe(id);
        }
        taken
    }
}

/// Sends the same to each of these; how many mailboxes took it.
pub(crate) fn broadcast<'a, M: Message + Clone>(
    shared: &Shared,
    to: impl Iterator<Item = &'a ActorRef<M>>,
    message: &M,
) -> usize {
    deliver(shared, to, message, |_| ())
}

fn deliver<'a, M: Message + Clone>(
    shared: &Shared,
    to: impl Iterator<Item = &'a ActorRef<M>>,
    message: &M,
    mut stopped: impl FnMut(usize),
) -> usize {
    let mut taken = 0;
    // Queued together: the workers' lock is taken once, not once for each.
    let mut idle: Vec<Arc<dyn Runnable>> = Vec::new();
    for (place, actor) in to.enumerate() {
        match actor.0.push(message.clone(), ReplyTo::none()) {
            Ok(first) => {
                taken += 1;
                if first {
                    idle.extend(actor.0.activation());
                }
            }
            Err(refused) => {
                if let Error::Stopped(_) = actor.0.refuse(refused).error {
                    stopped(place);
                }
            }
        }
    }
    shared.queue.push_all_fresh(idle);
    taken
}
