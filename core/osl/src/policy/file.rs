//! A policy of the file system that stays in force until a better one is there.
//!
//! Changes are found by looking at stamps (device, inode, size, times) of all files, not by inotify: that says nothing
//! on network and overlay file systems, misses what an editor puts in a file's place, and runs out of watches.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::disk::{Disk, Stamp};
use super::error::PolicyError;
use super::test::TestReport;
use super::{Policy, layer};
use crate::audit::Audit;

/// A policy file that is read again when it changes. Readers of [`current`](Self::current) see the old policy or the
/// new one, never a part, never none.
pub struct PolicyFile {
    path: PathBuf,
    disk: Disk,
    current: RwLock<Arc<Policy>>,
    watch: Mutex<Watch>,
}

/// Why a policy file is not put in force. What was in force stays so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PolicyRefusal {
    /// It cannot be read, or is no policy.
    Invalid(PolicyError),
    /// Its own tests do not hold.
    TestsFailed(TestReport),
}

/// What a look at the files found.
#[derive(Clone, Debug)]
pub enum PolicyChange {
    /// Nothing new, or nothing that has settled.
    None,
    /// This policy is in force now.
    Loaded(Arc<Policy>),
    /// What is there now is refused; by [`PolicyFile::poll`] told once, until the reason is another.
    Refused(PolicyRefusal),
}

/// Looks closer together than this are none, so that a storm of writes costs at most a reload each second look.
const LOOK_MS_MIN: u64 = 100;

/// The files of the last read, as far as it came, each with its stamp; none if it could not be read.
type Seen = Vec<(PathBuf, Option<Stamp>)>;

struct Watch {
    /// What was read last, accepted or not.
    read: Seen,
    /// What the last look saw, if it was something else.
    settling: Option<Seen>,
    looked: Option<Instant>,
    /// Whether what was read had settled by then.
    settled: bool,
    /// Why what was read is not in force.
    refused: Option<PolicyRefusal>,
}

impl PolicyFile {
    /// Reads the file and runs its tests.
    pub fn open(path: &Path) -> Result<Self, PolicyRefusal> {
        Self::open_on(path, Disk::new())
    }

    /// The same, and no grant of a set over this audit reaches the file or one that it extends.
    pub fn open_protected(path: &Path, audit: Arc<Audit>) -> Result<Self, PolicyRefusal> {
        Self::open_on(path, Disk::protecting(audit))
    }

    fn open_on(path: &Path, disk: Disk) -> Result<Self, PolicyRefusal> {
        let mut read = Seen::new();
        let policy = Arc::new(read_policy(&disk, path, &mut read)?);
        let watch = Watch { read, settling: None, looked: None, settled: false, refused: None };
        Ok(Self { path: path.to_owned(), disk, current: RwLock::new(policy), watch: Mutex::new(watch) })
    }

    /// The policy in force.
    pub fn current(&self) -> Arc<Policy> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads the file now, whether it seems to have changed or not.
    pub fn reload(&self) -> PolicyChange {
        self.read_again(&mut self.lock(), false)
    }

    /// Looks whether a file has changed, and if two looks in a row saw the same change, reads it. To be called every
    /// second or so with the time.
    pub fn poll(&self, now: Instant) -> PolicyChange {
        let mut watch = self.lock();
        let since = watch.looked.map(|looked| now.saturating_duration_since(looked));
        if since.is_some_and(|since| since < Duration::from_millis(LOOK_MS_MIN)) {
            return PolicyChange::None;
        }
        watch.looked = Some(now);
        let look = |(path, _): &(PathBuf, Option<Stamp>)| (path.clone(), (self.disk.stamp)(path).ok());
        let seen: Seen = watch.read.iter().map(look).collect();
        // What was read while it may have been written to is read once more when it has settled.
        if seen == watch.read && watch.settled {
            watch.settling = None;
            return PolicyChange::None;
        }
        if watch.settling.as_ref() != Some(&seen) {
            watch.settling = Some(seen);
            return PolicyChange::None;
        }
        watch.settling = None;
        self.read_again(&mut watch, true)
    }

