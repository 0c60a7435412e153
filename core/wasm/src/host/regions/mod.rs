//! `airssys:wasm/regions`: memory of the host that actors share, each opening asked for, each use under its grant.

mod pages;
mod region;
mod table;

use std::sync::Arc;

use airssys_osl::{Ask, Denial, Guard, Opened};
use wasmtime::component::{Resource, ResourceTableError};

use self::bindings::airssys::wasm::regions::{self, Access, Error as Refusal, Limit};
pub(crate) use self::region::{COPY_BYTES_MAX, Region, Trouble};
use self::region::{Opening, Right, check_copy};
pub(crate) use self::table::{Owner, Regions};
use super::state::State;
use crate::types::error::{Code, Error};

pub(crate) mod bindings {
    //! What the contract in `wit/` looks like from here.
    wasmtime::component::bindgen!({
        path: "../../wit",
        inline: "package airwasm:host; world imports { import airssys:wasm/regions@0.1.0; }",
        world: "airwasm:host/imports",
        with: { "airssys:wasm/regions.region": crate::host::regions::Held },
        imports: { default: trappable },
    });
}

const CREATE: &str = "airssys:wasm/regions#create";
const OPEN: &str = "airssys:wasm/regions#open";
const REMOVE: &str = "airssys:wasm/regions#remove";

/// A region as a guest has it open.
pub struct Held {
    opening: Opening,
    reading: Option<Arc<Opened>>,
    writing: Option<Arc<Opened>>,
}

type Answer<T> = wasmtime::Result<Result<T, Refusal>>;

impl regions::Host for State {
    fn create(&mut self, name: String, bytes: u64) -> Answer<Resource<Held>> {
        let ask = Ask::RegionCreate { name: name.clone(), bytes };
        let made = self.make(&name, bytes, &ask);
        let (guard, region) = match made {
            Ok(made) => made,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let opened = match self.tie(&guard, ask, CREATE, &region) {
            Ok(opened) => {
                let opened = Arc::new(opened);
                let opening = Opening::new(region);
                self.hold(Held { opening, reading: Some(opened.clone()), writing: Some(opened) })
            }
            Err(refusal) => Ok(Err(refusal)),
        };
        if !matches!(opened, Ok(Ok(_))) {
            // What could not be opened is not left behind; it is this actor's, which does nothing else meanwhile.
            let _ = self.grounds.ports.regions.remove(&name, Some(&self.grounds.regions));
        }
        opened
    }

    fn open(&mut self, name: String, access: Access) -> Answer<Resource<Held>> {
        let found = self.find(&name, access);
        found.map_or_else(|refusal| Ok(Err(refusal)), |held| self.hold(held))
    }

    fn remove(&mut self, name: String) -> Answer<()> {
        let ask = Ask::RegionCreate { name: name.clone(), bytes: 0 };
        if let Err(refusal) = self.granted(&ask, REMOVE) {
            return Ok(Err(refusal));
        }
        let removed = self.grounds.ports.regions.remove(&name, Some(&self.grounds.regions));
        Ok(removed.map_err(|error| refusal(&error)))
    }
}

impl regions::HostRegion for State {
    fn size(&mut self, region: Resource<Held>) -> wasmtime::Result<u64> {
        Ok(self.table.get(&region)?.opening.0.bytes())
    }

    fn read(&mut self, region: Resource<Held>, offset: u64, len: u32) -> Answer<Vec<u8>> {
        self.step(&region, Access::Read, "read", |region, right| {
            // Before there is room made for it.
            check_copy(len as usize)?;
            let mut bytes = vec![0; len as usize];
            region.read(offset, &mut bytes, right).map(|()| bytes)
        })
    }

    fn write(&mut self, region: Resource<Held>, offset: u64, bytes: Vec<u8>) -> Answer<()> {
        self.step(&region, Access::Write, "write", |region, right| region.write(offset, &bytes, right))
    }

    fn load(&mut self, region: Resource<Held>, offset: u64) -> Answer<u64> {
        self.step(&region, Access::Read, "load", |region, right| {
            let mut word = [0; 8];
            region.read(offset, &mut word, right).map(|()| u64::from_le_bytes(word))
        })
    }

    fn store(&mut self, region: Resource<Held>, offset: u64, value: u64) -> Answer<()> {
        let word = value.to_le_bytes();
        self.step(&region, Access::Write, "store", |region, right| region.write(offset, &word, right))
    }

    fn compare_exchange(
        &mut self,
        region: Resource<Held>,
        offset: u64,
        expected: u64,
        new: u64,
    ) -> Answer<u64> {
        self.step(&region, Access::ReadWrite, "compare-exchange", |region, right| {
            region.update(offset, right, |before| (before == expected).then_some(new))
        })
    }

    fn add(&mut self, region: Resource<Held>, offset: u64, value: u64) -> Answer<u64> {
        self.step(&region, Access::ReadWrite, "add", |region, right| {
            region.update(offset, right, |before| Some(before.wrapping_add(value)))
        })
    }

