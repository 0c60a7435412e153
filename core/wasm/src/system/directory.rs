//! Who lives in a system, by number and by id, and for a while who has lived there.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use airssys_osl::CapabilitySet;
use airssys_rt::{ActorId, ActorRef, Exit, SupervisorRef};
use dashmap::DashMap;
use dashmap::mapref::entry::Entry;

use crate::host::{Asks, Owner, Site};
use crate::types::error::{Code, Error, Result};
use crate::types::handle::{ActorHandle, GrantHandle, Kind};
use crate::types::letter::{Letter, stopped};

/// How many actors may live at once.
const ACTORS_MAX: usize = 10_000;
/// How many ended actors still answer `ACTOR_STOPPED` with their reason.
const GONE_MAX: usize = 1_024;

/// What a system knows of a live actor.
pub(crate) struct Resident {
    pub handle: ActorHandle,
    pub id: ActorId,
    pub grants: CapabilitySet,
    /// Who of its lives waits for more.
    pub asks: Arc<Asks>,
    pub payload_bytes_max: u64,
    pub shutdown: Duration,
    /// As one that may have regions.
    pub regions: Owner,
    pub way: OnceLock<Way>,
    /// The SHA-256 of its component, if it has one.
    pub digest: Option<String>,
    /// Where it serves http, if it does.
    pub site: Option<Arc<Site>>,
    /// What the policy has given it: the capability, and the grant.
    pub from_policy: Mutex<Vec<(String, GrantHandle)>>,
    /// Which capability of osl belongs to which grant.
    pub(crate) given: Mutex<Vec<(u64, GrantHandle)>>,
}

/// The way to a resident in the runtime.
pub(crate) enum Way {
    /// Empty for the moment between entering the directory and the runtime.
    Actor(Arc<OnceLock<ActorRef<Letter>>>),
    Supervisor(SupervisorRef),
}

impl Resident {
    /// The way to an actor; a supervisor takes no messages.
    pub(super) fn actor(&self) -> Result<&ActorRef<Letter>> {
        match self.way.get() {
            Some(Way::Actor(actor)) => actor.get().ok_or_else(|| self.not_yet()),
            Some(Way::Supervisor(_)) => {
                let text = format!("{} is a supervisor: it takes no messages", self.id);
                Err(Error::new(Code::InvalidHandle, text).at(&self.id))
            }
            None => Err(self.not_yet()),
        }
    }

    /// The way to a supervisor.
    pub(super) fn supervisor(&self) -> Result<&SupervisorRef> {
        match self.way.get() {
            Some(Way::Supervisor(supervisor)) => Ok(supervisor),
            Some(Way::Actor(_)) => {
                let text = format!("{} is an actor: it has no children", self.id);
                Err(Error::new(Code::InvalidHandle, text).at(&self.id))
            }
            None => Err(self.not_yet()),
        }
    }

    /// Its number in the runtime.
    pub(super) fn rt_handle(&self) -> Result<airssys_rt::Handle> {
        match self.way.get() {
            Some(Way::Supervisor(supervisor)) => Ok(supervisor.handle()),
            _ => self.actor().map(ActorRef::handle),
        }
    }

    /// What the runtime said of this one.
    pub(super) fn explain(&self, error: airssys_rt::Error) -> Error {
        match error {
            airssys_rt::Error::NotFound => self.just_ended(),
            error => {
                let error = Error::from(error);
                let message = format!("{}: {}", self.id, error.message);
                Error { message, ..error }.at(&self.id)
            }
        }
    }

    /// The error of an operation that its end overtook.
    pub(super) fn just_ended(&self) -> Error {
        Error::new(Code::ActorStopped, format!("{} has just ended", self.id)).at(&self.id)
    }

    fn not_yet(&self) -> Error {
        Error::new(Code::ActorNotFound, format!("{}: the actor is not registered yet", self.id)).at(&self.id)
    }

    pub(crate) fn note_grant(&self, capability: u64, grant: GrantHandle) {
        self.given.lock().unwrap_or_else(PoisonError::into_inner).push((capability, grant));
    }

    pub(crate) fn forget_grant(&self, grant: GrantHandle) {
        self.given.lock().unwrap_or_else(PoisonError::into_inner).retain(|(_, given)| *given != grant);
    }

    pub(crate) fn given(&self) -> Vec<(u64, GrantHandle)> {
        self.given.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn grant_of(&self, capability: u64) -> Option<GrantHandle> {
        let given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        given.iter().find(|(id, _)| *id == capability).map(|(_, grant)| *grant)
    }
}

/// Each system counts from a random start, so that a handle of another one is told apart.
const SYSTEM_BITS: u32 = 20;
const COUNTER_BITS: u32 = 36;

pub(crate) struct Directory {
    serial: AtomicU64,
    system: u64,
    residents: DashMap<u64, Arc<Resident>>,
    numbers: DashMap<ActorId, u64>,
    gone: DashMap<u64, (ActorId, Exit)>,
    gone_order: Mutex<VecDeque<u64>>,
    /// The last number given to actors of a name, for those that are given none.
    instances: Mutex<HashMap<String, u64>>,
}

impl Default for Directory {
    fn default() -> Self {
        let random = RandomState::new().hash_one(std::process::id());
        let system = (random >> (64 - SYSTEM_BITS)).max(1);
        Self {
            serial: AtomicU64::new(system << COUNTER_BITS),
            system,
            residents: DashMap::new(),
            numbers: DashMap::new(),
            gone: DashMap::new(),
            gone_order: Mutex::default(),
            instances: Mutex::default(),
        }
    }
}

impl Directory {
    /// `INVALID_HANDLE` for a number that another system gave.
    pub(crate) fn check_ours(&self, raw: u64) -> Result<()> {
        match (raw >> COUNTER_BITS) & ((1 << SYSTEM_BITS) - 1) == self.system {
            true => Ok(()),
            false => Err(Error::new(Code::InvalidHandle, format!("{raw:#x} is a handle of another system"))),
        }
    }

