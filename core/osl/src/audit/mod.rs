//! Where every decision is recorded: JSON Lines in a hash chain, written by a thread of its own.

mod anchor;
mod chain;
mod clock;
mod config;
mod counts;
mod disk;
mod filter;
mod flood;
mod json;
mod log;
#[cfg(feature = "opentelemetry")]
mod metrics;
#[cfg_attr(not(unix), path = "native_portable.rs")]
mod native;
mod own;
mod queue;
mod record;
mod redact;
mod running;
mod sinks;
mod stamp;
mod tally;
#[cfg(test)]
mod torture_tests;
mod verify;
mod writer;

use crate::protected::Protected;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

pub use anchor::Anchor;
pub use clock::{Clock, Moment};
pub use config::{AuditConfig, Level, OnAnchor, OnFailure, OnFull, Sink, UNLIMITED};
pub use counts::{AuditCounts, Decisions};
pub use filter::Filter;
pub(crate) use flood::Flood;
pub use record::{Decision, Operation, Phase, Record};
pub use redact::redact;
#[cfg(unix)]
pub(crate) use running::Opened;
pub use running::Running;
pub(crate) use tally::{Book, Subject, Tally};
pub use verify::{BadLine, Fault, Report, verify, verify_with};

use anchor::AnchorFile;
use counts::Decided;
use log::Log;
use queue::{Queue, Unqueued};
use sinks::{Memory, Sinks};
use writer::Writer;

/// Where every decision is recorded, by a thread of its own.
///
/// What has been recorded is handed to the operating system within moments, so it outlives the process;
/// whether it outlives a loss of power is the file system's affair. What the file could not take is
/// counted in [`failed`](Audit::failed), told by the next [`flush`](Audit::flush), and by a record as
/// soon as one can be written. Whoever can write to the file can also cut its end off: only an anchor
/// kept elsewhere tells, and nothing tells of lines after the last anchor.
pub struct Audit {
    shared: Arc<Shared>,
    config: AuditConfig,
    protected: Arc<Protected>,
    last_id: AtomicU64,
    writer: Mutex<Option<JoinHandle<()>>>,
}

/// What the audit shares with its thread.
pub(crate) struct Shared {
    queue: Queue,
    book: Book,
    memory: Memory,
    /// The last write, if there was any, went well.
    healthy: AtomicBool,
    failed: AtomicU64,
    written: AtomicU64,
    /// By records; what is only counted, the book knows.
    decided: Decided,
    /// The first failure that no flush has told of yet.
    failure: Mutex<Option<Failure>>,
    writer_gone: AtomicBool,
}

/// Why, and whether records were lost by it.
struct Failure {
    why: String,
    lost: bool,
}

impl Audit {
    /// Opens the file for appending, created with mode 0600 on Unix, goes on with its chain, and starts the writer.
    ///
    /// Refused while another audit, of this process or another, writes to the file.
    pub fn open(config: AuditConfig) -> io::Result<Arc<Audit>> {
        let config = config.settle().map_err(|why| io::Error::new(io::ErrorKind::InvalidInput, why))?;
        let (writer, protected) = Self::writer(config.clone())?;
        let shared = writer.shared.clone();
        let thread = thread::Builder::new().name("airwasm-audit".into()).spawn(move || writer.run())?;
        let (last_id, writer) = (AtomicU64::new(0), Mutex::new(Some(thread)));
        Ok(Arc::new(Audit { shared, config, protected, last_id, writer }))
    }

    /// What the thread will own, not yet on its thread.
    fn writer(config: AuditConfig) -> io::Result<(Writer, Arc<Protected>)> {
        let protected = Arc::new(Protected::default());
        let (mut log, mut anchors) = (None, None);
        if let Some(path) = &config.path {
            // A device or a pipe is not read back, so it needs no anchors.
            if disk::look(path)?.is_none_or(|found| found.is_file()) {
                anchors = Some(AnchorFile::open(path, protected.clone())?);
            }
            log = Some(Log::open(path, config.rotate_bytes_max, config.rotate_files_max, protected.clone())?);
        }
        let shared = Arc::new(Shared {
            queue: Queue::new(config.queue_records_max, config.on_full),
            book: Book::new(config.clock.now()),
            memory: Memory::default(),
            healthy: AtomicBool::new(true),
            failed: AtomicU64::new(0),
            written: AtomicU64::new(0),
            decided: Decided::default(),
            failure: Mutex::new(None),
            writer_gone: AtomicBool::new(false),
        });
        let sinks = Sinks::new(&config.sinks);
        Ok((Writer { shared, config, sinks, log, anchors, state: Default::default() }, protected))
    }

