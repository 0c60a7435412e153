//! Does with files what a message tells it, through the ordinary standard library; `raw.rs` where that has no word.
//!
//! Words are divided by spaces; in each `%XX` is a byte and `%(N)` N letters `n`. `P` and `Q` are paths, `T` a text, `N` a
//! number. The answer is `ok` unless something else stands here.
//!
//! | payload | what it does |
//! |---|---|
//! | `write P T`, `append P T`, `create_new P T` | opens so, writes |
//! | `read P` | its content |
//! | `fill P N` | writes N bytes `x`, 4,096 at a time |
//! | `truncate P N`, `touch P N` | sets the length; sets both times to N seconds after 1970 |
//! | `copy P Q` | how many bytes that were |
//! | `rename P Q`, `remove P`, `remove_dir P`, `remove_all P`, `mkdir P`, `mkdir_all P` | |
//! | `list P` | the names, sorted, one a line |
//! | `stat P`, `lstat P` | `file <bytes>`, `dir` or `link` |
//! | `modified P` | seconds after 1970 |
//! | `hard_link P Q`, `read_link P` | |
//! | `open P` , `open_write P` | opens the file and keeps it for the messages to come |
//! | `get` , `put T`, `put_at N T`, `size N`, `sync`, `close` | reads the kept file from its start, or does so with it |
//! | `args`, `vars` | one a line; the variables sorted |
//! | `stdin`, `directory` | how many bytes it gives; the current directory |
//! | `raw …` | see `raw.rs` |
//!
//! What does not work out is a failure: its code is the kind of the error.

wit_bindgen::generate!({ path: "../../../wit", world: "actor" });

mod raw;

use std::cell::RefCell;
use std::fs::{self, File, FileTimes, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::time::{Duration, UNIX_EPOCH};

use exports::airssys::wasm::handler::{Failure, Guest, Message};

struct Files;
export!(Files);

thread_local! {
    static KEPT: RefCell<Option<File>> = const { RefCell::new(None) };
}

impl Guest for Files {
    fn handle(message: Message) -> Result<Option<Vec<u8>>, Failure> {
        let text = String::from_utf8_lossy(&message.payload);
        let words: Vec<String> = text.split(' ').map(decode).collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let done = match words[..] {
            ["raw", ref rest @ ..] => raw::run(rest).map_err(|(code, text)| Failure { code, text })?,
            _ => run(&words).map_err(|e| Failure { code: format!("{:?}", e.kind()), text: e.to_string() })?,
        };
        Ok(Some(done))
    }
}

fn run(words: &[&str]) -> io::Result<Vec<u8>> {
    match *words {
        ["read", path] => return fs::read(path),
        ["copy", from, to] => return fs::copy(from, to).map(|bytes| bytes.to_string().into()),
        ["list", path] => return list(path),
        ["stat", path] => return fs::metadata(path).map(describe),
        ["lstat", path] => return fs::symlink_metadata(path).map(describe),
        ["modified", path] => return modified(path),
        ["read_link", path] => {
            return fs::read_link(path).map(|path| path.to_string_lossy().into_owned().into());
        }
        ["get"] => return get(),
        ["args"] => return Ok(std::env::args().collect::<Vec<_>>().join("\n").into()),
        ["vars"] => return Ok(vars()),
        ["stdin"] => return io::stdin().read_to_end(&mut Vec::new()).map(|bytes| bytes.to_string().into()),
        ["directory"] => return Ok(std::env::current_dir()?.to_string_lossy().into_owned().into()),
        ["open", path] => keep(File::open(path)?),
        ["open_write", path] => keep(OpenOptions::new().write(true).open(path)?),
        ["close"] => KEPT.with_borrow_mut(|kept| *kept = None),
        _ => change(words)?,
    }
    Ok(b"ok".to_vec())
}

fn change(words: &[&str]) -> io::Result<()> {
    match *words {
        ["write", path, text] => fs::write(path, text),
        ["append", path, text] => open(OpenOptions::new().append(true).create(true), path, text),
        ["create_new", path, text] => open(OpenOptions::new().write(true).create_new(true), path, text),
        ["fill", path, bytes] => fill(path, number(bytes)?),
        ["truncate", path, bytes] => OpenOptions::new().write(true).open(path)?.set_len(number(bytes)?),
        ["touch", path, seconds] => touch(path, number(seconds)?),
        ["rename", from, to] => fs::rename(from, to),
        ["remove", path] => fs::remove_file(path),
        ["remove_dir", path] => fs::remove_dir(path),
        ["remove_all", path] => fs::remove_dir_all(path),
        ["mkdir", path] => fs::create_dir(path),
        ["mkdir_all", path] => fs::create_dir_all(path),
        ["hard_link", path, to] => fs::hard_link(path, to),
        ["put", text] => kept(|file| file.write_all(text.as_bytes())),
        ["put_at", offset, text] => {
            let offset = number(offset)?;
            kept(|file| file.seek(SeekFrom::Start(offset)).and_then(|_| file.write_all(text.as_bytes())))
        }
        ["size", bytes] => {
            let bytes = number(bytes)?;
            kept(|file| file.set_len(bytes))
        }
        ["sync"] => kept(|file| file.sync_data().and_then(|()| file.sync_all())),
        _ => Err(io::Error::other(format!("no command {words:?}"))),
    }
}

/// `%XX` is a byte, `%(N)` N letters.
fn decode(word: &str) -> String {
    let mut parts = word.split('%');
    let mut decoded = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (code, rest) = match part.strip_prefix('(').and_then(|part| part.split_once(')')) {
            Some((count, rest)) => ("n".repeat(count.parse().unwrap_or(0)), rest),
            None => {
                let (code, rest) = part.split_at_checked(2).unwrap_or((part, ""));
                (char::from(u8::from_str_radix(code, 16).unwrap_or(b'?')).to_string(), rest)
            }
        };
        decoded.push_str(&code);
        decoded.push_str(rest);
    }
    decoded
}

