//! WASI itself, where the standard library has no word for it.
//!
//! | words | what it does |
//! |---|---|
//! | `symlink T P` | makes a symbolic link |
//! | `flags HOW P` | opens it, `HOW` of the letters `r`, `w`, `m` (mutate-directory), and tells its flags in these letters |
//! | `open HOW P` | opens it, `HOW` of `c` (create), `x` (exclusive), `t` (truncate), `d` (directory), `r`, `w`, `m`, `f` (follow) |
//! | `size HOW P N` | opens it so, sets its size |
//! | `peek HOW P` | opens it so, reads a byte by read-via-stream |
//! | `times P N` | set-times-at, without following |
//! | `stream P N`, `end P N` | writes N bytes by write-via-stream, append-via-stream, as much as check-write permits |
//! | `behind P` | opens to write, writes through the stream after the file was dropped |
//! | `many P N` | writes N letters by as many streams at once, waits for none before all have begun; reads them so too |
//! | `listings P N` | lists a directory by N streams at once |
//! | `environment N` | reads its environment N times; how many variables the last one had |
//!
//! The code of a failure is that of WASI.

use wasip2::cli::environment;
use wasip2::clocks::wall_clock::Datetime;
use wasip2::filesystem::preopens;
use wasip2::filesystem::types::{
    Descriptor, DescriptorFlags, ErrorCode, NewTimestamp, OpenFlags, PathFlags, filesystem_error_code,
};
use wasip2::io::streams::{OutputStream, StreamError};

type Failed = (String, String);

pub fn run(words: &[&str]) -> Result<Vec<u8>, Failed> {
    let done = match *words {
        ["symlink", to, path] => root().symlink_at(to, relative(path)).map_err(of_code).map(|()| "ok".into()),
        ["flags", how, path] => flags(how, path),
        ["open", how, path] => open(how, path).map(|_| "ok".into()),
        ["size", how, path, bytes] => {
            let size = number(bytes)?;
            open(how, path)?.set_size(size).map_err(of_code).map(|()| "ok".into())
        }
        ["peek", how, path] => peek(how, path),
        ["times", path, seconds] => times(path, number(seconds)?),
        ["stream", path, bytes] => stream(path, number(bytes)?, false),
        ["end", path, bytes] => stream(path, number(bytes)?, true),
        ["behind", path] => behind(path),
        ["many", path, count] => many(path, number(count)?),
        ["listings", path, count] => {
            let folder = open("dr", path)?;
            let listed: Result<Vec<_>, _> = (0..number(count)?).map(|_| folder.read_directory()).collect();
            listed.map(|listed| listed.len().to_string()).map_err(of_code)
        }
        ["environment", count] => {
            let read = (0..number(count)?).map(|_| environment::get_environment().len()).last();
            Ok(read.unwrap_or(0).to_string())
        }
        _ => Err(("usage".to_owned(), format!("no command {words:?}"))),
    };
    done.map(String::into_bytes)
}

fn root() -> Descriptor {
    let (root, _) = preopens::get_directories().remove(0);
    root
}

/// What is not absolute is taken as it is.
fn relative(path: &str) -> &str {
    path.strip_prefix('/').unwrap_or(path)
}

fn number(text: &str) -> Result<u64, Failed> {
    text.parse().map_err(|e| ("usage".to_owned(), format!("{text}: {e}")))
}

fn of_code(code: ErrorCode) -> Failed {
    (code.name().to_owned(), code.message().to_owned())
}

fn of_stream(error: StreamError) -> Failed {
    match error {
        StreamError::Closed => ("closed".to_owned(), "the stream is closed".to_owned()),
        StreamError::LastOperationFailed(why) => match filesystem_error_code(&why) {
            Some(code) => of_code(code),
            None => ("stream".to_owned(), why.to_debug_string()),
        },
    }
}

