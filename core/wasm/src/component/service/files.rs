//! What the file actor does: one operation of osl's `Files` for each message.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use airssys_osl::{FileHandle, FsError, Kind, OpenOptions, SetTime};
use serde_json::json;

use super::client::Client;
use super::request::{Operation, Request};
use super::{answer, no_memory, too_long};
use crate::types::error::{Error, Result};

/// Read at once.
const STEP_BYTES: u64 = 65_536;

/// All operations and their keys; the documentation of `System::spawn_files` says what they mean.
static OPERATIONS: [Operation; 11] = [
    Operation::new("read", &["path", "offset", "length"], false),
    Operation::new("write", &["path", "offset", "create", "create_new", "truncate"], true),
    Operation::new("append", &["path", "create", "create_new"], true),
    Operation::new("list", &["path"], false),
    Operation::new("metadata", &["path", "follow"], false),
    Operation::new("set_times", &["path", "accessed_ms", "modified_ms"], false),
    Operation::new("create_directory", &["path"], false),
    Operation::new("remove_file", &["path"], false),
    Operation::new("remove_directory", &["path"], false),
    Operation::new("rename", &["path", "to"], false),
    Operation::new("copy", &["path", "to"], false),
];

/// Does what a message asks for.
pub(super) fn serve(client: &Client<'_>, mut request: Request) -> Result<Vec<u8>> {
    let operation = request.operation(&OPERATIONS)?;
    let path = request.text("path")?;
    let function = format!("files#{operation}");
    let work = Work { client, path: &path, function: &function };
    match operation {
        "read" => work.read(&mut request),
        "write" => work.write(&mut request),
        "append" => work.append(&mut request),
        "list" => work.list(),
        "metadata" => work.metadata(&mut request),
        "set_times" => work.set_times(&mut request),
        "rename" | "copy" => work.to(&mut request, operation == "copy"),
        "create_directory" => work.done(client.files().create_directory(&path, &function)),
        "remove_file" => work.done(client.files().remove_file(&path, &function)),
        _ => work.done(client.files().remove_directory(&path, &function)),
    }
}

/// One operation on one path.
struct Work<'a> {
    client: &'a Client<'a>,
    path: &'a str,
    function: &'a str,
}

