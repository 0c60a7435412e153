//! Grants that actors handed on: each ends with the one that it is a part of, to any depth.

use std::fmt;
use std::sync::{Arc, OnceLock, PoisonError, Weak};
use std::time::{Duration, Instant};

use crate::ask::Ask;
use crate::ask_parse;
use crate::audit::Operation;
use crate::capability::Capability;
use crate::denial::{Denial, DenialKind, Refusal};
use crate::error::CapabilityError;
use crate::grant::Grant;
use crate::scope::Scope;
use crate::set::{CapabilitySet, Held, Inner};

/// How often a grant may be handed on from one to the next.
pub(crate) const DEPTH_MAX: usize = 8;
/// Grants that one actor may have handed on, of those that still hold.
const HANDED_ON_MAX: usize = 64;
/// Grants that one actor may have been handed.
const RECEIVED_MAX: usize = 256;

/// Called when a grant that was handed on has ended because its parent did: how, and how many resources that cut. No lock
/// is held meanwhile.
pub type Told = Box<dyn FnOnce(DenialKind, u64) + Send + Sync>;

/// What is handed on: a grant to be.
pub struct Part {
    /// New to the receiver's set.
    pub id: u64,
    pub capability: Capability,
    pub ttl: Option<Duration>,
    pub told: Told,
}

/// Why something was not handed on.
#[derive(Debug)]
pub enum HandOnError {
    /// No live grant of the giver covers all of it, or a ban of the giver may touch it.
    Denied(Denial),
    /// Of `which` there are as many as may be.
    TooMany {
        which: &'static str,
        allowed: usize,
    },
    /// The receiver has ended.
    Ended,
    Invalid(CapabilityError),
}

impl fmt::Display for HandOnError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HandOnError::Denied(denial) => denial.fmt(f),
            HandOnError::TooMany { which, allowed } => write!(f, "{allowed} {which}, as many as may be"),
            HandOnError::Ended => f.write_str("the receiver has ended"),
            HandOnError::Invalid(why) => why.fmt(f),
        }
    }
}

impl std::error::Error for HandOnError {}

/// What a grant that was handed on knows of where it comes from.
pub(crate) struct Lineage {
    pub giver: Arc<str>,
    pub parent: Arc<Grant>,
    /// 1 for a part of what the host gave.
    pub depth: usize,
    /// Where the parent notes it.
    key: OnceLock<u64>,
}

impl Lineage {
    fn of(giver: &Arc<str>, parent: Arc<Grant>) -> Self {
        Self { giver: giver.clone(), depth: parent.depth() + 1, parent, key: OnceLock::new() }
    }

    /// The child has ended by itself: the parent need not know of it any more.
    pub fn end(&self) {
        if let Some(key) = self.key.get() {
            self.parent.disown(*key);
        }
    }
}

/// What a grant knows of what was handed on of it.
pub(crate) struct Heir {
    set: Weak<Inner>,
    id: u64,
    told: Told,
}

impl Heir {
    /// Ends it because its parent has ended; how many resources that cut.
    pub fn end(self, kind: DenialKind) -> u64 {
        let operation = if kind == DenialKind::Expired { Operation::Expire } else { Operation::Revoke };
        let set = self.set.upgrade().map(CapabilitySet);
        let Some(cut) = set.and_then(|set| set.end(self.id, kind, operation)) else { return 0 };
        (self.told)(kind, cut);
        cut
    }
}

impl CapabilitySet {
    /// Hands a part of one live grant on to another actor, who has it until it is taken back there, the grant ends or this
    /// actor does; for as long as the grant at most. What is opened under it is cut then. All that it allows must surely
    /// be allowed by that one grant, and touched by no ban of this set; the receiver's bans hold when it is used.
    /// How long at most, if that is bounded.
    pub fn hand_on(
        &self,
        to: &CapabilitySet,
        part: Part,
        function: &str,
    ) -> Result<Option<Duration>, HandOnError> {
        let Part { id, capability, ttl, told } = part;
        if [ttl, capability.ttl()].contains(&Some(Duration::ZERO)) {
            let reason = "a ttl of zero grants nothing: leave it out";
            return Err(HandOnError::Invalid(CapabilityError::new(&capability.to_string(), reason)));
        }
        let denied = |refusal| HandOnError::Denied(self.deny(refusal, capability.to_string(), function));
        // One after the other, so that the count is exact.
        let handing = self.0.handing.lock().unwrap_or_else(PoisonError::into_inner);
        let parent = self.read(|held| parent_of(held, &capability)).map_err(denied)?;
        if parent.depth() >= DEPTH_MAX {
            return Err(HandOnError::TooMany { which: "times handed on", allowed: DEPTH_MAX });
        }
        if self.read(|held| held.grants.iter().map(|grant| grant.heirs_count()).sum::<usize>())
            >= HANDED_ON_MAX
        {
            return Err(HandOnError::TooMany { which: "grants handed on", allowed: HANDED_ON_MAX });
        }
        let child = child_of(self, to, &parent, (id, capability.clone(), ttl));
        push(to, &child)?;
        let heir = Heir { set: Arc::downgrade(&to.0), id, told };
        match parent.bequeath(heir) {
            Ok(key) => child.lineage.iter().for_each(|lineage| {
                let _ = lineage.key.set(key);
            }),
            Err(kind) => {
                let removed = to.write().grants.remove(id);
                // New bans may have put another in its place.
                removed.iter().for_each(|grant| {
                    grant.end(kind);
                });
                child.end(kind);
                return Err(denied(Refusal::because(kind, parent.text.clone())));
            }
        }
        // It ended between the two: its parent need not keep it.
        if to.read(|held| held.grants.iter().all(|grant| grant.id != id)) {
            child.lineage.iter().for_each(|lineage| lineage.end());
        }
        drop(handing);
        to.record_change(&child, Operation::Grant);
        Ok(child.deadline.map(|deadline| deadline.saturating_duration_since(Instant::now())))
    }

