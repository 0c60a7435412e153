//! Publish and subscribe: the table of subscriptions.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use foldhash::fast::RandomState;

use crate::sync::{RwLock, read, write};
use crate::topic::{Topic, TopicPattern};
use crate::topic_snapshots::TopicSnapshots;
use crate::topic_tree::TopicTree;

/// How many subscriptions a table holds where nothing else is said.
pub const SUBSCRIPTIONS_MAX: usize = 100_000;

/// Who is told what is published. A subscriber is whatever the owner makes of it; to clone it must not use the table.
// A snapshot is kept only under the table's lock, and a change forgets under the same lock what it makes wrong; so
// once `subscribe` or `unsubscribe` has returned, no publisher finds what was true before.
pub struct Topics<S: Clone> {
    table: RwLock<Table<S>>,
    snapshots: TopicSnapshots<S>,
    subscriptions_max: usize,
}

struct Table<S> {
    tree: TopicTree<S>,
    patterns: HashMap<u64, TopicPattern, RandomState>,
    last: u64,
}

/// The number of a subscription in its table; never used again, and greater than those of older ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SubscriptionId(u64);

/// The table holds as many subscriptions as it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooMany {
    /// How many that is.
    pub subscriptions_max: usize,
}

impl SubscriptionId {
    /// The number, for those who can only keep numbers.
    pub fn to_u64(self) -> u64 {
        self.0
    }

    /// The id of this number, which may be nobody's.
    pub fn from_u64(number: u64) -> Self {
        Self(number)
    }
}

impl<S: Clone> Default for Topics<S> {
    fn default() -> Self {
        Self::new(SUBSCRIPTIONS_MAX)
    }
}

impl<S: Clone> Topics<S> {
    /// An empty table for at most `subscriptions_max` subscriptions.
    pub fn new(subscriptions_max: usize) -> Self {
        Self {
            table: RwLock::new(Table { tree: TopicTree::new(), patterns: HashMap::default(), last: 0 }),
            snapshots: TopicSnapshots::new(subscriptions_max),
            subscriptions_max,
        }
    }

    /// Adds a subscription; whoever subscribes twice is told twice.
    pub fn subscribe(&self, pattern: TopicPattern, subscriber: S) -> Result<SubscriptionId, TooMany> {
        let mut table = write(&self.table);
        if table.patterns.len() >= self.subscriptions_max {
            return Err(TooMany { subscriptions_max: self.subscriptions_max });
        }
        table.last += 1;
        let number = table.last;
        table.tree.insert(&pattern, number, subscriber);
        let forgotten = self.snapshots.forget(&pattern);
        table.patterns.insert(number, pattern);
        drop(table);
        // Only now: what a subscriber does when it is dropped is not ours to know, so no lock may be held.
        drop(forgotten);
        Ok(SubscriptionId(number))
    }

    /// Ends a subscription; whose it was, or `None` if there is none of this id.
    pub fn unsubscribe(&self, id: SubscriptionId) -> Option<S> {
        let mut table = write(&self.table);
        let pattern = table.patterns.remove(&id.0)?;
        let subscriber = table.tree.remove(&pattern, id.0);
        let forgotten = self.snapshots.forget(&pattern);
        drop(table);
        drop(forgotten);
        subscriber
    }

    /// Whether there is a subscription of this id.
    pub fn contains(&self, id: SubscriptionId) -> bool {
        read(&self.table).patterns.contains_key(&id.0)
    }

    /// Those to be told of what is published to this topic, in the order in which they subscribed.
    pub fn matching(&self, topic: &Topic) -> Arc<[S]> {
        if let Some(snapshot) = self.snapshots.get(topic) {
            return snapshot;
        }
        let table = read(&self.table);
        let snapshot = table.tree.matching(topic);
        let pushed_out = self.snapshots.keep(topic, &snapshot);
        drop(table);
        drop(pushed_out);
        snapshot
    }

    /// How many subscriptions there are.
    #[cfg(all(test, not(feature = "loom")))]
    pub fn len(&self) -> usize {
        read(&self.table).patterns.len()
    }
}

impl fmt::Display for TooMany {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "there are {} subscriptions, as many as there may be", self.subscriptions_max)
    }
}

impl std::error::Error for TooMany {}

#[cfg(all(test, not(feature = "loom")))]
mod tests {
    use std::sync::Weak;

    use super::*;

    fn topic(text: &str) -> Topic {
        text.parse().expect("a topic")
    }

    fn pattern(text: &str) -> TopicPattern {
        text.parse().expect("a pattern")
    }

    #[test]
    fn subscribers_are_told_in_the_order_of_their_subscriptions() {
        let topics = Topics::default();
        for text in ["a.b", ">", "*.b", "a.*", "a.>", "a.b", "b.>", "a"] {
            topics.subscribe(pattern(text), text).expect("room");
        }
        assert_eq!(*topics.matching(&topic("a.b")), ["a.b", ">", "*.b", "a.*", "a.>", "a.b"]);
        assert_eq!(*topics.matching(&topic("a")), [">", "a"]);
    }

    #[test]
    fn a_change_is_seen_by_the_next_publisher() {
        let topics = Topics::default();
        let published = topic("a.b");
        assert!(topics.matching(&published).is_empty());
        let exact = topics.subscribe(pattern("a.b"), 1).expect("room");
        assert_eq!(*topics.matching(&published), [1]);
        let wild = topics.subscribe(pattern("a.*"), 2).expect("room");
        assert_eq!(*topics.matching(&published), [1, 2]);
        assert!(topics.unsubscribe(exact).is_some());
        assert_eq!(*topics.matching(&published), [2]);
        assert!(topics.unsubscribe(wild).is_some());
        assert!(topics.matching(&published).is_empty());
        assert_eq!(topics.len(), 0);
    }

