//! The subscribers of topics published to lately, ready to be shared.

use std::collections::HashMap;
use std::hash::BuildHasher;
use std::sync::Arc;

use foldhash::fast::RandomState;

use crate::sync::{RwLock, read, write};
use crate::topic::{Topic, TopicPattern};

// In a model check more shards would only multiply the schedules to try.
/// A power of two.
const SHARDS: usize = if cfg!(feature = "loom") { 1 } else { 16 };
const SHARD_TOPICS_MAX: usize = 256;

/// A bounded cache. What is pushed out or forgotten is given back, so that the caller can drop it without a lock.
pub(crate) struct TopicSnapshots<S> {
    shards: [RwLock<Shard<S>>; SHARDS],
    spread: RandomState,
    /// What one shard keeps of subscribers.
    shard_subscribers_max: usize,
}

struct Shard<S> {
    topics: HashMap<Topic, Arc<[S]>, RandomState>,
    subscribers: usize,
}

impl<S> TopicSnapshots<S> {
    /// An empty cache in which each shard has room for one snapshot of all subscribers there may be.
    pub(crate) fn new(subscribers_max: usize) -> Self {
        let shard = |_| RwLock::new(Shard { topics: HashMap::default(), subscribers: 0 });
        Self {
            shards: std::array::from_fn(shard),
            spread: RandomState::default(),
            shard_subscribers_max: subscribers_max,
        }
    }

    /// The snapshot of this topic, if it is kept.
    pub(crate) fn get(&self, topic: &Topic) -> Option<Arc<[S]>> {
        read(self.shard(topic)).topics.get(topic).cloned()
    }

    /// Keeps a snapshot; a shard that would hold too much starts anew.
    pub(crate) fn keep(&self, topic: &Topic, snapshot: &Arc<[S]>) -> Vec<Arc<[S]>> {
        let mut pushed_out = Vec::new();
        let mut shard = write(self.shard(topic));
        let room = self.shard_subscribers_max.saturating_sub(snapshot.len());
        if shard.topics.len() >= SHARD_TOPICS_MAX || shard.subscribers > room {
            shard.empty_into(&mut pushed_out);
        }
        shard.subscribers += snapshot.len();
        pushed_out.extend(shard.insert(topic, snapshot));
        pushed_out
    }

    /// Forgets the snapshots that a change of this subscription makes wrong, and maybe more.
    pub(crate) fn forget(&self, pattern: &TopicPattern) -> Vec<Arc<[S]>> {
        let mut forgotten = Vec::new();
        match pattern.exact() {
            Some(topic) => forgotten.extend(write(self.shard(&topic)).remove(&topic)),
            // A look at each topic would cost more than to find the few of them again that are still published to.
            None => {
                for shard in &self.shards {
                    write(shard).empty_into(&mut forgotten);
                }
            }
        }
        forgotten
    }

    fn shard(&self, topic: &Topic) -> &RwLock<Shard<S>> {
        &self.shards[self.spread.hash_one(topic) as usize & (SHARDS - 1)]
    }
}

impl<S> Shard<S> {
    fn insert(&mut self, topic: &Topic, snapshot: &Arc<[S]>) -> Option<Arc<[S]>> {
        let replaced = self.topics.insert(topic.clone(), snapshot.clone());
        self.subscribers -= replaced.as_ref().map_or(0, |replaced| replaced.len());
        replaced
    }

    fn remove(&mut self, topic: &Topic) -> Option<Arc<[S]>> {
        let removed = self.topics.remove(topic);
        self.subscribers -= removed.as_ref().map_or(0, |removed| removed.len());
        removed
    }

    fn empty_into(&mut self, out: &mut Vec<Arc<[S]>>) {
        out.extend(self.topics.drain().map(|(_, snapshot)| snapshot));
        self.subscribers = 0;
    }
}

#[cfg(all(test, not(feature = "loom")))]
mod tests {
    use super::*;

    fn topic(text: &str) -> Topic {
        text.parse().expect("a topic")
    }

    fn pattern(text: &str) -> TopicPattern {
        text.parse().expect("a pattern")
    }

    fn kept<S>(snapshots: &TopicSnapshots<S>) -> (usize, usize) {
        let shards = snapshots.shards.iter().map(read);
        let counted = shards.map(|shard| {
            assert_eq!(
                shard.subscribers,
                shard.topics.values().map(|snapshot| snapshot.len()).sum::<usize>()
            );
            (shard.topics.len(), shard.subscribers)
        });
        counted.fold((0, 0), |sum, shard| (sum.0 + shard.0, sum.1 + shard.1))
    }

    #[test]
    fn a_change_of_one_topic_forgets_only_that() {
        let snapshots = TopicSnapshots::new(10);
        for name in ["a", "b", "c"] {
            assert!(snapshots.keep(&topic(name), &Arc::from([name])).is_empty());
        }
        assert_eq!(snapshots.forget(&pattern("b")).len(), 1);
        assert_eq!(snapshots.get(&topic("a")).as_deref(), Some(&["a"][..]));
        assert_eq!(snapshots.get(&topic("b")), None);
        assert_eq!(snapshots.forget(&pattern("z.*")).len(), 2);
        assert_eq!(kept(&snapshots), (0, 0));
    }

    #[test]
    fn a_flood_of_topics_stays_within_the_bounds() {
        let snapshots = TopicSnapshots::new(1_000);
        let (none, few): (Arc<[u8]>, Arc<[u8]>) = (Arc::from([]), Arc::from([0; 100]));
        for (snapshot, topics) in [(&none, SHARD_TOPICS_MAX), (&few, 10)] {
            snapshots.forget(&pattern(">"));
            let (mut topics_most, mut subscribers_most) = (0, 0);
            for number in 0..20_000 {
                snapshots.keep(&topic(&format!("a.{number}")), snapshot);
                let (topics, subscribers) = kept(&snapshots);
                topics_most = topics_most.max(topics);
                subscribers_most = subscribers_most.max(subscribers);
            }
            assert!(topics_most <= SHARDS * topics, "{topics_most}");
            assert!(subscribers_most <= SHARDS * 1_000, "{subscribers_most}");
        }
        let all: Arc<[u8]> = Arc::from([0; 1_000]);
        snapshots.keep(&topic("all"), &all);
        assert!(snapshots.get(&topic("all")).is_some(), "one snapshot of all always has room");
        snapshots.keep(&topic("all"), &few);
        assert_eq!(snapshots.get(&topic("all")).map(|snapshot| snapshot.len()), Some(100));
        kept(&snapshots);
    }
}
