//! Grants that actors hand on to each other, by the numbers and events of all grants.

use std::sync::Arc;

use airssys_osl::{Capability, CapabilitySet, DenialKind, HandOnError, Part, Told};
use airssys_rt::ActorId;

use super::Inner;
use super::directory::Resident;
use super::grants::{Given, Origin, is_used};
use crate::host::{Desk, Handing, NotHanded, Ungrantable};
use crate::types::handle::{GrantHandle, Kind};

impl Inner {
    /// Tells host functions the ways to this system.
    pub(super) fn open_desk(self: &Arc<Self>) {
        let [grants, grantable, hand_on, take_back] = [(); 4].map(|()| self.me.clone());
        let desk = Desk {
            grants: Box::new(move |set| {
                let inner = grants.upgrade();
                let found = inner.and_then(|inner| Some(inner.grants_of(&*inner.holder(&set)?)));
                found.unwrap_or_default()
            }),
            grantable: Box::new(move |capability| match grantable.upgrade() {
                Some(inner) => inner.grantable(&capability),
                None => Err(Ungrantable::Sealed),
            }),
            hand_on: Box::new(move |handing| match hand_on.upgrade() {
                Some(inner) => inner.hand_on(handing).map(|handle| handle.raw()),
                None => Err(NotHanded::NoActor),
            }),
            take_back: Box::new(move |(set, number)| {
                take_back.upgrade().is_some_and(|inner| inner.take_back_of(&set, number))
            }),
        };
        // The only one who sets it.
        let _ = self.ports.desk.set(desk);
    }

    /// Who lives with this set; another of the same id is somebody else.
    fn holder(&self, set: &CapabilitySet) -> Option<Arc<Resident>> {
        let id = set.actor().parse::<ActorId>().ok()?;
        self.directory.find(&id).ok().filter(|resident| resident.grants.is(set))
    }

    fn grantable(&self, capability: &Capability) -> Result<(), Ungrantable> {
        match self.policies.read().check_code() {
            Err(_) => Err(Ungrantable::Sealed),
            Ok(()) if !is_used(capability) => Err(Ungrantable::Unsupported),
            Ok(()) => Ok(()),
        }
    }

    fn hand_on(&self, handing: Handing) -> Result<GrantHandle, NotHanded> {
        let Handing { giver, to, capability, ttl, function } = handing;
        if !is_used(&capability) {
            return Err(NotHanded::Unsupported);
        }
        // Held until it is given, so that a policy that is sealed finds it.
        let in_force = self.policies.read();
        in_force.check_code().map_err(|_| NotHanded::Sealed)?;
        let origin = giver.actor().parse().map_err(|_| NotHanded::NoActor)?;
        let receiver = self.directory.find(&to).map_err(|_| NotHanded::NoActor)?;
        // A supervisor has no use for it.
        receiver.actor().map_err(|_| NotHanded::NoActor)?;
        let handle = GrantHandle(Kind::Grant.tag(self.directory.serial()));
        let id = self.directory.serial();
        let text = capability.to_string();
        let part = Part { id, capability, ttl, told: self.told(handle) };
        let left = giver.hand_on(&receiver.grants, part, function).map_err(|why| match why {
            HandOnError::Denied(denial) => NotHanded::Denied(denial),
            HandOnError::TooMany { .. } => NotHanded::TooMany,
            HandOnError::Ended => NotHanded::NoActor,
            HandOnError::Invalid(why) => NotHanded::Invalid(why.to_string()),
        })?;
        let given = Given {
            text,
            actor: to,
            grants: receiver.grants.clone(),
            ids: vec![id],
            origin: Origin::Actor(origin),
            timer: left.map(|left| self.expire_after(handle, left)),
        };
        receiver.note_grant(id, handle);
        given.tell(&self.ports.hub, "capability.granted", None);
        self.grants.insert(handle.raw(), given);
        if !receiver.grants.is_live(id) {
            // Whoever ended it found no number of it yet.
            self.take_back(handle, false);
        }
        receiver.asks.changed();
        Ok(handle)
    }

    /// What is done when a grant ends because the one that it is a part of does.
    fn told(&self, handle: GrantHandle) -> Told {
        let weak = self.me.clone();
        Box::new(move |kind, cut| {
            let Some(inner) = weak.upgrade() else { return };
            let Some((_, given)) = inner.grants.remove(&handle.raw()) else { return };
            inner.ended(handle, &given, kind == DenialKind::Expired, cut);
        })
    }

    /// Takes back what the holder of this set handed on.
    fn take_back_of(&self, set: &CapabilitySet, number: u64) -> bool {
        let Ok(handle) = GrantHandle::from_raw(number) else { return false };
        let Some(holder) = self.holder(set) else { return false };
        let is_its = |given: &Given| given.origin == Origin::Actor(holder.id.clone());
        self.grants.get(&number).is_some_and(|given| is_its(&given))
            && self.take_back(handle, false).is_some()
    }
}
