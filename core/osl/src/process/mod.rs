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
//! All calls that take a deadline block; callers run them on a pool for blocking work.

mod command;
mod error;
mod exit;
mod handle;
mod journal;
mod keeper;
mod limits;
mod mappings;
mod places;
mod program;
mod rate;
mod spawn;
mod stdio;
mod tree;
mod wire;

use std::ffi::CString;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::thread;

use rustix::io::Errno;
use rustix::process::{PidfdFlags, getpid, pidfd_open};

pub use command::{Command, Stdin};
pub use error::ProcessError;
pub use exit::ProcessExit;
pub use handle::{Output, Process, ProcessSignal};
pub use limits::ProcessLimits;
pub use places::ProcessTotal;

use crate::ask::Ask;
use crate::denial::{Denial, DenialKind};
use crate::grant::{Guard, Lease};
use crate::set::CapabilitySet;
use journal::Journal;
use places::{Place, Places};
use program::Program;
use spawn::{Plan, Strings};
use stdio::Stdio;
use tree::Tree;
use wire::{Order, Report, Stage};

/// Runs programs for the holder of a [`CapabilitySet`]; a clone is the same.
///
/// A program needs `process.run` of its path, its arguments and the names of its variables. It is
/// looked for once and run by its descriptor. If links lead from its path to another, `fs.exec` of
/// that one is needed too. It gets the environment of the command and nothing of the host's, the
/// descriptors 0, 1 and 2, a session of its own without a terminal, no core dump, and no new rights
/// from a set-user-id file. A script is refused: its interpreter is the program.
#[derive(Clone)]
pub struct Processes(Arc<Inner>);

struct Inner {
    set: CapabilitySet,
    limits: ProcessLimits,
    places: Places,
}

/// The end of a tree needs little of it.
const WATCH_STACK_BYTES: usize = 131_072;

impl Processes {
    /// With limits of its own, and `total` of all actors that share it.
    pub fn new(set: CapabilitySet, limits: ProcessLimits, total: &Arc<ProcessTotal>) -> Self {
        let places = Places::new(&limits, total.clone());
        Self(Arc::new(Inner { set, limits, places }))
    }

    /// Programs of this actor that run now; one counts until nothing that it started is left.
    pub fn running(&self) -> usize {
        self.0.places.running()
    }

