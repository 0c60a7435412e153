//! Waiting in circles: who waits for whom, recorded before anybody looks.

use std::collections::HashSet;
use std::sync::{Arc, Weak};

use crate::handle::Handle;
use crate::id::ActorId;
use crate::node::{Core, Node};
use crate::shared::Shared;
use crate::sync::atomic::Ordering::Relaxed;
use crate::sync::{Mutex, lock};

/// Actors that a walk visits at most.
const WALK_MAX: usize = 10_000;

/// A wait, which may be over before the one who waits has heard of it.
pub(crate) trait Open: Send + Sync {
    fn is_open(&self) -> bool;
}

/// Whom one actor waits for at this moment.
// Boxed: most actors wait for nobody.
#[derive(Default)]
pub(crate) struct Waits(Mutex<Option<Box<Targets>>>);

type Targets = Vec<Target>;

#[derive(Clone)]
struct Target {
    handle: Handle,
    wait: Weak<dyn Open>,
    /// Which turn of the one who waits it belongs to: what it began then and left behind keeps it from nothing now.
    turn: u32,
}

impl Waits {
    fn add(&self, target: Target) {
        lock(&self.0).get_or_insert_default().push(target);
    }

    fn remove(&self, wait: usize) {
        if let Some(targets) = lock(&self.0).as_mut() {
            targets.retain(|target| target.wait.as_ptr().addr() != wait);
        }
    }

    fn targets(&self, turn: u32) -> Vec<Handle> {
        // Cloned out: whether a wait is open is asked under a lock of its own.
        let waits = lock(&self.0).as_deref().cloned().unwrap_or_default();
        let is_open = |target: &&Target| {
            target.turn == turn && target.wait.upgrade().is_some_and(|wait| wait.is_open())
        };
        waits.iter().filter(is_open).map(|target| target.handle).collect()
    }
}

/// The record that one actor waits for another; dropped, it waits no more.
// Not its number: it would be looked up once more.
pub(crate) struct Edge {
    asker: Arc<dyn Node>,
    /// Where it is; the record keeps the place from being used for another one.
    wait: usize,
}

impl Edge {
    /// Records the wait, then looks whether it closes a circle: the ids on it, from the asker on.
    pub(crate) fn record(
        shared: &Arc<Shared>,
        asker: Handle,
        target: Handle,
        wait: Weak<dyn Open>,
    ) -> Result<Option<Self>, Vec<ActorId>> {
        let Some(asker) = shared.node(asker) else { return Ok(None) };
        let turn = asker.core().turn.load(Relaxed);
        let edge = Self { asker, wait: wait.as_ptr().addr() };
        edge.asker.core().waits.add(Target { handle: target, wait, turn });
        match circle(shared, edge.asker.core(), target) {
            Some(ids) => Err(ids),
            None => Ok(Some(edge)),
        }
    }
}

impl Drop for Edge {
    fn drop(&mut self) {
        self.asker.core().waits.remove(self.wait);
    }
}

/// The ids from `asker` over `target` back to `asker`, if the waits lead there.
fn circle(shared: &Shared, asker: &Core, target: Handle) -> Option<Vec<ActorId>> {
    // Most of those asked wait for nobody: then no walk is begun, and nothing allocated.
    if !closes(asker, target) && targets_of(shared, target).is_empty() {
        return None;
    }
    let mut seen = HashSet::from([target]);
    let mut paths = vec![vec![target]];
    while let Some(path) = paths.pop() {
        let last = *path.last()?;
        if closes(asker, last) {
            let above = crate::poller::above(last).into_iter().flatten();
            let ids = std::iter::once(asker.handle).chain(path).chain(above);
            return Some(ids.filter_map(|handle| shared.node(handle).map(|node| node.core().id())).collect());
        }
        for next in targets_of(shared, last) {
            if seen.len() < WALK_MAX && seen.insert(next) {
                paths.push(path.iter().copied().chain([next]).collect());
            }
        }
    }
    None
}

/// Whether this one goes on only after the asker has.
fn closes(asker: &Core, last: Handle) -> bool {
    last == asker.handle || crate::poller::is_beneath(last) || is_above(last, asker)
}

fn targets_of(shared: &Shared, handle: Handle) -> Vec<Handle> {
    let Some(node) = shared.node(handle) else { return Vec::new() };
    node.core().waits.targets(node.core().turn.load(Relaxed))
}

/// Whether this is a supervisor of the asker, or of one of those: it ends only after the asker has.
fn is_above(target: Handle, asker: &Core) -> bool {
    let mut above = asker.supervisor();
    while let Some((supervisor, _)) = above {
        if supervisor.core().handle == target {
            return true;
        }
        above = supervisor.core().supervisor();
    }
    false
}
