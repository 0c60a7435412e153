use std::collections::HashSet;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock, RwLockWriteGuard};
use std::time::{Duration, Instant};

use crate::ask::Ask;
use crate::audit::{Audit, Decision, Flood, Level, Operation, Record, Running, Subject, Tally};
use crate::ban::Ban;
use crate::bans::Bans;
use crate::capability::Capability;
use crate::denial::{Denial, DenialKind, Refusal};
use crate::error::CapabilityError;
use crate::fs::Base;
use crate::grant::{Grant, Guard};
use crate::grants::Grants;

/// All grants of one actor. A clone is the same set: whoever holds it sees each change at once.
#[derive(Clone)]
pub struct CapabilitySet(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub actor: Arc<str>,
    audit: Arc<Audit>,
    held: RwLock<Held>,
    /// Held while something is handed on.
    pub handing: Mutex<()>,
    /// Of the checks of this actor.
    level: Level,
    denials: Mutex<Flood>,
    /// Denials without a record of their own.
    flooded: OnceLock<Arc<Tally>>,
}

#[derive(Default)]
pub(crate) struct Held {
    pub grants: Grants,
    pub bans: Bans,
    /// The actor has ended for good.
    pub is_closed: bool,
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
    /// The actor that handed it on, if one did.
    pub giver: Option<String>,
}

impl CapabilitySet {
    /// An empty set: it denies everything.
    pub fn new(actor: &str, audit: Arc<Audit>) -> Self {
        Self(Arc::new(Inner {
            actor: actor.into(),
            level: audit.level(actor, Operation::Check),
            audit,
            held: RwLock::default(),
            handing: Mutex::default(),
            denials: Mutex::default(),
            flooded: OnceLock::new(),
        }))
    }

    /// Adds a grant under the caller's id, which must be new to this set; of the call's ttl and the
    /// text's the shorter counts. A file grant opens its directory now. Where there are no files, network and programs,
    /// one of them is refused.
    pub fn grant(
        &self,
        id: u64,
        capability: Capability,
        ttl: Option<Duration>,
    ) -> Result<(), CapabilityError> {
        let refuse = |reason: &str| CapabilityError::new(&capability.to_string(), reason);
        if ttl == Some(Duration::ZERO) {
            return Err(refuse("a ttl of zero grants nothing: leave the grant out"));
        }
        let ttl = [ttl, capability.ttl()].into_iter().flatten().min();
        // A ttl past the end of the clock is none.
        let deadline = ttl.and_then(|ttl| Instant::now().checked_add(ttl));
        let base = Base::of(&capability).map_err(|reason| refuse(&reason))?;
        let grant = Grant::new(&self.0.actor, id, capability.clone(), deadline);
        let grant = Arc::new(match base {
            Some(base) => grant.of_files(Arc::new(base)),
            None => grant,
        });
        let mut held = self.write();
        if held.is_closed {
            return Err(refuse("the actor has ended"));
        }
        if !held.grants.push(&grant) {
            return Err(refuse(&format!("the grant id {id} is taken")));
        }
        drop(held);
        self.record_change(&grant, Operation::Grant);
        Ok(())
    }

    /// Bans these from now on, in place of the bans before: what a ban refuses no grant allows. What is open under a
    /// grant that a new ban may concern is closed; how many resources that cut. A ban of the same thing by another rule
    /// is no new one. Links in a path of a ban are followed now: it holds for the place that they lead to as well.
    pub fn forbid(&self, bans: Vec<Ban>) -> u64 {
        let bans = Bans::new(bans);
        // What is being handed on now is noted before the bans change.
        let handing = self.0.handing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut held = self.write();
        let before = std::mem::replace(&mut held.bans, bans);
        let (new, lifted) =
            (less(held.bans.given(), before.given()), less(before.given(), held.bans.given()));
        let names: HashSet<&str> = new.iter().map(|ban| ban.capability.name()).collect();
        let ended = held.grants.renew(|grant| {
            // Of what was handed on nobody asks again whether a ban of the giver touches it, by whatever name.
            let ends = if grant.heirs_count() > 0 { Ban::meets } else { Ban::concerns };
            names.iter().any(|ban| ends(ban, grant.capability.name()))
        });
        drop(held);
        drop(handing);
        new.iter().for_each(|ban| self.record_ban(ban, Decision::Deny));
        lifted.iter().for_each(|ban| self.record_ban(ban, Decision::Allow));
        ended.iter().map(|grant| grant.end(DenialKind::Revoked)).sum()
    }

