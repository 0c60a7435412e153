//! A file read as a stream: each read asks the handle, so that a revoked grant ends it.

use airssys_osl::FileHandle;
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
    Busy(JoinHandle<Result<Bytes, airssys_osl::FsError>>),
    Data(Bytes),
    Failed(wasmtime::Error),
    Ended,
}

impl FileStream {
    pub(super) fn new(file: FileHandle, offset: u64, means: Means) -> Self {
        Self { file, offset, means, state: Reading::Idle }
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

    fn arrived(&mut self, read: Result<Bytes, airssys_osl::FsError>) -> Reading {
        match read {
            Ok(bytes) if bytes.is_empty() => Reading::Ended,
            Ok(bytes) => Reading::Data(bytes),
            Err(error) => {
                if let airssys_osl::FsError::Denied(denial) = &error {
                    self.means.1.note(denial);
                }
                Reading::Failed(wasmtime::Error::new(std::io::Error::other(error)))
            }
        }
    }
}

#[async_trait]
impl InputStream for FileStream {
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        match std::mem::replace(&mut self.state, Reading::Ended) {
            Reading::Idle => {
                self.state = Reading::Idle;
                // Without a turn it begins when the guest waits.
                if size > 0
                    && let Some(turn) = self.means.0.try_take()
                {
                    self.begin(turn, size);
                }
                Ok(Bytes::new())
            }
            Reading::Busy(task) => {
                self.state = Reading::Busy(task);
                Ok(Bytes::new())
            }
            Reading::Data(mut bytes) => {
                let chunk = bytes.split_to(bytes.len().min(size));
                self.offset += chunk.len() as u64;
                self.state = if bytes.is_empty() { Reading::Idle } else { Reading::Data(bytes) };
                Ok(chunk)
            }
            Reading::Failed(why) => Err(StreamError::LastOperationFailed(why)),
            Reading::Ended => Err(StreamError::Closed),
        }
    }
}

#[async_trait]
impl Pollable for FileStream {
    async fn ready(&mut self) {
        if matches!(self.state, Reading::Idle) {
            let turn = self.means.0.take().await;
            self.begin(turn, READ_BYTES_MAX);
        }
        if let Reading::Busy(task) = &mut self.state {
            let read = turns::end(task).await;
            self.state = self.arrived(read);
        }
    }
}
