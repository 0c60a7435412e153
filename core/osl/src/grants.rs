use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Instant;

use crate::ask::Ask;
use crate::denial::DenialKind;
use crate::grant::Grant;
use crate::index::{Go, Index};

/// All grants of one set, in the order in which they were given.
#[derive(Default)]
pub(crate) struct Grants {
    by_order: BTreeMap<u64, Arc<Grant>>,
    /// By id.
    orders: HashMap<u64, u64>,
    index: Index<Arc<Grant>>,
    last_order: u64,
}

impl Grants {
    /// In their order.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Grant>> {
        self.by_order.values()
    }

    /// Adds the last one; false when its id is taken.
    pub fn push(&mut self, grant: &Arc<Grant>) -> bool {
        if self.orders.contains_key(&grant.id) {
            return false;
        }
        self.last_order += 1;
        self.orders.insert(grant.id, self.last_order);
        self.index.insert(&grant.capability, self.last_order, grant);
        self.by_order.insert(self.last_order, grant.clone());
        true
    }

    pub fn remove(&mut self, id: u64) -> Option<Arc<Grant>> {
        let order = self.orders.remove(&id)?;
        let grant = self.by_order.remove(&order)?;
        self.index.remove(&grant.capability, order);
        Some(grant)
    }

    /// Puts new grants in the place of some, under which nothing is open; those that were there before.
    pub fn renew(&mut self, which: impl Fn(&Grant) -> bool) -> Vec<Arc<Grant>> {
        let mut before = Vec::new();
        for grant in self.by_order.values_mut().filter(|grant| which(grant)) {
            let new = Arc::new(grant.anew());
            before.push(std::mem::replace(grant, new));
        }
        if !before.is_empty() {
            self.index = Index::default();
            for (order, grant) in &self.by_order {
                self.index.insert(&grant.capability, *order, grant);
            }
        }
        before
    }

    /// The grant that allows the ask: a function of its arguments, time included. The first that covers it and holds;
    /// if some cover it and none holds, how the first of them ended.
    pub fn decide(&self, ask: &Ask, now: impl Fn() -> Instant) -> Result<&Arc<Grant>, DenialKind> {
        let mut live: Option<(u64, &Arc<Grant>)> = None;
        let mut ended: Option<(u64, DenialKind)> = None;
        self.index.visit(ask, |order, grant| {
            if live.is_some_and(|(first, _)| first <= order) {
                return Go::Elsewhere;
            }
            if !grant.capability.covers(ask) {
                return Go::On;
            }
            match grant.state(&now) {
                Ok(()) => {
                    live = Some((order, grant));
                    return Go::Elsewhere;
                }
                Err(kind) if ended.is_none_or(|(first, _)| order < first) => ended = Some((order, kind)),
                Err(_) => {}
            }
            Go::On
        });
        let refusal = ended.map_or(DenialKind::NotGranted, |(_, kind)| kind);
        live.map(|(_, grant)| grant).ok_or(refusal)
    }

    /// All that cover one of the asks, in their order.
    pub fn covering(&self, asks: &[Ask]) -> impl Iterator<Item = &Arc<Grant>> {
        let mut found: Vec<(u64, &Arc<Grant>)> = Vec::new();
        for ask in asks {
            self.index.visit(ask, |order, grant| {
                if grant.capability.covers(ask) {
                    found.push((order, grant));
                }
                Go::On
            });
        }
        found.sort_unstable_by_key(|(order, _)| *order);
        found.dedup_by_key(|(order, _)| *order);
        found.into_iter().map(|(_, grant)| grant)
    }
}
