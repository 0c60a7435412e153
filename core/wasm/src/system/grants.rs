//! Giving capabilities and taking them back.

use std::sync::Arc;
use std::time::Duration;

use airssys_osl::{Ask, Capability, CapabilityError, CapabilitySet};

use super::directory::Resident;
use super::{Inner, System};
use crate::types::error::{Code, Error, Result};
use crate::types::event::detail;
use crate::types::handle::{ActorHandle, GrantHandle, Kind};
use crate::types::info::GrantInfo;

/// Who gave a grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    Baseline,
    Code,
    Policy,
}

/// One grant: a text may name several actions, each a capability of its own under the same handle.
pub(super) struct Given {
    text: String,
    actor: String,
    grants: CapabilitySet,
    ids: Vec<u64>,
    pub origin: Origin,
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
        let info = |found: airssys_osl::GrantInfo| {
            let grant = resident.grant_of(found.id)?;
            Some(GrantInfo { grant, capability: found.text, ttl: found.ttl_left, open: found.open })
        };
        Ok(resident.grants.grants().into_iter().filter_map(info).collect())
    }
}

impl Inner {
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
            actor: resident.id.to_string(),
            grants: resident.grants.clone(),
            ids: Vec::new(),
            origin,
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
        self.ports
            .hub
            .tell("capability.granted", Some(&given.actor), || detail("capability", given.text.clone()));
        self.grants.insert(handle.raw(), given);
        if let Some(ttl) = shortest {
            self.expire_after(handle, ttl);
        }
        Ok(handle)
    }

    fn expire_after(&self, handle: GrantHandle, ttl: Duration) {
        let weak = self.me.clone();
        self.io.handle().spawn(async move {
            tokio::time::sleep(ttl).await;
            if let Some(inner) = weak.upgrade() {
                inner.take_back(handle, true);
            }
        });
    }

    pub(super) fn take_back(&self, handle: GrantHandle, expired: bool) -> Option<u64> {
        let (_, given) = self.grants.remove(&handle.raw())?;
        let cut = given.end(expired);
        let kind = if expired { "capability.expired" } else { "capability.revoked" };
        self.ports.hub.tell(kind, Some(&given.actor), || {
            let mut facts = detail("capability", given.text.clone());
            facts.insert("cut".to_owned(), cut.into());
            facts
        });
        Some(cut)
    }
}

/// Whether a host function, a service, or the host's own [`System::check`] asks for such a capability in this version.
pub(super) fn is_used(capability: &Capability) -> bool {
    let used = ["fs.read", "fs.list", "message.send", "message.request", "clock", "random", "stdio"];
    let regions = ["region.create", "region.read", "region.write"];
    let by_services = ["fs.exec", "process.run"];
    let by_wasi = ["fs.write", "fs.delete", "env", "net.connect", "net.listen", "net.resolve", "http"];
    let name = capability.name();
    used.contains(&name)
        || regions.contains(&name)
        || by_services.contains(&name)
        || by_wasi.contains(&name)
        || name.starts_with("custom.")
}

impl Given {
    fn end(&self, expired: bool) -> u64 {
        let end = |id: &u64| if expired { self.grants.expire(*id) } else { self.grants.revoke(*id) };
        self.ids.iter().filter_map(end).sum()
    }
}
