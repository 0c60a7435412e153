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

#[cfg(all(test, unix))]
mod tests {
    use std::time::{Duration, Instant};

    use airssys_osl::{Audit, AuditConfig, Capability, CapabilitySet, Command, ProcessLimits, Processes};

    use super::*;

    /// A program that waits for its end.
    fn program() -> Process {
        let sh = std::fs::canonicalize("/bin/sh").expect("a shell").display().to_string();
        let set = CapabilitySet::new("default/a/0", Audit::open(AuditConfig::default()).expect("an audit"));
        let capability = Capability::parse(&format!("process.run {sh} -c **")).expect("valid").remove(0);
        set.grant(1, capability, None).expect("granted");
        let args = vec!["-c".to_owned(), "sleep 1005".to_owned()];
        let command = Command { program: sh, args, ..Command::default() };
        Processes::new(set, ProcessLimits::default()).run(&command, "test").expect("runs")
    }

    #[test]
    fn hostile_f9_no_more_are_kept_than_one_life_and_all_together_may_and_what_is_let_go_makes_room() {
        let (programs, process) = (Programs::default(), program());
        let belongs = |sender: usize| Belongs { sender: sender as u64, service: u64::MAX };
        let keep = |sender| programs.keep(belongs(sender), &process, || true);
        let numbers: Vec<u64> =
            (0..KEPT_IN_ALL_MAX).map(|n| keep(n / KEPT_PROGRAMS_MAX).expect("room")).collect();
        // What is not kept is ended, so it is another.
        let other = program();
        let life = KEPT_IN_ALL_MAX / KEPT_PROGRAMS_MAX;
        assert_eq!(programs.keep(belongs(life), &other, || true), Err(NotKept::TooMany));
        other.wait(Instant::now() + Duration::from_secs(60)).expect("it was ended");
        assert!(programs.forget(numbers[0], belongs(0)).is_some());
        keep(life).expect("one was let go");
        assert!(programs.forget(numbers[16], belongs(1)).is_some());
        let other = program();
        assert_eq!(programs.keep(belongs(2), &other, || true), Err(NotKept::TooMany), "of its life");
        assert_eq!(programs.keep(belongs(life), &other, || false), Err(NotKept::Ended));
    }
}
