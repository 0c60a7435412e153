//! A file written as a stream: each write asks the handle, so that a revoked grant ends it.

use airssys_osl::{FileHandle, FsError};
use bytes::Bytes;
use tokio::task::JoinHandle;
use wasmtime_wasi::async_trait;
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamError, StreamResult};

use super::turns::{self, Means, Turn};

/// Bytes of one write at most: what a stream holds that is not on its way to the disk yet.
const WRITE_BYTES_MAX: usize = 64 << 10;

/// Where a stream writes next.
#[derive(Clone, Copy)]
pub(super) enum Place {
    Offset(u64),
    /// Wherever the end is by then.
    End,
}

pub(super) struct FileSink {
    file: FileHandle,
    place: Place,
    means: Means,
    state: Writing,
}

enum Writing {
    Ready,
    /// For a turn, which is taken by whoever waits for the end of the write.
    Waiting(Bytes),
    Busy(JoinHandle<Result<(), FsError>>),
    /// Told once, by the next call that asks.
    Failed(wasmtime::Error),
    Closed,
}

impl FileSink {
    pub(super) fn new(file: FileHandle, place: Place, means: Means) -> Self {
        Self { file, place, means, state: Writing::Ready }
    }

    /// Begins to write on the blocking pool, one write at a time.
    fn begin(&mut self, turn: Turn, bytes: Bytes) {
        let (file, place) = (self.file.clone(), self.place);
        if let Place::Offset(offset) = &mut self.place {
            // A write that fails closes the stream, so the place after it is never used.
            *offset = offset.saturating_add(bytes.len() as u64);
        }
        self.state = Writing::Busy(turns::begin(turn, move || write(&file, place, &bytes)));
    }

    /// Waits for the write under way, if there is one.
    async fn settle(&mut self) {
        if let Writing::Waiting(bytes) = &self.state {
            let bytes = bytes.clone();
            let turn = self.means.0.take().await;
            self.begin(turn, bytes);
        }
        let Writing::Busy(task) = &mut self.state else { return };
        self.state = match turns::end(task).await {
            Ok(()) => Writing::Ready,
            Err(error) => {
                if let FsError::Denied(denial) = &error {
                    self.means.1.note(denial);
                }
                Writing::Failed(wasmtime::Error::new(std::io::Error::other(error)))
            }
        };
    }

    /// The error of a write, once; from then on the stream is closed.
    fn check(&mut self) -> StreamResult<()> {
        match std::mem::replace(&mut self.state, Writing::Closed) {
            Writing::Failed(why) => Err(StreamError::LastOperationFailed(why)),
            Writing::Closed => Err(StreamError::Closed),
            state => {
                self.state = state;
                Ok(())
            }
        }
    }
}

fn write(file: &FileHandle, place: Place, mut bytes: &[u8]) -> Result<(), FsError> {
    if let Place::Offset(offset) = place {
        return file.write_all_at(bytes, offset);
    }
    while !bytes.is_empty() {
        match file.append(bytes)? {
            0 => return Err(std::io::Error::from(std::io::ErrorKind::WriteZero).into()),
            written => bytes = &bytes[written..],
        }
    }
    Ok(())
}

#[async_trait]
impl OutputStream for FileSink {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.check()?;
        if !matches!(self.state, Writing::Ready) || bytes.len() > WRITE_BYTES_MAX {
            return Err(StreamError::trap("more was written than check-write permits"));
        }
        if !bytes.is_empty() {
            match self.means.0.try_take() {
                Some(turn) => self.begin(turn, bytes),
                None => self.state = Writing::Waiting(bytes),
            }
        }
        Ok(())
    }

    /// What was written is on its way already; its end is what `check-write` waits for.
    fn flush(&mut self) -> StreamResult<()> {
        self.check()
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        self.check()?;
        Ok(if matches!(self.state, Writing::Ready) { WRITE_BYTES_MAX } else { 0 })
    }

    /// A stream that is dropped has written what it took.
    async fn cancel(&mut self) {
        self.settle().await;
    }
}

#[async_trait]
impl Pollable for FileSink {
    async fn ready(&mut self) {
        self.settle().await;
    }
}
