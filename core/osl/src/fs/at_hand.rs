//! A read of what the system has in memory already.

use std::os::fd::OwnedFd;

use crate::fs::FsError;

#[cfg(target_os = "linux")]
pub(super) fn read(fd: &OwnedFd, buf: &mut [u8], offset: u64) -> Result<Option<usize>, FsError> {
    use rustix::io::{Errno, ReadWriteFlags, preadv2};
    match preadv2(fd, &mut [std::io::IoSliceMut::new(buf)], offset, ReadWriteFlags::NOWAIT) {
        Ok(read) => Ok(Some(read)),
        // It would wait, or neither this kernel nor this file system can tell.
        Err(Errno::AGAIN | Errno::INTR | Errno::NOSYS | Errno::OPNOTSUPP) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

#[cfg(not(target_os = "linux"))]
pub(super) fn read(_: &OwnedFd, _: &mut [u8], _: u64) -> Result<Option<usize>, FsError> {
    Ok(None)
}
