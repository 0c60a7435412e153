//! Publish and subscribe, groups, and letters that nobody read.

use std::sync::Arc;

use airssys_rt::{SubscriptionId, Topic, TopicPattern};

use super::{Inner, System};
use crate::types::error::{Code, Error, Result};
use crate::types::handle::{ActorHandle, Kind, SubscriptionHandle};
use crate::types::letter::Letter;
use crate::types::message::SendOptions;
use crate::types::supervisor::DeadLetter;

/// Numbers of subscriptions that are kept before those of ended actors are looked for.
const KEPT_MAX: usize = 100_000;

impl System {
    /// Sends the actor what is published under topics that match, until it has ended for good or the subscription is
    /// undone. Parts are divided by dots; `*` is one part, `>` or `**` at the end the rest.
    pub fn subscribe(&self, actor: ActorHandle, pattern: &str) -> Result<SubscriptionHandle> {
        let inner = self.open_inner()?;
        let resident = inner.directory.resident(actor)?;
        let pattern = pattern.parse::<TopicPattern>().map_err(|why| Error::argument("pattern", why))?;
        let topics = inner.runtime.topics::<Letter>();
        let given = topics.subscribe(pattern, resident.actor()?);
        let given = given.map_err(|error| Error::from(error).at(&resident.id))?;
        if inner.topics.len() >= KEPT_MAX {
            // Those of actors that have ended are over; nobody took them back.
            inner.topics.retain(|_, id| topics.contains(*id));
        }
        let handle = SubscriptionHandle(Kind::Subscription.tag(inner.directory.serial()));
        inner.topics.insert(handle.raw(), given);
        Ok(handle)
    }

    /// Sends a message to each subscription whose pattern matches; how many mailboxes took it.
    pub fn publish(&self, topic: &str, payload: &[u8], options: &SendOptions) -> Result<u64> {
        let inner = self.open_inner()?;
        let topic = topic.parse::<Topic>().map_err(|why| Error::argument("topic", why))?;
        let mut letter = inner.loose_letter(payload, options.content_type.as_deref())?;
        letter.topic = Some(topic.as_str().into());
        Ok(inner.runtime.topics::<Letter>().publish(&topic, &letter) as u64)
    }

    /// Puts an actor into a group, which is there as long as it has members.
    pub fn join(&self, actor: ActorHandle, group: &str) -> Result<()> {
        let inner = self.open_inner()?;
        let resident = inner.directory.resident(actor)?;
        let joined = inner.runtime.join(group, resident.actor()?.handle());
        joined.map_err(|why| match why {
            airssys_rt::Error::NotFound => resident.just_ended(),
            why => Error::from(why),
        })
    }

    /// Takes an actor out of a group; `false` if it was not in it.
    pub fn leave(&self, actor: ActorHandle, group: &str) -> Result<bool> {
        let inner = self.open_inner()?;
        Ok(inner.runtime.leave(group, inner.directory.resident(actor)?.rt_handle()?))
    }

    /// The members of a group in the order in which they joined.
    pub fn members(&self, group: &str) -> Result<Vec<ActorHandle>> {
        let inner = self.open_inner()?;
        let actors = inner.runtime.members(group).into_iter();
        let found = actors.filter_map(|handle| inner.runtime.actor::<Letter>(handle));
        Ok(found.filter_map(|actor| Some(inner.directory.find(&actor.id()).ok()?.handle)).collect())
    }

    /// Sends a message to each member of a group; how many mailboxes took it.
    pub fn broadcast(&self, group: &str, payload: &[u8], options: &SendOptions) -> Result<u64> {
        let inner = self.open_inner()?;
        let letter = inner.loose_letter(payload, options.content_type.as_deref())?;
        let handles = inner.runtime.members(group).into_iter();
        let actors: Vec<_> = handles.filter_map(|handle| inner.runtime.actor::<Letter>(handle)).collect();
        Ok(inner.runtime.broadcast(&actors, &letter) as u64)
    }

    /// Takes the messages that were still queued when their actors ended, oldest first: the last 1,024 since the last
    /// call, or 4 MiB of them. Each of them was an event `message.dead_letter`.
    pub fn dead_letters(&self) -> Result<Vec<DeadLetter>> {
        Ok(self.open_inner()?.morgue.take())
    }
}

/// Topic subscriptions by their number.
pub(super) type Subscribed = dashmap::DashMap<u64, SubscriptionId>;

impl Inner {
    /// A message to whoever it concerns: bounded as the smallest of default mailboxes would have it.
    fn loose_letter(&self, payload: &[u8], content_type: Option<&str>) -> Result<Letter> {
        let allowed = crate::types::limits::Limits::default().resolve()?.payload_bytes;
        if payload.len() as u64 > allowed {
            let text = format!("the payload has {} bytes, allowed are {allowed}", payload.len());
            return Err(Error::new(Code::PayloadTooLarge, text)
                .with("allowed", allowed)
                .with("given", payload.len()));
        }
        super::messages::check_content_type(content_type)?;
        Ok(Letter::from_host(payload.to_vec(), content_type.map(Arc::from)))
    }

    /// Undoes a subscription to topics, if it is one.
    pub(super) fn unsubscribe_topic(&self, handle: SubscriptionHandle) {
        if let Some((_, id)) = self.topics.remove(&handle.raw()) {
            self.runtime.topics::<Letter>().unsubscribe(id);
        }
    }
}