    /// Queues the record; what happens while the queue is full is the configuration's.
    pub fn record(&self, record: Record) {
        let Err(Unqueued { record, closed }) = self.shared.queue.push(record) else { return };
        self.shared.decided.record(&record);
        if closed {
            self.shared.healthy.store(false, Ordering::Release);
            self.shared.lose(1, "the audit is closed");
        }
    }

    /// Waits until everything recorded so far has been handed to the operating system; an error when
    /// records were lost since the last call, or an anchor or a rotation failed.
    pub fn flush(&self) -> io::Result<()> {
        let shared = &self.shared;
        let drained = shared.drain();
        let failure = shared.failure.lock().unwrap_or_else(PoisonError::into_inner).take();
        match failure {
            Some(Failure { why, lost: true }) => {
                Err(io::Error::other(format!("{} audit records were not written: {why}", self.failed())))
            }
            Some(Failure { why, lost: false }) => Err(io::Error::other(why)),
            None if !drained => Err(io::Error::other("the audit's writer is gone")),
            None => Ok(()),
        }
    }

    /// Writes what was only counted so far, before its interval is over, and flushes.
    pub fn summarise(&self) -> io::Result<()> {
        self.nudge();
        self.flush()
    }

    /// Asks for a summary without waiting for it.
    pub(crate) fn nudge(&self) {
        self.shared.queue.nudge();
    }

    /// The last 1,000 records, oldest first, where memory is a sink, as it is without any other.
    pub fn recent(&self) -> Vec<Record> {
        self.shared.drain();
        self.shared.memory.records()
    }

    /// How many records were never written.
    pub fn failed(&self) -> u64 {
        self.shared.failed.load(Ordering::Relaxed)
    }

    /// What was decided, and what became of the records, up to now. Waits for a summary that is being made.
    pub fn counts(&self) -> AuditCounts {
        let Shared { queue, book, decided, .. } = &*self.shared;
        let mut counts = AuditCounts {
            written: self.shared.written.load(Ordering::Relaxed),
            dropped: self.failed(),
            queued: queue.queued(),
            ..AuditCounts::default()
        };
        decided.add_to(&mut counts.decisions);
        book.decided(&mut counts.decisions);
        counts
    }

    /// Whether the last write went well. With [`OnFailure::Closed`] all is denied while it did not.
    pub fn healthy(&self) -> bool {
        self.shared.healthy.load(Ordering::Acquire)
    }

    /// Writes what is queued and counted, and ends the writer; later records count as failed. May be
    /// repeated.
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

    pub(crate) fn now(&self) -> Moment {
        self.config.clock.now()
    }

    pub(crate) fn book(&self) -> &Book {
        &self.shared.book
    }

    /// The level that holds for an operation of an actor.
    pub(crate) fn level(&self, actor: &str, operation: Operation) -> Level {
        filter::level(&self.config.filters, self.config.level, actor, operation)
    }

    pub(crate) fn denials_per_second_max(&self) -> u64 {
        self.config.denials_per_second_max
    }

    /// Whether nothing may be allowed, because it could not be recorded.
    pub(crate) fn denies(&self) -> bool {
        self.config.on_failure == OnFailure::Closed && !self.healthy()
    }

    fn next_id(&self) -> u64 {
        self.last_id.fetch_add(1, Ordering::Relaxed) + 1
    }
}

impl Drop for Audit {
    fn drop(&mut self) {
        // Nobody is left to hear of a failure; it has been counted.
        let _ = self.close();
    }
}

impl Shared {
    fn drain(&self) -> bool {
        self.queue.drain(|| !self.writer_gone.load(Ordering::Acquire))
    }

    /// Counts records that will never be written.
    fn lose(&self, records: u64, why: &str) {
        self.failed.fetch_add(records, Ordering::Relaxed);
        let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *failure {
            Some(Failure { lost: true, .. }) => {}
            none => *none = Some(Failure { why: why.to_owned(), lost: true }),
        }
    }

    /// Takes note of what went wrong without a loss.
    fn trouble(&self, why: &str) {
        let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        failure.get_or_insert_with(|| Failure { why: why.to_owned(), lost: false });
    }
}
