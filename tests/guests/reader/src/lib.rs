//! Tries the outside world through the ordinary standard library, so that the tests see what a guest sees.
//!
//! | payload | reply |
//! |---|---|
//! | `/path` | the file |
//! | `try /path` | the file, or `could not read /path`: it recovers |
//! | `trap /path` | the file, or it panics |
//! | `list /path` | the names in the folder, sorted, one a line |
//! | `stat /path` | `file <bytes>` or `dir` |
//! | `write /path` | `written`: the file now holds `airwasm` |
//! | `connect host:port` | `connected` |
//! | `resolve name` | its addresses, sorted, one a line |
//! | `env NAME` | the value |
//!
//! What does not work out is the failure `io`, or `env` for a variable that is not set.

wit_bindgen::generate!({ path: "../../../wit", world: "actor" });

use std::net::{TcpStream, ToSocketAddrs};
use std::{env, fs, io};

use exports::airssys::wasm::handler::{Failure, Guest, Message};

struct Reader;
export!(Reader);

impl Guest for Reader {
    fn handle(message: Message) -> Result<Option<Vec<u8>>, Failure> {
        let text = String::from_utf8_lossy(&message.payload);
        // A bare path has no command word; it may contain spaces.
        let (command, rest) = match text.split_once(' ') {
            Some(parts) if !text.starts_with('/') => parts,
            _ => ("read", &*text),
        };
        let reply = match command {
            "read" => fs::read(rest),
            "try" => fs::read(rest).or_else(|_| Ok(format!("could not read {rest}").into())),
            "trap" => Ok(fs::read(rest).expect("the file is readable")),
            "list" => list(rest).map(String::into_bytes),
            "stat" => stat(rest).map(String::into_bytes),
            "write" => fs::write(rest, "airwasm").map(|()| b"written".to_vec()),
            "connect" => TcpStream::connect(rest).map(|_| b"connected".to_vec()),
            "resolve" => resolve(rest).map(String::into_bytes),
            "env" => {
                return env::var(rest).map(|value| Some(value.into())).map_err(|e| failure("env", e));
            }
            other => return Err(failure("usage", format!("no command {other}"))),
        };
        reply.map(Some).map_err(|e| failure("io", e))
    }
}

fn list(path: &str) -> io::Result<String> {
    let names: io::Result<Vec<_>> =
        fs::read_dir(path)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect();
    Ok(sorted_lines(names?))
}

fn stat(path: &str) -> io::Result<String> {
    let found = fs::metadata(path)?;
    Ok(if found.is_dir() { "dir".to_owned() } else { format!("file {}", found.len()) })
}

fn resolve(name: &str) -> io::Result<String> {
    Ok(sorted_lines((name, 0).to_socket_addrs()?.map(|address| address.ip().to_string()).collect()))
}

fn sorted_lines(mut lines: Vec<String>) -> String {
    lines.sort();
    lines.dedup();
    lines.join("\n")
}

fn failure(code: &str, text: impl ToString) -> Failure {
    Failure { code: code.to_owned(), text: text.to_string() }
}
