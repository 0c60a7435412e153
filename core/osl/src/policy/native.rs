//! What a policy file is on Unix: a device and an inode, which a user owns and some may write.

use std::fs::{File, Metadata, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::OFlags;

use super::disk::Stamp;

/// Opens it to read, without waiting for somebody at the other end of a pipe.
pub(super) fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).custom_flags(OFlags::NONBLOCK.bits() as i32).open(path)
}

pub(super) fn stamp(metadata: &Metadata) -> Stamp {
    Stamp {
        device: metadata.dev(),
        inode: metadata.ino(),
        size: metadata.size(),
        modified: (metadata.mtime(), metadata.mtime_nsec()),
        changed: (metadata.ctime(), metadata.ctime_nsec()),
    }
}

/// What tells it from others, whatever their paths.
pub(super) fn id(_: &Path, stamp: &Stamp) -> String {
    format!("{}:{}", stamp.device, stamp.inode)
}

/// Whether only those can have written it who may decide.
pub(super) fn trust(metadata: &Metadata) -> Result<(), String> {
    let own = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
    trusted(metadata.mode(), (metadata.uid(), metadata.gid()), own)
}

/// Whether nobody but root, the process's user and its own group can have written a file of this mode and owner.
///
/// A directory that others may write need not be asked: what they put there is theirs.
fn trusted(mode: u32, owner: (u32, u32), own: (u32, u32)) -> Result<(), String> {
    const KIND: u32 = 0o170_000;
    const REGULAR: u32 = 0o100_000;
    if mode & KIND != REGULAR {
        return Err("a policy is a regular file".into());
    }
    if owner.0 != 0 && owner.0 != own.0 {
        return Err(format!(
            "it belongs to another user ({}): a policy belongs to root or to the user of this process ({})",
            owner.0, own.0
        ));
    }
    if mode & 0o002 != 0 {
        return Err("everybody may write it: chmod o-w takes that away".into());
    }
    if mode & 0o020 != 0 && owner.1 != own.1 {
        return Err(format!("another group ({}) may write it: chmod g-w takes that away", owner.1));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_m11_a_policy_that_others_may_write_is_refused() {
        let (own, root, other) = ((1000, 1000), (0, 0), (1001, 1001));
        let table = [
            (0o100_644, own, None),
            (0o100_600, root, None),
            (0o100_664, own, None),
            (0o100_644, other, Some("another user")),
            (0o100_600, other, Some("another user")),
            (0o100_666, own, Some("chmod o-w")),
            (0o100_602, root, Some("chmod o-w")),
            (0o100_664, (1000, 50), Some("another group")),
            (0o100_664, root, Some("another group")),
            (0o040_755, own, Some("regular file")),
            (0o010_600, own, Some("regular file")),
        ];
        for (mode, owner, want) in table {
            let got = trusted(mode, owner, own);
            match want {
                None => assert_eq!(got, Ok(()), "{mode:o} {owner:?}"),
                Some(why) => {
                    assert!(got.clone().is_err_and(|got| got.contains(why)), "{mode:o} {owner:?} {got:?}")
                }
            }
        }
    }
}
