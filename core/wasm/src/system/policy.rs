//! The policy in force: what it gives each actor at its start, and what a new one changes for those that live.

use std::path::Path;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, Weak};
use std::time::Duration;

use airssys_osl::Ban;
use airssys_osl::policy::{Policy, PolicyChange, PolicyFile, PolicyRefusal, PolicyWatcher, Resolved};
use airssys_rt::promise;
use serde_json::{Map, Value};

use super::directory::Resident;
use super::grants::{Origin, is_used};
use super::operation::Operation;
use super::{Inner, System};
use crate::types::error::{Code, Error, Result};
use crate::types::event::detail;
use crate::types::policy::{Explanation, PolicyReport};

/// What is in force; whoever starts an actor holds it until the actor has what it says.
#[derive(Default)]
pub(super) struct Policies {
    in_force: RwLock<InForce>,
    /// Held over a whole change, one after the other. Records are written under it, and may wait for the audit: nobody
    /// else waits for it.
    changing: Mutex<()>,
}

#[derive(Default)]
pub(super) struct InForce {
    pub policy: Arc<Policy>,
    /// The file it came from, where there is one.
    name: Option<String>,
    /// Ends with the next policy, which gets one of its own.
    watcher: Option<PolicyWatcher>,
    /// Of the load it came from: what an older watcher still tells is of no interest.
    load: u64,
}

impl Policies {
    pub(super) fn read(&self) -> RwLockReadGuard<'_, InForce> {
        // It is changed by assignments of wholes.
        self.in_force.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, InForce> {
        self.in_force.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self) -> MutexGuard<'_, ()> {
        self.changing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the looking at files, without waiting for a look that goes on. No other begins in a closed system.
    pub(super) fn end_watch(&self) {
        if let Some(watcher) = &self.read().watcher {
            watcher.stop();
        }
    }
}

impl InForce {
    /// Refuses a grant of the host's own code under a sealed policy.
    pub(super) fn check_code(&self) -> Result<()> {
        match self.policy.sealed() {
            false => Ok(()),
            true => {
                let name = self.name.as_deref().unwrap_or("the policy");
                let text =
                    format!("{name} is sealed: what an actor may do stands there, and code grants nothing");
                Err(Error::new(Code::Denied, text).with("rule", "sealed"))
            }
        }
    }
}

impl System {
    /// Reads a policy, runs its tests, and puts it in force, for whoever starts from now on and, before it returns, for
    /// all that live: what it denies is cut, what it no longer allows is revoked. All or nothing: at an error the policy
    /// before stays.
    /// Limits and budgets count from an actor's next start.
    ///
    /// `POLICY_INVALID` with file, line and column; `POLICY_TEST_FAILED` with the tests that do not hold.
    pub fn policy_load(&self, path: &Path) -> Result<()> {
        self.policy_load_async(path).wait()
    }

    /// [`policy_load`](System::policy_load) without blocking.
    pub fn policy_load_async(&self, path: &Path) -> Operation<()> {
        let inner = match self.open_inner() {
            Ok(inner) => inner,
            Err(error) => return self.failed(error),
        };
        let (resolver, pending) = promise::<(), Error>();
        let (weak, path) = (Arc::downgrade(inner), path.to_owned());
        inner.io.handle().spawn_blocking(move || {
            resolver.settle(match weak.upgrade() {
                Some(inner) => inner.load_policy(&path),
                None => Err(Error::new(Code::Closed, "the system is closed")),
            });
        });
        Operation::new(pending, None, &self.inner.tickets)
    }

    /// Which rule of the policy decides what an actor of this id may do, written as a capability without wildcards.
    /// Grants from code are not looked at.
    pub fn policy_explain(&self, actor: &str, capability: &str) -> Result<Explanation> {
        let inner = self.open_inner()?;
        let id = actor.parse::<airssys_rt::ActorId>().map_err(|why| Error::argument("actor", why))?;
        let live = inner.directory.find(&id).ok();
        let digest = live.as_ref().and_then(|resident| resident.digest.as_deref());
        let policy = inner.policies.read().policy.clone();
        let explained = policy.explain(id.as_str(), digest, capability);
        let explained = explained.map_err(|why| Error::argument("capability", why))?;
        Ok(Explanation {
            allowed: explained.allowed,
            text: explained.to_string(),
            rule: explained.rule.as_ref().map(ToString::to_string),
            beaten: explained.beaten.as_ref().map(ToString::to_string),
            policy_line: explained.hint.map(|hint| hint.text),
        })
    }

    /// Runs the tests of the policy in force; only tells what became of them.
    pub fn policy_test(&self) -> Result<PolicyReport> {
        let report = self.open_inner()?.policies.read().policy.test();
        Ok(PolicyReport { passed: report.passed as u64, failed: failures(&report) })
    }
}

impl Inner {
    /// Reads a policy and puts it in force, and then again at each change of its files if policies are to be watched.
    pub(super) fn load_policy(&self, path: &Path) -> Result<()> {
        let name = path.display().to_string();
        let file =
            PolicyFile::open_protected(path, self.audit.clone()).map_err(|why| self.rejected(&name, why))?;
        let policy = file.current();
        let changing = self.policies.change();
        let mut in_force = self.policies.write();
        if self.closed.load(Relaxed) {
            return Err(Error::new(Code::Closed, "the system is closed"));
        }
        let load = in_force.load + 1;
        // What it tells waits for the change, so it never comes before the policy that it follows.
        let watcher = self
            .policy_watch
            .map(|interval| watch_file(self.me.clone(), file, (name.clone(), load), interval));
        let watcher = watcher.transpose().map_err(|why| Error::new(Code::Io, format!("{name}: {why}")))?;
        in_force.load = load;
        let ended = std::mem::replace(&mut in_force.watcher, watcher);
        let not_given = self.put_in_force(in_force, policy, &name);
        drop(changing);
        // Its thread may be waiting for what was held until now.
        drop(ended);
        self.tell_loaded(name, not_given);
        Ok(())
    }