    /// The live grants of such capabilities; nothing is decided by that, and nothing recorded.
    pub(crate) fn live(&self, wanted: impl Fn(&Capability) -> bool) -> Vec<Guard> {
        let live = |grant: &&Arc<Grant>| wanted(&grant.capability) && grant.state(Instant::now).is_ok();
        self.read(|held| held.grants.iter().filter(live).cloned().map(Guard::new).collect())
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
            allowed: grant.allowed.count(),
            giver: grant.lineage.as_ref().map(|lineage| lineage.giver.to_string()),
        };
        self.read(|held| held.grants.iter().map(info).collect())
    }

    /// Decides, and records or counts it as the audit's level says. File asks name an absolute, normal path.
    ///
    /// The allowed path takes one read lock, which only a change of the grants contends; where it is only
    /// counted it allocates nothing.
    pub fn check(&self, ask: &Ask, function: &str) -> Result<Guard, Denial> {
        let decided = self.read(|held| decide(held, ask, Instant::now));
        match decided.and_then(|grant| self.audited(grant)) {
            Ok(grant) => {
                let guard = Guard::new(grant);
                if !self.count_only(&guard) {
                    self.record_allowed(&guard, ask.capability_text(), function);
                }
                Ok(guard)
            }
            Err(refusal) => Err(self.deny(refusal, ask.capability_text(), function)),
        }
    }

    /// The same without a record or a count, for what is left out of a list and not refused: a name of the environment
    /// that is not granted, say.
    pub fn covers(&self, ask: &Ask) -> bool {
        self.read(|held| decide(held, ask, Instant::now).is_ok())
    }

    /// The live grants that cover any of the asks; nothing is recorded.
    pub(crate) fn covering(&self, asks: &[Ask]) -> Result<Vec<Guard>, Refusal> {
        self.read(|held| {
            // The asks are ways to say the same: a ban of one is a ban of all.
            if let Some(ban) = asks.iter().find_map(|ask| held.bans.of(ask)) {
                return Err(ban.into());
            }
            let mut refusal = Refusal::from(DenialKind::NotGranted);
            let mut live = Vec::new();
            for grant in held.grants.covering(asks) {
                match grant.state(Instant::now) {
                    Ok(()) => live.push(Guard::new(grant.clone())),
                    Err(kind) => refusal = kind.into(),
                }
            }
            if live.is_empty() { Err(refusal) } else { self.audited(live) }
        })
    }

    /// What bans one of these, whatever grants allow.
    pub(crate) fn ban_of(&self, asks: &[Ask]) -> Option<Refusal> {
        self.read(|held| asks.iter().find_map(|ask| held.bans.of(ask)).map(Refusal::from))
    }

    /// What bans this file under another of its names, as which the asks are made.
    #[cfg(unix)]
    pub(crate) fn ban_of_names(
        &self,
        device: u64,
        inode: u64,
        asks: impl Fn(&str) -> Vec<Ask>,
    ) -> Option<Refusal> {
        // Looked at on the disk without the lock.
        let spelled: Vec<Ban> = self.read(|held| held.bans.spelled(&asks).cloned().collect());
        spelled.iter().find(|ban| ban.leads_to(device, inode)).map(Refusal::from)
    }

    /// Whether anything is banned by its path.
    pub(crate) fn bans_paths(&self) -> bool {
        self.read(|held| held.bans.are_of_paths())
    }

    /// What may ban something below this directory.
    pub(crate) fn ban_below(&self, directory: &str) -> Option<Refusal> {
        self.read(|held| held.bans.below(directory).map(Refusal::from))
    }

    /// Records the start of an operation of the operating system (`connect`, `spawn`…) that a guard
    /// allows; finishing what it gives records the result, with the time it took.
    pub fn begin(&self, operation: &'static str, guard: &Guard, capability: &str, function: &str) -> Running {
        let Inner { actor, audit, .. } = &*self.0;
        let operation = Operation::Os(operation);
        if audit.level(actor, operation) == Level::Denials {
            return Running::unrecorded(audit);
        }
        let mut record = Record::new(audit.now(), actor, operation, capability.into(), Decision::Allow);
        record.function = function.to_owned();
        record.grant = Some(guard.grant());
        record.rule = Some(guard.rule().clone());
        Running::begin(audit, record)
    }

    pub(crate) fn allow(&self, guard: &Guard, capability: String, function: &str) {
        if !self.count_only(guard) {
            self.record_allowed(guard, capability, function);
        }
    }

    /// Counts what was allowed; whether that is all the level asks for.
    fn count_only(&self, guard: &Guard) -> bool {
        let counted = self.0.level == Level::Default && guard.counted();
        if guard.count(counted.then(|| self.0.audit.book())) {
            self.0.audit.nudge();
        }
        counted || self.0.level == Level::Denials
    }

    fn record_allowed(&self, guard: &Guard, capability: String, function: &str) {
        let Inner { actor, audit, .. } = &*self.0;
        let mut record =
            Record::new(audit.now(), actor, Operation::Check, capability.into(), Decision::Allow);
        record.function = function.to_owned();
        record.grant = Some(guard.grant());
        record.rule = Some(guard.rule().clone());
        audit.record(record);
    }

    /// What was decided, unless nothing may be allowed that cannot be recorded.
    fn audited<T>(&self, decided: T) -> Result<T, Refusal> {
        if self.0.audit.denies() { Err(DenialKind::AuditUnavailable.into()) } else { Ok(decided) }
    }

    /// Records a refusal, or counts it in a flood of them; its rule says why, where a grant covered what was asked.
    pub(crate) fn deny(&self, refusal: impl Into<Refusal>, capability: String, function: &str) -> Denial {
        let Refusal { kind, rule } = refusal.into();
        let Inner { actor, audit, denials, flooded, .. } = &*self.0;
        let now = audit.now();
        let mut flood = denials.lock().unwrap_or_else(PoisonError::into_inner);
        let recorded = flood.records(now.monotonic_ns, audit.denials_per_second_max());
        drop(flood);
        if recorded {
            let text = capability.as_str().into();
            let mut record = Record::new(now, actor, Operation::Check, text, Decision::Deny);
            record.function = function.to_owned();
            record.rule = rule.clone();
            audit.record(record);
        } else {
            let tally = flooded.get_or_init(|| Tally::new(actor.clone(), Subject::Denied));
            if tally.add(audit.book()) {
                audit.nudge();
            }
        }
        let rule = rule.filter(|_| kind == DenialKind::Forbidden);
        Denial { kind, capability, function: function.to_owned(), actor: self.0.actor.to_string(), rule }
    }

    pub(crate) fn audit(&self) -> &Audit {
        &self.0.audit
    }

    pub(crate) fn end(&self, id: u64, kind: DenialKind, operation: Operation) -> Option<u64> {
        let grant = self.write().grants.remove(id)?;
        let cut = grant.end(kind);
        grant.lineage.iter().for_each(|lineage| lineage.end());
        self.record_change(&grant, operation);
        Some(cut)
    }

    pub(crate) fn record_change(&self, grant: &Grant, operation: Operation) {
        let Inner { actor, audit, .. } = &*self.0;
        if audit.level(actor, operation) == Level::Denials {
            return;
        }
        let mut record = Record::new(audit.now(), actor, operation, grant.text.clone(), Decision::Allow);
        record.grant = Some(grant.id);
        record.giver = grant.lineage.as_ref().map(|lineage| lineage.giver.clone());
        record.parent = grant.lineage.as_ref().map(|lineage| lineage.parent.id);
        audit.record(record);
    }

    fn record_ban(&self, ban: &Ban, decision: Decision) {
        let Inner { actor, audit, .. } = &*self.0;
        let text = ban.capability.to_string().into();
        let mut record = Record::new(audit.now(), actor, Operation::Forbid, text, decision);
        record.rule = Some(ban.rule.clone());
        audit.record(record);
    }

    pub(crate) fn read<T>(&self, with: impl FnOnce(&Held) -> T) -> T {
        // A writer changes what is held in whole steps, so what a poisoned lock holds is whole.
        with(&self.0.held.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn write(&self) -> RwLockWriteGuard<'_, Held> {
        self.0.held.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The grant that allows the ask, where no ban refuses it.
fn decide(held: &Held, ask: &Ask, now: impl Fn() -> Instant) -> Result<Arc<Grant>, Refusal> {
    match held.bans.of(ask) {
        Some(ban) => Err(ban.into()),
        None => Ok(held.grants.decide(ask, now)?.clone()),
    }
}

/// These without the others.
fn less(these: &[Ban], others: &[Ban]) -> Vec<Ban> {
    let others: HashSet<&Capability> = others.iter().map(|ban| &ban.capability).collect();
    these.iter().filter(|ban| !others.contains(&ban.capability)).cloned().collect()
}
