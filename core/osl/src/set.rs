use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use crate::ask::Ask;
use crate::audit::Audit;
use crate::capability::Capability;
use crate::denial::{Denial, DenialKind};
use crate::error::CapabilityError;
use crate::fs::Base;
use crate::grant::{Grant, Guard};
use crate::record::{Decision, Operation, Record};
use crate::scope::Scope;

/// All grants of one actor. A clone is the same set: whoever holds it sees each change at once.
#[derive(Clone)]
pub struct CapabilitySet(Arc<Inner>);

struct Inner {
    actor: Arc<str>,
    audit: Arc<Audit>,
    grants: RwLock<Vec<Arc<Grant>>>,
}

/// A grant as `grants()` lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrantInfo {
    pub id: u64,
    /// The canonical text.
    pub text: String,
    /// Zero when it has run out and nobody has called `expire` yet.
    pub ttl_left: Option<Duration>,
    /// Files and sockets open under it now.
    pub open: u64,
    /// How often it allowed something.
    pub allowed: u64,
}

impl CapabilitySet {
    /// An empty set: it denies everything.
    pub fn new(actor: &str, audit: Arc<Audit>) -> Self {
        Self(Arc::new(Inner { actor: actor.into(), audit, grants: RwLock::default() }))
    }

    /// Adds a grant under the caller's id, which must be new to this set; of the call's ttl and the
    /// text's the shorter counts. A file grant opens its directory now.
    pub fn grant(
        &self,
        id: u64,
        capability: Capability,
        ttl: Option<Duration>,
    ) -> Result<(), CapabilityError> {
        let refuse = |reason: &str| Err(CapabilityError::new(&capability.to_string(), reason));
        if ttl == Some(Duration::ZERO) {
            return refuse("a ttl of zero grants nothing: leave the grant out");
        }
        let ttl = [ttl, capability.ttl()].into_iter().flatten().min();
        // A ttl past the end of the clock is none.
        let deadline = ttl.and_then(|ttl| Instant::now().checked_add(ttl));
        let base = match capability.scope() {
            Scope::Path(pattern) => Some(Base::open(pattern).map_err(|error| {
                CapabilityError::new(
                    &capability.to_string(),
                    format!("no directory of it can be opened: {error}"),
                )
            })?),
            _ => None,
        };
        let grant = Arc::new(Grant::new(id, capability.clone(), deadline, base));
        let mut grants = self.0.grants.write().unwrap_or_else(PoisonError::into_inner);
        if grants.iter().any(|other| other.id == id) {
            return refuse(&format!("the grant id {id} is taken"));
        }
        grants.push(grant.clone());
        drop(grants);
        self.record_change(&grant, Operation::Grant);
        Ok(())
    }

    /// Files open under all grants now.
    pub(crate) fn open_count(&self) -> u64 {
        let of_files = |grant: &&Arc<Grant>| matches!(grant.capability.scope(), Scope::Path(_));
        self.read(|grants| grants.iter().filter(of_files).map(|grant| grant.open_count()).sum())
    }

    /// The live grants of such capabilities; nothing is decided by that, and nothing recorded.
    pub(crate) fn live(&self, wanted: impl Fn(&Capability) -> bool) -> Vec<Guard> {
        let live = |grant: &&Arc<Grant>| wanted(&grant.capability) && grant.state(Instant::now).is_ok();
        self.read(|grants| grants.iter().filter(live).cloned().map(Guard::new).collect())
    }

    /// Takes a grant back and closes what was opened under it; how many resources that cut, or none
    /// for an unknown id.
    pub fn revoke(&self, id: u64) -> Option<u64> {
        self.end(id, DenialKind::Revoked, Operation::Revoke)
    }

    /// The same for a grant whose ttl has run out. The caller's timer decides that it has.
    pub fn expire(&self, id: u64) -> Option<u64> {
        self.end(id, DenialKind::Expired, Operation::Expire)
    }