    /// Starts a program; it runs when this returns. Start and end are recorded.
    pub fn run(&self, command: &Command, function: &str) -> Result<Process, ProcessError> {
        let Inner { set, limits, places } = &*self.0;
        command.validate(limits)?;
        let ask = command.ask();
        let text = ask.capability_text();
        let guard = self.cover(&ask, function)?;
        let journal = Journal::begin(set, &guard, &text, function);
        let started = places.take().and_then(|place| {
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

    /// A grant that covers the ask; a denial is recorded, anything else not yet.
    fn cover(&self, ask: &Ask, function: &str) -> Result<Guard, Denial> {
        let set = &self.0.set;
        let covering = set.covering(std::slice::from_ref(ask));
        let guard = covering.and_then(|guards| guards.into_iter().next().ok_or(DenialKind::NotGranted));
        guard.map_err(|kind| set.deny(kind, ask.capability_text(), function, None))
    }

    /// What was opened is checked, not what was asked for: behind a link it needs a grant of its own.
    fn cover_found(
        &self,
        guard: Guard,
        command: &Command,
        program: &Program,
        function: &str,
    ) -> Result<Vec<Guard>, Denial> {
        if program.path == command.program {
            return Ok(vec![guard]);
        }
        let found = self.cover(&Ask::FsExec(program.path.clone()), function)?;
        Ok(vec![guard, found])
    }

    fn start(
        &self,
        command: &Command,
        program: &Program,
        guards: Vec<Guard>,
        asked: (&str, &str),
    ) -> Result<(Process, Arc<Tree>), ProcessError> {
        let Inner { set, limits, .. } = &*self.0;
        let (text, function) = asked;
        let directory = program::open_directory(command.directory())?;
        let stdio = Stdio::open(&command.stdin)?;
        let (own, control) = UnixStream::pair()?;
        let tree = Arc::new(Tree::new(own));
        // Tied before it begins: a grant that ends from now on kills it.
        let tie = |guard: Guard| {
            let refuse = |kind| set.deny(kind, text.to_owned(), function, Some(guard.rule().to_string()));
            guard.tie(tree.clone()).map_err(refuse)
        };
        let leases: Vec<Lease<Tree>> = guards.into_iter().map(tie).collect::<Result<_, Denial>>()?;
        let host = pidfd_open(getpid(), PidfdFlags::empty())
            .map_err(|_| ProcessError::Unsupported("it needs pidfds, as Linux 5.4 has them"))?;
        let program_args =
            [command.program.as_str()].into_iter().chain(command.args.iter().map(String::as_str));
        let args = Strings::new(c_strings(program_args.map(str::to_owned))?);
        let env = command.env.iter().map(|(name, value)| format!("{name}={value}"));
        let env = Strings::new(c_strings(env)?);
        let plan = Plan {
            program: program.fd.as_fd(),
            args: &args,
            env: &env,
            stdio: stdio.theirs(),
            directory: directory.as_fd(),
            control: control.as_fd(),
            host: host.as_fd(),
            grace: limits.grace,
            run_max: limits.run_max,
            file_bytes_max: limits.file_bytes_max,
            user_tasks_max: limits.user_tasks_max,
        };
        tree.set_keeper(spawn::start(&plan)?);
        drop(control);
        let process = Process::new(
            tree.clone(),
            leases,
            stdio.into_ours(),
            limits.output_bytes_max,
            (set, text, function),
        );
        match tree.first_report() {
            Some(Report::Started) => Ok((process, tree)),
            other => {
                // The keeper ends by itself after any other report; and if it died, all is over as well.
                tree.watch();
                tree.set_gone();
                Err(failure(other, command))
            }
        }
    }
}

fn failure(report: Option<Report>, command: &Command) -> ProcessError {
    let Some(Report::Failed(stage, number)) = report else {
        return ProcessError::Io(io::Error::other("the program's keeper died"));
    };
    let error = Errno::from_raw_os_error(number);
    let program = &command.program;
    match (stage, error) {
        (Stage::Directory, Errno::ACCESS) => {
            ProcessError::NotFound(format!("{} may not be entered", command.directory()))
        }
        (Stage::Execute, Errno::ACCESS) => ProcessError::NotProgram(format!("{program} may not be executed")),
        (Stage::Execute, Errno::NOEXEC) => {
            ProcessError::NotProgram(format!("{program} has no format that this system runs"))
        }
        (Stage::Execute, Errno::NOENT) => {
            ProcessError::NotProgram(format!("{program} names an interpreter that is not there"))
        }
        (Stage::Execute, Errno::TOOBIG) => {
            ProcessError::Invalid("arguments and variables are longer than this system takes".into())
        }
        _ => error.into(),
    }
}

/// Follows the tree to its end on a thread of its own: only so is it always collected and recorded.
fn watch(tree: Arc<Tree>, place: Place, journal: Journal) -> io::Result<()> {
    let other = tree.clone();
    let thread = thread::Builder::new().name("airwasm-process".into()).stack_size(WATCH_STACK_BYTES);
    let follow = move || {
        let (exit, why) = tree.watch();
        journal.finish(&why.map_or_else(|| exit.to_string(), |why| format!("{exit}: {why}")));
        drop(place);
        tree.set_gone();
    };
    let Err(error) = thread.spawn(follow) else { return Ok(()) };
    other.end(Order::Kill, "nobody could watch it");
    other.watch();
    other.set_gone();
    Err(error)
}

fn c_strings(texts: impl Iterator<Item = String>) -> Result<Vec<CString>, ProcessError> {
    let nul = |_| ProcessError::Invalid("a NUL is in no argument and no variable".into());
    texts.map(|text| CString::new(text).map_err(nul)).collect()
}
