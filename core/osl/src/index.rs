//! Capabilities found by the literal part of their scopes, so that one of a thousand is decided about like one of one.

mod keys;

use std::collections::HashMap;
use std::hash::{BuildHasher, BuildHasherDefault, Hasher};

use foldhash::fast::RandomState;

use crate::ask::Ask;
use crate::capability::Capability;
use keys::Spans;

/// What was filed under capabilities. Those that may decide an ask share a key with it; whether they do is still to be
/// asked of each. Only many of one key, such as `/data/*.a` and `/data/*.b`, are all looked at.
pub(crate) struct Index<T> {
    seed: RandomState,
    shelves: HashMap<u64, Vec<Entry<T>>, BuildHasherDefault<AsItIs>>,
    /// Which keys are worth to look for; what was removed leaves its trace.
    spans: Spans,
}

struct Entry<T> {
    order: u64,
    item: T,
}

impl<T> Default for Index<T> {
    fn default() -> Self {
        Self { seed: RandomState::default(), shelves: HashMap::default(), spans: Spans::default() }
    }
}

impl<T: Clone> Index<T> {
    /// Files the item; its order is higher than each before.
    pub fn insert(&mut self, capability: &Capability, order: u64, item: &T) {
        keys::of_capability(capability, |key| {
            self.spans.mark(&key);
            let shelf = self.shelves.entry(self.seed.hash_one(key)).or_default();
            // Two keys of one capability may be one number.
            if shelf.last().is_none_or(|last| last.order != order) {
                shelf.push(Entry { order, item: item.clone() });
            }
        });
    }

    /// Takes back what was filed in this order under this capability.
    pub fn remove(&mut self, capability: &Capability, order: u64) {
        keys::of_capability(capability, |key| {
            let number = self.seed.hash_one(key);
            let Some(shelf) = self.shelves.get_mut(&number) else { return };
            shelf.retain(|entry| entry.order != order);
            if shelf.is_empty() {
                self.shelves.remove(&number);
            }
        });
    }

    /// Shows all that may decide the ask, with its order. What has one key comes in order, and its rest is left out
    /// once `visit` says so; some may be shown twice. Bans that a pattern of topics, or who listens everywhere, may meet are not found.
    pub fn visit<'a>(&'a self, ask: &Ask, mut visit: impl FnMut(u64, &'a T) -> Go) {
        if self.shelves.is_empty() {
            return;
        }
        keys::of_ask(ask, &self.spans, |key| {
            let shelf = self.shelves.get(&self.seed.hash_one(key)).map_or(&[][..], Vec::as_slice);
            let _ = shelf.iter().all(|entry| visit(entry.order, &entry.item) == Go::On);
        });
    }

    /// The first that may decide the ask and fits.
    pub fn first<'a>(&'a self, ask: &Ask, fits: impl Fn(&T) -> bool) -> Option<&'a T> {
        let mut first: Option<(u64, &T)> = None;
        self.visit(ask, |order, item| {
            if first.is_some_and(|(before, _)| before <= order) {
                return Go::Elsewhere;
            }
            if !fits(item) {
                return Go::On;
            }
            first = Some((order, item));
            Go::Elsewhere
        });
        first.map(|(_, item)| item)
    }
}

/// For numbers that are hashes.
#[derive(Default)]
struct AsItIs(u64);

impl Hasher for AsItIs {
    fn write(&mut self, _: &[u8]) {
        unreachable!("only numbers are hashed so");
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// Where to look next.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Go {
    /// At what comes behind it.
    On,
    /// At what has another key.
    Elsewhere,
}

#[cfg(test)]
#[path = "index_tests.rs"]
mod tests;