    /// Whether a live grant surely allows all of this, and no ban refuses all of it. Nothing is recorded.
    pub fn holds(&self, capability: &Capability) -> Result<(), DenialKind> {
        self.read(|held| {
            if held.bans.of_all(capability).is_some() {
                return Err(DenialKind::Forbidden);
            }
            // One exact thing is asked for as it would be used; a text without a bound or a protocol is more than one.
            let several =
                |ask: &Ask| matches!(ask, Ask::NetConnect(_) | Ask::NetListen(_) | Ask::RegionCreate { .. });
            let exact = ask_parse::only(capability).filter(|ask| !several(ask));
            match exact.map(|ask| held.grants.decide(&ask, Instant::now).map(|_| ())) {
                Some(Ok(())) => Ok(()),
                _ => covering(held, capability).map(|_| ()).ok_or(DenialKind::NotGranted),
            }
        })
    }

    /// Records that something was asked for in vain.
    pub fn refuse(
        &self,
        kind: DenialKind,
        rule: Option<&str>,
        capability: &Capability,
        function: &str,
    ) -> Denial {
        let ban = || self.read(|held| held.bans.of_all(capability).map(|ban| ban.rule.clone()));
        let rule = rule.map(Arc::from).or_else(ban).filter(|_| kind == DenialKind::Forbidden);
        self.deny(Refusal { kind, rule }, capability.to_string(), function)
    }

    /// Whether a grant of this number holds, and its holder has not ended.
    pub fn is_live(&self, id: u64) -> bool {
        let lives = |grant: &Arc<Grant>| grant.id == id && grant.state(Instant::now).is_ok();
        self.read(|held| !held.is_closed && held.grants.iter().any(lives))
    }

    /// Whether they are one set.
    pub fn is(&self, other: &CapabilitySet) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Whose it is.
    pub fn actor(&self) -> &str {
        &self.0.actor
    }

    /// The actor has ended for good: all that it handed on ends, and it is given nothing more.
    pub fn close(&self) {
        let mut held = self.write();
        held.is_closed = true;
        let grants: Vec<Arc<Grant>> = held.grants.iter().cloned().collect();
        drop(held);
        for grant in grants {
            grant.shut();
            grant.lineage.iter().for_each(|lineage| lineage.end());
        }
    }
}

/// The grant that a part is taken from: of those that hold and cover it the one that lasts longest.
fn parent_of(held: &Held, capability: &Capability) -> Result<Arc<Grant>, Refusal> {
    if let Some(ban) = held.bans.touching(capability) {
        return Err(ban.into());
    }
    let parent = covering(held, capability).filter(|_| !held.is_closed).cloned();
    let parent = parent.ok_or(DenialKind::NotGranted)?;
    // The grant may begin behind a link: a ban counts for where that really leads.
    if held.bans.are_of_paths()
        && let (Some(base), Scope::Path(pattern)) = (parent.base(), capability.scope())
    {
        let real = base.real_path().and_then(|real| pattern.moved(base.depth(), &real));
        let real = capability.with_scope(Scope::Path(real.ok_or(DenialKind::Forbidden)?));
        if let Some(ban) = held.bans.touching(&real) {
            return Err(ban.into());
        }
    }
    Ok(parent)
}

fn covering<'a>(held: &'a Held, capability: &Capability) -> Option<&'a Arc<Grant>> {
    let wanted = capability.timeless();
    let covers = |grant: &&Arc<Grant>| {
        grant.capability.timeless().includes(&wanted) && grant.state(Instant::now).is_ok()
    };
    let lasting = |grant: &&Arc<Grant>| {
        (grant.deadline.is_some(), grant.deadline.map(std::cmp::Reverse), grant.depth())
    };
    held.grants.iter().filter(covers).min_by_key(lasting)
}

