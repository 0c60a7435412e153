use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use rustix::event::PollFlags;
use rustix::io::{Errno, read};
use rustix::net::{Shutdown, shutdown};

use super::error::ProcessError;
use super::exit::ProcessExit;
use super::order::Order;
use super::stdio::send_quietly;
use super::tree::Tree;
use crate::cut::Cut;
use crate::denial::Refusal;
use crate::descriptor::Descriptor;
use crate::grant::{Guard, Lease};
use crate::set::CapabilitySet;

/// A signal that a program may be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ProcessSignal {
    Hangup,
    Interrupt,
    Quit,
    Kill,
    User1,
    User2,
    Terminate,
    Stop,
    Continue,
}

impl ProcessSignal {
    fn number(self) -> i32 {
        match self {
            ProcessSignal::Hangup => libc::SIGHUP,
            ProcessSignal::Interrupt => libc::SIGINT,
            ProcessSignal::Quit => libc::SIGQUIT,
            ProcessSignal::Kill => libc::SIGKILL,
            ProcessSignal::User1 => libc::SIGUSR1,
            ProcessSignal::User2 => libc::SIGUSR2,
            ProcessSignal::Terminate => libc::SIGTERM,
            ProcessSignal::Stop => libc::SIGSTOP,
            ProcessSignal::Continue => libc::SIGCONT,
        }
    }
}

/// One of the two outputs of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Output {
    Stdout,
    Stderr,
}

/// A program that runs, and all that it starts. A clone is the same; with the last of them, or with
/// the grant, all of it ends.
#[derive(Clone)]
pub struct Process(Arc<Running>);

struct Running {
    tree: Arc<Tree>,
    /// That of `process.run`, and of the `fs.exec` that was needed besides.
    leases: Vec<Lease<Tree>>,
    stdin: Descriptor,
    stdout: Pipe,
    stderr: Pipe,
    meter: Meter,
    set: CapabilitySet,
    capability: String,
    function: String,
}

struct Pipe {
    fd: OwnedFd,
    ended: AtomicBool,
}

struct Meter {
    bytes_max: u64,
    /// Of both together. The lock makes a read and its count one step.
    taken: Mutex<u64>,
    exceeded: AtomicBool,
}

/// The host's ends of what a program reads and writes.
pub(super) struct Ends {
    /// Closed already where nothing is to be written.
    pub stdin: Descriptor,
    pub stdout: OwnedFd,
    pub stderr: OwnedFd,
}

impl Process {
    pub(super) fn new(
        tree: Arc<Tree>,
        leases: Vec<Lease<Tree>>,
        ends: Ends,
        output_bytes_max: u64,
        asked: (&CapabilitySet, &str, &str),
    ) -> Self {
        let Ends { stdin, stdout, stderr } = ends;
        let (set, capability, function) = asked;
        let meter =
            Meter { bytes_max: output_bytes_max, taken: Mutex::new(0), exceeded: AtomicBool::new(false) };
        let [stdout, stderr] = [stdout, stderr].map(|fd| Pipe { fd, ended: AtomicBool::new(false) });
        let (set, capability, function) = (set.clone(), capability.to_owned(), function.to_owned());
        Self(Arc::new(Running { tree, leases, stdin, stdout, stderr, meter, set, capability, function }))
    }

    /// Reads what there is of either output, at most a buffer full; none at the end of both. Nothing is
    /// read ahead, so a program whose output nobody reads waits. Refused once the grant has ended.
    pub fn read(&self, buf: &mut [u8], deadline: Instant) -> Result<Option<(Output, usize)>, ProcessError> {
        self.read_of(&[Output::Stdout, Output::Stderr], buf, deadline)
    }

    /// The same for the standard output alone; 0 is its end. A program that writes to both waits for
    /// somebody to read the other, too.
    pub fn read_stdout(&self, buf: &mut [u8], deadline: Instant) -> Result<usize, ProcessError> {
        Ok(self.read_of(&[Output::Stdout], buf, deadline)?.map_or(0, |(_, count)| count))
    }

    /// The same for the error output alone.
    pub fn read_stderr(&self, buf: &mut [u8], deadline: Instant) -> Result<usize, ProcessError> {
        Ok(self.read_of(&[Output::Stderr], buf, deadline)?.map_or(0, |(_, count)| count))
    }

    /// Writes to the standard input as much as the program takes now, at least a byte.
    pub fn write_stdin(&self, bytes: &[u8], deadline: Instant) -> Result<usize, ProcessError> {
        loop {
            self.alive()?;
            // Its end of the socket may be open a moment longer, in the fork of another program's start.
            let ended = self.0.tree.ending().exit().is_some();
            let stdin = self.0.stdin.get().filter(|_| !ended).ok_or(ProcessError::Ended)?;
            match send_quietly(&stdin, bytes) {
                Ok(count) => return Ok(count),
                Err(Errno::INTR) => continue,
                Err(Errno::AGAIN) if self.0.tree.is_over() => return Err(ProcessError::Ended),
                Err(Errno::AGAIN) => {}
                Err(Errno::PIPE | Errno::CONNRESET | Errno::NOTCONN) => return Err(ProcessError::Ended),
                Err(error) => return Err(error.into()),
            }
            if !self.0.tree.wait_ready(&[&stdin], PollFlags::OUT, deadline)? {
                return Err(ProcessError::TimedOut);
            }
        }
    }

