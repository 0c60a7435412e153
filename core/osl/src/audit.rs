use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use crate::protected::Protected;
use crate::queue::Queue;
use crate::record::Record;

#[derive(Clone, Debug, Default)]
pub struct AuditConfig {
    /// The file that lines are appended to; without one the last 1,000 records stay in memory.
    pub path: Option<PathBuf>,
}

const MEMORY_RECORDS_MAX: usize = 1_000;
const CHUNK_BYTES: usize = 65_536;

/// Where every decision is recorded, as JSON Lines, by a thread of its own.
///
/// Decisions go on when the file cannot be written: what was not written is counted in
/// [`failed`](Audit::failed), and the next [`flush`](Audit::flush) says so.
pub struct Audit {
    shared: Arc<Shared>,
    writer: Mutex<Option<JoinHandle<()>>>,
    protected: Protected,
}

#[derive(Default)]
struct Shared {
    queue: Queue,
    failed: AtomicU64,
    /// The first failure that no flush has told of yet.
    failure: Mutex<Option<String>>,
    recent: Mutex<VecDeque<Record>>,
    writer_gone: AtomicBool,
}

impl Audit {
    /// Opens the file for appending, created with mode 0600, and starts the writer.
    pub fn open(config: AuditConfig) -> io::Result<Arc<Audit>> {
        let protected = Protected::default();
        let file = match &config.path {
            Some(path) => {
                Some(protected.open(|| OpenOptions::new().append(true).create(true).mode(0o600).open(path))?)
            }
            None => None,
        };
        let shared = Arc::new(Shared::default());
        let writer = Writer { shared: shared.clone(), file, torn: false };
        let thread = thread::Builder::new().name("airwasm-audit".into()).spawn(move || writer.run())?;
        Ok(Arc::new(Audit { shared, writer: Mutex::new(Some(thread)), protected }))
    }

    /// Numbers and queues the record. Waits only while 8,192 records are on their way.
    pub fn record(&self, record: Record) {
        if !self.shared.queue.push(record) {
            self.shared.fail(1, "the audit is closed");
        }
    }

    /// Waits until everything recorded so far has been handed to the operating system; an error when
    /// records were lost since the last call.
    pub fn flush(&self) -> io::Result<()> {
        let shared = &self.shared;
        let drained = shared.queue.drain(|| !shared.writer_gone.load(Ordering::Acquire));
        let failure = shared.failure.lock().unwrap_or_else(PoisonError::into_inner).take();
        match failure {
            Some(why) => {
                Err(io::Error::other(format!("{} audit records were not written: {why}", self.failed())))
            }
            None if !drained => Err(io::Error::other("the audit's writer is gone")),
            None => Ok(()),
        }
    }

    /// The last 1,000 records, oldest first; empty when they go to a file.
    pub fn recent(&self) -> Vec<Record> {
        self.shared.queue.drain(|| !self.shared.writer_gone.load(Ordering::Acquire));
        self.shared.recent.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    /// How many records were never written.
    pub fn failed(&self) -> u64 {
        self.shared.failed.load(Ordering::Relaxed)
    }

    /// Writes what is queued and ends the writer; later records count as failed. May be repeated.
    pub fn close(&self) -> io::Result<()> {
        self.shared.queue.close();
        let thread = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            thread.join().map_err(|_| io::Error::other("the audit's writer panicked"))?;
        }
        self.flush()
    }

    /// The files that no grant of a set over this audit reaches: its own, and what is registered.
    pub fn protected(&self) -> &Protected {
        &self.protected
    }
}

impl Drop for Audit {
    fn drop(&mut self) {
        // Nobody is left to hear of a failure; it has been counted.
        let _ = self.close();
    }
}

impl Shared {
    fn fail(&self, records: u64, why: &str) {
        self.failed.fetch_add(records, Ordering::Relaxed);
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(|| why.to_owned());
    }
}

struct Writer {
    shared: Arc<Shared>,
    file: Option<File>,
    /// The file ends in the middle of a line.
    torn: bool,
}

impl Writer {
    fn run(mut self) {
        let mut batch = VecDeque::new();
        while self.shared.queue.take(&mut batch) {
            let records = batch.len();
            if self.file.is_some() {
                self.write(&batch)
            } else {
                self.keep(&mut batch)
            }
            batch.clear();
            self.shared.queue.finished(records);
        }
    }

    fn keep(&self, batch: &mut VecDeque<Record>) {
        let mut recent = self.shared.recent.lock().unwrap_or_else(PoisonError::into_inner);
        recent.extend(batch.drain(..));
        let surplus = recent.len().saturating_sub(MEMORY_RECORDS_MAX);
        recent.drain(..surplus);
    }

    fn write(&mut self, batch: &VecDeque<Record>) {
        let mut chunk = Chunk::default();
        for record in batch {
            if chunk.lines.is_empty() && self.torn {
                chunk.lines.push(b'\n');
            }
            serde_json::to_writer(&mut chunk.lines, record).expect("a record has only texts and numbers");
            chunk.lines.push(b'\n');
            chunk.ends.push(chunk.lines.len());
            if chunk.lines.len() >= CHUNK_BYTES {
                self.put(&chunk);
                chunk = Chunk::default();
            }
        }
        self.put(&chunk);
    }

    /// After a failure the lines that did not get out whole are lost and counted, and the next chunk
    /// starts on a line of its own.
    fn put(&mut self, chunk: &Chunk) {
        let file = self.file.as_mut().expect("only called with a file");
        let (written, result) = write_counted(file, &chunk.lines);
        if written > 0 {
            self.torn = chunk.lines[written - 1] != b'\n';
        }
        if let Err(error) = result {
            let lost = chunk.ends.iter().filter(|end| **end > written).count();
            self.shared.fail(lost as u64, &error.to_string());
        }
    }
}

/// Whole lines that are written together, and where each ends.
#[derive(Default)]
struct Chunk {
    lines: Vec<u8>,
    ends: Vec<usize>,
}

impl Drop for Writer {
    /// Also when the writer panics, so that nobody waits for it for ever.
    fn drop(&mut self) {
        self.shared.writer_gone.store(true, Ordering::Release);
        self.shared.queue.close();
    }
}

fn write_counted(file: &mut File, bytes: &[u8]) -> (usize, io::Result<()>) {
    let mut written = 0;
    while written < bytes.len() {
        match file.write(&bytes[written..]) {
            Ok(0) => return (written, Err(io::ErrorKind::WriteZero.into())),
            Ok(count) => written += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return (written, Err(error)),
        }
    }
    (written, Ok(()))
}
