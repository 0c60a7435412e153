//! What a policy file is where std knows neither numbers, owners nor modes of files.

use std::fs::{self, File, Metadata};
use std::io;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use super::disk::Stamp;

pub(super) fn open(path: &Path) -> io::Result<File> {
    File::open(path)
}

pub(super) fn stamp(metadata: &Metadata) -> Stamp {
    Stamp {
        device: 0,
        inode: 0,
        size: metadata.len(),
        modified: since_epoch(metadata.modified()),
        changed: since_epoch(metadata.created()),
    }
}

/// What tells it from others: its path without links, where that can be told. Another name of the same file is
/// another file here.
pub(super) fn id(path: &Path, _: &Stamp) -> String {
    // In the form that also tells names apart that are no text.
    format!("{:?}", fs::canonicalize(path).unwrap_or_else(|_| path.to_owned()))
}

/// Who may write it cannot be told here: to see to that is the host's part.
pub(super) fn trust(metadata: &Metadata) -> Result<(), String> {
    if metadata.is_file() { Ok(()) } else { Err("a policy is a regular file".into()) }
}

/// Seconds and nanoseconds. A time that is not known, or before the epoch, is none.
fn since_epoch(time: io::Result<SystemTime>) -> (i64, i64) {
    let since = time.ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok()).unwrap_or_default();
    (since.as_secs().cast_signed(), i64::from(since.subsec_nanos()))
}