fn open(how: &str, path: &str) -> Result<Descriptor, Failed> {
    let mut path_flags = PathFlags::empty();
    let (mut open, mut flags) = (OpenFlags::empty(), DescriptorFlags::empty());
    for letter in how.chars() {
        match letter {
            'f' => path_flags |= PathFlags::SYMLINK_FOLLOW,
            'c' => open |= OpenFlags::CREATE,
            'x' => open |= OpenFlags::EXCLUSIVE,
            't' => open |= OpenFlags::TRUNCATE,
            'd' => open |= OpenFlags::DIRECTORY,
            'r' => flags |= DescriptorFlags::READ,
            'w' => flags |= DescriptorFlags::WRITE,
            _ => flags |= DescriptorFlags::MUTATE_DIRECTORY,
        }
    }
    root().open_at(path_flags, relative(path), open, flags).map_err(of_code)
}

fn flags(how: &str, path: &str) -> Result<String, Failed> {
    let found = open(how, path)?.get_flags().map_err(of_code)?;
    let letters = [
        ('r', DescriptorFlags::READ),
        ('w', DescriptorFlags::WRITE),
        ('m', DescriptorFlags::MUTATE_DIRECTORY),
    ];
    Ok(letters.iter().filter(|(_, flag)| found.contains(*flag)).map(|(letter, _)| letter).collect())
}

fn peek(how: &str, path: &str) -> Result<String, Failed> {
    let stream = open(how, path)?.read_via_stream(0).map_err(of_code)?;
    let read = stream.blocking_read(1).map_err(of_stream)?;
    Ok(String::from_utf8_lossy(&read).into_owned())
}

fn times(path: &str, seconds: u64) -> Result<String, Failed> {
    let at = NewTimestamp::Timestamp(Datetime { seconds, nanoseconds: 0 });
    root().set_times_at(PathFlags::empty(), relative(path), at, at).map_err(of_code).map(|()| "ok".into())
}

/// Writes without blocking calls: asks how much may be written, waits where that is nothing.
fn stream(path: &str, bytes: u64, at_end: bool) -> Result<String, Failed> {
    let file = open("cw", path)?;
    let stream = match at_end {
        true => file.append_via_stream(),
        false => file.write_via_stream(0),
    };
    let stream = stream.map_err(of_code)?;
    let mut left = bytes;
    while left > 0 {
        let step = left.min(ready(&stream)?);
        stream.write(&vec![b's'; step as usize]).map_err(of_stream)?;
        left -= step;
    }
    stream.flush().map_err(of_stream)?;
    ready(&stream)?;
    Ok(bytes.to_string())
}

fn ready(stream: &OutputStream) -> Result<u64, Failed> {
    loop {
        match stream.check_write().map_err(of_stream)? {
            0 => stream.subscribe().block(),
            permitted => return Ok(permitted),
        }
    }
}

/// A stream is a child of its file, which may go first.
fn behind(path: &str) -> Result<String, Failed> {
    let stream = open("w", path)?.write_via_stream(0).map_err(of_code)?;
    ready(&stream)?;
    stream.write(b"behind").map_err(of_stream)?;
    drop(stream);
    Ok("ok".to_owned())
}

fn many(path: &str, count: u64) -> Result<String, Failed> {
    let file = open("crw", path)?;
    let mut sinks = Vec::new();
    for at in 0..count {
        let sink = file.write_via_stream(at).map_err(of_code)?;
        ready(&sink)?;
        sink.write(&[b'a' + (at % 26) as u8]).map_err(of_stream)?;
        sinks.push(sink);
    }
    for sink in &sinks {
        sink.flush().map_err(of_stream)?;
        ready(sink)?;
    }
    let streams: Result<Vec<_>, _> = (0..count).map(|at| file.read_via_stream(at)).collect();
    let streams = streams.map_err(of_code)?;
    let begun: Result<Vec<_>, _> = streams.iter().map(|stream| stream.read(1).map_err(of_stream)).collect();
    let mut read = Vec::new();
    for (stream, begun) in streams.iter().zip(begun?) {
        // What the system had in memory has come at once.
        read.push(if begun.is_empty() { stream.blocking_read(1).map_err(of_stream)? } else { begun });
    }
    Ok(String::from_utf8_lossy(&read.concat()).into_owned())
}
