//! Giving capabilities and taking them back.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use airssys_osl::{Ask, Capability, CapabilityError, CapabilitySet};
use airssys_rt::ActorId;
use tokio::task::AbortHandle;

use super::directory::Resident;
use super::{Inner, System};
use crate::host::hub::Hub;
use crate::types::error::{Code, Error, Result};
use crate::types::event::detail;
use crate::types::handle::{ActorHandle, GrantHandle, Kind};
use crate::types::info::GrantInfo;

/// Who gave a grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    Baseline,
    Code,
    Policy,
    /// Handed on by this one.
    Actor(ActorId),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Origin::Baseline => "baseline",
            Origin::Code => "host",
            Origin::Policy => "policy",
            Origin::Actor(id) => id.as_str(),
        })
    }
}

/// One grant: a text may name several actions, each a capability of its own under the same handle.
pub(super) struct Given {
    pub text: String,
    pub actor: ActorId,
    pub grants: CapabilitySet,
    pub ids: Vec<u64>,
    pub origin: Origin,
    /// Takes it back when its time is over.
    pub timer: Option<Timer>,
}

/// A timer that ends with the grant.
pub(super) struct Timer(AbortHandle);

impl Drop for Timer {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl System {
    /// Adds a capability, as in `fs.read,list /data/**`; of the call's ttl and the text's the shorter counts.
    pub fn grant(&self, actor: ActorHandle, capability: &str, ttl: Option<Duration>) -> Result<GrantHandle> {
        let inner = self.open_inner()?;
        let resident = inner.directory.resident(actor)?;
        if ttl == Some(Duration::ZERO) {
            return Err(Error::argument("ttl_ms", "0 is no time; leave it out for one until it is revoked"));
        }
        let in_force = inner.policies.read();
        in_force.check_code()?;
        inner.give(&resident, capability, ttl, Origin::Code)
    }

    /// Takes a grant back and closes what was opened under it; how many open resources that cut.
    pub fn revoke(&self, grant: GrantHandle) -> Result<u64> {
        let inner = self.open_inner()?;
        inner.directory.check_ours(grant.raw())?;
        inner
            .take_back(grant, false)
            .ok_or_else(|| Error::new(Code::NotFound, format!("no grant has the number {:#x}", grant.raw())))
    }

    /// Whether the actor may do this now, asked by the host for its own ends: `custom.billing charge`, say. `DENIED` if
    /// not. Audited like the asks of guests.
    pub fn check(&self, actor: ActorHandle, capability: &str) -> Result<()> {
        let inner = self.open_inner()?;
        let resident = inner.directory.resident(actor)?;
        let ask = Ask::parse(capability).map_err(|why| Error::argument("capability", why))?;
        match resident.grants.check(&ask, "host") {
            Ok(_) => Ok(()),
            Err(denial) => {
                inner.ports.denied(&denial);
                Err(denial.into())
            }
        }
    }

    /// All grants of an actor, one line a capability, the baseline first.
    pub fn grants(&self, actor: ActorHandle) -> Result<Vec<GrantInfo>> {
        let inner = self.open_inner()?;
        let resident = inner.directory.resident(actor)?;
        Ok(inner.grants_of(&resident))
    }
}

impl Inner {
    pub(super) fn grants_of(&self, resident: &Resident) -> Vec<GrantInfo> {
        let info = |found: airssys_osl::GrantInfo| {
            let grant = resident.grant_of(found.id)?;
            let given_by = self.grants.get(&grant.raw())?.origin.to_string();
            let airssys_osl::GrantInfo { text: capability, ttl_left: ttl, open, .. } = found;
            Some(GrantInfo { grant, capability, ttl, open, given_by })
        };
        resident.grants.grants().into_iter().filter_map(info).collect()
    }

    pub(super) fn give(
        &self,
        resident: &Arc<Resident>,
        text: &str,
        ttl: Option<Duration>,
        origin: Origin,
    ) -> Result<GrantHandle> {
        let capabilities = Capability::parse(text).map_err(|why| Error::argument("capability", why))?;
        if let Some(unused) = capabilities.iter().find(|capability| !is_used(capability)) {
            let text = format!("{} is not supported by this version: leave it out", unused.name());
            return Err(Error::new(Code::Unsupported, text).with("which", "capability"));
        }
        self.give_all(resident, capabilities, ttl, origin)
    }