fn child_of(
    from: &CapabilitySet,
    to: &CapabilitySet,
    parent: &Arc<Grant>,
    (id, capability, ttl): (u64, Capability, Option<Duration>),
) -> Arc<Grant> {
    let ttl = [ttl, capability.ttl()].into_iter().flatten().min();
    let own = ttl.and_then(|ttl| Instant::now().checked_add(ttl));
    let deadline = [own, parent.deadline].into_iter().flatten().min();
    let child = Grant::new(&to.0.actor, id, capability, deadline);
    let child = child.of_lineage(Lineage::of(&from.0.actor, parent.clone()));
    // The directory that the parent holds, not one that is opened now: what took its place since leads nowhere.
    Arc::new(match parent.base() {
        Some(base) => child.of_files(base),
        None => child,
    })
}

fn push(to: &CapabilitySet, child: &Arc<Grant>) -> Result<(), HandOnError> {
    let mut held = to.write();
    if held.is_closed {
        return Err(HandOnError::Ended);
    }
    if held.grants.iter().filter(|grant| grant.lineage.is_some()).count() >= RECEIVED_MAX {
        return Err(HandOnError::TooMany { which: "grants received", allowed: RECEIVED_MAX });
    }
    match held.grants.push(child) {
        true => Ok(()),
        false => {
            let reason = format!("the grant id {} is taken", child.id);
            Err(HandOnError::Invalid(CapabilityError::new(&child.text, &reason)))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::thread;

    use super::*;
    use crate::audit::{Audit, AuditConfig};

    fn capability() -> Capability {
        Capability::parse("env A").unwrap().remove(0)
    }

    /// Hands the grant of one actor on to another, and lets something happen once it was decided that this may be; what it
    /// came to, and whether the giver was told of an end.
    fn hand_meanwhile(
        from: &CapabilitySet,
        to: &CapabilitySet,
        meanwhile: impl FnOnce(),
    ) -> (Result<(), DenialKind>, bool) {
        let parent = from.read(|held| held.grants.iter().next().cloned()).expect("it was given one");
        let told = Arc::new(AtomicBool::new(false));
        let of_part = told.clone();
        let tell: Told = Box::new(move |_, _| of_part.store(true, Ordering::Relaxed));
        let part = Part { id: 10, capability: capability(), ttl: None, told: tell };
        // Nothing is put there as long as this is held.
        let receiver = to.write();
        let idle = Arc::strong_count(&parent);
        let outcome = thread::scope(|scope| {
            let hands = scope.spawn(|| from.hand_on(to, part, "test"));
            // Whoever has found the parent keeps it.
            while Arc::strong_count(&parent) == idle {
                thread::yield_now();
            }
            meanwhile();
            drop(receiver);
            hands.join().unwrap()
        });
        let outcome = match outcome {
            Ok(_) => Ok(()),
            Err(HandOnError::Denied(denial)) => Err(denial.kind),
            Err(other) => panic!("{other}"),
        };
        (outcome, told.load(Ordering::Relaxed))
    }

    #[test]
    fn what_is_not_noted_because_its_grant_has_ended_meanwhile_leaves_nothing_behind() {
        type Ends = fn(&CapabilitySet);
        let ends: [(Ends, DenialKind); 3] = [
            (|from| assert_eq!(from.revoke(1), Some(0)), DenialKind::Revoked),
            (|from| assert_eq!(from.expire(1), Some(0)), DenialKind::Expired),
            (CapabilitySet::close, DenialKind::Revoked),
        ];
        for (end, kind) in ends {
            let audit = Audit::open(AuditConfig::default()).unwrap();
            let [from, to] =
                ["default/a/0", "default/b/0"].map(|name| CapabilitySet::new(name, audit.clone()));
            from.grant(1, capability(), None).unwrap();
            assert_eq!(hand_meanwhile(&from, &to, || end(&from)), (Err(kind), false));
            assert!(to.grants().is_empty() && !to.is_live(10));
            assert_eq!(
                from.read(|held| held.grants.iter().map(|grant| grant.heirs_count()).sum::<usize>()),
                0
            );
            // Its number is free, and it had no beginning that a record tells of.
            to.grant(10, capability(), None).unwrap();
            let handed = audit.recent().into_iter().filter(|record| record.giver.is_some());
            assert_eq!(handed.count(), 0);
        }
    }

    #[test]
    fn what_is_handed_on_while_nothing_ends_is_noted_once() {
        let audit = Audit::open(AuditConfig::default()).unwrap();
        let [from, to] = ["default/a/0", "default/b/0"].map(|name| CapabilitySet::new(name, audit.clone()));
        from.grant(1, capability(), None).unwrap();
        assert_eq!(hand_meanwhile(&from, &to, || {}), (Ok(()), false));
        let heirs = || from.read(|held| held.grants.iter().map(|grant| grant.heirs_count()).sum::<usize>());
        assert_eq!((heirs(), to.revoke(10), heirs()), (1, Some(0), 0));
    }
}
