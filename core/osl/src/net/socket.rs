use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use rustix::event::PollFlags;
use rustix::io::Errno;
use rustix::net::{Shutdown, shutdown};

use crate::audit::Opened;
use crate::cut::Cut;
use crate::denial::Denial;
use crate::denial::Refusal;
use crate::descriptor::{CountedFd, Descriptor};
use crate::grant::{Guard, Lease};
use crate::net::{NetError, NetLimits, raw};
use crate::resources::Permit;
use crate::set::CapabilitySet;

/// What every socket of one actor shares.
#[derive(Clone)]
pub(crate) struct Context {
    pub set: CapabilitySet,
    pub limits: Arc<NetLimits>,
}

/// A socket that lives until it is dropped or its grant ends, whichever comes first.
pub(crate) struct Socket {
    fd: Arc<SocketFd>,
    tie: Lease<SocketFd>,
    pub context: Context,
    capability: String,
    function: String,
    received: AtomicU64,
    sent: AtomicU64,
    /// Connections that it took, if it listens.
    accepted: AtomicU64,
    /// Its end is recorded, once it has come to something.
    closing: OnceLock<Opened>,
}

/// The end of the grant shuts it down both ways, so that whoever waits on it returns at once.
struct SocketFd(Descriptor);

impl Cut for SocketFd {
    fn cut(&self) {
        if let Some(fd) = self.0.get() {
            // One that is not connected says so, and is woken all the same.
            let _ = shutdown(&*fd, Shutdown::Both);
        }
        self.0.cut();
    }
}

/// The descriptor of a socket, to wait on and for nothing else: reading and writing go through the
/// handle, which asks the grant. Do not keep it: the socket stays open, though cut off, as long as this
/// lives.
pub struct ReadyFd(Arc<CountedFd>);

impl AsFd for ReadyFd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl Socket {
    /// Ties the descriptor to the grant; refused when the grant has ended meanwhile.
    pub fn new(
        context: &Context,
        guard: &Guard,
        permits: Vec<Arc<Permit>>,
        fd: OwnedFd,
        capability: &str,
        function: &str,
    ) -> Result<Self, Denial> {
        let fd = Arc::new(SocketFd(Descriptor::new(fd, permits)));
        let tie = guard.tie(fd.clone()).map_err(|kind| {
            context.set.deny(Refusal::because(kind, guard.rule().clone()), capability.to_owned(), function)
        })?;
        Ok(Self {
            fd,
            tie,
            context: context.clone(),
            capability: capability.to_owned(),
            function: function.to_owned(),
            received: AtomicU64::new(0),
            sent: AtomicU64::new(0),
            accepted: AtomicU64::new(0),
            closing: OnceLock::new(),
        })
    }

    /// Has its end recorded, from now on.
    pub fn set_open(&self, opened: Opened) {
        // It is set once, right after it was opened.
        let _ = self.closing.set(opened);
    }

    pub fn guard(&self) -> &Guard {
        self.tie.guard()
    }

    pub fn capability(&self) -> &str {
        &self.capability
    }

    pub fn function(&self) -> &str {
        &self.function
    }

    /// The descriptor for one use; refused, with an audit record, once the grant has ended.
    pub fn fd(&self) -> Result<Arc<CountedFd>, NetError> {
        use crate::denial::DenialKind::Revoked;
        let guard = self.guard();
        // Only the end of the grant empties it, and it says which end before it does so.
        let fd = guard.alive().and_then(|()| self.fd.0.get().ok_or(guard.alive().err().unwrap_or(Revoked)));
        fd.map_err(|kind| {
            let refusal = Refusal::because(kind, guard.rule().clone());
            self.context.set.deny(refusal, self.capability.clone(), &self.function).into()
        })
    }

    pub fn ready_fd(&self) -> Result<ReadyFd, NetError> {
        self.fd().map(ReadyFd)
    }

    /// Sends over so many routers at most.
    pub fn set_hop_limit(&self, hops: u8) -> Result<(), NetError> {
        Ok(raw::set_hop_limit(&*self.fd()?, hops)?)
    }

    /// Acts once; nothing when that would block.
    pub fn once<T>(&self, act: impl FnMut(&OwnedFd) -> Result<T, Errno>) -> Result<Option<T>, NetError> {
        self.repeat(None, act)
    }

    /// Acts as soon as the socket is ready.
    pub fn run<T>(
        &self,
        ready: PollFlags,
        deadline: Instant,
        act: impl FnMut(&OwnedFd) -> Result<T, Errno>,
    ) -> Result<T, NetError> {
        let deadline = self.context.limits.capped(deadline, Instant::now());
        Ok(self.repeat(Some((ready, deadline)), act)?.expect("it waits while it would block"))
    }

    fn repeat<T>(
        &self,
        wait: Option<(PollFlags, Instant)>,
        mut act: impl FnMut(&OwnedFd) -> Result<T, Errno>,
    ) -> Result<Option<T>, NetError> {
        loop {
            let fd = self.fd()?;
            match (act(&fd), wait) {
                (Ok(done), _) => return Ok(Some(done)),
                (Err(Errno::INTR), _) => {}
                (Err(Errno::AGAIN), None) => return Ok(None),
                (Err(Errno::AGAIN), Some((ready, deadline))) => {
                    if !raw::wait(&*fd, ready, deadline)? {
                        return Err(NetError::Timeout);
                    }
                }
                (Err(error), _) => {
                    // A socket that was cut fails as if its peer had closed it.
                    self.fd()?;
                    return Err(error.into());
                }
            }
        }
    }

    /// How much of a buffer may be filled now; an error when nothing may be received any more.
    pub fn receivable(&self, buffer_bytes: usize) -> Result<usize, NetError> {
        let Some(received_bytes_max) = self.context.limits.received_bytes_max else {
            return Ok(buffer_bytes);
        };
        let left = received_bytes_max.saturating_sub(self.received());
        if left == 0 {
            return Err(NetError::TooManyBytes { received_bytes_max });
        }
        Ok(usize::try_from(left).map_or(buffer_bytes, |left| left.min(buffer_bytes)))
    }

    pub fn count_received(&self, count: usize) {
        self.received.fetch_add(count as u64, Ordering::Relaxed);
    }

    pub fn count_sent(&self, count: usize) {
        self.sent.fetch_add(count as u64, Ordering::Relaxed);
    }

    pub fn count_accepted(&self) {
        self.accepted.fetch_add(1, Ordering::Relaxed);
    }

    pub fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }

    pub fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        let Some(closing) = self.closing.take() else { return };
        let outcome = self.guard().alive().map_or("its grant has ended", |()| "ok");
        match self.accepted.load(Ordering::Relaxed) {
            0 => closing.close(outcome, &[("bytes_in", self.received()), ("bytes_out", self.sent())]),
            accepted => closing.close(outcome, &[("accepted", accepted)]),
        }
    }
}
