//! All regions of a system: their names, whose they are, and how much there may be.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use airssys_osl::Ask;
use airssys_rt::ActorId;

use super::region::{Region, removed};
use crate::types::error::{Code, Error, Result};
use crate::types::info::RegionInfo;

/// Regions of one actor at once.
const ACTOR_REGIONS_MAX: u64 = 64;
/// Regions of one system at once.
const SYSTEM_REGIONS_MAX: u64 = 1_024;
/// Bytes of all regions of one system together.
const SYSTEM_BYTES_MAX: u64 = 1 << 30;

/// The regions of one system; a clone is the same.
#[derive(Clone, Default)]
pub(crate) struct Regions(Arc<Mutex<Table>>);

#[derive(Default)]
struct Table {
    all: BTreeMap<Arc<str>, Arc<Region>>,
    /// Of all together.
    bytes: u64,
}

/// An actor over all its lives, as one that may have regions; a clone is the same.
#[derive(Clone)]
pub(crate) struct Owner(Arc<Person>);

struct Person {
    id: ActorId,
    /// Set and read under the lock of the table.
    has_ended: AtomicBool,
    /// Weak, for the table has the owners.
    table: Weak<Mutex<Table>>,
}

impl Regions {
    /// An actor that begins.
    pub(crate) fn owner(&self, id: &ActorId) -> Owner {
        let table = Arc::downgrade(&self.0);
        Owner(Arc::new(Person { id: id.clone(), has_ended: AtomicBool::new(false), table }))
    }

    /// Makes a region of zeros: of an actor within its bound of bytes, or of the host program.
    pub(crate) fn create(&self, name: &str, bytes: u64, owner: Option<(&Owner, u64)>) -> Result<Arc<Region>> {
        check_name(name)?;
        if bytes == 0 {
            return Err(Error::argument("bytes", "a region has at least one"));
        }
        let mut table = self.lock();
        if table.all.contains_key(name) {
            return Err(Error::new(Code::AlreadyExists, format!("there is a region called {name}")));
        }
        if let Some((owner, bytes_max)) = owner {
            if owner.0.has_ended.load(Relaxed) {
                return Err(removed(name));
            }
            let (count, held) = table.of(owner);
            within("regions", ACTOR_REGIONS_MAX, count, 1)?;
            within("region_bytes", bytes_max, held, bytes)?;
        }
        within("system_regions", SYSTEM_REGIONS_MAX, table.all.len() as u64, 1)?;
        within("system_region_bytes", SYSTEM_BYTES_MAX, table.bytes, bytes)?;
        let region = Region::new(name.into(), bytes, owner.map(|(owner, _)| owner.clone()))?;
        let region = Arc::new(region);
        table.bytes += bytes;
        table.all.insert(region.name.clone(), region.clone());
        Ok(region)
    }

    pub(crate) fn get(&self, name: &str) -> Result<Arc<Region>> {
        self.lock().all.get(name).cloned().ok_or_else(|| removed(name))
    }

    /// Removes a region, for an actor only one of its own.
    pub(crate) fn remove(&self, name: &str, by: Option<&Owner>) -> Result<()> {
        let mut table = self.lock();
        let region = table.all.get(name).cloned().ok_or_else(|| removed(name))?;
        if by.is_some_and(|by| !region.is_of(by)) {
            return Err(Error::argument("name", format!("{name} is not this actor's own region")));
        }
        table.all.remove(name);
        table.bytes -= region.bytes;
        drop(table);
        region.free();
        Ok(())
    }

    /// Removes all.
    pub(crate) fn clear(&self) {
        let mut table = self.lock();
        let gone = std::mem::take(&mut table.all);
        table.bytes = 0;
        drop(table);
        gone.values().for_each(|region| region.free());
    }

    /// All of them, in the order of their names.
    pub(crate) fn list(&self) -> Vec<RegionInfo> {
        let info = |region: &Arc<Region>| RegionInfo {
            name: region.name.to_string(),
            bytes: region.bytes,
            owner: region.owner.as_ref().map(|owner| owner.0.id.to_string()),
            open: region.open.load(Relaxed),
        };
        self.lock().all.values().map(info).collect()
    }

    /// How many there are, and their bytes together.
    pub(crate) fn totals(&self) -> (u64, u64) {
        let table = self.lock();
        (table.all.len() as u64, table.bytes)
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        lock(&self.0)
    }
}

impl Owner {
    /// The actor has ended for good: its regions are removed, and it makes no others.
    pub(crate) fn end(&self) {
        let Some(shared) = self.0.table.upgrade() else { return };
        let mut table = lock(&shared);
        self.0.has_ended.store(true, Relaxed);
        let names: Vec<Arc<str>> = table.all_of(self).map(|region| region.name.clone()).collect();
        let gone: Vec<Arc<Region>> = names.iter().filter_map(|name| table.all.remove(name)).collect();
        table.bytes -= gone.iter().map(|region| region.bytes).sum::<u64>();
        drop(table);
        gone.iter().for_each(|region| region.free());
    }
}

impl Table {
    fn all_of(&self, owner: &Owner) -> impl Iterator<Item = &Arc<Region>> {
        self.all.values().filter(|region| region.is_of(owner))
    }

    /// How many regions an actor has, and their bytes together.
    fn of(&self, owner: &Owner) -> (u64, u64) {
        self.all_of(owner).fold((0, 0), |(count, bytes), region| (count + 1, bytes + region.bytes))
    }
}

impl Region {
    fn is_of(&self, owner: &Owner) -> bool {
        self.owner.as_ref().is_some_and(|own| Arc::ptr_eq(&own.0, &owner.0))
    }
}

fn lock(table: &Mutex<Table>) -> MutexGuard<'_, Table> {
    // It is changed in whole steps.
    table.lock().unwrap_or_else(PoisonError::into_inner)
}

fn within(which: &str, allowed: u64, held: u64, more: u64) -> Result<()> {
    match held.checked_add(more) {
        Some(used) if used <= allowed => Ok(()),
        used => Err(Error::limit(which, allowed, used.unwrap_or(u64::MAX))),
    }
}

/// A name is what a capability may say, so that each region can be granted.
fn check_name(name: &str) -> Result<()> {
    let ask = Ask::parse(&format!("region.read {name}")).map_err(|why| Error::argument("name", why))?;
    match ask {
        Ask::RegionRead(read) if read == name => Ok(()),
        _ => Err(Error::argument("name", format!("{name:?} is no name of a region"))),
    }
}

#[cfg(test)]
#[path = "table_tests.rs"]
mod tests;
