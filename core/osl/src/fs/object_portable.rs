//! What a path led to, on a Unix without `O_PATH` and `/proc/self/fd`: no symbolic link below the base
//! is followed at all, so that a path is where it says.

use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{Mode, OFlags, Timestamps, futimens, openat};
use rustix::io::Errno;

use crate::fs::error::Miss;
use crate::fs::{Base, FsError, Metadata};

pub(crate) struct Object {
    file: File,
    /// The directory it was found in and its name there; none for the base.
    place: Option<(Option<File>, String)>,
    /// Where it is, as the guest writes it.
    pub location: String,
    pub metadata: Metadata,
}

impl Object {
    /// Opens each part after the other beneath the base, without waiting for the other end of a FIFO.
    pub fn locate(base: &Base, below: &str, _follow: bool) -> Result<Self, Miss> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
        let mut found: Option<File> = None;
        let mut place = None;
        for part in below.split('/') {
            let at = found.as_ref().map_or(base.dir().as_fd(), AsFd::as_fd);
            let fd = openat(at, part, flags, Mode::empty()).map_err(|error| match error {
                // FreeBSD answers EMLINK where others answer ELOOP.
                Errno::LOOP | Errno::MLINK => Miss::Outside("symbolic links are not followed here".into()),
                error => Miss::Error(error.into()),
            })?;
            place = Some((found.replace(File::from(fd)), part.to_owned()));
        }
        let file = found.expect("a path has at least one part");
        let metadata = Metadata::from(&file.metadata().map_err(FsError::from)?);
        let location = base.guest_path(if below == "." { "" } else { below });
        Ok(Self { file, place: place.filter(|(_, name)| name != "."), location, metadata })
    }

    /// Never: a link is refused where it stands.
    pub fn crosses_link(_base: &Base, _below: &str, _follow: bool) -> bool {
        false
    }

    /// Where it was found: the system does not say whether it has been moved.
    pub fn location_now(&self, _base: &Base) -> Result<String, Miss> {
        Ok(self.location.clone())
    }

    /// Its path as the host writes it.
    pub fn real_path(&self) -> Option<String> {
        real_path(self.file.as_fd())
    }

    /// Whether it lies on the device that the base lies on.
    pub fn is_on_mount_of(&self, base: &Base) -> bool {
        base.device().is_ok_and(|device| device == self.metadata.device)
    }

    /// Opens this very object again. Only for a regular file below the base.
    pub fn open_file(&self, base: &Base, flags: OFlags) -> Result<OwnedFd, FsError> {
        if !flags.intersects(OFlags::WRONLY | OFlags::RDWR) {
            return Ok(self.file.try_clone()?.into());
        }
        let (above, name) = self.place.as_ref().ok_or(FsError::IsDirectory)?;
        let at = above.as_ref().map_or(base.dir().as_fd(), AsFd::as_fd);
        let file = File::from(openat(at, name.as_str(), flags | OFlags::NOFOLLOW, Mode::empty())?);
        let found = Metadata::from(&file.metadata()?);
        // Another file has taken the name meanwhile, unchecked.
        match (found.device, found.inode) == (self.metadata.device, self.metadata.inode) {
            true => Ok(file.into()),
            false => Err(FsError::NotFound),
        }
    }

    pub fn open_directory(&self) -> Result<OwnedFd, FsError> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(openat(&self.file, ".", flags, Mode::empty())?)
    }

    /// Only for a regular file or a directory.
    pub fn set_times(&self, times: &Timestamps) -> Result<(), FsError> {
        Ok(futimens(&self.file, times)?)
    }

    pub fn directory(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

#[cfg(target_vendor = "apple")]
pub(crate) fn real_path(fd: BorrowedFd<'_>) -> Option<String> {
    rustix::fs::getpath(fd).ok()?.into_string().ok()
}

#[cfg(not(target_vendor = "apple"))]
pub(crate) fn real_path(_: BorrowedFd<'_>) -> Option<String> {
    None
}