    pub fn grants(&self) -> Vec<GrantInfo> {
        let now = Instant::now();
        let info = |grant: &Arc<Grant>| GrantInfo {
            id: grant.id,
            text: grant.text.to_string(),
            ttl_left: grant.deadline.map(|deadline| deadline.saturating_duration_since(now)),
            open: grant.open_count(),
            allowed: grant.allowed.load(Ordering::Relaxed),
        };
        self.read(|grants| grants.iter().map(info).collect())
    }

    /// Decides, and writes exactly one audit record. File asks name an absolute, normal path.
    ///
    /// The allowed path takes one read lock, which only a change of the grants contends; it allocates
    /// nothing but the two texts of its record, which outlive the call on the audit's thread.
    pub fn check(&self, ask: &Ask, function: &str) -> Result<Guard, Denial> {
        match self.read(|grants| decide(grants, ask, Instant::now).cloned()) {
            Ok(grant) => {
                let guard = Guard::new(grant);
                self.allow(&guard, ask.capability_text(), function);
                Ok(guard)
            }
            Err(kind) => Err(self.deny(kind, ask.capability_text(), function, None)),
        }
    }

    /// The live grants that cover any of the asks; nothing is recorded.
    pub(crate) fn covering(&self, asks: &[Ask]) -> Result<Vec<Guard>, DenialKind> {
        self.read(|grants| {
            let mut refusal = DenialKind::NotGranted;
            let mut live = Vec::new();
            for grant in grants.iter().filter(|grant| asks.iter().any(|ask| grant.capability.covers(ask))) {
                match grant.state(Instant::now) {
                    Ok(()) => live.push(Guard::new(grant.clone())),
                    Err(kind) => refusal = kind,
                }
            }
            if live.is_empty() { Err(refusal) } else { Ok(live) }
        })
    }

    pub(crate) fn allow(&self, guard: &Guard, capability: String, function: &str) {
        guard.count();
        let mut record = Record::new(&self.0.actor, Operation::Check, capability.into(), Decision::Allow);
        record.function = function.to_owned();
        record.grant = Some(guard.grant());
        record.rule = Some(guard.rule().clone());
        self.0.audit.record(record);
    }

    /// Records a refusal; `rule` says why, where a grant covered what was asked.
    pub(crate) fn deny(
        &self,
        kind: DenialKind,
        capability: String,
        function: &str,
        rule: Option<String>,
    ) -> Denial {
        let mut record =
            Record::new(&self.0.actor, Operation::Check, capability.as_str().into(), Decision::Deny);
        record.function = function.to_owned();
        record.rule = rule.map(Into::into);
        self.0.audit.record(record);
        Denial { kind, capability, function: function.to_owned(), actor: self.0.actor.to_string() }
    }

    pub(crate) fn audit(&self) -> &Audit {
        &self.0.audit
    }

    fn end(&self, id: u64, kind: DenialKind, operation: Operation) -> Option<u64> {
        let mut grants = self.0.grants.write().unwrap_or_else(PoisonError::into_inner);
        let index = grants.iter().position(|grant| grant.id == id)?;
        let grant = grants.remove(index);
        drop(grants);
        let cut = grant.end(kind);
        self.record_change(&grant, operation);
        Some(cut)
    }

    fn record_change(&self, grant: &Grant, operation: Operation) {
        let mut record = Record::new(&self.0.actor, operation, grant.text.clone(), Decision::Allow);
        record.grant = Some(grant.id);
        self.0.audit.record(record);
    }

    fn read<T>(&self, with: impl FnOnce(&[Arc<Grant>]) -> T) -> T {
        // A writer changes the list in one step, so a poisoned one is whole.
        with(&self.0.grants.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The grant that allows the ask: a function of its arguments, time included. The first that covers it
/// and holds; if some cover it and none holds, how the first of them ended.
fn decide<'a>(
    grants: &'a [Arc<Grant>],
    ask: &Ask,
    now: impl Fn() -> Instant,
) -> Result<&'a Arc<Grant>, DenialKind> {
    let mut refusal = DenialKind::NotGranted;
    for grant in grants.iter().filter(|grant| grant.capability.covers(ask)) {
        match grant.state(&now) {
            Ok(()) => return Ok(grant),
            Err(kind) if refusal == DenialKind::NotGranted => refusal = kind,
            Err(_) => {}
        }
    }
    Err(refusal)
}
