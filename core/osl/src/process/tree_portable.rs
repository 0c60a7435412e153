//! A program and its group, where there is neither subreaper nor pidfd.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ExitStatus};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

use super::ending::Ending;
use super::exit::ProcessExit;
use super::order::Order;
use crate::cut::Cut;

/// A program and those that stay in its group.
pub(super) struct Tree {
    /// The process that started it; a fork of it has no say.
    host: u32,
    state: Mutex<State>,
    changed: Condvar,
    ending: Ending,
}

#[derive(Default)]
struct State {
    child: Option<Child>,
    /// What was asked for before there was a child, or is not yet done.
    order: Option<Order>,
    grace: Duration,
    run_until: Option<Instant>,
}

/// Nothing else tells of the end without taking the host's SIGCHLD.
const ROUND: Duration = Duration::from_millis(20);

impl Tree {
    pub fn new() -> io::Result<(Self, ())> {
        let host = std::process::id();
        let (state, changed, ending) = (Mutex::default(), Condvar::new(), Ending::default());
        Ok((Self { host, state, changed, ending }, ()))
    }

    pub fn ending(&self) -> &Ending {
        &self.ending
    }

    pub fn set_child(&self, child: Child, grace: Duration, run_max: Option<Duration>) {
        let mut state = self.lock();
        state.child = Some(child);
        state.grace = grace;
        state.run_until = run_max.and_then(|run| Instant::now().checked_add(run));
    }

    /// Lets the tree end: at once, or after its grace.
    pub fn end(&self, order: Order, why: &'static str) {
        if self.ending.want(why) {
            self.order(order);
        }
    }

    pub fn order(&self, order: Order) {
        if self.host != std::process::id() {
            return;
        }
        let mut state = self.lock();
        match order {
            Order::Signal(signal) => {
                if let Some(signal) = Signal::from_named_raw(signal) {
                    state.signal(signal);
                }
            }
            Order::End if state.order == Some(Order::Kill) => {}
            Order::End | Order::Kill => state.order = Some(order),
        }
        drop(state);
        self.changed.notify_all();
    }

    /// Follows the program to its end, and gives how that came.
    pub fn watch(&self) -> (ProcessExit, Option<&'static str>) {
        let mut kill_at = None;
        let mut asked = false;
        let mut state = self.lock();
        while !state.has_ended() {
            let now = Instant::now();
            let late = state.run_until.is_some_and(|until| until <= now);
            match state.order {
                Some(Order::Kill) => state.signal(Signal::KILL),
                Some(_) if !asked => {
                    asked = true;
                    kill_at = state.ask(now);
                }
                None if late => state.order = Some(Order::End),
                _ if kill_at.is_some_and(|at: Instant| at <= now) => state.order = Some(Order::Kill),
                _ => {}
            }
            let woken = self.changed.wait_timeout(state, ROUND);
            state = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
        // Not collected yet, so that the group's number is still its own.
        state.signal(Signal::KILL);
        let status = state.child.take().map(|mut child| child.wait());
        drop(state);
        self.ending.set_exit(exit_of(status.and_then(Result::ok)));
        self.ending.result()
    }

    /// Waits until one of the descriptors is ready or the program is gone. False at the deadline.
    pub fn wait_ready(&self, fds: &[&OwnedFd], flags: PollFlags, deadline: Instant) -> io::Result<bool> {
        let of = |fd| PollFd::from_borrowed_fd(fd, flags);
        let mut fds: Vec<PollFd<'_>> = fds.iter().map(|fd| of(fd.as_fd())).collect();
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match poll(&mut fds, Timespec::try_from(left.min(ROUND)).ok().as_ref()) {
                Ok(0) if self.is_over() => return Ok(true),
                Ok(0) if Instant::now() >= deadline => return Ok(false),
                Ok(0) | Err(Errno::INTR) => {}
                Ok(_) => return Ok(true),
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Whether the program has ended, and its group been killed.
    pub fn is_over(&self) -> bool {
        self.ending.exit().is_some()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No code that runs under this lock can leave it half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn pid(&self) -> Option<Pid> {
        Pid::from_raw(i32::try_from(self.child.as_ref()?.id()).ok()?)
    }

    fn signal(&self, signal: Signal) {
        if let Some(pid) = self.pid() {
            let _ = kill_process_group(pid, signal);
        }
    }

    /// Asks the group to end; gives when it is killed, if ever.
    fn ask(&self, now: Instant) -> Option<Instant> {
        self.signal(Signal::TERM);
        self.signal(Signal::CONT);
        now.checked_add(self.grace)
    }

    /// Looks without collecting. A host that ignores its children leaves nothing to look at.
    fn has_ended(&self) -> bool {
        let Some(pid) = self.pid() else { return true };
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
        !matches!(waitid(WaitId::Pid(pid), options), Ok(None) | Err(Errno::INTR))
    }
}

impl Cut for Tree {
    fn cut(&self) {
        self.end(Order::Kill, "its grant ended");
    }
}

fn exit_of(status: Option<ExitStatus>) -> ProcessExit {
    match status.map(|status| (status.code(), status.signal())) {
        Some((Some(code), _)) => ProcessExit::Code(code),
        Some((None, Some(signal))) => ProcessExit::Signal(signal),
        _ => ProcessExit::Lost,
    }
}
