use std::fs::File;
use std::os::fd::OwnedFd;
use std::sync::Arc;

#[cfg(target_vendor = "apple")] // whose `fsync` does not wait for the disk
use rustix::fs::{fcntl_fullfsync as fdatasync, fcntl_fullfsync as fsync};
#[cfg(not(target_vendor = "apple"))]
use rustix::fs::{fdatasync, fsync};
use rustix::fs::{ftruncate, futimens};
use rustix::io::{Errno, pread, pwrite};
use rustix::process::{Resource, getrlimit};

use crate::denial::Refusal;
use crate::descriptor::{CountedFd, Descriptor};
use crate::fs::quota::Quota;
use crate::fs::{FsError, Metadata, OpenOptions, SetTime, append, at_hand, times};
use crate::grant::{Guard, Lease};
use crate::set::CapabilitySet;

/// An open regular file, as long as each grant it was opened under holds. A clone is the same handle; the
/// file closes with the last of them or with a grant.
///
/// Each use is refused, with an audit record, once a grant has ended.
#[derive(Clone)]
pub struct FileHandle(Arc<OpenFile>);

struct OpenFile {
    held: Vec<Held>,
    options: OpenOptions,
    set: CapabilitySet,
    quota: Quota,
    function: String,
}

/// One of the grants that a file is open under, and what was asked of it.
pub(super) struct Held {
    pub lease: Lease<Descriptor>,
    pub capability: String,
}

impl FileHandle {
    /// The file is open under all of `held`, of which there is at least one.
    pub(super) fn new(
        held: Vec<Held>,
        options: OpenOptions,
        set: CapabilitySet,
        quota: Quota,
        function: &str,
    ) -> Self {
        Self(Arc::new(OpenFile { held, options, set, quota, function: function.to_owned() }))
    }

    /// Reads at most a buffer full from `offset`; 0 is the end of the file.
    pub fn read_at(&self, buf: &mut [u8], offset: u64) -> Result<usize, FsError> {
        let fd = self.fd_for(self.0.options.read, "reading")?;
        again(|| pread(&*fd, &mut *buf, offset))
    }

    /// The same if it takes no wait for a disk or another machine; none if it might or cannot be told here, and for what
    /// only [`read_at`](Self::read_at) can say: the end of the file, or an error.
    pub fn try_read_at(&self, buf: &mut [u8], offset: u64) -> Result<Option<usize>, FsError> {
        let fd = self.fd_for(self.0.options.read, "reading")?;
        Ok(at_hand::read(&fd, buf, offset))
    }

    /// Whether it may still be used; if not, the denial is recorded as that of a use.
    pub fn permit(&self) -> Result<(), FsError> {
        self.fd().map(drop)
    }

    /// Writes at `offset` as much as the system takes at once; beyond the end it leaves a hole.
    pub fn write_at(&self, buf: &[u8], offset: u64) -> Result<usize, FsError> {
        let fd = self.fd_for(self.0.options.write, "writing at an offset")?;
        let end = offset.checked_add(buf.len() as u64).ok_or(Errno::INVAL)?;
        permit_byte_at(|| Ok(offset))?;
        let taken = self.0.quota.take(self.growth(&fd, end)?.max(buf.len() as u64))?;
        let written = again(|| pwrite(&*fd, buf, offset))?;
        match written == buf.len() {
            true => taken.keep(u64::MAX),
            false => taken.keep(written as u64),
        }
        Ok(written)
    }

    /// Writes at the end, wherever that is by then, as much as the system takes at once.
    #[allow(clippy::unnecessary_cast)] // the width of a size differs by platform
    pub fn append(&self, buf: &[u8]) -> Result<usize, FsError> {
        let fd = self.fd_for(self.0.options.writes(), "writing")?;
        permit_byte_at(|| Ok(rustix::fs::fstat(&*fd)?.st_size as u64))?;
        let taken = self.0.quota.take(buf.len() as u64)?;
        let written = again(|| append::append(&fd, buf, self.0.options.append))?;
        taken.keep(written as u64);
        Ok(written)
    }

