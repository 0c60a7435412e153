use rustix::fs::OFlags;

use crate::fs::FsError;

/// How a file is opened; the default opens nothing. The words mean what they mean in the standard library.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OpenOptions {
    pub read: bool,
    /// To write at offsets.
    pub write: bool,
    /// To write at the end only, wherever that is by then.
    pub append: bool,
    /// Makes the file if there is none; needs `write` or `append`.
    pub create: bool,
    /// Makes the file, which must not exist, not even as a link; needs `write` or `append`.
    pub create_new: bool,
    /// Empties the file; needs `write`.
    pub truncate: bool,
    /// A link at the end of the path is not followed: it is [`Loop`](FsError::Loop).
    pub no_follow: bool,
}

impl OpenOptions {
    /// To read what exists.
    pub const READ: Self = Self {
        read: true,
        write: false,
        append: false,
        create: false,
        create_new: false,
        truncate: false,
        no_follow: false,
    };

    /// To write a file anew, whether it exists or not.
    pub const REWRITE: Self = Self { read: false, write: true, create: true, truncate: true, ..Self::READ };

    pub(super) fn check(&self) -> Result<(), FsError> {
        let invalid = |why| Err(FsError::InvalidOptions(why));
        match self {
            Self { read: false, write: false, append: false, .. } => {
                invalid("one of read, write and append is needed")
            }
            Self { write: true, append: true, .. } => invalid("write and append exclude each other"),
            Self { truncate: true, write: false, .. } => invalid("truncate needs write"),
            Self { create: true, .. } | Self { create_new: true, .. } if !self.writes() => {
                invalid("create needs write or append")
            }
            _ => Ok(()),
        }
    }

    pub(super) fn writes(&self) -> bool {
        self.write || self.append
    }

    pub(super) fn creates(&self) -> bool {
        self.create || self.create_new
    }

    /// Never `TRUNC`: a file is emptied after what was opened has been checked.
    pub(super) fn flags(&self) -> OFlags {
        let access = match (self.read, self.writes()) {
            (true, true) => OFlags::RDWR,
            (false, true) => OFlags::WRONLY,
            _ => OFlags::RDONLY,
        };
        let append = if self.append { OFlags::APPEND } else { OFlags::empty() };
        access | append | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::NOFOLLOW
    }
}
