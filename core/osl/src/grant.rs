use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::audit::{Book, Subject, Tally};
use crate::capability::Capability;
use crate::cut::Cut;
use crate::denial::DenialKind;
use crate::fs::Base;
use crate::lineage::{Heir, Lineage};

/// One capability given to one actor, and all that was opened under it.
pub(crate) struct Grant {
    pub id: u64,
    pub capability: Capability,
    pub text: Arc<str>,
    pub deadline: Option<Instant>,
    /// How often it allowed something.
    pub allowed: Arc<Tally>,
    /// By default what it allows is counted, not recorded one by one.
    pub counted: bool,
    /// Where it comes from, if it was handed on.
    pub lineage: Option<Arc<Lineage>>,
    end: AtomicU8,
    minted: Mutex<Minted>,
}

struct Minted {
    base: Option<Arc<Base>>,
    open: HashMap<u64, Arc<dyn Cut>>,
    /// What was handed on of it.
    heirs: HashMap<u64, Heir>,
    /// Its holder has ended: nothing more is handed on.
    is_shut: bool,
    last_key: u64,
}

impl Minted {
    fn new(base: Option<Arc<Base>>) -> Self {
        Self { base, open: HashMap::new(), heirs: HashMap::new(), is_shut: false, last_key: 0 }
    }
}

const LIVE: u8 = 0;
const REVOKED: u8 = 1;
const EXPIRED: u8 = 2;

impl Grant {
    pub fn new(actor: &Arc<str>, id: u64, capability: Capability, deadline: Option<Instant>) -> Self {
        let text: Arc<str> = capability.to_string().into();
        let allowed = Subject::Allowed { grant: id, rule: text.clone() };
        Self {
            id,
            allowed: Tally::new(actor.clone(), allowed),
            counted: is_counted(&text),
            lineage: None,
            text,
            capability,
            deadline,
            end: AtomicU8::new(LIVE),
            minted: Mutex::new(Minted::new(None)),
        }
    }

    /// The same as one of files beneath this directory.
    pub fn of_files(self, base: Arc<Base>) -> Self {
        Self { minted: Mutex::new(Minted::new(Some(base))), ..self }
    }

    /// The same as one that was handed on.
    pub fn of_lineage(self, lineage: Lineage) -> Self {
        Self { lineage: Some(Arc::new(lineage)), ..self }
    }

    /// The same grant, under which nothing is open.
    pub fn anew(&self) -> Self {
        Self {
            id: self.id,
            capability: self.capability.clone(),
            text: self.text.clone(),
            deadline: self.deadline,
            allowed: self.allowed.clone(),
            counted: self.counted,
            lineage: self.lineage.clone(),
            end: AtomicU8::new(self.end.load(Ordering::Acquire)),
            minted: Mutex::new(Minted::new(self.base())),
        }
    }

    /// Whether the grant holds at `now`; past its ttl it does not, even before anybody called `expire`.
    pub fn state(&self, now: impl FnOnce() -> Instant) -> Result<(), DenialKind> {
        match self.ended() {
            Some(kind) => Err(kind),
            // One that was handed on has the deadline of its parent, or an earlier one.
            None if self.deadline.is_some_and(|deadline| deadline <= now()) => Err(DenialKind::Expired),
            None => Ok(()),
        }
    }

    /// How it was ended, or one that it was handed on from.
    fn ended(&self) -> Option<DenialKind> {
        match self.end.load(Ordering::Acquire) {
            REVOKED => Some(DenialKind::Revoked),
            EXPIRED => Some(DenialKind::Expired),
            _ => self.lineage.as_ref().and_then(|lineage| lineage.parent.ended()),
        }
    }

    /// How often it was handed on: 0 for one that was given by the host.
    pub fn depth(&self) -> usize {
        self.lineage.as_ref().map_or(0, |lineage| lineage.depth)
    }

    /// Ends the grant and closes what was minted from it, and ends what was handed on of it; how many resources that cut.
    pub fn end(&self, kind: DenialKind) -> u64 {
        let end = if kind == DenialKind::Expired { EXPIRED } else { REVOKED };
        self.end.store(end, Ordering::Release);
        let mut minted = self.lock();
        minted.base = None;
        let (open, heirs) = (std::mem::take(&mut minted.open), std::mem::take(&mut minted.heirs));
        drop(minted);
        open.values().for_each(|open| open.cut());
        open.len() as u64 + heirs.into_values().map(|heir| heir.end(kind)).sum::<u64>()
    }

