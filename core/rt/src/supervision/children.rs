//! The table of children: by key, so in the order of starts.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::time::Instant;

use super::spec::{ChildKey, ChildRules};
use crate::exit::Exit;

/// Where a child is in its life.
#[derive(Clone, Debug)]
pub(super) enum State {
    /// No life. `owed`: it was promised another one, with the siblings it is restarted with.
    Down { exit: Exit, owed: bool },
    /// The answer to its start is awaited.
    Starting,
    /// It runs.
    Up { since: Instant },
    /// It was told to stop.
    Ending,
    /// It is started when this wait is over.
    Waiting { serial: u64, exit: Exit },
    /// It ended while the supervisor was busy; what follows from it comes later.
    Dead(Exit),
}

impl State {
    pub(super) fn is_live(&self) -> bool {
        matches!(self, State::Starting | State::Up { .. } | State::Ending)
    }

    /// It runs, or is about to.
    fn is_present(&self) -> bool {
        !matches!(self, State::Down { owed: false, .. })
    }
}

/// One child.
#[derive(Clone, Debug)]
pub(super) struct Child {
    pub(super) rules: ChildRules,
    pub(super) state: State,
    /// Restarts without a long life between.
    pub(super) failures: u32,
}

/// All children of one supervisor.
#[derive(Debug, Default)]
pub(super) struct Children {
    by_key: BTreeMap<ChildKey, Child>,
    ending: usize,
    significant_present: usize,
}

impl Children {
    pub(super) fn len(&self) -> usize {
        self.by_key.len()
    }

    pub(super) fn get(&self, key: ChildKey) -> Option<&Child> {
        self.by_key.get(&key)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (ChildKey, &Child)> {
        self.by_key.iter().map(|(key, child)| (*key, child))
    }

    /// Children that were told to stop and have not answered.
    pub(super) fn ending(&self) -> usize {
        self.ending
    }

    /// Significant children that run or are about to.
    pub(super) fn significant_present(&self) -> usize {
        self.significant_present
    }

    /// A child without a life; false when the key is taken.
    pub(super) fn insert(&mut self, key: ChildKey, rules: ChildRules) -> bool {
        if self.by_key.contains_key(&key) {
            return false;
        }
        let state = State::Down { exit: Exit::Normal, owed: false };
        self.by_key.insert(key, Child { rules, state, failures: 0 });
        true
    }

    pub(super) fn remove(&mut self, key: ChildKey) {
        self.set(key, State::Down { exit: Exit::Normal, owed: false });
        self.by_key.remove(&key);
    }

    pub(super) fn set_failures(&mut self, key: ChildKey, failures: u32) {
        if let Some(child) = self.by_key.get_mut(&key) {
            child.failures = failures;
        }
    }

    /// Every change of a state goes through here, so that the counts are right.
    pub(super) fn set(&mut self, key: ChildKey, state: State) {
        let Some(child) = self.by_key.get_mut(&key) else { return };
        let old = std::mem::replace(&mut child.state, state);
        let is_ending = matches!(child.state, State::Ending);
        self.ending = self.ending + usize::from(is_ending) - usize::from(matches!(old, State::Ending));
        if child.rules.significant {
            self.significant_present += usize::from(child.state.is_present());
            self.significant_present -= usize::from(old.is_present());
        }
    }

    /// The next child after the key, or the first.
    pub(super) fn after(&self, key: Option<ChildKey>) -> Option<(ChildKey, &Child)> {
        let from = key.map_or(Bound::Unbounded, Bound::Excluded);
        self.by_key.range((from, Bound::Unbounded)).next().map(|(key, child)| (*key, child))
    }

    /// The last child before the key, or the last of all, that is not before `first`.
    pub(super) fn before(&self, key: Option<ChildKey>, first: ChildKey) -> Option<(ChildKey, &Child)> {
        if key.is_some_and(|key| key <= first) {
            return None; // a range that ends before it begins would panic
        }
        let to = key.map_or(Bound::Unbounded, Bound::Excluded);
        self.by_key.range((Bound::Included(first), to)).next_back().map(|(key, child)| (*key, child))
    }
}
