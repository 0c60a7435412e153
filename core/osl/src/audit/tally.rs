//! What is counted instead of recorded, and summarised per interval.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::clock::Moment;
use super::counts::{Decided, Decisions, FLOOD};
use super::record::{Decision, Operation, Record};

/// How often one grant allowed something, or how many denials of one actor had no record of their own.
pub(crate) struct Tally {
    actor: Arc<str>,
    subject: Subject,
    count: AtomicU64,
    /// What summaries have told of.
    told: AtomicU64,
    /// It stands in the book's list.
    listed: AtomicBool,
}

/// Tallies that wait for the end of the interval; with more of them there is a summary at once.
const LISTED_MAX: usize = 8_192;

pub(crate) enum Subject {
    Allowed { grant: u64, rule: Arc<str> },
    Denied,
}

impl Tally {
    pub fn new(actor: Arc<str>, subject: Subject) -> Arc<Self> {
        let (count, told) = (AtomicU64::new(0), AtomicU64::new(0));
        Arc::new(Self { actor, subject, count, told, listed: AtomicBool::new(false) })
    }

    /// Counts for the next summary: one atomic addition, and once an interval an entry in the list.
    /// True when so many tallies wait that the summary should not.
    pub fn add(self: &Arc<Self>, book: &Book) -> bool {
        // The order of these two meets that of `collect`: a count that it misses lists itself again.
        self.count.fetch_add(1, Ordering::SeqCst);
        !self.listed.load(Ordering::SeqCst) && self.list(book)
    }

    /// Counts for nobody but whoever asks for the count: it has a record of its own, or none by the
    /// level. One tally is used in one of the two ways.
    pub fn add_unlisted(&self) {
        self.count.fetch_add(1, Ordering::Relaxed);
    }

    pub fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    #[cold]
    fn list(self: &Arc<Self>, book: &Book) -> bool {
        if self.listed.swap(true, Ordering::SeqCst) {
            return false;
        }
        let mut page = book.lock();
        page.listed.push(self.clone());
        page.listed.len().is_multiple_of(LISTED_MAX)
    }

    /// What it counts, as a capability and a decision.
    fn decision(&self) -> (&str, Decision) {
        match &self.subject {
            Subject::Allowed { rule, .. } => (rule, Decision::Allow),
            Subject::Denied => (FLOOD, Decision::Deny),
        }
    }

    fn untold(&self) -> u64 {
        self.count.load(Ordering::SeqCst) - self.told.load(Ordering::SeqCst)
    }

    fn summary(&self, count: u64, interval_ms: u64, now: Moment) -> Record {
        let (capability, decision, key) = match &self.subject {
            Subject::Allowed { rule, .. } => (rule.clone(), Decision::Allow, "allowed"),
            Subject::Denied => ("".into(), Decision::Deny, "denied"),
        };
        let mut record = Record::new(now, &self.actor, Operation::Summary, capability, decision);
        record.counts.extend([(key, count), ("interval_ms", interval_ms)]);
        if let Subject::Allowed { grant, .. } = self.subject {
            record.grant = Some(grant);
        }
        record
    }
}

/// The tallies that have counted something since the last summary.
pub(crate) struct Book {
    page: Mutex<Page>,
    /// What summaries have told of. Held while tallies are told or taken back, and never taken under the page's lock.
    told: Mutex<Decided>,
}

struct Page {
    listed: Vec<Arc<Tally>>,
    since_ns: u64,
}

/// A summary that is not written yet.
pub(crate) struct Entry {
    tally: Arc<Tally>,
    count: u64,
}

impl Book {
    pub fn new(now: Moment) -> Self {
        let page = Page { listed: Vec::new(), since_ns: now.monotonic_ns };
        Self { page: Mutex::new(page), told: Mutex::default() }
    }

    /// One record for each tally that has something to tell, since the last collection.
    pub fn collect(&self, now: Moment) -> (Vec<Record>, Vec<Entry>) {
        let all_told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let mut page = self.lock();
        let listed = std::mem::take(&mut page.listed);
        let interval_ms = now.monotonic_ns.saturating_sub(page.since_ns) / 1_000_000;
        page.since_ns = now.monotonic_ns;
        drop(page);
        let mut collected = (Vec::new(), Vec::new());
        for tally in listed {
            tally.listed.swap(false, Ordering::SeqCst);
            let count = tally.untold();
            if count > 0 {
                tally.told.fetch_add(count, Ordering::SeqCst);
                let (capability, decision) = tally.decision();
                all_told.add(capability, decision, count);
                collected.0.push(tally.summary(count, interval_ms, now));
                collected.1.push(Entry { tally, count });
            }
        }
        collected
    }

    /// Takes back what was collected at `since_ns` or later and could not be written.
    pub fn take_back(&self, entries: &[Entry], since_ns: u64) {
        if !entries.is_empty() {
            let mut page = self.lock();
            page.since_ns = page.since_ns.min(since_ns);
        }
        let all_told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        for Entry { tally, count } in entries {
            tally.told.fetch_sub(*count, Ordering::SeqCst);
            let (capability, decision) = tally.decision();
            all_told.take_back(capability, decision, *count);
            tally.list(self);
        }
    }

    /// Adds up all that was ever counted for a summary, told or not.
    pub fn decided(&self, all: &mut BTreeMap<&'static str, Decisions>) {
        let told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.add_to(all);
        let untold = Decided::default();
        for tally in &self.lock().listed {
            let (capability, decision) = tally.decision();
            untold.add(capability, decision, tally.untold());
        }
        untold.add_to(all);
    }

    pub fn since_ns(&self) -> u64 {
        self.lock().since_ns
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Page> {
        // Each change of it is one step.
        self.page.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    #[test]
    fn no_count_is_missed_or_told_twice_while_others_add() {
        let now = Moment { wall: std::time::UNIX_EPOCH, monotonic_ns: 0 };
        let book = Book::new(now);
        let tally = Tally::new("a".into(), Subject::Denied);
        let told = thread::scope(|scope| {
            let adders: Vec<_> = (0..3)
                .map(|_| scope.spawn(|| (0..50_000).for_each(|_| assert!(!tally.add(&book)))))
                .collect();
            let mut told = 0;
            let mut failing = false;
            loop {
                let over = adders.iter().all(|adder| adder.is_finished());
                let (records, entries) = book.collect(now);
                failing = !failing && !over;
                if failing {
                    book.take_back(&entries, 0);
                } else {
                    told += records.iter().map(|record| record.counts["denied"]).sum::<u64>();
                }
                if over && book.lock().listed.is_empty() {
                    return told;
                }
            }
        });
        assert_eq!((told, tally.count()), (150_000, 150_000));
    }
}