    /// Notes what is handed on of it, to end with it; under which key. Refused when it has ended meanwhile.
    pub fn bequeath(&self, heir: Heir) -> Result<u64, DenialKind> {
        let mut minted = self.lock();
        // As with what is tied: nothing slips in after the end.
        match self.state(Instant::now) {
            Ok(()) if minted.is_shut => return Err(DenialKind::Revoked),
            state => state?,
        }
        minted.last_key += 1;
        let key = minted.last_key;
        minted.heirs.insert(key, heir);
        Ok(key)
    }

    /// Forgets what was handed on, for that has ended.
    pub fn disown(&self, key: u64) {
        let heir = self.lock().heirs.remove(&key);
        drop(heir);
    }

    /// Takes back all that was handed on, for its holder has ended.
    pub fn shut(&self) {
        let mut minted = self.lock();
        minted.is_shut = true;
        let heirs = std::mem::take(&mut minted.heirs);
        drop(minted);
        heirs.into_values().for_each(|heir| {
            heir.end(DenialKind::Revoked);
        });
    }

    pub fn heirs_count(&self) -> usize {
        self.lock().heirs.len()
    }

    pub fn base(&self) -> Option<Arc<Base>> {
        self.lock().base.clone()
    }

    pub fn open_count(&self) -> u64 {
        self.lock().open.len() as u64
    }

    fn lock(&self) -> MutexGuard<'_, Minted> {
        // No code that runs under this lock can leave it half changed.
        self.minted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Messages, keys, clocks, random numbers and stdio: too many to record each, and nothing of the operating
/// system. An actor that is spawned is more than a message.
fn is_counted(text: &str) -> bool {
    let name = text.split(' ').next().unwrap_or_default();
    matches!(name, "clock" | "random" | "stdio" | "kv.read" | "kv.write")
        || name.strip_prefix("message.").is_some_and(|action| action != "spawn")
}

/// Stays with whatever was opened or begun under a grant, and tells whether the grant still holds.
#[derive(Clone)]
pub struct Guard(Arc<Grant>);

impl Guard {
    pub(crate) fn new(grant: Arc<Grant>) -> Self {
        Self(grant)
    }

    /// To be asked at each use. Takes no lock, and reads the clock only for a grant with a ttl.
    pub fn alive(&self) -> Result<(), DenialKind> {
        self.0.state(Instant::now)
    }

    /// The id under which the grant was given.
    pub fn grant(&self) -> u64 {
        self.0.id
    }

    pub(crate) fn capability(&self) -> &Capability {
        &self.0.capability
    }

    pub(crate) fn base(&self) -> Option<Arc<Base>> {
        self.0.base()
    }

    /// Counts one allowed use, for the summary of the interval if it has no record of its own.
    /// True when that summary should not wait.
    pub(crate) fn count(&self, summary: Option<&Book>) -> bool {
        match summary {
            Some(book) => self.0.allowed.add(book),
            None => {
                self.0.allowed.add_unlisted();
                false
            }
        }
    }

    pub(crate) fn counted(&self) -> bool {
        self.0.counted
    }

    pub(crate) fn rule(&self) -> &Arc<str> {
        &self.0.text
    }

    /// Ties what the end of the grant must cut to it; refused when the grant has ended meanwhile.
    pub(crate) fn tie<T: Cut + 'static>(&self, resource: Arc<T>) -> Result<Lease<T>, DenialKind> {
        let mut minted = self.0.lock();
        // `end` is set before the table is emptied under this lock, so nothing slips in after that.
        self.alive()?;
        minted.last_key += 1;
        let key = minted.last_key;
        minted.open.insert(key, resource.clone());
        drop(minted);
        Ok(Lease { guard: self.clone(), key, resource })
    }

    /// Ties what was minted under another grant to this one as well: the end of either cuts it.
    pub(crate) fn share<T: Cut + 'static>(&self, lease: &Lease<T>) -> Result<Lease<T>, DenialKind> {
        self.tie(lease.resource.clone())
    }
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Guard({}: {})", self.0.id, self.0.text)
    }
}

/// A resource that lives until it is dropped or its grant ends, whichever comes first.
pub(crate) struct Lease<T> {
    guard: Guard,
    key: u64,
    resource: Arc<T>,
}

impl<T> Lease<T> {
    pub fn guard(&self) -> &Guard {
        &self.guard
    }

    pub fn resource(&self) -> &T {
        &self.resource
    }
}

impl<T> Drop for Lease<T> {
    fn drop(&mut self) {
        self.guard.0.lock().open.remove(&self.key);
    }
}