fn number(text: &str) -> io::Result<u64> {
    text.parse().map_err(io::Error::other)
}

fn keep(file: File) {
    KEPT.with_borrow_mut(|kept| *kept = Some(file));
}

fn kept<T>(run: impl FnOnce(&mut File) -> io::Result<T>) -> io::Result<T> {
    KEPT.with_borrow_mut(|kept| run(kept.as_mut().ok_or_else(|| io::Error::other("no file is kept"))?))
}

fn get() -> io::Result<Vec<u8>> {
    kept(|file| {
        let mut content = Vec::new();
        file.seek(SeekFrom::Start(0))?;
        file.read_to_end(&mut content)?;
        Ok(content)
    })
}

fn open(options: &OpenOptions, path: &str, text: &str) -> io::Result<()> {
    options.open(path)?.write_all(text.as_bytes())
}

fn fill(path: &str, mut bytes: u64) -> io::Result<()> {
    let mut file = File::create(path)?;
    while bytes > 0 {
        let step = bytes.min(4_096);
        file.write_all(&vec![b'x'; step as usize])?;
        bytes -= step;
    }
    Ok(())
}

fn touch(path: &str, seconds: u64) -> io::Result<()> {
    let at = UNIX_EPOCH + Duration::from_secs(seconds);
    let file = OpenOptions::new().write(true).open(path)?;
    file.set_times(FileTimes::new().set_accessed(at).set_modified(at))
}

fn modified(path: &str) -> io::Result<Vec<u8>> {
    let at = fs::metadata(path)?.modified()?;
    Ok(at.duration_since(UNIX_EPOCH).map_err(io::Error::other)?.as_secs().to_string().into())
}

fn list(path: &str) -> io::Result<Vec<u8>> {
    let names: io::Result<Vec<_>> =
        fs::read_dir(path)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect();
    let mut names = names?;
    names.sort();
    Ok(names.join("\n").into())
}

fn describe(found: fs::Metadata) -> Vec<u8> {
    match (found.is_dir(), found.is_symlink()) {
        (true, _) => b"dir".to_vec(),
        (_, true) => b"link".to_vec(),
        _ => format!("file {}", found.len()).into(),
    }
}

fn vars() -> Vec<u8> {
    let mut vars: Vec<String> = std::env::vars().map(|(name, value)| format!("{name}={value}")).collect();
    vars.sort();
    vars.join("\n").into()
}
