//! One write at the end of a file, whether or not it was opened for that alone.

use std::os::fd::OwnedFd;

use rustix::io::{Result, write};

#[cfg(target_os = "linux")]
pub(super) fn append(fd: &OwnedFd, buf: &[u8], only: bool) -> Result<usize> {
    use rustix::io::{Errno, ReadWriteFlags, pwritev2};
    if only {
        return write(fd, buf);
    }
    match pwritev2(fd, &[std::io::IoSlice::new(buf)], 0, ReadWriteFlags::APPEND) {
        Err(Errno::NOSYS | Errno::OPNOTSUPP) => at_size(fd, buf),
        done => done,
    }
}

#[cfg(not(target_os = "linux"))]
pub(super) fn append(fd: &OwnedFd, buf: &[u8], only: bool) -> Result<usize> {
    if only { write(fd, buf) } else { at_size(fd, buf) }
}

/// Without help of the system two writers may find the same end.
#[allow(clippy::unnecessary_cast)] // the width of a size differs by platform
fn at_size(fd: &OwnedFd, buf: &[u8]) -> Result<usize> {
    let size = rustix::fs::fstat(fd)?.st_size as u64;
    rustix::io::pwrite(fd, buf, size)
}
