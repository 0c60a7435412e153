//! What a path led to, on a Unix without `O_PATH` and `/proc/self/fd`: no symbolic link below the base
//! is followed at all, so that a path is where it says.

use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{Mode, OFlags, openat};
use rustix::io::Errno;

use crate::fs::error::Miss;
use crate::fs::{Base, FsError, Metadata};

pub(crate) struct Object {
    file: File,
    /// Where it is, as the guest writes it.
    pub location: String,
    pub metadata: Metadata,
}

impl Object {
    /// Opens each part after the other beneath the base, without waiting for the other end of a FIFO.
    pub fn locate(base: &Base, below: &str, _follow: bool) -> Result<Self, Miss> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
        let mut found: Option<File> = None;
        for part in below.split('/') {
            let at = found.as_ref().map_or(base.dir().as_fd(), AsFd::as_fd);
            let fd = openat(at, part, flags, Mode::empty()).map_err(|error| match error {
                // FreeBSD answers EMLINK where others answer ELOOP.
                Errno::LOOP | Errno::MLINK => Miss::Outside("symbolic links are not followed here".into()),
                error => Miss::Error(error.into()),
            })?;
            found = Some(File::from(fd));
        }
        let file = found.expect("a path has at least one part");
        let metadata = Metadata::from(&file.metadata().map_err(FsError::from)?);
        let location = base.guest_path(if below == "." { "" } else { below });
        Ok(Self { file, location, metadata })
    }

    /// Never: a link is refused where it stands.
    pub fn crosses_link(_base: &Base, _below: &str, _follow: bool) -> bool {
        false
    }

    pub fn open_file(&self) -> Result<OwnedFd, FsError> {
        Ok(self.file.try_clone()?.into())
    }

    pub fn open_directory(&self) -> Result<OwnedFd, FsError> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(openat(&self.file, ".", flags, Mode::empty())?)
    }

    pub fn directory(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}
