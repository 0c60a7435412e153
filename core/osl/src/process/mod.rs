//! The programs of one actor: each run under a grant, kept, bounded, and ended with all it started.
//!
//! A grant of `process.run` is an escape hatch: the program reads, writes and connects with all rights of
//! the host's user, whatever else the actor may do. What is promised is that nothing of it stays behind.
//! From Linux 6.12 on, with Landlock, it can signal no process but those it started, nor look into one
//! unless it is root; before that it may kill the host, or its keeper, and what it started then lives on.
//!
//! A pattern with a wildcard lets the actor choose what
//! stands there, and many programs run others by an argument (`git -c`, `tar --checkpoint-action`,
//! `find -exec`): grant exact arguments, and write `--` before a wildcard for a program that heeds it.
//!
//! On Unix other than Linux there is no keeper: what leaves the program's group lives on, and so does the
//! program if the host is killed; a program is run by its path, and inherits what the host opened without
//! close-on-exec. Of the limits only those of the host's own hold: no core, file or task limit is set.
//!
//! All calls that take a deadline block; callers run them on a pool for blocking work.

mod command;
mod ending;
mod error;
mod exit;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
mod forks;
mod handle;
mod journal;
#[cfg(any(target_os = "linux", target_os = "android"))]
mod keeper;
#[cfg(any(target_os = "linux", target_os = "android"))]
mod launch;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
#[path = "launch_portable.rs"]
mod launch;
mod limits;
#[cfg(any(target_os = "linux", target_os = "android"))]
mod mappings;
mod order;
mod program;
#[cfg(any(target_os = "linux", target_os = "android"))]
mod spawn;
mod stdio;
#[cfg(any(target_os = "linux", target_os = "android"))]
mod tree;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
#[path = "tree_portable.rs"]
mod tree;
#[cfg(any(target_os = "linux", target_os = "android"))]
mod wire;

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Instant;

pub use command::{Command, Stdin};
pub use error::ProcessError;
pub use exit::ProcessExit;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub use forks::forks;
pub use handle::{Output, Process, ProcessSignal};
pub use limits::ProcessLimits;
#[cfg(any(target_os = "linux", target_os = "android"))]
pub use spawn::forks;

use crate::ask::Ask;
use crate::ban;
use crate::denial::{Denial, DenialKind, Refusal};
use crate::grant::{Guard, Lease};
use crate::resources::{Permit, Rate, Resource, Resources};
use crate::set::CapabilitySet;
use journal::Journal;
use order::Order;
use program::Program;
use stdio::Stdio;
use tree::Tree;

/// Runs programs for the holder of a [`CapabilitySet`]; a clone is the same.
///
/// A program needs `process.run` of its path, its arguments and the names of its variables. It is
/// looked for once and run by its descriptor. If links lead from its path to another, `fs.exec` of
/// that one is needed too. It gets the environment of the command and nothing of the host's, the
/// descriptors 0, 1 and 2, a session of its own without a terminal, no core dump, and no new rights
/// from a set-user-id file. A script is refused: its interpreter is the program.
#[derive(Clone)]
pub struct Processes {
    inner: Arc<Inner>,
    resources: Resources,
}

struct Inner {
    set: CapabilitySet,
    limits: ProcessLimits,
    starts: Mutex<Rate>,
    began: Instant,
}

/// The end of a tree needs little of it.
const WATCH_STACK_BYTES: usize = 131_072;

impl Processes {
    /// With the default [`Resources`] of an actor that is alone.
    pub fn new(set: CapabilitySet, limits: ProcessLimits) -> Self {
        let starts = Mutex::new(Rate::new(limits.starts_per_second_max));
        let inner = Arc::new(Inner { set, limits, starts, began: Instant::now() });
        Self { inner, resources: Resources::default() }
    }

    /// The same, whose programs and their starts count on these resources.
    pub fn with_resources(self, resources: Resources) -> Self {
        Self { resources, ..self }
    }

    /// The same, whose next program counts as what the permit was taken for.
    pub fn with_permit(self, permit: Permit) -> Self {
        Self { resources: self.resources.with_permit(permit), ..self }
    }

    /// Programs of this actor that run now; one counts until nothing that it started is left.
    pub fn running(&self) -> usize {
        self.resources.used(Resource::Process)
    }

