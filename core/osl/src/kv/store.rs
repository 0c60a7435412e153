use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use super::file::StoreFile;
use super::queue::{Queue, Write};
use super::readers::Readers;
use super::space::Total;
use super::writer::Writer;
use super::{KvError, StoreLimits};
use crate::protected::Protected;

/// An open store; a clone is the same. It closes with the last of them, after what waits to be written.
#[derive(Clone)]
pub struct Store(Arc<Open>);

struct Open {
    limits: StoreLimits,
    readers: Readers,
    queue: Arc<Queue>,
    /// None once it has ended or somebody waits for that.
    writer: Mutex<Option<JoinHandle<()>>>,
    /// Given up with the closing; the writer's own keeps others out until its connection is closed.
    file: Mutex<Option<Arc<StoreFile>>>,
}

impl Store {
    /// Opens the store at this path, and makes it if there is none. Nobody else can have it open, and no grant reaches
    /// its files: the path's own, and those whose names end in `-wal`, `-shm` and `-lock`.
    pub fn open(path: &Path, limits: StoreLimits, protected: &Protected) -> Result<Self, KvError> {
        let (writer, readers) = protected.open_at(|| {
            let file = StoreFile::lock(path)?;
            let connection = file.writer()?;
            let total = Total::read(&connection)?;
            let readers = Readers::open(&file)?;
            let (paths, queue) = (file.paths(), Queue::new(limits));
            Ok::<_, KvError>((
                (Writer { connection, queue, file: Arc::new(file), limits, total }, readers),
                paths,
            ))
        })?;
        let (queue, file) = (writer.queue.clone(), writer.file.clone());
        let thread = thread::Builder::new().name("airwasm-kv".into()).spawn(move || writer.run())?;
        let (writer, file) = (Mutex::new(Some(thread)), Mutex::new(Some(file)));
        Ok(Self(Arc::new(Open { limits, readers, queue, writer, file })))
    }

    /// Writes what waits, closes the files and lets others open them. What is asked for later is refused; a read under way
    /// goes on, and closes its connection at its end. Called while another call closes, it does not wait for that.
    pub fn close(&self) {
        self.0.close();
    }

    /// The bounds that it was opened with.
    pub fn limits(&self) -> &StoreLimits {
        &self.0.limits
    }

    pub(super) fn readers(&self) -> &Readers {
        &self.0.readers
    }

    pub(super) fn push(&self, write: Write) -> Result<(), KvError> {
        self.0.queue.push(write)
    }
}

impl Open {
    fn close(&self) {
        self.queue.close();
        self.readers.close();
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        // The writer's own thread gets here when a waker of others holds the last clone: it ends by itself.
        if let Some(writer) = writer.filter(|writer| writer.thread().id() != thread::current().id()) {
            let _ = writer.join();
        }
        self.file.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.close();
    }
}
