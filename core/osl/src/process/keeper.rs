//! The keeper: a process between host and program that ends all of the program's tree.
//!
//! It is the subreaper of its descendants, so a daemon that leaves its parents becomes its own child.
//! It ends when none is left. All of this runs in a forked copy of a process with threads: nothing here
//! allocates, takes a lock or panics.

use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::BorrowedFd;
use rustix::fs::{Mode, OFlags, open};
use rustix::io::{Errno, read};
use rustix::net::{SendFlags, send};
use rustix::process::{
    Pid, Signal, WaitOptions, WaitStatus, getpgid, kill_process, kill_process_group, wait,
};

use super::exit::ProcessExit;
use super::order::Order;
use super::wire::{self, Report};

/// What the keeper listens to, and how long it waits.
#[derive(Clone, Copy)]
pub(super) struct Ears<'a> {
    /// To the host.
    pub control: BorrowedFd<'a>,
    /// A pidfd of the host, which tells its death even where a fork of it holds `control` open. The
    /// death signal of a parent would not do: it comes with the end of the thread that forked.
    pub host: BorrowedFd<'a>,
    /// A signalfd of SIGCHLD.
    pub children: BorrowedFd<'a>,
    pub grace: Duration,
    pub run_max: Option<Duration>,
}

#[derive(Clone, Copy, PartialEq)]
enum Phase {
    /// Until the end of its time, if it has one.
    Running(Option<Instant>),
    /// All have been asked to end, and have time until then, or for ever.
    Ending(Option<Instant>),
    Killing,
}

/// Between two rounds of killing, if no child dies meanwhile.
const KILL_ROUND: Duration = Duration::from_millis(10);

/// Of one round; more come in the next.
const CHILDREN_BYTES: usize = 4_096;

struct Keeper<'a> {
    ears: Ears<'a>,
    phase: Phase,
    /// Its number is also its group's. None once it has been reaped.
    program: Option<Pid>,
    group: Pid,
    host_hears: bool,
}

/// Keeps the tree of the program until nothing of it is left.
pub(super) fn keep(ears: Ears<'_>, program: Pid) {
    let now = Instant::now();
    let phase = Phase::Running(ears.run_max.and_then(|run| now.checked_add(run)));
    let mut keeper = Keeper { ears, phase, program: Some(program), group: program, host_hears: true };
    while keeper.reap() {
        if keeper.phase == Phase::Killing {
            keeper.signal_all(Signal::KILL);
        }
        keeper.listen();
        keeper.pass_time();
    }
}

