//! What an exchange of http is made of: its connection over osl, and its bodies, which are counted.

use std::future::{Future, poll_fn};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use airssys_osl::{NetError, TcpStream};
use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::io::unix::AsyncFd;
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};
use wasmtime_wasi_http::{Error, WasiBody};

use super::http::from_hyper;
use super::state::Refusals;
use crate::engine::Meter;

/// A connection that a revocation cuts; the denial is noted once.
pub(super) struct Connection {
    stream: TcpStream,
    arrivals: AsyncFd<OwnedFd>,
    /// Watched only once there was no room to write: the loop would tell of the room there is from the beginning.
    room: Option<AsyncFd<OwnedFd>>,
    refusals: Arc<Refusals>,
    is_denied: bool,
}

impl Connection {
    pub(super) fn new(stream: TcpStream, refusals: Arc<Refusals>) -> Result<Self, NetError> {
        let arrivals = watch(&stream, Interest::READABLE)?;
        Ok(Self { stream, arrivals, room: None, refusals, is_denied: false })
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

/// The loop's own view of the connection, which it knows by a descriptor of its own; nothing is read or written by it.
#[allow(deprecated)] // for descriptors that may be closed while they are watched, which an owned one is not
fn watch(stream: &TcpStream, interest: Interest) -> Result<AsyncFd<OwnedFd>, NetError> {
    let own = stream.ready_fd()?.as_fd().try_clone_to_owned().map_err(NetError::Io)?;
    AsyncFd::with_interest(own, interest).map_err(NetError::Io)
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.alive()?;
        let this = &mut *self;
        loop {
            let mut ready = ready!(this.arrivals.poll_read_ready(context))?;
            match this.stream.try_read(buffer.initialize_unfilled()) {
                Ok(Some(count)) => {
                    buffer.advance(count);
                    return Poll::Ready(Ok(()));
                }
                Ok(None) => ready.clear_ready(),
                Err(error) => {
                    drop(ready);
                    return Poll::Ready(Err(this.failed(error)));
                }
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
        let this = &mut *self;
        let room = match &mut this.room {
            Some(room) => room,
            none => match this.stream.try_write(bytes) {
                Ok(Some(count)) => return Poll::Ready(Ok(count)),
                Ok(None) => match watch(&this.stream, Interest::WRITABLE) {
                    Ok(room) => none.insert(room),
                    Err(error) => return Poll::Ready(Err(this.failed(error))),
                },
                Err(error) => return Poll::Ready(Err(this.failed(error))),
            },
        };
        loop {
            // Asked before the attempt, so that what it then clears is what was used up.
            let mut ready = ready!(room.poll_write_ready(context))?;
            match this.stream.try_write(bytes) {
                Ok(Some(count)) => return Poll::Ready(Ok(count)),
                Ok(None) => ready.clear_ready(),
                Err(error) => {
                    drop(ready);
                    return Poll::Ready(Err(this.failed(error)));
                }
            }
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.alive())
    }

    /// What is written has left; that there is no more is said by the close, which follows, and which nobody waits for.
    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.alive())
    }
}

/// A connection of hyper's, driven until it ends. What it fails with the request or the body says too.
pub(super) struct Driven<C> {
    /// Kept when it has ended, so that nobody waits for its socket to be closed.
    connection: Option<Pin<Box<C>>>,
    is_over: bool,
}

impl<C: Future> Driven<C> {
    pub(super) fn new(connection: C) -> Self {
        Self { connection: Some(Box::pin(connection)), is_over: false }
    }

    /// Drives it as long as this takes.
    pub(super) async fn until<T>(&mut self, other: impl Future<Output = T>) -> T {
        let mut other = pin!(other);
        poll_fn(|context| {
            let is_over = Pin::new(&mut *self).poll(context).is_ready();
            let polled = other.as_mut().poll(context);
            if polled.is_pending() && is_over && self.connection.take().is_some() {
                // What it never took up waits in it: only that it is gone says so.
                return other.as_mut().poll(context);
            }
            polled
        })
        .await
    }
}

impl<C: Future> Future for Driven<C> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let is_over = self.is_over;
        if let Some(connection) = self.connection.as_mut().filter(|_| !is_over) {
            let _ = ready!(connection.as_mut().poll(context));
            self.is_over = true;
        }
        Poll::Ready(())
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
    /// What it is that it ends too soon.
    incomplete: fn() -> Error,
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
            incomplete: || Error::HttpResponseIncomplete,
            until: None,
            silence: None,
        }
    }

    /// The same of a request, which must be whole by then.
    pub(super) fn of_request(self, until: Instant) -> Self {
        let (too_many, incomplete): (fn(_) -> _, fn() -> _) =
            (Error::HttpRequestBodySize, || Error::ConnectionTerminated);
        Self { until: Some(until), too_many, incomplete, ..self }
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
            let frame = frame.map(|frame| match frame.map_err(from_hyper) {
                Err(Error::HttpResponseIncomplete) => Err((this.incomplete)()),
                frame => this.counted(frame?),
            });
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

#[cfg(test)]
mod tests {
    use http::Request;
    use http_body_util::{BodyExt, Empty};
    use hyper::client::conn::http1::handshake;
    use wasmtime_wasi_http::io::TokioIo;

    use super::*;

    #[test]
    fn hostile_e14_a_request_that_its_connection_never_took_up_is_told_at_once() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let refused = runtime.block_on(async {
            let (ours, theirs) = tokio::io::duplex(64);
            // The peer ends it before anything was asked: in order, so hyper calls it no error.
            drop(theirs);
            let (mut sender, connection) = handshake(TokioIo::new(ours)).await.expect("no bytes yet");
            let body: WasiBody = Empty::new().map_err(|never| match never {}).boxed_unsync();
            Driven::new(connection).until(sender.send_request(Request::new(body))).await
        });
        let refused = from_hyper(refused.expect_err("nobody has answered"));
        assert!(matches!(refused, Error::ConnectionTerminated), "{refused:?}");
    }
}
