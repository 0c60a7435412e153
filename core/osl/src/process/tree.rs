use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::OnceLock;
use std::time::Instant;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{SendFlags, send};
use rustix::process::{Signal, pidfd_send_signal};

use super::ending::Ending;
use super::exit::ProcessExit;
use super::order::Order;
use super::spawn;
use super::wire::{self, Report};
use crate::cut::Cut;

/// A program and all that it starts, as the host sees them: through their keeper.
pub(super) struct Tree {
    control: UnixStream,
    /// Its pidfd, once there is one.
    keeper: OnceLock<OwnedFd>,
    /// The process that started it; a fork of it has no say.
    host: u32,
    ending: Ending,
}

enum Heard {
    Report(Report),
    Nothing,
    /// It has died, or says no more.
    End,
}

const ROUND: Timespec = Timespec { tv_sec: 1, tv_nsec: 0 };
/// A start takes milliseconds, but for a host that swaps.
const START_ROUNDS_MAX: usize = 30;

impl Tree {
    /// And the keeper's end of the way between them.
    pub fn new() -> io::Result<(Self, UnixStream)> {
        let (control, theirs) = UnixStream::pair()?;
        let (host, ending) = (std::process::id(), Ending::default());
        Ok((Self { control, keeper: OnceLock::new(), host, ending }, theirs))
    }

    pub fn ending(&self) -> &Ending {
        &self.ending
    }

    pub fn set_keeper(&self, keeper: OwnedFd) {
        // It is set once, right after the start.
        let _ = self.keeper.set(keeper);
    }

    pub fn keeper(&self) -> Option<&OwnedFd> {
        self.keeper.get()
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
        // A keeper that is gone needs no order.
        let _ = send(&self.control, &order.encode(), SendFlags::NOSIGNAL | SendFlags::DONTWAIT);
        if let Some(keeper) = self.keeper() {
            // The program might have stopped it.
            let _ = pidfd_send_signal(keeper, Signal::CONT);
        }
    }

    /// The keeper's first report; none when it has died. One that says nothing is killed.
    pub fn first_report(&self) -> Option<Report> {
        for _ in 0..START_ROUNDS_MAX {
            match self.listen() {
                Heard::Report(report) => return Some(report),
                Heard::Nothing => {}
                Heard::End => return None,
            }
        }
        if let Some(keeper) = self.keeper() {
            let _ = pidfd_send_signal(keeper, Signal::KILL);
        }
        None
    }

    /// What the keeper says next. Every second it is continued, for the program might have stopped it.
    fn listen(&self) -> Heard {
        let Some(keeper) = self.keeper() else { return Heard::End };
        let mut fds = [PollFd::new(&self.control, PollFlags::IN), PollFd::new(keeper, PollFlags::IN)];
        match poll(&mut fds, Some(&ROUND)) {
            Ok(1..) => {}
            Ok(0) => {
                let _ = pidfd_send_signal(keeper, Signal::CONT);
                return Heard::Nothing;
            }
            Err(Errno::INTR) => return Heard::Nothing,
            Err(_) => return Heard::End,
        }
        // What it said last may still be there when it has ended.
        if fds[0].revents().is_empty() {
            return Heard::End;
        }
        let mut bytes = [0; wire::BYTES];
        match rustix::io::read(&self.control, &mut bytes) {
            Ok(wire::BYTES) => Report::decode(bytes).map_or(Heard::Nothing, Heard::Report),
            Err(Errno::INTR) => Heard::Nothing,
            _ => Heard::End,
        }
    }

    /// Follows the tree to its end, and gives how that came.
    pub fn watch(&self) -> (ProcessExit, Option<&'static str>) {
        loop {
            match self.listen() {
                Heard::Report(Report::Exited(exit)) => self.ending.set_exit(exit),
                Heard::Report(_) | Heard::Nothing => {}
                Heard::End => break,
            }
        }
        if let Some(keeper) = self.keeper() {
            spawn::reap(keeper.as_fd());
        }
        self.ending.result()
    }

    /// Waits until one of the descriptors is ready or the tree is gone. False at the deadline.
    pub fn wait_ready(&self, fds: &[&OwnedFd], flags: PollFlags, deadline: Instant) -> io::Result<bool> {
        let keeper = self.keeper().ok_or(io::ErrorKind::NotConnected)?;
        let of = |fd| PollFd::from_borrowed_fd(fd, flags);
        let mut fds: Vec<PollFd<'_>> = fds.iter().map(|fd| of(fd.as_fd())).collect();
        fds.push(PollFd::new(keeper, PollFlags::IN));
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match poll(&mut fds, Timespec::try_from(left).ok().as_ref()) {
                Ok(0) if Instant::now() >= deadline => return Ok(false),
                Ok(0) | Err(Errno::INTR) => {}
                Ok(_) => return Ok(true),
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Whether the keeper has ended, so that nobody writes any more.
    pub fn is_over(&self) -> bool {
        let Some(keeper) = self.keeper() else { return true };
        let mut fds = [PollFd::new(keeper, PollFlags::IN)];
        matches!(poll(&mut fds, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })), Ok(1..))
    }
}

impl Cut for Tree {
    fn cut(&self) {
        self.end(Order::Kill, "its grant ended");
    }
}