    #[test]
    fn a_repeated_publish_shares_its_snapshot() {
        let topics = Topics::default();
        topics.subscribe(pattern("a.>"), 1).expect("room");
        let first = topics.matching(&topic("a.b"));
        topics.subscribe(pattern("b.b"), 1).expect("room");
        assert!(Arc::ptr_eq(&first, &topics.matching(&topic("a.b"))), "another topic changed");
        topics.subscribe(pattern("a.b"), 2).expect("room");
        assert_eq!((first.len(), topics.matching(&topic("a.b")).len()), (1, 2));
    }

    #[test]
    fn hostile_g9_the_bound_is_exact_and_a_stale_id_ends_nothing() {
        let topics = Topics::new(2);
        let first = topics.subscribe(pattern("a"), 1).expect("room");
        topics.subscribe(pattern("a"), 2).expect("room");
        let refused = topics.subscribe(pattern("a"), 3).expect_err("full");
        assert_eq!(refused.to_string(), "there are 2 subscriptions, as many as there may be");
        assert!(topics.unsubscribe(first).is_some());
        let third = topics.subscribe(pattern("a"), 3).expect("room again");
        assert!(third > first);
        assert!(topics.unsubscribe(first).is_none(), "it has ended");
        assert!(topics.unsubscribe(SubscriptionId::from_u64(u64::MAX)).is_none());
        assert_eq!(*topics.matching(&topic("a")), [2, 3]);
    }

    #[test]
    fn hostile_g9_a_hundred_thousand_subscriptions_and_a_cap() {
        let topics = Topics::default();
        let parts = |number: usize| (0..17).map(move |bit| if number >> bit & 1 == 0 { "a" } else { "*" });
        let ids: Vec<SubscriptionId> = (0..SUBSCRIPTIONS_MAX)
            .map(|number| {
                // Every second one agrees with the topic but for its last part.
                let end = if number % 2 == 0 { "end" } else { "no" };
                let text = parts(number / 2).chain([end]).collect::<Vec<_>>().join(".");
                topics.subscribe(pattern(&text), number).expect("room")
            })
            .collect();
        assert!(topics.subscribe(pattern(">"), 0).is_err());
        let all = topic(&(["a"; 17].join(".") + ".end"));
        let matching = topics.matching(&all);
        assert!(matching.iter().copied().eq((0..SUBSCRIPTIONS_MAX).step_by(2)));
        assert!(topics.matching(&topic(&["b"; 18].join("."))).is_empty());
        for id in ids {
            assert!(topics.unsubscribe(id).is_some());
        }
        assert!(topics.len() == 0 && topics.matching(&all).is_empty());
        assert!(read(&topics.table).tree.is_bare());
    }

    #[test]
    fn a_subscriber_may_use_the_table_while_it_is_dropped() {
        struct Nosy(Weak<Topics<Arc<Nosy>>>);
        impl Drop for Nosy {
            fn drop(&mut self) {
                if let Some(topics) = self.0.upgrade() {
                    topics.matching(&topic("a"));
                    topics.subscribe(pattern("b.*"), Arc::new(Nosy(Weak::new()))).expect("room");
                }
            }
        }
        let topics = Arc::new(Topics::default());
        let id = topics.subscribe(pattern("a"), Arc::new(Nosy(Arc::downgrade(&topics)))).expect("room");
        assert_eq!(topics.matching(&topic("a")).len(), 1);
        assert!(topics.unsubscribe(id).is_some());
        assert_eq!(topics.len(), 1, "its drop has subscribed");
    }

    #[test]
    fn threads_that_publish_and_subscribe_at_once_end_in_agreement() {
        let topics = Topics::default();
        std::thread::scope(|scope| {
            for thread in 0..3 {
                let topics = &topics;
                scope.spawn(move || {
                    for round in 0..500 {
                        let text = if round % 2 == 0 { "a.*" } else { "a.b" };
                        let id = topics.subscribe(pattern(text), thread).expect("room");
                        assert!(topics.matching(&topic("a.b")).contains(&thread));
                        topics.unsubscribe(id);
                        assert!(!topics.matching(&topic("a.b")).contains(&thread));
                    }
                });
            }
        });
        assert!(topics.matching(&topic("a.b")).is_empty());
    }
}

#[cfg(all(test, feature = "loom"))]
mod models {
    use loom::thread;

    use super::*;

    fn check_a_change_is_seen(text: &'static str) {
        loom::model(move || {
            let pattern: TopicPattern = text.parse().expect("a pattern");
            let topic: Topic = "a.b".parse().expect("a topic");
            let topics = Arc::new(Topics::new(2));
            let publisher = thread::spawn({
                let (topics, topic) = (topics.clone(), topic.clone());
                move || topics.matching(&topic)
            });
            let id = topics.subscribe(pattern, 1).expect("room");
            assert_eq!(*topics.matching(&topic), [1], "subscribed");
            assert!(topics.unsubscribe(id).is_some());
            assert!(topics.matching(&topic).is_empty(), "unsubscribed");
            publisher.join().expect("no panic");
        });
    }

    #[test]
    fn model_no_snapshot_outlives_a_change_of_its_topic() {
        check_a_change_is_seen("a.b");
    }

    #[test]
    fn model_no_snapshot_outlives_a_change_of_a_wildcard() {
        check_a_change_is_seen("a.*");
    }
}
