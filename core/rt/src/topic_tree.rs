//! Who subscribed to what, so that the subscribers of a topic are found without a look at all patterns.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use foldhash::fast::RandomState;

use crate::topic::{TOPIC_PARTS_MAX, Topic, TopicPattern};

/// A way from one node to another: the node it leaves, and the number of the part on it.
type Edge = (u32, u32);

const ROOT: u32 = 0;
/// The part `*`.
const ANY: u32 = 0;
/// The part `>`.
const REST: u32 = 1;
/// Ordinary parts have numbers from here on.
const LITERAL: u32 = 2;

/// A tree whose ways from the root are the patterns. A node costs some 100 bytes, however many there are.
pub(crate) struct TopicTree<S> {
    /// The nodes but the root, each under the one edge that leads to it.
    nodes: HashMap<Edge, Node<S>, RandomState>,
    node_numbers: Numbers,
    parts: HashMap<Box<str>, Part, RandomState>,
    part_numbers: Numbers,
}

struct Node<S> {
    number: u32,
    /// How many edges leave it.
    branches: u32,
    /// Those whose pattern ends here, by the number of their subscription.
    subscribers: BTreeMap<u64, S>,
}

struct Part {
    number: u32,
    /// How often it occurs in the patterns.
    uses: u32,
}

impl<S: Clone> TopicTree<S> {
    pub(crate) fn new() -> Self {
        Self {
            nodes: HashMap::default(),
            node_numbers: Numbers::starting_at(ROOT + 1),
            parts: HashMap::default(),
            part_numbers: Numbers::starting_at(LITERAL),
        }
    }

    /// Adds a subscriber under a number that is new and greater than all before.
    pub(crate) fn insert(&mut self, pattern: &TopicPattern, number: u64, subscriber: S) {
        let mut at = ROOT;
        let mut way: Option<Edge> = None;
        for part in pattern.parts() {
            let edge = (at, self.use_part(part));
            at = match self.nodes.get(&edge) {
                Some(node) => node.number,
                None => self.grow(way, edge),
            };
            way = Some(edge);
        }
        let node = way.and_then(|edge| self.nodes.get_mut(&edge)).expect("a pattern has a part");
        node.subscribers.insert(number, subscriber);
    }

    /// Adds a node behind the one that `way` leads to.
    fn grow(&mut self, way: Option<Edge>, edge: Edge) -> u32 {
        if let Some(parent) = way.and_then(|way| self.nodes.get_mut(&way)) {
            parent.branches += 1;
        }
        let number = self.node_numbers.take();
        self.nodes.insert(edge, Node { number, branches: 0, subscribers: BTreeMap::new() });
        number
    }

    /// Takes a subscriber out again, with all that only its pattern needed.
    pub(crate) fn remove(&mut self, pattern: &TopicPattern, number: u64) -> Option<S> {
        let way = self.way(pattern)?;
        let subscriber = self.nodes.get_mut(way.last()?)?.subscribers.remove(&number)?;
        self.prune(&way);
        for part in pattern.parts() {
            self.release_part(part);
        }
        if self.nodes.is_empty() {
            *self = Self::new();
        }
        Some(subscriber)
    }

    /// The edges of a pattern from the root on, if somebody subscribed to it.
    fn way(&self, pattern: &TopicPattern) -> Option<Vec<Edge>> {
        let mut way = Vec::with_capacity(TOPIC_PARTS_MAX);
        let mut at = ROOT;
        for part in pattern.parts() {
            let edge = (at, self.part(part)?);
            at = self.nodes.get(&edge)?.number;
            way.push(edge);
        }
        Some(way)
    }

    /// Removes nodes from the end of a way until one is still of use.
    fn prune(&mut self, way: &[Edge]) {
        for (depth, edge) in way.iter().enumerate().rev() {
            let node = &self.nodes[edge];
            if node.branches > 0 || !node.subscribers.is_empty() {
                break;
            }
            self.node_numbers.give(node.number);
            self.nodes.remove(edge);
            if let Some(parent) = depth.checked_sub(1).and_then(|above| self.nodes.get_mut(&way[above])) {
                parent.branches -= 1;
            }
        }
        slim(&mut self.nodes);
    }

    /// The subscribers of a topic, in the order of their numbers.
    pub(crate) fn matching(&self, topic: &Topic) -> Arc<[S]> {
        let mut found = Vec::new();
        let (mut level, mut next) = (vec![ROOT], Vec::new());
        let mut parts = topic.parts().peekable();
        while let Some(part) = parts.next() {
            let literal = self.parts.get(part).map(|part| part.number);
            let is_last = parts.peek().is_none();
            for &at in &level {
                found.extend(self.nodes.get(&(at, REST)).map(|rest| &rest.subscribers));
                let children = [Some(ANY), literal].into_iter().flatten();
                for child in children.filter_map(|part| self.nodes.get(&(at, part))) {
                    match is_last {
                        true => found.push(&child.subscribers),
                        false => next.push(child.number),
                    }
                }
            }
            std::mem::swap(&mut level, &mut next);
            next.clear();
        }
        let mut found: Vec<(u64, &S)> = found.into_iter().flatten().map(|(number, s)| (*number, s)).collect();
        found.sort_unstable_by_key(|(number, _)| *number);
        found.into_iter().map(|(_, subscriber)| subscriber.clone()).collect()
    }

