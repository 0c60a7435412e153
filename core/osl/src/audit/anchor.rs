use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::native::{self, Id};
use super::{disk, json, own, stamp};
use crate::protected::Protected;

/// What the log held at some time, told outside it: whoever later cuts lines up to this one off, or
/// writes the log anew, is found out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Anchor {
    /// Of the format: 1.
    pub version: u32,
    /// The number of the log's last line then.
    pub seq: u64,
    /// And its hash.
    pub hash: String,
    #[serde(serialize_with = "stamp::serialize")]
    pub time: SystemTime,
}

/// What of an anchor is compared.
#[derive(Deserialize)]
pub(crate) struct Told {
    pub seq: u64,
    pub hash: String,
}

/// Past this the file starts again with the newest anchor, which tells as much as all before it.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// The file of anchors beside the log. Unlike the log it keeps its name, so it is also what a second
/// audit of the same log finds locked, in the middle of a rotation too.
pub(crate) struct AnchorFile {
    path: PathBuf,
    own: Arc<Protected>,
    /// Held for its lock.
    file: File,
    id: Id,
}

impl AnchorFile {
    pub fn open(log: &Path, own: Arc<Protected>) -> io::Result<Self> {
        let path = path(log);
        let (file, metadata) = own::open(&own, &path)?;
        disk::lock(&file)?;
        Ok(Self { path, own, file, id: native::id(&metadata) })
    }

    pub fn add(&mut self, anchor: &Anchor) -> io::Result<()> {
        let line = format!("{}\n", json::line(anchor));
        let mut len = match native::len_in_place(&self.path, &self.file, self.id)? {
            Some(len) => len,
            None => self.open_again()?,
        };
        if len >= FILE_BYTES_MAX {
            disk::empty(&self.file)?;
            len = 0;
        }
        let torn = len > 0 && disk::tail(&self.file, len, 1)? != b"\n";
        put(&self.file, &if torn { format!("\n{line}") } else { line })
    }

    /// Somebody removed it; how long what stands there now is.
    fn open_again(&mut self) -> io::Result<u64> {
        let (file, metadata) = own::open(&self.own, &self.path)?;
        disk::lock(&file)?;
        (self.file, self.id) = (file, native::id(&metadata));
        Ok(metadata.len())
    }
}

impl Drop for AnchorFile {
    fn drop(&mut self) {
        disk::unlock(&self.file);
    }
}

fn put(file: &File, text: &str) -> io::Result<()> {
    disk::write(file, text.as_bytes()).1
}

pub(crate) fn path(log: &Path) -> PathBuf {
    let mut name = log.as_os_str().to_owned();
    name.push(".anchors");
    name.into()
}

/// All anchors of the file beside a log; none when there is no such file. A line that is no anchor was
/// cut short by a failure, and the next one was written again.
pub(crate) fn read(log: &Path) -> io::Result<Vec<Told>> {
    let text = match disk::open_regular(&path(log)).and_then(disk::read_whole) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(error),
    };
    Ok(text.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect())
}
