//! The lives of actors that may act by others: what is done on behalf of one, and ends with it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use airssys_osl::{CapabilitySet, Denial, Files, Kv, ProcessLimits, Processes, ResourceLimits, Resources};
use airssys_rt::ActorId;
use dashmap::DashMap;

use super::state::{Ports, Refusals};
use super::turns::Turns;
use crate::types::limits::{ResolvedLimits, UNLIMITED};

/// Operations on files that one actor has under way at once on the blocking pool, which all actors share.
const FILE_OPERATIONS_MAX: usize = 4;
/// Messages of one actor that services work on at once, so that a few that wait for long keep nobody else from theirs.
pub(crate) const ERRANDS_MAX: usize = 4;

/// The operating system as one actor may use it, the same over all its lives; a clone is the same.
#[derive(Clone)]
pub(crate) struct Access {
    pub(crate) files: Files,
    pub(crate) processes: Processes,
    /// Of the system's store, if it has one.
    pub(crate) kv: Option<Kv>,
    /// Of its sockets too.
    pub(crate) resources: Resources,
    /// Of its own operations on files and keys.
    pub(crate) turns: Turns,
    /// Of its messages to services.
    pub(crate) errands: Turns,
}

impl Access {
    /// With the grants and within the limits of one actor.
    pub(crate) fn new(grants: &CapabilitySet, limits: &ResolvedLimits, ports: &Ports) -> Self {
        let count = |limit: u64| usize::try_from(limit).unwrap_or(usize::MAX);
        let resources = ports.resources.actor(ResourceLimits {
            files_max: count(limits.files),
            sockets_max: count(limits.sockets),
            processes_max: count(limits.processes),
        });
        let files = Files::new(grants.clone()).with_resources(resources.clone());
        let processes = Processes::new(grants.clone(), ProcessLimits::default());
        Self {
            // All lives write on one account.
            files: match limits.written_bytes {
                UNLIMITED => files,
                written_bytes => files.with_write_bytes_max(written_bytes),
            },
            processes: processes.with_resources(resources.clone()),
            kv: ports.store.clone().map(|store| Kv::new(grants.clone(), store)),
            resources,
            turns: Turns::new(FILE_OPERATIONS_MAX),
            errands: Turns::new(ERRANDS_MAX),
        }
    }
}

/// One life of an actor, as those see it whom it asks for something.
pub(crate) struct Life {
    pub(crate) id: ActorId,
    pub(crate) access: Access,
    pub(crate) refusals: Arc<Refusals>,
}

impl Life {
    pub(crate) fn new(id: ActorId, access: Access, refusals: Arc<Refusals>) -> Self {
        Self { id, access, refusals }
    }

    /// A refusal that befell this life: told, and blamed for what fails by it if its message still waits.
    pub(crate) fn denied(&self, denial: &Denial, is_awaited: bool) {
        match is_awaited {
            true => self.refusals.note(denial),
            false => self.refusals.tell(denial),
        }
    }
}

/// All lives by a number that is never given twice, so that nobody acts for one that has ended or begun anew.
#[derive(Default)]
pub(crate) struct Lives {
    last: AtomicU64,
    all: DashMap<u64, Arc<Life>>,
}

impl Lives {
    /// The life of this number, if it lasts.
    pub(crate) fn get(&self, number: u64) -> Option<Arc<Life>> {
        self.all.get(&number).map(|life| life.clone())
    }

    pub(crate) fn lasts(&self, number: u64) -> bool {
        self.all.contains_key(&number)
    }
}

/// A life that lasts until this is dropped; its programs end then.
pub(crate) struct Living {
    pub(crate) number: u64,
    ports: Arc<Ports>,
}

impl Living {
    pub(crate) fn begin(life: Life, ports: &Arc<Ports>) -> Self {
        let number = ports.lives.last.fetch_add(1, Relaxed) + 1;
        ports.lives.all.insert(number, Arc::new(life));
        Self { number, ports: ports.clone() }
    }
}

impl Drop for Living {
    fn drop(&mut self) {
        // Gone first: what is started meanwhile finds that out, or is found below.
        self.ports.lives.all.remove(&self.number);
        self.ports.programs.end_of(self.number);
    }
}