    /// Starts a program; it runs when this returns. Start and end are recorded.
    pub fn run(&self, command: &Command, function: &str) -> Result<Process, ProcessError> {
        let Inner { set, limits, .. } = &*self.inner;
        command.validate(limits)?;
        let ask = command.ask();
        let text = ask.capability_text();
        let guard = self.cover(&ask, function)?;
        let journal = Journal::begin(set, &guard, &text, function);
        let started = self.place().and_then(|place| {
            let program = program::open_program(&command.program)?;
            let guards = self.cover_found(guard, command, &program, function)?;
            Ok((self.start(command, &program, guards, (&text, function))?, place))
        });
        match started {
            Ok(((process, tree), place)) => {
                watch(tree, place, journal)?;
                Ok(process)
            }
            Err(error) => {
                journal.finish(&error.to_string());
                Err(error)
            }
        }
    }

    /// A place among the programs that run, unless there are too many of them or of starts. A start that the rate of all
    /// actors refuses still counts in the actor's own.
    fn place(&self) -> Result<Permit, ProcessError> {
        let permit = self.resources.try_acquire(Resource::Process).map_err(ProcessError::TooManyProcesses)?;
        let mut starts = self.inner.starts.lock().unwrap_or_else(PoisonError::into_inner);
        let own = starts.take(self.inner.began.elapsed());
        let own = if own { Ok(()) } else { Err(starts.per_second()) };
        drop(starts);
        let refused = |starts_per_second_max| ProcessError::TooManyStarts { starts_per_second_max };
        own.and_then(|()| self.resources.take_start()).map_err(refused)?;
        Ok(permit)
    }

    /// A grant that covers the ask; a denial is recorded, anything else not yet.
    fn cover(&self, ask: &Ask, function: &str) -> Result<Guard, Denial> {
        let set = &self.inner.set;
        let covering = set.covering(std::slice::from_ref(ask));
        let guard =
            covering.and_then(|guards| guards.into_iter().next().ok_or(DenialKind::NotGranted.into()));
        guard.map_err(|refusal| set.deny(refusal, ask.capability_text(), function))
    }

    /// What was opened is checked, not what was asked for: behind a link it needs a grant of its own.
    fn cover_found(
        &self,
        guard: Guard,
        command: &Command,
        program: &Program,
        function: &str,
    ) -> Result<Vec<Guard>, Denial> {
        // A ban of the program holds under its other names too, and one of the file for the program.
        let named = ban::in_real_directory(&command.program).unwrap_or_else(|| command.program.clone());
        let found = [
            command.ask_as(&program.path),
            Ask::FsExec(program.path.clone()),
            Ask::FsExec(command.program.clone()),
            command.ask_as(&named),
        ];
        if let Some(refusal) = self.inner.set.ban_of(&found) {
            return Err(self.inner.set.deny(refusal, found[0].capability_text(), function));
        }
        if program.path == command.program {
            return Ok(vec![guard]);
        }
        let [_, found, ..] = found;
        let found = self.cover(&found, function)?;
        Ok(vec![guard, found])
    }

    fn start(
        &self,
        command: &Command,
        program: &Program,
        guards: Vec<Guard>,
        asked: (&str, &str),
    ) -> Result<(Process, Arc<Tree>), ProcessError> {
        let Inner { set, limits, .. } = &*self.inner;
        let (text, function) = asked;
        let stdio = Stdio::open(&command.stdin)?;
        let (tree, theirs) = Tree::new()?;
        let tree = Arc::new(tree);
        // Tied before it begins: a grant that ends from now on kills it.
        let tie = |guard: Guard| {
            let refuse =
                |kind| set.deny(Refusal::because(kind, guard.rule().clone()), text.to_owned(), function);
            guard.tie(tree.clone()).map_err(refuse)
        };
        let leases: Vec<Lease<Tree>> = guards.into_iter().map(tie).collect::<Result<_, Denial>>()?;
        launch::launch(&tree, theirs, command, program, stdio.theirs(), limits)?;
        let ends = stdio.into_ours();
        let asked = (set, text, function);
        Ok((Process::new(tree.clone(), leases, ends, limits.output_bytes_max, asked), tree))
    }
}

/// Follows the tree to its end on a thread of its own: only so is it always collected and recorded.
fn watch(tree: Arc<Tree>, place: Permit, journal: Journal) -> io::Result<()> {
    let other = tree.clone();
    let thread = thread::Builder::new().name("airwasm-process".into()).stack_size(WATCH_STACK_BYTES);
    let follow = move || {
        let (exit, why) = tree.watch();
        journal.finish(&why.map_or_else(|| exit.to_string(), |why| format!("{exit}: {why}")));
        drop(place);
        tree.ending().set_gone();
    };
    let Err(error) = thread.spawn(follow) else { return Ok(()) };
    other.end(Order::Kill, "nobody could watch it");
    other.watch();
    other.ending().set_gone();
    Err(error)
}
