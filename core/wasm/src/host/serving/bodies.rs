//! What a server sends, counted as output of the guest and ended in time.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep_until};
use wasmtime_wasi_http::{Error, WasiBody};

use super::term::Term;
use crate::engine::Meter;
use crate::types::exchange::Call;

/// A response's body that counts as output of the guest; with too much of it the connection ends.
pub(crate) struct Counted {
    pub(crate) body: WasiBody,
    pub(crate) meter: Arc<Meter>,
    /// Told of that.
    pub(crate) exceeded: Arc<dyn Fn(crate::types::error::Error) + Send + Sync>,
}

impl Body for Counted {
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
            Err(over) => {
                (self.exceeded)(over);
                Poll::Ready(Some(Err(Error::HttpResponseBodySize(None))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// An exchange that a connection has under way, until this is dropped.
pub(super) struct UnderWay {
    busy: Arc<AtomicBool>,
    call: Arc<Call>,
    /// Whether its peer has, or will have, all of it.
    pub(super) is_whole: bool,
}

impl UnderWay {
    pub(super) fn begin(busy: &Arc<AtomicBool>, call: &Arc<Call>) -> Self {
        busy.store(true, SeqCst);
        Self { busy: busy.clone(), call: call.clone(), is_whole: false }
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        if !self.is_whole {
            self.call.leave();
        }
        self.busy.store(false, SeqCst);
    }
}

/// A response's body on its way to the peer.
pub(super) struct Reply {
    /// Dropped before the body, whose end the guest sees.
    under_way: Option<UnderWay>,
    body: WasiBody,
    term: Term,
    until: Pin<Box<Sleep>>,
    is_cut: bool,
    /// Bytes that are still to come, if that was said.
    left: Option<u64>,
}

impl Reply {
    /// What the host itself says, or the guest: `left` is the length that the head tells.
    pub(super) fn new(body: WasiBody, term: Term, left: Option<u64>, under_way: Option<UnderWay>) -> Self {
        let until = Box::pin(sleep_until(term.until));
        let mut reply = Self { under_way, body, term, until, is_cut: false, left };
        if left == Some(0) || reply.body.is_end_stream() {
            reply.complete();
        }
        reply
    }

    fn cut(&mut self) {
        self.is_cut = true;
        self.term.cut(None);
    }

    fn complete(&mut self) {
        if let Some(under_way) = &mut self.under_way {
            under_way.is_whole = true;
        }
    }

    fn count(&mut self, frame: &Option<Result<Frame<Bytes>, Error>>) {
        match frame {
            None => self.complete(),
            Some(Ok(frame)) => {
                let bytes = frame.data_ref().map_or(0, Bytes::len) as u64;
                self.left = self.left.map(|left| left.saturating_sub(bytes));
                if self.left == Some(0) || self.body.is_end_stream() {
                    // The rest is not asked for.
                    self.complete();
                }
            }
            Some(Err(_)) => {}
        }
    }
}

impl Body for Reply {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let this = &mut *self;
        if let Poll::Ready(frame) = Pin::new(&mut this.body).poll_frame(context) {
            this.count(&frame);
            return Poll::Ready(frame);
        }
        ready!(this.until.as_mut().poll(context));
        this.cut();
        Poll::Ready(Some(Err(Error::ConnectionWriteTimeout)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Reply {
    /// What a slow peer has not taken in time is cut by its connection, which asks for no more of it.
    fn drop(&mut self) {
        let is_left = self.under_way.as_ref().is_some_and(|under_way| !under_way.is_whole);
        if is_left && !self.is_cut && Instant::now() >= self.term.until {
            self.cut();
        }
    }
}