    /// Writes all of it at `offset`.
    pub fn write_all_at(&self, mut buf: &[u8], mut offset: u64) -> Result<(), FsError> {
        while !buf.is_empty() {
            let written = self.write_at(buf, offset)?;
            if written == 0 {
                return Err(std::io::Error::from(std::io::ErrorKind::WriteZero).into());
            }
            buf = &buf[written..];
            offset += written as u64;
        }
        Ok(())
    }

    /// Cuts the file off or fills it with zeros up to the size.
    pub fn set_len(&self, size: u64) -> Result<(), FsError> {
        let fd = self.fd_for(self.0.options.writes(), "writing")?;
        if size > 0 {
            permit_byte_at(|| Ok(size - 1))?;
        }
        let taken = self.0.quota.take(self.growth(&fd, size)?)?;
        again(|| ftruncate(&*fd, size))?;
        taken.keep(u64::MAX);
        Ok(())
    }

    /// Waits until the content is on the disk.
    pub fn sync_data(&self) -> Result<(), FsError> {
        let fd = self.fd()?;
        again(|| fdatasync(&*fd))
    }

    /// Waits until the content and what describes it are on the disk.
    pub fn sync_all(&self) -> Result<(), FsError> {
        let fd = self.fd()?;
        again(|| fsync(&*fd))
    }

    pub fn set_times(&self, accessed: SetTime, modified: SetTime) -> Result<(), FsError> {
        let fd = self.fd_for(self.0.options.writes(), "writing")?;
        Ok(futimens(&*fd, &times::timestamps(accessed, modified)?)?)
    }

    /// Describes the open file as it is now.
    pub fn metadata(&self) -> Result<Metadata, FsError> {
        let file = File::from(self.fd()?.try_clone()?);
        Ok(Metadata::from(&file.metadata()?))
    }

    /// How it was opened.
    pub fn options(&self) -> OpenOptions {
        self.0.options
    }

    /// The guard of the grant it was opened under; of a file that is read and written, the one to write.
    pub fn guard(&self) -> &Guard {
        self.0.held[0].lease.guard()
    }

    pub(super) fn quota(&self) -> &Quota {
        &self.0.quota
    }

    /// The descriptor for one use.
    pub(super) fn fd(&self) -> Result<Arc<CountedFd>, FsError> {
        let OpenFile { held, set, function, .. } = &*self.0;
        let mut fd = None;
        for Held { lease, capability } in held {
            fd = Some(lease.get().map_err(|kind| {
                let refusal = Refusal::because(kind, lease.guard().rule().clone());
                set.deny(refusal, capability.clone(), function)
            })?);
        }
        Ok(fd.expect("a file is open under at least one grant"))
    }

    fn fd_for(&self, opened: bool, what: &'static str) -> Result<Arc<CountedFd>, FsError> {
        let fd = self.fd()?;
        if opened { Ok(fd) } else { Err(FsError::NotOpenFor(what)) }
    }

    /// How much larger the file would be if it ended there; asked only where a quota counts it.
    #[allow(clippy::unnecessary_cast)] // the width of a size differs by platform
    fn growth(&self, fd: &OwnedFd, end: u64) -> Result<u64, FsError> {
        if !self.0.quota.is_set() {
            return Ok(0);
        }
        Ok(end.saturating_sub(rustix::fs::fstat(fd)?.st_size as u64))
    }
}

/// Whether the host process may have a file with a byte there. Beyond a limit of its own (`ulimit -f`) the system would not
/// only refuse, but send a signal that ends the host. Another writer that moves the end meanwhile is not seen.
pub(super) fn permit_byte_at(offset: impl FnOnce() -> Result<u64, FsError>) -> Result<(), FsError> {
    match getrlimit(Resource::Fsize).current {
        Some(limit) if offset()? >= limit => Err(Errno::FBIG.into()),
        _ => Ok(()),
    }
}

/// Once more when a signal came between.
pub(super) fn again<T>(mut call: impl FnMut() -> rustix::io::Result<T>) -> Result<T, FsError> {
    loop {
        match call() {
            Err(Errno::INTR) => {}
            done => return Ok(done?),
        }
    }
}

impl std::fmt::Debug for FileHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "FileHandle({})", self.0.held[0].capability)
    }
}
