use std::fs::{File, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::chain::{Head, Link, Unsealed};
use super::clock::Moment;
use super::disk;
use super::native::{self, Id};
use super::own;
use super::record::{Operation, Record};
use crate::protected::Protected;

/// Longest line that is read back.
pub(crate) const LINE_BYTES_MAX: u64 = 4 << 20;
/// First parts of lines at the end of a file that are read over to find the chain's head.
const TORN_LINES_MAX: u64 = 16;

/// The file that lines are appended to, and the chain they form.
pub(crate) struct Log {
    path: PathBuf,
    rotate_bytes_max: u64,
    rotate_files_max: u32,
    own: Arc<Protected>,
    file: File,
    /// Of the open file; none for what is no regular file, which is neither locked nor rotated.
    id: Option<Id>,
    len: u64,
    head: Head,
    end: End,
    /// The file has no line yet that says which chain it goes on with.
    fresh: bool,
    /// The file that the last rotation removed. Kept open, so that nothing else takes its inode while
    /// somebody who found it before may still ask whose it is.
    leaving: Option<File>,
    /// Room for the lines of the next write.
    spare: Vec<u8>,
}

/// What stands at the end of the file, behind the chain's last line.
#[derive(Clone, Copy, Default)]
struct End {
    /// The last line has no end.
    open: bool,
    torn_lines: u64,
    torn_bytes: u64,
}

impl Log {
    pub fn open(
        path: &Path,
        rotate_bytes_max: u64,
        rotate_files_max: u32,
        own: Arc<Protected>,
    ) -> io::Result<Self> {
        let (file, metadata) = own::open(&own, path)?;
        let mut log = Self {
            path: path.to_owned(),
            rotate_bytes_max,
            rotate_files_max,
            own,
            file,
            id: None,
            len: 0,
            head: Head::default(),
            end: End::default(),
            fresh: false,
            leaving: None,
            spare: Vec::new(),
        };
        log.adopt(&metadata)?;
        (log.head, log.end) = log.last_link(&log.file)?.unwrap_or_default();
        if log.id.is_some() && log.len == 0 {
            log.go_on_with_rotated()?;
        }
        for number in 1..=log.rotate_files_max {
            let rotated = numbered(path, number);
            match disk::look(&rotated)? {
                Some(_) => log.own.file(&disk::open_to_read(&rotated)?)?,
                None => break,
            }
        }
        Ok(log)
    }

    pub fn head(&self) -> &Head {
        &self.head
    }

    /// Appends the records in order, and tells how many lines got out whole. After a failure the next
    /// call starts on a line of its own, which says what lies before it.
    pub fn append(&mut self, records: &mut [Record], now: Moment) -> (usize, io::Result<()>) {
        if let Err(error) = self.find() {
            return (0, Err(error));
        }
        let mut mark = self.mark(now);
        let marks = usize::from(mark.is_some());
        let mut chunk = Chunk::new(self.head, self.end.open, std::mem::take(&mut self.spare));
        for record in mark.iter_mut().chain(records) {
            chunk.add(record);
        }
        let (written, result) = disk::write(&self.file, &chunk.bytes);
        let whole = self.settle(&chunk, written);
        if whole > 0 {
            self.fresh = false;
        }
        self.spare = chunk.bytes;
        (whole.saturating_sub(marks), result)
    }

    /// Renames the file when so much more would make it too long.
    pub fn make_room(&mut self, bytes: u64) -> io::Result<()> {
        let full = self.len > 0 && self.len.saturating_add(bytes) > self.rotate_bytes_max;
        // What was torn is told in the same file.
        if !full || self.id.is_none() || self.end.open || self.end.torn_lines > 0 || self.fresh {
            return Ok(());
        }
        if self.rotate_files_max == 0 {
            let oldest = disk::open_to_read(&self.path)?;
            disk::remove(&self.path)?;
            self.leave(Some(oldest))?;
            return self.reopen();
        }
        let mut free = 1;
        while free < self.rotate_files_max && disk::look(&numbered(&self.path, free))?.is_some() {
            free += 1;
        }
        let oldest = numbered(&self.path, free);
        let oldest = match disk::look(&oldest)? {
            Some(_) => Some(disk::open_to_read(&oldest)?),
            None => None,
        };
        for number in (1..free).rev() {
            disk::rename(&numbered(&self.path, number), &numbered(&self.path, number + 1))?;
        }
        disk::rename(&self.path, &numbered(&self.path, 1))?;
        self.leave(oldest)?;
        self.reopen()
    }

    /// Lets go of the file that left before this one.
    fn leave(&mut self, file: Option<File>) -> io::Result<()> {
        if let Some(gone) = std::mem::replace(&mut self.leaving, file) {
            self.own.forget(&disk::describe(&gone)?);
        }
        Ok(())
    }

    /// Follows a file that somebody else renamed, removed or emptied.
    fn find(&mut self) -> io::Result<()> {
        let Some(id) = self.id else { return Ok(()) };
        let Some(len) = native::len_in_place(&self.path, &self.file, id)? else { return self.reopen() };
        if len < self.len {
            (self.end.open, self.fresh) = (false, true);
        }
        self.len = len;
        Ok(())
    }

    fn reopen(&mut self) -> io::Result<()> {
        let (file, metadata) = own::open(&self.own, &self.path)?;
        let old = std::mem::replace(&mut self.file, file);
        if let Err(error) = self.adopt(&metadata) {
            self.file = old;
            return Err(error);
        }
        disk::unlock(&old);
        (self.fresh, self.end.open) = (true, false);
        self.end.open = self.len > 0 && disk::tail(&self.file, self.len, 1)? != b"\n";
        Ok(())
    }

    /// Locks the open file and takes note of it.
    fn adopt(&mut self, metadata: &Metadata) -> io::Result<()> {
        if metadata.is_file() {
            disk::lock(&self.file)?;
            self.id = Some(native::id(metadata));
            self.len = metadata.len();
        }
        Ok(())
    }

    /// A run may have ended between the renaming of a file and the first line of the next.
    fn go_on_with_rotated(&mut self) -> io::Result<()> {
        let path = numbered(&self.path, 1);
        if disk::look(&path)?.is_none() {
            return Ok(());
        }
        let file = disk::open_to_read(&path)?;
        if let Some((head, end)) = self.last_link(&file)? {
            (self.head, self.end) = (head, End { open: false, ..end });
            self.fresh = true;
        }
        Ok(())
    }

    /// The last line of a chain in the file, and what stands behind it. None when there is no such line
    /// within reach: then another chain begins, and verifying tells of the lines before.
    fn last_link(&self, file: &File) -> io::Result<Option<(Head, End)>> {
        let metadata = disk::describe(file)?;
        if !metadata.is_file() || metadata.len() == 0 {
            return Ok(None);
        }
        let bytes = disk::tail(file, metadata.len(), LINE_BYTES_MAX)?;
        let mut end = End { open: !bytes.ends_with(b"\n"), ..End::default() };
        let whole = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
        for line in whole.rsplit(|byte| *byte == b'\n') {
            match Link::read(line) {
                Ok(link) => return Ok(Some((link.head(), end))),
                Err(Unsealed::NoRecord) if end.torn_lines < TORN_LINES_MAX => {
                    end.torn_lines += 1;
                    end.torn_bytes += line.len() as u64;
                }
                Err(_) => break,
            }
        }
        let first = whole.iter().all(|byte| *byte != b'\n') && end.open && end.torn_lines == 1;
        let unknown = End { open: end.open, ..End::default() };
        // The very first line of a log may be torn as well.
        Ok(Some((Head::default(), if first { end } else { unknown })))
    }

    /// The line that has to come first, if one has to.
    fn mark(&self, now: Moment) -> Option<Record> {
        let End { torn_lines, torn_bytes, .. } = self.end;
        let counts = [("lines", torn_lines), ("bytes", torn_bytes)];
        let counts = if torn_lines > 0 { &counts[..] } else { &[] };
        match (self.fresh, torn_lines) {
            (true, _) => Some(Record::own(now, Operation::Rotate, counts)),
            (false, 0) => None,
            (false, _) => Some(Record::own(now, Operation::Torn, counts)),
        }
    }

    /// Takes note of what got out; how many lines are whole.
    fn settle(&mut self, chunk: &Chunk, written: usize) -> usize {
        self.len += written as u64;
        if written == 0 {
            return 0;
        }
        // A line is whole without its end, too.
        let whole = chunk.ends.iter().take_while(|(end, _)| written + 1 >= *end).count();
        let mut start = chunk.start.min(written);
        if let Some((end, head)) = whole.checked_sub(1).map(|last| &chunk.ends[last]) {
            self.head = *head;
            self.end = End { open: written < *end, ..End::default() };
            start = *end;
        } else {
            self.end.open = false;
        }
        if written > start {
            self.end.open = true;
            self.end.torn_lines += 1;
            self.end.torn_bytes += (written - start) as u64;
        }
        whole
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        disk::unlock(&self.file);
    }
}

/// Lines that are written together, and where each ends, with the chain's head there.
struct Chunk {
    bytes: Vec<u8>,
    start: usize,
    ends: Vec<(usize, Head)>,
    head: Head,
}

impl Chunk {
    fn new(head: Head, end_line_first: bool, mut bytes: Vec<u8>) -> Self {
        bytes.clear();
        bytes.extend(end_line_first.then_some(b'\n'));
        Self { start: bytes.len(), bytes, ends: Vec::new(), head }
    }

    fn add(&mut self, record: &mut Record) {
        self.head.seal(record, &mut self.bytes);
        self.bytes.push(b'\n');
        self.ends.push((self.bytes.len(), self.head));
    }
}

/// The path of a renamed file: `audit.jsonl.1` is the newest.
pub(crate) fn numbered(path: &Path, number: u32) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{number}"));
    name.into()
}
