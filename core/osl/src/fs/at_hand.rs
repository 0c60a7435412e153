//! A read of what the system has in memory already.

use std::os::fd::OwnedFd;

/// How much it read; none at the end, if it would wait, if neither this kernel nor this file system can tell, and for any
/// error: a read that may wait says which.
#[cfg(target_os = "linux")]
pub(super) fn read(fd: &OwnedFd, buf: &mut [u8], offset: u64) -> Option<usize> {
    use rustix::io::{ReadWriteFlags, preadv2};
    // Of these the last would mean wherever the descriptor stands.
    i64::try_from(offset).ok()?;
    let read = preadv2(fd, &mut [std::io::IoSliceMut::new(buf)], offset, ReadWriteFlags::NOWAIT).ok()?;
    // Linux 5.9 and 5.10 say so before the end too.
    (read > 0).then_some(read)
}

#[cfg(not(target_os = "linux"))]
pub(super) fn read(_: &OwnedFd, _: &mut [u8], _: u64) -> Option<usize> {
    None
}