impl Keeper<'_> {
    /// Reaps all that have ended, and tells how the program did. False when no descendant is left.
    fn reap(&mut self) -> bool {
        loop {
            match wait(WaitOptions::NOHANG) {
                Ok(Some((pid, status))) if Some(pid) == self.program => {
                    self.program = None;
                    self.tell(Report::Exited(exit_of(status)));
                    self.end();
                }
                Ok(Some(_)) | Err(Errno::INTR) => {}
                Ok(None) => return true,
                Err(_) => return false,
            }
        }
    }

    fn tell(&self, report: Report) {
        // A host that is gone needs no report.
        let _ = send(self.ears.control, &report.encode(), SendFlags::NOSIGNAL);
    }

    /// Asks all to end. Stopped ones are continued, or they could not.
    fn end(&mut self) {
        if let Phase::Running(_) = self.phase {
            self.signal_all(Signal::TERM);
            self.signal_all(Signal::CONT);
            self.phase = Phase::Ending(Instant::now().checked_add(self.ears.grace));
        }
    }

    fn listen(&mut self) {
        let (control, host) = if self.host_hears {
            (self.ears.control, self.ears.host)
        } else {
            (self.ears.children, self.ears.children)
        };
        let mut fds = [
            PollFd::from_borrowed_fd(self.ears.children, PollFlags::IN),
            PollFd::from_borrowed_fd(control, PollFlags::IN),
            PollFd::from_borrowed_fd(host, PollFlags::IN),
        ];
        if !matches!(poll(&mut fds, self.patience().as_ref()), Ok(1..)) {
            return;
        }
        let [children, control, host] = fds.map(|fd| !fd.revents().is_empty());
        if children {
            // One read takes all: SIGCHLD is pending at most once.
            let mut info = [0; 128];
            let _ = read(self.ears.children, &mut info);
        }
        if self.host_hears && host {
            self.host_hears = false;
            self.end();
        } else if self.host_hears && control {
            self.obey();
        }
    }

    fn obey(&mut self) {
        let mut bytes = [0; wire::BYTES];
        match read(self.ears.control, &mut bytes) {
            Ok(wire::BYTES) => match Order::decode(bytes) {
                Some(Order::Kill) => self.phase = Phase::Killing,
                Some(Order::Signal(signal)) => self.pass_on(signal),
                Some(Order::End) | None => self.end(),
            },
            Err(Errno::INTR) => {}
            _ => {
                self.host_hears = false;
                self.end();
            }
        }
    }

    fn pass_on(&self, signal: i32) {
        if let (Some(program), Some(signal)) = (self.program, Signal::from_named_raw(signal)) {
            let _ = kill_process_group(program, signal);
        }
    }

    fn pass_time(&mut self) {
        match self.phase {
            Phase::Running(Some(until)) if until <= Instant::now() => self.end(),
            Phase::Ending(Some(until)) if until <= Instant::now() => self.phase = Phase::Killing,
            _ => {}
        }
    }

    fn patience(&self) -> Option<Timespec> {
        let left = match self.phase {
            Phase::Running(until) | Phase::Ending(until) => until?.saturating_duration_since(Instant::now()),
            Phase::Killing => KILL_ROUND,
        };
        // Rounded up: a poll that ends too early would spin.
        Timespec::try_from(left.saturating_add(Duration::from_millis(1))).ok()
    }

    /// Signals the program's group and those of all direct children. A signal reaches a whole group at
    /// once, so that forks inside one cannot outrun it; who leaves a group becomes a direct child when
    /// its parents have died, and is found in the next round. All these groups were made below the
    /// keeper, for the program began a session of its own.
    fn signal_all(&self, signal: Signal) {
        if self.program.is_some() {
            let _ = kill_process_group(self.group, signal);
        }
        let mut list = [0; CHILDREN_BYTES];
        let Some(length) = read_children(&mut list) else {
            // Without /proc only the group is in reach.
            let _ = kill_process_group(self.group, signal);
            return;
        };
        for pid in list[..length].split(|byte| !byte.is_ascii_digit()).filter_map(pid_of) {
            if let Ok(group) = getpgid(Some(pid)) {
                let _ = kill_process_group(group, signal);
            }
            let _ = kill_process(pid, signal);
        }
    }
}

/// The numbers of the direct children as text, as many as find place; a last one that may have been cut
/// off is left out.
fn read_children(list: &mut [u8]) -> Option<usize> {
    let file = open(c"/proc/thread-self/children", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).ok()?;
    let mut length = 0;
    while length < list.len() {
        match read(&file, &mut list[length..]) {
            Ok(0) => return Some(length),
            Ok(count) => length += count,
            Err(Errno::INTR) => {}
            Err(_) => return None,
        }
    }
    Some(list.iter().rposition(|byte| !byte.is_ascii_digit()).unwrap_or(0))
}

fn pid_of(digits: &[u8]) -> Option<Pid> {
    let text = str::from_utf8(digits).ok()?;
    Pid::from_raw(text.parse().ok()?).filter(|pid| !pid.is_init())
}

fn exit_of(status: WaitStatus) -> ProcessExit {
    match (status.exit_status(), status.terminating_signal()) {
        (Some(code), _) => ProcessExit::Code(code),
        (None, Some(signal)) => ProcessExit::Signal(signal),
        (None, None) => ProcessExit::Lost,
    }
}