    fn part(&self, part: &str) -> Option<u32> {
        match part {
            "*" => Some(ANY),
            ">" => Some(REST),
            literal => self.parts.get(literal).map(|part| part.number),
        }
    }

    fn use_part(&mut self, part: &str) -> u32 {
        match part {
            "*" => return ANY,
            ">" => return REST,
            _ => {}
        }
        if let Some(known) = self.parts.get_mut(part) {
            known.uses += 1;
            return known.number;
        }
        let number = self.part_numbers.take();
        self.parts.insert(part.into(), Part { number, uses: 1 });
        number
    }

    fn release_part(&mut self, part: &str) {
        let Some(known) = self.parts.get_mut(part) else {
            return; // a wildcard
        };
        known.uses -= 1;
        if known.uses == 0 {
            self.part_numbers.give(known.number);
            self.parts.remove(part);
            slim(&mut self.parts);
        }
    }

    /// Whether no memory is left of what was removed.
    #[cfg(test)]
    pub(crate) fn is_bare(&self) -> bool {
        self.nodes.capacity() + self.parts.capacity() == 0
    }
}

/// Gives memory back once a table that was large is nearly empty; rarely enough to cost nothing on average.
fn slim<K: Eq + std::hash::Hash, V>(table: &mut HashMap<K, V, RandomState>) {
    if table.len() < table.capacity() / 8 {
        table.shrink_to(table.len() * 2);
    }
}

/// The smallest numbers that are free, give or take.
struct Numbers {
    next: u32,
    free: Vec<u32>,
}

impl Numbers {
    fn starting_at(next: u32) -> Self {
        Self { next, free: Vec::new() }
    }

    fn take(&mut self) -> u32 {
        self.free.pop().unwrap_or_else(|| {
            self.next += 1;
            self.next - 1
        })
    }

    fn give(&mut self, number: u32) {
        self.free.push(number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A small generator of numbers, the same for the same seed.
    struct Random(u64);

    impl Random {
        fn below(&mut self, bound: u64) -> u64 {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            self.0 % bound
        }

        /// Up to five parts of a small alphabet, so that patterns and topics often meet.
        fn parts(&mut self, alphabet: &[&'static str]) -> Vec<&'static str> {
            (0..=self.below(5)).map(|_| alphabet[self.below(alphabet.len() as u64) as usize]).collect()
        }

        fn pattern(&mut self) -> TopicPattern {
            let mut parts = self.parts(&["a", "b", "c", "*", "*"]);
            if self.below(3) == 0 {
                parts.push(if self.below(2) == 0 { ">" } else { "**" });
            }
            parts.join(".").parse().expect("a pattern")
        }

        fn topic(&mut self) -> Topic {
            self.parts(&["a", "b", "c", "d"]).join(".").parse().expect("a topic")
        }
    }

    fn check_against_a_plain_list(seed: u64) {
        let mut random = Random(seed);
        let mut tree = TopicTree::new();
        let mut list: Vec<(TopicPattern, u64)> = Vec::new();
        for number in 0..400 {
            if random.below(3) == 0 && !list.is_empty() {
                let (pattern, number) = list.remove(random.below(list.len() as u64) as usize);
                assert_eq!(tree.remove(&pattern, number), Some(number), "seed {seed}");
                assert_eq!(tree.remove(&pattern, number), None, "seed {seed}");
            } else {
                let pattern = random.pattern();
                tree.insert(&pattern, number, number);
                list.push((pattern, number));
            }
            let topic = random.topic();
            let meant = list.iter().filter(|(pattern, _)| pattern.matches(&topic));
            let meant: Vec<u64> = meant.map(|(_, number)| *number).collect();
            assert_eq!(*tree.matching(&topic), *meant, "seed {seed}, {topic}");
        }
        for (pattern, number) in list {
            assert_eq!(tree.remove(&pattern, number), Some(number), "seed {seed}");
        }
        assert!(tree.is_bare(), "seed {seed}");
    }

    #[test]
    fn the_tree_finds_what_a_plain_list_finds() {
        for seed in 1..=200 {
            check_against_a_plain_list(seed);
        }
    }

    #[test]
    fn hostile_g9_patterns_that_share_nothing_are_gone_without_a_trace() {
        let mut tree = TopicTree::new();
        let patterns: Vec<TopicPattern> = (0..1_000)
            .map(|number| {
                let parts: Vec<_> =
                    (0..TOPIC_PARTS_MAX).map(|depth| format!("{number:x}-{depth:x}")).collect();
                parts.join(".").parse().expect("a pattern")
            })
            .collect();
        for (number, pattern) in patterns.iter().enumerate() {
            tree.insert(pattern, number as u64, number);
        }
        for (number, pattern) in patterns.iter().enumerate() {
            assert_eq!(*tree.matching(&pattern.exact().expect("no wildcard")), [number]);
        }
        for (number, pattern) in patterns.iter().enumerate() {
            assert_eq!(tree.remove(pattern, number as u64), Some(number));
        }
        assert!(tree.is_bare());
    }
}