    /// The next serial number; numbers are never given twice.
    pub(crate) fn serial(&self) -> u64 {
        self.serial.fetch_add(1, Relaxed) + 1
    }

    /// Takes the id for a new actor.
    pub(crate) fn enter(&self, make: impl FnOnce(ActorHandle) -> Resident) -> Result<Arc<Resident>> {
        if self.residents.len() >= ACTORS_MAX {
            let text = format!("{ACTORS_MAX} actors live, as many as may");
            return Err(Error::new(Code::PoolExhausted, text).with("size", ACTORS_MAX));
        }
        let resident = Arc::new(make(ActorHandle(Kind::Actor.tag(self.serial()))));
        match self.numbers.entry(resident.id.clone()) {
            Entry::Occupied(_) => {
                let text = format!("{}: the id is taken", resident.id);
                return Err(Error::new(Code::AlreadyExists, text).at(&resident.id));
            }
            Entry::Vacant(vacant) => vacant.insert(resident.handle.raw()),
        };
        self.residents.insert(resident.handle.raw(), resident.clone());
        Ok(resident)
    }

    /// The id is free again; its number answers why for a while.
    pub(crate) fn leave(&self, id: &ActorId, exit: &Exit) -> Option<Arc<Resident>> {
        let (_, number) = self.numbers.remove(id)?;
        let mut order = self.gone_order.lock().unwrap_or_else(PoisonError::into_inner);
        self.gone.insert(number, (id.clone(), exit.clone()));
        order.push_back(number);
        if order.len() > GONE_MAX
            && let Some(oldest) = order.pop_front()
        {
            self.gone.remove(&oldest);
        }
        self.residents.remove(&number).map(|(_, resident)| resident)
    }

    /// The live actor of this number.
    pub(crate) fn resident(&self, handle: ActorHandle) -> Result<Arc<Resident>> {
        if let Some(resident) = self.residents.get(&handle.raw()) {
            return Ok(resident.clone());
        }
        self.check_ours(handle.raw())?;
        match self.gone.get(&handle.raw()) {
            Some(gone) => {
                let (id, exit) = gone.value();
                let mut error = stopped(exit).at(id);
                error.message = format!("{id}: {}", error.message);
                Err(error)
            }
            None => {
                Err(Error::new(Code::ActorNotFound, format!("no actor has the number {:#x}", handle.raw())))
            }
        }
    }

    /// The id and the exit of an actor that ended not long ago.
    pub(crate) fn departed(&self, handle: ActorHandle) -> Option<(ActorId, Exit)> {
        self.gone.get(&handle.raw()).map(|gone| gone.value().clone())
    }

    /// The live actor of this id.
    pub(crate) fn find(&self, id: &ActorId) -> Result<Arc<Resident>> {
        let number = self.numbers.get(id).map(|number| *number.value());
        number
            .and_then(|number| self.residents.get(&number).map(|resident| resident.clone()))
            .ok_or_else(|| Error::new(Code::ActorNotFound, format!("no actor is called {id}")).at(id))
    }

    /// All that live.
    pub(crate) fn all(&self) -> Vec<Arc<Resident>> {
        self.residents.iter().map(|entry| entry.value().clone()).collect()
    }

    /// The numbers of all ids in use.
    pub(crate) fn handles(&self) -> HashMap<ActorId, ActorHandle> {
        self.numbers.iter().map(|entry| (entry.key().clone(), ActorHandle(*entry.value()))).collect()
    }

    /// An id for an actor that was given none: the stem of its file and the next number that is free.
    pub(crate) fn free_id(&self, stem: &str) -> Result<ActorId> {
        let name = as_part(stem);
        let mut instances = self.instances.lock().unwrap_or_else(PoisonError::into_inner);
        let last = instances.entry(name.clone()).or_default();
        loop {
            *last += 1;
            let id = ActorId::new("default", &name, &last.to_string())
                .map_err(|why| Error::argument("name", why))?;
            if !self.numbers.contains_key(&id) {
                return Ok(id);
            }
        }
    }
}

/// A file's stem as a part of an id: lower case, with `-` for what an id may not hold.
fn as_part(stem: &str) -> String {
    let allowed =
        |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c.to_ascii_lowercase() } else { '-' };
    let part: String = stem.chars().map(allowed).take(63).collect();
    let part = part.trim_start_matches(['-', '_', '.']);
    if part.is_empty() { "actor".to_owned() } else { part.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_stem_makes_a_valid_part() {
        for (stem, part) in [("Hello World", "hello-world"), ("é", "actor"), ("..x", "x"), ("", "actor")] {
            assert_eq!(as_part(stem), part);
        }
        assert_eq!(as_part(&"a".repeat(100)).len(), 63);
    }
}
