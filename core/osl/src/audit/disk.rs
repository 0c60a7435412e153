//! Each touch of the disk by the audit, in one place so that a test can let the n-th of them fail.

use std::fs::{self, File, Metadata, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use super::native;

/// Opens a file to append to and to read, created for this user only where the platform has modes.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    fault::point()?;
    native::to_append().create(true).open(path)
}

pub(crate) fn open_to_read(path: &Path) -> io::Result<File> {
    fault::point()?;
    File::open(path)
}

/// Opens a file to read that is no pipe, which might never end.
pub(crate) fn open_regular(path: &Path) -> io::Result<File> {
    let file = native::to_read().open(path)?;
    match file.metadata()?.is_file() {
        true => Ok(file),
        false => Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no regular file")),
    }
}

pub(crate) fn read_whole(mut file: File) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).map(|_| bytes)
}

/// Refused while another holds the lock, be it in this process.
pub(crate) fn lock(file: &File) -> io::Result<()> {
    fault::point()?;
    match file.try_lock() {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => Err(io::Error::new(
            io::ErrorKind::ResourceBusy,
            "another audit writes to this file: give each its own",
        )),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Gives the lock back now, though a child of this process may hold the same open file for a moment yet.
pub(crate) fn unlock(file: &File) {
    // There may be no lock; closing the file gives it back as well.
    let _ = file.unlock();
}

pub(crate) fn describe(file: &File) -> io::Result<Metadata> {
    fault::point()?;
    file.metadata()
}

/// What lies at the path; none when nothing does.
pub(crate) fn look(path: &Path) -> io::Result<Option<Metadata>> {
    fault::point()?;
    match fs::metadata(path) {
        Ok(metadata) => Ok(Some(metadata)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// The end of the file, at most `bytes_max` of it.
pub(crate) fn tail(mut file: &File, len: u64, bytes_max: u64) -> io::Result<Vec<u8>> {
    fault::point()?;
    let start = len.saturating_sub(bytes_max);
    let mut bytes = vec![0; usize::try_from(len - start).expect("at most bytes_max")];
    // What is written goes to the end, wherever this leaves the file.
    file.seek(SeekFrom::Start(start))?;
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}

pub(crate) fn empty(file: &File) -> io::Result<()> {
    fault::point()?;
    file.set_len(0)
}

pub(crate) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    fault::point()?;
    fs::rename(from, to)
}

pub(crate) fn remove(path: &Path) -> io::Result<()> {
    fault::point()?;
    fs::remove_file(path)
}

/// Writes all of it, and tells how much got out before a failure.
pub(crate) fn write(mut file: &File, bytes: &[u8]) -> (usize, io::Result<()>) {
    if let Err(error) = native::to_end(file) {
        return (0, Err(error));
    }
    if let Err(error) = fault::point() {
        // As a disk that fills up: a part of it gets out.
        let half = bytes.len() / 2;
        return (half, file.write_all(&bytes[..half]).and(Err(error)));
    }
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

#[cfg(not(test))]
mod fault {
    pub(super) fn point() -> std::io::Result<()> {
        Ok(())
    }
}

/// Counts the touches of this thread and lets a chosen run of them fail.
#[cfg(test)]
pub(crate) mod fault {
    use std::cell::Cell;
    use std::io;
    use std::ops::Range;

    thread_local! {
        static TOUCHES: Cell<u64> = const { Cell::new(0) };
        static FAILING: Cell<(u64, u64)> = const { Cell::new((0, 0)) };
    }

    /// Counts from 0 again; the touches of these numbers fail.
    pub(crate) fn plan(failing: Range<u64>) {
        TOUCHES.set(0);
        FAILING.set((failing.start, failing.end));
    }

    pub(crate) fn touches() -> u64 {
        TOUCHES.get()
    }

    pub(super) fn point() -> io::Result<()> {
        let touch = TOUCHES.get();
        TOUCHES.set(touch + 1);
        let (start, end) = FAILING.get();
        if (start..end).contains(&touch) { Err(io::Error::other("a planned failure")) } else { Ok(()) }
    }
}
