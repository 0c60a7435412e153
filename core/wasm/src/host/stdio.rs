//! A guest's standard output and error: lines that become `log` events, bounded, to no terminal.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use tokio::io::AsyncWrite;
use wasmtime_wasi::async_trait;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamError, StreamResult};

use super::baseline::Baseline;
use super::state::{Grounds, Ports};
use crate::types::event::detail;

/// A line longer than this is told in pieces.
pub(super) const LINE_BYTES_MAX: usize = 4 << 10;
/// What a guest may write in one call.
pub(super) const WRITE_BYTES_MAX: usize = 64 << 10;
/// What is kept of standard error, to be shown with a trap.
const TAIL_BYTES_MAX: usize = 2 << 10;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stream {
    Stdout,
    Stderr,
}

/// The last bytes that a guest wrote to standard error.
#[derive(Default)]
pub(crate) struct Tail(VecDeque<u8>);

impl Tail {
    fn push(&mut self, bytes: &[u8]) {
        let kept = &bytes[bytes.len().saturating_sub(TAIL_BYTES_MAX)..];
        let over = (self.0.len() + kept.len()).saturating_sub(TAIL_BYTES_MAX);
        self.0.drain(..over);
        self.0.extend(kept);
    }

    pub(crate) fn text(&self) -> String {
        let bytes: Vec<u8> = self.0.iter().copied().collect();
        String::from_utf8_lossy(&bytes).trim_end().to_owned()
    }
}

/// One stream of one life. A clone writes to the same line.
#[derive(Clone)]
pub(crate) struct Log {
    stream: Stream,
    actor: airssys_rt::ActorId,
    ports: Arc<Ports>,
    baseline: Baseline,
    stderr: Arc<Mutex<Tail>>,
    line: Arc<Mutex<Vec<u8>>>,
}

impl Log {
    pub(crate) fn new(
        stream: Stream,
        grounds: &Grounds,
        baseline: Baseline,
        stderr: Arc<Mutex<Tail>>,
    ) -> Self {
        let (actor, ports) = (grounds.id.clone(), grounds.ports.clone());
        Self { stream, actor, ports, baseline, stderr, line: Arc::default() }
    }

    /// Takes everything: what is not granted is dropped, so that a guest's prints never fail it.
    fn take(&self, bytes: &[u8]) {
        if self.baseline.stdio("wasi:cli/stdout").is_err() {
            return;
        }
        if self.stream == Stream::Stderr {
            self.stderr.lock().unwrap_or_else(PoisonError::into_inner).push(bytes);
        }
        let mut line = self.line.lock().unwrap_or_else(PoisonError::into_inner);
        for &byte in bytes {
            if byte == b'\n' || line.len() == LINE_BYTES_MAX {
                self.tell(&std::mem::take(&mut *line));
            }
            if byte != b'\n' {
                line.push(byte);
            }
        }
    }

    /// Tells what no newline has ended yet.
    fn end(&self) {
        let line = std::mem::take(&mut *self.line.lock().unwrap_or_else(PoisonError::into_inner));
        if !line.is_empty() {
            self.tell(&line);
        }
    }

    fn tell(&self, line: &[u8]) {
        self.ports.hub.tell("log", Some(self.actor.as_str()), || {
            let mut facts = detail("text", String::from_utf8_lossy(line).into_owned());
            let stream = if self.stream == Stream::Stdout { "stdout" } else { "stderr" };
            facts.insert("stream".to_owned(), stream.into());
            facts
        });
    }
}

/// Both streams of one life, whose last lines are told at its end; of one that was killed, after that.
pub(crate) struct Logs([Log; 2]);

impl Logs {
    pub(crate) fn new(stdout: &Log, stderr: &Log) -> Self {
        Self([stdout.clone(), stderr.clone()])
    }

    /// Tells what no newline has ended yet, so that it comes before the end of the life.
    pub(crate) fn end(&self) {
        self.0.iter().for_each(Log::end);
    }
}

impl Drop for Logs {
    fn drop(&mut self) {
        self.end();
    }
}

impl IsTerminal for Log {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Log {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

impl AsyncWrite for Log {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        self.take(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[async_trait]
impl Pollable for Log {
    async fn ready(&mut self) {}
}

#[async_trait]
impl OutputStream for Log {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        if bytes.len() > WRITE_BYTES_MAX {
            return Err(StreamError::trap("more was written than check-write permits"));
        }
        self.take(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(WRITE_BYTES_MAX)
    }
}