    /// The same for what was read already.
    pub(super) fn give_all(
        &self,
        resident: &Arc<Resident>,
        capabilities: Vec<Capability>,
        ttl: Option<Duration>,
        origin: Origin,
    ) -> Result<GrantHandle> {
        let invalid = |why: CapabilityError| Error::argument("capability", why);
        let shortest = capabilities.iter().filter_map(Capability::ttl).chain(ttl).min();
        let handle = GrantHandle(Kind::Grant.tag(self.directory.serial()));
        let mut given = Given {
            text: capabilities.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
            actor: resident.id.clone(),
            grants: resident.grants.clone(),
            ids: Vec::new(),
            origin,
            timer: None,
        };
        for capability in capabilities {
            let id = self.directory.serial();
            if let Err(why) = resident.grants.grant(id, capability, ttl) {
                given.end(false);
                return Err(invalid(why));
            }
            resident.note_grant(id, handle);
            given.ids.push(id);
        }
        let first = given.ids.first().copied();
        given.tell(&self.ports.hub, "capability.granted", None);
        self.grants.insert(handle.raw(), given);
        // Only now, so that it finds what it takes back.
        if let Some(timer) = shortest.map(|ttl| self.expire_after(handle, ttl))
            && let Some(mut given) = self.grants.get_mut(&handle.raw())
        {
            given.timer = Some(timer);
        }
        if first.is_some_and(|id| !resident.grants.is_live(id)) {
            // It ran out, or its actor ended, before it was noted.
            self.take_back(handle, shortest.is_some());
        }
        resident.asks.changed();
        Ok(handle)
    }

    pub(super) fn expire_after(&self, handle: GrantHandle, ttl: Duration) -> Timer {
        let weak = self.me.clone();
        let timer = self.io.handle().spawn(async move {
            tokio::time::sleep(ttl).await;
            if let Some(inner) = weak.upgrade() {
                inner.take_back(handle, true);
            }
        });
        Timer(timer.abort_handle())
    }

    pub(super) fn take_back(&self, handle: GrantHandle, expired: bool) -> Option<u64> {
        let (_, given) = self.grants.remove(&handle.raw())?;
        let cut = given.end(expired);
        self.ended(handle, &given, expired, cut);
        Some(cut)
    }

    /// Tells of a grant that has ended, and forgets its number.
    pub(super) fn ended(&self, handle: GrantHandle, given: &Given, expired: bool, cut: u64) {
        if let Ok(resident) = self.directory.find(&given.actor) {
            resident.forget_grant(handle);
        }
        let kind = if expired { "capability.expired" } else { "capability.revoked" };
        given.tell(&self.ports.hub, kind, Some(cut));
    }
}

/// Whether a host function, a service, or the host's own [`System::check`] asks for such a capability in this version.
pub(super) fn is_used(capability: &Capability) -> bool {
    let used = ["fs.read", "fs.list", "message.send", "message.request", "clock", "random", "stdio"];
    let regions = ["region.create", "region.read", "region.write"];
    let by_services = ["fs.exec", "process.run"];
    let by_wasi = [
        "fs.write",
        "fs.delete",
        "env",
        "net.connect",
        "net.listen",
        "net.resolve",
        "http",
        "kv.read",
        "kv.write",
    ];
    let name = capability.name();
    used.contains(&name)
        || regions.contains(&name)
        || by_services.contains(&name)
        || by_wasi.contains(&name)
        || name.starts_with("custom.")
}

impl Given {
    /// Tells of its beginning or end, and who gave it.
    pub(super) fn tell(&self, hub: &Hub, kind: &str, cut: Option<u64>) {
        hub.tell(kind, Some(self.actor.as_str()), || {
            let mut facts = detail("capability", self.text.clone());
            facts.insert("given_by".to_owned(), self.origin.to_string().into());
            if let Some(cut) = cut {
                facts.insert("cut".to_owned(), cut.into());
            }
            facts
        });
    }

    fn end(&self, expired: bool) -> u64 {
        let end = |id: &u64| if expired { self.grants.expire(*id) } else { self.grants.revoke(*id) };
        self.ids.iter().filter_map(end).sum()
    }
}