impl Work<'_> {
    /// The bytes of a file from an offset on: `length` of them, or all up to its end if that is absent.
    fn read(&self, request: &mut Request) -> Result<Vec<u8>> {
        let offset = request.count("offset")?.unwrap_or_default();
        let length = request.count("length")?.unwrap_or(u64::MAX);
        let allowed = self.client.answer_bytes_max();
        let file = self.told(self.client.files().open(self.path, self.function))?;
        // One byte more than may be given tells that there is more.
        let wanted = length.min(allowed.saturating_add(1));
        let bytes = self.read_up_to(&file, offset, wanted)?;
        if bytes.len() as u64 > allowed { Err(too_long(allowed).with("path", self.path)) } else { Ok(bytes) }
    }

    fn read_up_to(&self, file: &FileHandle, offset: u64, wanted: u64) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        while (bytes.len() as u64) < wanted {
            let filled = bytes.len();
            let step = (wanted - filled as u64).min(STEP_BYTES) as usize;
            bytes.try_reserve(step).map_err(|_| no_memory())?;
            bytes.resize(filled + step, 0);
            let Some(at) = offset.checked_add(filled as u64) else { break };
            let read = self.told(file.read_at(&mut bytes[filled..], at))?;
            bytes.truncate(filled + read);
            if read == 0 {
                break;
            }
        }
        Ok(bytes)
    }

    fn write(&self, request: &mut Request) -> Result<Vec<u8>> {
        let offset = request.count("offset")?.unwrap_or_default();
        let options = OpenOptions {
            write: true,
            create: request.flag("create", false)?,
            create_new: request.flag("create_new", false)?,
            truncate: request.flag("truncate", false)?,
            ..OpenOptions::default()
        };
        let bytes = request.body();
        let file = self.told(self.client.files().open_with(self.path, options, self.function))?;
        self.told(file.write_all_at(&bytes, offset))?;
        written(bytes.len() as u64)
    }

    fn append(&self, request: &mut Request) -> Result<Vec<u8>> {
        let options = OpenOptions {
            append: true,
            create: request.flag("create", false)?,
            create_new: request.flag("create_new", false)?,
            ..OpenOptions::default()
        };
        let bytes = request.body();
        let file = self.told(self.client.files().open_with(self.path, options, self.function))?;
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            match self.told(file.append(rest))? {
                0 => return self.told(Err(std::io::Error::from(std::io::ErrorKind::WriteZero).into())),
                count => rest = &rest[count..],
            }
        }
        written(bytes.len() as u64)
    }

    fn list(&self) -> Result<Vec<u8>> {
        let found = self.told(self.client.files().list(self.path, self.function))?;
        let allowed = self.client.answer_bytes_max();
        // One by one: as a tree of values a large folder would take many times what the answer may.
        let mut entries = String::new();
        for entry in found {
            let comma = if entries.is_empty() { "" } else { "," };
            let shown = json!({ "name": entry.name, "kind": kind(entry.kind) });
            entries.push_str(&format!("{comma}{shown}"));
            if entries.len() as u64 > allowed {
                return Err(too_long(allowed).with("path", self.path));
            }
        }
        Ok(format!("{{\"entries\":[{entries}]}}").into_bytes())
    }

    fn metadata(&self, request: &mut Request) -> Result<Vec<u8>> {
        let follow = request.flag("follow", true)?;
        let found = self.told(self.client.files().metadata(self.path, follow, self.function))?;
        let facts = json!({
            "kind": kind(found.kind),
            "size": found.size,
            "links": found.links,
            "modified_ms": found.modified.map(since_epoch_ms),
            "accessed_ms": found.accessed.map(since_epoch_ms),
            "created_ms": found.created.map(since_epoch_ms),
        });
        answer(&facts, &[])
    }

    fn set_times(&self, request: &mut Request) -> Result<Vec<u8>> {
        let accessed = time(request, "accessed_ms")?;
        let modified = time(request, "modified_ms")?;
        self.done(self.client.files().set_times(self.path, accessed, modified, self.function))
    }

    fn to(&self, request: &mut Request, copies: bool) -> Result<Vec<u8>> {
        let to = request.text("to")?;
        let files = self.client.files();
        match copies {
            true => {
                let lasts = || self.client.lasts();
                written(self.told(files.copy_while(self.path, &to, self.function, &lasts))?)
            }
            false => self.done(files.rename(self.path, &to, self.function)),
        }
    }

    fn done(&self, done: std::result::Result<(), FsError>) -> Result<Vec<u8>> {
        self.told(done).and_then(|()| answer(&json!({}), &[]))
    }

    fn told<T>(&self, done: std::result::Result<T, FsError>) -> Result<T> {
        done.map_err(|error| self.client.fs_error(error, self.path))
    }
}

fn written(bytes: u64) -> Result<Vec<u8>> {
    answer(&json!({ "written": bytes }), &[])
}

/// The word for what something in a directory is.
fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::File => "file",
        Kind::Directory => "directory",
        Kind::Symlink => "symlink",
        Kind::Fifo => "fifo",
        Kind::Socket => "socket",
        Kind::CharacterDevice => "character_device",
        Kind::BlockDevice => "block_device",
        Kind::Unknown => "unknown",
    }
}

/// Milliseconds since 1970, less than 0 before it.
fn since_epoch_ms(time: SystemTime) -> i64 {
    let whole = |apart: Duration| i64::try_from(apart.as_millis()).unwrap_or(i64::MAX);
    match time.duration_since(UNIX_EPOCH) {
        Ok(after) => whole(after),
        Err(before) => -whole(before.duration()),
    }
}

/// What a time becomes: it is kept if the key is absent.
fn time(request: &mut Request, key: &str) -> Result<SetTime> {
    let Some(given) = request.integer(key)? else { return Ok(SetTime::Keep) };
    let apart = Duration::from_millis(given.unsigned_abs());
    let time = if given < 0 { UNIX_EPOCH.checked_sub(apart) } else { UNIX_EPOCH.checked_add(apart) };
    time.map(SetTime::To).ok_or_else(|| Error::argument(key, "no clock goes that far"))
}