    /// What a watcher has read, unless another policy was loaded since.
    fn follow(&self, policy: Arc<Policy>, name: String, load: u64) {
        let changing = self.policies.change();
        let in_force = self.policies.write();
        if in_force.load != load || self.closed.load(Relaxed) {
            return;
        }
        let not_given = self.put_in_force(in_force, policy, &name);
        drop(changing);
        self.tell_loaded(name, not_given);
    }

    /// From now on for all that start, then for those that live; what could not be given comes back. Whoever calls it
    /// holds the change.
    fn put_in_force(
        &self,
        mut in_force: RwLockWriteGuard<'_, InForce>,
        policy: Arc<Policy>,
        name: &str,
    ) -> Vec<String> {
        in_force.policy = policy.clone();
        in_force.name = Some(name.to_owned());
        let residents = self.directory.all();
        // Each change is a record, which may wait for the audit; nobody who starts waits with it.
        drop(in_force);
        let mut not_given = Vec::new();
        for resident in residents {
            let resolved = policy.resolve(resident.id.as_str(), resident.digest.as_deref());
            if resolved.sealed {
                // While what was banned still is.
                self.take_back_all(&resident);
            }
            not_given.extend(self.apply(&resident, &resolved));
            resident.asks.changed();
        }
        not_given
    }

    fn tell_loaded(&self, name: String, not_given: Vec<String>) {
        self.ports.hub.tell("policy.loaded", None, || {
            let mut facts = detail("file", name);
            if !not_given.is_empty() {
                facts.insert("not_given".to_owned(), not_given.into());
            }
            facts
        });
    }

    /// Gives and takes, so that the actor has what the policy says; what it could not be given comes back, with the reason.
    pub(super) fn apply(&self, resident: &Arc<Resident>, resolved: &Resolved) -> Vec<String> {
        let mut from_policy = resident.from_policy.lock().unwrap_or_else(PoisonError::into_inner);
        from_policy.retain(|(text, grant)| {
            let stays = resolved.allow.iter().any(|ruled| ruled.capability.to_string() == *text);
            if !stays {
                self.take_back(*grant, false);
            }
            stays
        });
        // No ban is lifted before what it held back is taken, and nothing given before it is banned.
        let bans = resolved
            .deny
            .iter()
            .map(|ruled| Ban { capability: ruled.capability.clone(), rule: ruled.to_string().into() });
        resident.grants.forbid(bans.collect());
        let mut not_given = Vec::new();
        for ruled in resolved.allow.iter().filter(|ruled| is_used(&ruled.capability)) {
            let text = ruled.capability.to_string();
            if from_policy.iter().any(|(given, _)| *given == text) {
                continue;
            }
            match self.give_all(resident, vec![ruled.capability.clone()], None, Origin::Policy) {
                Ok(grant) => from_policy.push((text, grant)),
                Err(error) => not_given.push(format!("{} {ruled}: {}", resident.id, error.message)),
            }
        }
        not_given
    }

    /// Takes back what neither the policy nor the baseline gives.
    fn take_back_all(&self, resident: &Resident) {
        let is_free = |origin: &Origin| matches!(origin, Origin::Code | Origin::Actor(_));
        for (_, grant) in resident.given() {
            if self.grants.get(&grant.raw()).is_some_and(|given| is_free(&given.origin)) {
                self.take_back(grant, false);
            }
        }
    }

    /// Tells that a policy was not put in force, and why.
    fn rejected(&self, name: &str, refusal: PolicyRefusal) -> Error {
        let error = refused(refusal);
        self.ports.hub.tell("policy.rejected", None, || {
            let mut facts: Map<String, Value> = detail("file", name);
            facts.insert("code".to_owned(), error.code.name().into());
            facts.insert("message".to_owned(), error.message.clone().into());
            facts
        });
        error
    }
}

fn watch_file(
    inner: Weak<Inner>,
    file: PolicyFile,
    (name, load): (String, u64),
    interval: Duration,
) -> std::io::Result<PolicyWatcher> {
    Arc::new(file).watch(interval, move |change| {
        let Some(inner) = inner.upgrade() else { return };
        match change {
            PolicyChange::None => {}
            PolicyChange::Loaded(policy) => inner.follow(policy, name.clone(), load),
            PolicyChange::Refused(why) => {
                inner.rejected(&name, why);
            }
        }
    })
}

fn failures(report: &airssys_osl::policy::TestReport) -> Vec<String> {
    let line = |failure: &airssys_osl::policy::TestFailure| {
        format!("{}:{}: {}: got {}", failure.file, failure.line, failure.text, failure.why)
    };
    report.failed.iter().map(line).collect()
}

fn refused(refusal: PolicyRefusal) -> Error {
    let text = refusal.to_string();
    match refusal {
        PolicyRefusal::Invalid(error) => Error::new(Code::PolicyInvalid, text)
            .with("file", error.file.to_string())
            .with("line", error.line)
            .with("column", error.column),
        PolicyRefusal::TestsFailed(report) => Error::new(Code::PolicyTestFailed, text)
            .with("passed", report.passed)
            .with("failed", failures(&report)),
    }
}
