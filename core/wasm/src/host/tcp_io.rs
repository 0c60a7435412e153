//! The two streams of a TCP connection: what is read and written asks its grant, so that a revocation ends it.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use airssys_osl::{NetError, TcpStream};
use bytes::{Buf, Bytes};
use tokio::io::Interest;
use wasmtime_wasi::async_trait;
use wasmtime_wasi::p2::{InputStream, OutputStream, Pollable, StreamError, StreamResult};
use wasmtime_wasi::runtime::{AbortOnDropJoinHandle, spawn};

use super::network::wait;
use super::state::Refusals;
use crate::engine::Meter;

/// Bytes of one read at most.
const READ_BYTES_MAX: usize = 64 << 10;
/// Bytes of one write at most, which wait here while the peer takes none.
const WRITE_BYTES_MAX: usize = 64 << 10;

/// What a failure is to a guest that reads or writes; a denial is noted.
fn failure(error: NetError, refusals: &Refusals) -> StreamError {
    refusals.note_of(&error);
    StreamError::LastOperationFailed(wasmtime::Error::new(error))
}

/// Whether nothing more is read, shared with the socket that may say so.
#[derive(Clone, Default)]
pub(super) struct Ended(Arc<AtomicBool>);

impl Ended {
    pub(super) fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn get(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// What the peer sends.
pub(super) struct Reader {
    stream: TcpStream,
    refusals: Arc<Refusals>,
    /// Seen while waiting, told by the next read.
    failed: Option<NetError>,
    ended: Ended,
}

impl Reader {
    pub(super) fn new(stream: TcpStream, refusals: Arc<Refusals>, ended: Ended) -> Self {
        Self { stream, refusals, failed: None, ended }
    }
}

#[async_trait]
impl InputStream for Reader {
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        if self.ended.get() {
            return Err(StreamError::Closed);
        }
        let mut buffer = vec![0; size.min(READ_BYTES_MAX)];
        let read = match self.failed.take() {
            Some(error) => Err(error),
            None if size == 0 => return Ok(Bytes::new()),
            None => self.stream.try_read(&mut buffer),
        };
        match read {
            Ok(None) => Ok(Bytes::new()),
            Ok(Some(0)) => {
                self.ended.set();
                Err(StreamError::Closed)
            }
            Ok(Some(count)) => {
                buffer.truncate(count);
                Ok(Bytes::from(buffer))
            }
            Err(error) => {
                self.ended.set();
                Err(failure(error, &self.refusals))
            }
        }
    }
}

#[async_trait]
impl Pollable for Reader {
    async fn ready(&mut self) {
        if self.ended.get() || self.failed.is_some() {
            return;
        }
        match self.stream.ready_fd() {
            Ok(fd) => wait(fd, Interest::READABLE).await,
            Err(error) => self.failed = Some(error),
        }
    }
}

/// What is sent to the peer; a clone is the same stream.
#[derive(Clone)]
pub(super) struct Writer(Arc<Mutex<Writing>>);

struct Writing {
    stream: TcpStream,
    refusals: Arc<Refusals>,
    meter: Arc<Meter>,
    now: Now,
}

enum Now {
    Idle,
    /// The system took only a part: the rest goes as it takes more, also while the guest does something else.
    Busy(AbortOnDropJoinHandle<Result<(), NetError>>),
    /// The same, and then it ends.
    Closing(AbortOnDropJoinHandle<Result<(), NetError>>),
    Failed(NetError),
    Ended,
}

impl Writer {
    pub(super) fn new(stream: TcpStream, refusals: Arc<Refusals>, meter: Arc<Meter>) -> Self {
        Self(Arc::new(Mutex::new(Writing { stream, refusals, meter, now: Now::Idle })))
    }

    /// Sends the end, after what was written.
    pub(super) fn end(&self) -> Result<(), NetError> {
        let mut writing = self.lock();
        let stream = writing.stream.clone();
        let end = move || stream.shutdown(std::net::Shutdown::Write);
        match std::mem::replace(&mut writing.now, Now::Ended) {
            Now::Idle => end(),
            Now::Busy(rest) => {
                let then = async move {
                    rest.await?;
                    end()
                };
                writing.now = Now::Closing(spawn(then));
                Ok(())
            }
            other => {
                writing.now = other;
                Ok(())
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Writing> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Writing {
    fn poll_settled(&mut self, context: &mut Context<'_>) -> Poll<()> {
        self.now = match &mut self.now {
            Now::Busy(rest) => match ready!(Pin::new(rest).poll(context)) {
                Ok(()) => Now::Idle,
                Err(error) => Now::Failed(error),
            },
            Now::Closing(rest) => match ready!(Pin::new(rest).poll(context)) {
                Ok(()) => Now::Ended,
                Err(error) => Now::Failed(error),
            },
            _ => return Poll::Ready(()),
        };
        Poll::Ready(())
    }

    /// Bytes that may be written now.
    fn permit(&mut self) -> StreamResult<usize> {
        let settled = self.poll_settled(&mut Context::from_waker(std::task::Waker::noop()));
        match std::mem::replace(&mut self.now, Now::Ended) {
            Now::Ended => Err(StreamError::Closed),
            Now::Failed(error) => Err(failure(error, &self.refusals)),
            other => {
                self.now = other;
                Ok(if settled.is_ready() { WRITE_BYTES_MAX } else { 0 })
            }
        }
    }

    fn write(&mut self, mut bytes: Bytes) -> StreamResult<()> {
        if bytes.len() > self.permit()? {
            return Err(StreamError::trap("more was written than check-write allows"));
        }
        self.meter.output(bytes.len()).map_err(|over| StreamError::Trap(wasmtime::Error::new(over)))?;
        let written = if bytes.is_empty() { Ok(None) } else { self.stream.try_write(&bytes) };
        match written {
            Ok(count) => bytes.advance(count.unwrap_or(0)),
            Err(error) => {
                self.now = Now::Ended;
                return Err(failure(error, &self.refusals));
            }
        }
        if !bytes.is_empty() {
            self.now = Now::Busy(spawn(write_all(self.stream.clone(), bytes)));
        }
        Ok(())
    }
}

async fn write_all(stream: TcpStream, mut bytes: Bytes) -> Result<(), NetError> {
    while !bytes.is_empty() {
        match stream.try_write(&bytes)? {
            Some(count) => bytes.advance(count),
            None => wait(stream.ready_fd()?, Interest::WRITABLE).await,
        }
    }
    Ok(())
}

#[async_trait]
impl OutputStream for Writer {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.lock().write(bytes)
    }

    /// What was written is on its way already.
    fn flush(&mut self) -> StreamResult<()> {
        self.lock().permit().map(drop)
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        self.lock().permit()
    }

    /// What the guest believes to have written is not lost because it lets go of the stream.
    async fn cancel(&mut self) {
        self.ready().await;
    }
}

#[async_trait]
impl Pollable for Writer {
    async fn ready(&mut self) {
        std::future::poll_fn(|context| self.lock().poll_settled(context)).await;
    }
}