    /// Ends the standard input; may be repeated.
    pub fn close_stdin(&self) {
        if let Some(stdin) = self.0.stdin.get() {
            // Closing alone would do nothing while a fork of the host holds it too.
            let _ = shutdown(&stdin, Shutdown::Write);
        }
        self.0.stdin.cut();
    }

    /// Sends a signal to the program and those in its group. One that has ended gets none.
    pub fn signal(&self, signal: ProcessSignal) -> Result<(), ProcessError> {
        self.alive()?;
        if self.0.tree.ending().exit().is_some() {
            return Err(ProcessError::Ended);
        }
        self.0.tree.order(Order::Signal(signal.number()));
        Ok(())
    }

    /// Ends the program and all that it started: SIGTERM, and after the grace SIGKILL.
    pub fn end(&self) {
        self.0.tree.end(Order::End, "ended by its owner");
    }

    /// Kills the program and all that it started.
    pub fn kill(&self) {
        self.0.tree.end(Order::Kill, "killed by its owner");
    }

    /// Waits until the program ends. What it has left behind is ended then, with a grace.
    pub fn wait(&self, deadline: Instant) -> Result<ProcessExit, ProcessError> {
        self.0.tree.ending().wait(false, deadline)
    }

    /// Waits until nothing that the program started is left.
    pub fn wait_all(&self, deadline: Instant) -> Result<ProcessExit, ProcessError> {
        self.0.tree.ending().wait(true, deadline)
    }

    /// The guard of the grant it was started under.
    pub fn guard(&self) -> &Guard {
        self.0.leases[0].guard()
    }

    fn read_of(
        &self,
        outputs: &[Output],
        buf: &mut [u8],
        deadline: Instant,
    ) -> Result<Option<(Output, usize)>, ProcessError> {
        if buf.is_empty() {
            return Err(ProcessError::Invalid("nothing can be read into an empty buffer".into()));
        }
        loop {
            self.alive()?;
            // Looked at first: what was written before the end is then read below.
            let over = self.0.tree.is_over();
            let mut waiting = Vec::new();
            for output in outputs {
                let pipe = self.pipe(*output);
                match self.take(pipe, buf)? {
                    Some(0) => pipe.ended.store(true, Ordering::Relaxed),
                    Some(count) => return Ok(Some((*output, count))),
                    None => waiting.push(&pipe.fd),
                }
            }
            if over || waiting.is_empty() {
                return Ok(None);
            }
            if !self.0.tree.wait_ready(&waiting, PollFlags::IN, deadline)? {
                return Err(ProcessError::TimedOut);
            }
        }
    }

    fn pipe(&self, output: Output) -> &Pipe {
        match output {
            Output::Stdout => &self.0.stdout,
            Output::Stderr => &self.0.stderr,
        }
    }

    /// What is there now, within the limit; none if the program may yet write something.
    fn take(&self, pipe: &Pipe, buf: &mut [u8]) -> Result<Option<usize>, ProcessError> {
        let Meter { bytes_max, taken, exceeded } = &self.0.meter;
        let refused = || ProcessError::OutputLimit { output_bytes_max: *bytes_max };
        if pipe.ended.load(Ordering::Relaxed) {
            return Ok(Some(0));
        }
        if exceeded.load(Ordering::Relaxed) {
            return Err(refused());
        }
        let mut taken = taken.lock().unwrap_or_else(PoisonError::into_inner);
        let left = bytes_max.saturating_sub(*taken);
        let mut one_more = [0];
        let room = buf.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        let into = if left == 0 { &mut one_more[..] } else { &mut buf[..room] };
        loop {
            return match read(&pipe.fd, &mut *into) {
                Ok(0) => Ok(Some(0)),
                Ok(_) if left == 0 => {
                    exceeded.store(true, Ordering::Relaxed);
                    self.0.tree.end(Order::Kill, "it had more output than it may");
                    Err(refused())
                }
                Ok(count) => {
                    *taken += count as u64;
                    Ok(Some(count))
                }
                Err(Errno::INTR) => continue,
                Err(Errno::AGAIN) => Ok(None),
                Err(error) => Err(error.into()),
            };
        }
    }

    /// Whether what it runs under still holds; a denial has a record.
    pub fn alive(&self) -> Result<(), ProcessError> {
        let Running { leases, set, capability, function, .. } = &*self.0;
        for lease in leases {
            if let Err(kind) = lease.guard().alive() {
                let refusal = Refusal::because(kind, lease.guard().rule().clone());
                return Err(set.deny(refusal, capability.clone(), function).into());
            }
        }
        Ok(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.tree.end(Order::End, "nobody holds it any more");
    }
}

impl std::fmt::Debug for Process {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Process({})", self.0.capability)
    }
}