    /// Polls on a thread of its own until the watcher is dropped, and tells each change.
    pub fn watch(
        self: &Arc<Self>,
        interval: Duration,
        mut told: impl FnMut(PolicyChange) + Send + 'static,
    ) -> std::io::Result<PolicyWatcher> {
        let stop = Arc::new(AtomicBool::new(false));
        let (file, stopped) = (self.clone(), stop.clone());
        let look = move || {
            while !stopped.load(Ordering::Acquire) {
                match file.poll(Instant::now()) {
                    PolicyChange::None => {}
                    change => told(change),
                }
                thread::park_timeout(interval);
            }
        };
        let thread = thread::Builder::new().name("policy-watch".into()).spawn(look)?;
        Ok(PolicyWatcher { stop, thread: Some(thread) })
    }

    fn read_again(&self, watch: &mut Watch, settled: bool) -> PolicyChange {
        let mut read = Seen::new();
        let outcome = read_policy(&self.disk, &self.path, &mut read);
        (watch.read, watch.settled) = (read, settled);
        let before = std::mem::replace(&mut watch.refused, outcome.as_ref().err().cloned());
        match outcome {
            Ok(policy) if policy == *self.current() => PolicyChange::None,
            Ok(policy) => {
                let policy = Arc::new(policy);
                *self.current.write().unwrap_or_else(PoisonError::into_inner) = policy.clone();
                PolicyChange::Loaded(policy)
            }
            Err(refusal) if settled && before.as_ref() == Some(&refusal) => PolicyChange::None,
            Err(refusal) => PolicyChange::Refused(refusal),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Watch> {
        // Each change of it is one assignment of a whole.
        self.watch.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads the file and all that it extends, notes each with its stamp, and runs the tests.
fn read_policy(disk: &Disk, path: &Path, seen: &mut Seen) -> Result<Policy, PolicyRefusal> {
    let policy = Policy::load_from(disk, path, seen).map_err(PolicyRefusal::Invalid)?;
    let report = policy.test();
    if report.failed.is_empty() { Ok(policy) } else { Err(PolicyRefusal::TestsFailed(report)) }
}

impl Policy {
    /// Reads a file and all that it extends. Refuses one that others may write, where that can be told: on Unix; does not run
    /// its tests.
    pub fn load(path: &Path) -> Result<Self, PolicyError> {
        Self::load_from(&Disk::new(), path, &mut Seen::new())
    }

    fn load_from(disk: &Disk, path: &Path, seen: &mut Seen) -> Result<Self, PolicyError> {
        let mut fetch = |path: &Path| match disk.fetch(path) {
            Ok((fetched, stamp)) => {
                seen.push((path.to_owned(), Some(stamp)));
                Ok(fetched)
            }
            // Without a stamp, so that a file which is there but could not be read is read again.
            Err(why) => {
                seen.push((path.to_owned(), None));
                Err(why)
            }
        };
        layer::load(path, &mut fetch).map(Self::from_layers)
    }
}

/// Ends the looking when it is dropped; waits for a look that goes on.
#[derive(Debug)]
pub struct PolicyWatcher {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl PolicyWatcher {
    /// Ends the looking without waiting for a look that goes on.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Release);
        if let Some(thread) = &self.thread {
            thread.thread().unpark();
        }
    }
}

impl Drop for PolicyWatcher {
    fn drop(&mut self) {
        self.stop();
        let Some(thread) = self.thread.take() else { return };
        // What is told may drop the watcher: then the thread ends after it.
        if thread.thread().id() != thread::current().id() {
            // A panic of what is told has ended the thread already.
            let _ = thread.join();
        }
    }
}

impl fmt::Display for PolicyRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PolicyRefusal::Invalid(error) => error.fmt(f),
            PolicyRefusal::TestsFailed(report) => report.fmt(f),
        }
    }
}

impl std::error::Error for PolicyRefusal {}

#[cfg(test)]
#[path = "file_tests.rs"]
mod tests;