    fn drop(&mut self, region: Resource<Held>) -> wasmtime::Result<()> {
        self.table.delete(region)?;
        Ok(())
    }
}

impl Held {
    /// What must hold for such a use.
    fn rights(&self, access: Access) -> Result<[Option<&Opened>; 2], Refusal> {
        let right = |wanted: bool, right: &'_ Option<Arc<Opened>>, what: &str| match (wanted, right) {
            (true, None) => {
                Err(Refusal::InvalidArgument(format!("access: the region is not open for {what}")))
            }
            _ => Ok(wanted),
        };
        let reads = right(access != Access::Write, &self.reading, "reading")?;
        let writes = right(access != Access::Read, &self.writing, "writing")?;
        Ok([self.reading.as_deref().filter(|_| reads), self.writing.as_deref().filter(|_| writes)])
    }
}

impl State {
    fn make(&self, name: &str, bytes: u64, ask: &Ask) -> Result<(Guard, Arc<Region>), Refusal> {
        let guard = self.granted(ask, CREATE)?;
        let (regions, owner) = (&self.grounds.ports.regions, &self.grounds.regions);
        let made = regions.create(name, bytes, Some((owner, self.grounds.limits.region_bytes)));
        made.map(|region| (guard, region)).map_err(|error| refusal(&error))
    }

    fn find(&self, name: &str, access: Access) -> Result<Held, Refusal> {
        let asked = |wanted: bool, ask: fn(String) -> Ask| wanted.then(|| ask(name.to_owned()));
        let granted = |ask: Option<Ask>| ask.map(|ask| Ok((self.granted(&ask, OPEN)?, ask))).transpose();
        // Both are granted before anything is looked for.
        let reading = granted(asked(access != Access::Write, Ask::RegionRead))?;
        let writing = granted(asked(access != Access::Read, Ask::RegionWrite))?;
        let region = self.grounds.ports.regions.get(name).map_err(|error| refusal(&error))?;
        let open = |granted: Option<(Guard, Ask)>| {
            granted.map(|(guard, ask)| self.tie(&guard, ask, OPEN, &region).map(Arc::new)).transpose()
        };
        let (reading, writing) = (open(reading)?, open(writing)?);
        Ok(Held { opening: Opening::new(region), reading, writing })
    }

    fn granted(&self, ask: &Ask, function: &str) -> Result<Guard, Refusal> {
        self.refusals.check(ask, function).map_err(denied)
    }

    /// Ties an opening to its grant, whose end waits for the step that is under way.
    fn tie(&self, guard: &Guard, ask: Ask, function: &str, region: &Arc<Region>) -> Result<Opened, Refusal> {
        let shared = region.clone();
        let tied = self.grounds.grants.open(guard, ask, function, move || shared.settle());
        tied.map_err(|denial| self.cut(denial))
    }

    /// A grant has ended under what was opened.
    fn cut(&self, denial: Denial) -> Refusal {
        self.refusals.note(&denial);
        denied(denial)
    }

    fn hold(&mut self, held: Held) -> Answer<Resource<Held>> {
        match self.table.push(held) {
            Ok(region) => Ok(Ok(region)),
            Err(ResourceTableError::Full) => {
                let allowed = self.grounds.limits.handles;
                let limit = Limit { which: "handles".to_owned(), allowed, used: allowed.saturating_add(1) };
                Ok(Err(Refusal::LimitExceeded(limit)))
            }
            Err(why) => Err(why.into()),
        }
    }

    /// Does one step on an open region, by the rights for it.
    fn step<T>(
        &self,
        region: &Resource<Held>,
        access: Access,
        method: &str,
        run: impl FnOnce(&Region, Right<'_>) -> Result<T, Trouble>,
    ) -> Answer<T> {
        let held = self.table.get(region)?;
        let rights = match held.rights(access) {
            Ok(rights) => rights,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let right = || rights.iter().flatten().try_for_each(|right| right.alive());
        Ok(run(&held.opening.0, &right).map_err(|trouble| match trouble {
            Trouble::Refused(error) => refusal(&error),
            Trouble::Ended(kind) => {
                let ended = rights.iter().flatten().find(|right| right.alive().is_err());
                let function = format!("airssys:wasm/regions#[method]region.{method}");
                self.cut(ended.expect("one of them has ended, for good").refuse(kind, &function))
            }
        }))
    }
}

fn denied(denial: Denial) -> Refusal {
    Refusal::Denied(denial.capability)
}

/// An error of the table in the words of the contract.
fn refusal(error: &Error) -> Refusal {
    match error.code {
        Code::NotFound => Refusal::NotFound,
        Code::AlreadyExists => Refusal::AlreadyExists,
        Code::LimitExceeded => Refusal::LimitExceeded(Limit {
            which: error.text("which").replace('_', "-"),
            allowed: error.number("allowed"),
            used: error.number("used"),
        }),
        _ => Refusal::InvalidArgument(error.message.replacen("invalid argument ", "", 1)),
    }
}
