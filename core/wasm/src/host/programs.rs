//! The programs that run for actors: each belongs to the life that asked for it and to that of the actor that runs it,
//! and ends with either.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use airssys_osl::Process;

/// Programs of one life that are kept at once, those included that have ended but were not let go.
pub(crate) const KEPT_PROGRAMS_MAX: usize = 16;
/// The same of all lives together: each holds five descriptors, also when it has ended.
const KEPT_IN_ALL_MAX: usize = 256;

/// All programs of a system.
#[derive(Default)]
pub(crate) struct Programs(Mutex<Table>);

#[derive(Default)]
struct Table {
    /// Numbers are never given twice.
    last: u64,
    all: BTreeMap<u64, Kept>,
}

struct Kept {
    belongs: Belongs,
    process: Process,
}

/// The numbers of the two lives that a program ends with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Belongs {
    pub(crate) sender: u64,
    pub(crate) service: u64,
}

/// Why a program is not kept; it is ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotKept {
    TooMany,
    /// One of the two lives is over.
    Ended,
}

impl Programs {
    /// Keeps a program under a new number. `both_last` is asked when nobody can end them unseen.
    pub(crate) fn keep(
        &self,
        belongs: Belongs,
        process: &Process,
        both_last: impl FnOnce() -> bool,
    ) -> Result<u64, NotKept> {
        let mut table = self.lock();
        let refused = if !both_last() {
            Some(NotKept::Ended)
        } else if table.all.len() >= KEPT_IN_ALL_MAX
            || table.all.values().filter(|kept| kept.belongs.sender == belongs.sender).count()
                >= KEPT_PROGRAMS_MAX
        {
            Some(NotKept::TooMany)
        } else {
            None
        };
        if let Some(why) = refused {
            drop(table);
            process.end();
            return Err(why);
        }
        table.last += 1;
        let number = table.last;
        table.all.insert(number, Kept { belongs, process: process.clone() });
        Ok(number)
    }

    /// The program of this number, for the one it belongs to.
    pub(crate) fn get(&self, number: u64, belongs: Belongs) -> Option<Process> {
        self.lock().all.get(&number).filter(|kept| kept.belongs == belongs).map(|kept| kept.process.clone())
    }

    /// Lets a program go; it ends with the last who holds it.
    pub(crate) fn forget(&self, number: u64, belongs: Belongs) -> Option<Process> {
        let mut table = self.lock();
        if table.all.get(&number)?.belongs != belongs {
            return None;
        }
        table.all.remove(&number).map(|kept| kept.process)
    }

    /// Ends all programs that belong to this life, as sender or as service.
    pub(crate) fn end_of(&self, life: u64) {
        let mut table = self.lock();
        if table.all.is_empty() {
            return;
        }
        let theirs = |belongs: Belongs| belongs.sender == life || belongs.service == life;
        let (ended, kept) =
            std::mem::take(&mut table.all).into_iter().partition(|(_, kept)| theirs(kept.belongs));
        table.all = kept;
        drop(table);
        let ended: BTreeMap<u64, Kept> = ended;
        ended.into_values().for_each(|kept| kept.process.end());
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        // It is changed in whole steps.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
