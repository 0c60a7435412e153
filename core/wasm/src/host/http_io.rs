//! What an exchange of http is made of: its connection over osl, and its bodies, which are counted.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use airssys_osl::{NetError, TcpStream};
use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};
use wasmtime_wasi_http::{Error, WasiBody};

use super::http::from_hyper;
use super::network::watched;
use super::state::Refusals;
use crate::engine::Meter;

/// A connection that a revocation cuts; the denial is noted once.
pub(super) struct Connection {
    stream: TcpStream,
    watched: tokio::net::TcpStream,
    refusals: Arc<Refusals>,
    is_denied: bool,
}

impl Connection {
    pub(super) fn new(stream: TcpStream, refusals: Arc<Refusals>) -> Result<Self, NetError> {
        let watched = watched(&stream.ready_fd()?).map_err(NetError::Io)?;
        Ok(Self { stream, watched, refusals, is_denied: false })
    }

    /// Acts if it is ready; nothing when it would block, and is waited for anew.
    fn attempt<T>(
        &mut self,
        interest: Interest,
        act: impl FnOnce(&TcpStream) -> Result<Option<T>, NetError>,
    ) -> Option<io::Result<T>> {
        let mut done = None;
        let _ = self.watched.try_io(interest, || {
            done = act(&self.stream).transpose();
            if done.is_some() { Ok(()) } else { Err(io::ErrorKind::WouldBlock.into()) }
        });
        done.map(|done| done.map_err(|error| self.failed(error)))
    }

    fn failed(&mut self, error: NetError) -> io::Error {
        self.refusals.note_of(&error);
        match error {
            NetError::Io(error) => error,
            NetError::Denied(denial) => {
                self.is_denied = true;
                io::Error::new(io::ErrorKind::PermissionDenied, denial)
            }
            error => io::Error::other(error),
        }
    }

    fn alive(&self) -> io::Result<()> {
        if self.is_denied { Err(io::ErrorKind::PermissionDenied.into()) } else { Ok(()) }
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.alive()?;
        loop {
            ready!(self.watched.poll_read_ready(context))?;
            let free = buffer.initialize_unfilled();
            if let Some(read) = self.attempt(Interest::READABLE, |stream| stream.try_read(free)) {
                return Poll::Ready(read.map(|count| buffer.advance(count)));
            }
        }
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.alive()?;
        loop {
            ready!(self.watched.poll_write_ready(context))?;
            if let Some(written) = self.attempt(Interest::WRITABLE, |stream| stream.try_write(bytes)) {
                return Poll::Ready(written);
            }
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.alive())
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.alive()?;
        let ended = self.stream.shutdown(std::net::Shutdown::Write);
        Poll::Ready(ended.map_err(|error| self.failed(error)))
    }
}

/// A request's body, which counts as output of the guest.
pub(super) struct Sent {
    pub body: WasiBody,
    pub meter: Arc<Meter>,
}

impl Body for Sent {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        let bytes = match &frame {
            Some(Ok(frame)) => frame.data_ref().map_or(0, Bytes::len),
            _ => 0,
        };
        match self.meter.output(bytes) {
            Ok(()) => Poll::Ready(frame),
            Err(_) => Poll::Ready(Some(Err(Error::HttpRequestBodySize(None)))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A body that is received: so many bytes at most, never too long a silence, and no longer than may be in all.
pub(super) struct Received {
    body: Incoming,
    bytes_left: u64,
    bytes_max: u64,
    silence_max: Duration,
    /// What more than that is.
    too_many: fn(Option<u64>) -> Error,
    /// When it must be whole.
    until: Option<Instant>,
    /// Armed when a wait begins.
    silence: Option<Pin<Box<Sleep>>>,
}

impl Received {
    pub(super) fn new(body: Incoming, bytes_max: u64, silence_max: Duration) -> Self {
        Self {
            body,
            bytes_left: bytes_max,
            bytes_max,
            silence_max,
            too_many: Error::HttpResponseBodySize,
            until: None,
            silence: None,
        }
    }

    /// The same of a request, which must be whole by then.
    pub(super) fn of_request(self, until: Instant) -> Self {
        Self { until: Some(until), too_many: Error::HttpRequestBodySize, ..self }
    }

    fn counted(&mut self, frame: Frame<Bytes>) -> Result<Frame<Bytes>, Error> {
        let bytes = frame.data_ref().map_or(0, Bytes::len) as u64;
        let too_many = (self.too_many)(Some(self.bytes_max));
        self.bytes_left = self.bytes_left.checked_sub(bytes).ok_or(too_many)?;
        Ok(frame)
    }
}

impl Body for Received {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let this = &mut *self;
        if let Poll::Ready(frame) = Pin::new(&mut this.body).poll_frame(context) {
            this.silence = None;
            let frame = frame.map(|frame| frame.map_err(from_hyper).and_then(|frame| this.counted(frame)));
            return Poll::Ready(frame);
        }
        let (silence_max, until) = (this.silence_max, this.until);
        let silence = this.silence.get_or_insert_with(|| {
            let end = Instant::now() + silence_max;
            Box::pin(sleep_until(until.map_or(end, |until| until.min(end))))
        });
        ready!(silence.as_mut().poll(context));
        Poll::Ready(Some(Err(Error::ConnectionReadTimeout)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
