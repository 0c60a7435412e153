//! The bytes of a connection as the server reads them: one head at a time, each looked at before anybody acts by it.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::task::{Context, Poll, ready};

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::bounds::HEAD_BYTES_MAX;
use super::framing::{Framing, framing, head_length};

/// Bytes of one read while a head is awaited.
const READ_BYTES: usize = 4 << 10;

enum Part {
    /// Waited for as a whole.
    Head,
    /// So many bytes that were looked at, or need not be; then this.
    Known(u64, After),
    /// Whatever comes: no other head is read from this connection.
    Rest,
}

#[derive(Clone, Copy)]
enum After {
    Body(u64),
    Head,
    Rest,
}

/// A connection of which heads are looked at.
pub(super) struct Heads<T> {
    inner: T,
    buffer: BytesMut,
    part: Part,
    forged: Arc<AtomicBool>,
}

impl<T> Heads<T> {
    pub(super) fn new(inner: T) -> Self {
        Self { inner, buffer: BytesMut::new(), part: Part::Head, forged: Arc::default() }
    }

    /// Whether the head that was read last is refused.
    pub(super) fn forged(&self) -> Arc<AtomicBool> {
        self.forged.clone()
    }

    /// What is to be done with the head in the buffer, if it is one.
    fn look(&mut self) -> Option<Part> {
        while self.buffer.starts_with(b"\r\n") {
            // Some send an empty line after a body.
            self.buffer.advance(2);
        }
        let Some(length) = head_length(&self.buffer) else {
            // The server refuses what is too long for it.
            return (self.buffer.len() > HEAD_BYTES_MAX).then(|| self.forge());
        };
        let after = match framing(&self.buffer[..length]) {
            Some(Framing::Length(0)) => After::Head,
            Some(Framing::Length(bytes)) => After::Body(bytes),
            Some(Framing::Chunked) => After::Rest,
            None => return Some(self.forge()),
        };
        Some(Part::Known(length as u64, after))
    }

    fn forge(&self) -> Part {
        self.forged.store(true, SeqCst);
        Part::Rest
    }
}

impl<T: AsyncRead + Unpin> Heads<T> {
    /// Reads at most `bytes_max` on, from what was read ahead first.
    fn poll_part(
        &mut self,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
        bytes_max: u64,
    ) -> Poll<io::Result<u64>> {
        let bytes_max = usize::try_from(bytes_max).unwrap_or(usize::MAX).min(buffer.remaining());
        if !self.buffer.is_empty() {
            let ahead = self.buffer.split_to(self.buffer.len().min(bytes_max));
            buffer.put_slice(&ahead);
            return Poll::Ready(Ok(ahead.len() as u64));
        }
        let mut part = ReadBuf::new(buffer.initialize_unfilled_to(bytes_max));
        ready!(Pin::new(&mut self.inner).poll_read(context, &mut part))?;
        let read = part.filled().len();
        buffer.advance(read);
        Poll::Ready(Ok(read as u64))
    }

    /// Reads ahead; `false` at the end.
    fn poll_ahead(&mut self, context: &mut Context<'_>) -> Poll<io::Result<bool>> {
        let mut bytes = [0; READ_BYTES];
        let mut part = ReadBuf::new(&mut bytes);
        ready!(Pin::new(&mut self.inner).poll_read(context, &mut part))?;
        self.buffer.extend_from_slice(part.filled());
        Poll::Ready(Ok(!part.filled().is_empty()))
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Heads<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        loop {
            match this.part {
                Part::Head => match this.look() {
                    Some(part) => this.part = part,
                    None => {
                        if !ready!(this.poll_ahead(context))? {
                            // The end, or half a head, which the server refuses.
                            this.part = Part::Rest;
                        }
                    }
                },
                Part::Known(0, After::Head) => this.part = Part::Head,
                Part::Known(0, After::Rest) => this.part = Part::Rest,
                Part::Known(0, After::Body(bytes)) => this.part = Part::Known(bytes, After::Head),
                Part::Known(left, after) => {
                    let read = ready!(this.poll_part(context, buffer, left))?;
                    this.part = Part::Known(left - read, after);
                    return Poll::Ready(Ok(()));
                }
                Part::Rest => return this.poll_part(context, buffer, u64::MAX).map_ok(drop),
            }
        }
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Heads<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}
