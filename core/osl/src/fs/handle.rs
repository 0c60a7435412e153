use std::fs::File;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use rustix::io::{Errno, pread};

use crate::fs::{FsError, Metadata};
use crate::grant::{Guard, Lease};
use crate::set::CapabilitySet;

/// A regular file open for reading, as long as the grant it was opened under holds. A clone is the
/// same handle; the file closes with the last of them or with the grant.
#[derive(Clone)]
pub struct FileHandle(Arc<OpenFile>);

struct OpenFile {
    lease: Lease,
    set: CapabilitySet,
    capability: String,
    function: String,
}

impl FileHandle {
    pub(crate) fn new(lease: Lease, set: CapabilitySet, capability: &str, function: &str) -> Self {
        let (capability, function) = (capability.to_owned(), function.to_owned());
        Self(Arc::new(OpenFile { lease, set, capability, function }))
    }

    /// Reads at most a buffer full from `offset`; 0 is the end of the file. Refused, with an audit
    /// record, once the grant has ended.
    pub fn read_at(&self, buf: &mut [u8], offset: u64) -> Result<usize, FsError> {
        let fd = self.fd()?;
        loop {
            match pread(&*fd, &mut *buf, offset) {
                Err(Errno::INTR) => {}
                done => return Ok(done?),
            }
        }
    }

    /// Describes the open file as it is now; refused once the grant has ended.
    pub fn metadata(&self) -> Result<Metadata, FsError> {
        let file = File::from(self.fd()?.try_clone()?);
        Ok(Metadata::from(&file.metadata()?))
    }

    /// The guard of the grant it was opened under.
    pub fn guard(&self) -> &Guard {
        self.0.lease.guard()
    }

    fn fd(&self) -> Result<Arc<OwnedFd>, FsError> {
        let OpenFile { lease, set, capability, function } = &*self.0;
        lease.get().map_err(|kind| {
            let rule = Some(lease.guard().rule().to_string());
            set.deny(kind, capability.clone(), function, rule).into()
        })
    }
}

impl std::fmt::Debug for FileHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "FileHandle({})", self.0.capability)
    }
}
