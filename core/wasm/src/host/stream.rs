//! A file read as a stream: each read asks the handle, so that a revoked grant ends it.

use airssys_osl::{FileHandle, FsError};
use bytes::Bytes;
use tokio::task::JoinHandle;
use wasmtime_wasi::async_trait;
use wasmtime_wasi::p2::{InputStream, Pollable, StreamError, StreamResult};

use super::turns::{self, Means, Turn};

/// Bytes of one read at most.
const READ_BYTES_MAX: usize = 64 << 10;

pub(super) struct FileStream {
    file: FileHandle,
    offset: u64,
    means: Means,
    state: Reading,
}

enum Reading {
    Idle,
    Busy(JoinHandle<Result<Bytes, FsError>>),
    Data(Bytes),
    Failed(wasmtime::Error),
    Ended,
}

impl FileStream {
    pub(super) fn new(file: FileHandle, offset: u64, means: Means) -> Self {
        Self { file, offset, means, state: Reading::Idle }
    }

    /// What of the file is in memory is read on the spot, which takes less time than a thread to hand it over would.
    fn look(&mut self, size: usize) -> bool {
        let mut buffer = vec![0; size.min(READ_BYTES_MAX)];
        let read = match self.file.try_read_at(&mut buffer, self.offset) {
            Ok(None) => return false,
            Ok(Some(read)) => {
                buffer.truncate(read);
                Ok(Bytes::from(buffer))
            }
            Err(error) => Err(error),
        };
        self.state = self.arrived(read);
        true
    }

    /// Reads on the spot, or begins to on the pool when it is this actor's turn.
    async fn start(&mut self, size: usize) {
        if !self.look(size) {
            let turn = self.means.0.take().await;
            self.begin(turn, size);
        }
    }

    /// Begins to read on the blocking pool.
    fn begin(&mut self, turn: Turn, size: usize) {
        let (file, offset) = (self.file.clone(), self.offset);
        self.state = Reading::Busy(turns::begin(turn, move || {
            let mut buffer = vec![0; size.min(READ_BYTES_MAX)];
            let read = file.read_at(&mut buffer, offset)?;
            buffer.truncate(read);
            Ok(Bytes::from(buffer))
        }));
    }

    fn arrived(&mut self, read: Result<Bytes, FsError>) -> Reading {
        match read {
            Ok(bytes) if bytes.is_empty() => Reading::Ended,
            Ok(bytes) => Reading::Data(bytes),
            Err(error) => {
                if let FsError::Denied(denial) = &error {
                    self.means.1.note(denial);
                }
                Reading::Failed(wasmtime::Error::new(std::io::Error::other(error)))
            }
        }
    }

    /// Hands over what was read, if the file may still be used.
    fn chunk(&mut self, mut bytes: Bytes, size: usize) -> StreamResult<Bytes> {
        if let Err(error) = self.file.permit()
            && let Reading::Failed(why) = self.arrived(Err(error))
        {
            return Err(StreamError::LastOperationFailed(why));
        }
        let chunk = bytes.split_to(bytes.len().min(size));
        self.offset += chunk.len() as u64;
        self.state = if bytes.is_empty() { Reading::Idle } else { Reading::Data(bytes) };
        Ok(chunk)
    }
}

#[async_trait]
impl InputStream for FileStream {
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        match std::mem::replace(&mut self.state, Reading::Ended) {
            Reading::Idle if size == 0 => {
                self.state = Reading::Idle;
                Ok(Bytes::new())
            }
            Reading::Idle => match self.look(size) {
                true => self.read(size),
                false => {
                    self.state = Reading::Idle;
                    // Without a turn it begins when the guest waits.
                    if let Some(turn) = self.means.0.try_take() {
                        self.begin(turn, size);
                    }
                    Ok(Bytes::new())
                }
            },
            Reading::Busy(task) => {
                self.state = Reading::Busy(task);
                Ok(Bytes::new())
            }
            Reading::Data(bytes) => self.chunk(bytes, size),
            Reading::Failed(why) => Err(StreamError::LastOperationFailed(why)),
            Reading::Ended => Err(StreamError::Closed),
        }
    }

    /// As the trait's own, but no more is read than is asked for.
    async fn blocking_read(&mut self, size: usize) -> StreamResult<Bytes> {
        if size > 0 && matches!(self.state, Reading::Idle) {
            self.start(size).await;
        }
        self.ready().await;
        self.read(size)
    }
}

#[async_trait]
impl Pollable for FileStream {
    async fn ready(&mut self) {
        if matches!(self.state, Reading::Idle) {
            self.start(READ_BYTES_MAX).await;
        }
        if let Reading::Busy(task) = &mut self.state {
            let read = turns::end(task).await;
            self.state = self.arrived(read);
        }
    }
}
